/* SPDX-License-Identifier: Apache-2.0
 * frame_cells.h - CELLS sections <-> cells of one view.
 *
 * Format:  docs/JOURNAL.md, section 2
 * Limits:  FRAME_CELL_BYTES_MOST a cell
 * Errors:  frame_cells_next: false, the section is broken
 * Thread:  any
 */
#pragma once

#include "flow/cell_order.h"
#include "flow/frame.h"

enum { FRAME_CELL_BYTES_MOST = 320 };

/* One CELLS section that is being written. */
struct frame_cells {
    const struct view *view;
    size_t begin;
    size_t count_at;
    uint32_t count; /* cells in it */
    int32_t day;
};

struct frame_cells frame_cells_open(struct buffer *out, const struct view *view, uint32_t view_index);

/* One more cell; one that is all zero is left out. */
void frame_cells_put(struct buffer *out, struct frame_cells *cells, const struct table_key *key,
                     const struct measures *measures);

/* A section without cells leaves nothing. */
void frame_cells_close(struct buffer *out, const struct frame_cells *cells);

/* Which cells of a tally are of which view. */
void frame_cells_sort(const struct tally *tally, struct cell_order *order);

/* Delta cells of one view, from *index on, which is a place of the order. Stops before the section would pass `most` bytes: *index is
 * where to go on, order->begins[view_index + 1] at the end. */
void frame_cells_put_tally(struct buffer *out, const struct tally *tally, const struct cell_order *order,
                           const struct view *view, uint32_t view_index, uint32_t *index, size_t most);

/* Begins to read a CELLS section: its view and how many cells follow; then one cell a call. The key, which carries over from cell to
 * cell, has dictionary numbers of the partition. */
bool frame_cells_begin(struct reader *reader, const struct view_plan *plan, uint32_t *out_view, uint32_t *out_count,
                       struct table_key *out_key);
bool frame_cells_next(struct reader *reader, const struct view *view, uint32_t view_index, struct table_key *key,
                      struct measures *out);
