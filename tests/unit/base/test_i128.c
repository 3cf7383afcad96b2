/* SPDX-License-Identifier: Apache-2.0 */
#include "base/i128.h"

#include <criterion/criterion.h>
#include <signal.h>

static i128 least(void)
{
    return (i128)1 << 126 << 1;
}

Test(i128, division_by_zero_aborts, .signal = SIGABRT)
{
    i128_divide_round(1, 0);
}

Test(i128, division_by_a_negative_number_aborts, .signal = SIGABRT)
{
    i128_divide_round(1, -2);
}

Test(i128, halves_go_away_from_zero)
{
    cr_assert_eq(i128_divide_round(5, 10), 1);
    cr_assert_eq(i128_divide_round(-5, 10), -1);
    cr_assert_eq(i128_divide_round(4, 10), 0);
    cr_assert_eq(i128_divide_round(-4, 10), 0);
    cr_assert_eq(i128_divide_round(25, 10), 3);
    cr_assert_eq(i128_divide_round(-25, 10), -3);
    cr_assert_eq(i128_divide_round(0, 10), 0);
}

Test(i128, odd_divisors_have_no_half)
{
    cr_assert_eq(i128_divide_round(1, 3), 0);
    cr_assert_eq(i128_divide_round(2, 3), 1);
    cr_assert_eq(i128_divide_round(-1, 3), 0);
    cr_assert_eq(i128_divide_round(-2, 3), -1);
    cr_assert_eq(i128_divide_round(7, 1), 7);
}

Test(i128, the_ends_of_the_range_divide_without_overflow)
{
    i128 most = ~least();
    cr_assert(i128_divide_round(most, 1) == most);
    cr_assert(i128_divide_round(least(), 1) == least());
    cr_assert(i128_divide_round(most, most) == 1);
    cr_assert(i128_divide_round(most - 1, most) == 1);
    cr_assert(i128_divide_round(least(), most) == -1);
    cr_assert(i128_divide_round(most / 2, most) == 0);
    cr_assert(i128_divide_round(most / 2 + 1, most) == 1);
}

/* The definition, word for word: the nearest multiple, and of two equally near ones the one with the larger size. */
Test(i128, rounding_agrees_with_its_definition)
{
    for (int v = -300; v <= 300; v++) {
        for (int divisor = 1; divisor <= 40; divisor++) {
            int size = v < 0 ? -v : v;
            int want = (2 * size + divisor) / (2 * divisor);
            cr_assert_eq((int)i128_divide_round(v, divisor), v < 0 ? -want : want, "%d / %d", v, divisor);
        }
    }
}

Test(i128, beyond_int64_saturates_and_says_so)
{
    bool saturated = false;
    cr_assert_eq(i128_saturate((i128)INT64_MAX + 1, &saturated), INT64_MAX);
    cr_assert(saturated);
    saturated = false;
    cr_assert_eq(i128_saturate((i128)INT64_MIN - 1, &saturated), INT64_MIN);
    cr_assert(saturated);
}

Test(i128, saturation_flag_is_never_cleared)
{
    bool saturated = true;
    cr_assert_eq(i128_saturate(1, &saturated), 1);
    cr_assert(saturated);
}

Test(i128, the_ends_of_int64_do_not_saturate)
{
    bool saturated = false;
    cr_assert_eq(i128_saturate(INT64_MAX, &saturated), INT64_MAX);
    cr_assert_eq(i128_saturate(INT64_MIN, &saturated), INT64_MIN);
    cr_assert_not(saturated);
}

Test(i128, text_of_the_ends_is_exact)
{
    char text[I128_TEXT_BYTES];
    cr_assert_str_eq(i128_to_text(0, text), "0");
    cr_assert_str_eq(i128_to_text(-1, text), "-1");
    cr_assert_str_eq(i128_to_text(1000000007, text), "1000000007");
    cr_assert_str_eq(i128_to_text(~least(), text), "170141183460469231731687303715884105727");
    cr_assert_str_eq(i128_to_text(least(), text), "-170141183460469231731687303715884105728");
}
