/* SPDX-License-Identifier: Apache-2.0
 * figures_inside.h - what figures.c (numbers, marks, what a cell falls into), figures_touch.c (what depends on a cell) and
 *                    figures_sums.c (what a figure is the sum of) share.
 *
 * Thread:  one owner (publisher)
 */
#pragma once

#include "flow/figures.h"
#include "flow/membership.h"
#include "flow/waiting.h"

enum { FIGURES_YEAR_MONTHS = 12 };

/* Of a derived figure. */
struct figures_entry {
    uint32_t link;
    bool is_marked;
};

struct figures {
    const struct view_plan *plan;
    struct cube *cube;
    /* Key of a derived figure -> its number without FIGURE_DERIVED, which is its place in `chunks`. */
    struct table *table;
    struct figures_entry **chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    struct waiting marked;
    const struct zone *zone;
    int32_t today;
    int32_t hour;
    int32_t kept_from;    /* an hour */
    int32_t newest_month; /* that a cell has */
    uint32_t added;       /* cells that figures_add was called for */
    struct membership membership;
    const struct reference *reference; /* NULL: none */
    struct measures sums;              /* of figures_get */
    struct measures base;
};

static inline bool figures_is_derived(uint32_t number)
{
    return number & FIGURE_DERIVED;
}

static inline const struct view *figures_view(const struct figures *figures, const struct table_key *key)
{
    return &figures->plan->views[cell_view(key)];
}

/* The hours of a figure of a view by hour: itself, the last 24, or those of the last seven days. */
struct hours figures_hours(const struct figures *figures, const struct table_key *key);

/* The days of any figure. */
struct days figures_days(const struct figures *figures, const struct table_key *key);

/* The groups of a view that the country of a cell is in, a bit each: on some day, so that keys do not depend on when they are looked at. A
 * figure to which nothing adds is zero, and equals an absent one. */
static inline uint32_t figures_groups(const struct figures *figures, const struct view *view,
                                      const struct table_key *cell)
{
    return view->groups & membership_ever(&figures->membership, cell_partner(cell));
}

/* The key of the first group of a set, which is taken off it. */
static inline struct table_key figures_take_group(const struct table_key *cell, uint32_t *groups)
{
    uint32_t group = (uint32_t)__builtin_ctz(*groups);
    *groups &= *groups - 1;
    return period_with_partner(cell, group + 1);
}
