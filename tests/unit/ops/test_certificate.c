/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/certificate.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/dryport-certificate-XXXXXX";

static void setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void teardown(void)
{
    cr_assert_eq(system("rm -f a.pem b.pem both.pem key.pem text.pem"), 0);
    cr_assert_eq(rmdir(folder), 0);
}

TestSuite(certificate, .init = setup, .fini = teardown);

static void make(const char *file, int days)
{
    char line[256];
    snprintf(
        line, sizeof line,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out %s -days %d "
        "-subj /CN=test 2>/dev/null",
        file, days);
    cr_assert_eq(system(line), 0);
}

static void assert_days(const char *file, int days)
{
    int64_t left = certificate_expiry(file) - (int64_t)time(NULL);
    cr_assert_lt(llabs(left - (int64_t)days * 86400), 120, "%s expires in %lld s", file, (long long)left);
}

Test(certificate, says_when_it_expires)
{
    make("a.pem", 20);

    assert_days("a.pem", 20);
}

Test(certificate, the_first_of_a_file_to_expire_counts)
{
    make("a.pem", 400);
    make("b.pem", 6);
    cr_assert_eq(system("cat a.pem b.pem a.pem > both.pem"), 0);

    assert_days("both.pem", 6);
}

Test(certificate, a_file_without_one_says_nothing)
{
    make("a.pem", 20);
    cr_assert_eq(system("echo 'not a certificate' > text.pem"), 0);

    cr_assert_eq(certificate_expiry("key.pem"), INT64_MAX);
    cr_assert_eq(certificate_expiry("text.pem"), INT64_MAX);
    cr_assert_eq(certificate_expiry("nowhere.pem"), INT64_MAX);
}
