/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/figure.h"

#include <criterion/criterion.h>

static char out[FIGURE_BYTES];

static const i128 one = 1;

Test(figure, halves_go_away_from_zero)
{
    cr_assert_str_eq(figure_fixed(25, 10, 0, out), "3");
    cr_assert_str_eq(figure_fixed(-25, 10, 0, out), "-3");
    cr_assert_str_eq(figure_fixed(24999, 10000, 0, out), "2");
    cr_assert_str_eq(figure_fixed(1005, 1000, 2, out), "1.01");
    cr_assert_str_eq(figure_fixed(-1005, 1000, 2, out), "-1.01");
    cr_assert_str_eq(figure_fixed(1004999, 1000000, 2, out), "1.00");
}

Test(figure, thousands_are_separated)
{
    cr_assert_str_eq(figure_fixed(0, 1, 0, out), "0");
    cr_assert_str_eq(figure_fixed(999, 1, 0, out), "999");
    cr_assert_str_eq(figure_fixed(1000, 1, 0, out), "1,000");
    cr_assert_str_eq(figure_fixed(-1234567, 1, 1, out), "-1,234,567.0");
}

Test(figure, nothing_is_minus_nothing)
{
    cr_assert_str_eq(figure_fixed(-4, 10, 0, out), "0");
    cr_assert_str_eq(figure_significant(0, 7, 3, out), "0.000");
}

Test(figure, significant_digits_cut_before_and_behind_the_point)
{
    cr_assert_str_eq(figure_significant(35512, 1, 3, out), "35,500");
    cr_assert_str_eq(figure_significant(35550, 1, 3, out), "35,600");
    cr_assert_str_eq(figure_significant(-35550, 1, 3, out), "-35,600");
    cr_assert_str_eq(figure_significant(607123, 100000, 3, out), "6.07");
    cr_assert_str_eq(figure_significant(123, 1, 3, out), "123");
    cr_assert_str_eq(figure_significant(5, 1000, 3, out), "0.00500");
}

Test(figure, a_carry_does_not_add_a_significant_digit)
{
    cr_assert_str_eq(figure_significant(9996, 1000, 3, out), "10.0");
    cr_assert_str_eq(figure_significant(99951, 100, 3, out), "1,000");
    cr_assert_str_eq(figure_significant(9996, 10000, 3, out), "1.00");
    cr_assert_str_eq(figure_significant(9994, 10000, 3, out), "0.999");
}

Test(figure, the_carry_is_not_rounded_twice)
{
    cr_assert_str_eq(figure_significant(99949999, 10000, 3, out), "9,990");
    cr_assert_str_eq(figure_significant(99950000, 10000, 3, out), "10,000");
}

Test(figure, sums_of_the_world_fit)
{
    i128 mass_g = one * 1000000000000000000 * 1000000; /* 10^24 */

    cr_assert_str_eq(figure_mass(mass_g, FIGURE_MASS_MT, out), "1,000,000,000,000 Mt");
    cr_assert_str_eq(figure_money(mass_g, 100, FIGURE_MONEY_AUTO, out), "10,000,000,000 tn");
}

Test(figure, masses_are_printed_in_tonnes_and_from_a_million_in_megatonnes)
{
    cr_assert_str_eq(figure_mass(one * 35500400000, FIGURE_MASS_AUTO, out), "35,500 t");
    cr_assert_str_eq(figure_mass(one * 6070049999999, FIGURE_MASS_AUTO, out), "6.07 Mt");
    cr_assert_str_eq(figure_mass(one * 999400000000, FIGURE_MASS_AUTO, out), "999,000 t");
    cr_assert_str_eq(figure_mass(one * 999500000000, FIGURE_MASS_AUTO, out), "1.00 Mt");
    cr_assert_str_eq(figure_mass(one * 234567, FIGURE_MASS_AUTO, out), "235 kg");
    cr_assert_str_eq(figure_mass(one * 999600, FIGURE_MASS_AUTO, out), "1.00 t");
    cr_assert_str_eq(figure_mass(0, FIGURE_MASS_AUTO, out), "0 t");
}

Test(figure, masses_are_printed_in_the_unit_asked_for)
{
    cr_assert_str_eq(figure_mass(one * 6070000000000, FIGURE_MASS_T, out), "6,070,000 t");
    cr_assert_str_eq(figure_mass(one * 6070000000000, FIGURE_MASS_10KT, out), "607 x 10,000 t");
    cr_assert_str_eq(figure_mass(one * 35500000000, FIGURE_MASS_10KT, out), "3.55 x 10,000 t");
    cr_assert_str_eq(figure_mass(1500, FIGURE_MASS_KG, out), "1.50 kg");
}

Test(figure, money_has_at_most_two_decimals_in_the_largest_scale)
{
    cr_assert_str_eq(figure_money(one * 365000000049, 100, FIGURE_MONEY_AUTO, out), "3.65 bn");
    cr_assert_str_eq(figure_money(one * 89000000000000, 100, FIGURE_MONEY_AUTO, out), "890 bn");
    cr_assert_str_eq(figure_money(one * 211000000000000, 100, FIGURE_MONEY_AUTO, out), "2.11 tn");
    cr_assert_str_eq(figure_money(one * 14600000000, 100, FIGURE_MONEY_AUTO, out), "146 M");
    cr_assert_str_eq(figure_money(one * 99999600000, 100, FIGURE_MONEY_AUTO, out), "1 bn");
    cr_assert_str_eq(figure_money(one * 99999400000, 100, FIGURE_MONEY_AUTO, out), "999.99 M");
    cr_assert_str_eq(figure_money(123456, 100, FIGURE_MONEY_AUTO, out), "1,234.56");
    cr_assert_str_eq(figure_money(0, 100, FIGURE_MONEY_AUTO, out), "0");
    cr_assert_str_eq(figure_money(-one * 365000000000, 100, FIGURE_MONEY_AUTO, out), "-3.65 bn");
}

Test(figure, money_is_printed_in_the_scale_asked_for)
{
    cr_assert_str_eq(figure_money(one * 365000000000, 100, FIGURE_MONEY_M, out), "3,650 M");
    cr_assert_str_eq(figure_money(one * 365000000000, 100, FIGURE_MONEY_THOUSAND, out), "3,650,000 thousand");
    cr_assert_str_eq(figure_money(one * 365000000000, 100, FIGURE_MONEY_UNITS, out), "3,650,000,000");
    cr_assert_str_eq(figure_money(one * 365000000000, 100, FIGURE_MONEY_TN, out), "0 tn");
}

Test(figure, a_conversion_is_rounded_once)
{
    /* 2.11 tn yuan at 7.1516: 295.0388..., at 7.15 yuan in cents and 10^-8 rates */
    i128 minor = one * 211000000000000;

    cr_assert_str_eq(figure_money(minor * 100000000, one * 100 * 715160000, FIGURE_MONEY_AUTO, out), "295.04 bn");
}

Test(figure, zeros_behind_the_point_can_be_dropped)
{
    char text[][8] = {"890.0", "3.50", "100", "0.00"};

    cr_assert_str_eq(figure_drop_zeros(text[0]), "890");
    cr_assert_str_eq(figure_drop_zeros(text[1]), "3.5");
    cr_assert_str_eq(figure_drop_zeros(text[2]), "100");
    cr_assert_str_eq(figure_drop_zeros(text[3]), "0");
}
