/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/recount.h"

#include "base/check.h"
#include "base/crc.h"
#include "base/memory.h"
#include "flow/seal.h"
#include "flow/settle.h"
#include "flow/slice.h"

#include <inttypes.h>

struct recount {
    struct recount_options options;
    struct recount_sums sums;
    struct worker_counters counters; /* a partition counts into them */
    struct partition_status status;
    struct ruleset ruleset;
    struct partition_context context;
    struct partition *partition; /* NULL between two partitions */
    struct walk input;
    int64_t low;          /* first input offset that is still there */
    bool is_counting;     /* the state is the recount's own */
    bool has_believed;    /* what the state was made of was not all recounted */
    struct frame *frames; /* of the sealed group */
    struct reject_place *places;
    size_t place_capacity;
    struct counts counts;
};

/* The state is made from the input alone: no nonce and no back-off is ever needed. */
static uint64_t no_random(void *context)
{
    (void)context;
    return 0;
}

static int64_t port_time(void *self)
{
    (void)self;
    return 0;
}

static const struct port no_port = {.now_ms = port_time};

struct recount *recount_new(const struct recount_options *options)
{
    struct recount *recount = memory_new_aligned(64, sizeof *recount);
    recount->options = *options;
    recount->frames = memory_new(FRAMES_A_GROUP_MOST, sizeof recount->frames[0]);
    recount->ruleset = (struct ruleset){options->plan_id, options->rules, options->reference, 1};
    recount->context = (struct partition_context){
        .port = &no_port,
        .plan = options->plan,
        .ruleset = &recount->ruleset,
        .topic = text_of(options->topic),
        .random = no_random,
        .batch = batch_new(&options->batch),
        .counters = &recount->counters,
    };
    return recount;
}

void recount_free(struct recount *recount)
{
    if (!recount)
        return;
    recount_end(recount);
    batch_free(recount->context.batch);
    contribution_fini(&recount->context.fresh);
    contribution_fini(&recount->context.stored);
    buffer_fini(&recount->context.bytes);
    memory_free(recount->frames);
    memory_free(recount->places);
    memory_free(recount);
}

enum err recount_begin(struct recount *recount, int32_t partition, struct err_info *info)
{
    recount_end(recount);
    walk_init(&recount->input, recount->options.port, PORT_DECLARATIONS, partition);
    recount->input.patience_ms = recount->options.patience_ms;
    TRY(walk_note(&recount->input, info));
    recount->low = recount->input.next;
    recount->is_counting = false;
    recount->has_believed = false;
    recount->partition = memory_new(1, sizeof *recount->partition);
    partition_init(recount->partition, &recount->context, &recount->status, partition);
    state_init(&recount->partition->state, recount->options.plan, 1);
    recount->partition->state.plan_id = recount->options.plan_id;
    recount->partition->has_state = true;
    return OK;
}

void recount_end(struct recount *recount)
{
    if (!recount->partition)
        return;
    walk_close(&recount->input);
    partition_fini(recount->partition);
    memory_free(recount->partition);
    recount->partition = NULL;
    batch_reset(recount->context.batch);
}

void recount_forget(struct recount *recount)
{
    recount_end(recount);
    recount->sums = (struct recount_sums){0};
}

void recount_open(struct recount *recount, const struct frame *open)
{
    bool has_key = state_take_open(&recount->partition->state, open);
    (void)has_key; /* the journal's own state says if it is missing */
}

const struct recount_sums *recount_sums(const struct recount *recount)
{
    return &recount->sums;
}

/* ---- counting ---- */

/* What work.c does behind each record that is used up. */
static void advance(struct state *state, const struct port_record *record)
{
    state->hi = record->offset + 1;
    state->has_record = true;
    state->record_timestamp = record->timestamp_ms;
    state->record_crc = crc32c(0, record->value.data, record->value.length);
}

static enum err settle_record(struct recount *recount, const struct port_record *record, struct err_info *info)
{
    struct batch *batch = recount->context.batch;
    size_t next = 0;
    do {
        batch_fill(batch, record, 1, &next);
        batch_decode(batch);
        batch_judge(batch);
        TRY(settle_batch(recount->partition, batch, info));
        recount->sums.declarations += batch->count;
    } while (batch->record_open);
    advance(&recount->partition->state, record);
    recount->partition->open.group->counts.records++;
    recount->sums.records++;
    return OK;
}

/* The records of [the state's position, hi). */
static enum err settle_range(struct recount *recount, int64_t hi, struct err_info *info)
{
    struct walk *input = &recount->input;
    struct state *state = &recount->partition->state;
    if (hi > input->end)
        TRY(walk_extend(input, info));
    if (hi > input->end)
        return err_set(info, ERR_BROKEN,
                       "the group covers input up to offset %" PRId64 ", the input log ends at %" PRId64
                       ": the input topic was created anew or cut",
                       hi, input->end);
    int64_t end = input->end;
    input->end = hi;
    enum err err = OK;
    const struct port_record *record;
    while ((err = walk_next(input, &record, info)) == OK && record) {
        if (record->fault != PORT_NONE)
            err = err_set(info, ERR_PEER, "input offset %" PRId64 " can't be read: %s", record->offset,
                          walk_fault_name(record->fault));
        else if (record->offset >= state->hi)
            err = settle_record(recount, record, info);
        if (err != OK)
            break;
    }
    input->end = end;
    state->hi = hi;
    return err;
}

/* ---- comparing ---- */

static enum err compare_counts(const struct counts *own, const struct counts *journal, struct err_info *info)
{
    for (int i = 0; i < VERDICTS; i++) {
        if (own->verdicts[i] != journal->verdicts[i])
            return err_set(info, ERR_BROKEN, "the recount finds %" PRId64 " declarations %s, the journal says %" PRId64,
                           own->verdicts[i], verdict_name((enum verdict)i), journal->verdicts[i]);
    }
    for (unsigned i = 0; i < RULE_NUMBERS; i++) {
        if (own->rejects[i] != journal->rejects[i] || own->warnings[i] != journal->warnings[i])
            return err_set(info, ERR_BROKEN,
                           "the recount finds rule number %u rejecting %" PRId64 " and warning of %" PRId64
                           " declarations, the journal says %" PRId64 " and %" PRId64,
                           i, own->rejects[i], own->warnings[i], journal->rejects[i], journal->warnings[i]);
    }
    if (own->records != journal->records || own->items != journal->items ||
        own->unknown_fields != journal->unknown_fields)
        return err_set(info, ERR_BROKEN,
                       "the recount finds %" PRId64 " records, %" PRId64 " items, %" PRId64
                       " unknown fields; the journal says %" PRId64 ", %" PRId64 ", %" PRId64,
                       own->records, own->items, own->unknown_fields, journal->records, journal->items,
                       journal->unknown_fields);
    return OK;
}

static enum err compare_states(const struct state *own, const struct state *journal, struct err_info *info)
{
    struct control a = state_control(own);
    struct control b = state_control(journal);
    char value[2][I128_TEXT_BYTES];
    if (a.ledger != b.ledger || a.ledger_count != b.ledger_count)
        return err_set(info, ERR_BROKEN,
                       "the recount's ledger has %" PRIu64 " entries with sum %016" PRIx64 ", the journal's %" PRIu64
                       " and %016" PRIx64,
                       a.ledger_count, a.ledger, b.ledger_count, b.ledger);
    if (a.tally.value_minor != b.tally.value_minor || a.tally.net_mass_mg != b.tally.net_mass_mg ||
        a.tally.items != b.tally.items)
        return err_set(info, ERR_BROKEN,
                       "the recount adds up to value %s and %" PRId64 " items, the journal to %s and %" PRId64,
                       i128_to_text(a.tally.value_minor, value[0]), a.tally.items,
                       i128_to_text(b.tally.value_minor, value[1]), b.tally.items);
    if (own->record_crc != journal->record_crc || own->record_timestamp != journal->record_timestamp)
        return err_set(info, ERR_BROKEN,
                       "the last input record is not the one that was counted: the input topic was created anew");
    if (own->event_ms_most != journal->event_ms_most)
        return err_set(info, ERR_BROKEN,
                       "the largest event time is %" PRId64 " in the recount, %" PRId64 " in the journal",
                       own->event_ms_most, journal->event_ms_most);
    return OK;
}

/* The journal's list against ours, which the open group holds until it is sealed. */
static enum err compare_places(const struct recount *recount, size_t own_count, const struct frame *frames,
                               uint32_t count, struct err_info *info)
{
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct reader reader = reader_of(frames[i].payload);
        enum frame_section section;
        struct bytes bytes;
        bool broken = false;
        while (frame_next_section(&reader, &section, &bytes, &broken)) {
            struct reader list = reader_of(bytes);
            struct reject_place place;
            while (section == SECTION_REJECTS && frame_next_reject(&list, frames[i].lo, &place)) {
                const struct reject_place *own = at < own_count ? &recount->places[at] : NULL;
                if (!own || own->offset != place.offset || own->index != place.index ||
                    own->rule_number != place.rule_number)
                    return err_set(info, ERR_BROKEN,
                                   "the journal lists input offset %" PRId64
                                   " as rejected by rule number %u, the recount does not",
                                   place.offset, place.rule_number);
                at++;
            }
        }
    }
    return at == own_count
               ? OK
               : err_set(info, ERR_BROKEN, "the recount rejects input offset %" PRId64 ", the journal does not list it",
                         recount->places[at].offset);
}

static size_t copy_places(struct recount *recount)
{
    const struct open_group *open = &recount->partition->open;
    if (open->place_count > recount->place_capacity) {
        recount->place_capacity = open->place_count * 2;
        recount->places = memory_resize(recount->places, recount->place_capacity, sizeof recount->places[0]);
    }
    if (open->place_count)
        memcpy(recount->places, open->places, open->place_count * sizeof recount->places[0]);
    return open->place_count;
}

/* Our own frames, through the cube as the journal's go. */
static enum err fold_sealed(struct recount *recount, struct group *group, int64_t journal_offset, struct err_info *info)
{
    static const struct frame_nonce nonce;
    size_t at = 0;
    for (uint32_t i = 0; i < group->frame_count; i++) {
        struct bytes bytes = {group->bytes.data + at, group->frame_bytes[i]};
        frame_seal(group->bytes.data + at, bytes.length, &nonce, i + 1);
        TRY(frame_parse(bytes, &recount->frames[i], info));
        recount->frames[i].offset = journal_offset; /* the cube knows from where on slices count */
        at += bytes.length;
    }
    return cube_fold(recount->options.cube, recount->partition->number, recount->frames, group->frame_count, info);
}

static enum err journal_counts(const struct frame *frames, uint32_t count, struct counts *out, struct err_info *info)
{
    *out = (struct counts){0};
    for (uint32_t i = 0; i < count; i++) {
        struct bytes bytes;
        if (frame_find_section(&frames[i], SECTION_COUNTS, &bytes) && !frame_get_counts(bytes, out))
            return err_set(info, ERR_BROKEN, "a broken COUNTS section");
    }
    return OK;
}

/* Input below the first group that is in the journal still: nothing there to compare it with but the sums so far. */
static enum err catch_up(struct recount *recount, const struct frame *first, struct err_info *info)
{
    if (recount->partition->state.hi >= first->lo)
        return OK;
    TRY(settle_range(recount, first->lo, info));
    struct group *group = seal_data(recount->partition);
    enum err err = fold_sealed(recount, group, first->offset, info);
    group_free(group);
    return err;
}

static enum err recount_data(struct recount *recount, const struct frame *frames, uint32_t count,
                             const struct state *journal, struct err_info *info)
{
    TRY(catch_up(recount, &frames[0], info));
    TRY(settle_range(recount, frames[0].hi, info));
    size_t places = copy_places(recount);
    struct group *group = seal_data(recount->partition);
    enum err err = journal_counts(frames, count, &recount->counts, info);
    if (err == OK)
        err = compare_counts(&group->counts, &recount->counts, info);
    if (err == OK)
        err = compare_places(recount, places, frames, count, info);
    if (err == OK && slices_are_whole(&journal->slices)) /* a trimmed journal begins within a cycle */
        err = compare_states(&recount->partition->state, journal, info);
    if (err == OK)
        err = fold_sealed(recount, group, frames[0].offset, info);
    group_free(group);
    recount->sums.groups += err == OK;
    return err;
}

/* The group becomes part of the state as it is. */
static enum err believe(struct recount *recount, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct partition *partition = recount->partition;
    TRY(state_fold(&partition->state, frames, count, info));
    return cube_fold(recount->options.cube, partition->number, frames, count, info);
}

enum err recount_group(struct recount *recount, const struct frame *frames, uint32_t count, const struct state *journal,
                       struct err_info *info)
{
    const struct frame *first = &frames[0];
    bool is_data = first->kind == FRAME_DATA;
    bool is_own = first->plan == recount->options.plan_id;
    if (is_data && is_own && (recount->is_counting || first->lo >= recount->low)) {
        if (!recount->is_counting)
            seal_begin(recount->partition);
        recount->is_counting = true;
        enum err err = recount_data(recount, frames, count, journal, info);
        return err == ERR_BROKEN ? err_prefix(info, err, "input [%" PRId64 ", %" PRId64 ")", first->lo, first->hi)
                                 : err;
    }
    bool needs_nothing = recount->is_counting || (recount->low == 0 && !recount->has_believed);
    if (first->kind == FRAME_SNAP && is_own && needs_nothing)
        return OK; /* the recount has its own state */
    recount->sums.believed += is_data && is_own;
    recount->sums.older += is_data && !is_own;
    TRY(believe(recount, frames, count, info));
    if (is_data || first->kind == FRAME_SNAP) {
        recount->is_counting = false;
        recount->has_believed = true;
    }
    if (recount->is_counting)
        seal_begin(recount->partition);
    return OK;
}
