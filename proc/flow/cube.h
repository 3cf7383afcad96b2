/* SPDX-License-Identifier: Apache-2.0
 * cube.h - all cells that may be published: the sum of what the groups of all journal partitions changed.
 *
 * In:      groups that the reader rule accepted        Out: cells by number, and which changed since they were taken
 * Cells:   of each view its base cells (day or month) and, of a view by day that publishes months, its month cells.
 *          Derived views are summed here from the leaf they derive from; what a CELLS section of a derived view holds
 *          is only the correction of `declarations`, which is not additive (tally.h).
 * Classes: a view with trade_class has cells of classes; what comes from journals and history is of trade modes. A view with partner_group
 *          has cells of partners, which are not published: figures.h makes groups of them.
 * Slices:  of a snapshot are added where the journal was trimmed before them; else they are compared with what is there
 * Plans:   cells of another plan than the cube's are stepped over; a partition is settled when its slices were counted again
 * Keys:    as in cell.h, with code numbers of the cube's own dictionary; each partition's numbers are translated
 * Errors:  cube_fold: ERR_BROKEN when a section is broken or a control total differs. A refused group leaves every sum and every
 *          mark as it was; cells that only it had stay, all zero.
 * Hours:   what is not kept any more can be left out of the fold and taken out of the cells (cube_leave_out, cube_compact): its sums stand
 *          in the journals, and in the control totals that are compared with them
 * Memory:  about 250 bytes a cell; shrinks by cube_compact alone
 * Thread:  one owner (publisher)
 */
#pragma once

#include "flow/frame.h"

#define CUBE_NO_LINK UINT32_MAX

struct cube;

/* Shares the plan, which must outlive it. plan_id: cells of another plan are not taken; 0: not checked. */
struct cube *cube_new(const struct view_plan *plan, int32_t partitions, uint64_t plan_id);
void cube_free(struct cube *cube);

enum err cube_fold(struct cube *cube, int32_t partition, const struct frame *frames, uint32_t count,
                   struct err_info *info);

/* Every slice of every partition is there, and is of the cube's plan: what the cube holds may be published. If not, out_partition is
 * the first that is not. */
bool cube_is_settled(const struct cube *cube, int32_t *out_partition);

/* A partition's slices were replaced, and what the cube has added of them can't be taken out of its sums: all journals must be folded
 * again from their beginning, into a cube that was emptied. It then knows where to begin. */
bool cube_wants_refold(const struct cube *cube);
void cube_empty(struct cube *cube);

/* All is read, and the group from which the cells of some slice count never came: the journal was cut there (an unclean election). It must be
 * folded again without that knowledge: cube_forget_places, then as above. */
bool cube_lacks_cells(const struct cube *cube);
void cube_forget_places(struct cube *cube);

/* The number of a code in the keys of this cube; DICTIONARY_FULL at the limit. Numbers are good until the cube is emptied. */
uint32_t cube_code(struct cube *cube, struct text code);

/* Adds to one base cell, and to the month cell of a view by day: what comes from no journal (flow/history.h). Views that derive from its
 * view get nothing. */
void cube_add(struct cube *cube, const struct table_key *key, const struct measures *delta);

/* Deltas of hours before that are not added to any cell from now on. A lower one than before changes nothing, until the cube is emptied. */
void cube_leave_out(struct cube *cube, int32_t hours_before);

/* Takes out every cell for which `leave` says so, and gives the others the numbers 0, 1, 2 ... in the order that they had. It is asked once a
 * cell, and not for one that is marked. Returns the new numbers by the old ones, TABLE_NONE for a cell that is gone: owned by the caller
 * (memory_free). Needs a table of the cells that stay, and 4 bytes a cell, while it runs. */
uint32_t *cube_compact(struct cube *cube, bool (*leave)(void *context, uint32_t index), void *context);

/* Cells by number 0 .. count - 1, in order of first use. */
uint32_t cube_count(const struct cube *cube);
const struct table_key *cube_key(const struct cube *cube, uint32_t index);
const struct measures *cube_measures(const struct cube *cube, uint32_t index);

/* Whether the view publishes this cell. One that is not is marked only if periods that are sums of such cells are published. */
bool cube_is_published(const struct cube *cube, uint32_t index);

/* A number that the owner keeps with the cell; CUBE_NO_LINK at first. */
uint32_t cube_link(const struct cube *cube, uint32_t index);
void cube_set_link(struct cube *cube, uint32_t index, uint32_t link);

/* The codes behind the numbers in the keys. */
const struct dictionary *cube_codes(const struct cube *cube);

/* Cells that changed, each once, oldest change first: the first one, or TABLE_NONE; and takes it from the list. cube_dirty_sort gives those
 * of now their turn in the order in which they stand in memory, which the processor fetches ahead. */
uint32_t cube_dirty_first(const struct cube *cube);
void cube_dirty_take(struct cube *cube);
void cube_dirty_sort(struct cube *cube);
uint32_t cube_dirty_count(const struct cube *cube);

/* Sets a flag that the owner keeps with the cell; returns what it was. */
bool cube_flag(struct cube *cube, uint32_t index, bool on);

/* False if no cell of the key's view and flow lies within these days (hours, of a view by hour): there is none to look for. */
bool cube_may_have(const struct cube *cube, const struct table_key *key, int32_t from, int32_t to);

/* The cell of a key with this hash (table_hash), or TABLE_NONE; asks for its slot before that. */
uint32_t cube_find(const struct cube *cube, const struct table_key *key, uint64_t hash);
void cube_prefetch(const struct cube *cube, uint64_t hash);

/* Base cells of a view. */
uint32_t cube_view_cells(const struct cube *cube, uint32_t view);

/* Declarations of all verdicts in the groups folded. */
int64_t cube_declarations(const struct cube *cube);
