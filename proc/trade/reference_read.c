/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/reference_read.h"

#include "base/check.h"
#include "base/hash.h"
#include "trade/list_row.h"

static const struct list lists[REFERENCE_LISTS] = {
    [REFERENCE_OFFICES] =
        {"offices.csv", {"code", "valid_from", "valid_to"}, list_places_office, REFERENCE_OFFICES, true},
    [REFERENCE_COUNTRIES] = {"countries.csv", {"alpha2"}, list_places_country, REFERENCE_COUNTRIES, true},
    [REFERENCE_CURRENCIES] =
        {"currencies.csv", {"code", "minor_unit", "withdrawn"}, list_money_currency, REFERENCE_CURRENCIES, true},
    [REFERENCE_INCOTERMS] = {"incoterms.csv", {"code", "edition_to"}, list_money_incoterm, REFERENCE_INCOTERMS, true},
    [REFERENCE_REGIMES] = {"regimes.csv",
                           {"scheme", "code", "flow", "general_trade", "statistics", "comtrade_customs", "note"},
                           list_regimes_regime,
                           REFERENCE_REGIMES,
                           true,
                           3,
                           2},
    [REFERENCE_PROCEDURE_PAIRS] = {"procedure_pairs.csv",
                                   {"scheme", "requested", "previous"},
                                   list_regimes_pair,
                                   REFERENCE_PROCEDURE_PAIRS,
                                   true},
    [REFERENCE_UNITS] =
        {"units.csv", {"rec20", "std_unit", "kind", "factor_to_std"}, list_goods_unit, REFERENCE_UNITS, true},
    [REFERENCE_PACKAGE_TYPES] = {"package_types.csv", {"code"}, list_goods_package, REFERENCE_PACKAGE_TYPES, true},
    [REFERENCE_UNLOCODE] = {"unlocode_subset.csv", {"locode"}, list_places_locode, REFERENCE_UNLOCODE, true},
    [REFERENCE_HS2017] = {"hs2017.csv", {"code", "digits", "std_unit"}, list_goods_hs, REFERENCE_HS2017, true},
    [REFERENCE_HS2022] = {"hs2022.csv", {"code", "digits", "std_unit"}, list_goods_hs, REFERENCE_HS2022, true},
    [REFERENCE_NATIONAL_CODES] = {"national_codes.csv", {"code"}, list_goods_national, REFERENCE_NATIONAL_CODES, true},
    [REFERENCE_COUNTRY_GROUPS] = {"country_groups.csv",
                                  {"group", "alpha2", "from", "to_exclusive"},
                                  list_places_group,
                                  REFERENCE_COUNTRY_GROUPS,
                                  true},
    [REFERENCE_FX] =
        {"fx_monthly_per_usd.csv", {"month", "currency", "units_per_usd"}, list_money_rate, REFERENCE_FX, true},
    [REFERENCE_BANDS] =
        {"bands.csv", {"hs", "flow", "measure", "n", "low", "median", "high"}, list_bands_band, REFERENCE_BANDS, true},
    [REFERENCE_PILOT_ZONES] =
        {"pilot_zones.csv", {"code", "valid_from", "valid_to"}, list_places_pilot_zone, REFERENCE_PILOT_ZONES, true},
    [REFERENCE_NEIGHBOURS] =
        {"neighbours.csv", {"country", "neighbour"}, list_places_neighbour, REFERENCE_NEIGHBOURS, true},
    [REFERENCE_HS_MOVES] =
        {"hs2022_hs2017.csv", {"hs2022", "hs2017", "is_conversion"}, list_goods_move, REFERENCE_HS_MOVES, false},
};

const char *reference_read_file(enum reference_list list)
{
    CHECK(list < REFERENCE_LISTS);
    return lists[list].file;
}

/* Rows may stand in any order, so their hashes are added; but the order of units gives the standard units their
 * numbers. */
static void hash_row(struct list_row *row, uint32_t columns)
{
    if (!row->list->decides)
        return;
    uint64_t hash = (uint64_t)row->list->id + 1;
    if (row->list->id == REFERENCE_UNITS)
        hash = hash_mix(hash ^ HASH_P0, row->number ^ HASH_P1);
    for (uint32_t i = 0; i < columns; i++)
        hash = hash_bytes(row->field[i].data, row->field[i].length, hash + i);
    row->reference->hash += hash;
}

static enum err read_rows(struct list_row *row)
{
    uint32_t index[LIST_COLUMNS_MOST];
    uint32_t columns = 0;
    while (columns < LIST_COLUMNS_MOST && row->list->columns[columns])
        columns++;
    TRY(csv_columns(row->csv, row->list->columns, index, columns, row->list->optional, row->info));
    for (;;) {
        struct csv_row fields;
        TRY(csv_next(row->csv, &fields, row->info));
        if (fields.count == 0)
            return OK;
        for (uint32_t i = 0; i < columns; i++)
            row->field[i] = index[i] == CSV_NO_COLUMN ? (struct text){"", 0} : fields.fields[index[i]];
        row->number++;
        TRY(row->list->read(row));
        hash_row(row, columns - row->list->remarks);
    }
}

enum err reference_read(struct reference *reference, enum reference_list list, const char *path, struct err_info *info)
{
    struct list_row row = {.reference = reference, .list = &lists[list], .info = info};
    TRY(csv_open(path, &row.csv, info));
    enum err err = read_rows(&row);
    csv_free(row.csv);
    if (err != OK)
        return ERR_CONFIG; /* it is the site's configuration; the text stays as it is */
    reference->has[list] = true;
    reference->rows[list] = row.number;
    if (lists[list].decides)
        reference->hash += hash_mix((uint64_t)list + 1, HASH_P2);
    return OK;
}
