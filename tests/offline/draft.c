/* SPDX-License-Identifier: Apache-2.0 */
#include "offline/draft.h"

#include "base/check.h"
#include "base/decimal.h"
#include "flow/wire.h"

#include <stdlib.h>

/* A short name, and the field that it means. */
struct alias {
    const char *name;
    const char *field;
};

static const struct alias aliases[] = {
    {"date", "reference_date"},
    {"accepted", "accepted_at_ms"},
    {"released", "released_at_ms"},
    {"submitted", "submitted_at_ms"},
    {"crossing", "crossing_date"},
    {"office", "office_code"},
    {"border_office", "border_office_code"},
    {"zone", "zone_code"},
    {"mode", "border_transport_mode"},
    {"type", "declaration_type"},
    {"value", "statistical_value_minor"},
    {"customs", "customs_value_minor"},
    {"mass", "net_mass_mg"},
    {"gross", "gross_mass_mg"},
    {"hs", "hs_code"},
    {"origin", "origin_country"},
    {"destination", "destination_country"},
    {"consignment", "consignment_country"},
    {"packages", "package_count"},
    {"supp", "supp_quantity_micro"},
    {"unit", "supp_unit"},
    {"region", "region_code"},
    {"estimated", "mass_estimated"},
};

static struct item plain_item(uint32_t number)
{
    return (struct item){
        .item_no = number,
        .hs_code = TEXT("720851"),
        .net_mass_mg = 1000000000, /* 1 t */
        .statistical_value_minor = 100000,
        .origin_country = TEXT("KZ"),
        .procedure = TEXT("40"),
        .customs_value_minor = 100000,
        .gross_mass_mg = 1100000000,
        .package_count = 1,
        .description = TEXT("steel plates"),
    };
}

void draft_init(struct draft *draft, struct text id, const char *reporter, const char *currency, int64_t accepted_ms,
                uint32_t date)
{
    *draft = (struct draft){
        .declaration =
            {
                .declaration_id = id,
                .version = 1,
                .function = FUNCTION_ORIGINAL,
                .direction = DIRECTION_IMPORT,
                .reference_date = date,
                .office_code = TEXT("9407"),
                .border_transport_mode = 3,
                .accepted_at_ms = accepted_ms,
                .schema_version = 1,
                .scheme = SCHEME_OTHER,
                .reporter = text_of(reporter),
                .declaration_type = DECLARATION_TYPE_NORMAL,
                .status = STATUS_RELEASED,
                .submitted_at_ms = accepted_ms - 60000,
                .declarant_id = TEXT("DECLARANT1"),
                .trader_id = TEXT("TRADER1"),
                .reporting_currency = text_of(currency),
                .items = {NULL, 1},
            },
        .items = {plain_item(1)},
    };
}

void draft_cancel(struct draft *draft, uint32_t version)
{
    const struct declaration *old = &draft->declaration;
    draft->declaration = (struct declaration){
        .declaration_id = old->declaration_id,
        .version = version,
        .function = FUNCTION_CANCEL,
        .accepted_at_ms = old->accepted_at_ms,
        .schema_version = 1,
    };
}

/* Header fields that sum over the items. */
static void add_up(struct draft *draft)
{
    struct declaration *d = &draft->declaration;
    d->items.items = draft->items;
    d->item_count = d->items.count;
    d->total_gross_mass_mg = 0;
    d->total_packages = 0;
    for (uint32_t i = 0; i < d->items.count; i++) {
        d->total_gross_mass_mg += draft->items[i].gross_mass_mg;
        d->total_packages += draft->items[i].package_count;
    }
}

void draft_encode(struct draft *draft, struct buffer *out)
{
    if (draft->declaration.items.count > 0)
        add_up(draft);
    wire_encode(&draft->declaration, out);
}

/* ---- values ---- */

enum err draft_mass(struct text text, int64_t *out_mg, struct err_info *info)
{
    static const struct {
        const char *unit;
        int digits;
    } units[] = {{"mg", 0}, {"kg", 6}, {"g", 3}, {"t", 9}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct text unit = text_of(units[i].unit);
        struct text number = {text.data, text.length - unit.length};
        if (text.length > unit.length && memcmp(text.data + number.length, unit.data, unit.length) == 0 &&
            decimal_read(number, units[i].digits, out_mg) == DECIMAL_OK)
            return OK;
    }
    return err_set(info, ERR_CONFIG, "\"%.*s\" is no mass; write it with its unit, as in 5kg", TEXT_ARGS(text));
}

static bool ends_in(struct text text, const char *end)
{
    struct text tail = text_of(end);
    return text.length >= tail.length && memcmp(text.data + text.length - tail.length, tail.data, tail.length) == 0;
}

static enum err read_number(const struct field *field, struct text value, const struct draft_clock *clock, int64_t *out,
                            struct err_info *info)
{
    struct text name = text_of(field->name);
    if (field->kind == FIELD_ENUM) {
        *out = declaration_enum_value(field->name, value);
        return *out >= 0 ? OK : err_set(info, ERR_CONFIG, "%s has no \"%.*s\"", field->name, TEXT_ARGS(value));
    }
    if (ends_in(name, "_mg"))
        return draft_mass(value, out, info);
    if (ends_in(name, "_ms"))
        return clock->read(clock->self, value, out, info);
    if (decimal_read(value, ends_in(name, "_micro") ? 6 : 0, out) != DECIMAL_OK)
        return err_set(info, ERR_CONFIG, "%s: \"%.*s\" is no number", field->name, TEXT_ARGS(value));
    return OK;
}

static enum err store(const struct field *field, void *place, struct text value, const struct draft_clock *clock,
                      struct err_info *info)
{
    uint8_t *at = (uint8_t *)place + field->offset;
    if (field->kind == FIELD_TEXT) {
        memcpy(at, &value, sizeof value);
        return OK;
    }
    int64_t number;
    TRY(read_number(field, value, clock, &number, info));
    uint32_t word = (uint32_t)number;
    bool flag = number != 0;
    switch (field->kind) {
    case FIELD_U32:
    case FIELD_ENUM:
        memcpy(at, &word, sizeof word);
        return OK;
    case FIELD_I64:
    case FIELD_U64:
        memcpy(at, &number, sizeof number);
        return OK;
    case FIELD_BOOL:
        memcpy(at, &flag, sizeof flag);
        return OK;
    case FIELD_TEXT:
    case FIELD_TEXTS:
    case FIELD_ITEMS:
        break;
    }
    return err_set(info, ERR_CONFIG, "%s can't be written in a scenario", field->name);
}

/* What goes with a value or a mass unless it is written behind it. */
static void follow(struct text name, struct item *item)
{
    if (text_is(name, "value"))
        item->customs_value_minor = item->statistical_value_minor;
    if (text_is(name, "mass"))
        item->gross_mass_mg = item->net_mass_mg + item->net_mass_mg / 10;
}

static enum err write_word(struct draft *draft, uint32_t item, struct text word, const struct draft_clock *clock,
                           struct err_info *info)
{
    struct text value = word;
    struct text name = text_cut(&value, '=');
    if (name.length == word.length)
        return err_set(info, ERR_CONFIG, "\"%.*s\": write field=value", TEXT_ARGS(word));
    struct text full = name;
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        if (text_is(name, aliases[i].name))
            full = text_of(aliases[i].field);
    }
    const struct field *field = item_field_named(full);
    if (field) {
        TRY(store(field, &draft->items[item], value, clock, info));
        follow(name, &draft->items[item]);
        return OK;
    }
    field = item == 0 ? declaration_field_named(full) : NULL;
    if (!field)
        return err_set(info, ERR_CONFIG, "\"%.*s\" is no field%s", TEXT_ARGS(name), item ? " of an item" : "");
    return store(field, &draft->declaration, value, clock, info);
}

enum err draft_write(struct draft *draft, const struct text *words, int count, const struct draft_clock *clock,
                     struct err_info *info)
{
    uint32_t item = 0;
    for (int i = 0; i < count; i++) {
        if (!text_is(words[i], "item")) {
            TRY(write_word(draft, item, words[i], clock, info));
            continue;
        }
        if (++item == DRAFT_ITEMS_MOST)
            return err_set(info, ERR_CONFIG, "more than %d items", DRAFT_ITEMS_MOST);
        draft->items[item] = plain_item(item + 1);
    }
    if (item > 0)
        draft->declaration.items.count = item + 1;
    return OK;
}
