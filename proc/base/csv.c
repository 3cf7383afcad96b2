/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>

enum { READ_BYTES = 64 * 1024 };

/* A row is unescaped in place: `put` never overtakes `at`, so texts are slices of the buffer. */
struct csv {
    const char *name;
    char *own_name;
    FILE *file; /* of csv_open */
    struct csv_source source;
    char *data;
    size_t capacity;
    size_t begin; /* of the row */
    size_t at;    /* next byte to look at */
    size_t end;   /* of what was read */
    bool at_end;
    bool failed;
    uint64_t line;     /* of byte `at` */
    uint64_t row_line; /* of the row's first byte */
    uint32_t columns;  /* of the header, 0 = any */
    struct text fields[CSV_FIELDS_MOST];
    size_t starts[CSV_FIELDS_MOST]; /* relative to begin: the buffer may move while a row is read */
    uint32_t count;
};

static enum err read_file(void *self, void *out, size_t bytes, size_t *out_bytes, struct err_info *info)
{
    FILE *file = self;
    *out_bytes = fread(out, 1, bytes, file);
    if (*out_bytes == 0 && ferror(file))
        return err_set(info, ERR_DATA, "%s", strerror(errno));
    return OK;
}

struct csv *csv_new(const char *name, struct csv_source source)
{
    struct csv *csv = memory_new(1, sizeof *csv);
    csv->name = name;
    csv->source = source;
    csv->capacity = 2 * READ_BYTES;
    csv->data = memory_resize(NULL, csv->capacity, 1);
    csv->line = 1;
    csv->row_line = 1;
    return csv;
}

enum err csv_open(const char *path, struct csv **out, struct err_info *info)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return err_set(info, ERR_CONFIG, "%s: %s", path, strerror(errno));
    char *name = memory_copy_text(path, strlen(path));
    *out = csv_new(name, (struct csv_source){read_file, file});
    (*out)->own_name = name;
    (*out)->file = file;
    return OK;
}

void csv_free(struct csv *csv)
{
    if (!csv)
        return;
    if (csv->file)
        fclose(csv->file);
    memory_free(csv->own_name);
    memory_free(csv->data);
    memory_free(csv);
}

enum err csv_error(const struct csv *csv, const char *column, struct err_info *info, const char *format, ...)
{
    char what[ERR_TEXT_BYTES / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (column)
        return err_set(info, ERR_DATA, "%s:%llu: column \"%s\": %s", csv->name, (unsigned long long)csv->row_line,
                       column, what);
    return err_set(info, ERR_DATA, "%s:%llu: %s", csv->name, (unsigned long long)csv->row_line, what);
}

/* Reads more behind `end`; the unfinished row moves to the front, so that one row is all that the buffer must hold. */
static enum err fill(struct csv *csv, size_t *put, struct err_info *info)
{
    if (csv->begin > 0) {
        memmove(csv->data, csv->data + csv->begin, csv->end - csv->begin);
        csv->at -= csv->begin;
        csv->end -= csv->begin;
        *put -= csv->begin;
        csv->begin = 0;
    }
    if (csv->end > CSV_ROW_BYTES)
        return csv_error(csv, NULL, info, "this row is longer than %d bytes; is a quote left open?",
                         (int)CSV_ROW_BYTES);
    if (csv->capacity - csv->end < READ_BYTES) {
        csv->capacity *= 2;
        csv->data = memory_resize(csv->data, csv->capacity, 1);
    }
    size_t bytes = 0;
    enum err err = csv->source.read(csv->source.self, csv->data + csv->end, csv->capacity - csv->end, &bytes, info);
    if (err != OK)
        return err_prefix(info, err, "%s", csv->name);
    if (memchr(csv->data + csv->end, 0, bytes))
        return csv_error(csv, NULL, info, "a NUL byte in or after this row: not a text file");
    csv->at_end = bytes == 0;
    csv->end += bytes;
    return OK;
}

enum look { LOOK_FIELD_START, LOOK_PLAIN, LOOK_QUOTED, LOOK_AFTER_QUOTE };

/* Where the reading of a row stands. */
struct cursor {
    size_t put;   /* where the next byte of a field goes */
    size_t start; /* of the field, from begin */
    enum look look;
    bool quoted_any;
    bool is_done;
};

static enum err end_field(struct csv *csv, struct cursor *cursor, struct err_info *info)
{
    if (csv->count == CSV_FIELDS_MOST)
        return csv_error(csv, NULL, info, "more than %d fields", (int)CSV_FIELDS_MOST);
    csv->starts[csv->count] = cursor->start;
    csv->fields[csv->count++].length = (uint32_t)(cursor->put - csv->begin - cursor->start);
    cursor->start = cursor->put - csv->begin;
    cursor->look = LOOK_FIELD_START;
    return OK;
}

static enum err take_quote(struct csv *csv, struct cursor *cursor, struct err_info *info)
{
    if (cursor->look == LOOK_PLAIN)
        return csv_error(csv, NULL, info, "field %u: a quote inside a field that does not begin with one",
                         csv->count + 1);
    if (cursor->look == LOOK_AFTER_QUOTE)
        csv->data[cursor->put++] = '"';
    cursor->look = LOOK_QUOTED;
    cursor->quoted_any = true;
    return OK;
}

/* A carriage return is allowed as part of CRLF only; at the end of the input it ends the line too. */
static enum err take_return(struct csv *csv, struct cursor *cursor, struct err_info *info)
{
    if (csv->at == csv->end && !csv->at_end)
        TRY(fill(csv, &cursor->put, info));
    if (csv->at == csv->end || csv->data[csv->at] == '\n')
        return OK;
    return csv_error(csv, NULL, info, "field %u: a carriage return that ends no line", csv->count + 1);
}

static void take_quoted(struct csv *csv, struct cursor *cursor, char c)
{
    if (c == '"') {
        cursor->look = LOOK_AFTER_QUOTE;
        return;
    }
    csv->line += c == '\n';
    csv->data[cursor->put++] = c;
}

static enum err take_byte(struct csv *csv, struct cursor *cursor, char c, struct err_info *info)
{
    if (cursor->look == LOOK_QUOTED) {
        take_quoted(csv, cursor, c);
        return OK;
    }
    switch (c) {
    case '"':
        return take_quote(csv, cursor, info);
    case ',':
        return end_field(csv, cursor, info);
    case '\r':
        return take_return(csv, cursor, info);
    case '\n':
        csv->line++;
        cursor->is_done = true;
        return OK;
    default:
        if (cursor->look == LOOK_AFTER_QUOTE)
            return csv_error(csv, NULL, info, "field %u: text after the closing quote", csv->count + 1);
        csv->data[cursor->put++] = c;
        cursor->look = LOOK_PLAIN;
        return OK;
    }
}

/* Reads one row into fields. *out_empty: a line with nothing on it. */
static enum err read_row(struct csv *csv, bool *out_empty, bool *out_more, struct err_info *info)
{
    csv->begin = csv->at;
    csv->row_line = csv->line;
    csv->count = 0;
    *out_empty = false;
    struct cursor cursor = {.put = csv->at};
    while (!cursor.is_done) {
        if (csv->at == csv->end && !csv->at_end)
            TRY(fill(csv, &cursor.put, info));
        if (csv->at == csv->end)
            break;
        TRY(take_byte(csv, &cursor, csv->data[csv->at++], info));
    }
    if (cursor.look == LOOK_QUOTED)
        return csv_error(csv, NULL, info, "a quote is opened in this row and never closed");
    bool nothing = csv->count == 0 && cursor.look == LOOK_FIELD_START;
    *out_more = cursor.is_done || !nothing;
    if (!*out_more)
        return OK;
    *out_empty = nothing && !cursor.quoted_any;
    TRY(end_field(csv, &cursor, info));
    for (uint32_t i = 0; i < csv->count; i++)
        csv->fields[i].data = csv->data + csv->begin + csv->starts[i];
    return OK;
}

static enum err skip_mark(struct csv *csv, struct err_info *info)
{
    size_t put = 0;
    while (csv->end < 3 && !csv->at_end)
        TRY(fill(csv, &put, info));
    if (csv->end >= 3 && memcmp(csv->data, "\xEF\xBB\xBF", 3) == 0)
        csv->at = 3;
    return OK;
}

enum err csv_next(struct csv *csv, struct csv_row *out_row, struct err_info *info)
{
    if (csv->failed)
        return csv_error(csv, NULL, info, "reading ended at the error before");
    enum err err = csv->end == 0 && !csv->at_end ? skip_mark(csv, info) : OK;
    bool empty = true;
    bool more = true;
    while (err == OK && more && empty)
        err = read_row(csv, &empty, &more, info);
    if (err == OK && more && csv->columns && csv->count != csv->columns)
        err = csv_error(csv, NULL, info, "%u fields, but the header has %u", csv->count, csv->columns);
    if (err != OK) {
        csv->failed = true;
        return err;
    }
    *out_row = (struct csv_row){csv->fields, more ? csv->count : 0, csv->row_line};
    return OK;
}

enum err csv_header(struct csv *csv, struct csv_row *out_row, struct err_info *info)
{
    struct csv_row row;
    TRY(csv_next(csv, &row, info));
    if (row.count == 0)
        return csv_error(csv, NULL, info, "the file is empty; its first line must name the columns");
    for (uint32_t i = 0; i < row.count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (text_equal(row.fields[i], row.fields[k]))
                return csv_error(csv, NULL, info, "the header names column \"%.*s\" twice", TEXT_ARGS(row.fields[i]));
        }
    }
    csv->columns = row.count;
    *out_row = row;
    return OK;
}

enum err csv_columns(struct csv *csv, const char *const *names, uint32_t *out_index, size_t count, size_t optional,
                     struct err_info *info)
{
    struct csv_row header;
    TRY(csv_header(csv, &header, info));
    for (size_t i = 0; i < count; i++) {
        uint32_t k = 0;
        while (k < header.count && !text_is(header.fields[k], names[i]))
            k++;
        if (k == header.count && i + optional < count)
            return csv_error(csv, NULL, info, "the header lacks column \"%s\"", names[i]);
        out_index[i] = k < header.count ? k : CSV_NO_COLUMN;
    }
    return OK;
}
