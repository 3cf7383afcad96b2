/* SPDX-License-Identifier: Apache-2.0
 * span.h - borrowed views of text and bytes, with their length.
 *
 * Memory:  a span never owns; it lives as long as what it points into
 * Limits:  text up to 4 GiB - 1; data may be NULL only if length is 0
 * Thread:  any
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *data;
    uint32_t length;
};

struct bytes {
    const uint8_t *data;
    size_t length;
};

#define TEXT(literal) ((struct text){(literal), (uint32_t)(sizeof(literal) - 1)})
/* For printf("%.*s", TEXT_ARGS(t)). */
#define TEXT_ARGS(t) (int)(t).length, ((t).data ? (t).data : "")

static inline struct text text_of(const char *string)
{
    return (struct text){string, string ? (uint32_t)strlen(string) : 0};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool text_is(struct text a, const char *string)
{
    return text_equal(a, text_of(string));
}

/* The text without spaces, tabs and line ends at both sides. */
struct text text_trim(struct text text);

/* Cuts the part before the first `separator` from *rest (all of it if there is none) and returns it. */
struct text text_cut(struct text *rest, char separator);

/* Edit distance (insert, delete, replace, swap of neighbours) of two short names; SIZE_MAX if one is longer than 64. */
size_t text_distance(struct text a, struct text b);

/* Whether it is one digit or more, and nothing else. */
bool text_is_digits(struct text text);

/* Whole decimal text -> integer. False, and *out untouched, if it is not one or does not fit. */
bool text_to_int64(struct text text, int64_t *out);
