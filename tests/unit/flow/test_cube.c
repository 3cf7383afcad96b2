/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cube.h"

#include "base/memory.h"
#include "flow/slice.h"
#include "trade/calendar.h"

#include "unit/flow/journal_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* What a test begins with: a cube without cells, the writer of partition 0, and a declaration of one item that it may count. */
static struct view_plan plan;
static struct cube *cube;
static struct maker maker;
static struct contribution_item horse;
static struct contribution declaration;
static struct err_info info;

static struct contribution of_items(struct maker *by, struct contribution_item *items, uint32_t count, uint32_t date)
{
    return (struct contribution){.day = calendar_day(date),
                                 .mode = 3,
                                 .office = maker_code(by, "5301"),
                                 .zone = maker_code(by, "Z1"),
                                 .item_count = count,
                                 .items = items};
}

static void begin_with_plan(uint64_t plan_id, uint32_t partition)
{
    cube = cube_new(&plan, 2, plan_id);
    maker_init(&maker, &plan, partition);
    horse = item_of(10121, "KZ", 100, 5000);
    declaration = of_items(&maker, &horse, 1, 20250703);
}

static void begin(uint64_t plan_id)
{
    view_plan_default(&plan);
    begin_with_plan(plan_id, 0);
}

static void end(void)
{
    maker_fini(&maker);
    cube_free(cube);
}

TestSuite(cube, .fini = end);

static enum err fold(int32_t partition, struct bytes bytes)
{
    struct frame frame;
    enum err err = frame_parse(bytes, &frame, &info);
    return err == OK ? cube_fold(cube, partition, &frame, 1, &info) : err;
}

/* Folds what the maker has counted since the last time. */
static void fold_data(void)
{
    cr_assert_eq(fold(0, maker_data(&maker)), OK, "%s", info.text);
}

/* Sums of a view's cells, of one frequency. */
static struct measures sum_of(const char *name, bool month, uint32_t *out_cells)
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

static void expect_refused(const char *words)
{
    enum err err = fold(0, maker_data(&maker));
    cr_assert_eq(err, ERR_BROKEN, "%s", err_name(err));
    cr_assert(strstr(info.text, words), "\"%s\" does not say \"%s\"", info.text, words);
    for (uint32_t i = 0; i < cube_count(cube); i++)
        cr_assert(cube_measures(cube, i)->items == 0);
    cr_assert_eq(cube_declarations(cube), 0);
    cr_assert_eq(cube_dirty_count(cube), 0);
}

Test(cube, wrong_value_in_control_totals_refuses_the_whole_group)
{
    begin(0);
    maker_add(&maker, &declaration, 1);
    maker.lie_value = 1;

    expect_refused("control totals of view");
}

Test(cube, wrong_verdict_count_refuses_the_whole_group)
{
    begin(0);
    maker_add(&maker, &declaration, 1);
    maker.lie_counted = 1;

    expect_refused("declarations counted");
}

Test(cube, data_of_another_plan_is_not_taken_and_leaves_the_partition_unsettled)
{
    begin(8);
    int32_t partition = -1;
    cr_assert(cube_is_settled(cube, &partition), "nothing was counted");
    maker_add(&maker, &declaration, 1);

    fold_data();
    cr_assert_eq(cube_count(cube), 0);
    cr_assert(!cube_is_settled(cube, &partition));
    cr_assert_eq(partition, 0);
}

static bool may_have(const char *name, uint32_t flow, uint32_t from, uint32_t to)
{
    struct table_key key = {{(uint64_t)view_plan_find(&plan, text_of(name)) << 58, 0, 0, flow << 9}};
    return cube_may_have(cube, &key, calendar_day(from), calendar_day(to));
}

Test(cube, days_and_flows_without_any_cell_are_known)
{
    begin(0);
    cr_assert_not(may_have("flow", FLOW_M, 20000101, 20991231), "nothing was counted");
    maker_add(&maker, &declaration, 1);
    fold_data();
    for (uint32_t i = 0; i < cube_count(cube); i++) {
        int32_t day = cell_day(cube_key(cube, i));
        cr_assert(cube_may_have(cube, cube_key(cube, i), day, day), "cell %u", i);
    }
    cr_assert(may_have("flow", FLOW_M, 20250101, 20251231));
    cr_assert_not(may_have("flow", FLOW_M, 20250704, 20251231));
    cr_assert_not(may_have("flow", FLOW_M, 20240101, 20250630));
    cr_assert_not(may_have("flow", FLOW_RM, 20250101, 20251231), "a flow that nobody declared");
    cube_empty(cube);
    cr_assert_not(may_have("flow", FLOW_M, 20250101, 20251231));
}

/* Slice 0 without cells, counted again under the plan of the maker. */
static struct bytes replan(void)
{
    struct buffer payload = {0};
    slice_put_head(&payload, &(struct slice_head){.replan = true});
    frame_put_counts(&payload, &maker.counts);
    slice_put_whole(&payload, &(struct slice_whole){0});
    maker_put_control(&maker, &payload);
    struct bytes bytes = maker_seal(&maker, FRAME_SNAP, true, maker.hi, &payload);
    buffer_fini(&payload);
    return bytes;
}

/* The plan was changed before anything was counted, and is changed back: what a mark of the first plan left is no cell. */
Test(cube, a_mark_of_the_cubes_plan_fills_no_slice_that_is_counted_under_another)
{
    begin(8);
    int32_t partition;

    maker.plan_id = 8;
    cr_assert_eq(fold(0, maker_idle(&maker)), OK, "%s", info.text);
    maker.plan_id = 7;
    maker_add(&maker, &declaration, 1);
    fold_data();
    maker.plan_id = 8;
    cr_assert_eq(fold(0, replan()), OK, "%s", info.text);

    cr_assert_not(cube_wants_refold(cube), "there was nothing to replace");
    cr_assert_not(cube_is_settled(cube, &partition), "31 slices are of the other plan");
}

/* The groups of a journal of three: counted under the cube's plan, replaced under another, and replaced back. */
static void fold_journal(const struct frame frames[static 3], uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(cube_fold(cube, 0, &frames[i], 1, &info), OK, "%s", info.text);
}

Test(cube, cells_that_are_looked_for_behind_the_end_of_a_cut_journal_are_missed)
{
    begin(8);
    struct buffer bytes[3] = {{0}};
    struct frame frames[3];
    int32_t partition;
    maker_add(&maker, &declaration, 1);
    for (int i = 0; i < 3; i++) {
        maker.plan_id = i == 1 ? 7 : 8;
        struct bytes made = i == 0 ? maker_data(&maker) : replan();
        buffer_add(&bytes[i], made.data, made.length);
        cr_assert_eq(frame_parse(buffer_bytes(&bytes[i]), &frames[i], &info), OK);
        frames[i].offset = 10 * (i + 1);
    }
    fold_journal(frames, 2);
    cr_assert(cube_wants_refold(cube), "slice 0 of the other plan replaces what is there");
    cube_empty(cube);

    /* the log lost what stood at 20, and the slice that is counted back stands at 15 now */
    frames[2].offset = 15;
    fold_journal(frames, 1);
    cr_assert_eq(cube_fold(cube, 0, &frames[2], 1, &info), OK, "%s", info.text);

    cr_assert(cube_lacks_cells(cube));
    cr_assert_not(cube_is_settled(cube, &partition));
    cube_forget_places(cube);
    cube_empty(cube);
    cr_assert_not(cube_lacks_cells(cube), "it begins anew");
    for (int i = 0; i < 3; i++)
        buffer_fini(&bytes[i]);
}

Test(cube, frame_of_another_partition_is_refused)
{
    view_plan_default(&plan);
    begin_with_plan(0, 1);
    maker_add(&maker, &declaration, 1);

    expect_refused("in the journal of partition 0");
}

Test(cube, code_number_that_was_never_explained_is_refused)
{
    begin(0);
    declaration.office = 99;
    maker_add(&maker, &declaration, 1);

    expect_refused("is broken");
}

Test(cube, data_without_control_totals_is_refused)
{
    begin(0);
    struct buffer payload = {0};
    frame_put_counts(&payload, &maker.counts);

    cr_assert_eq(fold(0, maker_seal(&maker, FRAME_DATA, true, 0, &payload)), ERR_BROKEN);

    buffer_fini(&payload);
}

Test(cube, every_cut_of_a_frames_payload_is_refused_or_leaves_no_sum)
{
    begin(0);
    maker_add(&maker, &declaration, 1);
    struct bytes bytes = maker_data(&maker);
    struct frame frame;
    cr_assert_eq(frame_parse(bytes, &frame, &info), OK);

    for (size_t length = 0; length < frame.payload.length; length++) {
        struct cube *fresh = cube_new(&plan, 2, 0);
        struct frame cut = frame;
        cut.payload.length = length;
        cr_assert_neq(cube_fold(fresh, 0, &cut, 1, &info), OK, "cut at %zu", length);
        for (uint32_t i = 0; i < cube_count(fresh); i++)
            cr_assert(cube_measures(fresh, i)->items == 0 && cube_measures(fresh, i)->value_minor == 0);
        cr_assert_eq(cube_dirty_count(fresh), 0);
        cube_free(fresh);
    }
}

Test(cube, one_declaration_stands_in_each_view_and_in_the_month_of_day_views)
{
    begin(7);
    maker_add(&maker, &declaration, 1);

    fold_data();

    for (uint32_t view = 0; view < plan.count; view++) {
        uint32_t cells;
        struct measures month = sum_of(plan.views[view].name, true, &cells);
        cr_assert_eq(cells, 1, "%s", plan.views[view].name);
        cr_assert(month.value_minor == 100 && month.items == 1 && month.declarations == 1);
        struct measures day = sum_of(plan.views[view].name, false, &cells);
        cr_assert_eq(cells, plan.views[view].grain == GRAIN_DAY ? 1 : 0);
        cr_assert(day.value_minor == (plan.views[view].grain == GRAIN_DAY ? 100 : 0));
        cr_assert_eq(cube_view_cells(cube, view), 1);
    }
    cr_assert_eq(cube_declarations(cube), 1);
}

Test(cube, a_declaration_counts_once_in_a_derived_cell_that_two_of_its_leaf_cells_fall_into)
{
    begin(0);
    struct contribution_item items[3] = {item_of(10121, "KZ", 100, 5000), item_of(10129, "KZ", 200, 1),
                                         item_of(10121, "KG", 1, 1)};
    declaration = of_items(&maker, items, 3, 20250703);
    maker_add(&maker, &declaration, 1);

    fold_data();

    cr_assert_eq(sum_of("heading", true, NULL).declarations, 1);
    cr_assert_eq(sum_of("flow", true, NULL).declarations, 1);
    cr_assert_eq(sum_of("flow", false, NULL).declarations, 1);
    cr_assert_eq(sum_of("chapter", true, NULL).declarations, 2);
    cr_assert_eq(sum_of("commodity", true, NULL).declarations, 3);
    cr_assert(sum_of("heading", true, NULL).value_minor == 301);
}

Test(cube, equal_codes_of_two_partitions_with_different_numbers_are_one_cell)
{
    struct maker other;
    begin(0);
    maker_init(&other, &plan, 1);
    maker_code(&other, "9999"); /* moves the numbers of the second partition */
    struct contribution same = of_items(&other, &horse, 1, 20250703);
    maker_add(&maker, &declaration, 1);
    maker_add(&other, &same, 1);

    fold_data();
    cr_assert_eq(fold(1, maker_data(&other)), OK, "%s", info.text);

    uint32_t cells;
    cr_assert_eq(sum_of("office", false, &cells).declarations, 2);
    cr_assert_eq(cells, 1);
    maker_fini(&other);
}

Test(cube, a_changed_cell_is_listed_once_until_it_is_taken)
{
    begin(0);
    maker_add(&maker, &declaration, 1);
    fold_data();
    uint32_t cells = cube_count(cube);
    maker_add(&maker, &declaration, 1);
    fold_data();

    cr_assert_eq(cube_dirty_count(cube), cells);
    for (uint32_t i = 0; i < cells; i++) {
        cr_assert_eq(cube_dirty_first(cube), i);
        cube_dirty_take(cube);
    }
    cr_assert_eq(cube_dirty_first(cube), TABLE_NONE);
    maker_add(&maker, &declaration, 1);
    fold_data();
    cr_assert_eq(cube_dirty_count(cube), cells);
}

Test(cube, a_frequency_that_is_not_published_is_never_listed)
{
    view_plan_default(&plan);
    cr_assert_eq(view_plan_option(&plan, TEXT("flow"), TEXT("publish"), TEXT("month"), NULL), OK);
    begin_with_plan(0, 0);
    maker_add(&maker, &declaration, 1);
    fold_data();

    cr_assert_eq(cube_dirty_count(cube), cube_count(cube) - 1);
}

Test(cube, a_cell_that_only_a_sum_of_it_is_published_of_is_listed_and_found_by_its_key)
{
    view_plan_default(&plan);
    cr_assert_eq(view_plan_option(&plan, TEXT("flow"), TEXT("publish"), TEXT("ytd,7d"), NULL), OK);
    begin_with_plan(0, 0);
    maker_add(&maker, &declaration, 1);
    fold_data();

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
}

/* Random declarations, replaces and cancels; sums of every view compared with plain addition of what is left. */
Test(cube, sums_equal_plain_addition_of_what_was_not_taken_back)
{
    enum { MANY = 600 };
    begin(0);
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
        contributions[i] =
            of_items(&maker, items[i], 1 + (uint32_t)(random >> 60) % 3, 20250601 + (uint32_t)(random >> 40) % 30);
        maker_add(&maker, &contributions[i], 1);
        bool taken_back = i % 3 == 0 && i > 10;
        if (taken_back)
            maker_add(&maker, &contributions[i - 9], -1);
        if (i % 50 == 49)
            fold_data();
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
        struct measures month = sum_of(plan.views[view].name, true, NULL);
        cr_assert(month.value_minor == value && month.net_mass_mg == mass && month.items == count, "%s",
                  plan.views[view].name);
        if (plan.views[view].grain == GRAIN_DAY) {
            struct measures day = sum_of(plan.views[view].name, false, NULL);
            cr_assert(day.value_minor == value && day.items == count && day.declarations == month.declarations);
        }
    }
}

/* ---- hours that leave ---- */

static void begin_with_hours(void)
{
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("hours"), TEXT("office,flow@hour"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("all_hours"), TEXT("flow@hour"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("days"), TEXT("flow@day"), &info), OK);
    view_plan_finish(&plan);
    begin_with_plan(0, 0);
}

static void count_hour(int64_t hour, int sign)
{
    declaration.hour = hour;
    maker_add(&maker, &declaration, sign);
}

/* The control totals of the group have them still: it would be refused else. */
Test(cube, hours_that_are_left_out_make_no_cells_and_break_no_control_total)
{
    begin_with_hours();
    cube_leave_out(cube, 1000);
    cube_leave_out(cube, 10); /* it does not fall */
    for (int64_t hour = 990; hour < 1010; hour++)
        count_hour(hour, 1);
    fold_data();
    cr_assert_eq(cube_view_cells(cube, 0), 10);
    cr_assert_eq(cube_view_cells(cube, 1), 10);
    cr_assert_eq(cube_view_cells(cube, 2), 1);
    count_hour(995, -1); /* a correction */
    count_hour(1005, -1);
    fold_data();
    struct measures sum = sum_of("all_hours", false, NULL);
    cr_assert_eq(sum.items, 9);
    sum = sum_of("days", false, NULL);
    cr_assert_eq(sum.items, 18, "days have all");
}

static bool is_even(void *context, uint32_t index)
{
    uint32_t *asked = context;
    ++*asked;
    return cell_is_hour(cube_key(cube, index)) && cell_hour(cube_key(cube, index)) % 2 == 0;
}

Test(cube, cells_that_leave_are_gone_and_the_others_have_their_sums_links_and_marks)
{
    begin_with_hours();
    for (int64_t hour = 0; hour < 3000; hour++) { /* several chunks of cells */
        horse.value_minor = hour + 1;
        count_hour(hour, 1);
    }
    fold_data();
    while (cube_dirty_first(cube) != TABLE_NONE)
        cube_dirty_take(cube);
    horse.value_minor = 7;
    count_hour(500, 1); /* marked: it stays */
    fold_data();
    uint32_t count = cube_count(cube);
    for (uint32_t i = 0; i < count; i++)
        cube_set_link(cube, i, i + 100000);
    struct table_key *keys = memory_new(count, sizeof keys[0]);
    for (uint32_t i = 0; i < count; i++)
        keys[i] = *cube_key(cube, i);

    uint32_t asked = 0;
    uint32_t *numbers = cube_compact(cube, is_even, &asked);
    cr_assert_eq(asked, count - cube_dirty_count(cube), "none that is marked");
    cr_assert_eq(cube_view_cells(cube, 0), 1501);
    cr_assert_eq(cube_view_cells(cube, 1), 1501);
    cr_assert_eq(cube_view_cells(cube, 2), 1);
    uint32_t next = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = numbers[i];
        bool goes = cell_is_hour(&keys[i]) && cell_hour(&keys[i]) % 2 == 0 && cell_hour(&keys[i]) != 500;
        cr_assert_eq(number == TABLE_NONE, goes);
        cr_assert_eq(cube_find(cube, &keys[i], table_hash(&keys[i])), number);
        if (goes)
            continue;
        cr_assert_eq(number, next++);
        cr_assert_eq(cube_link(cube, number), i + 100000);
        if (cell_is_hour(&keys[i]))
            cr_assert_eq(cube_measures(cube, number)->value_minor,
                         cell_hour(&keys[i]) + 1 + (cell_hour(&keys[i]) == 500 ? 7 : 0));
    }
    for (uint32_t left = cube_dirty_count(cube); left > 0; left--) {
        const struct table_key *key = cube_key(cube, cube_dirty_first(cube));
        cr_assert(!cell_is_hour(key) || cell_hour(key) == 500);
        cube_dirty_take(cube);
    }
    memory_free(numbers);
    memory_free(keys);

    count_hour(4, 1); /* what had left and is not left out begins anew, at zero */
    count_hour(5000, 1);
    fold_data();
    struct measures sum = {0};
    for (uint32_t i = 0; i < cube_count(cube); i++) {
        if (cell_view(cube_key(cube, i)) == 1 &&
            (cell_hour(cube_key(cube, i)) == 4 || cell_hour(cube_key(cube, i)) == 5000))
            measures_add(&sum, cube_measures(cube, i));
    }
    cr_assert_eq(sum.value_minor, 14);
    cr_assert_eq(sum.items, 2);
}
