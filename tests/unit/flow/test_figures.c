/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/figures.h"
#include "flow/statistic.h"
#include "trade/calendar.h"

#include "customs/v1/statistic.pb-c.h"
#include "trade/composition.h"
#include "unit/flow/journal_fixture.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

static struct view_plan plan;
static struct cube *cube;
static struct figures *figures;
static struct maker maker;
static struct reference *reference;
static struct statistic_writer *writer;
static uint32_t added;

/* What counts and publishes by the plan, and its end. */
static void open_plan(void)
{
    view_plan_finish(&plan);
    cube = cube_new(&plan, 1, 0);
    figures = figures_new(&plan, cube, NULL);
    maker_init(&maker, &plan, 0);
    writer = statistic_writer_new(&plan, reference, "CN", "CNY");
    added = 0;
}

static void close_plan(void)
{
    statistic_writer_free(writer);
    maker_fini(&maker);
    figures_free(figures);
    cube_free(cube);
    plan = (struct view_plan){0};
}

static void load_lists(const char *folder)
{
    struct err_info info = {{0}};
    reference_free(reference);
    reference = NULL;
    cr_assert_eq(reference_load(folder, NULL, &reference, &info), OK, "%s", info.text);
}

static void setup(void)
{
    struct err_info info = {{0}};
    load_lists(DRYPORT_SOURCE "/tests/unit/flow");
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("partner"), TEXT("partner,flow@month"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("flow"), TEXT("flow@day"), &info), OK);
    cr_assert_eq(
        view_plan_option(&plan, TEXT("flow"), TEXT("publish"), TEXT("day,month,quarter,year,ytd,7d,30d,12m"), &info),
        OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("partner"), TEXT("publish"), TEXT("quarter,ytd,12m"), &info), OK);
    for (uint32_t i = 0; i < plan.count; i++)
        plan.views[i].total = false; /* see begin_with_totals */
    open_plan();
}

static void teardown(void)
{
    close_plan();
    reference_free(reference);
}

TestSuite(figures, .init = setup, .fini = teardown);

static void count_on(uint32_t date, int64_t value, int sign)
{
    struct contribution_item item = item_of(10121, "KZ", value, value * 1000);
    struct contribution c = {.day = calendar_day(date), .item_count = 1, .items = &item};
    maker_add(&maker, &c, sign);
}

/* What was counted is folded, and what it falls into is there. */
static void fold(void)
{
    struct frame frame;
    struct err_info info = {{0}};
    cr_assert_eq(frame_parse(maker_data(&maker), &frame, &info), OK, "%s", info.text);
    cr_assert_eq(cube_fold(cube, 0, &frame, 1, &info), OK, "%s", info.text);
    for (; added < cube_count(cube); added++)
        figures_add(figures, added);
}

static const char *text_of_key(uint32_t number, char out[static 128])
{
    struct text key = statistic_key(writer, figures_key(figures, number), cube_codes(cube));
    snprintf(out, 128, "%.*s", TEXT_ARGS(key));
    return out;
}

static uint32_t find(const char *key)
{
    char text[128];
    for (uint32_t i = 0; i < cube_count(cube); i++) {
        if (!cell_is_correction(cube_key(cube, i)) && strcmp(text_of_key(i, text), key) == 0)
            return i;
    }
    for (uint32_t i = 0; i < figures_count(figures); i++) {
        if (strcmp(text_of_key(FIGURE_DERIVED | i, text), key) == 0)
            return FIGURE_DERIVED | i;
    }
    return TABLE_NONE;
}

static int64_t value_of(const char *key)
{
    struct figure figure;
    uint32_t number = find(key);
    cr_assert_neq(number, TABLE_NONE, "%s is not there", key);
    cr_assert(figures_get(figures, number, &figure), "%s", key);
    return (int64_t)figure.sums->value_minor;
}

/* INT64_MIN: it has none. */
static int64_t base_of(const char *key)
{
    struct figure figure;
    cr_assert(figures_get(figures, find(key), &figure), "%s", key);
    return figure.base ? (int64_t)figure.base->value_minor : INT64_MIN;
}

static void forget_marks(void)
{
    while (cube_dirty_count(cube))
        cube_dirty_take(cube);
    while (figures_marked(figures))
        figures_marked_take(figures);
}

/* Everything that a change makes different is marked, and what is marked of derived figures is exactly `keys`. */
static void expect_marks(const char *const *keys, uint32_t count)
{
    char text[128];
    for (; cube_dirty_count(cube); cube_dirty_take(cube))
        figures_touch(figures, cube_dirty_first(cube));
    uint32_t marked = figures_marked(figures);
    for (; figures_marked(figures); figures_marked_take(figures)) {
        const char *key = text_of_key(figures_marked_first(figures), text);
        bool is_expected = false;
        for (uint32_t i = 0; i < count; i++)
            is_expected = is_expected || strcmp(keys[i], key) == 0;
        cr_assert(is_expected, "%s is marked", key);
    }
    cr_assert_eq(marked, count);
}

Test(figures, sums_follow_from_the_cells_of_their_days)
{
    count_on(20240103, 1, 1);
    count_on(20240131, 2, 1);
    count_on(20240301, 4, 1);
    count_on(20240630, 8, 1);
    fold();
    figures_set_today(figures, calendar_day(20240302));

    cr_assert_eq(value_of("flow|QUARTER|20240101|20240331|flow=M"), 7);
    cr_assert_eq(value_of("flow|QUARTER|20240401|20240630|flow=M"), 8);
    cr_assert_eq(value_of("flow|YEAR|20240101|20241231|flow=M"), 15);
    cr_assert_eq(value_of("flow|YEAR_TO_DATE|20240101|20240131|flow=M"), 3);
    cr_assert_eq(value_of("flow|YEAR_TO_DATE|20240101|20240331|flow=M"), 7);
    cr_assert_eq(value_of("flow|YEAR_TO_DATE|20240101|20240630|flow=M"), 15);
    cr_assert_eq(value_of("partner|YEAR_TO_DATE|20240101|20240630|partner=KZ|flow=M"), 15);
    cr_assert_eq(value_of("flow|ROLLING|7D||flow=M"), 4);
    cr_assert_eq(value_of("flow|ROLLING|30D||flow=M"), 4);
    cr_assert_eq(value_of("flow|ROLLING|12M||flow=M"), 7);
    cr_assert_eq(find("flow|YEAR_TO_DATE|20240101|20240229|flow=M"), TABLE_NONE, "no month has a record there");
    cr_assert_eq(find("partner|YEAR|20240101|20241231|partner=KZ|flow=M"), TABLE_NONE, "that is not published");
}

Test(figures, a_year_to_date_is_zero_when_its_last_month_lost_all_items)
{
    count_on(20240103, 1, 1);
    count_on(20240203, 2, 1);
    fold();
    count_on(20240203, 2, -1);
    fold();

    cr_assert_eq(value_of("flow|YEAR_TO_DATE|20240101|20240131|flow=M"), 1);
    cr_assert_eq(value_of("flow|YEAR_TO_DATE|20240101|20240229|flow=M"), 0);
}

Test(figures, a_base_is_the_same_window_of_the_year_before_and_only_if_that_has_items)
{
    count_on(20240103, 1, 1);
    count_on(20240229, 2, 1);
    count_on(20250103, 10, 1);
    count_on(20250228, 20, 1);
    count_on(20250301, 40, 1);
    fold();
    figures_set_today(figures, calendar_day(20250302));

    cr_assert_eq(base_of("flow|DAY|20250103|20250103|flow=M"), 1);
    cr_assert_eq(base_of("flow|DAY|20250228|20250228|flow=M"), INT64_MIN);
    cr_assert_eq(base_of("flow|MONTH|20250201|20250228|flow=M"), 2, "a whole month has the whole month as its base");
    cr_assert_eq(base_of("flow|QUARTER|20250101|20250331|flow=M"), 3);
    cr_assert_eq(base_of("flow|YEAR_TO_DATE|20250101|20250131|flow=M"), 1);
    cr_assert_eq(base_of("flow|YEAR_TO_DATE|20250101|20250331|flow=M"), 3);
    cr_assert_eq(base_of("flow|ROLLING|7D||flow=M"), 2, "24 February to 2 March has the leap day");
    cr_assert_eq(base_of("flow|MONTH|20250301|20250331|flow=M"), INT64_MIN);
    cr_assert_eq(base_of("flow|YEAR|20240101|20241231|flow=M"), INT64_MIN);
}

Test(figures, a_change_marks_what_depends_on_it_and_no_more)
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

Test(figures, a_day_outside_a_rolling_window_does_not_mark_it)
{
    count_on(20240115, 1, 1);
    count_on(20240210, 1, 1);
    fold();
    figures_set_today(figures, calendar_day(20240212));
    forget_marks();
    count_on(20240115, 5, 1);
    fold();
    for (; cube_dirty_count(cube); cube_dirty_take(cube))
        figures_touch(figures, cube_dirty_first(cube));
    char text[128];
    for (; figures_marked(figures); figures_marked_take(figures)) {
        const char *key = text_of_key(figures_marked_first(figures), text);
        cr_assert(strncmp(key, "flow|ROLLING|7D|", 16) != 0, "%s", key);
    }
}

Test(figures, rolling_windows_wait_for_the_newest_day)
{
    count_on(20240115, 1, 1);
    fold();
    struct figure figure;
    uint32_t number = find("flow|ROLLING|7D||flow=M");
    cr_assert(!figures_get(figures, number, &figure));
    figures_set_today(figures, calendar_day(20240121));
    cr_assert(figures_get(figures, number, &figure));
    cr_assert_eq(calendar_date(figure.days.from), 20240115);
    cr_assert_eq(figure.sums->items, 1);
    figures_set_today(figures, calendar_day(20240122));
    cr_assert(figures_get(figures, number, &figure));
    cr_assert_eq(figure.sums->items, 0);
}

Test(figures, each_number_has_its_own_link_and_mark)
{
    count_on(20240115, 1, 1);
    fold();
    uint32_t year = find("flow|YEAR|20240101|20241231|flow=M");
    uint32_t month = find("flow|MONTH|20240101|20240131|flow=M");
    cr_assert_eq(figures_link(figures, year), CUBE_NO_LINK);
    figures_set_link(figures, year, 7);
    figures_set_link(figures, month, 8);
    cr_assert(figures_link(figures, year) == 7 && figures_link(figures, month) == 8);
    cr_assert_eq(calendar_date(figures_last_day(figures, year)), 20241231);

    forget_marks();
    figures_mark(figures, year);
    figures_mark(figures, month);
    figures_mark(figures, year);
    figures_mark(figures, find("partner|MONTH|20240101|20240131|partner=KZ|flow=M")); /* is not published */
    cr_assert_eq(figures_marked(figures), 2);
    figures_mark_all(figures);
    uint32_t published = 0;
    for (uint32_t i = 0; i < cube_count(cube); i++)
        published += figures_is_published(figures, i);
    cr_assert_eq(figures_marked(figures), published + figures_count(figures));
    cr_assert_gt(figures_bytes(figures), 0);
    cube_empty(cube);
    figures_empty(figures);
    cr_assert(figures_count(figures) == 0 && figures_marked(figures) == 0);
}

/* ---- hours ---- */

enum { NOON_HOUR = 12 };

static void count_in_hour(int32_t hour, int64_t value, int sign)
{
    struct contribution_item item = item_of(10121, "KZ", value, value * 1000);
    struct contribution c = {.day = calendar_day(20240101), .hour = hour, .item_count = 1, .items = &item};
    maker_add(&maker, &c, sign);
}

static void begin_with_hours(void)
{
    struct err_info info;
    close_plan();
    cr_assert_eq(view_plan_add(&plan, TEXT("hours"), TEXT("flow@hour"), &info), OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("hours"), TEXT("publish"), TEXT("hour,24h,7d"), &info), OK);
    open_plan();
}

Test(figures, windows_of_hours_are_sums_of_their_hours)
{
    begin_with_hours();
    int32_t noon = calendar_day(20240710) * 24 + NOON_HOUR;
    for (int32_t back = 0; back < 10 * 24; back++) /* ten days and nights */
        count_in_hour(noon - back, 1 + back % 7, 1);
    fold();
    figures_set_today(figures, calendar_day(20240710));
    for (int32_t newest = noon - 5; newest <= noon + 30; newest++) {
        figures_set_hours(figures, newest, INT32_MIN);
        int64_t sum = 0;
        for (int32_t hour = newest - 23; hour <= newest; hour++)
            sum += hour <= noon ? 1 + (noon - hour) % 7 : 0;
        cr_assert_eq(value_of("hours|ROLLING|24H||flow=M"), sum);
        cr_assert_eq(value_of("hours|ROLLING|24H||flow=T"), sum);
    }
    int64_t week = 0;
    for (int32_t back = 0; back < 6 * 24 + NOON_HOUR + 1; back++) /* from midnight of the fourth */
        week += 1 + back % 7;
    cr_assert_eq(value_of("hours|ROLLING|7D||flow=M"), week);
}

Test(figures, a_change_of_an_hour_marks_it_and_the_windows_that_hold_it)
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

Test(figures, an_hour_that_is_not_kept_is_told_as_if_nothing_had_come)
{
    begin_with_hours();
    int32_t noon = calendar_day(20240710) * 24 + NOON_HOUR;
    count_in_hour(noon, 5, 1);
    fold();
    uint32_t number = find("hours|HOUR|20240710T12Z|20240710T12Z|flow=M");
    figures_set_hours(figures, noon, noon);
    cr_assert_eq(value_of("hours|HOUR|20240710T12Z|20240710T12Z|flow=M"), 5);
    cr_assert(!figures_is_over(figures, number));
    figures_set_hours(figures, noon + 1, noon + 1);
    cr_assert_eq(value_of("hours|HOUR|20240710T12Z|20240710T12Z|flow=M"), 0);
    cr_assert_eq(value_of("hours|HOUR|20240710T12Z|20240710T12Z|flow=T"), 0);
    cr_assert(figures_is_over(figures, number));
}

/* ---- all flows together ---- */

static void count_flows(uint32_t date, int64_t m, int64_t rm, int sign)
{
    struct contribution_item items[] = {item_of(10121, "KZ", m, 1000), item_of(10121, "KZ", rm, 1000)};
    items[1].flow = FLOW_RM;
    struct contribution c = {.day = calendar_day(date), .item_count = 2, .items = items};
    maker_add(&maker, &c, sign);
}

static void begin_with_totals(void)
{
    for (uint32_t i = 0; i < plan.count; i++)
        plan.views[i].total = true;
    maker_fini(&maker);
    maker_init(&maker, &plan, 0);
}

Test(figures, all_flows_together_add_up_and_count_a_declaration_once)
{
    begin_with_totals();
    count_flows(20240203, 10, 5, 1);
    count_on(20240204, 100, 1);
    fold();
    figures_set_today(figures, calendar_day(20240204));

    static const char *const keys[] = {"flow|MONTH|20240201|20240229|flow=T", "flow|YEAR|20240101|20241231|flow=T",
                                       "flow|YEAR_TO_DATE|20240101|20240229|flow=T", "flow|ROLLING|7D||flow=T",
                                       "partner|QUARTER|20240101|20240331|partner=KZ|flow=T"};
    struct figure figure;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        cr_assert_eq(value_of(keys[i]), 115, "%s", keys[i]);
        cr_assert(figures_get(figures, find(keys[i]), &figure));
        cr_assert_eq(figure.sums->items, 3);
        cr_assert_eq(figure.sums->declarations, 2, "%s", keys[i]);
    }
    cr_assert_eq(value_of("flow|DAY|20240203|20240203|flow=T"), 15);
    cr_assert_eq(find("partner|MONTH|20240201|20240229|partner=KZ|flow=T"), TABLE_NONE,
                 "months are not published there");

    count_flows(20240203, 10, 5, -1);
    fold();
    cr_assert_eq(value_of(keys[0]), 100);
    cr_assert(figures_get(figures, find(keys[0]), &figure));
    cr_assert_eq(figure.sums->declarations, 1);
}

Test(figures, a_change_of_one_flow_marks_all_flows_together)
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

/* ---- country groups and trade classes ---- */

/* Another plan, of groups, with the list of the tests: Belarus joins SCO_MEMBER on 4 July 2024; Kazakhstan and Uzbekistan are CENTRAL_ASIA. */
static void begin_with_groups(void)
{
    struct err_info info = {{0}};
    close_plan();
    load_lists(DRYPORT_SOURCE "/tests/data/reference");
    cr_assert_eq(view_plan_add(&plan, TEXT("partner"), TEXT("partner,flow@month"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("bloc"), TEXT("flow,partner_group@day"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("class"), TEXT("trade_class,partner_group,flow@month"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("sales"), TEXT("trade_class,flow@month"), &info), OK);
    static const char all[] = "day,month,quarter,year,ytd,7d,30d,12m";
    cr_assert_eq(view_plan_option(&plan, TEXT("bloc"), TEXT("publish"), text_of(all), &info), OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("bloc"), TEXT("total"), TEXT("yes"), &info), OK);
    cr_assert_eq(view_plan_groups(&plan, reference, &info), OK, "%s", info.text);
    open_plan();
    figures_look_up(figures, reference, "CN");
}

static void count_of(const char *country, const char *trade_mode, uint32_t date, int64_t value, int sign)
{
    struct contribution_item item = item_of(10121, country, value, value * 1000);
    struct contribution c = {
        .day = calendar_day(date), .trade_mode = maker_code(&maker, trade_mode), .item_count = 1, .items = &item};
    maker_add(&maker, &c, sign);
}

Test(figures, a_group_has_in_both_years_whom_it_has_on_the_last_day)
{
    begin_with_groups();
    count_of("BY", "", 20230610, 1, 1);
    count_of("BY", "", 20230710, 2, 1);
    count_of("BY", "", 20240610, 4, 1);
    count_of("BY", "", 20240710, 8, 1);
    count_of("KZ", "", 20240710, 16, 1);
    fold();
    figures_set_today(figures, calendar_day(20240710));

    cr_assert_eq(value_of("bloc|MONTH|20240701|20240731|flow=M|partner_group=SCO_MEMBER"), 8);
    cr_assert_eq(base_of("bloc|MONTH|20240701|20240731|flow=M|partner_group=SCO_MEMBER"), 2);
    cr_assert_eq(value_of("bloc|MONTH|20230701|20230731|flow=M|partner_group=SCO_MEMBER"), 0, "it was no member then");
    cr_assert_eq(value_of("bloc|YEAR_TO_DATE|20240101|20240630|flow=M|partner_group=SCO_MEMBER"), 0);
    cr_assert_eq(value_of("bloc|YEAR_TO_DATE|20240101|20240731|flow=M|partner_group=SCO_MEMBER"), 12);
    cr_assert_eq(base_of("bloc|YEAR_TO_DATE|20240101|20240731|flow=M|partner_group=SCO_MEMBER"), 3);
    cr_assert_eq(value_of("bloc|QUARTER|20240401|20240630|flow=M|partner_group=SCO_MEMBER"), 0);
    cr_assert_eq(value_of("bloc|YEAR|20240101|20241231|flow=M|partner_group=SCO_MEMBER"), 12);
    cr_assert_eq(value_of("bloc|ROLLING|30D||flow=M|partner_group=SCO_MEMBER"), 8);
    cr_assert_eq(value_of("bloc|DAY|20240710|20240710|flow=T|partner_group=CENTRAL_ASIA"), 16);
    figures_set_today(figures, calendar_day(20240703));
    cr_assert_eq(value_of("bloc|ROLLING|30D||flow=M|partner_group=SCO_MEMBER"), 0);
}

Test(figures, a_group_row_has_no_declarations_and_no_partner)
{
    begin_with_groups();
    count_of("KZ", "9610", 20240710, 16, 1);
    count_of("UZ", "0110", 20240711, 5, 1);
    fold();
    uint32_t number = find("class|MONTH|20240701|20240731|trade_class=ECOMMERCE|partner_group=CENTRAL_ASIA|flow=M");
    struct figure figure;
    bool is_saturated = false;
    cr_assert(figures_get(figures, number, &figure));
    cr_assert_neq(statistic_set(writer, &figure, cube_codes(cube), &is_saturated), STATISTIC_ABSENT);
    struct statistic_stamp stamp = {.state = 1, .as_of = 7};
    struct bytes bytes = statistic_pack(writer, &stamp);
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, bytes.length, bytes.data);
    cr_assert_not_null(m);
    cr_expect_str_eq(m->partner_group, "CENTRAL_ASIA");
    cr_expect_str_eq(m->partner, "");
    cr_expect_str_eq(m->trade_mode, "ECOMMERCE");
    cr_expect_eq(m->value_minor, 16);
    cr_expect_eq(m->items, 1);
    cr_expect_eq(m->declarations, 0);
    cr_expect_eq(m->partner_basis, CUSTOMS__V1__PARTNER_BASIS__PARTNER_BASIS_ORIGIN);
    customs__v1__statistic__free_unpacked(m, NULL);
}

Test(figures, countries_of_a_view_of_groups_are_not_published)
{
    begin_with_groups();
    count_of("KZ", "", 20240710, 16, 1);
    fold();
    for (uint32_t cell = 0; cell < cube_count(cube); cell++) {
        const struct view *view = &plan.views[cell_view(cube_key(cube, cell))];
        cr_assert_eq(figures_is_published(figures, cell), !view->is_grouped && cell_is_month(cube_key(cube, cell)));
    }
    cr_assert_eq(find("bloc|DAY|20240710|20240710|flow=M|partner_group=SCO_MEMBER"), TABLE_NONE,
                 "KZ is not on this list");
}

Test(figures, classes_are_cells_whose_declarations_add_up)
{
    begin_with_groups();
    count_of("KZ", "9610", 20240710, 16, 1);
    count_of("DE", "1210", 20240711, 5, 1);
    count_of("DE", "0110", 20240712, 3, 1);
    count_of("DE", "", 20240712, 2, 1);
    fold();
    uint32_t cell = find("sales|MONTH|20240701|20240731|trade_class=ECOMMERCE|flow=M");
    cr_assert_eq(cube_measures(cube, cell)->declarations, 2);
    cr_assert_eq(value_of("sales|MONTH|20240701|20240731|trade_class=ECOMMERCE|flow=M"), 21);
    cr_assert_eq(value_of("sales|MONTH|20240701|20240731|trade_class=OTHER|flow=M"), 5);
}

Test(figures, a_change_of_a_country_marks_its_groups_and_their_bases)
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
    char text[128];
    uint32_t found = 0;
    for (; cube_dirty_count(cube); cube_dirty_take(cube))
        figures_touch(figures, cube_dirty_first(cube));
    for (; figures_marked(figures); figures_marked_take(figures)) {
        const char *key = text_of_key(figures_marked_first(figures), text);
        bool is_other = strstr(key, "flow=T") || strncmp(key, "partner|", 8) == 0 || strncmp(key, "sales|", 6) == 0;
        bool is_expected = false;
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
            is_expected = is_expected || strcmp(keys[i], key) == 0;
        cr_assert(is_expected || is_other, "%s is marked", key);
        found += is_expected;
    }
    cr_assert_eq(found, sizeof keys / sizeof keys[0]);
}

Test(figures, other_lists_make_other_groups_of_the_same_cells)
{
    begin_with_groups();
    count_of("BY", "", 20240610, 1, 1);
    count_of("AF", "", 20250910, 2, 1);
    fold();
    uint32_t before = figures_count(figures);
    uint32_t number = find("bloc|DAY|20250910|20250910|flow=M|partner_group=SCO_OBSERVER");
    cr_assert_eq(value_of("bloc|DAY|20250910|20250910|flow=M|partner_group=SCO_OBSERVER"), 0,
                 "it ended on 1 September");
    figures_look_up(figures, reference, "BY");
    cr_assert_eq(figures_count(figures), before, "numbers stay");
    cr_assert_eq(find("bloc|DAY|20250910|20250910|flow=M|partner_group=SCO_OBSERVER"), number);
    cr_assert_eq(value_of("bloc|YEAR|20240101|20241231|flow=M|partner_group=SCO_MEMBER"), 0,
                 "who reports is no partner");
    figures_look_up(figures, reference, "CN");
    cr_assert_eq(value_of("bloc|YEAR|20240101|20241231|flow=M|partner_group=SCO_MEMBER"), 1);
}

/* The property: on every date, a group's record is the sum of the records of its partners, and so is its base. */
Test(figures, a_group_is_the_sum_of_its_partners_at_every_date)
{
    static const char *const countries[] = {"KZ", "UZ", "BY", "AF", "DE", "CN"};
    static const uint32_t months[] = {20230601, 20230701, 20230801, 20240501, 20240601,
                                      20240701, 20240801, 20250801, 20250901, 20251001};
    begin_with_groups();
    struct composition composition;
    uint64_t random = 20;
    for (uint64_t i = 0; i < 600; i++) {
        random = hash_mix(random ^ HASH_P0, HASH_P1 + i);
        uint32_t date = months[random % 10] + (uint32_t)(random >> 8) % 28;
        count_of(countries[(random >> 16) % 6], "", date, 1 + (int64_t)(random >> 24 & 1023), 1);
    }
    fold();
    uint32_t compared = 0;
    uint32_t with_base = 0;
    for (uint32_t group = 0; group < plan.group_count; group++) {
        for (size_t m = 0; m < sizeof months / sizeof months[0]; m++) {
            char key[128];
            int64_t sum = 0;
            int64_t base = 0;
            uint32_t last = calendar_month_last(months[m]);
            composition = (struct composition){.count = 0};
            composition_add(&composition, reference, text_of(plan.groups[group]), last);
            composition_remove(&composition, TEXT("CN"));
            for (uint32_t c = 0; c < composition.count; c++) {
                snprintf(key, sizeof key, "partner|MONTH|%u|%u|partner=%s|flow=M", months[m], last,
                         composition.countries[c]);
                sum += find(key) == TABLE_NONE ? 0 : value_of(key);
                snprintf(key, sizeof key, "partner|MONTH|%u|%u|partner=%s|flow=M", months[m] - 10000, last - 10000,
                         composition.countries[c]);
                base += find(key) == TABLE_NONE ? 0 : value_of(key);
            }
            snprintf(key, sizeof key, "bloc|MONTH|%u|%u|flow=M|partner_group=%s", months[m], last, plan.groups[group]);
            cr_assert_eq(find(key) == TABLE_NONE ? 0 : value_of(key), sum, "%s", key);
            compared += sum != 0;
            if (sum == 0)
                continue;
            cr_assert_eq(base_of(key), base ? base : INT64_MIN, "%s", key);
            with_base += base != 0;
        }
    }
    cr_assert(compared > 15 && with_base > 5, "%u, %u", compared, with_base);
}

/* ---- codes of two editions ---- */

static void begin_with_editions(void)
{
    struct err_info info = {{0}};
    close_plan();
    load_lists(DRYPORT_SOURCE "/tests/data/editions");
    cr_assert_eq(view_plan_add(&plan, TEXT("goods"), TEXT("hs6@month"), &info), OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("goods"), TEXT("publish"), TEXT("month,ytd,12m"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("days"), TEXT("hs6@day"), &info), OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("days"), TEXT("publish"), TEXT("day,7d"), &info), OK);
    open_plan();
    figures_look_up(figures, reference, "CN");
}

static void count_code(uint32_t hs6, uint32_t date, int64_t value, int sign)
{
    struct contribution_item item = item_of(hs6, "KZ", value, value * 1000);
    struct contribution c = {.day = calendar_day(date), .item_count = 1, .items = &item};
    maker_add(&maker, &c, sign);
}

Test(figures, a_base_of_another_edition_is_of_the_goods_that_came_whole)
{
    static const uint32_t older[] = {10121, 30510, 30792, 20890, 850010, 850020};
    static const uint32_t newer[] = {10121, 30910, 30792, 20890, 850001, 30990};
    begin_with_editions();
    for (size_t i = 0; i < sizeof older / sizeof older[0]; i++) {
        count_code(older[i], 20211210, 1 << i, 1);
        count_code(newer[i], 20221210, 100, 1);
    }
    fold();

    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=010121"), 1);
    cr_assert_eq(base_of("goods|YEAR_TO_DATE|20220101|20221231|hs6=030910"), 2);
    cr_assert_eq(base_of("days|DAY|20221210|20221210|hs6=030910"), 2);
    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=850001"), 16 + 32);
    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=030792"), INT64_MIN);
    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=030990"), INT64_MIN);
    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=020890"), INT64_MIN);
}

Test(figures, digits_of_one_edition_are_compared_as_they_are)
{
    begin_with_editions();
    count_code(30792, 20201210, 1, 1);
    count_code(30792, 20211210, 2, 1);
    count_code(30792, 20221210, 4, 1);
    count_code(30792, 20231210, 8, 1);
    fold();

    cr_assert_eq(base_of("goods|MONTH|20211201|20211231|hs6=030792"), 1);
    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=030792"), INT64_MIN);
    cr_assert_eq(base_of("goods|MONTH|20231201|20231231|hs6=030792"), 4);
}

Test(figures, a_rolling_base_over_both_editions_has_each_half_under_its_codes)
{
    begin_with_editions();
    count_code(30510, 20211010, 1, 1);
    count_code(30910, 20220210, 2, 1);
    count_code(30910, 20221010, 4, 1);
    count_code(30910, 20230210, 8, 1);
    count_code(10121, 20201110, 16, 1);
    count_code(10121, 20220110, 32, 1);
    fold();
    figures_set_today(figures,
                      calendar_day(20230220)); /* March 2022 to February 2023 beside March 2021 to February 2022 */
    cr_assert_eq(value_of("goods|ROLLING|12M||hs6=030910"), 12);
    cr_assert_eq(base_of("goods|ROLLING|12M||hs6=030910"), 3);
    figures_set_today(figures, calendar_day(20220220)); /* its own days have goods of its number from both editions */
    cr_assert_eq(base_of("goods|ROLLING|12M||hs6=030910"), INT64_MIN);
    figures_set_today(figures, calendar_day(20220120));
    cr_assert_eq(base_of("goods|ROLLING|12M||hs6=010121"), 16, "it stayed");
}

Test(figures, a_change_under_the_older_code_marks_the_newer_one)
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
    char text[128];
    bool is_found[2] = {false, false};
    for (; cube_dirty_count(cube); cube_dirty_take(cube))
        figures_touch(figures, cube_dirty_first(cube));
    for (; figures_marked(figures); figures_marked_take(figures)) {
        const char *key = text_of_key(figures_marked_first(figures), text);
        cr_assert(strstr(key, "hs6=030910") || strstr(key, "2021") || strstr(key, "ROLLING"), "%s", key);
        is_found[0] |= strcmp(key, "goods|MONTH|20221201|20221231|hs6=030910") == 0;
        is_found[1] |= strcmp(key, "days|DAY|20221210|20221210|hs6=030910") == 0;
    }
    cr_assert(is_found[0] && is_found[1]);
}
