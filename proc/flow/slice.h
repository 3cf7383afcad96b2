/* SPDX-License-Identifier: Apache-2.0
 * slice.h - the slices of a rolling snapshot: their head in a SNAP group, and which of them a reader has.
 *
 * The keys of a partition are cut into SLICES parts by hashes without a seed: ledger entries by ledger_segment, cells by totals_slice,
 * rejects by their offset. A SNAP group is one slice as of its lo = hi. A reader that begins at a trimmed log loads each slice when it
 * comes and takes later deltas only into slices that it has; one that has the slice compares. Every fold runs slices_take, so that all
 * of them decide alike.
 * Format:  docs/JOURNAL.md
 * Errors:  ERR_BROKEN with the mend: groups that no writer writes, DATA on a slice of a plan with other cells
 * Thread:  one owner
 * Why:     design.md section 3, rules 6 and 12; docs/adr/0013-rolling-snapshots.md
 */
#pragma once

#include "flow/frame.h"
#include "flow/totals.h"

enum { SLICES = TOTALS_SLICES, SLICE_WINDOW = 64 };

_Static_assert((int)SLICES == (int)LEDGER_SEGMENTS, "a slice of the ledger is a segment");

/* The last OPENs that were not ignored: every reader must remember the same. */
struct slice_window {
    struct frame_nonce nonces[SLICE_WINDOW]; /* in the place count % SLICE_WINDOW at the time */
    uint64_t count;                          /* ever added */
};

bool slice_window_has(const struct slice_window *window, const struct frame_nonce *nonce);
void slice_window_add(struct slice_window *window, const struct frame_nonce *nonce);

/* What the first frame of a SNAP group says of it. */
struct slice_head {
    uint32_t slice;
    bool replan;     /* replaces what readers have of the slice */
    bool rebase;     /* of a cycle that counts whole or not at all, and replaces all that is before it */
    bool has_record; /* record hi - 1 was counted */
    struct slice_window window;
};

/* Control totals of one slice. */
struct slice_whole {
    struct ledger_sums ledger;
    uint64_t cell_sum; /* totals_control */
    uint64_t cells;
};

/* Appends the WINDOW and the SLICE section: the first of a SNAP group. */
void slice_put_head(struct buffer *out, const struct slice_head *head);

/* Writes the window again into the first frame of a SNAP group that slice_put_head began. */
void slice_stamp_window(uint8_t *frame, const struct slice_window *window);

/* False: this payload does not begin a SNAP group of SLICES slices. */
bool slice_get_head(struct bytes payload, struct slice_head *out);

void slice_put_whole(struct buffer *out, const struct slice_whole *whole);
bool slice_get_whole(struct bytes bytes, struct slice_whole *out);

static inline uint32_t slice_of_offset(int64_t offset)
{
    return (uint32_t)((uint64_t)offset % SLICES);
}

/* What one reader has of one partition. Zero-initialised: nothing was read. */
struct slices {
    bool begun;
    uint32_t have;    /* bit per slice */
    uint32_t planned; /* bit per slice that has a plan */
    uint64_t plans[SLICES];
};

enum slice_use {
    SLICE_NONE,    /* no SNAP: deltas, for the slices that the reader has */
    SLICE_LOAD,    /* the reader has nothing of it: take it */
    SLICE_COMPARE, /* the reader has it: it must be the same */
    SLICE_REPLACE, /* drop what the reader has of its cells and take these */
};

/* What a group is to one reader. */
struct slice_group {
    enum slice_use use;
    uint32_t slice;  /* unless SLICE_NONE */
    uint32_t have;   /* slices that deltas of the group are taken into */
    bool is_first;   /* the reader begins with this slice: marks and counts so far are the state's */
    bool has_record; /* unless SLICE_NONE */
};

/* Judges an accepted group and takes it down. */
enum err slices_take(struct slices *slices, const struct frame *frames, uint32_t count, struct slice_group *out,
                     struct err_info *info) MUST_USE;

/* A reader that begins at a slice has nothing yet. */
void slices_begin_trimmed(struct slices *slices);

/* Everything that was ever counted is in the reader's state. */
bool slices_are_whole(const struct slices *slices);

/* No slice that the reader has is of a plan whose cells are others. */
bool slices_are_of_plan(const struct slices *slices, uint64_t plan);

static inline bool slice_in(uint32_t set, uint32_t slice)
{
    return set >> slice & 1;
}
