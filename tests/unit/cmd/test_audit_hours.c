/* SPDX-License-Identifier: Apache-2.0
 * Views by hour under audit: the engine counts over a change of the clocks and until hours are not kept any more, something is done to
 * what it published, and the audit must name the record. Records are made of one declaration an hour, so that sums are numbers of hours.
 */
#include "cmd/audit.h"

#include "base/hash.h"
#include "flow/hours.h"
#include "trade/calendar.h"

#include "../flow/host_fixture.h"
#include "sim/storm.h"

#include "customs/v1/statistic.pb-c.h"

#include <inttypes.h>

enum { PLAN_ID = 4711, PROVISIONAL_DAYS = 5, FINAL_MONTHS = 18, KEY_BYTES = 128 };

static struct fixture f;
static struct zone *zone;
static struct process *reader;
static struct audit *audit;
static struct audit_options options;
static struct err_info info;

/* Hours of flows and of offices and country groups, in a zone. */
static void begin(const char *name, const char *periods)
{
    fixture_init(&f);
    cr_assert_eq(zone_new(name, &zone, &info), OK, "%s", info.text);
    f.plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&f.plan, TEXT("hours"), TEXT("flow@hour"), &info), OK, "%s", info.text);
    cr_assert_eq(view_plan_add(&f.plan, TEXT("desks"), TEXT("office,flow@hour"), &info), OK, "%s", info.text);
    cr_assert_eq(view_plan_add(&f.plan, TEXT("blocs"), TEXT("partner_group,flow@hour"), &info), OK, "%s", info.text);
    cr_assert_eq(view_plan_add(&f.plan, TEXT("days"), TEXT("flow@day"), &info), OK, "%s", info.text);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(view_plan_option(&f.plan, text_of(f.plan.views[i].name), TEXT("publish"), text_of(periods), &info),
                     OK);
    cr_assert_eq(view_plan_groups(&f.plan, f.reference, &info), OK, "%s", info.text);
    view_plan_finish(&f.plan);
    f.options.zone = zone;
    f.options.provisional_days = PROVISIONAL_DAYS;
    f.options.final_months = FINAL_MONTHS;
    f.options.event_bound_ms = 0;
    f.options.idle_ms = 1000;
    options = (struct audit_options){
        .plan = &f.plan,
        .rules = f.rules,
        .reference = f.reference,
        .plan_id = PLAN_ID,
        .batch = {.envelope = {INPUT_AUTO, 1 << 20}, .key_check = BATCH_KEY_ID, .partitions = PARTS, .rules = f.rules},
        .topic = "customs.declarations",
        .reporter = "CN",
        .currency = "CNY",
        .zone = zone,
        .provisional_days = PROVISIONAL_DAYS,
        .final_months = FINAL_MONTHS,
        .recount = true,
        .patience_ms = 2000,
    };
}

static void stop_audit(void)
{
    audit_free(audit);
    audit = NULL;
    process_kill(reader);
    reader = NULL;
}

static void teardown(void)
{
    stop_audit();
    zone_free(zone);
    fixture_fini(&f);
}

TestSuite(audit_hours, .fini = teardown);

/* ---- input ---- */

/* The hour of UTC of a civil date and hour of UTC. */
static int32_t hour_of(uint32_t date, int32_t hour)
{
    return calendar_day(date) * 24 + hour;
}

/* Accepted in the middle of that hour, and recorded then. */
static void send(int32_t hour, uint32_t version, const char *id, int64_t value)
{
    struct sample sample;
    struct buffer bytes = {0};
    sample_init(&sample, id);
    if (version > 1)
        sample_replace(&sample, version);
    struct declaration *d = &sample.declaration;
    d->accepted_at_ms = hours_begin_ms(hour) + HOURS_MS / 2;
    d->submitted_at_ms = d->accepted_at_ms - 1;
    d->reference_date = calendar_date(zone_day(f.zone, d->accepted_at_ms));
    sample.items[0].statistical_value_minor = sample.items[0].customs_value_minor = value;
    sample_encode(&sample, &bytes);
    struct world_record record = {.key = {(const uint8_t *)sample.id, strlen(sample.id)},
                                  .value = buffer_bytes(&bytes),
                                  .timestamp_ms = d->accepted_at_ms};
    for (int32_t p = 0; version == 1 && p < PARTS;
         p++) { /* the same in each partition, so that none holds the watermark back */
        char key[32];
        snprintf(key, sizeof key, "%s-%d", id, p);
        sample.declaration.declaration_id = text_of(key);
        buffer_clear(&bytes);
        sample_encode(&sample, &bytes);
        record.key = (struct bytes){(const uint8_t *)key, strlen(key)};
        record.value = buffer_bytes(&bytes);
        world_put(f.world, PORT_DECLARATIONS, p, &record);
    }
    if (version > 1)
        world_put(f.world, PORT_DECLARATIONS, 0, &record);
    buffer_fini(&bytes);
}

static void send_hours(int32_t from, int32_t to)
{
    char id[32];
    for (int32_t hour = from; hour <= to; hour++) {
        snprintf(id, sizeof id, "H%d", hour);
        send(hour, 1, id, 1);
    }
}

/* All is counted and published, zeros and tombstones too. */
static void settle(void)
{
    f.options.seed++;
    struct host *host = host_new(f.world, &f.options);
    for (int i = 0; i < 20; i++) {
        cr_assert(host_settle(host, 60));
        world_set_now(f.world, world_now(f.world) + 500);
    }
    host_kill(host);
}

/* ---- what is published ---- */

struct place {
    int32_t partition;
    int64_t offset;
};

/* The newest record of a key. */
static struct place find(const char *key)
{
    for (int32_t p = 0; p < STATISTICS_PARTS; p++) {
        for (int64_t o = world_next(f.world, PORT_STATISTICS, p) - 1; o >= 0; o--) {
            struct bytes own = world_at(f.world, PORT_STATISTICS, p, o)->key;
            if (own.length == strlen(key) && memcmp(own.data, key, own.length) == 0)
                return (struct place){p, o};
        }
    }
    cr_assert_fail("%s was never published", key);
    return (struct place){-1, -1};
}

static Customs__V1__Statistic *unpack(const char *key)
{
    struct place place = find(key);
    const struct world_record *record = world_at(f.world, PORT_STATISTICS, place.partition, place.offset);
    cr_assert(!record->is_null, "%s is a tombstone", key);
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, record->value.length, record->value.data);
    cr_assert_not_null(m);
    return m;
}

static int64_t value_of(const char *key)
{
    Customs__V1__Statistic *m = unpack(key);
    int64_t value = m->value_minor;
    customs__v1__statistic__free_unpacked(m, NULL);
    return value;
}

static bool is_gone(const char *key)
{
    struct place place = find(key);
    return world_at(f.world, PORT_STATISTICS, place.partition, place.offset)->is_null;
}

/* Somebody writes a record over the newest one of a key. */
static void overwrite(const char *key)
{
    static uint8_t bytes[1024];
    struct place place = find(key);
    struct world_record record = *world_at(f.world, PORT_STATISTICS, place.partition, place.offset);
    Customs__V1__Statistic *m = unpack(key);
    m->value_minor++;
    m->as_of++;
    record.as_of = (int64_t)m->as_of;
    record.value = (struct bytes){bytes, customs__v1__statistic__pack(m, bytes)};
    customs__v1__statistic__free_unpacked(m, NULL);
    world_put(f.world, PORT_STATISTICS, place.partition, &record);
}

/* A copy of the world without one record of topic.statistics. */
static void drop(struct place lost)
{
    stop_audit(); /* it reads the world that goes */
    struct world *world = world_new(PARTS, STATISTICS_PARTS);
    for (int topic = 0; topic < PORT_TOPICS; topic++) {
        int32_t partitions = topic == PORT_REJECTS ? 1 : PARTS;
        for (int32_t p = 0; p < partitions; p++) {
            for (int64_t o = 0; o < world_next(f.world, (enum port_topic)topic, p); o++) {
                if (topic != PORT_STATISTICS || p != lost.partition || o != lost.offset)
                    world_put(world, (enum port_topic)topic, p, world_at(f.world, (enum port_topic)topic, p, o));
            }
        }
    }
    world_set_now(world, world_now(f.world));
    world_free(f.world);
    f.world = world;
}

/* ---- audit ---- */

static enum err run(void)
{
    stop_audit();
    reader = process_new(f.world, 1);
    options.port = process_port(reader);
    audit = audit_new(&options);
    enum err err = audit_journals(audit, &info);
    if (err == OK)
        err = audit_rejects(audit, &info);
    return err == OK ? audit_statistics(audit, &info) : err;
}

static void expect_clean(void)
{
    cr_assert_eq(run(), OK, "%s", info.text);
    cr_assert_eq(audit_broken(audit), 0, "%s", audit_broken(audit) ? audit_place(audit, 0)->what : "");
}

static void expect_broken(const char *key, const char *what)
{
    cr_assert_eq(run(), OK, "%s", info.text);
    cr_assert_gt(audit_broken(audit), 0, "nothing is found");
    const struct audit_place *place = audit_place(audit, 0);
    cr_assert_eq(place->topic, PORT_STATISTICS, "%s", place->what);
    cr_assert(strstr(place->what, key), "%s", place->what);
    cr_assert(strstr(place->what, what), "%s", place->what);
}

static const char *key_of(const char *view, int32_t hour, const char *dimensions)
{
    static char key[KEY_BYTES];
    char name[HOURS_KEY_BYTES];
    hours_key(hour, name);
    snprintf(key, sizeof key, "%s|HOUR|%.12s|%.12s|%s", view, name, name, dimensions);
    return key;
}

/* ---- claims ---- */

/* Each partition has a declaration an hour: 2 an hour, so a day of 25 hours ends seven days of 2 x 169. */
Test(audit_hours, windows_over_a_day_of_25_hours_are_clean)
{
    begin("Europe/Berlin", "hour,24h,7d");
    int32_t last = hour_of(20251026, 22); /* the last of the day: midnight is 23Z then */
    send_hours(hour_of(20251018, 0), last);
    settle();

    expect_clean();
    cr_assert_eq(value_of("hours|ROLLING|7D||flow=M"), 2 * 169);
    cr_assert_eq(value_of("hours|ROLLING|24H||flow=M"), 2 * 24);
    cr_assert_eq(value_of(key_of("desks", last, "office=9407|flow=T")), 2);
    cr_assert_eq(value_of(key_of("blocs", last, "partner_group=CENTRAL_ASIA|flow=M")), 2);
    cr_assert_gt(audit_sums(audit)->periods, 1000);
    cr_assert_eq(audit_sums(audit)->recounted, audit_sums(audit)->cells);
}

Test(audit_hours, windows_over_a_day_of_23_hours_are_clean)
{
    begin("Europe/Berlin", "hour,24h,7d");
    send_hours(hour_of(20260320, 0), hour_of(20260329, 21)); /* midnight is 22Z then */
    settle();

    expect_clean();
    cr_assert_eq(value_of("hours|ROLLING|7D||flow=M"), 2 * 167);
    cr_assert_eq(value_of("hours|ROLLING|24H||flow=M"), 2 * 24);
}

/* Days begin at half past, so 7D is none of theirs; hours and the last 24 of them are of UTC. */
Test(audit_hours, hours_of_a_zone_of_half_hours_are_clean)
{
    begin("Asia/Kolkata", "hour,24h");
    send_hours(hour_of(20250901, 0), hour_of(20250903, 18));
    settle();

    expect_clean();
    cr_assert_eq(value_of("hours|ROLLING|24H||flow=M"), 2 * 24);
    Customs__V1__Statistic *m = unpack(key_of("hours", hour_of(20250902, 18), "flow=M"));
    cr_assert_eq(m->period_from, 20250902, "18Z begins at 23:30");
    customs__v1__statistic__free_unpacked(m, NULL);
    overwrite(key_of("hours", hour_of(20250902, 18), "flow=M"));
    expect_broken("hours|HOUR|20250902T18Z", "the journals say 2,");
}

Test(audit_hours, a_changed_hour_and_a_changed_window_are_found)
{
    begin("Europe/Berlin", "hour,24h,7d");
    send_hours(hour_of(20251024, 0), hour_of(20251027, 5));
    settle();
    overwrite("blocs|ROLLING|24H||partner_group=CENTRAL_ASIA|flow=T");
    expect_broken("blocs|ROLLING|24H||partner_group=CENTRAL_ASIA|flow=T", "published is value 49");
    drop(find("blocs|ROLLING|24H||partner_group=CENTRAL_ASIA|flow=T"));
    expect_clean();

    overwrite(key_of("hours", hour_of(20251026, 1), "flow=M")); /* the second two o'clock */
    expect_broken("hours|HOUR|20251026T01Z", "published is value 3");
}

/* The 45 days have passed: tombstones, and a correction that nobody is told of. */
Test(audit_hours, hours_that_ended_are_clean_with_a_correction_after_it)
{
    begin("Europe/Berlin", "hour,24h,7d");
    int32_t first = hour_of(20251026, 0);
    const char *key = key_of("desks", first, "office=9407|flow=M");
    send_hours(first, first + 3);
    settle();
    cr_assert_eq(value_of(key), 2);
    send_hours(first + 46 * 24, first + 46 * 24);
    settle();
    expect_clean();
    cr_assert(is_gone(key));
    cr_assert_geq(audit_sums(audit)->tombstones, 4 * 6, "three views, and all flows together");

    char id[32];
    snprintf(id, sizeof id, "H%d-0", first);
    send(first, 2, id, 5);
    struct place before = find(key);
    settle();
    expect_clean();
    struct place after = find(key);
    cr_assert_eq(after.offset, before.offset, "nothing was told of an hour that is not kept");
    cr_assert_eq(audit_sums(audit)->recounted, audit_sums(audit)->cells);
}

Test(audit_hours, a_tombstone_that_is_missing_and_one_that_is_too_early_are_found)
{
    begin("Europe/Berlin", "hour,24h,7d");
    int32_t first = hour_of(20251026, 0);
    const char *key = key_of("hours", first, "flow=M");
    send_hours(first, first + 3);
    settle();
    char early[KEY_BYTES];
    snprintf(early, sizeof early, "%s", key_of("hours", first + 9, "flow=M")); /* nothing came in that hour */
    struct place held = find(key_of("hours", first, "flow=M"));
    struct world_record gone = *world_at(f.world, PORT_STATISTICS, held.partition, held.offset);
    gone.key = (struct bytes){(const uint8_t *)early, strlen(early)};
    gone.is_null = true;
    gone.value = (struct bytes){NULL, 0};
    world_put(f.world, PORT_STATISTICS, (int32_t)((hash_murmur2(early, strlen(early)) & 0x7FFFFFFF) % STATISTICS_PARTS),
              &gone);
    expect_broken(early, "can't be over yet");
    drop(find(early));

    send_hours(first + 46 * 24, first + 46 * 24);
    settle();
    expect_clean();
    drop(find(key));
    expect_broken(key, "no tombstone followed");
}

/* A view by hour that is configured no more: its keys are zero, and gone when their hours are. */
Test(audit_hours, keys_of_a_view_that_is_gone_end_with_their_hours)
{
    begin("Europe/Berlin", "hour");
    int32_t first = hour_of(20251026, 0);
    const char *key = key_of("hours", first, "flow=M");
    send_hours(first, first);
    settle();
    cr_assert_eq(value_of(key), 2);
    struct view_plan other = {0};
    cr_assert_eq(view_plan_add(&other, TEXT("desks"), TEXT("office,flow@hour"), &info), OK);
    view_plan_finish(&other);
    f.plan = other;
    f.options.plan_id = options.plan_id = PLAN_ID + 1;
    settle();
    expect_clean();
    cr_assert_eq(value_of(key), 0);

    send_hours(first + 46 * 24, first + 46 * 24);
    settle();
    cr_assert(is_gone(key));
    expect_clean();
}
