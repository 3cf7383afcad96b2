/* SPDX-License-Identifier: Apache-2.0
 *
 * The cells of a group lie anywhere in a table that is larger than every cache, so they are added in batches: first all slots are asked
 * for, then all entries, then the sums are made.
 */
#include "flow/totals.h"

#include "base/hash.h"
#include "base/memory.h"

#include <string.h>

enum { EXPECTED_CELLS = 1 << 10, BATCH = 32, LIST_FIRST = 16 };

struct pending {
    struct table_key key;
    uint64_t hash;
    struct measures delta;
};

/* The entries of one slice, by number. */
struct list {
    uint32_t *entries;
    uint32_t count;
    uint32_t capacity;
};

struct totals {
    struct table *table; /* of struct measures */
    struct list lists[TOTALS_SLICES];
    struct pending pending[BATCH];
    uint32_t pending_count;
};

struct totals *totals_new(void)
{
    struct totals *totals = memory_new(1, sizeof *totals);
    totals->table = table_new_with_values(EXPECTED_CELLS, sizeof(struct measures));
    return totals;
}

void totals_free(struct totals *totals)
{
    if (!totals)
        return;
    for (int i = 0; i < TOTALS_SLICES; i++)
        memory_free(totals->lists[i].entries);
    table_free(totals->table);
    memory_free(totals);
}

static struct measures *value_at(const struct totals *totals, uint32_t entry)
{
    return table_value(totals->table, entry);
}

static void list_entry(struct totals *totals, const struct table_key *key, uint32_t entry)
{
    struct list *list = &totals->lists[totals_slice(key)];
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : LIST_FIRST;
        list->entries = memory_resize(list->entries, list->capacity, sizeof list->entries[0]);
    }
    list->entries[list->count++] = entry;
}

void totals_flush(struct totals *totals)
{
    for (uint32_t i = 0; i < totals->pending_count; i++)
        table_prefetch_entry(totals->table, totals->pending[i].hash);
    for (uint32_t i = 0; i < totals->pending_count; i++) {
        const struct pending *pending = &totals->pending[i];
        bool added;
        uint32_t entry = table_put(totals->table, &pending->key, pending->hash, &added);
        if (added)
            list_entry(totals, &pending->key, entry);
        measures_add(value_at(totals, entry), &pending->delta);
    }
    totals->pending_count = 0;
}

static struct pending *next_pending(struct totals *totals, const struct table_key *key)
{
    if (totals->pending_count == BATCH)
        totals_flush(totals);
    struct pending *pending = &totals->pending[totals->pending_count++];
    pending->key = *key;
    pending->hash = table_hash(key);
    table_prefetch(totals->table, pending->hash);
    return pending;
}

void totals_add(struct totals *totals, const struct table_key *key, const struct measures *delta)
{
    next_pending(totals, key)->delta = *delta;
}

void totals_add_tally(struct totals *totals, const struct tally *tally)
{
    uint32_t count = tally_count(tally);
    for (uint32_t i = 0; i < count; i++)
        tally_measures(tally, i, &next_pending(totals, tally_key(tally, i))->delta);
    totals_flush(totals);
}

void totals_clear_slice(struct totals *totals, uint32_t slice)
{
    totals_flush(totals);
    const struct list *list = &totals->lists[slice];
    for (uint32_t i = 0; i < list->count; i++)
        *value_at(totals, list->entries[i]) = (struct measures){0};
}

uint32_t totals_count(const struct totals *totals, uint32_t slice)
{
    return totals->lists[slice].count;
}

const struct table_key *totals_key(const struct totals *totals, uint32_t slice, uint32_t place)
{
    return table_key(totals->table, totals->lists[slice].entries[place]);
}

const struct measures *totals_measures(const struct totals *totals, uint32_t slice, uint32_t place)
{
    return value_at(totals, totals->lists[slice].entries[place]);
}

static uint64_t mix_number(uint64_t hash, i128 number)
{
    return hash_mix(hash ^ (uint64_t)number, HASH_P1 ^ (uint64_t)(number >> 64));
}

uint64_t totals_control_of(const struct table_key *key, const struct measures *m)
{
    const i128 numbers[] = {
        m->value_minor,  m->customs_value_minor, m->net_mass_mg, m->gross_mass_mg, m->supp_quantity_micro,
        m->estimated_mg, m->declarations,        m->items,       m->packages,      m->warned_items,
        m->late_items};
    uint64_t hash = hash_words4(key->word, 0);
    bool is_zero = true;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        is_zero = is_zero && numbers[i] == 0;
        hash = mix_number(hash, numbers[i]);
    }
    return is_zero ? 0 : hash;
}

uint64_t totals_control(const struct totals *totals, uint32_t slice, uint64_t *out_cells)
{
    uint64_t sum = 0;
    uint64_t cells = 0;
    for (uint32_t i = 0; i < totals_count(totals, slice); i++) {
        uint64_t own = totals_control_of(totals_key(totals, slice, i), totals_measures(totals, slice, i));
        sum += own;
        cells += own != 0;
    }
    *out_cells = cells;
    return sum;
}

size_t totals_bytes(const struct totals *totals)
{
    size_t bytes = sizeof *totals + table_bytes(totals->table);
    for (int i = 0; i < TOTALS_SLICES; i++)
        bytes += totals->lists[i].capacity * sizeof totals->lists[i].entries[0];
    return bytes;
}
