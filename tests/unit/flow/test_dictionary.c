/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/dictionary.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(dictionary, empty_text_is_number_zero)
{
    struct dictionary dictionary;
    dictionary_init(&dictionary);

    cr_assert_eq(dictionary_number(&dictionary, TEXT("")), 0);
    cr_assert_eq(dictionary.count, 1);
    dictionary_fini(&dictionary);
}

Test(dictionary, numbers_come_in_order_of_first_use_and_stay)
{
    struct dictionary dictionary;
    dictionary_init(&dictionary);
    char text[9];

    for (uint32_t i = 1; i <= 5000; i++) {
        snprintf(text, sizeof text, "C%07u", i);
        cr_assert_eq(dictionary_number(&dictionary, text_of(text)), i);
    }
    for (uint32_t i = 5000; i >= 1; i--) {
        snprintf(text, sizeof text, "C%07u", i);
        cr_assert_eq(dictionary_number(&dictionary, text_of(text)), i);
        char back[9];
        cr_assert_eq(dictionary_text(dictionary.codes[i], back), 8);
        cr_assert_str_eq(back, text);
    }
    dictionary_fini(&dictionary);
}

Test(dictionary, length_decides_between_prefixes)
{
    struct dictionary dictionary;
    dictionary_init(&dictionary);

    uint32_t a = dictionary_number(&dictionary, TEXT("94"));
    uint32_t b = dictionary_number(&dictionary, TEXT("9407"));

    cr_assert_neq(a, b);
    dictionary_fini(&dictionary);
}

Test(dictionary, at_the_limit_new_texts_are_refused_and_old_ones_found)
{
    struct dictionary dictionary;
    dictionary_init(&dictionary);
    for (uint64_t i = 1; dictionary.count < DICTIONARY_MOST; i++)
        dictionary_number_of_code(&dictionary, i);

    cr_assert_eq(dictionary_number(&dictionary, TEXT("ONEMORE")), DICTIONARY_FULL);
    cr_assert_eq(dictionary_number_of_code(&dictionary, 1), 1);
    dictionary_fini(&dictionary);
}
