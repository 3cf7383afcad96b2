/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/totals.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

static struct totals *totals;

static void setup(void)
{
    totals = totals_new();
}

static void teardown(void)
{
    totals_free(totals);
}

TestSuite(totals, .init = setup, .fini = teardown);

static struct table_key key_of(uint32_t i)
{
    return (struct table_key){{cell_word0(0, false, (int32_t)(i % 40), i), i * 7, i / 3, 512}};
}

static void add(uint32_t i, int64_t value)
{
    struct table_key key = key_of(i);
    struct measures delta = {.value_minor = value, .items = 1};
    totals_add(totals, &key, &delta);
}

/* Sum of one slice's values; counts its cells. */
static i128 sum_of(uint32_t slice, uint32_t *count)
{
    i128 sum = 0;
    for (uint32_t i = 0; i < totals_count(totals, slice); i++) {
        cr_assert_eq(totals_slice(totals_key(totals, slice, i)), slice);
        struct measures cell;
        totals_measures(totals, slice, i, &cell);
        sum += cell.value_minor;
        ++*count;
    }
    return sum;
}

Test(totals, every_cell_is_in_the_slice_of_its_key_once_with_the_sum_of_its_deltas)
{
    enum { CELLS = 5000 };
    for (uint32_t round = 1; round <= 3; round++) {
        for (uint32_t i = 0; i < CELLS; i++)
            add(i, (int64_t)i * round);
    }
    totals_flush(totals);

    uint32_t count = 0;
    i128 sum = 0;
    for (uint32_t slice = 0; slice < TOTALS_SLICES; slice++) {
        uint32_t before = count;
        sum += sum_of(slice, &count);
        cr_assert_gt(count, before + CELLS / TOTALS_SLICES / 2, "slice %u is nearly empty", slice);
    }
    cr_assert_eq(count, CELLS);
    cr_assert(sum == (i128)6 * CELLS * (CELLS - 1) / 2);
}

Test(totals, the_slice_of_a_cell_is_that_of_the_journal_page)
{
    struct table_key key = {{1, 2, 3, 4}};
    cr_assert_eq(totals_slice(&key), hash_words4(key.word, 0) >> 59);
}

Test(totals, a_control_sum_depends_on_every_number_and_not_on_the_order)
{
    struct measures all = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0};
    struct table_key key = key_of(1);
    uint64_t sum = totals_control_of(&key, &all);
    for (int i = 0; i < 11; i++) {
        struct measures other = all;
        i128 *wide[] = {&other.value_minor,   &other.customs_value_minor, &other.net_mass_mg,
                        &other.gross_mass_mg, &other.supp_quantity_micro, &other.estimated_mg};
        int64_t *narrow[] = {&other.declarations, &other.items, &other.packages, &other.warned_items,
                             &other.late_items};
        if (i < 6)
            *wide[i] += (i128)1 << 90;
        else
            ++*narrow[i - 6];
        cr_assert_neq(totals_control_of(&key, &other), sum, "number %d", i);
    }
    struct table_key another = key_of(2);
    cr_assert_neq(totals_control_of(&another, &all), sum);
}

Test(totals, a_cell_that_came_down_to_zero_counts_for_nothing)
{
    add(3, 5);
    struct table_key key = key_of(3);
    struct measures back = {.value_minor = -5, .items = -1};
    totals_add(totals, &key, &back);
    totals_flush(totals);

    uint64_t cells;
    cr_assert_eq(totals_control(totals, totals_slice(&key), &cells), 0);
    cr_assert_eq(cells, 0);
    cr_assert_eq(totals_count(totals, totals_slice(&key)), 1, "its place stays");
}

Test(totals, clearing_a_slice_leaves_the_others)
{
    for (uint32_t i = 0; i < 1000; i++)
        add(i, 1);
    totals_clear_slice(totals, 5);

    uint32_t count = 0;
    for (uint32_t slice = 0; slice < TOTALS_SLICES; slice++) {
        uint64_t cells;
        totals_control(totals, slice, &cells);
        cr_assert_eq(cells == 0, slice == 5, "slice %u", slice);
        sum_of(slice, &count);
    }
    cr_assert(totals_bytes(totals) > 1000 * sizeof(struct measures));
}

/* The only cell there is. */
static struct measures only_cell(const struct table_key *key)
{
    struct measures cell;
    uint32_t slice = totals_slice(key);
    cr_assert_eq(totals_count(totals, slice), 1);
    totals_measures(totals, slice, 0, &cell);
    return cell;
}

Test(totals, sums_pass_64_bits_and_come_back)
{
    struct table_key key = key_of(1);
    struct measures delta = {.value_minor = INT64_MAX,
                             .customs_value_minor = INT64_MIN,
                             .net_mass_mg = 3,
                             .gross_mass_mg = -4,
                             .supp_quantity_micro = 5,
                             .estimated_mg = 6,
                             .declarations = 1,
                             .items = 2,
                             .packages = 7,
                             .warned_items = 8,
                             .late_items = 9};
    struct measures want = {0};
    for (int i = 0; i < 100; i++) { /* in one batch and over several */
        totals_add(totals, &key, &delta);
        measures_add(&want, &delta);
    }
    totals_flush(totals);
    struct measures cell = only_cell(&key);
    cr_assert(memcmp(&cell, &want, offsetof(struct measures, late_items)) == 0);
    cr_assert(cell.value_minor == (i128)INT64_MAX * 100 && cell.customs_value_minor == (i128)INT64_MIN * 100);
    cr_assert_eq(cell.late_items, 900);
    uint64_t cells;
    cr_assert_eq(totals_control(totals, totals_slice(&key), &cells), totals_control_of(&key, &want));

    struct measures back = {.value_minor = -(i128)INT64_MAX * 100 + 1, .customs_value_minor = -(i128)INT64_MIN * 100};
    totals_add(totals, &key, &back);
    totals_flush(totals);
    cell = only_cell(&key);
    cr_assert(cell.value_minor == 1 && cell.customs_value_minor == 0 && cell.items == 200);

    totals_clear_slice(totals, totals_slice(&key));
    cell = only_cell(&key);
    cr_assert_eq(totals_control_of(&key, &cell), 0, "all zero");
    delta.value_minor = 5;
    totals_add(totals, &key, &delta);
    totals_flush(totals);
    cell = only_cell(&key);
    cr_assert(cell.value_minor == 5 && cell.items == 2);
}

Test(totals, each_amount_that_does_not_fit_widens_its_cell_alone)
{
    const struct measures large[] = {{.value_minor = INT64_MAX},         {.customs_value_minor = INT64_MAX},
                                     {.net_mass_mg = INT64_MAX},         {.gross_mass_mg = INT64_MAX},
                                     {.supp_quantity_micro = INT64_MAX}, {.estimated_mg = INT64_MAX}};
    for (uint32_t i = 0; i < 6; i++) {
        struct table_key key = key_of(i);
        struct table_key other = key_of(100 + i);
        struct measures want = large[i];
        totals_add(totals, &key, &large[i]);
        totals_add(totals, &key, &large[i]);
        totals_add(totals, &other, &large[i]);
        totals_flush(totals);
        measures_add(&want, &large[i]);
        bool found = false;
        for (uint32_t place = 0; place < totals_count(totals, totals_slice(&key)); place++) {
            struct measures cell;
            totals_measures(totals, totals_slice(&key), place, &cell);
            if (table_key_equal(totals_key(totals, totals_slice(&key), place), &key)) {
                cr_assert_eq(totals_control_of(&key, &cell), totals_control_of(&key, &want), "amount %u", i);
                found = true;
            }
        }
        cr_assert(found);
    }
}
