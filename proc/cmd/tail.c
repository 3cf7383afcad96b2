/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/setup.h"
#include "cmd/stop.h"
#include "kafka/admin.h"
#include "kafka/reader.h"
#include "ops/statistic_json.h"

#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TAKE_MOST = 512, WAIT_MS = 100, MS_NS = 1000000 };

struct tail {
    struct options options;
    struct kafka_options kafka;
    struct client_health *health;
    struct reader *reader;
    struct reader_log **logs;
    int32_t partitions;
    int wake_fd;
    /* options */
    bool from_beginning;
    const char *view;
    int64_t count;
    int64_t idle_ms;
    /* sums */
    uint64_t printed;
    uint64_t undecodable;
    bool broken_output;
};

static enum err start_log(struct tail *tail, struct admin *admin, int32_t partition, struct err_info *info)
{
    struct port_bounds bounds;
    TRY(admin_bounds(admin, PORT_STATISTICS, partition, &bounds, info));
    int64_t offset = tail->from_beginning ? bounds.low : bounds.high;
    tail->logs[partition] = reader_start(tail->reader, PORT_STATISTICS, partition, offset, tail->wake_fd, info);
    return tail->logs[partition] ? OK : ERR_PEER;
}

static enum err start_logs(struct tail *tail, struct admin *admin, struct err_info *info)
{
    TRY(admin_partitions(admin, PORT_STATISTICS, &tail->partitions, info));
    if (tail->partitions == 0)
        return err_set(info, ERR_CONFIG,
                       "topic %s does not exist on %s; `dryport run` creates it, or set topic.statistics",
                       tail->kafka.topics[PORT_STATISTICS], tail->kafka.brokers);
    tail->logs = memory_new((size_t)tail->partitions, sizeof *tail->logs);
    TRY(reader_new(&tail->kafka, CLIENT_READER, tail->health, &tail->reader, info));
    for (int32_t partition = 0; partition < tail->partitions; partition++)
        TRY(start_log(tail, admin, partition, info));
    return OK;
}

static enum err prepare(struct tail *tail, struct err_info *info)
{
    setup_kafka(&tail->options.config, tail->options.timeout_ms, &tail->kafka);
    TRY(client_check(&tail->kafka, info));
    tail->health = client_health_new(&tail->kafka);
    tail->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (tail->wake_fd < 0)
        return err_set(info, ERR_FATAL, "eventfd failed");
    struct admin *admin;
    TRY(admin_open(&tail->kafka, tail->health, &admin, info));
    enum err err = start_logs(tail, admin, info);
    admin_close(admin);
    return err;
}

/* The view is the key's first part. */
static bool is_wanted(const struct tail *tail, struct text key)
{
    if (key.length > 0 && key.data[0] == '#')
        return false; /* a claim of a publisher */
    return !tail->view || text_is(text_cut(&key, '|'), tail->view);
}

static bool is_done(const struct tail *tail)
{
    return tail->broken_output || (tail->count > 0 && tail->printed >= (uint64_t)tail->count);
}

static void print(struct tail *tail, const struct port_record *record)
{
    struct text key = {(const char *)record->key.data, (uint32_t)record->key.length};
    if (!is_wanted(tail, key) || is_done(tail))
        return;
    key.data = key.data ? key.data : "";
    json_t *line =
        record->is_null ? statistic_json_deleted(key, (uint64_t)record->as_of) : statistic_json(key, record->value);
    if (!line) {
        tail->undecodable++;
        options_say(&tail->options, ERR_DATA, "%s/%d/%lld: the value is no statistic",
                    tail->kafka.topics[PORT_STATISTICS], record->partition, (long long)record->offset);
        return;
    }
    tail->broken_output = json_dumpf(line, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF;
    json_decref(line);
    tail->printed++;
}

static enum err take_log(struct tail *tail, struct reader_log *log, bool *out_some, struct err_info *info)
{
    static struct port_record records[TAKE_MOST];
    size_t count = reader_take(log, records, TAKE_MOST);
    enum err err = OK;
    for (size_t i = 0; i < count && err == OK; i++) {
        if (records[i].fault == PORT_NONE)
            print(tail, &records[i]);
        else
            err = err_set(info, ERR_PEER, "%s/%d: reading failed at offset %lld (fault %d); begin again",
                          tail->kafka.topics[PORT_STATISTICS], records[i].partition, (long long)records[i].offset,
                          (int)records[i].fault);
    }
    reader_release(records, count);
    *out_some |= count > 0;
    return err;
}

static void wait_for_more(const struct tail *tail)
{
    fflush(stdout);
    struct pollfd wake = {.fd = tail->wake_fd, .events = POLLIN};
    uint64_t unread;
    if (poll(&wake, 1, WAIT_MS) > 0 && read(tail->wake_fd, &unread, sizeof unread) < 0)
        return; /* somebody else's byte: the next round looks anyway */
}

static enum err follow(struct tail *tail, struct err_info *info)
{
    int64_t last_ns = clock_steady_ns();
    while (!is_done(tail) && !stop_requested()) {
        bool some = false;
        for (int32_t partition = 0; partition < tail->partitions; partition++)
            TRY(take_log(tail, tail->logs[partition], &some, info));
        reader_serve(tail->reader);
        if (some) {
            last_ns = clock_steady_ns();
            continue;
        }
        if (tail->idle_ms > 0 && clock_steady_ns() - last_ns >= tail->idle_ms * MS_NS)
            break;
        wait_for_more(tail);
    }
    fflush(stdout);
    return OK;
}

static void finish(struct tail *tail)
{
    for (int32_t partition = 0; tail->logs && partition < tail->partitions; partition++)
        reader_stop(tail->logs[partition]);
    reader_free(tail->reader);
    memory_free(tail->logs);
    client_health_free(tail->health);
    if (tail->wake_fd > 0)
        close(tail->wake_fd);
    setup_kafka_fini(&tail->kafka);
}

static int run_tailing(struct tail *tail)
{
    struct err_info info;
    enum err err = prepare(tail, &info);
    if (err == OK)
        err = follow(tail, &info);
    if (err != OK)
        return options_fail(&tail->options, err, &info);
    return tail->undecodable > 0 ? err_exit_code(ERR_DATA) : 0;
}

static int run(int argc, char **argv)
{
    static struct tail tail;
    const struct option_row rows[] = {
        {.name = "from-beginning", .kind = OPTION_FLAG, .place = &tail.from_beginning},
        {.name = "view", .kind = OPTION_TEXT, .place = &tail.view},
        {.name = "count", .kind = OPTION_NUMBER, .place = &tail.count, .min = 1, .max = INT64_MAX},
        {.name = "until-idle", .kind = OPTION_SECONDS, .place = &tail.idle_ms, .min = 1, .max = 86400000},
    };
    int code = options_read(&tail.options, &command_tail, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0 && tail.options.argument_count > 0)
        code = options_say(&tail.options, ERR_CONFIG, "\"%s\": no argument is taken", tail.options.arguments[0]);
    if (code == 0) {
        stop_install();
        code = run_tailing(&tail);
        finish(&tail);
    }
    options_fini(&tail.options);
    return code;
}

const struct command command_tail = {
    .name = "tail",
    .summary = "prints statistics as JSON lines as they arrive",
    .usage =
        "tail [OPTION]...\n"
        "Prints each record of topic.statistics as a line of JSON: its key and all fields of customs.v1.Statistic, "
        "64-bit integers as\n"
        "strings, enums by short name; {\"key\": ..., \"as_of\": ..., \"deleted\": true} for a cell that is no more. "
        "Publishers'\n"
        "claims (keys with #) are left out. Who keeps the lines must ignore one whose as_of is not larger than the "
        "newest of its key.\n\n"
        "options:\n"
        "  --from-beginning   begins with what the topic holds, not with what comes next\n"
        "  --view NAME        only records of this view\n"
        "  --count N          ends after N lines\n"
        "  --until-idle S     ends when nothing has come for S seconds\n\n"
        "settings that matter: brokers, topic.statistics, kafka.*",
    .run = run,
};
