/* SPDX-License-Identifier: Apache-2.0
 * stopwatch.h - how long the stages of a batch take, measured for one batch in STOPWATCH_EACH.
 *
 * Units:   ns of a steady clock in; the histograms hold milliseconds where others hold seconds, for a stage takes microseconds
 * Memory:  plain struct; borrows the histograms
 * Thread:  one owner (a worker); the histograms are read by any
 * Cost:    a batch that is not measured pays a counter and a comparison a stage; no clock is read for it
 */
#pragma once

#include "base/hist.h"

enum { STOPWATCH_EACH = 64 };

enum stopwatch_stage {
    STOPWATCH_DECODE, /* of a batch: from records to declarations */
    STOPWATCH_JUDGE,  /* the rules */
    STOPWATCH_SETTLE, /* verdict, ledger, tally */
    STOPWATCH_SEAL,   /* of a group: from delta cells to frames */
    STOPWATCH_STAGES,
};

/* Lower case. */
const char *stopwatch_stage_name(enum stopwatch_stage stage);

struct stopwatch {
    int64_t (*now_ns)(void); /* NULL: nothing is measured */
    struct hist *stages;     /* STOPWATCH_STAGES of them */
    uint32_t turn;
    int64_t since_ns; /* 0: this one is not measured */
};

void stopwatch_lap(struct stopwatch *watch, enum stopwatch_stage stage);

/* A batch begins. Is it one that is measured? */
static inline void stopwatch_begin(struct stopwatch *watch)
{
    watch->since_ns = watch->now_ns && watch->turn++ % STOPWATCH_EACH == 0 ? watch->now_ns() : 0;
}

/* Something rare begins: it is measured each time. */
static inline void stopwatch_begin_each(struct stopwatch *watch)
{
    watch->since_ns = watch->now_ns ? watch->now_ns() : 0;
}

/* A stage has ended, and the next one begins. */
static inline void stopwatch_mark(struct stopwatch *watch, enum stopwatch_stage stage)
{
    if (__builtin_expect(watch->since_ns != 0, 0))
        stopwatch_lap(watch, stage);
}
