/* SPDX-License-Identifier: Apache-2.0
 * reading.h - a port that only reads: what commands need that look at topics beside live processes.
 *
 * In:      the configuration                            Out:    flow/port.h with now_ms, partitions, bounds, streams, release, wait
 * Input is read as the processor reads it (committed records, check sums), the other topics with all that is in them.
 * Memory:  owns its handles; options must outlive it
 * Errors:  ERR_CONFIG, ERR_PEER within --timeout; a stream that can't be opened gives ERR_PEER at the next walk
 * Thread:  main
 */
#pragma once

#include "cmd/options.h"
#include "flow/port.h"

struct reading;

/* Connects and asks which topics there are; one that is missing has 0 partitions. Gives *out. */
enum err reading_open(const struct options *options, struct reading **out, struct err_info *info) MUST_USE;
/* Takes NULL. All streams are closed before. */
void reading_close(struct reading *reading);

/* Good until reading_close. Its other calls are NULL. */
const struct port *reading_port(const struct reading *reading);

/* The name of a topic in the configuration. */
const char *reading_topic(const struct config *config, enum port_topic topic);

/* ERR_CONFIG with the mend if the topic has no partitions. */
enum err reading_must_exist(const struct reading *reading, enum port_topic topic, struct err_info *info) MUST_USE;
