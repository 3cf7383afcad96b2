/* SPDX-License-Identifier: Apache-2.0
 * scenario.h - runs a scenario file: input, steps of the clock and of the process, and what must come of them.
 *
 * In:      NAME.scenario: tests/offline/README.md                  Out:    a line for each expectation that does not hold, on stderr
 * Thread:  one thread in all
 */
#pragma once

#include "cmd/options.h"

/* Lines of statistics are not printed; `dump` (may be NULL) gets those of the whole topic, `inputs` (may be NULL) place, time and id of
 * each record of the input, as JSON lines.
 * ERR_CONFIG: the file is not one; ERR_BROKEN: an expectation did not hold. */
enum err scenario_run(struct options *options, const char *path, const char *dump, const char *inputs,
                      struct err_info *info) MUST_USE;
