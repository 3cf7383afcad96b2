/* SPDX-License-Identifier: Apache-2.0
 * wire_line.h - inside of wire.c: fields read as every encoder writes them, in ascending order, each by code of its own.
 *
 * In:      a message's fields; wire.c asks for each field of declaration.def in turn: is it the next one? Then it is read
 * Out:     values of fields in their canonical form; the first field that is not in it ends the line, untouched
 * Limits:  at most LINE_BYTES are loaded from the start of a field, except of a text that is known to lie in the message
 * Memory:  none; a place is counted from the start of the input, so that one behind the end is a number, not a pointer
 * Thread:  any
 * Why:     docs/adr/0014-straight-line-decoding.md
 */
#pragma once

#include "base/buffer.h"
#include "base/plain.h"
#include "flow/wire_read.h"
#include "trade/declaration.h"

#define LINE_INLINE static inline __attribute__((always_inline))

enum {
    LINE_TAG_MOST = 2,
    LINE_LENGTH_MOST = 2,
    LINE_BYTES = LINE_TAG_MOST + LINE_LENGTH_MOST + PLAIN_BYTES,
    LINE_ONE_BYTE = 0x80, /* numbers below it take one byte */
    LINE_OVER = 0,        /* no tag */
};

struct line {
    const uint8_t *data;
    size_t at;
    size_t end;    /* of the message, or where fewer than LINE_BYTES may be loaded */
    uint32_t head; /* the next two bytes, LINE_OVER at the end: no further field is the next one */
    struct plain plain;
};

LINE_INLINE void line_go(struct line *line, size_t at)
{
    uint16_t head = LINE_OVER;
    line->at = at;
    if (__builtin_expect(at < line->end, 1))
        memcpy(&head, line->data + at, sizeof head);
    line->head = head;
}

/* The next field is not what it should be: somebody else reads it. */
LINE_INLINE void line_stop(struct line *line)
{
    line->head = LINE_OVER;
}

LINE_INLINE size_t line_tag_bytes(uint32_t number)
{
    return number << WIRE_TYPE_BITS < LINE_ONE_BYTE ? 1 : 2;
}

/* Whether the next field has this number and wire type, which are constants. */
LINE_INLINE bool line_is(const struct line *line, uint32_t number, enum wire_type type)
{
    uint32_t tag = number << WIRE_TYPE_BITS | type;
    if (line_tag_bytes(number) == 1)
        return (line->head & 0xFF) == tag;
    return line->head == ((tag & 0x7F) | LINE_ONE_BYTE | tag >> 7 << 8);
}

/* A length in one byte, or in two if `most` may need them. Where its text begins; 0: the length is written otherwise. */
LINE_INLINE size_t line_length(const struct line *line, uint32_t number, uint32_t most, uint32_t *out)
{
    size_t at = line->at + line_tag_bytes(number);
    uint32_t length = line->data[at++];
    if (most >= LINE_ONE_BYTE && length >= LINE_ONE_BYTE) {
        uint32_t second = line->data[at++];
        if (second == 0 || second >= LINE_ONE_BYTE)
            return 0;
        length = (length - LINE_ONE_BYTE) | second << 7;
    }
    *out = length;
    return at;
}

/* One or more bytes, `cap` at most. */
LINE_INLINE void line_text(struct line *line, uint32_t number, uint32_t cap, struct text *out)
{
    uint32_t length = 0;
    size_t at = line_length(line, number, cap, &length);
    if (__builtin_expect(length - 1 >= cap, 0)) {
        line_stop(line);
        return;
    }
    if (cap > PLAIN_BYTES && length > PLAIN_BYTES) {
        if (__builtin_expect(at + length > line->end, 0)) {
            line_stop(line);
            return;
        }
        plain_add_long(&line->plain, line->data + at, length);
    } else {
        plain_add_short(&line->plain, line->data + at, length);
    }
    *out = (struct text){(const char *)line->data + at, length};
    line_go(line, at + length);
}

/* A varint of up to eight bytes that is not 0 and not longer than it must be. Behind it, or 0. */
LINE_INLINE size_t line_varint(const struct line *line, uint32_t number, uint64_t *out)
{
    size_t at = line->at + line_tag_bytes(number);
    size_t bytes = varint_get(line->data + at, out);
    if (__builtin_expect(bytes == 0 || line->data[at + bytes - 1] == 0, 0))
        return 0;
    return at + bytes;
}

LINE_INLINE void line_i64(struct line *line, uint32_t number, int64_t *out)
{
    uint64_t v = 0;
    size_t next = line_varint(line, number, &v);
    if (__builtin_expect(!next, 0)) {
        line_stop(line);
        return;
    }
    *out = (int64_t)v;
    line_go(line, next);
}

/* Mostly below 128. */
LINE_INLINE void line_u32(struct line *line, uint32_t number, uint32_t *out)
{
    size_t next = line->at + line_tag_bytes(number) + 1;
    uint32_t byte = line->data[next - 1];
    uint64_t v = byte;
    if (byte - 1 >= LINE_ONE_BYTE - 1) {
        next = line_varint(line, number, &v);
        if (__builtin_expect(!next || v > UINT32_MAX, 0)) {
            line_stop(line);
            return;
        }
    }
    *out = (uint32_t)v;
    line_go(line, next);
}

/* From 1 to 127. */
LINE_INLINE uint32_t line_byte(struct line *line, uint32_t number, uint32_t most)
{
    size_t at = line->at + line_tag_bytes(number);
    uint32_t v = line->data[at];
    if (__builtin_expect(v - 1 >= most, 0)) {
        line_stop(line);
        return 0;
    }
    line_go(line, at + 1);
    return v;
}

LINE_INLINE void line_enum(struct line *line, uint32_t number, int32_t *out)
{
    *out = (int32_t)line_byte(line, number, LINE_ONE_BYTE - 1);
}

LINE_INLINE void line_bool(struct line *line, uint32_t number, bool *out)
{
    *out = line_byte(line, number, 1) != 0;
}

LINE_INLINE void line_u64(struct line *line, uint32_t number, uint64_t *out)
{
    size_t at = line->at + line_tag_bytes(number);
    memcpy(out, line->data + at, sizeof *out);
    if (*out)
        line_go(line, at + sizeof *out);
    else
        line_stop(line);
}

/* A row of declaration.def as the next step: `line`, `out` and `decoder` are the caller's. */
#define LINE_TEXT(number, name, cap)                                                                                   \
    if (line_is(&line, number, WIRE_LENGTH))                                                                           \
        line_text(&line, number, cap, &out->name);
#define LINE_I64(number, name, cap)                                                                                    \
    if (line_is(&line, number, WIRE_VARINT))                                                                           \
        line_i64(&line, number, &out->name);
#define LINE_U32(number, name, cap)                                                                                    \
    if (line_is(&line, number, WIRE_VARINT))                                                                           \
        line_u32(&line, number, &out->name);
#define LINE_ENUM(number, name, cap)                                                                                   \
    if (line_is(&line, number, WIRE_VARINT))                                                                           \
        line_enum(&line, number, &out->name);
#define LINE_BOOL(number, name, cap)                                                                                   \
    if (line_is(&line, number, WIRE_VARINT))                                                                           \
        line_bool(&line, number, &out->name);
#define LINE_U64(number, name, cap)                                                                                    \
    if (line_is(&line, number, WIRE_FIXED64))                                                                          \
        line_u64(&line, number, &out->name);
#define LINE_TEXTS(number, name, cap)                                                                                  \
    while (line_is(&line, number, WIRE_LENGTH))                                                                        \
        line_texts(&line, number, cap, decoder->arena, &out->name);
#define LINE_ITEMS(number, name, cap)                                                                                  \
    while (line_is(&line, number, WIRE_LENGTH))                                                                        \
        line_item(&line, number, decoder);
