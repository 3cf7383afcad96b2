/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/trade_class.h"

static const char *const class_names[TRADE_CLASSES] = {"ECOMMERCE", "OTHER"};

enum trade_class trade_class_number(struct text trade_mode)
{
    static const char *const modes[] = {"1210", "1239", "9610", "9710", "9810"};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (text_is(trade_mode, modes[i]))
            return TRADE_CLASS_ECOMMERCE;
    }
    return TRADE_CLASS_OTHER;
}

const char *trade_class_name(enum trade_class class)
{
    return class_names[class];
}

const char *trade_class_of(struct text trade_mode)
{
    return class_names[trade_class_number(trade_mode)];
}

bool trade_class_known(struct text name)
{
    return text_is(name, class_names[TRADE_CLASS_ECOMMERCE]) || text_is(name, class_names[TRADE_CLASS_OTHER]);
}

const char *trade_class_modes(struct text name)
{
    return text_is(name, class_names[TRADE_CLASS_ECOMMERCE]) ? "1210, 1239, 9610, 9710, 9810" : "all others";
}
