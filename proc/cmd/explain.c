/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/assemble.h"
#include "cmd/reading.h"
#include "cmd/reject_print.h"
#include "cmd/stop.h"
#include "cmd/trace.h"
#include "flow/cell.h"
#include "flow/hours.h"
#include "flow/settle.h"
#include "flow/statistic.h"
#include "ops/statistic_json.h"
#include "trade/calendar.h"

#include "customs/v1/statistic.pb-c.h"

#include <inttypes.h>
#include <stdio.h>

enum { PATH_BYTES = 96, COUNTRY_BYTES = 3, PARTITION_MOST = 65535 };

struct explain {
    struct options options;
    struct assembly assembly;
    struct reading *reading;
    struct trace trace;
    /* options */
    bool json;
    int64_t partition;
};

static const char *function_name(enum function function)
{
    switch (function) {
    case FUNCTION_ORIGINAL:
        return "ORIGINAL";
    case FUNCTION_REPLACE:
        return "REPLACE";
    case FUNCTION_CANCEL:
        return "CANCEL";
    default:
        return "UNSPECIFIED";
    }
}

/* The rule of a number in a reject list, NULL if this program has none. */
static const char *code_of_number(uint16_t number)
{
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (settle_rule_number((enum rule)rule) == number)
            return rule_rows[rule].code;
    }
    return NULL;
}

static const char *country_text(uint16_t number, char out[static COUNTRY_BYTES])
{
    out[0] = number ? (char)(number >> 8) : '-';
    out[1] = number ? (char)(number & 0xFF) : '\0';
    out[2] = '\0';
    return out;
}

static const char *hs_text(const struct contribution_item *item, char out[static HS_DIGITS_MOST + 1])
{
    uint64_t rest = item->hs;
    for (int i = HS_DIGITS_MOST - 1; i >= 0; i--, rest /= 10)
        out[i] = (char)('0' + rest % 10);
    out[item->hs_digits] = '\0';
    return out;
}

/* ---- as text ---- */

static void print_records(const struct explain *explain)
{
    const struct trace *trace = &explain->trace;
    printf("records of the input: %zu\n", trace->record_count);
    for (size_t i = 0; i < trace->record_count; i++) {
        const struct trace_record *r = &trace->records[i];
        char path[PATH_BYTES];
        printf("  %s/%" PRId32 "/%" PRId64, trace->options.topic, r->partition, r->offset);
        if (r->index >= 0)
            printf("/%" PRId32, r->index);
        printf(" timestamp %" PRId64 " version %" PRIu32 " %s: %s", r->timestamp_ms, r->version,
               function_name(r->function), trace_verdict_name(r->verdict));
        const char *code = r->is_listed ? code_of_number(r->rule_number) : NULL;
        printf("%s%s\n", code ? " by " : "", code ? code : "");
        for (uint32_t k = 0; k < r->findings.count; k++) {
            const struct finding *finding = &r->findings.list[k];
            printf("    %s %s %s %s\n", rule_rows[finding->rule].code, severity_name((enum severity)finding->severity),
                   finding_path(finding, path, sizeof path), rule_rows[finding->rule].text);
        }
    }
}

/* As keys of views by hour name it. */
static const char *hour_text(int64_t hour, char out[static HOURS_KEY_BYTES + 1])
{
    hours_key(hours_of_ms(hour * HOURS_MS), out);
    out[HOURS_KEY_BYTES] = '\0';
    return out;
}

static void print_contribution(const struct trace_entry *entry)
{
    const struct contribution *c = &entry->contribution;
    char hour[HOURS_KEY_BYTES + 1];
    char hs[HS_DIGITS_MOST + 1];
    char partner[COUNTRY_BYTES];
    printf("    reference date %" PRIu32
           ", office \"%s\", border office \"%s\", zone \"%s\", trade mode \"%s\", mode of "
           "transport %u, accepted in hour %s%s%s\n",
           calendar_date(c->day), entry->codes[0], entry->codes[1], entry->codes[2], entry->codes[3], c->mode,
           hour_text(c->hour, hour), c->warned ? ", warned" : "", c->late ? ", late" : "");
    if (c->item_count == 0 && !c->cancel)
        printf("    all items are outside the statistics\n");
    for (uint32_t i = 0; i < c->item_count; i++) {
        const struct contribution_item *item = &c->items[i];
        printf("    item %" PRIu32 ": %s hs %s partner %s value %" PRId64 " customs value %" PRId64 " net %" PRId64
               " mg gross %" PRId64 " mg quantity %" PRId64 " millionths packages %" PRIu32 "%s\n",
               i, flow_name(item->flow), hs_text(item, hs), country_text(item->partner, partner), item->value_minor,
               item->customs_value_minor, item->net_mass_mg, item->gross_mass_mg, item->supp_quantity_micro,
               item->packages, item->estimated ? " (mass estimated)" : "");
    }
}

static void print_entries(const struct explain *explain)
{
    const struct trace *trace = &explain->trace;
    printf("entries of the ledger: %zu\n", trace->entry_count);
    for (size_t i = 0; i < trace->entry_count; i++) {
        const struct trace_entry *e = &trace->entries[i];
        printf("  %s/%" PRId32 "/%" PRId64 " epoch %" PRIu64 " input [%" PRId64 ", %" PRId64 "): version %" PRIu32
               "%s, digest %016" PRIx64 ", %s\n",
               reading_topic(&explain->options.config, PORT_JOURNAL), e->partition, e->journal_offset, e->epoch, e->lo,
               e->hi, e->contribution.version, e->contribution.cancel ? " CANCEL" : "", e->contribution.digest,
               e->stands ? "stands" : "was replaced");
        print_contribution(e);
    }
}

static void print_rejects(const struct explain *explain)
{
    printf("rejects: %zu\n", explain->trace.reject_count);
    for (size_t i = 0; i < explain->trace.reject_count; i++) {
        printf("  ");
        reject_print_text(&explain->trace.rejects[i].read, explain->trace.rejects[i].is_void);
    }
}

static const char *why_gone(const struct trace_cell *cell)
{
    int32_t hour;
    return statistic_key_hour(text_of(cell->key), &hour) ? "its hour is not kept any more"
                                                         : "it had no items when its month became FINAL";
}

static void print_published(const struct trace_cell *cell)
{
    if (!cell->is_published) {
        printf("not published: its view does not publish this frequency\n");
        return;
    }
    Customs__V1__Statistic *m =
        cell->value.length ? customs__v1__statistic__unpack(NULL, cell->value.length, cell->value.data) : NULL;
    if (!m) {
        if (cell->is_gone)
            printf("a tombstone stands there, as_of %" PRIu64 ": %s\n", cell->as_of, why_gone(cell));
        else
            printf("not published yet\n");
        return;
    }
    printf("published value %" PRId64 ", net %" PRId64 " g, %" PRIu64 " items, %" PRIu64 " declarations, as_of %" PRIu64
           "\n",
           m->value_minor, m->net_mass_g, m->items, m->declarations, m->as_of);
    customs__v1__statistic__free_unpacked(m, NULL);
}

static void print_cells(const struct explain *explain)
{
    printf("cells: %zu\n", explain->trace.cell_count);
    for (size_t i = 0; i < explain->trace.cell_count; i++) {
        const struct trace_cell *cell = &explain->trace.cells[i];
        char value[I128_TEXT_BYTES];
        char mass[I128_TEXT_BYTES];
        printf("  %s: adds value %s, net %s mg, %" PRId64 " items, %" PRId64 " declarations; ", cell->key,
               i128_to_text(cell->measures.value_minor, value), i128_to_text(cell->measures.net_mass_mg, mass),
               cell->measures.items, cell->measures.declarations);
        print_published(cell);
    }
}

static void print_text(const struct explain *explain)
{
    printf("declaration %.*s\n", TEXT_ARGS(explain->trace.options.id));
    print_records(explain);
    print_entries(explain);
    print_rejects(explain);
    print_cells(explain);
}

/* ---- as JSON ---- */

static json_t *text_of_number(uint64_t number)
{
    return json_sprintf("%" PRIu64, number);
}

static json_t *text_of_offset(int64_t number)
{
    return json_sprintf("%" PRId64, number);
}

static json_t *plain_text(const char *text, size_t length)
{
    json_t *out = json_stringn(text, length);
    return out ? out : json_string("\xEF\xBF\xBD"); /* not UTF-8: the replacement character */
}

static json_t *findings_json(const struct findings *findings)
{
    json_t *out = json_array();
    char path[PATH_BYTES];
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s}", "code", rule_rows[finding->rule].code, "severity",
                                             severity_name((enum severity)finding->severity), "field",
                                             finding_path(finding, path, sizeof path), "text",
                                             rule_rows[finding->rule].text));
    }
    return out;
}

static json_t *record_json(const struct trace_record *r)
{
    const char *code = r->is_listed ? code_of_number(r->rule_number) : NULL;
    return json_pack("{s:i, s:o, s:o, s:o, s:I, s:s, s:s, s:o, s:o}", "partition", (int)r->partition, "offset",
                     text_of_offset(r->offset), "index", r->index < 0 ? json_null() : json_integer(r->index),
                     "timestamp_ms", text_of_offset(r->timestamp_ms), "version", (json_int_t)r->version, "function",
                     function_name(r->function), "verdict", trace_verdict_name(r->verdict), "rule",
                     code ? json_string(code) : json_null(), "findings", findings_json(&r->findings));
}

static json_t *item_json(const struct contribution_item *item)
{
    char hs[HS_DIGITS_MOST + 1];
    char partner[COUNTRY_BYTES];
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:b}", "flow", flow_name(item->flow), "hs_code",
                     hs_text(item, hs), "partner", item->partner ? country_text(item->partner, partner) : "",
                     "statistical_value_minor", text_of_offset(item->value_minor), "customs_value_minor",
                     text_of_offset(item->customs_value_minor), "net_mass_mg", text_of_offset(item->net_mass_mg),
                     "gross_mass_mg", text_of_offset(item->gross_mass_mg), "supp_quantity_micro",
                     text_of_offset(item->supp_quantity_micro), "packages", (json_int_t)item->packages,
                     "mass_estimated", (int)item->estimated);
}

static json_t *entry_json(const struct trace_entry *e)
{
    const struct contribution *c = &e->contribution;
    char hour[HOURS_KEY_BYTES + 1];
    json_t *items = json_array();
    for (uint32_t i = 0; i < c->item_count; i++)
        json_array_append_new(items, item_json(&c->items[i]));
    return json_pack(
        "{s:i, s:o, s:o, s:o, s:o, s:o, s:I, s:b, s:o, s:b, s:I, s:s, s:o, s:o, s:o, s:o, s:i, s:b, s:b, s:o}",
        "partition", (int)e->partition, "journal_offset", text_of_offset(e->journal_offset), "epoch",
        text_of_number(e->epoch), "nonce",
        json_sprintf("%016" PRIx64 "%016" PRIx64, e->nonce.word[0], e->nonce.word[1]), "input_from",
        text_of_offset(e->lo), "input_to", text_of_offset(e->hi), "version", (json_int_t)c->version, "cancel",
        (int)c->cancel, "digest", json_sprintf("%016" PRIx64, c->digest), "stands", (int)e->stands, "reference_date",
        (json_int_t)calendar_date(c->day), "accepted_hour", hour_text(c->hour, hour), "office_code",
        plain_text(e->codes[0], strlen(e->codes[0])), "border_office_code",
        plain_text(e->codes[1], strlen(e->codes[1])), "zone_code", plain_text(e->codes[2], strlen(e->codes[2])),
        "trade_mode", plain_text(e->codes[3], strlen(e->codes[3])), "border_transport_mode", (int)c->mode, "warned",
        (int)c->warned, "late", (int)c->late, "items", items);
}

static json_t *cell_json(const struct trace_cell *cell)
{
    char text[I128_TEXT_BYTES];
    const struct measures *m = &cell->measures;
    json_t *published = cell->value.length ? statistic_json((struct text){NULL, 0}, buffer_bytes(&cell->value)) : NULL;
    json_t *adds = json_object();
    json_object_set_new(adds, "value_minor", json_string(i128_to_text(m->value_minor, text)));
    json_object_set_new(adds, "customs_value_minor", json_string(i128_to_text(m->customs_value_minor, text)));
    json_object_set_new(adds, "net_mass_mg", json_string(i128_to_text(m->net_mass_mg, text)));
    json_object_set_new(adds, "gross_mass_mg", json_string(i128_to_text(m->gross_mass_mg, text)));
    json_object_set_new(adds, "supp_quantity_micro", json_string(i128_to_text(m->supp_quantity_micro, text)));
    json_object_set_new(adds, "declarations", text_of_offset(m->declarations));
    json_object_set_new(adds, "items", text_of_offset(m->items));
    json_object_set_new(adds, "packages", text_of_offset(m->packages));
    return json_pack("{s:o, s:b, s:o, s:o, s:b}", "key", plain_text(cell->key, strlen(cell->key)), "publishes",
                     (int)cell->is_published, "adds", adds, "published", published ? published : json_null(),
                     "tombstone", (int)cell->is_gone);
}

static json_t *reject_json(const struct trace_reject *reject)
{
    json_t *out = reject_print_json(&reject->read);
    json_object_set_new(out, "void", json_boolean(reject->is_void));
    return out;
}

static void print_json(const struct explain *explain)
{
    const struct trace *trace = &explain->trace;
    json_t *records = json_array();
    json_t *entries = json_array();
    json_t *rejects = json_array();
    json_t *cells = json_array();
    for (size_t i = 0; i < trace->record_count; i++)
        json_array_append_new(records, record_json(&trace->records[i]));
    for (size_t i = 0; i < trace->entry_count; i++)
        json_array_append_new(entries, entry_json(&trace->entries[i]));
    for (size_t i = 0; i < trace->reject_count; i++)
        json_array_append_new(rejects, reject_json(&trace->rejects[i]));
    for (size_t i = 0; i < trace->cell_count; i++)
        json_array_append_new(cells, cell_json(&trace->cells[i]));
    json_t *out = json_pack("{s:o, s:o, s:o, s:o, s:o}", "declaration_id",
                            plain_text(trace->options.id.data, trace->options.id.length), "records", records, "ledger",
                            entries, "rejects", rejects, "cells", cells);
    json_dumpf(out, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(out);
}

/* ---- the order ---- */

static enum err prepare(struct explain *explain, struct err_info *info)
{
    const struct config *config = &explain->options.config;
    wire_init();
    TRY(assemble(&explain->assembly, config, false, info));
    TRY(reading_open(&explain->options, &explain->reading, info));
    TRY(reading_must_exist(explain->reading, PORT_DECLARATIONS, info));
    const struct port *port = reading_port(explain->reading);
    int32_t partitions = port->partitions(port->self, PORT_DECLARATIONS);
    if (explain->partition >= partitions)
        return err_set(info, ERR_CONFIG, "--partition %" PRId64 ": topic %s has %" PRId32 " partitions, from 0",
                       explain->partition, config->topic_declarations, partitions);
    trace_init(&explain->trace, &(struct trace_options){
                                    .port = port,
                                    .id = text_of(explain->options.arguments[0]),
                                    .partition = (int32_t)explain->partition,
                                    .plan = &explain->assembly.plan,
                                    .rules = explain->assembly.rules,
                                    .reference = explain->assembly.reference,
                                    .reporter = config->reporter,
                                    .currency = config->reporting_currency,
                                    .topic = config->topic_declarations,
                                    .batch = engine_batch_options(config, explain->assembly.rules, partitions),
                                    .patience_ms = explain->options.timeout_ms,
                                });
    return OK;
}

static enum err find(struct explain *explain, struct err_info *info)
{
    TRY(prepare(explain, info));
    TRY(trace_input(&explain->trace, info));
    TRY(trace_journals(&explain->trace, info));
    TRY(trace_rejects(&explain->trace, info));
    return trace_statistics(&explain->trace, info);
}

static int tell(const struct explain *explain)
{
    const struct trace *trace = &explain->trace;
    if (explain->json)
        print_json(explain);
    else
        print_text(explain);
    if (fflush(stdout) != 0)
        return options_say(&explain->options, ERR_FATAL, "standard output can't be written");
    if (trace->unread_records)
        fprintf(stderr,
                "dryport explain: the last %" PRId64 " offsets of the input gave no record: marks of transactions, or "
                "the broker is slow\n",
                trace->unread_records);
    if (trace->is_whole && !trace->unread_records && trace->accepted != trace->entry_count)
        fprintf(stderr,
                "dryport explain: the records make %" PRIu64 " entries of the ledger, the journals hold %zu: see "
                "`dryport verify --recount`\n",
                trace->accepted, trace->entry_count);
    return 0;
}

static int check_arguments(const struct explain *explain)
{
    const struct options *options = &explain->options;
    if (options->argument_count == 0)
        return options_say(options, ERR_CONFIG, "no declaration is named; `dryport explain ID`");
    if (options->argument_count > 1)
        return options_say(options, ERR_CONFIG, "\"%s\": one ID is taken", options->arguments[1]);
    if (strlen(options->arguments[0]) == 0 || strlen(options->arguments[0]) > DECLARATION_ID_BYTES)
        return options_say(options, ERR_CONFIG, "\"%s\": an ID has 1 to %d characters", options->arguments[0],
                           (int)DECLARATION_ID_BYTES);
    return 0;
}

static int run(int argc, char **argv)
{
    static struct explain explain;
    explain.partition = -1;
    const struct option_row rows[] = {
        {.name = "json", .kind = OPTION_FLAG, .place = &explain.json},
        {.name = "partition", .kind = OPTION_NUMBER, .place = &explain.partition, .min = 0, .max = PARTITION_MOST},
    };
    int code = options_read(&explain.options, &command_explain, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0)
        code = check_arguments(&explain);
    if (code == 0) {
        struct err_info info;
        stop_install();
        enum err err = find(&explain, &info);
        code = err == OK ? tell(&explain) : options_fail(&explain.options, err, &info);
        trace_fini(&explain.trace);
        reading_close(explain.reading);
        assemble_fini(&explain.assembly);
    }
    options_fini(&explain.options);
    return code;
}

const struct command command_explain = {
    .name = "explain",
    .summary = "tells what is known of one declaration: its records, verdicts, ledger entries, rejects and cells",
    .usage =
        "explain [OPTION]... ID\n"
        "Reads the input, the journals, topic.rejects and topic.statistics and prints what they hold of a declaration: each\n"
        "record with version, function and verdict (and what today's rules find in it: why an item is left out too), each entry of the ledger with the\n"
        "place in the journal where it was written and what it contributes, its rejects, and the cells into which the entry\n"
        "that stands falls, with what it adds and what is published there. It writes nothing and may run beside live\n"
        "processes.\n\n"
        "options:\n"
        "  --partition N      looks into this partition of input and journal only; default: all\n"
        "  --json             prints one JSON document instead\n\n"
        "settings that matter: brokers, topic.*, reference.dir, view.*, input.format",
    .run = run,
};
