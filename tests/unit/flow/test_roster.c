/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/roster.h"
#include "flow/seal.h"
#include "host_fixture.h"
#include "sim/storm.h"

enum { WORKERS = 2, RUN_MS = 2000, COMMANDS_MOST = 5000, ECHOES_MOST = 10000 };

/* A process with two workers and a publisher, whose lanes are delivered by run(). */
static struct {
    struct fixture f;
    struct process *process;
    struct port port; /* of the process, with a wake that counts */
    struct partition_status statuses[PARTS];
    struct worker *workers[WORKERS];
    struct publisher *publisher;
    struct roster *roster;
    uint64_t random;
    int wakes[WORKERS + 1];
    int pauses;
} t;

static uint64_t counting(void *context)
{
    uint64_t *n = context;
    return ++*n * 0x9E3779B97F4A7C15ULL;
}

static void count_wake(void *self, int32_t lane)
{
    (void)self;
    t.wakes[lane]++;
}

/* Whoever waits for room gets it. */
static void step_workers(void *context)
{
    (void)context;
    t.pauses++;
    for (int i = 0; i < WORKERS; i++)
        worker_step(t.workers[i]);
}

static void make_worker(int32_t lane)
{
    struct worker_options options = {
        .port = &t.port,
        .lane = lane,
        .partitions = PARTS,
        .statuses = t.statuses,
        .plan = &t.f.plan,
        .ruleset = &t.f.ruleset,
        .topic = "t",
        .frame_interval_ms = 50,
        .batch = {.envelope = {INPUT_AUTO, 1 << 20}, .partitions = PARTS, .rules = t.f.rules},
        .random = counting,
        .random_context = &t.random,
    };
    t.workers[lane] = worker_new(&options);
}

static void setup(void)
{
    wire_init();
    fixture_init(&t.f);
    t.process = process_new(t.f.world, WORKERS + 1);
    t.port = *process_port(t.process);
    t.port.wake = count_wake;
    for (int i = 0; i < PARTS; i++)
        pthread_mutex_init(&t.statuses[i].lock, NULL);
    for (int32_t i = 0; i < WORKERS; i++)
        make_worker(i);
    t.roster = roster_new(&(struct roster_options){.port = &t.port,
                                                   .workers = t.workers,
                                                   .worker_count = WORKERS,
                                                   .partitions = PARTS,
                                                   .statuses = t.statuses,
                                                   .serial = t.f.ruleset.serial,
                                                   .orders_most = COMMANDS_MOST * 4,
                                                   .pause = step_workers});
    t.publisher = publisher_new(&(struct publisher_options){.port = &t.port,
                                                            .lane = WORKERS,
                                                            .partitions = PARTS,
                                                            .statistics_partitions = STATISTICS_PARTS,
                                                            .plan = &t.f.plan,
                                                            .reference = t.f.reference,
                                                            .publish_interval_ms = 100,
                                                            .publish_max_keys_per_s = 1000000,
                                                            .folds = true,
                                                            .reporter = "CN",
                                                            .currency = "CNY",
                                                            .random = counting,
                                                            .random_context = &t.random,
                                                            .echo = roster_echo,
                                                            .echo_context = t.roster});
}

static void teardown(void)
{
    for (int i = 0; i < WORKERS; i++)
        worker_free(t.workers[i]);
    publisher_free(t.publisher);
    roster_free(t.roster);
    process_kill(t.process);
    fixture_fini(&t.f);
}

TestSuite(roster, .init = setup, .fini = teardown);

static bool tell(enum port_change change, int32_t partition)
{
    return roster_take(t.roster, &(struct port_membership){change, partition});
}

/* All three threads in turn, and what they write lands. */
static void run(int64_t ms)
{
    for (int64_t until = world_now(t.f.world) + ms; world_now(t.f.world) <= until;) {
        bool did = roster_take_released(t.roster);
        roster_take_orders(t.roster, t.publisher);
        did = publisher_step(t.publisher) || did;
        for (int32_t lane = 0; lane <= WORKERS; lane++) {
            did = (lane < WORKERS && worker_step(t.workers[lane])) || did;
            while (process_deliver(t.process, lane))
                did = true;
        }
        if (!did)
            world_set_now(t.f.world, world_now(t.f.world) + 10);
    }
}

static int64_t phase(int32_t partition)
{
    return counter_read(&t.statuses[partition].phase);
}

static int64_t claims(int32_t partition, enum partition_claim claim)
{
    return counter_read(&t.statuses[partition].epochs[claim]);
}

/* Somebody else's OPEN. */
static void claim_elsewhere(int32_t partition)
{
    struct buffer frame = {0};
    const struct frame_nonce nonce = {{99, 99}};
    const struct hash_key key = {{1, 2}};
    seal_open(&frame, &nonce, partition, PARTS, 0, &key, TEXT(""));
    world_put(t.f.world, PORT_JOURNAL, partition, &(struct world_record){.value = buffer_bytes(&frame)});
    buffer_fini(&frame);
}

Test(roster, partitions_go_to_the_worker_with_the_fewest)
{
    cr_assert(tell(PORT_ASSIGNED, 0));
    cr_assert(tell(PORT_ASSIGNED, 1));

    cr_assert_eq(roster_owner(t.roster, 0), 0);
    cr_assert_eq(roster_owner(t.roster, 1), 1);
    cr_assert_eq(roster_count(t.roster), 2);
    run(RUN_MS);
    cr_assert_eq(phase(0), PARTITION_RUNNING, "its worker was told, and hears its echoes");
    cr_assert_eq(phase(1), PARTITION_RUNNING);
    for (int i = 0; i <= WORKERS; i++)
        cr_assert_gt(t.wakes[i], 0);
}

Test(roster, a_revoked_partition_goes_back_when_its_worker_has_let_it_go)
{
    int32_t released;
    tell(PORT_ASSIGNED, 0);
    run(RUN_MS);

    cr_assert(tell(PORT_REVOKED, 0));
    cr_assert_not(tell(PORT_REVOKED, 0), "told again");
    roster_take_released(t.roster);
    cr_assert_not(process_released(t.process, &released));
    cr_assert_eq(roster_owner(t.roster, 0), 0, "still here");
    run(RUN_MS);

    cr_assert(process_released(t.process, &released));
    cr_assert_eq(released, 0);
    cr_assert_eq(roster_owner(t.roster, 0), ROSTER_NOBODY);
    cr_assert_eq(roster_count(t.roster), 0);
}

Test(roster, a_release_commits_the_position)
{
    fixture_fill(&t.f, 10, 1);
    tell(PORT_ASSIGNED, 0);
    run(RUN_MS);
    cr_assert_eq(world_committed(t.f.world, 0), -1);

    tell(PORT_REVOKED, 0);
    run(RUN_MS);

    cr_assert_eq(world_committed(t.f.world, 0), world_next(t.f.world, PORT_DECLARATIONS, 0));
}

Test(roster, a_revoked_partition_that_is_not_here_goes_back_at_once)
{
    int32_t released;

    cr_assert_not(tell(PORT_REVOKED, 1));

    cr_assert(process_released(t.process, &released));
    cr_assert_eq(released, 1);
}

Test(roster, a_lost_partition_is_gone_at_once_and_not_given_back)
{
    int32_t released;
    tell(PORT_ASSIGNED, 0);
    run(RUN_MS);

    cr_assert(tell(PORT_LOST, 0));
    cr_assert_not(tell(PORT_LOST, 0), "told again");
    cr_assert_eq(roster_count(t.roster), 0);
    run(RUN_MS);

    cr_assert_eq(phase(0), PARTITION_FREE);
    cr_assert_not(process_released(t.process, &released));
}

Test(roster, a_partition_goes_back_to_the_worker_that_may_not_be_done_with_it)
{
    tell(PORT_ASSIGNED, 0);
    tell(PORT_ASSIGNED, 1);
    tell(PORT_LOST, 0);
    tell(PORT_LOST, 1);

    tell(PORT_ASSIGNED, 1);

    cr_assert_eq(roster_owner(t.roster, 1), 1,
                 "worker 0 has fewer, but the order to let go may still wait in worker 1");
}

Test(roster, a_partition_assigned_twice_is_counted_once)
{
    tell(PORT_ASSIGNED, 0);
    cr_assert(tell(PORT_ASSIGNED, 0));
    tell(PORT_ASSIGNED, 1);

    cr_assert_eq(roster_count(t.roster), 2);
    cr_assert_eq(roster_owner(t.roster, 0), 0);
    cr_assert_eq(roster_owner(t.roster, 1), 1);
}

Test(roster, a_warm_partition_hears_its_echoes_until_another_process_claims_it)
{
    fixture_fill(&t.f, 10, 1);
    tell(PORT_ASSIGNED, 0);
    run(RUN_MS);
    tell(PORT_REVOKED, 0);
    run(RUN_MS);
    tell(PORT_ASSIGNED, 0);
    run(RUN_MS);
    cr_assert_eq(claims(0, PARTITION_CLAIM_WARM), 1, "its state was kept");
    tell(PORT_REVOKED, 0);
    run(RUN_MS);

    claim_elsewhere(0);
    run(RUN_MS);
    tell(PORT_ASSIGNED, 1);
    cr_assert_eq(roster_owner(t.roster, 1), 0);
    tell(PORT_ASSIGNED, 0);
    run(RUN_MS);

    cr_assert_eq(roster_owner(t.roster, 0), 1, "nobody keeps it any more: it goes to the worker with the fewest");
    cr_assert_eq(claims(0, PARTITION_CLAIM_COLD), 2);
}

Test(roster, positions_are_committed_each_second)
{
    fixture_fill(&t.f, 10, 1);
    tell(PORT_ASSIGNED, 0);
    run(RUN_MS);
    int64_t next = world_next(t.f.world, PORT_DECLARATIONS, 0);

    int64_t began_ms = world_now(t.f.world);
    roster_commit(t.roster, began_ms);
    cr_assert_eq(world_committed(t.f.world, 0), next);
    cr_assert_eq(world_committed(t.f.world, 1), -1, "it is not here");

    world_set_committed(t.f.world, 0, 0);
    fixture_fill(&t.f, 10, 2);
    run(RUN_MS);
    roster_commit(t.roster, began_ms + ROSTER_COMMIT_MS - 1);
    cr_assert_eq(world_committed(t.f.world, 0), 0, "not yet");
    roster_commit(t.roster, began_ms + ROSTER_COMMIT_MS);
    cr_assert_eq(world_committed(t.f.world, 0), world_next(t.f.world, PORT_DECLARATIONS, 0));
}

Test(roster, all_partitions_are_asked_back_at_once)
{
    tell(PORT_ASSIGNED, 0);
    tell(PORT_ASSIGNED, 1);
    run(RUN_MS);
    tell(PORT_REVOKED, 0);

    roster_release_all(t.roster);
    run(RUN_MS);

    cr_assert_eq(roster_count(t.roster), 0);
    cr_assert_eq(phase(0), PARTITION_FREE);
    cr_assert_eq(phase(1), PARTITION_FREE);
}

Test(roster, a_worker_that_takes_no_commands_is_waited_for)
{
    for (int i = 0; i < COMMANDS_MOST; i++) {
        tell(PORT_ASSIGNED, 0);
        tell(PORT_LOST, 0);
    }
    cr_assert_gt(t.pauses, 0);
    run(RUN_MS);
    cr_assert_eq(phase(0), PARTITION_FREE, "every command came, in order");
    cr_assert_eq(claims(0, PARTITION_CLAIM_COLD), COMMANDS_MOST);
}

Test(roster, echoes_of_a_partition_that_is_nobodys_are_dropped)
{
    const struct echo echo = {.partition = 0, .branch = READER_OPEN};

    for (int i = 0; i < ECHOES_MOST; i++)
        cr_assert(roster_echo(t.roster, &echo));
    roster_wake(t.roster);

    cr_assert_eq(t.wakes[0] + t.wakes[1], 0);
}

Test(roster, an_echo_waits_while_its_workers_ring_is_full)
{
    const struct echo echo = {.partition = 0, .branch = READER_OPEN};
    tell(PORT_ASSIGNED, 0);
    roster_take_orders(t.roster, t.publisher);
    int taken = 0;
    while (taken < ECHOES_MOST && roster_echo(t.roster, &echo))
        taken++;
    cr_assert_lt(taken, ECHOES_MOST);
    int before = t.wakes[0];

    roster_wake(t.roster);
    worker_step(t.workers[0]);

    cr_assert_eq(t.wakes[0], before + 1, "once for all echoes");
    cr_assert(roster_echo(t.roster, &echo));
}

Test(roster, rules_are_used_no_more_when_all_workers_and_the_publisher_have_taken_the_next)
{
    struct ruleset second = {plan_make(4711, 2), t.f.rules, t.f.reference, 2};
    cr_assert_eq(roster_reloaded(t.roster), 1);

    roster_reload(t.roster, &second);
    cr_assert_eq(roster_reloaded(t.roster), 1, "nobody has taken it");
    worker_step(t.workers[0]);
    roster_take_orders(t.roster, t.publisher);
    cr_assert_eq(roster_reloaded(t.roster), 1, "a worker has not");
    for (int i = 1; i < WORKERS; i++)
        worker_step(t.workers[i]);

    cr_assert_eq(roster_reloaded(t.roster), 2);
}

Test(roster, the_publisher_hears_of_the_lease)
{
    roster_lead(t.roster, true);
    run(RUN_MS);
    cr_assert(counter_read(&publisher_counters(t.publisher)->is_publishing));

    roster_lead(t.roster, false);
    run(RUN_MS);

    cr_assert_not(counter_read(&publisher_counters(t.publisher)->is_publishing));
}
