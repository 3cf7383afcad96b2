/* SPDX-License-Identifier: Apache-2.0
 * rolling.h - the newest day and the newest hour, on which rolling windows end, and what follows when one is another: their records, and
 * those of hours that are not kept any more, are compared again.
 *
 * Newest:  the civil day of the watermark, in the reporter's zone. When every partition is idle there is no input that could tell the
 *          time: then it is that of the clock, if that is later. So in a replay windows follow the events, and one that nothing falls
 *          into any more is emptied though no declaration comes. The newest hour likewise. Which hours are kept, the watermark alone says.
 * After a start it is no earlier than what the topic tells, as far as the clock or the journals bear that out.
 * Pace:    it turns where a round begins; ROLLING_STEP figures a step are looked at
 * Thread:  publisher
 * Why:     docs/adr/0044-rolling-windows.md
 */
#pragma once

#include "base/span.h"

struct publisher;
struct statistic_time;

/* The end of the period of a record of topic.statistics: that of a rolling one is told. */
void rolling_see(struct publisher *publisher, struct text key, const struct statistic_time *time);

/* The newest day or hour is another than that of the last round, or not all are marked yet. */
bool rolling_is_due(const struct publisher *publisher);

/* Takes the newest day and hour for the round that begins. */
void rolling_turn(struct publisher *publisher);

/* Marks some more. True if there was something to look at. */
bool rolling_step(struct publisher *publisher);
