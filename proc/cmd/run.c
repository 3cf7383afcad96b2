/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/assemble.h"
#include "cmd/options.h"
#include "cmd/stop.h"
#include "ops/config_document.h"
#include "ops/log.h"

#include <stdio.h>

static int run(int argc, char **argv);

const struct command command_run = {
    .name = "run",
    .summary = "the processor: reads declarations, journals what they change, publishes statistics; runs until SIGTERM",
    .usage =
        "run [--print-config] [-c FILE] [-X key=value]...\n"
        "  --print-config   print the effective configuration and which rules are off and why, and exit\n"
        "SIGTERM or SIGINT: seals, publishes and leaves the group (up to 20 s); a second signal ends at once, which loses nothing.\n"
        "SIGHUP: reads the lists of reference.dir again, as it does when they change (reference.watch).\n"
        "A broker that is away is waited for; /readyz answers 503 until all is well.\n",
    .run = run,
};

static void print_rules(const struct rules *rules)
{
    printf("\n# Rules that are off, and why\n");
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        const char *why = rules_off_reason(rules, (enum rule)rule);
        if (why)
            printf("# %s: %s\n", rule_rows[rule].code, why);
    }
}

static void print_views(const struct view_plan *plan)
{
    printf("\n# Views\n");
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct view *view = &plan->views[i];
        printf("# view.%s=", view->name);
        for (uint32_t d = 0; d < view->dimension_count; d++)
            printf("%s%s", d ? "," : "", view_dimension_name(view->dimensions[d]));
        printf("@%s%s%s\n", view_grain_name(view->grain), view->leaf == i ? "" : ", derived from ",
               view->leaf == i ? "" : plan->views[view->leaf].name);
    }
}

static int serve(const struct options *options, const struct assembly *assembly)
{
    struct err_info info;
    struct engine *engine;
    struct engine_options engine_options = assemble_options_with_reload(assembly);
    enum err err = engine_new(&engine_options, &engine, &info);
    if (err != OK)
        return options_fail(options, err, &info);
    err = engine_run(engine, &info);
    engine_free(engine);
    log_flush();
    return err == OK ? 0 : options_fail(options, err, &info);
}

static int run(int argc, char **argv)
{
    bool print_config = false;
    const struct option_row rows[] = {{.name = "print-config", .kind = OPTION_FLAG, .place = &print_config}};
    struct options options;
    int code = options_read(&options, &command_run, rows, sizeof rows / sizeof rows[0], argc, argv);
    if (code == 0 && options.argument_count > 0)
        code = options_say(&options, ERR_CONFIG, "\"%s\": run takes no arguments", options.arguments[0]);
    struct assembly assembly = {0};
    struct err_info info;
    if (code == 0) {
        enum err err = assemble(&assembly, &options.config, false, &info);
        if (err != OK)
            code = options_fail(&options, err, &info);
    }
    if (code == 0 && print_config) {
        config_document_print(&options.config, stdout);
        print_views(&assembly.plan);
        print_rules(assembly.rules);
    } else if (code == 0) {
        stop_install();
        stop_hold_hangup();
        log_setup(&(struct log_options){.level = (enum log_level)options.config.log_level,
                                        .format = (enum log_format)options.config.log_format,
                                        .fd = 2});
        code = serve(&options, &assembly);
    }
    assemble_fini(&assembly);
    options_fini(&options);
    return code;
}
