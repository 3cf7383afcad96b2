/* SPDX-License-Identifier: Apache-2.0
 * view.h - which statistics exist: sets of dimensions with a grain, and the plan by which coarser views derive from finer ones.
 *
 * In:      view.NAME=dim,dim,...@grain and view.NAME.OPTION from the configuration; none = the nine of contract.md section 3a
 * Counted: a view with trade_class is counted by trade_mode and one with partner_group by partner; the publisher makes classes and groups of
 *          them. dimension_set and mask are of what is counted, `dimensions` is what is published.
 * Out:     struct view_plan: views in order, each a leaf (counted at tally) or derived from one leaf (by the publisher)
 * Limits:  VIEWS_MOST views, VIEW_GROUPS_MOST country groups in all of them
 * Memory:  plain struct; immutable after view_plan_finish
 * Errors:  ERR_CONFIG with the key (view.NAME.OPTION) and the mend
 * Thread:  startup writes, any reads
 * Why:     docs/adr/0006-views-and-plan.md; 0075-groups-and-classes.md
 */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "flow/cell.h"
#include "flow/period.h"
#include "trade/reference.h"

enum dimension {
    DIMENSION_FLOW,
    DIMENSION_OFFICE,
    DIMENSION_BORDER_OFFICE,
    DIMENSION_ZONE,
    DIMENSION_MODE,
    DIMENSION_TRADE_MODE,
    DIMENSION_PARTNER,
    DIMENSION_PARTNER_CONSIGNMENT,
    DIMENSION_REGION,
    DIMENSION_HS2,
    DIMENSION_HS4,
    DIMENSION_HS6,
    DIMENSION_HS8,
    DIMENSION_HS10,
    DIMENSION_TRADE_CLASS,
    DIMENSION_PARTNER_GROUP,
    DIMENSIONS,
};

/* Of days and months by the reference date, of hours by the moment of acceptance: none is a sum of the other. */
enum grain {
    GRAIN_DAY,
    GRAIN_MONTH,
    GRAIN_HOUR,
    GRAINS,
};

enum { VIEWS_MOST = 32, VIEW_NAME_BYTES = 32, VIEW_GROUPS_MOST = 32, VIEW_GROUP_BYTES = 20 };

/* Which bits of a full cell key (cell.h) a view keeps. */
struct view_mask {
    uint64_t word1;
    uint64_t word2;
    uint64_t word3;
    uint64_t hs_divisor; /* 10^(10 - digits); 0 without commodity */
    uint64_t leaf_ratio; /* what a commodity of its leaf is divided by to be one of this view */
    bool by_item;        /* some dimension may differ between the items of a declaration */
};

struct view {
    char name[VIEW_NAME_BYTES];
    enum dimension dimensions[DIMENSIONS]; /* in the order of the record key */
    uint32_t dimension_count;
    uint32_t dimension_set; /* bit per enum dimension that is counted */
    uint8_t hs_digits;      /* 0, 2, 4, 6, 8 or 10: the finest hs dimension */
    enum grain grain;
    uint32_t publish; /* bit per enum period */
    bool total;       /* all flows together (T) stand beside each of them */
    bool is_classed;  /* trade_class in place of trade_mode */
    bool is_grouped;  /* partner_group in place of partner */
    uint32_t groups;  /* bit per group of the plan; 0 before view_plan_groups: all that the list has */
    /* set by view_plan_finish */
    uint32_t leaf; /* index of the view it derives from; its own index if it is a leaf */
    bool has_derived;
    struct view_mask mask;
};

struct view_plan {
    struct view views[VIEWS_MOST];
    uint32_t count;
    char groups[VIEW_GROUPS_MOST][VIEW_GROUP_BYTES]; /* names */
    uint32_t group_count;
};

/* Name of a dimension as configuration, record keys and queries write it ("border_office"). */
const char *view_dimension_name(enum dimension dimension);

/* The nine default views, finished. */
void view_plan_default(struct view_plan *plan);

/* Adds view NAME from "dim,dim@grain". ERR_CONFIG with the mend. */
enum err view_plan_add(struct view_plan *plan, struct text name, struct text definition,
                       struct err_info *info) MUST_USE;

/* view.NAME.OPTION=value: `publish` is a list of periods by period_name, `total` is yes or no, `groups` a list of country groups. */
enum err view_plan_option(struct view_plan *plan, struct text name, struct text option, struct text value,
                          struct err_info *info) MUST_USE;

/* The dimension that the cells of the view have for it: trade_mode for trade_class, partner for partner_group. */
static inline enum dimension view_counted(enum dimension dimension)
{
    return dimension == DIMENSION_TRADE_CLASS     ? DIMENSION_TRADE_MODE
           : dimension == DIMENSION_PARTNER_GROUP ? DIMENSION_PARTNER
                                                  : dimension;
}

/* A commodity of some digits. */
static inline bool view_is_commodity(enum dimension dimension)
{
    return dimension >= DIMENSION_HS2 && dimension <= DIMENSION_HS10;
}

static inline bool view_publishes(const struct view *view, enum period period)
{
    return view->publish >> period & 1;
}

/* "day", as a definition ends in it. */
const char *view_grain_name(enum grain grain);

/* What the time in the keys of its cells is. */
static inline enum cell_kind view_cell_kind(const struct view *view)
{
    static const enum cell_kind kinds[GRAINS] = {CELL_DAY, CELL_MONTH, CELL_HOUR};
    return kinds[view->grain];
}

/* Whether a view by day has cells of months beside those of days: some period that it publishes is a sum of months. */
static inline bool view_keeps_months(const struct view *view)
{
    const uint32_t days = 1u << PERIOD_DAY | 1u << PERIOD_7D | 1u << PERIOD_30D;
    return view->grain == GRAIN_DAY && (view->publish & ~days);
}

/* Chooses the leaf of each view. Call once, after the last add. */
void view_plan_finish(struct view_plan *plan);

/* Compares the groups of the views with country_groups.csv; one that names none gets all that the list has. ERR_CONFIG with the names that
 * there are. Call once, after the last option; for a view with groups, before anything is published. */
enum err view_plan_groups(struct view_plan *plan, const struct reference *reference, struct err_info *info) MUST_USE;

/* Whether other lists still have each group that a view publishes. */
enum err view_plan_groups_stay(const struct view_plan *plan, const struct reference *reference,
                               struct err_info *info) MUST_USE;

/* Index of the view of that name, or -1. */
int32_t view_plan_find(const struct view_plan *plan, struct text name);

/* Hash of all that decides a sum: part of the plan id. */
uint64_t view_plan_hash(const struct view_plan *plan);
