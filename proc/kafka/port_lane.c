/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/port_kafka_inside.h"

#include "base/check.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MOST_MS = 3600000,
    LIMIT_READS = 5,
    LIMIT_PAUSE_NS = 200000000,
};

/* Which lane of which port the calling thread works for. Streams have no lane in port.h: they wake the thread that
 * takes. */
static _Thread_local struct {
    const struct port_kafka *port;
    int32_t lane;
} bound = {NULL, NO_LANE};

int32_t port_lane_bound(const struct port_kafka *port)
{
    return bound.port == port ? bound.lane : NO_LANE;
}

static struct port_lane *lane_of(struct port_kafka *port, int32_t lane)
{
    CHECK_SAY(lane >= 0 && lane < port->lane_count, "lane %d of %d", lane, port->lane_count);
    bound.port = port;
    bound.lane = lane;
    return &port->lanes[lane];
}

static enum err lane_open(struct port_kafka *port, struct port_lane *lane, struct err_info *info)
{
    TRY(producer_open(&lane->options, port->health, &lane->producer, info));
    producer_wake_fd(lane->producer, lane->fd);
    return OK;
}

enum err port_lane_append(void *self, int32_t lane_index, enum port_topic topic, int32_t partition, struct bytes key,
                          struct bytes value, int64_t as_of, uint64_t token, struct err_info *info)
{
    struct port_lane *lane = lane_of(self, lane_index);
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

size_t port_lane_acks(void *self, int32_t lane_index, struct port_ack *out, size_t most)
{
    struct port_lane *lane = lane_of(self, lane_index);
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
static void read_limit(struct port_kafka *port, struct port_lane *lane)
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

void port_lane_reset(void *self, int32_t lane_index)
{
    struct port_kafka *port = self;
    struct port_lane *lane = lane_of(port, lane_index);
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

void port_lane_wake(void *self, int32_t lane)
{
    struct port_kafka *port = self;
    CHECK_SAY(lane >= 0 && lane < port->lane_count, "lane %d of %d", lane, port->lane_count);
    ring(port->lanes[lane].fd);
}

void port_lane_wait(void *self, int32_t lane_index, int64_t timeout_ms)
{
    struct port_lane *lane = lane_of(self, lane_index);
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

enum err port_lanes_open(struct port_kafka *port, struct err_info *info)
{
    for (int32_t i = 0; i < port->lane_count; i++) {
        struct port_lane *lane = &port->lanes[i];
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

void port_lanes_close(struct port_kafka *port)
{
    for (int32_t i = 0; i < port->lane_count; i++) {
        producer_close(port->lanes[i].producer);
        if (port->lanes[i].fd >= 0) {
            close(port->lanes[i].fd);
        }
    }
}
