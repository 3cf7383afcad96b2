/* SPDX-License-Identifier: Apache-2.0
 * port_fixture.h - for tests of the port: one with two workers on an in-process broker, and waiting for what it gives.
 */
#pragma once

#include "unit/kafka/fixture.h"

#include <criterion/criterion.h>

static struct fixture fixture;
static struct port port;

enum { WORKERS = 2, TAIL = WORKERS };

static inline void start(void)
{
    fixture_start(&fixture);
    port = fixture_port(&fixture, WORKERS);
}

static inline void stop(void)
{
    port_kafka_close(&port, FIXTURE_DEADLINE_MS);
    fixture_stop(&fixture);
}

static inline struct port_ack await_ack(int32_t lane)
{
    int64_t deadline = fixture_deadline();
    struct port_ack ack;
    while (port.acks(port.self, lane, &ack, 1) == 0) {
        CHECK(clock_steady_ns() < deadline);
        port.wait(port.self, lane, 1000);
    }
    return ack;
}

static inline enum err append(int32_t lane, enum port_topic topic, int32_t partition, const char *value, uint64_t token)
{
    return port.append(port.self, lane, topic, partition, fixture_bytes("key"), fixture_bytes(value), PORT_NO_AS_OF,
                       token, &fixture.info);
}

static inline struct port_record await_stream(int32_t lane, struct port_stream *stream)
{
    int64_t deadline = fixture_deadline();
    struct port_record record;
    while (port.stream_take(port.self, stream, &record, 1) == 0) {
        CHECK(clock_steady_ns() < deadline);
        port.wait(port.self, lane, 1000);
    }
    return record;
}
