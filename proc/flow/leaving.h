/* SPDX-License-Identifier: Apache-2.0
 * leaving.h - hours that are not kept any more leave the publisher's memory: their cells, what derives from them, and what is known of
 * their keys in topic.statistics.
 *
 * Who:     cells and figures of hours that had ended when the last day of the watermark was another, and of which the topic has no record,
 *          or a tombstone that was read back: all that is known of them then is what who starts now would find
 * When:    a day of the watermark later than they ended, and when they are a thirty-second of all. That is one pass over all cells, during which the
 *          publisher does nothing else (docs/adr/0086-hours-leave-memory.md has the times)
 * After:   what comes for them is left out of the cube (cube_leave_out); a late record of such a key is one of a key that no cell has
 * Thread:  publisher
 * Why:     docs/adr/0086-hours-leave-memory.md
 */
#pragma once

struct publisher;

/* Hours are about to end: lets go those that had ended before. No round runs. */
void leaving_turn(struct publisher *publisher);

/* While journals are folded: what has ended by all that they have said so far need not be added up. */
void leaving_fold(struct publisher *publisher);
