/* SPDX-License-Identifier: Apache-2.0
 * audit_periods.h - the second count of longer periods: each day, or month, is added to whatever it is a part of, and the sums are compared with those that
 * figures_sums.c looks up for a period; a group of countries gets the cells of those whom the list has in it on the last day of the period. The two share the names of keys and nothing of the reckoning.
 *
 * In:      a cube of whole journals, and the figures that derive from it
 * Left out: rolling windows, whose panes figures_sums.c sums as it does those of years
 * Memory:  about 350 bytes a derived figure, while it runs
 * Thread:  main
 */
#pragma once

#include "flow/figures.h"
#include "flow/statistic.h"

struct audit_periods_found {
    uint64_t compared;
    uint64_t differ;
    char text[256]; /* of the first that differs */
};

/* Every cell of the cube was given to figures_add. */
struct audit_periods_options {
    const struct view_plan *plan;
    const struct reference *reference; /* what figures_look_up was given; NULL where no view has groups */
    const char *reporter;
    const struct cube *cube;
    struct figures *figures;
    const struct zone *zone; /* whose days hours are of; NULL: of UTC */
};

void audit_periods(const struct audit_periods_options *options, struct statistic_writer *writer,
                   struct audit_periods_found *out);
