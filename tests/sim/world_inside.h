/* SPDX-License-Identifier: Apache-2.0
 * world_inside.h - what world.c (logs, the port) and storm.c (what goes wrong) share.
 */
#pragma once

#include "sim/world.h"

struct stored {
    struct world_record record;
    uint8_t *bytes; /* key, then value */
    bool is_hole;   /* no reader gets it: a control record, an aborted or a compacted one */
};

struct log {
    struct stored *records;
    int64_t next;
    int64_t capacity;
    int64_t first;
};

struct world {
    int32_t partitions[PORT_TOPICS];
    struct log *logs[PORT_TOPICS];
    int64_t *committed;
    int64_t now_ms;
    uint64_t trace; /* hash of every record that ever landed, in order */
    bool keeps_strays;
    struct append *strays; /* of producers that are gone, oldest first; they may still land */
    uint64_t producers;    /* ever made */
};

struct append {
    struct append *next;
    enum port_topic topic;
    int32_t partition;
    struct world_record record;
    uint8_t *bytes;
    uint64_t token;
    uint64_t producer; /* appends of one producer to one partition land in order */
};

struct ack_node {
    struct ack_node *next;
    struct port_ack ack;
};

struct lane {
    struct append *first;
    struct append **last;
    size_t queued;
    struct ack_node *acks;
    struct ack_node **acks_last;
    enum err refuse;
    uint64_t producer;
};

struct input {
    bool started;
    int64_t position;
};

struct change_node {
    struct change_node *next;
    struct port_membership change;
};

struct process {
    struct world *world;
    struct port port;
    struct lane *lanes;
    int32_t lane_count;
    struct input *inputs;
    struct change_node *changes;
    bool *released;                       /* by partition: release_partition was called */
    struct port_stream *streams;          /* that are open */
    enum port_fault *faults[PORT_TOPICS]; /* by partition: the next take gives this once */
    enum err bounds_result;               /* of the next call of bounds */
    int64_t clock_offset_ms;
    int64_t lags_until_ms; /* journals give it nothing before */
};

struct port_stream {
    struct port_stream *next;
    enum port_topic topic;
    int32_t partition;
    int64_t position;
    bool is_reset; /* its position was cut off the end of the log */
};

/* ---- between world.c and storm.c ---- */

/* Lands an append with the world's time. Returns its offset. */
int64_t world_land(struct world *world, const struct append *append);

/* Takes append number `index` of a lane, or the oldest before it that goes to the same place: a producer keeps their order. */
struct append *lane_take(struct lane *lane, size_t index);
void lane_put(struct lane *lane, struct append *append);
void lane_ack(struct lane *lane, const struct append *append, enum err result, int64_t offset);
void append_free(struct append *append);
struct append *append_copy(const struct append *append);

struct log *world_log(const struct world *world, enum port_topic topic, int32_t partition);
