/* SPDX-License-Identifier: Apache-2.0
 * state.h - what the journal of one partition folds to, as its owner holds it: ledger, code numbers, totals, position.
 *
 * In:      groups that the reader rule accepted (restore), or the settling of records (work)
 * Memory:  owns ledger, dictionary, tally, totals and reject list
 * Errors:  state_fold gives ERR_BROKEN when a section is broken, or a control total differs or is missing, or a slice is not what the
 *          groups before it add up to
 * Thread:  one owner (a worker)
 */
#pragma once

#include "flow/reader_rule.h"
#include "flow/reject_list.h"

enum { STATE_UNITS_BYTES = 16 };

struct state {
    struct ledger *ledger;
    struct dictionary dictionary;
    const struct view_plan *plan;
    uint64_t plan_id;      /* cells of a plan with other cells are not folded; 0: not checked */
    struct tally *tally;   /* deltas since the last seal, and control totals since the beginning */
    struct totals *totals; /* cells since the beginning, without the deltas of the tally */
    struct hash_key id_key;
    bool has_id_key;
    char units[STATE_UNITS_BYTES]; /* reporter and currency that the journal was begun with, empty if it does not say */
    int64_t floor_event_ms;        /* an event of then or later may raise the floor (floor.h) */
    int64_t hi;                    /* input [0, hi) is in this state */
    int64_t event_ms_most;
    int32_t journalled_floor; /* month below which entries of the ledger have expired: as a group says it */
    int64_t record_timestamp; /* of the last record below hi */
    uint32_t record_crc;
    bool has_record; /* record hi - 1 was counted: record_crc is its own, not that of one below a hole */
    int64_t verdicts[VERDICTS];
    struct counts counts;       /* of all sealed groups since the beginning */
    struct reject_list rejects; /* of all sealed groups, as far back as topic.rejects goes */
    int32_t today;              /* the day that rejects of folded groups are kept from */
    struct slices slices;       /* which are there: all, but while a trimmed journal is being read */
};

void state_init(struct state *state, const struct view_plan *plan, uint64_t seed);
void state_fini(struct state *state);

/* Takes one accepted group: a reader_fold whose context is a struct state. */
enum err state_fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info);

/* Raises the floor of the ledger to a month (calendar.h); a lower one changes nothing. */
void state_raise_floor(struct state *state, int32_t month);

/* Takes the id key and the units of the first OPEN of a journal. False: the OPEN has no key. */
bool state_take_open(struct state *state, const struct frame *open);

struct control state_control(const struct state *state);

/* Control totals of one slice of what is in memory. The tally must be empty. */
struct slice_whole state_whole(const struct state *state, uint32_t slice);
