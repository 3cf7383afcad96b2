/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/statistic.h"
#include "flow/statistic_bytes.h"
#include "trade/calendar.h"

#include "customs/v1/statistic.pb-c.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct view_plan plan;
static struct reference *reference;
static struct dictionary codes;
static struct statistic_writer *writer;
static char dir[] = "/tmp/statistic_XXXXXX";

static void put_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    fputs(text, file);
    fclose(file);
}

static void setup(void)
{
    struct err_info info = {{0}};
    cr_assert(mkdtemp(dir));
    put_file("units.csv",
             "rec20,std_unit,comtrade_code,kind,factor_to_std,note\nKGM,kg,8,mass,1,\nH87,u,5,count,1,piece\n");
    put_file("hs2022.csv", "code,digits,section,std_unit,description\n010121,6,1,u,horses\n100199,6,2,kg,wheat\n");
    put_file("hs2017.csv", "code,digits,section,std_unit,description\n010121,6,1,kg,horses\n");
    cr_assert_eq(reference_load(dir, NULL, &reference, &info), OK, "%s", info.text);
    view_plan_default(&plan);
    cr_assert_eq(view_plan_add(&plan, TEXT("odd"), TEXT("partner_consignment,region,hs10@day"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("p=1"), TEXT("partner@month"), &info), OK);
    view_plan_finish(&plan);
    dictionary_init(&codes);
    writer = statistic_writer_new(&plan, reference, "CN", "CNY");
}

static void teardown(void)
{
    static const char *const names[] = {"units.csv", "hs2022.csv", "hs2017.csv"};
    char path[128];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
    statistic_writer_free(writer);
    reference_free(reference);
    dictionary_fini(&codes);
}

TestSuite(statistic, .init = setup, .fini = teardown);

static uint32_t view_of(const char *name)
{
    int32_t view = view_plan_find(&plan, text_of(name));
    cr_assert(view >= 0);
    return (uint32_t)view;
}

static uint64_t country(const char *code)
{
    return (uint64_t)((uint8_t)code[0] << 8 | (uint8_t)code[1]);
}

static uint64_t code(const char *text)
{
    return dictionary_number(&codes, text_of(text));
}

static struct table_key key_of(const char *view, bool month, uint32_t date, uint64_t commodity)
{
    return (struct table_key){{cell_word0(view_of(view), month, calendar_day(date), commodity), 0, 0, 0}};
}

static void expect_key(const struct table_key *key, const char *expected)
{
    struct text text = statistic_key(writer, key, &codes);
    cr_assert(text_is(text, expected), "%.*s is not %s", TEXT_ARGS(text), expected);
}

static struct measures some(void)
{
    return (struct measures){.value_minor = 100, .items = 1, .declarations = 1};
}

/* Packs what was taken and reads it with the oracle. */
static Customs__V1__Statistic *packed(uint64_t as_of)
{
    struct bytes bytes =
        statistic_pack(writer, &(struct statistic_stamp){CUSTOMS__V1__STATE__STATE_REVISED, as_of, 123, 45});
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, bytes.length, bytes.data);
    cr_assert(m);
    return m;
}

static uint64_t set_cell(const struct table_key *key, const struct measures *measures, bool *out_saturated)
{
    struct figure figure = {.key = *key, .days = period_days(key, 0), .sums = measures};
    return statistic_set(writer, &figure, &codes, out_saturated);
}

static Customs__V1__Statistic *record_of(const struct table_key *key, const struct measures *measures)
{
    bool saturated = false;
    set_cell(key, measures, &saturated);
    cr_assert(!saturated);
    return packed(1);
}

Test(statistic, bytes_that_are_no_record_are_refused)
{
    static const uint8_t cut[] = {0x0A, 0x05, 'f', 'l'};
    static const uint8_t group[] = {0x0B};
    struct statistic_time time = {.as_of = 77};
    uint64_t content = 77;

    cr_assert(!statistic_bytes_time((struct bytes){cut, sizeof cut}, &time));
    cr_assert(!statistic_content((struct bytes){cut, sizeof cut}, &content));
    cr_assert(!statistic_set_gone(writer, (struct bytes){cut, sizeof cut}));
    cr_assert(!statistic_bytes_time((struct bytes){group, sizeof group}, &time));
    cr_assert(time.as_of == 77 && content == 77);
    cr_assert(statistic_bytes_time((struct bytes){NULL, 0}, &time));
    cr_assert(time.as_of == 0 && time.state == 0 && time.watermark_ms == 0);
}

/* Packed again it would be a record that nobody can read. */
Test(statistic, a_record_with_a_field_of_number_zero_is_refused)
{
    static const uint8_t zero[] = {0x81, 0x00, 1, 2, 3, 4, 5, 6, 7, 8};
    uint64_t content = 77;
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, sizeof zero, zero);
    cr_assert(m, "protobuf-c reads it");
    customs__v1__statistic__free_unpacked(m, NULL);

    cr_assert(!statistic_content((struct bytes){zero, sizeof zero}, &content));
    cr_assert(!statistic_set_gone(writer, (struct bytes){zero, sizeof zero}));
    cr_assert_eq(content, 77);
}

Test(statistic, key_of_a_month_as_in_the_contract)
{
    struct table_key key = key_of("partner", true, 20250701, 0);
    key.word[3] = cell_word3((uint32_t)country("KZ"), 0, 0, FLOW_M, 2);
    expect_key(&key, "partner|MONTH|20250701|20250731|partner=KZ|flow=M|mode=2");
}

Test(statistic, key_of_a_day_and_of_a_leap_february)
{
    struct table_key key = key_of("flow", false, 20240229, 0);
    key.word[3] = cell_word3(0, 0, 0, FLOW_RX, 0);
    expect_key(&key, "flow|DAY|20240229|20240229|flow=RX");
    key = key_of("flow", true, 20240201, 0);
    key.word[3] = cell_word3(0, 0, 0, FLOW_X, 0);
    expect_key(&key, "flow|MONTH|20240201|20240229|flow=X");
}

Test(statistic, absent_codes_are_empty_and_dimensions_stand_in_the_views_order)
{
    struct table_key key = key_of("office", false, 20250703, 0);
    key.word[1] = code("5301") << 32;
    key.word[3] = cell_word3(0, 0, 0, FLOW_M, 0);
    expect_key(&key, "office|DAY|20250703|20250703|office=5301|border_office=|zone=|flow=M|mode=0");
}

Test(statistic, bytes_that_would_break_a_key_are_percent_encoded)
{
    struct table_key key = key_of("trade_mode", false, 20250703, 0);
    key.word[1] = code("a|b=c%d") << 32;
    key.word[2] = code(" \x1F\x7F~") << 32 | code("\xC3\xA9!");
    key.word[3] = cell_word3(0, 0, 0, FLOW_M, 0);
    expect_key(&key, "trade_mode|DAY|20250703|20250703|office=a%7Cb%3Dc%25d|zone=%20%1F%7F~|trade_mode=%C3%A9!|flow=M");
    key = key_of("p=1", true, 20250701, 0);
    key.word[3] = cell_word3((uint32_t)country("DE"), 0, 0, 0, 0);
    expect_key(&key, "p%3D1|MONTH|20250701|20250731|partner=DE");
}

Test(statistic, commodity_keeps_its_zeros_and_a_missing_one_is_empty)
{
    struct table_key key = key_of("heading", true, 20250701, 101 + 1);
    key.word[3] = cell_word3(0, 0, 0, FLOW_M, 0);
    expect_key(&key, "heading|MONTH|20250701|20250731|hs4=0101|flow=M");
    key.word[0] = cell_word0(view_of("heading"), true, calendar_day(20250701), CELL_NO_HS);
    expect_key(&key, "heading|MONTH|20250701|20250731|hs4=|flow=M");
    key.word[0] = cell_word0(view_of("heading"), true, calendar_day(20250701), 0 + 1);
    expect_key(&key, "heading|MONTH|20250701|20250731|hs4=0000|flow=M");
}

Test(statistic, ten_digits_region_and_consignment)
{
    struct table_key key = key_of("odd", false, 20250703, 101210001 + 1);
    key.word[3] = cell_word3(0, (uint32_t)country("PL"), (uint32_t)code("XJ"), 0, 0);
    expect_key(&key, "odd|DAY|20250703|20250703|partner_consignment=PL|region=XJ|hs10=0101210001");
    struct measures measures = some();
    Customs__V1__Statistic *m = record_of(&key, &measures);
    cr_assert_str_eq(m->partner, "PL");
    cr_assert_eq(m->partner_basis, CUSTOMS__V1__PARTNER_BASIS__PARTNER_BASIS_CONSIGNMENT);
    cr_assert_str_eq(m->region_code, "XJ");
    cr_assert_str_eq(m->commodity_code, "0101210001");
    cr_assert_str_eq(m->supp_unit, "H87");
    cr_assert_eq(m->value_basis, CUSTOMS__V1__VALUE_BASIS__VALUE_BASIS_MIXED);
    cr_assert_eq(m->flow, 0);
    customs__v1__statistic__free_unpacked(m, NULL);
}

Test(statistic, import_and_export_have_their_bases)
{
    struct measures measures = some();
    struct table_key key = key_of("partner", true, 20250701, 0);
    key.word[3] = cell_word3((uint32_t)country("KZ"), 0, 0, FLOW_M, 2);
    Customs__V1__Statistic *m = record_of(&key, &measures);
    cr_assert_eq(m->partner_basis, CUSTOMS__V1__PARTNER_BASIS__PARTNER_BASIS_ORIGIN);
    cr_assert_eq(m->value_basis, CUSTOMS__V1__VALUE_BASIS__VALUE_BASIS_CIF);
    cr_assert_str_eq(m->classification, "");
    cr_assert_str_eq(m->partner, "KZ");
    cr_assert_eq(m->transport_mode, 2);
    customs__v1__statistic__free_unpacked(m, NULL);
    key.word[3] = cell_word3((uint32_t)country("KZ"), 0, 0, FLOW_X, 2);
    m = record_of(&key, &measures);
    cr_assert_eq(m->partner_basis, CUSTOMS__V1__PARTNER_BASIS__PARTNER_BASIS_DESTINATION);
    cr_assert_eq(m->value_basis, CUSTOMS__V1__VALUE_BASIS__VALUE_BASIS_FOB);
    customs__v1__statistic__free_unpacked(m, NULL);
    key = key_of("flow", true, 20250701, 0);
    key.word[3] = cell_word3(0, 0, 0, FLOW_M, 0);
    m = record_of(&key, &measures);
    cr_assert_eq(m->partner_basis, 0);
    cr_assert_str_eq(m->partner, "");
    customs__v1__statistic__free_unpacked(m, NULL);
}

Test(statistic, every_field_of_a_record)
{
    struct measures measures = {.value_minor = 7,
                                .customs_value_minor = 8,
                                .net_mass_mg = 9000,
                                .gross_mass_mg = 10000,
                                .supp_quantity_micro = 11,
                                .estimated_mg = 3000,
                                .declarations = 2,
                                .items = 3,
                                .packages = 4,
                                .warned_items = 1,
                                .late_items = 1};
    struct table_key key = key_of("commodity_office", true, 20250701, 10121 + 1);
    key.word[1] = code("5301") << 32;
    key.word[3] = cell_word3(0, 0, 0, FLOW_M, 0);
    bool saturated = false;
    set_cell(&key, &measures, &saturated);
    Customs__V1__Statistic *m = packed(99);

    cr_assert_str_eq(m->view, "commodity_office");
    cr_assert_eq(m->frequency, CUSTOMS__V1__FREQUENCY__FREQUENCY_MONTH);
    cr_assert(m->period_from == 20250701 && m->period_to == 20250731);
    cr_assert_str_eq(m->reporter, "CN");
    cr_assert_str_eq(m->currency, "CNY");
    cr_assert_str_eq(m->office_code, "5301");
    cr_assert_str_eq(m->commodity_code, "010121");
    cr_assert_str_eq(m->classification, "H6");
    cr_assert(m->value_minor == 7 && m->customs_value_minor == 8 && m->net_mass_g == 9 && m->gross_mass_g == 10);
    cr_assert(m->supp_quantity_micro == 11 && m->estimated_net_mass_g == 3);
    cr_assert_str_eq(m->supp_unit, "H87");
    cr_assert(m->declarations == 2 && m->items == 3 && m->packages == 4 && m->warned_items == 1 && m->late_items == 1);
    cr_assert_eq(m->state, CUSTOMS__V1__STATE__STATE_REVISED);
    cr_assert(m->as_of == 99 && m->as_of_ms == 123 && m->watermark_ms == 45);
    cr_assert(m->base_value_minor == 0 && !m->has_yoy_value_ppm_case && !m->has_share_ppm_case &&
              m->confidentiality == 0);
    customs__v1__statistic__free_unpacked(m, NULL);
}

Test(statistic, the_edition_in_force_on_the_last_day_decides_classification_and_unit)
{
    struct measures measures = some();
    measures.supp_quantity_micro = 5;
    struct table_key key = key_of("commodity_office", true, 20211201, 10121 + 1);
    Customs__V1__Statistic *m = record_of(&key, &measures);
    cr_assert_str_eq(m->classification, "H5");
    cr_assert_str_eq(m->supp_unit, "");
    cr_assert_eq(m->supp_quantity_micro, 0);
    customs__v1__statistic__free_unpacked(m, NULL);
}

Test(statistic, kilogram_and_coarse_commodities_have_no_supplementary_quantity)
{
    struct measures measures = some();
    measures.supp_quantity_micro = 5;
    struct table_key key = key_of("commodity_office", true, 20250701, 100199 + 1);
    Customs__V1__Statistic *m = record_of(&key, &measures);
    cr_assert(m->supp_quantity_micro == 0 && m->supp_unit[0] == '\0');
    customs__v1__statistic__free_unpacked(m, NULL);
    key = key_of("heading", true, 20250701, 101 + 1);
    m = record_of(&key, &measures);
    cr_assert(m->supp_quantity_micro == 0 && m->supp_unit[0] == '\0');
    cr_assert_str_eq(m->classification, "H6");
    customs__v1__statistic__free_unpacked(m, NULL);
}

Test(statistic, half_a_gram_is_rounded_away_from_zero)
{
    static const struct {
        int64_t mg;
        int64_t g;
    } rows[] = {{0, 0}, {499, 0}, {500, 1}, {1499, 1}, {1500, 2}, {-499, 0}, {-500, -1}, {-1500, -2}};
    struct table_key key = key_of("flow", true, 20250701, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct measures measures = some();
        measures.net_mass_mg = rows[i].mg;
        Customs__V1__Statistic *m = record_of(&key, &measures);
        cr_assert_eq(m->net_mass_g, rows[i].g, "%lld mg", (long long)rows[i].mg);
        customs__v1__statistic__free_unpacked(m, NULL);
    }
}

Test(statistic, money_beyond_int64_stands_at_its_end_and_says_so)
{
    struct table_key key = key_of("flow", true, 20250701, 0);
    struct measures measures = some();
    bool saturated = false;
    measures.value_minor = (i128)INT64_MAX + 1;
    set_cell(&key, &measures, &saturated);
    cr_assert(saturated);
    Customs__V1__Statistic *m = packed(1);
    cr_assert_eq(m->value_minor, INT64_MAX);
    customs__v1__statistic__free_unpacked(m, NULL);
}

Test(statistic, content_does_not_depend_on_when_it_was_published)
{
    struct table_key key = key_of("flow", true, 20250701, 0);
    struct measures measures = some();
    bool saturated = false;
    uint64_t content = set_cell(&key, &measures, &saturated);
    struct bytes bytes = statistic_pack(writer, &(struct statistic_stamp){1, 5, 6, 7});
    uint64_t read = 0;
    struct statistic_time time;

    cr_assert(statistic_content(bytes, &read));
    cr_assert_eq(read, content);
    cr_assert(statistic_bytes_time(bytes, &time));
    cr_assert(time.state == 1 && time.as_of == 5 && time.watermark_ms == 7);
}

Test(statistic, any_other_measure_changes_the_content)
{
    struct table_key key = key_of("commodity_office", true, 20250701, 10121 + 1);
    bool saturated = false;
    struct measures base = some();
    uint64_t content = set_cell(&key, &base, &saturated);
    for (int i = 0; i < 11; i++) {
        struct measures m = base;
        m.value_minor += i == 0;
        m.customs_value_minor += i == 1;
        m.net_mass_mg += i == 2 ? 1000 : 0;
        m.gross_mass_mg += i == 3 ? 1000 : 0;
        m.supp_quantity_micro += i == 4;
        m.estimated_mg += i == 5 ? 1000 : 0;
        m.declarations += i == 6;
        m.items += i == 7;
        m.packages += i == 8;
        m.warned_items += i == 9;
        m.late_items += i == 10;
        cr_assert_neq(set_cell(&key, &m, &saturated), content, "%d", i);
    }
}

Test(statistic, a_record_without_items_equals_an_absent_one)
{
    struct table_key key = key_of("flow", true, 20250701, 0);
    struct measures measures = {0};
    bool saturated = false;
    uint64_t read = 9;
    cr_assert_eq(set_cell(&key, &measures, &saturated), STATISTIC_ABSENT);
    cr_assert(statistic_content(statistic_pack(writer, &(struct statistic_stamp){1, 1, 2, 3}), &read));
    cr_assert_eq(read, STATISTIC_ABSENT);
}

Test(statistic, a_gone_record_keeps_its_dimensions_and_has_no_measures)
{
    struct table_key key = key_of("partner", true, 20250701, 0);
    key.word[3] = cell_word3((uint32_t)country("KZ"), 0, 0, FLOW_M, 2);
    struct measures measures = some();
    bool saturated = false;
    uint8_t old[512];
    set_cell(&key, &measures, &saturated);
    struct bytes bytes = statistic_pack(writer, &(struct statistic_stamp){1, 1, 2, 3});
    memcpy(old, bytes.data, bytes.length);

    cr_assert(statistic_set_gone(writer, (struct bytes){old, bytes.length}));
    Customs__V1__Statistic *m = packed(8);

    cr_assert_str_eq(m->partner, "KZ");
    cr_assert(m->value_minor == 0 && m->items == 0 && m->declarations == 0 && m->as_of == 8 &&
              m->period_to == 20250731);
    customs__v1__statistic__free_unpacked(m, NULL);
}

/* ---- periods that no cell holds, and the year before ---- */

Test(statistic, keys_of_derived_periods_are_as_the_contract_has_them)
{
    struct table_key cell = key_of("flow", true, 20250801, 0);
    cell.word[3] = cell_word3(0, 0, 0, FLOW_T, 0);
    const struct {
        enum period period;
        int32_t month;
        const char *key;
    } rows[] = {
        {PERIOD_QUARTER, calendar_month_of_day(calendar_day(20250701)), "flow|QUARTER|20250701|20250930|flow=T"},
        {PERIOD_YEAR, calendar_month_of_day(calendar_day(20250101)), "flow|YEAR|20250101|20251231|flow=T"},
        {PERIOD_YTD, calendar_month_of_day(calendar_day(20250801)), "flow|YEAR_TO_DATE|20250101|20250831|flow=T"},
        {PERIOD_7D, 0, "flow|ROLLING|7D||flow=T"},
        {PERIOD_30D, 0, "flow|ROLLING|30D||flow=T"},
        {PERIOD_12M, 0, "flow|ROLLING|12M||flow=T"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct table_key key = period_key(&cell, rows[i].period, rows[i].month);
        expect_key(&key, rows[i].key);
    }
    expect_key(&cell, "flow|MONTH|20250801|20250831|flow=T");
}

Test(statistic, an_hour_is_named_in_utc_and_told_in_ms)
{
    struct table_key key = key_of("flow", false, 20250801, 0);
    int32_t hour = calendar_day(20250801) * 24 + 5;
    key.word[0] = cell_word0_of(cell_view(&key), CELL_HOUR, hour, 0);
    key.word[3] = cell_word3(0, 0, 0, FLOW_M, 0);
    expect_key(&key, "flow|HOUR|20250801T05Z|20250801T05Z|flow=M");
    struct table_key window = period_key(&key, PERIOD_24H, 0);
    expect_key(&window, "flow|ROLLING|24H||flow=M");

    int32_t read;
    int32_t day;
    cr_assert(statistic_key_hour(TEXT("flow|HOUR|20250801T05Z|20250801T05Z|flow=M"), &read));
    cr_assert_eq(read, hour);
    cr_assert(statistic_key_day(TEXT("flow|HOUR|20250801T05Z|20250801T05Z|flow=M"), NULL, &day));
    cr_assert_eq(day, calendar_day(20250801));
    cr_assert_not(statistic_key_hour(TEXT("flow|DAY|20250801|20250801|flow=M"), &read));
}

Test(statistic, a_record_says_what_a_year_before_had_and_how_much_it_grew)
{
    struct table_key key = key_of("flow", true, 20250801, 0);
    struct measures sums = {.value_minor = 150, .net_mass_mg = 1000499, .items = 2, .declarations = 2};
    struct measures base = {.value_minor = 100, .net_mass_mg = 3000000, .items = 1, .declarations = 1};
    struct figure figure = {.key = key, .days = period_days(&key, 0), .sums = &sums, .base = &base};
    bool saturated = false;
    uint64_t with = statistic_set(writer, &figure, &codes, &saturated);
    Customs__V1__Statistic *m = packed(1);

    cr_assert_eq(m->base_value_minor, 100);
    cr_assert_eq(m->base_net_mass_g, 3000);
    cr_assert(m->has_yoy_value_ppm_case && m->has_yoy_net_mass_ppm_case);
    cr_assert_eq(m->yoy_value_ppm, 500000);
    cr_assert_eq(m->yoy_net_mass_ppm, -666500, "of milligrams, not of grams: %" PRId64, m->yoy_net_mass_ppm);
    customs__v1__statistic__free_unpacked(m, NULL);
    figure.base = NULL;
    cr_assert_neq(statistic_set(writer, &figure, &codes, &saturated), with, "a base is content");
    m = packed(1);
    cr_assert(!m->has_yoy_value_ppm_case && !m->has_yoy_net_mass_ppm_case && m->base_value_minor == 0);
    customs__v1__statistic__free_unpacked(m, NULL);
}

Test(statistic, a_base_of_zero_gives_no_growth_and_is_no_base)
{
    struct table_key key = key_of("flow", true, 20250801, 0);
    struct measures sums = {.value_minor = 150, .net_mass_mg = 5000, .items = 2, .declarations = 2};
    struct measures base = {.value_minor = 0, .net_mass_mg = 5000, .items = 1, .declarations = 1};
    struct figure figure = {.key = key, .days = period_days(&key, 0), .sums = &sums, .base = &base};
    bool saturated = false;
    statistic_set(writer, &figure, &codes, &saturated);
    Customs__V1__Statistic *m = packed(1);
    cr_assert(!m->has_yoy_value_ppm_case);
    cr_assert(m->has_yoy_net_mass_ppm_case);
    cr_assert_eq(m->yoy_net_mass_ppm, 0, "no growth is said, not left out");
    customs__v1__statistic__free_unpacked(m, NULL);
}
