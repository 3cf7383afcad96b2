/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/composition.h"

#include "trade/lists.h"

bool composition_known(const struct reference *reference, struct text group)
{
    for (uint32_t i = 0; i < reference->groups_count; i++) {
        if (text_is(group, reference->groups[i].group))
            return true;
    }
    return false;
}

/* Whether it is the first row of its group. */
static bool is_first(const struct reference *reference, uint32_t row)
{
    for (uint32_t i = 0; i < row; i++) {
        if (strcmp(reference->groups[i].group, reference->groups[row].group) == 0)
            return false;
    }
    return true;
}

const char *composition_group(const struct reference *reference, uint32_t index)
{
    for (uint32_t i = 0; i < reference->groups_count; i++) {
        if (is_first(reference, i) && index-- == 0)
            return reference->groups[i].group;
    }
    return NULL;
}

bool composition_row(const struct reference *reference, uint32_t index, struct composition_span *out)
{
    if (index >= reference->groups_count)
        return false;
    const struct group_row *row = &reference->groups[index];
    *out = (struct composition_span){row->group, row->country, row->from, row->to_exclusive};
    return true;
}

/* Place of the country, or where it would stand. */
static uint32_t place_of(const struct composition *composition, const char *country)
{
    uint32_t place = 0;
    while (place < composition->count && strcmp(composition->countries[place], country) < 0)
        place++;
    return place;
}

/* ISO 3166-1: two letters. */
static bool is_code(struct text country, const char code[static COMPOSITION_CODE_BYTES])
{
    return country.length == COMPOSITION_CODE_BYTES - 1 && memcmp(country.data, code, COMPOSITION_CODE_BYTES - 1) == 0;
}

static void add_country(struct composition *composition, const char *country)
{
    uint32_t place = place_of(composition, country);
    if (composition->count == COMPOSITION_MOST ||
        (place < composition->count && strcmp(composition->countries[place], country) == 0))
        return;
    memmove(composition->countries[place + 1], composition->countries[place],
            (composition->count - place) * sizeof composition->countries[0]);
    memcpy(composition->countries[place], country, COMPOSITION_CODE_BYTES);
    composition->count++;
}

void composition_add(struct composition *composition, const struct reference *reference, struct text group,
                     uint32_t date)
{
    for (uint32_t i = 0; i < reference->groups_count; i++) {
        const struct group_row *row = &reference->groups[i];
        struct text country = {row->country, COMPOSITION_CODE_BYTES - 1};
        if (text_is(group, row->group) && reference_in_group(reference, group, country, date))
            add_country(composition, row->country);
    }
}

void composition_remove(struct composition *composition, struct text country)
{
    for (uint32_t i = 0; i < composition->count; i++) {
        if (!is_code(country, composition->countries[i]))
            continue;
        composition->count--;
        memmove(composition->countries[i], composition->countries[i + 1],
                (composition->count - i) * sizeof composition->countries[0]);
        return;
    }
}

bool composition_has(const struct composition *composition, struct text country)
{
    for (uint32_t i = 0; i < composition->count; i++) {
        if (is_code(country, composition->countries[i]))
            return true;
    }
    return false;
}
