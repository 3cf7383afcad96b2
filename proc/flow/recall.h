/* SPDX-License-Identifier: Apache-2.0
 * recall.h - what a partition recalls of other declarations, for the rules that compare ids (CRE-308, VER-510, VER-511, ECM-704).
 *
 * In:      counted declarations in the order in which they are settled        Out: warnings, which change no sum
 * Limits:  RECALL_TRACES traces for each rule; the oldest of a bucket makes room. It sees one partition, begins empty with each life of
 *          the partition's state, and is no part of it: the journal has the number of warnings, a recount leaves them alone
 * Memory:  owns 2 MB for each rule in force, from recall_new on
 * Thread:  one owner
 */
#pragma once

#include "trade/rules.h"

enum { RECALL_TRACES = 1 << 16 };

struct recall;

/* NULL if none of its rules is in force, as shipped. */
struct recall *recall_new(const struct rules *rules);
/* Takes NULL. */
void recall_free(struct recall *recall);

/* Warns of what is odd beside the declarations before it, and keeps its own traces. `first`: no version of its id was accepted before. */
void recall_judge(struct recall *recall, const struct rules *rules, const struct declaration *declaration, bool first,
                  struct findings *findings);

/* Whether a rule number of struct counts is that of such a rule. */
bool recall_owns(unsigned number);
