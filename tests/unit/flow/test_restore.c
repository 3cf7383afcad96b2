/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/restore.h"
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

TestSuite(restore, .init = setup, .fini = teardown);

Test(restore, an_input_that_is_shorter_than_the_journal_halts)
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
    fixture_pass(again, host);

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_HALTED);
    cr_assert(strstr(host_status(host, 0)->reason, "created anew"), "%s", host_status(host, 0)->reason);
    host_kill(host);
    world_free(again);
}

Test(restore, a_journal_that_was_deleted_halts_where_the_group_has_an_offset)
{
    world_set_committed(f.world, 0, 17);
    fixture_fill(&f, 10, 1);
    struct host *host = host_new(f.world, &f.options);
    fixture_pass(f.world, host);

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_HALTED);
    cr_assert_eq(counter_read(&host_status(host, 1)->phase), PARTITION_RUNNING, "the other goes on");
    host_kill(host);
}

Test(restore, a_first_start_on_a_topic_that_retention_cut_writes_the_hole_down)
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

Test(restore, a_hole_at_the_beginning_is_no_position_before_its_group_is_echoed)
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

Test(restore, an_input_that_was_created_anew_and_is_long_enough_halts_by_its_last_counted_record)
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

Test(restore, a_restart_looks_at_its_last_counted_record_and_goes_on_behind_it)
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

Test(restore, a_last_counted_record_that_retention_took_is_not_looked_for)
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

Test(restore, progress_rises_from_nothing_to_all_while_the_journal_is_read_and_is_none_before_and_after)
{
    struct host *host = host_new(f.world, &f.options);
    for (unsigned i = 0; i < 400; i++) { /* a group each: several takes of the stream */
        fixture_fill(&f, 2, i);
        cr_assert(host_settle(host, 30));
    }
    host_kill(host);
    host = host_new(f.world, &f.options);
    const struct partition_status *status = host_status(host, 0);
    cr_assert_eq(restore_percent(status), -1, "not claimed");

    int last = -1;
    int rises = 0;
    for (int i = 0; i < 1000 && counter_read(&status->phase) != PARTITION_RUNNING; i++) {
        host_step(host);
        host_deliver(host, SIZE_MAX);
        int percent = restore_percent(status);
        if (counter_read(&status->phase) != PARTITION_RESTORING)
            continue;
        cr_assert(percent >= last && percent <= 100, "%d after %d", percent, last);
        rises += percent > last;
        last = percent;
    }

    cr_assert_eq(counter_read(&status->phase), PARTITION_RUNNING);
    cr_assert_geq(rises, 3);
    cr_assert_gt(last, 40);
    cr_assert_eq(restore_percent(status), -1, "done");
    host_kill(host);
}
