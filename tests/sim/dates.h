/* SPDX-License-Identifier: Apache-2.0
 * dates.h - civil dates in Shanghai, and when months close, in the plainest way: by counting. Shares no code with the product.
 *
 * Units:   date = yyyymmdd, 1970 and later; day = days since 1970-01-01; ms since epoch UTC
 */
#pragma once

#include <stdint.h>

#define DATES_DAY_MS 86400000LL
#define DATES_HOUR_MS 3600000LL
#define DATES_ZONE_MS 28800000LL /* eight hours before UTC, with no summer time since 1991 */

static inline uint32_t dates_month_days(uint32_t year, uint32_t month)
{
    if (month == 2)
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* First date of the month so many months later. */
static inline uint32_t dates_month_later(uint32_t date, uint32_t months)
{
    uint32_t year = date / 10000;
    uint32_t month = date / 100 % 100 + months;
    for (; month > 12; month -= 12)
        year++;
    return year * 10000 + month * 100 + 1;
}

static inline int64_t dates_day(uint32_t date)
{
    int64_t day = date % 100 - 1;
    for (uint32_t month = 19700101; month < date / 100 * 100 + 1; month = dates_month_later(month, 1))
        day += dates_month_days(month / 10000, month / 100 % 100);
    return day;
}

static inline uint32_t dates_of_day(int64_t day)
{
    uint32_t month = 19700101;
    for (; day >= dates_month_days(month / 10000, month / 100 % 100); month = dates_month_later(month, 1))
        day -= dates_month_days(month / 10000, month / 100 % 100);
    return month + (uint32_t)day;
}

static inline uint32_t dates_of_ms(int64_t ms)
{
    return dates_of_day((ms + DATES_ZONE_MS) / DATES_DAY_MS);
}

/* Hours of UTC since 1970: the first that is kept when the watermark is there: of its day and of the 44 before it. */
static inline int64_t dates_kept_from(int64_t watermark_ms)
{
    int64_t day = watermark_ms / DATES_DAY_MS + (watermark_ms % DATES_DAY_MS + DATES_ZONE_MS >= DATES_DAY_MS) - 44;
    return watermark_ms < 0 ? INT64_MIN : (day * DATES_DAY_MS - DATES_ZONE_MS) / DATES_HOUR_MS;
}

static inline uint32_t dates_month_last(uint32_t date)
{
    return date / 100 * 100 + dates_month_days(date / 10000, date / 100 % 100);
}

/* The month of the date is PROVISIONAL from then on, and what comes for it is late. */
static inline int64_t dates_close_ms(uint32_t date, int64_t provisional_days)
{
    return (dates_day(dates_month_later(date, 1)) + provisional_days) * DATES_DAY_MS - DATES_ZONE_MS;
}

static inline int64_t dates_final_ms(uint32_t date, uint32_t final_months)
{
    return dates_day(dates_month_later(date, 1 + final_months)) * DATES_DAY_MS - DATES_ZONE_MS;
}
