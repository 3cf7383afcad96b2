/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `body` in a child with its stderr in a pipe; returns the wait status and what it said. */
static int run_child(void (*body)(void), char *said, size_t bytes)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        body();
        _exit(0);
    }
    close(ends[1]);
    size_t got = 0;
    for (ssize_t n; got + 1 < bytes && (n = read(ends[0], said + got, bytes - 1 - got)) > 0;)
        got += (size_t)n;
    said[got] = '\0';
    close(ends[0]);
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

static void break_plain(void)
{
    int held = 2;
    CHECK(held == 3);
}

static void break_with_values(void)
{
    int held = 2;
    CHECK_SAY(held == 3, "held %d of %s", held, "three");
}

static void keep(void)
{
    int evaluated = 0;
    CHECK(++evaluated == 1);
    CHECK_SAY(evaluated == 1, "evaluated %d times", evaluated);
}

Test(check, failed_check_aborts_and_names_file_and_condition)
{
    char said[512];

    int status = run_child(break_plain, said, sizeof said);

    cr_assert(WIFSIGNALED(status));
    cr_assert_eq(WTERMSIG(status), SIGABRT);
    cr_assert_not_null(strstr(said, "test_check.c:"), "%s", said);
    cr_assert_not_null(strstr(said, "held == 3"), "%s", said);
}

Test(check, failed_check_prints_the_values)
{
    char said[512];

    int status = run_child(break_with_values, said, sizeof said);

    cr_assert(WIFSIGNALED(status));
    cr_assert_not_null(strstr(said, "held 2 of three"), "%s", said);
}

Test(check, condition_that_holds_is_evaluated_once_and_silent)
{
    char said[512];

    int status = run_child(keep, said, sizeof said);

    cr_assert(WIFEXITED(status));
    cr_assert_eq(WEXITSTATUS(status), 0);
    cr_assert_str_eq(said, "");
}
