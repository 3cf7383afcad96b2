/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/host.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/ring.h"

#include "customs/v1/statistic.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TICK_MS = 10, QUIET_ROUNDS = 30, NO_OWNER = -1, COMMIT_MS = 1000, ORDERS = 1024 };

/* main -> publisher */
struct order {
    bool leads; /* about the lease; else about watching a partition */
    bool on;
    int32_t partition;
    int32_t owner;
};

struct host {
    struct world *world;
    struct host_options options;
    struct process *process;
    struct worker *workers[HOST_WORKERS_MOST];
    int32_t worker_count;
    struct publisher *publisher;
    struct partition_status *statuses;
    int32_t *owner;      /* of main */
    int32_t *last;       /* of main: the worker that may still hold it, for what it is told must come in order */
    int32_t *warm;       /* of main: the worker that keeps the state of a partition that was released */
    bool *releasing;     /* of main */
    int64_t *committed;  /* of main */
    int64_t commit_ms;   /* of main */
    int32_t *echo_owner; /* of the publisher */
    struct ring *orders;
    uint64_t random_state;
    char units[STATE_UNITS_BYTES];
    size_t delivered;
};

/* splitmix64 */
static uint64_t seeded(void *context)
{
    uint64_t *state = context;
    uint64_t z = (*state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
    return z ^ z >> 31;
}

static bool take_echo(void *context, const struct echo *echo)
{
    const struct host *host = context;
    int32_t owner = host->echo_owner[echo->partition];
    return owner == NO_OWNER || worker_echo(host->workers[owner], echo);
}

static void make_worker(struct host *host, int32_t lane)
{
    const struct host_options *options = &host->options;
    struct worker_options worker = {
        .port = process_port(host->process),
        .lane = lane,
        .partitions = options->partitions,
        .statuses = host->statuses,
        .plan = options->plan,
        .rules = options->rules,
        .reference = options->reference,
        .plan_id = options->plan_id,
        .units = host->units,
        .topic = "customs.declarations",
        .frame_interval_ms = options->frame_interval_ms,
        .idle_ms = options->idle_ms,
        .snapshot_bytes = options->snapshot_bytes,
        .batch = {.envelope = {INPUT_AUTO, 1 << 20},
                  .key_check = options->key_check,
                  .partitions = options->partitions,
                  .rules = options->rules},
        .random = seeded,
        .random_context = &host->random_state,
    };
    host->workers[lane] = worker_new(&worker);
}

static void make_publisher(struct host *host)
{
    const struct host_options *options = &host->options;
    struct publisher_options publisher = {
        .port = process_port(host->process),
        .lane = host->worker_count,
        .partitions = options->partitions,
        .statistics_partitions = options->statistics_partitions,
        .plan = options->plan,
        .reference = options->reference,
        .publish_interval_ms = 100,
        .publish_max_keys_per_s = 1000000,
        .event_bound_ms = 300000,
        .folds = true,
        .plan_id = options->plan_id,
        .random = seeded,
        .random_context = &host->random_state,
        .echo = take_echo,
        .echo_context = host,
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
    snprintf(host->units, sizeof host->units, "%s %s", options->reporter, options->currency);
    host->worker_count = workers;
    host->process = process_new(world, workers + 1);
    host->statuses = memory_new(partitions, sizeof host->statuses[0]);
    host->owner = memory_new(partitions, sizeof host->owner[0]);
    host->last = memory_new(partitions, sizeof host->last[0]);
    host->warm = memory_new(partitions, sizeof host->warm[0]);
    host->releasing = memory_new(partitions, sizeof host->releasing[0]);
    host->committed = memory_new(partitions, sizeof host->committed[0]);
    host->echo_owner = memory_new(partitions, sizeof host->echo_owner[0]);
    host->orders = ring_new(ORDERS, sizeof(struct order));
    for (int32_t i = 0; i < options->partitions; i++) {
        pthread_mutex_init(&host->statuses[i].lock, NULL);
        host->owner[i] = NO_OWNER;
        host->echo_owner[i] = NO_OWNER;
        host->last[i] = NO_OWNER;
        host->warm[i] = NO_OWNER;
    }
    for (int32_t i = 0; i < workers; i++)
        make_worker(host, i);
    make_publisher(host);
    return host;
}

struct host *host_new(struct world *world, const struct host_options *options)
{
    struct host *host = host_join(world, options, 1);
    for (int32_t i = 0; i < options->partitions; i++) {
        host->owner[i] = 0;
        host->echo_owner[i] = 0;
        publisher_watch(host->publisher, i, true);
        bool put = worker_command(host->workers[0], WORKER_ASSIGN, i);
        CHECK(put);
    }
    publisher_lead(host->publisher, true);
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
    ring_free(host->orders);
    memory_free(host->statuses);
    memory_free(host->owner);
    memory_free(host->last);
    memory_free(host->warm);
    memory_free(host->releasing);
    memory_free(host->committed);
    memory_free(host->echo_owner);
    memory_free(host);
}

/* ---- main: what proc/engine.c does with the port's changes of membership ---- */

static void order(struct host *host, struct order order)
{
    bool put = ring_put(host->orders, &order);
    CHECK(put);
}

static void command(struct host *host, int32_t worker, enum worker_order kind, int32_t partition)
{
    bool put = worker_command(host->workers[worker], kind, partition);
    CHECK(put);
}

static int32_t freest_worker(const struct host *host)
{
    int32_t owned[HOST_WORKERS_MOST] = {0};
    for (int32_t i = 0; i < host->options.partitions; i++) {
        if (host->owner[i] != NO_OWNER)
            owned[host->owner[i]]++;
    }
    int32_t best = 0;
    for (int32_t i = 1; i < host->worker_count; i++)
        best = owned[i] < owned[best] ? i : best;
    return best;
}

static void unwatch(struct host *host, int32_t partition)
{
    order(host, (struct order){.partition = partition, .owner = NO_OWNER});
}

/* `warm`: its worker keeps the state and hears the echoes on. */
static void disown(struct host *host, int32_t partition, bool warm)
{
    int32_t worker = host->owner[partition];
    if (worker == NO_OWNER)
        return;
    host->owner[partition] = NO_OWNER;
    host->releasing[partition] = false;
    host->warm[partition] = warm ? worker : NO_OWNER;
    if (!warm)
        unwatch(host, partition);
}

static void take_assigned(struct host *host, int32_t partition)
{
    disown(host, partition, false);
    int32_t worker = host->last[partition] == NO_OWNER ? freest_worker(host) : host->last[partition];
    host->owner[partition] = worker;
    host->last[partition] = worker;
    host->warm[partition] = NO_OWNER;
    order(host, (struct order){.partition = partition, .owner = worker, .on = true});
    command(host, worker, WORKER_ASSIGN, partition);
}

static void take_change(struct host *host, const struct port_membership *change)
{
    const struct port *port = process_port(host->process);
    int32_t partition = change->partition;
    int32_t owner = host->owner[partition];
    if (change->change == PORT_ASSIGNED) {
        take_assigned(host, partition);
    } else if (owner == NO_OWNER) {
        if (change->change == PORT_REVOKED)
            port->release_partition(port->self, partition);
    } else if (change->change == PORT_LOST) {
        command(host, owner, WORKER_LOST, partition);
        disown(host, partition, false);
    } else if (!host->releasing[partition]) {
        host->releasing[partition] = true;
        command(host, owner, WORKER_RELEASE, partition);
    }
}

static bool take_released(struct host *host, int32_t worker)
{
    const struct port *port = process_port(host->process);
    bool did = false;
    struct worker_release release;
    while (worker_released(host->workers[worker], &release)) {
        int32_t partition = release.partition;
        did = true;
        if (host->releasing[partition] && host->owner[partition] == worker) {
            port->commit(port->self, partition, counter_read(&host->statuses[partition].position));
            disown(host, partition, release.is_warm);
            if (!release.is_warm)
                host->last[partition] = NO_OWNER;
            port->release_partition(port->self, partition);
        } else if (host->warm[partition] == worker && !release.is_warm) {
            host->warm[partition] = NO_OWNER; /* somebody else has claimed it since */
            host->last[partition] = NO_OWNER;
            unwatch(host, partition);
        }
    }
    return did;
}

static void commit(struct host *host)
{
    const struct port *port = process_port(host->process);
    int64_t now_ms = port->now_ms(port->self);
    if (now_ms - host->commit_ms < COMMIT_MS)
        return;
    host->commit_ms = now_ms;
    for (int32_t i = 0; i < host->options.partitions; i++) {
        int64_t position = counter_read(&host->statuses[i].position);
        if (host->owner[i] == NO_OWNER || position == 0 || position == host->committed[i])
            continue;
        port->commit(port->self, i, position);
        host->committed[i] = position;
    }
}

bool host_step_main(struct host *host)
{
    const struct port *port = process_port(host->process);
    struct port_membership change;
    bool did = false;
    while (port->membership(port->self, &change)) {
        take_change(host, &change);
        did = true;
    }
    for (int32_t i = 0; i < host->worker_count; i++)
        did = take_released(host, i) || did;
    commit(host);
    return did;
}

void host_lead(struct host *host, bool leads)
{
    order(host, (struct order){.leads = true, .on = leads});
}

/* ---- the other threads ---- */

bool host_step_worker(struct host *host, int32_t worker)
{
    return worker_step(host->workers[worker]);
}

bool host_step_publisher(struct host *host)
{
    struct order order;
    while (ring_take(host->orders, &order)) {
        if (order.leads) {
            publisher_lead(host->publisher, order.on);
            continue;
        }
        host->echo_owner[order.partition] = order.owner;
        publisher_watch(host->publisher, order.partition, order.on);
    }
    return publisher_step(host->publisher);
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
    return host->owner[partition];
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
