/* SPDX-License-Identifier: Apache-2.0
 * watchdog.h - finds threads that make no step though they should: each counts its steps, one looks at the counts.
 *
 * In:      the count of steps of each watched thread       Out: how long a count has stood still
 * Units:   ms of a clock that never goes back
 * Thread:  watchdog_look: one looker; watchdog_age_ms, watchdog_stuck: any
 */
#pragma once

#include "base/counter.h"

#include <stdbool.h>

/* Longer than any call may block (10 s, and two of them in one step), shorter than people wait. */
enum { WATCHDOG_STUCK_MS = 30000, WATCHDOG_NONE = -1 };

struct watchdog;

struct watchdog *watchdog_new(int32_t count);
void watchdog_free(struct watchdog *watchdog);

/* Takes the count of thread `index`. True, once each time: it became stuck with this look. */
bool watchdog_look(struct watchdog *watchdog, int32_t index, int64_t steps, int64_t now_ms);

/* How long its count had stood still when it was looked at last. */
int64_t watchdog_age_ms(const struct watchdog *watchdog, int32_t index);

/* The first thread that is stuck, WATCHDOG_NONE if none is. */
int32_t watchdog_stuck(const struct watchdog *watchdog);
