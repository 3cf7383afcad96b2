/* SPDX-License-Identifier: Apache-2.0
 * story.h - the input of one simulation: declarations with amendments, cancels, duplicates, conflicts, batches and bad records; and, by
 * code that shares nothing with the product, what must be said of each.
 *
 * Memory:  the story owns its records; a recount owns what it has counted
 * Thread:  one thread in all
 */
#pragma once

#include "sim/dice.h"
#include "sim/world.h"

enum { STORY_ITEMS_MOST = 3, STORY_ID_BYTES = 36, STORY_BATCH_MOST = 4 };

/* Timestamp of the first record of the input; in a story that spans months the others follow at equal steps, else all have it. */
#define STORY_NOW_MS 1752800000000

enum { STORY_PROVISIONAL_DAYS = 5 }; /* after which a month closes, for the rules and for the publisher */

/* What is wrong with a declaration: the number of the one rule that rejects it. */
enum story_defect {
    DEFECT_NONE = 0,
    DEFECT_NULL = 1,       /* STR-001: no value at all */
    DEFECT_GARBAGE = 2,    /* STR-002: bytes that decode to nothing */
    DEFECT_KEY = 18,       /* STR-018: the key is not the id */
    DEFECT_OFFICE = 101,   /* COD-101: an office that only the new lists know */
    DEFECT_UNIT = 604,     /* HSC-604: the supplementary quantity is missing; the lenient plan only warns */
    DEFECT_CONFLICT = 502, /* VER-502: found by the recount, never planned */
    DEFECT_EXPIRED = 901   /* LED-901: likewise */
};

struct story_declaration {
    uint32_t id;
    uint32_t version;
    uint32_t variant; /* of its content */
    int64_t told_ms;  /* timestamp of the record that told it first */
    bool cancel;
    enum story_defect defect;
};

struct story_record {
    int32_t partition;
    int64_t timestamp_ms;
    bool is_batch;
    uint32_t count;
    struct story_declaration declarations[STORY_BATCH_MOST];
};

struct story_item {
    const char *hs;
    const char *partner;
    int64_t value;
    int64_t mass_kg;
    int64_t packages;
    bool has_unit;
    bool is_outside;  /* the statistics: under a regime of what enters or leaves for a time */
    const char *flow; /* M, X; RM and RX under regimes of what comes back */
};

/* What a declaration says, from its id, version, cancel, variant and first telling alone. */
struct story_content {
    uint32_t day; /* yyyymmdd */
    char flow;    /* M or X */
    const char *office;
    uint32_t mode;
    int64_t accepted_ms; /* may lie behind the timestamp of the record: a clock that is wrong */
    bool is_refused;     /* nothing of it counts */
    uint32_t count;
    uint32_t counted; /* items that count */
    struct story_item items[STORY_ITEMS_MOST];
};

struct story;

/* About `records` records of `ids` declaration ids, for a topic of `partitions`, over `days`. */
struct story *story_new(struct dice *dice, int32_t partitions, uint32_t ids, uint32_t records, int64_t days);

/* Whether a record is late for what its declaration says. */
bool story_is_late(const struct story_record *record, const struct story_content *content);
void story_free(struct story *story);

/* Writes the next record into the input of the world; *out_partition gets where. False: there is none left. */
bool story_tell(struct story *story, struct world *world, int32_t *out_partition);

/* Writes an offset that no reader gets. */
void story_hole(struct story *story, struct world *world, int32_t partition);

bool story_is_told(const struct story *story);

void story_id(uint32_t id, char out[static STORY_ID_BYTES]);
struct story_content story_content(const struct story_declaration *declaration);

/* The record at an input offset, NULL where there is a hole. */
const struct story_record *story_at(const struct story *story, int32_t partition, int64_t offset);

uint32_t story_ids(const struct story *story);
