/* SPDX-License-Identifier: Apache-2.0
 * clock.h - the two clocks of the machine. Only kafka/, ops/ and cmd/ may read them: flow/ asks its port.
 *
 * Units:   ms since epoch UTC; ns since an unspecified start
 * Thread:  any
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_steady_ns(void);

/* The wall clock, but it never goes back: where that was set back, time goes on from where it was at the pace of the steady clock, until
 * the wall clock has caught up. For intervals and stamps alike; one for the process.                          Thread: any */
int64_t clock_forward_ms(void);

/* What it is made of, for tests. */
struct clock_forward {
    _Atomic int64_t lead_ms; /* wall minus steady, the largest ever seen; INT64_MIN at first */
};

int64_t clock_forward_take(struct clock_forward *clock, int64_t wall_ms, int64_t steady_ms);
