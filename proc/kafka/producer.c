/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/producer.h"

#include "base/check.h"
#include "base/memory.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <string.h>

struct producer {
    const struct kafka_options *options;
    struct client_health *health;
    struct client_health *own_health; /* made here if the caller has none */
    rd_kafka_t *handle;
    rd_kafka_queue_t *events;
    rd_kafka_topic_t *topics[PORT_TOPICS];
    rd_kafka_event_t *reports; /* the one being given out */
    int64_t pending;
    bool limit_is_stale;
};

enum { RECORD_FRAME_BYTES = 64 }; /* of one record in a batch, with its header "as_of" */

static bool user_compresses(const struct kafka_options *options)
{
    for (size_t i = 0; i < options->setting_count; i++) {
        const struct kafka_setting *setting = &options->settings[i];
        if (setting->scope != KAFKA_CONSUMER &&
            (strcmp(setting->key, "compression.codec") == 0 || strcmp(setting->key, "compression.type") == 0)) {
            return true;
        }
    }
    return false;
}

static enum err topic_new(struct producer *producer, enum port_topic topic, struct err_info *info)
{
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(producer->handle);
    char words[128];
    rd_kafka_conf_res_t result = rd_kafka_topic_conf_set(conf, "partitioner", "murmur2_random", words, sizeof words);
    if (result == RD_KAFKA_CONF_OK && topic == PORT_JOURNAL) { /* frames are compressed by their writer */
        result = rd_kafka_topic_conf_set(conf, "compression.codec", "none", words, sizeof words);
    } else if (result == RD_KAFKA_CONF_OK && !user_compresses(producer->options)) {
        result = rd_kafka_topic_conf_set(conf, "compression.codec", "zstd", words, sizeof words);
        if (result == RD_KAFKA_CONF_OK) { /* measured: 4.8 us a record in all, level 3 takes 6.5 */
            result = rd_kafka_topic_conf_set(conf, "compression.level", "1", words, sizeof words);
        }
    }
    if (result != RD_KAFKA_CONF_OK) {
        rd_kafka_topic_conf_destroy(conf);
        return err_set(info, ERR_CONFIG, "librdkafka %s lacks what is needed: %s", rd_kafka_version_str(), words);
    }
    producer->topics[topic] = rd_kafka_topic_new(producer->handle, producer->options->topics[topic], conf);
    if (producer->topics[topic] == NULL) {
        return client_fail(producer->options, rd_kafka_last_error(), NULL, producer->options->topics[topic], info);
    }
    return OK;
}

enum err producer_open(const struct kafka_options *options, struct client_health *health, struct producer **out,
                       struct err_info *info)
{
    struct producer *producer = memory_new(1, sizeof *producer);
    producer->options = options;
    producer->own_health = health == NULL ? client_health_new(options) : NULL;
    producer->health = health == NULL ? producer->own_health : health;
    enum err err = client_new(options, CLIENT_PRODUCER, producer->health, &producer->handle, info);
    if (err == OK) {
        producer->events = rd_kafka_queue_get_main(producer->handle);
        *out = producer;
        return OK;
    }
    producer_close(producer);
    return err;
}

void producer_close(struct producer *producer)
{
    if (producer == NULL) {
        return;
    }
    if (producer->reports != NULL) {
        rd_kafka_event_destroy(producer->reports);
    }
    for (size_t i = 0; i < PORT_TOPICS; i++) {
        if (producer->topics[i] != NULL) {
            rd_kafka_topic_destroy(producer->topics[i]);
        }
    }
    if (producer->events != NULL) {
        rd_kafka_queue_io_event_enable(producer->events, -1, NULL, 0);
        rd_kafka_queue_destroy(producer->events);
    }
    client_close(producer->handle, producer->health);
    if (producer->own_health != NULL) {
        client_health_wait_closed(producer->own_health, client_timeout_ms(producer->options));
        client_health_free(producer->own_health);
    }
    memory_free(producer);
}

static enum err fail(const struct producer *producer, const struct producer_record *record, int code,
                     struct err_info *info)
{
    char fatal[CLIENT_TEXT_BYTES] = "";
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        code = rd_kafka_fatal_error(producer->handle, fatal, sizeof fatal);
        enum err err = client_fail(producer->options, code, fatal, "the producer is out of order for good", info);
        (void)err; /* whatever the code: this producer is done with */
        return ERR_PEER;
    }
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return err_set(info, ERR_FULL, "the local queue is full: the broker takes records more slowly than they come");
    }
    char what[CLIENT_TEXT_BYTES];
    snprintf(what, sizeof what, "writing %zu bytes to %s/%d", record->value.length,
             producer->options->topics[record->topic], record->partition);
    return client_fail(producer->options, code, NULL, what, info);
}

/* With librdkafka's loose types: it takes const data as void * and copies it (MSG_F_COPY). */
static void *loose(const void *data)
{
    union {
        const void *in;
        void *out;
    } cast = {data};
    return cast.out;
}

enum err producer_append(struct producer *producer, const struct producer_record *record, struct err_info *info)
{
    if (producer->topics[record->topic] == NULL) {
        TRY(topic_new(producer, record->topic, info));
    }
    char as_of[32];
    rd_kafka_headers_t *headers = NULL;
    if (record->as_of != PORT_NO_AS_OF) {
        int length = snprintf(as_of, sizeof as_of, "%lld", (long long)record->as_of);
        headers = rd_kafka_headers_new(1);
        rd_kafka_header_add(headers, "as_of", -1, as_of, length);
    }
    static const uint8_t nothing[1];
    const void *value = record->value.data != NULL ? record->value.data : nothing;
    rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = producer->topics[record->topic]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {loose(record->key.data), record->key.length}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {record->is_null ? NULL : loose(value), record->value.length}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)record->token},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = sizeof arguments / sizeof arguments[0] - (headers == NULL ? 1 : 0);
    rd_kafka_error_t *error = rd_kafka_produceva(producer->handle, arguments, count);
    if (error == NULL) {
        producer->pending++;
        return OK;
    }
    int code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (headers != NULL) {
        rd_kafka_headers_destroy(headers); /* ours again, as the call failed */
    }
    return fail(producer, record, code, info);
}

/* Tells health why a record did not arrive. A producer that is out of order for good (it may not write anywhere, say) purges its
 * records: then its own trouble is the reason. */
static void tell_why(struct producer *producer, const rd_kafka_message_t *message)
{
    char what[CLIENT_TEXT_BYTES];
    char fatal[CLIENT_TEXT_BYTES] = "";
    struct err_info info;
    int trouble = rd_kafka_fatal_error(producer->handle, fatal, sizeof fatal);
    int code = trouble != RD_KAFKA_RESP_ERR_NO_ERROR ? trouble : message->err;
    snprintf(what, sizeof what, "writing to %s", rd_kafka_topic_name(message->rkt));
    enum err told = client_fail(producer->options, code, fatal, what, &info);
    (void)told; /* what the owner is told is result_of's */
    client_health_error(producer->health, code, info.text);
}

/* A code of a delivery report -> what the owner of the record should know. Never ERR_FULL: the record is gone. */
static enum err result_of(struct producer *producer, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return OK;
    }
    tell_why(producer, message);
    if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE &&
        (int64_t)(message->key_len + message->len) + RECORD_FRAME_BYTES <= producer->options->batch_bytes) {
        producer->limit_is_stale = true; /* the batch was too large, not this record */
        return ERR_PEER;
    }
    enum err err = client_err(message->err);
    return err == ERR_FULL ? ERR_PEER : err;
}

/* The next delivery report; NULL if there is none now. */
static const rd_kafka_message_t *next_report(struct producer *producer)
{
    for (;;) {
        if (producer->reports != NULL) {
            const rd_kafka_message_t *message = rd_kafka_event_message_next(producer->reports);
            if (message != NULL) {
                return message;
            }
            rd_kafka_event_destroy(producer->reports);
        }
        producer->reports = rd_kafka_queue_poll(producer->events, 0);
        if (producer->reports == NULL) {
            return NULL;
        }
        client_event(producer->handle, producer->reports, producer->health); /* no messages in it then */
    }
}

size_t producer_acks(struct producer *producer, struct port_ack *out, size_t most)
{
    size_t count = 0;
    while (count < most) {
        const rd_kafka_message_t *message = next_report(producer);
        if (message == NULL) {
            break;
        }
        producer->pending--;
        out[count++] = (struct port_ack){
            .token = (uint64_t)(uintptr_t)message->_private,
            .partition = message->partition,
            .result = result_of(producer, message),
            .offset = message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? message->offset : -1,
        };
    }
    return count;
}

int64_t producer_pending(const struct producer *producer)
{
    return producer->pending;
}

bool producer_limit_is_stale(const struct producer *producer)
{
    return producer->limit_is_stale;
}

void producer_wait(struct producer *producer, int64_t timeout_ms)
{
    if (producer->reports == NULL) {
        producer->reports = rd_kafka_queue_poll(producer->events, (int)timeout_ms);
        if (producer->reports != NULL) {
            client_event(producer->handle, producer->reports, producer->health);
        }
    }
}

void producer_wake_fd(struct producer *producer, int fd)
{
    static const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(producer->events, fd, &one, sizeof one);
}
