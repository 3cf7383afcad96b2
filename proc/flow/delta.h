/* SPDX-License-Identifier: Apache-2.0
 * delta.h - cells that are only ever added to: key and sums side by side on two cache lines, in the order in which they came.
 *
 * base/table serves readers in other threads, so its entries never move; nobody reads these but their owner, so they are one array, and
 * the way from slot to cell is a shift. The cells that everybody touches came early and lie together.
 * Units:   as struct measures, in 64 bits; customs value as what it differs from the statistical value
 * Limits:  2^31 cells
 * Memory:  128 bytes a cell and 8 a slot, at most half of the slots used; keeps its size when it is cleared
 * Thread:  one owner (a worker)
 */
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "flow/cell.h"

typedef int64_t two_amounts __attribute__((vector_size(16)));
typedef int32_t four_counts __attribute__((vector_size(16)));

enum { VALUE_AND_MASS, GROSS_AND_CUSTOMS, SUPPLEMENTARY_AND_ESTIMATED, DELTA_PAIRS };
enum { DECLARATIONS, ITEMS, WARNED, LATE };

/* Measures side by side as vectors take them. */
struct delta {
    two_amounts pairs[DELTA_PAIRS];
    four_counts counts;
    int64_t packages;
};

struct delta_cell {
    _Alignas(64) struct table_key key;
    struct delta sums;
};

struct delta_table {
    struct delta_cell *cells; /* `count` of them */
    uint64_t *slots;          /* hash 32 | index of the cell + 1; 0 = free */
    uint32_t mask;
    uint32_t count;
};

/* `expected` cells, a power of two, before it grows. */
void delta_table_init(struct delta_table *table, uint32_t expected);
void delta_table_fini(struct delta_table *table);
void delta_table_clear(struct delta_table *table);

/* Adds the key, which is not there, with zeros. */
struct delta_cell *delta_table_add(struct delta_table *table, const struct table_key *key, uint32_t hash);

static inline uint32_t delta_hash(const struct table_key *key)
{
    return (uint32_t)(hash_mix(key->word[0] ^ HASH_P0, key->word[3] ^ HASH_P1) ^
                      hash_mix(key->word[1] ^ HASH_P2, key->word[2] ^ HASH_P0));
}

/* Asks for the slot. */
static inline void delta_table_prefetch(const struct delta_table *table, uint32_t hash)
{
    __builtin_prefetch(&table->slots[hash & table->mask]);
}

/* Asks for the cell that the hash most likely means; its slot should be there already. */
static inline void delta_table_prefetch_cell(const struct delta_table *table, uint32_t hash)
{
    const char *cell = (const char *)&table->cells[(uint32_t)(table->slots[hash & table->mask] - 1)];
    __builtin_prefetch(cell, 1);
    __builtin_prefetch(cell + 64, 1);
}

/* The cell of the key; good until the next cell is added. */
static inline struct delta_cell *delta_table_put(struct delta_table *table, const struct table_key *key, uint32_t hash)
{
    for (uint32_t i = hash & table->mask;; i = (i + 1) & table->mask) {
        uint64_t slot = table->slots[i];
        if (__builtin_expect(slot >> 32 == hash, 1)) {
            struct delta_cell *cell = &table->cells[(uint32_t)slot - 1];
            if (__builtin_expect(slot && table_key_equal(&cell->key, key), 1))
                return cell;
        }
        if (slot == 0)
            return delta_table_add(table, key, hash);
    }
}

/* to += from, where no sum can pass 64 bits. */
static inline void delta_add(struct delta *to, const struct delta *from, int declarations)
{
    for (int i = 0; i < DELTA_PAIRS; i++)
        to->pairs[i] += from->pairs[i];
    to->counts += from->counts + (four_counts){declarations, 0, 0, 0};
    to->packages += from->packages;
}

/* The same, but false, with *to as it was, if a sum would pass 64 bits. Counts can't: a group ends long before. */
bool delta_add_checked(struct delta *to, const struct delta *from, int declarations) MUST_USE;

void delta_measures(const struct delta *delta, struct measures *out);
