/* SPDX-License-Identifier: Apache-2.0
 * http.h - a small listener: GET and HEAD of a fixed table of paths.
 *
 * Limits:  HTTP_REQUEST_BYTES of request line and headers; HTTP_CONNECTIONS at once, HTTP_CONNECTIONS_OF_ONE of one address;
 *          HTTP_IDLE_SECONDS without a byte, HTTP_REQUEST_MS for a whole request, HTTP_ANSWER_MS for a whole answer
 * Memory:  a response body is a buffer that the handler fills; the server frees it
 * Thread:  http_start, http_renew, http_expire, http_stop: startup, main; handlers run in the one `http` thread, one at a time: read only, never
 *          wait (http_defer). For seconds after http_renew there are two such threads
 * Errors:  ERR_CONFIG if the address is not one or is taken, or a file of certificate, key or users can't be used
 * Answers: 404 without a route, 405 for other methods, 414 or 431 over the cap, 401 without a user of the file (but for /livez and /readyz, which
 *          say no more than yes or no); over the connection limit a client waits, over that of one address it is sent away
 * Why:     docs/adr/0068-status-listener.md, docs/adr/0081-certificates-without-a-restart.md
 */
#pragma once

#include "base/buffer.h"
#include "base/err.h"

enum {
    HTTP_REQUEST_BYTES = 4096,
    HTTP_CONNECTIONS = 64,
    HTTP_CONNECTIONS_OF_ONE = 48,
    HTTP_IDLE_SECONDS = 15,
    HTTP_REQUEST_MS = 15000,
    HTTP_ANSWER_MS = 60000,
};

/* Empty or NULL: without. */
struct http_options {
    const char *listen;      /* "host:port", "[v6]:port"; port 0: any free one */
    const char *certificate; /* file of PEM: TLS 1.2 and 1.3; needs key */
    const char *key;         /* file of PEM, without a password */
    const char *users;       /* file of users.h: basic authentication; outlives the server */
};

struct http_request {
    const char *path;           /* without the query; borrowed until the handler returns */
    const char *accept;         /* the Accept header, "" if there is none */
    void *connection;           /* for http_query */
    struct http_ticket *ticket; /* of http_defer */
    struct http_feed *feed;     /* of http_feed */
};

enum { HTTP_HEADERS_MOST = 4, HTTP_HEADER_BYTES = 32 };

/* A header of the answer beside those that all have. */
struct http_header {
    const char *name; /* static text */
    char value[HTTP_HEADER_BYTES];
};

struct http_response {
    int status;               /* 200 unless the handler sets it */
    const char *content_type; /* static text; "text/plain; charset=utf-8" unless the handler sets it */
    struct buffer body;
    struct http_header headers[HTTP_HEADERS_MOST]; /* up to the first without a name */
};

/* A request that is answered later. */
struct http_ticket;

struct http_route {
    const char *path; /* "/status": equal, not a prefix */
    void (*handle)(void *self, struct http_request *request, struct http_response *response);
    void *self; /* shared: outlives the server */
};

struct http_server;

/* Listens and gives *out. routes is shared and outlives the server. */
enum err http_start_with(const struct http_options *options, const struct http_route *routes, size_t count,
                         struct http_server **out, struct err_info *info) MUST_USE;

/* The same without TLS and users. */
enum err http_start(const char *listen, const struct http_route *routes, size_t count, struct http_server **out,
                    struct err_info *info) MUST_USE;

/* The port that is listened on. */
int http_port(const struct http_server *server);

/* Reads certificate and key again. If they are others than those in force, connections that come from now on get the new ones; those that stand
 * are ended when they have had their answer, and nobody is turned away. *out_renewed: so it was. ERR_CONFIG: they can't be used, and
 * those in force stay. Without TLS it does nothing. */
enum err http_renew(struct http_server *server, bool *out_renewed, struct err_info *info) MUST_USE;

/* Ends connections whose request or answer takes longer than the limits above: a byte now and then keeps none alive. Call it every second or
 * so. Returns how many it ended. now_ms: steady clock. Takes NULL. */
int http_expire(struct http_server *server, int64_t now_ms);

/* Ends the thread; waits for the handler that runs. Takes NULL. */
void http_stop(struct http_server *server);

/* Decoded value of a query parameter, NULL if it is not there ("" if it has no value); borrowed until the handler
 * returns. */
const char *http_query(const struct http_request *request, const char *name);

/* Value of a header of the request, NULL if it has none; borrowed until the handler returns. */
const char *http_request_header(const struct http_request *request, const char *name);

/* Calls `take` for each query parameter in the order of the request, value "" if it has none; borrowed until the handler returns. */
void http_each_query(const struct http_request *request,
                     void (*take)(void *context, const char *name, const char *value), void *context);

/* For a handler that can't answer at once: what it does to its response is ignored, and exactly one http_answer must follow, before
 * http_stop. The connection waits meanwhile, and nothing else does.                              Thread: http */
struct http_ticket *http_defer(struct http_request *request);

/* Answers such a request. Takes the body of the response.                                         Thread: any */
void http_answer(struct http_ticket *ticket, struct http_response *response);

/* Where the bytes of an answer without an end come from. */
struct http_source {
    void *self;
    /* Up to `most` bytes that are here now; 0: none, and the connection sleeps until http_feed_wake; below 0: the end. Thread: http */
    ptrdiff_t (*read)(void *self, char *out, size_t most);
    /* The connection has ended, and with it the feed. was_silent: it took nothing for HTTP_IDLE_SECONDS.        Thread: http */
    void (*gone)(void *self, bool was_silent);
};

/* An answer without an end. */
struct http_feed;

/* For a handler whose answer has no end: status, type and headers of its response are sent, then what the source gives. HTTP_ANSWER_MS does
 * not hold for it; when the certificate changes it is ended. The calls below are good until `gone` returns.     Thread: http */
struct http_feed *http_feed(struct http_request *request, const struct http_source *source);

/* There is more to read.                                                                                       Thread: any */
void http_feed_wake(struct http_feed *feed);

/* Ends the answer behind what was sent; or the connection, though the client reads nothing.                    Thread: any */
void http_feed_end(struct http_feed *feed);
void http_feed_cut(struct http_feed *feed);

/* What a response is before a handler has seen it. */
struct http_response http_response_new(void);
