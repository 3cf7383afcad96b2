/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/calendar.h"

#include <criterion/criterion.h>

Test(calendar, what_is_no_day_is_refused)
{
    static const uint32_t wrong[] = {0,        1,        20250000, 20250100, 20251301, 20250132,  20250431,  20250229,
                                     19000229, 21000229, 101,      99991232, 2025063,  202506150, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(calendar_is_date(wrong[i]), "%u", wrong[i]);
}

Test(calendar, the_29th_of_february_follows_the_gregorian_rule)
{
    cr_expect(calendar_is_date(20240229));
    cr_expect(calendar_is_date(20000229));
    cr_expect_not(calendar_is_date(21000229));
}

Test(calendar, day_numbers_count_every_day_once)
{
    cr_assert_eq(calendar_day(19700101), 0);
    int32_t day = calendar_day(18991231);
    for (uint32_t year = 1900; year <= 2120; year++) {
        for (uint32_t month = 1; month <= 12; month++) {
            for (uint32_t date = year * 10000 + month * 100 + 1; calendar_is_date(date); date++) {
                day++;
                cr_assert_eq(calendar_day(date), day);
                cr_assert_eq(calendar_date(day), date);
                int32_t months = ((int32_t)year - 1970) * 12 + (int32_t)month - 1;
                cr_assert_eq(calendar_month_of_day(day), months);
                cr_assert_eq(calendar_month_day(months), day - (int32_t)(date % 100) + 1);
            }
        }
    }
}

Test(calendar, the_ends_of_the_calendar_go_there_and_back)
{
    cr_expect_eq(calendar_date(calendar_day(10101)), 10101);
    cr_expect_eq(calendar_date(calendar_day(99991231)), 99991231);
}

Test(calendar, what_is_counted_ends_with_the_year_7000)
{
    cr_expect(calendar_is_counted(10101));
    cr_expect(calendar_is_counted(20250703));
    cr_expect(calendar_is_counted(70001231));
    cr_expect_not(calendar_is_counted(70010101));
    cr_expect_not(calendar_is_counted(99991231));
    cr_expect_not(calendar_is_counted(20250229));
    cr_expect_not(calendar_is_counted(0));
}

Test(calendar, a_month_has_its_first_and_last_date)
{
    cr_expect_eq(calendar_month_first(20240215), 20240201);
    cr_expect_eq(calendar_month_last(20240215), 20240229);
    cr_expect_eq(calendar_month_last(20250201), 20250228);
    cr_expect_eq(calendar_month_last(20251201), 20251231);
}

Test(calendar, a_millisecond_before_1970_belongs_to_the_day_before)
{
    cr_expect_eq(calendar_day_of_ms(0), 0);
    cr_expect_eq(calendar_day_of_ms(-1), -1);
    cr_expect_eq(calendar_day_of_ms(86399999), 0);
    cr_expect_eq(calendar_day_of_ms(86400000), 1);
    cr_expect_eq(calendar_day_of_ms(-86400000), -1);
}
