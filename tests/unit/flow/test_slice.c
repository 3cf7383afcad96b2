/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/slice.h"

#include <criterion/criterion.h>

static struct slices slices;
static struct slice_group group;
static struct err_info info;

static void setup(void)
{
    slices = (struct slices){0};
    info = (struct err_info){{0}};
}

TestSuite(slice, .init = setup);

static struct frame_nonce nonce_of(uint64_t number)
{
    return (struct frame_nonce){{number, 7}};
}

static enum err take(enum frame_kind kind, uint64_t plan, uint32_t slice, bool replan)
{
    struct buffer payload = {0};
    struct slice_head head = {.slice = slice, .replan = replan, .has_record = true};
    if (kind == FRAME_SNAP)
        slice_put_head(&payload, &head);
    struct frame frame = {
        .kind = kind, .last = true, .plan = plan, .hi = kind == FRAME_DATA, .payload = buffer_bytes(&payload)};
    enum err err = slices_take(&slices, &frame, 1, &group, &info);
    buffer_fini(&payload);
    return err;
}

Test(slice, a_head_comes_back_as_it_was_put_with_the_last_64_opens_oldest_first)
{
    struct slice_head head = {.slice = 31, .replan = true, .has_record = false};
    for (uint64_t i = 0; i < 100; i++)
        slice_window_add(&head.window, &(struct frame_nonce){{i, 7}});
    struct buffer payload = {0};
    slice_put_head(&payload, &head);

    struct slice_head back;
    cr_assert(slice_get_head(buffer_bytes(&payload), &back));
    cr_assert_eq(back.slice, 31);
    cr_assert(back.replan);
    cr_assert(!back.has_record);
    cr_assert_eq(back.window.count, SLICE_WINDOW);
    cr_assert_eq(back.window.nonces[0].word[0], 36);
    cr_assert_eq(back.window.nonces[63].word[0], 99);
    struct frame_nonce next = nonce_of(100);
    slice_window_add(&back.window, &next);
    slice_window_add(&head.window, &next);
    for (uint64_t i = 0; i <= 101; i++) {
        struct frame_nonce nonce = nonce_of(i);
        cr_assert_eq(slice_window_has(&back.window, &nonce), slice_window_has(&head.window, &nonce), "OPEN %d", (int)i);
    }
    buffer_fini(&payload);
}

Test(slice, a_window_is_stamped_again_in_its_place)
{
    struct frame header = {.kind = FRAME_SNAP, .last = true};
    struct slice_head head = {.slice = 4};
    struct frame_nonce first = nonce_of(1);
    slice_window_add(&head.window, &first);
    struct buffer frame = {0};
    buffer_reserve(&frame, FRAME_HEADER_BYTES);
    frame_write_header(&header, frame.data);
    frame.length = FRAME_HEADER_BYTES;
    slice_put_head(&frame, &head);
    struct frame_nonce second = nonce_of(2);
    slice_window_add(&head.window, &second);

    slice_stamp_window(frame.data, &head.window);

    struct slice_head back;
    cr_assert(
        slice_get_head((struct bytes){frame.data + FRAME_HEADER_BYTES, frame.length - FRAME_HEADER_BYTES}, &back));
    cr_assert_eq(back.slice, 4);
    cr_assert_eq(back.window.count, 2);
    cr_assert(slice_window_has(&back.window, &second));
    buffer_fini(&frame);
}

Test(slice, heads_that_no_writer_writes_are_none)
{
    struct buffer payload = {0};
    slice_put_head(&payload, &(struct slice_head){.slice = 1});
    struct slice_head back;
    enum { SLICE_AT = 5 + 1 + SLICE_WINDOW * 16 + 5 };
    for (size_t length = 0; length < payload.length; length++)
        cr_assert(!slice_get_head((struct bytes){payload.data, length}, &back), "%zu bytes", length);
    static const struct {
        size_t at;
        uint8_t byte;
    } wrong[] = {{0, SECTION_SLICE}, {5, SLICE_WINDOW + 1}, {SLICE_AT, SLICES}, {SLICE_AT + 1, SLICES / 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t was = payload.data[wrong[i].at];
        payload.data[wrong[i].at] = wrong[i].byte;
        cr_assert(!slice_get_head(buffer_bytes(&payload), &back), "case %zu", i);
        payload.data[wrong[i].at] = was;
    }
    cr_assert(slice_get_head(buffer_bytes(&payload), &back));
    buffer_fini(&payload);
}

Test(slice, control_totals_come_back_as_they_were_put)
{
    struct slice_whole whole = {{UINT64_MAX - 1, 300, UINT64_MAX - 2, 301}, 77, 1ULL << 40};
    struct buffer payload = {0};
    slice_put_whole(&payload, &whole);
    struct slice_whole back;
    cr_assert(slice_get_whole((struct bytes){payload.data + 5, payload.length - 5}, &back));
    cr_assert(ledger_sums_equal(&back.ledger, &whole.ledger));
    cr_assert_eq(back.cell_sum, whole.cell_sum);
    cr_assert_eq(back.cells, whole.cells);
    cr_assert(!slice_get_whole((struct bytes){payload.data + 5, payload.length - 6}, &back));
    buffer_fini(&payload);
}

Test(slice, a_reader_that_begins_with_data_has_every_slice)
{
    cr_assert(slices_are_whole(&slices), "nothing was counted yet");
    cr_assert_eq(take(FRAME_DATA, 5, 0, false), OK);
    cr_assert(slices_are_whole(&slices));
    cr_assert_eq(group.use, SLICE_NONE);
    cr_assert_eq(group.have, UINT32_MAX);
    cr_assert_eq(take(FRAME_SNAP, 5, 0, false), OK);
    cr_assert_eq(group.use, SLICE_COMPARE);
    cr_assert(!group.is_first);
}

Test(slice, a_reader_that_begins_with_a_slice_has_each_when_it_came)
{
    slices_begin_trimmed(&slices);
    cr_assert(!slices_are_whole(&slices));
    for (uint32_t i = 0; i < SLICES; i++) {
        cr_assert_eq(take(FRAME_SNAP, 5, i, false), OK);
        cr_assert_eq(group.use, SLICE_LOAD);
        cr_assert_eq(group.is_first, i == 0);
        cr_assert(group.has_record);
        cr_assert_eq(slices_are_whole(&slices), i == SLICES - 1, "slice %u", i);
        cr_assert_eq(take(FRAME_DATA, 5, 0, false), OK);
        cr_assert_eq(group.have, (uint32_t)((2ULL << i) - 1));
    }
}

Test(slice, data_of_another_plan_halts_on_any_slice_that_the_reader_has)
{
    slices_begin_trimmed(&slices);
    cr_assert_eq(take(FRAME_SNAP, 5, 0, false), OK);
    cr_assert_eq(take(FRAME_SNAP, 6, 1, true), OK, "loaded, whatever its plan");
    cr_assert_eq(take(FRAME_DATA, 5, 0, false), ERR_BROKEN);
    cr_assert(strstr(info.text, "on slice 1 of plan 0000000000000006"), "%s", info.text);
    cr_assert_eq(take(FRAME_DATA, 6, 0, false), ERR_BROKEN);
}

Test(slice, a_slice_of_another_plan_halts_a_reader_that_has_it_unless_it_replaces)
{
    cr_assert_eq(take(FRAME_DATA, 5, 0, false), OK);
    cr_assert(slices_are_of_plan(&slices, 5));
    cr_assert_eq(take(FRAME_SNAP, 6, 2, false), ERR_BROKEN);
    for (uint32_t i = 0; i < SLICES; i++) {
        cr_assert_eq(take(FRAME_SNAP, 6, i, true), OK);
        cr_assert_eq(group.use, SLICE_REPLACE);
        cr_assert_eq(slices_are_of_plan(&slices, 6), i == SLICES - 1);
    }
    cr_assert_eq(take(FRAME_DATA, 6, 0, false), OK);
}

/* Rules and lists changed: what was counted stays, and adds up with what comes. */
Test(slice, a_plan_with_the_same_cells_goes_on_where_the_other_ended)
{
    uint64_t before = plan_make(5, 1);
    uint64_t after = plan_make(5, 2);
    cr_assert_neq(before, after);
    cr_assert_eq(take(FRAME_DATA, before, 0, false), OK);
    cr_assert(slices_are_of_plan(&slices, after));
    cr_assert_eq(take(FRAME_DATA, after, 0, false), OK, "%s", info.text);
    cr_assert_eq(take(FRAME_SNAP, after, 3, false), OK, "%s", info.text);
    cr_assert_eq(group.use, SLICE_COMPARE);
    cr_assert_eq(take(FRAME_DATA, before, 0, false), OK, "a process that has not reloaded yet: %s", info.text);
    cr_assert_eq(take(FRAME_DATA, plan_make(6, 2), 0, false), ERR_BROKEN);
}

Test(slice, a_slice_of_a_state_without_plan_fixes_it)
{
    cr_assert_eq(take(FRAME_SKIP, 0, 0, false), OK);
    cr_assert_eq(take(FRAME_SNAP, 6, 2, false), OK);
    cr_assert_eq(group.use, SLICE_COMPARE);
    cr_assert_eq(take(FRAME_DATA, 5, 0, false), ERR_BROKEN);
}

Test(slice, a_snapshot_that_moves_the_position_or_has_no_head_halts)
{
    struct frame frame = {.kind = FRAME_SNAP, .last = true, .lo = 4, .hi = 5};
    cr_assert_eq(slices_take(&slices, &frame, 1, &group, &info), ERR_BROKEN);
    frame.hi = 4;
    cr_assert_eq(slices_take(&slices, &frame, 1, &group, &info), ERR_BROKEN);
    cr_assert(strstr(info.text, "head"), "%s", info.text);
}
