/* SPDX-License-Identifier: Apache-2.0 */
#include "query/edition.h"

#include "query/aspect.h"

#include <stdio.h>

enum { FIRST_OF_HS2022 = 20220101, HS_DIGITS = 6 };

void edition_init(struct edition *edition, const char *key, const struct reference *reference, struct window window)
{
    struct record_parts parts;
    *edition = (struct edition){.reference = reference};
    edition->has_list = reference && reference_has(reference, REFERENCE_HS_MOVES);
    records_split(key, &parts);
    for (uint32_t i = 0; i < parts.count; i++) {
        uint32_t digits = aspect_commodity_digits(records_name(parts.part[i]));
        if (digits == 0)
            continue;
        edition->part = i;
        edition->digits = digits;
        edition->is_active = window.to >= FIRST_OF_HS2022 && window_year_before(window).from < FIRST_OF_HS2022;
    }
}

/* The record's key with other leading digits in its commodity. */
static void put_key(const struct record *record, struct text code, uint32_t digits, uint32_t to,
                    char out[static EDITION_KEY_BYTES])
{
    char number[16];
    snprintf(number, sizeof number, "%0*u", (int)digits, to);
    snprintf(out, EDITION_KEY_BYTES, "%.*s%s%s", (int)(code.data - record->key), record->key, number,
             code.data + digits);
}

void edition_keys(const struct edition *edition, const struct record *record, struct edition_keys *out)
{
    struct record_parts parts;
    uint32_t targets[HS_TARGETS_MOST];
    uint32_t count;
    int64_t number;
    out->count = 0;
    out->move = HS_MOVE_UNKNOWN;
    if (!edition->is_active || !edition->has_list || record->from >= FIRST_OF_HS2022)
        return;
    records_split(record->key, &parts);
    struct text code = edition->part < parts.count ? records_value(parts.part[edition->part]) : TEXT("");
    uint32_t digits = edition->digits < HS_DIGITS ? edition->digits : HS_DIGITS;
    if (code.length != edition->digits || !text_to_int64((struct text){code.data, digits}, &number))
        return;
    out->move = reference_hs_move(edition->reference, digits, (uint32_t)number, targets, &count);
    if (out->move == HS_MOVE_UNKNOWN || out->move == HS_MOVE_SAME)
        return;
    for (uint32_t i = 0; i < count; i++)
        put_key(record, code, digits, targets[i], out->keys[i]);
    out->count = count;
    if (edition->digits > HS_DIGITS) /* which national code it is now no table says */
        out->move = HS_MOVE_SPLIT;
}

const char *edition_name(unsigned flags)
{
    if (flags & EDITION_UNCONVERTED)
        return "unconverted";
    if (flags & EDITION_SPLIT)
        return "split";
    if (flags & EDITION_APPROXIMATE)
        return "approximate";
    return flags & EDITION_CONVERTED ? "converted" : "";
}
