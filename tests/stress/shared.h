/* SPDX-License-Identifier: Apache-2.0
 * shared.h - the world of tests/sim for many threads: every call of a port takes one mutex, and a thread of its own lets appends land.
 *
 * Time:    the world's clock follows the real one from the start on
 * Memory:  records given by a port stay where they are until the world is freed: nothing here makes the world forget
 * Thread:  shared_over as host_join calls it, before shared_start; else any
 */
#pragma once

#include "sim/dice.h"
#include "sim/world.h"

struct shared;

/* Of up to `failures` in 10,000 appends of a worker the producer fails, and the append is in the log or not. */
struct shared *shared_new(struct world *world, int64_t start_ms, uint64_t seed, uint32_t failures);
void shared_free(struct shared *shared);

/* The port of a process, for host_options.over with the shared world as context; its last lane is the publisher's. */
const struct port *shared_over(void *shared, struct process *process);

/* The thread that delivers; shared_stop ends it. */
void shared_start(struct shared *shared);
void shared_stop(struct shared *shared);

/* Around what is done with the world and its processes by other calls than those of a port. Every lane is woken at the end. */
void shared_lock(struct shared *shared);
void shared_unlock(struct shared *shared);

/* Appends of all processes that have not landed yet.                             Thread: inside shared_lock */
size_t shared_queued(const struct shared *shared);

/* How many appends of workers failed.                                            Thread: after shared_stop */
int64_t shared_failures(const struct shared *shared);
