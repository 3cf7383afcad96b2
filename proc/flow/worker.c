/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/worker.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/ring.h"

#include <stdalign.h>

enum { COMMANDS = 4096, ECHOES = 8192, ACKS = 256 };

struct command {
    enum worker_order order;
    int32_t partition;
};

struct worker {
    struct worker_options options;
    struct partition_context context;
    struct partition **partitions; /* by number, NULL until it is assigned for the first time */
    bool *announced;               /* a release that main knows of, or did not ask for */
    struct ring *commands;
    struct ring *released;
    struct ring *echoes;
    alignas(64) struct worker_counters counters; /* written by worker, read by any */
};

struct worker *worker_new(const struct worker_options *options)
{
    struct worker *worker = memory_new_aligned(64, sizeof *worker);
    worker->options = *options;
    worker->context = (struct partition_context){
        .port = options->port,
        .lane = options->lane,
        .plan = options->plan,
        .rules = options->rules,
        .reference = options->reference,
        .plan_id = options->plan_id,
        .units = text_of(options->units ? options->units : ""),
        .topic = text_of(options->topic),
        .frame_interval_ms = options->frame_interval_ms,
        .idle_ms = options->idle_ms,
        .snapshot_bytes = options->snapshot_bytes,
        .rejects_days = options->rejects_days ? options->rejects_days : REJECT_LIST_DAYS,
        .rejects_payload = options->rejects_payload,
        .random = options->random,
        .random_context = options->random_context,
        .batch = batch_new(&options->batch),
        .counters = &worker->counters,
    };
    worker->partitions = memory_new((size_t)options->partitions, sizeof worker->partitions[0]);
    worker->announced = memory_new((size_t)options->partitions, sizeof worker->announced[0]);
    worker->commands = ring_new(COMMANDS, sizeof(struct command));
    worker->released = ring_new((size_t)options->partitions * 2, sizeof(int32_t));
    worker->echoes = ring_new(ECHOES, sizeof(struct echo));
    return worker;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    for (int32_t i = 0; i < worker->options.partitions; i++) {
        if (worker->partitions[i])
            partition_fini(worker->partitions[i]);
        memory_free(worker->partitions[i]);
    }
    memory_free(worker->partitions);
    memory_free(worker->announced);
    batch_free(worker->context.batch);
    contribution_fini(&worker->context.fresh);
    contribution_fini(&worker->context.stored);
    buffer_fini(&worker->context.bytes);
    ring_free(worker->commands);
    ring_free(worker->released);
    ring_free(worker->echoes);
    memory_free(worker);
}

bool worker_command(struct worker *worker, enum worker_order order, int32_t partition)
{
    struct command command = {order, partition};
    return ring_put(worker->commands, &command);
}

bool worker_released(struct worker *worker, int32_t *out_partition)
{
    return ring_take(worker->released, out_partition);
}

bool worker_echo(struct worker *worker, const struct echo *echo)
{
    return ring_put(worker->echoes, echo);
}

static struct partition *partition_at(struct worker *worker, int32_t number)
{
    CHECK_SAY(number >= 0 && number < worker->options.partitions, "partition %d", number);
    if (!worker->partitions[number]) {
        worker->partitions[number] = memory_new(1, sizeof(struct partition));
        partition_init(worker->partitions[number], &worker->context, &worker->options.statuses[number], number);
        worker->announced[number] = true;
    }
    return worker->partitions[number];
}

static bool take_commands(struct worker *worker)
{
    struct command command;
    bool did = false;
    while (ring_take(worker->commands, &command)) {
        struct partition *partition = partition_at(worker, command.partition);
        worker->announced[command.partition] = command.order != WORKER_RELEASE;
        if (command.order == WORKER_ASSIGN)
            partition_assign(partition);
        else
            partition_release(partition, command.order == WORKER_LOST);
        did = true;
    }
    return did;
}

static bool take_echoes(struct worker *worker)
{
    struct echo echo;
    bool did = false;
    while (ring_take(worker->echoes, &echo)) {
        if (worker->partitions[echo.partition])
            partition_echo(worker->partitions[echo.partition], &echo);
        did = true;
    }
    return did;
}

/* The lane has one producer: what one partition loses with it, all lose. */
static void producer_lost(struct worker *worker)
{
    worker->options.port->lane_reset(worker->options.port->self, worker->options.lane);
    for (int32_t i = 0; i < worker->options.partitions; i++) {
        if (worker->partitions[i])
            partition_producer_lost(worker->partitions[i]);
    }
}

static bool take_acks(struct worker *worker)
{
    const struct port *port = worker->options.port;
    struct port_ack acks[ACKS];
    size_t count = port->acks(port->self, worker->options.lane, acks, ACKS);
    for (size_t i = 0; i < count; i++) {
        struct partition *partition = worker->partitions[acks[i].token >> 48];
        CHECK(partition);
        if (!partition_ack(partition, &acks[i])) {
            producer_lost(worker);
            break; /* the other acks are of the producer that is gone */
        }
    }
    return count > 0;
}

static bool step_partitions(struct worker *worker)
{
    bool did = false;
    for (int32_t i = 0; i < worker->options.partitions; i++) {
        struct partition *partition = worker->partitions[i];
        if (!partition)
            continue;
        bool lost;
        did = partition_step(partition, &lost) || did;
        if (lost)
            producer_lost(worker);
        if (partition->phase == PARTITION_FREE && !worker->announced[i])
            worker->announced[i] = ring_put(worker->released, &i);
    }
    return did;
}

bool worker_step(struct worker *worker)
{
    bool did = take_commands(worker);
    did = take_echoes(worker) || did;
    did = take_acks(worker) || did;
    return step_partitions(worker) || did;
}

int64_t worker_patience_ms(const struct worker *worker)
{
    const struct port *port = worker->options.port;
    int64_t now_ms = port->now_ms(port->self);
    int64_t patience = 1000;
    for (int32_t i = 0; i < worker->options.partitions; i++) {
        if (!worker->partitions[i])
            continue;
        int64_t own = partition_patience_ms(worker->partitions[i], now_ms);
        patience = own < patience ? own : patience;
    }
    return patience;
}

const struct worker_counters *worker_counters(const struct worker *worker)
{
    return &worker->counters;
}
