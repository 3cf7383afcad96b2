/* SPDX-License-Identifier: Apache-2.0
 * random.h - seeded pseudo-random numbers that are the same on every machine: xoshiro256** begun by splitmix64.
 *
 * Thread:  one owner
 * Source:  Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021 (public domain algorithms)
 */
#pragma once

#include "base/hash.h"

struct random {
    uint64_t s[4];
};

static inline uint64_t random_split(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

static inline struct random random_of(uint64_t seed)
{
    struct random random;
    for (int i = 0; i < 4; i++)
        random.s[i] = random_split(&seed);
    return random;
}

static inline uint64_t random_rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static inline uint64_t random_next(struct random *random)
{
    uint64_t *s = random->s;
    uint64_t result = random_rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = random_rotate(s[3], 45);
    return result;
}

/* 0 .. bound - 1, by multiplication: no division, and a bias below bound / 2^32. bound < 2^32 */
static inline uint32_t random_below(struct random *random, uint32_t bound)
{
    return (uint32_t)((random_next(random) >> 32) * bound >> 32);
}
