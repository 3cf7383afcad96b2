/* SPDX-License-Identifier: Apache-2.0 */
#include "desk_fixture.h"

#include "flow/echo.h"
#include "flow/partition_inside.h"

static struct fixture f;

static void setup(void)
{
    fixture_init(&f);
}

static void teardown(void)
{
    fixture_fini(&f);
}

TestSuite(echo, .init = setup, .fini = teardown);

Test(echo, a_frame_that_was_acked_and_is_gone_is_noticed)
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

/* Its OPEN lands and another process claims behind it and counts, all before its own ack comes. */
Test(echo, a_claim_that_was_overtaken_before_its_ack_sends_nothing_again)
{
    fixture_fill(&f, 20, 3);
    char *expected = fixture_clean_dump(20, 3);
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

/* Steps until something stands in the worker's lane; nothing is delivered there. */
static void await_append(struct host *host)
{
    for (int step = 0; step < 5000 && process_queued(host_process(host), HOST_WORKER_LANE) == 0; step++) {
        if (!host_step(host))
            world_set_now(f.world, world_now(f.world) + 10);
    }
    cr_assert_gt(process_queued(host_process(host), HOST_WORKER_LANE), 0);
}

Test(echo, a_claim_that_was_acked_and_is_gone_is_made_again)
{
    fixture_fill(&f, 20, 4);
    char *clean = fixture_clean_dump(20, 4);
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

Test(echo, a_claim_for_what_is_in_memory_that_was_acked_and_is_gone_is_made_again)
{
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    fixture_fill(&f, 20, 4);
    char *clean = fixture_clean_dump(20, 4);
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

/* Foreign OPENs, so many that the log is as long as it was. */
static void fill_with_opens(int64_t frames)
{
    for (int64_t i = 0; i < frames; i++) {
        struct frame open = {.kind = FRAME_OPEN, .last = true, .nonce = {{(uint64_t)i + 1000, 7}}};
        uint8_t bytes[FRAME_HEADER_BYTES];
        frame_write_header(&open, bytes);
        frame_seal(bytes, sizeof bytes, &open.nonce, 0);
        world_put(f.world, PORT_JOURNAL, 0,
                  &(struct world_record){.value = {bytes, sizeof bytes}, .timestamp_ms = world_now(f.world)});
    }
}

/* The owner stood still while its journal was deleted, made again, and grew to the place that it had read. Its claim lands right there: no
 * foreign frame is met, and still nothing that it counted is in this journal. */
Test(echo, a_claim_in_a_journal_that_was_made_anew_keeps_no_state)
{
    fixture_fill(&f, 20, 5);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    int64_t frames = world_next(f.world, PORT_JOURNAL, 0);
    world_set_committed(f.world, 0, world_next(f.world, PORT_DECLARATIONS, 0));
    world_recreate(f.world, PORT_JOURNAL, 0);
    fill_with_opens(frames);
    fixture_fill(&f, 5, 6);
    process_refuse(host_process(host), HOST_WORKER_LANE, ERR_PEER);
    for (int i = 0; i < 200 && counter_read(&host_status(host, 0)->epochs[PARTITION_CLAIM_PRODUCER]) == 0; i++) {
        if (!host_step_worker(host, 0))
            world_set_now(f.world, world_now(f.world) + 20);
    }
    process_refuse(host_process(host), HOST_WORKER_LANE, OK);
    for (int i = 0; i < 2000; i++) {
        bool did = host_step(host);
        if (host_deliver(host, SIZE_MAX) == 0 && !did)
            world_set_now(f.world, world_now(f.world) + 20);
    }

    cr_assert_eq(counter_read(&host_status(host, 0)->epochs[PARTITION_CLAIM_PRODUCER]), 1);
    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_HALTED, "%s", host_status(host, 0)->reason);
    cr_assert_eq(counter_read(&host_status(host, 0)->guard), GUARD_JOURNAL_LOST);
    struct frame last;
    cr_assert_eq(
        frame_parse(world_at(f.world, PORT_JOURNAL, 0, world_next(f.world, PORT_JOURNAL, 0) - 1)->value, &last, NULL),
        OK);
    cr_assert_eq(last.kind, FRAME_OPEN, "nothing was counted into it");
    host_kill(host);
}

/* ---- a journal that is read again ---- */

static const struct frame_nonce own = {{3, 4}};
static const struct frame_nonce other = {{5, 6}};

static void running_desk(struct desk *desk)
{
    desk_init(desk);
    desk->partition.lane.nonce = own;
    desk->partition.standing = own;
    partition_enter(&desk->partition, PARTITION_RUNNING);
}

static void read_frame(struct desk *desk, int64_t offset, const struct frame_nonce *nonce, uint64_t seq)
{
    bool is_own = frame_nonce_equal(nonce, &own);
    echo_take(&desk->partition, &(struct echo){.branch = is_own ? READER_APPLIED : READER_OTHER_NONCE,
                                               .kind = FRAME_SNAP,
                                               .last = true,
                                               .nonce = *nonce,
                                               .seq = seq,
                                               .offset = offset});
}

static void read_frames(struct desk *desk, int64_t from, int64_t to)
{
    for (int64_t offset = from; offset < to; offset++)
        read_frame(desk, offset, &own, (uint64_t)offset);
}

Test(echo, a_journal_read_again_that_is_as_it_was_keeps_the_state)
{
    struct desk desk;
    running_desk(&desk);
    read_frames(&desk, 1, 6);
    read_frames(&desk, 1, 8);
    read_frame(&desk, 8, &other, 2);
    read_frames(&desk, 2, 8);
    read_frame(&desk, 8, &other, 2);

    cr_assert_eq(desk.partition.phase, PARTITION_RUNNING, "%s", desk.status.reason);
    cr_assert_eq(counter_read(&desk.status.fenced), 0);
    desk_fini(&desk);
}

/* Its last slice was echoed, an unclean election cut it away, and the place was filled by a late frame: its owner has nothing to write,
 * and would never know (seed 9754 of the simulation). */
Test(echo, another_frame_where_the_last_one_of_the_state_stood_drops_the_state)
{
    struct desk desk;
    running_desk(&desk);
    read_frames(&desk, 1, 6);
    read_frames(&desk, 1, 5);
    cr_assert_eq(desk.partition.phase, PARTITION_RUNNING, "%s", desk.status.reason);
    read_frame(&desk, 5, &other, 2);

    cr_assert_eq(desk.partition.phase, PARTITION_BACKOFF);
    cr_assert_not(desk.partition.has_state);
    cr_assert(strstr(desk.status.reason, "its end is lost"), "%s", desk.status.reason);
    desk_fini(&desk);
}

Test(echo, a_journal_that_ends_before_the_last_frame_of_the_state_is_cut)
{
    struct desk desk;
    running_desk(&desk);
    read_frames(&desk, 1, 6);
    int64_t later_ms = partition_now_ms(&desk.partition) + ECHO_TIMEOUT_MS + 1;
    cr_assert_not(echo_is_cut(&desk.partition, later_ms), "it is not being read again");
    read_frames(&desk, 1, 5);

    cr_assert_not(echo_is_cut(&desk.partition, partition_now_ms(&desk.partition)), "it may be read on");
    cr_assert(echo_is_cut(&desk.partition, later_ms));
    for (int64_t end = world_next(desk.f.world, PORT_JOURNAL, 0); end < 6; end++)
        world_put(desk.f.world, PORT_JOURNAL, 0, &(struct world_record){.timestamp_ms = 1});
    cr_assert_not(echo_is_cut(&desk.partition, later_ms + ECHO_TIMEOUT_MS + 1), "the frame may still come");
    desk_fini(&desk);
}
