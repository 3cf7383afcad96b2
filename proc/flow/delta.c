/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/delta.h"

#include "base/memory.h"

#include <string.h>

static size_t capacity_of(const struct delta_table *table)
{
    return ((size_t)table->mask + 1) / 2;
}

static void make(struct delta_table *table, size_t capacity)
{
    table->cells = memory_map(capacity * sizeof table->cells[0]);
    table->slots = memory_map(capacity * 2 * sizeof table->slots[0]);
    table->mask = (uint32_t)(capacity * 2 - 1);
}

void delta_table_init(struct delta_table *table, uint32_t expected)
{
    table->count = 0;
    make(table, expected);
}

void delta_table_fini(struct delta_table *table)
{
    if (!table->cells)
        return;
    memory_unmap(table->cells, capacity_of(table) * sizeof table->cells[0]);
    memory_unmap(table->slots, capacity_of(table) * 2 * sizeof table->slots[0]);
    *table = (struct delta_table){0};
}

void delta_table_clear(struct delta_table *table)
{
    if (table->count)
        memset(table->slots, 0, capacity_of(table) * 2 * sizeof table->slots[0]);
    table->count = 0;
}

static void name(struct delta_table *table, uint32_t hash, uint32_t index)
{
    uint32_t i = hash & table->mask;
    while (table->slots[i])
        i = (i + 1) & table->mask;
    table->slots[i] = (uint64_t)hash << 32 | (index + 1);
}

static void grow(struct delta_table *table)
{
    struct delta_table old = *table;
    make(table, capacity_of(&old) * 2);
    memcpy(table->cells, old.cells, old.count * sizeof old.cells[0]);
    for (uint32_t i = 0; i < table->count; i++)
        name(table, delta_hash(&table->cells[i].key), i);
    delta_table_fini(&old);
}

struct delta_cell *delta_table_add(struct delta_table *table, const struct table_key *key, uint32_t hash)
{
    if (table->count == capacity_of(table))
        grow(table);
    name(table, hash, table->count);
    struct delta_cell *cell = &table->cells[table->count++];
    *cell = (struct delta_cell){.key = *key};
    return cell;
}

bool delta_add_checked(struct delta *to, const struct delta *from, int declarations)
{
    int64_t sums[DELTA_PAIRS][2];
    bool over = false;
    for (int i = 0; i < DELTA_PAIRS; i++) {
        over |= __builtin_add_overflow(to->pairs[i][0], from->pairs[i][0], &sums[i][0]);
        over |= __builtin_add_overflow(to->pairs[i][1], from->pairs[i][1], &sums[i][1]);
    }
    if (over)
        return false;
    memcpy(to->pairs, sums, sizeof sums);
    to->counts += from->counts + (four_counts){declarations, 0, 0, 0};
    to->packages += from->packages;
    return true;
}

void delta_measures(const struct delta *delta, struct measures *out)
{
    *out = (struct measures){
        .value_minor = delta->pairs[VALUE_AND_MASS][0],
        .customs_value_minor = (i128)delta->pairs[VALUE_AND_MASS][0] + delta->pairs[GROSS_AND_CUSTOMS][1],
        .net_mass_mg = delta->pairs[VALUE_AND_MASS][1],
        .gross_mass_mg = delta->pairs[GROSS_AND_CUSTOMS][0],
        .supp_quantity_micro = delta->pairs[SUPPLEMENTARY_AND_ESTIMATED][0],
        .estimated_mg = delta->pairs[SUPPLEMENTARY_AND_ESTIMATED][1],
        .declarations = delta->counts[DECLARATIONS],
        .items = delta->counts[ITEMS],
        .packages = delta->packages,
        .warned_items = delta->counts[WARNED],
        .late_items = delta->counts[LATE],
    };
}
