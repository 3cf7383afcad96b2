/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/compare.h"

#include "base/memory.h"
#include "base/table.h"

#include <inttypes.h>
#include <stdio.h>

enum { EXPECTED = 1 << 10 };

/* The numbers that cube a has for the codes of cube b. */
static uint32_t *map_codes(const struct cube *a, const struct cube *b)
{
    const struct dictionary *from = cube_codes(b);
    struct dictionary codes;
    dictionary_init(&codes);
    for (uint32_t i = 0; i < cube_codes(a)->count; i++)
        dictionary_number_of_code(&codes, cube_codes(a)->codes[i]);
    uint32_t *numbers = memory_new(from->count, sizeof numbers[0]);
    for (uint32_t i = 0; i < from->count; i++)
        numbers[i] = dictionary_number_of_code(&codes, from->codes[i]);
    dictionary_fini(&codes);
    return numbers;
}

static struct table_key map_key(const uint32_t *numbers, const struct table_key *key)
{
    struct table_key out = *key;
    out.word[1] = (uint64_t)numbers[cell_office(key)] << 32 | numbers[cell_border_office(key)];
    out.word[2] = (uint64_t)numbers[cell_zone(key)] << 32 | numbers[cell_trade_mode(key)];
    out.word[3] = (key->word[3] & ~((uint64_t)CELL_REGION_MOST << 12)) | (uint64_t)numbers[cell_region(key)] << 12;
    return out;
}

static void note(struct compare_found *out, struct text key, const struct measures *a, const struct measures *b)
{
    char value[2][I128_TEXT_BYTES];
    char mass[2][I128_TEXT_BYTES];
    if (out->differ++)
        return;
    snprintf(out->text, sizeof out->text,
             "the first is %.*s: value %s, net mass %s mg, %" PRId64 " declarations, %" PRId64
             " items against %s, %s, %" PRId64 ", %" PRId64,
             TEXT_ARGS(key), i128_to_text(a->value_minor, value[0]), i128_to_text(a->net_mass_mg, mass[0]),
             a->declarations, a->items, i128_to_text(b->value_minor, value[1]), i128_to_text(b->net_mass_mg, mass[1]),
             b->declarations, b->items);
}

/* An hour holds declarations of any day: it is compared where all are. */
static bool is_from(const struct table_key *key, int32_t from_day)
{
    return from_day == INT32_MIN || (!cell_is_hour(key) && cell_day(key) >= from_day);
}

uint64_t compare_cubes(const struct cube *a, const struct cube *b, int32_t from_day, struct statistic_writer *writer,
                       struct compare_found *out)
{
    static const struct measures none;
    *out = (struct compare_found){0};
    uint32_t *numbers = map_codes(a, b);
    struct table *table = table_new(EXPECTED + cube_count(b));
    bool added;
    for (uint32_t i = 0; i < cube_count(b); i++) { /* entry i of the table is cell i of b: no two keys are equal */
        struct table_key key = map_key(numbers, cube_key(b, i));
        table_put(table, &key, table_hash(&key), &added);
    }
    uint64_t compared = 0;
    uint64_t met = 0;
    for (uint32_t i = 0; i < cube_count(a); i++) {
        const struct table_key *key = cube_key(a, i);
        bool is_compared = is_from(key, from_day);
        uint32_t other = table_find(table, key, table_hash(key));
        const struct measures *measures = other == TABLE_NONE ? &none : cube_measures(b, other);
        met += other != TABLE_NONE;
        compared += is_compared;
        if (is_compared && !measures_are_equal(cube_measures(a, i), measures))
            note(out, statistic_key(writer, key, cube_codes(a)), cube_measures(a, i), measures);
    }
    if (met < cube_count(b)) { /* b has cells that a lacks */
        struct table *own = table_new(EXPECTED + cube_count(a));
        for (uint32_t i = 0; i < cube_count(a); i++)
            table_put(own, cube_key(a, i), table_hash(cube_key(a, i)), &added);
        for (uint32_t i = 0; i < cube_count(b); i++) {
            const struct table_key *key = table_key(table, i);
            if (is_from(key, from_day) && table_find(own, key, table_hash(key)) == TABLE_NONE &&
                !measures_are_equal(&none, cube_measures(b, i)))
                note(out, statistic_key(writer, cube_key(b, i), cube_codes(b)), &none, cube_measures(b, i));
        }
        table_free(own);
    }
    table_free(table);
    memory_free(numbers);
    return compared;
}
