/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/config_variable.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char key[CONFIG_KEY_BYTES];
static struct err_info info;

static bool is_ours(const char *name, const char *value)
{
    return config_variable_is_ours(text_of(name), text_of(value));
}

static const char *key_of(const char *name)
{
    cr_assert_eq(config_variable_key(text_of(name), key, &info), OK, "%s", info.text);
    return key;
}

static void refuses(const char *name, const char *part)
{
    cr_assert_eq(config_variable_key(text_of(name), key, &info), ERR_CONFIG);
    cr_assert(strstr(info.text, part), "\"%s\" is not in \"%s\"", part, info.text);
}

Test(config_variable, unknown_name_gets_the_nearest)
{
    refuses("DRYPORT_GRUP", "did you mean DRYPORT_GROUP?");
    refuses("DRYPORT_", "unknown variable");
    refuses("DRYPORT_KAFKA_", "unknown variable");
    refuses("DRYPORT_group", "did you mean DRYPORT_GROUP?");
}

Test(config_variable, overlong_name_is_refused)
{
    char name[1000];
    memset(name, 'A', sizeof name);
    memcpy(name, "DRYPORT_KAFKA_", 14);
    name[999] = '\0';

    refuses(name, "with a name of 999 bytes");
}

Test(config_variable, others_are_not_ours)
{
    cr_assert_not(is_ours("HOME", "/"));
    cr_assert_not(is_ours("DRYPORT", "1"));
    cr_assert_not(is_ours("XDRYPORT_GROUP", "1"));
    cr_assert_not(is_ours("DRYPORT_MUTANT", "STR-004"));
    cr_assert_not(is_ours("DRYPORT_TEST_SEED", "1"));
}

Test(config_variable, what_kubernetes_makes_is_not_ours)
{
    cr_assert_not(is_ours("DRYPORT_SERVICE_HOST", "10.0.0.1"));
    cr_assert_not(is_ours("DRYPORT_SERVICE_PORT", "9464"));
    cr_assert_not(is_ours("DRYPORT_SERVICE_PORT_HTTP", "9464"));
    cr_assert_not(is_ours("DRYPORT_PORT", "tcp://10.0.0.1:9464"));
    cr_assert_not(is_ours("DRYPORT_PORT_9464_TCP", "tcp://10.0.0.1:9464"));
    cr_assert_not(is_ours("DRYPORT_PORT_9464_TCP_ADDR", "10.0.0.1"));
    cr_assert_not(is_ours("DRYPORT_KAFKA_PORT_9092_TCP_PROTO", "tcp"));
    cr_assert_not(is_ours("DRYPORT_KAFKA_SERVICE_HOST", "10.0.0.1"));
}

Test(config_variable, all_else_with_the_prefix_is_ours)
{
    cr_assert(is_ours("DRYPORT_GROUP", "x"));
    cr_assert(is_ours("DRYPORT_PORT", "9464"));
    cr_assert(is_ours("DRYPORT_REPORTER", "CN"));
    cr_assert(is_ours("DRYPORT_MUTANTS", "1"));
    cr_assert(is_ours("DRYPORT_REPORTING_CURRENCY", "x"));
}

Test(config_variable, every_setting_has_one_variable)
{
    for (int i = 0; i < CONFIG_SETTINGS; i++) {
        char variable[CONFIG_KEY_BYTES];
        config_variable_of(config_rows[i].key, variable);
        cr_assert(is_ours(variable, config_rows[i].standard));
        cr_assert_str_eq(key_of(variable), config_rows[i].key);
    }
}

Test(config_variable, rules_get_hyphens)
{
    cr_assert_str_eq(key_of("DRYPORT_RULES_SEVERITY_STR_004"), "rules.severity.STR-004");
}

Test(config_variable, kafka_properties_get_dots)
{
    cr_assert_str_eq(key_of("DRYPORT_KAFKA_SASL_PASSWORD"), "kafka.sasl.password");
    cr_assert_str_eq(key_of("DRYPORT_KAFKA_PRODUCER_LINGER_MS"), "kafka.producer.linger.ms");
}

Test(config_variable, view_names_keep_underscores)
{
    cr_assert_str_eq(key_of("DRYPORT_VIEW_COMMODITY_OFFICE"), "view.commodity_office");
    cr_assert_str_eq(key_of("DRYPORT_VIEW_COMMODITY_OFFICE_PUBLISH"), "view.commodity_office.publish");
}
