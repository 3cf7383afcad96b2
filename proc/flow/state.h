/* SPDX-License-Identifier: Apache-2.0
 * state.h - what the journal of one partition folds to, as its owner holds it: ledger, code numbers, totals, position.
 *
 * In:      groups that the reader rule accepted (restore), or the settling of records (work)
 * Memory:  owns ledger, dictionary and tally
 * Errors:  state_fold gives ERR_BROKEN when a section is broken, or a control total differs or is missing
 * Thread:  one owner (a worker)
 */
#pragma once

#include "flow/reader_rule.h"

struct state {
    struct ledger *ledger;
    struct dictionary dictionary;
    struct tally *tally; /* deltas since the last seal, and control totals since the beginning */
    struct hash_key id_key;
    bool has_id_key;
    int64_t hi; /* input [0, hi) is in this state */
    int64_t event_ms_most;
    int64_t record_timestamp; /* of the last record below hi */
    uint32_t record_crc;
    bool has_record; /* record hi - 1 was counted: record_crc is its own, not that of one below a hole */
    int64_t verdicts[VERDICTS];
};

void state_init(struct state *state, const struct view_plan *plan, uint64_t seed);
void state_fini(struct state *state);

/* Takes one accepted group: a reader_fold whose context is a struct state. */
enum err state_fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info);

/* Takes the id key of the first OPEN of a journal. False: the OPEN has none. */
bool state_take_open(struct state *state, const struct frame *open);

struct control state_control(const struct state *state);
