/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc.h"

#include <criterion/criterion.h>
#include <string.h>

/* Test vectors of RFC 3720, appendix B.4, and the check value of the CRC catalogue. */
static void expect(const void *data, size_t bytes, uint32_t want)
{
    cr_assert_eq(crc32c(0, data, bytes), want, "%08x", crc32c(0, data, bytes));
    cr_assert_eq(crc32c_portable(0, data, bytes), want, "%08x", crc32c_portable(0, data, bytes));
}

Test(crc, nothing_changes_nothing)
{
    expect("", 0, 0);
    expect(NULL, 0, 0);
    cr_assert_eq(crc32c(0x12345678u, "", 0), 0x12345678u);
}

Test(crc, one_flipped_bit_is_seen)
{
    unsigned char data[200];
    memset(data, 0x5A, sizeof data);
    uint32_t whole = crc32c(0, data, sizeof data);
    for (size_t bit = 0; bit < 8 * sizeof data; bit++) {
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        cr_assert_neq(crc32c(0, data, sizeof data), whole);
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

Test(crc, vectors_of_rfc_3720)
{
    unsigned char data[32];
    memset(data, 0, sizeof data);
    expect(data, 32, 0x8A9136AAu);
    memset(data, 0xFF, sizeof data);
    expect(data, 32, 0x62A8AB43u);
    for (unsigned i = 0; i < 32; i++)
        data[i] = (unsigned char)i;
    expect(data, 32, 0x46DD794Eu);
    for (unsigned i = 0; i < 32; i++)
        data[i] = (unsigned char)(31 - i);
    expect(data, 32, 0x113FDB5Cu);
    expect("123456789", 9, 0xE3069283u);
}

Test(crc, parts_continue_the_whole_at_every_length_and_alignment)
{
    unsigned char data[128];
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 167 + 13);
    for (size_t from = 0; from < 9; from++) {
        for (size_t bytes = 0; from + bytes <= sizeof data; bytes++) {
            uint32_t whole = crc32c_portable(0, data + from, bytes);
            cr_assert_eq(crc32c(0, data + from, bytes), whole);
            size_t cut = bytes / 3;
            cr_assert_eq(crc32c(crc32c(0, data + from, cut), data + from + cut, bytes - cut), whole);
        }
    }
}

/* The fast way takes blocks of three parts: lengths around one and two of them, parts that begin anywhere. */
Test(crc, long_data_gives_the_same_as_the_portable_way)
{
    static unsigned char data[7000];
    uint32_t word = 1;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)((word = word * 1664525u + 1013904223u) >> 24);
    for (size_t bytes = 3060; bytes <= 3085; bytes++)
        cr_assert_eq(crc32c(0x9E3779B9u, data + bytes % 8, bytes),
                     crc32c_portable(0x9E3779B9u, data + bytes % 8, bytes));
    for (size_t bytes = 6130; bytes <= sizeof data; bytes += 29)
        cr_assert_eq(crc32c(0, data, bytes), crc32c_portable(0, data, bytes));
}
