/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/kafka/fixture.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>

static struct fixture fixture;

static enum err check_with(enum kafka_scope scope, const char *key, const char *value)
{
    static struct kafka_setting setting;
    setting = (struct kafka_setting){scope, key, value, "dryport.conf:12"};
    fixture_options(&fixture, "127.0.0.1:1");
    fixture.options.settings = &setting;
    fixture.options.setting_count = 1;
    return client_check(&fixture.options, &fixture.info);
}

Test(client, empty_brokers_are_refused)
{
    fixture_options(&fixture, "");
    cr_assert_eq(client_check(&fixture.options, &fixture.info), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, "brokers"));
}

Test(client, unknown_setting_names_the_key_its_place_and_librdkafka)
{
    cr_assert_eq(check_with(KAFKA_BOTH, "no.such.key", "1"), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, "dryport.conf:12"), "%s", fixture.info.text);
    cr_assert(strstr(fixture.info.text, "kafka.no.such.key"), "%s", fixture.info.text);
    cr_assert(strstr(fixture.info.text, "No such configuration property"), "%s", fixture.info.text);
}

Test(client, value_out_of_range_names_the_key)
{
    cr_assert_eq(check_with(KAFKA_CONSUMER, "session.timeout.ms", "minus"), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, "kafka.consumer.session.timeout.ms"), "%s", fixture.info.text);
}

Test(client, setting_of_the_protocol_is_reserved)
{
    cr_assert_eq(check_with(KAFKA_BOTH, "check.crcs", "false"), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, "kafka.check.crcs can't be set"), "%s", fixture.info.text);
    cr_assert_eq(check_with(KAFKA_PRODUCER, "acks", "1"), ERR_CONFIG);
    cr_assert_eq(check_with(KAFKA_CONSUMER, "auto.offset.reset", "latest"), ERR_CONFIG);
}

Test(client, transactions_offset_commits_and_check_sums_can_not_be_configured_away)
{
    static const struct {
        enum kafka_scope scope;
        const char *key;
        const char *value;
    } settings[] = {
        {KAFKA_PRODUCER, "transactional.id", "one"},
        {KAFKA_CONSUMER, "enable.auto.commit", "true"},
        {KAFKA_CONSUMER, "enable.auto.offset.store", "true"},
        {KAFKA_CONSUMER, "auto.offset.reset", "latest"},
        {KAFKA_CONSUMER, "check.crcs", "false"},
        {KAFKA_CONSUMER, "isolation.level", "read_uncommitted"},
        {KAFKA_PRODUCER, "enable.idempotence", "false"},
        {KAFKA_PRODUCER, "message.timeout.ms", "300000"},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        cr_assert_eq(check_with(settings[i].scope, settings[i].key, settings[i].value), ERR_CONFIG, "%s",
                     settings[i].key);
        cr_assert(strstr(fixture.info.text, settings[i].key), "%s", fixture.info.text);
        cr_assert(strstr(fixture.info.text, "can't be set"), "%s", fixture.info.text);
    }
}

/* confluentinc/librdkafka#4783: the main thread spins in versions before 2.6.1. */
Test(client, the_assignor_is_eager_where_the_cooperative_one_loops)
{
    cr_assert_eq(client_is_cooperative(), rd_kafka_version() >= 0x02060100);
}

Test(client, credentials_that_librdkafka_refuses_are_a_configuration_error)
{
    cr_assert_eq(check_with(KAFKA_BOTH, "ssl.ca.location", "/nonexistent/ca.pem"), OK, "unused without TLS");
    static const struct kafka_setting settings[] = {{KAFKA_BOTH, "security.protocol", "ssl", NULL},
                                                    {KAFKA_BOTH, "ssl.ca.location", "/nonexistent/ca.pem", NULL}};
    fixture.options.settings = settings;
    fixture.options.setting_count = 2;
    cr_assert_eq(client_check(&fixture.options, &fixture.info), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, "ssl.ca.location"), "%s", fixture.info.text);
}

Test(client, setting_of_the_other_scope_is_not_applied)
{
    cr_assert_eq(check_with(KAFKA_PRODUCER, "linger.ms", "7"), OK);
    cr_assert_eq(check_with(KAFKA_CONSUMER, "fetch.min.bytes", "7"), OK);
}

Test(client, codes_map_to_reactions)
{
    cr_assert_eq(client_err(RD_KAFKA_RESP_ERR_NO_ERROR), OK);
    cr_assert_eq(client_err(RD_KAFKA_RESP_ERR__QUEUE_FULL), ERR_FULL);
    cr_assert_eq(client_err(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE), ERR_LIMIT);
    cr_assert_eq(client_err(RD_KAFKA_RESP_ERR__AUTHENTICATION), ERR_PEER);
    cr_assert_eq(client_err(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), ERR_PEER);
    cr_assert_eq(client_err(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN), ERR_PEER);
    cr_assert_eq(client_err(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART), ERR_CONFIG);
}

Test(client, transport_trouble_is_passing_and_bad_data_is_not)
{
    cr_assert(client_is_passing(RD_KAFKA_RESP_ERR__TRANSPORT));
    cr_assert(client_is_passing(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION));
    cr_assert_not(client_is_passing(RD_KAFKA_RESP_ERR__BAD_MSG));
    cr_assert_not(client_is_passing(RD_KAFKA_RESP_ERR__BAD_COMPRESSION));
    cr_assert_not(client_is_passing(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
}

Test(client, failure_names_the_address_and_the_mend)
{
    fixture_options(&fixture, "broker.example:9092");
    enum err err = client_fail(&fixture.options, RD_KAFKA_RESP_ERR__TIMED_OUT, NULL, "asking", &fixture.info);
    cr_assert_eq(err, ERR_PEER);
    cr_assert(strstr(fixture.info.text, "broker.example:9092"));
    cr_assert(strstr(fixture.info.text, "check brokers"));
}
