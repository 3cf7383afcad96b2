/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/reject_list.h"

#include <criterion/criterion.h>

static struct reject_list list;
static struct reject_list back;
static struct buffer bytes;

static void teardown(void)
{
    reject_list_fini(&list);
    reject_list_fini(&back);
    buffer_fini(&bytes);
}

TestSuite(reject_list, .fini = teardown);

static void add(int64_t offset, int32_t index, int32_t day)
{
    struct reject_place place = {offset, index, 502};
    reject_list_add(&list, &place, day);
}

/* Reads all sections in `bytes`. */
static bool get_all(uint32_t slice)
{
    struct reader reader = reader_of(buffer_bytes(&bytes));
    enum frame_section section;
    struct bytes content;
    bool broken = false;
    while (frame_next_section(&reader, &section, &content, &broken)) {
        cr_assert_eq(section, SECTION_LISTED);
        if (!reject_list_get(content, &back, slice))
            return false;
    }
    return !broken;
}

Test(reject_list, what_is_put_in_several_sections_comes_back)
{
    enum { COUNT = 2500 };
    for (int64_t i = 0; i < COUNT; i++)
        add(3 + i * SLICES * 1000000, (int32_t)(i % 3 - 1), 20000 + (int32_t)(i / 100));
    for (size_t index = 0; index < COUNT;)
        reject_list_put(&bytes, &list, 3, &index, 1000);

    cr_assert(get_all(3));
    cr_assert_eq(back.count[3], COUNT);
    for (int64_t i = 0; i < COUNT; i++) {
        cr_assert_eq(back.kept[3][i].offset, 3 + i * SLICES * 1000000);
        cr_assert_eq(back.kept[3][i].index, i % 3 - 1);
        cr_assert_eq(back.kept[3][i].rule_number, 502);
        cr_assert_eq(back.kept[3][i].day, 20000 + i / 100);
    }
}

Test(reject_list, a_reject_is_in_the_slice_of_its_offset)
{
    for (int64_t offset = 0; offset < 3 * SLICES; offset++)
        add(offset, -1, 20000);
    for (uint32_t slice = 0; slice < SLICES; slice++)
        cr_assert_eq(list.count[slice], 3);
}

Test(reject_list, what_the_topic_has_deleted_is_forgotten)
{
    add(5, -1, 20000);
    add(5 + SLICES, -1, 20001);
    add(5 + 2 * SLICES, -1, 20002);
    add(6, -1, 20000);

    reject_list_expire(&list, 5, 20001);

    cr_assert_eq(list.count[5], 2);
    cr_assert_eq(list.kept[5][0].offset, 5 + SLICES);
    cr_assert_eq(list.count[6], 1);
}

Test(reject_list, sections_that_no_writer_writes_are_refused)
{
    add(7, 2, 20000);
    size_t index = 0;
    reject_list_put(&bytes, &list, 7, &index, 10);
    cr_assert(!get_all(8), "of another slice");
    for (size_t length = 6; length < bytes.length; length++)
        cr_assert(!reject_list_get((struct bytes){bytes.data + 5, length - 5}, &back, 7), "%zu bytes", length);
    static const char *const broken[] = {
        "\x0D\x04\xF6\x03\x00", /* offset -7 */
        "\x0E\x03\xF6\x03\x00", /* index -2 */
        "\x0E\x04\xE8\x07\x00", /* rule 1000 */
        "\x0E\x04\xF6\x03\x01", /* day -1 */
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        cr_assert(!reject_list_get((struct bytes){(const uint8_t *)broken[i], 5}, &back, 7), "case %zu", i);
    cr_assert(reject_list_get((struct bytes){(const uint8_t *)"\x0E\x04\xF6\x03\x00", 5}, &back, 7));
}
