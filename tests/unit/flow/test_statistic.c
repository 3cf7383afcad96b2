/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/statistic.h"
#include "flow/statistic_bytes.h"
#include "unit/flow/statistic_fixture.h"

#include "customs/v1/statistic.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct reference *reference;
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
    open_plan();
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
    close_plan();
}

TestSuite(statistic, .init = setup, .fini = teardown);

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

/* ---- the year before ---- */

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
