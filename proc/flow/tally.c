/* SPDX-License-Identifier: Apache-2.0
 *
 * A declaration touches about nine cells that lie anywhere in a table of megabytes. So its touches are first listed and their
 * slots asked for, then found and their entries asked for, then added to: the cache misses overlap instead of adding up.
 */
#include "flow/tally.h"

#include "base/check.h"
#include "base/memory.h"
#include "trade/calendar.h"

#include <string.h>

enum { EXPECTED_CELLS = 1 << 14, TOUCHES_MOST = 256, LEAF_KEYS_FIRST = 64, FEW_LEAVES = 8 };

/* Measures of one frame in 64 bits. What would pass them is moved to a list of wide cells, see spill. With the 32 bytes of the key
 * the first line holds what every item adds to. */
struct delta {
    int64_t value_minor;
    int64_t customs_value_minor;
    int64_t net_mass_mg;
    int64_t gross_mass_mg;
    int64_t supp_quantity_micro;
    int64_t estimated_mg;
    int64_t packages;
    int32_t declarations;
    int32_t items;
    int32_t warned_items;
    int32_t late_items;
    uint32_t stamp; /* the last tally_add that touched it: a declaration counts once a cell */
};

struct wide {
    struct table_key key;
    struct measures measures;
};

/* A cell, and the items beside each other that fall into it. */
struct touch {
    struct table_key key;
    uint64_t hash;
    uint32_t view;
    uint32_t item_first;
    uint32_t item_count;
};

struct tally {
    const struct view_plan *plan;
    uint32_t leaves[VIEWS_MOST];
    uint32_t leaf_views;
    struct table *table; /* of struct delta */
    uint32_t serial;
    struct tally_control control;
    struct wide *wide;
    uint32_t wide_count;
    uint32_t wide_capacity;
    int32_t month_cache_day;
    int32_t month_cache;
    /* scratch of one tally_add */
    struct touch touches[TOUCHES_MOST];
    uint32_t touch_count;
    struct table_key *leaf_keys; /* distinct cells of `leaf_view` that the declaration fell into */
    uint32_t leaf_count;
    uint32_t leaf_capacity;
    uint32_t leaf_view;
    struct table *derived_seen;
};

struct tally *tally_new(const struct view_plan *plan)
{
    struct tally *tally = memory_new(1, sizeof *tally);
    tally->plan = plan;
    tally->table = table_new_with_values(EXPECTED_CELLS, sizeof(struct delta));
    tally->leaf_capacity = LEAF_KEYS_FIRST;
    tally->leaf_keys = memory_new(tally->leaf_capacity, sizeof tally->leaf_keys[0]);
    tally->derived_seen = table_new(LEAF_KEYS_FIRST);
    tally->month_cache_day = INT32_MIN;
    for (uint32_t view = 0; view < plan->count; view++) {
        if (plan->views[view].leaf == view)
            tally->leaves[tally->leaf_views++] = view;
    }
    return tally;
}

void tally_free(struct tally *tally)
{
    if (!tally)
        return;
    table_free(tally->table);
    table_free(tally->derived_seen);
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

static uint64_t commodity_of(const struct view *view, const struct contribution_item *item)
{
    if (!view->hs_digits)
        return 0;
    return item->hs_digits < view->hs_digits ? CELL_NO_HS : item->hs / view->mask.hs_divisor + 1;
}

static void to_measures(const struct delta *delta, struct measures *out)
{
    *out = (struct measures){
        .value_minor = delta->value_minor,
        .customs_value_minor = delta->customs_value_minor,
        .net_mass_mg = delta->net_mass_mg,
        .gross_mass_mg = delta->gross_mass_mg,
        .supp_quantity_micro = delta->supp_quantity_micro,
        .estimated_mg = delta->estimated_mg,
        .declarations = delta->declarations,
        .items = delta->items,
        .packages = delta->packages,
        .warned_items = delta->warned_items,
        .late_items = delta->late_items,
    };
}

/* Moves what the delta holds to a wide cell of its own. */
static void spill(struct tally *tally, const struct table_key *key, struct delta *delta)
{
    if (tally->wide_count == tally->wide_capacity) {
        tally->wide_capacity = tally->wide_capacity ? tally->wide_capacity * 2 : 16;
        tally->wide = memory_resize(tally->wide, tally->wide_capacity, sizeof tally->wide[0]);
    }
    struct wide *wide = &tally->wide[tally->wide_count++];
    wide->key = *key;
    to_measures(delta, &wide->measures);
    uint32_t stamp = delta->stamp;
    memset(delta, 0, sizeof *delta);
    delta->stamp = stamp;
}

/* Adds or subtracts in 64 bits. True if a sum passed them; the sums are then modulo 2^64, and the opposite call undoes it. */
static bool add_sums(struct delta *delta, const struct contribution_item *item, bool with_supplementary)
{
    bool over = __builtin_add_overflow(delta->value_minor, item->value_minor, &delta->value_minor);
    over |= __builtin_add_overflow(delta->customs_value_minor, item->customs_value_minor, &delta->customs_value_minor);
    over |= __builtin_add_overflow(delta->net_mass_mg, item->net_mass_mg, &delta->net_mass_mg);
    over |= __builtin_add_overflow(delta->gross_mass_mg, item->gross_mass_mg, &delta->gross_mass_mg);
    if (with_supplementary && item->supp_quantity_micro)
        over |=
            __builtin_add_overflow(delta->supp_quantity_micro, item->supp_quantity_micro, &delta->supp_quantity_micro);
    if (item->estimated)
        over |= __builtin_add_overflow(delta->estimated_mg, item->net_mass_mg, &delta->estimated_mg);
    return over;
}

static bool subtract_sums(struct delta *delta, const struct contribution_item *item, bool with_supplementary)
{
    bool over = __builtin_sub_overflow(delta->value_minor, item->value_minor, &delta->value_minor);
    over |= __builtin_sub_overflow(delta->customs_value_minor, item->customs_value_minor, &delta->customs_value_minor);
    over |= __builtin_sub_overflow(delta->net_mass_mg, item->net_mass_mg, &delta->net_mass_mg);
    over |= __builtin_sub_overflow(delta->gross_mass_mg, item->gross_mass_mg, &delta->gross_mass_mg);
    if (with_supplementary && item->supp_quantity_micro)
        over |=
            __builtin_sub_overflow(delta->supp_quantity_micro, item->supp_quantity_micro, &delta->supp_quantity_micro);
    if (item->estimated)
        over |= __builtin_sub_overflow(delta->estimated_mg, item->net_mass_mg, &delta->estimated_mg);
    return over;
}

static bool move_sums(struct delta *delta, const struct contribution_item *item, int sign, bool with_supplementary)
{
    return sign > 0 ? add_sums(delta, item, with_supplementary) : subtract_sums(delta, item, with_supplementary);
}

static void add_item(struct tally *tally, const struct touch *touch, struct delta *delta,
                     const struct contribution_item *item, int sign)
{
    bool with_supplementary = tally->plan->views[touch->view].hs_digits >= 6;
    if (__builtin_expect(move_sums(delta, item, sign, with_supplementary), 0)) {
        move_sums(delta, item, -sign, with_supplementary);
        spill(tally, &touch->key, delta);
        bool over = move_sums(delta, item, sign, with_supplementary);
        CHECK(!over); /* amounts are not negative (STR-014), so none of them is too large for an empty delta */
    }
    delta->packages += (int64_t)item->packages * sign;
}

static struct delta *delta_at(struct tally *tally, const struct table_key *key)
{
    bool added;
    uint32_t index = table_put(tally->table, key, table_hash(key), &added);
    return table_value(tally->table, index);
}

/* Few cells are compared with each other, many go through a table. */
static bool is_first(struct tally *tally, const struct table_key *keys, uint32_t index)
{
    if (tally->leaf_count > FEW_LEAVES) {
        bool first;
        table_put(tally->derived_seen, &keys[index], table_hash(&keys[index]), &first);
        return first;
    }
    for (uint32_t i = 0; i < index; i++) {
        if (table_key_equal(&keys[i], &keys[index]))
            return false;
    }
    return true;
}

/* Takes one declaration back from the derived cell for each leaf cell that is not the first to fall into it. */
static void correct_view(struct tally *tally, uint32_t view, int sign)
{
    bool month = tally->plan->views[view].grain == GRAIN_MONTH;
    if (tally->leaf_count > FEW_LEAVES)
        table_clear(tally->derived_seen);
    struct table_key keys[FEW_LEAVES];
    struct table_key one;
    for (uint32_t i = 0; i < tally->leaf_count; i++) {
        bool few = tally->leaf_count <= FEW_LEAVES;
        struct table_key *key = few ? &keys[i] : &one;
        *key = tally_derive(tally->plan, &tally->leaf_keys[i], view, month);
        if (!is_first(tally, few ? keys : key, few ? i : 0))
            delta_at(tally, key)->declarations -= sign;
    }
}

static void correct_derived(struct tally *tally, int sign)
{
    for (uint32_t v = 0; tally->leaf_count > 1 && v < tally->plan->count; v++) {
        if (tally->plan->views[v].leaf == tally->leaf_view && v != tally->leaf_view)
            correct_view(tally, v, sign);
    }
    tally->leaf_count = 0;
}

static void remember_leaf(struct tally *tally, const struct touch *touch, int sign)
{
    if (touch->view != tally->leaf_view) {
        correct_derived(tally, sign);
        tally->leaf_view = touch->view;
    }
    if (tally->leaf_count == tally->leaf_capacity) {
        tally->leaf_capacity *= 2;
        tally->leaf_keys = memory_resize(tally->leaf_keys, tally->leaf_capacity, sizeof tally->leaf_keys[0]);
    }
    tally->leaf_keys[tally->leaf_count++] = touch->key;
}

static void settle_touch(struct tally *tally, const struct touch *touch, const struct contribution *contribution,
                         int sign)
{
    bool added;
    uint32_t index = table_put(tally->table, &touch->key, touch->hash, &added);
    struct delta *delta = table_value(tally->table, index);
    if (delta->stamp != tally->serial) {
        delta->stamp = tally->serial;
        delta->declarations += sign;
        if (tally->plan->views[touch->view].has_derived)
            remember_leaf(tally, touch, sign);
    }
    for (uint32_t i = 0; i < touch->item_count; i++)
        add_item(tally, touch, delta, &contribution->items[touch->item_first + i], sign);
    int32_t items = (int32_t)touch->item_count * sign;
    delta->items += items;
    delta->warned_items += contribution->warned ? items : 0;
    delta->late_items += contribution->late ? items : 0;
}

/* Adds the touches that are listed: ask for all entries, then add to each. */
static void settle_touches(struct tally *tally, const struct contribution *contribution, int sign)
{
    for (uint32_t i = 0; i < tally->touch_count; i++)
        table_prefetch_entry(tally->table, tally->touches[i].hash);
    for (uint32_t i = 0; i < tally->touch_count; i++)
        settle_touch(tally, &tally->touches[i], contribution, sign);
    tally->touch_count = 0;
}

/* Lists a view's cells: items beside each other that fall into the same one share a touch. */
static void touch_view(struct tally *tally, uint32_t index, const struct contribution *contribution, int32_t month,
                       int sign)
{
    const struct view *view = &tally->plan->views[index];
    const struct view_mask *mask = &view->mask;
    bool by_month = view->grain == GRAIN_MONTH;
    int32_t day = by_month ? month : contribution->day;
    uint64_t word1 = ((uint64_t)contribution->office << 32 | contribution->border_office) & mask->word1;
    uint64_t word2 = ((uint64_t)contribution->zone << 32 | contribution->trade_mode) & mask->word2;
    struct touch *touch = NULL;
    for (uint32_t i = 0; i < contribution->item_count; i++) {
        const struct contribution_item *item = &contribution->items[i];
        uint64_t word0 = cell_word0(index, by_month, day, commodity_of(view, item));
        uint64_t word3 =
            cell_word3(item->partner, item->consignment, item->region, item->flow, contribution->mode) & mask->word3;
        if (touch && touch->key.word[0] == word0 && touch->key.word[3] == word3) {
            touch->item_count++;
            continue;
        }
        if (tally->touch_count == TOUCHES_MOST)
            settle_touches(tally, contribution, sign);
        touch = &tally->touches[tally->touch_count++];
        *touch = (struct touch){.key = {{word0, word1, word2, word3}}, .view = index, .item_first = i, .item_count = 1};
        touch->hash = table_hash(&touch->key);
        table_prefetch(tally->table, touch->hash);
    }
}

void tally_add(struct tally *tally, const struct contribution *contribution, int sign)
{
    CHECK(sign == 1 || sign == -1);
    if (contribution->item_count == 0)
        return;
    tally->serial++;
    int32_t month = month_of(tally, contribution->day);
    for (uint32_t i = 0; i < tally->leaf_views; i++)
        touch_view(tally, tally->leaves[i], contribution, month, sign);
    settle_touches(tally, contribution, sign);
    correct_derived(tally, sign);
    for (uint32_t i = 0; i < contribution->item_count; i++) {
        tally->control.value_minor += (i128)contribution->items[i].value_minor * sign;
        tally->control.net_mass_mg += (i128)contribution->items[i].net_mass_mg * sign;
    }
    tally->control.items += (int64_t)contribution->item_count * sign;
}

struct table_key tally_derive(const struct view_plan *plan, const struct table_key *key, uint32_t to, bool month)
{
    const struct view *view = &plan->views[to];
    uint64_t commodity = cell_commodity(key);
    if (!view->hs_digits)
        commodity = 0;
    else if (commodity != CELL_NO_HS)
        commodity = (commodity - 1) / view->mask.leaf_ratio + 1;
    int32_t day = month && !cell_is_month(key) ? month_day(cell_day(key)) : cell_day(key);
    return (struct table_key){{cell_word0(to, month, day, commodity), key->word[1] & view->mask.word1,
                               key->word[2] & view->mask.word2, key->word[3] & view->mask.word3}};
}

uint32_t tally_count(const struct tally *tally)
{
    return table_count(tally->table) + tally->wide_count;
}

const struct table_key *tally_key(const struct tally *tally, uint32_t index)
{
    uint32_t narrow = table_count(tally->table);
    return index < narrow ? table_key(tally->table, index) : &tally->wide[index - narrow].key;
}

void tally_measures(const struct tally *tally, uint32_t index, struct measures *out)
{
    uint32_t narrow = table_count(tally->table);
    if (index < narrow)
        to_measures(table_value(tally->table, index), out);
    else
        *out = tally->wide[index - narrow].measures;
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
    table_clear(tally->table);
    tally->wide_count = 0;
    tally->serial = 0;
}
