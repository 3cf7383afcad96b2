/* SPDX-License-Identifier: Apache-2.0
 * engine_inside.h - what engine.c, engine_group.c, engine_query.c, engine_stream.c, engine_reload.c, engine_watch.c, engine_state.c, engine_status.c and engine_metrics.c share of the engine.
 *
 * Thread:  see the blocks of struct engine
 */
#pragma once

#include "engine.h"
#include "flow/roster.h"
#include "kafka/port_kafka.h"
#include "ops/http.h"
#include "ops/slack.h"
#include "ops/watchdog.h"

#include <pthread.h>

enum engine_phase {
    ENGINE_CONNECTING,
    ENGINE_RUNNING,
    ENGINE_STOPPING,
};

enum { ENGINE_WORKERS_MOST = 256, ENGINE_NAME_BYTES = 32, ENGINE_NUMBER_BYTES = 24 };

/* What became of a reload. */
enum reload {
    RELOAD_APPLIED,
    RELOAD_UNCHANGED,
    RELOAD_REFUSED,
    RELOADS,
};

/* Rules and lists that the engine loaded; of the first, which it was given, it owns neither. */
struct ruleset_owned {
    struct ruleset ruleset;
    struct rules *rules;
    struct reference *reference;
    struct ruleset_owned *older;
};

struct engine_worker {
    struct engine *engine;
    struct worker *worker;
    int32_t lane;
    pthread_t thread;
    bool has_thread;
};

struct engine {
    /* const after engine_new */
    struct engine_options options;
    struct kafka_options kafka; /* as in options, with what the topics' settings ask for */
    struct http_server *http;
    struct http_route routes[7];
    struct engine_query *query;   /* NULL: no listener */
    struct engine_stream *stream; /* likewise */

    /* const after connect, under `lock` before: the http thread may look at any time */
    pthread_mutex_t lock; /* of what connect makes and of reason; held for no call that can wait */
    bool connected;
    char reason[ERR_TEXT_BYTES]; /* why it is not connected */
    struct port port;
    int32_t partitions;
    int32_t worker_count;
    struct engine_worker workers[ENGINE_WORKERS_MOST];
    struct partition_status *statuses;
    struct publisher *publisher;
    pthread_t publisher_thread;
    bool has_publisher_thread;
    struct roster *roster; /* who owns what, and what main says to workers and publisher */

    /* owned by main */
    struct ruleset_owned *rulesets; /* newest first; each lives until no thread uses it */
    uint64_t stamp;                 /* of the files that were last read, or refused */
    uint64_t stamp_seen;            /* when they were last looked at */
    int64_t stamp_ms;
    bool reload_waits; /* an operator's, until there is room for it */
    int64_t rate_since_ms;
    int64_t rate_records;
    int64_t backlog_since_ms;      /* it was last looked at */
    int64_t ledger_bytes_most;     /* of all ledgers together */
    int64_t *floors_told;          /* by partition: how often the log has told that it was raised */
    bool trim_is_reported;         /* main: a journal that can't be trimmed was logged */
    char units[STATE_UNITS_BYTES]; /* reporter and currency */
    int32_t rejects_days;          /* as long as topic.rejects keeps a record, 0 if that is not known */
    bool backlog;                  /* what the publisher was last told */
    int64_t watched_ms;
    int64_t input_stalls;                  /* last told in the log */
    int64_t journal_stalls;                /* last told in the log */
    int64_t listener_ms;                   /* when the listener's certificate was last looked at */
    char listener_trouble[ERR_TEXT_BYTES]; /* why it was refused, empty if it was not */
    struct slack slack;                    /* memory that is free and resident */
    int64_t memory_ns;                     /* when it was last looked at */
    int64_t restores_told_ms;              /* when the log last said how far they are, or nothing was being restored */

    /* owned by publisher */
    struct counter publisher_beats; /* read by main */

    /* shared: written by main, read by any */
    struct counter phase;
    struct counter stop_workers;
    struct counter stop_publisher;
    struct counter rate;
    struct counter plan_id;             /* of the newest rules */
    struct counter lists_ms;            /* when they were loaded, wall clock */
    struct counter reloads[RELOADS];    /* by what became of them */
    struct counter lists_are_refused;   /* the files are others than those in force, and can't be taken */
    char lists_trouble[ERR_TEXT_BYTES]; /* why the last load was refused, empty if it was not; under `lock` */
    struct counter listener_is_refused; /* its certificate files can't be used */
    struct counter memory_trims;        /* how often free memory was given back to the system */
    struct counter ledger_share;        /* what a ledger may have before it gives something up; 0: all have room */
    struct counter leads;               /* this process may publish */
    struct counter main_beat_ms;
    struct watchdog *watchdog; /* of workers 0 .. worker_count - 1 and of the publisher after them */
};

/* engine.c */
void engine_pause_ms(int64_t ms);

/* Membership (engine_group.c).                                                                Thread: main */
void engine_group_step(struct engine *engine);

/* Memory of the ledgers (engine_ledger.c).                                                    Thread: main */
void engine_ledger_step(struct engine *engine);

/* Slow clients, and a certificate that has changed (engine_listener.c).                       Thread: main */
void engine_listener_step(struct engine *engine);

/* Free memory goes back to the system (engine_memory.c).                                      Thread: main */
void engine_memory_step(struct engine *engine);

/* Lists that are read again (engine_reload.c). engine_reload_fini: when no thread runs. Thread: main */
void engine_reload_init(struct engine *engine);
void engine_reload_step(struct engine *engine);
void engine_reload_fini(struct engine *engine);

/* Stuck threads (engine_watch.c). Thread: main */
void engine_watch_step(struct engine *engine);
/* NULL if every thread makes its steps, else which does not; `out` holds the text.               Thread: any */
const char *engine_watch_stuck(struct engine *engine, char out[static ERR_TEXT_BYTES]);
void engine_watch_name(const struct engine *engine, int32_t index, char out[static ENGINE_NAME_BYTES]);

/* Questions of the listener (engine_query.c): between close and free the listener is stopped.  Thread: main */
struct engine_query;
void engine_query_start(struct engine *engine);
void engine_query_close(struct engine *engine);
void engine_query_free(struct engine *engine);
void engine_query_handle(void *self, struct http_request *request, struct http_response *response);

/* Nobody looks up lists that are not the newest; if so, engine_query_freed must follow.         Thread: main */
bool engine_query_may_free(struct engine *engine);
void engine_query_freed(struct engine *engine);

/* Events of the listener (engine_stream.c): between close and free the listener is stopped, and the publisher's thread has ended.
 *                                                                                               Thread: main */
struct engine_stream;
void engine_stream_start(struct engine *engine);
void engine_stream_close(struct engine *engine);
void engine_stream_free(struct engine *engine);
void engine_stream_handle(void *self, struct http_request *request, struct http_response *response);
/* As publisher_options.told. Copies the record if somebody listens; never waits.               Thread: publisher */
void engine_stream_tell(void *context, const struct port_record *record);

struct engine_stream_figures {
    int64_t readers;
    int64_t events;
    int64_t dropped;
};
void engine_stream_figures(const struct engine *engine, struct engine_stream_figures *out);

/* What the engine is in (engine_state.c): counters are read, texts copied under their locks, nothing is waited for. Thread: any */
enum engine_publishing {
    ENGINE_PUBLISHING,
    ENGINE_CATCHING_UP,
    ENGINE_STANDBY,
    ENGINE_HALTED,
    ENGINE_OFF,
    ENGINE_PUBLISHINGS,
};
bool engine_state_is_connected(struct engine *engine, char out_reason[static ERR_TEXT_BYTES]);
bool engine_state_publishes(const struct engine *engine);
/* Why the publisher halts, "" if it does not; the text is that of `why`. */
const char *engine_state_halt(struct engine *engine, struct err_info *why);
enum engine_publishing engine_state_of_publisher(struct engine *engine, const char *halt);
const char *engine_state_name(enum engine_publishing state);
const char *engine_state_reload(enum reload reload);
/* A plan in hexadecimal. */
char *engine_state_plan(const struct counter *plan_id, char out[static ENGINE_NUMBER_BYTES]);

/* Routes of the listener: engine_state.c, engine_status.c (JSON) and engine_metrics.c.          Thread: http */
void engine_livez_handle(void *self, struct http_request *request, struct http_response *response);
void engine_readyz_handle(void *self, struct http_request *request, struct http_response *response);
void engine_status_handle(void *self, struct http_request *request, struct http_response *response);
void engine_metrics_handle(void *self, struct http_request *request, struct http_response *response);

/* NULL if ready, else why not (static text). */
const char *engine_not_ready(struct engine *engine);
