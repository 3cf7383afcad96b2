/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/reference_read.h"

#include "unit/trade/list_fixture.h"

Test(reference_read, a_header_that_lacks_a_column_is_refused)
{
    refused(REFERENCE_OFFICES, "code,name\n", ":1:", "valid_from", "lacks");
    refused(REFERENCE_UNITS, "", ":1:", "", "empty");
}

Test(reference_read, a_row_with_a_field_too_many_is_refused)
{
    refused(REFERENCE_COUNTRIES, "alpha2,name\nCN,China\nKZ,Kazakhstan,1\n", ":3:", "", "3 fields");
}

Test(reference_read, an_open_quote_is_refused)
{
    refused(REFERENCE_COUNTRIES, "alpha2,name\nCN,\"China\n", ":2:", "", "quote");
}

Test(reference_read, the_hash_knows_content_and_not_order_or_remarks)
{
    uint64_t plain = hash_of(REFERENCE_COUNTRIES, "alpha2,name\nCN,China\nKZ,Kazakhstan\n");

    cr_expect_eq(hash_of(REFERENCE_COUNTRIES, "name,alpha2\nKasachstan,KZ\nChina,CN\n"), plain);
    cr_expect_neq(hash_of(REFERENCE_COUNTRIES, "alpha2,name\nCN,China\nUZ,Kazakhstan\n"), plain);
    cr_expect_neq(hash_of(REFERENCE_COUNTRIES, "alpha2,name\nCN,China\n"), plain);
    cr_expect_neq(hash_of(REFERENCE_COUNTRIES, "alpha2\n"), hash_of(REFERENCE_INCOTERMS, "code,edition_to\n"));
}

Test(reference_read, the_hash_knows_which_edition_a_code_belongs_to)
{
    const char *text = "code,digits,std_unit\n847130,6,u\n";

    cr_expect_neq(hash_of(REFERENCE_HS2017, text), hash_of(REFERENCE_HS2022, text));
}

Test(reference_read, the_hash_knows_the_order_of_units)
{
    const char *head = "rec20,std_unit,kind,factor_to_std\n";
    char ab[256];
    char ba[256];
    snprintf(ab, sizeof ab, "%sH87,u,count,1\nMTR,m,length,1\n", head);
    snprintf(ba, sizeof ba, "%sMTR,m,length,1\nH87,u,count,1\n", head);

    cr_expect_neq(hash_of(REFERENCE_UNITS, ab), hash_of(REFERENCE_UNITS, ba));
}

Test(reference_read, rates_and_package_types_are_part_of_the_hash)
{
    cr_expect_neq(hash_of(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CNY,7.1\n"),
                  hash_of(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CNY,7.2\n"));
    cr_expect_neq(hash_of(REFERENCE_PACKAGE_TYPES, "code\nBX\n"), hash_of(REFERENCE_PACKAGE_TYPES, "code\nPK\n"));
}

Test(reference_read, a_pair_of_editions_is_no_part_of_the_plan)
{
    cr_assert_eq(hash_of(REFERENCE_HS_MOVES, "hs2022,hs2017,is_conversion\n030910,030510,1\n"),
                 hash_of(REFERENCE_HS_MOVES, "hs2022,hs2017,is_conversion\n"));
}
