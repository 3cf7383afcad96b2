/* SPDX-License-Identifier: Apache-2.0
 *
 * Overview: open addressing with linear probing over 8-byte slots (32-bit tag of the hash, 32-bit entry number + 1).
 *   Entry keys stand in segments that double in size and never move. Nothing is deleted but all at once.
 * Invariants: I1 a slot goes from 0 to its final value once. I2 a published slot's key is fully written. I3 at most 3/4
 *   of the slots are used, so a probe ends. I4 entry i lies in segment floor(log2(i / 2^first_bits + 1)).
 * Edges: S1 -> F1, F6 publishes a slot and the key it names; G1 -> F2, F3, F4, F5 publishes a grown array;
 *   C1 -> N1 publishes the count; K1 -> N2 publishes a key segment.
 * Calls: put/put X, put/clear X, find/clear X, put/find free (X = the caller must exclude).
 * Progress: find and key are wait-free but for the probe length; put is so too but for growth, which copies the slots.
 * Memory reclamation: outgrown slot arrays are kept until table_free or table_clear (together less than the newest
 * one), so a reader that still probes an old one is safe: it may miss keys that were added after the growth, never see
 * a wrong one.
 * References: Knuth vol. 3, 6.4 (linear probing); docs/adr/0002-own-table.md for the numbers beside ck_ht
 * and liburcu.
 */
#include "base/table.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"

#include <stdatomic.h>
#include <string.h>

enum { FIRST_BITS_MIN = 10, SEGMENTS = 22, SLOTS_MIN = 64, CACHE_LINE = 64 };

struct slots {
    uint64_t mask;
    struct slots *outgrown;
    _Atomic uint64_t slot[];
};

struct table {
    /* shared: see Edges */
    struct slots *_Atomic slots;
    unsigned char *_Atomic segments[SEGMENTS];
    _Atomic uint32_t count;
    /* const after table_new */
    unsigned first_bits; /* of the number of entries in segment 0: what is expected fits there */
    size_t stride;       /* bytes from entry to entry: key, then value */
    /* owned by the writer */
    uint32_t grow_at;
};

static struct slots *slots_new(uint64_t size)
{
    struct slots *slots = memory_map(sizeof *slots + size * sizeof slots->slot[0]);
    slots->mask = size - 1;
    return slots;
}

static void slots_free(struct slots *slots)
{
    while (slots) {
        struct slots *next = slots->outgrown;
        memory_unmap(slots, sizeof *slots + (slots->mask + 1) * sizeof slots->slot[0]);
        slots = next;
    }
}

struct table *table_new(size_t expected)
{
    return table_new_with_values(expected, 0);
}

struct table *table_new_with_values(size_t expected, size_t value_bytes)
{
    uint64_t size = SLOTS_MIN;
    while (size / 4 * 3 < expected)
        size *= 2;
    struct table *table = memory_new(1, sizeof *table);
    atomic_init(&table->slots, slots_new(size));
    table->grow_at = (uint32_t)(size / 4 * 3);
    table->first_bits = FIRST_BITS_MIN;
    while ((size_t)1 << table->first_bits < expected)
        table->first_bits++;
    table->stride = value_bytes ? (sizeof(struct table_key) + value_bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE
                                : sizeof(struct table_key);
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    slots_free(atomic_load_explicit(&table->slots, memory_order_relaxed)); /* relaxed: no other thread is left */
    for (int i = 0; i < SEGMENTS; i++)
        memory_free(atomic_load_explicit(&table->segments[i], memory_order_relaxed)); /* relaxed: as above */
    memory_free(table);
}

uint64_t table_hash(const struct table_key *key)
{
    return hash_words4(key->word, 0);
}

void table_prefetch(const struct table *table, uint64_t hash)
{
    /* F3: pairs with G1 in grow; the mask of a grown array is readable */
    const struct slots *slots = atomic_load_explicit(&table->slots, memory_order_acquire);
    __builtin_prefetch(&slots->slot[hash & slots->mask]);
}

static unsigned segment_of(const struct table *table, uint32_t index, uint32_t *out_offset)
{
    uint32_t block = (index >> table->first_bits) + 1;
    unsigned segment = 31u - (unsigned)__builtin_clz(block);
    *out_offset = index - (((1u << segment) - 1) << table->first_bits);
    return segment;
}

static unsigned char *entry_at(const struct table *table, uint32_t index)
{
    uint32_t offset;
    unsigned segment = segment_of(table, index, &offset);
    /* N2: pairs with K1 in entry_place; the segment is there */
    return atomic_load_explicit(&table->segments[segment], memory_order_acquire) + offset * table->stride;
}

const struct table_key *table_key(const struct table *table, uint32_t index)
{
    return (const struct table_key *)(const void *)entry_at(table, index);
}

void *table_value(const struct table *table, uint32_t index)
{
    return entry_at(table, index) + sizeof(struct table_key);
}

void table_prefetch_entry(const struct table *table, uint64_t hash)
{
    /* F5: pairs with G1 in grow; the slots of a grown array are readable */
    const struct slots *slots = atomic_load_explicit(&table->slots, memory_order_acquire);
    /* F6: pairs with S1 in table_put; the segment of the entry is there */
    uint64_t slot = atomic_load_explicit(&slots->slot[hash & slots->mask], memory_order_acquire);
    if (slot == 0)
        return;
    const unsigned char *entry = entry_at(table, (uint32_t)slot - 1);
    for (size_t at = 0; at < table->stride; at += CACHE_LINE)
        __builtin_prefetch(entry + at, 1);
}

static uint64_t slot_value(uint64_t hash, uint32_t index)
{
    return (hash & 0xFFFFFFFF00000000u) | (index + 1u);
}

uint32_t table_find(const struct table *table, const struct table_key *key, uint64_t hash)
{
    /* F2: pairs with G1 in grow; the slots of a grown array are readable */
    const struct slots *slots = atomic_load_explicit(&table->slots, memory_order_acquire);
    for (uint64_t i = hash & slots->mask;; i = (i + 1) & slots->mask) {
        /* F1: pairs with S1 in table_put; the key behind the slot is readable */
        uint64_t slot = atomic_load_explicit(&slots->slot[i], memory_order_acquire);
        if (slot == 0)
            return TABLE_NONE;
        if ((slot ^ hash) >> 32 == 0 && table_key_equal(table_key(table, (uint32_t)slot - 1), key))
            return (uint32_t)slot - 1;
    }
}

/* Room for entry `index`, with its segment made if need be. */
static unsigned char *entry_place(struct table *table, uint32_t index)
{
    uint32_t offset;
    unsigned segment = segment_of(table, index, &offset);
    CHECK(segment < SEGMENTS);
    /* relaxed: own word */
    unsigned char *entries = atomic_load_explicit(&table->segments[segment], memory_order_relaxed);
    if (!entries) {
        entries = memory_map(((size_t)1 << (table->first_bits + segment)) * table->stride);
        /* K1: pairs with N2 in entry_at; publishes the segment */
        atomic_store_explicit(&table->segments[segment], entries, memory_order_release);
    }
    return entries + offset * table->stride;
}

static void grow(struct table *table, struct slots *old)
{
    struct slots *slots = slots_new((old->mask + 1) * 2);
    uint32_t count = atomic_load_explicit(&table->count, memory_order_relaxed); /* relaxed: own word */
    for (uint32_t index = 0; index < count; index++) {
        uint64_t hash = table_hash(table_key(table, index));
        uint64_t i = hash & slots->mask;
        while (atomic_load_explicit(&slots->slot[i], memory_order_relaxed)) /* relaxed: not yet published */
            i = (i + 1) & slots->mask;
        /* relaxed: not yet published */
        atomic_store_explicit(&slots->slot[i], slot_value(hash, index), memory_order_relaxed);
    }
    slots->outgrown = old;
    table->grow_at = (uint32_t)((slots->mask + 1) / 4 * 3);
    /* G1: pairs with F2 in table_find, F3, F4, F5 in the prefetches and table_bytes; publishes the grown array */
    atomic_store_explicit(&table->slots, slots, memory_order_release);
}

/* Where a key stands, or the free slot where it would. */
struct place {
    uint64_t slot; /* number of the slot */
    uint64_t content;
    unsigned char *entry; /* NULL if the slot is free */
};

static inline struct place probe(const struct table *table, const struct slots *slots, const struct table_key *key,
                                 uint64_t hash)
{
    for (uint64_t i = hash & slots->mask;; i = (i + 1) & slots->mask) {
        uint64_t content = atomic_load_explicit(&slots->slot[i], memory_order_relaxed); /* relaxed: own word */
        if (content == 0)
            return (struct place){i, 0, NULL};
        if ((content ^ hash) >> 32)
            continue;
        unsigned char *entry = entry_at(table, (uint32_t)content - 1);
        if (table_key_equal((const struct table_key *)(const void *)entry, key))
            return (struct place){i, content, entry};
    }
}

/* Adds the key, which is not there. */
static __attribute__((noinline)) void add_entry(struct table *table, struct slots *slots, struct place place,
                                                const struct table_key *key, uint64_t hash)
{
    uint32_t index = atomic_load_explicit(&table->count, memory_order_relaxed); /* relaxed: own word */
    if (index >= table->grow_at) {
        grow(table, slots);
        slots = atomic_load_explicit(&table->slots, memory_order_relaxed); /* relaxed: own word */
        place = probe(table, slots, key, hash);
    }
    unsigned char *entry = entry_place(table, index);
    memcpy(entry, key, sizeof *key);
    memset(entry + sizeof *key, 0, table->stride - sizeof *key);
    /* S1: pairs with F1 in table_find, F6 in table_prefetch_entry; publishes the key */
    atomic_store_explicit(&slots->slot[place.slot], slot_value(hash, index), memory_order_release);
    /* C1: pairs with N1 in table_count; publishes the entry */
    atomic_store_explicit(&table->count, index + 1, memory_order_release);
}

uint32_t table_put(struct table *table, const struct table_key *key, uint64_t hash, bool *out_added)
{
    struct slots *slots = atomic_load_explicit(&table->slots, memory_order_relaxed); /* relaxed: own word */
    struct place place = probe(table, slots, key, hash);
    *out_added = place.entry == NULL;
    if (place.entry)
        return (uint32_t)place.content - 1;
    add_entry(table, slots, place, key, hash);
    return atomic_load_explicit(&table->count, memory_order_relaxed) - 1; /* relaxed: own word */
}

uint32_t table_count(const struct table *table)
{
    /* N1: pairs with C1 in table_put; entries below the count are readable */
    return atomic_load_explicit(&table->count, memory_order_acquire);
}

size_t table_bytes(const struct table *table)
{
    size_t bytes = sizeof *table;
    /* F4: pairs with G1 in grow; the chain of outgrown arrays is readable */
    for (const struct slots *s = atomic_load_explicit(&table->slots, memory_order_acquire); s; s = s->outgrown)
        bytes += sizeof *s + (s->mask + 1) * sizeof s->slot[0];
    for (int i = 0; i < SEGMENTS; i++) {
        /* relaxed: only whether it is there, its keys are not read */
        if (atomic_load_explicit(&table->segments[i], memory_order_relaxed))
            bytes += ((size_t)1 << (table->first_bits + (unsigned)i)) * table->stride;
    }
    return bytes;
}

void table_clear(struct table *table)
{
    /* relaxed: no readers, as the header says */
    struct slots *slots = atomic_load_explicit(&table->slots, memory_order_relaxed);
    slots_free(slots->outgrown);
    slots->outgrown = NULL;
    for (uint64_t i = 0; i <= slots->mask; i++)
        atomic_store_explicit(&slots->slot[i], 0, memory_order_relaxed); /* relaxed: as above */
    atomic_store_explicit(&table->count, 0, memory_order_relaxed);       /* relaxed: as above */
}
