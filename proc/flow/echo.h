/* SPDX-License-Identifier: Apache-2.0
 * echo.h - what the reader rule made of one journal frame, told to the owner of its partition.
 *
 * The publisher's thread reads all journals of the process once; the owner of a partition hears of each frame through a ring and
 * learns from it that its groups count, or that it is fenced (design.md section 3, step 10).
 * Thread:  plain data, handed over by base/ring
 */
#pragma once

#include "flow/reader_rule.h"

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
