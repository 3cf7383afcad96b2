/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/recount.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "sim/dates.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

static void add_item(struct cells *cells, const char *key, const struct counted *counted)
{
    const struct story_item *item = counted->item;
    int64_t serial = counted->serial;
    grow(cells);
    size_t slot = slot_of(cells, text_of(key));
    if (!cells->slots[slot]) {
        cells->list[cells->count] = (struct recount_cell){.last = -1};
        snprintf(cells->list[cells->count].key, RECOUNT_KEY_BYTES, "%s", key);
        cells->slots[slot] = (uint32_t)++cells->count;
    }
    struct recount_cell *cell = &cells->list[cells->slots[slot] - 1];
    cell->value_minor += item->value;
    cell->net_mass_g += item->mass_kg * 1000;
    cell->gross_mass_g += item->mass_kg * 1000 + 5000;
    cell->packages += item->packages;
    cell->items++;
    cell->late_items += counted->is_late;
    cell->declarations += cell->last != serial;
    cell->last = serial;
}

/* The keys of one item, as contract.md section 3a has the nine default views; the lenient plan has no headings, and partner_office without the
 * office is called partner_flow. */
static void add_item_everywhere(struct cells *cells, const struct counted *counted, enum recount_plan plan)
{
    const struct story_content *c = counted->content;
    const struct story_item *item = counted->item;
    char day[32];
    char key[RECOUNT_KEY_BYTES];
    char month[32];
    snprintf(month, sizeof month, "MONTH|%" PRIu32 "|%" PRIu32, dates_month_later(c->day, 0), dates_month_last(c->day));
    snprintf(day, sizeof day, "DAY|%" PRIu32 "|%" PRIu32, c->day, c->day);
    const char *periods[] = {day, month};
    for (int i = 0; i < 2; i++) {
        snprintf(key, sizeof key, "flow|%s|flow=%s", periods[i], item->flow);
        add_item(cells, key, counted);
        snprintf(key, sizeof key, "office|%s|office=%s|border_office=|zone=|flow=%s|mode=%" PRIu32, periods[i],
                 c->office, item->flow, c->mode);
        add_item(cells, key, counted);
        snprintf(key, sizeof key, "trade_mode|%s|office=%s|zone=|trade_mode=|flow=%s", periods[i], c->office,
                 item->flow);
        add_item(cells, key, counted);
    }
    snprintf(key, sizeof key, "partner|%s|partner=%s|flow=%s|mode=%" PRIu32, month, item->partner, item->flow, c->mode);
    add_item(cells, key, counted);
    snprintf(key, sizeof key, "chapter|%s|hs2=%.2s|partner=%s|flow=%s", month, item->hs, item->partner, item->flow);
    add_item(cells, key, counted);
    if (plan == RECOUNT_DEFAULT) {
        snprintf(key, sizeof key, "heading|%s|hs4=%.4s|flow=%s", month, item->hs, item->flow);
        add_item(cells, key, counted);
    }
    snprintf(key, sizeof key, "commodity|%s|hs6=%.6s|partner=%s|flow=%s", month, item->hs, item->partner, item->flow);
    add_item(cells, key, counted);
    snprintf(key, sizeof key, "commodity_office|%s|hs6=%.6s|office=%s|flow=%s", month, item->hs, c->office, item->flow);
    add_item(cells, key, counted);
    if (plan == RECOUNT_DEFAULT)
        snprintf(key, sizeof key, "partner_office|%s|partner=%s|office=%s|flow=%s", month, item->partner, c->office,
                 item->flow);
    else
        snprintf(key, sizeof key, "partner_flow|%s|partner=%s|flow=%s", month, item->partner, item->flow);
    add_item(cells, key, counted);
}

struct cells *recount_cells(const struct recount *recount, enum recount_plan plan)
{
    struct cells *cells = memory_new(1, sizeof *cells);
    grow(cells);
    for (uint32_t id = 0; id < story_ids(recount->story); id++) {
        if (!recount->newest[id].is_there)
            continue;
        const struct story_content content = story_content(&recount->newest[id].declaration);
        for (uint32_t i = 0; i < content.count; i++) {
            struct counted counted = {&content, &content.items[i], id, recount->newest[id].is_late};
            if (!counted.item->is_outside)
                add_item_everywhere(cells, &counted, plan);
        }
    }
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

size_t cells_count(const struct cells *cells)
{
    return cells->count;
}

const struct recount_cell *cells_find(const struct cells *cells, struct text key)
{
    uint32_t index = cells->slots[slot_of(cells, key)];
    return index ? &cells->list[index - 1] : NULL;
}

const struct recount_cell *cells_at(const struct cells *cells, size_t index)
{
    return &cells->list[index];
}
