/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/growth.h"

#include <stdio.h>
#include <string.h>

static bool ratio(i128 part, i128 whole, i128 scale, i128 *out)
{
    if (whole <= 0)
        return false;
    *out = i128_divide_round(part * scale, whole);
    return true;
}

bool growth_ppm(i128 current, i128 base, i128 *out)
{
    return ratio(current - base, base, 1000000, out);
}

bool growth_tenths(i128 current, i128 base, i128 *out)
{
    return ratio(current - base, base, 1000, out);
}

bool growth_share_tenths(i128 part, i128 whole, i128 *out)
{
    return ratio(part, whole, 1000, out);
}

/* ---- the mean of years ---- */

enum {
    FACTOR_BITS = 42, /* of 2 * 1000 * 10^9 */
    LIMBS = (GROWTH_STEPS_MOST * FACTOR_BITS + 128) / 32 + 2,
    TENTHS = 1000,
};

/* A whole number of any size that occurs here, least limb first. */
struct big {
    uint32_t limb[LIMBS];
};

static void big_set(struct big *big, i128 v)
{
    memset(big, 0, sizeof *big);
    for (int i = 0; i < 4; i++)
        big->limb[i] = (uint32_t)(v >> (32 * i));
}

static void big_multiply(struct big *big, uint64_t factor)
{
    i128 carry = 0; /* below 2^75 */
    for (int i = 0; i < LIMBS; i++) {
        carry += (i128)big->limb[i] * (i128)factor;
        big->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static int big_compare(const struct big *a, const struct big *b)
{
    for (int i = LIMBS - 1; i >= 0; i--) {
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    }
    return 0;
}

/* first * (halves / 2000)^steps compared with last: in whole numbers, so that nothing is lost before rounding. */
static int compare_power(i128 first, uint64_t halves, i128 last, uint32_t steps)
{
    struct big left;
    struct big right;
    big_set(&left, first);
    big_set(&right, last);
    for (uint32_t i = 0; i < steps; i++) {
        big_multiply(&left, halves);
        big_multiply(&right, 2 * TENTHS);
    }
    return big_compare(&left, &right);
}

bool growth_mean_tenths(i128 first, i128 last, uint32_t steps, int64_t *out)
{
    if (first <= 0 || last <= 0 || steps == 0 || steps > GROWTH_STEPS_MOST)
        return false;
    bool shrinks = last < first;
    /* The factor in thousandths: the largest k whose lower bound k - 1/2 is not above the true one. A tie goes away from no growth:
     * up when it grew, down when it shrank. */
    uint64_t low = 0;
    uint64_t high = 1000000000ULL * TENTHS;
    if (compare_power(first, 2 * high, last, steps) < 0)
        return false;
    while (low < high) {
        uint64_t k = low + (high - low + 1) / 2;
        int order = compare_power(first, 2 * k - 1, last, steps);
        if (order < 0 || (order == 0 && !shrinks))
            low = k;
        else
            high = k - 1;
    }
    *out = (int64_t)low - TENTHS;
    return true;
}

char *growth_text(i128 tenths, char out[static GROWTH_TEXT_BYTES])
{
    char whole[I128_TEXT_BYTES];
    i128 size = tenths < 0 ? -tenths : tenths;
    i128_to_text(size / 10, whole);
    snprintf(out, GROWTH_TEXT_BYTES, "%s%.40s.%d", tenths < 0 ? "-" : "", whole, (int)(size % 10));
    return out;
}
