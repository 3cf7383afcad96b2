/* SPDX-License-Identifier: Apache-2.0
 * log.h - events for people and log collectors, one line each, to stderr.
 *
 *     log_event(LOG_LEVEL_WARN, "broker_lost", LOG_FIELDS(log_text("broker", name), log_int("retry_ms", 500)), "no answer: %s", why);
 *     log_event(LOG_LEVEL_INFO, "started", LOG_NONE, "dryport %s", version);
 *
 * Out:     {"ts":"2025-07-01T08:00:00.123Z","level":"warn","event":"broker_lost","message":"...","broker":"...","retry_ms":500}
 * Units:   UTC, ms
 * Limits:  LOG_BURST lines per event (and value of a field "partition") in LOG_WINDOW_MS; what is over is counted and told by the next line or
 *          log_flush as "suppressed"; a message is cut after LOG_MESSAGE_BYTES
 * Memory:  static, but for the line itself
 * Thread:  log_setup: startup; the others: any (one mutex, taken last, held for one write)
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOG_BURST = 5, LOG_WINDOW_MS = 10000, LOG_MESSAGE_BYTES = 1024 };

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
};

enum log_format {
    LOG_FORMAT_JSON,
    LOG_FORMAT_TEXT,
};

struct log_field {
    const char *key;  /* [a-z_]+ */
    const char *text; /* NULL: the number counts; borrowed until log_event returns */
    int64_t number;
};

struct log_fields {
    const struct log_field *list;
    size_t count;
};

static inline struct log_field log_text(const char *key, const char *text)
{
    return (struct log_field){key, text ? text : "", 0};
}

static inline struct log_field log_int(const char *key, int64_t number)
{
    return (struct log_field){key, NULL, number};
}

#define LOG_FIELDS(...)                                                                                                \
    ((struct log_fields){(const struct log_field[]){__VA_ARGS__},                                                      \
                         sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)})
#define LOG_NONE ((struct log_fields){NULL, 0})

struct log_options {
    enum log_level level;
    enum log_format format;
    int fd;                  /* where lines go: 2 */
    int64_t (*now_ms)(void); /* NULL: the wall clock */
};

/* A CHECK that fails is told as event check_failed from then on. Without it: info, text, stderr. Values of config.log_level and config.log_format are the same numbers. */
void log_setup(const struct log_options *options);

/* event: a constant name [a-z_]+ (static memory: the limiter keeps the pointer). Costs one comparison if the level is
 * off. */
void log_event(enum log_level level, const char *event, struct log_fields fields, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Tells what was suppressed and not yet said: at the end of the process. */
void log_flush(void);

bool log_enabled(enum log_level level);
