/* SPDX-License-Identifier: Apache-2.0
 * tally.h - contributions -> delta cells of one partition, along the plan of the views.
 *
 * In:      contributions to add or to retract                       Out: delta cells since the last tally_clear
 * Leaf views get a cell for each distinct key of a declaration; those that differ only in what they take of the declaration as a whole are
 * counted as one sheet (sheet.h), from which tally_flush makes their cells. A derived view is summed from its leaf by the publisher, but for
 * `declarations`, which is not additive: a declaration adds -(k-1) to each derived cell into which k of its leaf cells fall.
 * In a view with `total` a declaration whose items fall into k cells that differ in nothing but the flow adds -(k-1) to the cell of
 * flow T, which holds such corrections alone: the publisher adds it to the sum of the flows.
 * Memory:  a table that keeps its size between frames (delta.h)
 * Thread:  one owner (a worker)
 * Why:     docs/adr/0006-views-and-plan.md; design.md section 5
 */
#pragma once

#include "flow/cell.h"
#include "flow/contribution.h"
#include "flow/view.h"

/* Additive over groups: what each leaf view has received in all. Equal for all leaf views, so it is kept once. */
struct tally_control {
    i128 value_minor;
    i128 net_mass_mg;
    int64_t items;
};

struct tally;

/* Shares the plan, which must outlive it. */
struct tally *tally_new(const struct view_plan *plan);
void tally_free(struct tally *tally);

/* Adds the contribution sign times; sign is 1 or -1. */
void tally_add(struct tally *tally, const struct contribution *contribution, int sign);

/* The same, but it may be added only by the next tally_flush: many together are faster. Nothing of it is borrowed. */
void tally_list(struct tally *tally, const struct contribution *contribution, int sign);

/* Adds what is listed and makes the cells of the views. Call before the cells are looked at. */
void tally_flush(struct tally *tally);

/* How many delta cells there would be after a tally_flush, at most and without what is only listed. */
uint32_t tally_cells_most(const struct tally *tally);

/* Delta cells by number 0 .. count - 1; some may be all zero, and a key may come twice (its sum passed 64 bits): readers add. */
uint32_t tally_count(const struct tally *tally);
const struct table_key *tally_key(const struct tally *tally, uint32_t index);
void tally_measures(const struct tally *tally, uint32_t index, struct measures *out);

/* Sum over all that was ever added, frames before included. */
struct tally_control tally_control(const struct tally *tally);
void tally_set_control(struct tally *tally, const struct tally_control *control);

void tally_clear(struct tally *tally);

/* The key of the cell of `to` that a cell of a leaf view falls into; month: of its month. */
struct table_key tally_derive(const struct view_plan *plan, const struct table_key *key, uint32_t to, bool month);
