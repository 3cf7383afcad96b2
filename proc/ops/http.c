/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/http.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "ops/address.h"
#include "ops/feed.h"
#include "ops/listening.h"
#include "ops/users.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    GUESTS_MOST = 2 * HTTP_CONNECTIONS, /* of the listening that is and of the one that was */
    FAREWELL_MS = 1000, /* how long a connection with the former certificate may wait for its next request */
};

/* A connection, and what it does since when. */
struct guest {
    struct listening *listening;
    int fd; /* -1: a free place */
    bool is_answered;
    int64_t since_ms;
    struct http_feed *feed; /* of an answer without an end; NULL: none */
};

struct http_server {
    /* const after start */
    const struct http_route *routes;
    size_t count;
    int port;
    const char *users;      /* NULL: everybody */
    char *certificate_path; /* NULL: no TLS */
    char *key_path;
    /* owned by main */
    struct listening *listening;
    struct listening *former; /* has guests still, and takes no more; NULL: none */
    /* guarded by lock; nothing else is locked while it is held but a feed's */
    pthread_mutex_t lock;
    struct guest guests[GUESTS_MOST];
    bool is_stopping;
};

/* ---- guests: how long each takes ----
 *
 * libmicrohttpd's own time-out begins anew with every byte, so that a client that sends one now and then holds its connection for ever. It
 * tells of an end before it closes the socket: as long as a place is taken, its descriptor is that connection's. */

static int64_t steady_ms(void)
{
    return clock_steady_ns() / 1000000;
}

static void note(struct guest *guest, bool is_answered)
{
    if (!guest)
        return;
    struct http_server *server = guest->listening->owner;
    pthread_mutex_lock(&server->lock);
    guest->is_answered = is_answered;
    guest->since_ms = steady_ms();
    pthread_mutex_unlock(&server->lock);
}

static struct guest *guest_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_connection(void *self, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct listening *listening = self;
    struct http_server *server = listening->owner;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    pthread_mutex_lock(&server->lock);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            ((struct guest *)*context)->fd = -1;
        *context = NULL;
    } else {
        for (int i = 0; i < GUESTS_MOST && info && !*context; i++) {
            if (server->guests[i].fd < 0) {
                server->guests[i] = (struct guest){listening, (int)info->connect_fd, false, steady_ms(), NULL};
                *context = &server->guests[i];
            }
        }
    }
    pthread_mutex_unlock(&server->lock);
}

static int64_t patience_ms(const struct http_server *server, const struct guest *guest)
{
    if (guest->is_answered)
        return HTTP_ANSWER_MS;
    return guest->listening == server->former ? FAREWELL_MS : HTTP_REQUEST_MS;
}

/* A feed lasts as long as it likes, but not with a certificate of before. Returns whether the guest was ended. */
static bool end_if_slow(const struct http_server *server, const struct guest *guest, int64_t now_ms)
{
    if (guest->feed) {
        if (guest->listening == server->former)
            http_feed_cut(guest->feed);
        return guest->listening == server->former;
    }
    if (now_ms - guest->since_ms <= patience_ms(server, guest))
        return false;
    shutdown(guest->fd, SHUT_RDWR); /* the http thread sees the end and closes it */
    return true;
}

/* Returns how many. */
static int end_slow_guests(struct http_server *server, int64_t now_ms, bool *out_former_has_guests)
{
    int ended = 0;
    *out_former_has_guests = false;
    pthread_mutex_lock(&server->lock);
    for (int i = 0; i < GUESTS_MOST; i++) {
        const struct guest *guest = &server->guests[i];
        if (guest->fd < 0)
            continue;
        *out_former_has_guests |= guest->listening == server->former;
        ended += end_if_slow(server, guest, now_ms);
    }
    pthread_mutex_unlock(&server->lock);
    return ended;
}

int http_expire(struct http_server *server, int64_t now_ms)
{
    bool former_has_guests;
    if (!server)
        return 0;
    int ended = end_slow_guests(server, now_ms, &former_has_guests);
    if (server->former && !former_has_guests) {
        listening_free(server->former);
        server->former = NULL;
    }
    return ended;
}

/* ---- requests ---- */

static void set_headers(struct MHD_Response *reply, const char *content_type)
{
    MHD_add_response_header(reply, "Content-Type", content_type);
    MHD_add_response_header(reply, "Cache-Control", "no-store");
    MHD_add_response_header(reply, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(reply, "X-Frame-Options", "DENY");
    MHD_add_response_header(
        reply, "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
}

/* Takes the reply. */
static enum MHD_Result send_reply(struct MHD_Connection *connection, const struct http_response *response,
                                  struct MHD_Response *reply)
{
    set_headers(reply, response->content_type);
    for (int i = 0; i < HTTP_HEADERS_MOST && response->headers[i].name; i++)
        MHD_add_response_header(reply, response->headers[i].name, response->headers[i].value);
    if (response->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(reply, "Allow", "GET, HEAD");
    if (response->status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(reply, "WWW-Authenticate", "Basic realm=\"dryport\", charset=\"UTF-8\"");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned int)response->status, reply);
    MHD_destroy_response(reply);
    return result;
}

/* Takes the body. */
static enum MHD_Result answer(struct MHD_Connection *connection, struct http_response *response)
{
    struct MHD_Response *reply = NULL;
    if (response->body.data)
        reply =
            MHD_create_response_from_buffer_with_free_callback(response->body.length, response->body.data, memory_free);
    else
        reply = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!reply) {
        buffer_fini(&response->body);
        return MHD_NO;
    }
    response->body = (struct buffer){0};
    return send_reply(connection, response, reply);
}

/* The guest keeps the feed until on_completed. */
static enum MHD_Result answer_with_feed(struct MHD_Connection *connection, struct http_response *response,
                                        struct http_feed *feed)
{
    struct guest *guest = guest_of(connection);
    CHECK(guest); /* there are places for all connections of two daemons */
    struct http_server *server = guest->listening->owner;
    struct MHD_Response *reply = feed_response(feed);
    buffer_fini(&response->body);
    pthread_mutex_lock(&server->lock);
    guest->feed = feed;
    if (server->is_stopping)
        http_feed_end(feed);
    pthread_mutex_unlock(&server->lock);
    return reply ? send_reply(connection, response, reply) : MHD_NO;
}

static const struct http_route *find_route(const struct http_server *server, const char *path)
{
    for (size_t i = 0; i < server->count; i++) {
        if (strcmp(server->routes[i].path, path) == 0)
            return &server->routes[i];
    }
    return NULL;
}

static void say_not_found(const struct http_server *server, struct http_response *response)
{
    response->status = MHD_HTTP_NOT_FOUND;
    buffer_add_text(&response->body, "not found; there is");
    for (size_t i = 0; i < server->count; i++)
        buffer_add_format(&response->body, " %s", server->routes[i].path);
    buffer_add_text(&response->body, "\n");
}

/* Probes have no password; they learn whether, and not what. */
static bool is_open(const char *path)
{
    return strcmp(path, "/livez") == 0 || strcmp(path, "/readyz") == 0;
}

static bool is_admitted(const struct http_server *server, struct MHD_Connection *connection, const char *path)
{
    return !server->users || is_open(path) ||
           users_admit(server->users, MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization"));
}

/* The request has the ticket of a handler that answers later, or the feed of one whose answer has no end. */
static struct http_request respond(const struct http_server *server, struct MHD_Connection *connection,
                                   const char *path, struct http_response *response)
{
    const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
    struct http_request request = {.path = path, .accept = accept ? accept : "", .connection = connection};
    const struct http_route *route = find_route(server, path);
    if (!is_admitted(server, connection, path)) {
        response->status = MHD_HTTP_UNAUTHORIZED;
        buffer_add_text(&response->body, "a user and password of the file http.users are needed\n");
    } else if (route)
        route->handle(route->self, &request, response);
    else
        say_not_found(server, response);
    return request;
}

struct http_response http_response_new(void)
{
    return (struct http_response){.status = MHD_HTTP_OK, .content_type = "text/plain; charset=utf-8"};
}

/* Written by http_answer before the connection is resumed, read by the http thread after that: libmicrohttpd's lock is between. */
struct http_ticket {
    struct MHD_Connection *connection;
    struct http_response response;
};

struct http_ticket *http_defer(struct http_request *request)
{
    struct http_ticket *ticket = memory_new(1, sizeof *ticket);
    ticket->connection = request->connection;
    request->ticket = ticket;
    MHD_suspend_connection(ticket->connection);
    return ticket;
}

void http_answer(struct http_ticket *ticket, struct http_response *response)
{
    ticket->response = *response;
    response->body = (struct buffer){0};
    MHD_resume_connection(ticket->connection);
}

struct http_feed *http_feed(struct http_request *request, const struct http_source *source)
{
    request->feed = feed_new(source, request->connection);
    return request->feed;
}

static char seen; /* its address marks a request whose headers were seen */

/* libmicrohttpd calls it once when the headers are there, then for each piece of a body, then once more: only an answer
 * in that last call keeps the connection open for the next request. */
static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *http_version, const char *upload, size_t *upload_bytes, void **state)
{
    struct http_response response = http_response_new();
    (void)http_version;
    (void)upload;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        response.status = MHD_HTTP_METHOD_NOT_ALLOWED;
        buffer_add_text(&response.body, "only GET and HEAD\n");
        return answer(connection, &response);
    }
    if (!*state) {
        *state = &seen;
        note(guest_of(connection), true);
        return MHD_YES;
    }
    if (*upload_bytes > 0)
        return MHD_NO;   /* a body has no meaning here: end the connection */
    if (*state != &seen) /* deferred, and resumed */
        return answer(connection, &((struct http_ticket *)*state)->response);
    const struct listening *listening = self;
    struct http_request request = respond(listening->owner, connection, path, &response);
    if (request.feed)
        return answer_with_feed(connection, &response, request.feed);
    if (!request.ticket)
        return answer(connection, &response);
    buffer_fini(&response.body);
    *state = request.ticket;
    return MHD_YES;
}

static struct http_feed *take_feed(struct guest *guest)
{
    if (!guest)
        return NULL;
    struct http_server *server = guest->listening->owner;
    pthread_mutex_lock(&server->lock);
    struct http_feed *feed = guest->feed;
    guest->feed = NULL;
    pthread_mutex_unlock(&server->lock);
    return feed;
}

/* Whatever became of a deferred request, its ticket ends with it. on_request's mark of a request that was seen is none. */
static void on_completed(void *self, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct guest *guest = guest_of(connection);
    (void)self;
    feed_free(take_feed(guest), code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED);
    note(guest, false); /* the next request has its own time */
    if (!*state || *state == &seen)
        return;
    struct http_ticket *ticket = *state;
    buffer_fini(&ticket->response.body);
    memory_free(ticket);
    *state = NULL;
}

const char *http_query(const struct http_request *request, const char *name)
{
    const char *value = NULL;
    size_t length = 0;
    enum MHD_Result found =
        MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, &length);
    if (found != MHD_YES)
        return NULL;
    return value ? value : "";
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* What http_each_query calls for each. */
struct each {
    void (*take)(void *context, const char *name, const char *value);
    void *context;
};

static enum MHD_Result take_query(void *self, enum MHD_ValueKind kind, const char *name, const char *value)
{
    const struct each *each = self;
    (void)kind;
    each->take(each->context, name, value ? value : "");
    return MHD_YES;
}

void http_each_query(const struct http_request *request,
                     void (*take)(void *context, const char *name, const char *value), void *context)
{
    struct each each = {take, context};
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, take_query, &each);
}

/* ---- life ---- */

static const struct listening_calls calls = {on_request, on_connection, on_completed};

static bool is_given(const char *text)
{
    return text && text[0];
}

static enum err note_files(struct http_server *server, const struct http_options *options, struct err_info *info)
{
    if (is_given(options->certificate) != is_given(options->key))
        return err_set(info, ERR_CONFIG, "http.tls.certificate and http.tls.key belong together; give both or none");
    if (is_given(options->certificate)) {
        server->certificate_path = memory_copy_text(options->certificate, strlen(options->certificate));
        server->key_path = memory_copy_text(options->key, strlen(options->key));
    }
    if (is_given(options->users)) {
        TRY(users_check(options->users, info));
        server->users = options->users;
    }
    return OK;
}

static struct listening *listening_of(struct http_server *server)
{
    return listening_new(server, server->certificate_path, server->key_path);
}

/* libmicrohttpd does not end a daemon with a connection that sleeps. */
static void end_feeds(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->is_stopping = true;
    for (int i = 0; i < GUESTS_MOST; i++) {
        if (server->guests[i].feed)
            http_feed_end(server->guests[i].feed);
    }
    pthread_mutex_unlock(&server->lock);
}

static void free_server(struct http_server *server)
{
    end_feeds(server);
    listening_free(server->former);
    listening_free(server->listening);
    memory_free(server->certificate_path);
    memory_free(server->key_path);
    pthread_mutex_destroy(&server->lock);
    memory_free(server);
}

static enum err start(struct http_server *server, const struct http_options *options, struct err_info *info)
{
    int fd = -1;
    TRY(note_files(server, options, info));
    server->listening = listening_of(server);
    TRY(listening_read(server->listening, info));
    TRY(address_listen(options->listen, &fd, info));
    server->port = address_port(fd);
    return listening_start(server->listening, &calls, fd, options->listen, info);
}

/* Takes over: the socket is the same, so that no connection is refused in between. */
static enum err listen_anew(struct http_server *server, struct listening *next, struct err_info *info)
{
    int fd = fcntl(server->listening->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return err_set(info, ERR_CONFIG, "the listener's new certificate waits: %s; raise the limit of open files",
                       strerror(errno));
    TRY(listening_start(next, &calls, fd, "its socket", info));
    int left = MHD_quiesce_daemon(server->listening->daemon);
    if (left >= 0)
        close(left);
    pthread_mutex_lock(&server->lock);
    server->former = server->listening;
    server->listening = next;
    pthread_mutex_unlock(&server->lock);
    return OK;
}

enum err http_renew(struct http_server *server, bool *out_renewed, struct err_info *info)
{
    *out_renewed = false;
    if (!server || !server->certificate_path || server->former)
        return OK; /* one change after the other: it is looked for again */
    struct listening *next = listening_of(server);
    enum err err = listening_read(next, info);
    bool is_other = err == OK && !listening_has_the_same(next, server->listening);
    if (is_other)
        err = listen_anew(server, next, info);
    *out_renewed = is_other && err == OK;
    if (!*out_renewed)
        listening_free(next);
    return err;
}

enum err http_start_with(const struct http_options *options, const struct http_route *routes, size_t count,
                         struct http_server **out, struct err_info *info)
{
    struct http_server *server = memory_new(1, sizeof *server);
    server->routes = routes;
    server->count = count;
    pthread_mutex_init(&server->lock, NULL);
    for (int i = 0; i < GUESTS_MOST; i++)
        server->guests[i].fd = -1;
    enum err err = start(server, options, info);
    if (err != OK) {
        free_server(server);
        return err;
    }
    *out = server;
    return OK;
}

enum err http_start(const char *listen, const struct http_route *routes, size_t count, struct http_server **out,
                    struct err_info *info)
{
    return http_start_with(&(struct http_options){.listen = listen}, routes, count, out, info);
}

int http_port(const struct http_server *server)
{
    return server->port;
}

void http_stop(struct http_server *server)
{
    if (server)
        free_server(server);
}
