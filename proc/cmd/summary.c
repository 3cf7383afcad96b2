/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/summary.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"

#include <stdlib.h>

enum { GROUPS_EXPECTED = 256, GROUP_NAMES_MOST = 64 };

/* What is only needed while the sums are made. */
struct making {
    struct summary *summary;
    struct table *index; /* values of the columns -> group */
    uint32_t capacity;
    struct table *whole_index; /* values of the columns but the one of --share -> whole */
    i128 *wholes;
    uint32_t whole_capacity;
    struct table *counted; /* group and value of --count */
    struct aspect count;
    struct aspect share;
    bool has_count;
    bool has_share;
    uint32_t flows;                            /* bits of M, X, RM, RX that were added up */
    uint32_t flow_part;                        /* RECORDS_PARTS_MOST: the view has no flow */
    bool has_unit;                             /* some record added has a unit of quantity */
    bool has_none;                             /* some has none */
    bool has_other_unit;                       /* some has another one */
    struct text group_names[GROUP_NAMES_MOST]; /* of --by partner_group */
    struct composition compositions[GROUP_NAMES_MOST];
    uint32_t group_name_count;
    struct buffer values;
    struct buffer scratch;
};

static const struct hash_key no_secret = {{0, 0}}; /* the values are our own; a flood would only slow a report */

static struct table_key place_of(const void *data, size_t length)
{
    struct hash128 hash = hash_sip128(data, length, &no_secret);
    return (struct table_key){{hash.word[0], hash.word[1], 0, 0}};
}

const char *summary_value(const struct group *group, uint32_t column)
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

static struct condition_groups groups_of(const struct summary *summary)
{
    return (struct condition_groups){
        .reference = summary->request.reference,
        .date = summary->request.composition_date ? summary->request.composition_date : summary->request.window.to,
        .reporter = text_of(records_reporter(summary->records)),
    };
}

void summary_compose(const struct summary *summary, struct text group, struct composition *out)
{
    struct condition_groups groups = groups_of(summary);
    if (groups.reference)
        condition_compose(&groups, group, out);
}

/* ---- the request ---- */

static enum err find_aspect(const struct summary *summary, const char *option, struct text name, struct aspect *out,
                            struct err_info *info)
{
    const char *key = records_sample(summary->records);
    if (aspect_find(name, key, out))
        return OK;
    struct buffer known = {0};
    aspect_names(key, &known);
    enum err err = err_set(info, ERR_CONFIG, "%s %.*s: view %s has %.*s", option, TEXT_ARGS(name),
                           records_view(summary->records), (int)known.length, (const char *)known.data);
    buffer_fini(&known);
    return err;
}

static enum err add_column(struct summary *summary, struct text name, struct err_info *info)
{
    if (summary->column_count == SUMMARY_COLUMNS_MOST)
        return err_set(info, ERR_CONFIG, "--by: more than %d names", SUMMARY_COLUMNS_MOST);
    TRY(find_aspect(summary, "--by", name, &summary->columns[summary->column_count], info));
    summary->column_count++;
    return OK;
}

static enum err choose_columns(struct summary *summary, struct err_info *info)
{
    struct record_parts parts;
    records_split(records_sample(summary->records), &parts);
    for (uint32_t i = 0; i < parts.count && !summary->request.by; i++)
        TRY(add_column(summary, records_name(parts.part[i]), info));
    struct text by = text_of(summary->request.by);
    while (by.length > 0)
        TRY(add_column(summary, text_trim(text_cut(&by, ',')), info));
    return OK;
}

/* Every declaration has one value of these, so that leaving them out counts none twice. */
static bool is_of_header(struct text name)
{
    static const char *const names[] = {"office", "border_office", "zone", "mode", "trade_mode"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (text_is(name, names[i]))
            return true;
    }
    return false;
}

static bool is_kept(const struct summary *summary, uint32_t part)
{
    for (uint32_t i = 0; i < summary->column_count; i++) {
        if (summary->columns[i].kind == ASPECT_PART && summary->columns[i].part == part)
            return true;
    }
    for (uint32_t i = 0; i < summary->conditions.count; i++) {
        if (condition_fixes(&summary->conditions.list[i], part))
            return true;
    }
    return false;
}

/* What of the key is added up may count a declaration twice. */
static void judge_declarations(struct making *making)
{
    struct summary *summary = making->summary;
    struct record_parts parts;
    records_split(records_sample(summary->records), &parts);
    for (uint32_t i = 0; i < parts.count; i++) {
        struct text name = records_name(parts.part[i]);
        if (is_kept(summary, i) || is_of_header(name))
            continue;
        if (text_is(name, "flow"))
            making->flow_part = i;
        else
            summary->no_declarations = aspect_commodity_digits(name)
                                           ? "a declaration may have items of several commodities"
                                           : "a declaration may have items of several partners or regions";
    }
    for (uint32_t i = 0; i < summary->column_count; i++) {
        if (summary->columns[i].kind == ASPECT_GROUP)
            summary->no_declarations = "a declaration may have items of several partners or regions";
    }
}

static enum err choose_grain(struct summary *summary, struct err_info *info)
{
    const char *view = records_view(summary->records);
    summary->by_month = !records_have(summary->records, false);
    if (summary->by_month && !window_is_months(summary->request.window))
        return err_set(info, ERR_CONFIG,
                       "view %s has records of months only, so the period must be whole months; for days set "
                       "view.%s=DIM,...@day, and view.%s.publish=day,month if that is set",
                       view, view, view);
    return OK;
}

static enum err no_records(const struct summary *summary, struct err_info *info)
{
    struct buffer views = {0};
    records_other_views(summary->records, &views);
    enum err err =
        err_set(info, ERR_CONFIG, "topic.statistics has no record of view %s%s%.*s", records_view(summary->records),
                views.length ? "; there are " : "", (int)views.length, views.data ? (const char *)views.data : "");
    buffer_fini(&views);
    return err;
}

static enum err add_group_name(struct making *making, struct text name, struct err_info *info)
{
    const struct reference *reference = making->summary->request.reference;
    if (making->group_name_count == GROUP_NAMES_MOST)
        return err_set(info, ERR_CONFIG, "--by partner_group: more than %d groups", GROUP_NAMES_MOST);
    if (!reference || !composition_known(reference, name))
        return err_set(info, ERR_CONFIG, "--by partner_group: country_groups.csv of reference.dir has no group %.*s",
                       TEXT_ARGS(name));
    summary_compose(making->summary, name, &making->compositions[making->group_name_count]);
    making->group_names[making->group_name_count++] = name;
    return OK;
}

/* --by partner_group prints the groups that --where names: which others a country belongs to is nobody's question. */
static enum err choose_groups(struct making *making, struct err_info *info)
{
    struct summary *summary = making->summary;
    bool is_asked = false;
    for (uint32_t i = 0; i < summary->column_count; i++)
        is_asked |= summary->columns[i].kind == ASPECT_GROUP;
    for (uint32_t i = 0; is_asked && i < summary->conditions.count; i++) {
        const struct condition *condition = &summary->conditions.list[i];
        for (uint32_t v = 0; condition->aspect.kind == ASPECT_GROUP && v < condition->value_count; v++)
            TRY(add_group_name(making, condition->values[v].from, info));
    }
    if (is_asked && making->group_name_count == 0)
        return err_set(info, ERR_CONFIG,
                       "--by partner_group needs --where partner_group=A+B: groups overlap, so say which");
    return OK;
}

static enum err read_request(struct making *making, struct err_info *info)
{
    struct summary *summary = making->summary;
    const struct summary_request *request = &summary->request;
    struct condition_groups groups = groups_of(summary);
    if (!records_sample(summary->records))
        return no_records(summary, info);
    TRY(choose_columns(summary, info));
    TRY(choose_grain(summary, info));
    TRY(conditions_read(text_of(request->where), records_sample(summary->records), &groups, &summary->conditions,
                        info));
    TRY(choose_groups(making, info));
    making->has_count = request->count != NULL;
    making->has_share = request->share != NULL;
    if (request->count)
        TRY(find_aspect(summary, "--count", text_of(request->count), &making->count, info));
    if (request->share)
        TRY(find_aspect(summary, "--share", text_of(request->share), &making->share, info));
    making->flow_part = RECORDS_PARTS_MOST;
    judge_declarations(making);
    if (!window_years(request->window, &summary->first_year, &summary->last_year) ||
        summary->first_year == summary->last_year)
        summary->first_year = summary->last_year = 0;
    return OK;
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

static struct group *group_of(struct making *making)
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
        summary->groups[index] = (struct group){.values = memory_copy_text(values, making->values.length)};
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
static void count_value(struct making *making, struct group *group, uint32_t group_number, const struct record *record)
{
    buffer_clear(&making->scratch);
    buffer_add_u32(&making->scratch, group_number);
    size_t head = making->scratch.length;
    aspect_put(&making->count, record, 0, &making->scratch);
    struct text value = {(const char *)making->scratch.data + head, (uint32_t)(making->scratch.length - head)};
    bool is_partner = strncmp(making->count.name, "partner", 7) == 0;
    if (value.length == 0 || (is_partner && text_is(value, "ZZ")))
        return;
    struct table_key place = place_of(making->scratch.data, making->scratch.length);
    bool added;
    table_put(making->counted, &place, table_hash(&place), &added);
    group->distinct += added;
}

static void add_now(struct making *making, struct group *group, uint32_t group_number, const struct record *record)
{
    const struct summary *summary = making->summary;
    measure_add(&group->now, record);
    group->has_now = true;
    if (record->from / 10000 == summary->first_year)
        group->first_year_value += record->value_minor;
    if (record->from / 10000 == summary->last_year)
        group->last_year_value += record->value_minor;
    if (making->has_count)
        count_value(making, group, group_number, record);
}

static void add_base(struct group *group, const struct record *record)
{
    measure_add(&group->base, record);
    group->has_base = true;
}

/* The groups that a record belongs to: one, or one for each country group that its partner is in. */
static void add_to_groups(struct making *making, const struct record *record, bool is_base)
{
    uint32_t names = making->group_name_count ? making->group_name_count : 1;
    for (uint32_t i = 0; i < names; i++) {
        char name[ASPECT_NAME_BYTES] = "";
        if (making->group_name_count) {
            const struct condition *found = NULL;
            for (uint32_t c = 0; c < making->summary->conditions.count; c++) {
                if (making->summary->conditions.list[c].aspect.kind == ASPECT_GROUP)
                    found = &making->summary->conditions.list[c];
            }
            buffer_clear(&making->scratch);
            aspect_put(&found->aspect, record, 0, &making->scratch);
            struct text partner = {(const char *)making->scratch.data, (uint32_t)making->scratch.length};
            if (!composition_has(&making->compositions[i], partner))
                continue;
            memcpy(name, making->group_names[i].data, making->group_names[i].length);
        }
        if (!values_of(making, record, is_base, name, NULL))
            continue;
        struct group *group = group_of(making);
        if (is_base)
            add_base(group, record);
        else
            add_now(making, group, (uint32_t)(group - making->summary->groups) + 1, record);
    }
}

/* What was added up, for the reasons why a sum says nothing. */
static void watch(struct making *making, const struct record *record)
{
    static const char *const flows[] = {"M", "X", "RM", "RX"};
    struct record_parts parts;
    if (making->flow_part < RECORDS_PARTS_MOST) {
        records_split(record->key, &parts);
        for (uint32_t i = 0; i < 4; i++) {
            if (text_is(records_value(parts.part[making->flow_part]), flows[i]))
                making->flows |= 1U << i;
        }
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
    return making->has_share && strcmp(condition->aspect.name, making->share.name) == 0;
}

static void add_record(struct making *making, const struct record *record)
{
    struct summary *summary = making->summary;
    bool is_now = window_holds(summary->request.window, record->from, record->to);
    bool is_base = window_holds(summary->before, record->from, record->to);
    bool is_selected = true;
    if (!is_now && !is_base)
        return;
    for (uint32_t i = 0; i < summary->conditions.count; i++) {
        const struct condition *condition = &summary->conditions.list[i];
        if (condition_holds(condition, record, &making->scratch))
            continue;
        if (!is_about_share(making, condition))
            return;
        is_selected = false;
    }
    if (is_now && values_of(making, record, 0, NULL, making->has_share ? making->share.name : NULL))
        *whole_of(making) += record->value_minor;
    if (!is_selected)
        return;
    watch(making, record);
    if (is_now) {
        add_to_groups(making, record, false);
        add_now(making, &summary->total, 0, record);
    }
    if (is_base) {
        add_to_groups(making, record, true);
        add_base(&summary->total, record);
    }
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
        struct group *group = &summary->groups[i];
        group->whole_value = all;
        if (!making->has_share)
            continue;
        buffer_clear(&making->values);
        for (uint32_t c = 0; c < summary->column_count; c++) {
            if (strcmp(summary->columns[c].name, making->share.name) != 0 && summary->columns[c].kind != ASPECT_GROUP)
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

/* The largest first; equal ones by their first column. */
static int compare_groups(const void *a, const void *b)
{
    const struct group *left = a;
    const struct group *right = b;
    if (left->order != right->order)
        return left->order < right->order ? 1 : -1;
    return strcmp(left->values, right->values);
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
        struct group *group = &summary->groups[i];
        add_sums(&summary->rest.now, &group->now);
        add_sums(&summary->rest.base, &group->base);
        summary->rest.has_now |= group->has_now;
        summary->rest.has_base |= group->has_base;
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
        struct group *group = &summary->groups[i];
        group->order = by_name ? 0 : measure == MEASURE_COUNT ? (i128)group->distinct : group->now.of[measure];
    }
    if (summary->group_count)
        qsort(summary->groups, summary->group_count, sizeof summary->groups[0], compare_groups);
    cut_groups(summary);
    return OK;
}

static void say_reasons(struct making *making)
{
    struct summary *summary = making->summary;
    enum { M = 1, X = 2, RM = 4, RX = 8 };
    if (!summary->no_declarations && ((making->flows & (M | RM)) == (M | RM) || (making->flows & (X | RX)) == (X | RX)))
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
    TRY(read_request(making, info));
    for (uint32_t i = 0; i < records_count(summary->records); i++) {
        const struct record *record = records_at(summary->records, i);
        if (record->items > 0 && record->month == summary->by_month)
            add_record(making, record);
    }
    set_wholes(making);
    drop_bases(summary);
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
    enum err err = make(making, info);
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
