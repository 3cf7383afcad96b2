/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/setup.h"
#include "cmd/stop.h"
#include "cmd/summary.h"
#include "kafka/admin.h"
#include "kafka/reader.h"
#include "trade/calendar.h"

#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TAKE_MOST = 512, WAIT_MS = 100, MS_NS = 1000000 };

struct log {
    struct reader_log *log;
    int64_t next;
    int64_t end; /* as of the start of the command */
};

struct report {
    struct options options;
    struct kafka_options kafka;
    struct client_health *health;
    struct reader *reader;
    struct reference *reference;
    struct log *logs;
    int32_t partitions;
    int wake_fd;
    struct summary *summary;
    uint64_t undecodable;
    /* options */
    const char *view;
    const char *by;
    const char *period;
    const char *format;
    uint32_t from;
    uint32_t to;
};

/* ---- options ---- */

static bool read_digits(struct text text, uint32_t *out)
{
    int64_t number;
    if (!text_to_int64(text, &number) || number < 0 || number > 9999)
        return false;
    *out = (uint32_t)number;
    return true;
}

/* "2025", "2025-07" or "2025-07-03": its first and last day. */
static bool read_days(struct text text, uint32_t *out_from, uint32_t *out_to)
{
    uint32_t year;
    uint32_t month = 0;
    uint32_t day = 0;
    size_t length = text.length;
    if (length != 4 && length != 7 && length != 10)
        return false;
    if (!read_digits(text_cut(&text, '-'), &year) || (length > 4 && !read_digits(text_cut(&text, '-'), &month)) ||
        (length > 7 && !read_digits(text_cut(&text, '-'), &day)))
        return false;
    uint32_t from = year * 10000 + (length > 4 ? month : 1) * 100 + (length > 7 ? day : 1);
    uint32_t last = length > 4 ? from : year * 10000 + 1201;
    if (!calendar_is_date(from))
        return false;
    *out_from = from;
    *out_to = length > 7 ? from : calendar_month_last(last);
    return true;
}

static bool read_period(struct report *report)
{
    const char *dots = strstr(report->period, "..");
    uint32_t between;
    if (!dots)
        return read_days(text_of(report->period), &report->from, &report->to);
    struct text first = {report->period, (uint32_t)(dots - report->period)};
    return read_days(first, &report->from, &between) && read_days(text_of(dots + 2), &between, &report->to) &&
           report->from <= report->to;
}

static bool is_format(const char *format)
{
    return strcmp(format, "text") == 0 || strcmp(format, "csv") == 0 || strcmp(format, "json") == 0;
}

static bool is_text(const struct report *report)
{
    return !report->format || strcmp(report->format, "text") == 0;
}

/* 0, or the exit code with the error printed. */
static int check_options(struct report *report)
{
    const struct options *options = &report->options;
    if (options->argument_count > 0)
        return options_say(options, ERR_CONFIG, "\"%s\": no argument is taken", options->arguments[0]);
    if (!report->view)
        return options_say(options, ERR_CONFIG, "--view is missing: --view flow, or another of the configured views");
    if (!report->period)
        return options_say(options, ERR_CONFIG,
                           "--period is missing: --period 2025, 2025-07 or 2025-01-01..2025-06-10");
    if (!read_period(report))
        return options_say(options, ERR_CONFIG,
                           "--period \"%s\": write a year, a month or a day (2025, 2025-07, 2025-07-03), or two of "
                           "them with .. between",
                           report->period);
    if (report->format && !is_format(report->format))
        return options_say(options, ERR_CONFIG, "--format \"%s\": there are text, csv and json", report->format);
    return 0;
}

/* ---- reading ---- */

static enum err start_log(struct report *report, struct admin *admin, int32_t partition, struct err_info *info)
{
    struct port_bounds bounds;
    struct log *log = &report->logs[partition];
    TRY(admin_bounds(admin, PORT_STATISTICS, partition, &bounds, info));
    log->next = bounds.low;
    log->end = bounds.high;
    log->log = reader_start(report->reader, PORT_STATISTICS, partition, bounds.low, report->wake_fd, info);
    return log->log ? OK : ERR_PEER;
}

static enum err start_logs(struct report *report, struct admin *admin, struct err_info *info)
{
    TRY(admin_partitions(admin, PORT_STATISTICS, &report->partitions, info));
    if (report->partitions == 0)
        return err_set(info, ERR_CONFIG,
                       "topic %s does not exist on %s; `dryport run` creates it, or set topic.statistics",
                       report->kafka.topics[PORT_STATISTICS], report->kafka.brokers);
    report->logs = memory_new((size_t)report->partitions, sizeof report->logs[0]);
    TRY(reader_new(&report->kafka, CLIENT_READER, report->health, &report->reader, info));
    for (int32_t partition = 0; partition < report->partitions; partition++)
        TRY(start_log(report, admin, partition, info));
    return OK;
}

static enum err prepare(struct report *report, struct err_info *info)
{
    setup_kafka(&report->options.config, report->options.timeout_ms, &report->kafka);
    TRY(client_check(&report->kafka, info));
    if (is_text(report)) /* only people want whole units of the currency */
        TRY(setup_reference(&report->options.config, &report->reference, info));
    report->health = client_health_new(&report->kafka);
    report->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (report->wake_fd < 0)
        return err_set(info, ERR_FATAL, "eventfd failed");
    struct admin *admin;
    TRY(admin_open(&report->kafka, report->health, &admin, info));
    enum err err = start_logs(report, admin, info);
    admin_close(admin);
    return err;
}

static enum err take_log(struct report *report, struct log *log, bool *out_some, struct err_info *info)
{
    static struct port_record records[TAKE_MOST];
    size_t count = reader_take(log->log, records, TAKE_MOST);
    enum err err = OK;
    for (size_t i = 0; i < count && err == OK; i++) {
        const struct port_record *record = &records[i];
        struct text key = {(const char *)record->key.data, (uint32_t)record->key.length};
        log->next = record->offset + 1;
        if (record->fault != PORT_NONE)
            err = err_set(info, ERR_PEER, "%s/%d: reading failed at offset %lld (fault %d); begin again",
                          report->kafka.topics[PORT_STATISTICS], record->partition, (long long)record->offset,
                          (int)record->fault);
        else if (!summary_take(report->summary, key, record->value))
            report->undecodable++;
    }
    reader_release(records, count);
    *out_some |= count > 0;
    return err;
}

static bool is_read(const struct report *report)
{
    for (int32_t i = 0; i < report->partitions; i++) {
        const struct log *log = &report->logs[i];
        if (log->next < log->end && !reader_at_end(log->log)) /* the last record may be a tombstone that is gone */
            return false;
    }
    return true;
}

static void wait_for_more(const struct report *report)
{
    struct pollfd wake = {.fd = report->wake_fd, .events = POLLIN};
    uint64_t unread;
    if (poll(&wake, 1, WAIT_MS) > 0 && read(report->wake_fd, &unread, sizeof unread) < 0)
        return; /* somebody else's byte: the next round looks anyway */
}

/* Reads the topic to the ends that it had at the start. */
static enum err read_topic(struct report *report, struct err_info *info)
{
    int64_t last_ns = clock_steady_ns();
    while (!is_read(report) && !stop_requested()) {
        bool some = false;
        for (int32_t partition = 0; partition < report->partitions; partition++)
            TRY(take_log(report, &report->logs[partition], &some, info));
        reader_serve(report->reader);
        if (some)
            last_ns = clock_steady_ns();
        else if (clock_steady_ns() - last_ns > report->options.timeout_ms * MS_NS)
            return err_set(info, ERR_PEER, "topic %s on %s: nothing came for %lld s though more is there",
                           report->kafka.topics[PORT_STATISTICS], report->kafka.brokers,
                           (long long)(report->options.timeout_ms / 1000));
        else
            wait_for_more(report);
    }
    return OK;
}

/* ---- printing ---- */

static enum err print(const struct report *report, struct err_info *info)
{
    struct summary_request request = {.by = report->by, .from = report->from, .to = report->to};
    struct text currency = summary_currency(report->summary);
    if (is_text(report) && currency.length > 0 &&
        !reference_currency_minor(report->reference, currency, &request.currency_decimals))
        return err_set(
            info, ERR_CONFIG,
            "currencies.csv of reference.dir does not say how many decimals %.*s has; add it, or take --format csv",
            TEXT_ARGS(currency));
    TRY(summary_make(report->summary, &request, info));
    if (is_text(report))
        summary_print_text(report->summary, stdout);
    else if (strcmp(report->format, "csv") == 0)
        summary_print_csv(report->summary, stdout);
    else
        summary_print_json(report->summary, stdout);
    return OK;
}

static int make_report(struct report *report)
{
    struct err_info info;
    enum err err = prepare(report, &info);
    if (err == OK)
        err = read_topic(report, &info);
    if (err == OK && !stop_requested())
        err = print(report, &info);
    if (err != OK)
        return options_fail(&report->options, err, &info);
    if (report->undecodable == 0)
        return 0;
    return options_say(&report->options, ERR_DATA, "%llu records of %s are no statistics and were left out",
                       (unsigned long long)report->undecodable, report->kafka.topics[PORT_STATISTICS]);
}

static void finish(struct report *report)
{
    for (int32_t partition = 0; report->logs && partition < report->partitions; partition++)
        reader_stop(report->logs[partition].log);
    reader_free(report->reader);
    memory_free(report->logs);
    client_health_free(report->health);
    reference_free(report->reference);
    if (report->wake_fd > 0)
        close(report->wake_fd);
    setup_kafka_fini(&report->kafka);
}

static int run(int argc, char **argv)
{
    static struct report report;
    const struct option_row rows[] = {
        {.name = "view", .kind = OPTION_TEXT, .place = &report.view},
        {.name = "by", .kind = OPTION_TEXT, .place = &report.by},
        {.name = "period", .kind = OPTION_TEXT, .place = &report.period},
        {.name = "format", .kind = OPTION_TEXT, .place = &report.format},
    };
    int code = options_read(&report.options, &command_report, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0)
        code = check_options(&report);
    if (code == 0) {
        stop_install();
        report.summary = summary_new(report.view);
        code = make_report(&report);
        summary_free(report.summary);
        finish(&report);
    }
    options_fini(&report.options);
    return code;
}

const struct command command_report = {
    .name = "report",
    .summary = "prints statistics as people read them",
    .usage =
        "report --view NAME --period PERIOD [OPTION]...\n"
        "Reads topic.statistics to its end and sums a view's records over a period, the largest value first.\n"
        "Whole months are taken from the MONTH records where the view has them, other periods from the DAY records.\n"
        "`declarations` is \"-\" where the sum would count a declaration twice (over commodities or partners).\n\n"
        "options:\n"
        "  --view NAME        flow, office, partner, commodity ... or a view of your own\n"
        "  --by DIM,DIM       dimensions of the view to show, `period`, or fewer digits of the commodity (hs2);\n"
        "                     default: all of the view; --by '' gives the total alone\n"
        "  --period PERIOD    2025, 2025-07, 2025-07-03, or two of them: 2025-01-01..2025-06-10\n"
        "  --format FORMAT    text (default), csv or json; the latter with the fields of customs.v1.Statistic\n\n"
        "settings that matter: brokers, topic.statistics, kafka.*",
    .run = run,
};
