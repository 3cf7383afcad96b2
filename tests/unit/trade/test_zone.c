/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/zone.h"

#include "trade/calendar.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static struct zone *zone_of(const char *name)
{
    struct err_info info = {""};
    struct zone *zone = NULL;
    enum err err = zone_new(name, &zone, &info);
    cr_assert_eq(err, OK, "%s", info.text);
    cr_assert_str_eq(zone_name(zone), name);
    return zone;
}

/* Where the civil midnight of a date would be in UTC. */
static int64_t utc(uint32_t date)
{
    return calendar_day(date) * DAY;
}

static int64_t midnight(const struct zone *zone, uint32_t date)
{
    return zone_midnight_ms(zone, calendar_day(date));
}

/* No gap and no overlap: each day holds just what lies between its first millisecond and that of the next. */
static void expect_tiles(const struct zone *zone)
{
    for (int32_t day = calendar_day(19691229); day <= calendar_day(21000105); day++) {
        int64_t from = zone_midnight_ms(zone, day);
        int64_t to = zone_midnight_ms(zone, day + 1);
        cr_assert_leq(from, to);
        if (from == to)
            continue; /* a day that the zone left out */
        cr_assert_eq(zone_day(zone, from), day, "%u", calendar_date(day));
        cr_assert_eq(zone_day(zone, to - 1), day, "%u", calendar_date(day));
    }
}

/* The slow and obvious way: what the C library shows at an instant. */
static void expect_as_library(const struct zone *zone, const char *name)
{
    setenv("TZ", name, 1);
    tzset();
    for (int64_t ms = utc(20230101); ms < utc(20270101); ms += HOUR / 2) {
        time_t time = (time_t)(ms / 1000);
        struct tm tm;
        localtime_r(&time, &tm);
        uint32_t date = (uint32_t)((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday);
        cr_assert_eq(calendar_date(zone_day(zone, ms)), date, "%lld", (long long)ms);
    }
}

Test(zone, shanghai_is_eight_hours_ahead_all_year)
{
    struct zone *zone = zone_of("Asia/Shanghai");

    cr_expect_eq(midnight(zone, 20250101), utc(20250101) - 8 * HOUR);
    cr_expect_eq(midnight(zone, 20250701), utc(20250701) - 8 * HOUR);
    cr_expect_eq(zone_day(zone, utc(20250701) - 8 * HOUR), calendar_day(20250701));
    cr_expect_eq(zone_day(zone, utc(20250701) - 8 * HOUR - 1), calendar_day(20250630));
    expect_tiles(zone);
    expect_as_library(zone, "Asia/Shanghai");
    zone_free(zone);
}

Test(zone, almaty_has_an_hour_more_on_the_last_day_of_february_2024)
{
    struct zone *zone = zone_of("Asia/Almaty");

    cr_expect_eq(midnight(zone, 20240229), utc(20240229) - 6 * HOUR);
    cr_expect_eq(midnight(zone, 20240301), utc(20240301) - 5 * HOUR);
    cr_expect_eq(midnight(zone, 20240301) - midnight(zone, 20240229), 25 * HOUR);
    cr_expect_eq(zone_day(zone, utc(20240301) - 5 * HOUR - 1), calendar_day(20240229));
    expect_tiles(zone);
    expect_as_library(zone, "Asia/Almaty");
    zone_free(zone);
}

Test(zone, berlin_has_days_of_23_and_25_hours)
{
    struct zone *zone = zone_of("Europe/Berlin");

    cr_expect_eq(midnight(zone, 20250101), utc(20250101) - HOUR);
    cr_expect_eq(midnight(zone, 20250701), utc(20250701) - 2 * HOUR);
    cr_expect_eq(midnight(zone, 20250331) - midnight(zone, 20250330), 23 * HOUR);
    cr_expect_eq(midnight(zone, 20251027) - midnight(zone, 20251026), 25 * HOUR);
    cr_expect_eq(midnight(zone, 20990701), utc(20990701) - 2 * HOUR);
    expect_tiles(zone);
    expect_as_library(zone, "Europe/Berlin");
    zone_free(zone);
}

Test(zone, a_day_whose_midnight_is_skipped_begins_when_clocks_go_on)
{
    struct zone *zone = zone_of("Asia/Beirut"); /* 00:00 becomes 01:00 */

    cr_expect_eq(midnight(zone, 20250330), utc(20250330) - 2 * HOUR);
    cr_expect_eq(midnight(zone, 20250331) - midnight(zone, 20250330), 23 * HOUR);
    expect_tiles(zone);
    expect_as_library(zone, "Asia/Beirut");
    zone_free(zone);
}

Test(zone, an_hour_repeated_after_midnight_belongs_to_the_new_day)
{
    struct zone *zone = zone_of("America/Havana"); /* 01:00 becomes 00:00: the new day was reached already */
    struct zone *other = zone_of("Asia/Amman");    /* 2021: 01:00 becomes 00:00 */

    cr_expect_eq(midnight(zone, 20251103) - midnight(zone, 20251102), 25 * HOUR);
    cr_expect_eq(midnight(other, 20211030) - midnight(other, 20211029), 25 * HOUR);
    expect_tiles(zone);
    expect_tiles(other);
    zone_free(other);
    zone_free(zone);
}

Test(zone, minutes_of_a_day_that_clocks_leave_again_belong_to_it)
{
    struct zone *zone = zone_of("America/St_Johns"); /* 2010-11-07 00:01 became 23:01 of the eve */

    cr_expect_eq(midnight(zone, 20101107), utc(20101107) + 5 * HOUR / 2);
    cr_expect_eq(zone_day(zone, utc(20101107) + 5 * HOUR / 2 + 120000), calendar_day(20101107));
    expect_tiles(zone);
    zone_free(zone);
}

Test(zone, a_day_that_was_left_out_holds_no_instant)
{
    struct zone *zone = zone_of("Pacific/Apia"); /* there was no 2011-12-30 */

    cr_expect_eq(midnight(zone, 20111230), midnight(zone, 20111231));
    cr_expect_eq(zone_day(zone, midnight(zone, 20111231) - 1), calendar_day(20111229));
    cr_expect_eq(zone_day(zone, midnight(zone, 20111231)), calendar_day(20111231));
    expect_tiles(zone);
    zone_free(zone);
}

Test(zone, beyond_the_table_the_offset_of_its_edge_holds)
{
    struct zone *zone = zone_of("Asia/Shanghai");

    cr_expect_eq(midnight(zone, 99991231), utc(99991231) - 8 * HOUR);
    cr_expect_eq(zone_day(zone, utc(99991231)), calendar_day(99991231));
    cr_expect_eq(midnight(zone, 10101), utc(10101) - 8 * HOUR);
    cr_expect_eq(zone_day(zone, -1), 0);
    zone_free(zone);
}

Test(zone, a_month_closes_some_days_after_its_end)
{
    struct zone *zone = zone_of("Asia/Shanghai");

    cr_expect_eq(zone_month_close_ms(zone, calendar_day(20250701), 5), midnight(zone, 20250806));
    cr_expect_eq(zone_month_close_ms(zone, calendar_day(20250731), 5), midnight(zone, 20250806));
    cr_expect_eq(zone_month_close_ms(zone, calendar_day(20250801), 5), midnight(zone, 20250906));
    cr_expect_eq(zone_month_close_ms(zone, calendar_day(20251215), 0), midnight(zone, 20260101));
    cr_expect_eq(zone_month_close_ms(zone, calendar_day(20240131), 60), midnight(zone, 20240401));
    zone_free(zone);
}

Test(zone, a_close_follows_summer_time)
{
    struct zone *zone = zone_of("Europe/Berlin");

    cr_expect_eq(zone_month_close_ms(zone, calendar_day(20250215), 5), utc(20250306) - HOUR);
    cr_expect_eq(zone_month_close_ms(zone, calendar_day(20250315), 5), utc(20250406) - 2 * HOUR);
    zone_free(zone);
}

Test(zone, a_month_is_final_some_months_after_its_end)
{
    struct zone *zone = zone_of("Asia/Shanghai");

    cr_expect_eq(zone_month_final_ms(zone, calendar_day(20250715), 18), midnight(zone, 20270201));
    cr_expect_eq(zone_month_final_ms(zone, calendar_day(20251231), 1), midnight(zone, 20260201));
    cr_expect_eq(zone_month_final_ms(zone, calendar_day(20240101), 240), midnight(zone, 20440201));
    zone_free(zone);
}

Test(zone, an_unknown_name_is_refused_with_its_key)
{
    static const char *const wrong[] = {
        "Asia/Shanghia", "", "../zoneinfo/Asia/Shanghai", "/etc/localtime", "Asia", ":Asia/Shanghai", "zone.tab"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct err_info info = {""};
        struct zone *zone = NULL;
        cr_expect_eq(zone_new(wrong[i], &zone, &info), ERR_CONFIG, "%s", wrong[i]);
        cr_expect(strncmp(info.text, "timezone=", 9) == 0, "%s", info.text);
        cr_expect_null(zone);
    }
}

Test(zone, the_zone_of_the_process_stays_as_it_was)
{
    struct tm tm;
    time_t time = 0;
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();

    zone_free(zone_of("Europe/Berlin"));

    cr_expect_str_eq(getenv("TZ"), "Asia/Tokyo");
    localtime_r(&time, &tm);
    cr_expect_eq(tm.tm_hour, 9);
}
