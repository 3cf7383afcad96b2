/* SPDX-License-Identifier: Apache-2.0
 * i128.h - 128-bit sums: world trade of a year in milligrams does not fit 64 bits.
 *
 * Units:   whatever the caller sums; nothing here rounds but the functions that say so
 * Thread:  any
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 i128;

enum { I128_TEXT_BYTES = 48 };

/* Writes v in decimal with a terminating zero; returns out. */
char *i128_to_text(i128 v, char out[static I128_TEXT_BYTES]);

/* v, or the nearest end of int64; *saturated is set (never cleared) if it did not fit. */
int64_t i128_saturate(i128 v, bool *saturated);

/* v / divisor rounded to the nearest, halves away from zero. divisor > 0. */
i128 i128_divide_round(i128 v, i128 divisor);
