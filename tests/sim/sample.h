/* SPDX-License-Identifier: Apache-2.0
 * sample.h - small valid declarations for tests of flow/: scheme OTHER, reporter CN, over the lists of tests/data/reference.
 *
 * Memory:  a sample owns its texts and items; declaration borrows from it
 */
#pragma once

#include "base/buffer.h"
#include "sim/world.h"
#include "trade/declaration.h"

enum { SAMPLE_ITEMS_MOST = 8 };

struct sample {
    struct declaration declaration;
    struct item items[SAMPLE_ITEMS_MOST];
    char id[DECLARATION_ID_BYTES + 1];
};

/* A valid original of one item. */
void sample_init(struct sample *sample, const char *id);

/* The same id as a replacement with that version. */
void sample_replace(struct sample *sample, uint32_t version);

/* A cancel of that version: function, id, version and times only. */
void sample_cancel(struct sample *sample, uint32_t version);

/* Adds a copy of the first item with that code and value. */
struct item *sample_add_item(struct sample *sample, const char *hs_code, int64_t value_minor);

/* Appends the canonical bytes. */
void sample_encode(const struct sample *sample, struct buffer *out);

/* Appends it to the declarations of a partition, by its id. Returns the offset. */
int64_t sample_put(const struct sample *sample, struct world *world, int32_t partition, int64_t timestamp_ms);
