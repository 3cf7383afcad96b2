/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/composition.h"
#include "unit/flow/figures_fixture.h"

#include "customs/v1/statistic.pb-c.h"

TestSuite(figures_sums, .init = setup, .fini = teardown);

enum { NOON_HOUR = 12 };

Test(figures_sums, sums_follow_from_the_cells_of_their_days)
{
    count_on(20240103, 1, 1);
    count_on(20240131, 2, 1);
    count_on(20240301, 4, 1);
    count_on(20240630, 8, 1);
    fold();
    figures_set_today(figures, calendar_day(20240302));

    cr_assert_eq(value_of("flow|QUARTER|20240101|20240331|flow=M"), 7);
    cr_assert_eq(value_of("flow|QUARTER|20240401|20240630|flow=M"), 8);
    cr_assert_eq(value_of("flow|YEAR|20240101|20241231|flow=M"), 15);
    cr_assert_eq(value_of("flow|YEAR_TO_DATE|20240101|20240131|flow=M"), 3);
    cr_assert_eq(value_of("flow|YEAR_TO_DATE|20240101|20240331|flow=M"), 7);
    cr_assert_eq(value_of("flow|YEAR_TO_DATE|20240101|20240630|flow=M"), 15);
    cr_assert_eq(value_of("partner|YEAR_TO_DATE|20240101|20240630|partner=KZ|flow=M"), 15);
    cr_assert_eq(value_of("flow|ROLLING|7D||flow=M"), 4);
    cr_assert_eq(value_of("flow|ROLLING|30D||flow=M"), 4);
    cr_assert_eq(value_of("flow|ROLLING|12M||flow=M"), 7);
    cr_assert_eq(find("flow|YEAR_TO_DATE|20240101|20240229|flow=M"), TABLE_NONE, "no month has a record there");
    cr_assert_eq(find("partner|YEAR|20240101|20241231|partner=KZ|flow=M"), TABLE_NONE, "that is not published");
}

Test(figures_sums, a_year_to_date_is_zero_when_its_last_month_lost_all_items)
{
    count_on(20240103, 1, 1);
    count_on(20240203, 2, 1);
    fold();
    count_on(20240203, 2, -1);
    fold();

    cr_assert_eq(value_of("flow|YEAR_TO_DATE|20240101|20240131|flow=M"), 1);
    cr_assert_eq(value_of("flow|YEAR_TO_DATE|20240101|20240229|flow=M"), 0);
}

Test(figures_sums, a_base_is_the_same_window_of_the_year_before_and_only_if_that_has_items)
{
    count_on(20240103, 1, 1);
    count_on(20240229, 2, 1);
    count_on(20250103, 10, 1);
    count_on(20250228, 20, 1);
    count_on(20250301, 40, 1);
    fold();
    figures_set_today(figures, calendar_day(20250302));

    cr_assert_eq(base_of("flow|DAY|20250103|20250103|flow=M"), 1);
    cr_assert_eq(base_of("flow|DAY|20250228|20250228|flow=M"), INT64_MIN);
    cr_assert_eq(base_of("flow|MONTH|20250201|20250228|flow=M"), 2, "a whole month has the whole month as its base");
    cr_assert_eq(base_of("flow|QUARTER|20250101|20250331|flow=M"), 3);
    cr_assert_eq(base_of("flow|YEAR_TO_DATE|20250101|20250131|flow=M"), 1);
    cr_assert_eq(base_of("flow|YEAR_TO_DATE|20250101|20250331|flow=M"), 3);
    cr_assert_eq(base_of("flow|ROLLING|7D||flow=M"), 2, "24 February to 2 March has the leap day");
    cr_assert_eq(base_of("flow|MONTH|20250301|20250331|flow=M"), INT64_MIN);
    cr_assert_eq(base_of("flow|YEAR|20240101|20241231|flow=M"), INT64_MIN);
}

Test(figures_sums, rolling_windows_wait_for_the_newest_day)
{
    count_on(20240115, 1, 1);
    fold();
    struct figure figure;
    uint32_t number = find("flow|ROLLING|7D||flow=M");
    cr_assert(!figures_get(figures, number, &figure));
    figures_set_today(figures, calendar_day(20240121));
    cr_assert(figures_get(figures, number, &figure));
    cr_assert_eq(calendar_date(figure.days.from), 20240115);
    cr_assert_eq(figure.sums->items, 1);
    figures_set_today(figures, calendar_day(20240122));
    cr_assert(figures_get(figures, number, &figure));
    cr_assert_eq(figure.sums->items, 0);
}

/* ---- hours ---- */

Test(figures_sums, windows_of_hours_are_sums_of_their_hours)
{
    begin_with_hours();
    int32_t noon = calendar_day(20240710) * 24 + NOON_HOUR;
    for (int32_t back = 0; back < 10 * 24; back++) /* ten days and nights */
        count_in_hour(noon - back, 1 + back % 7, 1);
    fold();
    figures_set_today(figures, calendar_day(20240710));
    for (int32_t newest = noon - 5; newest <= noon + 30; newest++) {
        figures_set_hours(figures, newest, INT32_MIN);
        int64_t sum = 0;
        for (int32_t hour = newest - 23; hour <= newest; hour++)
            sum += hour <= noon ? 1 + (noon - hour) % 7 : 0;
        cr_assert_eq(value_of("hours|ROLLING|24H||flow=M"), sum);
        cr_assert_eq(value_of("hours|ROLLING|24H||flow=T"), sum);
    }
    int64_t week = 0;
    for (int32_t back = 0; back < 6 * 24 + NOON_HOUR + 1; back++) /* from midnight of the fourth */
        week += 1 + back % 7;
    cr_assert_eq(value_of("hours|ROLLING|7D||flow=M"), week);
}

Test(figures_sums, an_hour_that_is_not_kept_is_told_as_if_nothing_had_come)
{
    begin_with_hours();
    int32_t noon = calendar_day(20240710) * 24 + NOON_HOUR;
    count_in_hour(noon, 5, 1);
    fold();
    uint32_t number = find("hours|HOUR|20240710T12Z|20240710T12Z|flow=M");
    figures_set_hours(figures, noon, noon);
    cr_assert_eq(value_of("hours|HOUR|20240710T12Z|20240710T12Z|flow=M"), 5);
    cr_assert(!figures_is_over(figures, number));
    figures_set_hours(figures, noon + 1, noon + 1);
    cr_assert_eq(value_of("hours|HOUR|20240710T12Z|20240710T12Z|flow=M"), 0);
    cr_assert_eq(value_of("hours|HOUR|20240710T12Z|20240710T12Z|flow=T"), 0);
    cr_assert(figures_is_over(figures, number));
}

/* ---- all flows together ---- */

Test(figures_sums, all_flows_together_add_up_and_count_a_declaration_once)
{
    begin_with_totals();
    count_flows(20240203, 10, 5, 1);
    count_on(20240204, 100, 1);
    fold();
    figures_set_today(figures, calendar_day(20240204));

    static const char *const keys[] = {"flow|MONTH|20240201|20240229|flow=T", "flow|YEAR|20240101|20241231|flow=T",
                                       "flow|YEAR_TO_DATE|20240101|20240229|flow=T", "flow|ROLLING|7D||flow=T",
                                       "partner|QUARTER|20240101|20240331|partner=KZ|flow=T"};
    struct figure figure;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        cr_assert_eq(value_of(keys[i]), 115, "%s", keys[i]);
        cr_assert(figures_get(figures, find(keys[i]), &figure));
        cr_assert_eq(figure.sums->items, 3);
        cr_assert_eq(figure.sums->declarations, 2, "%s", keys[i]);
    }
    cr_assert_eq(value_of("flow|DAY|20240203|20240203|flow=T"), 15);
    cr_assert_eq(find("partner|MONTH|20240201|20240229|partner=KZ|flow=T"), TABLE_NONE,
                 "months are not published there");

    count_flows(20240203, 10, 5, -1);
    fold();
    cr_assert_eq(value_of(keys[0]), 100);
    cr_assert(figures_get(figures, find(keys[0]), &figure));
    cr_assert_eq(figure.sums->declarations, 1);
}

/* ---- country groups and trade classes ---- */

Test(figures_sums, a_group_has_in_both_years_whom_it_has_on_the_last_day)
{
    begin_with_groups();
    count_of("BY", "", 20230610, 1, 1);
    count_of("BY", "", 20230710, 2, 1);
    count_of("BY", "", 20240610, 4, 1);
    count_of("BY", "", 20240710, 8, 1);
    count_of("KZ", "", 20240710, 16, 1);
    fold();
    figures_set_today(figures, calendar_day(20240710));

    cr_assert_eq(value_of("bloc|MONTH|20240701|20240731|flow=M|partner_group=SCO_MEMBER"), 8);
    cr_assert_eq(base_of("bloc|MONTH|20240701|20240731|flow=M|partner_group=SCO_MEMBER"), 2);
    cr_assert_eq(value_of("bloc|MONTH|20230701|20230731|flow=M|partner_group=SCO_MEMBER"), 0, "it was no member then");
    cr_assert_eq(value_of("bloc|YEAR_TO_DATE|20240101|20240630|flow=M|partner_group=SCO_MEMBER"), 0);
    cr_assert_eq(value_of("bloc|YEAR_TO_DATE|20240101|20240731|flow=M|partner_group=SCO_MEMBER"), 12);
    cr_assert_eq(base_of("bloc|YEAR_TO_DATE|20240101|20240731|flow=M|partner_group=SCO_MEMBER"), 3);
    cr_assert_eq(value_of("bloc|QUARTER|20240401|20240630|flow=M|partner_group=SCO_MEMBER"), 0);
    cr_assert_eq(value_of("bloc|YEAR|20240101|20241231|flow=M|partner_group=SCO_MEMBER"), 12);
    cr_assert_eq(value_of("bloc|ROLLING|30D||flow=M|partner_group=SCO_MEMBER"), 8);
    cr_assert_eq(value_of("bloc|DAY|20240710|20240710|flow=T|partner_group=CENTRAL_ASIA"), 16);
    figures_set_today(figures, calendar_day(20240703));
    cr_assert_eq(value_of("bloc|ROLLING|30D||flow=M|partner_group=SCO_MEMBER"), 0);
}

Test(figures_sums, a_group_row_has_no_declarations_and_no_partner)
{
    begin_with_groups();
    count_of("KZ", "9610", 20240710, 16, 1);
    count_of("UZ", "0110", 20240711, 5, 1);
    fold();
    uint32_t number = find("class|MONTH|20240701|20240731|trade_class=ECOMMERCE|partner_group=CENTRAL_ASIA|flow=M");
    struct figure figure;
    bool is_saturated = false;
    cr_assert(figures_get(figures, number, &figure));
    cr_assert_neq(statistic_set(writer, &figure, cube_codes(cube), &is_saturated), STATISTIC_ABSENT);
    struct statistic_stamp stamp = {.state = 1, .as_of = 7};
    struct bytes bytes = statistic_pack(writer, &stamp);
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, bytes.length, bytes.data);
    cr_assert_not_null(m);
    cr_expect_str_eq(m->partner_group, "CENTRAL_ASIA");
    cr_expect_str_eq(m->partner, "");
    cr_expect_str_eq(m->trade_mode, "ECOMMERCE");
    cr_expect_eq(m->value_minor, 16);
    cr_expect_eq(m->items, 1);
    cr_expect_eq(m->declarations, 0);
    cr_expect_eq(m->partner_basis, CUSTOMS__V1__PARTNER_BASIS__PARTNER_BASIS_ORIGIN);
    customs__v1__statistic__free_unpacked(m, NULL);
}

Test(figures_sums, classes_are_cells_whose_declarations_add_up)
{
    begin_with_groups();
    count_of("KZ", "9610", 20240710, 16, 1);
    count_of("DE", "1210", 20240711, 5, 1);
    count_of("DE", "0110", 20240712, 3, 1);
    count_of("DE", "", 20240712, 2, 1);
    fold();
    uint32_t cell = find("sales|MONTH|20240701|20240731|trade_class=ECOMMERCE|flow=M");
    cr_assert_eq(cube_measures(cube, cell)->declarations, 2);
    cr_assert_eq(value_of("sales|MONTH|20240701|20240731|trade_class=ECOMMERCE|flow=M"), 21);
    cr_assert_eq(value_of("sales|MONTH|20240701|20240731|trade_class=OTHER|flow=M"), 5);
}

/* The property: on every date, a group's record is the sum of the records of its partners, and so is its base. */
Test(figures_sums, a_group_is_the_sum_of_its_partners_at_every_date)
{
    static const char *const countries[] = {"KZ", "UZ", "BY", "AF", "DE", "CN"};
    static const uint32_t months[] = {20230601, 20230701, 20230801, 20240501, 20240601,
                                      20240701, 20240801, 20250801, 20250901, 20251001};
    begin_with_groups();
    struct composition composition;
    uint64_t random = 20;
    for (uint64_t i = 0; i < 600; i++) {
        random = hash_mix(random ^ HASH_P0, HASH_P1 + i);
        uint32_t date = months[random % 10] + (uint32_t)(random >> 8) % 28;
        count_of(countries[(random >> 16) % 6], "", date, 1 + (int64_t)(random >> 24 & 1023), 1);
    }
    fold();
    uint32_t compared = 0;
    uint32_t with_base = 0;
    for (uint32_t group = 0; group < plan.group_count; group++) {
        for (size_t m = 0; m < sizeof months / sizeof months[0]; m++) {
            char key[FIGURE_KEY_BYTES];
            int64_t sum = 0;
            int64_t base = 0;
            uint32_t last = calendar_month_last(months[m]);
            composition = (struct composition){.count = 0};
            composition_add(&composition, reference, text_of(plan.groups[group]), last);
            composition_remove(&composition, TEXT("CN"));
            for (uint32_t c = 0; c < composition.count; c++) {
                snprintf(key, sizeof key, "partner|MONTH|%u|%u|partner=%s|flow=M", months[m], last,
                         composition.countries[c]);
                sum += find(key) == TABLE_NONE ? 0 : value_of(key);
                snprintf(key, sizeof key, "partner|MONTH|%u|%u|partner=%s|flow=M", months[m] - 10000, last - 10000,
                         composition.countries[c]);
                base += find(key) == TABLE_NONE ? 0 : value_of(key);
            }
            snprintf(key, sizeof key, "bloc|MONTH|%u|%u|flow=M|partner_group=%s", months[m], last, plan.groups[group]);
            cr_assert_eq(find(key) == TABLE_NONE ? 0 : value_of(key), sum, "%s", key);
            compared += sum != 0;
            if (sum == 0)
                continue;
            cr_assert_eq(base_of(key), base ? base : INT64_MIN, "%s", key);
            with_base += base != 0;
        }
    }
    cr_assert(compared > 15 && with_base > 5, "%u, %u", compared, with_base);
}

/* ---- codes of two editions ---- */

Test(figures_sums, a_base_of_another_edition_is_of_the_goods_that_came_whole)
{
    static const uint32_t older[] = {10121, 30510, 30792, 20890, 850010, 850020};
    static const uint32_t newer[] = {10121, 30910, 30792, 20890, 850001, 30990};
    begin_with_editions();
    for (size_t i = 0; i < sizeof older / sizeof older[0]; i++) {
        count_code(older[i], 20211210, 1 << i, 1);
        count_code(newer[i], 20221210, 100, 1);
    }
    fold();

    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=010121"), 1);
    cr_assert_eq(base_of("goods|YEAR_TO_DATE|20220101|20221231|hs6=030910"), 2);
    cr_assert_eq(base_of("days|DAY|20221210|20221210|hs6=030910"), 2);
    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=850001"), 16 + 32);
    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=030792"), INT64_MIN);
    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=030990"), INT64_MIN);
    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=020890"), INT64_MIN);
}

Test(figures_sums, digits_of_one_edition_are_compared_as_they_are)
{
    begin_with_editions();
    count_code(30792, 20201210, 1, 1);
    count_code(30792, 20211210, 2, 1);
    count_code(30792, 20221210, 4, 1);
    count_code(30792, 20231210, 8, 1);
    fold();

    cr_assert_eq(base_of("goods|MONTH|20211201|20211231|hs6=030792"), 1);
    cr_assert_eq(base_of("goods|MONTH|20221201|20221231|hs6=030792"), INT64_MIN);
    cr_assert_eq(base_of("goods|MONTH|20231201|20231231|hs6=030792"), 4);
}

Test(figures_sums, a_rolling_base_over_both_editions_has_each_half_under_its_codes)
{
    begin_with_editions();
    count_code(30510, 20211010, 1, 1);
    count_code(30910, 20220210, 2, 1);
    count_code(30910, 20221010, 4, 1);
    count_code(30910, 20230210, 8, 1);
    count_code(10121, 20201110, 16, 1);
    count_code(10121, 20220110, 32, 1);
    fold();
    figures_set_today(figures,
                      calendar_day(20230220)); /* March 2022 to February 2023 beside March 2021 to February 2022 */
    cr_assert_eq(value_of("goods|ROLLING|12M||hs6=030910"), 12);
    cr_assert_eq(base_of("goods|ROLLING|12M||hs6=030910"), 3);
    figures_set_today(figures, calendar_day(20220220)); /* its own days have goods of its number from both editions */
    cr_assert_eq(base_of("goods|ROLLING|12M||hs6=030910"), INT64_MIN);
    figures_set_today(figures, calendar_day(20220120));
    cr_assert_eq(base_of("goods|ROLLING|12M||hs6=010121"), 16, "it stayed");
}
