/* SPDX-License-Identifier: Apache-2.0
 * mapping.h - a map file: how the columns of a CSV file become a declaration.
 *
 * In:      a properties file, `field = source`, # comments; source is a constant, or $column followed by `| op` ... :
 *            date            ISO date -> yyyymmdd      millis(ZONE)    ISO date or time, local in ZONE -> ms UTC
 *            kg, g           decimal -> mg             money(CUR)      decimal -> minor units of the currency
 *            number(SCALE)   decimal x 10^SCALE        table(a:b,...)  replaces a by b; a value not in it is an error
 *            append(TEXT)    puts TEXT behind          prefix(TEXT)    puts TEXT before
 *          fields by the names of customs.v1.Declaration; of items items.N.field, N from 0 without a gap
 * Out:     struct declaration of a row
 * Empty:   an empty column leaves its field absent, whatever the ops. item_count is the number of items unless it is mapped
 * Limits:  MAPPING_BYTES_MOST of file, MAPPING_OPS_MOST ops a line, MAPPING_ITEMS_MOST items
 * Memory:  the mapping owns the file's text and constants; a declaration borrows from it, from the row and from the arena
 * Errors:  ERR_CONFIG with file and line for the map, ERR_DATA with the column for a row
 * Thread:  one owner
 * Source:  contract.md section 1
 */
#pragma once

#include "base/arena.h"
#include "base/csv.h"
#include "trade/declaration.h"

enum {
    MAPPING_BYTES_MOST = 1 << 20,
    MAPPING_OPS_MOST = 8,
    MAPPING_ITEMS_MOST = 999,
};

/* Number of decimals of a currency's minor unit, or -1 if the currency is not known. */
struct mapping_currencies {
    int (*decimals)(const void *self, struct text currency);
    const void *self;
};

struct mapping;

/* Gives *out. */
enum err mapping_open(const char *path, struct mapping_currencies currencies, struct mapping **out,
                      struct err_info *info) MUST_USE;
/* As mapping_open for text that is in memory; name stands in errors. */
enum err mapping_parse(const char *name, struct text text, struct mapping_currencies currencies, struct mapping **out,
                       struct err_info *info) MUST_USE;
void mapping_free(struct mapping *mapping);

/* Looks the map's columns up in a header; may be called again for another file. */
enum err mapping_bind(struct mapping *mapping, const struct csv_row *header, const char *csv_name,
                      struct err_info *info) MUST_USE;

/* Builds the declaration of a row. ERR_DATA: `column "net_mass" (net_mass_mg): "abc" is ...`. */
enum err mapping_apply(const struct mapping *mapping, const struct csv_row *row, struct arena *arena,
                       struct declaration *out, struct err_info *info) MUST_USE;
