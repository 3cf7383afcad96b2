/* SPDX-License-Identifier: Apache-2.0
 * draft.h - a declaration as a scenario writes it: a valid template, and words `field=value` over it.
 *
 * Fields:  by their name in declaration.proto, or by one of the short names of draft.c (value, mass, hs, origin, ...); masses with their
 *          unit (5kg), enums by their short name; header totals always add up
 * Items:   the word `item` begins the next one, a copy of the template's; fields before it belong to the header and the first
 * Memory:  plain; texts point into the words
 * Thread:  any
 */
#pragma once

#include "base/buffer.h"
#include "base/err.h"
#include "trade/declaration.h"

enum { DRAFT_ITEMS_MOST = 20 };

struct draft {
    struct declaration declaration;
    struct item items[DRAFT_ITEMS_MOST];
};

/* How the scenario's times are read. */
struct draft_clock {
    enum err (*read)(void *self, struct text text, int64_t *out_ms, struct err_info *info);
    void *self;
};

/* A valid original of one item: an import of scheme OTHER that was accepted at a moment of a day (yyyymmdd) and is released. */
void draft_init(struct draft *draft, struct text id, const char *reporter, const char *currency, int64_t accepted_ms,
                uint32_t date);

/* Takes words over what is there. */
enum err draft_write(struct draft *draft, const struct text *words, int count, const struct draft_clock *clock,
                     struct err_info *info) MUST_USE;

/* Makes it a cancel of a version, without what a cancel does not need. */
void draft_cancel(struct draft *draft, uint32_t version);

/* Appends the canonical bytes. */
void draft_encode(struct draft *draft, struct buffer *out);

/* "5kg" -> mg. Units: mg, g, kg, t. */
enum err draft_mass(struct text text, int64_t *out_mg, struct err_info *info) MUST_USE;
