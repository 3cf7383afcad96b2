/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct config config;
static struct err_info info;
static char file[] = "/tmp/test_config_XXXXXX";

static void setup(void)
{
    config_init(&config);
    info.text[0] = '\0';
}

static void teardown(void)
{
    config_fini(&config);
    unlink(file);
}

TestSuite(config, .init = setup, .fini = teardown);

static void write_bytes(const char *content, size_t length)
{
    int fd = mkstemp(file);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, content, length), (ssize_t)length);
    close(fd);
}

static enum err load_text(const char *content)
{
    write_bytes(content, strlen(content));
    return config_load(&config, file, NULL, NULL, 0, &info);
}

static enum err load_override(const char *override)
{
    return config_load(&config, NULL, NULL, &override, 1, &info);
}

/* A text that may be written, as those of environ may. */
#define VARIABLE(text) ((char[]){text})

static enum err load_variable(char *variable)
{
    char *const environment[] = {variable, NULL};
    return config_load(&config, NULL, environment, NULL, 0, &info);
}

static void says(const char *part)
{
    cr_assert(strstr(info.text, part), "\"%s\" is not in \"%s\"", part, info.text);
}

/* ---- what is refused ---- */

Test(config, unknown_key_names_file_line_and_nearest_key)
{
    char right[128];

    cr_assert_eq(load_text("# first\n\nframe.intervall.ms=250\n"), ERR_CONFIG);

    snprintf(right, sizeof right, "%s:3: unknown key \"frame.intervall.ms\"; did you mean \"frame.interval.ms\"?",
             file);
    cr_assert_str_eq(info.text, right);
}

Test(config, unknown_key_of_a_family_names_the_family)
{
    cr_assert_eq(load_override("rule.severity.STR-004=off"), ERR_CONFIG);
    says("-X: unknown key \"rule.severity.STR-004\"; did you mean \"rules.severity.CODE\"?");
}

Test(config, very_long_key_has_no_nearest_one)
{
    char override[400];
    memset(override, 'a', sizeof override);
    memcpy(override + 300, "=1", 3);

    cr_assert_eq(load_override(override), ERR_CONFIG);
    says("unknown key of 300 bytes");
}

Test(config, empty_key_is_unknown)
{
    cr_assert_eq(load_override("=1"), ERR_CONFIG);
    says("unknown key \"\"");
}

Test(config, line_without_equals_sign_is_refused)
{
    cr_assert_eq(load_text("group=x\nbrokers\n"), ERR_CONFIG);
    says(":2: \"brokers\" has no \"=\"");
}

Test(config, override_without_equals_sign_is_refused)
{
    cr_assert_eq(load_override("group"), ERR_CONFIG);
    says("-X: \"group\" has no \"=\"");
}

Test(config, number_out_of_range_names_range_and_unit)
{
    cr_assert_eq(load_override("frame.interval.ms=9"), ERR_CONFIG);
    cr_assert_str_eq(info.text, "-X: frame.interval.ms: \"9\" is out of range; give a number from 10 to 10000 ms");
}

Test(config, bad_value_leaves_the_old_one)
{
    cr_assert_eq(load_override("frame.interval.ms=fast"), ERR_CONFIG);
    cr_assert_eq(config.frame_interval_ms, 250);
    cr_assert_str_eq(config.source[CONFIG_frame_interval_ms].text, "250");
}

Test(config, key_twice_in_a_file_is_refused)
{
    cr_assert_eq(load_text("group=a\nrole=all\ngroup=b\n"), ERR_CONFIG);
    says(":3: key \"group\" stands in line 1 already");
}

Test(config, family_key_twice_in_a_file_is_refused)
{
    cr_assert_eq(load_text("kafka.debug=a\nkafka.debug=b\n"), ERR_CONFIG);
    says(":2: key \"kafka.debug\" stands in line 1 already");
}

Test(config, secret_on_the_command_line_is_refused_and_not_said)
{
    cr_assert_eq(load_override("kafka.sasl.password=hunter2"), ERR_CONFIG);
    says("-X");
    says("kafka.sasl.password.file=PATH");
    cr_assert_null(strstr(info.text, "hunter2"));
    cr_assert_eq(load_override("kafka.producer.ssl.key.pem=hunter2"), ERR_CONFIG);
}

Test(config, secret_in_the_environment_is_refused_and_not_said)
{
    cr_assert_eq(load_variable(VARIABLE("DRYPORT_KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET=hunter2")), ERR_CONFIG);
    says("DRYPORT_KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET");
    says("kafka.sasl.oauthbearer.client.secret.file=PATH");
    cr_assert_null(strstr(info.text, "hunter2"));
}

Test(config, secret_in_the_file_and_name_of_its_file_are_taken)
{
    cr_assert_eq(load_text("kafka.sasl.password=hunter2\n"), OK);
    cr_assert_str_eq(config_list_value(&config.kafka, "sasl.password"), "hunter2");
    cr_assert_eq(load_override("kafka.sasl.password.file=/run/secrets/password"), OK, "%s", info.text);
    cr_assert_str_eq(config_list_value(&config.kafka, "sasl.password.file"), "/run/secrets/password");
    cr_assert_eq(load_variable(VARIABLE("DRYPORT_KAFKA_SASL_PASSWORD_FILE=/p")), OK, "%s", info.text);
    cr_assert_str_eq(config_list_value(&config.kafka, "sasl.password.file"), "/p");
}

Test(config, missing_file_is_refused_by_name)
{
    cr_assert_eq(config_load(&config, "/nowhere/dryport.conf", NULL, NULL, 0, &info), ERR_CONFIG);
    says("/nowhere/dryport.conf: No such file or directory");
}

Test(config, folder_instead_of_a_file_is_refused)
{
    cr_assert_eq(config_load(&config, "/tmp", NULL, NULL, 0, &info), ERR_CONFIG);
    says("can't read the configuration /tmp");
}

Test(config, zero_byte_in_a_file_is_refused)
{
    write_bytes("group=a\0b\n", 10);

    cr_assert_eq(config_load(&config, file, NULL, NULL, 0, &info), ERR_CONFIG);
    says(":1: a zero byte");
}

Test(config, overlong_line_is_refused_by_number)
{
    static char line[CONFIG_LINE_BYTES_MAX + 100];
    memset(line, 'x', sizeof line);
    memcpy(line, "\nkafka.a=", 9);
    write_bytes(line, sizeof line);

    cr_assert_eq(config_load(&config, file, NULL, NULL, 0, &info), ERR_CONFIG);
    says(":2: the line is longer than 8192 bytes");
}

Test(config, huge_file_is_refused)
{
    char *content = calloc(1, CONFIG_FILE_BYTES_MAX + 1);
    memset(content, '\n', CONFIG_FILE_BYTES_MAX + 1);
    write_bytes(content, CONFIG_FILE_BYTES_MAX + 1);
    free(content);

    cr_assert_eq(config_load(&config, file, NULL, NULL, 0, &info), ERR_CONFIG);
    says("is larger than");
}

Test(config, unknown_variable_names_the_nearest_one)
{
    cr_assert_eq(load_variable(VARIABLE("DRYPORT_TOPIC_JURNAL=x")), ERR_CONFIG);
    says("environment: unknown variable DRYPORT_TOPIC_JURNAL; did you mean DRYPORT_TOPIC_JOURNAL?");
}

Test(config, bad_value_of_a_variable_names_the_variable)
{
    cr_assert_eq(load_variable(VARIABLE("DRYPORT_WORKERS=many")), ERR_CONFIG);
    says("DRYPORT_WORKERS: workers: \"many\"");
}

Test(config, severity_of_what_is_no_code_is_refused)
{
    cr_assert_eq(load_override("rules.severity.str-4=off"), ERR_CONFIG);
    says("\"str-4\" is not a rule code such as STR-004");
}

Test(config, severity_that_is_none_is_refused)
{
    cr_assert_eq(load_override("rules.severity.STR-004=ignore"), ERR_CONFIG);
    says("\"ignore\" is not one of reject|warn|off");
}

Test(config, view_without_a_proper_name_is_refused)
{
    cr_assert_eq(load_override("view.Big=flow@day"), ERR_CONFIG);
    says("a view is view.NAME or view.NAME.OPTION");
    cr_assert_eq(load_override("view.=flow@day"), ERR_CONFIG);
    cr_assert_eq(load_override("view.a.=flow@day"), ERR_CONFIG);
}

Test(config, kafka_property_without_a_name_is_refused)
{
    cr_assert_eq(load_override("kafka.=1"), ERR_CONFIG);
    cr_assert_eq(load_override("kafka.consumer.=1"), ERR_CONFIG);
    cr_assert_eq(load_override("kafka.a b=1"), ERR_CONFIG);
    says("is not the name of a librdkafka property");
}

Test(config, two_topics_of_one_name_are_refused)
{
    cr_assert_eq(load_override("topic.rejects=customs.journal"), ERR_CONFIG);
    says("-X: topic.journal and topic.rejects are both \"customs.journal\"");
}

Test(config, ledger_horizon_below_three_years_is_refused)
{
    cr_assert_eq(load_override("ledger.horizon.days=1095"), ERR_CONFIG);
    says("-X: ledger.horizon.days: 1095 days are too few");
    cr_assert_eq(load_override("ledger.horizon.days=1096"), OK);
    cr_assert_eq(load_override("ledger.horizon.days=0"), OK);
}

/* ---- what is taken ---- */

Test(config, defaults_are_those_of_the_contract)
{
    cr_assert_eq(config.role, CONFIG_ROLE_ALL);
    cr_assert_str_eq(config.brokers, "127.0.0.1:9092");
    cr_assert_str_eq(config.group, "dryport");
    cr_assert_str_eq(config.topic_declarations, "customs.declarations");
    cr_assert_str_eq(config.topic_journal, "customs.journal");
    cr_assert_str_eq(config.topic_statistics, "customs.statistics");
    cr_assert_str_eq(config.topic_rejects, "customs.rejects");
    cr_assert(config.topics_create);
    cr_assert_eq(config.topics_partitions, 4);
    cr_assert_eq(config.topics_replication, 1);
    cr_assert_eq(config.input_format, CONFIG_FORMAT_AUTO);
    cr_assert_eq(config.input_key_check, CONFIG_KEY_ID);
    cr_assert_eq(config.input_max_bytes, 1048576);
    cr_assert_eq(config.frame_interval_ms, 250);
    cr_assert_eq(config.publish_interval_ms, 1000);
    cr_assert_str_eq(config.http_listen, "127.0.0.1:9464");
    cr_assert_eq(config.log_level, CONFIG_LOG_INFO);
    cr_assert_eq(config.log_format, CONFIG_LOG_JSON);
    cr_assert_not(config.rejects_payload);
    cr_assert_not(config.input_timestamp_trust);
    cr_assert_str_eq(config.reporter, "CN");
    cr_assert_str_eq(config.reporting_currency, "CNY");
    cr_assert_str_eq(config.timezone, "Asia/Shanghai");
    cr_assert_eq(config.trade_system, CONFIG_TRADE_GENERAL);
    cr_assert_eq(config.count_status, CONFIG_COUNT_BY_SCHEME);
    cr_assert_eq(config.late_policy, CONFIG_LATE_REVISE);
    cr_assert_eq(config.time_future_bound_ms, 300000);
    cr_assert_eq(config.time_idle_ms, 60000);
    cr_assert_eq(config.month_provisional_days, 5);
    cr_assert_eq(config.month_final, 18);
    cr_assert_eq(config.ledger_horizon_days, 1200);
    cr_assert_eq(config.rules_profile, CONFIG_RULES_STRICT);
    cr_assert_eq(config.publish_max_keys_per_s, 50000);
    cr_assert_str_eq(config.reference_dir, "");
}

Test(config, option_outranks_variable_outranks_file_outranks_default)
{
    char *const environment[] = {VARIABLE("DRYPORT_TOPIC_JOURNAL=of.environment"),
                                 VARIABLE("DRYPORT_TOPIC_REJECTS=of.environment.too"), VARIABLE("HOME=/"), NULL};
    const char *const overrides[] = {"topic.journal=of.option"};
    write_bytes("topic.journal=of.file\ntopic.rejects=of.file.too\ngroup=g\n", 55);

    cr_assert_eq(config_load(&config, file, environment, overrides, 1, &info), OK, "%s", info.text);

    cr_assert_str_eq(config.topic_journal, "of.option");
    cr_assert_str_eq(config.topic_rejects, "of.environment.too");
    cr_assert_str_eq(config.group, "g");
    cr_assert_str_eq(config.topic_statistics, "customs.statistics");
    cr_assert_str_eq(config.source[CONFIG_topic_journal].origin, "-X");
    cr_assert_str_eq(config.source[CONFIG_topic_rejects].origin, "DRYPORT_TOPIC_REJECTS");
    cr_assert_str_eq(config.source[CONFIG_topic_statistics].origin, "default");
}

Test(config, last_of_several_options_wins)
{
    const char *const overrides[] = {"group=a", "group=b"};

    cr_assert_eq(config_load(&config, NULL, NULL, overrides, 2, &info), OK);
    cr_assert_str_eq(config.group, "b");
}

Test(config, comments_blanks_crlf_and_byte_order_mark_are_skipped)
{
    cr_assert_eq(load_text("\xEF\xBB\xBF# head\r\n\r\n  group =  dry port # no comment  \r\n\t#role=x\nrole=publish"),
                 OK, "%s", info.text);

    cr_assert_str_eq(config.group, "dry port # no comment");
    cr_assert_eq(config.role, CONFIG_ROLE_PUBLISH);
}

Test(config, value_may_hold_equals_signs)
{
    cr_assert_eq(load_text("kafka.sasl.jaas=a=b=c\n"), OK);
    cr_assert_str_eq(config_list_value(&config.kafka, "sasl.jaas"), "a=b=c");
}

Test(config, empty_listen_address_switches_off)
{
    cr_assert_eq(load_override("http.listen="), OK);
    cr_assert_str_eq(config.http_listen, "");
}

Test(config, families_go_to_their_lists)
{
    cr_assert_eq(load_text("kafka.debug=msg\nkafka.consumer.fetch.min.bytes=5\nkafka.producer.linger.ms=7\n"
                           "rules.severity.HSC-604=warn\nview.mine=flow,mode@day\nview.mine.publish=day,month\n"),
                 OK, "%s", info.text);

    cr_assert_eq(config.kafka.count, 1);
    cr_assert_str_eq(config_list_value(&config.kafka, "debug"), "msg");
    cr_assert_str_eq(config_list_value(&config.kafka_consumer, "fetch.min.bytes"), "5");
    cr_assert_str_eq(config_list_value(&config.kafka_producer, "linger.ms"), "7");
    cr_assert_str_eq(config_list_value(&config.severities, "HSC-604"), "warn");
    cr_assert_str_eq(config_list_value(&config.views, "mine"), "flow,mode@day");
    cr_assert_str_eq(config_list_value(&config.views, "mine.publish"), "day,month");
    cr_assert_null(config_list_value(&config.views, "other"));
}

Test(config, families_keep_order_and_replace_in_place)
{
    const char *const overrides[] = {"view.b=flow@day", "view.a=flow@day", "view.b=mode@day"};

    cr_assert_eq(config_load(&config, NULL, NULL, overrides, 3, &info), OK);

    cr_assert_eq(config.views.count, 2);
    cr_assert_str_eq(config.views.pairs[0].key, "b");
    cr_assert_str_eq(config.views.pairs[0].value, "mode@day");
    cr_assert_str_eq(config.views.pairs[1].key, "a");
}

Test(config, families_work_from_the_environment)
{
    char *const environment[] = {
        VARIABLE("DRYPORT_RULES_SEVERITY_STR_004=off"),       VARIABLE("DRYPORT_KAFKA_SECURITY_PROTOCOL=ssl"),
        VARIABLE("DRYPORT_KAFKA_CONSUMER_FETCH_MIN_BYTES=1"), VARIABLE("DRYPORT_VIEW_PARTNER_OFFICE=flow@day"),
        VARIABLE("DRYPORT_VIEW_PARTNER_OFFICE_PUBLISH=day"),  NULL};

    cr_assert_eq(config_load(&config, NULL, environment, NULL, 0, &info), OK, "%s", info.text);

    cr_assert_str_eq(config_list_value(&config.severities, "STR-004"), "off");
    cr_assert_str_eq(config_list_value(&config.kafka, "security.protocol"), "ssl");
    cr_assert_str_eq(config_list_value(&config.kafka_consumer, "fetch.min.bytes"), "1");
    cr_assert_str_eq(config_list_value(&config.views, "partner_office"), "flow@day");
    cr_assert_str_eq(config_list_value(&config.views, "partner_office.publish"), "day");
}

Test(config, set_takes_any_key)
{
    cr_assert_eq(config_set(&config, "input.timestamp.trust", "true", "demo", &info), OK);
    cr_assert(config.input_timestamp_trust);
    cr_assert_eq(config_set(&config, "input.timestamp.trust", "maybe", "demo", &info), ERR_CONFIG);
    says("demo: input.timestamp.trust: \"maybe\" is not true or false");
}

static void set(const char *key, const char *value)
{
    cr_assert_eq(config_set(&config, key, value, "test", &info), OK, "%s", info.text);
}

Test(config, choices_have_names)
{
    set("role", "publish");
    set("log.level", "error");
    set("log.format", "text");
    set("input.format", "confluent");
    set("input.key.check", "off");
    set("trade.system", "special");
    set("count.status", "released");
    set("late.policy", "late_out");
    set("rules.profile", "lenient");
    cr_expect_eq(config.role, CONFIG_ROLE_PUBLISH);
    cr_expect_eq(config.log_level, CONFIG_LOG_ERROR);
    cr_expect_eq(config.log_format, CONFIG_LOG_TEXT);
    cr_expect_eq(config.input_format, CONFIG_FORMAT_CONFLUENT);
    cr_expect_eq(config.input_key_check, CONFIG_KEY_OFF);
    cr_expect_eq(config.trade_system, CONFIG_TRADE_SPECIAL);
    cr_expect_eq(config.count_status, CONFIG_COUNT_RELEASED);
    cr_expect_eq(config.late_policy, CONFIG_LATE_OUT);
    cr_expect_eq(config.rules_profile, CONFIG_RULES_LENIENT);
}

Test(config, machine_dependent_values_are_positive)
{
    cr_assert_gt(config_workers(&config), 0);
    cr_assert_gt(config_ledger_max_bytes(&config), 0);
    cr_assert_eq(load_override("workers=3"), OK);
    cr_assert_eq(load_override("ledger.max.bytes=2G"), OK);
    cr_assert_eq(config_workers(&config), 3);
    cr_assert_eq(config_ledger_max_bytes(&config), 2147483648);
}

Test(config, keys_are_unique_and_documented)
{
    for (int i = 0; i < CONFIG_SETTINGS; i++) {
        cr_assert(strlen(config_rows[i].text) > 10, "%s", config_rows[i].key);
        for (int j = 0; j < i; j++)
            cr_assert_str_neq(config_rows[i].key, config_rows[j].key);
    }
}
