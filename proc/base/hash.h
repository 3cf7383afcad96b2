/* SPDX-License-Identifier: Apache-2.0
 * hash.h - hashes: a fast one for tables, SipHash-2-4 where outsiders choose the keys, murmur2 and CRC32 as Kafka's
 *          partitioners use.
 *
 * Thread:  any
 * Why:     hash_bytes is the wyhash construction (64x64 -> 128 bit multiply and fold);
 *          Aumasson and Bernstein 2012 (SipHash)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 hash_wide;

/* Multiplies and folds: the one mixing step of all fast hashes here. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    hash_wide product = (hash_wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#define HASH_P0 0xA0761D6478BD642FULL
#define HASH_P1 0xE7037ED1A0B428DBULL
#define HASH_P2 0x8EBC6AF09C88C6E3ULL

/* Hash of two words, of four words. */
static inline uint64_t hash_words2(uint64_t a, uint64_t b, uint64_t seed)
{
    return hash_mix(hash_mix(a ^ HASH_P0 ^ seed, b ^ HASH_P1), seed ^ HASH_P2);
}

static inline uint64_t hash_words4(const uint64_t w[static 4], uint64_t seed)
{
    return hash_mix(hash_mix(w[0] ^ HASH_P0 ^ seed, w[1] ^ HASH_P1) ^ hash_mix(w[2] ^ HASH_P2, w[3] ^ HASH_P0),
                    HASH_P1);
}

/* Fast hash of bytes. Stable between runs and machines (little-endian reads): journal digests are this with seed 0. */
uint64_t hash_bytes(const void *data, size_t bytes, uint64_t seed);

struct hash_key {
    uint64_t word[2];
};

struct hash128 {
    uint64_t word[2];
};

/* SipHash-2-4 with 128-bit output: for keys that outsiders choose. */
struct hash128 hash_sip128(const void *data, size_t bytes, const struct hash_key *key);

/* The hash of Kafka's Java partitioner: murmur2, seed 0x9747b28c. */
uint32_t hash_murmur2(const void *data, size_t bytes);

/* The partition that Java's partitioner, and librdkafka's murmur2, give a key: the hash without its sign. partitions > 0. */
static inline int32_t hash_partition(const void *key, size_t bytes, int32_t partitions)
{
    return (int32_t)((hash_murmur2(key, bytes) & 0x7FFFFFFFu) % (uint32_t)partitions);
}

/* librdkafka's `consistent` partitioner: zlib's CRC32. The partition is crc32 % partitions. */
uint32_t hash_crc32(const void *data, size_t bytes);
