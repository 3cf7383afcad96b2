/* SPDX-License-Identifier: Apache-2.0
 * builder.h - sections -> the frames of one group, each with as many sections as fit.
 *
 * Limits:  FRAME_BYTES_MOST a frame, FRAMES_A_GROUP_MOST a group: beyond them nothing is added and is_full is set
 * Memory:  owns the payload at hand until builder_finish
 * Thread:  one owner (a worker)
 */
#pragma once

#include "flow/group.h"
#include "flow/partition.h"

struct builder {
    struct group *group; /* borrowed */
    struct frame header;
    struct buffer payload; /* of the frame at hand */
    size_t most;           /* bytes a payload may have */
    bool is_full;
};

/* Frames of the group's kind and range with the marks of the partition's state. */
struct builder builder_of(const struct partition *partition, struct group *group, uint64_t plan);

/* The same without a partition: for groups that only a state and a number are needed for. */
struct builder builder_for(int32_t partition, const struct state *state, struct group *group, uint64_t plan);

/* Ends the frame at hand. */
void builder_close(struct builder *builder, bool last);

/* Makes a frame of this section alone, not the last of its group, and without the way through the payload. */
void builder_put_alone(struct builder *builder, enum frame_section section, struct bytes bytes);

/* A section of at most `bytes` is about to come: ends the frame at hand if it has no room for it. */
void builder_room(struct builder *builder, size_t bytes);

/* The codes from number `first` on, in as many sections as need be. */
void builder_put_codes(struct builder *builder, const struct dictionary *dictionary, uint32_t first);

/* Adds the control totals, ends the last frame, frees the payload. */
void builder_finish(struct builder *builder, const struct state *state);
