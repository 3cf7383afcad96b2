/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_wall_ms(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_steady_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_forward_take(struct clock_forward *clock, int64_t wall_ms, int64_t steady_ms)
{
    int64_t lead_ms = wall_ms - steady_ms;
    /* relaxed: the word is all there is, and it only grows */
    int64_t most_ms = atomic_load_explicit(&clock->lead_ms, memory_order_relaxed);
    while (lead_ms > most_ms && !atomic_compare_exchange_weak_explicit(&clock->lead_ms, &most_ms, lead_ms,
                                                                       memory_order_relaxed, memory_order_relaxed))
        ; /* relaxed: as above */
    return steady_ms + (lead_ms > most_ms ? lead_ms : most_ms);
}

int64_t clock_forward_ms(void)
{
    static struct clock_forward clock = {INT64_MIN};
    int64_t steady_ms = clock_steady_ns() / 1000000;
    return clock_forward_take(&clock, clock_wall_ms(), steady_ms);
}
