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

/* What a regime says, in CN the trade mode, elsewhere the first two characters of the procedure. Without a row in the list
 * only procedure 31 of those schemes that have it says something. */
static uint32_t regime_reasons(const struct rules *rules, const struct declaration *d, struct text code)
{
    uint32_t bits = lists_regime(rules->reference, d->scheme, code);
    bool export = d->direction == DIRECTION_EXPORT;
    if (bits == 0 && export && (d->scheme == SCHEME_EU || d->scheme == SCHEME_EAEU))
        return judge_chapter_is(code, '3', '1') ? REASON(RULE_STA_807) : 0;
    return reasons_of_place[lists_place(bits)][export];
}

/* STA-809: 2 and the codes of two digits below it are returned goods in every list of natures of transaction. */
static bool is_return(const struct declaration *d)
{
    return d->nature_of_transaction == 2 || d->nature_of_transaction / 10 == 2;
}

/* Of the declaration as a whole. */
static inline uint32_t head_reasons(const struct rules *rules, const struct declaration *d)
{
    uint32_t reasons = d->scheme == SCHEME_CN ? regime_reasons(rules, d, d->trade_mode) : 0;
    bool known = (uint32_t)d->scheme < SCHEME_COUNT && (uint32_t)d->status <= STATUS_REFUSED;
    if (known && rules->status_outside[d->scheme] >> d->status & 1)
        reasons |= REASON(RULE_STA_808);
    if (is_return(d))
        reasons |= REASON(RULE_STA_809);
    return reasons;
}

static inline uint32_t item_reasons(const struct rules *rules, const struct declaration *d, const struct item *t)
{
    uint32_t reasons = 0;
    if (d->scheme != SCHEME_CN)
        reasons = regime_reasons(rules, d,
                                 (struct text){t->procedure.data, t->procedure.length < 2 ? t->procedure.length : 2});
    if (judge_is_pair(t->origin_country, rules->reporter_key) && d->direction == DIRECTION_IMPORT)
        reasons |= REASON(RULE_STA_806);
    if ((judge_chapter_is(t->hs_code, '7', '1') || judge_chapter_is(t->hs_code, '4', '9')) &&
        is_money(rules, t->hs_code))
        reasons |= REASON(RULE_STA_803);
    return reasons;
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
    uint32_t reasons = head_reasons(rules, declaration);
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
__attribute__((noinline)) static void find_all(const struct judge *judge, uint32_t head)
{
    const struct rules *rules = judge->rules;
    const struct declaration *d = judge->declaration;
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

void judge_statistics(const struct judge *judge)
{
    const struct rules *rules = judge->rules;
    const struct declaration *d = judge->declaration;
    if (judge->cancel || judge->items == 0)
        return;
    uint32_t head = head_reasons(rules, d);
    uint32_t any = head;
    for (uint32_t i = 0; i < judge->items; i++)
        any |= item_reasons(rules, d, &d->items.items[i]);
    if (any & rules->apart)
        find_all(judge, head & rules->apart);
}
