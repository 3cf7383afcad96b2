/* SPDX-License-Identifier: Apache-2.0
 * goods.h - what the generator trades: six-digit codes of the site's HS 2022 list with plausible weights and prices, drawn by Zipf's law.
 *
 * In:      reference lists with hs2022.csv and units.csv
 * Out:     a commodity per draw; exports and imports have orders of their own, as in trade between China and Central Asia
 * Units:   grams per supplementary unit; price in hundredths of CNY per kg
 * Memory:  all at goods_new, nothing borrowed from the lists; immutable
 * Errors:  ERR_CONFIG if a list is missing, or has nothing to trade
 * Thread:  any after goods_new
 * Source:  weights and prices are ours, made of the code's hash: plausible in size, no statistics
 */
#pragma once

#include "trade/declaration.h"
#include "trade/reference.h"

struct commodity {
    char code[10]; /* hs6 and four zeros */
    struct text description;
    char unit[4];
    struct text rec20;    /* of `unit`; empty: kg only */
    bool is_count;        /* whole quantities */
    uint32_t unit_grams;  /* of one supplementary unit */
    uint32_t price_cents; /* per kg */
    bool is_light;        /* fits a parcel */
    uint32_t hs6;
};

struct goods;

enum { GOODS_SLOTS = 1 << 15 };

/* ERR_CONFIG if the lists have no nomenclature or no units. */
enum err goods_new(const struct reference *reference, struct goods **out, struct err_info *info) MUST_USE;
/* Takes NULL. */
void goods_free(struct goods *goods);

/* The commodity of a slot 0 .. GOODS_SLOTS - 1; common ones have many slots. */
const struct commodity *goods_at(const struct goods *goods, enum direction direction, uint32_t slot);

/* The commonest commodity that fits a parcel. */
const struct commodity *goods_lightest(const struct goods *goods, enum direction direction);
