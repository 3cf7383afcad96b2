/* SPDX-License-Identifier: Apache-2.0
 * fuzz_map.c - a map and the CSV file that it reads: any text of both.
 *
 * Input:   the map, a line of `===`, the CSV
 * Checks:  a refusal says where; a row gives the same declaration each time, and one whose bytes decode to the same; a CSV that was
 *          written again from its rows is read as the same rows
 */
#include "fuzz.h"

#include "cmd/mapping.h"
#include "flow/wire.h"

#include <stdlib.h>

enum { ROWS_MOST = 64 };

static int decimals(const void *self, struct text currency)
{
    (void)self;
    return text_is(currency, "KRW") ? 0 : text_is(currency, "CNY") || text_is(currency, "USD") ? 2 : -1;
}

static enum err read_bytes(void *self, void *out, size_t bytes, size_t *out_bytes, struct err_info *info)
{
    struct bytes *rest = self;
    (void)info;
    *out_bytes = rest->length < bytes ? rest->length : bytes;
    if (*out_bytes > 7)
        *out_bytes = 7; /* little by little: what is read ends anywhere */
    if (*out_bytes)
        memcpy(out, rest->data, *out_bytes);
    rest->data += *out_bytes;
    rest->length -= *out_bytes;
    return OK;
}

static void write_row(struct buffer *out, const struct csv_row *row)
{
    for (uint32_t i = 0; i < row->count; i++) {
        if (i)
            buffer_add_u8(out, ',');
        buffer_add_u8(out, '"');
        for (uint32_t k = 0; k < row->fields[i].length; k++) {
            if (row->fields[i].data[k] == '"')
                buffer_add_u8(out, '"');
            buffer_add_u8(out, (uint8_t)row->fields[i].data[k]);
        }
        buffer_add_u8(out, '"');
    }
    buffer_add_text(out, "\r\n");
}

/* All rows, each quoted. False: it ended at an error. */
static bool rewrite(struct bytes bytes, struct buffer *out)
{
    struct csv *csv = csv_new("f.csv", (struct csv_source){read_bytes, &bytes});
    struct err_info info = {""};
    struct csv_row row;
    bool good;
    buffer_clear(out);
    while ((good = csv_next(csv, &row, &info) == OK) && row.count > 0)
        write_row(out, &row);
    CHECK(good || strncmp(info.text, "f.csv:", 6) == 0);
    csv_free(csv);
    return good;
}

static void check_csv(struct bytes bytes)
{
    static struct buffer once, twice;
    if (!rewrite(bytes, &once))
        return;
    CHECK(rewrite(buffer_bytes(&once), &twice));
    CHECK(once.length == twice.length && (once.length == 0 || memcmp(once.data, twice.data, once.length) == 0));
}

static void check_row(const struct mapping *mapping, const struct csv_row *row)
{
    static struct arena arena;
    static struct buffer first, second;
    struct declaration declaration, again;
    struct err_info info = {""};
    bool canonical;
    if (!arena.limit_bytes)
        arena_init(&arena, (size_t)16 << 20);
    arena_reset(&arena);
    enum err err = mapping_apply(mapping, row, &arena, &declaration, &info);
    CHECK(err == OK || info.text[0]);
    if (err != OK)
        return;
    buffer_clear(&first);
    buffer_clear(&second);
    wire_encode(&declaration, &first);
    CHECK(wire_decode(buffer_bytes(&first), &arena, &again, &canonical) == WIRE_OK && canonical);
    CHECK(mapping_apply(mapping, row, &arena, &declaration, &info) == OK);
    wire_encode(&declaration, &second);
    CHECK(first.length == second.length && (first.length == 0 || memcmp(first.data, second.data, first.length) == 0));
}

static void check_mapping(struct mapping *mapping, struct bytes bytes)
{
    struct csv *csv = csv_new("f.csv", (struct csv_source){read_bytes, &bytes});
    struct err_info info = {""};
    struct csv_row row;
    if (csv_header(csv, &row, &info) == OK && mapping_bind(mapping, &row, "f.csv", &info) == OK) {
        for (int i = 0; i < ROWS_MOST && csv_next(csv, &row, &info) == OK && row.count > 0; i++)
            check_row(mapping, &row);
    } else {
        CHECK(info.text[0]);
    }
    csv_free(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mapping_currencies currencies = {decimals, NULL};
    static const char divider[] = "\n===\n";
    struct text map = {(const char *)data, (uint32_t)size};
    struct bytes csv = {data + size, 0};
    for (size_t i = 0; i + sizeof divider - 1 <= size; i++) {
        if (memcmp(data + i, divider, sizeof divider - 1) == 0) {
            map.length = (uint32_t)i + 1;
            csv = (struct bytes){data + i + sizeof divider - 1, size - i - (sizeof divider - 1)};
            break;
        }
    }
    wire_init();
    check_csv(csv);
    struct mapping *mapping = NULL;
    struct err_info info = {""};
    enum err err = mapping_parse("m.map", map, currencies, &mapping, &info);
    CHECK(err == OK || strncmp(info.text, "m.map", 5) == 0);
    if (err == OK)
        check_mapping(mapping, csv);
    mapping_free(mapping);
    return 0;
}
