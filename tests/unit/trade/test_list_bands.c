/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/list_fixture.h"

#define BANDS "hs,flow,measure,n,low,median,high\n"

Test(list_bands, a_wrong_band_is_refused)
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

Test(list_bands, a_code_without_band_has_that_of_its_heading_or_chapter)
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
