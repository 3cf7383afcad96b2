/* SPDX-License-Identifier: Apache-2.0
 * work.h - step 4 of a partition's life: records in, batch by batch; groups, snapshot slices and idle marks out, into the outbox.
 *
 * Limits:  nothing is taken while the outbox is full; a group ends by time, declarations, bytes or cells (partition.h)
 * Errors:  a fault of the log halts the partition behind all that lies before it; a limit of the dictionary at once
 * Thread:  one owner (a worker)
 */
#pragma once

#include "flow/partition.h"

/* Opens the input at the state's position; `low` is the first record that the log has. */
enum err work_begin_intake(struct partition *partition, int64_t low, struct err_info *info) MUST_USE;

/* Ends the open group: it is in the outbox. */
void work_seal(struct partition *partition);
bool work_seal_is_due(const struct partition *partition, int64_t now_ms);

/* Takes records, settles them, seals what is due. True if it did something; the partition may be halted or dropped then. */
bool work_step(struct partition *partition, int64_t now_ms);
