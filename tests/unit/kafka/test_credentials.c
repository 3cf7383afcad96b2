/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/credentials.h"
#include "unit/kafka/fixture.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <unistd.h>

static struct fixture fixture;
static char path[] = "/tmp/test_credentials_XXXXXX";
static char value[CREDENTIALS_BYTES];

static void write_file(const char *content, size_t length)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(content, 1, length, file), length);
    fclose(file);
}

static void setup(void)
{
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
}

static void teardown(void)
{
    unlink(path);
}

TestSuite(credentials, .init = setup, .fini = teardown);

static enum err read_text(const char *content)
{
    write_file(content, strlen(content));
    return credentials_read(path, value, &fixture.info);
}

Test(credentials, property_of_a_file_is_what_stands_before_the_suffix)
{
    char property[CREDENTIALS_PROPERTY_BYTES] = "";
    cr_assert(credentials_property("sasl.password.file", property));
    cr_assert_str_eq(property, "sasl.password");
    cr_assert_not(credentials_property("sasl.password", property));
    cr_assert_not(credentials_property(".file", property));
}

Test(credentials, one_line_break_at_the_end_does_not_count)
{
    cr_assert_eq(read_text("hunter2\n"), OK);
    cr_assert_str_eq(value, "hunter2");
    cr_assert_eq(read_text("hunter2\r\n"), OK);
    cr_assert_str_eq(value, "hunter2");
    cr_assert_eq(read_text(" hunter2 \n\n"), OK);
    cr_assert_str_eq(value, " hunter2 \n");
    cr_assert_eq(read_text("hunter2"), OK);
    cr_assert_str_eq(value, "hunter2");
}

Test(credentials, file_that_is_missing_empty_binary_or_huge_is_refused_by_name)
{
    static char huge[CREDENTIALS_BYTES + 1];
    cr_assert_eq(read_text("\n"), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, path) && strstr(fixture.info.text, "is empty"), "%s", fixture.info.text);
    write_file("a\0b", 3);
    cr_assert_eq(credentials_read(path, value, &fixture.info), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, "zero byte"), "%s", fixture.info.text);
    memset(huge, 'a', sizeof huge);
    write_file(huge, sizeof huge);
    cr_assert_eq(credentials_read(path, value, &fixture.info), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, "larger"), "%s", fixture.info.text);
    cr_assert_eq(credentials_read("/tmp", value, &fixture.info), ERR_CONFIG);
    cr_assert_eq(credentials_read("/nonexistent/password", value, &fixture.info), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, "/nonexistent/password: No such file"), "%s", fixture.info.text);
}

/* Handles that log in as "reader" with the password of the file, and one that does not log in at all. */
static const struct kafka_setting settings[] = {{KAFKA_BOTH, "security.protocol", "sasl_plaintext", "f:1"},
                                                {KAFKA_BOTH, "sasl.mechanisms", "PLAIN", "f:2"},
                                                {KAFKA_BOTH, "sasl.username", "reader", "f:3"},
                                                {KAFKA_BOTH, "sasl.password.file", path, "f:4"}};

static void options_with_file(void)
{
    fixture_options(&fixture, "127.0.0.1:1");
    fixture.options.settings = settings;
    fixture.options.setting_count = sizeof settings / sizeof settings[0];
}

static rd_kafka_t *open_handle(enum client_kind kind, struct client_health *health)
{
    rd_kafka_t *handle = NULL;
    cr_assert_eq(client_new(&fixture.options, kind, health, &handle, &fixture.info), OK, "%s", fixture.info.text);
    return handle;
}

Test(credentials, handles_of_both_kinds_are_told_of_a_new_password_once)
{
    options_with_file();
    write_file("first\n", 6);
    struct credentials *credentials = credentials_new();
    struct client_health *health = client_health_new(&fixture.options);
    rd_kafka_t *reader = open_handle(CLIENT_READER, health);
    rd_kafka_t *producer = open_handle(CLIENT_PRODUCER, health);
    credentials_add(credentials, reader, credentials_stamp(&fixture.options, false));
    credentials_add(credentials, producer, credentials_stamp(&fixture.options, true));

    cr_assert_eq(credentials_refresh(credentials, &fixture.options, &fixture.info), 0, "nothing has changed");
    write_file("second\n", 7);
    cr_assert_eq(credentials_refresh(credentials, &fixture.options, &fixture.info), 2);
    cr_assert_eq(credentials_refresh(credentials, &fixture.options, &fixture.info), 0);
    credentials_remove(credentials, reader);
    write_file("third\n", 6);
    cr_assert_eq(credentials_refresh(credentials, &fixture.options, &fixture.info), 1, "the reader has gone");

    client_close(reader, health);
    client_close(producer, health);
    cr_assert(client_health_wait_closed(health, FIXTURE_DEADLINE_MS));
    client_health_free(health);
    credentials_free(credentials);
}

Test(credentials, file_that_goes_away_keeps_the_password_and_is_said_once)
{
    options_with_file();
    write_file("first\n", 6);
    struct credentials *credentials = credentials_new();
    unlink(path);

    cr_assert_eq(credentials_refresh(credentials, &fixture.options, &fixture.info), -1);
    cr_assert(strstr(fixture.info.text, path), "%s", fixture.info.text);

    struct client_health *health = client_health_new(&fixture.options);
    client_health_credentials(health, &fixture.options);
    client_health_credentials(health, &fixture.options);
    cr_assert_eq(fixture.logged, 1, "%s", fixture.last_line);
    client_health_free(health);
    credentials_free(credentials);
}

Test(credentials, without_files_there_is_nothing_to_refresh)
{
    static const struct kafka_setting plain[] = {{KAFKA_BOTH, "sasl.username", "reader", "f:1"},
                                                 {KAFKA_BOTH, "sasl.password", "in the file of -c", "f:2"}};
    fixture_options(&fixture, "127.0.0.1:1");
    fixture.options.settings = plain;
    fixture.options.setting_count = 2;
    cr_assert_eq(credentials_stamp(&fixture.options, true), 0);
}

Test(credentials, file_of_a_client_is_read_with_place_and_never_quoted)
{
    options_with_file();
    cr_assert_eq(client_check(&fixture.options, &fixture.info), ERR_CONFIG, "the file is empty");
    cr_assert(strstr(fixture.info.text, "f:4: kafka.sasl.password.file: "), "%s", fixture.info.text);
    write_file("hunter2\n", 8);
    cr_assert_eq(client_check(&fixture.options, &fixture.info), OK, "%s", fixture.info.text);

    static const struct kafka_setting wrong = {KAFKA_BOTH, "socket.timeout.ms.file", path, "f:9"};
    fixture.options.settings = &wrong;
    fixture.options.setting_count = 1;
    cr_assert_eq(client_check(&fixture.options, &fixture.info), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, "f:9") && !strstr(fixture.info.text, "hunter2"), "%s", fixture.info.text);
}

Test(credentials, reserved_property_is_reserved_as_a_file_too)
{
    static const struct kafka_setting reserved = {KAFKA_BOTH, "group.id.file", path, "f:1"};
    fixture_options(&fixture, "127.0.0.1:1");
    fixture.options.settings = &reserved;
    fixture.options.setting_count = 1;
    write_file("other\n", 6);
    cr_assert_eq(client_check(&fixture.options, &fixture.info), ERR_CONFIG);
    cr_assert(strstr(fixture.info.text, "can't be set"), "%s", fixture.info.text);
}
