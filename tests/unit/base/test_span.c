/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

#include <criterion/criterion.h>

Test(span, what_is_not_a_whole_number_is_refused_and_out_untouched)
{
    static const char *const wrong[] = {"",
                                        "-",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1.0",
                                        "0x1",
                                        "1e3",
                                        "--1",
                                        "1-",
                                        "12a",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t out = 77;
        cr_assert_not(text_to_int64(text_of(wrong[i]), &out), "\"%s\"", wrong[i]);
        cr_assert_eq(out, 77, "\"%s\"", wrong[i]);
    }
    int64_t out = 77;
    cr_assert_not(text_to_int64((struct text){NULL, 0}, &out));
    cr_assert_eq(out, 77);
}

Test(span, whole_numbers_up_to_both_ends_are_read)
{
    static const struct {
        const char *text;
        int64_t value;
    } right[] = {{"0", 0},
                 {"-0", 0},
                 {"7", 7},
                 {"007", 7},
                 {"-1", -1},
                 {"9223372036854775807", INT64_MAX},
                 {"-9223372036854775808", INT64_MIN}};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        int64_t out = 77;
        cr_assert(text_to_int64(text_of(right[i].text), &out), "%s", right[i].text);
        cr_assert_eq(out, right[i].value, "%s", right[i].text);
    }
}

Test(span, number_ends_with_its_length_not_with_a_zero_byte)
{
    int64_t out = 0;
    cr_assert(text_to_int64((struct text){"12345", 3}, &out));
    cr_assert_eq(out, 123);
}

Test(span, empty_texts_are_equal_with_and_without_memory)
{
    cr_assert(text_equal((struct text){NULL, 0}, TEXT("")));
    cr_assert(text_is((struct text){NULL, 0}, ""));
    cr_assert_not(text_equal(TEXT("a"), TEXT("")));
    cr_assert_not(text_equal(TEXT("a"), TEXT("b")));
    cr_assert_not(text_equal(TEXT("ab"), TEXT("a")));
    cr_assert(text_is(TEXT("ab"), "ab"));
    cr_assert_eq(text_of(NULL).length, 0);
}

Test(span, trim_of_blanks_alone_is_empty)
{
    cr_assert_eq(text_trim(TEXT(" \t\r\n ")).length, 0);
    cr_assert_eq(text_trim((struct text){NULL, 0}).length, 0);
}

Test(span, trim_keeps_blanks_inside)
{
    cr_assert(text_is(text_trim(TEXT("\t a b \r\n")), "a b"));
    cr_assert(text_is(text_trim(TEXT("ab")), "ab"));
}

Test(span, cut_without_separator_takes_all_and_leaves_nothing)
{
    struct text rest = TEXT("abc");

    struct text head = text_cut(&rest, ',');

    cr_assert(text_is(head, "abc"));
    cr_assert_eq(rest.length, 0);
    cr_assert_eq(text_cut(&rest, ',').length, 0);
}

Test(span, cut_gives_empty_parts_their_place)
{
    struct text rest = TEXT(",a,,b,");

    cr_assert(text_is(text_cut(&rest, ','), ""));
    cr_assert(text_is(text_cut(&rest, ','), "a"));
    cr_assert(text_is(text_cut(&rest, ','), ""));
    cr_assert(text_is(text_cut(&rest, ','), "b"));
    cr_assert_eq(rest.length, 0);
}

Test(span, distance_of_a_long_name_is_unknown)
{
    char name[65];
    memset(name, 'x', sizeof name);

    cr_assert_eq(text_distance((struct text){name, 65}, TEXT("x")), SIZE_MAX);
    cr_assert_eq(text_distance(TEXT("x"), (struct text){name, 65}), SIZE_MAX);
    cr_assert_eq(text_distance((struct text){name, 64}, (struct text){name, 64}), 0);
    cr_assert_eq(text_distance((struct text){name, 64}, TEXT("")), 64);
}

Test(span, distance_counts_insert_delete_replace_and_swap)
{
    cr_assert_eq(text_distance(TEXT(""), TEXT("")), 0);
    cr_assert_eq(text_distance(TEXT("brokers"), TEXT("brokers")), 0);
    cr_assert_eq(text_distance(TEXT("broker"), TEXT("brokers")), 1);
    cr_assert_eq(text_distance(TEXT("brokers"), TEXT("broker")), 1);
    cr_assert_eq(text_distance(TEXT("brakers"), TEXT("brokers")), 1);
    cr_assert_eq(text_distance(TEXT("borkers"), TEXT("brokers")), 1);
    cr_assert_eq(text_distance(TEXT("kitten"), TEXT("sitting")), 3);
    cr_assert_eq(text_distance(TEXT("ca"), TEXT("abc")), 3); /* no edit inside a swapped pair */
}

Test(span, digits_are_one_or_more_and_nothing_else)
{
    static const char *const wrong[] = {"", "-1", "+1", " 1", "1 ", "1.0", "a", "/", ":", "12:4", "\xB2"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(text_is_digits(text_of(wrong[i])), "\"%s\"", wrong[i]);
    cr_expect_not(text_is_digits((struct text){NULL, 0}));
    cr_expect(text_is_digits(TEXT("0")));
    cr_expect(text_is_digits(TEXT("0123456789012345678901234567890")));
    cr_expect(text_is_digits((struct text){"12a", 2}), "what stands behind is not its own");
}
