/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <criterion/criterion.h>

/* Of 64 numbers each bit is once set and once not, but for one run in 2^56. */
Test(random, every_bit_changes_and_no_number_comes_twice)
{
    enum { MANY = 64 };
    uint64_t seen[MANY];
    uint64_t any = 0;
    uint64_t all = UINT64_MAX;
    for (int i = 0; i < MANY; i++) {
        seen[i] = random_of_system(NULL);
        any |= seen[i];
        all &= seen[i];
        for (int j = 0; j < i; j++)
            cr_assert_neq(seen[i], seen[j]);
    }
    cr_expect_eq(any, UINT64_MAX);
    cr_expect_eq(all, 0);
}
