/* SPDX-License-Identifier: Apache-2.0
 * decimal.h - decimal text x 10^scale as an exact integer: money, masses and quantities never pass through floating
 * point.
 *
 * Accepts: optional sign, digits with at most one point ("12", "-0.5", ".5", "3."); no exponent, no grouping, no blanks
 * Rounds:  what is finer than 10^-scale half away from zero
 * Thread:  any
 */
#pragma once

#include "base/span.h"

enum decimal_result {
    DECIMAL_OK,
    DECIMAL_EMPTY,
    DECIMAL_SYNTAX,
    DECIMAL_EXPONENT, /* "1e5": programs that write it have lost digits already */
    DECIMAL_OVERFLOW,
};

enum { DECIMAL_SCALE_MOST = 18 };

/* *out is written only on DECIMAL_OK. scale 0..DECIMAL_SCALE_MOST. */
enum decimal_result decimal_read(struct text text, int scale, int64_t *out);

/* A sentence for an error message. */
const char *decimal_reason(enum decimal_result result);
