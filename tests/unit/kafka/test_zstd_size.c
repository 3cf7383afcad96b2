/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/zstd_size.h"
#include "unit/kafka/fixture.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>

enum { CONTENT_BYTES = 1000000, BLOCK_MOST = 128 << 10, MESSAGES = 4000, STATISTICS_MS = 20 };

/* Repeats itself, so that it compresses much better than 2:1. */
static void fill(char *to, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = "0123456789abcdef"[i / 7 % 16];
}

/* As a producer compresses: without saying how much it will be. */
static size_t stream(const char *content, size_t bytes, uint8_t *to, size_t capacity)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_outBuffer out = {to, capacity, 0};
    ZSTD_inBuffer in = {content, bytes, 0};
    while (in.pos < in.size)
        cr_assert(!ZSTD_isError(ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue)));
    while (ZSTD_compressStream2(context, &out, &in, ZSTD_e_end) != 0)
        continue;
    ZSTD_freeCCtx(context);
    return out.pos;
}

static char content[CONTENT_BYTES];
static uint8_t frame[2 * CONTENT_BYTES];

Test(zstd_size, a_frame_that_says_its_size)
{
    fill(content, sizeof content);
    size_t bytes = ZSTD_compress(frame, sizeof frame, content, sizeof content, 3);
    cr_assert_eq(ZSTD_getFrameContentSize(frame, bytes), CONTENT_BYTES);
}

Test(zstd_size, a_frame_that_does_not_has_room_in_the_bound)
{
    for (size_t length = 0; length <= CONTENT_BYTES; length = 3 * length + 1) {
        fill(content, length);
        size_t bytes = stream(content, length, frame, sizeof frame);
        unsigned long long bound = ZSTD_getFrameContentSize(frame, bytes);
        cr_assert_geq(bound, length);
        cr_assert_leq(bound, length + BLOCK_MOST);
    }
}

Test(zstd_size, what_is_no_frame)
{
    cr_assert_eq(ZSTD_getFrameContentSize("no frame at all", 15), ZSTD_CONTENTSIZE_ERROR);
    cr_assert_eq(ZSTD_getFrameContentSize("", 0), ZSTD_CONTENTSIZE_ERROR);
}

/* The window is of a megabyte, the blocks of one repeated byte each. */
Test(zstd_size, blocks_that_pretend_much_get_no_memory)
{
    static const uint8_t head[] = {0x28, 0xB5, 0x2F, 0xFD, 0x00, 10 << 3};
    static const uint8_t block[] = {1 << 1 | 1 << 3, 0, 0, 'x'};
    size_t bytes = sizeof head;
    memcpy(frame, head, sizeof head);
    for (int i = 0; i < ZSTD_SIZE_MOST / BLOCK_MOST; i++, bytes += sizeof block)
        memcpy(frame + bytes, block, sizeof block);
    memcpy(frame + bytes, block, sizeof block);
    frame[bytes] |= 1; /* the last one */
    bytes += sizeof block;
    cr_assert_eq(ZSTD_decompress(content, sizeof content, frame, bytes), ZSTD_SIZE_MOST / BLOCK_MOST + 1);
    cr_assert_eq(ZSTD_getFrameContentSize(frame, bytes), ZSTD_CONTENTSIZE_UNKNOWN);
}

/* ---- librdkafka asks us ---- */

static rd_kafka_t *handle(const struct fixture *fixture, rd_kafka_type_t type, const char *name, const char *value,
                          int (*statistics)(rd_kafka_t *handle, char *json, size_t bytes, void *opaque))
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    cr_assert_eq(rd_kafka_conf_set(conf, "bootstrap.servers", fixture->options.brokers, why, sizeof why), 0, "%s", why);
    cr_assert_eq(rd_kafka_conf_set(conf, "group.id", "zstd", why, sizeof why), 0, "%s", why);
    cr_assert_eq(rd_kafka_conf_set(conf, name, value, why, sizeof why), 0, "%s", why);
    if (statistics)
        rd_kafka_conf_set_stats_cb(conf, statistics);
    rd_kafka_t *out = rd_kafka_new(type, conf, why, sizeof why);
    cr_assert_not_null(out, "%s", why);
    return out;
}

static int statistics_seen;
static long grown;

/* "zbuf_grow" of each broker: how often a buffer was too small for a batch. */
static int count_growth(rd_kafka_t *consumer, char *json, size_t bytes, void *opaque)
{
    (void)consumer, (void)bytes, (void)opaque;
    static const char name[] = "\"zbuf_grow\":";
    grown = 0;
    for (const char *at = strstr(json, name); at; at = strstr(at + 1, name))
        grown += strtol(at + sizeof name - 1, NULL, 10);
    statistics_seen++;
    return 0;
}

Test(zstd_size, librdkafka_decompresses_a_batch_once)
{
    struct fixture fixture;
    fixture_start(&fixture);
    const char *topic = fixture.options.topics[PORT_DECLARATIONS];
    rd_kafka_t *producer = handle(&fixture, RD_KAFKA_PRODUCER, "compression.codec", "zstd", NULL);
    fill(content, 200);
    for (int i = 0; i < MESSAGES; i++) {
        rd_kafka_resp_err_t err =
            rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                              RD_KAFKA_V_VALUE(content, 200), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        cr_assert_eq(err, RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    cr_assert_eq(rd_kafka_flush(producer, FIXTURE_DEADLINE_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(producer);
    char interval[16];
    snprintf(interval, sizeof interval, "%d", STATISTICS_MS);
    rd_kafka_t *consumer = handle(&fixture, RD_KAFKA_CONSUMER, "statistics.interval.ms", interval, count_growth);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = 0;
    cr_assert_eq(rd_kafka_assign(consumer, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    int64_t deadline = fixture_deadline();
    int taken = 0;
    int seen_before = 0; /* statistics that came before the last message tell nothing */
    while (taken < MESSAGES || statistics_seen < seen_before + 2) {
        cr_assert_lt(clock_steady_ns(), deadline, "%d messages", taken);
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 10);
        if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            cr_assert_eq(message->len, 200);
            taken++;
            seen_before = statistics_seen;
        }
        if (message)
            rd_kafka_message_destroy(message);
    }
    cr_assert_eq(grown, 0);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    fixture_stop(&fixture);
}
