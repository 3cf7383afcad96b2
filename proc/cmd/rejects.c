/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/assemble.h"
#include "cmd/listed.h"
#include "cmd/moment.h"
#include "cmd/progress.h"
#include "cmd/reading.h"
#include "cmd/reject_filter.h"
#include "cmd/reject_print.h"
#include "cmd/replay.h"
#include "cmd/stop.h"
#include "flow/settle.h"

#include <inttypes.h>
#include <stdio.h>

enum { SHOW_EACH = 4096 };

enum { FIELDS_MOST = 256 };

/* Declarations with a finding of this code, severity and field. */
struct field_sum {
    enum rule rule;
    bool is_reject;
    char field[REJECT_FILTER_FIELD_BYTES];
    uint64_t declarations;
};

struct sums {
    uint64_t rules[RULE_COUNT][2]; /* declarations with such a finding: [0] warnings, [1] rejects */
    struct field_sum fields[FIELDS_MOST];
    size_t field_count;
    uint64_t rejected;
    uint64_t again; /* more records of one rejected declaration */
    uint64_t is_void;
    uint64_t foreign;
    uint64_t broken; /* records that are no rejects */
};

struct rejects {
    struct options options;
    struct reading *reading;
    struct listed *listed;
    struct reject_filter filter;
    struct sums sums;
    const char *topic; /* of the declarations */
    bool chooses;      /* the first of two readings: places are gathered, nothing is printed */
    struct coordinates *chosen;
    struct replay *replay_to; /* NULL: nothing is produced */
    /* options */
    const char *where;
    const char *format;
    bool json;
    bool counts;
    bool by_field;
    bool with_void;
    bool replays;
    bool is_dry;
    const char *timestamp;
};

/* ---- options ---- */

static bool is_format(const struct rejects *rejects, const char *format)
{
    if (rejects->json)
        return strcmp(format, "json") == 0;
    return strcmp(rejects->format ? rejects->format : "text", format) == 0;
}

static enum err check_options(struct rejects *rejects, struct err_info *info)
{
    if (rejects->options.argument_count > 0)
        return err_set(info, ERR_CONFIG, "\"%s\": no argument is taken; --where id=%s finds a declaration",
                       rejects->options.arguments[0], rejects->options.arguments[0]);
    if (!is_format(rejects, "text") && !is_format(rejects, "csv") && !is_format(rejects, "json"))
        return err_set(info, ERR_CONFIG, "--format \"%s\": there are text, csv and json", rejects->format);
    if (rejects->is_dry && !rejects->replays)
        return err_set(info, ERR_CONFIG, "--dry-run goes with --replay");
    if (rejects->timestamp && !text_is(text_of(rejects->timestamp), "original") &&
        !text_is(text_of(rejects->timestamp), "now"))
        return err_set(info, ERR_CONFIG, "--timestamp \"%s\": there are original and now", rejects->timestamp);
    if (rejects->replays && !rejects->where)
        return err_set(info, ERR_CONFIG,
                       "--replay needs --where: say which rejects are mended, as --where code=COD-101");
    TRY(moment_zone(text_of(rejects->options.config.timezone), info));
    return reject_filter_read(rejects->where, &rejects->filter, info);
}

/* ---- reading ---- */

static void count_rules(struct sums *sums, const Customs__V1__Reject *message)
{
    bool seen[RULE_COUNT] = {false};
    for (size_t i = 0; i < message->n_findings; i++) {
        enum rule rule = rule_by_code(text_of(message->findings[i]->code));
        if (rule == RULE_COUNT || seen[rule])
            continue;
        seen[rule] = true;
        sums->rules[rule][strcmp(message->findings[i]->severity, "reject") == 0]++;
    }
}

static void count_field(struct sums *sums, const Customs__V1__Finding *finding)
{
    char field[REJECT_FILTER_FIELD_BYTES];
    const char *name = reject_filter_field(finding->field, field);
    enum rule rule = rule_by_code(text_of(finding->code));
    bool is_reject = strcmp(finding->severity, "reject") == 0;
    for (size_t i = 0; i < sums->field_count; i++) {
        struct field_sum *sum = &sums->fields[i];
        if (sum->rule == rule && sum->is_reject == is_reject && strcmp(sum->field, name) == 0) {
            sum->declarations++;
            return;
        }
    }
    if (rule == RULE_COUNT || sums->field_count == FIELDS_MOST)
        return;
    struct field_sum *sum = &sums->fields[sums->field_count++];
    *sum = (struct field_sum){.rule = rule, .is_reject = is_reject, .declarations = 1};
    snprintf(sum->field, sizeof sum->field, "%s", name);
}

static bool is_same_place(const Customs__V1__Finding *a, const Customs__V1__Finding *b)
{
    char left[REJECT_FILTER_FIELD_BYTES];
    char right[REJECT_FILTER_FIELD_BYTES];
    return strcmp(a->code, b->code) == 0 && strcmp(a->severity, b->severity) == 0 &&
           strcmp(reject_filter_field(a->field, left), reject_filter_field(b->field, right)) == 0;
}

/* A declaration counts once for a code and field, however many items it names. */
static void count_fields(struct sums *sums, const Customs__V1__Reject *message)
{
    for (size_t i = 0; i < message->n_findings; i++) {
        bool again = false;
        for (size_t j = 0; j < i && !again; j++)
            again = is_same_place(message->findings[i], message->findings[j]);
        if (!again)
            count_field(sums, message->findings[i]);
    }
}

static void print_reject(const struct rejects *rejects, const struct reject_read *read, bool is_void)
{
    if (rejects->counts || rejects->replays)
        return;
    if (is_format(rejects, "csv")) {
        reject_print_csv(read, is_void);
    } else if (is_format(rejects, "text")) {
        reject_print_text(read, is_void);
    } else {
        json_t *line = reject_print_json(read);
        json_object_set_new(line, "void", json_boolean(is_void));
        json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(line);
    }
}

/* The first record of a listed place stands for it; one that names another rule was left by a killed process. */
static void take(struct rejects *rejects, const struct reject_read *read)
{
    const Customs__V1__Reject *message = read->message;
    struct sums *sums = &rejects->sums;
    if (strcmp(message->topic, rejects->topic) != 0) {
        sums->foreign++;
        return;
    }
    if (!reject_filter_wants(&rejects->filter, message))
        return;
    struct listed_entry *entry = listed_find(rejects->listed, message->partition, message->offset, read->index);
    uint16_t rule = reject_read_rule(read);
    bool is_void = !entry || (rule != 0 && rule != entry->rule_number);
    if (rejects->chooses) {
        if (!is_void && !entry->is_found)
            coordinates_add(rejects->chosen, message->partition, message->offset, read->index);
        if (!is_void)
            entry->is_found = true;
        return;
    }
    if (rejects->chosen && (is_void || !entry->is_chosen))
        return;
    if (!is_void && entry->copies++ > 0) {
        sums->again++;
        return;
    }
    if (is_void) {
        sums->is_void++;
    } else {
        sums->rejected++;
        count_rules(sums, message);
        count_fields(sums, message);
    }
    if (!is_void || rejects->with_void)
        print_reject(rejects, read, is_void);
}

static enum err read_partition(struct rejects *rejects, int32_t partition, struct progress *progress,
                               struct err_info *info)
{
    struct walk walk;
    walk_init(&walk, reading_port(rejects->reading), PORT_REJECTS, partition);
    walk.patience_ms = rejects->options.timeout_ms;
    enum err err = walk_note(&walk, info);
    int64_t low = walk.next;
    const struct port_record *record = NULL;
    for (uint64_t count = 1; err == OK && (err = walk_next(&walk, &record, info)) == OK && record; count++) {
        struct reject_read read;
        if (record->fault != PORT_NONE || reject_read(record, &read) != NULL) {
            rejects->sums.broken++;
            continue;
        }
        take(rejects, &read);
        reject_read_fini(&read);
        if (count % SHOW_EACH == 0)
            progress_show(progress, (uint64_t)(walk.next - low), (uint64_t)(walk.end - low), count);
    }
    walk_close(&walk);
    return err;
}

static enum err read_topic(struct rejects *rejects, struct err_info *info)
{
    const struct port *port = reading_port(rejects->reading);
    struct progress progress = progress_begin("rejects");
    enum err err = OK;
    for (int32_t i = 0; i < port->partitions(port->self, PORT_REJECTS) && err == OK; i++)
        err = read_partition(rejects, i, &progress, info);
    progress_end(&progress);
    return err;
}

/* ---- what stands in the input ---- */

static enum err visit(void *self, const struct coordinates_found *found, struct err_info *info)
{
    struct rejects *rejects = self;
    struct listed_entry *entry = listed_find(rejects->listed, found->partition, found->offset, found->index);
    struct text office = rejects->filter.office;
    if (office.length && !(found->declaration && text_equal(office, found->declaration->office_code)))
        return OK;
    entry->is_chosen = true;
    return rejects->replay_to ? replay_take(rejects->replay_to, found, info) : OK;
}

static enum err visit_chosen(struct rejects *rejects, struct err_info *info)
{
    const struct port *port = reading_port(rejects->reading);
    struct batch_options batch =
        engine_batch_options(&rejects->options.config, NULL, port->partitions(port->self, PORT_DECLARATIONS));
    return coordinates_visit(rejects->chosen, port, &batch, rejects->options.timeout_ms, visit, rejects, info);
}

static enum err replay_chosen(struct rejects *rejects, struct err_info *info)
{
    struct replay_options options = {
        .options = &rejects->options,
        .is_dry = rejects->is_dry,
        .at_arrival = rejects->timestamp && strcmp(rejects->timestamp, "now") == 0,
    };
    TRY(replay_open(&options, &rejects->replay_to, info));
    enum err err = visit_chosen(rejects, info);
    struct err_info why;
    enum err finished =
        replay_finish(rejects->replay_to, err == OK ? info : &why); /* what went before an error arrives still */
    return err != OK ? err : finished;
}

static enum err read_all(struct rejects *rejects, struct err_info *info)
{
    TRY(reading_open(&rejects->options, &rejects->reading, info));
    TRY(reading_must_exist(rejects->reading, PORT_REJECTS, info));
    TRY(reading_must_exist(rejects->reading, PORT_JOURNAL, info));
    rejects->listed = listed_new();
    TRY(listed_read(rejects->listed, reading_port(rejects->reading), rejects->options.timeout_ms, info));
    if (rejects->replays || rejects->filter.office.length) {
        TRY(reading_must_exist(rejects->reading, PORT_DECLARATIONS, info));
        wire_init();
        rejects->chosen = coordinates_new();
        rejects->chooses = true;
        TRY(read_topic(rejects, info));
        rejects->chooses = false;
        rejects->sums = (struct sums){0};
        TRY(rejects->replays ? replay_chosen(rejects, info) : visit_chosen(rejects, info));
    }
    if (is_format(rejects, "csv") && !rejects->counts && !rejects->replays)
        reject_print_csv_head();
    return read_topic(rejects, info);
}

/* ---- sums ---- */

static json_t *number_text(uint64_t v)
{
    return json_sprintf("%" PRIu64, v);
}

static json_t *fields_json(const struct sums *sums)
{
    json_t *fields = json_array();
    for (size_t i = 0; i < sums->field_count; i++) {
        const struct field_sum *sum = &sums->fields[i];
        json_array_append_new(fields, json_pack("{s:s, s:s, s:s, s:o}", "code", rule_rows[sum->rule].code, "severity",
                                                sum->is_reject ? "reject" : "warn", "field", sum->field, "declarations",
                                                number_text(sum->declarations)));
    }
    return fields;
}

static void print_sums_json(const struct rejects *rejects)
{
    const struct sums *sums = &rejects->sums;
    json_t *codes = json_array();
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        for (int reject = 1; reject >= 0; reject--) {
            if (sums->rules[rule][reject])
                json_array_append_new(codes, json_pack("{s:s, s:s, s:o}", "code", rule_rows[rule].code, "severity",
                                                       reject ? "reject" : "warn", "declarations",
                                                       number_text(sums->rules[rule][reject])));
        }
    }
    json_t *line = json_pack("{s:o, s:o, s:o, s:o}", "codes", codes, "rejected", number_text(sums->rejected), "again",
                             number_text(sums->again), "void", number_text(sums->is_void));
    if (rejects->by_field)
        json_object_set_new(line, "fields", fields_json(sums));
    if (rejects->replay_to) {
        struct replay_sums replayed = replay_sums(rejects->replay_to);
        json_object_set_new(line, "replayed", number_text(replayed.records));
        json_object_set_new(line, "same", number_text(replayed.same));
        json_object_set_new(line, "gone", number_text(replayed.gone));
        json_object_set_new(line, "dry_run", json_boolean(rejects->is_dry));
    }
    json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(line);
}

static void print_field_lines(const struct sums *sums, bool csv)
{
    if (csv)
        puts("code,severity,field,declarations");
    for (size_t i = 0; i < sums->field_count; i++) {
        const struct field_sum *sum = &sums->fields[i];
        printf(csv ? "%s,%s,%s,%" PRIu64 "\n" : "%s %s %s %" PRIu64 " declarations\n", rule_rows[sum->rule].code,
               sum->is_reject ? "reject" : "warn", sum->field, sum->declarations);
    }
}

static void print_replayed(const struct rejects *rejects)
{
    struct replay_sums sums = replay_sums(rejects->replay_to);
    printf("%s %" PRIu64 " records of %s\n", rejects->is_dry ? "would be replayed" : "replayed", sums.records,
           rejects->topic);
    if (sums.same)
        printf("same %" PRIu64 " (rejected more than once; they went once)\n", sums.same);
    if (sums.gone)
        printf("gone %" PRIu64 "\n", sums.gone);
}

static void print_sums_lines(const struct sums *sums, bool csv)
{
    const char *between = csv ? "," : " ";
    if (csv)
        puts("code,severity,declarations");
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        for (int reject = 1; reject >= 0; reject--) {
            if (sums->rules[rule][reject])
                printf("%s%s%s%s%" PRIu64 "%s\n", rule_rows[rule].code, between, reject ? "reject" : "warn", between,
                       sums->rules[rule][reject], csv ? "" : " declarations");
        }
    }
    if (!csv)
        printf("rejected %" PRIu64 "\nagain %" PRIu64 "\nvoid %" PRIu64 "\n", sums->rejected, sums->again,
               sums->is_void);
}

static int finish(const struct rejects *rejects)
{
    const struct sums *sums = &rejects->sums;
    bool csv = is_format(rejects, "csv");
    if (is_format(rejects, "json"))
        print_sums_json(rejects);
    else if (rejects->by_field)
        print_field_lines(sums, csv);
    else if (!csv || rejects->counts)
        print_sums_lines(sums, csv);
    if (rejects->replay_to && !is_format(rejects, "json"))
        print_replayed(rejects);
    if (fflush(stdout) != 0)
        return options_say(&rejects->options, ERR_FATAL, "standard output can't be written");
    if (sums->foreign)
        fprintf(stderr, "dryport rejects: %" PRIu64 " records of other input topics were left out\n", sums->foreign);
    if (sums->broken)
        return options_say(&rejects->options, ERR_DATA, "%" PRIu64 " records of %s are no rejects and were left out",
                           sums->broken, reading_topic(&rejects->options.config, PORT_REJECTS));
    struct replay_sums replayed = rejects->replay_to ? replay_sums(rejects->replay_to) : (struct replay_sums){0};
    if (replayed.failed)
        return options_say(&rejects->options, ERR_DATA, "%" PRIu64 " records were refused or not acknowledged",
                           replayed.failed);
    if (replayed.gone)
        return options_say(
            &rejects->options, ERR_DATA,
            "%" PRIu64
            " rejected declarations can't be produced again: the input does not hold them any more. Send them "
            "again at the source",
            replayed.gone);
    return 0;
}

static int run(int argc, char **argv)
{
    static struct rejects rejects;
    const struct option_row rows[] = {
        {.name = "where", .kind = OPTION_TEXT, .place = &rejects.where},
        {.name = "format", .kind = OPTION_TEXT, .place = &rejects.format},
        {.name = "json", .kind = OPTION_FLAG, .place = &rejects.json},
        {.name = "counts", .kind = OPTION_FLAG, .place = &rejects.counts},
        {.name = "by-field", .kind = OPTION_FLAG, .place = &rejects.by_field},
        {.name = "void", .kind = OPTION_FLAG, .place = &rejects.with_void},
        {.name = "replay", .kind = OPTION_FLAG, .place = &rejects.replays},
        {.name = "dry-run", .kind = OPTION_FLAG, .place = &rejects.is_dry},
        {.name = "timestamp", .kind = OPTION_TEXT, .place = &rejects.timestamp},
    };
    int code = options_read(&rejects.options, &command_rejects, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0) {
        struct err_info info;
        rejects.topic = rejects.options.config.topic_declarations;
        rejects.counts = rejects.counts || rejects.by_field;
        stop_install();
        enum err err = check_options(&rejects, &info);
        if (err == OK)
            err = read_all(&rejects, &info);
        code = err == OK ? finish(&rejects) : options_fail(&rejects.options, err, &info);
        replay_close(rejects.replay_to);
        coordinates_free(rejects.chosen);
        listed_free(rejects.listed);
        reading_close(rejects.reading);
    }
    options_fini(&rejects.options);
    return code;
}

const struct command command_rejects = {
    .name = "rejects",
    .summary = "lists, filters and counts the rejected declarations, and produces them again",
    .usage =
        "rejects [OPTION]...\n"
        "Reads topic.rejects and prints a line per finding, `TOPIC/PARTITION/OFFSET[/INDEX] TIME ID vVERSION code severity\n"
        "field text`, then how many declarations each rule names. A record that its group in the journal does not list is void\n"
        "(a killed process left it) and is only counted; a second record of the same declaration is counted as again.\n\n"
        "options:\n"
        "  --where LIST       code=STR-004 or code=STR, field=items.hs_code, id=ID, office=CODE (read from the input), plan=DIGITS (its\n"
        "                     first ones), partition=N, from=TIME, to=TIME (without it); commas between them, all must hold. TIME is\n"
        "                     the record's, as 2025-07-31 or 2025-07-31T08:00 (timezone)\n"
        "  --counts           prints the counts alone\n"
        "  --by-field         prints the counts alone, for each code and field\n"
        "  --replay           produces the declarations that --where names again, from the input, into the partition where they stand.\n"
        "                     Void rejects are left out; the same bytes go once; what was counted meanwhile is a duplicate\n"
        "  --dry-run          with --replay: reads all, says how many would go, and produces nothing\n"
        "  --timestamp KIND   of what is replayed: original (default) or now\n"
        "  --void             prints the void ones, too, and marks them\n"
        "  --format FORMAT    text (default), csv (a row per finding) or json (a line per declaration, the counts last)\n"
        "  --json             the same as --format json\n\n"
        "settings that matter: brokers, topic.rejects, topic.journal, topic.declarations, input.format, timezone",
    .run = run,
};
