/* SPDX-License-Identifier: Apache-2.0
 * csv.h - strict reader of comma separated values (RFC 4180) that names file, line and column of what is wrong.
 *
 * In:      bytes from a read function: a file, a decompressor, memory      Out: one row of texts at a time
 * Accepts: quoted fields with "" for a quote and line ends inside; LF or CRLF; a UTF-8 byte order mark; a last line without its end
 * Refuses: a quote inside an unquoted field, text after a closing quote, a quote that never closes, NUL bytes; if csv_columns or csv_header was
 *          called also a row with another number of fields than the header
 * Limits:  CSV_FIELDS_MOST fields and CSV_ROW_BYTES bytes a row
 * Memory:  owns its buffer; a row's texts are good until the next csv_next
 * Errors:  ERR_DATA, with NAME:LINE in the text; whatever the read function gives
 * Thread:  one owner
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum {
    CSV_FIELDS_MOST = 1024,
    CSV_ROW_BYTES = 4 * 1024 * 1024,
};
#define CSV_NO_COLUMN UINT32_MAX

/* Puts up to `bytes` bytes into out; *out_bytes 0 = the end. */
struct csv_source {
    enum err (*read)(void *self, void *out, size_t bytes, size_t *out_bytes, struct err_info *info);
    void *self;
};

struct csv_row {
    const struct text *fields;
    uint32_t count;
    uint64_t line; /* on which the row begins, from 1 */
};

struct csv;

/* `name` stands in errors; it is borrowed until csv_free. */
struct csv *csv_new(const char *name, struct csv_source source);

/* Reads a file of the system. ERR_CONFIG if it can't be opened. Gives *out; closes the file in csv_free. */
enum err csv_open(const char *path, struct csv **out, struct err_info *info) MUST_USE;

/* Takes NULL. */
void csv_free(struct csv *csv);

/* The next row that is not an empty line; *out_row.count == 0 at the end. */
enum err csv_next(struct csv *csv, struct csv_row *out_row, struct err_info *info) MUST_USE;

/* Reads the first row as the header: finds `count` named columns and writes their indexes; the last `optional` of them may
 * be lacking: CSV_NO_COLUMN. Columns beside them are allowed. From then on every row must have as many fields as the
 * header. */
enum err csv_columns(struct csv *csv, const char *const *names, uint32_t *out_index, size_t count, size_t optional,
                     struct err_info *info) MUST_USE;

/* As csv_columns, for a caller that looks the header up by itself; the row's texts are good until the next csv_next. */
enum err csv_header(struct csv *csv, struct csv_row *out_row, struct err_info *info) MUST_USE;

/* Writes "NAME:LINE: column "COLUMN": format" for the row last read, and returns ERR_DATA. `column` may be NULL. */
enum err csv_error(const struct csv *csv, const char *column, struct err_info *info, const char *format, ...)
    PRINTF_LIKE(4, 5);
