/* SPDX-License-Identifier: Apache-2.0
 * zone.h - civil days of one time zone: when a day begins, which day it is, when a month closes and when it is final.
 *
 * In:      an IANA name; the system's zone data, asked through the C library once, at zone_new
 * Units:   ms since epoch UTC; day = days since 1970-01-01, as in calendar.h
 * Limits:  zone data count from 1970 to 2099; before and after that the offset of the first and of the last day holds
 * Memory:  one immutable object of 190 kB, of which a stream touches a few lines
 * Errors:  ERR_CONFIG with the key `timezone` for a name without zone data
 * Thread:  zone_new: startup, before any other thread (it sets TZ and puts it back); the rest: any
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct zone;

/* Gives *out. */
enum err zone_new(const char *name, struct zone **out, struct err_info *info) MUST_USE;
void zone_free(struct zone *zone);

const char *zone_name(const struct zone *zone);

/* First millisecond of a local civil day: the first instant at which clocks there show this day or a later one. So midnight
 * may be skipped (clocks put forward over it), a day that a zone left out begins with the next, and an hour that is repeated
 * across midnight belongs to the day that it reached first. */
int64_t zone_midnight_ms(const struct zone *zone, int32_t day);

/* The local civil day that holds ms: the last one whose first millisecond is not after it. */
int32_t zone_day(const struct zone *zone, int64_t ms);

/* When the month that holds `day` closes: midnight of the first day of the next month and `provisional_days` later. From that
 * millisecond on its figures are provisional and a declaration for it is late. */
int64_t zone_month_close_ms(const struct zone *zone, int32_t day, int32_t provisional_days);

/* When the figures of the month that holds `day` are final: midnight of the first day of the month that begins `final_months`
 * months after the end of it. July 2025 and 18: 2027-02-01. */
int64_t zone_month_final_ms(const struct zone *zone, int32_t day, int32_t final_months);
