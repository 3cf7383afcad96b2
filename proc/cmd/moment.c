/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/moment.h"

#include "trade/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ZONE_BYTES = 64 };

static char zone_now[ZONE_BYTES];

struct clock_face {
    uint32_t date;
    int hour, minute, second, millisecond;
    bool has_time;
    bool has_offset;
    int offset_minutes;
};

static bool zone_file_exists(const char *name)
{
    const char *folder = getenv("TZDIR");
    char path[512];
    int bytes = snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", name);
    return bytes > 0 && (size_t)bytes < sizeof path && access(path, R_OK) == 0;
}

enum err moment_zone(struct text name, struct err_info *info)
{
    if (name.length == 0 || name.length >= ZONE_BYTES || memchr(name.data, '.', name.length) || name.data[0] == '/')
        return err_set(info, ERR_CONFIG, "\"%.*s\" is no zone name; write it as in Asia/Shanghai", TEXT_ARGS(name));
    char wanted[ZONE_BYTES];
    snprintf(wanted, sizeof wanted, "%.*s", TEXT_ARGS(name));
    if (zone_now[0] && strcmp(zone_now, wanted) != 0)
        return err_set(info, ERR_CONFIG, "zone %s after %s: one run can use only one zone; load in two runs", wanted,
                       zone_now);
    if (!zone_file_exists(wanted))
        return err_set(info, ERR_CONFIG, "zone \"%s\" is not in the system's zone data (package tzdata)", wanted);
    if (setenv("TZ", wanted, 1) != 0)
        return err_set(info, ERR_FATAL, "setenv TZ failed");
    tzset();
    memcpy(zone_now, wanted, sizeof wanted);
    return OK;
}

/* Cuts `count` digits off the front. */
static bool take_digits(struct text *text, uint32_t count, int *out)
{
    if (text->length < count)
        return false;
    int v = 0;
    for (uint32_t i = 0; i < count; i++) {
        char c = text->data[i];
        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (c - '0');
    }
    text->data += count;
    text->length -= count;
    *out = v;
    return true;
}

static bool take(struct text *text, char c)
{
    if (text->length == 0 || text->data[0] != c)
        return false;
    text->data++;
    text->length--;
    return true;
}

static bool take_date(struct text *text, uint32_t *out)
{
    int year, month, day;
    if (!take_digits(text, 4, &year) || !take(text, '-') || !take_digits(text, 2, &month) || !take(text, '-') ||
        !take_digits(text, 2, &day))
        return false;
    *out = (uint32_t)(year * 10000 + month * 100 + day);
    return calendar_is_date(*out);
}

static bool take_fraction(struct text *text, int *out_ms)
{
    int digits = 0;
    *out_ms = 0;
    for (int digit; take_digits(text, 1, &digit); digits++) {
        if (digits < 3)
            *out_ms = *out_ms * 10 + digit;
    }
    for (int i = digits; i < 3; i++)
        *out_ms *= 10;
    return digits > 0;
}

static bool take_offset(struct text *text, struct clock_face *face)
{
    if (text->length == 0)
        return true;
    face->has_offset = true;
    if (take(text, 'Z'))
        return text->length == 0;
    int sign = take(text, '-') ? -1 : 1;
    if (sign > 0 && !take(text, '+'))
        return false;
    int hour, minute;
    if (!take_digits(text, 2, &hour) || !take(text, ':') || !take_digits(text, 2, &minute) || hour > 15 || minute > 59)
        return false;
    face->offset_minutes = sign * (hour * 60 + minute);
    return text->length == 0;
}

static bool take_time(struct text *text, struct clock_face *face)
{
    if (!take_digits(text, 2, &face->hour) || !take(text, ':') || !take_digits(text, 2, &face->minute))
        return false;
    if (take(text, ':') && !take_digits(text, 2, &face->second))
        return false;
    if (take(text, '.') && !take_fraction(text, &face->millisecond))
        return false;
    return face->hour < 24 && face->minute < 60 && face->second < 60;
}

static enum err read_face(struct text iso, struct clock_face *out, struct err_info *info)
{
    *out = (struct clock_face){0};
    struct text rest = iso;
    bool right = take_date(&rest, &out->date);
    if (right && rest.length > 0) {
        out->has_time = true;
        right = (take(&rest, 'T') || take(&rest, ' ')) && take_time(&rest, out) && take_offset(&rest, out);
    }
    if (!right)
        return err_set(info, ERR_DATA, "\"%.*s\" is no date; write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS", TEXT_ARGS(iso));
    return OK;
}

enum err moment_date(struct text iso, uint32_t *out_date, struct err_info *info)
{
    struct clock_face face;
    TRY(read_face(iso, &face, info));
    *out_date = face.date;
    return OK;
}

static int64_t as_utc_seconds(const struct clock_face *face)
{
    return (int64_t)calendar_day(face->date) * 86400 + face->hour * 3600 + face->minute * 60 + face->second;
}

/* Files are sorted by date more often than not: one memory of the last midnight spares most calls of mktime. */
static bool local_midnight(uint32_t date, int64_t *out)
{
    static uint32_t last_date;
    static int64_t last_seconds;
    if (date != last_date) {
        struct tm tm = {.tm_year = (int)(date / 10000) - 1900,
                        .tm_mon = (int)(date / 100 % 100) - 1,
                        .tm_mday = (int)(date % 100),
                        .tm_isdst = -1};
        time_t seconds = mktime(&tm);
        if (seconds == (time_t)-1 && date != 19700101 && date != 19691231)
            return false;
        last_date = date;
        last_seconds = seconds;
    }
    *out = last_seconds;
    return true;
}

enum err moment_ms(struct text iso, int64_t *out_ms, struct err_info *info)
{
    struct clock_face face;
    TRY(read_face(iso, &face, info));
    int64_t seconds;
    if (face.has_offset) {
        seconds = as_utc_seconds(&face) - (int64_t)face.offset_minutes * 60;
    } else if (!face.has_time) {
        if (!local_midnight(face.date, &seconds))
            return err_set(info, ERR_DATA, "\"%.*s\" is beyond the system's calendar", TEXT_ARGS(iso));
    } else {
        struct tm tm = {.tm_year = (int)(face.date / 10000) - 1900,
                        .tm_mon = (int)(face.date / 100 % 100) - 1,
                        .tm_mday = (int)(face.date % 100),
                        .tm_hour = face.hour,
                        .tm_min = face.minute,
                        .tm_sec = face.second,
                        .tm_isdst = -1};
        seconds = mktime(&tm);
        if (tm.tm_hour != face.hour || tm.tm_min != face.minute)
            return err_set(info, ERR_DATA, "\"%.*s\" does not exist in %s: clocks were put forward over it",
                           TEXT_ARGS(iso), zone_now);
    }
    *out_ms = seconds * 1000 + face.millisecond;
    return OK;
}
