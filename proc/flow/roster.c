/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/roster.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/ring.h"

#include <stdalign.h>

enum { RELOADS = 16 };

/* main -> publisher */
struct order {
    enum { ORDER_WATCH, ORDER_LEAD, ORDER_BACKLOG, ORDER_RELOAD } kind;
    int32_t partition;
    int32_t worker; /* who hears the echoes, ROSTER_NOBODY */
    bool on;
    const struct ruleset *ruleset; /* of ORDER_RELOAD */
};

struct place {
    int32_t last;  /* worker that may still hold it: what it is told must come in order. ROSTER_NOBODY: none */
    int32_t warm;  /* worker that keeps the state of a partition which is not here now, ROSTER_NOBODY */
    bool is_going; /* its worker was asked to let go */
    int64_t committed;
};

struct roster {
    /* const after roster_new */
    struct roster_options options;
    struct worker **workers;
    struct ring *orders;
    struct ring *reloaded; /* publisher -> main: serials of rules that it has taken */

    /* owned by main */
    struct place *places;
    int32_t *held; /* partitions of each worker */
    int64_t commit_ms;
    uint64_t *serials; /* of the rules that each worker, and after them the publisher, has taken */

    /* shared: written by main, read by any */
    struct counter *owner; /* of each partition */
    struct counter count;

    /* owned by publisher */
    alignas(64) int32_t *hearer; /* of each partition */
    bool *wakes;                 /* by worker */
    uint64_t untold;             /* serial of rules that main does not know of yet, 0 if there are none */
};

struct roster *roster_new(const struct roster_options *options)
{
    struct roster *roster = memory_new_aligned(64, sizeof *roster);
    size_t partitions = (size_t)options->partitions;
    size_t workers = (size_t)options->worker_count;
    roster->options = *options;
    roster->workers = memory_new(workers, sizeof(struct worker *));
    roster->orders = ring_new(options->orders_most, sizeof(struct order));
    roster->places = memory_new(partitions, sizeof roster->places[0]);
    roster->reloaded = ring_new(RELOADS, sizeof(uint64_t));
    roster->serials = memory_new(workers + 1, sizeof roster->serials[0]);
    for (size_t i = 0; i <= workers; i++)
        roster->serials[i] = options->serial;
    roster->held = memory_new(workers, sizeof roster->held[0]);
    roster->owner = memory_new(partitions, sizeof roster->owner[0]);
    roster->hearer = memory_new(partitions, sizeof roster->hearer[0]);
    roster->wakes = memory_new(workers, sizeof roster->wakes[0]);
    for (size_t i = 0; i < workers; i++)
        roster->workers[i] = options->workers[i];
    for (size_t i = 0; i < partitions; i++) {
        roster->places[i] = (struct place){.last = ROSTER_NOBODY, .warm = ROSTER_NOBODY};
        roster->hearer[i] = ROSTER_NOBODY;
        counter_set(&roster->owner[i], ROSTER_NOBODY);
    }
    return roster;
}

void roster_free(struct roster *roster)
{
    if (!roster)
        return;
    ring_free(roster->orders);
    ring_free(roster->reloaded);
    memory_free(roster->serials);
    memory_free(roster->workers);
    memory_free(roster->places);
    memory_free(roster->held);
    memory_free(roster->owner);
    memory_free(roster->hearer);
    memory_free(roster->wakes);
    memory_free(roster);
}

int32_t roster_owner(const struct roster *roster, int32_t partition)
{
    return (int32_t)counter_read(&roster->owner[partition]);
}

int32_t roster_count(const struct roster *roster)
{
    return (int32_t)counter_read(&roster->count);
}

/* ---- main ---- */

static void order(struct roster *roster, struct order order)
{
    bool put = ring_put(roster->orders, &order);
    CHECK_SAY(put, "the publisher has not taken %zu orders", roster->options.orders_most);
    roster->options.port->wake(roster->options.port->self, roster->options.worker_count);
}

static void watch(struct roster *roster, int32_t partition, int32_t worker)
{
    order(roster,
          (struct order){.kind = ORDER_WATCH, .partition = partition, .worker = worker, .on = worker != ROSTER_NOBODY});
}

void roster_lead(struct roster *roster, bool on)
{
    order(roster, (struct order){.kind = ORDER_LEAD, .on = on});
}

void roster_backlog(struct roster *roster, bool on)
{
    order(roster, (struct order){.kind = ORDER_BACKLOG, .on = on});
}

void roster_reload(struct roster *roster, const struct ruleset *ruleset)
{
    const struct roster_options *options = &roster->options;
    for (int32_t i = 0; i < options->worker_count; i++) {
        while (!worker_reload(roster->workers[i], ruleset))
            options->pause(options->context);
        options->port->wake(options->port->self, i);
    }
    order(roster, (struct order){.kind = ORDER_RELOAD, .ruleset = ruleset});
}

uint64_t roster_reloaded(struct roster *roster)
{
    int32_t workers = roster->options.worker_count;
    for (int32_t i = 0; i < workers; i++)
        worker_reloaded(roster->workers[i], &roster->serials[i]);
    while (ring_take(roster->reloaded, &roster->serials[workers]))
        ;
    uint64_t least = roster->serials[workers];
    for (int32_t i = 0; i < workers; i++)
        least = roster->serials[i] < least ? roster->serials[i] : least;
    return least;
}

static void command(struct roster *roster, int32_t worker, enum worker_order kind, int32_t partition)
{
    const struct roster_options *options = &roster->options;
    while (!worker_command(roster->workers[worker], kind, partition))
        options->pause(options->context); /* the worker takes its commands in each step */
    options->port->wake(options->port->self, worker);
}

static int32_t freest_worker(const struct roster *roster)
{
    int32_t best = 0;
    for (int32_t i = 1; i < roster->options.worker_count; i++)
        best = roster->held[i] < roster->held[best] ? i : best;
    return best;
}

/* `warm`: its worker keeps the state and hears the echoes on. */
static void disown(struct roster *roster, int32_t partition, bool warm)
{
    struct place *place = &roster->places[partition];
    int32_t worker = roster_owner(roster, partition);
    if (worker == ROSTER_NOBODY)
        return;
    roster->held[worker]--;
    place->is_going = false;
    place->warm = warm ? worker : ROSTER_NOBODY;
    counter_set(&roster->owner[partition], ROSTER_NOBODY);
    counter_add(&roster->count, -1);
    if (!warm)
        watch(roster, partition, ROSTER_NOBODY);
}

static void take_assigned(struct roster *roster, int32_t partition)
{
    disown(roster, partition, false);
    struct place *place = &roster->places[partition];
    int32_t worker = place->last == ROSTER_NOBODY ? freest_worker(roster) : place->last;
    place->warm = ROSTER_NOBODY;
    place->last = worker;
    roster->held[worker]++;
    counter_set(&roster->owner[partition], worker);
    counter_add(&roster->count, 1);
    watch(roster, partition, worker);
    command(roster, worker, WORKER_ASSIGN, partition);
}

static bool release(struct roster *roster, int32_t partition)
{
    struct place *place = &roster->places[partition];
    int32_t worker = roster_owner(roster, partition);
    if (worker == ROSTER_NOBODY || place->is_going)
        return false;
    place->is_going = true;
    command(roster, worker, WORKER_RELEASE, partition);
    return true;
}

bool roster_take(struct roster *roster, const struct port_membership *change)
{
    const struct port *port = roster->options.port;
    int32_t partition = change->partition;
    int32_t worker = roster_owner(roster, partition);
    if (change->change == PORT_ASSIGNED) {
        CHECK_SAY(roster->options.worker_count > 0, "partition %d in a process without workers", (int)partition);
        take_assigned(roster, partition);
        return true;
    }
    if (worker == ROSTER_NOBODY) {
        if (change->change == PORT_REVOKED)
            port->release_partition(port->self, partition);
        return false;
    }
    if (change->change == PORT_REVOKED)
        return release(roster, partition);
    command(roster, worker, WORKER_LOST, partition);
    disown(roster, partition, false);
    return true;
}

static void take_release(struct roster *roster, int32_t worker, const struct worker_release *release)
{
    const struct port *port = roster->options.port;
    int32_t partition = release->partition;
    struct place *place = &roster->places[partition];
    if (place->is_going && roster_owner(roster, partition) == worker) {
        port->commit(port->self, partition, counter_read(&roster->options.statuses[partition].position));
        disown(roster, partition, release->is_warm);
        if (!release->is_warm)
            place->last = ROSTER_NOBODY;
        port->release_partition(port->self, partition);
    } else if (place->warm == worker && !release->is_warm) {
        place->warm = ROSTER_NOBODY; /* somebody else has claimed it since */
        place->last = ROSTER_NOBODY;
        watch(roster, partition, ROSTER_NOBODY);
    }
}

bool roster_take_released(struct roster *roster)
{
    bool did = false;
    for (int32_t i = 0; i < roster->options.worker_count; i++) {
        struct worker_release release;
        while (worker_released(roster->workers[i], &release)) {
            take_release(roster, i, &release);
            did = true;
        }
    }
    return did;
}

void roster_release_all(struct roster *roster)
{
    for (int32_t i = 0; i < roster->options.partitions; i++)
        release(roster, i);
}

void roster_commit(struct roster *roster, int64_t now_ms)
{
    const struct port *port = roster->options.port;
    if (now_ms - roster->commit_ms < ROSTER_COMMIT_MS)
        return;
    roster->commit_ms = now_ms;
    for (int32_t i = 0; i < roster->options.partitions; i++) {
        int64_t position = counter_read(&roster->options.statuses[i].position);
        if (roster_owner(roster, i) == ROSTER_NOBODY || position == 0 || position == roster->places[i].committed)
            continue;
        port->commit(port->self, i, position);
        roster->places[i].committed = position;
    }
}

/* ---- publisher ---- */

void roster_take_orders(struct roster *roster, struct publisher *publisher)
{
    struct order order;
    while (ring_take(roster->orders, &order)) {
        if (order.kind == ORDER_LEAD) {
            publisher_lead(publisher, order.on);
        } else if (order.kind == ORDER_BACKLOG) {
            publisher_backlog(publisher, order.on);
        } else if (order.kind == ORDER_RELOAD) {
            publisher_reload(publisher, order.ruleset->reference);
            roster->untold = order.ruleset->serial;
        } else {
            roster->hearer[order.partition] = order.worker;
            publisher_watch(publisher, order.partition, order.on);
        }
    }
    if (roster->untold && ring_put(roster->reloaded, &roster->untold))
        roster->untold = 0;
}

bool roster_echo(void *self, const struct echo *echo)
{
    struct roster *roster = self;
    int32_t worker = roster->hearer[echo->partition];
    if (worker == ROSTER_NOBODY)
        return true;
    if (!worker_echo(roster->workers[worker], echo))
        return false;
    roster->wakes[worker] = true;
    return true;
}

void roster_wake(struct roster *roster)
{
    for (int32_t i = 0; i < roster->options.worker_count; i++) {
        if (roster->wakes[i])
            roster->options.port->wake(roster->options.port->self, i);
        roster->wakes[i] = false;
    }
}
