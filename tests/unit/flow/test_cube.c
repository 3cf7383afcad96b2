/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cube.h"
#include "flow/slice.h"
#include "trade/calendar.h"

#include "unit/flow/journal_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct view_plan plan;

static struct cube *cube_with(uint64_t plan_id)
{
    view_plan_default(&plan);
    return cube_new(&plan, 2, plan_id);
}

static enum err fold_bytes(struct cube *cube, int32_t partition, struct bytes bytes, struct err_info *info)
{
    struct frame frame;
    enum err err = frame_parse(bytes, &frame, info);
    return err == OK ? cube_fold(cube, partition, &frame, 1, info) : err;
}

static struct contribution one_item(struct maker *maker, struct contribution_item *item, uint32_t date)
{
    return (struct contribution){.day = calendar_day(date),
                                 .mode = 3,
                                 .office = maker_code(maker, "5301"),
                                 .zone = maker_code(maker, "Z1"),
                                 .item_count = 1,
                                 .items = item};
}

/* Sums of a view's cells, of one frequency. */
static struct measures sum_of(const struct cube *cube, const char *name, bool month, uint32_t *out_cells)
{
    struct measures sum = {0};
    uint32_t cells = 0;
    uint32_t view = (uint32_t)view_plan_find(&plan, text_of(name));
    for (uint32_t i = 0; i < cube_count(cube); i++) {
        const struct table_key *key = cube_key(cube, i);
        if (cell_view(key) == view && cell_is_month(key) == month) {
            measures_add(&sum, cube_measures(cube, i));
            cells++;
        }
    }
    if (out_cells)
        *out_cells = cells;
    return sum;
}

static void expect_refused(struct maker *maker, struct cube *cube, const char *words)
{
    struct err_info info = {{0}};
    enum err err = fold_bytes(cube, 0, maker_data(maker), &info);
    cr_assert_eq(err, ERR_BROKEN, "%s", err_name(err));
    cr_assert(strstr(info.text, words), "\"%s\" does not say \"%s\"", info.text, words);
    for (uint32_t i = 0; i < cube_count(cube); i++)
        cr_assert(cube_measures(cube, i)->items == 0);
    cr_assert_eq(cube_declarations(cube), 0);
    cr_assert_eq(cube_dirty_count(cube), 0);
}

Test(cube, wrong_value_in_control_totals_refuses_the_whole_group)
{
    struct cube *cube = cube_with(0);
    struct maker maker;
    maker_init(&maker, &plan, 0);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    maker_add(&maker, &c, 1);
    maker.lie_value = 1;

    expect_refused(&maker, cube, "control totals of view");
    maker_fini(&maker);
    cube_free(cube);
}

Test(cube, wrong_verdict_count_refuses_the_whole_group)
{
    struct cube *cube = cube_with(0);
    struct maker maker;
    maker_init(&maker, &plan, 0);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    maker_add(&maker, &c, 1);
    maker.lie_counted = 1;

    expect_refused(&maker, cube, "declarations counted");
    maker_fini(&maker);
    cube_free(cube);
}

Test(cube, data_of_another_plan_is_not_taken_and_leaves_the_partition_unsettled)
{
    struct cube *cube = cube_with(8);
    struct maker maker;
    maker_init(&maker, &plan, 0);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    int32_t partition = -1;
    cr_assert(cube_is_settled(cube, &partition), "nothing was counted");
    maker_add(&maker, &c, 1);

    struct err_info info = {{0}};
    cr_assert_eq(fold_bytes(cube, 0, maker_data(&maker), &info), OK, "%s", info.text);
    cr_assert_eq(cube_count(cube), 0);
    cr_assert(!cube_is_settled(cube, &partition));
    cr_assert_eq(partition, 0);
    maker_fini(&maker);
    cube_free(cube);
}

/* Slice 0 without cells, counted again under the plan of the maker. */
static struct bytes replan_of(struct maker *maker)
{
    struct buffer payload = {0};
    slice_put_head(&payload, &(struct slice_head){.replan = true});
    frame_put_counts(&payload, &maker->counts);
    slice_put_whole(&payload, &(struct slice_whole){0});
    maker_put_control(maker, &payload);
    struct bytes bytes = maker_seal(maker, FRAME_SNAP, true, maker->hi, &payload);
    buffer_fini(&payload);
    return bytes;
}

/* The plan was changed before anything was counted, and is changed back: what a mark of the first plan left is no cell. */
Test(cube, a_mark_of_the_cubes_plan_fills_no_slice_that_is_counted_under_another)
{
    struct cube *cube = cube_with(8);
    struct maker maker;
    maker_init(&maker, &plan, 0);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    struct err_info info = {{0}};
    int32_t partition;

    maker.plan_id = 8;
    cr_assert_eq(fold_bytes(cube, 0, maker_idle(&maker), &info), OK, "%s", info.text);
    maker.plan_id = 7;
    maker_add(&maker, &c, 1);
    cr_assert_eq(fold_bytes(cube, 0, maker_data(&maker), &info), OK, "%s", info.text);
    maker.plan_id = 8;
    cr_assert_eq(fold_bytes(cube, 0, replan_of(&maker), &info), OK, "%s", info.text);

    cr_assert_not(cube_wants_refold(cube), "there was nothing to replace");
    cr_assert_not(cube_is_settled(cube, &partition), "31 slices are of the other plan");
    maker_fini(&maker);
    cube_free(cube);
}

/* The groups of a journal of three: counted under the cube's plan, replaced under another, and replaced back. */
static void fold_journal(struct cube *cube, const struct frame frames[static 3], uint32_t count)
{
    struct err_info info = {{0}};
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(cube_fold(cube, 0, &frames[i], 1, &info), OK, "%s", info.text);
}

Test(cube, cells_that_are_looked_for_behind_the_end_of_a_cut_journal_are_missed)
{
    struct cube *cube = cube_with(8);
    struct maker maker;
    maker_init(&maker, &plan, 0);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    struct buffer bytes[3] = {{0}};
    struct frame frames[3];
    struct err_info info = {{0}};
    int32_t partition;
    maker_add(&maker, &c, 1);
    for (int i = 0; i < 3; i++) {
        maker.plan_id = i == 1 ? 7 : 8;
        struct bytes made = i == 0 ? maker_data(&maker) : replan_of(&maker);
        buffer_add(&bytes[i], made.data, made.length);
        cr_assert_eq(frame_parse(buffer_bytes(&bytes[i]), &frames[i], &info), OK);
        frames[i].offset = 10 * (i + 1);
    }
    fold_journal(cube, frames, 2);
    cr_assert(cube_wants_refold(cube), "slice 0 of the other plan replaces what is there");
    cube_empty(cube);

    /* the log lost what stood at 20, and the slice that is counted back stands at 15 now */
    frames[2].offset = 15;
    fold_journal(cube, frames, 1);
    cr_assert_eq(cube_fold(cube, 0, &frames[2], 1, &info), OK, "%s", info.text);

    cr_assert(cube_lacks_cells(cube));
    cr_assert_not(cube_is_settled(cube, &partition));
    cube_forget_places(cube);
    cube_empty(cube);
    cr_assert_not(cube_lacks_cells(cube), "it begins anew");
    for (int i = 0; i < 3; i++)
        buffer_fini(&bytes[i]);
    maker_fini(&maker);
    cube_free(cube);
}

Test(cube, frame_of_another_partition_is_refused)
{
    struct cube *cube = cube_with(0);
    struct maker maker;
    maker_init(&maker, &plan, 1);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    maker_add(&maker, &c, 1);

    expect_refused(&maker, cube, "in the journal of partition 0");
    maker_fini(&maker);
    cube_free(cube);
}

Test(cube, code_number_that_was_never_explained_is_refused)
{
    struct cube *cube = cube_with(0);
    struct maker maker;
    maker_init(&maker, &plan, 0);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    c.office = 99;
    maker_add(&maker, &c, 1);

    expect_refused(&maker, cube, "is broken");
    maker_fini(&maker);
    cube_free(cube);
}

Test(cube, data_without_control_totals_is_refused)
{
    struct cube *cube = cube_with(0);
    struct maker maker;
    maker_init(&maker, &plan, 0);
    struct buffer payload = {0};
    struct err_info info;
    frame_put_counts(&payload, &maker.counts);

    cr_assert_eq(fold_bytes(cube, 0, maker_seal(&maker, FRAME_DATA, true, 0, &payload), &info), ERR_BROKEN);

    buffer_fini(&payload);
    maker_fini(&maker);
    cube_free(cube);
}

Test(cube, every_cut_of_a_frames_payload_is_refused_or_leaves_no_sum)
{
    struct maker maker;
    struct cube *first = cube_with(0);
    maker_init(&maker, &plan, 0);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    maker_add(&maker, &c, 1);
    struct bytes bytes = maker_data(&maker);
    struct frame frame;
    struct err_info info;
    cr_assert_eq(frame_parse(bytes, &frame, &info), OK);

    for (size_t length = 0; length < frame.payload.length; length++) {
        struct cube *cube = cube_with(0);
        struct frame cut = frame;
        cut.payload.length = length;
        cr_assert_neq(cube_fold(cube, 0, &cut, 1, &info), OK, "cut at %zu", length);
        for (uint32_t i = 0; i < cube_count(cube); i++)
            cr_assert(cube_measures(cube, i)->items == 0 && cube_measures(cube, i)->value_minor == 0);
        cr_assert_eq(cube_dirty_count(cube), 0);
        cube_free(cube);
    }
    maker_fini(&maker);
    cube_free(first);
}

Test(cube, one_declaration_stands_in_each_view_and_in_the_month_of_day_views)
{
    struct cube *cube = cube_with(7);
    struct maker maker;
    struct err_info info = {{0}};
    maker_init(&maker, &plan, 0);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    maker_add(&maker, &c, 1);

    cr_assert_eq(fold_bytes(cube, 0, maker_data(&maker), &info), OK, "%s", info.text);

    for (uint32_t view = 0; view < plan.count; view++) {
        uint32_t cells;
        struct measures month = sum_of(cube, plan.views[view].name, true, &cells);
        cr_assert_eq(cells, 1, "%s", plan.views[view].name);
        cr_assert(month.value_minor == 100 && month.items == 1 && month.declarations == 1);
        struct measures day = sum_of(cube, plan.views[view].name, false, &cells);
        cr_assert_eq(cells, plan.views[view].grain == GRAIN_DAY ? 1 : 0);
        cr_assert(day.value_minor == (plan.views[view].grain == GRAIN_DAY ? 100 : 0));
        cr_assert_eq(cube_view_cells(cube, view), 1);
    }
    cr_assert_eq(cube_declarations(cube), 1);
    maker_fini(&maker);
    cube_free(cube);
}

Test(cube, a_declaration_counts_once_in_a_derived_cell_that_two_of_its_leaf_cells_fall_into)
{
    struct cube *cube = cube_with(0);
    struct maker maker;
    struct err_info info = {{0}};
    maker_init(&maker, &plan, 0);
    struct contribution_item items[3] = {item_of(10121, "KZ", 100, 5000), item_of(10129, "KZ", 200, 1),
                                         item_of(10121, "KG", 1, 1)};
    struct contribution c = one_item(&maker, items, 20250703);
    c.item_count = 3;
    maker_add(&maker, &c, 1);

    cr_assert_eq(fold_bytes(cube, 0, maker_data(&maker), &info), OK, "%s", info.text);

    cr_assert_eq(sum_of(cube, "heading", true, NULL).declarations, 1);
    cr_assert_eq(sum_of(cube, "flow", true, NULL).declarations, 1);
    cr_assert_eq(sum_of(cube, "flow", false, NULL).declarations, 1);
    cr_assert_eq(sum_of(cube, "chapter", true, NULL).declarations, 2);
    cr_assert_eq(sum_of(cube, "commodity", true, NULL).declarations, 3);
    cr_assert(sum_of(cube, "heading", true, NULL).value_minor == 301);
    maker_fini(&maker);
    cube_free(cube);
}

Test(cube, equal_codes_of_two_partitions_with_different_numbers_are_one_cell)
{
    struct cube *cube = cube_with(0);
    struct maker makers[2];
    struct err_info info = {{0}};
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    maker_init(&makers[0], &plan, 0);
    maker_init(&makers[1], &plan, 1);
    maker_code(&makers[1], "9999"); /* moves the numbers of the second partition */
    for (int32_t p = 0; p < 2; p++) {
        struct contribution c = one_item(&makers[p], &item, 20250703);
        maker_add(&makers[p], &c, 1);
        cr_assert_eq(fold_bytes(cube, p, maker_data(&makers[p]), &info), OK, "%s", info.text);
    }

    uint32_t cells;
    cr_assert_eq(sum_of(cube, "office", false, &cells).declarations, 2);
    cr_assert_eq(cells, 1);
    maker_fini(&makers[0]);
    maker_fini(&makers[1]);
    cube_free(cube);
}

Test(cube, a_changed_cell_is_listed_once_until_it_is_taken)
{
    struct cube *cube = cube_with(0);
    struct maker maker;
    struct err_info info = {{0}};
    maker_init(&maker, &plan, 0);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    maker_add(&maker, &c, 1);
    cr_assert_eq(fold_bytes(cube, 0, maker_data(&maker), &info), OK);
    uint32_t cells = cube_count(cube);
    maker_add(&maker, &c, 1);
    cr_assert_eq(fold_bytes(cube, 0, maker_data(&maker), &info), OK);

    cr_assert_eq(cube_dirty_count(cube), cells);
    for (uint32_t i = 0; i < cells; i++) {
        cr_assert_eq(cube_dirty_first(cube), i);
        cube_dirty_take(cube);
    }
    cr_assert_eq(cube_dirty_first(cube), TABLE_NONE);
    maker_add(&maker, &c, 1);
    cr_assert_eq(fold_bytes(cube, 0, maker_data(&maker), &info), OK);
    cr_assert_eq(cube_dirty_count(cube), cells);
    maker_fini(&maker);
    cube_free(cube);
}

Test(cube, a_frequency_that_is_not_published_is_never_listed)
{
    view_plan_default(&plan);
    cr_assert_eq(view_plan_option(&plan, TEXT("flow"), TEXT("publish"), TEXT("month"), NULL), OK);
    struct cube *cube = cube_new(&plan, 1, 0);
    struct maker maker;
    struct err_info info = {{0}};
    maker_init(&maker, &plan, 0);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    maker_add(&maker, &c, 1);
    cr_assert_eq(fold_bytes(cube, 0, maker_data(&maker), &info), OK);

    cr_assert_eq(cube_dirty_count(cube), cube_count(cube) - 1);
    maker_fini(&maker);
    cube_free(cube);
}

Test(cube, a_cell_that_only_a_sum_of_it_is_published_of_is_listed_and_found_by_its_key)
{
    view_plan_default(&plan);
    cr_assert_eq(view_plan_option(&plan, TEXT("flow"), TEXT("publish"), TEXT("ytd,7d"), NULL), OK);
    struct cube *cube = cube_new(&plan, 1, 0);
    struct maker maker;
    struct err_info info = {{0}};
    maker_init(&maker, &plan, 0);
    struct contribution_item item = item_of(10121, "KZ", 100, 5000);
    struct contribution c = one_item(&maker, &item, 20250703);
    maker_add(&maker, &c, 1);
    cr_assert_eq(fold_bytes(cube, 0, maker_data(&maker), &info), OK);

    cr_assert_eq(cube_dirty_count(cube), cube_count(cube));
    uint32_t days = 0;
    for (uint32_t i = 0; i < cube_count(cube); i++) {
        cr_assert_eq(cube_find(cube, cube_key(cube, i), table_hash(cube_key(cube, i))), i);
        bool is_flow = cell_view(cube_key(cube, i)) == (uint32_t)view_plan_find(&plan, TEXT("flow"));
        cr_assert_eq(cube_is_published(cube, i), !is_flow);
        days += is_flow;
    }
    cr_assert_eq(days, 2);
    cr_assert(!cube_flag(cube, 0, true) && cube_flag(cube, 0, false) && !cube_flag(cube, 0, false));
    maker_fini(&maker);
    cube_free(cube);
}

/* Random declarations, replaces and cancels; sums of every view compared with plain addition of what is left. */
Test(cube, sums_equal_plain_addition_of_what_was_not_taken_back)
{
    enum { MANY = 600 };
    struct cube *cube = cube_with(0);
    struct maker maker;
    struct err_info info = {{0}};
    maker_init(&maker, &plan, 0);
    static struct contribution_item items[MANY][3];
    static struct contribution contributions[MANY];
    static const char *const partners[4] = {"KZ", "KG", "UZ", "TJ"};
    i128 value = 0;
    i128 mass = 0;
    int64_t count = 0;
    uint64_t random = 42;
    for (int i = 0; i < MANY; i++) {
        for (int j = 0; j < 3; j++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            items[i][j] = item_of(10100 + (random >> 33) % 900, partners[random >> 50 & 3],
                                  (int64_t)(random >> 20 & 0xFFFFF), (int64_t)(random >> 30 & 0xFFFFFF));
        }
        contributions[i] = one_item(&maker, items[i], 20250601 + (uint32_t)(random >> 40) % 30);
        contributions[i].item_count = 1 + (uint32_t)(random >> 60) % 3;
        maker_add(&maker, &contributions[i], 1);
        bool taken_back = i % 3 == 0 && i > 10;
        if (taken_back)
            maker_add(&maker, &contributions[i - 9], -1);
        if (i % 50 == 49)
            cr_assert_eq(fold_bytes(cube, 0, maker_data(&maker), &info), OK, "%s", info.text);
    }
    for (int i = 0; i < MANY; i++) {
        bool gone = (i + 9) % 3 == 0 && i + 9 > 10 && i + 9 < MANY;
        for (uint32_t j = 0; j < contributions[i].item_count && !gone; j++) {
            value += items[i][j].value_minor;
            mass += items[i][j].net_mass_mg;
            count++;
        }
    }

    for (uint32_t view = 0; view < plan.count; view++) {
        struct measures month = sum_of(cube, plan.views[view].name, true, NULL);
        cr_assert(month.value_minor == value && month.net_mass_mg == mass && month.items == count, "%s",
                  plan.views[view].name);
        if (plan.views[view].grain == GRAIN_DAY) {
            struct measures day = sum_of(cube, plan.views[view].name, false, NULL);
            cr_assert(day.value_minor == value && day.items == count && day.declarations == month.declarations);
        }
    }
    maker_fini(&maker);
    cube_free(cube);
}
