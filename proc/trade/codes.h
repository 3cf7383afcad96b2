/* SPDX-License-Identifier: Apache-2.0
 * codes.h - an immutable table from short codes (1 to 8 bytes, or any number but 0) to a small number: one probe,
 * usually one cache line. And codes as numbers.
 *
 * Memory:  owns its slots; zero-initialised is empty
 * Limits:  CODES_MOST entries
 * Thread:  codes_put, codes_fini: startup; codes_find: any
 */
#pragma once

#include "base/span.h"

enum { CODES_MOST = 1 << 24 };

struct codes {
    uint64_t *keys; /* 0 = free */
    uint32_t *values;
    uint32_t mask; /* slots - 1 */
    uint32_t count;
};

void codes_fini(struct codes *codes);

/* False, with *out_value as it stands in the table, if the key is there already; else adds it. */
bool codes_put(struct codes *codes, uint64_t key, uint32_t value, uint32_t *out_value);

/* A text of 1 to 8 bytes as a number; 0 for an empty or a longer one. Texts that differ give numbers that differ, as
 * long as they hold no NUL bytes at their end. */
static inline uint64_t codes_key(struct text text)
{
    uint32_t low = 0;
    uint32_t high = 0;
    if (text.length >= 4 && text.length <= 8) {
        memcpy(&low, text.data, 4);
        memcpy(&high, text.data + text.length - 4, 4);
        return (uint64_t)low | (uint64_t)high << (8 * (text.length - 4));
    }
    if (text.length == 0 || text.length > 8)
        return 0;
    /* 1 to 3 bytes: the first, the middle and the last, which may be one and the same */
    uint32_t middle = text.length / 2;
    uint32_t last = text.length - 1;
    low = (uint8_t)text.data[0];
    low |= (uint32_t)(uint8_t)text.data[middle] << (8 * middle);
    low |= (uint32_t)(uint8_t)text.data[last] << (8 * last);
    return low;
}

/* The number of a country: its two letters, the first in the higher byte; 0 of a shorter text. */
static inline uint16_t codes_country(struct text code)
{
    if (code.length < 2)
        return 0;
    return (uint16_t)((uint8_t)code.data[0] << 8 | (uint8_t)code.data[1]);
}

static inline uint32_t codes_slot(uint64_t key)
{
    return (uint32_t)((key * 0x9E3779B97F4A7C15u) >> 32);
}

static inline bool codes_find(const struct codes *codes, uint64_t key, uint32_t *out_value)
{
    if (key == 0 || codes->count == 0)
        return false;
    for (uint32_t i = codes_slot(key) & codes->mask;; i = (i + 1) & codes->mask) {
        if (codes->keys[i] == key) {
            *out_value = codes->values[i];
            return true;
        }
        if (codes->keys[i] == 0)
            return false;
    }
}

static inline bool codes_has(const struct codes *codes, uint64_t key)
{
    uint32_t value;
    return codes_find(codes, key, &value);
}
