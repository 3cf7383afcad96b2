/* SPDX-License-Identifier: Apache-2.0
 * invariant.h - what must hold of a journal that only this program writes, and how often it was found not to.
 *
 * Whoever finds one broken says so with invariant_broken and halts its partition; the counters are dryport_invariant_violations_total. What
 * must hold inside one process is CHECKed instead: it aborts. Damage that a disk does (a wrong check sum) is not counted here.
 * Memory:  static counters of the process
 * Thread:  any
 * Why:     design.md section 3, Invariants
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

enum invariant {
    INVARIANT_RANGES_TILE,       /* a group begins where the one before it ended */
    INVARIANT_VERDICTS_ADD_UP,   /* verdicts of all groups are those of the control totals */
    INVARIANT_LEDGER_IS_FOLD,    /* ledger entries of all groups are those of the control totals */
    INVARIANT_CELLS_ARE_FOLD,    /* cells of all groups are those of the control totals */
    INVARIANT_SNAPSHOT_IS_FOLD,  /* a slice holds what the groups before it add up to */
    INVARIANT_FLOOR_NEVER_FALLS, /* of the ledger */
    INVARIANTS,
};

/* Lower case with underscores: the label `id`. */
const char *invariant_name(enum invariant invariant);

/* Counts it, writes the sentence (info may be NULL) and returns ERR_BROKEN. */
enum err invariant_broken(enum invariant invariant, struct err_info *info, const char *format, ...) PRINTF_LIKE(3, 4);

/* Since the process began. */
int64_t invariant_count(enum invariant invariant);
