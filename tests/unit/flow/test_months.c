/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/months.h"
#include "trade/calendar.h"

#include <criterion/criterion.h>

enum { HOUR_MS = 3600000 };

static struct zone *zone;
static struct months months;

static void setup(void)
{
    struct err_info info;
    cr_assert_eq(zone_new("Asia/Shanghai", &zone, &info), OK, "%s", info.text);
    months_init(&months, zone, 5, 18);
}

static void teardown(void)
{
    zone_free(zone);
}

TestSuite(months, .init = setup, .fini = teardown);

static int64_t midnight(uint32_t date)
{
    return zone_midnight_ms(zone, calendar_day(date));
}

static enum month_state state_of(uint32_t date)
{
    return months_state(&months, calendar_day(date));
}

Test(months, all_are_open_before_a_watermark_is_known)
{
    cr_assert_eq(state_of(20000101), MONTH_OPEN);
    cr_assert(!months_reach(&months, -1));
    cr_assert_eq(state_of(19600101), MONTH_OPEN);
}

Test(months, a_month_is_provisional_from_the_millisecond_of_its_close)
{
    cr_assert(months_reach(&months, midnight(20250806) - 1));
    cr_assert_eq(state_of(20250731), MONTH_OPEN);
    cr_assert_eq(state_of(20250630), MONTH_PROVISIONAL);

    cr_assert(months_reach(&months, midnight(20250806)));
    cr_assert_eq(state_of(20250701), MONTH_PROVISIONAL);
    cr_assert_eq(state_of(20250731), MONTH_PROVISIONAL);
    cr_assert_eq(state_of(20250801), MONTH_OPEN);
}

Test(months, a_month_is_final_from_the_first_day_that_many_months_after_its_end)
{
    cr_assert(months_reach(&months, midnight(20270201) - 1));
    cr_assert_eq(state_of(20250731), MONTH_PROVISIONAL);
    cr_assert_eq(state_of(20250630), MONTH_FINAL);

    cr_assert(months_reach(&months, midnight(20270201)));
    cr_assert_eq(state_of(20250701), MONTH_FINAL);
    cr_assert_eq(state_of(20250801), MONTH_PROVISIONAL);
}

Test(months, nothing_is_said_to_change_between_two_borders)
{
    cr_assert(months_reach(&months, midnight(20250806)));
    for (int64_t ms = midnight(20250806); ms < midnight(20250901); ms += HOUR_MS)
        cr_assert(!months_reach(&months, ms));
    cr_assert(months_reach(&months, midnight(20250901))); /* February 2024 is final */
    cr_assert_eq(state_of(20240229), MONTH_FINAL);
    cr_assert_eq(state_of(20240301), MONTH_PROVISIONAL);
}

/* Each state as the moments of zone.h say it, at any watermark and for any settings. */
Test(months, borders_agree_with_the_moments_of_each_month)
{
    static const int32_t settings[][2] = {{0, 1}, {5, 1}, {5, 18}, {60, 1}, {60, 2}, {31, 240}};
    for (size_t s = 0; s < sizeof settings / sizeof settings[0]; s++) {
        int32_t days = settings[s][0];
        int32_t finals = settings[s][1];
        months_init(&months, zone, days, finals);
        for (int64_t ms = midnight(20231220); ms < midnight(20260320); ms += 7 * HOUR_MS) {
            months_reach(&months, ms);
            for (int32_t day = calendar_day(20230115); day < calendar_day(20260601); day += 30) {
                enum month_state should = ms >= zone_month_final_ms(zone, day, finals) ? MONTH_FINAL
                                          : ms >= zone_month_close_ms(zone, day, days) ? MONTH_PROVISIONAL
                                                                                       : MONTH_OPEN;
                cr_assert_eq(months_state(&months, day), should, "%u at %lld", calendar_date(day), (long long)ms);
            }
        }
    }
}

Test(months, a_clock_beyond_all_dates_closes_what_there_is)
{
    cr_assert(months_reach(&months, INT64_MAX));
    cr_assert_eq(state_of(20991231), MONTH_FINAL);
    months_reach(&months, INT64_MAX);
}

Test(months, without_a_zone_none_closes)
{
    months_init(&months, NULL, 5, 18);
    cr_assert(!months_reach(&months, midnight(20400101)));
    cr_assert_eq(state_of(19700101), MONTH_OPEN);
}

/* ---- one record ---- */

static enum month_state record(uint32_t date, bool has_late, unsigned told, bool is_equal)
{
    return months_of_record(&months, calendar_day(date), has_late, (struct months_told){told, is_equal});
}

Test(months, a_provisional_record_is_revised_if_it_holds_late_items_or_was_told_otherwise)
{
    enum { NOTHING = 0, UNSTATED = 9 };
    months_reach(&months, midnight(20250806));
    cr_assert_eq(record(20250731, false, NOTHING, false), MONTH_PROVISIONAL);
    cr_assert_eq(record(20250731, false, UNSTATED, false), MONTH_PROVISIONAL);
    cr_assert_eq(record(20250731, false, MONTH_OPEN, false), MONTH_PROVISIONAL);
    cr_assert_eq(record(20250731, false, MONTH_PROVISIONAL, true), MONTH_PROVISIONAL);
    cr_assert_eq(record(20250731, false, MONTH_PROVISIONAL, false), MONTH_REVISED);
    cr_assert_eq(record(20250731, false, MONTH_REVISED, true), MONTH_REVISED);
    cr_assert_eq(record(20250731, false, MONTH_FINAL, false), MONTH_REVISED);
    cr_assert_eq(record(20250731, true, NOTHING, false), MONTH_REVISED);
}

Test(months, an_open_or_final_record_is_never_revised)
{
    months_reach(&months, midnight(20250806));
    cr_assert_eq(record(20250801, true, MONTH_REVISED, false), MONTH_OPEN);
    cr_assert_eq(record(20231231, true, MONTH_REVISED, false), MONTH_FINAL);
}
