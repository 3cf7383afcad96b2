/* SPDX-License-Identifier: Apache-2.0
 * extract.h - a copy of the cells of one view and two windows, as they stand at one moment between two groups, for another thread.
 *
 * Order:   the asker posts a request and waits; the publisher looks for the cells a piece at a time between its other work, and copies them
 *          all at once when it has found them, so that no group is half in the copy
 * Cost:    the publisher stands still for the copy alone: EXTRACT_CELLS_MOST cells of 176 bytes at most
 * Memory:  the asker owns the copy
 * Lock:    one, of the request and the result; taken last, held for no call that can wait
 * Thread:  extractor_step: publisher; extractor_ask: one other thread at a time
 * Why:     docs/adr/0048-live-queries.md
 */
#pragma once

#include "flow/cube.h"
#include "flow/period.h"
#include "trade/reference.h"

enum { EXTRACT_CELLS_MOST = 1 << 18 };

struct extract_request {
    uint32_t view;
    bool months;            /* else days, or hours */
    struct days windows[2]; /* cells of months have their first day; in a view by hour: hours */
};

enum extract_result {
    EXTRACT_OK,
    EXTRACT_TOO_MANY,
    EXTRACT_SILENT,  /* this process does not publish, now or at all */
    EXTRACT_TOO_LATE /* the publisher did not come to it in time */
};

/* What was so when the cells were copied. */
struct extract_stamp {
    uint64_t as_of; /* of the newest record written */
    int64_t as_of_ms;
    int64_t watermark_ms;              /* INT64_MIN: unknown */
    const struct reference *reference; /* in force; shared */
};

struct extract {
    struct table_key *keys;
    struct measures *measures;
    uint32_t count;
    struct dictionary codes;
    struct extract_stamp stamp;
};

struct extractor;

struct extractor *extractor_new(void);
/* Takes NULL. Nobody waits. */
void extractor_free(struct extractor *extractor);

/* Asks and waits up to `ms`. `wake` gets the publisher to look, and may be NULL. On EXTRACT_OK *out is to be given to extract_fini. */
enum extract_result extractor_ask(struct extractor *extractor, const struct extract_request *request, int64_t ms,
                                  void (*wake)(void *context), void *context, struct extract *out);
void extract_fini(struct extract *extract);

/* Serves the request that waits, if there is one. stamp NULL: this process does not publish. True if it did something. Thread: publisher */
bool extractor_step(struct extractor *extractor, const struct cube *cube, const struct extract_stamp *stamp);

/* The cube was emptied: what was found in it is not there any more.                                Thread: publisher */
void extractor_restart(struct extractor *extractor);
