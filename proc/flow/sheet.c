/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/sheet.h"

_Static_assert(VIEWS_MOST * 2 <= 64, "views and sheets are numbered in six bits");

/* What a view takes of an item. */
static uint64_t of_item(const struct view *view)
{
    return view->mask.word3 & ~(uint64_t)CELL_MODE_MOST;
}

static bool go_together(const struct view *a, const struct view *b)
{
    return a->grain == b->grain && a->hs_digits == b->hs_digits && of_item(a) == of_item(b);
}

static void add_view(struct sheet *sheet, const struct view *view, uint32_t index)
{
    sheet->word1 |= view->mask.word1;
    sheet->word2 |= view->mask.word2;
    sheet->word3 |= view->mask.word3;
    sheet->grain = view->grain;
    sheet->hs_digits = view->hs_digits;
    sheet->views |= 1u << index;
}

uint32_t sheet_plan(const struct view_plan *plan, struct sheet sheets[static VIEWS_MOST])
{
    uint32_t count = 0;
    uint32_t taken = 0;
    for (uint32_t first = 0; first < plan->count; first++) {
        if (plan->views[first].leaf != first || taken >> first & 1)
            continue;
        struct sheet *sheet = &sheets[count++];
        *sheet = (struct sheet){0};
        for (uint32_t i = first; i < plan->count; i++) {
            if (plan->views[i].leaf == i && go_together(&plan->views[first], &plan->views[i]))
                add_view(sheet, &plan->views[i], i);
        }
        for (uint32_t i = 0; i < plan->count; i++) {
            uint32_t leaf = plan->views[i].leaf;
            if (leaf != i && sheet->views >> leaf & 1)
                sheet->derived |= 1u << i;
        }
        taken |= sheet->views;
        sheet->is_joint = sheet->views != 1u << first;
        sheet->word0 = (uint64_t)(sheet->is_joint ? VIEWS_MOST + count - 1 : first) << 58 |
                       (uint64_t)view_cell_kind(&plan->views[first]) << CELL_KIND_BIT;
    }
    return count;
}

struct table_key sheet_view_key(const struct table_key *key, const struct view *view, uint32_t index)
{
    return (struct table_key){{(key->word[0] & ~0ULL >> 6) | (uint64_t)index << 58, key->word[1] & view->mask.word1,
                               key->word[2] & view->mask.word2, key->word[3] & view->mask.word3}};
}
