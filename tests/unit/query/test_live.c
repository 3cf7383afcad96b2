/* SPDX-License-Identifier: Apache-2.0 */
#include "query/live.h"

#include "flow/hours.h"
#include "flow/statistic.h"
#include "query/report_data.h"
#include "trade/calendar.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { CELLS = 384 }; /* each key once */

static struct view_plan plan;
static struct reference *reference;
static struct table_key keys[CELLS];
static struct measures measures[CELLS];
static struct extract extract;
static struct ask ask;
static struct buffer answer;
static struct err_info info;

/* Cells of two years in the default views, with masses that are no whole grams. */
static void setup(void)
{
    static const char *const partners[] = {"KZ", "KG", "DE", "ZZ"};
    uint32_t luck = 1;
    view_plan_default(&plan);
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/deploy/reference", NULL, &reference, &info), OK, "%s", info.text);
    extract = (struct extract){.keys = keys, .measures = measures, .count = CELLS};
    extract.stamp =
        (struct extract_stamp){.as_of = (3ULL << 40) + 7, .as_of_ms = 1753000000123, .watermark_ms = 1752999999000};
    extract.stamp.reference = reference;
    dictionary_init(&extract.codes);
    uint32_t view = (uint32_t)view_plan_find(&plan, TEXT("partner"));
    for (uint32_t i = 0; i < CELLS; i++) {
        luck = luck * 1664525 + 1013904223;
        const char *partner = partners[i % 4];
        uint32_t month = i / 16 % 24;
        uint32_t date = (2024 + month / 12) * 10000 + (month % 12 + 1) * 100 + 1;
        keys[i].word[0] = cell_word0(view, true, calendar_day(date), 0);
        keys[i].word[3] =
            cell_word3((uint32_t)partner[0] << 8 | (uint32_t)partner[1], 0, 0, 1 + i / 4 % 2, 1 + i / 8 % 2);
        measures[i] = (struct measures){
            .value_minor = luck % 1000000, .net_mass_mg = luck % 99999999, .items = 1 + luck % 7, .declarations = 1};
    }
    ask = (struct ask){.count = 0};
}

static void teardown(void)
{
    ask_fini(&ask);
    buffer_fini(&answer);
    dictionary_fini(&extract.codes);
    reference_free(reference);
}

TestSuite(live, .init = setup, .fini = teardown);

static enum err ask_for(const char *by, const char *where, const char *format)
{
    const struct live_options options = {&plan, "CN", "CNY", NULL};
    ask_add(&ask, "view", "partner");
    ask_add(&ask, "period", "2025-01..2025-06");
    ask_add(&ask, "limit", "100000");
    ask_add(&ask, "format", format);
    ask_add(&ask, "by", by);
    if (where)
        ask_add(&ask, "where", where);
    cr_assert_eq(ask_read(&ask, &plan, &info), OK, "%s", info.text);
    return live_answer(&options, &ask, &extract, &answer, &info);
}

/* What a report prints that has read the records of these cells from the topic. */
static char *report_of(const char *by, const char *where)
{
    char *text = NULL;
    size_t length;
    struct records *records = records_new("partner");
    struct statistic_writer *writer = statistic_writer_new(&plan, reference, "CN", "CNY");
    for (uint32_t i = 0; i < CELLS; i++) {
        bool saturated = false;
        struct figure figure = {.key = keys[i], .sums = &measures[i], .days = period_days(&keys[i], 0)};
        statistic_set(writer, &figure, &extract.codes, &saturated);
        struct bytes value = statistic_pack(writer, &(struct statistic_stamp){.state = 1, .as_of = i + 1});
        cr_assert(records_take(records, statistic_key(writer, &figure.key, &extract.codes), value, i + 1));
    }
    struct summary_request request = {.window = {20250101, 20250630}, .by = by, .where = where, .reference = reference};
    struct presentation presentation = {.currency = "CNY"};
    struct summary *summary = NULL;
    cr_assert_eq(summary_make(records, &request, &summary, &info), OK, "%s", info.text);
    FILE *stream = open_memstream(&text, &length);
    report_data_print_csv(summary, &presentation, stream);
    fclose(stream);
    summary_free(summary);
    statistic_writer_free(writer);
    records_free(records);
    return text;
}

static void expect_as_report(const char *by, const char *where)
{
    char *report = report_of(by, where);
    cr_assert_eq(ask_for(by, where, "csv"), OK, "%s", info.text);
    buffer_add_u8(&answer, 0);
    cr_assert_str_eq((const char *)answer.data, report);
    free(report);
}

Test(live, csv_is_that_of_a_report)
{
    expect_as_report("partner,flow", NULL);
}

Test(live, csv_is_that_of_a_report_with_conditions_and_times)
{
    expect_as_report("month,mode", "partner=KZ+KG,flow=M");
}

Test(live, json_says_of_which_moment_it_is_and_what_is_left_out)
{
    cr_assert_eq(ask_for("partner", NULL, "json"), OK, "%s", info.text);
    json_t *root = json_loadb((const char *)answer.data, answer.length, 0, NULL);
    cr_assert_not_null(root);

    cr_assert_str_eq(json_string_value(json_object_get(root, "as_of")), "3298534883335");
    cr_assert_str_eq(json_string_value(json_object_get(root, "as_of_ms")), "1753000000123");
    cr_assert_str_eq(json_string_value(json_object_get(root, "watermark_ms")), "1752999999000");
    cr_assert_eq(json_integer_value(json_object_get(root, "left_out")), 0);
    cr_assert_eq(json_array_size(json_object_get(root, "rows")), 4);
    cr_assert_str_eq(json_string_value(json_object_get(json_array_get(json_object_get(root, "rows"), 0), "currency")),
                     "CNY");
    json_decref(root);
}

Test(live, without_cells_there_are_no_rows)
{
    extract.count = 0;
    extract.stamp.watermark_ms = INT64_MIN;
    cr_assert_eq(ask_for("partner", NULL, "json"), OK, "%s", info.text);
    json_t *root = json_loadb((const char *)answer.data, answer.length, 0, NULL);

    cr_assert_eq(json_array_size(json_object_get(root, "rows")), 0);
    cr_assert(json_is_null(json_object_get(root, "watermark_ms")));
    json_decref(root);
}

Test(live, what_can_not_be_summed_is_an_error_with_the_mend)
{
    cr_assert_eq(ask_for("partner_group", NULL, "json"), ERR_CONFIG);
    ask_tell(&info);
    cr_assert_str_eq(info.text, "by partner_group needs where partner_group=A+B: groups overlap, so say which");
}

/* ---- a view by hour ---- */

/* A cell of each hour of three days in UTC around a date, with one item each; the copy has those that the question asks for. */
static void ask_hours(const char *name, uint32_t date, int64_t watermark_ms, const char *by, const char *format)
{
    struct zone *zone;
    cr_assert_eq(zone_new(name, &zone, &info), OK, "%s", info.text);
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("hours"), TEXT("flow@hour"), &info), OK, "%s", info.text);
    view_plan_finish(&plan);
    const struct live_options options = {&plan, "CN", "CNY", zone};
    char text[16];
    snprintf(text, sizeof text, "%" PRIu32, date);
    ask_fini(&ask);
    ask = (struct ask){.count = 0};
    ask_add(&ask, "view", "hours");
    ask_add(&ask, "period_from", text);
    ask_add(&ask, "period_to", text);
    ask_add(&ask, "by", by);
    ask_add(&ask, "format", format);
    cr_assert_eq(ask_read(&ask, &plan, &info), OK, "%s", info.text);
    struct extract_request wanted = ask_cells(&ask, zone);
    cr_assert_not(wanted.months);
    extract.count = 0;
    for (int32_t hour = (calendar_day(date) - 1) * 24; hour < (calendar_day(date) + 2) * 24; hour++) {
        if (!days_have(wanted.windows[0], hour) && !days_have(wanted.windows[1], hour))
            continue;
        keys[extract.count] = (struct table_key){{cell_word0_of(0, CELL_HOUR, hour, 0)}};
        keys[extract.count].word[3] = cell_word3(0, 0, 0, FLOW_M, 0);
        measures[extract.count++] =
            (struct measures){.value_minor = 100, .net_mass_mg = 1000, .items = 1, .declarations = 1};
    }
    extract.stamp.watermark_ms = watermark_ms;
    buffer_clear(&answer);
    cr_assert_eq(live_answer(&options, &ask, &extract, &answer, &info), OK, "%s", info.text);
    buffer_add_u8(&answer, 0);
    zone_free(zone);
}

/* Items of the only row. */
static int64_t items_of_day(const char *name, uint32_t date)
{
    ask_hours(name, date, hours_begin_ms((calendar_day(date) + 3) * 24), "", "json");
    json_t *root = json_loadb((const char *)answer.data, answer.length - 1, 0, NULL);
    cr_assert_not_null(root);
    json_t *row = json_array_get(json_object_get(root, "rows"), 0);
    const char *items = json_string_value(json_object_get(row, "items"));
    cr_assert_not_null(items, "%s", (const char *)answer.data);
    cr_assert(json_is_null(json_object_get(row, "base_value_minor")), "no hour is kept for a year");
    int64_t count;
    cr_assert(text_to_int64(text_of(items), &count));
    json_decref(root);
    return count;
}

Test(live, a_day_has_the_hours_that_begin_in_it)
{
    cr_assert_eq(items_of_day("Asia/Shanghai", 20250330), 24);
    cr_assert_eq(items_of_day("Europe/Berlin", 20250330), 23);
    cr_assert_eq(items_of_day("Europe/Berlin", 20251026), 25);
    cr_assert_eq(items_of_day("Asia/Kolkata", 20250901), 24, "from 18:30Z on: 19Z to 18Z");
}

/* By day: each of its hours tells the civil day of the reporter. The 45 days before the watermark's are kept. */
Test(live, hours_are_of_the_civil_day_that_they_begin_in_and_are_kept_for_45_days)
{
    ask_hours("Asia/Kolkata", 20250901, hours_begin_ms(calendar_day(20250901) * 24 + 44 * 24), "period", "csv");
    cr_assert(strstr((const char *)answer.data, "2025-09-01"), "%s", (const char *)answer.data);
    ask_hours("Asia/Kolkata", 20250901, hours_begin_ms(calendar_day(20250901) * 24 + 45 * 24), "period", "csv");
    cr_assert_null(strstr((const char *)answer.data, "2025-09-01"), "%s", (const char *)answer.data);
}

/* What a report has read of the topic, and what is asked of the cube. */
Test(live, csv_of_hours_is_that_of_a_report)
{
    static const struct {
        const char *zone;
        uint32_t date;
    } rows[] = {{"Europe/Berlin", 20250330}, {"Europe/Berlin", 20251026}, {"Asia/Kolkata", 20250901}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ask_hours(rows[i].zone, rows[i].date, hours_begin_ms((calendar_day(rows[i].date) + 3) * 24), "flow", "csv");
        struct zone *zone;
        cr_assert_eq(zone_new(rows[i].zone, &zone, &info), OK);
        struct records *records = records_new("hours");
        struct statistic_writer *writer = statistic_writer_new(&plan, reference, "CN", "CNY");
        for (int32_t hour = (calendar_day(rows[i].date) - 2) * 24; hour < (calendar_day(rows[i].date) + 3) * 24;
             hour++) {
            struct table_key key = {{cell_word0_of(0, CELL_HOUR, hour, 0), 0, 0, cell_word3(0, 0, 0, FLOW_M, 0)}};
            int32_t day = zone_day(zone, hours_begin_ms(hour));
            struct figure figure = {.key = key, .sums = &measures[0], .days = {day, day}};
            bool saturated = false;
            statistic_set(writer, &figure, &extract.codes, &saturated);
            struct bytes value = statistic_pack(writer, &(struct statistic_stamp){.state = 1, .as_of = 1});
            cr_assert(records_take(records, statistic_key(writer, &key, &extract.codes), value, 1));
        }
        struct summary_request request = {.window = {rows[i].date, rows[i].date}, .by = "flow", .reference = reference};
        struct presentation presentation = {.currency = "CNY"};
        struct summary *summary = NULL;
        char *text = NULL;
        size_t length;
        cr_assert_eq(summary_make(records, &request, &summary, &info), OK, "%s", info.text);
        FILE *stream = open_memstream(&text, &length);
        report_data_print_csv(summary, &presentation, stream);
        fclose(stream);
        cr_assert_str_eq((const char *)answer.data, text, "%s", rows[i].zone);
        free(text);
        summary_free(summary);
        statistic_writer_free(writer);
        records_free(records);
        zone_free(zone);
    }
}
