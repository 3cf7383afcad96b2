/* SPDX-License-Identifier: Apache-2.0 */
#include "base/i128.h"
#include "trade/incoterm.h"
#include "trade/judge.h"

#define MG_PER_G INT64_C(1000)
#define MG_PER_KG INT64_C(1000000)
#define ITEM_MASS_MOST_MG                                                                                              \
    (INT64_C(100000000000) * MG_PER_KG) /* ARI-219: 1e11 kg; a month of a large pipeline is about 3e9 kg */
#define ITEM_VALUE_MOST_MINOR INT64_C(1000000000000000) /* ARI-219 */

enum { MODE_SEA = 1, MODE_AIR = 4, MODE_FIXED = 7 };

/* The masses of all items. The gross sum counts as present only if every item has its part. */
struct masses {
    i128 net_mg;
    i128 gross_mg;
    bool gross_all;
    bool gross_any;
};

__attribute__((noinline)) static struct masses add_widely(const struct judge *judge)
{
    struct masses sums = {.gross_all = true};
    const struct item *items = judge->declaration->items.items;
    for (uint32_t i = 0; i < judge->items; i++) {
        sums.net_mg += items[i].net_mass_mg;
        sums.gross_mg += items[i].gross_mass_mg;
        sums.gross_all &= items[i].gross_mass_mg != 0;
        sums.gross_any |= items[i].gross_mass_mg != 0;
    }
    return sums;
}

static struct masses add(const struct judge *judge)
{
    const struct judge_items *all = &judge->all;
    if (!all->ordinary)
        return add_widely(judge);
    return (struct masses){all->net_mg, all->gross_mg, all->gross_all, all->gross_any};
}

static i128 distance(i128 a, i128 b)
{
    return a < b ? b - a : a - b;
}

/* ARI-202, 203, 205 */
static void masses(const struct judge *judge, const struct masses *sums)
{
    int64_t total = judge->declaration->total_gross_mass_mg;
    if (total && sums->gross_all) {
        i128 off = distance(total, sums->gross_mg);
        if (off > MG_PER_KG && off * 100 > sums->gross_mg)
            judge_find(judge, RULE_ARI_202, -1, "total_gross_mass_mg");
        else if (off > (i128)judge->items * MG_PER_G)
            judge_find(judge, RULE_ARI_203, -1, "total_gross_mass_mg");
    }
    if ((sums->gross_all && sums->net_mg > sums->gross_mg) || (!sums->gross_all && total && sums->net_mg > total))
        judge_find(judge, RULE_ARI_205, -1, sums->gross_all ? "items" : "total_gross_mass_mg");
}

/* ARI-208: a sum only if every item has its part. */
static void invoice(const struct judge *judge)
{
    const struct item *items = judge->declaration->items.items;
    i128 sum_minor = 0;
    bool all = true;
    for (uint32_t i = 0; i < judge->items; i++) {
        sum_minor += items[i].invoice_value_minor;
        all &= items[i].invoice_value_minor != 0;
    }
    if (all && distance(judge->declaration->invoice_total_minor, sum_minor) > judge->items)
        judge_find(judge, RULE_ARI_208, -1, "invoice_total_minor");
}

/* ARI-215, 216 */
static void packages(const struct judge *judge)
{
    const struct item *items = judge->declaration->items.items;
    uint64_t sum = 0; /* 99,999 times UINT32_MAX fits */
    bool all = true;
    for (uint32_t i = 0; i < judge->items; i++) {
        sum += items[i].package_count;
        all &= items[i].package_count != 0;
    }
    if (sum == 0)
        judge_find(judge, RULE_ARI_215, -1, "package_count");
    if (all && sum != judge->declaration->total_packages)
        judge_find(judge, RULE_ARI_216, -1, "total_packages");
}

static bool excludes_carriage(struct text term)
{
    return text_is(term, "EXW") || text_is(term, "FCA") || text_is(term, "FOB");
}

/* ARI-212. On export the charges that a price includes are stated so that they can be taken off: only an import adds
 * them again. */
static void delivery(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    if (!judge->import || d->incoterm.length == 0)
        return;
    if (incoterm_price(d->incoterm) & INCOTERM_INSURANCE) {
        if (d->freight_minor > 0)
            judge_find(judge, RULE_ARI_212, -1, "freight_minor");
        else if (d->insurance_minor > 0)
            judge_find(judge, RULE_ARI_212, -1, "insurance_minor");
    }
    bool by_sea_or_air = d->border_transport_mode == MODE_SEA || d->border_transport_mode == MODE_AIR;
    if (by_sea_or_air && d->freight_minor == 0 && excludes_carriage(d->incoterm))
        judge_find(judge, RULE_ARI_212, -1, "freight_minor");
}

/* ARI-214: compared only in one and the same currency. */
static void charge(const struct judge *judge, int64_t amount, struct text currency, const char *field)
{
    const struct declaration *d = judge->declaration;
    if (amount > 0 && amount == d->invoice_total_minor && currency.length && text_equal(currency, d->invoice_currency))
        judge_find(judge, RULE_ARI_214, -1, field);
}

static void charges(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    if (d->freight_minor && d->freight_currency.length == 0)
        judge_find(judge, RULE_ARI_213, -1, "freight_currency");
    if (d->insurance_minor && d->insurance_currency.length == 0)
        judge_find(judge, RULE_ARI_213, -1, "insurance_currency");
    charge(judge, d->freight_minor, d->freight_currency, "freight_minor");
    charge(judge, d->insurance_minor, d->insurance_currency, "insurance_minor");
    charge(judge, d->other_charges_minor, d->other_charges_currency, "other_charges_minor");
}

/* ARI-207: electricity has no mass; energy through a pipe may be measured in another unit. */
static bool may_lack_mass(const struct judge *judge, const struct item *t)
{
    if (!judge_chapter_is(t->hs_code, '2', '7'))
        return false;
    if (t->hs_code.length >= 4 && memcmp(t->hs_code.data, "2716", 4) == 0)
        return true;
    if (judge->declaration->border_transport_mode != MODE_FIXED || t->supp_quantity_micro <= 0 ||
        t->supp_unit.length == 0)
        return false;
    const struct unit *unit = lists_unit(judge->reference, t->supp_unit);
    return !unit || judge->reference->standard_units[unit->standard].kind != UNIT_MASS;
}

static void guard(const struct judge *judge, const struct item *t, int32_t item)
{
    if (t->net_mass_mg > ITEM_MASS_MOST_MG)
        judge_find(judge, RULE_ARI_219, item, "net_mass_mg");
    if (t->gross_mass_mg > ITEM_MASS_MOST_MG)
        judge_find(judge, RULE_ARI_219, item, "gross_mass_mg");
    if (t->statistical_value_minor > ITEM_VALUE_MOST_MINOR)
        judge_find(judge, RULE_ARI_219, item, "statistical_value_minor");
    if (t->customs_value_minor > ITEM_VALUE_MOST_MINOR)
        judge_find(judge, RULE_ARI_219, item, "customs_value_minor");
    if (t->invoice_value_minor > ITEM_VALUE_MOST_MINOR)
        judge_find(judge, RULE_ARI_219, item, "invoice_value_minor");
}

/* The code under which COD-111 finds the regime of an item. */
static struct text regime_code(const struct declaration *d, const struct item *t)
{
    if (d->scheme == SCHEME_CN)
        return d->trade_mode;
    return (struct text){t->procedure.data, t->procedure.length < 2 ? t->procedure.length : 2};
}

static void item_values(const struct judge *judge, const struct item *t, int32_t item)
{
    const struct declaration *d = judge->declaration;
    if (t->customs_value_minor == 0) {
        if (!judge->cancel && lists_regime(judge->reference, d->scheme, regime_code(d, t)) & REGIME_GENERAL_IMPORT)
            judge_find(judge, RULE_ARI_220, item, "customs_value_minor");
        return;
    }
    int64_t statistical = t->statistical_value_minor;
    int64_t customs = t->customs_value_minor;
    if (statistical <= 0 || customs < 0)
        return;
    int64_t off = customs < statistical ? statistical - customs : customs - statistical; /* both positive: fits */
    if (off > statistical / 10)
        judge_find(judge, RULE_ARI_221, item, "customs_value_minor");
}

static void item_masses(const struct judge *judge, const struct item *t, bool gross_stated, int32_t item)
{
    if (t->net_mass_mg == 0 && !judge->cancel && !may_lack_mass(judge, t))
        judge_find(judge, RULE_ARI_207, item, "net_mass_mg");
    if (t->gross_mass_mg && t->net_mass_mg > t->gross_mass_mg)
        judge_find(judge, RULE_ARI_204, item, "net_mass_mg");
    if (t->gross_mass_mg == 0 && t->package_count && gross_stated)
        judge_find(judge, RULE_ARI_206, item, "gross_mass_mg");
}

void judge_arithmetic(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    const struct item *items = d->items.items;
    bool count_absent = judge->cancel && (d->item_count == 0 || d->items.count == 0);
    if (d->item_count != d->items.count && !count_absent)
        judge_find(judge, RULE_ARI_201, -1, "item_count");
    delivery(judge);
    charges(judge);
    if (judge->items == 0)
        return;
    struct masses sums = add(judge);
    bool gross_stated = sums.gross_any || d->total_gross_mass_mg != 0;
    masses(judge, &sums);
    if (d->invoice_total_minor)
        invoice(judge);
    if (d->total_packages)
        packages(judge);
    for (uint32_t i = 0; i < judge->items; i++) {
        item_masses(judge, &items[i], gross_stated, (int32_t)i);
        if (!judge->all.ordinary)
            guard(judge, &items[i], (int32_t)i);
        if (judge->import)
            item_values(judge, &items[i], (int32_t)i);
    }
}
