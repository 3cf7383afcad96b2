/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/log.h"

#include "base/check.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MOST = 1 << 20 };

static int fd;
static int64_t now;
static char *text;

static int64_t fake_now(void)
{
    return now;
}

static void use(enum log_level level, enum log_format format)
{
    log_setup(&(struct log_options){level, format, fd, fake_now});
}

static void setup(void)
{
    char file[] = "/tmp/test_log_XXXXXX";
    fd = mkstemp(file);
    unlink(file);
    now = 1751356800123; /* 2025-07-01T08:00:00.123Z */
    text = calloc(1, TEXT_MOST);
    use(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
}

static void teardown(void)
{
    close(fd);
    free(text);
}

TestSuite(log, .init = setup, .fini = teardown);

static const char *written(void)
{
    ssize_t length = pread(fd, text, TEXT_MOST - 1, 0);
    cr_assert(length >= 0);
    text[length] = '\0';
    return text;
}

static int lines(void)
{
    int count = 0;
    for (const char *c = written(); *c; c++)
        count += *c == '\n';
    return count;
}

static void forget(void)
{
    cr_assert_eq(ftruncate(fd, 0), 0);
    lseek(fd, 0, SEEK_SET);
}

Test(log, level_below_the_setting_is_not_written)
{
    use(LOG_LEVEL_WARN, LOG_FORMAT_JSON);

    log_event(LOG_LEVEL_INFO, "quiet", LOG_NONE, "nothing");
    log_event(LOG_LEVEL_WARN, "loud", LOG_NONE, "something");

    cr_assert_eq(lines(), 1);
    cr_assert_not(log_enabled(LOG_LEVEL_INFO));
    cr_assert(log_enabled(LOG_LEVEL_ERROR));
}

Test(log, hostile_text_stays_one_json_line)
{
    const char *nasty = "quote \" backslash \\ line\nfeed \x01 bad \xff\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 good "
                        "\xe4\xb8\xad end \xe4";

    log_event(LOG_LEVEL_ERROR, "nasty", LOG_FIELDS(log_text("text", nasty)), "%s", nasty);

    json_error_t error;
    cr_assert_eq(lines(), 1);
    json_t *line = json_loads(written(), 0, &error);
    cr_assert_not_null(line, "%s: %s", error.text, text);
    cr_assert_not_null(strstr(json_string_value(json_object_get(line, "message")), "backslash \\ line\nfeed \x01"));
    cr_assert_not_null(strstr(json_string_value(json_object_get(line, "text")), "good \xe4\xb8\xad end \xef\xbf\xbd"));
    json_decref(line);
}

Test(log, control_characters_forge_no_second_text_line)
{
    use(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);

    log_event(LOG_LEVEL_INFO, "event", LOG_FIELDS(log_text("a", "x\ny")), "one\ntwo\x1b[31m");

    cr_assert_str_eq(written(), "2025-07-01T08:00:00.123Z info  event: one two [31m a=x y\n");
}

Test(log, overlong_message_is_cut)
{
    char message[LOG_MESSAGE_BYTES * 3];
    memset(message, 'm', sizeof message - 1);
    message[sizeof message - 1] = '\0';

    log_event(LOG_LEVEL_INFO, "long", LOG_NONE, "%s", message);

    cr_assert_eq(lines(), 1);
    cr_assert(strlen(text) < LOG_MESSAGE_BYTES + 200);
}

Test(log, null_text_is_empty)
{
    log_event(LOG_LEVEL_INFO, "event", LOG_FIELDS(log_text("a", NULL)), "m");
    cr_assert_not_null(strstr(written(), "\"a\":\"\""));
}

Test(log, json_line_has_time_level_event_message_and_fields)
{
    log_event(LOG_LEVEL_WARN, "broker_lost", LOG_FIELDS(log_text("broker", "b:9092"), log_int("retry_ms", -5)),
              "no answer: %d", 7);

    cr_assert_str_eq(written(), "{\"ts\":\"2025-07-01T08:00:00.123Z\",\"level\":\"warn\",\"event\":\"broker_lost\","
                                "\"message\":\"no answer: 7\",\"broker\":\"b:9092\",\"retry_ms\":-5}\n");
}

Test(log, burst_is_limited_and_the_rest_counted)
{
    for (int i = 0; i < LOG_BURST + 3; i++)
        log_event(LOG_LEVEL_INFO, "often", LOG_NONE, "%d", i);
    cr_assert_eq(lines(), LOG_BURST);
    forget();

    now += LOG_WINDOW_MS;
    log_event(LOG_LEVEL_INFO, "often", LOG_NONE, "again");

    cr_assert_eq(lines(), 1);
    cr_assert_not_null(strstr(text, "\"message\":\"again\",\"suppressed\":3}"));
}

Test(log, one_event_does_not_silence_another)
{
    for (int i = 0; i < LOG_BURST + 1; i++)
        log_event(LOG_LEVEL_INFO, "often", LOG_NONE, "x");
    forget();

    log_event(LOG_LEVEL_INFO, "rare", LOG_NONE, "y");

    cr_assert_eq(lines(), 1);
}

Test(log, partitions_are_limited_each_for_itself)
{
    for (int partition = 0; partition < 100; partition++)
        log_event(LOG_LEVEL_INFO, "assigned", LOG_FIELDS(log_int("partition", partition)), "x");

    cr_assert_eq(lines(), 100);
}

Test(log, clock_that_goes_back_opens_a_window)
{
    for (int i = 0; i < LOG_BURST; i++)
        log_event(LOG_LEVEL_INFO, "often", LOG_NONE, "x");
    forget();

    now -= 3600000;
    log_event(LOG_LEVEL_INFO, "often", LOG_NONE, "x");

    cr_assert_eq(lines(), 1);
}

Test(log, events_beyond_the_table_are_written)
{
    for (int partition = 0; partition < 2000; partition++)
        log_event(LOG_LEVEL_INFO, "many", LOG_FIELDS(log_int("partition", partition)), "x");

    cr_assert_eq(lines(), 2000);
}

Test(log, flush_tells_what_was_suppressed_once)
{
    for (int i = 0; i < LOG_BURST + 2; i++)
        log_event(LOG_LEVEL_WARN, "often", LOG_FIELDS(log_int("partition", 3)), "x");
    forget();

    log_flush();
    log_flush();

    cr_assert_eq(lines(), 1);
    cr_assert_not_null(strstr(
        text,
        "\"level\":\"warn\",\"event\":\"often\",\"message\":\"more of these\",\"partition\":3,\"suppressed\":2}"));
}

enum { THREADS = 4, EACH = 500 };

static void *write_many(void *self)
{
    int first = *(int *)self * EACH;
    for (int i = 0; i < EACH; i++)
        log_event(LOG_LEVEL_INFO, "thread", LOG_FIELDS(log_int("partition", first + i)),
                  "a line that is long enough to be cut in two");
    return NULL;
}

Test(log, lines_of_threads_do_not_mix)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        cr_assert_eq(pthread_create(&threads[i], NULL, write_many, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    cr_assert_eq(lines(), THREADS * EACH);
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        json_t *value = json_loads(line, 0, NULL);
        cr_assert_not_null(value, "%s", line);
        json_decref(value);
    }
}

Test(log, a_check_that_fails_is_an_event_and_aborts)
{
    use(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        CHECK_SAY(now < 0, "now %d", 7);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);

    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    cr_assert_eq(lines(), 1);
    cr_assert(strstr(written(), "\"level\":\"error\",\"event\":\"check_failed\",\"message\":\""));
    cr_assert(strstr(written(), "CHECK failed: now < 0 now 7\"}"), "%s", written());
}
