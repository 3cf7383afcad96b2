/* SPDX-License-Identifier: Apache-2.0
 * options.h - the command line of a command: its own options, those that every command has, and the configuration they
 * lead to.
 *
 * Common:  -X key=value · -c FILE · --timeout SECONDS (30) · --help
 * Memory:  struct options owns its configuration; texts borrow from argv
 * Errors:  printed to stderr as `dryport COMMAND: text`
 * Thread:  main
 */
#pragma once

#include "cmd/cmd.h"
#include "ops/config.h"

#include <stdint.h>

enum { OPTIONS_OVERRIDES_MOST = 256, OPTIONS_TIMEOUT_MS = 30000 };

enum option_kind {
    OPTION_FLAG,    /* bool: no value */
    OPTION_TEXT,    /* const char * */
    OPTION_NUMBER,  /* int64_t: a whole number, min..max */
    OPTION_SECONDS, /* int64_t: decimal seconds, kept as ms, min..max ms */
    OPTION_SHARE,   /* int64_t: 0.04 or 4%, kept in millionths */
};

struct option_row {
    const char *name; /* without -- */
    enum option_kind kind;
    void *place;
    int64_t min;
    int64_t max;
};

struct options {
    const struct command *command;
    struct config config;
    int64_t timeout_ms;
    char **arguments; /* what is no option */
    int argument_count;
};

/* Reads argv and the configuration. Returns the exit code: 0, or 64 with the error printed. options_fini in either
 * case. */
int options_read(struct options *options, const struct command *command, const struct option_row *rows, size_t count,
                 int argc, char **argv);
void options_fini(struct options *options);

/* Usage of a command, and the options that every command has. */
void options_print_help(const struct command *command);

/* Prints `dryport COMMAND: text` and returns the exit code of err. */
int options_fail(const struct options *options, enum err err, const struct err_info *info);

/* The same with a text of its own. */
int options_say(const struct options *options, enum err err, const char *format, ...) PRINTF_LIKE(3, 4);
