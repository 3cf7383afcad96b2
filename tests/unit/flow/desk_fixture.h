/* SPDX-License-Identifier: Apache-2.0
 * desk_fixture.h - one partition with a state and an open group but no life: for tests of what happens between records
 * and frames.
 *
 * Memory:  the desk owns everything; records borrow from it until desk_fini
 */
#pragma once

#include "flow/seal.h"
#include "flow/settle.h"
#include "host_fixture.h"

#include <zstd.h>

struct desk {
    struct fixture f;
    struct process *process;
    struct worker_counters counters;
    struct partition_context context;
    struct partition_status status;
    struct partition partition;
    int64_t at; /* offset of the next record to settle */
};

static inline struct batch_options desk_batch_options(const struct fixture *f)
{
    return (struct batch_options){
        .envelope = {INPUT_AUTO, 1 << 20}, .key_check = BATCH_KEY_ID, .partitions = PARTS, .rules = f->rules};
}

static inline uint64_t desk_random(void *context)
{
    (void)context;
    return 42;
}

static inline void desk_init(struct desk *desk)
{
    *desk = (struct desk){0};
    wire_init();
    fixture_init(&desk->f);
    desk->process = process_new(desk->f.world, 1);
    pthread_mutex_init(&desk->status.lock, NULL);
    struct batch_options options = desk_batch_options(&desk->f);
    desk->context = (struct partition_context){
        .port = process_port(desk->process),
        .plan = &desk->f.plan,
        .ruleset = &desk->f.ruleset,
        .topic = TEXT("t"),
        .random = desk_random,
        .batch = batch_new(&options),
        .counters = &desk->counters,
    };
    partition_init(&desk->partition, &desk->context, &desk->status, 0);
    state_init(&desk->partition.state, &desk->f.plan, 1);
    desk->partition.has_state = true;
    seal_begin(&desk->partition);
}

static inline void desk_fini(struct desk *desk)
{
    partition_fini(&desk->partition);
    batch_free(desk->context.batch);
    contribution_fini(&desk->context.fresh);
    contribution_fini(&desk->context.stored);
    buffer_fini(&desk->context.bytes);
    process_kill(desk->process);
    fixture_fini(&desk->f);
}

static inline struct port_record desk_record(const struct desk *desk, int64_t offset)
{
    const struct world_record *record = world_at(desk->f.world, PORT_DECLARATIONS, 0, offset);
    return (struct port_record){.key = record->key,
                                .value = record->value,
                                .is_null = record->is_null,
                                .offset = offset,
                                .timestamp_ms = record->timestamp_ms};
}

/* Settles what the log of partition 0 has got since the last call. */
static inline enum err desk_settle(struct desk *desk, struct err_info *info)
{
    struct batch *batch = desk->context.batch;
    for (; desk->at < world_next(desk->f.world, PORT_DECLARATIONS, 0); desk->at++) {
        struct port_record record = desk_record(desk, desk->at);
        size_t next = 0;
        do {
            batch_fill(batch, &record, 1, &next);
            batch_decode(batch);
            batch_judge(batch);
            TRY(settle_batch(&desk->partition, batch, info));
        } while (batch->record_open);
        desk->partition.state.hi = desk->at + 1;
        desk->partition.state.has_record = true;
        desk->partition.open.group->counts.records++;
    }
    return OK;
}

static inline void desk_put(struct desk *desk, const struct sample *sample)
{
    struct err_info info;
    fixture_put(&desk->f, 0, sample);
    enum err err = desk_settle(desk, &info);
    cr_assert_eq(err, OK, "%s", info.text);
}

static inline const struct counts *desk_counts(const struct desk *desk)
{
    return &desk->partition.open.group->counts;
}

/* Appends an element of a DeclarationBatch. */
static inline void desk_add_element(struct buffer *out, const struct sample *sample)
{
    struct buffer bytes = {0};
    sample_encode(sample, &bytes);
    buffer_add_u8(out, 0x0A);
    buffer_add_varint(out, bytes.length);
    buffer_add(out, bytes.data, bytes.length);
    buffer_fini(&bytes);
}

/* Puts a zstd frame in the place of what is in `value`. */
static inline void desk_compress(struct buffer *value)
{
    struct buffer out = {0};
    size_t most = ZSTD_compressBound(value->length);
    out.length = ZSTD_compress(buffer_reserve(&out, most), most, value->data, value->length, 1);
    cr_assert(!ZSTD_isError(out.length));
    buffer_fini(value);
    *value = out;
}
