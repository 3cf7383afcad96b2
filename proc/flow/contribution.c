/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/contribution.h"

#include "base/hash.h"
#include "base/memory.h"
#include "flow/cell.h"
#include "trade/calendar.h"
#include "trade/codes.h"

enum { /* first byte */
       HEAD_CANCEL = 1,
       HEAD_LATE = 2,
       HEAD_WARNED = 4,
       HEAD_EXPORT = 8,
       HEAD_SCHEME_SHIFT = 4,
};

enum { /* first byte of an item */
       ITEM_ESTIMATED = 1,
       ITEM_CUSTOMS = 2, /* customs value differs from the statistical value */
       ITEM_GROSS = 4,   /* gross mass differs from net mass */
       ITEM_SUPP = 8,
       ITEM_PACKAGES = 16,
       ITEM_CONSIGNMENT = 32,
       ITEM_REGION = 64,
       ITEM_FLOW = 128, /* RM or RX */
};

enum { /* places in what is fixed at the beginning */
       AT_DIGEST = 0,
       AT_DECLARANT = 8,
       AT_FLAGS = 12,
       AT_VERSION = 13,
};

#define HS_MOST UINT64_C(9999999999)

enum { ITEM_BYTES_MOST = 80, HEAD_BYTES_MOST = 106, HOUR_MS = 3600000, HOUR_MINUTES = 60, MINUTE_MS = 60000 };

void contribution_fini(struct contribution *contribution)
{
    memory_free(contribution->items);
    *contribution = (struct contribution){0};
}

static void reserve_items(struct contribution *contribution, uint32_t count)
{
    if (count <= contribution->item_capacity)
        return;
    uint32_t capacity = contribution->item_capacity ? contribution->item_capacity : 8;
    while (capacity < count)
        capacity *= 2;
    contribution->items = memory_resize(contribution->items, capacity, sizeof contribution->items[0]);
    contribution->item_capacity = capacity;
}

/* Eight digits at once: a number of each two, of each four, of all. False: one of them is no digit. */
static inline bool eight_digits(const char *at, uint64_t *out)
{
    uint64_t word;
    memcpy(&word, at, sizeof word); /* little-endian, as every format here */
    uint64_t digits = word - 0x3030303030303030ULL;
    if (((word + 0x4646464646464646ULL) | digits) & 0x8080808080808080ULL)
        return false;
    uint64_t pairs = digits * 10 + (digits >> 8);
    *out = ((pairs & 0x000000FF000000FFULL) * (100 + (1000000ULL << 32)) +
            (pairs >> 16 & 0x000000FF000000FFULL) * (1 + (10000ULL << 32))) >>
           32;
    return true;
}

/* The first ten digits, and how many there are; no number if one of them is no digit. */
static void take_hs(struct text code, struct contribution_item *item)
{
    uint32_t digits = code.length < HS_DIGITS_MOST ? code.length : HS_DIGITS_MOST;
    uint64_t number = 0;
    uint32_t taken = digits >= 8 && eight_digits(code.data, &number) ? 8 : 0;
    for (uint32_t i = taken; i < digits; i++) {
        unsigned digit = (unsigned)(code.data[i] - '0');
        if (digit > 9) {
            item->hs = 0;
            item->hs_digits = 0;
            return;
        }
        number = number * 10 + digit;
    }
    for (uint32_t i = digits; i < HS_DIGITS_MOST; i++)
        number *= 10;
    item->hs = number;
    item->hs_digits = (uint8_t)digits;
}

static int64_t standard_quantity(const struct item *item, const struct contribution_item *to,
                                 const struct reference *reference, enum hs_edition edition)
{
    if (item->supp_quantity_micro == 0 || to->hs_digits < 6)
        return 0;
    uint8_t unit = reference_standard_unit(reference, edition, (uint32_t)(to->hs / 10000));
    int64_t quantity;
    if (unit == UNIT_INDEX_NONE || unit == UNIT_INDEX_KG ||
        !reference_unit_convert(reference, item->supp_unit, item->supp_quantity_micro, unit, &quantity))
        return 0;
    return quantity;
}

static void take_item(const struct declaration *declaration, const struct item *item, const struct reference *reference,
                      struct contribution_item *to)
{
    bool import = declaration->direction == DIRECTION_IMPORT;
    take_hs(item->hs_code, to);
    to->flow = import ? FLOW_M : FLOW_X;
    to->estimated = item->mass_estimated;
    to->partner = codes_country(import ? item->origin_country : item->destination_country);
    if (to->partner == 0 && import) /* EAEU chapter 97: the consignment country stands in for the origin (HSC-612) */
        to->partner = codes_country(item->consignment_country);
    to->consignment = codes_country(item->consignment_country);
    to->packages = item->package_count;
    to->value_minor = item->statistical_value_minor;
    to->customs_value_minor = item->customs_value_minor;
    to->net_mass_mg = item->net_mass_mg;
    to->gross_mass_mg = item->gross_mass_mg;
    to->supp_quantity_micro = standard_quantity(item, to, reference, reference_edition(declaration->reference_date));
}

static int64_t hour_of(int64_t ms)
{
    return ms / HOUR_MS - (ms % HOUR_MS < 0);
}

/* A cancel need not say of when it is: it is of the day of its acceptance, unless somebody knows better. */
static void take_day(uint32_t date, int64_t accepted_at_ms, struct contribution *out)
{
    if (date != 0 && date == out->date)
        return;
    bool is_date = calendar_is_date(date);
    out->date = is_date ? date : 0;
    out->day = is_date ? calendar_day(date) : calendar_day_of_ms(accepted_at_ms);
}

enum err contribution_from(const struct declaration *declaration, const struct reference *reference,
                           struct dictionary *dictionary, uint64_t digest, bool warned, bool late,
                           struct contribution *out, struct err_info *info)
{
    uint32_t items = declaration->function == FUNCTION_CANCEL ? 0 : declaration_items_kept(declaration);
    reserve_items(out, items);
    out->digest = digest;
    out->declarant = declaration->declarant_id.length
                         ? (uint32_t)hash_bytes(declaration->declarant_id.data, declaration->declarant_id.length, 0)
                         : 0;
    out->version = declaration->version;
    out->cancel = declaration->function == FUNCTION_CANCEL;
    out->late = late;
    out->warned = warned;
    out->direction = declaration->direction == DIRECTION_EXPORT ? DIRECTION_EXPORT : DIRECTION_IMPORT;
    out->scheme = (uint8_t)(declaration->scheme >= 0 && declaration->scheme < SCHEME_COUNT ? declaration->scheme : 0);
    out->mode = (uint16_t)(declaration->border_transport_mode < CELL_MODE_MOST ? declaration->border_transport_mode
                                                                               : CELL_MODE_MOST);
    take_day(declaration->reference_date, declaration->accepted_at_ms, out);
    out->hour = hour_of(declaration->accepted_at_ms);
    out->submitted = declaration->submitted_at_ms > 0 ? declaration->submitted_at_ms / MINUTE_MS : 0;
    out->office = dictionary_number(dictionary, declaration->office_code);
    out->border_office = dictionary_number(dictionary, declaration->border_office_code);
    out->zone = dictionary_number(dictionary, declaration->zone_code);
    out->trade_mode = dictionary_number(dictionary, declaration->trade_mode);
    uint32_t region_most = 0;
    out->item_count = items;
    for (uint32_t i = 0; i < items; i++) {
        const struct item *item = &declaration->items.items[i];
        take_item(declaration, item, reference, &out->items[i]);
        out->items[i].region = item->region_code.length ? dictionary_number(dictionary, item->region_code) : 0;
        region_most = out->items[i].region > region_most ? out->items[i].region : region_most;
    }
    if (out->office == DICTIONARY_FULL || out->border_office == DICTIONARY_FULL || out->zone == DICTIONARY_FULL ||
        out->trade_mode == DICTIONARY_FULL || region_most == DICTIONARY_FULL)
        return err_set(
            info, ERR_LIMIT,
            "more than %d different office, zone, trade mode and region codes: put an offices.csv into reference.dir",
            DICTIONARY_MOST);
    return OK;
}

void contribution_set_apart(struct contribution *contribution, const struct rules *rules,
                            const struct declaration *declaration)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < contribution->item_count; i++) {
        struct contribution_item *item = &contribution->items[i];
        enum item_class class = rules_item_class(rules, declaration, i);
        if (class == ITEM_OUTSIDE)
            continue;
        if (class == ITEM_RETURNS)
            item->flow = item->flow == FLOW_X ? FLOW_RX : FLOW_RM;
        contribution->items[kept++] = *item;
    }
    contribution->item_count = kept;
}

/* LEB128 as varint_put, eight bytes at once for what is longer than one: a loop would cost a wrong guess of its length. Writes up to
 * seven bytes more than it returns. */
static inline uint8_t *put_varint(uint8_t *at, uint64_t v)
{
    if (v < 0x80) {
        *at = (uint8_t)v;
        return at + 1;
    }
    if (v >> 56)
        return varint_put(at, v);
    uint64_t word = (v & 0x0FFFFFFFULL) | (v & 0x00FFFFFFF0000000ULL) << 4;
    word = (word & 0x00003FFF00003FFFULL) | (word & 0x0FFFC0000FFFC000ULL) << 2;
    word = (word & 0x007F007F007F007FULL) | (word & 0x3F803F803F803F80ULL) << 1;
    unsigned more = (63u - (unsigned)__builtin_clzll(v)) / 7; /* bytes but the last */
    word |= 0x8080808080808080ULL & ((1ULL << 8 * more) - 1);
    memcpy(at, &word, sizeof word);
    return at + more + 1;
}

/* Whole thousands and millions are the rule: one bit tells whether the small digits are there. */
static uint8_t *put_scaled(uint8_t *at, int64_t value, int64_t scale)
{
    if (value % scale == 0)
        return put_varint(at, zigzag_of(value / scale) << 1);
    return varint_put(varint_put(at, 1), zigzag_of(value));
}

static int64_t get_scaled(struct reader *reader, int64_t scale)
{
    uint64_t v = reader_varint(reader);
    if (v == 1)
        return reader_zigzag(reader);
    int64_t out;
    if (v & 1 || __builtin_mul_overflow(zigzag_to(v >> 1), scale, &out)) {
        reader->failed = true;
        return 0;
    }
    return out;
}

static uint8_t *put_item(uint8_t *at, const struct contribution_item *item, uint8_t flow)
{
    *at++ = (uint8_t)((item->estimated ? ITEM_ESTIMATED : 0) |
                      (item->customs_value_minor != item->value_minor ? ITEM_CUSTOMS : 0) |
                      (item->gross_mass_mg != item->net_mass_mg ? ITEM_GROSS : 0) |
                      (item->supp_quantity_micro ? ITEM_SUPP : 0) | (item->packages ? ITEM_PACKAGES : 0) |
                      (item->consignment ? ITEM_CONSIGNMENT : 0) | (item->region ? ITEM_REGION : 0) |
                      (item->flow != flow ? ITEM_FLOW : 0));
    uint64_t hs = item->hs << 4 | item->hs_digits;
    memcpy(at, &hs, 5);
    memcpy(at + 5, &item->partner, 2);
    at = put_varint(at + 7, zigzag_of(item->value_minor));
    at = put_scaled(at, item->net_mass_mg, 1000);
    if (item->customs_value_minor != item->value_minor)
        at = put_varint(at, zigzag_of(item->customs_value_minor));
    if (item->gross_mass_mg != item->net_mass_mg)
        at = put_scaled(at, item->gross_mass_mg, 1000);
    if (item->supp_quantity_micro)
        at = put_scaled(at, item->supp_quantity_micro, 1000000);
    if (item->packages)
        at = varint_put(at, item->packages);
    if (item->consignment)
        at = varint_put(at, item->consignment);
    if (item->region)
        at = varint_put(at, item->region);
    if (item->flow != flow)
        *at++ = item->flow;
    return at;
}

static uint8_t plain_flow(const struct contribution *contribution)
{
    return contribution->direction == DIRECTION_EXPORT ? FLOW_X : FLOW_M;
}

void contribution_encode(const struct contribution *c, struct buffer *out)
{
    uint8_t *start = buffer_reserve(out, HEAD_BYTES_MOST + (size_t)c->item_count * ITEM_BYTES_MOST);
    uint8_t *at = start;
    memcpy(at + AT_DIGEST, &c->digest, 8);
    memcpy(at + AT_DECLARANT, &c->declarant, 4);
    at[AT_FLAGS] = (uint8_t)((c->cancel ? HEAD_CANCEL : 0) | (c->late ? HEAD_LATE : 0) | (c->warned ? HEAD_WARNED : 0) |
                             (c->direction == DIRECTION_EXPORT ? HEAD_EXPORT : 0) | c->scheme << HEAD_SCHEME_SHIFT);
    at = varint_put(at + AT_VERSION, c->version);
    at = varint_put(at, zigzag_of(c->day));
    at = varint_put(at, zigzag_of(c->hour - (int64_t)c->day * 24));
    at = varint_put(at, c->mode);
    at = varint_put(at, c->office);
    at = varint_put(at, c->border_office);
    at = varint_put(at, c->zone);
    at = varint_put(at, c->trade_mode);
    at = varint_put(at, c->item_count);
    uint8_t flow = plain_flow(c);
    for (uint32_t i = 0; i < c->item_count; i++)
        at = put_item(at, &c->items[i], flow);
    if (c->submitted) /* usually less than an hour before the acceptance: one byte */
        at = put_varint(at, zigzag_of(c->submitted - c->hour * HOUR_MINUTES));
    out->length += (size_t)(at - start);
}

static void get_item(struct reader *reader, struct contribution_item *item, uint8_t flow)
{
    uint8_t flags = reader_u8(reader);
    uint64_t hs = 0;
    struct bytes fixed = reader_bytes(reader, 7);
    if (fixed.length) {
        memcpy(&hs, fixed.data, 5);
        memcpy(&item->partner, fixed.data + 5, 2);
    }
    item->hs = hs >> 4;
    item->hs_digits = hs & 15;
    item->estimated = flags & ITEM_ESTIMATED;
    item->value_minor = reader_zigzag(reader);
    item->net_mass_mg = get_scaled(reader, 1000);
    item->customs_value_minor = flags & ITEM_CUSTOMS ? reader_zigzag(reader) : item->value_minor;
    item->gross_mass_mg = flags & ITEM_GROSS ? get_scaled(reader, 1000) : item->net_mass_mg;
    item->supp_quantity_micro = flags & ITEM_SUPP ? get_scaled(reader, 1000000) : 0;
    item->packages = flags & ITEM_PACKAGES ? (uint32_t)reader_varint(reader) : 0;
    item->consignment = flags & ITEM_CONSIGNMENT ? (uint16_t)reader_varint(reader) : 0;
    item->region = flags & ITEM_REGION ? (uint32_t)reader_varint(reader) : 0;
    item->flow = flags & ITEM_FLOW ? reader_u8(reader) : flow;
}

/* Whether a key has room for it. */
static bool is_item_sound(const struct contribution_item *item)
{
    return item->hs <= HS_MOST && item->hs_digits <= HS_DIGITS_MOST && item->flow < FLOWS_MOST &&
           item->region <= CELL_REGION_MOST;
}

bool contribution_decode(struct bytes bytes, struct contribution *out)
{
    struct reader reader = reader_of(bytes);
    out->digest = reader_u64(&reader);
    out->declarant = reader_u32(&reader);
    uint8_t flags = reader_u8(&reader);
    out->cancel = flags & HEAD_CANCEL;
    out->late = flags & HEAD_LATE;
    out->warned = flags & HEAD_WARNED;
    out->direction = flags & HEAD_EXPORT ? DIRECTION_EXPORT : DIRECTION_IMPORT;
    out->scheme = flags >> HEAD_SCHEME_SHIFT;
    out->version = (uint32_t)reader_varint(&reader);
    out->date = 0;
    out->day = (int32_t)reader_zigzag(&reader);
    out->hour = reader_zigzag(&reader) + (int64_t)out->day * 24;
    out->mode = (uint16_t)reader_varint(&reader);
    out->office = (uint32_t)reader_varint(&reader);
    out->border_office = (uint32_t)reader_varint(&reader);
    out->zone = (uint32_t)reader_varint(&reader);
    out->trade_mode = (uint32_t)reader_varint(&reader);
    uint64_t items = reader_varint(&reader);
    if (reader.failed || items > DECLARATION_ITEMS_HARD || items > bytes.length)
        return false;
    reserve_items(out, (uint32_t)items);
    out->item_count = (uint32_t)items;
    uint8_t flow = plain_flow(out);
    bool is_sound = out->mode <= CELL_MODE_MOST && (out->item_count == 0 || cell_has_day(out->day));
    for (uint32_t i = 0; i < out->item_count; i++) {
        get_item(&reader, &out->items[i], flow);
        is_sound &= is_item_sound(&out->items[i]);
    }
    /* entries of frames of version 1 end here */
    bool is_stated = !reader.failed && reader_left(&reader) > 0;
    uint64_t after = is_stated ? (uint64_t)reader_zigzag(&reader) : 0;
    out->submitted = is_stated ? (int64_t)(after + (uint64_t)out->hour * HOUR_MINUTES) : 0;
    return !reader.failed && reader_left(&reader) == 0 && is_sound;
}

uint64_t contribution_digest(struct bytes bytes)
{
    uint64_t digest = 0;
    if (bytes.length >= 8)
        memcpy(&digest, bytes.data, 8);
    return digest;
}

uint32_t contribution_order(struct bytes bytes)
{
    uint64_t version = 0;
    if (bytes.length <= AT_VERSION)
        return 0;
    if (bytes.data[AT_VERSION] < 0x80) {
        version = bytes.data[AT_VERSION];
    } else {
        struct reader reader = reader_of((struct bytes){bytes.data + AT_VERSION, bytes.length - AT_VERSION});
        version = reader_varint(&reader);
    }
    return contribution_order_of((uint32_t)version, bytes.data[AT_FLAGS] & HEAD_CANCEL);
}

int32_t contribution_day(struct bytes bytes)
{
    if (bytes.length <= AT_VERSION)
        return 0;
    struct reader reader = reader_of((struct bytes){bytes.data + AT_VERSION, bytes.length - AT_VERSION});
    reader_varint(&reader);
    return (int32_t)reader_zigzag(&reader);
}
