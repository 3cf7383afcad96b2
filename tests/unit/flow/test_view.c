/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/view.h"

#include <criterion/criterion.h>
#include <stdio.h>

static enum err add(struct view_plan *plan, const char *name, const char *definition, struct err_info *info)
{
    return view_plan_add(plan, text_of(name), text_of(definition), info);
}

/* "NAME=DEFINITION NAME=DEFINITION", not finished. */
static struct view_plan plan_of(const char *views)
{
    struct view_plan plan = {0};
    struct err_info info = {""};
    for (struct text rest = text_of(views); rest.length > 0;) {
        struct text definition = text_cut(&rest, ' ');
        struct text name = text_cut(&definition, '=');
        cr_assert_eq(view_plan_add(&plan, name, definition, &info), OK, "%s", info.text);
    }
    return plan;
}

Test(view, defaults_are_nine_of_which_six_are_leaves)
{
    struct view_plan plan;
    view_plan_default(&plan);

    uint32_t leaves = 0;
    for (uint32_t i = 0; i < plan.count; i++)
        leaves += plan.views[i].leaf == i;

    cr_assert_eq(plan.count, 9);
    cr_assert_eq(leaves, 6);
    cr_assert_str_eq(plan.views[plan.views[view_plan_find(&plan, TEXT("flow"))].leaf].name, "trade_mode");
    cr_assert_str_eq(plan.views[plan.views[view_plan_find(&plan, TEXT("chapter"))].leaf].name, "commodity");
    cr_assert_str_eq(plan.views[plan.views[view_plan_find(&plan, TEXT("heading"))].leaf].name, "commodity");
}

Test(view, derivation_ends_at_a_leaf_through_a_chain)
{
    struct view_plan plan = plan_of("a=hs2,flow@month b=hs4,partner,flow@month c=hs6,partner,office,flow@day");
    view_plan_finish(&plan);

    cr_assert_eq(plan.views[0].leaf, 2);
    cr_assert_eq(plan.views[1].leaf, 2);
    cr_assert_eq(plan.views[2].leaf, 2);
    cr_assert(plan.views[2].has_derived);
}

Test(view, a_day_view_does_not_derive_from_months)
{
    struct view_plan plan = plan_of("days=flow@day months=flow,partner@month");
    view_plan_finish(&plan);

    cr_assert_eq(plan.views[0].leaf, 0);
}

Test(view, of_two_equal_views_the_first_is_the_leaf)
{
    struct view_plan plan = plan_of("one=flow@day two=flow@day");
    view_plan_finish(&plan);

    cr_assert_eq(plan.views[0].leaf, 0);
    cr_assert_eq(plan.views[1].leaf, 0);
}

struct bad {
    const char *definition;
    const char *says;
};

Test(view, bad_definitions_name_the_mend)
{
    static const struct bad bads[] = {
        {"", "has no dimension"},
        {"@day", "has no dimension"},
        {"colour@day", "unknown dimension"},
        {"flow,flow@day", "stands twice"},
        {"hs2,hs4@month", "in one view"},
        {"flow", "grain"},
        {"flow@week", "grain"},
        {"trade_class,flow,trade_mode@day", "trade_mode and trade_class in one view"},
        {"partner,partner_group@day", "partner and partner_group in one view"},
        {"partner_group,partner_group@day", "stands twice"},
    };
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        struct view_plan plan = {0};
        struct err_info info = {""};
        cr_assert_eq(add(&plan, "x", bads[i].definition, &info), ERR_CONFIG, "%s", bads[i].definition);
        cr_assert(strstr(info.text, bads[i].says), "%s: %s", bads[i].definition, info.text);
        cr_assert_eq(plan.count, 0);
    }
}

Test(view, names_are_unique_and_bounded)
{
    struct err_info info;
    struct view_plan plan = plan_of("x=flow@day");
    cr_assert_eq(add(&plan, "x", "flow@day", &info), ERR_CONFIG);
    cr_assert_eq(add(&plan, "", "flow@day", &info), ERR_CONFIG);
    cr_assert_eq(add(&plan, "a_name_that_is_longer_than_31_bytes", "flow@day", &info), ERR_CONFIG);
}

Test(view, one_view_too_many_is_refused)
{
    struct view_plan plan = {0};
    struct err_info info;
    for (int i = 0; i < VIEWS_MOST; i++) {
        char name[8];
        snprintf(name, sizeof name, "v%d", i);
        cr_assert_eq(add(&plan, name, "flow@day", NULL), OK);
    }
    cr_assert_eq(add(&plan, "last", "flow@day", &info), ERR_CONFIG);
}

Test(view, publish_lists_what_the_grain_has)
{
    struct err_info info;
    struct view_plan plan = plan_of("d=flow@day m=flow,mode@month");

    cr_assert_eq(view_plan_option(&plan, TEXT("d"), TEXT("publish"), TEXT("month"), &info), OK);
    cr_assert_eq(plan.views[0].publish, 1u << PERIOD_MONTH);
    cr_assert_eq(view_plan_option(&plan, TEXT("m"), TEXT("publish"), TEXT("day"), &info), ERR_CONFIG);
    cr_assert_eq(view_plan_option(&plan, TEXT("m"), TEXT("publish"), TEXT("month,7d"), &info), ERR_CONFIG);
    cr_assert_eq(view_plan_option(&plan, TEXT("d"), TEXT("publish"), TEXT("week"), &info), ERR_CONFIG);
    cr_assert(strstr(info.text, "day,month,quarter,year,ytd,7d,30d,12m"), "%s", info.text);
    cr_assert_eq(view_plan_option(&plan, TEXT("d"), TEXT("publish"), TEXT("7d"), &info), OK);
    cr_assert(!view_keeps_months(&plan.views[0]), "what is a sum of days needs no months");
    cr_assert_eq(view_plan_option(&plan, TEXT("d"), TEXT("publish"), TEXT("day, ytd"), &info), OK);
    cr_assert(view_keeps_months(&plan.views[0]));
    cr_assert(!view_publishes(&plan.views[0], PERIOD_MONTH));
    cr_assert_eq(view_plan_option(&plan, TEXT("m"), TEXT("publish"), TEXT("month,quarter,year,ytd,12m"), &info), OK);
    cr_assert_eq(
        view_plan_option(&plan, TEXT("d"), TEXT("publish"), TEXT("day,month,quarter,year,ytd,7d,30d,12m"), &info), OK);
    cr_assert_eq(plan.views[0].publish, ((1u << PERIODS) - 1) & ~(1u << PERIOD_HOUR | 1u << PERIOD_24H));
    cr_assert_eq(view_plan_option(&plan, TEXT("d"), TEXT("colour"), TEXT("red"), &info), ERR_CONFIG);
    cr_assert_eq(view_plan_option(&plan, TEXT("z"), TEXT("publish"), TEXT("day"), &info), ERR_CONFIG);
}

Test(view, hash_changes_with_what_decides_a_sum)
{
    struct view_plan a = {0};
    struct view_plan b = {0};
    struct view_plan c = {0};
    cr_assert_eq(add(&a, "x", "flow,mode@day", NULL), OK);
    cr_assert_eq(add(&b, "x", "mode,flow@day", NULL), OK);
    cr_assert_eq(add(&c, "x", "flow,mode@month", NULL), OK);

    cr_assert_neq(view_plan_hash(&a), view_plan_hash(&b));
    cr_assert_neq(view_plan_hash(&a), view_plan_hash(&c));
    cr_assert_eq(view_plan_hash(&a), view_plan_hash(&a));
}

/* Every code has six digits, not every one has ten: a chapter can't be summed from cells that show a six-digit code as
 * none. */
Test(view, codes_of_six_digits_and_less_do_not_derive_from_eight_or_ten)
{
    struct view_plan plan =
        plan_of("fine=hs10,flow@month chapter=hs2,flow@month subheading=hs6,flow@month flow=flow@month");
    view_plan_finish(&plan);

    cr_assert_eq(plan.views[1].leaf, 2);
    cr_assert_eq(plan.views[2].leaf, 2);
    cr_assert_neq(plan.views[3].leaf, 3, "no code is needed for this one");
}

Test(view, a_view_by_hour_has_hours_and_their_windows_and_derives_from_hours_alone)
{
    struct err_info info;
    struct view_plan plan = plan_of("d=office,flow@day h=office,flow@hour f=flow@hour m=flow@month");
    view_plan_finish(&plan);

    cr_assert_eq(plan.views[1].publish, 1u << PERIOD_HOUR);
    cr_assert_eq(plan.views[1].leaf, 1);
    cr_assert_eq(plan.views[2].leaf, 1);
    cr_assert_eq(plan.views[3].leaf, 0, "no month is made of hours");
    cr_assert_eq(view_plan_option(&plan, TEXT("h"), TEXT("publish"), TEXT("hour,24h,7d"), &info), OK);
    cr_assert(!view_keeps_months(&plan.views[1]));
    cr_assert_eq(view_plan_option(&plan, TEXT("h"), TEXT("publish"), TEXT("day"), &info), ERR_CONFIG);
    cr_assert(strstr(info.text, "hour,24h,7d"), "%s", info.text);
    cr_assert_eq(view_plan_option(&plan, TEXT("d"), TEXT("publish"), TEXT("24h"), &info), ERR_CONFIG);
}

Test(view, all_flows_together_stand_in_views_with_a_flow_unless_refused)
{
    struct err_info info;
    struct view_plan plan = plan_of("f=flow@day m=mode@month");
    uint64_t with = view_plan_hash(&plan);

    cr_assert(plan.views[0].total);
    cr_assert(!plan.views[1].total);
    cr_assert_eq(view_plan_option(&plan, TEXT("f"), TEXT("total"), TEXT("maybe"), &info), ERR_CONFIG);
    cr_assert_eq(view_plan_option(&plan, TEXT("m"), TEXT("total"), TEXT("yes"), &info), ERR_CONFIG);
    cr_assert_eq(view_plan_option(&plan, TEXT("m"), TEXT("total"), TEXT("no"), &info), OK);
    cr_assert_eq(view_plan_option(&plan, TEXT("f"), TEXT("total"), TEXT("no"), &info), OK);
    cr_assert(!plan.views[0].total);
    cr_assert_neq(view_plan_hash(&plan), with, "the journal held corrections of T");
    cr_assert_eq(view_plan_option(&plan, TEXT("f"), TEXT("total"), TEXT("yes"), &info), OK);
    cr_assert_eq(view_plan_hash(&plan), with, "what is so without saying it");
}

/* ---- country groups, classes ---- */

static struct reference *lists(const char *folder)
{
    struct reference *reference;
    struct err_info info = {""};
    cr_assert_eq(reference_load(folder, NULL, &reference, &info), OK, "%s", info.text);
    return reference;
}

static enum err groups(struct view_plan *plan, const char *text, struct err_info *info)
{
    return view_plan_option(plan, TEXT("bloc"), TEXT("groups"), text_of(text), info);
}

Test(view, groups_and_classes_are_counted_by_partner_and_trade_mode)
{
    struct view_plan plan =
        plan_of("fine=partner,trade_mode,flow@day bloc=partner_group,flow@month class=flow,trade_class@day");
    view_plan_finish(&plan);

    cr_assert_eq(plan.views[1].leaf, 0);
    cr_assert_eq(plan.views[2].leaf, 0);
    cr_assert_eq(plan.views[1].mask.word3, plan.views[0].mask.word3);
    cr_assert_eq(plan.views[2].mask.word2, plan.views[0].mask.word2);
    cr_assert_eq(plan.views[1].dimensions[0], DIMENSION_PARTNER_GROUP);
}

Test(view, the_plan_differs_between_groups_and_partners_and_not_by_which_groups)
{
    struct view_plan plans[3] = {0};
    cr_assert_eq(add(&plans[0], "bloc", "partner,flow@month", NULL), OK);
    cr_assert_eq(add(&plans[1], "bloc", "partner_group,flow@month", NULL), OK);
    cr_assert_eq(add(&plans[2], "bloc", "partner_group,flow@month", NULL), OK);
    cr_assert_eq(groups(&plans[2], "EAEU", NULL), OK);

    cr_assert_neq(view_plan_hash(&plans[0]), view_plan_hash(&plans[1]));
    cr_assert_eq(view_plan_hash(&plans[1]), view_plan_hash(&plans[2]));
}

Test(view, without_the_option_all_groups_of_the_list_are_published)
{
    struct err_info info = {""};
    struct reference *reference = lists(DRYPORT_SOURCE "/tests/data/reference");
    struct view_plan plan = plan_of("bloc=partner_group,flow@month");
    cr_assert_eq(view_plan_groups(&plan, reference, &info), OK, "%s", info.text);

    cr_assert_eq(plan.group_count, 3);
    cr_assert_eq(plan.views[0].groups, 7);
    cr_assert_str_eq(plan.groups[2], "CENTRAL_ASIA");
    reference_free(reference);
}

Test(view, groups_that_the_list_lacks_are_told_with_those_it_has)
{
    struct err_info info = {""};
    struct reference *reference = lists(DRYPORT_SOURCE "/tests/data/reference");
    struct view_plan plan = plan_of("flow=flow@day bloc=partner_group,flow@month");
    cr_assert_eq(groups(&plan, "SCO_MEMBER, SCO", NULL), OK);

    cr_assert_eq(view_plan_groups(&plan, reference, &info), ERR_CONFIG);
    cr_assert_str_eq(info.text, "view.bloc.groups: country_groups.csv of reference.dir has no group SCO; there are "
                                "SCO_MEMBER, SCO_OBSERVER, CENTRAL_ASIA");
    cr_assert_eq(groups(&plan, "", &info), ERR_CONFIG);
    cr_assert_eq(groups(&plan, "A_NAME_THAT_IS_FAR_TOO_LONG", &info), ERR_CONFIG);
    cr_assert_eq(view_plan_option(&plan, TEXT("flow"), TEXT("groups"), TEXT("SCO_MEMBER"), &info), ERR_CONFIG);
    cr_assert(strstr(info.text, "no dimension partner_group"), "%s", info.text);
    reference_free(reference);
}

Test(view, a_view_of_groups_needs_the_list)
{
    struct err_info info = {""};
    struct reference *reference = lists(DRYPORT_SOURCE "/tests/unit/flow");
    struct view_plan plan = plan_of("bloc=partner_group,flow@month");

    cr_assert_eq(view_plan_groups(&plan, reference, &info), ERR_CONFIG);
    cr_assert(strstr(info.text, "country_groups.csv"), "%s", info.text);
    reference_free(reference);
}

Test(view, a_reload_keeps_the_groups_that_are_published)
{
    struct err_info info = {""};
    struct reference *reference = lists(DRYPORT_SOURCE "/tests/data/reference");
    struct reference *other = lists(DRYPORT_SOURCE "/deploy/reference");
    struct view_plan plan = plan_of("bloc=partner_group,flow@month");
    cr_assert_eq(groups(&plan, "EAEU", NULL), OK);

    cr_assert_eq(view_plan_groups(&plan, other, &info), OK, "%s", info.text);
    cr_assert_eq(view_plan_groups_stay(&plan, other, &info), OK);
    cr_assert_eq(view_plan_groups_stay(&plan, reference, &info), ERR_CONFIG);
    cr_assert(strstr(info.text, "no group EAEU"), "%s", info.text);
    reference_free(reference);
    reference_free(other);
}
