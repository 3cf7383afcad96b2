/* SPDX-License-Identifier: Apache-2.0
 * envelope.h - what a record's value holds: one Declaration or a batch of them, plain, in a zstd frame, or behind a Confluent header.
 *
 * In:      the value of a record                       Out: the bytes of each declaration in it, with its index
 * Limits:  input.max.bytes after decompression
 * Memory:  owns a decompression buffer; slices borrow from it or from the record, until the next envelope_open
 * Thread:  one owner (a worker)
 */
#pragma once

#include "base/buffer.h"
#include "trade/rules.h"

enum input_format {
    INPUT_AUTO,
    INPUT_PROTOBUF,
    INPUT_BATCH,
    INPUT_CONFLUENT,
};

struct envelope_options {
    enum input_format format;
    size_t max_bytes;
};

struct envelope {
    struct envelope_options options;
    void *zstd; /* ZSTD_DCtx */
    struct buffer plain;
    /* of the open record */
    bool is_batch;
    struct bytes rest; /* what envelope_next has not yet given */
    int32_t next_index;
    uint32_t unknown_fields;
};

void envelope_init(struct envelope *envelope, const struct envelope_options *options);
void envelope_fini(struct envelope *envelope);

/* Finds the format and checks the framing of a batch as a whole. RULE_COUNT: good; else the rule that rejects the whole record
 * (STR-001: null, empty, too long, or a batch with nothing in it; STR-002: does not decode). */
enum rule envelope_open(struct envelope *envelope, struct bytes value, bool is_null);

/* The next declaration's bytes; *out_index is its index in a batch, -1 for a single one. False: no more. */
bool envelope_next(struct envelope *envelope, struct bytes *out, int32_t *out_index);
