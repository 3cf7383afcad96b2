/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>

enum { LARGE = 256 * 1024, MOSTLY_EMPTY = 4 };

void buffer_fini(struct buffer *buffer)
{
    memory_free(buffer->data);
    *buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

void buffer_relax(struct buffer *buffer)
{
    if (buffer->capacity > LARGE && buffer->length < buffer->capacity / MOSTLY_EMPTY)
        buffer_fini(buffer);
    buffer->length = 0;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t bytes)
{
    if (buffer->capacity - buffer->length < bytes) {
        size_t capacity = buffer->capacity ? buffer->capacity : 256;
        while (capacity - buffer->length < bytes)
            capacity *= 2;
        buffer->data = memory_resize(buffer->data, capacity, 1);
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->length;
}

void buffer_add(struct buffer *buffer, const void *data, size_t bytes)
{
    if (bytes)
        memcpy(buffer_reserve(buffer, bytes), data, bytes);
    buffer->length += bytes;
}

void buffer_add_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_add_format(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int bytes = vsnprintf(NULL, 0, format, args);
    CHECK(bytes >= 0);
    vsnprintf((char *)buffer_reserve(buffer, (size_t)bytes + 1), (size_t)bytes + 1, format, again);
    buffer->length += (size_t)bytes;
    va_end(again);
    va_end(args);
}

void buffer_add_u8(struct buffer *buffer, uint8_t v)
{
    *buffer_reserve(buffer, 1) = v;
    buffer->length++;
}

void buffer_add_u32(struct buffer *buffer, uint32_t v)
{
    buffer_add(buffer, &v, sizeof v);
}

void buffer_add_u64(struct buffer *buffer, uint64_t v)
{
    buffer_add(buffer, &v, sizeof v);
}

void buffer_add_varint(struct buffer *buffer, uint64_t v)
{
    uint8_t *at = buffer_reserve(buffer, 10);
    buffer->length += (size_t)(varint_put(at, v) - at);
}

void buffer_add_zigzag(struct buffer *buffer, int64_t v)
{
    buffer_add_varint(buffer, zigzag_of(v));
}

struct bytes reader_bytes(struct reader *reader, size_t bytes)
{
    if (reader->failed || reader_left(reader) < bytes) {
        reader->failed = true;
        return (struct bytes){NULL, 0};
    }
    struct bytes out = {reader->at, bytes};
    reader->at += bytes;
    return out;
}

uint8_t reader_u8(struct reader *reader)
{
    struct bytes b = reader_bytes(reader, 1);
    return b.length ? b.data[0] : 0;
}

uint32_t reader_u32(struct reader *reader)
{
    uint32_t v = 0;
    struct bytes b = reader_bytes(reader, sizeof v);
    if (b.length)
        memcpy(&v, b.data, sizeof v);
    return v;
}

uint64_t reader_u64(struct reader *reader)
{
    uint64_t v = 0;
    struct bytes b = reader_bytes(reader, sizeof v);
    if (b.length)
        memcpy(&v, b.data, sizeof v);
    return v;
}

uint64_t reader_varint_careful(struct reader *reader)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70 && !reader->failed; shift += 7) {
        uint8_t byte = reader_u8(reader);
        if (shift == 63 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return v;
    }
    reader->failed = true;
    return 0;
}
