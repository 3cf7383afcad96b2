/* SPDX-License-Identifier: Apache-2.0
 *
 * Overview: one member handle (who owns what), one input handle (declarations), one producer a lane (port_lane.c), and a small pool of
 * reader handles for streams (port_stream.c).
 */
#include "kafka/port_kafka_inside.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"

#include <stdio.h>

enum {
    SERVE_EACH_MS = 200,
    NUDGE_EACH_MS = 50,
    NUDGE_RECORDS = 10000, /* fewer since the last nudge can't have emptied a full queue */
    FREE_AFTER_MS = 1000,
};

static struct port_input *input_of(struct port_kafka *port, int32_t partition)
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

/* ---- membership ---- */

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

/* ---- input ---- */

static void port_input_stop(void *self, int32_t partition)
{
    struct port_input *input = input_of(self, partition);
    reader_stop(input->log);
    input->log = NULL;
}

static enum err port_input_start(void *self, int32_t lane, int32_t partition, int64_t offset, struct err_info *info)
{
    struct port_kafka *port = self;
    struct port_input *input = input_of(port, partition);
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
    struct port_input *input = input_of(port, partition);
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
    const struct port_input *input = input_of(self, partition);
    return input->log != NULL && reader_at_end(input->log);
}

static bool port_input_waits(void *self, int32_t partition)
{
    const struct port_input *input = input_of(self, partition);
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

static enum err port_trim(void *self, int32_t partition, int64_t offset, struct err_info *info)
{
    return admin_delete_records(((struct port_kafka *)self)->admin, PORT_JOURNAL, partition, offset, info);
}

/* ---- open and close ---- */

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
    TRY(port_lanes_open(port, info));
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
        .append = port_lane_append,
        .acks = port_lane_acks,
        .lane_reset = port_lane_reset,
        .stream_open = port_stream_open,
        .stream_take = port_stream_take,
        .stream_at_end = port_stream_at_end,
        .stream_close = port_stream_close,
        .trim = port_trim,
        .wait = port_lane_wait,
        .wake = port_lane_wake,
    };
    enum err err = open_all(port, info);
    if (err != OK) {
        port_kafka_close(&opened, FREE_AFTER_MS);
        return err;
    }
    *out = opened;
    return OK;
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
    port_lanes_close(port);
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

/* ---- views ---- */

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
