/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/judge.h"
#include "unit/trade/rule_case.h"

/* STR-001 and STR-002 are decided where the bytes are: here only that such a finding rejects. */
RULE_CASE("STR-001", rejects, payload_too_long, "", { sample.add = RULE_STR_001; })
RULE_CASE("STR-001", accepts, payload_of_any_other_kind, "", {})
RULE_CASE("STR-002", rejects, payload_that_does_not_decode, "", { sample.add = RULE_STR_002; })
RULE_CASE("STR-002", accepts, payload_that_decodes, "", {})

RULE_CASE("STR-003", rejects, schema_version_missing, "", { d->schema_version = 0; })
RULE_CASE("STR-003", rejects, schema_version_of_the_future, "", { d->schema_version = 2; })
RULE_CASE("STR-003", accepts, schema_version_one, "", { d->schema_version = 1; })

RULE_CASE("STR-004", rejects, id_missing, "", { d->declaration_id = TEXT(""); })
RULE_CASE("STR-004", rejects, id_with_a_small_letter, "", {
    BASE(SCHEME_KR);
    d->declaration_id = TEXT("abc");
})
RULE_CASE("STR-004", rejects, id_of_36_characters, "STR-013", {
    BASE(SCHEME_KR);
    d->declaration_id = TEXT("123456789012345678901234567890123456");
})
RULE_CASE("STR-004", rejects, id_with_a_blank, "", {
    BASE(SCHEME_KR);
    d->declaration_id = TEXT("A B");
})
RULE_CASE("STR-004", accepts, id_of_35_characters_of_every_kind, "", {
    BASE(SCHEME_KR);
    d->declaration_id = TEXT("AZ/09-34567890123456789012345678901");
})

RULE_CASE("STR-005", rejects, function_missing, "", { d->function = 0; })
RULE_CASE("STR-005", rejects, function_unknown, "", { d->function = 4; })
RULE_CASE("STR-005", accepts, function_replace, "", {
    d->function = FUNCTION_REPLACE;
    d->version = 2;
})

RULE_CASE("STR-006", rejects, version_zero, "", { d->version = 0; })
RULE_CASE("STR-006", rejects, original_with_version_two, "", { d->version = 2; })
RULE_CASE("STR-006", rejects, version_above_999, "", {
    d->function = FUNCTION_REPLACE;
    d->version = 1000;
})
RULE_CASE("STR-006", rejects, version_at_the_end_of_its_type, "", {
    d->function = FUNCTION_REPLACE;
    d->version = UINT32_MAX;
})
RULE_CASE("STR-006", accepts, version_999, "", {
    d->function = FUNCTION_REPLACE;
    d->version = 999;
})

RULE_CASE("STR-007", rejects, direction_missing, "", { d->direction = 0; })
RULE_CASE("STR-007", rejects, direction_unknown, "", { d->direction = 3; })
RULE_CASE("STR-007", accepts, direction_missing_in_a_cancel, "", { sample_cancel(&sample); })
RULE_CASE("STR-007", rejects, direction_unknown_in_a_cancel, "", {
    sample_cancel(&sample);
    d->direction = 3;
})

RULE_CASE("STR-008", rejects, office_missing, "", { d->office_code = TEXT(""); })
RULE_CASE("STR-008", accepts, office_missing_in_a_cancel, "", { sample_cancel(&sample); })

RULE_CASE("STR-009", rejects, time_of_acceptance_missing, "", { d->accepted_at_ms = 0; })
RULE_CASE("STR-009", rejects, time_of_acceptance_before_1970, "", { d->accepted_at_ms = INT64_MIN; })
RULE_CASE("STR-009", rejects, time_of_acceptance_missing_in_a_cancel, "", {
    sample_cancel(&sample);
    d->accepted_at_ms = 0;
})
RULE_CASE("STR-009", rejects, reference_date_missing, "", { d->reference_date = 0; })
RULE_CASE("STR-009", rejects, reference_date_29_february_of_no_leap_year, "", { d->reference_date = 20250229; })
RULE_CASE("STR-009", rejects, reference_date_wrong_in_a_cancel, "", {
    sample_cancel(&sample);
    d->reference_date = 20251301;
})
RULE_CASE("STR-009", rejects, reference_date_beyond_the_year_7000, "", { d->reference_date = 70010101; })
RULE_CASE("STR-009", accepts, reference_date_of_the_year_7000, "TIM-408", { d->reference_date = 70001231; })
RULE_CASE("STR-009", accepts, reference_date_29_february_of_a_leap_year, "", { sample_dated(&sample, 20240229); })
RULE_CASE("STR-009", accepts, reference_date_missing_in_a_cancel, "", { sample_cancel(&sample); })

RULE_CASE("STR-010", rejects, no_items, "", {
    sample_items(&sample, 0);
    d->total_packages = 0;
})
RULE_CASE("STR-010", rejects, items_51_in_cn, "", { sample_items(&sample, 51); })
RULE_CASE("STR-010", accepts, items_50_in_cn, "", { sample_items(&sample, 50); })
RULE_CASE("STR-010", rejects, items_1000_elsewhere, "", {
    BASE(SCHEME_EU);
    sample_items(&sample, 1000);
})
RULE_CASE("STR-010", accepts, items_999_elsewhere, "", {
    BASE(SCHEME_EU);
    sample_items(&sample, 999);
})
RULE_CASE("STR-010", accepts, no_items_in_a_cancel, "", { sample_cancel(&sample); })

RULE_CASE("STR-011", rejects, item_number_twice, "", { item[1].item_no = 1; })
RULE_CASE("STR-011", rejects, item_number_missing, "", { item[0].item_no = 0; })
RULE_CASE("STR-011", rejects, item_number_beyond_the_count, "", { item[1].item_no = 3; })
RULE_CASE("STR-011", rejects, item_number_at_the_end_of_its_type, "", { item[1].item_no = UINT32_MAX; })
RULE_CASE("STR-011", rejects, item_number_twice_beyond_the_first_word, "", {
    BASE(SCHEME_EU);
    sample_items(&sample, 200);
    item[0].item_no = 130;
})
RULE_CASE("STR-011", accepts, item_numbers_in_another_order, "", {
    item[0].item_no = 2;
    item[1].item_no = 1;
})

RULE_CASE("STR-012", rejects, scheme_missing, "", { d->scheme = 0; })
RULE_CASE("STR-012", rejects, scheme_unknown, "", { d->scheme = 7; })
RULE_CASE("STR-012", rejects, reporter_missing, "", { d->reporter = TEXT(""); })
RULE_CASE("STR-012", rejects, declaration_type_missing, "", { d->declaration_type = 0; })
RULE_CASE("STR-012", rejects, status_missing, "", { d->status = 0; })
RULE_CASE("STR-012", rejects, status_unknown, "", { d->status = INT32_MIN; })
RULE_CASE("STR-012", rejects, submitted_at_missing, "", { d->submitted_at_ms = 0; })
RULE_CASE("STR-012", rejects, declarant_missing, "", { d->declarant_id = TEXT(""); })
RULE_CASE("STR-012", rejects, trader_missing, "", { d->trader_id = TEXT(""); })
RULE_CASE("STR-012", rejects, reporting_currency_missing, "", { d->reporting_currency = TEXT(""); })
RULE_CASE("STR-012", rejects, trade_mode_missing_in_cn, "", { d->trade_mode = TEXT(""); })
RULE_CASE("STR-012", accepts, trade_mode_missing_elsewhere, "", { BASE(SCHEME_EAEU); })
RULE_CASE("STR-012", rejects, period_from_missing, "", {
    d->declaration_type = DECLARATION_TYPE_PERIODIC;
    d->period_to = 20250630;
})
RULE_CASE("STR-012", rejects, period_to_missing, "", {
    d->declaration_type = DECLARATION_TYPE_PERIODIC;
    d->period_from = 20250601;
})
RULE_CASE("STR-012", accepts, period_whole, "", {
    d->declaration_type = DECLARATION_TYPE_PERIODIC;
    d->period_from = 20250601;
    d->period_to = 20250630;
})
RULE_CASE("STR-012", rejects, hs_code_missing, "", { item[0].hs_code = TEXT(""); })
RULE_CASE("STR-012", rejects, procedure_missing, "", { item[1].procedure = TEXT(""); })
RULE_CASE("STR-012", rejects, origin_missing_on_import, "", { item[0].origin_country = TEXT(""); })
RULE_CASE("STR-012", rejects, destination_missing_on_export, "", {
    sample_export(&sample, "940720250000000001", "1");
    item[0].destination_country = TEXT("");
})
RULE_CASE("STR-012", accepts, origin_missing_on_export, "", {
    sample_export(&sample, "940720250000000001", "1");
    item[0].origin_country = TEXT("");
})
RULE_CASE("STR-012", rejects, chapter_97_in_eaeu_without_consignment, "", {
    BASE(SCHEME_EAEU);
    item[0].hs_code = TEXT("9701210000");
})
RULE_CASE("STR-012", accepts, chapter_97_in_eaeu_with_consignment, "HSC-612", {
    BASE(SCHEME_EAEU);
    item[0].hs_code = TEXT("9701210000");
    item[0].origin_country = TEXT("");
    item[0].consignment_country = TEXT("DE");
})
RULE_CASE("STR-012", rejects, chapter_97_elsewhere_needs_its_origin, "", {
    BASE(SCHEME_EU);
    item[0].hs_code = TEXT("9701210000");
    item[0].origin_country = TEXT("");
    item[0].consignment_country = TEXT("DE");
})
RULE_CASE("STR-012", accepts, everything_but_five_fields_missing_in_a_cancel, "", { sample_cancel(&sample); })
RULE_CASE("STR-012", rejects, scheme_unknown_in_a_cancel, "", {
    sample_cancel(&sample);
    d->scheme = 9;
})
RULE_CASE("STR-012", warns, submitted_at_missing_when_lenient, "", {
    sample_lenient(&sample);
    d->submitted_at_ms = 0;
})
RULE_CASE("STR-012", warns, declarant_and_trader_missing_when_lenient, "", {
    sample_lenient(&sample);
    d->declarant_id = TEXT("");
    d->trader_id = TEXT("");
})
RULE_CASE("STR-012", rejects, status_missing_when_lenient, "", {
    sample_lenient(&sample);
    d->status = 0;
})

RULE_CASE("STR-013", rejects, text_longer_than_its_field, "", {
    d->zone_code = TEXT("123456789");
    d->zone_line = ZONE_LINE_FIRST;
})
RULE_CASE("STR-013", accepts, text_as_long_as_its_field, "", {
    d->zone_code = TEXT("12345678");
    d->zone_line = ZONE_LINE_FIRST;
})
RULE_CASE("STR-013", rejects, text_with_a_line_end, "", { item[0].description = TEXT("two\nlines"); })
RULE_CASE("STR-013", rejects, text_with_a_delete, "", { item[0].description = TEXT("twice \x7f used"); })
RULE_CASE("STR-013", rejects, text_with_a_nul, "", { item[0].description = TEXT("ab\0cdefgh"); })
RULE_CASE("STR-013", rejects, text_with_a_c1_control, "", { item[0].description = TEXT("next line: \xC2\x85"); })
RULE_CASE("STR-013", rejects, text_cut_off_in_a_character, "", { item[0].description = TEXT("goods \xE5\x93"); })
RULE_CASE("STR-013", rejects, text_with_an_overlong_slash, "", { item[0].description = TEXT("goods \xC0\xAF here"); })
RULE_CASE("STR-013", rejects, text_with_an_overlong_three_byte_character, "",
          { item[0].description = TEXT("goods\xE0\x80\xAF"); })
RULE_CASE("STR-013", rejects, text_with_a_surrogate, "", { item[0].description = TEXT("goods \xED\xA0\x80"); })
RULE_CASE("STR-013", rejects, text_beyond_unicode, "", { item[0].description = TEXT("goods \xF4\x90\x80\x80"); })
RULE_CASE("STR-013", rejects, text_with_a_lone_continuation, "", { item[0].description = TEXT("goods \x80"); })
RULE_CASE("STR-013", accepts, text_in_every_length_of_utf8, "",
          { item[0].description = TEXT("\xC3\xA9\xE5\x93\x81\xF0\x9F\x9A\x82 train"); })
RULE_CASE("STR-013", rejects, control_character_in_a_list, "", {
    sample.texts[0] = TEXT("A1");
    sample.texts[1] = TEXT("B\t");
    item[1].document_classes = (struct text_list){sample.texts, 2};
})
RULE_CASE("STR-013", rejects, text_of_a_list_too_long, "", {
    sample.texts[0] = TEXT("123456789");
    item[1].additional_procedures = (struct text_list){sample.texts, 1};
})
RULE_CASE("STR-013", accepts, lists_of_sound_texts, "", {
    sample.texts[0] = TEXT("A1");
    item[1].document_classes = (struct text_list){sample.texts, 1};
})
RULE_CASE("STR-013", rejects, control_character_in_a_cancel, "", {
    sample_cancel(&sample);
    d->lrn = TEXT("\x01");
})

RULE_CASE("STR-014", rejects, total_gross_mass_negative, "ARI-205", {
    d->total_gross_mass_mg = -1;
    item[0].gross_mass_mg = 0;
    item[0].package_count = 0;
    item[1].gross_mass_mg = 0;
    item[1].package_count = 0;
    d->total_packages = 0;
})
RULE_CASE("STR-014", rejects, freight_negative, "", { d->freight_minor = -1; })
RULE_CASE("STR-014", rejects, insurance_at_the_end_of_its_type, "", {
    d->insurance_minor = INT64_MIN;
    d->insurance_currency = TEXT("USD");
})
RULE_CASE("STR-014", rejects, other_charges_negative, "", { d->other_charges_minor = -5; })
RULE_CASE("STR-014", rejects, statistical_value_negative, "ARI-210", { item[1].statistical_value_minor = -1; })
RULE_CASE("STR-014", rejects, second_quantity_negative, "", { item[1].second_quantity_micro = INT64_MIN; })
RULE_CASE("STR-014", rejects, net_mass_negative_in_a_cancel, "STR-020", {
    sample_cancel(&sample);
    item[0] = (struct item){.net_mass_mg = -1};
    d->items = (struct item_list){item, 1};
})
RULE_CASE("STR-014", accepts, figures_zero, "", {
    d->other_charges_minor = 0;
    item[0].second_quantity_micro = 0;
})

RULE_CASE("STR-015", rejects, cn_id_of_17_digits, "", { d->declaration_id = TEXT("94072025100000000"); })
RULE_CASE("STR-015", rejects, cn_id_with_a_letter, "", { d->declaration_id = TEXT("94072025100000000A"); })
RULE_CASE("STR-015", accepts, cn_id_of_18_digits, "", {})
RULE_CASE("STR-015", rejects, eu_id_without_country, "", {
    BASE(SCHEME_EU);
    d->declaration_id = TEXT("250000245212345677");
})
RULE_CASE("STR-015", accepts, eu_mrn, "", { BASE(SCHEME_EU); })
RULE_CASE("STR-015", rejects, eaeu_id_with_a_day_that_is_none, "", {
    BASE(SCHEME_EAEU);
    d->declaration_id = TEXT("55301/310625/0000001");
})
RULE_CASE("STR-015", rejects, eaeu_id_with_a_long_office_in_kz, "", {
    BASE(SCHEME_EAEU);
    d->declaration_id = TEXT("55301000/150625/0000001");
})
RULE_CASE("STR-015", rejects, eaeu_id_with_six_digits_at_its_end, "", {
    BASE(SCHEME_EAEU);
    d->declaration_id = TEXT("55301/150625/000001");
})
RULE_CASE("STR-015", rejects, eaeu_id_with_a_part_too_many, "", {
    BASE(SCHEME_EAEU);
    d->declaration_id = TEXT("55301/150625/0000001/1");
})
RULE_CASE("STR-015", accepts, eaeu_id_with_a_short_office_in_kz, "", { BASE(SCHEME_EAEU); })
RULE_CASE("STR-015", rejects, us_id_of_10_characters, "", {
    BASE(SCHEME_US);
    d->declaration_id = TEXT("ABC1234567");
})
RULE_CASE("STR-015", rejects, us_id_with_a_letter_in_the_number, "", {
    BASE(SCHEME_US);
    d->declaration_id = TEXT("ABC1234567X");
})
RULE_CASE("STR-015", accepts, us_entry_number, "", { BASE(SCHEME_US); })
RULE_CASE("STR-015", accepts, ids_without_a_layout, "", { BASE(SCHEME_OTHER); })
RULE_CASE("STR-015", warns, layout_when_lenient, "", {
    sample_lenient(&sample);
    d->declaration_id = TEXT("97061800");
})

RULE_CASE("STR-016", rejects, mrn_with_a_wrong_check_digit, "", {
    BASE(SCHEME_EU);
    d->declaration_id = TEXT("25DE00245212345678");
})
RULE_CASE("STR-016", accepts, mrn_whose_rest_of_10_is_written_0, "", {
    BASE(SCHEME_EU);
    d->declaration_id = TEXT("25DE00245212345030");
})
RULE_CASE("STR-016", warns, check_digit_when_lenient, "", {
    BASE(SCHEME_EU);
    sample_lenient(&sample);
    d->declaration_id = TEXT("25DE00245212345670");
})

RULE_CASE("STR-017", rejects, cn_id_of_another_office, "", { d->declaration_id = TEXT("941120251000000001"); })
RULE_CASE("STR-017", rejects, cn_id_of_an_export_on_import, "", { d->declaration_id = TEXT("940720250000000001"); })
RULE_CASE("STR-017", rejects, cn_id_of_an_import_on_export, "", { sample_export(&sample, "940720251000000001", "1"); })
RULE_CASE("STR-017", accepts, cn_id_of_an_export_on_export, "", { sample_export(&sample, "940720250000000001", "1"); })
RULE_CASE("STR-017", accepts, cn_cancel_without_office_and_direction, "", {
    sample_cancel(&sample);
    d->scheme = SCHEME_CN;
})
RULE_CASE("STR-017", warns, parts_of_the_id_when_lenient, "", {
    sample_lenient(&sample);
    d->declaration_id = TEXT("940720250000000001");
})

RULE_CASE("STR-018", rejects, key_that_is_not_the_id, "", { sample.context.key = KEY_WRONG; })
RULE_CASE("STR-018", accepts, key_that_nobody_checks, "", { sample.context.key = KEY_OFF; })

RULE_CASE("STR-019", warns, unknown_fields_are_there, "", { d->unknown_fields = 1; })
RULE_CASE("STR-019", accepts, unknown_fields_are_not_there, "", { d->unknown_fields = 0; })

RULE_CASE("STR-020", warns, cancel_with_items, "", {
    sample_cancel(&sample);
    d->items = (struct item_list){item, 2};
})
RULE_CASE("STR-020", warns, cancel_with_an_empty_item, "", {
    sample_cancel(&sample);
    item[0] = (struct item){0};
    d->items = (struct item_list){item, 1};
})
RULE_CASE("STR-020", accepts, cancel_without_items, "", { sample_cancel(&sample); })

RULE_CASE("VER-512", rejects, supplementary_without_its_simplified_declaration, "",
          { d->declaration_type = DECLARATION_TYPE_SUPPLEMENTARY; })
RULE_CASE("VER-512", accepts, supplementary_with_its_simplified_declaration, "", {
    d->declaration_type = DECLARATION_TYPE_SUPPLEMENTARY;
    d->previous_declaration_id = TEXT("940720251000000000");
})

static void each_scheme_is_clean(enum scheme scheme)
{
    static struct sample sample;
    sample_start(&sample, scheme);

    sample_expect(&sample, "", "", SEVERITY_OFF);
}

Test(judge_structure, the_base_declaration_of_every_scheme_has_no_finding)
{
    for (int scheme = SCHEME_CN; scheme < SCHEME_COUNT; scheme++)
        each_scheme_is_clean((enum scheme)scheme);
}

/* Every place of a text is looked at, in words and in what is left of them. */
Test(judge_structure, a_control_character_is_found_wherever_it_stands)
{
    static struct sample sample;
    char text[40];
    for (uint32_t length = 1; length <= sizeof text; length++) {
        for (uint32_t at = 0; at<length; at += length> 16 ? 5 : 1) {
            sample_start(&sample, SCHEME_CN);
            memset(text, 'x', sizeof text);
            text[at] = '\x1f';
            sample.items[1].description = (struct text){text, length};
            sample_judge(&sample);

            cr_assert(sample_found(&sample, "STR-013"), "at %u of %u", at, length);
        }
    }
}

Test(judge_structure, items_at_the_hard_limit_are_judged_whole)
{
    static struct sample sample;
    struct item *items = memory_new(DECLARATION_ITEMS_HARD, sizeof *items);
    sample_start(&sample, SCHEME_EU);
    for (uint32_t i = 0; i < DECLARATION_ITEMS_HARD; i++) {
        items[i] = sample_item(&scheme_words[SCHEME_EU], i);
        items[i].item_no = DECLARATION_ITEMS_HARD - i;
    }
    items[5].item_no = items[6].item_no;
    sample.declaration.items = (struct item_list){items, UINT32_MAX};

    sample_judge(&sample);

    cr_expect(sample_found(&sample, "STR-010"));
    const struct finding *finding = sample_found(&sample, "STR-011");
    cr_assert(finding);
    cr_expect_eq(finding->item, 6);
    memory_free(items);
}

/* In memory of exactly its length, so that the address sanitizer sees a read past its end. */
Test(judge_structure, digits_are_told_eight_at_a_time_as_one_by_one)
{
    static const uint8_t others[] = {0x00, 0x20, '0' - 1, '9' + 1, 'A', 0x7F, 0x80, 0xB0, 0xB9, 0xFF};
    cr_assert_not(judge_is_digits((struct text){NULL, 0}));
    for (uint32_t length = 1; length <= 24; length++) {
        char *data = memory_new(length, 1);
        struct text text = {data, length};
        for (uint32_t i = 0; i < length; i++)
            data[i] = (char)('0' + (i + length) % 10);
        cr_assert(judge_is_digits(text) && text_is_digits(text), "%u digits", length);
        for (uint32_t at = 0; at < length; at++) {
            char digit = data[at];
            for (size_t k = 0; k < sizeof others; k++) {
                data[at] = (char)others[k];
                cr_assert_not(judge_is_digits(text), "byte %02X at %u of %u", others[k], at, length);
                cr_assert_not(text_is_digits(text), "byte %02X at %u of %u", others[k], at, length);
            }
            data[at] = digit;
        }
        memory_free(data);
    }
}
