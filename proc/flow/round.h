/* SPDX-License-Identifier: Apache-2.0
 * round.h - one publication: what was marked when it began becomes records, and it ends when all of them are acknowledged.
 *
 * In:      marked cells, registry entries without a cell     Out: records of topic.statistics
 * Pace:    a round each publish_interval_ms; while behind each ten seconds, and publish_max_keys_per_s in it
 * Thread:  publisher
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct publisher;

/* Begins a round if it is time, and takes it further. True if it did something. Only behind the open gate. */
bool round_step(struct publisher *publisher, int64_t now_ms);

/* Writes one record; the ack is one more to wait for. */
enum err round_append(struct publisher *publisher, int32_t partition, struct text key, struct bytes value,
                      uint64_t as_of, struct err_info *info) MUST_USE;
