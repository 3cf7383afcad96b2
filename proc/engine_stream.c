/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/stream: each record of topic.statistics that the publisher reads back becomes an event for who listens. The publisher's thread copies the
 * record into a ring if anybody does, and never waits; the stream thread makes the text once, keeps the last ones, and wakes connections;
 * the http thread reads from there at each client's pace. Who is too slow for what is kept is sent away, and may come again.
 *
 * Lock order: `lock`, then what is in ops/http. `lock` is held for copies of texts and for wake-ups, never while something is waited for.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/ring.h"
#include "engine_inside.h"
#include "ops/broadcast.h"
#include "ops/statistic_json.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORDS_MOST = 16384, /* between the publisher and the stream thread */
    EVENTS_MOST = 16384,
    EVENT_BYTES_MOST = 16 << 20,
    STREAMS_MOST = 16,
    TURN = 256, /* records made into events before anybody is woken */
    TICK_MS = 20,
    BEAT_MS = 10000,   /* below HTTP_IDLE_SECONDS, and what proxies wait */
    LINGER_MS = 60000, /* how long events are kept for a client that may come again */
};

/* A record of topic.statistics: key and value stand behind it. */
struct told {
    int64_t as_of;
    bool is_null;
    uint32_t key_bytes;
    size_t value_bytes;
    uint8_t bytes[];
};

/* A client. */
struct listener {
    struct engine_stream *stream;
    struct broadcast_reader *reader;
    struct http_feed *feed;
    bool is_cut;
};

struct engine_stream {
    struct ring *records;     /* of struct told *: put by the publisher, taken by the stream thread */
    struct counter wanted;    /* somebody listens; written under `lock`, read by the publisher */
    struct counter overflows; /* records that found the ring full; written by the publisher */
    pthread_t thread;
    /* owned by the stream thread */
    int64_t overflows_told;
    int64_t beat_ms;
    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct broadcast *events;
    struct listener *listeners[STREAMS_MOST];
    uint32_t listener_count;
    int64_t left_ms; /* when the last one left */
    bool is_resting; /* nobody listens, and nothing is kept */
    bool is_closed;
    /* written under lock, read by any */
    struct counter listening;
    struct counter events_count;
    struct counter dropped;
};

static const struct broadcast_limits limits = {EVENTS_MOST, EVENT_BYTES_MOST, STREAMS_MOST};
static const struct broadcast_words words = {
    .greeting = "retry: 3000\n: the records of topic.statistics as they are published\n\n",
    .gap = "event: gap\ndata: {\"text\":\"records are missing here: load the figures again, from /v1/statistics or the "
           "topic\"}\n\n",
    .beat = ":\n\n",
};

static int64_t steady_ms(void)
{
    return clock_steady_ns() / 1000000;
}

/* ---- the publisher's thread ---- */

void engine_stream_tell(void *context, const struct port_record *record)
{
    struct engine_stream *stream = context;
    if (!counter_read(&stream->wanted))
        return;
    size_t value_bytes = record->is_null ? 0 : record->value.length;
    struct told *told = memory_new(1, sizeof *told + record->key.length + value_bytes);
    told->as_of = record->as_of;
    told->is_null = record->is_null;
    told->key_bytes = (uint32_t)record->key.length;
    told->value_bytes = value_bytes;
    memcpy(told->bytes, record->key.data, record->key.length);
    if (value_bytes > 0)
        memcpy(told->bytes + record->key.length, record->value.data, value_bytes);
    if (ring_put(stream->records, &told))
        return;
    memory_free(told);
    counter_add(&stream->overflows, 1);
}

/* ---- the stream thread ---- */

/* A value that is no Statistic makes no event: the publisher writes the key again, and that makes one. */
static void add_event(struct engine_stream *stream, const struct told *told)
{
    struct text key = {(const char *)told->bytes, told->key_bytes};
    struct text name = key;
    struct bytes value = {told->bytes + told->key_bytes, told->value_bytes};
    json_t *root = told->is_null ? statistic_json_deleted(key, (uint64_t)told->as_of) : statistic_json(key, value);
    char *data = root ? json_dumps(root, JSON_COMPACT) : NULL;
    struct buffer text = {0};
    json_decref(root);
    if (!data)
        return;
    if (told->as_of >= 0)
        buffer_add_format(&text, "id: %" PRId64 "\n", told->as_of);
    buffer_add_format(&text, "event: %s\ndata: ", told->is_null ? "deleted" : "statistic");
    buffer_add_text(&text, data);
    buffer_add_text(&text, "\n\n");
    free(data); /* banned-ok: jansson made it with malloc */
    pthread_mutex_lock(&stream->lock);
    broadcast_add(stream->events, told->as_of >= 0 ? (uint64_t)told->as_of : 0, text_cut(&name, '|'),
                  (struct text){(const char *)text.data, (uint32_t)text.length});
    counter_add(&stream->events_count, 1);
    pthread_mutex_unlock(&stream->lock);
    buffer_fini(&text);
}

/* Returns how many were taken. */
static int take_records(struct engine_stream *stream)
{
    struct told *told;
    int count = 0;
    while (count < TURN && ring_take(stream->records, &told)) {
        add_event(stream, told);
        memory_free(told);
        count++;
    }
    return count;
}

/* Under lock. */
static void look_after(struct engine_stream *stream)
{
    for (uint32_t i = 0; i < stream->listener_count; i++) {
        struct listener *listener = stream->listeners[i];
        if (broadcast_is_lost(listener->reader)) {
            if (!listener->is_cut)
                counter_add(&stream->dropped, 1);
            listener->is_cut = true;
            http_feed_cut(listener->feed); /* it does not read: only its socket's end gets through */
        } else if (broadcast_has(listener->reader)) {
            http_feed_wake(listener->feed);
        }
    }
}

static void empty(struct engine_stream *stream)
{
    struct told *told;
    while (ring_take(stream->records, &told))
        memory_free(told);
}

/* Nobody has listened for a while: what was kept is forgotten, and the publisher is asked for no more. Under lock. */
static void rest(struct engine_stream *stream)
{
    counter_set(&stream->wanted, 0);
    broadcast_free(stream->events);
    stream->events = broadcast_new(&limits, &words);
    empty(stream); /* one that the publisher puts in just now is told to the next client, who ignores what is old */
    stream->is_resting = true;
}

/* True if there was something to do. */
static bool turn(struct engine_stream *stream)
{
    int64_t now_ms = steady_ms();
    int count = take_records(stream);
    int64_t overflows = counter_read(&stream->overflows);
    pthread_mutex_lock(&stream->lock);
    if (overflows != stream->overflows_told)
        broadcast_break(stream->events);
    stream->overflows_told = overflows;
    if (now_ms - stream->beat_ms >= BEAT_MS) {
        broadcast_beat(stream->events);
        stream->beat_ms = now_ms;
    }
    look_after(stream);
    if (stream->listener_count == 0 && now_ms - stream->left_ms >= LINGER_MS)
        rest(stream);
    pthread_mutex_unlock(&stream->lock);
    return count > 0;
}

/* False: the thread is to end. */
static bool is_needed(struct engine_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    while (stream->is_resting && !stream->is_closed)
        pthread_cond_wait(&stream->came, &stream->lock);
    bool needed = !stream->is_closed;
    pthread_mutex_unlock(&stream->lock);
    return needed;
}

static void *stream_main(void *argument)
{
    struct engine_stream *stream = argument;
    while (is_needed(stream)) {
        if (!turn(stream))
            engine_pause_ms(TICK_MS);
    }
    return NULL;
}

/* ---- the http thread ---- */

static ptrdiff_t read_events(void *self, char *out, size_t most)
{
    struct listener *listener = self;
    struct engine_stream *stream = listener->stream;
    pthread_mutex_lock(&stream->lock);
    bool ends = stream->is_closed || broadcast_is_lost(listener->reader);
    ptrdiff_t bytes = ends ? -1 : (ptrdiff_t)broadcast_read(listener->reader, out, most);
    pthread_mutex_unlock(&stream->lock);
    return bytes;
}

static void leave(void *self, bool was_silent)
{
    struct listener *listener = self;
    struct engine_stream *stream = listener->stream;
    pthread_mutex_lock(&stream->lock);
    if (was_silent && !listener->is_cut)
        counter_add(&stream->dropped, 1);
    for (uint32_t i = 0; i < stream->listener_count; i++) {
        if (stream->listeners[i] == listener) {
            stream->listeners[i] = stream->listeners[--stream->listener_count];
            break;
        }
    }
    broadcast_leave(listener->reader);
    stream->left_ms = steady_ms();
    counter_set(&stream->listening, stream->listener_count);
    pthread_mutex_unlock(&stream->lock);
    memory_free(listener);
}

/* What is asked for. */
struct wish {
    const char *view; /* NULL: all */
    const char *unknown;
};

static void read_parameter(void *context, const char *name, const char *value)
{
    struct wish *wish = context;
    if (strcmp(name, "view") == 0)
        wish->view = value;
    else if (!wish->unknown)
        wish->unknown = name;
}

static bool has_view(const struct view_plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->views[i].name, name) == 0)
            return true;
    }
    return false;
}

static void refuse(struct http_response *response, int status, const char *text)
{
    json_t *root = json_pack("{s:s}", "error", text);
    char *body = json_dumps(root, 0);
    response->status = status;
    response->content_type = "application/json";
    buffer_add_format(&response->body, "%s\n", body ? body : "");
    free(body); /* banned-ok: jansson made it with malloc */
    json_decref(root);
}

/* Why the parameters are wrong; NULL if they are not. */
static const char *judge(const struct engine *engine, const struct wish *wish, struct buffer *scratch)
{
    if (wish->unknown) {
        buffer_add_format(scratch, "%.64s is no parameter: there is view", wish->unknown);
    } else if (wish->view && !has_view(engine->options.plan, wish->view)) {
        buffer_add_format(scratch, "view=%.64s: there are ", wish->view);
        for (uint32_t i = 0; i < engine->options.plan->count; i++)
            buffer_add_format(scratch, "%s%s", i ? ", " : "", engine->options.plan->views[i].name);
    } else {
        return NULL;
    }
    buffer_add_u8(scratch, 0);
    return (const char *)scratch->data;
}

/* False: no more streams are opened. */
static bool join(struct engine_stream *stream, const struct wish *wish, struct http_request *request)
{
    int64_t number;
    const char *header = http_request_header(request, "Last-Event-ID");
    uint64_t last_id = 0; /* what is no number is an event that nobody has */
    if (header && text_to_int64(text_of(header), &number) && number > 0)
        last_id = (uint64_t)number;
    pthread_mutex_lock(&stream->lock);
    struct broadcast_reader *reader =
        stream->is_closed ? NULL : broadcast_join(stream->events, text_of(wish->view), header ? &last_id : NULL);
    if (reader) {
        struct listener *listener = memory_new(1, sizeof *listener);
        listener->stream = stream;
        listener->reader = reader;
        listener->feed = http_feed(request, &(struct http_source){listener, read_events, leave});
        stream->listeners[stream->listener_count++] = listener;
        stream->is_resting = false;
        counter_set(&stream->wanted, 1);
        counter_set(&stream->listening, stream->listener_count);
        pthread_cond_signal(&stream->came);
    }
    pthread_mutex_unlock(&stream->lock);
    return reader;
}

void engine_stream_handle(void *self, struct http_request *request, struct http_response *response)
{
    struct engine *engine = self;
    struct wish wish = {NULL, NULL};
    struct buffer scratch = {0};
    char reason[ERR_TEXT_BYTES];
    http_each_query(request, read_parameter, &wish);
    const char *wrong = judge(engine, &wish, &scratch);
    response->content_type = "text/event-stream";
    response->headers[0] =
        (struct http_header){"X-Accel-Buffering", "no"}; /* a proxy that collects would hold events back */
    if (wrong)
        refuse(response, 400, wrong);
    else if (engine->options.config->role == CONFIG_ROLE_AGGREGATE)
        refuse(response, 503,
               "this process has role=aggregate and reads no statistics: ask one with role=publish or all");
    else if (!engine_state_is_connected(engine, reason))
        refuse(response, 503, "this process is not connected yet: try again");
    else if (!join(engine->stream, &wish, request))
        refuse(response, 503, "as many streams as there may be are open, or this process is stopping: try again");
    buffer_fini(&scratch);
}

/* ---- life ---- */

void engine_stream_figures(const struct engine *engine, struct engine_stream_figures *out)
{
    *out = (struct engine_stream_figures){0};
    if (!engine->stream)
        return;
    out->readers = counter_read(&engine->stream->listening);
    out->events = counter_read(&engine->stream->events_count);
    out->dropped = counter_read(&engine->stream->dropped);
}

/* Signals are for the main thread: the new thread takes over a mask that blocks them all. */
void engine_stream_start(struct engine *engine)
{
    struct engine_stream *stream = memory_new(1, sizeof *stream);
    sigset_t all;
    sigset_t before;
    stream->records = ring_new(RECORDS_MOST, sizeof(struct told *));
    stream->events = broadcast_new(&limits, &words);
    stream->is_resting = true;
    int failed = pthread_mutex_init(&stream->lock, NULL) || pthread_cond_init(&stream->came, NULL);
    CHECK(!failed);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&stream->thread, NULL, stream_main, stream);
    CHECK_SAY(!failed, "no thread for streams: %s", strerror(failed));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    engine->stream = stream;
}

void engine_stream_close(struct engine *engine)
{
    struct engine_stream *stream = engine->stream;
    if (!stream)
        return;
    pthread_mutex_lock(&stream->lock);
    stream->is_closed = true; /* http_stop ends those that are open */
    pthread_cond_signal(&stream->came);
    pthread_mutex_unlock(&stream->lock);
    pthread_join(stream->thread, NULL);
}

void engine_stream_free(struct engine *engine)
{
    struct engine_stream *stream = engine->stream;
    if (!stream)
        return;
    empty(stream);
    ring_free(stream->records);
    broadcast_free(stream->events);
    pthread_cond_destroy(&stream->came);
    pthread_mutex_destroy(&stream->lock);
    memory_free(stream);
    engine->stream = NULL;
}
