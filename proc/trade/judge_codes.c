/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/check_digit.h"
#include "trade/judge.h"

enum {
    MODE_MULTIMODAL = 6,
    MODE_MOST = 9,
    PROCEDURE_CHARACTERS_CN = 4,
    VALUATION_METHOD_MOST = 6,
    LOCODE_BYTES = 5,
};

static void offices(const struct judge *judge)
{
    if (judge->reference->offices.count == 0)
        return;
    const struct declaration *d = judge->declaration;
    if (d->office_code.length && !lists_office(judge->reference, d->office_code, judge->date))
        judge_find(judge, RULE_COD_101, -1, "office_code");
    if (d->border_office_code.length && !lists_office(judge->reference, d->border_office_code, 0))
        judge_find(judge, RULE_COD_102, -1, "border_office_code");
}

/* COD-103, COD-104: 0 and 6 are no border modes; a cancel may leave the mode out. */
static void modes(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    uint32_t mode = d->border_transport_mode;
    bool absent = mode == 0 && judge->cancel;
    if (!absent && (mode == 0 || mode == MODE_MULTIMODAL || mode > MODE_MOST))
        judge_find(judge, RULE_COD_103, -1, "border_transport_mode");
    if (d->inland_transport_mode > MODE_MOST)
        judge_find(judge, RULE_COD_104, -1, "inland_transport_mode");
}

static inline void country(const struct judge *judge, struct text code, int32_t item, const char *field)
{
    if (code.length && !lists_country(judge->reference, code))
        judge_find(judge, RULE_COD_105, item, field);
}

/* Whether the reporter and the currency are those of the configuration, and stand in the lists: then three rules have
 * nothing to find. */
static inline bool reporter_stands(const struct judge *judge)
{
    return judge->rules->reporter_stands && judge_is_pair(judge->declaration->reporter, judge->rules->reporter_key);
}

static inline bool currency_stands(const struct judge *judge)
{
    return judge->rules->reporting_currency_stands &&
           judge_is_triple(judge->declaration->reporting_currency, judge->rules->reporting_currency_key);
}

static void countries(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    if (!reporter_stands(judge))
        country(judge, d->reporter, -1, "reporter");
    if ((d->dispatch_country.length | d->destination_country.length | d->trading_country.length) == 0)
        return;
    country(judge, d->dispatch_country, -1, "dispatch_country");
    country(judge, d->destination_country, -1, "destination_country");
    country(judge, d->trading_country, -1, "trading_country");
}

static inline void currency(const struct judge *judge, struct text code, const char *field)
{
    if (code.length == 0)
        return;
    enum currency_state state = lists_currency(judge->reference, code, judge->date);
    if (state == CURRENCY_CURRENT)
        return;
    judge_find(judge, state == CURRENCY_WITHDRAWN_LATELY ? RULE_COD_108 : RULE_COD_107, -1, field);
}

static void currencies(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    currency(judge, d->invoice_currency, "invoice_currency");
    if (d->freight_currency.length | d->insurance_currency.length | d->other_charges_currency.length) {
        currency(judge, d->freight_currency, "freight_currency");
        currency(judge, d->insurance_currency, "insurance_currency");
        currency(judge, d->other_charges_currency, "other_charges_currency");
    }
    if (!currency_stands(judge))
        currency(judge, d->reporting_currency, "reporting_currency");
}

static bool is_locode(struct text code)
{
    if (code.length != LOCODE_BYTES || lists_letters2((struct text){code.data, 2}) == CODE_NONE)
        return false;
    for (uint32_t i = 2; i < LOCODE_BYTES; i++) {
        char c = code.data[i];
        if (lists_letter(c) >= 26 && !(c >= '2' && c <= '9'))
            return false;
    }
    return true;
}

static void delivery(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    if (d->incoterm.length) {
        enum incoterm_state state = lists_incoterm(judge->reference, d->incoterm, judge->date);
        if (state == INCOTERM_UNKNOWN)
            judge_find(judge, RULE_COD_109, -1, "incoterm");
        if (state == INCOTERM_WITHDRAWN)
            judge_find(judge, RULE_COD_110, -1, "incoterm");
    }
    struct text place = d->incoterm_place;
    if (place.length == 0)
        return;
    if (!is_locode(place))
        judge_find(judge, RULE_COD_115, -1, "incoterm_place");
    else if (judge->reference->locode_country[lists_letters2((struct text){place.data, 2})] &&
             !codes_has(&judge->reference->locodes, codes_key(place)))
        judge_find(judge, RULE_COD_116, -1, "incoterm_place");
}

/* COD-118: an identifier of another shape is not judged. */
static inline void identifier(const struct judge *judge, struct text id, const char *field)
{
    enum { CREDIT_CODE_BYTES = 18, BIN_BYTES = 12 };
    if (id.length != CREDIT_CODE_BYTES && id.length != BIN_BYTES)
        return;
    if (check_digit_credit_code(id) == CHECK_DIGIT_WRONG || check_digit_bin(id) == CHECK_DIGIT_WRONG)
        judge_find(judge, RULE_COD_118, -1, field);
}

static void identifiers(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    if (judge_on(judge, RULE_COD_118)) {
        identifier(judge, d->trader_id, "trader_id");
        identifier(judge, d->declarant_id, "declarant_id");
    }
    for (uint32_t i = 0; i < d->container_ids.count; i++) {
        struct text id = d->container_ids.texts[i];
        if (id.length && check_digit_container(id) != CHECK_DIGIT_RIGHT)
            judge_find(judge, RULE_COD_119, -1, "container_ids");
    }
}

static void configured(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    if (!reporter_stands(judge) && d->reporter.length && codes_key(d->reporter) != judge->rules->reporter_key)
        judge_find(judge, RULE_COD_120, -1, "reporter");
    if (!currency_stands(judge) && d->reporting_currency.length &&
        codes_key(d->reporting_currency) != judge->rules->reporting_currency_key)
        judge_find(judge, RULE_COD_120, -1, "reporting_currency");
}

/* Whether what regimes.csv has of a code is for the direction; any direction will do if the declaration's is not known
 * (STR-007). */
static inline bool is_listed(const struct judge *judge, uint32_t bits)
{
    if (judge->import)
        return bits & REGIME_IMPORT;
    if (judge->export)
        return bits & REGIME_EXPORT;
    return bits != 0;
}

/* Whether a list of codes by scheme has rows for this one: a list without them decides nothing. */
static bool covers(const struct codes *by_scheme, int32_t scheme)
{
    return scheme > 0 && scheme < SCHEME_COUNT && by_scheme[scheme].count > 0;
}

static uint32_t characters(struct text text)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < text.length; i++)
        count += ((uint8_t)text.data[i] & 0xC0) != 0x80;
    return count;
}

/* COD-111 and COD-112 for one item; `listed`: COD-111 has rows for the scheme. */
static void procedure(const struct judge *judge, struct text code, bool listed, bool paired, int32_t item)
{
    if (code.length == 0)
        return;
    if (judge->declaration->scheme == SCHEME_CN) {
        if (listed && code.length > PROCEDURE_CHARACTERS_CN && characters(code) > PROCEDURE_CHARACTERS_CN)
            judge_find(judge, RULE_COD_111, item, "procedure");
        return;
    }
    struct text requested = {code.data, code.length < 2 ? code.length : 2};
    if (listed && !is_listed(judge, lists_regime(judge->reference, judge->declaration->scheme, requested)))
        judge_find(judge, RULE_COD_111, item, "procedure");
    if (paired && code.length >= 4 &&
        !codes_has(&judge->reference->procedure_pairs[judge->declaration->scheme],
                   codes_key((struct text){code.data, 4})))
        judge_find(judge, RULE_COD_112, item, "procedure");
}

static void item_codes(const struct judge *judge, const struct item *t, int32_t item)
{
    country(judge, t->origin_country, item, "origin_country");
    country(judge, t->destination_country, item, "destination_country");
    country(judge, t->consignment_country, item, "consignment_country");
    if (t->origin_country.length == 2 && t->origin_country.data[0] == 'Z' && t->origin_country.data[1] == 'Z')
        judge_find(judge, RULE_COD_106, item, "origin_country");
    if (t->supp_unit.length && !lists_unit(judge->reference, t->supp_unit))
        judge_find(judge, RULE_COD_113, item, "supp_unit");
    if (t->package_type.length && !codes_has(&judge->reference->package_types, codes_key(t->package_type)))
        judge_find(judge, RULE_COD_114, item, "package_type");
    if (t->valuation_method > VALUATION_METHOD_MOST)
        judge_find(judge, RULE_COD_117, item, "valuation_method");
}

void judge_codes(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    bool listed = covers(judge->reference->regimes, d->scheme);
    bool paired = covers(judge->reference->procedure_pairs, d->scheme);
    offices(judge);
    modes(judge);
    countries(judge);
    currencies(judge);
    delivery(judge);
    identifiers(judge);
    configured(judge);
    if (listed && d->scheme == SCHEME_CN && d->trade_mode.length && !is_listed(judge, judge->regime))
        judge_find(judge, RULE_COD_111, -1, "trade_mode");
    for (uint32_t i = 0; i < judge->items; i++) {
        const struct item *item = &d->items.items[i];
        item_codes(judge, item, (int32_t)i);
        procedure(judge, item->procedure, listed, paired, (int32_t)i);
    }
}
