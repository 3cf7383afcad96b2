/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/feed.h"

#include "base/clock.h"
#include "base/counter.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLY_BYTES = 1 << 17, DEADLINE_MS = 20000 };

/* A source of the bytes 'a', 'b' ... that are let go one by one. */
static struct counter allowed; /* how many there are */
static struct counter is_over;
static struct counter gone_count;
static struct counter has_feed;
static struct http_feed *feed;
static int64_t given; /* http thread */
static bool is_endless;

static struct http_server *server;
static struct err_info info;
static char reply[REPLY_BYTES];

static ptrdiff_t read_some(void *self, char *out, size_t most)
{
    (void)self;
    if (counter_read(&is_over))
        return -1;
    if (is_endless) {
        memset(out, 'x', most);
        return (ptrdiff_t)most;
    }
    if (given == counter_read(&allowed))
        return 0;
    *out = (char)('a' + given++);
    return 1;
}

static void is_gone(void *self, bool was_silent)
{
    (void)self;
    (void)was_silent;
    counter_add(&gone_count, 1);
}

static void open_feed(void *self, struct http_request *request, struct http_response *response)
{
    const char *last = http_request_header(request, "Last-Event-ID");
    (void)self;
    response->content_type = "text/event-stream";
    response->headers[0].name = "X-Last";
    snprintf(response->headers[0].value, HTTP_HEADER_BYTES, "%s", last ? last : "none");
    feed = http_feed(request, &(struct http_source){NULL, read_some, is_gone});
    counter_add(&has_feed, 1);
}

static void say_hello(void *self, struct http_request *request, struct http_response *response)
{
    (void)self;
    (void)request;
    buffer_add_text(&response->body, "hello");
}

static const struct http_route routes[] = {{"/feed", open_feed, NULL}, {"/hello", say_hello, NULL}};

static void setup(void)
{
    cr_assert_eq(http_start("127.0.0.1:0", routes, 2, &server, &info), OK, "%s", info.text);
}

static void teardown(void)
{
    http_stop(server);
}

TestSuite(feed, .init = setup, .fini = teardown);

static int ask(const char *request)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(server))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    return fd;
}

/* Reads until `until` was seen, or the server closes. */
static const char *read_until(int fd, const char *until)
{
    size_t length = 0;
    reply[0] = '\0';
    while (!until || !strstr(reply, until)) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        cr_assert_eq(poll(&ready, 1, DEADLINE_MS), 1, "no answer behind %s", reply);
        ssize_t got = recv(fd, reply + length, sizeof reply - length - 1, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
        reply[length] = '\0';
    }
    return reply;
}

static void wait_for(const struct counter *counter, int64_t value)
{
    for (int waited = 0; counter_read(counter) < value; waited++) {
        cr_assert_lt(waited, DEADLINE_MS);
        poll(NULL, 0, 1);
    }
}

static void let_go(int64_t count)
{
    counter_set(&allowed, count);
    http_feed_wake(feed);
}

#define GET "GET /feed HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 17\r\n\r\n"

Test(feed, bytes_come_as_they_are_there_and_the_connection_sleeps_between)
{
    int fd = ask(GET);
    wait_for(&has_feed, 1);
    read_until(fd, "\r\n\r\n");
    cr_expect_not_null(strstr(reply, "200 OK"));
    cr_expect_not_null(strstr(reply, "Transfer-Encoding: chunked"), "%s", reply);
    cr_expect_not_null(strstr(reply, "Content-Type: text/event-stream"));
    cr_expect_not_null(strstr(reply, "X-Last: 17"));

    let_go(1);
    cr_expect_not_null(strstr(read_until(fd, "a\r\n"), "1\r\na\r\n"));
    let_go(3);
    read_until(fd, "c\r\n");
    cr_expect_not_null(strstr(reply, "1\r\nb\r\n1\r\nc\r\n"), "%s", reply);
    close(fd);
}

Test(feed, wakes_and_reads_at_the_same_time_lose_nothing)
{
    int fd = ask(GET);
    wait_for(&has_feed, 1);
    read_until(fd, "\r\n\r\n");
    for (int64_t i = 1; i <= 26; i++) {
        char last[8];
        let_go(i);
        snprintf(last, sizeof last, "%c\r\n", (char)('a' + i - 1));
        cr_assert_not_null(strstr(read_until(fd, last), last));
    }
    close(fd);
}

Test(feed, the_time_for_an_answer_does_not_hold_for_it)
{
    int fd = ask(GET);
    wait_for(&has_feed, 1);
    read_until(fd, "\r\n\r\n");

    cr_expect_eq(http_expire(server, clock_steady_ns() / 1000000 + HTTP_ANSWER_MS * 10), 0);
    let_go(1);
    cr_expect_not_null(strstr(read_until(fd, "a\r\n"), "a"));
    close(fd);
}

Test(feed, an_end_ends_the_answer_and_the_connection_goes_on)
{
    int fd = ask(GET);
    wait_for(&has_feed, 1);
    read_until(fd, "\r\n\r\n");

    http_feed_end(feed);
    cr_expect_str_eq(read_until(fd, "0\r\n\r\n"), "0\r\n\r\n");
    wait_for(&gone_count, 1);
    const char next[] = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    cr_assert_eq(send(fd, next, sizeof next - 1, MSG_NOSIGNAL), (ssize_t)sizeof next - 1);
    cr_expect_not_null(strstr(read_until(fd, "hello"), "200 OK"));
    close(fd);
}

Test(feed, a_source_that_ends_ends_the_answer)
{
    int fd = ask(GET);
    wait_for(&has_feed, 1);
    read_until(fd, "\r\n\r\n");
    counter_set(&is_over, 1);
    http_feed_wake(feed);

    cr_expect_str_eq(read_until(fd, "0\r\n\r\n"), "0\r\n\r\n");
    wait_for(&gone_count, 1);
    close(fd);
}

Test(feed, who_reads_nothing_is_cut_off_and_holds_up_nobody)
{
    is_endless = true;
    int fd = ask(GET);
    wait_for(&has_feed, 1);
    int other = ask("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    cr_expect_not_null(strstr(read_until(other, NULL), "hello"));
    cr_expect_eq(counter_read(&gone_count), 0);

    http_feed_cut(feed);
    wait_for(&gone_count, 1);
    close(other);
    close(fd);
}

Test(feed, who_goes_is_noticed_with_the_next_bytes)
{
    int fd = ask(GET);
    wait_for(&has_feed, 1);
    read_until(fd, "\r\n\r\n");
    close(fd);
    for (int64_t i = 1; i < 26 && counter_read(&gone_count) == 0; i++) {
        let_go(i);
        poll(NULL, 0, 20);
    }
    cr_expect_eq(counter_read(&gone_count), 1);
}

Test(feed, head_has_no_body_and_ends)
{
    int fd = ask("HEAD /feed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    cr_expect_not_null(strstr(read_until(fd, NULL), "200 OK"));
    wait_for(&gone_count, 1);
    close(fd);
}

Test(feed, a_stop_ends_those_that_sleep_and_waits_for_none)
{
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = ask(GET);
        wait_for(&has_feed, i + 1);
        read_until(fds[i], "\r\n\r\n");
    }

    http_stop(server);
    server = NULL;
    cr_expect_eq(counter_read(&gone_count), 3);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}
