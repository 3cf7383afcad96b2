/* SPDX-License-Identifier: Apache-2.0
 * storm.h - what may go wrong between a process and the logs of the world: fates of appends, strays, truncation, compaction, faults.
 *
 * Thread:  one thread in all
 */
#pragma once

#include "sim/world.h"

/* From now on appends of a producer that is gone (killed, reset) stay behind and may land later. */
void world_keep_strays(struct world *world);
size_t world_strays(const struct world *world);

/* Stray number `index`, or an older one of the same producer to the same place, lands or is lost. False: there is none. */
bool world_stray(struct world *world, size_t index, bool lands);

enum port_topic world_stray_topic(const struct world *world, size_t index);

/* A copy of a journal or rejects record becomes a stray: a late duplicate. */
void world_copy_late(struct world *world, enum port_topic topic, int32_t partition, int64_t offset);

/* An unclean election: records from `next` on are gone, and readers beyond are told so. */
void world_truncate(struct world *world, enum port_topic topic, int32_t partition, int64_t next);
/* The same for the readers of one process. */
void process_truncated(struct process *process, enum port_topic topic, int32_t partition, int64_t next);

/* Compaction: of the records below `below`, those that have a later one of the same key become holes, and tombstones below
 * `tombstones_below`, which every consumer must have passed; but a tombstone that came late waits for the record that repairs it, since on a
 * broker it stays for delete.retention.ms, a day, and a publisher comes back sooner. Returns how many. */
size_t world_compact(struct world *world, enum port_topic topic, int32_t partition, int64_t below,
                     int64_t tombstones_below);

/* An offset that no reader gets: a control record or an aborted one. Returns it. */
int64_t world_put_hole(struct world *world, enum port_topic topic, int32_t partition, int64_t timestamp_ms);
bool world_is_hole(const struct world *world, enum port_topic topic, int32_t partition, int64_t offset);

/* Hash of all that ever landed, in order, with its time. */
uint64_t world_trace(const struct world *world);

/* The next reading of that log by this process gives a fault instead of records. */
void process_fault(struct process *process, enum port_topic topic, int32_t partition, enum port_fault fault);

/* No lane refuses for a full queue any more, and a fault that nobody has met yet is gone. */
void process_take_again(struct process *process);

/* The next call of bounds fails so. */
void process_fail_bounds(struct process *process, enum err result);

/* The input is delivered again from `by` offsets before. False: it is not being read. */
bool process_rewind(struct process *process, int32_t partition, int64_t by);

/* The journals give this process nothing before: its fetches wait. */
void process_lag(struct process *process, int64_t until_ms);

/* The wall clock of the process stands so far from the world's. */
void process_set_clock(struct process *process, int64_t offset_ms);

/* The next partition that the process let go. False: none. */
bool process_released(struct process *process, int32_t *out_partition);

/* Topic of append number `index` of a lane. */
enum port_topic process_topic(const struct process *process, int32_t lane, size_t index);
