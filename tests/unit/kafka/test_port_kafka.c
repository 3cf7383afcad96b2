/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/kafka/fixture.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>

static struct fixture fixture;
static struct port port;

enum { WORKERS = 2, TAIL = WORKERS };

static void start(void)
{
    fixture_start(&fixture);
    port = fixture_port(&fixture, WORKERS);
}

static void stop(void)
{
    port_kafka_close(&port, FIXTURE_DEADLINE_MS);
    fixture_stop(&fixture);
}

TestSuite(port_kafka, .init = start, .fini = stop);

static struct port_ack await_ack(int32_t lane)
{
    int64_t deadline = fixture_deadline();
    struct port_ack ack;
    while (port.acks(port.self, lane, &ack, 1) == 0) {
        CHECK(clock_steady_ns() < deadline);
        port.wait(port.self, lane, 1000);
    }
    return ack;
}

static enum err append(int32_t lane, enum port_topic topic, int32_t partition, const char *value, uint64_t token)
{
    return port.append(port.self, lane, topic, partition, fixture_bytes("key"), fixture_bytes(value), PORT_NO_AS_OF,
                       token, &fixture.info);
}

static struct port_record await_stream(int32_t lane, struct port_stream *stream)
{
    int64_t deadline = fixture_deadline();
    struct port_record record;
    while (port.stream_take(port.self, stream, &record, 1) == 0) {
        CHECK(clock_steady_ns() < deadline);
        port.wait(port.self, lane, 1000);
    }
    return record;
}

static struct port_record await_input(int32_t lane, int32_t partition)
{
    int64_t deadline = fixture_deadline();
    struct port_record record;
    while (port.input_take(port.self, partition, &record, 1) == 0) {
        CHECK(clock_steady_ns() < deadline);
        port.wait(port.self, lane, 1000);
    }
    return record;
}

Test(port_kafka_open, unreachable_broker_is_an_error_and_nothing_is_left)
{
    fixture_options(&fixture, "127.0.0.1:1");
    fixture.options.timeout_ms = 1000;
    struct port none = {0};
    cr_assert_eq(port_kafka_open(&fixture.options, 1, &none, &fixture.info), ERR_PEER);
    cr_assert(strstr(fixture.info.text, "127.0.0.1:1"), "%s", fixture.info.text);
    cr_assert_null(none.self);
}

Test(port_kafka_open, close_takes_a_zeroed_port)
{
    struct port none = {0};
    port_kafka_close(&none, 0);
}

Test(port_kafka, revoked_partitions_are_asked_back_and_then_shared)
{
    cr_assert_eq(fixture_await_changes(&port, PORT_ASSIGNED, 4), 0xFu);
    struct fixture other = fixture;
    other.options.log_context = &other;
    struct port second = fixture_port(&other, 1);
    int held[2] = {4, 0};
    const struct port *ports[2] = {&port, &second};
    int64_t deadline = fixture_deadline();
    while (held[0] != 2 || held[1] != 2) {
        for (int m = 0; m < 2; m++) {
            struct port_membership change;
            while (ports[m]->membership(ports[m]->self, &change)) {
                held[m] += change.change == PORT_ASSIGNED ? 1 : -1;
                ports[m]->release_partition(ports[m]->self, change.partition);
            }
        }
        fixture_pause(deadline, "an even share");
    }
    cr_assert(port_kafka_is_joined(&second));
    cr_assert_geq(port_kafka_rebalances(&port, PORT_ASSIGNED), 2);
    port_kafka_close(&second, FIXTURE_DEADLINE_MS);
}

Test(port_kafka, input_starts_at_its_offset_on_its_lane)
{
    fixture_produce(&fixture, PORT_DECLARATIONS, 1, 50);
    cr_assert_eq(port.partitions(port.self, PORT_DECLARATIONS), FIXTURE_PARTITIONS);
    cr_assert_eq(port.input_start(port.self, 1, 1, 20, &fixture.info), OK, "%s", fixture.info.text);
    for (int64_t offset = 20; offset < 50; offset++) {
        struct port_record record = await_input(1, 1);
        cr_assert_eq(record.offset, offset);
        cr_assert_eq(record.partition, 1);
        port.release(port.self, &record, 1);
    }
    cr_assert_eq(port_kafka_high_watermark(&port, 1), 50);
    port.input_stop(port.self, 1);
    struct port_record none;
    cr_assert_eq(port.input_take(port.self, 1, &none, 1), 0);
}

Test(port_kafka, lost_offset_is_a_fault)
{
    cr_assert_eq(port.input_start(port.self, 0, 0, 1000, &fixture.info), OK);
    struct port_record record = await_input(0, 0);
    cr_assert_eq(record.fault, PORT_OFFSET_RESET);
    port.release(port.self, &record, 1);
    port.input_stop(port.self, 0);
}

Test(port_kafka, wake_ends_a_wait_even_before_it_begins)
{
    int64_t begin = clock_steady_ns();
    port.wake(port.self, 0);
    port.wait(port.self, 0, FIXTURE_DEADLINE_MS);
    cr_assert_lt(clock_steady_ns() - begin, (int64_t)FIXTURE_DEADLINE_MS * 1000000 / 2);
}

/* One record at a time, each awaited without a time-out of its own: a single lost wake-up stops this test. */
Test(port_kafka, no_wake_up_is_lost)
{
    struct port_stream *stream = port.stream_open(port.self, PORT_JOURNAL, 0, 0);
    for (uint64_t i = 0; i < 300; i++) {
        cr_assert_eq(append(TAIL, PORT_JOURNAL, 0, "frame", i), OK);
        bool is_acked = false;
        bool is_read = false;
        while (!is_acked || !is_read) {
            struct port_ack ack;
            struct port_record record;
            if (port.acks(port.self, TAIL, &ack, 1) == 1) {
                cr_assert_eq(ack.token, i);
                is_acked = true;
            } else if (port.stream_take(port.self, stream, &record, 1) == 1) {
                cr_assert_eq(record.offset, (int64_t)i);
                port.release(port.self, &record, 1);
                is_read = true;
            } else {
                int64_t begin = clock_steady_ns();
                port.wait(port.self, TAIL, FIXTURE_DEADLINE_MS);
                cr_assert_lt(clock_steady_ns() - begin, (int64_t)FIXTURE_DEADLINE_MS * 1000000 / 2, "lost at %d",
                             (int)i);
            }
        }
    }
    port.stream_close(port.self, stream);
}

Test(port_kafka, two_streams_read_the_same_partition_independently)
{
    fixture_produce(&fixture, PORT_JOURNAL, 3, 20);
    struct port_stream *first = port.stream_open(port.self, PORT_JOURNAL, 3, 0);
    struct port_stream *second = port.stream_open(port.self, PORT_JOURNAL, 3, 15);
    for (int64_t offset = 0; offset < 20; offset++) {
        struct port_record record = await_stream(0, first);
        cr_assert_eq(record.offset, offset);
        port.release(port.self, &record, 1);
    }
    for (int64_t offset = 15; offset < 20; offset++) {
        struct port_record record = await_stream(0, second);
        cr_assert_eq(record.offset, offset);
        port.release(port.self, &record, 1);
    }
    port.stream_close(port.self, first);
    port.stream_close(port.self, second);
    port.stream_close(port.self, NULL);
}

Test(port_kafka, stream_goes_on_when_the_log_grows)
{
    struct port_stream *stream = port.stream_open(port.self, PORT_JOURNAL, 2, 0);
    for (int64_t i = 0; i < 5; i++) {
        cr_assert_eq(append(0, PORT_JOURNAL, 2, "x", 1), OK);
        cr_assert_eq(await_ack(0).result, OK);
        struct port_record record = await_stream(0, stream);
        cr_assert_eq(record.offset, i);
        port.release(port.self, &record, 1);
    }
    port.stream_close(port.self, stream);
}

Test(port_kafka, the_end_of_a_stream_is_what_the_broker_says)
{
    fixture_produce(&fixture, PORT_JOURNAL, 1, 3);
    struct port_stream *stream = port.stream_open(port.self, PORT_JOURNAL, 1, 0);
    int64_t deadline = fixture_deadline();
    int64_t next = 0;
    cr_assert(!port.stream_at_end(port.self, stream), "nothing was taken yet");
    while (!port.stream_at_end(port.self, stream)) {
        struct port_record record;
        CHECK(clock_steady_ns() < deadline);
        if (port.stream_take(port.self, stream, &record, 1) == 1) {
            cr_assert_eq(record.offset, next++);
            cr_assert(!port.stream_at_end(port.self, stream));
            port.release(port.self, &record, 1);
        } else {
            port.wait(port.self, 0, 100);
        }
    }
    cr_assert_eq(next, 3);
    port.stream_close(port.self, stream);
}

Test(port_kafka, tombstone_and_as_of_come_back_as_written)
{
    const struct bytes none = {NULL, 0};
    const struct bytes empty = {(const uint8_t *)"", 0};
    struct bytes key = fixture_bytes("flow|DAY|20250701");
    cr_assert_eq(port.append(port.self, TAIL, PORT_STATISTICS, 1, key, none, 77, 1, &fixture.info), OK);
    cr_assert_eq(port.append(port.self, TAIL, PORT_STATISTICS, 1, key, empty, 1099511627777, 2, &fixture.info), OK);
    cr_assert_eq(
        port.append(port.self, TAIL, PORT_STATISTICS, 1, key, fixture_bytes("v"), PORT_NO_AS_OF, 3, &fixture.info), OK);
    struct port_stream *stream = port.stream_open(port.self, PORT_STATISTICS, 1, 0);
    static const int64_t as_of[] = {77, 1099511627777, PORT_NO_AS_OF};
    static const bool is_null[] = {true, false, false};
    for (int i = 0; i < 3; i++) {
        struct port_record record = await_stream(TAIL, stream);
        cr_assert_eq(record.as_of, as_of[i]);
        cr_assert_eq(record.is_null, is_null[i], "record %d", i);
        cr_assert_eq(record.key.length, key.length);
        cr_assert_gt(record.timestamp_ms, 1600000000000, "the time of writing");
        port.release(port.self, &record, 1);
    }
    port.stream_close(port.self, stream);
}

Test(port_kafka, append_copies_key_and_value)
{
    char value[] = "before";
    cr_assert_eq(append(0, PORT_JOURNAL, 0, value, 1), OK);
    memset(value, 'x', sizeof value - 1);
    struct port_stream *stream = port.stream_open(port.self, PORT_JOURNAL, 0, 0);
    struct port_record record = await_stream(0, stream);
    cr_assert_eq(memcmp(record.value.data, "before", 6), 0);
    port.release(port.self, &record, 1);
    port.stream_close(port.self, stream);
}

Test(port_kafka, lane_reset_forgets_old_acks_and_works_again_at_once)
{
    mock_set_down(fixture.mock, true);
    for (uint64_t token = 1; token <= 100; token++) {
        cr_assert_eq(append(0, PORT_JOURNAL, 0, "old", token), OK);
    }
    int64_t begin = clock_steady_ns();
    port.lane_reset(port.self, 0);
    cr_assert_lt(clock_steady_ns() - begin, 2000000000, "does not wait for the broker");
    mock_set_down(fixture.mock, false);
    cr_assert_eq(append(0, PORT_JOURNAL, 0, "new", 500), OK);
    cr_assert_eq(await_ack(0).token, 500);
    struct port_ack ack;
    cr_assert_eq(port.acks(port.self, 0, &ack, 1), 0);
}

Test(port_kafka, lanes_do_not_see_each_others_acks)
{
    cr_assert_eq(append(0, PORT_JOURNAL, 0, "x", 10), OK);
    cr_assert_eq(append(1, PORT_JOURNAL, 0, "x", 11), OK);
    cr_assert_eq(append(TAIL, PORT_REJECTS, 0, "x", 12), OK);
    cr_assert_eq(await_ack(TAIL).token, 12);
    cr_assert_eq(await_ack(1).token, 11);
    cr_assert_eq(await_ack(0).token, 10);
}

Test(port_kafka, committed_and_bounds_are_answered)
{
    int64_t committed = 0;
    struct port_bounds bounds;
    cr_assert_eq(port.committed(port.self, 0, &committed, &fixture.info), OK, "%s", fixture.info.text);
    cr_assert_eq(committed, -1);
    fixture_produce(&fixture, PORT_DECLARATIONS, 0, 3);
    cr_assert_eq(port.bounds(port.self, PORT_DECLARATIONS, 0, &bounds, &fixture.info), OK, "%s", fixture.info.text);
    cr_assert_eq(bounds.low, 0);
    cr_assert_eq(bounds.high, 3);
    cr_assert_eq(port.trim(port.self, 0, 1, &fixture.info), ERR_CONFIG);
}

Test(port_kafka, outage_shows_in_the_health_and_ends)
{
    mock_set_down(fixture.mock, true);
    int64_t deadline = fixture_deadline();
    struct kafka_health health;
    struct port_membership change;
    do {
        port.membership(port.self, &change);
        port_kafka_health(&port, &health);
        fixture_pause(deadline, "an error");
    } while (health.errors == 0);
    cr_assert_neq(health.last_error[0], '\0');
    mock_set_down(fixture.mock, false);
    do {
        port.membership(port.self, &change);
        port_kafka_health(&port, &health);
        fixture_pause(deadline, "a reachable broker");
    } while (!health.is_reachable);
}

static struct port publisher_port(void)
{
    static struct kafka_options options;
    struct port opened;
    options = fixture.options;
    options.is_member = false;
    options.wants_lease = true;
    CHECK_SAY(port_kafka_open(&options, 0, &opened, &fixture.info) == OK, "%s", fixture.info.text);
    return opened;
}

/* Waits until exactly one of two ports holds the lease for as long as a rebalance could take it away; which. */
static int await_holder(const struct port *ports)
{
    int64_t deadline = fixture_deadline();
    int holder = -1;
    for (int seen = 0; seen < 200;) {
        bool first = port_kafka_holds_lease(&ports[0]);
        bool second = port_kafka_holds_lease(&ports[1]);
        int now = first ? 0 : 1;
        bool is_steady = first != second && port_kafka_lease_is_joined(&ports[0]) &&
                         port_kafka_lease_is_joined(&ports[1]) && (seen == 0 || now == holder);
        seen = is_steady ? seen + 1 : 0;
        holder = now;
        fixture_pause(deadline, "one holder of the lease");
    }
    return holder;
}

Test(port_kafka, the_lease_is_held_by_one_and_goes_to_the_other_when_it_leaves)
{
    struct port ports[2] = {publisher_port(), publisher_port()};
    struct port_membership change;
    int holder = await_holder(ports);
    cr_assert_not(ports[holder].membership(ports[holder].self, &change), "no input partition comes with it");
    int64_t deadline = fixture_deadline();

    port_kafka_leave(&ports[holder]);
    cr_assert_not(port_kafka_lease_is_joined(&ports[holder]));
    while (!port_kafka_holds_lease(&ports[1 - holder])) {
        fixture_pause(deadline, "the other takes the lease");
    }

    port_kafka_close(&ports[0], FIXTURE_DEADLINE_MS);
    port_kafka_close(&ports[1], FIXTURE_DEADLINE_MS);
}

Test(port_kafka, without_wants_lease_there_is_none)
{
    cr_assert_not(port_kafka_holds_lease(&port));
    cr_assert_not(port_kafka_lease_is_joined(&port));
}
