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

/* Joins the group at once. partitions: of the input topic. */
enum err consumer_open(const struct kafka_options *options, struct client_health *health, int32_t partitions,
                       struct consumer **out, struct err_info *info) MUST_USE;

/* Sends the last offsets, if the group is at rest, and begins to leave it. Takes NULL. (blocks up to a second) */
void consumer_close(struct consumer *consumer);

/* Next change. False: none now. To be called at least each 100 ms or so: it serves librdkafka, too. */
bool consumer_membership(struct consumer *consumer, struct port_membership *out);

/* A revoked partition is let go. No effect on others. */
void consumer_release(struct consumer *consumer, int32_t partition);

/* Notes an offset; it is sent within about a second, unless the group is rebalancing (confluentinc/librdkafka#4059). */
void consumer_commit(struct consumer *consumer, int32_t partition, int64_t offset);

bool consumer_is_joined(const struct consumer *consumer);
int64_t consumer_rebalances(const struct consumer *consumer, enum port_change change);
