/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/client_health.h"
#include "unit/kafka/fixture.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>

static struct fixture fixture;

Test(client_health, same_error_is_logged_once_and_counted_always)
{
    fixture_options(&fixture, "b:1");
    struct client_health *health = client_health_new(&fixture.options);
    for (int i = 0; i < 5; i++) {
        client_health_error(health, RD_KAFKA_RESP_ERR__TRANSPORT, "Connection refused");
    }
    client_health_error(health, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down");

    struct kafka_health shown;
    client_health_read(health, &shown);
    cr_assert_eq(fixture.logged, 2);
    cr_assert_eq(shown.errors, 6);
    cr_assert_not(shown.is_reachable);
    cr_assert_str_eq(shown.last_error, "Connection refused", "the summary does not hide the cause");
    client_health_free(health);
}

Test(client_health, statistics_of_all_handles_are_added_up)
{
    fixture_options(&fixture, "b:1");
    struct client_health *health = client_health_new(&fixture.options);
    const struct rd_kafka_s *one = (const struct rd_kafka_s *)&fixture;
    const struct rd_kafka_s *two = (const struct rd_kafka_s *)&fixture.info;
    client_health_statistics(health, one,
                             "{\"state\":\"UP\",\"req_timeouts\":2,\"fetchq_size\":10,"
                             "\"rtt\": {\"sum\":3000,\"cnt\":2}}");
    client_health_statistics(health, two, "{\"req_timeouts\":1,\"fetchq_size\":5,\"req_timeouts\":4}");

    struct kafka_health shown;
    client_health_read(health, &shown);
    cr_assert(shown.is_reachable);
    cr_assert_eq(shown.request_timeouts, 7);
    cr_assert_eq(shown.fetch_queue_bytes, 15);
    cr_assert_float_eq(shown.rtt_seconds, 0.0015, 1e-9);

    client_health_closing(health);
    cr_assert_not(client_health_wait_closed(health, 1));
    client_health_closed(health, two);
    cr_assert(client_health_wait_closed(health, 0));
    client_health_read(health, &shown);
    cr_assert_eq(shown.request_timeouts, 7, "those of a handle that is gone stay");
    cr_assert_eq(shown.fetch_queue_bytes, 10, "its queue is gone");
    client_health_free(health);
}
