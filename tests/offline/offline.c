/* SPDX-License-Identifier: Apache-2.0
 * Offline driver: the shipped worker and publisher over the broker in memory, from .pb files to statistics, without
 * Kafka and without a clock: the same arguments print the same bytes.
 */
#include "base/memory.h"
#include "cmd/feed.h"
#include "cmd/options.h"
#include "cmd/random.h"
#include "offline/scenario.h"
#include "offline/stage.h"
#include "ops/statistic_json.h"

#include <inttypes.h>
#include <stdio.h>

enum { TICK_MS = 10, QUIET_TICKS = 60, KILLS_MOST = 300, DAY_MS = 86400000 };

struct held {
    size_t at; /* in bytes: the key, then the value */
    size_t key_bytes;
    size_t value_bytes;
    int64_t timestamp_ms;
    int32_t partition;
};

struct offline {
    struct options options;
    struct assembly assembly;
    int64_t partitions;
    int64_t seed;
    int64_t shuffle;
    int64_t kill_every;
    int64_t portions;
    int64_t snapshot_bytes;
    bool twice;
    const char *journal;
    const char *dump;
    const char *inputs;
    struct buffer bytes;
    struct held *records;
    size_t count;
    size_t capacity;
    struct stage stage;
};

extern const struct command command_offline;

/* ---- input ---- */

static void hold(struct offline *offline, struct bytes key, struct bytes value, int64_t timestamp_ms, int32_t partition)
{
    if (offline->count == offline->capacity) {
        offline->capacity = offline->capacity ? offline->capacity * 2 : 1024;
        offline->records = memory_resize(offline->records, offline->capacity, sizeof offline->records[0]);
    }
    offline->records[offline->count++] =
        (struct held){offline->bytes.length, key.length, value.length, timestamp_ms, partition};
    buffer_add(&offline->bytes, key.data, key.length);
    buffer_add(&offline->bytes, value.data, value.length);
}

/* As `dryport load` would send it: key, place and time follow from the declaration. */
static void take(struct offline *offline, const struct feed_record *record)
{
    struct bytes key = {NULL, 0};
    int64_t timestamp_ms = 0;
    int32_t partition = (int32_t)(record->number % (uint64_t)offline->partitions);
    if (record->declaration) {
        struct text id = record->declaration->declaration_id;
        key = (struct bytes){(const uint8_t *)id.data, id.length};
        timestamp_ms = record->declaration->accepted_at_ms < 0 ? 0 : record->declaration->accepted_at_ms;
        partition = stage_partition(&offline->stage, id);
    }
    for (int copy = 0; copy <= offline->twice; copy++)
        hold(offline, key, record->bytes, timestamp_ms, partition);
}

static enum err read_file(struct offline *offline, const char *file, struct err_info *info)
{
    struct feed *feed;
    TRY(feed_open(file, NULL, &feed, info));
    struct feed_record record;
    bool more = true;
    enum err err;
    while ((err = feed_next(feed, &record, &more, info)) == OK && more)
        take(offline, &record);
    feed_close(feed);
    return err;
}

static void shuffle(struct offline *offline)
{
    struct random random = random_of((uint64_t)offline->shuffle);
    for (size_t i = offline->count; i > 1; i--) {
        size_t j = (size_t)random_below(&random, (uint32_t)i);
        struct held swap = offline->records[i - 1];
        offline->records[i - 1] = offline->records[j];
        offline->records[j] = swap;
    }
}

static int64_t latest_ms(const struct offline *offline)
{
    int64_t latest = 0;
    for (size_t i = 0; i < offline->count; i++)
        latest = offline->records[i].timestamp_ms > latest ? offline->records[i].timestamp_ms : latest;
    return latest;
}

static void put_records(struct offline *offline, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct held *held = &offline->records[i];
        const uint8_t *at = offline->bytes.data + held->at;
        struct bytes value = {at + held->key_bytes, held->value_bytes};
        stage_put(&offline->stage, held->partition, (struct bytes){at, held->key_bytes}, value, held->timestamp_ms);
    }
}

/* ---- run ---- */

/* Appends land one by one; the process is killed after each `kill_every` of them, until nothing is left to do. A life
 * may be too short to get anywhere: after KILLS_MOST of them it is left alone. */
static void run_with_kills(struct offline *offline)
{
    struct stage *stage = &offline->stage;
    for (int quiet = 0; quiet < QUIET_TICKS && stage->lives < KILLS_MOST;) {
        bool did = host_step(stage->host);
        did = host_deliver(stage->host, 1) > 0 || did;
        quiet = did ? 0 : quiet + 1;
        if (!did)
            world_set_now(stage->world, world_now(stage->world) + TICK_MS);
        if (host_delivered(stage->host) >= (size_t)offline->kill_every) {
            stage_kill(stage);
            stage_start(stage);
        }
    }
}

/* The next portion comes when the one before is counted: between them there is time for snapshots. */
static enum err settle_portions(struct offline *offline, struct err_info *info)
{
    world_set_now(offline->stage.world, latest_ms(offline) + DAY_MS);
    offline->stage.seed = offline->seed;
    offline->stage.snapshot_bytes = offline->snapshot_bytes;
    stage_start(&offline->stage);
    size_t portions = (size_t)offline->portions;
    for (size_t i = 0; i < portions; i++) {
        put_records(offline, offline->count * i / portions, offline->count * (i + 1) / portions);
        if (offline->kill_every)
            run_with_kills(offline);
        TRY(stage_settle(&offline->stage, info));
    }
    return OK;
}

/* ---- output ---- */

/* As `dryport tail --from-beginning` prints them, partition after partition. */
static enum err print_statistics(struct offline *offline, struct err_info *info)
{
    for (int32_t p = 0; p < offline->partitions; p++) {
        for (int64_t o = 0; o < world_next(offline->stage.world, PORT_STATISTICS, p); o++) {
            const struct world_record *record = world_at(offline->stage.world, PORT_STATISTICS, p, o);
            struct text key = {(const char *)record->key.data, (uint32_t)record->key.length};
            if (key.length && key.data[0] == '#')
                continue;
            json_t *line = record->is_null ? statistic_json_deleted(key, (uint64_t)record->as_of)
                                           : statistic_json(key, record->value);
            if (!line)
                return err_set(info, ERR_BROKEN, "statistics %d/%" PRId64 ": the value is no statistic", p, o);
            bool failed = json_dumpf(line, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF;
            json_decref(line);
            if (failed)
                return err_set(info, ERR_FATAL, "standard output can't be written");
        }
    }
    return fflush(stdout) == 0 ? OK : err_set(info, ERR_FATAL, "standard output can't be written");
}

static enum err add_verdicts(struct offline *offline, int32_t partition, int64_t verdicts[VERDICTS],
                             struct err_info *info)
{
    struct state state;
    enum err err = stage_fold(&offline->stage, partition, &state, info);
    if (err == OK && state.hi != world_next(offline->stage.world, PORT_DECLARATIONS, partition))
        err = err_set(info, ERR_BROKEN, "journal %d ends at input offset %" PRId64, partition, state.hi);
    for (int i = 0; i < VERDICTS; i++)
        verdicts[i] += state.verdicts[i];
    state_fini(&state);
    return err;
}

static enum err print_verdicts(struct offline *offline, struct err_info *info)
{
    int64_t verdicts[VERDICTS] = {0};
    for (int32_t i = 0; i < offline->partitions; i++)
        TRY(add_verdicts(offline, i, verdicts, info));
    fprintf(stderr, "{\"lives\":\"%" PRIu64 "\",\"verdicts\":{", offline->stage.lives);
    for (int i = 0; i < VERDICTS; i++)
        fprintf(stderr, "%s\"%s\":\"%" PRId64 "\"", i ? "," : "", verdict_name((enum verdict)i), verdicts[i]);
    fprintf(stderr, "}}\n");
    return OK;
}

/* Each frame of each partition: u32 partition, u32 bytes, the frame. */
static enum err write_journal(const struct offline *offline, struct err_info *info)
{
    struct buffer out = {0};
    for (int32_t p = 0; p < offline->partitions; p++) {
        int64_t first = world_first(offline->stage.world, PORT_JOURNAL, p);
        for (int64_t o = first; o < world_next(offline->stage.world, PORT_JOURNAL, p); o++) {
            struct bytes frame = world_at(offline->stage.world, PORT_JOURNAL, p, o)->value;
            buffer_add_u32(&out, (uint32_t)p);
            buffer_add_u32(&out, (uint32_t)frame.length);
            buffer_add(&out, frame.data, frame.length);
        }
    }
    FILE *file = fopen(offline->journal, "wb");
    bool good = file && fwrite(out.data, 1, out.length, file) == out.length;
    good = file && fclose(file) == 0 && good;
    buffer_fini(&out);
    return good ? OK : err_set(info, ERR_CONFIG, "--journal %s: the file can't be written", offline->journal);
}

static enum err run_all(struct offline *offline, struct err_info *info)
{
    wire_init();
    TRY(assemble(&offline->assembly, &offline->options.config, true, info));
    stage_open(&offline->stage, &offline->assembly, (int32_t)offline->partitions, 0);
    for (int i = 0; i < offline->options.argument_count; i++)
        TRY(read_file(offline, offline->options.arguments[i], info));
    if (offline->shuffle)
        shuffle(offline);
    TRY(settle_portions(offline, info));
    if (offline->journal)
        TRY(write_journal(offline, info));
    TRY(print_statistics(offline, info));
    return print_verdicts(offline, info);
}

static bool is_scenario(const char *path)
{
    static const char end[] = ".scenario";
    size_t length = strlen(path);
    return length >= sizeof end && strcmp(path + length + 1 - sizeof end, end) == 0;
}

static int run(int argc, char **argv)
{
    static struct offline offline = {.partitions = 4, .seed = 1, .portions = 1};
    const struct option_row rows[] = {
        {.name = "partitions",
         .kind = OPTION_NUMBER,
         .place = &offline.partitions,
         .min = 1,
         .max = STAGE_PARTITIONS_MOST},
        {.name = "seed", .kind = OPTION_NUMBER, .place = &offline.seed, .min = 0, .max = INT64_MAX},
        {.name = "shuffle", .kind = OPTION_NUMBER, .place = &offline.shuffle, .min = 1, .max = INT64_MAX},
        {.name = "kill-every", .kind = OPTION_NUMBER, .place = &offline.kill_every, .min = 1, .max = INT64_MAX},
        {.name = "portions", .kind = OPTION_NUMBER, .place = &offline.portions, .min = 1, .max = 10000},
        {.name = "snapshot-bytes", .kind = OPTION_NUMBER, .place = &offline.snapshot_bytes, .min = 0, .max = INT64_MAX},
        {.name = "journal", .kind = OPTION_TEXT, .place = &offline.journal},
        {.name = "dump", .kind = OPTION_TEXT, .place = &offline.dump},
        {.name = "inputs", .kind = OPTION_TEXT, .place = &offline.inputs},
        {.name = "twice", .kind = OPTION_FLAG, .place = &offline.twice},
    };
    int code = options_read(&offline.options, &command_offline, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0 && offline.options.argument_count == 0)
        code = options_say(&offline.options, ERR_CONFIG, "no file is named; `offline FILE.pb...`");
    struct err_info info;
    enum err err = OK;
    if (code == 0)
        err = is_scenario(offline.options.arguments[0])
                  ? scenario_run(&offline.options, offline.options.arguments[0], offline.dump, offline.inputs, &info)
                  : run_all(&offline, &info);
    if (err != OK)
        code = options_fail(&offline.options, err, &info);
    stage_close(&offline.stage);
    assemble_fini(&offline.assembly);
    buffer_fini(&offline.bytes);
    memory_free(offline.records);
    options_fini(&offline.options);
    return code;
}

const struct command command_offline = {
    .name = "offline",
    .summary = "runs worker and publisher over files, without Kafka",
    .usage =
        "offline [OPTION]... FILE.pb...\n"
        "offline [--dump FILE] [--inputs FILE] NAME.scenario\n"
        "Puts the declarations into partitions by murmur2 of their id, counts and publishes them on a virtual clock, "
        "and prints\n"
        "the statistics as `dryport tail` does; the last line on stderr has the verdicts that the journal holds.\n"
        "A scenario (tests/offline/README.md) says itself what goes in and what must come out.\n\n"
        "options:\n"
        "  --partitions N   of the input, the journal and the statistics (4)\n"
        "  --seed S         of nonces and back-offs (1)\n"
        "  --twice          every record is sent twice\n"
        "  --shuffle S      the order of the input is shuffled, that of the versions of an id too\n"
        "  --portions N     the input comes in N portions, each when the one before is counted (1)\n"
        "  --snapshot-bytes N  groups that begin a snapshot cycle (0: as many as the last cycle has)\n"
        "  --journal FILE   writes the frames: u32 partition, u32 bytes, the frame, again and again\n"
        "  --dump FILE      of a scenario: the newest record of each key, as JSON lines\n"
        "  --inputs FILE    of a scenario: partition, timestamp and id of each record that went in\n"
        "  --kill-every N   the process is killed and started again after each N appends",
    .run = run,
};

int main(int argc, char **argv)
{
    return command_offline.run(argc, argv);
}
