/* SPDX-License-Identifier: Apache-2.0
 * ranking.h - a report that is made again and again while records come: the largest groups of a view, as a table that fits a screen.
 *
 * In:      records of topic.statistics, taken by the rule of consumers (query/records.h)
 * Out:     lines of text, as `dryport report` prints them
 * Memory:  owns the view's records; borrows texts and lists of its options
 * Errors:  ERR_CONFIG with the names that there are; ERR_RETRY while no record of the view has come, with what has
 * Thread:  main
 */
#pragma once

#include "flow/port.h"
#include "query/presentation.h"

struct ranking;

/* Texts as the options of `dryport report`; NULL where one was not given. */
struct ranking_options {
    const char *view;
    const char *by;
    const char *where;
    const char *sort;
    const char *show;
    struct window window; /* from 0: from January to the newest month that has goods */
    const struct reference *reference;
};

/* Gives *out. */
enum err ranking_new(const struct ranking_options *options, struct ranking **out, struct err_info *info) MUST_USE;
/* Takes NULL. */
void ranking_free(struct ranking *ranking);

/* False: the value is no Statistic. */
bool ranking_take(struct ranking *ranking, const struct port_record *record);

/* Whether a record of the view has come. */
bool ranking_has_rows(const struct ranking *ranking);

/* The table with at most `rows` groups, the sum of the others, the total, and what must be known of them. */
enum err ranking_print(struct ranking *ranking, int64_t rows, FILE *out, struct err_info *info) MUST_USE;

/* "view heading, January-July 2025, by value": what the last table was of. */
void ranking_print_head(const struct ranking *ranking, FILE *out);

/* From now on by the next of the measures that are shown. */
void ranking_sort_next(struct ranking *ranking);
