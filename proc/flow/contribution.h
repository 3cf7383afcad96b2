/* SPDX-License-Identifier: Apache-2.0
 * contribution.h - what one accepted declaration version adds to the cells; what the ledger keeps of it and retracts later.
 *
 * In:      an accepted declaration and its partition's dictionary        Out: plain numbers, and their compact bytes
 * Format:  contribution_encode writes what the ledger slab and the journal's LEDGER sections hold (docs/JOURNAL.md)
 * Units:   day = days since 1970-01-01 of reference_date; hour = hours since epoch of accepted_at_ms; mg, minor units, millionths
 * Memory:  struct contribution owns its item array, which grows; contribution_fini gives it back
 * Thread:  one owner
 */
#pragma once

#include "base/buffer.h"
#include "flow/dictionary.h"
#include "trade/declaration.h"
#include "trade/reference.h"
#include "trade/rules.h"

enum { HS_DIGITS_MOST = 10 };

struct contribution_item {
    uint64_t hs;       /* first 10 digits, shorter codes with zeros behind; 0 and hs_digits 0 if it is no number */
    uint8_t hs_digits; /* how many of them were given, at most 10 */
    uint8_t flow;      /* enum flow */
    bool estimated;    /* the net mass is an estimate */
    uint16_t partner;  /* origin on import, destination on export: two letters, 0 if absent */
    uint16_t consignment;
    uint32_t region; /* dictionary number */
    uint32_t packages;
    int64_t value_minor;
    int64_t customs_value_minor;
    int64_t net_mass_mg;
    int64_t gross_mass_mg;
    int64_t supp_quantity_micro; /* in the standard unit of the HS6; 0 where that is kg or unknown */
};

struct contribution {
    uint64_t digest;
    uint32_t declarant; /* hash of declarant_id, for VER-509 */
    uint32_t version;
    bool cancel;
    bool late;
    bool warned;
    uint8_t direction; /* enum direction */
    uint8_t scheme;    /* enum scheme */
    uint16_t mode;
    int32_t day;
    uint32_t date; /* that `day` was made from, 0 if from none: declarations come roughly in order of time */
    int64_t hour;
    int64_t submitted; /* minutes since epoch of submitted_at_ms, for TIM-407; 0 if it is absent */
    uint32_t office;
    uint32_t border_office;
    uint32_t zone;
    uint32_t trade_mode;
    uint32_t item_count; /* those that count; 0 for a cancel */
    uint32_t item_capacity;
    struct contribution_item *items;
};

void contribution_fini(struct contribution *contribution);

/* Takes the numbers out of an accepted declaration. ERR_LIMIT: the dictionary is full. */
enum err contribution_from(const struct declaration *declaration, const struct reference *reference,
                           struct dictionary *dictionary, uint64_t digest, bool warned, bool late,
                           struct contribution *out, struct err_info *info);

/* Leaves out what the rules of STA take out of the statistics, and gives the rest its flow: findings.apart is set. */
void contribution_set_apart(struct contribution *contribution, const struct rules *rules,
                            const struct declaration *declaration);

/* Appends the compact bytes. */
void contribution_encode(const struct contribution *contribution, struct buffer *out);

/* False, with *out undefined, if the bytes are not what contribution_encode writes. */
bool contribution_decode(struct bytes bytes, struct contribution *out);

/* The digest alone, without decoding the rest. */
uint64_t contribution_digest(struct bytes bytes);

/* Likewise version and cancel, as one number that is larger for what stands above. */
uint32_t contribution_order(struct bytes bytes);

/* The day of reference. */
int32_t contribution_day(struct bytes bytes);

static inline uint32_t contribution_order_of(uint32_t version, bool cancel)
{
    return version << 1 | cancel;
}
