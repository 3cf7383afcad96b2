/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/listed.h"
#include "cmd/moment.h"
#include "cmd/options.h"
#include "cmd/progress.h"
#include "cmd/reading.h"
#include "cmd/reject_print.h"
#include "cmd/stop.h"
#include "cmd/walk.h"
#include "flow/settle.h"

#include <inttypes.h>
#include <stdio.h>

enum { SHOW_EACH = 4096 };

/* What --where asks for; all of it must hold. */
struct filter {
    struct text code; /* a whole code or its group (STR); empty: any */
    struct text id;
    int64_t partition; /* -1: any */
    int64_t from_ms;
    int64_t to_ms; /* not with it */
};

struct sums {
    uint64_t rules[RULE_COUNT][2]; /* declarations with such a finding: [0] warnings, [1] rejects */
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
    struct filter filter;
    struct sums sums;
    const char *topic; /* of the declarations */
    /* options */
    const char *where;
    const char *format;
    bool json;
    bool counts;
    bool with_void;
};

/* ---- options ---- */

static bool is_code(struct text code)
{
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        struct text known = text_of(rule_rows[rule].code);
        if (text_equal(code, known) || text_equal(code, text_cut(&known, '-')))
            return true;
    }
    return false;
}

static enum err read_condition(struct filter *filter, struct text condition, struct err_info *info)
{
    struct text value = condition;
    struct text name = text_cut(&value, '=');
    if (text_is(name, "code")) {
        filter->code = value;
        return is_code(value) ? OK
                              : err_set(info, ERR_CONFIG, "--where code=%.*s: there is no such rule (docs/RULES.md)",
                                        TEXT_ARGS(value));
    }
    if (text_is(name, "id") && value.length > 0) {
        filter->id = value;
        return OK;
    }
    if (text_is(name, "partition") && text_to_int64(value, &filter->partition) && filter->partition >= 0)
        return OK;
    if (text_is(name, "from") || text_is(name, "to")) {
        enum err err = moment_ms(value, text_is(name, "from") ? &filter->from_ms : &filter->to_ms, info);
        return err == OK ? OK : err_prefix(info, ERR_CONFIG, "--where %.*s", TEXT_ARGS(condition));
    }
    return err_set(info, ERR_CONFIG,
                   "--where \"%.*s\": write code=STR-004 (or code=STR), id=ID, partition=N, from=TIME, to=TIME, with "
                   "commas between",
                   TEXT_ARGS(condition));
}

static enum err read_filter(struct rejects *rejects, struct err_info *info)
{
    struct text rest = text_of(rejects->where ? rejects->where : "");
    rejects->filter = (struct filter){.partition = -1, .from_ms = INT64_MIN, .to_ms = INT64_MAX};
    TRY(moment_zone(text_of(rejects->options.config.timezone), info));
    while (rest.length > 0)
        TRY(read_condition(&rejects->filter, text_trim(text_cut(&rest, ',')), info));
    return OK;
}

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
    return read_filter(rejects, info);
}

/* ---- reading ---- */

static bool has_code(const Customs__V1__Reject *message, struct text code)
{
    for (size_t i = 0; i < message->n_findings; i++) {
        struct text known = text_of(message->findings[i]->code);
        if (text_equal(code, known) || text_equal(code, text_cut(&known, '-')))
            return true;
    }
    return false;
}

static bool is_wanted(const struct filter *filter, const Customs__V1__Reject *message)
{
    return (filter->partition < 0 || filter->partition == message->partition) &&
           message->timestamp_ms >= filter->from_ms && message->timestamp_ms < filter->to_ms &&
           (filter->id.length == 0 || text_is(filter->id, message->declaration_id)) &&
           (filter->code.length == 0 || has_code(message, filter->code));
}

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

static void print_reject(const struct rejects *rejects, const struct reject_read *read, bool is_void)
{
    if (rejects->counts)
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
    if (!is_wanted(&rejects->filter, message))
        return;
    struct listed_entry *entry = listed_find(rejects->listed, message->partition, message->offset, read->index);
    uint16_t rule = reject_read_rule(read);
    bool is_void = !entry || (rule != 0 && rule != entry->rule_number);
    if (!is_void && entry->copies++ > 0) {
        sums->again++;
        return;
    }
    if (is_void) {
        sums->is_void++;
    } else {
        sums->rejected++;
        count_rules(sums, message);
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

static enum err read_all(struct rejects *rejects, struct err_info *info)
{
    TRY(reading_open(&rejects->options, &rejects->reading, info));
    TRY(reading_must_exist(rejects->reading, PORT_REJECTS, info));
    TRY(reading_must_exist(rejects->reading, PORT_JOURNAL, info));
    const struct port *port = reading_port(rejects->reading);
    rejects->listed = listed_new();
    TRY(listed_read(rejects->listed, port, rejects->options.timeout_ms, info));
    struct progress progress = progress_begin("rejects");
    enum err err = OK;
    if (is_format(rejects, "csv") && !rejects->counts)
        reject_print_csv_head();
    for (int32_t i = 0; i < port->partitions(port->self, PORT_REJECTS) && err == OK; i++)
        err = read_partition(rejects, i, &progress, info);
    progress_end(&progress);
    return err;
}

/* ---- sums ---- */

static json_t *number_text(uint64_t v)
{
    return json_sprintf("%" PRIu64, v);
}

static void print_sums_json(const struct sums *sums)
{
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
    json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(line);
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
    if (is_format(rejects, "json"))
        print_sums_json(sums);
    else if (is_format(rejects, "text") || rejects->counts)
        print_sums_lines(sums, is_format(rejects, "csv"));
    if (fflush(stdout) != 0)
        return options_say(&rejects->options, ERR_FATAL, "standard output can't be written");
    if (sums->foreign)
        fprintf(stderr, "dryport rejects: %" PRIu64 " records of other input topics were left out\n", sums->foreign);
    if (sums->broken)
        return options_say(&rejects->options, ERR_DATA, "%" PRIu64 " records of %s are no rejects and were left out",
                           sums->broken, reading_topic(&rejects->options.config, PORT_REJECTS));
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
        {.name = "void", .kind = OPTION_FLAG, .place = &rejects.with_void},
    };
    int code = options_read(&rejects.options, &command_rejects, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0) {
        struct err_info info;
        rejects.topic = rejects.options.config.topic_declarations;
        stop_install();
        enum err err = check_options(&rejects, &info);
        if (err == OK)
            err = read_all(&rejects, &info);
        code = err == OK ? finish(&rejects) : options_fail(&rejects.options, err, &info);
        listed_free(rejects.listed);
        reading_close(rejects.reading);
    }
    options_fini(&rejects.options);
    return code;
}

const struct command command_rejects = {
    .name = "rejects",
    .summary = "lists, filters and counts the rejected declarations",
    .usage =
        "rejects [OPTION]...\n"
        "Reads topic.rejects and prints a line per finding, `TOPIC/PARTITION/OFFSET[/INDEX] TIME ID vVERSION code "
        "severity\n"
        "field text`, then how many declarations each rule names. A record that its group in the journal does not list "
        "is void\n"
        "(a killed process left it) and is only counted; a second record of the same declaration is counted as "
        "again.\n\n"
        "options:\n"
        "  --where LIST       code=STR-004 or code=STR, id=ID, partition=N, from=TIME, to=TIME (without it); commas "
        "between\n"
        "                     them, all must hold. TIME is the record's, as 2025-07-31 or 2025-07-31T08:00 (timezone)\n"
        "  --counts           prints the counts alone\n"
        "  --void             prints the void ones, too, and marks them\n"
        "  --format FORMAT    text (default), csv (a row per finding) or json (a line per declaration, the counts "
        "last)\n"
        "  --json             the same as --format json\n\n"
        "settings that matter: brokers, topic.rejects, topic.journal, topic.declarations, timezone",
    .run = run,
};
