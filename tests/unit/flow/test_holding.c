/* SPDX-License-Identifier: Apache-2.0 */
#include "publisher_fixture.h"

TestSuite(holding, .init = setup, .fini = teardown);

Test(holding, a_late_record_is_repaired)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    consume();
    uint64_t before = shown_at(live, &live_count, month_of("KZ"))->as_of;
    put_foreign(month_of("KZ"), 5, 7);
    run(&rigs[0], 50);

    expect_value("KZ", 100);
    cr_assert_gt(shown_at(live, &live_count, month_of("KZ"))->as_of, before);
    cr_assert_eq(read_counter(&counters()->repairs), 1);
}

Test(holding, a_record_below_the_largest_as_of_of_its_key_is_repaired_though_it_is_equal)
{
    start(&rigs[0], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    count_and_seal("KZ", 1);
    cr_assert(settle(&rigs[0]));
    count(0, "KG", 1, 1);
    count(0, "KZ", 1, -1);
    seal(0);
    cr_assert(settle(&rigs[0]));
    put_copy(partition_of_key(month_of("KZ")), offset_of(month_of("KZ"))); /* 100, as now */
    run(&rigs[0], 50);

    expect_value("KZ", 100);
    cr_assert_eq(read_counter(&counters()->repairs), 1);
}

/* Compaction has left nothing but the late record; consumers that have read on hold what the claim's publisher wrote.
 */
Test(holding, a_record_below_the_newest_claim_is_repaired_though_it_is_equal)
{
    start(&rigs[0], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    stop(&rigs[0]);
    int32_t p = partition_of_key(month_of("KZ"));
    int64_t at = world_next(world, PORT_STATISTICS, p);
    put_claim(p, 40);
    put_copy(p, offset_of(month_of("KZ")));
    world_trim(world, PORT_STATISTICS, p, at);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));

    expect_value("KZ", 100);
    cr_assert_gt(shown_at(live, &live_count, month_of("KZ"))->as_of >> TERM_SHIFT, 40);
}

Test(holding, a_late_record_of_a_key_without_cell_is_repaired_with_zeros)
{
    start(&rigs[0], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    put_foreign(month_of("XX"), 5, 700);
    cr_assert(settle(&rigs[0]));
    run(&rigs[0], 50);

    expect_value("XX", 0);
    consume();
    uint32_t records = record_count;
    run(&rigs[0], 50);
    consume();
    cr_assert_eq(record_count, records);
}

Test(holding, a_key_that_the_cube_does_not_have_gets_zeros_at_the_gate)
{
    put_foreign(month_of("XX"), 1ULL << TERM_SHIFT | 3, 700);
    put_foreign(month_of("YY"), 1ULL << TERM_SHIFT | 4, 0);
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));

    expect_value("XX", 0);
    consume();
    cr_assert_eq(shown_at(live, &live_count, month_of("YY"))->as_of, 1ULL << TERM_SHIFT | 4);
    expect_value("KZ", 100);
}

Test(holding, a_record_that_is_no_statistic_is_replaced)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    const char *key = month_of("KZ");
    world_put(
        world, PORT_STATISTICS, partition_of_key(key),
        &(struct world_record){.key = {(const uint8_t *)key, strlen(key)}, .value = {(const uint8_t *)"\xFF\xFF", 2}});
    run(&rigs[0], 50);
    expect_value("KZ", 100);
}

Test(holding, a_tombstone_of_somebody_is_replaced)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    const char *key = month_of("KZ");
    world_put(world, PORT_STATISTICS, partition_of_key(key),
              &(struct world_record){.key = {(const uint8_t *)key, strlen(key)}, .is_null = true});
    run(&rigs[0], 50);
    expect_value("KZ", 100);
}

static const struct shown *held(const char *partner)
{
    consume();
    return shown_at(live, &live_count, month_of(partner));
}

static void put_tombstone(const char *key, uint64_t as_of)
{
    world_put(
        world, PORT_STATISTICS, partition_of_key(key),
        &(struct world_record){.key = {(const uint8_t *)key, strlen(key)}, .is_null = true, .as_of = (int64_t)as_of});
}

/* ---- keys without a cell ---- */

Test(holding, a_key_without_a_cell_gets_zeros_and_when_its_month_is_final_a_tombstone)
{
    put_foreign(month_of("XX"), 1ULL << TERM_SHIFT | 3, 700);
    start(&rigs[0], true);
    count(0, "KZ", 100, 1);
    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    expect_value("XX", 0);
    cr_assert(!held("XX")->is_gone);

    pass_to(20251001);
    cr_assert(settle(&rigs[0]));
    cr_assert(held("XX")->is_gone);
    cr_assert_eq(held("XX")->records, 3);
}

/* A journal that was trimmed has no cell that is zero: the key is all that tells. */
Test(holding, a_zero_record_without_a_cell_gets_its_tombstone_from_who_starts_in_a_final_month)
{
    put_foreign(month_of("YY"), 1ULL << TERM_SHIFT | 4, 0);
    count(0, "KZ", 100, 1);
    pass_to(20250930);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    cr_assert(!held("YY")->is_gone);
    pass_to(20251001);
    cr_assert(settle(&rigs[0]));
    cr_assert(held("YY")->is_gone);
    stop(&rigs[0]);

    put_foreign(month_of("ZZ"), 1ULL << TERM_SHIFT | 5, 0); /* below the claim: it is late */
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    cr_assert(held("ZZ")->is_gone);
}

Test(holding, a_key_that_names_no_period_never_gets_a_tombstone)
{
    put_foreign("odd|24H||flow=M", 1ULL << TERM_SHIFT | 3, 700);
    count(0, "KZ", 100, 1);
    pass_to(20251001);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    consume();
    const struct shown *shown = shown_at(live, &live_count, "odd|24H||flow=M");
    cr_assert(shown->records == 2 && !shown->is_gone && shown->items == 0);
    cr_assert_eq(read_counter(&counters()->tombstones), 0);
}

/* ---- tombstones that come too late ---- */

Test(holding, a_late_tombstone_of_a_cell_is_repaired_with_its_value)
{
    start(&rigs[0], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    put_tombstone(month_of("KZ"), 5);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 100);
    cr_assert_eq(read_counter(&counters()->repairs), 1);
}

/* Its own, of a term that is over, lands once more behind the record that was made again since. */
Test(holding, a_tombstone_that_lands_again_behind_a_newer_record_is_repaired)
{
    start(&rigs[0], true);
    zero_kz(20251001);
    cr_assert(settle(&rigs[0]));
    uint64_t as_of = held("KZ")->as_of;
    cr_assert(held("KZ")->is_gone);
    count(0, "KZ", 8, 1);
    seal(0);
    cr_assert(settle(&rigs[0]));
    put_tombstone(month_of("KZ"), as_of);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 8);
}

/* A consumer may hold the value that a later record of another term had: the key is written again, and ends as it was. */
Test(holding, a_late_tombstone_of_a_key_without_items_is_written_again)
{
    start(&rigs[0], true);
    zero_kz(20251001);
    cr_assert(settle(&rigs[0]));
    uint64_t as_of = held("KZ")->as_of;
    put_tombstone(month_of("KZ"), 5);
    put_tombstone(month_of("XX"), 6);
    cr_assert(settle(&rigs[0]));
    cr_assert(held("KZ")->is_gone && held("XX")->is_gone);
    cr_assert_gt(held("KZ")->as_of, as_of);
    cr_assert_gt(held("XX")->as_of, as_of);
}

Test(holding, a_tombstone_of_a_term_that_nobody_claimed_makes_it_claim_a_larger_one)
{
    start(&rigs[0], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    put_tombstone(month_of("KZ"), 500ULL << TERM_SHIFT);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 100);
    cr_assert_gt(read_counter(&counters()->term), 500);
}

Test(holding, a_fault_of_the_statistics_topic_makes_it_read_the_topic_again)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    consume();
    uint32_t records = record_count;
    int64_t at = world_put(world, PORT_STATISTICS, 0, &(struct world_record){.fault = PORT_OFFSET_RESET});
    run(&rigs[0], 10);
    cr_assert_eq(read_counter(&counters()->is_publishing), 0);
    world_trim(world, PORT_STATISTICS, 0, at + 1);
    cr_assert(settle(&rigs[0]));

    consume();
    cr_assert_leq(record_count, records); /* what the trim took away is written again, the rest stands */
    struct shown *a = shown_at(live, &live_count, month_of("KZ"));
    cr_assert_eq(a->value, 100);
}

/* ---- who is told ---- */

enum { OFFSETS = 512 };

static bool was_told[STATISTICS][OFFSETS];
static uint32_t told_count;

static void note_told(void *context, const struct port_record *record)
{
    (void)context;
    cr_assert(record->key.length > 0 && record->key.data[0] != '#', "a claim is no news");
    cr_assert_lt(record->offset, OFFSETS);
    cr_assert_not(was_told[record->partition][record->offset], "each record once");
    was_told[record->partition][record->offset] = true;
    told_count++;
}

Test(holding, who_listens_is_told_of_what_comes_and_not_of_what_was_there)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    stop(&rigs[0]);
    hears = note_told;
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    cr_expect_eq(told_count, 0, "the topic was as it should be");

    int32_t p = partition_of_key(month_of("KZ"));
    int64_t at = world_next(world, PORT_STATISTICS, p);
    count_and_seal("KZ", 1);
    cr_assert(settle(&rigs[0]));
    cr_expect(was_told[p][at], "what it has written itself");
    at = world_next(world, PORT_STATISTICS, p);
    put_foreign(month_of("KZ"), 5, 7);
    cr_assert(settle(&rigs[0]));
    cr_expect(was_told[p][at], "what another has, and what mends it");
    cr_expect(was_told[p][at + 1]);
}

Test(holding, who_does_not_publish_tells_all_the_same)
{
    hears = note_told;
    start(&rigs[0], false);
    run(&rigs[0], 100);
    hears = NULL;
    start(&rigs[1], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[1]));
    run(&rigs[0], 100);

    cr_expect_gt(told_count, 0);
    cr_expect_eq(read_counter(&publisher_counters(rigs[0].publisher)->publish_keys), 0);
}

Test(holding, what_came_while_the_topic_could_not_be_read_is_told_later_and_nothing_twice)
{
    hears = note_told;
    start(&rigs[0], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    int32_t p = partition_of_key(month_of("KZ"));
    int64_t fault_at = world_put(world, PORT_STATISTICS, 0, &(struct world_record){.fault = PORT_OFFSET_RESET});
    run(&rigs[0], 10);
    int64_t at = world_next(world, PORT_STATISTICS, p);
    put_foreign(month_of("KZ"), 5, 7);
    cr_expect_not(was_told[p][at]);
    world_trim(world, PORT_STATISTICS, 0, fault_at + 1);
    cr_assert(settle(&rigs[0]));

    cr_expect(was_told[p][at]);
}

/* ---- rounds ---- */
