/* SPDX-License-Identifier: Apache-2.0
 * roster.h - which worker of a process has which partition, which one keeps its state warm, and who hears the echoes.
 *
 *   main: changes of the group -> commands to workers; what workers let go -> the group; both -> orders to the publisher
 *   publisher: orders -> which journals are read; echoes -> the worker whose partition it is
 *
 * A partition goes to the worker with the fewest, but back to the one that may not be done with it: what a worker is told of a partition
 * comes in order, and two workers would write the same status.
 * In:      changes of membership, releases of the workers, echoes, other rules        Out: commands, orders, releases and commits for the port
 * Limits:  orders_most orders that the publisher has not taken yet
 * Memory:  owns its tables and the ring of orders; borrows port, workers and statuses, which must outlive it
 * Thread:  see each function; main writes, any thread asks who owns what
 * Why:     docs/adr/0005-kafka-port.md; docs/ARCHITECTURE.md, "Several processes"
 */
#pragma once

#include "flow/publisher.h"
#include "flow/worker.h"

enum { ROSTER_NOBODY = -1, ROSTER_COMMIT_MS = 1000 };

struct roster_options {
    const struct port *port;
    struct worker *const *workers; /* worker i has lane i; copied */
    int32_t worker_count;          /* 0: a process that only publishes */
    int32_t partitions;
    const struct partition_status *statuses;
    uint64_t serial;              /* of the rules that all begin with */
    size_t orders_most;           /* more than two for each partition, as often as a slow publisher may hear of it */
    void (*pause)(void *context); /* called while a worker's ring of commands is full: waits a little */
    void *context;
};

struct roster;

struct roster *roster_new(const struct roster_options *options);
void roster_free(struct roster *roster); /* takes NULL */

/* A change that the group made. True if the partition came, or begins to go: not if it is told again, nor if it was not here.
 *                                                                                Thread: main */
bool roster_take(struct roster *roster, const struct port_membership *change);

/* Gives back to the group what workers have let go of. True if one did.          Thread: main */
bool roster_take_released(struct roster *roster);

/* Asks all partitions back; roster_take_released takes what is let go.           Thread: main */
void roster_release_all(struct roster *roster);

/* Commits positions that moved, at most each ROSTER_COMMIT_MS.                   Thread: main */
void roster_commit(struct roster *roster, int64_t now_ms);

/* The publisher leads or no longer; it has input to catch up with or no longer.  Thread: main */
void roster_lead(struct roster *roster, bool on);
void roster_backlog(struct roster *roster, bool on);

/* The worker that has a partition, ROSTER_NOBODY if it is not here; how many are here.       Thread: any */
int32_t roster_owner(const struct roster *roster, int32_t partition);
int32_t roster_count(const struct roster *roster);

/* Workers and publisher take other rules, each where it may (worker.h). Shares them until roster_reloaded says otherwise.
 *                                                                                Thread: main */
void roster_reload(struct roster *roster, const struct ruleset *ruleset);

/* Rules with a smaller serial than this are used by no thread any more.          Thread: main */
uint64_t roster_reloaded(struct roster *roster);

/* Gives the publisher what main ordered.                                         Thread: publisher */
void roster_take_orders(struct roster *roster, struct publisher *publisher);

/* Gives an echo to the worker whose partition it is: for publisher_options.echo, with the roster as context. False: its ring is full.
 *                                                                                Thread: publisher */
bool roster_echo(void *roster, const struct echo *echo);

/* Wakes the workers that got echoes since.                                       Thread: publisher */
void roster_wake(struct roster *roster);
