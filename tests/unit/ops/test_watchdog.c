/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/watchdog.h"

#include <criterion/criterion.h>

Test(watchdog, a_thread_that_makes_steps_is_never_stuck)
{
    struct watchdog *watchdog = watchdog_new(2);
    for (int64_t now_ms = 1000; now_ms < 1000 + 10 * WATCHDOG_STUCK_MS; now_ms += WATCHDOG_STUCK_MS) {
        cr_assert_not(watchdog_look(watchdog, 0, now_ms, now_ms));
        cr_assert_not(watchdog_look(watchdog, 1, -now_ms, now_ms), "any change is a step");
    }
    cr_assert_eq(watchdog_stuck(watchdog), WATCHDOG_NONE);
    watchdog_free(watchdog);
}

Test(watchdog, a_thread_that_stands_still_is_told_of_once)
{
    struct watchdog *watchdog = watchdog_new(2);
    watchdog_look(watchdog, 0, 7, 5000);
    watchdog_look(watchdog, 1, 7, 5000);
    cr_assert_not(watchdog_look(watchdog, 1, 7, 5000 + WATCHDOG_STUCK_MS), "not yet");
    cr_assert_eq(watchdog_stuck(watchdog), WATCHDOG_NONE);

    watchdog_look(watchdog, 0, 8, 5001 + WATCHDOG_STUCK_MS);
    cr_assert(watchdog_look(watchdog, 1, 7, 5001 + WATCHDOG_STUCK_MS));
    cr_assert_not(watchdog_look(watchdog, 1, 7, 6000 + WATCHDOG_STUCK_MS), "told already");

    cr_assert_eq(watchdog_stuck(watchdog), 1);
    cr_assert_eq(watchdog_age_ms(watchdog, 1), 1000 + WATCHDOG_STUCK_MS);
    cr_assert_eq(watchdog_age_ms(watchdog, 0), 0);
    watchdog_free(watchdog);
}

Test(watchdog, a_thread_that_goes_on_is_well_and_may_be_told_of_again)
{
    struct watchdog *watchdog = watchdog_new(1);
    watchdog_look(watchdog, 0, 7, 0);
    cr_assert(watchdog_look(watchdog, 0, 7, WATCHDOG_STUCK_MS + 1));

    cr_assert_not(watchdog_look(watchdog, 0, 8, WATCHDOG_STUCK_MS + 2));
    cr_assert_eq(watchdog_stuck(watchdog), WATCHDOG_NONE);
    cr_assert(watchdog_look(watchdog, 0, 8, 2 * WATCHDOG_STUCK_MS + 3));
    watchdog_free(watchdog);
}
