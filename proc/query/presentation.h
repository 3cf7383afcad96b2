/* SPDX-License-Identifier: Apache-2.0
 * presentation.h - how the sums of a summary are shown: which measures, in which units, in which currency.
 *
 * In:      --show, --mass-unit, --value-scale, --currency and --rate
 * Rounds:  trade/figure.h: once, from the exact sum
 * Memory:  plain; borrows texts
 * Errors:  ERR_CONFIG with the values that there are
 * Thread:  main, query: one owner
 */
#pragma once

#include "query/summary.h"
#include "trade/figure.h"

#include <stdio.h>

struct presentation {
    enum measure show[MEASURES];
    uint32_t show_count;
    enum figure_mass mass_unit;
    enum figure_money value_scale;
    const char *currency; /* shown */
    uint32_t decimals;    /* of the currency of the records */
    int64_t rate_e8;      /* currency of the records per unit of the one shown; 0: not converted */
    const char *rate;     /* as it was given */
};

/* Texts are NULL where the option was not given. */
struct presentation_options {
    const char *show;
    const char *show_default;
    const char *mass_unit;
    const char *value_scale;
    const char *currency;
    const char *rate;
};

enum err presentation_read(const struct presentation_options *options, struct presentation *out,
                           struct err_info *info) MUST_USE;

/* The value in the currency shown, as numerator and divisor of its units. */
void presentation_value(const struct presentation *presentation, i128 value_minor, i128 *out_v, i128 *out_divisor);

/* Why the measure says nothing of this summary; NULL if it does. */
const char *presentation_reason(const struct summary *summary, enum measure measure);

/* The figure with its unit, as a sentence has it: "35,500 t", "3.65 bn yuan", "11,000 declarations", "18 %"; "-" if it says
 * nothing. `base`: of the year before. Returns out. */
char *presentation_figure(const struct presentation *presentation, const struct summary *summary,
                          const struct summary_group *group, enum measure measure, bool base,
                          char out[static FIGURE_BYTES]);

/* "50.1", or "-" without a base. */
char *presentation_growth(const struct summary *summary, const struct summary_group *group, enum measure measure,
                          char out[static FIGURE_BYTES]);

/* Lines with what a reader must know beside the figures: the selection, compositions, definitions, rates, and why there is "-". */
void presentation_notes(const struct presentation *presentation, const struct summary *summary, FILE *out);
