/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/goods.h"

#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>

enum { CODES = 1000000, CHAPTERS = 100, FAVOURITES = 16 };

/* A word for each chapter: a declaration's description is free text. */
static const char *const chapter_words[CHAPTERS] = {
    [1] = "horses",  [2] = "meat",    [3] = "fish",    [4] = "dairy",   [5] = "bones",   [6] = "plants",
    [7] = "onions",  [8] = "raisin",  [9] = "tea",     [10] = "wheat",  [11] = "flour",  [12] = "seeds",
    [13] = "gums",   [14] = "reeds",  [15] = "oil",    [16] = "ham",    [17] = "sugar",  [18] = "cocoa",
    [19] = "pasta",  [20] = "jam",    [21] = "sauce",  [22] = "juice",  [23] = "bran",   [24] = "tobac",
    [25] = "salt",   [26] = "ore",    [27] = "fuel",   [28] = "acid",   [29] = "amine",  [30] = "drugs",
    [31] = "urea",   [32] = "paint",  [33] = "soap",   [34] = "wax",    [35] = "glue",   [36] = "match",
    [37] = "film",   [38] = "resin",  [39] = "foil",   [40] = "tyres",  [41] = "hides",  [42] = "bags",
    [43] = "furs",   [44] = "wood",   [45] = "cork",   [46] = "mats",   [47] = "pulp",   [48] = "paper",
    [49] = "books",  [50] = "silk",   [51] = "wool",   [52] = "cotton", [53] = "flax",   [54] = "yarn",
    [55] = "fibre",  [56] = "felt",   [57] = "carpet", [58] = "lace",   [59] = "canvas", [60] = "knits",
    [61] = "shirts", [62] = "coats",  [63] = "linen",  [64] = "shoes",  [65] = "hats",   [66] = "canes",
    [67] = "wigs",   [68] = "stone",  [69] = "tiles",  [70] = "glass",  [71] = "rings",  [72] = "steel",
    [73] = "pipes",  [74] = "copper", [75] = "nickel", [76] = "alloy",  [78] = "lead",   [79] = "zinc",
    [80] = "tin",    [81] = "metal",  [82] = "tools",  [83] = "locks",  [84] = "pumps",  [85] = "cables",
    [86] = "rails",  [87] = "cars",   [88] = "wings",  [89] = "boats",  [90] = "lenses", [91] = "clocks",
    [92] = "piano",  [93] = "scopes", [94] = "chairs", [95] = "toys",   [96] = "pens",
};

/* Commonest chapters first. */
static const uint8_t favourites[2][FAVOURITES] = {
    {74, 26, 28, 27, 10, 12, 52, 15, 79, 2, 8, 72, 41, 44, 25, 81},
    {85, 84, 87, 61, 62, 64, 39, 73, 94, 95, 69, 40, 63, 42, 72, 76},
};

struct goods {
    struct commodity *commodities;
    uint32_t count;
    uint16_t slots[2][GOODS_SLOTS]; /* [0] imports, [1] exports */
    uint16_t lightest[2];
};

/* What rules treat apart or statistics leave out: no list of the demo needs it. */
static bool is_special(uint32_t hs6)
{
    uint32_t chapter = hs6 / 10000;
    uint32_t heading = hs6 / 100;
    return chapter == 0 || chapter == 77 || chapter >= 97 || heading == 2716 || (heading >= 7102 && heading <= 7105) ||
           hs6 == 710820 || hs6 == 711890 || hs6 == 490700;
}

static uint64_t mix(uint32_t hs6, uint64_t salt)
{
    return hash_words2(hs6, salt, 0);
}

/* Grams of one piece (pair, litre, square metre, ...): vehicles are heavy, most goods weigh 0.1 to 12 kg. */
static uint32_t unit_grams(uint32_t hs6, enum unit_kind kind)
{
    uint32_t chapter = hs6 / 10000;
    uint32_t spread = (uint32_t)(mix(hs6, 1) % 1000);
    if (kind != UNIT_COUNT)
        return kind == UNIT_VOLUME ? 700 + spread / 2 : 150 + spread;
    if (chapter == 86 || chapter == 88 || chapter == 89)
        return 8000000 + 10000 * spread;
    if (hs6 / 100 >= 8701 && hs6 / 100 <= 8705)
        return 900000 + 1500 * spread;
    if (chapter == 84 || chapter == 87)
        return 2000 + 80 * spread;
    if (chapter >= 61 && chapter <= 65)
        return 150 + spread;
    return 120 + 12 * spread;
}

static bool describe(const struct reference *reference, uint32_t hs6, struct commodity *out)
{
    uint8_t unit = reference_standard_unit(reference, HS_2022, hs6);
    enum unit_kind kind = reference_unit_kind(reference, unit);
    *out = (struct commodity){.hs6 = hs6, .unit_grams = 1000};
    uint32_t digits = hs6;
    for (int i = 5; i >= 0; i--, digits /= 10)
        out->code[i] = (char)('0' + digits % 10);
    memset(out->code + 6, '0', 4);
    const char *words = chapter_words[hs6 / 10000];
    out->description = text_of(words ? words : "goods");
    if (unit != UNIT_INDEX_KG && unit != UNIT_INDEX_NONE) {
        struct text rec20 = reference_unit_rec20(reference, unit);
        if (rec20.length == 0 || rec20.length > sizeof out->unit || kind == UNIT_ENERGY || kind == UNIT_MASS ||
            kind == UNIT_NONE)
            return false; /* a unit whose weight we can't make up */
        memcpy(out->unit, rec20.data, rec20.length);
        out->rec20 = (struct text){out->unit, rec20.length};
        out->is_count = kind == UNIT_COUNT;
        out->unit_grams = unit_grams(hs6, kind);
    }
    out->is_light = out->unit_grams < 15000;
    out->price_cents = 300 + (uint32_t)(mix(hs6, 2) % 1000) * (uint32_t)(1 + mix(hs6, 3) % 24);
    return true;
}

struct rank {
    uint64_t score;
    uint16_t index;
};

static int by_score(const void *left, const void *right)
{
    const struct rank *a = left;
    const struct rank *b = right;
    return (a->score > b->score) - (a->score < b->score);
}

/* Favourite chapters take turns, so that no chapter has all the common codes; the hash orders the codes of a chapter.
 */
static void rank_codes(const struct goods *goods, int flow, struct rank *ranks)
{
    uint32_t met[CHAPTERS] = {0};
    for (uint32_t i = 0; i < goods->count; i++)
        ranks[i] = (struct rank){mix(goods->commodities[i].hs6, 4), (uint16_t)i};
    qsort(ranks, goods->count, sizeof *ranks, by_score);
    for (uint32_t i = 0; i < goods->count; i++) {
        uint32_t chapter = goods->commodities[ranks[i].index].hs6 / 10000;
        uint32_t place = 0;
        while (place < FAVOURITES && favourites[flow][place] != chapter)
            place++;
        uint64_t turn = met[chapter]++ + (place == FAVOURITES ? 6 : 0);
        ranks[i].score = (turn << 40) + ((uint64_t)place << 32) + goods->commodities[ranks[i].index].hs6;
    }
    qsort(ranks, goods->count, sizeof *ranks, by_score);
}

/* Rank r has a share like 1 / (r + 4): in integers, so that every machine fills the same slots. */
static void fill_slots(struct goods *goods, int flow, const struct rank *ranks)
{
    uint64_t total = 0;
    for (uint32_t r = 0; r < goods->count; r++)
        total += (1u << 30) / (r + 4);
    uint32_t slot = 0;
    uint64_t sum = 0;
    for (uint32_t r = 0; r < goods->count; r++) {
        sum += (1u << 30) / (r + 4);
        uint32_t end = (uint32_t)(sum * (GOODS_SLOTS - goods->count) / total) + r + 1; /* each has one at least */
        while (slot < end && slot < GOODS_SLOTS)
            goods->slots[flow][slot++] = ranks[r].index;
    }
    while (slot < GOODS_SLOTS)
        goods->slots[flow][slot++] = ranks[0].index;
    uint32_t light = 0;
    while (light + 1 < goods->count && !goods->commodities[ranks[light].index].is_light)
        light++;
    goods->lightest[flow] = ranks[light].index;
}

enum err goods_new(const struct reference *reference, struct goods **out, struct err_info *info)
{
    if (!reference_has(reference, REFERENCE_HS2022) || !reference_has(reference, REFERENCE_UNITS))
        return err_set(info, ERR_CONFIG, "reference.dir has no hs2022.csv or no units.csv, from which goods are drawn");
    struct goods *goods = memory_new(1, sizeof *goods);
    goods->commodities = memory_new(GOODS_SLOTS / 2, sizeof *goods->commodities);
    for (uint32_t hs6 = 0; hs6 < CODES && goods->count < GOODS_SLOTS / 2; hs6++) {
        if (reference_hs6_exists(reference, HS_2022, hs6) && !is_special(hs6) &&
            describe(reference, hs6, &goods->commodities[goods->count]))
            goods->count++;
    }
    if (goods->count == 0) {
        goods_free(goods);
        return err_set(info, ERR_CONFIG, "hs2022.csv has no six-digit code that can be traded");
    }
    struct rank *ranks = memory_new(goods->count, sizeof *ranks);
    for (int flow = 0; flow < 2; flow++) {
        rank_codes(goods, flow, ranks);
        fill_slots(goods, flow, ranks);
    }
    memory_free(ranks);
    *out = goods;
    return OK;
}

void goods_free(struct goods *goods)
{
    if (!goods)
        return;
    memory_free(goods->commodities);
    memory_free(goods);
}

const struct commodity *goods_at(const struct goods *goods, enum direction direction, uint32_t slot)
{
    return &goods->commodities[goods->slots[direction == DIRECTION_EXPORT][slot]];
}

const struct commodity *goods_lightest(const struct goods *goods, enum direction direction)
{
    return &goods->commodities[goods->lightest[direction == DIRECTION_EXPORT]];
}
