/* SPDX-License-Identifier: Apache-2.0
 * counter.h - numbers that one thread writes and any thread may read: counters and gauges.
 *
 * Thread:  counter_add and counter_set by the one writer; counter_add_shared by any, of a counter that nobody adds to otherwise;
 *          counter_read by any
 * Progress: wait-free. A reader sees each word whole; two counters are not read at one instant.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct counter {
    _Atomic int64_t value;
};

static inline void counter_add(struct counter *counter, int64_t n)
{
    /* relaxed: one writer, and no other data is published by it */
    int64_t old = atomic_load_explicit(&counter->value, memory_order_relaxed);
    atomic_store_explicit(&counter->value, old + n, memory_order_relaxed);
}

/* For what is rare and found by several threads: it locks the bus. */
static inline void counter_add_shared(struct counter *counter, int64_t n)
{
    atomic_fetch_add_explicit(&counter->value, n, memory_order_relaxed); /* relaxed: as in counter_add */
}

static inline void counter_set(struct counter *counter, int64_t v)
{
    atomic_store_explicit(&counter->value, v, memory_order_relaxed); /* relaxed: as in counter_add */
}

static inline int64_t counter_read(const struct counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed); /* relaxed: as in counter_add */
}
