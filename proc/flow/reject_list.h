/* SPDX-License-Identifier: Apache-2.0
 * reject_list.h - which records of topic.rejects are not void, as far back as that topic keeps them.
 *
 * A reject counts if an accepted group lists it. Trimming deletes the groups, so their lists go on in the slices of snapshots, each
 * reject in the slice of its offset, until topic.rejects has deleted it.
 * Units:   a day is days since 1970 of the writing, by the writer's clock: it decides how long a reject is kept, never a sum
 * Memory:  16 bytes a reject
 * Thread:  one owner
 */
#pragma once

#include "flow/slice.h"

enum { REJECT_LIST_DAYS = 30 }; /* what topic.rejects is created with */

struct reject_kept {
    int64_t offset;
    int32_t index; /* in a batch, -1 for a single one */
    uint16_t rule_number;
    uint16_t day;
};

struct reject_list {
    struct reject_kept *kept[SLICES]; /* oldest first */
    size_t count[SLICES];
    size_t capacity[SLICES];
};

void reject_list_fini(struct reject_list *list);

void reject_list_add(struct reject_list *list, const struct reject_place *place, int32_t day);

/* Forgets what was written before `day` in a slice. */
void reject_list_expire(struct reject_list *list, uint32_t slice, int32_t day);

/* Appends a LISTED section of entries [*index, at most `most` more) of a slice, and moves *index behind them. */
void reject_list_put(struct buffer *out, const struct reject_list *list, uint32_t slice, size_t *index, size_t most);

/* Adds the entries of a LISTED section. False: broken, or of another slice. */
bool reject_list_get(struct bytes bytes, struct reject_list *list, uint32_t slice);
