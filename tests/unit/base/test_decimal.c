/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <criterion/criterion.h>

Test(decimal, is_exact_and_rounds_half_away_from_zero)
{
    int64_t out;
    cr_assert_eq(decimal_read(TEXT("20.7"), 6, &out), DECIMAL_OK);
    cr_assert_eq(out, 20700000);
    cr_assert_eq(decimal_read(TEXT("-0.5"), 0, &out), DECIMAL_OK);
    cr_assert_eq(out, -1);
    cr_assert_eq(decimal_read(TEXT("0.49999"), 0, &out), DECIMAL_OK);
    cr_assert_eq(out, 0);
    cr_assert_eq(decimal_read(TEXT("-9223372036854775808"), 0, &out), DECIMAL_OK);
    cr_assert_eq(out, INT64_MIN);
}

Test(decimal, refuses_what_rounds_beyond_int64)
{
    int64_t out = 7;
    cr_assert_eq(decimal_read(TEXT("9223372036854775807.5"), 0, &out), DECIMAL_OVERFLOW);
    cr_assert_eq(decimal_read(TEXT("-9223372036854775808.5"), 0, &out), DECIMAL_OVERFLOW);
    cr_assert_eq(decimal_read(TEXT(""), 0, &out), DECIMAL_EMPTY);
    cr_assert_eq(decimal_read(TEXT("-"), 0, &out), DECIMAL_SYNTAX);
    cr_assert_eq(decimal_read(TEXT("."), 0, &out), DECIMAL_SYNTAX);
    cr_assert_eq(decimal_read(TEXT("1.2.3"), 0, &out), DECIMAL_SYNTAX);
    cr_assert_eq(decimal_read(TEXT("e5"), 0, &out), DECIMAL_SYNTAX);
    cr_assert_eq(out, 7, "untouched on failure");
}
