/* SPDX-License-Identifier: Apache-2.0
 * publisher_inside.h - what publisher.c, holding.c and round.c share of a publisher.
 *
 * Thread:  publisher
 */
#pragma once

#include "flow/cube.h"
#include "flow/extract.h"
#include "flow/figures.h"
#include "flow/gate.h"
#include "flow/history.h"
#include "flow/journals.h"
#include "flow/months.h"
#include "flow/publisher.h"
#include "flow/registry.h"
#include "flow/statistic.h"

#include <pthread.h>

/* One partition of topic.statistics. */
struct tail {
    struct port_stream *stream;
    int64_t position;
    int64_t end; /* when it was opened: what must be read before a claim */
    /* kept when it is closed */
    bool was_opened;
    int64_t told; /* the next offset that options.told hears of */
};

/* What one publication covers. */
struct round {
    bool is_running;
    bool is_limited; /* to publish_max_keys_per_s */
    uint32_t cells;  /* that had changed when it began, and are not yet looked at */
    uint32_t others; /* marked when the last of them was looked at: what depends on them, too */
    int64_t begun_ms;
    int64_t sent;
    int64_t declarations;
    int64_t record_timestamp;
    uint64_t groups;
};

/* Days [from, to). */
struct closing_range {
    int32_t from;
    int32_t to;
};

/* Which cells and keys are to be looked at because their month has another state. */
struct closing {
    bool is_due;
    bool has_marked; /* since the last round began: its pace is limited */
    uint32_t cell;   /* the next one */
    uint32_t figure; /* likewise, of the derived ones */
    uint32_t entry;
    struct closing_range closed; /* whose figures are not OPEN any more */
    struct closing_range final;
};

/* Which figures are to be looked at because the newest day or hour is another. */
struct rolling {
    uint32_t figure;   /* the next derived one; figures_count: none */
    uint32_t cell;     /* likewise, where some view is by hour */
    uint32_t entry;    /* likewise of the registry: keys without a cell */
    bool by_day;       /* windows of days have moved */
    bool by_hour;      /* windows of hours have */
    int32_t kept_from; /* hours were kept from there on, before */
};

struct publisher {
    struct publisher_options options;
    struct publisher_counters counters;
    struct journals *journals;
    struct cube *cube;
    struct figures *figures;
    struct registry *registry;
    struct extractor *extractor; /* of queries */
    struct history *history;     /* in the cube, of topic.statistics */
    struct statistic_writer *writer;
    struct gate gate;
    struct tail *tails;
    bool tails_began;
    int64_t tails_retry_ms;
    bool leads;
    bool is_open;  /* the gate */
    bool mark_all; /* the registry was forgotten: compare every cell again */
    bool backlog;
    int64_t behind_until_ms;
    uint32_t linked;   /* cells that have their place in the registry */
    uint32_t derived;  /* derived figures that have it */
    uint32_t *orphans; /* registry entries without a cell that are to be published */
    uint32_t orphan_count;
    uint32_t orphan_capacity;
    /* writing */
    uint64_t counter; /* low part of as_of */
    uint64_t token;
    int32_t claims_sent;
    int64_t unacked;
    int64_t retry_ms; /* no claim before */
    uint32_t failures;
    uint32_t rivals;
    struct round round;
    /* time */
    int64_t watermark_ms;      /* INT64_MIN: unknown */
    int64_t told_watermark_ms; /* largest in a record of topic.statistics */
    struct months months;
    struct closing closing;
    bool rolls;     /* some view publishes rolling windows, or hours, which are kept for a time */
    bool has_hours; /* some view is by hour, or the topic has keys of one */
    struct rolling rolling;
    int32_t told_today; /* newest day that a rolling record of topic.statistics ends on; INT32_MIN: none */
    int32_t told_hour;  /* likewise of an hour */
    /* folding */
    uint64_t groups;
    uint64_t groups_recorded;
    int64_t record_timestamp;
    /* shared, under the lock */
    pthread_mutex_t lock;
    struct err_info trouble;
};

void publisher_set_trouble(struct publisher *publisher, const char *text);

/* Nothing is written before the gate opens again. */
void publisher_shut(struct publisher *publisher);

/* What is in flight may still land; it belongs to a term that is over, so it will be late. */
void publisher_producer_lost(struct publisher *publisher, const char *why, int64_t now_ms);

/* Another publisher claimed the topic. Two that both believe to lead must not meet for ever: pause at random. */
void publisher_rival_seen(struct publisher *publisher, int64_t now_ms);
