/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/registry.h"

#include "base/memory.h"
#include "flow/gate.h"

enum { EXPECTED_KEYS = 1 << 12, CHUNK_ENTRIES = 1024 };

struct registry {
    struct hash_key secret;
    struct table *table;
    struct registry_entry **chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    size_t kept_bytes;
};

struct registry *registry_new(const struct hash_key *secret)
{
    struct registry *registry = memory_new(1, sizeof *registry);
    registry->secret = *secret;
    registry->table = table_new(EXPECTED_KEYS);
    return registry;
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    for (uint32_t i = 0; i < registry_count(registry); i++)
        registry_drop(registry, i);
    for (uint32_t i = 0; i < registry->chunk_count; i++)
        memory_free(registry->chunks[i]);
    memory_free(registry->chunks);
    table_free(registry->table);
    memory_free(registry);
}

static void entry_begin(struct registry *registry, uint32_t index)
{
    if (index / CHUNK_ENTRIES == registry->chunk_count) {
        if (registry->chunk_count == registry->chunk_capacity) {
            registry->chunk_capacity = registry->chunk_capacity ? registry->chunk_capacity * 2 : 16;
            registry->chunks = memory_resize(registry->chunks, registry->chunk_capacity, sizeof registry->chunks[0]);
        }
        registry->chunks[registry->chunk_count++] = memory_new(CHUNK_ENTRIES, sizeof(struct registry_entry));
    }
    registry_at(registry, index)->cell = REGISTRY_NO_CELL;
}

struct registry_place registry_place_of(const struct registry *registry, struct text key)
{
    struct hash128 hash = hash_sip128(key.data, key.length, &registry->secret);
    struct registry_place place = {.key = {{hash.word[0], hash.word[1], 0, 0}}};
    place.hash = table_hash(&place.key);
    table_prefetch(registry->table, place.hash);
    return place;
}

uint32_t registry_put_at(struct registry *registry, const struct registry_place *place)
{
    bool added;
    uint32_t index = table_put(registry->table, &place->key, place->hash, &added);
    if (added)
        entry_begin(registry, index);
    __builtin_prefetch(registry_at(registry, index), 1);
    return index;
}

uint32_t registry_put(struct registry *registry, struct text key)
{
    struct registry_place place = registry_place_of(registry, key);
    return registry_put_at(registry, &place);
}

struct registry_entry *registry_at(const struct registry *registry, uint32_t index)
{
    return &registry->chunks[index / CHUNK_ENTRIES][index % CHUNK_ENTRIES];
}

uint32_t registry_count(const struct registry *registry)
{
    return table_count(registry->table);
}

bool registry_is_under_way(const struct registry_entry *entry, uint64_t term)
{
    return entry->written_as_of > entry->read_as_of && gate_term_of(entry->written_as_of) == term;
}

uint64_t registry_content(const struct registry_entry *entry, uint64_t term)
{
    return registry_is_under_way(entry, term) ? entry->written_content : entry->read_content;
}

unsigned registry_state(const struct registry_entry *entry, uint64_t term)
{
    return registry_is_under_way(entry, term) ? entry->written_state : entry->read_state;
}

void registry_drop(struct registry *registry, uint32_t index)
{
    struct registry_entry *entry = registry_at(registry, index);
    memory_free(entry->record);
    registry->kept_bytes -= entry->record_bytes;
    entry->record = NULL;
    entry->record_bytes = 0;
}

void registry_keep(struct registry *registry, uint32_t index, struct text key, struct bytes value)
{
    registry_drop(registry, index);
    struct registry_entry *entry = registry_at(registry, index);
    entry->record_bytes = (uint32_t)(sizeof key.length + key.length + value.length);
    entry->record = memory_new(1, entry->record_bytes);
    registry->kept_bytes += entry->record_bytes;
    memcpy(entry->record, &key.length, sizeof key.length);
    memcpy(entry->record + sizeof key.length, key.data, key.length);
    if (value.length)
        memcpy(entry->record + sizeof key.length + key.length, value.data, value.length);
}

bool registry_keeps(const struct registry *registry)
{
    return registry->kept_bytes > 0;
}

bool registry_kept(const struct registry_entry *entry, struct text *out_key, struct bytes *out_value)
{
    if (!entry->record)
        return false;
    memcpy(&out_key->length, entry->record, sizeof out_key->length);
    out_key->data = (const char *)entry->record + sizeof out_key->length;
    size_t head = sizeof out_key->length + out_key->length;
    *out_value = (struct bytes){entry->record + head, entry->record_bytes - head};
    return true;
}

void registry_forget(struct registry *registry)
{
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        registry_drop(registry, i);
        struct registry_entry *entry = registry_at(registry, i);
        *entry = (struct registry_entry){.cell = entry->cell};
    }
}

bool registry_is_blank(const struct registry_entry *entry)
{
    return entry->read_state == REGISTRY_NOTHING && entry->written_as_of <= entry->read_as_of && !entry->late &&
           !entry->queued && !entry->record;
}

uint32_t *registry_compact(struct registry *registry)
{
    uint32_t count = registry_count(registry);
    uint32_t *numbers = memory_new(count + 1, sizeof numbers[0]);
    struct table *table = table_new(EXPECTED_KEYS);
    for (uint32_t i = 0; i < count; i++) {
        const struct registry_entry *entry = registry_at(registry, i);
        numbers[i] = TABLE_NONE;
        if (entry->cell == REGISTRY_NO_CELL && registry_is_blank(entry))
            continue;
        bool added;
        const struct table_key *key = table_key(registry->table, i);
        numbers[i] = table_put(table, key, table_hash(key), &added);
        *registry_at(registry, numbers[i]) = *entry;
    }
    table_free(registry->table);
    registry->table = table;
    count = registry_count(registry);
    uint32_t chunks = (count + CHUNK_ENTRIES - 1) / CHUNK_ENTRIES;
    while (registry->chunk_count > chunks)
        memory_free(registry->chunks[--registry->chunk_count]);
    if (count % CHUNK_ENTRIES)
        memset(registry_at(registry, count), 0,
               (CHUNK_ENTRIES - count % CHUNK_ENTRIES) * sizeof(struct registry_entry));
    return numbers;
}

size_t registry_bytes(const struct registry *registry)
{
    return sizeof *registry + table_bytes(registry->table) + registry->kept_bytes +
           (size_t)registry->chunk_count * CHUNK_ENTRIES * sizeof(struct registry_entry);
}
