/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/audit.h"

#include "base/crc.h"
#include "base/memory.h"
#include "cmd/audit_inside.h"
#include "cmd/compare.h"
#include "cmd/derive.h"
#include "trade/calendar.h"

#include <inttypes.h>
#include <stdio.h>

static const char mend_journal[] =
    "restore the journal topic from a mirror, go on from what was accepted before it (dryport skip --rebase), or count "
    "the input again into new journal and statistics topics";
static const char mend_bug[] =
    "keep the topics and report it: the journal contradicts itself. Count the input again into new topics to go on";
static const char mend_input[] =
    "the input topic is not the one that was counted: use new journal and statistics topics with it";
static const char mend_recount[] =
    "the journal was counted under other rules, lists or records than there are now: count the input again into new "
    "journal and statistics topics";

enum { SHOW_EACH = 4096 };

/* ---- life ---- */

struct audit *audit_new(const struct audit_options *options)
{
    struct audit *audit = memory_new(1, sizeof *audit);
    audit->options = *options;
    audit->partitions = options->port->partitions(options->port->self, PORT_JOURNAL);
    audit->journals = memory_new((size_t)audit->partitions, sizeof audit->journals[0]);
    audit->cube = cube_new(options->plan, audit->partitions, options->plan_id);
    audit->derived = cube_new(options->plan, audit->partitions, 0);
    audit->listed = listed_new();
    audit->writer = statistic_writer_new(options->plan, options->reference, options->reporter, options->currency);
    if (!options->recount)
        return audit;
    audit->recounted = cube_new(options->plan, audit->partitions, options->plan_id);
    audit->recount = recount_new(&(struct recount_options){.port = options->port,
                                                           .plan = options->plan,
                                                           .rules = options->rules,
                                                           .reference = options->reference,
                                                           .plan_id = options->plan_id,
                                                           .batch = options->batch,
                                                           .horizon_months = options->horizon_months,
                                                           .topic = options->topic,
                                                           .cube = audit->recounted,
                                                           .patience_ms = options->patience_ms});
    return audit;
}

void audit_free(struct audit *audit)
{
    if (!audit)
        return;
    for (int32_t i = 0; i < audit->partitions; i++) {
        struct audit_journal *journal = &audit->journals[i];
        walk_close(&journal->walk);
        reader_rule_free(journal->rule);
        memory_free(journal->shown.judged);
        if (journal->has_state)
            state_fini(&journal->state);
    }
    memory_free(audit->journals);
    recount_free(audit->recount);
    cube_free(audit->recounted);
    cube_free(audit->derived);
    cube_free(audit->cube);
    listed_free(audit->listed);
    statistic_writer_free(audit->writer);
    memory_free(audit);
}

void audit_note(struct audit *audit, enum port_topic topic, int32_t partition, int64_t offset, const char *mend,
                const char *format, ...)
{
    if (audit->broken++ >= AUDIT_PLACES_MOST)
        return;
    struct audit_place *place = &audit->places[audit->broken - 1];
    *place = (struct audit_place){.topic = topic, .partition = partition, .offset = offset, .mend = mend};
    va_list args;
    va_start(args, format);
    vsnprintf(place->what, sizeof place->what, format, args);
    va_end(args);
}

void audit_show(struct audit *audit, const char *what)
{
    const struct audit_options *options = &audit->options;
    if (options->progress && ++audit->done % SHOW_EACH == 0)
        options->progress(options->progress_context, what, audit->done, audit->total, audit->done);
}

uint64_t audit_broken(const struct audit *audit)
{
    return audit->broken;
}

const struct audit_place *audit_place(const struct audit *audit, uint32_t index)
{
    return &audit->places[index];
}

const struct audit_sums *audit_sums(const struct audit *audit)
{
    return &audit->sums;
}

int32_t audit_partitions(const struct audit *audit)
{
    return audit->partitions;
}

const struct audit_partition *audit_partition(const struct audit *audit, int32_t partition)
{
    return &audit->journals[partition].shown;
}

const struct recount_sums *audit_recount(const struct audit *audit)
{
    return audit->recount ? recount_sums(audit->recount) : NULL;
}

/* ---- a group ---- */

static void add_counts(struct counts *to, const struct counts *from)
{
    for (int i = 0; i < VERDICTS; i++)
        to->verdicts[i] += from->verdicts[i];
    for (int i = 0; i < RULE_NUMBERS; i++) {
        to->rejects[i] += from->rejects[i];
        to->warnings[i] += from->warnings[i];
    }
    to->records += from->records;
    to->items += from->items;
    to->unknown_fields += from->unknown_fields;
    to->skipped += from->skipped;
}

/* Sections were checked by the folds before. */
static bool find_counts(const struct frame *frames, uint32_t count, struct counts *out)
{
    for (struct frame_walk walk = frame_walk_of(frames, count); frame_walk_next(&walk);) {
        if (walk.section == SECTION_COUNTS)
            return frame_get_counts(walk.bytes, out);
    }
    return false;
}

/* What a group says of itself must fit its range and its lists. */
static enum err check_counts(struct audit_journal *journal, const struct frame *frames, uint32_t count, uint64_t listed,
                             struct err_info *info)
{
    struct audit *audit = journal->audit;
    struct counts *counts = &audit->counts;
    int64_t range = frames[0].hi - frames[0].lo;
    if (!find_counts(frames, count, counts))
        return range == 0 ? OK : err_set(info, ERR_BROKEN, "a group without counts");
    bool is_first = journal->groups++ == 0;
    if (frames[0].kind == FRAME_SNAP) { /* counts since the beginning: of use where the journal begins with it */
        if (is_first)
            add_counts(&audit->sums.counts, counts);
        return OK;
    }
    int64_t covered = frames[0].kind == FRAME_SKIP ? counts->skipped : counts->records;
    if (covered < 0 || covered > range)
        return err_set(info, ERR_BROKEN, "%" PRId64 " records in the range [%" PRId64 ", %" PRId64 ")", covered,
                       frames[0].lo, frames[0].hi);
    int64_t refused = counts->verdicts[VERDICT_REJECTED] + counts->verdicts[VERDICT_LATE_OUT];
    if (frames[0].kind == FRAME_DATA && (uint64_t)refused != listed)
        return err_set(info, ERR_BROKEN,
                       "%" PRId64 " declarations rejected or late_out, but %" PRIu64 " in the reject list", refused,
                       listed);
    add_counts(&audit->sums.counts, counts);
    return OK;
}

/* The range goes on under the same plan, or another one begins. */
static void note_judged(struct audit_journal *journal, const struct frame *frames)
{
    struct audit_partition *shown = &journal->shown;
    struct audit_judged *last = shown->judged_count ? &shown->judged[shown->judged_count - 1] : NULL;
    journal->audit->sums.otherwise += plan_same_cells(frames[0].plan, journal->audit->options.plan_id) &&
                                      frames[0].plan != journal->audit->options.plan_id;
    if (last && last->plan == frames[0].plan && last->hi == frames[0].lo) {
        last->hi = frames[0].hi;
        return;
    }
    if (shown->judged_count == journal->judged_capacity) {
        journal->judged_capacity = journal->judged_capacity ? journal->judged_capacity * 2 : 8;
        shown->judged = memory_resize(shown->judged, journal->judged_capacity, sizeof shown->judged[0]);
    }
    shown->judged[shown->judged_count++] = (struct audit_judged){frames[0].plan, frames[0].lo, frames[0].hi};
}

static enum err fold_whole(struct audit_journal *journal, const struct frame *frames, uint32_t count,
                           struct err_info *info)
{
    struct audit *audit = journal->audit;
    uint64_t listed;
    if (frames[count - 1].event_ms_most < journal->state.event_ms_most)
        return err_set(info, ERR_BROKEN, "the largest event time falls from %" PRId64 " to %" PRId64,
                       journal->state.event_ms_most, frames[count - 1].event_ms_most);
    TRY(state_fold(&journal->state, frames, count, info));
    TRY(cube_fold(audit->cube, journal->partition, frames, count, info));
    TRY(listed_take(audit->listed, journal->partition, frames, count, &listed, info));
    TRY(check_counts(journal, frames, count, listed, info));
    audit->sums.groups++;
    audit->sums.older += (frames[0].kind == FRAME_DATA || frames[0].kind == FRAME_SNAP) &&
                         !plan_same_cells(frames[0].plan, audit->options.plan_id);
    if (frames[0].kind == FRAME_DATA)
        note_judged(journal, frames);
    enum err err = audit->recount ? recount_group(audit->recount, frames, count, &journal->state, info) : OK;
    journal->is_recounted_otherwise = err == ERR_BROKEN;
    return err;
}

static enum err fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct audit_journal *journal = context;
    journal->err = journal->has_state ? fold_whole(journal, frames, count, info)
                                      : cube_fold(journal->audit->cube, journal->partition, frames, count, info);
    if (journal->err != OK)
        journal->info = *info;
    return journal->err;
}

/* ---- a journal ---- */

static void halted(struct audit_journal *journal, int64_t offset, const char *what)
{
    journal->shown.is_halted = true;
    audit_note(journal->audit, PORT_JOURNAL, journal->partition, offset,
               journal->is_recounted_otherwise ? mend_recount : mend_journal, "%s", what);
}

/* A rebase, or another plan: what was read is void in part, and all is to be read again. Behind the noted end nothing is left to do that with. */
static enum err begin_elsewhere(struct audit_journal *journal, struct err_info *info)
{
    if (!journal->has_state)
        return err_set(info, ERR_RETRY, "the journal of partition %" PRId32 " was rewritten meanwhile: try again",
                       journal->partition);
    journal->audit->again = true;
    return OK;
}

/* An OPEN that counts. */
static bool take_open(struct audit_journal *journal, const struct frame *frame)
{
    journal->shown.epochs++;
    if (journal->audit->recount)
        recount_open(journal->audit->recount, frame);
    return state_take_open(&journal->state, frame);
}

/* One record of the journal. A rule that halts is read on: a rebase may mend it. ERR_BROKEN was noted; others end the audit. */
static enum err take_frame(struct audit_journal *journal, const struct port_record *record, struct err_info *info)
{
    struct audit *audit = journal->audit;
    struct frame frame = {0};
    enum reader_branch branch =
        record->fault != PORT_NONE
            ? reader_rule_fault(journal->rule, record->offset, walk_fault_name(record->fault))
            : reader_rule_feed(journal->rule, record->offset, record->value, fold, journal, &frame);
    if (journal->has_state) {
        audit->sums.branches[branch]++;
        audit->sums.journal_bytes += record->value.length;
        if (frame.kind)
            audit->sums.frames[frame.kind]++;
    }
    if (journal->err != OK && journal->err != ERR_BROKEN && journal->err != ERR_LIMIT) {
        *info = journal->info;
        return journal->err;
    }
    if (branch == READER_REBASED) {
        journal->begin = journal->rule->rebase.from;
        return begin_elsewhere(journal, info);
    }
    if (cube_wants_refold(audit->cube) && !journal->has_state)
        return begin_elsewhere(journal, info);
    if ((branch == READER_OPEN || branch == READER_OPEN_DISCARDS) && journal->has_state &&
        !take_open(journal, &frame)) {
        halted(journal, record->offset, "the first OPEN has no key for long ids");
        return ERR_BROKEN;
    }
    return OK;
}

/* To the noted end, or to where it is known that all is to be read again. OK also if it is broken. */
static enum err read_journal(struct audit_journal *journal, struct err_info *info)
{
    const struct port_record *record;
    for (;;) {
        TRY(walk_next(&journal->walk, &record, info));
        if (!record || journal->audit->again)
            break;
        enum err err = take_frame(journal, record, info);
        if (err != OK)
            return err == ERR_BROKEN ? OK : err;
        audit_show(journal->audit, "journals");
    }
    if (journal->rule->halted && !journal->audit->again)
        halted(journal, journal->rule->halted_at, journal->rule->why.text);
    return OK;
}

/* A change of the plan must be over, and have led to this one. */
static enum err check_plan(const struct audit_journal *journal, struct err_info *info)
{
    const struct slices *slices = &journal->state.slices;
    uint64_t own = journal->audit->options.plan_id;
    uint32_t older = 0;
    uint64_t plan = own;
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        if (slice_in(slices->planned, slice) && !plan_same_cells(slices->plans[slice], own)) {
            older++;
            plan = slices->plans[slice];
        }
    }
    if (older == 0)
        return OK;
    if (older < SLICES)
        return err_set(info, ERR_RETRY,
                       "the journal of partition %" PRId32 " is being counted again under plan %016" PRIx64
                       ": try again when that is done",
                       journal->partition, own);
    return err_set(info, ERR_CONFIG,
                   "the journal of partition %" PRId32 " is counted under plan %016" PRIx64
                   " and this configuration is plan %016" PRIx64
                   ": give verify the configuration of `dryport run` (its /status shows the plan)",
                   journal->partition, plan, own);
}

/* The record below hi must be the one that was counted, if it is there still; and hi within the log. */
static enum err check_input(struct audit_journal *journal, struct err_info *info)
{
    struct audit *audit = journal->audit;
    const struct port *port = audit->options.port;
    const struct state *state = &journal->state;
    struct walk walk;
    if (port->partitions(port->self, PORT_DECLARATIONS) <= journal->partition)
        return OK;
    walk_init(&walk, port, PORT_DECLARATIONS, journal->partition);
    walk.patience_ms = audit->options.patience_ms;
    TRY(walk_note(&walk, info));
    journal->shown.input_end = walk.end;
    if (state->hi > walk.end) {
        audit_note(audit, PORT_DECLARATIONS, journal->partition, walk.end, mend_input,
                   "the input log ends here, the journal has counted up to offset %" PRId64, state->hi);
        return OK;
    }
    if (!state->has_record || state->hi - 1 < walk.next)
        return OK;
    walk.next = state->hi - 1;
    walk.end = state->hi;
    const struct port_record *record;
    enum err err = walk_next(&walk, &record, info);
    if (err == OK && record && record->fault == PORT_NONE && record->offset == state->hi - 1 &&
        crc32c(0, record->value.data, record->value.length) != state->record_crc)
        audit_note(audit, PORT_DECLARATIONS, journal->partition, record->offset, mend_input,
                   "this record is not the one that the journal has counted here");
    walk_close(&walk);
    return err;
}

/* What was folded, once the noted end is reached; the ledger is not needed any more. */
static enum err finish_journal(struct audit_journal *journal, struct err_info *info)
{
    struct audit *audit = journal->audit;
    journal->shown.hi = journal->state.hi;
    journal->shown.entries = ledger_count(journal->state.ledger);
    journal->shown.expired = ledger_sums(journal->state.ledger).prints;
    journal->shown.floor = ledger_floor(journal->state.ledger);
    journal->shown.is_torn = journal->rule->held_count > 0;
    enum err err = OK;
    if (audit->recount)
        recount_end(audit->recount); /* its reading of the input ends: a partition is open at most once */
    if (!journal->shown.is_halted && !audit->again)
        err = check_plan(journal, info);
    if (err == OK && !journal->shown.is_halted && !audit->again) {
        err = derive_ledger(audit->derived, journal->partition, audit->options.plan, &journal->state, info);
        if (err == ERR_BROKEN) {
            halted(journal, journal->walk.end, info->text);
            err = OK;
        }
        if (err == OK)
            err = check_input(journal, info);
    }
    state_fini(&journal->state);
    journal->has_state = false;
    walk_close(&journal->walk);
    return err;
}

static enum err note_ends(struct audit *audit, struct err_info *info)
{
    for (int32_t i = 0; i < audit->partitions; i++) {
        struct audit_journal *journal = &audit->journals[i];
        journal->audit = audit;
        journal->partition = i;
        walk_init(&journal->walk, audit->options.port, PORT_JOURNAL, i);
        journal->walk.patience_ms = audit->options.patience_ms;
        TRY(walk_note(&journal->walk, info));
        journal->shown.low = journal->walk.next;
        journal->shown.end = journal->walk.end;
        audit->total += (uint64_t)(journal->walk.end - journal->walk.next);
    }
    return OK;
}

static bool is_halted(const struct audit *audit)
{
    for (int32_t i = 0; i < audit->partitions; i++) {
        if (audit->journals[i].shown.is_halted)
            return true;
    }
    return false;
}

static enum err read_one(struct audit_journal *journal, struct err_info *info)
{
    struct audit *audit = journal->audit;
    journal->rule = reader_rule_new();
    state_init(&journal->state, audit->options.plan, (uint64_t)journal->partition + 1);
    journal->state.plan_id = audit->options.plan_id;
    journal->has_state = true;
    if (audit->recount)
        TRY(recount_begin(audit->recount, journal->partition, info));
    if (journal->shown.low > 0 && journal->shown.low == journal->shown.end)
        halted(journal, journal->shown.low, "all records of the journal were deleted");
    else
        TRY(read_journal(journal, info));
    return finish_journal(journal, info);
}

static enum err read_all(struct audit *audit, struct err_info *info)
{
    for (int32_t i = 0; i < audit->partitions && !audit->again; i++)
        TRY(read_one(&audit->journals[i], info));
    audit->again |= cube_wants_refold(audit->cube) || (audit->recounted && cube_wants_refold(audit->recounted));
    return OK;
}

/* Nothing was read, but where journals begin and where their slices count from is known. */
static void begin_again(struct audit *audit)
{
    for (int32_t i = 0; i < audit->partitions; i++) {
        struct audit_journal *journal = &audit->journals[i];
        int64_t low = journal->shown.low;
        int64_t end = journal->shown.end;
        reader_rule_free(journal->rule);
        journal->rule = NULL;
        journal->groups = 0;
        journal->err = OK;
        journal->is_recounted_otherwise = false;
        memory_free(journal->shown.judged);
        journal->judged_capacity = 0;
        journal->shown = (struct audit_partition){.low = low, .end = end, .begin = journal->begin};
        journal->walk.next = journal->begin > low ? journal->begin : low;
        journal->walk.end = end;
    }
    listed_free(audit->listed);
    audit->listed = listed_new();
    cube_empty(audit->cube);
    cube_empty(audit->derived);
    if (audit->recount) {
        cube_empty(audit->recounted);
        recount_forget(audit->recount);
    }
    audit->sums = (struct audit_sums){0};
    audit->broken = 0;
    audit->again = false;
}

/* What lies below the floor of a partition has left no contributions that its cells could be derived from. */
static int32_t floor_day(const struct audit *audit)
{
    int32_t most = 0;
    for (int32_t i = 0; i < audit->partitions; i++)
        most = audit->journals[i].shown.floor > most ? audit->journals[i].shown.floor : most;
    return most ? calendar_month_day(most) : INT32_MIN;
}

enum err audit_journals(struct audit *audit, struct err_info *info)
{
    TRY(note_ends(audit, info));
    TRY(read_all(audit, info));
    while (audit->again) {
        begin_again(audit);
        TRY(read_all(audit, info));
    }
    audit->sums.cells = cube_count(audit->cube);
    if (is_halted(audit))
        return OK; /* sums that lack a partition can't be compared */
    struct compare_found found;
    audit->sums.derived = compare_cubes(audit->cube, audit->derived, floor_day(audit), audit->writer, &found);
    if (found.differ)
        audit_note(audit, PORT_JOURNAL, 0, AUDIT_NO_OFFSET, mend_bug,
                   "%" PRIu64 " cells of the journals are not what the contributions in their ledgers make: %s",
                   found.differ, found.text);
    if (!audit->recounted)
        return OK;
    audit->sums.recounted = compare_cubes(audit->cube, audit->recounted, INT32_MIN, audit->writer, &found);
    if (found.differ)
        audit_note(audit, PORT_JOURNAL, 0, AUDIT_NO_OFFSET, mend_recount,
                   "%" PRIu64 " cells of the journals are not what the recount makes: %s", found.differ, found.text);
    return OK;
}

enum err audit_follow(struct audit *audit, bool *out_did, struct err_info *info)
{
    for (int32_t i = 0; i < audit->partitions; i++) {
        struct audit_journal *journal = &audit->journals[i];
        int64_t before = journal->walk.next;
        if (journal->shown.is_halted)
            continue;
        TRY(walk_extend(&journal->walk, info));
        TRY(read_journal(journal, info));
        *out_did |= journal->walk.next > before;
    }
    return OK;
}
