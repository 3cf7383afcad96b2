/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/figures_inside.h"
#include "flow/kindred.h"
#include "flow/mutant.h"
#include "trade/calendar.h"

static void mark_key(struct figures *figures, const struct table_key *key)
{
    uint32_t index = table_find(figures->table, key, table_hash(key));
    if (index != TABLE_NONE)
        figures_mark(figures, FIGURE_DERIVED | index);
}

static void mark_cell(struct figures *figures, const struct table_key *key)
{
    uint32_t cell = cube_find(figures->cube, key, table_hash(key));
    if (cell != TABLE_NONE)
        figures_mark(figures, cell);
}

/* The key of what has the goods of a cell as its year before, in days up to `to`. False: nothing has them whole. */
static bool later_key(const struct figures *figures, const struct table_key *cell, int32_t to, struct table_key *out)
{
    *out = *cell;
    if (cell_day(cell) >= KINDRED_FIRST_DAY || to < KINDRED_FIRST_DAY)
        return true;
    return kindred_after(figures->reference, figures_view(figures, cell), cell, out);
}

static void mark_rolling(struct figures *figures, const struct table_key *cell, enum period period)
{
    struct table_key key = period_key(cell, period, 0);
    if (figures->today == FIGURES_NO_DAY) /* all are marked when it is known */
        return;
    struct days days = period_days(&key, figures->today);
    if (days_have(days, cell_day(cell)))
        mark_key(figures, &key);
    struct table_key later;
    if (days_have(period_year_before(days), cell_day(cell)) && later_key(figures, cell, days.to, &later)) {
        key = period_key(&later, period, 0);
        mark_key(figures, &key);
    }
}

static void mark_month(struct figures *figures, const struct table_key *cell, int32_t month, bool is_cell)
{
    struct table_key key = period_key(cell, PERIOD_MONTH, month);
    if (is_cell)
        mark_cell(figures, &key);
    else
        mark_key(figures, &key);
}

/* What a month adds to: its quarter, its year, and the years to date from it on. */
static void mark_months(struct figures *figures, const struct table_key *cell, int32_t month)
{
    const struct view *view = figures_view(figures, cell);
    struct table_key key;
    int32_t december = period_first_month(PERIOD_YEAR, month) + FIGURES_YEAR_MONTHS - 1;
    int32_t last = december < figures->newest_month ? december : figures->newest_month;
    if (MUTANT(YEAR_TO_DATE_SHORT))
        last = month;
    for (enum period period = PERIOD_QUARTER; period <= PERIOD_YEAR; period++) {
        key = period_key(cell, period, period_first_month(period, month));
        if (view_publishes(view, period))
            mark_key(figures, &key);
    }
    for (int32_t end = month; end <= last && view_publishes(view, PERIOD_YTD); end++) {
        key = period_key(cell, PERIOD_YTD, end);
        mark_key(figures, &key);
    }
}

static void touch_month(struct figures *figures, const struct table_key *cell, bool is_cell)
{
    bool has_months = view_publishes(figures_view(figures, cell), PERIOD_MONTH);
    int32_t month = period_month(cell);
    if (has_months && !is_cell)
        mark_month(figures, cell, month, false);
    mark_months(figures, cell, month);
    if (view_publishes(figures_view(figures, cell), PERIOD_12M))
        mark_rolling(figures, cell, PERIOD_12M);
    if (month + FIGURES_YEAR_MONTHS >
            period_first_month(PERIOD_YEAR, figures->newest_month) + FIGURES_YEAR_MONTHS - 1 ||
        MUTANT(YEAR_LATER_FORGOTTEN))
        return;
    struct table_key later;
    if (!later_key(figures, cell, calendar_month_day(month + FIGURES_YEAR_MONTHS), &later))
        return;
    if (has_months)
        mark_month(figures, &later, month + FIGURES_YEAR_MONTHS, is_cell);
    mark_months(figures, &later, month + FIGURES_YEAR_MONTHS);
}

static void touch_day(struct figures *figures, const struct table_key *cell, bool is_cell)
{
    const struct view *view = figures_view(figures, cell);
    uint32_t date = calendar_date(cell_day(cell)) + 10000; /* a year later: it has this day as its base */
    struct table_key later = *cell;
    bool has_later = calendar_is_date(date) && period_month(cell) + FIGURES_YEAR_MONTHS <= figures->newest_month &&
                     later_key(figures, cell, calendar_day(date), &later);
    if (has_later)
        later = period_cell_key(&later, false, calendar_day(date));
    if (view_publishes(view, PERIOD_DAY) && is_cell && has_later)
        mark_cell(figures, &later);
    if (view_publishes(view, PERIOD_DAY) && !is_cell) {
        mark_key(figures, cell);
        if (has_later)
            mark_key(figures, &later);
    }
    if (view_publishes(view, PERIOD_7D))
        mark_rolling(figures, cell, PERIOD_7D);
    if (view_publishes(view, PERIOD_30D))
        mark_rolling(figures, cell, PERIOD_30D);
}

static void touch_window(struct figures *figures, const struct table_key *cell, enum period period)
{
    struct table_key key = period_key(cell, period, 0);
    if (figures->today == FIGURES_NO_DAY || figures->hour == FIGURES_NO_HOUR) /* all are marked when it is known */
        return;
    struct hours hours = figures_hours(figures, &key);
    if (cell_hour(cell) >= hours.from && cell_hour(cell) <= hours.to)
        mark_key(figures, &key);
}

/* Hours are kept for less than a year: none is a base. */
static void touch_hour(struct figures *figures, const struct table_key *cell, bool is_cell)
{
    const struct view *view = figures_view(figures, cell);
    if (view_publishes(view, PERIOD_HOUR) && !is_cell)
        mark_key(figures, cell);
    if (view_publishes(view, PERIOD_24H))
        touch_window(figures, cell, PERIOD_24H);
    if (view_publishes(view, PERIOD_7D))
        touch_window(figures, cell, PERIOD_7D);
}

static void touch(struct figures *figures, const struct table_key *key, bool is_cell)
{
    if (cell_is_hour(key))
        touch_hour(figures, key, is_cell);
    else if (cell_is_month(key))
        touch_month(figures, key, is_cell);
    else
        touch_day(figures, key, is_cell);
}

static void touch_flows(struct figures *figures, const struct view *view, const struct table_key *key, bool is_cell)
{
    if (!cell_is_correction(key))
        touch(figures, key, is_cell);
    if (!view->total)
        return;
    struct table_key total = period_with_flow(key, FLOW_T);
    touch(figures, &total, false);
}

void figures_touch(struct figures *figures, uint32_t cell)
{
    const struct table_key *key = cube_key(figures->cube, cell);
    const struct view *view = figures_view(figures, key);
    if (!view->is_grouped)
        touch_flows(figures, view, key, true);
    for (uint32_t groups = figures_groups(figures, view, key); groups && !MUTANT(GROUP_UNMARKED);) {
        struct table_key group = figures_take_group(key, &groups);
        touch_flows(figures, view, &group, false);
    }
}
