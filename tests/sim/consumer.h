/* SPDX-License-Identifier: Apache-2.0
 * consumer.h - a consumer of topic.statistics that follows the rule: upsert by key, ignore an as_of that is not larger, ignore keys that
 * begin with #.
 *
 * Memory:  owns what it holds
 * Thread:  one thread in all
 */
#pragma once

#include "base/buffer.h"
#include "sim/recount.h"
#include "sim/world.h"

struct consumer;

/* Begins at the beginning of the topic as it is now. */
struct consumer *consumer_new(const struct world *world, int32_t partitions);
void consumer_free(struct consumer *consumer);

/* The offset that it reads next. */
int64_t consumer_position(const struct consumer *consumer, int32_t partition);

/* Reads up to `most` records of each partition. False: there was nothing. */
bool consumer_read(struct consumer *consumer, int64_t most);

/* Says in *why what it holds that the recount has not, or otherwise. False: it differs. */
bool consumer_agrees(const struct consumer *consumer, const struct cells *cells, struct buffer *why);
