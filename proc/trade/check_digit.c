/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/check_digit.h"

enum { NOT_A_VALUE = -1 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* ISO 6346: A is 10, and the multiples of 11 are left out: B 12 ... K 21, L 23 ... U 32, V 34 ... Z 38. */
static int iso6346_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (!is_letter(c))
        return NOT_A_VALUE;
    int value = 10 + (c - 'A');
    return value + (value >= 11) + (value + 1 >= 22) + (value + 2 >= 33);
}

/* Weights 1, 2, 4, 8 ...; a rest of 10 is written 0. */
static int iso6346_digit(const char *data, uint32_t length)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < length; i++)
        sum += (uint32_t)iso6346_value(data[i]) << i;
    return (int)(sum % 11 % 10);
}

static enum check_digit verdict(bool right)
{
    return right ? CHECK_DIGIT_RIGHT : CHECK_DIGIT_WRONG;
}

enum check_digit check_digit_mrn(struct text id)
{
    enum { LENGTH = 18 };
    if (id.length != LENGTH || !is_digit(id.data[0]) || !is_digit(id.data[1]) || !is_letter(id.data[2]) ||
        !is_letter(id.data[3]) || !is_digit(id.data[LENGTH - 1]))
        return CHECK_DIGIT_OTHER;
    for (uint32_t i = 4; i < LENGTH - 1; i++) {
        if (iso6346_value(id.data[i]) == NOT_A_VALUE)
            return CHECK_DIGIT_OTHER;
    }
    return verdict(iso6346_digit(id.data, LENGTH - 1) == id.data[LENGTH - 1] - '0');
}

enum check_digit check_digit_container(struct text id)
{
    enum { LETTERS = 4, LENGTH = 11 };
    if (id.length != LENGTH)
        return CHECK_DIGIT_OTHER;
    for (uint32_t i = 0; i < LENGTH; i++) {
        if (i < LETTERS ? !is_letter(id.data[i]) : !is_digit(id.data[i]))
            return CHECK_DIGIT_OTHER;
    }
    return verdict(iso6346_digit(id.data, LENGTH - 1) == id.data[LENGTH - 1] - '0');
}

/* The 31 characters of a credit code: the digits, then A-Z without I, O, S, V and Z. */
enum { USED = 1 << 8 };
static const uint16_t credit_code_values[256] = {
    ['0'] = USED + 0,  ['1'] = USED + 1,  ['2'] = USED + 2,  ['3'] = USED + 3,  ['4'] = USED + 4,  ['5'] = USED + 5,
    ['6'] = USED + 6,  ['7'] = USED + 7,  ['8'] = USED + 8,  ['9'] = USED + 9,  ['A'] = USED + 10, ['B'] = USED + 11,
    ['C'] = USED + 12, ['D'] = USED + 13, ['E'] = USED + 14, ['F'] = USED + 15, ['G'] = USED + 16, ['H'] = USED + 17,
    ['J'] = USED + 18, ['K'] = USED + 19, ['L'] = USED + 20, ['M'] = USED + 21, ['N'] = USED + 22, ['P'] = USED + 23,
    ['Q'] = USED + 24, ['R'] = USED + 25, ['T'] = USED + 26, ['U'] = USED + 27, ['W'] = USED + 28, ['X'] = USED + 29,
    ['Y'] = USED + 30,
};

enum check_digit check_digit_credit_code(struct text id)
{
    enum { LENGTH = 18, WEIGHTS = 306 };
    static const uint8_t weights[LENGTH] = {1,  3,  9,  27, 19, 26, 16, 17, 20,
                                            29, 25, 13, 8,  24, 10, 30, 28, 1}; /* 3^i mod 31 */
    if (id.length != LENGTH)
        return CHECK_DIGIT_OTHER;
    uint32_t sum = 0;
    uint32_t used = USED;
#pragma GCC unroll 18
    for (uint32_t i = 0; i < LENGTH; i++) {
        uint32_t value = credit_code_values[(uint8_t)id.data[i]];
        used &= value;
        sum += value * weights[i];
    }
    if (!used)
        return CHECK_DIGIT_OTHER;
    /* the last character is what is missing to a multiple of 31 */
    return verdict((sum - USED * WEIGHTS) % 31 == 0);
}

enum check_digit check_digit_bin(struct text id)
{
    enum { LENGTH = 12 };
    static const uint8_t second[LENGTH - 1] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2};
    if (id.length != LENGTH)
        return CHECK_DIGIT_OTHER;
    int sum = 0;
    int sum_second = 0;
    for (uint32_t i = 0; i < LENGTH; i++) {
        if (!is_digit(id.data[i]))
            return CHECK_DIGIT_OTHER;
        if (i < LENGTH - 1) {
            sum += (id.data[i] - '0') * (int)(i + 1);
            sum_second += (id.data[i] - '0') * second[i];
        }
    }
    int digit = sum % 11;
    if (digit == 10)
        digit = sum_second % 11; /* 10 again: such a number is never given out, so no digit is right */
    return verdict(digit == id.data[LENGTH - 1] - '0');
}
