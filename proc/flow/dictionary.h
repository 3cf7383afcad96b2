/* SPDX-License-Identifier: Apache-2.0
 * dictionary.h - code texts of up to 8 bytes (office, zone, trade mode, region) <-> small numbers in order of first use.
 *
 * Numbers are part of the partition's state: a group journals the texts that it uses first, so memory, journal and every
 * reader agree on them. Number 0 is the empty text.
 * Limits:  DICTIONARY_MOST texts; a partition that needs more halts (its office list is missing)
 * Thread:  one owner
 */
#pragma once

#include "base/hash.h"
#include "trade/codes.h"

enum { DICTIONARY_MOST = (1 << 20) - 1 };
#define DICTIONARY_FULL UINT32_MAX /* no number: beyond what an enumerator may be */

struct dictionary {
    uint64_t *codes; /* by number */
    uint32_t count;
    uint32_t capacity;
    uint32_t *slots; /* number + 1, 0 = free */
    uint32_t mask;
};

void dictionary_init(struct dictionary *dictionary);
void dictionary_fini(struct dictionary *dictionary);

/* The text as a word: bytes in memory order, zero padded. Texts are cut to 8 bytes. */
static inline uint64_t dictionary_code(struct text text)
{
    return codes_key((struct text){text.data, text.length < 8 ? text.length : 8});
}

static inline uint64_t dictionary_slot(const struct dictionary *dictionary, uint64_t code)
{
    return hash_mix(code ^ HASH_P0, HASH_P1) & dictionary->mask;
}

/* The text's number, which is given out if it is new; DICTIONARY_FULL at the limit. */
uint32_t dictionary_number_of_code(struct dictionary *dictionary, uint64_t code);

static inline uint32_t dictionary_number(struct dictionary *dictionary, struct text text)
{
    uint64_t code = dictionary_code(text);
    if (code == 0)
        return 0;
    uint32_t found = dictionary->slots[dictionary_slot(dictionary, code)];
    if (found && dictionary->codes[found - 1] == code)
        return found - 1;
    return dictionary_number_of_code(dictionary, code);
}

/* And back: writes at most 9 bytes, returns the length. */
uint32_t dictionary_text(uint64_t code, char out[static 9]);
