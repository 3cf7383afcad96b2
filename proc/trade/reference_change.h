/* SPDX-License-Identifier: Apache-2.0
 * reference_change.h - whether lists may take the place of others while declarations are being counted.
 *
 * reference_load has found them sound. Here is what only the comparison shows: a list that is gone or empty was most likely deleted or
 * cut short by whoever writes the folder, and would turn rules off or reject everything; quantities that were counted in one standard
 * unit must not be added to those of another, and which one they were in is not kept.
 * Errors:  ERR_CONFIG with the file and the mend
 * Thread:  any
 */
#pragma once

#include "trade/reference.h"

enum err reference_may_follow(const struct reference *now, const struct reference *next,
                              struct err_info *info) MUST_USE;
