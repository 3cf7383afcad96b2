/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/probe.h"

#include "base/clock.h"
#include "ops/http.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_MS = 20000, SHORT_MS = 200, MUCH = 100000, NS_PER_MS = 1000000 };

static struct err_info info;
static struct probe_answer answer;

static void say_well(void *self, struct http_request *request, struct http_response *response)
{
    (void)self;
    (void)request;
    buffer_add_text(&response->body, "ok\nand more\n");
}

static void say_busy(void *self, struct http_request *request, struct http_response *response)
{
    (void)self;
    (void)request;
    response->status = 503;
    buffer_add_text(&response->body, "a partition is being restored\n");
}

static void say_much(void *self, struct http_request *request, struct http_response *response)
{
    (void)self;
    (void)request;
    memset(buffer_reserve(&response->body, MUCH), 'x', MUCH);
    response->body.length = MUCH;
}

static const struct http_route routes[] = {
    {"/livez", say_well, NULL}, {"/readyz", say_busy, NULL}, {"/much", say_much, NULL}};

static enum err ask_server(const char *host, const char *path)
{
    struct http_server *server;
    char address[64];
    cr_assert_eq(http_start("127.0.0.1:0", routes, 3, &server, &info), OK, "%s", info.text);
    snprintf(address, sizeof address, "%s:%d", host, http_port(server));
    enum err err = probe_ask(address, NULL, path, TIMEOUT_MS, &answer, &info);
    http_stop(server);
    return err;
}

/* A peer that takes one connection, says the text and, with hold, then waits for the end of the test. */
struct peer {
    int fd;
    int port;
    const char *text;
    bool hold;
    pthread_t thread;
};

static void *serve(void *self)
{
    struct peer *peer = self;
    char request[1024];
    int fd = accept(peer->fd, NULL, NULL);
    if (fd >= 0 && read(fd, request, sizeof request) > 0) {
        size_t length = strlen(peer->text);
        cr_assert_eq(write(fd, peer->text, length), (ssize_t)length);
        if (peer->hold)
            while (read(fd, request, sizeof request) > 0)
                ;
    }
    close(fd);
    return NULL;
}

static enum err ask_peer(const char *text, bool hold, int64_t timeout_ms)
{
    struct peer peer = {.fd = socket(AF_INET, SOCK_STREAM, 0), .text = text, .hold = hold};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    char address[64];
    cr_assert_eq(bind(peer.fd, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(peer.fd, 1), 0);
    cr_assert_eq(getsockname(peer.fd, (struct sockaddr *)&at, &bytes), 0);
    cr_assert_eq(pthread_create(&peer.thread, NULL, serve, &peer), 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(at.sin_port));
    enum err err = probe_ask(address, NULL, "/livez", timeout_ms, &answer, &info);
    pthread_join(peer.thread, NULL);
    close(peer.fd);
    return err;
}

Test(probe, first_line_and_status_of_the_answer)
{
    cr_assert_eq(ask_server("127.0.0.1", "/livez"), OK, "%s", info.text);
    cr_assert_eq(answer.status, 200);
    cr_assert_str_eq(answer.text, "ok");
}

Test(probe, what_is_not_well_says_why)
{
    cr_assert_eq(ask_server("127.0.0.1", "/readyz"), OK, "%s", info.text);
    cr_assert_eq(answer.status, 503);
    cr_assert_str_eq(answer.text, "a partition is being restored");
}

Test(probe, a_listener_on_all_addresses_is_asked_on_loopback)
{
    cr_assert_eq(ask_server("0.0.0.0", "/livez"), OK, "%s", info.text);
    cr_assert_eq(answer.status, 200);
}

Test(probe, long_answer_is_cut_off)
{
    cr_assert_eq(ask_server("127.0.0.1", "/much"), OK, "%s", info.text);
    cr_assert_eq(strlen(answer.text), PROBE_TEXT_BYTES - 1);
}

Test(probe, a_proxy_of_the_environment_is_not_asked)
{
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    cr_assert_eq(ask_server("127.0.0.1", "/livez"), OK, "%s", info.text);
}

Test(probe, nobody_there_is_an_error_with_the_address)
{
    cr_assert_eq(probe_ask("[::]:1", NULL, "/livez", TIMEOUT_MS, &answer, &info), ERR_PEER);
    cr_assert(strstr(info.text, "http://[::1]:1/livez"), "%s", info.text);
}

Test(probe, silence_ends_with_the_timeout)
{
    int64_t begun_ns = clock_steady_ns();
    cr_assert_eq(ask_peer("HTTP/1.1 200 OK\r\n", true, SHORT_MS), ERR_PEER);
    cr_assert_geq(clock_steady_ns() - begun_ns, (int64_t)SHORT_MS * NS_PER_MS);
    cr_assert(strstr(info.text, "imeout"), "%s", info.text);
}

Test(probe, what_is_no_http_is_an_error)
{
    cr_assert_eq(ask_peer("SSH-2.0-other\r\n", false, TIMEOUT_MS), ERR_PEER);
}

Test(probe, a_redirect_is_not_followed)
{
    cr_assert_eq(
        ask_peer("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", false, TIMEOUT_MS),
        OK, "%s", info.text);
    cr_assert_eq(answer.status, 302);
}

Test(probe, addresses_that_can_not_be_asked)
{
    cr_assert_eq(probe_ask("", NULL, "/livez", TIMEOUT_MS, &answer, &info), ERR_CONFIG);
    cr_assert_eq(probe_ask("here", NULL, "/livez", TIMEOUT_MS, &answer, &info), ERR_CONFIG);
    cr_assert_eq(probe_ask("127.0.0.1:0", NULL, "/livez", TIMEOUT_MS, &answer, &info), ERR_CONFIG);
}
