/* SPDX-License-Identifier: Apache-2.0 */
#include "query/ask.h"

#include "trade/calendar.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct view_plan plan;
static struct ask ask;
static struct err_info info;

static void setup(void)
{
    ask = (struct ask){.count = 0};
    view_plan_default(&plan);
}

static void teardown(void)
{
    ask_fini(&ask);
}

TestSuite(ask, .init = setup, .fini = teardown);

/* "view=flow&period=2025" */
static enum err read_url(const char *query)
{
    char text[512];
    cr_assert_lt(strlen(query), sizeof text);
    snprintf(text, sizeof text, "%s", query);
    char *rest = text;
    for (char *part = strtok_r(rest, "&", &rest); part; part = strtok_r(NULL, "&", &rest)) {
        char *value = strchr(part, '=');
        if (value)
            *value++ = '\0';
        ask_add(&ask, part, value ? value : "");
    }
    return ask_read(&ask, &plan, &info);
}

static void expect_error(const char *query, const char *text)
{
    teardown();
    setup();
    cr_assert_eq(read_url(query), ERR_CONFIG, "%s", query);
    ask_tell(&info);
    cr_assert(strstr(info.text, text), "%s: %s", query, info.text);
}

Test(ask, a_question_of_a_view_and_a_period)
{
    cr_assert_eq(read_url("view=partner&period_from=20250101&period_to=20250731"), OK, "%s", info.text);

    cr_assert_str_eq(ask.view->name, "partner");
    cr_assert_eq(ask.request.window.from, 20250101);
    cr_assert_eq(ask.request.window.to, 20250731);
    cr_assert_null(ask.request.where);
    cr_assert_null(ask.request.by);
    cr_assert_eq(ask.request.top, ASK_LIMIT);
    cr_assert_not(ask.is_csv);
}

Test(ask, dimensions_and_their_fields_are_conditions_beside_where)
{
    cr_assert_eq(read_url("view=partner&period=2025&where=mode=2 3&flow=M,X&partner=KZ"), OK, "%s", info.text);
    cr_assert_str_eq(ask.request.where, "mode=2+3,flow=M+X,partner=KZ");
    teardown();
    setup();
    cr_assert_eq(read_url("view=office&period=2025&office_code=9402&transport_mode=2&zone_code="), OK, "%s", info.text);
    cr_assert_str_eq(ask.request.where, "office=9402,mode=2,zone=");
    teardown();
    setup();
    cr_assert_eq(read_url("view=commodity&period=2025&commodity_code=010121&hs2=01-24&partner_group=SCO_MEMBER"), OK);
    cr_assert_str_eq(ask.request.where, "hs6=010121,hs2=01-24,partner_group=SCO_MEMBER");
}

Test(ask, cells_of_the_window_and_of_the_year_before)
{
    cr_assert_eq(read_url("view=flow&period=2025-02&format=csv&limit=5"), OK, "%s", info.text);
    struct extract_request cells = ask_cells(&ask, NULL);

    cr_assert_not(cells.months);
    cr_assert_eq(cells.windows[0].from, calendar_day(20250201));
    cr_assert_eq(cells.windows[0].to, calendar_day(20250228));
    cr_assert_eq(cells.windows[1].from, calendar_day(20240201));
    cr_assert_eq(cells.windows[1].to, calendar_day(20240229), "a month stays a month");
    cr_assert(ask.is_csv);
    cr_assert_eq(ask.request.top, 5);
    teardown();
    setup();
    cr_assert_eq(read_url("view=partner&period=2025"), OK);
    cr_assert(ask_cells(&ask, NULL).months);
}

Test(ask, an_error_names_the_parameter_and_the_mend)
{
    expect_error("period=2025", "view is missing: there are flow, office,");
    expect_error("view=flaw&period=2025", "view=flaw: there are flow, office,");
    expect_error("view=flow", "period is missing: period_from=20250101&period_to=20250731, or period=2025-01..2025-07");
    expect_error("view=flow&period_from=2025", "period_to is missing");
    expect_error("view=flow&period=2025-13", "period=2025-13: write a year");
    expect_error("view=flow&period_from=2025-02-30&period_to=2025", "period_from=2025-02-30: write");
    expect_error("view=flow&period_from=20250701&period_to=20250630",
                 "period_to=20250630 is before period_from=20250701");
    expect_error("view=flow&period=2025&period_to=2025", "period and period_to say the same; give one of them");
    expect_error("view=flow&period=2025&limit=0", "limit=0: a number of rows, 1 to 100000, is wanted");
    expect_error("view=flow&period=2025&limit=many", "limit=many:");
    expect_error("view=flow&period=2025&format=xml", "format=xml: there are json and csv");
    expect_error("view=flow&period=2025&composition=2025", "composition=2025: write a day");
    expect_error("view=flow&period=2025&zone=A", "zone is no parameter: there are view, period,");
    expect_error("view=flow&period=2025&month=2025-01", "month is no parameter");
    expect_error("view=flow&period=2025&flow=M&flow=X", "flow is given twice");
}

Test(ask, too_many_parameters_are_no_question)
{
    char name[16];
    for (int i = 0; i <= ASK_PARAMETERS_MOST; i++) {
        snprintf(name, sizeof name, "p%d", i);
        ask_add(&ask, name, "");
    }
    cr_assert_eq(ask_read(&ask, &plan, &info), ERR_CONFIG);
    cr_assert_str_eq(info.text, "more than 48 parameters");
}

/* ---- views of country groups ---- */

static void begin_with_groups(void)
{
    struct reference *reference;
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/deploy/reference", NULL, &reference, &info), OK, "%s", info.text);
    cr_assert_eq(view_plan_add(&plan, TEXT("bloc"), TEXT("partner_group,trade_class,flow@month"), &info), OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("bloc"), TEXT("groups"), TEXT("SCO_MEMBER,EAEU"), &info), OK);
    cr_assert_eq(view_plan_groups(&plan, reference, &info), OK, "%s", info.text);
    reference_free(reference);
}

Test(ask, a_view_of_groups_tells_its_groups_unless_others_are_named)
{
    begin_with_groups();
    cr_assert_eq(read_url("view=bloc&period=2025-07&flow=M"), OK, "%s", info.text);
    cr_assert_str_eq((const char *)ask.key.data, "bloc||||partner=|trade_class=|flow=");
    cr_assert_str_eq(ask.request.by, "partner_group,trade_class,flow");
    cr_assert_str_eq(ask.request.where, "flow=M,partner_group=SCO_MEMBER+EAEU");

    teardown();
    ask = (struct ask){.count = 0};
    cr_assert_eq(read_url("view=bloc&period=2025-07&partner_group=CENTRAL_ASIA&by=flow"), OK, "%s", info.text);
    cr_assert_str_eq(ask.request.where, "partner_group=CENTRAL_ASIA");
    cr_assert_str_eq(ask.request.by, "flow");

    teardown();
    ask = (struct ask){.count = 0};
    cr_assert_eq(read_url("view=bloc&period=2025-07&partner=KZ"), OK, "%s", info.text);
    cr_assert_str_eq(ask.request.where, "partner=KZ");
}

/* ---- views by hour ---- */

static void expect_hours(const char *name, const char *query, uint32_t from_date, int32_t from, uint32_t to_date,
                         int32_t to)
{
    struct zone *zone;
    teardown();
    setup();
    cr_assert_eq(zone_new(name, &zone, &info), OK, "%s", info.text);
    cr_assert_eq(view_plan_add(&plan, TEXT("hours"), TEXT("flow@hour"), &info), OK, "%s", info.text);
    cr_assert_eq(read_url(query), OK, "%s", info.text);
    struct extract_request cells = ask_cells(&ask, zone);
    cr_assert_not(cells.months);
    cr_assert_eq(cells.windows[0].from, calendar_day(from_date) * 24 + from, "%s: from %d", name,
                 cells.windows[0].from);
    cr_assert_eq(cells.windows[0].to, calendar_day(to_date) * 24 + to, "%s: to %d", name, cells.windows[0].to);
    cr_assert_lt(cells.windows[1].to, cells.windows[1].from, "no hour is kept for a year");
    zone_free(zone);
}

Test(ask, hours_of_a_view_by_hour_are_those_that_begin_in_the_days)
{
    expect_hours("Asia/Shanghai", "view=hours&period_from=20250330&period_to=20250330", 20250329, 16, 20250330, 15);
    expect_hours("Europe/Berlin", "view=hours&period_from=20250330&period_to=20250330", 20250329, 23, 20250330, 21);
    expect_hours("Europe/Berlin", "view=hours&period_from=20251026&period_to=20251026", 20251025, 22, 20251026, 22);
    expect_hours("Asia/Kolkata", "view=hours&period=2025-09", 20250831, 19, 20250930, 18);
}
