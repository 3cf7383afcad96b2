/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/tally.h"
#include "trade/calendar.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct view_plan plan;

static void setup(void)
{
    view_plan_default(&plan);
}

TestSuite(tally, .init = setup);

/* The sum of the delta cells of a view with that commodity (hs digits of the view) and day, or NULL; good for eight calls. */
static const struct measures *find(const struct tally *tally, const char *view, uint64_t commodity, int32_t day)
{
    static struct measures sums[8];
    static unsigned next;
    struct measures *sum = &sums[next++ % 8];
    memset(sum, 0, sizeof *sum);
    uint32_t index = (uint32_t)view_plan_find(&plan, text_of(view));
    bool found = false;
    for (uint32_t i = 0; i < tally_count(tally); i++) {
        const struct table_key *key = tally_key(tally, i);
        if (cell_view(key) != index || cell_commodity(key) != commodity || cell_day(key) != day)
            continue;
        struct measures cell;
        tally_measures(tally, i, &cell);
        measures_add(sum, &cell);
        found = true;
    }
    return found ? sum : NULL;
}

static struct contribution_item item_of(uint64_t hs, int64_t value)
{
    return (struct contribution_item){.hs = hs,
                                      .hs_digits = 10,
                                      .flow = FLOW_M,
                                      .partner = 0x4B5A,
                                      .value_minor = value,
                                      .customs_value_minor = value + 1,
                                      .net_mass_mg = value * 1000,
                                      .gross_mass_mg = value * 1001,
                                      .packages = 2,
                                      .supp_quantity_micro = 7};
}

Test(tally, a_declaration_counts_once_a_cell_and_its_items_each)
{
    struct contribution_item items[3] = {item_of(7208510000, 100), item_of(7208519999, 50), item_of(8471300000, 7)};
    struct contribution c = {.day = calendar_day(20250715), .office = 1, .mode = 3, .item_count = 3, .items = items};
    struct tally *tally = tally_new(&plan);
    int32_t month = calendar_day(20250701);

    tally_add(tally, &c, 1);

    const struct measures *steel = find(tally, "commodity", 720851 + 1, month);
    const struct measures *office = find(tally, "office", 0, calendar_day(20250715));
    cr_assert_eq(steel->declarations, 1);
    cr_assert_eq(steel->items, 2);
    cr_assert_eq((int64_t)steel->value_minor, 150);
    cr_assert_eq((int64_t)steel->customs_value_minor, 152);
    cr_assert_eq((int64_t)steel->supp_quantity_micro, 14);
    cr_assert_eq(office->declarations, 1);
    cr_assert_eq(office->items, 3);
    cr_assert_eq((int64_t)office->net_mass_mg, 157000);
    cr_assert_eq((int64_t)office->supp_quantity_micro, 0, "quantities of different units are never added");
    tally_free(tally);
}

Test(tally, a_derived_view_is_corrected_by_the_cells_that_fall_together)
{
    struct contribution_item items[3] = {item_of(7208510000, 100), item_of(7208520000, 50), item_of(8471300000, 7)};
    struct contribution c = {.day = calendar_day(20250715), .item_count = 3, .items = items};
    struct tally *tally = tally_new(&plan);
    int32_t month = calendar_day(20250701);

    tally_add(tally, &c, 1);

    const struct measures *chapter = find(tally, "chapter", 72 + 1, month);
    cr_assert_not_null(chapter, "two commodity cells fall into chapter 72");
    cr_assert_eq(chapter->declarations, -1);
    cr_assert_eq(chapter->items, 0);
    cr_assert_null(find(tally, "chapter", 84 + 1, month), "one cell needs no correction");
    cr_assert_null(find(tally, "flow", 0, calendar_day(20250715)), "one cell needs no correction");
    tally_free(tally);
}

Test(tally, a_retraction_leaves_nothing)
{
    struct contribution_item items[3] = {item_of(7208510000, INT64_MAX / 2000), item_of(7208520000, 50),
                                         item_of(7208510000, 7)};
    struct contribution c = {.day = calendar_day(20250715), .warned = true, .item_count = 3, .items = items};
    struct tally *tally = tally_new(&plan);

    tally_add(tally, &c, 1);
    tally_add(tally, &c, -1);

    static const struct measures zero;
    for (uint32_t i = 0; i < tally_count(tally); i++) {
        struct measures cell;
        memset(&cell, 0, sizeof cell);
        tally_measures(tally, i, &cell);
        cr_assert_eq(cell.value_minor, zero.value_minor);
        cr_assert_eq(cell.net_mass_mg, 0);
        cr_assert_eq(cell.declarations, 0);
        cr_assert_eq(cell.items, 0);
        cr_assert_eq(cell.warned_items, 0);
        cr_assert_eq(cell.packages, 0);
    }
    struct tally_control control = tally_control(tally);
    cr_assert_eq((int64_t)control.value_minor, 0);
    cr_assert_eq(control.items, 0);
    tally_free(tally);
}

Test(tally, sums_go_beyond_64_bits)
{
    struct contribution_item items[1] = {item_of(7208510000, 1)};
    items[0].value_minor = INT64_MAX;
    struct contribution c = {.day = 0, .item_count = 1, .items = items};
    struct tally *tally = tally_new(&plan);

    for (int i = 0; i < 10; i++)
        tally_add(tally, &c, 1);

    cr_assert(find(tally, "heading", 7208 + 1, 0) == NULL, "heading derives");
    cr_assert_gt(tally_count(tally), 6 * 5, "each overflow moves its cell to a wide one");
    cr_assert(find(tally, "commodity", 720851 + 1, 0)->value_minor == (i128)INT64_MAX * 10);
    tally_free(tally);
}

Test(tally, a_cancel_touches_no_cell)
{
    struct contribution c = {.day = 0, .cancel = true};
    struct tally *tally = tally_new(&plan);

    tally_add(tally, &c, 1);

    cr_assert_eq(tally_count(tally), 0);
    tally_free(tally);
}

Test(tally, clear_forgets_deltas_and_keeps_totals)
{
    struct contribution_item items[1] = {item_of(7208510000, 9)};
    struct contribution c = {.day = 0, .item_count = 1, .items = items};
    struct tally *tally = tally_new(&plan);

    tally_add(tally, &c, 1);
    tally_clear(tally);
    tally_add(tally, &c, 1);

    cr_assert_eq(find(tally, "commodity", 720851 + 1, 0)->items, 1);
    cr_assert_eq(tally_control(tally).items, 2);
    tally_free(tally);
}

/* A chapter's declarations = leaf cells' declarations + correction, against a count by hand, for random declarations of up to 60 items. */
Test(tally, declarations_of_a_derived_view_are_exact_for_any_declaration)
{
    unsigned seed = 4711;
    struct contribution_item items[60];
    uint32_t chapter_view = (uint32_t)view_plan_find(&plan, TEXT("chapter"));
    uint32_t commodity_view = (uint32_t)view_plan_find(&plan, TEXT("commodity"));
    for (int round = 0; round < 300; round++) {
        struct contribution c = {.day = 0, .items = items, .item_count = 1 + (unsigned)rand_r(&seed) % 60};
        bool seen[4] = {false};
        for (uint32_t i = 0; i < c.item_count; i++) {
            uint64_t chapter = (unsigned)rand_r(&seed) % 4;
            items[i] = item_of(((10 + chapter) * 10000 + (unsigned)rand_r(&seed) % 7) * 10000, 1);
            seen[chapter] = true;
        }
        struct tally *tally = tally_new(&plan);
        tally_add(tally, &c, 1);
        int64_t sum[4] = {0};
        for (uint32_t i = 0; i < tally_count(tally); i++) {
            const struct table_key *key = tally_key(tally, i);
            uint32_t view = cell_view(key);
            struct measures cell;
            tally_measures(tally, i, &cell);
            if (view == commodity_view)
                sum[(cell_commodity(key) - 1) / 10000 - 10] += cell.declarations;
            else if (view == chapter_view)
                sum[cell_commodity(key) - 1 - 10] += cell.declarations;
        }
        for (int chapter = 0; chapter < 4; chapter++)
            cr_assert_eq(sum[chapter], seen[chapter], "round %d chapter %d", round, chapter);
        tally_free(tally);
    }
}
