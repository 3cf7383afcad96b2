/* SPDX-License-Identifier: Apache-2.0
 * port_kafka_inside.h - what port_kafka.c (members, input, life), port_lane.c and port_stream.c share of the port.
 *
 * Lanes:   one producer and one eventfd each; librdkafka writes to it when a queue of the lane stops being empty
 * Streams: two on the same partition need two handles, so a stream goes to the first reader that has its partition free
 * Memory:  struct port_kafka owns all handles
 * Thread:  a lane's functions by the lane's own thread, but port_lane_wake: any; a stream's by one thread at a time
 */
#pragma once

#include "base/counter.h"
#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "kafka/port_kafka.h"
#include "kafka/producer.h"
#include "kafka/reader.h"

#include <pthread.h>
#include <stdalign.h>

enum {
    READERS_MAX = 16,
    LEASE_GROUP_BYTES = 512,
    NO_LANE = -1,
};

struct port_lane {
    alignas(64) struct producer *producer; /* NULL: could not be made; appends say why */
    struct kafka_options options;          /* the port's, with batch_bytes as last read */
    int fd;
    bool may_have_more; /* the last take was full: look again before waiting */
};

struct port_input {
    alignas(64) struct reader_log *log; /* NULL: not started */
    int32_t lane;
    struct counter taken; /* by the lane's thread; read by main */
};

struct port_kafka {
    /* const after open */
    struct kafka_options options;
    struct client_health *health;
    struct admin *admin;
    struct consumer *consumer; /* NULL without is_member */
    struct consumer *lease;    /* NULL without wants_lease */
    char lease_group[LEASE_GROUP_BYTES];
    struct reader *input_reader; /* NULL without is_member */
    int32_t partitions[PORT_TOPICS];
    int32_t lane_count;
    struct port_lane *lanes;
    struct port_input *inputs;
    /* of main */
    int64_t served_ms;
    int64_t nudged_ms;
    int64_t nudged_taken;
    /* guarded by lock */
    pthread_mutex_t lock;
    struct reader *readers[READERS_MAX];
};

/* Makes all lanes, those before a failure too, and takes them down again. */
enum err port_lanes_open(struct port_kafka *port, struct err_info *info);
void port_lanes_close(struct port_kafka *port);

/* The lane that the calling thread works for, as far as it is known; NO_LANE: it is not. */
int32_t port_lane_bound(const struct port_kafka *port);

/* Of port.h. */
enum err port_lane_append(void *self, int32_t lane, enum port_topic topic, int32_t partition, struct bytes key,
                          struct bytes value, int64_t as_of, uint64_t token, struct err_info *info);
size_t port_lane_acks(void *self, int32_t lane, struct port_ack *out, size_t most);
void port_lane_reset(void *self, int32_t lane);
void port_lane_wait(void *self, int32_t lane, int64_t timeout_ms);
void port_lane_wake(void *self, int32_t lane);

struct port_stream *port_stream_open(void *self, enum port_topic topic, int32_t partition, int64_t offset);
size_t port_stream_take(void *self, struct port_stream *stream, struct port_record *out, size_t most);
bool port_stream_at_end(void *self, struct port_stream *stream);
void port_stream_close(void *self, struct port_stream *stream);
