/* SPDX-License-Identifier: Apache-2.0 */
#include "query/edition.h"

#include "query/report_data.h"
#include "query/report_table.h"
#include "unit/query/report_fixture.h"

static void setup(void)
{
    report_setup();
    reference_free(reference);
    cr_assert_eq(
        reference_load(DRYPORT_SOURCE "/tests/data/editions", DRYPORT_SOURCE "/deploy/reference", &reference, &info),
        OK, "%s", info.text);
}

TestSuite(edition, .init = setup, .fini = report_teardown);

/* December of 2021 in HS 2017, of 2022 in HS 2022. */
static void give_code(const char *code, uint32_t year, int64_t value)
{
    char key[128];
    snprintf(key, sizeof key, "v|MONTH|%u1201|%u1231|hs6=%s|flow=M", year, year, code);
    struct given given = {.key = key, .value_minor = value, .net_mass_g = value, .declarations = 1};
    give(&given);
}

/* A code that has another number in HS 2022. */
static void give_renumbered(void)
{
    give_code("030510", 2021, 100);
    give_code("030910", 2022, 150);
}

/* A code whose goods have two in HS 2022. */
static void give_split(void)
{
    give_code("030792", 2021, 100);
    give_code("030792", 2022, 40);
}

/* December of 2022 with December of 2021. */
static void compare(const char *by)
{
    cr_assert_eq(make(by, "2022-12"), OK, "%s", info.text);
}

static const struct summary_group *group_of(const char *code)
{
    for (uint32_t i = 0; i < summary->group_count; i++) {
        if (strcmp(summary_value(&summary->groups[i], 0), code) == 0)
            return &summary->groups[i];
    }
    cr_assert_fail("no group %s", code);
    return NULL;
}

static void expect_group(const char *code, int64_t now, int64_t base, const char *flag)
{
    const struct summary_group *group = group_of(code);
    cr_assert_eq((int64_t)group->now.of[MEASURE_VALUE], now, "%s", code);
    cr_assert_eq(group->has_base, base >= 0, "%s", code);
    if (base >= 0)
        cr_assert_eq((int64_t)group->base.of[MEASURE_VALUE], base, "%s", code);
    cr_assert_str_eq(edition_name(group->edition), flag, "%s", code);
}

Test(edition, a_code_that_stayed_is_compared_without_a_flag)
{
    give_code("010121", 2021, 100);
    give_code("010121", 2022, 150);
    compare("hs6");

    expect_group("010121", 150, 100, "");
}

Test(edition, a_code_that_has_another_number_and_one_that_was_joined_are_converted)
{
    give_renumbered();
    give_code("850010", 2021, 10);
    give_code("850020", 2021, 20);
    give_code("850001", 2022, 60);
    compare("hs6");

    cr_assert_eq(summary->group_count, 2);
    expect_group("030910", 150, 100, "converted");
    expect_group("850001", 60, 30, "converted");
}

Test(edition, a_code_that_was_split_is_given_to_none_and_nothing_is_said_of_the_year_before)
{
    give_split();
    give_code("030990", 2022, 70);
    compare("hs6");

    expect_group("030792", 40, -1, "split");
    expect_group("030990", 70, -1, "split");
    cr_assert(summary->total.has_base, "the total does not depend on codes");
    cr_assert_eq((int64_t)summary->total.base.of[MEASURE_VALUE], 100);
    cr_assert_eq(summary->total.edition, EDITION_NONE);
}

Test(edition, a_split_within_a_heading_or_a_chapter_does_not_matter_there)
{
    give_split();
    give_code("030990", 2022, 70);
    compare("hs2");

    expect_group("03", 110, 100, "");
}

Test(edition, a_code_that_lost_a_part_is_compared_and_flagged_and_so_is_the_one_that_has_it)
{
    give_code("020890", 2021, 100);
    give_code("041000", 2021, 5);
    give_code("020890", 2022, 90);
    give_code("041010", 2022, 15);
    compare("hs6");

    expect_group("020890", 90, 100, "approximate");
    expect_group("041010", 15, 5, "approximate");
}

Test(edition, conditions_are_of_the_newer_codes)
{
    give_renumbered();
    request.where = "hs6=030910";
    compare("");
    cr_assert_eq((int64_t)summary->total.base.of[MEASURE_VALUE], 100);

    request.where = "hs6=030510";
    compare("");
    cr_assert_not(summary->total.has_base);
}

Test(edition, a_selection_that_cuts_through_a_split_has_no_year_before)
{
    give_split();
    request.where = "hs6=030792";
    compare("hs6");

    expect_group("030792", 40, -1, "split");
    cr_assert_not(summary->total.has_base);
    cr_assert_str_eq(edition_name(summary->total.edition), "split");
}

Test(edition, windows_within_one_edition_know_nothing_of_it)
{
    give_code("030792", 2020, 7);
    give_code("030792", 2021, 100);
    cr_assert_eq(make("hs6", "2021-12"), OK, "%s", info.text);
    cr_assert_not(summary->edition.is_active);
    expect_group("030792", 100, 7, "");

    give_code("030792", 2022, 1);
    give_code("030792", 2023, 2);
    cr_assert_eq(make("hs6", "2023-12"), OK, "%s", info.text);
    cr_assert_not(summary->edition.is_active);
    expect_group("030792", 2, 1, "");
}

Test(edition, a_window_over_both_editions_adds_up_under_the_newer_codes)
{
    give_renumbered();
    cr_assert_eq(make("hs6", "2021-01..2022-12"), OK, "%s", info.text);

    cr_assert_eq(summary->group_count, 1);
    cr_assert_eq((int64_t)group_of("030910")->now.of[MEASURE_VALUE], 250);
}

Test(edition, without_the_list_codes_are_compared_as_they_are_and_that_is_said)
{
    reference_free(reference);
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/deploy/reference", NULL, &reference, &info), OK, "%s", info.text);
    give_split();
    compare("hs6");

    expect_group("030792", 40, 100, "unconverted");
}

Test(edition, the_flag_stands_in_table_and_data)
{
    give_code("030510", 2021, 10000);
    give_code("030910", 2022, 15000);
    give_code("030792", 2021, 10000);
    give_code("030792", 2022, 4000);
    compare("hs6");

    expect_print(report_table_print, "value",
                 "hs6     value CNY  yoy %  HS 2017  \n"
                 "030910        150   50.0  converted\n"
                 "030792         40      -  split    \n"
                 "total: 190 yuan (-5.0 %)\n"
                 "converted: codes of HS 2017 were taken to those of HS 2022 that have all of their goods\n"
                 "split: a code of HS 2017 was split, so nothing is said of the year before\n");
}
