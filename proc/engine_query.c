/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/statistics: the http thread reads the parameters and lets the connection wait; the query thread gets a copy of the cells from the publisher,
 * sums it and answers. One question after the other, a few wait, more are sent away.
 *
 * Lock order: lists, then lock. `lists` is held while lists are looked up, so that main does not free them (engine_query_may_free); main never waits for it.
 */
#include "base/check.h"
#include "base/memory.h"
#include "engine_inside.h"
#include "query/live.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MOST = 8, EXTRACT_MS = 5000 };

struct question {
    struct http_ticket *ticket;
    struct ask ask;
};

struct engine_query {
    struct engine *engine;
    pthread_t thread;
    pthread_mutex_t lists;
    pthread_mutex_t lock;
    pthread_cond_t came;
    /* under lock */
    struct question *waiting[WAITING_MOST];
    uint32_t first;
    uint32_t count;
    bool is_closed;
};

static void say(struct http_response *response, int status, const char *text)
{
    json_t *root = json_pack("{s:s}", "error", text);
    char *body = json_dumps(root, 0);
    response->status = status;
    response->content_type = "application/json";
    buffer_clear(&response->body);
    if (body)
        buffer_add_text(&response->body, body);
    buffer_add_u8(&response->body, '\n');
    free(body); /* banned-ok: jansson made it with malloc */
    json_decref(root);
}

static void put_header(struct http_response *response, int index, const char *name, int64_t value)
{
    response->headers[index].name = name;
    snprintf(response->headers[index].value, HTTP_HEADER_BYTES, "%" PRId64, value);
}

/* ---- the query thread ---- */

static void wake_publisher(void *context)
{
    struct engine *engine = context;
    engine->port.wake(engine->port.self, engine->worker_count);
}

static void answer_from(struct engine *engine, struct ask *ask, const struct extract *extract,
                        struct http_response *response)
{
    struct err_info info;
    const struct live_options options = {engine->options.plan, engine->options.config->reporter,
                                         engine->options.config->reporting_currency, engine->options.zone};
    if (live_answer(&options, ask, extract, &response->body, &info) != OK) {
        ask_tell(&info);
        say(response, 400, info.text);
        return;
    }
    response->content_type = ask->is_csv ? "text/csv; charset=utf-8" : "application/json";
    put_header(response, 0, "X-Dryport-As-Of", (int64_t)extract->stamp.as_of);
    put_header(response, 1, "X-Dryport-As-Of-Ms", extract->stamp.as_of_ms);
    if (extract->stamp.watermark_ms != INT64_MIN)
        put_header(response, 2, "X-Dryport-Watermark-Ms", extract->stamp.watermark_ms);
}

static void answer_question(struct engine_query *query, struct ask *ask, struct http_response *response)
{
    struct engine *engine = query->engine;
    struct extract_request request = ask_cells(ask, engine->options.zone);
    struct extract extract;
    char text[ERR_TEXT_BYTES];
    pthread_mutex_lock(&query->lists);
    switch (publisher_extract(engine->publisher, &request, EXTRACT_MS, wake_publisher, engine, &extract)) {
    case EXTRACT_OK:
        answer_from(engine, ask, &extract, response);
        extract_fini(&extract);
        break;
    case EXTRACT_TOO_MANY:
        snprintf(text, sizeof text,
                 "more than %d cells of view %s lie in the period and the year before it: ask for a shorter period, or "
                 "of a view with fewer dimensions",
                 EXTRACT_CELLS_MOST, ask->view->name);
        say(response, 413, text);
        break;
    case EXTRACT_SILENT:
        say(response, 503,
            "this process does not publish now: ask the one whose /status says publisher.state publishing, or try "
            "again");
        break;
    case EXTRACT_TOO_LATE:
        say(response, 503, "the publisher was too busy to answer: try again");
        break;
    }
    pthread_mutex_unlock(&query->lists);
}

/* NULL: the thread is to end. */
static struct question *next_question(struct engine_query *query)
{
    struct question *question = NULL;
    pthread_mutex_lock(&query->lock);
    while (query->count == 0 && !query->is_closed)
        pthread_cond_wait(&query->came, &query->lock);
    if (query->count > 0) {
        question = query->waiting[query->first];
        query->first = (query->first + 1) % WAITING_MOST;
        query->count--;
    }
    pthread_mutex_unlock(&query->lock);
    return question;
}

static bool is_closed(struct engine_query *query)
{
    pthread_mutex_lock(&query->lock);
    bool closed = query->is_closed;
    pthread_mutex_unlock(&query->lock);
    return closed;
}

static void end_question(struct question *question)
{
    ask_fini(&question->ask);
    memory_free(question);
}

static void *query_main(void *argument)
{
    struct engine_query *query = argument;
    struct question *question;
    while ((question = next_question(query)) != NULL) {
        struct http_response response = http_response_new();
        if (is_closed(query))
            say(&response, 503, "this process is stopping: ask another one");
        else
            answer_question(query, &question->ask, &response);
        http_answer(question->ticket, &response);
        end_question(question);
    }
    return NULL;
}

/* ---- the http thread ---- */

static void add_parameter(void *context, const char *name, const char *value)
{
    ask_add(context, name, value);
}

/* The engine has a publisher once it is connected; before that nobody can be asked. */
static bool is_connected(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool connected = engine->connected;
    pthread_mutex_unlock(&engine->lock);
    return connected;
}

/* Lets the question wait. False: too many do. */
static bool enqueue(struct engine_query *query, struct question *question, struct http_request *request)
{
    pthread_mutex_lock(&query->lock);
    bool has_room = query->count < WAITING_MOST && !query->is_closed;
    if (has_room) {
        question->ticket = http_defer(request);
        query->waiting[(query->first + query->count++) % WAITING_MOST] = question;
        pthread_cond_signal(&query->came);
    }
    pthread_mutex_unlock(&query->lock);
    return has_room;
}

void engine_query_handle(void *self, struct http_request *request, struct http_response *response)
{
    struct engine *engine = self;
    struct err_info info;
    struct question *question = memory_new(1, sizeof *question);
    http_each_query(request, add_parameter, &question->ask);
    if (ask_read(&question->ask, engine->options.plan, &info) != OK) {
        ask_tell(&info);
        say(response, 400, info.text);
        end_question(question);
    } else if (!is_connected(engine)) {
        say(response, 503, "this process is not connected yet: try again");
        end_question(question);
    } else if (!enqueue(engine->query, question, request)) {
        say(response, 503, "too many questions wait: try again");
        end_question(question);
    }
}

/* ---- life ---- */

/* Signals are for the main thread: the new thread takes over a mask that blocks them all. */
void engine_query_start(struct engine *engine)
{
    struct engine_query *query = memory_new(1, sizeof *query);
    sigset_t all;
    sigset_t before;
    query->engine = engine;
    int failed = pthread_mutex_init(&query->lists, NULL) || pthread_mutex_init(&query->lock, NULL) ||
                 pthread_cond_init(&query->came, NULL);
    CHECK(!failed);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&query->thread, NULL, query_main, query);
    CHECK_SAY(!failed, "no thread for queries: %s", strerror(failed));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    engine->query = query;
}

void engine_query_close(struct engine *engine)
{
    struct engine_query *query = engine->query;
    if (!query)
        return;
    pthread_mutex_lock(&query->lock);
    query->is_closed = true;
    pthread_cond_signal(&query->came);
    pthread_mutex_unlock(&query->lock);
    pthread_join(query->thread, NULL);
}

void engine_query_free(struct engine *engine)
{
    struct engine_query *query = engine->query;
    if (!query)
        return;
    pthread_cond_destroy(&query->came);
    pthread_mutex_destroy(&query->lock);
    pthread_mutex_destroy(&query->lists);
    memory_free(query);
    engine->query = NULL;
}

bool engine_query_may_free(struct engine *engine)
{
    if (!engine->query)
        return true;
    if (pthread_mutex_trylock(&engine->query->lists) != 0)
        return false;
    return true;
}

void engine_query_freed(struct engine *engine)
{
    if (engine->query)
        pthread_mutex_unlock(&engine->query->lists);
}
