/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/journals.h"

#include "sim/storm.h"
#include "sim/world.h"
#include "unit/flow/journal_fixture.h"

#include <criterion/criterion.h>

enum { ECHOES_MOST = 1000 };

static struct view_plan plan;
static struct world *world;
static struct process *process;
static struct maker maker;
static struct echo echoes[ECHOES_MOST];
static uint32_t echo_count;
static uint32_t echo_room;
static uint32_t groups;
static enum err fold_result;

static bool take_echo(void *context, const struct echo *echo)
{
    (void)context;
    if (echo_count == echo_room)
        return false;
    echoes[echo_count++] = *echo;
    return true;
}

static enum err count_group(void *context, int32_t partition, const struct frame *frames, uint32_t count,
                            struct err_info *info)
{
    (void)context;
    (void)partition;
    (void)frames;
    (void)count;
    groups++;
    return fold_result == OK ? OK : err_set(info, fold_result, "the fold says no");
}

static void setup(void)
{
    view_plan_default(&plan);
    world = world_new(2, 1);
    world_set_now(world, 1000000);
    process = process_new(world, 1);
    maker_init(&maker, &plan, 0);
    echo_count = 0;
    echo_room = ECHOES_MOST;
    groups = 0;
    fold_result = OK;
}

static void teardown(void)
{
    maker_fini(&maker);
    process_kill(process);
    world_free(world);
}

TestSuite(journals, .init = setup, .fini = teardown);

static struct journals *journals_with(bool folds)
{
    return journals_new(&(struct journals_options){
        .port = process_port(process), .partitions = 2, .fold = folds ? count_group : NULL, .echo = take_echo});
}

static void put(struct bytes bytes)
{
    world_put(world, PORT_JOURNAL, 0, &(struct world_record){.value = bytes, .timestamp_ms = world_now(world)});
}

static bool step(struct journals *journals)
{
    return journals_step(journals, world_now(world));
}

static void expect_halt(struct journals *journals, const char *words)
{
    int64_t position;
    struct err_info info;
    journals_health(journals, 0, &position, &info);
    cr_assert(strstr(info.text, words), "\"%s\" does not say \"%s\"", info.text, words);
    cr_assert(journals_are_halted(journals));
    cr_assert(!journals_are_folded(journals));
}

Test(journals, a_fault_halts_its_partition_and_tells_the_owner)
{
    put(maker_open(&maker));
    world_put(world, PORT_JOURNAL, 0, &(struct world_record){.fault = PORT_BAD_CRC});
    struct journals *journals = journals_with(true);
    journals_watch(journals, 0, true);

    step(journals);
    expect_halt(journals, "journal offset 1: the record's check sum is wrong");
    put(maker_data(&maker));
    step(journals);

    cr_assert_eq(echo_count, 3, "it is read on, for a rebase may come");
    cr_assert_eq(echoes[1].branch, READER_HALTED);
    cr_assert_eq(echoes[2].branch, READER_HALTED);
    cr_assert_eq(groups, 0);
    expect_halt(journals, "journal offset 1: the record's check sum is wrong");
    journals_free(journals);
}

Test(journals, bytes_that_are_no_frame_halt)
{
    put((struct bytes){(const uint8_t *)"nonsense", 8});
    struct journals *journals = journals_with(true);
    step(journals);
    expect_halt(journals, "no journal frame");
    journals_free(journals);
}

Test(journals, a_fold_that_refuses_halts)
{
    fold_result = ERR_BROKEN;
    put(maker_open(&maker));
    put(maker_data(&maker));
    struct journals *journals = journals_with(true);
    step(journals);
    expect_halt(journals, "the fold says no");
    journals_free(journals);
}

Test(journals, a_journal_whose_records_were_all_deleted_is_no_empty_one)
{
    put(maker_open(&maker));
    put(maker_data(&maker));
    world_trim(world, PORT_JOURNAL, 0, 2);
    struct journals *journals = journals_with(true);
    step(journals);
    expect_halt(journals, "all records of the journal were deleted");
    journals_free(journals);
}

Test(journals, a_journal_that_is_trimmed_beyond_the_fold_asks_for_a_new_one)
{
    put(maker_open(&maker));
    put(maker_data(&maker));
    struct journals *journals = journals_with(true);
    step(journals);
    cr_assert(journals_are_folded(journals));
    put(maker_data(&maker));
    put(maker_data(&maker));
    world_trim(world, PORT_JOURNAL, 0, 3);

    step(journals);
    cr_assert(journals_are_cut(journals));
    cr_assert(!journals_are_folded(journals));
    cr_assert(!journals_are_halted(journals), "it mends itself");
    cr_assert(!step(journals), "nothing is read before the fold is empty");

    journals_restart(journals);
    cr_assert(!journals_are_cut(journals));
    step(journals);
    expect_halt(journals, "first records were deleted"); /* here they were: no slice stands at the beginning */
    journals_free(journals);
}

/* All slices of a rebase, as of `maker`'s position. */
static void put_rebase(void)
{
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        struct buffer payload = {0};
        struct slice_head head = {.slice = slice, .rebase = true};
        slice_put_head(&payload, &head);
        put(maker_seal(&maker, FRAME_SNAP, true, maker.hi, &payload));
        buffer_fini(&payload);
    }
}

Test(journals, a_rebase_asks_for_a_new_fold_that_begins_there)
{
    put(maker_open(&maker));
    put((struct bytes){(const uint8_t *)"nonsense", 8});
    struct journals *journals = journals_with(true);
    journals_watch(journals, 0, true);
    step(journals);
    expect_halt(journals, "no journal frame");
    put(maker_open(&maker));
    int64_t from = world_next(world, PORT_JOURNAL, 0);
    put_rebase();
    step(journals);

    cr_assert(journals_are_cut(journals));
    cr_assert_not(journals_are_folded(journals));
    cr_assert_eq(echoes[echo_count - 1].branch, READER_REBASED, "its owner knows");
    cr_assert_eq(groups, 0);

    echo_count = 0;
    journals_restart(journals);
    while (step(journals))
        ;
    cr_assert_not(journals_are_halted(journals));
    cr_assert(journals_are_folded(journals));
    cr_assert_eq(groups, SLICES);
    cr_assert_eq(echoes[0].offset, from);
    journals_restart(journals);
    while (step(journals))
        ;
    cr_assert_not(journals_are_cut(journals), "the break is not read again");
    cr_assert(journals_are_folded(journals));
    journals_free(journals);
}

Test(journals, a_rebase_without_a_fold_is_read_again_by_itself)
{
    put(maker_open(&maker));
    put((struct bytes){(const uint8_t *)"nonsense", 8});
    put(maker_open(&maker));
    put_rebase();
    struct journals *journals = journals_with(false);
    journals_watch(journals, 0, true);
    for (int i = 0; i < 5; i++)
        step(journals);

    cr_assert_not(journals_are_halted(journals));
    cr_assert_not(journals_are_cut(journals));
    cr_assert_eq(echoes[echo_count - 1].branch, READER_APPLIED);
    journals_free(journals);
}

Test(journals, a_rebase_whose_echo_finds_no_room_waits_and_is_not_lost_when_nobody_watches_any_more)
{
    put(maker_open(&maker));
    put((struct bytes){(const uint8_t *)"nonsense", 8});
    put(maker_open(&maker));
    put_rebase();
    struct journals *journals = journals_with(false);
    journals_watch(journals, 0, true);
    echo_room = 3 + SLICES - 1;
    for (int i = 0; i < 3; i++)
        step(journals);
    cr_assert(journals_are_halted(journals), "the last slice is judged, and not told");

    journals_watch(journals, 0, false);

    cr_assert_not(journals_are_halted(journals));
    journals_free(journals);
}

Test(journals, a_break_that_is_trimmed_away_is_forgotten)
{
    put(maker_open(&maker));
    put((struct bytes){(const uint8_t *)"nonsense", 8});
    put(maker_open(&maker));
    struct journals *journals = journals_with(true);
    step(journals);
    cr_assert(journals_are_halted(journals));
    put_rebase();
    world_trim(world, PORT_JOURNAL, 0, 3);
    world_set_now(world, world_now(world) + 6000);
    step(journals);

    cr_assert(journals_are_cut(journals));
    journals_restart(journals);
    while (step(journals))
        ;
    cr_assert(journals_are_folded(journals));
    journals_free(journals);
}

Test(journals, empty_journals_are_folded_at_once)
{
    struct journals *journals = journals_with(true);
    cr_assert(!journals_are_folded(journals));
    cr_assert(!step(journals));
    cr_assert(journals_are_folded(journals));
    cr_assert_eq(journals_event_ms(journals), INT64_MIN);
    journals_free(journals);
}

Test(journals, only_watched_partitions_are_echoed)
{
    put(maker_open(&maker));
    struct journals *journals = journals_with(true);
    step(journals);
    cr_assert_eq(echo_count, 0);
    journals_watch(journals, 0, true);
    put(maker_data(&maker));
    step(journals);

    cr_assert_eq(echo_count, 1);
    cr_assert_eq(echoes[0].branch, READER_APPLIED);
    cr_assert(echoes[0].kind == FRAME_DATA && echoes[0].last && echoes[0].seq == 1 && echoes[0].offset == 1);
    cr_assert(frame_nonce_equal(&echoes[0].nonce, &maker.nonce));
    journals_free(journals);
}

Test(journals, without_a_fold_only_watched_partitions_are_read_and_later_from_where_they_were_left)
{
    put(maker_open(&maker));
    struct journals *journals = journals_with(false);
    cr_assert(!step(journals));
    journals_watch(journals, 0, true);
    step(journals);
    cr_assert_eq(echo_count, 1);
    journals_watch(journals, 0, false);
    put(maker_data(&maker));
    cr_assert(!step(journals));
    journals_watch(journals, 0, true);
    step(journals);

    cr_assert_eq(echo_count, 2);
    cr_assert_eq(echoes[1].branch, READER_APPLIED);
    journals_free(journals);
}

Test(journals, an_echo_without_room_is_offered_again_and_each_comes_once)
{
    put(maker_open(&maker));
    for (int i = 0; i < 40; i++)
        put(maker_data(&maker));
    struct journals *journals = journals_with(true);
    journals_watch(journals, 0, true);
    echo_room = 3;
    step(journals);
    cr_assert_eq(echo_count, 3);
    cr_assert(!step(journals));
    cr_assert_leq(groups, 3);
    for (echo_room = 4; echo_room <= 50; echo_room++)
        step(journals);

    cr_assert_eq(echo_count, 41);
    for (uint32_t i = 0; i < echo_count; i++)
        cr_assert_eq(echoes[i].offset, i);
    cr_assert_eq(groups, 40);
    journals_free(journals);
}

/* Slices of a snapshot come by megabytes: who reads them has not fallen behind the input, and may publish at once. */
Test(journals, a_step_is_bounded_and_much_that_is_new_is_not_behind)
{
    put(maker_open(&maker));
    for (int i = 0; i < 3 * JOURNALS_RECORDS; i++)
        put(maker_data(&maker));
    struct journals *journals = journals_with(true);

    cr_assert(step(journals));
    cr_assert_lt(groups, 2 * JOURNALS_RECORDS);
    cr_assert(!journals_are_behind(journals));
    cr_assert(!journals_are_folded(journals));
    while (step(journals))
        cr_assert(!journals_are_behind(journals));
    cr_assert(journals_are_folded(journals));
    journals_free(journals);
}

Test(journals, old_records_mean_behind)
{
    put(maker_open(&maker));
    world_set_now(world, world_now(world) + JOURNALS_OLD_MS + 1);
    struct journals *journals = journals_with(true);
    step(journals);
    cr_assert(journals_are_behind(journals));
    journals_free(journals);
}

static int opened;
static bool is_stuck;

static struct port_stream *open_stream(void *self, enum port_topic topic, int32_t partition, int64_t offset)
{
    opened++;
    return process_port(process)->stream_open(self, topic, partition, offset);
}

static size_t take_from_the_second(void *self, struct port_stream *stream, struct port_record *out, size_t most)
{
    return is_stuck && opened == 1 ? 0 : process_port(process)->stream_take(self, stream, out, most);
}

Test(journals, a_stream_that_gives_nothing_though_the_log_goes_on_is_opened_anew)
{
    struct port port = *process_port(process);
    port.stream_open = open_stream;
    port.stream_take = take_from_the_second;
    struct journals *journals =
        journals_new(&(struct journals_options){.port = &port, .partitions = 2, .echo = take_echo});
    journals_watch(journals, 0, true);
    put(maker_open(&maker));
    step(journals);
    cr_assert_eq(echo_count, 1);
    world_set_now(world, world_now(world) + 100000);
    step(journals);
    cr_assert_eq(journals_stalls(journals), 0, "the end is reached: there is nothing to give");

    is_stuck = true;
    put(maker_open(&maker));
    step(journals);
    world_set_now(world, world_now(world) + 30000);
    step(journals);
    cr_assert_eq(journals_stalls(journals), 1);
    step(journals);

    cr_assert_eq(opened, 2);
    cr_assert_eq(echo_count, 2);
    cr_assert_eq(echoes[1].offset, 1, "from the same place");
    journals_free(journals);
}

static size_t take_when_it_moves(void *self, struct port_stream *stream, struct port_record *out, size_t most)
{
    return is_stuck ? 0 : process_port(process)->stream_take(self, stream, out, most);
}

Test(journals, an_end_that_an_unclean_election_cut_away_is_not_waited_for)
{
    struct port port = *process_port(process);
    port.stream_take = take_when_it_moves;
    struct journals *journals =
        journals_new(&(struct journals_options){.port = &port, .partitions = 2, .fold = count_group});
    put(maker_open(&maker));
    put(maker_data(&maker));
    is_stuck = true;
    step(journals);
    world_truncate(world, PORT_JOURNAL, 0, 1);
    is_stuck = false;
    while (step(journals))
        ;
    cr_assert_not(journals_are_folded(journals), "two records were in the log when it was looked at first");

    world_set_now(world, world_now(world) + 100000);
    while (step(journals))
        ;
    cr_assert(journals_are_folded(journals));
    cr_assert_eq(groups, 0);
    journals_free(journals);
}

/* ---- a journal that was lost ---- */

Test(journals, a_journal_that_holds_nothing_though_the_group_has_counted_is_lost_and_not_folded)
{
    struct err_info why;
    world_set_committed(world, 0, 40);
    put(maker_open(&maker));
    struct journals *journals = journals_with(true);
    while (step(journals))
        ;

    cr_assert_not(journals_are_folded(journals));
    cr_assert(journals_are_lost(journals, &why));
    cr_assert(strstr(why.text, "the journal of partition 0 holds nothing"), "%s", why.text);
    cr_assert(strstr(why.text, "input offset 40"), "%s", why.text);
    cr_assert_not(journals_are_halted(journals));
    journals_free(journals);
}

Test(journals, a_journal_with_data_is_not_lost_whatever_the_group_has_committed)
{
    struct err_info why;
    world_set_committed(world, 0, 40);
    put(maker_open(&maker));
    put(maker_data(&maker));
    struct journals *journals = journals_with(true);
    while (step(journals))
        ;

    cr_assert(journals_are_folded(journals));
    cr_assert_not(journals_are_lost(journals, &why));
    journals_free(journals);
}
