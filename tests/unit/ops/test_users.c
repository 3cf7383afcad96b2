/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/users.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char file[] = "/tmp/test_users_XXXXXX";
static struct err_info info;

static void setup(void)
{
    close(mkstemp(file));
}

static void teardown(void)
{
    unlink(file);
}

TestSuite(users, .init = setup, .fini = teardown);

static void write_file(const char *text)
{
    FILE *out = fopen(file, "w");
    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
}

static void refuses(const char *text, const char *part)
{
    write_file(text);
    cr_assert_eq(users_check(file, &info), ERR_CONFIG);
    cr_assert_not_null(strstr(info.text, part), "%s", info.text);
    cr_assert_not_null(strstr(info.text, file), "%s", info.text);
    cr_assert_null(strstr(info.text, "hunter2"), "%s", info.text);
    cr_assert_not(users_admit(file, "Basic cmVhZGVyOmh1bnRlcjI="));
}

Test(users, file_that_is_missing_empty_or_not_of_pairs_is_refused_with_its_line)
{
    refuses("", "names nobody");
    refuses("# reader:hunter2\n\n", "names nobody");
    refuses("reader:hunter2\nhunter2\n", ":2: write name:password");
    refuses("reader:hunter2\n\n:hunter2\n", ":3: write name:password");
    refuses("reader:\n", ":1: write name:password");
    unlink(file);
    cr_assert_eq(users_check(file, &info), ERR_CONFIG);
    cr_assert_not_null(strstr(info.text, "No such file"), "%s", info.text);
    cr_assert_not(users_admit(file, "Basic cmVhZGVyOmh1bnRlcjI="));
}

Test(users, overlong_line_and_file_are_refused)
{
    static char text[USERS_FILE_BYTES + 2];
    memset(text, 'a', USERS_LINE_BYTES);
    text[1] = ':';
    refuses(text, "longer than");
    memset(text, 'a', sizeof text - 1);
    refuses(text, "is larger than");
}

Test(users, right_pairs_are_admitted_and_nothing_else)
{
    write_file("# who may look\r\nreader:hunter2\r\n\nops:a:b:c\nx:yz\n");
    cr_assert_eq(users_check(file, &info), OK, "%s", info.text);

    cr_assert(users_admit(file, "Basic cmVhZGVyOmh1bnRlcjI="), "reader:hunter2");
    cr_assert(users_admit(file, "basic b3BzOmE6Yjpj"), "ops:a:b:c");
    cr_assert(users_admit(file, "Basic eDp5eg=="), "x:yz");

    static const char *const wrong[] = {"",
                                        "Basic",
                                        "Basic ",
                                        "Basic cmVhZGVyOmh1bnRlcjI",   /* cut off */
                                        "Basic cmVhZGVyOmh1bnRlcjI==", /* longer */
                                        "Basic cmVhZGVyOmh1bnRlcjE=",  /* reader:hunter1 */
                                        "Basic UmVhZGVyOmh1bnRlcjI=",  /* Reader:hunter2 */
                                        "Basic cmVhZGVyOg==",          /* reader: */
                                        "Bearer cmVhZGVyOmh1bnRlcjI="};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_not(users_admit(file, wrong[i]), "%s", wrong[i]);
    cr_assert_not(users_admit(file, NULL));
}
