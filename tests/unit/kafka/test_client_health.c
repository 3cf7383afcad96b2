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

Test(client_health, an_answer_is_enough_until_all_brokers_are_gone)
{
    fixture_options(&fixture, "b:1");
    struct client_health *health = client_health_new(&fixture.options);
    struct kafka_health shown;
    client_health_read(health, &shown);
    cr_assert_not(shown.is_reachable);

    client_health_answered(health);
    client_health_read(health, &shown);
    cr_assert(shown.is_reachable);

    client_health_error(health, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down");
    client_health_read(health, &shown);
    cr_assert_not(shown.is_reachable);
    client_health_free(health);
}

Test(client_health, statistics_of_all_handles_are_added_up)
{
    fixture_options(&fixture, "b:1");
    struct client_health *health = client_health_new(&fixture.options);
    const struct rd_kafka_s *one = (const struct rd_kafka_s *)&fixture;
    const struct rd_kafka_s *two = (const struct rd_kafka_s *)&fixture.info;
    client_health_statistics(health, one, "{\"state\":\"UP\",\"req_timeouts\":2,\"fetchq_size\":10}");
    client_health_statistics(health, two, "{\"req_timeouts\":1,\"fetchq_size\":5,\"req_timeouts\":4}");

    struct kafka_health shown;
    client_health_read(health, &shown);
    cr_assert(shown.is_reachable);
    cr_assert_eq(shown.request_timeouts, 7);
    cr_assert_eq(shown.fetch_queue_bytes, 15);

    client_health_closing(health, two);
    cr_assert_not(client_health_wait_closed(health, 1));
    client_health_closed(health, two);
    cr_assert(client_health_wait_closed(health, 0));
    client_health_read(health, &shown);
    cr_assert_eq(shown.request_timeouts, 7, "those of a handle that is gone stay");
    cr_assert_eq(shown.fetch_queue_bytes, 10, "its queue is gone");
    client_health_free(health);
}

Test(client_health, round_trips_of_producers_are_placed_by_their_percentiles)
{
    fixture_options(&fixture, "b:1");
    struct client_health *health = client_health_new(&fixture.options);
    const struct rd_kafka_s *one = (const struct rd_kafka_s *)&fixture;
    static const char rtt[] = "\"rtt\": { \"min\":900,\"max\":70000,\"sum\":1,\"p50\":900,\"p75\":1500,\"p90\":3000,"
                              "\"p95\":3500,\"p99\":9000,\"p99_99\":70000,\"cnt\":200}";
    char json[512];

    snprintf(json, sizeof json, "{ \"type\": \"consumer\", %s}", rtt);
    client_health_statistics(health, one, json);
    snprintf(json, sizeof json, "{ \"type\": \"producer\", %s}", rtt);
    client_health_statistics(health, one, json);

    struct kafka_health shown;
    struct hist_view view;
    client_health_read(health, &shown);
    hist_read(shown.rtt, &view);
    cr_assert_eq(view.count, 200, "a consumer's wait for records is no round trip");
    cr_assert_eq(view.bucket[1], 100, "half took 0.5 to 1 ms");
    cr_assert_eq(view.bucket[2], 50, "a quarter 1 to 2 ms");
    cr_assert_eq(view.bucket[3], 40, "2 to 4 ms");
    cr_assert_eq(view.bucket[5], 8, "8 to 16 ms");
    cr_assert_eq(view.bucket[8], 2, "64 to 128 ms");
    client_health_free(health);
}
