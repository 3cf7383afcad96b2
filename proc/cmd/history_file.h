/* SPDX-License-Identifier: Apache-2.0
 * history_file.h - rows of a CSV file -> records of history, each judged alone and against the rows before it.
 *
 * In:      a file with a header, plain or zstd, or - for standard input; columns as docs/REPORT.md says: those of `report --format csv`
 *          and of customs.v1.Statistic
 * Out:     key "#history|..." and value of each row, in the order of the file
 * Errors:  ERR_DATA, ERR_CONFIG with FILE:LINE, the column and the mend; a wrong row is told to the function and the next one is read
 * Memory:  a key and a value a row, about 300 bytes
 * Thread:  main
 */
#pragma once

#include "flow/view.h"
#include "ops/config.h"
#include "trade/reference.h"
#include "trade/zone.h"

struct history_row {
    char *key; /* of the topic, zero-terminated */
    uint8_t *value;
    size_t value_bytes; /* 0: the row takes its cell back */
    uint64_t line;
    int32_t month; /* calendar_month_of_day */
};

struct history_file {
    struct history_row *rows;
    size_t count;
    size_t capacity;
    uint64_t wrong; /* rows that were told */
};

struct history_options {
    const struct config *config;
    const struct view_plan *plan;
    const struct reference *reference;
    const struct zone *zone;
    int64_t now_ms; /* a month that is not closed by then is no history */
    void (*tell)(void *context, const char *text);
    void (*progress)(void *context, uint64_t done, uint64_t total, uint64_t rows);
    void *context;
};

/* history_file_fini in either case. */
enum err history_file_read(const char *path, const struct history_options *options, struct history_file *out,
                           struct err_info *info) MUST_USE;
void history_file_fini(struct history_file *file);
