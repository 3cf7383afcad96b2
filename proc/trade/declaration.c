/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/declaration.h"

#include <stddef.h>

const struct field declaration_fields[DECLARATION_FIELDS] = {
#define DECLARATION_FIELD(number, kind, name, cap)                                                                     \
    {#name, number, FIELD_##kind, cap, offsetof(struct declaration, name)},
#include "trade/declaration.def"
};

const struct field item_fields[ITEM_FIELDS] = {
#define ITEM_FIELD(number, kind, name, cap) {#name, number, FIELD_##kind, cap, offsetof(struct item, name)},
#include "trade/declaration.def"
};

static const struct enum_name {
    const char *field;
    const char *name;
    int32_t value;
} enum_names[] = {
    {"function", "CANCEL", FUNCTION_CANCEL},
    {"function", "REPLACE", FUNCTION_REPLACE},
    {"function", "ORIGINAL", FUNCTION_ORIGINAL},
    {"direction", "IMPORT", DIRECTION_IMPORT},
    {"direction", "EXPORT", DIRECTION_EXPORT},
    {"scheme", "CN", SCHEME_CN},
    {"scheme", "EU", SCHEME_EU},
    {"scheme", "EAEU", SCHEME_EAEU},
    {"scheme", "US", SCHEME_US},
    {"scheme", "KR", SCHEME_KR},
    {"scheme", "OTHER", SCHEME_OTHER},
    {"declaration_type", "NORMAL", DECLARATION_TYPE_NORMAL},
    {"declaration_type", "SIMPLIFIED", DECLARATION_TYPE_SIMPLIFIED},
    {"declaration_type", "SUPPLEMENTARY", DECLARATION_TYPE_SUPPLEMENTARY},
    {"declaration_type", "PERIODIC", DECLARATION_TYPE_PERIODIC},
    {"declaration_type", "LIST", DECLARATION_TYPE_LIST},
    {"declaration_type", "SUMMARY", DECLARATION_TYPE_SUMMARY},
    {"status", "ACCEPTED", STATUS_ACCEPTED},
    {"status", "RELEASED", STATUS_RELEASED},
    {"status", "REFUSED", STATUS_REFUSED},
    {"zone_line", "FIRST", ZONE_LINE_FIRST},
    {"zone_line", "SECOND", ZONE_LINE_SECOND},
};

enum { ENUM_NAMES = sizeof enum_names / sizeof enum_names[0] };

static const struct field *find(const struct field *fields, size_t count, struct text name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_is(name, fields[i].name))
            return &fields[i];
    }
    return NULL;
}

const struct field *declaration_field_named(struct text name)
{
    return find(declaration_fields, DECLARATION_FIELDS, name);
}

const struct field *item_field_named(struct text name)
{
    return find(item_fields, ITEM_FIELDS, name);
}

int32_t declaration_enum_value(const char *field, struct text name)
{
    for (size_t i = 0; i < ENUM_NAMES; i++) {
        if (strcmp(enum_names[i].field, field) == 0 && text_is(name, enum_names[i].name))
            return enum_names[i].value;
    }
    return -1;
}

const char *declaration_enum_name(const char *field, int32_t value)
{
    for (size_t i = 0; i < ENUM_NAMES; i++) {
        if (strcmp(enum_names[i].field, field) == 0 && enum_names[i].value == value)
            return enum_names[i].name;
    }
    return NULL;
}
