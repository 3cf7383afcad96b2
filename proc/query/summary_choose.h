/* SPDX-License-Identifier: Apache-2.0
 * summary_choose.h - what a request means on the records there are: columns, conditions, grain, groups, and what can be added up.
 *
 * In:      summary->records and summary->request       Out: its fields under "chosen"
 * Errors:  ERR_CONFIG with the dimensions, views or the setting that would help
 * Thread:  main, query: one owner
 */
#pragma once

#include "query/summary.h"

enum err summary_choose(struct summary *summary, struct err_info *info) MUST_USE;
