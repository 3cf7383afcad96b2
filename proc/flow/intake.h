/* SPDX-License-Identifier: Apache-2.0
 * intake.h - the records of one input partition as they come: each once, in offset order, up to the first fault.
 *
 * In:      what the port delivers from a position on            Out: records[next .. count)
 * Drops what was delivered before; stops at an error of the log. If the record below the position is still in the log, it
 * must be the one that was counted there (design.md section 3, step 2).
 * Memory:  borrows records from the port and gives them back
 * Errors:  a fault is given once the records before it are used up; it halts the partition
 * Thread:  one owner (a worker)
 */
#pragma once

#include "base/counter.h"
#include "flow/guard.h"

enum {
    INTAKE_TAKE = 512, /* records a call of input_take */
    INTAKE_STALL_MS = 30000,
};

/* Where to begin. */
struct intake_start {
    int32_t lane;
    int32_t partition;
    int64_t position;    /* of the first record that is wanted */
    int64_t low;         /* first record that is still in the log */
    bool has_record;     /* record position - 1 was counted, and */
    uint32_t record_crc; /* this is the CRC32C of its value */
};

struct intake {
    const struct port *port;
    struct intake_start start;
    bool started;
    struct port_record records[INTAKE_TAKE];
    size_t count;
    size_t next;         /* the first that is not used up */
    int64_t next_offset; /* a record below it was delivered before */
    bool proof_due;      /* the first record to come may be the last one that was counted: compare it */
    bool behind;         /* the last take was full: more input waits */
    enum guard faulted;  /* the log said something else than a record behind records[] */
    struct err_info fault;
    struct counter *regressions; /* records that were delivered before */
    int64_t seen_ms;             /* when records last came, or the log's end was asked for */
    int64_t stall_high;          /* the log's end when it was opened anew last */
};

enum err intake_open(struct intake *intake, const struct port *port, const struct intake_start *start,
                     struct counter *regressions, struct err_info *info) MUST_USE;

/* Ends delivery and gives back what is held. Takes one that was never opened. */
void intake_close(struct intake *intake);

/* Gives the used records back and takes what is there now. False: nothing, or *out_halted: the fault has come up. */
bool intake_take(struct intake *intake, bool *out_halted);

/* To be called where there is room and nothing came. After INTAKE_STALL_MS without a record the log's end is asked for (blocks
 * up to seconds); if it went on, delivery is opened anew at the same place (confluentinc/librdkafka#2363, #5153). True if so. */
bool intake_watch(struct intake *intake, int64_t now_ms);

static inline bool intake_has_records(const struct intake *intake)
{
    return intake->next < intake->count;
}
