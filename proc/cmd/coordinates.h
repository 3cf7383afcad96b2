/* SPDX-License-Identifier: Apache-2.0
 * coordinates.h - declarations of the input by where they stand: partition, offset, and index in a batch.
 *
 * In:      places in any order, each once               Out:    what stands there, in the order of the log
 * The input is read forwards once, and not where nothing is asked for over a long way. What is no more in the log (retention, a hole) is told as gone.
 * Memory:  16 bytes a place
 * Errors:  ERR_PEER as walk.h; a record that can't be read counts as gone
 * Thread:  one owner
 */
#pragma once

#include "cmd/walk.h"
#include "flow/batch.h"

struct coordinates;

/* What stands at a place; borrowed until the visitor returns. */
struct coordinates_found {
    int32_t partition;
    int64_t offset;
    int32_t index; /* in a batch, -1 for a record of one declaration, or one that is broken as a whole */
    const struct port_record *record;      /* NULL: gone */
    struct bytes bytes;                    /* of the declaration; of the whole value if it is broken */
    const struct declaration *declaration; /* NULL if it does not decode */
    bool has_header;                       /* the record's value begins with a Confluent header */
};

struct coordinates *coordinates_new(void);
void coordinates_free(struct coordinates *coordinates);

void coordinates_add(struct coordinates *coordinates, int32_t partition, int64_t offset, int32_t index);

/* Visits every place. options: how the input is read; its rules are not asked. */
enum err coordinates_visit(struct coordinates *coordinates, const struct port *port,
                           const struct batch_options *options, int64_t patience_ms,
                           enum err (*visit)(void *self, const struct coordinates_found *found, struct err_info *info),
                           void *self, struct err_info *info) MUST_USE;
