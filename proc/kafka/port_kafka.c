/* SPDX-License-Identifier: Apache-2.0
 *
 * Overview: one member handle (who owns what), one input handle (declarations), one producer a lane, and a small pool
 * of reader handles for streams: two streams on the same partition need two handles, so a stream goes to the first
 * reader that has its partition free. Wake-ups: librdkafka writes to the eventfd of a lane when one of its queues stops
 * being empty.
 */
#include "kafka/port_kafka.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"
#include "kafka/reader.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    READERS_MAX = 16,
    SERVE_EACH_MS = 200,
    NUDGE_EACH_MS = 50,
    NUDGE_RECORDS = 10000, /* fewer since the last nudge can't have emptied a full queue */
    FREE_AFTER_MS = 1000,
    WAIT_MOST_MS = 3600000,
    LIMIT_READS = 5,
    LIMIT_PAUSE_NS = 200000000,
    LEASE_GROUP_BYTES = 512,
};

struct lane {
    alignas(64) struct producer *producer; /* NULL: could not be made; appends say why */
    struct kafka_options options;          /* the port's, with batch_bytes as last read */
    int fd;
    bool may_have_more; /* the last take was full: look again before waiting */
};

struct input {
    alignas(64) struct reader_log *log; /* NULL: not started */
    int32_t lane;
    struct counter taken; /* by the lane's thread; read by main */
};

struct port_stream {
    struct reader_log *log; /* NULL: could not be opened; gives nothing */
    struct reader *reader;
    int32_t lane; /* whose eventfd it writes; NO_LANE: none yet */
};

struct port_kafka {
    /* const after open */
    struct kafka_options options;
    struct client_health *health;
    struct admin *admin;
    struct consumer *consumer; /* NULL without is_member */
    struct consumer *lease;    /* NULL without wants_lease */
    char lease_group[LEASE_GROUP_BYTES];
    struct reader *input_reader; /* NULL without is_member */
    int32_t partitions[PORT_TOPICS];
    int32_t lane_count;
    struct lane *lanes;
    struct input *inputs;
    /* of main */
    int64_t served_ms;
    int64_t nudged_ms;
    int64_t nudged_taken;
    /* guarded by lock */
    pthread_mutex_t lock;
    struct reader *readers[READERS_MAX];
};

enum { NO_LANE = -1 };

/* Which lane of which port the calling thread works for. Streams have no lane in port.h: they wake the thread that
 * takes. */
static _Thread_local struct {
    const struct port_kafka *port;
    int32_t lane;
} bound = {NULL, NO_LANE};

static int32_t bound_lane(const struct port_kafka *port)
{
    return bound.port == port ? bound.lane : NO_LANE;
}

static struct lane *lane_of(struct port_kafka *port, int32_t lane)
{
    CHECK_SAY(lane >= 0 && lane < port->lane_count, "lane %d of %d", lane, port->lane_count);
    bound.port = port;
    bound.lane = lane;
    return &port->lanes[lane];
}

static struct input *input_of(struct port_kafka *port, int32_t partition)
{
    CHECK_SAY(partition >= 0 && partition < port->partitions[PORT_DECLARATIONS], "partition %d of %d", partition,
              port->partitions[PORT_DECLARATIONS]);
    return &port->inputs[partition];
}

static int64_t port_now_ms(void *self)
{
    (void)self;
    return clock_forward_ms();
}

static int32_t port_partitions(void *self, enum port_topic topic)
{
    return ((struct port_kafka *)self)->partitions[topic];
}

/* ---- membership
 * -------------------------------------------------------------------------------------------------------- */

/* Idle inputs cost no request. */
static void nudge(struct port_kafka *port, int64_t now_ms)
{
    if (port->input_reader == NULL || !client_needs_nudge() || now_ms - port->nudged_ms < NUDGE_EACH_MS) {
        return;
    }
    int64_t taken = 0;
    for (int32_t p = 0; p < port->partitions[PORT_DECLARATIONS]; p++) {
        taken += counter_read(&port->inputs[p].taken);
    }
    if (taken - port->nudged_taken >= NUDGE_RECORDS) {
        port->nudged_taken = taken;
        port->nudged_ms = now_ms;
        reader_nudge(port->input_reader, PORT_DECLARATIONS);
    }
}

/* Lets errors and statistics of the handles out that no thread polls. */
static void serve_readers(struct port_kafka *port, int64_t now_ms)
{
    if (now_ms - port->served_ms < SERVE_EACH_MS) {
        return;
    }
    port->served_ms = now_ms;
    client_health_credentials(port->health, &port->options);
    admin_serve(port->admin);
    if (port->input_reader != NULL) {
        reader_serve(port->input_reader);
    }
    pthread_mutex_lock(&port->lock);
    for (size_t i = 0; i < READERS_MAX && port->readers[i] != NULL; i++) {
        reader_serve(port->readers[i]);
    }
    pthread_mutex_unlock(&port->lock);
}

static bool port_membership(void *self, struct port_membership *out)
{
    struct port_kafka *port = self;
    int64_t now_ms = clock_steady_ns() / 1000000;
    nudge(port, now_ms);
    serve_readers(port, now_ms);
    return port->consumer != NULL && consumer_membership(port->consumer, out);
}

static void port_release_partition(void *self, int32_t partition)
{
    struct port_kafka *port = self;
    if (port->consumer != NULL) {
        consumer_release(port->consumer, partition);
    }
}

static void port_commit(void *self, int32_t partition, int64_t offset)
{
    struct port_kafka *port = self;
    if (port->consumer != NULL) {
        consumer_commit(port->consumer, partition, offset);
    }
}

static enum err port_committed(void *self, int32_t partition, int64_t *out_offset, struct err_info *info)
{
    struct port_kafka *port = self;
    if (port->options.group == NULL) {
        *out_offset = -1;
        return OK;
    }
    pthread_mutex_lock(&port->lock);
    enum err err = OK;
    if (port->input_reader == NULL) { /* not a member, yet it may ask */
        err = reader_new(&port->options, CLIENT_INPUT, port->health, &port->input_reader, info);
    }
    pthread_mutex_unlock(&port->lock);
    TRY(err);
    return reader_committed(port->input_reader, partition, out_offset, info);
}

/* ---- input
 * ------------------------------------------------------------------------------------------------------------- */

static void port_input_stop(void *self, int32_t partition)
{
    struct input *input = input_of(self, partition);
    reader_stop(input->log);
    input->log = NULL;
}

static enum err port_input_start(void *self, int32_t lane, int32_t partition, int64_t offset, struct err_info *info)
{
    struct port_kafka *port = self;
    struct input *input = input_of(port, partition);
    CHECK_SAY(input->log == NULL, "partition %d is started already", partition);
    CHECK_SAY(lane >= 0 && lane < port->lane_count, "lane %d of %d", lane, port->lane_count);
    CHECK(port->input_reader != NULL);
    input->lane = lane;
    input->log = reader_start(port->input_reader, PORT_DECLARATIONS, partition, offset, port->lanes[lane].fd, info);
    return input->log != NULL ? OK : ERR_RETRY;
}

static size_t port_input_take(void *self, int32_t partition, struct port_record *out, size_t most)
{
    struct port_kafka *port = self;
    struct input *input = input_of(port, partition);
    if (input->log == NULL) {
        return 0;
    }
    size_t count = reader_take(input->log, out, most);
    counter_add(&input->taken, (int64_t)count);
    if (count == most) {
        port->lanes[input->lane].may_have_more = true;
    }
    return count;
}

static bool port_input_at_end(void *self, int32_t partition)
{
    const struct input *input = input_of(self, partition);
    return input->log != NULL && reader_at_end(input->log);
}

static bool port_input_waits(void *self, int32_t partition)
{
    const struct input *input = input_of(self, partition);
    return input->log != NULL && reader_waits(input->log);
}

static void port_release(void *self, struct port_record *records, size_t count)
{
    (void)self;
    reader_release(records, count);
}

static enum err port_bounds(void *self, enum port_topic topic, int32_t partition, struct port_bounds *out,
                            struct err_info *info)
{
    return admin_bounds(((struct port_kafka *)self)->admin, topic, partition, out, info);
}

/* ---- lanes
 * ------------------------------------------------------------------------------------------------------------- */

static enum err lane_open(struct port_kafka *port, struct lane *lane, struct err_info *info)
{
    TRY(producer_open(&lane->options, port->health, &lane->producer, info));
    producer_wake_fd(lane->producer, lane->fd);
    return OK;
}

static enum err port_append(void *self, int32_t lane_index, enum port_topic topic, int32_t partition, struct bytes key,
                            struct bytes value, int64_t as_of, uint64_t token, struct err_info *info)
{
    struct lane *lane = lane_of(self, lane_index);
    if (lane->producer == NULL) {
        return err_set(info, ERR_PEER, "the producer of lane %d could not be made again", lane_index);
    }
    const struct producer_record record = {
        .topic = topic,
        .partition = partition,
        .key = key,
        .value = value,
        .is_null = topic == PORT_STATISTICS && value.data == NULL && value.length == 0,
        .as_of = as_of,
        .token = token,
    };
    return producer_append(lane->producer, &record, info);
}

static size_t port_acks(void *self, int32_t lane_index, struct port_ack *out, size_t most)
{
    struct lane *lane = lane_of(self, lane_index);
    if (lane->producer == NULL) {
        return 0;
    }
    size_t count = producer_acks(lane->producer, out, most);
    if (count == most) {
        lane->may_have_more = true;
    }
    return count;
}

/* A topic's limit was lowered: reads it anew. If no broker states a smaller one, nothing is known: size errors are told as they come. */
static void read_limit(struct port_kafka *port, struct lane *lane)
{
    int64_t known = lane->options.batch_bytes;
    for (int i = 0; i < LIMIT_READS; i++) {
        int64_t bytes = admin_batch_bytes(port->admin);
        if (bytes > 0 && bytes < known) {
            lane->options.batch_bytes = bytes;
            return;
        }
        struct timespec pause = {0, LIMIT_PAUSE_NS};
        nanosleep(&pause, NULL); /* the setting travels among the brokers by itself: nothing to wait on */
    }
    lane->options.batch_bytes = 0;
}

static void port_lane_reset(void *self, int32_t lane_index)
{
    struct port_kafka *port = self;
    struct lane *lane = lane_of(port, lane_index);
    if (lane->producer != NULL && producer_limit_is_stale(lane->producer)) {
        read_limit(port, lane);
    }
    producer_close(lane->producer);
    lane->producer = NULL;
    struct err_info info;
    if (lane_open(port, lane, &info) != OK) {
        client_health_error(port->health, 0, info.text);
    }
}

/* Only a full eventfd counter makes a write fail, and then the lane is woken anyway. */
static void ring(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one);
    (void)written;
}

static void port_wake(void *self, int32_t lane)
{
    struct port_kafka *port = self;
    CHECK_SAY(lane >= 0 && lane < port->lane_count, "lane %d of %d", lane, port->lane_count);
    ring(port->lanes[lane].fd);
}

static void port_wait(void *self, int32_t lane_index, int64_t timeout_ms)
{
    struct lane *lane = lane_of(self, lane_index);
    if (lane->may_have_more) {
        lane->may_have_more = false; /* a lane under backpressure takes nothing and sleeps the next time */
        return;
    }
    if (timeout_ms > WAIT_MOST_MS) {
        timeout_ms = WAIT_MOST_MS;
    }
    struct pollfd poll_fd = {.fd = lane->fd, .events = POLLIN};
    if (poll(&poll_fd, 1, timeout_ms < 0 ? 0 : (int)timeout_ms) > 0) {
        uint64_t count;
        ssize_t got = read(lane->fd, &count, sizeof count); /* to zero: what comes later rings again */
        (void)got;
    }
}

/* ---- streams
 * ----------------------------------------------------------------------------------------------------------- */

static struct port_stream *port_stream_open(void *self, enum port_topic topic, int32_t partition, int64_t offset)
{
    struct port_kafka *port = self;
    struct port_stream *stream = memory_new(1, sizeof *stream);
    stream->lane = bound_lane(port);
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
    int32_t lane = bound_lane(port);
    if (lane != NO_LANE && lane != stream->lane) {
        stream->lane = lane;
        reader_wake_fd(stream->log, port->lanes[lane].fd);
    }
}

static size_t port_stream_take(void *self, struct port_stream *stream, struct port_record *out, size_t most)
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

static bool port_stream_at_end(void *self, struct port_stream *stream)
{
    (void)self;
    return stream->log != NULL && reader_at_end(stream->log);
}

static void port_stream_close(void *self, struct port_stream *stream)
{
    (void)self;
    if (stream == NULL) {
        return;
    }
    reader_stop(stream->log);
    memory_free(stream);
}

static enum err port_trim(void *self, int32_t partition, int64_t offset, struct err_info *info)
{
    return admin_delete_records(((struct port_kafka *)self)->admin, PORT_JOURNAL, partition, offset, info);
}

/* ---- open and close
 * ---------------------------------------------------------------------------------------------------- */

static enum err open_topics(struct port_kafka *port, struct err_info *info)
{
    for (size_t i = 0; i < PORT_TOPICS; i++) {
        TRY(admin_partitions(port->admin, (enum port_topic)i, &port->partitions[i], info));
    }
    if (port->options.is_member && port->partitions[PORT_DECLARATIONS] == 0) {
        return err_set(info, ERR_CONFIG, "topic %s does not exist at %s: create it, or set topics.create=true",
                       port->options.topics[PORT_DECLARATIONS], port->options.brokers);
    }
    return OK;
}

static enum err open_lanes(struct port_kafka *port, struct err_info *info)
{
    for (int32_t i = 0; i < port->lane_count; i++) {
        struct lane *lane = &port->lanes[i];
        lane->options = port->options;
        lane->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (lane->fd < 0) {
            return err_set(info, ERR_FATAL, "no eventfd for lane %d (errno %d): raise the limit of open files", i,
                           errno);
        }
        TRY(lane_open(port, lane, info));
    }
    return OK;
}

static enum err open_group(struct port_kafka *port, struct err_info *info)
{
    if (!port->options.is_member) {
        return OK;
    }
    TRY(reader_new(&port->options, CLIENT_INPUT, port->health, &port->input_reader, info));
    const struct consumer_place place = {
        .group = port->options.group,
        .topic = PORT_DECLARATIONS,
        .partitions = port->partitions[PORT_DECLARATIONS],
    };
    return consumer_open(&port->options, port->health, &place, &port->consumer, info);
}

static enum err open_lease(struct port_kafka *port, struct err_info *info)
{
    if (!port->options.wants_lease) {
        return OK;
    }
    if (port->partitions[PORT_STATISTICS] == 0) {
        return err_set(info, ERR_CONFIG, "topic %s does not exist at %s: create it, or set topics.create=true",
                       port->options.topics[PORT_STATISTICS], port->options.brokers);
    }
    int length = snprintf(port->lease_group, sizeof port->lease_group, "%s-publish", port->options.group);
    if (length < 0 || (size_t)length >= sizeof port->lease_group) {
        return err_set(info, ERR_CONFIG, "group is longer than %zu bytes",
                       sizeof port->lease_group - sizeof "-publish");
    }
    const struct consumer_place place = {
        .group = port->lease_group,
        .topic = PORT_STATISTICS,
        .partitions = port->partitions[PORT_STATISTICS],
    };
    return consumer_open(&port->options, port->health, &place, &port->lease, info);
}

static enum err open_all(struct port_kafka *port, struct err_info *info)
{
    TRY(admin_open(&port->options, port->health, &port->admin, info));
    TRY(open_topics(port, info));
    if (port->partitions[PORT_DECLARATIONS] > 0) {
        port->options.partitions = port->partitions[PORT_DECLARATIONS]; /* the prefetch is shared among these */
        port->inputs = memory_new_aligned(64, (size_t)port->options.partitions * sizeof *port->inputs);
    }
    TRY(open_lanes(port, info));
    TRY(open_lease(port, info));
    return open_group(port, info);
}

enum err port_kafka_open(const struct kafka_options *options, int32_t workers, struct port *out, struct err_info *info)
{
    CHECK_SAY(workers >= 0, "%d workers", workers);
    struct port_kafka *port = memory_new(1, sizeof *port);
    port->options = *options;
    port->health = client_health_new(options);
    port->lane_count = workers + 1;
    port->lanes = memory_new_aligned(64, (size_t)port->lane_count * sizeof *port->lanes);
    for (int32_t i = 0; i < port->lane_count; i++) {
        port->lanes[i].fd = -1;
    }
    pthread_mutex_init(&port->lock, NULL);
    struct port opened = {
        .self = port,
        .now_ms = port_now_ms,
        .partitions = port_partitions,
        .membership = port_membership,
        .release_partition = port_release_partition,
        .commit = port_commit,
        .committed = port_committed,
        .input_start = port_input_start,
        .input_stop = port_input_stop,
        .input_take = port_input_take,
        .input_at_end = port_input_at_end,
        .input_waits = port_input_waits,
        .release = port_release,
        .bounds = port_bounds,
        .append = port_append,
        .acks = port_acks,
        .lane_reset = port_lane_reset,
        .stream_open = port_stream_open,
        .stream_take = port_stream_take,
        .stream_at_end = port_stream_at_end,
        .stream_close = port_stream_close,
        .trim = port_trim,
        .wait = port_wait,
        .wake = port_wake,
    };
    enum err err = open_all(port, info);
    if (err != OK) {
        port_kafka_close(&opened, FREE_AFTER_MS);
        return err;
    }
    *out = opened;
    return OK;
}

static void close_lanes(struct port_kafka *port)
{
    for (int32_t i = 0; i < port->lane_count; i++) {
        producer_close(port->lanes[i].producer);
        if (port->lanes[i].fd >= 0) {
            close(port->lanes[i].fd);
        }
    }
}

void port_kafka_close(struct port *closed, int64_t timeout_ms)
{
    struct port_kafka *port = closed->self;
    if (port == NULL) {
        return;
    }
    consumer_close(port->consumer);
    consumer_close(port->lease);
    for (int32_t p = 0; port->inputs != NULL && p < port->partitions[PORT_DECLARATIONS]; p++) {
        port_input_stop(port, p);
    }
    reader_free(port->input_reader);
    for (size_t i = 0; i < READERS_MAX; i++) {
        reader_free(port->readers[i]);
    }
    close_lanes(port);
    admin_close(port->admin);
    bool is_done = client_health_wait_closed(port->health, timeout_ms);
    client_health_free(port->health);
    *closed = (struct port){.self = NULL};
    if (!is_done) {
        return; /* handles that are still closing read the options: left to the end of the process */
    }
    pthread_mutex_destroy(&port->lock);
    memory_free(port->inputs);
    memory_free(port->lanes);
    memory_free(port);
}

/* ---- views
 * ------------------------------------------------------------------------------------------------------------- */

void port_kafka_health(const struct port *port, struct kafka_health *out)
{
    client_health_read(((const struct port_kafka *)port->self)->health, out);
}

int64_t port_kafka_high_watermark(const struct port *port, int32_t partition)
{
    const struct port_kafka *self = port->self;
    return self->input_reader == NULL ? -1 : reader_high_watermark(self->input_reader, PORT_DECLARATIONS, partition);
}

bool port_kafka_is_joined(const struct port *port)
{
    const struct port_kafka *self = port->self;
    return self->consumer != NULL && consumer_is_joined(self->consumer);
}

bool port_kafka_holds_lease(const struct port *port)
{
    const struct port_kafka *self = port->self;
    if (self->lease == NULL) {
        return false;
    }
    struct port_membership change;
    while (consumer_membership(self->lease, &change)) {
        if (change.change == PORT_REVOKED) {
            consumer_release(self->lease, change.partition);
        }
    }
    return consumer_holds(self->lease, 0);
}

bool port_kafka_lease_is_joined(const struct port *port)
{
    const struct port_kafka *self = port->self;
    return self->lease != NULL && consumer_is_joined(self->lease);
}

void port_kafka_leave(const struct port *port)
{
    const struct port_kafka *self = port->self;
    consumer_leave(self->consumer);
    consumer_leave(self->lease);
}

int64_t port_kafka_rebalances(const struct port *port, enum port_change change)
{
    const struct port_kafka *self = port->self;
    return self->consumer == NULL ? 0 : consumer_rebalances(self->consumer, change);
}
