/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <criterion/criterion.h>
#include <time.h>

Test(clock, steady_clock_never_goes_back)
{
    int64_t before = clock_steady_ns();
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_steady_ns();
        cr_assert_geq(now, before);
        before = now;
    }
}

Test(clock, wall_clock_counts_milliseconds_of_the_epoch)
{
    int64_t before = (int64_t)time(NULL);
    int64_t wall = clock_wall_ms();
    int64_t after = (int64_t)time(NULL);

    cr_assert_geq(wall, (before - 1) * 1000); /* time() may read a coarser clock */
    cr_assert_leq(wall, (after + 2) * 1000);
}

static struct clock_forward forward = {INT64_MIN};

Test(clock, forward_is_the_wall_clock_while_that_goes_on)
{
    cr_assert_eq(clock_forward_take(&forward, 1000000, 50), 1000000);
    cr_assert_eq(clock_forward_take(&forward, 1000010, 60), 1000010);
    cr_assert_eq(clock_forward_take(&forward, 5000000, 70), 5000000, "set ahead: it follows");
}

Test(clock, forward_goes_on_at_the_steady_pace_when_the_wall_clock_is_set_back_until_that_has_caught_up)
{
    clock_forward_take(&forward, 5000000, 100);

    cr_assert_eq(clock_forward_take(&forward, 1400000, 150), 5000050, "an hour back");
    cr_assert_eq(clock_forward_take(&forward, 1400200, 350), 5000250);
    cr_assert_eq(clock_forward_take(&forward, 5000400, 360), 5000400, "it is ahead again");
}

Test(clock, forward_never_goes_back)
{
    int64_t before = clock_forward_ms();
    cr_assert_geq(before, clock_wall_ms() - 1000);
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_forward_ms();
        cr_assert_geq(now, before);
        before = now;
    }
}
