/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/figure.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

enum { DECIMALS_MOST = 9, MASS_DIGITS = 3, MONEY_DECIMALS = 2 };

static i128 power_of_ten(uint32_t exponent)
{
    i128 power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

static i128 size_of(i128 v)
{
    return v < 0 ? -v : v;
}

/* Digits with commas; v >= 0. The end of what was written. */
static char *put_thousands(i128 v, char *out)
{
    char digits[I128_TEXT_BYTES];
    i128_to_text(v, digits);
    size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    return out;
}

/* `scaled` is the figure times 10^decimals; 39 digits, their commas, sign, point and end fit. */
static char *put_scaled(i128 scaled, uint32_t decimals, char out[static FIGURE_BYTES])
{
    i128 power = power_of_ten(decimals);
    char *at = out;
    if (scaled < 0)
        *at++ = '-';
    at = put_thousands(size_of(scaled) / power, at);
    if (decimals > 0) {
        *at++ = '.';
        i128 rest = size_of(scaled) % power;
        for (i128 place = power / 10; place > 0; place /= 10)
            *at++ = (char)('0' + (int)(rest / place % 10));
    }
    *at = '\0';
    return out;
}

char *figure_fixed(i128 v, i128 divisor, uint32_t decimals, char out[static FIGURE_BYTES])
{
    CHECK(divisor > 0 && decimals <= DECIMALS_MOST);
    return put_scaled(i128_divide_round(v * power_of_ten(decimals), divisor), decimals, out);
}

/* v / divisor rounded to a multiple of 10^places. */
static i128 round_places(i128 v, i128 divisor, uint32_t places)
{
    i128 power = power_of_ten(places);
    return i128_divide_round(v, divisor * power) * power;
}

char *figure_significant(i128 v, i128 divisor, uint32_t digits, char out[static FIGURE_BYTES])
{
    CHECK(divisor > 0 && digits > 0 && digits <= DECIMALS_MOST);
    uint32_t before = 0; /* digits before the point */
    while (before < DECIMALS_MOST * 4 && size_of(v) / divisor / power_of_ten(before) > 0)
        before++;
    if (before > digits)
        return put_scaled(round_places(v, divisor, before - digits), 0, out);
    uint32_t decimals = digits - before;
    while (before == 0 && v != 0 && decimals < DECIMALS_MOST &&
           size_of(v) * power_of_ten(decimals - digits + 1) / divisor == 0)
        decimals++;
    i128 scaled = i128_divide_round(v * power_of_ten(decimals), divisor);
    if (size_of(scaled) >= power_of_ten(digits) && decimals > 0) /* 9.996 became 10.00: one digit too many */
        scaled = i128_divide_round(v * power_of_ten(--decimals), divisor);
    return put_scaled(scaled, decimals, out);
}

char *figure_drop_zeros(char *text)
{
    if (!strchr(text, '.'))
        return text;
    size_t length = strlen(text);
    while (text[length - 1] == '0')
        length--;
    length -= text[length - 1] == '.';
    text[length] = '\0';
    return text;
}

struct scale {
    uint32_t exponent; /* of the grams in it, or of the currency units */
    const char *unit;
};

static char *put_unit(const char *unit, char out[static FIGURE_BYTES])
{
    size_t length = strlen(out);
    snprintf(out + length, FIGURE_BYTES - length, "%s", unit);
    return out;
}

static const struct scale masses[] = {
    [FIGURE_MASS_KG] = {3, " kg"},
    [FIGURE_MASS_T] = {6, " t"},
    [FIGURE_MASS_10KT] = {10, " x 10,000 t"},
    [FIGURE_MASS_MT] = {12, " Mt"},
};

/* Whether it has a digit before the point in this unit when it is rounded: 999,500 t are 1.00 Mt. */
static bool has_whole_mass(i128 mass_g, uint32_t exponent)
{
    return size_of(mass_g) * 10000 >= 9995 * power_of_ten(exponent);
}

char *figure_mass(i128 mass_g, enum figure_mass unit, char out[static FIGURE_BYTES])
{
    if (unit == FIGURE_MASS_AUTO) {
        unit = FIGURE_MASS_MT;
        if (!has_whole_mass(mass_g, masses[unit].exponent))
            unit =
                has_whole_mass(mass_g, masses[FIGURE_MASS_T].exponent) || mass_g == 0 ? FIGURE_MASS_T : FIGURE_MASS_KG;
    }
    if (mass_g == 0)
        snprintf(out, FIGURE_BYTES, "0");
    else
        figure_significant(mass_g, power_of_ten(masses[unit].exponent), MASS_DIGITS, out);
    return put_unit(masses[unit].unit, out);
}

static const struct scale moneys[] = {
    [FIGURE_MONEY_UNITS] = {0, ""},  [FIGURE_MONEY_THOUSAND] = {3, " thousand"},
    [FIGURE_MONEY_M] = {6, " M"},    [FIGURE_MONEY_BN] = {9, " bn"},
    [FIGURE_MONEY_TN] = {12, " tn"},
};

/* Whether the figure has a digit before the point in `scale`, as rounded in the scale below: 999.996 M are 1 bn, 999.99 M not. */
static bool has_whole_money(i128 v, i128 divisor, enum figure_money scale)
{
    uint32_t below = scale == FIGURE_MONEY_M ? moneys[FIGURE_MONEY_UNITS].exponent : moneys[scale - 1].exponent;
    i128 hundredths = i128_divide_round(size_of(v) * 100, divisor * power_of_ten(below));
    return hundredths >= 100 * power_of_ten(moneys[scale].exponent - below);
}

char *figure_money(i128 v, i128 divisor, enum figure_money scale, char out[static FIGURE_BYTES])
{
    CHECK(divisor > 0);
    if (scale == FIGURE_MONEY_AUTO) { /* thousands are for tables */
        scale = FIGURE_MONEY_TN;
        while (scale >= FIGURE_MONEY_M && !has_whole_money(v, divisor, scale))
            scale--;
        if (scale < FIGURE_MONEY_M)
            scale = FIGURE_MONEY_UNITS;
    }
    figure_fixed(v, divisor * power_of_ten(moneys[scale].exponent), MONEY_DECIMALS, out);
    return put_unit(moneys[scale].unit, figure_drop_zeros(out));
}
