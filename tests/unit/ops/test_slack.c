/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/slack.h"

#include <criterion/criterion.h>

enum { MB = 1 << 20 };

Test(slack, what_is_in_use_is_none)
{
    struct slack slack = {0};
    cr_assert(!slack_is_much(&slack, 100 * MB, 90 * MB, 5 * MB));

    cr_assert(!slack_is_much(&slack, 900 * MB, 890 * MB, 60 * MB), "it grew, and all of it is used");
}

Test(slack, what_a_peak_leaves_is_much)
{
    struct slack slack = {0};
    cr_assert(!slack_is_much(&slack, 100 * MB, 90 * MB, 5 * MB));
    cr_assert(!slack_is_much(&slack, 300 * MB, 290 * MB, 5 * MB), "the peak");
    cr_assert(slack_is_much(&slack, 300 * MB, 90 * MB, 205 * MB));
}

Test(slack, after_a_trim_the_same_free_blocks_are_no_reason_for_the_next)
{
    struct slack slack = {0};
    cr_assert(!slack_is_much(&slack, 100 * MB, 90 * MB, 5 * MB));
    cr_assert(slack_is_much(&slack, 300 * MB, 90 * MB, 205 * MB));
    slack_trimmed(&slack, 110 * MB, 90 * MB);

    cr_assert(!slack_is_much(&slack, 110 * MB, 90 * MB, 205 * MB), "glibc counts them still");
    cr_assert(!slack_is_much(&slack, 150 * MB, 90 * MB, 205 * MB));
    cr_assert(slack_is_much(&slack, 170 * MB, 90 * MB, 205 * MB), "they were used again, and are free again");
}

Test(slack, mapped_memory_of_others_is_looked_at_once)
{
    struct slack slack = {0};
    cr_assert(!slack_is_much(&slack, 100 * MB, 90 * MB, 60 * MB));
    cr_assert(slack_is_much(&slack, 200 * MB, 90 * MB, 60 * MB));
    slack_trimmed(&slack, 200 * MB, 90 * MB);

    cr_assert(!slack_is_much(&slack, 200 * MB, 90 * MB, 60 * MB),
              "a trim did not help: it was none of the free blocks");
}

Test(slack, the_least_since_the_trim_is_what_it_grows_from)
{
    struct slack slack = {0};
    cr_assert(!slack_is_much(&slack, 200 * MB, 90 * MB, 60 * MB));
    cr_assert(!slack_is_much(&slack, 120 * MB, 90 * MB, 60 * MB));
    cr_assert(slack_is_much(&slack, 190 * MB, 90 * MB, 60 * MB));
}
