/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/calendar.h"

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t month_days(uint32_t year, uint32_t month)
{
    static const uint8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month];
}

bool calendar_is_date(uint32_t date)
{
    uint32_t year = date / 10000;
    uint32_t month = date / 100 % 100;
    uint32_t day = date % 100;
    return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= month_days(year, month);
}

enum { COUNTED_YEAR_MOST = 7000 };

bool calendar_is_counted(uint32_t date)
{
    return date < (COUNTED_YEAR_MOST + 1) * 10000u && calendar_is_date(date);
}

/* ---- the first days of the months that are usual: looked up, not reckoned ---- */

enum { USUAL_YEAR = 1950, USUAL_MONTHS = 160 * 12, USUAL_FIRST = (USUAL_YEAR - 1970) * 12 };

#define MARCH_YEAR(y, m) ((y) - ((m) <= 2)) /* years that begin in March end with the leap day */
#define FIRST_DAY(y, m)                                                                                                \
    (MARCH_YEAR(y, m) * 365 + MARCH_YEAR(y, m) / 4 - MARCH_YEAR(y, m) / 100 + MARCH_YEAR(y, m) / 400 +                 \
     (153 * ((m) + ((m) > 2 ? -3 : 9)) + 2) / 5 - 719468)
#define YEAR(y)                                                                                                        \
    FIRST_DAY(y, 1), FIRST_DAY(y, 2), FIRST_DAY(y, 3), FIRST_DAY(y, 4), FIRST_DAY(y, 5), FIRST_DAY(y, 6),              \
        FIRST_DAY(y, 7), FIRST_DAY(y, 8), FIRST_DAY(y, 9), FIRST_DAY(y, 10), FIRST_DAY(y, 11), FIRST_DAY(y, 12)
#define DECADE(y)                                                                                                      \
    YEAR(y), YEAR(y + 1), YEAR(y + 2), YEAR(y + 3), YEAR(y + 4), YEAR(y + 5), YEAR(y + 6), YEAR(y + 7), YEAR(y + 8),   \
        YEAR(y + 9)

static const int32_t first_days[] = {
    DECADE(1950), DECADE(1960), DECADE(1970), DECADE(1980), DECADE(1990),       DECADE(2000),
    DECADE(2010), DECADE(2020), DECADE(2030), DECADE(2040), DECADE(2050),       DECADE(2060),
    DECADE(2070), DECADE(2080), DECADE(2090), DECADE(2100), FIRST_DAY(2110, 1),
};
_Static_assert(sizeof first_days / sizeof first_days[0] == USUAL_MONTHS + 1, "the last one only ends the month before");

static inline bool is_usual_day(int32_t day)
{
    return day >= FIRST_DAY(USUAL_YEAR, 1) && day < FIRST_DAY(2110, 1);
}

/* The place in first_days of a usual day's month. */
static inline uint32_t usual_month(int32_t day)
{
    uint32_t since = (uint32_t)(day - FIRST_DAY(USUAL_YEAR, 1));
    uint32_t month = (uint32_t)((uint64_t)since * 141110652 >> 32); /* 12 / 365.2425: one off at most */
    month += first_days[month + 1] <= day;
    return month - (first_days[month] > day);
}

int32_t calendar_day(uint32_t date)
{
    uint32_t years = date / 10000 - USUAL_YEAR;
    uint32_t months = date / 100 % 100 - 1;
    if (years < USUAL_MONTHS / 12 && months < 12)
        return first_days[years * 12 + months] + (int32_t)(date % 100) - 1;
    int32_t month = (int32_t)(date / 100 % 100);
    int32_t year = (int32_t)(date / 10000) - (month <= 2);
    int32_t era = year / 400;
    int32_t year_of_era = year - era * 400;
    int32_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + (int32_t)(date % 100) - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

uint32_t calendar_date(int32_t day)
{
    if (is_usual_day(day)) {
        uint32_t month = usual_month(day);
        return (USUAL_YEAR + month / 12) * 10000 + (month % 12 + 1) * 100 + (uint32_t)(day - first_days[month] + 1);
    }
    int32_t shifted = day + 719468;
    int32_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int32_t day_of_era = shifted - era * 146097;
    int32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t month_index = (5 * day_of_year + 2) / 153;
    int32_t day_of_month = day_of_year - (153 * month_index + 2) / 5 + 1;
    int32_t month = month_index < 10 ? month_index + 3 : month_index - 9;
    int32_t year = year_of_era + era * 400 + (month <= 2);
    return (uint32_t)(year * 10000 + month * 100 + day_of_month);
}

uint32_t calendar_month_first(uint32_t date)
{
    return date / 100 * 100 + 1;
}

uint32_t calendar_month_last(uint32_t date)
{
    return date / 100 * 100 + month_days(date / 10000, date / 100 % 100);
}

int32_t calendar_day_of_ms(int64_t ms)
{
    int64_t day = ms / 86400000;
    return (int32_t)(ms % 86400000 < 0 ? day - 1 : day);
}

int32_t calendar_month_of_day(int32_t day)
{
    if (is_usual_day(day))
        return (int32_t)usual_month(day) + USUAL_FIRST;
    uint32_t date = calendar_date(day);
    return ((int32_t)(date / 10000) - 1970) * 12 + (int32_t)(date / 100 % 100) - 1;
}

int32_t calendar_month_day(int32_t month)
{
    if (month >= USUAL_FIRST && month < USUAL_FIRST + USUAL_MONTHS)
        return first_days[month - USUAL_FIRST];
    int32_t year = 1970 + (month - (month % 12 + 12) % 12) / 12;
    return calendar_day((uint32_t)year * 10000 + (uint32_t)((month % 12 + 12) % 12 + 1) * 100 + 1);
}
