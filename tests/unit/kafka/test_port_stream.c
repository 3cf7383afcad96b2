/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/kafka/port_fixture.h"

TestSuite(port_stream, .init = start, .fini = stop);

Test(port_stream, two_streams_read_the_same_partition_independently)
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

Test(port_stream, stream_goes_on_when_the_log_grows)
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

Test(port_stream, the_end_of_a_stream_is_what_the_broker_says)
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

Test(port_stream, tombstone_and_as_of_come_back_as_written)
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
