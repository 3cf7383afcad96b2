/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/tally.h"
#include "trade/calendar.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct view_plan plan;

static void setup(void)
{
    view_plan_default(&plan);
}

TestSuite(tally, .init = setup);

/* The sum of the delta cells of a view with that commodity (hs digits of the view) and day, or NULL; good for eight calls. */
static const struct measures *find(const struct tally *tally, const char *view, uint64_t commodity, int32_t day)
{
    static struct measures sums[8];
    static unsigned next;
    struct measures *sum = &sums[next++ % 8];
    memset(sum, 0, sizeof *sum);
    uint32_t index = (uint32_t)view_plan_find(&plan, text_of(view));
    bool found = false;
    for (uint32_t i = 0; i < tally_count(tally); i++) {
        const struct table_key *key = tally_key(tally, i);
        if (cell_view(key) != index || cell_commodity(key) != commodity || cell_day(key) != day)
            continue;
        struct measures cell;
        tally_measures(tally, i, &cell);
        measures_add(sum, &cell);
        found = true;
    }
    return found ? sum : NULL;
}

static struct contribution_item item_of(uint64_t hs, int64_t value)
{
    return (struct contribution_item){.hs = hs,
                                      .hs_digits = 10,
                                      .flow = FLOW_M,
                                      .partner = 0x4B5A,
                                      .value_minor = value,
                                      .customs_value_minor = value + 1,
                                      .net_mass_mg = value * 1000,
                                      .gross_mass_mg = value * 1001,
                                      .packages = 2,
                                      .supp_quantity_micro = 7};
}

Test(tally, a_declaration_counts_once_a_cell_and_its_items_each)
{
    struct contribution_item items[3] = {item_of(7208510000, 100), item_of(7208519999, 50), item_of(8471300000, 7)};
    struct contribution c = {.day = calendar_day(20250715), .office = 1, .mode = 3, .item_count = 3, .items = items};
    struct tally *tally = tally_new(&plan);
    int32_t month = calendar_day(20250701);

    tally_add(tally, &c, 1);

    const struct measures *steel = find(tally, "commodity", 720851 + 1, month);
    const struct measures *office = find(tally, "office", 0, calendar_day(20250715));
    cr_assert_eq(steel->declarations, 1);
    cr_assert_eq(steel->items, 2);
    cr_assert_eq((int64_t)steel->value_minor, 150);
    cr_assert_eq((int64_t)steel->customs_value_minor, 152);
    cr_assert_eq((int64_t)steel->supp_quantity_micro, 14);
    cr_assert_eq(office->declarations, 1);
    cr_assert_eq(office->items, 3);
    cr_assert_eq((int64_t)office->net_mass_mg, 157000);
    cr_assert_eq((int64_t)office->supp_quantity_micro, 0, "quantities of different units are never added");
    tally_free(tally);
}

Test(tally, a_derived_view_is_corrected_by_the_cells_that_fall_together)
{
    struct contribution_item items[3] = {item_of(7208510000, 100), item_of(7208520000, 50), item_of(8471300000, 7)};
    struct contribution c = {.day = calendar_day(20250715), .item_count = 3, .items = items};
    struct tally *tally = tally_new(&plan);
    int32_t month = calendar_day(20250701);

    tally_add(tally, &c, 1);

    const struct measures *chapter = find(tally, "chapter", 72 + 1, month);
    cr_assert_not_null(chapter, "two commodity cells fall into chapter 72");
    cr_assert_eq(chapter->declarations, -1);
    cr_assert_eq(chapter->items, 0);
    cr_assert_null(find(tally, "chapter", 84 + 1, month), "one cell needs no correction");
    cr_assert_null(find(tally, "flow", 0, calendar_day(20250715)), "one cell needs no correction");
    tally_free(tally);
}

Test(tally, a_retraction_leaves_nothing)
{
    struct contribution_item items[3] = {item_of(7208510000, INT64_MAX / 2000), item_of(7208520000, 50),
                                         item_of(7208510000, 7)};
    struct contribution c = {.day = calendar_day(20250715), .warned = true, .item_count = 3, .items = items};
    struct tally *tally = tally_new(&plan);

    tally_add(tally, &c, 1);
    tally_add(tally, &c, -1);

    static const struct measures zero;
    for (uint32_t i = 0; i < tally_count(tally); i++) {
        struct measures cell;
        memset(&cell, 0, sizeof cell);
        tally_measures(tally, i, &cell);
        cr_assert_eq(cell.value_minor, zero.value_minor);
        cr_assert_eq(cell.net_mass_mg, 0);
        cr_assert_eq(cell.declarations, 0);
        cr_assert_eq(cell.items, 0);
        cr_assert_eq(cell.warned_items, 0);
        cr_assert_eq(cell.packages, 0);
    }
    struct tally_control control = tally_control(tally);
    cr_assert_eq((int64_t)control.value_minor, 0);
    cr_assert_eq(control.items, 0);
    tally_free(tally);
}

Test(tally, sums_go_beyond_64_bits)
{
    struct contribution_item items[1] = {item_of(7208510000, 1)};
    items[0].value_minor = INT64_MAX;
    struct contribution c = {.day = 0, .item_count = 1, .items = items};
    struct tally *tally = tally_new(&plan);

    for (int i = 0; i < 10; i++)
        tally_add(tally, &c, 1);

    cr_assert(find(tally, "heading", 7208 + 1, 0) == NULL, "heading derives");
    cr_assert_gt(tally_count(tally), 6 * 5, "each overflow moves its cell to a wide one");
    cr_assert(find(tally, "commodity", 720851 + 1, 0)->value_minor == (i128)INT64_MAX * 10);
    tally_free(tally);
}

Test(tally, a_cancel_touches_no_cell)
{
    struct contribution c = {.day = 0, .cancel = true};
    struct tally *tally = tally_new(&plan);

    tally_add(tally, &c, 1);

    cr_assert_eq(tally_count(tally), 0);
    tally_free(tally);
}

Test(tally, clear_forgets_deltas_and_keeps_totals)
{
    struct contribution_item items[1] = {item_of(7208510000, 9)};
    struct contribution c = {.day = 0, .item_count = 1, .items = items};
    struct tally *tally = tally_new(&plan);

    tally_add(tally, &c, 1);
    tally_clear(tally);
    tally_add(tally, &c, 1);

    cr_assert_eq(find(tally, "commodity", 720851 + 1, 0)->items, 1);
    cr_assert_eq(tally_control(tally).items, 2);
    tally_free(tally);
}

/* A chapter's declarations = leaf cells' declarations + correction, against a count by hand, for random declarations of up to 60 items. */
Test(tally, declarations_of_a_derived_view_are_exact_for_any_declaration)
{
    unsigned seed = 4711;
    struct contribution_item items[60];
    uint32_t chapter_view = (uint32_t)view_plan_find(&plan, TEXT("chapter"));
    uint32_t commodity_view = (uint32_t)view_plan_find(&plan, TEXT("commodity"));
    for (int round = 0; round < 300; round++) {
        struct contribution c = {.day = 0, .items = items, .item_count = 1 + (unsigned)rand_r(&seed) % 60};
        bool seen[4] = {false};
        for (uint32_t i = 0; i < c.item_count; i++) {
            uint64_t chapter = (unsigned)rand_r(&seed) % 4;
            items[i] = item_of(((10 + chapter) * 10000 + (unsigned)rand_r(&seed) % 7) * 10000, 1);
            seen[chapter] = true;
        }
        struct tally *tally = tally_new(&plan);
        tally_add(tally, &c, 1);
        int64_t sum[4] = {0};
        for (uint32_t i = 0; i < tally_count(tally); i++) {
            const struct table_key *key = tally_key(tally, i);
            uint32_t view = cell_view(key);
            struct measures cell;
            tally_measures(tally, i, &cell);
            if (view == commodity_view)
                sum[(cell_commodity(key) - 1) / 10000 - 10] += cell.declarations;
            else if (view == chapter_view)
                sum[cell_commodity(key) - 1 - 10] += cell.declarations;
        }
        for (int chapter = 0; chapter < 4; chapter++)
            cr_assert_eq(sum[chapter], seen[chapter], "round %d chapter %d", round, chapter);
        tally_free(tally);
    }
}

/* ---- every view against a count that knows neither leaves nor sheets ---- */

enum { CELLS_MOST = 20000, ROUNDS = 400, ITEMS_MOST = 40 };

struct counted {
    struct table_key key;
    struct measures measures;
};

struct count {
    struct counted *cells;
    uint32_t count;
};

static struct measures *cell_at(struct count *count, const struct table_key *key)
{
    for (uint32_t i = 0; i < count->count; i++) {
        if (table_key_equal(&count->cells[i].key, key))
            return &count->cells[i].measures;
    }
    cr_assert_lt(count->count, CELLS_MOST);
    struct counted *cell = &count->cells[count->count++];
    memset(cell, 0, sizeof *cell);
    cell->key = *key;
    return &cell->measures;
}

/* The cell of a view as the contract says it, dimension by dimension. */
static struct table_key key_by_hand(const struct view_plan *views, uint32_t index, const struct contribution *c,
                                    const struct contribution_item *item)
{
    const struct view *view = &views->views[index];
    uint64_t commodity = 0;
    if (view->hs_digits) {
        uint64_t divisor = 1;
        for (int i = view->hs_digits; i < HS_DIGITS_MOST; i++)
            divisor *= 10;
        bool has_code = item->hs_digits >= views->views[view->leaf].hs_digits;
        commodity = has_code ? item->hs / divisor + 1 : CELL_NO_HS;
    }
    uint32_t d[DIMENSIONS] = {[DIMENSION_FLOW] = item->flow,
                              [DIMENSION_OFFICE] = c->office,
                              [DIMENSION_BORDER_OFFICE] = c->border_office,
                              [DIMENSION_ZONE] = c->zone,
                              [DIMENSION_MODE] = c->mode,
                              [DIMENSION_TRADE_MODE] = c->trade_mode,
                              [DIMENSION_PARTNER] = item->partner,
                              [DIMENSION_PARTNER_CONSIGNMENT] = item->consignment,
                              [DIMENSION_REGION] = item->region};
    for (int i = 0; i < DIMENSIONS; i++)
        d[i] = view->dimension_set >> i & 1 ? d[i] : 0;
    bool month = view->grain == GRAIN_MONTH;
    int32_t day = month ? calendar_day(calendar_month_first(calendar_date(c->day))) : c->day;
    return (struct table_key){{cell_word0(index, month, day, commodity),
                               (uint64_t)d[DIMENSION_OFFICE] << 32 | d[DIMENSION_BORDER_OFFICE],
                               (uint64_t)d[DIMENSION_ZONE] << 32 | d[DIMENSION_TRADE_MODE],
                               cell_word3(d[DIMENSION_PARTNER], d[DIMENSION_PARTNER_CONSIGNMENT], d[DIMENSION_REGION],
                                          d[DIMENSION_FLOW], d[DIMENSION_MODE])}};
}

/* Whether an item before item i falls into the same cell but for the flow. */
static bool is_counted_in_total(const struct view_plan *views, uint32_t view, const struct contribution *c, uint32_t i)
{
    struct table_key key = key_by_hand(views, view, c, &c->items[i]);
    key = period_with_flow(&key, FLOW_T);
    for (uint32_t j = 0; j < i; j++) {
        struct table_key other = key_by_hand(views, view, c, &c->items[j]);
        other = period_with_flow(&other, FLOW_T);
        if (table_key_equal(&other, &key))
            return true;
    }
    return false;
}

static void count_by_hand(struct count *count, const struct view_plan *views, const struct contribution *c, int sign)
{
    for (uint32_t view = 0; view < views->count; view++) {
        for (uint32_t i = 0; i < c->item_count; i++) {
            const struct contribution_item *item = &c->items[i];
            struct table_key key = key_by_hand(views, view, c, item);
            bool first = true;
            for (uint32_t j = 0; j < i && first; j++) {
                struct table_key other = key_by_hand(views, view, c, &c->items[j]);
                first = !table_key_equal(&other, &key);
            }
            struct measures *m = cell_at(count, &key);
            m->value_minor += sign * (i128)item->value_minor;
            m->customs_value_minor += sign * (i128)item->customs_value_minor;
            m->net_mass_mg += sign * (i128)item->net_mass_mg;
            m->gross_mass_mg += sign * (i128)item->gross_mass_mg;
            m->supp_quantity_micro += views->views[view].hs_digits >= 6 ? sign * (i128)item->supp_quantity_micro : 0;
            m->estimated_mg += item->estimated ? sign * (i128)item->net_mass_mg : 0;
            m->declarations += first ? sign : 0;
            m->items += sign;
            m->packages += sign * (int64_t)item->packages;
            m->warned_items += c->warned ? sign : 0;
            m->late_items += c->late ? sign : 0;
            if (first && views->views[view].total && is_counted_in_total(views, view, c, i)) {
                struct table_key total = period_with_flow(&key, FLOW_T);
                cell_at(count, &total)->declarations -= sign;
            }
        }
    }
}

/* What a reader makes of the delta cells. */
static void count_as_reader(struct count *count, const struct view_plan *views, const struct tally *tally)
{
    for (uint32_t i = 0; i < tally_count(tally); i++) {
        const struct table_key *key = tally_key(tally, i);
        struct measures cell;
        tally_measures(tally, i, &cell);
        measures_add(cell_at(count, key), &cell);
        for (uint32_t view = 0; view < views->count; view++) {
            if (views->views[view].leaf != cell_view(key) || view == cell_view(key) || cell_is_correction(key))
                continue;
            struct table_key derived = tally_derive(views, key, view, views->views[view].grain == GRAIN_MONTH);
            struct measures part = cell;
            if (views->views[view].hs_digits < 6)
                part.supp_quantity_micro = 0;
            measures_add(cell_at(count, &derived), &part);
        }
    }
}

static void assert_same(struct count *expected, struct count *found)
{
    for (uint32_t i = 0; i < expected->count; i++) {
        const struct measures *a = &expected->cells[i].measures;
        const struct measures *b = cell_at(found, &expected->cells[i].key);
        cr_assert_eq(memcmp(a, b, offsetof(struct measures, late_items) + sizeof a->late_items), 0,
                     "view %u: %lld declarations instead of %lld, items %lld instead of %lld",
                     cell_view(&expected->cells[i].key), (long long)b->declarations, (long long)a->declarations,
                     (long long)b->items, (long long)a->items);
    }
    cr_assert_eq(found->count, expected->count, "a cell that nothing falls into");
}

static int64_t amount(unsigned *seed, int64_t most)
{
    return (int64_t)((uint64_t)rand_r(seed) * ((uint64_t)rand_r(seed) + 1) % (uint64_t)most);
}

/* Few codes of everything, so that cells coincide in every way. */
static void make_contribution(unsigned *seed, int64_t most, struct contribution *c)
{
    c->day = calendar_day(20250129) + rand_r(seed) % 5;
    c->office = (unsigned)rand_r(seed) % 3;
    c->border_office = (unsigned)rand_r(seed) % 2;
    c->zone = (unsigned)rand_r(seed) % 2;
    c->trade_mode = (unsigned)rand_r(seed) % 3;
    c->mode = (uint16_t)(rand_r(seed) % 3);
    c->warned = rand_r(seed) % 4 == 0;
    c->late = rand_r(seed) % 4 == 0;
    c->item_count = rand_r(seed) % 2 ? 1 : (unsigned)rand_r(seed) % ITEMS_MOST;
    for (uint32_t i = 0; i < c->item_count; i++) {
        uint64_t chapter = 10 + (unsigned)rand_r(seed) % 2;
        c->items[i] = (struct contribution_item){
            .hs = ((chapter * 100 + (unsigned)rand_r(seed) % 2) * 100 + (unsigned)rand_r(seed) % 3) * 10000,
            .hs_digits = rand_r(seed) % 8 ? 10 : 4,
            .flow = rand_r(seed) % 6 ? FLOW_M : FLOW_RM,
            .estimated = rand_r(seed) % 3 == 0,
            .partner = (uint16_t)(rand_r(seed) % 3),
            .consignment = (uint16_t)(rand_r(seed) % 2),
            .region = (unsigned)rand_r(seed) % 2,
            .packages = (unsigned)rand_r(seed) % 9,
            .value_minor = amount(seed, most),
            .customs_value_minor = amount(seed, most),
            .net_mass_mg = amount(seed, most),
            .gross_mass_mg = amount(seed, most),
            .supp_quantity_micro = amount(seed, most)};
    }
}

static void compare_counts(const struct view_plan *views, int64_t most)
{
    unsigned seed = 815;
    struct contribution_item items[ITEMS_MOST];
    struct contribution c = {.items = items};
    struct count expected = {calloc(CELLS_MOST, sizeof(struct counted)), 0};
    struct count found = {calloc(CELLS_MOST, sizeof(struct counted)), 0};
    struct tally *tally = tally_new(views);
    for (int round = 0; round < ROUNDS; round++) {
        make_contribution(&seed, most, &c);
        int sign = rand_r(&seed) % 5 ? 1 : -1;
        tally_list(tally, &c, sign);
        count_by_hand(&expected, views, &c, sign);
        if (round % 150 != 149 && round != ROUNDS - 1)
            continue;
        tally_flush(tally);
        tally_flush(tally); /* adds nothing */
        count_as_reader(&found, views, tally);
        tally_clear(tally);
    }
    assert_same(&expected, &found);
    tally_free(tally);
    free(expected.cells);
    free(found.cells);
}

static void views_of_a_user(struct view_plan *views)
{
    static const char *const definitions[] = {"office,border_office,zone,flow@day",
                                              "zone,trade_mode,flow,mode@day",
                                              "office,mode,flow@day",
                                              "flow@month",
                                              "trade_mode@month",
                                              "partner_consignment,region@day",
                                              "hs4,partner,flow@month",
                                              "hs2,office@day",
                                              "hs10,partner,zone@month",
                                              "hs10,partner,office@month"};
    *views = (struct view_plan){0};
    for (size_t i = 0; i < sizeof definitions / sizeof definitions[0]; i++) {
        char name[4] = {'v', (char)('a' + i), 0};
        struct err_info info;
        cr_assert_eq(view_plan_add(views, text_of(name), text_of(definitions[i]), &info), OK, "%s", info.text);
    }
    view_plan_finish(views);
}

Test(tally, all_default_views_are_what_a_count_by_hand_gives)
{
    compare_counts(&plan, 1000000);
}

Test(tally, all_views_of_a_user_are_what_a_count_by_hand_gives)
{
    static struct view_plan views;
    views_of_a_user(&views);
    compare_counts(&views, 1000000);
}

Test(tally, sums_beyond_64_bits_in_any_measure_are_what_a_count_by_hand_gives)
{
    static struct view_plan views;
    views_of_a_user(&views);
    compare_counts(&plan, INT64_MAX);
    compare_counts(&views, INT64_MAX / 3);
}

Test(tally, negative_amounts_are_added_too)
{
    struct contribution_item items[2] = {item_of(7208510000, -100), item_of(7208519999, 50)};
    struct contribution c = {.day = calendar_day(20250715), .office = 1, .mode = 3, .item_count = 2, .items = items};
    struct tally *tally = tally_new(&plan);

    tally_add(tally, &c, 1);
    tally_add(tally, &c, 1);

    const struct measures *steel = find(tally, "commodity", 720851 + 1, calendar_day(20250701));
    cr_assert(steel->value_minor == -100);
    cr_assert(steel->customs_value_minor == -96);
    cr_assert(find(tally, "office", 0, calendar_day(20250715))->gross_mass_mg == 2 * (-100100 + 50050));
    tally_free(tally);
}

/* ---- all flows together ---- */

static int64_t corrections(const struct tally *tally, const char *view)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < tally_count(tally); i++) {
        const struct table_key *key = tally_key(tally, i);
        struct measures cell;
        tally_measures(tally, i, &cell);
        if (cell_view(key) != (uint32_t)view_plan_find(&plan, text_of(view)) || !cell_is_correction(key))
            continue;
        cr_assert(cell.items == 0 && cell.value_minor == 0 && cell.net_mass_mg == 0);
        sum += cell.declarations;
    }
    return sum;
}

static void expect_corrections(uint32_t item_count)
{
    struct contribution_item items[64];
    for (uint32_t i = 0; i < item_count;
         i++) { /* M and RM of one heading, RM of another partner, M of another commodity */
        items[i] = item_of(i % 4 == 3 ? 8471300000 : 7208510000, 100);
        items[i].flow = i % 4 == 1 || i % 4 == 2 ? FLOW_RM : FLOW_M;
        items[i].partner = i % 4 == 2 ? 0x434E : 0x4B5A;
    }
    struct contribution c = {
        .day = calendar_day(20250715), .office = 1, .mode = 3, .item_count = item_count, .items = items};
    struct tally *tally = tally_new(&plan);
    tally_add(tally, &c, 1);
    cr_assert_eq(corrections(tally, "flow"), -1, "a derived view: M and RM");
    cr_assert_eq(corrections(tally, "commodity"), -1, "720851 of KZ: M and RM; the others have one flow each");
    cr_assert_eq(corrections(tally, "heading"), -1, "7208: M and RM, 8471: M");
    cr_assert_eq(corrections(tally, "partner"), 0, "T was refused there");
    tally_add(tally, &c, -1);
    cr_assert_eq(corrections(tally, "flow"), 0);
    cr_assert_eq(corrections(tally, "commodity"), 0);
    tally_free(tally);
}

Test(tally, a_declaration_of_several_flows_is_corrected_where_they_come_together)
{
    cr_assert_eq(view_plan_option(&plan, TEXT("partner"), TEXT("total"), TEXT("no"), NULL), OK);
    expect_corrections(4);
    expect_corrections(64); /* the way of many items */
}
