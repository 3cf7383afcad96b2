/* SPDX-License-Identifier: Apache-2.0 */
#include "desk_fixture.h"

#include "flow/builder.h"

static struct desk desk;
static struct group *group;

static void setup(void)
{
    desk_init(&desk);
    group = group_new();
    group->kind = FRAME_MARK;
    group->lo = 3;
    group->hi = 9;
}

static void teardown(void)
{
    group_free(group);
    desk_fini(&desk);
}

TestSuite(builder, .init = setup, .fini = teardown);

Test(builder, a_section_that_has_no_room_begins_the_next_frame)
{
    struct builder builder = builder_of(&desk.partition, group, 77);
    static uint8_t half[FRAME_BYTES_MOST / 2];
    for (int i = 0; i < 3; i++) {
        builder_room(&builder, sizeof half + 5);
        frame_put_bytes(&builder.payload, SECTION_REASON, (struct bytes){half, sizeof half});
    }
    builder_finish(&builder, &desk.partition.state);

    cr_assert_eq(group->frame_count, 3);
    size_t at = 0;
    for (uint32_t i = 0; i < group->frame_count; i++) {
        cr_assert_leq(group->frame_bytes[i], FRAME_BYTES_MOST);
        struct frame frame;
        struct err_info info;
        frame_seal(group->bytes.data + at, group->frame_bytes[i], &(struct frame_nonce){{1, 2}}, i + 1);
        cr_assert_eq(frame_parse((struct bytes){group->bytes.data + at, group->frame_bytes[i]}, &frame, &info), OK);
        cr_assert_eq(frame.last, i == 2);
        cr_assert_eq(frame.kind, FRAME_MARK);
        cr_assert_eq(frame.lo, 3);
        cr_assert_eq(frame.hi, 9);
        cr_assert_eq(frame.plan, 77);
        at += group->frame_bytes[i];
    }
}

static struct frame frame_at(uint32_t index, size_t *at)
{
    struct frame frame;
    struct err_info info;
    frame_seal(group->bytes.data + *at, group->frame_bytes[index], &(struct frame_nonce){{1, 2}}, index + 1);
    enum err err = frame_parse((struct bytes){group->bytes.data + *at, group->frame_bytes[index]}, &frame, &info);
    cr_assert_eq(err, OK, "%s", info.text);
    *at += group->frame_bytes[index];
    return frame;
}

Test(builder, a_section_that_is_put_alone_has_a_frame_of_its_own)
{
    struct builder builder = builder_of(&desk.partition, group, 77);
    static const uint8_t alone[] = {1, 2, 3};
    frame_put_bytes(&builder.payload, SECTION_REASON, (struct bytes){alone, 1});
    builder_put_alone(&builder, SECTION_LEDGER, (struct bytes){alone, sizeof alone});
    builder_put_alone(&builder, SECTION_LEDGER, (struct bytes){alone, 2});
    builder_finish(&builder, &desk.partition.state);

    cr_assert_eq(group->frame_count, 4);
    size_t at = 0;
    for (uint32_t i = 0; i < 4; i++) {
        struct frame frame = frame_at(i, &at);
        struct bytes bytes;
        cr_assert_eq(frame.last, i == 3);
        cr_assert_eq(frame.kind, FRAME_MARK);
        cr_assert_eq(frame_find_section(&frame, SECTION_REASON, &bytes), i == 0);
        cr_assert_eq(frame_find_section(&frame, SECTION_CONTROL, &bytes), i == 3);
        cr_assert_eq(frame_find_section(&frame, SECTION_LEDGER, &bytes), i == 1 || i == 2);
        if (i == 1 || i == 2)
            cr_assert_eq(bytes.length, 4 - i);
        if (i == 1)
            cr_assert_eq(frame.payload.length, 5 + sizeof alone);
    }
    cr_assert_eq(at, group->bytes.length);
}

Test(builder, a_group_of_too_many_frames_is_full_and_not_longer)
{
    struct builder builder = builder_of(&desk.partition, group, 77);
    for (int i = 0; i <= FRAMES_A_GROUP_MOST; i++)
        builder_close(&builder, false);
    builder_put_alone(&builder, SECTION_LEDGER, (struct bytes){NULL, 0});
    builder_finish(&builder, &desk.partition.state);

    cr_assert(builder.is_full);
    cr_assert_eq(group->frame_count, FRAMES_A_GROUP_MOST);
}

Test(builder, codes_are_put_from_the_first_number_on_in_sections_that_fit)
{
    struct dictionary *dictionary = &desk.partition.state.dictionary;
    for (uint64_t i = 1; i < 170000; i++)
        dictionary_number_of_code(dictionary, i << 8 | 'A');
    struct builder builder = builder_of(&desk.partition, group, 77);
    builder_put_codes(&builder, dictionary, 1);
    builder_finish(&builder, &desk.partition.state);

    struct dictionary read;
    dictionary_init(&read);
    size_t at = 0;
    int sections = 0;
    for (uint32_t i = 0; i < group->frame_count; i++) {
        struct reader reader = reader_of(
            (struct bytes){group->bytes.data + at + FRAME_HEADER_BYTES, group->frame_bytes[i] - FRAME_HEADER_BYTES});
        enum frame_section section;
        struct bytes bytes;
        bool broken = false;
        while (frame_next_section(&reader, &section, &bytes, &broken)) {
            if (section != SECTION_CODES)
                continue;
            sections++;
            cr_assert(frame_get_codes(bytes, &read));
            cr_assert(frame_get_codes_again(bytes, &read), "the same codes again are no error in a snapshot");
        }
        at += group->frame_bytes[i];
    }
    cr_assert_eq(sections, 3);
    cr_assert_eq(read.count, dictionary->count);
    dictionary_fini(&read);
}
