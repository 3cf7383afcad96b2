/* SPDX-License-Identifier: Apache-2.0 */
#include "topic_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { WHY_BYTES = 512, NAME_BYTES = 128, FULL_WAIT_MS = 10 };

static const char *name_of_program = "bench";

void bench_name(const char *program)
{
    name_of_program = program;
}

void bench_fail(int code, const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", name_of_program, what, why);
    exit(code);
}

double bench_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[WHY_BYTES];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        bench_fail(BENCH_EXIT_USAGE, name, why);
}

static rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char why[WHY_BYTES];
    rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
    if (!client)
        bench_fail(BENCH_EXIT_USAGE, "rd_kafka_new", why);
    return client;
}

static void set_pairs(rd_kafka_conf_t *conf, char *const *settings, int count)
{
    for (int i = 0; i + 1 < count; i += 2) {
        char name[NAME_BYTES];
        const char *equals = strchr(settings[i + 1], '=');
        if (strcmp(settings[i], "-X") != 0 || !equals || (size_t)(equals - settings[i + 1]) >= sizeof name)
            bench_fail(BENCH_EXIT_USAGE, settings[i], "expected -X name=value");
        memcpy(name, settings[i + 1], (size_t)(equals - settings[i + 1]));
        name[equals - settings[i + 1]] = '\0';
        set(conf, name, equals + 1);
    }
}

/* Settings as a fast reader of a long log wants them. */
static rd_kafka_t *open_consumer(const char *brokers, char *const *settings, int count)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "group.id", name_of_program);
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.auto.offset.store", "false");
    set(conf, "auto.offset.reset", "error");
    set(conf, "queued.min.messages", "1000000");
    set(conf, "queued.max.messages.kbytes", "1048576");
    set(conf, "fetch.message.max.bytes", "10485760");
    set_pairs(conf, settings, count);
    return client_new(RD_KAFKA_CONSUMER, conf);
}

/* Assigns every partition; the number of records to the ends of now (a log without gaps). */
static int64_t assign_all(rd_kafka_t *consumer, const char *topic, bool from_end)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(consumer, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t err = rd_kafka_metadata(consumer, 0, handle, &metadata, TOPIC_READER_TIMEOUT_MS);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt == 0)
        bench_fail(BENCH_EXIT_PEER, topic, err != RD_KAFKA_RESP_ERR_NO_ERROR ? rd_kafka_err2str(err) : "no such topic");
    int64_t expected = 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(metadata->topics[0].partition_cnt);
    for (int32_t p = 0; p < metadata->topics[0].partition_cnt; p++) {
        int64_t low = 0;
        int64_t high = 0;
        err = rd_kafka_query_watermark_offsets(consumer, topic, p, &low, &high, TOPIC_READER_TIMEOUT_MS);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
            bench_fail(BENCH_EXIT_PEER, topic, rd_kafka_err2str(err));
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = from_end ? high : low;
        expected += from_end ? 0 : high - low;
    }
    err = rd_kafka_assign(consumer, list);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail(BENCH_EXIT_PEER, topic, rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return expected;
}

void topic_reader_open(struct topic_reader *reader, const char *brokers, const char *topic, bool from_end,
                       char *const *settings, int count)
{
    reader->taken = 0;
    reader->client = open_consumer(brokers, settings, count);
    reader->expected = assign_all(reader->client, topic, from_end);
    reader->queue = rd_kafka_queue_get_consumer(reader->client);
}

/* librdkafka waits until it has `most` or the time is over. */
static long take(struct topic_reader *reader, int timeout_ms, size_t most)
{
    long got = (long)rd_kafka_consume_batch_queue(reader->queue, timeout_ms, reader->batch, most);
    long kept = 0;
    for (long i = 0; i < got; i++) {
        if (reader->batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            reader->batch[kept++] = reader->batch[i];
            continue;
        }
        fprintf(stderr, "%s: %s\n", name_of_program, rd_kafka_message_errstr(reader->batch[i]));
        rd_kafka_message_destroy(reader->batch[i]);
    }
    reader->taken += kept;
    return kept;
}

long topic_reader_poll(struct topic_reader *reader, int timeout_ms)
{
    return take(reader, timeout_ms, TOPIC_READER_BATCH);
}

long topic_reader_take(struct topic_reader *reader)
{
    double begun = bench_now_s();
    int64_t left = reader->expected - reader->taken;
    size_t most = left < TOPIC_READER_BATCH ? (size_t)left : TOPIC_READER_BATCH;
    long count = 0;
    while (most > 0 && (count = take(reader, TOPIC_READER_TIMEOUT_MS, most)) == 0) {
        if (bench_now_s() - begun > TOPIC_READER_TIMEOUT_MS / 1000.0)
            bench_fail(BENCH_EXIT_PEER, "consumer", "no message for 30 s before the end");
    }
    return count;
}

void topic_reader_close(struct topic_reader *reader)
{
    rd_kafka_queue_destroy(reader->queue);
    rd_kafka_consumer_close(reader->client);
    rd_kafka_destroy(reader->client);
}

static void told(rd_kafka_t *writer, const rd_kafka_message_t *message, void *opaque)
{
    (void)writer;
    (void)opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail(BENCH_EXIT_PEER, "not acknowledged", rd_kafka_err2str(message->err));
}

rd_kafka_t *topic_writer_open(const char *brokers, int linger_ms)
{
    char linger[16];
    snprintf(linger, sizeof linger, "%d", linger_ms);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "enable.idempotence", "true");
    set(conf, "compression.type", "zstd");
    set(conf, "compression.level", "1");
    set(conf, "partitioner", "murmur2_random");
    set(conf, "linger.ms", linger);
    set(conf, "queue.buffering.max.messages", "1000000");
    set(conf, "delivery.report.only.error", "true"); /* told() needs no others, and they cost as much as a record */
    rd_kafka_conf_set_dr_msg_cb(conf, told);
    return client_new(RD_KAFKA_PRODUCER, conf);
}

rd_kafka_topic_t *topic_writer_topic(rd_kafka_t *writer, const char *name)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(writer, name, NULL);
    if (!topic)
        bench_fail(BENCH_EXIT_USAGE, name, rd_kafka_err2str(rd_kafka_last_error()));
    return topic;
}

void topic_writer_put(rd_kafka_t *writer, rd_kafka_topic_t *topic, const void *key, size_t key_bytes, const void *value,
                      size_t value_bytes, int64_t timestamp_ms)
{
    for (;;) {
        rd_kafka_resp_err_t err =
            rd_kafka_producev(writer, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_KEY(key, key_bytes), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value_bytes),
                              RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_END);
        if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
            return;
        if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            bench_fail(BENCH_EXIT_PEER, "produce", rd_kafka_err2str(err));
        rd_kafka_poll(writer, FULL_WAIT_MS);
    }
}

void topic_writer_finish(rd_kafka_t *writer)
{
    rd_kafka_resp_err_t err = rd_kafka_flush(writer, 2 * TOPIC_READER_TIMEOUT_MS);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        bench_fail(BENCH_EXIT_PEER, "flush", rd_kafka_err2str(err));
}

void bench_print_costs(double seconds)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("\"seconds\": %.3f, \"user_s\": %.2f, \"system_s\": %.2f, \"peak_kib\": %ld, \"librdkafka\": \"%s\"",
           seconds, (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec * 1e-6,
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec * 1e-6, usage.ru_maxrss,
           rd_kafka_version_str());
}
