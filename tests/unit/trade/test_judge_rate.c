/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/rule_case.h"

/* The base case: an invoice of 98,000.00 in the reporting currency at a rate of 1, FOB, freight 1,000.00; the items are worth
 * 100,000.00. Of June 2025 the list knows CNY 7.1790 and EUR 0.8688 per USD. */

#define E8(rate) ((int64_t)((rate)*10000) * 10000)

#define INVOICE(currency, total, rate)                                                                                 \
    do {                                                                                                               \
        d->invoice_currency = TEXT(currency);                                                                          \
        d->invoice_total_minor = (total);                                                                              \
        item[0].invoice_value_minor = (total) / 2;                                                                     \
        item[1].invoice_value_minor = (total) - (total) / 2;                                                           \
        d->fx_rate_e8 = (rate);                                                                                        \
    } while (0)

/* ---- ARI-217, ARI-218 ---- */

RULE_CASE("ARI-217", accepts, a_rate_of_the_month, "", { INVOICE("USD", 1380000, E8(7.18)); })
RULE_CASE("ARI-217", accepts, a_rate_per_hundred, "", {
    INVOICE("USD", 1380000, E8(718));
    d->fx_per = 100;
})
RULE_CASE("ARI-217", accepts, a_cross_rate, "", { INVOICE("EUR", 1199000, E8(8.26)); })
RULE_CASE("ARI-217", accepts, no_foreign_invoice_and_no_rate, "", { d->fx_rate_e8 = 0; })
RULE_CASE("ARI-217", accepts, no_invoice_currency_and_no_rate, "", {
    d->invoice_currency = TEXT("");
    d->fx_rate_e8 = 0;
})
RULE_CASE("ARI-217", accepts, a_currency_that_the_list_lacks, "", {
    INVOICE("KWD", 1380000, 1);
    d->incoterm = TEXT("");
})
RULE_CASE("ARI-217", accepts, a_month_that_the_list_lacks, "", {
    INVOICE("USD", 1380000, 1);
    d->incoterm = TEXT("");
    sample_dated(&sample, 20250501);
})
RULE_CASE("ARI-217", accepts, twice_the_rate, "ARI-218", { INVOICE("USD", 690000, E8(14.358)); })
RULE_CASE("ARI-217", accepts, half_the_rate, "ARI-218", { INVOICE("USD", 2760000, E8(3.5895)); })
RULE_CASE("ARI-217", rejects, more_than_twice_the_rate, "ARI-218", { INVOICE("USD", 690000, E8(14.358) + 1); })
RULE_CASE("ARI-217", rejects, less_than_half_the_rate, "ARI-218", { INVOICE("USD", 2760000, E8(3.5895) - 1); })
RULE_CASE("ARI-217", rejects, a_rate_of_another_than_1_in_one_currency, "ARI-218 ARI-210", { d->fx_rate_e8 = E8(2.5); })
RULE_CASE("ARI-217", rejects, no_rate_for_a_foreign_invoice, "", { INVOICE("USD", 1380000, 0); })
RULE_CASE("ARI-217", rejects, no_rate_for_a_currency_that_the_list_lacks, "", { INVOICE("KZT", 1380000, 0); })
RULE_CASE("ARI-217", rejects, a_negative_rate, "", { INVOICE("USD", 1380000, -1); })
RULE_CASE("ARI-217", accepts, a_cancel_needs_no_rate, "", {
    sample_cancel(&sample);
    d->invoice_currency = TEXT("USD");
    d->reporting_currency = TEXT("CNY");
})
RULE_CASE("ARI-218", accepts, five_percent_off_the_rate, "", { INVOICE("USD", 1380000, E8(7.1790) / 100 * 105); })
RULE_CASE("ARI-218", warns, more_than_five_percent_off_the_rate, "",
          { INVOICE("USD", 1380000, E8(7.1790) / 100 * 105 + 1); })
RULE_CASE("ARI-218", warns, more_than_five_percent_below_the_rate, "",
          { INVOICE("USD", 1380000, E8(7.1790) / 100 * 95 - 1); })

/* ---- ARI-210, ARI-211 ---- */

#define VALUES(sum)                                                                                                    \
    do {                                                                                                               \
        for (int i_ = 0; i_ < 2; i_++) {                                                                               \
            item[i_].statistical_value_minor = (sum) / 2;                                                              \
            item[i_].customs_value_minor = (sum) / 2;                                                                  \
        }                                                                                                              \
    } while (0)

/* 98,000.00 and 1,000.00 of freight that FOB leaves out: 99,000.00 */
RULE_CASE("ARI-210", accepts, values_20_percent_above_the_invoice, "", { VALUES(11880000); })
RULE_CASE("ARI-210", warns, values_more_than_20_percent_above_the_invoice, "", { VALUES(11880002); })
RULE_CASE("ARI-210", accepts, values_20_percent_below_the_invoice, "", { VALUES(7920000); })
RULE_CASE("ARI-210", warns, values_more_than_20_percent_below_the_invoice, "", { VALUES(7919998); })
RULE_CASE("ARI-211", accepts, values_ten_times_the_invoice, "ARI-210", { VALUES(99000000); })
RULE_CASE("ARI-211", rejects, values_more_than_ten_times_the_invoice, "ARI-210", { VALUES(99000002); })
RULE_CASE("ARI-211", accepts, values_a_tenth_of_the_invoice, "ARI-210", { VALUES(990000); })
RULE_CASE("ARI-211", rejects, values_less_than_a_tenth_of_the_invoice, "ARI-210", { VALUES(989998); })
RULE_CASE("ARI-211", accepts, without_a_delivery_term_nothing_is_expected, "", {
    d->incoterm = TEXT("");
    VALUES(2);
})
RULE_CASE("ARI-211", accepts, without_a_rate_nothing_is_expected, "", {
    d->fx_rate_e8 = 0;
    VALUES(2);
})
RULE_CASE("ARI-211", accepts, without_an_invoice_nothing_is_expected, "", {
    d->invoice_total_minor = 0;
    VALUES(2);
})
RULE_CASE("ARI-210", accepts, freight_in_a_price_is_not_added_on_import, "ARI-212", {
    d->incoterm = TEXT("CIF"); /* 98,000.00 */
    VALUES(11760000);
})
RULE_CASE("ARI-210", warns, freight_in_a_price_is_added_on_import, "ARI-212", {
    d->incoterm = TEXT("CIF");
    VALUES(11760002);
})
RULE_CASE("ARI-210", accepts, insurance_is_added_on_import, "", {
    d->insurance_minor = 100000;
    d->insurance_currency = TEXT("CNY");
    VALUES(12000000);
})
RULE_CASE("ARI-210", warns, insurance_is_left_out_on_import, "", {
    d->insurance_minor = 100000;
    d->insurance_currency = TEXT("CNY");
    VALUES(12000002);
})
RULE_CASE("ARI-210", accepts, a_charge_in_a_third_currency_leaves_it_open, "", {
    d->freight_currency = TEXT("EUR");
    VALUES(20000000);
})
RULE_CASE("ARI-210", accepts, freight_in_a_price_is_taken_off_on_export, "", {
    sample_export(&sample, "940720250000000001", "1");
    d->incoterm = TEXT("CIP"); /* 97,000.00 */
    VALUES(11640000);
})
RULE_CASE("ARI-210", warns, freight_in_a_price_stays_on_export, "", {
    sample_export(&sample, "940720250000000001", "1");
    d->incoterm = TEXT("CIP");
    VALUES(11640002);
})
RULE_CASE("ARI-210", accepts, decimals_of_both_currencies_count, "", {
    BASE(SCHEME_KR);
    INVOICE("USD", 100000, E8(1400)); /* 1,000.00 USD are 1,400,000 KRW, which has no decimals */
    d->freight_minor = 0;
    d->incoterm = TEXT("DAP");
    VALUES(1400000);
})
RULE_CASE("ARI-211", rejects, won_stated_as_if_they_had_decimals, "ARI-210", {
    BASE(SCHEME_KR);
    INVOICE("USD", 100000, E8(1400));
    d->freight_minor = 0;
    d->incoterm = TEXT("DAP");
    VALUES(140000000);
})
RULE_CASE("ARI-211", accepts, figures_beyond_all_trade_decide_nothing, "ARI-218 ARI-217", {
    INVOICE("USD", INT64_MAX, INT64_MAX);
    sample.options.severity[RULE_ARI_217] = SEVERITY_WARN;
    sample.options.severity[RULE_ARI_219] = SEVERITY_OFF;
    sample.options.severity[RULE_ARI_208] = SEVERITY_OFF;
})
