/* SPDX-License-Identifier: Apache-2.0
 * ledger.h - the newest accepted version of every declaration id of one partition.
 *
 * In:      id, version, cancel, digest, contribution bytes        Out: verdict, and the stored contribution to retract
 * Order:   (version, cancel): a cancel stands above the version it cancels; a higher version reopens it
 * Slices:  an id belongs to the segment that a hash without a seed chooses: every process cuts snapshots alike (slice.h)
 * Memory:  8 bytes a slot, eight slots a cache line, in 32 segments of one mapping that grow one by one; behind a slot the key and the
 *          contribution, in the segment's slab
 * Floor:   a month. What its newest version states to lie below it has expired: it is no entry any more, and leaves its fingerprint for good, in
 *          its slot. That counts from the moment the floor rises; when the record leaves memory (ledger_tidy) is seen by nobody
 * Limits:  those of base/slab.h in each segment
 * Thread:  one owner (a worker)
 * Why:     docs/adr/0007-ledger.md, 0026-eight-byte-slots.md, 0027-floor-in-the-ledger.md; design.md section 4
 */
#pragma once

#include "flow/ledger_key.h"

enum { LEDGER_VERSION_MOST = 1023 };

enum ledger_verdict {
    LEDGER_COUNTED,
    LEDGER_DUPLICATE, /* VER-501 */
    LEDGER_CONFLICT,  /* VER-502 */
    LEDGER_STALE,     /* VER-503 */
    LEDGER_EXPIRED,   /* LED-901 */
};

struct ledger;

struct ledger *ledger_new(uint64_t seed);
void ledger_free(struct ledger *ledger);

/* A look for one id: what is computed of it once, and where it stands once it is judged. */
struct ledger_probe {
    struct ledger_key key;
    uint64_t fixed; /* ledger_key_fixed */
    uint32_t tag;   /* the same in another order for each process: place in the segment */
    uint32_t place;
};

/* Begins a look and asks for the cache line of the slot. */
void ledger_look(const struct ledger *ledger, const struct ledger_key *key, struct ledger_probe *out);

/* Some time after it: asks for the lines of the record, if there seems to be one. */
void ledger_look_again(const struct ledger *ledger, const struct ledger_probe *probe);

/* Judges without changing anything but the probe. *out_stored borrows the stored contribution until the next ledger_put, empty if the
 * id is new. */
enum ledger_verdict ledger_judge(const struct ledger *ledger, struct ledger_probe *probe, uint32_t version, bool cancel,
                                 uint64_t digest, struct bytes *out_stored);

/* Stores the contribution as the newest version of the id. Its bytes must not be those of ledger_judge. */
void ledger_put(struct ledger *ledger, struct ledger_probe *probe, struct bytes contribution);

/* The same where ledger_judge has just found the place: nothing was put since. */
void ledger_put_at(struct ledger *ledger, const struct ledger_probe *probe, struct bytes contribution);

/* Control totals, modulo 2^64: of the entries that have not expired and of the fingerprints of those that have. */
struct ledger_sums {
    uint64_t control; /* sum of a hash of (key, version, cancel, digest) */
    uint64_t entries;
    uint64_t print_control; /* sum of a hash of the fingerprint */
    uint64_t prints;
};

static inline bool ledger_sums_equal(const struct ledger_sums *a, const struct ledger_sums *b)
{
    return a->control == b->control && a->entries == b->entries && a->print_control == b->print_control &&
           a->prints == b->prints;
}

struct ledger_sums ledger_sums(const struct ledger *ledger);
struct ledger_sums ledger_segment_sums(const struct ledger *ledger, uint32_t segment);

/* What one entry, what one fingerprint adds to them. */
uint64_t ledger_control_of(const struct ledger_key *key, uint32_t version, bool cancel, uint64_t digest);
uint64_t ledger_control_of_print(uint64_t print);

/* Entries that have not expired. */
uint64_t ledger_count(const struct ledger *ledger);

/* ---- the floor ---- */

/* Months are those of calendar.h; any below 1970 is taken for 0, any above LEDGER_MONTH_MOST for that. */
enum { LEDGER_MONTH_MOST = 4095 };

int32_t ledger_floor(const struct ledger *ledger);

/* Raises the floor; a lower month changes nothing. */
void ledger_raise_floor(struct ledger *ledger, int32_t month);

/* Entries of one month, of those that have not expired. */
uint64_t ledger_month_count(const struct ledger *ledger, int32_t month);

/* Takes in a fingerprint, as a snapshot has it. */
void ledger_put_print(struct ledger *ledger, uint64_t print);

/* Takes the records of what has expired, or was replaced, out of memory: of one segment at most, where that is worth while. True if it did. */
bool ledger_tidy(struct ledger *ledger);

/* Makes room in a segment for so many entries in all, as a snapshot says it will have: they come without growing on the way. */
void ledger_reserve(struct ledger *ledger, uint32_t segment, uint64_t entries);

size_t ledger_bytes(const struct ledger *ledger);

/* Calls visit for every fingerprint of a segment, of records that are still in memory too. */
void ledger_visit_prints(const struct ledger *ledger, uint32_t segment, void (*visit)(void *context, uint64_t print),
                         void *context);

/* Calls visit for every entry that has not expired of a segment (0 to LEDGER_SEGMENTS - 1), in no order that means anything. */
void ledger_visit(const struct ledger *ledger, uint32_t segment,
                  void (*visit)(void *context, const struct ledger_key *key, struct bytes contribution), void *context);
