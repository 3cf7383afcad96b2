/* SPDX-License-Identifier: Apache-2.0
 * wire_read.h - the three steps of any protobuf reader: a tag, a length, a value to skip; with protobuf-c's limits.
 *
 * In:      a cursor and its end                         Out: the cursor behind what was read, NULL if the bytes are
 * broken
 * Limits:  a tag or a length has at most 5 bytes, a varint 10; groups (wire types 3 and 4) and a first byte of
 * field 0 are broken
 * Memory:  none; nothing is read at or behind the end
 * Thread:  any
 * Why:     wire.c and envelope.c
 * must agree about what is broken; protobuf-c 1.4.1 is the oracle (tests/unit/flow/test_wire.c)
 */
#pragma once

#include "base/span.h"

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_LENGTH = 2,
    WIRE_FIXED32 = 5,
    WIRE_TYPE_MASK = 7,
    WIRE_TYPE_BITS = 3,
};

enum {
    WIRE_VARINT_BYTES = 10,
    WIRE_SHORT_BYTES = 5,          /* of a tag or a length */
    WIRE_NUMBER_BYTE_MASK = 0xF8u, /* field number bits, and the more bit, of a tag's first byte */
};

/* *out_tag is field number << 3 | wire type; numbers up to 2^32 - 1 pass, as in protobuf-c. A tag that could be shorter
 * ends in a zero byte, and no other does. */
static inline const uint8_t *wire_read_tag(const uint8_t *at, const uint8_t *end, uint64_t *out_tag)
{
    if (at == end || (*at & WIRE_NUMBER_BYTE_MASK) == 0)
        return NULL;
    uint64_t tag = 0;
    for (unsigned i = 0; i < WIRE_SHORT_BYTES && at + i < end; i++) {
        tag |= (uint64_t)(at[i] & 0x7F) << (7 * i);
        if (!(at[i] & 0x80)) {
            *out_tag = tag;
            return at + i + 1;
        }
    }
    return NULL;
}

/* A length that does not fit between the cursor and the end is broken. */
static inline const uint8_t *wire_read_length(const uint8_t *at, const uint8_t *end, size_t *out_length)
{
    uint64_t length = 0;
    for (unsigned i = 0; i < WIRE_SHORT_BYTES && at + i < end; i++) {
        length |= (uint64_t)(at[i] & 0x7F) << (7 * i);
        if (!(at[i] & 0x80)) {
            at += i + 1;
            if (length > (size_t)(end - at))
                return NULL;
            *out_length = (size_t)length;
            return at;
        }
    }
    return NULL;
}

static inline const uint8_t *wire_read_skip_varint(const uint8_t *at, const uint8_t *end)
{
    for (unsigned i = 0; i < WIRE_VARINT_BYTES && at + i < end; i++) {
        if (!(at[i] & 0x80))
            return at + i + 1;
    }
    return NULL;
}

/* Behind the value that follows a tag of this wire type. */
static inline const uint8_t *wire_read_skip(const uint8_t *at, const uint8_t *end, unsigned wire_type)
{
    size_t length;
    switch (wire_type) {
    case WIRE_VARINT:
        return wire_read_skip_varint(at, end);
    case WIRE_LENGTH:
        at = wire_read_length(at, end, &length);
        return at ? at + length : NULL;
    case WIRE_FIXED64:
        return end - at < 8 ? NULL : at + 8;
    case WIRE_FIXED32:
        return end - at < 4 ? NULL : at + 4;
    default:
        return NULL;
    }
}
