/* SPDX-License-Identifier: Apache-2.0
 * witness.h - reads one journal as it grows and compares each group that counts with a recount of the input so far.
 *
 * It uses the one reader rule, and nothing else of the product but the readers of frame sections.
 * Memory:  owns reader and recount
 * Thread:  one thread in all
 */
#pragma once

#include "base/buffer.h"
#include "flow/frame.h"
#include "flow/reader_rule.h"
#include "sim/recount.h"
#include "sim/world.h"

struct witness;

/* The views of each enum recount_plan. Traced: prints each frame and what the rule makes of it. */
struct witness *witness_new(const struct world *world, const struct story *story,
                            const struct view_plan plans[static RECOUNT_PLANS], int32_t partitions, int32_t partition,
                            int32_t horizon_months, bool is_traced);
void witness_free(struct witness *witness);

/* Reads on to the end. False: something is wrong, *why says what. */
bool witness_read(struct witness *witness, struct buffer *why);

/* The journal was truncated: reads it from its beginning again. */
void witness_restart(struct witness *witness);

/* The journal is broken, and an operator has rebased it: reads it from its beginning again, to the break and on from the rebase. */
void witness_rebased(struct witness *witness);

/* Input that is accepted. */
int64_t witness_hi(const struct witness *witness);
/* Journal offset behind the first DATA group that counts, -1 if there is none: without it the start guard halts. */
int64_t witness_first_group_end(const struct witness *witness);
/* Journal offset behind the newest whole cycle of slices, -1 if there is none: what trims rely on. */
int64_t witness_cycle_end(const struct witness *witness);
int64_t witness_opens(const struct witness *witness);

/* Slices of snapshots that counted, from the beginning; those that replaced one of another plan; cycles of such that began while slices
 * were of two plans. */
uint64_t witness_slices(const struct witness *witness);
uint64_t witness_replanned(const struct witness *witness);
uint64_t witness_torn(const struct witness *witness);

/* Counts in another recount what the journal accepted, each record by the plan that it was accepted under. */
void witness_recount(const struct witness *witness, struct recount *recount);

/* Groups that were judged by other lists than the one before. */
uint64_t witness_judged_anew(const struct witness *witness);

/* Largest event time that is accepted, INT64_MIN if there is none; whether the last word was an idle mark. */
int64_t witness_event_ms(const struct witness *witness);
bool witness_is_idle(const struct witness *witness);

/* Idle marks that counted. */
uint64_t witness_marks(const struct witness *witness);

/* Frames by what the reader rule made of them. */
const uint64_t *witness_branches(const struct witness *witness);

/* The rejects that are listed, in order. */
const struct recount_reject *witness_rejects(const struct witness *witness, size_t *out_count);
