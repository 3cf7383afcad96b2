/* SPDX-License-Identifier: Apache-2.0
 * fixture.h - an in-process broker, options for it, and waiting with a deadline, for the tests of this room.
 */
#pragma once

#include "base/check.h"
#include "base/clock.h"
#include "kafka/mock.h"
#include "kafka/port_kafka.h"
#include "kafka/producer.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { FIXTURE_PARTITIONS = 4, FIXTURE_DEADLINE_MS = 30000 };

struct fixture {
    struct mock *mock;
    struct kafka_options options;
    struct err_info info;
    int logged; /* lines that are more than debug */
    char last_line[256];
};

static inline void fixture_log(void *context, enum kafka_severity severity, const char *event, const char *text)
{
    struct fixture *fixture = context;
    if (severity != KAFKA_DEBUG) {
        static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* librdkafka logs from its own threads */
        pthread_mutex_lock(&lock);
        fixture->logged++;
        snprintf(fixture->last_line, sizeof fixture->last_line, "%s: %s", event, text);
        pthread_mutex_unlock(&lock);
    }
}

/* The in-process broker answers a join only after a session time-out: a short one keeps the tests short. */
static const struct kafka_setting fixture_settings[] = {{KAFKA_CONSUMER, "session.timeout.ms", "3000", NULL},
                                                        {KAFKA_CONSUMER, "heartbeat.interval.ms", "300", NULL}};

/* Options that need no broker. */
static inline void fixture_options(struct fixture *fixture, const char *brokers)
{
    *fixture = (struct fixture){
        .options =
            {
                .brokers = brokers,
                .group = "tests",
                .topics = {"test.declarations", "test.journal", "test.statistics", "test.rejects"},
                .settings = fixture_settings,
                .setting_count = 2,
                .topics_create = true,
                .partitions = FIXTURE_PARTITIONS,
                .replication = 1,
                .timeout_ms = 10000,
                .log = fixture_log,
                .log_context = fixture,
            },
    };
}

static inline void fixture_start(struct fixture *fixture)
{
    fixture_options(fixture, "");
    enum err err = mock_start(&fixture->options, 1, &fixture->mock, &fixture->info);
    CHECK_SAY(err == OK, "%s", fixture->info.text);
    fixture->options.brokers = mock_brokers(fixture->mock);
    fixture->options.is_mock = true;
    fixture->options.is_member = true;
}

static inline void fixture_stop(struct fixture *fixture)
{
    mock_stop(fixture->mock);
}

static inline struct port fixture_port(struct fixture *fixture, int32_t workers)
{
    struct port port;
    enum err err = port_kafka_open(&fixture->options, workers, &port, &fixture->info);
    CHECK_SAY(err == OK, "%s", fixture->info.text);
    return port;
}

static inline int64_t fixture_deadline(void)
{
    return clock_steady_ns() + (int64_t)FIXTURE_DEADLINE_MS * 1000000;
}

/* Lets a moment pass in a loop that asks something which has no event of its own; ends the test after the deadline. */
static inline void fixture_pause(int64_t deadline, const char *what)
{
    CHECK_SAY(clock_steady_ns() < deadline, "waited too long for: %s", what);
    poll(NULL, 0, 2);
}

static inline struct bytes fixture_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* Writes records "P:0".."P:(count-1)" with timestamp 1000 + i to a partition of a topic, and waits until all are there.
 */
static inline void fixture_produce(struct fixture *fixture, enum port_topic topic, int32_t partition, int64_t count)
{
    struct producer *producer;
    CHECK_SAY(producer_open(&fixture->options, NULL, &producer, &fixture->info) == OK, "%s", fixture->info.text);
    int64_t deadline = fixture_deadline();
    for (int64_t i = 0; i < count; i++) {
        char text[64];
        snprintf(text, sizeof text, "%d:%lld", partition, (long long)i);
        struct producer_record record = {.topic = topic,
                                         .partition = partition,
                                         .key = fixture_bytes("key"),
                                         .value = fixture_bytes(text),
                                         .timestamp_ms = 1000 + i};
        CHECK_SAY(producer_append(producer, &record, &fixture->info) == OK, "%s", fixture->info.text);
    }
    while (producer_pending(producer) > 0) {
        struct port_ack acks[64];
        size_t n = producer_acks(producer, acks, 64);
        for (size_t i = 0; i < n; i++) {
            CHECK_SAY(acks[i].result == OK, "%s", err_name(acks[i].result));
        }
        if (n == 0) {
            fixture_pause(deadline, "acks of test records");
        }
    }
    producer_close(producer);
}

/* Takes membership changes until `count` of the kind were seen; releases what is revoked. Notes partitions in a bit
 * set. */
static inline uint32_t fixture_await_changes(const struct port *port, enum port_change change, int count)
{
    int64_t deadline = fixture_deadline();
    uint32_t seen = 0;
    while (count > 0) {
        struct port_membership membership;
        if (!port->membership(port->self, &membership)) {
            fixture_pause(deadline, "membership");
            continue;
        }
        if (membership.change == PORT_REVOKED) {
            port->release_partition(port->self, membership.partition);
        }
        if (membership.change == change) {
            seen |= 1u << membership.partition;
            count--;
        }
    }
    return seen;
}
