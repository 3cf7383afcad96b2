/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/kindred.h"
#include "trade/calendar.h"

#include <criterion/criterion.h>

static struct reference *reference;
static struct view_plan plan;

static void setup(void)
{
    struct err_info info = {""};
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/tests/data/editions", NULL, &reference, &info), OK, "%s", info.text);
    plan = (struct view_plan){0};
    cr_assert_eq(view_plan_add(&plan, TEXT("six"), TEXT("hs6,partner@month"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("eight"), TEXT("hs8@month"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("two"), TEXT("hs2@month"), &info), OK);
    cr_assert_eq(view_plan_add(&plan, TEXT("none"), TEXT("partner@month"), &info), OK);
    view_plan_finish(&plan);
}

static void teardown(void)
{
    reference_free(reference);
}

TestSuite(kindred, .init = setup, .fini = teardown);

enum { SIX, EIGHT, TWO, NONE };

static struct table_key key_of(uint32_t view, uint64_t code)
{
    return (struct table_key){{cell_word0(view, true, 0, code + 1), 0, 0, 77ULL << 48}};
}

/* -1: no base is known; else how many codes there are, of which the first is `first`. */
static int before(uint32_t view, uint64_t code, uint64_t first)
{
    struct table_key out[HS_SOURCES_MOST];
    uint32_t count;
    struct table_key key = key_of(view, code);
    if (!kindred_before(reference, &plan.views[view], &key, out, &count))
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq(out[i].word[3], key.word[3], "nothing but the commodity changes");
        cr_assert_eq(cell_day(&out[i]), 0);
    }
    cr_assert(count == 0 || cell_commodity(&out[0]) == first + 1);
    return (int)count;
}

static bool after(uint32_t view, uint64_t code, uint64_t wanted)
{
    struct table_key out;
    struct table_key key = key_of(view, code);
    bool is_known = kindred_after(reference, &plan.views[view], &key, &out);
    cr_assert(!is_known || cell_commodity(&out) == wanted + 1);
    return is_known;
}

Test(kindred, the_day_is_that_of_the_edition)
{
    cr_assert_eq(calendar_date(KINDRED_FIRST_DAY), 20220101);
    cr_assert_eq(reference_edition(calendar_date(KINDRED_FIRST_DAY)), HS_2022);
    cr_assert_eq(reference_edition(calendar_date(KINDRED_FIRST_DAY - 1)), HS_2017);
}

Test(kindred, what_moved_whole_is_found_in_both_directions)
{
    cr_assert_eq(before(SIX, 10121, 10121), 1);
    cr_assert_eq(before(SIX, 30910, 30510), 1);
    cr_assert_eq(before(SIX, 850001, 850010), 2, "two codes were joined");
    cr_assert(after(SIX, 10121, 10121) && after(SIX, 30510, 30910) && after(SIX, 850010, 850001) &&
              after(SIX, 850020, 850001));
}

Test(kindred, what_was_split_or_gave_a_part_is_nobodys)
{
    cr_assert_eq(before(SIX, 30792, 0), -1);
    cr_assert_eq(before(SIX, 30990, 0), -1);
    cr_assert_eq(before(SIX, 20890, 0), -1);
    cr_assert_eq(before(SIX, 41010, 0), -1, "one of its two had goods of others");
    cr_assert(!after(SIX, 30792, 0) && !after(SIX, 20890, 0));
}

Test(kindred, a_code_that_the_table_lacks_is_compared_as_it_is)
{
    cr_assert_eq(before(SIX, 999999, 999999), 1);
    cr_assert(after(SIX, 999999, 999999));
    cr_assert_eq(before(SIX, 30510, 0), 0, "its number is free now");
}

Test(kindred, national_digits_must_have_stayed)
{
    cr_assert_eq(before(EIGHT, 1012155, 1012155), 1);
    cr_assert_eq(before(EIGHT, 3091012, 0), -1);
    cr_assert(after(EIGHT, 1012155, 1012155) && !after(EIGHT, 3051012, 0));
}

Test(kindred, views_without_codes_and_lists_without_a_table_compare_what_they_have)
{
    struct table_key out[HS_SOURCES_MOST];
    struct table_key key = {{cell_word0(NONE, true, 0, 0), 0, 0, 0}};
    struct table_key unlisted = {{cell_word0(SIX, true, 0, CELL_NO_HS), 0, 0, 0}};
    uint32_t count;
    cr_assert(kindred_before(reference, &plan.views[NONE], &key, out, &count) && count == 1);
    cr_assert(kindred_before(reference, &plan.views[SIX], &unlisted, out, &count) && count == 1);
    cr_assert_eq(cell_commodity(&out[0]), CELL_NO_HS);
    key = key_of(SIX, 30792);
    cr_assert(kindred_before(NULL, &plan.views[SIX], &key, out, &count) && count == 1);
    cr_assert_eq(before(TWO, 1, 1), 1);
    cr_assert_eq(before(TWO, 4, 0), -1, "it has a part of chapter 02");
}
