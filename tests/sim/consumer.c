/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/consumer.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"
#include "sim/storm.h"

#include "customs/v1/statistic.pb-c.h"

#include <inttypes.h>
#include <string.h>

struct held {
    struct text key; /* in the world, which keeps its records */
    int64_t as_of;
    struct bytes value;
};

struct consumer {
    const struct world *world;
    int32_t partitions;
    int64_t *positions;
    struct table *table;
    struct held *held;
    uint32_t capacity;
};

struct consumer *consumer_new(const struct world *world, int32_t partitions)
{
    struct consumer *consumer = memory_new(1, sizeof *consumer);
    consumer->world = world;
    consumer->partitions = partitions;
    consumer->positions = memory_new((size_t)partitions, sizeof consumer->positions[0]);
    for (int32_t i = 0; i < partitions; i++)
        consumer->positions[i] = world_first(world, PORT_STATISTICS, i);
    consumer->table = table_new(1024);
    return consumer;
}

void consumer_free(struct consumer *consumer)
{
    if (!consumer)
        return;
    table_free(consumer->table);
    memory_free(consumer->held);
    memory_free(consumer->positions);
    memory_free(consumer);
}

int64_t consumer_position(const struct consumer *consumer, int32_t partition)
{
    return consumer->positions[partition];
}

static void take(struct consumer *consumer, const struct world_record *record)
{
    const struct hash_key secret = {{1, 2}};
    struct hash128 hash = hash_sip128(record->key.data, record->key.length, &secret);
    struct table_key place = {{hash.word[0], hash.word[1], 0, 0}};
    bool added;
    uint32_t index = table_put(consumer->table, &place, table_hash(&place), &added);
    if (index >= consumer->capacity) {
        consumer->capacity = consumer->capacity ? consumer->capacity * 2 : 1024;
        consumer->held = memory_resize(consumer->held, consumer->capacity, sizeof consumer->held[0]);
    }
    struct held *held = &consumer->held[index];
    if (!added && record->as_of <= held->as_of)
        return;
    *held = (struct held){{(const char *)record->key.data, (uint32_t)record->key.length}, record->as_of, record->value};
    if (record->is_null)
        held->value = (struct bytes){NULL, 0};
}

bool consumer_read(struct consumer *consumer, int64_t most)
{
    bool did = false;
    for (int32_t p = 0; p < consumer->partitions; p++) {
        int64_t *position = &consumer->positions[p];
        int64_t next = world_next(consumer->world, PORT_STATISTICS, p);
        for (int64_t read = 0; read < most && *position < next; ++*position, ++read) {
            const struct world_record *record = world_at(consumer->world, PORT_STATISTICS, p, *position);
            did = true;
            if (!world_is_hole(consumer->world, PORT_STATISTICS, p, *position) && record->key.length &&
                record->key.data[0] != '#')
                take(consumer, record);
        }
    }
    return did;
}

static bool differs(struct buffer *why, struct text key, const char *what, int64_t holds, int64_t should)
{
    if (holds == should)
        return false;
    buffer_add_format(why, "%.*s: %s %" PRId64 ", the recount has %" PRId64, TEXT_ARGS(key), what, holds, should);
    return true;
}

static bool compare(const struct held *held, const Customs__V1__Statistic *s, const struct recount_cell *cell,
                    struct buffer *why)
{
    if (s->as_of != (uint64_t)held->as_of)
        return !differs(why, held->key, "as_of in its header is", held->as_of, (int64_t)s->as_of);
    static const struct recount_cell none = {.value_minor = 0};
    const struct recount_cell *should = cell ? cell : &none;
    return !(differs(why, held->key, "items", (int64_t)s->items, should->items) ||
             differs(why, held->key, "declarations", (int64_t)s->declarations, should->declarations) ||
             differs(why, held->key, "value", s->value_minor, should->value_minor) ||
             differs(why, held->key, "net mass", s->net_mass_g, should->net_mass_g) ||
             differs(why, held->key, "gross mass", s->gross_mass_g, should->gross_mass_g) ||
             differs(why, held->key, "packages", (int64_t)s->packages, should->packages));
}

static bool agrees(const struct held *held, const struct cells *cells, bool *out_counts, struct buffer *why)
{
    *out_counts = false;
    if (!held->value.data)
        return true;
    Customs__V1__Statistic *s = customs__v1__statistic__unpack(NULL, held->value.length, held->value.data);
    if (!s) {
        buffer_add_format(why, "%.*s: no Statistic", TEXT_ARGS(held->key));
        return false;
    }
    *out_counts = s->items > 0;
    bool same = compare(held, s, cells_find(cells, held->key), why);
    customs__v1__statistic__free_unpacked(s, NULL);
    return same;
}

bool consumer_agrees(const struct consumer *consumer, const struct cells *cells, struct buffer *why)
{
    size_t counting = 0;
    for (uint32_t i = 0; i < table_count(consumer->table); i++) {
        bool counts;
        if (!agrees(&consumer->held[i], cells, &counts, why))
            return false;
        counting += counts;
    }
    if (counting == cells_count(cells))
        return true;
    buffer_add_format(why, "%zu cells with items, the recount has %zu", counting, cells_count(cells));
    return false;
}
