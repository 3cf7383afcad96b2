/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/memory.h"
#include "cmd/assemble.h"
#include "cmd/generator.h"
#include "cmd/options.h"
#include "cmd/ranking.h"
#include "cmd/sender.h"
#include "cmd/stop.h"
#include "flow/wire.h"
#include "kafka/mock.h"
#include "kafka/reader.h"
#include "ops/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BURST_MS = 20,
    DRAW_MS = 500,
    DRAW_QUIET_MS = 5000, /* where the output is no terminal */
    SETTLE_MS = 20000,
    TAKE_MOST = 512,
    TABLE_ROWS = 12,
    DEMO_PARTITIONS = 4,
    RATE_MOST = 6000, /* the in-process broker keeps about 5 MB a partition */
};

static int run(int argc, char **argv);

const struct command command_demo = {
    .name = "demo",
    .summary =
        "everything in one process on an in-process broker: generator, processor, status page; no Kafka, no network",
    .usage = "demo [--seconds N] [--rate N] [--seed N]\n"
             "  --seconds N   how long declarations are made (30); 0 = until Ctrl-C\n"
             "  --rate N      declarations a second (4000, at most 6000)\n"
             "  --seed N      another stream of declarations (1)\n",
    .run = run,
};

struct demo {
    struct options options;
    struct config *config;
    struct assembly assembly;
    struct mock *mock;
    struct kafka_options produce;
    struct generator *generator;
    struct sender *sender;
    struct engine *engine;
    pthread_t engine_thread;
    bool engine_started;
    struct counter stop_engine;
    struct counter engine_result;
    struct err_info engine_info;
    struct client_health *health;
    struct reader *reader;
    struct reader_log *logs[DEMO_PARTITIONS];
    struct ranking *ranking;
    int64_t seconds;
    int64_t rate;
    int64_t seed;
    int64_t sent;
    int64_t undecodable; /* statistics that are none */
    int lines_drawn;
    bool is_terminal;
    int64_t begun_ns;
    int64_t drawn_ns;
};

static struct demo *the_demo; /* for stop_engine_requested, which has no argument; written before the thread begins */

static bool stop_engine_requested(void)
{
    return counter_read(&the_demo->stop_engine);
}

static void *engine_main(void *argument)
{
    struct demo *demo = argument;
    enum err err = engine_run(demo->engine, &demo->engine_info);
    counter_set(&demo->engine_result, (int64_t)err);
    return NULL;
}

/* What differs from `run`: the brokers, a bounded topic, and timestamps that nobody but us writes. */
static enum err configure(struct demo *demo, struct err_info *info)
{
    struct config *config = demo->config;
    TRY(config_set(config, "topics.partitions", "4", "demo", info));
    TRY(config_set(config, "input.timestamp.trust", "true", "demo", info));
    TRY(config_set(config, "publish.interval.ms", "250", "demo", info));
    TRY(config_set(config, "role", "all", "demo", info));
    return config_set(config, "brokers", "127.0.0.1:1", "demo", info); /* replaced when the broker is up */
}

static enum err start_broker(struct demo *demo, struct err_info *info)
{
    struct kafka_options options;
    setup_kafka(demo->config, 0, &options);
    options.partitions = DEMO_PARTITIONS;
    enum err err = mock_start(&options, 1, &demo->mock, info);
    setup_kafka_fini(&options);
    TRY(err);
    TRY(config_set(demo->config, "brokers", mock_brokers(demo->mock), "demo", info));
    TRY(assemble(&demo->assembly, demo->config, true, info));
    demo->assembly.kafka.is_mock = true;
    return OK;
}

/* The usual port may be taken by another dryport: any free one will do. */
static enum err start_engine(struct demo *demo, struct err_info *info)
{
    struct engine_options options = assemble_options(&demo->assembly);
    options.stop_requested = stop_engine_requested;
    options.stopping = NULL;
    if (engine_new(&options, &demo->engine, info) != OK) {
        TRY(config_set(demo->config, "http.listen", "127.0.0.1:0", "demo", info));
        TRY(engine_new(&options, &demo->engine, info));
    }
    int failed = pthread_create(&demo->engine_thread, NULL, engine_main, demo);
    if (failed)
        return err_set(info, ERR_FATAL, "no thread for the processor");
    demo->engine_started = true;
    return OK;
}

static enum err start_generator(struct demo *demo, struct err_info *info)
{
    struct generator_options options = generator_defaults();
    options.seed = (uint64_t)demo->seed;
    options.per_day = (uint32_t)(demo->rate > 0 ? demo->rate : 1);
    TRY(generator_new(&options, demo->assembly.reference, &demo->generator, info));
    setup_kafka(demo->config, demo->options.timeout_ms, &demo->produce);
    demo->produce.is_mock = true;
    demo->produce.log = assemble_kafka_log;
    struct sender_failure failure = {0};
    return sender_open(&demo->produce, failure, &demo->sender, info);
}

static enum err start_table(struct demo *demo, struct err_info *info)
{
    const struct ranking_options options = {
        .view = "heading", .by = "hs4", .show = "value,net,items", .reference = demo->assembly.reference};
    demo->health = client_health_new(&demo->produce);
    TRY(ranking_new(&options, &demo->ranking, info));
    TRY(reader_new(&demo->produce, CLIENT_READER, demo->health, &demo->reader, info));
    for (int32_t i = 0; i < DEMO_PARTITIONS; i++) {
        demo->logs[i] = reader_start(demo->reader, PORT_STATISTICS, i, 0, -1, info);
        if (!demo->logs[i])
            return ERR_PEER;
    }
    return OK;
}

static void take_statistics(struct demo *demo)
{
    struct port_record records[TAKE_MOST];
    reader_serve(demo->reader);
    for (int32_t i = 0; i < DEMO_PARTITIONS; i++) {
        size_t count = reader_take(demo->logs[i], records, TAKE_MOST);
        for (size_t r = 0; r < count; r++) {
            if (records[r].fault == PORT_NONE && !ranking_take(demo->ranking, &records[r]))
                demo->undecodable++;
        }
        reader_release(records, count);
    }
}

static double seconds_since(const struct demo *demo)
{
    return (double)(clock_steady_ns() - demo->begun_ns) / 1e9;
}

/* The largest headings. Returns the lines written. */
static int draw_table(struct demo *demo)
{
    char *text = NULL;
    size_t length = 0;
    int lines = 0;
    struct err_info info;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return 0;
    enum err err = ranking_print(demo->ranking, TABLE_ROWS, out, &info);
    fclose(out);
    if (err == OK)
        fputs(text, stdout);
    for (size_t i = 0; i < length && err == OK; i++)
        lines += text[i] == '\n';
    free(text); /* banned-ok: open_memstream made it with malloc */
    return lines;
}

static void draw(struct demo *demo)
{
    struct engine_figures figures;
    engine_figures(demo->engine, &figures);
    int64_t judged = 0;
    for (int v = 0; v < 6; v++)
        judged += figures.verdicts[v];
    if (demo->is_terminal && demo->lines_drawn)
        printf("\033[%dA\033[J", demo->lines_drawn);
    printf("%5.1f s  sent %" PRId64 "  judged %" PRId64 " (%" PRId64 "/s)  counted %" PRId64 "  duplicate %" PRId64
           "  rejected %" PRId64 "  published %" PRId64 " records\n",
           seconds_since(demo), demo->sent, judged, figures.declarations_per_s, figures.verdicts[0],
           figures.verdicts[1], figures.verdicts[3], figures.publish_keys);
    demo->lines_drawn = 1 + draw_table(demo);
    fflush(stdout);
}

static void draw_if_due(struct demo *demo)
{
    int64_t now_ns = clock_steady_ns();
    int64_t interval_ms = demo->is_terminal ? DRAW_MS : DRAW_QUIET_MS;
    bool first = demo->drawn_ns == 0 && (ranking_has_rows(demo->ranking) || seconds_since(demo) >= 5);
    if (!first && (demo->drawn_ns == 0 || now_ns - demo->drawn_ns < interval_ms * 1000000))
        return;
    demo->drawn_ns = now_ns;
    draw(demo);
}

static enum err send_due(struct demo *demo, struct err_info *info)
{
    int64_t due = (int64_t)(seconds_since(demo) * (double)demo->rate);
    while (demo->sent < due) {
        struct generated record;
        generator_next(demo->generator, &record);
        struct bytes key = {(const uint8_t *)record.key.data, record.key.length};
        TRY(sender_send(demo->sender, key, record.value, record.timestamp_ms, (uint64_t)demo->sent, info));
        demo->sent++;
    }
    return OK;
}

static enum err produce(struct demo *demo, struct err_info *info)
{
    demo->begun_ns = clock_steady_ns();
    while (!stop_requested() && (demo->seconds == 0 || seconds_since(demo) * 1000 < (double)demo->seconds)) {
        TRY(send_due(demo, info));
        sender_wait(demo->sender, BURST_MS);
        take_statistics(demo);
        draw_if_due(demo);
        if (counter_read(&demo->engine_result) != OK) {
            *info = demo->engine_info;
            return (enum err)counter_read(&demo->engine_result);
        }
    }
    return sender_finish(demo->sender, info);
}

/* Waits until all that was sent is judged and published. */
static void settle(struct demo *demo)
{
    int64_t until_ns = clock_steady_ns() + (int64_t)SETTLE_MS * 1000000;
    struct engine_figures figures;
    do {
        sender_wait(demo->sender, BURST_MS);
        take_statistics(demo);
        draw_if_due(demo);
        engine_figures(demo->engine, &figures);
    } while ((figures.records < demo->sent || figures.published_declarations < demo->sent) &&
             clock_steady_ns() < until_ns && counter_read(&demo->engine_result) == OK);
    take_statistics(demo);
}

static int summary(struct demo *demo)
{
    static const char *const names[] = {"counted", "duplicate", "stale", "rejected", "not counted", "late out"};
    struct engine_figures figures;
    engine_figures(demo->engine, &figures);
    draw(demo);
    printf("\nsent            %10" PRId64 " declarations in %.1f s\n", demo->sent, seconds_since(demo));
    int64_t sum = 0;
    for (int v = 0; v < 6; v++) {
        if (figures.verdicts[v])
            printf("  %-13s %10" PRId64 "\n", names[v], figures.verdicts[v]);
        sum += figures.verdicts[v];
    }
    bool closes = sum == demo->sent && figures.published_declarations == demo->sent && demo->undecodable == 0;
    printf("balance         %10" PRId64 " = %" PRId64 " sent: %s\n", sum, demo->sent,
           closes ? "it closes, and all of it is published" : "IT DOES NOT CLOSE");
    printf("statistics      %10" PRId64 " records published\n", figures.publish_keys);
    printf("\nNext: README.md tells how to point `dryport run` at a real broker.\n");
    return closes ? 0 : err_exit_code(ERR_BROKEN);
}

static void stop(struct demo *demo)
{
    for (int32_t i = 0; i < DEMO_PARTITIONS; i++)
        reader_stop(demo->logs[i]);
    reader_free(demo->reader);
    sender_close(demo->sender);
    generator_free(demo->generator);
    if (demo->engine_started) {
        counter_set(&demo->stop_engine, 1);
        pthread_join(demo->engine_thread, NULL);
    }
    engine_free(demo->engine);
    mock_stop(demo->mock);
    client_health_free(demo->health);
    ranking_free(demo->ranking);
    setup_kafka_fini(&demo->produce);
    assemble_fini(&demo->assembly);
}

static int show(struct demo *demo)
{
    struct err_info info;
    enum err err = configure(demo, &info);
    err = err == OK ? start_broker(demo, &info) : err;
    err = err == OK ? start_generator(demo, &info) : err;
    err = err == OK ? start_engine(demo, &info) : err;
    err = err == OK ? start_table(demo, &info) : err;
    if (err == OK) {
        printf("dryport %s demo: generator, in-process broker and processor in one process. Status page: "
               "http://127.0.0.1:%d/\n\n",
               DRYPORT_VERSION, engine_http_port(demo->engine));
        fflush(stdout);
        err = produce(demo, &info);
    }
    if (err != OK)
        return options_fail(&demo->options, err, &info);
    settle(demo);
    return summary(demo);
}

static int run(int argc, char **argv)
{
    struct demo *demo = memory_new(1, sizeof *demo);
    the_demo = demo;
    demo->seconds = 30000;
    demo->rate = 4000;
    demo->seed = 1;
    const struct option_row rows[] = {
        {.name = "seconds", .kind = OPTION_SECONDS, .place = &demo->seconds, .min = 0, .max = 86400000},
        {.name = "rate", .kind = OPTION_NUMBER, .place = &demo->rate, .min = 1, .max = RATE_MOST},
        {.name = "seed", .kind = OPTION_NUMBER, .place = &demo->seed, .min = 0, .max = INT64_MAX},
    };
    int code = options_read(&demo->options, &command_demo, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0 && demo->options.argument_count > 0)
        code = options_say(&demo->options, ERR_CONFIG, "\"%s\": demo takes no arguments", demo->options.arguments[0]);
    if (code == 0) {
        demo->config = &demo->options.config;
        demo->is_terminal = isatty(STDOUT_FILENO);
        stop_install();
        log_setup(&(struct log_options){.level = LOG_LEVEL_WARN, .format = LOG_FORMAT_TEXT, .fd = 2});
        wire_init();
        code = show(demo);
        stop(demo);
        log_flush();
    }
    options_fini(&demo->options);
    memory_free(demo);
    return code;
}
