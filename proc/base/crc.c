/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#endif

/* One step of the reflected polynomial 0x82F63B78 for each of eight bits. */
static uint32_t shift_byte(uint32_t crc)
{
    for (int bit = 0; bit < 8; bit++)
        crc = crc & 1 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1;
    return crc;
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    crc = ~crc;
    for (size_t i = 0; i < bytes; i++)
        crc = shift_byte(crc ^ at[i]);
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t in_a_row(uint32_t crc, const uint8_t *at, size_t bytes)
{
    uint64_t wide = crc;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    for (; bytes > 0; bytes--, at++)
        narrow = _mm_crc32_u8(narrow, *at);
    return narrow;
}

__attribute__((target("pclmul"))) static uint64_t times(uint64_t crc, uint32_t power)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)crc), _mm_cvtsi64_si128(power), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

/* The instruction takes three cycles and may begin each cycle: three parts of a block go side by side. The sums of the first two are
 * then carried over what lies behind them: times x^(16 LANE) and x^(8 LANE), of which the last instruction itself does x^32 and the
 * product of two reflected numbers x^1. */
__attribute__((target("sse4.2,pclmul"))) static uint32_t crc32c_x86(uint32_t crc, const void *data, size_t bytes)
{
    enum { LANE = 1024 };
    static const uint32_t two_lanes = 0xA51B6135u; /* x^(16 LANE - 33) modulo the polynomial, reflected */
    static const uint32_t one_lane = 0x170076FAu;  /* x^(8 LANE - 33) */
    const uint8_t *at = data;
    crc = ~crc;
    for (; bytes >= 3 * LANE; bytes -= 3 * LANE, at += 3 * LANE) {
        uint64_t sums[3] = {crc, 0, 0};
        uint64_t words[3];
        for (size_t i = 0;; i += 8) {
            memcpy(&words[0], at + i, 8);
            memcpy(&words[1], at + LANE + i, 8);
            memcpy(&words[2], at + 2 * LANE + i, 8);
            sums[0] = _mm_crc32_u64(sums[0], words[0]);
            sums[1] = _mm_crc32_u64(sums[1], words[1]);
            if (i == LANE - 8)
                break;
            sums[2] = _mm_crc32_u64(sums[2], words[2]);
        }
        words[2] ^= times(sums[0], two_lanes) ^ times(sums[1], one_lane);
        crc = (uint32_t)_mm_crc32_u64(sums[2], words[2]);
    }
    return ~in_a_row(crc, at, bytes);
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t bytes)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"))
        return crc32c_x86(crc, data, bytes);
#endif
    return crc32c_portable(crc, data, bytes);
}
