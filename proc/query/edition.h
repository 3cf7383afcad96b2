/* SPDX-License-Identifier: Apache-2.0
 * edition.h - records of HS 2017 beside those of HS 2022: under which codes they are compared.
 *
 * When:    the window ends in 2022 or later, the record begins before, and the view has a commodity
 * Codes:   of six digits and fewer; national digits behind them have no table, so a code that moved is split there
 * Lists:   hs2022_hs2017.csv of reference.dir; without it codes are compared as they are, and that is said
 * Thread:  main, query
 * Why:     docs/adr/0049-comparing-editions.md
 */
#pragma once

#include "query/records.h"
#include "trade/reference.h"
#include "trade/window.h"

enum { EDITION_KEY_BYTES = 1024 };

/* What a group holds of the older edition; the worst counts. */
enum edition_flag {
    EDITION_NONE = 0,
    EDITION_CONVERTED = 1,   /* figures of codes that are others now */
    EDITION_APPROXIMATE = 2, /* of codes of whose goods some have other codes now, or lacks such goods */
    EDITION_SPLIT = 4, /* of a code that was split, or lacks what it had of one: nothing is said of the year before */
    EDITION_UNCONVERTED = 8, /* there is no list */
};

struct edition {
    const struct reference *reference;
    uint32_t part; /* of the record key */
    uint32_t digits;
    bool is_active;
    bool has_list;
};

/* For records with such a key, and a window. reference may be NULL. */
void edition_init(struct edition *edition, const char *key, const struct reference *reference, struct window window);

/* The keys under which a record's goods stand in HS 2022, the conversion first. */
struct edition_keys {
    char keys[HS_TARGETS_MOST][EDITION_KEY_BYTES];
    uint32_t count; /* 0: the record stays as it is, without a flag */
    enum hs_move move;
};
void edition_keys(const struct edition *edition, const struct record *record, struct edition_keys *out);

/* "converted", "split" ... of the worst of the flags; "" of none. */
const char *edition_name(unsigned flags);
