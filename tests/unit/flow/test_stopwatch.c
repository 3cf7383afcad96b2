/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/stopwatch.h"

#include <criterion/criterion.h>

static int64_t clock_ns = 1000000;
static int clock_reads;

static int64_t read_clock(void)
{
    clock_reads++;
    return clock_ns;
}

static struct hist stages[STOPWATCH_STAGES];

static struct hist_view view_of(enum stopwatch_stage stage)
{
    struct hist_view view;
    hist_read(&stages[stage], &view);
    return view;
}

Test(stopwatch, one_batch_in_many_is_measured_stage_by_stage)
{
    struct stopwatch watch = {.now_ns = read_clock, .stages = stages};

    for (int batch = 0; batch < 2 * STOPWATCH_EACH; batch++) {
        stopwatch_begin(&watch);
        clock_ns += 3000;
        stopwatch_mark(&watch, STOPWATCH_DECODE);
        clock_ns += 40000;
        stopwatch_mark(&watch, STOPWATCH_JUDGE);
    }

    cr_assert_eq(view_of(STOPWATCH_DECODE).count, 2);
    cr_assert_eq(view_of(STOPWATCH_JUDGE).count, 2);
    cr_assert_eq(view_of(STOPWATCH_SETTLE).count, 0);
    cr_assert_float_eq(view_of(STOPWATCH_DECODE).sum_seconds, 0.006, 1e-9, "two times 3 us, in ms");
    cr_assert_float_eq(view_of(STOPWATCH_JUDGE).sum_seconds, 0.080, 1e-9);
    cr_assert_eq(clock_reads, 6, "the clock is read for the batches that are measured only");
}

Test(stopwatch, what_is_rare_is_measured_each_time)
{
    struct stopwatch watch = {.now_ns = read_clock, .stages = stages};

    for (int group = 0; group < 5; group++) {
        stopwatch_begin_each(&watch);
        clock_ns += 2000000;
        stopwatch_mark(&watch, STOPWATCH_SEAL);
    }

    cr_assert_eq(view_of(STOPWATCH_SEAL).count, 5);
    cr_assert_float_eq(view_of(STOPWATCH_SEAL).sum_seconds, 10.0, 1e-9);
}

Test(stopwatch, without_a_clock_nothing_is_measured)
{
    struct stopwatch watch = {.stages = stages};

    stopwatch_begin(&watch);
    stopwatch_mark(&watch, STOPWATCH_DECODE);
    stopwatch_begin_each(&watch);
    stopwatch_mark(&watch, STOPWATCH_SEAL);

    cr_assert_eq(view_of(STOPWATCH_DECODE).count, 0);
    cr_assert_eq(view_of(STOPWATCH_SEAL).count, 0);
}

Test(stopwatch, every_stage_has_a_name_of_its_own)
{
    for (int a = 0; a < STOPWATCH_STAGES; a++) {
        for (int b = 0; b < a; b++)
            cr_assert_str_neq(stopwatch_stage_name((enum stopwatch_stage)a),
                              stopwatch_stage_name((enum stopwatch_stage)b));
    }
}
