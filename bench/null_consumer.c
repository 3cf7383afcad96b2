/* SPDX-License-Identifier: Apache-2.0
 * null_consumer.c - the fastest thing librdkafka can do with a topic: take every message, count it, drop it.
 *
 * In:      BROKERS TOPIC [-X name=value]... : a topic whose ends are noted at the start
 * Out:     one JSON line: messages, bytes, seconds, messages per second, CPU seconds, peak memory
 * Why:     the limit that end_to_end.py holds `dryport run` against; plain librdkafka, none of our code
 * Errors:  exit 69 when the broker or a partition is not to be had, 64 for wrong arguments
 * Thread:  main; librdkafka's own beside it
 */
#include <librdkafka/rdkafka.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
    BATCH_COUNT = 10000,
    TIMEOUT_MS = 30000,
    EXIT_USAGE = 64,
    EXIT_PEER = 69,
};

struct tally {
    int64_t messages;
    int64_t bytes;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void fail(int code, const char *what, const char *why)
{
    fprintf(stderr, "null_consumer: %s: %s\n", what, why);
    exit(code);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[512];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
        fail(EXIT_USAGE, name, why);
    }
}

/* Settings as a fast reader of a long log wants them; -X changes them. */
static rd_kafka_t *open_consumer(int argc, char **argv)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]);
    set(conf, "group.id", "null-consumer");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.auto.offset.store", "false");
    set(conf, "auto.offset.reset", "error");
    set(conf, "queued.min.messages", "1000000");
    set(conf, "queued.max.messages.kbytes", "1048576");
    set(conf, "fetch.message.max.bytes", "10485760");
    for (int i = 3; i + 1 < argc; i += 2) {
        char name[128];
        const char *equals = strchr(argv[i + 1], '=');
        if (strcmp(argv[i], "-X") != 0 || equals == NULL || (size_t)(equals - argv[i + 1]) >= sizeof(name)) {
            fail(EXIT_USAGE, argv[i], "expected -X name=value");
        }
        memcpy(name, argv[i + 1], (size_t)(equals - argv[i + 1]));
        name[equals - argv[i + 1]] = '\0';
        set(conf, name, equals + 1);
    }
    char why[512];
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (consumer == NULL) {
        fail(EXIT_USAGE, "rd_kafka_new", why);
    }
    return consumer;
}

/* Assigns every partition from its first offset; the number of records to the ends of now (a log without gaps). */
static int64_t assign_all(rd_kafka_t *consumer, const char *topic)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(consumer, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t err = rd_kafka_metadata(consumer, 0, handle, &metadata, TIMEOUT_MS);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt == 0) {
        fail(EXIT_PEER, topic, err != RD_KAFKA_RESP_ERR_NO_ERROR ? rd_kafka_err2str(err) : "no such topic");
    }
    int64_t expected = 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(metadata->topics[0].partition_cnt);
    for (int32_t p = 0; p < metadata->topics[0].partition_cnt; p++) {
        int64_t low = 0;
        int64_t high = 0;
        err = rd_kafka_query_watermark_offsets(consumer, topic, p, &low, &high, TIMEOUT_MS);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            fail(EXIT_PEER, topic, rd_kafka_err2str(err));
        }
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = low;
        expected += high - low;
    }
    err = rd_kafka_assign(consumer, list);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail(EXIT_PEER, topic, rd_kafka_err2str(err));
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return expected;
}

static void take_batch(rd_kafka_message_t **batch, ssize_t count, struct tally *tally)
{
    for (ssize_t i = 0; i < count; i++) {
        if (batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            tally->messages++;
            tally->bytes += (int64_t)batch[i]->len;
        } else {
            fprintf(stderr, "null_consumer: %s\n", rd_kafka_message_errstr(batch[i]));
        }
        rd_kafka_message_destroy(batch[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: null_consumer BROKERS TOPIC [-X name=value]...\n");
        return EXIT_USAGE;
    }
    double started = now_s();
    rd_kafka_t *consumer = open_consumer(argc, argv);
    int64_t expected = assign_all(consumer, argv[2]);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
    static rd_kafka_message_t *batch[BATCH_COUNT];
    struct tally tally = {0};
    while (tally.messages < expected) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, TIMEOUT_MS, batch, BATCH_COUNT);
        if (count <= 0) {
            fail(EXIT_PEER, argv[2], "no message for 30 s before the end");
        }
        take_batch(batch, count, &tally);
    }
    double seconds = now_s() - started;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"messages\": %" PRId64 ", \"bytes\": %" PRId64 ", \"seconds\": %.3f, \"messages_per_s\": %.0f, "
           "\"user_s\": %.2f, \"system_s\": %.2f, \"peak_kib\": %ld, \"librdkafka\": \"%s\"}\n",
           tally.messages, tally.bytes, seconds, (double)tally.messages / seconds,
           (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec * 1e-6,
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec * 1e-6, usage.ru_maxrss,
           rd_kafka_version_str());
    fflush(stdout);
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return 0;
}
