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

/* A SKIP group [lo, hi) with its reason. */
struct group *seal_skip(struct partition *partition, int64_t lo, int64_t hi, struct text reason);

/* Begins an open group at the state's position. */
void seal_begin(struct partition *partition);
