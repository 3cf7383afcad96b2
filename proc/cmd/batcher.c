/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/batcher.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"

#include <zstd.h>

enum {
    LEVEL = 1,
    DECLARATIONS_TAG = 0x0A, /* field 1, length-delimited */
    ELEMENT_FRAME_BYTES = 6, /* tag and length of a declaration, at most */
};

struct lane {
    struct buffer bytes;
    struct buffer key;
    uint32_t count;
    int64_t newest_ms;
};

struct batcher {
    struct batcher_options options;
    ZSTD_CCtx *zstd; /* NULL: plain */
    struct buffer value;
    struct buffer key;
    int32_t flushed; /* partitions that batcher_flush has looked at */
    struct lane lanes[];
};

struct batcher *batcher_new(const struct batcher_options *options)
{
    CHECK(options->partitions > 0 && options->declarations_most > 0);
    struct batcher *batcher = memory_new(1, sizeof *batcher + (size_t)options->partitions * sizeof batcher->lanes[0]);
    batcher->options = *options;
    if (options->compress) {
        batcher->zstd = ZSTD_createCCtx();
        CHECK_SAY(batcher->zstd, "no memory for a zstd context");
    }
    return batcher;
}

void batcher_free(struct batcher *batcher)
{
    if (!batcher)
        return;
    for (int32_t p = 0; p < batcher->options.partitions; p++) {
        buffer_fini(&batcher->lanes[p].bytes);
        buffer_fini(&batcher->lanes[p].key);
    }
    ZSTD_freeCCtx(batcher->zstd);
    buffer_fini(&batcher->value);
    buffer_fini(&batcher->key);
    memory_free(batcher);
}

static void put_value(struct batcher *batcher, struct bytes bytes)
{
    buffer_clear(&batcher->value);
    if (!batcher->zstd) {
        buffer_add(&batcher->value, bytes.data, bytes.length);
        return;
    }
    size_t room = ZSTD_compressBound(bytes.length);
    size_t length =
        ZSTD_compressCCtx(batcher->zstd, buffer_reserve(&batcher->value, room), room, bytes.data, bytes.length, LEVEL);
    CHECK_SAY(!ZSTD_isError(length), "%s", ZSTD_getErrorName(length));
    batcher->value.length = length;
}

static void put_record(struct batcher *batcher, int32_t partition, struct batch_record *out)
{
    struct lane *lane = &batcher->lanes[partition];
    put_value(batcher, buffer_bytes(&lane->bytes));
    buffer_clear(&batcher->key);
    buffer_add(&batcher->key, lane->key.data, lane->key.length);
    *out = (struct batch_record){.partition = partition,
                                 .key = buffer_bytes(&batcher->key),
                                 .value = buffer_bytes(&batcher->value),
                                 .timestamp_ms = lane->newest_ms,
                                 .declarations = lane->count};
    buffer_clear(&lane->bytes);
    lane->count = 0;
}

static void put_element(struct lane *lane, const struct generated *declaration)
{
    if (lane->count == 0) {
        buffer_clear(&lane->key);
        buffer_add(&lane->key, declaration->key.data, declaration->key.length);
    }
    if (lane->count == 0 || declaration->timestamp_ms > lane->newest_ms)
        lane->newest_ms = declaration->timestamp_ms;
    buffer_add_u8(&lane->bytes, DECLARATIONS_TAG);
    buffer_add_varint(&lane->bytes, declaration->value.length);
    buffer_add(&lane->bytes, declaration->value.data, declaration->value.length);
    lane->count++;
}

bool batcher_add(struct batcher *batcher, const struct generated *declaration, struct batch_record *out)
{
    int32_t partition = hash_partition(declaration->key.data, declaration->key.length, batcher->options.partitions);
    struct lane *lane = &batcher->lanes[partition];
    batcher->flushed = 0;
    if (lane->count == 0 && !declaration->declaration) {
        put_value(batcher, declaration->value);
        *out = (struct batch_record){.partition = partition,
                                     .key = {(const uint8_t *)declaration->key.data, declaration->key.length},
                                     .value = buffer_bytes(&batcher->value),
                                     .timestamp_ms = declaration->timestamp_ms,
                                     .declarations = 1};
        return true;
    }
    /* One that does not decode must not begin the next record: it may exceed the bound, which is not the broker's. */
    size_t bytes = lane->bytes.length + declaration->value.length + ELEMENT_FRAME_BYTES;
    bool full = lane->count > 0 && declaration->declaration && bytes > batcher->options.bytes_most;
    if (full)
        put_record(batcher, partition, out);
    put_element(lane, declaration);
    if (!full && lane->count == batcher->options.declarations_most) {
        put_record(batcher, partition, out);
        full = true;
    }
    return full;
}

bool batcher_flush(struct batcher *batcher, struct batch_record *out)
{
    while (batcher->flushed < batcher->options.partitions) {
        int32_t partition = batcher->flushed++;
        if (batcher->lanes[partition].count > 0) {
            put_record(batcher, partition, out);
            return true;
        }
    }
    return false;
}
