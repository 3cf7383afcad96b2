/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that was given back goes back to the system, too. glibc keeps a heap for each of many threads, and a block returns to the heap that it
 * came from: a restore, a catch-up or a publisher that reads topic.statistics fills some of them with fetched records, and what lies
 * between blocks that are still in use stays resident for ever. Main looks how much that is, and trims when it has become much.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "engine_inside.h"
#include "ops/log.h"

enum { LOOK_EACH_MS = 10000 }; /* a peak is over by then */

void engine_memory_step(struct engine *engine)
{
    int64_t now_ns = clock_steady_ns();
    if (now_ns - engine->memory_ns < (int64_t)LOOK_EACH_MS * 1000000)
        return;
    engine->memory_ns = now_ns;
    struct memory_heap heap = memory_heap_now();
    size_t before = memory_resident();
    if (!slack_is_much(&engine->slack, before, heap.used_bytes, heap.free_bytes))
        return;
    int64_t begun_ns = clock_steady_ns();
    memory_trim();
    int64_t took_us = (clock_steady_ns() - begun_ns) / 1000;
    size_t after = memory_resident();
    heap = memory_heap_now();
    slack_trimmed(&engine->slack, after, heap.used_bytes);
    counter_add(&engine->memory_trims, 1);
    log_event(LOG_LEVEL_DEBUG, "memory_trimmed",
              LOG_FIELDS(log_int("before_bytes", (int64_t)before), log_int("after_bytes", (int64_t)after),
                         log_int("took_us", took_us)),
              "free memory was given back to the system");
}
