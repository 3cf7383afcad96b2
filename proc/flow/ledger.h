/* SPDX-License-Identifier: Apache-2.0
 * ledger.h - the newest accepted version of every declaration id of one partition.
 *
 * In:      id, version, cancel, digest, contribution bytes        Out: verdict, and the stored contribution to retract
 * Order:   (version, cancel): a cancel stands above the version it cancels; a higher version reopens it
 * Slices:  an id belongs to the segment that a hash without a seed chooses: every process cuts snapshots alike (slice.h)
 * Memory:  24 bytes a slot in 32 segments that grow one by one, contributions in a slab of 1 MiB chunks
 * Limits:  2^20 chunks of slab; contribution bytes up to LEDGER_RECORD_MOST
 * Thread:  one owner (a worker)
 * Why:     docs/adr/0007-ledger.md; design.md section 4
 */
#pragma once

#include "base/hash.h"
#include "base/span.h"

/* 6 bits a character for ids of up to 21 characters of A-Z 0-9 / -: exact. Longer ids: 127 bits of SipHash and the top bit. */
struct ledger_key {
    uint64_t word[2];
};

enum { LEDGER_ID_EXACT_MOST = 21, LEDGER_SEGMENTS = 32, LEDGER_RECORD_MOST = 1 << 20, LEDGER_VERSION_MOST = 1023 };

enum ledger_verdict {
    LEDGER_COUNTED,
    LEDGER_DUPLICATE, /* VER-501 */
    LEDGER_CONFLICT,  /* VER-502 */
    LEDGER_STALE,     /* VER-503 */
};

struct ledger;

struct ledger *ledger_new(uint64_t seed);
void ledger_free(struct ledger *ledger);

struct ledger_key ledger_key_of(struct text id, const struct hash_key *sip_key);

/* A look for one id: what is computed of it once, and where it stands once it is judged. */
struct ledger_probe {
    struct ledger_key key;
    uint64_t fixed; /* hash without a seed: segment, control totals */
    uint64_t hash;  /* with the seed of this process: place in the segment */
    uint32_t place;
};

/* Begins a look and asks for the cache lines that ledger_judge will touch. */
void ledger_look(const struct ledger *ledger, const struct ledger_key *key, struct ledger_probe *out);

/* Asks for the lines alone, for a ledger_put. */
void ledger_prefetch(const struct ledger *ledger, const struct ledger_key *key);

/* Judges without changing anything but the probe. *out_stored borrows the stored contribution until the next ledger_put, empty if the
 * id is new. */
enum ledger_verdict ledger_judge(const struct ledger *ledger, struct ledger_probe *probe, uint32_t version, bool cancel,
                                 uint64_t digest, struct bytes *out_stored);

/* Stores the contribution as the newest version of the id. The bytes must not be those of ledger_judge. */
void ledger_put(struct ledger *ledger, const struct ledger_key *key, uint32_t version, bool cancel,
                struct bytes contribution);

/* The same where ledger_judge has just found the place: nothing was put since. */
void ledger_put_at(struct ledger *ledger, const struct ledger_probe *probe, uint32_t version, bool cancel,
                   struct bytes contribution);

/* Sum over entries of a hash of (key, version, cancel, digest), modulo 2^64: the control total of groups. */
uint64_t ledger_control(const struct ledger *ledger);
uint64_t ledger_count(const struct ledger *ledger);

/* The same of one segment: the control total of a slice. */
uint64_t ledger_segment_control(const struct ledger *ledger, uint32_t segment);
uint64_t ledger_segment_count(const struct ledger *ledger, uint32_t segment);

/* What one entry adds to them. */
uint64_t ledger_control_of(const struct ledger_key *key, uint32_t version, bool cancel, uint64_t digest);

/* The segment of an id, from 0 to LEDGER_SEGMENTS - 1, the same in every process (docs/JOURNAL.md). */
static inline uint32_t ledger_segment(const struct ledger_key *key)
{
    return (uint32_t)(hash_words2(key->word[0], key->word[1], 0) >> 59);
}

/* Makes room in a segment for so many entries in all, as a snapshot says it will have: they come without growing on the way. */
void ledger_reserve(struct ledger *ledger, uint32_t segment, uint64_t entries);

size_t ledger_bytes(const struct ledger *ledger);

/* Calls visit for every entry of a segment (0 to LEDGER_SEGMENTS - 1), in no order that means anything. */
void ledger_visit(const struct ledger *ledger, uint32_t segment,
                  void (*visit)(void *context, const struct ledger_key *key, struct bytes contribution), void *context);
