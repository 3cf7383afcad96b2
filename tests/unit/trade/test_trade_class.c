/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/trade_class.h"

#include <criterion/criterion.h>

Test(trade_class, cross_border_e_commerce_is_five_modes)
{
    struct text rest = text_of("1210 1239 9610 9710 9810");
    while (rest.length > 0)
        cr_expect_str_eq(trade_class_of(text_cut(&rest, ' ')), "ECOMMERCE");
}

Test(trade_class, all_other_modes_are_of_the_other_class)
{
    struct text rest = text_of("0110 1039 4019 121 12100 9611");
    while (rest.length > 0)
        cr_expect_str_eq(trade_class_of(text_cut(&rest, ' ')), "OTHER");
    cr_expect_str_eq(trade_class_of(TEXT("")), "OTHER");
}

Test(trade_class, a_class_says_its_modes)
{
    cr_expect(trade_class_known(TEXT("ECOMMERCE")));
    cr_expect(trade_class_known(TEXT("OTHER")));
    cr_expect_not(trade_class_known(TEXT("ecommerce")));
    cr_expect_str_eq(trade_class_modes(TEXT("ECOMMERCE")), "1210, 1239, 9610, 9710, 9810");
    cr_expect_str_eq(trade_class_modes(TEXT("OTHER")), "all others");
}
