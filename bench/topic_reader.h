/* SPDX-License-Identifier: Apache-2.0
 * topic_reader.h - plain librdkafka for benches: a consumer of every partition of a topic, and a producer, with the settings that every
 * program of a comparison has. None of Dryport's code, and callable from C++.
 *
 * Errors:  a word to stderr and the end of the program: 64 for wrong settings, 69 when the broker or a partition is not to be had
 * Thread:  one owner
 */
#pragma once

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TOPIC_READER_BATCH = 10000,
    TOPIC_READER_TIMEOUT_MS = 30000,
    BENCH_EXIT_USAGE = 64,
    BENCH_EXIT_PEER = 69,
};

struct topic_reader {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    int64_t expected; /* records from the first offsets to the ends of the start */
    int64_t taken;    /* so far */
    rd_kafka_message_t *batch[TOPIC_READER_BATCH];
};

/* Of the program, for its words on stderr. */
void bench_name(const char *program);
void bench_fail(int code, const char *what, const char *why);
double bench_now_s(void);

/* `settings`: -X name=value pairs as they stand on a command line. from_end: nothing but what comes from now on. */
void topic_reader_open(struct topic_reader *reader, const char *brokers, const char *topic, bool from_end,
                       char *const *settings, int count);
/* At least one message, all without error, which the caller destroys; 0 at the ends of the start. Fails after 30 s without any. */
long topic_reader_take(struct topic_reader *reader);
/* As many as are there after `timeout_ms` at most; 0 possible. */
long topic_reader_poll(struct topic_reader *reader, int timeout_ms);
void topic_reader_close(struct topic_reader *reader);

/* Idempotent, acks=all, zstd level 1, murmur2_random, delivery failures end the program. linger_ms as given. */
rd_kafka_t *topic_writer_open(const char *brokers, int linger_ms);
/* Copies key and value; waits while the queue is full. timestamp_ms 0: now. */
void topic_writer_put(rd_kafka_t *writer, rd_kafka_topic_t *topic, const void *key, size_t key_bytes, const void *value,
                      size_t value_bytes, int64_t timestamp_ms);
rd_kafka_topic_t *topic_writer_topic(rd_kafka_t *writer, const char *name);
/* Waits until all is acknowledged. */
void topic_writer_finish(rd_kafka_t *writer);

/* `"seconds": ..., "user_s": ..., "system_s": ..., "peak_kib": ..., "librdkafka": "..."` of this process, to stdout. */
void bench_print_costs(double seconds);

#ifdef __cplusplus
}
#endif
