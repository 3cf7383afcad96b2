/* SPDX-License-Identifier: Apache-2.0 */
#include "restore_journal.h"

#include "base/check.h"
#include "base/memory.h"
#include "cmd/generator.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    PROVISIONAL_DAYS = 5,
    FINAL_MONTHS = 18,
    PARTITION = 0,
    PORTION = 20000,
    FRAME_INTERVAL_MS = 250,
    TELL_PORTIONS = 25,
    LAST_SECONDS = 600,
    ROUNDS_MOST = 100000
};

const int64_t restore_now_ms = 1767225600000;
static const char magic[8] = "DRYBENCH";

bool restore_setup_open(struct restore_setup *setup)
{
    struct err_info info;
    *setup = (struct restore_setup){0};
    if (zone_new("Asia/Shanghai", &setup->zone, &info) != OK) {
        fprintf(stderr, "bench_restore: %s\n", info.text);
        return false;
    }
    struct rules_options options = rules_default_options(setup->zone);
    if (reference_load(DRYPORT_SOURCE "/deploy/reference/demo", DRYPORT_SOURCE "/deploy/reference", &setup->reference,
                       &info) != OK ||
        rules_new(&options, setup->reference, &setup->rules, &info) != OK) {
        fprintf(stderr, "bench_restore: %s\n", info.text);
        return false;
    }
    view_plan_default(&setup->plan);
    return true;
}

void restore_setup_close(struct restore_setup *setup)
{
    rules_free(setup->rules);
    zone_free(setup->zone);
    reference_free(setup->reference);
}

struct restore_setup restore_setup_every_period(const struct restore_setup *from)
{
    struct restore_setup setup = *from;
    setup.every_period = true;
    for (uint32_t i = 0; i < setup.plan.count; i++) {
        struct view *view = &setup.plan.views[i];
        struct text periods = view->grain == GRAIN_DAY ? TEXT("day,month,quarter,year,ytd,7d,30d,12m")
                                                       : TEXT("month,quarter,year,ytd,12m");
        enum err err = view_plan_option(&setup.plan, text_of(view->name), TEXT("publish"), periods, NULL);
        CHECK(err == OK);
    }
    return setup;
}

struct host_options restore_host_options(const struct restore_setup *setup)
{
    return (struct host_options){
        .rules = setup->rules,
        .reference = setup->reference,
        .plan = &setup->plan,
        .plan_id = 1,
        .frame_interval_ms = FRAME_INTERVAL_MS,
        .key_check = BATCH_KEY_ID,
        .partitions = 1,
        .statistics_partitions = 1,
        .seed = 1,
        .reporter = "CN",
        .currency = "CNY",
        .zone = setup->every_period ? setup->zone : NULL, /* rolling windows end on a day of it */
        .provisional_days = PROVISIONAL_DAYS,
        .final_months = FINAL_MONTHS,
    };
}

/* ---- making it ---- */

static void put_portion(struct world *world, struct generator *generator, struct restore_truth *truth)
{
    for (int i = 0; i < PORTION; i++) {
        struct generated record;
        generator_next(generator, &record);
        struct world_record put = {.key = {(const uint8_t *)record.key.data, record.key.length},
                                   .value = record.value,
                                   .timestamp_ms = record.timestamp_ms};
        world_put(world, PORT_DECLARATIONS, PARTITION, &put);
    }
    truth->declarations += PORTION;
}

/* Does what there is to do at this moment of the world, then a frame interval goes by. */
static bool pass_interval(struct world *world, struct host *host)
{
    bool did = true;
    for (int round = 0; did && round < ROUNDS_MOST; round++) {
        did = host_step(host);
        did = host_deliver(host, SIZE_MAX) > 0 || did;
    }
    CHECK(!did);
    world_trim(world, PORT_DECLARATIONS, PARTITION, counter_read(&host_status(host, PARTITION)->position));
    world_forget(world, PORT_DECLARATIONS, PARTITION);
    world_forget(world, PORT_JOURNAL, PARTITION);
    world_set_now(world, world_now(world) + FRAME_INTERVAL_MS);
    if (counter_read(&host_status(host, PARTITION)->phase) == PARTITION_HALTED)
        fprintf(stderr, "bench_restore: %s\n", host_status(host, PARTITION)->reason);
    return counter_read(&host_status(host, PARTITION)->phase) != PARTITION_HALTED;
}

static bool fill(struct world *world, struct host *host, struct generator *generator,
                 const struct restore_journal_options *options, struct restore_truth *truth)
{
    const struct partition_status *status = host_status(host, PARTITION);
    for (int portion = 0; (uint64_t)counter_read(&status->ledger_entries) < options->entries; portion++) {
        put_portion(world, generator, truth);
        if (!pass_interval(world, host))
            return false;
        if (!options->quiet && portion % TELL_PORTIONS == 0)
            fprintf(stderr, "\rmaking a journal: %" PRId64 " of %" PRIu64 " entries",
                    counter_read(&status->ledger_entries), options->entries);
    }
    if (!options->quiet)
        fprintf(stderr, "\n");
    return true;
}

/* Only now the statistics: once each, as a compacted topic has them. */
static bool publish(struct host *host, struct restore_truth *truth)
{
    host_lead(host, true);
    bool settled = host_settle(host, LAST_SECONDS);
    const struct partition_status *status = host_status(host, PARTITION);
    truth->entries = (uint64_t)counter_read(&status->ledger_entries);
    truth->position = (uint64_t)counter_read(&status->position);
    truth->counted = (uint64_t)counter_read(&host_counters(host)->verdicts[VERDICT_COUNTED]);
    truth->cells = (uint64_t)counter_read(&host_published(host)->publish_keys);
    if (!settled)
        fprintf(stderr, "bench_restore: the journal's maker does not settle\n");
    return settled;
}

/* ---- the file: the truth, then each log ---- */

static void write_bytes(FILE *file, const void *bytes, size_t length)
{
    if (length)
        fwrite(bytes, length, 1, file);
}

static void write_log(FILE *file, const struct world *world, enum port_topic topic)
{
    int64_t ends[2] = {world_first(world, topic, PARTITION), world_next(world, topic, PARTITION)};
    write_bytes(file, ends, sizeof ends);
    for (int64_t o = ends[0]; o < ends[1]; o++) {
        const struct world_record *record = world_at(world, topic, PARTITION, o);
        uint64_t head[4] = {record->key.length, record->value.length, (uint64_t)record->timestamp_ms,
                            (uint64_t)record->as_of};
        write_bytes(file, head, sizeof head);
        write_bytes(file, record->key.data, record->key.length);
        write_bytes(file, record->value.data, record->value.length);
    }
}

static bool write_file(const struct world *world, const struct restore_truth *truth, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        return false;
    }
    write_bytes(file, magic, sizeof magic);
    write_bytes(file, truth, sizeof *truth);
    write_log(file, world, PORT_JOURNAL);
    write_log(file, world, PORT_STATISTICS);
    bool good = !ferror(file);
    good = fclose(file) == 0 && good;
    if (!good)
        fprintf(stderr, "bench_restore: %s can't be written\n", path);
    return good;
}

bool restore_journal_make(const struct restore_setup *setup, const struct restore_journal_options *options,
                          const char *path)
{
    struct generator *generator;
    struct err_info info;
    struct generator_options generated = generator_defaults();
    if (options->per_day)
        generated.per_day = options->per_day;
    if (generator_new(&generated, setup->reference, &generator, &info) != OK) {
        fprintf(stderr, "bench_restore: %s\n", info.text);
        return false;
    }
    struct restore_truth truth = {0};
    struct world *world = world_new(1, 1);
    world_set_now(world, restore_now_ms);
    struct host_options host_options = restore_host_options(setup);
    host_options.snapshot_bytes = options->is_whole ? INT64_MAX : options->snapshot_bytes;
    struct host *host = host_new(world, &host_options);
    host_lead(host, false);
    bool good = pass_interval(world, host) && fill(world, host, generator, options, &truth) && publish(host, &truth) &&
                write_file(world, &truth, path);
    host_kill(host);
    world_free(world);
    generator_free(generator);
    return good;
}

/* ---- reading it ---- */

static bool read_bytes(FILE *file, void *out, size_t length)
{
    return length == 0 || fread(out, length, 1, file) == 1;
}

static bool read_log(FILE *file, struct world *world, enum port_topic topic)
{
    struct buffer bytes = {0};
    int64_t ends[2];
    bool good = read_bytes(file, ends, sizeof ends);
    if (good)
        world_begin_at(world, topic, PARTITION, ends[0]);
    for (int64_t o = good ? ends[0] : 0; good && o < ends[1]; o++) {
        uint64_t head[4];
        good = read_bytes(file, head, sizeof head);
        if (!good)
            break;
        buffer_clear(&bytes);
        uint8_t *at = buffer_reserve(&bytes, (size_t)(head[0] + head[1]));
        good = read_bytes(file, at, (size_t)(head[0] + head[1]));
        struct world_record record = {.key = {at, (size_t)head[0]},
                                      .value = {at + head[0], (size_t)head[1]},
                                      .timestamp_ms = (int64_t)head[2],
                                      .as_of = (int64_t)head[3]};
        world_put(world, topic, PARTITION, &record);
    }
    buffer_fini(&bytes);
    return good;
}

struct world *restore_journal_read(const char *path, struct restore_truth *out)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return NULL;
    }
    char begin[sizeof magic];
    struct world *world = world_new(1, 1);
    bool good = read_bytes(file, begin, sizeof begin) && memcmp(begin, magic, sizeof magic) == 0 &&
                read_bytes(file, out, sizeof *out) && read_log(file, world, PORT_JOURNAL) &&
                read_log(file, world, PORT_STATISTICS);
    fclose(file);
    if (!good) {
        fprintf(stderr, "bench_restore: %s is no journal that this program kept\n", path);
        world_free(world);
        return NULL;
    }
    world_begin_at(world, PORT_DECLARATIONS, PARTITION, (int64_t)out->position);
    return world;
}
