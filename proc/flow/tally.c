/* SPDX-License-Identifier: Apache-2.0
 *
 * A declaration touches a cell of each sheet (sheet.h), which lie anywhere in a table of megabytes. So the touches of some declarations
 * are first listed and their cells asked for, then added to: the cache misses overlap instead of adding up. What a touch adds is summed
 * once a declaration and shared by all sheets whose cell takes the same items. The views' cells are made of the sheets' by tally_flush.
 */
#include "flow/tally.h"

#include "base/check.h"
#include "base/memory.h"
#include "flow/delta.h"
#include "flow/mutant.h"
#include "flow/sheet.h"
#include "trade/calendar.h"

#include <string.h>

enum {
    CELLS_EXPECTED = 1 << 14,
    JOINT_EXPECTED = 1 << 12,
    LEAF_KEYS_FIRST = 64,
    FEW_ITEMS = 16,   /* declarations of so many items go the fast way */
    LISTED_FULL = 96, /* listed touches, or their sums, are added when there are so many */
    TOUCHES_MOST = LISTED_FULL + FEW_ITEMS * VIEWS_MOST,
    SUMS_MOST =
        TOUCHES_MOST + FEW_ITEMS + 2, /* a declaration's items, all together, nothing, and runs, fewer than touches */
};

/* The amounts of a frame together: as long as they are below, no sum of some of them can pass 64 bits. */
#define REACH_MOST (1ULL << 62)

/* What a cell held when its sum would have passed 64 bits. */
struct wide {
    struct table_key key;
    struct measures measures;
};

/* A cell, and what is added to it. */
struct touch {
    struct table_key key;
    const struct delta *sum;
    uint32_t hash;
    int8_t declarations;
    bool joint;
};

/* Of the declaration that is being listed: what its keys are made of. */
struct listing {
    const struct contribution *contribution;
    uint64_t times[GRAINS]; /* as in word 0 of a key */
    uint64_t word1;
    uint64_t word2;
    int sign;
    const struct delta *sums;  /* of the single items, in order */
    const struct delta *total; /* of all; NULL if it passes 64 bits */
    uint8_t digits;            /* that `commodities` are of */
    uint64_t word3[FEW_ITEMS];
    uint64_t commodities[FEW_ITEMS];
};

struct tally {
    const struct view_plan *plan;
    struct sheet sheets[VIEWS_MOST];
    uint32_t sheet_count;
    uint32_t views_most;      /* of one joint sheet */
    uint32_t totals;          /* views with T, a bit each */
    bool has_hours;           /* some view is by hour */
    struct delta_table cells; /* of the views; joint sheets come into them by tally_flush */
    struct delta_table joint; /* of the joint sheets */
    struct tally_control control;
    struct wide *wide;
    uint32_t wide_count;
    uint32_t wide_capacity;
    uint64_t reach; /* amounts since the last clear, added up without their signs */
    bool checks;    /* reach is no bound any more: each sum is looked at */
    int32_t month_cache_day;
    int32_t month_cache;
    /* listed, not yet added */
    uint32_t touch_count;
    uint32_t sum_count;
    struct touch touches[TOUCHES_MOST];
    struct delta sums[SUMS_MOST]; /* the first is zero for good */
    /* scratch of one sheet of one declaration */
    struct table_key *leaf_keys; /* its distinct cells, if views derive from it */
    uint32_t leaf_count;
    uint32_t leaf_capacity;
    struct table *seen;
};

struct tally *tally_new(const struct view_plan *plan)
{
    struct tally *tally = memory_new_aligned(64, sizeof *tally);
    tally->plan = plan;
    tally->sheet_count = sheet_plan(plan, tally->sheets);
    for (uint32_t i = 0; i < tally->sheet_count; i++) {
        uint32_t views = (uint32_t)__builtin_popcount(tally->sheets[i].views);
        tally->views_most = views > tally->views_most ? views : tally->views_most;
    }
    for (uint32_t i = 0; i < plan->count; i++)
        tally->totals |= (uint32_t)plan->views[i].total << i;
    for (uint32_t i = 0; i < plan->count; i++)
        tally->has_hours |= plan->views[i].grain == GRAIN_HOUR;
    delta_table_init(&tally->cells, CELLS_EXPECTED);
    delta_table_init(&tally->joint, JOINT_EXPECTED);
    tally->leaf_capacity = LEAF_KEYS_FIRST;
    tally->leaf_keys = memory_new(tally->leaf_capacity, sizeof tally->leaf_keys[0]);
    tally->seen = table_new(LEAF_KEYS_FIRST);
    tally->month_cache_day = INT32_MIN;
    tally->sum_count = 1;
    return tally;
}

void tally_free(struct tally *tally)
{
    if (!tally)
        return;
    delta_table_fini(&tally->cells);
    delta_table_fini(&tally->joint);
    table_free(tally->seen);
    memory_free(tally->wide);
    memory_free(tally->leaf_keys);
    memory_free(tally);
}

static int32_t month_day(int32_t day)
{
    return calendar_day(calendar_month_first(calendar_date(day)));
}

/* Declarations come roughly in order of time: the month is mostly that of the one before. */
static int32_t month_of(struct tally *tally, int32_t day)
{
    if (day != tally->month_cache_day) {
        tally->month_cache_day = day;
        tally->month_cache = month_day(day);
    }
    return tally->month_cache;
}

/* A stated moment that no clock shows is of the first or the last hour that a key can say: 1730 or 2209. */
static uint64_t hour_word(int64_t hour)
{
    int64_t known = hour < -CELL_DAY_BIAS ? -CELL_DAY_BIAS : hour >= CELL_DAY_BIAS ? CELL_DAY_BIAS - 1 : hour;
    return cell_word0_of(0, CELL_DAY, (int32_t)known, 0);
}

/* Divides by constants: the compiler multiplies instead. */
static inline uint64_t cut_hs(uint64_t hs, uint8_t digits)
{
    switch (digits) {
    case 2:
        return hs / 100000000;
    case 4:
        return hs / 1000000;
    case 6:
        return hs / 10000;
    case 8:
        return hs / 100;
    default:
        return hs;
    }
}

/* The commodity of `digits` digits of an item whose cells are counted by `counted` digits. */
static inline uint64_t commodity_of(const struct contribution_item *item, uint8_t digits, uint8_t counted)
{
    if (!digits)
        return 0;
    return item->hs_digits < counted ? CELL_NO_HS : cut_hs(item->hs, digits) + 1;
}

/* ---- adding ---- */

static void add_wide(struct tally *tally, const struct table_key *key, const struct measures *measures)
{
    if (tally->wide_count == tally->wide_capacity) {
        tally->wide_capacity = tally->wide_capacity ? tally->wide_capacity * 2 : 16;
        tally->wide = memory_resize(tally->wide, tally->wide_capacity, sizeof tally->wide[0]);
    }
    tally->wide[tally->wide_count++] = (struct wide){*key, *measures};
}

/* What a cell of a joint sheet held goes to wide cells of its views. */
static void add_wide_joint(struct tally *tally, const struct table_key *key, const struct measures *measures)
{
    for (uint32_t left = tally->sheets[sheet_of(key)].views; left; left &= left - 1) {
        uint32_t index = (uint32_t)__builtin_ctz(left);
        struct table_key view_key = sheet_view_key(key, &tally->plan->views[index], index);
        add_wide(tally, &view_key, measures);
    }
}

/* Moves what the cell holds to a wide one first, if a sum would pass 64 bits. */
static __attribute__((noinline)) void add_with_care(struct tally *tally, struct delta_cell *cell,
                                                    const struct touch *touch)
{
    if (delta_add_checked(&cell->sums, touch->sum, touch->declarations))
        return;
    struct measures measures;
    delta_measures(&cell->sums, &measures);
    if (touch->joint)
        add_wide_joint(tally, &cell->key, &measures);
    else
        add_wide(tally, &cell->key, &measures);
    cell->sums = (struct delta){0};
    bool added = delta_add_checked(&cell->sums, touch->sum, touch->declarations);
    CHECK(added); /* to an empty cell */
}

static inline struct delta_table *table_of(struct tally *tally, const struct touch *touch)
{
    return touch->joint ? &tally->joint : &tally->cells;
}

static void add_listed(struct tally *tally)
{
    for (uint32_t i = 0; i < tally->touch_count; i++) {
        const struct touch *touch = &tally->touches[i];
        delta_table_prefetch_cell(table_of(tally, touch), touch->hash);
    }
    for (uint32_t i = 0; i < tally->touch_count; i++) {
        const struct touch *touch = &tally->touches[i];
        struct delta_cell *cell = delta_table_put(table_of(tally, touch), &touch->key, touch->hash);
        if (__builtin_expect(tally->checks, 0))
            add_with_care(tally, cell, touch);
        else
            delta_add(&cell->sums, touch->sum, touch->declarations);
    }
    tally->touch_count = 0;
    tally->sum_count = 1;
}

static inline void touch_cell(struct tally *tally, const struct table_key *key, const struct delta *sum,
                              int declarations, bool joint)
{
    uint32_t hash = delta_hash(key);
    struct touch *touch = &tally->touches[tally->touch_count++];
    *touch = (struct touch){*key, sum, hash, (int8_t)declarations, joint};
    delta_table_prefetch(table_of(tally, touch), hash);
}

/* For the touches of one more declaration of few items, or of one item. */
static inline void make_room(struct tally *tally)
{
    if (tally->touch_count >= LISTED_FULL || tally->sum_count >= LISTED_FULL)
        add_listed(tally);
}

/* ---- derived views: one declaration is taken back for each leaf cell that is not the first to fall into a cell ---- */

/* Word 0 of a cell of the declaration, without the commodity. */
static inline uint64_t word0_of_view(const struct listing *listing, const struct view *view, uint32_t index)
{
    return (uint64_t)index << 58 | (uint64_t)view_cell_kind(view) << CELL_KIND_BIT | listing->times[view->grain];
}

/* `firsts`: an item of each distinct cell of the sheet. */
static void correct_few(struct tally *tally, const struct listing *listing, const struct sheet *sheet,
                        const uint8_t *firsts, uint32_t count)
{
    for (uint32_t left = sheet->derived; left; left &= left - 1) {
        uint32_t index = (uint32_t)__builtin_ctz(left);
        const struct view *view = &tally->plan->views[index];
        uint64_t commodities[FEW_ITEMS];
        uint64_t words3[FEW_ITEMS];
        for (uint32_t i = 0; i < count; i++) {
            const struct contribution_item *item = &listing->contribution->items[firsts[i]];
            commodities[i] = commodity_of(item, view->hs_digits, sheet->hs_digits);
            words3[i] = listing->word3[firsts[i]] & view->mask.word3;
            uint32_t same = 0;
            while (same < i && (commodities[same] != commodities[i] || words3[same] != words3[i]))
                same++;
            if (same == i)
                continue;
            struct table_key key = {{word0_of_view(listing, view, index) | commodities[i],
                                     listing->word1 & view->mask.word1, listing->word2 & view->mask.word2, words3[i]}};
            touch_cell(tally, &key, &tally->sums[0], -listing->sign, false);
        }
    }
}

static void remember_leaf(struct tally *tally, const struct table_key *key)
{
    if (tally->leaf_count == tally->leaf_capacity) {
        tally->leaf_capacity *= 2;
        tally->leaf_keys = memory_resize(tally->leaf_keys, tally->leaf_capacity, sizeof tally->leaf_keys[0]);
    }
    tally->leaf_keys[tally->leaf_count++] = *key;
}

/* The same of the cells in leaf_keys, through a table. */
static void correct_many(struct tally *tally, const struct sheet *sheet, int sign)
{
    for (uint32_t left = sheet->derived; left; left &= left - 1) {
        uint32_t index = (uint32_t)__builtin_ctz(left);
        bool month = tally->plan->views[index].grain == GRAIN_MONTH;
        table_clear(tally->seen);
        for (uint32_t i = 0; i < tally->leaf_count; i++) {
            make_room(tally);
            struct table_key key = tally_derive(tally->plan, &tally->leaf_keys[i], index, month);
            bool is_first;
            table_put(tally->seen, &key, table_hash(&key), &is_first);
            if (!is_first)
                touch_cell(tally, &key, &tally->sums[0], -sign, false);
        }
    }
    tally->leaf_count = 0;
}

/* ---- all flows together: one declaration is taken back for each flow that is not the first in what differs in nothing else ---- */

static bool has_flows(const struct contribution *contribution)
{
    unsigned differ = 0;
    for (uint32_t i = 1; i < contribution->item_count; i++)
        differ |= contribution->items[i].flow ^ contribution->items[0].flow;
    return differ != 0;
}

static inline uint64_t word3_of(const struct contribution *contribution, const struct contribution_item *item)
{
    return cell_word3(item->partner, item->consignment, item->region, item->flow, contribution->mode);
}

/* Hardly any declaration has goods of several flows: returned ones among others. */
static __attribute__((noinline)) void correct_flows(struct tally *tally, const struct listing *listing)
{
    const struct contribution *contribution = listing->contribution;
    for (uint32_t left = tally->totals; left; left &= left - 1) {
        uint32_t index = (uint32_t)__builtin_ctz(left);
        const struct view *view = &tally->plan->views[index];
        uint8_t counted = tally->plan->views[view->leaf].hs_digits;
        table_clear(tally->seen);
        for (uint32_t i = 0; i < contribution->item_count; i++) {
            const struct contribution_item *item = &contribution->items[i];
            make_room(tally);
            struct table_key key = {{word0_of_view(listing, view, index) | commodity_of(item, view->hs_digits, counted),
                                     listing->word1 & view->mask.word1, listing->word2 & view->mask.word2,
                                     word3_of(contribution, item) & view->mask.word3}};
            struct table_key total = period_with_flow(&key, FLOW_T);
            bool is_new;
            bool is_first;
            table_put(tally->seen, &key, table_hash(&key), &is_new);
            if (!is_new)
                continue;
            table_put(tally->seen, &total, table_hash(&total), &is_first);
            if (!is_first)
                touch_cell(tally, &total, &tally->sums[0], -listing->sign, false);
        }
    }
}

/* ---- listing ---- */

static inline void sum_of_item(const struct contribution *contribution, const struct contribution_item *item, int sign,
                               struct delta *out)
{
    int32_t warned = contribution->warned ? sign : 0;
    int32_t late = contribution->late ? sign : 0;
    int64_t estimated = item->estimated ? item->net_mass_mg * sign : 0;
    out->pairs[VALUE_AND_MASS] = (two_amounts){item->value_minor * sign, item->net_mass_mg * sign};
    out->pairs[GROSS_AND_CUSTOMS] =
        (two_amounts){item->gross_mass_mg * sign, (item->customs_value_minor - item->value_minor) * sign};
    out->pairs[SUPPLEMENTARY_AND_ESTIMATED] = (two_amounts){item->supp_quantity_micro * sign, estimated};
    out->counts = (four_counts){0, sign, warned, late};
    out->packages = (int64_t)item->packages * sign;
}

static inline struct table_key key_of(const struct listing *listing, const struct sheet *sheet, uint64_t word3,
                                      uint64_t commodity)
{
    return (struct table_key){{sheet->word0 | listing->times[sheet->grain] | commodity, listing->word1 & sheet->word1,
                               listing->word2 & sheet->word2, word3 & sheet->word3}};
}

/* to += from; false if that may pass 64 bits. */
static inline bool add_sum(const struct tally *tally, struct delta *to, const struct delta *from)
{
    if (__builtin_expect(tally->checks, 0))
        return delta_add_checked(to, from, 0);
    delta_add(to, from, 0);
    return true;
}

/* The sum of items begin .. end - 1; NULL if it passes 64 bits. */
static inline const struct delta *sum_of_run(struct tally *tally, const struct listing *listing, uint32_t begin,
                                             uint32_t end)
{
    if (end - begin == 1)
        return &listing->sums[begin];
    if (listing->total && end - begin == listing->contribution->item_count)
        return listing->total;
    struct delta *sum = &tally->sums[tally->sum_count];
    *sum = listing->sums[begin];
    for (uint32_t i = begin + 1; i < end; i++) {
        if (!add_sum(tally, sum, &listing->sums[i]))
            return NULL;
    }
    tally->sum_count++;
    return sum;
}

/* Whether no touch of this sheet from `first` on is of this cell. */
static inline bool is_new_cell(const struct tally *tally, uint32_t first, const struct table_key *key)
{
    for (uint32_t i = first; i < tally->touch_count; i++) {
        const struct table_key *other = &tally->touches[i].key;
        if (other->word[0] == key->word[0] &&
            other->word[3] == key->word[3]) /* the other words are the declaration's */
            return false;
    }
    return true;
}

/* The commodities of the items, in a sheet of so many digits. Sheets beside each other often have the same. */
static inline const uint64_t *commodities_of(struct listing *listing, uint8_t digits)
{
    static const uint64_t none[FEW_ITEMS];
    if (!digits)
        return none;
    const struct contribution *contribution = listing->contribution;
    for (uint32_t i = 0; digits != listing->digits && i < contribution->item_count; i++)
        listing->commodities[i] = commodity_of(&contribution->items[i], digits, digits);
    listing->digits = digits;
    return listing->commodities;
}

/* Lists a sheet's cells; items beside each other that fall into the same one share a touch. */
static void list_few(struct tally *tally, struct listing *listing, const struct sheet *sheet)
{
    const uint64_t *commodities = commodities_of(listing, sheet->hs_digits);
    uint32_t count = listing->contribution->item_count;
    uint32_t first = tally->touch_count;
    uint8_t firsts[FEW_ITEMS];
    uint32_t distinct = 0;
    for (uint32_t begin = 0; begin < count;) {
        struct table_key key = key_of(listing, sheet, listing->word3[begin], commodities[begin]);
        uint32_t end = begin + 1;
        while (end < count && (listing->word3[end] & sheet->word3) == key.word[3] &&
               commodities[end] == commodities[begin])
            end++;
        const struct delta *sum = sum_of_run(tally, listing, begin, end);
        if (!sum) {
            end = begin + 1;
            sum = &listing->sums[begin];
        }
        bool is_new = is_new_cell(tally, first, &key);
        touch_cell(tally, &key, sum, is_new ? listing->sign : 0, sheet->is_joint);
        if (is_new)
            firsts[distinct++] = (uint8_t)begin;
        begin = end;
    }
    if (distinct > 1 && sheet->derived)
        correct_few(tally, listing, sheet, firsts, distinct);
}

/* Declarations of many items: a touch for each, and a table to know the cells that were there. */
static void list_many(struct tally *tally, const struct listing *listing, const struct sheet *sheet)
{
    const struct contribution *contribution = listing->contribution;
    table_clear(tally->seen);
    for (uint32_t i = 0; i < contribution->item_count; i++) {
        const struct contribution_item *item = &contribution->items[i];
        make_room(tally);
        struct table_key key = key_of(listing, sheet, word3_of(contribution, item),
                                      commodity_of(item, sheet->hs_digits, sheet->hs_digits));
        bool is_new;
        table_put(tally->seen, &key, table_hash(&key), &is_new);
        struct delta *sum = &tally->sums[tally->sum_count++];
        sum_of_item(contribution, item, listing->sign, sum);
        touch_cell(tally, &key, sum, is_new ? listing->sign : 0, sheet->is_joint);
        if (is_new && sheet->derived)
            remember_leaf(tally, &key);
    }
    correct_many(tally, sheet, listing->sign);
}

/* Most declarations: one item, a touch a sheet. */
static void list_one(struct tally *tally, struct listing *listing)
{
    for (uint32_t i = 0; i < tally->sheet_count; i++) {
        const struct sheet *sheet = &tally->sheets[i];
        struct table_key key = key_of(listing, sheet, listing->word3[0], commodities_of(listing, sheet->hs_digits)[0]);
        touch_cell(tally, &key, listing->sums, listing->sign, sheet->is_joint);
    }
}

/* The sums of the items and of all together; what their keys have in common. */
static inline void list_sums(struct tally *tally, struct listing *listing)
{
    const struct contribution *contribution = listing->contribution;
    uint32_t count = contribution->item_count;
    listing->sums = &tally->sums[tally->sum_count];
    for (uint32_t i = 0; i < count; i++) {
        const struct contribution_item *item = &contribution->items[i];
        sum_of_item(contribution, item, listing->sign, &tally->sums[tally->sum_count++]);
        listing->word3[i] = word3_of(contribution, item);
    }
    listing->total = sum_of_run(tally, listing, 0, count);
}

/* Adds to what sums can come to; a negative amount, which no rule should let through, ends the reckoning. */
static inline void reach_further(struct tally *tally, const struct contribution *contribution)
{
    uint64_t reach = tally->reach;
    uint64_t all = 0;
    for (uint32_t i = 0; i < contribution->item_count; i++) {
        const struct contribution_item *item = &contribution->items[i];
        uint64_t amounts = (uint64_t)(item->value_minor | item->customs_value_minor | item->net_mass_mg |
                                      item->gross_mass_mg | item->supp_quantity_micro);
        all |= amounts | reach;
        reach += amounts & (REACH_MOST - 1);
    }
    tally->reach = reach;
    tally->checks = tally->checks || (all | reach) >= REACH_MOST;
}

static void move_control(struct tally_control *control, const struct listing *listing)
{
    const struct contribution *contribution = listing->contribution;
    int sign = listing->sign;
    control->items += (int64_t)contribution->item_count * sign;
    if (listing->total) {
        control->value_minor += listing->total->pairs[VALUE_AND_MASS][0];
        control->net_mass_mg += listing->total->pairs[VALUE_AND_MASS][1];
        return;
    }
    i128 value = 0;
    i128 mass = 0;
    for (uint32_t i = 0; i < contribution->item_count; i++) {
        value += contribution->items[i].value_minor;
        mass += contribution->items[i].net_mass_mg;
    }
    control->value_minor += sign > 0 ? value : -value;
    control->net_mass_mg += sign > 0 ? mass : -mass;
}

void tally_list(struct tally *tally, const struct contribution *contribution, int sign)
{
    CHECK(sign == 1 || sign == -1);
    if (contribution->item_count == 0)
        return;
    make_room(tally);
    reach_further(tally, contribution);
    struct listing listing;
    listing.contribution = contribution;
    listing.times[GRAIN_DAY] = cell_word0_of(0, CELL_DAY, contribution->day, 0);
    listing.times[GRAIN_MONTH] = cell_word0_of(0, CELL_DAY, month_of(tally, contribution->day), 0);
    int64_t hour = MUTANT(HOUR_OF_REFERENCE) ? (int64_t)contribution->day * 24 : contribution->hour;
    listing.times[GRAIN_HOUR] = tally->has_hours ? hour_word(hour) : 0;
    listing.sign = sign;
    listing.sums = NULL;
    listing.total = NULL;
    listing.digits = 0;
    listing.word1 = (uint64_t)contribution->office << 32 | contribution->border_office;
    listing.word2 = (uint64_t)contribution->zone << 32 | contribution->trade_mode;
    bool few = contribution->item_count <= FEW_ITEMS;
    if (few)
        list_sums(tally, &listing);
    move_control(&tally->control, &listing);
    if (contribution->item_count == 1) {
        list_one(tally, &listing);
    } else {
        for (uint32_t i = 0; i < tally->sheet_count; i++) {
            if (few)
                list_few(tally, &listing, &tally->sheets[i]);
            else
                list_many(tally, &listing, &tally->sheets[i]);
        }
        if (tally->totals && has_flows(contribution) && !MUTANT(TOTAL_ADDED_UP))
            correct_flows(tally, &listing);
    }
}

void tally_add(struct tally *tally, const struct contribution *contribution, int sign)
{
    tally_list(tally, contribution, sign);
    tally_flush(tally);
}

/* What the cells of joint sheets hold moves to the cells of their views. */
void tally_flush(struct tally *tally)
{
    add_listed(tally);
    for (uint32_t i = 0; i < tally->joint.count; i++) {
        const struct delta_cell *cell = &tally->joint.cells[i];
        for (uint32_t left = tally->sheets[sheet_of(&cell->key)].views; left; left &= left - 1) {
            uint32_t index = (uint32_t)__builtin_ctz(left);
            struct table_key key = sheet_view_key(&cell->key, &tally->plan->views[index], index);
            touch_cell(tally, &key, &cell->sums, 0, false);
        }
        if (tally->touch_count >= LISTED_FULL)
            add_listed(tally);
    }
    add_listed(tally);
    delta_table_clear(&tally->joint);
}

struct table_key tally_derive(const struct view_plan *plan, const struct table_key *key, uint32_t to, bool month)
{
    const struct view *view = &plan->views[to];
    uint64_t commodity = cell_commodity(key);
    if (!view->hs_digits)
        commodity = 0;
    else if (commodity != CELL_NO_HS)
        commodity = (commodity - 1) / view->mask.leaf_ratio + 1;
    int32_t time = month && !cell_is_month(key) ? month_day(cell_day(key)) : cell_day(key);
    enum cell_kind kind = month ? CELL_MONTH : (enum cell_kind)cell_kind(key);
    return (struct table_key){{cell_word0_of(to, kind, time, commodity), key->word[1] & view->mask.word1,
                               key->word[2] & view->mask.word2, key->word[3] & view->mask.word3}};
}

/* ---- looking ---- */

uint32_t tally_cells_most(const struct tally *tally)
{
    return tally->cells.count + tally->joint.count * tally->views_most + tally->wide_count;
}

uint32_t tally_count(const struct tally *tally)
{
    CHECK(tally->touch_count == 0 && tally->joint.count == 0); /* tally_flush */
    return tally->cells.count + tally->wide_count;
}

const struct table_key *tally_key(const struct tally *tally, uint32_t index)
{
    uint32_t narrow = tally->cells.count;
    return index < narrow ? &tally->cells.cells[index].key : &tally->wide[index - narrow].key;
}

void tally_measures(const struct tally *tally, uint32_t index, struct measures *out)
{
    uint32_t narrow = tally->cells.count;
    if (index < narrow)
        delta_measures(&tally->cells.cells[index].sums, out);
    else
        *out = tally->wide[index - narrow].measures;
    if (tally->plan->views[cell_view(tally_key(tally, index))].hs_digits < 6)
        out->supp_quantity_micro = 0; /* of many units */
}

struct tally_control tally_control(const struct tally *tally)
{
    return tally->control;
}

void tally_set_control(struct tally *tally, const struct tally_control *control)
{
    tally->control = *control;
}

void tally_clear(struct tally *tally)
{
    delta_table_clear(&tally->cells);
    delta_table_clear(&tally->joint);
    tally->wide_count = 0;
    tally->touch_count = 0;
    tally->sum_count = 1;
    tally->reach = 0;
    tally->checks = false;
}
