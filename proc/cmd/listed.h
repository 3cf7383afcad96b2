/* SPDX-License-Identifier: Apache-2.0
 * listed.h - which declarations the journals list as rejected: a record of topic.rejects that stands in no list is void.
 *
 * In:      groups that the reader rule accepted         Out: entries by place (partition, offset, index)
 * Memory:  about 60 bytes an entry
 * Errors:  ERR_BROKEN: a list that is no list, or a place outside its group
 * Thread:  one owner
 */
#pragma once

#include "flow/port.h"
#include "flow/reader_rule.h"

struct listed_entry {
    int32_t partition;    /* of input and journal */
    uint16_t rule_number; /* as the list says */
    uint32_t copies;      /* of its record seen in topic.rejects */
    bool is_found;        /* one of them says the same rule */
    bool is_chosen;       /* what stands there in the input was asked for */
    int64_t offset;       /* of the input record */
    int32_t index;        /* in a batch, -1 for a single record */
};

struct listed;

struct listed *listed_new(void);
void listed_free(struct listed *listed);

/* Each reject of a LISTED section of the snapshot group that `first` begins: the lists of groups that were trimmed go on in it. False: broken. */
bool listed_of_slice(const struct frame *first, struct bytes bytes,
                     void (*take)(void *context, const struct reject_place *place), void *context) MUST_USE;

/* Takes the lists of one group of a partition's journal. *out_count (may be NULL) gets how many it lists. */
enum err listed_take(struct listed *listed, int32_t partition, const struct frame *frames, uint32_t count,
                     uint64_t *out_count, struct err_info *info);

/* Takes the lists of all journals, as the reader rule accepts them, to the ends that they have now. ERR_BROKEN if one is
 * halted: what it lists behind that place is not known. */
enum err listed_read(struct listed *listed, const struct port *port, int64_t patience_ms, struct err_info *info);

/* The entry of a place, or NULL. Good until the next listed_take. */
struct listed_entry *listed_find(const struct listed *listed, int32_t partition, int64_t offset, int32_t index);

/* Entries by number 0 .. count - 1, in the order of the journals. */
uint32_t listed_count(const struct listed *listed);
struct listed_entry *listed_at(const struct listed *listed, uint32_t number);
