/* SPDX-License-Identifier: Apache-2.0
 * stress_table.c - one writer and several readers on one table: growth, forced collisions, conservation.
 *
 * Usage:   stress_table [KEYS [READERS]]; exit 0 if all held, abort at the first thing that did not
 * Shows:   a reader that has seen the count finds every entry below it, with its own key; an absent key is never found;
 *          counts never fall; at the end every put is in exactly one entry. Under ThreadSanitizer: no data race.
 * Thread:  the writer is main
 */
#include "base/check.h"
#include "base/counter.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAMILY = 24, READERS_MOST = 16, PUTS_PER_KEY = 4 };

struct shared {
    struct table *table;
    struct counter *puts; /* by entry number; the writer adds */
    struct counter finished;
    uint64_t keys;
};

struct reader_task {
    struct shared *shared;
    uint64_t state;
    uint64_t checks;
};

/* Every second key belongs to a family of FAMILY keys with one hash: HASH_P0 makes the mix a product with zero. */
static struct table_key key_of(uint64_t number)
{
    if (number % 2)
        return (struct table_key){{HASH_P0, number, number / (2 * (uint64_t)FAMILY), 0}};
    return (struct table_key){{number, ~number, 0, 1}};
}

static bool same_key(const struct table_key *a, const struct table_key *b)
{
    return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2] && a->word[3] == b->word[3];
}

static uint64_t next_random(uint64_t *state)
{
    *state += 0x9E3779B97F4A7C15ULL;
    return hash_words2(*state, 0, 1);
}

/* Entry numbers are given in the order of the first puts, and main puts key 0, 1, 2, ... first in that order. */
static void check_one(const struct shared *shared, uint32_t count, uint64_t random)
{
    uint32_t index = (uint32_t)(random % count);
    struct table_key want = key_of(index);
    uint64_t hash = table_hash(&want);
    table_prefetch(shared->table, hash);
    CHECK(same_key(table_key(shared->table, index), &want));
    uint32_t found = table_find(shared->table, &want, hash);
    CHECK_SAY(found == index, "key %u found as %u of %u", index, found, count);
    struct table_key absent = key_of(shared->keys + (random >> 32) % 1000);
    CHECK(table_find(shared->table, &absent, table_hash(&absent)) == TABLE_NONE);
}

static void *read_until_finished(void *argument)
{
    struct reader_task *task = argument;
    uint32_t seen = 0;
    size_t bytes = 0;
    while (!counter_read(&task->shared->finished)) {
        uint32_t count = table_count(task->shared->table);
        CHECK_SAY(count >= seen, "count fell from %u to %u", seen, count);
        seen = count;
        if (count == 0)
            continue;
        check_one(task->shared, count, next_random(&task->state));
        if (task->checks % 1024 == 0) {
            size_t now = table_bytes(task->shared->table);
            CHECK(now >= bytes);
            bytes = now;
        }
        task->checks++;
    }
    return NULL;
}

static void put_once(struct shared *shared, uint64_t number, bool is_new)
{
    struct table_key key = key_of(number);
    bool added;
    uint32_t index = table_put(shared->table, &key, table_hash(&key), &added);
    CHECK_SAY(index == number && added == is_new, "key %lu got entry %u", (unsigned long)number, index);
    counter_add(&shared->puts[index], 1);
}

/* Puts each key once in order and, between, older keys at random: PUTS_PER_KEY puts per key in all. */
static void write_all(struct shared *shared)
{
    uint64_t state = 7;
    for (uint64_t number = 0; number < shared->keys; number++) {
        put_once(shared, number, true);
        for (int i = 1; i < PUTS_PER_KEY; i++)
            put_once(shared, next_random(&state) % (number + 1), false);
    }
    counter_set(&shared->finished, 1);
}

int main(int argc, char **argv)
{
    uint64_t keys = argc > 1 ? strtoull(argv[1], NULL, 10) : 60000;
    int readers = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 3;
    CHECK_SAY(keys > 0 && readers > 0 && readers <= READERS_MOST, "usage: stress_table [KEYS [READERS 1-%d]]",
              READERS_MOST);
    struct shared shared = {.table = table_new(0), .puts = memory_new(keys, sizeof *shared.puts), .keys = keys};
    pthread_t thread[READERS_MOST];
    struct reader_task task[READERS_MOST];
    for (int i = 0; i < readers; i++) {
        task[i] = (struct reader_task){.shared = &shared, .state = 1000 + (uint64_t)i};
        CHECK(pthread_create(&thread[i], NULL, read_until_finished, &task[i]) == 0);
    }

    write_all(&shared);

    uint64_t checks = 0;
    for (int i = 0; i < readers; i++) {
        pthread_join(thread[i], NULL);
        checks += task[i].checks;
    }
    uint64_t puts = 0;
    for (uint64_t i = 0; i < keys; i++)
        puts += (uint64_t)counter_read(&shared.puts[i]);
    CHECK_SAY(puts == keys * PUTS_PER_KEY, "%lu puts", (unsigned long)puts);
    CHECK(table_count(shared.table) == keys);
    printf("stress_table: %lu keys, %lu puts, %lu checks by %d readers\n", (unsigned long)keys, (unsigned long)puts,
           (unsigned long)checks, readers);
    memory_free(shared.puts);
    table_free(shared.table);
    return 0;
}
