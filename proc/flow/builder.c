/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/builder.h"

enum { CODES_A_SECTION = 80000, CONTROL_BYTES_MOST = 256 }; /* a code has 8 bytes */

struct builder builder_of(const struct partition *partition, struct group *group, uint64_t plan)
{
    return builder_for(partition->number, &partition->state, group, plan);
}

struct builder builder_for(int32_t partition, const struct state *state, struct group *group, uint64_t plan)
{
    struct builder builder = {
        .group = group,
        .most = FRAME_BYTES_MOST - FRAME_HEADER_BYTES,
        .header =
            {
                .kind = group->kind,
                .partition = (uint32_t)partition,
                .lo = group->lo,
                .hi = group->hi,
                .plan = plan,
                .event_ms_most = state->event_ms_most,
                .record_timestamp = state->record_timestamp,
                .record_crc = state->record_crc,
            },
    };
    return builder;
}

void builder_close(struct builder *builder, bool last)
{
    builder->header.last = last;
    if (builder->group->frame_count < FRAMES_A_GROUP_MOST)
        group_add_frame(builder->group, &builder->header, buffer_bytes(&builder->payload));
    else
        builder->is_full = true;
    buffer_clear(&builder->payload);
}

void builder_put_alone(struct builder *builder, enum frame_section section, struct bytes bytes)
{
    if (builder->payload.length)
        builder_close(builder, false);
    if (builder->group->frame_count == FRAMES_A_GROUP_MOST) {
        builder->is_full = true;
        return;
    }
    builder->header.last = false;
    frame_put_bytes(group_begin_frame(builder->group, &builder->header), section, bytes);
    group_end_frame(builder->group);
}

void builder_room(struct builder *builder, size_t bytes)
{
    if (builder->payload.length && builder->payload.length + bytes > builder->most)
        builder_close(builder, false);
}

void builder_put_codes(struct builder *builder, const struct dictionary *dictionary, uint32_t first)
{
    for (; first < dictionary->count; first += CODES_A_SECTION) {
        struct dictionary part = *dictionary;
        part.count = first + CODES_A_SECTION < dictionary->count ? first + CODES_A_SECTION : dictionary->count;
        builder_room(builder, 16 + (size_t)(part.count - first) * sizeof part.codes[0]);
        frame_put_codes(&builder->payload, &part, first);
    }
}

void builder_finish(struct builder *builder, const struct state *state)
{
    struct control control = state_control(state);
    builder_room(builder, CONTROL_BYTES_MOST);
    frame_put_control(&builder->payload, &control);
    builder_close(builder, true);
    buffer_fini(&builder->payload);
}
