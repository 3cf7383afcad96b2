/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/kafka/port_fixture.h"

TestSuite(port_kafka, .init = start, .fini = stop);

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
