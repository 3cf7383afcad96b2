/* SPDX-License-Identifier: Apache-2.0
 * recount.h - counts the input of one partition again, group by group beside its journal, and compares.
 *
 * In:      the groups that the reader rule accepts, the input records of their ranges
 * Out:     the first difference; cells of its own in a cube
 * A group's range is read from the input, judged by today's rules and lists, settled into a partition state of its own and
 * sealed; what the journal's group says of verdicts, findings, rejects, ledger and sums must be the same. A group that other rules or
 * lists have judged is taken at its word as to what they rejected (its reject list) and what they made of the rest (the contributions in its LEDGER sections); which of that was newest, a duplicate or stale is found again, and
 * must be the same. Groups whose input is gone (retention), and those of a plan with other cells, are believed: their state is what the recount goes on from.
 * Memory:  a ledger of its own, as large as the partition's
 * Errors:  ERR_BROKEN: the difference; ERR_PEER: the input can't be read
 * Thread:  one owner
 */
#pragma once

#include "cmd/walk.h"
#include "flow/cube.h"
#include "flow/partition.h"

struct recount_options {
    const struct port *port;
    const struct view_plan *plan;
    const struct rules *rules;
    const struct reference *reference;
    uint64_t plan_id;
    struct batch_options batch;
    int32_t horizon_months;
    const char *topic;   /* of the declarations */
    struct cube *cube;   /* takes the cells of all partitions */
    int64_t patience_ms; /* of the reading of the input */
};

struct recount_sums {
    uint64_t records;      /* of the input that were judged again */
    uint64_t declarations; /* in them */
    uint64_t groups;       /* that were compared */
    uint64_t believed;     /* groups whose input is gone */
    uint64_t otherwise;    /* of the groups that were compared: judged by other rules or lists */
    uint64_t older;        /* groups of a plan with other cells */
};

struct recount;

struct recount *recount_new(const struct recount_options *options);
void recount_free(struct recount *recount);

/* Begins a partition with an empty state. */
enum err recount_begin(struct recount *recount, int32_t partition, struct err_info *info) MUST_USE;

/* Begins all anew: nothing was compared yet. */
void recount_forget(struct recount *recount);

/* An OPEN that counts: the first one's id key. */
void recount_open(struct recount *recount, const struct frame *open);

/* Takes an accepted group, in order; `journal` is the state that the journal folds to with it. */
enum err recount_group(struct recount *recount, const struct frame *frames, uint32_t count, const struct state *journal,
                       struct err_info *info) MUST_USE;

/* Gives the partition's memory back. */
void recount_end(struct recount *recount);

const struct recount_sums *recount_sums(const struct recount *recount);
