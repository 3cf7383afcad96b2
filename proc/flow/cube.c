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
struct totals {
    struct tally_control leaf[VIEWS_MOST];
    int64_t verdicts[VERDICTS];
};

/* One journal partition: its code numbers and what it has added so far. */
struct source {
    struct dictionary codes;
    uint32_t *numbers; /* of the cube, by number of the partition */
    uint32_t mapped;
    uint32_t capacity;
    struct totals totals;
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
    struct totals totals;
    struct counts counts;
    int64_t group_declarations;
    bool has_control;
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

struct cube *cube_new(const struct view_plan *plan, int32_t partitions, uint64_t plan_id)
{
    struct cube *cube = memory_new(1, sizeof *cube);
    cube->plan = plan;
    cube->plan_id = plan_id;
    for (uint32_t i = 0; i < plan->count; i++)
        plan_leaf(cube, i);
    cube->partitions = partitions;
    cube->sources = memory_new((size_t)partitions, sizeof cube->sources[0]);
    for (int32_t i = 0; i < partitions; i++)
        dictionary_init(&cube->sources[i].codes);
    dictionary_init(&cube->codes);
    cube->table = table_new(EXPECTED_CELLS);
    cube->dirty = memory_new(DIRTY_FIRST, sizeof cube->dirty[0]);
    cube->dirty_mask = DIRTY_FIRST - 1;
    cube->day = INT32_MIN;
    return cube;
}

void cube_free(struct cube *cube)
{
    if (!cube)
        return;
    for (int32_t i = 0; i < cube->partitions; i++) {
        dictionary_fini(&cube->sources[i].codes);
        memory_free(cube->sources[i].numbers);
    }
    memory_free(cube->sources);
    for (uint32_t i = 0; i < cube->chunk_count; i++)
        memory_free(cube->chunks[i]);
    memory_free(cube->chunks);
    memory_free(cube->dirty);
    dictionary_fini(&cube->codes);
    table_free(cube->table);
    memory_free(cube);
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

/* Steps through a CELLS section: adds it to the totals (check), or to the cells (not check). */
static enum err walk_cells(struct cube *cube, struct source *source, struct bytes bytes, bool check,
                           struct err_info *info)
{
    struct reader reader = reader_of(bytes);
    uint32_t view;
    uint32_t count;
    struct table_key key;
    if (!frame_cells_begin(&reader, cube->plan, &view, &count, &key))
        return err_set(info, ERR_BROKEN, "a CELLS section of a view that is not configured here");
    bool is_leaf = cube->plan->views[view].leaf == view;
    for (uint32_t i = 0; i < count; i++) {
        struct measures delta;
        struct table_key own;
        if (!frame_cells_next(&reader, &cube->plan->views[view], view, &key, &delta) || !map_key(source, &key, &own))
            return err_set(info, ERR_BROKEN, "cell %" PRIu32 " of a CELLS section of view %s is broken", i,
                           cube->plan->views[view].name);
        if (!check)
            add_delta(cube, view, &own, &delta);
        else if (is_leaf)
            add_totals(&cube->totals.leaf[view], &delta);
        else if (!is_correction(&delta))
            return err_set(info, ERR_BROKEN, "sums in a CELLS section of view %s, which derives from view %s",
                           cube->plan->views[view].name, cube->plan->views[cube->plan->views[view].leaf].name);
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
    for (int i = 0; i < VERDICTS; i++) {
        if (cube->counts.verdicts[i] < 0)
            return err_set(info, ERR_BROKEN, "%" PRId64 " declarations %s in one group", cube->counts.verdicts[i],
                           verdict_name((enum verdict)i));
        cube->totals.verdicts[i] += cube->counts.verdicts[i];
    }
    cube->group_declarations += counts_declarations(&cube->counts);
    return OK;
}

static enum err check_leaf(const struct cube *cube, uint32_t view, const struct tally_control *journal,
                           struct err_info *info)
{
    const struct tally_control *own = &cube->totals.leaf[view];
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

static enum err check_control(struct cube *cube, struct bytes bytes, struct err_info *info)
{
    struct control control;
    if (!frame_get_control(bytes, &control))
        return err_set(info, ERR_BROKEN, "a broken CONTROL section");
    for (int i = 0; i < VERDICTS; i++) {
        if (cube->totals.verdicts[i] != control.verdicts[i])
            return err_set(info, ERR_BROKEN, "control totals: %" PRId64 " declarations %s, the journal says %" PRId64,
                           cube->totals.verdicts[i], verdict_name((enum verdict)i), control.verdicts[i]);
    }
    for (uint32_t view = 0; view < cube->plan->count; view++) {
        if (cube->plan->views[view].leaf == view)
            TRY(check_leaf(cube, view, &control.tally, info));
    }
    cube->has_control = true;
    return OK;
}

static enum err check_section(struct cube *cube, struct source *source, enum frame_section section, struct bytes bytes,
                              struct err_info *info)
{
    switch (section) {
    case SECTION_CODES:
        if (!frame_get_codes(bytes, &source->codes) || !map_codes(cube, source))
            return err_set(info, ERR_BROKEN, "a broken CODES section: codes from number %" PRIu32 " on",
                           source->codes.count);
        return OK;
    case SECTION_CELLS:
        return walk_cells(cube, source, bytes, true, info);
    case SECTION_COUNTS:
        return check_counts(cube, bytes, info);
    case SECTION_CONTROL:
        return check_control(cube, bytes, info);
    case SECTION_REJECTS:
    case SECTION_LEDGER:
    case SECTION_ID_KEY:
    case SECTION_REASON:
    case SECTION_PARTITIONS:
    case SECTION_IDLE:
        return OK;
    }
    return err_set(info, ERR_BROKEN, "a section of unknown kind %d: upgrade the program", (int)section);
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
        else if (section == SECTION_CELLS)
            TRY(walk_cells(cube, source, bytes, false, info));
    }
    return broken ? err_set(info, ERR_BROKEN, "a frame whose sections are cut short") : OK;
}

static enum err check_group(struct cube *cube, int32_t partition, const struct frame *frames, uint32_t count,
                            struct err_info *info)
{
    struct source *source = &cube->sources[partition];
    cube->totals = source->totals;
    cube->group_declarations = 0;
    cube->has_control = false;
    for (uint32_t i = 0; i < count; i++) {
        if (frames[i].partition != (uint32_t)partition)
            return err_set(info, ERR_BROKEN, "a frame of partition %" PRIu32 " in the journal of partition %" PRId32,
                           frames[i].partition, partition);
        if (cube->plan_id && frames[i].kind == FRAME_DATA && frames[i].plan != cube->plan_id)
            return err_set(info, ERR_BROKEN,
                           "DATA of plan %016" PRIx64 ", this process has plan %016" PRIx64
                           ": give all processes the same rules, lists, views and currency",
                           frames[i].plan, cube->plan_id);
        TRY(walk_frame(cube, source, &frames[i], true, info));
    }
    if (frames[0].kind == FRAME_DATA && !cube->has_control)
        return err_set(info, ERR_BROKEN, "a group of DATA without control totals");
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
    source->totals = cube->totals;
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
