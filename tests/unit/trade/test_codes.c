/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/codes.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(codes, an_empty_table_finds_nothing)
{
    struct codes codes = {0};

    cr_expect_not(codes_has(&codes, codes_key(TEXT("A"))));
    cr_expect_not(codes_has(&codes, 0));
    codes_fini(&codes);
}

Test(codes, empty_and_long_texts_have_no_key)
{
    cr_expect_eq(codes_key(TEXT("")), 0);
    cr_expect_eq(codes_key(TEXT("123456789")), 0);
}

Test(codes, texts_that_differ_have_keys_that_differ)
{
    static const char *const texts[] = {"A",     "B",      "AA",      "AB",      "BA",       "AAA",
                                        "AAB",   "ABA",    "BAA",     "AAAA",    "AAAB",     "BAAAA",
                                        "AAAAB", "AAAAAB", "AAAAAAB", "AAAAAAA", "AAAAAAAB", "AAAAAAAA"};
    enum { TEXTS = sizeof texts / sizeof texts[0] };
    for (int i = 0; i < TEXTS; i++) {
        for (int k = 0; k < TEXTS; k++)
            cr_expect((codes_key(text_of(texts[i])) == codes_key(text_of(texts[k]))) == (i == k), "%s %s", texts[i],
                      texts[k]);
    }
}

Test(codes, a_country_is_its_two_letters_and_less_is_none)
{
    cr_expect_eq(codes_country(TEXT("CN")), 0x434E);
    cr_expect_eq(codes_country(TEXT("NC")), 0x4E43);
    cr_expect_eq(codes_country(TEXT("C")), 0);
    cr_expect_eq(codes_country((struct text){NULL, 0}), 0);
}

Test(codes, a_second_put_of_a_key_leaves_the_first_value)
{
    struct codes codes = {0};
    uint32_t value = 0;

    cr_expect(codes_put(&codes, 5, 50, &value));
    cr_expect_not(codes_put(&codes, 5, 51, &value));

    cr_expect_eq(value, 50);
    cr_expect_eq(codes.count, 1);
    codes_fini(&codes);
}

Test(codes, everything_put_is_found_and_nothing_else)
{
    enum { CODES = 10000 };
    struct codes codes = {0};
    char text[9];
    uint32_t value = 0;
    for (uint32_t i = 0; i < CODES; i++) {
        snprintf(text, sizeof text, "%x", i * 2);
        cr_assert(codes_put(&codes, codes_key(text_of(text)), i, &value));
    }

    for (uint32_t i = 0; i < CODES; i++) {
        snprintf(text, sizeof text, "%x", i * 2);
        cr_assert(codes_find(&codes, codes_key(text_of(text)), &value));
        cr_assert_eq(value, i);
        snprintf(text, sizeof text, "%x", i * 2 + 1);
        cr_assert_not(codes_has(&codes, codes_key(text_of(text))));
    }
    codes_fini(&codes);
}
