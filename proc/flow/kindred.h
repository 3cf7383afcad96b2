/* SPDX-License-Identifier: Apache-2.0
 * kindred.h - keys of one commodity in two editions of the HS: where the days before 2022 of a key stand, and what they are the year before of.
 *
 * In:      keys of views with a commodity; hs2022_hs2017.csv of the lists. Without it, and for codes that it lacks, digits are compared as they are
 * Rule:    goods move whole or not at all: one code that others joined is the sum of them, one that was split is nobody's year before
 * Digits:  of six and fewer; of national digits behind them no table says what they are now, so such a code must have stayed
 * Thread:  any
 * Why:     docs/adr/0076-growth-across-editions.md
 */
#pragma once

#include "flow/period.h"
#include "flow/view.h"
#include "trade/reference.h"

#define KINDRED_FIRST_DAY 18993 /* 2022-01-01: HS 2022 is in force from then on */

/* The keys whose sums of days before 2022 add up to what `key` has of the same goods. False: none do. *out_count may be 0: goods that had no
 * code of their own. */
bool kindred_before(const struct reference *reference, const struct view *view, const struct table_key *key,
                    struct table_key out[static HS_SOURCES_MOST], uint32_t *out_count);

/* The key that has what a key of before 2022 has, from 2022 on. False: none has it whole. */
bool kindred_after(const struct reference *reference, const struct view *view, const struct table_key *key,
                   struct table_key *out);
