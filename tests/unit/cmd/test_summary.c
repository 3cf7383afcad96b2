/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/summary.h"

#include "customs/v1/statistic.pb-c.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct summary *summary;
static struct err_info info;

static void setup(void)
{
    summary = summary_new("partner");
}

static void teardown(void)
{
    summary_free(summary);
}

TestSuite(summary, .init = setup, .fini = teardown);

struct given {
    const char *key;
    uint64_t as_of;
    int64_t value_minor;
    int64_t net_mass_g;
    uint64_t declarations;
};

static void give(const struct given *given)
{
    Customs__V1__Statistic m = CUSTOMS__V1__STATISTIC__INIT;
    char currency[] = "CNY";
    uint8_t bytes[256];
    unsigned from = 0;
    unsigned to = 0;
    const char *dates =
        strstr(given->key, "MONTH|") ? strstr(given->key, "MONTH|") + 6 : strstr(given->key, "DAY|") + 4;
    from = (unsigned)strtoul(dates, NULL, 10);
    to = (unsigned)strtoul(dates + 9, NULL, 10);
    m.frequency =
        strstr(given->key, "MONTH|") ? CUSTOMS__V1__FREQUENCY__FREQUENCY_MONTH : CUSTOMS__V1__FREQUENCY__FREQUENCY_DAY;
    m.period_from = from;
    m.period_to = to;
    m.currency = currency;
    m.value_minor = given->value_minor;
    m.net_mass_g = given->net_mass_g;
    m.declarations = given->declarations;
    m.items = given->declarations * 2;
    m.as_of = given->as_of;
    size_t length = customs__v1__statistic__pack(&m, bytes);
    cr_assert(summary_take(summary, text_of(given->key), (struct bytes){bytes, length}));
}

static enum err make(const char *by, uint32_t from, uint32_t to)
{
    struct summary_request request = {.by = by, .from = from, .to = to, .currency_decimals = 2};
    return summary_make(summary, &request, &info);
}

static void expect_text(void (*print)(const struct summary *, FILE *), const char *expected)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    print(summary, out);
    fclose(out);
    cr_assert_str_eq(text, expected, "%s", text);
    free(text);
}

static const struct given months[] = {
    {"partner|MONTH|20250701|20250731|partner=KZ|flow=M|mode=2", 5, 123456789050, 1234567, 10},
    {"partner|MONTH|20250701|20250731|partner=KZ|flow=M|mode=3", 6, 100, 4000000, 1},
    {"partner|MONTH|20250701|20250731|partner=KG|flow=M|mode=2", 7, 5000, 50, 2},
    {"partner|MONTH|20250801|20250831|partner=KZ|flow=M|mode=2", 8, 700, 1, 1},
};

static void give_months(void)
{
    for (size_t i = 0; i < sizeof months / sizeof months[0]; i++)
        give(&months[i]);
}

Test(summary, bytes_that_are_no_statistic_are_said)
{
    cr_assert(!summary_take(summary, TEXT("partner|MONTH|x"), (struct bytes){(const uint8_t *)"\xFF", 1}));
}

Test(summary, an_unknown_view_is_an_error_that_names_those_there_are)
{
    summary_take(summary, TEXT("flow|DAY|20250701|20250701|flow=M"), (struct bytes){(const uint8_t *)"", 0});
    summary_take(summary, TEXT("#claim|1|x"), (struct bytes){(const uint8_t *)"x", 1});
    cr_assert_eq(make(NULL, 20250701, 20250731), ERR_CONFIG);
    cr_assert_str_eq(info.text, "topic.statistics has no record of view partner; there are flow");
}

Test(summary, an_unknown_dimension_is_an_error_that_names_those_there_are)
{
    give_months();
    cr_assert_eq(make("partner,office", 20250701, 20250731), ERR_CONFIG);
    cr_assert_str_eq(info.text, "--by office: view partner has partner, flow, mode, period");
}

Test(summary, a_part_of_a_month_needs_days)
{
    give_months();
    cr_assert_eq(make("partner", 20250701, 20250715), ERR_CONFIG);
    cr_assert(strstr(info.text, "give whole months"));
}

Test(summary, table_with_the_largest_value_first_and_a_total)
{
    give_months();
    cr_assert_eq(make("partner,mode", 20250701, 20250731), OK, "%s", info.text);
    expect_text(summary_print_text, "partner  mode      value CNY  net t  declarations  items\n"
                                    "KZ       2     1,234,567,891   1.23            10     20\n"
                                    "KG       2                50  0.000             2      4\n"
                                    "KZ       3                 1   4.00             1      2\n"
                                    "total: 1.23 bn CNY, 5.23 t, 13 declarations, 26 items\n");
}

Test(summary, declarations_are_not_added_over_partners)
{
    give_months();
    cr_assert_eq(make("flow", 20250701, 20250831), OK, "%s", info.text);
    expect_text(summary_print_csv,
                "view,period_from,period_to,flow,currency,value_minor,customs_value_minor,net_mass_g,gross_mass_g,"
                "declarations,items,packages\n"
                "partner,20250701,20250831,M,CNY,123456794850,0,5234618,0,,28,0\n");
}

Test(summary, by_period_and_without_dimensions)
{
    give_months();
    cr_assert_eq(make("period", 20250701, 20250831), OK, "%s", info.text);
    expect_text(summary_print_csv,
                "view,period_from,period_to,period,currency,value_minor,customs_value_minor,net_mass_g,gross_mass_g,"
                "declarations,items,packages\n"
                "partner,20250701,20250831,2025-07,CNY,123456794150,0,5234617,0,,26,0\n"
                "partner,20250701,20250831,2025-08,CNY,700,0,1,0,,2,0\n");
    cr_assert_eq(make("", 20250801, 20250831), OK, "%s", info.text);
    expect_text(summary_print_text, "value CNY  net t  declarations  items\n"
                                    "        7  0.000             -      2\n"
                                    "total: 7 CNY, 0.000 t, - declarations, 2 items\n");
}

Test(summary, only_the_largest_as_of_of_a_key_counts_and_a_gone_cell_is_left_out)
{
    give_months();
    give(&(struct given){months[0].key, 4, 1, 1, 1});
    give(&(struct given){months[2].key, 9, 0, 0, 0});
    cr_assert_eq(make("partner", 20250701, 20250731), OK, "%s", info.text);
    expect_text(summary_print_csv,
                "view,period_from,period_to,partner,currency,value_minor,customs_value_minor,net_mass_g,gross_mass_g,"
                "declarations,items,packages\n"
                "partner,20250701,20250731,KZ,CNY,123456789150,0,5234567,0,11,22,0\n");
}

Test(summary, days_are_taken_where_the_period_is_no_whole_month)
{
    give(&(struct given){"partner|DAY|20250701|20250701|partner=KZ", 1, 100, 0, 1});
    give(&(struct given){"partner|DAY|20250702|20250702|partner=KZ", 2, 200, 0, 1});
    give(&(struct given){"partner|DAY|20250703|20250703|partner=KZ", 3, 400, 0, 1});
    give(&(struct given){"partner|MONTH|20250701|20250731|partner=KZ", 4, 700, 0, 3});
    cr_assert_eq(make("partner", 20250702, 20250703), OK, "%s", info.text);
    expect_text(summary_print_text, "partner  value CNY  net t  declarations  items\n"
                                    "KZ               6  0.000             2      4\n"
                                    "total: 6 CNY, 0.000 t, 2 declarations, 4 items\n");
}

Test(summary, fewer_digits_of_a_commodity_and_encoded_values)
{
    give(&(struct given){"partner|MONTH|20250701|20250731|hs6=010121|office=a%7Cb", 1, 100, 0, 1});
    give(&(struct given){"partner|MONTH|20250701|20250731|hs6=010129|office=a%7Cb", 2, 200, 0, 1});
    cr_assert_eq(make("hs2,office", 20250701, 20250731), OK, "%s", info.text);
    expect_text(summary_print_json,
                "[\n  {\n    \"view\": \"partner\",\n    \"period_from\": 20250701,\n    \"period_to\": 20250731,\n"
                "    \"commodity_code\": \"01\",\n    \"office_code\": \"a|b\",\n    \"currency\": \"CNY\",\n"
                "    \"value_minor\": \"300\",\n    \"customs_value_minor\": \"0\",\n    \"net_mass_g\": \"0\",\n"
                "    \"gross_mass_g\": \"0\",\n    \"declarations\": null,\n    \"items\": \"4\",\n"
                "    \"packages\": \"0\"\n  }\n]\n");
}
