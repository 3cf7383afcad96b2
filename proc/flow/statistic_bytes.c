/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/statistic_bytes.h"

#include "base/buffer.h"
#include "flow/wire_read.h"

enum {
    PERIOD_TO_FIELD = 4,
    HOUR_TO_FIELD = 19,
    STATE_FIELD = 50,
    AS_OF_FIELD = 51,
    WATERMARK_FIELD = 53,
    NUMBERS_BYTES = 48 * 12, /* every tag and every number, a varint may touch ten bytes */
};

static inline uint8_t *put_number(uint8_t *at, unsigned field, uint64_t number)
{
    if (number == 0)
        return at;
    return varint_put(varint_put(at, field << WIRE_TYPE_BITS | WIRE_VARINT), number);
}

/* A record of another program may have a negative one; on the wire it has the sign in ten bytes. */
static inline uint8_t *put_enum(uint8_t *at, unsigned field, int32_t number)
{
    return put_number(at, field, (uint64_t)(int64_t)number);
}

/* A number that is there even if it is zero. */
static uint8_t *put_signed(uint8_t *at, unsigned field, bool is_there, int64_t number)
{
    if (!is_there)
        return at;
    return varint_put(varint_put(at, field << WIRE_TYPE_BITS | WIRE_VARINT), zigzag_of(number));
}

static inline uint8_t *put_text(uint8_t *at, unsigned field, const char *text)
{
    if (text[0] == '\0')
        return at;
    size_t length = strlen(text);
    at = varint_put(varint_put(at, field << WIRE_TYPE_BITS | WIRE_LENGTH), length);
    memcpy(at, text, length);
    return at + length;
}

size_t statistic_bytes_most(const Customs__V1__Statistic *m)
{
    const char *const texts[] = {
        m->view,        m->reporter,      m->office_code,    m->border_office_code, m->zone_code,
        m->partner,     m->partner_group, m->commodity_code, m->classification,     m->trade_mode,
        m->region_code, m->currency,      m->supp_unit,
    };
    size_t bytes = NUMBERS_BYTES;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        bytes += strlen(texts[i]);
    return bytes;
}

static uint8_t *put_dimensions(uint8_t *at, const Customs__V1__Statistic *m)
{
    at = put_text(at, 1, m->view);
    at = put_enum(at, 2, (int32_t)m->frequency);
    at = put_number(at, 3, m->period_from);
    at = put_number(at, PERIOD_TO_FIELD, m->period_to);
    at = put_text(at, 5, m->reporter);
    at = put_enum(at, 6, (int32_t)m->flow);
    at = put_text(at, 7, m->office_code);
    at = put_text(at, 8, m->border_office_code);
    at = put_text(at, 9, m->zone_code);
    at = put_text(at, 10, m->partner);
    at = put_text(at, 11, m->partner_group);
    at = put_enum(at, 12, (int32_t)m->partner_basis);
    at = put_text(at, 13, m->commodity_code);
    at = put_text(at, 14, m->classification);
    at = put_number(at, 15, m->transport_mode);
    at = put_text(at, 16, m->trade_mode);
    at = put_text(at, 17, m->region_code);
    at = put_number(at, 18, (uint64_t)m->hour_from_ms);
    return put_number(at, HOUR_TO_FIELD, (uint64_t)m->hour_to_ms);
}

static uint8_t *put_measures(uint8_t *at, const Customs__V1__Statistic *m)
{
    at = put_number(at, 20, (uint64_t)m->value_minor);
    at = put_text(at, 21, m->currency);
    at = put_enum(at, 22, (int32_t)m->value_basis);
    at = put_number(at, 23, (uint64_t)m->customs_value_minor);
    at = put_number(at, 24, (uint64_t)m->net_mass_g);
    at = put_number(at, 25, (uint64_t)m->gross_mass_g);
    at = put_number(at, 26, (uint64_t)m->supp_quantity_micro);
    at = put_text(at, 27, m->supp_unit);
    at = put_number(at, 28, m->declarations);
    at = put_number(at, 29, m->items);
    at = put_number(at, 31, m->packages);
    at = put_number(at, 40, (uint64_t)m->base_value_minor);
    at = put_number(at, 41, (uint64_t)m->base_net_mass_g);
    at = put_signed(at, 43, m->has_yoy_value_ppm_case != 0, m->yoy_value_ppm);
    at = put_signed(at, 44, m->has_yoy_net_mass_ppm_case != 0, m->yoy_net_mass_ppm);
    return put_signed(at, 46, m->has_share_ppm_case != 0, m->share_ppm);
}

uint8_t *statistic_bytes_put(uint8_t *at, const Customs__V1__Statistic *m)
{
    at = put_measures(put_dimensions(at, m), m);
    at = put_enum(at, STATE_FIELD, (int32_t)m->state);
    at = put_number(at, AS_OF_FIELD, m->as_of);
    at = put_number(at, 52, (uint64_t)m->as_of_ms);
    at = put_number(at, WATERMARK_FIELD, (uint64_t)m->watermark_ms);
    at = put_number(at, 54, m->warned_items);
    at = put_number(at, 55, m->late_items);
    at = put_number(at, 56, (uint64_t)m->estimated_net_mass_g);
    at = put_enum(at, 57, (int32_t)m->confidentiality);
    return put_number(at, 58, m->loaded_items);
}

/* ---- what tells of time ---- */

/* As protobuf-c reads one: what is above 64 bits of a tenth byte is nothing. `at` and what is behind the varint were checked. */
static uint64_t varint_of(const uint8_t *at, const uint8_t *end)
{
    uint64_t v = 0;
    for (unsigned shift = 0; at < end; at++, shift += 7)
        v |= (uint64_t)(*at & 0x7F) << shift;
    return v;
}

bool statistic_bytes_time(struct bytes value, struct statistic_time *out)
{
    const uint8_t *at = value.data;
    const uint8_t *end = at + value.length;
    struct statistic_time time = {0};
    while (at < end) {
        uint64_t tag;
        const uint8_t *content = wire_read_tag(at, end, &tag);
        at = content ? wire_read_skip(content, end, tag & WIRE_TYPE_MASK) : NULL;
        if (!at)
            return false;
        if (tag == AS_OF_FIELD << WIRE_TYPE_BITS)
            time.as_of = varint_of(content, at);
        else if (tag == STATE_FIELD << WIRE_TYPE_BITS)
            time.state = (unsigned)varint_of(content, at);
        else if (tag == PERIOD_TO_FIELD << WIRE_TYPE_BITS)
            time.period_to = (uint32_t)varint_of(content, at);
        else if (tag == HOUR_TO_FIELD << WIRE_TYPE_BITS)
            time.hour_to_ms = (int64_t)varint_of(content, at);
        else if (tag == WATERMARK_FIELD << WIRE_TYPE_BITS)
            time.watermark_ms = (int64_t)varint_of(content, at);
    }
    *out = time;
    return true;
}
