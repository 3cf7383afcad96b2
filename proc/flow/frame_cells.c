/* SPDX-License-Identifier: Apache-2.0
 *
 * A cell is some sixteen varints. Both ways they go through memory that has room for the longest cell there can be, so that no varint is
 * preceded by a look at what is left: a cell that ends where it must not is found when it was read.
 */
#include "flow/frame_cells.h"

enum {
    AMOUNTS = 6, /* measures of 128 bits, the first bits of the mask */
    MEASURES = 11,
    VARINT_BYTES = 10,
    I128_BYTES = 19,
};

/* The longest that may be read before it is known to be broken: eight dimensions, the mask, the measures. */
_Static_assert(9 * VARINT_BYTES + MEASURES * I128_BYTES <= FRAME_CELL_BYTES_MOST, "the longest cell");

static bool has(const struct view *view, enum dimension dimension)
{
    return view->dimension_set & 1u << dimension;
}

/* ---- writing ---- */

struct frame_cells frame_cells_open(struct buffer *out, const struct view *view, uint32_t view_index)
{
    struct frame_cells cells = {.view = view, .begin = frame_begin_section(out, SECTION_CELLS)};
    buffer_add_varint(out, view_index);
    cells.count_at = out->length;
    buffer_add_u32(out, 0);
    return cells;
}

static uint8_t *put_key(uint8_t *at, struct frame_cells *cells, const struct table_key *key)
{
    const struct view *view = cells->view;
    at = varint_put(at, zigzag_of((int64_t)cell_day(key) - cells->day));
    cells->day = cell_day(key);
    if (view->hs_digits)
        at = varint_put(at, cell_commodity(key));
    if (has(view, DIMENSION_OFFICE))
        at = varint_put(at, key->word[1] >> 32);
    if (has(view, DIMENSION_BORDER_OFFICE))
        at = varint_put(at, key->word[1] & 0xFFFFFFFFu);
    if (has(view, DIMENSION_ZONE))
        at = varint_put(at, key->word[2] >> 32);
    if (has(view, DIMENSION_TRADE_MODE))
        at = varint_put(at, key->word[2] & 0xFFFFFFFFu);
    if (view->mask.word3 >> 32)
        at = varint_put(at, key->word[3] >> 32);
    if (view->mask.word3 & 0xFFFFFFFFu)
        at = varint_put(at, key->word[3] & 0xFFFFFFFFu);
    return at;
}

static inline uint8_t *put_amount(uint8_t *at, i128 v)
{
    return v == (int64_t)v ? varint_put(at, zigzag_of((int64_t)v)) : frame_put_i128(at, v);
}

/* Which measures are not zero. */
static inline unsigned used_of(const struct measures *m)
{
    return (unsigned)(m->value_minor != 0) | (unsigned)(m->customs_value_minor != 0) << 1 |
           (unsigned)(m->net_mass_mg != 0) << 2 | (unsigned)(m->gross_mass_mg != 0) << 3 |
           (unsigned)(m->supp_quantity_micro != 0) << 4 | (unsigned)(m->estimated_mg != 0) << 5 |
           (unsigned)(m->declarations != 0) << 6 | (unsigned)(m->items != 0) << 7 | (unsigned)(m->packages != 0) << 8 |
           (unsigned)(m->warned_items != 0) << 9 | (unsigned)(m->late_items != 0) << 10;
}

static uint8_t *put_measures(uint8_t *at, const struct measures *m, unsigned used)
{
    const i128 *const amounts[AMOUNTS] = {&m->value_minor,   &m->customs_value_minor, &m->net_mass_mg,
                                          &m->gross_mass_mg, &m->supp_quantity_micro, &m->estimated_mg};
    const int64_t counts[MEASURES - AMOUNTS] = {m->declarations, m->items, m->packages, m->warned_items, m->late_items};
    at = varint_put(at, used);
    for (unsigned i = 0; i < AMOUNTS; i++) {
        if (used & 1u << i)
            at = put_amount(at, *amounts[i]);
    }
    for (unsigned i = AMOUNTS; i < MEASURES; i++) {
        if (used & 1u << i)
            at = varint_put(at, zigzag_of(counts[i - AMOUNTS]));
    }
    return at;
}

void frame_cells_put(struct buffer *out, struct frame_cells *cells, const struct table_key *key,
                     const struct measures *measures)
{
    unsigned used = used_of(measures);
    if (!used)
        return;
    uint8_t *begin = buffer_reserve(out, FRAME_CELL_BYTES_MOST);
    uint8_t *end = put_measures(put_key(begin, cells, key), measures, used);
    out->length += (size_t)(end - begin);
    cells->count++;
}

void frame_cells_close(struct buffer *out, const struct frame_cells *cells)
{
    enum { SECTION_HEAD_BYTES = 5 };
    if (cells->count == 0) {
        out->length = cells->begin - SECTION_HEAD_BYTES;
        return;
    }
    memcpy(out->data + cells->count_at, &cells->count, sizeof cells->count);
    frame_end_section(out, cells->begin);
}

void frame_cells_sort(const struct tally *tally, struct cell_order *order)
{
    uint32_t count = tally_count(tally);
    cell_order_begin(order, count);
    for (uint32_t i = 0; i < count; i++)
        cell_order_add(order, cell_view(tally_key(tally, i)));
    cell_order_finish(order);
}

void frame_cells_put_tally(struct buffer *out, const struct tally *tally, const struct cell_order *order,
                           const struct view *view, uint32_t view_index, uint32_t *index, size_t most)
{
    struct frame_cells section = frame_cells_open(out, view, view_index);
    uint32_t end = order->begins[view_index + 1];
    for (; *index < end && out->length + FRAME_CELL_BYTES_MOST < most; ++*index) {
        uint32_t place = order->places[*index];
        struct measures cell;
        tally_measures(tally, place, &cell);
        frame_cells_put(out, &section, tally_key(tally, place), &cell);
    }
    frame_cells_close(out, &section);
}

/* ---- reading ---- */

/* In memory that has room for a cell. What is broken is read as something, a bounded number of bytes of it. */
struct cursor {
    const uint8_t *at;
    bool failed;
};

/* A number of more than eight bytes. */
static __attribute__((noinline)) i128 get_long(struct cursor *cursor, bool wide)
{
    struct reader reader = reader_of((struct bytes){cursor->at, wide ? I128_BYTES : VARINT_BYTES});
    i128 v = wide ? frame_get_i128(&reader) : (i128)reader_varint_careful(&reader);
    cursor->at = reader.at;
    cursor->failed |= reader.failed;
    return v;
}

static inline bool get_short(struct cursor *cursor, uint64_t *out)
{
    uint64_t word;
    memcpy(&word, cursor->at, sizeof word);
    uint64_t stop = ~word & 0x8080808080808080ULL;
    if (__builtin_expect(!stop, 0))
        return false;
    *out = varint_pack(word & (stop ^ (stop - 1)) & 0x7F7F7F7F7F7F7F7FULL);
    cursor->at += (size_t)__builtin_ctzll(stop) / 8 + 1;
    return true;
}

static inline uint64_t get_number(struct cursor *cursor)
{
    uint64_t v;
    return get_short(cursor, &v) ? v : (uint64_t)get_long(cursor, false);
}

static inline i128 get_amount(struct cursor *cursor)
{
    uint64_t v;
    return get_short(cursor, &v) ? zigzag_to(v) : get_long(cursor, true);
}

/* What does not fit its place in the key would change the place beside it: no writer writes that. */
static inline void get_key(struct cursor *cursor, const struct view *view, uint32_t index, struct table_key *key)
{
    uint64_t day = (uint64_t)(cell_day(key) + CELL_DAY_BIAS) + (uint64_t)zigzag_to(get_number(cursor));
    uint64_t commodity = view->hs_digits ? get_number(cursor) : 0;
    uint64_t office = has(view, DIMENSION_OFFICE) ? get_number(cursor) : 0;
    uint64_t border = has(view, DIMENSION_BORDER_OFFICE) ? get_number(cursor) : 0;
    uint64_t zone = has(view, DIMENSION_ZONE) ? get_number(cursor) : 0;
    uint64_t mode = has(view, DIMENSION_TRADE_MODE) ? get_number(cursor) : 0;
    uint64_t partners = view->mask.word3 >> 32 ? get_number(cursor) : 0;
    uint64_t rest = view->mask.word3 & 0xFFFFFFFFu ? get_number(cursor) : 0;
    cursor->failed |= ((office | border | zone | mode | partners | rest) >> 32 | commodity >> CELL_HS_BITS |
                       day >> CELL_DAY_BITS) != 0;
    key->word[0] = cell_word0_of(index, view_cell_kind(view),
                                 (int32_t)(day & ((1u << CELL_DAY_BITS) - 1)) - CELL_DAY_BIAS, commodity & CELL_NO_HS);
    key->word[1] = office << 32 | border;
    key->word[2] = zone << 32 | mode;
    key->word[3] = partners << 32 | rest;
}

static inline uint64_t get_measures(struct cursor *cursor, struct measures *m)
{
    uint64_t used = get_number(cursor);
    m->value_minor = used & 1 ? get_amount(cursor) : 0;
    m->customs_value_minor = used & 1 << 1 ? get_amount(cursor) : 0;
    m->net_mass_mg = used & 1 << 2 ? get_amount(cursor) : 0;
    m->gross_mass_mg = used & 1 << 3 ? get_amount(cursor) : 0;
    m->supp_quantity_micro = used & 1 << 4 ? get_amount(cursor) : 0;
    m->estimated_mg = used & 1 << 5 ? get_amount(cursor) : 0;
    m->declarations = used & 1 << 6 ? (int64_t)get_amount(cursor) : 0;
    m->items = used & 1 << 7 ? (int64_t)get_amount(cursor) : 0;
    m->packages = used & 1 << 8 ? (int64_t)get_amount(cursor) : 0;
    m->warned_items = used & 1 << 9 ? (int64_t)get_amount(cursor) : 0;
    m->late_items = used & 1 << 10 ? (int64_t)get_amount(cursor) : 0;
    m->loaded_items = 0;
    return used;
}

bool frame_cells_begin(struct reader *reader, const struct view_plan *plan, uint32_t *out_view, uint32_t *out_count,
                       struct table_key *out_key)
{
    *out_key = (struct table_key){{cell_word0(0, false, 0, 0), 0, 0, 0}};
    uint64_t view = reader_varint(reader);
    uint32_t count = reader_u32(reader);
    if (reader->failed || view >= plan->count)
        return false;
    *out_view = (uint32_t)view;
    *out_count = count;
    return true;
}

bool frame_cells_next(struct reader *reader, const struct view *view, uint32_t view_index, struct table_key *key,
                      struct measures *out)
{
    size_t left = reader_left(reader);
    uint8_t last[2 * FRAME_CELL_BYTES_MOST];
    const uint8_t *begin = reader->at;
    if (left < FRAME_CELL_BYTES_MOST) { /* the last ones of the section: with room behind them */
        memset(last, 0, sizeof last);
        if (left)
            memcpy(last, reader->at, left);
        begin = last;
    }
    struct cursor cursor = {begin, reader->failed};
    get_key(&cursor, view, view_index, key);
    uint64_t used = get_measures(&cursor, out);
    size_t bytes = (size_t)(cursor.at - begin);
    reader->failed = cursor.failed || bytes > left || used >> MEASURES != 0;
    if (reader->failed)
        return false;
    reader->at += bytes;
    return true;
}
