/* SPDX-License-Identifier: Apache-2.0
 * world.h - a broker in memory and processes that use it through struct port: logs, lanes, acks, streams, a virtual clock.
 *
 * The offline driver, the unit tests of flow/ and the simulation run the shipped code against it. Nothing happens by itself: an append
 * stands in its lane until world_deliver lets it land, so that a test can stop, lose, delay or repeat it.
 * Memory:  the world owns all records; a process owns its lanes and streams
 * Thread:  one thread in all
 */
#pragma once

#include "flow/port.h"

#include <stdint.h>

struct world;
struct process;

struct world_record {
    struct bytes key;
    struct bytes value; /* data NULL: none */
    bool is_null;
    int64_t timestamp_ms;
    int64_t as_of;
    enum port_fault fault; /* what a reader is told instead of the record */
};

struct world *world_new(int32_t partitions, int32_t statistics_partitions);
void world_free(struct world *world);

void world_set_now(struct world *world, int64_t now_ms);
int64_t world_now(const struct world *world);

/* Appends a record from outside; copies. Returns its offset. */
int64_t world_put(struct world *world, enum port_topic topic, int32_t partition, const struct world_record *record);

/* Log of a partition: records [first, next). The record is borrowed until the world changes. */
int64_t world_first(const struct world *world, enum port_topic topic, int32_t partition);
int64_t world_next(const struct world *world, enum port_topic topic, int32_t partition);
const struct world_record *world_at(const struct world *world, enum port_topic topic, int32_t partition,
                                    int64_t offset);

/* The same, also of one that was trimmed: for those who know everything. */
const struct world_record *world_at_ever(const struct world *world, enum port_topic topic, int32_t partition,
                                         int64_t offset);

/* A bad sector: from now on nobody can read the record. */
void world_spoil(struct world *world, enum port_topic topic, int32_t partition, int64_t offset);

/* The topic is deleted and made again: the partition is empty. Who reads it is not told, and goes on where he was when it has grown so far. */
void world_recreate(struct world *world, enum port_topic topic, int32_t partition);

/* Retention or trim: drops what is below offset. */
void world_trim(struct world *world, enum port_topic topic, int32_t partition, int64_t offset);

/* Gives back the memory of records that were trimmed; world_at_ever has their bytes no more. */
void world_forget(struct world *world, enum port_topic topic, int32_t partition);

/* Makes a log that is empty begin at `offset`, as if all before had been trimmed. */
void world_begin_at(struct world *world, enum port_topic topic, int32_t partition, int64_t offset);

/* A process with `lanes` lanes (workers and the publisher). Its port is good until process_kill. */
struct process *process_new(struct world *world, int32_t lanes);
const struct port *process_port(struct process *process);

/* Ends it: what stands in its lanes is gone. */
void process_kill(struct process *process);

/* Appends that stand in a lane. */
size_t process_queued(const struct process *process, int32_t lane);

/* The oldest append of a lane lands and is acknowledged. False: there is none. */
bool process_deliver(struct process *process, int32_t lane);

enum fate {
    FATE_LANDS,          /* in the log, acknowledged */
    FATE_LANDS_ACK_LOST, /* in the log, acknowledged as failed */
    FATE_LOST,           /* not in the log, acknowledged as failed */
    FATE_LOST_ACKED,     /* not in the log, acknowledged as written (unclean election) */
    FATE_TWICE,          /* in the log twice, acknowledged once */
    FATE_TOO_LARGE,      /* not in the log, ERR_LIMIT */
    FATE_LATER,          /* goes again behind all others of its lane */
};

/* Append number `index` of a lane, or the oldest that stands before it and goes to the same place, meets its fate. False: there is none. */
bool process_meet(struct process *process, int32_t lane, size_t index, enum fate fate);

/* The oldest append of a lane meets its fate. False: there is none. */
bool process_misfortune(struct process *process, int32_t lane, enum fate fate);

/* Whether the next appends of a lane are refused, and how. OK: they are taken again. */
void process_refuse(struct process *process, int32_t lane, enum err err);

/* Tells the process of a change of its assignment. */
void process_membership(struct process *process, enum port_change change, int32_t partition);

/* Last committed offset that the process gave, -1 if none. */
int64_t world_committed(const struct world *world, int32_t partition);
void world_set_committed(struct world *world, int32_t partition, int64_t offset);
