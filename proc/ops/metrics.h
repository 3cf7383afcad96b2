/* SPDX-License-Identifier: Apache-2.0
 * metrics.h - one page of metrics in the text format of Prometheus (0.0.4) or OpenMetrics (1.0).
 *
 *     struct metrics_page page;
 *     metrics_begin(&page, metrics_wants_openmetrics(request->accept));
 *     metrics_put_int(&page, METRIC_items_total, n, METRICS_NO_LABELS);
 *     metrics_put_int(&page, METRIC_declarations_total, n, METRICS_LABELS("counted"));
 *     metrics_put_hist(&page, METRIC_journal_ack_seconds, &hist, METRICS_NO_LABELS);
 *     metrics_put_process(&page);
 *     metrics_end(&page, &response->body);
 *
 * In:      values that their owners keep in base/counter.h and base/hist.h
 * Out:     families in the order of metrics.def, each with HELP and TYPE once; one without a sample is not printed
 * Units:   base units: seconds, bytes
 * Memory:  the page owns a buffer per family until metrics_end
 * Thread:  any, one owner at a time
 * Source:  Prometheus exposition formats; OpenMetrics 1.0 (RFC draft-richih-opsawg-openmetrics)
 */
#pragma once

#include "base/buffer.h"
#include "base/hist.h"

#include <stdio.h>

enum metric {
#define METRIC(name, full_name, type, unit, labels, help) METRIC_##name,
#include "ops/metrics.def"
    METRICS,
};

struct metrics_page {
    bool openmetrics;
    struct buffer family[METRICS];
};

/* Values of the metric's labels in the order of metrics.def; as many as it has (CHECKed). */
#define METRICS_LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define METRICS_NO_LABELS ((const char *const[]){NULL})

enum { METRICS_INT_BYTES = 24 };

/* A number as a label value; returns out. */
const char *metrics_label_int(char out[METRICS_INT_BYTES], int64_t value);

void metrics_begin(struct metrics_page *page, bool openmetrics);

/* Adds a sample. The caller adds each combination of labels once. */
void metrics_put(struct metrics_page *page, enum metric metric, double value, const char *const *labels);
void metrics_put_int(struct metrics_page *page, enum metric metric, int64_t value, const char *const *labels);
void metrics_put_hist(struct metrics_page *page, enum metric metric, const struct hist *hist,
                      const char *const *labels);
/* Of a histogram that holds milliseconds where others hold seconds, for durations below them. */
void metrics_put_fine_hist(struct metrics_page *page, enum metric metric, const struct hist *hist,
                           const char *const *labels);

/* dryport_build_info, dryport_memory_limit_bytes and process_*. */
void metrics_put_process(struct metrics_page *page);

/* Writes the page behind what is in out, and frees the families. */
void metrics_end(struct metrics_page *page, struct buffer *out);

/* Does an Accept header ask for OpenMetrics? */
bool metrics_wants_openmetrics(const char *accept);
const char *metrics_content_type(bool openmetrics);

/* The table as Markdown. */
void metrics_print_document(FILE *out);
