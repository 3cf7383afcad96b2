/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/invariant.h"

#include "base/counter.h"

static struct counter found[INVARIANTS]; /* workers and the publisher write them */

const char *invariant_name(enum invariant invariant)
{
    static const char *const names[INVARIANTS] = {
        "ranges_tile", "verdicts_add_up", "ledger_is_fold", "cells_are_fold", "snapshot_is_fold", "floor_never_falls",
    };
    return names[invariant];
}

enum err invariant_broken(enum invariant invariant, struct err_info *info, const char *format, ...)
{
    va_list args;
    counter_add_shared(&found[invariant], 1);
    va_start(args, format);
    err_set_list(info, ERR_BROKEN, format, args);
    va_end(args);
    return ERR_BROKEN;
}

int64_t invariant_count(enum invariant invariant)
{
    return counter_read(&found[invariant]);
}
