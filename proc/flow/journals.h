/* SPDX-License-Identifier: Apache-2.0
 * journals.h - the one reader of this process of all journals: judges each frame, folds groups, tells owners the echo.
 *
 * In:      journal records in offset order             Out: groups to a fold, echoes of watched partitions
 * Limits:  JOURNALS_RECORDS records and about JOURNALS_BYTES a partition and step, so that an echo never waits long
 * Memory:  owns streams, reader rules, and the records of a partition whose owner has no room for an echo
 * Errors:  a faulted record or a halted rule halts the partition until a rebase, or a trim takes the place away; others are read on
 * Thread:  publisher; journals_health: any (the lock is taken for a copy, never with another one)
 */
#pragma once

#include "flow/echo.h"
#include "flow/port.h"

enum { JOURNALS_RECORDS = 64, JOURNALS_BYTES = 2 << 20, JOURNALS_OLD_MS = 2000 };

struct journals_options {
    const struct port *port;
    int32_t partitions;
    /* Takes a whole group; an error halts the partition. NULL: only watched partitions are read. */
    enum err (*fold)(void *context, int32_t partition, const struct frame *frames, uint32_t count,
                     struct err_info *info);
    /* Takes an echo. False: no room; it is offered again and nothing more is read of that partition. */
    bool (*echo)(void *context, const struct echo *echo);
    void *fold_context;
    void *echo_context;
};

struct journals;

struct journals *journals_new(const struct journals_options *options);
void journals_free(struct journals *journals);

void journals_watch(struct journals *journals, int32_t partition, bool watch);

/* Reads what is there now, within the limits. True if there was something. */
bool journals_step(struct journals *journals, int64_t now_ms);

/* One was trimmed beyond what the fold has of it, or rebased: journals_restart, and an empty fold. */
bool journals_are_cut(const struct journals *journals);

/* Reads every journal again from its beginning: halts are forgotten, echoes are given again. */
void journals_restart(struct journals *journals);

/* Every journal was read to the end that it had when it was opened, every slice of it is there, none is halted and none is lost. */
bool journals_are_folded(const struct journals *journals);
bool journals_are_halted(const struct journals *journals);

/* A journal holds nothing that was counted, but the group had counted when it was opened: what is folded would say zero for all of it.
 * *out has the first one, with the mend. Asked with a fold only. */
bool journals_are_lost(const struct journals *journals, struct err_info *out);

/* The last step read records that are older than JOURNALS_OLD_MS. */
bool journals_are_behind(const struct journals *journals);

/* How often a stream was opened anew because it gave nothing though its log went on. */
int64_t journals_stalls(const struct journals *journals);

/* Smallest of the largest event times of the partitions that are not idle, INT64_MIN if one of them has none; if all are idle, the
 * largest there is. It may fall when a partition that was idle goes on. */
int64_t journals_event_ms(const struct journals *journals);

/* The least over all partitions, idle ones too; INT64_MIN while one has said nothing. It never falls while journals are folded. */
int64_t journals_event_ms_least(const struct journals *journals);

/* Largest event time of all partitions, INT64_MIN if there is none. */
int64_t journals_event_ms_most(const struct journals *journals);

/* The last word of every partition is that it is idle. */
bool journals_are_idle(const struct journals *journals);

void journals_health(struct journals *journals, int32_t partition, int64_t *out_position, struct err_info *out_halt);
