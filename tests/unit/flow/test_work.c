/* SPDX-License-Identifier: Apache-2.0 */
#include "host_fixture.h"

#include <unistd.h>

static struct fixture f;

static void setup(void)
{
    fixture_init(&f);
}

static void teardown(void)
{
    fixture_fini(&f);
}

TestSuite(work, .init = setup, .fini = teardown);

Test(work, a_damaged_record_halts_and_nothing_behind_it_counts)
{
    struct sample sample;
    sample_init(&sample, "A");
    fixture_put(&f, 0, &sample);
    struct world_record damaged = {.fault = PORT_BAD_CRC};
    world_put(f.world, PORT_DECLARATIONS, 0, &damaged);
    sample_init(&sample, "B");
    fixture_put(&f, 0, &sample);
    struct host *host = host_new(f.world, &f.options);
    fixture_pass(f.world, host);

    cr_assert_eq(counter_read(&host_status(host, 0)->phase), PARTITION_HALTED);
    cr_assert(strstr(host_status(host, 0)->reason, "input offset 1"), "%s", host_status(host, 0)->reason);
    host_kill(host);
}

Test(work, a_reject_that_is_too_large_shrinks_to_its_coordinates)
{
    struct sample sample;
    sample_init(&sample, "A");
    sample.declaration.office_code = TEXT("NOWHERE");
    fixture_put(&f, 0, &sample);
    struct host *host = host_new(f.world, &f.options);
    bool refused = false;
    for (int i = 0; i < 2000 && !refused; i++) {
        if (!host_step(host))
            world_set_now(f.world, world_now(f.world) + 10);
        if (counter_read(&host_status(host, 0)->unechoed_groups) > 0)
            refused = process_misfortune(host_process(host), HOST_WORKER_LANE, FATE_TOO_LARGE);
        else
            host_deliver(host, 1);
    }

    cr_assert(refused);
    cr_assert(host_settle(host, 30));
    cr_assert_eq(fixture_verdict(host, VERDICT_REJECTED), 1);
    cr_assert_eq(world_next(f.world, PORT_REJECTS, 0), 1);
    cr_assert_lt(world_at(f.world, PORT_REJECTS, 0, 0)->value.length, 100);
    host_kill(host);
}

Test(work, rejects_are_in_their_topic_before_the_group_that_lists_them)
{
    fixture_fill(&f, 60, 21);
    struct host *host = host_new(f.world, &f.options);
    int64_t listed = 0;
    for (int i = 0; i < 20000 && listed < 5; i++) {
        if (!host_step(host) && host_deliver(host, 1) == 0)
            world_set_now(f.world, world_now(f.world) + 10);
        host_deliver(host, 1);
        listed = fixture_verdict(host, VERDICT_REJECTED);
        cr_assert_leq(listed, world_next(f.world, PORT_REJECTS, 0));
    }
    cr_assert_geq(listed, 5);
    host_kill(host);
}

/* ---- other rules while it runs ---- */

enum { RELOAD_RECORDS = 40 };

/* The same rules, but an office that is in no list only warns. */
static struct ruleset mild_rules(struct rules **out)
{
    struct err_info info;
    struct rules_options options = rules_default_options(f.zone);
    options.severity[RULE_COD_101] = SEVERITY_WARN;
    cr_assert_eq(rules_new(&options, f.reference, out, &info), OK, "%s", info.text);
    return (struct ruleset){plan_make(4711, 2), *out, f.reference, 2};
}

static void put_bad_office(int number)
{
    struct sample sample;
    char id[16];
    snprintf(id, sizeof id, "R%d", number);
    sample_init(&sample, id);
    sample.declaration.office_code = TEXT("NOWHERE");
    fixture_put(&f, 0, &sample);
}

/* Every group that counts of partition 0, in order: where the plan changes, and what the groups of each plan hold. */
struct told {
    int64_t boundary; /* input offset; -1: the plan never changed */
    int64_t rejected[2];
    int64_t counted[2];
    int changes;
    int last; /* 1: the newest group is of the newer plan */
};

static enum err hear(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct told *told = context;
    (void)info;
    int newer = frames[0].plan == plan_make(4711, 2);
    if (newer != told->last) {
        told->changes++;
        told->boundary = frames[0].lo;
    }
    told->last = newer;
    for (struct frame_walk walk = frame_walk_of(frames, count); frame_walk_next(&walk);) {
        struct counts counts = {0};
        if (walk.section != SECTION_COUNTS || frames[0].kind != FRAME_DATA)
            continue;
        cr_assert(frame_get_counts(walk.bytes, &counts));
        told->rejected[newer] += counts.verdicts[VERDICT_REJECTED];
        told->counted[newer] += counts.verdicts[VERDICT_COUNTED];
    }
    return OK;
}

static struct told tell(void)
{
    struct told told = {.boundary = -1};
    struct reader_rule *rule = reader_rule_new();
    for (int64_t o = 0; o < world_next(f.world, PORT_JOURNAL, 0); o++)
        reader_rule_feed(rule, o, world_at(f.world, PORT_JOURNAL, 0, o)->value, hear, &told, NULL);
    cr_assert_not(rule->halted, "%s", rule->why.text);
    reader_rule_free(rule);
    return told;
}

Test(work, other_rules_begin_with_a_group_of_their_own)
{
    struct rules *mild;
    struct ruleset newer = mild_rules(&mild);
    f.options.plan_id = plan_make(4711, 1);
    f.options.frame_interval_ms = 100000; /* only the reload ends the first group */
    struct host *host = host_new(f.world, &f.options);
    for (int i = 0; i < RELOAD_RECORDS; i++)
        put_bad_office(i);
    for (int i = 0; i < 200; i++) {
        host_step(host);
        host_deliver(host, SIZE_MAX);
    }
    cr_assert_eq(tell().rejected[0] + tell().rejected[1], 0, "nothing is sealed yet");

    host_reload(host, &newer);
    cr_assert_eq(host_reloaded(host), 1, "nobody has taken it");
    for (int i = 0; i < 20; i++) {
        host_step(host);
        host_deliver(host, SIZE_MAX);
    }
    cr_assert_eq(host_reloaded(host), 2, "the first is used no more");
    for (int i = 0; i < RELOAD_RECORDS; i++)
        put_bad_office(RELOAD_RECORDS + i);
    cr_assert(host_settle(host, 300));

    struct told told = tell();
    cr_assert_eq(told.changes, 1);
    cr_assert_eq(told.boundary, RELOAD_RECORDS);
    cr_assert_eq(told.rejected[0], RELOAD_RECORDS);
    cr_assert_eq(told.counted[0], 0);
    cr_assert_eq(told.rejected[1], 0);
    cr_assert_eq(told.counted[1], RELOAD_RECORDS);
    host_kill(host);
    rules_free(mild);
}

/* Eight groups are under way and none is echoed. */
Test(work, other_rules_under_backpressure_judge_what_was_not_yet_taken)
{
    struct rules *mild;
    struct ruleset newer = mild_rules(&mild);
    f.options.plan_id = plan_make(4711, 1);
    struct host *host = host_new(f.world, &f.options);
    for (int i = 0; i < 200; i++) {
        host_step(host);
        host_deliver(host, SIZE_MAX);
    }
    for (int i = 0; i < 200; i++) {
        put_bad_office(i);
        host_step(host);
        world_set_now(f.world, world_now(f.world) + 100); /* nothing is delivered: groups pile up */
    }
    int64_t waiting = counter_read(&host_status(host, 0)->unechoed_groups);
    host_reload(host, &newer);
    for (int i = 0; i < 20; i++)
        host_step(host);
    cr_assert(host_settle(host, 300));

    struct told told = tell();
    cr_assert_eq(waiting, GROUPS_MOST);
    cr_assert_eq(told.rejected[1], 0, "nothing that the new rules judged is rejected");
    cr_assert_eq(told.counted[0], 0, "nothing that the old rules judged is counted");
    cr_assert_eq(told.rejected[0] + told.counted[1], 200);
    cr_assert_eq(host_reloaded(host), 2);
    cr_assert_eq(told.changes, 1);
    host_kill(host);
    rules_free(mild);
}

/* What was counted under rules that are gone is retracted as it was stored. */
Test(work, a_version_under_other_rules_replaces_what_was_counted_under_the_old)
{
    struct rules *mild;
    struct ruleset newer = mild_rules(&mild);
    struct sample sample;
    f.options.plan_id = plan_make(4711, 1);
    struct host *host = host_new(f.world, &f.options);
    sample_init(&sample, "A");
    fixture_put(&f, 0, &sample);
    cr_assert(host_settle(host, 60));
    host_reload(host, &newer);
    sample_replace(&sample, 2);
    sample.declaration.office_code = TEXT("NOWHERE");
    sample.items[0].statistical_value_minor = 7;
    fixture_put(&f, 0, &sample);
    cr_assert(host_settle(host, 60));

    struct buffer held = {0};
    host_dump_statistics(f.world, STATISTICS_PARTS, &held);
    buffer_add_u8(&held, 0);
    cr_assert(strstr((const char *)held.data, "office=NOWHERE|"), "%s", (const char *)held.data);
    cr_assert(strstr((const char *)held.data, "value=7 CNY"));
    cr_assert_null(strstr((const char *)held.data, "office=9407|"), "%s", (const char *)held.data);
    buffer_fini(&held);
    host_kill(host);
    rules_free(mild);
}

static int64_t published(const struct host *host)
{
    return counter_read(&host_published(host)->publish_keys);
}

/* Units are looked up when a record is made: pieces are C62 where units.csv has that row first. */
Test(work, other_lists_publish_again_what_reads_otherwise_with_them_and_nothing_else)
{
    struct err_info info;
    struct reference *reference;
    char folder[] = "/tmp/work_reload.XXXXXX";
    char path[64];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/units.csv", folder);
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    fputs("rec20,std_unit,kind,factor_to_std\nC62,u,count,1\nH87,u,count,1\nKGM,kg,mass,1\n", file);
    fclose(file);
    cr_assert_eq(reference_load(folder, DRYPORT_SOURCE "/tests/data/reference", &reference, &info), OK, "%s",
                 info.text);
    unlink(path);
    rmdir(folder);
    struct ruleset newer = {plan_make(4711, 2), f.rules, reference, 2};
    struct ruleset same = {plan_make(4711, 3), f.rules, reference, 3};
    struct sample sample;
    sample_init(&sample, "A");
    struct item *item = sample_add_item(&sample, "847130", 500);
    item->supp_quantity_micro = 3000000;
    item->supp_unit = TEXT("H87");
    fixture_put(&f, 0, &sample);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 60));
    int64_t before = published(host);
    struct buffer held = {0};
    host_dump_statistics(f.world, STATISTICS_PARTS, &held);
    buffer_add_u8(&held, 0);
    cr_assert(strstr((const char *)held.data, "supp=3000000H87"), "%s", (const char *)held.data);

    host_reload(host, &newer);
    cr_assert(host_settle(host, 60));
    int64_t after = published(host);
    buffer_clear(&held);
    host_dump_statistics(f.world, STATISTICS_PARTS, &held);
    buffer_add_u8(&held, 0);
    host_reload(host, &same);
    cr_assert(host_settle(host, 60));

    cr_assert(strstr((const char *)held.data, "supp=3000000C62"), "%s", (const char *)held.data);
    cr_assert_null(strstr((const char *)held.data, "supp=3000000H87"));
    cr_assert_eq(after - before, 4, "commodity and commodity_office, with all flows together beside");
    cr_assert_eq(published(host), after, "the same lists again");
    buffer_fini(&held);
    host_kill(host);
    reference_free(reference);
}

Test(work, backpressure_stops_pulling_after_eight_groups)
{
    fixture_fill(&f, 400, 2);
    f.options.frame_interval_ms = 10;
    struct host *host = host_new(f.world, &f.options);
    for (int i = 0; i < 300; i++) { /* claims and restores */
        host_step(host);
        if (counter_read(&host_status(host, 0)->phase) != PARTITION_RUNNING)
            host_deliver(host, SIZE_MAX);
        world_set_now(f.world, world_now(f.world) + 20);
    }
    cr_assert_leq(counter_read(&host_status(host, 0)->unechoed_groups), GROUPS_MOST);
    cr_assert(host_settle(host, 60));
    host_kill(host);
}

/* Records of many declarations one after the other: every group ends soon after a limit is reached, not with the input.
 */
Test(work, records_of_many_declarations_are_sealed_record_by_record)
{
    struct buffer value = {0};
    for (int i = 0; i < 1000; i++)
        buffer_add(&value, i ? "\x0A\x02\x0A\x7F" : "\x0A\x03\x0A\x01\x41",
                   i ? 4 : 5); /* but for the first, undecodable */
    for (int i = 0; i < 200; i++)
        fixture_put_bytes(&f, 0, "K", buffer_bytes(&value), false);
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 60));

    int64_t widest = 0;
    for (int64_t o = 0; o < world_next(f.world, PORT_JOURNAL, 0); o++) {
        struct frame frame;
        struct err_info info;
        cr_assert_eq(frame_parse(world_at(f.world, PORT_JOURNAL, 0, o)->value, &frame, &info), OK);
        widest = frame.hi - frame.lo > widest ? frame.hi - frame.lo : widest;
    }

    cr_assert_eq(fixture_verdict(host, VERDICT_REJECTED), 200000);
    cr_assert_leq(widest, SEAL_DECLARATIONS / 1000 + 1);
    buffer_fini(&value);
    host_kill(host);
}
