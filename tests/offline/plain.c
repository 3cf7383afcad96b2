/* SPDX-License-Identifier: Apache-2.0 */
#include "offline/plain.h"

#include "base/hash.h"
#include "base/memory.h"

#include <stdio.h>
#include <time.h>

enum { DIMENSIONS_MOST = 5, NAME_BYTES = 16, PROVISIONAL_DAYS = 5, DAY_SECONDS = 86400, DATE_TEXT = 8 };

/* A view by day has a cell for each day and one for each month, a view by hour none of them. */
enum grain_of { BY_MONTH, BY_DAY, BY_HOUR };
static const struct {
    const char *name;
    enum grain_of grain;
    const char *dimensions[DIMENSIONS_MOST];
} views[] = {
    {"flow", BY_DAY, {"flow"}},
    {"office", BY_DAY, {"office", "border_office", "zone", "flow", "mode"}},
    {"trade_mode", BY_DAY, {"office", "zone", "trade_mode", "flow"}},
    {"partner", BY_MONTH, {"partner", "flow", "mode"}},
    {"chapter", BY_MONTH, {"hs2", "partner", "flow"}},
    {"heading", BY_MONTH, {"hs4", "flow"}},
    {"commodity", BY_MONTH, {"hs6", "partner", "flow"}},
    {"commodity_office", BY_MONTH, {"hs6", "office", "flow"}},
    {"partner_office", BY_MONTH, {"partner", "office", "flow"}},
    {"bloc", BY_DAY, {"flow", "partner_group"}},
    {"sales", BY_MONTH, {"trade_class", "partner_group", "flow"}},
    {"hours", BY_HOUR, {"flow"}},
    {"desks", BY_HOUR, {"office", "partner_group", "flow"}},
};

const struct plain_option plain_options[PLAIN_OPTIONS] = {
    {"flow", NULL, "day,month,quarter,year,ytd,7d,30d,12m", true},
    {"office", NULL, "day,month,quarter,12m", true},
    {"partner", NULL, "month,quarter,year,ytd,12m", true},
    {"heading", NULL, "month,ytd", true},
    {"bloc", "flow,partner_group@day", "day,month,quarter,year,ytd", true},
    {"sales", "trade_class,partner_group,flow@month", "month,quarter,ytd", false},
    {"hours", "flow@hour", "hour,24h,7d", true},
    {"desks", "office,partner_group,flow@hour", "hour,24h", true},
};

static const char *periods_of(size_t view)
{
    for (size_t i = 0; i < PLAIN_OPTIONS; i++) {
        if (strcmp(plain_options[i].view, views[view].name) == 0)
            return plain_options[i].publish;
    }
    return views[view].grain == BY_DAY ? "day,month" : "month";
}

static bool has_total(size_t view)
{
    for (size_t i = 0; i < PLAIN_OPTIONS; i++) {
        if (strcmp(plain_options[i].view, views[view].name) == 0)
            return plain_options[i].total;
    }
    return true;
}

static bool has_groups(size_t view)
{
    for (int i = 0; i < DIMENSIONS_MOST && views[view].dimensions[i]; i++) {
        if (strcmp(views[view].dimensions[i], "partner_group") == 0)
            return true;
    }
    return false;
}

static bool publishes(size_t view, const char *period)
{
    struct text list = text_of(periods_of(view));
    while (list.length > 0) {
        if (text_is(text_cut(&list, ','), period))
            return true;
    }
    return false;
}

/* ---- what a version says ---- */

static bool is_newer(const struct declaration *a, const struct declaration *b)
{
    int a_cancels = a->function == FUNCTION_CANCEL;
    int b_cancels = b->function == FUNCTION_CANCEL;
    return a->version > b->version || (a->version == b->version && a_cancels > b_cancels);
}

static const struct stream_version *standing(const struct stream *stream, uint32_t id)
{
    const struct stream_version *found = NULL;
    for (size_t i = 0; i < stream->count; i++) {
        const struct stream_version *version = &stream->versions[i];
        if (version->id == id && !version->is_rejected &&
            (!found || is_newer(&version->draft.declaration, &found->draft.declaration)))
            found = version;
    }
    return found;
}

/* yyyymmdd of the last day of its month. */
static uint32_t month_end(uint32_t date)
{
    static const uint32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint32_t year = date / 10000;
    uint32_t month = date / 100 % 100;
    bool leaps = month == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    return date / 100 * 100 + lengths[month - 1] + leaps;
}

/* Seconds of 1970 at which a civil day began in Shanghai, counted day by day. */
static int64_t shanghai_second(uint32_t date)
{
    int64_t days = 0;
    for (uint32_t at = 19700101; at != date; days++) {
        if (at != month_end(at))
            at++;
        else
            at = at / 100 % 100 == 12 ? (at / 10000 + 1) * 10000 + 101 : (at / 100 + 1) * 100 + 1;
    }
    return days * DAY_SECONDS - 8 * 3600;
}

/* The record came when its month was closed: five days into the next. */
static bool is_late(const struct stream_version *version)
{
    int64_t close_s =
        shanghai_second(month_end(version->draft.declaration.reference_date)) + (1 + PROVISIONAL_DAYS) * DAY_SECONDS;
    return version->timestamp_ms >= close_s * 1000;
}

/* M, X, RM, RX, or empty: the item is outside the statistics. What the stream does not have is not asked. */
static struct text flow_of(const struct declaration *d, const struct item *item)
{
    if (d->status == STATUS_REFUSED || text_is(item->procedure, "53"))
        return TEXT("");
    if (d->direction == DIRECTION_EXPORT)
        return text_is(item->procedure, "31") ? TEXT("RX") : TEXT("X");
    return text_is(item->procedure, "61") || text_is(item->origin_country, "CN") ? TEXT("RM") : TEXT("M");
}

static void code_of(const char *dimension, const struct declaration *d, const struct item *item, char out[NAME_BYTES])
{
    bool is_export = d->direction == DIRECTION_EXPORT;
    struct text text = {NULL, 0};
    if (strcmp(dimension, "flow") == 0)
        text = flow_of(d, item);
    else if (strcmp(dimension, "partner") == 0)
        text = is_export ? item->destination_country : item->origin_country;
    else if (strcmp(dimension, "office") == 0)
        text = d->office_code;
    else if (strcmp(dimension, "border_office") == 0)
        text = d->border_office_code;
    else if (strcmp(dimension, "zone") == 0)
        text = d->zone_code;
    else if (strcmp(dimension, "trade_mode") == 0)
        text = d->trade_mode;
    else if (memcmp(dimension, "hs", 2) == 0)
        text = (struct text){item->hs_code.data, (uint32_t)(dimension[2] - '0')};
    else if (strcmp(dimension, "trade_class") == 0)
        text = strstr("1210 1239 9610 9710 9810", d->trade_mode.data) && d->trade_mode.length == 4 ? TEXT("ECOMMERCE")
                                                                                                   : TEXT("OTHER");
    if (strcmp(dimension, "mode") == 0)
        snprintf(out, NAME_BYTES, "%u", d->border_transport_mode);
    else
        snprintf(out, NAME_BYTES, "%.*s", TEXT_ARGS(text));
}

/* ---- cells ---- */

static size_t slot_of(const struct plain *plain, const char *key)
{
    size_t slot = hash_bytes(key, strlen(key), 1) & (plain->capacity * 2 - 1);
    while (plain->slots[slot] && strcmp(plain->cells[plain->slots[slot] - 1].key, key) != 0)
        slot = (slot + 1) & (plain->capacity * 2 - 1);
    return slot;
}

static void grow(struct plain *plain)
{
    plain->capacity = plain->capacity ? plain->capacity * 2 : 256;
    plain->cells = memory_resize(plain->cells, plain->capacity, sizeof plain->cells[0]);
    memory_free(plain->slots);
    plain->slots = memory_new(plain->capacity * 2, sizeof plain->slots[0]);
    for (size_t i = 0; i < plain->count; i++)
        plain->slots[slot_of(plain, plain->cells[i].key)] = (uint32_t)i + 1;
}

static struct plain_cell *find(struct plain *plain, const char *key)
{
    if (plain->count == plain->capacity)
        grow(plain);
    size_t slot = slot_of(plain, key);
    if (!plain->slots[slot]) {
        plain->slots[slot] = (uint32_t)++plain->count;
        plain->cells[plain->count - 1] = (struct plain_cell){.hour = PLAIN_NO_HOUR};
        snprintf(plain->cells[plain->count - 1].key, PLAIN_KEY_BYTES, "%s", key);
    }
    return &plain->cells[plain->slots[slot] - 1];
}

static void add(struct plain_cell *cell, const struct stream_version *version, const struct item *item, bool has_hs6)
{
    cell->value += item->statistical_value_minor;
    cell->customs += item->customs_value_minor;
    cell->net_mg += item->net_mass_mg;
    cell->gross_mg += item->gross_mass_mg;
    cell->estimated_mg += item->mass_estimated ? item->net_mass_mg : 0;
    cell->supp_micro += has_hs6 ? item->supp_quantity_micro : 0;
    cell->packages += item->package_count;
    cell->items++;
    cell->late += is_late(version);
    cell->declarations += cell->last != version;
    cell->last = version;
}

static void add_base(struct plain_cell *cell, const struct item *item)
{
    cell->base_value += item->statistical_value_minor;
    cell->base_net_mg += item->net_mass_mg;
    cell->base_items++;
}

/* An item on its way to the cells of one view and flow. */
struct falling {
    const struct stream_version *version;
    const struct item *item;
    char dimensions[PLAIN_KEY_BYTES];
    size_t view;
    bool has_hs6;
    const char *group; /* of countries, NULL: the view has none */
};

/* As tests/data/reference/country_groups.csv has them, but for the reporter. */
static const struct {
    const char *group;
    const char *country;
    uint32_t from;
    uint32_t to; /* the last date */
} members[] = {
    {"SCO_MEMBER", "BY", 20240704, UINT32_MAX},
    {"SCO_OBSERVER", "AF", 0, 20250831},
    {"CENTRAL_ASIA", "KZ", 0, UINT32_MAX},
    {"CENTRAL_ASIA", "UZ", 0, UINT32_MAX},
};
static const char *const group_names[] = {"SCO_MEMBER", "SCO_OBSERVER", "CENTRAL_ASIA"};

static bool is_member(const struct falling *f, uint32_t date)
{
    char country[NAME_BYTES];
    code_of("partner", &f->version->draft.declaration, f->item, country);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (strcmp(members[i].group, f->group) == 0 && strcmp(members[i].country, country) == 0 &&
            date >= members[i].from && date <= members[i].to)
            return true;
    }
    return false;
}

/* The cell of a key, whose last day is `to`; NULL: the country is not in the group then. Who is in it on the last day is in it in both years. */
static struct plain_cell *cell_of(struct plain *plain, const struct falling *f, uint32_t to, const char *key)
{
    return f->group && !is_member(f, to) ? NULL : find(plain, key);
}

static void add_to(struct plain_cell *cell, const struct falling *f, bool is_base)
{
    if (is_base)
        add_base(cell, f->item);
    else
        add(cell, f->version, f->item, f->has_hs6);
    cell->declarations = f->group ? 0 : cell->declarations;
}

static void put(struct plain *plain, const struct falling *f, const char *frequency, uint32_t from, uint32_t to,
                bool is_base)
{
    char key[PLAIN_KEY_BYTES];
    snprintf(key, sizeof key, "%s|%s|%08u|%08u%.100s", views[f->view].name, frequency, from, to, f->dimensions);
    struct plain_cell *cell = cell_of(plain, f, to, key);
    if (cell)
        add_to(cell, f, is_base);
}

/* The hour of UTC in which it was accepted, which is one of the day of its date (draw_times). */
static void put_hour(struct plain *plain, const struct falling *f)
{
    char key[PLAIN_KEY_BYTES];
    char name[32];
    int64_t hour = f->version->draft.declaration.accepted_at_ms / 3600000;
    time_t second = (time_t)(hour * 3600);
    struct tm utc;
    gmtime_r(&second, &utc);
    strftime(name, sizeof name, "%Y%m%dT%HZ", &utc);
    snprintf(key, sizeof key, "%s|HOUR|%s|%s%.90s", views[f->view].name, name, name, f->dimensions);
    struct plain_cell *cell = cell_of(plain, f, f->version->draft.declaration.reference_date, key);
    if (!cell)
        return;
    add_to(cell, f, false);
    cell->hour = hour;
}

/* The periods of whole months that hold the date. */
static void put_months(struct plain *plain, const struct falling *f, uint32_t date, bool is_base)
{
    uint32_t year = date / 10000 * 10000;
    uint32_t month = date / 100 % 100;
    uint32_t quarter = (month - 1) / 3 * 3 + 1;
    if (publishes(f->view, "month"))
        put(plain, f, "MONTH", year + month * 100 + 1, month_end(date), is_base);
    if (publishes(f->view, "quarter"))
        put(plain, f, "QUARTER", year + quarter * 100 + 1, month_end(year + (quarter + 2) * 100 + 1), is_base);
    if (publishes(f->view, "year"))
        put(plain, f, "YEAR", year + 101, year + 1231, is_base);
    for (; month <= 12 && publishes(f->view, "ytd"); month++)
        put(plain, f, "YEAR_TO_DATE", year + 101, month_end(year + month * 100 + 1), is_base);
}

static void put_all(struct plain *plain, const struct falling *f)
{
    uint32_t date = f->version->draft.declaration.reference_date;
    if (publishes(f->view, "hour")) {
        put_hour(plain, f);
        return;
    }
    put_months(plain, f, date, false);
    put_months(plain, f, date + 10000, true);
    if (publishes(f->view, "day")) {
        put(plain, f, "DAY", date, date, false);
        put(plain, f, "DAY", date + 10000, date + 10000, true); /* no stream has a 29 February */
    }
}

static void add_item(struct plain *plain, const struct stream_version *version, const struct item *item, size_t view,
                     bool is_total, const char *group)
{
    struct falling f = {.version = version, .item = item, .view = view, .group = group};
    int length = 0;
    for (int i = 0; i < DIMENSIONS_MOST && views[view].dimensions[i]; i++) {
        char code[NAME_BYTES];
        const char *dimension = views[view].dimensions[i];
        code_of(dimension, &version->draft.declaration, item, code);
        if (strcmp(dimension, "partner_group") == 0)
            snprintf(code, sizeof code, "%s", group);
        f.has_hs6 = f.has_hs6 || strcmp(dimension, "hs6") == 0;
        bool is_flow = strcmp(dimension, "flow") == 0;
        length += snprintf(f.dimensions + length, sizeof f.dimensions - (size_t)length, "|%s=%s", dimension,
                           is_flow && is_total ? "T" : code);
    }
    put_all(plain, &f);
}

static void add_to_views(struct plain *plain, const struct stream_version *version, const struct item *item)
{
    if (flow_of(&version->draft.declaration, item).length == 0)
        return;
    for (size_t view = 0; view < sizeof views / sizeof views[0]; view++) {
        uint32_t groups = has_groups(view) ? sizeof group_names / sizeof group_names[0] : 1;
        for (uint32_t i = 0; i < groups; i++) {
            const char *group = has_groups(view) ? group_names[i] : NULL;
            add_item(plain, version, item, view, false, group);
            if (has_total(view))
                add_item(plain, version, item, view, true, group);
        }
    }
}

static const struct plain_cell *look(const struct plain *plain, const char *key)
{
    uint32_t index = plain->slots[slot_of(plain, key)];
    return index ? &plain->cells[index - 1] : NULL;
}

/* A year to date is there for months in which the cell has items; they are published in each view that has years to date. */
static bool has_month(const struct plain *plain, const struct plain_cell *cell)
{
    char key[PLAIN_KEY_BYTES];
    struct text rest = text_of(cell->key);
    struct text parts[4];
    for (int i = 0; i < 4; i++)
        parts[i] = text_cut(&rest, '|');
    snprintf(key, sizeof key, "%.*s|MONTH|%.6s01|%.8s|%.*s", TEXT_ARGS(parts[0]), parts[3].data, parts[3].data,
             TEXT_ARGS(rest));
    const struct plain_cell *month = look(plain, key);
    return month && month->items > 0;
}

static void find_void(struct plain *plain)
{
    for (size_t i = 0; i < plain->count; i++) {
        struct plain_cell *cell = &plain->cells[i];
        bool is_to_date = strstr(cell->key, "|YEAR_TO_DATE|") != NULL;
        cell->is_void = cell->items == 0 || (is_to_date && !has_month(plain, cell));
    }
}

void plain_count(const struct stream *stream, struct plain *out)
{
    *out = (struct plain){0};
    for (uint32_t id = 0; id < stream->ids; id++) {
        const struct stream_version *version = standing(stream, id);
        uint32_t count = version ? version->draft.declaration.items.count : 0;
        for (uint32_t i = 0; i < count; i++)
            add_to_views(out, version, &version->draft.items[i]);
    }
    find_void(out);
}

void plain_fini(struct plain *plain)
{
    memory_free(plain->cells);
    memory_free(plain->slots);
    *plain = (struct plain){0};
}
