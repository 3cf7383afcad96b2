/* SPDX-License-Identifier: Apache-2.0
 * calendar.h - civil dates without clocks: yyyymmdd, day numbers, months.
 *
 * Units:   day = days since 1970-01-01 (proleptic Gregorian); date = yyyymmdd; month = months since 1970-01
 * Thread:  any
 * Source:  H. Hinnant, "chrono-compatible low-level date algorithms"
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* False if yyyymmdd is not a day of the calendar between the years 1 and 9999. */
bool calendar_is_date(uint32_t date);

/* The same up to the year 7000: what declarations and statistics may be of. Keys have room for days up to the year 7711 (flow/cell.h). */
bool calendar_is_counted(uint32_t date);

int32_t calendar_day(uint32_t date);
uint32_t calendar_date(int32_t day);

/* First and last date of the month that holds `date`. */
uint32_t calendar_month_first(uint32_t date);
uint32_t calendar_month_last(uint32_t date);

/* The month of a day, and the first day of one. */
int32_t calendar_month_of_day(int32_t day);
int32_t calendar_month_day(int32_t month);

/* Day number of the UTC day that holds ms. */
int32_t calendar_day_of_ms(int64_t ms);
