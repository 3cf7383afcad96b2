/* SPDX-License-Identifier: Apache-2.0
 * port.h - everything that flow/ sees of the world outside: logs, groups, clock. flow/ never calls librdkafka.
 *
 * kafka/port_kafka implements it on librdkafka, tests/ on memory. All calls return at once but those marked (may block).
 *
 * Units:   offsets as Kafka counts them; ms since epoch UTC
 * Memory:  records borrow from the port until port_release; bytes given to a call are copied before it returns
 * Errors:  ERR_FULL: the local queue is full, call again later (backpressure); ERR_RETRY: passing, call again;
 *          ERR_PEER: the producer behind `lane` is unusable until lane_reset
 * Thread:  one call at a time per lane, per partition and per stream; different ones from different threads
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

/* What the log said at a place instead of a record. All but PORT_NONE halt the partition. */
enum port_fault {
    PORT_NONE = 0,
    PORT_BAD_CRC,
    PORT_BAD_COMPRESSION,
    PORT_TOO_LARGE,
    PORT_OFFSET_RESET, /* the offset asked for is not in the log */
    PORT_OTHER,
};

struct port_record {
    struct bytes key;
    struct bytes value;
    bool is_null; /* no value at all: a tombstone */
    enum port_fault fault;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    /* Header "as_of" of a record of PORT_STATISTICS (a tombstone has no other place for it); else PORT_NO_AS_OF. */
    int64_t as_of;
    void *handle; /* the port's own */
};

struct port_ack {
    uint64_t token;
    int32_t partition;
    enum err result; /* OK; ERR_LIMIT: too large, never retried; else the write may or may not be in the log */
    int64_t offset;  /* of the written record, -1 if unknown */
};

struct port_bounds {
    int64_t low;  /* first offset that is still there */
    int64_t high; /* offset of the next record */
};

enum port_topic {
    PORT_DECLARATIONS,
    PORT_JOURNAL,
    PORT_STATISTICS,
    PORT_REJECTS,
    PORT_TOPICS,
};

enum port_change {
    PORT_ASSIGNED,
    PORT_REVOKED, /* asked to let go: release_partition when done */
    PORT_LOST,    /* gone already */
};

struct port_membership {
    enum port_change change;
    int32_t partition;
};

/* A reading of one partition of a topic from an offset on, without a group. */
struct port_stream;

struct port {
    void *self;

    /* Clock: wall time for marks, intervals and metrics, never for a counted decision. It never goes back. */
    int64_t (*now_ms)(void *self);

    /* Partitions of the input topic: of the journal too, checked at start. */
    int32_t (*partitions)(void *self, enum port_topic topic);

    /* Group membership, in order. False if nothing changed.                                       Thread: main */
    bool (*membership)(void *self, struct port_membership *out);
    /* Says that a revoked partition is let go.                                                     Thread: main */
    void (*release_partition)(void *self, int32_t partition);
    /* Offset for lag tools only; nothing here reads it back but the start guard.                   Thread: main */
    void (*commit)(void *self, int32_t partition, int64_t offset);
    /* Committed offset of the group, -1 if none. (may block)                                       Thread: worker */
    enum err (*committed)(void *self, int32_t partition, int64_t *out_offset, struct err_info *info);

    /* Input: begins delivery of partition at offset to lane; ends it. Records of one partition come in offset order. */
    enum err (*input_start)(void *self, int32_t lane, int32_t partition, int64_t offset, struct err_info *info);
    void (*input_stop)(void *self, int32_t partition);
    /* Up to `most` records that are here now.                                                      Thread: worker */
    size_t (*input_take)(void *self, int32_t partition, struct port_record *out, size_t most);
    /* All that the log held when it was last asked was taken. Control records and aborted ones do not count.
     *                                                                                              Thread: worker */
    bool (*input_at_end)(void *self, int32_t partition);
    /* The log is known to hold more than was taken, here or at the broker: the input lags.        Thread: worker */
    bool (*input_waits)(void *self, int32_t partition);
    void (*release)(void *self, struct port_record *records, size_t count);
    /* First and next offset of a partition. (may block up to seconds) */
    enum err (*bounds)(void *self, enum port_topic topic, int32_t partition, struct port_bounds *out,
                       struct err_info *info);

    /* Writing: a lane is one producer, first in first out per partition; lanes 0..workers-1 belong to the workers, lane
     * `workers` to the publisher. The token comes back in exactly one ack of the lane. */
    enum err (*append)(void *self, int32_t lane, enum port_topic topic, int32_t partition, struct bytes key,
                       struct bytes value, int64_t as_of, uint64_t token, struct err_info *info);
    size_t (*acks)(void *self, int32_t lane, struct port_ack *out, size_t most);
    /* Writes an unusable producer off and makes a new one; acks of the old one are never seen again. What it had in flight may
     * still land. */
    void (*lane_reset)(void *self, int32_t lane);

    /* Reading without a group. The end of the log gives 0 records; read on later.     Thread: the one that opened it */
    struct port_stream *(*stream_open)(void *self, enum port_topic topic, int32_t partition, int64_t offset);
    size_t (*stream_take)(void *self, struct port_stream *stream, struct port_record *out, size_t most);
    /* All that the log held when it was last asked was taken. The last record may be gone: offsets do not tell. */
    bool (*stream_at_end)(void *self, struct port_stream *stream);
    void (*stream_close)(void *self, struct port_stream *stream);

    /* Deletes journal records below offset. ERR_CONFIG where the broker can't. (may block)         Thread: worker */
    enum err (*trim)(void *self, int32_t partition, int64_t offset, struct err_info *info);

    /* Waits until something may have arrived for the lane, wake(lane) was called, or the time is over. */
    void (*wait)(void *self, int32_t lane, int64_t timeout_ms);
    void (*wake)(void *self, int32_t lane);
};

enum { PORT_NO_AS_OF = 0 };
