/* SPDX-License-Identifier: Apache-2.0
 * list_row.h - inside of reference_read.h for the trade room: one row of a list, its fields as dates, codes and numbers, and for each
 * list what takes a row into struct reference.
 *
 * In:      fields in the order of the list's columns; a column that the file may lack, and does, is empty
 * Errors:  ERR_DATA with file, line, column and mend; out-parameters are undefined then, and the reference is thrown away
 * Memory:  fields are good until the next row
 * Thread:  startup
 * Source:  docs/REFERENCE.md
 */
#pragma once

#include "base/csv.h"
#include "base/memory.h"
#include "trade/lists.h"

enum { LIST_COLUMNS_MOST = 7 };

struct list_row;

struct list {
    const char *file;
    const char *columns[LIST_COLUMNS_MOST]; /* all of them decide something but the remarks */
    enum err (*read)(struct list_row *row);
    enum reference_list id;
    bool decides;      /* its content decides a verdict or a sum: part of the plan */
    uint32_t optional; /* how many of the last columns a file may lack: they are empty then */
    /* How many of them are no part of the plan: what `read` makes of them stands in a column before. */
    uint32_t remarks;
};

struct list_row {
    struct reference *reference;
    struct csv *csv;
    const struct list *list;
    struct text field[LIST_COLUMNS_MOST];
    uint64_t number; /* from 1 */
    struct err_info *info;
};

/* The error that a column of the row is. */
#define ROW_WRONG(row, column, ...) csv_error((row)->csv, (row)->list->columns[column], (row)->info, __VA_ARGS__)

/* ---- fields ---- */

/* The number that so many digits are. */
static inline uint32_t list_row_digits(const char *digits, uint32_t count)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; i++)
        value = value * 10 + (uint32_t)(digits[i] - '0');
    return value;
}

/* Positive decimal text as numerator / 10^decimals. False: it is none, is 0 or has more than 15 digits. */
bool list_row_decimal(struct text text, int64_t *out_numerator, int64_t *out_denominator);

/* A date column (yyyy-mm-dd) as yyyymmdd; it may be empty. */
enum err list_row_date(struct list_row *row, uint32_t column, uint32_t when_empty, uint32_t *out);

/* A code of two or three capital letters as its place in a table (lists.h), and a code of 1 to 8 bytes as its key (codes.h). */
enum err list_row_letters2(struct list_row *row, uint32_t column, uint32_t *out_place);
enum err list_row_letters3(struct list_row *row, uint32_t column, uint32_t *out_place);
enum err list_row_key(struct list_row *row, uint32_t column, uint64_t *out_key);

/* The error that a row is whose key an earlier one has. */
enum err list_row_twice(struct list_row *row, uint32_t column);

/* ---- rows ---- */

/* What struct reference has `count` of, with room for one more: it doubles. */
static inline void *list_row_room(void *list, uint32_t count, size_t bytes)
{
    return (count & (count - 1)) == 0 ? memory_resize(list, count ? (size_t)count * 2 : 1, bytes) : list;
}

enum err list_places_office(struct list_row *row);
enum err list_places_pilot_zone(struct list_row *row);
enum err list_places_country(struct list_row *row);
enum err list_places_neighbour(struct list_row *row);
enum err list_places_group(struct list_row *row);
enum err list_places_locode(struct list_row *row);
enum err list_regimes_regime(struct list_row *row);
enum err list_regimes_pair(struct list_row *row);
enum err list_money_currency(struct list_row *row);
enum err list_money_incoterm(struct list_row *row);
enum err list_money_rate(struct list_row *row);
enum err list_goods_unit(struct list_row *row); /* before nomenclatures: they name standard units */
enum err list_goods_package(struct list_row *row);
enum err list_goods_hs(struct list_row *row);
enum err list_goods_national(struct list_row *row);
enum err list_goods_move(struct list_row *row);
enum err list_bands_band(struct list_row *row);
