/* SPDX-License-Identifier: Apache-2.0
 * cube_source.h - the groups of one journal partition -> delta cells for the cube, checked against what the journal says of itself.
 *
 * In:      groups that the reader rule accepted        Out: delta cells with the cube's code numbers, to a sink
 * Slices:  of a snapshot are given where the journal was trimmed before them; else they are compared with what was given
 * Plans:   cells of another plan than the cube's are stepped over; a partition is settled when its slices were counted again
 * Errors:  ERR_BROKEN when a section is broken or a control total differs. Each cell is read once, so what was given of a group that
 *          is refused is taken back: the sink gets the same cells with the opposite sign
 * Memory:  about 50 kB a partition, and its codes
 * Thread:  one owner (publisher)
 */
#pragma once

#include "flow/slice.h"

/* What takes delta cells. */
struct cube_sink {
    void (*add)(void *self, uint32_t view, const struct table_key *key, const struct measures *delta);
    void *self;
};

/* What the control totals of a partition are compared with. */
struct cube_sums {
    struct tally_control leaf[SLICES][VIEWS_MOST];
    int64_t verdicts[VERDICTS];
};

/* One journal partition: its code numbers, which slices are there, and what it has added so far. */
struct cube_source {
    struct dictionary codes;
    uint32_t *numbers; /* of the cube, by number of the partition */
    uint32_t mapped;
    uint32_t capacity;
    struct slices slices;
    uint32_t filled; /* bit per slice whose cells are in the cube */
    /* Journal offset below which cells of a slice are not taken: they were replaced there. */
    int64_t cells_from[SLICES];
    struct cube_sums sums;
};

void cube_source_init(struct cube_source *source);
void cube_source_fini(struct cube_source *source);

/* Forgets all but from where on the cells count. */
void cube_source_empty(struct cube_source *source);

/* Slices of the plan whose cells were not given, for the group from which they count has not come. */
bool cube_source_lacks_cells(const struct cube_source *source, uint64_t plan_id);

/* Every slice is there and of the plan (0: not checked), and lacks no cells. */
bool cube_source_is_settled(const struct cube_source *source, uint64_t plan_id);

/* What the groups of all partitions go through. */
struct cube_source_fold {
    const struct view_plan *plan;
    uint64_t plan_id;         /* cells of another plan are not taken; 0: not checked */
    struct dictionary *codes; /* of the cube */
    struct cube_sink sink;
    /* A slice was replaced that is in the cube: all journals must be folded again, into an empty one. */
    bool wants_refold;
    /* of the last group */
    int64_t declarations;
    struct counts counts;
    struct slice_group group;
    struct cube_sums sums;
    struct tally_control content[VIEWS_MOST]; /* of a slice, as its sections add up */
    struct slice_whole whole;                 /* likewise, but for the ledger */
    uint64_t given;                           /* cells */
    uint32_t take;                            /* bit per slice whose cells are new to the cube */
    bool folds_cells;                         /* they are of the cube's plan, and not replaced later */
    bool has_control;
    bool has_whole;
};

/* Gives the cells of one group. fold->declarations are its declarations of all verdicts. */
enum err cube_source_take(struct cube_source_fold *fold, struct cube_source *source, const struct frame *frames,
                          uint32_t count, int32_t partition, struct err_info *info) MUST_USE;
