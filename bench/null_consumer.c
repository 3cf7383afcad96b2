/* SPDX-License-Identifier: Apache-2.0
 * null_consumer.c - the fastest thing librdkafka can do with a topic: take every message, count it, drop it.
 *
 * In:      BROKERS TOPIC [-X name=value]... : a topic whose ends are noted at the start
 * Out:     one JSON line: messages, bytes, messages per second, seconds, CPU seconds, peak memory
 * Why:     the limit that end_to_end.py holds `dryport run` against; plain librdkafka, none of our code
 * Errors:  exit 69 when the broker or a partition is not to be had, 64 for wrong arguments
 * Thread:  main; librdkafka's own beside it
 */
#include "topic_reader.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: null_consumer BROKERS TOPIC [-X name=value]...\n");
        return BENCH_EXIT_USAGE;
    }
    static struct topic_reader reader;
    int64_t bytes = 0;
    double started = bench_now_s();
    bench_name("null_consumer");
    topic_reader_open(&reader, argv[1], argv[2], false, argv + 3, argc - 3);
    for (long count; (count = topic_reader_take(&reader)) > 0;) {
        for (long i = 0; i < count; i++) {
            bytes += (int64_t)reader.batch[i]->len;
            rd_kafka_message_destroy(reader.batch[i]);
        }
    }
    double seconds = bench_now_s() - started;
    printf("{\"messages\": %" PRId64 ", \"bytes\": %" PRId64 ", \"messages_per_s\": %.0f, ", reader.taken, bytes,
           (double)reader.taken / seconds);
    bench_print_costs(seconds);
    printf("}\n");
    fflush(stdout);
    topic_reader_close(&reader);
    return 0;
}
