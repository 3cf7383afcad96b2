/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/kafka/port_fixture.h"

TestSuite(port_lane, .init = start, .fini = stop);

Test(port_lane, wake_ends_a_wait_even_before_it_begins)
{
    int64_t begin = clock_steady_ns();
    port.wake(port.self, 0);
    port.wait(port.self, 0, FIXTURE_DEADLINE_MS);
    cr_assert_lt(clock_steady_ns() - begin, (int64_t)FIXTURE_DEADLINE_MS * 1000000 / 2);
}

/* One record at a time, each awaited without a time-out of its own: a single lost wake-up stops this test. */
Test(port_lane, no_wake_up_is_lost)
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

Test(port_lane, append_copies_key_and_value)
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

Test(port_lane, lane_reset_forgets_old_acks_and_works_again_at_once)
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

Test(port_lane, lanes_do_not_see_each_others_acks)
{
    cr_assert_eq(append(0, PORT_JOURNAL, 0, "x", 10), OK);
    cr_assert_eq(append(1, PORT_JOURNAL, 0, "x", 11), OK);
    cr_assert_eq(append(TAIL, PORT_REJECTS, 0, "x", 12), OK);
    cr_assert_eq(await_ack(TAIL).token, 12);
    cr_assert_eq(await_ack(1).token, 11);
    cr_assert_eq(await_ack(0).token, 10);
}
