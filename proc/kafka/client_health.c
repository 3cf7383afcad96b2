/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/client_health.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/span.h"
#include "kafka/client.h"
#include "kafka/credentials.h"

#include <librdkafka/rdkafka.h>

#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum {
    HANDLES_MAX = 256,
    LOG_AGAIN_MS = 60000,
    ERROR_TEXT_FRESH_MS = 30000,
    CODES_MAX = 32,
};

/* What the newest statistics of one handle say. */
struct handle_view {
    const rd_kafka_t *handle;
    int64_t request_timeouts;
    int64_t fetch_queue_bytes;
};

struct logged {
    int code;
    int64_t at_ms;
};

struct client_health {
    /* const after new */
    void *log_context;
    struct credentials *credentials;      /* has a lock of its own */
    struct client_health *next_abandoned; /* written once, under abandoned_lock */
    /* guarded by lock; nothing else is locked while it is held */
    pthread_mutex_t lock;
    pthread_cond_t closed;
    kafka_log_fn *log;
    struct kafka_health shown;
    struct hist rtt;          /* written under the lock, read by any */
    int64_t timeouts_of_gone; /* request timeouts of handles that are closed */
    struct handle_view handles[HANDLES_MAX];
    struct logged logged[CODES_MAX];
    int32_t closing;
    /* of the one thread that calls client_health_credentials */
    int64_t credentials_ms;
    bool credentials_are_bad;
};

/* Healths of handles that were still closing when their owner went: the end of the process takes them. */
static pthread_mutex_t abandoned_lock = PTHREAD_MUTEX_INITIALIZER;
static struct client_health *abandoned;

struct client_health *client_health_new(const struct kafka_options *options)
{
    struct client_health *health = memory_new(1, sizeof *health);
    health->log = options->log;
    health->log_context = options->log_context;
    health->credentials = credentials_new();
    pthread_mutex_init(&health->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&health->closed, &attributes);
    pthread_condattr_destroy(&attributes);
    return health;
}

void client_health_free(struct client_health *health)
{
    if (health == NULL) {
        return;
    }
    pthread_mutex_lock(&health->lock);
    bool is_used = health->closing > 0;
    health->log = NULL;
    pthread_mutex_unlock(&health->lock);
    if (is_used) {
        pthread_mutex_lock(&abandoned_lock);
        health->next_abandoned = abandoned;
        abandoned = health;
        pthread_mutex_unlock(&abandoned_lock);
        return;
    }
    pthread_cond_destroy(&health->closed);
    pthread_mutex_destroy(&health->lock);
    credentials_free(health->credentials);
    memory_free(health);
}

void client_health_read(struct client_health *health, struct kafka_health *out)
{
    pthread_mutex_lock(&health->lock);
    *out = health->shown;
    out->rtt = &health->rtt;
    out->request_timeouts = health->timeouts_of_gone;
    out->fetch_queue_bytes = 0;
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        out->request_timeouts += health->handles[i].request_timeouts;
        out->fetch_queue_bytes += health->handles[i].fetch_queue_bytes;
    }
    pthread_mutex_unlock(&health->lock);
}

/* True if a line about this code is due. Called with the lock held. */
static bool log_is_due(struct client_health *health, int code, int64_t now)
{
    struct logged *oldest = &health->logged[0];
    for (size_t i = 0; i < CODES_MAX; i++) {
        struct logged *entry = &health->logged[i];
        if (entry->at_ms != 0 && entry->code == code) {
            if (now - entry->at_ms < LOG_AGAIN_MS) {
                return false;
            }
            entry->at_ms = now;
            return true;
        }
        if (entry->at_ms < oldest->at_ms) {
            oldest = entry;
        }
    }
    *oldest = (struct logged){code, now};
    return true;
}

void client_health_error(struct client_health *health, int code, const char *text)
{
    int64_t now = clock_wall_ms();
    pthread_mutex_lock(&health->lock);
    bool is_summary = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (is_summary) {
        health->shown.is_reachable = false;
    }
    health->shown.errors++;
    /* "1/1 brokers are down" says less than the connection error just before it. */
    if (!is_summary || now - health->shown.last_error_ms > ERROR_TEXT_FRESH_MS) {
        snprintf(health->shown.last_error, sizeof health->shown.last_error, "%s", text);
        health->shown.last_error_ms = now;
        health->shown.last_error_code = code;
    }
    kafka_log_fn *log = log_is_due(health, code, now) ? health->log : NULL;
    pthread_mutex_unlock(&health->lock);
    if (log != NULL) {
        log(health->log_context, client_is_passing(code) ? KAFKA_WARNING : KAFKA_ERROR, "kafka_error", text);
    }
}

void client_health_answered(struct client_health *health)
{
    pthread_mutex_lock(&health->lock);
    health->shown.is_reachable = true;
    pthread_mutex_unlock(&health->lock);
}

/* Sum of the whole numbers that follow each `key` in json. */
static int64_t sum_of(const char *json, const char *key)
{
    int64_t sum = 0;
    size_t length = strlen(key);
    for (const char *at = strstr(json, key); at != NULL; at = strstr(at, key)) {
        at += length;
        struct text digits = {at, 0};
        while (digits.length < 19 && at[digits.length] >= '0' && at[digits.length] <= '9') {
            digits.length++;
        }
        int64_t v;
        if (text_to_int64(digits, &v)) {
            sum += v;
        }
    }
    return sum;
}

/* The round trips of one broker since the statistics before, each at the percentile that it lies below. */
static void record_rtt(struct hist *hist, const char *object)
{
    static const struct {
        const char *key;
        int64_t percent; /* of the requests lie at it or below */
    } marks[] = {{"\"p50\":", 50}, {"\"p75\":", 75}, {"\"p90\":", 90},
                 {"\"p95\":", 95}, {"\"p99\":", 99}, {"\"max\":", 100}};
    int64_t count = sum_of(object, "\"cnt\":");
    int64_t placed = 0;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        int64_t upto = (count * marks[i].percent + 99) / 100;
        hist_record_many(hist, (double)sum_of(object, marks[i].key) / 1e6, upto - placed);
        placed = upto;
    }
}

/* Reading handles are left out: their brokers hold a request back until there is something to read. */
static void record_rtts(struct hist *hist, const char *json)
{
    static const char key[] = "\"rtt\": {";
    if (strstr(json, "\"type\": \"producer\"") == NULL) {
        return;
    }
    for (const char *at = strstr(json, key); at != NULL; at = strstr(at, key)) {
        at += sizeof key - 1;
        const char *end = strchr(at, '}');
        char object[512];
        if (end == NULL || (size_t)(end - at) >= sizeof object) {
            continue;
        }
        memcpy(object, at, (size_t)(end - at));
        object[end - at] = '\0';
        record_rtt(hist, object);
    }
}

static struct handle_view *view_of(struct client_health *health, const rd_kafka_t *handle)
{
    struct handle_view *empty = NULL;
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        if (health->handles[i].handle == handle) {
            return &health->handles[i];
        }
        if (health->handles[i].handle == NULL && empty == NULL) {
            empty = &health->handles[i];
        }
    }
    if (empty != NULL) {
        empty->handle = handle;
    }
    return empty;
}

void client_health_statistics(struct client_health *health, const struct rd_kafka_s *handle, const char *json)
{
    int64_t timeouts = sum_of(json, "\"req_timeouts\":");
    int64_t queued = sum_of(json, "\"fetchq_size\":");
    bool is_up = strstr(json, "\"state\":\"UP\"") != NULL;

    pthread_mutex_lock(&health->lock);
    struct handle_view *view = view_of(health, handle);
    if (view != NULL) {
        view->request_timeouts = timeouts;
        view->fetch_queue_bytes = queued;
    }
    record_rtts(&health->rtt, json); /* under the lock: several handles, one writer at a time */
    if (is_up) {
        health->shown.is_reachable = true;
    }
    pthread_mutex_unlock(&health->lock);
}

void client_health_log(struct client_health *health, enum kafka_severity severity, const char *event, const char *text)
{
    pthread_mutex_lock(&health->lock);
    kafka_log_fn *log = health->log;
    pthread_mutex_unlock(&health->lock);
    if (log != NULL) {
        log(health->log_context, severity, event, text);
    }
}

void client_health_opened(struct client_health *health, struct rd_kafka_s *handle, uint64_t stamp)
{
    credentials_add(health->credentials, handle, stamp);
}

void client_health_credentials(struct client_health *health, const struct kafka_options *options)
{
    int64_t now = clock_steady_ns() / 1000000;
    if (now - health->credentials_ms < CLIENT_CREDENTIALS_MS) {
        return;
    }
    health->credentials_ms = now;
    struct err_info info;
    int32_t count = credentials_refresh(health->credentials, options, &info);
    if (count > 0) {
        client_health_log(health, KAFKA_INFO, "credentials_changed",
                          "the file of the Kafka password has changed: the next connections log in with the new one");
    }
    if (count < 0 && !health->credentials_are_bad) {
        client_health_log(health, KAFKA_ERROR, "credentials_unreadable", info.text);
    }
    health->credentials_are_bad = count < 0;
}

void client_health_closing(struct client_health *health, const struct rd_kafka_s *handle)
{
    credentials_remove(health->credentials, handle);
    pthread_mutex_lock(&health->lock);
    health->closing++;
    pthread_mutex_unlock(&health->lock);
}

void client_health_closed(struct client_health *health, const struct rd_kafka_s *handle)
{
    pthread_mutex_lock(&health->lock);
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        if (health->handles[i].handle == handle) {
            health->timeouts_of_gone += health->handles[i].request_timeouts;
            health->handles[i] = (struct handle_view){NULL, 0, 0};
        }
    }
    health->closing--;
    pthread_cond_broadcast(&health->closed);
    pthread_mutex_unlock(&health->lock);
}

bool client_health_wait_closed(struct client_health *health, int64_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&health->lock);
    int waited = 0;
    while (health->closing > 0 && waited == 0) {
        waited = pthread_cond_timedwait(&health->closed, &health->lock, &until);
    }
    bool is_done = health->closing == 0;
    pthread_mutex_unlock(&health->lock);
    return is_done;
}
