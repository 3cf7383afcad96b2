/* SPDX-License-Identifier: Apache-2.0
 * published.h - topic.statistics as a consumer holds it that follows the rule: upsert by key, ignore an as_of that is not larger, ignore
 * keys that begin with #. And which keys came since one last looked.
 *
 * Memory:  owns what it holds
 * Errors:  ERR_BROKEN: a value that is no statistic
 * Thread:  one owner
 */
#pragma once

#include "sim/world.h"

#include <jansson.h>

struct published {
    json_t *held;    /* key -> all fields of the newest record, or {"deleted": true} */
    json_t *as_of;   /* key -> that of the newest */
    json_t *emitted; /* key -> how many records came since the last look */
    int64_t *next;   /* by partition: offset of the next record to read */
    int32_t partitions;
};

void published_init(struct published *published, int32_t partitions);
/* Takes one that was never begun, zeroed. */
void published_fini(struct published *published);

/* Reads the topic on to its end. */
enum err published_read(struct published *published, const struct world *world, struct err_info *info) MUST_USE;

/* All fields of the newest record of a key; NULL: there is none, or it is a tombstone. Borrowed. */
const json_t *published_find(const struct published *published, struct text key);
bool published_is_tombstone(const struct published *published, struct text key);

/* Forgets what came so far. */
void published_look(struct published *published);
