/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/recount.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "sim/dates.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DAY_HOURS = 24 };
#define HOUR_MS 3600000LL

struct newest {
    bool is_there;
    int32_t partition;
    int32_t month; /* by which it expires */
    bool is_late;
    struct story_declaration declaration;
};

struct recount {
    const struct story *story;
    int32_t partitions;
    int32_t horizon_months;
    struct recount_partition *partition;
    struct newest *newest; /* by id */
};

struct recount *recount_new(const struct story *story, int32_t partitions, int32_t horizon_months)
{
    struct recount *recount = memory_new(1, sizeof *recount);
    recount->story = story;
    recount->partitions = partitions;
    recount->horizon_months = horizon_months;
    recount->partition = memory_new((size_t)partitions, sizeof recount->partition[0]);
    recount->newest = memory_new(story_ids(story), sizeof recount->newest[0]);
    for (int32_t i = 0; i < partitions; i++)
        recount->partition[i].event_ms = INT64_MIN;
    return recount;
}

void recount_free(struct recount *recount)
{
    if (!recount)
        return;
    for (int32_t i = 0; i < recount->partitions; i++)
        memory_free(recount->partition[i].rejects);
    memory_free(recount->partition);
    memory_free(recount->newest);
    memory_free(recount);
}

void recount_skip(struct recount *recount, int32_t partition, int64_t low)
{
    CHECK(recount->partition[partition].hi == 0);
    recount->partition[partition].hi = low;
    recount->partition[partition].skipped = low;
}

static void reject(struct recount_partition *partition, int64_t offset, int32_t index, enum story_defect why)
{
    if (partition->reject_count == partition->reject_capacity) {
        partition->reject_capacity = partition->reject_capacity ? partition->reject_capacity * 2 : 32;
        partition->rejects =
            memory_resize(partition->rejects, partition->reject_capacity, sizeof partition->rejects[0]);
    }
    partition->rejects[partition->reject_count++] = (struct recount_reject){offset, index, (uint16_t)why};
    partition->verdicts[RECOUNT_REJECTED]++;
}

static void add_up(struct recount_partition *partition, const struct story_declaration *d, int sign)
{
    const struct story_content content = story_content(d);
    for (uint32_t i = 0; i < content.count; i++)
        partition->value += content.items[i].is_outside ? 0 : sign * content.items[i].value;
    partition->items += sign * (int64_t)content.counted;
}

/* The lenient plan counts what lacks a supplementary quantity, the new lists know the office. */
static bool is_rejected(const struct story_declaration *d, enum recount_plan plan, enum recount_lists lists)
{
    if (d->defect == DEFECT_UNIT)
        return plan != RECOUNT_LENIENT;
    if (d->defect == DEFECT_OFFICE)
        return lists != RECOUNT_NEW_LISTS;
    return d->defect != DEFECT_NONE;
}

static void note_event(struct recount_partition *partition, int64_t accepted_ms, int64_t record_ms)
{
    int64_t event_ms = accepted_ms < record_ms ? accepted_ms : record_ms;
    partition->event_ms = event_ms > partition->event_ms ? event_ms : partition->event_ms;
}

static int32_t month_of_date(uint32_t date)
{
    return (int32_t)(date / 10000 - 1970) * 12 + (int32_t)(date / 100 % 100) - 1;
}

/* UTC, as the floor is. */
static int32_t month_of_ms(int64_t ms)
{
    return month_of_date(dates_of_day(ms / DATES_DAY_MS));
}

/* Where nothing is counted nothing has moved the floor. */
static void move_floor(const struct recount *recount, struct recount_partition *partition)
{
    int32_t floor = recount->horizon_months ? month_of_ms(partition->event_ms) - recount->horizon_months : 0;
    partition->floor = floor > partition->floor ? floor : partition->floor;
}

/* How many ids of a partition have an entry still. */
static void count_entries(struct recount *recount, int32_t number)
{
    struct recount_partition *partition = &recount->partition[number];
    partition->standing = 0;
    partition->expired = 0;
    for (uint32_t id = 0; id < story_ids(recount->story); id++) {
        const struct newest *newest = &recount->newest[id];
        if (!newest->is_there || newest->partition != number)
            continue;
        partition->standing += newest->month >= partition->floor;
        partition->expired += newest->month < partition->floor;
    }
}

static void count_one(struct recount *recount, int32_t number, int64_t offset, const struct story_record *record,
                      uint32_t i, enum recount_plan plan, enum recount_lists lists)
{
    const struct story_declaration *d = &record->declarations[i];
    const struct story_content content = story_content(d);
    int32_t index = record->is_batch ? (int32_t)i : -1;
    struct recount_partition *partition = &recount->partition[number];
    struct newest *newest = &recount->newest[d->id];
    if (is_rejected(d, plan, lists)) {
        reject(partition, offset, index, d->defect);
        return;
    }
    const struct story_declaration *old = &newest->declaration;
    if (newest->is_there && newest->month < partition->floor) {
        reject(partition, offset, index, DEFECT_EXPIRED);
        return;
    }
    if (newest->is_there && old->version == d->version && old->cancel == d->cancel) {
        if (old->variant == d->variant && old->defect == d->defect && old->told_ms == d->told_ms)
            partition->verdicts[RECOUNT_DUPLICATE]++;
        else
            reject(partition, offset, index, DEFECT_CONFLICT);
        return;
    }
    if (newest->is_there && (old->version > d->version || (old->version == d->version && old->cancel && !d->cancel))) {
        partition->verdicts[RECOUNT_STALE]++;
        return;
    }
    if (newest->is_there)
        add_up(partition, old, -1);
    int32_t month = !d->cancel         ? month_of_date(content.day)
                    : newest->is_there ? newest->month
                                       : month_of_ms(content.accepted_ms);
    *newest = (struct newest){true, number, month, story_is_late(record, &content), *d};
    add_up(partition, d, 1);
    note_event(partition, content.accepted_ms, record->timestamp_ms);
    move_floor(recount, partition);
    partition->verdicts[content.count > 0 && content.counted == 0 ? RECOUNT_NOT_COUNTED : RECOUNT_COUNTED]++;
}

void recount_to(struct recount *recount, int32_t number, int64_t hi, enum recount_plan plan, enum recount_lists lists)
{
    struct recount_partition *partition = &recount->partition[number];
    for (; partition->hi < hi; partition->hi++) {
        const struct story_record *record = story_at(recount->story, number, partition->hi);
        if (!record)
            continue;
        partition->records++;
        for (uint32_t i = 0; i < record->count; i++)
            count_one(recount, number, partition->hi, record, i, plan, lists);
    }
    count_entries(recount, number);
}

const struct recount_partition *recount_partition(const struct recount *recount, int32_t partition)
{
    return &recount->partition[partition];
}

/* ---- cells ---- */

struct cells {
    struct recount_cell *list;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* index + 1 */
    size_t slot_count;
};

static size_t slot_of(const struct cells *cells, struct text key)
{
    size_t slot = hash_bytes(key.data, key.length, 1) & (cells->slot_count - 1);
    while (cells->slots[slot] && !text_is(key, cells->list[cells->slots[slot] - 1].key))
        slot = (slot + 1) & (cells->slot_count - 1);
    return slot;
}

static void grow(struct cells *cells)
{
    if (cells->count < cells->capacity)
        return;
    cells->capacity = cells->capacity ? cells->capacity * 2 : 512;
    cells->list = memory_resize(cells->list, cells->capacity, sizeof cells->list[0]);
    memory_free(cells->slots);
    cells->slot_count = cells->capacity * 2;
    cells->slots = memory_new(cells->slot_count, sizeof cells->slots[0]);
    for (size_t i = 0; i < cells->count; i++)
        cells->slots[slot_of(cells, text_of(cells->list[i].key))] = (uint32_t)i + 1;
}

/* One item of a declaration: serial is the declaration's number. */
struct counted {
    const struct story_content *content;
    const struct story_item *item;
    int64_t serial;
    bool is_late;
};

static struct recount_cell *cell_of(struct cells *cells, const char *key)
{
    grow(cells);
    size_t slot = slot_of(cells, text_of(key));
    if (!cells->slots[slot]) {
        cells->list[cells->count] = (struct recount_cell){.last = -1, .hour = RECOUNT_NO_HOUR};
        snprintf(cells->list[cells->count].key, RECOUNT_KEY_BYTES, "%s", key);
        cells->slots[slot] = (uint32_t)++cells->count;
    }
    return &cells->list[cells->slots[slot] - 1];
}

static void add_item(struct recount_cell *cell, const struct counted *counted)
{
    const struct story_item *item = counted->item;
    cell->value_minor += item->value;
    cell->net_mass_g += item->mass_kg * 1000;
    cell->gross_mass_g += item->mass_kg * 1000 + 5000;
    cell->packages += item->packages;
    cell->items++;
    cell->late_items += counted->is_late;
    cell->declarations += cell->last != counted->serial;
    cell->last = counted->serial;
}

static void add_base(struct recount_cell *cell, const struct counted *counted)
{
    cell->base_value_minor += counted->item->value;
    cell->base_net_mass_g += counted->item->mass_kg * 1000;
    cell->base_items++;
}

/* ---- periods ---- */

const struct recount_published recount_published[RECOUNT_PUBLISHED] = {
    {RECOUNT_DEFAULT, "flow", NULL, "day,month,quarter,year,ytd,7d,30d,12m", true},
    {RECOUNT_DEFAULT, "trade_mode", NULL, "month,7d", false},
    {RECOUNT_DEFAULT, "partner", NULL, "month,quarter,ytd,12m", true},
    {RECOUNT_DEFAULT, "heading", NULL, "year,month", true},
    {RECOUNT_DEFAULT, "hours", "flow@hour", "hour,24h,7d", true},
    {RECOUNT_DEFAULT, "blocs", "partner_group,flow@day", "day,month,ytd,12m", true},
    {RECOUNT_LENIENT, "flow", NULL, "day,month,ytd", false},
    {RECOUNT_LENIENT, "office", NULL, "day,month,year,30d", true},
    {RECOUNT_LENIENT, "partner_flow", NULL, "month,12m", true},
    {RECOUNT_LENIENT, "desk_hours", "office,flow@hour", "hour,24h", false},
    {RECOUNT_LENIENT, "sales", "trade_class,partner_group,flow@month", "month,quarter", true},
};

/* Of one plan and one newest day and hour. */
struct calendar {
    enum recount_plan plan;
    uint32_t today;
    int64_t hour;
};

struct part {
    const char *view;
    const char *flow;
    const char *dimensions; /* with the flow's place as %s */
    const char *group;      /* of countries; NULL: the view has none */
    const char *partner;    /* whose membership decides then */
};

/* As country_groups.csv of tests/data/reference has them, but for the reporter and countries that no story has. */
static const struct {
    const char *group;
    const char *country;
    uint32_t until; /* the last date */
} members[] = {
    {"SCO_OBSERVER", "AF", 20250831},
    {"CENTRAL_ASIA", "KZ", UINT32_MAX},
};
enum { GROUPS = sizeof members / sizeof members[0] };

/* Who is in a group on the last day of a period is in it in both years. */
static bool belongs(const struct part *part, uint32_t last_day)
{
    for (int i = 0; part->group && i < GROUPS; i++) {
        if (strcmp(members[i].group, part->group) == 0 && strcmp(members[i].country, part->partner) == 0)
            return last_day <= members[i].until;
    }
    return !part->group;
}

static bool has_period(const struct calendar *calendar, const char *view, bool by_day, const char *period)
{
    const char *list = by_day ? "day,month" : "month";
    for (int i = 0; i < RECOUNT_PUBLISHED; i++) {
        if (recount_published[i].plan == calendar->plan && strcmp(recount_published[i].view, view) == 0)
            list = recount_published[i].periods;
    }
    struct text rest = text_of(list);
    while (rest.length > 0) {
        if (text_is(text_cut(&rest, ','), period))
            return true;
    }
    return false;
}

static bool has_total(const struct calendar *calendar, const char *view)
{
    for (int i = 0; i < RECOUNT_PUBLISHED; i++) {
        if (recount_published[i].plan == calendar->plan && strcmp(recount_published[i].view, view) == 0)
            return recount_published[i].total;
    }
    return true;
}

static struct recount_cell *find_cell(struct cells *cells, const struct part *part, const char *head, uint32_t from,
                                      uint32_t to)
{
    char key[RECOUNT_KEY_BYTES];
    int length = snprintf(key, sizeof key, "%s|%s|", part->view, head);
    snprintf(key + length, sizeof key - (size_t)length, part->dimensions, part->flow);
    struct recount_cell *cell = cell_of(cells, key);
    cell->from = from;
    cell->to = to;
    return cell;
}

/* A row of a group has no declarations: one may have items of several of its countries. */
static void add_item_to(struct recount_cell *cell, const struct part *part, const struct counted *counted)
{
    add_item(cell, counted);
    cell->declarations = part->group ? 0 : cell->declarations;
}

/* The cell of the days from..to: with the item, or with it as of a year before. */
static void add_to(struct cells *cells, const struct part *part, const char *frequency, uint32_t from, uint32_t to,
                   const struct counted *counted, bool is_base)
{
    char head[48];
    if (!belongs(part, to))
        return;
    snprintf(head, sizeof head, "%s|%08" PRIu32 "|%08" PRIu32, frequency, from, to);
    struct recount_cell *cell = find_cell(cells, part, head, from, to);
    if (is_base)
        add_base(cell, counted);
    else
        add_item_to(cell, part, counted);
}

/* The periods that are whole months, which hold a day of `date`. */
static void add_months(struct cells *cells, const struct calendar *calendar, const struct part *part, bool by_day,
                       uint32_t date, const struct counted *counted, bool is_base)
{
    uint32_t year = date / 10000 * 10000;
    uint32_t quarter = year + ((date / 100 % 100 - 1) / 3 * 3 + 1) * 100 + 1;
    uint32_t month = date / 100 * 100 + 1;
    if (has_period(calendar, part->view, by_day, "month"))
        add_to(cells, part, "MONTH", month, dates_month_last(month), counted, is_base);
    if (has_period(calendar, part->view, by_day, "quarter"))
        add_to(cells, part, "QUARTER", quarter, dates_month_last(dates_month_later(quarter, 2)), counted, is_base);
    if (has_period(calendar, part->view, by_day, "year"))
        add_to(cells, part, "YEAR", year + 101, year + 1231, counted, is_base);
    for (; has_period(calendar, part->view, by_day, "ytd") && month <= year + 1201; month += 100)
        add_to(cells, part, "YEAR_TO_DATE", year + 101, dates_month_last(month), counted, is_base);
}

/* The window that ends on the newest day. A day of the year before belongs to the base if it has the month and day of one within. */
static void add_rolling(struct cells *cells, const struct part *part, const char *name, uint32_t from, uint32_t to,
                        const struct counted *counted)
{
    uint32_t month_end = to == dates_month_last(to) && strcmp(name, "12M") == 0 ? to / 100 * 100 + 31 : to;
    char head[48];
    uint32_t date = counted->content->day;
    if (!belongs(part, to))
        return;
    snprintf(head, sizeof head, "ROLLING|%s|", name);
    struct recount_cell *cell = find_cell(cells, part, head, from, to);
    if (date >= from && date <= to)
        add_item_to(cell, part, counted);
    if (date + 10000 >= from && date + 10000 <= month_end)
        add_base(cell, counted);
}

/* Hours of UTC since 1970 -> the civil date in Shanghai. */
static uint32_t date_of_hour(int64_t hour)
{
    return dates_of_ms(hour * HOUR_MS);
}

/* The hour in which it was accepted, and the windows that hold it: the last 24 hours, and the hours of the last seven days. */
static void add_hour(struct cells *cells, const struct calendar *calendar, const struct part *part,
                     const struct counted *counted)
{
    char head[64];
    int64_t hour = counted->content->accepted_ms / HOUR_MS;
    uint32_t date = date_of_hour(hour);
    uint32_t utc = dates_of_day(hour / DAY_HOURS);
    int in_day = (int)(hour % DAY_HOURS);
    if (has_period(calendar, part->view, false, "hour")) {
        snprintf(head, sizeof head, "HOUR|%08" PRIu32 "T%02dZ|%08" PRIu32 "T%02dZ", utc, in_day, utc, in_day);
        struct recount_cell *cell = find_cell(cells, part, head, date, date);
        cell->hour = hour;
        cell->hour_from_ms = hour * HOUR_MS;
        cell->hour_to_ms = (hour + 1) * HOUR_MS;
        add_item_to(cell, part, counted);
    }
    if (calendar->hour != RECOUNT_NO_HOUR && hour > calendar->hour - DAY_HOURS && hour <= calendar->hour &&
        has_period(calendar, part->view, false, "24h")) {
        struct recount_cell *cell = find_cell(cells, part, "ROLLING|24H|", date_of_hour(calendar->hour - DAY_HOURS + 1),
                                              date_of_hour(calendar->hour));
        cell->hour_from_ms = (calendar->hour - DAY_HOURS + 1) * HOUR_MS;
        cell->hour_to_ms = (calendar->hour + 1) * HOUR_MS;
        add_item_to(cell, part, counted);
    }
    uint32_t first = calendar->today ? dates_of_day(dates_day(calendar->today) - 6) : 0;
    if (calendar->today && date >= first && date <= calendar->today && has_period(calendar, part->view, false, "7d"))
        add_item_to(find_cell(cells, part, "ROLLING|7D|", first, calendar->today), part, counted);
}

static bool is_leap_day(uint32_t date)
{
    return date % 10000 == 229;
}

static void add_part(struct cells *cells, const struct calendar *calendar, const struct part *part, bool by_day,
                     const struct counted *counted)
{
    uint32_t date = counted->content->day;
    add_months(cells, calendar, part, by_day, date, counted, false);
    add_months(cells, calendar, part, by_day, date + 10000, counted, true);
    if (has_period(calendar, part->view, by_day, "day")) {
        add_to(cells, part, "DAY", date, date, counted, false);
        if (!is_leap_day(date)) /* the next year has no such day */
            add_to(cells, part, "DAY", date + 10000, date + 10000, counted, true);
    }
    if (!calendar->today)
        return;
    uint32_t month = calendar->today / 100 * 100 + 1;
    int64_t day = dates_day(calendar->today);
    if (has_period(calendar, part->view, by_day, "7d"))
        add_rolling(cells, part, "7D", dates_of_day(day - 6), calendar->today, counted);
    if (has_period(calendar, part->view, by_day, "30d"))
        add_rolling(cells, part, "30D", dates_of_day(day - 29), calendar->today, counted);
    if (has_period(calendar, part->view, by_day, "12m")) {
        uint32_t first = dates_month_later(month - 10000, 1);
        add_rolling(cells, part, "12M", first, dates_month_last(month), counted);
    }
}

/* Into the cells of its flow, and of all flows together. */
static void add_view(struct cells *cells, const struct calendar *calendar, const char *view, bool by_day,
                     const char *dimensions, const struct counted *counted)
{
    struct part part = {view, counted->item->flow, dimensions, NULL, NULL};
    add_part(cells, calendar, &part, by_day, counted);
    part.flow = "T";
    if (has_total(calendar, view))
        add_part(cells, calendar, &part, by_day, counted);
}

static void add_view_of_hours(struct cells *cells, const struct calendar *calendar, const char *view,
                              const char *dimensions, const struct counted *counted)
{
    struct part part = {view, counted->item->flow, dimensions, NULL, NULL};
    add_hour(cells, calendar, &part, counted);
    part.flow = "T";
    if (has_total(calendar, view))
        add_hour(cells, calendar, &part, counted);
}

/* `dimensions` has the group's place as %s, and the flow's as %%s. */
static void add_view_of_groups(struct cells *cells, const struct calendar *calendar, const char *view, bool by_day,
                               const char *dimensions, const struct counted *counted)
{
    for (int i = 0; i < GROUPS; i++) {
        char text[RECOUNT_KEY_BYTES];
        if (strcmp(members[i].country, counted->item->partner) != 0)
            continue;
        snprintf(text, sizeof text, dimensions, members[i].group);
        struct part part = {view, counted->item->flow, text, members[i].group, counted->item->partner};
        add_part(cells, calendar, &part, by_day, counted);
        part.flow = "T";
        if (has_total(calendar, view))
            add_part(cells, calendar, &part, by_day, counted);
    }
}

/* The views that a plan has beside its own: by hour, of country groups and of classes (no story has a trade mode). */
static void add_beside(struct cells *cells, const struct counted *counted, const struct calendar *calendar)
{
    char text[RECOUNT_KEY_BYTES];
    if (calendar->plan == RECOUNT_DEFAULT) {
        add_view_of_hours(cells, calendar, "hours", "flow=%s", counted);
        add_view_of_groups(cells, calendar, "blocs", true, "partner_group=%s|flow=%%s", counted);
        return;
    }
    snprintf(text, sizeof text, "office=%s|flow=%%s", counted->content->office);
    add_view_of_hours(cells, calendar, "desk_hours", text, counted);
    add_view_of_groups(cells, calendar, "sales", false, "trade_class=OTHER|partner_group=%s|flow=%%s", counted);
}

/* The keys of one item, as contract.md section 3a has the nine default views; the lenient plan has no headings, and partner_office without the
 * office is called partner_flow. */
static void add_item_everywhere(struct cells *cells, const struct counted *counted, const struct calendar *calendar)
{
    const struct story_content *c = counted->content;
    const struct story_item *item = counted->item;
    char text[RECOUNT_KEY_BYTES];
    bool is_default = calendar->plan == RECOUNT_DEFAULT;
    add_view(cells, calendar, "flow", true, "flow=%s", counted);
    snprintf(text, sizeof text, "office=%s|border_office=|zone=|flow=%%s|mode=%" PRIu32, c->office, c->mode);
    add_view(cells, calendar, "office", true, text, counted);
    snprintf(text, sizeof text, "office=%s|zone=|trade_mode=|flow=%%s", c->office);
    add_view(cells, calendar, "trade_mode", true, text, counted);
    snprintf(text, sizeof text, "partner=%s|flow=%%s|mode=%" PRIu32, item->partner, c->mode);
    add_view(cells, calendar, "partner", false, text, counted);
    snprintf(text, sizeof text, "hs2=%.2s|partner=%s|flow=%%s", item->hs, item->partner);
    add_view(cells, calendar, "chapter", false, text, counted);
    snprintf(text, sizeof text, "hs4=%.4s|flow=%%s", item->hs);
    if (is_default)
        add_view(cells, calendar, "heading", false, text, counted);
    snprintf(text, sizeof text, "hs6=%.6s|partner=%s|flow=%%s", item->hs, item->partner);
    add_view(cells, calendar, "commodity", false, text, counted);
    snprintf(text, sizeof text, "hs6=%.6s|office=%s|flow=%%s", item->hs, c->office);
    add_view(cells, calendar, "commodity_office", false, text, counted);
    if (is_default)
        snprintf(text, sizeof text, "partner=%s|office=%s|flow=%%s", item->partner, c->office);
    else
        snprintf(text, sizeof text, "partner=%s|flow=%%s", item->partner);
    add_view(cells, calendar, is_default ? "partner_office" : "partner_flow", false, text, counted);
    add_beside(cells, counted, calendar);
}

/* A year to date is told for months in which the cell has items. */
static bool has_month(const struct cells *cells, const struct recount_cell *cell)
{
    char key[RECOUNT_KEY_BYTES];
    struct text rest = text_of(cell->key);
    struct text view = text_cut(&rest, '|');
    for (int i = 0; i < 3; i++)
        text_cut(&rest, '|');
    snprintf(key, sizeof key, "%.*s|MONTH|%08" PRIu32 "|%08" PRIu32 "|%.*s", TEXT_ARGS(view), cell->to / 100 * 100 + 1,
             cell->to, TEXT_ARGS(rest));
    uint32_t index = cells->slots[slot_of(cells, text_of(key))];
    return index && cells->list[index - 1].items > 0;
}

static void find_void(struct cells *cells)
{
    for (size_t i = 0; i < cells->count; i++) {
        struct recount_cell *cell = &cells->list[i];
        struct text rest = text_of(cell->key);
        text_cut(&rest, '|');
        bool is_to_date = text_is(text_cut(&rest, '|'), "YEAR_TO_DATE");
        cell->is_void = cell->items == 0 || (is_to_date && !has_month(cells, cell));
    }
}

struct cells *recount_cells(const struct recount *recount, enum recount_plan plan, struct recount_now now)
{
    const struct calendar calendar = {plan, now.today, now.hour};
    struct cells *cells = memory_new(1, sizeof *cells);
    grow(cells);
    for (uint32_t id = 0; id < story_ids(recount->story); id++) {
        if (!recount->newest[id].is_there)
            continue;
        const struct story_content content = story_content(&recount->newest[id].declaration);
        for (uint32_t i = 0; i < content.count; i++) {
            struct counted counted = {&content, &content.items[i], id, recount->newest[id].is_late};
            if (!counted.item->is_outside)
                add_item_everywhere(cells, &counted, &calendar);
        }
    }
    find_void(cells);
    return cells;
}

void cells_free(struct cells *cells)
{
    if (!cells)
        return;
    memory_free(cells->list);
    memory_free(cells->slots);
    memory_free(cells);
}

size_t cells_count(const struct cells *cells, int64_t hours_from)
{
    size_t counting = 0;
    for (size_t i = 0; i < cells->count; i++) {
        const struct recount_cell *cell = &cells->list[i];
        counting += !cell->is_void && (cell->hour == RECOUNT_NO_HOUR || cell->hour >= hours_from);
    }
    return counting;
}

const struct recount_cell *cells_find(const struct cells *cells, struct text key)
{
    uint32_t index = cells->slots[slot_of(cells, key)];
    return index && !cells->list[index - 1].is_void ? &cells->list[index - 1] : NULL;
}
