/* SPDX-License-Identifier: Apache-2.0
 * declaration.h - one decoded customs declaration: plain data, unit in every field name, in the order of the schema.
 *
 * Units:   _ms since epoch UTC · _mg milligrams · _minor minor units of the currency (statistical, customs: reporting currency)
 *          _micro millionths of the unit · _e8 times 10^8 · dates yyyymmdd
 * Absent:  proto3 without presence: empty text, zero, empty list
 * Memory:  texts borrow from the bytes that were decoded, items and text lists from the batch
 * Thread:  any (plain data)
 * Source:  contract.md section 3; docs in proto/customs/v1/declaration.proto
 */
#pragma once

#include "base/span.h"

enum function {
    FUNCTION_UNSPECIFIED = 0,
    FUNCTION_CANCEL = 1,
    FUNCTION_REPLACE = 5,
    FUNCTION_ORIGINAL = 9,
};

enum direction {
    DIRECTION_UNSPECIFIED = 0,
    DIRECTION_IMPORT = 1,
    DIRECTION_EXPORT = 2,
};

enum scheme {
    SCHEME_UNSPECIFIED = 0,
    SCHEME_CN = 1,
    SCHEME_EU = 2,
    SCHEME_EAEU = 3,
    SCHEME_US = 4,
    SCHEME_KR = 5,
    SCHEME_OTHER = 6,
    SCHEME_COUNT = 7,
};

enum declaration_type {
    DECLARATION_TYPE_UNSPECIFIED = 0,
    DECLARATION_TYPE_NORMAL = 1,
    DECLARATION_TYPE_SIMPLIFIED = 2,
    DECLARATION_TYPE_SUPPLEMENTARY = 3,
    DECLARATION_TYPE_PERIODIC = 4,
    DECLARATION_TYPE_LIST = 5,
    DECLARATION_TYPE_SUMMARY = 6,
};

enum status {
    STATUS_UNSPECIFIED = 0,
    STATUS_ACCEPTED = 1,
    STATUS_RELEASED = 2,
    STATUS_REFUSED = 3,
};

enum zone_line {
    ZONE_LINE_UNSPECIFIED = 0,
    ZONE_LINE_FIRST = 1,
    ZONE_LINE_SECOND = 2,
};

struct text_list {
    const struct text *texts;
    uint32_t count;
};

struct item_list {
    const struct item *items;
    uint32_t count; /* as on the wire; at most DECLARATION_ITEMS_HARD of them are kept */
};

enum {
    DECLARATION_ITEMS_HARD = 99999, /* STR-010: more are counted, not kept */
    DECLARATION_ID_BYTES = 35,
};

#define FIELD_TYPE_TEXT struct text
#define FIELD_TYPE_U32 uint32_t
#define FIELD_TYPE_I64 int64_t
#define FIELD_TYPE_U64 uint64_t
#define FIELD_TYPE_ENUM int32_t
#define FIELD_TYPE_BOOL bool
#define FIELD_TYPE_TEXTS struct text_list
#define FIELD_TYPE_ITEMS struct item_list

struct item {
#define ITEM_FIELD(number, kind, name, cap) FIELD_TYPE_##kind name;
#include "trade/declaration.def"
    bool plain; /* not on the wire; as in struct declaration */
};

struct declaration {
#define DECLARATION_FIELD(number, kind, name, cap) FIELD_TYPE_##kind name;
#include "trade/declaration.def"
    /* not on the wire */
    uint32_t unknown_fields; /* how many unknown fields were skipped, items included */
    /* Its texts, those of its items aside, are known to be printable ASCII within their caps; false: unknown. */
    bool plain;
};

/* Items that are kept: min(items.count, DECLARATION_ITEMS_HARD). */
static inline uint32_t declaration_items_kept(const struct declaration *declaration)
{
    return declaration->items.count < DECLARATION_ITEMS_HARD ? declaration->items.count : DECLARATION_ITEMS_HARD;
}

enum field_kind {
    FIELD_TEXT,
    FIELD_U32,
    FIELD_I64,
    FIELD_U64,
    FIELD_ENUM,
    FIELD_BOOL,
    FIELD_TEXTS,
    FIELD_ITEMS,
};

/* One row of declaration.def as data. */
struct field {
    const char *name;
    uint32_t number;
    enum field_kind kind;
    uint32_t cap;    /* bytes; 0 = none */
    uint32_t offset; /* in struct declaration or struct item */
};

enum {
    DECLARATION_FIELDS = 54,
    ITEM_FIELDS = 24,
};

/* Rows by field number - 1. */
extern const struct field declaration_fields[DECLARATION_FIELDS];
extern const struct field item_fields[ITEM_FIELDS];

/* The row of that name, or NULL. */
const struct field *declaration_field_named(struct text name);
const struct field *item_field_named(struct text name);

/* The enum value of a field (`function`, `direction`, `scheme`, `declaration_type`, `status`, `zone_line`) by its short name
 * (`IMPORT`), or -1; and its short name, or NULL. */
int32_t declaration_enum_value(const char *field, struct text name);
const char *declaration_enum_name(const char *field, int32_t value);
