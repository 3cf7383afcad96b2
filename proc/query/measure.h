/* SPDX-License-Identifier: Apache-2.0
 * measure.h - what a report sums, and what it says of the sums: the names of --show.
 *
 * Units:   minor units, g, 10^-6 of the unit of quantity
 * Thread:  main, query: one owner
 */
#pragma once

#include "base/i128.h"
#include "query/records.h"

/* The first ones are sums, which have a year before; the others are computed from them. */
enum measure {
    MEASURE_VALUE,
    MEASURE_CUSTOMS,
    MEASURE_NET,
    MEASURE_GROSS,
    MEASURE_QUANTITY,
    MEASURE_DECLARATIONS,
    MEASURE_ITEMS,
    MEASURE_PACKAGES,
    MEASURE_SHARE,  /* of the value */
    MEASURE_COUNT,  /* distinct values of --count */
    MEASURE_GROWTH, /* mean annual growth of the value */
    MEASURES,
};

enum { MEASURE_SUMS = MEASURE_SHARE };

struct sums {
    i128 of[MEASURE_SUMS];
};

/* "value", "net" ... as --show and --sort write it. */
const char *measure_name(enum measure measure);

bool measure_find(struct text name, enum measure *out);

static inline bool measure_is_sum(enum measure measure)
{
    return (int)measure < (int)MEASURE_SUMS;
}

void measure_add(struct sums *sums, const struct record *record);
