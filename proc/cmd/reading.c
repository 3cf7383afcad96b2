/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/reading.h"

#include "base/clock.h"
#include "base/memory.h"
#include "cmd/setup.h"
#include "kafka/admin.h"
#include "kafka/reader.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct port_stream {
    struct reader_log *log;
};

struct reading {
    const struct options *options;
    struct kafka_options kafka;
    struct client_health *health;
    struct admin *admin;
    struct reader *input;  /* committed records only */
    struct reader *others; /* all records */
    int32_t partitions[PORT_TOPICS];
    int wake_fd;
    struct port port;
};

const char *reading_topic(const struct config *config, enum port_topic topic)
{
    switch (topic) {
    case PORT_DECLARATIONS:
        return config->topic_declarations;
    case PORT_JOURNAL:
        return config->topic_journal;
    case PORT_STATISTICS:
        return config->topic_statistics;
    default:
        return config->topic_rejects;
    }
}

/* ---- the port ---- */

static int64_t port_now_ms(void *self)
{
    (void)self;
    return clock_wall_ms();
}

static int32_t port_partitions(void *self, enum port_topic topic)
{
    const struct reading *reading = self;
    return reading->partitions[topic];
}

static enum err port_bounds(void *self, enum port_topic topic, int32_t partition, struct port_bounds *out,
                            struct err_info *info)
{
    const struct reading *reading = self;
    return admin_bounds(reading->admin, topic, partition, out, info);
}

static struct port_stream *port_stream_open(void *self, enum port_topic topic, int32_t partition, int64_t offset)
{
    struct reading *reading = self;
    struct reader *reader = topic == PORT_DECLARATIONS ? reading->input : reading->others;
    struct err_info info;
    struct reader_log *log = reader_start(reader, topic, partition, offset, reading->wake_fd, &info);
    if (!log)
        return NULL;
    struct port_stream *stream = memory_new(1, sizeof *stream);
    stream->log = log;
    return stream;
}

static size_t port_stream_take(void *self, struct port_stream *stream, struct port_record *out, size_t most)
{
    (void)self;
    return reader_take(stream->log, out, most);
}

static bool port_stream_at_end(void *self, struct port_stream *stream)
{
    (void)self;
    return reader_at_end(stream->log);
}

static void port_stream_close(void *self, struct port_stream *stream)
{
    (void)self;
    reader_stop(stream->log);
    memory_free(stream);
}

static void port_release(void *self, struct port_record *records, size_t count)
{
    (void)self;
    reader_release(records, count);
}

static void port_wait(void *self, int32_t lane, int64_t timeout_ms)
{
    const struct reading *reading = self;
    struct pollfd wake = {.fd = reading->wake_fd, .events = POLLIN};
    uint64_t unread;
    (void)lane;
    reader_serve(reading->input);
    reader_serve(reading->others);
    if (poll(&wake, 1, (int)timeout_ms) > 0 && read(reading->wake_fd, &unread, sizeof unread) < 0)
        return; /* somebody else's byte: the next round looks anyway */
}

/* ---- life ---- */

static enum err open_all(struct reading *reading, struct err_info *info)
{
    setup_kafka(&reading->options->config, reading->options->timeout_ms, &reading->kafka);
    TRY(client_check(&reading->kafka, info));
    reading->health = client_health_new(&reading->kafka);
    reading->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (reading->wake_fd < 0)
        return err_set(info, ERR_FATAL, "eventfd failed");
    TRY(admin_open(&reading->kafka, reading->health, &reading->admin, info));
    for (int topic = 0; topic < PORT_TOPICS; topic++)
        TRY(admin_partitions(reading->admin, (enum port_topic)topic, &reading->partitions[topic], info));
    TRY(reader_new(&reading->kafka, CLIENT_INPUT, reading->health, &reading->input, info));
    return reader_new(&reading->kafka, CLIENT_READER, reading->health, &reading->others, info);
}

enum err reading_open(const struct options *options, struct reading **out, struct err_info *info)
{
    struct reading *reading = memory_new(1, sizeof *reading);
    reading->options = options;
    reading->wake_fd = -1;
    reading->port = (struct port){
        .self = reading,
        .now_ms = port_now_ms,
        .partitions = port_partitions,
        .bounds = port_bounds,
        .stream_open = port_stream_open,
        .stream_take = port_stream_take,
        .stream_at_end = port_stream_at_end,
        .stream_close = port_stream_close,
        .release = port_release,
        .wait = port_wait,
    };
    enum err err = open_all(reading, info);
    if (err == OK)
        *out = reading;
    else
        reading_close(reading);
    return err;
}

void reading_close(struct reading *reading)
{
    if (!reading)
        return;
    reader_free(reading->others);
    reader_free(reading->input);
    admin_close(reading->admin);
    client_health_free(reading->health);
    if (reading->wake_fd >= 0)
        close(reading->wake_fd);
    setup_kafka_fini(&reading->kafka);
    memory_free(reading);
}

const struct port *reading_port(const struct reading *reading)
{
    return &reading->port;
}

enum err reading_must_exist(const struct reading *reading, enum port_topic topic, struct err_info *info)
{
    static const char *const keys[PORT_TOPICS] = {"topic.declarations", "topic.journal", "topic.statistics",
                                                  "topic.rejects"};
    if (reading->partitions[topic] > 0)
        return OK;
    return err_set(info, ERR_CONFIG, "topic %s does not exist on %s; `dryport run` creates it, or set %s",
                   reading->kafka.topics[topic], reading->kafka.brokers, keys[topic]);
}
