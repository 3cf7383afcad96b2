/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ranking.h"

#include "customs/v1/statistic.pb-c.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct reference *reference;
static struct ranking *ranking;
static struct err_info info;
static char *text;

static void begin(struct ranking_options options)
{
    options.view = "v";
    options.reference = reference;
    cr_assert_eq(ranking_new(&options, &ranking, &info), OK, "%s", info.text);
}

static void setup(void)
{
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/deploy/reference", NULL, &reference, &info), OK, "%s", info.text);
}

static void teardown(void)
{
    ranking_free(ranking);
    reference_free(reference);
    free(text);
}

TestSuite(ranking, .init = setup, .fini = teardown);

/* A record of a month. */
static void come(const char *key, int64_t value_minor, int64_t net_mass_g, uint64_t as_of)
{
    Customs__V1__Statistic m = CUSTOMS__V1__STATISTIC__INIT;
    char currency[] = "CNY";
    char reporter[] = "CN";
    uint8_t bytes[256];
    const char *dates = strchr(strchr(key, '|') + 1, '|') + 1;
    m.frequency = CUSTOMS__V1__FREQUENCY__FREQUENCY_MONTH;
    m.period_from = (uint32_t)strtoul(dates, NULL, 10);
    m.period_to = (uint32_t)strtoul(dates + 9, NULL, 10);
    m.currency = currency;
    m.reporter = reporter;
    m.value_minor = value_minor;
    m.net_mass_g = net_mass_g;
    m.items = m.declarations = 1;
    m.as_of = as_of;
    size_t length = customs__v1__statistic__pack(&m, bytes);
    const struct port_record record = {.key = {(const uint8_t *)key, strlen(key)}, .value = {bytes, length}};
    cr_assert(ranking_take(ranking, &record));
}

static void go(const char *key, int64_t as_of)
{
    const struct port_record record = {.key = {(const uint8_t *)key, strlen(key)}, .is_null = true, .as_of = as_of};
    cr_assert(ranking_take(ranking, &record));
}

static const char *printed(int64_t rows)
{
    size_t length = 0;
    free(text);
    FILE *out = open_memstream(&text, &length);
    cr_assert_eq(ranking_print(ranking, rows, out, &info), OK, "%s", info.text);
    fclose(out);
    return text;
}

static const char *head(void)
{
    size_t length = 0;
    free(text);
    FILE *out = open_memstream(&text, &length);
    ranking_print_head(ranking, out);
    fclose(out);
    return text;
}

#define A "v|MONTH|20250701|20250731|office=A"
#define B "v|MONTH|20250701|20250731|office=B"
#define C "v|MONTH|20250701|20250731|office=C"

Test(ranking, the_largest_come_first_and_the_others_are_added_up)
{
    begin((struct ranking_options){.show = "value,items"});
    come(A, 10000, 0, 1);
    come(B, 30000, 0, 2);
    come(C, 20000, 0, 3);

    cr_expect_str_eq(printed(2), "office    value CNY  items\n"
                                 "B               300      1\n"
                                 "C               200      1\n"
                                 "(others)        100      1\n"
                                 "total: 600 yuan, 3 items\n");
}

Test(ranking, a_record_replaces_the_one_before_unless_it_is_older)
{
    begin((struct ranking_options){.show = "value"});
    come(A, 10000, 0, 5);
    come(B, 30000, 0, 6);
    printed(5);
    come(A, 50000, 0, 7);
    come(B, 90000, 0, 4);

    cr_expect_str_eq(printed(5), "office  value CNY\n"
                                 "A             500\n"
                                 "B             300\n"
                                 "total: 800 yuan\n");
}

Test(ranking, a_tombstone_takes_its_row_away)
{
    begin((struct ranking_options){.show = "value"});
    come(A, 10000, 0, 1);
    come(B, 30000, 0, 2);
    go(B, 3);

    cr_expect_str_eq(printed(5), "office  value CNY\n"
                                 "A             100\n"
                                 "total: 100 yuan\n");
}

Test(ranking, it_is_from_january_to_the_newest_month_that_has_goods)
{
    begin((struct ranking_options){.show = "value"});
    come("v|MONTH|20250101|20250131|office=A", 100, 0, 1);
    come("v|MONTH|20250401|20250430|office=A", 200, 0, 2);
    come("v|MONTH|20241201|20241231|office=A", 400, 0, 3);

    cr_expect_str_eq(printed(5), "office  value CNY\n"
                                 "A               3\n"
                                 "total: 3 yuan\n");
    cr_expect_str_eq(head(), "view v, January-April 2025");
    come("v|MONTH|20250501|20250531|office=A", 800, 0, 4);
    printed(5);
    cr_expect_str_eq(head(), "view v, January-May 2025");
}

Test(ranking, a_period_that_was_asked_for_stays)
{
    begin((struct ranking_options){.show = "value", .window = {20241201, 20241231}});
    come("v|MONTH|20250401|20250430|office=A", 20000, 0, 2);
    come("v|MONTH|20241201|20241231|office=A", 40000, 0, 3);

    cr_expect_str_eq(printed(5), "office  value CNY\n"
                                 "A             400\n"
                                 "total: 400 yuan\n");
    cr_expect_str_eq(head(), "view v, December 2024");
}

Test(ranking, it_is_sorted_by_each_of_the_sums_that_are_shown_in_turn)
{
    begin((struct ranking_options){.show = "value,share,net"});
    come(A, 10000, 9000000, 1);
    come(B, 30000, 3000000, 2);

    ranking_sort_next(ranking);
    cr_expect_str_eq(head(), "view v, by value");
    ranking_sort_next(ranking);
    printed(5);
    cr_expect_str_eq(strchr(text, '\n') + 1, "A             100     25.0   9.00\n"
                                             "B             300     75.0   3.00\n"
                                             "total: 400 yuan, share 100 %, 12.0 t\n");
    ranking_sort_next(ranking);
    cr_expect_str_eq(head(), "view v, January-July 2025, by value", "a share is no sum");
}

Test(ranking, without_a_record_of_the_view_it_says_which_there_are)
{
    begin((struct ranking_options){.show = "value"});
    come("flow|MONTH|20250701|20250731|flow=M", 1, 0, 1);
    come("#claim|1|20250701|20250731|", 1, 0, 1);

    cr_expect_not(ranking_has_rows(ranking));
    cr_expect_eq(ranking_print(ranking, 5, stdout, &info), ERR_RETRY);
    cr_expect_str_eq(info.text, "topic.statistics has no record of view v; there are flow");
}

Test(ranking, a_name_that_the_view_has_not_is_an_error)
{
    begin((struct ranking_options){.by = "flow"});
    come(A, 1, 0, 1);

    cr_expect_eq(ranking_print(ranking, 5, stdout, &info), ERR_CONFIG);
    cr_expect(strstr(info.text, "--by flow: view v has office"), "%s", info.text);
}

Test(ranking, bytes_that_are_no_statistic_are_told_of)
{
    begin((struct ranking_options){.show = "value"});
    const struct port_record record = {.key = {(const uint8_t *)A, strlen(A)}, .value = {(const uint8_t *)"\xFF", 1}};

    cr_expect_not(ranking_take(ranking, &record));
}
