/* SPDX-License-Identifier: Apache-2.0
 * restore.h - step 2 of a partition's life: its journal, read through the own OPEN, becomes its state; guards look at it; work begins.
 *
 * In:      the claim's OPEN, acknowledged at `open_offset`; the journal from its first record
 * Out:     RUNNING with state and open intake; HALTED with the guard's reason; OPENING anew if a foreign OPEN came between; BACKOFF
 * Memory:  a reader rule and a stream of the port, given back at the end; the state is the partition's
 * Thread:  one owner (a worker), but for restore_percent
 */
#pragma once

#include "flow/partition.h"

/* Begins with an empty state at the journal's first record: RESTORING, or BACKOFF if that can't be. */
void restore_begin(struct partition *partition, int64_t open_offset);

/* Folds the records that are there, at most a few a call. True if there were any. */
bool restore_step(struct partition *partition);

/* Gives back what reads. Nothing happens if none does. */
void restore_stop(struct partition *partition);

/* How much of its journal a partition that is being restored has read, 0 to 100; -1: it is not being restored.     Thread: any */
int restore_percent(const struct partition_status *status);
