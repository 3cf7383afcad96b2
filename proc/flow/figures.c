/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/figures.h"

#include "base/check.h"
#include "base/memory.h"
#include "flow/kindred.h"
#include "flow/membership.h"
#include "flow/mutant.h"
#include "flow/waiting.h"
#include "trade/calendar.h"

enum {
    EXPECTED_FIGURES = 1 << 12,
    CHUNK_ENTRIES = 4096,
    PANES_MOST = 31, /* looked up together: the days of a window, the months of a year, some hours */
    YEAR_MONTHS = 12,
};

struct entry {
    uint32_t link;
    bool is_marked;
};

struct figures {
    const struct view_plan *plan;
    struct cube *cube;
    struct table *table;
    struct entry **chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    struct waiting marked;
    const struct zone *zone;
    int32_t today;
    int32_t hour;
    int32_t kept_from;    /* an hour */
    int32_t newest_month; /* that a cell has */
    uint32_t added;       /* cells that figures_add was called for */
    struct membership membership;
    const struct reference *reference; /* NULL: none */
    struct measures sums;              /* of figures_get */
    struct measures base;
};

struct figures *figures_new(const struct view_plan *plan, struct cube *cube, const struct zone *zone)
{
    struct figures *figures = memory_new(1, sizeof *figures);
    figures->plan = plan;
    figures->cube = cube;
    figures->table = table_new(EXPECTED_FIGURES);
    figures->zone = zone;
    figures->today = FIGURES_NO_DAY;
    figures->hour = FIGURES_NO_HOUR;
    figures->kept_from = INT32_MIN;
    figures->newest_month = INT32_MIN;
    return figures;
}

static void close_entries(struct figures *figures)
{
    for (uint32_t i = 0; i < figures->chunk_count; i++)
        memory_free(figures->chunks[i]);
    memory_free(figures->chunks);
    waiting_fini(&figures->marked);
    table_free(figures->table);
}

void figures_free(struct figures *figures)
{
    if (!figures)
        return;
    close_entries(figures);
    membership_fini(&figures->membership);
    memory_free(figures);
}

void figures_empty(struct figures *figures)
{
    close_entries(figures);
    figures->table = table_new(EXPECTED_FIGURES);
    figures->chunks = NULL;
    figures->chunk_count = 0;
    figures->chunk_capacity = 0;
    figures->newest_month = INT32_MIN;
    figures->added = 0;
}

/* ---- numbers ---- */

static bool is_derived(uint32_t number)
{
    return number & FIGURE_DERIVED;
}

static struct entry *entry_at(const struct figures *figures, uint32_t number)
{
    uint32_t index = number & ~FIGURE_DERIVED;
    return &figures->chunks[index / CHUNK_ENTRIES][index % CHUNK_ENTRIES];
}

static void put(struct figures *figures, const struct table_key *key)
{
    bool added;
    uint32_t index = table_put(figures->table, key, table_hash(key), &added);
    if (!added)
        return;
    if (index / CHUNK_ENTRIES == figures->chunk_count) {
        if (figures->chunk_count == figures->chunk_capacity) {
            figures->chunk_capacity = figures->chunk_capacity ? figures->chunk_capacity * 2 : 16;
            figures->chunks = memory_resize(figures->chunks, figures->chunk_capacity, sizeof figures->chunks[0]);
        }
        figures->chunks[figures->chunk_count++] = memory_new(CHUNK_ENTRIES, sizeof(struct entry));
    }
    entry_at(figures, index)->link = CUBE_NO_LINK;
}

uint32_t figures_count(const struct figures *figures)
{
    return table_count(figures->table);
}

const struct table_key *figures_key(const struct figures *figures, uint32_t number)
{
    return is_derived(number) ? table_key(figures->table, number & ~FIGURE_DERIVED) : cube_key(figures->cube, number);
}

bool figures_is_published(const struct figures *figures, uint32_t number)
{
    return is_derived(number) || cube_is_published(figures->cube, number);
}

static const struct view *view_of(const struct figures *figures, const struct table_key *key)
{
    return &figures->plan->views[cell_view(key)];
}

static bool is_by_hour(const struct figures *figures, const struct table_key *key)
{
    return view_of(figures, key)->grain == GRAIN_HOUR;
}

/* Of a figure of a view by hour: itself, the last 24, or those of the last seven days. */
static struct hours hours_of(const struct figures *figures, const struct table_key *key)
{
    switch (period_of(key)) {
    case PERIOD_HOUR:
        return (struct hours){cell_hour(key), cell_hour(key)};
    case PERIOD_24H:
        return (struct hours){figures->hour - HOURS_ROLLING + 1, figures->hour};
    default:
        return hours_of_days(figures->zone, period_days(key, figures->today));
    }
}

static struct days days_of(const struct figures *figures, const struct table_key *key)
{
    enum period period = period_of(key);
    if (period != PERIOD_HOUR && period != PERIOD_24H)
        return period_days(key, figures->today);
    struct hours hours = hours_of(figures, key);
    return (struct days){hours_day(figures->zone, hours.from), hours_day(figures->zone, hours.to)};
}

int32_t figures_last_day(const struct figures *figures, uint32_t number)
{
    return days_of(figures, figures_key(figures, number)).to;
}

uint32_t figures_link(const struct figures *figures, uint32_t number)
{
    return is_derived(number) ? entry_at(figures, number)->link : cube_link(figures->cube, number);
}

void figures_set_link(struct figures *figures, uint32_t number, uint32_t link)
{
    if (is_derived(number))
        entry_at(figures, number)->link = link;
    else
        cube_set_link(figures->cube, number, link);
}

void figures_set_today(struct figures *figures, int32_t day)
{
    figures->today = day;
}

int32_t figures_today(const struct figures *figures)
{
    return figures->today;
}

void figures_set_hours(struct figures *figures, int32_t newest, int32_t kept_from)
{
    figures->hour = newest;
    figures->kept_from = kept_from;
}

int32_t figures_hour(const struct figures *figures)
{
    return figures->hour;
}

int32_t figures_kept_from(const struct figures *figures)
{
    return figures->kept_from;
}

/* ---- marks ---- */

void figures_mark(struct figures *figures, uint32_t number)
{
    if (!figures_is_published(figures, number))
        return;
    bool was = is_derived(number) ? entry_at(figures, number)->is_marked : cube_flag(figures->cube, number, true);
    if (was)
        return;
    if (is_derived(number))
        entry_at(figures, number)->is_marked = true;
    waiting_add(&figures->marked, number);
}

void figures_mark_all(struct figures *figures)
{
    for (uint32_t cell = 0; cell < cube_count(figures->cube); cell++)
        figures_mark(figures, cell);
    for (uint32_t i = 0; i < figures_count(figures); i++)
        figures_mark(figures, FIGURE_DERIVED | i);
}

uint32_t figures_marked(const struct figures *figures)
{
    return figures->marked.count;
}

uint32_t figures_marked_first(const struct figures *figures)
{
    return waiting_first(&figures->marked);
}

void figures_marked_take(struct figures *figures)
{
    uint32_t number = waiting_first(&figures->marked);
    if (is_derived(number))
        entry_at(figures, number)->is_marked = false;
    else
        cube_flag(figures->cube, number, false);
    waiting_take(&figures->marked);
}

/* ---- what a cell falls into ---- */

/* The month, or the first month of the quarter or year, that a cell of this month is a part of. */
static int32_t first_month(enum period period, int32_t month)
{
    int32_t length = period == PERIOD_QUARTER ? 3 : period == PERIOD_YEAR ? YEAR_MONTHS : 1;
    int32_t over = month % length;
    return month - (over < 0 ? over + length : over);
}

/* Of one flow, or of all together; the cell itself is no derived figure. */
static void add_periods(struct figures *figures, const struct view *view, const struct table_key *cell, bool is_cell)
{
    bool of_months = cell_is_month(cell);
    int32_t month = cell_is_hour(cell) ? 0 : period_month(cell); /* hours are parts of rolling windows alone */
    for (enum period period = PERIOD_HOUR; period < PERIODS; period++) {
        bool is_own = period == PERIOD_HOUR || period == PERIOD_DAY || period == PERIOD_MONTH;
        if (!view_publishes(view, period) || period_is_of_months(period) != of_months || (is_own && is_cell))
            continue;
        struct table_key key = period_key(cell, period, first_month(period, month));
        put(figures, &key);
    }
}

/* The groups of a view that the country of a cell is in, a bit each: on some day, so that keys do not depend on when they are looked at. A
 * figure to which nothing adds is zero, and equals an absent one. */
static uint32_t groups_of(const struct figures *figures, const struct view *view, const struct table_key *cell)
{
    return view->groups & membership_ever(&figures->membership, cell_partner(cell));
}

/* The key of the n-th group, which is taken off the set. */
static struct table_key take_group(const struct table_key *cell, uint32_t *groups)
{
    uint32_t group = (uint32_t)__builtin_ctz(*groups);
    *groups &= *groups - 1;
    return period_with_partner(cell, group + 1);
}

static void add_flows(struct figures *figures, const struct view *view, const struct table_key *key, bool is_cell)
{
    add_periods(figures, view, key, is_cell);
    if (!view->total)
        return;
    struct table_key total = period_with_flow(key, FLOW_T);
    add_periods(figures, view, &total, false);
}

static void add_cell(struct figures *figures, uint32_t cell)
{
    const struct table_key *key = cube_key(figures->cube, cell);
    const struct view *view = view_of(figures, key);
    int32_t month = cell_is_hour(key) ? INT32_MIN : period_month(key);
    figures->newest_month = month > figures->newest_month ? month : figures->newest_month;
    if (cell_is_correction(key))
        return;
    if (!view->is_grouped)
        add_flows(figures, view, key, true);
    for (uint32_t groups = groups_of(figures, view, key); groups;) {
        struct table_key group = take_group(key, &groups);
        add_flows(figures, view, &group, false);
    }
}

void figures_add(struct figures *figures, uint32_t cell)
{
    add_cell(figures, cell);
    figures->added = cell + 1 > figures->added ? cell + 1 : figures->added;
}

void figures_look_up(struct figures *figures, const struct reference *reference, const char *reporter)
{
    membership_fini(&figures->membership);
    membership_init(&figures->membership, figures->plan, reference, reporter);
    figures->reference = reference;
    for (uint32_t cell = 0; cell < figures->added; cell++) {
        if (view_of(figures, cube_key(figures->cube, cell))->is_grouped)
            add_cell(figures, cell);
    }
}

/* ---- what depends on a cell ---- */

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
    return kindred_after(figures->reference, view_of(figures, cell), cell, out);
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
    const struct view *view = view_of(figures, cell);
    struct table_key key;
    int32_t december = first_month(PERIOD_YEAR, month) + YEAR_MONTHS - 1;
    int32_t last = december < figures->newest_month ? december : figures->newest_month;
    if (MUTANT(YEAR_TO_DATE_SHORT))
        last = month;
    for (enum period period = PERIOD_QUARTER; period <= PERIOD_YEAR; period++) {
        key = period_key(cell, period, first_month(period, month));
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
    bool has_months = view_publishes(view_of(figures, cell), PERIOD_MONTH);
    int32_t month = period_month(cell);
    if (has_months && !is_cell)
        mark_month(figures, cell, month, false);
    mark_months(figures, cell, month);
    if (view_publishes(view_of(figures, cell), PERIOD_12M))
        mark_rolling(figures, cell, PERIOD_12M);
    if (month + YEAR_MONTHS > first_month(PERIOD_YEAR, figures->newest_month) + YEAR_MONTHS - 1 ||
        MUTANT(YEAR_LATER_FORGOTTEN))
        return;
    struct table_key later;
    if (!later_key(figures, cell, calendar_month_day(month + YEAR_MONTHS), &later))
        return;
    if (has_months)
        mark_month(figures, &later, month + YEAR_MONTHS, is_cell);
    mark_months(figures, &later, month + YEAR_MONTHS);
}

static void touch_day(struct figures *figures, const struct table_key *cell, bool is_cell)
{
    const struct view *view = view_of(figures, cell);
    uint32_t date = calendar_date(cell_day(cell)) + 10000; /* a year later: it has this day as its base */
    struct table_key later = *cell;
    bool has_later = calendar_is_date(date) && period_month(cell) + YEAR_MONTHS <= figures->newest_month &&
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
    struct hours hours = hours_of(figures, &key);
    if (cell_hour(cell) >= hours.from && cell_hour(cell) <= hours.to)
        mark_key(figures, &key);
}

/* Hours are kept for less than a year: none is a base. */
static void touch_hour(struct figures *figures, const struct table_key *cell, bool is_cell)
{
    const struct view *view = view_of(figures, cell);
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
    const struct view *view = view_of(figures, key);
    if (!view->is_grouped)
        touch_flows(figures, view, key, true);
    for (uint32_t groups = groups_of(figures, view, key); groups;) {
        struct table_key group = take_group(key, &groups);
        touch_flows(figures, view, &group, false);
    }
}

/* ---- sums ---- */

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
    if (!cell_is_of_group(key) || !view_of(figures, key)->is_grouped) {
        add_parts(figures, key, span, out, &last_items);
        return last_items;
    }
    uint32_t group = cell_partner(key) - 1;
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
    if (!kindred_before(figures->reference, view_of(figures, key), key, sources, &count))
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

bool figures_is_over(const struct figures *figures, uint32_t number)
{
    const struct table_key *key = figures_key(figures, number);
    return cell_is_hour(key) && cell_hour(key) < figures->kept_from;
}

/* A figure of a view by hour. */
static void get_hours(struct figures *figures, uint32_t number, struct figure *out)
{
    struct hours hours = hours_of(figures, &out->key);
    if (period_of(&out->key) != PERIOD_7D) { /* that one is of days, as everywhere */
        out->hour_from_ms = hours_begin_ms(hours.from);
        out->hour_to_ms = hours_begin_ms(hours.to + 1);
    }
    figures->sums = (struct measures){0};
    out->sums = &figures->sums;
    if (figures_is_over(figures, number))
        return;
    struct span span = {CELL_HOUR, hours.from, hours.to};
    if (is_derived(number))
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
    out->days = days_of(figures, &out->key);
    if (is_by_hour(figures, &out->key)) {
        get_hours(figures, number, out);
        return true;
    }
    if (is_derived(number)) {
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

size_t figures_bytes(const struct figures *figures)
{
    return sizeof *figures + table_bytes(figures->table) +
           (size_t)figures->chunk_count * CHUNK_ENTRIES * sizeof(struct entry);
}
