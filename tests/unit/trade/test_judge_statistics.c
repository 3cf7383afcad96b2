/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_case.h"

/* An EU declaration of two items whose procedures are those: of two characters, so that no list of pairs judges them. */
static void procedures(struct sample *sample, const char *first, const char *second)
{
    sample_start(sample, SCHEME_EU);
    sample->items[0].procedure = text_of(first);
    sample->items[1].procedure = text_of(second);
}

static void exports(struct sample *sample, const char *first, const char *second)
{
    sample_start(sample, SCHEME_EU);
    sample_export(sample, "25DE00245212345677", first);
    sample->items[0].hs_code = TEXT("84713000");
    sample->items[1].hs_code = TEXT("72085100");
    sample->items[1].procedure = text_of(second);
}

/* Codes that the lists of the tests need not have. */
static void codes(struct sample *sample, const char *first, const char *second)
{
    sample->options.severity[RULE_HSC_602] = SEVERITY_OFF;
    sample->items[0].hs_code = text_of(first);
    sample->items[1].hs_code = text_of(second);
    for (int i = 0; i < 2; i++) {
        sample->items[i].supp_quantity_micro = 0;
        sample->items[i].supp_unit = TEXT("");
    }
}

RULE_CASE("STA-801", accepts, an_ordinary_trade_mode, "", { d->trade_mode = TEXT("0110"); })
RULE_CASE("STA-801", accepts, free_circulation, "", { procedures(&sample, "40", "40"); })
RULE_CASE("STA-801", accepts, temporary_admission_that_is_switched_off, "", {
    d->trade_mode = TEXT("2600");
    sample.options.severity[RULE_STA_801] = SEVERITY_OFF;
})
RULE_CASE("STA-801", leaves_out, a_temporary_trade_mode, "", { d->trade_mode = TEXT("2600"); })
RULE_CASE("STA-801", leaves_out, temporary_admission_of_one_item, "", { procedures(&sample, "40", "53"); })

RULE_CASE("STA-802", accepts, no_transit, "", { d->scheme = SCHEME_CN; })
RULE_CASE("STA-802", leaves_out, transit_as_a_trade_mode, "", { d->trade_mode = TEXT("TRANSIT"); })
RULE_CASE("STA-802", leaves_out, transit_as_a_procedure, "", {
    BASE(SCHEME_EAEU);
    item[0].procedure = TEXT("80");
})

RULE_CASE("STA-803", accepts, gold_that_is_no_money, "", { codes(&sample, "7108120000", "7118100000"); })
RULE_CASE("STA-803", accepts, banknotes_by_default, "", { codes(&sample, "4907000000", "7208510000"); })
RULE_CASE("STA-803", leaves_out, monetary_gold, "", { codes(&sample, "7108200000", "7208510000"); })
RULE_CASE("STA-803", leaves_out, legal_tender, "", { codes(&sample, "7208510000", "7118900000"); })
RULE_CASE("STA-803", leaves_out, banknotes_where_the_site_says_so, "", {
    codes(&sample, "4907000000", "7208510000");
    sample.options.leaves_banknotes = true;
})
RULE_CASE("STA-803", accepts, a_code_too_short_to_tell, "HSC-601", { item[1].hs_code = TEXT("71082"); })

RULE_CASE("STA-804", accepts, what_is_no_store, "ECM-701", { d->trade_mode = TEXT("1239"); })
RULE_CASE("STA-804", leaves_out, own_stores, "", { d->trade_mode = TEXT("3339"); })

RULE_CASE("STA-805", accepts, a_warehouse_in_general_trade, "", { procedures(&sample, "71", "40"); })
RULE_CASE("STA-805", accepts, release_from_a_warehouse_in_special_trade, "", {
    procedures(&sample, "40", "40");
    sample.options.special_trade = true;
})
RULE_CASE("STA-805", leaves_out, a_warehouse_in_special_trade, "", {
    procedures(&sample, "40", "71");
    sample.options.special_trade = true;
})

RULE_CASE("STA-806", accepts, foreign_origin, "", { item[1].origin_country = TEXT("DE"); })
RULE_CASE("STA-806", accepts, an_export_of_own_goods, "", {
    exports(&sample, "10", "10");
    item[0].origin_country = TEXT("DE");
})
RULE_CASE("STA-806", accepts, a_regime_of_re_import_on_export, "COD-111", { exports(&sample, "10", "61"); })
RULE_CASE("STA-806", reclassifies, own_origin, "", { item[1].origin_country = TEXT("CN"); })
RULE_CASE("STA-806", reclassifies, a_regime_of_re_import, "", { procedures(&sample, "61", "40"); })
RULE_CASE("STA-806", reclassifies, returned_goods_on_import, "", { d->trade_mode = TEXT("4561"); })

RULE_CASE("STA-807", accepts, an_outright_export, "", { exports(&sample, "10", "10"); })
RULE_CASE("STA-807", reclassifies, a_re_export, "", { exports(&sample, "10", "31"); })
RULE_CASE("STA-807", reclassifies, a_re_export_without_a_row_in_the_list, "COD-111", {
    BASE(SCHEME_EAEU);
    d->direction = DIRECTION_EXPORT;
    for (int i = 0; i < 2; i++)
        item[i].destination_country = TEXT("CN");
    item[0].procedure = TEXT("10");
    item[1].procedure = TEXT("31");
    sample.options.severity[RULE_COD_111] = SEVERITY_WARN;
})
RULE_CASE("STA-807", reclassifies, returned_goods_on_export, "", {
    sample_export(&sample, "940720250000000001", "1");
    d->trade_mode = TEXT("4561");
})

RULE_CASE("STA-808", accepts, released_in_cn, "", { d->status = STATUS_RELEASED; })
RULE_CASE("STA-808", accepts, accepted_elsewhere, "", {
    BASE(SCHEME_EU);
    d->status = STATUS_ACCEPTED;
})
RULE_CASE("STA-808", accepts, accepted_in_cn_where_that_is_enough, "", {
    d->status = STATUS_ACCEPTED;
    sample.options.count_status = COUNT_ACCEPTED;
})
RULE_CASE("STA-808", leaves_out, accepted_in_cn, "", { d->status = STATUS_ACCEPTED; })
RULE_CASE("STA-808", leaves_out, accepted_elsewhere_where_release_is_wanted, "", {
    BASE(SCHEME_EU);
    d->status = STATUS_ACCEPTED;
    sample.options.count_status = COUNT_RELEASED;
})
RULE_CASE("STA-808", leaves_out, refused_anywhere, "", {
    BASE(SCHEME_KR);
    d->status = STATUS_REFUSED;
    sample.options.count_status = COUNT_ACCEPTED;
})

RULE_CASE("STA-809", accepts, returned_goods_by_default, "", { d->nature_of_transaction = 21; })
RULE_CASE("STA-809", accepts, a_purchase_where_returns_are_netted, "", {
    d->nature_of_transaction = 11;
    sample.options.nets_returns = true;
})
RULE_CASE("STA-809", leaves_out, returned_goods_by_their_nature, "", {
    d->nature_of_transaction = 2;
    sample.options.nets_returns = true;
})
RULE_CASE("STA-809", leaves_out, returned_goods_by_their_regime, "", {
    d->trade_mode = TEXT("4561");
    sample.options.nets_returns = true;
})

/* ---- what becomes of the items ---- */

static struct sample sample;

/* The classes of the items, a letter each: c counted, r returns, o outside. */
static void expect_classes(const char *classes)
{
    struct err_info info = {""};
    struct rules *rules = NULL;
    struct reference *reference = case_reference();
    cr_assert_eq(rules_new(&sample.options, reference, &rules, &info), OK, "%s", info.text);
    rules_judge(rules, &sample.declaration, &sample.context, &sample.findings);
    cr_expect(!sample.findings.reject);
    cr_expect(!sample.findings.warned_items, "what STA finds is no warning");
    cr_expect_eq(sample.findings.apart, strspn(classes, "c") < strlen(classes), "%s", classes);
    cr_expect_eq(sample.findings.not_counted, strspn(classes, "o") == strlen(classes), "%s", classes);
    cr_assert_eq(sample.declaration.items.count, strlen(classes));
    for (uint32_t i = 0; classes[i]; i++)
        cr_expect_eq("cro"[rules_item_class(rules, &sample.declaration, i)], classes[i], "item %u of %s", i, classes);
    rules_free(rules);
    reference_free(reference);
}

Test(judge_statistics, clean_items_are_counted)
{
    sample_start(&sample, SCHEME_CN);
    expect_classes("cc");
}

Test(judge_statistics, each_item_has_its_own_class)
{
    procedures(&sample, "40", "53");
    expect_classes("co");
    procedures(&sample, "53", "61");
    expect_classes("or");
    cr_expect_eq(sample.findings.count, 2);
    cr_expect_eq(sample.findings.list[0].rule, RULE_STA_801);
    cr_expect_eq(sample.findings.list[0].item, 0);
    cr_expect_eq(sample.findings.list[1].rule, RULE_STA_806);
    cr_expect_eq(sample.findings.list[1].item, 1);
}

Test(judge_statistics, what_is_left_out_is_not_reclassified_too)
{
    sample_start(&sample, SCHEME_CN);
    sample.declaration.trade_mode = TEXT("2600");
    sample.items[1].origin_country = TEXT("CN");
    expect_classes("oo");
    cr_expect_eq(sample.findings.count, 1);
    cr_expect_eq(sample.findings.list[0].rule, RULE_STA_801);
    cr_expect_eq(sample.findings.list[0].item, -1, "a trade mode is one of the whole declaration");
    cr_expect_str_eq(sample.findings.list[0].field, "trade_mode");
}

Test(judge_statistics, a_rule_that_is_off_takes_nothing_out)
{
    procedures(&sample, "53", "61");
    sample.options.severity[RULE_STA_801] = SEVERITY_OFF;
    expect_classes("cr");
    sample.options.severity[RULE_STA_806] = SEVERITY_OFF;
    expect_classes("cc");
}

Test(judge_statistics, returns_are_netted_or_counted_in_a_flow_of_their_own)
{
    sample_start(&sample, SCHEME_CN);
    sample.declaration.trade_mode = TEXT("4561");
    expect_classes("rr");
    sample.options.nets_returns = true;
    expect_classes("oo");
}

Test(judge_statistics, more_items_than_findings_are_kept_have_their_classes)
{
    enum { COUNT = 100 };
    sample_start(&sample, SCHEME_EU);
    sample_items(&sample, COUNT);
    char classes[COUNT + 1] = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        sample.items[i].procedure = i % 10 ? TEXT("53") : TEXT("40");
        classes[i] = i % 10 ? 'o' : 'c';
    }
    expect_classes(classes);
    cr_expect_eq(sample.findings.count, FINDINGS_MOST);
}

Test(judge_statistics, a_cancel_and_a_rejected_declaration_are_not_looked_at)
{
    sample_start(&sample, SCHEME_CN);
    sample.declaration.trade_mode = TEXT("2600");
    sample.declaration.office_code = TEXT("");
    sample_judge(&sample);
    cr_expect(sample.findings.reject && !sample.findings.apart);

    sample_start(&sample, SCHEME_CN);
    sample.declaration.trade_mode = TEXT("2600");
    sample.declaration.function = FUNCTION_CANCEL;
    sample_judge(&sample);
    cr_expect(!sample.findings.reject && !sample.findings.apart);
}

Test(judge_statistics, a_status_that_is_absent_decides_nothing)
{
    sample_start(&sample, SCHEME_CN);
    sample.declaration.status = STATUS_UNSPECIFIED;
    sample.options.severity[RULE_STR_012] = SEVERITY_OFF;
    expect_classes("cc");
}

static void refused(enum rule rule, enum severity severity)
{
    sample_start(&sample, SCHEME_CN);
    sample.options.severity[rule] = severity;
    struct err_info info = {""};
    struct rules *rules = NULL;
    struct reference *reference = case_reference();
    cr_expect_eq(rules_new(&sample.options, reference, &rules, &info), ERR_CONFIG);
    cr_expect(strstr(info.text, rule_rows[rule].code), "%s", info.text);
    reference_free(reference);
}

Test(judge_statistics, its_severities_belong_to_its_rules_alone)
{
    refused(RULE_STA_801, SEVERITY_REJECT);
    refused(RULE_STA_806, SEVERITY_NOT_COUNTED);
    refused(RULE_COD_104, SEVERITY_NOT_COUNTED);
}
