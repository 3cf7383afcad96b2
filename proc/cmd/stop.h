/* SPDX-License-Identifier: Apache-2.0
 * stop.h - SIGINT and SIGTERM, and SIGHUP, as a question that a loop asks: no handler runs, so nothing is interrupted in the middle.
 *
 * Thread:  main, before other threads begin (they inherit the blocked signals)
 */
#pragma once

#include <stdbool.h>

/* From now on the two signals wait to be asked for; SIGPIPE is ignored. */
void stop_install(void);

/* Has one of them come? Costs a system call: ask every few hundred records. Stays true. */
bool stop_requested(void);

/* From now on SIGHUP waits to be asked for, too; it ends a process that did not say so. */
void stop_hold_hangup(void);

/* Has a SIGHUP come since the last call? */
bool stop_hangup_came(void);

enum { STOP_SECONDS_MOST = 20 };

/* A stop has begun: the next signal, or STOP_SECONDS_MOST, ends the process at once with code 0. What is not journalled then
 * is counted again by the next process, so nothing is lost. Thread: the one that called stop_install */
void stop_at_next(void);
