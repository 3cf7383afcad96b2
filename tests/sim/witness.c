/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/witness.h"

#include "base/memory.h"
#include "flow/frame_cells.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct witness {
    const struct world *world;
    const struct story *story;
    const struct view_plan *plan;
    int32_t partitions;
    int32_t partition;
    bool is_traced;
    struct reader_rule *rule;
    struct recount *recount;
    int64_t verdicts[VERDICTS];
    int64_t records;
    int64_t skipped;
    i128 values[VIEWS_MOST]; /* of the leaf views: sums over all their cells */
    int64_t items[VIEWS_MOST];
    struct recount_reject *rejects;
    size_t reject_count;
    size_t reject_capacity;
    int64_t ledger_entries;
    int64_t first_group_end;
    int64_t opens;
    uint64_t slices;
    uint64_t marks;
    uint64_t branches[READER_BRANCHES];
    bool is_scarred;   /* a break is followed by a rebase */
    struct buffer why; /* set by the fold */
};

struct witness *witness_new(const struct world *world, const struct story *story, const struct view_plan *plan,
                            int32_t partitions, int32_t partition, bool is_traced)
{
    struct witness *witness = memory_new(1, sizeof *witness);
    witness->world = world;
    witness->story = story;
    witness->plan = plan;
    witness->partitions = partitions;
    witness->partition = partition;
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
    buffer_fini(&witness->why);
    memory_free(witness);
}

void witness_restart(struct witness *witness)
{
    reader_rule_free(witness->rule);
    recount_free(witness->recount);
    witness->rule = reader_rule_new();
    witness->recount = recount_new(witness->story, witness->partitions);
    memset(witness->verdicts, 0, sizeof witness->verdicts);
    memset(witness->values, 0, sizeof witness->values);
    memset(witness->items, 0, sizeof witness->items);
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

static void take_cells(struct witness *witness, struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    uint32_t view;
    uint32_t count;
    struct table_key key;
    if (!frame_cells_begin(&reader, witness->plan, &view, &count, &key))
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct measures measures;
        if (!frame_cells_next(&reader, &witness->plan->views[view], view, &key, &measures))
            return;
        witness->values[view] += measures.value_minor;
        witness->items[view] += measures.items;
    }
}

static void take_section(struct witness *witness, const struct frame *frame, enum frame_section section,
                         struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    struct counts counts;
    struct control control;
    struct reject_place place;
    if (section == SECTION_CELLS)
        take_cells(witness, bytes);
    if (section == SECTION_COUNTS && frame_get_counts(bytes, &counts)) {
        for (int i = 0; i < VERDICTS; i++)
            witness->verdicts[i] += counts.verdicts[i];
        witness->records += counts.records;
        witness->skipped += counts.skipped;
    }
    if (section == SECTION_CONTROL && frame_get_control(bytes, &control))
        witness->ledger_entries = (int64_t)control.ledger_count;
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

/* The state that the journal claims for [0, hi) against the input [0, hi). */
static void compare(struct witness *witness, int64_t hi)
{
    recount_to(witness->recount, witness->partition, hi);
    const struct recount_partition *recount = recount_partition(witness->recount, witness->partition);
    differs(witness, "counted", witness->verdicts[VERDICT_COUNTED], recount->verdicts[RECOUNT_COUNTED]);
    differs(witness, "duplicate", witness->verdicts[VERDICT_DUPLICATE], recount->verdicts[RECOUNT_DUPLICATE]);
    differs(witness, "stale", witness->verdicts[VERDICT_STALE], recount->verdicts[RECOUNT_STALE]);
    differs(witness, "rejected", witness->verdicts[VERDICT_REJECTED], recount->verdicts[RECOUNT_REJECTED]);
    differs(witness, "records", witness->records, recount->records);
    differs(witness, "offsets skipped", witness->skipped, recount->skipped);
    differs(witness, "ledger entries", witness->ledger_entries, recount->standing);
    compare_rejects(witness, recount);
    for (uint32_t i = 0; i < witness->plan->count; i++) {
        if (witness->plan->views[i].leaf != i)
            continue;
        differs(witness, "value over all cells of a view", (int64_t)witness->values[i], recount->value);
        differs(witness, "items over all cells of a view", witness->items[i], recount->items);
    }
}

static enum err fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct witness *witness = context;
    (void)info;
    if (frames[0].kind ==
        FRAME_SNAP) { /* says again what groups said; who begins with it must go on as if it had read them */
        witness->slices++;
        return OK;
    }
    witness->marks += frames[0].kind == FRAME_MARK;
    if (frames[0].kind == FRAME_SKIP)
        recount_skip(witness->recount, witness->partition, frames[count - 1].hi);
    for (uint32_t i = 0; i < count; i++) {
        struct reader reader = reader_of(frames[i].payload);
        enum frame_section section;
        struct bytes bytes;
        bool broken = false;
        while (frame_next_section(&reader, &section, &bytes, &broken))
            take_section(witness, &frames[i], section, bytes);
    }
    compare(witness, frames[count - 1].hi);
    return OK;
}

static void trace(const struct witness *witness, int64_t offset, const struct frame *frame, enum reader_branch branch)
{
    static const char *const kinds[] = {"?", "OPEN", "DATA", "SNAP", "SKIP", "MARK"};
    if (witness->is_traced)
        printf("            journal %" PRId32 " offset %4" PRId64 "  %s %04" PRIx64 " seq %" PRIu64 "%s [%" PRId64
               ", %" PRId64 ")  %s\n",
               witness->partition, offset, kinds[frame->kind <= FRAME_MARK ? frame->kind : 0],
               frame->nonce.word[0] & 0xFFFF, frame->seq, frame->last ? "." : "+", frame->lo, frame->hi,
               reader_branch_name(branch));
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

uint64_t witness_marks(const struct witness *witness)
{
    return witness->marks;
}
