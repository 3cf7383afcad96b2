/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/rule_case.h"

/* regimes.csv of the tests lacks some modes and closes others in a direction: COD-111 has its own tests. The limits are compared with
 * the two items' statistical values, and ARI-210 and 221 are for others. */
#define TRADE(mode)                                                                                                    \
    do {                                                                                                               \
        d->trade_mode = TEXT(mode);                                                                                    \
        d->incoterm = TEXT("");                                                                                        \
        sample.options.severity[RULE_COD_111] = SEVERITY_OFF;                                                          \
    } while (0)

#define ORDERS(count)                                                                                                  \
    do {                                                                                                               \
        d->platform_id = TEXT("P01");                                                                                  \
        d->order_count = (count);                                                                                      \
    } while (0)

#define WORTH(yuan)                                                                                                    \
    do {                                                                                                               \
        item[0].statistical_value_minor = item[0].customs_value_minor = (yuan)*100ll - 5000;                           \
        item[1].statistical_value_minor = item[1].customs_value_minor = 5000;                                          \
    } while (0)

#define EXPORT()                                                                                                       \
    do {                                                                                                               \
        sample_export(&sample, "940720250000000001", "1");                                                             \
        d->freight_minor = 0;                                                                                          \
        d->freight_currency = TEXT("");                                                                                \
    } while (0)

#define CENT (item[0].statistical_value_minor++, item[0].customs_value_minor++)

/* ---- ECM-701 ---- */

RULE_CASE("ECM-701", accepts, platform_and_orders, "", {
    TRADE("9610");
    ORDERS(100);
})
RULE_CASE("ECM-701", accepts, general_trade_has_no_platform, "", { TRADE("0110"); })
RULE_CASE("ECM-701", rejects, no_orders, "", {
    TRADE("1210");
    ORDERS(0);
})
RULE_CASE("ECM-701", rejects, no_platform, "", {
    EXPORT();
    TRADE("9710");
    ORDERS(100);
    d->platform_id = TEXT("");
})
RULE_CASE("ECM-701", accepts, a_cancel_names_no_platform, "", {
    sample_cancel(&sample);
    d->scheme = SCHEME_CN;
    TRADE("9610");
})
RULE_CASE("ECM-701", accepts, another_scheme_has_other_modes, "", {
    BASE(SCHEME_OTHER);
    TRADE("9610");
})

/* ---- ECM-702 ---- */

RULE_CASE("ECM-702", accepts, sold_to_businesses_abroad, "", {
    EXPORT();
    TRADE("9810");
    ORDERS(100);
})
RULE_CASE("ECM-702", rejects, bought_from_businesses_abroad, "", {
    TRADE("9710");
    ORDERS(100);
})
RULE_CASE("ECM-702", rejects, imported_from_a_warehouse_abroad, "", {
    TRADE("9810");
    ORDERS(100);
})
RULE_CASE("ECM-702", rejects, procured_abroad, "", { TRADE("1039"); })
RULE_CASE("ECM-702", accepts, category_a_on_import, "", {
    TRADE("1239");
    ORDERS(100);
})
RULE_CASE("ECM-702", rejects, category_a_on_export, "", {
    EXPORT();
    TRADE("1239");
    ORDERS(100);
})

/* ---- ECM-703 ---- */

RULE_CASE("ECM-703", accepts, orders_of_5000_yuan, "", {
    TRADE("1210");
    ORDERS(20);
    WORTH(100000);
})
RULE_CASE("ECM-703", rejects, orders_of_more_than_5000_yuan, "", {
    TRADE("9610");
    ORDERS(20);
    WORTH(100000);
    CENT;
})
RULE_CASE("ECM-703", accepts, the_limit_is_for_imports, "", {
    EXPORT();
    TRADE("9610");
    ORDERS(20);
    WORTH(100001);
})
RULE_CASE("ECM-703", accepts, the_limit_is_in_yuan, "", {
    TRADE("9610");
    ORDERS(1);
    d->reporting_currency = TEXT("KRW");
    d->invoice_currency = TEXT("KRW");
    d->freight_currency = TEXT("KRW");
    snprintf(sample.options.reporting_currency, sizeof sample.options.reporting_currency, "KRW");
})

/* ---- ECM-705 ---- */

RULE_CASE("ECM-705", accepts, a_list_of_5000_yuan, "", {
    EXPORT();
    TRADE("9710");
    ORDERS(1);
    WORTH(5000);
    d->declaration_type = DECLARATION_TYPE_LIST;
})
RULE_CASE("ECM-705", rejects, a_list_of_more_than_5000_yuan, "", {
    EXPORT();
    TRADE("9810");
    ORDERS(1);
    WORTH(5000);
    CENT;
    d->declaration_type = DECLARATION_TYPE_LIST;
})
RULE_CASE("ECM-705", accepts, a_full_declaration_of_more_than_5000_yuan, "", {
    EXPORT();
    TRADE("9810");
    ORDERS(1);
    WORTH(6000);
})

/* ---- ECM-706: USD 150,000 are CNY 1,076,850.00 in June 2025 ---- */

RULE_CASE("ECM-706", accepts, procured_for_150000_dollars, "", {
    EXPORT();
    TRADE("1039");
    WORTH(1076850);
})
RULE_CASE("ECM-706", rejects, procured_for_more_than_150000_dollars, "", {
    EXPORT();
    TRADE("1039");
    WORTH(1076850);
    CENT;
})
RULE_CASE("ECM-706", accepts, a_month_without_rate_decides_nothing, "", {
    EXPORT();
    TRADE("1039");
    WORTH(2000000);
    sample_dated(&sample, 20250501);
})
RULE_CASE("ECM-706", accepts, invoiced_at_150000_dollars, "", {
    EXPORT();
    TRADE("1039");
    WORTH(2000000);
    d->invoice_currency = TEXT("USD");
    d->fx_rate_e8 = 717900000;
    d->invoice_total_minor = 15000000;
    item[0].invoice_value_minor = item[1].invoice_value_minor = 7500000;
})
RULE_CASE("ECM-706", rejects, invoiced_at_more_than_150000_dollars, "", {
    EXPORT();
    TRADE("1039");
    d->invoice_currency = TEXT("USD");
    d->fx_rate_e8 = 717900000;
    d->invoice_total_minor = 15000001;
    item[0].invoice_value_minor = item[1].invoice_value_minor = 7500001;
})

/* ---- ECM-707 ---- */

#define SUMMARY(lists)                                                                                                 \
    do {                                                                                                               \
        TRADE("9610");                                                                                                 \
        ORDERS(100);                                                                                                   \
        d->declaration_type = DECLARATION_TYPE_SUMMARY;                                                                \
        d->list_count = (lists);                                                                                       \
        sample.options.severity[RULE_HSC_602] = SEVERITY_OFF;                                                          \
    } while (0)

RULE_CASE("ECM-707", accepts, a_summary_of_full_codes, "", { SUMMARY(7); })
RULE_CASE("ECM-707", rejects, a_summary_of_no_lists, "", { SUMMARY(0); })
RULE_CASE("ECM-707", rejects, headings_outside_a_pilot_zone, "", {
    SUMMARY(7);
    item[1].hs_code = TEXT("7208000000");
})
RULE_CASE("ECM-707", rejects, four_digits_outside_a_pilot_zone, "HSC-601", {
    SUMMARY(7);
    item[1].hs_code = TEXT("7208");
    sample.options.severity[RULE_HSC_601] = SEVERITY_WARN;
})
RULE_CASE("ECM-707", accepts, headings_in_a_pilot_zone, "", {
    SUMMARY(7);
    item[1].hs_code = TEXT("7208000000");
    d->zone_code = TEXT("ZONE1");
    d->zone_line = ZONE_LINE_FIRST;
})
RULE_CASE("ECM-707", rejects, headings_at_an_office_that_left_its_pilot_zone, "", {
    SUMMARY(7);
    item[1].hs_code = TEXT("7208000000");
    d->office_code = TEXT("9411");
    d->declaration_id = TEXT("941120251000000001");
    sample_dated(&sample, 20250701);
})
RULE_CASE("ECM-707", accepts, headings_at_an_office_in_a_pilot_zone, "", {
    SUMMARY(7);
    item[1].hs_code = TEXT("7208000000");
    d->office_code = TEXT("9411");
    d->declaration_id = TEXT("941120241000000001");
    sample_dated(&sample, 20241231);
})
RULE_CASE("ECM-707", accepts, another_summary_names_headings, "", {
    SUMMARY(0);
    TRADE("1210");
    item[1].hs_code = TEXT("7208000000");
})

/* ---- ECM-708 ---- */

RULE_CASE("ECM-708", accepts, neighbours_trade_for_8000_yuan, "", {
    TRADE("BMT");
    WORTH(8000);
})
RULE_CASE("ECM-708", rejects, neighbours_trade_for_more_than_8000_yuan, "", {
    TRADE("BMT");
    WORTH(8000);
    CENT;
})
RULE_CASE("ECM-708", rejects, border_trade_with_no_neighbour, "", {
    TRADE("BMT");
    WORTH(8000);
    item[1].origin_country = TEXT("DE");
})
RULE_CASE("ECM-708", accepts, a_reporter_without_neighbours_in_the_list, "", {
    TRADE("BMT");
    WORTH(8000);
    item[1].origin_country = TEXT("DE");
    d->reporter = TEXT("KZ");
    snprintf(sample.options.reporter, sizeof sample.options.reporter, "KZ");
    sample.options.severity[RULE_STA_806] = SEVERITY_OFF;
})

/* ---- ECM-709 ---- */

RULE_CASE("ECM-709", accepts, zone_and_line, "", {
    d->zone_code = TEXT("ZONE1");
    d->zone_line = ZONE_LINE_SECOND;
})
RULE_CASE("ECM-709", rejects, a_zone_without_line, "", { d->zone_code = TEXT("ZONE1"); })
RULE_CASE("ECM-709", rejects, a_line_without_zone, "", { d->zone_line = ZONE_LINE_FIRST; })

/* ---- ECM-712 ---- */

RULE_CASE("ECM-712", accepts, orders_of_50000_yuan, "", {
    EXPORT();
    TRADE("9610");
    ORDERS(2);
    WORTH(100000);
})
RULE_CASE("ECM-712", warns, orders_of_more_than_50000_yuan, "", {
    EXPORT();
    TRADE("9610");
    ORDERS(2);
    WORTH(100000);
    CENT;
    CENT;
})
