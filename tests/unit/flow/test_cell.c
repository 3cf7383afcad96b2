/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cell.h"

#include <criterion/criterion.h>

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
