/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

static uint64_t read64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, 8);
    return v;
}

static uint64_t read32(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, 4);
    return v;
}

/* The last 1 to 16 bytes as two words; both reads may overlap. */
static void read_tail(const uint8_t *at, size_t bytes, uint64_t out[static 2])
{
    if (bytes >= 8) {
        out[0] = read64(at);
        out[1] = read64(at + bytes - 8);
    } else if (bytes >= 4) {
        out[0] = read32(at);
        out[1] = read32(at + bytes - 4);
    } else if (bytes > 0) {
        out[0] = (uint64_t)at[0] << 16 | (uint64_t)at[bytes / 2] << 8 | at[bytes - 1];
        out[1] = 0;
    } else {
        out[0] = 0;
        out[1] = 0;
    }
}

uint64_t hash_bytes(const void *data, size_t bytes, uint64_t seed)
{
    const uint8_t *at = data;
    size_t left = bytes;
    uint64_t state = seed ^ HASH_P0;
    if (left > 64) {
        uint64_t lane = state;
        for (; left > 64; left -= 32, at += 32) {
            state = hash_mix(read64(at) ^ HASH_P1, read64(at + 8) ^ state);
            lane = hash_mix(read64(at + 16) ^ HASH_P2, read64(at + 24) ^ lane);
        }
        state ^= lane;
    }
    for (; left > 16; left -= 16, at += 16)
        state = hash_mix(read64(at) ^ HASH_P1, read64(at + 8) ^ state);
    uint64_t tail[2];
    read_tail(at, left, tail);
    return hash_mix(HASH_P1 ^ bytes, hash_mix(tail[0] ^ HASH_P1, tail[1] ^ state));
}

static uint64_t rotate(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

static void sip_round(uint64_t v[static 4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

struct hash128 hash_sip128(const void *data, size_t bytes, const struct hash_key *key)
{
    const uint8_t *at = data;
    uint64_t v[4] = {key->word[0] ^ 0x736F6D6570736575ULL, key->word[1] ^ 0x646F72616E646F6DULL ^ 0xEE,
                     key->word[0] ^ 0x6C7967656E657261ULL, key->word[1] ^ 0x7465646279746573ULL};
    for (size_t i = 0; i + 8 <= bytes; i += 8) {
        uint64_t m = read64(at + i);
        v[3] ^= m;
        sip_round(v);
        sip_round(v);
        v[0] ^= m;
    }
    uint64_t last = (uint64_t)bytes << 56;
    for (size_t i = 0; i < bytes % 8; i++)
        last |= (uint64_t)at[bytes - bytes % 8 + i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    sip_round(v);
    v[0] ^= last;
    struct hash128 out;
    v[2] ^= 0xEE;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    out.word[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xDD;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    out.word[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
    return out;
}

uint32_t hash_murmur2(const void *data, size_t bytes)
{
    const uint8_t *at = data;
    const uint32_t m = 0x5BD1E995;
    uint32_t h = 0x9747B28Cu ^ (uint32_t)bytes;
    size_t left = bytes;
    for (; left >= 4; left -= 4, at += 4) {
        uint32_t k = (uint32_t)read32(at) * m;
        k = (k ^ k >> 24) * m;
        h = h * m ^ k;
    }
    if (left >= 3)
        h ^= (uint32_t)at[2] << 16;
    if (left >= 2)
        h ^= (uint32_t)at[1] << 8;
    if (left >= 1)
        h = (h ^ at[0]) * m;
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}

uint32_t hash_crc32(const void *data, size_t bytes)
{
    const uint8_t *at = data;
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}
