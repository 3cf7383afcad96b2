/* SPDX-License-Identifier: Apache-2.0
 * plan.h - the plan id of a group: the hash of everything that decides a sum, in two halves that say which kind of change there was.
 *
 *   lower half    how a contribution in the ledger becomes cells (views, zone, currency, trade system), and how input is read
 *   upper half    what a declaration is judged by before it becomes a contribution: rules, severities, lists
 *
 * Cells of two plans with the same lower half add up: what was counted stays as it was counted, whatever it was judged by. Cells of others
 * do not: a whole cycle marked REPLAN comes between them.
 * Thread:  any
 * Why:     docs/adr/0034-reload-without-replan.md
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* 0 is taken for "no plan is looked at": a lower half is never 0. */
static inline uint64_t plan_make(uint64_t cells, uint64_t judging)
{
    uint32_t lower = (uint32_t)(cells ^ cells >> 32);
    uint32_t upper = (uint32_t)(judging ^ judging >> 32);
    return (uint64_t)upper << 32 | (lower ? lower : 1);
}

static inline bool plan_same_cells(uint64_t a, uint64_t b)
{
    return (uint32_t)a == (uint32_t)b;
}
