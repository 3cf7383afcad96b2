/* SPDX-License-Identifier: Apache-2.0
 * echo.h - what the reader rule made of one journal frame, told to the owner of its partition.
 *
 * The publisher's thread reads all journals of the process once; the owner of a partition hears of each frame through a ring and
 * learns from it that its groups count, or that it is fenced (design.md section 3, step 10).
 * Thread:  the struct is plain data, handed over by base/ring; see each function
 */
#pragma once

#include "flow/reader_rule.h"

struct partition;

struct echo {
    int32_t partition;
    enum reader_branch branch;
    enum frame_kind kind;
    bool last;
    struct frame_nonce nonce;
    uint64_t seq;
    int64_t offset;  /* in the journal */
    int64_t hi;      /* input accepted after this frame */
    int64_t trim_to; /* as in struct reader_cycles: what is before it may be deleted */
};

/* Takes an echo of the partition's own journal: groups are done, the claim stands, or the state is dropped.
 *                                                                                  Thread: owner of the partition */
void echo_take(struct partition *partition, const struct echo *echo);

/* A claim that keeps the state was read back: looks whether the journal is the one that the state was read from, then goes on, or
 * claims again without the state. True if that is decided.                              Thread: owner of the partition */
bool echo_prove(struct partition *partition);

/* Whether the journal, which is being read again, ends before a frame of the state. Asks the broker, seldom.
 *                                                                                  Thread: owner of the partition */
bool echo_is_cut(struct partition *partition, int64_t now_ms);

/* Whether something acknowledged at `acked_ms` (0: nothing was) is not in the journal, which was read to its end. Asks the broker, seldom.
 *                                                                                  Thread: owner of the partition */
bool echo_is_missing(struct partition *partition, int64_t acked_ms, int64_t now_ms);
