/* SPDX-License-Identifier: Apache-2.0
 * standing.h - the declarations of the input that stand: of each id the version that the ledger in the journals holds, as it was declared.
 *
 * In:      journals and input, to the ends that they have now
 * Out:     each such declaration of the days wanted, once, in the order of its partition's log
 * What stands is the journals' word: rejected, stale, cancelled and skipped records are in no ledger, whatever today's rules say of them. An
 * entry has version and digest, so that the record which made it is known among all of its id.
 * Memory:  the state of one partition at a time, as a restart of it takes; and 64 bytes a declaration given
 * Errors:  ERR_BROKEN: a journal that is halted; ERR_RETRY: a journal that is being rewritten, or the user stops the command;
 *          ERR_PEER as walk.h
 * Thread:  main
 */
#pragma once

#include "cmd/walk.h"
#include "flow/batch.h"
#include "flow/view.h"
#include "trade/window.h"

struct standing_options {
    const struct port *port;
    const struct view_plan *plan;
    uint64_t plan_id;
    struct batch_options batch;
    struct window windows[2]; /* days of reference that are wanted: in either of them */
    int64_t patience_ms;
};

struct standing_sums {
    uint64_t given;
    uint64_t gone;    /* stand, and are in the input no more */
    uint64_t expired; /* records of the days wanted whose id has expired: nobody knows which of them stood */
};

/* Borrows the declaration. */
typedef enum err standing_visit(void *self, const struct declaration *declaration, struct err_info *info);

enum err standing_read(const struct standing_options *options, standing_visit *visit, void *self,
                       struct standing_sums *out, struct err_info *info) MUST_USE;
