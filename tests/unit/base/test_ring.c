/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ring.h"

#include <criterion/criterion.h>
#include <stdint.h>

Test(ring, empty_ring_gives_nothing_and_leaves_the_message_alone)
{
    struct ring *ring = ring_new(4, sizeof(int));
    int out = 77;

    cr_assert_not(ring_take(ring, &out));
    cr_assert_eq(out, 77);

    ring_free(ring);
}

Test(ring, full_ring_refuses_one_too_many_and_keeps_the_rest)
{
    struct ring *ring = ring_new(4, sizeof(int));
    for (int i = 0; i < 4; i++)
        cr_assert(ring_put(ring, &i));
    int more = 99;

    cr_assert_not(ring_put(ring, &more));
    cr_assert_not(ring_put(ring, &more));

    for (int i = 0; i < 4; i++) {
        int out = -1;
        cr_assert(ring_take(ring, &out));
        cr_assert_eq(out, i);
    }
    cr_assert_not(ring_take(ring, &more));
    ring_free(ring);
}

Test(ring, one_taken_makes_room_for_one)
{
    struct ring *ring = ring_new(2, sizeof(int));
    for (int i = 0; i < 2; i++)
        ring_put(ring, &i);
    int out;
    int more = 2;

    cr_assert(ring_take(ring, &out));
    cr_assert(ring_put(ring, &more));
    cr_assert_not(ring_put(ring, &more));

    ring_free(ring);
}

Test(ring, capacity_is_rounded_up_to_a_power_of_two)
{
    static const struct {
        size_t asked;
        int holds;
    } sizes[] = {{0, 1}, {1, 1}, {2, 2}, {3, 4}, {5, 8}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct ring *ring = ring_new(sizes[s].asked, sizeof(int));
        int held = 0;
        while (held < 100 && ring_put(ring, &held))
            held++;
        cr_assert_eq(held, sizes[s].holds, "asked for %zu", sizes[s].asked);
        ring_free(ring);
    }
}

Test(ring, free_takes_null)
{
    ring_free(NULL);
}

Test(ring, order_holds_over_many_wraps_with_odd_message_sizes)
{
    struct message {
        uint32_t number;
        uint8_t tail[9];
    };
    struct ring *ring = ring_new(8, sizeof(struct message));
    uint32_t put = 0;
    uint32_t taken = 0;
    while (taken < 10000) {
        for (uint32_t burst = put % 11; burst > 0; burst--) {
            struct message in = {.number = put, .tail = {[8] = (uint8_t)put}};
            if (!ring_put(ring, &in))
                break;
            put++;
        }
        struct message in = {.number = put, .tail = {[8] = (uint8_t)put}};
        put += ring_put(ring, &in);
        for (uint32_t burst = taken % 7 + 1; burst > 0; burst--) {
            struct message out;
            if (!ring_take(ring, &out))
                break;
            cr_assert_eq(out.number, taken);
            cr_assert_eq(out.tail[8], (uint8_t)taken);
            taken++;
        }
        cr_assert_leq(put - taken, 8);
    }
    ring_free(ring);
}
