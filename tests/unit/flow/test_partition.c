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

/* What an uninterrupted run of the same input publishes. */
static char *clean_dump(int ids, unsigned seed)
{
    struct fixture clean;
    fixture_init(&clean);
    fixture_fill(&clean, ids, seed);
    struct host *host = host_new(clean.world, &clean.options);
    cr_assert(host_settle(host, 60), "the clean run does not settle");
    char *dump = fixture_dump(&clean);
    host_kill(host);
    fixture_fini(&clean);
    return dump;
}

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
    char *clean = clean_dump(IDS, SEED);
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
    char *clean = clean_dump(IDS, SEED);
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

Test(partition, a_frame_that_was_acked_and_is_gone_is_noticed)
{
    for (int i = 0; i < 5; i++) {
        struct sample sample;
        char id[8];
        snprintf(id, sizeof id, "G%d", i);
        sample_init(&sample, id);
        fixture_put(&f, 0, &sample);
    }
    struct host *host = host_new(f.world, &f.options);
    for (int step = 0; step < 5000 && counter_read(&host_status(host, 0)->unechoed_groups) == 0; step++) {
        if (!host_step(host))
            world_set_now(f.world, world_now(f.world) + 10);
        if (counter_read(&host_status(host, 0)->unechoed_groups) == 0)
            host_deliver(host, 1);
    }

    cr_assert(process_misfortune(host_process(host), HOST_WORKER_LANE, FATE_LOST_ACKED));
    cr_assert(host_settle(host, 120));

    char *dump = fixture_dump(&f);
    cr_assert_eq(fixture_value(dump, "flow|DAY|20250715|20250715|flow=M"), 500000);
    cr_assert_eq(counter_read(&host_status(host, 0)->fenced), 1);
    free(dump);
    host_kill(host);
}

Test(partition, two_processes_at_once_count_everything_once)
{
    fixture_fill(&f, 60, 9);
    char *clean = clean_dump(60, 9);
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

Test(partition, an_input_that_is_shorter_than_the_journal_halts)
{
    fixture_fill(&f, 10, 1);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    host_kill(host);
    struct world *again = world_new(PARTS, STATISTICS_PARTS);
    world_set_now(again, START_NOW_MS + 100000);
    for (int64_t o = 0; o < world_next(f.world, PORT_JOURNAL, 0); o++)
        world_put(again, PORT_JOURNAL, 0, world_at(f.world, PORT_JOURNAL, 0, o));
    host = host_new(again, &f.options);
    for (int i = 0; i < 500; i++) {
        host_step(host);
        host_deliver(host, SIZE_MAX);
        world_set_now(again, world_now(again) + 10);
    }

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_HALTED);
    cr_assert(strstr(host_status(host, 0)->reason, "created anew"), "%s", host_status(host, 0)->reason);
    host_kill(host);
    world_free(again);
}

Test(partition, a_journal_that_was_deleted_halts_where_the_group_has_an_offset)
{
    world_set_committed(f.world, 0, 17);
    fixture_fill(&f, 10, 1);
    struct host *host = host_new(f.world, &f.options);
    for (int i = 0; i < 500; i++) {
        host_step(host);
        host_deliver(host, SIZE_MAX);
        world_set_now(f.world, world_now(f.world) + 10);
    }

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_HALTED);
    cr_assert_eq(counter_read(&host_status(host, 1)->phase), PARTITION_RUNNING, "the other goes on");
    host_kill(host);
}

Test(partition, a_first_start_on_a_topic_that_retention_cut_writes_the_hole_down)
{
    fixture_fill(&f, 20, 1);
    world_trim(f.world, PORT_DECLARATIONS, 0, 5);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));

    cr_assert_eq(counter_read(&host_counters(host)->frames[FRAME_SKIP]), 1);
    cr_assert_eq(counter_read(&host_counters(host)->records),
                 world_next(f.world, PORT_DECLARATIONS, 0) + world_next(f.world, PORT_DECLARATIONS, 1) - 5);
    host_kill(host);
}

Test(partition, a_hole_at_the_beginning_is_no_position_before_its_group_is_echoed)
{
    fixture_fill(&f, 20, 1);
    world_trim(f.world, PORT_DECLARATIONS, 0, 5);
    struct host *host = host_new(f.world, &f.options);
    const struct partition_status *status = host_status(host, 0);
    while (counter_read(&status->phase) != PARTITION_RUNNING) { /* its OPEN lands, its SKIP does not */
        host_step(host);
        if (counter_read(&status->phase) == PARTITION_OPENING)
            host_deliver(host, SIZE_MAX);
    }

    cr_assert_eq(counter_read(&status->position), 0, "main would commit it, and a restart would miss the journal");

    cr_assert(host_settle(host, 30));
    cr_assert_eq(counter_read(&status->position), world_next(f.world, PORT_DECLARATIONS, 0));
    host_kill(host);
}

/* Its OPEN lands and another process claims behind it and counts, all before its own ack comes. */
Test(partition, a_claim_that_was_overtaken_before_its_ack_sends_nothing_again)
{
    fixture_fill(&f, 20, 3);
    char *expected = clean_dump(20, 3);
    struct host *slow = host_new(f.world, &f.options);
    host_step_worker(slow, 0);
    host_deliver(slow, SIZE_MAX);
    f.options.seed = 2;
    struct host *quick = host_new(f.world, &f.options);
    cr_assert(host_settle(quick, 30));
    host_kill(quick);
    for (int i = 0; i < 20; i++) /* it hears of the other's claim before it takes the ack */
        host_step_publisher(slow);
    for (int i = 0; i < 20; i++) { /* restores through its own OPEN, counts, seals, and cannot send */
        if (counter_read(&host_status(slow, 0)->phase) == PARTITION_RUNNING)
            process_refuse(host_process(slow), HOST_WORKER_LANE, ERR_PEER);
        host_step_worker(slow, 0);
        world_set_now(f.world, world_now(f.world) + 100);
    }

    cr_assert(host_settle(slow, 60), "%s", host_status(slow, 0)->reason);

    cr_assert_eq(counter_read(&host_status(slow, 0)->phase), PARTITION_RUNNING, "%s", host_status(slow, 0)->reason);
    char *dump = fixture_dump(&f);
    cr_assert_str_eq(dump, expected);
    free(dump);
    free(expected);
    host_kill(slow);
}

Test(partition, a_damaged_record_halts_and_nothing_behind_it_counts)
{
    struct sample sample;
    sample_init(&sample, "A");
    fixture_put(&f, 0, &sample);
    struct world_record damaged = {.fault = PORT_BAD_CRC};
    world_put(f.world, PORT_DECLARATIONS, 0, &damaged);
    sample_init(&sample, "B");
    fixture_put(&f, 0, &sample);
    struct host *host = host_new(f.world, &f.options);
    for (int i = 0; i < 500; i++) {
        host_step(host);
        host_deliver(host, SIZE_MAX);
        world_set_now(f.world, world_now(f.world) + 10);
    }

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_HALTED);
    cr_assert(strstr(host_status(host, 0)->reason, "input offset 1"), "%s", host_status(host, 0)->reason);
    host_kill(host);
}

Test(partition, a_reject_that_is_too_large_shrinks_to_its_coordinates)
{
    struct sample sample;
    sample_init(&sample, "A");
    sample.declaration.office_code = TEXT("NOWHERE");
    fixture_put(&f, 0, &sample);
    struct host *host = host_new(f.world, &f.options);
    bool refused = false;
    for (int i = 0; i < 2000 && !refused; i++) {
        if (!host_step(host))
            world_set_now(f.world, world_now(f.world) + 10);
        if (counter_read(&host_status(host, 0)->unechoed_groups) > 0)
            refused = process_misfortune(host_process(host), HOST_WORKER_LANE, FATE_TOO_LARGE);
        else
            host_deliver(host, 1);
    }

    cr_assert(refused);
    cr_assert(host_settle(host, 30));
    cr_assert_eq(fixture_verdict(host, VERDICT_REJECTED), 1);
    cr_assert_eq(world_next(f.world, PORT_REJECTS, 0), 1);
    cr_assert_lt(world_at(f.world, PORT_REJECTS, 0, 0)->value.length, 100);
    host_kill(host);
}

Test(partition, rejects_are_in_their_topic_before_the_group_that_lists_them)
{
    fixture_fill(&f, 60, 21);
    struct host *host = host_new(f.world, &f.options);
    int64_t listed = 0;
    for (int i = 0; i < 20000 && listed < 5; i++) {
        if (!host_step(host) && host_deliver(host, 1) == 0)
            world_set_now(f.world, world_now(f.world) + 10);
        host_deliver(host, 1);
        listed = fixture_verdict(host, VERDICT_REJECTED);
        cr_assert_leq(listed, world_next(f.world, PORT_REJECTS, 0));
    }
    cr_assert_geq(listed, 5);
    host_kill(host);
}

Test(partition, backpressure_stops_pulling_after_eight_groups)
{
    fixture_fill(&f, 400, 2);
    f.options.frame_interval_ms = 10;
    struct host *host = host_new(f.world, &f.options);
    for (int i = 0; i < 300; i++) { /* claims and restores */
        host_step(host);
        if (counter_read(&host_status(host, 0)->phase) != PARTITION_RUNNING)
            host_deliver(host, SIZE_MAX);
        world_set_now(f.world, world_now(f.world) + 20);
    }
    cr_assert_leq(counter_read(&host_status(host, 0)->unechoed_groups), GROUPS_MOST);
    cr_assert(host_settle(host, 60));
    host_kill(host);
}

/* What the journal of `from` holds, in a world whose input is empty. */
static struct world *with_journal_of(const struct world *from)
{
    struct world *again = world_new(PARTS, STATISTICS_PARTS);
    world_set_now(again, START_NOW_MS + 100000);
    for (int32_t p = 0; p < PARTS; p++) {
        for (int64_t o = 0; o < world_next(from, PORT_JOURNAL, p); o++)
            world_put(again, PORT_JOURNAL, p, world_at(from, PORT_JOURNAL, p, o));
    }
    return again;
}

Test(partition, an_input_that_was_created_anew_and_is_long_enough_halts_by_its_last_counted_record)
{
    fixture_fill(&f, 10, 1);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    host_kill(host);
    struct world *counted = f.world;
    f.world = with_journal_of(counted);
    fixture_fill(&f, 40, 2);
    host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_HALTED);
    cr_assert(strstr(host_status(host, 0)->reason, "not the one that was counted"), "%s", host_status(host, 0)->reason);
    cr_assert_eq(fixture_verdict(host, VERDICT_COUNTED), 0);
    host_kill(host);
    world_free(counted);
}

Test(partition, a_restart_looks_at_its_last_counted_record_and_goes_on_behind_it)
{
    fixture_fill(&f, 10, 1);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    host_kill(host);
    struct sample sample;
    sample_init(&sample, "NEW");
    fixture_put(&f, 0, &sample);
    host = host_new(f.world, &f.options);

    cr_assert(host_settle(host, 30));

    cr_assert_eq(fixture_verdict(host, VERDICT_COUNTED), 1);
    cr_assert_eq(counter_read(&host_counters(host)->records), 1, "the record that was looked at does not count again");
    cr_assert_eq(counter_read(&host_counters(host)->offset_regressions), 0);
    host_kill(host);
}

Test(partition, a_last_counted_record_that_retention_took_is_not_looked_for)
{
    fixture_fill(&f, 10, 1);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    host_kill(host);
    world_trim(f.world, PORT_DECLARATIONS, 0, world_next(f.world, PORT_DECLARATIONS, 0));
    struct sample sample;
    sample_init(&sample, "NEW");
    fixture_put(&f, 0, &sample);
    host = host_new(f.world, &f.options);

    cr_assert(host_settle(host, 30));

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_RUNNING);
    cr_assert_eq(fixture_verdict(host, VERDICT_COUNTED), 1);
    host_kill(host);
}

/* Steps until something stands in the worker's lane; nothing is delivered there. */
static void await_append(struct host *host)
{
    for (int step = 0; step < 5000 && process_queued(host_process(host), HOST_WORKER_LANE) == 0; step++) {
        if (!host_step(host))
            world_set_now(f.world, world_now(f.world) + 10);
    }
    cr_assert_gt(process_queued(host_process(host), HOST_WORKER_LANE), 0);
}

Test(partition, a_claim_that_was_acked_and_is_gone_is_made_again)
{
    fixture_fill(&f, 20, 4);
    char *clean = clean_dump(20, 4);
    struct host *host = host_new(f.world, &f.options);
    await_append(host);

    cr_assert(process_misfortune(host_process(host), HOST_WORKER_LANE, FATE_LOST_ACKED));
    cr_assert(host_settle(host, 120));

    char *dump = fixture_dump(&f);
    cr_assert_str_eq(dump, clean);
    cr_assert_eq(counter_read(&host_status(host, 0)->fenced), 1);
    free(dump);
    free(clean);
    host_kill(host);
}

Test(partition, a_claim_for_what_is_in_memory_that_was_acked_and_is_gone_is_made_again)
{
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    fixture_fill(&f, 20, 4);
    char *clean = clean_dump(20, 4);
    await_append(host);
    cr_assert(process_misfortune(host_process(host), HOST_WORKER_LANE,
                                 FATE_LOST)); /* the producer is lost: claimed with what is sealed */
    host_step(host);
    await_append(host);

    cr_assert(process_misfortune(host_process(host), HOST_WORKER_LANE, FATE_LOST_ACKED));
    cr_assert(host_settle(host, 120), "%s",
              partition_phase_name((enum partition_phase)counter_read(&host_status(host, 0)->phase)));

    char *dump = fixture_dump(&f);
    cr_assert_str_eq(dump, clean);
    free(dump);
    free(clean);
    host_kill(host);
}

/* Records of many declarations one after the other: every group ends soon after a limit is reached, not with the input.
 */
Test(partition, records_of_many_declarations_are_sealed_record_by_record)
{
    struct buffer value = {0};
    for (int i = 0; i < 1000; i++)
        buffer_add(&value, i ? "\x0A\x02\x0A\x7F" : "\x0A\x03\x0A\x01\x41",
                   i ? 4 : 5); /* but for the first, undecodable */
    for (int i = 0; i < 200; i++)
        fixture_put_bytes(&f, 0, "K", buffer_bytes(&value), false);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 60));

    int64_t widest = 0;
    for (int64_t o = 0; o < world_next(f.world, PORT_JOURNAL, 0); o++) {
        struct frame frame;
        struct err_info info;
        cr_assert_eq(frame_parse(world_at(f.world, PORT_JOURNAL, 0, o)->value, &frame, &info), OK);
        widest = frame.hi - frame.lo > widest ? frame.hi - frame.lo : widest;
    }

    cr_assert_eq(fixture_verdict(host, VERDICT_REJECTED), 200000);
    cr_assert_leq(widest, SEAL_DECLARATIONS / 1000 + 1);
    buffer_fini(&value);
    host_kill(host);
}
