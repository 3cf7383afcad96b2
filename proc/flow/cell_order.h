/* SPDX-License-Identifier: Apache-2.0
 * cell_order.h - numbers of cells, view after view: one look at each cell instead of one for each view.
 *
 * Memory:  owns its lists, which keep their size; zero-initialised is empty
 * Thread:  one owner
 */
#pragma once

#include "flow/view.h"

struct cell_order {
    uint32_t *places;                /* of view v: from begins[v] up to, not with, begins[v + 1] */
    uint32_t begins[VIEWS_MOST + 1]; /* good after cell_order_finish */
    uint8_t *views;                  /* by number of the cell */
    uint32_t count;
    uint32_t capacity;
};

void cell_order_fini(struct cell_order *order);

/* Begins anew, for at most `most` cells. */
void cell_order_begin(struct cell_order *order, uint32_t most);

/* The next cell, from 0, is one of this view. */
static inline void cell_order_add(struct cell_order *order, uint32_t view)
{
    order->views[order->count++] = (uint8_t)view;
    order->begins[view + 1]++;
}

/* Makes the places; those of one view stay in order. */
void cell_order_finish(struct cell_order *order);
