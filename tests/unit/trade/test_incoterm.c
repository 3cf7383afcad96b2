/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/incoterm.h"

#include <criterion/criterion.h>

static uint32_t price(const char *term)
{
    return incoterm_price(text_of(term));
}

Test(incoterm, a_price_holds_what_the_seller_pays_for)
{
    cr_assert_eq(price("EXW"), INCOTERM_KNOWN);
    cr_assert_eq(price("FOB"), INCOTERM_KNOWN);
    cr_assert_eq(price("CPT"), INCOTERM_KNOWN | INCOTERM_CARRIAGE);
    cr_assert_eq(price("CIF"), INCOTERM_KNOWN | INCOTERM_CARRIAGE | INCOTERM_INSURANCE);
    cr_assert_eq(price("DDU"), INCOTERM_KNOWN | INCOTERM_CARRIAGE | INCOTERM_INSURANCE);
}

Test(incoterm, what_is_no_term_says_nothing)
{
    cr_assert_eq(price(""), 0);
    cr_assert_eq(price("CIFX"), 0);
    cr_assert_eq(price("cif"), 0);
}
