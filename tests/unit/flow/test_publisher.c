/* SPDX-License-Identifier: Apache-2.0 */
#include "publisher_fixture.h"

TestSuite(publisher, .init = setup, .fini = teardown);

Test(publisher, nothing_but_claims_is_written_before_the_gate_opens)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    for (int i = 0; i < 50; i++)
        step(&rigs[0]);

    cr_assert_eq(process_queued(rigs[0].process, 0), STATISTICS);
    cr_assert(process_deliver(rigs[0].process, 0));
    for (int i = 0; i < 50; i++)
        step(&rigs[0]);
    cr_assert_eq(process_queued(rigs[0].process, 0), STATISTICS - 1);
    cr_assert_eq(read_counter(&counters()->is_publishing), 0);
    consume();
    cr_assert_eq(record_count, 0);
}

Test(publisher, without_the_lead_nothing_is_written_and_with_it_all_is)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], false);
    run(&rigs[0], 50);
    consume();
    cr_assert(record_count == 0 && claim_count == 0);
    cr_assert(publisher_is_quiet(rigs[0].publisher));

    publisher_lead(rigs[0].publisher, true);
    cr_assert(!publisher_is_quiet(rigs[0].publisher));
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 100);
    cr_assert_eq(claim_count, STATISTICS);
}

Test(publisher, a_halted_journal_stops_all_publishing)
{
    start(&rigs[0], true);
    count_and_seal("KZ", 100);
    cr_assert(settle(&rigs[0]));
    world_put(world, PORT_JOURNAL, 1, &(struct world_record){.value = {(const uint8_t *)"no frame", 8}});
    run(&rigs[0], 20);
    count_and_seal("KZ", 1);
    run(&rigs[0], 100);

    expect_value("KZ", 100);
    cr_assert_eq(read_counter(&counters()->is_publishing), 0);
    int64_t position;
    struct err_info halt;
    publisher_health(rigs[0].publisher, 1, &position, &halt);
    cr_assert(strstr(halt.text, "no journal frame"));
    publisher_health(rigs[0].publisher, 0, &position, &halt);
    cr_assert_str_eq(halt.text, "");
    cr_assert_eq(position, 3);
}

/* The journal topic was deleted and made anew: what it folds to is zero for all that stands in the statistics. */
Test(publisher, a_lost_journal_publishes_no_zeros_and_says_why)
{
    world_set_committed(world, 1, 40);
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    run(&rigs[0], 100);

    cr_assert_eq(read_counter(&counters()->is_publishing), 0);
    cr_assert_eq(read_counter(&counters()->claims), 0);
    struct err_info trouble;
    publisher_trouble(rigs[0].publisher, &trouble);
    cr_assert(strstr(trouble.text, "the journal of partition 1 holds nothing that was counted"), "%s", trouble.text);
}

Test(publisher, a_rivals_claim_before_the_own_one_makes_it_claim_again)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    for (int i = 0; i < 20; i++)
        step(&rigs[0]);
    put_claim(1, 1);
    cr_assert(settle(&rigs[0]));

    cr_assert_gt(read_counter(&counters()->term), 1);
    cr_assert_gt(read_counter(&counters()->claims), 1);
    expect_value("KZ", 100);
}

Test(publisher, a_larger_claim_takes_the_gate_away_and_a_leader_takes_it_back)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    put_claim(0, 40);
    count_and_seal("KZ", 11);
    cr_assert(settle(&rigs[0]));

    cr_assert_gt(read_counter(&counters()->term), 40);
    expect_value("KZ", 111);
}

Test(publisher, without_the_lead_it_does_not_claim_again)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    publisher_lead(rigs[0].publisher, false);
    put_claim(0, 40);
    count_and_seal("KZ", 11);
    run(&rigs[0], 200);

    expect_value("KZ", 100);
    cr_assert_eq(read_counter(&counters()->claims), 1);
}

Test(publisher, a_term_is_larger_than_that_of_any_record)
{
    put_foreign("flow|DAY|20250703|20250703|flow=M", 77ULL << TERM_SHIFT | 5, 9);
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    cr_assert_eq(read_counter(&counters()->term), 78);
    expect_value("KZ", 100);
}

Test(publisher, no_term_left_is_said)
{
    put_foreign("flow|DAY|20250703|20250703|flow=M", UINT64_MAX, 9);
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    run(&rigs[0], 100);
    struct err_info trouble;
    publisher_trouble(rigs[0].publisher, &trouble);
    cr_assert(strstr(trouble.text, "largest as_of"));
    consume();
    cr_assert_eq(claim_count, 0);
}

/* ---- what stands in the topic ---- */

Test(publisher, a_record_of_a_term_that_nobody_claimed_makes_it_claim_a_larger_one)
{
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    put_foreign(month_of("KZ"), 500ULL << TERM_SHIFT, 1);
    cr_assert(settle(&rigs[0]));

    expect_value("KZ", 100);
    cr_assert_gt(read_counter(&counters()->term), 500);
}

Test(publisher, a_restart_publishes_nothing_that_stands_there_and_its_as_of_is_larger)
{
    count_and_seal("KZ", 100);
    count_and_seal("KG", 5);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    consume();
    uint32_t records = record_count;
    uint64_t as_of = shown_at(live, &live_count, month_of("KZ"))->as_of;
    stop(&rigs[0]);
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    consume();
    cr_assert_eq(record_count, records);

    count_and_seal("KZ", 1);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 101);
    cr_assert_gt(shown_at(live, &live_count, month_of("KZ"))->as_of >> TERM_SHIFT, as_of >> TERM_SHIFT);
}

Test(publisher, a_producer_error_means_a_new_term_and_nothing_is_lost)
{
    static const enum fate fates[] = {FATE_LOST, FATE_LANDS_ACK_LOST};
    start(&rigs[0], true);
    cr_assert(settle(&rigs[0]));
    for (size_t i = 0; i < 2; i++) {
        int64_t term = read_counter(&counters()->term);
        count_and_seal("KZ", 100);
        for (int s = 0; s < 30; s++)
            step(&rigs[0]);
        cr_assert(process_misfortune(rigs[0].process, 0, fates[i]));
        run(&rigs[0], 2);
        cr_assert_eq(read_counter(&counters()->is_publishing), 0);
        cr_assert(settle(&rigs[0]));
        expect_value("KZ", 100 * (int64_t)(i + 1));
        cr_assert_gt(read_counter(&counters()->term), term);
    }
}

Test(publisher, a_refusing_lane_is_made_anew_each_time_after_a_longer_pause)
{
    struct err_info trouble = {{0}};
    count_and_seal("KZ", 100);
    start(&rigs[0], true);
    for (int i = 0; i < 400; i++) { /* 4 s; a new lane of the world takes again, so it must refuse again */
        process_refuse(rigs[0].process, 0, ERR_PEER);
        step(&rigs[0]);
    }
    publisher_trouble(rigs[0].publisher, &trouble);
    cr_assert(strstr(trouble.text, "refuses"), "%s", trouble.text);
    cr_assert_leq(read_counter(&counters()->claims), 6); /* after 0, 100, 300, 700, 1500, 3100 ms */
    process_refuse(rigs[0].process, 0, OK);
    cr_assert(settle(&rigs[0]));
    expect_value("KZ", 100);
    publisher_trouble(rigs[0].publisher, &trouble);
    cr_assert_str_eq(trouble.text, "");
}

static uint64_t chance(uint64_t *random, uint64_t of)
{
    return (next_random(random) >> 7) % of;
}

/* A record of a term that is over lands again. */
static void repeat_old_record(uint64_t *random)
{
    int32_t p = (int32_t)chance(random, STATISTICS);
    int64_t first = world_first(world, PORT_STATISTICS, p);
    int64_t many = world_next(world, PORT_STATISTICS, p) - first;
    uint64_t newest = 0;
    for (int64_t at = first; at < first + many; at++) {
        const struct world_record *r = world_at(world, PORT_STATISTICS, p, at);
        if (r->key.data[0] == '#' && (uint64_t)r->as_of > newest)
            newest = (uint64_t)r->as_of;
    }
    if (many == 0)
        return;
    int64_t at = first + (int64_t)chance(random, (uint64_t)many);
    const struct world_record *r = world_at(world, PORT_STATISTICS, p, at);
    if (r->key.data[0] != '#' && (uint64_t)r->as_of < newest)
        put_copy(p, at);
}

static void random_step(uint64_t *random, int64_t totals[4])
{
    static const char *const partners[4] = {"KZ", "KG", "UZ", "TJ"};
    if (chance(random, 6) == 0) {
        uint64_t which = chance(random, 4);
        uint32_t p = (uint32_t)chance(random, PARTITIONS);
        int64_t value = 1 + (int64_t)chance(random, 9);
        if (totals[which] > 0 && chance(random, 4) == 0) { /* all gone */
            count(0, partners[which], totals[which], -1);
            totals[which] = 0;
            seal(0);
        } else {
            count(p, partners[which], value, 1);
            totals[which] += value;
            seal(p);
        }
    }
    for (int i = 0; i < RIGS; i++) {
        struct rig *rig = &rigs[i];
        if (!rig->publisher) {
            if (chance(random, 10) == 0)
                start(rig, chance(random, 2));
            continue;
        }
        uint64_t luck = chance(random, 100);
        if (luck == 0) {
            stop(rig);
            continue;
        }
        if (luck < 4)
            publisher_lead(rig->publisher, luck == 1 || luck == 2);
        if (luck < 60)
            step(rig);
        if (luck == 60)
            process_misfortune(rig->process, 0, FATE_LANDS_ACK_LOST);
        if (luck == 61)
            process_misfortune(rig->process, 0, FATE_LOST);
        for (uint64_t n = chance(random, 4); n > 0; n--)
            process_deliver(rig->process, 0);
    }
    if (chance(random, 50) == 0)
        repeat_old_record(random);
}

Test(publisher, random_schedules_of_two_publishers_end_with_the_recount_for_every_consumer)
{
    static const char *const partners[4] = {"KZ", "KG", "UZ", "TJ"};
    teardown();
    for (uint64_t seed = 1; seed <= 300; seed++) {
        setup();
        int64_t totals[4] = {0};
        uint64_t random = seed * 1000003;
        for (int i = 0; i < 400; i++)
            random_step(&random, totals);
        if (rigs[1].publisher)
            stop(&rigs[1]);
        if (!rigs[0].publisher)
            start(&rigs[0], true);
        publisher_lead(rigs[0].publisher, true);
        cr_assert(settle(&rigs[0]), "seed %" PRIu64 ": does not come to rest", seed);
        cr_assert(settle(&rigs[0]));
        for (int i = 0; i < 4; i++) {
            consume();
            const struct shown *a = shown_at(live, &live_count, month_of(partners[i]));
            const struct shown *b = shown_at(last, &last_count, month_of(partners[i]));
            cr_assert(a->value == totals[i] && b->value == totals[i],
                      "seed %" PRIu64 ": %s is %" PRId64 ", a live consumer holds %" PRId64
                      ", a new one reads %" PRId64,
                      seed, partners[i], totals[i], a->value, b->value);
        }
        teardown();
    }
    setup();
}
