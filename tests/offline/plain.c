/* SPDX-License-Identifier: Apache-2.0 */
#include "offline/plain.h"

#include "base/memory.h"

#include <stdio.h>

enum { DIMENSIONS_MOST = 5, NAME_BYTES = 16, PROVISIONAL_DAYS = 5, DAY_SECONDS = 86400, DATE_TEXT = 8 };

/* A view by day has a cell for each day and one for each month. */
static const struct {
    const char *name;
    bool by_day;
    const char *dimensions[DIMENSIONS_MOST];
} views[] = {
    {"flow", true, {"flow"}},
    {"office", true, {"office", "border_office", "zone", "flow", "mode"}},
    {"trade_mode", true, {"office", "zone", "trade_mode", "flow"}},
    {"partner", false, {"partner", "flow", "mode"}},
    {"chapter", false, {"hs2", "partner", "flow"}},
    {"heading", false, {"hs4", "flow"}},
    {"commodity", false, {"hs6", "partner", "flow"}},
    {"commodity_office", false, {"hs6", "office", "flow"}},
    {"partner_office", false, {"partner", "office", "flow"}},
};

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
    if (strcmp(dimension, "mode") == 0)
        snprintf(out, NAME_BYTES, "%u", d->border_transport_mode);
    else
        snprintf(out, NAME_BYTES, "%.*s", TEXT_ARGS(text));
}

/* ---- cells ---- */

static struct plain_cell *find(struct plain *plain, const char *key)
{
    for (size_t i = 0; i < plain->count; i++) {
        if (strcmp(plain->cells[i].key, key) == 0)
            return &plain->cells[i];
    }
    if (plain->count == plain->capacity) {
        plain->capacity = plain->capacity ? plain->capacity * 2 : 256;
        plain->cells = memory_resize(plain->cells, plain->capacity, sizeof plain->cells[0]);
    }
    struct plain_cell *cell = &plain->cells[plain->count++];
    *cell = (struct plain_cell){0};
    snprintf(cell->key, sizeof cell->key, "%s", key);
    return cell;
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

static void add_item(struct plain *plain, const struct stream_version *version, const struct item *item, size_t view,
                     bool month)
{
    const struct declaration *d = &version->draft.declaration;
    uint32_t from = month ? d->reference_date / 100 * 100 + 1 : d->reference_date;
    uint32_t to = month ? month_end(d->reference_date) : d->reference_date;
    char key[PLAIN_KEY_BYTES];
    int length = snprintf(key, sizeof key, "%s|%s|%08u|%08u", views[view].name, month ? "MONTH" : "DAY", from, to);
    bool has_hs6 = false;
    for (int i = 0; i < DIMENSIONS_MOST && views[view].dimensions[i]; i++) {
        char code[NAME_BYTES];
        const char *dimension = views[view].dimensions[i];
        code_of(dimension, d, item, code);
        has_hs6 = has_hs6 || strcmp(dimension, "hs6") == 0;
        length += snprintf(key + length, sizeof key - (size_t)length, "|%s=%s", dimension, code);
    }
    add(find(plain, key), version, item, has_hs6);
}

static void add_to_views(struct plain *plain, const struct stream_version *version, const struct item *item)
{
    if (flow_of(&version->draft.declaration, item).length == 0)
        return;
    for (size_t view = 0; view < sizeof views / sizeof views[0]; view++) {
        add_item(plain, version, item, view, true);
        if (views[view].by_day)
            add_item(plain, version, item, view, false);
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
}

void plain_fini(struct plain *plain)
{
    memory_free(plain->cells);
    *plain = (struct plain){0};
}
