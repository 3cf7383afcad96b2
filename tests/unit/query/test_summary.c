/* SPDX-License-Identifier: Apache-2.0 */
#include "query/report_data.h"
#include "query/report_table.h"
#include "unit/query/report_fixture.h"

TestSuite(summary, .init = report_setup, .fini = report_teardown);

static const char tables[] = "value,net,declarations,items";

static const struct given months[] = {
    {"v|MONTH|20250701|20250731|partner=KZ|flow=M|mode=2", 123456789050, 1234567, 10, .as_of = 5},
    {"v|MONTH|20250701|20250731|partner=KZ|flow=M|mode=3", 100, 4000000, 1, .as_of = 6},
    {"v|MONTH|20250701|20250731|partner=KG|flow=M|mode=2", 5000, 50, 2, .as_of = 7},
    {"v|MONTH|20250801|20250831|partner=KZ|flow=M|mode=2", 700, 1, 1, .as_of = 8},
};

static void give_months(void)
{
    for (size_t i = 0; i < sizeof months / sizeof months[0]; i++)
        give(&months[i]);
}

/* The sum of one group or of the total. */
static i128 value_of(const struct summary_group *group)
{
    return group->now.of[MEASURE_VALUE];
}

Test(summary, bytes_that_are_no_statistic_are_said)
{
    cr_assert(!records_take(records, TEXT("v|MONTH|x"), (struct bytes){(const uint8_t *)"\xFF", 1}, 0));
}

Test(summary, an_unknown_view_is_an_error_that_names_those_there_are)
{
    cr_assert(
        records_take(records, TEXT("flow|DAY|20250701|20250701|flow=M"), (struct bytes){(const uint8_t *)"", 0}, 8));
    cr_assert(records_take(records, TEXT("#claim|1|x"), (struct bytes){(const uint8_t *)"x", 1}, 0));

    cr_assert_eq(make(NULL, "2025-07"), ERR_CONFIG);
    cr_assert_str_eq(info.text, "topic.statistics has no record of view v; there are flow");
}

/* The key of months[0]. */
Test(summary, a_tombstone_takes_a_record_away_unless_it_came_too_late)
{
    give_months();
    cr_assert_eq(make("partner", "2025-07"), OK, "%s", info.text);
    i128 before = value_of(&summary->total);
    struct text key = text_of(months[0].key);
    cr_assert(records_take(records, key, (struct bytes){NULL, 0}, 0)); /* of somebody: no as_of, or an old one */
    cr_assert_eq(make("partner", "2025-07"), OK, "%s", info.text);
    cr_assert(value_of(&summary->total) == before);

    cr_assert(records_take(records, key, (struct bytes){NULL, 0}, 1000));
    cr_assert_eq(make("partner", "2025-07"), OK, "%s", info.text);
    cr_assert(value_of(&summary->total) == before - months[0].value_minor);
}

/* What was not read from the topic. */
static void add_made(const char *key, const struct record *record)
{
    records_are_in(records, "CN", "CNY");
    records_add(records, text_of(key), record);
}

Test(summary, records_that_are_added_under_one_key_are_a_sum_and_their_declaration_one)
{
    const char key[] = "v|DAY|20250701|20250701|office=1|declaration=A";
    struct record record = {
        .from = 20250701, .to = 20250701, .value_minor = 5, .net_mass_g = 7, .declarations = 1, .items = 1};
    add_made(key, &record);
    add_made(key, &record);

    cr_assert_eq(make("", "2025-07"), OK, "%s", info.text);
    cr_assert(value_of(&summary->total) == 10);
    cr_assert(summary->total.now.of[MEASURE_NET] == 14);
    cr_assert(summary->total.now.of[MEASURE_ITEMS] == 2);
    cr_assert(summary->total.now.of[MEASURE_DECLARATIONS] == 1);
    cr_assert_null(summary->no_declarations);
    cr_assert_str_eq(records_currency(records), "CNY");
}

Test(summary, a_mention_is_a_value_that_is_counted_and_adds_nothing)
{
    struct record goods = {.from = 20250701, .to = 20250701, .value_minor = 5, .declarations = 1, .items = 1};
    struct record mention = {.from = 20250701, .to = 20250701, .is_mention = true};
    add_made("v|DAY|20250701|20250701|partner=KR|container=", &goods);
    add_made("v|DAY|20250701|20250701|partner=KR|container=C1", &mention);
    add_made("v|DAY|20250701|20250701|partner=KR|container=C2", &mention);
    add_made("v|DAY|20250701|20250701|partner=JP|container=C3", &mention);
    request.where = "partner=KR";
    request.count = "container";

    cr_assert_eq(make("", "2025-07"), OK, "%s", info.text);
    cr_assert_eq(summary->total.distinct, 2);
    cr_assert(value_of(&summary->total) == 5);
    cr_assert(summary->total.now.of[MEASURE_ITEMS] == 1);
}

Test(summary, an_unknown_dimension_is_an_error_that_names_those_there_are)
{
    give_months();

    cr_assert_eq(make("partner,office", "2025-07"), ERR_CONFIG);
    cr_assert_str_eq(info.text,
                     "--by office: view v has partner, partner_group, flow, mode, period, month, quarter, year");
    request.where = "zone=X";
    cr_assert_eq(make("partner", "2025-07"), ERR_CONFIG);
    cr_assert_str_eq(info.text,
                     "--where zone: the view has partner, partner_group, flow, mode, period, month, quarter, year");
}

Test(summary, a_part_of_a_month_needs_days_and_the_error_says_which_setting)
{
    give_months();

    cr_assert_eq(make("partner", "2025-07-01..2025-07-15"), ERR_CONFIG);
    cr_assert(strstr(info.text, "view.v=DIM,...@day"), "%s", info.text);
}

Test(summary, table_with_the_largest_value_first_and_a_total)
{
    give_months();

    cr_assert_eq(make("partner,mode", "2025-07"), OK, "%s", info.text);
    expect_print(report_table_print, tables,
                 "partner  mode      value CNY  net t  declarations  items\n"
                 "KZ       2     1,234,567,891   1.23            10     20\n"
                 "KG       2                50  0.000             2      4\n"
                 "KZ       3                 1   4.00             1      2\n"
                 "total: 1.23 bn yuan, 5.23 t, 13 declarations, 26 items\n");
}

Test(summary, declarations_are_not_added_over_partners_and_the_reason_is_said)
{
    give_months();

    cr_assert_eq(make("flow", "2025-07..2025-08"), OK, "%s", info.text);
    expect_print(report_table_print, "declarations,items",
                 "flow  declarations  items\n"
                 "M                -     28\n"
                 "total: declarations -, 28 items\n"
                 "declarations: - because a declaration may have items of several partners or regions\n");
    cr_assert_eq(make("partner", "2025-07"), OK, "%s", info.text);
    cr_assert_null(summary->no_declarations);
}

Test(summary, one_partner_selected_can_be_added_over_the_header)
{
    give_months();
    request.where = "partner=KZ";

    cr_assert_eq(make("", "2025-07..2025-08"), OK, "%s", info.text);
    cr_assert_null(summary->no_declarations);
    cr_assert(summary->total.now.of[MEASURE_DECLARATIONS] == 12);
    request.where = "partner=KZ+KG";
    cr_assert_eq(make("", "2025-07..2025-08"), OK, "%s", info.text);
    cr_assert_not_null(summary->no_declarations);
}

Test(summary, declarations_are_not_added_over_imports_and_re_imports)
{
    give(&(struct given){.key = "v|DAY|20250701|20250701|office=A|flow=M", 100, 0, 1});
    give(&(struct given){.key = "v|DAY|20250701|20250701|office=A|flow=X", 100, 0, 1});
    cr_assert_eq(make("", "2025"), OK, "%s", info.text);
    cr_assert_null(summary->no_declarations);

    give(&(struct given){.key = "v|DAY|20250702|20250702|office=A|flow=RM", 100, 0, 1});
    cr_assert_eq(make("", "2025"), OK, "%s", info.text);
    cr_assert_not_null(summary->no_declarations);
    cr_assert_eq(make("flow", "2025"), OK, "%s", info.text);
    cr_assert_null(summary->no_declarations);
}

Test(summary, by_period_and_without_dimensions)
{
    give_months();

    cr_assert_eq(make("period", "2025-07..2025-08"), OK, "%s", info.text);
    cr_assert_eq(summary->group_count, 2);
    cr_assert_str_eq(summary_value(&summary->groups[0], 0), "2025-07");
    cr_assert(value_of(&summary->groups[0]) == 123456794150);
    cr_assert(value_of(&summary->groups[1]) == 700);
    cr_assert_eq(make("", "2025-08"), OK, "%s", info.text);
    expect_print(report_table_print, tables,
                 "value CNY  net t  declarations  items\n"
                 "        7  0.000             -      2\n"
                 "total: 7 yuan, 0.00100 kg, declarations -, 2 items\n"
                 "declarations: - because a declaration may have items of several partners or regions\n");
}

Test(summary, only_the_largest_as_of_of_a_key_counts_and_a_gone_cell_is_left_out)
{
    give_months();
    give(&(struct given){months[0].key, 1, 1, 1, .as_of = 4});
    give(&(struct given){months[2].key, 0, 0, 0, .as_of = 9});

    cr_assert_eq(make("partner", "2025-07"), OK, "%s", info.text);
    cr_assert_eq(summary->group_count, 1);
    cr_assert(value_of(&summary->total) == 123456789150);
}

Test(summary, days_are_taken_where_there_are_some)
{
    give(&(struct given){.key = "v|DAY|20250701|20250701|partner=KZ", 100, 0, 1});
    give(&(struct given){.key = "v|DAY|20250702|20250702|partner=KZ", 200, 0, 1});
    give(&(struct given){.key = "v|DAY|20250703|20250703|partner=KZ", 400, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250701|20250731|partner=KZ", 701, 0, 3});

    cr_assert_eq(make("partner", "2025-07-02..2025-07-03"), OK, "%s", info.text);
    cr_assert(value_of(&summary->total) == 600);
    cr_assert_eq(make("partner", "2025-07"), OK, "%s", info.text);
    cr_assert(value_of(&summary->total) == 700);
}

Test(summary, totals_of_flows_and_groups_that_the_topic_has_count_once)
{
    give(&(struct given){.key = "v|MONTH|20250701|20250731|partner=KZ|flow=M", 100, 0, 1});
    give(&(struct given){
        .key = "v|MONTH|20250701|20250731|partner=KZ|flow=T", 100, 0, 1, .flow = CUSTOMS__V1__FLOW__FLOW_T});
    give(&(struct given){.key = "v|MONTH|20250701|20250731|partner_group=EAEU|flow=M", 100, 0, 1, .group = "EAEU"});

    cr_assert_eq(make("flow", "2025-07"), OK, "%s", info.text);
    cr_assert(value_of(&summary->total) == 100);
}

Test(summary, fewer_digits_of_a_commodity_and_encoded_values)
{
    give(&(struct given){.key = "v|MONTH|20250701|20250731|hs6=010121|office=a%7Cb", 100, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250701|20250731|hs6=010129|office=a%7Cb", 200, 0, 1});

    cr_assert_eq(make("hs2,office", "2025-07"), OK, "%s", info.text);
    expect_print(report_data_print_json, "value",
                 "[\n  {\n    \"view\": \"v\",\n    \"period_from\": 20250701,\n    \"period_to\": 20250731,\n"
                 "    \"commodity_code\": \"01\",\n    \"office_code\": \"a|b\",\n    \"currency\": \"CNY\",\n"
                 "    \"value_minor\": \"300\",\n    \"customs_value_minor\": \"0\",\n    \"net_mass_g\": \"0\",\n"
                 "    \"gross_mass_g\": \"0\",\n    \"supp_quantity_micro\": null,\n    \"supp_unit\": null,\n"
                 "    \"declarations\": null,\n    \"items\": \"4\",\n    \"packages\": \"0\",\n"
                 "    \"base_value_minor\": null,\n    \"base_net_mass_g\": null,\n    \"base_gross_mass_g\": null,\n"
                 "    \"yoy_value_ppm\": null,\n    \"yoy_net_mass_ppm\": null,\n    \"yoy_gross_mass_ppm\": null,\n"
                 "    \"share_ppm\": \"1000000\"\n  }\n]\n");
}

Test(summary, csv_has_the_fields_of_a_statistic_and_what_is_unknown_is_empty)
{
    give(&(struct given){.key = "v|DAY|20240710|20240710|partner=KZ", 200, 10, 1});
    give(&(struct given){.key = "v|DAY|20250710|20250710|partner=KZ", 300, 10, 1});
    give(&(struct given){.key = "v|DAY|20250710|20250710|partner=KG", 100, 5, 1});

    cr_assert_eq(make("partner", "2025-07"), OK, "%s", info.text);
    expect_print(report_data_print_csv, "value",
                 "view,period_from,period_to,partner,currency,value_minor,customs_value_minor,net_mass_g,gross_mass_g,"
                 "supp_quantity_micro,supp_unit,declarations,items,packages,base_value_minor,base_net_mass_g,"
                 "base_gross_mass_g,yoy_value_ppm,yoy_net_mass_ppm,yoy_gross_mass_ppm,share_ppm\n"
                 "v,20250701,20250731,KZ,CNY,300,0,10,20,,,1,2,0,200,10,20,500000,0,0,750000\n"
                 "v,20250701,20250731,KG,CNY,100,0,5,10,,,1,2,0,,,,,,,250000\n");
}

Test(summary, growth_is_on_the_same_days_a_year_before)
{
    give(&(struct given){.key = "v|DAY|20240610|20240610|flow=M", 100, 10, 1});
    give(&(struct given){.key = "v|DAY|20240611|20240611|flow=M", 5000, 10, 1});
    give(&(struct given){.key = "v|DAY|20250610|20250610|flow=M", 150, 9, 1});
    give(&(struct given){.key = "v|DAY|20250611|20250611|flow=M", 7000, 9, 1});

    cr_assert_eq(make("", "2025-01-01..2025-06-10"), OK, "%s", info.text);
    cr_assert(summary->total.has_base);
    cr_assert(summary->total.base.of[MEASURE_VALUE] == 100);
    expect_print(report_table_print, "value,net",
                 "value CNY  yoy %  net t  yoy %\n"
                 "        2   50.0  0.000  -10.0\n"
                 "total: 1.5 yuan (+50.0 %), 0.00900 kg (-10.0 %)\n");
}

Test(summary, a_leap_day_is_in_its_month_and_not_beside_another_day)
{
    give(&(struct given){.key = "v|DAY|20240228|20240228|flow=M", 10, 0, 1});
    give(&(struct given){.key = "v|DAY|20240229|20240229|flow=M", 5, 0, 1});
    give(&(struct given){.key = "v|DAY|20250228|20250228|flow=M", 20, 0, 1});

    cr_assert_eq(make("month", "2025-02"), OK, "%s", info.text);
    cr_assert(summary->groups[0].base.of[MEASURE_VALUE] == 15);
    cr_assert_eq(make("period", "2025-02"), OK, "%s", info.text);
    cr_assert_eq(summary->group_count, 1);
    cr_assert(summary->groups[0].base.of[MEASURE_VALUE] == 10);
    cr_assert(summary->total.base.of[MEASURE_VALUE] == 15);
}

Test(summary, a_group_without_records_a_year_before_has_no_base)
{
    give(&(struct given){.key = "v|MONTH|20240701|20240731|partner=KZ", 100, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250701|20250731|partner=KG", 100, 0, 1});

    cr_assert_eq(make("partner", "2025-07"), OK, "%s", info.text);
    cr_assert_eq(summary->group_count, 2);
    cr_assert_str_eq(summary_value(&summary->groups[0], 0), "KG");
    cr_assert_not(summary->groups[0].has_base);
    cr_assert(summary->groups[1].has_base, "a partner that is gone is said: -100 %%");
    cr_assert_not(summary->groups[1].has_now);
}

Test(summary, a_period_longer_than_a_year_has_a_base_only_by_time)
{
    give(&(struct given){.key = "v|MONTH|20220701|20220731|flow=M", 100, 0, 1});
    give(&(struct given){.key = "v|MONTH|20230701|20230731|flow=M", 170, 0, 1});
    give(&(struct given){.key = "v|MONTH|20240701|20240731|flow=M", 289, 0, 1});

    cr_assert_eq(make("flow", "2023..2024"), OK, "%s", info.text);
    cr_assert_not(summary->groups[0].has_base);
    cr_assert_not(summary->total.has_base);
    cr_assert_eq(make("year", "2023..2024"), OK, "%s", info.text);
    cr_assert_str_eq(summary_value(&summary->groups[0], 0), "2023");
    cr_assert(summary->groups[0].base.of[MEASURE_VALUE] == 100);
    cr_assert(summary->groups[1].base.of[MEASURE_VALUE] == 170);
}

Test(summary, mean_growth_is_of_the_whole_years)
{
    give(&(struct given){.key = "v|MONTH|20220701|20220731|flow=M", 100, 0, 1});
    give(&(struct given){.key = "v|MONTH|20230701|20230731|flow=M", 999, 0, 1});
    give(&(struct given){.key = "v|MONTH|20240701|20240731|flow=M", 289, 0, 1});

    cr_assert_eq(make("", "2022..2024"), OK, "%s", info.text);
    expect_print(report_table_print, "growth",
                 "growth %\n"
                 "    70.0\n"
                 "total: growth 70 %\n"
                 "growth: geometric mean of the 2 yearly growths of the value from 2022 to 2024\n");
    cr_assert_eq(make("", "2024"), OK, "%s", info.text);
    expect_print(report_table_print, "growth",
                 "growth %\n"
                 "       -\n"
                 "total: growth -\n"
                 "growth: - because a mean growth needs a period with at least two whole years\n");
}

Test(summary, quarters_and_years_are_sums_of_months)
{
    give_months();
    give(&(struct given){.key = "v|MONTH|20251001|20251031|partner=KZ|flow=M|mode=2", 1000, 0, 1});

    cr_assert_eq(make("quarter", "2025"), OK, "%s", info.text);
    cr_assert_str_eq(summary_value(&summary->groups[0], 0), "2025-Q3");
    cr_assert(value_of(&summary->groups[0]) == 123456794850);
    cr_assert_str_eq(summary_value(&summary->groups[1], 0), "2025-Q4");
    cr_assert(value_of(&summary->groups[1]) == 1000);
}

static void give_commodities(void)
{
    static const char *const keys[] = {
        "v|MONTH|20250701|20250731|hs4=0101|flow=M", "v|MONTH|20250701|20250731|hs4=2401|flow=X",
        "v|MONTH|20250701|20250731|hs4=2501|flow=RX", "v|MONTH|20250701|20250731|hs4=8703|flow=RM"};
    for (int i = 0; i < 4; i++)
        give(&(struct given){.key = keys[i], 1 << i, 0, 1});
}

static i128 value_where(const char *where)
{
    request.where = where;
    cr_assert_eq(make("", "2025-07"), OK, "%s", info.text);
    return value_of(&summary->total);
}

Test(summary, conditions_take_values_and_ranges)
{
    give_commodities();

    cr_assert(value_where(NULL) == 15);
    cr_assert(value_where("flow=M+X") == 3);
    cr_assert(value_where("flow=T") == 15);
    cr_assert(value_where("hs2=01-24") == 3);
    cr_assert(value_where("hs2=01-24+87") == 11);
    cr_assert(value_where("hs4=8703, flow=RM") == 8);
    cr_assert(value_where("hs4=8703,flow=M") == 0);
    cr_assert(value_where("hs4=2401-8702") == 6);
}

Test(summary, conditions_that_mean_nothing_are_refused)
{
    static const char *const wrong[] = {"flow",   "hs2=1-24",   "hs2=24-01", "flow=Q", "flow=T+M",     "flow=M+T",
                                        "hs2=0x", "hs6=010121", "zone=A",    "=M",     "month=2025-07"};
    give_commodities();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        request.where = wrong[i];
        cr_expect_eq(make("", "2025-07"), ERR_CONFIG, "%s", wrong[i]);
    }
}

Test(summary, the_absent_code_can_be_asked_for)
{
    give(&(struct given){.key = "v|MONTH|20250701|20250731|zone=|flow=M", 1, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250701|20250731|zone=A|flow=M", 2, 0, 1});

    cr_assert(value_where("zone=") == 1);
    cr_assert(value_where("zone=A") == 2);
}

Test(summary, groups_of_countries_have_one_composition_for_both_years)
{
    give(&(struct given){.key = "v|MONTH|20240601|20240630|partner=BY", 1000, 0, 1}); /* a member from July 2024 on */
    give(&(struct given){.key = "v|MONTH|20240601|20240630|partner=KZ", 100, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250601|20250630|partner=BY", 2000, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250601|20250630|partner=CN", 7, 0, 1}); /* the reporter itself */
    give(&(struct given){.key = "v|MONTH|20250601|20250630|partner=MN", 50, 0, 1});
    request.where = "partner_group=SCO_MEMBER";

    cr_assert_eq(make("", "2025-06"), OK, "%s", info.text);
    cr_assert(value_of(&summary->total) == 2000);
    cr_assert(summary->total.base.of[MEASURE_VALUE] == 1100);
    request.composition_date = 20240101;
    cr_assert_eq(make("", "2025-06"), OK, "%s", info.text);
    cr_assert(value_of(&summary->total) == 0);
    cr_assert(summary->total.base.of[MEASURE_VALUE] == 100);
    request.composition_date = 0;
    request.where = "partner_group=SCO_MEMBER+SCO_OBSERVER";
    cr_assert_eq(make("partner_group", "2025-06"), OK, "%s", info.text);
    cr_assert(value_of(&summary->total) == 2050);
    cr_assert_str_eq(summary_value(&summary->groups[1], 0), "SCO_OBSERVER");
    cr_assert(value_of(&summary->groups[1]) == 50);
    request.where = "partner_group=SCO";
    cr_assert_eq(make("", "2025-06"), ERR_CONFIG);
}

Test(summary, classes_of_trade_modes)
{
    give(&(struct given){.key = "v|MONTH|20250701|20250731|trade_mode=9610", 1, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250701|20250731|trade_mode=1210", 2, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250701|20250731|trade_mode=0110", 4, 0, 1});

    cr_assert(value_where("trade_class=ECOMMERCE") == 3);
    request.where = NULL;
    cr_assert_eq(make("trade_class", "2025-07"), OK, "%s", info.text);
    cr_assert_str_eq(summary_value(&summary->groups[0], 0), "OTHER");
    cr_assert_null(summary->no_declarations, "a trade mode is of the header");
    request.where = "trade_class=X";
    cr_assert_eq(make("", "2025-07"), ERR_CONFIG);
}

Test(summary, shares_are_of_the_selection_with_every_value)
{
    give(&(struct given){.key = "v|MONTH|20250701|20250731|partner=CN|flow=M", 18, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250701|20250731|partner=KZ|flow=M", 82, 0, 1});
    give(&(struct given){.key = "v|MONTH|20250701|20250731|partner=KZ|flow=X", 300, 0, 1});
    request.where = "partner=CN,flow=M";
    request.share = "partner";

    cr_assert_eq(make("", "2025-07"), OK, "%s", info.text);
    expect_print(report_table_print, "share",
                 "share %\n   18.0\ntotal: share 18 %\nselection: view v, partner=CN,flow=M\n"
                 "share: of the value of the same selection with every partner\n");
    request.where = NULL;
    cr_assert_eq(make("flow,partner", "2025-07"), OK, "%s", info.text);
    cr_assert(summary->groups[0].whole_value == 300); /* X, KZ */
    cr_assert(summary->groups[1].whole_value == 100); /* M, KZ */
    cr_assert(summary->groups[2].whole_value == 100); /* M, CN */
}

Test(summary, distinct_values_are_counted_once_and_the_unknown_not_at_all)
{
    static const char *const partners[] = {"KZ", "KG", "", "ZZ"};
    char key[64];
    for (int i = 0; i < 8; i++) {
        snprintf(key, sizeof key, "v|DAY|2025070%d|2025070%d|zone=%c|partner=%s", i + 1, i + 1, i < 4 ? 'A' : 'B',
                 partners[i % 4]);
        give(&(struct given){.key = key, 1, 0, 1});
    }
    request.count = "partner";

    cr_assert_eq(make("zone", "2025-07"), OK, "%s", info.text);
    cr_assert_eq(summary->total.distinct, 2);
    cr_assert_eq(summary->groups[0].distinct, 2);
}

Test(summary, quantities_are_added_in_one_unit_only)
{
    give(&(struct given){
        .key = "v|MONTH|20250701|20250731|hs6=870380", 1, 0, 1, .quantity_micro = 388000000, .unit = "H87"});
    give(&(struct given){.key = "v|MONTH|20250701|20250731|hs6=220300", 1, 0, 1, .quantity_micro = 5, .unit = "LTR"});
    give(&(struct given){.key = "v|MONTH|20250701|20250731|hs6=100199", 1, 0, 1});

    request.where = "hs4=8703";
    cr_assert_eq(make("", "2025-07"), OK, "%s", info.text);
    expect_print(report_table_print, "quantity",
                 "quantity H87\n         388\ntotal: quantity 388 u\nselection: view v, hs4=8703\n");
    request.where = "hs2=22-87";
    cr_assert_eq(make("", "2025-07"), OK, "%s", info.text);
    cr_assert(strstr(summary->no_quantity, "different"));
    request.where = "hs2=10-10+87";
    cr_assert_eq(make("", "2025-07"), OK, "%s", info.text);
    cr_assert(strstr(summary->no_quantity, "some of the goods"));
    request.where = "hs2=10";
    cr_assert_eq(make("", "2025-07"), OK, "%s", info.text);
    cr_assert(strstr(summary->no_quantity, "no record"));
}

Test(summary, the_first_ones_and_the_rest)
{
    give_months();
    request.top = 1;

    cr_assert_eq(make("partner", "2025-07"), OK, "%s", info.text);
    expect_print(report_table_print, "value",
                 "partner       value CNY\n"
                 "KZ        1,234,567,892\n"
                 "(others)             50\n"
                 "total: 1.23 bn yuan\n");
}

Test(summary, sorted_by_a_measure_or_by_name)
{
    give_months();
    request.sort = "name";
    cr_assert_eq(make("partner", "2025-07"), OK, "%s", info.text);
    cr_assert_str_eq(summary_value(&summary->groups[0], 0), "KG");
    request.sort = "net";
    cr_assert_eq(make("partner", "2025-07"), OK, "%s", info.text);
    cr_assert_str_eq(summary_value(&summary->groups[0], 0), "KZ");
    request.sort = "mass";
    cr_assert_eq(make("partner", "2025-07"), ERR_CONFIG);
}

static void print_csv_header(const struct summary *made, const struct presentation *presentation, FILE *out)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    report_data_print_csv(made, presentation, stream);
    fclose(stream);
    fprintf(out, "%.*s", (int)(strstr(text, ",currency") - text), text);
    free(text);
}

Test(summary, both_partners_have_a_field_of_their_own_and_one_alone_is_the_partner)
{
    give(&(struct given){"v|MONTH|20250701|20250731|partner=KZ|partner_consignment=DE|flow=M", 100, 1, 1, .as_of = 1});
    cr_assert_eq(make("partner,partner_consignment", "2025-07"), OK, "%s", info.text);
    expect_print(print_csv_header, "value", "view,period_from,period_to,partner,partner_consignment");
    cr_assert_eq(make("partner_consignment", "2025-07"), OK, "%s", info.text);
    expect_print(print_csv_header, "value", "view,period_from,period_to,partner");
}
