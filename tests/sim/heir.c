/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/heir.h"

#include "flow/state.h"

#include <inttypes.h>

enum { SEED = 7, DAY_MS = 86400000 };

static bool differs(struct buffer *why, const char *what, int64_t holds, int64_t should)
{
    if (holds == should || why->length)
        return why->length > 0;
    buffer_add_format(why, "%s %" PRId64 ", the recount has %" PRId64, what, holds, should);
    return true;
}

struct heir {
    const struct world *world;
    int32_t partition;
    const struct view_plan *plan;
    uint64_t plan_id;
    struct reader_rule *rule;
    struct state state;
};

static void begin(struct heir *heir)
{
    state_init(&heir->state, heir->plan, SEED);
    heir->state.plan_id = heir->plan_id;
    heir->state.today = (int32_t)(world_now(heir->world) / DAY_MS);
}

static enum reader_branch feed(struct heir *heir, int64_t offset)
{
    const struct world_record *record = world_at(heir->world, PORT_JOURNAL, heir->partition, offset);
    struct frame frame;
    if (record->fault != PORT_NONE)
        return reader_rule_fault(heir->rule, offset, "bad sector");
    enum reader_branch branch = reader_rule_feed(heir->rule, offset, record->value, state_fold, &heir->state, &frame);
    if (branch == READER_OPEN || branch == READER_OPEN_DISCARDS)
        state_take_open(&heir->state, &frame);
    return branch;
}

/* Through the rule, from where the log begins. */
static void read(struct heir *heir, struct buffer *why)
{
    struct reader_rule *rule = heir->rule;
    int64_t next = world_next(heir->world, PORT_JOURNAL, heir->partition);
    for (int64_t offset = world_first(heir->world, PORT_JOURNAL, heir->partition); offset < next; offset++) {
        if (feed(heir, offset) != READER_REBASED)
            continue;
        reader_rule_begin_again(rule);
        state_fini(&heir->state);
        begin(heir);
        offset = rule->position - 1;
    }
    if (rule->halted)
        buffer_add_format(why, "halts: %s", rule->why.text);
    else if (!slices_are_whole(&rule->slices))
        buffer_add_format(why, "does not find all slices");
}

static void compare_rejects(const struct state *state, const struct recount_partition *recount, struct buffer *why)
{
    size_t next[SLICES] = {0};
    size_t listed = 0;
    for (uint32_t slice = 0; slice < SLICES; slice++)
        listed += state->rejects.count[slice];
    differs(why, "rejects listed", (int64_t)listed, (int64_t)recount->reject_count);
    for (size_t i = 0; i < recount->reject_count && !why->length; i++) {
        const struct recount_reject *should = &recount->rejects[i];
        uint32_t slice = slice_of_offset(should->offset);
        if (next[slice] == state->rejects.count[slice]) {
            buffer_add_format(why, "no reject listed at offset %" PRId64, should->offset);
            return;
        }
        const struct reject_kept *kept = &state->rejects.kept[slice][next[slice]++];
        differs(why, "a reject is listed at offset", kept->offset, should->offset);
        differs(why, "a reject is listed with index", kept->index, should->index);
        differs(why, "a reject is listed with rule", kept->rule_number, should->rule);
    }
}

static void compare(const struct state *state, const struct recount_partition *recount, struct buffer *why)
{
    differs(why, "counted", state->verdicts[VERDICT_COUNTED], recount->verdicts[RECOUNT_COUNTED]);
    differs(why, "duplicate", state->verdicts[VERDICT_DUPLICATE], recount->verdicts[RECOUNT_DUPLICATE]);
    differs(why, "stale", state->verdicts[VERDICT_STALE], recount->verdicts[RECOUNT_STALE]);
    differs(why, "rejected", state->verdicts[VERDICT_REJECTED], recount->verdicts[RECOUNT_REJECTED]);
    differs(why, "not_counted", state->verdicts[VERDICT_NOT_COUNTED], recount->verdicts[RECOUNT_NOT_COUNTED]);
    differs(why, "records", state->counts.records, recount->records);
    differs(why, "ledger entries", (int64_t)ledger_count(state->ledger), recount->standing);
    differs(why, "largest event time", state->event_ms_most, recount->event_ms);
    compare_rejects(state, recount, why);
}

bool heir_agrees(const struct world *world, const struct recount *recount, const struct view_plan *plan,
                 uint64_t plan_id, int32_t partition, struct buffer *why)
{
    struct heir heir = {world, partition, plan, plan_id, reader_rule_new(), {0}};
    heir.rule->position = world_first(world, PORT_JOURNAL, partition);
    begin(&heir);
    read(&heir, why);
    if (!why->length)
        compare(&heir.state, recount_partition(recount, partition), why);
    state_fini(&heir.state);
    reader_rule_free(heir.rule);
    return !why->length;
}
