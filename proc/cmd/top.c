/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/follow.h"
#include "cmd/options.h"
#include "cmd/ranking.h"
#include "cmd/screen.h"
#include "cmd/setup.h"
#include "cmd/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MS_NS = 1000000,
    OTHER_LINES = 5, /* beside the groups: status, names of columns, the others, the total, one note */
};

struct top {
    struct options options;
    struct reference *reference;
    struct ranking_options chosen;
    struct ranking *ranking;
    struct follow *follow;
    struct screen *screen;
    char *table; /* as it was made last, NULL: not yet */
    /* options */
    const char *period;
    int64_t every_ms;
    int64_t idle_ms;
    /* sums */
    uint64_t records;
    uint64_t undecodable;
    uint64_t records_drawn;
    int64_t drawn_ns;
    bool is_changed; /* since the table was made */
};

static void take(void *context, const struct port_record *record)
{
    struct top *top = context;
    top->records++;
    top->is_changed = true;
    if (!ranking_take(top->ranking, record))
        top->undecodable++;
}

/* What has come so far, while no table can be made of it. */
static enum err print_table(struct top *top, FILE *out, struct err_info *info)
{
    int64_t rows = screen_lines(top->screen) - OTHER_LINES;
    if (!follow_is_read(top->follow)) {
        fprintf(out, "\nreading topic %s on %s ...\n", follow_topic(top->follow), follow_brokers(top->follow));
        return OK;
    }
    enum err err = ranking_print(top->ranking, rows > 0 ? rows : 1, out, info);
    if (err == ERR_RETRY)
        fprintf(out, "\n%s\n", info->text);
    return err == ERR_RETRY ? OK : err;
}

static enum err make_table(struct top *top, struct err_info *info)
{
    size_t length = 0;
    free(top->table); /* banned-ok: open_memstream made it with malloc */
    top->table = NULL;
    FILE *out = open_memstream(&top->table, &length);
    if (!out)
        return err_set(info, ERR_FATAL, "no memory for the table");
    enum err err = print_table(top, out, info);
    fclose(out);
    top->is_changed = !follow_is_read(top->follow);
    return err;
}

static enum err draw(struct top *top, struct err_info *info)
{
    char *text = NULL;
    size_t length = 0;
    int64_t now_ns = clock_steady_ns();
    double seconds = (double)(now_ns - top->drawn_ns) / 1e9;
    if (top->is_changed || !top->table)
        TRY(make_table(top, info));
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return err_set(info, ERR_FATAL, "no memory for the table");
    fputs("dryport top: ", out);
    ranking_print_head(top->ranking, out);
    fprintf(out, "; %" PRIu64 " records read, %.0f/s", top->records,
            seconds > 0 ? (double)(top->records - top->records_drawn) / seconds : 0);
    if (top->undecodable)
        fprintf(out, ", %" PRIu64 " no statistics", top->undecodable);
    fprintf(out, "; q ends, s sorts otherwise\n%s", top->table);
    fclose(out);
    screen_draw(top->screen, text);
    free(text); /* banned-ok: open_memstream made it with malloc */
    top->records_drawn = top->records;
    top->drawn_ns = now_ns;
    return OK;
}

/* False: the user wants to end. */
static bool obey(struct top *top, bool *out_redraw)
{
    enum screen_key key;
    while ((key = screen_key(top->screen)) != SCREEN_NO_KEY) {
        if (key == SCREEN_QUIT)
            return false;
        if (key == SCREEN_SORT)
            ranking_sort_next(top->ranking);
        top->is_changed = true; /* another order, or another number of rows */
        *out_redraw = true;
    }
    return true;
}

static enum err show(struct top *top, struct err_info *info)
{
    int64_t last_ns = clock_steady_ns();
    TRY(draw(top, info));
    while (!stop_requested()) {
        bool some;
        TRY(follow_take(top->follow, take, top, &some, info));
        int64_t now_ns = clock_steady_ns();
        bool redraw = now_ns - top->drawn_ns >= top->every_ms * MS_NS;
        if (!obey(top, &redraw))
            return OK;
        if (redraw)
            TRY(draw(top, info));
        if (some || !follow_is_read(top->follow))
            last_ns = now_ns;
        if (some)
            continue;
        if (top->idle_ms > 0 && now_ns - last_ns >= top->idle_ms * MS_NS)
            return OK;
        follow_wait(top->follow);
    }
    return OK;
}

static enum err prepare(struct top *top, struct err_info *info)
{
    TRY(screen_check(info));
    TRY(setup_reference(&top->options.config, &top->reference, info));
    top->chosen.reference = top->reference;
    TRY(ranking_new(&top->chosen, &top->ranking, info));
    TRY(follow_open(&top->options, true, &top->follow, info));
    return screen_open(&top->screen, info);
}

static void finish(struct top *top)
{
    follow_close(top->follow);
    ranking_free(top->ranking);
    reference_free(top->reference);
    free(top->table); /* banned-ok: open_memstream made it with malloc */
}

static int run_showing(struct top *top)
{
    struct err_info info;
    enum err err = prepare(top, &info);
    if (err == OK)
        err = show(top, &info);
    screen_close(top->screen); /* before anything is said */
    if (err != OK)
        return options_fail(&top->options, err, &info);
    if (top->undecodable == 0)
        return 0;
    return options_say(&top->options, ERR_DATA, "%" PRIu64 " records of %s are no statistics and were left out",
                       top->undecodable, follow_topic(top->follow));
}

static int check_options(struct top *top)
{
    const struct options *options = &top->options;
    if (options->argument_count > 0)
        return options_say(options, ERR_CONFIG, "\"%s\": no argument is taken", options->arguments[0]);
    if (top->period && !window_read(text_of(top->period), &top->chosen.window))
        return options_say(options, ERR_CONFIG,
                           "--period \"%s\": write a year, a quarter, a month or a day (2025, 2025-Q2, 2025-07, "
                           "2025-07-03), or two of them with .. between",
                           top->period);
    return 0;
}

static int run(int argc, char **argv)
{
    static struct top top = {.every_ms = 1000, .chosen = {.view = "heading"}};
    const struct option_row rows[] = {
        {.name = "view", .kind = OPTION_TEXT, .place = &top.chosen.view},
        {.name = "period", .kind = OPTION_TEXT, .place = &top.period},
        {.name = "by", .kind = OPTION_TEXT, .place = &top.chosen.by},
        {.name = "where", .kind = OPTION_TEXT, .place = &top.chosen.where},
        {.name = "show", .kind = OPTION_TEXT, .place = &top.chosen.show},
        {.name = "sort", .kind = OPTION_TEXT, .place = &top.chosen.sort},
        {.name = "every", .kind = OPTION_SECONDS, .place = &top.every_ms, .min = 100, .max = 3600000},
        {.name = "until-idle", .kind = OPTION_SECONDS, .place = &top.idle_ms, .min = 1, .max = 86400000},
    };
    int code = options_read(&top.options, &command_top, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0)
        code = check_options(&top);
    if (code == 0) {
        stop_install();
        code = run_showing(&top);
        finish(&top);
    }
    options_fini(&top.options);
    return code;
}

const struct command command_top = {
    .name = "top",
    .summary = "shows statistics as a table on the terminal, the largest first, as they change",
    .usage =
        "top [OPTION]...\n"
        "Reads topic.statistics and shows a view's largest groups as `dryport report` prints them, again and again while records\n"
        "come. Rows that have changed are bold. The first keys that fit are shown, the others are added up in one line.\n"
        "Keys: q or Ctrl-C ends, s sorts by the next of the figures shown. It needs a terminal; for a file there are tail and\n"
        "report.\n\n"
        "options:\n"
        "  --view NAME        flow, office, partner ... or a view of your own (heading)\n"
        "  --period PERIOD    2025, 2025-Q2, 2025-07, 2025-07-03, or two of them: 2025-01-01..2025-06-10; default: from\n"
        "                     January to the newest month that has records\n"
        "  --by NAME,NAME     what to break down by, as for report; default: all dimensions of the view\n"
        "  --where CONDITIONS flow=M+X,partner=KZ,hs2=01-24, as for report\n"
        "  --show NAME,NAME   value, customs, net, gross, quantity, declarations, items, packages, share\n"
        "  --sort NAME        one of those, or name; default: value, or the time where it is first in --by\n"
        "  --every S          seconds between two tables (1)\n"
        "  --until-idle S     ends when nothing has come for S seconds\n\n"
        "settings that matter: brokers, topic.statistics, reference.dir, kafka.*",
    .run = run,
};
