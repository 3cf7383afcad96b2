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

/* ---- tombstones ---- */

static const struct shown *held(const char *partner)
{
    consume();
    return shown_at(live, &live_count, month_of(partner));
}

/* The last record of the key in the log is a tombstone, with a larger as_of than all before, and so a consumer holds it. */
static void expect_gone(const char *partner)
{
    consume();
    cr_assert(shown_at(live, &live_count, month_of(partner))->is_gone, "a live consumer holds %s", partner);
    cr_assert(shown_at(last, &last_count, month_of(partner))->is_gone, "a new consumer reads %s", partner);
}

/* KZ has been cancelled, and its month is FINAL. */
static void bury_kz(void)
{
    count(0, "KZ", 100, 1);
    count(0, "KG", 50, 1);
    pass_to(20250720);
    cr_assert(settle(&rigs[0]));
    count(0, "KZ", 100, -1);
    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    cr_assert(!held("KZ")->is_gone);
    pass_to(20251001);
    cr_assert(settle(&rigs[0]));
}

Test(round, the_tombstone_of_a_cell_without_items_follows_when_its_month_is_final)
{
    start(&rigs[0], true);
    bury_kz();
    expect_gone("KZ");
    cr_assert_eq(held("KZ")->records, 3, "its value, zeros, the tombstone; none for a state alone");
    cr_assert_eq(read_counter(&counters()->tombstones), 1);
    cr_assert_eq(held("KG")->state, 4);
    expect_value("KG", 50);
}

Test(round, a_record_that_becomes_zero_in_a_final_month_is_zero_first_and_then_gone)
{
    start(&rigs[0], true);
    zero_kz(20251001);
    int64_t sent = read_counter(&counters()->publish_keys);
    step_some();
    cr_assert_eq(read_counter(&counters()->publish_keys) - sent, 3, "zeros for the partner, the day and the month");
    step_some();
    cr_assert_eq(read_counter(&counters()->publish_keys) - sent, 3, "nothing was read back");

    cr_assert(settle(&rigs[0]));
    expect_gone("KZ");
    cr_assert_eq(held("KZ")->records, 3);
}

Test(round, a_declaration_after_the_tombstone_makes_the_record_again)
{
    start(&rigs[0], true);
    bury_kz();
    uint64_t as_of = held("KZ")->as_of;
    count_on(0, 20250703, "KZ", 30, 1, true);
    seal(0);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 30);
    cr_assert_gt(held("KZ")->as_of, as_of);
    cr_assert_eq(held("KZ")->state, 4);

    count_on(0, 20250703, "KZ", 30, -1, true);
    seal(0);
    cr_assert(settle(&rigs[0]));
    expect_gone("KZ");
}

/* The value that replaces the zero is folded before the zero was read back. */
Test(round, no_tombstone_follows_a_zero_record_of_a_cell_that_has_items_again)
{
    start(&rigs[0], true);
    zero_kz(20251001);
    step_some();
    count(0, "KZ", 7, 1);
    seal(0);
    step_some();
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 7);
    cr_assert_eq(read_counter(&counters()->tombstones), 0);
}

Test(round, a_tombstone_that_was_lost_with_its_producer_is_written_again)
{
    start(&rigs[0], true);
    zero_kz(20250720);
    cr_assert(settle(&rigs[0]));
    pass_to(20251001);
    step_some();
    cr_assert_gt(process_queued(rigs[0].process, 0), 0);
    cr_assert(process_misfortune(rigs[0].process, 0, FATE_LOST));
    cr_assert(settle(&rigs[0]));
    expect_gone("KZ");
}

/* The tombstone is read back by who starts next, or compaction has taken it away: in either case nothing comes back. */
Test(round, a_buried_key_does_not_come_back_with_a_restart)
{
    start(&rigs[0], true);
    bury_kz();
    consume();
    uint32_t records = record_count;
    stop(&rigs[0]);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert_eq(record_count, records);
    stop(&rigs[0]);

    for (int32_t p = 0; p < STATISTICS; p++)
        world_compact(world, PORT_STATISTICS, p, world_next(world, PORT_STATISTICS, p), INT64_MAX);
    consume();
    records = record_count;
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert_eq(record_count, records);
    cr_assert_eq(held("KZ")->records, 0);
    expect_value("KG", 50);

    count_on(0, 20250703, "KZ", 30, 1, true);
    seal(0);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 30);
}

/* ---- what a correction writes ---- */

/* Keys that got a record since the topic had `from` in each partition; each once. */
static uint32_t keys_since(const int64_t from[STATISTICS], char keys[][128], uint32_t most)
{
    uint32_t count = 0;
    for (int32_t p = 0; p < STATISTICS; p++) {
        for (int64_t at = from[p]; at < world_next(world, PORT_STATISTICS, p); at++) {
            const struct world_record *r = world_at(world, PORT_STATISTICS, p, at);
            cr_assert_lt(count, most);
            snprintf(keys[count++], 128, "%.*s", (int)r->key.length, (const char *)r->key.data);
        }
    }
    return count;
}

static void note_ends(int64_t out[STATISTICS])
{
    for (int32_t p = 0; p < STATISTICS; p++)
        out[p] = world_next(world, PORT_STATISTICS, p);
}

/* Whether `key` is the other one but for the flow, which is T. */
static bool is_total_of(const char *key, const char *of)
{
    const char *flow = strstr(of, "flow=M");
    size_t head = flow ? (size_t)(flow - of) + strlen("flow=") : 0;
    return flow && strncmp(key, of, head) == 0 && key[head] == 'T' && strcmp(key + head + 1, of + head + 1) == 0;
}

/* Exactly these keys were written since, and those of all flows together beside them, each once. */
static void expect_keys(const int64_t from[STATISTICS], const char *const *keys, uint32_t count)
{
    char have[64][128];
    uint32_t have_count = keys_since(from, have, 64);
    uint32_t totals = 0;
    for (uint32_t i = 0; i < have_count; i++) {
        uint32_t found = 0;
        for (uint32_t j = 0; j < count; j++) {
            bool is_total = is_total_of(have[i], keys[j]);
            found += is_total || strcmp(have[i], keys[j]) == 0;
            totals += is_total;
        }
        cr_assert_eq(found, 1, "%s was written", have[i]);
        for (uint32_t j = 0; j < i; j++)
            cr_assert_str_neq(have[i], have[j]);
    }
    cr_assert_eq(have_count, 2 * count, "%u keys were written, not %u", have_count, 2 * count);
    cr_assert_eq(totals, count);
}

/* The nine default views in place of those of the fixture. */
static void take_default_views(void)
{
    view_plan_default(&plan);
    for (int p = 0; p < PARTITIONS; p++) {
        tally_free(makers[p].tally);
        makers[p].tally = tally_new(&plan);
    }
}

/* A declaration of two commodities from one partner. */
static void declare(uint32_t date, const char *partner, int64_t plates, int64_t horses, int sign, bool late)
{
    struct contribution_item items[2] = {item_of(720851, partner, plates, 1000), item_of(10121, partner, horses, 1000)};
    struct contribution c = {.day = calendar_day(date), .item_count = 2, .items = items, .late = late};
    maker_add(&makers[0], &c, sign);
}

static void begin_with_two(void)
{
    take_default_views();
    start(&rigs[0], true);
    declare(20250703, "KZ", 100, 50, 1, false);
    declare(20250703, "KG", 7, 5, 1, false);
    pass_to(20250720);
    cr_assert(settle(&rigs[0]));
}

#define JULY "MONTH|20250701|20250731|"
#define DAY3 "DAY|20250703|20250703|"

Test(round, an_amendment_that_moves_value_between_two_commodities_writes_their_keys_alone)
{
    static const char *const keys[] = {
        "commodity|" JULY "hs6=720851|partner=KZ|flow=M",
        "commodity|" JULY "hs6=010121|partner=KZ|flow=M",
        "commodity_office|" JULY "hs6=720851|office=|flow=M",
        "commodity_office|" JULY "hs6=010121|office=|flow=M",
        "heading|" JULY "hs4=7208|flow=M",
        "heading|" JULY "hs4=0101|flow=M",
        "chapter|" JULY "hs2=72|partner=KZ|flow=M",
        "chapter|" JULY "hs2=01|partner=KZ|flow=M",
    };
    int64_t from[STATISTICS];
    begin_with_two();
    note_ends(from);
    declare(20250703, "KZ", 100, 50, -1, false);
    declare(20250703, "KZ", 70, 80, 1, false);
    seal(0);
    cr_assert(settle(&rigs[0]));
    expect_keys(from, keys, sizeof keys / sizeof keys[0]);
}

/* Every view, but nothing of the other partner where it is a dimension. */
static const char *const keys_of_kz[] = {
    "flow|" DAY3 "flow=M",
    "flow|" JULY "flow=M",
    "office|" DAY3 "office=|border_office=|zone=|flow=M|mode=0",
    "office|" JULY "office=|border_office=|zone=|flow=M|mode=0",
    "trade_mode|" DAY3 "office=|zone=|trade_mode=|flow=M",
    "trade_mode|" JULY "office=|zone=|trade_mode=|flow=M",
    "partner|" JULY "partner=KZ|flow=M|mode=0",
    "partner_office|" JULY "partner=KZ|office=|flow=M",
    "commodity|" JULY "hs6=720851|partner=KZ|flow=M",
    "commodity|" JULY "hs6=010121|partner=KZ|flow=M",
    "commodity_office|" JULY "hs6=720851|office=|flow=M",
    "commodity_office|" JULY "hs6=010121|office=|flow=M",
    "heading|" JULY "hs4=7208|flow=M",
    "heading|" JULY "hs4=0101|flow=M",
    "chapter|" JULY "hs2=72|partner=KZ|flow=M",
    "chapter|" JULY "hs2=01|partner=KZ|flow=M",
};

Test(round, a_cancel_writes_the_keys_of_its_items_alone)
{
    int64_t from[STATISTICS];
    begin_with_two();
    note_ends(from);
    declare(20250703, "KZ", 100, 50, -1, false);
    seal(0);
    cr_assert(settle(&rigs[0]));
    expect_keys(from, keys_of_kz, sizeof keys_of_kz / sizeof keys_of_kz[0]);
}

Test(round, a_late_declaration_writes_the_keys_of_its_items_alone)
{
    int64_t from[STATISTICS];
    begin_with_two();
    pass_to(20250806);
    cr_assert(settle(&rigs[0]));
    note_ends(from);
    declare(20250703, "KZ", 1, 2, 1, true);
    seal(0);
    cr_assert(settle(&rigs[0]));
    expect_keys(from, keys_of_kz, sizeof keys_of_kz / sizeof keys_of_kz[0]);
    consume();
    for (size_t i = 0; i < sizeof keys_of_kz / sizeof keys_of_kz[0]; i++)
        cr_assert_eq(shown_at(live, &live_count, keys_of_kz[i])->state, 3, "%s is not REVISED", keys_of_kz[i]);
    cr_assert_eq(shown_at(live, &live_count, "partner|" JULY "partner=KG|flow=M|mode=0")->state, 2);
}

/* It leaves one month and enters another: both lose or gain, and nothing else. */
Test(round, an_amendment_of_the_month_writes_the_keys_of_both_months)
{
    int64_t from[STATISTICS];
    begin_with_two();
    note_ends(from);
    declare(20250703, "KZ", 100, 50, -1, false);
    declare(20250803, "KZ", 100, 50, 1, false);
    seal(0);
    cr_assert(settle(&rigs[0]));
    char have[64][128];
    uint32_t count = keys_since(from, have, 64);
    cr_assert_eq(count, 4 * sizeof keys_of_kz / sizeof keys_of_kz[0]); /* T beside each */
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
