/* SPDX-License-Identifier: Apache-2.0 */
#include "query/summary.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"
#include "flow/cell.h"
#include "query/summary_choose.h"

#include <stdlib.h>

enum { GROUPS_EXPECTED = 256 };

/* What is only needed while the sums are made. */
struct making {
    struct summary *summary;
    struct table *index; /* values of the columns -> group */
    uint32_t capacity;
    struct table *whole_index; /* values of the columns but the one of --share -> whole */
    i128 *wholes;
    uint32_t whole_capacity;
    struct table *counted; /* group and value of --count */
    uint32_t flows;        /* a bit of each that was added up */
    bool has_unit;         /* some record added has a unit of quantity */
    bool has_none;         /* some has none */
    bool has_other_unit;   /* some has another one */
    struct table *flagged; /* values of the columns -> flags: groups that lack goods of codes that were split */
    unsigned *flags;
    uint32_t flag_capacity;
    struct edition_keys keys;
    struct buffer values;
    struct buffer scratch;
};

static const struct hash_key no_secret = {{0, 0}}; /* the values are our own; a flood would only slow a report */

static struct table_key place_of(const void *data, size_t length)
{
    struct hash128 hash = hash_sip128(data, length, &no_secret);
    return (struct table_key){{hash.word[0], hash.word[1], 0, 0}};
}

const char *summary_value(const struct summary_group *group, uint32_t column)
{
    const char *at = group->values;
    while (column-- > 0)
        at += strlen(at) + 1;
    return at;
}

void summary_free(struct summary *summary)
{
    if (!summary)
        return;
    for (uint32_t i = 0; i < summary->group_count; i++)
        memory_free(summary->groups[i].values);
    memory_free(summary->groups);
    memory_free(summary);
}

/* ---- sums ---- */

/* The record's values of the columns, each ended by zero; false if the year that it is compared with lacks the day. `without`: a
 * column that is left empty. */
static bool values_of(struct making *making, const struct record *record, uint32_t years, const char *group_name,
                      const char *without)
{
    const struct summary *summary = making->summary;
    buffer_clear(&making->values);
    for (uint32_t i = 0; i < summary->column_count; i++) {
        const struct aspect *column = &summary->columns[i];
        if (column->kind == ASPECT_GROUP)
            buffer_add_text(&making->values, group_name ? group_name : "");
        else if (!(without && strcmp(column->name, without) == 0) &&
                 !aspect_put(column, record, years, &making->values))
            return false;
        buffer_add_u8(&making->values, 0);
    }
    return true;
}

static struct summary_group *group_of(struct making *making)
{
    struct summary *summary = making->summary;
    struct table_key place = place_of(making->values.data, making->values.length);
    bool added;
    uint32_t index = table_put(making->index, &place, table_hash(&place), &added);
    if (index == making->capacity) {
        making->capacity = making->capacity ? making->capacity * 2 : GROUPS_EXPECTED;
        summary->groups = memory_resize(summary->groups, making->capacity, sizeof summary->groups[0]);
    }
    if (added) {
        const char *values = making->values.data ? (const char *)making->values.data : "";
        summary->groups[index] = (struct summary_group){.values = memory_copy_text(values, making->values.length),
                                                        .values_bytes = (uint32_t)making->values.length};
        summary->group_count++;
    }
    return &summary->groups[index];
}

static i128 *whole_of(struct making *making)
{
    struct table_key place = place_of(making->values.data, making->values.length);
    bool added;
    uint32_t index = table_put(making->whole_index, &place, table_hash(&place), &added);
    if (index == making->whole_capacity) {
        making->whole_capacity = making->whole_capacity ? making->whole_capacity * 2 : GROUPS_EXPECTED;
        making->wholes = memory_resize(making->wholes, making->whole_capacity, sizeof making->wholes[0]);
    }
    if (added)
        making->wholes[index] = 0;
    return &making->wholes[index];
}

/* A value of --count is one more of a group when it comes for the first time; an unknown partner is no partner. */
static void count_value(struct making *making, struct summary_group *group, uint32_t group_number,
                        const struct record *record)
{
    buffer_clear(&making->scratch);
    buffer_add_u32(&making->scratch, group_number);
    size_t head = making->scratch.length;
    aspect_put(&making->summary->count, record, 0, &making->scratch);
    struct text value = {(const char *)making->scratch.data + head, (uint32_t)(making->scratch.length - head)};
    bool is_partner = strncmp(making->summary->count.name, "partner", 7) == 0;
    if (value.length == 0 || (is_partner && text_is(value, "ZZ")))
        return;
    struct table_key place = place_of(making->scratch.data, making->scratch.length);
    bool added;
    table_put(making->counted, &place, table_hash(&place), &added);
    group->distinct += added;
}

static void add_now(struct making *making, struct summary_group *group, uint32_t group_number,
                    const struct record *record)
{
    const struct summary *summary = making->summary;
    measure_add(&group->now, record);
    group->has_now = true;
    if (record->from / 10000 == summary->first_year)
        group->first_year_value += record->value_minor;
    if (record->from / 10000 == summary->last_year)
        group->last_year_value += record->value_minor;
    if (making->summary->has_count)
        count_value(making, group, group_number, record);
}

static void add_base(struct summary_group *group, const struct record *record)
{
    measure_add(&group->base, record);
    group->has_base = true;
}

/* The groups that a record belongs to: one, or one for each country group that its partner is in. */
static void add_to_groups(struct making *making, const struct record *record, bool is_base)
{
    uint32_t names = making->summary->group_name_count ? making->summary->group_name_count : 1;
    for (uint32_t i = 0; i < names; i++) {
        char name[ASPECT_NAME_BYTES] = "";
        if (making->summary->group_name_count) {
            const struct condition *found = NULL;
            for (uint32_t c = 0; c < making->summary->conditions.count; c++) {
                if (making->summary->conditions.list[c].aspect.kind == ASPECT_GROUP)
                    found = &making->summary->conditions.list[c];
            }
            buffer_clear(&making->scratch);
            aspect_put(&found->aspect, record, 0, &making->scratch);
            struct text partner = {(const char *)making->scratch.data, (uint32_t)making->scratch.length};
            if (!composition_has(&making->summary->compositions[i], partner))
                continue;
            memcpy(name, making->summary->group_names[i].data, making->summary->group_names[i].length);
        }
        if (!values_of(making, record, is_base, name, NULL))
            continue;
        struct summary_group *group = group_of(making);
        if (is_base)
            add_base(group, record);
        else
            add_now(making, group, (uint32_t)(group - making->summary->groups) + 1, record);
    }
}

/* What was added up, for the reasons why a sum says nothing. */
static void watch(struct making *making, const struct record *record)
{
    struct record_parts parts;
    enum flow flow;
    if (making->summary->flow_part < RECORDS_PARTS_MOST) {
        records_split(record->key, &parts);
        if (flow_of_name(records_value(parts.part[making->summary->flow_part]), &flow))
            making->flows |= 1U << flow;
    }
    char *unit = making->summary->quantity_unit;
    if (record->quantity_unit[0] == '\0')
        making->has_none = true;
    else if (!making->has_unit)
        memcpy(unit, record->quantity_unit, sizeof record->quantity_unit);
    else if (strcmp(unit, record->quantity_unit) != 0)
        making->has_other_unit = true;
    making->has_unit |= record->quantity_unit[0] != '\0';
}

static bool is_about_share(const struct making *making, const struct condition *condition)
{
    return making->summary->has_share && strcmp(condition->aspect.name, making->summary->share.name) == 0;
}

/* Where a record goes. */
struct place {
    bool is_now;
    bool is_base;
    bool is_selected; /* but for conditions on what shares are of */
    bool is_excluded;
};

static struct place place_record(struct making *making, const struct record *record)
{
    const struct summary *summary = making->summary;
    struct place place = {.is_now = window_holds(summary->request.window, record->from, record->to),
                          .is_base = window_holds(summary->before, record->from, record->to),
                          .is_selected = true};
    place.is_excluded = !place.is_now && !place.is_base;
    for (uint32_t i = 0; i < summary->conditions.count && !place.is_excluded; i++) {
        const struct condition *condition = &summary->conditions.list[i];
        if (condition_holds(condition, record, &making->scratch))
            continue;
        place.is_excluded = !is_about_share(making, condition);
        place.is_selected = false;
    }
    return place;
}

/* Groups have the flag that the record's values name; it need not have any figures. */
static void flag(struct making *making, const struct record *record, bool is_base, unsigned bits)
{
    bool added;
    if (!values_of(making, record, is_base, NULL, NULL))
        return;
    struct table_key key = place_of(making->values.data, making->values.length);
    uint32_t index = table_put(making->flagged, &key, table_hash(&key), &added);
    if (index == making->flag_capacity) {
        making->flag_capacity = making->flag_capacity ? making->flag_capacity * 2 : GROUPS_EXPECTED;
        making->flags = memory_resize(making->flags, making->flag_capacity, sizeof making->flags[0]);
    }
    making->flags[index] = (added ? 0 : making->flags[index]) | bits;
}

static void add_placed(struct making *making, const struct record *record, struct place place)
{
    struct summary *summary = making->summary;
    if (place.is_now &&
        values_of(making, record, 0, NULL, making->summary->has_share ? making->summary->share.name : NULL))
        *whole_of(making) += record->value_minor;
    if (!place.is_selected)
        return;
    watch(making, record);
    if (place.is_now) {
        add_to_groups(making, record, false);
        add_now(making, &summary->total, 0, record);
    }
    if (place.is_base) {
        add_to_groups(making, record, true);
        add_base(&summary->total, record);
    }
}

/* Whether all codes of a record lead to the same group: then it does not matter which they are. with_own: its own code, too. */
static bool is_one_group(struct making *making, const struct record *record, bool is_base, bool with_own)
{
    struct table_key first = {{0, 0, 0, 0}};
    for (uint32_t i = 0; i < making->keys.count + with_own; i++) {
        struct record moved = *record;
        if (i < making->keys.count)
            moved.key = making->keys.keys[i];
        if (!values_of(making, &moved, is_base, NULL, NULL))
            return true;
        struct table_key key = place_of(making->values.data, making->values.length);
        if (i > 0 && !table_key_equal(&first, &key))
            return false;
        first = key;
    }
    return true;
}

/* A record of HS 2017 whose code is another one now, or several. */
static void add_moved(struct making *making, const struct record *record)
{
    struct summary *summary = making->summary;
    const struct edition_keys *keys = &making->keys;
    struct place place = {0};
    uint32_t taken = 0;
    struct record moved = *record;
    for (uint32_t i = keys->count; i-- > 0;) { /* the last one looked at is the conversion */
        moved.key = making->keys.keys[i];
        place = place_record(making, &moved);
        taken += !place.is_excluded;
    }
    if (taken == 0)
        return;
    bool one = is_one_group(making, record, place.is_base, false);
    bool is_all = taken == keys->count;
    enum edition_flag bits = one && is_all                  ? EDITION_CONVERTED
                             : keys->move == HS_MOVE_SPLIT  ? EDITION_SPLIT
                             : keys->move == HS_MOVE_MOSTLY ? EDITION_APPROXIMATE
                                                            : EDITION_CONVERTED;
    bool moves_nothing = is_all && is_one_group(making, record, place.is_base, true);
    for (uint32_t i = 0; i < keys->count && !moves_nothing; i++) {
        moved.key = making->keys.keys[i];
        struct place target = place_record(making, &moved);
        if (!target.is_excluded && target.is_selected && target.is_now)
            flag(making, &moved, false, bits);
        if (!target.is_excluded && target.is_selected && target.is_base)
            flag(making, &moved, true, bits);
    }
    if (!is_all)
        summary->total.edition |= bits;
    if (bits == EDITION_SPLIT) { /* under its own code, if all of it belongs to the selection */
        struct place own = place_record(making, record);
        own.is_excluded = !is_all;
        own.is_selected = is_all;
        if (is_all) {
            flag(making, record, own.is_base, bits);
            add_placed(making, record, own);
        }
        return;
    }
    moved.key = making->keys.keys[0];
    if (!place.is_excluded)
        add_placed(making, &moved, place);
}

static void add_record(struct making *making, const struct record *record)
{
    edition_keys(&making->summary->edition, record, &making->keys);
    if (making->keys.count > 0) {
        add_moved(making, record);
        return;
    }
    struct place place = place_record(making, record);
    if (!place.is_excluded)
        add_placed(making, record, place);
}

/* ---- after the sums ---- */

/* A sum of wholes: of the group's own key, or of all. */
static void set_wholes(struct making *making)
{
    struct summary *summary = making->summary;
    i128 all = 0;
    for (uint32_t i = 0; i < table_count(making->whole_index); i++)
        all += making->wholes[i];
    summary->total.whole_value = all;
    for (uint32_t i = 0; i < summary->group_count; i++) {
        struct summary_group *group = &summary->groups[i];
        group->whole_value = all;
        if (!making->summary->has_share)
            continue;
        buffer_clear(&making->values);
        for (uint32_t c = 0; c < summary->column_count; c++) {
            if (strcmp(summary->columns[c].name, making->summary->share.name) != 0 &&
                summary->columns[c].kind != ASPECT_GROUP)
                buffer_add_text(&making->values, summary_value(group, c));
            buffer_add_u8(&making->values, 0);
        }
        group->whole_value = *whole_of(making);
    }
}

/* A window longer than a year shares days with the one before: no growth is said of it but by shorter times. */
static void drop_bases(struct summary *summary)
{
    bool has_time = false;
    for (uint32_t i = 0; i < summary->column_count; i++)
        has_time |= aspect_is_time(&summary->columns[i]);
    if (window_is_within_a_year(summary->request.window))
        return;
    summary->total.has_base = false;
    for (uint32_t i = 0; i < summary->group_count && !has_time; i++)
        summary->groups[i].has_base = false;
}

/* Of a code that was split no year before is known, nor of the codes that have its goods. */
static void set_editions(struct making *making)
{
    struct summary *summary = making->summary;
    const struct edition *edition = &summary->edition;
    unsigned all = edition->is_active && !edition->has_list ? EDITION_UNCONVERTED : EDITION_NONE;
    for (uint32_t i = 0; i < summary->group_count; i++) {
        struct summary_group *group = &summary->groups[i];
        struct table_key key = place_of(group->values, group->values_bytes);
        uint32_t index = table_find(making->flagged, &key, table_hash(&key));
        group->edition = all | (index == TABLE_NONE ? 0 : making->flags[index]);
        if (group->edition & EDITION_SPLIT)
            group->has_base = false;
    }
    summary->total.edition |= all;
    if (summary->total.edition & EDITION_SPLIT)
        summary->total.has_base = false;
}

static enum err choose_order(struct making *making, enum measure *out, bool *out_by_name, struct err_info *info)
{
    const struct summary *summary = making->summary;
    const char *sort = summary->request.sort;
    *out = MEASURE_VALUE;
    *out_by_name = sort ? strcmp(sort, "name") == 0 : summary->column_count && aspect_is_time(&summary->columns[0]);
    if (!sort || *out_by_name || (measure_find(text_of(sort), out) && (measure_is_sum(*out) || *out == MEASURE_COUNT)))
        return OK;
    return err_set(
        info, ERR_CONFIG,
        "--sort %s: there are name, value, customs, net, gross, quantity, declarations, items, packages and count",
        sort);
}

/* The largest first; equal ones by their columns, one after the other, so that the order of the records does not matter. */
static int compare_groups(const void *a, const void *b)
{
    const struct summary_group *left = a;
    const struct summary_group *right = b;
    if (left->order != right->order)
        return left->order < right->order ? 1 : -1;
    uint32_t bytes = left->values_bytes < right->values_bytes ? left->values_bytes : right->values_bytes;
    int difference = bytes ? memcmp(left->values, right->values, bytes) : 0;
    return difference ? difference
                      : (left->values_bytes > right->values_bytes) - (left->values_bytes < right->values_bytes);
}

static void add_sums(struct sums *sums, const struct sums *more)
{
    for (int i = 0; i < MEASURE_SUMS; i++)
        sums->of[i] += more->of[i];
}

/* Leaves the first ones of --top, and the sum of the others. */
static void cut_groups(struct summary *summary)
{
    int64_t top = summary->request.top;
    if (top <= 0 || (int64_t)summary->group_count <= top)
        return;
    for (uint32_t i = (uint32_t)top; i < summary->group_count; i++) {
        struct summary_group *group = &summary->groups[i];
        add_sums(&summary->rest.now, &group->now);
        add_sums(&summary->rest.base, &group->base);
        summary->rest.has_now |= group->has_now;
        summary->rest.has_base |= group->has_base;
        summary->rest.edition |= group->edition;
        memory_free(group->values);
    }
    summary->rest.whole_value = summary->total.whole_value;
    summary->rest_count = summary->group_count - (uint32_t)top;
    summary->group_count = (uint32_t)top;
}

static enum err order_groups(struct making *making, struct err_info *info)
{
    struct summary *summary = making->summary;
    enum measure measure;
    bool by_name;
    TRY(choose_order(making, &measure, &by_name, info));
    for (uint32_t i = 0; i < summary->group_count; i++) {
        struct summary_group *group = &summary->groups[i];
        group->order = by_name ? 0 : measure == MEASURE_COUNT ? (i128)group->distinct : group->now.of[measure];
    }
    if (summary->group_count)
        qsort(summary->groups, summary->group_count, sizeof summary->groups[0], compare_groups);
    cut_groups(summary);
    return OK;
}

static bool has_both(const struct making *making, enum flow a, enum flow b)
{
    return making->flows & 1U << a && making->flows & 1U << b;
}

static void say_reasons(struct making *making)
{
    struct summary *summary = making->summary;
    if (!summary->no_declarations && (has_both(making, FLOW_M, FLOW_RM) || has_both(making, FLOW_X, FLOW_RX)))
        summary->no_declarations = "a declaration may have items in a flow and in its re-imports or re-exports";
    if (!making->has_unit)
        summary->no_quantity =
            "no record has a supplementary unit: it takes a view with hs6 or finer, and goods with a unit";
    else if (making->has_other_unit)
        summary->no_quantity = "the goods have different supplementary units, which are never added";
    else if (making->has_none)
        summary->no_quantity = "some of the goods have no supplementary unit";
}

static enum err make(struct making *making, struct err_info *info)
{
    struct summary *summary = making->summary;
    TRY(summary_choose(summary, info));
    for (uint32_t i = 0; i < records_count(summary->records); i++) {
        const struct record *record = records_at(summary->records, i);
        if ((record->items > 0 || record->is_mention) && record->month == summary->by_month)
            add_record(making, record);
    }
    set_wholes(making);
    drop_bases(summary);
    set_editions(making);
    say_reasons(making);
    return order_groups(making, info);
}

enum err summary_make(const struct records *records, const struct summary_request *request, struct summary **out,
                      struct err_info *info)
{
    struct making *making = memory_new(1, sizeof *making);
    struct summary *summary = memory_new(1, sizeof *summary);
    summary->records = records;
    summary->request = *request;
    summary->before = window_year_before(request->window);
    making->summary = summary;
    making->index = table_new(GROUPS_EXPECTED);
    making->whole_index = table_new(GROUPS_EXPECTED);
    making->counted = table_new(GROUPS_EXPECTED);
    making->flagged = table_new(GROUPS_EXPECTED);
    enum err err = make(making, info);
    table_free(making->flagged);
    memory_free(making->flags);
    table_free(making->counted);
    table_free(making->whole_index);
    table_free(making->index);
    memory_free(making->wholes);
    buffer_fini(&making->values);
    buffer_fini(&making->scratch);
    memory_free(making);
    if (err == OK)
        *out = summary;
    else
        summary_free(summary);
    return err;
}
