/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cube_source.h"

#include "base/check.h"
#include "base/memory.h"
#include "flow/frame_cells.h"
#include "flow/invariant.h"
#include "flow/mutant.h"

#include <inttypes.h>

enum { ALL_SLICES = -1 };

void cube_source_init(struct cube_source *source)
{
    *source = (struct cube_source){0};
    dictionary_init(&source->codes);
}

void cube_source_fini(struct cube_source *source)
{
    dictionary_fini(&source->codes);
    memory_free(source->numbers);
}

void cube_source_empty(struct cube_source *source)
{
    int64_t cells_from[SLICES];
    memcpy(cells_from, source->cells_from, sizeof cells_from);
    cube_source_fini(source);
    cube_source_init(source);
    memcpy(source->cells_from, cells_from, sizeof cells_from);
}

bool cube_source_lacks_cells(const struct cube_source *source, uint64_t plan_id)
{
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        bool is_own = slice_in(source->slices.planned, slice) && plan_same_cells(source->slices.plans[slice], plan_id);
        if (source->cells_from[slice] > 0 && is_own && !slice_in(source->filled, slice))
            return true;
    }
    return false;
}

bool cube_source_is_settled(const struct cube_source *source, uint64_t plan_id)
{
    return slices_are_whole(&source->slices) && (plan_id == 0 || slices_are_of_plan(&source->slices, plan_id)) &&
           !cube_source_lacks_cells(source, plan_id);
}

/* ---- the sections of a group ---- */

/* Gives every code of the partition that has none yet its number in the cube. */
static bool map_codes(struct cube_source_fold *fold, struct cube_source *source)
{
    if (source->codes.count > source->capacity) {
        source->capacity = source->codes.count * 2;
        source->numbers = memory_resize(source->numbers, source->capacity, sizeof source->numbers[0]);
    }
    for (; source->mapped < source->codes.count; source->mapped++) {
        uint32_t number = dictionary_number_of_code(fold->codes, source->codes.codes[source->mapped]);
        if (number == DICTIONARY_FULL)
            return false;
        source->numbers[source->mapped] = number;
    }
    return true;
}

static bool map_number(const struct cube_source *source, uint32_t number, uint64_t *out)
{
    if (number >= source->mapped)
        return false;
    *out = source->numbers[number];
    return true;
}

/* The key with the cube's code numbers. False: a number that the partition never explained. */
static bool map_key(const struct cube_source *source, const struct table_key *key, struct table_key *out)
{
    uint64_t office;
    uint64_t border;
    uint64_t zone;
    uint64_t mode;
    uint64_t region;
    if (!map_number(source, cell_office(key), &office) || !map_number(source, cell_border_office(key), &border) ||
        !map_number(source, cell_zone(key), &zone) || !map_number(source, cell_trade_mode(key), &mode) ||
        !map_number(source, cell_region(key), &region))
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

/* `key` has the numbers of the partition. */
static enum err check_cell(struct cube_source_fold *fold, uint32_t view, uint32_t slice, const struct table_key *key,
                           const struct measures *cell, struct err_info *info)
{
    const struct view *of = &fold->plan->views[view];
    bool is_leaf = of->leaf == view;
    if (!is_leaf && !is_correction(cell))
        return err_set(info, ERR_BROKEN, "sums in a CELLS section of view %s, which derives from view %s", of->name,
                       fold->plan->views[of->leaf].name);
    if (is_leaf && slice_in(fold->take, slice))
        add_totals(&fold->sums.leaf[slice][view], cell);
    if (fold->group.use == SLICE_NONE)
        return OK;
    if (slice != fold->group.slice)
        return err_set(info, ERR_BROKEN, "a cell of slice %" PRIu32 " in slice %" PRIu32, slice, fold->group.slice);
    if (is_leaf)
        add_totals(&fold->content[view], cell);
    fold->whole.cell_sum += totals_control_of(key, cell);
    fold->whole.cells++;
    return OK;
}

/* Gives the cells of a section that are new to the cube. */
static enum err take_cells(struct cube_source_fold *fold, const struct cube_source *source, struct bytes bytes,
                           struct err_info *info)
{
    struct reader reader = reader_of(bytes);
    uint32_t index;
    uint32_t count;
    struct table_key key;
    if (!frame_cells_begin(&reader, fold->plan, &index, &count, &key))
        return err_set(info, ERR_BROKEN, "a CELLS section of a view that is not configured here");
    const struct view *view = &fold->plan->views[index];
    for (uint32_t i = 0; i < count; i++) {
        struct measures delta;
        struct table_key own;
        if (!frame_cells_next(&reader, view, index, &key, &delta) || !map_key(source, &key, &own))
            return err_set(info, ERR_BROKEN, "cell %" PRIu32 " of a CELLS section of view %s is broken", i, view->name);
        uint32_t slice = totals_slice(&key);
        TRY(check_cell(fold, index, slice, &key, &delta, info));
        if (!slice_in(fold->take, slice))
            continue;
        fold->sink.add(fold->sink.self, index, &own, &delta);
        fold->given++;
    }
    if (reader_left(&reader) > 0)
        return err_set(info, ERR_BROKEN, "a CELLS section of view %s with %zu bytes too many", view->name,
                       reader_left(&reader));
    return OK;
}

/* Takes back what was given of a section. */
static void untake_cells(struct cube_source_fold *fold, const struct cube_source *source, struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    uint32_t index;
    uint32_t count;
    struct table_key key;
    struct table_key own;
    struct measures delta;
    if (!frame_cells_begin(&reader, fold->plan, &index, &count, &key))
        return;
    while (fold->given > 0 && frame_cells_next(&reader, &fold->plan->views[index], index, &key, &delta) &&
           map_key(source, &key, &own)) {
        if (!slice_in(fold->take, totals_slice(&key)))
            continue;
        delta = measures_opposite(&delta);
        fold->sink.add(fold->sink.self, index, &own, &delta);
        fold->given--;
    }
}

static enum err check_counts(struct cube_source_fold *fold, struct bytes bytes, struct err_info *info)
{
    if (!frame_get_counts(bytes, &fold->counts))
        return err_set(info, ERR_BROKEN, "a broken COUNTS section");
    if (fold->group.use != SLICE_NONE && !fold->group.is_first)
        return OK; /* counts so far: the cube has them */
    for (int i = 0; i < VERDICTS; i++) {
        if (fold->counts.verdicts[i] < 0)
            return err_set(info, ERR_BROKEN, "%" PRId64 " declarations %s in one group", fold->counts.verdicts[i],
                           verdict_name((enum verdict)i));
        fold->sums.verdicts[i] += fold->counts.verdicts[i];
    }
    fold->declarations += counts_declarations(&fold->counts);
    return OK;
}

static enum err check_leaf(const struct cube_source_fold *fold, uint32_t view, const struct tally_control *journal,
                           struct err_info *info)
{
    struct tally_control sum = {0};
    const struct tally_control *own = &sum;
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        const struct tally_control *part = &fold->sums.leaf[slice][view];
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
    return invariant_broken(
        INVARIANT_CELLS_ARE_FOLD, info,
        "control totals of view %s: value %s, net mass %s mg, %" PRId64 " items; the journal says %s, %s, %" PRId64
        ". Restore the journal topic from a mirror, or replay the input into a new one",
        fold->plan->views[view].name, i128_to_text(own->value_minor, a), i128_to_text(own->net_mass_mg, b), own->items,
        i128_to_text(journal->value_minor, c), i128_to_text(journal->net_mass_mg, d), journal->items);
}

static enum err check_control(struct cube_source_fold *fold, const struct cube_source *source, struct bytes bytes,
                              struct err_info *info)
{
    struct control control;
    if (!frame_get_control(bytes, &control))
        return err_set(info, ERR_BROKEN, "a broken CONTROL section");
    for (int i = 0; i < VERDICTS; i++) {
        if (fold->sums.verdicts[i] != control.verdicts[i])
            return invariant_broken(INVARIANT_VERDICTS_ADD_UP, info,
                                    "control totals: %" PRId64 " declarations %s, the journal says %" PRId64,
                                    fold->sums.verdicts[i], verdict_name((enum verdict)i), control.verdicts[i]);
    }
    bool is_whole = fold->folds_cells && slices_are_whole(&source->slices) && source->filled == (uint32_t)ALL_SLICES;
    for (uint32_t view = 0; view < fold->plan->count && is_whole; view++) {
        if (fold->plan->views[view].leaf == view)
            TRY(check_leaf(fold, view, &control.tally, info));
    }
    fold->has_control = true;
    return OK;
}

/* What the slice holds must be what it says, and what the cube has of it. */
static enum err check_whole(struct cube_source_fold *fold, struct bytes bytes, struct err_info *info)
{
    struct slice_whole said;
    if (fold->group.use == SLICE_NONE || !slice_get_whole(bytes, &said))
        return err_set(info, ERR_BROKEN, "broken control totals of a slice");
    fold->has_whole = true;
    if (!fold->folds_cells)
        return OK;
    if (said.cells != fold->whole.cells || said.cell_sum != fold->whole.cell_sum)
        return err_set(info, ERR_BROKEN,
                       "control totals: slice %" PRIu32 " has %" PRIu64 " cells with another sum than the %" PRIu64
                       " that it says",
                       fold->group.slice, fold->whole.cells, said.cells);
    for (uint32_t view = 0; view < fold->plan->count; view++) {
        const struct tally_control *own = &fold->sums.leaf[fold->group.slice][view];
        const struct tally_control *there = &fold->content[view];
        if (own->value_minor != there->value_minor || own->net_mass_mg != there->net_mass_mg ||
            own->items != there->items)
            return invariant_broken(INVARIANT_SNAPSHOT_IS_FOLD, info,
                                    "control totals: slice %" PRIu32
                                    " of view %s is not what the groups before it add up to: "
                                    "%" PRId64 " items, the slice has %" PRId64,
                                    fold->group.slice, fold->plan->views[view].name, own->items, there->items);
    }
    return OK;
}

static enum err check_section(struct cube_source_fold *fold, struct cube_source *source, enum frame_section section,
                              struct bytes bytes, struct err_info *info)
{
    switch (section) {
    case SECTION_CODES:
        if (!(fold->group.use == SLICE_NONE ? frame_get_codes(bytes, &source->codes)
                                            : frame_get_codes_again(bytes, &source->codes)) ||
            !map_codes(fold, source))
            return err_set(info, ERR_BROKEN, "a broken CODES section: codes from number %" PRIu32 " on",
                           source->codes.count);
        return OK;
    case SECTION_CELLS:
        return fold->folds_cells ? take_cells(fold, source, bytes, info) : OK;
    case SECTION_COUNTS:
        return check_counts(fold, bytes, info);
    case SECTION_CONTROL:
        return check_control(fold, source, bytes, info);
    case SECTION_WHOLE:
        return check_whole(fold, bytes, info);
    case SECTION_REJECTS:
    case SECTION_LEDGER:
    case SECTION_LEDGER_WIDE:
    case SECTION_ID_KEY:
    case SECTION_REASON:
    case SECTION_WINDOW:
    case SECTION_SLICE:
    case SECTION_LISTED:
    case SECTION_PARTITIONS:
    case SECTION_FLOOR:
    case SECTION_PRINTS:
    case SECTION_IDLE:
    case SECTION_UNITS:
        return OK;
    }
    return err_set(info, ERR_CONFIG, "a section of unknown kind %d: upgrade the program", (int)section);
}

static enum err take_frame(struct cube_source_fold *fold, struct cube_source *source, const struct frame *frame,
                           struct err_info *info)
{
    struct reader reader = reader_of(frame->payload);
    enum frame_section section;
    struct bytes bytes;
    bool broken = false;
    while (frame_next_section(&reader, &section, &bytes, &broken))
        TRY(check_section(fold, source, section, bytes, info));
    return broken ? err_set(info, ERR_BROKEN, "a frame whose sections are cut short") : OK;
}

static void untake(struct cube_source_fold *fold, const struct cube_source *source, const struct frame *frames,
                   uint32_t count)
{
    for (uint32_t i = 0; i < count && fold->given > 0; i++) {
        struct reader reader = reader_of(frames[i].payload);
        enum frame_section section;
        struct bytes bytes;
        bool broken = false;
        while (fold->given > 0 && frame_next_section(&reader, &section, &bytes, &broken)) {
            if (section == SECTION_CELLS)
                untake_cells(fold, source, bytes);
        }
    }
    CHECK(fold->given == 0); /* the same bytes, read as before */
}

/* Slices whose cells count from this group on or from before it. */
static uint32_t reached(const struct cube_source *source, int64_t offset)
{
    uint32_t set = 0;
    for (uint32_t slice = 0; slice < SLICES; slice++)
        set |= (uint32_t)(offset >= source->cells_from[slice]) << slice;
    return set;
}

/* Which cells of this group are to be taken, and whether they meet any that they replace. A pass that must be done again goes on, to
 * find all such places at once. */
static void meet_plan(struct cube_source_fold *fold, struct cube_source *source, const struct frame *first)
{
    const struct slice_group *group = &fold->group;
    uint32_t bit = group->use == SLICE_NONE ? 0 : 1u << group->slice;
    bool is_own = fold->plan_id == 0 || plan_same_cells(first->plan, fold->plan_id);
    if (group->use == SLICE_REPLACE && (source->filled & bit) && !MUTANT(REPLAN_ADDED)) {
        source->cells_from[group->slice] = first->offset;
        fold->wants_refold = true;
    }
    fold->take = group->use == SLICE_NONE ? group->have : group->use == SLICE_COMPARE ? 0 : bit;
    if (group->use == SLICE_NONE && first->kind != FRAME_DATA)
        fold->take = source->filled; /* a mark or a hole has no cells: what came under another plan is still missing */
    fold->take &= is_own ? reached(source, first->offset) : 0;
    source->filled |= fold->take;
    bool is_known = group->use == SLICE_COMPARE ? (source->filled & bit) != 0 : fold->take != 0;
    fold->folds_cells = is_own && is_known && !fold->wants_refold;
}

static enum err take_group(struct cube_source_fold *fold, struct cube_source *source, const struct frame *frames,
                           uint32_t count, int32_t partition, struct err_info *info)
{
    fold->sums = source->sums;
    fold->declarations = 0;
    fold->given = 0;
    fold->has_control = false;
    fold->has_whole = false;
    memset(fold->content, 0, sizeof fold->content);
    fold->whole = (struct slice_whole){0};
    TRY(slices_take(&source->slices, frames, count, &fold->group, info));
    meet_plan(fold, source, &frames[0]);
    for (uint32_t i = 0; i < count; i++) {
        if (frames[i].partition != (uint32_t)partition)
            return err_set(info, ERR_BROKEN, "a frame of partition %" PRIu32 " in the journal of partition %" PRId32,
                           frames[i].partition, partition);
        TRY(take_frame(fold, source, &frames[i], info));
    }
    bool is_snap = frames[0].kind == FRAME_SNAP;
    if ((frames[0].kind == FRAME_DATA || is_snap) && !fold->has_control)
        return err_set(info, ERR_BROKEN, "a group of DATA without control totals");
    if (is_snap && !fold->has_whole)
        return err_set(info, ERR_BROKEN, "a slice without control totals of its own");
    return OK;
}

enum err cube_source_take(struct cube_source_fold *fold, struct cube_source *source, const struct frame *frames,
                          uint32_t count, int32_t partition, struct err_info *info)
{
    enum err err = take_group(fold, source, frames, count, partition, info);
    if (err == OK)
        source->sums = fold->sums;
    else
        untake(fold, source, frames, count);
    return err;
}
