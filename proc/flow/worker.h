/* SPDX-License-Identifier: Apache-2.0
 * worker.h - a lane of partitions: takes commands, echoes and acks to them and steps each in turn.
 *
 * In:      commands of main, echoes of the publisher (each through a ring of its own), acks of the lane
 * Out:     releases, and rules that are used no more, to main (a ring each)
 * Memory:  owns its partitions, batch and rings
 * Thread:  worker_step: worker; worker_command, worker_released, worker_reload, worker_reloaded: main; worker_echo: publisher
 */
#pragma once

#include "flow/partition.h"

struct worker_options {
    const struct port *port;
    int32_t lane;
    int32_t partitions;                /* of the input topic */
    struct partition_status *statuses; /* one a partition, shared with the reader of /status */
    const struct view_plan *plan;
    const struct ruleset *ruleset; /* to begin with */
    const char *units;             /* reporter and currency, "CN CNY"; NULL: not checked */
    const char *topic;
    int64_t frame_interval_ms;
    int64_t idle_ms;        /* without input until a partition says so; 0 = never */
    int64_t snapshot_bytes; /* of groups that begin a snapshot cycle; 0: as many as the last cycle has */
    int32_t rejects_days;   /* as long as topic.rejects keeps a record; 0: REJECT_LIST_DAYS */
    bool rejects_payload;
    int32_t horizon_months; /* as in struct partition_context; the two that follow too */
    int32_t final_months;
    const struct counter *ledger_share;
    struct batch_options batch;
    int64_t (*stopwatch_ns)(
        void); /* a steady clock for sampled durations, which decide nothing; NULL: none are taken */
    uint64_t (*random)(void *random_context);
    void *random_context;
};

enum worker_order { WORKER_ASSIGN, WORKER_RELEASE, WORKER_LOST, WORKER_RELOAD };

struct worker;

struct worker *worker_new(const struct worker_options *options);
void worker_free(struct worker *worker);

/* False: the ring is full, try again.                                            Thread: main */
bool worker_command(struct worker *worker, enum worker_order order, int32_t partition);

/* A partition that is let go of. */
struct worker_release {
    int32_t partition;
    /* Its state is kept for the next WORKER_ASSIGN, and lives as long as its echoes come; else it is dropped. */
    bool is_warm;
};

/* The next partition that was released after WORKER_RELEASE, and once more when its warm state was dropped since. False: none.
 *                                                                                Thread: main */
bool worker_released(struct worker *worker, struct worker_release *out);

/* Partitions take other rules, each where its next group begins. Shares them. False: as above.    Thread: main */
bool worker_reload(struct worker *worker, const struct ruleset *ruleset);

/* The serial of the rules that all partitions have taken since the last call: older ones are used no more. False: none.
 *                                                                                Thread: main */
bool worker_reloaded(struct worker *worker, uint64_t *out_serial);

/* False: the ring is full, try again.                                            Thread: publisher */
bool worker_echo(struct worker *worker, const struct echo *echo);

/* Does what there is to do now; true if it did something.                        Thread: worker */
bool worker_step(struct worker *worker);

/* How long the thread may wait if nothing arrives.                               Thread: worker */
int64_t worker_patience_ms(const struct worker *worker);

/* Rises with each look at a partition: a worker at which it stands still for long is stuck.   Thread: any */
int64_t worker_beats(const struct worker *worker);

const struct worker_counters *worker_counters(const struct worker *worker);
