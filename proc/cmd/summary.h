/* SPDX-License-Identifier: Apache-2.0
 * summary.h - records of one view -> sums by chosen dimensions, as a table for people, as CSV or as JSON.
 *
 * In:      records of topic.statistics in any order; of each key the newest as_of counts
 * Units:   text: whole units of the currency, tonnes; CSV and JSON: the contract's fields, minor units and grams
 * Memory:  owns all rows: about 200 bytes a record of the view
 * Errors:  ERR_CONFIG with the dimensions or views that there are
 * Thread:  main
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

#include <stdio.h>

struct summary;

/* Borrows the name until summary_free. */
struct summary *summary_new(const char *view);
/* Takes NULL. */
void summary_free(struct summary *summary);

/* Takes a record; those of other views and claims are left out. False: the value is no Statistic. */
bool summary_take(struct summary *summary, struct text key, struct bytes value);

struct summary_request {
    const char *by; /* "dim,dim"; NULL: all dimensions of the view, "": none */
    uint32_t from;  /* first and last day, yyyymmdd */
    uint32_t to;
    uint32_t currency_decimals;
};

/* Sums the records within the period: of months where it is whole months and the view has them, else of days. */
enum err summary_make(struct summary *summary, const struct summary_request *request, struct err_info *info) MUST_USE;

/* Currency of the records taken, empty if there is none. */
struct text summary_currency(const struct summary *summary);

void summary_print_text(const struct summary *summary, FILE *out);
void summary_print_csv(const struct summary *summary, FILE *out);
void summary_print_json(const struct summary *summary, FILE *out);
