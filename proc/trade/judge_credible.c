/* SPDX-License-Identifier: Apache-2.0 */
#include "base/i128.h"
#include "trade/judge.h"

/* Figures that are possible and not likely: they warn. What is found in one walk over the items (judge_items) or in the header is asked
 * first, so that ordinary goods cost next to nothing. */

#define MG_PER_T INT64_C(1000000000)

enum {
    MODE_AIR = 4,
    MODE_FIXED = 7,
    AIR_MOST_T = 150,       /* CRE-309 */
    ALIKE_LEAST = 3,        /* CRE-310 */
    ALIKE_ITEMS_MOST = 999, /* more have STR-010 */
    ALIKE_SLOTS = 2048,
    MILLION = 1000000,
};

/* ---- figures of one item ---- */

static bool is_gift(const struct judge *judge, const struct item *t)
{
    const struct judge_words *gifts = &judge->rules->gift_regimes;
    struct text two = {t->procedure.data, t->procedure.length < 2 ? t->procedure.length : 2};
    if (judge_words_have(gifts, judge->declaration->trade_mode) || judge_words_have(gifts, t->procedure) ||
        judge_words_have(gifts, two))
        return true;
    for (uint32_t i = 0; i < t->additional_procedures.count; i++) {
        if (judge_words_have(gifts, t->additional_procedures.texts[i]))
            return true;
    }
    return false;
}

/* CRE-306: chapters whose goods are shipped in bulk. */
static bool is_bulk(struct text code)
{
    return judge_chapter_is(code, '1', '0') || judge_chapter_is(code, '1', '2') || judge_chapter_is(code, '2', '5') ||
           judge_chapter_is(code, '2', '6') || judge_chapter_is(code, '2', '7');
}

static void plain_figures(const struct judge *judge)
{
    const struct item *items = judge->declaration->items.items;
    for (uint32_t i = 0; i < judge->items; i++) {
        const struct item *t = &items[i];
        if (judge->all.trifle && !judge->cancel && t->statistical_value_minor >= 0 && t->statistical_value_minor <= 1 &&
            judge_on(judge, RULE_CRE_305) && !is_gift(judge, t))
            judge_find(judge, RULE_CRE_305, (int32_t)i, "statistical_value_minor");
        if (judge->all.net_is_gross && t->net_mass_mg && t->net_mass_mg == t->gross_mass_mg && t->package_count &&
            !is_bulk(t->hs_code))
            judge_find(judge, RULE_CRE_306, (int32_t)i, "gross_mass_mg");
    }
}

/* ---- CRE-309 ---- */

static bool may_be_piped(struct text code)
{
    static const char *const headings[] = {"2709", "2710", "2711", "2716", "2201", "2804"};
    if (code.length < 4)
        return true; /* HSC-601 */
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        if (memcmp(code.data, headings[i], 4) == 0)
            return true;
    }
    return false;
}

/* The larger of the stated gross mass and the sum of net masses. */
static void by_air(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    i128 mass_mg = 0;
    for (uint32_t i = 0; i < judge->items; i++)
        mass_mg += d->items.items[i].net_mass_mg;
    if (mass_mg < d->total_gross_mass_mg)
        mass_mg = d->total_gross_mass_mg;
    if (mass_mg > AIR_MOST_T * MG_PER_T)
        judge_find(judge, RULE_CRE_309, -1, "border_transport_mode");
}

static void by_pipe(const struct judge *judge)
{
    const struct item *items = judge->declaration->items.items;
    for (uint32_t i = 0; i < judge->items; i++) {
        if (!may_be_piped(items[i].hs_code))
            judge_find(judge, RULE_CRE_309, (int32_t)i, "hs_code");
    }
}

/* ---- CRE-310 ---- */

static bool alike(const struct item *a, const struct item *b)
{
    return a->net_mass_mg == b->net_mass_mg && a->statistical_value_minor == b->statistical_value_minor &&
           a->net_mass_mg != 0;
}

/* Whether the item is the third of its figures, in a table of those met before it. */
static bool is_third(const struct item *items, uint32_t index, uint16_t firsts[ALIKE_SLOTS], uint8_t met[ALIKE_SLOTS])
{
    uint64_t hash =
        (uint64_t)items[index].net_mass_mg * 0x9E3779B97F4A7C15u + (uint64_t)items[index].statistical_value_minor;
    uint32_t slot = (uint32_t)((hash * 0x9E3779B97F4A7C15u) >> 53);
    while (firsts[slot] && !alike(&items[firsts[slot] - 1], &items[index]))
        slot = (slot + 1) % ALIKE_SLOTS;
    if (!firsts[slot])
        firsts[slot] = (uint16_t)(index + 1);
    return ++met[slot] == ALIKE_LEAST;
}

__attribute__((noinline)) static void repeated_among_many(const struct judge *judge)
{
    const struct item *items = judge->declaration->items.items;
    uint16_t firsts[ALIKE_SLOTS] = {0}; /* index + 1 */
    uint8_t met[ALIKE_SLOTS] = {0};
    for (uint32_t i = 0; i < judge->items; i++) {
        if (items[i].net_mass_mg && is_third(items, i, firsts, met)) {
            judge_find(judge, RULE_CRE_310, (int32_t)i, "statistical_value_minor");
            return;
        }
    }
}

static void repeated(const struct judge *judge)
{
    enum { FEW = 8 };
    const struct item *items = judge->declaration->items.items;
    if (judge->items > ALIKE_ITEMS_MOST)
        return;
    if (judge->items > FEW) {
        repeated_among_many(judge);
        return;
    }
    for (uint32_t i = ALIKE_LEAST - 1; i < judge->items; i++) {
        uint32_t before = 0;
        for (uint32_t k = 0; k < i; k++)
            before += alike(&items[k], &items[i]);
        if (before == ALIKE_LEAST - 1) {
            judge_find(judge, RULE_CRE_310, (int32_t)i, "statistical_value_minor");
            return;
        }
    }
}

/* ---- bands ---- */

/* Whether numerator / denominator, both with the factor of a million in them, lies outside low and high. */
static bool outside(const struct band *band, i128 numerator, i128 denominator)
{
    return band->high_e6 && (numerator > denominator * band->high_e6 || numerator < denominator * band->low_e6);
}

static bool slipped(const struct band_slip *slip, i128 numerator, i128 denominator)
{
    return (numerator >= denominator * slip->above_from_e6 && numerator <= denominator * slip->above_to_e6) ||
           (numerator >= denominator * slip->below_from_e6 && numerator <= denominator * slip->below_to_e6);
}

/* The quantity in the standard unit of the code; 0 if it is absent or in a unit that does not belong to it. */
static int64_t standard_quantity(const struct judge *judge, const struct item *t, uint32_t cell)
{
    int64_t micro = 0;
    if (t->supp_quantity_micro <= 0 || cell == 0 ||
        !reference_unit_convert(judge->reference, t->supp_unit, t->supp_quantity_micro, (uint8_t)(cell - 1), &micro))
        return 0;
    return micro;
}

void judge_bands(const struct judge *judge, const struct item *t, uint32_t hs6, uint32_t cell, int32_t item)
{
    const struct bands *bands = lists_bands(judge->reference, hs6, judge->export);
    int64_t minor = judge->rules->minor_per_unit;
    if (!bands || !(judge->import || judge->export) || !judge->all.ordinary)
        return;
    const struct band *of = bands->of;
    i128 value = (i128)t->statistical_value_minor * MILLION;
    if (value > 0 && minor) {
        if (t->net_mass_mg > 0 && outside(&of[BAND_VALUE_KG], value * MILLION, (i128)t->net_mass_mg * minor))
            judge_find(judge, RULE_CRE_301, item, "statistical_value_minor");
        if (t->net_mass_mg > 0 && of[BAND_VALUE_KG].high_e6 &&
            slipped(&bands->slip, value * MILLION, (i128)t->net_mass_mg * minor))
            judge_find(judge, RULE_CRE_304, item, "net_mass_mg");
        if (of[BAND_VALUE].high_e6 && value > (i128)of[BAND_VALUE].high_e6 * minor)
            judge_find(judge, RULE_CRE_307, item, "statistical_value_minor");
    }
    if (of[BAND_VALUE_UNIT].high_e6 == 0 && of[BAND_KG_UNIT].high_e6 == 0)
        return;
    int64_t quantity = standard_quantity(judge, t, cell);
    if (quantity > 0 && value > 0 && minor && outside(&of[BAND_VALUE_UNIT], value * MILLION, (i128)quantity * minor))
        judge_find(judge, RULE_CRE_302, item, "supp_quantity_micro");
    if (quantity > 0 && t->net_mass_mg > 0 && outside(&of[BAND_KG_UNIT], (i128)t->net_mass_mg * MILLION, quantity))
        judge_find(judge, RULE_CRE_303, item, "supp_quantity_micro");
}

void judge_credible(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    if (judge->all.trifle || judge->all.net_is_gross)
        plain_figures(judge);
    if (judge->items >= ALIKE_LEAST)
        repeated(judge);
    if (d->border_transport_mode == MODE_AIR)
        by_air(judge);
    if (d->border_transport_mode == MODE_FIXED)
        by_pipe(judge);
}
