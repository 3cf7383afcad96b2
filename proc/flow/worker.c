/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/worker.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/ring.h"

#include <stdalign.h>

enum { COMMANDS = 4096, ECHOES = 8192, ACKS = 256, RELOADS = 16, RESET_FIRST_MS = 100, RESET_MOST_MS = 5000 };

/* What main knows of a partition that is not assigned. */
enum announced {
    TOLD_NOTHING, /* it waits for the release that it asked for */
    TOLD_COLD,    /* or did not ask */
    TOLD_WARM,
};

struct command {
    enum worker_order order;
    int32_t partition;             /* unless WORKER_RELOAD */
    const struct ruleset *ruleset; /* of WORKER_RELOAD */
};

struct worker {
    struct worker_options options;
    struct partition_context context;
    struct partition **partitions; /* by number, NULL until it is assigned for the first time */
    enum announced *announced;     /* of each partition */
    int64_t reset_ms;              /* no partition is stepped before: the producer failed again and again */
    int64_t reset_pause_ms;
    struct ring *commands;
    struct ring *released;
    struct ring *echoes;
    struct ring *reloaded;                       /* serials of rules that all partitions have taken */
    uint64_t reloaded_serial;                    /* the last one in it */
    alignas(64) struct worker_counters counters; /* written by worker, read by any */
    struct counter beats;
};

struct worker *worker_new(const struct worker_options *options)
{
    struct worker *worker = memory_new_aligned(64, sizeof *worker);
    worker->options = *options;
    worker->context = (struct partition_context){
        .port = options->port,
        .lane = options->lane,
        .plan = options->plan,
        .ruleset = options->ruleset,
        .units = text_of(options->units ? options->units : ""),
        .topic = text_of(options->topic),
        .frame_interval_ms = options->frame_interval_ms,
        .idle_ms = options->idle_ms,
        .snapshot_bytes = options->snapshot_bytes,
        .rejects_days = options->rejects_days ? options->rejects_days : REJECT_LIST_DAYS,
        .rejects_payload = options->rejects_payload,
        .horizon_months = options->horizon_months,
        .final_months = options->final_months,
        .ledger_share = options->ledger_share,
        .random = options->random,
        .random_context = options->random_context,
        .batch = batch_new(&options->batch),
        .counters = &worker->counters,
        .stopwatch = {.now_ns = options->stopwatch_ns, .stages = worker->counters.stages},
    };
    worker->partitions = memory_new((size_t)options->partitions, sizeof worker->partitions[0]);
    worker->announced = memory_new((size_t)options->partitions, sizeof worker->announced[0]);
    worker->commands = ring_new(COMMANDS, sizeof(struct command));
    worker->released = ring_new((size_t)options->partitions * 4, sizeof(struct worker_release));
    worker->echoes = ring_new(ECHOES, sizeof(struct echo));
    worker->reloaded = ring_new(RELOADS, sizeof(uint64_t));
    worker->reloaded_serial = options->ruleset->serial;
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
    ring_free(worker->reloaded);
    memory_free(worker);
}

bool worker_command(struct worker *worker, enum worker_order order, int32_t partition)
{
    struct command command = {.order = order, .partition = partition};
    return ring_put(worker->commands, &command);
}

bool worker_reload(struct worker *worker, const struct ruleset *ruleset)
{
    struct command command = {.order = WORKER_RELOAD, .ruleset = ruleset};
    return ring_put(worker->commands, &command);
}

bool worker_reloaded(struct worker *worker, uint64_t *out_serial)
{
    bool any = false;
    while (ring_take(worker->reloaded, out_serial))
        any = true;
    return any;
}

bool worker_released(struct worker *worker, struct worker_release *out)
{
    return ring_take(worker->released, out);
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
        worker->announced[number] = TOLD_COLD;
    }
    return worker->partitions[number];
}

static void take_command(struct worker *worker, const struct command *command)
{
    if (command->order == WORKER_RELOAD) {
        worker->context.ruleset = command->ruleset;
        return;
    }
    struct partition *partition = partition_at(worker, command->partition);
    worker->announced[command->partition] = command->order == WORKER_RELEASE ? TOLD_NOTHING : TOLD_COLD;
    if (command->order == WORKER_ASSIGN)
        partition_assign(partition);
    else
        partition_release(partition, command->order == WORKER_LOST);
}

static bool take_commands(struct worker *worker)
{
    struct command command;
    bool did = false;
    while (ring_take(worker->commands, &command)) {
        take_command(worker, &command);
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
            echo_take(worker->partitions[echo.partition], &echo);
        did = true;
    }
    return did;
}

/* The lane has one producer: what one partition loses with it, all lose. One that fails at once must not be made anew without
 * a pause. */
static void producer_lost(struct worker *worker)
{
    const struct port *port = worker->options.port;
    port->lane_reset(port->self, worker->options.lane);
    int64_t pause_ms = worker->reset_pause_ms * 2;
    worker->reset_pause_ms = pause_ms < RESET_FIRST_MS  ? RESET_FIRST_MS
                             : pause_ms > RESET_MOST_MS ? RESET_MOST_MS
                                                        : pause_ms;
    worker->reset_ms = port->now_ms(port->self) + worker->reset_pause_ms;
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
        worker->reset_pause_ms = 0;
    }
    return count > 0;
}

/* Tells main once what became of a release. */
static void announce(struct worker *worker, const struct partition *partition)
{
    enum announced *told = &worker->announced[partition->number];
    bool is_warm = partition_is_warm(partition);
    if (*told == TOLD_COLD || (*told == TOLD_WARM && is_warm))
        return;
    struct worker_release release = {partition->number, is_warm};
    if (ring_put(worker->released, &release))
        *told = is_warm ? TOLD_WARM : TOLD_COLD;
}

static bool step_partitions(struct worker *worker)
{
    bool did = false;
    if (worker->reset_pause_ms && worker->options.port->now_ms(worker->options.port->self) < worker->reset_ms)
        return false;
    for (int32_t i = 0; i < worker->options.partitions; i++) {
        struct partition *partition = worker->partitions[i];
        if (!partition)
            continue;
        bool lost;
        counter_add(&worker->beats, 1);
        did = partition_step(partition, &lost) || did;
        if (lost)
            producer_lost(worker);
        if (partition->phase == PARTITION_FREE)
            announce(worker, partition);
    }
    return did;
}

/* Tells main when no partition uses older rules than the newest any more. */
static void announce_rules(struct worker *worker)
{
    const struct ruleset *newest = worker->context.ruleset;
    if (worker->reloaded_serial == newest->serial)
        return;
    for (int32_t i = 0; i < worker->options.partitions; i++) {
        if (worker->partitions[i] && worker->partitions[i]->ruleset != newest)
            return;
    }
    batch_judge_by(worker->context.batch, newest->rules);
    if (ring_put(worker->reloaded, &newest->serial))
        worker->reloaded_serial = newest->serial;
}

bool worker_step(struct worker *worker)
{
    counter_add(&worker->beats, 1);
    bool did = take_commands(worker);
    did = take_echoes(worker) || did;
    did = take_acks(worker) || did;
    did = step_partitions(worker) || did;
    announce_rules(worker);
    return did;
}

int64_t worker_patience_ms(const struct worker *worker)
{
    const struct port *port = worker->options.port;
    int64_t now_ms = port->now_ms(port->self);
    int64_t patience = 1000;
    if (worker->reset_pause_ms && now_ms < worker->reset_ms)
        return worker->reset_ms - now_ms;
    for (int32_t i = 0; i < worker->options.partitions; i++) {
        if (!worker->partitions[i])
            continue;
        int64_t own = partition_patience_ms(worker->partitions[i], now_ms);
        patience = own < patience ? own : patience;
    }
    return patience;
}

int64_t worker_beats(const struct worker *worker)
{
    return counter_read(&worker->beats);
}

const struct worker_counters *worker_counters(const struct worker *worker)
{
    return &worker->counters;
}
