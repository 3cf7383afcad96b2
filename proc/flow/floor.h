/* SPDX-License-Identifier: Apache-2.0
 * floor.h - the month below which declarations have expired: how it follows the events, how want of memory raises it.
 *
 * The floor is a month (calendar.h). It follows the largest event time of what was counted, record by record, at the distance of the
 * horizon; and it is raised when the ledgers of a process have more bytes than they may, never above the first month that is not FINAL. It never
 * falls: every group says where it stands behind it.
 * Errors:  a partition that has nothing to give up, and still has more than its share of too much, is halted
 * Thread:  one owner (a worker), but for floor_horizon_months
 * Why:     docs/adr/0009-floor-and-operator.md, 0027-floor-in-the-ledger.md
 */
#pragma once

#include "flow/partition.h"

/* A horizon in months that keeps what lies within so many days, wherever they begin. 0 for 0: without a horizon. */
int32_t floor_horizon_months(int64_t days);

/* The floor behind a record that moved the largest event time of the state. */
void floor_follow(struct state *state, int32_t horizon_months);

/* Gives back what has expired, and raises the floor if the ledgers have too much: at most a little a call. The partition is RUNNING and its
 * outbox has room. True if it did something; it may be HALTED then. */
bool floor_step(struct partition *partition, int64_t now_ms);
