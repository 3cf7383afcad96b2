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

/* When months close. */
struct consumer_months {
    int32_t provisional_days;
    uint32_t final_months;
};

/* Between what bounds the watermark of the topic's last publisher is. */
struct consumer_watermark {
    int64_t least_ms;
    int64_t most_ms;
};

/* What a consumer saw happen. */
struct consumer_seen {
    uint64_t closed; /* records that were told PROVISIONAL after OPEN */
    uint64_t revised;
    uint64_t final;
    uint64_t buried;
    uint64_t unburied; /* a record after a tombstone */
    uint64_t ended;    /* hours that were told and are gone */
};

/* Begins at the beginning of the topic as it is now. */
struct consumer *consumer_new(const struct world *world, int32_t partitions, struct consumer_months months);
void consumer_free(struct consumer *consumer);

/* The offset that it reads next. */
int64_t consumer_position(const struct consumer *consumer, int32_t partition);

/* Reads up to `most` records of each partition. False: there was nothing. */
bool consumer_read(struct consumer *consumer, int64_t most);

/* What one publisher has told in the order of as_of must be possible: no state and no watermark goes back, what changed after it was PROVISIONAL
 * is REVISED, and each state is that of the watermark beside it. Empty: so it was. */
struct bytes consumer_wrong(const struct consumer *consumer);
const struct consumer_seen *consumer_seen(const struct consumer *consumer);

/* The day, yyyymmdd, on which rolling windows end by what it holds; 0: it holds none that has items. *out_is_day: else no window of days has
 * any, and the month alone is known, of which this is the last day. */
uint32_t consumer_today(const struct consumer *consumer, bool *out_is_day);

/* The last of the last 24 hours by what it holds, hours of UTC since 1970; RECOUNT_NO_HOUR: it holds no such record that has items. */
int64_t consumer_hour(const struct consumer *consumer);

/* Says in *why what it holds that the recount has not, or otherwise. False: it differs. */
bool consumer_agrees(const struct consumer *consumer, const struct cells *cells, struct consumer_watermark watermark,
                     struct buffer *why);
