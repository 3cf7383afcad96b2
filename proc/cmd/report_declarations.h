/* SPDX-License-Identifier: Apache-2.0
 * report_declarations.h - the declarations that stand as records of a report: for what is in no statistic, traders and vehicles.
 *
 * View:    declarations, by days of reference, with the dimensions flow office border_office zone mode trade_mode partner
 *          partner_consignment region hs10 trader declarant vehicle declaration container crossing
 * Units:   grams are rounded in each item, half away from zero; supplementary quantities are left out
 * Memory:  about 500 bytes an item of the period and of the same period a year before
 * Errors:  as standing.h
 * Thread:  main
 * Why:     docs/adr/0051-reports-from-declarations.md
 */
#pragma once

#include "cmd/options.h"
#include "cmd/standing.h"
#include "query/records.h"

#define REPORT_DECLARATIONS_VIEW "declarations"

struct report_declarations {
    struct window windows[2]; /* wanted: the period, and the same a year before */
    bool is_outside;          /* the items that the rules of STA leave out, in place of those that count */
    bool has_containers;      /* container ids are asked for: a record for each */
};

enum err report_declarations_read(const struct options *options, const struct report_declarations *wanted,
                                  struct records *records, struct standing_sums *out, struct err_info *info) MUST_USE;

/* Names one person, firm, vehicle or declaration: such values are counted, and never listed. */
bool report_declarations_is_private(struct text name);
