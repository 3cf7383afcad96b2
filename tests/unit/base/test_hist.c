/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hist.h"

#include <criterion/criterion.h>
#include <math.h>

Test(hist, clock_that_went_backwards_counts_as_zero)
{
    struct hist hist = {0};
    struct hist_view view;

    hist_record(&hist, -5.0);
    hist_record(&hist, (double)NAN);
    hist_record(&hist, -(double)INFINITY);
    hist_read(&hist, &view);

    cr_assert_eq(view.count, 3);
    cr_assert_eq(view.bucket[0], 3);
    cr_assert_float_eq(view.sum_seconds, 0.0, 1e-12);
}

Test(hist, endless_duration_is_counted_above_the_last_bound)
{
    struct hist hist = {0};
    struct hist_view view;

    hist_record(&hist, (double)INFINITY);
    hist_record(&hist, 1e300);
    hist_read(&hist, &view);

    cr_assert_eq(view.count, 2);
    cr_assert_eq(view.bucket[HIST_BUCKETS], 2);
    cr_assert(isfinite(view.sum_seconds));
}

Test(hist, empty_histogram_reads_as_zeros)
{
    struct hist hist = {0};
    struct hist_view view;

    hist_read(&hist, &view);

    cr_assert_eq(view.count, 0);
    cr_assert_float_eq(view.sum_seconds, 0.0, 1e-12);
    for (int i = 0; i <= HIST_BUCKETS; i++)
        cr_assert_eq(view.bucket[i], 0);
}

Test(hist, bounds_double_and_the_last_is_infinite)
{
    cr_assert_float_eq(hist_bound(0), 0.0005, 1e-12);
    for (int i = 1; i < HIST_BUCKETS; i++)
        cr_assert_float_eq(hist_bound(i), 2 * hist_bound(i - 1), 1e-12);
    cr_assert_float_eq(hist_bound(HIST_BUCKETS - 1), 131.072, 1e-9);
    cr_assert(isinf(hist_bound(HIST_BUCKETS)));
}

Test(hist, bound_belongs_to_its_bucket_and_what_is_above_to_the_next)
{
    for (int i = 0; i < HIST_BUCKETS; i++) {
        struct hist hist = {0};
        struct hist_view view;

        hist_record(&hist, hist_bound(i));
        hist_record(&hist, hist_bound(i) * 1.0001);
        hist_read(&hist, &view);

        cr_assert_eq(view.bucket[i], 1, "bucket %d", i);
        cr_assert_eq(view.bucket[i + 1], 1, "bucket %d", i);
    }
}

Test(hist, sum_is_exact_to_the_microsecond)
{
    struct hist hist = {0};
    struct hist_view view;

    for (int i = 0; i < 1000; i++)
        hist_record(&hist, 0.000001 * i);
    hist_read(&hist, &view);

    cr_assert_float_eq(view.sum_seconds, 0.4995, 1e-9);
    cr_assert_eq(view.count, 1000);
}

Test(counter, adds_sets_and_reads_also_below_zero)
{
    struct counter counter = {0};

    counter_add(&counter, 5);
    counter_add(&counter, -7);
    cr_assert_eq(counter_read(&counter), -2);
    counter_set(&counter, INT64_MAX);
    cr_assert_eq(counter_read(&counter), INT64_MAX);
}
