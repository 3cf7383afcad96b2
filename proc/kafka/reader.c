/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/reader.h"

#include "base/check.h"
#include "base/memory.h"

#include <librdkafka/rdkafka.h>

#include <pthread.h>
#include <stdio.h>

enum { TAKE_CHUNK = 256, NUDGE_MS = 10 };

struct reader {
    /* const after new */
    const struct kafka_options *options;
    struct client_health *health;
    rd_kafka_t *handle;
    /* guarded by lock; librdkafka's own locks are taken inside it, never the other way round */
    pthread_mutex_t lock;
    rd_kafka_topic_t *topics[PORT_TOPICS];
    struct reader_log *open; /* list */
};

struct reader_log {
    /* const after start */
    struct reader *reader;
    rd_kafka_queue_t *queue;
    enum port_topic topic;
    int32_t partition;
    /* guarded by reader->lock */
    struct reader_log *next;
    /* of the taking thread */
    int64_t expected;
    bool is_at_end;
};

enum err reader_new(const struct kafka_options *options, enum client_kind kind, struct client_health *health,
                    struct reader **out, struct err_info *info)
{
    rd_kafka_t *handle;
    TRY(client_new(options, kind, health, &handle, info));
    struct reader *reader = memory_new(1, sizeof *reader);
    reader->options = options;
    reader->health = health;
    reader->handle = handle;
    pthread_mutex_init(&reader->lock, NULL);
    *out = reader;
    return OK;
}

void reader_free(struct reader *reader)
{
    if (reader == NULL) {
        return;
    }
    CHECK(reader->open == NULL);
    for (size_t i = 0; i < PORT_TOPICS; i++) {
        if (reader->topics[i] != NULL) {
            rd_kafka_topic_destroy(reader->topics[i]);
        }
    }
    client_close(reader->handle, reader->health);
    pthread_mutex_destroy(&reader->lock);
    memory_free(reader);
}

/* Called with the lock held. */
static rd_kafka_topic_t *topic_of(struct reader *reader, enum port_topic topic)
{
    if (reader->topics[topic] == NULL) {
        reader->topics[topic] = rd_kafka_topic_new(reader->handle, reader->options->topics[topic], NULL);
    }
    return reader->topics[topic];
}

static bool is_open(const struct reader *reader, enum port_topic topic, int32_t partition)
{
    for (const struct reader_log *log = reader->open; log != NULL; log = log->next) {
        if (log->topic == topic && log->partition == partition) {
            return true;
        }
    }
    return false;
}

static struct reader_log *start(struct reader *reader, enum port_topic topic, int32_t partition, int64_t offset, int fd,
                                struct err_info *info)
{
    struct reader_log *log = memory_new(1, sizeof *log);
    *log =
        (struct reader_log){reader, rd_kafka_queue_new(reader->handle), topic, partition, reader->open, offset, false};
    if (fd >= 0) {
        reader_wake_fd(log, fd);
    }
    rd_kafka_topic_t *handle = topic_of(reader, topic);
    if (handle == NULL || rd_kafka_consume_start_queue(handle, partition, offset, log->queue) != 0) {
        char what[CLIENT_TEXT_BYTES];
        snprintf(what, sizeof what, "reading %s/%d from offset %lld", reader->options->topics[topic], partition,
                 (long long)offset);
        rd_kafka_queue_destroy(log->queue);
        memory_free(log);
        enum err ignored = client_fail(reader->options, rd_kafka_last_error(), NULL, what, info);
        (void)ignored;
        return NULL;
    }
    reader->open = log;
    return log;
}

struct reader_log *reader_start(struct reader *reader, enum port_topic topic, int32_t partition, int64_t offset, int fd,
                                struct err_info *info)
{
    pthread_mutex_lock(&reader->lock);
    struct reader_log *log = NULL;
    if (!is_open(reader, topic, partition)) {
        log = start(reader, topic, partition, offset, fd, info);
    }
    pthread_mutex_unlock(&reader->lock);
    return log;
}

void reader_stop(struct reader_log *log)
{
    if (log == NULL) {
        return;
    }
    struct reader *reader = log->reader;
    pthread_mutex_lock(&reader->lock);
    rd_kafka_topic_t *handle = reader->topics[log->topic];
    pthread_mutex_unlock(&reader->lock);

    /* Waits for librdkafka's main thread, not for a broker. The log stays in the list meanwhile: no second start can
     * slip in. */
    rd_kafka_consume_stop(handle, log->partition);
    rd_kafka_queue_io_event_enable(log->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(log->queue);

    pthread_mutex_lock(&reader->lock);
    struct reader_log **link = &reader->open;
    while (*link != log) {
        link = &(*link)->next;
    }
    *link = log->next;
    pthread_mutex_unlock(&reader->lock);
    memory_free(log);
}

void reader_wake_fd(struct reader_log *log, int fd)
{
    static const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(log->queue, fd, &one, sizeof one);
}

static enum port_fault fault_of(int code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
        return PORT_BAD_CRC;
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
        return PORT_BAD_COMPRESSION;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
        return PORT_TOO_LARGE;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return PORT_OFFSET_RESET;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: /* a topic that is being moved or made again looks like this */
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        return PORT_NONE;
    default:
        return client_is_passing(code) ? PORT_NONE : PORT_OTHER;
    }
}

/* "as_of" in decimal; the rest of the headers is of no use here. */
static int64_t as_of_of(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t length;
    int64_t as_of;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        rd_kafka_header_get_last(headers, "as_of", &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR && value != NULL &&
        length < 32 && text_to_int64((struct text){value, (uint32_t)length}, &as_of)) {
        return as_of;
    }
    return PORT_NO_AS_OF;
}

static void fill(const struct reader_log *log, rd_kafka_message_t *message, enum port_fault fault,
                 struct port_record *out)
{
    *out = (struct port_record){
        .fault = fault,
        .partition = log->partition,
        .offset = message->offset,
        .handle = message,
    };
    if (fault != PORT_NONE) {
        out->is_null = true;
        out->timestamp_ms = -1;
        return;
    }
    rd_kafka_timestamp_type_t type;
    out->timestamp_ms = rd_kafka_message_timestamp(message, &type);
    out->key = (struct bytes){message->key, message->key_len};
    out->value = (struct bytes){message->payload, message->len};
    out->is_null = message->payload == NULL;
    if (log->topic == PORT_STATISTICS) {
        out->as_of = as_of_of(message);
    }
}

/* True if the message is to be given out. */
static bool is_wanted(struct reader_log *log, const rd_kafka_message_t *message, enum port_fault *out_fault)
{
    *out_fault = PORT_NONE;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (message->offset < log->expected) {
            return false; /* a fetch that began again too early (#4261, #4636) */
        }
        log->expected = message->offset + 1;
        log->is_at_end = false;
        return true;
    }
    log->is_at_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    *out_fault = fault_of(message->err);
    if (*out_fault == PORT_NONE && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        client_health_error(log->reader->health, message->err, rd_kafka_message_errstr(message));
    }
    return *out_fault != PORT_NONE;
}

static size_t take_chunk(struct reader_log *log, struct port_record *out, size_t most, size_t *out_seen)
{
    rd_kafka_message_t *messages[TAKE_CHUNK];
    ssize_t got = rd_kafka_consume_batch_queue(log->queue, 0, messages, most);
    size_t count = 0;
    for (ssize_t i = 0; i < got; i++) {
        enum port_fault fault;
        if (is_wanted(log, messages[i], &fault)) {
            fill(log, messages[i], fault, &out[count++]);
        } else {
            rd_kafka_message_destroy(messages[i]);
        }
    }
    *out_seen = got > 0 ? (size_t)got : 0;
    return count;
}

size_t reader_take(struct reader_log *log, struct port_record *out, size_t most)
{
    size_t count = 0;
    while (count < most) {
        size_t wanted = most - count < TAKE_CHUNK ? most - count : TAKE_CHUNK;
        size_t seen;
        count += take_chunk(log, out + count, wanted, &seen);
        if (seen < wanted) {
            break;
        }
    }
    return count;
}

void reader_release(struct port_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (records[i].handle != NULL) {
            rd_kafka_message_destroy(records[i].handle);
            records[i].handle = NULL;
        }
    }
}

bool reader_at_end(const struct reader_log *log)
{
    return log->is_at_end;
}

/* Under a steady flow the end is never reported: each fetch finds a little. So the end of the log as the last fetch told it counts. */
bool reader_waits(const struct reader_log *log)
{
    int64_t low;
    int64_t high;
    if (log->is_at_end) {
        return false; /* behind the last record there may be markers of transactions */
    }
    rd_kafka_resp_err_t failed = rd_kafka_get_watermark_offsets(
        log->reader->handle, log->reader->options->topics[log->topic], log->partition, &low, &high);
    return failed == RD_KAFKA_RESP_ERR_NO_ERROR && high > log->expected;
}

void reader_serve(struct reader *reader)
{
    rd_kafka_poll(reader->handle, 0);
}

void reader_nudge(struct reader *reader, enum port_topic topic)
{
    pthread_mutex_lock(&reader->lock);
    rd_kafka_topic_t *handle = topic_of(reader, topic);
    pthread_mutex_unlock(&reader->lock);
    const struct rd_kafka_metadata *metadata;
    if (handle != NULL &&
        rd_kafka_metadata(reader->handle, 0, handle, &metadata, NUDGE_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
    }
}

int64_t reader_high_watermark(const struct reader *reader, enum port_topic topic, int32_t partition)
{
    int64_t low = -1;
    int64_t high = -1;
    rd_kafka_resp_err_t code =
        rd_kafka_get_watermark_offsets(reader->handle, reader->options->topics[topic], partition, &low, &high);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : -1;
}

enum err reader_committed(struct reader *reader, int32_t partition, int64_t *out, struct err_info *info)
{
    const char *topic = reader->options->topics[PORT_DECLARATIONS];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition);
    rd_kafka_resp_err_t code = rd_kafka_committed(reader->handle, list, (int)client_timeout_ms(reader->options));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = list->elems[0].err;
    }
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        char what[CLIENT_TEXT_BYTES];
        snprintf(what, sizeof what, "reading the offset that group %s committed for %s/%d", reader->options->group,
                 topic, partition);
        return client_fail(reader->options, code, NULL, what, info);
    }
    *out = offset >= 0 ? offset : -1;
    return OK;
}
