/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hist.h"

#include <math.h>

/* A duration above this is a broken clock; the clamp keeps the conversion to microseconds defined. */
static const double SECONDS_MOST = 1e9;

double hist_bound(int bucket)
{
    return bucket < HIST_BUCKETS ? 0.0005 * (double)(1 << bucket) : (double)INFINITY;
}

static int bucket_of(double seconds)
{
    int bucket = 0;
    while (bucket < HIST_BUCKETS && seconds > hist_bound(bucket))
        bucket++;
    return bucket;
}

void hist_record(struct hist *hist, double seconds)
{
    hist_record_many(hist, seconds, 1);
}

void hist_record_many(struct hist *hist, double seconds, int64_t times)
{
    if (!(seconds > 0)) /* a clock that went backwards, or not a number: it happened, it took no time */
        seconds = 0;
    if (seconds > SECONDS_MOST)
        seconds = SECONDS_MOST;
    counter_add(&hist->bucket[bucket_of(seconds)], times);
    counter_add(&hist->sum_us, (int64_t)(seconds * 1e6 + 0.5) * times);
}

/* The count is that of the buckets as read, so that an exposition's +Inf bucket and its count agree. */
void hist_read(const struct hist *hist, struct hist_view *out)
{
    out->count = 0;
    for (int i = 0; i <= HIST_BUCKETS; i++) {
        out->bucket[i] = counter_read(&hist->bucket[i]);
        out->count += out->bucket[i];
    }
    out->sum_seconds = (double)counter_read(&hist->sum_us) / 1e6;
}
