/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/figures.h"
#include "flow/statistic.h"
#include "trade/calendar.h"

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

static void setup(void)
{
    struct err_info info = {{0}};
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/tests/unit/flow", NULL, &reference, &info), OK, "%s", info.text);
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("partner"), TEXT("partner,flow@month"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("flow"), TEXT("flow@day"), &info), OK);
    cr_assert_eq(
        view_plan_option(&plan, TEXT("flow"), TEXT("publish"), TEXT("day,month,quarter,year,ytd,7d,30d,12m"), &info),
        OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("partner"), TEXT("publish"), TEXT("quarter,ytd,12m"), &info), OK);
    view_plan_finish(&plan);
    cube = cube_new(&plan, 1, 0);
    figures = figures_new(&plan, cube);
    maker_init(&maker, &plan, 0);
    writer = statistic_writer_new(&plan, reference, "CN", "CNY");
    added = 0;
}

static void teardown(void)
{
    statistic_writer_free(writer);
    maker_fini(&maker);
    figures_free(figures);
    cube_free(cube);
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
