/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/metrics.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct metrics_page page;
static struct buffer out;

static void teardown(void)
{
    buffer_fini(&out);
}

TestSuite(metrics, .fini = teardown);

static const char *finish(void)
{
    metrics_end(&page, &out);
    buffer_add_u8(&out, 0);
    return (const char *)out.data;
}

static bool has(const char *part)
{
    return strstr((const char *)out.data, part) != NULL;
}

/* ---- a strict reader of both formats, so far as the page uses them ---- */

struct family {
    char name[128];
    char type[16];
};

static bool is_metric_name(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!isalpha((unsigned char)name[i]) && name[i] != '_' && !(i > 0 && isdigit((unsigned char)name[i])))
            return false;
    }
    return length > 0;
}

/* Steps over {name="value",...}. */
static const char *skip_labels(const char *at)
{
    cr_assert_eq(*at, '{');
    do {
        const char *name = ++at;
        at += strcspn(at, "=");
        cr_assert(is_metric_name(name, (size_t)(at - name)), "label in %s", name);
        cr_assert_eq(at[1], '"');
        for (at += 2; *at != '"'; at++) {
            cr_assert_neq(*at, '\n');
            cr_assert_neq(*at, '\0');
            if (*at == '\\') {
                at++;
                cr_assert(*at == '\\' || *at == '"' || *at == 'n', "escape \\%c", *at);
            }
        }
        at++;
    } while (*at == ',');
    cr_assert_eq(*at, '}');
    return at + 1;
}

static void check_sample(const char *line, const struct family *family, bool openmetrics)
{
    static const char *const endings[] = {"", "_total", "_info", "_bucket", "_sum", "_count"};
    size_t length = strcspn(line, "{ ");
    size_t family_length = strlen(family->name);
    cr_assert(is_metric_name(line, length), "%s", line);
    cr_assert(strncmp(line, family->name, family_length) == 0, "%s in the family %s", line, family->name);
    bool known = false;
    for (size_t i = 0; i < 6; i++)
        known = known || (strlen(endings[i]) == length - family_length &&
                          strncmp(line + family_length, endings[i], strlen(endings[i])) == 0);
    cr_assert(known, "%s in the family %s", line, family->name);
    if (openmetrics && strcmp(family->type, "counter") == 0)
        cr_assert_eq(strncmp(line + length - 6, "_total", 6), 0, "%s", line);
    const char *at = line + length;
    if (*at == '{')
        at = skip_labels(at);
    cr_assert_eq(*at, ' ');
    char *end = NULL;
    strtod(at + 1, &end);
    cr_assert(end > at + 1 && *end == '\0', "value of %s", line);
}

static void check_comment(const char *line, struct family *family, char names[][128], int *count)
{
    char word[8] = "";
    char name[128] = "";
    char rest[1024] = "";
    cr_assert_eq(sscanf(line, "# %7s %127s %1023[^\n]", word, name, rest), 3, "%s", line);
    if (strcmp(word, "HELP") == 0) {
        for (int i = 0; i < *count; i++)
            cr_assert_str_neq(names[i], name);
        snprintf(names[(*count)++], 128, "%s", name);
        snprintf(family->name, sizeof family->name, "%s", name);
        return;
    }
    cr_assert_str_eq(name, family->name);
    if (strcmp(word, "TYPE") == 0)
        snprintf(family->type, sizeof family->type, "%.15s", rest);
    else
        cr_assert_str_eq(word, "UNIT");
}

static void check_page(const char *text, bool openmetrics)
{
    char names[METRICS][128];
    int count = 0;
    bool ended = false;
    struct family family = {"", ""};
    char *copy = strdup(text);
    char *rest = NULL;
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        cr_assert_not(ended, "behind # EOF: %s", line);
        if (strcmp(line, "# EOF") == 0)
            ended = true;
        else if (*line == '#')
            check_comment(line, &family, names, &count);
        else
            check_sample(line, &family, openmetrics);
    }
    cr_assert_eq(ended, openmetrics);
    cr_assert_eq(text[strlen(text) - 1], '\n');
    free(copy);
}

/* ---- negative ---- */

Test(metrics, missing_label_is_a_bug, .signal = SIGABRT)
{
    metrics_begin(&page, false);
    metrics_put_int(&page, METRIC_declarations_total, 1, METRICS_NO_LABELS);
}

Test(metrics, label_too_many_is_a_bug, .signal = SIGABRT)
{
    metrics_begin(&page, false);
    metrics_put_int(&page, METRIC_items_total, 1, METRICS_LABELS("x"));
}

Test(metrics, number_for_a_histogram_is_a_bug, .signal = SIGABRT)
{
    metrics_begin(&page, false);
    metrics_put_int(&page, METRIC_restore_seconds, 1, METRICS_NO_LABELS);
}

Test(metrics, histogram_for_a_counter_is_a_bug, .signal = SIGABRT)
{
    struct hist hist = {0};
    metrics_begin(&page, false);
    metrics_put_hist(&page, METRIC_items_total, &hist, METRICS_NO_LABELS);
}

Test(metrics, page_without_samples_is_empty)
{
    metrics_begin(&page, false);
    cr_assert_str_eq(finish(), "");
}

Test(metrics, openmetrics_page_without_samples_is_its_end)
{
    metrics_begin(&page, true);
    cr_assert_str_eq(finish(), "# EOF\n");
}

Test(metrics, hostile_label_values_are_escaped)
{
    metrics_begin(&page, false);
    metrics_put_int(&page, METRIC_partitions_halted, 1, METRICS_LABELS("a\"b\\c\nd"));

    check_page(finish(), false);

    cr_assert(has("dryport_partitions_halted{reason=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

Test(metrics, numbers_that_are_none_have_their_names)
{
    metrics_begin(&page, false);
    metrics_put(&page, METRIC_publish_age_seconds, (double)NAN, METRICS_NO_LABELS);
    metrics_put(&page, METRIC_event_lag_seconds, (double)INFINITY, METRICS_LABELS("0"));
    metrics_put(&page, METRIC_event_lag_seconds, -(double)INFINITY, METRICS_LABELS("1"));

    check_page(finish(), false);

    cr_assert(has("dryport_publish_age_seconds NaN\n"));
    cr_assert(has("{partition=\"0\"} +Inf\n"));
    cr_assert(has("{partition=\"1\"} -Inf\n"));
}

/* ---- format ---- */

Test(metrics, samples_of_a_family_stand_together_whatever_the_order)
{
    metrics_begin(&page, false);
    metrics_put_int(&page, METRIC_declarations_total, 5, METRICS_LABELS("counted"));
    metrics_put_int(&page, METRIC_items_total, 9, METRICS_NO_LABELS);
    metrics_put_int(&page, METRIC_declarations_total, 2, METRICS_LABELS("rejected"));

    check_page(finish(), false);

    cr_assert(has("# TYPE dryport_declarations_total counter\n"
                  "dryport_declarations_total{verdict=\"counted\"} 5\n"
                  "dryport_declarations_total{verdict=\"rejected\"} 2\n"
                  "# HELP dryport_items_total "));
}

Test(metrics, openmetrics_counter_family_has_no_total)
{
    metrics_begin(&page, true);
    metrics_put_int(&page, METRIC_input_bytes_total, 7, METRICS_NO_LABELS);

    check_page(finish(), true);

    cr_assert(has(
        "# TYPE dryport_input_bytes counter\n# UNIT dryport_input_bytes bytes\ndryport_input_bytes_total 7\n# EOF\n"));
}

Test(metrics, large_integers_are_exact)
{
    metrics_begin(&page, false);
    metrics_put_int(&page, METRIC_ledger_bytes, INT64_MAX, METRICS_NO_LABELS);
    finish();
    cr_assert(has("dryport_ledger_bytes 9223372036854775807\n"));
}

Test(metrics, doubles_read_back_equal)
{
    metrics_begin(&page, false);
    metrics_put(&page, METRIC_restore_progress_ratio, 0.1, METRICS_LABELS("0"));
    metrics_put(&page, METRIC_restore_progress_ratio, 1.0 / 3, METRICS_LABELS("1"));
    finish();
    cr_assert(has("{partition=\"0\"} 0.1\n"));
    cr_assert(has("{partition=\"1\"} 0.3333333333333333\n"));
}

Test(metrics, histogram_is_cumulative_and_its_count_is_the_last_bucket)
{
    struct hist hist = {0};
    hist_record(&hist, 0.0004);
    hist_record(&hist, 0.0006);
    hist_record(&hist, 1000);
    metrics_begin(&page, true);
    metrics_put_hist(&page, METRIC_stage_duration_seconds, &hist, METRICS_LABELS("decode"));

    check_page(finish(), true);

    cr_assert(has("_bucket{stage=\"decode\",le=\"0.0005\"} 1\n"));
    cr_assert(has("_bucket{stage=\"decode\",le=\"0.001\"} 2\n"));
    cr_assert(has("_bucket{stage=\"decode\",le=\"131.072\"} 2\n"));
    cr_assert(has("_bucket{stage=\"decode\",le=\"+Inf\"} 3\n"));
    cr_assert(has("dryport_stage_duration_seconds_count{stage=\"decode\"} 3\n"));
    cr_assert(has("dryport_stage_duration_seconds_sum{stage=\"decode\"} 1000.001\n"));
}

Test(metrics, histogram_without_labels_has_a_bound_only)
{
    struct hist hist = {0};
    metrics_begin(&page, false);
    metrics_put_hist(&page, METRIC_journal_ack_seconds, &hist, METRICS_NO_LABELS);

    check_page(finish(), false);

    cr_assert(has("dryport_journal_ack_seconds_bucket{le=\"0.0005\"} 0\n"));
    cr_assert(has("dryport_journal_ack_seconds_count 0\n"));
}

static double value_of(const char *name)
{
    const char *at = strstr((const char *)out.data, name);
    cr_assert_not_null(at, "%s", name);
    return strtod(at + strlen(name), NULL);
}

Test(metrics, process_tells_what_the_system_knows)
{
    metrics_begin(&page, false);
    metrics_put_process(&page);

    check_page(finish(), false);

    cr_assert(has("\ndryport_build_info{version=\"" DRYPORT_VERSION "\",compiler=\""));
    cr_assert_gt(value_of("\nprocess_cpu_seconds_total "), 0);
    cr_assert_gt(value_of("\nprocess_resident_memory_bytes "), 100000);
    cr_assert_gt(value_of("\nprocess_start_time_seconds "), 1.5e9);
    cr_assert_gt(value_of("\nprocess_open_fds "), 2);
    cr_assert_gt(value_of("\nprocess_max_fds "), 3);
    cr_assert_gt(value_of("\ndryport_memory_limit_bytes "), 1e6);
}

Test(metrics, info_is_a_gauge_in_the_older_format)
{
    metrics_begin(&page, false);
    metrics_put_int(&page, METRIC_build_info, 1, METRICS_LABELS("1", "cc"));
    finish();
    cr_assert(has("# TYPE dryport_build_info gauge\n"));
}

Test(metrics, info_family_has_no_ending_in_openmetrics)
{
    metrics_begin(&page, true);
    metrics_put_int(&page, METRIC_build_info, 1, METRICS_LABELS("1", "cc"));
    check_page(finish(), true);
    cr_assert(has("# TYPE dryport_build info\ndryport_build_info{version=\"1\",compiler=\"cc\"} 1\n"));
}

struct shape {
    const char *name;
    const char *type;
    const char *unit;
    const char *help;
};

static const struct shape shapes[] = {
#define METRIC(name, full_name, type, unit, labels, help) {full_name, #type, unit, help},
#include "ops/metrics.def"
};

static bool ends(const char *text, const char *part)
{
    return strlen(text) >= strlen(part) && strcmp(text + strlen(text) - strlen(part), part) == 0;
}

Test(metrics, every_row_obeys_the_naming_rules)
{
    for (int i = 0; i < METRICS; i++) {
        const struct shape *shape = &shapes[i];
        char ending[64];
        bool is_counter = strcmp(shape->type, "COUNTER") == 0;
        cr_assert_eq(ends(shape->name, "_total"), is_counter, "%s", shape->name);
        cr_assert_eq(ends(shape->name, "_info"), strcmp(shape->type, "INFO") == 0, "%s", shape->name);
        snprintf(ending, sizeof ending, "_%s%s", shape->unit, is_counter ? "_total" : "");
        cr_assert(*shape->unit == '\0' || ends(shape->name, ending), "%s has the unit %s", shape->name, shape->unit);
        cr_assert_null(strpbrk(shape->help, "\\\n\"|"), "%s", shape->help);
    }
}

/* ---- content type ---- */

Test(metrics, other_types_do_not_ask_for_openmetrics)
{
    cr_assert_not(metrics_wants_openmetrics(""));
    cr_assert_not(metrics_wants_openmetrics("*/*"));
    cr_assert_not(metrics_wants_openmetrics("text/plain;version=0.0.4"));
    cr_assert_not(metrics_wants_openmetrics("text/plain, application/openmetrics-textual"));
    cr_assert_not(metrics_wants_openmetrics("application/openmetrics-text;version=1.0.0;q=0, text/plain"));
}

Test(metrics, prometheus_asks_for_openmetrics)
{
    cr_assert(metrics_wants_openmetrics(
        "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"));
    cr_assert(metrics_wants_openmetrics("text/plain , application/openmetrics-text ; version=1.0.0"));
    cr_assert_str_eq(metrics_content_type(true), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    cr_assert_str_eq(metrics_content_type(false), "text/plain; version=0.0.4; charset=utf-8");
}

Test(metrics, document_has_every_metric)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    metrics_print_document(stream);
    fclose(stream);
    for (int i = 0; i < METRICS; i++)
        cr_assert_not_null(strstr(text, shapes[i].name));
    free(text);
}
