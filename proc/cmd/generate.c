/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cmd/batcher.h"
#include "cmd/cmd.h"
#include "cmd/file_writer.h"
#include "cmd/generator.h"
#include "cmd/options.h"
#include "cmd/progress.h"
#include "cmd/sender.h"
#include "cmd/setup.h"
#include "cmd/stop.h"
#include "flow/wire.h"
#include "trade/calendar.h"

#include <stdio.h>

/* A batch stays below what brokers take by default (message.max.bytes, 1048588), with room for its key. */
enum { BATCH_DECLARATIONS_MOST = 10000, BATCH_BYTES_MOST = 900000 };
enum { LOOK_EACH = 1024, PACE_MS = 5, SECOND_NS = 1000000000, MS_NS = 1000000, FAILURES_TOLD = 20 };

struct generate {
    struct options options;
    struct generator *generator;
    struct kafka_options kafka;
    struct sender *sender;
    struct file_writer *file;
    struct batcher *batcher; /* NULL: a record a declaration */
    /* options */
    int64_t count;
    int64_t rate;
    int64_t seed;
    int64_t first_number;
    int64_t batch; /* declarations a record; 0: no DeclarationBatch */
    int64_t amend, cancel, duplicate, late, bad, apart;
    const char *profile;
    const char *out;
    const char *timestamp;
    const char *batch_compression;
    const char *from;
    const char *to;
    bool now;
    bool compress;
    /* sums */
    uint64_t kinds[GENERATED_KINDS];
    uint64_t declarations;
    uint64_t records; /* one each, or fewer: batches */
    uint64_t bytes;
    uint64_t items;
    uint64_t failures;
    enum err failed_with;
};

static void tell_failure(void *self, uint64_t token, enum err reason, const char *why)
{
    struct generate *generate = self;
    generate->failed_with = reason;
    if (++generate->failures <= FAILURES_TOLD)
        options_say(&generate->options, reason, "record %llu: not acknowledged: %s", (unsigned long long)token,
                    why[0] ? why : err_name(reason));
}

/* YYYY-MM-DD or yyyymmdd. */
static bool read_date(const char *text, uint32_t *out)
{
    uint32_t date = 0;
    for (; *text; text++) {
        if (*text == '-')
            continue;
        if (*text < '0' || *text > '9' || date > 99999999)
            return false;
        date = date * 10 + (uint32_t)(*text - '0');
    }
    *out = date;
    return calendar_is_date(date);
}

/* The records are spread evenly over the dates, so that a small run covers every month too. */
static enum err spread_dates(const struct generate *generate, struct generator_options *options, struct err_info *info)
{
    uint32_t last;
    if (!read_date(generate->from, &options->first_date))
        return err_set(info, ERR_CONFIG, "--from %s: a date is needed, such as 2025-01-01", generate->from);
    if (!read_date(generate->to, &last) || last < options->first_date)
        return err_set(info, ERR_CONFIG, "--to %s: a date not before --from is needed, such as 2025-07-31",
                       generate->to);
    int64_t days = calendar_day(last) - calendar_day(options->first_date) + 1;
    if (generate->count > 0) {
        int64_t per_day = (generate->count + days - 1) / days;
        options->per_day = per_day > UINT32_MAX ? UINT32_MAX : (uint32_t)per_day;
    }
    return OK;
}

static enum err prepare_generator(struct generate *generate, struct err_info *info)
{
    struct generator_options options = generator_defaults();
    if (!generator_profile_named(text_of(generate->profile), &options.profile))
        return err_set(info, ERR_CONFIG, "--profile %s: cn, kz or kr is needed", generate->profile);
    TRY(spread_dates(generate, &options, info));
    options.seed = (uint64_t)generate->seed;
    options.first_number = (uint32_t)generate->first_number;
    options.amend_ppm = (uint32_t)generate->amend;
    options.cancel_ppm = (uint32_t)generate->cancel;
    options.duplicate_ppm = (uint32_t)generate->duplicate;
    options.late_ppm = (uint32_t)generate->late;
    options.bad_ppm = (uint32_t)generate->bad;
    options.apart_ppm = (uint32_t)generate->apart;
    struct reference *reference;
    TRY(setup_reference_demo(&generate->options.config, &reference, info));
    enum err err = generator_new(&options, reference, &generate->generator, info);
    reference_free(reference);
    return err;
}

/* Of a topic that is there: ids of one partition come together. */
static enum err prepare_batches(struct generate *generate, struct err_info *info)
{
    struct batcher_options options = {.declarations_most = (uint32_t)generate->batch,
                                      .bytes_most = (size_t)generate->options.config.input_max_bytes,
                                      .compress = generate->compress};
    if (options.bytes_most > BATCH_BYTES_MOST)
        options.bytes_most = BATCH_BYTES_MOST;
    TRY(sender_partitions(generate->sender, &options.partitions, info));
    if (options.partitions < 1)
        return err_set(info, ERR_PEER, "%s: the topic has no partitions", generate->kafka.topics[PORT_DECLARATIONS]);
    generate->batcher = batcher_new(&options);
    return OK;
}

static enum err prepare(struct generate *generate, struct err_info *info)
{
    wire_init();
    TRY(prepare_generator(generate, info));
    if (generate->out)
        return file_writer_open(generate->out, &generate->file, info);
    setup_kafka(&generate->options.config, generate->options.timeout_ms, &generate->kafka);
    TRY(sender_open(&generate->kafka, (struct sender_failure){tell_failure, generate}, &generate->sender, info));
    return generate->batch ? prepare_batches(generate, info) : OK;
}

static enum err send_batch(struct generate *generate, const struct batch_record *record, struct err_info *info)
{
    generate->bytes += record->value.length;
    return sender_send_to(generate->sender, record->partition, record->key, record->value,
                          generate->now ? 0 : record->timestamp_ms, ++generate->records, info);
}

static enum err send_rest(struct generate *generate, struct err_info *info)
{
    struct batch_record record;
    while (generate->batcher && batcher_flush(generate->batcher, &record))
        TRY(send_batch(generate, &record, info));
    return sender_finish(generate->sender, info);
}

static enum err put(struct generate *generate, const struct generated *record, struct err_info *info)
{
    struct batch_record batch;
    generate->declarations++;
    generate->kinds[record->kind]++;
    if (record->declaration)
        generate->items += record->declaration->items.count;
    if (generate->batcher)
        return batcher_add(generate->batcher, record, &batch) ? send_batch(generate, &batch, info) : OK;
    generate->records++;
    generate->bytes += record->value.length;
    if (generate->file)
        return file_writer_add(generate->file, record->value, info);
    struct bytes key = {(const uint8_t *)record->key.data, record->key.length};
    return sender_send(generate->sender, key, record->value, generate->now ? 0 : record->timestamp_ms,
                       generate->records, info);
}

/* Waits until the next declaration is due. */
static void pace(const struct generate *generate, int64_t begun_ns)
{
    if (generate->rate == 0 || !generate->sender)
        return;
    for (;;) {
        int64_t elapsed = clock_steady_ns() - begun_ns;
        int64_t due = (int64_t)(generate->declarations / (uint64_t)generate->rate) * SECOND_NS +
                      (int64_t)(generate->declarations % (uint64_t)generate->rate) * SECOND_NS / generate->rate;
        if (elapsed >= due || stop_requested())
            return;
        int64_t wait_ms = (due - elapsed) / MS_NS;
        sender_wait(generate->sender, wait_ms > PACE_MS ? PACE_MS : wait_ms + 1);
    }
}

static enum err produce(struct generate *generate, struct err_info *info)
{
    int64_t begun = clock_steady_ns();
    struct progress progress = progress_begin("generate");
    struct generated record;
    enum err err = OK;
    while (err == OK && (generate->count == 0 || generate->declarations < (uint64_t)generate->count)) {
        pace(generate, begun);
        if (generate->declarations % LOOK_EACH == 0 && stop_requested())
            break;
        generator_next(generate->generator, &record);
        err = put(generate, &record, info);
        if (generate->declarations % LOOK_EACH == 0)
            progress_show(&progress, generate->declarations, (uint64_t)generate->count, generate->declarations);
    }
    progress_end(&progress);
    if (err != OK)
        return err;
    return generate->file ? file_writer_finish(generate->file, info) : send_rest(generate, info);
}

/* To stderr when the declarations themselves go to stdout. */
static void print_summary(const struct generate *generate, int64_t begun_ns)
{
    FILE *out = generate->out && strcmp(generate->out, "-") == 0 ? stderr : stdout;
    double seconds = (double)(clock_steady_ns() - begun_ns) / 1e9;
    double declarations = (double)generate->declarations;
    fprintf(out, "declarations %llu\n", (unsigned long long)generate->declarations);
    for (int kind = 0; kind < GENERATED_KINDS; kind++)
        fprintf(out, "  %-12s %llu\n", generator_kind_name((enum generated_kind)kind),
                (unsigned long long)generate->kinds[kind]);
    if (generate->batcher)
        fprintf(out, "batches %llu\n", (unsigned long long)generate->records);
    fprintf(out, "items %llu\nbytes %llu (%.1f per declaration)\n", (unsigned long long)generate->items,
            (unsigned long long)generate->bytes, declarations > 0 ? (double)generate->bytes / declarations : 0);
    fprintf(out, "seconds %.2f (%.0f declarations/s)\n", seconds, seconds > 0 ? declarations / seconds : 0);
}

static int run_generating(struct generate *generate)
{
    struct err_info info;
    int64_t begun = clock_steady_ns();
    enum err err = prepare(generate, &info);
    if (err == OK)
        err = produce(generate, &info);
    if (generate->declarations > 0)
        print_summary(generate, begun);
    if (err != OK)
        return options_fail(&generate->options, err, &info);
    if (generate->failures > 0)
        return options_say(&generate->options, generate->failed_with == ERR_LIMIT ? ERR_DATA : ERR_PEER,
                           "%llu %s did not arrive", (unsigned long long)generate->failures,
                           generate->batcher ? "batches" : "declarations");
    return 0;
}

static int check_options(struct generate *generate)
{
    const struct options *options = &generate->options;
    generate->now = strcmp(generate->timestamp, "now") == 0;
    if (!generate->now && strcmp(generate->timestamp, "accepted") != 0)
        return options_say(options, ERR_CONFIG, "--timestamp %s: accepted or now is needed", generate->timestamp);
    generate->compress = strcmp(generate->batch_compression, "zstd") == 0;
    if (!generate->compress && strcmp(generate->batch_compression, "none") != 0)
        return options_say(options, ERR_CONFIG, "--batch-compression %s: none or zstd is needed",
                           generate->batch_compression);
    if (generate->compress && generate->batch == 0)
        return options_say(options, ERR_CONFIG,
                           "--batch-compression zstd needs --batch N: it is batches that it compresses");
    if (generate->batch > 0 && generate->out)
        return options_say(options, ERR_CONFIG,
                           "--batch and --out do not go together: a file holds single declarations; leave one out");
    if (options->argument_count > 0)
        return options_say(options, ERR_CONFIG, "\"%s\": no argument is taken; a file is named by --out",
                           options->arguments[0]);
    if (generate->out && generate->count == 0)
        return options_say(options, ERR_CONFIG, "--out needs a --count of at least 1: a file must end");
    return 0;
}

static int run(int argc, char **argv)
{
    static struct generate generate;
    struct generator_options defaults = generator_defaults();
    generate = (struct generate){.count = 100000,
                                 .seed = (int64_t)defaults.seed,
                                 .first_number = defaults.first_number,
                                 .amend = defaults.amend_ppm,
                                 .cancel = defaults.cancel_ppm,
                                 .duplicate = defaults.duplicate_ppm,
                                 .late = defaults.late_ppm,
                                 .bad = defaults.bad_ppm,
                                 .apart = defaults.apart_ppm,
                                 .profile = "cn",
                                 .timestamp = "accepted",
                                 .batch_compression = "none",
                                 .from = "2025-01-01",
                                 .to = "2025-07-31"};
    const struct option_row rows[] = {
        {"count", OPTION_NUMBER, &generate.count, 0, 999999999},
        {"rate", OPTION_NUMBER, &generate.rate, 0, 100000000},
        {"seed", OPTION_NUMBER, &generate.seed, 0, INT64_MAX},
        {"first-number", OPTION_NUMBER, &generate.first_number, 1, 999999999},
        {"batch", OPTION_NUMBER, &generate.batch, 0, BATCH_DECLARATIONS_MOST},
        {"batch-compression", OPTION_TEXT, &generate.batch_compression, 0, 0},
        {"profile", OPTION_TEXT, &generate.profile, 0, 0},
        {"out", OPTION_TEXT, &generate.out, 0, 0},
        {"timestamp", OPTION_TEXT, &generate.timestamp, 0, 0},
        {"from", OPTION_TEXT, &generate.from, 0, 0},
        {"to", OPTION_TEXT, &generate.to, 0, 0},
        {"amend", OPTION_SHARE, &generate.amend, 0, 0},
        {"cancel", OPTION_SHARE, &generate.cancel, 0, 0},
        {"duplicate", OPTION_SHARE, &generate.duplicate, 0, 0},
        {"late", OPTION_SHARE, &generate.late, 0, 0},
        {"bad", OPTION_SHARE, &generate.bad, 0, 0},
        {"apart", OPTION_SHARE, &generate.apart, 0, 0},
    };
    int code = options_read(&generate.options, &command_generate, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0)
        code = check_options(&generate);
    if (code == 0) {
        stop_install();
        code = run_generating(&generate);
    }
    batcher_free(generate.batcher);
    sender_close(generate.sender);
    setup_kafka_fini(&generate.kafka);
    file_writer_close(generate.file);
    generator_free(generate.generator);
    options_fini(&generate.options);
    return code;
}

const struct command command_generate = {
    .name = "generate",
    .summary = "produces synthetic declarations, seeded, to the input topic or a file",
    .usage =
        "generate [OPTION]...\n"
        "Makes synthetic declarations: the same ones for the same seed, profile, count and lists, on every machine. They go to\n"
        "topic.declarations, or to a file. Good ones break no reject rule of the strict profile.\n\n"
        "options:\n"
        "  --count N          declarations, each a record of its own (100000); 0 = until Ctrl-C\n"
        "  --rate N           declarations per second (0 = unlimited)\n"
        "  --seed N           begins another stream (1)\n"
        "  --first-number N   number in the first declaration's id, the others count on (1): generators that share a topic\n"
        "                     need ranges of their own, or their ids are conflicts (VER-502)\n"
        "  --profile NAME     cn: scheme CN, reporter CN, CNY, trade of Horgos and Alashankou with Central Asia (default)\n"
        "                     kz: scheme EAEU, reporter KZ, KZT; kr: scheme KR, reporter KR, KRW\n"
        "  --out FILE         writes length-prefixed declarations instead, compressed if FILE ends in .zst; - = standard output\n"
        "  --batch N          N declarations of one partition a record, as a DeclarationBatch (0 = single ones); a record has the time of\n"
        "                     its latest declaration\n"
        "  --batch-compression none|zstd\n"
        "                     zstd: the value of such a record is a zstd frame, which workers decompress; then have\n"
        "                     -X kafka.producer.compression.type=none as well (none)\n"
        "  --timestamp WHAT   record timestamp: accepted = accepted_at_ms of the declaration (default), now = time of arrival\n"
        "  --from, --to DATE  first and last reference date (2025-01-01, 2025-07-31); the records are spread evenly over them\n"
        "  --amend, --cancel, --duplicate, --late, --bad SHARE\n"
        "                     shares of the records (4%, 1%, 0.5%, 0.5%, 1%), as 0.04 or 4%; a tenth of the bad ones does not decode\n"
        "  --apart SHARE      share of the originals (1%) that are in part or whole outside the statistics: temporary, in transit,\n"
        "                     refused or not released; or re-imports and re-exports\n\n"
        "settings that matter: brokers, topic.declarations, topics.*, reference.dir (without hs2022.csv in it: the demo's list)",
    .run = run,
};
