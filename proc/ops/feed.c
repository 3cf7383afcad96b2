/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/feed.h"

#include "base/check.h"
#include "base/memory.h"

#include <pthread.h>
#include <sys/socket.h>

enum { BLOCK_BYTES = 4096 };

struct http_feed {
    /* const after feed_new */
    struct http_source source;
    struct MHD_Connection *connection;
    int fd; /* the connection's until feed_free */
    /* under lock; of what is outside only libmicrohttpd's own locks are taken while it is held */
    pthread_mutex_t lock;
    bool sleeps;   /* the connection is suspended */
    bool is_woken; /* since the source was asked last */
    bool ends;
};

struct http_feed *feed_new(const struct http_source *source, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_feed *feed = memory_new(1, sizeof *feed);
    feed->source = *source;
    feed->connection = connection;
    feed->fd = info ? (int)info->connect_fd : -1;
    int failed = pthread_mutex_init(&feed->lock, NULL);
    CHECK(!failed);
    return feed;
}

void feed_free(struct http_feed *feed, bool was_silent)
{
    if (!feed)
        return;
    feed->source.gone(feed->source.self, was_silent);
    pthread_mutex_destroy(&feed->lock);
    memory_free(feed);
}

/* False: it ends. */
static bool begin_reading(struct http_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    bool ends = feed->ends;
    feed->is_woken = false;
    pthread_mutex_unlock(&feed->lock);
    return !ends;
}

/* Who was woken since the source said that it has nothing asks again. False: do not sleep. */
static bool fall_asleep(struct http_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    bool sleeps = !feed->is_woken && !feed->ends;
    feed->sleeps = sleeps;
    if (sleeps)
        MHD_suspend_connection(feed->connection);
    pthread_mutex_unlock(&feed->lock);
    return sleeps;
}

static ssize_t on_read(void *self, uint64_t position, char *out, size_t most)
{
    struct http_feed *feed = self;
    (void)position;
    for (;;) {
        if (!begin_reading(feed))
            return MHD_CONTENT_READER_END_OF_STREAM;
        ptrdiff_t bytes = feed->source.read(feed->source.self, out, most);
        if (bytes > 0)
            return bytes;
        if (bytes < 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (fall_asleep(feed))
            return 0;
    }
}

struct MHD_Response *feed_response(struct http_feed *feed)
{
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_read, feed, NULL);
}

static void wake(struct http_feed *feed, bool ends)
{
    pthread_mutex_lock(&feed->lock);
    feed->is_woken = true;
    feed->ends |= ends;
    if (feed->sleeps)
        MHD_resume_connection(feed->connection);
    feed->sleeps = false;
    pthread_mutex_unlock(&feed->lock);
}

void http_feed_wake(struct http_feed *feed)
{
    wake(feed, false);
}

void http_feed_end(struct http_feed *feed)
{
    wake(feed, true);
}

void http_feed_cut(struct http_feed *feed)
{
    wake(feed, true);
    shutdown(feed->fd, SHUT_RDWR); /* a send that blocks fails; the http thread closes it */
}
