/* SPDX-License-Identifier: Apache-2.0
 * derive.h - contributions -> cells of a cube of their own: what the ledger says the statistics must be.
 *
 * In:      contributions of one partition and its code numbers    Out: cells in a cube, through the tally and the cube that ship
 * Memory:  a tally and one group of frames at a time
 * Errors:  ERR_BROKEN if a contribution does not decode or names codes that the partition never explained
 * Thread:  one owner
 */
#pragma once

#include "flow/cube.h"
#include "flow/state.h"

/* Adds the cells of all entries of the ledger of a state to `cube`, which has nothing of this partition yet. */
enum err derive_ledger(struct cube *cube, int32_t partition, const struct view_plan *plan, const struct state *state,
                       struct err_info *info) MUST_USE;

/* The same of one contribution. */
enum err derive_one(struct cube *cube, int32_t partition, const struct view_plan *plan,
                    const struct dictionary *dictionary, struct bytes contribution, struct err_info *info) MUST_USE;
