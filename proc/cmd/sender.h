/* SPDX-License-Identifier: Apache-2.0
 * sender.h - puts declarations into the input topic, or history into that of the statistics, and sees to it that every one is acknowledged.
 *
 * In:      records in order, each with a token that names its place        Out: acknowledged records in the topic
 * Topic:   created if it is missing and topics.create is on
 * Errors:  ERR_PEER: no broker, refused, or no acknowledgement for the time-out; ERR_CONFIG as kafka/admin.h
 * Memory:  owns its producer; records are copied
 * Thread:  main
 */
#pragma once

#include "base/span.h"
#include "kafka/client.h"

struct sender;

struct sender_sums {
    uint64_t sent;
    uint64_t acknowledged;
    uint64_t failed; /* told to the failure function */
    uint64_t bytes;  /* of keys and values handed to the producer */
};

/* A record that will not arrive: reason ERR_LIMIT (too large) or ERR_PEER; why is what the broker said last, borrowed. */
struct sender_failure {
    void (*tell)(void *self, uint64_t token, enum err reason, const char *why);
    void *self;
};

/* Reaches the broker, ensures the topic, opens the producer. options is borrowed. Gives *out. */
enum err sender_open(const struct kafka_options *options, struct sender_failure failure, struct sender **out,
                     struct err_info *info) MUST_USE;
/* The same for another topic, which must exist. In topic.statistics an empty value is a tombstone. */
enum err sender_open_to(const struct kafka_options *options, enum port_topic topic, struct sender_failure failure,
                        struct sender **out, struct err_info *info) MUST_USE;
/* Drops what is not acknowledged. Takes NULL. */
void sender_close(struct sender *sender);

/* Partitions of topic.declarations now. (blocks) */
enum err sender_partitions(struct sender *sender, int32_t *out, struct err_info *info) MUST_USE;

/* Waits while the local queue is full. key.data NULL: no key. timestamp_ms 0: now. */
enum err sender_send(struct sender *sender, struct bytes key, struct bytes value, int64_t timestamp_ms, uint64_t token,
                     struct err_info *info) MUST_USE;

/* The same into a partition that is known: where an earlier version of the declaration stands. */
enum err sender_send_to(struct sender *sender, int32_t partition, struct bytes key, struct bytes value,
                        int64_t timestamp_ms, uint64_t token, struct err_info *info) MUST_USE;

/* Waits up to `ms` for acknowledgements, and takes them: pacing. */
void sender_wait(struct sender *sender, int64_t ms);

/* Waits until everything is acknowledged or failed. */
enum err sender_finish(struct sender *sender, struct err_info *info) MUST_USE;

struct sender_sums sender_sums(const struct sender *sender);
