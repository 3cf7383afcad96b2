/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/months.h"

#include "trade/calendar.h"

#define MOMENT_MOST_MS 250000000000000 /* year 9892: dates are of four digits */

void months_init(struct months *months, const struct zone *zone, int32_t provisional_days, int32_t final_months)
{
    *months = (struct months){
        .zone = zone,
        .provisional_days = provisional_days,
        .final_months = final_months,
        .open_from = INT32_MIN,
        .final_before = INT32_MIN,
        .next_ms = INT64_MIN,
    };
}

static int32_t month_first(int32_t day)
{
    return calendar_day(calendar_month_first(calendar_date(day)));
}

static int32_t month_next(int32_t first)
{
    return calendar_day(calendar_month_last(calendar_date(first))) + 1;
}

static int64_t close_ms(const struct months *months, int32_t day)
{
    return zone_month_close_ms(months->zone, day, months->provisional_days);
}

static int64_t final_ms(const struct months *months, int32_t day)
{
    return zone_month_final_ms(months->zone, day, months->final_months);
}

/* First day of the first month whose moment the watermark has not reached. None has reached it before it is over, so the month that the
 * watermark lies in has not. */
static int32_t border(const struct months *months, int64_t (*moment)(const struct months *, int32_t),
                      int64_t watermark_ms)
{
    int32_t first = month_first(zone_day(months->zone, watermark_ms));
    while (moment(months, first - 1) > watermark_ms)
        first = month_first(first - 1);
    while (moment(months, first) <= watermark_ms)
        first = month_next(first);
    return first;
}

bool months_reach(struct months *months, int64_t watermark_ms)
{
    if (!months->zone || watermark_ms < months->next_ms || watermark_ms < 0) /* nothing closes before 1970 */
        return false;
    if (watermark_ms > MOMENT_MOST_MS)
        watermark_ms = MOMENT_MOST_MS;
    months->open_from = border(months, close_ms, watermark_ms);
    months->final_before = border(months, final_ms, watermark_ms);
    int64_t closes_ms = close_ms(months, months->open_from);
    int64_t finals_ms = final_ms(months, months->final_before);
    months->next_ms = closes_ms < finals_ms ? closes_ms : finals_ms;
    return true;
}
