/* SPDX-License-Identifier: Apache-2.0
 * reader_rule.h - THE reader rule: which frames of a journal partition count. Restore, echo, publisher and verify all run this.
 *
 * In:      the records of one journal partition in offset order
 * Out:     what became of each frame, and whole groups to a fold
 * Memory:  owns a copy of the frames of the group that is not complete
 * Errors:  a rule that is halted stays so; why says what is wrong and where
 * Thread:  one owner
 * Why:     design.md section 3; every reader must agree, so the rule exists once
 */
#pragma once

#include "flow/frame.h"

enum { READER_WINDOW = 64 };

enum reader_branch {
    READER_OPEN,          /* a new epoch begins */
    READER_OPEN_DISCARDS, /* so it does, and a torn group is gone */
    READER_OPEN_SEEN,     /* an OPEN whose nonce is among the last READER_WINDOW: ignored */
    READER_OTHER_NONCE,   /* of another epoch: ignored */
    READER_DUPLICATE,     /* seq accepted before: ignored */
    READER_GAP,           /* seq beyond the expected one: ignored */
    READER_BUFFERED,      /* accepted, its group is not complete */
    READER_APPLIED,       /* accepted, and its group with it */
    READER_HALTED,        /* nothing counts any more */
    READER_BRANCHES,
};

const char *reader_branch_name(enum reader_branch branch);

/* Takes one whole group. An error halts the partition. */
typedef enum err reader_fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info);

struct reader_rule {
    bool begun;
    bool halted;
    struct frame_nonce epoch;
    bool has_epoch;
    uint64_t seq;
    struct frame_nonce window[READER_WINDOW];
    uint32_t window_count; /* OPENs ever accepted */
    int64_t position;      /* offset of the next frame to read */
    int64_t hi;            /* input accepted so far: [0, hi) */
    uint64_t plan;         /* of the last DATA, valid if has_plan */
    bool has_plan;
    bool has_groups;       /* a group was applied */
    bool has_data;         /* one of DATA or SNAP was */
    bool is_idle;          /* the last one was an idle mark */
    int32_t begun_with;    /* partitions of the input in the first OPEN that states them, 0: none does */
    int64_t event_ms_most; /* of the last accepted group, INT64_MIN if none */
    struct buffer held;    /* frames of the open group, one behind the other */
    struct frame frames[FRAMES_A_GROUP_MOST]; /* their headers; payloads point into held when the group is whole */
    uint32_t held_count;
    struct err_info why;
};

struct reader_rule *reader_rule_new(void);
void reader_rule_free(struct reader_rule *rule);

/* Judges the record at `offset`; gives a whole group to fold (may be NULL). *out_frame (may be NULL) gets the parsed header
 * unless the rule is halted before it could be parsed. */
enum reader_branch reader_rule_feed(struct reader_rule *rule, int64_t offset, struct bytes record, reader_fold *fold,
                                    void *context, struct frame *out_frame);
