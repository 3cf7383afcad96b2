/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/work.h"

#include "base/crc.h"
#include "flow/floor.h"
#include "flow/mutant.h"
#include "flow/partition_inside.h"
#include "flow/seal.h"
#include "flow/settle.h"

enum err work_begin_intake(struct partition *partition, int64_t low, struct err_info *info)
{
    struct partition_context *context = partition->context;
    int64_t position = partition->state.hi - (MUTANT(OFF_BY_ONE) && partition->state.hi > 0);
    if (MUTANT(COMMITTED_START))
        TRY(context->port->committed(context->port->self, partition->number, &position, info));
    struct intake_start start = {
        .lane = context->lane,
        .partition = partition->number,
        .position = position < 0 ? 0 : position,
        .low = low,
        .has_record = partition->state.has_record,
        .record_crc = partition->state.record_crc,
    };
    return intake_open(&partition->intake, context->port, &start, &context->counters->offset_regressions, info);
}

/* The state stands behind the records that are used up. */
static void advance(struct partition *partition, size_t from, size_t to)
{
    if (from == to)
        return;
    const struct port_record *last = &partition->intake.records[to - 1];
    partition->state.hi = last->offset + 1;
    partition->state.has_record = true;
    partition->state.record_timestamp = last->timestamp_ms;
    partition->state.record_crc = crc32c(0, last->value.data, last->value.length);
    partition->open.group->counts.records += (int64_t)(to - from);
    int64_t bytes = 0;
    for (size_t i = from; i < to; i++)
        bytes += (int64_t)partition->intake.records[i].value.length;
    counter_add(&partition->context->counters->bytes, bytes);
}

void work_seal(struct partition *partition)
{
    partition->state.today = partition_today(partition);
    if (MUTANT(FLOOR_AT_SEAL))
        floor_follow(&partition->state, partition->context->horizon_months);
    stopwatch_begin_each(&partition->context->stopwatch);
    struct group *group = seal_data(partition);
    stopwatch_mark(&partition->context->stopwatch, STOPWATCH_SEAL);
    partition->is_idle = false;
    snapshot_note(partition, group);
    outbox_add(&partition->outbox, group);
    partition_show_outbox(partition);
    counter_set(&partition->status->ledger_entries, (int64_t)ledger_count(partition->state.ledger));
    counter_set(&partition->status->ledger_bytes, (int64_t)ledger_bytes(partition->state.ledger));
    counter_set(&partition->status->floor_month, ledger_floor(partition->state.ledger));
}

bool work_seal_is_due(const struct partition *partition, int64_t now_ms)
{
    const struct open_group *open = &partition->open;
    if (open->declarations == 0)
        return false;
    int64_t interval_ms = partition->context->frame_interval_ms * (partition->intake.behind ? BEHIND_FACTOR : 1);
    return partition->phase == PARTITION_DRAINING || open->declarations >= SEAL_DECLARATIONS ||
           open->ledger.length >= SEAL_BYTES || open->group->reject_bytes.length >= SEAL_BYTES ||
           tally_cells_most(partition->state.tally) >= SEAL_CELLS || now_ms - open->begun_ms >= interval_ms;
}

/* A slice of the rolling snapshot, behind what is counted so far. */
static void seal_slice(struct partition *partition, int64_t now_ms)
{
    if (partition->open.declarations > 0)
        work_seal(partition);
    bool replans = partition->snapshot.replans;
    struct group *group = snapshot_seal(partition, now_ms);
    if (group)
        outbox_add(&partition->outbox, group);
    partition_show_outbox(partition);
    if (!group && replans) {
        struct err_info why;
        err_set(&why, ERR_LIMIT,
                "the plan has changed, and a slice of this partition is larger than a group of frames may be: start "
                "with the "
                "configuration of before, or count the input again into new journal and statistics topics with another "
                "group");
        partition_halt(partition, GUARD_LIMIT, &why);
    }
}

/* The records in hand, batch by batch. A record is always used up before another partition gets the batch. */
static void work_through(struct partition *partition, int64_t now_ms)
{
    struct batch *batch = partition->context->batch;
    struct intake *intake = &partition->intake;
    struct stopwatch *stopwatch = &partition->context->stopwatch;
    batch_judge_by(batch, partition->ruleset->rules);
    while (intake_has_records(intake) && outbox_has_room(&partition->outbox)) {
        size_t from = intake->next;
        if (partition->open.begun_ms == 0)
            partition->open.begun_ms = now_ms;
        do {
            stopwatch_begin(stopwatch);
            batch_fill(batch, intake->records, intake->count, &intake->next);
            batch_decode(batch);
            stopwatch_mark(stopwatch, STOPWATCH_DECODE);
            batch_judge(batch);
            stopwatch_mark(stopwatch, STOPWATCH_JUDGE);
            struct err_info info;
            if (settle_batch(partition, batch, &info) != OK) {
                batch_reset(batch);
                partition_halt(partition, GUARD_LIMIT, &info);
                return;
            }
            stopwatch_mark(stopwatch, STOPWATCH_SETTLE);
        } while (batch->record_open);
        advance(partition, from, intake->next);
        if (work_seal_is_due(partition, now_ms))
            work_seal(partition);
    }
}

/* A fault of the log. What lies before it is sealed and read back first, so that a SKIP may begin at the fault. */
static void stop_at_fault(struct partition *partition)
{
    if (partition->open.lo < partition->state.hi)
        work_seal(partition);
    if (partition->outbox.count > 0)
        return;
    struct err_info why = partition->intake.fault;
    if (partition->intake.faulted == GUARD_INPUT_LOST)
        partition_drop(partition, why.text); /* the guards of the next start look at the log and name the range */
    else
        partition_halt(partition, partition->intake.faulted, &why);
}

/* Records in hand, or taken now. */
static bool has_input(struct partition *partition)
{
    if (intake_has_records(&partition->intake))
        return true;
    bool halted;
    bool taken = intake_take(&partition->intake, &halted);
    if (halted)
        stop_at_fault(partition);
    return taken;
}

/* The log's end was reached and nothing came for a while: said once, and true until DATA follows. */
static bool idle_is_due(const struct partition *partition, int64_t now_ms)
{
    const struct port *port = partition->context->port;
    int64_t idle_ms = partition->context->idle_ms;
    return idle_ms > 0 && !partition->is_idle && now_ms - partition->input_ms >= idle_ms &&
           partition->outbox.count == 0 && !partition->intake.faulted && !intake_has_records(&partition->intake) &&
           port->input_at_end(port->self, partition->number);
}

static void mark_idle(struct partition *partition)
{
    if (partition->open.lo < partition->state.hi) { /* records without declarations: nothing else seals them */
        work_seal(partition);
        return;
    }
    struct seal_source source = partition_source(partition);
    struct group *group = outbox_new_group(&partition->outbox);
    seal_idle(group, &source);
    partition->is_idle = true;
    outbox_add(&partition->outbox, group);
    partition_show_outbox(partition);
}

static void note_pressure(struct partition *partition, bool pressed, int64_t now_ms)
{
    if (partition->pressed_since_ms && !pressed)
        counter_add(&partition->context->counters->backpressure_ms, now_ms - partition->pressed_since_ms);
    if (pressed != (partition->pressed_since_ms != 0))
        partition->pressed_since_ms = pressed ? now_ms : 0;
}

bool work_step(struct partition *partition, int64_t now_ms)
{
    note_pressure(partition, !outbox_has_room(&partition->outbox), now_ms);
    bool did = false;
    if (outbox_has_room(&partition->outbox) && !partition->snapshot.replans && has_input(partition)) {
        partition->input_ms = now_ms;
        work_through(partition, now_ms);
        did = true;
    } else if (partition->phase == PARTITION_RUNNING && outbox_has_room(&partition->outbox)) {
        counter_add(&partition->context->counters->input_stalls, intake_watch(&partition->intake, now_ms));
    }
    if (partition->phase != PARTITION_RUNNING)
        return did;
    if (outbox_has_room(&partition->outbox) && work_seal_is_due(partition, now_ms)) {
        work_seal(partition);
        did = true;
    } else if (idle_is_due(partition, now_ms)) {
        mark_idle(partition);
        did = true;
    }
    if (partition->phase == PARTITION_RUNNING && outbox_has_room(&partition->outbox))
        did = floor_step(partition, now_ms) || did;
    if (partition->phase == PARTITION_RUNNING && snapshot_is_due(partition, now_ms)) {
        seal_slice(partition, now_ms);
        did = true;
    }
    if (partition->phase == PARTITION_RUNNING)
        did = snapshot_trim(partition, now_ms) || did;
    return did;
}
