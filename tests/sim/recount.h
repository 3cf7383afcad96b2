/* SPDX-License-Identifier: Apache-2.0
 * recount.h - the totals of a story, counted again in the plainest way: the newest version of each id stands.
 *
 * Memory:  owns what it counted
 * Thread:  one thread in all
 */
#pragma once

#include "sim/story.h"

enum recount_verdict {
    RECOUNT_COUNTED,
    RECOUNT_DUPLICATE,
    RECOUNT_STALE,
    RECOUNT_REJECTED,
    RECOUNT_NOT_COUNTED,
    RECOUNT_VERDICTS
};

struct recount_reject {
    int64_t offset;
    int32_t index;
    uint16_t rule;
};

/* Under what the input is counted: the rules and the views. The default plan, and a lenient one with other views (scene_load). */
enum recount_plan { RECOUNT_DEFAULT, RECOUNT_LENIENT, RECOUNT_PLANS };

/* What the views of a plan publish beside what they do by themselves: view, periods, whether all flows stand together; with a definition, a
 * view that the plan has beside its own. The product's plans are given it as options (views.h), the recount counts by it. */
struct recount_published {
    enum recount_plan plan;
    const char *view;
    const char *definition;
    const char *periods;
    bool total;
};
enum { RECOUNT_PUBLISHED = 11 };
extern const struct recount_published recount_published[RECOUNT_PUBLISHED];

/* The lists that its rules look into: those of tests/data/reference, or those of tests/sim/lists, which know one more office. */
enum recount_lists { RECOUNT_OLD_LISTS, RECOUNT_NEW_LISTS, RECOUNT_LISTS };

enum { RECOUNT_PLAN_ID = 4711 }; /* of the first plan; those of the others follow */

/* As flow/plan.h has it: the plan decides the cells, the lists only verdicts. */
static inline uint64_t recount_plan_id(enum recount_plan plan, enum recount_lists lists)
{
    return (uint64_t)lists << 32 | (uint64_t)(RECOUNT_PLAN_ID + (int)plan);
}

/* What the input [0, hi) of one partition adds up to. */
struct recount_partition {
    int64_t hi;
    int64_t verdicts[RECOUNT_VERDICTS];
    int64_t records;
    int64_t skipped;
    struct recount_reject *rejects;
    size_t reject_count;
    size_t reject_capacity;
    int64_t standing; /* ids with an entry */
    int64_t expired;  /* ids of which nothing but a fingerprint is left */
    int32_t floor;    /* months since 1970-01 */
    int64_t value;    /* of the versions that stand */
    int64_t items;
    int64_t event_ms; /* the largest of what was counted, none later than its record; INT64_MIN: nothing was */
};

struct recount;

/* `horizon_months`: after which a declaration expires by the month of its reference date, 0 = never. */
struct recount *recount_new(const struct story *story, int32_t partitions, int32_t horizon_months);
void recount_free(struct recount *recount);

/* Begins a partition at `low` after a hole that was authorised. */
void recount_skip(struct recount *recount, int32_t partition, int64_t low);

/* Counts a partition up to the offset hi by the rules of a plan and the lists that it had. */
void recount_to(struct recount *recount, int32_t partition, int64_t hi, enum recount_plan plan,
                enum recount_lists lists);

const struct recount_partition *recount_partition(const struct recount *recount, int32_t partition);

enum { RECOUNT_KEY_BYTES = 192 };

/* One published cell. */
struct recount_cell {
    char key[RECOUNT_KEY_BYTES];
    int64_t value_minor;
    int64_t net_mass_g;
    int64_t gross_mass_g;
    int64_t packages;
    int64_t items;
    int64_t late_items;
    int64_t declarations;
    int64_t last; /* declaration that was added last, to count each once */
    /* the same a year before */
    int64_t base_value_minor;
    int64_t base_net_mass_g;
    int64_t base_items;
    uint32_t from; /* yyyymmdd */
    uint32_t to;
    int64_t hour;         /* hours of UTC since 1970, of one by hour; else RECOUNT_NO_HOUR */
    int64_t hour_from_ms; /* of one by hour and of the last 24, else 0 */
    int64_t hour_to_ms;
    bool is_void; /* no item falls into it, or it is a year to date of a month without any */
};

struct cells;
#define RECOUNT_NO_HOUR INT64_MIN

/* What rolling windows end on: yyyymmdd, 0: there are none; hours of UTC since 1970, RECOUNT_NO_HOUR likewise. */
struct recount_now {
    uint32_t today;
    int64_t hour;
};

/* All cells that the versions which stand in all partitions make in the views of a plan, by key; hours that are not kept any more, too. */
struct cells *recount_cells(const struct recount *recount, enum recount_plan plan, struct recount_now now);
void cells_free(struct cells *cells);
/* Those that are not void; of the hours among them those from `hours_from` on. */
size_t cells_count(const struct cells *cells, int64_t hours_from);
/* NULL: there is none of this key, or it is void. */
const struct recount_cell *cells_find(const struct cells *cells, struct text key);
