/* SPDX-License-Identifier: Apache-2.0 */
#include "base/i128.h"
#include "trade/incoterm.h"
#include "trade/judge.h"

/* The rules of ARI about rates of exchange, and about what an invoice in foreign money should come to. A declaration that states no
 * rate and no invoice costs two comparisons. */

enum { E8 = 100000000 };

/* Further from 0 than any figure of trade: what is multiplied by it must not leave 128 bits. */
static bool fits(i128 value)
{
    return value < (i128)1 << 120 && value > -((i128)1 << 120);
}

/* ---- ARI-217, 218 ---- */

/* Units of a currency per USD x 10^8 in the month of the reference date. */
static bool per_usd(const struct judge *judge, struct text currency, int64_t *out_e8)
{
    *out_e8 = E8;
    return text_is(currency, "USD") || reference_fx(judge->reference, judge->date / 100, currency, out_e8);
}

/* The stated rate and the month's rate as two numbers in proportion: both rates are of reporting units per invoice unit. */
static bool proportion(const struct judge *judge, i128 *out_stated, i128 *out_reference)
{
    const struct declaration *d = judge->declaration;
    int64_t invoice_e8 = E8;
    int64_t reporting_e8 = E8;
    if (d->invoice_currency.length == 0 || d->reporting_currency.length == 0 || judge->date == 0)
        return false;
    bool same = text_equal(d->invoice_currency, d->reporting_currency);
    if (!same &&
        (!per_usd(judge, d->invoice_currency, &invoice_e8) || !per_usd(judge, d->reporting_currency, &reporting_e8)))
        return false;
    i128 per = (i128)(d->fx_per ? d->fx_per : 1) * E8;
    return !__builtin_mul_overflow((i128)d->fx_rate_e8, invoice_e8, out_stated) &&
           !__builtin_mul_overflow(per, (i128)reporting_e8, out_reference) && fits(*out_stated) && fits(*out_reference);
}

static void rate(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    bool foreign = d->invoice_currency.length && d->reporting_currency.length &&
                   !text_equal(d->invoice_currency, d->reporting_currency);
    if (d->fx_rate_e8 < 0 || (d->fx_rate_e8 == 0 && foreign && !judge->cancel))
        judge_find(judge, RULE_ARI_217, -1, "fx_rate_e8");
    i128 stated, reference;
    if (d->fx_rate_e8 <= 0 || !proportion(judge, &stated, &reference))
        return;
    i128 off = stated < reference ? reference - stated : stated - reference;
    if (stated > reference * 2 || stated * 2 < reference)
        judge_find(judge, RULE_ARI_217, -1, "fx_rate_e8");
    if (off * 20 > reference)
        judge_find(judge, RULE_ARI_218, -1, "fx_rate_e8");
}

/* ---- ARI-210, 211 ---- */

struct expected {
    i128 invoice_minor;   /* in the currency of the invoice */
    i128 reporting_minor; /* in that of the report */
    bool known;
};

/* A charge that the value holds and the price does not, or the other way round. */
static void charge(const struct judge *judge, struct expected *expected, int64_t minor, struct text currency)
{
    const struct declaration *d = judge->declaration;
    if (judge->export)
        minor = -minor;
    if (minor == 0)
        return;
    if (text_equal(currency, d->invoice_currency))
        expected->invoice_minor += minor;
    else if (text_equal(currency, d->reporting_currency))
        expected->reporting_minor += minor;
    else
        expected->known = false; /* no rate for it */
}

static struct expected expect(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    uint32_t holds = incoterm_price(d->incoterm);
    struct expected expected = {d->invoice_total_minor, 0,
                                (holds & INCOTERM_KNOWN) && (judge->import || judge->export)};
    if (((holds & INCOTERM_CARRIAGE) == 0) == judge->import)
        charge(judge, &expected, d->freight_minor, d->freight_currency);
    if (((holds & INCOTERM_INSURANCE) == 0) == judge->import)
        charge(judge, &expected, d->insurance_minor, d->insurance_currency);
    return expected;
}

static i128 power_of_ten(uint32_t exponent)
{
    i128 power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

/* The expected value and the stated one as two numbers in proportion. */
static bool values(const struct judge *judge, i128 *out_expected, i128 *out_stated)
{
    const struct declaration *d = judge->declaration;
    uint32_t invoice_decimals, reporting_decimals;
    struct expected expected = expect(judge);
    if (!expected.known || !reference_currency_minor(judge->reference, d->invoice_currency, &invoice_decimals) ||
        !reference_currency_minor(judge->reference, d->reporting_currency, &reporting_decimals))
        return false;
    i128 scale = power_of_ten(invoice_decimals) * E8 * (d->fx_per ? d->fx_per : 1);
    i128 charges;
    return !__builtin_mul_overflow(expected.invoice_minor, (i128)d->fx_rate_e8, out_expected) &&
           !__builtin_mul_overflow(*out_expected, power_of_ten(reporting_decimals), out_expected) &&
           !__builtin_mul_overflow(expected.reporting_minor, scale, &charges) &&
           !__builtin_add_overflow(*out_expected, charges, out_expected) &&
           !__builtin_mul_overflow(judge_value(judge), scale, out_stated) && fits(*out_expected) && fits(*out_stated);
}

static void value(const struct judge *judge)
{
    i128 expected, stated;
    if (!values(judge, &expected, &stated))
        return;
    i128 off = stated < expected ? expected - stated : stated - expected;
    if (off * 5 > expected)
        judge_find(judge, RULE_ARI_210, -1, "items");
    if (stated > expected * 10 || stated * 10 < expected)
        judge_find(judge, RULE_ARI_211, -1, "items");
}

void judge_rate(const struct judge *judge)
{
    const struct declaration *d = judge->declaration;
    if (d->fx_rate_e8 == 0 && d->invoice_currency.length == 0)
        return;
    rate(judge);
    if (d->invoice_total_minor > 0 && d->fx_rate_e8 > 0 && d->incoterm.length && judge->items > 0)
        value(judge);
}
