/* SPDX-License-Identifier: Apache-2.0
 * closing.h - the publisher's watermark, and what follows when it passes the close of a month: its records are compared again.
 *
 * Watermark: the least over partitions that are not idle of (largest event time - bound), never smaller than before, nor than the largest
 *            that a record of topic.statistics has, as far as the journals hold events up to there
 * Pace:    CLOSING_STEP cells a step are looked at; those whose month has another state now are marked, and go out with publish_max_keys_per_s
 * Thread:  publisher
 * Why:     docs/adr/0029-month-states.md
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct publisher;

/* Takes the watermark as far as the journals allow. All of them are folded. */
void closing_advance(struct publisher *publisher);

/* A record of topic.statistics says that its publisher's watermark was there. */
void closing_see(struct publisher *publisher, int64_t watermark_ms);

/* Looks at some more cells and keys without a cell. True if there was something to look at. */
bool closing_step(struct publisher *publisher);

/* All were looked at. */
bool closing_is_done(const struct publisher *publisher);
