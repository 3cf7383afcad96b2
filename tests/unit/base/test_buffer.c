/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <criterion/criterion.h>

Test(buffer, reading_past_the_end_fails_for_good_and_yields_zeros)
{
    static const uint8_t three[] = {1, 2, 3};
    struct reader reader = reader_of((struct bytes){three, 3});

    cr_assert_eq(reader_u32(&reader), 0);
    cr_assert(reader.failed);
    cr_assert_eq(reader_u8(&reader), 0, "what is left is not read after a failure");
    cr_assert_eq(reader_u64(&reader), 0);
    cr_assert_eq(reader_varint(&reader), 0);
    cr_assert_eq(reader_zigzag(&reader), 0);
    cr_assert_eq(reader_bytes(&reader, 1).length, 0);
    cr_assert(reader.failed);
}

Test(buffer, request_of_the_largest_length_fails)
{
    static const uint8_t three[] = {1, 2, 3};
    struct reader reader = reader_of((struct bytes){three, 3});

    cr_assert_eq(reader_bytes(&reader, SIZE_MAX).length, 0);
    cr_assert(reader.failed);
}

Test(buffer, empty_bytes_read_as_nothing)
{
    struct reader reader = reader_of((struct bytes){NULL, 0});

    cr_assert_eq(reader_left(&reader), 0);
    cr_assert_eq(reader_bytes(&reader, 0).length, 0);
    cr_assert_not(reader.failed);
    reader_u8(&reader);
    cr_assert(reader.failed);
}

Test(buffer, varint_cut_short_fails)
{
    static const uint8_t cut[] = {0x80, 0x80, 0x80};
    struct reader reader = reader_of((struct bytes){cut, sizeof cut});

    cr_assert_eq(reader_varint(&reader), 0);
    cr_assert(reader.failed);
}

Test(buffer, varint_beyond_64_bits_fails)
{
    static const uint8_t too_large[] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02};
    static const uint8_t too_long[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00};
    struct reader reader = reader_of((struct bytes){too_large, sizeof too_large});
    cr_assert_eq(reader_varint(&reader), 0);
    cr_assert(reader.failed);

    reader = reader_of((struct bytes){too_long, sizeof too_long});
    cr_assert_eq(reader_varint(&reader), 0);
    cr_assert(reader.failed);
}

Test(buffer, varints_and_zigzags_come_back)
{
    struct buffer buffer = {0};
    static const int64_t values[] = {0,   1,     -1,    63,        -64,       64,        127,
                                     128, 16383, 16384, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    enum { COUNT = sizeof values / sizeof values[0] };
    for (int i = 0; i < COUNT; i++) {
        buffer_add_zigzag(&buffer, values[i]);
        buffer_add_varint(&buffer, (uint64_t)values[i]);
    }
    for (int shift = 0; shift < 64; shift++)
        buffer_add_varint(&buffer, UINT64_MAX >> shift);

    struct reader reader = reader_of(buffer_bytes(&buffer));
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(reader_zigzag(&reader), values[i]);
        cr_assert_eq(reader_varint(&reader), (uint64_t)values[i]);
    }
    for (int shift = 0; shift < 64; shift++)
        cr_assert_eq(reader_varint(&reader), UINT64_MAX >> shift);

    cr_assert_not(reader.failed);
    cr_assert_eq(reader_left(&reader), 0);
    buffer_fini(&buffer);
}

Test(buffer, varint_takes_the_known_bytes)
{
    struct buffer buffer = {0};
    buffer_add_varint(&buffer, 300);
    buffer_add_zigzag(&buffer, -2);
    static const uint8_t want[] = {0xAC, 0x02, 0x03};
    cr_assert_eq(buffer.length, sizeof want);
    cr_assert_arr_eq(buffer.data, want, sizeof want);
    buffer_fini(&buffer);
}

Test(buffer, words_are_little_endian)
{
    struct buffer buffer = {0};
    buffer_add_u8(&buffer, 0xEE);
    buffer_add_u32(&buffer, 0x04030201u);
    buffer_add_u64(&buffer, 0x0C0B0A0908070605u);
    static const uint8_t want[] = {0xEE, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    cr_assert_eq(buffer.length, sizeof want);
    cr_assert_arr_eq(buffer.data, want, sizeof want);

    struct reader reader = reader_of(buffer_bytes(&buffer));
    cr_assert_eq(reader_u8(&reader), 0xEE);
    cr_assert_eq(reader_u32(&reader), 0x04030201u);
    cr_assert_eq(reader_u64(&reader), 0x0C0B0A0908070605u);
    cr_assert_not(reader.failed);
    buffer_fini(&buffer);
}

Test(buffer, growth_keeps_the_content)
{
    struct buffer buffer = {0};
    for (uint32_t i = 0; i < 100000; i++)
        buffer_add_u32(&buffer, i);
    struct reader reader = reader_of(buffer_bytes(&buffer));
    for (uint32_t i = 0; i < 100000; i++)
        cr_assert_eq(reader_u32(&reader), i);
    buffer_fini(&buffer);
    cr_assert_null(buffer.data);
    buffer_fini(&buffer);
}

Test(buffer, clear_keeps_the_memory_and_adding_nothing_changes_nothing)
{
    struct buffer buffer = {0};
    buffer_add(&buffer, NULL, 0);
    cr_assert_eq(buffer.length, 0);
    buffer_add_text(&buffer, "abc");
    const uint8_t *memory = buffer.data;
    buffer_clear(&buffer);
    cr_assert_eq(buffer.length, 0);
    buffer_add_text(&buffer, "de");
    cr_assert_eq(buffer.data, memory);
    cr_assert_eq(buffer.length, 2);
    buffer_fini(&buffer);
}

Test(buffer, format_longer_than_the_first_room_is_whole)
{
    struct buffer buffer = {0};
    buffer_add_format(&buffer, "%s-%04d|", "a", 7);
    buffer_add_format(&buffer, "%1000d", 1);
    cr_assert_eq(buffer.length, 7 + 1000);
    cr_assert_arr_eq(buffer.data, "a-0007|", 7);
    cr_assert_eq(buffer.data[1006], '1');
    buffer_fini(&buffer);
}

Test(buffer, relaxed_it_gives_back_what_a_peak_has_made_large)
{
    enum { PEAK = 4 * 1024 * 1024 };
    struct buffer buffer = {0};
    buffer.length = 0;
    memset(buffer_reserve(&buffer, PEAK), 1, PEAK);
    buffer.length = PEAK;
    buffer_relax(&buffer);
    cr_assert_eq(buffer.length, 0);
    cr_assert_geq(buffer.capacity, PEAK, "it was full: the next use is likely to fill it, too");

    buffer_add_text(&buffer, "abc");
    buffer_relax(&buffer);
    cr_assert_eq(buffer.length, 0);
    cr_assert_eq(buffer.capacity, 0);

    buffer_add_text(&buffer, "abc");
    const uint8_t *memory = buffer.data;
    buffer_relax(&buffer);
    buffer_add_text(&buffer, "de");
    cr_assert_eq(buffer.data, memory, "small memory stays");
    buffer_fini(&buffer);
}
