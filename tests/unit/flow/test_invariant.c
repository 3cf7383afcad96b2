/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/invariant.h"

#include <criterion/criterion.h>

Test(invariant, a_broken_one_is_counted_and_said)
{
    struct err_info why;

    enum err err = invariant_broken(INVARIANT_RANGES_TILE, &why, "group [%d, %d) after 7", 8, 9);

    cr_assert_eq(err, ERR_BROKEN);
    cr_assert_str_eq(why.text, "group [8, 9) after 7");
    cr_assert_eq(invariant_count(INVARIANT_RANGES_TILE), 1);
    cr_assert_eq(invariant_count(INVARIANT_LEDGER_IS_FOLD), 0);
}

Test(invariant, whoever_does_not_ask_for_the_sentence_gets_the_count)
{
    cr_assert_eq(invariant_broken(INVARIANT_CELLS_ARE_FOLD, NULL, "nobody reads this"), ERR_BROKEN);
    cr_assert_eq(invariant_broken(INVARIANT_CELLS_ARE_FOLD, NULL, "nor this"), ERR_BROKEN);

    cr_assert_eq(invariant_count(INVARIANT_CELLS_ARE_FOLD), 2);
}

Test(invariant, every_one_has_a_name_of_its_own)
{
    for (int a = 0; a < INVARIANTS; a++) {
        for (int b = 0; b < a; b++)
            cr_assert_str_neq(invariant_name((enum invariant)a), invariant_name((enum invariant)b));
    }
}
