/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/conversion.h"

#include "base/decimal.h"
#include "cmd/moment.h"

#include <errno.h>
#include <stdlib.h>

const struct conversion_row conversion_rows[CONVERSIONS] = {
    [CONVERSION_DATE] = {"date", CONVERSION_TAKES_NONE, false, "date"},
    [CONVERSION_MILLIS] = {"millis", CONVERSION_TAKES_ZONE, true, "millis(ZONE)"},
    [CONVERSION_KG] = {"kg", CONVERSION_TAKES_NONE, true, "kg"},
    [CONVERSION_G] = {"g", CONVERSION_TAKES_NONE, true, "g"},
    [CONVERSION_MONEY] = {"money", CONVERSION_TAKES_CURRENCY, true, "money(CURRENCY)"},
    [CONVERSION_NUMBER] = {"number", CONVERSION_TAKES_SCALE, true, "number(SCALE)"},
    [CONVERSION_TABLE] = {"table", CONVERSION_TAKES_PAIRS, false, "table(a:b,...)"},
    [CONVERSION_APPEND] = {"append", CONVERSION_TAKES_TEXT, false, "append(TEXT)"},
    [CONVERSION_PREFIX] = {"prefix", CONVERSION_TAKES_TEXT, false, "prefix(TEXT)"},
};

static enum err no_room(struct err_info *info)
{
    return err_set(info, ERR_DATA, "the row's texts are too long");
}

static enum err join(struct text a, struct text b, struct arena *arena, struct text *out, struct err_info *info)
{
    char *data = arena_alloc(arena, (size_t)a.length + b.length);
    if (!data)
        return no_room(info);
    if (a.length)
        memcpy(data, a.data, a.length);
    if (b.length)
        memcpy(data + a.length, b.data, b.length);
    *out = (struct text){data, a.length + b.length};
    return OK;
}

static enum err look_up(const struct conversion *conversion, struct conversion_value *value, struct err_info *info)
{
    struct text rest = conversion->argument;
    while (rest.length > 0) {
        struct text pair = text_cut(&rest, ',');
        struct text from = text_trim(text_cut(&pair, ':'));
        if (text_equal(from, value->text)) {
            value->text = text_trim(pair);
            return OK;
        }
    }
    return err_set(info, ERR_DATA, "\"%.*s\" is not in the map's table", TEXT_ARGS(value->text));
}

static enum err to_date(struct conversion_value *value, struct arena *arena, struct err_info *info)
{
    uint32_t date;
    TRY(moment_date(value->text, &date, info));
    char *digits = arena_alloc(arena, 8);
    if (!digits)
        return no_room(info);
    for (int i = 7; i >= 0; i--, date /= 10)
        digits[i] = (char)('0' + date % 10);
    value->text = (struct text){digits, 8};
    return OK;
}

static enum err to_number(const struct conversion *conversion, struct conversion_value *value, struct err_info *info)
{
    value->is_number = true;
    enum decimal_result result = decimal_read(value->text, conversion->scale, &value->number);
    if (result != DECIMAL_OK)
        return err_set(info, ERR_DATA, "\"%.*s\": %s", TEXT_ARGS(value->text), decimal_reason(result));
    return OK;
}

enum err conversion_apply(const struct conversion *conversion, struct conversion_value *value, struct arena *arena,
                          struct err_info *info)
{
    switch (conversion->op) {
    case CONVERSION_DATE:
        return to_date(value, arena, info);
    case CONVERSION_MILLIS:
        value->is_number = true;
        return moment_ms(value->text, &value->number, info);
    case CONVERSION_TABLE:
        return look_up(conversion, value, info);
    case CONVERSION_APPEND:
        return join(value->text, conversion->argument, arena, &value->text, info);
    case CONVERSION_PREFIX:
        return join(conversion->argument, value->text, arena, &value->text, info);
    case CONVERSION_KG:
    case CONVERSION_G:
    case CONVERSION_MONEY:
    case CONVERSION_NUMBER:
    case CONVERSIONS:
        return to_number(conversion, value, info);
    }
    return OK;
}

static enum err whole_number(const struct conversion_value *value, const struct field *field, int64_t *out,
                             struct err_info *info)
{
    *out = value->number;
    if (!value->is_number && !text_to_int64(value->text, out))
        return err_set(info, ERR_DATA, "\"%.*s\" is no whole number, which %s needs%s", TEXT_ARGS(value->text),
                       field->name,
                       field->kind == FIELD_I64 ? "; use an op such as kg, money(CUR) or number(SCALE)" : "");
    if (field->kind == FIELD_U32 && (*out < 0 || *out > UINT32_MAX))
        return err_set(info, ERR_DATA, "%lld does not fit %s (0 to 4294967295)", (long long)*out, field->name);
    return OK;
}

static enum err whole_hash(struct text text, const struct field *field, uint64_t *out, struct err_info *info)
{
    char digits[24] = {0};
    char *end = NULL;
    if (text.length > 0 && text.length < sizeof digits && text.data[0] >= '0' && text.data[0] <= '9') {
        memcpy(digits, text.data, text.length);
        errno = 0;
        *out = strtoull(digits, &end, 0);
    }
    if (!end || *end || errno)
        return err_set(info, ERR_DATA, "\"%.*s\" is no 64-bit number (decimal or 0x...), which %s needs",
                       TEXT_ARGS(text), field->name);
    return OK;
}

static enum err enum_number(struct text text, const struct field *field, int32_t *out, struct err_info *info)
{
    int32_t found = declaration_enum_value(field->name, text);
    if (found < 0)
        return err_set(info, ERR_DATA, "\"%.*s\" is no value of %s; use a short name of the schema, such as %s",
                       TEXT_ARGS(text), field->name, declaration_enum_name(field->name, 1));
    *out = found;
    return OK;
}

enum err conversion_assign(const struct field *field, const struct conversion_value *value, struct arena *arena,
                           void *base, struct err_info *info)
{
    void *place = (char *)base + field->offset;
    int64_t number;
    switch (field->kind) {
    case FIELD_TEXT:
        *(struct text *)place = value->text;
        return OK;
    case FIELD_U32:
        TRY(whole_number(value, field, &number, info));
        *(uint32_t *)place = (uint32_t)number;
        return OK;
    case FIELD_I64:
        TRY(whole_number(value, field, &number, info));
        *(int64_t *)place = number;
        return OK;
    case FIELD_U64:
        return whole_hash(value->text, field, place, info);
    case FIELD_ENUM:
        return enum_number(value->text, field, place, info);
    case FIELD_BOOL:
        if (!text_is(value->text, "true") && !text_is(value->text, "false"))
            return err_set(info, ERR_DATA, "\"%.*s\" is neither true nor false", TEXT_ARGS(value->text));
        *(bool *)place = value->text.data[0] == 't';
        return OK;
    case FIELD_TEXTS: {
        struct text *one = arena_alloc(arena, sizeof *one);
        if (!one)
            return no_room(info);
        *one = value->text;
        *(struct text_list *)place = (struct text_list){one, 1};
        return OK;
    }
    case FIELD_ITEMS:
        return OK; /* no name of a map leads here: parse_field wants items.N.field */
    }
    return OK;
}
