/* SPDX-License-Identifier: Apache-2.0
 * fuzz_http.c - the status listener: raw bytes on its socket, what is asked of /v1/statistics, and addresses to listen on.
 *
 * Input:   first byte: 0 = the rest is an address; 4 = the parameters of a question; else in how many pieces the rest goes to the socket
 * Checks:  a question is read or refused with a reason; whatever comes back begins as an answer of HTTP and has the length that it says; a handler sees a path without a zero byte and
 *          texts that end; the listener answers a plain request after it, and gives no descriptor away; address and port that are taken
 *          apart make the address again
 */
#include "fuzz.h"

#include "base/memory.h"
#include "ops/address.h"
#include "ops/http.h"
#include "query/ask.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MOST = 1 << 16, WAIT_MS = 2 * HTTP_IDLE_SECONDS * 1000, DESCRIPTORS_MOST = 200 };

static struct http_server *server;

static void take_query(void *context, const char *name, const char *value)
{
    buffer_add_format(context, "%s=%zu\n", name, strlen(value));
}

static void echo(void *self, struct http_request *request, struct http_response *response)
{
    (void)self;
    CHECK(request->path && request->path[0] == '/' && request->accept);
    buffer_add_format(&response->body, "%s %zu\n", request->path, strlen(request->accept));
    http_each_query(request, take_query, &response->body);
    const char *view = http_query(request, "view");
    CHECK(!view || strlen(view) < HTTP_REQUEST_BYTES);
}

static void start(void)
{
    static const struct http_route routes[] = {{"/livez", echo, NULL}, {"/status", echo, NULL}, {"/", echo, NULL}};
    struct err_info info;
    CHECK_SAY(http_start("127.0.0.1:0", routes, sizeof routes / sizeof routes[0], &server, &info) == OK, "%s",
              info.text);
}

static int dial(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(server))};
    struct linger at_once = {1, 0}; /* no port stays behind a connection that was closed */
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

/* A peer that has said enough and closes is no error. */
static void put(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        data += sent;
        size -= (size_t)sent;
    }
}

/* All that comes until the other side closes. */
static size_t get(int fd, char out[static ANSWER_MOST])
{
    size_t length = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (length + 1 < ANSWER_MOST) {
        CHECK_SAY(poll(&wait, 1, WAIT_MS) == 1, "neither an answer nor an end within %d ms, after %zu bytes",
                  (int)WAIT_MS, length);
        ssize_t got = recv(fd, out + length, ANSWER_MOST - 1 - length, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    out[length] = '\0';
    return length;
}

/* Answers that stand one behind the other: each as long as it says. */
static void check_answers(const char *at, size_t length)
{
    const char *end = at + length;
    while (at < end) {
        CHECK(strncmp(at, "HTTP/1.", 7) == 0);
        int status = (int)strtol(at + 9, NULL, 10);
        CHECK(status >= 100 && status < 600 && status != 500);
        const char *body = strstr(at, "\r\n\r\n");
        CHECK(body);
        body += 4;
        const char *said = strstr(at, "Content-Length: ");
        bool has_length = said && said < body;
        size_t bytes = has_length ? (size_t)strtoul(said + 16, NULL, 10) : 0;
        if (status < 200 || body == end || strncmp(body, "HTTP/1.", 7) == 0)
            bytes = 0; /* the answer to a HEAD has the length and no body */
        CHECK(bytes <= (size_t)(end - body));
        at = body + bytes;
        if (!has_length)
            return;
    }
}

static void check_alive(void)
{
    static const char request[] = "GET /livez?a=b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    static char answer[ANSWER_MOST];
    int fd = dial();
    put(fd, (const uint8_t *)request, sizeof request - 1);
    size_t length = get(fd, answer);
    close(fd);
    CHECK_SAY(length > 12 && strncmp(answer, "HTTP/1.1 200", 12) == 0 && strstr(answer, "a=1\n"), "%s", answer);
}

static void check_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    CHECK_SAY(count < DESCRIPTORS_MOST, "%d descriptors", count);
}

static void check_address(struct bytes bytes)
{
    char address[128];
    char again[400];
    char host[256];
    char port[8];
    size_t length = bytes.length < sizeof address - 1 ? bytes.length : sizeof address - 1;
    memcpy(address, bytes.data, length);
    address[length] = '\0';
    if (!address_split(address, host, sizeof host, port, sizeof port))
        return;
    CHECK(host[0] && strtol(port, NULL, 10) >= 0 && strtol(port, NULL, 10) <= 65535);
    snprintf(again, sizeof again, strchr(host, ':') || address[0] == '[' ? "[%s]:%s" : "%s:%s", host, port);
    CHECK_SAY(strcmp(again, address) == 0, "%s is not %s", again, address);
}

/* What stands between & and =, asked of the default views. */
static void check_question(struct text rest)
{
    static struct view_plan plan;
    struct ask ask = {.count = 0};
    struct err_info info = {""};
    if (plan.count == 0)
        view_plan_default(&plan);
    while (rest.length > 0) {
        struct text value = text_cut(&rest, '&');
        struct text name = text_cut(&value, '=');
        char *texts[2] = {memory_copy_text(name.data, name.length), memory_copy_text(value.data, value.length)};
        ask_add(&ask, texts[0], texts[1]);
        memory_free(texts[0]);
        memory_free(texts[1]);
    }
    if (ask_read(&ask, &plan, &info) == OK) {
        CHECK(ask.view == &plan.views[ask.view_index] && !ask.has_more);
        ask_cells(&ask, NULL);
    } else {
        ask_tell(&info);
        CHECK(info.text[0]);
    }
    ask_fini(&ask);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char answer[ANSWER_MOST];
    static unsigned runs;
    struct choices choices = choices_of(data, size);
    uint32_t pieces = choose(&choices, 5);
    if (pieces == 4) {
        check_question((struct text){(const char *)choices.at, (uint32_t)choices_left(&choices)});
        return 0;
    }
    if (pieces == 0) {
        if (choices_left(&choices) > 0)
            check_address(choices_rest(&choices));
        return 0;
    }
    if (!server)
        start();
    int fd = dial();
    while (choices_left(&choices) > 0) {
        struct bytes piece = choose_bytes(&choices, size / pieces + 1);
        put(fd, piece.data, piece.length);
    }
    shutdown(fd, SHUT_WR);
    check_answers(answer, get(fd, answer));
    close(fd);
    if (++runs % 64 == 0) {
        check_alive();
        check_descriptors();
    }
    return 0;
}
