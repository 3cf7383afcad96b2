/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/zone.h"

#include "base/check.h"
#include "base/memory.h"
#include "trade/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DAYS = 47482, /* 1970-01-01 to 2099-12-31 */
    DAY_S = 86400,
    DAY_MS = 86400000,
    SCAN_S = 900, /* shorter than any piece of time between two changes of a clock */
    NAME_BYTES = 64,
    PATH_BYTES = 512,
};

struct zone {
    char name[NAME_BYTES];
    /* Of the first second of each day: its number in a civil count from 1970, less the UTC one. */
    int32_t offset_s[DAYS];
};

static bool is_zone_file(const char *name)
{
    const char *folder = getenv("TZDIR");
    char path[PATH_BYTES];
    char magic[4] = "";
    int bytes = snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", name);
    FILE *file = bytes > 0 && (size_t)bytes < sizeof path ? fopen(path, "rb") : NULL;
    if (!file)
        return false;
    size_t got = fread(magic, 1, sizeof magic, file);
    fclose(file);
    return got == sizeof magic && memcmp(magic, "TZif", sizeof magic) == 0;
}

/* What clocks show at a second of UTC, as seconds of a civil count from 1970. */
static int64_t shown(int64_t utc_s)
{
    time_t time = (time_t)utc_s;
    struct tm tm;
    CHECK(localtime_r(&time, &tm) != NULL);
    uint32_t date = (uint32_t)(tm.tm_year + 1900) * 10000 + (uint32_t)(tm.tm_mon + 1) * 100 + (uint32_t)tm.tm_mday;
    return (int64_t)calendar_day(date) * DAY_S + tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
}

/* The first second after `utc_s` at which clocks show `civil_s` or more. */
static int64_t reach(int64_t utc_s, int64_t civil_s)
{
    while (shown(utc_s + SCAN_S) < civil_s)
        utc_s += SCAN_S;
    int64_t most_s = utc_s + SCAN_S;
    while (utc_s + 1 < most_s) {
        int64_t middle_s = utc_s + (most_s - utc_s) / 2;
        if (shown(middle_s) < civil_s)
            utc_s = middle_s;
        else
            most_s = middle_s;
    }
    return most_s;
}

/* The first second of a day. Nearly always it lies a day after that of its eve; if the offset changed in between, most often
 * the new one holds at midnight; else midnight was skipped, and is looked for. */
static int64_t midnight(int32_t day, int64_t eve_s, int32_t eve_offset_s)
{
    int64_t civil_s = (int64_t)day * DAY_S;
    int64_t utc_s = civil_s - eve_offset_s;
    int64_t there_s = shown(utc_s);
    if (there_s == civil_s)
        return utc_s;
    utc_s = civil_s - (there_s - utc_s);
    if (shown(utc_s) == civil_s && shown(utc_s - 1) < civil_s)
        return utc_s;
    return reach(eve_s, civil_s);
}

static void fill(struct zone *zone)
{
    int64_t eve_s = -DAY_S - (shown(-DAY_S) + DAY_S);
    int32_t eve_offset_s = (int32_t)(-DAY_S - eve_s);
    for (int32_t day = 0; day < DAYS; day++) {
        eve_s = midnight(day, eve_s, eve_offset_s);
        eve_offset_s = (int32_t)((int64_t)day * DAY_S - eve_s);
        zone->offset_s[day] = eve_offset_s;
    }
}

/* The C library knows one zone at a time: it is set for as long as the table is filled. */
static enum err fill_by_library(struct zone *zone, struct err_info *info)
{
    const char *before = getenv("TZ");
    char *kept = before ? memory_copy_text(before, strlen(before)) : NULL;
    bool set = setenv("TZ", zone->name, 1) == 0;
    if (set) {
        tzset();
        fill(zone);
    }
    bool back = kept ? setenv("TZ", kept, 1) == 0 : unsetenv("TZ") == 0;
    tzset();
    memory_free(kept);
    return set && back ? OK : err_set(info, ERR_FATAL, "the environment variable TZ can't be set");
}

enum err zone_new(const char *name, struct zone **out, struct err_info *info)
{
    size_t length = strlen(name);
    if (length == 0 || length >= NAME_BYTES || name[0] == '/' || strchr(name, '.') || strchr(name, ':') ||
        !is_zone_file(name))
        return err_set(info, ERR_CONFIG,
                       "timezone=%s: there is no such zone in the system's zone data; give an IANA name such as "
                       "Asia/Shanghai (package tzdata)",
                       name);
    struct zone *zone = memory_new(1, sizeof *zone);
    memcpy(zone->name, name, length);
    enum err err = fill_by_library(zone, info);
    if (err != OK) {
        zone_free(zone);
        return err;
    }
    *out = zone;
    return OK;
}

void zone_free(struct zone *zone)
{
    memory_free(zone);
}

const char *zone_name(const struct zone *zone)
{
    return zone->name;
}

int64_t zone_midnight_ms(const struct zone *zone, int32_t day)
{
    int32_t known = day < 0 ? 0 : day >= DAYS ? DAYS - 1 : day;
    return ((int64_t)day * DAY_S - zone->offset_s[known]) * 1000;
}

int32_t zone_day(const struct zone *zone, int64_t ms)
{
    int32_t day = calendar_day_of_ms(ms);
    while (ms < zone_midnight_ms(zone, day))
        day--;
    while (ms >= zone_midnight_ms(zone, day + 1))
        day++;
    return day;
}

/* First day of the month that lies `months` after the one that holds `day`. */
static int32_t month_begin(int32_t day, int32_t months)
{
    uint32_t date = calendar_date(day);
    uint32_t month = date / 10000 * 12 + date / 100 % 100 - 1 + (uint32_t)months;
    return calendar_day(month / 12 * 10000 + (month % 12 + 1) * 100 + 1);
}

int64_t zone_month_close_ms(const struct zone *zone, int32_t day, int32_t provisional_days)
{
    return zone_midnight_ms(zone, month_begin(day, 1) + provisional_days);
}

int64_t zone_month_final_ms(const struct zone *zone, int32_t day, int32_t final_months)
{
    return zone_midnight_ms(zone, month_begin(day, 1 + final_months));
}
