/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include "base/memory.h"

#include <criterion/criterion.h>

/* The reference vectors of SipHash-2-4-128: key 00..0f, message 00, 01, 02, ...; words read little-endian. */
Test(hash, siphash_128_gives_the_reference_vectors)
{
    static const struct {
        size_t bytes;
        uint8_t want[16];
    } vectors[] = {
        {0, {0xA3, 0x81, 0x7F, 0x04, 0xBA, 0x25, 0xA8, 0xE6, 0x6D, 0xF6, 0x72, 0x14, 0xC7, 0x55, 0x02, 0x93}},
        {1, {0xDA, 0x87, 0xC1, 0xD8, 0x6B, 0x99, 0xAF, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9B, 0x22, 0xFC, 0x45}},
        {2, {0x81, 0x77, 0x22, 0x8D, 0xA4, 0xA4, 0x5D, 0xC7, 0xFC, 0xA3, 0x8B, 0xDE, 0xF6, 0x0A, 0xFF, 0xE4}},
        {7, {0xA1, 0xF1, 0xEB, 0xBE, 0xD8, 0xDB, 0xC1, 0x53, 0xC0, 0xB8, 0x4A, 0xA6, 0x1F, 0xF0, 0x82, 0x39}},
        {8, {0x3B, 0x62, 0xA9, 0xBA, 0x62, 0x58, 0xF5, 0x61, 0x0F, 0x83, 0xE2, 0x64, 0xF3, 0x14, 0x97, 0xB4}},
        {15, {0x54, 0x93, 0xE9, 0x99, 0x33, 0xB0, 0xA8, 0x11, 0x7E, 0x08, 0xEC, 0x0F, 0x97, 0xCF, 0xC3, 0xD9}},
        {16, {0x6E, 0xE2, 0xA4, 0xCA, 0x67, 0xB0, 0x54, 0xBB, 0xFD, 0x33, 0x15, 0xBF, 0x85, 0x23, 0x05, 0x77}},
        {63, {0x51, 0x50, 0xD1, 0x77, 0x2F, 0x50, 0x83, 0x4A, 0x50, 0x3E, 0x06, 0x9A, 0x97, 0x3F, 0xBD, 0x7C}},
    };
    const struct hash_key key = {{0x0706050403020100ULL, 0x0F0E0D0C0B0A0908ULL}};
    uint8_t message[64];
    for (unsigned i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    for (size_t v = 0; v < sizeof vectors / sizeof vectors[0]; v++) {
        struct hash128 got = hash_sip128(message, vectors[v].bytes, &key);
        cr_assert_arr_eq((uint8_t *)got.word, vectors[v].want, 16, "%zu bytes", vectors[v].bytes);
    }
}

Test(hash, siphash_depends_on_its_key)
{
    const struct hash_key a = {{1, 2}};
    const struct hash_key b = {{1, 3}};
    cr_assert_neq(hash_sip128("id", 2, &a).word[0], hash_sip128("id", 2, &b).word[0]);
}

/* Values of Apache Kafka's own tests of its Java client (UtilsTest, testMurmur2). */
Test(hash, murmur2_gives_the_values_of_the_java_client)
{
    static const struct {
        const char *text;
        int32_t want;
    } vectors[] = {{"21", -973932308},
                   {"foobar", -790332482},
                   {"a-little-bit-long-string", -985981536},
                   {"a-little-bit-longer-string", -1486304829},
                   {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
                   {"abc", 479470107},
                   {"", 275646681}};
    for (size_t v = 0; v < sizeof vectors / sizeof vectors[0]; v++)
        cr_assert_eq((int32_t)hash_murmur2(vectors[v].text, strlen(vectors[v].text)), vectors[v].want, "\"%s\"",
                     vectors[v].text);
}

/* Values of librdkafka's unit test of the same partitioner (rdmurmur2.c). */
Test(hash, murmur2_gives_the_values_of_librdkafka)
{
    static const struct {
        const char *text;
        uint32_t want;
    } vectors[] = {{"kafka", 0xD067CF64u}, {"giberish123456789", 0x8F552B0Cu},
                   {"1234", 0x9FC97B14u},  {"234", 0xE7C009CAu},
                   {"34", 0x873930DAu},    {"4", 0x5A4B5CA1u},
                   {"", 0x106E08D9u}};
    for (size_t v = 0; v < sizeof vectors / sizeof vectors[0]; v++)
        cr_assert_eq(hash_murmur2(vectors[v].text, strlen(vectors[v].text)), vectors[v].want, "\"%s\"",
                     vectors[v].text);
}

/* Those hashes without their sign, divided by hand; with it, most of three and of fifty would be others. */
Test(hash, partition_is_that_of_the_java_client)
{
    static const struct {
        const char *key;
        int32_t of3;
        int32_t of4;
        int32_t of50;
    } vectors[] = {{"abc", 0, 3, 7},
                   {"", 0, 1, 31},
                   {"21", 0, 0, 40},
                   {"foobar", 0, 2, 16},
                   {"a-little-bit-long-string", 2, 0, 12},
                   {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", 2, 1, 27}};
    for (size_t v = 0; v < sizeof vectors / sizeof vectors[0]; v++) {
        const char *key = vectors[v].key;
        cr_assert_eq(hash_partition(key, strlen(key), 1), 0, "\"%s\"", key);
        cr_assert_eq(hash_partition(key, strlen(key), 3), vectors[v].of3, "\"%s\"", key);
        cr_assert_eq(hash_partition(key, strlen(key), 4), vectors[v].of4, "\"%s\"", key);
        cr_assert_eq(hash_partition(key, strlen(key), 50), vectors[v].of50, "\"%s\"", key);
    }
}

Test(hash, crc32_gives_the_catalogue_check_values)
{
    cr_assert_eq(hash_crc32("", 0), 0);
    cr_assert_eq(hash_crc32("123456789", 9), 0xCBF43926u);
    cr_assert_eq(hash_crc32("The quick brown fox jumps over the lazy dog", 43), 0x414FA339u);
}

/* Digests in journals are hash_bytes with seed 0: a value that changes here makes every stored digest a stranger. */
Test(hash, hash_bytes_keeps_the_values_that_journals_hold)
{
    uint8_t message[200];
    for (unsigned i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 31 + 7);
    static const struct {
        size_t bytes;
        uint64_t want;
    } pinned[] = {{0, 0x42BC986DC5EEC4D3ULL},   {1, 0x7BBFC11AA49C3A9DULL},  {3, 0x0E72FFB218F9B67BULL},
                  {4, 0x3A0E2E8BA58FC975ULL},   {7, 0x9665D2F28359FA65ULL},  {8, 0xF5B6A39FF0D60435ULL},
                  {15, 0xDF7F99EB0BE4CF9BULL},  {16, 0x09C0ACB145F3BB05ULL}, {17, 0x603CBE686B0F4827ULL},
                  {32, 0x1E718DF1E060233EULL},  {33, 0xF60F4D55A8376D64ULL}, {64, 0x4EA4BA1A5AF31D77ULL},
                  {65, 0x3F964BF5E9F7A123ULL},  {96, 0x51208B3D008ABF9AULL}, {97, 0xC72A7E13A82169EAULL},
                  {128, 0x932A224E1CD4D65EULL}, {200, 0x203F2401B12C1E24ULL}};
    for (size_t v = 0; v < sizeof pinned / sizeof pinned[0]; v++)
        cr_assert_eq(hash_bytes(message, pinned[v].bytes, 0), pinned[v].want, "%zu bytes: 0x%016llX", pinned[v].bytes,
                     (unsigned long long)hash_bytes(message, pinned[v].bytes, 0));
}

/* In memory of exactly its length, so that the address sanitizer sees a read past either end. */
Test(hash, every_length_is_read_within_its_bounds_and_each_bit_counts)
{
    for (size_t bytes = 1; bytes <= 160; bytes++) {
        uint8_t *message = memory_new(bytes, 1);
        uint64_t plain = hash_bytes(message, bytes, 1);
        cr_assert_neq(plain, hash_bytes(message, bytes - 1, 1), "the length counts");
        cr_assert_neq(plain, hash_bytes(message, bytes, 2), "the seed counts");
        for (size_t bit = 0; bit < 8 * bytes; bit++) {
            message[bit / 8] ^= (uint8_t)(1 << bit % 8);
            cr_assert_neq(hash_bytes(message, bytes, 1), plain, "bit %zu of %zu bytes", bit, bytes);
            message[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        memory_free(message);
    }
}

/* Flipping one input bit must flip about half of the output bits: 32 of 64 on average, here within 28 to 36. */
Test(hash, words_spread_each_input_bit_over_the_output)
{
    uint64_t state = 88172645463325252ULL;
    unsigned long flips[256] = {0};
    enum { ROUNDS = 2000 };
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t w[4];
        for (int i = 0; i < 4; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            w[i] = state;
        }
        uint64_t plain = hash_words4(w, 0);
        for (unsigned bit = 0; bit < 256; bit++) {
            w[bit / 64] ^= 1ULL << bit % 64;
            flips[bit] += (unsigned long)__builtin_popcountll(hash_words4(w, 0) ^ plain);
            w[bit / 64] ^= 1ULL << bit % 64;
        }
    }
    for (unsigned bit = 0; bit < 256; bit++) {
        cr_assert_gt(flips[bit], 28ul * ROUNDS, "bit %u", bit);
        cr_assert_lt(flips[bit], 36ul * ROUNDS, "bit %u", bit);
    }
}

/* Small packed codes are what the tables hold: 64 k of them leave about 1/e of 64 k buckets empty. */
Test(hash, small_keys_fill_buckets_like_chance)
{
    static unsigned char taken[65536];
    for (uint64_t i = 0; i < 65536; i++)
        taken[hash_words4((uint64_t[4]){i, 0, 0, 0}, 0) & 0xFFFF] = 1;
    unsigned empty = 0;
    for (unsigned i = 0; i < 65536; i++)
        empty += !taken[i];
    cr_assert_gt(empty, 23500); /* 65536 / e = 24109 */
    cr_assert_lt(empty, 24700);
}

Test(hash, two_words_depend_on_both_and_on_the_seed)
{
    cr_assert_neq(hash_words2(1, 2, 0), hash_words2(2, 1, 0));
    cr_assert_neq(hash_words2(1, 2, 0), hash_words2(1, 3, 0));
    cr_assert_neq(hash_words2(1, 2, 0), hash_words2(1, 2, 1));
}
