/* SPDX-License-Identifier: Apache-2.0
 * stress_engine.c - two processes with all their threads on one world: journals, echoes, snapshots and trims while partitions move.
 *
 * Usage:   stress_engine REFERENCE-DIR [RECORDS]; exit 0 if all held, abort at the first thing that did not
 * Shows:   no data race in what main, workers and publisher share (rings, roster, statuses, counters), and conservation: each input
 *          record has its one verdict in the journal, the published cells are those of the recount, and so is what the next owner restores
 *          from the journals, which were trimmed meanwhile.
 * Thread:  main is the main thread of both processes and the group; each has two workers and a publisher; one tells, one delivers
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "sim/consumer.h"
#include "sim/heir.h"
#include "sim/host.h"
#include "sim/storm.h"
#include "sim/views.h"
#include "sim/witness.h"
#include "stress/shared.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    PROCESSES = 2,
    WORKERS = 2,
    THREADS = WORKERS + 1,
    PARTITIONS = 6,
    STATISTICS_PARTITIONS = 3,
    IDS = 700,
    FINAL_MONTHS = 18,
    RECORDS = 3600,
    PORTION_MOST = 24,
    PORTION_PAUSE_MS = 10,
    LAG_MOST = 200,    /* records told that no owner has accepted: a slow machine has as many slices as a fast one */
    MOVE_EACH_MS = 60, /* of the group: one partition */
    ZOMBIE_MOST_MS = 150,
    FRAME_MS = 2,
    IDLE_MS = 40,
    FAILURES = 20, /* of 10,000 appends of a worker */
    REST_MS = 300, /* nothing lands for so long: it is over */
    PATIENCE_MS = 120000,
    HEIR_S = 60,
};

#define SEED 0x5EED

struct seat {
    int owner; /* a process; while it is revoking, who is asked */
    bool is_revoking;
    bool has_zombie; /* the other process has lost it and is not told before lost_ms */
    int64_t lost_ms;
};

struct stress {
    struct reference *reference;
    struct zone *zone;
    struct rules *rules;
    struct view_plan plans[RECOUNT_PLANS];
    struct host_options options;
    struct world *world;
    struct shared *shared;
    struct story *story;    /* owned by the teller until it is joined */
    struct counter is_told; /* written by the teller */
    struct counter stop;    /* written by main, read by the engines' threads */
    struct host *hosts[PROCESSES];
    struct seat seats[PARTITIONS];
    int64_t moves;
    struct dice dice; /* of main */
};

struct engine_thread {
    struct stress *stress;
    struct host *host;
    int32_t number;
    pthread_t thread;
};

static void pause_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static int64_t steady_ms(void)
{
    return clock_steady_ns() / 1000000;
}

/* ---- threads ---- */

static void *worker_main(void *argument)
{
    struct engine_thread *self = argument;
    while (!counter_read(&self->stress->stop)) {
        if (!host_step_worker(self->host, self->number))
            host_rest(self->host, self->number);
    }
    return NULL;
}

static void *publisher_main(void *argument)
{
    struct engine_thread *self = argument;
    while (!counter_read(&self->stress->stop)) {
        if (!host_step_publisher(self->host))
            host_rest(self->host, self->number);
    }
    return NULL;
}

/* Records that were told and that no owner has accepted yet. */
static int64_t lag(struct stress *stress)
{
    int64_t sum = 0;
    shared_lock(stress->shared);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        int64_t most = 0;
        for (int i = 0; i < PROCESSES; i++) {
            int64_t position = counter_read(&host_status(stress->hosts[i], p)->position);
            most = position > most ? position : most;
        }
        sum += world_next(stress->world, PORT_DECLARATIONS, p) - most;
    }
    shared_unlock(stress->shared);
    return sum;
}

/* Writes the input in portions, with pauses in which slices come to be sealed. */
static void *teller_main(void *argument)
{
    struct stress *stress = argument;
    struct dice dice = {SEED + 1};
    bool is_more = true;
    while (is_more) {
        shared_lock(stress->shared);
        int32_t partition;
        for (int64_t left = dice_between(&dice, 1, PORTION_MOST); left > 0 && is_more; left--)
            is_more = story_tell(stress->story, stress->world, &partition);
        shared_unlock(stress->shared);
        do
            pause_ms(dice_between(&dice, 0, 2 * PORTION_PAUSE_MS));
        while (lag(stress) > LAG_MOST);
    }
    counter_set(&stress->is_told, 1);
    return NULL;
}

/* ---- the group ---- */

/* As proc/engine_group.c: the owner of partition 0 publishes. */
static void tell_change(struct stress *stress, int process, enum port_change change, int32_t partition)
{
    shared_lock(stress->shared);
    process_membership(host_process(stress->hosts[process]), change, partition);
    shared_unlock(stress->shared);
    if (partition == 0)
        host_lead(stress->hosts[process], change == PORT_ASSIGNED);
}

static void give(struct stress *stress, int32_t partition, int process)
{
    stress->seats[partition].owner = process;
    stress->seats[partition].is_revoking = false;
    tell_change(stress, process, PORT_ASSIGNED, partition);
    stress->moves++;
}

/* One of three comes back to the process that let it go, which may have it warm. */
static void take_released(struct stress *stress, int process)
{
    int32_t partition;
    shared_lock(stress->shared);
    bool is_released = process_released(host_process(stress->hosts[process]), &partition);
    shared_unlock(stress->shared);
    if (!is_released)
        return;
    const struct seat *seat = &stress->seats[partition];
    CHECK(seat->owner == process && seat->is_revoking);
    give(stress, partition, dice_luck(&stress->dice, 3300) ? process : 1 - process);
}

/* One of five is lost: its next owner claims it while the old one does not know and still writes. */
static void move_one(struct stress *stress)
{
    int32_t partition = (int32_t)dice_below(&stress->dice, PARTITIONS);
    struct seat *seat = &stress->seats[partition];
    if (seat->is_revoking || seat->has_zombie)
        return;
    if (dice_luck(&stress->dice, 2000)) {
        seat->has_zombie = true;
        seat->lost_ms = steady_ms() + dice_between(&stress->dice, 0, ZOMBIE_MOST_MS);
        give(stress, partition, 1 - seat->owner);
        return;
    }
    seat->is_revoking = true;
    tell_change(stress, seat->owner, PORT_REVOKED, partition);
}

static void tell_zombies(struct stress *stress)
{
    for (int32_t p = 0; p < PARTITIONS; p++) {
        struct seat *seat = &stress->seats[p];
        if (!seat->has_zombie || steady_ms() < seat->lost_ms)
            continue;
        seat->has_zombie = false;
        tell_change(stress, 1 - seat->owner, PORT_LOST, p);
    }
}

static void step_group(struct stress *stress)
{
    for (int i = 0; i < PROCESSES; i++) {
        host_step_main(stress->hosts[i]);
        take_released(stress, i);
    }
    tell_zombies(stress);
    pause_ms(1);
}

/* ---- rest ---- */

static const char *unsettled_partition(const struct stress *stress, int32_t partition)
{
    const struct seat *seat = &stress->seats[partition];
    const struct partition_status *status = host_status(stress->hosts[seat->owner], partition);
    if (seat->is_revoking || seat->has_zombie)
        return "is not let go";
    if (counter_read(&status->phase) != PARTITION_RUNNING)
        return partition_phase_name((enum partition_phase)counter_read(&status->phase));
    if (counter_read(&status->unechoed_groups))
        return "waits for echoes";
    if (counter_read(&status->position) != world_next(stress->world, PORT_DECLARATIONS, partition))
        return "has input left";
    for (int i = 0; i < PROCESSES; i++) {
        int64_t position;
        struct err_info halt;
        publisher_health(host_publisher(stress->hosts[i]), partition, &position, &halt);
        if (position != world_next(stress->world, PORT_JOURNAL, partition))
            return "has a journal that is not folded to its end";
    }
    return NULL;
}

/* NULL if all that was told is counted, echoed and published. Inside shared_lock. */
static const char *unsettled(const struct stress *stress, int32_t *out_partition)
{
    const struct publisher_counters *published = host_published(stress->hosts[stress->seats[0].owner]);
    const char *why = NULL;
    for (*out_partition = 0; *out_partition < PARTITIONS; ++*out_partition) {
        why = unsettled_partition(stress, *out_partition);
        if (why)
            return why;
    }
    *out_partition = -1;
    if (shared_queued(stress->shared))
        return "appends are under way";
    if (!counter_read(&published->is_publishing) || counter_read(&published->dirty))
        return "the publisher has not published all";
    return NULL;
}

static void come_to_rest(struct stress *stress)
{
    int64_t until_ms = steady_ms() + PATIENCE_MS;
    int64_t since_ms = steady_ms();
    uint64_t trace = 0;
    while (steady_ms() - since_ms < REST_MS) {
        step_group(stress);
        shared_lock(stress->shared);
        int32_t partition;
        const char *why = unsettled(stress, &partition);
        if (why || world_trace(stress->world) != trace)
            since_ms = steady_ms();
        trace = world_trace(stress->world);
        shared_unlock(stress->shared);
        CHECK_SAY(steady_ms() < until_ms, "it does not come to rest: partition %d: %s", partition,
                  why ? why : "something is written again and again");
    }
}

/* ---- conservation ---- */

static void demand(bool agrees, const struct buffer *why)
{
    CHECK_SAY(agrees, "%.*s", (int)why->length, (const char *)why->data);
}

static int64_t declarations_of(const struct stress *stress, int32_t partition)
{
    int64_t count = 0;
    for (int64_t offset = 0; offset < world_next(stress->world, PORT_DECLARATIONS, partition); offset++)
        count += story_at(stress->story, partition, offset)->count;
    return count;
}

/* Each frame that counts agrees with the recount below it; verdicts add up to what was told. */
static void check_journal(const struct stress *stress, struct recount *recount, int32_t partition)
{
    struct buffer why = {0};
    int64_t next = world_next(stress->world, PORT_DECLARATIONS, partition);
    int64_t first = world_first(stress->world, PORT_JOURNAL, partition);
    struct witness *witness = witness_new(stress->world, stress->story, stress->plans, PARTITIONS, partition, 0, false);
    demand(witness_read(witness, &why), &why);
    CHECK_SAY(witness_hi(witness) == next, "journal %d accepted %" PRId64 " of %" PRId64, partition,
              witness_hi(witness), next);
    CHECK_SAY(witness_slices(witness) > 2 * SLICES, "partition %d has %" PRIu64 " slices", partition,
              witness_slices(witness));
    CHECK_SAY(first > 0, "journal %d was not trimmed", partition);
    witness_recount(witness, recount);
    const struct recount_partition *counted = recount_partition(recount, partition);
    int64_t verdicts = 0;
    for (int i = 0; i < RECOUNT_VERDICTS; i++)
        verdicts += counted->verdicts[i];
    int64_t told = declarations_of(stress, partition);
    CHECK_SAY(verdicts == told, "%" PRId64 " verdicts on %" PRId64 " declarations of partition %d", verdicts, told,
              partition);
    demand(heir_agrees(stress->world, recount, &stress->plans[RECOUNT_DEFAULT], RECOUNT_PLAN_ID, partition, &why),
           &why);
    printf("stress_engine: partition %d: %" PRId64 " declarations, %" PRIu64 " slices, %" PRId64
           " OPENs, journal [%" PRId64 ", %" PRId64 ")\n",
           partition, told, witness_slices(witness), witness_opens(witness), first,
           world_next(stress->world, PORT_JOURNAL, partition));
    witness_free(witness);
}

/* Journals and published cells against the recount of all input. Gives the recount. */
static struct recount *check_all(const struct stress *stress)
{
    struct buffer why = {0};
    struct recount *recount = recount_new(stress->story, PARTITIONS, 0);
    for (int32_t i = 0; i < PARTITIONS; i++)
        check_journal(stress, recount, i);
    struct consumer *consumer = consumer_new(stress->world, STATISTICS_PARTITIONS,
                                             (struct consumer_months){STORY_PROVISIONAL_DAYS, FINAL_MONTHS});
    consumer_read(consumer, INT64_MAX);
    bool is_day; /* the newest one has windows with items: input was just counted */
    struct recount_now now = {consumer_today(consumer, &is_day), consumer_hour(consumer)};
    struct cells *cells = recount_cells(recount, RECOUNT_DEFAULT, now);
    demand(consumer_agrees(consumer, cells, (struct consumer_watermark){INT64_MIN, INT64_MAX}, &why), &why);
    printf("stress_engine: %zu cells as in the recount\n", cells_count(cells, INT64_MIN));
    consumer_free(consumer);
    cells_free(cells);
    return recount;
}

/* Counters of the processes: what moved did so warm and cold, and no verdict was counted twice. */
static void check_counters(const struct stress *stress)
{
    int64_t claims[PARTITION_CLAIMS] = {0};
    int64_t verdicts = 0;
    int64_t told = 0;
    for (int i = 0; i < PROCESSES; i++) {
        for (int32_t p = 0; p < PARTITIONS; p++) {
            for (int c = 0; c < PARTITION_CLAIMS; c++)
                claims[c] += counter_read(&host_status(stress->hosts[i], p)->epochs[c]);
        }
        for (int32_t w = 0; w < WORKERS; w++) {
            for (int v = 0; v < VERDICTS; v++)
                verdicts += counter_read(&host_worker_counters(stress->hosts[i], w)->verdicts[v]);
        }
    }
    for (int32_t p = 0; p < PARTITIONS; p++)
        told += declarations_of(stress, p);
    printf("stress_engine: %" PRId64 " moves, claims %" PRId64 " cold, %" PRId64 " warm, %" PRId64 " producer, %" PRId64
           " dropped, %" PRId64 " failures; %" PRId64 " of %" PRId64 " verdicts seen by who wrote them\n",
           stress->moves, claims[PARTITION_CLAIM_COLD], claims[PARTITION_CLAIM_WARM], claims[PARTITION_CLAIM_PRODUCER],
           claims[PARTITION_CLAIM_DROPPED], shared_failures(stress->shared), verdicts, told);
    CHECK(claims[PARTITION_CLAIM_COLD] > PARTITIONS && claims[PARTITION_CLAIM_WARM] > 0);
    CHECK(claims[PARTITION_CLAIM_PRODUCER] > 0 && shared_failures(stress->shared) > 0);
    CHECK(verdicts > 0 && verdicts <= told);
}

/* A process that starts now restores all from the trimmed journals, counts nothing again and publishes the same. */
static void check_restart(struct stress *stress, const struct recount *recount)
{
    struct host_options options = stress->options;
    options.over = NULL;
    struct host *host = host_new(stress->world, &options);
    CHECK_SAY(host_settle(host, HEIR_S), "who starts then does not come to rest");
    for (int v = 0; v < VERDICTS; v++)
        CHECK(counter_read(&host_counters(host)->verdicts[v]) == 0);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        const struct partition_status *status = host_status(host, p);
        CHECK(counter_read(&status->phase) == PARTITION_RUNNING);
        CHECK(counter_read(&status->position) == world_next(stress->world, PORT_DECLARATIONS, p));
        CHECK(counter_read(&status->ledger_entries) == recount_partition(recount, p)->standing);
        CHECK(counter_read(&status->event_ms) == recount_partition(recount, p)->event_ms);
    }
    host_kill(host);
}

/* ---- run ---- */

static void begin(struct stress *stress, const char *reference_dir, uint32_t records)
{
    struct err_info info;
    CHECK_SAY(zone_new("Asia/Shanghai", &stress->zone, &info) == OK, "%s", info.text);
    struct rules_options rules = rules_default_options(stress->zone);
    rules.future_bound_ms = INT64_MAX; /* the clocks of the story run ahead */
    CHECK_SAY(reference_load(reference_dir, NULL, &stress->reference, &info) == OK, "%s", info.text);
    CHECK_SAY(rules_new(&rules, stress->reference, &stress->rules, &info) == OK, "%s", info.text);
    for (int i = 0; i < RECOUNT_PLANS; i++) {
        view_plan_default(&stress->plans[i]);
        CHECK_SAY(views_publish(RECOUNT_DEFAULT, stress->reference, &stress->plans[i], &info) == OK, "%s", info.text);
    }
    stress->dice = (struct dice){SEED};
    struct dice plot = {SEED + 2};
    stress->story = story_new(&plot, PARTITIONS, IDS, records, 0);
    stress->world = world_new(PARTITIONS, STATISTICS_PARTITIONS);
    stress->shared = shared_new(stress->world, STORY_NOW_MS, SEED + 3, FAILURES);
    stress->options = (struct host_options){
        .rules = stress->rules,
        .reference = stress->reference,
        .plan = &stress->plans[RECOUNT_DEFAULT],
        .plan_id = RECOUNT_PLAN_ID,
        .frame_interval_ms = FRAME_MS,
        .idle_ms = IDLE_MS,
        .snapshot_bytes = 1,
        .key_check = BATCH_KEY_ID,
        .partitions = PARTITIONS,
        .statistics_partitions = STATISTICS_PARTITIONS,
        .reporter = "CN",
        .currency = "CNY",
        .zone = stress->zone,
        .provisional_days = STORY_PROVISIONAL_DAYS,
        .final_months = FINAL_MONTHS,
        .over = shared_over,
        .over_context = stress->shared,
    };
    for (int i = 0; i < PROCESSES; i++) {
        stress->options.seed = SEED + 10 + (uint64_t)i;
        stress->hosts[i] = host_join(stress->world, &stress->options, WORKERS);
    }
}

static void start(struct stress *stress, struct engine_thread threads[static PROCESSES * THREADS])
{
    for (int i = 0; i < PROCESSES * THREADS; i++) {
        struct engine_thread *thread = &threads[i];
        *thread = (struct engine_thread){.stress = stress, .host = stress->hosts[i / THREADS], .number = i % THREADS};
        void *(*body)(void *) = thread->number < WORKERS ? worker_main : publisher_main;
        CHECK(pthread_create(&thread->thread, NULL, body, thread) == 0);
    }
}

/* Its thread is gone: what it had begun comes to its end. */
static void finish_publishing(const struct stress *stress)
{
    struct host *host = stress->hosts[stress->seats[0].owner];
    for (int64_t until_ms = steady_ms() + PATIENCE_MS; !publisher_is_quiet(host_publisher(host)); pause_ms(1)) {
        host_step_publisher(host);
        CHECK_SAY(steady_ms() < until_ms, "the publisher does not come to rest");
    }
}

static void run(struct stress *stress)
{
    struct engine_thread threads[PROCESSES * THREADS];
    pthread_t teller;
    shared_start(stress->shared);
    start(stress, threads);
    for (int32_t i = 0; i < PARTITIONS; i++)
        give(stress, i, i % PROCESSES);
    CHECK(pthread_create(&teller, NULL, teller_main, stress) == 0);
    int64_t moved_ms = steady_ms();
    while (!counter_read(&stress->is_told)) {
        step_group(stress);
        if (steady_ms() - moved_ms < MOVE_EACH_MS)
            continue;
        moved_ms = steady_ms();
        move_one(stress);
    }
    pthread_join(teller, NULL);
    come_to_rest(stress);
    counter_set(&stress->stop, 1);
    shared_lock(stress->shared);
    shared_unlock(stress->shared); /* wakes them */
    for (int i = 0; i < PROCESSES * THREADS; i++)
        pthread_join(threads[i].thread, NULL);
    finish_publishing(stress);
    shared_stop(stress->shared);
}

int main(int argc, char **argv)
{
    CHECK_SAY(argc > 1, "usage: stress_engine REFERENCE-DIR [RECORDS]");
    struct stress *stress = memory_new(1, sizeof *stress);
    int64_t began_ms = steady_ms();
    begin(stress, argv[1], argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : RECORDS);
    run(stress);
    printf("stress_engine: at rest after %" PRId64 " ms\n", steady_ms() - began_ms);
    check_counters(stress);
    for (int i = 0; i < PROCESSES; i++)
        host_kill(stress->hosts[i]);
    struct recount *recount = check_all(stress);
    check_restart(stress, recount);
    recount_free(recount);
    recount_free(check_all(stress));
    printf("stress_engine: all held after %" PRId64 " ms\n", steady_ms() - began_ms);
    story_free(stress->story);
    world_free(stress->world);
    shared_free(stress->shared);
    rules_free(stress->rules);
    zone_free(stress->zone);
    reference_free(stress->reference);
    memory_free(stress);
    return 0;
}
