/* SPDX-License-Identifier: Apache-2.0
 * bench_table.c - ns per update of three sums behind a 32-byte key: ours beside a mutex, shared adds, ck_ht and lfht.
 *
 * Usage:   bench_table [--smoke]; a Markdown table on stdout. bench_table --curve [KEYS]: ours alone, from 8,192 keys up to KEYS (2^24)
 * Method:  fixed seeds; Zipf picks (exponent 1) over 4,096 keys (in cache) and 1,048,576 keys; 1 and 2 threads;
 *          REPETITIONS repetitions, median (least-most) of the CPU time and of the wall time per update and thread
 * Why:     docs/adr/0002-own-table.md holds the numbers and what follows from them
 */
#include "bench_table.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/memory.h"
#include "base/span.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPETITIONS = 7, THREADS_MOST = 2, SMALL_KEYS = 4096, LARGE_KEYS = 1 << 20, BATCH = 64 };
enum { CURVE_FIRST = 8192, CURVE_MOST = 1 << 24, CURVE_PICKS = 2000000 };

struct sums {
    struct counter count;
    struct counter value;
    struct counter mass;
};

struct map {
    struct table *table;
    struct sums *sums;
    pthread_mutex_t mutex;
};

static void *map_new(size_t keys)
{
    struct map *map = memory_new(1, sizeof *map);
    map->table = table_new(keys);
    map->sums = memory_map(keys * sizeof *map->sums);
    pthread_mutex_init(&map->mutex, NULL);
    return map;
}

static void map_fill(void *opaque, size_t keys)
{
    struct map *map = opaque;
    for (size_t i = 0; i < keys; i++) {
        bool added;
        struct table_key key = bench_table_key(i);
        CHECK(table_put(map->table, &key, table_hash(&key), &added) == i);
    }
}

static void map_free(void *opaque)
{
    struct map *map = opaque;
    table_free(map->table);
    memory_free(map->sums);
    pthread_mutex_destroy(&map->mutex);
    memory_free(map);
}

static void add_alone(struct sums *sums, uint32_t pick)
{
    counter_add(&sums->count, 1);
    counter_add(&sums->value, pick);
    counter_add(&sums->mass, 3);
}

static void update_alone(void *opaque, const uint32_t *picks, size_t count)
{
    struct map *map = opaque;
    for (size_t i = 0; i < count; i++) {
        bool added;
        struct table_key key = bench_table_key(picks[i]);
        add_alone(&map->sums[table_put(map->table, &key, table_hash(&key), &added)], picks[i]);
    }
}

/* As the stages do it: hash and prefetch a whole batch, then probe it. */
static void update_batches(void *opaque, const uint32_t *picks, size_t count)
{
    struct map *map = opaque;
    for (size_t from = 0; from < count; from += BATCH) {
        struct table_key key[BATCH];
        uint64_t hash[BATCH];
        size_t size = count - from < BATCH ? count - from : BATCH;
        for (size_t i = 0; i < size; i++) {
            key[i] = bench_table_key(picks[from + i]);
            hash[i] = table_hash(&key[i]);
            table_prefetch(map->table, hash[i]);
        }
        for (size_t i = 0; i < size; i++) {
            bool added;
            add_alone(&map->sums[table_put(map->table, &key[i], hash[i], &added)], picks[from + i]);
        }
    }
}

static void update_locked(void *opaque, const uint32_t *picks, size_t count)
{
    struct map *map = opaque;
    for (size_t i = 0; i < count; i++) {
        bool added;
        struct table_key key = bench_table_key(picks[i]);
        uint64_t hash = table_hash(&key);
        pthread_mutex_lock(&map->mutex);
        add_alone(&map->sums[table_put(map->table, &key, hash, &added)], picks[i]);
        pthread_mutex_unlock(&map->mutex);
    }
}

static void update_shared(void *opaque, const uint32_t *picks, size_t count)
{
    struct map *map = opaque;
    for (size_t i = 0; i < count; i++) {
        struct table_key key = bench_table_key(picks[i]);
        struct sums *sums = &map->sums[table_find(map->table, &key, table_hash(&key))];
        /* relaxed: sums only, as in counter.h, but with many writers */
        atomic_fetch_add_explicit(&sums->count.value, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&sums->value.value, picks[i], memory_order_relaxed);
        atomic_fetch_add_explicit(&sums->mass.value, 3, memory_order_relaxed);
    }
}

static const struct rival own[] = {
    {"own table per thread", false, map_new, map_fill, update_alone, map_free, NULL, NULL},
    {"own table per thread, batches of 64 with prefetch", false, map_new, map_fill, update_batches, map_free, NULL,
     NULL},
    {"own table shared, find + 3 fetch_add", true, map_new, map_fill, update_shared, map_free, NULL, NULL},
    {"own table shared behind a mutex", true, map_new, map_fill, update_locked, map_free, NULL, NULL},
};

struct task {
    const struct rival *rival;
    void *map;
    const uint32_t *picks;
    size_t count;
    pthread_barrier_t *start;
    double cpu_ns;
    double wall_ns;
};

static int64_t thread_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *run_task(void *opaque)
{
    struct task *task = opaque;
    if (task->rival->thread_begin)
        task->rival->thread_begin();
    pthread_barrier_wait(task->start);
    int64_t wall = clock_steady_ns();
    int64_t cpu = thread_cpu_ns();
    task->rival->update(task->map, task->picks, task->count);
    task->cpu_ns = (double)(thread_cpu_ns() - cpu) / (double)task->count;
    task->wall_ns = (double)(clock_steady_ns() - wall) / (double)task->count;
    if (task->rival->thread_end)
        task->rival->thread_end();
    return NULL;
}

/* Ranks by their share 1/rank: a binary search in the cumulated shares. Neighbour ranks get key numbers far apart. */
static uint32_t *zipf_picks(size_t keys, size_t count, uint64_t seed)
{
    double *cumulated = memory_new(keys, sizeof *cumulated);
    double sum = 0;
    for (size_t i = 0; i < keys; i++) {
        sum += 1.0 / (double)(i + 1);
        cumulated[i] = sum;
    }
    uint32_t *picks = memory_new(count, sizeof *picks);
    for (size_t i = 0; i < count; i++) {
        double at = (double)(hash_words2(i, seed, 0) >> 11) / 9007199254740992.0 * sum;
        size_t low = 0;
        for (size_t size = keys; size > 1; size -= size / 2) {
            if (cumulated[low + size / 2 - 1] < at)
                low += size / 2;
        }
        picks[i] = (uint32_t)(low * 0x9E3779B1u & (keys - 1));
    }
    memory_free(cumulated);
    return picks;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_spread(double *values, size_t count)
{
    qsort(values, count, sizeof values[0], by_size);
    printf(" %.1f (%.1f-%.1f) |", values[count / 2], values[0], values[count - 1]);
}

static void measure(const struct rival *rival, int threads, size_t keys, size_t count, uint32_t *const picks[])
{
    double cpu[REPETITIONS * THREADS_MOST];
    double wall[REPETITIONS * THREADS_MOST];
    void *map[THREADS_MOST] = {NULL};
    if (rival->thread_begin)
        rival->thread_begin();
    for (int t = 0; t < (rival->shared ? 1 : threads); t++) {
        map[t] = rival->new (keys);
        rival->fill(map[t], keys);
    }
    for (int r = 0; r < REPETITIONS; r++) {
        pthread_barrier_t start;
        pthread_barrier_init(&start, NULL, (unsigned)threads);
        pthread_t thread[THREADS_MOST];
        struct task task[THREADS_MOST];
        for (int t = 0; t < threads; t++) {
            task[t] = (struct task){rival, rival->shared ? map[0] : map[t], picks[t], count, &start, 0, 0};
            CHECK(pthread_create(&thread[t], NULL, run_task, &task[t]) == 0);
        }
        for (int t = 0; t < threads; t++) {
            pthread_join(thread[t], NULL);
            cpu[r * threads + t] = task[t].cpu_ns;
            wall[r * threads + t] = task[t].wall_ns;
        }
        pthread_barrier_destroy(&start);
    }
    for (int t = 0; t < (rival->shared ? 1 : threads); t++)
        rival->free(map[t]);
    if (rival->thread_end)
        rival->thread_end();
    printf("| %s | %zu | %d |", rival->name, keys, threads);
    print_spread(cpu, (size_t)(REPETITIONS * threads));
    print_spread(wall, (size_t)(REPETITIONS * threads));
    printf("\n");
}

/* The first put of each key, into a map with room for all of them. */
static void measure_inserts(const struct rival *rival, size_t keys)
{
    double wall[REPETITIONS];
    if (rival->thread_begin)
        rival->thread_begin();
    for (int r = 0; r < REPETITIONS; r++) {
        void *map = rival->new (keys);
        int64_t from = clock_steady_ns();
        rival->fill(map, keys);
        wall[r] = (double)(clock_steady_ns() - from) / (double)keys;
        rival->free(map);
    }
    if (rival->thread_end)
        rival->thread_end();
    printf("| %s | %zu |", rival->name, keys);
    print_spread(wall, REPETITIONS);
    printf("\n");
}

static void for_each_rival(void (*visit)(const struct rival *rival, void *context), void *context)
{
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        visit(&own[i], context);
    for (const struct rival *const *rival = bench_table_rivals; *rival; rival++)
        visit(*rival, context);
}

struct plan {
    size_t keys;
    size_t count;
    uint32_t *picks[THREADS_MOST];
};

static void visit_updates(const struct rival *rival, void *context)
{
    const struct plan *plan = context;
    for (int threads = 1; threads <= THREADS_MOST; threads++)
        measure(rival, threads, plan->keys, plan->count, plan->picks);
}

static void visit_inserts(const struct rival *rival, void *context)
{
    const struct plan *plan = context;
    measure_inserts(rival, plan->keys);
}

/* How an update and a first put grow with the keys: as the stages do them, one thread. */
static void measure_curve(size_t most)
{
    const struct rival *rival = NULL;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (own[i].update == update_batches)
            rival = &own[i];
    }
    CHECK(rival);
    printf("%s (ns of processor time an update, of wall time a first put; median and least-most of %d)\n\n"
           "| keys | update | first put | bytes a key |\n|---|---|---|---|\n",
           rival->name, REPETITIONS);
    for (size_t keys = CURVE_FIRST; keys <= most; keys *= keys == most / 2 ? 2 : 4) {
        double cpu[REPETITIONS];
        double first[REPETITIONS];
        uint32_t *picks = zipf_picks(keys, CURVE_PICKS, 1);
        size_t bytes = 0;
        for (int r = 0; r < REPETITIONS; r++) {
            struct map *map = rival->new (keys);
            int64_t from = clock_steady_ns();
            rival->fill(map, keys);
            first[r] = (double)(clock_steady_ns() - from) / (double)keys;
            double before = (double)thread_cpu_ns();
            rival->update(map, picks, CURVE_PICKS);
            cpu[r] = ((double)thread_cpu_ns() - before) / CURVE_PICKS;
            bytes = table_bytes(map->table) + keys * sizeof *map->sums;
            rival->free(map);
        }
        printf("| %zu |", keys);
        print_spread(cpu, REPETITIONS);
        print_spread(first, REPETITIONS);
        printf(" %.1f |\n", (double)bytes / (double)keys);
        fflush(stdout);
        memory_free(picks);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--curve") == 0) {
        int64_t most = CURVE_MOST;
        if (argc > 2 && (!text_to_int64(text_of(argv[2]), &most) || most < CURVE_FIRST || (most & (most - 1)) != 0)) {
            fprintf(stderr, "usage: bench_table --curve [KEYS]: a power of two, at least %d\n", CURVE_FIRST);
            return 64;
        }
        measure_curve((size_t)most);
        return 0;
    }
    bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    size_t sizes[] = {SMALL_KEYS, smoke ? 2 * SMALL_KEYS : LARGE_KEYS};
    printf("Updates (ns per update and thread, median and least-most of %d repetitions)\n\n", REPETITIONS);
    printf("| map | keys | threads | CPU | wall |\n|---|---|---|---|---|\n");
    for (int s = 0; s < 2; s++) {
        struct plan plan = {.keys = sizes[s], .count = smoke ? 10000 : 2000000};
        for (int t = 0; t < THREADS_MOST; t++)
            plan.picks[t] = zipf_picks(plan.keys, plan.count, (uint64_t)t + 1);
        for_each_rival(visit_updates, &plan);
        for (int t = 0; t < THREADS_MOST; t++)
            memory_free(plan.picks[t]);
    }
    struct plan inserts = {.keys = sizes[1]};
    printf("\nFirst puts (ns per key, wall)\n\n| map | keys | wall |\n|---|---|---|\n");
    for_each_rival(visit_inserts, &inserts);
    return 0;
}
