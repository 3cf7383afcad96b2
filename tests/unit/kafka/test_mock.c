/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/admin.h"
#include "unit/kafka/fixture.h"

#include <criterion/criterion.h>

static struct fixture fixture;

Test(mock, stop_takes_null)
{
    mock_stop(NULL);
}

Test(mock, impossible_partition_count_is_an_error)
{
    fixture_options(&fixture, "");
    fixture.options.partitions = 0;
    struct mock *mock = NULL;
    cr_assert_eq(mock_start(&fixture.options, 1, &mock, &fixture.info), ERR_CONFIG);
    cr_assert_null(mock);
}

Test(mock, has_the_four_topics_with_their_partitions)
{
    fixture_start(&fixture);
    struct admin *admin;
    cr_assert_eq(admin_open(&fixture.options, NULL, &admin, &fixture.info), OK);
    for (int topic = 0; topic < PORT_TOPICS; topic++) {
        int32_t partitions = 0;
        cr_assert_eq(admin_partitions(admin, (enum port_topic)topic, &partitions, &fixture.info), OK, "%s",
                     fixture.info.text);
        cr_assert_eq(partitions, FIXTURE_PARTITIONS);
    }
    admin_close(admin);
    fixture_stop(&fixture);
}

Test(mock, answers_again_after_it_was_down)
{
    fixture_start(&fixture);
    struct admin *admin;
    cr_assert_eq(admin_open(&fixture.options, NULL, &admin, &fixture.info), OK);
    int32_t partitions = 0;
    cr_assert_eq(admin_partitions(admin, PORT_JOURNAL, &partitions, &fixture.info), OK);

    mock_set_down(fixture.mock, true);
    fixture.options.timeout_ms = 500;
    cr_assert_eq(admin_partitions(admin, PORT_JOURNAL, &partitions, &fixture.info), ERR_PEER);
    mock_set_down(fixture.mock, false);
    fixture.options.timeout_ms = 20000;
    cr_assert_eq(admin_partitions(admin, PORT_JOURNAL, &partitions, &fixture.info), OK, "%s", fixture.info.text);

    admin_close(admin);
    fixture_stop(&fixture);
}
