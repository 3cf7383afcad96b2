/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/group.h"

#include "base/check.h"
#include "base/memory.h"

struct group *group_new(void)
{
    return memory_new(1, sizeof(struct group));
}

void group_free(struct group *group)
{
    if (!group)
        return;
    buffer_fini(&group->bytes);
    buffer_fini(&group->reject_bytes);
    memory_free(group->rejects);
    memory_free(group);
}

void group_reset(struct group *group)
{
    struct buffer bytes = group->bytes;
    struct buffer reject_bytes = group->reject_bytes;
    struct group_reject *rejects = group->rejects;
    size_t capacity = group->reject_capacity;
    memset(group, 0, sizeof *group);
    bytes.length = 0;
    reject_bytes.length = 0;
    group->bytes = bytes;
    group->reject_bytes = reject_bytes;
    group->rejects = rejects;
    group->reject_capacity = capacity;
}

void group_rest(struct group *group)
{
    buffer_relax(&group->bytes);
    buffer_relax(&group->reject_bytes);
}

void group_unsend(struct group *group)
{
    group->frames_sent = 0;
    group->frames_acked = 0;
    group->sent_bytes = 0;
    group->acked_ms = 0;
    group->seq_last = 0;
    group->rejects_sent = 0;
    group->rejects_acked = 0;
    for (size_t i = 0; i < group->reject_count; i++) {
        group->rejects[i].sent = group->rejects[i].acked;
        group->rejects_sent += group->rejects[i].acked;
        group->rejects_acked += group->rejects[i].acked;
    }
}

struct buffer *group_begin_frame(struct group *group, const struct frame *header)
{
    CHECK_SAY(group->frame_count < FRAMES_A_GROUP_MOST, "group [%lld, %lld)", (long long)group->lo,
              (long long)group->hi);
    uint8_t head[FRAME_HEADER_BYTES];
    frame_write_header(header, head);
    group->frame_begin = group->bytes.length;
    buffer_add(&group->bytes, head, sizeof head);
    return &group->bytes;
}

void group_end_frame(struct group *group)
{
    group->frame_bytes[group->frame_count++] = group->bytes.length - group->frame_begin;
}

void group_add_frame(struct group *group, const struct frame *header, struct bytes payload)
{
    buffer_add(group_begin_frame(group, header), payload.data, payload.length);
    group_end_frame(group);
}

struct group_reject *group_add_reject(struct group *group)
{
    if (group->reject_count == group->reject_capacity) {
        group->reject_capacity = group->reject_capacity ? group->reject_capacity * 2 : 64;
        group->rejects = memory_resize(group->rejects, group->reject_capacity, sizeof group->rejects[0]);
    }
    struct group_reject *reject = &group->rejects[group->reject_count++];
    *reject = (struct group_reject){.key_at = group->reject_bytes.length};
    return reject;
}

bool group_rejects_durable(const struct group *group)
{
    return group->rejects_acked == group->reject_count;
}

bool group_is_sent(const struct group *group)
{
    return group->frames_sent == group->frame_count;
}
