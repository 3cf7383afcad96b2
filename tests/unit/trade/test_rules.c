/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/rule_case.h"

static struct rules_options options_cn(void)
{
    return rules_default_options(case_zone());
}

/* Rules over the test's lists; shares reference. */
static struct rules *rules_of(const struct rules_options *options, const struct reference *reference)
{
    struct err_info info = {""};
    struct rules *rules = NULL;
    cr_assert_eq(rules_new(options, reference, &rules, &info), OK, "%s", info.text);
    return rules;
}

static void refused(const struct rules_options *options, const char *what)
{
    struct err_info info = {""};
    struct rules *rules = NULL;
    struct reference *reference = case_reference();

    cr_expect_eq(rules_new(options, reference, &rules, &info), ERR_CONFIG);
    cr_expect(strstr(info.text, what), "%s", info.text);
    cr_expect_null(rules);
    reference_free(reference);
}

Test(rules, a_reporter_that_is_no_country_code_is_refused)
{
    struct rules_options options = options_cn();
    memcpy(options.reporter, "cn", 3);

    refused(&options, "reporter=cn");
}

Test(rules, a_reporting_currency_that_is_no_currency_code_is_refused)
{
    struct rules_options options = options_cn();
    memcpy(options.reporting_currency, "CN", 3);

    refused(&options, "reporting.currency=CN");
}

Test(rules, the_severity_of_a_verdict_cannot_be_set)
{
    struct rules_options options = options_cn();
    options.severity[RULE_VER_501] = SEVERITY_WARN;

    refused(&options, "VER-501");
}

Test(rules, an_unknown_code_is_no_rule)
{
    cr_expect_eq(rule_by_code(TEXT("STR-999")), RULE_COUNT);
    cr_expect_eq(rule_by_code(TEXT("")), RULE_COUNT);
}

Test(rules, every_code_is_found_once_and_its_row_is_whole)
{
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        const struct rule_row *row = &rule_rows[rule];
        cr_expect_eq(rule_by_code(text_of(row->code)), (enum rule)rule);
        cr_expect_eq(strlen(row->code), 7);
        cr_expect_eq(row->severity == SEVERITY_OFF, strcmp(row->needs, "cross-id") == 0, "%s", row->code);
        cr_expect(strlen(row->text) > 20 && strlen(row->fields) && strlen(row->needs) && strlen(row->source), "%s",
                  row->code);
    }
}

Test(rules, a_rule_without_its_file_is_off_and_says_why)
{
    struct err_info info = {""};
    struct reference *nothing = NULL;
    cr_assert_eq(reference_load(NULL, NULL, &nothing, &info), OK);
    struct rules_options options = options_cn();
    struct rules *rules = rules_of(&options, nothing);

    cr_expect_str_eq(rules_off_reason(rules, RULE_COD_101), "needs offices.csv, which is not in reference.dir");
    cr_expect_str_eq(rules_off_reason(rules, RULE_HSC_602), "needs hs2017.csv, which is not in reference.dir");
    cr_expect_eq(rules_severity(rules, RULE_COD_105), SEVERITY_OFF);
    cr_expect_null(rules_off_reason(rules, RULE_STR_004));
    cr_expect_eq(rules_severity(rules, RULE_STR_004), SEVERITY_REJECT);
    rules_free(rules);
    reference_free(nothing);
}

Test(rules, without_any_list_a_declaration_full_of_unknown_codes_is_only_judged_by_itself)
{
    static struct sample sample;
    struct err_info info = {""};
    struct reference *nothing = NULL;
    cr_assert_eq(reference_load(NULL, NULL, &nothing, &info), OK);
    sample_start(&sample, SCHEME_CN);
    sample.declaration.office_code = TEXT("9407");
    sample.declaration.invoice_currency = TEXT("QQQ");
    sample.declaration.incoterm = TEXT("QQQ");
    sample.declaration.trade_mode = TEXT("Q");
    sample.items[0].origin_country = TEXT("QQ");
    sample.items[0].supp_unit = TEXT("QQQ");
    sample.items[0].hs_code = TEXT("0000000000");
    struct rules *rules = rules_of(&sample.options, nothing);

    rules_judge(rules, &sample.declaration, &sample.context, &sample.findings);

    cr_expect_eq(sample.findings.count, 0);
    rules_free(rules);
    reference_free(nothing);
}

Test(rules, a_rule_set_to_off_finds_nothing_and_says_why)
{
    static struct sample sample;
    struct reference *reference = case_reference();
    sample_start(&sample, SCHEME_CN);
    sample.options.severity[RULE_STR_008] = SEVERITY_OFF;
    sample.options.severity[RULE_STR_017] = SEVERITY_OFF;
    sample.declaration.office_code = TEXT("");
    struct rules *rules = rules_of(&sample.options, reference);

    rules_judge(rules, &sample.declaration, &sample.context, &sample.findings);

    cr_expect_eq(sample.findings.count, 0);
    cr_expect_str_eq(rules_off_reason(rules, RULE_STR_008), "set to off by rules.severity.STR-008");
    rules_free(rules);
    reference_free(reference);
}

Test(rules, a_reject_rule_that_is_set_to_warn_warns)
{
    static struct sample sample;
    sample_start(&sample, SCHEME_CN);
    sample.options.severity[RULE_STR_008] = SEVERITY_WARN;
    sample.declaration.office_code = TEXT("");

    sample_judge(&sample);

    cr_assert_eq(sample.findings.count, 1);
    cr_expect_eq(sample.findings.list[0].severity, SEVERITY_WARN);
    cr_expect_not(sample.findings.reject);
    cr_expect(sample.findings.warned_items);
}

Test(rules, a_warning_that_is_set_to_reject_rejects)
{
    static struct sample sample;
    sample_start(&sample, SCHEME_CN);
    sample.options.severity[RULE_HSC_610] = SEVERITY_REJECT;
    sample.items[0].description = TEXT("");

    sample_judge(&sample);

    cr_expect(sample.findings.reject);
    cr_expect_not(sample.findings.warned_items);
}

Test(rules, findings_come_in_rule_order_with_their_place)
{
    static struct sample sample;
    char path[64];
    sample_start(&sample, SCHEME_CN);
    sample.items[0].description = TEXT("");
    sample.items[1].net_mass_mg = 0;
    sample.items[1].description = TEXT("");
    sample.declaration.office_code = TEXT("");
    sample.declaration.unknown_fields = 3;

    sample_judge(&sample);

    static const char *const expected[] = {"office_code", "-", "items[1].net_mass_mg", "items[0].description",
                                           "items[1].description"};
    cr_assert_eq(sample.findings.count, 5);
    for (uint32_t i = 0; i < 5; i++)
        cr_expect_str_eq(finding_path(&sample.findings.list[i], path, sizeof path), expected[i]);
}

Test(rules, findings_beyond_the_limit_are_counted_and_still_reject)
{
    static struct sample sample;
    sample_start(&sample, SCHEME_EU);
    sample_items(&sample, 200);
    for (uint32_t i = 0; i < 200; i++)
        sample.items[i].description = TEXT("");
    sample.items[199].net_mass_mg = 0;
    sample.items[199].hs_code = TEXT("1");

    sample_judge(&sample);

    cr_expect_eq(sample.findings.count, FINDINGS_MOST);
    cr_expect_eq(sample.findings.count + sample.findings.unkept, 202);
    cr_expect(sample.findings.reject);
}

Test(rules, a_reject_beyond_the_limit_takes_the_place_of_a_warning)
{
    struct rules_options options = options_cn();
    struct reference *reference = case_reference();
    struct rules *rules = rules_of(&options, reference);
    struct findings findings;
    findings_clear(&findings);
    for (int i = 0; i < FINDINGS_MOST; i++)
        rules_add(rules, &findings, RULE_VER_504, i, "version");

    rules_add(rules, &findings, RULE_STR_013, 70, "hs_code");

    cr_expect_eq(findings.count, FINDINGS_MOST);
    cr_expect_eq(findings.unkept, 1);
    cr_expect(findings.reject);
    cr_expect_eq(findings.list[0].rule, RULE_STR_013, "in rule order");
    cr_expect_eq(findings.list[FINDINGS_MOST - 1].item, FINDINGS_MOST - 2, "the last warning has gone");
    for (int i = 0; i < FINDINGS_MOST; i++)
        rules_add(rules, &findings, RULE_STR_008, -1, "office_code");
    cr_expect_eq(findings.list[FINDINGS_MOST - 1].rule, RULE_STR_013, "among rejects the first stay");
    cr_expect_eq(findings.count, FINDINGS_MOST);
    rules_free(rules);
    reference_free(reference);
}

Test(rules, a_finding_of_the_caller_stands_in_its_place)
{
    static struct sample sample;
    sample_start(&sample, SCHEME_CN);
    sample.items[0].description = TEXT("");
    sample.add = RULE_VER_504;

    sample_judge(&sample);

    cr_assert_eq(sample.findings.count, 2);
    cr_expect_eq(sample.findings.list[0].rule, RULE_VER_504);
}

Test(rules, a_ledger_warning_alone_warns_no_items)
{
    static struct sample sample;
    sample_start(&sample, SCHEME_CN);
    sample.add = RULE_VER_504;

    sample_judge(&sample);

    cr_expect_eq(sample.findings.count, 1);
    cr_expect_not(sample.findings.warned_items);
    cr_expect_not(sample.findings.reject);
}

Test(rules, a_verdict_is_no_finding)
{
    static struct sample sample;
    sample_start(&sample, SCHEME_CN);
    sample.add = RULE_VER_501;

    sample_judge(&sample);

    cr_expect_eq(sample.findings.count, 0);
}

Test(rules, the_hash_knows_severities_lists_and_options)
{
    struct reference *reference = case_reference();
    struct rules_options options = options_cn();
    struct rules *plain = rules_of(&options, reference);
    struct rules *same = rules_of(&options, reference);
    options.severity[RULE_HSC_604] = SEVERITY_WARN;
    struct rules *warned = rules_of(&options, reference);
    options = options_cn();
    memcpy(options.reporter, "KZ", 3);
    struct rules *other = rules_of(&options, reference);
    options = options_cn();
    options.lenient = true;
    struct rules *lenient = rules_of(&options, reference);

    cr_expect_eq(rules_hash(plain), rules_hash(same));
    cr_expect_neq(rules_hash(plain), rules_hash(warned));
    cr_expect_neq(rules_hash(plain), rules_hash(other));
    cr_expect_neq(rules_hash(plain), rules_hash(lenient));
    rules_free(plain);
    rules_free(same);
    rules_free(warned);
    rules_free(other);
    rules_free(lenient);
    reference_free(reference);
}

Test(rules, the_lenient_profile_warns_of_layouts_only)
{
    enum severity strict[RULE_COUNT];
    enum severity lenient[RULE_COUNT];
    rules_default_severities(false, strict);
    rules_default_severities(true, lenient);

    for (int rule = 0; rule < RULE_COUNT; rule++) {
        bool layout = rule == RULE_STR_015 || rule == RULE_STR_016 || rule == RULE_STR_017;
        cr_expect_eq(lenient[rule], layout ? SEVERITY_WARN : strict[rule], "%s", rule_rows[rule].code);
    }
}

Test(rules, a_path_is_cut_to_its_room)
{
    char path[8];
    struct finding finding = {.item = 12, .field = "hs_code"};

    cr_expect_str_eq(finding_path(&finding, path, sizeof path), "items[1");
}

Test(rules, a_rule_whose_setting_is_empty_says_which)
{
    static const struct {
        enum rule rule;
        const char *key;
    } rows[] = {{RULE_CRE_305, "rules.gift.regimes"},
                {RULE_HSC_611, "rules.unspecified.value"},
                {RULE_HSC_613, "rules.plant.documents"}};
    struct rules_options options = options_cn();
    struct reference *reference = case_reference();
    struct rules *rules = rules_of(&options, reference);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *why = rules_off_reason(rules, rows[i].rule);
        cr_assert(why);
        cr_expect(strstr(why, rows[i].key), "%s", why);
    }
    rules_free(rules);

    options.gift_regimes = "3339";
    options.unspecified_value = 1;
    options.plant_documents = "C085";
    rules = rules_of(&options, reference);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_null(rules_off_reason(rules, rows[i].rule));
    rules_free(rules);
    reference_free(reference);
}

Test(rules, settings_of_time_and_thresholds_are_part_of_the_hash)
{
    struct reference *reference = case_reference();
    struct rules_options options = options_cn();
    struct rules_options other[6];
    struct rules *rules = rules_of(&options, reference);
    uint64_t hash = rules_hash(rules);
    rules_free(rules);
    for (int i = 0; i < 6; i++)
        other[i] = options;
    other[0].provisional_days = 6;
    other[1].month_first = 202001;
    other[2].future_bound_ms = 1;
    other[3].gift_regimes = "3339";
    other[4].plant_documents = "3339";
    other[5].unspecified_value = 1;

    for (int i = 0; i < 6; i++) {
        rules = rules_of(&other[i], reference);
        cr_expect_neq(rules_hash(rules), hash, "%d", i);
        rules_free(rules);
    }
    reference_free(reference);
}

Test(rules, wrong_settings_are_refused_with_their_key)
{
    struct rules_options options = options_cn();
    options.month_first = 202013;
    refused(&options, "month.first");
    options = options_cn();
    options.gift_regimes = "3339,TOO-LONG-A-CODE";
    refused(&options, "rules.gift.regimes");
    options = options_cn();
    options.plant_documents = "A,,B";
    refused(&options, "rules.plant.documents");
}
