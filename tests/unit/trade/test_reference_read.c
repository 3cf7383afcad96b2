/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/reference_read.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Writes `text` as the file of a list into a folder of its own, and loads that folder. */
static enum err load_text(enum reference_list list, const char *text, struct reference **out, struct err_info *info)
{
    char folder[] = "/tmp/reference_read.XXXXXX";
    char path[128];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", folder, reference_read_file(list));
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    fputs(text, file);
    fclose(file);
    enum err err = reference_load(folder, NULL, out, info);
    unlink(path);
    rmdir(folder);
    return err;
}

/* The load must fail and name line, column and what is wrong. */
static void refused(enum reference_list list, const char *text, const char *line, const char *column, const char *what)
{
    struct err_info info = {""};
    struct reference *reference = NULL;

    cr_expect_eq(load_text(list, text, &reference, &info), ERR_CONFIG, "%s", text);

    cr_expect(strstr(info.text, reference_read_file(list)), "%s", info.text);
    cr_expect(strstr(info.text, line), "%s", info.text);
    cr_expect(strstr(info.text, column), "%s", info.text);
    cr_expect(strstr(info.text, what), "%s", info.text);
}

static uint64_t hash_of(enum reference_list list, const char *text)
{
    struct err_info info = {""};
    struct reference *reference = NULL;
    cr_assert_eq(load_text(list, text, &reference, &info), OK, "%s", info.text);
    uint64_t hash = reference_hash(reference);
    reference_free(reference);
    return hash;
}

Test(reference_read, a_header_that_lacks_a_column_is_refused)
{
    refused(REFERENCE_OFFICES, "code,name\n", ":1:", "valid_from", "lacks");
    refused(REFERENCE_UNITS, "", ":1:", "", "empty");
}

Test(reference_read, a_row_with_a_field_too_many_is_refused)
{
    refused(REFERENCE_COUNTRIES, "alpha2,name\nCN,China\nKZ,Kazakhstan,1\n", ":3:", "", "3 fields");
}

Test(reference_read, an_open_quote_is_refused)
{
    refused(REFERENCE_COUNTRIES, "alpha2,name\nCN,\"China\n", ":2:", "", "quote");
}

Test(reference_read, wrong_offices_are_refused)
{
    refused(REFERENCE_OFFICES, "code,valid_from,valid_to\n,,\n", ":2:", "\"code\"", "1 to 8");
    refused(REFERENCE_OFFICES, "code,valid_from,valid_to\n123456789,,\n", ":2:", "\"code\"", "1 to 8");
    refused(REFERENCE_OFFICES, "code,valid_from,valid_to\n1,2025-02-30,\n", ":2:", "\"valid_from\"", "2025-02-30");
    refused(REFERENCE_OFFICES, "code,valid_from,valid_to\n1,,20250101\n", ":2:", "\"valid_to\"", "yyyy-mm-dd");
    refused(REFERENCE_OFFICES, "code,valid_from,valid_to\n1,2025-01-02,2025-01-01\n", ":2:", "\"valid_to\"", "before");
}

Test(reference_read, wrong_countries_are_refused)
{
    refused(REFERENCE_COUNTRIES, "alpha2\nCHN\n", ":2:", "\"alpha2\"", "two capital letters");
    refused(REFERENCE_COUNTRIES, "alpha2\ncn\n", ":2:", "\"alpha2\"", "two capital letters");
    refused(REFERENCE_COUNTRIES, "alpha2\nCN\nCN\n", ":3:", "\"alpha2\"", "twice");
}

Test(reference_read, wrong_currencies_are_refused)
{
    refused(REFERENCE_CURRENCIES, "code,minor_unit,withdrawn\nCN,2,\n", ":2:", "\"code\"", "three capital letters");
    refused(REFERENCE_CURRENCIES, "code,minor_unit,withdrawn\nCNY,two,\n", ":2:", "\"minor_unit\"", "decimals");
    refused(REFERENCE_CURRENCIES, "code,minor_unit,withdrawn\nCNY,2,2025-13\n", ":2:", "\"withdrawn\"", "yyyy-mm");
    refused(REFERENCE_CURRENCIES, "code,minor_unit,withdrawn\nCNY,2,soon\n", ":2:", "\"withdrawn\"", "soon");
    refused(REFERENCE_CURRENCIES, "code,minor_unit,withdrawn\nCNY,2,\nCNY,2,\n", ":3:", "\"code\"", "twice");
}

Test(reference_read, a_span_of_withdrawal_ends_with_its_end)
{
    struct err_info info = {""};
    struct reference *reference = NULL;
    cr_assert_eq(
        load_text(
            REFERENCE_CURRENCIES,
            "code,minor_unit,withdrawn\nAAA,2,1989 to 1990\nBBB,2,1989-1990\nCCC,2,1990-07 to 1990-09\nDDD,2,1990\n",
            &reference, &info),
        OK, "%s", info.text);

    cr_expect_eq(lists_currency(reference, TEXT("AAA"), 19901130), CURRENCY_CURRENT);
    cr_expect_eq(lists_currency(reference, TEXT("AAA"), 19901201), CURRENCY_WITHDRAWN_LATELY);
    cr_expect_eq(lists_currency(reference, TEXT("BBB"), 19901201), CURRENCY_WITHDRAWN_LATELY);
    cr_expect_eq(lists_currency(reference, TEXT("CCC"), 19900831), CURRENCY_CURRENT);
    cr_expect_eq(lists_currency(reference, TEXT("CCC"), 19910901), CURRENCY_WITHDRAWN);
    cr_expect_eq(lists_currency(reference, TEXT("DDD"), 19901201), CURRENCY_WITHDRAWN_LATELY);
    reference_free(reference);
}

Test(reference_read, wrong_incoterms_are_refused)
{
    refused(REFERENCE_INCOTERMS, "code,edition_to\nFO,\n", ":2:", "\"code\"", "three capital letters");
    refused(REFERENCE_INCOTERMS, "code,edition_to\nFOB,now\n", ":2:", "\"edition_to\"", "yyyy");
    refused(REFERENCE_INCOTERMS, "code,edition_to\nFOB,\nFOB,\n", ":3:", "\"code\"", "twice");
}

Test(reference_read, wrong_regimes_are_refused)
{
    refused(REFERENCE_REGIMES, "scheme,code,flow,general_trade\nXX,40,M,1\n", ":2:", "\"scheme\"", "EAEU");
    refused(REFERENCE_REGIMES, "scheme,code,flow,general_trade\nEU,4000,M,1\n", ":2:", "\"code\"", "two characters");
    refused(REFERENCE_REGIMES, "scheme,code,flow,general_trade\nEU,40,I,1\n", ":2:", "\"flow\"", "MX");
    refused(REFERENCE_REGIMES, "scheme,code,flow,general_trade\nEU,40,M,yes\n", ":2:", "\"general_trade\"", "yes");
    refused(REFERENCE_REGIMES, "scheme,code,flow,general_trade\nEU,40,M,1\nEU,40,X,1\n", ":3:", "\"code\"", "twice");
}

Test(reference_read, wrong_procedure_pairs_are_refused)
{
    refused(REFERENCE_PROCEDURE_PAIRS, "scheme,requested,previous\nQ,40,00\n", ":2:", "\"scheme\"", "EAEU");
    refused(REFERENCE_PROCEDURE_PAIRS, "scheme,requested,previous\nEU,4,00\n", ":2:", "\"requested\"",
            "two characters");
    refused(REFERENCE_PROCEDURE_PAIRS, "scheme,requested,previous\nEU,40,\n", ":2:", "\"previous\"", "two characters");
    refused(REFERENCE_PROCEDURE_PAIRS, "scheme,requested,previous\nEU,40,00\nEU,40,00\n", ":3:", "\"previous\"",
            "twice");
}

Test(reference_read, wrong_units_are_refused)
{
    refused(REFERENCE_UNITS, "rec20,std_unit,kind,factor_to_std\nh87,u,count,1\n", ":2:", "\"rec20\"", "A-Z");
    refused(REFERENCE_UNITS, "rec20,std_unit,kind,factor_to_std\nH87,,count,1\n", ":2:", "\"std_unit\"", "name");
    refused(REFERENCE_UNITS, "rec20,std_unit,kind,factor_to_std\nH87,u,pieces,1\n", ":2:", "\"kind\"", "volume");
    refused(REFERENCE_UNITS, "rec20,std_unit,kind,factor_to_std\nH87,u,count,0\n", ":2:", "\"factor_to_std\"",
            "above 0");
    refused(REFERENCE_UNITS, "rec20,std_unit,kind,factor_to_std\nH87,u,count,-1\n", ":2:", "\"factor_to_std\"",
            "above 0");
    refused(REFERENCE_UNITS, "rec20,std_unit,kind,factor_to_std\nH87,u,count,1.2.3\n", ":2:", "\"factor_to_std\"",
            "decimal");
    refused(REFERENCE_UNITS, "rec20,std_unit,kind,factor_to_std\nLTR,kg,volume,1\n", ":2:", "\"kind\"", "another kind");
    refused(REFERENCE_UNITS, "rec20,std_unit,kind,factor_to_std\nH87,u,count,1\nH87,u,count,1\n", ":3:", "\"rec20\"",
            "twice");
}

Test(reference_read, wrong_places_and_package_types_are_refused)
{
    refused(REFERENCE_UNLOCODE, "locode\nCN\n", ":2:", "\"locode\"", "five");
    refused(REFERENCE_UNLOCODE, "locode\n12345\n", ":2:", "\"locode\"", "five");
    refused(REFERENCE_UNLOCODE, "locode\n\"\"\n", ":2:", "\"locode\"", "five");
    refused(REFERENCE_UNLOCODE, "locode\nCNHRS\nCNHRS\n", ":3:", "\"locode\"", "twice");
    refused(REFERENCE_PACKAGE_TYPES, "code\nBX\nBX\n", ":3:", "\"code\"", "twice");
}

Test(reference_read, wrong_nomenclatures_are_refused)
{
    refused(REFERENCE_HS2022, "code,digits,std_unit\n84713,5,u\n", ":2:", "\"code\"", "2, 4 or 6");
    refused(REFERENCE_HS2022, "code,digits,std_unit\n8471x0,6,u\n", ":2:", "\"code\"", "leading zeros");
    refused(REFERENCE_HS2022, "code,digits,std_unit\n847130,4,u\n", ":2:", "\"digits\"", "6 digits");
    refused(REFERENCE_HS2022, "code,digits,std_unit\n847130,6,a unit of many bytes\n", ":2:", "\"std_unit\"", "name");
    refused(REFERENCE_HS2017, "code,digits,std_unit\n847130,6,u\n847130,6,u\n", ":3:", "\"code\"", "twice");
    refused(REFERENCE_NATIONAL_CODES, "code\n9\n", ":2:", "\"code\"", "2 to 13");
    refused(REFERENCE_NATIONAL_CODES, "code\n98AB\n", ":2:", "\"code\"", "2 to 13");
    refused(REFERENCE_NATIONAL_CODES, "code\n9801\n9801\n", ":3:", "\"code\"", "twice");
}

Test(reference_read, wrong_groups_and_rates_are_refused)
{
    refused(REFERENCE_COUNTRY_GROUPS, "group,alpha2,from,to_exclusive\n,CN,,\n", ":2:", "\"group\"", "name");
    refused(REFERENCE_COUNTRY_GROUPS, "group,alpha2,from,to_exclusive\nG,China,,\n", ":2:", "\"alpha2\"", "capital");
    refused(REFERENCE_COUNTRY_GROUPS, "group,alpha2,from,to_exclusive\nG,CN,2025,\n", ":2:", "\"from\"", "yyyy-mm-dd");
    refused(REFERENCE_COUNTRY_GROUPS, "group,alpha2,from,to_exclusive\nG,CN,2025-01-01,2025-01-01\n",
            ":2:", "\"to_exclusive\"", "after");
    refused(REFERENCE_FX, "month,currency,units_per_usd\n2025,CNY,7\n", ":2:", "\"month\"", "yyyy-mm");
    refused(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CN,7\n", ":2:", "\"currency\"", "capital");
    refused(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CNY,7e0\n", ":2:", "\"units_per_usd\"", "decimal");
    refused(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CNY,0.123456789\n", ":2:", "\"units_per_usd\"",
            "8 decimals");
    refused(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CNY,7\n2025-06,CNY,7\n", ":3:", "\"currency\"",
            "twice");
}

Test(reference_read, a_standard_unit_that_no_units_file_knows_has_no_kind)
{
    struct err_info info = {""};
    struct reference *reference = NULL;
    cr_assert_eq(load_text(REFERENCE_HS2022, "code,digits,std_unit\n847130,6,u\n720851,6,kg\n", &reference, &info), OK);

    uint8_t pieces = reference_standard_unit(reference, HS_2022, 847130);

    cr_expect(pieces > UNIT_INDEX_KG);
    cr_expect_eq(reference_unit_kind(reference, pieces), UNIT_NONE);
    cr_expect_eq(reference_standard_unit(reference, HS_2022, 720851), UNIT_INDEX_KG);
    reference_free(reference);
}

Test(reference_read, the_hash_knows_content_and_not_order_or_remarks)
{
    uint64_t plain = hash_of(REFERENCE_COUNTRIES, "alpha2,name\nCN,China\nKZ,Kazakhstan\n");

    cr_expect_eq(hash_of(REFERENCE_COUNTRIES, "name,alpha2\nKasachstan,KZ\nChina,CN\n"), plain);
    cr_expect_neq(hash_of(REFERENCE_COUNTRIES, "alpha2,name\nCN,China\nUZ,Kazakhstan\n"), plain);
    cr_expect_neq(hash_of(REFERENCE_COUNTRIES, "alpha2,name\nCN,China\n"), plain);
    cr_expect_neq(hash_of(REFERENCE_COUNTRIES, "alpha2\n"), hash_of(REFERENCE_INCOTERMS, "code,edition_to\n"));
}

Test(reference_read, the_hash_knows_which_edition_a_code_belongs_to)
{
    const char *text = "code,digits,std_unit\n847130,6,u\n";

    cr_expect_neq(hash_of(REFERENCE_HS2017, text), hash_of(REFERENCE_HS2022, text));
}

Test(reference_read, the_hash_knows_the_order_of_units)
{
    const char *head = "rec20,std_unit,kind,factor_to_std\n";
    char ab[256];
    char ba[256];
    snprintf(ab, sizeof ab, "%sH87,u,count,1\nMTR,m,length,1\n", head);
    snprintf(ba, sizeof ba, "%sMTR,m,length,1\nH87,u,count,1\n", head);

    cr_expect_neq(hash_of(REFERENCE_UNITS, ab), hash_of(REFERENCE_UNITS, ba));
}

Test(reference_read, rates_and_package_types_are_part_of_the_hash)
{
    cr_expect_neq(hash_of(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CNY,7.1\n"),
                  hash_of(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CNY,7.2\n"));
    cr_expect_neq(hash_of(REFERENCE_PACKAGE_TYPES, "code\nBX\n"), hash_of(REFERENCE_PACKAGE_TYPES, "code\nPK\n"));
}

#define BANDS "hs,flow,measure,n,low,median,high\n"

Test(reference_read, a_wrong_band_is_refused)
{
    refused(REFERENCE_BANDS, BANDS "72085,M,value_kg,30,1,2,3\n", ":2:", "hs", "2, 4 or 6 digits");
    refused(REFERENCE_BANDS, BANDS "720851,M,value,30,,,3\n", ":2:", "hs", "for value of 4");
    refused(REFERENCE_BANDS, BANDS "7208,T,value_kg,30,1,2,3\n", ":2:", "flow", "M (import)");
    refused(REFERENCE_BANDS, BANDS "7208,M,price,30,1,2,3\n", ":2:", "measure", "value_kg");
    refused(REFERENCE_BANDS, BANDS "7208,M,value_kg,many,1,2,3\n", ":2:", "\"n\"", "observations");
    refused(REFERENCE_BANDS, BANDS "7208,M,value_kg,30,0,2,3\n", ":2:", "low", "above 0");
    refused(REFERENCE_BANDS, BANDS "7208,M,value_kg,30,1,2,5000000000\n", ":2:", "high", "4000000000");
    refused(REFERENCE_BANDS, BANDS "7208,M,value_kg,30,1,2,2.8\n", ":2:", "median", "0.15 decade");
    refused(REFERENCE_BANDS, BANDS "7208,M,value_kg,30,1.5,2,3\n", ":2:", "median", "0.15 decade");
    refused(REFERENCE_BANDS, BANDS "7208,M,value_kg,30,1,2,3\n7208,M,value_kg,31,1,2,4\n", ":3:", "hs", "twice");
}

Test(reference_read, a_code_without_band_has_that_of_its_heading_or_chapter)
{
    struct reference *reference = NULL;
    struct err_info info = {""};
    cr_assert_eq(load_text(REFERENCE_BANDS,
                           BANDS
                           "720851,M,value_kg,30,1,2,4\n720851,X,value_kg,29,1,2,4\n7208,M,value_unit,30,10,20,40\n"
                           "7208,M,value,30,,,7\n72,M,kg_unit,30,100,200,400\n72,M,value_unit,30,1,2,4\n",
                           &reference, &info),
                 OK, "%s", info.text);

    const struct bands *own = lists_bands(reference, 720851, false);
    cr_assert(own);
    cr_expect_eq(own->of[BAND_VALUE_KG].high_e6, 4000000);
    cr_expect_eq(own->of[BAND_VALUE_UNIT].low_e6, 10000000, "of the heading");
    cr_expect_eq(own->of[BAND_KG_UNIT].median_e6, 200000000, "of the chapter");
    cr_expect_eq(own->of[BAND_VALUE].high_e6, 7000000);
    const struct bands *heading = lists_bands(reference, 720852, false);
    cr_assert(heading);
    cr_expect_eq(heading->of[BAND_VALUE_KG].high_e6, 0);
    const struct bands *chapter = lists_bands(reference, 721049, false);
    cr_assert(chapter);
    cr_expect_eq(chapter->of[BAND_VALUE_UNIT].high_e6, 4000000);
    cr_expect_null(lists_bands(reference, 720851, true), "29 observations are too few");
    cr_expect_null(lists_bands(reference, 730110, false));
    reference_free(reference);
}

Test(reference_read, a_wrong_zone_or_neighbour_is_refused)
{
    refused(REFERENCE_PILOT_ZONES, "code,valid_from,valid_to\nZONE1,2025-02-30,\n", ":2:", "valid_from", "no date");
    refused(REFERENCE_NEIGHBOURS, "country,neighbour\nCN,kz\n", ":2:", "neighbour", "capital letters");
    refused(REFERENCE_NEIGHBOURS, "country,neighbour\nCN,KZ\nCN,KZ\n", ":3:", "neighbour", "twice");
}

static enum regime_place place_of(const char *header, const char *row, int32_t scheme, const char *code)
{
    char text[256];
    struct reference *reference = NULL;
    struct err_info info = {""};
    snprintf(text, sizeof text, "scheme,code,flow,general_trade%s\n%s\n", header, row);
    cr_assert_eq(load_text(REFERENCE_REGIMES, text, &reference, &info), OK, "%s", info.text);
    enum regime_place place = lists_place(lists_regime(reference, scheme, text_of(code)));
    reference_free(reference);
    return place;
}

Test(reference_read, a_regime_says_what_it_is_to_the_statistics)
{
    static const char *const names[PLACES] = {"counted",   "temporary", "transit",  "outside",
                                              "warehouse", "reimport",  "reexport", "returned"};
    for (int place = 0; place < PLACES; place++) {
        char row[64];
        snprintf(row, sizeof row, "EU,40,M,1,%s", names[place]);
        cr_expect_eq(place_of(",statistics", row, SCHEME_EU, "40"), place, "%s", row);
    }
    refused(REFERENCE_REGIMES, "scheme,code,flow,general_trade,statistics\nEU,40,M,1,transits\n",
            ":2:", "\"statistics\"", "reexport");
}

/* The lists as they are published, with remarks only. */
Test(reference_read, a_regime_without_the_column_is_what_the_others_say)
{
    static const char header[] = ",comtrade_customs,note";
    cr_expect_eq(place_of(header, "CN,0110,MX,1,C01,", SCHEME_CN, "0110"), PLACE_COUNTED);
    cr_expect_eq(place_of(header, "CN,1210,MX,1,C04,bonded", SCHEME_CN, "1210"), PLACE_COUNTED);
    cr_expect_eq(place_of(header, "CN,BMT,M,1,C12,counted since 2015", SCHEME_CN, "BMT"), PLACE_COUNTED);
    cr_expect_eq(place_of(header, "CN,2600,MX,0,C20,excluded", SCHEME_CN, "2600"), PLACE_TEMPORARY);
    cr_expect_eq(place_of(header, "CN,TRANSIT,T,0,C20,excluded; id is ours", SCHEME_CN, "TRANSIT"), PLACE_TRANSIT);
    cr_expect_eq(place_of(header, "EU,09,M,0,C12,excluded", SCHEME_EU, "09"), PLACE_OUTSIDE);
    cr_expect_eq(place_of(header, "EU,95,X,0,C14,", SCHEME_EU, "95"), PLACE_OUTSIDE);
    cr_expect_eq(place_of(header, "EU,53,M,1,C20,excluded", SCHEME_EU, "53"), PLACE_TEMPORARY);
    cr_expect_eq(place_of(header, "EU,61,M,1,C02,flow RM", SCHEME_EU, "61"), PLACE_REIMPORT);
    cr_expect_eq(place_of(header, "EU,6X,M,1,,flow RM", SCHEME_EU, "6X"), PLACE_REIMPORT);
    cr_expect_eq(place_of(header, "OTHER,RX,X,1,C03,flow RX", SCHEME_OTHER, "RX"), PLACE_REEXPORT);
    cr_expect_eq(place_of(header, "EU,71,M,1,C04,", SCHEME_EU, "71"), PLACE_WAREHOUSE);
    cr_expect_eq(place_of(header, "EAEU,78,M,1,C05,", SCHEME_EAEU, "78"), PLACE_WAREHOUSE);
    cr_expect_eq(place_of("", "EAEU,31,X,1", SCHEME_EAEU, "31"), PLACE_REEXPORT);
    cr_expect_eq(place_of("", "EAEU,53,M,0", SCHEME_EAEU, "53"), PLACE_TEMPORARY);
    cr_expect_eq(place_of("", "CN,31,X,1", SCHEME_CN, "31"), PLACE_COUNTED);
    cr_expect_eq(place_of(",statistics,note", "EU,31,X,1,counted,flow RX", SCHEME_EU, "31"), PLACE_COUNTED,
                 "it decides");
}

Test(reference_read, the_plan_knows_what_was_made_of_a_regime_and_not_its_remark)
{
    uint64_t hash = hash_of(REFERENCE_REGIMES, "scheme,code,flow,general_trade,note\nEU,61,M,1,flow RM\n");
    cr_expect_eq(hash_of(REFERENCE_REGIMES, "scheme,code,flow,general_trade,note\nEU,61,M,1,goes to flow RM\n"), hash);
    cr_expect_eq(hash_of(REFERENCE_REGIMES, "scheme,code,flow,general_trade,statistics\nEU,61,M,1,reimport\n"), hash);
    cr_expect_neq(hash_of(REFERENCE_REGIMES, "scheme,code,flow,general_trade,note\nEU,61,M,1,\n"), hash);
}

Test(reference_read, a_pair_of_editions_is_of_six_digits_and_says_whether_it_is_a_conversion)
{
    static const char head[] = "hs2022,hs2017,is_conversion\n";
    char text[128];
    snprintf(text, sizeof text, "%s10121,010121,1\n", head);
    refused(REFERENCE_HS_MOVES, text, ":2:", "hs2022", "six digits");
    snprintf(text, sizeof text, "%s010121,0101.21,1\n", head);
    refused(REFERENCE_HS_MOVES, text, ":2:", "hs2017", "six digits");
    snprintf(text, sizeof text, "%s010121,010121,yes\n", head);
    refused(REFERENCE_HS_MOVES, text, ":2:", "is_conversion", "write 1");
    snprintf(text, sizeof text, "%s010121,010121,1\n010121,010121,0\n", head);
    refused(REFERENCE_HS_MOVES, text, ":3:", "hs2022", "listed twice");
}

Test(reference_read, a_pair_of_editions_is_no_part_of_the_plan)
{
    cr_assert_eq(hash_of(REFERENCE_HS_MOVES, "hs2022,hs2017,is_conversion\n030910,030510,1\n"),
                 hash_of(REFERENCE_HS_MOVES, "hs2022,hs2017,is_conversion\n"));
}
