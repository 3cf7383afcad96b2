/* SPDX-License-Identifier: Apache-2.0
 * progress.h - one line on the terminal that says how far a long reading or writing is; nothing where stderr is no
 * terminal.
 *
 * Thread:  main
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *label; /* a file name, borrowed */
    bool is_on;
    bool is_shown;
    int64_t begun_ns;
    int64_t shown_ns;
};

struct progress progress_begin(const char *label);

/* Draws at most ten times a second. total 0 = unknown. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total, uint64_t records);

/* Wipes the line, so that the next message begins at its start. */
void progress_end(struct progress *progress);
