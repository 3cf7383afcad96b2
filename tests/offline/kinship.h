/* SPDX-License-Identifier: Apache-2.0
 * kinship.h - whether views agree: what two of them have in common must add up to the same in both, to the milligram.
 *
 * In:      the journals of a world                         Out:    the first difference
 * Every pair of views is cut down to the dimensions that both have (commodity to the coarser digits, days to months where one has months, all time where one alone is by hour),
 * and the sums over what is left are compared: a child's sum over its own dimensions is its parent.
 * Thread:  one thread in all
 */
#pragma once

#include "offline/stage.h"

/* ERR_BROKEN with the two views and what differs. */
enum err kinship_check(const struct stage *stage, struct err_info *info) MUST_USE;
