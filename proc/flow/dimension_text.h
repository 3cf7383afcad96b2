/* SPDX-License-Identifier: Apache-2.0
 * dimension_text.h - what the dimensions in a key say as text: record keys and records have the same.
 *
 * In:      a key of a cell or figure (cell.h), with the numbers of a code dictionary
 * Out:     text with a zero byte behind it, and its length; empty where the goods had no such code
 * Memory:  in the caller's room; names of classes and groups are shared
 * Errors:  a number that the dictionary or the plan lacks is a bug
 * Thread:  any
 */
#pragma once

#include "base/check.h"
#include "flow/cell.h"
#include "flow/dictionary.h"
#include "flow/view.h"
#include "trade/trade_class.h"

enum { DIMENSION_CODE_BYTES = 9, DIMENSION_COUNTRY_BYTES = 3, DIMENSION_HS_BYTES = 10 + 1 };

static inline uint32_t dimension_code(const struct dictionary *codes, uint32_t number,
                                      char out[static DIMENSION_CODE_BYTES])
{
    CHECK(number < codes->count);
    return dictionary_text(codes->codes[number], out);
}

/* The other way round: codes_country. */
static inline uint32_t dimension_country(uint32_t number, char out[static DIMENSION_COUNTRY_BYTES])
{
    out[0] = (char)(number >> 8 & 0xFF);
    out[1] = (char)(number & 0xFF);
    out[2] = '\0';
    return (uint32_t)strlen(out);
}

/* The commodity of a key, of a view with so many digits. */
static inline uint32_t dimension_commodity(uint64_t commodity, uint8_t digits, char out[static DIMENSION_HS_BYTES])
{
    out[0] = '\0';
    if (commodity == CELL_NO_HS || commodity == 0)
        return 0;
    uint64_t rest = commodity - 1;
    for (uint32_t i = digits; i-- > 0; rest /= 10)
        out[i] = (char)('0' + rest % 10);
    out[digits] = '\0';
    return digits;
}

/* Of a view with trade_class. */
static inline const char *dimension_class(const struct table_key *key)
{
    uint32_t number = cell_trade_mode(key);
    CHECK(number > 0 && number <= TRADE_CLASSES);
    return trade_class_name((enum trade_class)(number - 1));
}

/* Of a figure of a country group. */
static inline const char *dimension_group(const struct view_plan *plan, const struct table_key *key)
{
    CHECK(cell_is_of_group(key) && cell_partner(key) <= plan->group_count);
    return plan->groups[cell_partner(key) - 1];
}
