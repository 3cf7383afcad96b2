/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/gate.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>

static const char mark[] = "#claim|";

void gate_init(struct gate *gate, int32_t partitions, const uint64_t identity[static 2])
{
    *gate = (struct gate){.identity = {identity[0], identity[1]}, .count = partitions};
    gate->partitions = memory_new((size_t)partitions, sizeof gate->partitions[0]);
}

void gate_fini(struct gate *gate)
{
    memory_free(gate->partitions);
    *gate = (struct gate){0};
}

void gate_shut(struct gate *gate)
{
    gate->term = 0;
    for (int32_t i = 0; i < gate->count; i++)
        gate->partitions[i].is_won = false;
}

void gate_restart(struct gate *gate)
{
    gate_shut(gate);
    for (int32_t i = 0; i < gate->count; i++)
        gate->partitions[i].newest_claim = 0;
}

bool gate_claim(struct gate *gate)
{
    uint64_t term = (gate->term_seen > gate->term_last ? gate->term_seen : gate->term_last) + 1;
    if (term > GATE_TERM_MOST)
        return false;
    gate_shut(gate);
    gate->term = term;
    gate->term_last = term;
    return true;
}

struct text gate_claim_key(const struct gate *gate, char out[static GATE_KEY_BYTES])
{
    int length = snprintf(out, GATE_KEY_BYTES, "%s%" PRIu64 "|%016" PRIx64 "%016" PRIx64, mark, gate->term,
                          gate->identity[0], gate->identity[1]);
    return (struct text){out, (uint32_t)length};
}

struct text gate_claim_value(const struct gate *gate, char out[static GATE_VALUE_BYTES])
{
    int length = snprintf(out, GATE_VALUE_BYTES, "%" PRIu64 " %016" PRIx64 "%016" PRIx64, gate->term, gate->identity[0],
                          gate->identity[1]);
    return (struct text){out, (uint32_t)length};
}

/* The term in a claim's key; 0 if it is no claim. */
static uint64_t term_of_key(struct bytes key)
{
    const size_t head = sizeof mark - 1;
    if (key.length <= head || memcmp(key.data, mark, head) != 0)
        return 0;
    struct text rest = {(const char *)key.data + head, (uint32_t)(key.length - head)};
    int64_t term;
    if (!text_to_int64(text_cut(&rest, '|'), &term) || term <= 0 || (uint64_t)term > GATE_TERM_MOST)
        return 0;
    return (uint64_t)term;
}

static bool is_own(const struct gate *gate, struct bytes value)
{
    char own[GATE_VALUE_BYTES];
    struct text text = gate_claim_value(gate, own);
    return value.length == text.length && memcmp(value.data, text.data, text.length) == 0;
}

static void see_term(struct gate *gate, uint64_t term)
{
    if (term > gate->term_seen)
        gate->term_seen = term;
}

bool gate_read(struct gate *gate, int32_t partition, struct bytes key, struct bytes value)
{
    struct gate_partition *p = &gate->partitions[partition];
    uint64_t term = term_of_key(key);
    if (term == 0)
        return false;
    bool is_lost = false;
    if (gate->term && term == gate->term && is_own(gate, value) && p->newest_claim < term)
        p->is_won = true;
    else
        is_lost = gate->term && term >= gate->term + p->is_won;
    see_term(gate, term);
    if (term > p->newest_claim)
        p->newest_claim = term;
    if (is_lost)
        gate_shut(gate);
    return is_lost;
}

bool gate_see(struct gate *gate, int32_t partition, uint64_t as_of)
{
    see_term(gate, gate_term_of(as_of));
    return gate_term_of(as_of) < gate->partitions[partition].newest_claim;
}

bool gate_is_won(const struct gate *gate)
{
    for (int32_t i = 0; i < gate->count; i++) {
        if (!gate->partitions[i].is_won)
            return false;
    }
    return gate->term != 0;
}
