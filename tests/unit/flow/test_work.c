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

TestSuite(work, .init = setup, .fini = teardown);

Test(work, a_damaged_record_halts_and_nothing_behind_it_counts)
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

Test(work, a_reject_that_is_too_large_shrinks_to_its_coordinates)
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

Test(work, rejects_are_in_their_topic_before_the_group_that_lists_them)
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

Test(work, backpressure_stops_pulling_after_eight_groups)
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

/* Records of many declarations one after the other: every group ends soon after a limit is reached, not with the input.
 */
Test(work, records_of_many_declarations_are_sealed_record_by_record)
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
