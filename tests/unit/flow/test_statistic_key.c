/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/statistic_key.h"
#include "unit/flow/statistic_fixture.h"

static struct statistic_keys keys;

static void setup(void)
{
    open_plan();
    statistic_keys_init(&keys, &plan);
}

TestSuite(statistic_key, .init = setup, .fini = close_plan);

static void expect_key(const struct table_key *key, const char *expected)
{
    struct text text = statistic_keys_make(&keys, key, &codes);
    cr_assert(text_is(text, expected), "%.*s is not %s", TEXT_ARGS(text), expected);
}

Test(statistic_key, key_of_a_month_as_in_the_contract)
{
    struct table_key key = key_of("partner", true, 20250701, 0);
    key.word[3] = cell_word3((uint32_t)country("KZ"), 0, 0, FLOW_M, 2);
    expect_key(&key, "partner|MONTH|20250701|20250731|partner=KZ|flow=M|mode=2");
}

Test(statistic_key, key_of_a_day_and_of_a_leap_february)
{
    struct table_key key = key_of("flow", false, 20240229, 0);
    key.word[3] = cell_word3(0, 0, 0, FLOW_RX, 0);
    expect_key(&key, "flow|DAY|20240229|20240229|flow=RX");
    key = key_of("flow", true, 20240201, 0);
    key.word[3] = cell_word3(0, 0, 0, FLOW_X, 0);
    expect_key(&key, "flow|MONTH|20240201|20240229|flow=X");
}

Test(statistic_key, absent_codes_are_empty_and_dimensions_stand_in_the_views_order)
{
    struct table_key key = key_of("office", false, 20250703, 0);
    key.word[1] = code("5301") << 32;
    key.word[3] = cell_word3(0, 0, 0, FLOW_M, 0);
    expect_key(&key, "office|DAY|20250703|20250703|office=5301|border_office=|zone=|flow=M|mode=0");
}

Test(statistic_key, bytes_that_would_break_a_key_are_percent_encoded)
{
    struct table_key key = key_of("trade_mode", false, 20250703, 0);
    key.word[1] = code("a|b=c%d") << 32;
    key.word[2] = code(" \x1F\x7F~") << 32 | code("\xC3\xA9!");
    key.word[3] = cell_word3(0, 0, 0, FLOW_M, 0);
    expect_key(&key, "trade_mode|DAY|20250703|20250703|office=a%7Cb%3Dc%25d|zone=%20%1F%7F~|trade_mode=%C3%A9!|flow=M");
    key = key_of("p=1", true, 20250701, 0);
    key.word[3] = cell_word3((uint32_t)country("DE"), 0, 0, 0, 0);
    expect_key(&key, "p%3D1|MONTH|20250701|20250731|partner=DE");
}

Test(statistic_key, commodity_keeps_its_zeros_and_a_missing_one_is_empty)
{
    struct table_key key = key_of("heading", true, 20250701, 101 + 1);
    key.word[3] = cell_word3(0, 0, 0, FLOW_M, 0);
    expect_key(&key, "heading|MONTH|20250701|20250731|hs4=0101|flow=M");
    key.word[0] = cell_word0(view_of("heading"), true, calendar_day(20250701), CELL_NO_HS);
    expect_key(&key, "heading|MONTH|20250701|20250731|hs4=|flow=M");
    key.word[0] = cell_word0(view_of("heading"), true, calendar_day(20250701), 0 + 1);
    expect_key(&key, "heading|MONTH|20250701|20250731|hs4=0000|flow=M");
}

Test(statistic_key, keys_of_derived_periods_are_as_the_contract_has_them)
{
    struct table_key cell = key_of("flow", true, 20250801, 0);
    cell.word[3] = cell_word3(0, 0, 0, FLOW_T, 0);
    const struct {
        enum period period;
        int32_t month;
        const char *key;
    } rows[] = {
        {PERIOD_QUARTER, calendar_month_of_day(calendar_day(20250701)), "flow|QUARTER|20250701|20250930|flow=T"},
        {PERIOD_YEAR, calendar_month_of_day(calendar_day(20250101)), "flow|YEAR|20250101|20251231|flow=T"},
        {PERIOD_YTD, calendar_month_of_day(calendar_day(20250801)), "flow|YEAR_TO_DATE|20250101|20250831|flow=T"},
        {PERIOD_7D, 0, "flow|ROLLING|7D||flow=T"},
        {PERIOD_30D, 0, "flow|ROLLING|30D||flow=T"},
        {PERIOD_12M, 0, "flow|ROLLING|12M||flow=T"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct table_key key = period_key(&cell, rows[i].period, rows[i].month);
        expect_key(&key, rows[i].key);
    }
    expect_key(&cell, "flow|MONTH|20250801|20250831|flow=T");
}

Test(statistic_key, an_hour_is_named_in_utc_and_told_in_ms)
{
    struct table_key key = key_of("flow", false, 20250801, 0);
    int32_t hour = calendar_day(20250801) * 24 + 5;
    key.word[0] = cell_word0_of(cell_view(&key), CELL_HOUR, hour, 0);
    key.word[3] = cell_word3(0, 0, 0, FLOW_M, 0);
    expect_key(&key, "flow|HOUR|20250801T05Z|20250801T05Z|flow=M");
    struct table_key window = period_key(&key, PERIOD_24H, 0);
    expect_key(&window, "flow|ROLLING|24H||flow=M");

    int32_t read;
    int32_t day;
    cr_assert(statistic_key_hour(TEXT("flow|HOUR|20250801T05Z|20250801T05Z|flow=M"), &read));
    cr_assert_eq(read, hour);
    cr_assert(statistic_key_day(TEXT("flow|HOUR|20250801T05Z|20250801T05Z|flow=M"), NULL, &day));
    cr_assert_eq(day, calendar_day(20250801));
    cr_assert_not(statistic_key_hour(TEXT("flow|DAY|20250801|20250801|flow=M"), &read));
}

Test(statistic_key, a_key_that_names_no_day_has_none)
{
    static const char *const wrong[] = {
        "",
        "flow",
        "flow|DAY|20250801",
        "flow|DAY|20250801|2025080",
        "flow|DAY|20250801|20250832|flow=M",
        "flow|DAY|20250801|-2025080|flow=M",
        "flow|ROLLING|7D||flow=M",
    };
    int32_t day = 77;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_not(statistic_key_day(text_of(wrong[i]), NULL, &day), "\"%s\"", wrong[i]);
        cr_expect_eq(day, 77, "\"%s\": untouched", wrong[i]);
    }
    cr_assert(statistic_key_day(TEXT("flow|MONTH|20250801|20250831|flow=M"), NULL, &day));
    cr_assert_eq(day, calendar_day(20250831));
}
