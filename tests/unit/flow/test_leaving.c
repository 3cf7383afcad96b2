/* SPDX-License-Identifier: Apache-2.0 */
#include "publisher_fixture.h"

#include "flow/leaving.h"
#include "flow/publisher_inside.h"

enum { DAYS = 10, HOURS = DAYS * 24, HOURS_VIEW = 0, DAYS_VIEW = 1 };

static void setup_hours(void)
{
    struct err_info info = {{0}};
    setup();
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("hours"), TEXT("flow@hour"), &info), OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("hours"), TEXT("publish"), TEXT("hour,24h,7d"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("flow"), TEXT("flow@day"), &info), OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("flow"), TEXT("total"), TEXT("no"), &info), OK);
    view_plan_finish(&plan);
    world_free(world);
    world = world_new(PARTITIONS, STATISTICS);
    world_set_now(world, 1758000000000);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        maker_fini(&makers[p]);
        maker_init(&makers[p], &plan, p);
        world_put(world, PORT_JOURNAL, (int32_t)p,
                  &(struct world_record){.value = maker_open(&makers[p]), .timestamp_ms = 0});
    }
}

TestSuite(leaving, .init = setup_hours, .fini = teardown);

static int32_t first_hour(uint32_t date)
{
    return hours_of_ms(zone_midnight_ms(zone, calendar_day(date)));
}

static void count_hour(uint32_t partition, int32_t hour, int64_t value, int sign)
{
    struct contribution_item item = item_of(10121, "KZ", value, 1000);
    struct contribution c = {.day = hours_day(zone, hour), .hour = hour, .item_count = 1, .items = &item};
    maker_add(&makers[partition], &c, sign);
}

/* An item in each hour of the first days of July, in one partition after the other. */
static void count_july(void)
{
    for (int32_t i = 0; i < HOURS; i++)
        count_hour((uint32_t)i % PARTITIONS, first_hour(20250701) + i, 100 + i, 1);
}

static int64_t cells(uint32_t view)
{
    return read_counter(&counters()->cells[view]);
}

static const struct shown *hour_of(int32_t hour, const char *flow)
{
    char key[64];
    char name[HOURS_KEY_BYTES];
    hours_key(hour, name);
    snprintf(key, sizeof key, "hours|HOUR|%.12s|%.12s|flow=%s", name, name, flow);
    return shown_at(live, &live_count, key);
}

/* All of July is published, ended, told as zero and gone. */
static void end_july(void)
{
    start(&rigs[0], true);
    count_july();
    pass_to(20250711);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(cells(HOURS_VIEW), HOURS);
    consume();
    cr_assert_eq(hour_of(first_hour(20250703), "T")->value, 148);
    pass_to(20250901);
    cr_assert(settle(&rigs[0]));
    consume();
    for (int32_t i = 0; i < HOURS; i++)
        cr_assert(hour_of(first_hour(20250701) + i, i % 2 ? "M" : "T")->is_gone);
}

Test(leaving, hours_leave_a_day_after_they_ended_with_all_that_derives_from_them)
{
    end_july();
    cr_assert_eq(cells(HOURS_VIEW), HOURS, "they have just ended");
    uint32_t keys = registry_count(rigs[0].publisher->registry);
    size_t bytes = registry_bytes(rigs[0].publisher->registry) + figures_bytes(rigs[0].publisher->figures);
    int64_t days = cells(DAYS_VIEW);
    pass_to(20250902);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(cells(HOURS_VIEW), 0);
    cr_assert_eq(cells(DAYS_VIEW), days, "days stay");
    cr_assert_eq(cube_count(rigs[0].publisher->cube), 11, "ten days and a month");
    cr_assert_eq(figures_count(rigs[0].publisher->figures), 4, "24H and 7D, of M and of T");
    cr_assert_eq(registry_count(rigs[0].publisher->registry), keys - 2 * HOURS);
    cr_assert_leq(registry_bytes(rigs[0].publisher->registry) + figures_bytes(rigs[0].publisher->figures), bytes);
}

Test(leaving, what_stays_is_published_on_under_its_own_key)
{
    end_july();
    pass_to(20250902);
    cr_assert(settle(&rigs[0]));
    int32_t now = first_hour(20250902) - 1;
    count_hour(0, now, 5, 1);
    count_on(1, 20250703, "KZ", 1000000, 1, false); /* a day whose cell has another number now */
    seal(0);
    seal(1);
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert_eq(hour_of(now, "M")->value, 5);
    cr_assert_eq(hour_of(now, "T")->value, 5);
    cr_assert_eq(shown_at(live, &live_count, "hours|ROLLING|24H||flow=M")->value, 5);
    int64_t sum = 1000000;
    for (int32_t i = 48; i < 72; i++)
        sum += 100 + i;
    cr_assert_eq(shown_at(live, &live_count, "flow|DAY|20250703|20250703|flow=M")->value, sum);
    cr_assert_eq(cells(HOURS_VIEW), 1, "the hour of the day's declaration is of 1970, and left out");
}

/* It changes the day that it counts in, and sums of an hour that nobody is told (docs/adr/0071). */
Test(leaving, a_correction_of_an_hour_that_left_makes_no_cell_and_no_record)
{
    end_july();
    pass_to(20250902);
    cr_assert(settle(&rigs[0]));
    consume();
    uint32_t records = record_count;
    count_hour(0, first_hour(20250703), 148, -1);
    count_hour(0, first_hour(20250703) + 1, 90, 1);
    seal(0);
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert_eq(record_count, records + 2, "its day and its month");
    cr_assert_eq(cells(HOURS_VIEW), 0);
    stop(&rigs[0]);

    start(&rigs[0], true); /* who folds all of it again tells the same */
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert_eq(record_count, records + 2);
    cr_assert(hour_of(first_hour(20250703), "M")->is_gone);
}

/* Somebody's old record of an hour that left comes late: it is a key without a cell, which is zero and then gone again. */
Test(leaving, a_late_record_of_an_hour_that_left_is_buried_again)
{
    end_july();
    pass_to(20250902);
    cr_assert(settle(&rigs[0]));
    consume();
    char key[128];
    snprintf(key, sizeof key, "%s", hour_of(first_hour(20250703), "M")->key);
    put_copy(partition_of_key(key), offset_of(key));
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert(hour_of(first_hour(20250703), "M")->is_gone, "a live consumer");
    cr_assert(shown_at(last, &last_count, key)->is_gone, "one that reads what compaction leaves");
}

Test(leaving, few_hours_stay_until_there_are_more)
{
    start(&rigs[0], true);
    count_hour(0, first_hour(20250701), 1, 1);
    for (int32_t i = 0; i < HOURS; i++)
        count_hour(1, first_hour(20250801) + i, 1, 1);
    pass_to(20250816); /* the first hour ended, the others did not */
    cr_assert(settle(&rigs[0]));
    pass_to(20250817);
    cr_assert(settle(&rigs[0]));
    pass_to(20250818);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(cells(HOURS_VIEW), HOURS + 1);
    pass_to(20250926);
    cr_assert(settle(&rigs[0]));
    pass_to(20250927);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(cells(HOURS_VIEW), 0);
}
