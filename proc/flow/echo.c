/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/echo.h"

#include "flow/mutant.h"
#include "flow/partition_inside.h"
#include "flow/restore.h"
#include "flow/work.h"

#include <inttypes.h>

enum { FENCED_MS = 4000 }; /* longer than a heartbeat takes to say that we are no member any more */

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
    partition_show_outbox(partition);
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
    return work_begin_intake(partition, input.low, &info) == OK;
}

/* All that was sealed and is not accepted goes out again under the new epoch: only if nobody else counted on from where it begins. */
static void resume(struct partition *partition, const struct echo *echo)
{
    const struct outbox *outbox = &partition->outbox;
    if (!resume_intake(partition)) {
        partition_open_epoch(partition, false);
        return;
    }
    if (echo->hi != (outbox->count ? outbox->groups[0]->lo : partition->open.lo) && !MUTANT(RESTAMP_FOREIGN)) {
        partition_drop(partition, "another process has counted on in this partition");
        return;
    }
    partition->open_offset = echo->offset;
    partition->standing = partition->lane.nonce;
    partition->restamp = false;
    partition->backoff_ms = 0;
    outbox_unsend(&partition->outbox);
    snapshot_reopen(partition, &partition->lane.nonce);
    partition_enter(partition, PARTITION_RUNNING);
}

/* The claim counts. A journal that was deleted and made anew may have grown beyond the place that was read: then what is read on from
 * there is no continuation of the state, though no foreign frame is met. So the frame that was read last is read again. */
static void echo_open(struct partition *partition, const struct echo *echo)
{
    const struct port *port = partition->context->port;
    bool own = frame_nonce_equal(&echo->nonce, &partition->lane.nonce);
    if (!own || partition->phase != PARTITION_OPENING || !partition->restamp || partition->proves)
        return;
    partition->claimed = *echo;
    partition->proves = true;
    partition->restore_seen_ms = partition_now_ms(partition);
    partition->stream = port->stream_open(port->self, PORT_JOURNAL, partition->number, partition->proof.offset);
}

static bool is_proof(const struct partition *partition, const struct port_record *record)
{
    struct frame frame;
    struct err_info ignored;
    return record->fault == PORT_NONE && record->offset == partition->proof.offset &&
           frame_parse(record->value, &frame, &ignored) == OK &&
           frame_nonce_equal(&frame.nonce, &partition->proof.nonce) && frame.seq == partition->proof.seq;
}

bool echo_prove(struct partition *partition)
{
    const struct port *port = partition->context->port;
    struct port_record record;
    if (port->stream_take(port->self, partition->stream, &record, 1) == 0) {
        if (partition_now_ms(partition) - partition->restore_seen_ms > ECHO_TIMEOUT_MS)
            partition_drop(partition, "the journal does not give the frame that was read last");
        return false;
    }
    bool is_same = is_proof(partition, &record);
    port->release(port->self, &record, 1);
    restore_stop(partition);
    partition->proves = false;
    if (is_same)
        resume(partition, &partition->claimed);
    else
        partition_open_epoch(partition, false); /* it is another journal, or its end is lost: what it says now counts */
    return true;
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
        partition_forget(partition);
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

/* The operator's SKIP moves the journal on, or his rebase begins it anew: the partition may go on behind it. */
static bool is_mended(const struct partition *partition, const struct echo *echo)
{
    if (partition->phase != PARTITION_HALTED)
        return false;
    return echo->branch == READER_REBASED || (echo->branch == READER_APPLIED && echo->kind == FRAME_SKIP &&
                                              echo->hi > counter_read(&partition->status->position));
}

static bool is_same_place(const struct journal_place *a, const struct journal_place *b)
{
    return a->offset == b->offset && a->seq == b->seq && frame_nonce_equal(&a->nonce, &b->nonce);
}

/* The journal is read again, and where the furthest frame of the state stood stands another, or none. Who has nothing to write would
 * not hear of it in any other way, and its group would be missing for every reader. */
static bool is_rewritten(struct partition *partition, const struct journal_place *before)
{
    const struct journal_place *seen = &partition->seen;
    bool passes = before->offset < partition->furthest.offset && seen->offset >= partition->furthest.offset;
    bool is_lost = (passes || seen->offset == partition->furthest.offset) && !is_same_place(seen, &partition->furthest);
    if (seen->offset > partition->furthest.offset)
        partition->furthest = *seen;
    return is_lost;
}

void echo_take(struct partition *partition, const struct echo *echo)
{
    if (is_mended(partition, echo))
        partition_assign(partition);
    struct journal_place before = partition->seen;
    partition->seen = (struct journal_place){echo->offset, echo->nonce, echo->seq};
    bool foreign = is_foreign(partition, echo);
    if (foreign)
        partition->foreign_offset = echo->offset;
    if (!partition->has_state)
        return;
    partition->echo_seen_ms = partition_now_ms(partition); /* an old one too: the journal is being read on */
    if (is_rewritten(partition, &before)) {
        if (partition->phase == PARTITION_FREE)
            partition_forget(partition);
        else
            partition_drop(partition,
                           "the journal has another frame where one of this state was read: its end is lost");
        return;
    }
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
            partition_open_epoch(partition, false); /* somebody was here between our claims */
        else
            partition_drop_for(partition, "another process has claimed this partition", FENCED_MS);
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
            partition_drop(partition, "an own frame does not count: another epoch or a lost frame lies before it");
        break;
    case READER_HALTED: {
        struct err_info why;
        err_set(&why, ERR_BROKEN, "journal offset %" PRId64 ": see the publisher's reason", echo->offset);
        partition->broken_at = echo->offset;
        partition_halt(partition, guard_journal(partition->number, true, false, &why), &why);
        break;
    }
    default:
        break;
    }
}

/* Whether the journal has nothing at that offset or behind it; if it does not answer it may. */
static bool journal_ends_before(const struct partition *partition, int64_t offset)
{
    const struct port *port = partition->context->port;
    struct port_bounds bounds;
    struct err_info info;
    return port->bounds(port->self, PORT_JOURNAL, partition->number, &bounds, &info) == OK && bounds.high <= offset;
}

bool echo_is_cut(struct partition *partition, int64_t now_ms)
{
    if (partition->seen.offset >= partition->furthest.offset || now_ms - partition->echo_seen_ms <= ECHO_TIMEOUT_MS)
        return false;
    partition->echo_seen_ms = now_ms;
    return journal_ends_before(partition, partition->furthest.offset);
}

/* No echo for long after an ack, though the journal was read to its end: what was acknowledged is gone. A reader that is slow, or
 * a process that stood still, is no reason to drop the state. */
bool echo_is_missing(struct partition *partition, int64_t acked_ms, int64_t now_ms)
{
    int64_t since_ms = acked_ms > partition->echo_seen_ms ? acked_ms : partition->echo_seen_ms;
    if (!acked_ms || now_ms - since_ms <= ECHO_TIMEOUT_MS || MUTANT(ECHO_NOT_NOTICED))
        return false;
    partition->echo_seen_ms = now_ms;
    return journal_ends_before(partition, partition->seen.offset + 1);
}
