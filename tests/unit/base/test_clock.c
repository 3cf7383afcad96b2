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
