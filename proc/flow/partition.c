/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/partition_inside.h"

#include "base/memory.h"
#include "flow/mutant.h"
#include "flow/restore.h"
#include "flow/seal.h"
#include "flow/work.h"

#include <stdio.h>

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MOST_MS = 5000,
    HALT_LOOK_MS = 5000,
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

int64_t partition_now_ms(const struct partition *partition)
{
    return partition->context->port->now_ms(partition->context->port->self);
}

int32_t partition_today(const struct partition *partition)
{
    return (int32_t)(partition_now_ms(partition) / DAY_MS);
}

void partition_enter(struct partition *partition, enum partition_phase phase)
{
    partition->phase = phase;
    partition->since_ms = partition_now_ms(partition);
    counter_set(&partition->status->phase, phase);
}

void partition_set_reason(struct partition *partition, const char *text)
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
                                    .ruleset = context->ruleset,
                                    .number = number,
                                    .open_offset = -1,
                                    .seen = {.offset = -1},
                                    .furthest = {.offset = -1},
                                    .proof = {.offset = -1},
                                    .foreign_offset = -1,
                                    .broken_at = -1};
    partition->lane = (struct outbox_lane){
        .port = context->port,
        .lane = context->lane,
        .partition = number,
        .frames = context->counters->frames,
        .journal_bytes = &context->counters->journal_bytes,
        .journal_ack = &context->counters->journal_ack,
    };
    counter_set(&status->event_ms, INT64_MIN);
    counter_set(&status->plan_id, (int64_t)partition->ruleset->plan_id);
    counter_set(&status->phase, PARTITION_FREE);
}

/* ---- what is held, and letting go of it ---- */

struct seal_source partition_source(const struct partition *partition)
{
    return (struct seal_source){partition->number, partition->ruleset->plan_id, &partition->state};
}

void partition_show_outbox(const struct partition *partition)
{
    counter_set(&partition->status->unechoed_groups, partition->outbox.count);
}

/* Drops all memory of the partition. What was promised is in the journal. */
void partition_forget(struct partition *partition)
{
    intake_close(&partition->intake);
    restore_stop(partition);
    outbox_clear(&partition->outbox);
    partition_show_outbox(partition);
    if (partition->has_state)
        state_fini(&partition->state);
    partition->has_state = false;
    recall_free(partition->recall);
    partition->recall = NULL;
    partition->restamp = false;
    partition->proves = false;
    partition->open_offset = -1;
    partition->furthest.offset = -1;
    partition->standing = (struct frame_nonce){{0, 0}};
    counter_set(&partition->status->ledger_entries, 0);
    counter_set(&partition->status->ledger_bytes, 0);
}

void partition_fini(struct partition *partition)
{
    partition_forget(partition);
    outbox_fini(&partition->outbox);
    group_free(partition->open.group);
    memory_free(partition->open.places);
    memory_free(partition->open.cuts);
    buffer_fini(&partition->open.ledger);
    cell_order_fini(&partition->open.order);
}

void partition_halt(struct partition *partition, enum guard guard, const struct err_info *why)
{
    partition_forget(partition);
    partition_set_reason(partition, why->text);
    counter_set(&partition->status->guard, guard);
    partition_enter(partition, PARTITION_HALTED);
}

/* ---- step 1: claim ---- */

/* The newest frame that was read of the journal which the state is a fold of. */
static struct journal_place newest_seen(const struct partition *partition)
{
    if (partition->furthest.offset > partition->open_offset)
        return partition->furthest;
    return (struct journal_place){partition->open_offset, partition->standing, 0};
}

void partition_open_epoch(struct partition *partition, bool restamp)
{
    struct partition_context *context = partition->context;
    if (!restamp)
        partition_forget(partition);
    else if (!partition->restamp)
        partition->proof = newest_seen(partition);
    restore_stop(partition);
    partition->proves = false;
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
    partition_enter(partition, PARTITION_OPENING);
}

/* Step 10: what is in memory cannot be trusted; if still assigned, claim again after `least_ms` and a while. */
void partition_drop_for(struct partition *partition, const char *why, int64_t least_ms)
{
    partition_forget(partition);
    counter_add(&partition->status->fenced, 1);
    partition_set_reason(partition, why);
    if (partition->release) {
        partition_enter(partition, PARTITION_FREE);
        return;
    }
    int64_t doubled = partition->backoff_ms * 2;
    partition->backoff_ms = doubled < BACKOFF_FIRST_MS  ? BACKOFF_FIRST_MS
                            : doubled > BACKOFF_MOST_MS ? BACKOFF_MOST_MS
                                                        : doubled;
    int64_t jitter =
        (int64_t)(partition->context->random(partition->context->random_context) % (uint64_t)partition->backoff_ms);
    partition_enter(partition, PARTITION_BACKOFF);
    partition->retry_ms = partition->since_ms + least_ms + partition->backoff_ms / 2 + jitter;
}

void partition_drop(struct partition *partition, const char *why)
{
    partition_drop_for(partition, why, 0);
}

bool partition_is_warm(const struct partition *partition)
{
    return partition->phase == PARTITION_FREE && partition->has_state;
}

void partition_assign(struct partition *partition)
{
    partition->release = false;
    partition->broken_at = -1;
    partition->backoff_ms = 0;
    partition_set_reason(partition, "");
    bool warm = partition_is_warm(partition);
    partition->claim = warm ? PARTITION_CLAIM_WARM : PARTITION_CLAIM_COLD;
    partition_open_epoch(partition, warm);
}

void partition_release(struct partition *partition, bool lost)
{
    partition->release = true;
    if (partition->phase == PARTITION_RUNNING && !lost) {
        partition_enter(partition, PARTITION_DRAINING);
        return;
    }
    if (partition->phase == PARTITION_DRAINING && !lost)
        return;
    partition_forget(partition);
    partition_enter(partition, PARTITION_FREE);
}

void partition_producer_lost(struct partition *partition)
{
    if (partition->phase == PARTITION_RUNNING || partition->phase == PARTITION_OPENING)
        partition->claim = PARTITION_CLAIM_PRODUCER;
    if (partition->phase == PARTITION_RUNNING)
        partition_open_epoch(partition, true);
    else if (partition->phase == PARTITION_OPENING)
        partition_open_epoch(partition, partition->restamp);
    else if (partition->phase == PARTITION_DRAINING)
        partition_drop(partition, "the producer failed while the partition was being released");
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
    seal_open(&frame, &partition->lane.nonce, partition->number, partitions, partition->ruleset->plan_id, &key,
              context->units);
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

/* ---- acks ---- */

static bool ack_open(struct partition *partition, const struct port_ack *ack)
{
    if (partition->phase != PARTITION_OPENING || !partition->open_sent)
        return true;
    if (ack->result == ERR_LIMIT || ack->offset < 0)
        return false;
    partition->open_acked_ms = partition_now_ms(partition);
    if (!partition->restamp)
        restore_begin(partition, ack->offset);
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
    if (outbox_ack(&partition->outbox, &partition->lane, ack, partition_now_ms(partition), &why) != OK)
        partition_halt(partition, GUARD_TOPIC_LIMIT, &why);
    return true;
}

/* ---- the steps together ---- */

static bool open_step(struct partition *partition, bool *out_producer_lost)
{
    if (partition->proves)
        return echo_prove(partition);
    if (partition->open_sent) {
        /* a claim that keeps the state begins with its echo, not with its ack */
        if (partition->restamp && echo_is_missing(partition, partition->open_acked_ms, partition_now_ms(partition)))
            partition_drop(partition, "the claim was acknowledged and is not in the journal");
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
    if (work_seal_is_due(partition, now_ms)) {
        work_seal(partition);
        did = true;
    }
    bool all_echoed = partition->outbox.count == 0 && partition->open.lo == partition->state.hi;
    if (partition->outbox.count == 0 || now_ms - partition->since_ms > DRAIN_TIMEOUT_MS) {
        if (!all_echoed) /* step 9: else the state stays warm */
            partition_forget(partition);
        partition_enter(partition, PARTITION_FREE);
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
    if (err == OK && echo_is_missing(partition, outbox_acked_ms(&partition->outbox), now_ms))
        partition_drop(partition, "a frame was acknowledged and is not in the journal");
    else if (err == OK && echo_is_cut(partition, now_ms))
        partition_drop(partition, "the journal ends before a frame that was read: its end is lost");
    return did && err == OK;
}

/* An owner that had passed the break may have trimmed it away. */
static bool halted_step(struct partition *partition, int64_t now_ms)
{
    const struct port *port = partition->context->port;
    struct port_bounds bounds;
    struct err_info info;
    if (partition->broken_at < 0 || now_ms - partition->since_ms < HALT_LOOK_MS)
        return false;
    partition->since_ms = now_ms;
    if (port->bounds(port->self, PORT_JOURNAL, partition->number, &bounds, &info) != OK ||
        bounds.low <= partition->broken_at || bounds.low == bounds.high)
        return false;
    partition_assign(partition);
    return true;
}

/* Newer rules begin with a group of their own: what is judged already is sealed first, as soon as there is room for it. */
static void take_ruleset(struct partition *partition)
{
    const struct ruleset *newest = partition->context->ruleset;
    bool is_judging = partition->has_state && partition->phase != PARTITION_RESTORING;
    if (partition->ruleset == newest)
        return;
    if (is_judging && partition->open.lo < partition->state.hi && !MUTANT(RELOAD_MID_GROUP)) {
        bool may_seal = partition->phase == PARTITION_RUNNING || partition->phase == PARTITION_DRAINING;
        if (!may_seal || !outbox_has_room(&partition->outbox))
            return;
        work_seal(partition);
    }
    partition->ruleset = newest;
    counter_set(&partition->status->plan_id, (int64_t)newest->plan_id);
}

bool partition_step(struct partition *partition, bool *out_producer_lost)
{
    *out_producer_lost = false;
    take_ruleset(partition);
    int64_t now_ms = partition_now_ms(partition);
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
        partition_open_epoch(partition, false);
        return true;
    case PARTITION_HALTED:
        return halted_step(partition, now_ms);
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
