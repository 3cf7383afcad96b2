/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/files.h"
#include "cmd/load_history.h"
#include "cmd/options.h"
#include "cmd/sender.h"
#include "cmd/setup.h"
#include "cmd/stop.h"

#include <stdio.h>

enum { FAILURES_TOLD = 20, RECORD_BITS = 48 };

struct load {
    struct options options;
    struct reference *reference;
    struct mapping *mapping;
    struct kafka_options kafka;
    struct sender *sender;
    struct buffer bytes;
    bool now;      /* --timestamp now */
    uint64_t file; /* which argument is read */
    uint64_t failures;
    enum err failed_with;
};

/* The token of a record is its file and its number. */
static void tell_failure(void *self, uint64_t token, enum err reason, const char *why)
{
    struct load *load = self;
    load->failed_with = load->failed_with == ERR_LIMIT ? ERR_LIMIT : reason;
    if (++load->failures > FAILURES_TOLD)
        return;
    const char *file = load->options.arguments[token >> RECORD_BITS];
    options_say(&load->options, reason, "%s:%llu: %s%s%s", file,
                (unsigned long long)(token & ((1ULL << RECORD_BITS) - 1)),
                reason == ERR_LIMIT
                    ? "larger than the topic or the client allows (max.message.bytes, kafka.producer.message.max.bytes)"
                    : "the broker did not acknowledge it",
                reason != ERR_LIMIT && why[0] ? ": " : "", reason != ERR_LIMIT ? why : "");
}

static enum err send(void *self, const char *path, const struct feed_record *record, struct err_info *info)
{
    struct load *load = self;
    (void)path; /* the token has its number */
    struct bytes value = record->bytes;
    if (!record->has_bytes) {
        buffer_clear(&load->bytes);
        wire_encode(record->declaration, &load->bytes);
        value = buffer_bytes(&load->bytes);
    }
    struct bytes key = {NULL, 0};
    int64_t timestamp = 0;
    if (record->declaration) {
        struct text id = record->declaration->declaration_id;
        key = (struct bytes){(const uint8_t *)id.data, id.length};
        timestamp = load->now || record->declaration->accepted_at_ms < 0 ? 0 : record->declaration->accepted_at_ms;
    }
    return sender_send(load->sender, key, value, timestamp, load->file << RECORD_BITS | record->number, info);
}

/* Opens every file once before the first record goes: a misspelt name is found before half of the work is done. */
static enum err try_files(struct load *load, struct err_info *info)
{
    for (int i = 0; i < load->options.argument_count; i++) {
        struct feed *feed;
        TRY(feed_open(load->options.arguments[i], load->mapping, &feed, info));
        feed_close(feed);
    }
    return OK;
}

static enum err prepare(struct load *load, const char *map, struct err_info *info)
{
    wire_init();
    if (map) {
        TRY(setup_reference(&load->options.config, &load->reference, info));
        TRY(mapping_open(map, setup_currencies(load->reference), &load->mapping, info));
    }
    TRY(try_files(load, info));
    setup_kafka(&load->options.config, load->options.timeout_ms, &load->kafka);
    return sender_open(&load->kafka, (struct sender_failure){tell_failure, load}, &load->sender, info);
}

static int finish(struct load *load, int64_t begun_ns)
{
    struct sender_sums sums = sender_sums(load->sender);
    double seconds = (double)(clock_steady_ns() - begun_ns) / 1e9;
    fprintf(stderr, "dryport load: %llu declarations acknowledged by %s, %llu bytes, in %.1f s%s\n",
            (unsigned long long)sums.acknowledged, load->options.config.topic_declarations,
            (unsigned long long)sums.bytes, seconds, stop_requested() ? "; stopped before the end" : "");
    if (load->failures == 0)
        return 0;
    return options_say(&load->options, load->failed_with == ERR_LIMIT ? ERR_DATA : ERR_PEER,
                       "%llu declarations were not loaded", (unsigned long long)load->failures);
}

static int run_loading(struct load *load, const char *map)
{
    struct err_info info;
    int64_t begun = clock_steady_ns();
    enum err err = prepare(load, map, &info);
    if (err != OK)
        return options_fail(&load->options, err, &info);
    for (int i = 0; i < load->options.argument_count && err == OK && !stop_requested(); i++) {
        load->file = (uint64_t)i;
        err = files_each(load->options.arguments[i], load->mapping, (struct files_taker){send, load}, &info);
    }
    /* after an error in the input what went before it still arrives, and is told */
    struct err_info finish_info;
    enum err finish_err = err == ERR_PEER ? OK : sender_finish(load->sender, &finish_info);
    if (err == OK && finish_err != OK) {
        err = finish_err;
        info = finish_info;
    }
    int code = finish(load, begun);
    return err == OK ? code : options_fail(&load->options, err, &info);
}

static int run(int argc, char **argv)
{
    static struct load load;
    const char *map = NULL;
    const char *timestamp = "accepted";
    const char *statistics = NULL;
    const struct option_row rows[] = {
        {.name = "map", .kind = OPTION_TEXT, .place = &map},
        {.name = "timestamp", .kind = OPTION_TEXT, .place = &timestamp},
        {.name = "statistics", .kind = OPTION_TEXT, .place = &statistics},
    };
    int code = options_read(&load.options, &command_load, rows, sizeof rows / sizeof rows[0], argc, argv);
    load.now = strcmp(timestamp, "now") == 0;
    if (code == 0 && !load.now && strcmp(timestamp, "accepted") != 0)
        code = options_say(&load.options, ERR_CONFIG, "--timestamp %s: accepted or now is needed", timestamp);
    if (code == 0 && statistics && (map || load.options.argument_count > 0))
        code = options_say(&load.options, ERR_CONFIG,
                           "--statistics FILE stands alone: declarations are loaded by another call, without it");
    if (code == 0 && !statistics && load.options.argument_count == 0)
        code = options_say(&load.options, ERR_CONFIG, "no file is named; `dryport load FILE...`");
    if (code == 0) {
        stop_install();
        code = statistics ? load_history(&load.options, statistics) : run_loading(&load, map);
    }
    sender_close(load.sender);
    setup_kafka_fini(&load.kafka);
    buffer_fini(&load.bytes);
    mapping_free(load.mapping);
    reference_free(load.reference);
    options_fini(&load.options);
    return code;
}

const struct command command_load = {
    .name = "load",
    .summary = "produces the declarations of files to the input topic, or loads history",
    .usage =
        "load [OPTION]... FILE...\n"
        "load --statistics FILE.csv\n"
        "Produces each declaration to topic.declarations and ends when the broker has acknowledged all of them.\n"
        "FILE is NAME.pb (varint length before each customs.v1.Declaration) or NAME.csv with --map, plain or zstd (.zst).\n"
        "The key is the declaration id, the partition its murmur2 hash as Java clients choose it. A record that does not\n"
        "decode is sent as it is, without key. A missing topic is created (topics.create).\n\n"
        "options:\n"
        "  --map FILE         how the columns of a .csv file become a declaration (docs/MAPS.md)\n"
        "  --timestamp WHAT   record timestamp: accepted = accepted_at_ms of the declaration (default), now = time of arrival\n"
        "  --statistics FILE  instead: closed cells of earlier years, as `report --format csv` prints them by all dimensions\n"
        "                     and period (docs/REPORT.md); year on year then needs no replay. Months with declarations are\n"
        "                     refused; nothing is written unless every row is good; a row that is there is left alone,\n"
        "                     and one with items 0 takes its cell back\n\n"
        "settings that matter: brokers, topic.declarations, topics.*, kafka.*; with --statistics also topic.statistics,\n"
        "view.*, reporter, reporting.currency, timezone, reference.dir",
    .run = run,
};
