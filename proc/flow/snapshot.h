/* SPDX-License-Identifier: Apache-2.0
 * snapshot.h - the rolling snapshot of a partition: when a slice is due, its group, and how far the journal may be trimmed.
 *
 * A cycle is SLICES slices in turn, each a group as of the position at its time, one a frame interval at most and none while input
 * waits. A cycle begins when the groups since the last one began have more bytes than it. When a whole cycle has been read back, the
 * journal is trimmed to the first slice of the cycle before it: whoever restores reads that one, and checks it against the next.
 * Where the journal was counted under another plan, a whole cycle marked REPLAN comes before anything is counted.
 * Memory:  two times the bytes of a slice while it is sealed
 * Errors:  a trim that fails is tried again later and shown in the status; a slice that is larger than a group ends snapshots
 *          of the partition until it is restored again, and is shown there too
 * Thread:  one owner (a worker)
 * Why:     design.md section 3, steps 6 and 7; docs/adr/0013-rolling-snapshots.md
 */
#pragma once

#include "flow/group.h"
#include "flow/state.h"

struct partition;

enum { SNAPSHOT_BYTES_LEAST = 8 << 20 }; /* of groups before a cycle begins, however small the state is */

struct snapshot {
    struct slice_window window; /* of OPENs, the own one included */
    uint32_t next;              /* the slice that comes next; 0 < next: a cycle is on its way */
    bool is_off;                /* a slice did not fit into a group */
    /* The cycle on its way replaces what was counted under another plan; nothing is counted before its end. */
    bool replans;
    int64_t cycle_bytes;    /* of the cycle on its way */
    int64_t complete_bytes; /* of the last whole one */
    int64_t since_bytes;    /* of other groups since the last one began */
    int64_t sealed_ms;      /* when the last slice was sealed, */
    int64_t sealed_bytes;   /* and how large it was */
    int64_t trim_to;        /* journal offset, -1 for none */
    int64_t trimmed;
    int64_t trim_retry_ms;
};

/* What a slice is made of. */
struct snapshot_source {
    int32_t partition;
    uint64_t plan;
    struct state *state; /* rejects that are older than rejects_days are dropped */
    const struct slice_window *window;
    int32_t begun_with; /* partitions of the input, 0: not known */
    int32_t rejects_days;
    bool is_idle;
    bool replan;
    bool rebase;
    struct text reason; /* of a rebase; stands in slice 0 */
};

/* Begins where the restored journal stands. */
void snapshot_begin(struct partition *partition, const struct reader_rule *rule);

/* Derives all cells from the ledger, as the plan of this process counts them, and begins the cycle that replaces what the journal has.
 * ERR_LIMIT: something has expired, and its cells can't be derived. ERR_BROKEN: the contributions are not what the control totals say. */
enum err snapshot_replan(struct partition *partition, struct err_info *info) MUST_USE;

/* Takes down that a group of other than slices was sealed. */
void snapshot_note(struct partition *partition, const struct group *group);

/* Whether a slice is to be sealed now. What is counted must be sealed before it. */
bool snapshot_is_due(const struct partition *partition, int64_t now_ms);

/* Seals the next slice. Gives the group; NULL: the slice is too large for one, and there will be no snapshots. */
struct group *snapshot_seal(struct partition *partition, int64_t now_ms);

/* Makes an empty group the SNAP group of one slice as of the state's position. False: it is too large, and the group is of no use. */
bool snapshot_slice(struct group *group, const struct snapshot_source *source, uint32_t slice);

/* Empties the cells of the state and derives them from its ledger, as the state's plan counts them. The tally must be empty. False: the
 * contributions are not what the control totals say. */
bool snapshot_derive(struct state *state);

/* All sealed slices go out again under a new epoch: they must carry its OPEN too. */
void snapshot_reopen(struct partition *partition, const struct frame_nonce *nonce);

/* Trims the journal if there is something to trim. (may block) True if it was tried. */
bool snapshot_trim(struct partition *partition, int64_t now_ms);
