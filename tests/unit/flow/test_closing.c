/* SPDX-License-Identifier: Apache-2.0 */
#include "publisher_fixture.h"

#include "flow/months.h"
#include "flow/statistic_bytes.h"

TestSuite(closing, .init = setup, .fini = teardown);

static int64_t watermark(void)
{
    return read_counter(&counters()->watermark_ms);
}

static int64_t midnight(uint32_t date)
{
    return zone_midnight_ms(zone, calendar_day(date));
}

static const struct shown *held(const char *partner)
{
    consume();
    return shown_at(live, &live_count, month_of(partner));
}

static void expect_state(const char *partner, unsigned state)
{
    const struct shown *shown = held(partner);
    cr_assert_eq(shown->state, state, "%s is in state %u and not %u", partner, shown->state, state);
}

/* ---- watermark ---- */

/* Partition 0 reaches the date with KZ's figures, partition 1 is idle and has none. */
static void reach_alone(uint32_t date)
{
    set_event(date);
    count_and_seal("KZ", 100);
    event_ms = INT64_MIN;
    mark_idle(1);
    cr_assert(settle(&rigs[0]));
}

Test(closing, the_watermark_is_the_least_event_time_of_the_partitions_minus_the_bound)
{
    start(&rigs[0], true);
    set_event(20250720);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(watermark(), INT64_MIN, "partition 1 has no event time");

    set_event(20250710);
    seal(1);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(watermark(), midnight(20250710));
}

Test(closing, a_partition_that_never_had_input_holds_it_back_until_its_idle_mark)
{
    start(&rigs[0], true);
    set_event(20250720);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(watermark(), INT64_MIN);

    event_ms = INT64_MIN;
    mark_idle(1);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(watermark(), midnight(20250720));
}

Test(closing, if_all_partitions_are_idle_it_is_the_largest_event_time)
{
    start(&rigs[0], true);
    set_event(20250720);
    count_and_seal("KZ", 100);
    mark_idle(0);
    set_event(20250710);
    seal(1);
    mark_idle(1);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(watermark(), midnight(20250720));
}

Test(closing, it_does_not_fall_when_a_partition_that_was_idle_goes_on)
{
    start(&rigs[0], true);
    reach_alone(20250720);

    set_event(20250501);
    seal(1);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(watermark(), midnight(20250720));
}

/* While it folds, one journal may have been read to its end and another to its idle mark. */
Test(closing, no_watermark_is_taken_before_all_journals_are_folded)
{
    set_event(20250501);
    count(1, "KG", 5, 1);
    seal(1);
    mark_idle(1);
    for (int i = 0; i < 200; i++) /* more than one step reads */
        seal(1);
    set_event(20260101);
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(watermark(), midnight(20250501));
}

Test(closing, a_successor_does_not_fall_behind_what_was_told)
{
    start(&rigs[0], true);
    reach_alone(20250820);
    expect_state("KZ", MONTH_PROVISIONAL);
    stop(&rigs[0]);
    set_event(20250501);
    seal(1);

    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(watermark(), midnight(20250820));
    expect_state("KZ", MONTH_PROVISIONAL);
}

/* A record of somebody else, or a broken clock in it, closes nothing that no journal has reached. */
Test(closing, a_watermark_that_the_journals_do_not_bear_out_closes_nothing)
{
    Customs__V1__Statistic m = CUSTOMS__V1__STATISTIC__INIT;
    uint8_t bytes[256];
    m.as_of = 1;
    m.items = 1;
    m.watermark_ms = INT64_MAX;
    size_t length = customs__v1__statistic__pack(&m, bytes);
    world_put(world, PORT_STATISTICS, 0,
              &(struct world_record){.key = {(const uint8_t *)"x|DAY", 5}, .value = {bytes, length}});
    count(0, "KZ", 100, 1);
    pass_to(20250720);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));

    cr_assert_eq(watermark(), midnight(20250720));
    expect_state("KZ", MONTH_OPEN);
}

/* ---- months ---- */

Test(closing, a_month_goes_from_open_to_provisional_to_final_and_each_state_is_told)
{
    start(&rigs[0], true);
    count(0, "KZ", 100, 1);
    pass_to(20250805);
    cr_assert(settle(&rigs[0]));
    expect_state("KZ", MONTH_OPEN);
    uint64_t as_of = held("KZ")->as_of;

    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    expect_state("KZ", MONTH_PROVISIONAL);
    expect_value("KZ", 100);
    cr_assert_gt(held("KZ")->as_of, as_of);
    cr_assert_eq(held("KZ")->watermark_ms, midnight(20250806));

    pass_to(20251001); /* two months after its end */
    cr_assert(settle(&rigs[0]));
    expect_state("KZ", MONTH_FINAL);
    expect_value("KZ", 100);
}

Test(closing, a_state_is_told_again_for_the_records_of_its_month_alone)
{
    start(&rigs[0], true);
    count(0, "KZ", 100, 1);
    count_on(0, 20250803, "KZ", 7, 1, false);
    count_on(0, 20250731, "KG", 5, 1, false);
    pass_to(20250803);
    cr_assert(settle(&rigs[0]));
    consume();
    uint32_t records = record_count;
    pass_to(20250804);
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert_eq(record_count, records, "nothing closes");

    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert_eq(record_count, records + 5, "two months of partners, the month of the flow, two of its days");
    cr_assert_eq(shown_at(live, &live_count, "partner|MONTH|20250801|20250831|partner=KZ|flow=M")->records, 1);
    cr_assert_eq(shown_at(live, &live_count, "flow|DAY|20250803|20250803|flow=M")->records, 1);
    cr_assert_eq(shown_at(live, &live_count, "flow|DAY|20250731|20250731|flow=M")->records, 2);
    cr_assert_eq(shown_at(live, &live_count, "flow|DAY|20250731|20250731|flow=M")->state, MONTH_PROVISIONAL);
    cr_assert_eq(shown_at(live, &live_count, "flow|MONTH|20250701|20250731|flow=M")->state, MONTH_PROVISIONAL);
}

Test(closing, several_months_at_once_each_get_their_own_state)
{
    start(&rigs[0], true);
    count_on(0, 20250503, "KZ", 1, 1, false);
    count_on(0, 20250703, "KZ", 2, 1, false);
    count_on(0, 20250903, "KZ", 4, 1, false);
    pass_to(20250503);
    cr_assert(settle(&rigs[0]));
    pass_to(20250910);
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert_eq(shown_at(live, &live_count, "flow|MONTH|20250501|20250531|flow=M")->state, MONTH_FINAL);
    cr_assert_eq(shown_at(live, &live_count, "flow|MONTH|20250701|20250731|flow=M")->state, MONTH_PROVISIONAL);
    cr_assert_eq(shown_at(live, &live_count, "flow|MONTH|20250901|20250930|flow=M")->state, MONTH_OPEN);
}

Test(closing, a_change_of_state_goes_out_at_the_pace_that_is_allowed)
{
    keys_per_s = 100;
    start(&rigs[0], true);
    for (char a = 'A'; a <= 'Z'; a++) {
        for (char b = 'A'; b <= 'D'; b++)
            count(0, (char[]){a, b, '\0'}, 1, 1);
    }
    pass_to(20250720);
    cr_assert(settle(&rigs[0]));
    pass_to(20250806);
    int64_t sent = read_counter(&counters()->publish_keys);
    run(&rigs[0], 60); /* 0.6 s */
    int64_t begun = read_counter(&counters()->publish_keys) - sent;
    cr_assert(begun > 0 && begun <= 61, "%" PRId64 " keys in 0.6 s", begun);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(read_counter(&counters()->publish_keys) - sent, 26 * 4 + 2);
    keys_per_s = 50000;
}

/* More cells than are looked at in one step, and the month closes again, so to say, in the middle of it: nothing is left out. */
Test(closing, a_month_of_very_many_cells_is_looked_at_in_several_steps)
{
    enum { CELLS = 80000, PARTS = 4 };
    struct err_info info;
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("goods"), TEXT("hs6@month"), &info), OK);
    view_plan_finish(&plan);
    tally_free(makers[0].tally);
    makers[0].tally = tally_new(&plan);
    start(&rigs[0], true);
    set_event(20250720);
    seal(1);
    for (uint32_t part = 0; part < PARTS; part++) {
        for (uint32_t i = 0; i < CELLS / PARTS; i++) {
            struct contribution_item item = item_of(10000 + part * CELLS / PARTS + i, "KZ", 1, 1000);
            struct contribution c = {.day = calendar_day(i % 2 ? 20250703 : 20250803), .item_count = 1, .items = &item};
            maker_add(&makers[0], &c, 1);
        }
        seal(0);
    }
    cr_assert(settle(&rigs[0]));
    int64_t sent = read_counter(&counters()->publish_keys);
    cr_assert_eq(sent, CELLS);

    pass_to(20250806);
    step(&rigs[0]); /* reads them, and looks at the first cells */
    pass_to(20250906);
    cr_assert(settle(&rigs[0]));
    sent = read_counter(&counters()->publish_keys) - sent;
    cr_assert(sent >= CELLS && sent <= CELLS + CELLS / 2, "%" PRId64 " keys", sent);
    for (int32_t p = 0; p < STATISTICS; p++) {
        struct statistic_time time;
        int64_t next = world_next(world, PORT_STATISTICS, p);
        for (int64_t at = next - 1; at > next - 1000; at--) {
            cr_assert(statistic_bytes_time(world_at(world, PORT_STATISTICS, p, at)->value, &time));
            cr_assert_eq(time.state, MONTH_PROVISIONAL);
        }
    }
}

Test(closing, the_borders_are_shown)
{
    start(&rigs[0], true);
    cr_assert_eq(read_counter(&counters()->open_from), INT32_MIN);
    count(0, "KZ", 100, 1);
    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(read_counter(&counters()->open_from), calendar_day(20250801));
    cr_assert_eq(read_counter(&counters()->final_before), calendar_day(20250601));
}

/* ---- revised ---- */

Test(closing, a_record_that_changes_after_it_was_provisional_is_revised_and_stays_so)
{
    start(&rigs[0], true);
    count(0, "KZ", 100, 1);
    count(0, "KG", 50, 1);
    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    count(0, "KZ", 1, 1);
    seal(0);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 101);
    expect_state("KZ", MONTH_REVISED);
    expect_state("KG", MONTH_PROVISIONAL);

    count(0, "KZ", 1, -1); /* as it was, and yet not untouched */
    seal(0);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 100);
    expect_state("KZ", MONTH_REVISED);

    pass_to(20251001);
    cr_assert(settle(&rigs[0]));
    expect_state("KZ", MONTH_FINAL);
}

Test(closing, late_items_make_a_record_revised_though_it_was_never_told_before)
{
    start(&rigs[0], true);
    count(0, "KG", 50, 1);
    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    count_on(0, 20250703, "KZ", 100, 1, true);
    seal(0);
    cr_assert(settle(&rigs[0]));

    expect_state("KZ", MONTH_REVISED);
    cr_assert_eq(held("KZ")->late_items, 1);
    expect_state("KG", MONTH_PROVISIONAL);
}

Test(closing, late_items_are_told_though_the_figures_are_the_same)
{
    start(&rigs[0], true);
    count(0, "KZ", 100, 1);
    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    count(0, "KZ", 100, -1);
    count_on(0, 20250703, "KZ", 100, 1, true);
    seal(0);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 100);
    cr_assert_eq(held("KZ")->late_items, 1);
    expect_state("KZ", MONTH_REVISED);
}

/* It was told PROVISIONAL, and its successor finds other figures in the journals. */
Test(closing, what_changed_while_nobody_published_is_revised)
{
    start(&rigs[0], true);
    count(0, "KZ", 100, 1);
    count(0, "KG", 50, 1);
    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    stop(&rigs[0]);
    count(0, "KZ", 30, -1);
    seal(0);

    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 70);
    expect_state("KZ", MONTH_REVISED);
    expect_state("KG", MONTH_PROVISIONAL);
    cr_assert_eq(held("KG")->records, 1);
}

Test(closing, a_restart_tells_no_state_again_and_takes_none_back)
{
    start(&rigs[0], true);
    count(0, "KZ", 100, 1);
    count(0, "KG", 50, 1);
    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    count(0, "KZ", 1, 1);
    seal(0);
    cr_assert(settle(&rigs[0]));
    consume();
    uint32_t records = record_count;
    stop(&rigs[0]);

    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    expect_state("KZ", MONTH_REVISED);
    expect_state("KG", MONTH_PROVISIONAL);
    consume();
    cr_assert_eq(record_count, records);
}

/* A month that closed while nobody published. */
Test(closing, a_restart_tells_what_closed_meanwhile)
{
    start(&rigs[0], true);
    count(0, "KZ", 100, 1);
    pass_to(20250720);
    cr_assert(settle(&rigs[0]));
    stop(&rigs[0]);
    pass_to(20250806);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    expect_state("KZ", MONTH_PROVISIONAL);
}

/* The record that says REVISED is followed in the log by an older one, which was late: it must be REVISED again. */
Test(closing, a_late_record_does_not_take_back_revised)
{
    start(&rigs[0], true);
    count(0, "KZ", 100, 1);
    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    count(0, "KZ", 1, 1);
    seal(0);
    cr_assert(settle(&rigs[0]));
    put_copy(partition_of_key(month_of("KZ")), offset_of(month_of("KZ"))); /* PROVISIONAL */
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 101);
    expect_state("KZ", MONTH_REVISED);
}
