/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/reference_read.h"

#include "base/check.h"
#include "base/csv.h"
#include "base/hash.h"
#include "base/i128.h"
#include "base/memory.h"
#include "trade/calendar.h"

enum { COLUMNS_MOST = 7 };

enum {
    BAND_COUNT_LEAST = 30,
    BAND_SCALE = 1000000,
    BAND_NARROWEST = 1412537, /* 0.15 decade, in millionths */
};

#define BAND_MOST_E6 INT64_C(4000000000000000) /* times 2,000 it has 63 bits */

struct reading {
    struct reference *reference;
    struct csv *csv;
    const struct list *list;
    struct text field[COLUMNS_MOST]; /* of the row, in the order of list->columns */
    uint64_t row;                    /* from 1 */
    struct err_info *info;
};

struct list {
    const char *file;
    const char *columns[COLUMNS_MOST]; /* all of them decide something but the remarks */
    enum err (*read)(struct reading *reading);
    enum reference_list id;
    bool decides;      /* its content decides a verdict or a sum: part of the plan */
    uint32_t optional; /* how many of the last columns a file may lack: they are empty then */
    uint32_t
        remarks; /* how many of them are no part of the plan: what `read` makes of them stands in a column before */
};

#define WRONG(reading, column, ...)                                                                                    \
    csv_error((reading)->csv, (reading)->list->columns[column], (reading)->info, __VA_ARGS__)

/* ---- fields ---- */

static bool is_digits(struct text text)
{
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return text.length > 0;
}

static uint32_t digits_value(const char *digits, uint32_t count)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; i++)
        value = value * 10 + (uint32_t)(digits[i] - '0');
    return value;
}

/* yyyy-mm-dd as yyyymmdd; false if it is not a day of the calendar. */
static bool date_of(struct text text, uint32_t *out)
{
    if (text.length != 10 || text.data[4] != '-' || text.data[7] != '-' || !is_digits((struct text){text.data, 4}) ||
        !is_digits((struct text){text.data + 5, 2}) || !is_digits((struct text){text.data + 8, 2}))
        return false;
    *out = digits_value(text.data, 4) * 10000 + digits_value(text.data + 5, 2) * 100 + digits_value(text.data + 8, 2);
    return calendar_is_date(*out);
}

static bool month_of(struct text text, uint32_t *out_year, uint32_t *out_month)
{
    if (text.length != 7 || text.data[4] != '-' || !is_digits((struct text){text.data, 4}) ||
        !is_digits((struct text){text.data + 5, 2}))
        return false;
    *out_year = digits_value(text.data, 4);
    *out_month = digits_value(text.data + 5, 2);
    return *out_year >= 1 && *out_month >= 1 && *out_month <= 12;
}

/* The month from which a currency is withdrawn: yyyy-mm; yyyy is its December; of a span ("1989 to 1990", "1989-1990",
 * "1990-07 to 1990-09": the list does not know it better) the end. */
static bool withdrawal_of(struct text text, uint32_t *out_year, uint32_t *out_month)
{
    struct text last = text;
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] == ' ')
            last = (struct text){text.data + i + 1, text.length - i - 1};
    }
    if (last.length == 9 && last.data[4] == '-')
        last = (struct text){last.data + 5, 4};
    if (last.length == 4 && is_digits(last)) {
        *out_year = digits_value(last.data, 4);
        *out_month = 12;
        return *out_year >= 1;
    }
    return month_of(last, out_year, out_month);
}

/* A date column that may be empty. */
static enum err read_date(struct reading *reading, uint32_t column, uint32_t when_empty, uint32_t *out)
{
    struct text text = reading->field[column];
    *out = when_empty;
    if (text.length == 0 || date_of(text, out))
        return OK;
    return WRONG(reading, column, "\"%.*s\" is no date; write yyyy-mm-dd, or nothing", TEXT_ARGS(text));
}

/* Positive decimal text as numerator / 10^decimals. */
static bool decimal_of(struct text text, int64_t *out_numerator, int64_t *out_denominator)
{
    int64_t numerator = 0;
    int64_t denominator = 1;
    bool point = false;
    uint32_t digits = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || ++digits > 15)
            return false;
        numerator = numerator * 10 + (c - '0');
        denominator *= point ? 10 : 1;
    }
    *out_numerator = numerator;
    *out_denominator = denominator;
    return numerator > 0;
}

static enum err read_letters2(struct reading *reading, uint32_t column, uint32_t *out_place)
{
    struct text text = reading->field[column];
    *out_place = lists_letters2(text);
    if (*out_place != CODE_NONE)
        return OK;
    return WRONG(reading, column, "\"%.*s\" is no country code; write two capital letters", TEXT_ARGS(text));
}

static enum err read_letters3(struct reading *reading, uint32_t column, uint32_t *out_place)
{
    struct text text = reading->field[column];
    *out_place = lists_letters3(text);
    if (*out_place != CODE_NONE)
        return OK;
    return WRONG(reading, column, "\"%.*s\" is no code of three capital letters", TEXT_ARGS(text));
}

static enum err read_key(struct reading *reading, uint32_t column, uint64_t *out_key)
{
    struct text text = reading->field[column];
    *out_key = codes_key(text);
    if (*out_key)
        return OK;
    return WRONG(reading, column, "\"%.*s\": a code has 1 to 8 bytes", TEXT_ARGS(text));
}

static enum err twice(struct reading *reading, uint32_t column)
{
    return WRONG(reading, column, "\"%.*s\" is listed twice; remove one of the rows",
                 TEXT_ARGS(reading->field[column]));
}

static enum err read_scheme(struct reading *reading, uint32_t column, int32_t *out_scheme)
{
    struct text text = reading->field[column];
    *out_scheme = declaration_enum_value("scheme", text);
    if (*out_scheme > 0 && *out_scheme < SCHEME_COUNT)
        return OK;
    return WRONG(reading, column, "\"%.*s\" is no scheme; write CN, EU, EAEU, US, KR or OTHER", TEXT_ARGS(text));
}

/* ---- rows ---- */

/* A code with the days on which it holds; it may have several rows. */
static enum err period_row(struct reading *reading, struct codes *codes)
{
    struct reference *reference = reading->reference;
    uint64_t key = 0;
    struct period period = {0};
    TRY(read_key(reading, 0, &key));
    TRY(read_date(reading, 1, 0, &period.from));
    TRY(read_date(reading, 2, UINT32_MAX, &period.to));
    if (period.to < period.from)
        return WRONG(reading, 2, "it lies before valid_from");
    uint32_t index = reference->periods_count;
    uint32_t first = index;
    if ((index & (index - 1)) == 0)
        reference->periods = memory_resize(reference->periods, index ? index * 2 : 1, sizeof *reference->periods);
    reference->periods_count++;
    if (!codes_put(codes, key, index, &first)) {
        period.next = reference->periods[first].next;
        reference->periods[first].next = index + 1;
    }
    reference->periods[index] = period;
    return OK;
}

static enum err office_row(struct reading *reading)
{
    return period_row(reading, &reading->reference->offices);
}

static enum err pilot_zone_row(struct reading *reading)
{
    return period_row(reading, &reading->reference->pilot_zones);
}

static enum err neighbour_row(struct reading *reading)
{
    uint32_t country = 0;
    uint32_t other = 0;
    uint32_t there = 0;
    TRY(read_letters2(reading, 0, &country));
    TRY(read_letters2(reading, 1, &other));
    char pair[4] = {reading->field[0].data[0], reading->field[0].data[1], reading->field[1].data[0],
                    reading->field[1].data[1]};
    if (!codes_put(&reading->reference->neighbours, codes_key((struct text){pair, sizeof pair}), 1, &there))
        return twice(reading, 1);
    reading->reference->has_neighbours[country] = 1;
    return OK;
}

static enum err country_row(struct reading *reading)
{
    uint32_t place = 0;
    TRY(read_letters2(reading, 0, &place));
    if (lists_country(reading->reference, reading->field[0]))
        return twice(reading, 0);
    uint32_t pair = lists_pair(reading->field[0]);
    reading->reference->country[pair / 64] |= 1ull << (pair % 64);
    return OK;
}

static enum err currency_row(struct reading *reading)
{
    struct reference *reference = reading->reference;
    uint32_t place = 0;
    TRY(read_letters3(reading, 0, &place));
    if (reference->currency[place])
        return twice(reading, 0);
    struct text minor = reading->field[1];
    struct text withdrawn = reading->field[2];
    if (minor.length > 1 || (minor.length == 1 && (minor.data[0] < '0' || minor.data[0] > '9')))
        return WRONG(reading, 1, "\"%.*s\": write the number of decimals, 0 to 9, or nothing", TEXT_ARGS(minor));
    reference->currency_minor[place] = minor.length ? (uint8_t)(minor.data[0] - '0') : CURRENCY_MINOR_NONE;
    uint32_t year = 0;
    uint32_t month = 0;
    if (withdrawn.length && (!withdrawal_of(withdrawn, &year, &month) || year > 5000))
        return WRONG(reading, 2, "\"%.*s\" is no month; write yyyy-mm, or nothing", TEXT_ARGS(withdrawn));
    reference->currency[place] = CURRENCY_MONTH_NEVER;
    if (withdrawn.length)
        reference->currency[place] = (uint16_t)(year * 12 + month - 1);
    else if (reading->field[0].data[0] == 'X' && minor.length == 0)
        reference->currency[place] = CURRENCY_MONTH_FUND;
    return OK;
}

static enum err incoterm_row(struct reading *reading)
{
    uint32_t place = 0;
    TRY(read_letters3(reading, 0, &place));
    if (reading->reference->incoterm[place])
        return twice(reading, 0);
    if (reading->field[1].length && (reading->field[1].length != 4 || !is_digits(reading->field[1])))
        return WRONG(reading, 1, "\"%.*s\" is no year; write yyyy, or nothing for an edition in force",
                     TEXT_ARGS(reading->field[1]));
    uint32_t last = reading->field[1].length ? digits_value(reading->field[1].data, 4) : INCOTERM_YEAR_NEVER;
    if (last == 0)
        return WRONG(reading, 1, "0000 is no year; write nothing for an edition in force");
    reading->reference->incoterm[place] = (uint16_t)last;
    return OK;
}

static const char *const place_names[PLACES] = {"counted",   "temporary", "transit",  "outside",
                                                "warehouse", "reimport",  "reexport", "returned"};

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
static enum regime_place implied_place(const struct reading *reading, int32_t scheme)
{
    struct text code = reading->field[1];
    struct text comtrade = reading->field[5];
    struct text note = reading->field[6];
    if (text_is(reading->field[2], "T"))
        return PLACE_TRANSIT;
    if (text_is(reading->field[3], "0") || holds(note, "excluded"))
        return text_is(comtrade, "C12") || text_is(comtrade, "C14") ? PLACE_OUTSIDE : PLACE_TEMPORARY;
    if (text_is(comtrade, "C02") || holds(note, "flow RM"))
        return PLACE_REIMPORT;
    if (holds(note, "flow RX") || ((scheme == SCHEME_EU || scheme == SCHEME_EAEU) && text_is(code, "31")))
        return PLACE_REEXPORT;
    if (scheme != SCHEME_CN && (text_is(comtrade, "C04") || text_is(comtrade, "C05")))
        return PLACE_WAREHOUSE;
    return PLACE_COUNTED;
}

static enum err read_place(struct reading *reading, int32_t scheme, enum regime_place *out)
{
    struct text *field = &reading->field[4];
    int place = field->length ? PLACE_COUNTED : (int)implied_place(reading, scheme);
    while (field->length && place < PLACES && !text_is(*field, place_names[place]))
        place++;
    if (place == PLACES)
        return WRONG(
            reading, 4,
            "\"%.*s\": write counted, temporary, transit, outside, warehouse, reimport, reexport, returned, or "
            "nothing",
            TEXT_ARGS(*field));
    *field = text_of(place_names[place]); /* the plan knows what was made of it, not the words of a remark */
    *out = (enum regime_place)place;
    return OK;
}

static enum err regime_row(struct reading *reading)
{
    int32_t scheme = 0;
    uint64_t key = 0;
    TRY(read_scheme(reading, 0, &scheme));
    TRY(read_key(reading, 1, &key));
    if (scheme != SCHEME_CN && reading->field[1].length != 2)
        return WRONG(reading, 1, "\"%.*s\": outside CN a procedure is listed by its first two characters",
                     TEXT_ARGS(reading->field[1]));
    uint32_t bits = 0;
    if (text_is(reading->field[2], "M"))
        bits = REGIME_IMPORT;
    else if (text_is(reading->field[2], "X"))
        bits = REGIME_EXPORT;
    else if (text_is(reading->field[2], "MX") || text_is(reading->field[2], "T"))
        bits = REGIME_IMPORT | REGIME_EXPORT;
    else
        return WRONG(reading, 2, "\"%.*s\": write M (import), X (export), MX or T (transit)",
                     TEXT_ARGS(reading->field[2]));
    if (text_is(reading->field[3], "1"))
        bits |= bits << 2; /* REGIME_GENERAL_ of the same directions */
    else if (!text_is(reading->field[3], "0"))
        return WRONG(reading, 3, "\"%.*s\": write 1 (counts in general trade) or 0", TEXT_ARGS(reading->field[3]));
    enum regime_place place = PLACE_COUNTED;
    TRY(read_place(reading, scheme, &place));
    bits |= (uint32_t)place << REGIME_PLACE_SHIFT;
    uint32_t there = 0;
    if (!codes_put(&reading->reference->regimes[scheme], key, bits, &there))
        return twice(reading, 1);
    return OK;
}

static enum err pair_row(struct reading *reading)
{
    int32_t scheme = 0;
    TRY(read_scheme(reading, 0, &scheme));
    for (uint32_t column = 1; column <= 2; column++) {
        if (reading->field[column].length != 2)
            return WRONG(reading, column, "\"%.*s\": a procedure has two characters here",
                         TEXT_ARGS(reading->field[column]));
    }
    char pair[4] = {reading->field[1].data[0], reading->field[1].data[1], reading->field[2].data[0],
                    reading->field[2].data[1]};
    uint32_t there = 0;
    if (!codes_put(&reading->reference->procedure_pairs[scheme], codes_key((struct text){pair, sizeof pair}), 1,
                   &there))
        return twice(reading, 2);
    return OK;
}

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
static enum err standard_unit(struct reading *reading, uint32_t column, enum unit_kind kind, uint8_t *out_index)
{
    struct reference *reference = reading->reference;
    struct text name = reading->field[column];
    for (uint32_t i = UNIT_INDEX_KG; i < reference->standard_units_count; i++) {
        if (text_is(name, reference->standard_units[i].name)) {
            *out_index = (uint8_t)i;
            return OK;
        }
    }
    if (name.length == 0 || name.length >= STANDARD_UNIT_BYTES)
        return WRONG(reading, column, "\"%.*s\": a standard unit has a name of 1 to %d bytes", TEXT_ARGS(name),
                     (int)STANDARD_UNIT_BYTES - 1);
    if (reference->standard_units_count == STANDARD_UNITS_MOST)
        return WRONG(reading, column, "more than %d standard units", (int)STANDARD_UNITS_MOST - 1);
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

static enum err unit_row(struct reading *reading)
{
    struct reference *reference = reading->reference;
    struct text rec20 = reading->field[0];
    if (!is_unit_code(rec20))
        return WRONG(reading, 0, "\"%.*s\" is no unit code; write 1 to 3 of A-Z and 0-9", TEXT_ARGS(rec20));
    if (lists_unit(reference, rec20))
        return twice(reading, 0);
    if (reference->units_count == UNITS_MOST)
        return WRONG(reading, 0, "more than %d units", (int)UNITS_MOST);
    enum unit_kind kind = kind_of(reading->field[2]);
    if (kind == UNIT_NONE)
        return WRONG(reading, 2, "\"%.*s\": write mass, length, area, volume, count or energy",
                     TEXT_ARGS(reading->field[2]));
    struct unit *unit = &reference->units[reference->units_count];
    *unit = (struct unit){0};
    memcpy(unit->rec20, rec20.data, rec20.length);
    if (!decimal_of(reading->field[3], &unit->factor_numerator, &unit->factor_denominator))
        return WRONG(reading, 3, "\"%.*s\" is no factor; write a decimal number above 0 with up to 15 digits",
                     TEXT_ARGS(reading->field[3]));
    TRY(standard_unit(reading, 1, kind, &unit->standard));
    struct standard_unit *standard = &reference->standard_units[unit->standard];
    if (standard->kind != kind)
        return WRONG(reading, 2, "standard unit %s is of another kind in a row above", standard->name);
    uint32_t index = 0;
    codes_put(&reference->unit_of, codes_key(rec20), reference->units_count++, &index);
    if (!standard->first)
        standard->first = (uint8_t)reference->units_count;
    return OK;
}

static enum err package_row(struct reading *reading)
{
    uint64_t key = 0;
    uint32_t there = 0;
    TRY(read_key(reading, 0, &key));
    return codes_put(&reading->reference->package_types, key, 1, &there) ? OK : twice(reading, 0);
}

static enum err locode_row(struct reading *reading)
{
    struct text code = reading->field[0];
    uint32_t country = lists_letters2((struct text){code.data, code.length < 2 ? code.length : 2});
    if (code.length != 5 || country == CODE_NONE)
        return WRONG(reading, 0, "\"%.*s\" is no UN/LOCODE; write five characters, the country first", TEXT_ARGS(code));
    uint32_t there = 0;
    if (!codes_put(&reading->reference->locodes, codes_key(code), 1, &there))
        return twice(reading, 0);
    reading->reference->locode_country[country] = 1;
    return OK;
}

static enum err hs_row(struct reading *reading)
{
    struct reference *reference = reading->reference;
    struct text code = reading->field[0];
    struct text unit = reading->field[2];
    if (!is_digits(code) || (code.length != 2 && code.length != 4 && code.length != 6))
        return WRONG(reading, 0, "\"%.*s\" is no HS code; write 2, 4 or 6 digits with leading zeros", TEXT_ARGS(code));
    if (reading->field[1].length != 1 || reading->field[1].data[0] != (char)('0' + code.length))
        return WRONG(reading, 1, "\"%.*s\", but the code has %u digits", TEXT_ARGS(reading->field[1]), code.length);
    if (code.length != 6)
        return OK;
    enum hs_edition edition = reading->list->id == REFERENCE_HS2022 ? HS_2022 : HS_2017;
    uint8_t *cell = &reference->hs[edition][digits_value(code.data, 6)];
    if (*cell)
        return twice(reading, 0);
    uint8_t index = UNIT_INDEX_NONE;
    if (unit.length)
        TRY(standard_unit(reading, 2, UNIT_NONE, &index));
    *cell = (uint8_t)(index + 1);
    return OK;
}

static enum err national_row(struct reading *reading)
{
    struct text code = reading->field[0];
    if (!is_digits(code) || code.length < NATIONAL_DIGITS_LEAST || code.length > NATIONAL_DIGITS_MOST)
        return WRONG(reading, 0, "\"%.*s\" is no code; write 2 to 13 digits", TEXT_ARGS(code));
    uint32_t there = 0;
    if (!codes_put(&reading->reference->national_codes, lists_digits_key(code), 1, &there))
        return twice(reading, 0);
    return OK;
}

static enum err group_row(struct reading *reading)
{
    struct reference *reference = reading->reference;
    struct text name = reading->field[0];
    struct group_row row = {0};
    uint32_t place = 0;
    if (name.length == 0 || name.length >= sizeof row.group)
        return WRONG(reading, 0, "\"%.*s\": a group has a name of 1 to %zu bytes", TEXT_ARGS(name),
                     sizeof row.group - 1);
    memcpy(row.group, name.data, name.length);
    TRY(read_letters2(reading, 1, &place));
    memcpy(row.country, reading->field[1].data, 2);
    TRY(read_date(reading, 2, 0, &row.from));
    TRY(read_date(reading, 3, UINT32_MAX, &row.to_exclusive));
    if (row.to_exclusive <= row.from)
        return WRONG(reading, 3, "it does not lie after \"from\"");
    uint32_t count = reference->groups_count;
    if ((count & (count - 1)) == 0)
        reference->groups = memory_resize(reference->groups, count ? count * 2 : 1, sizeof row);
    reference->groups[reference->groups_count++] = row;
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
    if ((count & (count - 1)) == 0)
        reference->moves = memory_resize(reference->moves, count ? (size_t)count * 2 : 1, sizeof *reference->moves);
    struct hs_row row = {.to = to, .is_conversion = is_conversion};
    if (!is_new) { /* behind the first one */
        row.next = reference->moves[first].next;
        reference->moves[first].next = count + 1;
    }
    reference->moves[reference->moves_count++] = row;
    return true;
}

/* A row is of six digits; headings and chapters follow from them. */
static enum err move_row(struct reading *reading)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct text code = reading->field[i];
        if (code.length != 6 || !is_digits(code))
            return WRONG(reading, i, "\"%.*s\" is no code; write six digits (keep leading zeros)", TEXT_ARGS(code));
    }
    bool is_conversion = text_is(reading->field[2], "1");
    if (!is_conversion && !text_is(reading->field[2], "0"))
        return WRONG(reading, 2, "\"%.*s\": write 1 for the conversion of the code, 0 for a mere correlation",
                     TEXT_ARGS(reading->field[2]));
    uint32_t to = digits_value(reading->field[0].data, 6);
    uint32_t from = digits_value(reading->field[1].data, 6);
    if (!put_move(reading->reference, 6, from, to, is_conversion))
        return WRONG(reading, 0, "this pair of codes is listed twice; remove one of the rows");
    put_move(reading->reference, 4, from / 100, to / 100, is_conversion);
    put_move(reading->reference, 2, from / 10000, to / 10000, is_conversion);
    return OK;
}

static enum err fx_row(struct reading *reading)
{
    struct reference *reference = reading->reference;
    uint32_t year = 0;
    uint32_t month = 0;
    uint32_t place = 0;
    int64_t numerator = 0;
    int64_t denominator = 1;
    if (!month_of(reading->field[0], &year, &month))
        return WRONG(reading, 0, "\"%.*s\" is no month; write yyyy-mm", TEXT_ARGS(reading->field[0]));
    TRY(read_letters3(reading, 1, &place));
    if (!decimal_of(reading->field[2], &numerator, &denominator) || denominator > 100000000 ||
        __builtin_mul_overflow(numerator, 100000000 / denominator, &numerator))
        return WRONG(reading, 2, "\"%.*s\" is no rate; write a decimal number above 0 with up to 8 decimals",
                     TEXT_ARGS(reading->field[2]));
    uint32_t count = reference->fx_count;
    uint32_t there = 0;
    if (!codes_put(&reference->fx, (uint64_t)(year * 100 + month) << 32 | (place + 1), count, &there))
        return WRONG(reading, 1, "this month and currency are listed twice; remove one of the rows");
    if ((count & (count - 1)) == 0)
        reference->fx_rates =
            memory_resize(reference->fx_rates, count ? (size_t)count * 2 : 1, sizeof *reference->fx_rates);
    reference->fx_rates[reference->fx_count++] = numerator;
    return OK;
}

static const char *const band_names[BAND_MEASURES] = {
    [BAND_VALUE_KG] = "value_kg", [BAND_VALUE_UNIT] = "value_unit", [BAND_KG_UNIT] = "kg_unit", [BAND_VALUE] = "value"};

/* A positive decimal in millionths. */
static enum err read_millionths(struct reading *reading, uint32_t column, int64_t *out)
{
    int64_t numerator = 0;
    int64_t denominator = 1;
    if (!decimal_of(reading->field[column], &numerator, &denominator) || denominator > BAND_SCALE ||
        __builtin_mul_overflow(numerator, BAND_SCALE / denominator, &numerator) || numerator > BAND_MOST_E6)
        return WRONG(reading, column, "\"%.*s\": write a decimal number above 0, to 4000000000, with up to 6 decimals",
                     TEXT_ARGS(reading->field[column]));
    *out = numerator;
    return OK;
}

/* The figures of a band; of item values only the quantile. */
static enum err read_band(struct reading *reading, enum band_measure measure, struct band *out)
{
    TRY(read_millionths(reading, 6, &out->high_e6));
    if (measure == BAND_VALUE)
        return OK;
    TRY(read_millionths(reading, 4, &out->low_e6));
    TRY(read_millionths(reading, 5, &out->median_e6));
    if ((i128)out->high_e6 * BAND_SCALE < (i128)out->median_e6 * BAND_NARROWEST ||
        (i128)out->low_e6 * BAND_NARROWEST > (i128)out->median_e6 * BAND_SCALE)
        return WRONG(reading, 5, "\"%.*s\": a band reaches 0.15 decade (x 1.4125) or more to both sides of its median",
                     TEXT_ARGS(reading->field[5]));
    return OK;
}

static enum err band_row(struct reading *reading)
{
    struct reference *reference = reading->reference;
    struct text code = reading->field[0];
    int64_t count = 0;
    uint32_t measure = 0;
    while (measure < BAND_MEASURES && !text_is(reading->field[2], band_names[measure]))
        measure++;
    if (measure == BAND_MEASURES)
        return WRONG(reading, 2, "\"%.*s\": write value_kg, value_unit, kg_unit or value",
                     TEXT_ARGS(reading->field[2]));
    bool is_heading = code.length == 4;
    if (!is_digits(code) || !(is_heading || (measure != BAND_VALUE && (code.length == 2 || code.length == 6))))
        return WRONG(reading, 0, "\"%.*s\": write an HS code of 2, 4 or 6 digits, for value of 4", TEXT_ARGS(code));
    bool export = text_is(reading->field[1], "X");
    if (!export && !text_is(reading->field[1], "M"))
        return WRONG(reading, 1, "\"%.*s\": write M (import) or X (export)", TEXT_ARGS(reading->field[1]));
    if (!text_to_int64(reading->field[3], &count) || count < 0)
        return WRONG(reading, 3, "\"%.*s\" is no number of observations", TEXT_ARGS(reading->field[3]));
    struct band band = {0};
    TRY(read_band(reading, (enum band_measure)measure, &band));
    if (count < BAND_COUNT_LEAST)
        return OK; /* too few to say anything: that of a shorter code stands */
    uint32_t index = reference->bands_count;
    if (codes_put(&reference->bands_of, lists_band_key(digits_value(code.data, code.length), code.length, export),
                  index, &index)) {
        if ((index & (index - 1)) == 0)
            reference->bands = memory_resize(reference->bands, index ? (size_t)index * 2 : 1, sizeof *reference->bands);
        reference->bands[reference->bands_count++] = (struct bands){0};
    }
    if (reference->bands[index].of[measure].high_e6)
        return twice(reading, 0);
    reference->bands[index].of[measure] = band;
    return OK;
}

/* ---- files ---- */

static const struct list lists[REFERENCE_LISTS] = {
    [REFERENCE_OFFICES] = {"offices.csv", {"code", "valid_from", "valid_to"}, office_row, REFERENCE_OFFICES, true},
    [REFERENCE_COUNTRIES] = {"countries.csv", {"alpha2"}, country_row, REFERENCE_COUNTRIES, true},
    [REFERENCE_CURRENCIES] =
        {"currencies.csv", {"code", "minor_unit", "withdrawn"}, currency_row, REFERENCE_CURRENCIES, true},
    [REFERENCE_INCOTERMS] = {"incoterms.csv", {"code", "edition_to"}, incoterm_row, REFERENCE_INCOTERMS, true},
    [REFERENCE_REGIMES] = {"regimes.csv",
                           {"scheme", "code", "flow", "general_trade", "statistics", "comtrade_customs", "note"},
                           regime_row,
                           REFERENCE_REGIMES,
                           true,
                           3,
                           2},
    [REFERENCE_PROCEDURE_PAIRS] =
        {"procedure_pairs.csv", {"scheme", "requested", "previous"}, pair_row, REFERENCE_PROCEDURE_PAIRS, true},
    [REFERENCE_UNITS] = {"units.csv", {"rec20", "std_unit", "kind", "factor_to_std"}, unit_row, REFERENCE_UNITS, true},
    [REFERENCE_PACKAGE_TYPES] = {"package_types.csv", {"code"}, package_row, REFERENCE_PACKAGE_TYPES, true},
    [REFERENCE_UNLOCODE] = {"unlocode_subset.csv", {"locode"}, locode_row, REFERENCE_UNLOCODE, true},
    [REFERENCE_HS2017] = {"hs2017.csv", {"code", "digits", "std_unit"}, hs_row, REFERENCE_HS2017, true},
    [REFERENCE_HS2022] = {"hs2022.csv", {"code", "digits", "std_unit"}, hs_row, REFERENCE_HS2022, true},
    [REFERENCE_NATIONAL_CODES] = {"national_codes.csv", {"code"}, national_row, REFERENCE_NATIONAL_CODES, true},
    [REFERENCE_COUNTRY_GROUPS] =
        {"country_groups.csv", {"group", "alpha2", "from", "to_exclusive"}, group_row, REFERENCE_COUNTRY_GROUPS, true},
    [REFERENCE_FX] = {"fx_monthly_per_usd.csv", {"month", "currency", "units_per_usd"}, fx_row, REFERENCE_FX, true},
    [REFERENCE_BANDS] =
        {"bands.csv", {"hs", "flow", "measure", "n", "low", "median", "high"}, band_row, REFERENCE_BANDS, true},
    [REFERENCE_PILOT_ZONES] =
        {"pilot_zones.csv", {"code", "valid_from", "valid_to"}, pilot_zone_row, REFERENCE_PILOT_ZONES, true},
    [REFERENCE_NEIGHBOURS] = {"neighbours.csv", {"country", "neighbour"}, neighbour_row, REFERENCE_NEIGHBOURS, true},
    [REFERENCE_HS_MOVES] =
        {"hs2022_hs2017.csv", {"hs2022", "hs2017", "is_conversion"}, move_row, REFERENCE_HS_MOVES, false},
};

const char *reference_read_file(enum reference_list list)
{
    CHECK(list < REFERENCE_LISTS);
    return lists[list].file;
}

/* Rows may stand in any order, so their hashes are added; but the order of units gives the standard units their
 * numbers. */
static void hash_row(struct reading *reading, uint32_t columns)
{
    if (!reading->list->decides)
        return;
    uint64_t hash = (uint64_t)reading->list->id + 1;
    if (reading->list->id == REFERENCE_UNITS)
        hash = hash_mix(hash ^ HASH_P0, reading->row ^ HASH_P1);
    for (uint32_t i = 0; i < columns; i++)
        hash = hash_bytes(reading->field[i].data, reading->field[i].length, hash + i);
    reading->reference->hash += hash;
}

static enum err read_rows(struct reading *reading)
{
    uint32_t index[COLUMNS_MOST];
    uint32_t columns = 0;
    while (columns < COLUMNS_MOST && reading->list->columns[columns])
        columns++;
    TRY(csv_columns(reading->csv, reading->list->columns, index, columns, reading->list->optional, reading->info));
    for (;;) {
        struct csv_row row;
        TRY(csv_next(reading->csv, &row, reading->info));
        if (row.count == 0)
            return OK;
        for (uint32_t i = 0; i < columns; i++)
            reading->field[i] = index[i] == CSV_NO_COLUMN ? (struct text){"", 0} : row.fields[index[i]];
        reading->row++;
        TRY(reading->list->read(reading));
        hash_row(reading, columns - reading->list->remarks);
    }
}

enum err reference_read(struct reference *reference, enum reference_list list, const char *path, struct err_info *info)
{
    struct reading reading = {.reference = reference, .list = &lists[list], .info = info};
    TRY(csv_open(path, &reading.csv, info));
    enum err err = read_rows(&reading);
    csv_free(reading.csv);
    if (err != OK)
        return ERR_CONFIG; /* it is the site's configuration; the text stays as it is */
    reference->has[list] = true;
    reference->rows[list] = reading.row;
    if (lists[list].decides)
        reference->hash += hash_mix((uint64_t)list + 1, HASH_P2);
    return OK;
}
