/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/admin.h"
#include "unit/kafka/fixture.h"

#include <criterion/criterion.h>

static struct fixture fixture;
static struct admin *admin;

static void start(void)
{
    fixture_start(&fixture);
    cr_assert_eq(admin_open(&fixture.options, NULL, &admin, &fixture.info), OK, "%s", fixture.info.text);
}

static void stop(void)
{
    admin_close(admin);
    fixture_stop(&fixture);
}

TestSuite(admin_mock, .init = start, .fini = stop);

Test(admin, unreachable_broker_is_named_within_the_timeout)
{
    fixture_options(&fixture, "127.0.0.1:1");
    fixture.options.timeout_ms = 1500;
    cr_assert_eq(admin_open(&fixture.options, NULL, &admin, &fixture.info), OK);
    int32_t partitions;
    cr_assert_eq(admin_partitions(admin, PORT_JOURNAL, &partitions, &fixture.info), ERR_PEER);
    cr_assert(strstr(fixture.info.text, "127.0.0.1:1"), "%s", fixture.info.text);
    cr_assert(strstr(fixture.info.text, "Connection refused"), "%s", fixture.info.text);
    cr_assert_eq(admin_prepare(admin, &fixture.info), ERR_PEER);
    admin_close(admin);
}

Test(admin, close_takes_null)
{
    admin_close(NULL);
}

Test(admin_mock, unequal_partitions_of_input_and_journal_are_refused)
{
    cr_assert_eq(mock_topic(fixture.mock, "test.eight", 8), OK);
    fixture.options.topics[PORT_JOURNAL] = "test.eight";
    cr_assert_eq(admin_check(admin, &fixture.info), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, "test.eight has 8"), "%s", fixture.info.text);
}

Test(admin_mock, records_can_not_be_deleted_there)
{
    cr_assert_eq(admin_delete_records(admin, PORT_JOURNAL, 0, 1, &fixture.info), ERR_CONFIG);
}

Test(admin_mock, existing_topics_are_prepared_without_their_settings)
{
    cr_assert_eq(admin_prepare(admin, &fixture.info), OK, "%s", fixture.info.text);
}

Test(admin_mock, bounds_move_with_the_log)
{
    struct port_bounds bounds;
    cr_assert_eq(admin_bounds(admin, PORT_JOURNAL, 2, &bounds, &fixture.info), OK, "%s", fixture.info.text);
    cr_assert_eq(bounds.low, 0);
    cr_assert_eq(bounds.high, 0);
    fixture_produce(&fixture, PORT_JOURNAL, 2, 17);
    cr_assert_eq(admin_bounds(admin, PORT_JOURNAL, 2, &bounds, &fixture.info), OK);
    cr_assert_eq(bounds.high, 17);
}
