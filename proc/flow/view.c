/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/view.h"

#include "base/check.h"
#include "base/hash.h"
#include "flow/cell.h"
#include "trade/composition.h"

#include <stdio.h>

static const char *const dimension_names[DIMENSIONS] = {
    "flow",   "office", "border_office", "zone", "mode", "trade_mode", "partner",     "partner_consignment",
    "region", "hs2",    "hs4",           "hs6",  "hs8",  "hs10",       "trade_class", "partner_group",
};

#define DAY_PERIODS (1u << PERIOD_DAY | 1u << PERIOD_7D | 1u << PERIOD_30D)
#define MONTH_PERIODS                                                                                                  \
    (1u << PERIOD_MONTH | 1u << PERIOD_QUARTER | 1u << PERIOD_YEAR | 1u << PERIOD_YTD | 1u << PERIOD_12M)
#define HOUR_PERIODS (1u << PERIOD_HOUR | 1u << PERIOD_24H | 1u << PERIOD_7D)

static const struct {
    const char *name;
    const char *definition;
} default_views[] = {
    {"flow", "flow@day"},
    {"office", "office,border_office,zone,flow,mode@day"},
    {"trade_mode", "office,zone,trade_mode,flow@day"},
    {"partner", "partner,flow,mode@month"},
    {"chapter", "hs2,partner,flow@month"},
    {"heading", "hs4,flow@month"},
    {"commodity", "hs6,partner,flow@month"},
    {"commodity_office", "hs6,office,flow@month"},
    {"partner_office", "partner,office,flow@month"},
};

static const struct {
    const char *name;
    uint32_t may;       /* what it may publish, a bit per enum period */
    uint32_t publishes; /* what it does if nothing is said */
    const char *names;  /* of what it may */
} grains[GRAINS] = {
    [GRAIN_DAY] = {"day", DAY_PERIODS | MONTH_PERIODS, 1u << PERIOD_DAY | 1u << PERIOD_MONTH,
                   "day,month,quarter,year,ytd,7d,30d,12m"},
    [GRAIN_MONTH] = {"month", MONTH_PERIODS, 1u << PERIOD_MONTH, "month,quarter,year,ytd,12m"},
    [GRAIN_HOUR] = {"hour", HOUR_PERIODS, 1u << PERIOD_HOUR, "hour,24h,7d"},
};

const char *view_grain_name(enum grain grain)
{
    return grains[grain].name;
}

const char *view_dimension_name(enum dimension dimension)
{
    return dimension_names[dimension];
}

static uint8_t digits_of(enum dimension dimension)
{
    return view_is_commodity(dimension) ? (uint8_t)(2 * (dimension - DIMENSION_HS2 + 1)) : 0;
}

int32_t view_plan_find(const struct view_plan *plan, struct text name)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        if (text_is(name, plan->views[i].name))
            return (int32_t)i;
    }
    return -1;
}

static enum err parse_dimension(struct text name, enum dimension *out, struct err_info *info)
{
    for (int i = 0; i < DIMENSIONS; i++) {
        if (text_is(name, dimension_names[i])) {
            *out = (enum dimension)i;
            return OK;
        }
    }
    return err_set(info, ERR_CONFIG,
                   "unknown dimension \"%.*s\"; there are flow, office, border_office, zone, mode, trade_mode, "
                   "trade_class, partner, "
                   "partner_consignment, partner_group, region, hs2, hs4, hs6, hs8, hs10",
                   TEXT_ARGS(name));
}

static enum err add_dimension(struct view *view, enum dimension dimension, struct err_info *info)
{
    uint8_t digits = digits_of(dimension);
    for (uint32_t i = 0; i < view->dimension_count; i++) {
        if (view->dimensions[i] == dimension)
            return err_set(info, ERR_CONFIG, "dimension %s stands twice", dimension_names[dimension]);
    }
    if (view->dimension_set & 1u << view_counted(dimension))
        return err_set(info, ERR_CONFIG, "%s in one view; use two views",
                       view_counted(dimension) == DIMENSION_PARTNER ? "partner and partner_group"
                                                                    : "trade_mode and trade_class");
    if (digits && view->hs_digits)
        return err_set(info, ERR_CONFIG, "hs%u and hs%u in one view; the finer one says both", view->hs_digits, digits);
    view->dimensions[view->dimension_count++] = dimension;
    view->dimension_set |= 1u << view_counted(dimension);
    view->is_classed |= dimension == DIMENSION_TRADE_CLASS;
    view->is_grouped |= dimension == DIMENSION_PARTNER_GROUP;
    if (digits)
        view->hs_digits = digits;
    return OK;
}

static enum err parse_grain(struct text grain, struct view *view, struct err_info *info)
{
    for (int i = 0; i < GRAINS; i++) {
        if (!text_is(grain, grains[i].name))
            continue;
        view->grain = (enum grain)i;
        view->publish = grains[i].publishes;
        return OK;
    }
    return err_set(info, ERR_CONFIG, "grain \"%.*s\" is not available; a view ends in @day, @month or @hour",
                   TEXT_ARGS(grain));
}

enum err view_plan_add(struct view_plan *plan, struct text name, struct text definition, struct err_info *info)
{
    if (name.length == 0 || name.length >= VIEW_NAME_BYTES)
        return err_set(info, ERR_CONFIG, "view name \"%.*s\": 1 to %d characters, please", TEXT_ARGS(name),
                       VIEW_NAME_BYTES - 1);
    if (plan->count == VIEWS_MOST)
        return err_set(info, ERR_CONFIG, "view.%.*s: more than %d views", TEXT_ARGS(name), VIEWS_MOST);
    if (view_plan_find(plan, name) >= 0)
        return err_set(info, ERR_CONFIG, "view.%.*s is defined twice", TEXT_ARGS(name));
    struct view view = {0};
    memcpy(view.name, name.data, name.length);
    struct text grain = definition;
    struct text dimensions = text_cut(&grain, '@');
    while (dimensions.length > 0) {
        enum dimension dimension = DIMENSIONS;
        enum err err = parse_dimension(text_trim(text_cut(&dimensions, ',')), &dimension, info);
        if (err == OK)
            err = add_dimension(&view, dimension, info);
        if (err != OK)
            return err_prefix(info, err, "view.%s", view.name);
    }
    view.total = view.dimension_set & 1u << DIMENSION_FLOW;
    if (view.dimension_count == 0)
        return err_set(info, ERR_CONFIG, "view.%s has no dimension; write view.%s=flow@day", view.name, view.name);
    enum err err = parse_grain(text_trim(grain), &view, info);
    if (err != OK)
        return err_prefix(info, err, "view.%s", view.name);
    view.leaf = plan->count;
    plan->views[plan->count++] = view;
    return OK;
}

static enum err set_publish(struct view *view, struct text value, struct err_info *info)
{
    uint32_t publish = 0;
    while (value.length > 0) {
        struct text name_of_period = text_trim(text_cut(&value, ','));
        enum period period = PERIOD_HOUR;
        while (period < PERIODS && !text_is(name_of_period, period_name(period)))
            period++;
        if (period == PERIODS || !(grains[view->grain].may >> period & 1))
            return err_set(info, ERR_CONFIG, "view.%s.publish: \"%.*s\" is not available; this view publishes %s",
                           view->name, TEXT_ARGS(name_of_period), grains[view->grain].names);
        publish |= 1u << period;
    }
    view->publish = publish;
    return OK;
}

static enum err set_total(struct view *view, struct text value, struct err_info *info)
{
    bool yes = text_is(value, "yes");
    if (!yes && !text_is(value, "no"))
        return err_set(info, ERR_CONFIG, "view.%s.total: \"%.*s\" is neither yes nor no", view->name, TEXT_ARGS(value));
    if (yes && !(view->dimension_set & 1u << DIMENSION_FLOW))
        return err_set(info, ERR_CONFIG, "view.%s.total: the view has no dimension flow, so its cells are totals",
                       view->name);
    view->total = yes;
    return OK;
}

/* The place of a group in the plan, where it is put if it is new. */
static enum err group_place(struct view_plan *plan, const struct view *view, struct text name, uint32_t *out,
                            struct err_info *info)
{
    uint32_t place = 0;
    while (place < plan->group_count && !text_is(name, plan->groups[place]))
        place++;
    if (name.length == 0 || name.length >= VIEW_GROUP_BYTES)
        return err_set(info, ERR_CONFIG, "view.%s.groups: \"%.*s\" is no name of a group: 1 to %d characters, please",
                       view->name, TEXT_ARGS(name), VIEW_GROUP_BYTES - 1);
    if (place == VIEW_GROUPS_MOST)
        return err_set(info, ERR_CONFIG, "view.%s.groups: more than %d groups in all views; name those you need",
                       view->name, VIEW_GROUPS_MOST);
    if (place == plan->group_count)
        memcpy(plan->groups[plan->group_count++], name.data, name.length);
    *out = place;
    return OK;
}

static enum err set_groups(struct view_plan *plan, struct view *view, struct text value, struct err_info *info)
{
    uint32_t place;
    if (!view->is_grouped)
        return err_set(info, ERR_CONFIG, "view.%s.groups: the view has no dimension partner_group", view->name);
    view->groups = 0;
    while (value.length > 0) {
        TRY(group_place(plan, view, text_trim(text_cut(&value, ',')), &place, info));
        view->groups |= 1u << place;
    }
    if (view->groups == 0)
        return err_set(info, ERR_CONFIG, "view.%s.groups: no group is named; without the key all of them are published",
                       view->name);
    return OK;
}

enum err view_plan_option(struct view_plan *plan, struct text name, struct text option, struct text value,
                          struct err_info *info)
{
    int32_t index = view_plan_find(plan, name);
    if (index < 0)
        return err_set(info, ERR_CONFIG, "view.%.*s.%.*s: there is no view %.*s", TEXT_ARGS(name), TEXT_ARGS(option),
                       TEXT_ARGS(name));
    struct view *view = &plan->views[index];
    if (text_is(option, "publish"))
        return set_publish(view, value, info);
    if (text_is(option, "total"))
        return set_total(view, value, info);
    if (text_is(option, "groups"))
        return set_groups(plan, view, value, info);
    return err_set(info, ERR_CONFIG, "view.%s.%.*s: the options are publish, total and groups", view->name,
                   TEXT_ARGS(option));
}

/* ---- country groups ---- */

/* The group of the list, or an error that names those that there are. */
static enum err known_group(const struct view *view, const struct reference *reference, const char *name,
                            struct err_info *info)
{
    char names[ERR_TEXT_BYTES / 2] = "";
    size_t length = 0;
    const char *known;
    if (composition_known(reference, text_of(name)))
        return OK;
    for (uint32_t i = 0; (known = composition_group(reference, i)) != NULL; i++) {
        if (length + strlen(known) + 3 < sizeof names)
            length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", i ? ", " : "", known);
    }
    return err_set(info, ERR_CONFIG,
                   "view.%s.groups: country_groups.csv of reference.dir has no group %s; there are %s", view->name,
                   name, length ? names : "none");
}

static enum err check_groups(const struct view_plan *plan, const struct view *view, const struct reference *reference,
                             struct err_info *info)
{
    for (uint32_t left = view->groups; left; left &= left - 1)
        TRY(known_group(view, reference, plan->groups[__builtin_ctz(left)], info));
    return OK;
}

static enum err all_groups(struct view_plan *plan, struct view *view, const struct reference *reference,
                           struct err_info *info)
{
    const char *known;
    uint32_t place;
    for (uint32_t i = 0; (known = composition_group(reference, i)) != NULL; i++) {
        TRY(group_place(plan, view, text_of(known), &place, info));
        view->groups |= 1u << place;
    }
    return view->groups ? OK
                        : err_set(info, ERR_CONFIG,
                                  "view.%s: partner_group needs country_groups.csv in reference.dir, and a group in it",
                                  view->name);
}

enum err view_plan_groups(struct view_plan *plan, const struct reference *reference, struct err_info *info)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        struct view *view = &plan->views[i];
        if (view->is_grouped && view->groups == 0)
            TRY(all_groups(plan, view, reference, info));
        TRY(check_groups(plan, view, reference, info));
    }
    return OK;
}

enum err view_plan_groups_stay(const struct view_plan *plan, const struct reference *reference, struct err_info *info)
{
    for (uint32_t i = 0; i < plan->count; i++)
        TRY(check_groups(plan, &plan->views[i], reference, info));
    return OK;
}

/* ---- leaves ---- */

/* Whether every cell of `view` is a sum of cells of `from`. */
static bool derivable(const struct view *view, const struct view *from)
{
    const uint32_t hs = (1u << DIMENSION_HS2) - 1;
    /* every code has six digits, not every one has eight or ten: what a finer view shows as no code has a chapter nevertheless */
    if (from->hs_digits > 6 && view->hs_digits > 0 && view->hs_digits != from->hs_digits)
        return false;
    uint32_t plain = view->dimension_set & hs;
    if ((plain & from->dimension_set) != plain || view->hs_digits > from->hs_digits)
        return false;
    return from->grain == view->grain || (from->grain == GRAIN_DAY && view->grain == GRAIN_MONTH);
}

static bool has(const struct view *view, enum dimension dimension)
{
    return view->dimension_set & 1u << dimension;
}

static struct view_mask mask_of(const struct view *view)
{
    struct view_mask mask = {0};
    mask.word1 = (has(view, DIMENSION_OFFICE) ? 0xFFFFFFFFULL << 32 : 0) |
                 (has(view, DIMENSION_BORDER_OFFICE) ? 0xFFFFFFFFULL : 0);
    mask.word2 =
        (has(view, DIMENSION_ZONE) ? 0xFFFFFFFFULL << 32 : 0) | (has(view, DIMENSION_TRADE_MODE) ? 0xFFFFFFFFULL : 0);
    mask.word3 =
        cell_word3(has(view, DIMENSION_PARTNER) ? 0xFFFF : 0, has(view, DIMENSION_PARTNER_CONSIGNMENT) ? 0xFFFF : 0,
                   has(view, DIMENSION_REGION) ? CELL_REGION_MOST : 0, has(view, DIMENSION_FLOW) ? 7 : 0,
                   has(view, DIMENSION_MODE) ? CELL_MODE_MOST : 0);
    static const uint64_t divisors[6] = {0, 100000000, 1000000, 10000, 100, 1};
    mask.hs_divisor = divisors[view->hs_digits / 2];
    mask.by_item = has(view, DIMENSION_PARTNER) || has(view, DIMENSION_PARTNER_CONSIGNMENT) ||
                   has(view, DIMENSION_REGION) || has(view, DIMENSION_FLOW) || view->hs_digits;
    return mask;
}

/* A view derives from the leaf with the fewest dimensions that holds it; a view that nothing holds is a leaf. Two equal views: the first. */
void view_plan_finish(struct view_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        struct view *view = &plan->views[i];
        view->leaf = i;
        for (uint32_t j = 0; j < plan->count; j++) {
            const struct view *from = &plan->views[j];
            bool mutual = derivable(view, from) && derivable(from, view);
            if (j == i || !derivable(view, from) || (mutual && j > i))
                continue;
            if (view->leaf == i || from->dimension_count < plan->views[view->leaf].dimension_count)
                view->leaf = j;
        }
    }
    /* what it derives from must be a leaf itself: follow up to the top */
    for (uint32_t i = 0; i < plan->count; i++) {
        uint32_t leaf = plan->views[i].leaf;
        for (uint32_t step = 0; step < plan->count && plan->views[leaf].leaf != leaf; step++)
            leaf = plan->views[leaf].leaf;
        CHECK(plan->views[leaf].leaf == leaf);
        plan->views[i].leaf = leaf;
        plan->views[leaf].has_derived |= leaf != i;
        plan->views[i].mask = mask_of(&plan->views[i]);
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        struct view *view = &plan->views[i];
        if (view->hs_digits)
            view->mask.leaf_ratio = view->mask.hs_divisor / plan->views[view->leaf].mask.hs_divisor;
    }
}

void view_plan_default(struct view_plan *plan)
{
    *plan = (struct view_plan){0};
    for (size_t i = 0; i < sizeof default_views / sizeof default_views[0]; i++) {
        enum err err = view_plan_add(plan, text_of(default_views[i].name), text_of(default_views[i].definition), NULL);
        CHECK(err == OK);
    }
    view_plan_finish(plan);
}

uint64_t view_plan_hash(const struct view_plan *plan)
{
    uint64_t hash = plan->count;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct view *view = &plan->views[i];
        hash = hash_bytes(view->name, strlen(view->name), hash);
        for (uint32_t d = 0; d < view->dimension_count; d++)
            hash = hash_mix(hash ^ HASH_P1, view->dimensions[d] + 1u);
        hash = hash_mix(hash ^ HASH_P2, (uint64_t)view->grain + 1);
        if (view->total) /* declarations of several flows are journalled as such */
            hash = hash_mix(hash ^ HASH_P1, HASH_P2);
    }
    return hash;
}
