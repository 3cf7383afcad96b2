/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/load_history.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"
#include "cmd/assemble.h"
#include "cmd/history_file.h"
#include "cmd/progress.h"
#include "cmd/reading.h"
#include "cmd/sender.h"
#include "cmd/stop.h"
#include "cmd/walk.h"
#include "flow/history.h"
#include "flow/statistic_read.h"
#include "trade/calendar.h"

#include <inttypes.h>
#include <stdio.h>

enum { TOLD_MOST = 20, EXPECTED_KEYS = 1 << 12, SHOW_EACH = 1024, MONTHS_MOST = 12 * 10000 };

/* What topic.statistics holds of a key. */
struct held {
    uint64_t as_of;   /* of a cell's record; of history its content */
    int32_t month;    /* of a cell */
    bool has_counted; /* items that were not loaded */
};

struct loading {
    const struct options *options;
    const char *path;
    struct reference *reference;
    struct zone *zone;
    struct view_plan plan;
    struct history_file file;
    struct progress progress;
    struct table *table;
    struct held *held;
    uint32_t capacity;
    uint8_t *is_counted; /* by month (calendar.h): declarations count in it */
    struct kafka_options kafka;
    struct sender *sender;
    uint64_t told;
    uint64_t there; /* rows that the topic holds already */
    uint64_t failures;
    enum err failed_with;
};

static void tell(void *context, const char *text)
{
    struct loading *loading = context;
    if (++loading->told <= TOLD_MOST)
        options_say(loading->options, ERR_DATA, "%s", text);
}

static void show(void *context, uint64_t done, uint64_t total, uint64_t rows)
{
    struct loading *loading = context;
    progress_show(&loading->progress, done, total, rows);
}

static enum err read_file(struct loading *loading, struct err_info *info)
{
    const struct config *config = &loading->options->config;
    TRY(setup_reference(config, &loading->reference, info));
    TRY(setup_zone(config, &loading->zone, info));
    TRY(assemble_views(config, loading->reference, &loading->plan, info));
    struct history_options options = {
        .config = config,
        .plan = &loading->plan,
        .reference = loading->reference,
        .zone = loading->zone,
        .now_ms = clock_wall_ms(),
        .tell = tell,
        .progress = show,
        .context = loading,
    };
    loading->progress = progress_begin(loading->path);
    enum err err = history_file_read(loading->path, &options, &loading->file, info);
    progress_end(&loading->progress);
    return err;
}

/* ---- what the topic holds ---- */

static struct table_key place_of(const void *key, size_t length)
{
    static const struct hash_key no_secret = {{0, 0}}; /* the topic is ours; a flood would only slow the command */
    struct hash128 hash = hash_sip128(key, length, &no_secret);
    return (struct table_key){{hash.word[0], hash.word[1], 0, 0}};
}

static struct held *held_of(struct loading *loading, struct bytes key)
{
    struct table_key place = place_of(key.data, key.length);
    bool added;
    uint32_t index = table_put(loading->table, &place, table_hash(&place), &added);
    if (index == loading->capacity) {
        loading->capacity = loading->capacity ? loading->capacity * 2 : EXPECTED_KEYS;
        loading->held = memory_resize(loading->held, loading->capacity, sizeof loading->held[0]);
    }
    if (added)
        loading->held[index] = (struct held){0};
    return &loading->held[index];
}

/* 0 of one that was taken back, or never was. */
static uint64_t content_of(const uint8_t *value, size_t length)
{
    return length ? hash_bytes(value, length, 1) | 1 : 0;
}

static void take_cell(struct held *held, const struct port_record *record)
{
    struct statistic_scratch scratch;
    const Customs__V1__Statistic *m = &scratch.message;
    if (record->is_null || !statistic_read(record->value, &scratch)) {
        if (record->is_null && (uint64_t)record->as_of > held->as_of)
            *held = (struct held){.as_of = (uint64_t)record->as_of};
        return;
    }
    bool is_base = m->frequency == CUSTOMS__V1__FREQUENCY__FREQUENCY_DAY ||
                   m->frequency == CUSTOMS__V1__FREQUENCY__FREQUENCY_MONTH;
    if (m->as_of <= held->as_of || !is_base || !calendar_is_date(m->period_from))
        return;
    *held = (struct held){.as_of = m->as_of,
                          .month = calendar_month_of_day(calendar_day(m->period_from)),
                          .has_counted = m->items > m->loaded_items};
}

static enum err read_partition(struct loading *loading, struct walk *walk, uint64_t *count, struct err_info *info)
{
    const struct port_record *record;
    for (;;) {
        TRY(walk_next(walk, &record, info));
        if (!record)
            return OK;
        if (record->fault != PORT_NONE)
            return err_set(info, ERR_PEER, "topic.statistics, partition %" PRId32 " offset %" PRId64 ": %s",
                           record->partition, record->offset, walk_fault_name(record->fault));
        if (history_is(record->key))
            held_of(loading, record->key)->as_of =
                record->is_null ? 0 : content_of(record->value.data, record->value.length);
        else if (record->key.length > 0 && record->key.data[0] != '#')
            take_cell(held_of(loading, record->key), record);
        if (++*count % SHOW_EACH == 0)
            progress_show(&loading->progress, 0, 0, *count);
    }
}

static enum err read_partitions(struct loading *loading, const struct port *port, struct err_info *info)
{
    int32_t partitions = port->partitions(port->self, PORT_STATISTICS);
    uint64_t count = 0;
    enum err err = OK;
    for (int32_t i = 0; i < partitions && err == OK; i++) {
        struct walk *walk = memory_new(1, sizeof *walk);
        walk_init(walk, port, PORT_STATISTICS, i);
        walk->patience_ms = loading->options->timeout_ms;
        err = walk_note(walk, info);
        if (err == OK)
            err = read_partition(loading, walk, &count, info);
        walk_close(walk);
        memory_free(walk);
    }
    return err;
}

static enum err read_topic(struct loading *loading, struct err_info *info)
{
    struct reading *reading;
    TRY(reading_open(loading->options, &reading, info));
    enum err err = reading_must_exist(reading, PORT_STATISTICS, info);
    loading->progress = progress_begin("reading topic.statistics");
    if (err == OK)
        err = read_partitions(loading, reading_port(reading), info);
    progress_end(&loading->progress);
    reading_close(reading);
    return err;
}

/* ---- what of the file is new ---- */

static void note_counted(struct loading *loading)
{
    for (uint32_t i = 0; i < table_count(loading->table); i++) {
        const struct held *held = &loading->held[i];
        if (held->has_counted && held->month >= 0 && held->month < MONTHS_MOST)
            loading->is_counted[held->month] = 1;
    }
}

static bool is_there(const struct loading *loading, const struct history_row *row)
{
    struct table_key place = place_of(row->key, strlen(row->key));
    uint32_t index = table_find(loading->table, &place, table_hash(&place));
    return content_of(row->value, row->value_bytes) == (index == TABLE_NONE ? 0 : loading->held[index].as_of);
}

static void judge_rows(struct loading *loading)
{
    struct err_info info;
    note_counted(loading);
    for (size_t i = 0; i < loading->file.count; i++) {
        struct history_row *row = &loading->file.rows[i];
        if (is_there(loading, row)) {
            loading->there++;
            row->key[0] = '\0';
        } else if (row->month < 0 || row->month >= MONTHS_MOST || loading->is_counted[row->month]) {
            uint32_t date = calendar_date(calendar_month_day(row->month));
            err_set(&info, ERR_DATA,
                    "%s:%" PRIu64
                    ": %04u-%02u has declarations that are counted; history and they would be added up. Leave "
                    "the month out, or cancel those declarations",
                    loading->path, row->line, date / 10000, date / 100 % 100);
            loading->file.wrong++;
            tell(loading, info.text);
        }
    }
}

/* ---- writing ---- */

static void tell_failure(void *self, uint64_t token, enum err reason, const char *why)
{
    struct loading *loading = self;
    struct err_info info;
    loading->failed_with = reason;
    loading->failures++;
    err_set(&info, reason,
            "%s:%" PRIu64 ": the broker did not acknowledge it%s%s; load the file again, what is there stays",
            loading->path, token, why[0] ? ": " : "", why);
    tell(loading, info.text);
}

static enum err send_rows(struct loading *loading, struct err_info *info)
{
    struct sender_failure failure = {tell_failure, loading};
    setup_kafka(&loading->options->config, loading->options->timeout_ms, &loading->kafka);
    TRY(sender_open_to(&loading->kafka, PORT_STATISTICS, failure, &loading->sender, info));
    loading->progress = progress_begin(loading->options->config.topic_statistics);
    enum err err = OK;
    for (size_t i = 0; i < loading->file.count && err == OK && !stop_requested(); i++) {
        const struct history_row *row = &loading->file.rows[i];
        if (row->key[0] == '\0')
            continue;
        struct bytes key = {(const uint8_t *)row->key, strlen(row->key)};
        struct bytes value = {row->value, row->value_bytes};
        err = sender_send(loading->sender, key, value, 0, row->line, info);
        if (i % SHOW_EACH == 0)
            progress_show(&loading->progress, i, loading->file.count, i);
    }
    if (err == OK)
        err = sender_finish(loading->sender, info);
    progress_end(&loading->progress);
    return err;
}

static int finish(const struct loading *loading)
{
    uint64_t written = sender_sums(loading->sender).acknowledged;
    fprintf(stderr,
            "dryport load: %" PRIu64 " cells of history acknowledged by %s, %" PRIu64
            " were there already%s; a running publisher shows them at once\n",
            written, loading->options->config.topic_statistics, loading->there,
            stop_requested() ? "; stopped before the end" : "");
    if (loading->failures == 0)
        return 0;
    return options_say(loading->options, loading->failed_with == ERR_LIMIT ? ERR_DATA : ERR_PEER,
                       "%" PRIu64 " cells were not loaded", loading->failures);
}

static int refuse(const struct loading *loading)
{
    if (loading->told > TOLD_MOST)
        options_say(loading->options, ERR_DATA, "... and %" PRIu64 " more", loading->told - TOLD_MOST);
    return options_say(loading->options, ERR_DATA, "%" PRIu64 " rows of %s can't be loaded; nothing was written",
                       loading->file.wrong, loading->path);
}

static int load(struct loading *loading)
{
    struct err_info info;
    enum err err = read_file(loading, &info);
    if (err != OK)
        return options_fail(loading->options, err, &info);
    if (loading->file.wrong)
        return refuse(loading);
    err = read_topic(loading, &info);
    if (err != OK)
        return options_fail(loading->options, err, &info);
    judge_rows(loading);
    if (loading->file.wrong)
        return refuse(loading);
    err = send_rows(loading, &info);
    return err == OK ? finish(loading) : options_fail(loading->options, err, &info);
}

int load_history(const struct options *options, const char *path)
{
    struct loading loading = {.options = options, .path = path};
    loading.table = table_new(EXPECTED_KEYS);
    loading.is_counted = memory_new(MONTHS_MOST, 1);
    int code = load(&loading);
    sender_close(loading.sender);
    setup_kafka_fini(&loading.kafka);
    history_file_fini(&loading.file);
    memory_free(loading.is_counted);
    memory_free(loading.held);
    table_free(loading.table);
    zone_free(loading.zone);
    reference_free(loading.reference);
    return code;
}
