/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/story.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "sim/dates.h"
#include "sim/sample.h"
#include "sim/storm.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    HOLE = -1,
    HISTORY = 16,
    AHEAD_MOST_MS = 3600000,
    ACCEPTED_BEFORE_MS = 255200000, /* 2025-07-15T02:00Z for the first record */
    DAYS_BACK_MOST = 45,
};

struct offsets {
    int32_t *records; /* index of the record, or HOLE */
    int64_t count;
    int64_t capacity;
};

struct story {
    struct story_record *records;
    uint32_t count;
    uint32_t next;
    uint32_t ids;
    int32_t partitions;
    struct offsets *offsets;
};

void story_id(uint32_t id, char out[static STORY_ID_BYTES])
{
    if (id % 8 == 7) /* beyond what a ledger key holds exactly */
        snprintf(out, STORY_ID_BYTES, "A-LONG-DECLARATION-ID-%06" PRIu32, id);
    else
        snprintf(out, STORY_ID_BYTES, "ID%06" PRIu32, id);
}

static int32_t partition_of(uint32_t id, int32_t partitions)
{
    char text[STORY_ID_BYTES];
    story_id(id, text);
    return hash_partition(text, strlen(text), partitions);
}

/* ---- content ---- */

/* In a story without months all is told in one July. */
static uint32_t day_of(const struct story_declaration *d, struct dice *dice)
{
    uint32_t below = dice_below(dice, 12);
    if (d->told_ms == STORY_NOW_MS)
        return 20250701 + below;
    bool is_recent = dice_luck(dice, 6000);
    int64_t back = dice_between(dice, 0, is_recent ? (int64_t)below : DAYS_BACK_MOST);
    uint32_t day = dates_of_ms(d->told_ms - back * DATES_DAY_MS);
    return day < 20250701 ? 20250701 : day; /* before that an office of the lists is closed */
}

bool story_is_late(const struct story_record *record, const struct story_content *content)
{
    return record->timestamp_ms >= dates_close_ms(content->day, STORY_PROVISIONAL_DAYS);
}

/* What the statistics make of it: most counts. */
static void set_apart(struct story_content *content, struct dice *dice)
{
    content->is_refused = dice_below(dice, 12) == 0;
    for (uint32_t i = 0; i < content->count; i++) {
        struct story_item *item = &content->items[i];
        uint32_t luck = dice_below(dice, 16);
        bool returns = luck == 1;
        item->is_outside = content->is_refused || luck == 0;
        item->flow = content->flow == 'M' ? returns ? "RM" : "M" : returns ? "RX" : "X";
        content->counted += !item->is_outside;
    }
}

struct story_content story_content(const struct story_declaration *d)
{
    static const char *const goods[] = {"720851", "847130", "851713", "270900"};
    static const char *const partners[] = {"KZ", "DE", "US", "AF"};
    struct dice dice = {hash_words2(d->id, d->version * 2 + d->cancel, d->variant)};
    struct story_content content = {
        .day = day_of(d, &dice),
        .flow = d->id % 5 == 0 ? 'X' : 'M',
        .office = d->defect == DEFECT_OFFICE ? "NOWHERE"
                  : d->id % 3 == 0           ? "9411"
                                             : "9407",
        .mode = d->id % 4 == 0 ? 4 : 3,
        .count = d->cancel ? 0 : 1 + dice_below(&dice, STORY_ITEMS_MOST),
    };
    for (uint32_t i = 0; i < content.count; i++) {
        struct story_item *item = &content.items[i];
        uint32_t which = dice_below(&dice, 4);
        item->hs = goods[which];
        item->has_unit = which == 1 || which == 2;
        item->partner = partners[dice_below(&dice, 4)];
        item->value = dice_between(&dice, 1000, 900000);
        item->mass_kg = dice_between(&dice, 1, 5000);
        item->packages = dice_between(&dice, 1, 9);
    }
    if (d->defect == DEFECT_UNIT) {
        content.items[0].hs = "847130";
        content.items[0].has_unit = false;
    }
    content.accepted_ms = dice_luck(&dice, 1000) ? d->told_ms + dice_between(&dice, 1, AHEAD_MOST_MS)
                                                 : d->told_ms - ACCEPTED_BEFORE_MS + (int64_t)d->variant * 1000;
    set_apart(&content, &dice);
    return content;
}

/* Of the lists of tests/data/reference. */
static const char *procedure(const struct story_item *item, char flow)
{
    bool returns = item->flow[0] == 'R';
    if (item->is_outside && !returns)
        return flow == 'M' ? "53" : "23";
    if (flow == 'M')
        return returns ? "61" : "40";
    return returns ? "31" : "10";
}

static struct item make_item(const struct story_item *from, uint32_t number, char flow)
{
    struct item item = {
        .item_no = number,
        .hs_code = text_of(from->hs),
        .net_mass_mg = from->mass_kg * 1000000,
        .gross_mass_mg = from->mass_kg * 1000000 + 5000000,
        .statistical_value_minor = from->value,
        .customs_value_minor = from->value,
        .procedure = text_of(procedure(from, flow)),
        .origin_country = flow == 'M' ? text_of(from->partner) : TEXT("CN"),
        .package_count = (uint32_t)from->packages,
        .description = TEXT("goods"),
    };
    if (flow == 'X')
        item.destination_country = text_of(from->partner);
    if (from->has_unit) {
        item.supp_quantity_micro = 2000000;
        item.supp_unit = TEXT("H87");
    }
    return item;
}

static void fill(struct sample *sample, const struct story_declaration *d)
{
    const struct story_content content = story_content(d);
    char id[STORY_ID_BYTES];
    story_id(d->id, id);
    sample_init(sample, id);
    struct declaration *declaration = &sample->declaration;
    declaration->accepted_at_ms = content.accepted_ms;
    if (d->cancel) {
        sample_cancel(sample, d->version);
        return;
    }
    if (d->version > 1)
        sample_replace(sample, d->version);
    declaration->direction = content.flow == 'M' ? DIRECTION_IMPORT : DIRECTION_EXPORT;
    declaration->office_code = text_of(content.office);
    declaration->status = content.is_refused ? STATUS_REFUSED : STATUS_RELEASED;
    declaration->reference_date = content.day;
    declaration->border_transport_mode = (uint8_t)content.mode;
    declaration->total_gross_mass_mg = 0;
    declaration->total_packages = 0;
    for (uint32_t i = 0; i < content.count; i++) {
        sample->items[i] = make_item(&content.items[i], i + 1, content.flow);
        declaration->total_gross_mass_mg += sample->items[i].gross_mass_mg;
        declaration->total_packages += sample->items[i].package_count;
    }
    declaration->items.count = content.count;
    declaration->item_count = content.count;
}

/* ---- plot ---- */

/* What was told of an id: the newest few versions, for duplicates and conflicts. */
struct past {
    struct story_declaration told[HISTORY];
    uint32_t count;
    uint32_t version;
};

static struct story_declaration tell_one(struct dice *dice, struct past *past, uint32_t id,
                                         const struct story_record *record)
{
    struct story_declaration d = {
        .id = id, .version = past->version ? past->version : 1, .told_ms = record->timestamp_ms};
    uint32_t luck = dice_below(dice, 100);
    if (past->count && luck < 12)
        return past->told[dice_below(dice, past->count)]; /* a duplicate, or stale */
    if (past->count && luck < 18) {
        d = past->told[dice_below(dice, past->count)]; /* a conflict, or stale */
        d.variant++;
        return d;
    }
    if (luck < 24) {
        d.defect = luck < 21 ? DEFECT_OFFICE : DEFECT_UNIT;
        d.variant = dice_below(dice, 1000);
        return d;
    }
    if (!record->is_batch && luck < 30) {
        d.defect = luck < 26 ? DEFECT_NULL : luck < 28 ? DEFECT_GARBAGE : DEFECT_KEY;
        return d;
    }
    d.cancel = luck >= 92;
    d.version = past->version + (past->version == 0 || !d.cancel) + (luck < 34);
    past->version = d.version > past->version ? d.version : past->version;
    if (past->count < HISTORY)
        past->told[past->count++] = d;
    return d;
}

static void plot_record(struct story *story, struct dice *dice, struct past *pasts, struct story_record *record)
{
    uint32_t id = dice_below(dice, story->ids);
    record->partition = partition_of(id, story->partitions);
    record->is_batch = dice_luck(dice, 800);
    uint32_t wanted = record->is_batch ? 1 + dice_below(dice, STORY_BATCH_MOST) : 1;
    for (uint32_t tries = 0; record->count < wanted && tries < 20; tries++) {
        if (partition_of(id, story->partitions) == record->partition)
            record->declarations[record->count++] = tell_one(dice, &pasts[id], id, record);
        id = dice_below(dice, story->ids);
    }
}

struct story *story_new(struct dice *dice, int32_t partitions, uint32_t ids, uint32_t records, int64_t days)
{
    struct story *story = memory_new(1, sizeof *story);
    struct past *pasts = memory_new(ids, sizeof pasts[0]);
    story->ids = ids;
    story->count = records;
    story->partitions = partitions;
    story->records = memory_new(records, sizeof story->records[0]);
    story->offsets = memory_new((size_t)partitions, sizeof story->offsets[0]);
    for (uint32_t i = 0; i < records; i++) {
        story->records[i].timestamp_ms = STORY_NOW_MS + days * DATES_DAY_MS * i / records;
        plot_record(story, dice, pasts, &story->records[i]);
    }
    memory_free(pasts);
    return story;
}

void story_free(struct story *story)
{
    if (!story)
        return;
    for (int32_t i = 0; i < story->partitions; i++)
        memory_free(story->offsets[i].records);
    memory_free(story->offsets);
    memory_free(story->records);
    memory_free(story);
}

/* ---- telling ---- */

static void note(struct story *story, int32_t partition, int64_t offset, int32_t record)
{
    struct offsets *offsets = &story->offsets[partition];
    CHECK(offset == offsets->count);
    if (offsets->count == offsets->capacity) {
        offsets->capacity = offsets->capacity ? offsets->capacity * 2 : 64;
        offsets->records = memory_resize(offsets->records, (size_t)offsets->capacity, sizeof offsets->records[0]);
    }
    offsets->records[offsets->count++] = record;
}

static void encode(const struct story_record *record, struct buffer *out)
{
    for (uint32_t i = 0; i < record->count; i++) {
        struct sample sample;
        struct buffer bytes = {0};
        fill(&sample, &record->declarations[i]);
        sample_encode(&sample, &bytes);
        if (record->is_batch) {
            buffer_add_u8(out, 0x0A);
            buffer_add_varint(out, bytes.length);
        }
        buffer_add(out, bytes.data, bytes.length);
        buffer_fini(&bytes);
    }
}

static void put(struct world *world, const struct story_record *record, const struct buffer *bytes, int64_t *out_offset)
{
    static const uint8_t garbage[] = "\x0A\xFFgarbage";
    const struct story_declaration *first = &record->declarations[0];
    char key[STORY_ID_BYTES];
    story_id(first->defect == DEFECT_KEY ? first->id + 1 : first->id, key);
    struct world_record put = {
        .key = {(const uint8_t *)key, strlen(key)}, .value = buffer_bytes(bytes), .timestamp_ms = record->timestamp_ms};
    if (first->defect == DEFECT_GARBAGE)
        put.value = (struct bytes){garbage, sizeof garbage - 1};
    if (first->defect == DEFECT_NULL) {
        put.value = (struct bytes){NULL, 0};
        put.is_null = true;
    }
    *out_offset = world_put(world, PORT_DECLARATIONS, record->partition, &put);
}

bool story_tell(struct story *story, struct world *world, int32_t *out_partition)
{
    if (story->next == story->count)
        return false;
    const struct story_record *record = &story->records[story->next];
    struct buffer bytes = {0};
    int64_t offset;
    encode(record, &bytes);
    put(world, record, &bytes, &offset);
    buffer_fini(&bytes);
    note(story, record->partition, offset, (int32_t)story->next++);
    *out_partition = record->partition;
    return true;
}

void story_hole(struct story *story, struct world *world, int32_t partition)
{
    int64_t offset = world_put_hole(world, PORT_DECLARATIONS, partition, STORY_NOW_MS);
    note(story, partition, offset, HOLE);
}

bool story_is_told(const struct story *story)
{
    return story->next == story->count;
}

const struct story_record *story_at(const struct story *story, int32_t partition, int64_t offset)
{
    const struct offsets *offsets = &story->offsets[partition];
    CHECK(offset >= 0 && offset < offsets->count);
    int32_t record = offsets->records[offset];
    return record == HOLE ? NULL : &story->records[record];
}

uint32_t story_ids(const struct story *story)
{
    return story->ids;
}
