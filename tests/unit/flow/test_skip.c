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

Test(skip, gives_way_to_an_owner_that_claims_between_its_claim_and_its_hole)
{
    int64_t counted = lose();
    begin(counted, counted + LOST);
    step_all(true);
    skip_confirm(skip);
    while (process_queued(operator_process, 0) == 0)
        skip_step(skip);
    process_deliver(operator_process, 0); /* the OPEN */
    while (process_queued(operator_process, 0) == 0)
        cr_assert(skip_step(skip));
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
    while (process_queued(operator_process, 0) == 0)
        skip_step(skip);
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
    while (process_queued(operator_process, 0) == 0)
        skip_step(skip);
    process_deliver(operator_process, 0);
    while (process_queued(operator_process, 0) == 0)
        skip_step(skip);
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
    while (process_queued(operator_process, 0) == 0)
        skip_step(skip);
    process_misfortune(operator_process, 0, FATE_TOO_LARGE);
    step_all(true);

    assert_fails(ERR_CONFIG, "max.message.bytes");
}
