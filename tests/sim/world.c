/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/world.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct stored {
    struct world_record record;
    uint8_t *bytes; /* key, then value */
};

struct log {
    struct stored *records;
    int64_t next;
    int64_t capacity;
    int64_t first;
};

struct world {
    int32_t partitions[PORT_TOPICS];
    struct log *logs[PORT_TOPICS];
    int64_t *committed;
    int64_t now_ms;
};

struct append {
    struct append *next;
    enum port_topic topic;
    int32_t partition;
    struct world_record record;
    uint8_t *bytes;
    uint64_t token;
};

struct ack_node {
    struct ack_node *next;
    struct port_ack ack;
};

struct lane {
    struct append *first;
    struct append **last;
    size_t queued;
    struct ack_node *acks;
    struct ack_node **acks_last;
    enum err refuse;
};

struct input {
    bool started;
    int64_t position;
};

struct change_node {
    struct change_node *next;
    struct port_membership change;
};

struct process {
    struct world *world;
    struct port port;
    struct lane *lanes;
    int32_t lane_count;
    struct input *inputs;
    struct change_node *changes;
};

struct port_stream {
    enum port_topic topic;
    int32_t partition;
    int64_t position;
};

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

static struct log *log_of(const struct world *world, enum port_topic topic, int32_t partition)
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
    struct log *log = log_of(world, topic, partition);
    if (log->next == log->capacity) {
        log->capacity = log->capacity ? log->capacity * 2 : 64;
        log->records = memory_resize(log->records, (size_t)log->capacity, sizeof log->records[0]);
    }
    struct stored *stored = &log->records[log->next];
    stored->bytes = copy_record(record, &stored->record);
    return log->next++;
}

int64_t world_first(const struct world *world, enum port_topic topic, int32_t partition)
{
    return log_of(world, topic, partition)->first;
}

int64_t world_next(const struct world *world, enum port_topic topic, int32_t partition)
{
    return log_of(world, topic, partition)->next;
}

const struct world_record *world_at(const struct world *world, enum port_topic topic, int32_t partition, int64_t offset)
{
    const struct log *log = log_of(world, topic, partition);
    CHECK_SAY(offset >= log->first && offset < log->next, "offset %lld", (long long)offset);
    return &log->records[offset].record;
}

void world_trim(struct world *world, enum port_topic topic, int32_t partition, int64_t offset)
{
    struct log *log = log_of(world, topic, partition);
    if (offset > log->first)
        log->first = offset < log->next ? offset : log->next;
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

static void add_ack(struct lane *lane, uint64_t token, int32_t partition, enum err result, int64_t offset)
{
    struct ack_node *node = memory_new(1, sizeof *node);
    node->ack = (struct port_ack){token, partition, result, offset};
    *lane->acks_last = node;
    lane->acks_last = &node->next;
}

static struct append *take_append(struct process *process, int32_t lane_index)
{
    struct lane *lane = &process->lanes[lane_index];
    struct append *append = lane->first;
    if (!append)
        return NULL;
    lane->first = append->next;
    if (!lane->first)
        lane->last = &lane->first;
    lane->queued--;
    return append;
}

static void free_append(struct append *append)
{
    memory_free(append->bytes);
    memory_free(append);
}

static int64_t land(struct process *process, const struct append *append)
{
    struct world_record record = append->record;
    record.timestamp_ms = process->world->now_ms;
    return world_put(process->world, append->topic, append->partition, &record);
}

bool process_deliver(struct process *process, int32_t lane)
{
    struct append *append = take_append(process, lane);
    if (!append)
        return false;
    int64_t offset = land(process, append);
    add_ack(&process->lanes[lane], append->token, append->partition, OK, offset);
    free_append(append);
    return true;
}

bool process_misfortune(struct process *process, int32_t lane, enum fate fate)
{
    struct append *append = take_append(process, lane);
    if (!append)
        return false;
    int64_t offset = -1;
    if (fate == FATE_LANDS_ACK_LOST || fate == FATE_TWICE)
        offset = land(process, append);
    if (fate == FATE_TWICE)
        land(process, append);
    enum err result = fate == FATE_TWICE || fate == FATE_LOST_ACKED ? OK
                      : fate == FATE_TOO_LARGE                      ? ERR_LIMIT
                                                                    : ERR_RETRY;
    if (fate == FATE_LOST_ACKED)
        offset = world_next(process->world, append->topic, append->partition);
    add_ack(&process->lanes[lane], append->token, append->partition, result, offset);
    free_append(append);
    return true;
}

size_t process_queued(const struct process *process, int32_t lane)
{
    return process->lanes[lane].queued;
}

void process_refuse(struct process *process, int32_t lane, enum err err)
{
    process->lanes[lane].refuse = err;
}

static void clear_lane(struct lane *lane)
{
    while (lane->first) {
        struct append *next = lane->first->next;
        free_append(lane->first);
        lane->first = next;
    }
    while (lane->acks) {
        struct ack_node *next = lane->acks->next;
        memory_free(lane->acks);
        lane->acks = next;
    }
    *lane = (struct lane){0};
    lane->last = &lane->first;
    lane->acks_last = &lane->acks;
}

/* ---- the port ---- */

static int64_t port_now_ms(void *self)
{
    const struct process *process = self;
    return process->world->now_ms;
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
    (void)self;
    (void)partition;
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

/* Reads on from *position; a position that was trimmed away gives one fault record. */
static size_t read_log(struct world *world, enum port_topic topic, int32_t partition, int64_t *position,
                       struct port_record *out, size_t most)
{
    const struct log *log = log_of(world, topic, partition);
    if (*position < log->first && most > 0) {
        out[0] = (struct port_record){.fault = PORT_OFFSET_RESET, .partition = partition, .offset = *position};
        return 1;
    }
    size_t count = 0;
    for (; count < most && *position < log->next; ++*position, ++count) {
        const struct world_record *record = &log->records[*position].record;
        out[count] = (struct port_record){
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
    return input->started ? read_log(process->world, PORT_DECLARATIONS, partition, &input->position, out, most) : 0;
}

static bool port_input_at_end(void *self, int32_t partition)
{
    const struct process *process = self;
    const struct input *input = &process->inputs[partition];
    return input->started && input->position >= world_next(process->world, PORT_DECLARATIONS, partition);
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
    const struct process *process = self;
    (void)info;
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
    append->partition = partition >= 0 ? partition
                                       : (int32_t)((hash_murmur2(key.data, key.length) & 0x7FFFFFFFu) %
                                                   (uint32_t)process->world->partitions[topic]);
    struct world_record record = {key, value, !value.data, 0, as_of, PORT_NONE};
    append->bytes = copy_record(&record, &append->record);
    append->token = token;
    *lane->last = append;
    lane->last = &append->next;
    lane->queued++;
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
    clear_lane(&process->lanes[lane]);
}

static struct port_stream *port_stream_open(void *self, enum port_topic topic, int32_t partition, int64_t offset)
{
    (void)self;
    struct port_stream *stream = memory_new(1, sizeof *stream);
    *stream = (struct port_stream){topic, partition, offset};
    return stream;
}

static size_t port_stream_take(void *self, struct port_stream *stream, struct port_record *out, size_t most)
{
    struct process *process = self;
    return read_log(process->world, stream->topic, stream->partition, &stream->position, out, most);
}

static void port_stream_close(void *self, struct port_stream *stream)
{
    (void)self;
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
    process->lanes = memory_new((size_t)lanes, sizeof process->lanes[0]);
    for (int32_t i = 0; i < lanes; i++)
        clear_lane(&process->lanes[i]);
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
        .release = port_release,
        .bounds = port_bounds,
        .append = port_append,
        .acks = port_acks,
        .lane_reset = port_lane_reset,
        .stream_open = port_stream_open,
        .stream_take = port_stream_take,
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
        clear_lane(&process->lanes[i]);
    while (process->changes) {
        struct change_node *next = process->changes->next;
        memory_free(process->changes);
        process->changes = next;
    }
    memory_free(process->lanes);
    memory_free(process->inputs);
    memory_free(process);
}
