/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/figures_inside.h"

#include "base/check.h"
#include "base/memory.h"
#include "flow/mutant.h"

enum { EXPECTED_FIGURES = 1 << 12, CHUNK_ENTRIES = 4096 };

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

static struct figures_entry *entry_at(const struct figures *figures, uint32_t number)
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
        figures->chunks[figures->chunk_count++] = memory_new(CHUNK_ENTRIES, sizeof(struct figures_entry));
    }
    entry_at(figures, index)->link = CUBE_NO_LINK;
}

uint32_t figures_count(const struct figures *figures)
{
    return table_count(figures->table);
}

const struct table_key *figures_key(const struct figures *figures, uint32_t number)
{
    return figures_is_derived(number) ? table_key(figures->table, number & ~FIGURE_DERIVED)
                                      : cube_key(figures->cube, number);
}

bool figures_is_published(const struct figures *figures, uint32_t number)
{
    return figures_is_derived(number) || cube_is_published(figures->cube, number);
}

struct hours figures_hours(const struct figures *figures, const struct table_key *key)
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

struct days figures_days(const struct figures *figures, const struct table_key *key)
{
    enum period period = period_of(key);
    if (period != PERIOD_HOUR && period != PERIOD_24H)
        return period_days(key, figures->today);
    struct hours hours = figures_hours(figures, key);
    return (struct days){hours_day(figures->zone, hours.from), hours_day(figures->zone, hours.to)};
}

int32_t figures_last_day(const struct figures *figures, uint32_t number)
{
    return figures_days(figures, figures_key(figures, number)).to;
}

uint32_t figures_link(const struct figures *figures, uint32_t number)
{
    return figures_is_derived(number) ? entry_at(figures, number)->link : cube_link(figures->cube, number);
}

void figures_set_link(struct figures *figures, uint32_t number, uint32_t link)
{
    if (figures_is_derived(number))
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

bool figures_is_over(const struct figures *figures, uint32_t number)
{
    const struct table_key *key = figures_key(figures, number);
    return cell_is_hour(key) && cell_hour(key) < figures->kept_from && !MUTANT(HOURS_STAY);
}

/* ---- marks ---- */

void figures_mark(struct figures *figures, uint32_t number)
{
    if (!figures_is_published(figures, number))
        return;
    bool was =
        figures_is_derived(number) ? entry_at(figures, number)->is_marked : cube_flag(figures->cube, number, true);
    if (was)
        return;
    if (figures_is_derived(number))
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
    if (figures_is_derived(number))
        entry_at(figures, number)->is_marked = false;
    else
        cube_flag(figures->cube, number, false);
    waiting_take(&figures->marked);
}

void figures_marked_sort(struct figures *figures)
{
    waiting_sort(&figures->marked);
}

/* ---- what a cell falls into ---- */

/* Of one flow, or of all together; the cell itself is no derived figure. */
static void add_periods(struct figures *figures, const struct view *view, const struct table_key *cell, bool is_cell)
{
    bool of_months = cell_is_month(cell);
    int32_t month = cell_is_hour(cell) ? 0 : period_month(cell); /* hours are parts of rolling windows alone */
    for (enum period period = PERIOD_HOUR; period < PERIODS; period++) {
        bool is_own = period == PERIOD_HOUR || period == PERIOD_DAY || period == PERIOD_MONTH;
        if (!view_publishes(view, period) || period_is_of_months(period) != of_months || (is_own && is_cell))
            continue;
        struct table_key key = period_key(cell, period, period_first_month(period, month));
        put(figures, &key);
    }
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
    const struct view *view = figures_view(figures, key);
    int32_t month = cell_is_hour(key) ? INT32_MIN : period_month(key);
    figures->newest_month = month > figures->newest_month ? month : figures->newest_month;
    if (cell_is_correction(key))
        return;
    if (!view->is_grouped)
        add_flows(figures, view, key, true);
    for (uint32_t groups = figures_groups(figures, view, key); groups;) {
        struct table_key group = figures_take_group(key, &groups);
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
        if (figures_view(figures, cube_key(figures->cube, cell))->is_grouped)
            add_cell(figures, cell);
    }
}

/* ---- leaving ---- */

/* New numbers by old ones. */
struct numbers {
    uint32_t *cells;
    uint32_t *derived;
};

static uint32_t renumber(void *context, uint32_t number)
{
    const struct numbers *numbers = context;
    return figures_is_derived(number) ? FIGURE_DERIVED | numbers->derived[number & ~FIGURE_DERIVED]
                                      : numbers->cells[number];
}

/* As cube_compact. */
static uint32_t *compact_derived(struct figures *figures, bool (*leave)(void *context, uint32_t number), void *context)
{
    uint32_t count = figures_count(figures);
    uint32_t *numbers = memory_new(count + 1, sizeof numbers[0]);
    struct table *table = table_new(EXPECTED_FIGURES);
    for (uint32_t i = 0; i < count; i++) {
        const struct figures_entry *entry = entry_at(figures, i);
        numbers[i] = TABLE_NONE;
        if (!entry->is_marked && leave(context, FIGURE_DERIVED | i))
            continue;
        bool added;
        const struct table_key *key = table_key(figures->table, i);
        numbers[i] = table_put(table, key, table_hash(key), &added);
        *entry_at(figures, numbers[i]) = *entry;
    }
    table_free(figures->table);
    figures->table = table;
    count = figures_count(figures);
    uint32_t chunks = (count + CHUNK_ENTRIES - 1) / CHUNK_ENTRIES;
    while (figures->chunk_count > chunks)
        memory_free(figures->chunks[--figures->chunk_count]);
    if (count % CHUNK_ENTRIES)
        memset(entry_at(figures, count), 0, (CHUNK_ENTRIES - count % CHUNK_ENTRIES) * sizeof(struct figures_entry));
    return numbers;
}

void figures_compact(struct figures *figures, bool (*leave)(void *context, uint32_t number), void *context)
{
    CHECK(figures->added == cube_count(figures->cube));
    struct numbers numbers = {
        .derived = compact_derived(figures, leave, context),
        .cells = cube_compact(figures->cube, leave, context),
    };
    waiting_renumber(&figures->marked, renumber, &numbers);
    figures->added = cube_count(figures->cube);
    memory_free(numbers.cells);
    memory_free(numbers.derived);
}

size_t figures_bytes(const struct figures *figures)
{
    return sizeof *figures + table_bytes(figures->table) +
           (size_t)figures->chunk_count * CHUNK_ENTRIES * sizeof(struct figures_entry);
}
