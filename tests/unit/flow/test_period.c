/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/period.h"
#include "trade/calendar.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const uint64_t commodity = 870301;

static struct table_key cell_of(uint32_t date, bool month)
{
    return (struct table_key){
        {cell_word0(9, month, calendar_day(date), commodity), 11, 12, cell_word3(13, 14, 15, FLOW_X, 30)}};
}

static int32_t month_of(uint32_t date)
{
    return calendar_month_of_day(calendar_day(date));
}

static void expect_days(struct table_key key, uint32_t today, uint32_t from, uint32_t to)
{
    struct days days = period_days(&key, calendar_day(today));
    cr_assert_eq(calendar_date(days.from), from, "from %u, not %u", calendar_date(days.from), from);
    cr_assert_eq(calendar_date(days.to), to, "to %u, not %u", calendar_date(days.to), to);
}

Test(period, each_key_names_its_days)
{
    struct table_key cell = cell_of(20240229, false);
    struct table_key month = cell_of(20240201, true);
    expect_days(cell, 20300101, 20240229, 20240229);
    expect_days(month, 20300101, 20240201, 20240229);
    expect_days(period_key(&month, PERIOD_MONTH, month_of(20231101)), 20300101, 20231101, 20231130);
    expect_days(period_key(&month, PERIOD_QUARTER, month_of(20240101)), 20300101, 20240101, 20240331);
    expect_days(period_key(&month, PERIOD_YEAR, month_of(20240101)), 20300101, 20240101, 20241231);
    expect_days(period_key(&month, PERIOD_YTD, month_of(20240201)), 20300101, 20240101, 20240229);
    expect_days(period_key(&month, PERIOD_YTD, month_of(19680301)), 20300101, 19680101, 19680331);
}

Test(period, quarters_and_years_begin_with_their_first_month_before_1970_too)
{
    cr_assert_eq(period_first_month(PERIOD_QUARTER, month_of(20240101)), month_of(20240101));
    cr_assert_eq(period_first_month(PERIOD_QUARTER, month_of(20240331)), month_of(20240101));
    cr_assert_eq(period_first_month(PERIOD_QUARTER, month_of(19691231)), month_of(19691001));
    cr_assert_eq(period_first_month(PERIOD_YEAR, month_of(20241231)), month_of(20240101));
    cr_assert_eq(period_first_month(PERIOD_YEAR, month_of(19691231)), month_of(19690101));
    cr_assert_eq(period_first_month(PERIOD_YTD, month_of(20240331)), month_of(20240301));
}

Test(period, rolling_windows_end_on_the_newest_day_and_twelve_months_are_whole)
{
    struct table_key cell = cell_of(20200105, false);
    expect_days(period_key(&cell, PERIOD_7D, 0), 20240302, 20240225, 20240302);
    expect_days(period_key(&cell, PERIOD_30D, 0), 20240302, 20240202, 20240302);
    expect_days(period_key(&cell, PERIOD_12M, 0), 20240302, 20230401, 20240331);
}

Test(period, a_key_in_another_period_keeps_view_dimensions_and_commodity)
{
    struct table_key cell = cell_of(20240229, true);
    for (enum period period = PERIOD_MONTH; period < PERIODS; period++) {
        struct table_key key = period_key(&cell, period, month_of(20240201));
        cr_assert_eq(period_of(&key), period, "%s", period_name(period));
        cr_assert_eq(cell_view(&key), 9);
        cr_assert_eq(cell_commodity(&key), commodity);
        cr_assert(key.word[1] == 11 && key.word[2] == 12 && key.word[3] == cell.word[3]);
    }
}

Test(period, no_two_periods_of_a_cell_share_a_key)
{
    struct table_key cells[] = {cell_of(20240115, false), cell_of(20240101, true)};
    struct table_key keys[2 * PERIODS];
    uint32_t count = 0;
    keys[count++] = cells[0];
    for (enum period period = PERIOD_MONTH; period < PERIODS; period++)
        keys[count++] = period_key(&cells[1], period, month_of(20240101));
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < i; j++)
            cr_assert(!table_key_equal(&keys[i], &keys[j]), "%u and %u", i, j);
    }
}

Test(period, another_flow_changes_nothing_else)
{
    struct table_key cell = cell_of(20240229, false);
    struct table_key all = period_with_flow(&cell, FLOW_T);
    cr_assert_eq(cell_flow(&all), FLOW_T);
    all = period_with_flow(&all, FLOW_X);
    cr_assert(table_key_equal(&all, &cell));
}

static void expect_before(uint32_t from, uint32_t to, uint32_t before_from, uint32_t before_to)
{
    struct days days = period_year_before((struct days){calendar_day(from), calendar_day(to)});
    cr_assert_eq(calendar_date(days.from), before_from);
    cr_assert_eq(calendar_date(days.to), before_to);
}

Test(period, the_year_before_has_the_same_calendar_days)
{
    expect_before(20250701, 20250731, 20240701, 20240731);
    expect_before(20250201, 20250228, 20240201, 20240229);
    expect_before(20240201, 20240229, 20230201, 20230228);
    expect_before(20250225, 20250303, 20240225, 20240303);
    struct days leap = period_year_before((struct days){calendar_day(20240229), calendar_day(20240229)});
    cr_assert_lt(leap.to, leap.from, "29 February alone has nothing a year before it");
}
