/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/dictionary.h"

#include "base/check.h"
#include "base/memory.h"

enum { SLOTS_FIRST = 256 };

void dictionary_init(struct dictionary *dictionary)
{
    *dictionary = (struct dictionary){.mask = SLOTS_FIRST - 1, .capacity = SLOTS_FIRST};
    dictionary->slots = memory_new(SLOTS_FIRST, sizeof dictionary->slots[0]);
    dictionary->codes = memory_new(SLOTS_FIRST, sizeof dictionary->codes[0]);
    uint32_t empty = dictionary_number_of_code(dictionary, 0);
    CHECK(empty == 0);
}

void dictionary_fini(struct dictionary *dictionary)
{
    memory_free(dictionary->slots);
    memory_free(dictionary->codes);
    *dictionary = (struct dictionary){0};
}

uint32_t dictionary_text(uint64_t code, char out[static 9])
{
    memcpy(out, &code, 8);
    out[8] = '\0';
    return (uint32_t)strlen(out);
}

static void grow(struct dictionary *dictionary)
{
    dictionary->capacity *= 2;
    dictionary->mask = dictionary->mask * 2 + 1;
    dictionary->codes = memory_resize(dictionary->codes, dictionary->capacity, sizeof dictionary->codes[0]);
    memory_free(dictionary->slots);
    dictionary->slots = memory_new((size_t)dictionary->mask + 1, sizeof dictionary->slots[0]);
    for (uint32_t number = 0; number < dictionary->count; number++) {
        uint64_t i = dictionary_slot(dictionary, dictionary->codes[number]);
        while (dictionary->slots[i])
            i = (i + 1) & dictionary->mask;
        dictionary->slots[i] = number + 1;
    }
}

uint32_t dictionary_number_of_code(struct dictionary *dictionary, uint64_t code)
{
    uint64_t i = dictionary_slot(dictionary, code);
    for (; dictionary->slots[i]; i = (i + 1) & dictionary->mask) {
        if (dictionary->codes[dictionary->slots[i] - 1] == code)
            return dictionary->slots[i] - 1;
    }
    if (dictionary->count == DICTIONARY_MOST)
        return DICTIONARY_FULL;
    if (dictionary->count >= dictionary->capacity / 2) {
        grow(dictionary);
        return dictionary_number_of_code(dictionary, code);
    }
    dictionary->codes[dictionary->count] = code;
    dictionary->slots[i] = ++dictionary->count;
    return dictionary->count - 1;
}
