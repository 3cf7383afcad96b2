/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/log.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/clock.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How often an event was written in its window. A window is told by its start; slots are never given back, and an event
 * that finds no slot is not limited: better a long log than a lost line. */
struct limit {
    const char *event;
    int64_t partition; /* of the field "partition", else -1 */
    int64_t window_start_ms;
    int64_t suppressed;
    int written;
    enum log_level level;
};

enum { LIMITS = 512, NO_PARTITION = -1 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct limit limits[LIMITS]; /* under mutex */
static int limit_count;             /* under mutex */

static struct log_options settings = {LOG_LEVEL_INFO, LOG_FORMAT_TEXT, STDERR_FILENO, NULL}; /* const after log_setup */

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static void report_check(const char *text);

void log_setup(const struct log_options *options)
{
    check_report_to(report_check);
    pthread_mutex_lock(&mutex);
    settings = *options;
    limit_count = 0;
    pthread_mutex_unlock(&mutex);
}

bool log_enabled(enum log_level level)
{
    return level >= settings.level;
}

static int64_t now_ms(void)
{
    return settings.now_ms ? settings.now_ms() : clock_wall_ms();
}

static struct limit *limit_of(const char *event, int64_t partition)
{
    for (int i = 0; i < limit_count; i++) {
        if (limits[i].partition == partition && strcmp(limits[i].event, event) == 0)
            return &limits[i];
    }
    if (limit_count == LIMITS)
        return NULL;
    struct limit *limit = &limits[limit_count++];
    *limit = (struct limit){.event = event, .partition = partition, .window_start_ms = INT64_MIN};
    return limit;
}

/* May a line be written now? *out_suppressed: how many were not since the last one. A clock that goes back begins a new
 * window. */
static bool take(const char *event, int64_t partition, enum log_level level, int64_t now, int64_t *out_suppressed)
{
    struct limit *limit = limit_of(event, partition);
    *out_suppressed = 0;
    if (!limit)
        return true;
    limit->level = level;
    if (limit->window_start_ms == INT64_MIN || now < limit->window_start_ms ||
        now - limit->window_start_ms >= LOG_WINDOW_MS) {
        limit->window_start_ms = now;
        limit->written = 0;
    }
    if (limit->written == LOG_BURST) {
        limit->suppressed++;
        return false;
    }
    limit->written++;
    *out_suppressed = limit->suppressed;
    limit->suppressed = 0;
    return true;
}

static void add_time(struct buffer *line, int64_t ms)
{
    char text[32];
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    buffer_add_format(line, "%s.%03dZ", text, (int)(ms % 1000));
}

/* Length of the well-formed UTF-8 sequence at `at`, 0 if there is none. Overlong forms and surrogates are not
 * well-formed. */
static size_t utf8_length(const unsigned char *at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;
    uint32_t code = length == 2 ? at[0] & 0x1Fu : length == 3 ? at[0] & 0x0Fu : at[0] & 7u;
    if (length < 2)
        return length;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3Fu);
    }
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code >= least[length] && code <= 0x10FFFF && !surrogate ? length : 0;
}

/* Bytes that are not UTF-8 become U+FFFD, so that a line is JSON whatever a broker or a user put into a message. */
static void add_json_text(struct buffer *line, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    buffer_add_u8(line, '"');
    while (*at) {
        size_t length = utf8_length(at);
        if (*at == '"' || *at == '\\')
            buffer_add_format(line, "\\%c", *at);
        else if (*at == '\n')
            buffer_add_text(line, "\\n");
        else if (*at < 0x20 || *at == 0x7F)
            buffer_add_format(line, "\\u%04x", *at);
        else if (length == 0)
            buffer_add_text(line, "\\ufffd");
        else
            buffer_add(line, at, length);
        at += length ? length : 1;
    }
    buffer_add_u8(line, '"');
}

/* A line stays a line: control characters become blanks, so nobody can forge a second one. */
static void add_plain_text(struct buffer *line, const char *text)
{
    for (; *text; text++)
        buffer_add_u8(line, (unsigned char)*text < 0x20 || *text == 0x7F ? ' ' : (uint8_t)*text);
}

static void add_json(struct buffer *line, int64_t now, enum log_level level, const char *event, const char *message,
                     struct log_fields fields)
{
    buffer_add_text(line, "{\"ts\":\"");
    add_time(line, now);
    buffer_add_format(line, "\",\"level\":\"%s\",\"event\":\"%s\",\"message\":", level_names[level], event);
    add_json_text(line, message);
    for (size_t i = 0; i < fields.count; i++) {
        buffer_add_format(line, ",\"%s\":", fields.list[i].key);
        if (fields.list[i].text)
            add_json_text(line, fields.list[i].text);
        else
            buffer_add_format(line, "%" PRId64, fields.list[i].number);
    }
}

static void add_text(struct buffer *line, int64_t now, enum log_level level, const char *event, const char *message,
                     struct log_fields fields)
{
    add_time(line, now);
    buffer_add_format(line, " %-5s %s: ", level_names[level], event);
    add_plain_text(line, message);
    for (size_t i = 0; i < fields.count; i++) {
        buffer_add_format(line, " %s=", fields.list[i].key);
        if (fields.list[i].text)
            add_plain_text(line, fields.list[i].text);
        else
            buffer_add_format(line, "%" PRId64, fields.list[i].number);
    }
}

/* One write per line: lines of several processes on one pipe do not mix. What the reader can't take is lost: a log must
 * not stop us. */
static void put_line(int64_t now, enum log_level level, const char *event, const char *message,
                     struct log_fields fields, int64_t suppressed)
{
    struct buffer line = {0};
    bool json = settings.format == LOG_FORMAT_JSON;
    (json ? add_json : add_text)(&line, now, level, event, message, fields);
    if (suppressed > 0)
        buffer_add_format(&line, json ? ",\"suppressed\":%" PRId64 : " suppressed=%" PRId64, suppressed);
    buffer_add_text(&line, json ? "}\n" : "\n");
    ssize_t written = write(settings.fd, line.data, line.length);
    (void)written;
    buffer_fini(&line);
}

/* The last words before abort(). A thread that fails while it holds the mutex says them all the same. */
static void report_check(const char *text)
{
    bool locked = pthread_mutex_trylock(&mutex) == 0;
    put_line(now_ms(), LOG_LEVEL_ERROR, "check_failed", text, LOG_NONE, 0);
    if (locked)
        pthread_mutex_unlock(&mutex);
}

static int64_t partition_of(struct log_fields fields)
{
    for (size_t i = 0; i < fields.count; i++) {
        if (!fields.list[i].text && strcmp(fields.list[i].key, "partition") == 0)
            return fields.list[i].number;
    }
    return NO_PARTITION;
}

void log_event(enum log_level level, const char *event, struct log_fields fields, const char *format, ...)
{
    char message[LOG_MESSAGE_BYTES];
    int64_t suppressed = 0;
    if (!log_enabled(level))
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    pthread_mutex_lock(&mutex);
    int64_t now = now_ms();
    if (take(event, partition_of(fields), level, now, &suppressed))
        put_line(now, level, event, message, fields, suppressed);
    pthread_mutex_unlock(&mutex);
}

void log_flush(void)
{
    pthread_mutex_lock(&mutex);
    int64_t now = now_ms();
    for (int i = 0; i < limit_count; i++) {
        struct limit *limit = &limits[i];
        struct log_field partition = log_int("partition", limit->partition);
        struct log_fields fields = {&partition, limit->partition != NO_PARTITION};
        if (limit->suppressed > 0)
            put_line(now, limit->level, limit->event, "more of these", fields, limit->suppressed);
        limit->suppressed = 0;
    }
    pthread_mutex_unlock(&mutex);
}
