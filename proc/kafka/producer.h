/* SPDX-License-Identifier: Apache-2.0
 * producer.h - one idempotent producer: appends in, acknowledgements out, exactly one each. Behind a lane of the port;
 * `load` and `generate` use it directly because they set record timestamps.
 *
 * In:      records; key and value are copied           Out:    acks with the caller's token
 * Limits:  the local queue (about 64 MB, 200,000 records): ERR_FULL beyond it
 * Memory:  owns the handle                              Thread: one owner; producer_close: any one
 * Errors:  an error of producer_append: no ack will come. ERR_FULL: take acks, try again. ERR_LIMIT: too large, never
 * retry. ERR_PEER: fatal, make a new producer. ERR_CONFIG: the topic or partition can't be written by us
 */
#pragma once

#include "kafka/client.h"

struct producer;

struct producer_record {
    enum port_topic topic;
    int32_t partition; /* -1: murmur2 of the key, as Java does; random without a key */
    struct bytes key;  /* data NULL: no key */
    struct bytes value;
    bool is_null;         /* a tombstone: no value */
    int64_t as_of;        /* not PORT_NO_AS_OF: header "as_of" in decimal */
    int64_t timestamp_ms; /* 0: now */
    uint64_t token;
};

enum err producer_open(const struct kafka_options *options, struct client_health *health, struct producer **out,
                       struct err_info *info) MUST_USE;
/* Drops what is not acknowledged; does not wait for the broker. Takes NULL. */
void producer_close(struct producer *producer);

enum err producer_append(struct producer *producer, const struct producer_record *record,
                         struct err_info *info) MUST_USE;

/* Up to `most` acks that are here now. */
size_t producer_acks(struct producer *producer, struct port_ack *out, size_t most);

/* Records appended and not yet acknowledged to the caller. */
int64_t producer_pending(const struct producer *producer);

/* A batch was refused as too large though options.batch_bytes holds each of its records: a topic's max.message.bytes was lowered.
 * They are acked as ERR_PEER, not as ERR_LIMIT: a producer with the new limit may write them. */
bool producer_limit_is_stale(const struct producer *producer);

/* Waits until acks may be there or the time is over. For owners without a lane. */
void producer_wait(struct producer *producer, int64_t timeout_ms);

/* Makes the producer write 8 bytes (the number 1, for an eventfd) to fd when acks arrive at an empty queue. */
void producer_wake_fd(struct producer *producer, int fd);
