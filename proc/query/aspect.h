/* SPDX-License-Identifier: Apache-2.0
 * aspect.h - what one can read off a record: a dimension of its view, fewer digits of a commodity, a class or group, a time.
 *
 * Names:   the dimensions of the view; hs2 to hs10 up to the view's own; trade_class where it has trade_mode, partner_group where
 *          it has partner; period (the record's own day or month), month, quarter, year
 * Thread:  main, query: one owner
 */
#pragma once

#include "query/records.h"

enum { ASPECT_NAME_BYTES = 32 };

enum aspect_kind {
    ASPECT_PART,
    ASPECT_DIGITS, /* a part, cut */
    ASPECT_CLASS,
    ASPECT_GROUP, /* reads the partner; the groups it belongs to are the caller's business */
    ASPECT_PERIOD,
    ASPECT_MONTH,
    ASPECT_QUARTER,
    ASPECT_YEAR,
};

struct aspect {
    char name[ASPECT_NAME_BYTES];
    enum aspect_kind kind;
    uint32_t part;   /* of the record key */
    uint32_t digits; /* cut to so many */
};

/* Finds an aspect of records with such a key. False: they have none of that name. */
bool aspect_find(struct text name, const char *key, struct aspect *out);

/* The names that there are, for an error: "partner, flow, mode, period, month, quarter, year". */
void aspect_names(const char *key, struct buffer *out);

/* The digits of "hs6"; 0 of any other name. */
uint32_t aspect_commodity_digits(struct text name);

static inline bool aspect_is_time(const struct aspect *aspect)
{
    return aspect->kind >= ASPECT_PERIOD;
}

/* Adds the value. `years` is added to times; false, and nothing added, for a day that the other year lacks. */
bool aspect_put(const struct aspect *aspect, const struct record *record, uint32_t years, struct buffer *out);
