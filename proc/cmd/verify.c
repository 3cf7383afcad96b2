/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/assemble.h"
#include "cmd/audit.h"
#include "cmd/progress.h"
#include "cmd/reading.h"
#include "cmd/stop.h"
#include "flow/floor.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

enum { WAIT_MS = 15000, WAIT_MS_MOST = 3600000 };

struct verify {
    struct options options;
    struct assembly assembly;
    struct reading *reading;
    struct audit *audit;
    struct progress progress;
    /* options */
    bool json;
    bool recount;
    int64_t wait_ms;
};

static const char *const kind_names[FRAME_MARK + 1] = {"", "OPEN", "DATA", "SNAP", "SKIP", "MARK"};

static const char *topic_of(const struct verify *verify, enum port_topic topic)
{
    return reading_topic(&verify->options.config, topic);
}

/* ---- as text ---- */

/* "a 1, b 2" of the numbers that are not 0. */
static void print_numbers(const char *const *names, const uint64_t *numbers, int count)
{
    bool some = false;
    for (int i = 0; i < count; i++) {
        if (!numbers[i])
            continue;
        printf("%s%s %" PRIu64, some ? ", " : "", names[i], numbers[i]);
        some = true;
    }
    printf("%s\n", some ? "" : "none");
}

static void print_partitions(const struct verify *verify)
{
    for (int32_t i = 0; i < audit_partitions(verify->audit); i++) {
        const struct audit_partition *p = audit_partition(verify->audit, i);
        printf("partition %-4" PRId32 " journal [%" PRId64 ", %" PRId64 "), input [0, %" PRId64 ") of %" PRId64
               ", %" PRIu64 " declarations in the ledger, %" PRIu64 " epochs%s%s\n",
               i, p->low, p->end, p->hi, p->input_end, p->entries, p->epochs,
               p->is_torn ? ", the last group is not complete" : "", p->is_halted ? ", HALTED" : "");
        if (p->begin > p->low)
            printf("               rebased by an operator at journal offset %" PRId64 ": what is before it is void\n",
                   p->begin);
        for (size_t j = 0; j < p->judged_count && p->judged_count > 1; j++)
            printf("               input [%" PRId64 ", %" PRId64 ") was judged under plan %016" PRIx64 "\n",
                   p->judged[j].lo, p->judged[j].hi, p->judged[j].plan);
    }
}

/* What rows of numbers are called, and the verdicts as they are printed. */
struct labels {
    const char *branches[READER_BRANCHES];
    const char *verdicts[VERDICTS];
    uint64_t verdict_counts[VERDICTS];
};

static struct labels labels_of(const struct audit_sums *sums)
{
    struct labels labels;
    for (int i = 0; i < READER_BRANCHES; i++)
        labels.branches[i] = reader_branch_name((enum reader_branch)i);
    for (int i = 0; i < VERDICTS; i++) {
        labels.verdicts[i] = verdict_name((enum verdict)i);
        labels.verdict_counts[i] = (uint64_t)sums->counts.verdicts[i];
    }
    return labels;
}

static void print_journals(const struct verify *verify)
{
    const struct audit_sums *sums = audit_sums(verify->audit);
    const struct recount_sums *recount = audit_recount(verify->audit);
    struct labels labels = labels_of(sums);
    printf("frames         ");
    print_numbers(kind_names, sums->frames, FRAME_MARK + 1);
    printf("reader rule    ");
    print_numbers(labels.branches, sums->branches, READER_BRANCHES);
    printf("groups         %" PRIu64 " of %" PRId64 " records, %" PRId64 " offsets skipped, %" PRIu64 " bytes\n",
           sums->groups, sums->counts.records, sums->counts.skipped, sums->journal_bytes);
    if (sums->otherwise)
        printf("other rules    %" PRIu64 " of the groups were judged by other rules or lists than those given here%s\n",
               sums->otherwise,
               recount ? ": which declarations they\n               rejected is taken from their lists, all else is "
                         "found again"
                       : "");
    if (sums->older)
        printf("older plan     %" PRIu64 " of the groups: ranges, ledger, verdict sums and reject lists are checked; "
               "their cells were\n               replaced since, and the rules of then are not judged by again\n",
               sums->older);
    printf("declarations   ");
    print_numbers(labels.verdicts, labels.verdict_counts, VERDICTS);
    printf("cells          %" PRIu64 " in the journals, %" PRIu64 " compared with the ledgers\n", sums->cells,
           sums->derived);
    printf("periods        %" PRIu64 " are what their days and months, and those of a year before, add up to\n",
           sums->periods);
    if (recount)
        printf("recount        %" PRIu64 " records, %" PRIu64 " declarations, %" PRIu64 " groups, %" PRIu64
               " cells; %" PRIu64 " groups by the reject lists of other rules; %" PRIu64
               " groups believed, for their input is gone, and %" PRIu64 " of an older plan\n",
               recount->records, recount->declarations, recount->groups, sums->recounted, recount->otherwise,
               recount->believed, recount->older);
}

static void print_topics(const struct verify *verify)
{
    const struct audit_sums *sums = audit_sums(verify->audit);
    printf("rejects        %" PRIu64 " listed; %" PRIu64 " records, of which %" PRIu64 " void and %" PRIu64
           " again; %" PRIu64 " deleted by retention, %" PRIu64 " of other inputs\n",
           sums->listed, sums->rejects, sums->rejects_void, sums->rejects_again, sums->rejects_gone,
           sums->rejects_foreign);
    printf("statistics     %" PRIu64 " records of %" PRIu64 " keys, %" PRIu64 " tombstones, %" PRIu64
           " claims, newest term %" PRIu64 ", %" PRIu64 " late\n",
           sums->statistics, sums->keys, sums->tombstones, sums->claims, sums->term, sums->late);
    if (sums->history || sums->history_refused)
        printf("history        %" PRIu64 " loaded cells, %" PRIu64
               " records of it fit no view, reporter or currency of this configuration\n",
               sums->history, sums->history_refused);
    printf("published      %" PRIu64 " cells equal, %" PRIu64 " without items, %" PRIu64
           " moving all the time and not compared\n",
           sums->equal, sums->zero, sums->moving);
}

static void print_place(const struct verify *verify, const struct audit_place *place, FILE *out)
{
    fprintf(out, "%s/%" PRId32, topic_of(verify, place->topic), place->partition);
    if (place->offset != AUDIT_NO_OFFSET)
        fprintf(out, " offset %" PRId64, place->offset);
    fprintf(out, ": %s\n  mend: %s\n", place->what, place->mend);
}

static uint32_t places_kept(const struct verify *verify)
{
    uint64_t broken = audit_broken(verify->audit);
    return broken < AUDIT_PLACES_MOST ? (uint32_t)broken : AUDIT_PLACES_MOST;
}

static void print_text(const struct verify *verify)
{
    uint64_t broken = audit_broken(verify->audit);
    print_partitions(verify);
    print_journals(verify);
    print_topics(verify);
    for (uint32_t i = 0; i < places_kept(verify); i++) {
        printf("broken         ");
        print_place(verify, audit_place(verify->audit, i), stdout);
    }
    if (broken > AUDIT_PLACES_MOST)
        printf("               and %" PRIu64 " places more\n", broken - AUDIT_PLACES_MOST);
    printf("%s\n", broken ? "NOT VERIFIED" : "verified: nothing is broken");
}

/* ---- as JSON: 64-bit numbers are texts, as everywhere ---- */

static json_t *text_of_number(uint64_t number)
{
    return json_sprintf("%" PRIu64, number);
}

static json_t *text_of_offset(int64_t number)
{
    return json_sprintf("%" PRId64, number);
}

static json_t *numbers_json(const char *const *names, const uint64_t *numbers, int first, int count)
{
    json_t *out = json_object();
    for (int i = first; i < count; i++)
        json_object_set_new(out, names[i], text_of_number(numbers[i]));
    return out;
}

static json_t *judged_json(const struct audit_partition *partition)
{
    json_t *out = json_array();
    for (size_t i = 0; i < partition->judged_count; i++) {
        const struct audit_judged *judged = &partition->judged[i];
        json_array_append_new(out, json_pack("{s:o, s:o, s:o}", "plan", json_sprintf("%016" PRIx64, judged->plan),
                                             "from", text_of_offset(judged->lo), "to", text_of_offset(judged->hi)));
    }
    return out;
}

static json_t *partitions_json(const struct verify *verify)
{
    json_t *out = json_array();
    for (int32_t i = 0; i < audit_partitions(verify->audit); i++) {
        const struct audit_partition *p = audit_partition(verify->audit, i);
        json_array_append_new(out, json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}",
                                             "partition", (int)i, "journal_low", text_of_offset(p->low), "rebased_at",
                                             p->begin ? text_of_offset(p->begin) : json_null(), "journal_end",
                                             text_of_offset(p->end), "position", text_of_offset(p->hi), "input_end",
                                             text_of_offset(p->input_end), "ledger_entries", text_of_number(p->entries),
                                             "expired", text_of_number(p->expired), "epochs", text_of_number(p->epochs),
                                             "judged", judged_json(p), "torn", (int)p->is_torn, "halted",
                                             (int)p->is_halted));
    }
    return out;
}

static json_t *journals_json(const struct audit_sums *sums)
{
    struct labels labels = labels_of(sums);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "frames",
        numbers_json(kind_names, sums->frames, FRAME_OPEN, FRAME_MARK + 1), "reader_rule",
        numbers_json(labels.branches, sums->branches, 0, READER_BRANCHES), "bytes", text_of_number(sums->journal_bytes),
        "groups", text_of_number(sums->groups), "groups_of_older_plans", text_of_number(sums->older),
        "groups_of_other_rules", text_of_number(sums->otherwise), "records", text_of_offset(sums->counts.records),
        "skipped", text_of_offset(sums->counts.skipped), "declarations",
        numbers_json(labels.verdicts, labels.verdict_counts, 0, VERDICTS), "cells", text_of_number(sums->cells),
        "cells_of_ledgers", text_of_number(sums->derived), "periods", text_of_number(sums->periods));
}

static json_t *recount_json(const struct verify *verify)
{
    const struct recount_sums *recount = audit_recount(verify->audit);
    if (!recount)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "records", text_of_number(recount->records), "declarations",
                     text_of_number(recount->declarations), "groups", text_of_number(recount->groups), "believed",
                     text_of_number(recount->believed), "of_other_rules", text_of_number(recount->otherwise),
                     "of_older_plans", text_of_number(recount->older), "cells",
                     text_of_number(audit_sums(verify->audit)->recounted));
}

static json_t *rejects_json(const struct audit_sums *sums)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "listed", text_of_number(sums->listed), "records",
                     text_of_number(sums->rejects), "void", text_of_number(sums->rejects_void), "again",
                     text_of_number(sums->rejects_again), "deleted_by_retention", text_of_number(sums->rejects_gone),
                     "of_other_inputs", text_of_number(sums->rejects_foreign));
}

static json_t *statistics_json(const struct audit_sums *sums)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "records", text_of_number(sums->statistics),
                     "keys", text_of_number(sums->keys), "tombstones", text_of_number(sums->tombstones), "claims",
                     text_of_number(sums->claims), "term", text_of_number(sums->term), "late",
                     text_of_number(sums->late), "equal", text_of_number(sums->equal), "without_items",
                     text_of_number(sums->zero), "moving", text_of_number(sums->moving));
}

static json_t *places_json(const struct verify *verify)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < places_kept(verify); i++) {
        const struct audit_place *place = audit_place(verify->audit, i);
        json_t *what = json_string(place->what);
        json_array_append_new(out,
                              json_pack("{s:s, s:i, s:o, s:o, s:s}", "topic", topic_of(verify, place->topic),
                                        "partition", (int)place->partition, "offset",
                                        place->offset == AUDIT_NO_OFFSET ? json_null() : text_of_offset(place->offset),
                                        "what", what ? what : json_string("?"), "mend", place->mend));
    }
    return out;
}

static void print_json(const struct verify *verify)
{
    const struct audit_sums *sums = audit_sums(verify->audit);
    json_t *out =
        json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "verified", (int)(audit_broken(verify->audit) == 0),
                  "partitions", partitions_json(verify), "journals", journals_json(sums), "recount",
                  recount_json(verify), "rejects", rejects_json(sums), "statistics", statistics_json(sums), "broken",
                  text_of_number(audit_broken(verify->audit)), "places", places_json(verify));
    json_dumpf(out, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(out);
}

/* ---- the order ---- */

static void show(void *context, const char *what, uint64_t done, uint64_t total, uint64_t records)
{
    struct verify *verify = context;
    verify->progress.label = what;
    progress_show(&verify->progress, done, total, records);
}

static enum err prepare(struct verify *verify, struct err_info *info)
{
    const struct config *config = &verify->options.config;
    wire_init();
    TRY(assemble(&verify->assembly, config, false, info));
    TRY(reading_open(&verify->options, &verify->reading, info));
    TRY(reading_must_exist(verify->reading, PORT_JOURNAL, info));
    if (verify->recount)
        TRY(reading_must_exist(verify->reading, PORT_DECLARATIONS, info));
    const struct port *port = reading_port(verify->reading);
    struct engine_options engine = assemble_options(&verify->assembly);
    struct audit_options options = {
        .port = port,
        .plan = &verify->assembly.plan,
        .rules = verify->assembly.rules,
        .reference = verify->assembly.reference,
        .plan_id = engine_plan_id(&engine),
        .batch = engine_batch_options(config, verify->assembly.rules, port->partitions(port->self, PORT_DECLARATIONS)),
        .topic = config->topic_declarations,
        .reporter = config->reporter,
        .currency = config->reporting_currency,
        .zone = verify->assembly.zone,
        .provisional_days = (int32_t)config->month_provisional_days,
        .final_months = (int32_t)config->month_final,
        .event_bound_ms = config->time_future_bound_ms,
        .horizon_months = floor_horizon_months(config->ledger_horizon_days),
        .recount = verify->recount,
        .wait_ms = verify->wait_ms,
        .patience_ms = verify->options.timeout_ms,
        .progress = show,
        .progress_context = verify,
    };
    verify->audit = audit_new(&options);
    return OK;
}

static enum err prove(struct verify *verify, struct err_info *info)
{
    verify->progress = progress_begin("journals");
    enum err err = audit_journals(verify->audit, info);
    if (err == OK)
        err = audit_rejects(verify->audit, info);
    if (err == OK)
        err = audit_statistics(verify->audit, info);
    progress_end(&verify->progress);
    return err;
}

static int tell(const struct verify *verify)
{
    if (verify->json)
        print_json(verify);
    else
        print_text(verify);
    if (fflush(stdout) != 0)
        return options_say(&verify->options, ERR_FATAL, "standard output can't be written");
    if (audit_broken(verify->audit) == 0)
        return 0;
    fprintf(stderr, "dryport verify: ");
    print_place(verify, audit_place(verify->audit, 0), stderr);
    return err_exit_code(ERR_BROKEN);
}

static int run(int argc, char **argv)
{
    static struct verify verify;
    verify.wait_ms = WAIT_MS;
    const struct option_row rows[] = {
        {.name = "json", .kind = OPTION_FLAG, .place = &verify.json},
        {.name = "recount", .kind = OPTION_FLAG, .place = &verify.recount},
        {.name = "wait", .kind = OPTION_SECONDS, .place = &verify.wait_ms, .min = 0, .max = WAIT_MS_MOST},
    };
    int code = options_read(&verify.options, &command_verify, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0 && verify.options.argument_count > 0)
        code = options_say(&verify.options, ERR_CONFIG, "\"%s\": no argument is taken", verify.options.arguments[0]);
    if (code == 0) {
        struct err_info info;
        stop_install();
        enum err err = prepare(&verify, &info);
        if (err == OK)
            err = prove(&verify, &info);
        code = err == OK ? tell(&verify) : options_fail(&verify.options, err, &info);
        audit_free(verify.audit);
        reading_close(verify.reading);
        assemble_fini(&verify.assembly);
    }
    options_fini(&verify.options);
    return code;
}

const struct command command_verify = {
    .name = "verify",
    .summary = "proves that journals, rejects and statistics agree, and with --recount that they agree with the input",
    .usage =
        "verify [OPTION]...\n"
        "Reads all journals by the rule that every process follows, up to the ends noted at the start: check sums, ranges\n"
        "without gap or overlap, control totals of every group, cells against the contributions in the ledgers, reject lists\n"
        "against topic.rejects, and every cell against what topic.statistics holds. It writes nothing and may run beside live\n"
        "processes: what is not published yet is waited for.\n"
        "Needs the configuration of `dryport run`. Exit code 70 with the first broken place and its mend, 75 if it was stopped.\n\n"
        "options:\n"
        "  --recount          judges the input again, group by group, and compares (as far as the input is still there)\n"
        "  --wait SECONDS     how long a cell may differ from its journals with neither changing, before it counts as\n"
        "                     broken (15); one that changes for twice as long is told as moving\n"
        "  --json             prints one JSON document instead\n\n"
        "settings that matter: brokers, topic.*, reference.dir, and whatever else decides a sum",
    .run = run,
};
