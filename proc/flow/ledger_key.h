/* SPDX-License-Identifier: Apache-2.0
 * ledger_key.h - a declaration id in sixteen bytes, and the part of a partition's state that it belongs to.
 *
 * Format:  docs/JOURNAL.md, section LEDGER
 * Thread:  any
 * Why:     docs/adr/0007-ledger.md
 */
#pragma once

#include "base/hash.h"
#include "base/span.h"

/* 6 bits a character for ids of up to 21 characters of A-Z 0-9 / -: exact. Longer ids: 127 bits of SipHash and the top bit. */
struct ledger_key {
    uint64_t word[2];
};

enum { LEDGER_ID_EXACT_MOST = 21, LEDGER_SEGMENTS = 32 };

struct ledger_key ledger_key_of(struct text id, const struct hash_key *sip_key);

/* Ids of up to 18 digits are most of all that there are. Their keys have a short form; nothing else has it. */
enum { LEDGER_KEY_SHORT_BYTES = 9, LEDGER_KEY_LONG_BYTES = 16 };

/* Writes the shorter form and says how many bytes it has; `out` has room for a long one. */
size_t ledger_key_pack(const struct ledger_key *key, uint8_t out[static LEDGER_KEY_LONG_BYTES]);

/* The key of so many bytes that ledger_key_pack wrote. */
struct ledger_key ledger_key_unpack(const uint8_t *packed, size_t bytes);

/* Hash of a key without a seed, the same in every process: it names the slice, and stands in control totals. */
static inline uint64_t ledger_key_fixed(const struct ledger_key *key)
{
    return hash_words2(key->word[0], key->word[1], 0);
}

/* The segment of an id, from 0 to LEDGER_SEGMENTS - 1 (docs/JOURNAL.md). */
static inline uint32_t ledger_segment(const struct ledger_key *key)
{
    return (uint32_t)(ledger_key_fixed(key) >> 59);
}

/* What an id leaves when it has expired is its fixed hash. */
static inline uint32_t ledger_segment_of_print(uint64_t print)
{
    return (uint32_t)(print >> 59);
}
