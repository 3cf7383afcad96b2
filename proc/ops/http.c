/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/http.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/memory.h"
#include "ops/users.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 64,
    PORT_MAX = 65535,
    PEM_BYTES = 1 << 20,
    TROUBLE_BYTES = 256,
    GUESTS_MOST = 2 * HTTP_CONNECTIONS, /* of the listening that is and of the one that was */
    FAREWELL_MS = 1000, /* how long a connection with the former certificate may wait for its next request */
};

/* A daemon of libmicrohttpd with a certificate: with another one it is another daemon, on the same socket. */
struct listening {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    int fd; /* the daemon closes it, or who quiesces the daemon */
    char *certificate;
    char *key;
    struct counter has_started;
    char trouble[TROUBLE_BYTES]; /* what libmicrohttpd said last while it was started */
};

/* A connection, and what it does since when. */
struct guest {
    struct listening *listening;
    int fd; /* -1: a free place */
    bool is_answered;
    int64_t since_ms;
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
    /* guarded by lock; nothing else is locked while it is held */
    pthread_mutex_t lock;
    struct guest guests[GUESTS_MOST];
};

/* ---- address ---- */

static bool copy_part(const char *from, size_t length, char *out, size_t bytes)
{
    if (length == 0 || length >= bytes)
        return false;
    memcpy(out, from, length);
    out[length] = '\0';
    return true;
}

bool http_split_address(const char *address, char *host, size_t host_bytes, char *port, size_t port_bytes)
{
    int64_t number = 0;
    const char *colon = strrchr(address, ':');
    if (!colon || !text_to_int64(text_of(colon + 1), &number) || number < 0 || number > PORT_MAX || colon[1] == '-')
        return false;
    const char *first = address;
    size_t length = (size_t)(colon - address);
    bool brackets = length >= 2 && first[0] == '[' && first[length - 1] == ']';
    if (brackets) {
        first++;
        length -= 2;
    } else if (memchr(first, ':', length) || memchr(first, '[', length) || memchr(first, ']', length)) {
        return false; /* an IPv6 address without brackets, or with one: where does it end? */
    }
    return copy_part(first, length, host, host_bytes) && copy_part(colon + 1, strlen(colon + 1), port, port_bytes);
}

static int try_listen(const struct addrinfo *address)
{
    int yes = 1;
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static enum err open_socket(const char *address, int *out_fd, struct err_info *info)
{
    char host[256];
    char port[8];
    if (!http_split_address(address, host, sizeof host, port, sizeof port))
        return err_set(info, ERR_CONFIG, "http.listen: \"%s\" is not an address; give host:port", address);
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    int failure = getaddrinfo(host, port, &hints, &list);
    if (failure != 0)
        return err_set(info, ERR_CONFIG, "http.listen: there is no address for \"%s\": %s", host,
                       gai_strerror(failure));
    int fd = -1;
    for (const struct addrinfo *at = list; at && fd < 0; at = at->ai_next)
        fd = try_listen(at);
    int error = errno;
    freeaddrinfo(list);
    if (fd < 0)
        return err_set(info, ERR_CONFIG,
                       "http.listen: can't listen on %s: %s; give another port, or none to switch it off", address,
                       strerror(error));
    *out_fd = fd;
    return OK;
}

static int port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return 0;
    memcpy(&v4, &address, sizeof v4);
    memcpy(&v6, &address, sizeof v6);
    return ntohs(address.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

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
    struct http_server *server = guest->listening->server;
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
    struct http_server *server = listening->server;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    pthread_mutex_lock(&server->lock);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            ((struct guest *)*context)->fd = -1;
        *context = NULL;
    } else {
        for (int i = 0; i < GUESTS_MOST && info && !*context; i++) {
            if (server->guests[i].fd < 0) {
                server->guests[i] = (struct guest){listening, (int)info->connect_fd, false, steady_ms()};
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
        if (now_ms - guest->since_ms > patience_ms(server, guest)) {
            shutdown(guest->fd, SHUT_RDWR); /* the http thread sees the end and closes it */
            ended++;
        }
    }
    pthread_mutex_unlock(&server->lock);
    return ended;
}

static void end_listening(struct listening *listening)
{
    if (!listening)
        return;
    if (listening->daemon)
        MHD_stop_daemon(listening->daemon);
    if (listening->key)
        memory_wipe(listening->key, PEM_BYTES);
    memory_free(listening->key);
    memory_free(listening->certificate);
    memory_free(listening);
}

int http_expire(struct http_server *server, int64_t now_ms)
{
    bool former_has_guests;
    if (!server)
        return 0;
    int ended = end_slow_guests(server, now_ms, &former_has_guests);
    if (server->former && !former_has_guests) {
        end_listening(server->former);
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

/* Gives the ticket of a handler that answers later. */
static struct http_ticket *respond(const struct http_server *server, struct MHD_Connection *connection,
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
    return request.ticket;
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
    struct http_ticket *ticket = respond(listening->server, connection, path, &response);
    if (!ticket)
        return answer(connection, &response);
    buffer_fini(&response.body);
    *state = ticket;
    return MHD_YES;
}

/* Whatever became of a deferred request, its ticket ends with it. on_request's mark of a request that was seen is none. */
static void on_completed(void *self, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)self;
    (void)code;
    note(guest_of(connection), false); /* the next request has its own time */
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

static void on_trouble(void *self, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

/* Keeps what libmicrohttpd says of its start, for the message; later words go nowhere. */
static void on_trouble(void *self, const char *format, va_list arguments)
{
    struct listening *listening = self;
    if (!counter_read(&listening->has_started)) {
        vsnprintf(listening->trouble, sizeof listening->trouble, format, arguments);
        listening->trouble[strcspn(listening->trouble, "\r\n")] = '\0';
    }
}

/* Signals are for the main thread: the new thread takes over a mask that blocks them all. poll, not epoll: with its
 * edge-triggered epoll libmicrohttpd 0.9.75 can miss that a client which sent half a request has gone, and holds the
 * connection to its timeout. */
static bool start_daemon(struct listening *listening)
{
    unsigned int flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, listening->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, listening->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (char[]){"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"}},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    if (listening->certificate)
        flags |= MHD_USE_TLS;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    listening->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, listening, MHD_OPTION_EXTERNAL_LOGGER, on_trouble, listening,
        MHD_OPTION_LISTEN_SOCKET, listening->fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS_OF_ONE, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)HTTP_IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_REQUEST_BYTES,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, listening, MHD_OPTION_NOTIFY_COMPLETED, on_completed, listening,
        MHD_OPTION_ARRAY, listening->certificate ? tls : none, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    counter_set(&listening->has_started, 1);
    return listening->daemon;
}

/* Gives *out, the file's text. */
static enum err read_pem(const char *key, const char *path, char **out, struct err_info *info)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return err_set(info, ERR_CONFIG, "%s: can't read %s: %s", key, path, strerror(errno));
    char *text = memory_new(1, PEM_BYTES);
    size_t length = fread(text, 1, PEM_BYTES - 1, file);
    fclose(file);
    if (length == 0 || !strstr(text, "-----BEGIN ")) {
        memory_wipe(text, PEM_BYTES);
        memory_free(text);
        return err_set(info, ERR_CONFIG, "%s: %s holds nothing in PEM (-----BEGIN ...)", key, path);
    }
    *out = text;
    return OK;
}

static bool is_given(const char *text)
{
    return text && text[0];
}

static enum err read_certificate(const struct http_server *server, struct listening *listening, struct err_info *info)
{
    if (!server->certificate_path)
        return OK;
    TRY(read_pem("http.tls.certificate", server->certificate_path, &listening->certificate, info));
    return read_pem("http.tls.key", server->key_path, &listening->key, info);
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

static struct listening *listening_new(struct http_server *server)
{
    struct listening *listening = memory_new(1, sizeof *listening);
    listening->server = server;
    listening->fd = -1;
    return listening;
}

/* Takes the socket in any case. */
static enum err listen_on(struct listening *listening, int fd, const char *where, struct err_info *info)
{
    const struct http_server *server = listening->server;
    listening->fd = fd;
    if (start_daemon(listening))
        return OK;
    int error = errno;
    close(fd);
    if (listening->certificate)
        return err_set(info, ERR_CONFIG, "http.tls.certificate %s and http.tls.key %s can't be used: %s",
                       server->certificate_path, server->key_path, listening->trouble);
    return err_set(info, ERR_FATAL, "can't start the http thread on %s: %s %s", where, strerror(error),
                   listening->trouble);
}

static void free_server(struct http_server *server)
{
    end_listening(server->former);
    end_listening(server->listening);
    memory_free(server->certificate_path);
    memory_free(server->key_path);
    pthread_mutex_destroy(&server->lock);
    memory_free(server);
}

static enum err start(struct http_server *server, const struct http_options *options, struct err_info *info)
{
    int fd = -1;
    TRY(note_files(server, options, info));
    server->listening = listening_new(server);
    TRY(read_certificate(server, server->listening, info));
    TRY(open_socket(options->listen, &fd, info));
    server->port = port_of(fd);
    return listen_on(server->listening, fd, options->listen, info);
}

static bool is_the_same(const struct listening *one, const struct listening *other)
{
    return strcmp(one->certificate, other->certificate) == 0 && strcmp(one->key, other->key) == 0;
}

/* Takes over: the socket is the same, so that no connection is refused in between. */
static enum err listen_anew(struct http_server *server, struct listening *next, struct err_info *info)
{
    int fd = fcntl(server->listening->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return err_set(info, ERR_CONFIG, "the listener's new certificate waits: %s; raise the limit of open files",
                       strerror(errno));
    TRY(listen_on(next, fd, "its socket", info));
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
    struct listening *next = listening_new(server);
    enum err err = read_certificate(server, next, info);
    bool is_other = err == OK && !is_the_same(next, server->listening);
    if (is_other)
        err = listen_anew(server, next, info);
    *out_renewed = is_other && err == OK;
    if (!*out_renewed)
        end_listening(next);
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
