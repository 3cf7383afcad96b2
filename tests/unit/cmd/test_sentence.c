/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sentence.h"
#include "unit/query/report_fixture.h"

TestSuite(sentence, .init = report_setup, .fini = report_teardown);

static void give_horgos(void)
{
    give(&(struct given){.key = "v|MONTH|20240301|20240331|zone=A|flow=M", 265068990560, 23650900000, 3});
    give(&(struct given){.key = "v|MONTH|20250301|20250331|zone=A|flow=M", 365000000000, 35500000000, 5});
}

Test(sentence, mass_value_and_both_growths)
{
    give_horgos();

    cr_assert_eq(make("", "2025-01..2025-07"), OK, "%s", info.text);
    expect_print(sentence_print, "net,value",
                 "January-July 2025: 35,500 t worth 3.65 bn yuan, up 50.1 % and 37.7 % year on year\n"
                 "a year before, January-July 2024: 23,700 t worth 2.65 bn yuan\n");
}

Test(sentence, net_and_gross_are_told_apart)
{
    give_horgos();

    cr_assert_eq(make("", "2025-01..2025-07"), OK, "%s", info.text);
    expect_print(sentence_print, "net,gross",
                 "January-July 2025: 35,500 t net, 71,000 t gross, up 50.1 % and 50.1 % year on year\n"
                 "a year before, January-July 2024: 23,700 t net, 47,300 t gross\n");
}

Test(sentence, directions_are_said_where_they_change)
{
    give(&(struct given){.key = "v|MONTH|20240301|20240331|flow=M", 100, 100, 2});
    give(&(struct given){.key = "v|MONTH|20250301|20250331|flow=M", 90, 150, 2});

    cr_assert_eq(make("", "2025"), OK, "%s", info.text);
    expect_print(sentence_print, "net,value,declarations",
                 "2025: 0.150 kg worth 0.9 yuan, 2 declarations, up 50 %, down 10 % and unchanged year on year\n"
                 "a year before, 2024: 0.100 kg worth 1 yuan, 2 declarations\n");
}

Test(sentence, without_a_base_nothing_is_said_of_growth)
{
    give(&(struct given){.key = "v|MONTH|20250301|20250331|flow=M", 90, 150, 1});

    cr_assert_eq(make("", "2025"), OK, "%s", info.text);
    expect_print(sentence_print, "value", "2025: 0.9 yuan\n");
}

Test(sentence, a_base_of_zero_gives_a_dash)
{
    give(&(struct given){.key = "v|MONTH|20240301|20240331|flow=M", 0, 100, 1});
    give(&(struct given){.key = "v|MONTH|20250301|20250331|flow=M", 90, 150, 1});

    cr_assert_eq(make("", "2025"), OK, "%s", info.text);
    expect_print(sentence_print, "net,value",
                 "2025: 0.150 kg worth 0.9 yuan, up 50 % and - year on year\n"
                 "a year before, 2024: 0.100 kg worth 0 yuan\n");
}

Test(sentence, a_share_has_no_year_before)
{
    give_horgos();

    cr_assert_eq(make("", "2025-01..2025-07"), OK, "%s", info.text);
    expect_print(sentence_print, "share", "January-July 2025: 100 % of the total\n");
}

Test(sentence, one_for_each_group_and_what_a_group_consists_of)
{
    give(&(struct given){.key = "v|MONTH|20250301|20250331|partner=RU", 500, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250301|20250331|partner=KZ", 300, 0, 1});
    request.where = "partner_group=EAEU";

    cr_assert_eq(make("partner", "2025"), OK, "%s", info.text);
    expect_print(sentence_print, "value",
                 "2025, partner RU: 5 yuan\n2025, partner KZ: 3 yuan\n2025: 8 yuan\n"
                 "selection: view v, partner_group=EAEU\n"
                 "EAEU: as of 31 December 2025 for all years: AM BY KG KZ RU (without the reporter, CN)\n");
}

Test(sentence, options_of_presentation_that_mean_nothing_are_refused)
{
    static const struct presentation_options wrong[] = {
        {.show = "value,mass"},
        {.show = "value", .mass_unit = "lb"},
        {.show = "value", .value_scale = "k"},
        {.show = "value", .currency = "USD"},
        {.show = "value", .rate = "7"},
        {.show = "value", .currency = "USD", .rate = "0"},
        {.show = "value", .currency = "USD", .rate = "seven"},
    };
    struct presentation presentation;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_eq(presentation_read(&wrong[i], &presentation, &info), ERR_CONFIG, "%zu", i);
}

Test(sentence, a_conversion_says_its_rate)
{
    static const struct presentation_options options = {.show = "value", .currency = "USD", .rate = "7.1516"};
    struct presentation presentation;
    char figure[FIGURE_BYTES];
    give(&(struct given){.key = "v|MONTH|20250301|20250331|flow=M", 211000000000000, 0, 1});
    cr_assert_eq(make("", "2025"), OK, "%s", info.text);
    cr_assert_eq(presentation_read(&options, &presentation, &info), OK, "%s", info.text);
    presentation.decimals = 2;

    presentation_figure(&presentation, summary, &summary->total, MEASURE_VALUE, false, figure);

    cr_assert_str_eq(figure, "295.04 bn US dollars");
}
