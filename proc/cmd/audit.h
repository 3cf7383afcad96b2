/* SPDX-License-Identifier: Apache-2.0
 * audit.h - the proof behind `dryport verify`: journals, topic.rejects and topic.statistics must agree, and with the input.
 *
 * In:      a port that reads, and what the processor is configured with
 * Out:     sums of what was looked at, and the broken places in the order in which they were found
 * Order:   audit_journals, then audit_rejects, then audit_statistics. The ends of the journals are noted first, so that
 *          whatever they list is in topic.rejects already, and topic.statistics may only be ahead of them or behind by
 *          what the publisher has not written yet.
 * Memory:  the ledger of one partition at a time (two with recount), all cells twice (three times), all published keys
 * Errors:  a broken place is no error: it is counted and kept. ERR_PEER, ERR_CONFIG, ERR_RETRY end the audit
 * Thread:  main
 */
#pragma once

#include "cmd/listed.h"
#include "cmd/recount.h"

enum { AUDIT_PLACES_MOST = 20, AUDIT_NO_OFFSET = -1 };

struct audit_place {
    enum port_topic topic;
    int32_t partition;
    int64_t offset; /* AUDIT_NO_OFFSET: of a record that is missing */
    char what[ERR_TEXT_BYTES];
    const char *mend; /* static */
};

struct audit_options {
    const struct port *port;
    const struct view_plan *plan;
    const struct rules *rules; /* rules and batch are needed for recount only */
    const struct reference *reference;
    uint64_t plan_id;
    struct batch_options batch;
    const char *topic; /* of the declarations */
    const char *reporter;
    const char *currency;
    const struct zone *zone; /* in which months close; NULL: states are not looked at */
    int32_t provisional_days;
    int32_t final_months;
    int64_t event_bound_ms; /* as in publisher_options */
    int32_t horizon_months; /* needed for recount only */
    bool recount;
    int64_t wait_ms;     /* how long a cell may differ without any change before it is broken */
    int64_t patience_ms; /* how long to wait for a record that should be there */
    /* Told now and then how far it is; may be NULL. */
    void (*progress)(void *context, const char *what, uint64_t done, uint64_t total, uint64_t records);
    void *progress_context;
};

/* Input [lo, hi) was judged under this plan, in one or more groups. */
struct audit_judged {
    uint64_t plan;
    int64_t lo;
    int64_t hi;
};

/* One journal partition, as it was at its noted end. */
struct audit_partition {
    int64_t low; /* of the journal */
    int64_t end;
    int64_t begin;     /* where a rebase begins, before which all is void; 0: none */
    int64_t hi;        /* input [0, hi) is counted */
    int64_t input_end; /* of the input log */
    uint64_t entries;  /* of the ledger */
    uint64_t expired;  /* declarations that left nothing but a fingerprint */
    int32_t floor;     /* month (calendar.h) below which they expired; 0: none */
    uint64_t epochs;
    struct audit_judged *judged; /* of the groups that are in the journal still, in order */
    size_t judged_count;
    bool is_torn; /* the last group is not complete: live, or its writer was killed */
    bool is_halted;
};

struct audit_sums {
    uint64_t frames[FRAME_MARK + 1];
    uint64_t branches[READER_BRANCHES];
    uint64_t journal_bytes;
    uint64_t groups;
    uint64_t older; /* of them, counted under a plan with other cells than this one, before it: see audit_journals */
    uint64_t otherwise;   /* of them, of DATA, judged by other rules or lists */
    struct counts counts; /* of all groups */
    uint64_t cells;       /* that the journals have */
    uint64_t derived;     /* cells compared with those of the ledgers */
    uint64_t recounted;   /* cells compared with those of the recount */
    uint64_t periods; /* longer ones, months of days and bases, compared with what their days and months add up to */
    uint64_t listed;  /* rejects in the lists */
    uint64_t rejects; /* records of topic.rejects of this input */
    uint64_t rejects_void;
    uint64_t rejects_again; /* more records of one listed place */
    uint64_t rejects_gone;  /* listed, and deleted by retention since */
    uint64_t rejects_foreign;
    uint64_t statistics; /* records */
    uint64_t claims;
    uint64_t tombstones;
    uint64_t history;         /* loaded cells */
    uint64_t history_refused; /* records of history that do not fit views, reporter or currency */
    uint64_t keys;
    uint64_t equal;  /* cells that are published as they must be */
    uint64_t zero;   /* published with no items, as cells without items may be */
    uint64_t late;   /* records that came too late and were repaired */
    uint64_t moving; /* cells that changed all the time and could not be compared */
    uint64_t term;   /* newest claim */
};

struct audit;

/* wire_init was called. Options are copied, what they point to is shared. */
struct audit *audit_new(const struct audit_options *options);
void audit_free(struct audit *audit);

/* Groups of an older plan, which the journal holds until it is trimmed, are checked but for two things: their cells, which were replaced when
 * the plan changed, and their verdicts, which another set of rules gave; a recount goes on from them. ERR_CONFIG: a journal is counted under
 * another plan now. */
enum err audit_journals(struct audit *audit, struct err_info *info) MUST_USE;
enum err audit_rejects(struct audit *audit, struct err_info *info) MUST_USE;
enum err audit_statistics(struct audit *audit, struct err_info *info) MUST_USE;

/* Broken places in all, and those kept: the first AUDIT_PLACES_MOST. */
uint64_t audit_broken(const struct audit *audit);
const struct audit_place *audit_place(const struct audit *audit, uint32_t index);

const struct audit_sums *audit_sums(const struct audit *audit);
int32_t audit_partitions(const struct audit *audit);
const struct audit_partition *audit_partition(const struct audit *audit, int32_t partition);
const struct recount_sums *audit_recount(const struct audit *audit); /* NULL without recount */
