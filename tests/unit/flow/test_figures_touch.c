/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/flow/figures_fixture.h"

TestSuite(figures_touch, .init = setup, .fini = teardown);

enum { NOON_HOUR = 12 };

Test(figures_touch, a_change_marks_what_depends_on_it_and_no_more)
{
    static const uint32_t dates[] = {20230210, 20240115, 20240210, 20240211, 20240310, 20240701, 20250210, 20250310};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++)
        count_on(dates[i], 1, 1);
    fold();
    figures_set_today(figures, calendar_day(20240212));
    forget_marks();
    count_on(20240210, 5, 1);
    fold();
    static const char *const keys[] = {
        "flow|QUARTER|20240101|20240331|flow=M",
        "flow|YEAR|20240101|20241231|flow=M",
        "flow|YEAR_TO_DATE|20240101|20240229|flow=M",
        "flow|YEAR_TO_DATE|20240101|20240331|flow=M",
        "flow|YEAR_TO_DATE|20240101|20240731|flow=M",
        "flow|ROLLING|7D||flow=M",
        "flow|ROLLING|30D||flow=M",
        "flow|ROLLING|12M||flow=M",
        "flow|DAY|20250210|20250210|flow=M",
        "flow|MONTH|20250201|20250228|flow=M",
        "flow|QUARTER|20250101|20250331|flow=M",
        "flow|YEAR|20250101|20251231|flow=M",
        "flow|YEAR_TO_DATE|20250101|20250228|flow=M",
        "flow|YEAR_TO_DATE|20250101|20250331|flow=M",
        "partner|QUARTER|20240101|20240331|partner=KZ|flow=M",
        "partner|YEAR_TO_DATE|20240101|20240229|partner=KZ|flow=M",
        "partner|YEAR_TO_DATE|20240101|20240331|partner=KZ|flow=M",
        "partner|YEAR_TO_DATE|20240101|20240731|partner=KZ|flow=M",
        "partner|ROLLING|12M||partner=KZ|flow=M",
        "partner|QUARTER|20250101|20250331|partner=KZ|flow=M",
        "partner|YEAR_TO_DATE|20250101|20250228|partner=KZ|flow=M",
        "partner|YEAR_TO_DATE|20250101|20250331|partner=KZ|flow=M",
    };
    expect_marks(keys, sizeof keys / sizeof keys[0]);
}

Test(figures_touch, a_day_outside_a_rolling_window_does_not_mark_it)
{
    count_on(20240115, 1, 1);
    count_on(20240210, 1, 1);
    fold();
    figures_set_today(figures, calendar_day(20240212));
    forget_marks();
    count_on(20240115, 5, 1);
    fold();
    touch_changes();
    char text[FIGURE_KEY_BYTES];
    for (; figures_marked(figures); figures_marked_take(figures)) {
        const char *key = text_of_key(figures_marked_first(figures), text);
        cr_assert(strncmp(key, "flow|ROLLING|7D|", 16) != 0, "%s", key);
    }
}

Test(figures_touch, a_change_of_an_hour_marks_it_and_the_windows_that_hold_it)
{
    static const char *const inside[] = {"hours|HOUR|20240710T12Z|20240710T12Z|flow=T", "hours|ROLLING|24H||flow=M",
                                         "hours|ROLLING|24H||flow=T", "hours|ROLLING|7D||flow=M",
                                         "hours|ROLLING|7D||flow=T"};
    static const char *const yesterday[] = {"hours|HOUR|20240709T12Z|20240709T12Z|flow=T", "hours|ROLLING|7D||flow=M",
                                            "hours|ROLLING|7D||flow=T"};
    static const char *const before[] = {"hours|HOUR|20240703T12Z|20240703T12Z|flow=T"};
    begin_with_hours();
    int32_t noon = calendar_day(20240710) * 24 + NOON_HOUR;
    figures_set_today(figures, calendar_day(20240710));
    figures_set_hours(figures, noon, INT32_MIN);
    for (int32_t days = 0; days < 10; days++)
        count_in_hour(noon - days * 24, 5, 1);
    fold();
    forget_marks();
    count_in_hour(noon, 1, 1);
    fold();
    expect_marks(inside, 5);
    forget_marks();
    count_in_hour(noon - 24, 1, 1);
    fold();
    expect_marks(yesterday, 3);
    forget_marks();
    count_in_hour(noon - 7 * 24, 1, 1);
    fold();
    expect_marks(before, 1);
}

Test(figures_touch, a_change_of_one_flow_marks_all_flows_together)
{
    begin_with_totals();
    count_flows(20230203, 10, 5, 1);
    count_flows(20240203, 10, 5, 1);
    fold();
    figures_set_today(figures, calendar_day(20240204));
    forget_marks();
    count_on(20230203, 1, 1);
    fold();
    static const char *const keys[] = {
        "flow|DAY|20230203|20230203|flow=T",
        "flow|MONTH|20230201|20230228|flow=T",
        "flow|QUARTER|20230101|20230331|flow=M",
        "flow|QUARTER|20230101|20230331|flow=T",
        "flow|YEAR|20230101|20231231|flow=M",
        "flow|YEAR|20230101|20231231|flow=T",
        "flow|YEAR_TO_DATE|20230101|20230228|flow=M",
        "flow|YEAR_TO_DATE|20230101|20230228|flow=T",
        "flow|DAY|20240203|20240203|flow=M",
        "flow|DAY|20240203|20240203|flow=T",
        "flow|MONTH|20240201|20240229|flow=M",
        "flow|MONTH|20240201|20240229|flow=T",
        "flow|QUARTER|20240101|20240331|flow=M",
        "flow|QUARTER|20240101|20240331|flow=T",
        "flow|YEAR|20240101|20241231|flow=M",
        "flow|YEAR|20240101|20241231|flow=T",
        "flow|YEAR_TO_DATE|20240101|20240229|flow=M",
        "flow|YEAR_TO_DATE|20240101|20240229|flow=T",
        "flow|ROLLING|7D||flow=M",
        "flow|ROLLING|7D||flow=T",
        "flow|ROLLING|30D||flow=M",
        "flow|ROLLING|30D||flow=T",
        "flow|ROLLING|12M||flow=M",
        "flow|ROLLING|12M||flow=T",
        "partner|QUARTER|20230101|20230331|partner=KZ|flow=M",
        "partner|QUARTER|20230101|20230331|partner=KZ|flow=T",
        "partner|YEAR_TO_DATE|20230101|20230228|partner=KZ|flow=M",
        "partner|YEAR_TO_DATE|20230101|20230228|partner=KZ|flow=T",
        "partner|QUARTER|20240101|20240331|partner=KZ|flow=M",
        "partner|QUARTER|20240101|20240331|partner=KZ|flow=T",
        "partner|YEAR_TO_DATE|20240101|20240229|partner=KZ|flow=M",
        "partner|YEAR_TO_DATE|20240101|20240229|partner=KZ|flow=T",
        "partner|ROLLING|12M||partner=KZ|flow=M",
        "partner|ROLLING|12M||partner=KZ|flow=T",
    };
    expect_marks(keys, sizeof keys / sizeof keys[0]);
}

Test(figures_touch, a_change_of_a_country_marks_its_groups_and_their_bases)
{
    begin_with_groups();
    count_of("BY", "", 20240610, 1, 1);
    count_of("BY", "", 20250610, 1, 1);
    count_of("KZ", "", 20250610, 1, 1);
    fold();
    figures_set_today(figures, calendar_day(20250612));
    forget_marks();
    count_of("BY", "", 20240610, 5, 1);
    fold();
    static const char *const keys[] = {
        "bloc|DAY|20240610|20240610|flow=M|partner_group=SCO_MEMBER",
        "bloc|MONTH|20240601|20240630|flow=M|partner_group=SCO_MEMBER",
        "bloc|QUARTER|20240401|20240630|flow=M|partner_group=SCO_MEMBER",
        "bloc|YEAR|20240101|20241231|flow=M|partner_group=SCO_MEMBER",
        "bloc|YEAR_TO_DATE|20240101|20240630|flow=M|partner_group=SCO_MEMBER",
        "bloc|ROLLING|7D||flow=M|partner_group=SCO_MEMBER",
        "bloc|ROLLING|30D||flow=M|partner_group=SCO_MEMBER",
        "bloc|ROLLING|12M||flow=M|partner_group=SCO_MEMBER",
        "bloc|DAY|20250610|20250610|flow=M|partner_group=SCO_MEMBER",
        "bloc|MONTH|20250601|20250630|flow=M|partner_group=SCO_MEMBER",
        "bloc|QUARTER|20250401|20250630|flow=M|partner_group=SCO_MEMBER",
        "bloc|YEAR|20250101|20251231|flow=M|partner_group=SCO_MEMBER",
        "bloc|YEAR_TO_DATE|20250101|20250630|flow=M|partner_group=SCO_MEMBER",
        "class|MONTH|20240601|20240630|trade_class=OTHER|partner_group=SCO_MEMBER|flow=M",
        "class|MONTH|20250601|20250630|trade_class=OTHER|partner_group=SCO_MEMBER|flow=M",
    };
    char text[FIGURE_KEY_BYTES];
    uint32_t found = 0;
    touch_changes();
    for (; figures_marked(figures); figures_marked_take(figures)) {
        const char *key = text_of_key(figures_marked_first(figures), text);
        bool is_other = strstr(key, "flow=T") || strncmp(key, "partner|", 8) == 0 || strncmp(key, "sales|", 6) == 0;
        bool is_expected = is_among(key, keys, sizeof keys / sizeof keys[0]);
        cr_assert(is_expected || is_other, "%s is marked", key);
        found += is_expected;
    }
    cr_assert_eq(found, sizeof keys / sizeof keys[0]);
}

Test(figures_touch, a_change_under_the_older_code_marks_the_newer_one)
{
    begin_with_editions();
    count_code(30510, 20211210, 1, 1);
    count_code(30910, 20221210, 100, 1);
    count_code(30510, 20221210, 100, 1); /* whatever has that number now */
    fold();
    figures_set_today(figures, calendar_day(20221212));
    forget_marks();
    count_code(30510, 20211210, 5, 1);
    fold();
    char text[FIGURE_KEY_BYTES];
    bool is_found[2] = {false, false};
    touch_changes();
    for (; figures_marked(figures); figures_marked_take(figures)) {
        const char *key = text_of_key(figures_marked_first(figures), text);
        cr_assert(strstr(key, "hs6=030910") || strstr(key, "2021") || strstr(key, "ROLLING"), "%s", key);
        is_found[0] |= strcmp(key, "goods|MONTH|20221201|20221231|hs6=030910") == 0;
        is_found[1] |= strcmp(key, "days|DAY|20221210|20221210|hs6=030910") == 0;
    }
    cr_assert(is_found[0] && is_found[1]);
}
