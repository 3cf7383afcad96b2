/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/rule_case.h"

RULE_CASE("ARI-201", rejects, item_count_absent, "", { d->item_count = 0; })
RULE_CASE("ARI-201", rejects, item_count_too_large, "", { d->item_count = UINT32_MAX; })
RULE_CASE("ARI-201", accepts, item_count_of_a_cancel_without_items, "", {
    sample_cancel(&sample);
    d->item_count = 2;
})
RULE_CASE("ARI-201", rejects, item_count_of_a_cancel_that_differs_from_its_items, "STR-020", {
    sample_cancel(&sample);
    d->item_count = 1;
    d->items = (struct item_list){item, 2};
})
RULE_CASE("ARI-201", accepts, item_count_right, "", { d->item_count = 2; })

RULE_CASE("ARI-202", rejects, total_gross_mass_off_by_more_than_1_percent_and_1_kg, "",
          { d->total_gross_mass_mg = 61000001; })
RULE_CASE("ARI-202", accepts, total_gross_mass_off_by_1_kg, "ARI-203", { d->total_gross_mass_mg = 61000000; })
RULE_CASE("ARI-202", accepts, total_gross_mass_off_by_1_percent, "ARI-203", {
    item[0].gross_mass_mg = 270000000;
    d->total_gross_mass_mg = 303000000;
})
RULE_CASE("ARI-202", rejects, total_gross_mass_off_by_more_than_1_percent, "", {
    item[0].gross_mass_mg = 270000000;
    d->total_gross_mass_mg = 303000001;
})
RULE_CASE("ARI-202", accepts, total_gross_mass_with_an_item_that_has_none, "", {
    item[1].gross_mass_mg = 0;
    item[1].package_count = 0;
    d->total_packages = 0;
})
RULE_CASE("ARI-202", rejects, total_gross_mass_at_the_end_of_its_type, "ARI-219", {
    d->total_gross_mass_mg = 1;
    item[0].gross_mass_mg = INT64_MAX;
    item[1].gross_mass_mg = INT64_MAX;
})

RULE_CASE("ARI-203", warns, total_gross_mass_off_by_more_than_1_g_per_item, "", { d->total_gross_mass_mg = 60002001; })
RULE_CASE("ARI-203", accepts, total_gross_mass_off_by_1_g_per_item, "", { d->total_gross_mass_mg = 60002000; })
RULE_CASE("ARI-203", accepts, total_gross_mass_absent, "", { d->total_gross_mass_mg = 0; })

RULE_CASE("ARI-204", rejects, net_above_gross_in_one_item, "", {
    item[0].gross_mass_mg = 24999999;
    item[1].gross_mass_mg = 35000001;
})
RULE_CASE("ARI-204", accepts, net_equal_to_gross, "CRE-306", {
    item[0].gross_mass_mg = 25000000;
    item[1].gross_mass_mg = 35000000;
})
RULE_CASE("ARI-204", accepts, net_where_the_item_has_no_gross, "", {
    item[0].gross_mass_mg = 0;
    item[0].package_count = 0;
    d->total_packages = 0;
})

RULE_CASE("ARI-205", rejects, sum_of_net_above_the_header_gross, "", {
    item[0].gross_mass_mg = 0;
    item[0].package_count = 0;
    item[1].gross_mass_mg = 0;
    item[1].package_count = 0;
    d->total_packages = 0;
    d->total_gross_mass_mg = 49999999;
})
RULE_CASE("ARI-205", rejects, sum_of_net_above_the_sum_of_gross, "ARI-204", {
    item[0].gross_mass_mg = 20000000;
    item[1].gross_mass_mg = 29000000;
    d->total_gross_mass_mg = 49000000;
})
RULE_CASE("ARI-205", accepts, sum_of_net_equal_to_the_header_gross, "", {
    item[0].gross_mass_mg = 0;
    item[0].package_count = 0;
    d->total_packages = 0;
    d->total_gross_mass_mg = 50000000;
})
RULE_CASE("ARI-205", accepts, no_gross_at_all, "", {
    item[0].gross_mass_mg = 0;
    item[1].gross_mass_mg = 0;
    d->total_gross_mass_mg = 0;
})

RULE_CASE("ARI-206", rejects, packages_without_gross_mass, "", { item[0].gross_mass_mg = 0; })
RULE_CASE("ARI-206", rejects, packages_where_only_the_header_has_gross_mass, "", {
    item[0].gross_mass_mg = 0;
    item[1].gross_mass_mg = 0;
})
RULE_CASE("ARI-206", accepts, packages_where_nothing_has_gross_mass, "", {
    item[0].gross_mass_mg = 0;
    item[1].gross_mass_mg = 0;
    d->total_gross_mass_mg = 0;
})

RULE_CASE("ARI-207", rejects, net_mass_absent, "", { item[1].net_mass_mg = 0; })
RULE_CASE("ARI-207", accepts, net_mass_of_electricity_absent, "", {
    item[1].hs_code = TEXT("2716000000");
    item[1].net_mass_mg = 0;
    item[1].gross_mass_mg = 0;
    item[1].package_count = 0;
    d->total_packages = 0;
    d->total_gross_mass_mg = 0;
    item[0].gross_mass_mg = 0;
    item[1].supp_quantity_micro = 5000000;
    item[1].supp_unit = TEXT("MWH");
})
RULE_CASE("ARI-207", accepts, net_mass_of_piped_gas_in_cubic_metres_absent, "HSC-605 CRE-309", {
    d->border_transport_mode = 7;
    item[1].hs_code = TEXT("2711210000");
    item[1].net_mass_mg = 0;
    item[1].supp_quantity_micro = 5000000;
    item[1].supp_unit = TEXT("MTQ");
})
RULE_CASE("ARI-207", rejects, net_mass_of_gas_by_rail_absent, "HSC-605", {
    item[1].hs_code = TEXT("2711210000");
    item[1].net_mass_mg = 0;
    item[1].supp_quantity_micro = 5000000;
    item[1].supp_unit = TEXT("MTQ");
})
RULE_CASE("ARI-207", rejects, net_mass_of_piped_oil_in_tonnes_absent, "CRE-309", {
    d->border_transport_mode = 7;
    item[1].hs_code = TEXT("2709000000");
    item[1].net_mass_mg = 0;
    item[1].supp_quantity_micro = 5000000;
    item[1].supp_unit = TEXT("TNE");
})

RULE_CASE("ARI-208", rejects, invoice_total_off_by_more_than_1_per_item, "", { d->invoice_total_minor = 9800003; })
RULE_CASE("ARI-208", accepts, invoice_total_off_by_1_per_item, "", { d->invoice_total_minor = 9799998; })
RULE_CASE("ARI-208", accepts, invoice_total_with_an_item_that_has_none, "", { item[0].invoice_value_minor = 0; })
RULE_CASE("ARI-208", accepts, invoice_total_absent, "", { d->invoice_total_minor = 0; })

RULE_CASE("ARI-212", warns, freight_added_to_cif, "", { d->incoterm = TEXT("CIF"); })
RULE_CASE("ARI-212", warns, insurance_added_to_dap, "", {
    d->incoterm = TEXT("DAP");
    d->freight_minor = 0;
    d->insurance_minor = 100;
    d->insurance_currency = TEXT("USD");
})
RULE_CASE("ARI-212", warns, fob_by_air_without_freight, "", {
    d->border_transport_mode = 4;
    d->freight_minor = 0;
})
RULE_CASE("ARI-212", accepts, fob_by_sea_with_freight, "", { d->border_transport_mode = 1; })
RULE_CASE("ARI-212", accepts, exw_by_rail_without_freight, "", {
    d->incoterm = TEXT("EXW");
    d->freight_minor = 0;
})
RULE_CASE("ARI-212", accepts, freight_stated_on_a_cif_export, "", {
    sample_export(&sample, "940720250000000001", "1");
    d->incoterm = TEXT("CIF");
})

RULE_CASE("ARI-213", rejects, freight_without_currency, "", { d->freight_currency = TEXT(""); })
RULE_CASE("ARI-213", rejects, insurance_without_currency, "", { d->insurance_minor = 1; })
RULE_CASE("ARI-213", accepts, currency_without_an_amount, "", { d->insurance_currency = TEXT("USD"); })

RULE_CASE("ARI-214", warns, freight_equal_to_the_goods, "ARI-210", { d->freight_minor = 9800000; })
RULE_CASE("ARI-214", warns, other_charges_equal_to_the_goods, "", {
    d->other_charges_minor = 9800000;
    d->other_charges_currency = TEXT("CNY");
})
RULE_CASE("ARI-214", accepts, freight_of_that_figure_in_another_currency, "", {
    d->freight_minor = 9800000;
    d->freight_currency = TEXT("USD");
})

RULE_CASE("ARI-215", rejects, packages_of_no_item, "", {
    item[0].package_count = 0;
    item[1].package_count = 0;
})
RULE_CASE("ARI-215", accepts, packages_absent_everywhere, "", {
    item[0].package_count = 0;
    item[1].package_count = 0;
    d->total_packages = 0;
})

RULE_CASE("ARI-216", rejects, packages_that_do_not_add_up, "", { d->total_packages = 5; })
RULE_CASE("ARI-216", rejects, packages_whose_sum_exceeds_its_type, "", {
    item[0].package_count = UINT32_MAX;
    item[1].package_count = 5;
})
RULE_CASE("ARI-216", accepts, packages_absent_in_the_header, "", { d->total_packages = 0; })
RULE_CASE("ARI-216", accepts, packages_absent_in_an_item, "", { item[0].package_count = 0; })

RULE_CASE("ARI-219", rejects, net_mass_beyond_any_trade, "", {
    item[0].net_mass_mg = 100000000000000001;
    item[0].gross_mass_mg = 0;
    item[0].package_count = 0;
    item[1].gross_mass_mg = 0;
    item[1].package_count = 0;
    d->total_gross_mass_mg = 0;
    d->total_packages = 0;
})
RULE_CASE("ARI-219", rejects, value_beyond_any_trade, "ARI-210 ARI-211 ARI-221",
          { item[0].statistical_value_minor = 1000000000000001; })
RULE_CASE("ARI-219", rejects, customs_value_beyond_any_trade, "ARI-221", { item[0].customs_value_minor = INT64_MAX; })
RULE_CASE("ARI-219", accepts, figures_at_the_limit, "CRE-306", {
    d->incoterm = TEXT("");
    item[0].statistical_value_minor = 1000000000000000;
    item[0].customs_value_minor = 1000000000000000;
    item[0].net_mass_mg = 100000000000000000;
    item[0].gross_mass_mg = 100000000000000000;
    d->total_gross_mass_mg = 100000000030000000;
})

RULE_CASE("ARI-220", rejects, customs_value_missing_in_cn_general_trade, "", { item[0].customs_value_minor = 0; })
RULE_CASE("ARI-220", rejects, customs_value_missing_in_eu_free_circulation, "", {
    BASE(SCHEME_EU);
    item[0].customs_value_minor = 0;
})
RULE_CASE("ARI-220", accepts, customs_value_missing_in_temporary_admission, "STA-801", {
    d->trade_mode = TEXT("2600");
    item[0].customs_value_minor = 0;
})
RULE_CASE("ARI-220", accepts, customs_value_missing_on_export, "", {
    sample_export(&sample, "940720250000000001", "1");
    item[0].customs_value_minor = 0;
})
RULE_CASE("ARI-220", accepts, customs_value_missing_in_a_scheme_without_rows, "", {
    BASE(SCHEME_KR);
    item[0].customs_value_minor = 0;
})

RULE_CASE("ARI-221", warns, customs_value_11_percent_off, "", { item[0].customs_value_minor = 5550000; })
RULE_CASE("ARI-221", warns, customs_value_just_over_10_percent_below, "", { item[0].customs_value_minor = 4499999; })
RULE_CASE("ARI-221", accepts, customs_value_10_percent_off, "", { item[0].customs_value_minor = 5500000; })
RULE_CASE("ARI-221", accepts, customs_value_off_on_export, "", {
    sample_export(&sample, "940720250000000001", "1");
    item[0].customs_value_minor = 9000000;
})
RULE_CASE("ARI-221", accepts, customs_value_without_a_statistical_one, "ARI-210",
          { item[0].statistical_value_minor = 0; })

Test(judge_arithmetic, figures_at_the_ends_of_their_types_never_overflow)
{
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    static struct sample sample;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
            sample_start(&sample, SCHEME_CN);
            sample.declaration.total_gross_mass_mg = ends[i];
            sample.declaration.invoice_total_minor = ends[k];
            sample.declaration.total_packages = UINT32_MAX;
            for (uint32_t n = 0; n < 2; n++) {
                struct item *item = &sample.items[n];
                item->net_mass_mg = ends[k];
                item->gross_mass_mg = ends[i];
                item->invoice_value_minor = ends[i];
                item->statistical_value_minor = ends[k];
                item->customs_value_minor = ends[i];
                item->supp_quantity_micro = ends[k];
                item->package_count = UINT32_MAX;
                item->supp_unit = n ? TEXT("TNE") : TEXT("CTM");
                item->hs_code = n ? TEXT("7208510000") : TEXT("7102100000");
            }

            sample_judge(&sample);

            cr_expect(sample.findings.reject || (ends[i] == 1 && ends[k] == 1));
        }
    }
}
