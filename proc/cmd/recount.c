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
    bool judged_otherwise; /* the open group: verdicts come from its list */
    struct reject_place *listed;
    size_t listed_count;
    size_t listed_capacity;
    size_t listed_at; /* the first that is not met yet */
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
        .horizon_months = options->horizon_months,
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
    memory_free(recount->listed);
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

static enum rule rule_of_number(uint16_t number)
{
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (settle_rule_number((enum rule)rule) == number)
            return (enum rule)rule;
    }
    return RULE_COUNT;
}

/* What others rejected is rejected, and nothing else. */
static enum err judge_as_listed(struct recount *recount, struct batch *batch, struct err_info *info)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct element *element = &batch->elements[i];
        const struct reject_place *place =
            recount->listed_at < recount->listed_count ? &recount->listed[recount->listed_at] : NULL;
        if (place && place->offset == element->record->offset && place->index == element->index) {
            enum rule rule = rule_of_number(place->rule_number);
            if (rule == RULE_COUNT)
                return err_set(info, ERR_BROKEN,
                               "the journal lists input offset %" PRId64 " with rule number %u, which is none",
                               place->offset, place->rule_number);
            bool is_late_out =
                rule == RULE_TIM_411 && rules_late_out(recount->options.rules); /* settle.c finds it again */
            if (is_late_out && element->broken == RULE_COUNT)
                batch_accept(batch, i);
            else
                batch_reject(batch, i, rule);
            recount->listed_at++;
        } else if (element->broken != RULE_COUNT) {
            return err_set(info, ERR_BROKEN, "the journal has counted input offset %" PRId64 ", which does not decode",
                           element->record->offset);
        } else {
            batch_accept(batch, i);
        }
    }
    return OK;
}

static enum err settle_record(struct recount *recount, const struct port_record *record, struct err_info *info)
{
    struct batch *batch = recount->context.batch;
    size_t next = 0;
    do {
        batch_fill(batch, record, 1, &next);
        batch_decode(batch);
        batch_judge(batch);
        if (recount->judged_otherwise)
            TRY(judge_as_listed(recount, batch, info));
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

static enum err compare_verdicts(const struct counts *own, const struct counts *journal, struct err_info *info)
{
    for (int i = 0; i < VERDICTS; i++) {
        if (own->verdicts[i] != journal->verdicts[i])
            return err_set(info, ERR_BROKEN, "the recount finds %" PRId64 " declarations %s, the journal says %" PRId64,
                           own->verdicts[i], verdict_name((enum verdict)i), journal->verdicts[i]);
    }
    return OK;
}

static enum err compare_counts(const struct counts *own, const struct counts *journal, struct err_info *info)
{
    TRY(compare_verdicts(own, journal, info));
    for (unsigned i = 0; i < RULE_NUMBERS; i++) {
        bool is_told_twice =
            own->warnings[i] == journal->warnings[i] || recall_owns(i); /* what a process recalled dies with it */
        if (own->rejects[i] != journal->rejects[i] || !is_told_twice)
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
    if (a.floor != b.floor)
        return err_set(info, ERR_BROKEN, "the floor is month %" PRId32 " in the recount, %" PRId32 " in the journal",
                       a.floor, b.floor);
    if (!ledger_sums_equal(&a.ledger, &b.ledger))
        return err_set(info, ERR_BROKEN,
                       "the recount's ledger has %" PRIu64 " entries with sum %016" PRIx64 " and %" PRIu64
                       " fingerprints, the journal's %" PRIu64 ", %016" PRIx64 " and %" PRIu64,
                       a.ledger.entries, a.ledger.control, a.ledger.prints, b.ledger.entries, b.ledger.control,
                       b.ledger.prints);
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
    for (struct frame_walk walk = frame_walk_of(frames, count); frame_walk_next(&walk);) {
        struct reader list = reader_of(walk.bytes);
        struct reject_place place;
        while (walk.section == SECTION_REJECTS && frame_next_reject(&list, walk.frame->lo, &place)) {
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

/* ---- groups that other rules or lists have judged ---- */

static void note_listed(struct recount *recount, const struct reject_place *place)
{
    if (recount->listed_count == recount->listed_capacity) {
        recount->listed_capacity = recount->listed_capacity ? recount->listed_capacity * 2 : 64;
        recount->listed = memory_resize(recount->listed, recount->listed_capacity, sizeof recount->listed[0]);
    }
    recount->listed[recount->listed_count++] = *place;
}

/* Puts what the journal made of a declaration in the place of what today's rules and lists make of it: warnings and converted quantities may differ. */
static enum err adopt(struct recount *recount, const struct ledger_key *key, struct bytes contribution,
                      struct err_info *info)
{
    struct partition_context *context = &recount->context;
    struct state *state = &recount->partition->state;
    struct ledger_probe probe;
    struct bytes own;
    if (!contribution_decode(contribution, &context->fresh))
        return err_set(info, ERR_BROKEN, "a ledger entry that does not decode");
    ledger_look(state->ledger, key, &probe);
    if (ledger_judge(state->ledger, &probe, context->fresh.version, context->fresh.cancel, context->fresh.digest,
                     &own) != LEDGER_DUPLICATE)
        return OK; /* a version that a later one of the group replaced, or none of ours: the sums over the ledgers tell */
    if (own.length == contribution.length && memcmp(own.data, contribution.data, own.length) == 0)
        return OK;
    if (!contribution_decode(own, &context->stored))
        return err_set(info, ERR_BROKEN, "an entry of the recount's ledger that does not decode");
    tally_list(state->tally, &context->stored, -1);
    tally_list(state->tally, &context->fresh, 1);
    ledger_put(state->ledger, &probe, contribution);
    return OK;
}

/* Each section of that kind: the reject list into `listed`, or the ledger's entries into the state. */
static enum err take_sections(struct recount *recount, const struct frame *frames, uint32_t count,
                              enum frame_section wanted, struct err_info *info)
{
    for (struct frame_walk walk = frame_walk_of(frames, count); frame_walk_next(&walk);) {
        struct reader list = reader_of(walk.bytes);
        struct reject_place place;
        struct ledger_key key;
        struct bytes contribution;
        bool is_ledger = walk.section == SECTION_LEDGER || walk.section == SECTION_LEDGER_WIDE;
        if (wanted != (is_ledger ? SECTION_LEDGER : walk.section))
            continue;
        while (walk.section == SECTION_REJECTS && frame_next_reject(&list, walk.frame->lo, &place))
            note_listed(recount, &place);
        while (is_ledger && frame_next_entry(&list, walk.section, &key, &contribution))
            TRY(adopt(recount, &key, contribution, info));
    }
    return OK;
}

/* Whether all items are left out of the statistics is decided by rules and lists, too. */
static void join_counted(struct counts *counts)
{
    counts->verdicts[VERDICT_COUNTED] += counts->verdicts[VERDICT_NOT_COUNTED];
    counts->verdicts[VERDICT_NOT_COUNTED] = 0;
}

static enum err compare_otherwise(struct recount *recount, const struct frame *frames, uint32_t count,
                                  const struct state *journal, struct err_info *info)
{
    struct counts own = recount->partition->open.group->counts;
    TRY(journal_counts(frames, count, &recount->counts, info));
    join_counted(&own);
    join_counted(&recount->counts);
    TRY(compare_verdicts(&own, &recount->counts, info));
    if (recount->listed_at < recount->listed_count)
        return err_set(info, ERR_BROKEN, "the journal lists input offset %" PRId64 " as rejected, where nothing stands",
                       recount->listed[recount->listed_at].offset);
    if (recount->partition->state.dictionary.count != journal->dictionary.count)
        return err_set(info, ERR_BROKEN, "the recount has %" PRIu32 " codes, the journal %" PRIu32,
                       recount->partition->state.dictionary.count, journal->dictionary.count);
    TRY(take_sections(recount, frames, count, SECTION_LEDGER, info));
    return slices_are_whole(&journal->slices) ? compare_states(&recount->partition->state, journal, info) : OK;
}

static enum err recount_otherwise(struct recount *recount, const struct frame *frames, uint32_t count,
                                  const struct state *journal, struct err_info *info)
{
    recount->listed_count = 0;
    recount->listed_at = 0;
    TRY(take_sections(recount, frames, count, SECTION_REJECTS, info));
    recount->judged_otherwise = true;
    enum err err = settle_range(recount, frames[0].hi, info);
    recount->judged_otherwise = false;
    TRY(err);
    TRY(compare_otherwise(recount, frames, count, journal, info));
    struct group *group = seal_data(recount->partition);
    err = fold_sealed(recount, group, frames[0].offset, info);
    group_free(group);
    recount->sums.groups += err == OK;
    recount->sums.otherwise += err == OK;
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
    bool is_own = plan_same_cells(first->plan, recount->options.plan_id);
    bool is_otherwise = is_own && first->plan != recount->options.plan_id;
    /* what was judged otherwise and is only known by its sums can't be judged again: the state must stand right before the group */
    bool follows = !is_otherwise || (recount->partition->state.hi == first->lo && first->lo >= recount->low);
    if (is_data && is_own && follows && (recount->is_counting || first->lo >= recount->low)) {
        if (!recount->is_counting)
            seal_begin(recount->partition);
        recount->is_counting = true;
        enum err err = is_otherwise ? recount_otherwise(recount, frames, count, journal, info)
                                    : recount_data(recount, frames, count, journal, info);
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
