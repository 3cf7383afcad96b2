/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/state.h"

#include "flow/frame_cells.h"
#include "flow/invariant.h"

#include <inttypes.h>

enum {
    ENTRIES = 16,
    ENTRY_BYTES_LEAST = sizeof(struct ledger_key) + 1 + 13, /* key, length, the fixed part of a contribution */
};

void state_init(struct state *state, const struct view_plan *plan, uint64_t seed)
{
    *state = (struct state){.event_ms_most = INT64_MIN, .plan = plan};
    state->ledger = ledger_new(seed);
    state->tally = tally_new(plan);
    state->totals = totals_new();
    dictionary_init(&state->dictionary);
}

void state_fini(struct state *state)
{
    ledger_free(state->ledger);
    tally_free(state->tally);
    totals_free(state->totals);
    reject_list_fini(&state->rejects);
    dictionary_fini(&state->dictionary);
    *state = (struct state){0};
}

static bool take_id_key(struct state *state, struct bytes bytes)
{
    if (bytes.length != sizeof state->id_key)
        return false;
    if (!state->has_id_key)
        memcpy(&state->id_key, bytes.data, sizeof state->id_key);
    state->has_id_key = true;
    return true;
}

/* The first that says so stands: no plan changes what the amounts in the ledger mean. */
static bool take_units(struct state *state, struct bytes bytes)
{
    if (bytes.length >= sizeof state->units)
        return false;
    if (!state->units[0])
        memcpy(state->units, bytes.data, bytes.length);
    return true;
}

bool state_take_open(struct state *state, const struct frame *open)
{
    if (state->has_id_key)
        return true;
    struct reader reader = reader_of(open->payload);
    enum frame_section section;
    struct bytes bytes;
    bool broken = false;
    while (frame_next_section(&reader, &section, &bytes, &broken)) {
        if ((section == SECTION_ID_KEY && !take_id_key(state, bytes)) ||
            (section == SECTION_UNITS && !take_units(state, bytes)))
            return false;
    }
    return state->has_id_key;
}

struct control state_control(const struct state *state)
{
    struct control control = {
        .tally = tally_control(state->tally),
        .ledger = ledger_sums(state->ledger),
        .floor = state->journalled_floor,
    };
    memcpy(control.verdicts, state->verdicts, sizeof control.verdicts);
    return control;
}

struct slice_whole state_whole(const struct state *state, uint32_t slice)
{
    struct slice_whole whole = {.ledger = ledger_segment_sums(state->ledger, slice)};
    whole.cell_sum = totals_control(state->totals, slice, &whole.cells);
    return whole;
}

/* One group on its way into the state. */
struct folding {
    struct state *state;
    const struct frame *frame;
    struct slice_group group;
    bool folds_cells;           /* they are of the plan that this process has */
    struct slice_whole content; /* of the slice, as its sections add up */
    bool has_whole;
    bool has_control;
};

static bool is_wanted(const struct folding *folding, uint32_t slice)
{
    return folding->group.use == SLICE_NONE ? slice_in(folding->group.have, slice)
                                            : folding->group.use != SLICE_COMPARE;
}

/* The entries of a SNAP group are all of its slice. */
static bool belongs(const struct folding *folding, uint32_t slice)
{
    return folding->group.use == SLICE_NONE || folding->group.slice == slice;
}

/* Entries that are looked up together, so that their cache misses overlap. */
struct entries {
    struct ledger_probe probes[ENTRIES];
    struct bytes contributions[ENTRIES];
    uint32_t count;
};

static void next_entries(const struct folding *folding, enum frame_section section, struct reader *reader,
                         struct entries *out)
{
    uint32_t count = 0;
    struct ledger_key key;
    for (; count < ENTRIES && frame_next_entry(reader, section, &key, &out->contributions[count]); count++)
        ledger_look(folding->state->ledger, &key, &out->probes[count]);
    for (uint32_t i = 0; i < count; i++)
        ledger_look_again(folding->state->ledger, &out->probes[i]);
    out->count = count;
}

static bool fold_entry(struct folding *folding, struct ledger_probe *probe, struct bytes contribution,
                       struct contribution *head)
{
    uint32_t slice = ledger_segment(&probe->key);
    if (!contribution_decode(contribution, head) || head->version > LEDGER_VERSION_MOST || !belongs(folding, slice))
        return false;
    if (folding->group.use != SLICE_NONE) {
        folding->content.ledger.entries++;
        folding->content.ledger.control += ledger_control_of(&probe->key, head->version, head->cancel, head->digest);
    }
    if (is_wanted(folding, slice))
        ledger_put(folding->state->ledger, probe, contribution);
    return true;
}

static bool fold_ledger(struct folding *folding, enum frame_section section, struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    struct contribution head = {0};
    struct entries entries = {.count = ENTRIES};
    bool good = true;
    while (good && entries.count == ENTRIES) {
        next_entries(folding, section, &reader, &entries);
        for (uint32_t i = 0; good && i < entries.count; i++)
            good = fold_entry(folding, &entries.probes[i], entries.contributions[i], &head);
    }
    contribution_fini(&head);
    return good && !reader.failed;
}

/* Of a slice: whoever has it has them already. */
static bool fold_prints(struct folding *folding, struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    while (reader_left(&reader) > 0 && !reader.failed) {
        uint64_t print = reader_u64(&reader);
        if (reader.failed || !belongs(folding, ledger_segment_of_print(print)))
            return false;
        folding->content.ledger.prints++;
        folding->content.ledger.print_control += ledger_control_of_print(print);
        if (folding->group.use == SLICE_LOAD)
            ledger_put_print(folding->state->ledger, print);
    }
    return !reader.failed;
}

static bool fold_cells(struct folding *folding, struct bytes bytes)
{
    struct state *state = folding->state;
    struct reader reader = reader_of(bytes);
    uint32_t view;
    uint32_t count;
    struct table_key key;
    if (!frame_cells_begin(&reader, state->plan, &view, &count, &key))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct measures cell;
        if (!frame_cells_next(&reader, &state->plan->views[view], view, &key, &cell))
            return false;
        uint32_t slice = totals_slice(&key);
        if (!belongs(folding, slice))
            return false;
        if (folding->group.use != SLICE_NONE) {
            folding->content.cells++;
            folding->content.cell_sum += totals_control_of(&key, &cell);
        }
        if (is_wanted(folding, slice))
            totals_add(state->totals, &key, &cell);
    }
    totals_flush(state->totals);
    return reader_left(&reader) == 0;
}

static bool fold_rejects(struct folding *folding, struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    struct reject_place place;
    while (frame_next_reject(&reader, folding->frame->lo, &place)) {
        if (is_wanted(folding, slice_of_offset(place.offset)))
            reject_list_add(&folding->state->rejects, &place, folding->state->today);
    }
    return !reader.failed;
}

/* The counts of a SNAP are those since the beginning: of use to a reader that begins with it. */
static bool fold_counts(struct folding *folding, struct bytes bytes)
{
    struct state *state = folding->state;
    struct counts counts;
    if (!frame_get_counts(bytes, &counts))
        return false;
    if (folding->group.use != SLICE_NONE && !folding->group.is_first)
        return true;
    counts_add(&state->counts, &counts);
    for (int i = 0; i < VERDICTS; i++)
        state->verdicts[i] += counts.verdicts[i];
    return true;
}

static bool same_whole(const struct folding *folding, const struct slice_whole *a, const struct slice_whole *b)
{
    return ledger_sums_equal(&a->ledger, &b->ledger) &&
           (!folding->folds_cells || (a->cell_sum == b->cell_sum && a->cells == b->cells));
}

/* What the slice holds must be what it says, and what is in memory now. */
static enum err check_whole(struct folding *folding, struct bytes bytes, struct err_info *info)
{
    struct slice_whole said;
    if (folding->group.use == SLICE_NONE || !slice_get_whole(bytes, &said))
        return err_set(info, ERR_BROKEN, "section %d is not what a writer of this version writes", (int)SECTION_WHOLE);
    struct slice_whole own = state_whole(folding->state, folding->group.slice);
    folding->has_whole = true;
    if (!same_whole(folding, &folding->content, &said))
        return err_set(info, ERR_BROKEN,
                       "control totals: slice %" PRIu32 " has %" PRIu64 " ledger entries and %" PRIu64
                       " cells with other sums than the %" PRIu64 " and %" PRIu64 " that it says",
                       folding->group.slice, folding->content.ledger.entries, folding->content.cells,
                       said.ledger.entries, said.cells);
    if (!same_whole(folding, &own, &said))
        return invariant_broken(INVARIANT_SNAPSHOT_IS_FOLD, info,
                                "control totals: slice %" PRIu32 " is not what the groups before it add up to: %" PRIu64
                                " ledger entries and %" PRIu64 " cells, the slice has %" PRIu64 " and %" PRIu64,
                                folding->group.slice, own.ledger.entries, own.cells, said.ledger.entries, said.cells);
    return OK;
}

static enum err check_control(const struct state *state, const struct control *journal, struct err_info *info)
{
    for (int i = 0; i < VERDICTS; i++) {
        if (state->verdicts[i] != journal->verdicts[i])
            return invariant_broken(INVARIANT_VERDICTS_ADD_UP, info,
                                    "control totals: %" PRId64 " declarations %s, the journal says %" PRId64,
                                    state->verdicts[i], verdict_name((enum verdict)i), journal->verdicts[i]);
    }
    if (!slices_are_whole(&state->slices))
        return OK;
    struct ledger_sums own = ledger_sums(state->ledger);
    if (!ledger_sums_equal(&own, &journal->ledger))
        return invariant_broken(INVARIANT_LEDGER_IS_FOLD, info,
                                "control totals: the ledger has %" PRIu64 " entries with sum %016" PRIx64
                                " and %" PRIu64 " fingerprints, the journal says %" PRIu64 ", %016" PRIx64
                                " and %" PRIu64,
                                own.entries, own.control, own.prints, journal->ledger.entries, journal->ledger.control,
                                journal->ledger.prints);
    return OK;
}

static enum err fold_control(struct folding *folding, struct bytes bytes, struct err_info *info)
{
    struct control control;
    if (!frame_get_control(bytes, &control))
        return err_set(info, ERR_BROKEN, "section %d is not what a writer of this version writes",
                       (int)SECTION_CONTROL);
    TRY(check_control(folding->state, &control, info));
    tally_set_control(folding->state->tally, &control.tally);
    return OK;
}

/* A section of a kind that the owner does not need (reason) is stepped over. */
static enum err fold_section(struct folding *folding, enum frame_section section, struct bytes bytes,
                             struct err_info *info)
{
    struct state *state = folding->state;
    bool is_snap = folding->group.use != SLICE_NONE;
    bool good = true;
    if (section == SECTION_CONTROL)
        return fold_control(folding, bytes, info);
    if (section == SECTION_WHOLE)
        return check_whole(folding, bytes, info);
    if (section == SECTION_CODES)
        good = is_snap ? frame_get_codes_again(bytes, &state->dictionary) : frame_get_codes(bytes, &state->dictionary);
    else if (section == SECTION_CELLS)
        good = !folding->folds_cells || fold_cells(folding, bytes);
    else if (section == SECTION_LEDGER || section == SECTION_LEDGER_WIDE)
        good = fold_ledger(folding, section, bytes);
    else if (section == SECTION_COUNTS)
        good = fold_counts(folding, bytes);
    else if (section == SECTION_REJECTS)
        good = fold_rejects(folding, bytes);
    else if (section == SECTION_LISTED)
        good = is_snap &&
               (folding->group.use != SLICE_LOAD || reject_list_get(bytes, &state->rejects, folding->group.slice));
    else if (section == SECTION_PRINTS)
        good = is_snap && fold_prints(folding, bytes);
    else if (section == SECTION_ID_KEY)
        good = take_id_key(state, bytes);
    else if (section == SECTION_UNITS)
        good = take_units(state, bytes);
    return good ? OK
                : err_set(info, ERR_BROKEN, "section %d is not what a writer of this version writes", (int)section);
}

static enum err fold_frame(struct folding *folding, const struct frame *frame, struct err_info *info)
{
    struct reader reader = reader_of(frame->payload);
    enum frame_section section;
    struct bytes bytes;
    bool broken = false;
    folding->frame = frame;
    while (frame_next_section(&reader, &section, &bytes, &broken)) {
        TRY(fold_section(folding, section, bytes, info));
        folding->has_control = section == SECTION_CONTROL;
    }
    return broken ? err_set(info, ERR_BROKEN, "a frame whose sections are cut short") : OK;
}

static void take_marks(struct state *state, const struct frame *last, const struct slice_group *group)
{
    if (last->hi > last->lo)
        state->has_record = last->kind == FRAME_DATA;
    else if (group->is_first)
        state->has_record = group->has_record;
    state->hi = last->hi;
    state->event_ms_most = last->event_ms_most;
    state->record_timestamp = last->record_timestamp;
    state->record_crc = last->record_crc;
}

/* A slice that is to be loaded says in its last frame how many entries it has; more than fit into its frames are not believed. */
static void make_room(struct folding *folding, const struct frame *frames, uint32_t count)
{
    struct bytes whole;
    struct slice_whole said;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += frames[i].payload.length;
    if (folding->group.use == SLICE_LOAD && frame_find_section(&frames[count - 1], SECTION_WHOLE, &whole) &&
        slice_get_whole(whole, &said) && said.ledger.entries <= bytes / ENTRY_BYTES_LEAST &&
        said.ledger.prints <= bytes / sizeof(uint64_t))
        ledger_reserve(folding->state->ledger, folding->group.slice, said.ledger.entries + said.ledger.prints);
}

/* The floor as the group leaves it is that of the whole group: what was counted in it was judged by its writer. */
static enum err take_floor(struct state *state, const struct frame *last, struct err_info *info)
{
    struct bytes bytes;
    struct control control;
    if (!frame_find_section(last, SECTION_CONTROL, &bytes) || !frame_get_control(bytes, &control))
        return OK; /* the fold says so */
    if (control.floor < state->journalled_floor)
        return invariant_broken(INVARIANT_FLOOR_NEVER_FALLS, info,
                                "the floor of the ledger falls from month %" PRId32 " to %" PRId32,
                                state->journalled_floor, control.floor);
    state_raise_floor(state, control.floor);
    return OK;
}

void state_raise_floor(struct state *state, int32_t month)
{
    if (month > state->journalled_floor)
        state->journalled_floor = month;
    ledger_raise_floor(state->ledger, month);
}

enum err state_fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct state *state = context;
    struct folding folding = {.state = state};
    TRY(slices_take(&state->slices, frames, count, &folding.group, info));
    folding.folds_cells = state->plan_id == 0 || plan_same_cells(frames[0].plan, state->plan_id);
    TRY(take_floor(state, &frames[count - 1], info));
    if (folding.group.use == SLICE_REPLACE)
        totals_clear_slice(state->totals, folding.group.slice);
    make_room(&folding, frames, count);
    for (uint32_t i = 0; i < count; i++)
        TRY(fold_frame(&folding, &frames[i], info));
    if (!folding.has_control)
        return err_set(info, ERR_BROKEN, "a group that does not end with control totals");
    if (folding.group.use != SLICE_NONE && !folding.has_whole)
        return err_set(info, ERR_BROKEN, "a slice without control totals of its own");
    take_marks(state, &frames[count - 1], &folding.group);
    return OK;
}
