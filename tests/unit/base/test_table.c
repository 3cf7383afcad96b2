/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include "base/hash.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct table_key key_of(uint64_t number)
{
    return (struct table_key){{number, number * 3, 0, 0}};
}

/* Multiplying by zero loses the second word: all keys of a family have one hash, tag and slot. */
static struct table_key colliding_key(uint64_t family, uint64_t number)
{
    return (struct table_key){{HASH_P0, number, family, 0}};
}

static uint32_t put(struct table *table, struct table_key key, bool *out_added)
{
    return table_put(table, &key, table_hash(&key), out_added);
}

static uint32_t find(const struct table *table, struct table_key key)
{
    return table_find(table, &key, table_hash(&key));
}

Test(table, empty_table_finds_nothing)
{
    struct table *table = table_new(0);

    cr_assert_eq(find(table, key_of(1)), TABLE_NONE);
    cr_assert_eq(find(table, (struct table_key){{0, 0, 0, 0}}), TABLE_NONE);
    cr_assert_eq(table_count(table), 0);

    table_free(table);
    table_free(NULL);
}

Test(table, absent_key_is_not_found_among_many)
{
    struct table *table = table_new(0);
    bool added;
    for (uint64_t i = 0; i < 10000; i++)
        put(table, key_of(2 * i), &added);

    for (uint64_t i = 0; i < 10000; i++)
        cr_assert_eq(find(table, key_of(2 * i + 1)), TABLE_NONE);

    table_free(table);
}

Test(table, key_that_is_there_is_not_added_again)
{
    struct table *table = table_new(0);
    bool added = false;

    uint32_t first = put(table, key_of(5), &added);
    cr_assert(added);
    uint32_t again = put(table, key_of(5), &added);

    cr_assert_not(added);
    cr_assert_eq(first, again);
    cr_assert_eq(table_count(table), 1);
    table_free(table);
}

Test(table, keys_that_differ_in_one_word_are_different)
{
    struct table *table = table_new(0);
    bool added;
    for (int word = 0; word < 4; word++) {
        struct table_key key = {{9, 9, 9, 9}};
        key.word[word] = 10;
        cr_assert_eq(put(table, key, &added), (uint32_t)word);
        cr_assert(added);
    }
    cr_assert_eq(find(table, (struct table_key){{9, 9, 9, 9}}), TABLE_NONE);
    table_free(table);
}

Test(table, key_of_zeros_is_a_key_like_any_other)
{
    struct table *table = table_new(0);
    bool added = false;
    cr_assert_eq(put(table, (struct table_key){{0, 0, 0, 0}}, &added), 0);
    cr_assert(added);
    cr_assert_eq(find(table, (struct table_key){{0, 0, 0, 0}}), 0);
    table_free(table);
}

Test(table, keys_with_one_hash_are_told_apart_also_after_growth)
{
    enum { KEYS = 3000 };
    struct table *table = table_new(0);
    struct table_key first = colliding_key(1, 0);
    bool added;
    for (uint64_t i = 0; i < KEYS; i++) {
        struct table_key key = colliding_key(1, i);
        cr_assert_eq(table_hash(&key), table_hash(&first), "the test needs keys with one hash");
        cr_assert_eq(put(table, key, &added), i);
        cr_assert(added);
    }

    for (uint64_t i = 0; i < KEYS; i++)
        cr_assert_eq(find(table, colliding_key(1, i)), i);
    cr_assert_eq(find(table, colliding_key(1, KEYS)), TABLE_NONE);

    table_free(table);
}

Test(table, numbers_are_dense_and_keys_stay_in_place_while_the_table_grows)
{
    enum { KEYS = 200000 }; /* beyond seven segments and a dozen doublings of the slots */
    struct table *table = table_new(0);
    bool added;
    put(table, key_of(0), &added);
    const struct table_key *place = table_key(table, 0);
    for (uint64_t i = 1; i < KEYS; i++)
        cr_assert_eq(put(table, key_of(i), &added), i);

    cr_assert_eq(table_key(table, 0), place, "keys never move");
    cr_assert_eq(table_count(table), KEYS);
    for (uint64_t i = 0; i < KEYS; i++) {
        cr_assert_eq(find(table, key_of(i)), i);
        cr_assert_eq(table_key(table, (uint32_t)i)->word[0], i);
        cr_assert_eq(table_key(table, (uint32_t)i)->word[1], 3 * i);
    }
    table_free(table);
}

Test(table, expected_size_saves_growth_and_is_no_limit)
{
    struct table *table = table_new(5000);
    size_t bytes = table_bytes(table);
    bool added;
    put(table, key_of(0), &added);
    for (uint64_t i = 1; i < 1000; i++)
        put(table, key_of(i), &added);
    cr_assert_eq(table_bytes(table), bytes + 8192 * sizeof(struct table_key),
                 "one key segment for all that is expected, the slots as they were");

    for (uint64_t i = 1000; i < 20000; i++)
        put(table, key_of(i), &added);
    cr_assert_eq(table_count(table), 20000);
    cr_assert_eq(find(table, key_of(19999)), 19999);
    table_free(table);
}

Test(table, cleared_table_has_forgotten_all_and_counts_from_zero)
{
    struct table *table = table_new(0);
    bool added = false;
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 5000; i++) {
            cr_assert_eq(put(table, key_of(i + 7000 * (uint64_t)round), &added), i);
            cr_assert(added);
        }
        table_clear(table);
        cr_assert_eq(table_count(table), 0);
        for (uint64_t i = 0; i < 5000; i++)
            cr_assert_eq(find(table, key_of(i + 7000 * (uint64_t)round)), TABLE_NONE);
    }
    table_free(table);
}

Test(table, prefetch_changes_nothing)
{
    struct table *table = table_new(0);
    bool added;
    put(table, key_of(1), &added);
    for (uint64_t i = 0; i < 100; i++)
        table_prefetch(table, i << 60 | i);
    cr_assert_eq(find(table, key_of(1)), 0);
    cr_assert_eq(table_count(table), 1);
    table_free(table);
}

static int by_key(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The reference is slow and plain: all updates sorted, runs counted. */
Test(table, counts_of_random_updates_agree_with_a_sorted_array)
{
    enum { UPDATES = 300000, KEYS = 40064 };
    static uint64_t updates[UPDATES];
    static uint64_t counts[KEYS];
    struct table *table = table_new(0);
    uint64_t state = 42;
    for (int i = 0; i < UPDATES; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        uint64_t number =
            (state >> 33) % 40000 * ((state >> 20) % 2) + (state >> 40) % 64; /* a hot head, a long tail */
        updates[i] = number;
        bool added;
        struct table_key key = number % 50 ? key_of(number) : colliding_key(3, number);
        uint32_t index = put(table, key, &added);
        cr_assert_lt(index, KEYS);
        counts[index]++;
    }

    qsort(updates, UPDATES, sizeof updates[0], by_key);
    uint32_t distinct = 0;
    for (int i = 0; i < UPDATES;) {
        int run = i;
        while (run < UPDATES && updates[run] == updates[i])
            run++;
        struct table_key key = updates[i] % 50 ? key_of(updates[i]) : colliding_key(3, updates[i]);
        uint32_t index = find(table, key);
        cr_assert_neq(index, TABLE_NONE);
        cr_assert_eq(counts[index], (uint64_t)(run - i));
        distinct++;
        i = run;
    }
    cr_assert_eq(table_count(table), distinct);
    table_free(table);
}
