/* SPDX-License-Identifier: Apache-2.0
 * growth.h - how much a sum grew: on a year before, and in the mean of several years.
 *
 * In:      unrounded sums           Out: ppm or tenths of a percent, rounded half away from zero
 * Absent:  a base of zero or below gives no figure: never infinity, never 0 for "unknown"
 * Limits:  |sum| <= 10^30; GROWTH_STEPS_MOST years
 * Thread:  any
 * Why:     docs/adr/0040-rounding-of-figures.md
 */
#pragma once

#include "base/i128.h"

enum { GROWTH_STEPS_MOST = 100, GROWTH_TEXT_BYTES = 48 };

/* (current / base - 1) * 10^6. False without a base. */
bool growth_ppm(i128 current, i128 base, i128 *out);

/* (current / base - 1) * 1000: tenths of a percent. False without a base. */
bool growth_tenths(i128 current, i128 base, i128 *out);

/* part / whole * 1000: tenths of a percent. False without a whole. */
bool growth_share_tenths(i128 part, i128 whole, i128 *out);

/* The geometric mean of `steps` yearly growths that lead from first to last, in tenths of a percent:
 * ((last / first)^(1 / steps) - 1) * 1000, exact before it is rounded. False if first or last is not above zero, steps is not
 * 1..GROWTH_STEPS_MOST, or a year grew more than 10^9 times. */
bool growth_mean_tenths(i128 first, i128 last, uint32_t steps, int64_t *out);

/* "50.1", "-8.3", "0.0". Returns out. */
char *growth_text(i128 tenths, char out[static GROWTH_TEXT_BYTES]);
