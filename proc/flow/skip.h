/* SPDX-License-Identifier: Apache-2.0
 * skip.h - an operator's mend: reads the journal of one partition, claims it, writes a hole in the input or a rebase, and reads it back.
 *
 *   READING -> READY -(skip_confirm)-> CLAIMING -> RESTORING -> WRITING -> DONE      FAILED from each
 *
 * A hole is a SKIP group: input that is never counted. A rebase is for a journal that is corrupt: a whole snapshot of what was accepted
 * before the break takes the place of all that stands before the snapshot, and the input above it is counted again. Its cells are derived
 * from the ledger, as the plan of the options counts them.
 * A writer like any other (design.md section 3): what counts is that the reader rule accepts its groups. A live owner that claims the
 * partition in between wins, and nothing is written that counts.
 * In:      partition, range [from, to) of input offsets or none, reason          Out: an OPEN, and a SKIP frame or 32 SNAP groups
 * Memory:  owns state, rule and stream, for a rebase a cube; borrows what the options point to
 * Errors:  ERR_CONFIG: the range is not the next one, with what it must be, or the journal is in order; ERR_FENCED: another process writes
 *          this partition; ERR_BROKEN: the journal is corrupt or lost, or has nothing whole before its break; ERR_PEER: the broker does not
 *          take or give what it must
 * Thread:  one
 * Why:     docs/adr/0009-floor-and-operator.md, 0012-guards-and-holes.md; shared model, class Operator
 */
#pragma once

#include "flow/port.h"
#include "flow/view.h"

#include <stdint.h>

enum { SKIP_REASON_MOST = 1000 };

enum skip_phase {
    SKIP_READING,   /* the journal, to the end that it had */
    SKIP_READY,     /* the range may be skipped; nothing is written yet */
    SKIP_CLAIMING,  /* OPEN is on its way */
    SKIP_RESTORING, /* reading through the own OPEN */
    SKIP_WRITING,   /* SKIP is on its way, or the slices are */
    SKIP_DONE,      /* read back: every reader will take it */
    SKIP_FAILED,
};

struct skip_options {
    const struct port *port;
    int32_t lane; /* of its own */
    int32_t partition;
    bool rebase;
    int64_t from; /* input offsets [from, to) are given up; not of a rebase */
    int64_t to;
    struct text reason; /* 1 to SKIP_REASON_MOST bytes */
    const struct view_plan *plan;
    uint64_t plan_id;  /* of a rebase: what its slices are of */
    struct text units; /* of a rebase: reporter and currency, should the journal not say */
    uint64_t (*random)(void *random_context);
    void *random_context;
};

/* What was found, valid from SKIP_READY on. */
struct skip_found {
    int64_t position;         /* the journal holds input [0, position) */
    struct port_bounds input; /* what the log holds */
    int64_t readable;         /* of the range, offsets that the log still holds */
    uint64_t ledger_entries;
    /* of a rebase */
    int64_t broken_at; /* journal offset */
    int64_t end;       /* of the journal */
    struct err_info why;
};

struct skip;

struct skip *skip_new(const struct skip_options *options);
/* Takes NULL. */
void skip_free(struct skip *skip);

/* Does what can be done now. True if that was something.      */
bool skip_step(struct skip *skip);

/* Goes on from SKIP_READY. */
void skip_confirm(struct skip *skip);

enum skip_phase skip_phase(const struct skip *skip);
const struct skip_found *skip_found(const struct skip *skip);

/* Of SKIP_FAILED. */
enum err skip_error(const struct skip *skip, struct err_info *out);
