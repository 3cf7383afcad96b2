/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/chart.h"
#include "cmd/cmd.h"
#include "cmd/report_declarations.h"
#include "cmd/report_read.h"
#include "cmd/sentence.h"
#include "cmd/setup.h"
#include "cmd/stop.h"
#include "query/report_data.h"
#include "query/report_table.h"

#include <inttypes.h>
#include <stdio.h>

enum { TOP_MOST = 1000000, CHART_BARS = 12 };

struct report {
    struct options options;
    struct reference *reference;
    struct records *records;
    struct presentation presentation;
    uint64_t undecodable;
    struct standing_sums standing; /* of --from declarations */
    /* options */
    const char *from;
    bool is_outside;
    const char *view;
    const char *period;
    const char *format;
    const char *composition;
    const char *chart;
    struct summary_request request;
    struct presentation_options shown;
};

static const struct {
    const char *name;
    const char *show; /* where --show is not given */
    void (*print)(const struct summary *, const struct presentation *, FILE *);
} formats[] = {
    {"text", "value,net,declarations,items", report_table_print},
    {"sentence", "net,value", sentence_print},
    {"csv", "value", report_data_print_csv},
    {"json", "value", report_data_print_json},
};

enum { FORMATS = sizeof formats / sizeof formats[0] };

/* FORMATS if there is none of that name. */
static size_t find_format(const char *name)
{
    size_t i = 0;
    while (name && i < FORMATS && strcmp(name, formats[i].name) != 0)
        i++;
    return i;
}

/* ---- options ---- */

static int check_period(struct report *report)
{
    struct window date;
    if (!report->period)
        return options_say(&report->options, ERR_CONFIG,
                           "--period is missing: --period 2025, 2025-Q2, 2025-07 or 2025-01-01..2025-06-10");
    if (!window_read(text_of(report->period), &report->request.window))
        return options_say(
            &report->options, ERR_CONFIG,
            "--period \"%s\": write a year, a quarter, a month or a day (2025, 2025-Q2, 2025-07, 2025-07-03), "
            "or two of them with .. between",
            report->period);
    if (!report->composition)
        return 0;
    if (!window_read(text_of(report->composition), &date) || date.from != date.to)
        return options_say(&report->options, ERR_CONFIG, "--composition \"%s\": write a day, like 2024-07-04",
                           report->composition);
    report->request.composition_date = date.to;
    return 0;
}

static bool is_from_declarations(const struct report *report)
{
    return report->from && strcmp(report->from, "declarations") == 0;
}

/* Whether a list of names, or of conditions on names, has one that is private; *out is it. */
static bool has_private(const char *list, struct text *out)
{
    struct text rest = text_of(list);
    while (rest.length > 0) {
        struct text name = text_trim(text_cut(&rest, ','));
        *out = text_trim(text_cut(&name, '='));
        if (report_declarations_is_private(*out))
            return true;
    }
    return false;
}

/* Which records, of which view. */
static int check_source(struct report *report)
{
    const struct options *options = &report->options;
    struct text name;
    if (report->from && !is_from_declarations(report) && strcmp(report->from, "statistics") != 0)
        return options_say(options, ERR_CONFIG, "--from \"%s\": there are statistics and declarations", report->from);
    if (!is_from_declarations(report)) {
        if (!report->view)
            return options_say(options, ERR_CONFIG,
                               "--view is missing: --view flow, or another of the configured views");
        if (report->is_outside)
            return options_say(options, ERR_CONFIG, "--outside goes with --from declarations");
        return 0;
    }
    if (report->view)
        return options_say(options, ERR_CONFIG, "--view %s: --from declarations has no views", report->view);
    report->view = REPORT_DECLARATIONS_VIEW;
    if (!report->request.by)
        report->request.by = "";
    if (has_private(report->request.by, &name))
        return options_say(options, ERR_CONFIG, "--by %.*s: such values are counted (--count %.*s), never listed",
                           TEXT_ARGS(name), TEXT_ARGS(name));
    return 0;
}

/* 0, or the exit code with the error printed. */
static int check_options(struct report *report)
{
    const struct options *options = &report->options;
    struct err_info info;
    if (options->argument_count > 0)
        return options_say(options, ERR_CONFIG, "\"%s\": no argument is taken", options->arguments[0]);
    int code = check_source(report);
    if (code == 0)
        code = check_period(report);
    if (code != 0)
        return code;
    if (find_format(report->format) == FORMATS)
        return options_say(options, ERR_CONFIG, "--format \"%s\": there are text, sentence, csv and json",
                           report->format);
    /* A sentence is about the whole selection unless it is broken down. */
    if (!report->request.by && find_format(report->format) == find_format("sentence"))
        report->request.by = "";
    report->shown.show_default = formats[find_format(report->format)].show;
    enum err err = presentation_read(&report->shown, &report->presentation, &info);
    return err == OK ? 0 : options_fail(options, err, &info);
}

/* ---- printing ---- */

/* Only what is written for people needs to know how many minor units a currency has. */
static enum err find_decimals(struct report *report, struct err_info *info)
{
    const char *currency = records_currency(report->records);
    bool is_data = find_format(report->format) >= find_format("csv");
    if (report->presentation.rate_e8 == 0)
        report->presentation.currency = currency;
    if (currency[0] == '\0' ||
        reference_currency_minor(report->reference, text_of(currency), &report->presentation.decimals) ||
        (is_data && report->presentation.rate_e8 == 0 && !report->chart))
        return OK;
    return err_set(
        info, ERR_CONFIG,
        "currencies.csv of reference.dir does not say how many decimals %s has; add it, or take --format csv",
        currency);
}

/* By months where the report is not broken down: a series says more than one bar. */
static enum err draw(struct report *report, struct err_info *info)
{
    struct summary_request request = report->request;
    struct summary *summary = NULL;
    if (!request.by || request.by[0] == '\0')
        request.by = "month";
    if (request.top == 0)
        request.top = strcmp(request.by, "month") == 0 ? 0 : CHART_BARS;
    TRY(summary_make(report->records, &request, &summary, info));
    enum err err = chart_write(summary, &report->presentation, report->chart, info);
    summary_free(summary);
    return err;
}

/* What a reader must know of a report on declarations. What is missing is told on stderr where stdout is data. */
static void print_source(const struct report *report, bool is_data)
{
    const struct standing_sums *sums = &report->standing;
    struct text name;
    if (!is_data) {
        printf("source: %" PRIu64 " declarations of these times that stand, as declared; no statistics\n", sums->given);
        if (report->is_outside)
            puts("outside: items that the rules of STA leave out (transit, temporary admission ...): this is no trade");
        if (has_private(report->request.where, &name))
            puts("confidential: about a single person, firm or vehicle; not for publication");
    }
    FILE *out = is_data ? stderr : stdout;
    if (sums->gone)
        fprintf(out, "missing: %" PRIu64 " declarations that stand are in the topic no more\n", sums->gone);
    if (sums->expired)
        fprintf(out, "missing: of %" PRIu64 " records the id has expired (ledger.horizon.days)\n", sums->expired);
}

static enum err print(struct report *report, struct err_info *info)
{
    struct summary *summary = NULL;
    report->request.reference = report->reference;
    TRY(find_decimals(report, info));
    TRY(summary_make(report->records, &report->request, &summary, info));
    formats[find_format(report->format)].print(summary, &report->presentation, stdout);
    summary_free(summary);
    if (is_from_declarations(report))
        print_source(report, find_format(report->format) >= find_format("csv"));
    return report->chart ? draw(report, info) : OK;
}

/* Container ids are many: they become records where they are asked for only. */
static bool asks_for_containers(const struct report *report)
{
    const struct summary_request *request = &report->request;
    return (request->count && strcmp(request->count, "container") == 0) ||
           (request->where && strstr(request->where, "container="));
}

static enum err read_declarations(struct report *report, struct err_info *info)
{
    struct report_declarations wanted = {
        .windows = {report->request.window, window_year_before(report->request.window)},
        .is_outside = report->is_outside,
        .has_containers = asks_for_containers(report),
    };
    TRY(report_declarations_read(&report->options, &wanted, report->records, &report->standing, info));
    if (records_count(report->records) > 0)
        return OK;
    return err_set(info, ERR_CONFIG, "topic %s has no declaration of that period that stands%s",
                   report->options.config.topic_declarations,
                   report->is_outside ? " and has items outside the statistics" : "");
}

static int make_report(struct report *report)
{
    struct err_info info;
    enum err err = setup_reference(&report->options.config, &report->reference, &info);
    if (err == OK)
        err = is_from_declarations(report)
                  ? read_declarations(report, &info)
                  : report_read(&report->options, report->records, &report->undecodable, &info);
    if (err == OK && !stop_requested())
        err = print(report, &info);
    if (err != OK)
        return options_fail(&report->options, err, &info);
    if (report->undecodable == 0)
        return 0;
    return options_say(&report->options, ERR_DATA, "%llu records of %s are no statistics and were left out",
                       (unsigned long long)report->undecodable, report->options.config.topic_statistics);
}

static int run(int argc, char **argv)
{
    static struct report report;
    const struct option_row rows[] = {
        {.name = "from", .kind = OPTION_TEXT, .place = &report.from},
        {.name = "outside", .kind = OPTION_FLAG, .place = &report.is_outside},
        {.name = "view", .kind = OPTION_TEXT, .place = &report.view},
        {.name = "by", .kind = OPTION_TEXT, .place = &report.request.by},
        {.name = "where", .kind = OPTION_TEXT, .place = &report.request.where},
        {.name = "period", .kind = OPTION_TEXT, .place = &report.period},
        {.name = "show", .kind = OPTION_TEXT, .place = &report.shown.show},
        {.name = "sort", .kind = OPTION_TEXT, .place = &report.request.sort},
        {.name = "top", .kind = OPTION_NUMBER, .place = &report.request.top, .min = 1, .max = TOP_MOST},
        {.name = "count", .kind = OPTION_TEXT, .place = &report.request.count},
        {.name = "share", .kind = OPTION_TEXT, .place = &report.request.share},
        {.name = "composition", .kind = OPTION_TEXT, .place = &report.composition},
        {.name = "mass-unit", .kind = OPTION_TEXT, .place = &report.shown.mass_unit},
        {.name = "value-scale", .kind = OPTION_TEXT, .place = &report.shown.value_scale},
        {.name = "currency", .kind = OPTION_TEXT, .place = &report.shown.currency},
        {.name = "rate", .kind = OPTION_TEXT, .place = &report.shown.rate},
        {.name = "format", .kind = OPTION_TEXT, .place = &report.format},
        {.name = "chart", .kind = OPTION_TEXT, .place = &report.chart},
    };
    int code = options_read(&report.options, &command_report, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0)
        code = check_options(&report);
    if (code == 0) {
        stop_install();
        report.records = records_new(report.view);
        code = make_report(&report);
        records_free(report.records);
        reference_free(report.reference);
    }
    options_fini(&report.options);
    return code;
}

const struct command command_report = {
    .name = "report",
    .summary = "prints statistics as people read them",
    .usage =
        "report --view NAME --period PERIOD [OPTION]...\n"
        "report --from declarations --period PERIOD [OPTION]...\n"
        "Reads topic.statistics to its end and sums a view's records over a period, beside the same period a year before.\n"
        "The sums are of the DAY records where the view has them, else of the MONTH records. Figures are rounded once.\n"
        "With --from declarations it reads the input and the journals instead: the declarations that stand, for what is in\n"
        "no statistic. Names are then flow, office, border_office, zone, mode, trade_mode, partner, partner_consignment,\n"
        "region, hs10, crossing (day), and trader, declarant, vehicle, declaration, container, which are counted and never\n"
        "listed.\n\n"
        "options:\n"
        "  --from SOURCE      statistics (default) or declarations\n"
        "  --outside          with --from declarations: the items that are outside the statistics, such as transit\n"
        "  --view NAME        flow, office, partner, commodity ... or a view of your own\n"
        "  --period PERIOD    2025, 2025-Q2, 2025-07, 2025-07-03, or two of them: 2025-01-01..2025-06-10\n"
        "  --by NAME,NAME     what to break down by: dimensions of the view, fewer digits of the commodity (hs2),\n"
        "                     trade_class, partner_group, period, month, quarter, year; default: all dimensions of the\n"
        "                     view (in sentences none); --by '' gives the total alone\n"
        "  --where CONDITIONS flow=M+X,partner=KZ,hs2=01-24,partner_group=SCO_MEMBER,trade_class=ECOMMERCE: several values\n"
        "                     with +, ranges of commodities with -; flow=T adds all flows\n"
        "  --show NAME,NAME   value, customs, net, gross, quantity, declarations, items, packages, share, count, growth\n"
        "                     (mean of the years); default in tables value,net,declarations,items, in sentences net,value\n"
        "  --sort NAME        one of those, or name; default: value, or the time where it is first in --by\n"
        "  --top N            the first N alone; the others are added up in one line\n"
        "  --count NAME       how many different values: --count partner\n"
        "  --share NAME       shares of the same selection with every value of NAME: --where partner=CN --share partner\n"
        "  --composition DAY  countries that groups had on that day; default: on the last day of the period\n"
        "  --mass-unit UNIT   in sentences: kg, t, 10kt, Mt or auto\n"
        "  --value-scale S    in sentences: units, thousand, M, bn, tn or auto\n"
        "  --currency CUR --rate R\n"
        "                     shows values in CUR at R units of the statistics' currency for one: a conversion for\n"
        "                     presentation, which is said in the output\n"
        "  --format FORMAT    text (default), sentence, csv or json; the latter with the fields of customs.v1.Statistic\n"
        "  --chart FILE.svg   besides, a chart: a series with the year before beside it where the first of --by is a time or\n"
        "                     nothing is broken down (by months), else a ranking\n\n"
        "`declarations` is \"-\" where the sum would count a declaration twice (over commodities or partners).\n\n"
        "settings that matter: brokers, topic.statistics, reference.dir, kafka.*; with --from declarations topic.declarations,\n"
        "topic.journal, input.format, view.* as well",
    .run = run,
};
