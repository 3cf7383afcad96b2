/* SPDX-License-Identifier: Apache-2.0
 * listening.h - a daemon of libmicrohttpd on a socket, with the certificate that was in its files when they were read. Another certificate
 *               is another daemon, which may listen on the same socket.
 *
 * Limits:  those of http.h; LISTENING_PEM_BYTES in a file
 * Memory:  owns what it read; a key is wiped before its memory is free
 * Thread:  startup, main; what libmicrohttpd calls runs in the daemon's one thread, `http`
 * Errors:  ERR_CONFIG: a file can't be used; it names the setting and the file. ERR_FATAL: the thread can't be started
 * Why:     docs/adr/0068-status-listener.md, docs/adr/0081-certificates-without-a-restart.md
 */
#pragma once

#include "base/counter.h"
#include "base/err.h"

#include <microhttpd.h>
#include <stdbool.h>

enum { LISTENING_PEM_BYTES = 1 << 20, LISTENING_TROUBLE_BYTES = 256 };

struct listening {
    void *owner;                           /* shared: whoever its calls are for */
    const char *certificate_path;          /* shared; NULL: no TLS */
    const char *key_path;                  /* shared */
    char *certificate;                     /* text of the file when it was read */
    char *key;                             /* likewise */
    int fd;                                /* the daemon closes it, or who quiesces the daemon */
    struct MHD_Daemon *daemon;             /* NULL until it is started */
    struct counter has_started;            /* written by the thread that starts it, read by the daemon's */
    char trouble[LISTENING_TROUBLE_BYTES]; /* what libmicrohttpd said last while it was started */
};

/* What the daemon calls, with the listening as its own argument. */
struct listening_calls {
    MHD_AccessHandlerCallback request;
    MHD_NotifyConnectionCallback connection;
    MHD_RequestCompletedCallback completed;
};

/* Not started. The paths outlive it. */
struct listening *listening_new(void *owner, const char *certificate_path, const char *key_path);

/* Reads certificate and key into it; without paths it does nothing. Once. */
enum err listening_read(struct listening *listening, struct err_info *info) MUST_USE;

/* Whether both read the same certificate and key. */
bool listening_has_the_same(const struct listening *one, const struct listening *other);

/* Starts the daemon on a socket that listens. Takes the socket in any case. `where` is for the message. */
enum err listening_start(struct listening *listening, const struct listening_calls *calls, int fd, const char *where,
                         struct err_info *info) MUST_USE;

/* Ends the daemon; waits for the call that runs. Takes NULL, and one that was not started. */
void listening_free(struct listening *listening);
