/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/intake.h"

#include "base/crc.h"

#include <inttypes.h>

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
    intake->faulted = false;
    intake->regressions = regressions;
    return OK;
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

static const char *fault_name(enum port_fault fault)
{
    switch (fault) {
    case PORT_BAD_CRC:
        return "its check sum is wrong";
    case PORT_BAD_COMPRESSION:
        return "it can't be decompressed";
    case PORT_TOO_LARGE:
        return "it is larger than the consumer takes (kafka.receive.message.max.bytes)";
    case PORT_OFFSET_RESET:
        return "it is not in the log any more";
    default:
        return "the broker reports an error";
    }
}

/* True if this is the record below the position. */
static bool check_proof(struct intake *intake, const struct port_record *record)
{
    intake->proof_due = false;
    if (record->offset != intake->start.position - 1)
        return false;
    if (crc32c(0, record->value.data, record->value.length) != intake->start.record_crc) {
        intake->faulted = true;
        err_set(&intake->fault, ERR_BROKEN,
                "the record at input offset %" PRId64 " is not the one that was counted there: the topic was created "
                "anew. Use new journal and statistics topics with it",
                record->offset);
    }
    return true;
}

static void note_fault(struct intake *intake, const struct port_record *record)
{
    intake->faulted = true;
    err_set(&intake->fault, ERR_BROKEN, "input offset %" PRId64 ": %s. Mend the topic, or authorise the hole",
            record->offset, fault_name(record->fault));
}

/* Drops what was delivered before; cuts the list before the first fault. */
static void sort_out(struct intake *intake)
{
    size_t kept = 0;
    for (size_t i = 0; i < intake->count; i++) {
        struct port_record *record = &intake->records[i];
        if (record->fault != PORT_NONE && !intake->faulted)
            note_fault(intake, record);
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
        sort_out(intake);
    }
    *out_halted = intake->faulted && intake->count == 0;
    return intake->count > 0;
}
