/* SPDX-License-Identifier: Apache-2.0
 * trade_class.h - classes of Chinese trade modes, of which statements speak: cross-border e-commerce is five modes.
 *
 * Thread:  any
 * Source:  GACC announcements 2014-12 (9610), 2014-57 (1210), 2016-75 (1239), 2020-75 (9710, 9810)
 */
#pragma once

#include "base/span.h"

enum trade_class {
    TRADE_CLASS_ECOMMERCE, /* 1210, 1239, 9610, 9710, 9810 */
    TRADE_CLASS_OTHER,
    TRADE_CLASSES,
};

/* The class of a trade mode. */
enum trade_class trade_class_number(struct text trade_mode);

/* "ECOMMERCE", "OTHER". */
const char *trade_class_name(enum trade_class class);

/* Name of the class of a trade mode. */
const char *trade_class_of(struct text trade_mode);

/* Whether there is a class of that name. */
bool trade_class_known(struct text name);

/* The modes of a class in words, "1210, 1239, 9610, 9710, 9810"; of OTHER "all others". */
const char *trade_class_modes(struct text name);
