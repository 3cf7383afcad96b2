/* SPDX-License-Identifier: Apache-2.0
 * fuzz.h - what the targets share: libFuzzer's entry, and choices that are made out of the bytes it gives.
 *
 * A broken invariant is a CHECK, in a target as in the code under test; the sanitizers see the rest. README.md says how to run them.
 * Thread:  one
 */
#pragma once

#include "base/check.h"
#include "base/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes that decide something, used from the front. When they are used up every choice is 0. */
struct choices {
    const uint8_t *at;
    const uint8_t *end;
};

static inline struct choices choices_of(const uint8_t *data, size_t size)
{
    return (struct choices){data, data + size};
}

static inline size_t choices_left(const struct choices *choices)
{
    return (size_t)(choices->end - choices->at);
}

static inline uint8_t choose_byte(struct choices *choices)
{
    return choices->at < choices->end ? *choices->at++ : 0;
}

/* 0 to below - 1; below is at most 65536. */
static inline uint32_t choose(struct choices *choices, uint32_t below)
{
    uint32_t wide = choose_byte(choices);
    if (below > 256)
        wide = wide << 8 | choose_byte(choices);
    return wide % below;
}

static inline uint64_t choose_u64(struct choices *choices)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | choose_byte(choices);
    return v;
}

static inline struct bytes choices_rest(const struct choices *choices)
{
    return (struct bytes){choices->at, choices_left(choices)};
}

/* Up to `most` bytes of what is left. */
static inline struct bytes choose_bytes(struct choices *choices, size_t most)
{
    size_t length = choices_left(choices) < most ? choices_left(choices) : most;
    struct bytes bytes = {choices->at, length};
    choices->at += length;
    return bytes;
}
