/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/journals.h"
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
        .ruleset = &f.ruleset,
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
    struct worker_release released;

    cr_assert(worker_command(bench.worker, WORKER_ASSIGN, 1));
    worker_step(bench.worker);
    cr_assert(!worker_released(bench.worker, &released));
    cr_assert(worker_command(bench.worker, WORKER_RELEASE, 1));
    worker_step(bench.worker);

    cr_assert(worker_released(bench.worker, &released));
    cr_assert_eq(released.partition, 1);
    cr_assert_not(released.is_warm);
    cr_assert(!worker_released(bench.worker, &released), "once");
    bench_fini(&bench);
}

Test(worker, rules_are_in_use_until_every_partition_has_taken_the_next)
{
    struct bench bench;
    bench_init(&bench);
    struct ruleset second = {plan_make(4711, 2), f.rules, f.reference, 2};
    struct ruleset third = {plan_make(4711, 3), f.rules, f.reference, 3};
    uint64_t serial = 0;
    cr_assert(worker_command(bench.worker, WORKER_ASSIGN, 0));
    worker_step(bench.worker);
    cr_assert(!worker_reloaded(bench.worker, &serial), "nothing has changed");

    cr_assert(worker_reload(bench.worker, &second));
    cr_assert(!worker_reloaded(bench.worker, &serial), "it has not been told");
    worker_step(bench.worker);
    cr_assert(worker_reloaded(bench.worker, &serial));
    cr_assert_eq(serial, 2);
    cr_assert(!worker_reloaded(bench.worker, &serial), "said once");

    cr_assert(worker_reload(bench.worker, &second));
    cr_assert(worker_reload(bench.worker, &third));
    worker_step(bench.worker);
    cr_assert(worker_reloaded(bench.worker, &serial));
    cr_assert_eq(serial, 3, "the newest counts");
    bench_fini(&bench);
}

Test(worker, a_lost_partition_is_not_announced)
{
    struct bench bench;
    bench_init(&bench);
    struct worker_release released;
    worker_command(bench.worker, WORKER_ASSIGN, 0);
    worker_step(bench.worker);
    worker_command(bench.worker, WORKER_LOST, 0);
    worker_step(bench.worker);

    cr_assert(!worker_released(bench.worker, &released));
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

    for (int i = 0; i < 2; i++) {
        cr_assert_eq(counter_read(&bench.statuses[i].epochs[PARTITION_CLAIM_COLD]), 1);
        cr_assert_eq(counter_read(&bench.statuses[i].epochs[PARTITION_CLAIM_PRODUCER]), 1);
    }
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
    cr_assert_eq(counter_read(&bench.statuses[0].epochs[PARTITION_CLAIM_COLD]), 1, "the same epoch");
    bench_fini(&bench);
}

/* ---- a worker with the echo of its journals: one process without a publisher ---- */

struct rig {
    struct bench bench;
    struct journals *journals;
};

static bool rig_echo(void *context, const struct echo *echo)
{
    struct rig *rig = context;
    return worker_echo(rig->bench.worker, echo);
}

static void rig_init(struct rig *rig, uint64_t seed)
{
    bench_init(&rig->bench);
    rig->bench.random = seed;
    rig->journals = journals_new(&(struct journals_options){
        .port = process_port(rig->bench.process), .partitions = PARTS, .echo = rig_echo, .echo_context = rig});
    for (int i = 0; i < PARTS; i++)
        journals_watch(rig->journals, i, true);
}

static void rig_fini(struct rig *rig)
{
    journals_free(rig->journals);
    bench_fini(&rig->bench);
}

/* Steps, delivers and reads back for so many ms; `reads`: echoes come. */
static void rig_run(struct rig *rig, int64_t ms, bool delivers, bool reads)
{
    for (int64_t until = world_now(f.world) + ms; world_now(f.world) <= until;) {
        bool did = worker_step(rig->bench.worker);
        while (delivers && process_deliver(rig->bench.process, 0))
            did = true;
        did = (reads && journals_step(rig->journals, world_now(f.world))) || did;
        if (!did)
            world_set_now(f.world, world_now(f.world) + 10);
    }
}

static void rig_order(struct rig *rig, enum worker_order order)
{
    cr_assert(worker_command(rig->bench.worker, order, 0));
}

static int64_t claims(struct rig *rig, enum partition_claim claim)
{
    return counter_read(&rig->bench.statuses[0].epochs[claim]);
}

static int64_t phase(struct rig *rig)
{
    return counter_read(&rig->bench.statuses[0].phase);
}

static int64_t verdict(struct rig *rig, enum verdict verdict)
{
    return counter_read(&worker_counters(rig->bench.worker)->verdicts[verdict]);
}

static void put_ids(int from, int to)
{
    for (int i = from; i < to; i++) {
        struct sample sample;
        char id[32];
        snprintf(id, sizeof id, "WARM%05d", i);
        sample_init(&sample, id);
        fixture_put(&f, 0, &sample);
    }
}

/* Assigned, 20 declarations counted, let go. */
static struct worker_release let_go(struct rig *rig)
{
    struct worker_release release = {-1, false};
    put_ids(0, 20);
    rig_order(rig, WORKER_ASSIGN);
    rig_run(rig, 500, true, true);
    cr_assert_eq(verdict(rig, VERDICT_COUNTED), 20);
    rig_order(rig, WORKER_RELEASE);
    rig_run(rig, 500, true, true);
    cr_assert(worker_released(rig->bench.worker, &release));
    cr_assert_eq(phase(rig), PARTITION_FREE);
    return release;
}

Test(worker, what_was_let_go_clean_is_taken_back_warm)
{
    struct rig rig;
    rig_init(&rig, 1);
    cr_assert(let_go(&rig).is_warm);

    put_ids(10, 30);
    rig_order(&rig, WORKER_ASSIGN);
    rig_run(&rig, 500, true, true);

    cr_assert_eq(phase(&rig), PARTITION_RUNNING);
    cr_assert_eq(claims(&rig, PARTITION_CLAIM_WARM), 1);
    cr_assert_eq(claims(&rig, PARTITION_CLAIM_COLD), 1, "the first one only");
    cr_assert_eq(verdict(&rig, VERDICT_COUNTED), 30);
    cr_assert_eq(verdict(&rig, VERDICT_DUPLICATE), 10, "the ledger was kept");
    rig_fini(&rig);
}

Test(worker, a_warm_state_is_dropped_when_another_process_claims_and_main_is_told)
{
    struct rig rig;
    struct rig other;
    struct worker_release release;
    rig_init(&rig, 1);
    rig_init(&other, 1000);
    cr_assert(let_go(&rig).is_warm);
    cr_assert_not(worker_released(rig.bench.worker, &release), "nothing new");

    rig_order(&other, WORKER_ASSIGN);
    rig_run(&other, 500, true, true);
    rig_run(&rig, 100, true, true);

    cr_assert(worker_released(rig.bench.worker, &release));
    cr_assert_not(release.is_warm);
    cr_assert_eq(counter_read(&rig.bench.statuses[0].fenced), 0, "it was not ours");
    rig_fini(&other);
    rig_fini(&rig);
}

Test(worker, a_claim_that_comes_between_release_and_warm_claim_makes_it_restore)
{
    struct rig rig;
    struct rig other;
    rig_init(&rig, 1);
    rig_init(&other, 1000);
    cr_assert(let_go(&rig).is_warm);

    put_ids(20, 40);
    rig_order(&other, WORKER_ASSIGN);
    rig_run(&other, 500, true, true); /* counts 20 more, and the first process has heard nothing of it */
    cr_assert_eq(verdict(&other, VERDICT_COUNTED), 20);
    put_ids(0, 50);
    rig_order(&rig, WORKER_ASSIGN);
    rig_run(&rig, 1000, true, true);

    cr_assert_eq(phase(&rig), PARTITION_RUNNING);
    cr_assert_eq(claims(&rig, PARTITION_CLAIM_WARM), 1);
    cr_assert_eq(claims(&rig, PARTITION_CLAIM_DROPPED), 1);
    cr_assert_eq(verdict(&rig, VERDICT_COUNTED), 20 + 10);
    cr_assert_eq(verdict(&rig, VERDICT_DUPLICATE), 40, "what the other counted is known");
    rig_fini(&other);
    rig_fini(&rig);
}

Test(worker, what_is_let_go_without_its_echo_is_dropped)
{
    struct rig rig;
    struct worker_release release = {-1, true};
    rig_init(&rig, 1);
    rig_order(&rig, WORKER_ASSIGN);
    rig_run(&rig, 500, true, true);
    put_ids(0, 5);
    rig_run(&rig, 200, false, true); /* sealed, and stands in the lane */
    rig_order(&rig, WORKER_RELEASE);
    rig_run(&rig, DRAIN_TIMEOUT_MS - 500, false, true);
    cr_assert_not(worker_released(rig.bench.worker, &release), "it waits for the echo");

    rig_run(&rig, 1000, false, true);

    cr_assert(worker_released(rig.bench.worker, &release));
    cr_assert_not(release.is_warm);
    rig_fini(&rig);
}

Test(worker, echoes_that_come_late_are_no_reason_to_drop_the_state)
{
    struct rig rig;
    rig_init(&rig, 1);
    rig_order(&rig, WORKER_ASSIGN);
    rig_run(&rig, 500, true, true);
    put_ids(0, 5);
    rig_run(&rig, 10 * ECHO_TIMEOUT_MS, true, false);
    cr_assert_eq(phase(&rig), PARTITION_RUNNING);
    cr_assert_eq(counter_read(&rig.bench.statuses[0].unechoed_groups), 1);

    rig_run(&rig, 100, true, true);

    cr_assert_eq(counter_read(&rig.bench.statuses[0].fenced), 0);
    cr_assert_eq(verdict(&rig, VERDICT_COUNTED), 5);
    rig_fini(&rig);
}

Test(worker, a_fenced_owner_waits_until_its_group_could_tell_it)
{
    struct rig rig;
    struct rig other;
    rig_init(&rig, 1);
    rig_init(&other, 1000);
    rig_order(&rig, WORKER_ASSIGN);
    rig_run(&rig, 500, true, true);
    rig_order(&other, WORKER_ASSIGN);
    rig_run(&other, 500, true, true);

    rig_run(&rig, 3500, true, true);
    cr_assert_eq(phase(&rig), PARTITION_BACKOFF, "longer than a heartbeat takes");
    rig_run(&rig, 2000, true, true);

    cr_assert_eq(phase(&rig), PARTITION_RUNNING, "nobody told it to let go");
    cr_assert_eq(claims(&rig, PARTITION_CLAIM_DROPPED), 1);
    rig_fini(&other);
    rig_fini(&rig);
}

Test(worker, a_producer_that_fails_at_once_is_made_anew_after_longer_and_longer_pauses)
{
    struct rig rig;
    rig_init(&rig, 1);
    rig_order(&rig, WORKER_ASSIGN);

    for (int i = 0; i < 2000; i++) {
        process_refuse(rig.bench.process, 0, ERR_PEER); /* the next one as well */
        rig_run(&rig, 0, true, true);
    }

    int64_t tries = claims(&rig, PARTITION_CLAIM_PRODUCER);
    cr_assert(tries >= 5 && tries <= 12, "%lld tries in 20 s", (long long)tries);
    process_refuse(rig.bench.process, 0, OK);
    rig_run(&rig, 6000, true, true);
    cr_assert_eq(phase(&rig), PARTITION_RUNNING);
    rig_fini(&rig);
}
