/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/list_fixture.h"

Test(list_goods, wrong_units_are_refused)
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

Test(list_goods, a_standard_unit_that_no_units_file_knows_has_no_kind)
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

Test(list_goods, a_package_type_that_is_listed_twice_is_refused)
{
    refused(REFERENCE_PACKAGE_TYPES, "code\nBX\nBX\n", ":3:", "\"code\"", "twice");
}

Test(list_goods, wrong_nomenclatures_are_refused)
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

Test(list_goods, a_pair_of_editions_is_of_six_digits_and_says_whether_it_is_a_conversion)
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
