/* SPDX-License-Identifier: Apache-2.0
 * random.h - random numbers of the system, for what nobody may guess or make twice: keys and nonces. flow/ asks its options.
 *
 * Errors:  a system that gives none ends the process
 * Thread:  any
 */
#pragma once

#include <stdint.h>

/* The context is not looked at: it fits where flow/ wants a function with one. */
uint64_t random_of_system(void *context);
