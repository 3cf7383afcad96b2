/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/hours.h"

#include "trade/calendar.h"

#include <criterion/criterion.h>

static struct zone *zone_of(const char *name)
{
    struct zone *zone;
    struct err_info info;
    cr_assert_eq(zone_new(name, &zone, &info), OK, "%s", info.text);
    return zone;
}

static struct hours hours_of_day(const struct zone *zone, uint32_t date)
{
    int32_t day = calendar_day(date);
    return hours_of_days(zone, (struct days){day, day});
}

static int32_t count(struct hours hours)
{
    return hours.to - hours.from + 1;
}

Test(hours, a_day_has_24_hours_and_23_or_25_when_the_clocks_are_changed)
{
    static const struct {
        const char *zone;
        uint32_t date;
        int32_t hours;
    } rows[] = {
        {"Asia/Shanghai", 20250330, 24},    {"Europe/Berlin", 20250329, 24},    {"Europe/Berlin", 20250330, 23},
        {"Europe/Berlin", 20251026, 25},    {"America/New_York", 20250309, 23}, {"America/New_York", 20251102, 25},
        {"Asia/Shanghai", 19910414, 23},    /* the last summer time there */
        {"America/Asuncion", 20231001, 23}, /* midnight itself was left out */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone *zone = zone_of(rows[i].zone);
        struct hours hours = hours_of_day(zone, rows[i].date);
        cr_expect_eq(count(hours), rows[i].hours, "%s %u: %d", rows[i].zone, rows[i].date, count(hours));
        cr_expect_eq(hours_begin_ms(hours.from), zone_midnight_ms(zone, calendar_day(rows[i].date)));
        zone_free(zone);
    }
}

Test(hours, days_tile_hours_without_gap_or_overlap)
{
    static const char *const names[] = {"Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "Africa/Casablanca"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *zone = zone_of(names[i]);
        int32_t next = hours_of_day(zone, 20150101).from;
        for (int32_t day = calendar_day(20150101); day <= calendar_day(20301231); day++) {
            struct hours hours = hours_of_days(zone, (struct days){day, day});
            cr_assert_eq(hours.from, next, "%s %u", names[i], calendar_date(day));
            cr_assert_eq(hours_day(zone, hours.from), day);
            cr_assert_eq(hours_day(zone, hours.to), day);
            next = hours.to + 1;
        }
        zone_free(zone);
    }
}

Test(hours, a_week_is_of_seven_days_whatever_is_done_to_the_clocks)
{
    struct zone *zone = zone_of("Europe/Berlin");
    cr_assert_eq(count(hours_of_days(zone, (struct days){calendar_day(20250324), calendar_day(20250330)})), 167);
    cr_assert_eq(count(hours_of_days(zone, (struct days){calendar_day(20251020), calendar_day(20251026)})), 169);
    zone_free(zone);
}

Test(hours, only_zones_of_whole_hours_have_days_of_hours)
{
    static const struct {
        const char *zone;
        bool whole;
    } rows[] = {{"Asia/Shanghai", true}, {"Asia/Almaty", true},     {"Europe/Berlin", true},
                {"Asia/Kolkata", false}, {"Asia/Kathmandu", false}, {"Australia/Lord_Howe", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone *zone = zone_of(rows[i].zone);
        cr_expect_eq(hours_are_of_days(zone), rows[i].whole, "%s", rows[i].zone);
        zone_free(zone);
    }
}

Test(hours, the_newest_day_and_44_before_it_are_kept)
{
    struct zone *zone = zone_of("Asia/Shanghai");
    int64_t midnight_ms = zone_midnight_ms(zone, calendar_day(20250815));
    int32_t first = hours_of_day(zone, 20250702).from;
    cr_assert_eq(hours_kept_from(zone, midnight_ms), first);
    cr_assert_eq(hours_kept_from(zone, midnight_ms + 86399999), first);
    cr_assert_eq(hours_kept_from(zone, midnight_ms - 1), first - 24);
    cr_assert_eq(hours_kept_from(zone, INT64_MIN), INT32_MIN, "nothing is known");
    zone_free(zone);
}

Test(hours, a_moment_is_in_the_hour_that_began_last)
{
    cr_assert_eq(hours_of_ms(0), 0);
    cr_assert_eq(hours_of_ms(3599999), 0);
    cr_assert_eq(hours_of_ms(3600000), 1);
    cr_assert_eq(hours_of_ms(-1), -1);
    cr_assert_eq(hours_of_ms(INT64_MAX), CELL_DAY_BIAS - 1, "what no key can say is of the last hour that one can");
    cr_assert_eq(hours_of_ms(INT64_MIN), -CELL_DAY_BIAS);
}

Test(hours, a_key_names_an_hour_of_utc)
{
    char text[HOURS_KEY_BYTES];
    int32_t hour = calendar_day(20250703) * 24 + 14;
    int32_t read;
    hours_key(hour, text);
    cr_assert_eq(memcmp(text, "20250703T14Z", HOURS_KEY_BYTES), 0, "%.12s", text);
    cr_assert(hours_read_key((struct text){text, sizeof text}, &read));
    cr_assert_eq(read, hour);

    static const char *const wrong[] = {"20250703T24Z", "20250732T00Z", "20250703T14",
                                        "20250703 14Z", "20250703T1-Z", "20250703"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(hours_read_key(text_of(wrong[i]), &read), "%s", wrong[i]);
}
