/* SPDX-License-Identifier: Apache-2.0
 * idle_consumer.c - a librdkafka consumer that waits on a topic to which nothing comes: what bench/idle.py holds an idle process against.
 *
 * In:      BROKERS TOPIC SECONDS
 */
#include "topic_reader.h"

#include <stdio.h>
#include <stdlib.h>

enum { POLL_MS = 1000 };

int main(int argc, char **argv)
{
    char *end = NULL;
    double seconds = argc == 4 ? strtod(argv[3], &end) : 0;
    if (argc != 4 || *end != '\0' || !(seconds > 0)) {
        fprintf(stderr, "usage: idle_consumer BROKERS TOPIC SECONDS\n");
        return BENCH_EXIT_USAGE;
    }
    static struct topic_reader reader;
    double until = bench_now_s() + seconds;
    bench_name("idle_consumer");
    topic_reader_open(&reader, argv[1], argv[2], true, NULL, 0);
    while (bench_now_s() < until) {
        long count = topic_reader_poll(&reader, POLL_MS);
        for (long i = 0; i < count; i++)
            rd_kafka_message_destroy(reader.batch[i]);
    }
    topic_reader_close(&reader);
    return 0;
}
