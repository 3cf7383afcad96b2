/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/frame_cells.h"
#include "trade/calendar.h"
#include "unit/flow/section_fixture.h"

#include <criterion/criterion.h>

enum { COMMODITY = 6 }; /* hs6,partner,flow@month */

static struct view_plan default_plan(void)
{
    struct view_plan plan;
    view_plan_default(&plan);
    return plan;
}

/* A section of one cell of view COMMODITY. */
static struct buffer section_of(const struct view_plan *plan, const struct table_key *key,
                                const struct measures *measures)
{
    struct buffer buffer = {0};
    struct frame_cells cells = frame_cells_open(&buffer, &plan->views[COMMODITY], COMMODITY);
    frame_cells_put(&buffer, &cells, key, measures);
    frame_cells_close(&buffer, &cells);
    return buffer;
}

static struct table_key example_key(void)
{
    return (struct table_key){{cell_word0(COMMODITY, true, 20270, 870324), 0, 0, cell_word3(0x4B5A, 0, 0, FLOW_M, 0)}};
}

static bool same_measures(const struct measures *a, const struct measures *b)
{
    return a->value_minor == b->value_minor && a->customs_value_minor == b->customs_value_minor &&
           a->net_mass_mg == b->net_mass_mg && a->gross_mass_mg == b->gross_mass_mg &&
           a->supp_quantity_micro == b->supp_quantity_micro && a->estimated_mg == b->estimated_mg &&
           a->declarations == b->declarations && a->items == b->items && a->packages == b->packages &&
           a->warned_items == b->warned_items && a->late_items == b->late_items;
}

Test(frame_cells, a_cell_has_the_bytes_that_the_format_says)
{
    struct view_plan plan = default_plan();
    struct table_key key = example_key();
    struct measures measures = {.value_minor = -70, .net_mass_mg = 1000000, .declarations = 1, .items = 2};
    struct buffer buffer = section_of(&plan, &key, &measures);
    static const uint8_t want[] = {
        SECTION_CELLS, 27,   0,    0,    0,    /* section, bytes */
        COMMODITY,     1,    0,    0,    0,    /* view, cells */
        0xDC,          0xBC, 0x02,             /* zigzag of day 20270 */
        0xB4,          0x8F, 0x35,             /* commodity */
        0x80,          0x80, 0xE8, 0xDA, 0x04, /* partner x 65536 */
        0x80,          0x04,                   /* flow x 512 */
        0xC5,          0x01,                   /* mask: value, net mass, declarations, items */
        0x8B,          0x01, 0x80, 0x89, 0x7A, 2, 4,
    };

    cr_assert_eq(buffer.length, sizeof want, "%zu bytes", buffer.length);
    cr_assert_arr_eq(buffer.data, want, sizeof want);
    buffer_fini(&buffer);
}

Test(frame_cells, a_cell_that_is_all_zero_leaves_nothing)
{
    struct view_plan plan = default_plan();
    struct table_key key = example_key();
    struct measures zero = {0};
    struct buffer buffer = section_of(&plan, &key, &zero);

    cr_assert_eq(buffer.length, 0);
    buffer_fini(&buffer);
}

Test(frame_cells, every_measure_comes_back_however_large)
{
    struct view_plan plan = default_plan();
    struct table_key key = example_key();
    for (unsigned bit = 0; bit < 127; bit++) {
        i128 v = (i128)1 << bit;
        int64_t count = bit < 63 ? (int64_t)1 << bit : INT64_MIN;
        const struct measures all[] = {
            {v, -v, v - 1, -v - 1, v, -v, count, -(count + 1), count, ~count, count, 0},
            {.customs_value_minor = -v, .late_items = count},
            {.gross_mass_mg = v},
            {.supp_quantity_micro = v, .estimated_mg = -v, .packages = count},
            {.warned_items = -(count + 1), .value_minor = ~v},
        };
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
            if (same_measures(&all[i], &(struct measures){0}))
                continue;
            struct buffer buffer = section_of(&plan, &key, &all[i]);
            struct reader reader = reader_of(only_section(&buffer, SECTION_CELLS));
            uint32_t view;
            uint32_t count_back;
            struct table_key back;
            struct measures measures;
            cr_assert(frame_cells_begin(&reader, &plan, &view, &count_back, &back));
            cr_assert_eq(count_back, 1);
            cr_assert(frame_cells_next(&reader, &plan.views[view], view, &back, &measures));
            cr_assert(same_measures(&measures, &all[i]), "bit %u, cell %zu", bit, i);
            cr_assert(table_key_equal(&back, &key));
            cr_assert_eq(reader_left(&reader), 0);
            buffer_fini(&buffer);
        }
    }
}

/* Reads all cells that the bytes say they have. */
static bool read_all(const struct view_plan *plan, struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    uint32_t view;
    uint32_t count;
    struct table_key key;
    struct measures measures;
    if (!frame_cells_begin(&reader, plan, &view, &count, &key))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!frame_cells_next(&reader, &plan->views[view], view, &key, &measures))
            return false;
    }
    return reader_left(&reader) == 0;
}

Test(frame_cells, every_cut_is_broken)
{
    struct view_plan plan = default_plan();
    struct table_key key = example_key();
    i128 large = (i128)1 << 100;
    struct measures measures = {large, large, large, large, large, large, 1, 300, 3, 70000, INT64_MAX, 0};
    struct buffer buffer = section_of(&plan, &key, &measures);
    struct bytes bytes = only_section(&buffer, SECTION_CELLS);

    cr_assert(read_all(&plan, bytes));
    for (size_t length = 0; length < bytes.length; length++) {
        uint8_t *alone = malloc(length + 1); /* of that size, for a sanitizer to see */
        memcpy(alone, bytes.data, length);
        cr_assert_not(read_all(&plan, (struct bytes){alone, length}), "%zu bytes", length);
        free(alone);
    }
    buffer_fini(&buffer);
}

Test(frame_cells, endless_numbers_and_unknown_measures_are_broken)
{
    struct view_plan plan = default_plan();
    uint8_t bytes[1000] = {COMMODITY, 1};
    memset(bytes + 5, 0xFF, sizeof bytes - 5);
    cr_assert_not(read_all(&plan, (struct bytes){bytes, sizeof bytes}));

    memset(bytes + 5, 0, sizeof bytes - 5);
    cr_assert(read_all(&plan, (struct bytes){bytes, 10}));
    bytes[9] = 0x80; /* the mask */
    bytes[10] = 0x10;
    cr_assert_not(read_all(&plan, (struct bytes){bytes, 11}));
}

/* It would change the number beside it in the key, and another cell would count. */
Test(frame_cells, a_number_that_does_not_fit_its_place_in_the_key_is_broken)
{
    static const struct {
        const char *what;
        uint64_t numbers[4]; /* day, commodity, partners, region and flow */
        bool is_good;
    } cases[] = {
        {"the largest", {((uint64_t)1 << 22) - 2, ((uint64_t)1 << 34) - 1, UINT32_MAX, UINT32_MAX}, true},
        {"a day too late", {(uint64_t)1 << 22, 1, 1, 1}, false},
        {"a day too early", {((uint64_t)1 << 22) + 1, 1, 1, 1}, false},
        {"a commodity", {0, (uint64_t)1 << 34, 1, 1}, false},
        {"partners", {0, 1, (uint64_t)1 << 32, 1}, false},
        {"region and flow", {0, 1, 1, (uint64_t)1 << 32}, false},
    };
    struct view_plan plan = default_plan();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer bytes = {0};
        buffer_add_u8(&bytes, COMMODITY);
        buffer_add_u32(&bytes, 1);
        for (int number = 0; number < 4; number++)
            buffer_add_varint(&bytes, cases[i].numbers[number]);
        buffer_add_u8(&bytes, 0); /* no measures */
        cr_assert_eq(read_all(&plan, buffer_bytes(&bytes)), cases[i].is_good, "%s", cases[i].what);
        buffer_fini(&bytes);
    }
}

Test(frame_cells, cells_of_every_view_round_trip_in_pieces)
{
    struct view_plan plan;
    view_plan_default(&plan);
    struct tally *tally = tally_new(&plan);
    struct contribution_item items[4];
    struct contribution c = {.item_count = 4, .items = items, .zone = 2, .trade_mode = 3, .border_office = 4};
    for (int n = 0; n < 500; n++) {
        c.day = calendar_day(20250101) + n % 200;
        c.office = (uint32_t)n % 9;
        c.mode = (uint16_t)(n % 10);
        for (int i = 0; i < 4; i++)
            items[i] = (struct contribution_item){.hs = (uint64_t)(n * 4 + i) * 1000003 % 10000000000,
                                                  .hs_digits = i == 3 ? 0 : 10,
                                                  .flow = FLOW_M,
                                                  .partner = (uint16_t)(0x4100 + n),
                                                  .value_minor = n - 250,
                                                  .net_mass_mg = n * 7,
                                                  .packages = 1};
        tally_add(tally, &c, 1);
    }
    uint32_t found = 0;
    struct cell_order order = {0};
    frame_cells_sort(tally, &order);
    for (uint32_t view = 0; view < plan.count; view++) {
        for (uint32_t index = order.begins[view]; index < order.begins[view + 1];) {
            struct buffer buffer = {0};
            frame_cells_put_tally(&buffer, tally, &order, &plan.views[view], view, &index, 4000);
            cr_assert_leq(buffer.length, 4000);
            if (buffer.length) {
                struct reader reader = reader_of(only_section(&buffer, SECTION_CELLS));
                uint32_t view_back;
                uint32_t count;
                struct table_key key;
                cr_assert(frame_cells_begin(&reader, &plan, &view_back, &count, &key));
                cr_assert_eq(view_back, view);
                for (uint32_t i = 0; i < count; i++) {
                    struct measures measures;
                    cr_assert(frame_cells_next(&reader, &plan.views[view], view, &key, &measures));
                    bool same = false;
                    for (uint32_t j = 0; j < tally_count(tally) && !same; j++) {
                        struct measures cell;
                        tally_measures(tally, j, &cell);
                        same = memcmp(tally_key(tally, j), &key, sizeof key) == 0 &&
                               cell.value_minor == measures.value_minor && cell.net_mass_mg == measures.net_mass_mg &&
                               cell.items == measures.items && cell.declarations == measures.declarations &&
                               cell.packages == measures.packages;
                    }
                    cr_assert(same, "view %s cell %u", plan.views[view].name, i);
                    found++;
                }
                cr_assert_eq(reader_left(&reader), 0);
            }
            buffer_fini(&buffer);
        }
    }
    uint32_t used = 0;
    for (uint32_t j = 0; j < tally_count(tally); j++) {
        struct measures cell;
        tally_measures(tally, j, &cell);
        used += cell.items != 0 || cell.declarations != 0;
    }
    cr_assert_eq(found, used);
    cell_order_fini(&order);
    tally_free(tally);
}
