/* SPDX-License-Identifier: Apache-2.0
 * trace.h - everything that the topics hold of one declaration id: records, verdicts, ledger entries, rejects, cells.
 *
 * In:      a port that reads, and what the processor is configured with
 * Out:     plain lists, in the order of the logs
 * Order:   trace_input, trace_journals, trace_rejects, trace_statistics: each uses what the ones before found
 * The verdict of a record that is not in a reject list follows from the order of versions alone, as the ledger judges.
 * Memory:  owns what it found; a dictionary of one partition at a time
 * Errors:  ERR_BROKEN if a journal is halted; ERR_PEER, ERR_RETRY of the reading
 * Thread:  main
 */
#pragma once

#include "cmd/progress.h"
#include "cmd/reject_read.h"
#include "flow/batch.h"
#include "flow/cube.h"
#include "flow/state.h"

enum trace_verdict {
    TRACE_WAITS,   /* not counted yet */
    TRACE_SKIPPED, /* in an authorised hole */
    TRACE_REJECTED,
    TRACE_LATE_OUT,
    TRACE_COUNTED,
    TRACE_NOT_COUNTED, /* accepted, all items outside the statistics */
    TRACE_DUPLICATE,
    TRACE_STALE,
};

const char *trace_verdict_name(enum trace_verdict verdict);

struct trace_record { /* of the input */
    int32_t partition;
    int64_t offset;
    int32_t index; /* in a batch, -1 for a single one */
    int64_t timestamp_ms;
    uint32_t version;
    enum function function;
    uint64_t digest;
    struct findings findings; /* of today's rules, those of the ledger left out */
    bool is_listed;
    uint16_t rule_number; /* if it is listed */
    bool is_skipped;
    enum trace_verdict verdict;
};

struct trace_entry { /* put into the ledger */
    int32_t partition;
    int64_t journal_offset; /* of the last frame of its group */
    int64_t lo;             /* of the group */
    int64_t hi;
    uint64_t epoch; /* how many OPENs counted up to it */
    struct frame_nonce nonce;
    struct contribution contribution;
    char codes[4][9]; /* office, border office, zone, trade mode */
    bool stands;      /* the newest of its partition */
};

struct trace_reject {
    struct reject_read read;
    bool is_void;
};

struct trace_cell { /* into which the standing entry falls */
    char *key;
    struct measures measures; /* what the declaration contributes */
    bool is_published;        /* by the configuration */
    struct buffer value;      /* of the record that stands in topic.statistics; empty: none, or a tombstone */
    bool is_gone;             /* a tombstone stands there: without items its month was FINAL, or its hour is not kept */
    uint64_t as_of;
    int32_t partition;
    int64_t offset;
};

struct trace_options {
    const struct port *port;
    struct text id;
    int32_t partition; /* of input and journal; -1: all */
    const struct view_plan *plan;
    const struct rules *rules;
    const struct reference *reference;
    const char *reporter;
    const char *currency;
    const char *topic; /* of the declarations */
    struct batch_options batch;
    int64_t patience_ms;
};

struct trace {
    struct trace_options options;
    struct trace_record *records;
    size_t record_count;
    size_t record_capacity;
    struct trace_entry *entries;
    size_t entry_count;
    size_t entry_capacity;
    struct trace_reject *rejects;
    size_t reject_count;
    size_t reject_capacity;
    struct trace_cell *cells;
    size_t cell_count;
    size_t cell_capacity;
    bool is_whole;          /* input and journals were read from offset 0 */
    uint64_t accepted;      /* records whose verdict is COUNTED or NOT_COUNTED */
    int64_t unread_records; /* offsets at the end of the input that gave no record */
};

/* Options are copied, what they point to is shared. wire_init was called. */
void trace_init(struct trace *trace, const struct trace_options *options);
void trace_fini(struct trace *trace);

enum err trace_input(struct trace *trace, struct err_info *info) MUST_USE;
enum err trace_journals(struct trace *trace, struct err_info *info) MUST_USE;
enum err trace_rejects(struct trace *trace, struct err_info *info) MUST_USE;
enum err trace_statistics(struct trace *trace, struct err_info *info) MUST_USE;
