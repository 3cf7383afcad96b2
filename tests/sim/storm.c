/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/storm.h"

#include "base/check.h"
#include "base/memory.h"
#include "sim/world_inside.h"

#include <string.h>

/* ---- fates ---- */

static enum err result_of(enum fate fate)
{
    if (fate == FATE_LANDS || fate == FATE_TWICE || fate == FATE_LOST_ACKED)
        return OK;
    return fate == FATE_TOO_LARGE ? ERR_LIMIT : ERR_RETRY;
}

bool process_meet(struct process *process, int32_t lane_index, size_t index, enum fate fate)
{
    struct world *world = process->world;
    struct lane *lane = &process->lanes[lane_index];
    struct append *append = lane_take(lane, index);
    if (!append)
        return false;
    if (fate == FATE_LATER) {
        lane_put(lane, append);
        return true;
    }
    int64_t offset = -1;
    if (fate == FATE_LANDS || fate == FATE_LANDS_ACK_LOST || fate == FATE_TWICE)
        offset = world_land(world, append);
    if (fate == FATE_TWICE)
        world_land(world, append);
    if (fate == FATE_LOST_ACKED)
        offset = world_next(world, append->topic, append->partition);
    lane_ack(lane, append, result_of(fate), offset);
    append_free(append);
    return true;
}

enum port_topic process_topic(const struct process *process, int32_t lane, size_t index)
{
    const struct append *append = process->lanes[lane].first;
    for (; index > 0; index--)
        append = append->next;
    return append->topic;
}

/* ---- strays ---- */

void world_keep_strays(struct world *world)
{
    world->keeps_strays = true;
}

size_t world_strays(const struct world *world)
{
    size_t count = 0;
    for (const struct append *stray = world->strays; stray; stray = stray->next)
        count++;
    return count;
}

bool world_stray(struct world *world, size_t index, bool lands)
{
    const struct append *wanted = world->strays;
    for (; wanted && index > 0; index--)
        wanted = wanted->next;
    if (!wanted)
        return false;
    struct append **link = &world->strays;
    while ((*link)->producer != wanted->producer || (*link)->topic != wanted->topic ||
           (*link)->partition != wanted->partition)
        link = &(*link)->next;
    struct append *stray = *link;
    *link = stray->next;
    if (lands)
        world_land(world, stray);
    append_free(stray);
    return true;
}

enum port_topic world_stray_topic(const struct world *world, size_t index)
{
    const struct append *stray = world->strays;
    for (; index > 0; index--)
        stray = stray->next;
    return stray->topic;
}

void world_copy_late(struct world *world, enum port_topic topic, int32_t partition, int64_t offset)
{
    CHECK(topic == PORT_JOURNAL || topic == PORT_REJECTS); /* the publisher's producer is idempotent */
    struct append original = {.topic = topic,
                              .partition = partition,
                              .record = *world_at(world, topic, partition, offset),
                              .producer = ++world->producers};
    struct append **link = &world->strays;
    while (*link)
        link = &(*link)->next;
    *link = append_copy(&original);
}

/* ---- logs ---- */

void world_truncate(struct world *world, enum port_topic topic, int32_t partition, int64_t next)
{
    struct log *log = world_log(world, topic, partition);
    CHECK(next >= log->first && next <= log->next);
    for (int64_t offset = next; offset < log->next; offset++)
        memory_free(log->records[offset].bytes);
    log->next = next;
}

void process_truncated(struct process *process, enum port_topic topic, int32_t partition, int64_t next)
{
    for (struct port_stream *stream = process->streams; stream; stream = stream->next) {
        if (stream->topic == topic && stream->partition == partition && stream->position > next)
            stream->is_reset = true;
    }
}

static bool same_key(const struct world_record *a, const struct world_record *b)
{
    return a->key.length == b->key.length && memcmp(a->key.data, b->key.data, a->key.length) == 0;
}

static bool has_later(const struct log *log, int64_t offset)
{
    for (int64_t later = offset + 1; later < log->next; later++) {
        if (same_key(&log->records[offset].record, &log->records[later].record))
            return true;
    }
    return false;
}

/* An earlier record of its key, compacted or not, is newer: a producer that had gone wrote this one. */
static bool is_late(const struct log *log, int64_t offset)
{
    for (int64_t earlier = log->first; earlier < offset; earlier++) {
        if (log->records[earlier].record.as_of > log->records[offset].record.as_of &&
            same_key(&log->records[offset].record, &log->records[earlier].record))
            return true;
    }
    return false;
}

size_t world_compact(struct world *world, enum port_topic topic, int32_t partition, int64_t below,
                     int64_t tombstones_below)
{
    struct log *log = world_log(world, topic, partition);
    size_t count = 0;
    for (int64_t offset = log->first; offset < below && offset < log->next; offset++) {
        if (log->records[offset].is_hole)
            continue;
        bool is_passed = log->records[offset].record.is_null && offset < tombstones_below && !is_late(log, offset);
        if (!is_passed && !has_later(log, offset))
            continue;
        log->records[offset].is_hole = true;
        count++;
    }
    return count;
}

int64_t world_put_hole(struct world *world, enum port_topic topic, int32_t partition, int64_t timestamp_ms)
{
    struct world_record nothing = {.timestamp_ms = timestamp_ms};
    int64_t offset = world_put(world, topic, partition, &nothing);
    world_log(world, topic, partition)->records[offset].is_hole = true;
    return offset;
}

bool world_is_hole(const struct world *world, enum port_topic topic, int32_t partition, int64_t offset)
{
    return world_log(world, topic, partition)->records[offset].is_hole;
}

uint64_t world_trace(const struct world *world)
{
    return world->trace;
}

/* ---- processes ---- */

void process_fault(struct process *process, enum port_topic topic, int32_t partition, enum port_fault fault)
{
    process->faults[topic][partition] = fault;
}

void process_take_again(struct process *process)
{
    for (int topic = 0; topic < PORT_TOPICS; topic++) {
        for (int32_t i = 0; i < process->world->partitions[topic]; i++)
            process->faults[topic][i] = PORT_NONE;
    }
    for (int32_t i = 0; i < process->lane_count; i++) {
        if (process->lanes[i].refuse == ERR_FULL)
            process->lanes[i].refuse = OK;
    }
}

void process_fail_bounds(struct process *process, enum err result)
{
    process->bounds_result = result;
}

bool process_rewind(struct process *process, int32_t partition, int64_t by)
{
    struct input *input = &process->inputs[partition];
    int64_t first = world_first(process->world, PORT_DECLARATIONS, partition);
    if (!input->started || input->position <= first)
        return false;
    input->position = input->position - by > first ? input->position - by : first;
    return true;
}

void process_lag(struct process *process, int64_t until_ms)
{
    process->lags_until_ms = until_ms;
}

void process_set_clock(struct process *process, int64_t offset_ms)
{
    process->clock_offset_ms = offset_ms;
}

bool process_released(struct process *process, int32_t *out_partition)
{
    for (int32_t i = 0; i < process->world->partitions[PORT_DECLARATIONS]; i++) {
        if (process->released[i]) {
            process->released[i] = false;
            *out_partition = i;
            return true;
        }
    }
    return false;
}
