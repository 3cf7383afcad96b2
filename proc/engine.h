/* SPDX-License-Identifier: Apache-2.0
 * engine.h - the processor as a whole: the only file that knows every stage. Starts, serves, drains and stops them in order.
 *
 *   main: membership, commits, life cycle · worker[i]: partitions · publisher: journals -> statistics · http: status and metrics
 *
 * In:      configuration, lists, rules, views, how to reach Kafka        Out: topics; /status and /metrics
 * Memory:  owns threads, workers, publisher, port and http server; shares what options point to
 * Errors:  engine_run gives the first error that ends the process; a broker that is away does not, it is waited for
 * Thread:  engine_new, engine_run, engine_free: main; engine_stop, engine_figures: any
 */
#pragma once

#include "flow/batch.h"
#include "flow/view.h"
#include "kafka/client.h"
#include "ops/config.h"
#include "trade/rules.h"
#include "trade/zone.h"

struct engine;

/* How to read the lists again. */
struct engine_reload {
    /* Gives both; NULL: the lists stay as they are. */
    enum err (*load)(const struct config *config, const struct zone *zone, struct reference **out_reference,
                     struct rules **out_rules, struct err_info *info);
    uint64_t (*stamp)(const struct config *config); /* changes with the files */
    bool (*requested)(void);                        /* by an operator since the last call */
    uint64_t loaded_stamp;                          /* of what the engine begins with */
};

struct engine_options {
    const struct config *config;
    const struct kafka_options *kafka;
    const struct reference *reference; /* to begin with */
    const struct zone *zone;           /* in which months close; shared */
    const struct rules *rules;         /* to begin with */
    const struct view_plan *plan;
    struct engine_reload reload;
    bool (*stop_requested)(void); /* asked a few times a second by engine_run */
    void (*stopping)(void);       /* called once, when a requested stop begins; may be NULL */
};

/* What a summary shows. */
struct engine_figures {
    int64_t records;
    int64_t verdicts[6]; /* by enum verdict */
    int64_t items;
    int64_t published_declarations;
    int64_t publish_keys;
    int64_t declarations_per_s;
    int64_t lag_records;
    bool is_ready;
};

/* Hash of everything that decides a sum (design.md section 3). */
uint64_t engine_plan_id(const struct engine_options *options);

/* How workers open, decode and judge what comes. */
struct batch_options engine_batch_options(const struct config *config, const struct rules *rules, int32_t partitions);

enum err engine_new(const struct engine_options *options, struct engine **out, struct err_info *info) MUST_USE;

/* Runs until a stop is requested, then drains. */
enum err engine_run(struct engine *engine, struct err_info *info) MUST_USE;

void engine_free(struct engine *engine);

void engine_figures(struct engine *engine, struct engine_figures *out);

/* Port of the http listener, 0 if there is none. */
int engine_http_port(const struct engine *engine);
