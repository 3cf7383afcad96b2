/* SPDX-License-Identifier: Apache-2.0
 * load_history.h - `dryport load --statistics FILE`: closed cells of earlier years into topic.statistics, beside what declarations say.
 *
 * Order:   the whole file is judged, then topic.statistics is read, and only then anything is written
 * Refuses: months that have declarations, unless the row stands in the topic already
 * Errors:  printed; the exit code of contract.md section 1
 * Thread:  main
 */
#pragma once

#include "cmd/options.h"

int load_history(const struct options *options, const char *path);
