/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/stopwatch.h"

static const double NS_PER_MS = 1e6;

const char *stopwatch_stage_name(enum stopwatch_stage stage)
{
    static const char *const names[STOPWATCH_STAGES] = {"decode", "judge", "settle", "seal"};
    return names[stage];
}

void stopwatch_lap(struct stopwatch *watch, enum stopwatch_stage stage)
{
    int64_t now_ns = watch->now_ns();
    hist_record(&watch->stages[stage], (double)(now_ns - watch->since_ns) / NS_PER_MS);
    watch->since_ns = now_ns;
}
