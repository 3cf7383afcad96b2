/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/list_row.h"

/* A code with the days on which it holds; it may have several rows. */
static enum err period_row(struct list_row *row, struct codes *codes)
{
    struct reference *reference = row->reference;
    uint64_t key = 0;
    struct period period = {0};
    TRY(list_row_key(row, 0, &key));
    TRY(list_row_date(row, 1, 0, &period.from));
    TRY(list_row_date(row, 2, UINT32_MAX, &period.to));
    if (period.to < period.from)
        return ROW_WRONG(row, 2, "it lies before valid_from");
    uint32_t index = reference->periods_count;
    uint32_t first = index;
    reference->periods = list_row_room(reference->periods, index, sizeof *reference->periods);
    reference->periods_count++;
    if (!codes_put(codes, key, index, &first)) {
        period.next = reference->periods[first].next;
        reference->periods[first].next = index + 1;
    }
    reference->periods[index] = period;
    return OK;
}

enum err list_places_office(struct list_row *row)
{
    return period_row(row, &row->reference->offices);
}

enum err list_places_pilot_zone(struct list_row *row)
{
    return period_row(row, &row->reference->pilot_zones);
}

enum err list_places_country(struct list_row *row)
{
    uint32_t place = 0;
    TRY(list_row_letters2(row, 0, &place));
    if (lists_country(row->reference, row->field[0]))
        return list_row_twice(row, 0);
    uint32_t pair = codes_country(row->field[0]);
    row->reference->country[pair / 64] |= 1ull << (pair % 64);
    return OK;
}

enum err list_places_neighbour(struct list_row *row)
{
    uint32_t country = 0;
    uint32_t other = 0;
    uint32_t there = 0;
    TRY(list_row_letters2(row, 0, &country));
    TRY(list_row_letters2(row, 1, &other));
    char pair[4] = {row->field[0].data[0], row->field[0].data[1], row->field[1].data[0], row->field[1].data[1]};
    if (!codes_put(&row->reference->neighbours, codes_key((struct text){pair, sizeof pair}), 1, &there))
        return list_row_twice(row, 1);
    row->reference->has_neighbours[country] = 1;
    return OK;
}

enum err list_places_group(struct list_row *row)
{
    struct reference *reference = row->reference;
    struct text name = row->field[0];
    struct group_row group = {0};
    uint32_t place = 0;
    if (name.length == 0 || name.length >= sizeof group.group)
        return ROW_WRONG(row, 0, "\"%.*s\": a group has a name of 1 to %zu bytes", TEXT_ARGS(name),
                         sizeof group.group - 1);
    memcpy(group.group, name.data, name.length);
    TRY(list_row_letters2(row, 1, &place));
    memcpy(group.country, row->field[1].data, 2);
    TRY(list_row_date(row, 2, 0, &group.from));
    TRY(list_row_date(row, 3, UINT32_MAX, &group.to_exclusive));
    if (group.to_exclusive <= group.from)
        return ROW_WRONG(row, 3, "it does not lie after \"from\"");
    uint32_t count = reference->groups_count;
    reference->groups = list_row_room(reference->groups, count, sizeof group);
    reference->groups[reference->groups_count++] = group;
    return OK;
}

enum err list_places_locode(struct list_row *row)
{
    struct text code = row->field[0];
    uint32_t country = lists_letters2((struct text){code.data, code.length < 2 ? code.length : 2});
    if (code.length != 5 || country == CODE_NONE)
        return ROW_WRONG(row, 0, "\"%.*s\" is no UN/LOCODE; write five characters, the country first", TEXT_ARGS(code));
    uint32_t there = 0;
    if (!codes_put(&row->reference->locodes, codes_key(code), 1, &there))
        return list_row_twice(row, 0);
    row->reference->locode_country[country] = 1;
    return OK;
}
