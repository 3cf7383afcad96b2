/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/key_text.h"

#include <criterion/criterion.h>

static struct text written(struct buffer *buffer, struct text text)
{
    buffer_clear(buffer);
    key_text_add(buffer, text);
    return (struct text){(const char *)buffer->data, (uint32_t)buffer->length};
}

static void expect_written(const char *text, const char *wanted)
{
    struct buffer buffer = {0};
    struct text found = written(&buffer, text_of(text));
    cr_expect(text_is(found, wanted), "\"%s\" is written \"%.*s\"", text, TEXT_ARGS(found));
    buffer_fini(&buffer);
}

static void expect_shown(const char *text, const char *wanted)
{
    struct buffer buffer = {0};
    key_text_add_read(&buffer, text_of(text));
    struct text found = {(const char *)buffer.data, (uint32_t)buffer.length};
    cr_expect(text_is(found, wanted), "\"%s\" is shown \"%.*s\"", text, TEXT_ARGS(found));
    buffer_fini(&buffer);
}

Test(key_text, what_would_cut_a_key_or_is_not_seen_is_escaped_and_its_neighbours_are_not)
{
    expect_written("", "");
    expect_written("2244", "2244");
    expect_written("a|b=c%d", "a%7Cb%3Dc%25d");
    expect_written(" !~\x7F\t\n", "%20!~%7F%09%0A");
    expect_written("\xC3\xA9", "%C3%A9");
}

Test(key_text, it_is_added_behind_what_the_buffer_has)
{
    struct buffer buffer = {0};

    buffer_add_text(&buffer, "zone=");
    key_text_add(&buffer, TEXT("a b"));
    key_text_add_read(&buffer, TEXT("%7C"));

    cr_expect(text_is((struct text){(const char *)buffer.data, (uint32_t)buffer.length}, "zone=a%20b|"));
    buffer_fini(&buffer);
}

Test(key_text, every_byte_comes_back_and_grows_to_three_at_most)
{
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    struct buffer buffer = {0};
    char room[256];
    struct text back = {NULL, 0};

    struct text text = written(&buffer, (struct text){all, sizeof all});

    cr_assert_leq(text.length, KEY_TEXT_GROWTH * sizeof all);
    for (uint32_t i = 0; i < text.length; i++)
        cr_assert(text.data[i] >= 0x21 && text.data[i] <= 0x7E && text.data[i] != '|' && text.data[i] != '=');
    cr_assert(key_text_read(text, room, sizeof room, &back));
    cr_expect_eq(back.data, room);
    cr_expect(text_equal(back, (struct text){all, sizeof all}));
    struct buffer shown = {0};
    key_text_add_read(&shown, text);
    cr_expect_eq(shown.length, sizeof all);
    cr_expect_eq(memcmp(shown.data, all, sizeof all), 0);
    buffer_fini(&shown);
    buffer_fini(&buffer);
}

Test(key_text, a_text_that_fills_the_room_is_read_and_one_byte_more_is_not)
{
    char room[4];
    struct text out = {NULL, 7};

    cr_expect_not(key_text_read(TEXT("abcde"), room, sizeof room, &out));
    cr_expect_not(key_text_read(TEXT("abcd%7C"), room, sizeof room, &out));
    cr_expect_eq(out.length, 7, "untouched");
    cr_expect(key_text_read(TEXT("a%7C%25b"), room, sizeof room, &out));
    cr_expect(text_is(out, "a|%b"));
    cr_expect(key_text_read(TEXT(""), room, sizeof room, &out));
    cr_expect_eq(out.length, 0);
}

Test(key_text, a_percent_without_two_capital_digits_is_refused_when_read_and_itself_when_shown)
{
    static const char *const wrong[] = {"%", "a%4", "%4", "%G0", "%0G", "%4g", "%7c", "%-1", "%%41"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char room[8];
        struct text out = {NULL, 7};
        cr_expect_not(key_text_read(text_of(wrong[i]), room, sizeof room, &out), "\"%s\"", wrong[i]);
        cr_expect_eq(out.length, 7, "\"%s\"", wrong[i]);
    }
    expect_shown("%", "%");
    expect_shown("a%4", "a%4");
    expect_shown("%G0%0G%7c", "%G0%0G%7c");
    expect_shown("%%41", "%A");
}

Test(key_text, nothing_is_read_behind_the_end_of_a_text)
{
    char room[8];
    struct text out;
    struct text cut = {"a%7C", 3};
    struct buffer buffer = {0};

    cr_expect_not(key_text_read(cut, room, sizeof room, &out));
    key_text_add_read(&buffer, cut);

    cr_expect(text_is((struct text){(const char *)buffer.data, (uint32_t)buffer.length}, "a%7"));
    buffer_fini(&buffer);
}
