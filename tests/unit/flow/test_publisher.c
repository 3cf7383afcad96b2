/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cube.h"
#include "flow/gate.h"
#include "flow/publisher.h"
#include "flow/statistic.h"
#include "trade/calendar.h"

#include "base/memory.h"
#include "customs/v1/statistic.pb-c.h"
#include "sim/world.h"
#include "unit/flow/journal_fixture.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

enum { PARTITIONS = 2, STATISTICS = 2, RIGS = 2, KEYS_MOST = 4096, TERM_SHIFT = GATE_TERM_SHIFT };

/* One process that publishes. */
struct rig {
    struct process *process;
    struct publisher *publisher;
    uint64_t random;
};

static struct view_plan plan;
static struct reference *reference;
static struct world *world;
static struct maker makers[PARTITIONS];
static struct rig rigs[RIGS];
static uint64_t started;
static int64_t interval_ms = 100;
static int64_t keys_per_s = 50000;

static uint64_t next_random(void *context)
{
    uint64_t *state = context;
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 11 ^ *state << 29;
}

static void start(struct rig *rig, bool leads)
{
    rig->random = ++started * 7919;
    rig->process = process_new(world, 1);
    struct publisher_options options = {.port = process_port(rig->process),
                                        .lane = 0,
                                        .partitions = PARTITIONS,
                                        .statistics_partitions = STATISTICS,
                                        .plan = &plan,
                                        .reference = reference,
                                        .reporter = "CN",
                                        .currency = "CNY",
                                        .publish_interval_ms = interval_ms,
                                        .publish_max_keys_per_s = keys_per_s,
                                        .folds = true,
                                        .random = next_random,
                                        .random_context = &rig->random};
    rig->publisher = publisher_new(&options);
    publisher_lead(rig->publisher, leads);
}

/* As a kill: what stands in the lane is gone. */
static void stop(struct rig *rig)
{
    publisher_free(rig->publisher);
    process_kill(rig->process);
    *rig = (struct rig){0};
}

static void setup(void)
{
    struct err_info info = {{0}};
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/tests/unit/flow", NULL, &reference, &info), OK, "%s", info.text);
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("partner"), TEXT("partner,flow@month"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("flow"), TEXT("flow@day"), &info), OK);
    view_plan_finish(&plan);
    world = world_new(PARTITIONS, STATISTICS);
    world_set_now(world, 1750000000000);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        maker_init(&makers[p], &plan, p);
        struct bytes bytes = maker_open(&makers[p]);
        world_put(world, PORT_JOURNAL, (int32_t)p,
                  &(struct world_record){.value = bytes, .timestamp_ms = world_now(world)});
    }
}

static void teardown(void)
{
    for (int i = 0; i < RIGS; i++) {
        if (rigs[i].publisher)
            stop(&rigs[i]);
    }
    for (uint32_t p = 0; p < PARTITIONS; p++)
        maker_fini(&makers[p]);
    world_free(world);
    reference_free(reference);
}

TestSuite(publisher, .init = setup, .fini = teardown);

static void count(uint32_t partition, const char *partner, int64_t value, int sign)
{
    struct contribution_item item = item_of(10121, partner, value, 1000);
    struct contribution c = {.day = calendar_day(20250703), .item_count = 1, .items = &item};
    maker_add(&makers[partition], &c, sign);
}

static void seal(uint32_t partition)
{
    makers[partition].record_timestamp = world_now(world) - 500;
    makers[partition].event_ms = world_now(world) - 700;
    struct bytes bytes = maker_data(&makers[partition]);
    world_put(world, PORT_JOURNAL, (int32_t)partition,
              &(struct world_record){.value = bytes, .timestamp_ms = world_now(world)});
}

static void count_and_seal(const char *partner, int64_t value)
{
    count(0, partner, value, 1);
    seal(0);
}

static void step(struct rig *rig)
{
    publisher_step(rig->publisher);
    world_set_now(world, world_now(world) + 10);
}

static void deliver_all(struct rig *rig)
{
    while (process_deliver(rig->process, 0))
        ;
}

static void run(struct rig *rig, int steps)
{
    for (int i = 0; i < steps; i++) {
        step(rig);
        deliver_all(rig);
    }
}

static bool settle(struct rig *rig)
{
    for (int i = 0; i < 3000; i++) {
        run(rig, 1);
        if (publisher_is_quiet(rig->publisher)) {
            run(rig, 5);
            if (publisher_is_quiet(rig->publisher))
                return true;
        }
    }
    return false;
}

/* ---- what consumers see ---- */

struct shown {
    char key[128];
    uint64_t as_of;
    int64_t value;
    uint64_t items;
};

static struct shown live[KEYS_MOST]; /* by the rule: an as_of that is not larger is ignored */
static struct shown last[KEYS_MOST]; /* by place in the log: what compaction leaves */
static uint32_t live_count;
static uint32_t last_count;
static uint32_t record_count;
static uint32_t claim_count;

static struct shown *shown_at(struct shown *all, uint32_t *used, const char *key)
{
    for (uint32_t i = 0; i < *used; i++) {
        if (strcmp(all[i].key, key) == 0)
            return &all[i];
    }
    cr_assert_lt(*used, KEYS_MOST);
    all[*used] = (struct shown){0};
    snprintf(all[*used].key, sizeof all[*used].key, "%s", key);
    return &all[(*used)++];
}

static void read_record(const struct world_record *record)
{
    struct shown shown;
    snprintf(shown.key, sizeof shown.key, "%.*s", (int)record->key.length, (const char *)record->key.data);
    if (shown.key[0] == '#') {
        claim_count++;
        return;
    }
    record_count++;
    shown.as_of = 0;
    shown.value = 0;
    shown.items = 0;
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, record->value.length, record->value.data);
    if (m) {
        shown.as_of = m->as_of;
        shown.value = m->value_minor;
        shown.items = m->items;
        customs__v1__statistic__free_unpacked(m, NULL);
    }
    *shown_at(last, &last_count, shown.key) = shown;
    struct shown *mine = shown_at(live, &live_count, shown.key);
    if (shown.as_of > mine->as_of)
        *mine = shown;
}

static void consume(void)
{
    live_count = last_count = record_count = claim_count = 0;
    for (int32_t p = 0; p < STATISTICS; p++) {
        for (int64_t at = world_first(world, PORT_STATISTICS, p); at < world_next(world, PORT_STATISTICS, p); at++)
            read_record(world_at(world, PORT_STATISTICS, p, at));
    }
}

static const char *month_of(const char *partner)
{
    static char key[64];
    snprintf(key, sizeof key, "partner|MONTH|20250701|20250731|partner=%s|flow=M", partner);
    return key;
}

/* Both kinds of consumers hold this value for the partner's month. */
static void expect_value(const char *partner, int64_t value)
{
    consume();
    struct shown *a = shown_at(live, &live_count, month_of(partner));
    struct shown *b = shown_at(last, &last_count, month_of(partner));
    cr_assert_eq(a->value, value, "%s: a live consumer holds %" PRId64, partner, a->value);
    cr_assert_eq(b->value, value, "%s: a new consumer reads %" PRId64, partner, b->value);
    cr_assert_eq(a->as_of, b->as_of);
}

static int32_t partition_of_key(const char *key)
{
    return (int32_t)((hash_murmur2(key, strlen(key)) & 0x7FFFFFFF) % STATISTICS);
}

/* A record of somebody else. */
static void put_foreign(const char *key, uint64_t as_of, int64_t value)
{
    Customs__V1__Statistic m = CUSTOMS__V1__STATISTIC__INIT;
    uint8_t bytes[256];
    m.view = (char *)(uintptr_t) "partner";
    m.as_of = as_of;
    m.value_minor = value;
    m.items = value != 0;
    size_t length = customs__v1__statistic__pack(&m, bytes);
    world_put(world, PORT_STATISTICS, partition_of_key(key),
              &(struct world_record){.key = {(const uint8_t *)key, strlen(key)}, .value = {bytes, length}});
}

static void put_claim(int32_t partition, uint64_t term)
{
    char key[64];
    snprintf(key, sizeof key, "#claim|%" PRIu64 "|rival", term);
    world_put(
        world, PORT_STATISTICS, partition,
        &(struct world_record){.key = {(const uint8_t *)key, strlen(key)}, .value = {(const uint8_t *)"rival", 5}});
}

/* The record lands once more, as a connection that is over may do it. */
static void put_copy(int32_t partition, int64_t offset)
{
    struct world_record copy = *world_at(world, PORT_STATISTICS, partition, offset);
    uint8_t *bytes = memory_new(1, copy.key.length + copy.value.length);
    memcpy(bytes, copy.key.data, copy.key.length);
    memcpy(bytes + copy.key.length, copy.value.data, copy.value.length);
    copy.key.data = bytes;
    copy.value.data = bytes + copy.key.length;
    world_put(world, PORT_STATISTICS, partition, &copy);
    memory_free(bytes);
}

/* First record of a key in its partition. */
static int64_t offset_of(const char *key)
{
    int32_t p = partition_of_key(key);
    int64_t at = world_first(world, PORT_STATISTICS, p);
    while (at < world_next(world, PORT_STATISTICS, p)) {
        const struct world_record *r = world_at(world, PORT_STATISTICS, p, at);
        if (r->key.length == strlen(key) && memcmp(r->key.data, key, r->key.length) == 0)
            break;
        at++;
    }
    return at;
}

static int64_t read_counter(const struct counter *counter)
{
    return counter_read(counter);
}

static const struct publisher_counters *counters(void)
{
    return publisher_counters(rigs[0].publisher);
}

/* ---- the gate ---- */

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

Test(publisher, a_late_record_is_repaired)
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

Test(publisher, a_record_below_the_largest_as_of_of_its_key_is_repaired_though_it_is_equal)
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
Test(publisher, a_record_below_the_newest_claim_is_repaired_though_it_is_equal)
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

Test(publisher, a_late_record_of_a_key_without_cell_is_repaired_with_zeros)
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

Test(publisher, a_key_that_the_cube_does_not_have_gets_zeros_at_the_gate)
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

Test(publisher, a_record_that_is_no_statistic_is_replaced)
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

Test(publisher, a_tombstone_of_somebody_is_replaced)
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

Test(publisher, a_cell_whose_items_are_all_gone_is_published_with_zeros)
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

Test(publisher, a_change_that_is_taken_back_before_it_was_published_publishes_nothing)
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

Test(publisher, every_change_of_a_key_has_a_larger_as_of_and_each_key_one_partition)
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

Test(publisher, a_full_lane_keeps_the_rest_for_later)
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

Test(publisher, a_record_that_is_too_large_is_counted_and_stops_nothing)
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

Test(publisher, a_fault_of_the_statistics_topic_makes_it_read_the_topic_again)
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

/* ---- rounds ---- */

Test(publisher, while_input_waits_it_publishes_each_ten_seconds)
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

Test(publisher, behind_it_sends_no_more_keys_a_second_than_allowed)
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

Test(publisher, latency_and_progress_are_recorded_when_a_round_is_acknowledged)
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
