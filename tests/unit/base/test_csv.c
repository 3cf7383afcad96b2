/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

struct memory {
    struct text text;
    size_t step; /* bytes per read, so that every place is once the end of a read */
};

static enum err read_memory(void *self, void *out, size_t bytes, size_t *out_bytes, struct err_info *info)
{
    struct memory *memory = self;
    (void)info;
    size_t count = memory->step < bytes ? memory->step : bytes;
    count = count < memory->text.length ? count : memory->text.length;
    memcpy(out, memory->text.data, count);
    memory->text.data += count;
    memory->text.length -= (uint32_t)count;
    *out_bytes = count;
    return OK;
}

/* All rows as text: fields in <>, rows ended by ;. An error is its text. */
static const char *read_all(const char *text, size_t length, size_t step)
{
    static char out[4096];
    struct memory memory = {{text, (uint32_t)length}, step};
    struct csv *csv = csv_new("f.csv", (struct csv_source){read_memory, &memory});
    struct csv_row row;
    struct err_info info;
    size_t at = 0;
    out[0] = 0;
    enum err err;
    while ((err = csv_next(csv, &row, &info)) == OK && row.count > 0) {
        for (uint32_t i = 0; i < row.count; i++)
            at += (size_t)snprintf(out + at, sizeof out - at, "<%.*s>", TEXT_ARGS(row.fields[i]));
        at += (size_t)snprintf(out + at, sizeof out - at, ";");
    }
    if (err != OK) {
        cr_assert_eq(err, ERR_DATA);
        snprintf(out, sizeof out, "%s", info.text);
    }
    csv_free(csv);
    return out;
}

static void expect(const char *text, const char *wanted)
{
    for (size_t step = 1; step < 12; step++) {
        const char *got = read_all(text, strlen(text), step);
        cr_assert_str_eq(got, wanted, "%s, read by %zu: %s", text, step, got);
    }
}

Test(csv, open_quote_is_an_error_with_the_line_where_the_row_begins)
{
    expect("a,b\n1,\"2\n3\n", "f.csv:2: a quote is opened in this row and never closed");
}

Test(csv, quote_in_a_plain_field_is_an_error)
{
    expect("a,b\"c\n", "f.csv:1: field 2: a quote inside a field that does not begin with one");
}

Test(csv, text_after_a_closing_quote_is_an_error)
{
    expect("\"a\"b,c\n", "f.csv:1: field 1: text after the closing quote");
}

Test(csv, lone_carriage_return_is_an_error)
{
    expect("a\rb\n", "f.csv:1: field 1: a carriage return that ends no line");
}

Test(csv, nul_byte_is_an_error)
{
    cr_assert_str_eq(read_all("a,b\n\0", 5, 64), "f.csv:1: a NUL byte in or after this row: not a text file");
}

Test(csv, empty_file_has_no_rows)
{
    expect("", "");
    expect("\n\r\n\n", "");
}

Test(csv, row_of_another_length_than_the_header_is_an_error)
{
    struct memory memory = {TEXT("a,b\n1,2\n\n1,2,3\n"), 64};
    struct csv *csv = csv_new("f.csv", (struct csv_source){read_memory, &memory});
    struct csv_row row;
    struct err_info info;
    cr_assert_eq(csv_header(csv, &row, &info), OK);
    cr_assert_eq(csv_next(csv, &row, &info), OK);
    cr_assert_eq(csv_next(csv, &row, &info), ERR_DATA);
    cr_assert_str_eq(info.text, "f.csv:4: 3 fields, but the header has 2");
    cr_assert_eq(csv_next(csv, &row, &info), ERR_DATA, "an error is final");
    csv_free(csv);
}

Test(csv, missing_and_repeated_columns_are_errors)
{
    static const char *const names[] = {"b", "c"};
    uint32_t index[2];
    struct err_info info;
    struct memory memory = {TEXT("a,b\n"), 64};
    struct csv *csv = csv_new("f.csv", (struct csv_source){read_memory, &memory});
    cr_assert_eq(csv_columns(csv, names, index, 2, 0, &info), ERR_DATA);
    cr_assert_str_eq(info.text, "f.csv:1: the header lacks column \"c\"");
    csv_free(csv);
    memory = (struct memory){TEXT("a,b,a\n"), 64};
    csv = csv_new("f.csv", (struct csv_source){read_memory, &memory});
    cr_assert_eq(csv_columns(csv, names, index, 1, 0, &info), ERR_DATA);
    cr_assert_str_eq(info.text, "f.csv:1: the header names column \"a\" twice");
    csv_free(csv);
}

Test(csv, an_optional_column_may_be_lacking)
{
    static const char *const names[] = {"b", "c", "a"};
    uint32_t index[3];
    struct err_info info;
    struct memory memory = {TEXT("a,b\n"), 64};
    struct csv *csv = csv_new("f.csv", (struct csv_source){read_memory, &memory});
    cr_assert_eq(csv_columns(csv, names, index, 3, 2, &info), OK);
    cr_expect_eq(index[0], 1);
    cr_expect_eq(index[1], CSV_NO_COLUMN);
    cr_expect_eq(index[2], 0);
    csv_free(csv);
    memory = (struct memory){TEXT("a,b\n"), 64};
    csv = csv_new("f.csv", (struct csv_source){read_memory, &memory});
    cr_expect_eq(csv_columns(csv, names, index, 3, 1, &info), ERR_DATA);
    cr_expect_str_eq(info.text, "f.csv:1: the header lacks column \"c\"");
    csv_free(csv);
}

Test(csv, too_many_fields_is_an_error)
{
    static char text[2 * CSV_FIELDS_MOST + 2];
    memset(text, ',', sizeof text - 1);
    cr_assert_str_eq(read_all(text, strlen(text), 4096), "f.csv:1: more than 1024 fields");
}

Test(csv, file_that_is_not_there_is_a_config_error)
{
    struct csv *csv;
    struct err_info info;
    cr_assert_eq(csv_open("/nonexistent/f.csv", &csv, &info), ERR_CONFIG);
    cr_assert(strstr(info.text, "/nonexistent/f.csv"));
}

Test(csv, plain_rows)
{
    expect("a,b\n1,2\n", "<a><b>;<1><2>;");
    expect("a,,\n,,\n", "<a><><>;<><><>;");
    expect("a,b", "<a><b>;");
    expect("a,b\r\n1,2\r\n", "<a><b>;<1><2>;");
    expect("\xEF\xBB\xBF"
           "a,b\n",
           "<a><b>;");
}

Test(csv, quoted_fields)
{
    expect("\"a,b\",\"say \"\"hi\"\"\"\n", "<a,b><say \"hi\">;");
    expect("\"two\nlines\",x\n\"\"\n", "<two\nlines><x>;<>;");
    expect("\"\",\"\"\r\n", "<><>;");
}

Test(csv, line_numbers_count_line_ends_inside_quotes)
{
    struct memory memory = {TEXT("\"a\nb\"\n\nc\n"), 3};
    struct csv *csv = csv_new("f.csv", (struct csv_source){read_memory, &memory});
    struct csv_row row;
    struct err_info info;
    cr_assert_eq(csv_next(csv, &row, &info), OK);
    cr_assert_eq(row.line, 1);
    cr_assert_eq(csv_next(csv, &row, &info), OK);
    cr_assert_eq(row.line, 4);
    csv_error(csv, "k", &info, "%d is wrong", 7);
    cr_assert_str_eq(info.text, "f.csv:4: column \"k\": 7 is wrong");
    csv_free(csv);
}

Test(csv, rows_larger_than_a_read_are_whole)
{
    size_t bytes = 300000;
    char *text = malloc(bytes + 3);
    memset(text, 'x', bytes);
    memcpy(text + bytes, ",y", 3);
    struct memory memory = {{text, (uint32_t)bytes + 2}, 65536};
    struct csv *csv = csv_new("f.csv", (struct csv_source){read_memory, &memory});
    struct csv_row row;
    struct err_info info;
    cr_assert_eq(csv_next(csv, &row, &info), OK);
    cr_assert_eq(row.count, 2);
    cr_assert_eq(row.fields[0].length, bytes);
    cr_assert(text_is(row.fields[1], "y"));
    csv_free(csv);
    free(text);
}
