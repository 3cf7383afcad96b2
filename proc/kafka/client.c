/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/client.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/span.h"

#include <librdkafka/rdkafka.h>

#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum {
    HANDLES_MAX = 256,
    VERSION_FETCH_BACKOFF = 0x02020000,
    VERSION_COOPERATIVE = 0x02060100, /* #4783: before it a member can spin at 100 % CPU */
    LOG_AGAIN_MS = 60000,
    ERROR_TEXT_FRESH_MS = 30000,
    CODES_MAX = 32,
    PARTITION_QUEUE_KB_LEAST = 1024,
    PARTITION_QUEUE_KB_MOST = 65536,
    BATCH_BYTES_STANDARD = 1000000, /* librdkafka's batch.size */
};

/* What the newest statistics of one handle say. */
struct handle_view {
    const rd_kafka_t *handle;
    int64_t request_timeouts;
    int64_t fetch_queue_bytes;
};

struct logged {
    int code;
    int64_t at_ms;
};

struct client_health {
    /* const after new */
    void *log_context;
    struct client_health *next_abandoned; /* written once, under abandoned_lock */
    /* guarded by lock; nothing else is locked while it is held */
    pthread_mutex_t lock;
    pthread_cond_t closed;
    kafka_log_fn *log;
    struct kafka_health shown;
    int64_t timeouts_of_gone; /* request timeouts of handles that are closed */
    struct handle_view handles[HANDLES_MAX];
    struct logged logged[CODES_MAX];
    int32_t closing;
};

/* Healths of handles that were still closing when their owner went: the end of the process takes them. */
static pthread_mutex_t abandoned_lock = PTHREAD_MUTEX_INITIALIZER;
static struct client_health *abandoned;

/* ---- health
 * ------------------------------------------------------------------------------------------------------------ */

struct client_health *client_health_new(const struct kafka_options *options)
{
    struct client_health *health = memory_new(1, sizeof *health);
    health->log = options->log;
    health->log_context = options->log_context;
    pthread_mutex_init(&health->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&health->closed, &attributes);
    pthread_condattr_destroy(&attributes);
    return health;
}

void client_health_free(struct client_health *health)
{
    if (health == NULL) {
        return;
    }
    pthread_mutex_lock(&health->lock);
    bool is_used = health->closing > 0;
    health->log = NULL;
    pthread_mutex_unlock(&health->lock);
    if (is_used) {
        pthread_mutex_lock(&abandoned_lock);
        health->next_abandoned = abandoned;
        abandoned = health;
        pthread_mutex_unlock(&abandoned_lock);
        return;
    }
    pthread_cond_destroy(&health->closed);
    pthread_mutex_destroy(&health->lock);
    memory_free(health);
}

void client_health_read(struct client_health *health, struct kafka_health *out)
{
    pthread_mutex_lock(&health->lock);
    *out = health->shown;
    out->request_timeouts = health->timeouts_of_gone;
    out->fetch_queue_bytes = 0;
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        out->request_timeouts += health->handles[i].request_timeouts;
        out->fetch_queue_bytes += health->handles[i].fetch_queue_bytes;
    }
    pthread_mutex_unlock(&health->lock);
}

/* True if a line about this code is due. Called with the lock held. */
static bool log_is_due(struct client_health *health, int code, int64_t now)
{
    struct logged *oldest = &health->logged[0];
    for (size_t i = 0; i < CODES_MAX; i++) {
        struct logged *entry = &health->logged[i];
        if (entry->at_ms != 0 && entry->code == code) {
            if (now - entry->at_ms < LOG_AGAIN_MS) {
                return false;
            }
            entry->at_ms = now;
            return true;
        }
        if (entry->at_ms < oldest->at_ms) {
            oldest = entry;
        }
    }
    *oldest = (struct logged){code, now};
    return true;
}

void client_health_error(struct client_health *health, int code, const char *text)
{
    int64_t now = clock_wall_ms();
    pthread_mutex_lock(&health->lock);
    bool is_summary = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (is_summary) {
        health->shown.is_reachable = false;
    }
    health->shown.errors++;
    /* "1/1 brokers are down" says less than the connection error just before it. */
    if (!is_summary || now - health->shown.last_error_ms > ERROR_TEXT_FRESH_MS) {
        snprintf(health->shown.last_error, sizeof health->shown.last_error, "%s", text);
        health->shown.last_error_ms = now;
        health->shown.last_error_code = code;
    }
    kafka_log_fn *log = log_is_due(health, code, now) ? health->log : NULL;
    pthread_mutex_unlock(&health->lock);
    if (log != NULL) {
        log(health->log_context, client_is_passing(code) ? KAFKA_WARNING : KAFKA_ERROR, "kafka_error", text);
    }
}

/* Sum of the whole numbers that follow each `key` in json. */
static int64_t sum_of(const char *json, const char *key)
{
    int64_t sum = 0;
    size_t length = strlen(key);
    for (const char *at = strstr(json, key); at != NULL; at = strstr(at, key)) {
        at += length;
        struct text digits = {at, 0};
        while (digits.length < 19 && at[digits.length] >= '0' && at[digits.length] <= '9') {
            digits.length++;
        }
        int64_t v;
        if (text_to_int64(digits, &v)) {
            sum += v;
        }
    }
    return sum;
}

/* Mean round trip over all brokers of the statistics, in seconds; 0 if no request was answered. */
static double rtt_of(const char *json)
{
    static const char key[] = "\"rtt\": {";
    int64_t sum = 0;
    int64_t count = 0;
    for (const char *at = strstr(json, key); at != NULL; at = strstr(at, key)) {
        at += sizeof key - 1;
        const char *end = strchr(at, '}');
        char object[512];
        if (end == NULL || (size_t)(end - at) >= sizeof object) {
            continue;
        }
        memcpy(object, at, (size_t)(end - at));
        object[end - at] = '\0';
        sum += sum_of(object, "\"sum\":");
        count += sum_of(object, "\"cnt\":");
    }
    return count > 0 ? (double)sum / (double)count / 1e6 : 0.0;
}

static struct handle_view *view_of(struct client_health *health, const rd_kafka_t *handle)
{
    struct handle_view *empty = NULL;
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        if (health->handles[i].handle == handle) {
            return &health->handles[i];
        }
        if (health->handles[i].handle == NULL && empty == NULL) {
            empty = &health->handles[i];
        }
    }
    if (empty != NULL) {
        empty->handle = handle;
    }
    return empty;
}

static void note_statistics(const rd_kafka_t *handle, const char *json, struct client_health *health)
{
    int64_t timeouts = sum_of(json, "\"req_timeouts\":");
    int64_t queued = sum_of(json, "\"fetchq_size\":");
    double rtt = rtt_of(json);
    bool is_up = strstr(json, "\"state\":\"UP\"") != NULL;

    pthread_mutex_lock(&health->lock);
    struct handle_view *view = view_of(health, handle);
    if (view != NULL) {
        view->request_timeouts = timeouts;
        view->fetch_queue_bytes = queued;
    }
    if (rtt > 0.0) {
        health->shown.rtt_seconds = rtt;
    }
    if (is_up) {
        health->shown.is_reachable = true;
    }
    pthread_mutex_unlock(&health->lock);
}

static int on_statistics(rd_kafka_t *handle, char *json, size_t length, void *opaque)
{
    (void)length;
    note_statistics(handle, json, opaque);
    return 0; /* librdkafka frees json */
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    char text[CLIENT_TEXT_BYTES];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        code = rd_kafka_fatal_error(handle, text, sizeof text);
        client_health_error(opaque, code, text);
        return;
    }
    client_health_error(opaque, code, reason);
}

void client_event(struct rd_kafka_s *handle, struct rd_kafka_op_s *event, struct client_health *health)
{
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_ERROR: /* a fatal error comes with its real code here */
        client_health_error(health, rd_kafka_event_error(event), rd_kafka_event_error_string(event));
        break;
    case RD_KAFKA_EVENT_STATS:
        note_statistics(handle, rd_kafka_event_stats(event), health);
        break;
    default:
        break;
    }
}

/* librdkafka's own lines are for looking closely: what people must know comes through on_error, once. */
static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    struct client_health *health = rd_kafka_opaque(handle);
    if (health == NULL) {
        return;
    }
    pthread_mutex_lock(&health->lock);
    kafka_log_fn *log = health->log;
    pthread_mutex_unlock(&health->lock);
    if (log != NULL) {
        char line[512];
        snprintf(line, sizeof line, "%s: %s", facility, text);
        log(health->log_context, level <= 2 ? KAFKA_ERROR : KAFKA_DEBUG, "librdkafka", line);
    }
}

/* ---- settings
 * ---------------------------------------------------------------------------------------------------------- */

struct setting {
    const char *key;
    const char *value;
};

static const struct setting common_settings[] = {
    {"client.id", "dryport"},
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"log.connection.close", "false"},
    {"reconnect.backoff.ms", "100"},
    {"reconnect.backoff.max.ms", "2000"},
    {"statistics.interval.ms", "5000"},
    {NULL, NULL},
};

static const struct setting consumer_settings[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"check.crcs", "true"},
    {"enable.partition.eof", "false"},
    {"allow.auto.create.topics", "false"},
    {"fetch.error.backoff.ms", "200"},
    {"fetch.max.bytes", "33554432"},
    {"receive.message.max.bytes", "67108864"},
    {NULL, NULL},
};

static const struct setting input_settings[] = {
    {"enable.partition.eof", "true"}, /* tells when a partition is idle; offsets of such events are not used */
    {"isolation.level", "read_committed"}, {"fetch.wait.max.ms", "100"}, /* a partition that runs empty may wait as long
                                                                            behind idle ones: one fetch a broker */
    {"queued.min.messages", "100000"},     {"fetch.message.max.bytes", "1048576"}, {NULL, NULL},
};

static const struct setting reader_settings[] = {
    {"isolation.level", "read_uncommitted"}, {"fetch.wait.max.ms", "250"},           {"queued.min.messages", "10000"},
    {"queued.max.messages.kbytes", "16384"}, {"fetch.message.max.bytes", "4194304"}, {NULL, NULL},
};

static const struct setting member_settings[] = {
    {"max.poll.interval.ms", "300000"},
    {"statistics.interval.ms", "2000"}, /* it is how a recovered broker is noticed */
    {NULL, NULL},
};

static const struct setting producer_settings[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"linger.ms", "5"},
    {"message.timeout.ms", "30000"},
    {"queue.buffering.max.messages", "200000"},
    {"queue.buffering.max.kbytes", "65536"},
    {NULL, NULL},
};

/* What the protocol, or this program's own keys, decide: a user's kafka.* may not. */
static const struct setting reserved_settings[] = {
    {"bootstrap.servers", "use the key brokers"},
    {"metadata.broker.list", "use the key brokers"},
    {"group.id", "use the key group"},
    {"enable.auto.commit", "start offsets come from the journal"},
    {"auto.commit.enable", "start offsets come from the journal"},
    {"enable.auto.offset.store", "start offsets come from the journal"},
    {"auto.offset.reset", "a lost offset must halt its partition, never skip records"},
    {"check.crcs", "every record is checked"},
    {"isolation.level", "each reader has the level that the protocol needs"},
    {"enable.partition.eof", "the program reads the log's end where it needs it"},
    {"allow.auto.create.topics", "use the keys topics.create, topics.partitions and topics.replication"},
    {"enable.idempotence", "the journal needs an idempotent producer"},
    {"acks", "a frame counts only when all in-sync replicas have it"},
    {"request.required.acks", "a frame counts only when all in-sync replicas have it"},
    {"message.timeout.ms", "the journal's fence relies on its bound of 30 s"},
    {"delivery.timeout.ms", "the journal's fence relies on its bound of 30 s"},
    {"transactional.id", "no transactions are used"},
    {"enable.gapless.guarantee", "the journal's numbering does this"},
    {"queuing.strategy", "records must keep their order"},
    {"partitioner", "declarations and statistics use murmur2_random, as Java does"},
    {"group.protocol", "only the classic group protocol is supported"},
    {"log.queue", "logs have their own way out"},
    {"test.mock.num.brokers", "use the command demo"},
    {NULL, NULL},
};

static enum err put(rd_kafka_conf_t *conf, const char *key, const char *value, struct err_info *info)
{
    char words[256];
    if (rd_kafka_conf_set(conf, key, value, words, sizeof words) != RD_KAFKA_CONF_OK) {
        return err_set(info, ERR_CONFIG, "kafka.%s=%s: %s", key, value, words);
    }
    return OK;
}

static enum err put_all(rd_kafka_conf_t *conf, const struct setting *settings, struct err_info *info)
{
    for (; settings->key != NULL; settings++) {
        TRY(put(conf, settings->key, settings->value, info));
    }
    return OK;
}

static const char *const scope_prefixes[] = {
    [KAFKA_BOTH] = "kafka.", [KAFKA_CONSUMER] = "kafka.consumer.", [KAFKA_PRODUCER] = "kafka.producer."};

static enum err put_of_user(rd_kafka_conf_t *conf, const struct kafka_setting *setting, struct err_info *info)
{
    const char *prefix = scope_prefixes[setting->scope];
    const char *origin = setting->origin != NULL ? setting->origin : "";
    const char *colon = setting->origin != NULL ? ": " : "";
    for (const struct setting *reserved = reserved_settings; reserved->key != NULL; reserved++) {
        if (strcmp(reserved->key, setting->key) == 0) {
            return err_set(info, ERR_CONFIG, "%s%s%s%s can't be set: %s; remove it", origin, colon, prefix,
                           setting->key, reserved->value);
        }
    }
    char words[256];
    if (rd_kafka_conf_set(conf, setting->key, setting->value, words, sizeof words) != RD_KAFKA_CONF_OK) {
        return err_set(info, ERR_CONFIG, "%s%s%s%s: librdkafka %s says: %s", origin, colon, prefix, setting->key,
                       rd_kafka_version_str(), words);
    }
    return OK;
}

/* Prefetch of one partition: half of an equal share, because librdkafka overshoots by a fetch (#5140). */
static enum err put_prefetch(rd_kafka_conf_t *conf, const struct kafka_options *options, struct err_info *info)
{
    size_t budget = options->prefetch_bytes != 0 ? options->prefetch_bytes : (size_t)CLIENT_PREFETCH_BYTES;
    size_t partitions = options->partitions > 0 ? (size_t)options->partitions : 1;
    size_t kilobytes = budget / (2 * partitions) / 1024;
    if (kilobytes < PARTITION_QUEUE_KB_LEAST) {
        kilobytes = PARTITION_QUEUE_KB_LEAST;
    }
    if (kilobytes > PARTITION_QUEUE_KB_MOST) {
        kilobytes = PARTITION_QUEUE_KB_MOST;
    }
    char text[32];
    snprintf(text, sizeof text, "%zu", kilobytes);
    return put(conf, "queued.max.messages.kbytes", text, info);
}

/* When a partition's queue is full, librdkafka looks again after a pause: this setting. Before 2.2.0 see reader_nudge.
 */
static enum err put_queue_backoff(rd_kafka_conf_t *conf, struct err_info *info)
{
    return client_needs_nudge() ? OK : put(conf, "fetch.queue.backoff.ms", "10", info);
}

/* A topic's max.message.bytes bounds the whole batch: in a batch that passes it, records would be refused that fit alone. A record
 * that is larger than this is sent in a batch of its own. */
static enum err put_batch(rd_kafka_conf_t *conf, const struct kafka_options *options, struct err_info *info)
{
    if (options->batch_bytes <= 0 || options->batch_bytes >= BATCH_BYTES_STANDARD) {
        return OK;
    }
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)options->batch_bytes);
    return put(conf, "batch.size", text, info);
}

static enum err put_kind(rd_kafka_conf_t *conf, const struct kafka_options *options, enum client_kind kind,
                         struct err_info *info)
{
    if (kind == CLIENT_PRODUCER) {
        rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
        TRY(put_all(conf, producer_settings, info));
        return put_batch(conf, options, info);
    }
    TRY(put_all(conf, consumer_settings, info));
    switch (kind) {
    case CLIENT_MEMBER:
        rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT);
        TRY(put(conf, "group.id", options->group, info));
        TRY(put(conf, "partition.assignment.strategy", client_is_cooperative() ? "cooperative-sticky" : "roundrobin",
                info));
        return put_all(conf, member_settings, info);
    case CLIENT_INPUT:
        if (options->group != NULL) { /* only to ask for committed offsets */
            TRY(put(conf, "group.id", options->group, info));
        }
        TRY(put_all(conf, input_settings, info));
        TRY(put_prefetch(conf, options, info));
        return put_queue_backoff(conf, info);
    default:
        return put_all(conf, reader_settings, info);
    }
}

static enum err put_users(rd_kafka_conf_t *conf, const struct kafka_options *options, enum client_kind kind,
                          struct err_info *info)
{
    enum kafka_scope other = kind == CLIENT_PRODUCER ? KAFKA_CONSUMER : KAFKA_PRODUCER;
    for (size_t i = 0; i < options->setting_count; i++) {
        if (options->settings[i].scope != other) {
            TRY(put_of_user(conf, &options->settings[i], info));
        }
    }
    return OK;
}

static enum err fill(rd_kafka_conf_t *conf, const struct kafka_options *options, enum client_kind kind,
                     struct err_info *info)
{
    if (options->brokers == NULL || options->brokers[0] == '\0') {
        return err_set(info, ERR_CONFIG, "brokers is empty: give host:port of at least one broker");
    }
    TRY(put(conf, "bootstrap.servers", options->brokers, info));
    TRY(put_all(conf, common_settings, info));
    TRY(put_kind(conf, options, kind, info));
    return put_users(conf, options, kind, info);
}

/* A handle that is made and thrown away is the only full check: some settings are judged only there (SASL, TLS files).
 */
enum err client_check(const struct kafka_options *options, struct err_info *info)
{
    struct client_health *health = client_health_new(options);
    static const enum client_kind kinds[] = {CLIENT_INPUT, CLIENT_PRODUCER};
    enum err err = OK;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && err == OK; i++) {
        rd_kafka_t *handle;
        err = client_new(options, kinds[i], health, &handle, info);
        if (err == OK) {
            client_close(handle, health);
        }
    }
    client_close_wait(health, client_timeout_ms(options));
    client_health_free(health);
    return err;
}

enum err client_new(const struct kafka_options *options, enum client_kind kind, struct client_health *health,
                    struct rd_kafka_s **out, struct err_info *info)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum err err = fill(conf, options, kind, info);
    if (err != OK) {
        rd_kafka_conf_destroy(conf);
        return err;
    }
    rd_kafka_conf_set_opaque(conf, health);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_statistics);

    char words[256];
    rd_kafka_t *handle =
        rd_kafka_new(kind == CLIENT_PRODUCER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, words, sizeof words);
    if (handle == NULL) {
        rd_kafka_conf_destroy(conf);
        return err_set(info, ERR_CONFIG, "librdkafka %s refuses the kafka.* settings: %s", rd_kafka_version_str(),
                       words);
    }
    *out = handle;
    return OK;
}

/* ---- closing
 * ----------------------------------------------------------------------------------------------------------- */

struct closing {
    rd_kafka_t *handle;
    struct client_health *health;
};

static void destroy(rd_kafka_t *handle)
{
    if (rd_kafka_type(handle) == RD_KAFKA_PRODUCER) {
        rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    }
    rd_kafka_destroy_flags(handle, 0);
}

static void *close_thread(void *argument)
{
    struct closing closing = *(struct closing *)argument;
    memory_free(argument);
    struct client_health *health = closing.health;
    destroy(closing.handle);

    pthread_mutex_lock(&health->lock);
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        if (health->handles[i].handle == closing.handle) {
            health->timeouts_of_gone += health->handles[i].request_timeouts;
            health->handles[i] = (struct handle_view){NULL, 0, 0};
        }
    }
    health->closing--;
    pthread_cond_broadcast(&health->closed);
    pthread_mutex_unlock(&health->lock);
    return NULL;
}

void client_close(struct rd_kafka_s *handle, struct client_health *health)
{
    if (handle == NULL) {
        return;
    }
    pthread_mutex_lock(&health->lock);
    health->closing++;
    pthread_mutex_unlock(&health->lock);

    struct closing *closing = memory_new(1, sizeof *closing);
    *closing = (struct closing){handle, health};
    pthread_t thread;
    if (pthread_create(&thread, NULL, close_thread, closing) != 0) {
        close_thread(closing); /* no thread to be had: slow, but closed */
        return;
    }
    pthread_detach(thread);
}

bool client_close_wait(struct client_health *health, int64_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&health->lock);
    int waited = 0;
    while (health->closing > 0 && waited == 0) {
        waited = pthread_cond_timedwait(&health->closed, &health->lock, &until);
    }
    bool is_done = health->closing == 0;
    pthread_mutex_unlock(&health->lock);
    return is_done;
}

/* ---- errors
 * ------------------------------------------------------------------------------------------------------------ */

bool client_is_cooperative(void)
{
    return rd_kafka_version() >= VERSION_COOPERATIVE;
}

bool client_needs_nudge(void)
{
    return rd_kafka_version() < VERSION_FETCH_BACKOFF;
}

bool client_is_passing(int code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR__IN_PROGRESS:
        return true;
    default:
        return code > 0 && client_err(code) == ERR_PEER;
    }
}

enum err client_err(int code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return OK;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return ERR_FULL;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return ERR_LIMIT;
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
        return ERR_CONFIG;
    default:
        return ERR_PEER;
    }
}

static const char *mend_of(int code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
        return "check kafka.security.protocol, kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password";
    case RD_KAFKA_RESP_ERR__SSL:
        return "check kafka.security.protocol and the kafka.ssl.* files";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return "grant it to this user in the broker's ACLs";
    case RD_KAFKA_RESP_ERR__RESOLVE:
        return "check the host name in brokers";
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return "create the topic, or set topics.create=true";
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return "raise kafka.producer.message.max.bytes and the topic's max.message.bytes";
    default:
        return client_err(code) == ERR_PEER ? "check brokers, and that the broker runs and can be reached from here"
                                            : "see the broker's log";
    }
}

enum err client_fail(const struct kafka_options *options, int code, const char *reason, const char *what,
                     struct err_info *info)
{
    const char *words = reason != NULL && reason[0] != '\0' ? reason : rd_kafka_err2str((rd_kafka_resp_err_t)code);
    enum err err = client_err(code);
    return err_set(info, err == OK ? ERR_PEER : err, "%s: %s (brokers=%s): %s", what, words, options->brokers,
                   mend_of(code));
}

int64_t client_timeout_ms(const struct kafka_options *options)
{
    return options->timeout_ms > 0 ? options->timeout_ms : CLIENT_TIMEOUT_MS;
}
