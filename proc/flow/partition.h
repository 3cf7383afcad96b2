/* SPDX-License-Identifier: Apache-2.0
 * partition.h - the writer's life of one input partition: claim, restore, work, seal, echo, release (design.md section
 * 3).
 *
 *   FREE -> OPENING -> RESTORING -> RUNNING -> DRAINING -> FREE      BACKOFF and HALTED on the side
 *
 * A partition that was let go with nothing unsealed and nothing un-echoed stays warm: FREE, with its state. It goes on taking
 * echoes; the first that another writer may stand behind drops the state. Assigned again, it needs only its OPEN's echo.
 *
 * In:      records of the partition, acks of its lane, echoes of its journal        Out: journal frames, rejects
 * Memory:  owns the state (ledger, dictionary, tally) and the outbox of groups that are not echoed
 * Errors:  HALTED keeps the reason with its mend; the other partitions go on
 * Thread:  one owner (a worker); struct partition_status is read by any
 * Why:     docs/adr/0001-partition-journal.md; shared model journal_model.py, class Writer
 */
#pragma once

#include "base/counter.h"
#include "base/hist.h"
#include "flow/batch.h"
#include "flow/cell_order.h"
#include "flow/echo.h"
#include "flow/intake.h"
#include "flow/outbox.h"
#include "flow/recall.h"
#include "flow/ruleset.h"
#include "flow/snapshot.h"
#include "flow/state.h"
#include "flow/stopwatch.h"

#include <pthread.h>

enum {
    BEHIND_FACTOR = 4, /* frame intervals a group may last while more input waits: cells repeat less */
    SEAL_DECLARATIONS = 65536,
    SEAL_BYTES = 4 << 20,
    SEAL_CELLS = 1 << 19, /* keeps a group of many views within FRAMES_A_GROUP_MOST */
    ECHO_TIMEOUT_MS = 5000,
    DRAIN_TIMEOUT_MS = 5000,
    LEDGER_SECTION_BYTES = 800 << 10, /* a LEDGER section is closed beyond this */
};

enum partition_phase {
    PARTITION_FREE,
    PARTITION_OPENING,   /* OPEN is on its way */
    PARTITION_RESTORING, /* reading the journal through the own OPEN */
    PARTITION_RUNNING,
    PARTITION_DRAINING, /* to be released: last groups out, waiting for their echo */
    PARTITION_BACKOFF,  /* state dropped; claims again soon */
    PARTITION_HALTED,
    PARTITION_PHASES,
};

const char *partition_phase_name(enum partition_phase phase);

/* Why a partition is claimed with an OPEN. */
enum partition_claim {
    PARTITION_CLAIM_COLD,     /* assigned: state from the journal */
    PARTITION_CLAIM_WARM,     /* assigned again, the state is still here */
    PARTITION_CLAIM_PRODUCER, /* the producer failed */
    PARTITION_CLAIM_DROPPED,  /* the state was dropped: after a pause, or another writer's OPEN came between */
    PARTITION_CLAIMS,
};

const char *partition_claim_name(enum partition_claim claim);

/* What other threads see; written by the owner. */
struct partition_status {
    struct counter phase;
    struct counter position;                 /* input accepted and echoed: [0, position) */
    struct counter epochs[PARTITION_CLAIMS]; /* OPENs since the start of the process, by why */
    struct counter fenced;
    struct counter event_ms; /* largest event time echoed, INT64_MIN if none */
    struct counter restore_done;
    struct counter restore_total;
    struct counter ledger_entries;
    struct counter ledger_bytes;
    struct counter floor_month;  /* of the ledger: 0 = 1970-01 */
    struct counter floor_raised; /* how often, for want of memory */
    struct counter unechoed_groups;
    struct counter is_idle; /* the last group that was echoed is an idle mark */
    struct counter plan_id; /* of the rules that its next group is judged by */
    struct counter guard;   /* enum guard: why it is halted, GUARD_NONE if it is not */
    pthread_mutex_t lock;   /* of the texts; taken for a copy, never with another lock */
    char reason[ERR_TEXT_BYTES];
    char trim_trouble[ERR_TEXT_BYTES]; /* why the journal is not trimmed and grows; empty if it is */
};

/* Counters of a worker; verdicts and rules move when their group is echoed. */
struct worker_counters {
    struct counter verdicts[VERDICTS];
    struct counter records;
    struct counter items;
    struct counter unknown_fields;
    struct counter bytes;
    struct counter rejects[RULE_NUMBERS];
    struct counter warnings[RULE_NUMBERS];
    struct counter frames[FRAME_MARK + 1];
    struct counter journal_bytes;
    struct counter offset_regressions;
    /* Partitions whose input was opened anew because nothing came though the log went on. */
    struct counter input_stalls;
    struct counter backpressure_ms;
    struct hist journal_ack;
    struct hist restore;
    struct hist stages[STOPWATCH_STAGES]; /* in milliseconds */
};

/* What all partitions of a worker share. */
struct partition_context {
    const struct port *port;
    int32_t lane;
    const struct view_plan *plan;
    const struct ruleset *ruleset; /* the newest: each partition takes it where its next group begins */
    struct text units;             /* reporter and currency, "CN CNY": a journal is not continued with others */
    struct text topic;             /* of the declarations, for rejects */
    int64_t frame_interval_ms;
    int64_t idle_ms;
    int64_t snapshot_bytes; /* of groups that begin a snapshot cycle; 0: as many as the last cycle has */
    int32_t rejects_days;   /* as long as topic.rejects keeps a record */
    bool rejects_payload;
    int32_t horizon_months; /* 0: nothing expires by its age */
    int32_t final_months;   /* after which a month is FINAL: the floor is not raised above it */
    /* What a ledger may have of memory, in bytes: one that has as much gives something up. 0, or NULL: it is not asked to. */
    const struct counter *ledger_share;
    uint64_t (*random)(void *random_context); /* nonces, seeds, back-off */
    void *random_context;
    struct batch *batch;
    struct worker_counters *counters;
    struct stopwatch stopwatch;
    struct contribution fresh;  /* scratch of settle */
    struct contribution stored; /* scratch of settle */
    struct buffer bytes;        /* scratch of settle */
};

/* The group that is being filled, and where its ledger entries may be cut into frames. */
struct open_group {
    struct group *group;
    struct reject_place *places;
    size_t place_count;
    size_t place_capacity;
    struct buffer ledger;
    size_t *cuts;
    size_t cut_count;
    size_t cut_capacity;
    size_t cut_last;
    struct cell_order order; /* of the cells, while they are sealed */
    uint32_t first_code;     /* of the dictionary that is not yet journalled */
    int64_t declarations;
    int64_t lo;
    int64_t begun_ms; /* when its first record was settled, 0 if there is none */
};

/* A frame of the journal, as it was read. */
struct journal_place {
    int64_t offset; /* -1: none */
    struct frame_nonce nonce;
    uint64_t seq;
};

struct partition {
    struct partition_context *context;
    struct partition_status *status;
    const struct ruleset *ruleset; /* what the open group is judged by */
    int32_t number;
    enum partition_phase phase;
    struct outbox_lane lane;     /* the epoch: its nonce, and the last seq */
    struct frame_nonce standing; /* of the own OPEN that the state stands on; zero without state */
    int64_t end_before_open;     /* of the journal; used by a mutant only */
    int64_t foreign_offset; /* newest frame of another epoch that counts, as far as echoes told since the claim; -1 */
    bool restamp;           /* OPENING keeps state and groups if nobody else wrote */
    int64_t open_offset;    /* of the own OPEN that the state stands on; echoes up to it are old */
    enum partition_claim claim; /* why the next OPEN is sent */
    bool open_sent;
    int64_t open_acked_ms; /* 0 = not yet */
    uint32_t epoch_serial; /* of the OPEN, in its token */
    int64_t since_ms;      /* when the phase began; of a halt by a corrupt journal, when the log was last looked at */
    int64_t broken_at;     /* HALTED: journal offset that is corrupt, -1: that is not why */
    int64_t backoff_ms;
    int64_t retry_ms;
    bool has_state;
    struct state state;
    struct recall *recall; /* as long as the state; NULL: none of its rules is in force */
    struct open_group open;
    struct outbox outbox;
    struct snapshot snapshot;
    int64_t echo_seen_ms;          /* when the last echo of this partition came, or the journal's end was asked for */
    struct journal_place seen;     /* of that echo */
    struct journal_place furthest; /* of all echoes to the state: the journal may be read again from its beginning */
    struct journal_place proof;    /* read before a claim that keeps the state: it must still stand there */
    bool proves;                   /* it is being read again; then `claimed`, the echo of the OPEN, is acted upon */
    struct echo claimed;
    bool release;       /* wanted by main */
    int32_t begun_with; /* partitions of the input that the journal was begun with; 0: it does not say */
    bool is_idle;       /* the last sealed group is an idle mark */
    int64_t input_ms;   /* when input last came, or counting began */
    struct intake intake;
    struct reader_rule *restore;
    struct port_stream *stream;
    int64_t restore_begun_ms;
    int64_t restore_seen_ms;  /* when the journal last gave something */
    int64_t pressure_ms;      /* when the floor was last raised, or memory given back */
    int64_t pressed_since_ms; /* backpressure since then, 0 = none */
};

void partition_init(struct partition *partition, struct partition_context *context, struct partition_status *status,
                    int32_t number);
void partition_fini(struct partition *partition);

/* Has the state of all that is echoed, though it is not assigned. */
bool partition_is_warm(const struct partition *partition);

/* Step 1 of design.md: main assigned it.                      */
void partition_assign(struct partition *partition);

/* Main wants it back: drain and become FREE. `lost`: at once, nothing more is written. */
void partition_release(struct partition *partition, bool lost);

/* The lane's producer is gone: everything sealed is claimed and sent again (step 8). */
void partition_producer_lost(struct partition *partition);

/* An ack of this partition's lane whose token belongs to it. False: the producer is unusable, reset the lane. */
bool partition_ack(struct partition *partition, const struct port_ack *ack);

/* Does what there is to do now; true if it did something. *out_producer_lost is set if the lane must be reset. */
bool partition_step(struct partition *partition, bool *out_producer_lost);

/* ms until the partition wants to be stepped again though nothing arrives; INT64_MAX if never. */
int64_t partition_patience_ms(const struct partition *partition, int64_t now_ms);

/* ---- for whoever works on a partition ---- */

/* Halts with a reason that names the mend, until the process starts again or somebody else writes a SKIP or a rebase. */
void partition_halt(struct partition *partition, enum guard guard, const struct err_info *why);
