/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/figures_inside.h"
#include "flow/kindred.h"
#include "flow/mutant.h"
#include "trade/calendar.h"

enum { PANES_MOST = 31 }; /* looked up together: the days of a window, the months of a year, some hours */

/* Cells beside each other: months, days or hours. */
struct span {
    enum cell_kind kind;
    int32_t first;
    int32_t last;
};

static struct span span_of(const struct table_key *key, struct days days)
{
    if (!period_is_of_months(period_of(key)))
        return (struct span){CELL_DAY, days.from, days.to};
    return (struct span){CELL_MONTH, calendar_month_of_day(days.from), calendar_month_of_day(days.to)};
}

/* The time in the key of a pane: of a month, its first day. */
static int32_t pane_time(enum cell_kind kind, int32_t pane)
{
    return kind == CELL_MONTH ? calendar_month_day(pane) : pane;
}

static struct table_key pane_key(const struct table_key *key, enum cell_kind kind, int32_t pane)
{
    struct table_key out = *key;
    out.word[0] = cell_word0_of(cell_view(key), kind, pane_time(kind, pane), cell_commodity(key));
    return out;
}

/* The cells from `first` on of one flow, at most PANES_MOST; the items of the last pane are added to *out_last_items. */
static void add_some(const struct figures *figures, const struct table_key *key, const struct span *span, int32_t first,
                     struct measures *out, int64_t *out_last_items)
{
    struct table_key keys[PANES_MOST];
    uint64_t hashes[PANES_MOST];
    int32_t count = span->last - first < PANES_MOST ? span->last - first + 1 : PANES_MOST;
    for (int32_t i = 0; i < count; i++) {
        keys[i] = pane_key(key, span->kind, first + i);
        hashes[i] = table_hash(&keys[i]);
        cube_prefetch(figures->cube, hashes[i]);
    }
    for (int32_t i = 0; i < count; i++) {
        uint32_t cell = cube_find(figures->cube, &keys[i], hashes[i]);
        if (cell == TABLE_NONE)
            continue;
        const struct measures *measures = cube_measures(figures->cube, cell);
        measures_add(out, measures);
        *out_last_items += first + i == span->last ? measures->items : 0;
    }
}

static void add_panes(const struct figures *figures, const struct table_key *key, const struct span *span,
                      struct measures *out, int64_t *out_last_items)
{
    if (!cube_may_have(figures->cube, key, pane_time(span->kind, span->first), pane_time(span->kind, span->last)))
        return; /* mostly: the year before, and flows that nobody declares */
    for (int32_t first = span->first; first <= span->last; first += PANES_MOST)
        add_some(figures, key, span, first, out, out_last_items);
}

/* Over one flow, or over all that T is. */
static void add_parts(const struct figures *figures, const struct table_key *key, const struct span *span,
                      struct measures *out, int64_t *out_last_items)
{
    add_panes(figures, key, span, out, out_last_items); /* of T: the corrections */
    for (uint32_t flow = FLOW_M; flow < FLOW_T && cell_flow(key) == FLOW_T; flow++) {
        struct table_key part = period_with_flow(key, flow);
        add_panes(figures, &part, span, out, out_last_items);
    }
}

/* Adds what a key has in a span; of a group, what the countries have that are in it on the day `composed`. Returns the items of the last
 * pane. */
static int64_t add_span(const struct figures *figures, const struct table_key *key, int32_t composed,
                        const struct span *span, struct measures *out)
{
    int64_t last_items = 0;
    uint32_t place = 0;
    uint32_t country;
    if (!cell_is_of_group(key) || !figures_view(figures, key)->is_grouped) {
        add_parts(figures, key, span, out, &last_items);
        return last_items;
    }
    uint32_t group = cell_partner(key) - 1;
    if (MUTANT(GROUP_OF_FIRST_DAY))
        composed = pane_time(span->kind, span->first);
    while (membership_next(&figures->membership, group, composed, &place, &country)) {
        struct table_key part = period_with_partner(key, country);
        add_parts(figures, &part, span, out, &last_items);
    }
    out->declarations = 0; /* one may have items of several of these countries */
    return last_items;
}

/* The same of some days, or of the months that they are. */
static int64_t add_window(const struct figures *figures, const struct table_key *key, int32_t composed,
                          struct days days, struct measures *out)
{
    struct span span = span_of(key, days);
    return add_span(figures, key, composed, &span, out);
}

/* The days of a year before; those of HS 2017 beside days of HS 2022 under the codes that these goods had. False: they are not known. */
static bool add_base(struct figures *figures, const struct figure *figure, struct days before)
{
    const struct table_key *key = &figure->key;
    int32_t composed = figure->days.to;
    struct table_key sources[HS_SOURCES_MOST];
    uint32_t count;
    if (before.from >= KINDRED_FIRST_DAY || figure->days.to < KINDRED_FIRST_DAY) {
        add_window(figures, key, composed, before, &figures->base);
        return true;
    }
    if (!kindred_before(figures->reference, figures_view(figures, key), key, sources, &count))
        return false;
    bool stayed = count == 1 && cell_commodity(&sources[0]) == cell_commodity(key);
    if (figure->days.from < KINDRED_FIRST_DAY && !stayed) /* its own sum has older days of the same digits */
        return false;
    struct days older = {before.from, before.to < KINDRED_FIRST_DAY ? before.to : KINDRED_FIRST_DAY - 1};
    struct days newer = {KINDRED_FIRST_DAY, before.to};
    for (uint32_t i = 0; i < count; i++)
        add_window(figures, &sources[i], composed, older, &figures->base);
    if (newer.to >= newer.from)
        add_window(figures, key, composed, newer, &figures->base);
    return true;
}

static void get_base(struct figures *figures, struct figure *out)
{
    struct days before = period_year_before(out->days);
    figures->base = (struct measures){0};
    if (before.to < before.from || !add_base(figures, out, before))
        return;
    if (figures->base.items > 0)
        out->base = &figures->base;
}

/* A figure of a view by hour. */
static void get_hours(struct figures *figures, uint32_t number, struct figure *out)
{
    struct hours hours = figures_hours(figures, &out->key);
    if (period_of(&out->key) != PERIOD_7D) { /* that one is of days, as everywhere */
        out->hour_from_ms = hours_begin_ms(hours.from);
        out->hour_to_ms = hours_begin_ms(hours.to + 1);
    }
    figures->sums = (struct measures){0};
    out->sums = &figures->sums;
    if (figures_is_over(figures, number))
        return;
    struct span span = {CELL_HOUR, hours.from, hours.to};
    if (figures_is_derived(number))
        add_span(figures, &out->key, out->days.to, &span, &figures->sums);
    else
        out->sums = cube_measures(figures->cube, number);
}

bool figures_get(struct figures *figures, uint32_t number, struct figure *out)
{
    *out = (struct figure){.key = *figures_key(figures, number)};
    enum period period = period_of(&out->key);
    if (period_is_rolling(period) && figures->today == FIGURES_NO_DAY)
        return false;
    if (period == PERIOD_24H && figures->hour == FIGURES_NO_HOUR)
        return false;
    out->days = figures_days(figures, &out->key);
    if (figures_view(figures, &out->key)->grain == GRAIN_HOUR) {
        get_hours(figures, number, out);
        return true;
    }
    if (figures_is_derived(number)) {
        figures->sums = (struct measures){0};
        int64_t last_items = add_window(figures, &out->key, out->days.to, out->days, &figures->sums);
        if (period == PERIOD_YTD && last_items == 0)
            figures->sums = (struct measures){0};
        out->sums = &figures->sums;
    } else {
        out->sums = cube_measures(figures->cube, number);
    }
    if (out->sums->items > 0)
        get_base(figures, out);
    return true;
}
