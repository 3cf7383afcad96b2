/* SPDX-License-Identifier: Apache-2.0 */
#include "query/ask.h"

#include "flow/hours.h"
#include "trade/calendar.h"

#include <string.h>

static const char *const names[] = {"view",  "period", "period_from", "period_to",   "by",    "where",
                                    "count", "share",  "sort",        "composition", "limit", "format"};

/* Fields of customs.v1.Statistic whose dimension has another name. */
static const char *const fields[][2] = {
    {"office_code", "office"}, {"border_office_code", "border_office"},
    {"zone_code", "zone"},     {"transport_mode", "mode"},
    {"region_code", "region"},
};

void ask_add(struct ask *ask, const char *name, const char *value)
{
    if (ask->count == ASK_PARAMETERS_MOST) {
        ask->has_more = true;
        return;
    }
    ask->names[ask->count] = ask->texts.length;
    buffer_add(&ask->texts, name, strlen(name) + 1);
    ask->values[ask->count++] = ask->texts.length;
    buffer_add(&ask->texts, value, strlen(value) + 1);
}

void ask_fini(struct ask *ask)
{
    buffer_fini(&ask->texts);
    buffer_fini(&ask->key);
    buffer_fini(&ask->where);
    buffer_fini(&ask->by);
}

static const char *name_at(const struct ask *ask, uint32_t i)
{
    return (const char *)ask->texts.data + ask->names[i];
}

static const char *value_at(const struct ask *ask, uint32_t i)
{
    return (const char *)ask->texts.data + ask->values[i];
}

/* NULL if it was not given. */
static const char *value_of(const struct ask *ask, const char *name)
{
    for (uint32_t i = 0; i < ask->count; i++) {
        if (strcmp(name_at(ask, i), name) == 0)
            return value_at(ask, i);
    }
    return NULL;
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static enum err check_twice(const struct ask *ask, struct err_info *info)
{
    if (ask->has_more)
        return err_set(info, ERR_CONFIG, "more than %d parameters", ASK_PARAMETERS_MOST);
    for (uint32_t i = 0; i < ask->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(name_at(ask, i), name_at(ask, j)) == 0)
                return err_set(info, ERR_CONFIG,
                               "%s is given twice; several values stand in one, with + between: flow=M+X",
                               name_at(ask, i));
        }
    }
    return OK;
}

/* ---- view ---- */

static void add_views(const struct view_plan *plan, struct buffer *out)
{
    for (uint32_t i = 0; i < plan->count; i++)
        buffer_add_format(out, "%s%s", i ? ", " : "", plan->views[i].name);
    buffer_add_u8(out, 0);
}

static enum err read_view(struct ask *ask, const struct view_plan *plan, struct err_info *info)
{
    const char *name = value_of(ask, "view");
    int32_t index = name ? view_plan_find(plan, text_of(name)) : -1;
    if (index < 0) {
        struct buffer known = {0};
        add_views(plan, &known);
        enum err err = name ? err_set(info, ERR_CONFIG, "view=%s: there are %s", name, (const char *)known.data)
                            : err_set(info, ERR_CONFIG, "view is missing: there are %s", (const char *)known.data);
        buffer_fini(&known);
        return err;
    }
    ask->view_index = (uint32_t)index;
    ask->view = &plan->views[index];
    buffer_add_format(&ask->key, "%s|||", ask->view->name);
    for (uint32_t i = 0; i < ask->view->dimension_count; i++) {
        const char *dimension = view_dimension_name(ask->view->dimensions[i]);
        bool is_group = ask->view->dimensions[i] == DIMENSION_PARTNER_GROUP; /* its cells have partners */
        buffer_add_format(&ask->key, "|%s=", is_group ? view_dimension_name(DIMENSION_PARTNER) : dimension);
        buffer_add_format(&ask->by, "%s%s", i ? "," : "", dimension);
    }
    buffer_add_u8(&ask->key, 0);
    buffer_add_u8(&ask->by, 0);
    return OK;
}

/* ---- time ---- */

/* yyyymmdd, as JSON has it, or as a report is asked. */
static bool read_date(const char *text, struct window *out)
{
    int64_t date;
    if (strlen(text) == 8 && text_to_int64(text_of(text), &date) && date > 0 && calendar_is_date((uint32_t)date)) {
        *out = (struct window){(uint32_t)date, (uint32_t)date};
        return true;
    }
    return window_read(text_of(text), out);
}

static enum err read_period(struct ask *ask, struct err_info *info)
{
    static const char mend[] =
        "write a year, a quarter, a month or a day (2025, 2025-Q2, 2025-07, 2025-07-03 or 20250703)";
    const char *period = value_of(ask, "period");
    const char *from = value_of(ask, "period_from");
    const char *to = value_of(ask, "period_to");
    struct window first;
    struct window last;
    if (period && (from || to))
        return err_set(info, ERR_CONFIG, "period and %s say the same; give one of them",
                       from ? "period_from" : "period_to");
    if (period)
        return window_read(text_of(period), &ask->request.window)
                   ? OK
                   : err_set(info, ERR_CONFIG, "period=%s: %s, or two of them with .. between", period, mend);
    if (!from || !to)
        return err_set(info, ERR_CONFIG,
                       "%s is missing: period_from=20250101&period_to=20250731, or period=2025-01..2025-07",
                       from ? "period_to"
                       : to ? "period_from"
                            : "period");
    if (!read_date(from, &first))
        return err_set(info, ERR_CONFIG, "period_from=%s: %s", from, mend);
    if (!read_date(to, &last))
        return err_set(info, ERR_CONFIG, "period_to=%s: %s", to, mend);
    if (last.to < first.from)
        return err_set(info, ERR_CONFIG, "period_to=%s is before period_from=%s", to, from);
    ask->request.window = (struct window){first.from, last.to};
    return OK;
}

static enum err read_composition(struct ask *ask, struct err_info *info)
{
    const char *text = value_of(ask, "composition");
    struct window date;
    if (!text)
        return OK;
    if (!read_date(text, &date) || date.from != date.to)
        return err_set(info, ERR_CONFIG, "composition=%s: write a day, like 2024-07-04", text);
    ask->request.composition_date = date.to;
    return OK;
}

/* ---- conditions ---- */

/* A space is what + becomes on its way through a URL. */
static void add_where(struct ask *ask, const char *value, bool one)
{
    for (; *value; value++)
        buffer_add_u8(&ask->where, (uint8_t)(*value == ' ' || (one && *value == ',') ? '+' : *value));
}

/* The view's own name of what a parameter names. */
static const char *dimension_of(const struct ask *ask, const char *name)
{
    const struct view *view = ask->view;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(name, fields[i][0]) == 0)
            return fields[i][1];
    }
    for (uint32_t i = 0; i < view->dimension_count; i++) {
        enum dimension dimension = view->dimensions[i];
        bool is_commodity = view_is_commodity(dimension) && strcmp(name, "commodity_code") == 0;
        bool is_consignment = dimension == DIMENSION_PARTNER_CONSIGNMENT && strcmp(name, "partner") == 0 &&
                              !(view->dimension_set & 1u << DIMENSION_PARTNER);
        if (is_commodity || is_consignment)
            return view_dimension_name(dimension);
    }
    return name;
}

static enum err unknown_parameter(const struct ask *ask, const char *name, struct err_info *info)
{
    struct buffer known = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        buffer_add_format(&known, "%s, ", names[i]);
    aspect_names((const char *)ask->key.data, &known);
    enum err err = err_set(info, ERR_CONFIG, "%s is no parameter: there are %.*s", name, (int)known.length,
                           (const char *)known.data);
    buffer_fini(&known);
    return err;
}

/* A view of groups is about its groups, unless some are named, or partners. */
static void add_groups(struct ask *ask, const struct view_plan *plan)
{
    buffer_add_u8(&ask->where, 0);
    bool has_own = strstr((const char *)ask->where.data, "partner=") != NULL ||
                   strstr((const char *)ask->where.data, "partner_group=") != NULL;
    ask->where.length--;
    if (has_own || !ask->view->is_grouped)
        return;
    buffer_add_format(&ask->where, "%spartner_group=", ask->where.length ? "," : "");
    for (uint32_t left = ask->view->groups; left; left &= left - 1)
        buffer_add_format(&ask->where, "%s%s", left == ask->view->groups ? "" : "+", plan->groups[__builtin_ctz(left)]);
}

static enum err read_where(struct ask *ask, const struct view_plan *plan, struct err_info *info)
{
    const char *where = value_of(ask, "where");
    if (where)
        add_where(ask, where, false);
    for (uint32_t i = 0; i < ask->count; i++) {
        struct aspect aspect;
        if (is_known(name_at(ask, i)))
            continue;
        const char *dimension = dimension_of(ask, name_at(ask, i));
        if (!aspect_find(text_of(dimension), (const char *)ask->key.data, &aspect) || aspect_is_time(&aspect))
            return unknown_parameter(ask, name_at(ask, i), info);
        buffer_add_format(&ask->where, "%s%s=", ask->where.length ? "," : "", dimension);
        add_where(ask, value_at(ask, i), true);
    }
    add_groups(ask, plan);
    buffer_add_u8(&ask->where, 0);
    ask->request.where = ask->where.length > 1 ? (const char *)ask->where.data : NULL;
    return OK;
}

/* ---- the rest ---- */

static enum err read_limit(struct ask *ask, struct err_info *info)
{
    const char *limit = value_of(ask, "limit");
    ask->request.top = ASK_LIMIT;
    if (!limit)
        return OK;
    if (text_to_int64(text_of(limit), &ask->request.top) && ask->request.top >= 1 && ask->request.top <= ASK_LIMIT_MOST)
        return OK;
    return err_set(info, ERR_CONFIG, "limit=%s: a number of rows, 1 to %d, is wanted", limit, ASK_LIMIT_MOST);
}

static enum err read_format(struct ask *ask, struct err_info *info)
{
    const char *format = value_of(ask, "format");
    ask->is_csv = format && strcmp(format, "csv") == 0;
    if (!format || ask->is_csv || strcmp(format, "json") == 0)
        return OK;
    return err_set(info, ERR_CONFIG, "format=%s: there are json and csv", format);
}

enum err ask_read(struct ask *ask, const struct view_plan *plan, struct err_info *info)
{
    TRY(check_twice(ask, info));
    TRY(read_view(ask, plan, info));
    TRY(read_period(ask, info));
    TRY(read_composition(ask, info));
    TRY(read_where(ask, plan, info));
    TRY(read_limit(ask, info));
    ask->request.by = value_of(ask, "by");
    if (!ask->request.by && ask->view->is_grouped)
        ask->request.by = (const char *)ask->by.data;
    ask->request.count = value_of(ask, "count");
    ask->request.share = value_of(ask, "share");
    ask->request.sort = value_of(ask, "sort");
    return read_format(ask, info);
}

static struct days days_of(struct window window)
{
    if (window.to < window.from)
        return (struct days){0, -1};
    return (struct days){calendar_day(window.from), calendar_day(window.to)};
}

struct extract_request ask_cells(const struct ask *ask, const struct zone *zone)
{
    if (ask->view->grain == GRAIN_HOUR) { /* none is kept for a year */
        struct days days = days_of(ask->request.window);
        struct hours hours = hours_of_days(zone, days);
        return (struct extract_request){.view = ask->view_index, .windows = {{hours.from, hours.to}, {0, -1}}};
    }
    return (struct extract_request){
        .view = ask->view_index,
        .months = !view_publishes(ask->view, PERIOD_DAY),
        .windows = {days_of(ask->request.window), days_of(window_year_before(ask->request.window))},
    };
}

void ask_tell(struct err_info *info)
{
    char *to = info->text;
    for (const char *from = info->text; *from; from++) {
        if (from[0] == '-' && from[1] == '-')
            from++;
        else
            *to++ = *from;
    }
    *to = '\0';
}
