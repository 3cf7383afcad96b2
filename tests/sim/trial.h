/* SPDX-License-Identifier: Apache-2.0
 * trial.h - one simulation: a world, a story, a cluster, what goes wrong, and the verdict. The same seed gives the same trace.
 *
 * Memory:  trial_run gives everything back
 * Thread:  one thread in all
 */
#pragma once

#include "sim/cluster.h"
#include "sim/consumer.h"
#include "sim/witness.h"

enum { CONSUMERS_MOST = 4, WHY_BYTES = 600 };

/* Shared by all trials; made once. */
struct scene {
    struct reference *references[RECOUNT_LISTS];
    struct zone *zone;
    struct rules *rules[RECOUNT_PLANS][RECOUNT_LISTS];
    struct view_plan plans[RECOUNT_PLANS];
};

struct trial {
    struct dice dice;
    const struct scene *scene;
    struct host_options options[RECOUNT_PLANS][RECOUNT_LISTS]; /* of processes with each plan and lists */
    struct world *world;
    struct story *story;
    struct cluster cluster;
    struct witness *witnesses[CLUSTER_PARTITIONS_MOST];
    struct consumer_months months;
    struct consumer *consumers[CONSUMERS_MOST];
    int32_t consumer_count;
    int32_t partitions;
    int32_t statistics_partitions;
    int64_t low[CLUSTER_PARTITIONS_MOST];      /* where the input began when the journal did */
    bool was_deleted[CLUSTER_PARTITIONS_MOST]; /* retention took counted input: the journal can't fall back below it */
    uint32_t steps;
    int64_t tick_ms;
    int32_t horizon_months; /* after which declarations expire, 0 = never */
    /* weather */
    uint64_t kinds;    /* bit by enum fault of weather.c */
    uint32_t strength; /* percent */
    int64_t away_until_ms;
    int64_t refusal_until_ms;
    uint64_t happened[HAPPENINGS];
    struct buffer why; /* empty: all is well */
};

struct trial_result {
    bool passed;
    char why[WHY_BYTES];
    uint64_t trace;
    int64_t records;
    uint64_t happened[HAPPENINGS];
    uint64_t branches[READER_BRANCHES];
};

/* Loads lists and rules from `reference_dir`; those in `other_dir` are in the place of theirs after a reload. */
enum err scene_load(const char *reference_dir, const char *other_dir, struct scene *out, struct err_info *info);
void scene_free(struct scene *scene);

/* `faults` false: nothing goes wrong. */
void trial_run(const struct scene *scene, uint64_t seed, bool faults, bool traced, struct trial_result *out);
