/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/summary.h"

#include "base/buffer.h"
#include "base/hash.h"
#include "base/i128.h"
#include "base/memory.h"
#include "base/table.h"
#include "trade/calendar.h"

#include "customs/v1/statistic.pb-c.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

enum { DIMENSIONS_MOST = 16, NAME_BYTES = 32, VIEWS_MOST_SEEN = 64, UNIT_BYTES = 8, CELL_BYTES = 64 };

struct row {
    char *key; /* the record key, zero-terminated */
    uint64_t as_of;
    bool month;
    uint32_t from;
    uint32_t to;
    int64_t value_minor;
    int64_t customs_value_minor;
    int64_t net_mass_g;
    int64_t gross_mass_g;
    uint64_t declarations;
    uint64_t items;
    uint64_t packages;
};

struct sums {
    i128 value_minor;
    i128 customs_value_minor;
    i128 net_mass_g;
    i128 gross_mass_g;
    i128 declarations;
    i128 items;
    i128 packages;
};

struct group {
    char *values; /* of the chosen dimensions, each ended by zero */
    struct sums sums;
};

/* A chosen dimension: which part of the record key it is, and how much of it. */
struct column {
    char name[NAME_BYTES];
    uint32_t part;   /* of the key's dimensions; DIMENSIONS_MOST: the period */
    uint32_t digits; /* cut to so many; 0: not cut */
};

struct summary {
    const char *view;
    struct table *index;
    struct row *rows;
    uint32_t capacity;
    char currency[4];
    char seen[VIEWS_MOST_SEEN][NAME_BYTES]; /* other views, to name them in an error */
    uint32_t seen_count;
    /* made */
    struct summary_request request;
    struct column columns[DIMENSIONS_MOST];
    uint32_t column_count;
    bool by_month;
    bool declarations_add; /* what was left out of the key can't count a declaration twice */
    struct table *group_index;
    struct group *groups;
    uint32_t group_capacity;
    uint32_t group_count;
    struct sums total;
};

static const struct hash_key no_secret = {{0, 0}}; /* the topic is ours; a flood would only slow a report */

struct summary *summary_new(const char *view)
{
    struct summary *summary = memory_new(1, sizeof *summary);
    summary->view = view;
    summary->index = table_new(1 << 12);
    return summary;
}

static void forget_groups(struct summary *summary)
{
    for (uint32_t i = 0; i < summary->group_count; i++)
        memory_free(summary->groups[i].values);
    memory_free(summary->groups);
    table_free(summary->group_index);
    summary->groups = NULL;
    summary->group_index = NULL;
    summary->group_count = 0;
    summary->group_capacity = 0;
}

void summary_free(struct summary *summary)
{
    if (!summary)
        return;
    for (uint32_t i = 0; i < table_count(summary->index); i++)
        memory_free(summary->rows[i].key);
    memory_free(summary->rows);
    table_free(summary->index);
    forget_groups(summary);
    memory_free(summary);
}

/* ---- taking ---- */

static struct table_key place_of(const char *data, size_t length)
{
    struct hash128 hash = hash_sip128(data, length, &no_secret);
    return (struct table_key){{hash.word[0], hash.word[1], 0, 0}};
}

static void see_view(struct summary *summary, struct text name)
{
    for (uint32_t i = 0; i < summary->seen_count; i++) {
        if (text_is(name, summary->seen[i]))
            return;
    }
    if (summary->seen_count < VIEWS_MOST_SEEN && name.length < NAME_BYTES) {
        memcpy(summary->seen[summary->seen_count], name.data, name.length);
        summary->seen[summary->seen_count++][name.length] = '\0';
    }
}

static struct row *row_of(struct summary *summary, struct text key)
{
    struct table_key place = place_of(key.data, key.length);
    bool added;
    uint32_t index = table_put(summary->index, &place, table_hash(&place), &added);
    if (index == summary->capacity) {
        summary->capacity = summary->capacity ? summary->capacity * 2 : 1024;
        summary->rows = memory_resize(summary->rows, summary->capacity, sizeof summary->rows[0]);
    }
    if (added)
        summary->rows[index] = (struct row){.key = memory_copy_text(key.data, key.length)};
    return &summary->rows[index];
}

static void take_record(struct summary *summary, struct row *row, const Customs__V1__Statistic *m)
{
    row->as_of = m->as_of;
    row->month = m->frequency == CUSTOMS__V1__FREQUENCY__FREQUENCY_MONTH;
    row->from = m->period_from;
    row->to = m->period_to;
    row->value_minor = m->value_minor;
    row->customs_value_minor = m->customs_value_minor;
    row->net_mass_g = m->net_mass_g;
    row->gross_mass_g = m->gross_mass_g;
    row->declarations = m->declarations;
    row->items = m->items;
    row->packages = m->packages;
    if (strlen(m->currency) < sizeof summary->currency)
        memcpy(summary->currency, m->currency, strlen(m->currency) + 1);
}

bool summary_take(struct summary *summary, struct text key, struct bytes value)
{
    struct text rest = key;
    struct text view = text_cut(&rest, '|');
    if (key.length == 0 || key.data[0] == '#')
        return true;
    if (!text_is(view, summary->view)) {
        see_view(summary, view);
        return true;
    }
    if (value.length == 0) { /* a tombstone: nothing may follow it but a record with a larger as_of */
        struct row *row = row_of(summary, key);
        *row = (struct row){.key = row->key, .as_of = row->as_of};
        return true;
    }
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, value.length, value.data);
    if (!m)
        return false;
    struct row *row = row_of(summary, key);
    if (m->as_of > row->as_of && (m->frequency == CUSTOMS__V1__FREQUENCY__FREQUENCY_MONTH ||
                                  m->frequency == CUSTOMS__V1__FREQUENCY__FREQUENCY_DAY))
        take_record(summary, row, m);
    customs__v1__statistic__free_unpacked(m, NULL);
    return true;
}

/* ---- dimensions ---- */

/* Splits a record key into the "name=value" parts of its dimensions. */
static uint32_t parts_of(const char *key, struct text out[static DIMENSIONS_MOST])
{
    struct text rest = text_of(key);
    uint32_t count = 0;
    for (int i = 0; i < 4; i++)
        text_cut(&rest, '|');
    while (rest.length > 0 && count < DIMENSIONS_MOST)
        out[count++] = text_cut(&rest, '|');
    return count;
}

static struct text name_of(struct text part)
{
    return text_cut(&part, '=');
}

/* Digits of "hs6"; 0 if it is no commodity. */
static uint32_t digits_of(struct text name)
{
    if (name.length < 3 || name.length > 4 || memcmp(name.data, "hs", 2) != 0)
        return 0;
    return (uint32_t)(name.length == 3 ? name.data[2] - '0' : (name.data[2] - '0') * 10 + (name.data[3] - '0'));
}

/* Every declaration has one value of these, so that leaving them out counts none twice. */
static bool is_of_header(struct text name)
{
    static const char *const names[] = {"office", "border_office", "zone", "mode", "trade_mode", "flow"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (text_is(name, names[i]))
            return true;
    }
    return false;
}

static bool find_part(struct text name, const struct text *parts, uint32_t count, struct column *out)
{
    uint32_t digits = digits_of(name);
    if (text_is(name, "period")) {
        out->part = DIMENSIONS_MOST;
        return true;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct text part = name_of(parts[i]);
        if (text_equal(name, part) || (digits && digits < digits_of(part))) {
            out->part = i;
            out->digits = text_equal(name, part) ? 0 : digits;
            return true;
        }
    }
    return false;
}

static enum err add_column(struct summary *summary, struct text name, const struct text *parts, uint32_t count,
                           struct err_info *info)
{
    struct column column = {.name = ""};
    if (name.length >= NAME_BYTES || summary->column_count == DIMENSIONS_MOST ||
        !find_part(name, parts, count, &column)) {
        struct buffer known = {0};
        for (uint32_t i = 0; i < count; i++)
            buffer_add_format(&known, "%.*s, ", TEXT_ARGS(name_of(parts[i])));
        enum err err = err_set(info, ERR_CONFIG, "--by %.*s: view %s has %.*speriod", TEXT_ARGS(name), summary->view,
                               (int)known.length, (const char *)known.data);
        buffer_fini(&known);
        return err;
    }
    memcpy(column.name, name.data, name.length);
    column.name[name.length] = '\0';
    summary->columns[summary->column_count++] = column;
    return OK;
}

static enum err choose_columns(struct summary *summary, struct err_info *info)
{
    struct text parts[DIMENSIONS_MOST];
    uint32_t count = parts_of(summary->rows[0].key, parts);
    struct text by = text_of(summary->request.by);
    summary->column_count = 0;
    summary->declarations_add = true;
    for (uint32_t i = 0; i < count && !summary->request.by; i++)
        TRY(add_column(summary, name_of(parts[i]), parts, count, info));
    while (by.length > 0)
        TRY(add_column(summary, text_trim(text_cut(&by, ',')), parts, count, info));
    for (uint32_t i = 0; i < count; i++) {
        bool is_kept = false;
        for (uint32_t j = 0; j < summary->column_count; j++)
            is_kept |= summary->columns[j].part == i && summary->columns[j].digits == 0;
        summary->declarations_add &= is_kept || is_of_header(name_of(parts[i]));
    }
    return OK;
}

/* ---- sums ---- */

static void add_row(struct sums *sums, const struct row *row)
{
    sums->value_minor += row->value_minor;
    sums->customs_value_minor += row->customs_value_minor;
    sums->net_mass_g += row->net_mass_g;
    sums->gross_mass_g += row->gross_mass_g;
    sums->declarations += (i128)row->declarations;
    sums->items += (i128)row->items;
    sums->packages += (i128)row->packages;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void put_decoded(struct buffer *out, struct text value)
{
    for (uint32_t i = 0; i < value.length; i++) {
        if (value.data[i] == '%' && i + 2 < value.length && hex_digit(value.data[i + 1]) >= 0 &&
            hex_digit(value.data[i + 2]) >= 0) {
            buffer_add_u8(out, (uint8_t)(hex_digit(value.data[i + 1]) * 16 + hex_digit(value.data[i + 2])));
            i += 2;
        } else {
            buffer_add_u8(out, (uint8_t)value.data[i]);
        }
    }
}

/* The row's values of the chosen dimensions, each ended by zero. */
static void values_of(const struct summary *summary, const struct row *row, struct buffer *out)
{
    struct text parts[DIMENSIONS_MOST];
    uint32_t count = parts_of(row->key, parts);
    buffer_clear(out);
    for (uint32_t i = 0; i < summary->column_count; i++) {
        const struct column *column = &summary->columns[i];
        if (column->part == DIMENSIONS_MOST) {
            buffer_add_format(out, row->month ? "%04u-%02u" : "%04u-%02u-%02u", row->from / 10000,
                              row->from / 100 % 100, row->from % 100);
        } else if (column->part < count) {
            struct text value = parts[column->part];
            text_cut(&value, '=');
            if (column->digits && value.length > column->digits)
                value.length = column->digits;
            put_decoded(out, value);
        }
        buffer_add_u8(out, 0);
    }
}

static struct group *group_of(struct summary *summary, const struct buffer *values)
{
    struct table_key place = place_of((const char *)values->data, values->length);
    bool added;
    uint32_t index = table_put(summary->group_index, &place, table_hash(&place), &added);
    if (index == summary->group_capacity) {
        summary->group_capacity = summary->group_capacity ? summary->group_capacity * 2 : 256;
        summary->groups = memory_resize(summary->groups, summary->group_capacity, sizeof summary->groups[0]);
    }
    if (added) {
        summary->groups[index] = (struct group){.values = memory_copy_text((const char *)values->data, values->length)};
        summary->group_count++;
    }
    return &summary->groups[index];
}

static const char *value_at(const struct group *group, uint32_t column)
{
    const char *at = group->values;
    while (column-- > 0)
        at += strlen(at) + 1;
    return at;
}

/* The largest value first; equal ones by their first dimension. */
static int compare_groups(const void *a, const void *b)
{
    const struct group *left = a;
    const struct group *right = b;
    if (left->sums.value_minor != right->sums.value_minor)
        return left->sums.value_minor < right->sums.value_minor ? 1 : -1;
    return strcmp(left->values, right->values);
}

static enum err choose_frequency(struct summary *summary, struct err_info *info)
{
    const struct summary_request *request = &summary->request;
    bool whole = request->from % 100 == 1 && calendar_month_last(request->to) == request->to;
    bool has_months = false;
    bool has_days = false;
    for (uint32_t i = 0; i < table_count(summary->index); i++) {
        has_months |= summary->rows[i].month;
        has_days |= summary->rows[i].from && !summary->rows[i].month;
    }
    if (!whole && !has_days)
        return err_set(info, ERR_CONFIG, "view %s holds months only: give whole months, like --period %04u-%02u",
                       summary->view, request->from / 10000, request->from / 100 % 100);
    summary->by_month = whole && has_months;
    return OK;
}

static enum err no_rows(const struct summary *summary, struct err_info *info)
{
    struct buffer views = {0};
    for (uint32_t i = 0; i < summary->seen_count; i++)
        buffer_add_format(&views, "%s%s", i ? ", " : "; there are ", summary->seen[i]);
    enum err err = err_set(info, ERR_CONFIG, "topic.statistics has no record of view %s%.*s", summary->view,
                           (int)views.length, views.data ? (const char *)views.data : "");
    buffer_fini(&views);
    return err;
}

enum err summary_make(struct summary *summary, const struct summary_request *request, struct err_info *info)
{
    summary->request = *request;
    forget_groups(summary);
    if (table_count(summary->index) == 0)
        return no_rows(summary, info);
    TRY(choose_columns(summary, info));
    TRY(choose_frequency(summary, info));
    summary->group_index = table_new(256);
    summary->total = (struct sums){0};
    struct buffer values = {0};
    for (uint32_t i = 0; i < table_count(summary->index); i++) {
        const struct row *row = &summary->rows[i];
        if (row->items == 0 || row->month != summary->by_month || row->from < request->from || row->to > request->to)
            continue;
        values_of(summary, row, &values);
        add_row(&group_of(summary, &values)->sums, row);
        add_row(&summary->total, row);
    }
    buffer_fini(&values);
    if (summary->group_count)
        qsort(summary->groups, summary->group_count, sizeof summary->groups[0], compare_groups);
    return OK;
}

struct text summary_currency(const struct summary *summary)
{
    return text_of(summary->currency);
}

/* ---- text ---- */

static char *thousands(i128 v, char out[static CELL_BYTES])
{
    char digits[I128_TEXT_BYTES];
    i128_to_text(v < 0 ? -v : v, digits);
    size_t length = strlen(digits);
    char *at = out;
    if (v < 0)
        *at++ = '-';
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return out;
}

/* v / scale with three significant digits, or whole with separators. */
static char *three_digits(i128 v, i128 scale, char out[static CELL_BYTES])
{
    i128 size = v < 0 ? -v : v;
    int decimals = size < scale ? 3 : size < scale * 10 ? 2 : size < scale * 100 ? 1 : 0;
    i128 power = 1;
    for (int i = 0; i < decimals; i++)
        power *= 10;
    i128 rounded = i128_divide_round(size * power, scale);
    char whole[CELL_BYTES];
    thousands(rounded / power, whole);
    if (decimals == 0)
        snprintf(out, CELL_BYTES, "%s%.48s", v < 0 ? "-" : "", whole);
    else
        snprintf(out, CELL_BYTES, "%s%.40s.%0*d", v < 0 ? "-" : "", whole, decimals, (int)(rounded % power));
    return out;
}

static i128 power_of_ten(uint32_t exponent)
{
    i128 power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

static i128 whole_units(const struct summary *summary, i128 minor)
{
    return i128_divide_round(minor, power_of_ten(summary->request.currency_decimals));
}

enum { NUMBERS = 4 };

static void numbers_of(const struct summary *summary, const struct sums *sums, char out[static NUMBERS][CELL_BYTES])
{
    thousands(whole_units(summary, sums->value_minor), out[0]);
    three_digits(sums->net_mass_g, 1000000, out[1]);
    if (summary->declarations_add)
        thousands(sums->declarations, out[2]);
    else
        snprintf(out[2], CELL_BYTES, "-");
    thousands(sums->items, out[3]);
}

static int wider(int width, const char *text)
{
    return (int)strlen(text) > width ? (int)strlen(text) : width;
}

static void print_total(const struct summary *summary, FILE *out)
{
    static const struct {
        uint32_t exponent;
        const char *unit;
    } scales[] = {{12, "tn "}, {9, "bn "}, {6, "M "}};
    i128 units = whole_units(summary, summary->total.value_minor);
    i128 size = units < 0 ? -units : units;
    char cells[NUMBERS][CELL_BYTES];
    numbers_of(summary, &summary->total, cells);
    char value[CELL_BYTES];
    const char *unit = "";
    snprintf(value, sizeof value, "%s", cells[0]);
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        if (size >= power_of_ten(scales[i].exponent)) {
            three_digits(units, power_of_ten(scales[i].exponent), value);
            unit = scales[i].unit;
            break;
        }
    }
    fprintf(out, "total: %s %s%s, %s t, %s declarations, %s items\n", value, unit, summary->currency, cells[1],
            cells[2], cells[3]);
}

void summary_print_text(const struct summary *summary, FILE *out)
{
    char heads[NUMBERS][CELL_BYTES] = {"", "net t", "declarations", "items"};
    int widths[DIMENSIONS_MOST] = {0};
    int numbers[NUMBERS] = {0};
    char cells[NUMBERS][CELL_BYTES];
    snprintf(heads[0], CELL_BYTES, "value %s", summary->currency);
    for (uint32_t i = 0; i < summary->group_count; i++) {
        numbers_of(summary, &summary->groups[i].sums, cells);
        for (uint32_t c = 0; c < summary->column_count; c++)
            widths[c] = wider(widths[c], value_at(&summary->groups[i], c));
        for (int n = 0; n < NUMBERS; n++)
            numbers[n] = wider(numbers[n], cells[n]);
    }
    for (uint32_t c = 0; c < summary->column_count; c++) {
        widths[c] = wider(widths[c], summary->columns[c].name);
        fprintf(out, "%-*s  ", widths[c], summary->columns[c].name);
    }
    for (int n = 0; n < NUMBERS; n++) {
        numbers[n] = wider(numbers[n], heads[n]);
        fprintf(out, "%s%*s", n ? "  " : "", numbers[n], heads[n]);
    }
    fputc('\n', out);
    for (uint32_t i = 0; i < summary->group_count; i++) {
        numbers_of(summary, &summary->groups[i].sums, cells);
        for (uint32_t c = 0; c < summary->column_count; c++)
            fprintf(out, "%-*s  ", widths[c], value_at(&summary->groups[i], c));
        for (int n = 0; n < NUMBERS; n++)
            fprintf(out, "%s%*s", n ? "  " : "", numbers[n], cells[n]);
        fputc('\n', out);
    }
    print_total(summary, out);
}

/* ---- CSV and JSON ---- */

/* How the contract names the field of a dimension. */
static const char *field_of(const char *dimension)
{
    static const char *const names[][2] = {
        {"office", "office_code"}, {"border_office", "border_office_code"},
        {"zone", "zone_code"},     {"mode", "transport_mode"},
        {"region", "region_code"}, {"partner_consignment", "partner"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(dimension, names[i][0]) == 0)
            return names[i][1];
    }
    return digits_of(text_of(dimension)) ? "commodity_code" : dimension;
}

enum { FIELDS = 7 };
static const char *const fields[FIELDS] = {
    "value_minor", "customs_value_minor", "net_mass_g", "gross_mass_g", "declarations", "items", "packages"};

/* Empty where the sum says nothing. */
static void fields_of(const struct summary *summary, const struct sums *sums, char out[static FIELDS][I128_TEXT_BYTES])
{
    i128_to_text(sums->value_minor, out[0]);
    i128_to_text(sums->customs_value_minor, out[1]);
    i128_to_text(sums->net_mass_g, out[2]);
    i128_to_text(sums->gross_mass_g, out[3]);
    i128_to_text(sums->declarations, out[4]);
    i128_to_text(sums->items, out[5]);
    i128_to_text(sums->packages, out[6]);
    if (!summary->declarations_add)
        out[4][0] = '\0';
}

static void print_csv_field(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++)
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, out);
    fputc('"', out);
}

void summary_print_csv(const struct summary *summary, FILE *out)
{
    fputs("view,period_from,period_to", out);
    for (uint32_t c = 0; c < summary->column_count; c++)
        fprintf(out, ",%s", field_of(summary->columns[c].name));
    fputs(",currency", out);
    for (int f = 0; f < FIELDS; f++)
        fprintf(out, ",%s", fields[f]);
    fputc('\n', out);
    for (uint32_t i = 0; i < summary->group_count; i++) {
        char cells[FIELDS][I128_TEXT_BYTES];
        fields_of(summary, &summary->groups[i].sums, cells);
        print_csv_field(out, summary->view);
        fprintf(out, ",%u,%u", summary->request.from, summary->request.to);
        for (uint32_t c = 0; c < summary->column_count; c++) {
            fputc(',', out);
            print_csv_field(out, value_at(&summary->groups[i], c));
        }
        fprintf(out, ",%s", summary->currency);
        for (int f = 0; f < FIELDS; f++)
            fprintf(out, ",%s", cells[f]);
        fputc('\n', out);
    }
}

static json_t *json_of(const struct summary *summary, const struct group *group)
{
    json_t *object = json_object();
    char cells[FIELDS][I128_TEXT_BYTES];
    fields_of(summary, &group->sums, cells);
    json_object_set_new(object, "view", json_string(summary->view));
    json_object_set_new(object, "period_from", json_integer(summary->request.from));
    json_object_set_new(object, "period_to", json_integer(summary->request.to));
    for (uint32_t c = 0; c < summary->column_count; c++) {
        const char *field = field_of(summary->columns[c].name);
        const char *value = value_at(group, c);
        int64_t mode;
        if (strcmp(field, "transport_mode") == 0 && text_to_int64(text_of(value), &mode))
            json_object_set_new(object, field, json_integer(mode));
        else
            json_object_set_new(object, field, json_string(value));
    }
    json_object_set_new(object, "currency", json_string(summary->currency));
    for (int f = 0; f < FIELDS; f++)
        json_object_set_new(object, fields[f], cells[f][0] ? json_string(cells[f]) : json_null());
    return object;
}

void summary_print_json(const struct summary *summary, FILE *out)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < summary->group_count; i++)
        json_array_append_new(all, json_of(summary, &summary->groups[i]));
    json_dumpf(all, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(all);
}
