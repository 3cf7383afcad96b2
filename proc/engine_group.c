/* SPDX-License-Identifier: Apache-2.0
 *
 * What main does with the decisions of the group: which worker owns a partition, where its state stays warm, who publishes.
 */
#include "base/clock.h"
#include "engine_inside.h"
#include "ops/log.h"

#include <time.h>

enum { COMMIT_MS = 1000 };

static int32_t freest_worker(const struct engine *engine)
{
    int32_t best = 0;
    for (int32_t i = 1; i < engine->worker_count; i++) {
        if (engine->workers[i].assigned < engine->workers[best].assigned)
            best = i;
    }
    return best;
}

static void command(struct engine *engine, int32_t worker, enum worker_order kind, int32_t partition)
{
    while (!worker_command(engine->workers[worker].worker, kind, partition))
        engine_pause_ms(1); /* the worker takes its commands in each step */
    engine->port.wake(engine->port.self, engine->workers[worker].lane);
}

static void set_lead(struct engine *engine, bool on)
{
    if (on == (counter_read(&engine->leads) != 0))
        return;
    counter_set(&engine->leads, on);
    engine_order(engine, (struct engine_order){.kind = ENGINE_ORDER_LEAD, .on = on});
    log_event(LOG_LEVEL_INFO, on ? "lease_taken" : "lease_let_go", LOG_NONE,
              on ? "this process publishes the statistics" : "another process may publish the statistics");
}

/* With role=all the owner of input partition 0 publishes. */
static void partition_leads(struct engine *engine, int32_t partition, bool on)
{
    if (partition == 0 && engine->options.config->role == CONFIG_ROLE_ALL)
        set_lead(engine, on);
}

static void watch(struct engine *engine, int32_t partition, int32_t worker)
{
    engine_order(engine, (struct engine_order){ENGINE_ORDER_WATCH, partition, worker, worker != ENGINE_NO_OWNER});
}

/* `warm`: its worker keeps the state and hears the echoes on. */
static void disown(struct engine *engine, int32_t partition, bool warm)
{
    int32_t worker = engine->owner[partition];
    if (worker == ENGINE_NO_OWNER)
        return;
    engine->workers[worker].assigned--;
    engine->owner[partition] = ENGINE_NO_OWNER;
    engine->releasing[partition] = false;
    engine->warm[partition] = warm ? worker : ENGINE_NO_OWNER;
    counter_set(&engine->is_owned[partition], 0);
    counter_add(&engine->assigned, -1);
    if (!warm)
        watch(engine, partition, ENGINE_NO_OWNER);
}

/* The worker that had it, as long as it may not be done with it: another one would write the same status. */
static int32_t worker_for(const struct engine *engine, int32_t partition)
{
    return engine->last[partition] != ENGINE_NO_OWNER ? engine->last[partition] : freest_worker(engine);
}

static void assigned(struct engine *engine, int32_t partition)
{
    disown(engine, partition, false);
    int32_t worker = worker_for(engine, partition);
    engine->warm[partition] = ENGINE_NO_OWNER;
    engine->last[partition] = worker;
    engine->owner[partition] = worker;
    engine->workers[worker].assigned++;
    counter_set(&engine->is_owned[partition], 1);
    counter_add(&engine->assigned, 1);
    watch(engine, partition, worker);
    command(engine, worker, WORKER_ASSIGN, partition);
    partition_leads(engine, partition, true);
}

static void release(struct engine *engine, int32_t partition)
{
    if (engine->owner[partition] == ENGINE_NO_OWNER || engine->releasing[partition])
        return;
    engine->releasing[partition] = true;
    partition_leads(engine, partition, false);
    command(engine, engine->owner[partition], WORKER_RELEASE, partition);
}

static void lost(struct engine *engine, int32_t partition)
{
    if (engine->owner[partition] == ENGINE_NO_OWNER)
        return;
    partition_leads(engine, partition, false);
    command(engine, engine->owner[partition], WORKER_LOST, partition);
    disown(engine, partition, false);
}

static void released(struct engine *engine, int32_t worker, const struct worker_release *release)
{
    int32_t partition = release->partition;
    if (engine->releasing[partition] && engine->owner[partition] == worker) {
        int64_t position = counter_read(&engine->statuses[partition].position);
        engine->port.commit(engine->port.self, partition, position);
        disown(engine, partition, release->is_warm);
        if (!release->is_warm)
            engine->last[partition] = ENGINE_NO_OWNER;
        engine->port.release_partition(engine->port.self, partition);
    } else if (engine->warm[partition] == worker && !release->is_warm) {
        engine->warm[partition] = ENGINE_NO_OWNER; /* somebody else has claimed it since */
        engine->last[partition] = ENGINE_NO_OWNER;
        watch(engine, partition, ENGINE_NO_OWNER);
    }
}

static void take_change(struct engine *engine, const struct port_membership *change)
{
    static const char *const events[] = {"partition_assigned", "partition_revoked", "partition_lost"};
    log_event(LOG_LEVEL_INFO, events[change->change], LOG_FIELDS(log_int("partition", change->partition)),
              "partition %d", change->partition);
    if (change->change == PORT_ASSIGNED)
        assigned(engine, change->partition);
    else if (change->change == PORT_REVOKED && engine->owner[change->partition] == ENGINE_NO_OWNER)
        engine->port.release_partition(engine->port.self, change->partition);
    else if (change->change == PORT_REVOKED)
        release(engine, change->partition);
    else
        lost(engine, change->partition);
}

void engine_group_step(struct engine *engine)
{
    struct port_membership change;
    while (engine->port.membership(engine->port.self, &change))
        take_change(engine, &change);
    for (int32_t i = 0; i < engine->worker_count; i++) {
        struct worker_release release;
        while (worker_released(engine->workers[i].worker, &release))
            released(engine, i, &release);
    }
    if (engine->options.config->role == CONFIG_ROLE_PUBLISH)
        set_lead(engine, port_kafka_holds_lease(&engine->port));
}

void engine_group_commit(struct engine *engine, int64_t now_ms)
{
    if (now_ms - engine->last_commit_ms < COMMIT_MS)
        return;
    engine->last_commit_ms = now_ms;
    for (int32_t i = 0; i < engine->partitions; i++) {
        int64_t position = counter_read(&engine->statuses[i].position);
        if (engine->owner[i] == ENGINE_NO_OWNER || position == 0 || position == engine->committed[i])
            continue;
        engine->port.commit(engine->port.self, i, position);
        engine->committed[i] = position;
    }
}

void engine_group_release_all(struct engine *engine)
{
    for (int32_t i = 0; i < engine->partitions; i++) {
        if (engine->owner[i] == ENGINE_NO_OWNER || engine->releasing[i])
            continue;
        engine->releasing[i] = true; /* without giving up the lead: what is counted is to be published */
        command(engine, engine->owner[i], WORKER_RELEASE, i);
    }
}
