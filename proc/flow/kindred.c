/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/kindred.h"

enum { HS_DIGITS = 6 };

/* A code that the table knows: of at most six digits. False: there is nothing to look up. */
static bool code_of(const struct view *view, const struct table_key *key, uint32_t *out_digits, uint32_t *out_code)
{
    uint64_t commodity = cell_commodity(key);
    if (!view->hs_digits || commodity == 0 || commodity == CELL_NO_HS)
        return false;
    uint64_t code = commodity - 1;
    for (uint32_t digits = view->hs_digits; digits > HS_DIGITS; digits -= 2)
        code /= 100;
    *out_digits = view->hs_digits < HS_DIGITS ? view->hs_digits : HS_DIGITS;
    *out_code = (uint32_t)code;
    return true;
}

bool kindred_before(const struct reference *reference, const struct view *view, const struct table_key *key,
                    struct table_key out[static HS_SOURCES_MOST], uint32_t *out_count)
{
    uint32_t sources[HS_SOURCES_MOST];
    uint32_t digits;
    uint32_t code;
    *out_count = 1;
    out[0] = *key;
    if (!reference || !code_of(view, key, &digits, &code))
        return true;
    if (!reference_hs_whole(reference, digits, code, sources, out_count))
        return false;
    bool is_same = *out_count == 1 && sources[0] == code;
    if (view->hs_digits > HS_DIGITS)
        return is_same;
    for (uint32_t i = 0; i < *out_count; i++)
        out[i] = period_with_commodity(key, (uint64_t)sources[i] + 1);
    return true;
}

bool kindred_after(const struct reference *reference, const struct view *view, const struct table_key *key,
                   struct table_key *out)
{
    uint32_t targets[HS_TARGETS_MOST];
    uint32_t digits;
    uint32_t code;
    uint32_t count;
    *out = *key;
    if (!reference || !code_of(view, key, &digits, &code))
        return true;
    enum hs_move move = reference_hs_move(reference, digits, code, targets, &count);
    if (move == HS_MOVE_SAME || move == HS_MOVE_UNKNOWN)
        return true;
    if (move != HS_MOVE_WHOLE || view->hs_digits > HS_DIGITS)
        return false;
    *out = period_with_commodity(key, (uint64_t)targets[0] + 1);
    return true;
}
