/* SPDX-License-Identifier: Apache-2.0 */
#define CASE_REFERENCE DRYPORT_SOURCE "/tests/data/reference/bands"
#include "unit/trade/rule_case.h"

/* The base case: item 0 is of HS 847130, 10 pieces of 25 kg in all, item 1 of HS 720851, 25 kg; each is worth 50,000.00, which is 2,000.00 a
 * kg. bands.csv of the tests has, on import, 500 to 8,000 a kg for 720851 (median 2,000), 100 to 40,000 for chapter 84, 0.5 to 8 kg a piece for
 * 847130, 1,000 to 20,000 a piece and 2,000,000 an item for heading 8471. */

#define WORTH(index, minor)                                                                                            \
    do {                                                                                                               \
        item[index].statistical_value_minor = item[index].customs_value_minor = (minor);                               \
        d->incoterm = TEXT("");                                                                                        \
    } while (0)

/* ---- CRE-301 ---- */

RULE_CASE("CRE-301", accepts, value_per_kg_at_the_top_of_its_band, "", { WORTH(1, 20000000); })
RULE_CASE("CRE-301", warns, value_per_kg_above_its_band, "", { WORTH(1, 20000001); })
RULE_CASE("CRE-301", accepts, value_per_kg_at_the_bottom_of_its_band, "", { WORTH(1, 1250000); })
RULE_CASE("CRE-301", warns, value_per_kg_below_its_band, "", { WORTH(1, 1249999); })
RULE_CASE("CRE-301", warns, value_per_kg_below_the_band_of_its_chapter, "CRE-302", { WORTH(0, 249999); })
RULE_CASE("CRE-301", accepts, the_other_flow_has_no_band, "", {
    sample_export(&sample, "940720250000000001", "1");
    WORTH(1, 1);
})

/* ---- CRE-302: per piece ---- */

RULE_CASE("CRE-302", accepts, value_per_piece_at_the_top_of_its_heading, "", { WORTH(0, 20000000); })
RULE_CASE("CRE-302", warns, value_per_piece_above_the_band_of_its_heading, "", { WORTH(0, 20000001); })
RULE_CASE("CRE-302", accepts, a_unit_of_another_kind_is_not_compared, "HSC-605", {
    WORTH(0, 20000001);
    item[0].supp_unit = TEXT("MTR");
    sample.options.severity[RULE_HSC_605] = SEVERITY_WARN;
})

/* ---- CRE-303 ---- */

RULE_CASE("CRE-303", accepts, a_piece_at_the_top_of_its_band, "", {
    item[0].supp_quantity_micro = 10000000;
    item[0].net_mass_mg = 80000000;
    item[0].gross_mass_mg = 85000000;
    d->total_gross_mass_mg = 115000000;
})
RULE_CASE("CRE-303", warns, a_piece_heavier_than_its_band, "", {
    item[0].supp_quantity_micro = 10000000;
    item[0].net_mass_mg = 80000001;
    item[0].gross_mass_mg = 85000000;
    d->total_gross_mass_mg = 115000000;
})
RULE_CASE("CRE-303", accepts, a_band_of_too_few_observations_is_none, "HSC-606", {
    item[1].supp_quantity_micro = 1000;
    item[1].supp_unit = TEXT("KGM");
    sample.options.severity[RULE_HSC_606] = SEVERITY_WARN;
})

/* ---- CRE-304: a thousand times 2,000.00 a kg, give or take 0.3 decade ---- */

RULE_CASE("CRE-304", accepts, less_than_500_times_the_median, "CRE-301", { WORTH(1, 5000000ll * 501); })
RULE_CASE("CRE-304", warns, a_thousand_times_the_median, "CRE-301", { WORTH(1, 5000000ll * 1000); })
RULE_CASE("CRE-304", warns, at_the_near_end_of_the_slip, "CRE-301", { WORTH(1, 5000000ll * 502); })
RULE_CASE("CRE-304", warns, at_the_far_end_of_the_slip, "CRE-301", { WORTH(1, 5000000ll * 1995); })
RULE_CASE("CRE-304", accepts, more_than_2000_times_the_median, "CRE-301", { WORTH(1, 5000000ll * 1996); })
RULE_CASE("CRE-304", warns, a_thousandth_of_the_median, "CRE-301", { WORTH(1, 5000); })
RULE_CASE("CRE-304", accepts, a_hundredth_of_the_median, "CRE-301", { WORTH(1, 50000); })

/* ---- CRE-305 ---- */

#define GIFTS(list) (sample.options.gift_regimes = (list))

RULE_CASE("CRE-305", accepts, no_gift_regimes_are_configured, "", {
    WORTH(1, 0);
    sample.options.severity[RULE_ARI_220] = SEVERITY_OFF;
})
RULE_CASE("CRE-305", warns, worth_nothing, "", {
    GIFTS("3339, 3010");
    WORTH(1, 0);
    sample.options.severity[RULE_ARI_220] = SEVERITY_OFF;
})
RULE_CASE("CRE-305", warns, worth_a_fen, "CRE-301", {
    GIFTS("3339");
    WORTH(1, 1);
})
RULE_CASE("CRE-305", accepts, worth_two_fen, "CRE-301", {
    GIFTS("3339");
    WORTH(1, 2);
})
RULE_CASE("CRE-305", accepts, a_gift_is_worth_nothing, "", {
    GIFTS("3339,0110");
    WORTH(1, 0);
    sample.options.severity[RULE_ARI_220] = SEVERITY_OFF;
})
RULE_CASE("CRE-305", accepts, a_sample_by_its_procedure, "", {
    BASE(SCHEME_EU);
    GIFTS("40");
    WORTH(1, 0);
    sample.options.severity[RULE_ARI_220] = SEVERITY_OFF;
})
RULE_CASE("CRE-305", accepts, a_sample_by_its_additional_procedure, "", {
    GIFTS("C33");
    WORTH(1, 0);
    sample.texts[0] = TEXT("1QF");
    sample.texts[1] = TEXT("C33");
    item[1].additional_procedures = (struct text_list){sample.texts, 2};
    sample.options.severity[RULE_ARI_220] = SEVERITY_OFF;
})

/* ---- CRE-306 ---- */

RULE_CASE("CRE-306", accepts, net_below_gross, "", {
    item[0].gross_mass_mg = 25000001;
    item[1].gross_mass_mg = 34999999;
})
RULE_CASE("CRE-306", warns, net_is_gross, "", {
    item[0].gross_mass_mg = 25000000;
    item[1].gross_mass_mg = 35000000;
})
RULE_CASE("CRE-306", accepts, net_is_gross_without_packages, "", {
    item[0].gross_mass_mg = 25000000;
    item[1].gross_mass_mg = 35000000;
    item[0].package_count = 0;
})
RULE_CASE("CRE-306", accepts, net_is_gross_in_bulk, "", {
    item[1].hs_code = TEXT("2709000000");
    item[1].gross_mass_mg = 25000000;
    item[0].gross_mass_mg = 35000000;
})

/* ---- CRE-307 ---- */

RULE_CASE("CRE-307", accepts, an_item_of_two_million, "", {
    WORTH(0, 200000000);
    item[0].supp_quantity_micro = 100000000;
    item[0].net_mass_mg = 100000000;
    item[0].gross_mass_mg = 110000000;
    d->total_gross_mass_mg = 140000000;
})
RULE_CASE("CRE-307", warns, an_item_of_more_than_two_million, "", {
    WORTH(0, 200000001);
    item[0].supp_quantity_micro = 101000000;
    item[0].net_mass_mg = 100000000;
    item[0].gross_mass_mg = 110000000;
    d->total_gross_mass_mg = 140000000;
})

/* ---- CRE-309 ---- */

#define MASS(kg)                                                                                                       \
    do {                                                                                                               \
        item[1].net_mass_mg = (kg)*1000000ll - 30000000;                                                               \
        item[1].gross_mass_mg = item[1].net_mass_mg;                                                                   \
        item[1].package_count = 0;                                                                                     \
        d->total_packages = 2;                                                                                         \
        d->total_gross_mass_mg = (kg)*1000000ll;                                                                       \
        WORTH(1, item[1].net_mass_mg / 5);                                                                             \
        d->freight_currency = TEXT("CNY");                                                                             \
    } while (0)

RULE_CASE("CRE-309", accepts, by_air_150_t, "", {
    d->border_transport_mode = 4;
    MASS(150000);
})
RULE_CASE("CRE-309", warns, by_air_more_than_150_t, "", {
    d->border_transport_mode = 4;
    MASS(150001);
})
RULE_CASE("CRE-309", accepts, by_rail_more_than_150_t, "", { MASS(150001); })
RULE_CASE("CRE-309", warns, steel_through_a_pipe, "", { d->border_transport_mode = 7; })
RULE_CASE("CRE-309", accepts, oil_through_a_pipe, "", {
    d->border_transport_mode = 7;
    d->items.count = d->item_count = 1;
    item[0] = sample_item(&scheme_words[SCHEME_CN], 1);
    item[0].item_no = 1;
    item[0].hs_code = TEXT("2709000000");
    d->total_gross_mass_mg = 30000000;
    d->invoice_total_minor = 4900000;
    d->total_packages = 2;
})

/* ---- CRE-310 ---- */

RULE_CASE("CRE-310", accepts, two_items_alike, "", { sample_items(&sample, 2); })
RULE_CASE("CRE-310", warns, three_items_alike, "", {
    sample_items(&sample, 3);
    for (int i = 0; i < 3; i++)
        item[i].statistical_value_minor = item[i].customs_value_minor;
})
RULE_CASE("CRE-310", accepts, three_items_of_other_values, "", {
    sample_items(&sample, 3);
    item[0].statistical_value_minor = item[1].statistical_value_minor;
})
RULE_CASE("CRE-310", accepts, many_items_no_three_alike, "", {
    sample_items(&sample, 40);
    for (int i = 0; i < 40; i++)
        item[i].statistical_value_minor = item[i].customs_value_minor + i / 2;
})
RULE_CASE("CRE-310", warns, many_items_three_alike, "", {
    sample_items(&sample, 40);
    for (int i = 0; i < 40; i++)
        item[i].statistical_value_minor = item[i].customs_value_minor + i / 2;
    item[39].statistical_value_minor = item[0].statistical_value_minor;
})
RULE_CASE("CRE-310", accepts, items_without_mass_are_not_alike, "HSC-604 HSC-605 HSC-608", {
    sample_items(&sample, 3);
    for (int i = 0; i < 3; i++) {
        item[i].hs_code = TEXT("2716000000");
        item[i].net_mass_mg = 0;
        item[i].statistical_value_minor = item[i].customs_value_minor;
    }
})
