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

TestSuite(partition, .init = setup, .fini = teardown);

Test(partition, VER_501_503_504_505_506_507_508_509_513_and_a_total_of_newest_versions)
{
    struct sample sample;
    sample_init(&sample, "A");
    fixture_put(&f, 0, &sample);
    fixture_put(&f, 0, &sample);                       /* VER-501: a duplicate */
    sample_replace(&sample, 3);                        /* VER-504: a gap */
    sample.items[0].statistical_value_minor = 2000000; /* VER-513: twenty times the value */
    sample.declaration.reference_date = 20250815;      /* VER-508: another month */
    sample.declaration.office_code = TEXT("DE002452"); /* VER-507: another office */
    sample.declaration.declarant_id = TEXT("OTHER");   /* VER-509 */
    fixture_put(&f, 0, &sample);
    sample_replace(&sample, 2); /* VER-503: stale */
    fixture_put(&f, 0, &sample);
    sample_init(&sample, "B");
    sample_replace(&sample, 2); /* VER-505: a replace before any other version */
    fixture_put(&f, 0, &sample);
    sample_cancel(&sample, 2);
    fixture_put(&f, 0, &sample);
    sample_init(&sample, "B");
    sample_replace(&sample, 3); /* VER-506: above a cancel */
    sample.items[0].statistical_value_minor = 70;
    fixture_put(&f, 0, &sample);

    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));

    char *dump = fixture_dump(&f);
    cr_assert_eq(fixture_value(dump, "flow|MONTH|20250801|20250831|flow=M"), 2000000);
    cr_assert_eq(fixture_value(dump, "flow|MONTH|20250701|20250731|flow=M"), 70);
    cr_assert_eq(fixture_value(dump, "flow|DAY|20250715|20250715|flow=M"), 70);
    cr_assert_eq(fixture_verdict(host, VERDICT_COUNTED), 5);
    cr_assert_eq(fixture_verdict(host, VERDICT_DUPLICATE), 1);
    cr_assert_eq(fixture_verdict(host, VERDICT_STALE), 1);
    static const int warned[] = {504, 505, 506, 507, 508, 509, 513};
    for (size_t i = 0; i < sizeof warned / sizeof warned[0]; i++)
        cr_assert_eq(counter_read(&host_counters(host)->warnings[warned[i]]), 1, "VER-%d", warned[i]);
    free(dump);
    host_kill(host);
}

Test(partition, an_unremarkable_replacement_raises_none_of_VER_504_505_506_507_508_509_513)
{
    struct sample sample;
    sample_init(&sample, "A");
    fixture_put(&f, 0, &sample);
    sample_replace(&sample, 2);
    sample.items[0].statistical_value_minor = 100001;
    fixture_put(&f, 0, &sample);

    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));

    for (int number = 500; number < 520; number++)
        cr_assert_eq(counter_read(&host_counters(host)->warnings[number]), 0, "VER-%d", number);
    cr_assert_eq(fixture_verdict(host, VERDICT_COUNTED), 2);
    cr_assert_eq(fixture_verdict(host, VERDICT_REJECTED), 0);
    host_kill(host);
}

Test(partition, VER_502_the_first_of_two_versions_stands_and_the_other_is_rejected)
{
    struct sample sample;
    sample_init(&sample, "A");
    fixture_put(&f, 0, &sample);
    sample.items[0].statistical_value_minor = 1;
    fixture_put(&f, 0, &sample);

    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));

    char *dump = fixture_dump(&f);
    cr_assert_eq(fixture_value(dump, "flow|DAY|20250715|20250715|flow=M"), 100000);
    cr_assert_eq(fixture_verdict(host, VERDICT_REJECTED), 1);
    cr_assert_eq(counter_read(&host_counters(host)->rejects[502]), 1);
    free(dump);
    host_kill(host);
}

Test(partition, versions_in_any_order_give_the_same_total)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    char *first = NULL;
    for (int o = 0; o < 6; o++) {
        struct fixture world;
        fixture_init(&world);
        for (int i = 0; i < 3; i++) {
            struct sample sample;
            sample_init(&sample, "A");
            sample.items[0].statistical_value_minor = 100 + orders[o][i];
            if (orders[o][i] == 1)
                sample_cancel(&sample, 1);
            else if (orders[o][i] == 2)
                sample_replace(&sample, 2);
            fixture_put(&world, 0, &sample);
        }
        struct host *host = host_new(world.world, &world.options);
        cr_assert(host_settle(host, 30));
        char *dump = fixture_dump(&world);
        cr_assert_eq(fixture_value(dump, "flow|DAY|20250715|20250715|flow=M"), 102, "order %d", o);
        if (first)
            cr_assert_str_eq(dump, first);
        else
            first = strdup(dump);
        free(dump);
        host_kill(host);
        fixture_fini(&world);
    }
    free(first);
}

/* Kills the process after each single append that reached the broker, starts another one, and compares with a run that
 * was not disturbed. Every frame boundary, every reject and every claim is one of these places. */
Test(partition, killed_after_any_append_and_restarted_gives_the_same_statistics, .timeout = 280)
{
    enum { IDS = 40, SEED = 3 };
    char *clean = fixture_clean_dump(IDS, SEED);
    size_t appends = 1;
    for (size_t cut = 0; cut < appends; cut++) {
        struct fixture world;
        fixture_init(&world);
        fixture_fill(&world, IDS, SEED);
        struct host *host = host_new(world.world, &world.options);
        bool settled = false;
        for (int step = 0; step < 20000 && host_delivered(host) < cut && !settled; step++) {
            bool did = host_step(host);
            did = host_deliver(host, 1) > 0 || did;
            if (!did)
                world_set_now(world.world, world_now(world.world) + 10);
        }
        cr_assert_eq(host_delivered(host), cut, "the run ends before append %zu", cut);
        host_kill(host);
        world.options.seed = 1000 + cut;
        host = host_new(world.world, &world.options);
        cr_assert(host_settle(host, 60), "cut %zu", cut);
        char *dump = fixture_dump(&world);
        cr_assert_str_eq(dump, clean, "cut %zu", cut);
        if (cut == 0)
            appends = host_delivered(host);
        free(dump);
        host_kill(host);
        fixture_fini(&world);
    }
    cr_log_info("%zu places", appends);
    cr_assert_gt(appends, 20);
    free(clean);
}

/* The same at every append, with the writes of the dead process landing after the restart: they must count for nothing.
 */
Test(partition, an_append_that_fails_is_claimed_and_sent_again, .timeout = 280)
{
    enum { IDS = 40, SEED = 5 };
    static const enum fate fates[] = {FATE_LOST, FATE_LANDS_ACK_LOST, FATE_TWICE};
    char *clean = fixture_clean_dump(IDS, SEED);
    for (size_t kind = 0; kind < sizeof fates / sizeof fates[0]; kind++) {
        for (size_t cut = 0; cut < 40; cut++) {
            struct fixture world;
            fixture_init(&world);
            fixture_fill(&world, IDS, SEED);
            struct host *host = host_new(world.world, &world.options);
            for (int step = 0; step < 20000 && host_delivered(host) < cut; step++) {
                bool did = host_step(host);
                did = host_deliver(host, 1) > 0 || did;
                if (!did)
                    world_set_now(world.world, world_now(world.world) + 10);
            }
            for (int step = 0; step < 2000 && !process_misfortune(host_process(host), HOST_WORKER_LANE, fates[kind]);
                 step++) {
                if (!host_step(host))
                    world_set_now(world.world, world_now(world.world) + 10);
                if (process_queued(host_process(host), HOST_WORKER_LANE) == 0)
                    host_deliver(host, 1);
            }
            cr_assert(host_settle(host, 120), "fate %zu cut %zu", kind, cut);
            char *dump = fixture_dump(&world);
            cr_assert_str_eq(dump, clean, "fate %zu cut %zu", kind, cut);
            free(dump);
            host_kill(host);
            fixture_fini(&world);
        }
    }
    free(clean);
}

Test(partition, two_processes_at_once_count_everything_once)
{
    fixture_fill(&f, 60, 9);
    char *clean = fixture_clean_dump(60, 9);
    struct host *a = host_new(f.world, &f.options);
    for (int i = 0; i < 200; i++) {
        host_step(a);
        host_deliver(a, 1);
        world_set_now(f.world, world_now(f.world) + 5);
    }
    f.options.seed = 77;
    struct host *b = host_new(f.world, &f.options);
    for (int i = 0; i < 3000; i++) {
        host_step(i % 3 ? b : a);
        host_deliver(i % 2 ? a : b, 2);
        world_set_now(f.world, world_now(f.world) + 5);
    }
    host_kill(a);

    cr_assert(host_settle(b, 120));

    char *dump = fixture_dump(&f);
    cr_assert_str_eq(dump, clean);
    free(dump);
    free(clean);
    host_kill(b);
}
