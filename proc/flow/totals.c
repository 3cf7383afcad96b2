/* SPDX-License-Identifier: Apache-2.0
 *
 * The cells of a group lie anywhere in a table that is larger than every cache, so they are added in batches: first all slots are asked
 * for, then all entries, then the sums are made.
 */
#include "flow/totals.h"

#include "base/hash.h"
#include "base/memory.h"

#include <string.h>

enum { EXPECTED_CELLS = 1 << 10, BATCH = 32, LIST_FIRST = 16, WIDE_FIRST = 16, AMOUNTS = 6 };

/* The sums of a cell. With the key before it that makes 128 bytes: half of what they take with amounts of 128 bits, which few need. */
struct total {
    int64_t amounts[AMOUNTS]; /* value to estimated mass, in the order of struct measures */
    int64_t declarations;
    int64_t items;
    int64_t packages;
    int64_t warned_items;
    int64_t late_items;
    uint32_t wide; /* number in totals.wide, + 1: all sums stand there, as an amount once passed 64 bits */
};

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
    struct table *table; /* of struct total */
    struct measures *wide;
    uint32_t wide_count;
    uint32_t wide_capacity;
    struct list lists[TOTALS_SLICES];
    struct pending pending[BATCH];
    uint32_t pending_count;
};

struct totals *totals_new(void)
{
    struct totals *totals = memory_new(1, sizeof *totals);
    totals->table = table_new_with_values(EXPECTED_CELLS, sizeof(struct total));
    return totals;
}

void totals_free(struct totals *totals)
{
    if (!totals)
        return;
    for (int i = 0; i < TOTALS_SLICES; i++)
        memory_free(totals->lists[i].entries);
    table_free(totals->table);
    memory_free(totals->wide);
    memory_free(totals);
}

static struct total *total_at(const struct totals *totals, uint32_t entry)
{
    return table_value(totals->table, entry);
}

static void to_measures(const struct totals *totals, const struct total *total, struct measures *out)
{
    if (total->wide) {
        *out = totals->wide[total->wide - 1];
        return;
    }
    *out = (struct measures){
        .value_minor = total->amounts[0],
        .customs_value_minor = total->amounts[1],
        .net_mass_mg = total->amounts[2],
        .gross_mass_mg = total->amounts[3],
        .supp_quantity_micro = total->amounts[4],
        .estimated_mg = total->amounts[5],
        .declarations = total->declarations,
        .items = total->items,
        .packages = total->packages,
        .warned_items = total->warned_items,
        .late_items = total->late_items,
    };
}

/* False, with *total as it was, if a sum would pass 64 bits. Counts can't. */
static bool add_narrow(struct total *total, const struct measures *delta)
{
    const i128 sums[AMOUNTS] = {
        total->amounts[0] + delta->value_minor,         total->amounts[1] + delta->customs_value_minor,
        total->amounts[2] + delta->net_mass_mg,         total->amounts[3] + delta->gross_mass_mg,
        total->amounts[4] + delta->supp_quantity_micro, total->amounts[5] + delta->estimated_mg,
    };
    bool fits = true;
    for (int i = 0; i < AMOUNTS; i++)
        fits = fits && sums[i] == (int64_t)sums[i];
    if (!fits)
        return false;
    for (int i = 0; i < AMOUNTS; i++)
        total->amounts[i] = (int64_t)sums[i];
    total->declarations += delta->declarations;
    total->items += delta->items;
    total->packages += delta->packages;
    total->warned_items += delta->warned_items;
    total->late_items += delta->late_items;
    return true;
}

static void widen(struct totals *totals, struct total *total)
{
    if (totals->wide_count == totals->wide_capacity) {
        totals->wide_capacity = totals->wide_capacity ? totals->wide_capacity * 2 : WIDE_FIRST;
        totals->wide = memory_resize(totals->wide, totals->wide_capacity, sizeof totals->wide[0]);
    }
    to_measures(totals, total, &totals->wide[totals->wide_count]);
    total->wide = ++totals->wide_count;
}

static void add(struct totals *totals, struct total *total, const struct measures *delta)
{
    if (!total->wide && add_narrow(total, delta))
        return;
    if (!total->wide)
        widen(totals, total);
    measures_add(&totals->wide[total->wide - 1], delta);
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
        add(totals, total_at(totals, entry), &pending->delta);
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
    for (uint32_t i = 0; i < list->count; i++) {
        struct total *total = total_at(totals, list->entries[i]);
        uint32_t wide = total->wide;
        *total = (struct total){.wide = wide};
        if (wide)
            totals->wide[wide - 1] = (struct measures){0};
    }
}

uint32_t totals_count(const struct totals *totals, uint32_t slice)
{
    return totals->lists[slice].count;
}

const struct table_key *totals_key(const struct totals *totals, uint32_t slice, uint32_t place)
{
    return table_key(totals->table, totals->lists[slice].entries[place]);
}

void totals_measures(const struct totals *totals, uint32_t slice, uint32_t place, struct measures *out)
{
    to_measures(totals, total_at(totals, totals->lists[slice].entries[place]), out);
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
        struct measures cell;
        totals_measures(totals, slice, i, &cell);
        uint64_t own = totals_control_of(totals_key(totals, slice, i), &cell);
        sum += own;
        cells += own != 0;
    }
    *out_cells = cells;
    return sum;
}

size_t totals_bytes(const struct totals *totals)
{
    size_t bytes = sizeof *totals + table_bytes(totals->table) + totals->wide_capacity * sizeof totals->wide[0];
    for (int i = 0; i < TOTALS_SLICES; i++)
        bytes += totals->lists[i].capacity * sizeof totals->lists[i].entries[0];
    return bytes;
}
