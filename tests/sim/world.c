/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/world.h"

#include "base/check.h"
#include "base/crc.h"
#include "base/hash.h"
#include "base/memory.h"
#include "sim/world_inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- world ---- */

struct world *world_new(int32_t partitions, int32_t statistics_partitions)
{
    struct world *world = memory_new(1, sizeof *world);
    for (int topic = 0; topic < PORT_TOPICS; topic++) {
        world->partitions[topic] = topic == PORT_STATISTICS ? statistics_partitions
                                   : topic == PORT_REJECTS  ? 1
                                                            : partitions;
        world->logs[topic] = memory_new((size_t)world->partitions[topic], sizeof(struct log));
    }
    world->committed = memory_new((size_t)partitions, sizeof world->committed[0]);
    for (int32_t i = 0; i < partitions; i++)
        world->committed[i] = -1;
    return world;
}

void world_free(struct world *world)
{
    if (!world)
        return;
    for (int topic = 0; topic < PORT_TOPICS; topic++) {
        for (int32_t p = 0; p < world->partitions[topic]; p++) {
            struct log *log = &world->logs[topic][p];
            for (int64_t i = 0; i < log->next; i++)
                memory_free(log->records[i].bytes);
            memory_free(log->records);
        }
        memory_free(world->logs[topic]);
    }
    memory_free(world->committed);
    while (world->strays) {
        struct append *next = world->strays->next;
        append_free(world->strays);
        world->strays = next;
    }
    memory_free(world);
}

void world_set_now(struct world *world, int64_t now_ms)
{
    world->now_ms = now_ms;
}

int64_t world_now(const struct world *world)
{
    return world->now_ms;
}

struct log *world_log(const struct world *world, enum port_topic topic, int32_t partition)
{
    CHECK_SAY(partition >= 0 && partition < world->partitions[topic], "topic %d partition %d", (int)topic, partition);
    return &world->logs[topic][partition];
}

static uint8_t *copy_record(const struct world_record *record, struct world_record *out)
{
    uint8_t *bytes = memory_new(record->key.length + record->value.length + 1, 1);
    if (record->key.length)
        memcpy(bytes, record->key.data, record->key.length);
    if (record->value.length)
        memcpy(bytes + record->key.length, record->value.data, record->value.length);
    *out = *record;
    out->key.data = bytes;
    out->value.data = bytes + record->key.length;
    return bytes;
}

int64_t world_put(struct world *world, enum port_topic topic, int32_t partition, const struct world_record *record)
{
    struct log *log = world_log(world, topic, partition);
    if (log->next == log->capacity) {
        log->capacity = log->capacity ? log->capacity * 2 : 64;
        log->records = memory_resize(log->records, (size_t)log->capacity, sizeof log->records[0]);
    }
    struct stored *stored = &log->records[log->next];
    stored->bytes = copy_record(record, &stored->record);
    stored->is_hole = false;
    uint64_t place = (uint64_t)topic << 56 | (uint64_t)(uint32_t)partition << 32 | (uint64_t)log->next;
    uint64_t content = (uint64_t)crc32c(0, record->key.data, record->key.length) << 32 |
                       crc32c(0, record->value.data, record->value.length);
    world->trace = hash_words2(place ^ world->trace, content, (uint64_t)world->now_ms);
    return log->next++;
}

int64_t world_first(const struct world *world, enum port_topic topic, int32_t partition)
{
    return world_log(world, topic, partition)->first;
}

int64_t world_next(const struct world *world, enum port_topic topic, int32_t partition)
{
    return world_log(world, topic, partition)->next;
}

const struct world_record *world_at(const struct world *world, enum port_topic topic, int32_t partition, int64_t offset)
{
    const struct log *log = world_log(world, topic, partition);
    CHECK_SAY(offset >= log->first && offset < log->next, "offset %lld", (long long)offset);
    return &log->records[offset].record;
}

const struct world_record *world_at_ever(const struct world *world, enum port_topic topic, int32_t partition,
                                         int64_t offset)
{
    const struct log *log = world_log(world, topic, partition);
    CHECK_SAY(offset >= 0 && offset < log->next, "offset %lld", (long long)offset);
    return &log->records[offset].record;
}

void world_spoil(struct world *world, enum port_topic topic, int32_t partition, int64_t offset)
{
    struct log *log = world_log(world, topic, partition);
    CHECK_SAY(offset >= 0 && offset < log->next, "offset %lld", (long long)offset);
    log->records[offset].record.fault = PORT_BAD_CRC;
}

void world_recreate(struct world *world, enum port_topic topic, int32_t partition)
{
    struct log *log = world_log(world, topic, partition);
    for (int64_t offset = 0; offset < log->next; offset++)
        memory_free(log->records[offset].bytes);
    log->first = 0;
    log->next = 0;
}

void world_trim(struct world *world, enum port_topic topic, int32_t partition, int64_t offset)
{
    struct log *log = world_log(world, topic, partition);
    if (offset > log->first)
        log->first = offset < log->next ? offset : log->next;
}

void world_forget(struct world *world, enum port_topic topic, int32_t partition)
{
    struct log *log = world_log(world, topic, partition);
    for (int64_t i = log->first - 1; i >= 0 && log->records[i].bytes; i--) {
        memory_free(log->records[i].bytes);
        log->records[i] = (struct stored){0};
    }
}

void world_begin_at(struct world *world, enum port_topic topic, int32_t partition, int64_t offset)
{
    struct log *log = world_log(world, topic, partition);
    CHECK(log->next == 0 && offset >= 0);
    log->capacity = offset + 64;
    memory_free(log->records);
    log->records = memory_new((size_t)log->capacity, sizeof log->records[0]); /* pages nobody touches cost nothing */
    log->first = offset;
    log->next = offset;
}

int64_t world_committed(const struct world *world, int32_t partition)
{
    return world->committed[partition];
}

void world_set_committed(struct world *world, int32_t partition, int64_t offset)
{
    world->committed[partition] = offset;
}

/* ---- lanes ---- */

void lane_ack(struct lane *lane, const struct append *append, enum err result, int64_t offset)
{
    struct ack_node *node = memory_new(1, sizeof *node);
    node->ack = (struct port_ack){append->token, append->partition, result, offset};
    *lane->acks_last = node;
    lane->acks_last = &node->next;
}

static bool same_place(const struct append *a, const struct append *b)
{
    return a->topic == b->topic && a->partition == b->partition;
}

struct append *lane_take(struct lane *lane, size_t index)
{
    const struct append *wanted = lane->first;
    for (; wanted && index > 0; index--)
        wanted = wanted->next;
    if (!wanted)
        return NULL;
    struct append **link = &lane->first;
    while (!same_place(*link, wanted))
        link = &(*link)->next;
    struct append *append = *link;
    *link = append->next;
    if (!append->next)
        lane->last = link;
    append->next = NULL;
    lane->queued--;
    return append;
}

void lane_put(struct lane *lane, struct append *append)
{
    append->next = NULL;
    *lane->last = append;
    lane->last = &append->next;
    lane->queued++;
}

void append_free(struct append *append)
{
    memory_free(append->bytes);
    memory_free(append);
}

struct append *append_copy(const struct append *append)
{
    struct append *copy = memory_new(1, sizeof *copy);
    *copy = *append;
    copy->bytes = copy_record(&append->record, &copy->record);
    copy->next = NULL;
    return copy;
}

int64_t world_land(struct world *world, const struct append *append)
{
    struct world_record record = append->record;
    record.timestamp_ms = world->now_ms;
    return world_put(world, append->topic, append->partition, &record);
}

bool process_deliver(struct process *process, int32_t lane)
{
    return process_meet(process, lane, 0, FATE_LANDS);
}

bool process_misfortune(struct process *process, int32_t lane, enum fate fate)
{
    return process_meet(process, lane, 0, fate);
}

size_t process_queued(const struct process *process, int32_t lane)
{
    return process->lanes[lane].queued;
}

void process_refuse(struct process *process, int32_t lane, enum err err)
{
    process->lanes[lane].refuse = err;
}

/* What a producer that is gone had in flight is lost, or a stray that may still land. */
static void clear_lane(struct world *world, struct lane *lane)
{
    struct append **strays = &world->strays;
    while (*strays)
        strays = &(*strays)->next;
    while (lane->first) {
        struct append *next = lane->first->next;
        if (world->keeps_strays) {
            *strays = lane->first;
            (*strays)->next = NULL;
            strays = &(*strays)->next;
        } else {
            append_free(lane->first);
        }
        lane->first = next;
    }
    while (lane->acks) {
        struct ack_node *next = lane->acks->next;
        memory_free(lane->acks);
        lane->acks = next;
    }
    *lane = (struct lane){.producer = ++world->producers};
    lane->last = &lane->first;
    lane->acks_last = &lane->acks;
}

/* ---- the port ---- */

static int64_t port_now_ms(void *self)
{
    const struct process *process = self;
    return process->world->now_ms + process->clock_offset_ms;
}

static int32_t port_partitions(void *self, enum port_topic topic)
{
    const struct process *process = self;
    return process->world->partitions[topic];
}

static bool port_membership(void *self, struct port_membership *out)
{
    struct process *process = self;
    struct change_node *node = process->changes;
    if (!node)
        return false;
    *out = node->change;
    process->changes = node->next;
    memory_free(node);
    return true;
}

static void port_release_partition(void *self, int32_t partition)
{
    struct process *process = self;
    process->released[partition] = true;
}

static void port_commit(void *self, int32_t partition, int64_t offset)
{
    struct process *process = self;
    process->world->committed[partition] = offset;
}

static enum err port_committed(void *self, int32_t partition, int64_t *out_offset, struct err_info *info)
{
    const struct process *process = self;
    (void)info;
    *out_offset = process->world->committed[partition];
    return OK;
}

static enum err port_input_start(void *self, int32_t lane, int32_t partition, int64_t offset, struct err_info *info)
{
    struct process *process = self;
    (void)lane;
    (void)info;
    process->inputs[partition] = (struct input){true, offset};
    return OK;
}

static void port_input_stop(void *self, int32_t partition)
{
    struct process *process = self;
    process->inputs[partition].started = false;
}

/* Reads on from *position; a position that was trimmed away, and a fault that waits for this process, give one fault record. */
static size_t read_log(struct process *process, enum port_topic topic, int32_t partition, int64_t *position,
                       struct port_record *out, size_t most)
{
    const struct log *log = world_log(process->world, topic, partition);
    enum port_fault fault = process->faults[topic][partition];
    if (*position < log->first)
        fault = PORT_OFFSET_RESET;
    process->faults[topic][partition] = PORT_NONE;
    if (fault && most > 0) {
        out[0] = (struct port_record){.fault = fault, .partition = partition, .offset = *position};
        return 1;
    }
    size_t count = 0;
    for (; count < most && *position < log->next; ++*position) {
        const struct world_record *record = &log->records[*position].record;
        if (log->records[*position].is_hole)
            continue;
        out[count++] = (struct port_record){
            .key = record->key,
            .value = record->value,
            .is_null = record->is_null,
            .fault = record->fault,
            .partition = partition,
            .offset = *position,
            .timestamp_ms = record->timestamp_ms,
            .as_of = record->as_of,
        };
    }
    return count;
}

static size_t port_input_take(void *self, int32_t partition, struct port_record *out, size_t most)
{
    struct process *process = self;
    struct input *input = &process->inputs[partition];
    return input->started ? read_log(process, PORT_DECLARATIONS, partition, &input->position, out, most) : 0;
}

static bool port_input_at_end(void *self, int32_t partition)
{
    const struct process *process = self;
    const struct input *input = &process->inputs[partition];
    return input->started && input->position >= world_next(process->world, PORT_DECLARATIONS, partition);
}

static bool port_input_waits(void *self, int32_t partition)
{
    const struct process *process = self;
    const struct input *input = &process->inputs[partition];
    return input->started && input->position < world_next(process->world, PORT_DECLARATIONS, partition);
}

static void port_release(void *self, struct port_record *records, size_t count)
{
    (void)self;
    (void)records;
    (void)count;
}

static enum err port_bounds(void *self, enum port_topic topic, int32_t partition, struct port_bounds *out,
                            struct err_info *info)
{
    struct process *process = self;
    enum err result = process->bounds_result;
    process->bounds_result = OK;
    if (result != OK)
        return err_set(info, result, "the broker does not answer");
    *out = (struct port_bounds){world_first(process->world, topic, partition),
                                world_next(process->world, topic, partition)};
    return OK;
}

static enum err port_append(void *self, int32_t lane_index, enum port_topic topic, int32_t partition, struct bytes key,
                            struct bytes value, int64_t as_of, uint64_t token, struct err_info *info)
{
    struct process *process = self;
    struct lane *lane = &process->lanes[lane_index];
    if (lane->refuse != OK)
        return err_set(info, lane->refuse, "the lane refuses");
    struct append *append = memory_new(1, sizeof *append);
    append->topic = topic;
    append->partition =
        partition >= 0 ? partition : hash_partition(key.data, key.length, process->world->partitions[topic]);
    struct world_record record = {.key = key, .value = value, .is_null = !value.data, .as_of = as_of};
    append->bytes = copy_record(&record, &append->record);
    append->token = token;
    append->producer = lane->producer;
    lane_put(lane, append);
    return OK;
}

static size_t port_acks(void *self, int32_t lane_index, struct port_ack *out, size_t most)
{
    struct process *process = self;
    struct lane *lane = &process->lanes[lane_index];
    size_t count = 0;
    while (count < most && lane->acks) {
        struct ack_node *node = lane->acks;
        out[count++] = node->ack;
        lane->acks = node->next;
        if (!lane->acks)
            lane->acks_last = &lane->acks;
        memory_free(node);
    }
    return count;
}

static void port_lane_reset(void *self, int32_t lane)
{
    struct process *process = self;
    clear_lane(process->world, &process->lanes[lane]);
}

static struct port_stream *port_stream_open(void *self, enum port_topic topic, int32_t partition, int64_t offset)
{
    struct process *process = self;
    struct port_stream *stream = memory_new(1, sizeof *stream);
    *stream = (struct port_stream){process->streams, topic, partition, offset, false};
    process->streams = stream;
    return stream;
}

static size_t port_stream_take(void *self, struct port_stream *stream, struct port_record *out, size_t most)
{
    struct process *process = self;
    if (stream->is_reset && most > 0) {
        out[0] = (struct port_record){
            .fault = PORT_OFFSET_RESET, .partition = stream->partition, .offset = stream->position};
        return 1;
    }
    if (stream->topic == PORT_JOURNAL && process->world->now_ms < process->lags_until_ms)
        return 0;
    return read_log(process, stream->topic, stream->partition, &stream->position, out, most);
}

static bool port_stream_at_end(void *self, struct port_stream *stream)
{
    const struct process *process = self;
    return !stream->is_reset && stream->position >= world_next(process->world, stream->topic, stream->partition);
}

static void port_stream_close(void *self, struct port_stream *stream)
{
    struct process *process = self;
    struct port_stream **link = &process->streams;
    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    memory_free(stream);
}

static enum err port_trim(void *self, int32_t partition, int64_t offset, struct err_info *info)
{
    struct process *process = self;
    (void)info;
    world_trim(process->world, PORT_JOURNAL, partition, offset);
    return OK;
}

static void port_wait(void *self, int32_t lane, int64_t timeout_ms)
{
    struct process *process = self;
    (void)lane;
    process->world->now_ms += timeout_ms;
}

static void port_wake(void *self, int32_t lane)
{
    (void)self;
    (void)lane;
}

/* ---- processes ---- */

struct process *process_new(struct world *world, int32_t lanes)
{
    struct process *process = memory_new(1, sizeof *process);
    process->world = world;
    process->lane_count = lanes;
    process->released = memory_new((size_t)world->partitions[PORT_DECLARATIONS], sizeof process->released[0]);
    for (int topic = 0; topic < PORT_TOPICS; topic++)
        process->faults[topic] = memory_new((size_t)world->partitions[topic], sizeof process->faults[topic][0]);
    process->lanes = memory_new((size_t)lanes, sizeof process->lanes[0]);
    for (int32_t i = 0; i < lanes; i++)
        clear_lane(process->world, &process->lanes[i]);
    process->inputs = memory_new((size_t)world->partitions[PORT_DECLARATIONS], sizeof process->inputs[0]);
    process->port = (struct port){
        .self = process,
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
    return process;
}

const struct port *process_port(struct process *process)
{
    return &process->port;
}

void process_membership(struct process *process, enum port_change change, int32_t partition)
{
    struct change_node **link = &process->changes;
    while (*link)
        link = &(*link)->next;
    *link = memory_new(1, sizeof **link);
    (*link)->change = (struct port_membership){change, partition};
}

void process_kill(struct process *process)
{
    if (!process)
        return;
    for (int32_t i = 0; i < process->lane_count; i++)
        clear_lane(process->world, &process->lanes[i]);
    while (process->changes) {
        struct change_node *next = process->changes->next;
        memory_free(process->changes);
        process->changes = next;
    }
    for (int topic = 0; topic < PORT_TOPICS; topic++)
        memory_free(process->faults[topic]);
    memory_free(process->released);
    memory_free(process->lanes);
    memory_free(process->inputs);
    memory_free(process);
}
