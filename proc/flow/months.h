/* SPDX-License-Identifier: Apache-2.0
 * months.h - which state the figures of a month have: OPEN, PROVISIONAL or FINAL, by the publisher's watermark alone.
 *
 * A month is PROVISIONAL when the watermark has reached its close, FINAL when it has reached zone_month_final_ms. REVISED is of a record,
 * not of a month: a PROVISIONAL one that holds late items or that changed since it was told (months_of_record).
 * Units:   day = days since 1970-01-01; ms since epoch UTC
 * Cost:    a state is two comparisons: months close in order, so two days are the borders
 * Thread:  one owner (publisher)
 * Why:     docs/adr/0029-month-states.md
 */
#pragma once

#include "trade/zone.h"

#include <stdbool.h>

/* As in Statistic.state. */
enum month_state {
    MONTH_OPEN = 1,
    MONTH_PROVISIONAL = 2,
    MONTH_REVISED = 3,
    MONTH_FINAL = 4,
};

struct months {
    const struct zone *zone; /* shared; NULL: no month ever closes */
    int32_t provisional_days;
    int32_t final_months;
    int32_t open_from;    /* first day of the first month that is OPEN; INT32_MIN: all are */
    int32_t final_before; /* first day of the first month that is not FINAL; INT32_MIN: none is */
    int64_t next_ms;      /* the watermark that the next change needs; INT64_MIN at first */
};

/* All months are OPEN. */
void months_init(struct months *months, const struct zone *zone, int32_t provisional_days, int32_t final_months);

/* True if a month has another state at this watermark, which must not be smaller than the last one. */
bool months_reach(struct months *months, int64_t watermark_ms);

static inline enum month_state months_state(const struct months *months, int32_t day)
{
    return day < months->final_before ? MONTH_FINAL : day < months->open_from ? MONTH_PROVISIONAL : MONTH_OPEN;
}

/* What the topic says of a record, 0 if it says nothing of it. */
struct months_told {
    unsigned state;
    bool is_equal; /* its figures are those of the record now */
};

static inline enum month_state months_of_record(const struct months *months, int32_t day, bool has_late,
                                                struct months_told told)
{
    enum month_state state = months_state(months, day);
    bool was_told = told.state >= MONTH_PROVISIONAL && told.state <= MONTH_FINAL;
    bool is_revised = has_late || told.state == MONTH_REVISED || (was_told && !told.is_equal);
    return state == MONTH_PROVISIONAL && is_revised ? MONTH_REVISED : state;
}
