/* SPDX-License-Identifier: Apache-2.0 */
#include "stress/shared.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/memory.h"
#include "sim/host.h"

#include <pthread.h>
#include <time.h>

enum { DOORS_MOST = 4, LANES = HOST_WORKERS_MOST + 1, BURST_MOST = 32, PAUSE_NS = 100000 };

/* A process, and the port that stands before its own. */
struct door {
    struct shared *shared;
    struct process *process;
    const struct port *inner;
    struct port port;
    bool woken[LANES];
};

struct shared {
    pthread_mutex_t lock; /* of all below, the world and its processes */
    pthread_cond_t news;
    struct world *world;
    int64_t start_ms;
    int64_t started_ns;
    struct door doors[DOORS_MOST];
    int door_count;
    struct dice dice;
    uint32_t failures;
    int64_t failed;
    pthread_t deliverer;
    struct counter stop;
};

static void enter(struct shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    world_set_now(shared->world, shared->start_ms + (clock_steady_ns() - shared->started_ns) / 1000000);
}

static void leave(struct shared *shared)
{
    pthread_mutex_unlock(&shared->lock);
}

static void wake_all(struct shared *shared)
{
    for (int i = 0; i < shared->door_count; i++) {
        for (int lane = 0; lane < LANES; lane++)
            shared->doors[i].woken[lane] = true;
    }
    pthread_cond_broadcast(&shared->news);
}

void shared_lock(struct shared *shared)
{
    enter(shared);
}

void shared_unlock(struct shared *shared)
{
    wake_all(shared);
    leave(shared);
}

/* ---- the port ---- */

/* The body of a call that gives `type`: the same call of the process's own port, under the mutex. */
#define THROUGH(type, call, ...)                                                                                       \
    struct door *door = self;                                                                                          \
    enter(door->shared);                                                                                               \
    type result = door->inner->call(door->inner->self, __VA_ARGS__);                                                   \
    leave(door->shared);                                                                                               \
    return result

#define THROUGH_VOID(call, ...)                                                                                        \
    struct door *door = self;                                                                                          \
    enter(door->shared);                                                                                               \
    door->inner->call(door->inner->self, __VA_ARGS__);                                                                 \
    leave(door->shared)

static int64_t door_now_ms(void *self)
{
    struct door *door = self;
    enter(door->shared);
    int64_t now_ms = door->inner->now_ms(door->inner->self);
    leave(door->shared);
    return now_ms;
}

static int32_t door_partitions(void *self, enum port_topic topic)
{
    THROUGH(int32_t, partitions, topic);
}

static bool door_membership(void *self, struct port_membership *out)
{
    THROUGH(bool, membership, out);
}

static void door_release_partition(void *self, int32_t partition)
{
    THROUGH_VOID(release_partition, partition);
}

static void door_commit(void *self, int32_t partition, int64_t offset)
{
    THROUGH_VOID(commit, partition, offset);
}

static enum err door_committed(void *self, int32_t partition, int64_t *out_offset, struct err_info *info)
{
    THROUGH(enum err, committed, partition, out_offset, info);
}

static enum err door_input_start(void *self, int32_t lane, int32_t partition, int64_t offset, struct err_info *info)
{
    THROUGH(enum err, input_start, lane, partition, offset, info);
}

static void door_input_stop(void *self, int32_t partition)
{
    THROUGH_VOID(input_stop, partition);
}

static size_t door_input_take(void *self, int32_t partition, struct port_record *out, size_t most)
{
    THROUGH(size_t, input_take, partition, out, most);
}

static bool door_input_at_end(void *self, int32_t partition)
{
    THROUGH(bool, input_at_end, partition);
}

static bool door_input_waits(void *self, int32_t partition)
{
    THROUGH(bool, input_waits, partition);
}

static void door_release(void *self, struct port_record *records, size_t count)
{
    THROUGH_VOID(release, records, count);
}

static enum err door_bounds(void *self, enum port_topic topic, int32_t partition, struct port_bounds *out,
                            struct err_info *info)
{
    THROUGH(enum err, bounds, topic, partition, out, info);
}

static enum err door_append(void *self, int32_t lane, enum port_topic topic, int32_t partition, struct bytes key,
                            struct bytes value, int64_t as_of, uint64_t token, struct err_info *info)
{
    THROUGH(enum err, append, lane, topic, partition, key, value, as_of, token, info);
}

static size_t door_acks(void *self, int32_t lane, struct port_ack *out, size_t most)
{
    THROUGH(size_t, acks, lane, out, most);
}

static void door_lane_reset(void *self, int32_t lane)
{
    THROUGH_VOID(lane_reset, lane);
}

static struct port_stream *door_stream_open(void *self, enum port_topic topic, int32_t partition, int64_t offset)
{
    THROUGH(struct port_stream *, stream_open, topic, partition, offset);
}

static size_t door_stream_take(void *self, struct port_stream *stream, struct port_record *out, size_t most)
{
    THROUGH(size_t, stream_take, stream, out, most);
}

static bool door_stream_at_end(void *self, struct port_stream *stream)
{
    THROUGH(bool, stream_at_end, stream);
}

static void door_stream_close(void *self, struct port_stream *stream)
{
    THROUGH_VOID(stream_close, stream);
}

static enum err door_trim(void *self, int32_t partition, int64_t offset, struct err_info *info)
{
    THROUGH(enum err, trim, partition, offset, info);
}

static void door_wait(void *self, int32_t lane, int64_t timeout_ms)
{
    struct door *door = self;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t ns = until.tv_nsec + timeout_ms * 1000000;
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    enter(door->shared);
    int timed_out = 0;
    while (!door->woken[lane] && !timed_out)
        timed_out = pthread_cond_timedwait(&door->shared->news, &door->shared->lock, &until);
    door->woken[lane] = false;
    leave(door->shared);
}

static void door_wake(void *self, int32_t lane)
{
    struct door *door = self;
    enter(door->shared);
    door->woken[lane] = true;
    pthread_cond_broadcast(&door->shared->news);
    leave(door->shared);
}

const struct port *shared_over(void *self, struct process *process)
{
    struct shared *shared = self;
    CHECK(shared->door_count < DOORS_MOST);
    struct door *door = &shared->doors[shared->door_count++];
    *door = (struct door){.shared = shared, .process = process, .inner = process_port(process)};
    door->port = (struct port){
        .self = door,
        .now_ms = door_now_ms,
        .partitions = door_partitions,
        .membership = door_membership,
        .release_partition = door_release_partition,
        .commit = door_commit,
        .committed = door_committed,
        .input_start = door_input_start,
        .input_stop = door_input_stop,
        .input_take = door_input_take,
        .input_at_end = door_input_at_end,
        .input_waits = door_input_waits,
        .release = door_release,
        .bounds = door_bounds,
        .append = door_append,
        .acks = door_acks,
        .lane_reset = door_lane_reset,
        .stream_open = door_stream_open,
        .stream_take = door_stream_take,
        .stream_at_end = door_stream_at_end,
        .stream_close = door_stream_close,
        .trim = door_trim,
        .wait = door_wait,
        .wake = door_wake,
    };
    return &door->port;
}

/* ---- delivery ---- */

static enum fate draw_fate(struct shared *shared, int32_t lane)
{
    if (lane == LANES - 1 || !dice_luck(&shared->dice, shared->failures))
        return FATE_LANDS;
    shared->failed++;
    return dice_luck(&shared->dice, 5000) ? FATE_LANDS_ACK_LOST : FATE_LOST;
}

/* A burst of one lane, its partitions in any order. */
static bool deliver(struct shared *shared, struct process *process, int32_t lane)
{
    bool did = false;
    for (uint32_t burst = dice_below(&shared->dice, BURST_MOST); burst > 0; burst--) {
        size_t queued = process_queued(process, lane);
        if (queued == 0)
            break;
        process_meet(process, lane, dice_below(&shared->dice, queued), draw_fate(shared, lane));
        did = true;
    }
    return did;
}

static void *deliverer_main(void *argument)
{
    struct shared *shared = argument;
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    while (!counter_read(&shared->stop)) {
        enter(shared);
        bool did = false;
        for (int i = 0; i < shared->door_count; i++) {
            for (int32_t lane = 0; lane < LANES; lane++)
                did = deliver(shared, shared->doors[i].process, lane) || did;
        }
        if (did)
            wake_all(shared);
        leave(shared);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

void shared_start(struct shared *shared)
{
    CHECK(pthread_create(&shared->deliverer, NULL, deliverer_main, shared) == 0);
}

void shared_stop(struct shared *shared)
{
    counter_set(&shared->stop, 1);
    pthread_join(shared->deliverer, NULL);
}

size_t shared_queued(const struct shared *shared)
{
    size_t count = 0;
    for (int i = 0; i < shared->door_count; i++) {
        for (int32_t lane = 0; lane < LANES; lane++)
            count += process_queued(shared->doors[i].process, lane);
    }
    return count;
}

int64_t shared_failures(const struct shared *shared)
{
    return shared->failed;
}

struct shared *shared_new(struct world *world, int64_t start_ms, uint64_t seed, uint32_t failures)
{
    struct shared *shared = memory_new(1, sizeof *shared);
    *shared = (struct shared){
        .world = world, .start_ms = start_ms, .started_ns = clock_steady_ns(), .dice = {seed}, .failures = failures};
    pthread_mutex_init(&shared->lock, NULL);
    pthread_cond_init(&shared->news, NULL);
    return shared;
}

void shared_free(struct shared *shared)
{
    pthread_mutex_destroy(&shared->lock);
    pthread_cond_destroy(&shared->news);
    memory_free(shared);
}
