/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/follow.h"
#include "cmd/options.h"
#include "cmd/stop.h"
#include "ops/statistic_json.h"

#include <stdio.h>

enum { MS_NS = 1000000 };

struct tail {
    struct options options;
    struct follow *follow;
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

static void print(void *context, const struct port_record *record)
{
    struct tail *tail = context;
    struct text key = {(const char *)record->key.data, (uint32_t)record->key.length};
    if (!is_wanted(tail, key) || is_done(tail))
        return;
    key.data = key.data ? key.data : "";
    json_t *line =
        record->is_null ? statistic_json_deleted(key, (uint64_t)record->as_of) : statistic_json(key, record->value);
    if (!line) {
        tail->undecodable++;
        options_say(&tail->options, ERR_DATA, "%s/%d/%lld: the value is no statistic", follow_topic(tail->follow),
                    record->partition, (long long)record->offset);
        return;
    }
    tail->broken_output = json_dumpf(line, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF;
    json_decref(line);
    tail->printed++;
}

static enum err follow(struct tail *tail, struct err_info *info)
{
    int64_t last_ns = clock_steady_ns();
    while (!is_done(tail) && !stop_requested()) {
        bool some;
        TRY(follow_take(tail->follow, print, tail, &some, info));
        if (some) {
            last_ns = clock_steady_ns();
            continue;
        }
        if (tail->idle_ms > 0 && clock_steady_ns() - last_ns >= tail->idle_ms * MS_NS)
            break;
        fflush(stdout);
        follow_wait(tail->follow);
    }
    fflush(stdout);
    return OK;
}

static int run_tailing(struct tail *tail)
{
    struct err_info info;
    enum err err = follow_open(&tail->options, tail->from_beginning, &tail->follow, &info);
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
        follow_close(tail.follow);
    }
    options_fini(&tail.options);
    return code;
}

const struct command command_tail = {
    .name = "tail",
    .summary = "prints statistics as JSON lines as they arrive",
    .usage =
        "tail [OPTION]...\n"
        "Prints each record of topic.statistics as a line of JSON: its key and all fields of customs.v1.Statistic, 64-bit integers as\n"
        "strings, enums by short name; {\"key\": ..., \"as_of\": ..., \"deleted\": true} for a cell that is no more. Publishers'\n"
        "claims (keys with #) are left out. Who keeps the lines must ignore one whose as_of is not larger than the newest of its key.\n\n"
        "options:\n"
        "  --from-beginning   begins with what the topic holds, not with what comes next\n"
        "  --view NAME        only records of this view\n"
        "  --count N          ends after N lines\n"
        "  --until-idle S     ends when nothing has come for S seconds\n\n"
        "settings that matter: brokers, topic.statistics, kafka.*",
    .run = run,
};
