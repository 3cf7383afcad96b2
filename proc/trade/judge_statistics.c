/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "trade/judge.h"

/* Why an item is left out or reclassified: a bit for each rule of STA. */
#define REASON(rule) (1u << ((rule)-RULE_STA_801))

enum {
    OUTSIDE = REASON(RULE_STA_801) | REASON(RULE_STA_802) | REASON(RULE_STA_803) | REASON(RULE_STA_804) |
              REASON(RULE_STA_805) | REASON(RULE_STA_808) | REASON(RULE_STA_809),
    RETURNS = REASON(RULE_STA_806) | REASON(RULE_STA_807),
    HS6_DIGITS = 6,
};
#define CHAPTER(first, second) ((first) | (second) << 8)

_Static_assert(RULE_STA_809 - RULE_STA_801 == 8, "the rules of STA stand one after the other");

/* By place and direction: imports, exports. */
static const uint16_t reasons_of_place[PLACES][2] = {
    [PLACE_TEMPORARY] = {REASON(RULE_STA_801), REASON(RULE_STA_801)},
    [PLACE_TRANSIT] = {REASON(RULE_STA_802), REASON(RULE_STA_802)},
    [PLACE_OUTSIDE] = {REASON(RULE_STA_804), REASON(RULE_STA_804)},
    [PLACE_WAREHOUSE] = {REASON(RULE_STA_805), REASON(RULE_STA_805)},
    [PLACE_REIMPORT] = {REASON(RULE_STA_806), 0},
    [PLACE_REEXPORT] = {0, REASON(RULE_STA_807)},
    [PLACE_RETURNED] = {REASON(RULE_STA_806) | REASON(RULE_STA_809), REASON(RULE_STA_807) | REASON(RULE_STA_809)},
};

void judge_statistics_prepare(struct rules *rules, const struct rules_options *options)
{
    rules->leaves_banknotes = options->leaves_banknotes;
    for (int rule = RULE_STA_801; rule <= RULE_STA_809; rule++) {
        if (rules->severity[rule] != SEVERITY_OFF)
            rules->apart |= (uint16_t)REASON(rule);
    }
    if (rules->severity[RULE_STA_808] == SEVERITY_OFF)
        return;
    for (int scheme = 0; scheme < SCHEME_COUNT; scheme++) {
        bool released = options->count_status == COUNT_RELEASED ||
                        (options->count_status == COUNT_BY_SCHEME && scheme == SCHEME_CN);
        rules->status_outside[scheme] =
            (uint8_t)(1u << STATUS_REFUSED |
                      (released ? 1u << STATUS_ACCEPTED : 0)); /* an absent one decides nothing */
    }
}

/* STA-803 */
static bool is_money(const struct rules *rules, struct text hs_code)
{
    if (hs_code.length < HS6_DIGITS)
        return false;
    return memcmp(hs_code.data, "710820", HS6_DIGITS) == 0 || memcmp(hs_code.data, "711890", HS6_DIGITS) == 0 ||
           (rules->leaves_banknotes && memcmp(hs_code.data, "490700", HS6_DIGITS) == 0);
}

/* What regimes.csv has of a code. */
static inline uint32_t place_reasons(uint32_t regime_bits, bool export)
{
    return reasons_of_place[lists_place(regime_bits)][export];
}

/* What the procedure of an item says, in the schemes that have one. Without a row in the list only procedure 31 of EU and EAEU
 * says something. */
static uint32_t procedure_reasons(const struct rules *rules, const struct declaration *d, struct text procedure)
{
    bool export = d->direction == DIRECTION_EXPORT;
    struct text requested = {procedure.data, procedure.length < 2 ? procedure.length : 2};
    uint32_t bits = lists_regime(rules->reference, d->scheme, requested);
    if (bits == 0 && export && (d->scheme == SCHEME_EU || d->scheme == SCHEME_EAEU))
        return judge_chapter_is(procedure, '3', '1') ? REASON(RULE_STA_807) : 0;
    return place_reasons(bits, export);
}

/* STA-809: 2 and the codes of two digits below it are returned goods in every list of natures of transaction. */
static inline bool is_return(const struct declaration *d)
{
    return d->nature_of_transaction == 2 || d->nature_of_transaction - 20 < 10;
}

/* Of the declaration as a whole. */
static inline uint32_t head_reasons(const struct rules *rules, const struct declaration *d, uint32_t regime_bits)
{
    uint32_t reasons = place_reasons(regime_bits, d->direction == DIRECTION_EXPORT);
    bool known = (uint32_t)d->scheme < SCHEME_COUNT && (uint32_t)d->status <= STATUS_REFUSED;
    if (known && rules->status_outside[d->scheme] >> d->status & 1)
        reasons |= REASON(RULE_STA_808);
    if (is_return(d))
        reasons |= REASON(RULE_STA_809);
    return reasons;
}

/* Of the item alone, but for its procedure. Nearly every item is of another origin and of another chapter than 49 and 71. */
static inline uint32_t goods_reasons(const struct rules *rules, const struct item *t, bool import)
{
    uint32_t reasons = import && judge_is_pair(t->origin_country, rules->reporter_key) ? REASON(RULE_STA_806) : 0;
    uint16_t chapter = 0;
    if (t->hs_code.length >= HS6_DIGITS)
        memcpy(&chapter, t->hs_code.data, sizeof chapter);
    if ((chapter == CHAPTER('7', '1') || chapter == CHAPTER('4', '9')) && is_money(rules, t->hs_code))
        reasons |= REASON(RULE_STA_803);
    return reasons;
}

static uint32_t item_reasons(const struct rules *rules, const struct declaration *d, const struct item *t)
{
    uint32_t reasons = goods_reasons(rules, t, d->direction == DIRECTION_IMPORT);
    return d->scheme == SCHEME_CN ? reasons : reasons | procedure_reasons(rules, d, t->procedure);
}

static enum item_class class_of(uint32_t reasons)
{
    if (reasons & OUTSIDE)
        return ITEM_OUTSIDE;
    return reasons & RETURNS ? ITEM_RETURNS : ITEM_COUNTED;
}

enum item_class rules_item_class(const struct rules *rules, const struct declaration *declaration, uint32_t item)
{
    CHECK(item < declaration_items_kept(declaration));
    uint32_t regime =
        declaration->scheme == SCHEME_CN ? lists_regime(rules->reference, SCHEME_CN, declaration->trade_mode) : 0;
    uint32_t reasons = head_reasons(rules, declaration, regime);
    reasons |= item_reasons(rules, declaration, &declaration->items.items[item]);
    return class_of(reasons & rules->apart);
}

static const char *field_of(const struct judge *judge, enum rule rule, const struct item *t)
{
    const struct declaration *d = judge->declaration;
    if (rule == RULE_STA_803)
        return "hs_code";
    if (rule == RULE_STA_808)
        return "status";
    if (rule == RULE_STA_806 && t && judge_is_pair(t->origin_country, judge->rules->reporter_key))
        return "origin_country";
    if (rule == RULE_STA_809 && !t && is_return(d))
        return "nature_of_transaction";
    return t ? "procedure" : "trade_mode";
}

static void find_reasons(const struct judge *judge, uint32_t reasons, int32_t item)
{
    const struct item *t = item < 0 ? NULL : &judge->declaration->items.items[item];
    for (int rule = RULE_STA_801; rule <= RULE_STA_809; rule++) {
        if (reasons & REASON(rule))
            judge_find(judge, (enum rule)rule, item, field_of(judge, (enum rule)rule, t));
    }
}

/* Reasons of the declaration as a whole stand once and without an item. What is left out is not reclassified too. */
__attribute__((noinline)) static void find_all(const struct judge *judge)
{
    const struct rules *rules = judge->rules;
    const struct declaration *d = judge->declaration;
    uint32_t head = head_reasons(rules, d, judge->regime) & rules->apart;
    uint32_t outside = 0;
    for (uint32_t i = 0; i < judge->items; i++) {
        uint32_t own = item_reasons(rules, d, &d->items.items[i]) & rules->apart;
        enum item_class class = class_of(head | own);
        outside += class == ITEM_OUTSIDE;
        find_reasons(judge, own & (class == ITEM_OUTSIDE ? OUTSIDE : RETURNS), (int32_t)i);
    }
    judge->findings->apart = true;
    judge->findings->not_counted = outside == judge->items;
    find_reasons(judge, head & (judge->findings->not_counted ? OUTSIDE : RETURNS), -1);
}

/* What the head says, and the procedures, of which a declaration mostly has one. */
__attribute__((noinline)) static uint32_t look_closer(const struct judge *judge)
{
    const struct rules *rules = judge->rules;
    const struct declaration *d = judge->declaration;
    const struct item *items = d->items.items;
    uint32_t reasons = head_reasons(rules, d, judge->regime);
    if (d->scheme == SCHEME_CN)
        return reasons;
    for (uint32_t i = 0; i < judge->items; i++) {
        if (i == 0 || !text_equal(items[i].procedure, items[i - 1].procedure))
            reasons |= procedure_reasons(rules, d, items[i].procedure);
    }
    return reasons;
}

void judge_statistics(const struct judge *judge)
{
    const struct rules *rules = judge->rules;
    const struct declaration *d = judge->declaration;
    if (judge->cancel)
        return;
    uint32_t reasons = 0;
    for (uint32_t i = 0; i < judge->items; i++)
        reasons |= goods_reasons(rules, &d->items.items[i], judge->import);
    /* Most are released, of a regime that counts, of no stated nature: a released one counts whatever the setting. */
    if (d->status != STATUS_RELEASED || lists_place(judge->regime) != PLACE_COUNTED || d->nature_of_transaction != 0 ||
        d->scheme != SCHEME_CN)
        reasons |= look_closer(judge);
    if (reasons & rules->apart && judge->items > 0)
        find_all(judge);
}
