/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/judge.h"

/* Trade modes of e-commerce and of the border. They are modes of the scheme CN, and their limits are in yuan: under another reporting
 * currency a limit decides nothing. */

enum {
    FEN = 100,                    /* minor units of a yuan */
    ORDER_MOST = 5000 * FEN,      /* ECM-703 */
    LIST_MOST = 5000 * FEN,       /* ECM-705 */
    BORDER_MOST = 8000 * FEN,     /* ECM-708 */
    ORDER_REVIEW = 50000 * FEN,   /* ECM-712 */
    MARKET_MOST_CENTS = 15000000, /* ECM-706: USD 150 000 */
    E8 = 100000000,
    HEADING_DIGITS = 4,
};

enum {
    MODE_ORDERS = 1,   /* of a platform: platform_id and order_count */
    MODE_RETAIL = 2,   /* limited per order on import */
    MODE_BUSINESS = 4, /* a simplified lane on export */
    MODE_IMPORT_ONLY = 8,
    MODE_EXPORT_ONLY = 16,
    MODE_MARKET = 32,
    MODE_SUMMARY = 64, /* 9610 */
    MODE_BORDER = 128,
};

#define MODE(a, b, c, d) ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24)

static uint32_t traits_of(struct text mode)
{
    switch (codes_key(mode)) {
    case MODE('9', '6', '1', '0'):
        return MODE_ORDERS | MODE_RETAIL | MODE_SUMMARY;
    case MODE('1', '2', '1', '0'):
        return MODE_ORDERS | MODE_RETAIL;
    case MODE('1', '2', '3', '9'):
        return MODE_ORDERS | MODE_RETAIL | MODE_IMPORT_ONLY;
    case MODE('9', '7', '1', '0'):
    case MODE('9', '8', '1', '0'):
        return MODE_ORDERS | MODE_BUSINESS | MODE_EXPORT_ONLY;
    case MODE('1', '0', '3', '9'):
        return MODE_MARKET | MODE_EXPORT_ONLY;
    case MODE('B', 'M', 'T', 0):
        return MODE_BORDER;
    default:
        return 0;
    }
}

/* ECM-706. An invoice in USD says it itself; else the list's rate of the month does, and without one nothing is decided. */
static void market(const struct judge *judge, i128 value)
{
    const struct declaration *d = judge->declaration;
    int64_t yuan_e8 = 0;
    i128 limit = 0;
    if (d->invoice_total_minor && text_is(d->invoice_currency, "USD")) {
        value = d->invoice_total_minor;
        limit = MARKET_MOST_CENTS;
    } else if (judge->rules->yuan && reference_fx(judge->reference, judge->date / 100, TEXT("CNY"), &yuan_e8)) {
        value *= E8;
        limit = (i128)MARKET_MOST_CENTS * yuan_e8;
    }
    if (limit && value > limit)
        judge_find(judge, RULE_ECM_706, -1, "items");
}

/* No more than a heading: four digits, or zeros behind them that make no subheading of the edition. */
static bool is_heading(const struct judge *judge, struct text code)
{
    for (uint32_t i = HEADING_DIGITS; i < code.length; i++) {
        if (code.data[i] != '0')
            return false;
    }
    if (code.length < HEADING_DIGITS || !judge_is_digits(code))
        return false;
    uint32_t heading = 0;
    for (uint32_t i = 0; i < HEADING_DIGITS; i++)
        heading = heading * 10 + (uint32_t)(code.data[i] - '0');
    return code.length == HEADING_DIGITS ||
           (judge->date && !reference_hs6_exists(judge->reference, reference_edition(judge->date), heading * 100));
}

/* ECM-707: a summary of lists may name headings only, in an approved zone. */
static void summary(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    const struct codes *zones = &judge->reference->pilot_zones;
    if (d->declaration_type != DECLARATION_TYPE_SUMMARY || !judge_on(judge, RULE_ECM_707))
        return;
    if (d->list_count == 0)
        judge_find(judge, RULE_ECM_707, -1, "list_count");
    if (lists_period(judge->reference, zones, d->zone_code, judge->date) ||
        lists_period(judge->reference, zones, d->office_code, judge->date))
        return;
    for (uint32_t i = 0; i < judge->items; i++) {
        if (is_heading(judge, d->items.items[i].hs_code))
            judge_find(judge, RULE_ECM_707, (int32_t)i, "hs_code");
    }
}

/* ECM-708 */
static void border(const struct judge *judge, i128 value)
{
    const struct declaration *d = judge->declaration;
    if (judge->rules->yuan && value > BORDER_MOST)
        judge_find(judge, RULE_ECM_708, -1, "items");
    for (uint32_t i = 0; i < judge->items; i++) {
        const struct item *item = &d->items.items[i];
        struct text partner = judge->export ? item->destination_country : item->origin_country;
        if (partner.length && !lists_neighbour(judge->reference, d->reporter, partner))
            judge_find(judge, RULE_ECM_708, (int32_t)i, judge->export ? "destination_country" : "origin_country");
    }
}

static void orders(const struct judge *judge, uint32_t traits, i128 value)
{
    const struct declaration *d = judge->declaration;
    if ((traits & MODE_ORDERS) && d->platform_id.length == 0)
        judge_find(judge, RULE_ECM_701, -1, "platform_id");
    if ((traits & MODE_ORDERS) && d->order_count == 0)
        judge_find(judge, RULE_ECM_701, -1, "order_count");
    if (!judge->rules->yuan)
        return;
    if ((traits & MODE_RETAIL) && judge->import && d->order_count && value > (i128)d->order_count * ORDER_MOST)
        judge_find(judge, RULE_ECM_703, -1, "order_count");
    if ((traits & MODE_BUSINESS) && d->declaration_type == DECLARATION_TYPE_LIST && value > LIST_MOST)
        judge_find(judge, RULE_ECM_705, -1, "items");
    if (d->order_count && value > (i128)d->order_count * ORDER_REVIEW)
        judge_find(judge, RULE_ECM_712, -1, "order_count");
}

void judge_commerce(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    if ((d->zone_code.length == 0) != (d->zone_line == ZONE_LINE_UNSPECIFIED))
        judge_find(judge, RULE_ECM_709, -1, d->zone_code.length ? "zone_line" : "zone_code");
    uint32_t traits = d->scheme == SCHEME_CN ? traits_of(d->trade_mode) : 0;
    if ((traits | d->order_count) == 0)
        return;
    if (((traits & MODE_EXPORT_ONLY) && judge->import) || ((traits & MODE_IMPORT_ONLY) && judge->export))
        judge_find(judge, RULE_ECM_702, -1, "trade_mode");
    if (judge->cancel)
        return;
    i128 value = judge_value(judge);
    orders(judge, traits, value);
    if (traits & MODE_MARKET)
        market(judge, value);
    if (traits & MODE_SUMMARY)
        summary(judge);
    if (traits & MODE_BORDER)
        border(judge, value);
}
