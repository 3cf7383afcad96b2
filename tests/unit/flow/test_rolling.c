/* SPDX-License-Identifier: Apache-2.0 */
#include "publisher_fixture.h"

static void setup_rolling(void)
{
    setup();
    plan = (struct view_plan){0};
    struct err_info info = {{0}};
    cr_assert_eq(view_plan_add(&plan, TEXT("flow"), TEXT("flow@day"), &info), OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("flow"), TEXT("publish"), TEXT("7d,12m"), &info), OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("flow"), TEXT("total"), TEXT("no"), &info), OK);
    view_plan_finish(&plan);
    world_free(world);
    world = world_new(PARTITIONS, STATISTICS);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        maker_fini(&makers[p]);
        maker_init(&makers[p], &plan, p);
        world_put(world, PORT_JOURNAL, (int32_t)p,
                  &(struct world_record){.value = maker_open(&makers[p]), .timestamp_ms = 0});
    }
}

TestSuite(rolling, .init = setup_rolling, .fini = teardown);

/* Noon of a day in the reporter's zone. */
static void set_clock(uint32_t date)
{
    world_set_now(world, zone_midnight_ms(zone, calendar_day(date)) + 43200000);
}

static const char seven_days[] = "flow|ROLLING|7D||flow=M";
static const char twelve_months[] = "flow|ROLLING|12M||flow=M";

static void expect_rolling(const char *key, int64_t value, uint32_t from, uint32_t to)
{
    consume();
    const struct shown *shown = shown_at(live, &live_count, key);
    cr_assert_gt(shown->records, 0, "%s was never published", key);
    cr_assert_eq(shown->value, value, "%s: %" PRId64 ", not %" PRId64, key, shown->value, value);
    cr_assert_eq(shown->from, from, "%s: from %u, not %u", key, shown->from, from);
    cr_assert_eq(shown->to, to, "%s: to %u, not %u", key, shown->to, to);
}

Test(rolling, windows_end_on_the_day_of_the_watermark_while_input_comes)
{
    set_clock(20251224); /* a replay: the clock is far ahead */
    start(&rigs[0], true);
    count_on(0, 20250703, "KZ", 100, 1, false);
    count_on(0, 20250709, "KZ", 10, 1, false);
    pass_to(20250709);
    cr_assert(settle(&rigs[0]));
    expect_rolling(seven_days, 110, 20250703, 20250709);
    expect_rolling(twelve_months, 110, 20240801, 20250731);

    pass_to(20250710);
    cr_assert(settle(&rigs[0]));
    expect_rolling(seven_days, 10, 20250704, 20250710);
    uint32_t records = record_count;
    pass_to(20250711);
    cr_assert(settle(&rigs[0]));
    expect_rolling(seven_days, 10, 20250705, 20250711);
    cr_assert_eq(record_count, records + 1, "twelve months are of the same months still");
}

Test(rolling, windows_move_with_the_clock_when_all_input_is_idle)
{
    set_clock(20250709);
    start(&rigs[0], true);
    count_on(0, 20250703, "KZ", 100, 1, false);
    count_on(0, 20250709, "KZ", 10, 1, false);
    pass_to(20250709);
    mark_idle(0);
    mark_idle(1);
    cr_assert(settle(&rigs[0]));
    expect_rolling(seven_days, 110, 20250703, 20250709);

    set_clock(20250712);
    cr_assert(!publisher_is_quiet(rigs[0].publisher), "another day has begun");
    cr_assert(settle(&rigs[0]));
    expect_rolling(seven_days, 10, 20250706, 20250712);
    set_clock(20260801);
    cr_assert(settle(&rigs[0]));
    expect_rolling(seven_days, 0, 20260726, 20260801);
    expect_rolling(twelve_months, 0, 20250901, 20260831);
    uint32_t records = record_count;
    set_clock(20260805);
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert_eq(record_count, records, "what is zero stays as it is");
}

Test(rolling, one_partition_that_is_not_idle_holds_the_clock_back)
{
    set_clock(20250709);
    start(&rigs[0], true);
    count_on(0, 20250709, "KZ", 10, 1, false);
    pass_to(20250709);
    mark_idle(0);
    cr_assert(settle(&rigs[0]));
    set_clock(20250712);
    cr_assert(settle(&rigs[0]));
    expect_rolling(seven_days, 10, 20250703, 20250709);
}

Test(rolling, a_successor_takes_no_day_back_that_the_topic_tells)
{
    set_clock(20250712);
    start(&rigs[0], true);
    count_on(0, 20250709, "KZ", 10, 1, false);
    pass_to(20250709);
    mark_idle(0);
    mark_idle(1);
    cr_assert(settle(&rigs[0]));
    expect_rolling(seven_days, 10, 20250706, 20250712);
    stop(&rigs[0]);
    seal(0); /* not idle any more, and its newest event is of the 9th */
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    consume();
    uint32_t records = record_count;
    expect_rolling(seven_days, 10, 20250706, 20250712);
    cr_assert_eq(shown_at(live, &live_count, seven_days)->records, records / 2);
}

Test(rolling, what_the_topic_tells_beyond_clock_and_events_is_not_believed)
{
    set_clock(20250709);
    Customs__V1__Statistic m = CUSTOMS__V1__STATISTIC__INIT;
    uint8_t bytes[64];
    m.period_to = 20990101;
    m.items = 1;
    m.as_of = 5;
    size_t length = customs__v1__statistic__pack(&m, bytes);
    world_put(world, PORT_STATISTICS, partition_of_key(seven_days),
              &(struct world_record){
                  .key = {(const uint8_t *)seven_days, strlen(seven_days)}, .value = {bytes, length}, .as_of = 5});
    start(&rigs[0], true);
    count_on(0, 20250709, "KZ", 10, 1, false);
    pass_to(20250709);
    cr_assert(settle(&rigs[0]));
    expect_rolling(seven_days, 10, 20250703, 20250709);
}
