/* SPDX-License-Identifier: Apache-2.0
 * hist.h - a histogram of durations that one thread writes and any thread reads.
 *
 * Units:   seconds; HIST_BUCKETS buckets that double from 0.0005 s (0.5 ms, 1 ms, 2 ms ... about 131 s) and one above
 * Memory:  plain struct, zero-initialised is empty
 * Thread:  hist_record: the one writer; hist_read: any
 * Progress: wait-free; a reader may see counts that are one record ahead of the sum
 */
#pragma once

#include "base/counter.h"

enum { HIST_BUCKETS = 19 };

struct hist {
    struct counter bucket[HIST_BUCKETS + 1]; /* not cumulative; the last one is +Inf */
    struct counter sum_us;
};

struct hist_view {
    int64_t bucket[HIST_BUCKETS + 1];
    int64_t count; /* of all buckets */
    double sum_seconds;
};

/* Upper bound of a bucket in seconds (the bound itself belongs to it); infinite for the last. */
double hist_bound(int bucket);

/* A negative duration, or one that is not a number, counts as zero.     Thread: the one writer */
void hist_record(struct hist *hist, double seconds);

/* As many times the same duration.                                          Thread: the one writer */
void hist_record_many(struct hist *hist, double seconds, int64_t times);

/* Thread: any */
void hist_read(const struct hist *hist, struct hist_view *out);
