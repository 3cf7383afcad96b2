/* SPDX-License-Identifier: Apache-2.0
 * client_health.h - what the handles of one port tell of the connection: errors, statistics, and which are still closing.
 *
 * In:      callbacks of librdkafka's threads, delivery reports        Out: struct kafka_health, log lines
 * Memory:  made once and shared by all handles of a port; handles that are still closing keep it alive
 * Thread:  any; its lock is held for no call but the waiting of client_health_wait_closed
 */
#pragma once

#include "base/hist.h"

#include <stdbool.h>

/* librdkafka's own types, so that other rooms need not see its header. */
struct rd_kafka_s;
struct rd_kafka_op_s;
struct kafka_options;

enum { CLIENT_TEXT_BYTES = 256, CLIENT_CREDENTIALS_MS = 2000 };

enum kafka_severity {
    KAFKA_ERROR,
    KAFKA_WARNING,
    KAFKA_INFO,
    KAFKA_DEBUG,
};

/* `event` is a short lower-case name ("kafka_error"), `text` one sentence. Must not call back into this room. */
typedef void kafka_log_fn(void *context, enum kafka_severity severity, const char *event, const char *text);

/* What /status and /metrics show of the connection. */
struct kafka_health {
    bool is_reachable; /* some broker answered since the last time all were gone */
    char last_error[CLIENT_TEXT_BYTES];
    int last_error_code;   /* librdkafka's, 0: none yet */
    int64_t last_error_ms; /* 0: none yet */
    int64_t errors;        /* passing errors seen */
    int64_t request_timeouts;
    int64_t fetch_queue_bytes; /* fetched, not yet taken */
    const struct hist *rtt;    /* round trips of the producers' requests; lives as long as the health */
};

/* Health of all handles of one port; made once, shared by them. */
struct client_health;

struct client_health *client_health_new(const struct kafka_options *options);
/* Takes NULL. Handles that are still closing keep it alive: it is then left to the end of the process. */
void client_health_free(struct client_health *health);
/* A copy of the moment.                                                                           Thread: any */
void client_health_read(struct client_health *health, struct kafka_health *out);
/* Counts a passing error and keeps its text; logs it, the same code at most once in 10 s. */
void client_health_error(struct client_health *health, int code, const char *text);

/* A broker answered: nobody has to wait for the next statistics to know it. */
void client_health_answered(struct client_health *health);

/* One line, as client_health_error does it, without counting or limiting. */
void client_health_log(struct client_health *health, enum kafka_severity severity, const char *event, const char *text);

/* Takes the newest statistics of a handle: librdkafka's JSON. */
void client_health_statistics(struct client_health *health, const struct rd_kafka_s *handle, const char *json);

/* A handle was made, with the user and password of this stamp (credentials.h); it begins to close; it is gone. */
void client_health_opened(struct client_health *health, struct rd_kafka_s *handle, uint64_t stamp);
void client_health_closing(struct client_health *health, const struct rd_kafka_s *handle);
void client_health_closed(struct client_health *health, const struct rd_kafka_s *handle);

/* Looks whether passwords that come from files have changed, at most every CLIENT_CREDENTIALS_MS, and says it in the log. A file that
 * can't be read is said once, until it can be again. */
void client_health_credentials(struct client_health *health, const struct kafka_options *options);

/* Waits until all handles given to client_close are gone. False: some are not after timeout_ms. */
bool client_health_wait_closed(struct client_health *health, int64_t timeout_ms);
