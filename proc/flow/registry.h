/* SPDX-License-Identifier: Apache-2.0
 * registry.h - what topic.statistics holds of each key: as read from it, and as written to it and not yet read back.
 *
 * Content: the hash of statistic.h. Between a write and its reading back the topic's last content is the written one;
 *          when the term of the write is over, only what was read counts, since the write may be lost.
 * Memory:  about 150 bytes a key; keeps the last record of keys that no cell of the cube is linked to, so that it can
 *          be published again with zero measures; of one that has zero measures, the key, for its tombstone; shrinks by registry_compact
 * Thread:  one owner (publisher)
 */
#pragma once

#include "base/hash.h"
#include "base/span.h"
#include "base/table.h"

#include <stdint.h>

#define REGISTRY_NO_CELL UINT32_MAX

struct registry_entry {
    uint64_t read_as_of;   /* largest read */
    uint64_t read_content; /* of that record: of the last one in the log, but for one that is late */
    uint64_t written_as_of;
    uint64_t written_content;
    uint8_t *record; /* length of the key, key, value; NULL if not kept */
    uint32_t record_bytes;
    uint32_t cell;         /* number in the cube, or REGISTRY_NO_CELL */
    uint8_t read_state;    /* that of the record, or of enum registry_state */
    uint8_t written_state; /* likewise */
    bool late;             /* the last record in the log came too late: write the key again, equal or not */
    bool queued;           /* waits to be published though no cell is linked */
};

enum registry_state {
    REGISTRY_NOTHING = 0,  /* no record, or a tombstone */
    REGISTRY_UNSTATED = 9, /* a record that tells no state */
};

struct registry;

struct registry *registry_new(const struct hash_key *secret);
void registry_free(struct registry *registry);

/* Number of the entry of a record key, which is added if it is new. */
uint32_t registry_put(struct registry *registry, struct text key);

/* The same in three steps for many keys at once, so that their cache misses overlap: hash them all, put them all, then use the entries. */
struct registry_place {
    struct table_key key;
    uint64_t hash;
};

struct registry_place registry_place_of(const struct registry *registry, struct text key);
uint32_t registry_put_at(struct registry *registry, const struct registry_place *place);

/* Good until the next registry_put. */
struct registry_entry *registry_at(const struct registry *registry, uint32_t index);
uint32_t registry_count(const struct registry *registry);

/* The last write is of this term and was not read back. term 0: none is. */
bool registry_is_under_way(const struct registry_entry *entry, uint64_t term);

/* Content and state that the topic will hold for the key once all writes of this term have landed. */
uint64_t registry_content(const struct registry_entry *entry, uint64_t term);
unsigned registry_state(const struct registry_entry *entry, uint64_t term);

/* Keeps a record in place of the one kept before; forgets it. */
void registry_keep(struct registry *registry, uint32_t index, struct text key, struct bytes value);
void registry_drop(struct registry *registry, uint32_t index);

/* Some record is kept. */
bool registry_keeps(const struct registry *registry);

/* The record kept. False: none. */
bool registry_kept(const struct registry_entry *entry, struct text *out_key, struct bytes *out_value);

/* Forgets what was read and written of all keys, and all kept records; cells stay linked. */
void registry_forget(struct registry *registry);

/* Nothing is known of the key that who starts now would not find: no record, or a tombstone, is in the topic, and nothing is on its way. */
bool registry_is_blank(const struct registry_entry *entry);

/* Takes out the blank entries that no cell is linked to, and numbers the others anew, in the order that they had. Returns the new numbers by
 * the old ones, TABLE_NONE for an entry that is gone: owned by the caller (memory_free). */
uint32_t *registry_compact(struct registry *registry);

size_t registry_bytes(const struct registry *registry);
