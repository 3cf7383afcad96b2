/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/witness.h"

#include "base/memory.h"
#include "flow/frame_cells.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NO_PLAN = -1 };

/* Input accepted under one plan. */
struct span {
    int64_t hi;
    enum recount_plan plan;
    enum recount_lists lists;
};

/* What the cells of one slice add up to. */
struct part {
    int plan; /* enum recount_plan, NO_PLAN */
    i128 values[VIEWS_MOST];
    int64_t items[VIEWS_MOST];
};

struct witness {
    const struct world *world;
    const struct story *story;
    const struct view_plan *plans;
    int32_t partitions;
    int32_t partition;
    bool is_traced;
    struct reader_rule *rule;
    struct recount *recount;
    int64_t verdicts[VERDICTS];
    int64_t records;
    int64_t skipped;
    struct part parts[SLICES];
    struct span *spans;
    size_t span_count;
    size_t span_capacity;
    int64_t cycle_end;   /* journal offset behind the newest whole cycle of slices, -1 */
    uint32_t cycle_next; /* the slice that goes on with the newest cycle */
    struct recount_reject *rejects;
    size_t reject_count;
    size_t reject_capacity;
    int64_t ledger_entries;
    int64_t ledger_prints;
    int32_t ledger_floor;
    int32_t horizon_months;
    int64_t first_group_end;
    int64_t opens;
    uint64_t slices;
    uint64_t replanned;
    uint64_t torn;
    uint64_t marks;
    uint64_t judged_anew;
    uint64_t branches[READER_BRANCHES];
    bool is_scarred;   /* a break is followed by a rebase */
    struct buffer why; /* set by the fold */
};

struct witness *witness_new(const struct world *world, const struct story *story,
                            const struct view_plan plans[static RECOUNT_PLANS], int32_t partitions, int32_t partition,
                            int32_t horizon_months, bool is_traced)
{
    struct witness *witness = memory_new(1, sizeof *witness);
    witness->world = world;
    witness->story = story;
    witness->plans = plans;
    witness->partitions = partitions;
    witness->partition = partition;
    witness->horizon_months = horizon_months;
    witness->is_traced = is_traced;
    witness_restart(witness);
    return witness;
}

void witness_free(struct witness *witness)
{
    if (!witness)
        return;
    reader_rule_free(witness->rule);
    recount_free(witness->recount);
    memory_free(witness->rejects);
    memory_free(witness->spans);
    buffer_fini(&witness->why);
    memory_free(witness);
}

void witness_restart(struct witness *witness)
{
    reader_rule_free(witness->rule);
    recount_free(witness->recount);
    witness->rule = reader_rule_new();
    witness->recount = recount_new(witness->story, witness->partitions, witness->horizon_months);
    memset(witness->verdicts, 0, sizeof witness->verdicts);
    memset(witness->parts, 0, sizeof witness->parts);
    for (uint32_t i = 0; i < SLICES; i++)
        witness->parts[i].plan = NO_PLAN;
    witness->span_count = 0;
    witness->cycle_end = -1;
    witness->cycle_next = 0;
    witness->records = 0;
    witness->skipped = 0;
    witness->reject_count = 0;
    witness->ledger_entries = 0;
    witness->first_group_end = -1;
}

void witness_rebased(struct witness *witness)
{
    witness->is_scarred = true;
    buffer_clear(&witness->why);
    witness_restart(witness);
}

/* ---- one group ---- */

static void note_reject(struct witness *witness, const struct reject_place *place)
{
    if (witness->reject_count == witness->reject_capacity) {
        witness->reject_capacity = witness->reject_capacity ? witness->reject_capacity * 2 : 32;
        witness->rejects = memory_resize(witness->rejects, witness->reject_capacity, sizeof witness->rejects[0]);
    }
    witness->rejects[witness->reject_count++] =
        (struct recount_reject){place->offset, place->index, place->rule_number};
}

static enum recount_plan plan_of(const struct frame *frame)
{
    return plan_same_cells(frame->plan, recount_plan_id(RECOUNT_LENIENT, RECOUNT_OLD_LISTS)) ? RECOUNT_LENIENT
                                                                                             : RECOUNT_DEFAULT;
}

static enum recount_lists lists_of(const struct frame *frame)
{
    return (enum recount_lists)(frame->plan >> 32);
}

static void take_cells(struct witness *witness, const struct view_plan *plan, struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    uint32_t view;
    uint32_t count;
    struct table_key key;
    if (!frame_cells_begin(&reader, plan, &view, &count, &key))
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct measures measures;
        if (!frame_cells_next(&reader, &plan->views[view], view, &key, &measures))
            return;
        struct part *part = &witness->parts[totals_slice(&key)];
        part->values[view] += measures.value_minor;
        part->items[view] += measures.items;
    }
}

static void take_control(struct witness *witness, const struct control *control)
{
    witness->ledger_entries = (int64_t)control->ledger.entries;
    witness->ledger_prints = (int64_t)control->ledger.prints;
    witness->ledger_floor = control->floor;
}

static void take_section(struct witness *witness, const struct frame *frame, enum frame_section section,
                         struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    struct counts counts;
    struct control control;
    struct reject_place place;
    if (section == SECTION_CELLS)
        take_cells(witness, &witness->plans[plan_of(frame)], bytes);
    if (section == SECTION_COUNTS && frame_get_counts(bytes, &counts)) {
        for (int i = 0; i < VERDICTS; i++)
            witness->verdicts[i] += counts.verdicts[i];
        witness->records += counts.records;
        witness->skipped += counts.skipped;
    }
    if (section == SECTION_CONTROL && frame_get_control(bytes, &control))
        take_control(witness, &control);
    while (section == SECTION_REJECTS && frame_next_reject(&reader, frame->lo, &place))
        note_reject(witness, &place);
}

static bool differs(struct witness *witness, const char *what, int64_t journal, int64_t recount)
{
    if (journal == recount || witness->why.length)
        return journal != recount;
    buffer_add_format(&witness->why, "%s %" PRId64 ", the recount has %" PRId64, what, journal, recount);
    return true;
}

static void compare_rejects(struct witness *witness, const struct recount_partition *recount)
{
    if (differs(witness, "rejects listed", (int64_t)witness->reject_count, (int64_t)recount->reject_count))
        return;
    for (size_t i = 0; i < witness->reject_count; i++) {
        const struct recount_reject *listed = &witness->rejects[i];
        const struct recount_reject *should = &recount->rejects[i];
        differs(witness, "a reject is listed at offset", listed->offset, should->offset);
        differs(witness, "a reject is listed with index", listed->index, should->index);
        differs(witness, "a reject is listed with rule", listed->rule, should->rule);
    }
}

/* The plan of all slices, NO_PLAN if they differ or have none. */
static int whole_plan(const struct witness *witness)
{
    for (uint32_t i = 1; i < SLICES; i++) {
        if (witness->parts[i].plan != witness->parts[0].plan)
            return NO_PLAN;
    }
    return witness->parts[0].plan;
}

/* Every leaf view adds up to all that stands. While slices are of two plans their views are not comparable. */
static void compare_views(struct witness *witness, const struct recount_partition *recount)
{
    int number = whole_plan(witness);
    const struct view_plan *plan = number == NO_PLAN ? NULL : &witness->plans[number];
    for (uint32_t view = 0; plan && view < plan->count; view++) {
        i128 value = 0;
        int64_t items = 0;
        if (plan->views[view].leaf != view)
            continue;
        for (uint32_t i = 0; i < SLICES; i++) {
            value += witness->parts[i].values[view];
            items += witness->parts[i].items[view];
        }
        differs(witness, "value over all cells of a view", (int64_t)value, recount->value);
        differs(witness, "items over all cells of a view", items, recount->items);
    }
}

/* The state that the journal claims for the input up to the group's end, against that input. */
static void compare(struct witness *witness, const struct frame *last)
{
    recount_to(witness->recount, witness->partition, last->hi, plan_of(last), lists_of(last));
    const struct recount_partition *recount = recount_partition(witness->recount, witness->partition);
    differs(witness, "counted", witness->verdicts[VERDICT_COUNTED], recount->verdicts[RECOUNT_COUNTED]);
    differs(witness, "duplicate", witness->verdicts[VERDICT_DUPLICATE], recount->verdicts[RECOUNT_DUPLICATE]);
    differs(witness, "stale", witness->verdicts[VERDICT_STALE], recount->verdicts[RECOUNT_STALE]);
    differs(witness, "rejected", witness->verdicts[VERDICT_REJECTED], recount->verdicts[RECOUNT_REJECTED]);
    differs(witness, "not_counted", witness->verdicts[VERDICT_NOT_COUNTED], recount->verdicts[RECOUNT_NOT_COUNTED]);
    differs(witness, "records", witness->records, recount->records);
    differs(witness, "offsets skipped", witness->skipped, recount->skipped);
    differs(witness, "ledger entries", witness->ledger_entries, recount->standing);
    differs(witness, "fingerprints", witness->ledger_prints, recount->expired);
    differs(witness, "floor", witness->ledger_floor, recount->floor);
    compare_rejects(witness, recount);
    differs(witness, "largest event time", last->event_ms_most, recount->event_ms);
    compare_views(witness, recount);
}

static void note_span(struct witness *witness, const struct frame *last)
{
    if (witness->span_count == witness->span_capacity) {
        witness->span_capacity = witness->span_capacity ? witness->span_capacity * 2 : 32;
        witness->spans = memory_resize(witness->spans, witness->span_capacity, sizeof witness->spans[0]);
    }
    if (witness->span_count > 0 && witness->spans[witness->span_count - 1].lists != lists_of(last))
        witness->judged_anew++;
    witness->spans[witness->span_count++] = (struct span){last->hi, plan_of(last), lists_of(last)};
}

static void take_frames(struct witness *witness, const struct frame *frames, uint32_t count, bool cells_only)
{
    for (struct frame_walk walk = frame_walk_of(frames, count); frame_walk_next(&walk);) {
        if (!cells_only || walk.section == SECTION_CELLS)
            take_section(witness, walk.frame, walk.section, walk.bytes);
    }
}

static void track_cycle(struct witness *witness, uint32_t slice, int64_t end)
{
    if (slice == 0)
        witness->cycle_next = 0;
    if (slice != witness->cycle_next)
        return;
    if (++witness->cycle_next == SLICES)
        witness->cycle_end = end;
}

/* Says again what groups said; who begins with it must go on as if it had read them. Or replaces it under another plan. */
static void take_slice(struct witness *witness, const struct frame *frames, uint32_t count)
{
    struct slice_head head;
    witness->slices++;
    if (!slice_get_head(frames[0].payload, &head))
        return; /* the rule has refused it */
    struct part *part = &witness->parts[head.slice];
    track_cycle(witness, head.slice, frames[count - 1].offset + 1);
    if (head.replan) {
        witness->replanned++;
        witness->torn += head.slice == 0 && whole_plan(witness) == NO_PLAN;
    }
    if (head.replan || head.rebase) {
        *part = (struct part){.plan = NO_PLAN};
        take_frames(witness, frames, count, true);
    }
    part->plan = plan_of(&frames[0]);
}

static enum err fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct witness *witness = context;
    (void)info;
    if (frames[0].kind == FRAME_SNAP) {
        take_slice(witness, frames, count);
        return OK;
    }
    for (uint32_t i = 0; i < SLICES && frames[0].kind == FRAME_DATA; i++)
        witness->parts[i].plan = plan_of(&frames[0]);
    witness->marks += frames[0].kind == FRAME_MARK;
    if (frames[0].kind == FRAME_SKIP)
        recount_skip(witness->recount, witness->partition, frames[count - 1].hi);
    take_frames(witness, frames, count, false);
    compare(witness, &frames[count - 1]);
    note_span(witness, &frames[count - 1]);
    return OK;
}

static void trace(const struct witness *witness, int64_t offset, const struct frame *frame, enum reader_branch branch)
{
    static const char *const kinds[] = {"?", "OPEN", "DATA", "SNAP", "SKIP", "MARK"};
    if (witness->is_traced)
        printf("            journal %" PRId32 " offset %4" PRId64 "  %s %04" PRIx64 " seq %" PRIu64 "%s [%" PRId64
               ", %" PRId64 ") plan %d lists %d  %s\n",
               witness->partition, offset, kinds[frame->kind <= FRAME_MARK ? frame->kind : 0],
               frame->nonce.word[0] & 0xFFFF, frame->seq, frame->last ? "." : "+", frame->lo, frame->hi, plan_of(frame),
               lists_of(frame), reader_branch_name(branch));
}

bool witness_read(struct witness *witness, struct buffer *why)
{
    const struct world *world = witness->world;
    int32_t p = witness->partition;
    for (int64_t offset = witness->rule->position; offset < world_next(world, PORT_JOURNAL, p); offset++) {
        const struct world_record *record = world_at_ever(world, PORT_JOURNAL, p, offset);
        struct frame frame = {0};
        enum reader_branch branch = record->fault != PORT_NONE
                                        ? reader_rule_fault(witness->rule, offset, "bad sector")
                                        : reader_rule_feed(witness->rule, offset, record->value, fold, witness, &frame);
        trace(witness, offset, &frame, branch);
        witness->branches[branch]++;
        witness->opens += branch == READER_OPEN || branch == READER_OPEN_DISCARDS;
        if (branch == READER_APPLIED && frame.kind == FRAME_DATA && witness->first_group_end < 0)
            witness->first_group_end = offset + 1;
        if (branch == READER_REBASED) { /* sums and recount stand at the break, as the slices say */
            reader_rule_begin_again(witness->rule);
            offset = witness->rule->position - 1;
        }
        if (branch == READER_HALTED && !witness->is_scarred && !witness->why.length)
            buffer_add_format(&witness->why, "halts: %s", witness->rule->why.text);
        if (witness->why.length) {
            buffer_add_format(why, "journal %" PRId32 " offset %" PRId64 ", input up to %" PRId64 ": %.*s", p, offset,
                              witness->rule->hi, (int)witness->why.length, (const char *)witness->why.data);
            return false;
        }
    }
    return true;
}

int64_t witness_hi(const struct witness *witness)
{
    return witness->rule->hi;
}

int64_t witness_first_group_end(const struct witness *witness)
{
    return witness->first_group_end;
}

int64_t witness_cycle_end(const struct witness *witness)
{
    return witness->cycle_end;
}

int64_t witness_opens(const struct witness *witness)
{
    return witness->opens;
}

const uint64_t *witness_branches(const struct witness *witness)
{
    return witness->branches;
}

const struct recount_reject *witness_rejects(const struct witness *witness, size_t *out_count)
{
    *out_count = witness->reject_count;
    return witness->rejects;
}

uint64_t witness_slices(const struct witness *witness)
{
    return witness->slices;
}

uint64_t witness_replanned(const struct witness *witness)
{
    return witness->replanned;
}

uint64_t witness_torn(const struct witness *witness)
{
    return witness->torn;
}

void witness_recount(const struct witness *witness, struct recount *recount)
{
    for (size_t i = 0; i < witness->span_count; i++)
        recount_to(recount, witness->partition, witness->spans[i].hi, witness->spans[i].plan, witness->spans[i].lists);
}

uint64_t witness_judged_anew(const struct witness *witness)
{
    return witness->judged_anew;
}

uint64_t witness_marks(const struct witness *witness)
{
    return witness->marks;
}

int64_t witness_event_ms(const struct witness *witness)
{
    return witness->rule->event_ms_most;
}

bool witness_is_idle(const struct witness *witness)
{
    return witness->rule->is_idle;
}
