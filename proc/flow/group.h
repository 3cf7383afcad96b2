/* SPDX-License-Identifier: Apache-2.0
 * group.h - a sealed group of journal frames with the rejects that must be durable before it, until it is echoed.
 *
 * A group is stamped with nonce and seq when it is sent, and stamped again if it is sent again after a producer error.
 * Memory:  owns its bytes; groups are reused through group_reset
 * Thread:  one owner (a worker)
 */
#pragma once

#include "flow/frame.h"

struct group_reject {
    size_t key_at; /* in reject_bytes; the value stands behind the key */
    size_t key_bytes;
    size_t value_bytes;
    size_t shrunk_at; /* the value with coordinates only */
    size_t shrunk_bytes;
    bool shrunk;
    bool sent;
    bool acked;
};

struct group {
    enum frame_kind kind;
    int64_t lo;
    int64_t hi;
    /* frames, one behind the other */
    struct buffer bytes;
    size_t frame_bytes[FRAMES_A_GROUP_MOST];
    size_t frame_begin; /* of the one that is being added */
    uint32_t frame_count;
    /* rejects */
    struct buffer reject_bytes;
    struct group_reject *rejects;
    size_t reject_count;
    size_t reject_capacity;
    size_t rejects_sent;
    size_t rejects_acked;
    /* sending */
    uint32_t frames_sent;
    size_t sent_bytes;
    uint32_t frames_acked;
    struct frame_nonce nonce;
    uint64_t seq_last;
    int64_t acked_ms; /* of its last frame, 0 before */
    int64_t sent_ms;
    uint32_t serial; /* of the seal, in tokens */
    struct counts counts;
    int64_t record_timestamp;
};

struct group *group_new(void);
void group_free(struct group *group);
void group_reset(struct group *group);

/* Nobody needs what it holds: large memory that it did not fill is given back. group_reset must follow before it is used again. */
void group_rest(struct group *group);

/* Forgets that anything was sent, but not which rejects are durable. */
void group_unsend(struct group *group);

/* Adds a frame of `payload` with the header's kind, range and marks; stamped later. */
void group_add_frame(struct group *group, const struct frame *header, struct bytes payload);

/* The same for a caller who appends the payload to the buffer that it is given, and says when it is there. */
struct buffer *group_begin_frame(struct group *group, const struct frame *header);
void group_end_frame(struct group *group);

/* Begins a reject: the caller appends key, value and shrunk value to reject_bytes and says where they end. */
struct group_reject *group_add_reject(struct group *group);

bool group_rejects_durable(const struct group *group);
bool group_is_sent(const struct group *group);
