/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks whether every thread makes its steps, and tells of what mends itself and of what takes long. One that does not is said in the log, shown as a metric and fails /livez, so that
 * whoever started the process starts it again: crash-only, nothing is lost.
 */
#include "base/clock.h"
#include "engine_inside.h"
#include "flow/restore.h"
#include "ops/log.h"

#include <inttypes.h>
#include <stdio.h>

enum { LOOK_EACH_MS = 1000, RESTORE_TELL_MS = 2000 };

static int64_t steady_ms(void)
{
    return clock_steady_ns() / 1000000;
}

void engine_watch_name(const struct engine *engine, int32_t index, char out[static ENGINE_NAME_BYTES])
{
    if (index == engine->worker_count)
        snprintf(out, ENGINE_NAME_BYTES, "publisher");
    else
        snprintf(out, ENGINE_NAME_BYTES, "worker-%d", index);
}

static void look(struct engine *engine, int32_t index, int64_t steps, int64_t now_ms)
{
    char name[ENGINE_NAME_BYTES];
    if (!watchdog_look(engine->watchdog, index, steps, now_ms))
        return;
    engine_watch_name(engine, index, name);
    log_event(LOG_LEVEL_ERROR, "thread_stuck", LOG_FIELDS(log_text("thread", name)),
              "%s has made no step for %d s; /livez fails until it does", name, WATCHDOG_STUCK_MS / 1000);
}

/* What flow/ and kafka/ mended by themselves is worth a line. */
static void tell_stalls(struct engine *engine)
{
    int64_t inputs = 0;
    for (int32_t i = 0; i < engine->worker_count; i++)
        inputs += counter_read(&worker_counters(engine->workers[i].worker)->input_stalls);
    int64_t journals = counter_read(&publisher_counters(engine->publisher)->journal_stalls);
    if (inputs != engine->input_stalls || journals != engine->journal_stalls)
        log_event(
            LOG_LEVEL_WARN, "reading_stalled",
            LOG_FIELDS(log_int("input_stalls", inputs), log_int("journal_stalls", journals)),
            "the broker has records of a partition and none came for a while: it is read anew from the same place");
    engine->input_stalls = inputs;
    engine->journal_stalls = journals;
}

/* A restart that takes long says every now and then how far it is: one line, however many partitions. */
static void tell_restores(struct engine *engine, int64_t now_ms)
{
    int64_t partitions = 0;
    int64_t percents = 0;
    for (int32_t i = 0; i < engine->partitions; i++) {
        int percent = restore_percent(&engine->statuses[i]);
        partitions += percent >= 0;
        percents += percent >= 0 ? percent : 0;
    }
    if (partitions == 0)
        engine->restores_told_ms = now_ms;
    if (now_ms - engine->restores_told_ms < RESTORE_TELL_MS)
        return;
    engine->restores_told_ms = now_ms;
    log_event(LOG_LEVEL_INFO, "partitions_restoring",
              LOG_FIELDS(log_int("partitions", partitions), log_int("percent", percents / partitions)),
              "%" PRId64 " partitions read their journals, %" PRId64 " %% of them so far", partitions,
              percents / partitions);
}

void engine_watch_step(struct engine *engine)
{
    int64_t now_ms = steady_ms();
    counter_set(&engine->main_beat_ms, now_ms);
    if (now_ms - engine->watched_ms < LOOK_EACH_MS)
        return;
    engine->watched_ms = now_ms;
    for (int32_t i = 0; i < engine->worker_count; i++)
        look(engine, i, worker_beats(engine->workers[i].worker), now_ms);
    look(engine, engine->worker_count, counter_read(&engine->publisher_beats), now_ms);
    tell_stalls(engine);
    tell_restores(engine, now_ms);
}

const char *engine_watch_stuck(struct engine *engine, char out[static ERR_TEXT_BYTES])
{
    char name[ENGINE_NAME_BYTES] = "main";
    if (counter_read(&engine->phase) != ENGINE_RUNNING)
        return NULL; /* connecting and stopping have their own limits */
    int64_t age_ms = steady_ms() - counter_read(&engine->main_beat_ms);
    if (age_ms <= WATCHDOG_STUCK_MS) {
        int32_t stuck = watchdog_stuck(engine->watchdog);
        if (stuck == WATCHDOG_NONE)
            return NULL;
        engine_watch_name(engine, stuck, name);
        age_ms = watchdog_age_ms(engine->watchdog, stuck);
    }
    snprintf(out, ERR_TEXT_BYTES, "%s has made no step for %" PRId64 " s", name, age_ms / 1000);
    return out;
}
