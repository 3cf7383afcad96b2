/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/rule_case.h"

RULE_CASE("COD-101", rejects, office_not_in_the_list, "STR-017", { d->office_code = TEXT("9999"); })
RULE_CASE("COD-101", rejects, office_between_its_two_periods, "", {
    d->office_code = TEXT("9411");
    d->declaration_id = TEXT("941120251000000001");
})
RULE_CASE("COD-101", accepts, office_in_its_first_period, "", {
    d->office_code = TEXT("9411");
    d->declaration_id = TEXT("941120241000000001");
    sample_dated(&sample, 20241231);
})
RULE_CASE("COD-101", accepts, office_in_its_second_period, "", {
    d->office_code = TEXT("9411");
    d->declaration_id = TEXT("941120251000000001");
    sample_dated(&sample, 20250701);
})

RULE_CASE("COD-102", rejects, border_office_not_in_the_list, "", { d->border_office_code = TEXT("9999"); })
RULE_CASE("COD-102", accepts, border_office_absent, "", { d->border_office_code = TEXT(""); })
RULE_CASE("COD-102", accepts, border_office_of_another_time, "", { d->border_office_code = TEXT("9411"); })

RULE_CASE("COD-103", rejects, border_mode_absent, "", { d->border_transport_mode = 0; })
RULE_CASE("COD-103", rejects, border_mode_multimodal, "", { d->border_transport_mode = 6; })
RULE_CASE("COD-103", rejects, border_mode_unknown, "", { d->border_transport_mode = 10; })
RULE_CASE("COD-103", accepts, border_mode_of_rec_19, "", { d->border_transport_mode = 9; })
RULE_CASE("COD-103", accepts, border_mode_absent_in_a_cancel, "", { sample_cancel(&sample); })

RULE_CASE("COD-104", warns, inland_mode_unknown, "", { d->inland_transport_mode = 10; })
RULE_CASE("COD-104", accepts, inland_mode_multimodal, "", { d->inland_transport_mode = 6; })

RULE_CASE("COD-105", rejects, country_not_in_the_list, "", { d->dispatch_country = TEXT("QQ"); })
RULE_CASE("COD-105", rejects, country_in_small_letters, "", { item[0].origin_country = TEXT("kz"); })
RULE_CASE("COD-105", rejects, country_of_one_letter, "", { d->trading_country = TEXT("K"); })
RULE_CASE("COD-105", rejects, destination_of_the_header_unknown, "", { d->destination_country = TEXT("AA"); })
RULE_CASE("COD-105", rejects, consignment_country_unknown, "", { item[1].consignment_country = TEXT("11"); })
RULE_CASE("COD-105", rejects, destination_of_an_item_unknown, "STR-013",
          { item[1].destination_country = TEXT("\xFF\xFF"); })
RULE_CASE("COD-105", accepts, listed_specials, "", {
    d->dispatch_country = TEXT("ZZ");
    d->trading_country = TEXT("XK");
})

RULE_CASE("COD-106", warns, origin_unknown, "", { item[0].origin_country = TEXT("ZZ"); })
RULE_CASE("COD-106", accepts, origin_known, "", { item[0].origin_country = TEXT("UZ"); })

RULE_CASE("COD-107", rejects, currency_not_in_the_list, "", { d->invoice_currency = TEXT("QQQ"); })
RULE_CASE("COD-107", rejects, currency_withdrawn_12_months_before, "", {
    d->invoice_currency = TEXT("HRK");
    sample_dated(&sample, 20240101);
})
RULE_CASE("COD-107", rejects, currency_withdrawn_long_ago, "", { d->insurance_currency = TEXT("ARY"); })
RULE_CASE("COD-107", rejects, metal, "", { d->freight_currency = TEXT("XAU"); })
RULE_CASE("COD-107", rejects, currency_of_two_letters, "", { d->other_charges_currency = TEXT("US"); })
RULE_CASE("COD-107", accepts, currency_that_begins_with_x, "", {
    d->invoice_currency = TEXT("XAF");
    d->incoterm = TEXT("");
})
RULE_CASE("COD-107", accepts, currency_before_its_withdrawal, "", {
    d->invoice_currency = TEXT("HRK");
    sample_dated(&sample, 20221231);
})

RULE_CASE("COD-108", warns, currency_withdrawn_this_month, "", {
    d->invoice_currency = TEXT("ANG");
    sample_dated(&sample, 20250301);
})
RULE_CASE("COD-108", warns, currency_withdrawn_11_months_before, "", {
    d->invoice_currency = TEXT("HRK");
    sample_dated(&sample, 20231231);
})
RULE_CASE("COD-108", accepts, currency_in_the_month_before_its_withdrawal, "", {
    d->invoice_currency = TEXT("ANG");
    sample_dated(&sample, 20250228);
})

RULE_CASE("COD-109", rejects, incoterm_not_in_the_list, "", { d->incoterm = TEXT("FOT"); })
RULE_CASE("COD-109", rejects, incoterm_with_its_place, "", { d->incoterm = TEXT("FOB ALMATY"); })
RULE_CASE("COD-109", accepts, incoterm_absent, "", { d->incoterm = TEXT(""); })

RULE_CASE("COD-110", warns, incoterm_withdrawn, "", {
    d->incoterm = TEXT("DAT");
    d->freight_minor = 0;
})
RULE_CASE("COD-110", warns, incoterm_on_the_first_day_after_its_edition, "", {
    d->incoterm = TEXT("DAT");
    d->freight_minor = 0;
    sample_dated(&sample, 20200101);
})
RULE_CASE("COD-110", accepts, incoterm_on_the_last_day_of_its_edition, "", {
    d->incoterm = TEXT("DAT");
    d->freight_minor = 0;
    sample_dated(&sample, 20191231);
})
RULE_CASE("COD-110", accepts, incoterm_in_force, "", { d->incoterm = TEXT("EXW"); })

RULE_CASE("COD-111", rejects, cn_trade_mode_not_in_the_list, "", { d->trade_mode = TEXT("9999"); })
RULE_CASE("COD-111", rejects, cn_trade_mode_of_the_other_direction, "ECM-701 ECM-702",
          { d->trade_mode = TEXT("9710"); })
RULE_CASE("COD-111", rejects, cn_procedure_of_five_characters, "", { item[0].procedure = TEXT("12345"); })
RULE_CASE("COD-111", accepts, cn_procedure_of_four_characters_in_more_bytes, "", {
    item[0].procedure = TEXT("\xE4\xB8\x80"
                             "12");
})
RULE_CASE("COD-111", accepts, cn_transit, "STA-802", { d->trade_mode = TEXT("TRANSIT"); })
RULE_CASE("COD-111", rejects, eu_procedure_of_the_other_direction, "", {
    BASE(SCHEME_EU);
    item[0].procedure = TEXT("1000");
})
RULE_CASE("COD-111", rejects, eaeu_procedure_of_one_character, "", {
    BASE(SCHEME_EAEU);
    item[0].procedure = TEXT("4");
})
RULE_CASE("COD-111", accepts, scheme_without_rows, "", {
    BASE(SCHEME_KR);
    item[0].procedure = TEXT("ZZZZ");
})

RULE_CASE("COD-112", rejects, pair_that_is_not_allowed, "", {
    BASE(SCHEME_EU);
    item[0].procedure = TEXT("4099");
})
RULE_CASE("COD-112", accepts, pair_that_is_allowed, "", {
    BASE(SCHEME_EU);
    item[0].procedure = TEXT("4071");
})
RULE_CASE("COD-112", accepts, pair_of_a_scheme_without_rows, "", {
    BASE(SCHEME_EAEU);
    item[0].procedure = TEXT("4099");
})
RULE_CASE("COD-112", accepts, procedure_without_a_previous_one, "", {
    BASE(SCHEME_EU);
    item[0].procedure = TEXT("40");
})

RULE_CASE("COD-113", rejects, unit_not_in_the_list, "", { item[0].supp_unit = TEXT("QQQ"); })
RULE_CASE("COD-113", rejects, unit_in_small_letters, "", { item[0].supp_unit = TEXT("h87"); })
RULE_CASE("COD-113", accepts, unit_in_the_list, "", { item[0].supp_unit = TEXT("C62"); })

RULE_CASE("COD-115", rejects, place_of_four_characters, "", { d->incoterm_place = TEXT("KZAL"); })
RULE_CASE("COD-115", rejects, place_with_a_digit_one, "", { d->incoterm_place = TEXT("KZAL1"); })
RULE_CASE("COD-115", rejects, place_with_a_digit_for_its_country, "", { d->incoterm_place = TEXT("K2ALA"); })
RULE_CASE("COD-115", accepts, place_with_digits_2_to_9, "", { d->incoterm_place = TEXT("DE29A"); })

RULE_CASE("COD-116", warns, place_not_in_the_list_of_its_country, "", { d->incoterm_place = TEXT("KZQQQ"); })
RULE_CASE("COD-116", accepts, place_of_a_country_that_the_list_lacks, "", { d->incoterm_place = TEXT("DEQQQ"); })

RULE_CASE("COD-117", rejects, valuation_method_7, "", { item[0].valuation_method = 7; })
RULE_CASE("COD-117", accepts, valuation_method_6_or_absent, "", {
    item[0].valuation_method = 6;
    item[1].valuation_method = 0;
})

RULE_CASE("COD-118", warns, credit_code_with_a_wrong_check_digit, "", { d->trader_id = TEXT("91110000600037341M"); })
RULE_CASE("COD-118", warns, bin_with_a_wrong_check_digit, "", { d->declarant_id = TEXT("971240001314"); })
RULE_CASE("COD-118", accepts, identifiers_with_right_check_digits, "", {
    d->trader_id = TEXT("91110000600037341L");
    d->declarant_id = TEXT("971240001315");
})
RULE_CASE("COD-118", accepts, identifiers_of_another_length, "", {
    d->trader_id = TEXT("91110000600037341");
    d->declarant_id = TEXT("97124000131");
})

RULE_CASE("COD-119", warns, container_with_a_wrong_check_digit, "", {
    sample.texts[0] = TEXT("CSQU3054383");
    sample.texts[1] = TEXT("CSQU3054384");
    d->container_ids = (struct text_list){sample.texts, 2};
})
RULE_CASE("COD-119", warns, container_of_another_shape, "", {
    sample.texts[0] = TEXT("WAGON 12");
    d->container_ids = (struct text_list){sample.texts, 1};
})
RULE_CASE("COD-119", accepts, container_with_a_right_check_digit, "", {
    sample.texts[0] = TEXT("CSQU3054383");
    d->container_ids = (struct text_list){sample.texts, 2};
})

RULE_CASE("COD-120", rejects, reporter_that_is_not_configured, "", { d->reporter = TEXT("KZ"); })
RULE_CASE("COD-120", rejects, reporting_currency_that_is_not_configured, "ARI-217 ARI-218",
          { d->reporting_currency = TEXT("USD"); })
RULE_CASE("COD-120", rejects, reporter_that_is_not_configured_in_a_cancel, "", {
    sample_cancel(&sample);
    d->reporter = TEXT("KZ");
})
RULE_CASE("COD-120", accepts, reporter_absent_in_a_cancel, "", { sample_cancel(&sample); })

RULE_CASE("COD-114", accepts, a_kind_of_package_in_the_list, "", { item[0].package_type = TEXT("PK"); })
RULE_CASE("COD-114", accepts, no_kind_of_package, "", { item[0].package_type = TEXT(""); })
RULE_CASE("COD-114", warns, a_kind_of_package_that_is_not_in_the_list, "", { item[0].package_type = TEXT("QQ"); })
