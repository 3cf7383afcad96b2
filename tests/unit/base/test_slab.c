/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slab.h"

#include <criterion/criterion.h>
#include <string.h>

Test(slab, what_was_added_stays_where_it_is)
{
    enum { RECORDS = 40000 };
    static uint32_t references[RECORDS];
    static const uint8_t *places[RECORDS];
    struct slab slab = {0};
    size_t total = 0;
    for (uint32_t i = 0; i < RECORDS; i++) {
        size_t bytes = 1 + i % 200;
        uint8_t *at = slab_add(&slab, bytes, &references[i]);
        memset(at, (int)(i & 0xFF), bytes);
        places[i] = at;
        total += bytes;
    }

    for (uint32_t i = 0; i < RECORDS; i++) {
        cr_assert_neq(references[i], 0);
        cr_assert_lt(references[i], SLAB_REFERENCE_END);
        const uint8_t *at = slab_at(&slab, references[i]);
        cr_assert_eq(at, places[i]);
        cr_assert_eq(at[0], i & 0xFF);
        cr_assert_eq(at[i % 200], i & 0xFF);
    }
    cr_assert_geq(slab_bytes(&slab), total);
    cr_assert_leq(slab_bytes(&slab), total + total / 8, "%zu for %zu", slab_bytes(&slab), total);
    slab_fini(&slab);
    cr_assert_eq(slab_bytes(&slab), 0);
}

Test(slab, a_record_larger_than_a_chunk_gets_one_of_its_own)
{
    struct slab slab = {0};
    uint32_t before;
    uint32_t large;
    uint32_t behind;
    slab_add(&slab, 10, &before)[9] = 1;
    size_t bytes = 2 * (size_t)SLAB_CHUNK_MOST + 7;
    memset(slab_add(&slab, bytes, &large), 2, bytes);
    slab_add(&slab, 10, &behind)[9] = 3;

    cr_assert_eq(slab_at(&slab, before)[9], 1);
    cr_assert_eq(slab_at(&slab, large)[bytes - 1], 2);
    cr_assert_eq(slab_at(&slab, behind)[9], 3);
    slab_fini(&slab);
}

/* A reference must be able to name it: chunks of one size, records of every size. */
Test(slab, records_that_fill_chunks_to_the_byte)
{
    struct slab slab = {0};
    uint32_t reference;
    for (size_t bytes = SLAB_CHUNK_LEAST - 3; bytes < SLAB_CHUNK_LEAST + 3; bytes++) {
        for (int i = 0; i < 50; i++) {
            uint8_t *at = slab_add(&slab, bytes, &reference);
            cr_assert_eq(slab_at(&slab, reference), at);
            memset(at, 5, bytes);
        }
    }
    slab_fini(&slab);
}
