/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/consumer.h"
#include "kafka/reader.h"
#include "unit/kafka/fixture.h"

#include <criterion/criterion.h>

static struct fixture fixture;
static struct client_health *health;

static void start(void)
{
    fixture_start(&fixture);
    health = client_health_new(&fixture.options);
}

static void stop(void)
{
    cr_assert(client_health_wait_closed(health, FIXTURE_DEADLINE_MS));
    client_health_free(health);
    fixture_stop(&fixture);
}

TestSuite(consumer, .init = start, .fini = stop);

static struct consumer_place place(void)
{
    return (struct consumer_place){fixture.options.group, PORT_DECLARATIONS, FIXTURE_PARTITIONS};
}

static struct consumer *join(void)
{
    struct consumer *consumer;
    struct consumer_place at = place();
    enum err err = consumer_open(&fixture.options, health, &at, &consumer, &fixture.info);
    CHECK_SAY(err == OK, "%s", fixture.info.text);
    return consumer;
}

static struct port_membership await_change(struct consumer *consumer)
{
    int64_t deadline = fixture_deadline();
    struct port_membership change;
    while (!consumer_membership(consumer, &change)) {
        fixture_pause(deadline, "a membership change");
    }
    return change;
}

static void await_assignment(struct consumer *consumer, int count)
{
    for (int i = 0; i < count; i++) {
        cr_assert_eq(await_change(consumer).change, PORT_ASSIGNED);
    }
}

/* It has joined when the caller, having taken its partitions, asks for more. */
static bool joined_after_asking(struct consumer *consumer)
{
    struct port_membership change;
    bool before = consumer_is_joined(consumer);
    cr_assert_not(consumer_membership(consumer, &change));
    return !before && consumer_is_joined(consumer);
}

Test(consumer, empty_group_is_refused)
{
    struct consumer *consumer = NULL;
    fixture.options.group = "";
    struct consumer_place at = place();
    cr_assert_eq(consumer_open(&fixture.options, health, &at, &consumer, &fixture.info), ERR_CONFIG);
    cr_assert_null(consumer);
}

Test(consumer, close_takes_null)
{
    consumer_close(NULL);
}

Test(consumer, release_of_what_was_not_revoked_does_nothing)
{
    struct consumer *consumer = join();
    consumer_release(consumer, 0);
    await_assignment(consumer, FIXTURE_PARTITIONS);
    consumer_release(consumer, 1);
    cr_assert(joined_after_asking(consumer));
    consumer_close(consumer);
}

Test(consumer, only_member_gets_all_partitions_once)
{
    struct consumer *consumer = join();
    cr_assert_not(consumer_is_joined(consumer));
    uint32_t seen = 0;
    for (int i = 0; i < FIXTURE_PARTITIONS; i++) {
        struct port_membership change = await_change(consumer);
        cr_assert_eq(change.change, PORT_ASSIGNED);
        seen |= 1u << change.partition;
    }
    cr_assert_eq(seen, 0xFu);
    cr_assert(joined_after_asking(consumer));
    cr_assert_eq(consumer_rebalances(consumer, PORT_ASSIGNED), 1);
    consumer_close(consumer);
}

Test(consumer, second_member_waits_until_the_first_lets_go)
{
    struct consumer *first = join();
    await_assignment(first, FIXTURE_PARTITIONS);
    struct consumer *second = join();

    struct port_membership change = await_change(first);
    cr_assert_eq(change.change, PORT_REVOKED);
    struct port_membership early;
    cr_assert_not(consumer_membership(second, &early), "nothing is given before it is let go");

    int held[2] = {0, 0};
    int64_t deadline = fixture_deadline();
    struct consumer *members[2] = {first, second};
    held[0] = FIXTURE_PARTITIONS - 1;
    consumer_release(first, change.partition);
    while (held[0] != 2 || held[1] != 2) {
        for (int m = 0; m < 2; m++) {
            while (consumer_membership(members[m], &change)) {
                held[m] += change.change == PORT_ASSIGNED ? 1 : -1;
                if (change.change == PORT_REVOKED) {
                    consumer_release(members[m], change.partition);
                }
            }
        }
        fixture_pause(deadline, "an even share");
    }
    consumer_close(second);
    consumer_close(first);
}

Test(consumer, partitions_of_a_member_that_left_come_back)
{
    struct consumer *first = join();
    await_assignment(first, FIXTURE_PARTITIONS);
    consumer_close(first);
    struct consumer *second = join();
    await_assignment(second, FIXTURE_PARTITIONS);
    consumer_close(second);
}

Test(consumer, committed_offset_is_found_by_a_reader)
{
    struct consumer *consumer = join();
    await_assignment(consumer, FIXTURE_PARTITIONS);
    consumer_commit(consumer, 2, 4711);
    consumer_close(consumer); /* sends it */

    struct reader *reader;
    cr_assert_eq(reader_new(&fixture.options, CLIENT_INPUT, health, &reader, &fixture.info), OK);
    int64_t offset = -1;
    cr_assert_eq(reader_committed(reader, 2, &offset, &fixture.info), OK, "%s", fixture.info.text);
    cr_assert_eq(offset, 4711);
    reader_free(reader);
}

Test(consumer, member_of_a_broker_that_goes_away_and_comes_back_has_its_partitions_again)
{
    struct consumer *consumer = join();
    await_assignment(consumer, FIXTURE_PARTITIONS);
    int held = FIXTURE_PARTITIONS;
    int64_t deadline = fixture_deadline();
    struct kafka_health shown = {0};
    bool is_down = false;
    bool was_noticed = false;
    while (!was_noticed || !shown.is_reachable || held != FIXTURE_PARTITIONS) {
        if (is_down != !was_noticed) {
            is_down = !was_noticed;
            mock_set_down(fixture.mock, is_down);
        }
        struct port_membership change;
        while (consumer_membership(consumer, &change)) { /* the session may end meanwhile */
            held += change.change == PORT_ASSIGNED ? 1 : -1;
            consumer_release(consumer, change.partition);
        }
        client_health_read(health, &shown);
        was_noticed = was_noticed || shown.errors > 0;
        fixture_pause(deadline, "the outage to be noticed and over");
    }
    consumer_close(consumer);
}
