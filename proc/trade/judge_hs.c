/* SPDX-License-Identifier: Apache-2.0 */
#include "base/i128.h"
#include "trade/judge.h"

enum {
    HS6_DIGITS = 6,
    DESCRIPTION_LETTERS_LEAST = 3,
    ELECTRICITY = 271600,
    CHAPTER = 10000, /* codes of one */
    RESERVED = 77 * CHAPTER,
    NATIONAL = 98 * CHAPTER, /* and those above it */
    MG_PER_CARAT = 200,
    MICRO = 1000000,
    UNSPECIFIED_FIRST = 980100, /* heading 9801 */
    UNSPECIFIED = 999999,
    FOOD_END = 25 * CHAPTER, /* chapters 1 to 24 */
};

/* HSC-601: the lengths that a code may have, a bit for each. */
static uint32_t lengths(const struct judge *judge)
{
    switch (judge->declaration->scheme) {
    case SCHEME_CN:
        return 1u << 10 | 1u << 13;
    case SCHEME_EU:
        return (judge->export ? 0 : 1u << 10) | (judge->import ? 0 : 1u << 8);
    case SCHEME_EAEU:
    case SCHEME_US:
        return 1u << 10;
    case SCHEME_KR:
        return 1u << 6 | 1u << 10;
    default:
        return 1u << 6 | 1u << 8 | 1u << 10 | 1u << 13;
    }
}

/* The first six of a code's digits as a number. Two zeros in front make them eight, of which pairs, fours and all are
 * added up at once. */
static uint32_t hs6_of(struct text code)
{
    uint64_t digits = 0;
    if (code.length >= JUDGE_WORD)
        digits = judge_load(code.data);
    else
        memcpy(&digits, code.data, HS6_DIGITS);
    digits = (digits & JUDGE_EVERY_BYTE(0x0F)) << 16;
    digits = (digits * (1 + (10 << 8))) >> 8 & 0x00FF00FF00FF00FFu;
    digits = (digits * (1 + (100 << 16))) >> 16 & 0x0000FFFF0000FFFFu;
    return (uint32_t)((digits * (1 + (10000ull << 32))) >> 32);
}

/* HSC-602, 603. A national code of chapters 98 and 99 is in no edition of the HS: the national list stands for it. */
static void listed(const struct judge *judge, const struct item *t, uint32_t cell, int32_t item)
{
    bool reserved = judge_chapter_is(t->hs_code, '7', '7');
    bool national = judge_chapter_is(t->hs_code, '9', '8') || judge_chapter_is(t->hs_code, '9', '9');
    bool national_listed = national && reference_national_code(judge->reference, t->hs_code);
    if (cell == 0 && judge->date && !national_listed)
        judge_find(judge, RULE_HSC_602, item, "hs_code");
    if (reserved || (national && !national_listed))
        judge_find(judge, RULE_HSC_603, item, "hs_code");
}

/* HSC-611 */
static void unspecified(const struct judge *judge, const struct item *t, uint32_t hs6, int32_t item)
{
    bool is_one = hs6 == UNSPECIFIED || hs6 / 100 == UNSPECIFIED_FIRST / 100;
    if (is_one && t->statistical_value_minor > judge->rules->unspecified_minor)
        judge_find(judge, RULE_HSC_611, item, "statistical_value_minor");
}

/* HSC-613 */
static void plant_documents(const struct judge *judge, const struct item *t, int32_t item)
{
    for (uint32_t i = 0; i < t->document_classes.count; i++) {
        if (judge_words_have(&judge->rules->plant_documents, t->document_classes.texts[i]))
            return;
    }
    judge_find(judge, RULE_HSC_613, item, "document_classes");
}

/* HSC-606: the quantity in kg, to the milligram, against the net mass. micro kg = mg. */
static void quantity_is_mass(const struct judge *judge, const struct item *t, int32_t item)
{
    int64_t mg;
    if (t->net_mass_mg == 0 ||
        !reference_unit_convert(judge->reference, t->supp_unit, t->supp_quantity_micro, UNIT_INDEX_KG, &mg))
        return;
    if (mg != t->net_mass_mg)
        judge_find(judge, RULE_HSC_606, item, "supp_quantity_micro");
}

/* HSC-604 to 607, for a code whose standard unit is known. */
static void quantities(const struct judge *judge, const struct item *t, uint8_t standard, int32_t item)
{
    const struct standard_unit *should = &judge->reference->standard_units[standard];
    if (t->supp_quantity_micro == 0 && standard != UNIT_INDEX_KG && !judge->cancel)
        judge_find(judge, RULE_HSC_604, item, "supp_quantity_micro");
    if (t->supp_unit.length == 0 && t->supp_quantity_micro == 0)
        return;
    const struct unit *unit = lists_unit(judge->reference, t->supp_unit);
    enum unit_kind kind = unit ? judge->reference->standard_units[unit->standard].kind : UNIT_NONE;
    if (kind != UNIT_NONE && should->kind != UNIT_NONE && kind != should->kind)
        judge_find(judge, RULE_HSC_605, item, "supp_unit");
    if (t->supp_quantity_micro == 0)
        return;
    if (standard == UNIT_INDEX_KG && kind == UNIT_MASS)
        quantity_is_mass(judge, t, item);
    if (should->whole && (kind == UNIT_COUNT || kind == UNIT_NONE) && t->supp_quantity_micro % MICRO != 0)
        judge_find(judge, RULE_HSC_607, item, "supp_quantity_micro");
}

/* HSC-609: carats x 0.2 g against the net mass, both in millionths of a milligram. */
static void carats(const struct judge *judge, const struct item *t, int32_t item)
{
    if (t->supp_quantity_micro <= 0 || t->net_mass_mg <= 0 || !text_equal(t->supp_unit, TEXT("CTM")))
        return;
    i128 by_carats = (i128)t->supp_quantity_micro * MG_PER_CARAT;
    i128 net = (i128)t->net_mass_mg * MICRO;
    i128 off = by_carats < net ? net - by_carats : by_carats - net;
    if (off * 5 > net)
        judge_find(judge, RULE_HSC_609, item, "supp_quantity_micro");
}

static inline bool is_letter(char c)
{
    return lists_letter((char)(c & 0xDF)) < 26;
}

/* Letters of ASCII, and every character beyond it, up to three: more are not needed to decide HSC-610. */
static bool describes(struct text text)
{
    if (text.length >= DESCRIPTION_LETTERS_LEAST && is_letter(text.data[0]) && is_letter(text.data[1]) &&
        is_letter(text.data[2]))
        return true; /* as almost always */
    uint32_t letters = 0;
    for (uint32_t i = 0; i < text.length && letters < DESCRIPTION_LETTERS_LEAST; i++) {
        uint8_t c = (uint8_t)text.data[i];
        letters += is_letter((char)c) || c >= 0xC0;
    }
    return letters == DESCRIPTION_LETTERS_LEAST;
}

static void item_code(const struct judge *judge, const struct item *t, uint32_t lengths_fit, int32_t item)
{
    uint32_t length = t->hs_code.length;
    bool digits = judge_is_digits(t->hs_code);
    if (length == 0)
        return;
    if (!digits || length >= 32 || !(lengths_fit >> length & 1))
        judge_find(judge, RULE_HSC_601, item, "hs_code");
    if (!digits || length < HS6_DIGITS)
        return;
    uint32_t hs6 = hs6_of(t->hs_code);
    uint32_t cell = judge->date ? lists_hs6(judge->reference, reference_edition(judge->date), hs6) : 0;
    if (cell == 0 || hs6 - RESERVED < CHAPTER || hs6 >= NATIONAL)
        listed(judge, t, cell, item);
    if (hs6 >= UNSPECIFIED_FIRST)
        unspecified(judge, t, hs6, item);
    if (hs6 < FOOD_END && judge_on(judge, RULE_HSC_613) && !judge->cancel)
        plant_documents(judge, t, item);
    if (judge->reference->bands_count)
        judge_bands(judge, t, hs6, cell, item);
    if (cell > UNIT_INDEX_NONE + 1)
        quantities(judge, t, (uint8_t)(cell - 1), item);
    if (hs6 == ELECTRICITY && (t->net_mass_mg > 0 || t->gross_mass_mg > 0))
        judge_find(judge, RULE_HSC_608, item, "net_mass_mg");
    if (hs6 / 100 >= 7102 && hs6 / 100 <= 7105)
        carats(judge, t, item);
}

void judge_hs(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    bool consigned = d->scheme == SCHEME_EAEU && judge->import;
    uint32_t lengths_fit = lengths(judge);
    for (uint32_t i = 0; i < judge->items; i++) {
        const struct item *t = &d->items.items[i];
        item_code(judge, t, lengths_fit, (int32_t)i);
        if (!judge->cancel && !describes(t->description))
            judge_find(judge, RULE_HSC_610, (int32_t)i, "description");
        if (consigned && judge_chapter_is(t->hs_code, '9', '7') && t->origin_country.length == 0 &&
            t->consignment_country.length)
            judge_find(judge, RULE_HSC_612, (int32_t)i, "consignment_country");
    }
}
