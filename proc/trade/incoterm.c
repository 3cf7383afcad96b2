/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/incoterm.h"

#include "trade/codes.h"

/* A delivery term as codes_key gives it. */
#define TERM(a, b, c) ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16)

uint32_t incoterm_price(struct text incoterm)
{
    switch (codes_key(incoterm)) {
    case TERM('E', 'X', 'W'):
    case TERM('F', 'C', 'A'):
    case TERM('F', 'A', 'S'):
    case TERM('F', 'O', 'B'):
        return INCOTERM_KNOWN;
    case TERM('C', 'F', 'R'):
    case TERM('C', 'P', 'T'):
        return INCOTERM_KNOWN | INCOTERM_CARRIAGE;
    case TERM('C', 'I', 'F'):
    case TERM('C', 'I', 'P'):
    case TERM('D', 'A', 'P'):
    case TERM('D', 'P', 'U'):
    case TERM('D', 'D', 'P'):
    case TERM('D', 'A', 'T'):
    case TERM('D', 'A', 'F'):
    case TERM('D', 'E', 'S'):
    case TERM('D', 'E', 'Q'):
    case TERM('D', 'D', 'U'):
        return INCOTERM_KNOWN | INCOTERM_CARRIAGE | INCOTERM_INSURANCE;
    default:
        return 0;
    }
}
