/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/port_kafka_inside.h"

#include "base/memory.h"

struct port_stream {
    struct reader_log *log; /* NULL: could not be opened; gives nothing */
    struct reader *reader;
    int32_t lane; /* whose eventfd it writes; NO_LANE: none yet */
};

struct port_stream *port_stream_open(void *self, enum port_topic topic, int32_t partition, int64_t offset)
{
    struct port_kafka *port = self;
    struct port_stream *stream = memory_new(1, sizeof *stream);
    stream->lane = port_lane_bound(port);
    int fd = stream->lane == NO_LANE ? -1 : port->lanes[stream->lane].fd;
    struct err_info info = {"too many streams on one partition"};

    pthread_mutex_lock(&port->lock);
    for (size_t i = 0; i < READERS_MAX && stream->log == NULL; i++) {
        if (port->readers[i] == NULL &&
            reader_new(&port->options, CLIENT_READER, port->health, &port->readers[i], &info) != OK) {
            break;
        }
        stream->reader = port->readers[i];
        stream->log = reader_start(port->readers[i], topic, partition, offset, fd, &info);
    }
    pthread_mutex_unlock(&port->lock);
    if (stream->log == NULL) {
        client_health_error(port->health, 0, info.text);
    }
    return stream;
}

/* A stream that was opened before its thread had a lane, or by another thread, wakes the thread that takes from here
 * on. */
static void bind(struct port_kafka *port, struct port_stream *stream)
{
    int32_t lane = port_lane_bound(port);
    if (lane != NO_LANE && lane != stream->lane) {
        stream->lane = lane;
        reader_wake_fd(stream->log, port->lanes[lane].fd);
    }
}

size_t port_stream_take(void *self, struct port_stream *stream, struct port_record *out, size_t most)
{
    struct port_kafka *port = self;
    if (stream->log == NULL) {
        return 0;
    }
    bind(port, stream);
    size_t count = reader_take(stream->log, out, most);
    if (count == most && stream->lane != NO_LANE) {
        port->lanes[stream->lane].may_have_more = true;
    }
    return count;
}

bool port_stream_at_end(void *self, struct port_stream *stream)
{
    (void)self;
    return stream->log != NULL && reader_at_end(stream->log);
}

void port_stream_close(void *self, struct port_stream *stream)
{
    (void)self;
    if (stream == NULL) {
        return;
    }
    reader_stop(stream->log);
    memory_free(stream);
}
