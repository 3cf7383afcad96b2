/* SPDX-License-Identifier: Apache-2.0
 * buffer.h - bytes that grow, and the little-endian and varint writing and reading that every own format uses.
 *
 * Memory:  the buffer owns its bytes; buffer_fini gives them back; zero-initialised is empty
 * Errors:  reading past the end sets reader.failed and yields zeros: check once at the end
 * Thread:  one owner at a time
 */
#pragma once

#include "base/span.h"

#include <string.h>

struct buffer {
    uint8_t *data;
    size_t length;
    size_t capacity;
};

void buffer_fini(struct buffer *buffer);
void buffer_clear(struct buffer *buffer);

/* Empties it, and gives its memory back if that is large and was mostly empty: what a peak has made large does not stay so. */
void buffer_relax(struct buffer *buffer);

/* Room for `bytes` more; the pointer is good until the next call on this buffer. Does not change length. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t bytes);

/* Each adds at the end; whole numbers little-endian, varints as LEB128, zigzag before that where there is a sign. */
void buffer_add(struct buffer *buffer, const void *data, size_t bytes);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_add_u8(struct buffer *buffer, uint8_t v);
void buffer_add_u32(struct buffer *buffer, uint32_t v);
void buffer_add_u64(struct buffer *buffer, uint64_t v);
void buffer_add_varint(struct buffer *buffer, uint64_t v);
void buffer_add_zigzag(struct buffer *buffer, int64_t v);

static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->data, buffer->length};
}

/* The reverse of varint_pack, for words below 2^56: seven bits a byte. */
static inline uint64_t varint_spread(uint64_t word)
{
    word = (word & 0x000000000FFFFFFFULL) | (word & 0x00FFFFFFF0000000ULL) << 4;
    word = (word & 0x00003FFF00003FFFULL) | (word & 0x0FFFC0000FFFC000ULL) << 2;
    return (word & 0x007F007F007F007FULL) | (word & 0x3F803F803F803F80ULL) << 1;
}

/* LEB128 into memory that has room for 10 bytes; returns the place behind it. What follows it in those 10 bytes may change. */
static inline uint8_t *varint_put(uint8_t *at, uint64_t v)
{
    if (v < 0x80) {
        *at = (uint8_t)v;
        return at + 1;
    }
    if (v >> 56 == 0) { /* a loop would cost a wrong guess of its length */
        unsigned bytes = (unsigned)((63 - __builtin_clzll(v)) * 37 >> 8) + 1;
        uint64_t word = varint_spread(v) | 0x0080808080808080ULL >> 8 * (8 - bytes);
        memcpy(at, &word, sizeof word); /* little-endian, as every format here */
        return at + bytes;
    }
    while (v >= 0x80) {
        *at++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *at++ = (uint8_t)v;
    return at;
}

/* Packs eight groups of seven bits: pairs, pairs of pairs, halves. A loop would cost a wrong guess of its length. */
static inline uint64_t varint_pack(uint64_t word)
{
    word -= (word & 0x7F007F007F007F00ULL) >> 1;
    word -= ((word & 0x3FFF00003FFF0000ULL) >> 2) * 3;
    return (uint32_t)word | word >> 32 << 28;
}

/* Reads a varint of up to eight bytes, all of which may be loaded (little-endian, as every format here). Its bytes, or 0: it
 * is longer. */
static inline size_t varint_get(const uint8_t *at, uint64_t *out)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t stop = ~word & 0x8080808080808080ULL;
    if (__builtin_expect(!stop, 0))
        return 0;
    *out = varint_pack(word & (stop ^ (stop - 1)) & 0x7F7F7F7F7F7F7F7FULL);
    return (size_t)__builtin_ctzll(stop) / 8 + 1;
}

static inline uint64_t zigzag_of(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t zigzag_to(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct reader reader_of(struct bytes bytes)
{
    return (struct reader){bytes.data, bytes.data + bytes.length, false};
}

static inline size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

uint8_t reader_u8(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);

uint64_t reader_varint_careful(struct reader *reader);

/* Of up to eight bytes that are all there, as nearly every one is, and not at the end. False: read it with care. */
static inline bool reader_varint_fast(struct reader *reader, uint64_t *out)
{
    size_t bytes = reader_left(reader) < sizeof *out ? 0 : varint_get(reader->at, out);
    reader->at += bytes;
    return bytes > 0;
}

static inline uint64_t reader_varint(struct reader *reader)
{
    uint64_t v;
    return reader_varint_fast(reader, &v) ? v : reader_varint_careful(reader);
}

static inline int64_t reader_zigzag(struct reader *reader)
{
    return zigzag_to(reader_varint(reader));
}

/* Borrows `bytes` bytes and steps over them. Empty, with failed set, if there are fewer. */
struct bytes reader_bytes(struct reader *reader, size_t bytes);
