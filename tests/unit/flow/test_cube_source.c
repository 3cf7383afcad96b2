/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cube_source.h"
#include "flow/invariant.h"
#include "trade/calendar.h"

#include "unit/flow/journal_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

/* Adds up what a source gives. */
static struct {
    struct view_plan plan;
    struct dictionary codes;
    struct cube_source_fold fold;
    struct cube_source source;
    struct maker maker;
    struct measures sum;
    uint64_t added;
    struct err_info info;
} desk;

static void add(void *self, uint32_t view, const struct table_key *key, const struct measures *delta)
{
    (void)self;
    cr_assert_eq(cell_view(key), view);
    measures_add(&desk.sum, delta);
    desk.added++;
}

static void setup(void)
{
    view_plan_default(&desk.plan);
    dictionary_init(&desk.codes);
    cube_source_init(&desk.source);
    desk.fold = (struct cube_source_fold){.plan = &desk.plan, .codes = &desk.codes, .sink = {.add = add}};
    maker_init(&desk.maker, &desk.plan, 0);
}

static void teardown(void)
{
    maker_fini(&desk.maker);
    cube_source_fini(&desk.source);
    dictionary_fini(&desk.codes);
}

TestSuite(cube_source, .init = setup, .fini = teardown);

/* A group of declarations of one item each, on as many days. */
static struct bytes group_of(int declarations)
{
    for (int i = 0; i < declarations; i++) {
        struct contribution_item item = item_of(10121, "KZ", 100 + i, 5000);
        struct contribution c = {.day = calendar_day(20250703) + i,
                                 .office = maker_code(&desk.maker, i % 2 ? "5301" : "2201"),
                                 .item_count = 1,
                                 .items = &item};
        maker_add(&desk.maker, &c, 1);
    }
    return maker_data(&desk.maker);
}

static struct frame parsed(struct bytes bytes)
{
    struct frame frame;
    cr_assert_eq(frame_parse(bytes, &frame, &desk.info), OK, "%s", desk.info.text);
    return frame;
}

static enum err take(struct frame frame)
{
    return cube_source_take(&desk.fold, &desk.source, &frame, 1, 0, &desk.info);
}

static bool all_zero(const struct measures *m)
{
    return m->value_minor == 0 && m->net_mass_mg == 0 && m->gross_mass_mg == 0 && m->customs_value_minor == 0 &&
           m->declarations == 0 && m->items == 0 && m->packages == 0 && m->supp_quantity_micro == 0;
}

Test(cube_source, gives_every_cell_once)
{
    cr_assert_eq(take(parsed(group_of(20))), OK, "%s", desk.info.text);

    cr_assert_eq(desk.fold.given, desk.added);
    cr_assert_eq(desk.fold.declarations, 20);
    cr_assert_eq(desk.sum.items, 20 * 6, "six leaf views");
}

Test(cube_source, what_was_given_of_a_refused_group_is_taken_back)
{
    desk.maker.lie_value = 1;
    cr_assert_eq(take(parsed(group_of(20))), ERR_BROKEN);

    cr_assert(strstr(desk.info.text, "control totals of view"), "%s", desk.info.text);
    cr_assert_eq(invariant_count(INVARIANT_CELLS_ARE_FOLD), 1, "it is told by dryport_invariant_violations_total");
    cr_assert_gt(desk.added, 0, "the totals stand behind the cells");
    cr_assert(all_zero(&desk.sum));
}

Test(cube_source, a_group_that_is_cut_anywhere_leaves_nothing)
{
    struct frame frame = parsed(group_of(9));
    for (size_t length = 0; length < frame.payload.length; length++) {
        struct frame cut = frame;
        cut.payload.length = length;
        cube_source_fini(&desk.source);
        cube_source_init(&desk.source);
        desk.sum = (struct measures){0};
        cr_assert_eq(take(cut), ERR_BROKEN, "cut at %zu", length);
        cr_assert(all_zero(&desk.sum), "cut at %zu", length);
    }
    cr_assert_gt(desk.added, 0);
}

Test(cube_source, a_group_after_a_refused_one_counts)
{
    struct bytes lie;
    desk.maker.lie_counted = 1;
    lie = group_of(3);
    cr_assert_eq(take(parsed(lie)), ERR_BROKEN);
    cube_source_empty(&desk.source);
    maker_fini(&desk.maker);
    maker_init(&desk.maker, &desk.plan, 0);

    cr_assert_eq(take(parsed(group_of(5))), OK, "%s", desk.info.text);
    cr_assert_eq(desk.sum.items, 5 * 6);
}

Test(cube_source, empty_keeps_from_where_cells_count)
{
    desk.source.cells_from[3] = 77;
    cr_assert_eq(take(parsed(group_of(3))), OK);
    cube_source_empty(&desk.source);

    cr_assert_eq(desk.source.cells_from[3], 77);
    cr_assert_eq(desk.source.mapped, 0);
    cr_assert_eq(desk.source.filled, 0);
}

Test(cube_source, another_plan_is_not_settled)
{
    desk.maker.plan_id = 8;
    desk.fold.plan_id = 9;
    cr_assert_eq(take(parsed(group_of(3))), OK);

    cr_assert_eq(desk.added, 0, "cells of another plan");
    cr_assert_not(cube_source_is_settled(&desk.source, 9));
    cr_assert(cube_source_is_settled(&desk.source, 8));
    cr_assert(cube_source_is_settled(&desk.source, 0));
}
