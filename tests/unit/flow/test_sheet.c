/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/sheet.h"

#include <criterion/criterion.h>

static uint32_t bit_of(const struct view_plan *plan, const char *name)
{
    int32_t index = view_plan_find(plan, text_of(name));
    cr_assert_geq(index, 0, "%s", name);
    return 1u << index;
}

Test(sheet, the_six_leaves_of_the_default_views_are_four_sheets)
{
    struct view_plan plan;
    view_plan_default(&plan);
    struct sheet sheets[VIEWS_MOST];

    uint32_t count = sheet_plan(&plan, sheets);

    cr_assert_eq(count, 4);
    cr_assert_eq(sheets[0].views, bit_of(&plan, "office") | bit_of(&plan, "trade_mode"));
    cr_assert_eq(sheets[0].derived, bit_of(&plan, "flow"));
    cr_assert_eq(sheets[1].views, bit_of(&plan, "partner") | bit_of(&plan, "partner_office"));
    cr_assert_eq(sheets[1].derived, 0);
    cr_assert_eq(sheets[2].views, bit_of(&plan, "commodity"));
    cr_assert_eq(sheets[2].derived, bit_of(&plan, "chapter") | bit_of(&plan, "heading"));
    cr_assert_eq(sheets[3].views, bit_of(&plan, "commodity_office"));
}

static uint32_t sheets_of(const char *one, const char *other)
{
    struct view_plan plan = {0};
    struct err_info info;
    cr_assert_eq(view_plan_add(&plan, TEXT("one"), text_of(one), &info), OK, "%s", info.text);
    cr_assert_eq(view_plan_add(&plan, TEXT("other"), text_of(other), &info), OK, "%s", info.text);
    view_plan_finish(&plan);
    struct sheet sheets[VIEWS_MOST];
    return sheet_plan(&plan, sheets);
}

Test(sheet, views_go_together_only_if_they_take_the_same_of_an_item)
{
    cr_assert_eq(sheets_of("flow,office@day", "flow,zone,mode@day"), 1);
    cr_assert_eq(sheets_of("flow,office@day", "flow,zone@month"), 2, "grain");
    cr_assert_eq(sheets_of("hs6,office@day", "hs4,zone@day"), 2, "digits");
    cr_assert_eq(sheets_of("partner,office@day", "region,zone@day"), 2, "partner, region");
    cr_assert_eq(sheets_of("flow,office@day", "zone,mode@day"), 2, "items of one declaration may differ in flow");
}

Test(sheet, a_sheet_of_one_view_has_its_keys)
{
    struct view_plan plan;
    view_plan_default(&plan);
    struct sheet sheets[VIEWS_MOST];
    sheet_plan(&plan, sheets);
    uint32_t commodity = (uint32_t)view_plan_find(&plan, TEXT("commodity"));

    cr_assert_not(sheets[2].is_joint);
    cr_assert_eq(sheets[2].word0, cell_word0(commodity, true, -CELL_DAY_BIAS, 0));
    cr_assert_eq(sheets[2].word3, plan.views[commodity].mask.word3);
}

Test(sheet, the_key_of_a_view_is_cut_out_of_that_of_its_sheet)
{
    struct view_plan plan;
    view_plan_default(&plan);
    struct sheet sheets[VIEWS_MOST];
    sheet_plan(&plan, sheets);
    uint32_t office = (uint32_t)view_plan_find(&plan, TEXT("office"));
    uint32_t trade_mode = (uint32_t)view_plan_find(&plan, TEXT("trade_mode"));
    uint64_t word3 = cell_word3(0, 0, 0, FLOW_X, 4);
    struct table_key key = {
        {sheets[0].word0 | cell_word0(0, false, 20000, 0), 7ULL << 32 | 8, 9ULL << 32 | 10, word3 & sheets[0].word3}};

    struct table_key of_office = sheet_view_key(&key, &plan.views[office], office);
    struct table_key of_mode = sheet_view_key(&key, &plan.views[trade_mode], trade_mode);

    cr_assert_eq(sheet_of(&key), 0);
    struct table_key office_key = {
        {cell_word0(office, false, 20000, 0), 7ULL << 32 | 8, 9ULL << 32, cell_word3(0, 0, 0, FLOW_X, 4)}};
    struct table_key mode_key = {
        {cell_word0(trade_mode, false, 20000, 0), 7ULL << 32, 9ULL << 32 | 10, cell_word3(0, 0, 0, FLOW_X, 0)}};
    cr_assert(table_key_equal(&of_office, &office_key));
    cr_assert(table_key_equal(&of_mode, &mode_key));
}
