/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "engine_inside.h"
#include "flow/floor.h"
#include "kafka/admin.h"
#include "ops/log.h"
#include "ops/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum {
    RETRY_MS = 2000,
    MAIN_TICK_MS = 20,
    DRAIN_MS = 9000, /* these three and what else blocks stay below the 20 s of OPERATIONS.md */
    QUIET_MS = 4000,
    CLOSE_MS = 3000,
    BEGUN_MS = 10000,
    ORDERS = 65536,
    PUBLISHER_PATIENCE_MS = 100,
    BACKLOG_EACH_MS = 100,
    BACKLOG_SECONDS = 2,
    BACKLOG_LEAST_OF = 2, /* half a second: what is counted and not yet in an echoed group is most of it */
    BACKLOG_RECORDS = 10000,
    PLAN_FORMAT = 1,               /* raised when the meaning of a sum changes */
    INPUT_BYTES_DEFAULT = 1 << 20, /* of input.max.bytes */
};

void engine_pause_ms(int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static uint64_t hash_text(const char *text, uint64_t seed)
{
    return hash_bytes(text, strlen(text), seed);
}

/* How a contribution becomes cells, and what else no reload changes. */
static uint64_t hash_cells(const struct engine_options *options)
{
    const struct config *config = options->config;
    uint64_t hash = view_plan_hash(options->plan);
    hash = hash_text(config->reporter, hash);
    hash = hash_text(config->reporting_currency, hash);
    hash = hash_text(config->timezone, hash);
    uint64_t choices =
        (uint64_t)config->trade_system << 8 | (uint64_t)config->count_status << 4 | (uint64_t)config->late_policy;
    hash = hash_mix(hash ^ PLAN_FORMAT, choices ^ HASH_P1);
    /* Whether a record is read, and as what. 0 is the default. */
    uint64_t input = (uint64_t)config->input_format << 60 | (uint64_t)config->input_key_check << 56 |
                     ((uint64_t)config->input_max_bytes ^ INPUT_BYTES_DEFAULT);
    return hash_mix(hash ^ HASH_P2, input ^ HASH_P0);
}

/* What a declaration is judged by. */
static uint64_t hash_judging(const struct engine_options *options)
{
    uint64_t horizon = (uint64_t)floor_horizon_months(options->config->ledger_horizon_days); /* LED-901 */
    return hash_mix(rules_hash(options->rules) ^ HASH_P0, reference_hash(options->reference) ^ HASH_P2 ^ horizon);
}

uint64_t engine_plan_id(const struct engine_options *options)
{
    return plan_make(hash_cells(options), hash_judging(options));
}

/* ---- worker threads ---- */

/* For those who look with top -H or a debugger. */
static void name_thread(const struct engine *engine, int32_t index)
{
    char name[ENGINE_NAME_BYTES];
    engine_watch_name(engine, index, name);
    prctl(PR_SET_NAME, name);
}

static void *worker_main(void *argument)
{
    struct engine_worker *self = argument;
    struct engine *engine = self->engine;
    name_thread(engine, self->lane);
    while (!counter_read(&engine->stop_workers)) {
        if (!worker_step(self->worker))
            engine->port.wait(engine->port.self, self->lane, worker_patience_ms(self->worker));
    }
    return NULL;
}

/* ---- publisher thread ---- */

static void *publisher_main(void *argument)
{
    struct engine *engine = argument;
    name_thread(engine, engine->worker_count);
    while (!counter_read(&engine->stop_publisher)) {
        roster_take_orders(engine->roster, engine->publisher);
        counter_add(&engine->publisher_beats, 1);
        bool did = publisher_step(engine->publisher);
        roster_wake(engine->roster);
        if (!did)
            engine->port.wait(engine->port.self, engine->worker_count, PUBLISHER_PATIENCE_MS);
    }
    return NULL;
}

static int64_t records_of(const struct engine *engine)
{
    int64_t records = 0;
    for (int32_t i = 0; i < engine->worker_count; i++)
        records += counter_read(&worker_counters(engine->workers[i].worker)->records);
    return records;
}

static int64_t lag_of(const struct engine *engine)
{
    int64_t lag = 0;
    for (int32_t i = 0; i < engine->partitions; i++) {
        int64_t high = port_kafka_high_watermark(&engine->port, i);
        int64_t position = counter_read(&engine->statuses[i].position);
        if (roster_owner(engine->roster, i) != ROSTER_NOBODY && high > position)
            lag += high - position;
    }
    return lag;
}

static void measure_rate(struct engine *engine, int64_t now_ms)
{
    if (now_ms - engine->rate_since_ms < 1000)
        return;
    int64_t records = records_of(engine);
    counter_set(&engine->rate, (records - engine->rate_records) * 1000 / (now_ms - engine->rate_since_ms));
    engine->rate_records = records;
    engine->rate_since_ms = now_ms;
}

/* More than two seconds of input wait: the publisher coalesces until they are worked off. Nearly all of them: a key that is published
 * before the last of them is counted would be published twice. */
static void measure_backlog(struct engine *engine, int64_t now_ms)
{
    if (now_ms - engine->backlog_since_ms < BACKLOG_EACH_MS)
        return;
    int64_t rate = counter_read(&engine->rate);
    bool backlog =
        lag_of(engine) > (engine->backlog ? rate / BACKLOG_LEAST_OF : rate * BACKLOG_SECONDS) + BACKLOG_RECORDS;
    if (backlog != engine->backlog)
        roster_backlog(engine->roster, backlog);
    engine->backlog = backlog;
    engine->backlog_since_ms = now_ms;
}

/* Says once what halts a partition, and again when the reason changes. */
static void report_partitions(struct engine *engine, int8_t *reported)
{
    for (int32_t i = 0; i < engine->partitions; i++) {
        struct partition_status *status = &engine->statuses[i];
        int8_t phase = (int8_t)counter_read(&status->phase);
        if (phase == reported[i])
            continue;
        reported[i] = phase;
        char reason[ERR_TEXT_BYTES];
        pthread_mutex_lock(&status->lock);
        memcpy(reason, status->reason, sizeof reason);
        pthread_mutex_unlock(&status->lock);
        if (phase == PARTITION_HALTED)
            log_event(LOG_LEVEL_ERROR, "partition_halted", LOG_FIELDS(log_int("partition", i)), "%s", reason);
        else if (phase == PARTITION_BACKOFF)
            log_event(LOG_LEVEL_WARN, "partition_dropped", LOG_FIELDS(log_int("partition", i)),
                      "%s; it is claimed again", reason);
        else if (phase == PARTITION_RUNNING)
            log_event(LOG_LEVEL_INFO, "partition_running",
                      LOG_FIELDS(log_int("partition", i), log_int("position", counter_read(&status->position)),
                                 log_int("ledger_entries", counter_read(&status->ledger_entries))),
                      "partition %d is restored and running", i);
    }
}

/* A journal that can't be trimmed grows; one line, however many partitions and tries. */
static void report_trims(struct engine *engine)
{
    char trouble[ERR_TEXT_BYTES] = "";
    for (int32_t i = 0; i < engine->partitions && !trouble[0]; i++) {
        struct partition_status *status = &engine->statuses[i];
        pthread_mutex_lock(&status->lock);
        memcpy(trouble, status->trim_trouble, sizeof trouble);
        pthread_mutex_unlock(&status->lock);
    }
    if (trouble[0] && !engine->trim_is_reported)
        log_event(LOG_LEVEL_WARN, "journal_untrimmed", LOG_FIELDS(log_text("reason", trouble)),
                  "the journal is not trimmed and grows");
    engine->trim_is_reported = trouble[0];
}

/* ---- life cycle ---- */

static void set_reason(struct engine *engine, const char *reason)
{
    pthread_mutex_lock(&engine->lock);
    snprintf(engine->reason, sizeof engine->reason, "%s", reason);
    pthread_mutex_unlock(&engine->lock);
}

enum err engine_new(const struct engine_options *options, struct engine **out, struct err_info *info)
{
    struct engine *engine = memory_new_aligned(64, sizeof *engine);
    engine->options = *options;
    engine_reload_init(engine);
    snprintf(engine->units, sizeof engine->units, "%s %s", options->config->reporter,
             options->config->reporting_currency);
    wire_init();
    pthread_mutex_init(&engine->lock, NULL);
    set_reason(engine, "connecting to the brokers");
    engine->routes[0] = (struct http_route){"/livez", engine_livez_handle, engine};
    engine->routes[1] = (struct http_route){"/readyz", engine_readyz_handle, engine};
    engine->routes[2] = (struct http_route){"/metrics", engine_metrics_handle, engine};
    engine->routes[3] = (struct http_route){"/status", engine_status_handle, engine};
    engine->routes[4] = (struct http_route){"/v1/statistics", engine_query_handle, engine};
    engine->routes[5] = (struct http_route){"/v1/stream", engine_stream_handle, engine};
    engine->routes[6] = (struct http_route){"/", page_handle, NULL};
    if (options->config->http_listen[0]) {
        engine_query_start(engine);
        engine_stream_start(engine);
        const struct http_options http = {.listen = options->config->http_listen,
                                          .certificate = options->config->http_tls_certificate,
                                          .key = options->config->http_tls_key,
                                          .users = options->config->http_users};
        enum err err = http_start_with(&http, engine->routes, sizeof engine->routes / sizeof engine->routes[0],
                                       &engine->http, info);
        if (err != OK) {
            engine_free(engine);
            return err;
        }
    }
    *out = engine;
    return OK;
}

/* How many days topic.rejects keeps a record: slices list rejects as long. 0 where the broker does not tell. */
static int32_t rejects_days(struct admin *admin)
{
    enum { DAY_MS = 86400000, DAYS_MOST = 36500 };
    char retention[ADMIN_SETTING_BYTES];
    struct err_info info;
    if (admin_setting(admin, PORT_REJECTS, "retention.ms", retention, &info) != OK)
        return 0;
    int64_t days = strtoll(retention, NULL, 10);
    days = days < 0 ? DAYS_MOST : days / DAY_MS + 1;
    return (int32_t)(days < DAYS_MOST ? days : DAYS_MOST);
}

/* A topic that another process has just created may have no partitions yet. */
static enum err check_known(const struct port *port, const struct kafka_options *kafka, struct err_info *info)
{
    for (int topic = 0; topic < PORT_TOPICS; topic++) {
        if (port->partitions(port->self, (enum port_topic)topic) <= 0)
            return err_set(info, ERR_RETRY, "topic %s has no partitions yet: it is being created",
                           kafka->topics[topic]);
    }
    return OK;
}

static enum err try_connect(struct engine *engine, int32_t workers, struct port *port, struct err_info *info)
{
    struct admin *admin;
    TRY(admin_open(engine->options.kafka, NULL, &admin, info));
    enum err err = admin_prepare(admin, info);
    engine->kafka = *engine->options.kafka;
    if (err == OK && !engine->kafka.is_mock)
        engine->kafka.batch_bytes = admin_batch_bytes(admin);
    if (err == OK && !engine->kafka.is_mock)
        engine->rejects_days = rejects_days(admin);
    admin_close(admin);
    TRY(err);
    TRY(port_kafka_open(&engine->kafka, workers, port, info));
    err = check_known(port, &engine->kafka, info);
    if (err == OK)
        err = guard_begun(port, workers, BEGUN_MS, info);
    if (err != OK)
        port_kafka_close(port, CLOSE_MS);
    return err;
}

/* A broker that is away or refuses us is waited for, for ever: one line when the reason changes. */
static enum err connect_patiently(struct engine *engine, int32_t workers, struct port *port, struct err_info *info)
{
    char said[ERR_TEXT_BYTES] = "";
    for (;;) {
        enum err err = try_connect(engine, workers, port, info);
        if (err != ERR_PEER && err != ERR_RETRY)
            return err;
        set_reason(engine, info->text);
        if (strcmp(said, info->text) != 0)
            log_event(LOG_LEVEL_ERROR, "broker_unreachable",
                      LOG_FIELDS(log_text("brokers", engine->options.kafka->brokers)),
                      "%s; trying again until it works", info->text);
        memcpy(said, info->text, sizeof said);
        for (int64_t waited = 0; waited < RETRY_MS; waited += MAIN_TICK_MS) {
            if (engine->options.stop_requested())
                return ERR_RETRY;
            engine_listener_step(engine);
            engine_pause_ms(MAIN_TICK_MS);
        }
    }
}

struct batch_options engine_batch_options(const struct config *config, const struct rules *rules, int32_t partitions)
{
    static const enum batch_key_check key_checks[] = {
        [CONFIG_KEY_ID] = BATCH_KEY_ID,
        [CONFIG_KEY_MURMUR2] = BATCH_KEY_MURMUR2,
        [CONFIG_KEY_CRC32] = BATCH_KEY_CRC32,
        [CONFIG_KEY_OFF] = BATCH_KEY_OFF,
    };
    static const enum input_format formats[] = {
        [CONFIG_FORMAT_AUTO] = INPUT_AUTO,
        [CONFIG_FORMAT_PROTOBUF] = INPUT_PROTOBUF,
        [CONFIG_FORMAT_BATCH] = INPUT_BATCH,
        [CONFIG_FORMAT_CONFLUENT] = INPUT_CONFLUENT,
    };
    return (struct batch_options){
        .envelope = {.format = formats[config->input_format], .max_bytes = (size_t)config->input_max_bytes},
        .key_check = key_checks[config->input_key_check],
        .partitions = partitions,
        .rules = rules,
    };
}

static struct worker_options worker_options_of(struct engine *engine, int32_t lane)
{
    const struct config *config = engine->options.config;
    return (struct worker_options){
        .port = &engine->port,
        .lane = lane,
        .partitions = engine->partitions,
        .statuses = engine->statuses,
        .plan = engine->options.plan,
        .ruleset = &engine->rulesets->ruleset,
        .units = engine->units,
        .topic = config->topic_declarations,
        .frame_interval_ms = config->frame_interval_ms,
        .idle_ms = config->time_idle_ms,
        .rejects_payload = config->rejects_payload,
        .horizon_months = floor_horizon_months(config->ledger_horizon_days),
        .final_months = (int32_t)config->month_final,
        .ledger_share = &engine->ledger_share,
        .rejects_days = engine->rejects_days,
        .batch = engine_batch_options(config, engine->options.rules, engine->partitions),
        .stopwatch_ns = clock_steady_ns,
        .random = random_of_system,
    };
}

static void pause_a_little(void *context)
{
    (void)context;
    engine_pause_ms(1);
}

static void make_roster(struct engine *engine, struct worker *const *workers)
{
    struct roster_options options = {
        .port = &engine->port,
        .workers = workers,
        .worker_count = engine->worker_count,
        .partitions = engine->partitions,
        .statuses = engine->statuses,
        .serial = engine->rulesets->ruleset.serial,
        .orders_most = ORDERS,
        .pause = pause_a_little,
    };
    engine->roster = roster_new(&options);
}

static void make_publisher(struct engine *engine)
{
    const struct config *config = engine->options.config;
    struct publisher_options options = {
        .port = &engine->port,
        .lane = engine->worker_count,
        .partitions = engine->partitions,
        .statistics_partitions = engine->port.partitions(engine->port.self, PORT_STATISTICS),
        .plan = engine->options.plan,
        .reference = engine->options.reference,
        .publish_interval_ms = config->publish_interval_ms,
        .publish_max_keys_per_s = config->publish_max_keys_per_s,
        .event_bound_ms = config->time_future_bound_ms,
        .zone = engine->options.zone,
        .provisional_days = (int32_t)config->month_provisional_days,
        .final_months = (int32_t)config->month_final,
        .folds = config->role != CONFIG_ROLE_AGGREGATE,
        .plan_id = engine->rulesets->ruleset.plan_id,
        .random = random_of_system,
        .echo = roster_echo,
        .echo_context = engine->roster,
        .told = engine->stream ? engine_stream_tell : NULL,
        .told_context = engine->stream,
    };
    snprintf(options.reporter, sizeof options.reporter, "%s", config->reporter);
    snprintf(options.currency, sizeof options.currency, "%s", config->reporting_currency);
    engine->publisher = publisher_new(&options);
}

static void start_threads(struct engine *engine)
{
    int failed = pthread_create(&engine->publisher_thread, NULL, publisher_main, engine);
    CHECK_SAY(!failed, "no thread for the publisher: %s", strerror(failed));
    engine->has_publisher_thread = true;
    for (int32_t i = 0; i < engine->worker_count; i++) {
        failed = pthread_create(&engine->workers[i].thread, NULL, worker_main, &engine->workers[i]);
        CHECK_SAY(!failed, "no thread for worker %d: %s", i, strerror(failed));
        engine->workers[i].has_thread = true;
    }
}

/* Everything that needs to know how many partitions there are. */
static void build(struct engine *engine, const struct port *port, int32_t workers)
{
    pthread_mutex_lock(&engine->lock);
    engine->port = *port;
    engine->partitions = port->partitions(port->self, PORT_DECLARATIONS);
    engine->worker_count = workers;
    size_t partitions = (size_t)engine->partitions;
    engine->statuses = memory_new(partitions, sizeof engine->statuses[0]);
    engine->floors_told = memory_new(partitions, sizeof engine->floors_told[0]);
    for (int32_t i = 0; i < engine->partitions; i++) {
        pthread_mutex_init(&engine->statuses[i].lock, NULL);
        counter_set(&engine->statuses[i].event_ms, INT64_MIN);
    }
    struct worker *all[ENGINE_WORKERS_MOST];
    for (int32_t i = 0; i < workers; i++) {
        struct worker_options options = worker_options_of(engine, i);
        engine->workers[i] = (struct engine_worker){.engine = engine, .worker = worker_new(&options), .lane = i};
        all[i] = engine->workers[i].worker;
    }
    make_roster(engine, all);
    make_publisher(engine);
    engine->watchdog = watchdog_new(workers + 1);
    counter_set(&engine->main_beat_ms, clock_steady_ns() / 1000000);
    engine->connected = true;
    pthread_mutex_unlock(&engine->lock);
}

/* Waits until all that is folded now is published, or another publisher has taken over. */
static void publish_rest(struct engine *engine)
{
    const struct publisher_counters *counters = publisher_counters(engine->publisher);
    int64_t target = counter_read(&counters->folded_declarations);
    int64_t rivals = counter_read(&counters->rivals);
    for (int64_t waited = 0; waited < QUIET_MS; waited += MAIN_TICK_MS) {
        if (counter_read(&counters->published_declarations) >= target || counter_read(&counters->rivals) != rivals)
            return;
        engine_pause_ms(MAIN_TICK_MS);
    }
}

static void stop_threads(struct engine *engine)
{
    counter_set(&engine->stop_workers, 1);
    counter_set(&engine->stop_publisher, 1);
    for (int32_t i = 0; i <= engine->worker_count; i++)
        engine->port.wake(engine->port.self, i);
    for (int32_t i = 0; i < engine->worker_count; i++) {
        if (engine->workers[i].has_thread)
            pthread_join(engine->workers[i].thread, NULL);
        engine->workers[i].has_thread = false;
    }
    if (engine->has_publisher_thread)
        pthread_join(engine->publisher_thread, NULL);
    engine->has_publisher_thread = false;
}

/* Not ready; last groups out and echoed; the groups left, so that others go on; what was counted published; threads end. */
static void drain(struct engine *engine)
{
    counter_set(&engine->phase, ENGINE_STOPPING);
    if (engine->options.stopping)
        engine->options.stopping();
    log_event(LOG_LEVEL_INFO, "stopping", LOG_NONE, "sealing and publishing what is counted");
    roster_release_all(engine->roster); /* without giving up the lead: what is counted is to be published */
    for (int64_t waited = 0; waited < DRAIN_MS && roster_count(engine->roster) > 0; waited += MAIN_TICK_MS) {
        engine_group_step(engine);
        engine_pause_ms(MAIN_TICK_MS);
    }
    bool leads = counter_read(&engine->leads);
    port_kafka_leave(&engine->port);
    if (leads)
        publish_rest(engine);
    stop_threads(engine);
}

static void serve(struct engine *engine)
{
    int8_t *reported = memory_new((size_t)engine->partitions, sizeof reported[0]);
    while (!engine->options.stop_requested()) {
        int64_t now_ms = clock_forward_ms();
        engine_group_step(engine);
        roster_commit(engine->roster, now_ms);
        measure_rate(engine, now_ms);
        measure_backlog(engine, now_ms);
        report_partitions(engine, reported);
        report_trims(engine);
        engine_ledger_step(engine);
        engine_memory_step(engine);
        engine_reload_step(engine);
        engine_watch_step(engine);
        engine_listener_step(engine);
        engine_pause_ms(MAIN_TICK_MS);
    }
    memory_free(reported);
}

enum err engine_run(struct engine *engine, struct err_info *info)
{
    const struct config *config = engine->options.config;
    int32_t workers = config->role == CONFIG_ROLE_PUBLISH ? 0 : (int32_t)config_workers(config);
    struct port port = {0};
    enum err err = connect_patiently(engine, workers, &port, info);
    if (err == ERR_RETRY)
        return OK; /* stopped before a broker was there */
    if (err != OK)
        return err;
    build(engine, &port, workers);
    counter_set(&engine->phase, ENGINE_RUNNING);
    log_event(LOG_LEVEL_INFO, "started",
              LOG_FIELDS(log_text("brokers", engine->options.kafka->brokers), log_int("partitions", engine->partitions),
                         log_int("workers", workers)),
              "dryport %s, plan %016" PRIx64, DRYPORT_VERSION, engine->rulesets->ruleset.plan_id);
    start_threads(engine);
    serve(engine);
    drain(engine);
    struct engine_figures figures;
    engine_figures(engine, &figures);
    log_event(LOG_LEVEL_INFO, "stopped", LOG_FIELDS(log_int("records", figures.records)),
              "all that was counted is in the journal");
    return OK;
}

void engine_figures(struct engine *engine, struct engine_figures *out)
{
    *out = (struct engine_figures){0};
    pthread_mutex_lock(&engine->lock);
    bool connected = engine->connected;
    pthread_mutex_unlock(&engine->lock);
    if (!connected)
        return;
    for (int32_t i = 0; i < engine->worker_count; i++) {
        const struct worker_counters *counters = worker_counters(engine->workers[i].worker);
        out->records += counter_read(&counters->records);
        out->items += counter_read(&counters->items);
        for (int v = 0; v < VERDICTS; v++)
            out->verdicts[v] += counter_read(&counters->verdicts[v]);
    }
    const struct publisher_counters *published = publisher_counters(engine->publisher);
    out->published_declarations = counter_read(&published->published_declarations);
    out->publish_keys = counter_read(&published->publish_keys);
    out->declarations_per_s = counter_read(&engine->rate);
    out->lag_records = lag_of(engine);
    out->is_ready = engine_not_ready(engine) == NULL;
}

int engine_http_port(const struct engine *engine)
{
    return engine->http ? http_port(engine->http) : 0;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    engine_query_close(engine); /* every question is answered: the listener can't stop while one waits */
    engine_stream_close(engine);
    http_stop(engine->http);
    engine_query_free(engine);
    for (int32_t i = 0; i < engine->worker_count; i++)
        worker_free(engine->workers[i].worker);
    publisher_free(engine->publisher);
    engine_stream_free(engine);
    if (engine->connected)
        port_kafka_close(&engine->port, CLOSE_MS);
    roster_free(engine->roster);
    engine_reload_fini(engine);
    memory_free(engine->statuses);
    memory_free(engine->floors_told);
    watchdog_free(engine->watchdog);
    pthread_mutex_destroy(&engine->lock);
    memory_free(engine);
}
