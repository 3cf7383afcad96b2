/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/reference_change.h"

#include "trade/lists.h"

#include <inttypes.h>

static enum err check_there(const struct reference *now, const struct reference *next, enum reference_list list,
                            struct err_info *info)
{
    if (now->has[list] && !next->has[list])
        return err_set(info, ERR_CONFIG,
                       "%s is gone: put it back, or restart to go on without it (its rules are off then)",
                       reference_file(list));
    if (now->rows[list] > 0 && next->rows[list] == 0)
        return err_set(info, ERR_CONFIG,
                       "%s has no rows any more, it had %" PRIu64 ": write it whole, or restart to go on with it empty",
                       reference_file(list), now->rows[list]);
    return OK;
}

/* The name of a code's standard unit, NULL if it has none. */
static const char *unit_of(const struct reference *reference, enum hs_edition edition, uint32_t hs6)
{
    uint8_t unit = reference_standard_unit(reference, edition, hs6);
    return unit == UNIT_INDEX_NONE ? NULL : reference->standard_units[unit].name;
}

static enum err check_units(const struct reference *now, const struct reference *next, enum hs_edition edition,
                            struct err_info *info)
{
    for (uint32_t hs6 = 0; hs6 < HS6_CODES; hs6++) {
        if (!now->hs[edition][hs6] || !next->hs[edition][hs6])
            continue;
        const char *before = unit_of(now, edition, hs6);
        const char *after = unit_of(next, edition, hs6);
        if (before && after && strcmp(before, after) != 0)
            return err_set(info, ERR_CONFIG,
                           "%s: the standard unit of %06" PRIu32 " was %s and is %s now: quantities that are counted "
                           "already are in the first and can't be added to others. Keep the unit, or count the input "
                           "again into new journal and statistics topics with another group",
                           reference_file(edition == HS_2022 ? REFERENCE_HS2022 : REFERENCE_HS2017), hs6, before,
                           after);
    }
    return OK;
}

enum err reference_may_follow(const struct reference *now, const struct reference *next, struct err_info *info)
{
    for (int list = 0; list < REFERENCE_LISTS; list++)
        TRY(check_there(now, next, (enum reference_list)list, info));
    TRY(check_units(now, next, HS_2017, info));
    return check_units(now, next, HS_2022, info);
}
