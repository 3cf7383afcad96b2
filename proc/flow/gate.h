/* SPDX-License-Identifier: Apache-2.0
 * gate.h - the claims of topic.statistics: which publisher may write, and which records came too late.
 *
 * A claim is to this topic what OPEN is to a journal. It names a term, which is the high part of every as_of that
 * follows it. A publisher may write when it has read back its own claim in every partition of the topic and no rival
 * came before it.
 * Key:     "#claim|TERM|IDENTITY": each claim has a key of its own, else compaction would move the place of the first
 *          of two that name the same term
 * Value:   "TERM IDENTITY", decimal and 32 hex digits
 * Units:   as_of = term * 2^40 + counter
 * Memory:  gate_fini gives the partitions back
 * Thread:  one owner (publisher)
 * Why:     docs/adr/0008-publisher.md; design.md section 3, Publisher; shared model journal_model.py
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

enum { GATE_TERM_SHIFT = 40, GATE_KEY_BYTES = 72, GATE_VALUE_BYTES = 64 };
#define GATE_TERM_MOST ((1ULL << (64 - GATE_TERM_SHIFT)) - 1)
#define GATE_COUNTER_MOST ((1ULL << GATE_TERM_SHIFT) - 1)

static inline uint64_t gate_term_of(uint64_t as_of)
{
    return as_of >> GATE_TERM_SHIFT;
}

struct gate_partition {
    uint64_t newest_claim; /* largest term claimed in the log so far */
    bool is_won;
};

struct gate {
    uint64_t identity[2];
    uint64_t term;      /* claimed and not lost; 0: none */
    uint64_t term_last; /* that this process ever claimed */
    uint64_t term_seen; /* largest in the topic */
    int32_t count;
    struct gate_partition *partitions;
};

void gate_init(struct gate *gate, int32_t partitions, const uint64_t identity[static 2]);
void gate_fini(struct gate *gate);

/* Forgets the own claim. */
void gate_shut(struct gate *gate);

/* Forgets also what was read: the topic is read again from its beginning. */
void gate_restart(struct gate *gate);

/* Chooses a term that is larger than any seen. False: there is none. */
bool gate_claim(struct gate *gate);
struct text gate_claim_key(const struct gate *gate, char out[static GATE_KEY_BYTES]);
struct text gate_claim_value(const struct gate *gate, char out[static GATE_VALUE_BYTES]);

/* Whether a record key is one that consumers ignore. */
static inline bool gate_is_mark(struct bytes key)
{
    return key.length > 0 && key.data[0] == '#';
}

/* Takes a record whose key is a mark. True: a rival's claim shuts the gate. */
bool gate_read(struct gate *gate, int32_t partition, struct bytes key, struct bytes value);

/* Takes the as_of of another record. True: its term is below the newest claim before it, so it is late. */
bool gate_see(struct gate *gate, int32_t partition, uint64_t as_of);

/* The own claim was read back in every partition. */
bool gate_is_won(const struct gate *gate);
