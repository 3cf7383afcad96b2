/* SPDX-License-Identifier: Apache-2.0
 * replay.h - produces declarations of the input again, into the partition where they stand, with key and value as they are.
 *
 * A declaration of a batch goes alone, as a batch of one under the key of the record; behind a Confluent header the whole record goes, once, for its
 * schema names the batch. The ledger sees to it that nothing is counted twice. The same bytes in a partition go once, however often they were rejected.
 * Errors:  as sender.h
 * Thread:  main
 */
#pragma once

#include "cmd/coordinates.h"
#include "cmd/options.h"

struct replay;

struct replay_options {
    const struct options *options;
    bool is_dry;     /* nothing is produced */
    bool at_arrival; /* with the time of now, not the timestamp of the record */
};

struct replay_sums {
    uint64_t records; /* produced and acknowledged, or that would have been produced */
    uint64_t same;    /* places whose bytes were produced already */
    uint64_t gone;    /* places where nothing can be read any more */
    uint64_t failed;  /* too large now, or not acknowledged */
};

enum err replay_open(const struct replay_options *options, struct replay **out, struct err_info *info) MUST_USE;
void replay_close(struct replay *replay); /* takes NULL */

/* Produces what was found at a place. */
enum err replay_take(struct replay *replay, const struct coordinates_found *found, struct err_info *info) MUST_USE;

/* Waits until all is acknowledged. */
enum err replay_finish(struct replay *replay, struct err_info *info) MUST_USE;

struct replay_sums replay_sums(const struct replay *replay);
