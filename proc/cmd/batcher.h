/* SPDX-License-Identifier: Apache-2.0
 * batcher.h - puts single declarations together into records that hold a DeclarationBatch each, one partition's declarations in one record.
 *
 * In:      generated declarations in order             Out: records with partition, key, value and timestamp
 * Order:   within a partition as it was, so that an amendment stays behind what it amends
 * Key:     the id of the first declaration; all ids of a record have the partition that murmur2 gives that key
 * Time:    a record's timestamp is the latest of its declarations: it arrives when the last of them does
 * Alone:   bytes that do not decode never begin a batch, for a reader that finds the format out by the first bytes (input.format=auto)
 *          would take the whole record for one broken declaration: they are a record of their own
 * Memory:  owns a buffer a partition; a record is good until the next call
 * Thread:  one owner
 */
#pragma once

#include "cmd/generator.h"

struct batcher_options {
    int32_t partitions;         /* of the topic, at least 1 */
    uint32_t declarations_most; /* in a record, at least 1 */
    /* Of a record before compression, unless the last declaration does not decode or one alone is larger. */
    size_t bytes_most;
    bool compress; /* the value is a zstd frame */
};

struct batch_record {
    int32_t partition;
    struct bytes key;
    struct bytes value;
    int64_t timestamp_ms;
    uint32_t declarations;
};

struct batcher;

struct batcher *batcher_new(const struct batcher_options *options);
/* Takes NULL. */
void batcher_free(struct batcher *batcher);

/* Takes a declaration. True: a record is complete, *out. */
bool batcher_add(struct batcher *batcher, const struct generated *declaration, struct batch_record *out);

/* What is left, a record a call, until it returns false. */
bool batcher_flush(struct batcher *batcher, struct batch_record *out);
