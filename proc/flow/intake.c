/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/intake.h"

enum err intake_open(struct intake *intake, const struct port *port, const struct intake_start *start,
                     struct counter *regressions, struct err_info *info)
{
    bool proof = start->has_record && start->position > start->low;
    TRY(port->input_start(port->self, start->lane, start->partition, start->position - proof, info));
    intake->port = port;
    intake->start = *start;
    intake->started = true;
    intake->count = 0;
    intake->next = 0;
    intake->next_offset = start->position;
    intake->proof_due = proof;
    intake->behind = false;
    intake->faulted = GUARD_NONE;
    intake->regressions = regressions;
    intake->seen_ms = port->now_ms(port->self);
    intake->stall_high = 0;
    return OK;
}

bool intake_watch(struct intake *intake, int64_t now_ms)
{
    const struct port *port = intake->port;
    struct port_bounds bounds;
    struct err_info info;
    if (intake->faulted || now_ms - intake->seen_ms < INTAKE_STALL_MS)
        return false;
    intake->seen_ms = now_ms;
    if (port->bounds(port->self, PORT_DECLARATIONS, intake->start.partition, &bounds, &info) != OK)
        return false;
    /* What is not committed, and markers of transactions, move the end too: no reason to open it again and again. */
    if (bounds.high <= intake->next_offset || bounds.high <= intake->stall_high)
        return false;
    port->input_stop(port->self, intake->start.partition);
    if (port->input_start(port->self, intake->start.lane, intake->start.partition,
                          intake->next_offset - intake->proof_due, &info) != OK)
        return false; /* there is no delivery now: it is tried again */
    intake->stall_high = bounds.high;
    return true;
}

static void give_back(struct intake *intake)
{
    if (intake->count)
        intake->port->release(intake->port->self, intake->records, intake->count);
    intake->count = 0;
    intake->next = 0;
}

void intake_close(struct intake *intake)
{
    if (!intake->started)
        return;
    give_back(intake);
    intake->port->input_stop(intake->port->self, intake->start.partition);
    intake->started = false;
}

/* True if this is the record below the position. */
static bool check_proof(struct intake *intake, const struct port_record *record)
{
    intake->proof_due = false;
    if (record->offset != intake->start.position - 1)
        return false;
    intake->faulted = guard_record(record->offset, record->value, intake->start.record_crc, &intake->fault);
    return true;
}

/* Drops what was delivered before; cuts the list before the first fault. */
static void sort_out(struct intake *intake)
{
    size_t kept = 0;
    for (size_t i = 0; i < intake->count; i++) {
        struct port_record *record = &intake->records[i];
        if (record->fault != PORT_NONE && !intake->faulted)
            intake->faulted =
                guard_fault(record->partition, intake->next_offset, record->offset, record->fault, &intake->fault);
        bool proof = intake->proof_due && !intake->faulted && check_proof(intake, record);
        bool old = record->offset < intake->next_offset;
        if (intake->faulted || old) {
            counter_add(intake->regressions, old && !proof && !intake->faulted);
            intake->port->release(intake->port->self, record, 1);
            continue;
        }
        intake->next_offset = record->offset + 1;
        intake->records[kept++] = *record;
    }
    intake->count = kept;
}

bool intake_take(struct intake *intake, bool *out_halted)
{
    give_back(intake);
    if (!intake->faulted) {
        intake->count =
            intake->port->input_take(intake->port->self, intake->start.partition, intake->records, INTAKE_TAKE);
        intake->behind = intake->count == INTAKE_TAKE;
        if (intake->count)
            intake->seen_ms = intake->port->now_ms(intake->port->self);
        sort_out(intake);
    }
    *out_halted = intake->faulted && intake->count == 0;
    return intake->count > 0;
}
