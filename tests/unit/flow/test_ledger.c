/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "flow/ledger.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const struct hash_key sip = {{1, 2}};

/* What a contribution begins with (docs/JOURNAL.md), and so many bytes in all. */
static struct bytes bytes_of(uint64_t digest, uint32_t version, bool cancel, size_t length, uint8_t *space)
{
    memset(space, (int)(digest & 0x7F), length);
    memcpy(space, &digest, 8);
    space[12] = cancel;
    space[13] = (uint8_t)version;
    return (struct bytes){space, length};
}

static void put_bytes(struct ledger *ledger, const struct ledger_key *key, struct bytes contribution)
{
    struct ledger_probe probe;
    ledger_look(ledger, key, &probe);
    ledger_put(ledger, &probe, contribution);
}

static void put(struct ledger *ledger, const char *id, uint32_t version, bool cancel, uint64_t digest)
{
    uint8_t space[64];
    struct ledger_key key = ledger_key_of(text_of(id), &sip);
    put_bytes(ledger, &key, bytes_of(digest, version, cancel, 40, space));
}

static enum ledger_verdict judge(const struct ledger *ledger, const char *id, uint32_t version, bool cancel,
                                 uint64_t digest)
{
    struct ledger_key key = ledger_key_of(text_of(id), &sip);
    struct ledger_probe probe;
    struct bytes stored;
    ledger_look(ledger, &key, &probe);
    ledger_look_again(ledger, &probe);
    return ledger_judge(ledger, &probe, version, cancel, digest, &stored);
}

Test(ledger, VER_501_the_same_version_and_digest_is_a_duplicate)
{
    struct ledger *ledger = ledger_new(7);
    cr_assert_eq(judge(ledger, "A", 1, false, 10), LEDGER_COUNTED);
    put(ledger, "A", 1, false, 10);
    cr_assert_eq(judge(ledger, "A", 1, false, 10), LEDGER_DUPLICATE);
    ledger_free(ledger);
}

Test(ledger, VER_502_the_same_version_with_other_content_is_a_conflict)
{
    struct ledger *ledger = ledger_new(7);
    put(ledger, "A", 1, false, 10);
    cr_assert_eq(judge(ledger, "A", 1, false, 11), LEDGER_CONFLICT);
    ledger_free(ledger);
}

Test(ledger, VER_503_a_lower_version_is_stale)
{
    struct ledger *ledger = ledger_new(7);
    put(ledger, "A", 2, false, 10);
    cr_assert_eq(judge(ledger, "A", 1, false, 10), LEDGER_STALE);
    cr_assert_eq(judge(ledger, "A", 1, true, 10), LEDGER_STALE);
    ledger_free(ledger);
}

Test(ledger, a_cancel_stands_above_its_version_and_below_the_next)
{
    struct ledger *ledger = ledger_new(7);
    put(ledger, "A", 1, false, 10);
    cr_assert_eq(judge(ledger, "A", 1, true, 11), LEDGER_COUNTED);
    put(ledger, "A", 1, true, 11);
    cr_assert_eq(judge(ledger, "A", 1, false, 10), LEDGER_STALE);
    cr_assert_eq(judge(ledger, "A", 1, true, 11), LEDGER_DUPLICATE);
    cr_assert_eq(judge(ledger, "A", 2, false, 12), LEDGER_COUNTED);
    ledger_free(ledger);
}

/* A slow, obviously right ledger: a list. */
enum { IDS = 20000, STEPS = 200000 };
struct expected {
    uint32_t version;
    bool cancel;
    bool there;
    uint64_t digest;
    size_t length;
};

struct visit {
    uint64_t entries;
    uint64_t digests;
};

Test(ledger, a_look_holds_through_what_is_put_before_it_is_judged)
{
    enum { AHEAD = 500 };
    struct ledger *ledger = ledger_new(7);
    struct ledger_probe probes[AHEAD];
    uint8_t space[64];
    char id[16];
    for (unsigned i = 0; i < AHEAD; i++) {
        snprintf(id, sizeof id, "ID%u", i / 2); /* each twice, while the segments grow */
        struct ledger_key key = ledger_key_of(text_of(id), &sip);
        ledger_look(ledger, &key, &probes[i]);
    }
    for (unsigned i = 0; i < AHEAD; i++) {
        struct bytes stored;
        enum ledger_verdict verdict = ledger_judge(ledger, &probes[i], 1, false, 5, &stored);
        cr_assert_eq(verdict, i % 2 ? LEDGER_DUPLICATE : LEDGER_COUNTED, "%u", i);
        if (verdict == LEDGER_COUNTED)
            ledger_put_at(ledger, &probes[i], bytes_of(5, 1, false, 40, space));
    }
    cr_assert_eq(ledger_count(ledger), AHEAD / 2);
    ledger_free(ledger);
}

static void visit_one(void *context, const struct ledger_key *key, struct bytes contribution)
{
    struct visit *visit = context;
    uint64_t digest;
    memcpy(&digest, contribution.data, 8);
    visit->entries += key->word[0] != 0;
    visit->digests += digest;
}

Test(ledger, agrees_with_a_list_through_growth_and_replacement)
{
    struct ledger *ledger = ledger_new(99);
    static struct expected list[IDS];
    unsigned seed = 12345;
    uint8_t space[400];
    uint64_t count = 0;
    for (int step = 0; step < STEPS; step++) {
        unsigned which = (unsigned)rand_r(&seed) % IDS;
        struct expected *e = &list[which];
        uint32_t version = 1 + (unsigned)rand_r(&seed) % 4;
        bool cancel = (unsigned)rand_r(&seed) % 4 == 0;
        uint64_t digest = (uint64_t)rand_r(&seed) % 3 + 1;
        size_t length = 15 + (unsigned)rand_r(&seed) % 300;
        char id[64];
        snprintf(id, sizeof id, which % 5 ? "ID%u" : "A-MUCH-LONGER-ID-THAT-IS-HASHED%u", which);
        struct ledger_key key = ledger_key_of(text_of(id), &sip);
        struct bytes stored;
        struct ledger_probe probe;
        ledger_look(ledger, &key, &probe);
        enum ledger_verdict verdict = ledger_judge(ledger, &probe, version, cancel, digest, &stored);
        uint32_t order = version * 2 + cancel;
        uint32_t held = e->version * 2 + e->cancel;
        enum ledger_verdict right = !e->there || order > held ? LEDGER_COUNTED
                                    : order < held            ? LEDGER_STALE
                                    : digest == e->digest     ? LEDGER_DUPLICATE
                                                              : LEDGER_CONFLICT;
        cr_assert_eq(verdict, right, "step %d", step);
        cr_assert_eq(stored.length, e->there ? e->length : 0, "step %d", step);
        if (verdict != LEDGER_COUNTED)
            continue;
        count += !e->there;
        *e = (struct expected){version, cancel, true, digest, length};
        if (step % 3)
            put_bytes(ledger, &key, bytes_of(digest, version, cancel, length, space));
        else
            ledger_put_at(ledger, &probe, bytes_of(digest, version, cancel, length, space));
    }
    struct visit visit = {0, 0};
    for (uint32_t segment = 0; segment < LEDGER_SEGMENTS; segment++)
        ledger_visit(ledger, segment, visit_one, &visit);
    uint64_t digests = 0;
    for (int i = 0; i < IDS; i++)
        digests += list[i].there ? list[i].digest : 0;
    cr_assert_eq(ledger_count(ledger), count);
    cr_assert_eq(visit.entries, count);
    cr_assert_eq(visit.digests, digests);
    cr_assert_gt(ledger_bytes(ledger), count * 8);
    ledger_free(ledger);
}

Test(ledger, control_depends_on_content_and_not_on_order_or_seed)
{
    struct ledger *a = ledger_new(1);
    struct ledger *b = ledger_new(2);
    put(a, "A", 1, false, 10);
    put(a, "A", 2, false, 11);
    put(a, "B", 1, true, 12);
    put(b, "B", 1, true, 12);
    put(b, "A", 2, false, 11);

    cr_assert_eq(ledger_sums(a).control, ledger_sums(b).control);
    put(b, "A", 3, false, 11);
    cr_assert_neq(ledger_sums(a).control, ledger_sums(b).control);
    ledger_free(a);
    ledger_free(b);
}

Test(ledger, a_contribution_larger_than_a_chunk_is_kept)
{
    struct ledger *ledger = ledger_new(1);
    size_t length = (2 << 20) + 12345;
    uint8_t *space = malloc(length);
    struct ledger_key key = ledger_key_of(TEXT("BIG"), &sip);
    put(ledger, "BEFORE", 1, false, 1);
    put_bytes(ledger, &key, bytes_of(5, 1, false, length, space));
    put(ledger, "AFTER", 1, false, 2);

    struct bytes stored;
    struct ledger_probe probe;
    ledger_look(ledger, &key, &probe);
    ledger_judge(ledger, &probe, 2, false, 6, &stored);

    cr_assert_eq(stored.length, length);
    cr_assert_eq(memcmp(stored.data, space, length), 0);
    cr_assert_eq(judge(ledger, "BEFORE", 1, false, 1), LEDGER_DUPLICATE);
    cr_assert_eq(judge(ledger, "AFTER", 1, false, 2), LEDGER_DUPLICATE);
    free(space);
    ledger_free(ledger);
}

/* Snapshots of one process are read by another: slices must not hang on the seed. */
Test(ledger, the_segment_of_an_id_and_its_control_total_do_not_depend_on_the_seed)
{
    struct ledger *a = ledger_new(1);
    struct ledger *b = ledger_new(99);
    for (int i = 0; i < 4000; i++) {
        char id[16];
        snprintf(id, sizeof id, "S%d", i % 3000);
        put(a, id, (uint32_t)(1 + i / 3000), false, (uint64_t)i + 5);
        put(b, id, (uint32_t)(1 + i / 3000), false, (uint64_t)i + 5);
    }

    uint64_t control = 0;
    uint64_t count = 0;
    for (uint32_t s = 0; s < LEDGER_SEGMENTS; s++) {
        cr_assert_eq(ledger_segment_sums(a, s).control, ledger_segment_sums(b, s).control, "segment %u", s);
        cr_assert_eq(ledger_segment_sums(a, s).entries, ledger_segment_sums(b, s).entries, "segment %u", s);
        cr_assert_gt(ledger_segment_sums(a, s).entries, 3000 / LEDGER_SEGMENTS / 2);
        control += ledger_segment_sums(a, s).control;
        count += ledger_segment_sums(a, s).entries;
    }
    cr_assert_eq(control, ledger_sums(a).control);
    cr_assert_eq(count, ledger_count(a));
    ledger_free(a);
    ledger_free(b);
}

struct summed {
    uint32_t segment;
    uint64_t control;
};

static void sum_entry(void *context, const struct ledger_key *key, struct bytes contribution)
{
    struct summed *summed = context;
    uint64_t digest;
    memcpy(&digest, contribution.data, sizeof digest);
    cr_assert_eq(ledger_segment(key), summed->segment);
    summed->control += ledger_control_of(key, 3, true, digest);
}

Test(ledger, a_visit_of_a_segment_gives_what_its_control_total_says)
{
    struct ledger *ledger = ledger_new(1);
    for (int i = 0; i < 500; i++) {
        char id[16];
        snprintf(id, sizeof id, "V%d", i);
        put(ledger, id, 3, true, (uint64_t)i + 77);
    }
    for (uint32_t s = 0; s < LEDGER_SEGMENTS; s++) {
        struct summed summed = {s, 0};
        ledger_visit(ledger, s, sum_entry, &summed);
        cr_assert_eq(summed.control, ledger_segment_sums(ledger, s).control);
    }
    ledger_free(ledger);
}

/* All ids in one segment: the others' part of each new table stays as empty as it was. */
Test(ledger, one_segment_may_grow_alone)
{
    enum { IN_ONE = 3000 };
    struct ledger *ledger = ledger_new(5);
    uint8_t space[64];
    uint64_t number = 0;
    for (int count = 0; count < IN_ONE; number++) {
        struct ledger_key key = {{number, 3}};
        if (ledger_segment(&key) != 17)
            continue;
        count++;
        put_bytes(ledger, &key, bytes_of(number, 1, false, 20, space));
    }
    put(ledger, "ELSEWHERE", 1, false, 1);

    cr_assert_eq(ledger_segment_sums(ledger, 17).entries, IN_ONE);
    for (uint64_t i = 0; i < number; i++) {
        struct ledger_key key = {{i, 3}};
        struct ledger_probe probe;
        struct bytes stored;
        ledger_look(ledger, &key, &probe);
        cr_assert_eq(ledger_judge(ledger, &probe, 1, false, i, &stored),
                     ledger_segment(&key) == 17 ? LEDGER_DUPLICATE : LEDGER_COUNTED);
    }
    cr_assert_eq(judge(ledger, "ELSEWHERE", 1, false, 1), LEDGER_DUPLICATE);
    ledger_free(ledger);
}

Test(ledger, what_was_reserved_comes_without_growth_and_loses_nothing)
{
    enum { FEW = 100, MANY = 5000 };
    struct ledger *ledger = ledger_new(3);
    struct ledger *plain = ledger_new(3);
    char id[16];
    for (int i = 0; i < FEW; i++) {
        snprintf(id, sizeof id, "R%d", i);
        put(ledger, id, 1, false, (uint64_t)i + 1);
        put(plain, id, 1, false, (uint64_t)i + 1);
    }

    for (uint32_t segment = 0; segment < LEDGER_SEGMENTS; segment++)
        ledger_reserve(ledger, segment, MANY);
    size_t reserved = ledger_bytes(ledger);
    ledger_reserve(ledger, 0, 1);
    cr_assert_eq(ledger_bytes(ledger), reserved, "it never shrinks");
    cr_assert_eq(ledger_sums(ledger).control, ledger_sums(plain).control);
    for (int i = FEW; i < MANY; i++) { /* all segments together: none can pass what it has room for */
        snprintf(id, sizeof id, "R%d", i);
        put(ledger, id, 1, false, (uint64_t)i + 1);
        put(plain, id, 1, false, (uint64_t)i + 1);
    }

    cr_assert_lt(ledger_bytes(ledger) - reserved, MANY * 100, "records alone");
    cr_assert_eq(ledger_count(ledger), MANY);
    cr_assert_eq(ledger_sums(ledger).control, ledger_sums(plain).control);
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "R%d", i);
        cr_assert_eq(judge(ledger, id, 1, false, (uint64_t)i + 1), LEDGER_DUPLICATE, "%s", id);
    }
    ledger_free(ledger);
    ledger_free(plain);
}
