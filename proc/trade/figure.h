/* SPDX-License-Identifier: Apache-2.0
 * figure.h - sums as figures that a statement prints: "35,500 t", "3.65 bn", "50.1".
 *
 * In:      exact sums as a numerator and a positive divisor, so that a figure is rounded once, however it was converted
 * Rounds:  half away from zero, in integers of 128 bits; no floating point
 * Limits:  |v| * 10^decimals within i128: sums up to 10^27 have room for all that is printed here
 * Thread:  any
 * Why:     docs/adr/0040-rounding-of-figures.md
 */
#pragma once

#include "base/i128.h"

enum { FIGURE_BYTES = 64 };

/* v / divisor with so many decimals and commas between thousands: "1,234.50". decimals <= 9. */
char *figure_fixed(i128 v, i128 divisor, uint32_t decimals, char out[static FIGURE_BYTES]);

/* v / divisor with so many significant digits; zeros stand for the digits cut off: 35,512 with three is "35,500", 6.0712 is
 * "6.07". What is smaller than 10^-9 is printed with nine decimals. */
char *figure_significant(i128 v, i128 divisor, uint32_t digits, char out[static FIGURE_BYTES]);

/* Takes zeros behind the point away, and the point with them: "890.00" is "890". Returns text. */
char *figure_drop_zeros(char *text);

enum figure_mass {
    FIGURE_MASS_AUTO, /* kg, t or Mt: the largest that leaves one digit before the point */
    FIGURE_MASS_KG,
    FIGURE_MASS_T,
    FIGURE_MASS_10KT, /* 10,000 t, the unit of Chinese tables */
    FIGURE_MASS_MT,
};

/* A mass with three significant digits and its unit: "35,500 t", "6.07 Mt", "607 x 10,000 t". */
char *figure_mass(i128 mass_g, enum figure_mass unit, char out[static FIGURE_BYTES]);

enum figure_money {
    FIGURE_MONEY_AUTO, /* tn, bn, M or units: the largest that leaves one digit before the point */
    FIGURE_MONEY_UNITS,
    FIGURE_MONEY_THOUSAND,
    FIGURE_MONEY_M,
    FIGURE_MONEY_BN,
    FIGURE_MONEY_TN,
};

/* v / divisor units of a currency with at most two decimals and its scale: "3.65 bn", "890 bn", "1,234". */
char *figure_money(i128 v, i128 divisor, enum figure_money scale, char out[static FIGURE_BYTES]);
