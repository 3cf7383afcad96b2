/* SPDX-License-Identifier: Apache-2.0
 *
 * A declaration touches about nine cells that lie anywhere in a table of megabytes. So the touches of some dozen declarations are
 * first listed and their slots asked for, then all their entries asked for, then added to: the cache misses overlap instead of
 * adding up. What a touch adds is summed once a declaration and shared by all views whose cell takes the same items.
 */
#include "flow/tally.h"

#include "base/check.h"
#include "base/memory.h"
#include "trade/calendar.h"

#include <string.h>

enum {
    EXPECTED_CELLS = 1 << 14,
    LEAF_KEYS_FIRST = 64,
    FEW_LEAVES = 8,
    FEW_ITEMS = 16,    /* declarations of so many items go the fast way */
    LISTED_FULL = 256, /* listed touches, or their sums, are added when there are so many */
    TOUCHES_MOST = LISTED_FULL + FEW_ITEMS * VIEWS_MOST,
    SUMS_MOST = TOUCHES_MOST + FEW_ITEMS + 1, /* a declaration's items, all together, and runs, fewer than touches */
    NO_SUM = UINT16_MAX,
};

typedef int64_t two_amounts __attribute__((vector_size(16)));
typedef uint64_t two_words __attribute__((vector_size(16)));
typedef int32_t four_counts __attribute__((vector_size(16)));

enum { VALUE_AND_MASS, GROSS_AND_CUSTOMS, SUPPLEMENTARY_AND_ESTIMATED, PAIRS };
enum { DECLARATIONS, ITEMS, WARNED, LATE };

/* Measures of one frame in 64 bits, side by side as vectors take them. What would pass 64 bits is moved to a list of wide cells, see
 * spill. Customs value is kept as what it differs from the statistical value. */
struct delta {
    two_amounts pairs[PAIRS];
    four_counts counts;
    int64_t packages;
};

struct wide {
    struct table_key key;
    struct measures measures;
};

/* A cell, and what is added to it. */
struct touch {
    struct table_key key;
    uint64_t hash;
    uint16_t sum; /* in tally.sums */
    int8_t declarations;
    bool with_supplementary;
};

/* Of the declaration that is being listed: what its keys are made of. */
struct listing {
    const struct contribution *contribution;
    int32_t month;
    int sign;
    uint16_t first_sum; /* sums of the single items, in order; then that of all, if there is one */
    bool has_total;
    uint64_t word1;
    uint64_t word2;
    uint64_t word3[FEW_ITEMS];
};

struct tally {
    const struct view_plan *plan;
    uint32_t leaves[VIEWS_MOST];
    uint32_t leaf_views;
    struct table *table; /* of struct delta */
    struct tally_control control;
    struct wide *wide;
    uint32_t wide_count;
    uint32_t wide_capacity;
    int32_t month_cache_day;
    int32_t month_cache;
    /* listed, not yet added */
    uint32_t touch_count;
    uint32_t sum_count;
    struct touch touches[TOUCHES_MOST];
    struct delta sums[SUMS_MOST];
    /* scratch of one leaf view of one declaration */
    struct table_key *leaf_keys; /* its distinct cells, if views derive from it */
    uint32_t leaf_count;
    uint32_t leaf_capacity;
    struct table *seen;
};

struct tally *tally_new(const struct view_plan *plan)
{
    struct tally *tally = memory_new(1, sizeof *tally);
    tally->plan = plan;
    tally->table = table_new_with_values(EXPECTED_CELLS, sizeof(struct delta));
    tally->leaf_capacity = LEAF_KEYS_FIRST;
    tally->leaf_keys = memory_new(tally->leaf_capacity, sizeof tally->leaf_keys[0]);
    tally->seen = table_new(LEAF_KEYS_FIRST);
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

static inline uint64_t commodity_of(const struct view *view, const struct contribution_item *item)
{
    if (!view->hs_digits)
        return 0;
    return item->hs_digits < view->hs_digits ? CELL_NO_HS : cut_hs(item->hs, view->hs_digits) + 1;
}

static void to_measures(const struct delta *delta, struct measures *out)
{
    *out = (struct measures){
        .value_minor = delta->pairs[VALUE_AND_MASS][0],
        .customs_value_minor = (i128)delta->pairs[VALUE_AND_MASS][0] + delta->pairs[GROSS_AND_CUSTOMS][1],
        .net_mass_mg = delta->pairs[VALUE_AND_MASS][1],
        .gross_mass_mg = delta->pairs[GROSS_AND_CUSTOMS][0],
        .supp_quantity_micro = delta->pairs[SUPPLEMENTARY_AND_ESTIMATED][0],
        .estimated_mg = delta->pairs[SUPPLEMENTARY_AND_ESTIMATED][1],
        .declarations = delta->counts[DECLARATIONS],
        .items = delta->counts[ITEMS],
        .packages = delta->packages,
        .warned_items = delta->counts[WARNED],
        .late_items = delta->counts[LATE],
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
    memset(delta, 0, sizeof *delta);
}

/* to += from. False, with *to as it was, if a sum would pass 64 bits. Counts can't: a group ends long before. */
static inline bool add_sums(struct delta *to, const struct delta *from, bool with_supplementary)
{
    const two_amounts mask = {with_supplementary ? -1 : 0, -1};
    const two_amounts add[PAIRS] = {from->pairs[0], from->pairs[1], from->pairs[2] & mask};
    two_amounts sum[PAIRS];
    two_amounts over = {0, 0};
    for (int i = 0; i < PAIRS; i++) {
        sum[i] = (two_amounts)((two_words)to->pairs[i] + (two_words)add[i]);
        over |=
            (to->pairs[i] ^ sum[i]) & (add[i] ^ sum[i]); /* a sign that differs from that of both: it passed 64 bits */
    }
    if (__builtin_expect((over[0] | over[1]) < 0, 0))
        return false;
    for (int i = 0; i < PAIRS; i++)
        to->pairs[i] = sum[i];
    to->counts += from->counts;
    to->packages += from->packages;
    return true;
}

void tally_flush(struct tally *tally)
{
    for (uint32_t i = 0; i < tally->touch_count; i++)
        table_prefetch_entry(tally->table, tally->touches[i].hash);
    for (uint32_t i = 0; i < tally->touch_count; i++) {
        const struct touch *touch = &tally->touches[i];
        const struct delta *sum = &tally->sums[touch->sum];
        struct delta *delta = table_put_value(tally->table, &touch->key, touch->hash);
        if (!add_sums(delta, sum, touch->with_supplementary)) {
            spill(tally, &touch->key, delta);
            bool added = add_sums(delta, sum, touch->with_supplementary);
            CHECK(added); /* to an empty delta */
        }
        delta->counts[DECLARATIONS] += touch->declarations;
    }
    tally->touch_count = 0;
    tally->sum_count = 0;
}

/* For the touches of one more declaration of few items, or of one item. */
static void make_room(struct tally *tally)
{
    if (tally->touch_count >= LISTED_FULL || tally->sum_count >= LISTED_FULL)
        tally_flush(tally);
}

/* ---- derived views ---- */

/* Few cells are compared with each other, many go through a table. */
static bool is_first(struct tally *tally, const struct table_key *keys, uint32_t index)
{
    if (tally->leaf_count > FEW_LEAVES) {
        bool first;
        table_put(tally->seen, &keys[index], table_hash(&keys[index]), &first);
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
        table_clear(tally->seen);
    struct table_key keys[FEW_LEAVES];
    struct table_key one;
    for (uint32_t i = 0; i < tally->leaf_count; i++) {
        bool few = tally->leaf_count <= FEW_LEAVES;
        struct table_key *key = few ? &keys[i] : &one;
        *key = tally_derive(tally->plan, &tally->leaf_keys[i], view, month);
        if (is_first(tally, few ? keys : key, few ? i : 0))
            continue;
        struct delta *delta = table_put_value(tally->table, key, table_hash(key));
        delta->counts[DECLARATIONS] -= sign;
    }
}

static void correct_derived(struct tally *tally, uint32_t leaf, int sign)
{
    for (uint32_t v = 0; tally->leaf_count > 1 && v < tally->plan->count; v++) {
        if (tally->plan->views[v].leaf == leaf && v != leaf)
            correct_view(tally, v, sign);
    }
    tally->leaf_count = 0;
}

static void remember_leaf(struct tally *tally, const struct table_key *key)
{
    if (tally->leaf_count == tally->leaf_capacity) {
        tally->leaf_capacity *= 2;
        tally->leaf_keys = memory_resize(tally->leaf_keys, tally->leaf_capacity, sizeof tally->leaf_keys[0]);
    }
    tally->leaf_keys[tally->leaf_count++] = *key;
}

/* ---- listing ---- */

static void sum_of_item(const struct contribution *contribution, const struct contribution_item *item, int sign,
                        struct delta *out)
{
    int32_t warned = contribution->warned ? sign : 0;
    int32_t late = contribution->late ? sign : 0;
    int64_t estimated = item->estimated ? item->net_mass_mg * sign : 0;
    *out = (struct delta){
        .pairs = {{item->value_minor * sign, item->net_mass_mg * sign},
                  {item->gross_mass_mg * sign, (item->customs_value_minor - item->value_minor) * sign},
                  {item->supp_quantity_micro * sign, estimated}},
        .counts = {0, sign, warned, late},
        .packages = (int64_t)item->packages * sign,
    };
}

static uint64_t word3_of(const struct contribution *contribution, const struct contribution_item *item)
{
    return cell_word3(item->partner, item->consignment, item->region, item->flow, contribution->mode);
}

/* The cell of a view for item `index`. */
static inline struct table_key key_of(const struct listing *listing, uint32_t index, const struct view *view,
                                      uint64_t word3, const struct contribution_item *item)
{
    bool by_month = view->grain == GRAIN_MONTH;
    int32_t day = by_month ? listing->month : listing->contribution->day;
    return (struct table_key){{cell_word0(index, by_month, day, commodity_of(view, item)),
                               listing->word1 & view->mask.word1, listing->word2 & view->mask.word2,
                               word3 & view->mask.word3}};
}

static inline void touch_cell(struct tally *tally, const struct table_key *key, uint32_t sum, int declarations,
                              bool with_supplementary)
{
    uint64_t hash = table_hash(key);
    table_prefetch(tally->table, hash);
    tally->touches[tally->touch_count++] =
        (struct touch){*key, hash, (uint16_t)sum, (int8_t)declarations, with_supplementary};
}

/* The sum of items begin .. end - 1; NO_SUM if it passes 64 bits. */
static uint32_t sum_of_run(struct tally *tally, const struct listing *listing, uint32_t begin, uint32_t end)
{
    if (end - begin == 1)
        return listing->first_sum + begin;
    if (listing->has_total && end - begin == listing->contribution->item_count)
        return listing->first_sum + end;
    struct delta *sum = &tally->sums[tally->sum_count];
    *sum = tally->sums[listing->first_sum + begin];
    for (uint32_t i = begin + 1; i < end; i++) {
        if (!add_sums(sum, &tally->sums[listing->first_sum + i], true))
            return NO_SUM;
    }
    return tally->sum_count++;
}

/* Whether no touch of this view from `first` on is of this cell. */
static bool is_new_cell(const struct tally *tally, uint32_t first, const struct table_key *key)
{
    for (uint32_t i = first; i < tally->touch_count; i++) {
        const struct table_key *other = &tally->touches[i].key;
        if (other->word[0] == key->word[0] &&
            other->word[3] == key->word[3]) /* the other words are the declaration's */
            return false;
    }
    return true;
}

/* Lists a view's cells; items beside each other that fall into the same one share a touch. */
static inline void list_view(struct tally *tally, const struct listing *listing, uint32_t index)
{
    const struct contribution *contribution = listing->contribution;
    const struct view *view = &tally->plan->views[index];
    bool with_supplementary = view->hs_digits >= 6;
    uint32_t first = tally->touch_count;
    uint32_t count = contribution->item_count;
    for (uint32_t begin = 0; begin < count;) {
        struct table_key key = key_of(listing, index, view, listing->word3[begin], &contribution->items[begin]);
        uint32_t end = begin + 1;
        while (end < count) {
            const struct contribution_item *item = &contribution->items[end];
            if ((listing->word3[end] & view->mask.word3) != key.word[3] ||
                commodity_of(view, item) != cell_commodity(&key))
                break;
            end++;
        }
        uint32_t sum = sum_of_run(tally, listing, begin, end);
        if (sum == NO_SUM) {
            end = begin + 1;
            sum = listing->first_sum + begin;
        }
        bool is_new = begin == 0 || is_new_cell(tally, first, &key);
        touch_cell(tally, &key, sum, is_new ? listing->sign : 0, with_supplementary);
        if (is_new && view->has_derived && count > 1)
            remember_leaf(tally, &key);
        begin = end;
    }
    if (count > 1 && view->has_derived)
        correct_derived(tally, index, listing->sign);
}

/* The sums of the items and of all together; what their keys have in common. */
static void list_begin(struct tally *tally, struct listing *listing)
{
    const struct contribution *contribution = listing->contribution;
    uint32_t count = contribution->item_count;
    listing->first_sum = (uint16_t)tally->sum_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct contribution_item *item = &contribution->items[i];
        sum_of_item(contribution, item, listing->sign, &tally->sums[tally->sum_count++]);
        listing->word3[i] = word3_of(contribution, item);
    }
    if (count > 1)
        listing->has_total = sum_of_run(tally, listing, 0, count) != NO_SUM;
}

/* Declarations of many items: a touch for each, and a table to know the cells that were there. */
static void list_many(struct tally *tally, const struct listing *listing, uint32_t index)
{
    const struct contribution *contribution = listing->contribution;
    const struct view *view = &tally->plan->views[index];
    table_clear(tally->seen);
    for (uint32_t i = 0; i < contribution->item_count; i++) {
        const struct contribution_item *item = &contribution->items[i];
        make_room(tally);
        struct table_key key = key_of(listing, index, view, word3_of(contribution, item), item);
        bool is_new;
        table_put(tally->seen, &key, table_hash(&key), &is_new);
        sum_of_item(contribution, item, listing->sign, &tally->sums[tally->sum_count]);
        touch_cell(tally, &key, tally->sum_count++, is_new ? listing->sign : 0, view->hs_digits >= 6);
        if (is_new && view->has_derived)
            remember_leaf(tally, &key);
    }
    if (view->has_derived)
        correct_derived(tally, index, listing->sign);
}

static void move_control(struct tally_control *control, const struct contribution *contribution, int sign)
{
    i128 value = 0;
    i128 mass = 0;
    for (uint32_t i = 0; i < contribution->item_count; i++) {
        value += contribution->items[i].value_minor;
        mass += contribution->items[i].net_mass_mg;
    }
    control->value_minor += sign > 0 ? value : -value;
    control->net_mass_mg += sign > 0 ? mass : -mass;
    control->items += (int64_t)contribution->item_count * sign;
}

void tally_list(struct tally *tally, const struct contribution *contribution, int sign)
{
    CHECK(sign == 1 || sign == -1);
    if (contribution->item_count == 0)
        return;
    make_room(tally);
    struct listing listing;
    listing.contribution = contribution;
    listing.month = month_of(tally, contribution->day);
    listing.sign = sign;
    listing.has_total = false;
    listing.word1 = (uint64_t)contribution->office << 32 | contribution->border_office;
    listing.word2 = (uint64_t)contribution->zone << 32 | contribution->trade_mode;
    bool few = contribution->item_count <= FEW_ITEMS;
    if (few)
        list_begin(tally, &listing);
    for (uint32_t i = 0; i < tally->leaf_views; i++) {
        if (few)
            list_view(tally, &listing, tally->leaves[i]);
        else
            list_many(tally, &listing, tally->leaves[i]);
    }
    move_control(&tally->control, contribution, sign);
}

void tally_add(struct tally *tally, const struct contribution *contribution, int sign)
{
    tally_list(tally, contribution, sign);
    tally_flush(tally);
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
    CHECK(tally->touch_count == 0); /* tally_flush */
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
    tally->touch_count = 0;
    tally->sum_count = 0;
}
