/* SPDX-License-Identifier: Apache-2.0
 * seal.h - the open group of a partition -> journal frames: cells first, ledger entries in frames of their own, totals
 * last.
 *
 * Thread:  one owner (a worker)
 */
#pragma once

#include "flow/partition.h"

/* Makes the DATA group of [open.lo, state.hi) and begins the next open group. Gives the sealed one. */
struct group *seal_data(struct partition *partition);

/* What a group says about its partition beside its own range. */
struct seal_source {
    int32_t partition;
    uint64_t plan;
    const struct state *state;
};

/* Makes an empty group a SKIP group [lo, hi) with its reason. */
void seal_skip(struct group *group, const struct seal_source *source, int64_t lo, int64_t hi, struct text reason);

/* Makes an empty group the mark that the partition is idle, at the state's position. */
void seal_idle(struct group *group, const struct seal_source *source);

/* Makes an empty group the mark that the floor was raised, at the state's position. */
void seal_floor(struct group *group, const struct seal_source *source);

/* Appends a whole OPEN frame. id_key and units (reporter and currency, empty: not said) count only if this is the first OPEN of the
 * journal that has them. */
void seal_open(struct buffer *out, const struct frame_nonce *nonce, int32_t partition, int32_t partitions,
               uint64_t plan, const struct hash_key *id_key, struct text units);

/* Begins an open group at the state's position. */
void seal_begin(struct partition *partition);
