/* SPDX-License-Identifier: Apache-2.0
 * publisher_fixture.h - for tests: two publishers over a broker in memory, makers of journals, and consumers of what is published.
 */
#pragma once

#include "flow/cube.h"
#include "flow/gate.h"
#include "flow/publisher.h"
#include "flow/statistic.h"
#include "trade/calendar.h"

#include "base/memory.h"
#include "customs/v1/statistic.pb-c.h"
#include "sim/storm.h"
#include "unit/flow/journal_fixture.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

enum { PARTITIONS = 2, STATISTICS = 2, RIGS = 2, KEYS_MOST = 4096, TERM_SHIFT = GATE_TERM_SHIFT };
enum { PROVISIONAL_DAYS = 5, FINAL_MONTHS = 2, EVENT_BOUND_MS = 300000 };

/* One process that publishes. */
struct rig {
    struct process *process;
    struct publisher *publisher;
    uint64_t random;
};

static struct view_plan plan;
static struct reference *reference;
static struct zone *zone;
static struct world *world;
static struct maker makers[PARTITIONS];
static struct rig rigs[RIGS];
static uint64_t started;
static int64_t interval_ms = 100;
static int64_t keys_per_s = 50000;
static int64_t event_ms = INT64_MIN; /* of groups from now on; INT64_MIN: by the clock */

static void (*hears)(void *context, const struct port_record *record); /* of publishers that start from now on */

static inline uint64_t next_random(void *context)
{
    uint64_t *state = context;
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 11 ^ *state << 29;
}

static inline void start(struct rig *rig, bool leads)
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
                                        .event_bound_ms = EVENT_BOUND_MS,
                                        .told = hears,
                                        .zone = zone,
                                        .provisional_days = PROVISIONAL_DAYS,
                                        .final_months = FINAL_MONTHS,
                                        .folds = true,
                                        .random = next_random,
                                        .random_context = &rig->random};
    rig->publisher = publisher_new(&options);
    publisher_lead(rig->publisher, leads);
}

/* As a kill: what stands in the lane is gone. */
static inline void stop(struct rig *rig)
{
    publisher_free(rig->publisher);
    process_kill(rig->process);
    *rig = (struct rig){0};
}

static inline void setup(void)
{
    struct err_info info = {{0}};
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/tests/unit/flow", NULL, &reference, &info), OK, "%s", info.text);
    cr_assert_eq(zone_new("Asia/Shanghai", &zone, &info), OK, "%s", info.text);
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("partner"), TEXT("partner,flow@month"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("flow"), TEXT("flow@day"), &info), OK);
    for (uint32_t i = 0; i < plan.count; i++)
        plan.views[i].total = false; /* records are counted here; what T is: test_figures_sums.c */
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

static inline void teardown(void)
{
    for (int i = 0; i < RIGS; i++) {
        if (rigs[i].publisher)
            stop(&rigs[i]);
    }
    for (uint32_t p = 0; p < PARTITIONS; p++)
        maker_fini(&makers[p]);
    world_free(world);
    reference_free(reference);
    zone_free(zone);
    event_ms = INT64_MIN;
}

static inline void count_on(uint32_t partition, uint32_t date, const char *partner, int64_t value, int sign, bool late)
{
    struct contribution_item item = item_of(10121, partner, value, 1000);
    struct contribution c = {.day = calendar_day(date), .item_count = 1, .items = &item, .late = late};
    maker_add(&makers[partition], &c, sign);
}

static inline void count(uint32_t partition, const char *partner, int64_t value, int sign)
{
    count_on(partition, 20250703, partner, value, sign, false);
}

static inline void seal(uint32_t partition)
{
    makers[partition].record_timestamp = world_now(world) - 500;
    makers[partition].event_ms = event_ms != INT64_MIN ? event_ms : world_now(world) - 700;
    struct bytes bytes = maker_data(&makers[partition]);
    world_put(world, PORT_JOURNAL, (int32_t)partition,
              &(struct world_record){.value = bytes, .timestamp_ms = world_now(world)});
}

static inline void mark_idle(uint32_t partition)
{
    makers[partition].event_ms = event_ms;
    world_put(world, PORT_JOURNAL, (int32_t)partition,
              &(struct world_record){.value = maker_idle(&makers[partition]), .timestamp_ms = world_now(world)});
}

/* Groups from now on have events up to the midnight of a day, and the bound after it. */
static inline void set_event(uint32_t date)
{
    event_ms = zone_midnight_ms(zone, calendar_day(date)) + EVENT_BOUND_MS;
}

/* Both partitions have seen events up to there. */
static inline void pass_to(uint32_t date)
{
    set_event(date);
    seal(0);
    seal(1);
}

static inline void count_and_seal(const char *partner, int64_t value)
{
    count(0, partner, value, 1);
    seal(0);
}

static inline void step(struct rig *rig)
{
    publisher_step(rig->publisher);
    world_set_now(world, world_now(world) + 10);
}

static inline void deliver_all(struct rig *rig)
{
    while (process_deliver(rig->process, 0))
        ;
}

static inline void run(struct rig *rig, int steps)
{
    for (int i = 0; i < steps; i++) {
        step(rig);
        deliver_all(rig);
    }
}

static inline bool settle(struct rig *rig)
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
    int64_t base_value;
    uint64_t items;
    uint64_t late_items;
    int64_t watermark_ms;
    uint32_t from; /* yyyymmdd */
    uint32_t to;
    unsigned state;
    bool is_gone; /* a tombstone */
    uint32_t records;
};

static struct shown live[KEYS_MOST]; /* by the rule: an as_of that is not larger is ignored */
static struct shown last[KEYS_MOST]; /* by place in the log: what compaction leaves */
static uint32_t live_count;
static uint32_t last_count;
static uint32_t record_count;
static uint32_t claim_count;

static inline struct shown *shown_at(struct shown *all, uint32_t *used, const char *key)
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

static inline void read_record(const struct world_record *record)
{
    struct shown shown;
    snprintf(shown.key, sizeof shown.key, "%.*s", (int)record->key.length, (const char *)record->key.data);
    if (shown.key[0] == '#') {
        claim_count++;
        return;
    }
    record_count++;
    shown.as_of = (uint64_t)record->as_of;
    shown.value = 0;
    shown.base_value = 0;
    shown.items = 0;
    shown.late_items = 0;
    shown.watermark_ms = 0;
    shown.from = 0;
    shown.to = 0;
    shown.state = 0;
    shown.is_gone = record->is_null;
    shown.records = shown_at(live, &live_count, shown.key)->records + 1;
    Customs__V1__Statistic *m =
        record->is_null ? NULL : customs__v1__statistic__unpack(NULL, record->value.length, record->value.data);
    if (m) {
        shown.as_of = m->as_of;
        shown.value = m->value_minor;
        shown.base_value = m->base_value_minor;
        shown.items = m->items;
        shown.late_items = m->late_items;
        shown.watermark_ms = m->watermark_ms;
        shown.from = m->period_from;
        shown.to = m->period_to;
        shown.state = (unsigned)m->state;
        customs__v1__statistic__free_unpacked(m, NULL);
    }
    *shown_at(last, &last_count, shown.key) = shown;
    struct shown *mine = shown_at(live, &live_count, shown.key);
    mine->records++;
    if (shown.as_of > mine->as_of)
        *mine = shown;
}

static inline void consume(void)
{
    live_count = last_count = record_count = claim_count = 0;
    for (int32_t p = 0; p < STATISTICS; p++) {
        for (int64_t at = world_first(world, PORT_STATISTICS, p); at < world_next(world, PORT_STATISTICS, p); at++) {
            if (!world_is_hole(world, PORT_STATISTICS, p, at))
                read_record(world_at(world, PORT_STATISTICS, p, at));
        }
    }
}

static inline const char *month_of(const char *partner)
{
    static char key[64];
    snprintf(key, sizeof key, "partner|MONTH|20250701|20250731|partner=%s|flow=M", partner);
    return key;
}

/* Both kinds of consumers hold this value for the partner's month. */
static inline void expect_value(const char *partner, int64_t value)
{
    consume();
    struct shown *a = shown_at(live, &live_count, month_of(partner));
    struct shown *b = shown_at(last, &last_count, month_of(partner));
    cr_assert_eq(a->value, value, "%s: a live consumer holds %" PRId64, partner, a->value);
    cr_assert_eq(b->value, value, "%s: a new consumer reads %" PRId64, partner, b->value);
    cr_assert_eq(a->as_of, b->as_of);
}

static inline int32_t partition_of_key(const char *key)
{
    return (int32_t)((hash_murmur2(key, strlen(key)) & 0x7FFFFFFF) % STATISTICS);
}

/* A record of somebody else. */
static inline void put_foreign(const char *key, uint64_t as_of, int64_t value)
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

static inline void put_claim(int32_t partition, uint64_t term)
{
    char key[64];
    snprintf(key, sizeof key, "#claim|%" PRIu64 "|rival", term);
    world_put(
        world, PORT_STATISTICS, partition,
        &(struct world_record){.key = {(const uint8_t *)key, strlen(key)}, .value = {(const uint8_t *)"rival", 5}});
}

/* The record lands once more, as a connection that is over may do it. */
static inline void put_copy(int32_t partition, int64_t offset)
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
static inline int64_t offset_of(const char *key)
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

static inline int64_t read_counter(const struct counter *counter)
{
    return counter_read(counter);
}

static inline const struct publisher_counters *counters(void)
{
    return publisher_counters(rigs[0].publisher);
}

/* ---- the gate ---- */

/* KZ's figures are published and the watermark passes to `date`; then they are taken back, and that is sealed. */
static inline void zero_kz(uint32_t date)
{
    count(0, "KZ", 100, 1);
    pass_to(date);
    cr_assert(settle(&rigs[0]));
    count(0, "KZ", 100, -1);
    seal(0);
}

/* Enough for a round, while nothing of the broker's moves. */
static inline void step_some(void)
{
    for (int i = 0; i < 30; i++)
        step(&rigs[0]);
}
