/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/partition.h"

#include "base/check.h"
#include "base/crc.h"
#include "base/memory.h"
#include "flow/mutant.h"
#include "flow/seal.h"
#include "flow/settle.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MOST_MS = 5000,
    FENCED_MS = 4000, /* longer than a heartbeat takes to say that we are no member any more */
    RESTORE_TAKE = 64,
    DAY_MS = 86400000,
};

const char *partition_phase_name(enum partition_phase phase)
{
    static const char *const names[PARTITION_PHASES] = {"free",     "opening", "restoring", "running",
                                                        "draining", "backoff", "halted"};
    return names[phase];
}

const char *partition_claim_name(enum partition_claim claim)
{
    static const char *const names[PARTITION_CLAIMS] = {"cold", "warm", "producer", "dropped"};
    return names[claim];
}

static int64_t now_of(const struct partition *partition)
{
    return partition->context->port->now_ms(partition->context->port->self);
}

static void enter(struct partition *partition, enum partition_phase phase)
{
    partition->phase = phase;
    partition->since_ms = now_of(partition);
    counter_set(&partition->status->phase, phase);
}

static void set_reason(struct partition *partition, const char *text)
{
    pthread_mutex_lock(&partition->status->lock);
    snprintf(partition->status->reason, sizeof partition->status->reason, "%s", text);
    pthread_mutex_unlock(&partition->status->lock);
}

void partition_init(struct partition *partition, struct partition_context *context, struct partition_status *status,
                    int32_t number)
{
    *partition = (struct partition){.context = context,
                                    .status = status,
                                    .number = number,
                                    .open_offset = -1,
                                    .echo_offset = -1,
                                    .foreign_offset = -1};
    partition->lane = (struct outbox_lane){
        .port = context->port,
        .lane = context->lane,
        .partition = number,
        .frames = context->counters->frames,
        .journal_bytes = &context->counters->journal_bytes,
        .journal_ack = &context->counters->journal_ack,
    };
    counter_set(&status->event_ms, INT64_MIN);
    counter_set(&status->phase, PARTITION_FREE);
}

/* ---- what is held, and letting go of it ---- */

static void stop_restore(struct partition *partition)
{
    const struct port *port = partition->context->port;
    if (partition->stream)
        port->stream_close(port->self, partition->stream);
    partition->stream = NULL;
    reader_rule_free(partition->restore);
    partition->restore = NULL;
}

static void show_outbox(const struct partition *partition)
{
    counter_set(&partition->status->unechoed_groups, partition->outbox.count);
}

/* Drops all memory of the partition. What was promised is in the journal. */
static void forget(struct partition *partition)
{
    intake_close(&partition->intake);
    stop_restore(partition);
    outbox_clear(&partition->outbox);
    show_outbox(partition);
    if (partition->has_state)
        state_fini(&partition->state);
    partition->has_state = false;
    partition->restamp = false;
    partition->open_offset = -1;
    partition->standing = (struct frame_nonce){{0, 0}};
    counter_set(&partition->status->ledger_entries, 0);
    counter_set(&partition->status->ledger_bytes, 0);
}

void partition_fini(struct partition *partition)
{
    forget(partition);
    outbox_fini(&partition->outbox);
    group_free(partition->open.group);
    memory_free(partition->open.places);
    memory_free(partition->open.cuts);
    buffer_fini(&partition->open.ledger);
}

void partition_halt(struct partition *partition, enum guard guard, const struct err_info *why)
{
    forget(partition);
    set_reason(partition, why->text);
    counter_set(&partition->status->guard, guard);
    enter(partition, PARTITION_HALTED);
}

/* ---- step 1: claim ---- */

static void open_epoch(struct partition *partition, bool restamp)
{
    struct partition_context *context = partition->context;
    if (!restamp)
        forget(partition);
    partition->restamp = restamp;
    partition->lane.nonce.word[0] = context->random(context->random_context);
    partition->lane.nonce.word[1] = context->random(context->random_context);
    partition->lane.seq = 0;
    counter_set(&partition->status->guard, GUARD_NONE);
    partition->open_sent = false;
    partition->open_acked_ms = 0;
    partition->foreign_offset = -1; /* whatever was echoed so far lies before this claim */
    partition->epoch_serial++;
    counter_add(&partition->status->epochs[partition->claim], 1);
    partition->claim = PARTITION_CLAIM_DROPPED; /* unless its caller says otherwise */
    enter(partition, PARTITION_OPENING);
}

/* Step 10: what is in memory cannot be trusted; if still assigned, claim again after `least_ms` and a while. */
static void drop_for(struct partition *partition, const char *why, int64_t least_ms)
{
    forget(partition);
    counter_add(&partition->status->fenced, 1);
    set_reason(partition, why);
    if (partition->release) {
        enter(partition, PARTITION_FREE);
        return;
    }
    int64_t doubled = partition->backoff_ms * 2;
    partition->backoff_ms = doubled < BACKOFF_FIRST_MS  ? BACKOFF_FIRST_MS
                            : doubled > BACKOFF_MOST_MS ? BACKOFF_MOST_MS
                                                        : doubled;
    int64_t jitter =
        (int64_t)(partition->context->random(partition->context->random_context) % (uint64_t)partition->backoff_ms);
    enter(partition, PARTITION_BACKOFF);
    partition->retry_ms = partition->since_ms + least_ms + partition->backoff_ms / 2 + jitter;
}

static void drop(struct partition *partition, const char *why)
{
    drop_for(partition, why, 0);
}

bool partition_is_warm(const struct partition *partition)
{
    return partition->phase == PARTITION_FREE && partition->has_state;
}

void partition_assign(struct partition *partition)
{
    partition->release = false;
    partition->backoff_ms = 0;
    set_reason(partition, "");
    bool warm = partition_is_warm(partition);
    partition->claim = warm ? PARTITION_CLAIM_WARM : PARTITION_CLAIM_COLD;
    open_epoch(partition, warm);
}

void partition_release(struct partition *partition, bool lost)
{
    partition->release = true;
    if (partition->phase == PARTITION_RUNNING && !lost) {
        enter(partition, PARTITION_DRAINING);
        return;
    }
    if (partition->phase == PARTITION_DRAINING && !lost)
        return;
    forget(partition);
    enter(partition, PARTITION_FREE);
}

void partition_producer_lost(struct partition *partition)
{
    if (partition->phase == PARTITION_RUNNING || partition->phase == PARTITION_OPENING)
        partition->claim = PARTITION_CLAIM_PRODUCER;
    if (partition->phase == PARTITION_RUNNING)
        open_epoch(partition, true);
    else if (partition->phase == PARTITION_OPENING)
        open_epoch(partition, partition->restamp);
    else if (partition->phase == PARTITION_DRAINING)
        drop(partition, "the producer failed while the partition was being released");
}

static enum err send_open(struct partition *partition, struct err_info *info)
{
    struct partition_context *context = partition->context;
    struct hash_key key = partition->state.id_key;
    if (!partition->has_state) {
        key.word[0] = context->random(context->random_context);
        key.word[1] = context->random(context->random_context);
    }
    int32_t partitions = context->port->partitions(context->port->self, PORT_DECLARATIONS);
    struct buffer frame = {0};
    seal_open(&frame, &partition->lane.nonce, partition->number, partitions, context->plan_id, &key, context->units);
    enum err err =
        context->port->append(context->port->self, context->lane, PORT_JOURNAL, partition->number,
                              (struct bytes){NULL, 0}, buffer_bytes(&frame), PORT_NO_AS_OF,
                              outbox_token(partition->number, partition->epoch_serial, true, OUTBOX_OPEN_INDEX), info);
    if (err == OK) {
        counter_add(&context->counters->frames[FRAME_OPEN], 1);
        counter_add(&context->counters->journal_bytes, (int64_t)frame.length);
    }
    buffer_fini(&frame);
    return err;
}

/* ---- step 2: restore ---- */

static void begin_restore(struct partition *partition, int64_t open_offset)
{
    struct partition_context *context = partition->context;
    const struct port *port = context->port;
    struct port_bounds bounds;
    struct err_info info;
    if (partition->foreign_offset > open_offset) { /* its echo came before the ack of the own claim */
        drop(partition, "another process has claimed this partition");
        return;
    }
    if (port->bounds(port->self, PORT_JOURNAL, partition->number, &bounds, &info) != OK) {
        drop(partition, info.text);
        return;
    }
    partition->open_offset = open_offset;
    partition->standing = partition->lane.nonce;
    state_init(&partition->state, context->plan, context->random(context->random_context));
    partition->state.plan_id = context->plan_id;
    partition->state.today = (int32_t)(now_of(partition) / DAY_MS);
    partition->has_state = true;
    partition->restore = reader_rule_new();
    partition->restore->position = bounds.low;
    partition->stream = port->stream_open(port->self, PORT_JOURNAL, partition->number, bounds.low);
    partition->restore_begun_ms = now_of(partition);
    partition->restore_seen_ms = partition->restore_begun_ms;
    counter_set(&partition->status->restore_done, 0);
    counter_set(&partition->status->restore_total, open_offset + 1 - bounds.low);
    enter(partition, PARTITION_RESTORING);
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

static struct seal_source source_of(const struct partition *partition)
{
    return (struct seal_source){partition->number, partition->context->plan_id, &partition->state};
}

/* A first start on a topic that retention has cut: the hole is written down. */
static void bootstrap_skip(struct partition *partition, int64_t low)
{
    struct seal_source source = source_of(partition);
    struct group *group = outbox_new_group(&partition->outbox);
    seal_skip(group, &source, 0, low, TEXT("bootstrap: the input began here when the journal did"));
    counts_add(&partition->state.counts, &group->counts);
    partition->state.hi = low;
    seal_begin(partition);
    outbox_add(&partition->outbox, group);
    show_outbox(partition);
}

static enum err start_intake(struct partition *partition, int64_t low, struct err_info *info)
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

static void start_work(struct partition *partition)
{
    struct partition_context *context = partition->context;
    struct err_info info;
    struct port_bounds input;
    enum guard guard = GUARD_NONE;
    enum err err = check_start(partition, &input, &guard, &info);
    if (err != OK) {
        drop(partition, info.text);
        return;
    }
    if (guard == GUARD_INPUT_LOST)
        counter_set(&partition->status->position, partition->state.hi); /* a SKIP must begin here */
    if (guard != GUARD_NONE) {
        partition_halt(partition, guard, &info);
        return;
    }
    bool is_first = !partition->restore->has_groups;
    partition->is_idle = partition->restore->is_idle;
    partition->begun_with = partition->restore->begun_with;
    snapshot_begin(partition, partition->restore);
    stop_restore(partition);
    seal_begin(partition);
    counter_set(&partition->status->position, partition->state.hi); /* what a SKIP adds counts with its echo */
    if (is_first && input.low > 0)
        bootstrap_skip(partition, input.low);
    if (!slices_are_of_plan(&partition->state.slices, context->plan_id) && snapshot_replan(partition, &info) != OK) {
        partition_halt(partition, GUARD_JOURNAL_DAMAGED, &info);
        return;
    }
    err = start_intake(partition, input.low, &info);
    if (err != OK) {
        drop(partition, info.text);
        return;
    }
    partition->backoff_ms = 0;
    partition->echo_seen_ms = now_of(partition);
    partition->input_ms = partition->echo_seen_ms;
    counter_set(&partition->status->is_idle, partition->is_idle);
    counter_set(&partition->status->event_ms, partition->state.event_ms_most);
    counter_set(&partition->status->ledger_entries, (int64_t)ledger_count(partition->state.ledger));
    counter_set(&partition->status->ledger_bytes, (int64_t)ledger_bytes(partition->state.ledger));
    hist_record(&context->counters->restore, (double)(now_of(partition) - partition->restore_begun_ms) / 1000);
    set_reason(partition, "");
    enter(partition, PARTITION_RUNNING);
}

static void finish_restore(struct partition *partition)
{
    const struct reader_rule *rule = partition->restore;
    if (rule->halted) {
        struct err_info why = rule->why;
        partition_halt(partition, GUARD_JOURNAL_DAMAGED, &why);
    } else if (!frame_nonce_equal(&rule->epoch, &partition->lane.nonce) && !MUTANT(RESTORE_BEFORE_OPEN)) {
        open_epoch(partition, false); /* the ack was of a copy: a foreign OPEN lies between */
    } else {
        start_work(partition);
    }
}

/* The OPEN was acknowledged at an offset that the log does not reach: a broker lost it (unclean election). */
static void look_for_open(struct partition *partition)
{
    const struct port *port = partition->context->port;
    int64_t now_ms = now_of(partition);
    if (now_ms - partition->restore_seen_ms <= ECHO_TIMEOUT_MS)
        return;
    partition->restore_seen_ms = now_ms;
    struct port_bounds bounds;
    struct err_info info;
    if (port->bounds(port->self, PORT_JOURNAL, partition->number, &bounds, &info) == OK &&
        bounds.high <= partition->open_offset)
        drop(partition, "the claim was acknowledged and is not in the journal");
}

static bool restore_step(struct partition *partition)
{
    const struct port *port = partition->context->port;
    struct port_record records[RESTORE_TAKE];
    size_t count = port->stream_take(port->self, partition->stream, records, RESTORE_TAKE);
    struct reader_rule *rule = partition->restore;
    bool done = false;
    for (size_t i = 0; i < count && !done; i++) {
        if (records[i].fault == PORT_OFFSET_RESET) {
            port->release(port->self, records, count);
            drop(partition, "the journal was trimmed while it was read");
            return true;
        }
        if (records[i].fault != PORT_NONE) {
            err_set(&rule->why, ERR_BROKEN, "journal offset %" PRId64 " cannot be read (fault %d)", records[i].offset,
                    (int)records[i].fault);
            rule->halted = true;
        } else {
            struct frame frame;
            enum reader_branch branch =
                reader_rule_feed(rule, records[i].offset, records[i].value, state_fold, &partition->state, &frame);
            if (branch == READER_OPEN || branch == READER_OPEN_DISCARDS)
                state_take_open(&partition->state, &frame);
        }
        done = rule->halted || records[i].offset >= partition->open_offset;
        done = done || (MUTANT(RESTORE_BEFORE_OPEN) && records[i].offset + 1 == partition->end_before_open);
        counter_add(&partition->status->restore_done, 1);
    }
    if (count) {
        port->release(port->self, records, count);
        partition->restore_seen_ms = now_of(partition);
    }
    if (done)
        finish_restore(partition);
    else if (!count)
        look_for_open(partition);
    return count > 0;
}

/* ---- step 4: work ---- */

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

static void seal(struct partition *partition)
{
    partition->state.today = (int32_t)(now_of(partition) / DAY_MS);
    struct group *group = seal_data(partition);
    partition->is_idle = false;
    snapshot_note(partition, group);
    outbox_add(&partition->outbox, group);
    show_outbox(partition);
    counter_set(&partition->status->ledger_entries, (int64_t)ledger_count(partition->state.ledger));
    counter_set(&partition->status->ledger_bytes, (int64_t)ledger_bytes(partition->state.ledger));
}

static bool seal_is_due(const struct partition *partition, int64_t now_ms)
{
    const struct open_group *open = &partition->open;
    if (open->declarations == 0)
        return false;
    int64_t interval_ms = partition->context->frame_interval_ms * (partition->intake.behind ? BEHIND_FACTOR : 1);
    return partition->phase == PARTITION_DRAINING || open->declarations >= SEAL_DECLARATIONS ||
           open->ledger.length >= SEAL_BYTES || open->group->reject_bytes.length >= SEAL_BYTES ||
           tally_count(partition->state.tally) >= SEAL_CELLS || now_ms - open->begun_ms >= interval_ms;
}

/* A slice of the rolling snapshot, behind what is counted so far. */
static void seal_slice(struct partition *partition, int64_t now_ms)
{
    if (partition->open.declarations > 0)
        seal(partition);
    bool replans = partition->snapshot.replans;
    struct group *group = snapshot_seal(partition, now_ms);
    if (group)
        outbox_add(&partition->outbox, group);
    show_outbox(partition);
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
    while (intake_has_records(intake) && outbox_has_room(&partition->outbox)) {
        size_t from = intake->next;
        if (partition->open.begun_ms == 0)
            partition->open.begun_ms = now_ms;
        do {
            batch_fill(batch, intake->records, intake->count, &intake->next);
            batch_decode(batch);
            batch_judge(batch);
            struct err_info info;
            if (settle_batch(partition, batch, &info) != OK) {
                batch_reset(batch);
                partition_halt(partition, GUARD_LIMIT, &info);
                return;
            }
        } while (batch->record_open);
        advance(partition, from, intake->next);
        if (seal_is_due(partition, now_ms))
            seal(partition);
    }
}

/* A fault of the log. What lies before it is sealed and read back first, so that a SKIP may begin at the fault. */
static void stop_at_fault(struct partition *partition)
{
    if (partition->open.lo < partition->state.hi)
        seal(partition);
    if (partition->outbox.count > 0)
        return;
    struct err_info why = partition->intake.fault;
    if (partition->intake.faulted == GUARD_INPUT_LOST)
        drop(partition, why.text); /* the guards of the next start look at the log and name the range */
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
        seal(partition);
        return;
    }
    struct seal_source source = source_of(partition);
    struct group *group = outbox_new_group(&partition->outbox);
    seal_idle(group, &source);
    partition->is_idle = true;
    outbox_add(&partition->outbox, group);
    show_outbox(partition);
}

static void note_pressure(struct partition *partition, bool pressed, int64_t now_ms)
{
    if (partition->pressed_since_ms && !pressed)
        counter_add(&partition->context->counters->backpressure_ms, now_ms - partition->pressed_since_ms);
    if (pressed != (partition->pressed_since_ms != 0))
        partition->pressed_since_ms = pressed ? now_ms : 0;
}

static bool work_step(struct partition *partition, int64_t now_ms)
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
    if (outbox_has_room(&partition->outbox) && seal_is_due(partition, now_ms)) {
        seal(partition);
        did = true;
    } else if (idle_is_due(partition, now_ms)) {
        mark_idle(partition);
        did = true;
    }
    if (partition->phase == PARTITION_RUNNING && snapshot_is_due(partition, now_ms)) {
        seal_slice(partition, now_ms);
        did = true;
    }
    if (partition->phase == PARTITION_RUNNING)
        did = snapshot_trim(partition, now_ms) || did;
    return did;
}

/* ---- acks ---- */

static bool ack_open(struct partition *partition, const struct port_ack *ack)
{
    if (partition->phase != PARTITION_OPENING || !partition->open_sent)
        return true;
    if (ack->result == ERR_LIMIT || ack->offset < 0)
        return false;
    partition->open_acked_ms = now_of(partition);
    if (!partition->restamp)
        begin_restore(partition, ack->offset);
    return true;
}

bool partition_ack(struct partition *partition, const struct port_ack *ack)
{
    if (ack->result != OK && ack->result != ERR_LIMIT)
        return false;
    if (ack->token == outbox_token(partition->number, partition->epoch_serial, true, OUTBOX_OPEN_INDEX))
        return ack_open(partition, ack);
    if ((ack->token & OUTBOX_OPEN_INDEX) == OUTBOX_OPEN_INDEX)
        return true; /* of an OPEN that was given up */
    struct err_info why;
    if (outbox_ack(&partition->outbox, &partition->lane, ack, now_of(partition), &why) != OK)
        partition_halt(partition, GUARD_TOPIC_LIMIT, &why);
    return true;
}

/* ---- step 10: echo ---- */

static void count_echoed(struct partition *partition, const struct group *group)
{
    struct worker_counters *counters = partition->context->counters;
    for (int i = 0; i < VERDICTS; i++)
        counter_add(&counters->verdicts[i], group->counts.verdicts[i]);
    counter_add(&counters->records, group->counts.records);
    counter_add(&counters->items, group->counts.items);
    counter_add(&counters->unknown_fields, group->counts.unknown_fields);
    for (int i = 0; i < RULE_NUMBERS; i++) {
        if (group->counts.rejects[i])
            counter_add(&counters->rejects[i], group->counts.rejects[i]);
        if (group->counts.warnings[i])
            counter_add(&counters->warnings[i], group->counts.warnings[i]);
    }
}

static void echo_applied(struct partition *partition, const struct echo *echo)
{
    const struct group *group = outbox_echoed(&partition->outbox, &echo->nonce, echo->seq);
    if (!group)
        return;
    count_echoed(partition, group);
    counter_set(&partition->status->position, group->hi);
    counter_set(&partition->status->event_ms, partition->state.event_ms_most);
    counter_set(&partition->status->is_idle, group->kind == FRAME_MARK);
    outbox_retire(&partition->outbox);
    show_outbox(partition);
}

/* Input goes on where the state stands. False: it can't, and a restore from the journal says why. */
static bool resume_intake(struct partition *partition)
{
    const struct port *port = partition->context->port;
    struct port_bounds input;
    struct err_info info;
    if (partition->intake.started)
        return true;
    if (port->bounds(port->self, PORT_DECLARATIONS, partition->number, &input, &info) != OK ||
        partition->state.hi < input.low || partition->state.hi > input.high)
        return false;
    return start_intake(partition, input.low, &info) == OK;
}

/* All that was sealed and is not accepted goes out again under the new epoch: only if nobody else counted on from where it begins. */
static void resume(struct partition *partition, const struct echo *echo)
{
    const struct outbox *outbox = &partition->outbox;
    if (!resume_intake(partition)) {
        open_epoch(partition, false);
        return;
    }
    if (echo->hi != (outbox->count ? outbox->groups[0]->lo : partition->open.lo) && !MUTANT(RESTAMP_FOREIGN)) {
        drop(partition, "another process has counted on in this partition");
        return;
    }
    partition->open_offset = echo->offset;
    partition->standing = partition->lane.nonce;
    partition->restamp = false;
    partition->backoff_ms = 0;
    outbox_unsend(&partition->outbox);
    snapshot_reopen(partition, &partition->lane.nonce);
    enter(partition, PARTITION_RUNNING);
}

static void echo_open(struct partition *partition, const struct echo *echo)
{
    bool own = frame_nonce_equal(&echo->nonce, &partition->lane.nonce);
    if (own && partition->phase == PARTITION_OPENING && partition->restamp)
        resume(partition, echo);
}

/* Not assigned, and warm: what can't be an old frame on its way means that somebody else writes. */
static void echo_warm(struct partition *partition, const struct echo *echo)
{
    switch (echo->branch) {
    case READER_OPEN_SEEN:
    case READER_OTHER_NONCE:
    case READER_DUPLICATE:
        break;
    default:
        forget(partition);
        break;
    }
}

/* Whether the frame counts and is neither of the own claim nor of the epoch that the state stands on. */
static bool is_foreign(const struct partition *partition, const struct echo *echo)
{
    bool counts = echo->branch == READER_OPEN || echo->branch == READER_OPEN_DISCARDS ||
                  echo->branch == READER_BUFFERED || echo->branch == READER_APPLIED;
    if (MUTANT(ECHO_NOT_NOTICED) || (MUTANT(RESTAMP_FOREIGN) && (partition->restamp || !partition->has_state)))
        return false;
    return counts && !frame_nonce_equal(&echo->nonce, &partition->lane.nonce) &&
           !frame_nonce_equal(&echo->nonce, &partition->standing);
}

/* The operator's SKIP moves the journal on: the partition may go on behind it. */
static bool is_mended(const struct partition *partition, const struct echo *echo)
{
    return partition->phase == PARTITION_HALTED && echo->branch == READER_APPLIED && echo->kind == FRAME_SKIP &&
           echo->hi > counter_read(&partition->status->position);
}

void partition_echo(struct partition *partition, const struct echo *echo)
{
    if (is_mended(partition, echo))
        partition_assign(partition);
    partition->echo_offset = echo->offset;
    bool foreign = is_foreign(partition, echo);
    if (foreign)
        partition->foreign_offset = echo->offset;
    if (!partition->has_state)
        return;
    partition->echo_seen_ms = now_of(partition); /* an old one too: the journal is being read on */
    if (echo->offset <= partition->open_offset)
        return;
    if (echo->trim_to > partition->snapshot.trim_to)
        partition->snapshot.trim_to = echo->trim_to;
    if (partition->phase == PARTITION_FREE) {
        echo_warm(partition, echo);
        return;
    }
    if (foreign) {
        if (partition->phase == PARTITION_OPENING)
            open_epoch(partition, false); /* somebody was here between our claims */
        else
            drop_for(partition, "another process has claimed this partition", FENCED_MS);
        return;
    }
    bool own = frame_nonce_equal(&echo->nonce, &partition->lane.nonce);
    switch (echo->branch) {
    case READER_OPEN:
    case READER_OPEN_DISCARDS:
        echo_open(partition, echo);
        break;
    case READER_APPLIED:
        echo_applied(partition, echo);
        break;
    case READER_GAP:
    case READER_OTHER_NONCE:
        if (own && !MUTANT(ECHO_NOT_NOTICED))
            drop(partition, "an own frame does not count: another epoch or a lost frame lies before it");
        break;
    case READER_HALTED: {
        struct err_info why;
        err_set(&why, ERR_BROKEN, "the journal is corrupt at offset %" PRId64 ": see the publisher's reason",
                echo->offset);
        partition_halt(partition, GUARD_JOURNAL_DAMAGED, &why);
        break;
    }
    default:
        break;
    }
}

/* No echo for long after an ack, though the journal was read to its end: what was acknowledged is gone. A reader that is slow, or
 * a process that stood still, is no reason to drop the state. */
static bool is_gone(struct partition *partition, int64_t acked_ms, int64_t now_ms)
{
    const struct port *port = partition->context->port;
    int64_t since_ms = acked_ms > partition->echo_seen_ms ? acked_ms : partition->echo_seen_ms;
    if (!acked_ms || now_ms - since_ms <= ECHO_TIMEOUT_MS || MUTANT(ECHO_NOT_NOTICED))
        return false;
    partition->echo_seen_ms = now_ms;
    struct port_bounds bounds;
    struct err_info info;
    return port->bounds(port->self, PORT_JOURNAL, partition->number, &bounds, &info) == OK &&
           bounds.high <= partition->echo_offset + 1;
}

/* ---- the steps together ---- */

static bool open_step(struct partition *partition, bool *out_producer_lost)
{
    if (partition->open_sent) {
        /* a claim that keeps the state begins with its echo, not with its ack */
        if (partition->restamp && is_gone(partition, partition->open_acked_ms, now_of(partition)))
            drop(partition, "the claim was acknowledged and is not in the journal");
        return false;
    }
    struct err_info info;
    struct port_bounds bounds;
    const struct port *port = partition->context->port;
    if (MUTANT(RESTORE_BEFORE_OPEN) && port->bounds(port->self, PORT_JOURNAL, partition->number, &bounds, &info) == OK)
        partition->end_before_open = bounds.high;
    enum err err = send_open(partition, &info);
    if (err == OK)
        partition->open_sent = true;
    else if (err == ERR_PEER)
        *out_producer_lost = true;
    return err == OK;
}

static bool drain_step(struct partition *partition, int64_t now_ms)
{
    bool did = false;
    intake_close(&partition->intake);
    if (seal_is_due(partition, now_ms)) {
        seal(partition);
        did = true;
    }
    bool all_echoed = partition->outbox.count == 0 && partition->open.lo == partition->state.hi;
    if (partition->outbox.count == 0 || now_ms - partition->since_ms > DRAIN_TIMEOUT_MS) {
        if (!all_echoed) /* step 9: else the state stays warm */
            forget(partition);
        enter(partition, PARTITION_FREE);
        did = true;
    }
    return did;
}

static bool send_step(struct partition *partition, int64_t now_ms, bool *out_producer_lost)
{
    bool did = false;
    struct err_info info;
    enum err err = outbox_pump(&partition->outbox, &partition->lane, now_ms, &did, &info);
    if (err == ERR_LIMIT)
        partition_halt(partition, GUARD_TOPIC_LIMIT, &info);
    *out_producer_lost = err == ERR_PEER;
    if (err == OK && is_gone(partition, outbox_acked_ms(&partition->outbox), now_ms))
        drop(partition, "a frame was acknowledged and is not in the journal");
    return did && err == OK;
}

bool partition_step(struct partition *partition, bool *out_producer_lost)
{
    *out_producer_lost = false;
    int64_t now_ms = now_of(partition);
    bool did = false;
    switch (partition->phase) {
    case PARTITION_OPENING:
        return open_step(partition, out_producer_lost);
    case PARTITION_RESTORING:
        return restore_step(partition);
    case PARTITION_RUNNING:
        did = work_step(partition, now_ms);
        return (partition->phase == PARTITION_RUNNING && send_step(partition, now_ms, out_producer_lost)) || did;
    case PARTITION_DRAINING:
        did = drain_step(partition, now_ms);
        return (partition->phase == PARTITION_DRAINING && send_step(partition, now_ms, out_producer_lost)) || did;
    case PARTITION_BACKOFF:
        if (now_ms < partition->retry_ms)
            return false;
        open_epoch(partition, false);
        return true;
    default:
        return false;
    }
}

int64_t partition_patience_ms(const struct partition *partition, int64_t now_ms)
{
    if (partition->phase == PARTITION_BACKOFF)
        return partition->retry_ms > now_ms ? partition->retry_ms - now_ms : 0;
    if (partition->phase == PARTITION_RUNNING && partition->open.declarations > 0) {
        int64_t due = partition->open.begun_ms + partition->context->frame_interval_ms;
        return due > now_ms ? due - now_ms : 0;
    }
    if (partition->phase == PARTITION_RUNNING && partition->snapshot.next > 0)
        return partition->context->frame_interval_ms;
    return partition->outbox.count || partition->phase == PARTITION_OPENING || partition->phase == PARTITION_DRAINING
               ? 100
               : 1000;
}
