/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "engine_inside.h"
#include "kafka/admin.h"
#include "ops/log.h"
#include "ops/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
    RETRY_MS = 2000,
    COMMIT_MS = 1000,
    MAIN_TICK_MS = 20,
    DRAIN_MS = 10000,
    QUIET_MS = 6000,
    CLOSE_MS = 3000,
    BEGUN_MS = 10000,
    ORDERS = 65536,
    PUBLISHER_PATIENCE_MS = 100,
    BACKLOG_RECORDS = 10000,
    PLAN_FORMAT = 1, /* raised when the meaning of a sum changes */
};

/* main -> publisher */
struct order {
    enum { ORDER_WATCH, ORDER_LEAD, ORDER_BACKLOG } kind;
    int32_t partition;
    int32_t worker; /* who hears the echo; ENGINE_NO_OWNER: nobody */
    bool on;
};

static uint64_t system_random(void *context)
{
    uint64_t value;
    (void)context;
    ssize_t got = getrandom(&value, sizeof value, 0);
    CHECK(got == (ssize_t)sizeof value);
    return value;
}

static void pause_ms(int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static uint64_t hash_text(const char *text, uint64_t seed)
{
    return hash_bytes(text, strlen(text), seed);
}

uint64_t engine_plan_id(const struct engine_options *options)
{
    const struct config *config = options->config;
    uint64_t hash = view_plan_hash(options->plan);
    hash = hash_mix(hash ^ HASH_P0, rules_hash(options->rules) ^ HASH_P1);
    hash = hash_mix(hash ^ HASH_P0, reference_hash(options->reference) ^ HASH_P2);
    hash = hash_text(config->reporter, hash);
    hash = hash_text(config->reporting_currency, hash);
    hash = hash_text(config->timezone, hash);
    uint64_t choices =
        (uint64_t)config->trade_system << 8 | (uint64_t)config->count_status << 4 | (uint64_t)config->late_policy;
    return hash_mix(hash ^ PLAN_FORMAT, choices ^ HASH_P1);
}

/* ---- worker threads ---- */

static void *worker_main(void *argument)
{
    struct engine_worker *self = argument;
    struct engine *engine = self->engine;
    while (!counter_read(&engine->stop_workers)) {
        if (!worker_step(self->worker))
            engine->port.wait(engine->port.self, self->lane, worker_patience_ms(self->worker));
    }
    return NULL;
}

/* ---- publisher thread ---- */

static bool take_echo(void *context, const struct echo *echo)
{
    struct engine *engine = context;
    int32_t owner = engine->echo_owner[echo->partition];
    if (owner == ENGINE_NO_OWNER)
        return true;
    if (!worker_echo(engine->workers[owner].worker, echo))
        return false;
    engine->wake[owner] = true;
    return true;
}

static void wake_workers(struct engine *engine)
{
    for (int32_t i = 0; i < engine->worker_count; i++) {
        if (engine->wake[i])
            engine->port.wake(engine->port.self, engine->workers[i].lane);
        engine->wake[i] = false;
    }
}

static void take_orders(struct engine *engine)
{
    struct order order;
    while (ring_take(engine->publisher_orders, &order)) {
        if (order.kind == ORDER_LEAD) {
            publisher_lead(engine->publisher, order.on);
            continue;
        }
        if (order.kind == ORDER_BACKLOG) {
            publisher_backlog(engine->publisher, order.on);
            continue;
        }
        engine->echo_owner[order.partition] = order.worker;
        publisher_watch(engine->publisher, order.partition, order.on);
    }
}

static void *publisher_main(void *argument)
{
    struct engine *engine = argument;
    while (!counter_read(&engine->stop_publisher)) {
        take_orders(engine);
        bool did = publisher_step(engine->publisher);
        wake_workers(engine);
        if (!did)
            engine->port.wait(engine->port.self, engine->worker_count, PUBLISHER_PATIENCE_MS);
    }
    return NULL;
}

static void order_publisher(struct engine *engine, struct order order)
{
    bool put = ring_put(engine->publisher_orders, &order);
    CHECK(put); /* ORDERS is larger than two orders for each partition can be */
    engine->port.wake(engine->port.self, engine->worker_count);
}

/* ---- membership: main ---- */

static int32_t freest_worker(const struct engine *engine)
{
    int32_t best = 0;
    for (int32_t i = 1; i < engine->worker_count; i++) {
        if (engine->workers[i].assigned < engine->workers[best].assigned)
            best = i;
    }
    return best;
}

static void command(struct engine *engine, int32_t worker, enum worker_order kind, int32_t partition)
{
    while (!worker_command(engine->workers[worker].worker, kind, partition))
        pause_ms(1); /* the worker takes its commands in each step */
    engine->port.wake(engine->port.self, engine->workers[worker].lane);
}

static void leads(struct engine *engine, int32_t partition, bool on)
{
    if (partition == 0 && engine->options.config->role == CONFIG_ROLE_ALL)
        order_publisher(engine, (struct order){.kind = ORDER_LEAD, .on = on});
}

static void disown(struct engine *engine, int32_t partition)
{
    int32_t worker = engine->owner[partition];
    if (worker == ENGINE_NO_OWNER)
        return;
    engine->workers[worker].assigned--;
    engine->owner[partition] = ENGINE_NO_OWNER;
    engine->releasing[partition] = false;
    counter_set(&engine->is_owned[partition], 0);
    counter_add(&engine->assigned, -1);
    order_publisher(engine, (struct order){ORDER_WATCH, partition, ENGINE_NO_OWNER, false});
}

static void assigned(struct engine *engine, int32_t partition)
{
    disown(engine, partition);
    int32_t worker = freest_worker(engine);
    engine->owner[partition] = worker;
    engine->workers[worker].assigned++;
    counter_set(&engine->is_owned[partition], 1);
    counter_add(&engine->assigned, 1);
    order_publisher(engine, (struct order){ORDER_WATCH, partition, worker, true});
    command(engine, worker, WORKER_ASSIGN, partition);
    leads(engine, partition, true);
}

static void release(struct engine *engine, int32_t partition)
{
    if (engine->owner[partition] == ENGINE_NO_OWNER || engine->releasing[partition])
        return;
    engine->releasing[partition] = true;
    leads(engine, partition, false);
    command(engine, engine->owner[partition], WORKER_RELEASE, partition);
}

static void lost(struct engine *engine, int32_t partition)
{
    if (engine->owner[partition] == ENGINE_NO_OWNER)
        return;
    leads(engine, partition, false);
    command(engine, engine->owner[partition], WORKER_LOST, partition);
    disown(engine, partition);
}

static void take_membership(struct engine *engine)
{
    static const char *const events[] = {"partition_assigned", "partition_revoked", "partition_lost"};
    struct port_membership change;
    while (engine->port.membership(engine->port.self, &change)) {
        log_event(LOG_LEVEL_INFO, events[change.change], LOG_FIELDS(log_int("partition", change.partition)),
                  "partition %d", change.partition);
        if (change.change == PORT_ASSIGNED)
            assigned(engine, change.partition);
        else if (change.change == PORT_REVOKED && engine->owner[change.partition] == ENGINE_NO_OWNER)
            engine->port.release_partition(engine->port.self, change.partition);
        else if (change.change == PORT_REVOKED)
            release(engine, change.partition);
        else
            lost(engine, change.partition);
    }
    for (int32_t i = 0; i < engine->worker_count; i++) {
        int32_t partition;
        while (worker_released(engine->workers[i].worker, &partition)) {
            if (!engine->releasing[partition])
                continue; /* it was lost or assigned anew since: what was released is no more */
            int64_t position = counter_read(&engine->statuses[partition].position);
            engine->port.commit(engine->port.self, partition, position);
            disown(engine, partition);
            engine->port.release_partition(engine->port.self, partition);
        }
    }
}

static void commit_positions(struct engine *engine, int64_t now_ms)
{
    if (now_ms - engine->last_commit_ms < COMMIT_MS)
        return;
    engine->last_commit_ms = now_ms;
    for (int32_t i = 0; i < engine->partitions; i++) {
        int64_t position = counter_read(&engine->statuses[i].position);
        if (engine->owner[i] == ENGINE_NO_OWNER || position == 0 || position == engine->committed[i])
            continue;
        engine->port.commit(engine->port.self, i, position);
        engine->committed[i] = position;
    }
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
        if (counter_read(&engine->is_owned[i]) && high > position)
            lag += high - position;
    }
    return lag;
}

/* More than two seconds of input wait: the publisher coalesces until they are worked off. */
static void measure_rate(struct engine *engine, int64_t now_ms)
{
    if (now_ms - engine->rate_since_ms < 1000)
        return;
    int64_t records = records_of(engine);
    int64_t rate = (records - engine->rate_records) * 1000 / (now_ms - engine->rate_since_ms);
    counter_set(&engine->rate, rate);
    engine->rate_records = records;
    engine->rate_since_ms = now_ms;
    bool backlog = lag_of(engine) > 2 * rate + BACKLOG_RECORDS;
    if (backlog != engine->backlog)
        order_publisher(engine, (struct order){.kind = ORDER_BACKLOG, .on = backlog});
    engine->backlog = backlog;
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
    engine->plan_id = engine_plan_id(options);
    snprintf(engine->units, sizeof engine->units, "%s %s", options->config->reporter,
             options->config->reporting_currency);
    wire_init();
    pthread_mutex_init(&engine->lock, NULL);
    set_reason(engine, "connecting to the brokers");
    engine->routes[0] = (struct http_route){"/livez", engine_livez_handle, engine};
    engine->routes[1] = (struct http_route){"/readyz", engine_readyz_handle, engine};
    engine->routes[2] = (struct http_route){"/metrics", engine_metrics_handle, engine};
    engine->routes[3] = (struct http_route){"/status", engine_status_handle, engine};
    engine->routes[4] = (struct http_route){"/", page_handle, NULL};
    if (options->config->http_listen[0]) {
        enum err err = http_start(options->config->http_listen, engine->routes,
                                  sizeof engine->routes / sizeof engine->routes[0], &engine->http, info);
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
            pause_ms(MAIN_TICK_MS);
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
        .rules = engine->options.rules,
        .reference = engine->options.reference,
        .plan_id = engine->plan_id,
        .units = engine->units,
        .topic = config->topic_declarations,
        .frame_interval_ms = config->frame_interval_ms,
        .idle_ms = config->time_idle_ms,
        .rejects_payload = config->rejects_payload,
        .rejects_days = engine->rejects_days,
        .batch = engine_batch_options(config, engine->options.rules, engine->partitions),
        .random = system_random,
    };
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
        .folds = config->role != CONFIG_ROLE_AGGREGATE,
        .plan_id = engine->plan_id,
        .random = system_random,
        .echo = take_echo,
        .echo_context = engine,
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
    engine->owner = memory_new(partitions, sizeof engine->owner[0]);
    engine->releasing = memory_new(partitions, sizeof engine->releasing[0]);
    engine->committed = memory_new(partitions, sizeof engine->committed[0]);
    engine->echo_owner = memory_new(partitions, sizeof engine->echo_owner[0]);
    engine->is_owned = memory_new(partitions, sizeof engine->is_owned[0]);
    for (int32_t i = 0; i < engine->partitions; i++) {
        pthread_mutex_init(&engine->statuses[i].lock, NULL);
        counter_set(&engine->statuses[i].event_ms, INT64_MIN);
        engine->owner[i] = ENGINE_NO_OWNER;
        engine->echo_owner[i] = ENGINE_NO_OWNER;
    }
    engine->publisher_orders = ring_new(ORDERS, sizeof(struct order));
    for (int32_t i = 0; i < workers; i++) {
        struct worker_options options = worker_options_of(engine, i);
        engine->workers[i] = (struct engine_worker){.engine = engine, .worker = worker_new(&options), .lane = i};
    }
    make_publisher(engine);
    engine->connected = true;
    pthread_mutex_unlock(&engine->lock);
}

static bool all_released(const struct engine *engine)
{
    return counter_read(&engine->assigned) == 0;
}

static bool hurried(const struct engine *engine)
{
    return engine->options.stop_at_once && engine->options.stop_at_once();
}

/* Not ready; last groups out and echoed; what they changed published; then the threads end. */
static void drain(struct engine *engine)
{
    counter_set(&engine->phase, ENGINE_STOPPING);
    log_event(LOG_LEVEL_INFO, "stopping", LOG_NONE, "sealing and publishing what is counted");
    bool led = engine->options.config->role == CONFIG_ROLE_PUBLISH || engine->owner[0] != ENGINE_NO_OWNER;
    for (int32_t i = 0; i < engine->partitions; i++) {
        if (engine->owner[i] != ENGINE_NO_OWNER && !engine->releasing[i]) {
            engine->releasing[i] = true;
            command(engine, engine->owner[i], WORKER_RELEASE, i);
        }
    }
    for (int64_t waited = 0; waited < DRAIN_MS && !all_released(engine) && !hurried(engine); waited += MAIN_TICK_MS) {
        take_membership(engine);
        pause_ms(MAIN_TICK_MS);
    }
    const struct publisher_counters *counters = publisher_counters(engine->publisher);
    for (int64_t waited = 0; led && waited < QUIET_MS && !hurried(engine); waited += MAIN_TICK_MS) {
        take_membership(engine);
        if (counter_read(&counters->published_declarations) >= counter_read(&counters->folded_declarations))
            break;
        pause_ms(MAIN_TICK_MS);
    }
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

static void serve(struct engine *engine)
{
    int8_t *reported = memory_new((size_t)engine->partitions, sizeof reported[0]);
    if (engine->options.config->role == CONFIG_ROLE_PUBLISH)
        order_publisher(engine, (struct order){.kind = ORDER_LEAD, .on = true});
    while (!engine->options.stop_requested()) {
        int64_t now_ms = clock_wall_ms();
        take_membership(engine);
        commit_positions(engine, now_ms);
        measure_rate(engine, now_ms);
        report_partitions(engine, reported);
        report_trims(engine);
        pause_ms(MAIN_TICK_MS);
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
              "dryport %s, plan %016" PRIx64, DRYPORT_VERSION, engine->plan_id);
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
    http_stop(engine->http);
    for (int32_t i = 0; i < engine->worker_count; i++)
        worker_free(engine->workers[i].worker);
    publisher_free(engine->publisher);
    if (engine->connected)
        port_kafka_close(&engine->port, CLOSE_MS);
    ring_free(engine->publisher_orders);
    memory_free(engine->statuses);
    memory_free(engine->owner);
    memory_free(engine->releasing);
    memory_free(engine->committed);
    memory_free(engine->echo_owner);
    memory_free(engine->is_owned);
    pthread_mutex_destroy(&engine->lock);
    memory_free(engine);
}
