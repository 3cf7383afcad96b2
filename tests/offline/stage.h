/* SPDX-License-Identifier: Apache-2.0
 * stage.h - one processor in memory, set up from the configuration as `dryport run` is: its world, its lives, its clock.
 *
 * In:      records, steps of the clock, starts and deaths      Out: the logs of the world
 * Time:    the world's clock is that of the brokers and of the machine's wall; the process sees it through base/clock, so that it
 *          never goes back while the process lives
 * Memory:  the assembly must outlive the stage; the stage owns world and process
 * Errors:  ERR_BROKEN: a partition halted, or something never came to an end
 * Thread:  one thread in all
 */
#pragma once

#include "base/clock.h"
#include "cmd/assemble.h"
#include "flow/state.h"
#include "sim/host.h"

enum { STAGE_PARTITIONS_MOST = 1024, STAGE_RELOADS_MOST = 16 };

/* Lists that took the place of those before. */
struct stage_lists {
    struct reference *reference;
    struct rules *rules;
    struct ruleset ruleset;
};

struct stage {
    const struct assembly *assembly;
    int32_t partitions;
    int64_t seed;           /* of nonces and back-offs */
    int64_t snapshot_bytes; /* as in worker_options */
    struct world *world;
    struct host *host;                              /* NULL: no process lives */
    uint64_t lives;                                 /* ever begun */
    bool is_away[STAGE_PARTITIONS_MOST];            /* by partition: no owner has it now */
    struct clock_forward forward;                   /* of the process that lives */
    struct stage_lists reloads[STAGE_RELOADS_MOST]; /* the last one is in force */
    int reload_count;
    int64_t set_ms; /* by how much the wall clock was set; what is left of it is the steady clock */
};

/* An empty world at now_ms; no process lives. */
void stage_open(struct stage *stage, const struct assembly *assembly, int32_t partitions, int64_t now_ms);
/* Takes one that was never opened, zeroed. */
void stage_close(struct stage *stage);

/* A process begins, and owns all partitions but those that are away. */
void stage_start(struct stage *stage);

/* It ends at once: nothing is sealed, what it had in flight is gone. Takes a stage without one. */
void stage_kill(struct stage *stage);

/* As `dryport load` would send it, to a partition of the caller's choice. */
void stage_put(struct stage *stage, int32_t partition, struct bytes key, struct bytes value, int64_t timestamp_ms);

/* The partition that murmur2 gives an id. */
int32_t stage_partition(const struct stage *stage, struct text id);

/* A partition loses its owner, or gets one. Both at once: what the owner had in flight may be lost. */
void stage_take_away(struct stage *stage, int32_t partition);
void stage_give_back(struct stage *stage, int32_t partition);

/* The process goes on until it has nothing to do at this moment, or `most` appends have landed. Returns how many did. */
size_t stage_step(struct stage *stage, size_t most);

/* Time passes, a little, until all input of the partitions that have an owner is counted, echoed and published. */
enum err stage_settle(struct stage *stage, struct err_info *info) MUST_USE;

/* Time passes until now_ms, in pieces of a second or, of a long time, a thousandth. A time that is over is no error. */
void stage_pass(struct stage *stage, int64_t now_ms);

/* Someone sets the wall clock, forth or back. */
void stage_set_clock(struct stage *stage, int64_t by_ms);

/* Lists of a folder, and of reference.dir where it lacks one, take the place of those in force, as after a SIGHUP. ERR_CONFIG: they are refused,
 * and nothing changes. */
enum err stage_reload(struct stage *stage, const char *folder, struct err_info *info) MUST_USE;

/* What the journal of a partition folds to: a process that is killed takes its counters with it. Give *out to state_fini in either
 * case. */
enum err stage_fold(const struct stage *stage, int32_t partition, struct state *out, struct err_info *info) MUST_USE;
