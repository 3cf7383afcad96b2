/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/audit_periods.h"
#include "trade/calendar.h"

#include "unit/flow/journal_fixture.h"

#include <criterion/criterion.h>
#include <inttypes.h>

static struct view_plan plan;
static struct reference *reference;
static struct statistic_writer *writer;
static struct cube *cube;
static struct figures *figures;
static struct audit_periods_found found;

static void add(struct maker *maker, uint32_t date, enum flow second, int64_t value)
{
    struct contribution_item items[] = {item_of(10121, "KZ", value, 1000), item_of(10121, "KZ", value, 1000),
                                        item_of(10121, "BY", value * 7, 1000)};
    items[1].flow = (uint8_t)second;
    struct contribution c = {.day = calendar_day(date), .item_count = 3, .items = items};
    maker_add(maker, &c, 1);
}

static void setup(void)
{
    struct err_info info = {{0}};
    struct maker maker;
    struct frame frame;
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/tests/data/reference", NULL, &reference, &info), OK, "%s", info.text);
    view_plan_default(&plan);
    cr_assert_eq(view_plan_add(&plan, TEXT("bloc"), TEXT("partner_group,flow@day"), &info), OK, "%s", info.text);
    cr_assert_eq(view_plan_add(&plan, TEXT("class"), TEXT("trade_class,partner_group,flow@month"), &info), OK);
    cr_assert_eq(view_plan_groups(&plan, reference, &info), OK, "%s", info.text);
    view_plan_finish(&plan);
    for (uint32_t i = 0; i < plan.count; i++) {
        plan.views[i].total = true;
        plan.views[i].publish |= 1u << PERIOD_QUARTER | 1u << PERIOD_YEAR | 1u << PERIOD_YTD | 1u << PERIOD_12M;
    }
    cube = cube_new(&plan, 1, 0);
    figures = figures_new(&plan, cube, NULL);
    figures_look_up(figures, reference, "CN");
    writer = statistic_writer_new(&plan, reference, "CN", "CNY");
    maker_init(&maker, &plan, 0);
    static const uint32_t dates[] = {20230228, 20240229, 20240301, 20241231, 20250101, 20250228, 20250301};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++)
        add(&maker, dates[i], i % 2 ? FLOW_RM : FLOW_M, (int64_t)(i + 1) * 100);
    cr_assert_eq(frame_parse(maker_data(&maker), &frame, &info), OK, "%s", info.text);
    cr_assert_eq(cube_fold(cube, 0, &frame, 1, &info), OK, "%s", info.text);
    for (uint32_t i = 0; i < cube_count(cube); i++)
        figures_add(figures, i);
    maker_fini(&maker);
}

static void teardown(void)
{
    statistic_writer_free(writer);
    figures_free(figures);
    cube_free(cube);
    reference_free(reference);
}

static void audit(const struct cube *of)
{
    const struct audit_periods_options options = {
        .plan = &plan, .reference = reference, .reporter = "CN", .cube = of, .figures = figures};
    audit_periods(&options, writer, &found);
}

TestSuite(audit_periods_count, .init = setup, .fini = teardown);

Test(audit_periods_count, periods_are_what_their_days_and_months_add_up_to)
{
    audit(cube);
    cr_assert_eq(found.differ, 0, "%s", found.text);
    cr_assert_gt(found.compared, 300);
}

/* The months of the group, which Belarus joined in July 2024: its members' alone before that. */
Test(audit_periods_count, groups_are_what_their_countries_add_up_to)
{
    uint32_t groups = 0;
    for (uint32_t i = 0; i < figures_count(figures); i++)
        groups += cell_is_of_group(figures_key(figures, FIGURE_DERIVED | i)) &&
                  plan.views[cell_view(figures_key(figures, FIGURE_DERIVED | i))].is_grouped;
    audit(cube);
    cr_assert_gt(groups, 100);
    cr_assert_eq(found.differ, 0, "%s", found.text);

    figures_look_up(figures, reference, "BY"); /* that SCO has others is found */
    audit(cube);
    cr_assert_gt(found.differ, 0);
    cr_assert(strstr(found.text, "partner_group="), "%s", found.text);
}

Test(audit_periods_count, what_no_day_explains_is_told)
{
    struct cube *empty = cube_new(&plan, 1, 0);
    audit(empty);
    cr_assert_gt(found.differ, 100);
    cr_assert(strstr(found.text, "add up to 0, 0, 0"), "%s", found.text);
    cube_free(empty);
}

/* Codes that stayed, moved, were joined and split between 2021 and 2022, in views of six digits and of two. */
static void begin_with_editions(void)
{
    static const uint32_t codes[] = {10121, 30510, 30910, 30792, 30990, 20890, 41010, 850010, 850020, 850001, 999998};
    struct err_info info = {{0}};
    struct maker maker;
    struct frame frame;
    teardown();
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/tests/data/editions", NULL, &reference, &info), OK, "%s", info.text);
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("six"), TEXT("hs6,flow@day"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("two"), TEXT("hs2,flow@month"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("eight"), TEXT("hs8@month"), &info), OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("six"), TEXT("publish"), TEXT("day,month,quarter,year,ytd"), &info), OK);
    view_plan_finish(&plan);
    cube = cube_new(&plan, 1, 0);
    figures = figures_new(&plan, cube, NULL);
    figures_look_up(figures, reference, "CN");
    writer = statistic_writer_new(&plan, reference, "CN", "CNY");
    maker_init(&maker, &plan, 0);
    for (uint32_t year = 2020; year <= 2023; year++) {
        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
            struct contribution_item item = item_of(codes[i], "KZ", (int64_t)(year * (i + 1)), 1000);
            struct contribution c = {.day = calendar_day(year * 10000 + 605), .item_count = 1, .items = &item};
            maker_add(&maker, &c, 1);
        }
    }
    cr_assert_eq(frame_parse(maker_data(&maker), &frame, &info), OK, "%s", info.text);
    cr_assert_eq(cube_fold(cube, 0, &frame, 1, &info), OK, "%s", info.text);
    for (uint32_t i = 0; i < cube_count(cube); i++)
        figures_add(figures, i);
    maker_fini(&maker);
}

Test(audit_periods_count, bases_of_another_edition_are_what_came_whole)
{
    begin_with_editions();
    audit(cube);
    cr_assert_eq(found.differ, 0, "%s", found.text);
    cr_assert_gt(found.compared, 150);

    figures_look_up(figures, NULL, "CN"); /* digits compared with digits are found */
    audit(cube);
    cr_assert_gt(found.differ, 0);
    cr_assert(strstr(found.text, "|2022"), "%s", found.text);
}

/* ---- hours ---- */

/* Three hours, the first two of which are in one day in Kolkata and not in UTC, of two flows and two countries. */
static void begin_with_hours(void)
{
    struct err_info info = {{0}};
    struct maker maker;
    struct frame frame;
    teardown();
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/tests/data/reference", NULL, &reference, &info), OK, "%s", info.text);
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("hours"), TEXT("flow@hour"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("blocs"), TEXT("partner_group,flow@hour"), &info), OK);
    cr_assert_eq(view_plan_groups(&plan, reference, &info), OK, "%s", info.text);
    view_plan_finish(&plan);
    cube = cube_new(&plan, 1, 0);
    figures = figures_new(&plan, cube, NULL);
    figures_look_up(figures, reference, "CN");
    writer = statistic_writer_new(&plan, reference, "CN", "CNY");
    maker_init(&maker, &plan, 0);
    for (int32_t hour = 480022; hour <= 480024; hour++) { /* 2024-10-04T22Z */
        struct contribution_item items[] = {item_of(10121, "KZ", hour - 480000, 1000),
                                            item_of(10121, "BY", hour - 480000, 1000)};
        items[1].flow = FLOW_RM;
        struct contribution c = {.day = 1, .hour = hour, .item_count = 2, .items = items};
        maker_add(&maker, &c, 1);
    }
    cr_assert_eq(frame_parse(maker_data(&maker), &frame, &info), OK, "%s", info.text);
    cr_assert_eq(cube_fold(cube, 0, &frame, 1, &info), OK, "%s", info.text);
    for (uint32_t i = 0; i < cube_count(cube); i++)
        figures_add(figures, i);
    maker_fini(&maker);
}

Test(audit_periods_count, hours_are_counted_again_as_far_as_they_are_kept)
{
    begin_with_hours();
    audit(cube);
    cr_assert_eq(found.differ, 0, "%s", found.text);
    uint64_t compared = found.compared;
    cr_assert_geq(compared, 3 * (3 + 4), "M, RM and T of each hour, and of the groups of the two countries");

    figures_set_hours(figures, 480024, 480023); /* what is not kept is zero in both counts */
    audit(cube);
    cr_assert_eq(found.differ, 0, "%s", found.text);
    cr_assert_eq(found.compared, compared);
}

Test(audit_periods_count, an_hour_that_no_cell_explains_is_told)
{
    begin_with_hours();
    struct cube *empty = cube_new(&plan, 1, 0);
    audit(empty);
    cr_assert_gt(found.differ, 0);
    cr_assert(strstr(found.text, "|HOUR|20241004T22Z|20241004T22Z|"), "%s", found.text);
    cube_free(empty);
}
