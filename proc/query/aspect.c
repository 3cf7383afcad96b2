/* SPDX-License-Identifier: Apache-2.0 */
#include "query/aspect.h"

#include "flow/key_text.h"
#include "trade/calendar.h"
#include "trade/trade_class.h"

enum { YEAR = 10000 };

static const struct {
    const char *name;
    enum aspect_kind kind;
} times[] = {{"period", ASPECT_PERIOD}, {"month", ASPECT_MONTH}, {"quarter", ASPECT_QUARTER}, {"year", ASPECT_YEAR}};

/* Aspects that are read off a part of another name. */
static const struct {
    const char *name;
    const char *part;
    enum aspect_kind kind;
} derived[] = {{"trade_class", "trade_mode", ASPECT_CLASS}, {"partner_group", "partner", ASPECT_GROUP}};

uint32_t aspect_commodity_digits(struct text name)
{
    int64_t digits;
    if (name.length < 3 || name.length > 4 || memcmp(name.data, "hs", 2) != 0 ||
        !text_to_int64((struct text){name.data + 2, name.length - 2}, &digits))
        return 0;
    return digits >= 2 && digits <= 10 && digits % 2 == 0 ? (uint32_t)digits : 0;
}

static bool find_part(struct text name, const struct record_parts *parts, struct aspect *out)
{
    uint32_t digits = aspect_commodity_digits(name);
    for (uint32_t i = 0; i < parts->count; i++) {
        struct text part = records_name(parts->part[i]);
        out->part = i;
        out->kind = ASPECT_PART;
        if (text_equal(name, part))
            return true;
        out->kind = ASPECT_DIGITS;
        out->digits = digits;
        if (digits && digits < aspect_commodity_digits(part))
            return true;
        for (size_t d = 0; d < sizeof derived / sizeof derived[0]; d++) {
            out->kind = derived[d].kind;
            if (text_is(name, derived[d].name) && text_is(part, derived[d].part))
                return true;
        }
    }
    return false;
}

bool aspect_find(struct text name, const char *key, struct aspect *out)
{
    struct aspect found = {.name = ""};
    struct record_parts parts;
    bool is_found = false;
    if (name.length == 0 || name.length >= ASPECT_NAME_BYTES)
        return false;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (text_is(name, times[i].name)) {
            found.kind = times[i].kind;
            is_found = true;
        }
    }
    records_split(key, &parts);
    if (!is_found && !find_part(name, &parts, &found))
        return false;
    memcpy(found.name, name.data, name.length);
    found.name[name.length] = '\0';
    *out = found;
    return true;
}

void aspect_names(const char *key, struct buffer *out)
{
    struct record_parts parts;
    records_split(key, &parts);
    for (uint32_t i = 0; i < parts.count; i++) {
        struct text name = records_name(parts.part[i]);
        buffer_add_format(out, "%.*s, ", TEXT_ARGS(name));
        for (size_t d = 0; d < sizeof derived / sizeof derived[0]; d++) {
            if (text_is(name, derived[d].part))
                buffer_add_format(out, "%s, ", derived[d].name);
        }
    }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        buffer_add_format(out, "%s%s", i ? ", " : "", times[i].name);
}

static bool put_time(const struct aspect *aspect, const struct record *record, uint32_t years, struct buffer *out)
{
    uint32_t date = record->from + years * YEAR;
    uint32_t year = date / YEAR;
    uint32_t month = date / 100 % 100;
    if (aspect->kind == ASPECT_YEAR) {
        buffer_add_format(out, "%04u", year);
    } else if (aspect->kind == ASPECT_QUARTER) {
        buffer_add_format(out, "%04u-Q%u", year, (month + 2) / 3);
    } else if (aspect->kind == ASPECT_MONTH || record->month) {
        buffer_add_format(out, "%04u-%02u", year, month);
    } else {
        if (!calendar_is_date(date))
            return false;
        buffer_add_format(out, "%04u-%02u-%02u", year, month, date % 100);
    }
    return true;
}

bool aspect_put(const struct aspect *aspect, const struct record *record, uint32_t years, struct buffer *out)
{
    struct record_parts parts;
    if (aspect_is_time(aspect))
        return put_time(aspect, record, years, out);
    records_split(record->key, &parts);
    struct text value = aspect->part < parts.count ? records_value(parts.part[aspect->part]) : TEXT("");
    if (aspect->kind == ASPECT_DIGITS && value.length > aspect->digits)
        value.length = aspect->digits;
    if (aspect->kind == ASPECT_CLASS)
        buffer_add_text(out, trade_class_of(value));
    else
        key_text_add_read(out, value);
    return true;
}
