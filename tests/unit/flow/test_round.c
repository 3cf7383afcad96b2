/* SPDX-License-Identifier: Apache-2.0 */
#include "publisher_fixture.h"

TestSuite(round, .init = setup, .fini = teardown);

Test(round, a_cell_whose_items_are_all_gone_is_published_with_zeros)
{
    start(&rigs[0], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    count(0, "KG", 5, 1);
    count(0, "KZ", 100, -1);
    seal(0);
    run(&rigs[0], 100);

    expect_value("KZ", 0);
    expect_value("KG", 5);
    consume();
    cr_assert_eq(shown_at(live, &live_count, month_of("KZ"))->items, 0);
}

Test(round, a_change_that_is_taken_back_before_it_was_published_publishes_nothing)
{
    start(&rigs[0], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    consume();
    uint32_t records = record_count;
    count(0, "KG", 5, 1);
    count(0, "KG", 5, -1);
    seal(0);
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert_eq(record_count, records);
    cr_assert_eq(read_counter(&counters()->published_declarations), 2);
}

Test(round, every_change_of_a_key_has_a_larger_as_of_and_each_key_one_partition)
{
    start(&rigs[0], true);
    uint64_t as_of = 0;
    for (int i = 1; i <= 10; i++) {
        count_and_seal("KZ", 1);
        cr_assert(settle(&rigs[0]));
        expect_value("KZ", i);
        cr_assert_gt(shown_at(live, &live_count, month_of("KZ"))->as_of, as_of);
        as_of = shown_at(live, &live_count, month_of("KZ"))->as_of;
    }
    const struct world_record *record = NULL;
    const char *key = month_of("KZ");
    int32_t p = partition_of_key(key);
    for (int64_t at = 0; at < world_next(world, PORT_STATISTICS, p); at++) {
        const struct world_record *r = world_at(world, PORT_STATISTICS, p, at);
        record = r->key.length == strlen(key) && memcmp(r->key.data, key, r->key.length) == 0 ? r : record;
    }
    cr_assert(record);
    cr_assert_eq((uint64_t)record->as_of, as_of);
}

/* ---- restart and errors ---- */

Test(round, a_full_lane_keeps_the_rest_for_later)
{
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    process_refuse(rigs[0].process, 0, ERR_FULL);
    count_and_seal("KZ", 100);
    run(&rigs[0], 100);
    expect_value("KZ", 0);
    cr_assert_eq(read_counter(&counters()->is_publishing), 1);
    process_refuse(rigs[0].process, 0, OK);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 100);
}

Test(round, a_record_that_is_too_large_is_counted_and_stops_nothing)
{
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    count_and_seal("KZ", 100);
    for (int s = 0; s < 30; s++)
        step(&rigs[0]);
    cr_assert(process_misfortune(rigs[0].process, 0, FATE_TOO_LARGE));
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(read_counter(&counters()->too_large), 1);
    cr_assert_eq(read_counter(&counters()->is_publishing), 1);
}

Test(round, while_input_waits_it_publishes_each_ten_seconds)
{
    start(&rigs[0], true);
    count_and_seal("KZ", 1);
    cr_assert(settle(&rigs[0]));
    publisher_backlog(rigs[0].publisher, true);
    int64_t sent = read_counter(&counters()->publish_keys);
    int64_t changes = 0;
    for (int i = 0; i < 2000; i++) { /* 20 s */
        if (i % 50 == 0)
            count_and_seal("KZ", 1);
        int64_t before = read_counter(&counters()->publish_keys);
        run(&rigs[0], 1);
        changes += read_counter(&counters()->publish_keys) > before;
    }
    cr_assert_leq(changes, 3);
    cr_assert_gt(read_counter(&counters()->publish_keys), sent);
    publisher_backlog(rigs[0].publisher, false);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 41);
}

Test(round, behind_it_sends_no_more_keys_a_second_than_allowed)
{
    keys_per_s = 100;
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    publisher_backlog(rigs[0].publisher, true);
    for (char a = 'A'; a <= 'Z'; a++) {
        for (char b = 'A'; b <= 'Z'; b++)
            count(0, (char[]){a, b, '\0'}, 1, 1);
    }
    seal(0);
    run(&rigs[0], 1000 + 100);
    int64_t sent = read_counter(&counters()->publish_keys);
    run(&rigs[0], 100);
    cr_assert_leq(read_counter(&counters()->publish_keys) - sent, 110);
    keys_per_s = 50000;
}

Test(round, latency_and_progress_are_recorded_when_a_round_is_acknowledged)
{
    struct hist_view view;
    start(&rigs[0], true);
    count_and_seal("KZ", 1);
    cr_assert(settle(&rigs[0]));
    hist_read(&counters()->end_to_end, &view);
    cr_assert_eq(view.count, 1);
    cr_assert(view.sum_seconds >= 0.5);
    cr_assert_eq(read_counter(&counters()->published_declarations), 1);
    cr_assert_eq(read_counter(&counters()->dirty), 0);
    cr_assert_eq(read_counter(&counters()->watermark_ms), INT64_MIN); /* partition 1 has no event time */
    seal(1);
    cr_assert(settle(&rigs[0]));
    cr_assert_gt(read_counter(&counters()->watermark_ms), 0);
}

/* ---- random schedules of two publishers, as journal_model.py ---- */
