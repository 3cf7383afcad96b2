/* SPDX-License-Identifier: Apache-2.0
 * consumer.h - a member of the consumer group: which partitions are ours. It fetches nothing: reader.h does that.
 *
 * In:      the group's decisions                       Out:    membership changes, in order
 * Memory:  owns its handle and a few words a partition  Thread: main, but the counters: any
 * Errors:  none after open: trouble goes to the health; a fatal error of the group loses all partitions and joins again
 * Why:     docs/adr/0005-kafka-port.md: the member's local assignment stays empty, so that eager and cooperative groups
 * work alike
 */
#pragma once

#include "kafka/client.h"

struct consumer;

/* What group it is of, and which topic's partitions the group shares out. */
struct consumer_place {
    const char *group;
    enum port_topic topic;
    int32_t partitions; /* of the topic */
};

/* Joins the group at once. */
enum err consumer_open(const struct kafka_options *options, struct client_health *health,
                       const struct consumer_place *place, struct consumer **out, struct err_info *info) MUST_USE;

/* Sends the last offsets, if the group is at rest, and begins to leave it (a static member stays until its session ends).
 * No change comes after it. Takes NULL. (blocks up to a second) */
void consumer_leave(struct consumer *consumer);

/* Leaves and frees. Takes NULL. */
void consumer_close(struct consumer *consumer);

/* Next change. False: none now. To be called at least each 100 ms or so: it serves librdkafka, too. */
bool consumer_membership(struct consumer *consumer, struct port_membership *out);

/* A revoked partition is let go. No effect on others. */
void consumer_release(struct consumer *consumer, int32_t partition);

/* Notes an offset; it is sent within about a second, unless the group is rebalancing (confluentinc/librdkafka#4059). */
void consumer_commit(struct consumer *consumer, int32_t partition, int64_t offset);

/* Partitions held now, also those that are being let go. */
bool consumer_holds(const struct consumer *consumer, int32_t partition);

/* The group has accepted this member, and has not cut it off since. */
bool consumer_is_joined(const struct consumer *consumer);
int64_t consumer_rebalances(const struct consumer *consumer, enum port_change change);
