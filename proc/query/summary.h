/* SPDX-License-Identifier: Apache-2.0
 * summary.h - records of one view -> sums by chosen aspects over a window, beside those of the same window a year before.
 *
 * Taken:   of days where the view has them, else of months
 * Base:    a group that had records in the year before has one; a window longer than a year has one only by month, quarter, year
 * Memory:  owns its groups; borrows records and the texts of the request
 * Errors:  ERR_CONFIG with the dimensions, views or the setting that would help
 * Thread:  main, query: one owner
 * Why:     docs/adr/0041-windows-and-the-year-before.md, docs/adr/0042-what-a-report-derives.md
 */
#pragma once

#include "query/condition.h"
#include "query/edition.h"
#include "query/measure.h"
#include "trade/window.h"

enum { SUMMARY_COLUMNS_MOST = 16, SUMMARY_GROUPS_MOST = 64 };

struct summary_request {
    struct window window;
    const char *by;    /* "dim,dim"; NULL: all dimensions of the view, "": none */
    const char *where; /* NULL: all records */
    const char *count; /* an aspect whose values are counted; NULL: none */
    /* An aspect: a share is that of the same selection without conditions on it; NULL: of the total. */
    const char *share;
    const char *sort; /* a measure or "name"; NULL: by name where the first column is a time, else by value */
    int64_t top;      /* at most so many groups, 0: all */
    const struct reference *reference; /* for groups of countries; may be NULL */
    uint32_t composition_date;         /* 0: the last day of the window */
};

struct summary_group {
    char *values; /* of the columns, each ended by zero */
    uint32_t values_bytes;
    struct sums now;
    struct sums base;
    bool has_now;          /* some record in the window */
    bool has_base;         /* some record in the window a year before */
    i128 first_year_value; /* of the first and the last whole year of the window */
    i128 last_year_value;
    i128 whole_value; /* what its share is a share of */
    uint32_t distinct;
    unsigned edition; /* bits of enum edition_flag */
    i128 order;
};

struct summary {
    const struct records *records;
    struct summary_request request;
    /* chosen */
    struct window before;
    struct edition edition; /* how records of HS 2017 are compared */
    bool by_month;          /* from records of months */
    struct aspect columns[SUMMARY_COLUMNS_MOST];
    uint32_t column_count;
    struct conditions conditions;
    struct aspect count;
    struct aspect share;
    bool has_count;
    bool has_share;
    uint32_t flow_part; /* part of the key that is a flow which is added up; RECORDS_PARTS_MOST: none */
    struct text group_names[SUMMARY_GROUPS_MOST]; /* of --by partner_group */
    struct composition compositions[SUMMARY_GROUPS_MOST];
    uint32_t group_name_count;
    /* made */
    struct summary_group *groups;
    uint32_t group_count;
    struct summary_group total;
    struct summary_group rest; /* of the groups that --top leaves out */
    uint32_t rest_count;
    const char *no_declarations; /* why their sum would count one twice; NULL: it is exact */
    const char *no_quantity;     /* why quantities can't be added; NULL: they can */
    char quantity_unit[4];
    uint32_t first_year; /* whole years of the window; 0: fewer than two */
    uint32_t last_year;
};

/* Gives *out, which borrows records and the texts of the request. */
enum err summary_make(const struct records *records, const struct summary_request *request, struct summary **out,
                      struct err_info *info) MUST_USE;
/* Takes NULL. */
void summary_free(struct summary *summary);

/* The group's value of a column. */
const char *summary_value(const struct summary_group *group, uint32_t column);

/* What a country group of this report consists of. */
void summary_compose(const struct summary *summary, struct text group, struct composition *out);
