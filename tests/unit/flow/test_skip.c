/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/guard.h"
#include "flow/skip.h"
#include "host_fixture.h"

enum { LOST = 3 };

static struct fixture f;
static struct process *operator_process;
static struct skip *skip;
static uint64_t random_state;

static void setup(void)
{
    fixture_init(&f);
    operator_process = process_new(f.world, 1);
    random_state = 900;
}

static void teardown(void)
{
    skip_free(skip);
    process_kill(operator_process);
    fixture_fini(&f);
}

TestSuite(skip, .init = setup, .fini = teardown);
TestSuite(rebase, .init = setup, .fini = teardown);

static uint64_t counting(void *context)
{
    (void)context;
    return hash_mix(++random_state, HASH_P0);
}

static void begin(int64_t from, int64_t to)
{
    skip_free(skip);
    struct skip_options options = {
        .port = process_port(operator_process),
        .partition = 0,
        .from = from,
        .to = to,
        .reason = TEXT("the disk died"),
        .plan = &f.plan,
        .random = counting,
    };
    skip = skip_new(&options);
}

/* Steps until nothing is done; appends are delivered if `deliver`. */
static enum skip_phase step_all(bool deliver)
{
    bool did = true;
    while (did) {
        did = skip_step(skip);
        if (deliver)
            did = process_deliver(operator_process, 0) || did;
    }
    return skip_phase(skip);
}

static void assert_fails(enum err err, const char *words)
{
    struct err_info why;
    cr_assert_eq(skip_phase(skip), SKIP_FAILED);
    cr_assert_eq(skip_error(skip, &why), err, "%s: %s", err_name(skip_error(skip, &why)), why.text);
    cr_assert(strstr(why.text, words), "%s", why.text);
}

static int64_t frames(void)
{
    return world_next(f.world, PORT_JOURNAL, 0);
}

/* Partition 0 is counted, then loses LOST records behind that to retention. Returns where it stands. */
static int64_t lose(void)
{
    fixture_fill(&f, 20, 1);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    host_kill(host);
    int64_t counted = world_next(f.world, PORT_DECLARATIONS, 0);
    fixture_fill(&f, 20, 2);
    world_trim(f.world, PORT_DECLARATIONS, 0, counted + LOST);
    return counted;
}

Test(skip, tells_what_is_lost_and_writes_nothing_before_it_is_confirmed)
{
    int64_t counted = lose();
    int64_t before = frames();
    begin(counted, counted + LOST + 1);

    cr_assert_eq(step_all(true), SKIP_READY);

    const struct skip_found *found = skip_found(skip);
    cr_assert_eq(found->position, counted);
    cr_assert_eq(found->input.low, counted + LOST);
    cr_assert_eq(found->readable, 1);
    cr_assert_gt(found->ledger_entries, 0);
    cr_assert_eq(frames(), before);
}

Test(skip, is_claimed_written_and_read_back)
{
    int64_t counted = lose();
    int64_t before = frames();
    begin(counted, counted + LOST);
    step_all(true);
    skip_confirm(skip);

    cr_assert_eq(step_all(true), SKIP_DONE);

    cr_assert_eq(frames(), before + 2, "an OPEN and a SKIP");
    struct frame frame;
    struct err_info why;
    struct bytes reason;
    cr_assert_eq(frame_parse(world_at(f.world, PORT_JOURNAL, 0, before + 1)->value, &frame, &why), OK);
    cr_assert_eq(frame.kind, FRAME_SKIP);
    cr_assert_eq(frame.lo, counted);
    cr_assert_eq(frame.hi, counted + LOST);
    cr_assert(frame_find_section(&frame, SECTION_REASON, &reason));
    cr_assert_eq(reason.length, strlen("the disk died"));
    cr_assert_eq(memcmp(reason.data, "the disk died", reason.length), 0);
}

/* All of the input but [counted, counted + LOST) of partition 0, counted in one go. */
static char *dump_of_what_is_left(int64_t counted)
{
    struct fixture whole;
    struct fixture left;
    fixture_init(&whole);
    fixture_init(&left);
    fixture_fill(&whole, 20, 1);
    fixture_fill(&whole, 20, 2);
    for (int32_t p = 0; p < PARTS; p++) {
        for (int64_t o = 0; o < world_next(whole.world, PORT_DECLARATIONS, p); o++) {
            if (p != 0 || o < counted || o >= counted + LOST)
                world_put(left.world, PORT_DECLARATIONS, p, world_at(whole.world, PORT_DECLARATIONS, p, o));
        }
    }
    struct host *host = host_new(left.world, &left.options);
    cr_assert(host_settle(host, 60));
    char *dump = fixture_dump(&left);
    host_kill(host);
    fixture_fini(&left);
    fixture_fini(&whole);
    return dump;
}

Test(skip, lets_a_stopped_processor_go_on_and_totals_are_those_of_what_is_left)
{
    int64_t counted = lose();
    begin(counted, counted + LOST);
    step_all(true);
    skip_confirm(skip);
    cr_assert_eq(step_all(true), SKIP_DONE);
    struct host *host = host_new(f.world, &f.options);

    cr_assert(host_settle(host, 60));

    char *dump = fixture_dump(&f);
    char *left = dump_of_what_is_left(counted);
    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_RUNNING);
    cr_assert_str_eq(dump, left);
    cr_assert_gt(strlen(dump), 1000);
    free(left);
    free(dump);
    host_kill(host);
}

Test(skip, lets_a_running_processor_with_the_halted_partition_go_on_by_itself)
{
    int64_t counted = lose();
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    cr_assert_eq(counter_read(&host_status(host, 0)->guard), GUARD_INPUT_LOST);
    begin(counted, counted + LOST);
    step_all(true);
    skip_confirm(skip);
    cr_assert_eq(step_all(true), SKIP_DONE);

    cr_assert(host_settle(host, 60));

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_RUNNING);
    cr_assert_eq(counter_read(&host_status(host, 0)->guard), GUARD_NONE);
    cr_assert_eq(counter_read(&host_status(host, 0)->position), world_next(f.world, PORT_DECLARATIONS, 0));
    host_kill(host);
}

Test(skip, of_a_damaged_record_lets_all_behind_it_count)
{
    struct sample sample;
    sample_init(&sample, "A");
    fixture_put(&f, 0, &sample);
    struct world_record damaged = {.fault = PORT_BAD_CRC};
    world_put(f.world, PORT_DECLARATIONS, 0, &damaged);
    sample_init(&sample, "B");
    fixture_put(&f, 0, &sample);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    cr_assert_eq(counter_read(&host_status(host, 0)->guard), GUARD_INPUT_DAMAGED);
    begin(1, 2);
    step_all(true);
    skip_confirm(skip);
    step_all(true);

    cr_assert(host_settle(host, 60));

    char *dump = fixture_dump(&f);
    cr_assert_eq(fixture_value(dump, "flow|DAY|20250715|20250715|flow=M"), 200000, "A and B");
    cr_assert_eq(counter_read(&host_status(host, 0)->position), 3);
    free(dump);
    host_kill(host);
}

Test(skip, must_begin_where_the_partition_stands)
{
    int64_t counted = lose();

    begin(counted + 1, counted + LOST);
    step_all(true);
    assert_fails(ERR_CONFIG, "a hole must begin there");

    begin(counted - 1, counted + LOST);
    step_all(true);
    assert_fails(ERR_CONFIG, "a hole must begin there");
}

Test(skip, is_neither_empty_nor_longer_than_the_log)
{
    int64_t counted = lose();

    begin(counted, counted);
    step_all(true);
    assert_fails(ERR_CONFIG, "must lie above --from");

    begin(counted, world_next(f.world, PORT_DECLARATIONS, 0) + 1);
    step_all(true);
    assert_fails(ERR_CONFIG, "what is not written yet");
}

Test(skip, may_reach_the_end_of_the_log)
{
    int64_t counted = lose();

    begin(counted, world_next(f.world, PORT_DECLARATIONS, 0));

    cr_assert_eq(step_all(true), SKIP_READY);
}

Test(skip, does_not_replace_a_lost_journal)
{
    fixture_fill(&f, 20, 1);
    world_set_committed(f.world, 0, 5);
    begin(0, 5);
    step_all(true);

    assert_fails(ERR_BROKEN, "Restore it");
}

Test(skip, does_not_mend_a_corrupt_journal)
{
    int64_t counted = lose();
    struct world_record garbage = {.value = {(const uint8_t *)"garbage", 7}};
    world_put(f.world, PORT_JOURNAL, 0, &garbage);
    begin(counted, counted + LOST);
    step_all(true);

    assert_fails(ERR_BROKEN, "takes no SKIP");
}

static void step_until_it_writes(void)
{
    while (process_queued(operator_process, 0) == 0)
        cr_assert(skip_step(skip));
}

Test(skip, gives_way_to_an_owner_that_claims_between_its_claim_and_its_hole)
{
    int64_t counted = lose();
    begin(counted, counted + LOST);
    step_all(true);
    skip_confirm(skip);
    step_until_it_writes();
    process_deliver(operator_process, 0); /* the OPEN */
    step_until_it_writes();
    struct host *host = host_new(f.world, &f.options); /* claims now, halts, and stays halted: nothing was skipped */
    cr_assert(host_settle(host, 30));

    cr_assert_eq(step_all(true), SKIP_FAILED);

    assert_fails(ERR_FENCED, "claimed partition 0 meanwhile");
    cr_assert(host_settle(host, 30));
    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_HALTED);
    host_kill(host);
}

Test(skip, gives_way_to_an_owner_that_claims_right_behind_its_claim)
{
    int64_t counted = lose();
    begin(counted, counted + LOST);
    step_all(true);
    skip_confirm(skip);
    step_until_it_writes();
    process_deliver(operator_process, 0);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));

    step_all(true);

    assert_fails(ERR_FENCED, "claimed partition 0 at the same moment");
    host_kill(host);
}

Test(skip, of_a_partition_that_a_live_owner_counts_is_refused_and_the_owner_goes_on)
{
    fixture_fill(&f, 20, 1);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 30));
    int64_t counted = world_next(f.world, PORT_DECLARATIONS, 0);
    fixture_fill(&f, 20, 2);
    begin(counted, counted + LOST);
    step_all(true);
    cr_assert(host_settle(host, 30)); /* it counts on while the operator thinks */
    skip_confirm(skip);
    step_all(true);

    assert_fails(ERR_CONFIG, "a hole must begin there");
    cr_assert(host_settle(host, 60));
    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_RUNNING);
    cr_assert_eq(counter_read(&host_counters(host)->frames[FRAME_SKIP]), 0);
    cr_assert_eq(counter_read(&host_status(host, 0)->position), world_next(f.world, PORT_DECLARATIONS, 0));
    host_kill(host);
}

Test(skip, whose_write_is_not_confirmed_says_to_try_again_and_tells_then_that_it_is_done)
{
    int64_t counted = lose();
    begin(counted, counted + LOST);
    step_all(true);
    skip_confirm(skip);
    step_until_it_writes();
    process_deliver(operator_process, 0);
    step_until_it_writes();
    process_misfortune(operator_process, 0, FATE_LANDS_ACK_LOST);
    step_all(true);
    assert_fails(ERR_PEER, "Try again");

    begin(counted, counted + LOST);
    step_all(true);

    char words[64];
    snprintf(words, sizeof words, "counted up to input offset %lld", (long long)counted + LOST);
    assert_fails(ERR_CONFIG, words);
}

Test(skip, that_is_larger_than_the_topic_takes_names_the_setting)
{
    int64_t counted = lose();
    begin(counted, counted + LOST);
    step_all(true);
    skip_confirm(skip);
    step_until_it_writes();
    process_misfortune(operator_process, 0, FATE_TOO_LARGE);
    step_all(true);

    assert_fails(ERR_CONFIG, "max.message.bytes");
}

/* ---- a rebase ---- */

static void begin_rebase(uint64_t plan_id)
{
    skip_free(skip);
    struct skip_options options = {
        .port = process_port(operator_process),
        .partition = 0,
        .rebase = true,
        .reason = TEXT("a bad sector"),
        .plan = &f.plan,
        .plan_id = plan_id,
        .units = TEXT("CN CNY"),
        .random = counting,
    };
    skip = skip_new(&options);
}

/* The whole of it. */
static void rebase(void)
{
    struct err_info why = {{0}};
    begin_rebase(f.options.plan_id);
    if (step_all(true) == SKIP_READY) {
        skip_confirm(skip);
        step_all(true);
    }
    if (skip_phase(skip) == SKIP_FAILED)
        skip_error(skip, &why);
    cr_assert_eq(skip_phase(skip), SKIP_DONE, "%s", why.text);
}

/* A process with nonces of its own. */
static struct host *another_host(void)
{
    f.options.seed++;
    return host_new(f.world, &f.options);
}

static void count_all(void)
{
    struct host *host = another_host();
    cr_assert(host_settle(host, 60));
    host_kill(host);
}

/* The journals of the world again, with one record of partition 0 replaced. Returns how many there are in partition 0. */
static int64_t replace(int64_t offset, const struct world_record *record)
{
    struct world *world = world_new(PARTS, STATISTICS_PARTS);
    world_set_now(world, world_now(f.world));
    for (int32_t p = 0; p < PARTS; p++) {
        for (int64_t o = 0; o < world_next(f.world, PORT_DECLARATIONS, p); o++)
            world_put(world, PORT_DECLARATIONS, p, world_at(f.world, PORT_DECLARATIONS, p, o));
        for (int64_t o = 0; o < world_next(f.world, PORT_JOURNAL, p); o++)
            world_put(world, PORT_JOURNAL, p,
                      p == 0 && o == offset ? record : world_at_ever(f.world, PORT_JOURNAL, p, o));
        world_set_committed(world, p, world_committed(f.world, p));
    }
    for (int64_t o = 0; o < world_next(f.world, PORT_REJECTS, 0); o++)
        world_put(world, PORT_REJECTS, 0, world_at(f.world, PORT_REJECTS, 0, o));
    for (int32_t p = 0; p < STATISTICS_PARTS; p++) {
        for (int64_t o = 0; o < world_next(f.world, PORT_STATISTICS, p); o++)
            world_put(world, PORT_STATISTICS, p, world_at(f.world, PORT_STATISTICS, p, o));
    }
    world_trim(world, PORT_JOURNAL, 0, world_first(f.world, PORT_JOURNAL, 0));
    skip_free(skip);
    skip = NULL;
    process_kill(operator_process);
    world_free(f.world);
    f.world = world;
    operator_process = process_new(world, 1);
    return world_next(world, PORT_JOURNAL, 0);
}

static const struct world_record garbage = {.value = {(const uint8_t *)"garbage", 7}};
static const struct world_record bad_sector = {.fault = PORT_BAD_CRC};

/* All of the input, counted in one go. */
static char *dump_of_all(int seeds)
{
    struct fixture whole;
    fixture_init(&whole);
    for (int seed = 1; seed <= seeds; seed++)
        fixture_fill(&whole, 20, (unsigned)seed);
    struct host *host = host_new(whole.world, &whole.options);
    cr_assert(host_settle(host, 60));
    char *dump = fixture_dump(&whole);
    host_kill(host);
    fixture_fini(&whole);
    return dump;
}

static void assert_totals_are_those_of_all(int seeds)
{
    char *dump = fixture_dump(&f);
    char *all = dump_of_all(seeds);
    cr_assert_str_eq(dump, all);
    cr_assert_gt(strlen(dump), 1000);
    free(all);
    free(dump);
}

/* Steps and delivers for a while of virtual time. */
static void let_run(struct host *host, int seconds)
{
    for (int i = 0; i < seconds * 20; i++) {
        while (host_step(host) || host_deliver(host, 1000) > 0) {
        }
        world_set_now(f.world, world_now(f.world) + 50);
    }
}

static void assert_halted(const struct host *host, int32_t partition, enum guard guard)
{
    cr_assert_eq(counter_read(&host_status(host, partition)->phase), PARTITION_HALTED);
    cr_assert_eq(counter_read(&host_status(host, partition)->guard), guard);
}

Test(rebase, of_a_corrupt_journal_lets_a_running_processor_go_on_by_itself_and_loses_nothing)
{
    fixture_fill(&f, 20, 1);
    count_all();
    int64_t counted = world_next(f.world, PORT_DECLARATIONS, 0);
    int64_t broken_at = world_put(f.world, PORT_JOURNAL, 0, &garbage);
    fixture_fill(&f, 20, 2);
    struct host *host = another_host();
    let_run(host, 10);
    assert_halted(host, 0, GUARD_JOURNAL_DAMAGED);
    cr_assert(strstr(host_status(host, 0)->reason, "skip --partition 0 --rebase"), "%s", host_status(host, 0)->reason);
    cr_assert_eq(counter_read(&host_status(host, 1)->phase), PARTITION_RUNNING, "the other goes on");
    begin_rebase(f.options.plan_id);

    cr_assert_eq(step_all(true), SKIP_READY);
    const struct skip_found *found = skip_found(skip);
    cr_assert_eq(found->position, counted);
    cr_assert_eq(found->broken_at, broken_at);
    cr_assert(strstr(found->why.text, "no journal frame"), "%s", found->why.text);
    skip_confirm(skip);
    cr_assert_eq(step_all(true), SKIP_DONE);

    cr_assert(host_settle(host, 60));
    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_RUNNING);
    cr_assert_eq(counter_read(&host_status(host, 0)->position), world_next(f.world, PORT_DECLARATIONS, 0));
    host_kill(host);
    assert_totals_are_those_of_all(2);
}

Test(rebase, says_its_reason_in_its_first_slice)
{
    fixture_fill(&f, 20, 1);
    count_all();
    int64_t broken_at = world_put(f.world, PORT_JOURNAL, 0, &garbage);
    rebase();

    struct frame frame;
    struct bytes reason;
    struct slice_head head;
    cr_assert_eq(frame_parse(world_at(f.world, PORT_JOURNAL, 0, broken_at + 2)->value, &frame, NULL), OK);
    cr_assert_eq(frame.kind, FRAME_SNAP);
    cr_assert(slice_get_head(frame.payload, &head) && head.rebase && head.slice == 0);
    cr_assert(frame_find_section(&frame, SECTION_REASON, &reason));
    cr_assert_eq(memcmp(reason.data, "a bad sector", reason.length), 0);
}

/* Each place of a journal of several groups breaks in turn, by garbage and by a record that can't be read, behind an owner that had passed it. */
Test(rebase, wherever_the_journal_breaks_ends_with_the_totals_of_all_the_input)
{
    fixture_fill(&f, 20, 1);
    count_all();
    fixture_fill(&f, 20, 2);
    count_all();
    int64_t frames_before = frames();
    for (int64_t at = 0; at < frames_before; at += 1 + at % 2) {
        teardown();
        skip = NULL;
        setup();
        fixture_fill(&f, 20, 1);
        count_all();
        fixture_fill(&f, 20, 2);
        count_all();
        replace(at, at % 2 ? &garbage : &bad_sector);
        rebase();
        count_all();
        assert_totals_are_those_of_all(2);
    }
}

/* The last byte of a record is its control totals': sealed again, only a fold can tell. */
Test(rebase, goes_back_to_before_a_group_that_does_not_add_up)
{
    fixture_fill(&f, 20, 1);
    count_all();
    int64_t counted = world_next(f.world, PORT_DECLARATIONS, 0);
    int64_t first = frames();
    fixture_fill(&f, 20, 2);
    count_all();
    struct frame frame = {0};
    int64_t at = first - 1;
    while (frame.kind != FRAME_DATA || !frame.last)
        cr_assert_eq(frame_parse(world_at(f.world, PORT_JOURNAL, 0, ++at)->value, &frame, NULL), OK);
    struct buffer copy = {0};
    struct bytes value = world_at(f.world, PORT_JOURNAL, 0, at)->value;
    buffer_add(&copy, value.data, value.length);
    copy.data[copy.length - 1] ^= 2;
    frame_seal(copy.data, copy.length, &frame.nonce, frame.seq);
    replace(at, &(struct world_record){.value = buffer_bytes(&copy)});
    buffer_fini(&copy);

    begin_rebase(f.options.plan_id);
    cr_assert_eq(step_all(true), SKIP_READY);
    cr_assert_eq(skip_found(skip)->position, counted);
    cr_assert_eq(skip_found(skip)->broken_at, at);
    cr_assert(strstr(skip_found(skip)->why.text, "control totals"), "%s", skip_found(skip)->why.text);
    skip_confirm(skip);
    cr_assert_eq(step_all(true), SKIP_DONE);
    count_all();
    assert_totals_are_those_of_all(2);
}

Test(rebase, of_a_journal_in_order_is_refused)
{
    fixture_fill(&f, 20, 1);
    count_all();
    int64_t before = frames();
    begin_rebase(f.options.plan_id);
    step_all(true);

    assert_fails(ERR_CONFIG, "is in order");
    cr_assert_eq(frames(), before);
}

Test(rebase, that_is_done_is_refused_the_second_time)
{
    fixture_fill(&f, 20, 1);
    count_all();
    world_put(f.world, PORT_JOURNAL, 0, &garbage);
    rebase();
    begin_rebase(f.options.plan_id);
    step_all(true);

    assert_fails(ERR_CONFIG, "is in order");
}

Test(rebase, with_nothing_whole_before_the_break_is_refused_and_says_what_is_left)
{
    f.options.snapshot_bytes = 1;
    fixture_fill(&f, 20, 1);
    struct host *host = another_host();
    for (unsigned seed = 2; world_first(f.world, PORT_JOURNAL, 0) == 0; seed++) {
        cr_assert_lt(seed, 200);
        fixture_fill(&f, 20, seed);
        let_run(host, 5);
    }
    host_kill(host);
    replace(world_first(f.world, PORT_JOURNAL, 0) + 3, &garbage);
    begin_rebase(f.options.plan_id);
    step_all(true);

    assert_fails(ERR_BROKEN, "nothing whole");
}

Test(rebase, of_a_journal_of_a_newer_program_is_refused)
{
    fixture_fill(&f, 20, 1);
    count_all();
    struct frame frame = {.kind = FRAME_DATA, .last = true, .nonce = {{1, 1}}, .seq = 1};
    uint8_t bytes[FRAME_HEADER_BYTES];
    frame_write_header(&frame, bytes);
    bytes[4] = FRAME_VERSION + 1;
    frame_seal(bytes, sizeof bytes, &frame.nonce, 1);
    world_put(f.world, PORT_JOURNAL, 0, &(struct world_record){.value = {bytes, sizeof bytes}});
    begin_rebase(f.options.plan_id);
    step_all(true);

    assert_fails(ERR_CONFIG, "newer program");
}

Test(rebase, that_dies_between_two_slices_changes_nothing_and_the_next_one_counts)
{
    fixture_fill(&f, 20, 1);
    count_all();
    world_put(f.world, PORT_JOURNAL, 0, &garbage);
    begin_rebase(f.options.plan_id);
    step_all(true);
    skip_confirm(skip);
    while (skip_phase(skip) != SKIP_WRITING) {
        skip_step(skip);
        process_deliver(operator_process, 0);
    }
    skip_step(skip);
    for (int i = 0; i < 5; i++)
        cr_assert(process_deliver(operator_process, 0));
    skip_free(skip);
    skip = NULL;
    process_kill(operator_process);
    operator_process = process_new(f.world, 1);
    struct host *host = another_host();
    let_run(host, 10);
    assert_halted(host, 0, GUARD_JOURNAL_DAMAGED);

    rebase();

    cr_assert(host_settle(host, 60));
    host_kill(host);
    assert_totals_are_those_of_all(1);
}

Test(rebase, gives_way_to_an_owner_that_had_passed_the_break_and_claims_again_and_the_second_try_counts)
{
    fixture_fill(&f, 20, 1);
    struct host *host = another_host();
    cr_assert(host_settle(host, 30));
    world_put(f.world, PORT_JOURNAL, 0, &garbage); /* it sees it in its echo, and halts */
    begin_rebase(f.options.plan_id);
    step_all(true);
    skip_confirm(skip);
    step_until_it_writes();
    process_deliver(operator_process, 0); /* the OPEN */
    host_kill(host);
    host = another_host(); /* claims behind it, and halts */
    let_run(host, 10);
    assert_halted(host, 0, GUARD_JOURNAL_DAMAGED);
    step_all(true);
    assert_fails(ERR_FENCED, "claimed partition 0");

    rebase();

    cr_assert(host_settle(host, 60));
    host_kill(host);
    assert_totals_are_those_of_all(1);
}

Test(rebase, under_another_plan_counts_the_cells_as_that_plan_does_and_needs_no_replan)
{
    fixture_fill(&f, 20, 1);
    count_all();
    world_put(f.world, PORT_JOURNAL, 0, &garbage);
    world_put(f.world, PORT_JOURNAL, 1, &garbage);
    f.options.plan_id++;
    rebase();
    struct frame frame;
    cr_assert_eq(frame_parse(world_at(f.world, PORT_JOURNAL, 0, frames() - 1)->value, &frame, NULL), OK);
    cr_assert_eq(frame.plan, f.options.plan_id);
    struct host *host = another_host();
    let_run(host, 10);

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_RUNNING);
    cr_assert_eq(counter_read(&host_counters(host)->frames[FRAME_SNAP]), 0);
    host_kill(host);
}

Test(rebase, whose_input_is_gone_above_the_prefix_leaves_that_to_the_guard_and_a_skip)
{
    fixture_fill(&f, 20, 1);
    count_all();
    int64_t counted = world_next(f.world, PORT_DECLARATIONS, 0);
    world_put(f.world, PORT_JOURNAL, 0, &garbage);
    fixture_fill(&f, 20, 2);
    world_trim(f.world, PORT_DECLARATIONS, 0, counted + LOST);
    rebase();
    struct host *host = another_host();
    let_run(host, 10);
    assert_halted(host, 0, GUARD_INPUT_LOST);
    begin(counted, counted + LOST);
    step_all(true);
    skip_confirm(skip);
    cr_assert_eq(step_all(true), SKIP_DONE);

    cr_assert(host_settle(host, 60));
    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_RUNNING);
    host_kill(host);
}

/* What halts a newcomer is of the past as soon as the log is trimmed beyond it. */
Test(rebase, is_not_needed_when_a_trim_takes_the_break_away)
{
    f.options.snapshot_bytes = 1;
    fixture_fill(&f, 20, 1);
    struct host *host = another_host();
    for (unsigned seed = 2; world_first(f.world, PORT_JOURNAL, 0) == 0; seed++) {
        cr_assert_lt(seed, 200);
        fixture_fill(&f, 20, seed);
        let_run(host, 5);
    }
    host_kill(host);
    int64_t first = world_first(f.world, PORT_JOURNAL, 0);
    struct slice_head head = {.slice = 1};
    int64_t next = first;
    for (struct frame frame = {0};
         frame.kind != FRAME_SNAP || !slice_get_head(frame.payload, &head) || head.slice != 0;)
        cr_assert_eq(frame_parse(world_at(f.world, PORT_JOURNAL, 0, ++next)->value, &frame, NULL), OK);
    replace(first + 3, &bad_sector);
    host = another_host();
    let_run(host, 10);
    assert_halted(host, 0, GUARD_JOURNAL_DAMAGED);

    world_trim(f.world, PORT_JOURNAL, 0, next);

    let_run(host, 20);
    cr_assert(host_settle(host, 60));
    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_RUNNING);
    host_kill(host);
}
