/* SPDX-License-Identifier: Apache-2.0
 * mock_processor.c - the processor as `dryport run` has it, reload included, beside a broker in its own process: for tests that drive both from outside.
 *
 * usage: mock_processor [-c FILE] [-X key=value]...
 * Prints the address of the broker, then obeys lines on stdin: `restart` ends the engine and starts another one on the same topics (and prints `restarted`); the end of stdin, or SIGTERM,
 * ends all.
 */
#include "base/check.h"
#include "base/counter.h"
#include "cmd/assemble.h"
#include "cmd/options.h"
#include "cmd/stop.h"
#include "kafka/mock.h"
#include "ops/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { PARTITIONS = 2, POLL_MS = 50, LINE_BYTES = 64 };

static const struct command command_mock = {.name = "mock_processor", .summary = "", .usage = "mock_processor\n"};

static struct counter ends; /* the engine that runs is to end */
static struct assembly assembly;
static struct mock *mock;

static bool is_ended(void)
{
    return counter_read(&ends) != 0;
}

static void *engine_main(void *argument)
{
    struct err_info info;
    enum err err = engine_run(argument, &info);
    CHECK_SAY(err == OK, "%s", info.text);
    return NULL;
}

struct running {
    struct engine *engine;
    pthread_t thread;
};

static struct running start(void)
{
    struct err_info info;
    struct running running;
    struct engine_options options = assemble_options_with_reload(&assembly);
    options.stop_requested = is_ended;
    options.stopping = NULL;
    counter_set(&ends, 0);
    enum err err = engine_new(&options, &running.engine, &info);
    CHECK_SAY(err == OK, "%s", info.text);
    printf("http %d\n", engine_http_port(running.engine));
    fflush(stdout);
    int failed = pthread_create(&running.thread, NULL, engine_main, running.engine);
    CHECK(!failed);
    return running;
}

static void end(struct running *running)
{
    counter_set(&ends, 1);
    pthread_join(running->thread, NULL);
    engine_free(running->engine);
}

/* Lists are read again from what is in force at a start, as a new process would. */
static void assemble_again(const struct config *config)
{
    struct err_info info;
    assemble_fini(&assembly);
    enum err err = assemble(&assembly, config, false, &info);
    CHECK_SAY(err == OK, "%s", info.text);
    assembly.kafka.is_mock = true;
}

static void obey(const struct config *config)
{
    char line[LINE_BYTES];
    struct running running = start();
    struct pollfd stdin_ready = {.fd = STDIN_FILENO, .events = POLLIN};
    while (!stop_requested()) {
        if (poll(&stdin_ready, 1, POLL_MS) <= 0)
            continue;
        ssize_t got = read(STDIN_FILENO, line, sizeof line);
        if (got <= 0)
            break;
        end(&running);
        assemble_again(config);
        running = start();
        puts("restarted");
        fflush(stdout);
    }
    end(&running);
}

int main(int argc, char **argv)
{
    struct options options;
    struct err_info info;
    int code = options_read(&options, &command_mock, NULL, 0, argc, argv);
    if (code != 0)
        return code;
    stop_install();
    stop_hold_hangup();
    log_setup(
        &(struct log_options){.level = (enum log_level)options.config.log_level, .format = LOG_FORMAT_JSON, .fd = 2});
    struct kafka_options broker;
    setup_kafka(&options.config, 0, &broker);
    broker.partitions = PARTITIONS;
    enum err err = mock_start(&broker, 1, &mock, &info);
    setup_kafka_fini(&broker);
    CHECK_SAY(err == OK, "%s", info.text);
    err = config_set(&options.config, "brokers", mock_brokers(mock), "mock", &info);
    CHECK_SAY(err == OK, "%s", info.text);
    err = assemble(&assembly, &options.config, false, &info);
    if (err != OK)
        return options_fail(&options, err, &info);
    assembly.kafka.is_mock = true;
    printf("brokers %s\n", mock_brokers(mock));
    fflush(stdout);
    obey(&options.config);
    assemble_fini(&assembly);
    mock_stop(mock);
    options_fini(&options);
    return 0;
}
