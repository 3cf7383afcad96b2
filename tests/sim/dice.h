/* SPDX-License-Identifier: Apache-2.0
 * dice.h - everything random in a simulation comes from one of these, so that a seed replays it. splitmix64.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_roll(struct dice *dice)
{
    uint64_t z = (dice->state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
    return z ^ z >> 31;
}

/* 0 to below - 1; 0 if below is 0. */
static inline uint32_t dice_below(struct dice *dice, uint64_t below)
{
    return below ? (uint32_t)(dice_roll(dice) % below) : 0;
}

static inline int64_t dice_between(struct dice *dice, int64_t least, int64_t most)
{
    return least + (int64_t)(dice_roll(dice) % (uint64_t)(most - least + 1));
}

/* True `times` in 10,000 rolls. */
static inline bool dice_luck(struct dice *dice, uint32_t times)
{
    return dice_roll(dice) % 10000 < times;
}
