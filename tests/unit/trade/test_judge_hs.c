/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/rule_case.h"

RULE_CASE("HSC-601", rejects, cn_code_of_8_digits, "", { item[0].hs_code = TEXT("84713000"); })
RULE_CASE("HSC-601", rejects, code_with_a_letter_at_its_end, "", { item[0].hs_code = TEXT("847130000A"); })
RULE_CASE("HSC-601", rejects, code_with_a_blank, "", { item[0].hs_code = TEXT("8471 30000"); })
RULE_CASE("HSC-601", rejects, code_of_3_digits, "", { item[0].hs_code = TEXT("847"); })
RULE_CASE("HSC-601", accepts, cn_code_of_13_digits, "", { item[0].hs_code = TEXT("8471300000101"); })
RULE_CASE("HSC-601", rejects, eu_import_of_8_digits, "", {
    BASE(SCHEME_EU);
    item[0].hs_code = TEXT("84713000");
})
RULE_CASE("HSC-601", accepts, eu_export_of_8_digits, "", {
    BASE(SCHEME_EU);
    sample_export(&sample, "25DE00245212345677", "1000");
    item[0].hs_code = TEXT("84713000");
    item[1].hs_code = TEXT("72085100");
})
RULE_CASE("HSC-601", rejects, eaeu_code_of_13_digits, "", {
    BASE(SCHEME_EAEU);
    item[0].hs_code = TEXT("8471300000101");
})
RULE_CASE("HSC-601", rejects, us_code_of_6_digits, "", {
    BASE(SCHEME_US);
    item[0].hs_code = TEXT("847130");
})
RULE_CASE("HSC-601", rejects, kr_code_of_8_digits, "", {
    BASE(SCHEME_KR);
    item[0].hs_code = TEXT("84713000");
})
RULE_CASE("HSC-601", accepts, kr_code_of_6_or_10_digits, "", { BASE(SCHEME_KR); })
RULE_CASE("HSC-601", rejects, other_code_of_7_digits, "", {
    BASE(SCHEME_OTHER);
    item[0].hs_code = TEXT("8471300");
})

RULE_CASE("HSC-602", rejects, code_in_no_edition, "", { item[0].hs_code = TEXT("8471990000"); })
RULE_CASE("HSC-602", rejects, code_of_2017_in_2022, "", {
    item[0].hs_code = TEXT("8517120000");
    sample_dated(&sample, 20220101);
})
RULE_CASE("HSC-602", accepts, code_of_2017_in_2021, "", {
    item[0].hs_code = TEXT("8517120000");
    sample_dated(&sample, 20211231);
})
RULE_CASE("HSC-602", rejects, code_of_2022_in_2021, "", {
    item[0].hs_code = TEXT("8517130000");
    sample_dated(&sample, 20211231);
})
RULE_CASE("HSC-602", accepts, code_of_2022_in_2022, "", {
    item[0].hs_code = TEXT("8517130000");
    sample_dated(&sample, 20220101);
})
RULE_CASE("HSC-602", accepts, code_of_chapter_98_in_the_national_list, "", { item[0].hs_code = TEXT("9801001000"); })

RULE_CASE("HSC-603", rejects, chapter_77, "HSC-602", { item[0].hs_code = TEXT("7701000000"); })
RULE_CASE("HSC-603", rejects, chapter_98_outside_the_national_list, "HSC-602",
          { item[0].hs_code = TEXT("9802000000"); })
RULE_CASE("HSC-603", rejects, chapter_99_outside_the_national_list, "HSC-602",
          { item[0].hs_code = TEXT("9901000000"); })
RULE_CASE("HSC-603", accepts, chapter_98_in_the_national_list, "", { item[0].hs_code = TEXT("9801000000"); })
RULE_CASE("HSC-603", accepts, chapter_99_in_the_national_list, "", { item[0].hs_code = TEXT("9999990000"); })

RULE_CASE("HSC-604", rejects, quantity_missing_where_the_unit_is_pieces, "", {
    item[0].supp_quantity_micro = 0;
    item[0].supp_unit = TEXT("");
})
RULE_CASE("HSC-604", rejects, quantity_missing_beside_its_unit, "", { item[0].supp_quantity_micro = 0; })
RULE_CASE("HSC-604", accepts, quantity_missing_where_the_unit_is_kg, "", { item[1].supp_quantity_micro = 0; })
RULE_CASE("HSC-604", accepts, quantity_missing_for_a_code_without_unit, "", {
    item[0].hs_code = TEXT("0511100000");
    item[0].supp_quantity_micro = 0;
    item[0].supp_unit = TEXT("");
})
RULE_CASE("HSC-604", warns, quantity_missing_when_the_site_only_warns, "", {
    item[0].supp_quantity_micro = 0;
    sample.options.severity[RULE_HSC_604] = SEVERITY_WARN;
})

RULE_CASE("HSC-605", rejects, litres_for_pieces, "", { item[0].supp_unit = TEXT("LTR"); })
RULE_CASE("HSC-605", rejects, pieces_for_kg, "", {
    item[1].supp_unit = TEXT("H87");
    item[1].supp_quantity_micro = 5000000;
})
RULE_CASE("HSC-605", accepts, another_unit_of_the_same_kind, "", { item[0].supp_unit = TEXT("NPR"); })
RULE_CASE("HSC-605", accepts, any_unit_for_a_code_without_unit, "", {
    item[0].hs_code = TEXT("0511100000");
    item[0].supp_unit = TEXT("LTR");
})

RULE_CASE("HSC-606", rejects, kilograms_that_are_not_the_net_mass, "", {
    item[1].supp_unit = TEXT("KGM");
    item[1].supp_quantity_micro = 25000001;
})
RULE_CASE("HSC-606", rejects, tonnes_that_are_not_the_net_mass, "", {
    item[1].supp_unit = TEXT("TNE");
    item[1].supp_quantity_micro = 25001;
})
RULE_CASE("HSC-606", accepts, kilograms_that_are_the_net_mass, "", {
    item[1].supp_unit = TEXT("KGM");
    item[1].supp_quantity_micro = 25000000;
})
RULE_CASE("HSC-606", accepts, tonnes_that_are_the_net_mass, "", {
    item[1].supp_unit = TEXT("TNE");
    item[1].supp_quantity_micro = 25000;
})
RULE_CASE("HSC-606", accepts, grams_that_are_the_net_mass, "", {
    item[1].supp_unit = TEXT("GRM");
    item[1].supp_quantity_micro = 25000000000;
})

RULE_CASE("HSC-607", rejects, half_a_computer, "", { item[0].supp_quantity_micro = 500000; })
RULE_CASE("HSC-607", rejects, half_a_pair_of_shoes_without_a_unit, "", {
    item[0].hs_code = TEXT("6403990000");
    item[0].supp_quantity_micro = 1500000;
    item[0].supp_unit = TEXT("");
})
RULE_CASE("HSC-607", accepts, half_a_cubic_metre_of_wood, "", {
    item[0].hs_code = TEXT("4407110000");
    item[0].supp_quantity_micro = 500000;
    item[0].supp_unit = TEXT("MTQ");
})
RULE_CASE("HSC-607", accepts, half_a_set, "", {
    item[0].hs_code = TEXT("8206000000");
    item[0].supp_quantity_micro = 500000;
    item[0].supp_unit = TEXT("SET");
})

RULE_CASE("HSC-608", warns, mass_of_electricity, "", {
    item[1].hs_code = TEXT("2716000000");
    item[1].supp_quantity_micro = 5000000;
    item[1].supp_unit = TEXT("MWH");
})
RULE_CASE("HSC-608", accepts, electricity_without_mass, "", {
    item[1].hs_code = TEXT("2716000000");
    item[1].supp_quantity_micro = 5000000;
    item[1].supp_unit = TEXT("MWH");
    item[1].net_mass_mg = 0;
    item[1].gross_mass_mg = 0;
    item[1].package_count = 0;
})

RULE_CASE("HSC-609", warns, carats_too_few_for_the_mass, "", {
    item[0].hs_code = TEXT("7102100000");
    item[0].supp_unit = TEXT("CTM");
    item[0].supp_quantity_micro = 99999000000;
})
RULE_CASE("HSC-609", accepts, carats_that_fit_the_mass, "", {
    item[0].hs_code = TEXT("7102100000");
    item[0].supp_unit = TEXT("CTM");
    item[0].supp_quantity_micro = 100000000000;
})

RULE_CASE("HSC-610", warns, description_missing, "", { item[0].description = TEXT(""); })
RULE_CASE("HSC-610", warns, description_of_digits, "", { item[0].description = TEXT("12 34 56 ab"); })
RULE_CASE("HSC-610", accepts, description_of_three_letters, "", { item[0].description = TEXT("1 f 2 o 3 x"); })
RULE_CASE("HSC-610", accepts, description_of_three_chinese_characters, "",
          { item[0].description = TEXT("\xE7\xAC\x94\xE8\xAE\xB0\xE6\x9C\xAC"); })

RULE_CASE("HSC-612", warns, chapter_97_in_eaeu_without_origin, "", {
    BASE(SCHEME_EAEU);
    item[0].hs_code = TEXT("9701210000");
    item[0].origin_country = TEXT("");
    item[0].consignment_country = TEXT("DE");
})
RULE_CASE("HSC-612", accepts, chapter_97_in_eaeu_with_origin, "", {
    BASE(SCHEME_EAEU);
    item[0].hs_code = TEXT("9701210000");
    item[0].consignment_country = TEXT("DE");
})

/* ---- HSC-611 ---- */

#define UNSPECIFIED(code, minor)                                                                                       \
    do {                                                                                                               \
        sample.options.unspecified_value = 1000;                                                                       \
        item[1].hs_code = TEXT(code);                                                                                  \
        item[1].statistical_value_minor = item[1].customs_value_minor = (minor);                                       \
        d->incoterm = TEXT("");                                                                                        \
    } while (0)

RULE_CASE("HSC-611", accepts, unspecified_goods_of_a_thousand, "", { UNSPECIFIED("9999990000", 100000); })
RULE_CASE("HSC-611", warns, unspecified_goods_of_more_than_a_thousand, "", { UNSPECIFIED("9999990000", 100001); })
RULE_CASE("HSC-611", warns, samples_of_more_than_a_thousand, "", { UNSPECIFIED("9801001000", 100001); })
RULE_CASE("HSC-611", accepts, specified_goods_of_more_than_a_thousand, "", { UNSPECIFIED("7208510000", 100001); })
RULE_CASE("HSC-611", accepts, no_limit_is_configured, "", {
    UNSPECIFIED("9999990000", 100001);
    sample.options.unspecified_value = 0;
})

/* ---- HSC-613 ---- */

#define MEAT()                                                                                                         \
    do {                                                                                                               \
        sample.options.plant_documents = "C085,N853";                                                                  \
        sample.options.severity[RULE_HSC_602] = SEVERITY_OFF;                                                          \
        item[1].hs_code = TEXT("0201100000");                                                                          \
        sample.texts[0] = TEXT("N380");                                                                                \
        sample.texts[1] = TEXT("N853");                                                                                \
    } while (0)

RULE_CASE("HSC-613", accepts, meat_with_its_certificate, "", {
    MEAT();
    item[1].document_classes = (struct text_list){sample.texts, 2};
})
RULE_CASE("HSC-613", warns, meat_with_an_invoice_only, "", {
    MEAT();
    item[1].document_classes = (struct text_list){sample.texts, 1};
})
RULE_CASE("HSC-613", warns, meat_without_documents, "", { MEAT(); })
RULE_CASE("HSC-613", accepts, steel_without_documents, "", {
    MEAT();
    item[1].hs_code = TEXT("7208510000");
})
RULE_CASE("HSC-613", accepts, no_documents_are_configured, "", {
    MEAT();
    sample.options.plant_documents = "";
})
