/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "cmd/generator.h"
#include "flow/wire.h"
#include "trade/rules.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <unistd.h>

static struct reference *reference;
static struct zone *zone;
static struct generator *generator;
static struct err_info info;

/* The site's lists if they are there, else the demo's own. */
static bool load_lists(void)
{
    wire_init();
    if (access(DRYPORT_SHARED "/data/hs2022.csv", R_OK) == 0)
        return reference_load(DRYPORT_SHARED "/data", NULL, &reference, &info) == OK;
    if (access(DRYPORT_SOURCE "/deploy/reference/demo/hs2022.csv", R_OK) == 0)
        return reference_load(DRYPORT_SOURCE "/deploy/reference/demo", DRYPORT_SOURCE "/deploy/reference", &reference,
                              &info) == OK;
    fprintf(stderr, "SKIP: neither ../shared/data nor deploy/reference/demo is there\n");
    return false;
}

static void teardown(void)
{
    generator_free(generator);
    zone_free(zone);
    reference_free(reference);
}

TestSuite(generator, .fini = teardown, .timeout = 60);

static void begin(const struct generator_options *options)
{
    generator_free(generator);
    generator = NULL;
    cr_assert_eq(generator_new(options, reference, &generator, &info), OK, "%s", info.text);
}

static struct rules *make_rules(enum generator_profile profile)
{
    static const struct {
        const char *zone;
        const char *reporter;
        const char *currency;
    } sites[GENERATOR_PROFILES] = {
        {"Asia/Shanghai", "CN", "CNY"}, {"Asia/Almaty", "KZ", "KZT"}, {"Asia/Seoul", "KR", "KRW"}};
    cr_assert_eq(zone_new(sites[profile].zone, &zone, &info), OK, "%s", info.text);
    struct rules_options options = rules_default_options(zone);
    snprintf(options.reporter, sizeof options.reporter, "%.2s", sites[profile].reporter);
    snprintf(options.reporting_currency, sizeof options.reporting_currency, "%.3s", sites[profile].currency);
    struct rules *rules;
    cr_assert_eq(rules_new(&options, reference, &rules, &info), OK, "%s", info.text);
    return rules;
}

Test(generator, wrong_options_are_refused)
{
    if (!load_lists())
        return;
    struct generator_options options = generator_defaults();
    options.first_date = 20250230;
    cr_assert_eq(generator_new(&options, reference, &generator, &info), ERR_CONFIG);
    options = generator_defaults();
    options.per_day = 0;
    cr_assert_eq(generator_new(&options, reference, &generator, &info), ERR_CONFIG);
    options = generator_defaults();
    options.bad_ppm = 1000000;
    cr_assert_eq(generator_new(&options, reference, &generator, &info), ERR_CONFIG);
}

Test(generator, lists_without_nomenclature_are_refused)
{
    struct reference *empty;
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/cmake", NULL, &empty, &info), OK, "%s", info.text);
    struct generator_options options = generator_defaults();
    cr_assert_eq(generator_new(&options, empty, &generator, &info), ERR_CONFIG);
    cr_assert(strstr(info.text, "hs2022.csv"));
    reference_free(empty);
}

static uint64_t stream_hash(uint64_t seed, int count)
{
    struct generator_options options = generator_defaults();
    options.seed = seed;
    begin(&options);
    uint64_t hash = 0;
    for (int i = 0; i < count; i++) {
        struct generated record;
        generator_next(generator, &record);
        hash =
            hash_mix(hash ^ hash_bytes(record.value.data, record.value.length, 0), (uint64_t)record.timestamp_ms | 1);
    }
    return hash;
}

Test(generator, same_seed_gives_the_same_stream_and_another_seed_another)
{
    if (!load_lists())
        return;
    uint64_t first = stream_hash(1, 5000);
    cr_assert_eq(first, stream_hash(1, 5000));
    cr_assert_neq(first, stream_hash(2, 5000));
}

/* What STA finds is no warning. */
static bool is_warned(const struct findings *findings)
{
    bool found = false;
    for (uint32_t i = 0; i < findings->count && !findings->reject; i++)
        found = found || findings->list[i].severity == SEVERITY_WARN;
    return found;
}

/* The bytes decode to what was meant, and the rules find something in a record exactly if it is a bad one. */
static void judge_profile(enum generator_profile profile, int count)
{
    struct generator_options options = generator_defaults();
    options.profile = profile;
    begin(&options);
    struct rules *rules = make_rules(profile);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    int bad = 0, rejected = 0, warned = 0;
    for (int i = 0; i < count; i++) {
        struct generated record;
        generator_next(generator, &record);
        struct declaration declaration;
        bool canonical;
        arena_reset(&arena);
        enum wire_result result = wire_decode(record.value, &arena, &declaration, &canonical);
        cr_assert_eq(result == WIRE_OK, record.declaration != NULL, "record %d", i);
        bad += record.kind == GENERATED_BAD;
        if (result != WIRE_OK) {
            rejected++;
            continue;
        }
        cr_assert(canonical);
        struct findings findings;
        struct rules_context context = {record.timestamp_ms, KEY_RIGHT};
        rules_judge(rules, &declaration, &context, &findings);
        rejected += findings.reject;
        warned += is_warned(&findings);
        if (findings.reject && record.kind != GENERATED_BAD) {
            char path[96];
            cr_assert_fail("record %d (%s): %s %s", i, generator_kind_name(record.kind),
                           rule_rows[findings.list[0].rule].code, finding_path(&findings.list[0], path, sizeof path));
        }
    }
    arena_fini(&arena);
    rules_free(rules);
    cr_assert_gt(bad, 0);
    cr_assert_eq(rejected, bad, "%d rejected, %d bad", rejected, bad);
    cr_assert_lt(warned, count / 100, "%d of %d good ones are warned of", warned, count);
}

Test(generator, good_ones_break_no_rule_and_bad_ones_do_cn)
{
    if (load_lists())
        judge_profile(GENERATOR_CN, 100000);
}

Test(generator, good_ones_break_no_rule_and_bad_ones_do_kz)
{
    if (load_lists())
        judge_profile(GENERATOR_KZ, 30000);
}

Test(generator, good_ones_break_no_rule_and_bad_ones_do_kr)
{
    if (load_lists())
        judge_profile(GENERATOR_KR, 30000);
}

Test(generator, shares_and_sizes_are_as_promised)
{
    if (!load_lists())
        return;
    struct generator_options options = generator_defaults();
    begin(&options);
    enum { COUNT = 200000 };
    uint64_t kinds[GENERATED_KINDS] = {0}, items = 0, bytes = 0, with_items = 0;
    int64_t largest = 0;
    for (int i = 0; i < COUNT; i++) {
        struct generated record;
        generator_next(generator, &record);
        kinds[record.kind]++;
        bytes += record.value.length;
        if (record.declaration && record.declaration->items.count > 0) {
            items += record.declaration->items.count;
            with_items++;
        }
        if (record.kind == GENERATED_ORIGINAL) {
            cr_assert_geq(record.timestamp_ms, largest, "time stands still or goes on");
            largest = record.timestamp_ms;
        }
    }
    cr_assert(kinds[GENERATED_AMENDMENT] > COUNT * 38 / 1000 && kinds[GENERATED_AMENDMENT] < COUNT * 42 / 1000);
    cr_assert(kinds[GENERATED_CANCEL] > COUNT * 9 / 1000 && kinds[GENERATED_CANCEL] < COUNT * 11 / 1000);
    cr_assert(kinds[GENERATED_BAD] > COUNT * 9 / 1000 && kinds[GENERATED_BAD] < COUNT * 11 / 1000);
    cr_assert(kinds[GENERATED_DUPLICATE] > COUNT * 4 / 1000 && kinds[GENERATED_DUPLICATE] < COUNT * 6 / 1000);
    cr_assert(kinds[GENERATED_LATE] > COUNT * 4 / 1000 && kinds[GENERATED_LATE] < COUNT * 6 / 1000);
    double mean = (double)items / (double)with_items;
    cr_assert(mean > 1.73 && mean < 1.77, "%g items a declaration", mean);
    cr_assert(bytes / COUNT > 170 && bytes / COUNT < 210, "%llu bytes", (unsigned long long)(bytes / COUNT));
}

Test(generator, amendments_cancels_and_duplicates_refer_to_what_was_given)
{
    if (!load_lists())
        return;
    struct generator_options options = generator_defaults();
    options.amend_ppm = 300000;
    options.cancel_ppm = 100000;
    options.duplicate_ppm = 100000;
    begin(&options);
    enum { COUNT = 3000 };
    static struct {
        char id[36];
        uint32_t version;
        bool cancelled;
        uint64_t hash;
    } seen[COUNT];
    int count = 0;
    for (int i = 0; i < COUNT; i++) {
        struct generated record;
        generator_next(generator, &record);
        if (!record.declaration || record.kind == GENERATED_BAD)
            continue;
        int at = 0;
        while (at < count && !text_is(record.key, seen[at].id))
            at++;
        uint64_t hash = hash_bytes(record.value.data, record.value.length, 0);
        uint32_t version = record.declaration->version;
        switch (record.kind) {
        case GENERATED_AMENDMENT:
        case GENERATED_CANCEL:
            cr_assert_lt(at, count);
            cr_assert_eq(version, seen[at].version + 1);
            cr_assert_not(seen[at].cancelled);
            break;
        case GENERATED_DUPLICATE:
            cr_assert_lt(at, count);
            cr_assert_eq(hash, seen[at].hash, "the same bytes");
            break;
        default:
            cr_assert_eq(at, count, "ids of originals are new");
            snprintf(seen[count++].id, sizeof seen[0].id, "%.*s", TEXT_ARGS(record.key));
            break;
        }
        seen[at].version = version;
        seen[at].hash = hash;
        seen[at].cancelled =
            record.kind == GENERATED_CANCEL || (record.kind == GENERATED_DUPLICATE && seen[at].cancelled);
    }
    cr_assert_gt(count, COUNT / 3);
}
