/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/reader.h"
#include "unit/kafka/fixture.h"

#include <criterion/criterion.h>

enum { API_FETCH = 1, CODE_NOT_LEADER = 6, CODE_STORAGE = 56 };

static struct fixture fixture;
static struct client_health *health;
static struct reader *reader;

static void start(void)
{
    fixture_start(&fixture);
    health = client_health_new(&fixture.options);
    cr_assert_eq(reader_new(&fixture.options, CLIENT_INPUT, health, &reader, &fixture.info), OK, "%s",
                 fixture.info.text);
}

static void stop(void)
{
    reader_free(reader);
    cr_assert(client_health_wait_closed(health, FIXTURE_DEADLINE_MS));
    client_health_free(health);
    fixture_stop(&fixture);
}

TestSuite(reader, .init = start, .fini = stop);

static struct reader_log *open_log(int32_t partition, int64_t offset)
{
    struct reader_log *log = reader_start(reader, PORT_DECLARATIONS, partition, offset, -1, &fixture.info);
    CHECK_SAY(log != NULL, "%s", fixture.info.text);
    return log;
}

static struct port_record await_record(struct reader_log *log)
{
    int64_t deadline = fixture_deadline();
    struct port_record record;
    while (reader_take(log, &record, 1) == 0) {
        fixture_pause(deadline, "a record");
    }
    return record;
}

Test(reader, negative_offset_is_refused_with_its_place)
{
    cr_assert_null(reader_start(reader, PORT_DECLARATIONS, 1, -5, -1, &fixture.info));
    cr_assert(strstr(fixture.info.text, "test.declarations/1 from offset -5"), "%s", fixture.info.text);
}

Test(reader, partition_is_open_once)
{
    struct reader_log *log = open_log(0, 0);
    cr_assert_null(reader_start(reader, PORT_DECLARATIONS, 0, 0, -1, &fixture.info));
    reader_stop(log);
    log = open_log(0, 0);
    reader_stop(log);
}

Test(reader, stop_takes_null)
{
    reader_stop(NULL);
}

Test(reader, empty_log_gives_nothing)
{
    struct reader_log *log = open_log(0, 0);
    struct port_record record;
    cr_assert_eq(reader_take(log, &record, 1), 0);
    reader_stop(log);
}

Test(reader, end_of_the_log_is_told_and_forgotten_when_more_comes)
{
    struct reader_log *log = open_log(0, 0);
    cr_assert_not(reader_at_end(log));
    struct port_record record;
    int64_t deadline = fixture_deadline();
    while (!reader_at_end(log)) {
        cr_assert_eq(reader_take(log, &record, 1), 0);
        fixture_pause(deadline, "the end of an empty log");
    }
    fixture_produce(&fixture, PORT_DECLARATIONS, 0, 1);

    record = await_record(log);

    cr_assert_not(reader_at_end(log));
    reader_release(&record, 1);
    while (!reader_at_end(log)) {
        cr_assert_eq(reader_take(log, &record, 1), 0);
        fixture_pause(deadline, "the end behind a record");
    }
    reader_stop(log);
}

Test(reader, more_than_was_taken_waits)
{
    fixture_produce(&fixture, PORT_DECLARATIONS, 0, 3);
    struct reader_log *log = open_log(0, 0);
    struct port_record record = await_record(log);

    cr_assert(reader_waits(log));
    reader_release(&record, 1);
    for (int i = 0; i < 2; i++) {
        record = await_record(log);
        reader_release(&record, 1);
    }
    cr_assert_not(reader_waits(log));
    reader_stop(log);
}

Test(reader, offset_beyond_the_log_is_a_fault_that_keeps_its_offset)
{
    fixture_produce(&fixture, PORT_DECLARATIONS, 0, 5);
    struct reader_log *log = open_log(0, 9);
    struct port_record record = await_record(log);
    cr_assert_eq(record.fault, PORT_OFFSET_RESET);
    cr_assert_eq(record.offset, 9);
    cr_assert_eq(record.partition, 0);
    reader_release(&record, 1);
    reader_stop(log);
}

Test(reader, passing_fetch_errors_are_not_faults)
{
    fixture_produce(&fixture, PORT_DECLARATIONS, 0, 3);
    mock_fail(fixture.mock, API_FETCH, CODE_NOT_LEADER, 2);
    mock_fail(fixture.mock, API_FETCH, CODE_STORAGE, 1);
    struct reader_log *log = open_log(0, 0);
    struct port_record record = await_record(log);
    cr_assert_eq(record.fault, PORT_NONE);
    cr_assert_eq(record.offset, 0);
    reader_release(&record, 1);
    reader_stop(log);
}

Test(reader, broker_that_is_away_for_a_while_costs_no_record)
{
    fixture_produce(&fixture, PORT_DECLARATIONS, 0, 4);
    struct reader_log *log = open_log(0, 0);
    struct port_record record = await_record(log);
    reader_release(&record, 1);
    mock_set_down(fixture.mock, true);
    mock_set_down(fixture.mock, false);
    fixture_produce(&fixture, PORT_DECLARATIONS, 0, 4);
    for (int64_t offset = 1; offset < 8; offset++) {
        record = await_record(log);
        cr_assert_eq(record.fault, PORT_NONE);
        cr_assert_eq(record.offset, offset);
        reader_release(&record, 1);
    }
    reader_stop(log);
}

Test(reader, delivery_begins_exactly_at_the_offset_in_order)
{
    fixture_produce(&fixture, PORT_DECLARATIONS, 1, 1000);
    struct reader_log *log = open_log(1, 137);
    for (int64_t offset = 137; offset < 1000; offset++) {
        struct port_record record = await_record(log);
        char expected[32];
        snprintf(expected, sizeof expected, "1:%lld", (long long)offset);
        cr_assert_eq(record.offset, offset);
        cr_assert_eq(record.timestamp_ms, 1000 + offset);
        cr_assert_eq(record.value.length, strlen(expected));
        cr_assert_eq(memcmp(record.value.data, expected, record.value.length), 0);
        cr_assert_not(record.is_null);
        reader_release(&record, 1);
    }
    reader_stop(log);
}

Test(reader, stopped_and_started_again_it_gives_nothing_of_the_former_reading)
{
    fixture_produce(&fixture, PORT_DECLARATIONS, 2, 2000);
    for (int round = 0; round < 20; round++) {
        int64_t offset = (round * 977) % 1999;
        struct reader_log *log = open_log(2, offset);
        if (round % 2 == 0) {
            struct port_record record = await_record(log);
            cr_assert_eq(record.offset, offset, "round %d: %lld", round, (long long)record.offset);
            reader_release(&record, 1);
        }
        reader_stop(log);
    }
}

Test(reader, partitions_do_not_leak_into_each_other)
{
    for (int32_t p = 0; p < FIXTURE_PARTITIONS; p++) {
        fixture_produce(&fixture, PORT_DECLARATIONS, p, 300);
    }
    struct reader_log *logs[FIXTURE_PARTITIONS];
    for (int32_t p = 0; p < FIXTURE_PARTITIONS; p++) {
        logs[p] = open_log(p, p * 10);
    }
    for (int32_t p = 0; p < FIXTURE_PARTITIONS; p++) {
        for (int64_t offset = p * 10; offset < 300; offset++) {
            struct port_record record = await_record(logs[p]);
            cr_assert_eq(record.partition, p);
            cr_assert_eq(record.offset, offset);
            cr_assert_eq(record.value.data[0], '0' + p);
            reader_release(&record, 1);
        }
        reader_stop(logs[p]);
    }
}

Test(reader, committed_offset_is_none_at_first)
{
    int64_t offset = 5;
    cr_assert_eq(reader_committed(reader, 0, &offset, &fixture.info), OK, "%s", fixture.info.text);
    cr_assert_eq(offset, -1);
}

Test(reader, high_watermark_is_known_after_a_fetch)
{
    cr_assert_eq(reader_high_watermark(reader, PORT_DECLARATIONS, 0), -1);
    fixture_produce(&fixture, PORT_DECLARATIONS, 0, 25);
    struct reader_log *log = open_log(0, 0);
    struct port_record record = await_record(log);
    cr_assert_eq(reader_high_watermark(reader, PORT_DECLARATIONS, 0), 25);
    reader_release(&record, 1);
    reader_stop(log);
}
