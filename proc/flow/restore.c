/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/restore.h"

#include "flow/mutant.h"
#include "flow/partition_inside.h"
#include "flow/seal.h"
#include "flow/work.h"

#include <inttypes.h>

enum { RESTORE_TAKE = 64 };

/* What was read so far, if anything, is void: the journal is read from `offset` on. */
static void read_from(struct partition *partition, int64_t offset)
{
    struct partition_context *context = partition->context;
    const struct port *port = context->port;
    if (partition->stream)
        port->stream_close(port->self, partition->stream);
    if (partition->has_state)
        state_fini(&partition->state);
    state_init(&partition->state, context->plan, context->random(context->random_context));
    partition->state.plan_id = partition->ruleset->plan_id;
    partition->state.today = partition_today(partition);
    partition->has_state = true;
    recall_free(partition->recall);
    partition->recall = recall_new(partition->ruleset->rules);
    partition->restore->position = offset;
    partition->stream = port->stream_open(port->self, PORT_JOURNAL, partition->number, offset);
    partition->restore_seen_ms = partition_now_ms(partition);
    counter_set(&partition->status->restore_done, 0);
    counter_set(&partition->status->restore_total, partition->open_offset + 1 - offset);
}

void restore_begin(struct partition *partition, int64_t open_offset)
{
    const struct port *port = partition->context->port;
    struct port_bounds bounds;
    struct err_info info;
    if (partition->foreign_offset > open_offset) { /* its echo came before the ack of the own claim */
        partition_drop(partition, "another process has claimed this partition");
        return;
    }
    if (port->bounds(port->self, PORT_JOURNAL, partition->number, &bounds, &info) != OK) {
        partition_drop(partition, info.text);
        return;
    }
    partition->open_offset = open_offset;
    partition->standing = partition->lane.nonce;
    partition->restore = reader_rule_new();
    partition->restore_begun_ms = partition_now_ms(partition);
    read_from(partition, bounds.low);
    partition_enter(partition, PARTITION_RESTORING);
}

/* The guards of step 2: *out_guard closes, or GUARD_NONE. An error: what they look at could not be read. */
static enum err check_start(struct partition *partition, struct port_bounds *input, enum guard *out_guard,
                            struct err_info *info)
{
    const struct port *port = partition->context->port;
    const struct reader_rule *rule = partition->restore;
    struct guard_facts facts = {
        .partition = partition->number,
        .partitions = port->partitions(port->self, PORT_DECLARATIONS),
        .journal = port->partitions(port->self, PORT_JOURNAL),
        .begun_with = rule->begun_with,
        .has_groups = rule->has_groups,
        .has_data = rule->has_data,
        .position = partition->state.hi,
        .committed = -1,
        .units = partition->context->units,
        .begun_units = text_of(partition->state.units),
    };
    TRY(port->bounds(port->self, PORT_DECLARATIONS, partition->number, input, info));
    if (!facts.has_data)
        TRY(port->committed(port->self, partition->number, &facts.committed, info));
    facts.input = *input;
    *out_guard = guard_start(&facts, info);
    return OK;
}

/* A first start on a topic that retention has cut: the hole is written down. */
static void bootstrap_skip(struct partition *partition, int64_t low)
{
    struct seal_source source = partition_source(partition);
    struct group *group = outbox_new_group(&partition->outbox);
    seal_skip(group, &source, 0, low, TEXT("bootstrap: the input began here when the journal did"));
    counts_add(&partition->state.counts, &group->counts);
    partition->state.hi = low;
    seal_begin(partition);
    outbox_add(&partition->outbox, group);
    partition_show_outbox(partition);
}

/* Some of what the journal holds was counted under another plan: all is counted again. */
static bool must_replan(const struct partition *partition)
{
    const struct reader_rule *rule = partition->restore;
    uint64_t plan_id = partition->ruleset->plan_id;
    if (MUTANT(REPLAN_BY_LAST))
        return rule->has_plan && !plan_same_cells(rule->plan, plan_id);
    return !slices_are_of_plan(&partition->state.slices, plan_id);
}

static void start_work(struct partition *partition)
{
    struct partition_context *context = partition->context;
    struct err_info info;
    struct port_bounds input;
    enum guard guard = GUARD_NONE;
    enum err err = check_start(partition, &input, &guard, &info);
    if (err != OK) {
        partition_drop(partition, info.text);
        return;
    }
    if (guard == GUARD_INPUT_LOST)
        counter_set(&partition->status->position, partition->state.hi); /* a SKIP must begin here */
    if (guard != GUARD_NONE) {
        partition_halt(partition, guard, &info);
        return;
    }
    bool is_first = !partition->restore->has_groups;
    bool replans = must_replan(partition);
    partition->is_idle = partition->restore->is_idle;
    partition->begun_with = partition->restore->begun_with;
    snapshot_begin(partition, partition->restore);
    restore_stop(partition);
    seal_begin(partition);
    counter_set(&partition->status->position, partition->state.hi); /* what a SKIP adds counts with its echo */
    if (is_first && input.low > 0)
        bootstrap_skip(partition, input.low);
    err = replans ? snapshot_replan(partition, &info) : OK;
    if (err != OK) {
        partition_halt(partition, err == ERR_LIMIT ? GUARD_LIMIT : GUARD_JOURNAL_DAMAGED, &info);
        return;
    }
    err = work_begin_intake(partition, input.low, &info);
    if (err != OK) {
        partition_drop(partition, info.text);
        return;
    }
    partition->backoff_ms = 0;
    partition->echo_seen_ms = partition_now_ms(partition);
    partition->input_ms = partition->echo_seen_ms;
    counter_set(&partition->status->is_idle, partition->is_idle);
    counter_set(&partition->status->event_ms, partition->state.event_ms_most);
    counter_set(&partition->status->ledger_entries, (int64_t)ledger_count(partition->state.ledger));
    counter_set(&partition->status->floor_month, ledger_floor(partition->state.ledger));
    counter_set(&partition->status->ledger_bytes, (int64_t)ledger_bytes(partition->state.ledger));
    hist_record(&context->counters->restore,
                (double)(partition_now_ms(partition) - partition->restore_begun_ms) / 1000);
    partition_set_reason(partition, "");
    partition_enter(partition, PARTITION_RUNNING);
}

static void finish_restore(struct partition *partition)
{
    const struct reader_rule *rule = partition->restore;
    if (rule->halted) {
        struct err_info why = rule->why;
        enum guard guard = guard_journal(partition->number, slices_are_whole(&rule->slices), rule->needs_upgrade, &why);
        partition->broken_at = rule->halted_at;
        partition_halt(partition, guard, &why);
    } else if (!frame_nonce_equal(&rule->epoch, &partition->lane.nonce) && !MUTANT(RESTORE_BEFORE_OPEN)) {
        partition_open_epoch(partition, false); /* the ack was of a copy: a foreign OPEN lies between */
    } else if (!slices_are_whole(&rule->slices)) {
        struct err_info why;
        err_set(
            &why, ERR_BROKEN,
            "the journal of partition %" PRId32
            " begins with a snapshot of which slices are missing: its end was lost in an unclean election, or it was "
            "trimmed by hand. Restore the topic from a mirror, or replay the input into a new journal topic",
            partition->number);
        partition_halt(partition, GUARD_JOURNAL_DAMAGED, &why);
    } else {
        start_work(partition);
    }
}

/* The OPEN was acknowledged at an offset that the log does not reach: a broker lost it (unclean election). Or nothing can be read
 * behind a place that is damaged. */
static void look_for_open(struct partition *partition)
{
    const struct port *port = partition->context->port;
    int64_t now_ms = partition_now_ms(partition);
    if (now_ms - partition->restore_seen_ms <= ECHO_TIMEOUT_MS)
        return;
    partition->restore_seen_ms = now_ms;
    if (partition->restore->halted) {
        finish_restore(partition);
        return;
    }
    struct port_bounds bounds;
    struct err_info info;
    if (port->bounds(port->self, PORT_JOURNAL, partition->number, &bounds, &info) == OK &&
        bounds.high <= partition->open_offset)
        partition_drop(partition, "the claim was acknowledged and is not in the journal");
}

static const char *const unreadable = "the record cannot be read (its check sum, compression or size is wrong)";

/* One record of the journal. A rule that halts reads on: a rebase may come. */
static enum reader_branch restore_record(struct partition *partition, const struct port_record *record)
{
    struct frame frame;
    if (record->fault != PORT_NONE)
        return reader_rule_fault(partition->restore, record->offset, unreadable);
    enum reader_branch branch =
        reader_rule_feed(partition->restore, record->offset, record->value, state_fold, &partition->state, &frame);
    if (branch == READER_OPEN || branch == READER_OPEN_DISCARDS)
        state_take_open(&partition->state, &frame);
    return branch;
}

bool restore_step(struct partition *partition)
{
    const struct port *port = partition->context->port;
    struct port_record records[RESTORE_TAKE];
    size_t count = port->stream_take(port->self, partition->stream, records, RESTORE_TAKE);
    struct reader_rule *rule = partition->restore;
    enum reader_branch branch = READER_OPEN;
    bool done = false;
    bool cut = false;
    for (size_t i = 0; i < count && !done && !cut && branch != READER_REBASED; i++) {
        cut = records[i].fault == PORT_OFFSET_RESET;
        if (!cut)
            branch = restore_record(partition, &records[i]);
        done = records[i].offset >= partition->open_offset;
        done = done || (MUTANT(RESTORE_BEFORE_OPEN) && records[i].offset + 1 == partition->end_before_open);
        counter_add(&partition->status->restore_done, 1);
    }
    if (count) {
        port->release(port->self, records, count);
        partition->restore_seen_ms = partition_now_ms(partition);
    }
    if (cut) {
        partition_drop(partition, "the journal was trimmed while it was read");
    } else if (branch == READER_REBASED) {
        reader_rule_begin_again(rule);
        read_from(partition, rule->position);
    } else if (done) {
        finish_restore(partition);
    } else if (!count) {
        look_for_open(partition);
    }
    return count > 0;
}

void restore_stop(struct partition *partition)
{
    const struct port *port = partition->context->port;
    if (partition->stream)
        port->stream_close(port->self, partition->stream);
    partition->stream = NULL;
    reader_rule_free(partition->restore);
    partition->restore = NULL;
}

int restore_percent(const struct partition_status *status)
{
    if (counter_read(&status->phase) != PARTITION_RESTORING)
        return -1;
    int64_t total = counter_read(&status->restore_total);
    int64_t done = counter_read(&status->restore_done);
    return total <= 0 || done >= total ? 100 : (int)(done * 100 / total);
}
