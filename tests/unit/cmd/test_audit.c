/* SPDX-License-Identifier: Apache-2.0
 * The engine runs in memory, something is done to what it left behind, and the audit must name the place.
 */
#include "cmd/audit.h"

#include "flow/gate.h"
#include "flow/skip.h"

#include "../flow/host_fixture.h"
#include "sim/storm.h"

#include "customs/v1/statistic.pb-c.h"

#include <inttypes.h>

enum { IDS = 60, PLAN_ID = 4711 };

static struct fixture f;
static struct process *reader; /* of the world that is audited */
static struct audit *audit;
static struct audit_options options;
static struct err_info info;

static void settle(void)
{
    struct host *host = host_new(f.world, &f.options);
    cr_assert(host_settle(host, 60));
    host_kill(host);
}

/* Fills the topics of the fixture as it is now, and points the audit at them. */
static void count_all(void)
{
    fixture_fill(&f, IDS, 5);
    settle();
    options = (struct audit_options){
        .plan = &f.plan,
        .rules = f.rules,
        .reference = f.reference,
        .plan_id = PLAN_ID,
        .batch = {.envelope = {INPUT_AUTO, 1 << 20}, .key_check = BATCH_KEY_ID, .partitions = PARTS, .rules = f.rules},
        .topic = "customs.declarations",
        .reporter = "CN",
        .currency = "CNY",
        .recount = true,
        .patience_ms = 2000,
    };
}

static void setup(void)
{
    fixture_init(&f);
    count_all();
}

static void teardown(void)
{
    audit_free(audit);
    audit = NULL;
    process_kill(reader);
    reader = NULL;
    fixture_fini(&f);
}

TestSuite(audit, .init = setup, .fini = teardown);

static enum err run(void)
{
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
    cr_assert_eq(audit_broken(audit), 0, "%s", audit_place(audit, 0)->what);
}

/* The first broken place. */
static void expect_broken(enum port_topic topic, int32_t partition, int64_t offset, const char *what)
{
    cr_assert_eq(run(), OK, "%s", info.text);
    cr_assert_gt(audit_broken(audit), 0);
    const struct audit_place *place = audit_place(audit, 0);
    cr_assert_eq(place->topic, topic, "topic %d: %s", (int)place->topic, place->what);
    cr_assert_eq(place->partition, partition, "partition %d: %s", place->partition, place->what);
    cr_assert_eq(place->offset, offset, "offset %" PRId64 ": %s", place->offset, place->what);
    cr_assert(strstr(place->what, what), "%s", place->what);
    cr_assert_gt(strlen(place->mend), 20);
}

/* ---- doing something to a log: all topics are copied into a new world, record by record ---- */

struct edit {
    enum port_topic topic;
    int32_t partition;
    int64_t offset;
    bool drop;
    struct bytes value; /* the new one; data NULL: as it was */
    int64_t as_of;      /* the new header; 0: as it was */
};

static void apply(const struct edit *edit)
{
    struct world *world = world_new(PARTS, STATISTICS_PARTS);
    for (int topic = 0; topic < PORT_TOPICS; topic++) {
        int32_t partitions = topic == PORT_REJECTS ? 1 : PARTS; /* of a world */
        for (int32_t p = 0; p < partitions; p++) {
            for (int64_t o = 0; o < world_next(f.world, (enum port_topic)topic, p); o++) {
                struct world_record record = *world_at(f.world, (enum port_topic)topic, p, o);
                bool is_it = (int)edit->topic == topic && edit->partition == p && edit->offset == o;
                if (is_it && edit->drop)
                    continue;
                if (is_it && edit->value.data)
                    record.value = edit->value;
                if (is_it && edit->as_of)
                    record.as_of = edit->as_of;
                world_put(world, (enum port_topic)topic, p, &record);
            }
        }
    }
    world_set_now(world, world_now(f.world));
    world_free(f.world);
    f.world = world;
}

static void put(enum port_topic topic, int32_t partition, struct world_record record)
{
    record.timestamp_ms = START_NOW_MS;
    world_put(f.world, topic, partition, &record);
}

/* A copy of a record's value with one byte changed. */
static struct bytes flipped(enum port_topic topic, int32_t partition, int64_t offset, size_t at)
{
    static uint8_t copy[FRAME_BYTES_MOST];
    struct bytes value = world_at(f.world, topic, partition, offset)->value;
    memcpy(copy, value.data, value.length);
    copy[at] ^= 1;
    return (struct bytes){copy, value.length};
}

/* The first frame from `from` on of partition 0 that holds the section; where its content begins. */
static int64_t find_section(enum frame_section wanted, int64_t from, size_t *out_at)
{
    for (int64_t o = from; o < world_next(f.world, PORT_JOURNAL, 0); o++) {
        struct frame frame;
        cr_assert_eq(frame_parse(world_at(f.world, PORT_JOURNAL, 0, o)->value, &frame, &info), OK);
        struct reader sections = reader_of(frame.payload);
        enum frame_section section;
        struct bytes bytes;
        bool broken = false;
        while (frame_next_section(&sections, &section, &bytes, &broken)) {
            if (section != wanted)
                continue;
            *out_at = (size_t)(bytes.data - frame.payload.data) + FRAME_HEADER_BYTES;
            return o;
        }
    }
    cr_assert_fail("no section %d", (int)wanted);
    return -1;
}

/* Somebody changes a byte of a frame and makes its check sum right again. */
static struct bytes forged(int64_t offset, size_t at)
{
    struct bytes bytes = flipped(PORT_JOURNAL, 0, offset, at);
    struct frame frame;
    cr_assert_eq(frame_parse(world_at(f.world, PORT_JOURNAL, 0, offset)->value, &frame, &info), OK);
    uint8_t *writable = (uint8_t *)(uintptr_t)bytes.data;
    frame_seal(writable, bytes.length, &frame.nonce, frame.seq);
    return bytes;
}

/* A statistic whose items are not 0: partition 0, the last one there is. */
static int64_t find_statistic(void)
{
    for (int64_t o = world_next(f.world, PORT_STATISTICS, 0) - 1; o >= 0; o--) {
        const struct world_record *record = world_at(f.world, PORT_STATISTICS, 0, o);
        if (!gate_is_mark(record->key))
            return o;
    }
    cr_assert_fail("no statistic");
    return -1;
}

static struct bytes changed_statistic(int64_t offset, int64_t value_minor, uint64_t as_of)
{
    static uint8_t out[4096];
    struct bytes value = world_at(f.world, PORT_STATISTICS, 0, offset)->value;
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, value.length, value.data);
    m->value_minor = value_minor;
    m->as_of = as_of ? as_of : m->as_of;
    size_t length = customs__v1__statistic__pack(m, out);
    customs__v1__statistic__free_unpacked(m, NULL);
    return (struct bytes){out, length};
}

/* ---- claims ---- */

Test(audit, clean_stream_verifies)
{
    expect_clean();

    const struct audit_sums *sums = audit_sums(audit);
    cr_assert_gt(sums->groups, 0);
    cr_assert_gt(sums->listed, 0);
    cr_assert_eq(sums->rejects, sums->listed);
    cr_assert_gt(sums->equal, 20);
    cr_assert_eq(sums->derived, sums->cells);
    cr_assert_eq(sums->recounted, sums->cells);
    cr_assert_eq(audit_recount(audit)->groups, sums->groups);
    cr_assert_eq(audit_recount(audit)->records, (uint64_t)sums->counts.records);
}

Test(audit, killed_processes_leave_nothing_broken)
{
    for (unsigned life = 0; life < 6; life++) {
        fixture_fill(&f, IDS, 100 + life);
        f.options.seed++;
        struct host *host = host_new(f.world, &f.options);
        for (int i = 0; i < 30; i++) {
            host_step(host);
            host_deliver(host, 2);
            world_set_now(f.world, world_now(f.world) + 20);
        }
        host_kill(host);
    }
    f.options.seed++;
    settle();

    expect_clean();

    cr_assert_gt(audit_sums(audit)->rejects_void + audit_sums(audit)->rejects_again, 0);
}

Test(audit, nothing_at_all_verifies)
{
    world_free(f.world);
    f.world = world_new(PARTS, STATISTICS_PARTS);

    expect_clean();
}

Test(audit, frame_with_a_flipped_byte)
{
    struct edit edit = {PORT_JOURNAL, 1, 2, false, flipped(PORT_JOURNAL, 1, 2, 100), 0};
    apply(&edit);

    expect_broken(PORT_JOURNAL, 1, 2, "check sum is wrong");
}

Test(audit, forged_counts_break_the_control_totals)
{
    size_t at;
    int64_t offset = find_section(SECTION_COUNTS, 0, &at);
    struct edit edit = {PORT_JOURNAL, 0, offset, false, forged(offset, at), 0};
    apply(&edit);

    cr_assert_eq(run(), OK);
    cr_assert_eq(audit_place(audit, 0)->topic, PORT_JOURNAL);
    cr_assert_eq(audit_place(audit, 0)->partition, 0);
    cr_assert_geq(audit_place(audit, 0)->offset, offset);
    cr_assert(strstr(audit_place(audit, 0)->what, "declarations"), "%s", audit_place(audit, 0)->what);
}

/* The day of the first cell: no control total tells, the contributions do. */
Test(audit, forged_cell_key_is_not_what_the_ledger_makes)
{
    size_t at;
    options.recount = false;
    int64_t offset = find_section(SECTION_CELLS, 0, &at);
    struct edit edit = {PORT_JOURNAL, 0, offset, false, forged(offset, at + 1 + 4), 0};
    apply(&edit);

    expect_broken(PORT_JOURNAL, 0, AUDIT_NO_OFFSET, "contributions");
}

Test(audit, journal_that_lacks_a_frame_ends_there)
{
    size_t at;
    int64_t offset = find_section(SECTION_CONTROL, 0, &at);
    struct edit edit = {PORT_JOURNAL, 0, offset, true, {NULL, 0}, 0};
    apply(&edit);

    cr_assert_eq(run(), OK);
    cr_assert_gt(audit_broken(audit), 0);
    cr_assert_eq(audit_place(audit, 0)->topic, PORT_STATISTICS);
    cr_assert_lt(audit_partition(audit, 0)->hi, audit_partition(audit, 0)->input_end);
}

Test(audit, journal_without_its_beginning)
{
    world_trim(f.world, PORT_JOURNAL, 0, 1);

    expect_broken(PORT_JOURNAL, 0, 1, "first records were deleted");
}

Test(audit, journal_of_which_all_was_deleted)
{
    int64_t end = world_next(f.world, PORT_JOURNAL, 0);
    world_trim(f.world, PORT_JOURNAL, 0, end);

    expect_broken(PORT_JOURNAL, 0, end, "all records");
}

Test(audit, changed_statistic)
{
    int64_t offset = find_statistic();
    struct edit edit = {PORT_STATISTICS, 0, offset, false, changed_statistic(offset, 77, 0), 0};
    apply(&edit);

    expect_broken(PORT_STATISTICS, 0, offset, "published is value 77");
}

Test(audit, missing_statistic)
{
    int64_t offset = find_statistic();
    struct edit edit = {PORT_STATISTICS, 0, offset, true, {NULL, 0}, 0};
    apply(&edit);

    cr_assert_eq(run(), OK);
    cr_assert_eq(audit_broken(audit), 1);
    cr_assert_eq(audit_place(audit, 0)->topic, PORT_STATISTICS);
    cr_assert_eq(audit_place(audit, 0)->partition, 0);
}

Test(audit, as_of_of_header_and_value)
{
    int64_t offset = find_statistic();
    struct edit edit = {PORT_STATISTICS, 0, offset, false, {NULL, 0}, 12};
    apply(&edit);

    expect_broken(PORT_STATISTICS, 0, offset, "header and value");
}

static void put_statistic(int64_t like, int64_t value_minor, uint64_t as_of)
{
    struct world_record record = *world_at(f.world, PORT_STATISTICS, 0, like);
    record.value = changed_statistic(like, value_minor, as_of);
    record.as_of = (int64_t)as_of;
    put(PORT_STATISTICS, 0, record);
}

Test(audit, term_that_nobody_claimed)
{
    put_statistic(find_statistic(), 5, 99ULL << GATE_TERM_SHIFT);

    expect_broken(PORT_STATISTICS, 0, world_next(f.world, PORT_STATISTICS, 0) - 1, "nobody has claimed");
}

/* A zombie's record lands last: who reads from the compacted topic holds it for good. */
Test(audit, late_record_that_was_not_written_over)
{
    int64_t offset = find_statistic();
    put_statistic(offset, 5, 1ULL << GATE_TERM_SHIFT);

    expect_broken(PORT_STATISTICS, 0, offset, "never written over");
    cr_assert_eq(audit_sums(audit)->late, 1);
}

Test(audit, late_record_that_the_publisher_repaired)
{
    int64_t offset = find_statistic();
    put_statistic(offset, 5, 1ULL << GATE_TERM_SHIFT);
    f.options.seed++;
    settle();

    expect_clean();
    cr_assert_eq(audit_sums(audit)->late, 1);
}

Test(audit, key_that_no_cell_explains)
{
    int64_t offset = find_statistic();
    struct world_record record = *world_at(f.world, PORT_STATISTICS, 0, offset);
    char key[64];
    uint32_t hash = 1;
    for (int i = 0; hash % STATISTICS_PARTS != 0; i++) {
        snprintf(key, sizeof key, "flow|DAY|20250101|20250101|flow=%d", i);
        hash = hash_murmur2(key, strlen(key)) & 0x7FFFFFFFu;
    }
    record.key = (struct bytes){(const uint8_t *)key, strlen(key)};
    put(PORT_STATISTICS, 0, record);

    expect_broken(PORT_STATISTICS, 0, world_next(f.world, PORT_STATISTICS, 0) - 1, "no such cell");
}

Test(audit, key_in_a_wrong_partition)
{
    put(PORT_STATISTICS, 1, *world_at(f.world, PORT_STATISTICS, 0, find_statistic()));

    expect_broken(PORT_STATISTICS, 1, world_next(f.world, PORT_STATISTICS, 1) - 1, "does not belong");
}

/* ---- states and tombstones ---- */

enum { PROVISIONAL_DAYS = 5, FINAL_MONTHS = 1 };

/* From now on the publisher closes months, and the audit looks at it. */
static void close_months(void)
{
    f.options.zone = options.zone = f.zone;
    f.options.provisional_days = options.provisional_days = PROVISIONAL_DAYS;
    f.options.final_months = options.final_months = FINAL_MONTHS;
    f.options.idle_ms = 1000;
}

/* Partition 0 has an event so many days after the others, and all that was cancelled until then is gone. */
static void pass_days(int64_t days)
{
    struct sample sample;
    struct buffer bytes = {0};
    char id[32];
    snprintf(id, sizeof id, "LATER%d", (int)days);
    sample_init(&sample, id);
    sample.declaration.accepted_at_ms += days * 86400000;
    sample_encode(&sample, &bytes);
    world_put(f.world, PORT_DECLARATIONS, 0,
              &(struct world_record){.key = {(const uint8_t *)sample.id, strlen(sample.id)},
                                     .value = buffer_bytes(&bytes),
                                     .timestamp_ms = START_NOW_MS + days * 86400000});
    buffer_fini(&bytes);
    struct host *host = host_new(f.world, &f.options);
    for (int i = 0; i < 20; i++) {
        cr_assert(host_settle(host, 60));
        world_set_now(f.world, world_now(f.world) + 500);
    }
    host_kill(host);
}

/* A record's value with another state. */
static struct bytes restated(int64_t offset, Customs__V1__State state)
{
    static uint8_t packed[1024];
    struct bytes value = world_at(f.world, PORT_STATISTICS, 0, offset)->value;
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, value.length, value.data);
    cr_assert(m);
    m->state = state;
    size_t length = customs__v1__statistic__pack(m, packed);
    customs__v1__statistic__free_unpacked(m, NULL);
    return (struct bytes){packed, length};
}

Test(audit, states_and_tombstones_of_months_that_closed_are_clean)
{
    close_months();
    pass_days(0);
    expect_clean();
    teardown();
    setup();
    close_months();
    pass_days(25); /* July is PROVISIONAL */
    expect_clean();
    cr_assert_eq(audit_sums(audit)->tombstones, 0);
    teardown();
    setup();
    close_months();
    struct sample sample;
    sample_init(&sample, "GONE"); /* alone on its day */
    sample.declaration.reference_date = 20250728;
    fixture_put(&f, 0, &sample);
    pass_days(0);
    sample_cancel(&sample, 1);
    fixture_put(&f, 0, &sample);
    pass_days(60);
    expect_clean();
    cr_assert_gt(audit_sums(audit)->tombstones, 0);
}

/* The last record of a partition may be a tombstone that is not there any more: the end is what the broker says. */
Test(audit, tombstones_that_compaction_took)
{
    close_months();
    struct sample sample;
    for (int i = 0; i < 20; i++) {
        char id[32];
        snprintf(id, sizeof id, "GONE%d", i);
        sample_init(&sample, id);
        sample.declaration.reference_date = 20250722 + (uint32_t)i % 9;
        fixture_put(&f, 0, &sample);
        sample_cancel(&sample, 1);
        fixture_put(&f, 0, &sample);
        if (i == 10)
            settle();
    }
    pass_days(60);
    int64_t taken = 0;
    for (int32_t p = 0; p < STATISTICS_PARTS; p++)
        taken += (int64_t)world_compact(f.world, PORT_STATISTICS, p, INT64_MAX, INT64_MAX);
    cr_assert_gt(taken, 0);
    expect_clean();
    cr_assert_eq(audit_sums(audit)->tombstones, 0);
}

Test(audit, state_that_its_watermark_does_not_give)
{
    close_months();
    pass_days(0);
    int64_t offset = find_statistic();
    struct edit edit = {PORT_STATISTICS, 0, offset, false, restated(offset, CUSTOMS__V1__STATE__STATE_FINAL), 0};
    apply(&edit);

    expect_broken(PORT_STATISTICS, 0, offset, "not that of its own watermark: state FINAL");
}

static bool has_text(int64_t offset, const char *begin)
{
    struct bytes key = world_at(f.world, PORT_STATISTICS, 0, offset)->key;
    return key.length > strlen(begin) && memcmp(key.data, begin, strlen(begin)) == 0;
}

Test(audit, state_that_was_not_told_when_the_month_closed)
{
    close_months();
    pass_days(0);
    pass_days(25);
    int64_t newest = world_next(f.world, PORT_STATISTICS, 0) - 1;
    while (newest > 0 && !has_text(newest, "commodity|MONTH|20250701|20250731|hs6=8")) /* its figures stayed */
        newest--;
    struct edit edit = {PORT_STATISTICS, 0, newest, true, {NULL, 0}, 0};
    apply(&edit);

    cr_assert_eq(run(), OK, "%s", info.text);
    cr_assert_geq(audit_broken(audit), 1);
    cr_assert(strstr(audit_place(audit, 0)->what, "another state by the newest watermark"), "%s",
              audit_place(audit, 0)->what);
}

Test(audit, tombstone_of_a_month_that_is_not_final)
{
    close_months();
    pass_days(0);
    char key[64];
    uint32_t hash = 1;
    for (int i = 0; hash % STATISTICS_PARTS != 0; i++) {
        snprintf(key, sizeof key, "flow|DAY|20250701|20250701|flow=%d", i);
        hash = hash_murmur2(key, strlen(key)) & 0x7FFFFFFFu;
    }
    put(PORT_STATISTICS, 0,
        (struct world_record){.key = {(const uint8_t *)key, strlen(key)},
                              .is_null = true,
                              .as_of = world_at(f.world, PORT_STATISTICS, 0, find_statistic())->as_of});

    cr_assert_eq(run(), OK, "%s", info.text);
    cr_assert_geq(audit_broken(audit), 1);
    cr_assert(strstr(audit_place(audit, 0)->what, "can't be over yet"), "%s", audit_place(audit, 0)->what);
}

Test(audit, missing_reject)
{
    struct edit edit = {PORT_REJECTS, 0, 0, true, {NULL, 0}, 0};
    apply(&edit);

    expect_broken(PORT_REJECTS, 0, AUDIT_NO_OFFSET, "its record is missing");
}

Test(audit, reject_that_retention_took)
{
    world_trim(f.world, PORT_REJECTS, 0, world_next(f.world, PORT_REJECTS, 0));

    expect_clean();
    cr_assert_gt(audit_sums(audit)->rejects_gone, 0);
}

Test(audit, reject_that_no_group_lists_is_void)
{
    static const char key[] = "customs.declarations/0/1000000";
    static const uint8_t value[] = "\x0A\x14"
                                   "customs.declarations\x18\xC0\x84\x3D";
    put(PORT_REJECTS, 0,
        (struct world_record){.key = {(const uint8_t *)key, sizeof key - 1}, .value = {value, sizeof value - 1}});

    expect_clean();
    cr_assert_eq(audit_sums(audit)->rejects_void, 1);
}

Test(audit, record_in_rejects_that_is_no_reject)
{
    put(PORT_REJECTS, 0,
        (struct world_record){.key = {(const uint8_t *)"x", 1}, .value = {(const uint8_t *)"\xFF", 1}});

    expect_broken(PORT_REJECTS, 0, world_next(f.world, PORT_REJECTS, 0) - 1, "no customs.v1.Reject");
}

Test(audit, recount_under_other_rules_differs)
{
    struct rules_options other = rules_default_options(f.zone);
    struct rules *rules;
    other.severity[rule_by_code(TEXT("COD-101"))] = SEVERITY_OFF;
    other.severity[rule_by_code(TEXT("COD-102"))] = SEVERITY_OFF;
    cr_assert_eq(rules_new(&other, f.reference, &rules, &info), OK);
    options.rules = rules;
    options.batch.rules = rules;

    cr_assert_eq(run(), OK);
    cr_assert_gt(audit_broken(audit), 0);
    cr_assert_eq(audit_place(audit, 0)->topic, PORT_JOURNAL);
    cr_assert(strstr(audit_place(audit, 0)->what, "the recount"), "%s", audit_place(audit, 0)->what);
    cr_assert(strstr(audit_place(audit, 0)->mend, "other rules"), "%s", audit_place(audit, 0)->mend);
    rules_free(rules);
}

Test(audit, recount_begins_where_the_input_still_is)
{
    world_trim(f.world, PORT_DECLARATIONS, 0, world_next(f.world, PORT_DECLARATIONS, 0) / 2);

    expect_clean();
    cr_assert_gt(audit_recount(audit)->believed, 0);
    cr_assert_lt(audit_recount(audit)->records, (uint64_t)audit_sums(audit)->counts.records);
}

Test(audit, input_that_was_created_anew)
{
    int64_t last = world_next(f.world, PORT_DECLARATIONS, 0) - 1;
    options.recount = false;
    struct edit edit = {PORT_DECLARATIONS, 0, last, false, flipped(PORT_DECLARATIONS, 0, last, 5), 0};
    apply(&edit);

    expect_broken(PORT_DECLARATIONS, 0, last, "not the one");
}

Test(audit, input_that_is_shorter_than_what_was_counted)
{
    int64_t last = world_next(f.world, PORT_DECLARATIONS, 0) - 1;
    options.recount = false;
    struct edit edit = {PORT_DECLARATIONS, 0, last, true, {NULL, 0}, 0};
    apply(&edit);

    expect_broken(PORT_DECLARATIONS, 0, last, "the input log ends here");
}

Test(audit, another_plan_is_a_wrong_configuration)
{
    options.plan_id = 1;

    cr_assert_eq(run(), ERR_CONFIG);
    cr_assert(strstr(info.text, "plan 0000000000001267"), "%s", info.text);
}

/* What was trimmed is in the slices: the same cells, ledger and rejects, and a recount of the input that is still there. */
Test(audit, trimmed_journal_is_whole)
{
    f.options.snapshot_bytes = 1;
    for (int round = 0; round < 40 && world_first(f.world, PORT_JOURNAL, 0) == 0; round++) {
        struct sample sample;
        char id[16];
        snprintf(id, sizeof id, "FILL%d", round);
        sample_init(&sample, id);
        fixture_put(&f, 0, &sample);
        f.options.seed++;
        struct host *host = host_new(f.world, &f.options);
        cr_assert(host_settle(host, 60));
        host_kill(host);
    }
    cr_assert_gt(world_first(f.world, PORT_JOURNAL, 0), 0, "it was trimmed");

    expect_clean();
}

/* ---- another plan ---- */

static struct view_plan other_plan;

/* Views that are a part of the first ones, under another plan. */
static void take_other_plan(void)
{
    struct err_info why;
    other_plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&other_plan, TEXT("flow"), TEXT("flow@day"), &why), OK);
    cr_assert_eq(view_plan_add(&other_plan, TEXT("commodity"), TEXT("hs6,partner,flow@month"), &why), OK);
    view_plan_finish(&other_plan);
    f.options.plan = &other_plan;
    f.options.plan_id = PLAN_ID + 1;
    options.plan = &other_plan;
    options.plan_id = PLAN_ID + 1;
}

static void take_first_plan(void)
{
    f.options.plan = &f.plan;
    f.options.plan_id = PLAN_ID;
    options.plan = &f.plan;
    options.plan_id = PLAN_ID;
}

static void count_more(unsigned seed)
{
    fixture_fill(&f, IDS, seed);
    f.options.seed++;
    settle();
}

Test(audit, groups_of_an_older_plan_are_checked_but_for_cells_and_verdicts_and_told)
{
    take_other_plan();
    count_more(6);

    expect_clean();
    cr_assert_gt(audit_sums(audit)->older, 0);
    cr_assert_lt(audit_sums(audit)->older, audit_sums(audit)->groups);
    cr_assert_eq(audit_recount(audit)->older, audit_sums(audit)->older);
    cr_assert_gt(audit_recount(audit)->groups, 0);
    cr_assert_gt(audit_sums(audit)->derived, 0);
    cr_assert_gt(audit_sums(audit)->recounted, 0);
}

/* ---- other rules and lists, the same cells ---- */

/* Rules under which a unit that is missing (HSC-604) is only warned of, or rejected again. */
static struct rules *rules_with_unit(enum severity severity, struct rules_options *rules_options)
{
    struct err_info why;
    struct rules *made;
    rules_options->severity[RULE_HSC_604] = severity;
    rules_options->severity[RULE_COD_101] = severity;
    cr_assert_eq(rules_new(rules_options, f.reference, &made, &why), OK, "%s", why.text);
    return made;
}

/* Half of the input is counted under rules that only warn, the rest under those that reject; then it is audited under either. */
Test(audit, groups_that_other_rules_judged_are_recounted_by_their_reject_lists)
{
    struct rules_options rules_options = rules_default_options(f.zone);
    struct rules *mild = rules_with_unit(SEVERITY_WARN, &rules_options);
    struct rules *strict = f.rules;
    uint64_t plans[2] = {plan_make(PLAN_ID, 0), plan_make(PLAN_ID, 9)};
    cr_assert_eq(plans[0], PLAN_ID);
    for (int i = 0; i < 12; i++) {
        struct sample sample;
        char id[16];
        snprintf(id, sizeof id, "OTHER%d", i % 6);
        sample_init(&sample, id);
        if (i >= 6)
            sample_replace(&sample, (uint32_t)i);
        if (i % 2)
            sample.declaration.office_code = TEXT("NOWHERE");
        f.options.rules = i % 4 < 2 ? strict : mild;
        f.options.plan_id = plans[i % 4 >= 2];
        f.options.seed++;
        fixture_put(&f, 0, &sample);
        settle();
    }

    for (int i = 0; i < 2; i++) {
        options.plan_id = plans[i];
        options.rules = i ? mild : strict;
        options.batch.rules = options.rules;
        expect_clean();
        cr_assert_gt(audit_sums(audit)->otherwise, 0);
        cr_assert_eq(audit_sums(audit)->older, 0);
        cr_assert_eq(audit_recount(audit)->otherwise, audit_sums(audit)->otherwise);
        cr_assert_eq(audit_recount(audit)->believed, 0);
        cr_assert_gt(audit_recount(audit)->groups, audit_recount(audit)->otherwise);
        const struct audit_partition *first = audit_partition(audit, 0);
        cr_assert_eq(first->judged_count, 6, "two by two");
        cr_assert_eq(first->judged[0].lo, 0);
        for (size_t j = 1; j < first->judged_count; j++) {
            cr_assert_eq(first->judged[j].lo, first->judged[j - 1].hi);
            cr_assert_eq(first->judged[j].plan, plans[j % 2]);
        }
        cr_assert_eq(first->judged[5].hi, first->hi);
    }
    rules_free(mild);
}

Test(audit, a_forged_ledger_entry_of_an_older_plan_is_found)
{
    size_t at;
    int64_t offset = find_section(SECTION_LEDGER, 0, &at);
    take_other_plan();
    count_more(6);
    apply(&(struct edit){PORT_JOURNAL, 0, offset, false, forged(offset, at + 12), 0});

    expect_broken(PORT_JOURNAL, 0, offset, "control totals");
}

Test(audit, a_plan_that_was_changed_back_is_verified_and_recounted)
{
    take_other_plan();
    count_more(6);
    take_first_plan();
    count_more(7);

    expect_clean();
    cr_assert_gt(audit_sums(audit)->older, 0);
    cr_assert_gt(audit_recount(audit)->groups, 0);
}

Test(audit, a_change_of_the_plan_that_is_not_over_is_to_be_verified_later)
{
    take_other_plan();
    f.options.seed++;
    struct host *host = host_new(f.world, &f.options);
    for (int i = 0; i < 4000 && world_next(f.world, PORT_JOURNAL, 0) < 20; i++) {
        host_step(host);
        host_deliver(host, 1);
        world_set_now(f.world, world_now(f.world) + 1);
    }
    host_kill(host);

    cr_assert_eq(run(), ERR_RETRY, "%s", info.text);
    cr_assert(strstr(info.text, "being counted again"), "%s", info.text);
}

/* ---- a rebase ---- */

static uint64_t counting(void *context)
{
    static uint64_t state = 77;
    (void)context;
    return hash_mix(++state, HASH_P0);
}

static int64_t rebase(void)
{
    int64_t broken_at = world_next(f.world, PORT_JOURNAL, 0);
    put(PORT_JOURNAL, 0, (struct world_record){.value = {(const uint8_t *)"garbage", 7}});
    struct process *process = process_new(f.world, 1);
    struct skip *skip = skip_new(&(struct skip_options){.port = process_port(process),
                                                        .rebase = true,
                                                        .reason = TEXT("a test"),
                                                        .plan = options.plan,
                                                        .plan_id = options.plan_id,
                                                        .random = counting});
    while (skip_phase(skip) < SKIP_DONE) {
        skip_step(skip);
        process_deliver(process, 0);
        if (skip_phase(skip) == SKIP_READY)
            skip_confirm(skip);
    }
    cr_assert_eq(skip_phase(skip), SKIP_DONE);
    skip_free(skip);
    process_kill(process);
    return broken_at;
}

Test(audit, a_rebased_journal_is_verified_from_the_rebase_on_and_that_is_told)
{
    int64_t broken_at = rebase();
    count_more(6);

    expect_clean();
    cr_assert_gt(audit_partition(audit, 0)->begin, broken_at);
    cr_assert_eq(audit_partition(audit, 1)->begin, 0);
    cr_assert_eq(audit_partition(audit, 0)->hi, world_next(f.world, PORT_DECLARATIONS, 0));
    cr_assert_gt(audit_recount(audit)->groups, 0);
}

Test(audit, a_rebase_under_another_plan_is_verified_under_that)
{
    take_other_plan();
    rebase();
    count_more(6);

    expect_clean();
}

Test(audit, a_break_that_nobody_mended_is_found_though_the_journal_goes_on)
{
    int64_t offset = world_next(f.world, PORT_JOURNAL, 0) - 1;
    count_more(6);
    apply(&(struct edit){PORT_JOURNAL, 0, offset, false, flipped(PORT_JOURNAL, 0, offset, 100), 0});

    expect_broken(PORT_JOURNAL, 0, offset, "check sum");
}

/* ---- longer periods ---- */

static void setup_periods(void)
{
    fixture_init(&f);
    static const char *const names[] = {"flow", "office", "partner", "commodity"};
    for (int i = 0; i < 4; i++) {
        struct text name = text_of(names[i]);
        bool by_day = i < 2;
        cr_assert_eq(view_plan_option(&f.plan, name, TEXT("publish"),
                                      by_day ? TEXT("day,month,quarter,year,ytd,7d,30d,12m")
                                             : TEXT("month,quarter,year,ytd,12m"),
                                      &info),
                     OK);
        cr_assert_eq(view_plan_option(&f.plan, name, TEXT("total"), TEXT("yes"), &info), OK);
    }
    count_all();
}

TestSuite(audit_periods, .init = setup_periods, .fini = teardown);

Test(audit_periods, longer_periods_and_all_flows_together_are_clean)
{
    expect_clean();
    uint64_t cells = audit_sums(audit)->cells;
    cr_assert_gt(audit_sums(audit)->periods, cells, "%" PRIu64 " cells, %" PRIu64 " periods", cells,
                 audit_sums(audit)->periods);
}

/* A year whose record somebody else wrote over. */
Test(audit_periods, a_changed_year_is_found)
{
    static const char words[] = "|YEAR|";
    int32_t partition = -1;
    int64_t found = -1;
    for (int32_t p = 0; p < STATISTICS_PARTS && found < 0; p++) {
        for (int64_t o = world_first(f.world, PORT_STATISTICS, p); o < world_next(f.world, PORT_STATISTICS, p); o++) {
            const struct world_record *record = world_at(f.world, PORT_STATISTICS, p, o);
            char key[256];
            snprintf(key, sizeof key, "%.*s", (int)record->key.length, (const char *)record->key.data);
            if (strstr(key, words)) {
                partition = p;
                found = o;
            }
        }
    }
    cr_assert_geq(found, 0, "no year was published");
    struct world_record record = *world_at(f.world, PORT_STATISTICS, partition, found);
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, record.value.length, record.value.data);
    m->value_minor++;
    m->as_of++;
    static uint8_t bytes[512];
    record.as_of = (int64_t)m->as_of;
    record.value = (struct bytes){bytes, customs__v1__statistic__pack(m, bytes)};
    customs__v1__statistic__free_unpacked(m, NULL);
    world_put(f.world, PORT_STATISTICS, partition, &record);
    cr_assert_eq(run(), OK, "%s", info.text);
    cr_assert_gt(audit_broken(audit), 0);
    cr_assert(strstr(audit_place(audit, 0)->what, words), "%s", audit_place(audit, 0)->what);
}
