/* SPDX-License-Identifier: Apache-2.0
 * guard.h - what must hold before a partition is counted on, as pure functions over facts; each says the mend when it does not.
 *
 * In:      what the journal says and what the topics are now            Out: GUARD_NONE, or which guard closed, and why
 * Memory:  none; texts go into the caller's err_info
 * Thread:  any
 * Why:     design.md section 3, step 2; docs/OPERATIONS.md has a section for each
 */
#pragma once

#include "flow/port.h"

/* Why a partition is halted: the label `reason` of dryport_partitions_halted. */
enum guard {
    GUARD_NONE,
    GUARD_PARTITIONS,      /* input, journal and what the journal was begun with differ in their number of partitions */
    GUARD_UNITS,           /* the journal was begun with another reporter or currency */
    GUARD_JOURNAL_LOST,    /* the group has an offset and the journal holds nothing */
    GUARD_INPUT_RECREATED, /* the input is shorter than what was counted, or has another record there */
    GUARD_INPUT_LOST,      /* retention took input that was not counted */
    GUARD_INPUT_DAMAGED,   /* the log says an error instead of a record */
    GUARD_JOURNAL_DAMAGED, /* the reader rule halts */
    GUARD_TOPIC_LIMIT,     /* a topic refuses what it must take */
    GUARD_LIMIT,           /* a limit of this program */
    GUARDS,
};

/* Lower case with underscores. */
const char *guard_name(enum guard guard);

struct guard_facts {
    int32_t partition;
    int32_t partitions; /* of the input now */
    int32_t journal;    /* of the journal now */
    int32_t begun_with; /* partitions of the input when the journal was begun; 0: it does not say */
    bool has_groups;    /* the journal has an accepted group of any kind */
    bool has_data;      /* one of DATA or SNAP */
    int64_t position;   /* X: the journal holds input [0, position) */
    int64_t committed;  /* of the group, -1: none. Needed only if !has_data */
    struct port_bounds input;
    struct text units;       /* reporter and currency of this process; empty: not checked */
    struct text begun_units; /* of the journal; empty: it does not say */
};

/* The first guard that closes; GUARD_NONE: counting may begin at the position, or if !has_groups at input.low. */
enum guard guard_start(const struct guard_facts *facts, struct err_info *why);

/* The partition numbers of the three, as guard_start looks at them; also for a topic as a whole. */
enum guard guard_partitions(int32_t input, int32_t journal, int32_t begun_with, struct err_info *why);

/* The record below the position, still in the log, against the check sum of its value in the journal. */
enum guard guard_record(int64_t offset, struct bytes value, uint32_t counted_crc, struct err_info *why);

/* Instead of the record `expected`, one behind it, or the last counted one below it, the log gave a fault at `offset`. */
enum guard guard_fault(int32_t partition, int64_t expected, int64_t offset, enum port_fault fault,
                       struct err_info *why);

/* The journal is corrupt: why has what is wrong, and gets the mend. `is_whole`: a whole state stands before the break; `needs_upgrade`: it is a
 * newer program's and not broken. */
enum guard guard_journal(int32_t partition, bool is_whole, bool needs_upgrade, struct err_info *why);

/* Looks into the journal of partition 0, the first there was: a journal that was begun with another number of partitions than the
 * input has now must not be written by anybody. Waits on `lane` until the record is there, `timeout_ms` at most: then ERR_RETRY.
 * ERR_CONFIG: it differs, with the mend.                                                           Thread: startup */
enum err guard_begun(const struct port *port, int32_t lane, int64_t timeout_ms, struct err_info *why) MUST_USE;
