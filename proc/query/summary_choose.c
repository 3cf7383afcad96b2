/* SPDX-License-Identifier: Apache-2.0 */
#include "query/summary_choose.h"

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
    static const char *const names[] = {"office",      "border_office", "zone",      "mode",
                                        "trade_mode",  "trader",        "declarant", "vehicle",
                                        "declaration", "container",     "crossing"};
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
static void judge_declarations(struct summary *summary)
{
    struct record_parts parts;
    records_split(records_sample(summary->records), &parts);
    for (uint32_t i = 0; i < parts.count; i++) {
        struct text name = records_name(parts.part[i]);
        if (is_kept(summary, i) || is_of_header(name))
            continue;
        if (text_is(name, "flow"))
            summary->flow_part = i;
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
    if (records_have_groups(summary->records))
        return err_set(
            info, ERR_CONFIG,
            "view %s has groups of countries, each record with the members of its own last day, so they do "
            "not add up over periods; ask a view with partner: --by partner_group --where partner_group=A+B, "
            "or /v1/statistics of the processor",
            records_view(summary->records));
    records_other_views(summary->records, &views);
    enum err err =
        err_set(info, ERR_CONFIG, "topic.statistics has no record of view %s%s%.*s", records_view(summary->records),
                views.length ? "; there are " : "", (int)views.length, views.data ? (const char *)views.data : "");
    buffer_fini(&views);
    return err;
}

static enum err add_group_name(struct summary *summary, struct text name, struct err_info *info)
{
    const struct reference *reference = summary->request.reference;
    if (summary->group_name_count == SUMMARY_GROUPS_MOST)
        return err_set(info, ERR_CONFIG, "--by partner_group: more than %d groups", SUMMARY_GROUPS_MOST);
    if (!reference || !composition_known(reference, name))
        return err_set(info, ERR_CONFIG, "--by partner_group: country_groups.csv of reference.dir has no group %.*s",
                       TEXT_ARGS(name));
    summary_compose(summary, name, &summary->compositions[summary->group_name_count]);
    summary->group_names[summary->group_name_count++] = name;
    return OK;
}

/* --by partner_group prints the groups that --where names: which others a country belongs to is nobody's question. */
static enum err choose_groups(struct summary *summary, struct err_info *info)
{
    bool is_asked = false;
    for (uint32_t i = 0; i < summary->column_count; i++)
        is_asked |= summary->columns[i].kind == ASPECT_GROUP;
    for (uint32_t i = 0; is_asked && i < summary->conditions.count; i++) {
        const struct condition *condition = &summary->conditions.list[i];
        for (uint32_t v = 0; condition->aspect.kind == ASPECT_GROUP && v < condition->value_count; v++)
            TRY(add_group_name(summary, condition->values[v].from, info));
    }
    if (is_asked && summary->group_name_count == 0)
        return err_set(info, ERR_CONFIG,
                       "--by partner_group needs --where partner_group=A+B: groups overlap, so say which");
    return OK;
}

enum err summary_choose(struct summary *summary, struct err_info *info)
{
    const struct summary_request *request = &summary->request;
    struct condition_groups groups = groups_of(summary);
    if (!records_sample(summary->records))
        return no_records(summary, info);
    edition_init(&summary->edition, records_sample(summary->records), request->reference, request->window);
    TRY(choose_columns(summary, info));
    TRY(choose_grain(summary, info));
    TRY(conditions_read(text_of(request->where), records_sample(summary->records), &groups, &summary->conditions,
                        info));
    TRY(choose_groups(summary, info));
    summary->has_count = request->count != NULL;
    summary->has_share = request->share != NULL;
    if (request->count)
        TRY(find_aspect(summary, "--count", text_of(request->count), &summary->count, info));
    if (request->share)
        TRY(find_aspect(summary, "--share", text_of(request->share), &summary->share, info));
    summary->flow_part = RECORDS_PARTS_MOST;
    judge_declarations(summary);
    if (!window_years(request->window, &summary->first_year, &summary->last_year) ||
        summary->first_year == summary->last_year)
        summary->first_year = summary->last_year = 0;
    return OK;
}
