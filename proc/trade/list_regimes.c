/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/list_row.h"

static const char *const place_names[PLACES] = {"counted",   "temporary", "transit",  "outside",
                                                "warehouse", "reimport",  "reexport", "returned"};

static enum err read_scheme(struct list_row *row, uint32_t column, int32_t *out_scheme)
{
    struct text text = row->field[column];
    *out_scheme = declaration_enum_value("scheme", text);
    if (*out_scheme > 0 && *out_scheme < SCHEME_COUNT)
        return OK;
    return ROW_WRONG(row, column, "\"%.*s\" is no scheme; write CN, EU, EAEU, US, KR or OTHER", TEXT_ARGS(text));
}

static bool holds(struct text text, const char *part)
{
    size_t length = strlen(part);
    for (uint32_t i = 0; i + length <= text.length; i++) {
        if (memcmp(text.data + i, part, length) == 0)
            return true;
    }
    return false;
}

/* What a list without the column `statistics` says in its others. In China goods enter the bonded modes of e-commerce and
 * leave them under one code, when they are sold: they count. */
static enum regime_place implied_place(const struct list_row *row, int32_t scheme)
{
    struct text code = row->field[1];
    struct text comtrade = row->field[5];
    struct text note = row->field[6];
    if (text_is(row->field[2], "T"))
        return PLACE_TRANSIT;
    if (text_is(row->field[3], "0") || holds(note, "excluded"))
        return text_is(comtrade, "C12") || text_is(comtrade, "C14") ? PLACE_OUTSIDE : PLACE_TEMPORARY;
    if (text_is(comtrade, "C02") || holds(note, "flow RM"))
        return PLACE_REIMPORT;
    if (holds(note, "flow RX") || ((scheme == SCHEME_EU || scheme == SCHEME_EAEU) && text_is(code, "31")))
        return PLACE_REEXPORT;
    if (scheme != SCHEME_CN && (text_is(comtrade, "C04") || text_is(comtrade, "C05")))
        return PLACE_WAREHOUSE;
    return PLACE_COUNTED;
}

static enum err read_place(struct list_row *row, int32_t scheme, enum regime_place *out)
{
    struct text *field = &row->field[4];
    int place = field->length ? PLACE_COUNTED : (int)implied_place(row, scheme);
    while (field->length && place < PLACES && !text_is(*field, place_names[place]))
        place++;
    if (place == PLACES)
        return ROW_WRONG(
            row, 4,
            "\"%.*s\": write counted, temporary, transit, outside, warehouse, reimport, reexport, returned, or "
            "nothing",
            TEXT_ARGS(*field));
    *field = text_of(place_names[place]); /* the plan knows what was made of it, not the words of a remark */
    *out = (enum regime_place)place;
    return OK;
}

enum err list_regimes_regime(struct list_row *row)
{
    int32_t scheme = 0;
    uint64_t key = 0;
    TRY(read_scheme(row, 0, &scheme));
    TRY(list_row_key(row, 1, &key));
    if (scheme != SCHEME_CN && row->field[1].length != 2)
        return ROW_WRONG(row, 1, "\"%.*s\": outside CN a procedure is listed by its first two characters",
                         TEXT_ARGS(row->field[1]));
    uint32_t bits = 0;
    if (text_is(row->field[2], "M"))
        bits = REGIME_IMPORT;
    else if (text_is(row->field[2], "X"))
        bits = REGIME_EXPORT;
    else if (text_is(row->field[2], "MX") || text_is(row->field[2], "T"))
        bits = REGIME_IMPORT | REGIME_EXPORT;
    else
        return ROW_WRONG(row, 2, "\"%.*s\": write M (import), X (export), MX or T (transit)", TEXT_ARGS(row->field[2]));
    if (text_is(row->field[3], "1"))
        bits |= bits << 2; /* REGIME_GENERAL_ of the same directions */
    else if (!text_is(row->field[3], "0"))
        return ROW_WRONG(row, 3, "\"%.*s\": write 1 (counts in general trade) or 0", TEXT_ARGS(row->field[3]));
    enum regime_place place = PLACE_COUNTED;
    TRY(read_place(row, scheme, &place));
    bits |= (uint32_t)place << REGIME_PLACE_SHIFT;
    uint32_t there = 0;
    if (!codes_put(&row->reference->regimes[scheme], key, bits, &there))
        return list_row_twice(row, 1);
    return OK;
}

enum err list_regimes_pair(struct list_row *row)
{
    int32_t scheme = 0;
    TRY(read_scheme(row, 0, &scheme));
    for (uint32_t column = 1; column <= 2; column++) {
        if (row->field[column].length != 2)
            return ROW_WRONG(row, column, "\"%.*s\": a procedure has two characters here",
                             TEXT_ARGS(row->field[column]));
    }
    char pair[4] = {row->field[1].data[0], row->field[1].data[1], row->field[2].data[0], row->field[2].data[1]};
    uint32_t there = 0;
    if (!codes_put(&row->reference->procedure_pairs[scheme], codes_key((struct text){pair, sizeof pair}), 1, &there))
        return list_row_twice(row, 2);
    return OK;
}
