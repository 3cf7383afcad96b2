/* SPDX-License-Identifier: Apache-2.0
 * statistic_fixture.h - for tests of records and their keys: the default views and two odd ones, and keys of their cells.
 *
 * Memory:  one plan at a time, which close_plan ends
 */
#pragma once

#include "flow/cell.h"
#include "flow/dictionary.h"
#include "flow/view.h"
#include "trade/calendar.h"

#include <criterion/criterion.h>

static struct view_plan plan;
static struct dictionary codes;

static inline void open_plan(void)
{
    struct err_info info = {{0}};
    view_plan_default(&plan);
    cr_assert_eq(view_plan_add(&plan, TEXT("odd"), TEXT("partner_consignment,region,hs10@day"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("p=1"), TEXT("partner@month"), &info), OK);
    view_plan_finish(&plan);
    dictionary_init(&codes);
}

static inline void close_plan(void)
{
    dictionary_fini(&codes);
}

static inline uint32_t view_of(const char *name)
{
    int32_t view = view_plan_find(&plan, text_of(name));
    cr_assert(view >= 0);
    return (uint32_t)view;
}

static inline uint64_t country(const char *code)
{
    return (uint64_t)((uint8_t)code[0] << 8 | (uint8_t)code[1]);
}

static inline uint64_t code(const char *text)
{
    return dictionary_number(&codes, text_of(text));
}

static inline struct table_key key_of(const char *view, bool month, uint32_t date, uint64_t commodity)
{
    return (struct table_key){{cell_word0(view_of(view), month, calendar_day(date), commodity), 0, 0, 0}};
}
