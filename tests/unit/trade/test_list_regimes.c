/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/list_fixture.h"

Test(list_regimes, wrong_regimes_are_refused)
{
    refused(REFERENCE_REGIMES, "scheme,code,flow,general_trade\nXX,40,M,1\n", ":2:", "\"scheme\"", "EAEU");
    refused(REFERENCE_REGIMES, "scheme,code,flow,general_trade\nEU,4000,M,1\n", ":2:", "\"code\"", "two characters");
    refused(REFERENCE_REGIMES, "scheme,code,flow,general_trade\nEU,40,I,1\n", ":2:", "\"flow\"", "MX");
    refused(REFERENCE_REGIMES, "scheme,code,flow,general_trade\nEU,40,M,yes\n", ":2:", "\"general_trade\"", "yes");
    refused(REFERENCE_REGIMES, "scheme,code,flow,general_trade\nEU,40,M,1\nEU,40,X,1\n", ":3:", "\"code\"", "twice");
}

Test(list_regimes, wrong_procedure_pairs_are_refused)
{
    refused(REFERENCE_PROCEDURE_PAIRS, "scheme,requested,previous\nQ,40,00\n", ":2:", "\"scheme\"", "EAEU");
    refused(REFERENCE_PROCEDURE_PAIRS, "scheme,requested,previous\nEU,4,00\n", ":2:", "\"requested\"",
            "two characters");
    refused(REFERENCE_PROCEDURE_PAIRS, "scheme,requested,previous\nEU,40,\n", ":2:", "\"previous\"", "two characters");
    refused(REFERENCE_PROCEDURE_PAIRS, "scheme,requested,previous\nEU,40,00\nEU,40,00\n", ":3:", "\"previous\"",
            "twice");
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

Test(list_regimes, a_regime_says_what_it_is_to_the_statistics)
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
Test(list_regimes, a_regime_without_the_column_is_what_the_others_say)
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

Test(list_regimes, the_plan_knows_what_was_made_of_a_regime_and_not_its_remark)
{
    uint64_t hash = hash_of(REFERENCE_REGIMES, "scheme,code,flow,general_trade,note\nEU,61,M,1,flow RM\n");
    cr_expect_eq(hash_of(REFERENCE_REGIMES, "scheme,code,flow,general_trade,note\nEU,61,M,1,goes to flow RM\n"), hash);
    cr_expect_eq(hash_of(REFERENCE_REGIMES, "scheme,code,flow,general_trade,statistics\nEU,61,M,1,reimport\n"), hash);
    cr_expect_neq(hash_of(REFERENCE_REGIMES, "scheme,code,flow,general_trade,note\nEU,61,M,1,\n"), hash);
}
