/* SPDX-License-Identifier: Apache-2.0
 * partition_inside.h - what partition.c, restore.c, work.c and echo.c share of a partition: its phases, its claims, and letting go.
 *
 * Thread:  one owner (a worker)
 */
#pragma once

#include "flow/partition.h"
#include "flow/seal.h"

int64_t partition_now_ms(const struct partition *partition);
int32_t partition_today(const struct partition *partition);

void partition_enter(struct partition *partition, enum partition_phase phase);
void partition_set_reason(struct partition *partition, const char *text);
void partition_show_outbox(const struct partition *partition);

/* What groups that are made beside the open one say about the partition. Borrows its state. */
struct seal_source partition_source(const struct partition *partition);

/* Drops all memory of the partition. What was promised is in the journal. */
void partition_forget(struct partition *partition);

/* Claims the partition with a new nonce. `restamp`: state and groups are kept, and go on if nobody else wrote. */
void partition_open_epoch(struct partition *partition, bool restamp);

/* Step 10: what is in memory cannot be trusted; if still assigned, claim again after `least_ms` and a while. */
void partition_drop_for(struct partition *partition, const char *why, int64_t least_ms);
void partition_drop(struct partition *partition, const char *why);
