/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text text_trim(struct text text)
{
    while (text.length > 0 && is_blank(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.data[text.length - 1]))
        text.length--;
    return text;
}

struct text text_cut(struct text *rest, char separator)
{
    struct text head = *rest;
    const char *at = rest->length ? memchr(rest->data, separator, rest->length) : NULL;
    if (!at) {
        *rest = (struct text){NULL, 0};
        return head;
    }
    head.length = (uint32_t)(at - rest->data);
    rest->data = at + 1;
    rest->length -= head.length + 1;
    return head;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t text_distance(struct text a, struct text b)
{
    enum { LONGEST = 64 };
    if (a.length > LONGEST || b.length > LONGEST)
        return SIZE_MAX;
    size_t before[LONGEST + 1] = {0};
    size_t above[LONGEST + 1];
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= b.length; j++)
        above[j] = j;
    for (size_t i = 1; i <= a.length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.length; j++) {
            size_t replace = above[j - 1] + (a.data[i - 1] != b.data[j - 1]);
            row[j] = smaller(replace, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1])
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
        memcpy(before, above, sizeof before);
        memcpy(above, row, sizeof above);
    }
    return above[b.length];
}

bool text_is_digits(struct text text)
{
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return text.length > 0;
}

bool text_to_int64(struct text text, int64_t *out)
{
    size_t i = 0;
    bool negative = text.length > 0 && text.data[0] == '-';
    if (negative)
        i = 1;
    if (i == text.length)
        return false;
    int64_t value = 0;
    for (; i < text.length; i++) {
        char c = text.data[i];
        if (c < '0' || c > '9')
            return false;
        int digit = c - '0';
        if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_add_overflow(value, (int64_t)(negative ? -digit : digit), &value))
            return false;
    }
    *out = value;
    return true;
}
