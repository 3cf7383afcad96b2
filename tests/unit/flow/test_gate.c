/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/gate.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const uint64_t me[2] = {1, 2};
static const uint64_t rival[2] = {3, 4};

static struct bytes bytes_of(struct text text)
{
    return (struct bytes){(const uint8_t *)text.data, text.length};
}

/* What `author` wrote as its claim of a term. */
static bool read_claim(struct gate *gate, int32_t partition, const uint64_t author[2], uint64_t term)
{
    struct gate other = {.identity = {author[0], author[1]}, .term = term};
    char key[GATE_KEY_BYTES];
    char value[GATE_VALUE_BYTES];
    return gate_read(gate, partition, bytes_of(gate_claim_key(&other, key)), bytes_of(gate_claim_value(&other, value)));
}

Test(gate, is_not_won_before_every_partition_gave_the_claim_back)
{
    struct gate gate;
    gate_init(&gate, 2, me);
    cr_assert(gate_claim(&gate));

    cr_assert(!gate_is_won(&gate));
    cr_assert(!read_claim(&gate, 0, me, gate.term));
    cr_assert(!gate_is_won(&gate));
    cr_assert(!read_claim(&gate, 1, me, gate.term));
    cr_assert(gate_is_won(&gate));
    gate_fini(&gate);
}

Test(gate, a_rival_of_the_same_term_before_the_own_claim_shuts_it)
{
    struct gate gate;
    gate_init(&gate, 1, me);
    cr_assert(gate_claim(&gate));
    uint64_t term = gate.term;

    cr_assert(read_claim(&gate, 0, rival, term));
    cr_assert_eq(gate.term, 0);
    cr_assert(!read_claim(&gate, 0, me, term));
    cr_assert(!gate_is_won(&gate));
    cr_assert(gate_claim(&gate));
    cr_assert_gt(gate.term, term);
    gate_fini(&gate);
}

Test(gate, a_rival_of_the_same_term_behind_the_own_claim_changes_nothing)
{
    struct gate gate;
    gate_init(&gate, 1, me);
    cr_assert(gate_claim(&gate));
    read_claim(&gate, 0, me, gate.term);

    cr_assert(!read_claim(&gate, 0, rival, gate.term));
    cr_assert(gate_is_won(&gate));
    gate_fini(&gate);
}

Test(gate, a_larger_claim_shuts_a_won_gate)
{
    struct gate gate;
    gate_init(&gate, 1, me);
    cr_assert(gate_claim(&gate));
    read_claim(&gate, 0, me, gate.term);

    cr_assert(read_claim(&gate, 0, rival, gate.term + 1));
    cr_assert(!gate_is_won(&gate));
    gate_fini(&gate);
}

Test(gate, an_own_claim_of_an_earlier_term_wins_nothing)
{
    struct gate gate;
    gate_init(&gate, 1, me);
    cr_assert(gate_claim(&gate));
    uint64_t lost = gate.term;
    gate_shut(&gate);
    cr_assert(gate_claim(&gate));
    cr_assert_gt(gate.term, lost);

    cr_assert(!read_claim(&gate, 0, me, lost));
    cr_assert(!gate_is_won(&gate));
    gate_fini(&gate);
}

Test(gate, a_record_of_a_lower_term_than_the_newest_claim_of_its_partition_is_late)
{
    struct gate gate;
    gate_init(&gate, 2, me);
    read_claim(&gate, 0, rival, 5);

    cr_assert(gate_see(&gate, 0, 4ULL << GATE_TERM_SHIFT | 9));
    cr_assert(!gate_see(&gate, 0, 5ULL << GATE_TERM_SHIFT | 9));
    cr_assert(!gate_see(&gate, 1, 4ULL << GATE_TERM_SHIFT | 9));
    cr_assert(gate_claim(&gate));
    cr_assert_eq(gate.term, 6);
    gate_fini(&gate);
}

Test(gate, there_is_no_term_beyond_the_largest)
{
    struct gate gate;
    gate_init(&gate, 1, me);
    gate_see(&gate, 0, UINT64_MAX);

    cr_assert(!gate_claim(&gate));
    gate_fini(&gate);
}

Test(gate, marks_that_are_no_claims_are_ignored)
{
    static const char *const keys[] = {
        "#", "#claim", "#claim|", "#claim|x", "#claim|-1", "#claim|99999999999999999999", "#other|5"};
    struct gate gate;
    gate_init(&gate, 1, me);
    cr_assert(gate_claim(&gate));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        cr_assert(gate_is_mark(bytes_of(text_of(keys[i]))));
        cr_assert(!gate_read(&gate, 0, bytes_of(text_of(keys[i])), (struct bytes){0}), "%s", keys[i]);
    }
    cr_assert(!gate_is_mark(bytes_of(TEXT(""))));
    cr_assert(!gate_is_mark(bytes_of(TEXT("flow|DAY"))));
    cr_assert_eq(gate.term, 1);
    gate_fini(&gate);
}

Test(gate, a_claim_without_identity_in_its_key_counts)
{
    struct gate gate;
    gate_init(&gate, 1, me);
    cr_assert(gate_claim(&gate));

    cr_assert(gate_read(&gate, 0, bytes_of(TEXT("#claim|7")), bytes_of(TEXT("7 someone"))));
    cr_assert_eq(gate.term_seen, 7);
    gate_fini(&gate);
}
