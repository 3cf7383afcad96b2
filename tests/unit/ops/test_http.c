/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/http.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLY_BYTES = 1 << 17, DEADLINE_MS = 20000 };

static struct http_server *server;
static struct err_info info;
static char reply[REPLY_BYTES];

static void say_hello(void *self, struct http_request *request, struct http_response *response)
{
    response->content_type = "application/json";
    buffer_add_format(&response->body, "{\"self\":\"%s\",\"accept\":\"%s\"}", (const char *)self, request->accept);
}

static void say_query(void *self, struct http_request *request, struct http_response *response)
{
    (void)self;
    const char *view = http_query(request, "view");
    const char *flag = http_query(request, "flag");
    buffer_add_format(&response->body, "view=%s flag=%s", view ? view : "(none)", flag ? flag : "(none)");
}

static void say_busy(void *self, struct http_request *request, struct http_response *response)
{
    (void)self;
    (void)request;
    response->status = 503;
}

static void say_much(void *self, struct http_request *request, struct http_response *response)
{
    (void)self;
    (void)request;
    memset(buffer_reserve(&response->body, 100000), 'x', 100000);
    response->body.length = 100000;
}

static struct http_ticket *deferred; /* the last one */
static struct counter deferred_count;

static void say_later(void *self, struct http_request *request, struct http_response *response)
{
    (void)self;
    buffer_add_text(&response->body, "this is not said");
    deferred = http_defer(request);
    counter_add(&deferred_count, 1);
}

/* Waits for the handler, then answers in its place. */
static void answer_deferred(int64_t count)
{
    struct http_response response = http_response_new();
    for (int waited = 0; counter_read(&deferred_count) < count; waited++) {
        cr_assert_lt(waited, DEADLINE_MS, "nobody asked");
        poll(NULL, 0, 1);
    }
    response.status = 202;
    response.headers[0] = (struct http_header){"X-Test", "some value"};
    buffer_add_text(&response.body, "said later");
    http_answer(deferred, &response);
}

static char me[] = "me";
static const struct http_route routes[] = {{"/hello", say_hello, me},
                                           {"/query", say_query, NULL},
                                           {"/busy", say_busy, NULL},
                                           {"/much", say_much, NULL},
                                           {"/later", say_later, NULL}};

static void setup(void)
{
    cr_assert_eq(http_start("127.0.0.1:0", routes, 5, &server, &info), OK, "%s", info.text);
}

static void teardown(void)
{
    http_stop(server);
}

TestSuite(http, .init = setup, .fini = teardown);

static int dial(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Reads until the server closes or `until` was seen. */
static size_t read_until(int fd, const char *until)
{
    size_t length = 0;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        cr_assert_eq(poll(&ready, 1, DEADLINE_MS), 1, "no answer");
        ssize_t got = recv(fd, reply + length, sizeof reply - length - 1, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
        reply[length] = '\0';
        if (until && strstr(reply, until))
            break;
    }
    reply[length] = '\0';
    return length;
}

static const char *ask(const char *request)
{
    int fd = dial(http_port(server));
    size_t length = strlen(request);
    cr_assert_eq(send(fd, request, length, MSG_NOSIGNAL), (ssize_t)length);
    read_until(fd, NULL);
    close(fd);
    return reply;
}

static const char *get(const char *path)
{
    char request[512];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    return ask(request);
}

static int status(const char *text)
{
    int code = 0;
    sscanf(text, "HTTP/1.1 %d", &code);
    return code;
}

static bool has(const char *part)
{
    return strstr(reply, part) != NULL;
}

/* ---- negative ---- */

Test(http, unknown_path_is_404_and_names_those_there_are)
{
    cr_assert_eq(status(get("/nothing")), 404);
    cr_assert(has("not found; there is /hello /query /busy /much /later\n"));
    cr_assert_eq(status(get("/hello/")), 404);
    cr_assert_eq(status(get("/hell")), 404);
    cr_assert_eq(status(get("/../hello")), 404);
}

Test(http, other_methods_are_405)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char request[128];
        snprintf(request, sizeof request,
                 "%s /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", methods[i]);
        cr_assert_eq(status(ask(request)), 405, "%s: %s", methods[i], reply);
        cr_assert(has("Allow: GET, HEAD\r\n"));
    }
}

Test(http, post_with_a_body_is_405_too)
{
    cr_assert_eq(status(ask("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde")), 405);
}

Test(http, get_with_a_body_ends_the_connection)
{
    ask("GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde");
    cr_assert_not(has("200 OK"));
    cr_assert_eq(status(get("/hello")), 200);
}

Test(http, headers_over_the_cap_are_refused)
{
    static char request[HTTP_REQUEST_BYTES * 3];
    int at = snprintf(request, sizeof request, "GET /hello HTTP/1.1\r\nHost: x\r\nX-Long: ");
    memset(request + at, 'a', HTTP_REQUEST_BYTES * 2);
    snprintf(request + at + HTTP_REQUEST_BYTES * 2, 64, "\r\n\r\n");

    int code = status(ask(request));

    cr_assert(code == 431 || code == 413, "%d", code);
    cr_assert_eq(status(get("/hello")), 200);
}

Test(http, path_over_the_cap_is_refused)
{
    static char request[HTTP_REQUEST_BYTES * 3];
    memset(request, 'a', HTTP_REQUEST_BYTES * 2);
    memcpy(request, "GET /", 5);
    snprintf(request + HTTP_REQUEST_BYTES * 2, 64, " HTTP/1.1\r\nHost: x\r\n\r\n");

    int code = status(ask(request));

    cr_assert(code == 414 || code == 431, "%d", code);
}

Test(http, noise_does_no_harm)
{
    static const char noises[][16] = {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "GET\r\n\r\n", "\r\n\r\n",
                                      "GET /hel", ""};
    for (size_t i = 0; i < sizeof noises / sizeof noises[0]; i++) {
        int fd = dial(http_port(server));
        cr_assert_eq(send(fd, noises[i], sizeof noises[i], MSG_NOSIGNAL), (ssize_t)sizeof noises[i]);
        shutdown(fd, SHUT_WR);
        read_until(fd, NULL);
        cr_assert_not(has("200 OK"));
        close(fd);
    }
    cr_assert_eq(status(get("/hello")), 200);
}

Test(http, taken_port_is_an_error_with_the_mend)
{
    struct http_server *second = NULL;
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%d", http_port(server));

    cr_assert_eq(http_start(address, routes, 4, &second, &info), ERR_CONFIG);

    cr_assert_null(second);
    cr_assert_not_null(strstr(info.text, "Address already in use"), "%s", info.text);
    cr_assert_not_null(strstr(info.text, "give another port"));
}

Test(http, stop_takes_nothing)
{
    http_stop(NULL);
}

/* ---- limits of time ---- */

static int64_t after_ms(int64_t ms)
{
    return clock_steady_ns() / 1000000 + ms;
}

/* The server knows of the connections only when its thread has taken them. */
static int expire_until(int wanted, int64_t now_ms)
{
    int ended = 0;
    for (int i = 0; i < 2000 && (ended = http_expire(server, now_ms)) < wanted; i++)
        poll(NULL, 0, 5);
    return ended;
}

Test(http, half_a_request_is_ended_after_its_time_however_alive_it_is)
{
    int fd = dial(http_port(server));
    cr_assert_eq(send(fd, "GET /hello HTTP/1.1\r\nX: ", 24, MSG_NOSIGNAL), 24);

    cr_assert_eq(http_expire(server, after_ms(HTTP_REQUEST_MS - 5000)), 0, "not before its time");
    cr_assert_eq(expire_until(1, after_ms(HTTP_REQUEST_MS + 100)), 1);
    cr_assert_eq(read_until(fd, NULL), 0, "closed without an answer");
    close(fd);
    cr_assert_eq(status(get("/hello")), 200);
}

Test(http, slow_clients_do_not_keep_others_out_for_longer_than_a_request_may_take)
{
    int fds[HTTP_CONNECTIONS_OF_ONE];
    for (int i = 0; i < HTTP_CONNECTIONS_OF_ONE; i++)
        fds[i] = dial(http_port(server));
    for (int i = 0; i < HTTP_CONNECTIONS_OF_ONE; i++) {
        struct pollfd gone = {.fd = fds[i], .events = POLLIN};
        for (int tries = 0; tries < 2000 && poll(&gone, 1, 5) == 0; tries++)
            http_expire(server, after_ms(HTTP_REQUEST_MS + 100));
        cr_assert_eq(read_until(fds[i], NULL), 0);
    }

    int code = 0; /* the client sees the end before the http thread has tidied up */
    for (int tries = 0; tries < 2000 && code != 200; tries++)
        code = status(get("/hello"));
    cr_assert_eq(code, 200);
    for (int i = 0; i < HTTP_CONNECTIONS_OF_ONE; i++)
        close(fds[i]);
}

Test(http, one_address_can_not_take_all_connections)
{
    int fds[HTTP_CONNECTIONS_OF_ONE];
    for (int i = 0; i < HTTP_CONNECTIONS_OF_ONE; i++)
        fds[i] = dial(http_port(server));
    int one_more = dial(http_port(server));

    cr_assert_eq(read_until(one_more, NULL), 0, "sent away at once");
    for (int i = 0; i < HTTP_CONNECTIONS_OF_ONE; i++)
        close(fds[i]);
    close(one_more);
}

Test(http, a_request_begins_its_time_anew)
{
    int fd = dial(http_port(server));
    const char request[] = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    cr_assert_eq(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)sizeof request - 1);
    read_until(fd, "\"}");
    cr_assert_eq(http_expire(server, after_ms(HTTP_REQUEST_MS - 5000)), 0);
    cr_assert_eq(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)sizeof request - 1);
    read_until(fd, "\"}");
    cr_assert_eq(status(reply), 200);
    close(fd);
    cr_assert_eq(http_expire(NULL, 0), 0);
}

/* ---- users and TLS ---- */

static char users[] = "/tmp/test_http_XXXXXX";

static void write_users(const char *text)
{
    FILE *file = fopen(users, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void start_with_users(void)
{
    http_stop(server);
    close(mkstemp(users));
    write_users("reader:right\n");
    const struct http_options options = {.listen = "127.0.0.1:0", .users = users};
    cr_assert_eq(http_start_with(&options, routes, 4, &server, &info), OK, "%s", info.text);
}

Test(http, without_a_user_of_the_file_it_is_401_and_no_route_is_told)
{
    start_with_users();
    cr_assert_eq(status(get("/hello")), 401);
    cr_assert(has("WWW-Authenticate: Basic realm=\"dryport\""));
    cr_assert_eq(status(get("/nothing")), 401);
    cr_assert_not(has("/hello"));
    cr_assert_eq(status(get("/readyz")), 404, "open, and not among these routes");
    /* reader:wrong, reader:right */
    cr_assert_eq(
        status(ask(
            "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic cmVhZGVyOndyb25n\r\n\r\n")),
        401);
    cr_assert_eq(
        status(ask(
            "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic cmVhZGVyOnJpZ2h0\r\n\r\n")),
        200);
    write_users("reader:other\n");
    cr_assert_eq(
        status(ask(
            "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic cmVhZGVyOnJpZ2h0\r\n\r\n")),
        401);
    unlink(users);
    cr_assert_eq(
        status(ask(
            "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic cmVhZGVyOm90aGVy\r\n\r\n")),
        401);
}

static void refuses(const struct http_options *options, const char *part)
{
    struct http_server *second = NULL;
    cr_assert_eq(http_start_with(options, routes, 4, &second, &info), ERR_CONFIG);
    cr_assert_not_null(strstr(info.text, part), "%s", info.text);
    cr_assert_null(second);
}

Test(http, files_that_can_not_be_used_are_refused_by_name)
{
    refuses(&(struct http_options){.listen = "127.0.0.1:0", .certificate = "/c.pem"}, "belong together");
    refuses(&(struct http_options){.listen = "127.0.0.1:0", .certificate = "/c.pem", .key = "/k.pem"},
            "/c.pem: No such file");
    refuses(&(struct http_options){.listen = "127.0.0.1:0", .users = "/no-users"}, "http.users: can't read /no-users");
}

/* ---- what works ---- */

Test(http, handler_gets_its_self_and_the_accept_header)
{
    cr_assert_eq(status(ask("GET /hello HTTP/1.1\r\nHost: x\r\nAccept: text/x\r\nConnection: close\r\n\r\n")), 200);
    cr_assert(has("\r\nContent-Type: application/json\r\n"));
    cr_assert(has("{\"self\":\"me\",\"accept\":\"text/x\"}"));
}

Test(http, responses_are_not_stored_nor_sniffed)
{
    get("/hello");
    cr_assert(has("\r\nCache-Control: no-store\r\n"));
    cr_assert(has("\r\nX-Content-Type-Options: nosniff\r\n"));
    cr_assert(has("\r\nContent-Security-Policy: default-src 'none';"));
}

Test(http, query_is_decoded)
{
    get("/query?view=hs6%20x&flag");
    cr_assert(has("view=hs6 x flag="));
    get("/query");
    cr_assert(has("view=(none) flag=(none)"));
}

Test(http, handler_sets_the_status_and_may_leave_the_body_empty)
{
    cr_assert_eq(status(get("/busy")), 503);
    cr_assert(has("Content-Length: 0\r\n"));
}

Test(http, head_has_the_length_and_no_body)
{
    cr_assert_eq(status(ask("HEAD /much HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), 200);
    cr_assert(has("Content-Length: 100000\r\n"));
    cr_assert_str_eq(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
}

Test(http, large_body_arrives_whole)
{
    get("/much");
    cr_assert_eq(strlen(strstr(reply, "\r\n\r\n") + 4), 100000);
}

Test(http, connection_serves_several_requests)
{
    int fd = dial(http_port(server));
    for (int i = 0; i < 3; i++) {
        const char request[] = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
        cr_assert_eq(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)sizeof request - 1);
        read_until(fd, "\"}");
        cr_assert_eq(status(reply), 200);
    }
    close(fd);
}

Test(http, full_house_lets_the_next_in_when_one_leaves)
{
    int fds[HTTP_CONNECTIONS_OF_ONE];
    for (int i = 0; i < HTTP_CONNECTIONS_OF_ONE; i++)
        fds[i] = dial(http_port(server));
    for (int i = 0; i < HTTP_CONNECTIONS_OF_ONE; i++)
        close(fds[i]);

    cr_assert_eq(status(get("/hello")), 200);
}

Test(http, stopped_server_frees_its_port)
{
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%d", http_port(server));
    get("/hello");
    http_stop(server);
    server = NULL;

    cr_assert_eq(http_start(address, routes, 4, &server, &info), OK, "%s", info.text);
    cr_assert_eq(status(get("/hello")), 200);
}

Test(http, ipv6_is_listened_on)
{
    struct http_server *six = NULL;
    enum err err = http_start("[::1]:0", routes, 4, &six, &info);
    if (err != OK) {
        fprintf(stderr, "SKIP: this machine has no IPv6 loopback: %s\n", info.text);
        return;
    }
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)http_port(six)), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    const char request[] = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)sizeof request - 1);
    read_until(fd, NULL);
    close(fd);
    cr_assert_eq(status(reply), 200);
    http_stop(six);
}

/* ---- later ---- */

static int begin_later(void)
{
    static const char request[] = "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    int fd = dial(http_port(server));
    cr_assert_eq(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)(sizeof request - 1));
    return fd;
}

Test(http, a_deferred_request_is_answered_by_another_thread_and_holds_up_no_other)
{
    int fd = begin_later();
    cr_assert_eq(status(get("/hello")), 200);
    answer_deferred(1);
    read_until(fd, NULL);
    close(fd);

    cr_assert_eq(status(reply), 202);
    cr_assert(has("X-Test: some value\r\n"));
    cr_assert(has("\r\n\r\nsaid later"));
    cr_assert_not(has("this is not said"));
}

Test(http, a_client_that_did_not_wait_for_its_answer_does_no_harm)
{
    close(begin_later());
    answer_deferred(1);
    int fd = begin_later();
    answer_deferred(2);
    read_until(fd, NULL);
    close(fd);

    cr_assert(has("said later"));
}
