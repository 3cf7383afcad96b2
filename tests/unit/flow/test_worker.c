/* SPDX-License-Identifier: Apache-2.0 */
#include "host_fixture.h"

static struct fixture f;

static void setup(void)
{
    fixture_init(&f);
}

static void teardown(void)
{
    fixture_fini(&f);
}

TestSuite(worker, .init = setup, .fini = teardown);

static uint64_t counting(void *context)
{
    uint64_t *n = context;
    return ++*n * 0x9E3779B97F4A7C15ULL;
}

struct bench {
    struct process *process;
    struct partition_status statuses[PARTS];
    struct worker *worker;
    uint64_t random;
};

static void bench_init(struct bench *bench)
{
    wire_init();
    *bench = (struct bench){.process = process_new(f.world, 1)};
    for (int i = 0; i < PARTS; i++)
        pthread_mutex_init(&bench->statuses[i].lock, NULL);
    struct worker_options options = {
        .port = process_port(bench->process),
        .partitions = PARTS,
        .statuses = bench->statuses,
        .plan = &f.plan,
        .rules = f.rules,
        .reference = f.reference,
        .topic = "t",
        .frame_interval_ms = 50,
        .batch = {.envelope = {INPUT_AUTO, 1 << 20}, .partitions = PARTS, .rules = f.rules},
        .random = counting,
        .random_context = &bench->random,
    };
    bench->worker = worker_new(&options);
}

static void bench_fini(struct bench *bench)
{
    worker_free(bench->worker);
    process_kill(bench->process);
}

Test(worker, a_partition_that_is_given_back_unclaimed_is_released)
{
    struct bench bench;
    bench_init(&bench);
    int32_t partition = -1;

    cr_assert(worker_command(bench.worker, WORKER_ASSIGN, 1));
    worker_step(bench.worker);
    cr_assert(!worker_released(bench.worker, &partition));
    cr_assert(worker_command(bench.worker, WORKER_RELEASE, 1));
    worker_step(bench.worker);

    cr_assert(worker_released(bench.worker, &partition));
    cr_assert_eq(partition, 1);
    cr_assert(!worker_released(bench.worker, &partition), "once");
    bench_fini(&bench);
}

Test(worker, a_lost_partition_is_not_announced)
{
    struct bench bench;
    bench_init(&bench);
    int32_t partition;
    worker_command(bench.worker, WORKER_ASSIGN, 0);
    worker_step(bench.worker);
    worker_command(bench.worker, WORKER_LOST, 0);
    worker_step(bench.worker);

    cr_assert(!worker_released(bench.worker, &partition));
    cr_assert_eq(counter_read(&bench.statuses[0].phase), PARTITION_FREE);
    bench_fini(&bench);
}

Test(worker, a_failed_append_resets_the_lane_and_claims_all_its_partitions_again)
{
    struct bench bench;
    bench_init(&bench);
    worker_command(bench.worker, WORKER_ASSIGN, 0);
    worker_command(bench.worker, WORKER_ASSIGN, 1);
    worker_step(bench.worker);
    cr_assert_eq(process_queued(bench.process, 0), 2);

    process_misfortune(bench.process, 0, FATE_LOST);
    worker_step(bench.worker);

    cr_assert_eq(counter_read(&bench.statuses[0].epochs), 2);
    cr_assert_eq(counter_read(&bench.statuses[1].epochs), 2);
    bench_fini(&bench);
}

Test(worker, a_full_producer_queue_is_waited_for)
{
    struct bench bench;
    bench_init(&bench);
    process_refuse(bench.process, 0, ERR_FULL);
    worker_command(bench.worker, WORKER_ASSIGN, 0);
    worker_step(bench.worker);
    worker_step(bench.worker);
    cr_assert_eq(process_queued(bench.process, 0), 0);

    process_refuse(bench.process, 0, OK);
    worker_step(bench.worker);

    cr_assert_eq(process_queued(bench.process, 0), 1);
    cr_assert_eq(counter_read(&bench.statuses[0].epochs), 1, "the same epoch");
    bench_fini(&bench);
}
