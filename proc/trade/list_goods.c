/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/list_row.h"

static enum unit_kind kind_of(struct text name)
{
    static const char *const names[] = {[UNIT_MASS] = "mass",     [UNIT_LENGTH] = "length", [UNIT_AREA] = "area",
                                        [UNIT_VOLUME] = "volume", [UNIT_COUNT] = "count",   [UNIT_ENERGY] = "energy"};
    for (int kind = UNIT_MASS; kind <= UNIT_ENERGY; kind++) {
        if (text_is(name, names[kind]))
            return (enum unit_kind)kind;
    }
    return UNIT_NONE;
}

static bool counts_whole(struct text name)
{
    return text_is(name, "u") || text_is(name, "2u") || text_is(name, "12u") || text_is(name, "1000u");
}

/* Index of a standard unit, which is added with that kind if it is new. */
static enum err standard_unit(struct list_row *row, uint32_t column, enum unit_kind kind, uint8_t *out_index)
{
    struct reference *reference = row->reference;
    struct text name = row->field[column];
    for (uint32_t i = UNIT_INDEX_KG; i < reference->standard_units_count; i++) {
        if (text_is(name, reference->standard_units[i].name)) {
            *out_index = (uint8_t)i;
            return OK;
        }
    }
    if (name.length == 0 || name.length >= STANDARD_UNIT_BYTES)
        return ROW_WRONG(row, column, "\"%.*s\": a standard unit has a name of 1 to %d bytes", TEXT_ARGS(name),
                         (int)STANDARD_UNIT_BYTES - 1);
    if (reference->standard_units_count == STANDARD_UNITS_MOST)
        return ROW_WRONG(row, column, "more than %d standard units", (int)STANDARD_UNITS_MOST - 1);
    struct standard_unit *unit = &reference->standard_units[reference->standard_units_count];
    *unit = (struct standard_unit){.kind = kind, .whole = counts_whole(name)};
    memcpy(unit->name, name.data, name.length);
    *out_index = (uint8_t)reference->standard_units_count++;
    return OK;
}

static bool is_unit_code(struct text code)
{
    for (uint32_t i = 0; i < code.length; i++) {
        if (lists_letter(code.data[i]) >= 26 && (code.data[i] < '0' || code.data[i] > '9'))
            return false;
    }
    return code.length >= 1 && code.length <= 3;
}

enum err list_goods_unit(struct list_row *row)
{
    struct reference *reference = row->reference;
    struct text rec20 = row->field[0];
    if (!is_unit_code(rec20))
        return ROW_WRONG(row, 0, "\"%.*s\" is no unit code; write 1 to 3 of A-Z and 0-9", TEXT_ARGS(rec20));
    if (lists_unit(reference, rec20))
        return list_row_twice(row, 0);
    if (reference->units_count == UNITS_MOST)
        return ROW_WRONG(row, 0, "more than %d units", (int)UNITS_MOST);
    enum unit_kind kind = kind_of(row->field[2]);
    if (kind == UNIT_NONE)
        return ROW_WRONG(row, 2, "\"%.*s\": write mass, length, area, volume, count or energy",
                         TEXT_ARGS(row->field[2]));
    struct unit *unit = &reference->units[reference->units_count];
    *unit = (struct unit){0};
    memcpy(unit->rec20, rec20.data, rec20.length);
    if (!list_row_decimal(row->field[3], &unit->factor_numerator, &unit->factor_denominator))
        return ROW_WRONG(row, 3, "\"%.*s\" is no factor; write a decimal number above 0 with up to 15 digits",
                         TEXT_ARGS(row->field[3]));
    TRY(standard_unit(row, 1, kind, &unit->standard));
    struct standard_unit *standard = &reference->standard_units[unit->standard];
    if (standard->kind != kind)
        return ROW_WRONG(row, 2, "standard unit %s is of another kind in a row above", standard->name);
    uint32_t index = 0;
    codes_put(&reference->unit_of, codes_key(rec20), reference->units_count++, &index);
    if (!standard->first)
        standard->first = (uint8_t)reference->units_count;
    return OK;
}

enum err list_goods_package(struct list_row *row)
{
    uint64_t key = 0;
    uint32_t there = 0;
    TRY(list_row_key(row, 0, &key));
    return codes_put(&row->reference->package_types, key, 1, &there) ? OK : list_row_twice(row, 0);
}

enum err list_goods_hs(struct list_row *row)
{
    struct reference *reference = row->reference;
    struct text code = row->field[0];
    struct text unit = row->field[2];
    if (!text_is_digits(code) || (code.length != 2 && code.length != 4 && code.length != 6))
        return ROW_WRONG(row, 0, "\"%.*s\" is no HS code; write 2, 4 or 6 digits with leading zeros", TEXT_ARGS(code));
    if (row->field[1].length != 1 || row->field[1].data[0] != (char)('0' + code.length))
        return ROW_WRONG(row, 1, "\"%.*s\", but the code has %u digits", TEXT_ARGS(row->field[1]), code.length);
    if (code.length != 6)
        return OK;
    enum hs_edition edition = row->list->id == REFERENCE_HS2022 ? HS_2022 : HS_2017;
    uint8_t *cell = &reference->hs[edition][list_row_digits(code.data, 6)];
    if (*cell)
        return list_row_twice(row, 0);
    uint8_t index = UNIT_INDEX_NONE;
    if (unit.length)
        TRY(standard_unit(row, 2, UNIT_NONE, &index));
    *cell = (uint8_t)(index + 1);
    return OK;
}

enum err list_goods_national(struct list_row *row)
{
    struct text code = row->field[0];
    if (!text_is_digits(code) || code.length < NATIONAL_DIGITS_LEAST || code.length > NATIONAL_DIGITS_MOST)
        return ROW_WRONG(row, 0, "\"%.*s\" is no code; write 2 to 13 digits", TEXT_ARGS(code));
    uint32_t there = 0;
    if (!codes_put(&row->reference->national_codes, lists_digits_key(code), 1, &there))
        return list_row_twice(row, 0);
    return OK;
}

/* False: the pair is there. Of headings and chapters it is a conversion if one of its rows is. */
static bool put_move(struct reference *reference, uint32_t digits, uint32_t from, uint32_t to, bool is_conversion)
{
    uint32_t count = reference->moves_count;
    uint32_t first = count;
    bool is_new = codes_put(&reference->moves_of, lists_move_key(digits, from), count, &first);
    for (uint32_t row = is_new ? 0 : first + 1; row; row = reference->moves[row - 1].next) {
        struct hs_row *there = &reference->moves[row - 1];
        if (there->to == to) {
            there->is_conversion |= is_conversion;
            return false;
        }
    }
    reference->moves = list_row_room(reference->moves, count, sizeof *reference->moves);
    struct hs_row row = {.from = from, .to = to, .is_conversion = is_conversion};
    if (!is_new) { /* behind the first one */
        row.next = reference->moves[first].next;
        reference->moves[first].next = count + 1;
    }
    uint32_t first_to = count;
    if (!codes_put(&reference->moves_to, lists_move_key(digits, to), count, &first_to)) {
        row.next_to = reference->moves[first_to].next_to;
        reference->moves[first_to].next_to = count + 1;
    }
    reference->moves[reference->moves_count++] = row;
    return true;
}

/* A row is of six digits; headings and chapters follow from them. */
enum err list_goods_move(struct list_row *row)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct text code = row->field[i];
        if (code.length != 6 || !text_is_digits(code))
            return ROW_WRONG(row, i, "\"%.*s\" is no code; write six digits (keep leading zeros)", TEXT_ARGS(code));
    }
    bool is_conversion = text_is(row->field[2], "1");
    if (!is_conversion && !text_is(row->field[2], "0"))
        return ROW_WRONG(row, 2, "\"%.*s\": write 1 for the conversion of the code, 0 for a mere correlation",
                         TEXT_ARGS(row->field[2]));
    uint32_t to = list_row_digits(row->field[0].data, 6);
    uint32_t from = list_row_digits(row->field[1].data, 6);
    if (!put_move(row->reference, 6, from, to, is_conversion))
        return ROW_WRONG(row, 0, "this pair of codes is listed twice; remove one of the rows");
    put_move(row->reference, 4, from / 100, to / 100, is_conversion);
    put_move(row->reference, 2, from / 10000, to / 10000, is_conversion);
    return OK;
}
