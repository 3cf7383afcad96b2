/* SPDX-License-Identifier: Apache-2.0
 * reject.h - a rejected declaration -> key and value of topic.rejects (customs.v1.Reject).
 *
 * Limits:  REJECT_PAYLOAD_MOST of payload, else it is omitted and says so
 * Thread:  any
 */
#pragma once

#include "base/buffer.h"
#include "trade/rules.h"

enum { REJECT_PAYLOAD_MOST = 256 * 1024 };

struct reject {
    struct text topic;
    int32_t partition;
    int64_t offset;
    int32_t index; /* in a batch, -1 for a single one */
    int64_t timestamp_ms;
    struct text declaration_id; /* empty if unreadable */
    uint32_t version;
    const struct findings *findings;
    struct bytes payload; /* of that declaration; empty = not wanted (rejects.payload) */
    uint64_t plan;
};

/* Appends the key `topic/partition/offset[/index]`. */
void reject_put_key(struct buffer *out, const struct reject *reject);

/* Appends the value. */
void reject_put_value(struct buffer *out, const struct reject *reject);

/* Appends the value with coordinates only: for a broker that finds the whole too large. */
void reject_put_coordinates(struct buffer *out, const struct reject *reject);
