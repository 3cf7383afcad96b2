/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/coordinates.h"

#include "base/memory.h"

#include <stdlib.h>

enum { STRIDE_MOST = 4096 }; /* records that are read and not asked for, rather than opening the log anew */

struct place {
    int64_t offset;
    int32_t partition;
    int32_t index;
};

struct coordinates {
    struct place *places;
    size_t count;
    size_t capacity;
};

struct visiting {
    const struct port *port;
    int64_t patience_ms;
    struct batch *batch;
    struct walk walk;
    int64_t low; /* of the log */
    int64_t high;
    enum err (*visit)(void *self, const struct coordinates_found *found, struct err_info *info);
    void *self;
};

struct coordinates *coordinates_new(void)
{
    return memory_new(1, sizeof(struct coordinates));
}

void coordinates_free(struct coordinates *coordinates)
{
    if (!coordinates)
        return;
    memory_free(coordinates->places);
    memory_free(coordinates);
}

void coordinates_add(struct coordinates *coordinates, int32_t partition, int64_t offset, int32_t index)
{
    if (coordinates->count == coordinates->capacity) {
        coordinates->capacity = coordinates->capacity ? coordinates->capacity * 2 : 64;
        coordinates->places = memory_resize(coordinates->places, coordinates->capacity, sizeof coordinates->places[0]);
    }
    coordinates->places[coordinates->count++] = (struct place){offset, partition, index};
}

static int in_order(const void *a, const void *b)
{
    const struct place *left = a;
    const struct place *right = b;
    if (left->partition != right->partition)
        return left->partition < right->partition ? -1 : 1;
    if (left->offset != right->offset)
        return left->offset < right->offset ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

/* ---- one record ---- */

/* Beside a zstd frame around it, the first byte tells. */
static bool has_header(const struct batch *batch, const struct port_record *record)
{
    static const uint8_t zstd[4] = {0x28, 0xB5, 0x2F, 0xFD};
    const struct envelope *envelope = &batch->envelope;
    enum input_format format = envelope->options.format;
    bool is_packed = record->value.length >= sizeof zstd && memcmp(record->value.data, zstd, sizeof zstd) == 0;
    if (format == INPUT_CONFLUENT)
        return true;
    if (format != INPUT_AUTO || record->value.length == 0)
        return false;
    return is_packed ? envelope->plain.length > 0 && envelope->plain.data[0] == 0 : record->value.data[0] == 0;
}

static enum err visit_gone(struct visiting *visiting, const struct place *places, size_t count, struct err_info *info)
{
    for (size_t i = 0; i < count; i++) {
        struct coordinates_found found = {places[i].partition, places[i].offset, places[i].index, .record = NULL};
        TRY(visiting->visit(visiting->self, &found, info));
    }
    return OK;
}

/* The declarations of one record that are asked for. */
static enum err visit_record(struct visiting *visiting, const struct port_record *record, const struct place *places,
                             size_t count, struct err_info *info)
{
    struct batch *batch = visiting->batch;
    size_t next = 0;
    size_t at = 0;
    batch_reset(batch);
    do {
        batch_fill(batch, record, 1, &next);
        batch_decode(batch);
        for (uint32_t i = 0; i < batch->count && at < count; i++) {
            const struct element *element = &batch->elements[i];
            if (element->index != places[at].index)
                continue;
            struct coordinates_found found = {
                .partition = places[at].partition,
                .offset = places[at].offset,
                .index = places[at].index,
                .record = record,
                .bytes = element->bytes,
                .declaration = element->broken == RULE_COUNT ? &batch->declarations[i] : NULL,
                .has_header = has_header(batch, record),
            };
            at++;
            enum err err = visiting->visit(visiting->self, &found, info);
            if (err != OK) {
                batch_reset(batch);
                return err;
            }
        }
    } while (batch->record_open);
    return visit_gone(visiting, places + at, count - at, info); /* the record has no such index: another topic */
}

/* ---- one partition ---- */

/* The record at an offset, NULL if there is none. */
static enum err read_at(struct visiting *visiting, int64_t offset, const struct port_record **out,
                        struct err_info *info)
{
    struct walk *walk = &visiting->walk;
    *out = NULL;
    if (offset < visiting->low || offset >= visiting->high)
        return OK;
    if (offset - walk->next > STRIDE_MOST) {
        walk_close(walk);
        walk->next = offset;
    }
    while (walk->next <= offset) {
        const struct port_record *record;
        TRY(walk_next(walk, &record, info));
        if (!record || record->offset > offset)
            return OK;
        if (record->offset == offset) {
            *out = record->fault == PORT_NONE ? record : NULL;
            return OK;
        }
    }
    return OK;
}

static enum err visit_partition(struct visiting *visiting, const struct place *places, size_t count,
                                struct err_info *info)
{
    struct walk *walk = &visiting->walk;
    if (places[0].partition >= visiting->port->partitions(visiting->port->self, PORT_DECLARATIONS))
        return visit_gone(visiting, places, count, info);
    walk_init(walk, visiting->port, PORT_DECLARATIONS, places[0].partition);
    walk->patience_ms = visiting->patience_ms;
    TRY(walk_note(walk, info));
    visiting->low = walk->next;
    visiting->high = walk->end;
    for (size_t i = 0; i < count;) {
        const struct port_record *record;
        size_t same = 1;
        while (i + same < count && places[i + same].offset == places[i].offset)
            same++;
        TRY(read_at(visiting, places[i].offset, &record, info));
        if (record)
            TRY(visit_record(visiting, record, places + i, same, info));
        else
            TRY(visit_gone(visiting, places + i, same, info));
        i += same;
    }
    return OK;
}

enum err coordinates_visit(struct coordinates *coordinates, const struct port *port,
                           const struct batch_options *options, int64_t patience_ms,
                           enum err (*visit)(void *self, const struct coordinates_found *found, struct err_info *info),
                           void *self, struct err_info *info)
{
    struct visiting visiting = {
        .port = port, .patience_ms = patience_ms, .batch = batch_new(options), .visit = visit, .self = self};
    enum err err = OK;
    if (coordinates->count > 1)
        qsort(coordinates->places, coordinates->count, sizeof coordinates->places[0], in_order);
    for (size_t i = 0; i < coordinates->count && err == OK;) {
        size_t same = 1;
        while (i + same < coordinates->count &&
               coordinates->places[i + same].partition == coordinates->places[i].partition)
            same++;
        err = visit_partition(&visiting, coordinates->places + i, same, info);
        walk_close(&visiting.walk);
        i += same;
    }
    batch_free(visiting.batch);
    return err;
}
