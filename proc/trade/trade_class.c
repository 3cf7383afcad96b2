/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/trade_class.h"

static const char ecommerce[] = "ECOMMERCE";
static const char other[] = "OTHER";

const char *trade_class_of(struct text trade_mode)
{
    static const char *const modes[] = {"1210", "1239", "9610", "9710", "9810"};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (text_is(trade_mode, modes[i]))
            return ecommerce;
    }
    return other;
}

bool trade_class_known(struct text name)
{
    return text_is(name, ecommerce) || text_is(name, other);
}

const char *trade_class_modes(struct text name)
{
    return text_is(name, ecommerce) ? "1210, 1239, 9610, 9710, 9810" : "all others";
}
