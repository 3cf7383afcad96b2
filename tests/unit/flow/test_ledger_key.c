/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ledger_key.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct hash_key sip = {{1, 2}};

/* The page docs/JOURNAL.md, character by character. False: the id is not packed. */
static bool pack_slowly(const char *id, size_t length, struct ledger_key *out)
{
    static const char symbols[] = "0123456789/-ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    *out = (struct ledger_key){{0, 0}};
    for (size_t i = 0; i < length; i++) {
        const char *at = id[i] ? strchr(symbols, id[i]) : NULL;
        if (!at)
            return false;
        uint64_t symbol = (uint64_t)(at - symbols) + 1;
        if (i == 10 && length == 21)
            out->word[0] |= (symbol >> 4) << 60;
        uint64_t *word = &out->word[i < 10 ? 0 : 1];
        *word = *word << 6 | symbol;
    }
    return true;
}

static void check(const char *id, size_t length)
{
    struct ledger_key slow;
    char *exact = malloc(length ? length : 1); /* a sanitizer sees what is read beside it */
    memcpy(exact, id, length);
    struct ledger_key key = ledger_key_of((struct text){exact, (uint32_t)length}, &sip);
    bool packs = length <= LEDGER_ID_EXACT_MOST && pack_slowly(id, length, &slow);
    if (!packs) {
        struct hash128 hash = hash_sip128(id, length, &sip);
        slow = (struct ledger_key){{hash.word[0] | 1ULL << 63, hash.word[1]}};
    }
    cr_assert(memcmp(&key, &slow, sizeof key) == 0, "%.*s: %016llx %016llx, not %016llx %016llx", (int)length, id,
              (unsigned long long)key.word[0], (unsigned long long)key.word[1], (unsigned long long)slow.word[0],
              (unsigned long long)slow.word[1]);
    free(exact);
    uint8_t packed[LEDGER_KEY_LONG_BYTES];
    size_t bytes = ledger_key_pack(&key, packed);
    struct ledger_key again = ledger_key_unpack(packed, bytes);
    cr_assert(memcmp(&key, &again, sizeof key) == 0, "%.*s, packed", (int)length, id);
    size_t digits = 0;
    while (digits < length && id[digits] >= '0' && id[digits] <= '9')
        digits++;
    if (length <= 18 && digits == length)
        cr_assert_eq(bytes, LEDGER_KEY_SHORT_BYTES, "%.*s", (int)length, id);
}

Test(ledger_key, is_what_the_page_says_for_every_character_at_every_place_of_every_length)
{
    for (size_t length = 0; length <= 24; length++) {
        char id[24];
        memset(id, '7', sizeof id);
        check(id, length);
        for (size_t at = 0; at < length; at++) {
            for (int character = 0; character < 256; character++) {
                id[at] = (char)character;
                check(id, length);
            }
            id[at] = "Z09A-/"[at % 6];
        }
    }
}

Test(ledger_key, is_what_the_page_says_for_any_id)
{
    static const char some[] = "0123456789/-ABCDEFGHIJKLMNOPQRSTUVWXYZ.a\x80\xFF";
    unsigned seed = 4711;
    for (int i = 0; i < 50000; i++) {
        char id[35];
        size_t length = (unsigned)rand_r(&seed) % sizeof id;
        unsigned kinds = rand_r(&seed) % 4 ? 38 : sizeof some - 1;
        for (size_t j = 0; j < length; j++)
            id[j] = some[(unsigned)rand_r(&seed) % kinds];
        check(id, length);
    }
}

Test(ledger_key, ids_of_up_to_21_characters_are_exact_and_different)
{
    static const char *const ids[] = {"",
                                      "A",
                                      "AA",
                                      "AAA",
                                      "0",
                                      "00",
                                      "A0",
                                      "0A",
                                      "-",
                                      "/",
                                      "AAAAAAAAAA",
                                      "AAAAAAAAAAA",
                                      "AAAAAAAAAAAAAAAAAAAAA",
                                      "9AAAAAAAAAAAAAAAAAAAA",
                                      "AAAAAAAAAA9AAAAAAAAAA",
                                      "AAAAAAAAAAAAAAAAAAAA",
                                      "AAAAAAAAAAZAAAAAAAAAA",
                                      "AAAAAAAAAA/AAAAAAAAAA"};
    enum { COUNT = sizeof ids / sizeof ids[0] };
    for (size_t i = 0; i < COUNT; i++) {
        struct ledger_key a = ledger_key_of(text_of(ids[i]), &sip);
        cr_assert_eq(a.word[0] >> 63, 0, "%s is exact", ids[i]);
        for (size_t j = 0; j < i; j++) {
            struct ledger_key b = ledger_key_of(text_of(ids[j]), &sip);
            cr_assert(memcmp(&a, &b, sizeof a) != 0, "%s and %s", ids[i], ids[j]);
        }
    }
}

Test(ledger_key, longer_ids_are_hashed_with_the_journal_s_key)
{
    static const struct hash_key other = {{3, 4}};
    const char *id = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    struct ledger_key a = ledger_key_of(text_of(id), &sip);
    struct ledger_key b = ledger_key_of(text_of(id), &other);

    cr_assert_eq(a.word[0] >> 63, 1);
    cr_assert(memcmp(&a, &b, sizeof a) != 0);
}
