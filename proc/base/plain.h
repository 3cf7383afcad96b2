/* SPDX-License-Identifier: Apache-2.0
 * plain.h - whether texts are printable ASCII (0x20 to 0x7E): sixteen bytes at a time, many texts and one answer.
 *
 * Limits:  plain_add_short: texts of up to PLAIN_BYTES, behind which as many bytes may be loaded as make PLAIN_BYTES
 * Memory:  none; zero-initialised has seen nothing
 * Thread:  one owner at a time
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { PLAIN_BYTES = 16 };

typedef uint8_t plain_vector __attribute__((vector_size(PLAIN_BYTES)));

struct plain {
    plain_vector worst; /* of the bytes in each place, counted from a space on: those below it come out largest */
};

/* Ones up to a length. */
extern const plain_vector plain_masks[PLAIN_BYTES + 1];

static inline plain_vector plain_larger(plain_vector a, plain_vector b)
{
#if defined(__SSE2__)
    return (plain_vector)_mm_max_epu8((__m128i)a, (__m128i)b);
#else
    plain_vector larger = (plain_vector)(a > b);
    return (a & larger) | (b & ~larger);
#endif
}

/* A text of up to PLAIN_BYTES; PLAIN_BYTES are loaded. */
static inline void plain_add_short(struct plain *plain, const void *at, size_t length)
{
    plain_vector bytes;
    memcpy(&bytes, at, sizeof bytes);
    plain->worst = plain_larger(plain->worst, (bytes - ' ') & plain_masks[length]);
}

/* A text of PLAIN_BYTES or more; the last step overlaps the one before. */
static inline void plain_add_long(struct plain *plain, const void *at, size_t length)
{
    const char *data = at;
    for (size_t i = 0; i + PLAIN_BYTES < length; i += PLAIN_BYTES)
        plain_add_short(plain, data + i, PLAIN_BYTES);
    plain_add_short(plain, data + length - PLAIN_BYTES, PLAIN_BYTES);
}

/* Whether no byte lies beyond '~': no high bit, neither as it is nor with what is missing to it added. */
static inline bool plain_is(const struct plain *plain)
{
    plain_vector beyond = plain->worst | (plain->worst + (0x7F - ('~' - ' ')));
    uint64_t words[2];
    memcpy(words, &beyond, sizeof words);
    return ((words[0] | words[1]) & 0x8080808080808080u) == 0;
}
