/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/kafka/fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { API_PRODUCE = 0, CODE_SIZE = 10, CODE_NOT_LEADER = 6, CODE_DENIED = 29 };

static struct fixture fixture;
static struct producer *producer;

static void start(void)
{
    fixture_start(&fixture);
    cr_assert_eq(producer_open(&fixture.options, NULL, &producer, &fixture.info), OK, "%s", fixture.info.text);
}

static void stop(void)
{
    producer_close(producer);
    fixture_stop(&fixture);
}

TestSuite(producer, .init = start, .fini = stop);

static struct port_ack await_ack(void)
{
    int64_t deadline = fixture_deadline();
    struct port_ack ack;
    while (producer_acks(producer, &ack, 1) == 0) {
        CHECK(clock_steady_ns() < deadline);
        producer_wait(producer, 100);
    }
    return ack;
}

static struct producer_record record_of(const char *value, uint64_t token)
{
    return (struct producer_record){.topic = PORT_JOURNAL, .value = fixture_bytes(value), .token = token};
}

Test(producer, record_larger_than_the_limit_is_refused_at_once_and_never_acked)
{
    static uint8_t large[2000000];
    struct producer_record record = {.topic = PORT_JOURNAL, .value = {large, sizeof large}, .token = 7};
    cr_assert_eq(producer_append(producer, &record, &fixture.info), ERR_LIMIT);
    cr_assert(strstr(fixture.info.text, "message.max.bytes"), "%s", fixture.info.text);
    cr_assert_eq(producer_pending(producer), 0);
}

Test(producer, size_error_of_the_broker_is_a_limit)
{
    mock_fail(fixture.mock, API_PRODUCE, CODE_SIZE, 1);
    struct producer_record record = record_of("x", 8);
    cr_assert_eq(producer_append(producer, &record, &fixture.info), OK);
    struct port_ack ack = await_ack();
    cr_assert_eq(ack.token, 8);
    cr_assert_eq(ack.result, ERR_LIMIT);
    cr_assert_eq(ack.offset, -1);
}

Test(producer, size_error_of_a_record_that_fits_says_that_the_limit_is_stale)
{
    fixture.options.batch_bytes = 1000;
    mock_fail(fixture.mock, API_PRODUCE, CODE_SIZE, 1);
    struct producer_record record = record_of("x", 8);
    cr_assert_not(producer_limit_is_stale(producer));
    cr_assert_eq(producer_append(producer, &record, &fixture.info), OK);

    cr_assert_eq(await_ack().result, ERR_PEER);

    cr_assert(producer_limit_is_stale(producer));
}

Test(producer, size_error_of_a_record_that_does_not_fit_is_a_limit_and_nothing_is_stale)
{
    static uint8_t large[1000];
    fixture.options.batch_bytes = 1000;
    mock_fail(fixture.mock, API_PRODUCE, CODE_SIZE, 1);
    struct producer_record record = {.topic = PORT_JOURNAL, .value = {large, sizeof large}, .token = 7};
    cr_assert_eq(producer_append(producer, &record, &fixture.info), OK);

    cr_assert_eq(await_ack().result, ERR_LIMIT);

    cr_assert_not(producer_limit_is_stale(producer));
}

Test(producer, refusal_by_the_broker_is_acked_as_peer)
{
    mock_fail(fixture.mock, API_PRODUCE, CODE_DENIED, 1);
    struct producer_record record = record_of("x", 9);
    cr_assert_eq(producer_append(producer, &record, &fixture.info), OK);
    cr_assert_eq(await_ack().result, ERR_PEER);
}

Test(producer, unknown_partition_is_a_configuration_error)
{
    struct producer_record record = record_of("x", 10);
    record.partition = FIXTURE_PARTITIONS + 3;
    enum err err = producer_append(producer, &record, &fixture.info);
    cr_assert_eq(err == OK ? await_ack().result : err, ERR_CONFIG);
}

Test(producer, passing_error_is_retried_and_acked_once)
{
    mock_fail(fixture.mock, API_PRODUCE, CODE_NOT_LEADER, 2);
    struct producer_record record = record_of("x", 11);
    cr_assert_eq(producer_append(producer, &record, &fixture.info), OK);
    struct port_ack ack = await_ack();
    cr_assert_eq(ack.result, OK);
    cr_assert_eq(ack.token, 11);
    cr_assert_eq(producer_pending(producer), 0);
    cr_assert_eq(producer_acks(producer, &ack, 1), 0);
}

Test(producer, full_queue_asks_to_drain)
{
    static const struct kafka_setting small = {KAFKA_PRODUCER, "queue.buffering.max.messages", "3", NULL};
    producer_close(producer);
    fixture.options.settings = &small;
    fixture.options.setting_count = 1;
    mock_set_down(fixture.mock, true);
    cr_assert_eq(producer_open(&fixture.options, NULL, &producer, &fixture.info), OK, "%s", fixture.info.text);
    enum err err = OK;
    for (uint64_t i = 0; i < 4 && err == OK; i++) {
        struct producer_record record = record_of("x", i);
        err = producer_append(producer, &record, &fixture.info);
    }
    cr_assert_eq(err, ERR_FULL);
}

Test(producer, tokens_come_back_exactly_once_with_rising_offsets)
{
    enum { COUNT = 5000 };
    static uint8_t seen[COUNT];
    for (uint64_t i = 0; i < COUNT; i++) {
        struct producer_record record = record_of("value", i);
        cr_assert_eq(producer_append(producer, &record, &fixture.info), OK);
    }
    int64_t expected = 0;
    while (producer_pending(producer) > 0) {
        struct port_ack ack = await_ack();
        cr_assert_eq(ack.result, OK);
        cr_assert_lt(ack.token, COUNT);
        cr_assert_eq(seen[ack.token]++, 0);
        cr_assert_eq(ack.offset, expected++);
    }
    cr_assert_eq(expected, COUNT);
}

Test(producer, close_does_not_wait_for_a_broker_that_is_away)
{
    mock_set_down(fixture.mock, true);
    struct producer_record record = record_of("x", 1);
    cr_assert_eq(producer_append(producer, &record, &fixture.info), OK);
    producer_close(producer);
    producer = NULL;
}
