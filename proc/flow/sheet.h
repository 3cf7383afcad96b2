/* SPDX-License-Identifier: Apache-2.0
 * sheet.h - leaf views that are counted together: one cell a declaration touches instead of one for each of them.
 *
 * Views that take the same of an item (partner, region, flow, as many digits of its code) and differ only in what they take of the
 * declaration (offices, zone, modes) are counted as one sheet that has all of it; the cells of the views are sums of the sheet's. This
 * is exact for `declarations` too: a declaration has one office, so its cells in the sheet are its cells in each of the views.
 * In:      a finished plan of views          Out: struct sheet for each set, plain and constant
 * Thread:  any
 * Why:     docs/adr/0006-views-and-plan.md
 */
#pragma once

#include "flow/cell.h"
#include "flow/view.h"

struct sheet {
    uint64_t word0; /* of its keys: number, enum cell_kind */
    uint64_t word1; /* masks, as struct view_mask */
    uint64_t word2;
    uint64_t word3;
    bool is_joint; /* of several views */
    enum grain grain;
    uint8_t hs_digits;
    uint32_t views;   /* bit per view that is counted here */
    uint32_t derived; /* bit per view that derives from one of them */
};

/* Fills sheets; returns how many. */
uint32_t sheet_plan(const struct view_plan *plan, struct sheet sheets[static VIEWS_MOST]);

/* A sheet of one view has its number, and its keys are those of the view. The number of a joint one stands behind all views: its index. */
static inline uint32_t sheet_of(const struct table_key *key)
{
    return cell_view(key) - VIEWS_MOST;
}

/* The key of the cell of one of its views. */
struct table_key sheet_view_key(const struct table_key *key, const struct view *view, uint32_t index);
