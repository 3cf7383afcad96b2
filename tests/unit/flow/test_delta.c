/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/delta.h"

#include <criterion/criterion.h>

static struct table_key key_of(uint64_t number)
{
    return (struct table_key){{number % 7 + 1, number % 11, number % 13, number}};
}

static struct delta sums_of(int64_t value)
{
    return (struct delta){.pairs = {{value, value + 1}, {value + 2, value + 3}, {value + 4, value + 5}},
                          .counts = {0, 1, 1, 0},
                          .packages = 6};
}

Test(delta, cells_stand_in_the_order_in_which_they_came_however_often_the_table_grows)
{
    enum { CELLS = 5000 };
    struct delta_table table;
    delta_table_init(&table, 64);

    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < CELLS; i++) {
            struct table_key key = key_of(i);
            struct delta sums = sums_of((int64_t)i);
            delta_add(&delta_table_put(&table, &key, delta_hash(&key))->sums, &sums, round == 0);
        }
    }

    cr_assert_eq(table.count, CELLS);
    for (uint64_t i = 0; i < CELLS; i++) {
        struct table_key key = key_of(i);
        cr_assert(table_key_equal(&table.cells[i].key, &key));
        cr_assert_eq(table.cells[i].sums.pairs[VALUE_AND_MASS][0], 3 * (int64_t)i);
        cr_assert_eq(table.cells[i].sums.counts[DECLARATIONS], 1);
        cr_assert_eq(table.cells[i].sums.packages, 18);
    }
    delta_table_fini(&table);
}

Test(delta, keys_of_one_hash_are_told_apart)
{
    struct delta_table table;
    delta_table_init(&table, 64);

    for (uint64_t i = 0; i < 40; i++) {
        struct table_key key = key_of(i);
        delta_table_put(&table, &key, i % 2 ? 0 : 127)->sums.packages = (int64_t)i; /* they wrap around */
    }

    for (uint64_t i = 0; i < 40; i++) {
        struct table_key key = key_of(i);
        delta_table_prefetch(&table, i % 2 ? 0 : 127);
        delta_table_prefetch_cell(&table, i % 2 ? 0 : 127);
        cr_assert_eq(delta_table_put(&table, &key, i % 2 ? 0 : 127)->sums.packages, (int64_t)i);
    }
    cr_assert_eq(table.count, 40);
    delta_table_fini(&table);
}

Test(delta, clear_forgets_all_and_begins_with_zeros)
{
    struct delta_table table;
    delta_table_init(&table, 64);
    struct table_key key = key_of(3);
    struct delta sums = sums_of(5);
    delta_add(&delta_table_put(&table, &key, delta_hash(&key))->sums, &sums, 1);

    delta_table_clear(&table);

    cr_assert_eq(table.count, 0);
    const struct delta_cell *cell = delta_table_put(&table, &key, delta_hash(&key));
    static const struct delta zero;
    cr_assert_eq(memcmp(&cell->sums, &zero, sizeof zero), 0);
    cr_assert_eq(table.count, 1);
    delta_table_fini(&table);
}

Test(delta, a_sum_that_would_pass_64_bits_is_refused_whole)
{
    for (int measure = 0; measure < DELTA_PAIRS * 2; measure++) {
        struct delta to = sums_of(1);
        struct delta from = sums_of(2);
        from.pairs[measure / 2][measure % 2] = INT64_MAX;
        struct delta before = to;

        cr_assert_not(delta_add_checked(&to, &from, 1), "measure %d", measure);
        cr_assert_eq(memcmp(&to, &before, sizeof to), 0, "measure %d", measure);
        from.pairs[measure / 2][measure % 2] = INT64_MIN;
        cr_assert(delta_add_checked(&to, &from, 1), "measure %d", measure);
        cr_assert_eq(to.pairs[measure / 2][measure % 2], INT64_MIN + before.pairs[measure / 2][measure % 2]);
        cr_assert_eq(to.counts[DECLARATIONS], 1);
    }
}

Test(delta, measures_are_the_sums_by_name)
{
    struct delta delta = {.pairs = {{INT64_MAX, 2}, {3, 4}, {5, 6}}, .counts = {7, 8, 9, 10}, .packages = 11};
    struct measures measures;

    delta_measures(&delta, &measures);

    cr_assert(measures.value_minor == INT64_MAX);
    cr_assert(measures.customs_value_minor == (i128)INT64_MAX + 4, "it is kept as a difference");
    cr_assert(measures.net_mass_mg == 2 && measures.gross_mass_mg == 3);
    cr_assert(measures.supp_quantity_micro == 5 && measures.estimated_mg == 6);
    cr_assert_eq(measures.declarations, 7);
    cr_assert_eq(measures.items, 8);
    cr_assert_eq(measures.warned_items, 9);
    cr_assert_eq(measures.late_items, 10);
    cr_assert_eq(measures.packages, 11);
}
