/* SPDX-License-Identifier: Apache-2.0
 * figures_fixture.h - for tests of figures: plans with their cube, what is counted and folded, and figures by their record keys.
 *
 * Memory:  one plan at a time, which teardown closes
 */
#pragma once

#include "flow/figures.h"
#include "flow/statistic.h"
#include "trade/calendar.h"

#include "unit/flow/journal_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { FIGURE_KEY_BYTES = 128 };

static struct view_plan plan;
static struct cube *cube;
static struct figures *figures;
static struct maker maker;
static struct reference *reference;
static struct statistic_writer *writer;
static uint32_t added;

/* ---- plans ---- */

/* What counts and publishes by the plan, and its end. */
static inline void open_plan(void)
{
    view_plan_finish(&plan);
    cube = cube_new(&plan, 1, 0);
    figures = figures_new(&plan, cube, NULL);
    maker_init(&maker, &plan, 0);
    writer = statistic_writer_new(&plan, reference, "CN", "CNY");
    added = 0;
}

static inline void close_plan(void)
{
    statistic_writer_free(writer);
    maker_fini(&maker);
    figures_free(figures);
    cube_free(cube);
    plan = (struct view_plan){0};
}

static inline void load_lists(const char *folder)
{
    struct err_info info = {{0}};
    reference_free(reference);
    reference = NULL;
    cr_assert_eq(reference_load(folder, NULL, &reference, &info), OK, "%s", info.text);
}

/* publish NULL: by its grain. */
static inline void add_view(const char *name, const char *definition, const char *publish)
{
    struct err_info info = {{0}};
    cr_assert_eq(view_plan_add(&plan, text_of(name), text_of(definition), &info), OK, "%s", info.text);
    if (publish)
        cr_assert_eq(view_plan_option(&plan, text_of(name), TEXT("publish"), text_of(publish), &info), OK, "%s",
                     info.text);
}

static inline void setup(void)
{
    load_lists(DRYPORT_SOURCE "/tests/unit/flow");
    plan = (struct view_plan){0};
    add_view("partner", "partner,flow@month", "quarter,ytd,12m");
    add_view("flow", "flow@day", "day,month,quarter,year,ytd,7d,30d,12m");
    for (uint32_t i = 0; i < plan.count; i++)
        plan.views[i].total = false; /* see begin_with_totals */
    open_plan();
}

static inline void teardown(void)
{
    close_plan();
    reference_free(reference);
}

static inline void begin_with_totals(void)
{
    for (uint32_t i = 0; i < plan.count; i++)
        plan.views[i].total = true;
    maker_fini(&maker);
    maker_init(&maker, &plan, 0);
}

static inline void begin_with_hours(void)
{
    close_plan();
    add_view("hours", "flow@hour", "hour,24h,7d");
    open_plan();
}

/* With the list of the tests: Belarus joins SCO_MEMBER on 4 July 2024; Kazakhstan and Uzbekistan are CENTRAL_ASIA. */
static inline void begin_with_groups(void)
{
    struct err_info info = {{0}};
    close_plan();
    load_lists(DRYPORT_SOURCE "/tests/data/reference");
    add_view("partner", "partner,flow@month", NULL);
    add_view("bloc", "flow,partner_group@day", "day,month,quarter,year,ytd,7d,30d,12m");
    add_view("class", "trade_class,partner_group,flow@month", NULL);
    add_view("sales", "trade_class,flow@month", NULL);
    cr_assert_eq(view_plan_option(&plan, TEXT("bloc"), TEXT("total"), TEXT("yes"), &info), OK);
    cr_assert_eq(view_plan_groups(&plan, reference, &info), OK, "%s", info.text);
    open_plan();
    figures_look_up(figures, reference, "CN");
}

/* With the codes of two editions. */
static inline void begin_with_editions(void)
{
    close_plan();
    load_lists(DRYPORT_SOURCE "/tests/data/editions");
    add_view("goods", "hs6@month", "month,ytd,12m");
    add_view("days", "hs6@day", "day,7d");
    open_plan();
    figures_look_up(figures, reference, "CN");
}

/* ---- what is counted ---- */

static inline void count_code(uint32_t hs6, uint32_t date, int64_t value, int sign)
{
    struct contribution_item item = item_of(hs6, "KZ", value, value * 1000);
    struct contribution c = {.day = calendar_day(date), .item_count = 1, .items = &item};
    maker_add(&maker, &c, sign);
}

static inline void count_on(uint32_t date, int64_t value, int sign)
{
    count_code(10121, date, value, sign);
}

static inline void count_in_hour(int32_t hour, int64_t value, int sign)
{
    struct contribution_item item = item_of(10121, "KZ", value, value * 1000);
    struct contribution c = {.day = calendar_day(20240101), .hour = hour, .item_count = 1, .items = &item};
    maker_add(&maker, &c, sign);
}

static inline void count_flows(uint32_t date, int64_t m, int64_t rm, int sign)
{
    struct contribution_item items[] = {item_of(10121, "KZ", m, 1000), item_of(10121, "KZ", rm, 1000)};
    items[1].flow = FLOW_RM;
    struct contribution c = {.day = calendar_day(date), .item_count = 2, .items = items};
    maker_add(&maker, &c, sign);
}

static inline void count_of(const char *country, const char *trade_mode, uint32_t date, int64_t value, int sign)
{
    struct contribution_item item = item_of(10121, country, value, value * 1000);
    struct contribution c = {
        .day = calendar_day(date), .trade_mode = maker_code(&maker, trade_mode), .item_count = 1, .items = &item};
    maker_add(&maker, &c, sign);
}

/* What was counted is folded, and what it falls into is there. */
static inline void fold(void)
{
    struct frame frame;
    struct err_info info = {{0}};
    cr_assert_eq(frame_parse(maker_data(&maker), &frame, &info), OK, "%s", info.text);
    cr_assert_eq(cube_fold(cube, 0, &frame, 1, &info), OK, "%s", info.text);
    for (; added < cube_count(cube); added++)
        figures_add(figures, added);
}

/* ---- figures by their keys ---- */

static inline const char *text_of_key(uint32_t number, char out[static FIGURE_KEY_BYTES])
{
    struct text key = statistic_key(writer, figures_key(figures, number), cube_codes(cube));
    snprintf(out, FIGURE_KEY_BYTES, "%.*s", TEXT_ARGS(key));
    return out;
}

static inline uint32_t find(const char *key)
{
    char text[FIGURE_KEY_BYTES];
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

static inline int64_t value_of(const char *key)
{
    struct figure figure;
    uint32_t number = find(key);
    cr_assert_neq(number, TABLE_NONE, "%s is not there", key);
    cr_assert(figures_get(figures, number, &figure), "%s", key);
    return (int64_t)figure.sums->value_minor;
}

/* INT64_MIN: it has none. */
static inline int64_t base_of(const char *key)
{
    struct figure figure;
    cr_assert(figures_get(figures, find(key), &figure), "%s", key);
    return figure.base ? (int64_t)figure.base->value_minor : INT64_MIN;
}

/* ---- marks ---- */

static inline void forget_marks(void)
{
    while (cube_dirty_count(cube))
        cube_dirty_take(cube);
    while (figures_marked(figures))
        figures_marked_take(figures);
}

/* Marks what depends on the cells that changed. */
static inline void touch_changes(void)
{
    for (; cube_dirty_count(cube); cube_dirty_take(cube))
        figures_touch(figures, cube_dirty_first(cube));
}

static inline bool is_among(const char *key, const char *const *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(keys[i], key) == 0)
            return true;
    }
    return false;
}

/* Everything that a change makes different is marked, and what is marked of derived figures is exactly `keys`. */
static inline void expect_marks(const char *const *keys, uint32_t count)
{
    char text[FIGURE_KEY_BYTES];
    touch_changes();
    uint32_t marked = figures_marked(figures);
    for (; figures_marked(figures); figures_marked_take(figures)) {
        const char *key = text_of_key(figures_marked_first(figures), text);
        cr_assert(is_among(key, keys, count), "%s is marked", key);
    }
    cr_assert_eq(marked, count);
}
