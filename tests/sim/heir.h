/* SPDX-License-Identifier: Apache-2.0
 * heir.h - reads a journal as it is now, trimmed or not, as its next owner would, and compares the state with a recount.
 *
 * The witness reads every frame that ever was; what was trimmed must have gone on in the slices of snapshots.
 * Thread:  one thread in all
 */
#pragma once

#include "base/buffer.h"
#include "flow/view.h"
#include "sim/recount.h"

/* False: *why says what a process that starts now would not have, or have otherwise. */
bool heir_agrees(const struct world *world, const struct recount *recount, const struct view_plan *plan,
                 uint64_t plan_id, int32_t partition, struct buffer *why);
