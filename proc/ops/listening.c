/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/listening.h"

#include "base/memory.h"
#include "ops/http.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct listening *listening_new(void *owner, const char *certificate_path, const char *key_path)
{
    struct listening *listening = memory_new(1, sizeof *listening);
    listening->owner = owner;
    listening->certificate_path = certificate_path;
    listening->key_path = key_path;
    listening->fd = -1;
    return listening;
}

/* ---- certificate ---- */

/* Gives *out, the file's text. */
static enum err read_pem(const char *key, const char *path, char **out, struct err_info *info)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return err_set(info, ERR_CONFIG, "%s: can't read %s: %s", key, path, strerror(errno));
    char *text = memory_new(1, LISTENING_PEM_BYTES);
    size_t length = fread(text, 1, LISTENING_PEM_BYTES - 1, file);
    fclose(file);
    if (length == 0 || !strstr(text, "-----BEGIN ")) {
        memory_wipe(text, LISTENING_PEM_BYTES);
        memory_free(text);
        return err_set(info, ERR_CONFIG, "%s: %s holds nothing in PEM (-----BEGIN ...)", key, path);
    }
    *out = text;
    return OK;
}

enum err listening_read(struct listening *listening, struct err_info *info)
{
    if (!listening->certificate_path)
        return OK;
    TRY(read_pem("http.tls.certificate", listening->certificate_path, &listening->certificate, info));
    return read_pem("http.tls.key", listening->key_path, &listening->key, info);
}

bool listening_has_the_same(const struct listening *one, const struct listening *other)
{
    return strcmp(one->certificate, other->certificate) == 0 && strcmp(one->key, other->key) == 0;
}

/* ---- daemon ---- */

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
static bool start_daemon(struct listening *listening, const struct listening_calls *calls)
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
        flags, 0, NULL, NULL, calls->request, listening, MHD_OPTION_EXTERNAL_LOGGER, on_trouble, listening,
        MHD_OPTION_LISTEN_SOCKET, listening->fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS_OF_ONE, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)HTTP_IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_REQUEST_BYTES,
        MHD_OPTION_NOTIFY_CONNECTION, calls->connection, listening, MHD_OPTION_NOTIFY_COMPLETED, calls->completed,
        listening, MHD_OPTION_ARRAY, listening->certificate ? tls : none, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    counter_set(&listening->has_started, 1);
    return listening->daemon;
}

enum err listening_start(struct listening *listening, const struct listening_calls *calls, int fd, const char *where,
                         struct err_info *info)
{
    listening->fd = fd;
    if (start_daemon(listening, calls))
        return OK;
    int error = errno;
    close(fd);
    if (listening->certificate)
        return err_set(info, ERR_CONFIG, "http.tls.certificate %s and http.tls.key %s can't be used: %s",
                       listening->certificate_path, listening->key_path, listening->trouble);
    return err_set(info, ERR_FATAL, "can't start the http thread on %s: %s %s", where, strerror(error),
                   listening->trouble);
}

void listening_free(struct listening *listening)
{
    if (!listening)
        return;
    if (listening->daemon)
        MHD_stop_daemon(listening->daemon);
    if (listening->key)
        memory_wipe(listening->key, LISTENING_PEM_BYTES);
    memory_free(listening->key);
    memory_free(listening->certificate);
    memory_free(listening);
}
