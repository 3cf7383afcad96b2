/* SPDX-License-Identifier: Apache-2.0
 * period.h - the periods that figures are published for: which days each has, what the same is a year before, and how a key names it.
 *
 * Keys:    a cell's key (cell.h) says a day, a month or an hour. A figure that no cell holds has 1 in the place of the kind, and in that of the
 *          day its period 3 | first month, of a year to date the last one, since 1970 + 2^18, 19 bits; 0 for a rolling one
 * Units:   day = days since 1970-01-01, month = months since 1970-01 (calendar.h)
 * Thread:  any
 * Why:     docs/adr/0043-derived-periods.md
 */
#pragma once

#include "flow/cell.h"

enum period {
    PERIOD_HOUR,
    PERIOD_DAY,
    PERIOD_MONTH,
    PERIOD_QUARTER,
    PERIOD_YEAR,
    PERIOD_YTD,
    PERIOD_24H,
    PERIOD_7D,
    PERIOD_30D,
    PERIOD_12M,
    PERIODS,
};

/* The first and the last day; to < from: none. */
struct days {
    int32_t from;
    int32_t to;
};

static inline bool days_have(struct days days, int32_t day)
{
    return day >= days.from && day <= days.to;
}

/* What is published of a period. */
struct figure {
    struct table_key key;
    struct days days;
    int64_t hour_from_ms; /* of a period of hours, 0 else */
    int64_t hour_to_ms;   /* behind its last moment */
    const struct measures *sums;
    const struct measures *base; /* of the same days a year before; NULL: nothing has items there */
};

/* "ytd": as view.NAME.publish lists it. */
const char *period_name(enum period period);

/* "YEAR_TO_DATE": as record keys have it. A rolling period has ROLLING, and period_roll_name in the place of its first day. */
const char *period_key_name(enum period period);
const char *period_roll_name(enum period period);

/* Number in enum Frequency of statistic.proto. */
unsigned period_frequency(enum period period);

/* It ends on the newest day, and has no days of its own. */
static inline bool period_is_rolling(enum period period)
{
    return period >= PERIOD_24H;
}

/* It is a sum of months; else of days or hours. */
static inline bool period_is_of_months(enum period period)
{
    const uint32_t others =
        1u << PERIOD_HOUR | 1u << PERIOD_DAY | 1u << PERIOD_24H | 1u << PERIOD_7D | 1u << PERIOD_30D;
    return !(others >> period & 1);
}

/* ---- keys ---- */

enum period period_of(const struct table_key *key);

/* The month that a key without a day of its own names: see Keys. Not of an hour. */
int32_t period_month(const struct table_key *key);

/* The same view and dimensions in another period: of the hour, day or month that the key of a cell says; 0 for a rolling one. */
struct table_key period_key(const struct table_key *cell, enum period period, int32_t month);

/* The first month of the quarter or year that a month is in; of another period, the month itself. */
int32_t period_first_month(enum period period, int32_t month);

/* The same view, dimensions and commodity in a day, or the month that begins with it. */
struct table_key period_cell_key(const struct table_key *key, bool month, int32_t day);

static inline struct table_key period_with_flow(const struct table_key *key, uint32_t flow)
{
    struct table_key out = *key;
    out.word[3] = (out.word[3] & ~(7ULL << 9)) | (uint64_t)flow << 9;
    return out;
}

static inline struct table_key period_with_commodity(const struct table_key *key, uint64_t commodity)
{
    struct table_key out = *key;
    out.word[0] = (out.word[0] & ~CELL_NO_HS) | commodity;
    return out;
}

static inline struct table_key period_with_partner(const struct table_key *key, uint32_t partner)
{
    struct table_key out = *key;
    out.word[3] = (out.word[3] & ~(0xFFFFULL << 48)) | (uint64_t)partner << 48;
    return out;
}

/* ---- days ---- */

/* The days of a key, but one of hours (hours.h); `today` is the newest day, on which rolling periods end. Twelve months are whole ones, the last that of today. */
struct days period_days(const struct table_key *key, int32_t today);

/* The same days a year before, as window_year_before has them. */
struct days period_year_before(struct days days);
