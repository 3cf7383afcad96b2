/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/lists.h"
#include "unit/trade/rule_case.h"

#include <unistd.h>

Test(reference, a_folder_that_is_not_there_is_refused)
{
    struct err_info info = {""};
    struct reference *reference = NULL;

    cr_expect_eq(reference_load(DRYPORT_SOURCE "/tests/data/no_such_folder", NULL, &reference, &info), ERR_CONFIG);

    cr_expect(strstr(info.text, "reference.dir"), "%s", info.text);
    cr_expect_null(reference);
}

Test(reference, a_file_instead_of_a_folder_is_refused)
{
    struct err_info info = {""};
    struct reference *reference = NULL;

    cr_expect_eq(reference_load(DRYPORT_SOURCE "/tests/data/reference/units.csv", NULL, &reference, &info), ERR_CONFIG);
    cr_expect(strstr(info.text, "no folder"), "%s", info.text);
}

Test(reference, without_folders_every_list_is_lacking)
{
    struct err_info info = {""};
    struct reference *reference = NULL;
    cr_assert_eq(reference_load(NULL, "", &reference, &info), OK);

    for (int list = 0; list < REFERENCE_LISTS; list++)
        cr_expect_not(reference_has(reference, (enum reference_list)list));
    cr_expect_not(reference_hs6_exists(reference, HS_2022, 847130));
    cr_expect_eq(reference_standard_unit(reference, HS_2022, 847130), UNIT_INDEX_NONE);
    cr_expect_not(reference_in_group(reference, TEXT("SCO_MEMBER"), TEXT("CN"), 20250101));
    reference_free(reference);
}

Test(reference, a_file_that_the_folder_lacks_comes_from_the_fallback)
{
    struct err_info info = {""};
    struct reference *reference = NULL;
    cr_assert_eq(
        reference_load(DRYPORT_SOURCE "/tests/data", DRYPORT_SOURCE "/tests/data/reference", &reference, &info), OK,
        "%s", info.text);

    cr_expect(reference_has(reference, REFERENCE_HS2017));
    reference_free(reference);
}

Test(reference, every_list_has_its_own_file_name)
{
    for (int a = 0; a < REFERENCE_LISTS; a++) {
        for (int b = 0; b < a; b++)
            cr_expect(strcmp(reference_file((enum reference_list)a), reference_file((enum reference_list)b)) != 0);
    }
}

Test(reference, the_edition_changes_with_2022)
{
    cr_expect_eq(reference_edition(20211231), HS_2017);
    cr_expect_eq(reference_edition(20220101), HS_2022);
    cr_expect_str_eq(reference_classification(HS_2017), "H5");
    cr_expect_str_eq(reference_classification(HS_2022), "H6");
}

Test(reference, codes_belong_to_their_edition)
{
    struct reference *reference = case_reference();

    cr_expect(reference_hs6_exists(reference, HS_2017, 851712));
    cr_expect_not(reference_hs6_exists(reference, HS_2022, 851712));
    cr_expect(reference_hs6_exists(reference, HS_2022, 51110), "a chapter with a leading zero");
    cr_expect_not(reference_hs6_exists(reference, HS_2022, 847131));
    cr_expect_not(reference_hs6_exists(reference, HS_2022, 1000000));
    cr_expect_not(reference_hs6_exists(reference, HS_2022, UINT32_MAX));
    cr_expect(reference_hs6_exists(reference, HS_2022, 999999));
    reference_free(reference);
}

Test(reference, standard_units_have_index_kind_and_code)
{
    struct reference *reference = case_reference();
    uint8_t pieces = reference_standard_unit(reference, HS_2022, 847130);
    uint8_t energy = reference_standard_unit(reference, HS_2022, 271600);

    cr_expect_eq(reference_standard_unit(reference, HS_2022, 720851), UNIT_INDEX_KG);
    cr_expect_eq(reference_standard_unit(reference, HS_2022, 51110), UNIT_INDEX_NONE);
    cr_expect_eq(reference_unit_kind(reference, pieces), UNIT_COUNT);
    cr_expect_eq(reference_unit_kind(reference, energy), UNIT_ENERGY);
    cr_expect_eq(reference_unit_kind(reference, UNIT_INDEX_KG), UNIT_MASS);
    cr_expect_eq(reference_unit_kind(reference, UNIT_INDEX_NONE), UNIT_NONE);
    cr_expect_eq(reference_unit_kind(reference, 255), UNIT_NONE);
    cr_expect(text_is(reference_unit_rec20(reference, pieces), "H87"));
    cr_expect(text_is(reference_unit_rec20(reference, energy), "MWH"));
    cr_expect_eq(reference_unit_rec20(reference, UNIT_INDEX_KG).length, 0);
    cr_expect_eq(reference_unit_rec20(reference, UNIT_INDEX_NONE).length, 0);
    cr_expect_eq(reference_unit_rec20(reference, 255).length, 0);
    reference_free(reference);
}

Test(reference, a_unit_is_found_with_kind_and_standard_unit)
{
    struct reference *reference = case_reference();
    const struct unit *pieces = lists_unit(reference, TEXT("C62"));

    cr_expect_null(lists_unit(reference, TEXT("QQQ")));
    cr_expect_null(lists_unit(reference, TEXT("")));
    cr_expect_null(lists_unit(reference, TEXT("H87H")));
    cr_assert_not_null(pieces);
    cr_expect_eq(reference_unit_kind(reference, pieces->standard), UNIT_COUNT);
    cr_expect_eq(pieces->standard, reference_standard_unit(reference, HS_2022, 847130));
    reference_free(reference);
}

Test(reference, quantities_convert_exactly_and_round_half_away_from_zero)
{
    struct reference *reference = case_reference();
    uint8_t energy = reference_standard_unit(reference, HS_2022, 271600);
    int64_t micro = 0;

    cr_expect(reference_unit_convert(reference, TEXT("KWH"), 1500, energy, &micro));
    cr_expect_eq(micro, 2);
    cr_expect(reference_unit_convert(reference, TEXT("KWH"), -1500, energy, &micro));
    cr_expect_eq(micro, -2);
    cr_expect(reference_unit_convert(reference, TEXT("KWH"), 1499, energy, &micro));
    cr_expect_eq(micro, 1);
    cr_expect(reference_unit_convert(reference, TEXT("MWH"), INT64_MIN, energy, &micro));
    cr_expect_eq(micro, INT64_MIN);
    cr_expect(reference_unit_convert(reference, TEXT("TNE"), INT64_MAX, UNIT_INDEX_KG, &micro));
    cr_expect_eq(micro, INT64_MAX, "saturates");
    reference_free(reference);
}

Test(reference, a_unit_of_another_standard_unit_does_not_convert)
{
    struct reference *reference = case_reference();
    int64_t micro = 7;

    cr_expect_not(reference_unit_convert(reference, TEXT("CTM"), 1, UNIT_INDEX_KG, &micro));
    cr_expect_not(reference_unit_convert(reference, TEXT("QQQ"), 1, UNIT_INDEX_KG, &micro));
    cr_expect_eq(micro, 7);
    reference_free(reference);
}

Test(reference, currencies_have_their_decimals)
{
    struct reference *reference = case_reference();
    uint32_t decimals = 9;

    cr_expect_not(reference_currency_minor(reference, TEXT("QQQ"), &decimals));
    cr_expect_not(reference_currency_minor(reference, TEXT("XAU"), &decimals));
    cr_expect_not(reference_currency_minor(reference, TEXT("cny"), &decimals));
    cr_expect_eq(decimals, 9);
    cr_expect(reference_currency_minor(reference, TEXT("KRW"), &decimals));
    cr_expect_eq(decimals, 0);
    cr_expect(reference_currency_minor(reference, TEXT("KWD"), &decimals));
    cr_expect_eq(decimals, 3);
    reference_free(reference);
}

Test(reference, groups_are_dated)
{
    struct reference *reference = case_reference();

    cr_expect_not(reference_in_group(reference, TEXT("SCO_MEMBER"), TEXT("BY"), 20240703));
    cr_expect(reference_in_group(reference, TEXT("SCO_MEMBER"), TEXT("BY"), 20240704));
    cr_expect(reference_in_group(reference, TEXT("SCO_OBSERVER"), TEXT("AF"), 20250831));
    cr_expect_not(reference_in_group(reference, TEXT("SCO_OBSERVER"), TEXT("AF"), 20250901));
    cr_expect(reference_in_group(reference, TEXT("CENTRAL_ASIA"), TEXT("KZ"), 19910101));
    cr_expect_not(reference_in_group(reference, TEXT("NOTHING"), TEXT("KZ"), 20250101));
    reference_free(reference);
}

Test(reference, rates_are_found_by_month_and_currency)
{
    struct reference *reference = case_reference();
    int64_t rate = 5;

    cr_expect_not(reference_fx(reference, 202505, TEXT("CNY"), &rate));
    cr_expect_not(reference_fx(reference, 202506, TEXT("KZT"), &rate));
    cr_expect_eq(rate, 5);
    cr_expect(reference_fx(reference, 202506, TEXT("CNY"), &rate));
    cr_expect_eq(rate, 717900000);
    reference_free(reference);
}

Test(reference, national_codes_match_by_their_beginning)
{
    struct reference *reference = case_reference();

    cr_expect(reference_national_code(reference, TEXT("9801001000")));
    cr_expect(reference_national_code(reference, TEXT("999999")));
    cr_expect_not(reference_national_code(reference, TEXT("99999")));
    cr_expect_not(reference_national_code(reference, TEXT("9802")));
    cr_expect_not(reference_national_code(reference, TEXT("")));
    reference_free(reference);
}

Test(reference, countries_and_package_types_are_found)
{
    struct reference *reference = case_reference();

    cr_expect(lists_country(reference, TEXT("KZ")));
    cr_expect(lists_country(reference, TEXT("XK")));
    cr_expect_not(lists_country(reference, TEXT("KZT")));
    cr_expect_not(lists_country(reference, TEXT("")));
    cr_expect(codes_has(&reference->package_types, codes_key(TEXT("BX"))));
    cr_expect_not(codes_has(&reference->package_types, codes_key(TEXT("QQ"))));
    reference_free(reference);
}

Test(reference, the_shipped_lists_load_with_the_demo_nomenclature)
{
    struct err_info info = {""};
    struct reference *reference = NULL;

    enum err err =
        reference_load(DRYPORT_SOURCE "/deploy/reference/demo", DRYPORT_SOURCE "/deploy/reference", &reference, &info);

    cr_assert_eq(err, OK, "%s", info.text);
    cr_expect(reference_has(reference, REFERENCE_HS2022));
    cr_expect(reference_has(reference, REFERENCE_CURRENCIES));
    reference_free(reference);
}

Test(reference, real_lists_load_and_hold_what_they_say)
{
    struct err_info info = {""};
    struct reference *reference = NULL;
    if (access(DRYPORT_SHARED "/data/hs2022.csv", R_OK) != 0) {
        fprintf(stderr, "SKIP: %s/data is not there\n", DRYPORT_SHARED);
        return;
    }

    enum err err = reference_load(DRYPORT_SHARED "/data", NULL, &reference, &info);

    cr_assert_eq(err, OK, "%s", info.text);
    uint32_t codes[2] = {0};
    for (uint32_t hs6 = 0; hs6 < 1000000; hs6++) {
        codes[HS_2017] += reference_hs6_exists(reference, HS_2017, hs6);
        codes[HS_2022] += reference_hs6_exists(reference, HS_2022, hs6);
    }
    cr_expect_eq(codes[HS_2017], 5388);
    cr_expect_eq(codes[HS_2022], 5613);
    reference_free(reference);
}

/* The demo's codes are facts of the HS: they must be in both editions with that standard unit. */
Test(reference, the_demo_nomenclature_agrees_with_the_real_one)
{
    struct err_info info = {""};
    struct reference *real = NULL;
    struct reference *demo = NULL;
    if (access(DRYPORT_SHARED "/data/hs2022.csv", R_OK) != 0) {
        fprintf(stderr, "SKIP: %s/data is not there\n", DRYPORT_SHARED);
        return;
    }
    cr_assert_eq(reference_load(DRYPORT_SHARED "/data", NULL, &real, &info), OK, "%s", info.text);
    cr_assert_eq(
        reference_load(DRYPORT_SOURCE "/deploy/reference/demo", DRYPORT_SOURCE "/deploy/reference", &demo, &info), OK,
        "%s", info.text);

    for (int edition = HS_2017; edition <= HS_2022; edition++) {
        for (uint32_t hs6 = 0; hs6 < 1000000; hs6++) {
            if (!reference_hs6_exists(demo, (enum hs_edition)edition, hs6))
                continue;
            uint8_t demo_unit = reference_standard_unit(demo, (enum hs_edition)edition, hs6);
            uint8_t real_unit = reference_standard_unit(real, (enum hs_edition)edition, hs6);
            cr_expect(reference_hs6_exists(real, (enum hs_edition)edition, hs6), "%06u", hs6);
            cr_expect_eq(demo_unit <= UNIT_INDEX_KG, real_unit <= UNIT_INDEX_KG, "%06u", hs6);
            cr_expect(text_equal(reference_unit_rec20(demo, demo_unit), reference_unit_rec20(real, real_unit)), "%06u",
                      hs6);
        }
    }
    reference_free(demo);
    reference_free(real);
}

static void write_offices(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    fputs(text, file);
    fclose(file);
}

Test(reference, the_stamp_changes_when_a_list_comes_is_written_or_goes_and_with_nothing_else)
{
    char folder[] = "/tmp/reference_stamp.XXXXXX";
    char path[128];
    char other[128];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/offices.csv", folder);
    snprintf(other, sizeof other, "%s/notes.txt", folder);
    uint64_t none = reference_stamp(folder, NULL);

    write_offices(other, "not a list");
    cr_expect_eq(reference_stamp(folder, NULL), none, "another file");
    write_offices(path, "code,valid_from,valid_to\n");
    uint64_t there = reference_stamp(folder, NULL);
    cr_expect_neq(there, none);
    cr_expect_eq(reference_stamp(folder, NULL), there, "nothing was written");
    write_offices(path, "code,valid_from,valid_to\n9407,,\n");
    cr_expect_neq(reference_stamp(folder, NULL), there);
    unlink(path);
    cr_expect_eq(reference_stamp(folder, NULL), none);
    cr_expect_neq(reference_stamp(folder, DRYPORT_SOURCE "/tests/data/reference"), none, "it comes from the fallback");
    unlink(other);
    rmdir(folder);
}

/* The figures of docs/adr/0049, from the published table. */
Test(reference, what_became_of_the_codes_of_hs_2017)
{
    if (access(DRYPORT_SHARED "/data/hs2022.csv", R_OK) != 0) {
        fprintf(stderr, "SKIP: %s/data is not there\n", DRYPORT_SHARED);
        return;
    }
    struct err_info info;
    struct reference *reference = NULL;
    uint32_t counts[HS_MOVE_SPLIT + 1] = {0};
    static bool is_listed[1000000];
    uint32_t targets[HS_TARGETS_MOST];
    uint32_t count;
    cr_assert_eq(reference_load(DRYPORT_SHARED "/data", NULL, &reference, &info), OK, "%s", info.text);
    for (uint32_t code = 0; code < 1000000; code++) {
        counts[reference_hs_move(reference, 6, code, targets, &count)]++;
        for (uint32_t i = 0; i < count; i++)
            is_listed[targets[i]] = true;
    }

    cr_assert_eq(counts[HS_MOVE_SAME], 4092);
    cr_assert_eq(counts[HS_MOVE_WHOLE], 59);
    cr_assert_eq(counts[HS_MOVE_MOSTLY], 1104);
    cr_assert_eq(counts[HS_MOVE_SPLIT], 132);
    cr_assert_eq(reference_hs_move(reference, 6, 30510, targets, &count), HS_MOVE_WHOLE);
    cr_assert_eq(targets[0], 30910);
    cr_assert_eq(reference_hs_move(reference, 6, 20890, targets, &count), HS_MOVE_MOSTLY);
    cr_assert(count == 2 && targets[0] == 20890 && targets[1] == 41010, "the conversion first");
    cr_assert_eq(reference_hs_move(reference, 2, 1, targets, &count), HS_MOVE_SAME);

    uint32_t sources[HS_SOURCES_MOST];
    uint32_t whole = 0;
    uint32_t joined = 0;
    for (uint32_t code = 0; code < 1000000; code++) {
        if (!is_listed[code] || !reference_hs_whole(reference, 6, code, sources, &count))
            continue;
        whole++;
        joined += count > 1;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t back;
            reference_hs_move(reference, 6, sources[i], targets, &back);
            cr_assert(back == 1 && targets[0] == code, "%06u of %06u", sources[i], code);
        }
    }
    cr_assert_eq(whole, 4110);
    cr_assert_eq(joined, 13);
    reference_free(reference);
}
