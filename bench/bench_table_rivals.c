/* SPDX-License-Identifier: Apache-2.0
 *
 * The rivals that bench/benches.cmake found: Concurrency Kit's ck_ht and userspace-rcu's lfht. Both hold pointers to
 * records of key and sums, which stand in one array in the order of insertion, and use our hash: what differs is the
 * map.
 */
#include "bench_table.h"

#include "base/check.h"
#include "base/counter.h"
#include "base/memory.h"

#ifdef DRYPORT_BENCH_CK
#include <ck_ht.h>
#endif
#ifdef DRYPORT_BENCH_URCU
#include <urcu-qsbr.h> /* the flavour with the cheapest readers */
#include <urcu/rculfhash.h>
#endif

#if defined(DRYPORT_BENCH_CK) || defined(DRYPORT_BENCH_URCU)
static void add_shared(struct counter sums[static 3], uint32_t pick)
{
    /* relaxed: sums only */
    atomic_fetch_add_explicit(&sums[0].value, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&sums[1].value, pick, memory_order_relaxed);
    atomic_fetch_add_explicit(&sums[2].value, 3, memory_order_relaxed);
}

static void add_alone(struct counter sums[static 3], uint32_t pick)
{
    counter_add(&sums[0], 1);
    counter_add(&sums[1], pick);
    counter_add(&sums[2], 3);
}
#endif

#ifdef DRYPORT_BENCH_CK
struct ck_record {
    struct table_key key;
    struct counter sums[3];
};

struct ck_map {
    ck_ht_t table;
    struct ck_record *records;
};

static void *ck_take(size_t bytes)
{
    return memory_new(bytes, 1);
}

static void ck_give(void *memory, size_t bytes, bool defer)
{
    (void)bytes;
    (void)defer;
    memory_free(memory);
}

static struct ck_malloc ck_memory = {.malloc = ck_take, .free = ck_give};

static void ck_hash(ck_ht_hash_t *out, const void *key, size_t bytes, uint64_t seed)
{
    (void)bytes;
    (void)seed;
    out->value = table_hash(key);
}

static void *ck_new(size_t keys)
{
    struct ck_map *map = memory_new(1, sizeof *map);
    map->records = memory_map(keys * sizeof *map->records);
    CHECK(ck_ht_init(&map->table, CK_HT_MODE_BYTESTRING, ck_hash, &ck_memory, keys * 4 / 3, 1));
    return map;
}

static void ck_fill(void *opaque, size_t keys)
{
    struct ck_map *map = opaque;
    for (size_t i = 0; i < keys; i++) {
        struct ck_record *record = &map->records[i];
        record->key = bench_table_key(i);
        ck_ht_hash_t hash;
        ck_ht_hash(&hash, &map->table, &record->key, sizeof record->key);
        ck_ht_entry_t entry;
        ck_ht_entry_set(&entry, hash, &record->key, sizeof record->key, record);
        CHECK(ck_ht_put_spmc(&map->table, hash, &entry));
    }
}

static struct ck_record *ck_find(struct ck_map *map, uint32_t pick)
{
    struct table_key key = bench_table_key(pick);
    ck_ht_hash_t hash;
    ck_ht_hash(&hash, &map->table, &key, sizeof key);
    ck_ht_entry_t entry;
    ck_ht_entry_key_set(&entry, &key, sizeof key);
    CHECK(ck_ht_get_spmc(&map->table, hash, &entry));
    return ck_ht_entry_value(&entry);
}

static void ck_update_alone(void *map, const uint32_t *picks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_alone(ck_find(map, picks[i])->sums, picks[i]);
}

static void ck_update_shared(void *map, const uint32_t *picks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_shared(ck_find(map, picks[i])->sums, picks[i]);
}

static void ck_free(void *opaque)
{
    struct ck_map *map = opaque;
    ck_ht_destroy(&map->table);
    memory_free(map->records);
    memory_free(map);
}

static const struct rival ck_alone = {"ck_ht per thread", false, ck_new, ck_fill, ck_update_alone, ck_free, NULL, NULL};
static const struct rival ck_shared = {
    "ck_ht shared, find + 3 fetch_add", true, ck_new, ck_fill, ck_update_shared, ck_free, NULL, NULL};
#endif

#ifdef DRYPORT_BENCH_URCU
struct urcu_record {
    struct cds_lfht_node node;
    struct table_key key;
    struct counter sums[3];
};

struct urcu_map {
    struct cds_lfht *table;
    struct urcu_record *records;
};

static int urcu_match(struct cds_lfht_node *node, const void *key)
{
    const struct urcu_record *record = caa_container_of(node, struct urcu_record, node);
    return memcmp(&record->key, key, sizeof record->key) == 0;
}

static void *urcu_new(size_t keys)
{
    struct urcu_map *map = memory_new(1, sizeof *map);
    map->records = memory_map(keys * sizeof *map->records);
    map->table = cds_lfht_new(keys, keys, 0, 0, NULL);
    CHECK(map->table);
    return map;
}

static void urcu_fill(void *opaque, size_t keys)
{
    struct urcu_map *map = opaque;
    for (size_t i = 0; i < keys; i++) {
        struct urcu_record *record = &map->records[i];
        record->key = bench_table_key(i);
        cds_lfht_node_init(&record->node);
        cds_lfht_add_unique(map->table, table_hash(&record->key), urcu_match, &record->key, &record->node);
    }
}

static void urcu_update(void *opaque, const uint32_t *picks, size_t count)
{
    struct urcu_map *map = opaque;
    for (size_t i = 0; i < count; i++) {
        struct table_key key = bench_table_key(picks[i]);
        struct cds_lfht_iter iter;
        rcu_read_lock();
        cds_lfht_lookup(map->table, table_hash(&key), urcu_match, &key, &iter);
        struct cds_lfht_node *node = cds_lfht_iter_get_node(&iter);
        add_shared(caa_container_of(node, struct urcu_record, node)->sums, picks[i]);
        rcu_read_unlock();
    }
    rcu_quiescent_state();
}

static void urcu_free(void *opaque)
{
    struct urcu_map *map = opaque;
    struct cds_lfht_iter iter;
    rcu_read_lock();
    for (cds_lfht_first(map->table, &iter); cds_lfht_iter_get_node(&iter); cds_lfht_next(map->table, &iter))
        CHECK(cds_lfht_del(map->table, cds_lfht_iter_get_node(&iter)) == 0);
    rcu_read_unlock();
    synchronize_rcu();
    CHECK(cds_lfht_destroy(map->table, NULL) == 0);
    memory_free(map->records);
    memory_free(map);
}

static void urcu_begin(void)
{
    rcu_register_thread();
}

static void urcu_end(void)
{
    rcu_unregister_thread();
}

static const struct rival urcu_shared = {
    "urcu lfht shared, find + 3 fetch_add", true, urcu_new, urcu_fill, urcu_update, urcu_free, urcu_begin, urcu_end};
#endif

const struct rival *const bench_table_rivals[] = {
#ifdef DRYPORT_BENCH_CK
    &ck_alone,
    &ck_shared,
#endif
#ifdef DRYPORT_BENCH_URCU
    &urcu_shared,
#endif
    NULL,
};
