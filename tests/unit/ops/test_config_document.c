/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/config_document.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct config config;
static struct err_info info;
static char *text;

static void setup(void)
{
    config_init(&config);
}

static void teardown(void)
{
    config_fini(&config);
    free(text);
    text = NULL;
}

TestSuite(config_document, .init = setup, .fini = teardown);

static void load(const char *const *overrides, size_t count)
{
    cr_assert_eq(config_load(&config, NULL, NULL, overrides, count, &info), OK, "%s", info.text);
}

static void print(void)
{
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    config_document_print(&config, out);
    fclose(out);
}

/* The same text again, without the marks of what is a comment, through config_load. */
static enum err reload(struct config *again, bool uncomment)
{
    char file[] = "/tmp/test_document_XXXXXX";
    int fd = mkstemp(file);
    for (char *c = text; uncomment && *c; c++) {
        bool first = c == text || c[-1] == '\n';
        if (first && *c == '#' && c[1] != ' ' && c[1] != '\n')
            *c = ' ';
    }
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    config_init(again);
    enum err err = config_load(again, file, NULL, NULL, 0, &info);
    unlink(file);
    return err;
}

Test(config_document, secrets_are_masked)
{
    static const char *const secrets[] = {"kafka.sasl.password",
                                          "kafka.ssl.key.pem",
                                          "kafka.producer.ssl.key.password",
                                          "kafka.sasl.oauthbearer.client.secret",
                                          "kafka.consumer.sasl.jaas.config",
                                          "kafka.sasl.oauthbearer.config"};
    load(NULL, 0);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        cr_assert_eq(config_set(&config, secrets[i], "hunter2", "dryport.conf:1", &info), OK);

    print();

    cr_assert_null(strstr(text, "hunter2"), "%s", text);
    cr_assert_not_null(strstr(text, "kafka.sasl.password=********\n"));
}

Test(config_document, what_is_no_secret_is_shown)
{
    const char *const overrides[] = {"kafka.sasl.username=reader", "kafka.ssl.ca.pem=CERT", "kafka.ssl.key.location=/k",
                                     "kafka.sasl.password.file=/p",
                                     "kafka.sasl.oauthbearer.token.endpoint.url=https://a/t"};
    load(overrides, 5);

    print();

    cr_assert_not_null(strstr(text, "# -X\nkafka.sasl.username=reader\n"));
    cr_assert_not_null(strstr(text, "kafka.ssl.ca.pem=CERT\n"));
    cr_assert_not_null(strstr(text, "kafka.ssl.key.location=/k\n"));
    cr_assert_not_null(strstr(text, "kafka.sasl.password.file=/p\n"));
    cr_assert_not_null(strstr(text, "kafka.sasl.oauthbearer.token.endpoint.url=https://a/t\n"));
}

Test(config_document, effective_values_have_their_origin)
{
    const char *const overrides[] = {"group=mine"};
    load(overrides, 1);

    print();

    cr_assert_not_null(strstr(text, "# -X\ngroup=mine\n"));
    cr_assert_not_null(strstr(text, "\ntopic.journal=customs.journal\n"));
    cr_assert_null(strstr(text, "# default"));
}

Test(config_document, values_of_the_machine_are_told)
{
    char line[64];
    snprintf(line, sizeof line, "# here %lld\nworkers=0\n", (long long)config_workers(&config));

    print();

    cr_assert_not_null(strstr(text, line));
    cr_assert_not_null(strstr(text, "ledger.max.bytes=0\n"));
}

Test(config_document, printed_values_read_back_equal)
{
    const char *const overrides[] = {"group=a # b", "view.v=flow@day", "rules.severity.HSC-604=warn", "workers=3",
                                     "http.listen="};
    struct config again;
    load(overrides, 5);
    print();

    cr_assert_eq(reload(&again, false), OK, "%s", info.text);

    for (int i = 0; i < CONFIG_SETTINGS; i++)
        cr_assert_str_eq(again.source[i].text, config.source[i].text);
    cr_assert_str_eq(config_list_value(&again.views, "v"), "flow@day");
    cr_assert_str_eq(config_list_value(&again.severities, "HSC-604"), "warn");
    config_fini(&again);
}

Test(config_document, sample_uncommented_is_the_default_configuration)
{
    struct config again;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    config_document_sample(out);
    fclose(out);

    cr_assert_eq(reload(&again, true), OK, "%s", info.text);

    for (int i = 0; i < CONFIG_SETTINGS; i++) {
        cr_assert_str_eq(again.source[i].text, config_rows[i].standard);
        cr_assert_str_neq(again.source[i].origin, "default", "%s is not in the sample", config_rows[i].key);
    }
    config_fini(&again);
}

Test(config_document, manual_has_a_row_for_each_setting)
{
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    config_document_manual(out);
    fclose(out);

    for (int i = 0; i < CONFIG_SETTINGS; i++) {
        char row[128];
        snprintf(row, sizeof row, "\n| `%s` | ", config_rows[i].key);
        cr_assert_not_null(strstr(text, row), "%s", row);
    }
}

Test(config_document, no_cell_of_the_manual_holds_a_bar)
{
    for (int i = 0; i < CONFIG_SETTINGS; i++)
        cr_assert_null(strchr(config_rows[i].text, '|'), "%s", config_rows[i].key);
}
