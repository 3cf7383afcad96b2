/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/statistic_read.h"

#include "base/buffer.h"

#include <stddef.h>

enum {
    FIELDS = 59,
    TYPE_BITS = 3,
    TAG_BYTES_MOST = 2, /* of a field below FIELDS, as anybody writes it */
    WIRE_VARINT = 0,
    WIRE_TEXT = 2,
};

enum kind { NONE, TEXT_KIND, SMALL, LARGE, OPTIONAL_SIGNED };

/* Where a field goes. A SMALL is an enum or 32 bits. */
struct place {
    uint16_t kind;
    uint16_t offset;
    uint16_t case_offset; /* of an OPTIONAL_SIGNED: says that it is there */
};

#define AT(member) (uint16_t) offsetof(Customs__V1__Statistic, member)
static const struct place places[FIELDS] = {
    [1] = {TEXT_KIND, AT(view), 0},
    [2] = {SMALL, AT(frequency), 0},
    [3] = {SMALL, AT(period_from), 0},
    [4] = {SMALL, AT(period_to), 0},
    [5] = {TEXT_KIND, AT(reporter), 0},
    [6] = {SMALL, AT(flow), 0},
    [7] = {TEXT_KIND, AT(office_code), 0},
    [8] = {TEXT_KIND, AT(border_office_code), 0},
    [9] = {TEXT_KIND, AT(zone_code), 0},
    [10] = {TEXT_KIND, AT(partner), 0},
    [11] = {TEXT_KIND, AT(partner_group), 0},
    [12] = {SMALL, AT(partner_basis), 0},
    [13] = {TEXT_KIND, AT(commodity_code), 0},
    [14] = {TEXT_KIND, AT(classification), 0},
    [15] = {SMALL, AT(transport_mode), 0},
    [16] = {TEXT_KIND, AT(trade_mode), 0},
    [17] = {TEXT_KIND, AT(region_code), 0},
    [18] = {LARGE, AT(hour_from_ms), 0},
    [19] = {LARGE, AT(hour_to_ms), 0},
    [20] = {LARGE, AT(value_minor), 0},
    [21] = {TEXT_KIND, AT(currency), 0},
    [22] = {SMALL, AT(value_basis), 0},
    [23] = {LARGE, AT(customs_value_minor), 0},
    [24] = {LARGE, AT(net_mass_g), 0},
    [25] = {LARGE, AT(gross_mass_g), 0},
    [26] = {LARGE, AT(supp_quantity_micro), 0},
    [27] = {TEXT_KIND, AT(supp_unit), 0},
    [28] = {LARGE, AT(declarations), 0},
    [29] = {LARGE, AT(items), 0},
    [31] = {LARGE, AT(packages), 0},
    [40] = {LARGE, AT(base_value_minor), 0},
    [41] = {LARGE, AT(base_net_mass_g), 0},
    [43] = {OPTIONAL_SIGNED, AT(yoy_value_ppm), AT(has_yoy_value_ppm_case)},
    [44] = {OPTIONAL_SIGNED, AT(yoy_net_mass_ppm), AT(has_yoy_net_mass_ppm_case)},
    [46] = {OPTIONAL_SIGNED, AT(share_ppm), AT(has_share_ppm_case)},
    [50] = {SMALL, AT(state), 0},
    [51] = {LARGE, AT(as_of), 0},
    [52] = {LARGE, AT(as_of_ms), 0},
    [53] = {LARGE, AT(watermark_ms), 0},
    [54] = {LARGE, AT(warned_items), 0},
    [55] = {LARGE, AT(late_items), 0},
    [56] = {LARGE, AT(estimated_net_mass_g), 0},
    [57] = {SMALL, AT(confidentiality), 0},
    [58] = {LARGE, AT(loaded_items), 0},
};
#undef AT

static bool read_text(struct reader *reader, struct statistic_scratch *scratch, size_t *used, const struct place *place)
{
    struct bytes bytes = reader_bytes(reader, (size_t)reader_varint(reader));
    if (reader->failed || bytes.length >= STATISTIC_TEXTS_BYTES - *used ||
        (bytes.length && memchr(bytes.data, '\0', bytes.length)))
        return false;
    char *text = scratch->texts + *used;
    if (bytes.length)
        memcpy(text, bytes.data, bytes.length);
    text[bytes.length] = '\0';
    *used += bytes.length + 1;
    memcpy((char *)&scratch->message + place->offset, &text, sizeof text);
    return true;
}

static bool read_number(struct reader *reader, struct statistic_scratch *scratch, uint32_t field,
                        const struct place *place)
{
    char *message = (char *)&scratch->message;
    uint64_t number = reader_varint(reader);
    if (reader->failed)
        return false;
    if (place->kind == SMALL) {
        uint32_t narrow = (uint32_t)number;
        memcpy(message + place->offset, &narrow, sizeof narrow);
        return number <= INT32_MAX;
    }
    if (place->kind == OPTIONAL_SIGNED) {
        memcpy(message + place->case_offset, &field, sizeof field);
        number = (uint64_t)zigzag_to(number);
    }
    memcpy(message + place->offset, &number, sizeof number);
    return true;
}

bool statistic_read(struct bytes value, struct statistic_scratch *scratch)
{
    static const Customs__V1__Statistic empty = CUSTOMS__V1__STATISTIC__INIT;
    struct reader reader = reader_of(value);
    size_t used = 0;
    scratch->message = empty;
    while (reader_left(&reader) > 0) {
        const uint8_t *begin = reader.at;
        uint64_t tag = reader_varint(&reader);
        uint64_t field = tag >> TYPE_BITS;
        const struct place *place = &places[field < FIELDS ? field : 0];
        unsigned wanted = place->kind == TEXT_KIND ? WIRE_TEXT : WIRE_VARINT;
        if (reader.failed || reader.at - begin > TAG_BYTES_MOST || place->kind == NONE ||
            (tag & ((1u << TYPE_BITS) - 1)) != wanted)
            return false;
        bool good = wanted == WIRE_TEXT ? read_text(&reader, scratch, &used, place)
                                        : read_number(&reader, scratch, (uint32_t)field, place);
        if (!good)
            return false;
    }
    return true;
}
