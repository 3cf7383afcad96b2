/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/watchdog.h"

#include "base/check.h"
#include "base/memory.h"

struct watched {
    bool is_seen;
    bool is_told;
    int64_t steps;
    int64_t since_ms;
    struct counter age_ms; /* read by any */
};

struct watchdog {
    int32_t count;
    struct watched threads[];
};

struct watchdog *watchdog_new(int32_t count)
{
    CHECK(count >= 0);
    struct watchdog *watchdog = memory_new(1, sizeof *watchdog + (size_t)count * sizeof watchdog->threads[0]);
    watchdog->count = count;
    return watchdog;
}

void watchdog_free(struct watchdog *watchdog)
{
    memory_free(watchdog);
}

bool watchdog_look(struct watchdog *watchdog, int32_t index, int64_t steps, int64_t now_ms)
{
    CHECK_SAY(index >= 0 && index < watchdog->count, "thread %d of %d", index, watchdog->count);
    struct watched *watched = &watchdog->threads[index];
    if (!watched->is_seen || steps != watched->steps) {
        watched->is_seen = true;
        watched->is_told = false;
        watched->steps = steps;
        watched->since_ms = now_ms;
    }
    int64_t age_ms = now_ms - watched->since_ms;
    counter_set(&watched->age_ms, age_ms);
    bool is_news = age_ms > WATCHDOG_STUCK_MS && !watched->is_told;
    watched->is_told = watched->is_told || is_news;
    return is_news;
}

int64_t watchdog_age_ms(const struct watchdog *watchdog, int32_t index)
{
    CHECK_SAY(index >= 0 && index < watchdog->count, "thread %d of %d", index, watchdog->count);
    return counter_read(&watchdog->threads[index].age_ms);
}

int32_t watchdog_stuck(const struct watchdog *watchdog)
{
    for (int32_t i = 0; i < watchdog->count; i++) {
        if (watchdog_age_ms(watchdog, i) > WATCHDOG_STUCK_MS)
            return i;
    }
    return WATCHDOG_NONE;
}
