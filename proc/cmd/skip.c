/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/skip.h"

#include "base/clock.h"
#include "base/random.h"
#include "cmd/assemble.h"
#include "cmd/options.h"
#include "cmd/setup.h"
#include "cmd/stop.h"
#include "kafka/port_kafka.h"

#include <inttypes.h>
#include <stdio.h>

enum { LANE = 0, WAIT_MS = 100, CLOSE_MS = 3000, MS_NS = 1000000, NOT_GIVEN = -1, UNITS_BYTES = 64 };

static int run(int argc, char **argv);

const struct command command_skip = {
    .name = "skip",
    .summary =
        "mends a halted partition: gives up input that is lost, or goes on before the break of a corrupt journal",
    .usage =
        "skip --partition N --from OFFSET --to OFFSET --reason TEXT [--yes]\n"
        "       dryport skip --partition N --rebase --reason TEXT [--yes]\n"
        "  --partition N    input partition; a halted one is named with its mend by /status and the log\n"
        "  --from OFFSET    first input offset that is given up: where the partition stands\n"
        "  --to OFFSET      first input offset that is counted again\n"
        "  --rebase         the journal is corrupt: what was accepted before the break becomes its new beginning, and\n"
        "                   the input behind that is counted again. Nothing that was counted is lost as long as the\n"
        "                   input is still there. Needs the configuration of `dryport run`\n"
        "  --reason TEXT    why, for those who read the journal later; at most 1000 bytes\n"
        "  --yes            write it; without, what it would do is printed and nothing is written (exit 64)\n"
        "What is skipped is never counted again. The processor may run: its halted partition goes on by itself.\n"
        "If another process claims the partition in between, nothing is changed (exit 75): try again.\n",
    .run = run,
};

struct arguments {
    int64_t partition;
    int64_t from;
    int64_t to;
    const char *reason;
    bool yes;
    bool rebase;
};

/* 0, or the exit code with the error printed. */
static int check_arguments(const struct options *options, const struct arguments *arguments)
{
    bool has_range = arguments->from != NOT_GIVEN || arguments->to != NOT_GIVEN;
    if (options->argument_count > 0)
        return options_say(options, ERR_CONFIG, "\"%s\": no argument is taken", options->arguments[0]);
    if (arguments->rebase && has_range)
        return options_say(options, ERR_CONFIG,
                           "--rebase mends the journal, --from and --to give up input: one of them at a time");
    if (arguments->rebase && arguments->partition == NOT_GIVEN)
        return options_say(options, ERR_CONFIG,
                           "--partition is needed: /status and the log name the one whose journal is corrupt");
    if (!arguments->rebase &&
        (arguments->partition == NOT_GIVEN || arguments->from == NOT_GIVEN || arguments->to == NOT_GIVEN))
        return options_say(options, ERR_CONFIG,
                           "--partition, --from and --to are all needed: the reason of the halted partition in /status "
                           "and in the log states them");
    if (!arguments->reason || !arguments->reason[0])
        return options_say(options, ERR_CONFIG, "--reason is missing: say why, it stands in the journal for good");
    if (strlen(arguments->reason) > SKIP_REASON_MOST)
        return options_say(options, ERR_CONFIG, "--reason: %zu bytes, and at most %d fit", strlen(arguments->reason),
                           SKIP_REASON_MOST);
    return 0;
}

static enum err check_topics(const struct kafka_options *kafka, const struct port *port, int64_t partition,
                             struct err_info *info)
{
    int32_t input = port->partitions(port->self, PORT_DECLARATIONS);
    if (input == 0 || port->partitions(port->self, PORT_JOURNAL) == 0)
        return err_set(info, ERR_CONFIG,
                       "topic %s does not exist at %s: topic.declarations and topic.journal must be those "
                       "of the processor",
                       kafka->topics[input == 0 ? PORT_DECLARATIONS : PORT_JOURNAL], kafka->brokers);
    if (partition >= input)
        return err_set(info, ERR_CONFIG, "--partition %" PRId64 ": topic %s has partitions 0 to %d", partition,
                       kafka->topics[PORT_DECLARATIONS], input - 1);
    return OK;
}

/* Steps until READY, DONE or FAILED. */
static enum err step_on(struct skip *skip, const struct port *port, int64_t timeout_ms, struct err_info *info)
{
    int64_t last_ns = clock_steady_ns();
    struct port_membership none;
    for (;;) {
        bool did = skip_step(skip);
        enum skip_phase phase = skip_phase(skip);
        if (phase == SKIP_FAILED)
            return skip_error(skip, info);
        if (phase == SKIP_READY || phase == SKIP_DONE)
            return OK;
        if (stop_requested())
            return err_set(info, ERR_RETRY, "stopped before it was written for certain: try again");
        port->membership(port->self, &none); /* serves the client's callbacks */
        if (did)
            last_ns = clock_steady_ns();
        else if (clock_steady_ns() - last_ns > timeout_ms * MS_NS)
            return err_set(info, ERR_PEER,
                           "nothing came from the brokers for %" PRId64 " s: look whether they are well, and try again",
                           timeout_ms / 1000);
        else
            port->wait(port->self, LANE, WAIT_MS);
    }
}

static void print_loss(const struct skip_options *options, const struct skip_found *found, const char *topic)
{
    printf("%s/%d: counted up to offset %" PRId64 ", with %" PRIu64
           " declarations in the ledger; the log holds offsets %" PRId64 " to %" PRId64 "\n",
           topic, options->partition, found->position, found->ledger_entries, found->input.low, found->input.high - 1);
    printf("given up: offsets %" PRId64 " to %" PRId64 ", %" PRId64 " in all; %" PRId64
           " of them are still in the log. Declarations in them are in no statistic\n",
           options->from, options->to - 1, options->to - options->from, found->readable);
}

static void print_rebase(const struct skip_options *options, const struct skip_found *found,
                         const struct kafka_options *kafka)
{
    const char *topic = kafka->topics[PORT_DECLARATIONS];
    printf("%s/%d: %s\n", kafka->topics[PORT_JOURNAL], options->partition, found->why.text);
    printf("accepted before that: %s/%d up to offset %" PRId64 ", with %" PRIu64 " declarations in the ledger\n", topic,
           options->partition, found->position, found->ledger_entries);
    printf("given up: journal offsets %" PRId64 " to %" PRId64 "; what they counted is counted again from the input\n",
           found->broken_at, found->end - 1);
    if (found->input.low > found->position)
        printf("the input holds offsets %" PRId64 " to %" PRId64
               " only: the partition will halt for those that are gone, and name the range to skip\n",
               found->input.low, found->input.high - 1);
}

static void print_done(const struct skip_options *options, const struct skip_found *found)
{
    if (options->rebase)
        printf("written and read back: the journal of partition %d begins anew, input is counted from offset %" PRId64
               "\n",
               options->partition, found->position);
    else
        printf("written and read back: partition %d goes on at offset %" PRId64 "\n", options->partition, options->to);
}

/* 0, or the exit code with the error printed. */
static int mend(const struct options *options, const struct skip_options *wanted, const struct kafka_options *kafka,
                bool yes)
{
    struct err_info info;
    struct skip *skip = skip_new(wanted);
    const struct skip_found *found = skip_found(skip);
    enum err err = step_on(skip, wanted->port, options->timeout_ms, &info);
    int code = 0;
    if (err == OK) {
        if (wanted->rebase)
            print_rebase(wanted, found, kafka);
        else
            print_loss(wanted, found, kafka->topics[PORT_DECLARATIONS]);
        fflush(stdout);
        if (!yes)
            code = options_say(options, ERR_CONFIG, "nothing is written: add --yes to do this for good");
        else
            skip_confirm(skip);
    }
    if (err == OK && code == 0)
        err = step_on(skip, wanted->port, options->timeout_ms, &info);
    if (err != OK)
        code = options_fail(options, err, &info);
    else if (code == 0)
        print_done(wanted, found);
    skip_free(skip);
    return code;
}

/* The views, and what a rebase writes down beside: the plan and the units of the processor. */
static enum err prepare(const struct config *config, struct assembly *assembly, struct skip_options *wanted,
                        char units[static UNITS_BYTES], struct err_info *info)
{
    wanted->plan = &assembly->plan;
    if (!wanted->rebase)
        return assemble_views(config, NULL, &assembly->plan, info);
    TRY(assemble(assembly, config, false, info));
    struct engine_options engine = assemble_options(assembly);
    wanted->plan_id = engine_plan_id(&engine);
    snprintf(units, UNITS_BYTES, "%s %s", config->reporter, config->reporting_currency);
    wanted->units = text_of(units);
    return OK;
}

static int run_connected(const struct options *options, const struct arguments *arguments)
{
    struct err_info info;
    struct kafka_options kafka;
    struct assembly assembly = {0};
    struct port port = {0};
    char units[UNITS_BYTES];
    struct skip_options wanted = {
        .port = &port,
        .lane = LANE,
        .partition = (int32_t)arguments->partition,
        .rebase = arguments->rebase,
        .from = arguments->from,
        .to = arguments->to,
        .reason = text_of(arguments->reason),
        .random = random_of_system,
    };
    setup_kafka(&options->config, options->timeout_ms, &kafka);
    enum err err = prepare(&options->config, &assembly, &wanted, units, &info);
    if (err == OK)
        err = client_check(&kafka, &info);
    if (err == OK)
        err = port_kafka_open(&kafka, LANE, &port, &info);
    if (err == OK)
        err = check_topics(&kafka, &port, arguments->partition, &info);
    int code = err == OK ? mend(options, &wanted, &kafka, arguments->yes) : options_fail(options, err, &info);
    port_kafka_close(&port, CLOSE_MS);
    if (arguments->rebase)
        assemble_fini(&assembly);
    setup_kafka_fini(&kafka);
    return code;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {.partition = NOT_GIVEN, .from = NOT_GIVEN, .to = NOT_GIVEN};
    const struct option_row rows[] = {
        {.name = "partition", .kind = OPTION_NUMBER, .place = &arguments.partition, .max = INT32_MAX},
        {.name = "from", .kind = OPTION_NUMBER, .place = &arguments.from, .max = INT64_MAX},
        {.name = "to", .kind = OPTION_NUMBER, .place = &arguments.to, .max = INT64_MAX},
        {.name = "reason", .kind = OPTION_TEXT, .place = &arguments.reason},
        {.name = "yes", .kind = OPTION_FLAG, .place = &arguments.yes},
        {.name = "rebase", .kind = OPTION_FLAG, .place = &arguments.rebase},
    };
    struct options options;
    int code = options_read(&options, &command_skip, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0)
        code = check_arguments(&options, &arguments);
    if (code == 0) {
        stop_install();
        code = run_connected(&options, &arguments);
    }
    options_fini(&options);
    return code;
}
