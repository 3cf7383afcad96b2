/* SPDX-License-Identifier: Apache-2.0
 * cmd.h - the commands of the program: one file each, listed in commands.c.
 *
 * Errors:  a command prints `dryport NAME: what is wrong and the mend` to stderr and returns the exit code of
 * contract.md section 1
 * Thread:  main
 */
#pragma once

struct command {
    const char *name;
    const char *summary; /* one line of `dryport --help` */
    const char *usage;   /* what `dryport NAME --help` prints, but for the options that every command has */
    int (*run)(int argc, char **argv);
};

/* In the order of --help, ended by NULL. */
extern const struct command *const commands[];

extern const struct command command_run;
extern const struct command command_demo;
extern const struct command command_check;
extern const struct command command_generate;
extern const struct command command_load;
extern const struct command command_tail;
extern const struct command command_top;
extern const struct command command_report;
extern const struct command command_explain;
extern const struct command command_verify;
extern const struct command command_rejects;
extern const struct command command_skip;
extern const struct command command_health;

/* Finds the command of argv[1] and runs it; knows --help and --version. Returns the exit code. */
int commands_run(int argc, char **argv);
