/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc.h"
#include "flow/guard.h"
#include "flow/seal.h"
#include "host_fixture.h"

static struct err_info why;

static void clear(void)
{
    why = (struct err_info){""};
}

TestSuite(guard, .init = clear);

/* A partition that was counted to 100 and goes on. */
static struct guard_facts sound(void)
{
    return (struct guard_facts){
        .partition = 3,
        .partitions = 4,
        .journal = 4,
        .begun_with = 4,
        .has_groups = true,
        .has_data = true,
        .position = 100,
        .committed = -1,
        .input = {0, 120},
    };
}

static void assert_says(const char *what)
{
    cr_assert(strstr(why.text, what), "\"%s\" is not in: %s", what, why.text);
}

Test(guard, a_sound_partition_may_start)
{
    struct guard_facts facts = sound();

    cr_assert_eq(guard_start(&facts, &why), GUARD_NONE, "%s", why.text);
}

Test(guard, each_has_a_name_of_its_own)
{
    for (int a = 0; a < GUARDS; a++) {
        cr_assert(guard_name((enum guard)a));
        for (int b = 0; b < a; b++)
            cr_assert_str_neq(guard_name((enum guard)a), guard_name((enum guard)b));
    }
}

Test(guard, journal_lost_when_it_holds_nothing_and_the_group_has_an_offset)
{
    struct guard_facts facts = sound();
    facts.has_groups = facts.has_data = false;
    facts.position = 0;
    facts.committed = 17;

    cr_assert_eq(guard_start(&facts, &why), GUARD_JOURNAL_LOST);
    assert_says("input offset 17");
    assert_says("Restore it");
}

Test(guard, journal_lost_when_only_a_skip_is_left_of_it)
{
    struct guard_facts facts = sound();
    facts.has_data = false;
    facts.position = 5;
    facts.committed = 50;

    cr_assert_eq(guard_start(&facts, &why), GUARD_JOURNAL_LOST);
}

Test(guard, journal_is_not_lost_when_all_that_the_group_has_is_its_skip_or_nothing)
{
    struct guard_facts facts = sound();
    facts.has_data = false;
    facts.position = 5;
    facts.committed = 5;
    cr_assert_eq(guard_start(&facts, &why), GUARD_NONE);

    facts.has_groups = false;
    facts.position = 0;
    facts.committed = 0;

    cr_assert_eq(guard_start(&facts, &why), GUARD_NONE);
}

Test(guard, input_lost_when_retention_passed_the_position_names_the_range_and_the_command)
{
    struct guard_facts facts = sound();
    facts.input.low = 110;

    cr_assert_eq(guard_start(&facts, &why), GUARD_INPUT_LOST);
    assert_says("input offsets 100 to 109");
    assert_says("dryport skip --partition 3 --from 100 --to 110 --reason TEXT");
}

Test(guard, input_is_not_lost_when_retention_just_reaches_the_position)
{
    struct guard_facts facts = sound();
    facts.input.low = 100;

    cr_assert_eq(guard_start(&facts, &why), GUARD_NONE);
}

Test(guard, input_lost_does_not_close_a_first_start)
{
    struct guard_facts facts = sound();
    facts.has_groups = facts.has_data = false;
    facts.position = 0;
    facts.input.low = 110;

    cr_assert_eq(guard_start(&facts, &why), GUARD_NONE);
}

Test(guard, input_lost_closes_a_start_after_an_idle_mark_alone)
{
    struct guard_facts facts = sound();
    facts.has_data = false;
    facts.position = 0;
    facts.input.low = 1;

    cr_assert_eq(guard_start(&facts, &why), GUARD_INPUT_LOST);
}

Test(guard, input_recreated_when_it_ends_before_the_position)
{
    struct guard_facts facts = sound();
    facts.input.high = 99;

    cr_assert_eq(guard_start(&facts, &why), GUARD_INPUT_RECREATED);
    assert_says("created anew");
    facts.input.high = 100;
    cr_assert_eq(guard_start(&facts, &why), GUARD_NONE);
}

Test(guard, input_recreated_when_the_last_counted_record_is_another)
{
    struct bytes value = {(const uint8_t *)"counted", 7};

    cr_assert_eq(guard_record(99, value, crc32c(0, "counted", 7), &why), GUARD_NONE);
    cr_assert_eq(guard_record(99, value, crc32c(0, "other", 5), &why), GUARD_INPUT_RECREATED);
    assert_says("input offset 99");
}

Test(guard, partitions_of_input_and_journal_must_be_equal)
{
    struct guard_facts facts = sound();
    facts.journal = 5;

    cr_assert_eq(guard_start(&facts, &why), GUARD_PARTITIONS);
    assert_says("4 partitions and the journal 5");
}

Test(guard, partitions_must_be_what_the_journal_was_begun_with)
{
    struct guard_facts facts = sound();
    facts.begun_with = 2;

    cr_assert_eq(guard_start(&facts, &why), GUARD_PARTITIONS);
    assert_says("had 2 partitions, and now it has 4");
    facts.begun_with = 0; /* a journal of before this was written down */
    cr_assert_eq(guard_start(&facts, &why), GUARD_NONE);
}

Test(guard, input_damaged_names_the_offset_and_the_command)
{
    cr_assert_eq(guard_fault(3, 40, 40, PORT_BAD_CRC, &why), GUARD_INPUT_DAMAGED);
    assert_says("input offset 40: its check sum is wrong");
    assert_says("dryport skip --partition 3 --from 40 --to 41 --reason TEXT");
}

Test(guard, input_damaged_behind_a_gap_is_skipped_from_the_position_on)
{
    cr_assert_eq(guard_fault(0, 40, 44, PORT_BAD_COMPRESSION, &why), GUARD_INPUT_DAMAGED);
    assert_says("--from 40 --to 45");
}

Test(guard, input_damaged_at_the_last_counted_record_says_that_it_proves_the_input_and_gives_up_no_counted_offset)
{
    cr_assert_eq(guard_fault(3, 40, 39, PORT_BAD_CRC, &why), GUARD_INPUT_DAMAGED);
    assert_says("the last counted record, input offset 39: its check sum is wrong");
    assert_says("can't be shown that this input is the one that was counted");
    assert_says("dryport skip --partition 3 --from 40 --to 41 --reason TEXT");
}

Test(guard, input_damaged_by_each_kind_of_fault_says_which)
{
    static const struct {
        enum port_fault fault;
        const char *words;
    } kinds[] = {{PORT_BAD_CRC, "its check sum is wrong"},
                 {PORT_BAD_COMPRESSION, "it can't be decompressed"},
                 {PORT_TOO_LARGE, "kafka.receive.message.max.bytes"},
                 {PORT_OTHER, "the broker reports an error"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        cr_assert_eq(guard_fault(1, 7, 7, kinds[i].fault, &why), GUARD_INPUT_DAMAGED);
        assert_says(kinds[i].words);
        assert_says("--from 7 --to 8");
    }
}

Test(guard, journal_damaged_names_the_rebase_unless_nothing_whole_is_there_or_it_is_newer)
{
    err_set(&why, ERR_BROKEN, "journal offset 7: bytes");
    cr_assert_eq(guard_journal(3, true, false, &why), GUARD_JOURNAL_DAMAGED);
    assert_says("dryport skip --partition 3 --rebase --reason TEXT. What is wrong: journal offset 7: bytes");

    err_set(&why, ERR_BROKEN, "journal offset 7: bytes");
    cr_assert_eq(guard_journal(3, false, false, &why), GUARD_JOURNAL_DAMAGED);
    assert_says("nothing whole stands before the break");
    cr_assert_null(strstr(why.text, "--rebase"), "%s", why.text);

    err_set(&why, ERR_BROKEN, "journal offset 7: format version 2: upgrade it");
    cr_assert_eq(guard_journal(3, true, true, &why), GUARD_JOURNAL_DAMAGED);
    cr_assert_str_eq(why.text, "journal offset 7: format version 2: upgrade it");
}

Test(guard, input_lost_while_it_is_read_names_the_offset)
{
    cr_assert_eq(guard_fault(3, 40, 40, PORT_OFFSET_RESET, &why), GUARD_INPUT_LOST);
    assert_says("input offset 40: it is not in the log any more");
}

/* ---- the journal of partition 0, before anything is claimed ---- */

static void put_open(struct world *world, int32_t partition, int32_t partitions)
{
    struct buffer frame = {0};
    struct frame_nonce nonce = {{1, 2}};
    struct hash_key key = {{3, 4}};
    seal_open(&frame, &nonce, partition, partitions, 4711, &key, (struct text){NULL, 0});
    struct world_record record = {.value = buffer_bytes(&frame)};
    world_put(world, PORT_JOURNAL, partition, &record);
    buffer_fini(&frame);
}

static enum err begun(struct world *world)
{
    struct process *process = process_new(world, 1);
    enum err err = guard_begun(process_port(process), 0, 1000, &why);
    process_kill(process);
    return err;
}

Test(guard, a_journal_that_was_begun_with_as_many_partitions_may_be_written)
{
    struct world *world = world_new(2, 1);
    cr_assert_eq(begun(world), OK, "an empty one may");

    put_open(world, 0, 2);

    cr_assert_eq(begun(world), OK, "%s", why.text);
    world_free(world);
}

Test(guard, partitions_added_to_input_and_journal_refuse_the_start)
{
    struct world *world = world_new(4, 1);
    put_open(world, 0, 2);
    put_open(world, 1, 2);

    cr_assert_eq(begun(world), ERR_CONFIG);
    assert_says("had 2 partitions, and now it has 4");
    world_free(world);
}

/* ---- each in the life of a partition: it halts, and the other goes on ---- */

static struct fixture f;

static void setup(void)
{
    fixture_init(&f);
}

static void teardown(void)
{
    fixture_fini(&f);
}

TestSuite(guard_halts, .init = setup, .fini = teardown);

static void count_all(int ids, unsigned seed)
{
    fixture_fill(&f, ids, seed);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    host_kill(host);
}

/* Starts a process: partition 0 halts by `guard` with `words` in its reason, partition 1 runs and counts what comes. */
static struct host *assert_halts(enum guard guard, const char *words)
{
    struct host *host = host_new(f.world, &f.options);
    struct sample sample;
    sample_init(&sample, "OTHER");
    fixture_put(&f, 1, &sample);
    cr_assert_eq(host_settle(host, 30), guard != GUARD_JOURNAL_LOST, "without a journal nothing is published");

    const struct partition_status *status = host_status(host, 0);
    cr_assert_eq(counter_read(&status->phase), PARTITION_HALTED);
    cr_assert_eq(counter_read(&status->guard), guard, "%s", guard_name((enum guard)counter_read(&status->guard)));
    cr_assert(strstr(status->reason, words), "%s", status->reason);
    cr_assert_eq(counter_read(&host_status(host, 1)->phase), PARTITION_RUNNING);
    cr_assert_eq(counter_read(&host_status(host, 1)->guard), GUARD_NONE);
    cr_assert_eq(counter_read(&host_status(host, 1)->position), world_next(f.world, PORT_DECLARATIONS, 1));
    return host;
}

Test(guard_halts, input_lost_to_retention)
{
    count_all(20, 1);
    int64_t counted = world_next(f.world, PORT_DECLARATIONS, 0);
    fixture_fill(&f, 20, 2);
    world_trim(f.world, PORT_DECLARATIONS, 0, counted + 3);

    struct host *host = assert_halts(GUARD_INPUT_LOST, "deleted by retention");

    char command[128];
    snprintf(command, sizeof command, "--from %lld --to %lld", (long long)counted, (long long)counted + 3);
    cr_assert(strstr(host_status(host, 0)->reason, command), "%s", host_status(host, 0)->reason);
    host_kill(host);
}

Test(guard_halts, input_lost_while_it_is_read)
{
    fixture_fill(&f, 20, 1);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    int64_t counted = world_next(f.world, PORT_DECLARATIONS, 0);
    fixture_fill(&f, 20, 2);
    world_trim(f.world, PORT_DECLARATIONS, 0, counted + 3);

    cr_assert(host_settle(host, 60));

    const struct partition_status *status = host_status(host, 0);
    char command[128];
    snprintf(command, sizeof command, "--from %lld --to %lld", (long long)counted, (long long)counted + 3);
    cr_assert_eq(counter_read(&status->phase), PARTITION_HALTED);
    cr_assert_eq(counter_read(&status->guard), GUARD_INPUT_LOST);
    cr_assert(strstr(status->reason, command), "%s", status->reason);
    cr_assert_eq(counter_read(&host_status(host, 1)->position), world_next(f.world, PORT_DECLARATIONS, 1));
    host_kill(host);
}

Test(guard_halts, journal_lost)
{
    world_set_committed(f.world, 0, 17);
    fixture_fill(&f, 10, 1);

    host_kill(assert_halts(GUARD_JOURNAL_LOST, "Restore it"));
    cr_assert_eq(world_committed(f.world, 0), 17);
}

Test(guard_halts, input_damaged_after_all_before_it_is_counted)
{
    fixture_fill(&f, 10, 1);
    int64_t at = world_next(f.world, PORT_DECLARATIONS, 0);
    struct world_record damaged = {.fault = PORT_BAD_CRC};
    world_put(f.world, PORT_DECLARATIONS, 0, &damaged);
    fixture_fill(&f, 10, 2);

    struct host *host = assert_halts(GUARD_INPUT_DAMAGED, "its check sum is wrong");

    cr_assert_eq(counter_read(&host_status(host, 0)->position), at, "what lies before the damage is in the journal");
    host_kill(host);
}

Test(guard_halts, partitions_that_the_journal_was_not_begun_with)
{
    put_open(f.world, 0, PARTS * 2);
    fixture_fill(&f, 10, 1);

    host_kill(assert_halts(GUARD_PARTITIONS, "had 4 partitions, and now it has 2"));
}

Test(guard_halts, partitions_that_a_trimmed_journal_was_begun_with_are_still_known)
{
    f.options.snapshot_bytes = 1;
    struct host *host = host_new(f.world, &f.options);
    for (unsigned seed = 1; seed < 20 && world_first(f.world, PORT_JOURNAL, 0) == 0; seed++) {
        fixture_fill(&f, 20, seed);
        cr_assert(host_settle(host, 120));
    }
    host_kill(host);
    int64_t first = world_first(f.world, PORT_JOURNAL, 0);
    cr_assert_gt(first, 0, "nothing was trimmed");
    struct world *grown = world_new(PARTS * 2, STATISTICS_PARTS);
    struct world_record none = {.is_null = true};
    for (int64_t o = 0; o < world_next(f.world, PORT_JOURNAL, 0); o++)
        world_put(grown, PORT_JOURNAL, 0, o < first ? &none : world_at(f.world, PORT_JOURNAL, 0, o));
    world_trim(grown, PORT_JOURNAL, 0, first);

    cr_assert_eq(begun(grown), ERR_CONFIG);

    assert_says("had 2 partitions, and now it has 4");
    world_free(grown);
}

Test(guard_halts, journal_damaged)
{
    count_all(10, 1);
    struct world_record garbage = {.value = {(const uint8_t *)"garbage", 7}};
    world_put(f.world, PORT_JOURNAL, 0, &garbage);
    struct host *host = host_new(f.world, &f.options);
    fixture_pass(f.world, host);

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_HALTED);
    cr_assert_eq(counter_read(&host_status(host, 0)->guard), GUARD_JOURNAL_DAMAGED);
    cr_assert_eq(counter_read(&host_status(host, 1)->phase), PARTITION_RUNNING);
    host_kill(host);
}

Test(guard_halts, topic_limit_when_the_journal_refuses_a_frame)
{
    fixture_fill(&f, 10, 1);
    struct host *host = host_new(f.world, &f.options);
    for (int i = 0; i < 5000 && counter_read(&host_status(host, 0)->unechoed_groups) == 0; i++) {
        if (!host_step(host) && host_deliver(host, 1) == 0)
            world_set_now(f.world, world_now(f.world) + 10);
    }
    for (int i = 0; i < 500; i++) {
        host_step(host);
        if (counter_read(&host_status(host, 0)->phase) == PARTITION_RUNNING)
            process_misfortune(host_process(host), HOST_WORKER_LANE, FATE_TOO_LARGE);
        host_deliver(host, SIZE_MAX);
        world_set_now(f.world, world_now(f.world) + 10);
    }

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_HALTED);
    cr_assert_eq(counter_read(&host_status(host, 0)->guard), GUARD_TOPIC_LIMIT);
    cr_assert(strstr(host_status(host, 0)->reason, "max.message.bytes"));
    host_kill(host);
}

Test(guard_halts, and_is_no_more_once_the_cause_is_mended_and_the_process_started_again)
{
    world_set_committed(f.world, 0, 17);
    fixture_fill(&f, 10, 1);
    host_kill(assert_halts(GUARD_JOURNAL_LOST, "Restore it"));
    world_set_committed(f.world, 0, -1);
    struct host *host = host_new(f.world, &f.options);

    cr_assert(host_settle(host, 30));

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_RUNNING);
    cr_assert_eq(counter_read(&host_status(host, 0)->guard), GUARD_NONE);
    host_kill(host);
}

/* ---- idle marks ---- */

static int64_t marks(const struct host *host)
{
    return counter_read(&host_counters(host)->frames[FRAME_MARK]);
}

/* Lets `ms` of time pass with everything stepped and delivered. */
static void pass(struct host *host, int64_t ms)
{
    for (int64_t until = world_now(f.world) + ms; world_now(f.world) < until;) {
        bool did = host_step(host);
        did = host_deliver(host, SIZE_MAX) > 0 || did;
        if (!did)
            world_set_now(f.world, world_now(f.world) + 10);
    }
}

Test(guard_halts, idle_is_marked_once_per_partition_and_not_again_after_a_restart)
{
    f.options.idle_ms = 60000;
    fixture_fill(&f, 10, 1);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    cr_assert_eq(marks(host), 0);
    pass(host, 50000);
    cr_assert_eq(marks(host), 0, "not before the time");

    pass(host, 300000);

    cr_assert_eq(marks(host), PARTS);
    cr_assert_eq(counter_read(&host_status(host, 0)->is_idle), 1);
    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_RUNNING);
    host_kill(host);
    host = host_new(f.world, &f.options);
    pass(host, 300000);
    cr_assert_eq(marks(host), 0);
    cr_assert_eq(counter_read(&host_status(host, 0)->is_idle), 1);
    host_kill(host);
}

Test(guard_halts, idle_ends_with_the_next_data)
{
    f.options.idle_ms = 60000;
    struct host *host = host_new(f.world, &f.options);
    pass(host, 100000);
    cr_assert_eq(marks(host), PARTS, "a partition that never had a record is idle too");
    struct sample sample;
    sample_init(&sample, "A");

    fixture_put(&f, 0, &sample);
    pass(host, 10000);

    cr_assert_eq(counter_read(&host_status(host, 0)->is_idle), 0);
    cr_assert_eq(counter_read(&host_status(host, 1)->is_idle), 1);
    pass(host, 100000);
    cr_assert_eq(marks(host), PARTS + 1);
    cr_assert_eq(counter_read(&host_status(host, 0)->is_idle), 1);
    host_kill(host);
}

Test(guard_halts, idle_partitions_do_not_hold_back_the_watermark_and_it_never_falls)
{
    f.options.idle_ms = 60000;
    struct sample sample;
    sample_init(&sample, "A");
    fixture_put(&f, 0, &sample);
    struct host *host = host_new(f.world, &f.options);
    pass(host, 10000);
    cr_assert_eq(counter_read(&host_published(host)->watermark_ms), INT64_MIN, "partition 1 has no event time");

    pass(host, 100000);

    int64_t watermark_ms = counter_read(&host_published(host)->watermark_ms);
    cr_assert_gt(watermark_ms, 0);
    sample_init(&sample, "B");
    sample.declaration.accepted_at_ms -= 86400000;
    fixture_put(&f, 1, &sample);
    pass(host, 10000);
    cr_assert_eq(counter_read(&host_published(host)->watermark_ms), watermark_ms);
    host_kill(host);
}
