/* SPDX-License-Identifier: Apache-2.0
 * report_read.h - topic.statistics, read once to the ends that it had at the start.
 *
 * Errors:  ERR_CONFIG if the topic is not there, ERR_PEER within --timeout
 * Thread:  main
 */
#pragma once

#include "cmd/options.h"
#include "query/records.h"

/* Gives the records of the topic to `records`; *out_undecodable of them were no statistics. Ends early, with OK, when the user
 * asks to stop. */
enum err report_read(const struct options *options, struct records *records, uint64_t *out_undecodable,
                     struct err_info *info) MUST_USE;
