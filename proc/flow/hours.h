/* SPDX-License-Identifier: Apache-2.0
 * hours.h - the hours of a view by hour: which belong to a civil day of the reporter, how a key names one, which are kept.
 *
 * Units:   hour = hours of UTC since 1970-01-01T00Z, as in cell.h; day as in calendar.h; ms since epoch UTC
 * Days:    where clocks differ from UTC by whole hours, each hour belongs to one civil day: 24 of them, 23 or 25 when the clocks are changed.
 *          Elsewhere an hour belongs to the day that its first moment is of, and no days are summed (hours_are_of_days)
 * Thread:  any
 * Why:     docs/adr/0071-hours.md
 */
#pragma once

#include "flow/period.h"
#include "trade/zone.h"

enum {
    HOURS_MS = 3600000,
    HOURS_ROLLING = 24,   /* of the window 24H */
    HOURS_KEPT_DAYS = 45, /* the newest day is the last of them */
    HOURS_KEY_BYTES = 12, /* 20250703T14Z */
};

/* The first and the last hour; to < from: none. */
struct hours {
    int32_t from;
    int32_t to;
};

/* The hour that a moment is in; at most those that a key can say. */
int32_t hours_of_ms(int64_t ms);

static inline int64_t hours_begin_ms(int32_t hour)
{
    return (int64_t)hour * HOURS_MS;
}

/* The civil day that the hour begins in. zone NULL: of UTC, here and below. */
int32_t hours_day(const struct zone *zone, int32_t hour);

/* The hours that begin in these days. */
struct hours hours_of_days(const struct zone *zone, struct days days);

/* The first hour that is kept when the watermark is there; INT32_MIN: all are, it is not known. */
int32_t hours_kept_from(const struct zone *zone, int64_t watermark_ms);

/* False: days of this zone begin within hours of UTC, from 2000 to 2099 at least one does. */
bool hours_are_of_days(const struct zone *zone);

/* "20250703T14Z" */
void hours_key(int32_t hour, char out[static HOURS_KEY_BYTES]);

/* Reads it. */
bool hours_read_key(struct text text, int32_t *out_hour);
