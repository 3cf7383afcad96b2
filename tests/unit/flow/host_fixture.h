/* SPDX-License-Identifier: Apache-2.0
 * host_fixture.h - lists, rules, views and a small world with declarations, for tests that run the engine in memory.
 */
#pragma once

#include "base/memory.h"
#include "sim/host.h"
#include "sim/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARTS = 2, STATISTICS_PARTS = 2 };
#define START_NOW_MS 1752800000000

struct fixture {
    struct reference *reference;
    struct zone *zone;
    struct rules *rules;
    struct ruleset ruleset;
    struct view_plan plan;
    struct world *world;
    struct host_options options;
};

static inline void fixture_init(struct fixture *f)
{
    struct err_info info;
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/tests/data/reference", NULL, &f->reference, &info), OK, "%s",
                 info.text);
    cr_assert_eq(zone_new("Asia/Shanghai", &f->zone, &info), OK, "%s", info.text);
    struct rules_options options = rules_default_options(f->zone);
    cr_assert_eq(rules_new(&options, f->reference, &f->rules, &info), OK, "%s", info.text);
    f->ruleset = (struct ruleset){4711, f->rules, f->reference, 1};
    view_plan_default(&f->plan);
    f->world = world_new(PARTS, STATISTICS_PARTS);
    world_set_now(f->world, START_NOW_MS);
    f->options = (struct host_options){
        .rules = f->rules,
        .reference = f->reference,
        .plan = &f->plan,
        .plan_id = 4711,
        .frame_interval_ms = 50,
        .key_check = BATCH_KEY_ID,
        .partitions = PARTS,
        .statistics_partitions = STATISTICS_PARTS,
        .seed = 1,
        .reporter = "CN",
        .currency = "CNY",
    };
}

/* Steps, delivers and lets 10 ms pass, 500 times: long enough for a guard to close, whoever else goes on. */
static inline void fixture_pass(struct world *world, struct host *host)
{
    for (int i = 0; i < 500; i++) {
        host_step(host);
        host_deliver(host, SIZE_MAX);
        world_set_now(world, world_now(world) + 10);
    }
}

static inline void fixture_fini(struct fixture *f)
{
    world_free(f->world);
    rules_free(f->rules);
    zone_free(f->zone);
    reference_free(f->reference);
}

static inline int64_t fixture_put_bytes(struct fixture *f, int32_t partition, const char *key, struct bytes value,
                                        bool is_null)
{
    struct world_record record = {{(const uint8_t *)key, strlen(key)}, value, is_null, START_NOW_MS, 0, PORT_NONE};
    return world_put(f->world, PORT_DECLARATIONS, partition, &record);
}

static inline int64_t fixture_put(struct fixture *f, int32_t partition, const struct sample *sample)
{
    return sample_put(sample, f->world, partition, START_NOW_MS);
}

/* A little of everything: originals of several items, replacements, cancels, duplicates, conflicts, bad and undecodable ones.
 * Partition by id, so that a total can be told from the ids alone. */
static inline void fixture_fill(struct fixture *f, int ids, unsigned seed)
{
    static const char *const codes[] = {"720851", "847130", "851713", "270900"};
    for (int i = 0; i < ids * 2; i++) {
        int which = (int)((unsigned)rand_r(&seed) % (unsigned)ids);
        struct sample sample;
        char id[32];
        snprintf(id, sizeof id, "ID%05d", which);
        sample_init(&sample, id);
        sample.declaration.reference_date = 20250701 + (unsigned)rand_r(&seed) % 20;
        sample.items[0].statistical_value_minor = 1000 + rand_r(&seed) % 5;
        for (unsigned extra = (unsigned)rand_r(&seed) % 3; extra > 0; extra--) {
            struct item *item = sample_add_item(&sample, codes[(unsigned)rand_r(&seed) % 4], 500);
            item->supp_quantity_micro = 2000000;
            item->supp_unit = TEXT("H87");
            if (text_is(item->hs_code, "270900"))
                item->supp_quantity_micro = 0, item->supp_unit = TEXT("");
        }
        int luck = rand_r(&seed) % 20;
        if (luck < 4)
            sample_replace(&sample, 2 + (unsigned)rand_r(&seed) % 2);
        else if (luck == 4)
            sample_cancel(&sample, 1 + (unsigned)rand_r(&seed) % 3);
        else if (luck == 5)
            sample.declaration.office_code = TEXT("NOWHERE");
        if (luck == 6)
            fixture_put_bytes(f, which % PARTS, id, (struct bytes){(const uint8_t *)"\x0A\xFFgarbage", 9}, false);
        else
            fixture_put(f, which % PARTS, &sample);
        if (luck == 7)
            fixture_put(f, which % PARTS, &sample);
    }
}

static inline char *fixture_dump(struct fixture *f)
{
    struct buffer dump = {0};
    host_dump_statistics(f->world, STATISTICS_PARTS, &dump);
    buffer_add_u8(&dump, 0);
    return (char *)dump.data;
}

static inline int64_t fixture_verdict(const struct host *host, enum verdict verdict)
{
    return counter_read(&host_counters(host)->verdicts[verdict]);
}

/* The text of `key value=N` in a dump, -1 if the key is not there. */
static inline int64_t fixture_value(const char *dump, const char *key)
{
    char start[256];
    snprintf(start, sizeof start, "%s value=", key);
    const char *at = strstr(dump, start);
    return at ? strtoll(at + strlen(start), NULL, 10) : -1;
}

/* What an uninterrupted run of the same input publishes. */
static inline char *fixture_clean_dump(int ids, unsigned seed)
{
    struct fixture clean;
    fixture_init(&clean);
    fixture_fill(&clean, ids, seed);
    struct host *host = host_new(clean.world, &clean.options);
    cr_assert(host_settle(host, 60), "the clean run does not settle");
    char *dump = fixture_dump(&clean);
    host_kill(host);
    fixture_fini(&clean);
    return dump;
}
