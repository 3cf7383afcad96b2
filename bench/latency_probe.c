/* SPDX-License-Identifier: Apache-2.0
 * latency_probe.c - how long a declaration takes until its statistic is visible, as a client sees it who knows neither journal nor processor.
 *
 * In:      BROKERS INPUT STATISTICS PROBES.pb EVERY_MS: declarations (a varint length before each) whose reference dates are all different
 *          and in which nothing else falls, so that the record `flow|DAY|DATE|DATE|flow=...` can only come from that one
 * Out:     one JSON line: how many were sent and seen, statistics read, percentiles of ms from just before the call that produces a
 *          declaration until the call that gives the statistic to a consumer has returned
 * Method:  one a EVERY_MS, linger 0, while other programs load the processor; the same clock on both ends
 * Errors:  exit 69 if one is not seen within 30 s
 */
#include "topic_reader.h"

#include "base/arena.h"
#include "flow/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PROBES_MOST = 20000, FILE_MOST = 64 << 20, POLL_MS = 1, SETTLE_MS = 500 };

static const char prefix[] = "flow|DAY|";
enum { PREFIX_BYTES = sizeof prefix - 1, DATE_BYTES = 8 };

struct probe {
    struct bytes value;
    char id[DECLARATION_ID_BYTES];
    size_t id_bytes;
    char date[DATE_BYTES];
    double sent_s;
    double seen_s;
};

static struct probe probes[PROBES_MOST];
static size_t probe_count;

static int by_date(const void *a, const void *b)
{
    return memcmp(((const struct probe *)a)->date, ((const struct probe *)b)->date, DATE_BYTES);
}

static void read_probes(const char *path)
{
    static uint8_t file[FILE_MOST];
    struct arena arena;
    FILE *in = fopen(path, "rb");
    if (!in)
        bench_fail(BENCH_EXIT_USAGE, path, "can not be read");
    struct reader reader = reader_of((struct bytes){file, fread(file, 1, sizeof file, in)});
    fclose(in);
    arena_init(&arena, 1 << 20);
    while (reader_left(&reader) > 0 && probe_count < PROBES_MOST) {
        struct probe *probe = &probes[probe_count++];
        struct declaration declaration;
        bool canonical;
        char date[DATE_BYTES + 1];
        arena_reset(&arena);
        probe->value = reader_bytes(&reader, reader_varint(&reader));
        if (reader.failed || wire_decode(probe->value, &arena, &declaration, &canonical) != WIRE_OK ||
            declaration.declaration_id.length > sizeof probe->id || declaration.reference_date > 99999999)
            bench_fail(BENCH_EXIT_USAGE, path, "holds something that is no declaration");
        probe->id_bytes = declaration.declaration_id.length;
        memcpy(probe->id, declaration.declaration_id.data, probe->id_bytes);
        snprintf(date, sizeof date, "%08" PRIu32, declaration.reference_date);
        memcpy(probe->date, date, DATE_BYTES);
    }
    arena_fini(&arena);
    qsort(probes, probe_count, sizeof probes[0], by_date);
    for (size_t i = 1; i < probe_count; i++) {
        if (by_date(&probes[i - 1], &probes[i]) == 0)
            bench_fail(BENCH_EXIT_USAGE, path, "two declarations of one day");
    }
}

/* True if it is the statistic of a probe that was sent and not yet seen. */
static bool note_seen(const rd_kafka_message_t *message, double now)
{
    const char *key = message->key;
    if (message->key_len < PREFIX_BYTES + DATE_BYTES || memcmp(key, prefix, PREFIX_BYTES) != 0)
        return false;
    struct probe wanted;
    memcpy(wanted.date, key + PREFIX_BYTES, DATE_BYTES);
    struct probe *probe = bsearch(&wanted, probes, probe_count, sizeof probes[0], by_date);
    if (!probe || probe->sent_s == 0 || probe->seen_s != 0)
        return false;
    probe->seen_s = now;
    return true;
}

static int by_number(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_percentiles(int64_t read)
{
    static double ms[PROBES_MOST];
    for (size_t i = 0; i < probe_count; i++)
        ms[i] = (probes[i].seen_s - probes[i].sent_s) * 1000;
    qsort(ms, probe_count, sizeof ms[0], by_number);
    printf("{\"probes\": %zu, \"statistics\": %" PRId64 ", \"p50_ms\": %.1f, \"p90_ms\": %.1f, \"p99_ms\": %.1f, "
           "\"least_ms\": %.1f, \"most_ms\": %.1f}\n",
           probe_count, read, ms[probe_count / 2], ms[probe_count * 9 / 10], ms[probe_count * 99 / 100], ms[0],
           ms[probe_count - 1]);
}

static size_t common_divisor(size_t a, size_t b)
{
    while (b > 0) {
        size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Dates are sorted; the order of sending is another, so that neighbours in time are none in the cells. */
static struct probe *nth(size_t number)
{
    size_t stride = probe_count * 5 / 8 + 1;
    while (common_divisor(stride, probe_count) != 1)
        stride++;
    return &probes[number * stride % probe_count];
}

int main(int argc, char **argv)
{
    int64_t every_ms;
    if (argc != 6 || !text_to_int64(text_of(argv[5]), &every_ms) || every_ms < 1) {
        fprintf(stderr, "usage: latency_probe BROKERS INPUT STATISTICS PROBES.pb EVERY_MS\n");
        return BENCH_EXIT_USAGE;
    }
    static struct topic_reader reader;
    static char wait[] = "fetch.wait.max.ms=500";
    static char switch_x[] = "-X";
    char *settings[] = {switch_x, wait};
    bench_name("latency_probe");
    wire_init();
    read_probes(argv[4]);
    rd_kafka_t *writer = topic_writer_open(argv[1], 0);
    rd_kafka_topic_t *topic = topic_writer_topic(writer, argv[2]);
    topic_reader_open(&reader, argv[1], argv[3], true, settings, 2);
    size_t sent = 0;
    size_t seen = 0;
    double next_s = bench_now_s() + SETTLE_MS / 1000.0; /* by then the consumer has its first fetch out */
    while (seen < probe_count) {
        double now = bench_now_s();
        if (sent < probe_count && now >= next_s) {
            struct probe *probe = nth(sent++);
            probe->sent_s = bench_now_s();
            topic_writer_put(writer, topic, probe->id, probe->id_bytes, probe->value.data, probe->value.length, 0);
            next_s += (double)every_ms / 1000.0;
        }
        if (sent == probe_count && now > next_s + TOPIC_READER_TIMEOUT_MS / 1000.0)
            bench_fail(BENCH_EXIT_PEER, argv[3], "a statistic did not come within 30 s");
        long count = topic_reader_poll(&reader, POLL_MS);
        now = bench_now_s();
        for (long i = 0; i < count; i++) {
            seen += note_seen(reader.batch[i], now);
            rd_kafka_message_destroy(reader.batch[i]);
        }
    }
    print_percentiles(reader.taken);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(writer);
    topic_reader_close(&reader);
    return 0;
}
