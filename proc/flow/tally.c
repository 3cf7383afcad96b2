/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/tally.h"

#include "base/check.h"
#include "base/memory.h"
#include "trade/calendar.h"

#include <string.h>

enum { EXPECTED_CELLS = 1 << 14, QUADRATIC_MOST = 24 };

struct delta {
    struct measures measures;
    uint64_t stamp; /* the last tally_add that touched it: a declaration counts once a cell */
};

struct tally {
    const struct view_plan *plan;
    struct table *table;
    struct delta *deltas;
    uint32_t capacity;
    uint64_t serial;
    struct tally_control control;
    /* scratch of one tally_add: the distinct leaf cells of one view, and the derived cells they fall into */
    struct table_key *leaf_keys;
    uint32_t leaf_capacity;
    struct table *derived_seen;
};

struct tally *tally_new(const struct view_plan *plan)
{
    struct tally *tally = memory_new(1, sizeof *tally);
    tally->plan = plan;
    tally->table = table_new(EXPECTED_CELLS);
    tally->capacity = EXPECTED_CELLS;
    tally->deltas = memory_new(tally->capacity, sizeof tally->deltas[0]);
    tally->leaf_capacity = QUADRATIC_MOST;
    tally->leaf_keys = memory_new(tally->leaf_capacity, sizeof tally->leaf_keys[0]);
    tally->derived_seen = table_new(64);
    return tally;
}

void tally_free(struct tally *tally)
{
    if (!tally)
        return;
    table_free(tally->table);
    table_free(tally->derived_seen);
    memory_free(tally->deltas);
    memory_free(tally->leaf_keys);
    memory_free(tally);
}

static struct delta *delta_at(struct tally *tally, const struct table_key *key)
{
    bool added;
    uint32_t index = table_put(tally->table, key, table_hash(key), &added);
    if (index == tally->capacity) {
        tally->capacity *= 2;
        tally->deltas = memory_resize(tally->deltas, tally->capacity, sizeof tally->deltas[0]);
    }
    struct delta *delta = &tally->deltas[index];
    if (added)
        memset(delta, 0, sizeof *delta);
    return delta;
}

static int32_t month_day(int32_t day)
{
    return calendar_day(calendar_month_first(calendar_date(day)));
}

static uint64_t commodity_of(const struct view *view, const struct contribution_item *item)
{
    if (!view->hs_digits)
        return 0;
    return item->hs_digits < view->hs_digits ? CELL_NO_HS : item->hs / view->mask.hs_divisor + 1;
}

static void add_item(struct measures *to, const struct contribution *contribution, const struct contribution_item *item, int sign,
                     bool with_supplementary)
{
    to->value_minor += (i128)item->value_minor * sign;
    to->customs_value_minor += (i128)item->customs_value_minor * sign;
    to->net_mass_mg += (i128)item->net_mass_mg * sign;
    to->gross_mass_mg += (i128)item->gross_mass_mg * sign;
    if (with_supplementary)
        to->supp_quantity_micro += (i128)item->supp_quantity_micro * sign;
    if (item->estimated)
        to->estimated_mg += (i128)item->net_mass_mg * sign;
    to->items += sign;
    to->packages += (int64_t)item->packages * sign;
    to->warned_items += contribution->warned ? sign : 0;
    to->late_items += contribution->late ? sign : 0;
}

static void remember_leaf(struct tally *tally, uint32_t count, const struct table_key *key)
{
    if (count == tally->leaf_capacity) {
        tally->leaf_capacity *= 2;
        tally->leaf_keys = memory_resize(tally->leaf_keys, tally->leaf_capacity, sizeof tally->leaf_keys[0]);
    }
    tally->leaf_keys[count] = *key;
}

/* Takes one declaration back from the derived cell for each leaf cell that is not the first to fall into it. */
static void correct_declarations(struct tally *tally, uint32_t leaf, uint32_t cells, int sign)
{
    for (uint32_t v = 0; v < tally->plan->count; v++) {
        if (tally->plan->views[v].leaf != leaf || v == leaf)
            continue;
        bool month = tally->plan->views[v].grain == GRAIN_MONTH;
        table_clear(tally->derived_seen);
        for (uint32_t i = 0; i < cells; i++) {
            struct table_key derived = tally_derive(tally->plan, &tally->leaf_keys[i], v, month);
            bool first;
            table_put(tally->derived_seen, &derived, table_hash(&derived), &first);
            if (!first)
                delta_at(tally, &derived)->measures.declarations -= sign;
        }
    }
}

static void add_view(struct tally *tally, uint32_t index, const struct contribution *contribution, int32_t month, int sign)
{
    const struct view *view = &tally->plan->views[index];
    const struct view_mask *mask = &view->mask;
    struct table_key key;
    bool by_month = view->grain == GRAIN_MONTH;
    int32_t day = by_month ? month : contribution->day;
    key.word[1] = ((uint64_t)contribution->office << 32 | contribution->border_office) & mask->word1;
    key.word[2] = ((uint64_t)contribution->zone << 32 | contribution->trade_mode) & mask->word2;
    struct delta *delta = NULL;
    uint32_t cells = 0;
    for (uint32_t i = 0; i < contribution->item_count; i++) {
        const struct contribution_item *item = &contribution->items[i];
        if (mask->by_item || !delta) {
            key.word[0] = cell_word0(index, by_month, day, commodity_of(view, item));
            key.word[3] =
                cell_word3(item->partner, item->consignment, item->region, item->flow, contribution->mode) & mask->word3;
            delta = delta_at(tally, &key);
            if (delta->stamp != tally->serial) {
                delta->stamp = tally->serial;
                delta->measures.declarations += sign;
                if (view->has_derived)
                    remember_leaf(tally, cells++, &key);
            }
        }
        add_item(&delta->measures, contribution, item, sign, view->hs_digits >= 6);
    }
    if (cells > 1)
        correct_declarations(tally, index, cells, sign);
}

void tally_add(struct tally *tally, const struct contribution *contribution, int sign)
{
    CHECK(sign == 1 || sign == -1);
    tally->serial++;
    if (contribution->item_count == 0)
        return;
    int32_t month = month_day(contribution->day);
    for (uint32_t view = 0; view < tally->plan->count; view++) {
        if (tally->plan->views[view].leaf == view)
            add_view(tally, view, contribution, month, sign);
    }
    for (uint32_t i = 0; i < contribution->item_count; i++) {
        tally->control.value_minor += (i128)contribution->items[i].value_minor * sign;
        tally->control.net_mass_mg += (i128)contribution->items[i].net_mass_mg * sign;
    }
    tally->control.items += (int64_t)contribution->item_count * sign;
}

struct table_key tally_derive(const struct view_plan *plan, const struct table_key *key, uint32_t to, bool month)
{
    const struct view *from = &plan->views[cell_view(key)];
    const struct view *view = &plan->views[to];
    uint64_t commodity = cell_commodity(key);
    if (!view->hs_digits)
        commodity = 0;
    else if (commodity != CELL_NO_HS)
        commodity = (commodity - 1) / (view->mask.hs_divisor / from->mask.hs_divisor) + 1;
    int32_t day = month && !cell_is_month(key) ? month_day(cell_day(key)) : cell_day(key);
    return (struct table_key){{cell_word0(to, month, day, commodity), key->word[1] & view->mask.word1,
                               key->word[2] & view->mask.word2, key->word[3] & view->mask.word3}};
}

uint32_t tally_count(const struct tally *tally)
{
    return table_count(tally->table);
}

const struct table_key *tally_key(const struct tally *tally, uint32_t index)
{
    return table_key(tally->table, index);
}

const struct measures *tally_measures(const struct tally *tally, uint32_t index)
{
    return &tally->deltas[index].measures;
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
}

size_t tally_bytes(const struct tally *tally)
{
    return sizeof *tally + table_bytes(tally->table) + (size_t)tally->capacity * sizeof tally->deltas[0];
}
