/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cell_order.h"

#include <criterion/criterion.h>

Test(cell_order, places_stand_view_after_view_in_order)
{
    static const uint32_t views[] = {3, 0, 3, VIEWS_MOST - 1, 0, 3};
    struct cell_order order = {0};
    for (int round = 0; round < 2; round++) { /* the second has the memory of the first */
        cell_order_begin(&order, 6);
        for (int i = 0; i < 6; i++)
            cell_order_add(&order, views[i]);
        cell_order_finish(&order);

        static const uint32_t want[] = {1, 4, 0, 2, 5, 3};
        cr_assert_arr_eq(order.places, want, sizeof want);
        cr_assert_eq(order.begins[0], 0);
        cr_assert_eq(order.begins[1], 2);
        cr_assert_eq(order.begins[3], 2);
        cr_assert_eq(order.begins[4], 5);
        cr_assert_eq(order.begins[VIEWS_MOST - 1], 5);
        cr_assert_eq(order.begins[VIEWS_MOST], 6);
    }
    cell_order_fini(&order);
}

Test(cell_order, of_no_cells_is_empty)
{
    struct cell_order order = {0};
    cell_order_begin(&order, 0);
    cell_order_finish(&order);

    cr_assert_eq(order.begins[VIEWS_MOST], 0);
    cell_order_fini(&order);
}

Test(cell_order, grows)
{
    struct cell_order order = {0};
    for (uint32_t most = 1; most < 1000; most *= 3) {
        cell_order_begin(&order, most);
        for (uint32_t i = 0; i < most; i++)
            cell_order_add(&order, i % 2);
        cell_order_finish(&order);
        cr_assert_eq(order.begins[2], most);
        for (uint32_t i = 0; i < most; i++)
            cr_assert_eq(order.places[i] % 2, i >= order.begins[1]);
    }
    cell_order_fini(&order);
}
