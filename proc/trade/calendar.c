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

int32_t calendar_day(uint32_t date)
{
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
    uint32_t date = calendar_date(day);
    return ((int32_t)(date / 10000) - 1970) * 12 + (int32_t)(date / 100 % 100) - 1;
}

int32_t calendar_month_day(int32_t month)
{
    int32_t year = 1970 + (month - (month % 12 + 12) % 12) / 12;
    return calendar_day((uint32_t)year * 10000 + (uint32_t)((month % 12 + 12) % 12 + 1) * 100 + 1);
}
