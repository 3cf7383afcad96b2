/* SPDX-License-Identifier: Apache-2.0
 * audit_inside.h - what audit.c, audit_rejects.c and audit_statistics.c share.
 *
 * Errors:  as audit.h
 * Thread:  main
 */
#pragma once

#include "cmd/audit.h"
#include "cmd/audit_states.h"
#include "flow/statistic.h"

/* A journal that is being folded; the reading may go on behind its noted end, then only cells are folded. */
struct audit_journal {
    struct audit *audit;
    int32_t partition;
    struct walk walk;
    struct reader_rule *rule;
    struct state state;
    bool has_state;
    int64_t begin; /* where a rebase begins: what is before it is void; 0: none */
    uint64_t groups;
    bool is_recounted_otherwise; /* the journal is whole, the recount differs */
    enum err err;                /* that the fold met and the rule can't tell from a broken group */
    struct err_info info;
    struct audit_partition shown;
    size_t judged_capacity; /* of shown.judged */
};

struct audit {
    struct audit_options options;
    int32_t partitions;
    struct audit_journal *journals;
    struct cube *cube;      /* of the journals */
    struct cube *derived;   /* of the ledgers */
    struct cube *recounted; /* of the input; NULL without recount */
    struct recount *recount;
    struct listed *listed;
    struct statistic_writer *writer;
    struct audit_sums sums;
    struct counts counts; /* scratch */
    uint64_t broken;
    struct audit_place places[AUDIT_PLACES_MOST];
    bool again;    /* what was read is void in part: a journal begins elsewhere */
    uint64_t done; /* records read, for the progress */
    uint64_t total;
};

/* Notes a broken place. */
void audit_note(struct audit *audit, enum port_topic topic, int32_t partition, int64_t offset, const char *mend,
                const char *format, ...) PRINTF_LIKE(6, 7);

void audit_show(struct audit *audit, const char *what);

/* Reads all journals on to where they end now: cells alone are folded. *out_did: something came. */
enum err audit_follow(struct audit *audit, bool *out_did, struct err_info *info) MUST_USE;
