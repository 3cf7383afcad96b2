/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <criterion/criterion.h>
#include <string.h>

static enum err pass_on(enum err err, int *reached)
{
    TRY(err);
    *reached = 1;
    return OK;
}

Test(err, text_that_is_too_long_is_cut_and_terminated)
{
    char longer[2 * ERR_TEXT_BYTES];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    struct err_info info;

    enum err err = err_set(&info, ERR_DATA, "%s", longer);

    cr_assert_eq(err, ERR_DATA);
    cr_assert_eq(strlen(info.text), ERR_TEXT_BYTES - 1);
}

Test(err, prefix_that_fills_the_text_leaves_it_terminated)
{
    char longer[2 * ERR_TEXT_BYTES];
    memset(longer, 'p', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    struct err_info info = {"old"};

    err_prefix(&info, ERR_DATA, "%s", longer);

    cr_assert_eq(strlen(info.text), ERR_TEXT_BYTES - 1);
    cr_assert_eq(info.text[0], 'p');
}

Test(err, prefix_before_a_full_text_cuts_the_text_not_the_prefix)
{
    struct err_info info;
    memset(info.text, 't', sizeof info.text - 1);
    info.text[sizeof info.text - 1] = '\0';

    err_prefix(&info, ERR_DATA, "file.csv:%d", 12);

    cr_assert_eq(strncmp(info.text, "file.csv:12: tttt", 17), 0);
    cr_assert_eq(strlen(info.text), ERR_TEXT_BYTES - 1);
}

Test(err, no_info_is_allowed)
{
    cr_assert_eq(err_set(NULL, ERR_PEER, "unused %d", 1), ERR_PEER);
    cr_assert_eq(err_prefix(NULL, ERR_PEER, "unused %d", 1), ERR_PEER);
}

Test(err, prefix_stands_before_the_text)
{
    struct err_info info;
    err_set(&info, ERR_CONFIG, "unknown key \"%s\"", "frame.intervall.ms");

    err_prefix(&info, ERR_CONFIG, "dryport.conf:%d", 12);

    cr_assert_str_eq(info.text, "dryport.conf:12: unknown key \"frame.intervall.ms\"");
}

Test(err, try_returns_the_error_and_not_further)
{
    int reached = 0;

    cr_assert_eq(pass_on(ERR_FULL, &reached), ERR_FULL);
    cr_assert_eq(reached, 0);
    cr_assert_eq(pass_on(OK, &reached), OK);
    cr_assert_eq(reached, 1);
}

Test(err, exit_codes_are_those_of_the_contract)
{
    cr_assert_eq(err_exit_code(OK), 0);
    cr_assert_eq(err_exit_code(ERR_CONFIG), 64);
    cr_assert_eq(err_exit_code(ERR_LIMIT), 64);
    cr_assert_eq(err_exit_code(ERR_DATA), 65);
    cr_assert_eq(err_exit_code(ERR_PEER), 69);
    cr_assert_eq(err_exit_code(ERR_BROKEN), 70);
    cr_assert_eq(err_exit_code(ERR_FENCED), 75);
    cr_assert_eq(err_exit_code(ERR_RETRY), 75);
    cr_assert_eq(err_exit_code(ERR_FULL), 75);
    cr_assert_neq(err_exit_code(ERR_FATAL), 0);
}

Test(err, every_error_has_a_name_of_its_own)
{
    for (int a = OK; a <= ERR_FATAL; a++) {
        cr_assert_str_neq(err_name((enum err)a), "unknown");
        for (int b = OK; b < a; b++)
            cr_assert_str_neq(err_name((enum err)a), err_name((enum err)b));
    }
    cr_assert_str_eq(err_name((enum err)99), "unknown");
    cr_assert_eq(err_exit_code((enum err)99), 70);
}
