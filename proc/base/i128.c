/* SPDX-License-Identifier: Apache-2.0 */
#include "base/i128.h"

#include "base/check.h"

__extension__ typedef unsigned __int128 u128;

char *i128_to_text(i128 v, char out[static I128_TEXT_BYTES])
{
    char digits[I128_TEXT_BYTES];
    size_t count = 0;
    u128 rest = v < 0 ? (u128)0 - (u128)v : (u128)v;
    do {
        digits[count++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest);
    char *at = out;
    if (v < 0)
        *at++ = '-';
    while (count)
        *at++ = digits[--count];
    *at = '\0';
    return out;
}

int64_t i128_saturate(i128 v, bool *saturated)
{
    if (v > INT64_MAX) {
        *saturated = true;
        return INT64_MAX;
    }
    if (v < INT64_MIN) {
        *saturated = true;
        return INT64_MIN;
    }
    return (int64_t)v;
}

i128 i128_divide_round(i128 v, i128 divisor)
{
    CHECK(divisor > 0);
    i128 whole = v / divisor;
    i128 rest = v % divisor;
    i128 size = rest < 0 ? -rest : rest;
    if (size >= divisor - size)
        whole += v < 0 ? -1 : 1;
    return whole;
}
