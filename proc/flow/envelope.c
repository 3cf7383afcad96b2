/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/envelope.h"

#include "base/check.h"
#include "flow/wire_read.h"

#include <zstd.h>
#include <zstd_errors.h>

enum {
    ZSTD_MAGIC_BYTES = 4,
    CONFLUENT_HEADER_BYTES = 5, /* a zero byte and the schema id, which nothing here needs */
    CONFLUENT_INDEXES_MOST = 8, /* nesting of message types; ours are all at the top */
    DECLARATIONS_TAG = 1 << WIRE_TYPE_BITS | WIRE_LENGTH,
};

/* Messages of declaration.proto in the order of the file: the number that a Confluent serializer writes. */
enum message {
    MESSAGE_DECLARATION = 0,
    MESSAGE_ITEM = 1,
    MESSAGE_BATCH = 2,
};

void envelope_init(struct envelope *envelope, const struct envelope_options *options)
{
    *envelope = (struct envelope){.options = *options};
}

void envelope_fini(struct envelope *envelope)
{
    ZSTD_freeDCtx(envelope->zstd);
    buffer_fini(&envelope->plain);
    *envelope = (struct envelope){.options = envelope->options};
}

static bool is_zstd(struct bytes bytes)
{
    static const uint8_t magic[ZSTD_MAGIC_BYTES] = {0x28, 0xB5, 0x2F, 0xFD};
    return bytes.length >= sizeof magic && memcmp(bytes.data, magic, sizeof magic) == 0;
}

/* All frames of *bytes into the one buffer of max_bytes, which is the most that a bomb can make us touch: decompressing
 * at once into it, not through a window, so that the window size in a frame's header costs nothing either. */
static enum rule decompress(struct envelope *envelope, struct bytes *bytes)
{
    size_t most = envelope->options.max_bytes;
    if (!envelope->zstd)
        envelope->zstd = ZSTD_createDCtx();
    CHECK_SAY(envelope->zstd, "no memory for a zstd context");
    buffer_clear(&envelope->plain);
    uint8_t *to = buffer_reserve(&envelope->plain, most);
    size_t length = ZSTD_decompressDCtx(envelope->zstd, to, most, bytes->data, bytes->length);
    if (ZSTD_isError(length))
        return ZSTD_getErrorCode(length) == ZSTD_error_dstSize_tooSmall ? RULE_STR_001 : RULE_STR_002;
    envelope->plain.length = length;
    *bytes = buffer_bytes(&envelope->plain);
    return RULE_COUNT;
}

/* Takes the header off: 0, schema id (4 bytes), then the path of the message in its file as zigzag varints behind their
 * count, where a single 0 stands for [0]. */
static enum rule take_confluent(struct bytes *bytes, enum message *out)
{
    struct reader reader = reader_of(*bytes);
    struct bytes header = reader_bytes(&reader, CONFLUENT_HEADER_BYTES);
    if (reader.failed || header.data[0] != 0)
        return RULE_STR_002;
    int64_t count = reader_zigzag(&reader);
    if (count < 0 || count > CONFLUENT_INDEXES_MOST)
        return RULE_STR_002;
    int64_t index = count == 0 ? MESSAGE_DECLARATION : reader_zigzag(&reader);
    if (reader.failed || count > 1 || (index != MESSAGE_DECLARATION && index != MESSAGE_BATCH))
        return RULE_STR_002;
    *out = (enum message)index;
    *bytes = (struct bytes){reader.at, reader_left(&reader)};
    return RULE_COUNT;
}

/* A batch begins with field 1 whose content begins with field 1 again: with a newline, where a declaration has its id.
 */
static bool looks_like_batch(struct bytes bytes)
{
    uint64_t tag, length = 0;
    const uint8_t *end = bytes.data + bytes.length;
    const uint8_t *at = wire_read_tag(bytes.data, end, &tag);
    if (!at || tag != DECLARATIONS_TAG)
        return false;
    const uint8_t *content = wire_read_skip_varint(at, end);
    for (unsigned i = 0; content && at + i < content; i++)
        length |= (uint64_t)(at[i] & 0x7F) << (7 * i);
    return content && length > 0 && content < end && *content == DECLARATIONS_TAG;
}

/* Walks over all fields: the framing is good, and there is at least one declaration. */
static enum rule check_batch(struct envelope *envelope, struct bytes bytes)
{
    const uint8_t *at = bytes.data;
    const uint8_t *end = at + bytes.length;
    size_t declarations = 0;
    while (at < end) {
        uint64_t tag;
        at = wire_read_tag(at, end, &tag);
        if (!at)
            return RULE_STR_002;
        if (tag == DECLARATIONS_TAG)
            declarations++;
        else if (tag >> WIRE_TYPE_BITS == DECLARATIONS_TAG >> WIRE_TYPE_BITS)
            return RULE_STR_002;
        else
            envelope->unknown_fields++;
        at = wire_read_skip(at, end, tag & WIRE_TYPE_MASK);
        if (!at)
            return RULE_STR_002;
    }
    return declarations ? RULE_COUNT : RULE_STR_001;
}

/* Takes compression and header off. *out_message is what the header says, MESSAGE_ITEM if there was none. */
static enum rule unwrap(struct envelope *envelope, struct bytes *bytes, enum message *out_message)
{
    enum input_format format = envelope->options.format;
    bool compressed = is_zstd(*bytes);
    enum rule rule = compressed ? decompress(envelope, bytes) : RULE_COUNT;
    if (rule != RULE_COUNT || bytes->length == 0)
        return rule != RULE_COUNT ? rule : RULE_STR_001;
    if (format == INPUT_CONFLUENT || (format == INPUT_AUTO && bytes->data[0] == 0)) {
        rule = take_confluent(bytes, out_message);
        if (rule == RULE_COUNT && !compressed && is_zstd(*bytes))
            rule = decompress(envelope, bytes);
    }
    if (rule == RULE_COUNT && bytes->length == 0)
        return RULE_STR_001;
    return rule;
}

enum rule envelope_open(struct envelope *envelope, struct bytes value, bool is_null)
{
    envelope->is_batch = false;
    envelope->rest = (struct bytes){NULL, 0};
    envelope->next_index = -1;
    envelope->unknown_fields = 0;
    if (is_null || value.length == 0 || value.length > envelope->options.max_bytes)
        return RULE_STR_001;
    enum message message = MESSAGE_ITEM;
    enum rule rule = unwrap(envelope, &value, &message);
    if (rule != RULE_COUNT)
        return rule;
    enum input_format format = envelope->options.format;
    bool by_look = format == INPUT_AUTO && message == MESSAGE_ITEM && looks_like_batch(value);
    envelope->is_batch = format == INPUT_BATCH || message == MESSAGE_BATCH || by_look;
    if (envelope->is_batch) {
        rule = check_batch(envelope, value);
        if (rule != RULE_COUNT)
            return rule;
        envelope->next_index = 0;
    }
    envelope->rest = value;
    return RULE_COUNT;
}

static bool next_of_batch(struct envelope *envelope, struct bytes *out)
{
    const uint8_t *at = envelope->rest.data;
    const uint8_t *end = at + envelope->rest.length;
    bool found = false;
    while (at < end && !found) {
        uint64_t tag = 0;
        at = wire_read_tag(at, end, &tag);
        found = tag == DECLARATIONS_TAG;
        if (found) {
            at = wire_read_length(at, end, &out->length);
            out->data = at;
            at += out->length;
        } else {
            at = wire_read_skip(at, end, tag & WIRE_TYPE_MASK);
        }
    }
    envelope->rest = (struct bytes){at, (size_t)(end - at)};
    return found;
}

bool envelope_next(struct envelope *envelope, struct bytes *out, int32_t *out_index)
{
    if (envelope->rest.length == 0)
        return false;
    if (!envelope->is_batch) {
        *out = envelope->rest;
        *out_index = -1;
        envelope->rest = (struct bytes){NULL, 0};
        return true;
    }
    if (!next_of_batch(envelope, out))
        return false;
    *out_index = envelope->next_index++;
    return true;
}
