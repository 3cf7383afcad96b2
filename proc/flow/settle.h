/* SPDX-License-Identifier: Apache-2.0
 * settle.h - the verdict of each judged declaration: ledger, contribution, tally, reject; into the group that is being
 * filled.
 *
 * In:      a batch that is decoded and judged          Out: state and open group of the partition, changed
 * Errors:  ERR_LIMIT when the dictionary is full: the partition halts, nothing of the batch's record is sealed
 * Thread:  one owner (a worker)
 */
#pragma once

#include "flow/partition.h"

enum err settle_batch(struct partition *partition, struct batch *batch, struct err_info *info) MUST_USE;

/* The number in a rule's code: 4 for STR-004. */
uint16_t settle_rule_number(enum rule rule);
