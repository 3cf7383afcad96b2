/* SPDX-License-Identifier: Apache-2.0
 * publisher.h - folds all journals into cells and keeps topic.statistics equal to them; tells owners of their echoes.
 *
 * In:      the journals of all partitions, topic.statistics itself
 * Out:     statistics records with an as_of that never falls
 * Order:   note all journal ends, fold every journal to those ends, read topic.statistics to its end, claim a term on
 *          every partition of topic.statistics and read it back; publish nothing before (design.md section 3,
 * Publisher)
 * Memory:  owns readers, cube, registry of published keys
 * Errors:  a partition whose journal is halted stops
 * all publishing (its sums would be wrong); publisher_health says why
 * Thread:  publisher; publisher_health,
 * publisher_counters, publisher_trouble: any
 * Why:     docs/adr/0008-publisher.md; shared model journal_model.py, class
 * Publisher
 */
#pragma once

#include "base/hist.h"
#include "flow/echo.h"
#include "flow/extract.h"
#include "flow/port.h"
#include "flow/view.h"
#include "trade/reference.h"
#include "trade/zone.h"

struct publisher_options {
    const struct port *port; /* shared, outlives the publisher */
    int32_t lane;
    int32_t partitions; /* of input and journal */
    int32_t statistics_partitions;
    const struct view_plan *plan;
    const struct reference *reference; /* to begin with */
    char reporter[3];
    char currency[4];
    int64_t publish_interval_ms;
    int64_t publish_max_keys_per_s;           /* while behind */
    int64_t event_bound_ms;                   /* watermark = largest event time - this */
    const struct zone *zone;                  /* in which months close, shared; NULL: all stay OPEN */
    int32_t provisional_days;                 /* as in zone_month_close_ms */
    int32_t final_months;                     /* as in zone_month_final_ms */
    bool folds;                               /* false: role=aggregate, echo only */
    uint64_t plan_id;                         /* DATA of another plan halts its partition; 0: not checked */
    uint64_t (*random)(void *random_context); /* identity of claims, back-off; needed if it folds */
    void *random_context;
    /* Takes an echo of a watched partition; false: no room, the publisher tries again and reads no further there. */
    bool (*echo)(void *context, const struct echo *echo);
    void *echo_context;
    /* Is told of each record of topic.statistics that comes behind what the topic held when it was first opened, in the order of its
     * partition, late ones too; borrowed until it returns, which must be soon. NULL: nobody is. */
    void (*told)(void *context, const struct port_record *record);
    void *told_context;
};

struct publisher_counters {      /* written by the publisher, read by any */
    struct counter publish_keys; /* statistics records sent */
    struct counter publish_bytes;
    struct counter saturated;
    struct counter dirty;             /* keys waiting */
    struct counter cells[VIEWS_MOST]; /* by view, base grain */
    struct counter as_of;
    struct counter term;
    struct counter claims;
    struct counter repairs;         /* records that came too late and were written again */
    struct counter too_large;       /* records that the broker refused for their size */
    struct counter history_cells;   /* loaded ones that have items */
    struct counter history_refused; /* records of history that do not fit views, reporter or currency */
    struct counter tombstones;      /* among publish_keys: keys without items whose month is FINAL */
    struct counter left;         /* cells of hours that are not kept any more, and of which nothing is in memory now */
    struct counter watermark_ms; /* INT64_MIN if unknown */
    struct counter open_from;    /* first day of the first month that is OPEN; INT32_MIN: all are */
    struct counter final_before; /* first day of the first month that is not FINAL; INT32_MIN: none is */
    struct counter last_publish_ms; /* when the last dirty key was acknowledged */
    struct counter folded_declarations;
    struct counter published_declarations; /* folded_declarations when the last acknowledged round began */
    struct counter is_publishing;          /* 1 behind the open gate */
    struct counter is_folded;              /* 1: the journals were read to the ends that they had at the start */
    struct counter rivals;                 /* claims of others that shut the gate */
    struct counter journal_stalls;         /* journal streams that were opened anew */
    struct hist end_to_end; /* record timestamp of the newest folded group to the ack of its statistics */
};

struct publisher;

struct publisher *publisher_new(const struct publisher_options *options);
void publisher_free(struct publisher *publisher);

/* Whether this process may publish (it owns input partition 0, or role=publish). Without: it folds on and stays silent.
 *                                                                                              Thread: publisher */
void publisher_lead(struct publisher *publisher, bool leads);

/* From now on echoes of this partition are given to options.echo (or no more).                Thread: publisher */
void publisher_watch(struct publisher *publisher, int32_t partition, bool watch);

/* Whether input waits that no worker has read: then it coalesces, as when the journals wait.   Thread: publisher */
void publisher_backlog(struct publisher *publisher, bool waits);

/* Other lists: classification and supplementary units are looked up in them from now on, and every cell is looked at again. Shares them.
 *                                                                                              Thread: publisher */
void publisher_reload(struct publisher *publisher, const struct reference *reference);

/* Does what there is to do now without waiting. True if it did something.                     Thread: publisher */
bool publisher_step(struct publisher *publisher);

/* True if all that was folded is published and acknowledged.                                  Thread: publisher */
bool publisher_is_quiet(const struct publisher *publisher);

/* Cells of a view for a query, from what is folded; NULL `wake`: nobody waits in the lane. One caller at a time. Thread: any but publisher */
enum extract_result publisher_extract(struct publisher *publisher, const struct extract_request *request, int64_t ms,
                                      void (*wake)(void *context), void *context, struct extract *out);

const struct publisher_counters *publisher_counters(const struct publisher *publisher);

/* Journal offset that was read of a partition, and why it is halted (empty if it is not).      Thread: any */
void publisher_health(struct publisher *publisher, int32_t partition, int64_t *out_position, struct err_info *out_halt);

/* Why it does not publish though it should: producer errors, rival claims, faults of topic.statistics. Empty if all
 * is well.                                                                                     Thread: any */
void publisher_trouble(struct publisher *publisher, struct err_info *out);
