/* SPDX-License-Identifier: Apache-2.0
 * host.h - one process of the shipped engine in memory: workers and the publisher, stepped by the caller.
 *
 * Alone it owns all partitions. As a member of a group (host_join) it owns what its port assigns, through the same roster as proc/engine.c, which has threads.
 * Thread:  one thread in all; with `over`, as in proc/engine.c: host_step_main and host_lead one, each worker and the publisher one. The
 *          clock is the world's
 */
#pragma once

#include "flow/publisher.h"
#include "flow/worker.h"
#include "sim/world.h"

enum { HOST_WORKER_LANE = 0, HOST_PUBLISHER_LANE = 1, HOST_WORKERS_MOST = 2 };

struct host_options {
    const struct rules *rules;
    const struct reference *reference;
    const struct view_plan *plan;
    uint64_t plan_id;
    int64_t frame_interval_ms;
    int64_t idle_ms;
    int64_t snapshot_bytes; /* as in worker_options */
    enum batch_key_check key_check;
    int32_t partitions;
    int32_t statistics_partitions;
    uint64_t seed;
    const char *reporter;
    const char *currency;
    /* as in publisher_options */
    int64_t event_bound_ms;
    const struct zone *zone;
    int32_t provisional_days;
    int32_t final_months;
    int32_t horizon_months; /* as in worker_options */
    /* Gives the port that the threads use in place of the process's own, which it may call; NULL: they use that one. */
    const struct port *(*over)(void *over_context, struct process *process);
    void *over_context;
};

struct host;

/* Starts a process of one worker and assigns it all partitions. */
struct host *host_new(struct world *world, const struct host_options *options);

/* Starts a process of `workers` workers that owns nothing yet; lanes 0 to workers - 1 are theirs, the next the publisher's. */
struct host *host_join(struct world *world, const struct host_options *options, int32_t workers);
int32_t host_workers(const struct host *host);

/* Steps of one thread each; nothing is delivered. True if something was done. Main gives what its port says of the group to workers and
 * publisher, and commits. */
bool host_step_main(struct host *host);
bool host_step_worker(struct host *host, int32_t worker);
bool host_step_publisher(struct host *host);

/* What the thread of a worker, or with number host_workers() that of the publisher, does when its step did nothing: it waits. */
void host_rest(struct host *host, int32_t thread);

/* The lease of the publisher is this process's, or no more. */
void host_lead(struct host *host, bool leads);

/* Main has other rules for all; and the smallest serial of what its threads use still. Shares them. */
void host_reload(struct host *host, const struct ruleset *ruleset);
uint64_t host_reloaded(struct host *host);

/* The worker that owns a partition, -1 if none of this process does. */
int32_t host_owner(const struct host *host, int32_t partition);
struct publisher *host_publisher(const struct host *host);
const struct worker_counters *host_worker_counters(const struct host *host, int32_t worker);

/* Ends it at once: nothing is sealed, what stands in its lanes is gone. Takes NULL. */
void host_kill(struct host *host);

/* One step of worker and publisher; nothing is delivered. True if something was done. */
bool host_step(struct host *host);

/* Delivers what stands in both lanes, at most `most` appends. Returns how many. */
size_t host_deliver(struct host *host, size_t most);

/* Steps, delivers and lets time pass until all input is counted, echoed and published. False: not within `seconds` of virtual time. */
bool host_settle(struct host *host, int64_t seconds);

/* Appends delivered since host_new. */
size_t host_delivered(const struct host *host);

struct process *host_process(struct host *host);
const struct partition_status *host_status(const struct host *host, int32_t partition);
const struct worker_counters *host_counters(const struct host *host);
const struct publisher_counters *host_published(const struct host *host);

/* What a consumer of topic.statistics holds that follows the rule (upsert by key, ignore an as_of that is not larger, ignore keys
 * that begin with #): a line a record, sorted by key, without as_of, times, state and share; records with no items are left out.
 * Checks that as_of never falls for a key (within a partition every change has a larger one). */
void host_dump_statistics(struct world *world, int32_t partitions, struct buffer *out);
