/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/listening.h"

#include "ops/address.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char certificate[] = "/tmp/test_listening_c_XXXXXX";
static char key[] = "/tmp/test_listening_k_XXXXXX";
static struct err_info info;

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void setup(void)
{
    close(mkstemp(certificate));
    close(mkstemp(key));
    write_file(certificate, "-----BEGIN CERTIFICATE-----\nnot one\n-----END CERTIFICATE-----\n");
    write_file(key, "-----BEGIN PRIVATE KEY-----\nnot one\n-----END PRIVATE KEY-----\n");
}

static void teardown(void)
{
    unlink(certificate);
    unlink(key);
}

TestSuite(listening, .init = setup, .fini = teardown);

static struct listening *read_listening(void)
{
    struct listening *listening = listening_new(NULL, certificate, key);
    cr_assert_eq(listening_read(listening, &info), OK, "%s", info.text);
    return listening;
}

static int socket_that_listens(void)
{
    int fd = -1;
    cr_assert_eq(address_listen("127.0.0.1:0", &fd, &info), OK, "%s", info.text);
    return fd;
}

static void refuses(const char *one, const char *other, const char *text)
{
    struct listening *listening = listening_new(NULL, one, other);
    cr_assert_eq(listening_read(listening, &info), ERR_CONFIG);
    cr_assert_str_eq(info.text, text);
    listening_free(listening);
}

Test(listening, a_file_that_can_not_be_used_is_named_with_its_setting)
{
    char text[512];
    refuses("/no-c.pem", key, "http.tls.certificate: can't read /no-c.pem: No such file or directory");
    refuses(certificate, "/no-k.pem", "http.tls.key: can't read /no-k.pem: No such file or directory");
    write_file(key, "");
    snprintf(text, sizeof text, "http.tls.key: %s holds nothing in PEM (-----BEGIN ...)", key);
    refuses(certificate, key, text);
    write_file(certificate, "BEGIN CERTIFICATE\n");
    snprintf(text, sizeof text, "http.tls.certificate: %s holds nothing in PEM (-----BEGIN ...)", certificate);
    refuses(certificate, key, text);
}

Test(listening, another_certificate_or_another_key_is_not_the_same)
{
    struct listening *first = read_listening();
    struct listening *again = read_listening();
    write_file(key, "-----BEGIN PRIVATE KEY-----\nother\n-----END PRIVATE KEY-----\n");
    struct listening *other_key = read_listening();
    write_file(certificate, "-----BEGIN CERTIFICATE-----\nother\n-----END CERTIFICATE-----\n");
    struct listening *other_both = read_listening();

    cr_assert(listening_has_the_same(first, again));
    cr_assert_not(listening_has_the_same(first, other_key));
    cr_assert_not(listening_has_the_same(other_key, other_both));
    listening_free(first);
    listening_free(again);
    listening_free(other_key);
    listening_free(other_both);
}

static enum MHD_Result refuse(void *self, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *http_version, const char *upload, size_t *upload_bytes, void **state)
{
    (void)self;
    (void)connection;
    (void)path;
    (void)method;
    (void)http_version;
    (void)upload;
    (void)upload_bytes;
    (void)state;
    return MHD_NO;
}

static const struct listening_calls calls = {.request = refuse};

Test(listening, what_is_no_certificate_is_an_error_and_the_socket_is_closed)
{
    char text[512];
    struct listening *listening = read_listening();
    int fd = socket_that_listens();

    cr_assert_eq(listening_start(listening, &calls, fd, "here", &info), ERR_CONFIG);

    snprintf(text, sizeof text, "http.tls.certificate %s and http.tls.key %s can't be used: ", certificate, key);
    cr_assert_eq(strncmp(info.text, text, strlen(text)), 0, "%s", info.text);
    cr_assert_gt(strlen(info.text), strlen(text), "the library's reason follows");
    cr_assert_eq(fcntl(fd, F_GETFD), -1);
    listening_free(listening);
    listening_free(NULL);
}

Test(listening, without_a_certificate_it_listens_in_clear_until_it_is_freed)
{
    struct listening *listening = listening_new(NULL, NULL, NULL);
    int fd = socket_that_listens();

    cr_assert_eq(listening_read(listening, &info), OK, "there is nothing to read");
    cr_assert_null(listening->certificate);
    cr_assert_eq(listening_start(listening, &calls, fd, "here", &info), OK, "%s", info.text);
    cr_assert_gt(address_port(fd), 0);
    listening_free(listening);
    cr_assert_eq(fcntl(fd, F_GETFD), -1, "the daemon closed it");
}
