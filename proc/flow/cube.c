/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cube.h"

#include "base/check.h"
#include "base/memory.h"
#include "trade/calendar.h"

#include <inttypes.h>

enum {
    EXPECTED_CELLS = 1 << 12,
    CHUNK_CELLS = 1024,
    DIRTY_FIRST = 1024,
    BATCH_DELTAS = 32,
    BATCH_UPDATES = BATCH_DELTAS * 4,
    UPDATES_A_DELTA = 2 * VIEWS_MOST + 2,
    ALL_SLICES = -1,
};

struct cell {
    struct measures measures;
    uint32_t link;
    bool dirty;
    bool published;
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

/* What the control totals of a partition are compared with. */
struct sums {
    struct tally_control leaf[SLICES][VIEWS_MOST];
    int64_t verdicts[VERDICTS];
};

/* One journal partition: its code numbers, which slices are there, and what it has added so far. */
struct source {
    struct dictionary codes;
    uint32_t *numbers; /* of the cube, by number of the partition */
    uint32_t mapped;
    uint32_t capacity;
    struct slices slices;
    uint32_t filled; /* bit per slice whose cells are in the cube */
    int64_t
        cells_from[SLICES]; /* journal offset below which cells of a slice are not taken: they were replaced there */
    struct sums sums;
};

struct cube {
    const struct view_plan *plan;
    uint64_t plan_id;
    struct leaf leaves[VIEWS_MOST];
    struct source *sources;
    int32_t partitions;
    struct dictionary codes;
    struct table *table;
    struct cell **chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    uint32_t view_cells[VIEWS_MOST];
    /* changed cells: a ring of numbers */
    uint32_t *dirty;
    uint32_t dirty_mask;
    uint32_t dirty_head;
    uint32_t dirty_count;
    int64_t declarations;
    /* the last day whose month was looked up */
    int32_t day;
    int32_t month;
    /* scratch of cube_fold */
    struct measures deltas[BATCH_DELTAS];
    uint32_t delta_count;
    struct update updates[BATCH_UPDATES + UPDATES_A_DELTA];
    uint32_t update_count;
    struct slice_group group;
    struct sums sums;
    struct tally_control content[VIEWS_MOST]; /* of a slice, as its sections add up */
    struct slice_whole whole;                 /* likewise, but for the ledger */
    struct counts counts;
    int64_t group_declarations;
    bool has_control;
    bool has_whole;
    bool folds_cells; /* they are of the cube's plan, and not replaced later */
    uint32_t take;    /* bit per slice whose cells are new to the cube */
    bool wants_refold;
};

static void plan_leaf(struct cube *cube, uint32_t index)
{
    const struct view *view = &cube->plan->views[index];
    struct leaf *leaf = &cube->leaves[view->leaf];
    if (view->leaf == index)
        return;
    leaf->targets[leaf->count++] = (struct target){index, view->grain == GRAIN_MONTH};
    if (view->grain == GRAIN_DAY && view->publish_month)
        leaf->targets[leaf->count++] = (struct target){index, true};
}

static void open_cells(struct cube *cube)
{
    dictionary_init(&cube->codes);
    cube->table = table_new(EXPECTED_CELLS);
    cube->dirty = memory_new(DIRTY_FIRST, sizeof cube->dirty[0]);
    cube->dirty_mask = DIRTY_FIRST - 1;
    cube->day = INT32_MIN;
    for (int32_t i = 0; i < cube->partitions; i++)
        dictionary_init(&cube->sources[i].codes);
}

struct cube *cube_new(const struct view_plan *plan, int32_t partitions, uint64_t plan_id)
{
    struct cube *cube = memory_new(1, sizeof *cube);
    cube->plan = plan;
    cube->plan_id = plan_id;
    for (uint32_t i = 0; i < plan->count; i++)
        plan_leaf(cube, i);
    cube->partitions = partitions;
    cube->sources = memory_new((size_t)partitions, sizeof cube->sources[0]);
    open_cells(cube);
    return cube;
}

static void close_cells(struct cube *cube)
{
    for (int32_t i = 0; i < cube->partitions; i++) {
        dictionary_fini(&cube->sources[i].codes);
        memory_free(cube->sources[i].numbers);
    }
    for (uint32_t i = 0; i < cube->chunk_count; i++)
        memory_free(cube->chunks[i]);
    memory_free(cube->chunks);
    memory_free(cube->dirty);
    dictionary_fini(&cube->codes);
    table_free(cube->table);
}

void cube_free(struct cube *cube)
{
    if (!cube)
        return;
    close_cells(cube);
    memory_free(cube->sources);
    memory_free(cube);
}

void cube_empty(struct cube *cube)
{
    close_cells(cube);
    for (int32_t i = 0; i < cube->partitions; i++) {
        struct source begun = {0};
        memcpy(begun.cells_from, cube->sources[i].cells_from, sizeof begun.cells_from);
        cube->sources[i] = begun;
    }
    cube->chunks = NULL;
    cube->chunk_count = 0;
    cube->chunk_capacity = 0;
    memset(cube->view_cells, 0, sizeof cube->view_cells);
    cube->dirty_head = 0;
    cube->dirty_count = 0;
    cube->declarations = 0;
    cube->wants_refold = false;
    open_cells(cube);
}

bool cube_wants_refold(const struct cube *cube)
{
    return cube->wants_refold;
}

bool cube_is_settled(const struct cube *cube, int32_t *out_partition)
{
    for (int32_t i = 0; i < cube->partitions; i++) {
        const struct slices *slices = &cube->sources[i].slices;
        *out_partition = i;
        if (!slices_are_whole(slices) || (cube->plan_id && !slices_are_of_plan(slices, cube->plan_id)))
            return false;
    }
    return !cube->wants_refold;
}

/* ---- cells ---- */

static struct cell *cell_at(const struct cube *cube, uint32_t index)
{
    return &cube->chunks[index / CHUNK_CELLS][index % CHUNK_CELLS];
}

/* A view by day may publish its days, its months or both; one by month has only months. */
static bool is_published(const struct view *view, bool month)
{
    return month ? view->publish_month : view->publish_day;
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
    struct cell *cell = cell_at(cube, index);
    cell->link = CUBE_NO_LINK;
    cell->published = is_published(&cube->plan->views[view], cell_is_month(key));
    cube->view_cells[view] += cell_is_month(key) == (cube->plan->views[view].grain == GRAIN_MONTH);
}

static void dirty_grow(struct cube *cube)
{
    uint32_t size = (cube->dirty_mask + 1) * 2;
    uint32_t *dirty = memory_new(size, sizeof dirty[0]);
    for (uint32_t i = 0; i < cube->dirty_count; i++)
        dirty[i] = cube->dirty[(cube->dirty_head + i) & cube->dirty_mask];
    memory_free(cube->dirty);
    cube->dirty = dirty;
    cube->dirty_mask = size - 1;
    cube->dirty_head = 0;
}

static void mark(struct cube *cube, struct cell *cell, uint32_t index)
{
    if (cell->dirty || !cell->published)
        return;
    cell->dirty = true;
    if (cube->dirty_count > cube->dirty_mask)
        dirty_grow(cube);
    cube->dirty[(cube->dirty_head + cube->dirty_count++) & cube->dirty_mask] = index;
}

static void add_update(struct cube *cube, const struct table_key *key)
{
    struct update *update = &cube->updates[cube->update_count++];
    update->key = *key;
    update->hash = table_hash(key);
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
static void add_delta(struct cube *cube, uint32_t view, const struct table_key *key, const struct measures *delta)
{
    const struct leaf *leaf = &cube->leaves[view];
    bool is_leaf = cube->plan->views[view].leaf == view;
    bool by_day = cube->plan->views[view].grain == GRAIN_DAY;
    struct table_key month = by_day ? month_key(cube, key) : *key;
    cube->deltas[cube->delta_count++] = *delta;
    add_update(cube, key);
    if (by_day && cube->plan->views[view].publish_month)
        add_update(cube, &month);
    for (uint32_t i = 0; is_leaf && i < leaf->count; i++) {
        const struct target *target = &leaf->targets[i];
        struct table_key derived = tally_derive(cube->plan, target->month ? &month : key, target->view, target->month);
        add_update(cube, &derived);
    }
    if (cube->delta_count == BATCH_DELTAS || cube->update_count >= BATCH_UPDATES)
        flush(cube);
}

/* ---- the sections of a group ---- */

/* Gives every code of the partition that has none yet its number in the cube. */
static bool map_codes(struct cube *cube, struct source *source)
{
    if (source->codes.count > source->capacity) {
        source->capacity = source->codes.count * 2;
        source->numbers = memory_resize(source->numbers, source->capacity, sizeof source->numbers[0]);
    }
    for (; source->mapped < source->codes.count; source->mapped++) {
        uint32_t number = dictionary_number_of_code(&cube->codes, source->codes.codes[source->mapped]);
        if (number == DICTIONARY_FULL)
            return false;
        source->numbers[source->mapped] = number;
    }
    return true;
}

static bool map_number(const struct source *source, uint64_t number, uint64_t *out)
{
    if (number >= source->mapped)
        return false;
    *out = source->numbers[number];
    return true;
}

/* The key with the cube's code numbers. False: a number that the partition never explained. */
static bool map_key(const struct source *source, const struct table_key *key, struct table_key *out)
{
    uint64_t office;
    uint64_t border;
    uint64_t zone;
    uint64_t mode;
    uint64_t region;
    if (!map_number(source, key->word[1] >> 32, &office) || !map_number(source, key->word[1] & 0xFFFFFFFFu, &border) ||
        !map_number(source, key->word[2] >> 32, &zone) || !map_number(source, key->word[2] & 0xFFFFFFFFu, &mode) ||
        !map_number(source, key->word[3] >> 12 & CELL_REGION_MOST, &region))
        return false;
    out->word[0] = key->word[0];
    out->word[1] = office << 32 | border;
    out->word[2] = zone << 32 | mode;
    out->word[3] = (key->word[3] & ~((uint64_t)CELL_REGION_MOST << 12)) | region << 12;
    return true;
}

static bool is_correction(const struct measures *m)
{
    return m->value_minor == 0 && m->customs_value_minor == 0 && m->net_mass_mg == 0 && m->gross_mass_mg == 0 &&
           m->supp_quantity_micro == 0 && m->estimated_mg == 0 && m->items == 0 && m->packages == 0 &&
           m->warned_items == 0 && m->late_items == 0;
}

static void add_totals(struct tally_control *to, const struct measures *delta)
{
    to->value_minor += delta->value_minor;
    to->net_mass_mg += delta->net_mass_mg;
    to->items += delta->items;
}

/* `key` has the numbers of the partition: they decide the slice. */
static enum err check_cell(struct cube *cube, uint32_t view, const struct table_key *key, const struct measures *cell,
                           struct err_info *info)
{
    const struct view *of = &cube->plan->views[view];
    bool is_leaf = of->leaf == view;
    uint32_t slice = totals_slice(key);
    if (!is_leaf && !is_correction(cell))
        return err_set(info, ERR_BROKEN, "sums in a CELLS section of view %s, which derives from view %s", of->name,
                       cube->plan->views[of->leaf].name);
    if (is_leaf && slice_in(cube->take, slice))
        add_totals(&cube->sums.leaf[slice][view], cell);
    if (cube->group.use == SLICE_NONE)
        return OK;
    if (slice != cube->group.slice)
        return err_set(info, ERR_BROKEN, "a cell of slice %" PRIu32 " in slice %" PRIu32, slice, cube->group.slice);
    if (is_leaf)
        add_totals(&cube->content[view], cell);
    cube->whole.cell_sum += totals_control_of(key, cell);
    cube->whole.cells++;
    return OK;
}

/* Steps through a CELLS section: adds it to the sums (check), or to the cells (not check). */
static enum err walk_cells(struct cube *cube, struct source *source, struct bytes bytes, bool check,
                           struct err_info *info)
{
    struct reader reader = reader_of(bytes);
    uint32_t view;
    uint32_t count;
    struct table_key key;
    if (!frame_cells_begin(&reader, cube->plan, &view, &count, &key))
        return err_set(info, ERR_BROKEN, "a CELLS section of a view that is not configured here");
    for (uint32_t i = 0; i < count; i++) {
        struct measures delta;
        struct table_key own;
        if (!frame_cells_next(&reader, &cube->plan->views[view], view, &key, &delta) || !map_key(source, &key, &own))
            return err_set(info, ERR_BROKEN, "cell %" PRIu32 " of a CELLS section of view %s is broken", i,
                           cube->plan->views[view].name);
        if (check)
            TRY(check_cell(cube, view, &key, &delta, info));
        else if (slice_in(cube->take, totals_slice(&key)))
            add_delta(cube, view, &own, &delta);
    }
    if (reader_left(&reader) > 0)
        return err_set(info, ERR_BROKEN, "a CELLS section of view %s with %zu bytes too many",
                       cube->plan->views[view].name, reader_left(&reader));
    return OK;
}

static enum err check_counts(struct cube *cube, struct bytes bytes, struct err_info *info)
{
    if (!frame_get_counts(bytes, &cube->counts))
        return err_set(info, ERR_BROKEN, "a broken COUNTS section");
    if (cube->group.use != SLICE_NONE && !cube->group.is_first)
        return OK; /* counts so far: the cube has them */
    for (int i = 0; i < VERDICTS; i++) {
        if (cube->counts.verdicts[i] < 0)
            return err_set(info, ERR_BROKEN, "%" PRId64 " declarations %s in one group", cube->counts.verdicts[i],
                           verdict_name((enum verdict)i));
        cube->sums.verdicts[i] += cube->counts.verdicts[i];
    }
    cube->group_declarations += counts_declarations(&cube->counts);
    return OK;
}

static enum err check_leaf(const struct cube *cube, uint32_t view, const struct tally_control *journal,
                           struct err_info *info)
{
    struct tally_control sum = {0};
    const struct tally_control *own = &sum;
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        const struct tally_control *part = &cube->sums.leaf[slice][view];
        sum.value_minor += part->value_minor;
        sum.net_mass_mg += part->net_mass_mg;
        sum.items += part->items;
    }
    char a[I128_TEXT_BYTES];
    char b[I128_TEXT_BYTES];
    char c[I128_TEXT_BYTES];
    char d[I128_TEXT_BYTES];
    if (own->value_minor == journal->value_minor && own->net_mass_mg == journal->net_mass_mg &&
        own->items == journal->items)
        return OK;
    return err_set(
        info, ERR_BROKEN,
        "control totals of view %s: value %s, net mass %s mg, %" PRId64 " items; the journal says %s, %s, %" PRId64
        ". Restore the journal topic from a mirror, or replay the input into a new one",
        cube->plan->views[view].name, i128_to_text(own->value_minor, a), i128_to_text(own->net_mass_mg, b), own->items,
        i128_to_text(journal->value_minor, c), i128_to_text(journal->net_mass_mg, d), journal->items);
}

static enum err check_control(struct cube *cube, const struct source *source, struct bytes bytes, struct err_info *info)
{
    struct control control;
    if (!frame_get_control(bytes, &control))
        return err_set(info, ERR_BROKEN, "a broken CONTROL section");
    for (int i = 0; i < VERDICTS; i++) {
        if (cube->sums.verdicts[i] != control.verdicts[i])
            return err_set(info, ERR_BROKEN, "control totals: %" PRId64 " declarations %s, the journal says %" PRId64,
                           cube->sums.verdicts[i], verdict_name((enum verdict)i), control.verdicts[i]);
    }
    bool is_whole = cube->folds_cells && slices_are_whole(&source->slices) && source->filled == (uint32_t)ALL_SLICES;
    for (uint32_t view = 0; view < cube->plan->count && is_whole; view++) {
        if (cube->plan->views[view].leaf == view)
            TRY(check_leaf(cube, view, &control.tally, info));
    }
    cube->has_control = true;
    return OK;
}

/* What the slice holds must be what it says, and what the cube has of it. */
static enum err check_whole(struct cube *cube, struct bytes bytes, struct err_info *info)
{
    struct slice_whole said;
    if (cube->group.use == SLICE_NONE || !slice_get_whole(bytes, &said))
        return err_set(info, ERR_BROKEN, "broken control totals of a slice");
    cube->has_whole = true;
    if (!cube->folds_cells)
        return OK;
    if (said.cells != cube->whole.cells || said.cell_sum != cube->whole.cell_sum)
        return err_set(info, ERR_BROKEN,
                       "control totals: slice %" PRIu32 " has %" PRIu64 " cells with another sum than the %" PRIu64
                       " that it says",
                       cube->group.slice, cube->whole.cells, said.cells);
    for (uint32_t view = 0; view < cube->plan->count; view++) {
        const struct tally_control *own = &cube->sums.leaf[cube->group.slice][view];
        const struct tally_control *there = &cube->content[view];
        if (own->value_minor != there->value_minor || own->net_mass_mg != there->net_mass_mg ||
            own->items != there->items)
            return err_set(info, ERR_BROKEN,
                           "control totals: slice %" PRIu32 " of view %s is not what the groups before it add up to: "
                           "%" PRId64 " items, the slice has %" PRId64,
                           cube->group.slice, cube->plan->views[view].name, own->items, there->items);
    }
    return OK;
}

static enum err check_section(struct cube *cube, struct source *source, enum frame_section section, struct bytes bytes,
                              struct err_info *info)
{
    switch (section) {
    case SECTION_CODES:
        if (!(cube->group.use == SLICE_NONE ? frame_get_codes(bytes, &source->codes)
                                            : frame_get_codes_again(bytes, &source->codes)) ||
            !map_codes(cube, source))
            return err_set(info, ERR_BROKEN, "a broken CODES section: codes from number %" PRIu32 " on",
                           source->codes.count);
        return OK;
    case SECTION_CELLS:
        return cube->folds_cells ? walk_cells(cube, source, bytes, true, info) : OK;
    case SECTION_COUNTS:
        return check_counts(cube, bytes, info);
    case SECTION_CONTROL:
        return check_control(cube, source, bytes, info);
    case SECTION_WHOLE:
        return check_whole(cube, bytes, info);
    case SECTION_REJECTS:
    case SECTION_LEDGER:
    case SECTION_ID_KEY:
    case SECTION_REASON:
    case SECTION_WINDOW:
    case SECTION_SLICE:
    case SECTION_LISTED:
    case SECTION_PARTITIONS:
    case SECTION_IDLE:
    case SECTION_UNITS:
        return OK;
    }
    return err_set(info, ERR_CONFIG, "a section of unknown kind %d: upgrade the program", (int)section);
}

static enum err walk_frame(struct cube *cube, struct source *source, const struct frame *frame, bool check,
                           struct err_info *info)
{
    struct reader reader = reader_of(frame->payload);
    enum frame_section section;
    struct bytes bytes;
    bool broken = false;
    while (frame_next_section(&reader, &section, &bytes, &broken)) {
        if (check)
            TRY(check_section(cube, source, section, bytes, info));
        else if (section == SECTION_CELLS && cube->folds_cells)
            TRY(walk_cells(cube, source, bytes, false, info));
    }
    return broken ? err_set(info, ERR_BROKEN, "a frame whose sections are cut short") : OK;
}

/* Slices whose cells count from this group on or from before it. */
static uint32_t reached(const struct source *source, int64_t offset)
{
    uint32_t set = 0;
    for (uint32_t slice = 0; slice < SLICES; slice++)
        set |= (uint32_t)(offset >= source->cells_from[slice]) << slice;
    return set;
}

/* Which cells of this group are to be taken, and whether they meet any that they replace. A pass that must be done again goes on, to
 * find all such places at once. */
static void meet_plan(struct cube *cube, struct source *source, const struct frame *first)
{
    const struct slice_group *group = &cube->group;
    uint32_t bit = group->use == SLICE_NONE ? 0 : 1u << group->slice;
    bool is_own = cube->plan_id == 0 || first->plan == cube->plan_id;
    if (group->use == SLICE_REPLACE && (source->filled & bit)) {
        source->cells_from[group->slice] = first->offset;
        cube->wants_refold = true;
    }
    cube->take = group->use == SLICE_NONE ? group->have : group->use == SLICE_COMPARE ? 0 : bit;
    cube->take &= is_own ? reached(source, first->offset) : 0;
    source->filled |= cube->take;
    bool is_known = group->use == SLICE_COMPARE ? (source->filled & bit) != 0 : cube->take != 0;
    cube->folds_cells = is_own && is_known && !cube->wants_refold;
}

static enum err check_group(struct cube *cube, int32_t partition, const struct frame *frames, uint32_t count,
                            struct err_info *info)
{
    struct source *source = &cube->sources[partition];
    cube->sums = source->sums;
    cube->group_declarations = 0;
    cube->has_control = false;
    cube->has_whole = false;
    memset(cube->content, 0, sizeof cube->content);
    cube->whole = (struct slice_whole){0};
    TRY(slices_take(&source->slices, frames, count, &cube->group, info));
    meet_plan(cube, source, &frames[0]);
    for (uint32_t i = 0; i < count; i++) {
        if (frames[i].partition != (uint32_t)partition)
            return err_set(info, ERR_BROKEN, "a frame of partition %" PRIu32 " in the journal of partition %" PRId32,
                           frames[i].partition, partition);
        TRY(walk_frame(cube, source, &frames[i], true, info));
    }
    bool is_snap = frames[0].kind == FRAME_SNAP;
    if ((frames[0].kind == FRAME_DATA || is_snap) && !cube->has_control)
        return err_set(info, ERR_BROKEN, "a group of DATA without control totals");
    if (is_snap && !cube->has_whole)
        return err_set(info, ERR_BROKEN, "a slice without control totals of its own");
    return OK;
}

enum err cube_fold(struct cube *cube, int32_t partition, const struct frame *frames, uint32_t count,
                   struct err_info *info)
{
    CHECK(partition >= 0 && partition < cube->partitions && count > 0);
    TRY(check_group(cube, partition, frames, count, info));
    struct source *source = &cube->sources[partition];
    for (uint32_t i = 0; i < count; i++) {
        enum err err = walk_frame(cube, source, &frames[i], false, info);
        CHECK(err == OK); /* it was checked above */
    }
    flush(cube);
    source->sums = cube->sums;
    cube->declarations += cube->group_declarations;
    return OK;
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
    return cube->dirty_count ? cube->dirty[cube->dirty_head & cube->dirty_mask] : TABLE_NONE;
}

void cube_dirty_take(struct cube *cube)
{
    CHECK(cube->dirty_count > 0);
    cell_at(cube, cube_dirty_first(cube))->dirty = false;
    cube->dirty_head++;
    cube->dirty_count--;
}

uint32_t cube_dirty_count(const struct cube *cube)
{
    return cube->dirty_count;
}

void cube_mark(struct cube *cube, uint32_t index)
{
    mark(cube, cell_at(cube, index), index);
}

uint32_t cube_view_cells(const struct cube *cube, uint32_t view)
{
    return cube->view_cells[view];
}

int64_t cube_declarations(const struct cube *cube)
{
    return cube->declarations;
}

size_t cube_bytes(const struct cube *cube)
{
    return sizeof *cube + table_bytes(cube->table) + (size_t)cube->chunk_count * CHUNK_CELLS * sizeof(struct cell) +
           ((size_t)cube->dirty_mask + 1) * sizeof cube->dirty[0];
}
