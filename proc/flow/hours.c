/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/hours.h"

#include "trade/calendar.h"

enum { DAY_HOURS = 24, DATE_BYTES = 8, FIRST_DATE = 20000101, LAST_DATE = 20991231 };

int32_t hours_of_ms(int64_t ms)
{
    int64_t hour = ms / HOURS_MS - (ms % HOURS_MS < 0);
    return (int32_t)(hour < -CELL_DAY_BIAS ? -CELL_DAY_BIAS : hour >= CELL_DAY_BIAS ? CELL_DAY_BIAS - 1 : hour);
}

static int64_t midnight_ms(const struct zone *zone, int32_t day)
{
    return zone ? zone_midnight_ms(zone, day) : hours_begin_ms(day * DAY_HOURS);
}

int32_t hours_day(const struct zone *zone, int32_t hour)
{
    return zone ? zone_day(zone, hours_begin_ms(hour)) : calendar_day_of_ms(hours_begin_ms(hour));
}

/* The first hour that begins at midnight or later. */
static int32_t first_hour(const struct zone *zone, int32_t day)
{
    return hours_of_ms(midnight_ms(zone, day) + HOURS_MS - 1);
}

struct hours hours_of_days(const struct zone *zone, struct days days)
{
    return (struct hours){first_hour(zone, days.from), first_hour(zone, days.to + 1) - 1};
}

int32_t hours_kept_from(const struct zone *zone, int64_t watermark_ms)
{
    if (watermark_ms == INT64_MIN || watermark_ms < 0)
        return INT32_MIN;
    return first_hour(zone, hours_day(zone, hours_of_ms(watermark_ms)) - HOURS_KEPT_DAYS + 1);
}

bool hours_are_of_days(const struct zone *zone)
{
    for (int32_t day = calendar_day(FIRST_DATE); day <= calendar_day(LAST_DATE); day++) {
        if (midnight_ms(zone, day) % HOURS_MS != 0)
            return false;
    }
    return true;
}

/* ---- keys ---- */

static void put_digits(char *at, int digits, uint32_t number)
{
    for (int i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
}

void hours_key(int32_t hour, char out[static HOURS_KEY_BYTES])
{
    int32_t day = calendar_day_of_ms(hours_begin_ms(hour));
    put_digits(out, DATE_BYTES, calendar_date(day));
    out[DATE_BYTES] = 'T';
    put_digits(out + DATE_BYTES + 1, 2, (uint32_t)(hour - day * DAY_HOURS));
    out[HOURS_KEY_BYTES - 1] = 'Z';
}

bool hours_read_key(struct text text, int32_t *out_hour)
{
    int64_t date;
    int64_t hour;
    if (text.length != HOURS_KEY_BYTES || text.data[DATE_BYTES] != 'T' || text.data[HOURS_KEY_BYTES - 1] != 'Z' ||
        !text_to_int64((struct text){text.data, DATE_BYTES}, &date) ||
        !text_to_int64((struct text){text.data + DATE_BYTES + 1, 2}, &hour) || date < 0 ||
        !calendar_is_date((uint32_t)date) || hour < 0 || hour >= DAY_HOURS)
        return false;
    *out_hour = calendar_day((uint32_t)date) * DAY_HOURS + (int32_t)hour;
    return true;
}
