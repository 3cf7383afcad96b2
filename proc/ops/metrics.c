/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/metrics.h"

#include "base/check.h"
#include "base/memory.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum type { COUNTER, GAUGE, HISTOGRAM, INFO };

struct row {
    const char *full_name;
    enum type type;
    const char *unit;
    const char *labels;
    const char *help;
};

static const struct row rows[METRICS] = {
#define METRIC(name, full_name, type, unit, labels, help) {full_name, type, unit, labels, help},
#include "ops/metrics.def"
};

enum { NUMBER_BYTES = 40 };

/* The fewest digits that read back as the same number. */
static const char *number_text(char out[NUMBER_BYTES], double value)
{
    if (isnan(value))
        return "NaN";
    if (isinf(value))
        return value > 0 ? "+Inf" : "-Inf";
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, NUMBER_BYTES, "%.*g", digits, value);
        if (fabs(strtod(out, NULL) - value) <= 0.0)
            break;
    }
    return out;
}

const char *metrics_label_int(char out[METRICS_INT_BYTES], int64_t value)
{
    snprintf(out, METRICS_INT_BYTES, "%" PRId64, value);
    return out;
}

void metrics_begin(struct metrics_page *page, bool openmetrics)
{
    *page = (struct metrics_page){.openmetrics = openmetrics};
}

static void add_escaped(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            buffer_add_u8(out, '\\');
        if (*text == '\n')
            buffer_add_text(out, "\\n");
        else
            buffer_add_u8(out, (uint8_t)*text);
    }
}

/* {name="value",...,le="bound"}; nothing without labels. A wrong number of values is a bug of the caller. */
static void add_labels(struct buffer *out, enum metric metric, const char *const *values, const char *bound)
{
    struct text names = text_of(rows[metric].labels);
    const char *before = "{";
    while (names.length > 0) {
        struct text name = text_cut(&names, ',');
        CHECK_SAY(*values, "%s lacks a value for label %.*s", rows[metric].full_name, TEXT_ARGS(name));
        buffer_add_format(out, "%s%.*s=\"", before, TEXT_ARGS(name));
        add_escaped(out, *values++);
        buffer_add_u8(out, '"');
        before = ",";
    }
    CHECK_SAY(!*values, "%s has no label for the value %s", rows[metric].full_name, *values);
    if (bound)
        buffer_add_format(out, "%sle=\"%s\"", before, bound);
    if (bound || *before == ',')
        buffer_add_u8(out, '}');
}

static void add_sample(struct metrics_page *page, enum metric metric, const char *suffix, const char *const *values,
                       const char *bound, const char *number)
{
    struct buffer *out = &page->family[metric];
    buffer_add_text(out, rows[metric].full_name);
    buffer_add_text(out, suffix);
    add_labels(out, metric, values, bound);
    buffer_add_format(out, " %s\n", number);
}

void metrics_put(struct metrics_page *page, enum metric metric, double value, const char *const *labels)
{
    char number[NUMBER_BYTES];
    CHECK_SAY(rows[metric].type != HISTOGRAM, "%s is a histogram", rows[metric].full_name);
    add_sample(page, metric, "", labels, NULL, number_text(number, value));
}

void metrics_put_int(struct metrics_page *page, enum metric metric, int64_t value, const char *const *labels)
{
    char number[METRICS_INT_BYTES];
    CHECK_SAY(rows[metric].type != HISTOGRAM, "%s is a histogram", rows[metric].full_name);
    add_sample(page, metric, "", labels, NULL, metrics_label_int(number, value));
}

/* unit: seconds that one "second" of the histogram stands for. */
static void put_hist(struct metrics_page *page, enum metric metric, const struct hist *hist, double unit,
                     const char *const *labels)
{
    struct hist_view view;
    char bound[NUMBER_BYTES];
    char number[NUMBER_BYTES];
    int64_t sum = 0;
    CHECK_SAY(rows[metric].type == HISTOGRAM, "%s is no histogram", rows[metric].full_name);
    hist_read(hist, &view);
    for (int i = 0; i <= HIST_BUCKETS; i++) {
        sum += view.bucket[i];
        add_sample(page, metric, "_bucket", labels,
                   number_text(bound, i < HIST_BUCKETS ? hist_bound(i) * unit : (double)INFINITY),
                   metrics_label_int(number, sum));
    }
    add_sample(page, metric, "_sum", labels, NULL, number_text(number, view.sum_seconds * unit));
    /* of the buckets as they were read: the count must equal the bucket +Inf */
    add_sample(page, metric, "_count", labels, NULL, metrics_label_int(number, sum));
}

void metrics_put_hist(struct metrics_page *page, enum metric metric, const struct hist *hist, const char *const *labels)
{
    put_hist(page, metric, hist, 1, labels);
}

void metrics_put_fine_hist(struct metrics_page *page, enum metric metric, const struct hist *hist,
                           const char *const *labels)
{
    static const double MILLISECOND = 1e-3;
    put_hist(page, metric, hist, MILLISECOND, labels);
}

static const char *ending(const struct row *row)
{
    return row->type == COUNTER ? "_total" : row->type == INFO ? "_info" : "";
}

static const char *type_name(const struct row *row, bool openmetrics)
{
    static const char *const names[] = {"counter", "gauge", "histogram", "info"};
    return row->type == INFO && !openmetrics ? "gauge" : names[row->type];
}

/* OpenMetrics names a family without the ending of its samples; the older format knows no such difference. */
static void add_family(const struct row *row, const struct buffer *samples, bool openmetrics, struct buffer *out)
{
    int length = (int)(strlen(row->full_name) - (openmetrics ? strlen(ending(row)) : 0));
    buffer_add_format(out, "# HELP %.*s %s\n", length, row->full_name, row->help);
    buffer_add_format(out, "# TYPE %.*s %s\n", length, row->full_name, type_name(row, openmetrics));
    if (openmetrics && *row->unit)
        buffer_add_format(out, "# UNIT %.*s %s\n", length, row->full_name, row->unit);
    buffer_add(out, samples->data, samples->length);
}

void metrics_end(struct metrics_page *page, struct buffer *out)
{
    for (int i = 0; i < METRICS; i++) {
        if (page->family[i].length > 0)
            add_family(&rows[i], &page->family[i], page->openmetrics, out);
        buffer_fini(&page->family[i]);
    }
    if (page->openmetrics)
        buffer_add_text(out, "# EOF\n");
}

/* Is "application/openmetrics-text" among the types, and not with q=0? The order of the others is the client's affair.
 */
bool metrics_wants_openmetrics(const char *accept)
{
    struct text rest = text_of(accept);
    while (rest.length > 0) {
        struct text parameters = text_cut(&rest, ',');
        struct text type = text_trim(text_cut(&parameters, ';'));
        bool refused = false;
        while (parameters.length > 0) {
            struct text parameter = text_trim(text_cut(&parameters, ';'));
            refused = refused || text_is(parameter, "q=0") || text_is(parameter, "q=0.0");
        }
        if (text_is(type, "application/openmetrics-text") && !refused)
            return true;
    }
    return false;
}

const char *metrics_content_type(bool openmetrics)
{
    return openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                       : "text/plain; version=0.0.4; charset=utf-8";
}

/* ---- process ---- */

static double cpu_seconds(void)
{
    struct timespec used = {0, 0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static int64_t open_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = 0;
    if (!folder)
        return -1;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count - 1; /* the folder itself was open */
}

/* The number behind `name` at the beginning of a line of a file, 0 if there is none. */
static int64_t line_number(const char *path, const char *name)
{
    char line[512];
    size_t length = strlen(name);
    long long value = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    while (value == 0 && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, length) == 0)
            value = strtoll(line + length, NULL, 10);
    }
    fclose(file);
    return value;
}

/* Seconds since the epoch: the machine's boot plus field 22 of /proc/self/stat. The process name before it may hold
 * anything. */
static double start_seconds(void)
{
    enum { FIELDS_FROM_STATE = 19 };
    char line[1024] = "";
    FILE *file = fopen("/proc/self/stat", "r");
    if (!file)
        return 0;
    size_t got = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[got] = '\0';
    const char *at = strrchr(line, ')');
    for (int i = 0; at && i <= FIELDS_FROM_STATE; i++)
        at = strchr(at + 1, ' ');
    double ticks = at ? (double)strtoll(at, NULL, 10) : 0;
    return (double)line_number("/proc/stat", "btime ") + ticks / (double)sysconf(_SC_CLK_TCK);
}

void metrics_put_process(struct metrics_page *page)
{
    metrics_put_int(page, METRIC_build_info, 1, METRICS_LABELS(DRYPORT_VERSION, __VERSION__));
    metrics_put_int(page, METRIC_memory_limit_bytes, (int64_t)memory_limit(), METRICS_NO_LABELS);
    struct memory_heap heap = memory_heap_now();
    metrics_put_int(page, METRIC_heap_used_bytes, (int64_t)heap.used_bytes, METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_heap_free_bytes, (int64_t)heap.free_bytes, METRICS_NO_LABELS);
    metrics_put(page, METRIC_process_cpu_seconds_total, cpu_seconds(), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_process_resident_memory_bytes, (int64_t)memory_resident(), METRICS_NO_LABELS);
    metrics_put(page, METRIC_process_start_time_seconds, start_seconds(), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_process_open_fds, open_fds(), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_process_max_fds, sysconf(_SC_OPEN_MAX), METRICS_NO_LABELS);
}

/* ---- document ---- */

void metrics_print_document(FILE *out)
{
    fputs("# Metrics\n\n<!-- Made from proc/ops/metrics.def; a test fails when this page is stale. -->\n\n"
          "`/metrics` of `http.listen`: Prometheus text 0.0.4, or OpenMetrics 1.0 if the Accept header asks for it. A "
          "family without a sample\n"
          "is not shown. Counters begin at 0 with the process. No commodity code is ever a label.\n\n"
          "| name | type | unit | labels | meaning |\n|---|---|---|---|---|\n",
          out);
    for (int i = 0; i < METRICS; i++) {
        const struct row *row = &rows[i];
        fprintf(out, "| `%s` | %s | %s | %s | %s |\n", row->full_name, type_name(row, true), row->unit, row->labels,
                row->help);
    }
}
