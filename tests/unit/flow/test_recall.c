/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/recall.h"

#include "desk_fixture.h"

#define HOUR INT64_C(3600000)

static struct desk desk;
static struct rules *rules;
static struct recall *recall;
static struct sample sample;
static struct findings findings;

static void setup(void)
{
    struct err_info info;
    desk_init(&desk);
    struct rules_options options = rules_default_options(desk.f.zone);
    static const enum rule on[] = {RULE_CRE_308, RULE_VER_510, RULE_VER_511, RULE_ECM_704};
    for (size_t i = 0; i < sizeof on / sizeof on[0]; i++)
        options.severity[on[i]] = SEVERITY_WARN;
    options.new_origin_value = 1000;
    cr_assert_eq(rules_new(&options, desk.f.reference, &rules, &info), OK, "%s", info.text);
    recall = recall_new(rules);
    cr_assert(recall);
}

static void teardown(void)
{
    recall_free(recall);
    rules_free(rules);
    desk_fini(&desk);
}

TestSuite(recall, .init = setup, .fini = teardown);

static void begin(const char *id)
{
    sample_init(&sample, id);
    sample.items[0].statistical_value_minor = 100; /* no new origin */
    sample.items[0].customs_value_minor = 100;
}

static int count_of(enum rule rule)
{
    int count = 0;
    for (uint32_t i = 0; i < findings.count; i++)
        count += findings.list[i].rule == rule;
    return count;
}

/* How often the rule is found in the sample as it stands. */
static int found(enum rule rule)
{
    findings_clear(&findings);
    recall_judge(recall, rules, &sample.declaration, true, &findings);
    return count_of(rule);
}

Test(recall, VER_510_an_lrn_comes_again_within_48_hours)
{
    begin("A");
    sample.declaration.lrn = TEXT("L1");
    cr_expect_eq(found(RULE_VER_510), 0);
    cr_expect_eq(found(RULE_VER_510), 0, "its own later version");

    begin("B");
    sample.declaration.lrn = TEXT("L1");
    sample.declaration.accepted_at_ms += 48 * HOUR;
    cr_expect_eq(found(RULE_VER_510), 1);
    cr_expect_eq(findings.list[0].severity, SEVERITY_WARN);
}

Test(recall, VER_510_an_lrn_of_another_time_or_declarant_is_none)
{
    begin("A");
    sample.declaration.lrn = TEXT("L1");
    found(RULE_VER_510);

    begin("B");
    sample.declaration.lrn = TEXT("L1");
    sample.declaration.declarant_id = TEXT("DECLARANT2");
    cr_expect_eq(found(RULE_VER_510), 0);
    begin("C");
    sample.declaration.lrn = TEXT("L1");
    sample.declaration.accepted_at_ms += 48 * HOUR + 1;
    cr_expect_eq(found(RULE_VER_510), 0);
    begin("D");
    sample.declaration.lrn = TEXT("");
    cr_expect_eq(found(RULE_VER_510) + found(RULE_VER_510), 0);
}

Test(recall, VER_511_the_same_goods_under_another_id)
{
    begin("A");
    cr_expect_eq(found(RULE_VER_511), 0);
    cr_expect_eq(found(RULE_VER_511), 0, "its own later version");
    begin("B");
    cr_expect_eq(found(RULE_VER_511), 1);
}

Test(recall, VER_511_other_goods_under_another_id)
{
    begin("A");
    found(RULE_VER_511);
    begin("B");
    sample.items[0].net_mass_mg++;
    cr_expect_eq(found(RULE_VER_511), 0);
    begin("C");
    sample.declaration.reference_date++;
    cr_expect_eq(found(RULE_VER_511), 0);
    begin("D");
    sample.declaration.trader_id = TEXT("TRADER2");
    cr_expect_eq(found(RULE_VER_511), 0);
}

Test(recall, CRE_308_goods_from_an_origin_that_was_not_seen)
{
    begin("A");
    sample.items[0].statistical_value_minor = 100001;
    cr_expect_eq(found(RULE_CRE_308), 1);
    sample.declaration.reference_date += 20000;
    cr_expect_eq(found(RULE_CRE_308), 0, "24 months later");
    sample.declaration.reference_date += 20001;
    cr_expect_eq(found(RULE_CRE_308), 1, "24 months and a day later");
    sample.items[0].origin_country = TEXT("DE");
    cr_expect_eq(found(RULE_CRE_308), 1);
}

Test(recall, CRE_308_a_small_value_makes_an_origin_known)
{
    begin("A");
    sample.items[0].statistical_value_minor = 100000;
    cr_expect_eq(found(RULE_CRE_308), 0, "1,000.00 is not above the threshold");
    sample.items[0].statistical_value_minor = 100001;
    cr_expect_eq(found(RULE_CRE_308), 0);
}

Test(recall, ECM_704_a_buyer_spends_more_than_26000_in_a_year)
{
    begin("A");
    sample.declaration.buyer_hash = 77;
    sample.items[0].statistical_value_minor = 1300000;
    cr_expect_eq(found(RULE_ECM_704), 0);
    cr_expect_eq(found(RULE_ECM_704), 0, "26,000.00 are not more");
    sample.items[0].statistical_value_minor = 1;
    cr_expect_eq(found(RULE_ECM_704), 1);
}

Test(recall, ECM_704_another_year_buyer_or_version_is_not_added)
{
    begin("A");
    sample.declaration.buyer_hash = 77;
    sample.items[0].statistical_value_minor = 2600000;
    cr_expect_eq(found(RULE_ECM_704), 0);
    recall_judge(recall, rules, &sample.declaration, false, &findings);
    cr_expect_eq(count_of(RULE_ECM_704), 0, "a replacement");
    sample.declaration.reference_date += 10000;
    cr_expect_eq(found(RULE_ECM_704), 0);
    sample.declaration.buyer_hash = 78;
    cr_expect_eq(found(RULE_ECM_704), 0);
    sample.declaration.buyer_hash = 0;
    cr_expect_eq(found(RULE_ECM_704) + found(RULE_ECM_704), 0);
}

Test(recall, a_cancel_leaves_no_trace)
{
    begin("A");
    sample_cancel(&sample, 2);
    sample.declaration.lrn = TEXT("L1");
    sample.declaration.declarant_id = TEXT("DECLARANT1");
    recall_judge(recall, rules, &sample.declaration, true, &findings);
    begin("B");
    sample.declaration.lrn = TEXT("L1");
    cr_expect_eq(found(RULE_VER_510), 0);
}

Test(recall, the_oldest_trace_of_a_bucket_makes_room)
{
    char lrn[16];
    for (int i = 0; i < 4 * RECALL_TRACES; i++) {
        begin("A");
        snprintf(lrn, sizeof lrn, "L%d", i);
        sample.declaration.lrn = text_of(lrn);
        sample.declaration.accepted_at_ms += i;
        cr_assert_eq(found(RULE_VER_510), 0);
    }
    begin("B");
    sample.declaration.lrn = text_of(lrn);
    sample.declaration.accepted_at_ms += 4 * RECALL_TRACES;
    cr_expect_eq(found(RULE_VER_510), 1, "the last one is still there");
}

Test(recall, as_shipped_nothing_is_recalled)
{
    cr_expect_null(recall_new(desk.f.rules));
    cr_expect(recall_owns(308) && recall_owns(510) && recall_owns(511) && recall_owns(704));
    cr_expect_not(recall_owns(411) || recall_owns(509) || recall_owns(0));
}

Test(recall, VER_511_a_partition_warns_and_marks_no_items)
{
    struct recall *own = recall_new(rules);
    desk.partition.recall = own;
    struct ruleset with = *desk.partition.ruleset;
    with.rules = rules;
    desk.partition.ruleset = &with;
    begin("A");
    desk_put(&desk, &sample);
    begin("B");
    desk_put(&desk, &sample);

    cr_expect_eq(desk.partition.state.verdicts[VERDICT_COUNTED], 2);
    cr_expect_eq(desk.partition.open.group->counts.warnings[511], 1);
    cr_expect_not(desk.context.fresh.warned);
}
