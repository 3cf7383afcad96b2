/* SPDX-License-Identifier: Apache-2.0
 * table.h - lock-free hash table: 32-byte key -> dense entry number 0, 1, 2, ... and, if wanted, a value beside the key.
 *
 * In:      keys of four words, and their hash (table_hash)
 * Memory:  owns slots and keys; slots grow by doubling, keys never move (segments), so readers are never cut off
 * Limits:  2^31 entries
 * Thread:  one writer (table_put, table_clear); any number of readers (table_find, table_key, table_count)
 *          table_clear and table_free need that no reader is active
 * Why:     docs/adr/0002-own-table.md: one writer per table needs neither lock nor atomic read-modify-write
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_NONE UINT32_MAX

struct table_key {
    uint64_t word[4];
};

static inline bool table_key_equal(const struct table_key *a, const struct table_key *b)
{
    return ((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]) |
            (a->word[3] ^ b->word[3])) == 0;
}

struct table;

struct table *table_new(size_t expected);

/* The same with `value_bytes` behind each key, zeroed when the entry is added. An entry begins on a cache line. What the writer
 * changes in a value after table_put is not ordered for readers: that is the owner's business. */
struct table *table_new_with_values(size_t expected, size_t value_bytes);
void table_free(struct table *table);

uint64_t table_hash(const struct table_key *key);

/* Asks the processor for the slot of a hash, before table_put or table_find.     Thread: any */
void table_prefetch(const struct table *table, uint64_t hash);

/* Entry number of key, which is added if it is not there (*out_added).           Thread: writer */
uint32_t table_put(struct table *table, const struct table_key *key, uint64_t hash, bool *out_added);

/* Entry number of key, or TABLE_NONE.                                            Thread: any */
uint32_t table_find(const struct table *table, const struct table_key *key, uint64_t hash);

/* The key of entry `index` < table_count.                                        Thread: any */
const struct table_key *table_key(const struct table *table, uint32_t index);

/* The value of entry `index` < table_count.                                      Thread: writer */
void *table_value(const struct table *table, uint32_t index);

/* Asks the processor for the entry that the hash most likely means; its slot should be there already (table_prefetch).
 *                                                                                Thread: any */
void table_prefetch_entry(const struct table *table, uint64_t hash);

uint32_t table_count(const struct table *table);
size_t table_bytes(const struct table *table);

/* Forgets all entries and keeps the memory.                          Thread: writer, no readers */
void table_clear(struct table *table);
