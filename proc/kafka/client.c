/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/client.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/span.h"
#include "kafka/credentials.h"

#include <librdkafka/rdkafka.h>

#include <pthread.h>
#include <stdio.h>

enum {
    VERSION_FETCH_BACKOFF = 0x02020000,
    VERSION_COOPERATIVE = 0x02060100, /* #4783: before it a member can spin at 100 % CPU */
    PARTITION_QUEUE_KB_LEAST = 1024,
    PARTITION_QUEUE_KB_MOST = 65536,
    BATCH_BYTES_STANDARD = 1000000, /* librdkafka's batch.size */
};

static int on_statistics(rd_kafka_t *handle, char *json, size_t length, void *opaque)
{
    (void)length;
    client_health_statistics(opaque, handle, json);
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
        client_health_statistics(health, handle, rd_kafka_event_stats(event));
        break;
    default:
        break;
    }
}

/* librdkafka's own lines are for looking closely: what people must know comes through on_error, once. */
static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    struct client_health *health = rd_kafka_opaque(handle);
    if (health != NULL) {
        char line[512];
        snprintf(line, sizeof line, "%s: %s", facility, text);
        client_health_log(health, level <= 2 ? KAFKA_ERROR : KAFKA_DEBUG, "librdkafka", line);
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
    {"enable.partition.eof", "true"}, /* the last record of a compacted partition may be gone: offsets do not tell the end */
    {"isolation.level", "read_uncommitted"}, {"fetch.wait.max.ms", "100"},           {"queued.min.messages", "10000"},
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

/* A value that is a password or a key stays in memory no longer than it takes to hand it over. */
static enum err put_file(rd_kafka_conf_t *conf, const char *property, const struct kafka_setting *setting,
                         struct err_info *info)
{
    char *value = memory_new(1, CREDENTIALS_BYTES);
    char words[256];
    enum err err = credentials_read(setting->value, value, info);
    if (err == OK && rd_kafka_conf_set(conf, property, value, words, sizeof words) != RD_KAFKA_CONF_OK) {
        /* librdkafka's words may quote the value */
        err = err_set(info, ERR_CONFIG, "librdkafka %s does not take the content of %s for %s", rd_kafka_version_str(),
                      setting->value, property);
    }
    memory_wipe(value, CREDENTIALS_BYTES);
    memory_free(value);
    return err;
}

static enum err put_of_user(rd_kafka_conf_t *conf, const struct kafka_setting *setting, struct err_info *info)
{
    const char *prefix = scope_prefixes[setting->scope];
    const char *origin = setting->origin != NULL ? setting->origin : "";
    const char *colon = setting->origin != NULL ? ": " : "";
    char of_file[CREDENTIALS_PROPERTY_BYTES];
    bool is_file = credentials_property(setting->key, of_file);
    const char *property = is_file ? of_file : setting->key;
    for (const struct setting *reserved = reserved_settings; reserved->key != NULL; reserved++) {
        if (strcmp(reserved->key, property) == 0) {
            return err_set(info, ERR_CONFIG, "%s%s%s%s can't be set: %s; remove it", origin, colon, prefix,
                           setting->key, reserved->value);
        }
    }
    if (is_file) {
        enum err err = put_file(conf, property, setting, info);
        return err == OK ? OK : err_prefix(info, err, "%s%s%s%s", origin, colon, prefix, setting->key);
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
    client_health_wait_closed(health, client_timeout_ms(options));
    client_health_free(health);
    return err;
}

static bool logs_in_by_token(const rd_kafka_conf_t *conf)
{
    char mechanism[64] = "";
    size_t bytes = sizeof mechanism;
    return rd_kafka_conf_get(conf, "sasl.mechanisms", mechanism, &bytes) == RD_KAFKA_CONF_OK &&
           strcmp(mechanism, "OAUTHBEARER") == 0;
}

enum err client_new(const struct kafka_options *options, enum client_kind kind, struct client_health *health,
                    struct rd_kafka_s **out, struct err_info *info)
{
    bool is_producer = kind == CLIENT_PRODUCER;
    uint64_t stamp = credentials_stamp(options, is_producer); /* before they are read: a later change is seen */
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
    bool by_token = logs_in_by_token(conf);
    rd_kafka_conf_enable_sasl_queue(conf, by_token);

    char words[256];
    rd_kafka_t *handle = rd_kafka_new(is_producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, words, sizeof words);
    if (handle == NULL) {
        rd_kafka_conf_destroy(conf);
        return err_set(info, ERR_CONFIG, "librdkafka %s refuses the kafka.* settings: %s", rd_kafka_version_str(),
                       words);
    }
    /* Tokens are fetched by a thread of librdkafka: no thread of ours polls each handle's own queue. */
    rd_kafka_error_t *error = by_token ? rd_kafka_sasl_background_callbacks_enable(handle) : NULL;
    if (error != NULL) {
        err = err_set(info, ERR_CONFIG, "librdkafka %s can't fetch tokens: %s", rd_kafka_version_str(),
                      rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        rd_kafka_destroy(handle);
        return err;
    }
    client_health_opened(health, handle, stamp);
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

    client_health_closed(health, closing.handle);
    return NULL;
}

void client_close(struct rd_kafka_s *handle, struct client_health *health)
{
    if (handle == NULL) {
        return;
    }
    client_health_closing(health, handle);
    struct closing *closing = memory_new(1, sizeof *closing);
    *closing = (struct closing){handle, health};
    pthread_t thread;
    if (pthread_create(&thread, NULL, close_thread, closing) != 0) {
        close_thread(closing); /* no thread to be had: slow, but closed */
        return;
    }
    pthread_detach(thread);
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
        return "check kafka.security.protocol, kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password.file";
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
        return client_err(code) == ERR_PEER
                   ? "check brokers and kafka.security.protocol, and that the broker runs and can be reached from here"
                   : "see the broker's log";
    }
}

enum err client_fail(const struct kafka_options *options, int code, const char *reason, const char *what,
                     struct err_info *info)
{
    const char *words = reason != NULL && reason[0] != '\0' ? reason : rd_kafka_err2str((rd_kafka_resp_err_t)code);
    enum err err = client_err(code);
    /* a broker that refuses our certificate is a broken connection to librdkafka */
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT && strstr(words, "SSL") != NULL) {
        code = RD_KAFKA_RESP_ERR__SSL;
    }
    return err_set(info, err == OK ? ERR_PEER : err, "%s: %s (brokers=%s): %s", what, words, options->brokers,
                   mend_of(code));
}

int64_t client_timeout_ms(const struct kafka_options *options)
{
    return options->timeout_ms > 0 ? options->timeout_ms : CLIENT_TIMEOUT_MS;
}
