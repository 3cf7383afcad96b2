/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include "base/check.h"

/* Appends one digit to the magnitude. Both ends of int64 fit: the magnitude may be 2^63. */
static bool push(uint64_t *magnitude, unsigned digit)
{
    return !__builtin_mul_overflow(*magnitude, 10u, magnitude) &&
           !__builtin_add_overflow(*magnitude, digit, magnitude) && *magnitude <= (uint64_t)INT64_MAX + 1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum decimal_result check_syntax(struct text digits)
{
    bool point = false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < digits.length; i++) {
        char c = digits.data[i];
        if (is_digit(c))
            count++;
        else if (c == '.' && !point)
            point = true;
        else
            return (c == 'e' || c == 'E') && count > 0 ? DECIMAL_EXPONENT : DECIMAL_SYNTAX;
    }
    return count > 0 ? DECIMAL_OK : DECIMAL_SYNTAX;
}

enum decimal_result decimal_read(struct text text, int scale, int64_t *out)
{
    CHECK(scale >= 0 && scale <= DECIMAL_SCALE_MOST);
    if (text.length == 0)
        return DECIMAL_EMPTY;
    bool negative = text.data[0] == '-';
    if (negative || text.data[0] == '+') {
        text.data++;
        text.length--;
    }
    enum decimal_result result = check_syntax(text);
    if (result != DECIMAL_OK)
        return result;
    uint64_t magnitude = 0;
    uint32_t i = 0;
    for (; i < text.length && text.data[i] != '.'; i++) {
        if (!push(&magnitude, (unsigned)(text.data[i] - '0')))
            return DECIMAL_OVERFLOW;
    }
    i++; /* over the point; beyond the end if there is none */
    for (int place = 0; place < scale; place++, i++) {
        if (!push(&magnitude, i < text.length ? (unsigned)(text.data[i] - '0') : 0))
            return DECIMAL_OVERFLOW;
    }
    /* half away from zero: the first digit left out decides alone */
    if (i < text.length && text.data[i] >= '5')
        magnitude++;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return DECIMAL_OVERFLOW;
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return DECIMAL_OK;
}

const char *decimal_reason(enum decimal_result result)
{
    switch (result) {
    case DECIMAL_OK:
        return "fine";
    case DECIMAL_EMPTY:
        return "empty; a decimal number is needed";
    case DECIMAL_SYNTAX:
        return "not a decimal number (digits with at most one point)";
    case DECIMAL_EXPONENT:
        return "scientific notation is not exact; write the number with all its digits";
    case DECIMAL_OVERFLOW:
        return "too large for a 64-bit integer of this unit";
    }
    return "unknown";
}
