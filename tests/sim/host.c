/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/host.h"

#include "base/check.h"
#include "base/memory.h"
#include "flow/roster.h"

#include "customs/v1/statistic.pb-c.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { TICK_MS = 10, QUIET_ROUNDS = 30, ORDERS = 1024, PUBLISHER_PATIENCE_MS = 100 };

struct host {
    struct world *world;
    struct host_options options;
    struct process *process;
    const struct port *port; /* that the threads use */
    struct worker *workers[HOST_WORKERS_MOST];
    int32_t worker_count;
    struct publisher *publisher;
    struct partition_status *statuses;
    struct roster *roster;
    struct ruleset ruleset; /* that it was started with */
    _Atomic uint64_t random_state;
    char units[STATE_UNITS_BYTES];
    size_t delivered;
};

/* splitmix64 */
static uint64_t seeded(void *context)
{
    _Atomic uint64_t *state = context;
    const uint64_t step = 0x9E3779B97F4A7C15ULL;
    uint64_t z =
        atomic_fetch_add_explicit(state, step, memory_order_relaxed) + step; /* relaxed: nothing else depends on it */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
    return z ^ z >> 31;
}

static void make_worker(struct host *host, int32_t lane)
{
    const struct host_options *options = &host->options;
    struct worker_options worker = {
        .port = host->port,
        .lane = lane,
        .partitions = options->partitions,
        .statuses = host->statuses,
        .plan = options->plan,
        .ruleset = &host->ruleset,
        .units = host->units,
        .topic = "customs.declarations",
        .frame_interval_ms = options->frame_interval_ms,
        .idle_ms = options->idle_ms,
        .snapshot_bytes = options->snapshot_bytes,
        .horizon_months = options->horizon_months,
        .final_months = options->final_months,
        .batch = {.envelope = {INPUT_AUTO, 1 << 20},
                  .key_check = options->key_check,
                  .partitions = options->partitions,
                  .rules = options->rules},
        .random = seeded,
        .random_context = &host->random_state,
    };
    host->workers[lane] = worker_new(&worker);
}

/* Nothing takes commands while one thread steps all: a ring that is full stays so. */
static void pause_for_ever(void *context)
{
    (void)context;
    CHECK_SAY(false, "a worker's ring of commands is full");
}

static void make_roster(struct host *host)
{
    struct roster_options options = {
        .port = host->port,
        .workers = host->workers,
        .worker_count = host->worker_count,
        .partitions = host->options.partitions,
        .statuses = host->statuses,
        .serial = host->ruleset.serial,
        .orders_most = ORDERS,
        .pause = pause_for_ever,
    };
    host->roster = roster_new(&options);
}

static void make_publisher(struct host *host)
{
    const struct host_options *options = &host->options;
    struct publisher_options publisher = {
        .port = host->port,
        .lane = host->worker_count,
        .partitions = options->partitions,
        .statistics_partitions = options->statistics_partitions,
        .plan = options->plan,
        .reference = options->reference,
        .publish_interval_ms = 100,
        .publish_max_keys_per_s = 1000000,
        .event_bound_ms = options->event_bound_ms,
        .zone = options->zone,
        .provisional_days = options->provisional_days,
        .final_months = options->final_months,
        .folds = true,
        .plan_id = options->plan_id,
        .random = seeded,
        .random_context = &host->random_state,
        .echo = roster_echo,
        .echo_context = host->roster,
    };
    memcpy(publisher.reporter, options->reporter, 2);
    memcpy(publisher.currency, options->currency, 3);
    host->publisher = publisher_new(&publisher);
}

struct host *host_join(struct world *world, const struct host_options *options, int32_t workers)
{
    CHECK(workers >= 1 && workers <= HOST_WORKERS_MOST);
    wire_init();
    size_t partitions = (size_t)options->partitions;
    struct host *host = memory_new(1, sizeof *host);
    host->world = world;
    host->options = *options;
    host->random_state = options->seed;
    host->ruleset = (struct ruleset){options->plan_id, options->rules, options->reference, 1};
    snprintf(host->units, sizeof host->units, "%s %s", options->reporter, options->currency);
    host->worker_count = workers;
    host->process = process_new(world, workers + 1);
    host->port = options->over ? options->over(options->over_context, host->process) : process_port(host->process);
    host->statuses = memory_new(partitions, sizeof host->statuses[0]);
    for (int32_t i = 0; i < options->partitions; i++)
        pthread_mutex_init(&host->statuses[i].lock, NULL);
    for (int32_t i = 0; i < workers; i++)
        make_worker(host, i);
    make_roster(host);
    make_publisher(host);
    return host;
}

struct host *host_new(struct world *world, const struct host_options *options)
{
    struct host *host = host_join(world, options, 1);
    for (int32_t i = 0; i < options->partitions; i++) {
        struct port_membership change = {PORT_ASSIGNED, i};
        roster_take(host->roster, &change);
    }
    host_lead(host, true);
    return host;
}

void host_kill(struct host *host)
{
    if (!host)
        return;
    for (int32_t i = 0; i < host->worker_count; i++)
        worker_free(host->workers[i]);
    publisher_free(host->publisher);
    process_kill(host->process);
    for (int32_t i = 0; i < host->options.partitions; i++)
        pthread_mutex_destroy(&host->statuses[i].lock);
    roster_free(host->roster);
    memory_free(host->statuses);
    memory_free(host);
}

/* ---- main ---- */

bool host_step_main(struct host *host)
{
    const struct port *port = host->port;
    struct port_membership change;
    bool did = false;
    while (port->membership(port->self, &change)) {
        roster_take(host->roster, &change);
        did = true;
    }
    did = roster_take_released(host->roster) || did;
    roster_commit(host->roster, port->now_ms(port->self));
    return did;
}

void host_lead(struct host *host, bool leads)
{
    roster_lead(host->roster, leads);
}

void host_reload(struct host *host, const struct ruleset *ruleset)
{
    roster_reload(host->roster, ruleset);
}

uint64_t host_reloaded(struct host *host)
{
    return roster_reloaded(host->roster);
}

/* ---- the other threads ---- */

bool host_step_worker(struct host *host, int32_t worker)
{
    return worker_step(host->workers[worker]);
}

bool host_step_publisher(struct host *host)
{
    roster_take_orders(host->roster, host->publisher);
    bool did = publisher_step(host->publisher);
    roster_wake(host->roster);
    return did;
}

void host_rest(struct host *host, int32_t thread)
{
    int64_t patience_ms =
        thread < host->worker_count ? worker_patience_ms(host->workers[thread]) : PUBLISHER_PATIENCE_MS;
    host->port->wait(host->port->self, thread, patience_ms);
}

bool host_step(struct host *host)
{
    bool did = host_step_worker(host, 0);
    return host_step_publisher(host) || did;
}

int32_t host_workers(const struct host *host)
{
    return host->worker_count;
}

int32_t host_owner(const struct host *host, int32_t partition)
{
    return roster_owner(host->roster, partition);
}

struct publisher *host_publisher(const struct host *host)
{
    return host->publisher;
}

const struct worker_counters *host_worker_counters(const struct host *host, int32_t worker)
{
    return worker_counters(host->workers[worker]);
}

size_t host_deliver(struct host *host, size_t most)
{
    size_t count = 0;
    for (int32_t lane = 0; lane < 2; lane++) {
        while (count < most && process_deliver(host->process, lane))
            count++;
    }
    host->delivered += count;
    return count;
}

static bool is_settled(const struct host *host)
{
    for (int32_t i = 0; i < host->options.partitions; i++) {
        const struct partition_status *status = &host->statuses[i];
        int64_t phase = counter_read(&status->phase);
        if (phase == PARTITION_HALTED)
            continue;
        if (phase != PARTITION_RUNNING || counter_read(&status->unechoed_groups) > 0 ||
            counter_read(&status->position) < world_next(host->world, PORT_DECLARATIONS, i))
            return false;
    }
    return publisher_is_quiet(host->publisher) && counter_read(&publisher_counters(host->publisher)->is_publishing);
}

bool host_settle(struct host *host, int64_t seconds)
{
    int64_t until = world_now(host->world) + seconds * 1000;
    int quiet = 0;
    while (world_now(host->world) < until) {
        bool did = host_step(host);
        did = host_deliver(host, SIZE_MAX) > 0 || did;
        if (did) {
            quiet = 0;
            continue;
        }
        world_set_now(host->world, world_now(host->world) + TICK_MS);
        quiet = is_settled(host) ? quiet + 1 : 0;
        if (quiet > QUIET_ROUNDS)
            return true;
    }
    return false;
}

size_t host_delivered(const struct host *host)
{
    return host->delivered;
}

struct process *host_process(struct host *host)
{
    return host->process;
}

const struct partition_status *host_status(const struct host *host, int32_t partition)
{
    return &host->statuses[partition];
}

const struct worker_counters *host_counters(const struct host *host)
{
    return worker_counters(host->workers[0]);
}

const struct publisher_counters *host_published(const struct host *host)
{
    return publisher_counters(host->publisher);
}

/* ---- what a consumer holds ---- */

struct held {
    struct text key;
    int64_t as_of;
    struct bytes value;
};

static int by_key(const void *a, const void *b)
{
    const struct held *left = a;
    const struct held *right = b;
    uint32_t least = left->key.length < right->key.length ? left->key.length : right->key.length;
    int order = memcmp(left->key.data, right->key.data, least);
    if (order)
        return order;
    if (left->key.length != right->key.length)
        return left->key.length < right->key.length ? -1 : 1;
    return (left->as_of > right->as_of) - (left->as_of < right->as_of);
}

static void print_one(struct buffer *out, const struct held *held)
{
    Customs__V1__Statistic *s = customs__v1__statistic__unpack(NULL, held->value.length, held->value.data);
    CHECK_SAY(s, "%.*s is no Statistic", TEXT_ARGS(held->key));
    if (s->items)
        buffer_add_format(
            out,
            "%.*s value=%" PRId64 " %s customs=%" PRId64 " net_g=%" PRId64 " gross_g=%" PRId64 " supp=%" PRId64
            "%s declarations=%" PRIu64 " items=%" PRIu64 " packages=%" PRIu64 " warned=%" PRIu64 "\n",
            TEXT_ARGS(held->key), s->value_minor, s->currency, s->customs_value_minor, s->net_mass_g, s->gross_mass_g,
            s->supp_quantity_micro, s->supp_unit, s->declarations, s->items, s->packages, s->warned_items);
    customs__v1__statistic__free_unpacked(s, NULL);
}

void host_dump_statistics(struct world *world, int32_t partitions, struct buffer *out)
{
    size_t count = 0;
    for (int32_t p = 0; p < partitions; p++)
        count += (size_t)world_next(world, PORT_STATISTICS, p);
    struct held *all = memory_new(count, sizeof all[0]);
    size_t at = 0;
    for (int32_t p = 0; p < partitions; p++) {
        for (int64_t o = world_first(world, PORT_STATISTICS, p); o < world_next(world, PORT_STATISTICS, p); o++) {
            const struct world_record *record = world_at(world, PORT_STATISTICS, p, o);
            if (record->key.length && record->key.data[0] != '#' && !record->is_null)
                all[at++] = (struct held){
                    {(const char *)record->key.data, (uint32_t)record->key.length}, record->as_of, record->value};
        }
    }
    qsort(all, at, sizeof all[0], by_key);
    for (size_t i = 0; i < at; i++) {
        if (i + 1 == at || !text_equal(all[i].key, all[i + 1].key))
            print_one(out, &all[i]);
    }
    memory_free(all);
}
