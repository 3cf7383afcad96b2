/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/nearest.h"
#include "cmd/options.h"

#include <stdio.h>

const struct command *const commands[] = {
    &command_run,      &command_demo,
    &command_generate, &command_load,
    &command_check,    &command_tail,
    &command_top,      &command_report,
    &command_explain,  &command_verify,
    &command_rejects,  &command_skip,
    &command_health,   NULL,
};

static void print_help(void)
{
    printf("usage: dryport COMMAND [OPTION]... [ARGUMENT]...\n"
           "Reads customs declarations from Kafka, judges them, adds them up and publishes trade "
           "statistics.\n\ncommands:\n");
    for (const struct command *const *command = commands; *command; command++)
        printf("  %-10s %s\n", (*command)->name, (*command)->summary);
    printf("\n`dryport COMMAND --help` tells the options of a command, `dryport --version` the version.\n"
           "exit codes: 0 clean, 64 usage or configuration, 65 bad input data, 69 broker unreachable or refusing,\n"
           "            70 a broken invariant, 71 the system failed, 75 fenced or passing trouble: try again\n");
}

static int unknown(const char *name)
{
    struct nearest nearest = nearest_to(text_of(name));
    for (const struct command *const *command = commands; *command; command++)
        nearest_try(&nearest, text_of((*command)->name));
    char hint[NEAREST_TEXT_BYTES];
    fprintf(stderr, "dryport: unknown command \"%s\"%s\n", name, nearest_hint(&nearest, hint));
    fprintf(stderr, "dryport: `dryport --help` lists the commands\n");
    return err_exit_code(ERR_CONFIG);
}

int commands_run(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "dryport: a command is missing; `dryport --help` lists them\n");
        return err_exit_code(ERR_CONFIG);
    }
    struct text name = text_of(argv[1]);
    if (text_is(name, "--help") || text_is(name, "-h") || text_is(name, "help")) {
        print_help();
        return 0;
    }
    if (text_is(name, "--version")) {
        printf("dryport %s\n", DRYPORT_VERSION);
        return 0;
    }
    for (const struct command *const *command = commands; *command; command++) {
        if (!text_is(name, (*command)->name))
            continue;
        for (int i = 2; i < argc && !text_is(text_of(argv[i]), "--"); i++) {
            if (text_is(text_of(argv[i]), "--help") || text_is(text_of(argv[i]), "-h")) {
                options_print_help(*command);
                return 0;
            }
        }
        return (*command)->run(argc - 1, argv + 1);
    }
    return unknown(argv[1]);
}
