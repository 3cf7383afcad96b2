/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/membership.h"

#include "base/memory.h"
#include "flow/cell.h"
#include "trade/calendar.h"
#include "trade/codes.h"
#include "trade/composition.h"

#include <stdlib.h>
#include <string.h>

static int by_group_and_country(const void *a, const void *b)
{
    const struct membership_row *left = a;
    const struct membership_row *right = b;
    if (left->group != right->group)
        return left->group < right->group ? -1 : 1;
    return left->country == right->country ? 0 : left->country < right->country ? -1 : 1;
}

static bool place_of(const struct view_plan *plan, const char *group, uint32_t *out)
{
    for (uint32_t i = 0; i < plan->group_count; i++) {
        if (strcmp(plan->groups[i], group) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static int32_t first_day(uint32_t date)
{
    return date == 0 ? INT32_MIN : calendar_day(date);
}

static int32_t last_day(uint32_t to_exclusive)
{
    return to_exclusive == UINT32_MAX ? INT32_MAX : calendar_day(to_exclusive) - 1;
}

static void read_rows(struct membership *membership, const struct view_plan *plan, const struct reference *reference,
                      const char *reporter)
{
    struct composition_span span;
    uint32_t group;
    uint32_t most = 0;
    while (composition_row(reference, most, &span))
        most++;
    membership->rows = memory_new(most + 1, sizeof membership->rows[0]);
    for (uint32_t i = 0; composition_row(reference, i, &span); i++) {
        if (strcmp(span.country, reporter) == 0 || !place_of(plan, span.group, &group))
            continue;
        membership->rows[membership->count++] = (struct membership_row){
            .group = group,
            .country = codes_country(text_of(span.country)),
            .from = first_day(span.from),
            .to = last_day(span.to_exclusive),
        };
    }
}

void membership_init(struct membership *membership, const struct view_plan *plan, const struct reference *reference,
                     const char *reporter)
{
    *membership = (struct membership){0};
    if (reference)
        read_rows(membership, plan, reference, reporter);
    if (membership->count)
        qsort(membership->rows, membership->count, sizeof membership->rows[0], by_group_and_country);
    uint32_t row = 0;
    for (uint32_t group = 0; group <= VIEW_GROUPS_MOST; group++) {
        membership->begins[group] = row;
        while (row < membership->count && membership->rows[row].group == group)
            row++;
    }
}

void membership_fini(struct membership *membership)
{
    memory_free(membership->rows);
    *membership = (struct membership){0};
}

uint32_t membership_ever(const struct membership *membership, uint32_t country)
{
    uint32_t groups = 0;
    for (uint32_t i = 0; i < membership->count; i++)
        groups |= (uint32_t)(membership->rows[i].country == country) << membership->rows[i].group;
    return groups;
}

bool membership_next(const struct membership *membership, uint32_t group, int32_t day, uint32_t *place,
                     uint32_t *out_country)
{
    uint32_t count = membership->begins[group + 1] - membership->begins[group];
    const struct membership_row *rows = &membership->rows[membership->begins[group]];
    while (*place < count) {
        const struct membership_row *row = &rows[(*place)++];
        if (day < row->from || day > row->to)
            continue;
        while (*place < count && rows[*place].country == row->country) /* spans that overlap */
            (*place)++;
        *out_country = row->country;
        return true;
    }
    return false;
}
