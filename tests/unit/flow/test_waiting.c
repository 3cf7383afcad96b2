/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/waiting.h"

#include <criterion/criterion.h>

Test(waiting, numbers_come_out_in_the_order_in_which_they_went_in)
{
    struct waiting waiting = {0};
    uint32_t next = 0;
    for (uint32_t i = 0; i < 10000; i++) { /* it grows with its head anywhere */
        waiting_add(&waiting, i);
        if (i % 3 == 0) {
            cr_assert_eq(waiting_first(&waiting), next);
            waiting_take(&waiting);
            next++;
        }
    }
    for (; waiting.count > 0; next++) {
        cr_assert_eq(waiting_first(&waiting), next);
        waiting_take(&waiting);
    }
    cr_assert_eq(next, 10000);
    waiting_fini(&waiting);
}

Test(waiting, sorted_ones_come_out_in_ascending_order_before_later_ones)
{
    struct waiting waiting = {0};
    for (uint32_t i = 0; i < 700; i++)
        waiting_add(&waiting, i);
    for (uint32_t i = 0; i < 700; i++)
        waiting_take(&waiting);
    for (uint32_t i = 0; i < 1000; i++) /* round the end of the ring */
        waiting_add(&waiting, i * 7919 % 1000);
    waiting_sort(&waiting);
    for (uint32_t i = 0; i < 5; i++)
        waiting_add(&waiting, 4 - i);
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert_eq(waiting_first(&waiting), i);
        waiting_take(&waiting);
    }
    for (uint32_t i = 0; i < 5; i++) {
        cr_assert_eq(waiting_first(&waiting), 4 - i);
        waiting_take(&waiting);
    }
    cr_assert_eq(waiting.count, 0);
    waiting_sort(&waiting);
    waiting_fini(&waiting);
}

Test(waiting, what_was_added_last_is_taken_back_first)
{
    struct waiting waiting = {0};
    for (uint32_t i = 0; i < 2000; i++)
        waiting_add(&waiting, i);
    for (uint32_t i = 2000; i-- > 1;)
        cr_assert_eq(waiting_take_back(&waiting), i);
    cr_assert_eq(waiting.count, 1);
    cr_assert_eq(waiting_first(&waiting), 0);
    waiting_fini(&waiting);
}
