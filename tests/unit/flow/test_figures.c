/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/flow/figures_fixture.h"

TestSuite(figures, .init = setup, .fini = teardown);

Test(figures, each_number_has_its_own_link_and_mark)
{
    count_on(20240115, 1, 1);
    fold();
    uint32_t year = find("flow|YEAR|20240101|20241231|flow=M");
    uint32_t month = find("flow|MONTH|20240101|20240131|flow=M");
    cr_assert_eq(figures_link(figures, year), CUBE_NO_LINK);
    figures_set_link(figures, year, 7);
    figures_set_link(figures, month, 8);
    cr_assert(figures_link(figures, year) == 7 && figures_link(figures, month) == 8);
    cr_assert_eq(calendar_date(figures_last_day(figures, year)), 20241231);

    forget_marks();
    figures_mark(figures, year);
    figures_mark(figures, month);
    figures_mark(figures, year);
    figures_mark(figures, find("partner|MONTH|20240101|20240131|partner=KZ|flow=M")); /* is not published */
    cr_assert_eq(figures_marked(figures), 2);
    figures_mark_all(figures);
    uint32_t published = 0;
    for (uint32_t i = 0; i < cube_count(cube); i++)
        published += figures_is_published(figures, i);
    cr_assert_eq(figures_marked(figures), published + figures_count(figures));
    cr_assert_gt(figures_bytes(figures), 0);
    cube_empty(cube);
    figures_empty(figures);
    cr_assert(figures_count(figures) == 0 && figures_marked(figures) == 0);
}

Test(figures, countries_of_a_view_of_groups_are_not_published)
{
    begin_with_groups();
    count_of("KZ", "", 20240710, 16, 1);
    fold();
    for (uint32_t cell = 0; cell < cube_count(cube); cell++) {
        const struct view *view = &plan.views[cell_view(cube_key(cube, cell))];
        cr_assert_eq(figures_is_published(figures, cell), !view->is_grouped && cell_is_month(cube_key(cube, cell)));
    }
    cr_assert_eq(find("bloc|DAY|20240710|20240710|flow=M|partner_group=SCO_MEMBER"), TABLE_NONE,
                 "KZ is not on this list");
}

Test(figures, other_lists_make_other_groups_of_the_same_cells)
{
    begin_with_groups();
    count_of("BY", "", 20240610, 1, 1);
    count_of("AF", "", 20250910, 2, 1);
    fold();
    uint32_t before = figures_count(figures);
    uint32_t number = find("bloc|DAY|20250910|20250910|flow=M|partner_group=SCO_OBSERVER");
    cr_assert_eq(value_of("bloc|DAY|20250910|20250910|flow=M|partner_group=SCO_OBSERVER"), 0,
                 "it ended on 1 September");
    figures_look_up(figures, reference, "BY");
    cr_assert_eq(figures_count(figures), before, "numbers stay");
    cr_assert_eq(find("bloc|DAY|20250910|20250910|flow=M|partner_group=SCO_OBSERVER"), number);
    cr_assert_eq(value_of("bloc|YEAR|20240101|20241231|flow=M|partner_group=SCO_MEMBER"), 0,
                 "who reports is no partner");
    figures_look_up(figures, reference, "CN");
    cr_assert_eq(value_of("bloc|YEAR|20240101|20241231|flow=M|partner_group=SCO_MEMBER"), 1);
}
