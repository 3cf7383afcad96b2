/* SPDX-License-Identifier: Apache-2.0
 * reader_rule.h - THE reader rule: which frames of a journal partition count. Restore, echo, publisher and verify all run this.
 *
 * In:      the records of one journal partition in offset order, from its first one or, if it was trimmed, from the slice 0 that is
 *          there now
 * Out:     what became of each frame, and whole groups to a fold
 * Memory:  owns a copy of the frames of the group that is not complete
 * Errors:  a rule that is halted says why and where. It follows OPENs and seqs on, so that a rebase is noticed: see READER_REBASED
 * Thread:  one owner
 * Why:     design.md section 3; every reader must agree, so the rule exists once
 */
#pragma once

#include "flow/slice.h"

enum { READER_WINDOW = SLICE_WINDOW };

enum reader_branch {
    READER_OPEN,          /* a new epoch begins */
    READER_OPEN_DISCARDS, /* so it does, and a torn group is gone */
    READER_OPEN_SEEN,     /* an OPEN whose nonce is among the last READER_WINDOW: ignored */
    READER_OTHER_NONCE,   /* of another epoch: ignored */
    READER_DUPLICATE,     /* seq accepted before: ignored */
    READER_GAP,           /* seq beyond the expected one: ignored */
    READER_BUFFERED,      /* accepted, its group is not complete */
    READER_APPLIED,       /* accepted, and its group with it */
    READER_REBASE,        /* accepted: a slice of a rebase, of which nothing counts before it is whole */
    READER_REBASED, /* accepted: its last slice. All that is before it is void: reader_rule_begin_again, and read from there */
    READER_HALTED, /* nothing counts any more, until a rebase is whole */
    READER_BRANCHES,
};

const char *reader_branch_name(enum reader_branch branch);

/* The cycles of snapshot slices that were accepted: where the log may be trimmed, and what is due. */
struct reader_cycles {
    int64_t before;  /* journal offset of the first slice of the cycle before the current one, -1 if there is none */
    int64_t current; /* of the current one, -1 if there is none */
    uint32_t slices; /* how many of the current one are there; SLICES: it is complete */
    int64_t trim_to; /* the first slice of the cycle before the last complete one, -1 if there is none */
    int64_t bytes;   /* of the current cycle so far */
    int64_t complete_bytes; /* of the last complete cycle, 0 if there is none */
    int64_t since_bytes;    /* of other groups since the current cycle began */
};

/* The slices of a rebase that came so far, under one nonce and with nothing else between them. */
struct reader_rebase {
    int64_t from; /* journal offset of its first slice, -1: none is on its way */
    uint32_t slices;
};

/* Takes one whole group. An error halts the partition. */
typedef enum err reader_fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info);

struct reader_rule {
    bool begun;
    bool halted;
    int64_t halted_at;  /* journal offset, valid if halted */
    bool needs_upgrade; /* what it halted at is a frame of another version: nothing is broken */
    struct frame_nonce epoch;
    bool has_epoch;
    uint64_t seq;
    struct slice_window window;
    int64_t first;    /* offset of the first frame read */
    int64_t position; /* offset of the next frame to read */
    int64_t hi;       /* input accepted so far: [0, hi) */
    uint64_t plan;    /* of the last DATA or SNAP, valid if has_plan */
    bool has_plan;
    struct slices slices; /* which the reader has; folds have their own */
    struct reader_cycles cycles;
    struct reader_rebase rebase;
    bool begins_rebased;   /* the first frame read is of a rebase, and its slices are not all there yet */
    bool has_groups;       /* a group was applied */
    bool has_data;         /* one of DATA or SNAP was */
    bool is_idle;          /* the last one was an idle mark */
    int32_t begun_with;    /* partitions of the input in the first OPEN or SNAP that states them, 0: none does */
    int64_t event_ms_most; /* of the last accepted group, INT64_MIN if none */
    /* Set by the owner: its fold has no use for frames that hold ledger entries alone; they come empty. */
    bool drops_ledger;
    int64_t held_bytes;                       /* of the open group, what was dropped included */
    struct buffer held;                       /* frames of the open group, one behind the other */
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

/* Instead of the record at `offset` there is a fault. */
enum reader_branch reader_rule_fault(struct reader_rule *rule, int64_t offset, const char *what);

/* After READER_REBASED: forgets everything. The next record to feed is that of rule->position, where the rebase begins; folds begin anew,
 * too. */
void reader_rule_begin_again(struct reader_rule *rule);
