/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/growth.h"

#include <criterion/criterion.h>

static char out[GROWTH_TEXT_BYTES];

static const char *tenths(i128 current, i128 base)
{
    i128 found;
    return growth_tenths(current, base, &found) ? growth_text(found, out) : "-";
}

static const char *mean(i128 first, i128 last, uint32_t steps)
{
    int64_t found;
    return growth_mean_tenths(first, last, steps, &found) ? growth_text(found, out) : "-";
}

Test(growth, one_decimal_half_away_from_zero)
{
    cr_assert_str_eq(tenths(35500000, 23650900), "50.1");
    cr_assert_str_eq(tenths(10005, 10000), "0.1");
    cr_assert_str_eq(tenths(9995, 10000), "-0.1");
    cr_assert_str_eq(tenths(100049, 100000), "0.0");
    cr_assert_str_eq(tenths(99951, 100000), "0.0");
    cr_assert_str_eq(tenths(0, 5), "-100.0");
}

Test(growth, large_percentages_have_room)
{
    i128 base = 2833333333;
    cr_assert_str_eq(tenths(28050000000, base), "890.0");
    cr_assert_str_eq(tenths((i128)1000000000000000000, 1), "99999999999999999900.0");
}

Test(growth, no_base_no_figure)
{
    i128 found = 7;
    cr_assert_not(growth_tenths(5, 0, &found));
    cr_assert_not(growth_ppm(5, 0, &found));
    cr_assert_not(growth_ppm(5, -1, &found));
    cr_assert_not(growth_share_tenths(5, 0, &found));
    cr_assert(found == 7);
}

Test(growth, ppm)
{
    i128 found;
    cr_assert(growth_ppm(1377000, 1000000, &found));
    cr_assert(found == 377000);
    cr_assert(growth_ppm(1, 3, &found));
    cr_assert(found == -666667);
}

Test(growth, the_mean_of_years_is_geometric)
{
    cr_assert_str_eq(mean(10000, 83521, 4), "70.0"); /* 1.7^4 */
    cr_assert_str_eq(mean(100, 200, 1), "100.0");
    cr_assert_str_eq(mean(100, 200, 2), "41.4");
    cr_assert_str_eq(mean(200, 100, 2), "-29.3");
    cr_assert_str_eq(mean(5, 5, 9), "0.0");
    cr_assert_str_eq(mean(1, 1000000, 6), "900.0");
}

Test(growth, a_tie_of_the_mean_goes_away_from_zero)
{
    cr_assert_str_eq(mean(10000, 10005, 1), "0.1");
    cr_assert_str_eq(mean(100000, 100049, 1), "0.0");
    cr_assert_str_eq(mean(10000, 9995, 1), "-0.1");
    cr_assert_str_eq(mean(100000, 99951, 1), "0.0");
    cr_assert_str_eq(mean(2000 * 2000, 2001 * 2001, 2), "0.1"); /* exactly 1.0005 a year */
}

Test(growth, the_mean_of_a_hundred_years_is_exact)
{
    i128 large = (i128)1000000000000000000 * 1000000000000; /* 10^30 */
    cr_assert_str_eq(mean(1, large, 100), "99.5");          /* 10^0.3 = 1.99526 */
    cr_assert_str_eq(mean(large, 1, 100), "-49.9");
}

Test(growth, what_has_no_mean_says_so)
{
    cr_assert_str_eq(mean(0, 5, 1), "-");
    cr_assert_str_eq(mean(5, 0, 1), "-");
    cr_assert_str_eq(mean(5, 5, 0), "-");
    cr_assert_str_eq(mean(5, 5, GROWTH_STEPS_MOST + 1), "-");
    cr_assert_str_eq(mean(1, (i128)1000000000000000000, 1), "-");
}
