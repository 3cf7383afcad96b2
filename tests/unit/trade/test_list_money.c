/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/trade/list_fixture.h"

Test(list_money, wrong_currencies_are_refused)
{
    refused(REFERENCE_CURRENCIES, "code,minor_unit,withdrawn\nCN,2,\n", ":2:", "\"code\"", "three capital letters");
    refused(REFERENCE_CURRENCIES, "code,minor_unit,withdrawn\nCNY,two,\n", ":2:", "\"minor_unit\"", "decimals");
    refused(REFERENCE_CURRENCIES, "code,minor_unit,withdrawn\nCNY,2,2025-13\n", ":2:", "\"withdrawn\"", "yyyy-mm");
    refused(REFERENCE_CURRENCIES, "code,minor_unit,withdrawn\nCNY,2,soon\n", ":2:", "\"withdrawn\"", "soon");
    refused(REFERENCE_CURRENCIES, "code,minor_unit,withdrawn\nCNY,2,\nCNY,2,\n", ":3:", "\"code\"", "twice");
}

Test(list_money, a_span_of_withdrawal_ends_with_its_end)
{
    struct err_info info = {""};
    struct reference *reference = NULL;
    cr_assert_eq(
        load_text(
            REFERENCE_CURRENCIES,
            "code,minor_unit,withdrawn\nAAA,2,1989 to 1990\nBBB,2,1989-1990\nCCC,2,1990-07 to 1990-09\nDDD,2,1990\n",
            &reference, &info),
        OK, "%s", info.text);

    cr_expect_eq(lists_currency(reference, TEXT("AAA"), 19901130), CURRENCY_CURRENT);
    cr_expect_eq(lists_currency(reference, TEXT("AAA"), 19901201), CURRENCY_WITHDRAWN_LATELY);
    cr_expect_eq(lists_currency(reference, TEXT("BBB"), 19901201), CURRENCY_WITHDRAWN_LATELY);
    cr_expect_eq(lists_currency(reference, TEXT("CCC"), 19900831), CURRENCY_CURRENT);
    cr_expect_eq(lists_currency(reference, TEXT("CCC"), 19910901), CURRENCY_WITHDRAWN);
    cr_expect_eq(lists_currency(reference, TEXT("DDD"), 19901201), CURRENCY_WITHDRAWN_LATELY);
    reference_free(reference);
}

Test(list_money, wrong_incoterms_are_refused)
{
    refused(REFERENCE_INCOTERMS, "code,edition_to\nFO,\n", ":2:", "\"code\"", "three capital letters");
    refused(REFERENCE_INCOTERMS, "code,edition_to\nFOB,now\n", ":2:", "\"edition_to\"", "yyyy");
    refused(REFERENCE_INCOTERMS, "code,edition_to\nFOB,\nFOB,\n", ":3:", "\"code\"", "twice");
}

Test(list_money, wrong_rates_are_refused)
{
    refused(REFERENCE_FX, "month,currency,units_per_usd\n2025,CNY,7\n", ":2:", "\"month\"", "yyyy-mm");
    refused(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CN,7\n", ":2:", "\"currency\"", "capital");
    refused(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CNY,7e0\n", ":2:", "\"units_per_usd\"", "decimal");
    refused(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CNY,0.123456789\n", ":2:", "\"units_per_usd\"",
            "8 decimals");
    refused(REFERENCE_FX, "month,currency,units_per_usd\n2025-06,CNY,7\n2025-06,CNY,7\n", ":3:", "\"currency\"",
            "twice");
}
