/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cube.h"

#include "base/check.h"
#include "base/memory.h"
#include "flow/cube_source.h"
#include "flow/period.h"
#include "flow/waiting.h"
#include "trade/calendar.h"
#include "trade/trade_class.h"

#include <inttypes.h>

enum {
    EXPECTED_CELLS = 1 << 12,
    CHUNK_CELLS = 1024,
    BATCH_DELTAS = 32,
    BATCH_UPDATES = BATCH_DELTAS * 4,
    UPDATES_A_DELTA = 2 * VIEWS_MOST + 2,
};

struct cell {
    struct measures measures;
    uint32_t link;
    bool dirty;
    bool published;
    bool is_marked; /* when it changes: it is published, or something derives from it that is */
    bool is_flagged;
};

/* Where a leaf cell goes beside itself. */
struct target {
    uint32_t view;
    bool month;
};

struct leaf {
    struct target targets[2 * VIEWS_MOST];
    uint32_t count;
};

/* A delta on its way to one cell. Updates go through the cube in batches, so that their cache misses overlap. */
struct update {
    struct table_key key;
    uint64_t hash;
    uint32_t delta;
    uint32_t cell;
};

struct cube {
    const struct view_plan *plan;
    struct leaf leaves[VIEWS_MOST];
    struct cube_source *sources;
    int32_t partitions;
    struct dictionary codes;
    struct table *table;
    struct cell **chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    uint32_t view_cells[VIEWS_MOST];
    struct days cell_days[VIEWS_MOST][FLOWS_MOST]; /* the first and the last that any cell has */
    struct waiting dirty;                          /* changed cells */
    int32_t hours_from;                            /* of hours before that nothing is added */
    int64_t declarations;
    /* the last day whose month was looked up */
    int32_t day;
    int32_t month;
    /* scratch of cube_fold */
    struct measures deltas[BATCH_DELTAS];
    uint32_t delta_count;
    struct update updates[BATCH_UPDATES + UPDATES_A_DELTA];
    uint32_t update_count;
    struct cube_source_fold fold;
};

/* ---- cells ---- */

static struct cell *cell_at(const struct cube *cube, uint32_t index)
{
    return &cube->chunks[index / CHUNK_CELLS][index % CHUNK_CELLS];
}

/* Whether the view publishes cells of this kind, or periods that are sums of them. */
static bool wakes(const struct view *view, bool month)
{
    for (enum period period = PERIOD_HOUR; period < PERIODS; period++) {
        if (view_publishes(view, period) && period_is_of_months(period) == month)
            return true;
    }
    return false;
}

/* Of the grain of its view. */
static bool is_base(const struct cube *cube, const struct table_key *key)
{
    return cell_is_month(key) == (cube->plan->views[cell_view(key)].grain == GRAIN_MONTH);
}

static void cell_begin(struct cube *cube, uint32_t index, const struct table_key *key)
{
    if (index / CHUNK_CELLS == cube->chunk_count) {
        if (cube->chunk_count == cube->chunk_capacity) {
            cube->chunk_capacity = cube->chunk_capacity ? cube->chunk_capacity * 2 : 16;
            cube->chunks = memory_resize(cube->chunks, cube->chunk_capacity, sizeof cube->chunks[0]);
        }
        cube->chunks[cube->chunk_count++] = memory_new(CHUNK_CELLS, sizeof(struct cell));
    }
    uint32_t view = cell_view(key);
    struct days *days = &cube->cell_days[view][cell_flow(key)];
    days->from = cell_day(key) < days->from ? cell_day(key) : days->from;
    days->to = cell_day(key) > days->to ? cell_day(key) : days->to;
    struct cell *cell = cell_at(cube, index);
    cell->link = CUBE_NO_LINK;
    cell->published = view_publishes(&cube->plan->views[view], period_of(key)) && !cell_is_correction(key) &&
                      !cube->plan->views[view].is_grouped;
    cell->is_marked = wakes(&cube->plan->views[view], cell_is_month(key));
    cube->view_cells[view] += is_base(cube, key);
}

static void mark(struct cube *cube, struct cell *cell, uint32_t index)
{
    if (cell->dirty || !cell->is_marked)
        return;
    cell->dirty = true;
    waiting_add(&cube->dirty, index);
}

/* Takes back the marks of cells beyond the first `count` of the list. */
static void unmark(struct cube *cube, uint32_t count)
{
    while (cube->dirty.count > count)
        cell_at(cube, waiting_take_back(&cube->dirty))->dirty = false;
}

/* A trade mode's class takes its place. */
static void put_class(const struct cube *cube, struct table_key *key)
{
    char code[9];
    uint32_t length = dictionary_text(cube->codes.codes[cell_trade_mode(key)], code);
    enum trade_class class = trade_class_number((struct text){code, length});
    key->word[2] = (key->word[2] & ~0xFFFFFFFFULL) | (1u + class);
}

static void add_update(struct cube *cube, const struct table_key *key)
{
    struct update *update = &cube->updates[cube->update_count++];
    update->key = *key;
    if (cube->plan->views[cell_view(key)].is_classed)
        put_class(cube, &update->key);
    update->hash = table_hash(&update->key);
    update->delta = cube->delta_count - 1;
    table_prefetch(cube->table, update->hash);
}

/* Adds the batch to its cells: first find them all, then add to them all. */
static void flush(struct cube *cube)
{
    for (uint32_t i = 0; i < cube->update_count; i++) {
        struct update *update = &cube->updates[i];
        bool added;
        update->cell = table_put(cube->table, &update->key, update->hash, &added);
        if (added)
            cell_begin(cube, update->cell, &update->key);
        const char *cell = (const char *)cell_at(cube, update->cell);
        __builtin_prefetch(cell, 1);
        __builtin_prefetch(cell + 64, 1);
        __builtin_prefetch(cell + 128, 1);
    }
    for (uint32_t i = 0; i < cube->update_count; i++) {
        const struct update *update = &cube->updates[i];
        struct cell *cell = cell_at(cube, update->cell);
        measures_add(&cell->measures, &cube->deltas[update->delta]);
        mark(cube, cell, update->cell);
    }
    cube->update_count = 0;
    cube->delta_count = 0;
}

static int32_t month_day(struct cube *cube, int32_t day)
{
    if (day != cube->day) {
        cube->day = day;
        cube->month = calendar_day(calendar_month_first(calendar_date(day)));
    }
    return cube->month;
}

static struct table_key month_key(struct cube *cube, const struct table_key *key)
{
    struct table_key month = *key;
    month.word[0] = cell_word0(cell_view(key), true, month_day(cube, cell_day(key)), cell_commodity(key));
    return month;
}

/* Adds a delta cell of any view to every cell that it changes. */
static void add_delta(void *self, uint32_t view, const struct table_key *key, const struct measures *delta)
{
    struct cube *cube = self;
    const struct leaf *leaf = &cube->leaves[view];
    if (cell_is_hour(key) && cell_hour(key) < cube->hours_from)
        return;
    bool is_leaf = cube->plan->views[view].leaf == view && !cell_is_correction(key); /* each view has its own */
    bool by_day = cube->plan->views[view].grain == GRAIN_DAY;
    struct table_key month = by_day ? month_key(cube, key) : *key;
    cube->deltas[cube->delta_count++] = *delta;
    add_update(cube, key);
    if (by_day && view_keeps_months(&cube->plan->views[view]))
        add_update(cube, &month);
    for (uint32_t i = 0; is_leaf && i < leaf->count; i++) {
        const struct target *target = &leaf->targets[i];
        struct table_key derived = tally_derive(cube->plan, target->month ? &month : key, target->view, target->month);
        add_update(cube, &derived);
    }
    if (cube->delta_count == BATCH_DELTAS || cube->update_count >= BATCH_UPDATES)
        flush(cube);
}

/* ---- life ---- */

static void plan_leaf(struct cube *cube, uint32_t index)
{
    const struct view *view = &cube->plan->views[index];
    struct leaf *leaf = &cube->leaves[view->leaf];
    if (view->leaf == index)
        return;
    leaf->targets[leaf->count++] = (struct target){index, view->grain == GRAIN_MONTH};
    if (view_keeps_months(view))
        leaf->targets[leaf->count++] = (struct target){index, true};
}

static void open_cells(struct cube *cube)
{
    dictionary_init(&cube->codes);
    cube->table = table_new(EXPECTED_CELLS);
    cube->day = INT32_MIN;
    cube->hours_from = INT32_MIN;
    for (uint32_t i = 0; i < VIEWS_MOST * FLOWS_MOST; i++)
        cube->cell_days[i / FLOWS_MOST][i % FLOWS_MOST] = (struct days){INT32_MAX, INT32_MIN};
}

struct cube *cube_new(const struct view_plan *plan, int32_t partitions, uint64_t plan_id)
{
    struct cube *cube = memory_new(1, sizeof *cube);
    cube->plan = plan;
    for (uint32_t i = 0; i < plan->count; i++)
        plan_leaf(cube, i);
    cube->partitions = partitions;
    cube->sources = memory_new((size_t)partitions, sizeof cube->sources[0]);
    for (int32_t i = 0; i < partitions; i++)
        cube_source_init(&cube->sources[i]);
    cube->fold = (struct cube_source_fold){
        .plan = plan, .plan_id = plan_id, .codes = &cube->codes, .sink = {.add = add_delta, .self = cube}};
    open_cells(cube);
    return cube;
}

static void close_cells(struct cube *cube)
{
    for (uint32_t i = 0; i < cube->chunk_count; i++)
        memory_free(cube->chunks[i]);
    memory_free(cube->chunks);
    waiting_fini(&cube->dirty);
    dictionary_fini(&cube->codes);
    table_free(cube->table);
}

void cube_free(struct cube *cube)
{
    if (!cube)
        return;
    close_cells(cube);
    for (int32_t i = 0; i < cube->partitions; i++)
        cube_source_fini(&cube->sources[i]);
    memory_free(cube->sources);
    memory_free(cube);
}

void cube_empty(struct cube *cube)
{
    close_cells(cube);
    for (int32_t i = 0; i < cube->partitions; i++)
        cube_source_empty(&cube->sources[i]);
    cube->chunks = NULL;
    cube->chunk_count = 0;
    cube->chunk_capacity = 0;
    memset(cube->view_cells, 0, sizeof cube->view_cells);
    cube->declarations = 0;
    cube->fold.wants_refold = false;
    open_cells(cube);
}

bool cube_wants_refold(const struct cube *cube)
{
    return cube->fold.wants_refold;
}

bool cube_lacks_cells(const struct cube *cube)
{
    for (int32_t i = 0; i < cube->partitions; i++) {
        if (cube_source_lacks_cells(&cube->sources[i], cube->fold.plan_id))
            return true;
    }
    return false;
}

void cube_forget_places(struct cube *cube)
{
    for (int32_t i = 0; i < cube->partitions; i++)
        memset(cube->sources[i].cells_from, 0, sizeof cube->sources[i].cells_from);
}

bool cube_is_settled(const struct cube *cube, int32_t *out_partition)
{
    for (int32_t i = 0; i < cube->partitions; i++) {
        *out_partition = i;
        if (!cube_source_is_settled(&cube->sources[i], cube->fold.plan_id))
            return false;
    }
    return !cube->fold.wants_refold;
}

/* ---- folding ---- */

enum err cube_fold(struct cube *cube, int32_t partition, const struct frame *frames, uint32_t count,
                   struct err_info *info)
{
    CHECK(partition >= 0 && partition < cube->partitions && count > 0);
    uint32_t dirty = cube->dirty.count;
    enum err err = cube_source_take(&cube->fold, &cube->sources[partition], frames, count, partition, info);
    flush(cube);
    if (err == OK)
        cube->declarations += cube->fold.declarations;
    else
        unmark(cube, dirty);
    return err;
}

uint32_t cube_code(struct cube *cube, struct text code)
{
    return dictionary_number(&cube->codes, code);
}

void cube_add(struct cube *cube, const struct table_key *key, const struct measures *delta)
{
    const struct view *view = &cube->plan->views[cell_view(key)];
    CHECK(cube->delta_count == 0 && cube->update_count == 0);
    cube->deltas[cube->delta_count++] = *delta;
    add_update(cube, key);
    if (view->grain == GRAIN_DAY && view_keeps_months(view)) {
        struct table_key month = month_key(cube, key);
        add_update(cube, &month);
    }
    flush(cube);
}

/* ---- leaving ---- */

void cube_leave_out(struct cube *cube, int32_t hours_before)
{
    cube->hours_from = hours_before > cube->hours_from ? hours_before : cube->hours_from;
}

static uint32_t renumber(void *context, uint32_t number)
{
    const uint32_t *numbers = context;
    return numbers[number];
}

/* Chunks behind the last cell go; what is left of the last one is as new. */
static void cut_chunks(struct cube *cube, uint32_t count)
{
    uint32_t chunks = (count + CHUNK_CELLS - 1) / CHUNK_CELLS;
    while (cube->chunk_count > chunks)
        memory_free(cube->chunks[--cube->chunk_count]);
    if (count % CHUNK_CELLS)
        memset(cell_at(cube, count), 0, (CHUNK_CELLS - count % CHUNK_CELLS) * sizeof(struct cell));
}

uint32_t *cube_compact(struct cube *cube, bool (*leave)(void *context, uint32_t index), void *context)
{
    uint32_t count = cube_count(cube);
    uint32_t *numbers = memory_new(count + 1, sizeof numbers[0]);
    struct table *table = table_new(EXPECTED_CELLS);
    CHECK(cube->update_count == 0);
    for (uint32_t i = 0; i < count; i++) {
        const struct cell *cell = cell_at(cube, i);
        const struct table_key *key = cube_key(cube, i);
        numbers[i] = TABLE_NONE;
        if (!cell->dirty && !cell->is_flagged && leave(context, i)) {
            cube->view_cells[cell_view(key)] -= is_base(cube, key);
            continue;
        }
        bool added;
        numbers[i] = table_put(table, key, table_hash(key),
                               &added); /* not behind i: no cell is written over that is still to come */
        *cell_at(cube, numbers[i]) = *cell;
    }
    table_free(cube->table);
    cube->table = table;
    cut_chunks(cube, cube_count(cube));
    waiting_renumber(&cube->dirty, renumber, numbers);
    return numbers;
}

/* ---- what the owner asks ---- */

uint32_t cube_count(const struct cube *cube)
{
    return table_count(cube->table);
}

const struct table_key *cube_key(const struct cube *cube, uint32_t index)
{
    return table_key(cube->table, index);
}

const struct measures *cube_measures(const struct cube *cube, uint32_t index)
{
    return &cell_at(cube, index)->measures;
}

bool cube_is_published(const struct cube *cube, uint32_t index)
{
    return cell_at(cube, index)->published;
}

uint32_t cube_link(const struct cube *cube, uint32_t index)
{
    return cell_at(cube, index)->link;
}

void cube_set_link(struct cube *cube, uint32_t index, uint32_t link)
{
    cell_at(cube, index)->link = link;
}

const struct dictionary *cube_codes(const struct cube *cube)
{
    return &cube->codes;
}

uint32_t cube_dirty_first(const struct cube *cube)
{
    return cube->dirty.count ? waiting_first(&cube->dirty) : TABLE_NONE;
}

void cube_dirty_take(struct cube *cube)
{
    cell_at(cube, waiting_first(&cube->dirty))->dirty = false;
    waiting_take(&cube->dirty);
}

void cube_dirty_sort(struct cube *cube)
{
    waiting_sort(&cube->dirty);
}

uint32_t cube_dirty_count(const struct cube *cube)
{
    return cube->dirty.count;
}

bool cube_flag(struct cube *cube, uint32_t index, bool on)
{
    struct cell *cell = cell_at(cube, index);
    bool was = cell->is_flagged;
    cell->is_flagged = on;
    return was;
}

bool cube_may_have(const struct cube *cube, const struct table_key *key, int32_t from, int32_t to)
{
    const struct days *days = &cube->cell_days[cell_view(key)][cell_flow(key)];
    return from <= days->to && to >= days->from;
}

uint32_t cube_find(const struct cube *cube, const struct table_key *key, uint64_t hash)
{
    return table_find(cube->table, key, hash);
}

void cube_prefetch(const struct cube *cube, uint64_t hash)
{
    table_prefetch(cube->table, hash);
}

uint32_t cube_view_cells(const struct cube *cube, uint32_t view)
{
    return cube->view_cells[view];
}

int64_t cube_declarations(const struct cube *cube)
{
    return cube->declarations;
}
