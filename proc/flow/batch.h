/* SPDX-License-Identifier: Apache-2.0
 * batch.h - the unit that travels through the stages: up to BATCH_DECLARATIONS declarations of one partition, decoded
 * and judged.
 *
 * In:      input records, from the place where the last batch ended        Out: declarations with findings, key and
 * digest Stages:  fill -> decode -> judge, each a loop over the batch; settle (ledger, tally) follows in partition
 * Memory:  owns its arena, the decompression buffer and, once decoded, a copy of the declarations' bytes, from which texts
 *          borrow until the next batch_decode
 * Limits:  a record that decompresses ends the batch, for its bytes live until the next record is opened; so does a
 * record that an earlier batch began, so that the caller gets a place between records where it may seal
 * Thread:  one
 * owner (a worker), used for its partitions in turn
 */
#pragma once

#include "flow/envelope.h"
#include "flow/ledger.h"
#include "flow/port.h"
#include "flow/wire.h"

/* BATCH_BYTES of declarations decode into less than half of the arena, whatever they hold; a larger one has a batch of
 * its own. So whether a declaration is too large depends on nothing but itself, not on its neighbours or on where a
 * batch began. */
enum { BATCH_DECLARATIONS = 64, BATCH_BYTES = 256 << 10, BATCH_ARENA_BYTES = 256 << 20 };

enum batch_key_check {
    BATCH_KEY_ID,
    BATCH_KEY_MURMUR2,
    BATCH_KEY_CRC32,
    BATCH_KEY_OFF,
};

struct batch_options {
    struct envelope_options envelope;
    enum batch_key_check key_check;
    int32_t partitions;        /* of the input topic */
    const struct rules *rules; /* to begin with */
};

struct element {
    const struct port_record *record;
    struct bytes bytes; /* of this declaration */
    int32_t index;      /* in a batch record, -1 for a single one */
    enum rule broken;   /* STR-001 or STR-002: not decoded; RULE_COUNT: decoded */
    bool canonical;
    uint64_t digest; /* set if it is not rejected */
};

struct batch {
    struct batch_options options;
    struct envelope envelope;
    bool record_open; /* its declarations are not all taken: no seal now, no other partition */
    struct arena arena;
    struct buffer scratch;
    struct buffer copies;    /* of the declarations' bytes, with room behind them */
    size_t bytes;            /* of the declarations in it */
    uint32_t unknown_fields; /* beside the declarations, of the batch records that were opened for it */
    uint32_t count;
    struct element elements[BATCH_DECLARATIONS];
    struct declaration declarations[BATCH_DECLARATIONS];
    struct findings findings[BATCH_DECLARATIONS];
};

struct batch *batch_new(const struct batch_options *options);
void batch_free(struct batch *batch);

/* From the next batch_judge on. Shares the rules. */
void batch_judge_by(struct batch *batch, const struct rules *rules);

/* Forgets an open record: the partition changed. */
void batch_reset(struct batch *batch);

/* Takes declarations from records[*next ..] until the batch is full, must end, or the records are used up; *next is the
 * first record that was not used up. Records must be in offset order and without fault. */
void batch_fill(struct batch *batch, const struct port_record *records, size_t count, size_t *next);

void batch_decode(struct batch *batch);

/* Whatever was found of a decoded element, it is to be settled; or it is not, by that rule. For who knows the verdict that others gave. */
void batch_accept(struct batch *batch, uint32_t index);
void batch_reject(struct batch *batch, uint32_t index, enum rule rule);

/* Findings of each element, STR-001, STR-002 and STR-018 included; digest of those that are not rejected. */
void batch_judge(struct batch *batch);
