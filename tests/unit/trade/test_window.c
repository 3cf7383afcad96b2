/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/window.h"

#include <criterion/criterion.h>

static char out[WINDOW_TEXT_BYTES];

static struct window window_of(const char *text)
{
    struct window window = {0, 0};
    cr_assert(window_read(text_of(text), &window), "%s", text);
    return window;
}

static void expect(const char *text, uint32_t from, uint32_t to)
{
    struct window window = window_of(text);
    cr_expect_eq(window.from, from, "%s: %u", text, window.from);
    cr_expect_eq(window.to, to, "%s: %u", text, window.to);
}

static void expect_before(const char *text, uint32_t from, uint32_t to)
{
    struct window window = window_year_before(window_of(text));
    cr_expect_eq(window.from, from, "%s: %u", text, window.from);
    cr_expect_eq(window.to, to, "%s: %u", text, window.to);
}

Test(window, years_quarters_months_days_and_ranges_are_read)
{
    expect("2025", 20250101, 20251231);
    expect("2025-07", 20250701, 20250731);
    expect("2024-02", 20240201, 20240229);
    expect("2025-Q1", 20250101, 20250331);
    expect("2025-Q2", 20250401, 20250630);
    expect("2025-Q4", 20251001, 20251231);
    expect("2025-07-03", 20250703, 20250703);
    expect("2025-01..2025-07", 20250101, 20250731);
    expect("2025-01-01..2025-06-10", 20250101, 20250610);
    expect("2019..2023", 20190101, 20231231);
    expect("2022-11..2024-07-05", 20221101, 20240705);
    expect("2024-Q4..2025-Q1", 20241001, 20250331);
}

Test(window, what_is_no_window_is_refused)
{
    static const char *const wrong[] = {"",
                                        "25",
                                        "2025-",
                                        "2025-13",
                                        "2025-00",
                                        "2025-7",
                                        "2025-02-29",
                                        "2025-Q0",
                                        "2025-Q5",
                                        "2025-Q",
                                        "2025-Q11",
                                        "2025..",
                                        "..2025",
                                        "2025..2024",
                                        "2025-06-10..2025-06-09",
                                        "2025-01-01-01",
                                        "0000",
                                        "2025-1-01",
                                        "2025-01-1",
                                        "-025",
                                        "2025...2026"};
    struct window window = {1, 2};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(window_read(text_of(wrong[i]), &window), "%s", wrong[i]);
    cr_expect_eq(window.from, 1);
}

Test(window, the_year_before_keeps_month_and_day)
{
    expect_before("2025-01-01..2025-06-10", 20240101, 20240610);
    expect_before("2025-01..2025-07", 20240101, 20240731);
    expect_before("2025", 20240101, 20241231);
    expect_before("2025-05-20", 20240520, 20240520);
    expect_before("2022-11..2024-07-05", 20211101, 20230705);
}

Test(window, the_29th_of_february_belongs_to_the_window_by_month_and_day)
{
    expect_before("2024-02-10..2024-02-29", 20230210, 20230228);
    expect_before("2025-02-10..2025-02-28", 20240210, 20240228);
    expect_before("2025-02-10..2025-03-01", 20240210, 20240301);
    expect_before("2024-02-29..2024-03-05", 20230301, 20230305);
}

Test(window, whole_months_stay_whole_months)
{
    expect_before("2025-02", 20240201, 20240229);
    expect_before("2024-02", 20230201, 20230228);
    expect_before("2025-01-01..2025-02-28", 20240101, 20240229);
}

Test(window, nothing_is_a_year_before_a_leap_day_alone)
{
    struct window before = window_year_before(window_of("2024-02-29"));

    cr_expect_gt(before.from, before.to);
    cr_expect_not(window_holds(before, 20230228, 20230228));
    cr_expect_not(window_holds(before, 20230301, 20230301));
}

Test(window, whole_months_are_known)
{
    cr_expect(window_is_months(window_of("2024-02")));
    cr_expect(window_is_months(window_of("2025-01..2025-07")));
    cr_expect_not(window_is_months(window_of("2024-02-01..2024-02-28")));
    cr_expect_not(window_is_months(window_of("2025-01-02..2025-01-31")));
}

Test(window, a_year_is_the_longest_without_a_common_day)
{
    cr_expect(window_is_within_a_year(window_of("2025")));
    cr_expect(window_is_within_a_year(window_of("2024-07-06..2025-07-05")));
    cr_expect_not(window_is_within_a_year(window_of("2024-07-06..2025-07-06")));
    cr_expect_not(window_is_within_a_year(window_of("2019..2023")));
}

Test(window, whole_years_in_it)
{
    uint32_t first = 0;
    uint32_t last = 0;

    cr_assert(window_years(window_of("2019..2023"), &first, &last));
    cr_expect_eq(first, 2019);
    cr_expect_eq(last, 2023);
    cr_assert(window_years(window_of("2018-02..2021-11"), &first, &last));
    cr_expect_eq(first, 2019);
    cr_expect_eq(last, 2020);
    cr_expect_not(window_years(window_of("2025-01..2025-11"), &first, &last));
}

Test(window, a_record_counts_if_all_of_its_days_do)
{
    struct window window = window_of("2025-01-01..2025-06-10");

    cr_expect(window_holds(window, 20250610, 20250610));
    cr_expect_not(window_holds(window, 20250611, 20250611));
    cr_expect_not(window_holds(window, 20250601, 20250630));
    cr_expect_not(window_holds(window, 20241231, 20241231));
}

Test(window, it_is_named_as_people_do)
{
    static const char *const names[][2] = {
        {"2025", "2025"},
        {"2019..2023", "2019-2023"},
        {"2025-01..2025-07", "January-July 2025"},
        {"2025-Q2", "April-June 2025"},
        {"2025-07", "July 2025"},
        {"2024-11..2025-02", "November 2024-February 2025"},
        {"2025-01-01..2025-06-10", "1 January-10 June 2025"},
        {"2022-11-01..2024-07-05", "1 November 2022-5 July 2024"},
        {"2025-05-20", "20 May 2025"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_expect_str_eq(window_text(window_of(names[i][0]), out), names[i][1]);
}
