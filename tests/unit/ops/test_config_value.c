/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/config_value.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static union config_value value;
static struct err_info info;

static enum err parse(enum config_setting setting, const char *text)
{
    return config_value_parse(&config_rows[setting], text_of(text), &value, &info);
}

static void refuses(enum config_setting setting, const char *text, const char *part)
{
    memset(&info, 0, sizeof info);
    cr_assert_eq(parse(setting, text), ERR_CONFIG, "%s=%s is taken", config_rows[setting].key, text);
    cr_assert(strstr(info.text, part), "\"%s\" is not in \"%s\"", part, info.text);
}

static void takes(enum config_setting setting, const char *text)
{
    memset(&info, 0, sizeof info);
    cr_assert_eq(parse(setting, text), OK, "%s=%s: %s", config_rows[setting].key, text, info.text);
}

Test(config_value, what_is_no_whole_number_is_refused)
{
    static const char *const bad[] = {
        "", " ", "x", "1.5", "1e3", "0x10", "1 000", "+5", "--5", "99999999999999999999", "12ms", "1k"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuses(CONFIG_frame_interval_ms, bad[i], "give a number from 10 to 10000 ms");
}

Test(config_value, numbers_outside_the_range_are_refused)
{
    refuses(CONFIG_frame_interval_ms, "9", "out of range");
    refuses(CONFIG_frame_interval_ms, "10001", "out of range");
    refuses(CONFIG_frame_interval_ms, "-250", "out of range");
}

Test(config_value, both_ends_of_a_range_belong_to_it)
{
    takes(CONFIG_frame_interval_ms, "10");
    cr_assert_eq(value.number, 10);
    takes(CONFIG_frame_interval_ms, "10000");
    cr_assert_eq(value.number, 10000);
}

Test(config_value, size_that_overflows_is_refused)
{
    refuses(CONFIG_ledger_max_bytes, "9223372036854775807G", "out of range");
    refuses(CONFIG_input_max_bytes, "65M", "out of range");
    refuses(CONFIG_input_max_bytes, "M", "not a whole number");
    refuses(CONFIG_input_max_bytes, "1MB", "not a whole number");
}

Test(config_value, sizes_may_have_a_letter)
{
    takes(CONFIG_input_max_bytes, "1k");
    cr_assert_eq(value.number, 1024);
    takes(CONFIG_input_max_bytes, "64M");
    cr_assert_eq(value.number, 67108864);
    takes(CONFIG_input_max_bytes, "2048");
    cr_assert_eq(value.number, 2048);
}

Test(config_value, truth_is_spelled_one_way)
{
    refuses(CONFIG_topics_create, "yes", "not true or false");
    refuses(CONFIG_topics_create, "True", "not true or false");
    refuses(CONFIG_topics_create, "", "not true or false");
    takes(CONFIG_topics_create, "false");
    cr_assert_not(value.truth);
    takes(CONFIG_topics_create, "true");
    cr_assert(value.truth);
}

Test(config_value, choice_that_is_none_lists_the_choices)
{
    refuses(CONFIG_role, "al", "\"al\" is not one of all|aggregate|publish");
    refuses(CONFIG_role, "", "is not one of");
    refuses(CONFIG_role, "all|aggregate", "is not one of");
    takes(CONFIG_count_status, "by-scheme");
    cr_assert_eq(value.choice, 0);
}

Test(config_value, choice_behind_the_last_is_empty)
{
    cr_assert(text_is(config_value_choice("a|b", 1), "b"));
    cr_assert_eq(config_value_choice("a|b", 2).length, 0);
    cr_assert_eq(config_value_choice("", 0).length, 0);
}

Test(config_value, topic_names_follow_kafka)
{
    char long_name[252];
    memset(long_name, 'a', sizeof long_name);
    long_name[250] = '\0';
    refuses(CONFIG_topic_journal, "", "must not be empty");
    refuses(CONFIG_topic_journal, ".", "not a topic name");
    refuses(CONFIG_topic_journal, "..", "not a topic name");
    refuses(CONFIG_topic_journal, "a b", "not a topic name");
    refuses(CONFIG_topic_journal, "a/b", "not a topic name");
    refuses(CONFIG_topic_journal, long_name, "too long");
    takes(CONFIG_topic_journal, "A-9_b.c");
}

Test(config_value, brokers_are_hosts_with_ports)
{
    static const char *const bad[] = {"a:0", "a:65536", "a:x",   ":9092", "a:",        "a,,b",
                                      "a,",  ",",       "a b:1", "[]:9",  "[::1]9092", "SSL://"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuses(CONFIG_brokers, bad[i], "is not a broker");
    refuses(CONFIG_brokers, "", "must not be empty");
    takes(CONFIG_brokers, "a:9092, b.example.org:9093,10.0.0.1");
    takes(CONFIG_brokers, "[::1]:9092");
    takes(CONFIG_brokers, "SSL://kafka_1:9093");
}

Test(config_value, listen_address_is_host_and_port)
{
    static const char *const bad[] = {"9464", "localhost", "::1:9464", ":9464", "a:65536", "a:-1", "a:x", "[::1]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuses(CONFIG_http_listen, bad[i], "is not an address");
    takes(CONFIG_http_listen, "");
    takes(CONFIG_http_listen, "0.0.0.0:9464");
    takes(CONFIG_http_listen, "[::]:9464");
    takes(CONFIG_http_listen, "localhost:0");
}

Test(config_value, zone_must_exist)
{
    refuses(CONFIG_timezone, "Asia/Shanghia", "there is no time zone \"Asia/Shanghia\"");
    refuses(CONFIG_timezone, "../zoneinfo/Asia/Shanghai", "there is no time zone");
    refuses(CONFIG_timezone, "/etc/localtime", "there is no time zone");
    refuses(CONFIG_timezone, "Asia", "there is no time zone");
    refuses(CONFIG_timezone, "zone.tab", "there is no time zone");
    refuses(CONFIG_timezone, "", "must not be empty");
    takes(CONFIG_timezone, "Asia/Seoul");
}

Test(config_value, codes_are_capitals_of_the_right_length)
{
    refuses(CONFIG_reporter, "CHN", "must have 2 characters");
    refuses(CONFIG_reporter, "cn", "give capital letters such as CN");
    refuses(CONFIG_reporting_currency, "CN1", "give capital letters such as CNY");
    refuses(CONFIG_reporting_currency, "", "must not be empty");
    takes(CONFIG_reporter, "KR");
    takes(CONFIG_reporting_currency, "KRW");
}

Test(config_value, folder_must_be_one)
{
    refuses(CONFIG_reference_dir, "/nowhere/at/all", "is not a folder");
    refuses(CONFIG_reference_dir, "/etc/passwd", "is not a folder");
    takes(CONFIG_reference_dir, "/tmp");
    takes(CONFIG_reference_dir, "");
}

Test(config_value, control_characters_are_refused)
{
    refuses(CONFIG_group, "a\tb", "control character at byte 2");
    refuses(CONFIG_group, "a\x7f", "control character at byte 2");
    takes(CONFIG_group, "\xd0\xb3\xd1\x80");
}

Test(config_value, every_default_is_valid)
{
    for (int i = 0; i < CONFIG_SETTINGS; i++)
        takes((enum config_setting)i, config_rows[i].standard);
}
