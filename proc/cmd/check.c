/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/files.h"
#include "cmd/options.h"
#include "cmd/setup.h"
#include "cmd/stop.h"

#include <jansson.h>

#include <stdio.h>

enum { PATH_BYTES = 96 };

struct tally_of_rules {
    uint64_t findings[RULE_COUNT][2]; /* [0] warnings and what STA finds, [1] rejects */
    uint64_t declarations[RULE_COUNT][2];
    uint64_t counted;
    uint64_t rejected;
    uint64_t not_counted;
};

struct check {
    struct options options;
    struct reference *reference;
    struct zone *zone;
    struct rules *rules;
    struct mapping *mapping;
    bool json;
    struct tally_of_rules sums;
    struct findings findings;
};

/* Of what stands in that place of the sums. */
static const char *summed_name(int rule, int reject)
{
    if (rule_rows[rule].severity >= SEVERITY_NOT_COUNTED)
        return severity_name(rule_rows[rule].severity);
    return severity_name(reject ? SEVERITY_REJECT : SEVERITY_WARN);
}

static void print_json(json_t *line)
{
    json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(line);
}

static json_t *number_text(uint64_t v)
{
    return json_sprintf("%llu", (unsigned long long)v); /* as proto3 JSON writes 64-bit numbers */
}

static void print_finding(const struct check *check, const char *file, uint64_t record, const struct finding *finding)
{
    char path[PATH_BYTES];
    const struct rule_row *row = &rule_rows[finding->rule];
    finding_path(finding, path, sizeof path);
    if (!check->json) {
        printf("%s:%llu %s %s %s %s\n", file, (unsigned long long)record, row->code,
               severity_name((enum severity)finding->severity), path, row->text);
        return;
    }
    json_t *name = json_string(file);
    print_json(json_pack("{s:o, s:o, s:s, s:s, s:s, s:s}", "file", name ? name : json_string("?"), "record",
                         number_text(record), "code", row->code, "severity",
                         severity_name((enum severity)finding->severity), "field", path, "text", row->text));
}

static void add_up(struct check *check)
{
    bool seen[RULE_COUNT] = {false};
    const struct findings *findings = &check->findings;
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        int reject = finding->severity == SEVERITY_REJECT;
        check->sums.findings[finding->rule][reject]++;
        check->sums.declarations[finding->rule][reject] += !seen[finding->rule];
        seen[finding->rule] = true;
    }
    if (findings->reject)
        check->sums.rejected++;
    else if (findings->not_counted)
        check->sums.not_counted++;
    else
        check->sums.counted++;
}

/* The record's own date stands for the time of ingestion, as `load` would stamp it. */
static void judge(struct check *check, const struct feed_record *record)
{
    bool too_large =
        record->bytes.length > (size_t)check->options.config.input_max_bytes || record->result == WIRE_TOO_LARGE;
    if (record->declaration && !too_large && !(record->has_bytes && record->bytes.length == 0)) {
        struct rules_context context = {record->declaration->accepted_at_ms, KEY_OFF};
        rules_judge(check->rules, record->declaration, &context, &check->findings);
        return;
    }
    findings_clear(&check->findings);
    bool is_whole = too_large || record->bytes.length == 0;
    rules_add(check->rules, &check->findings, is_whole ? RULE_STR_001 : RULE_STR_002, -1, "payload");
    /* switched off or not: what does not decode can't count */
    check->findings.reject = true;
}

static enum err check_record(void *self, const char *file, const struct feed_record *record, struct err_info *info)
{
    struct check *check = self;
    (void)info;
    judge(check, record);
    for (uint32_t i = 0; i < check->findings.count; i++)
        print_finding(check, file, record->number, &check->findings.list[i]);
    add_up(check);
    return OK;
}

static void print_sums_text(const struct tally_of_rules *sums)
{
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        for (int reject = 0; reject < 2; reject++) {
            if (sums->findings[rule][reject] > 0)
                printf("%s %s %llu findings in %llu declarations\n", rule_rows[rule].code, summed_name(rule, reject),
                       (unsigned long long)sums->findings[rule][reject],
                       (unsigned long long)sums->declarations[rule][reject]);
        }
    }
    printf("counted %llu\nrejected %llu\nnot_counted %llu\n", (unsigned long long)sums->counted,
           (unsigned long long)sums->rejected, (unsigned long long)sums->not_counted);
}

static void print_sums_json(const struct tally_of_rules *sums)
{
    json_t *codes = json_array();
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        for (int reject = 0; reject < 2; reject++) {
            if (sums->findings[rule][reject] > 0)
                json_array_append_new(codes, json_pack("{s:s, s:s, s:o, s:o}", "code", rule_rows[rule].code, "severity",
                                                       summed_name(rule, reject), "findings",
                                                       number_text(sums->findings[rule][reject]), "declarations",
                                                       number_text(sums->declarations[rule][reject])));
        }
    }
    print_json(json_pack("{s:o, s:{s:o, s:o, s:o}}", "codes", codes, "verdicts", "counted", number_text(sums->counted),
                         "rejected", number_text(sums->rejected), "not_counted", number_text(sums->not_counted)));
}

static enum err prepare(struct check *check, const char *map, struct err_info *info)
{
    wire_init();
    TRY(setup_reference(&check->options.config, &check->reference, info));
    TRY(setup_zone(&check->options.config, &check->zone, info));
    TRY(setup_rules(&check->options.config, check->reference, check->zone, &check->rules, info));
    return map ? mapping_open(map, setup_currencies(check->reference), &check->mapping, info) : OK;
}

static int run_checked(struct check *check, const char *map)
{
    struct err_info info;
    enum err err = prepare(check, map, &info);
    for (int i = 0; i < check->options.argument_count && err == OK && !stop_requested(); i++)
        err = files_each(check->options.arguments[i], check->mapping, (struct files_taker){check_record, check}, &info);
    if (err != OK) {
        fflush(stdout);
        return options_fail(&check->options, err, &info);
    }
    if (check->json)
        print_sums_json(&check->sums);
    else
        print_sums_text(&check->sums);
    if (fflush(stdout) != 0)
        return options_say(&check->options, ERR_FATAL, "standard output can't be written");
    return check->sums.rejected > 0 ? err_exit_code(ERR_DATA) : 0;
}

static int run(int argc, char **argv)
{
    static struct check check;
    const char *map = NULL;
    const struct option_row rows[] = {
        {.name = "map", .kind = OPTION_TEXT, .place = &map},
        {.name = "json", .kind = OPTION_FLAG, .place = &check.json},
    };
    int code = options_read(&check.options, &command_check, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0 && check.options.argument_count == 0)
        code = options_say(&check.options, ERR_CONFIG, "no file is named; `dryport check FILE...`");
    if (code == 0) {
        stop_install();
        code = run_checked(&check, map);
    }
    mapping_free(check.mapping);
    rules_free(check.rules);
    zone_free(check.zone);
    reference_free(check.reference);
    options_fini(&check.options);
    return code;
}

const struct command command_check = {
    .name = "check",
    .summary = "judges the declarations of files by the rules, without Kafka",
    .usage =
        "check [OPTION]... FILE...\n"
        "Judges each declaration by the rules of docs/RULES.md that need no memory of others, so that each ends as counted,\n"
        "rejected or not_counted (all items outside the statistics). FILE is NAME.pb (varint length before each customs.v1.Declaration) or NAME.csv with --map, plain or zstd (.zst).\n"
        "Prints a line per finding, `FILE:RECORD code severity field text`, then the counts per code and per verdict.\n"
        "Exit code 65 if any declaration is rejected.\n\n"
        "options:\n"
        "  --map FILE         how the columns of a .csv file become a declaration (docs/MAPS.md)\n"
        "  --json             prints JSON lines instead\n\n"
        "settings that matter: reporter, reporting.currency, timezone, rules.profile, rules.severity.CODE, reference.dir, trade.system, count.*, input.max.bytes",
    .run = run,
};
