/* SPDX-License-Identifier: Apache-2.0
 * cluster.h - the processes of one simulation, the group that gives them partitions, and the lease of the publisher.
 *
 * Nothing happens by itself but cluster_tick: sessions of dead and paused members expire, what is free is given away, the dead start again.
 * Memory:  owns members; borrows world and options
 * Thread:  one thread in all
 */
#pragma once

#include "base/buffer.h"
#include "sim/dice.h"
#include "sim/host.h"
#include "sim/recount.h"
#include "sim/storm.h"

enum { CLUSTER_MEMBERS_MOST = 4, CLUSTER_PARTITIONS_MOST = 8, RULESETS_MOST = 4, NOBODY = -1 };

enum happening {
#define HAPPENING(ident, text) HAPPENED_##ident,
#include "sim/happenings.def"
#undef HAPPENING
    HAPPENINGS,
};

const char *happening_text(enum happening happening);

struct member {
    struct host *host; /* NULL: dead */
    bool is_paused;
    int64_t gone_ms;          /* since it is dead or paused */
    int64_t restart_ms;       /* when the dead one starts again */
    int64_t resume_ms;        /* when the paused one goes on */
    int64_t cut_off_until_ms; /* nothing of it lands before */
    int64_t mend_ms;          /* when its operator starts it again because something of it is halted; 0: nothing is */
    int64_t lost_ms[CLUSTER_PARTITIONS_MOST];      /* when it hears that a partition was taken from it; 0: never */
    int64_t journal_ends[CLUSTER_PARTITIONS_MOST]; /* when it started: it publishes nothing before it read so far */
    bool was_publishing;
    enum recount_plan plan;                 /* that it was started with */
    enum recount_lists lists;               /* that it was last told to take */
    int64_t reload_ms;                      /* when it takes those of the cluster */
    struct ruleset rulesets[RULESETS_MOST]; /* by serial; one is used again when no thread uses it any more */
    uint64_t serial;
    int64_t deploy_ms; /* when it is started again with another plan; 0: never */
    int64_t unlead_ms; /* when it hears that it has no lease; 0: never */
};

/* Who owns a partition as the group sees it. */
struct seat {
    int32_t owner;
    bool is_revoking;
    int64_t deadline_ms; /* of the release */
};

struct cluster {
    struct world *world;
    struct host_options (*options)[RECOUNT_LISTS]; /* by plan */
    enum recount_plan plan;                        /* of whoever starts from now on */
    enum recount_lists lists;                      /* the same */
    struct dice *dice;
    struct member members[CLUSTER_MEMBERS_MOST];
    int32_t member_count;
    int32_t workers; /* of each member */
    int32_t partitions;
    struct seat seats[CLUSTER_PARTITIONS_MOST];
    int32_t lease;           /* member that leads, NOBODY */
    int64_t vacant_until_ms; /* nobody gets the lease before */
    int64_t rival_ms;        /* how long the next lease is given to two members; 0: to one */
    int64_t session_ms;
    int64_t release_ms; /* a revoked partition is given away after so long, released or not */
    int64_t skew_ms;    /* clocks of processes stand up to so far from the world's */
    uint64_t lives;
    bool is_calm; /* no more faults: halted and dead members start again at once */
    bool is_traced;
    uint64_t *happened;  /* by enum happening */
    struct buffer wrong; /* a member did what it must not; empty: none did */
};

void cluster_init(struct cluster *cluster);
void cluster_fini(struct cluster *cluster);

void cluster_note(struct cluster *cluster, enum happening happening, int32_t member, int32_t partition);

void cluster_kill(struct cluster *cluster, int32_t member, int64_t restart_after_ms);
void cluster_pause(struct cluster *cluster, int32_t member, int64_t ms);
void cluster_resume(struct cluster *cluster, int32_t member);
bool cluster_is_running(const struct cluster *cluster, int32_t member);

/* Asks the owner to let go, so that the partition can be given to another (or to the same). */
void cluster_revoke(struct cluster *cluster, int32_t partition);
/* Gives it away though its owner works on; the owner hears of it after a while. */
void cluster_seize(struct cluster *cluster, int32_t partition, int64_t tell_after_ms);
void cluster_move_lease(struct cluster *cluster, int64_t tell_after_ms);

/* Another plan for all: who starts from now on has it, and one process after the other is started again within `most_ms`. */
void cluster_deploy(struct cluster *cluster, enum recount_plan plan, int64_t most_ms);

/* Other lists for all: who starts from now on has them, and one process after the other takes them within `most_ms`. */
void cluster_reload(struct cluster *cluster, enum recount_lists lists, int64_t most_ms);

/* Nobody leads for a while; then the lease is given to two members at once, one of which hears later that it is not its own. */
void cluster_rivals(struct cluster *cluster, int64_t vacant_ms, int64_t tell_after_ms);

/* The journal of a partition was cut at its end: readers hear of it. */
void cluster_truncated(struct cluster *cluster, int32_t partition, int64_t next);

/* What the group does as time passes. */
void cluster_tick(struct cluster *cluster);

/* One step of one thread of a running member. True if it did something. */
bool cluster_step(struct cluster *cluster, int32_t member, int32_t thread);
int32_t cluster_threads(const struct cluster *cluster);

/* Everything is owned, running, echoed up to the end of the input, published and landed; *why says what is not. */
bool cluster_is_settled(const struct cluster *cluster, struct buffer *why);
