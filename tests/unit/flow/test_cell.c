/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cell.h"

#include "trade/calendar.h"

#include <criterion/criterion.h>

/* Measures of which each in turn is 1, the others 0. */
enum { MEASURES = 12 };
static struct measures only(int which)
{
    struct measures m = {0};
    i128 *const sums[] = {&m.value_minor,   &m.customs_value_minor, &m.net_mass_mg,
                          &m.gross_mass_mg, &m.supp_quantity_micro, &m.estimated_mg};
    int64_t *const counts[] = {&m.declarations, &m.items, &m.packages, &m.warned_items, &m.late_items, &m.loaded_items};
    if (which < 6)
        *sums[which] = 1;
    else
        *counts[which - 6] = 1;
    return m;
}

Test(cell, measures_are_none_when_each_is_zero_and_opposites_add_up_to_that)
{
    struct measures sum = {0};

    cr_expect(measures_are_none(&sum));
    for (int i = 0; i < MEASURES; i++) {
        struct measures one = only(i);
        struct measures minus = measures_opposite(&one);
        cr_expect_not(measures_are_none(&one), "measure %d", i);
        measures_add(&sum, &one);
        cr_expect_not(measures_are_none(&sum), "measure %d", i);
        measures_add(&sum, &minus);
        cr_expect(measures_are_none(&sum), "measure %d", i);
    }
}

/* Each field is all ones in turn: it is read whole, and nothing of its neighbours. */
Test(cell, a_key_is_read_field_by_field)
{
    static const struct {
        unsigned word;
        unsigned shift;
        uint32_t most;
        uint32_t (*read)(const struct table_key *key);
    } fields[] = {
        {0, 58, 63, cell_view},
        {1, 32, UINT32_MAX, cell_office},
        {1, 0, UINT32_MAX, cell_border_office},
        {2, 32, UINT32_MAX, cell_zone},
        {2, 0, UINT32_MAX, cell_trade_mode},
        {3, 48, UINT16_MAX, cell_partner},
        {3, 32, UINT16_MAX, cell_consignment},
        {3, 12, CELL_REGION_MOST, cell_region},
        {3, 9, 7, cell_flow},
        {3, 0, CELL_MODE_MOST, cell_mode},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct table_key key = {{0, 0, 0, 0}};
        struct table_key others;
        key.word[fields[i].word] = (uint64_t)fields[i].most << fields[i].shift;
        for (int w = 0; w < 4; w++)
            others.word[w] = ~key.word[w];
        cr_expect_eq(fields[i].read(&key), fields[i].most, "field %zu", i);
        cr_expect_eq(fields[i].read(&others), 0, "field %zu", i);
    }
}

Test(cell, each_flow_is_found_by_its_name)
{
    static const char *const names[] = {"M", "X", "RM", "RX", "T"};
    for (uint32_t flow = FLOW_M; flow <= FLOW_T; flow++) {
        enum flow found;
        cr_expect_str_eq(flow_name(flow), names[flow - FLOW_M]);
        cr_assert(flow_of_name(text_of(names[flow - FLOW_M]), &found), "%s", names[flow - FLOW_M]);
        cr_expect_eq(found, flow, "%s", names[flow - FLOW_M]);
    }
}

Test(cell, what_is_no_flow_has_no_name_and_no_number)
{
    static const char *const wrong[] = {"", "m", "R", "MX", "RMX", " M", "?", "1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        enum flow found = FLOW_RX;
        cr_expect_not(flow_of_name(text_of(wrong[i]), &found), "\"%s\"", wrong[i]);
        cr_expect_eq(found, FLOW_RX, "\"%s\": untouched", wrong[i]);
    }
    cr_expect_str_eq(flow_name(0), "");
    cr_expect_str_eq(flow_name(FLOW_T + 1), "?");
    cr_expect_str_eq(flow_name(UINT32_MAX), "?");
}

Test(cell, a_key_has_room_for_every_day_that_is_counted)
{
    static const uint32_t dates[] = {10101, 19700101, 20250703, 70001231};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        int32_t day = calendar_day(dates[i]);
        struct table_key key = {{cell_word0(5, true, day, 7), 0, 0, 0}};
        cr_assert(calendar_is_counted(dates[i]) && cell_has_day(day));
        cr_expect(cell_view(&key) == 5 && cell_kind(&key) == CELL_MONTH && cell_day(&key) == day, "%u", dates[i]);
    }
}
