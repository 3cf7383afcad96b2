/* SPDX-License-Identifier: Apache-2.0 */
#include "base/plain.h"

#include <criterion/criterion.h>

enum { ROOM = 64 };

static bool is_plain(const char *text, size_t length)
{
    struct plain plain = {0};
    if (length > PLAIN_BYTES)
        plain_add_long(&plain, text, length);
    else
        plain_add_short(&plain, text, length);
    return plain_is(&plain);
}

Test(plain, nothing_is_plain)
{
    struct plain plain = {0};

    cr_assert(plain_is(&plain));
}

Test(plain, each_byte_in_each_place_of_each_length_decides)
{
    for (size_t length = 1; length <= ROOM - PLAIN_BYTES; length++) {
        for (size_t place = 0; place < length; place++) {
            for (int byte = 0; byte < 256; byte++) {
                char text[ROOM];
                memset(text, 'a', sizeof text);
                text[place] = (char)byte;
                bool should = byte >= 0x20 && byte < 0x7F;
                cr_assert(is_plain(text, length) == should, "byte %d at %zu of %zu", byte, place, length);
            }
        }
    }
}

Test(plain, what_stands_behind_a_text_does_not_count)
{
    for (size_t length = 0; length <= PLAIN_BYTES; length++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[ROOM];
            memset(text, byte, sizeof text);
            memset(text, 'a', length);
            cr_assert(is_plain(text, length), "%zu bytes, then %d", length, byte);
        }
    }
}

Test(plain, one_text_among_many_decides)
{
    char good[PLAIN_BYTES] = "0123456789abcdef";
    char wrong[PLAIN_BYTES] = "01\t";
    struct plain plain = {0};
    plain_add_short(&plain, good, 16);
    cr_assert(plain_is(&plain));

    plain_add_short(&plain, wrong, 3);
    plain_add_short(&plain, good, 16);

    cr_assert(!plain_is(&plain));
}
