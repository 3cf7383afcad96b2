/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/consumer.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"
#include "sim/dates.h"
#include "sim/storm.h"

#include "customs/v1/statistic.pb-c.h"

#include <inttypes.h>
#include <string.h>

enum { OPEN_STATE = 1, PROVISIONAL_STATE, REVISED_STATE, FINAL_STATE, TERM_SHIFT = 40 };

/* What a record says; all zero: a tombstone. */
struct told {
    int64_t figures[6];
    int64_t watermark_ms;
    unsigned state;
    uint32_t date; /* the last of its period */
    int64_t hour_to_ms;
};

struct held {
    struct text key; /* in the world, which keeps its records */
    int64_t as_of;
    struct bytes value;
    struct told told;
};

struct consumer {
    const struct world *world;
    int32_t partitions;
    int64_t *positions;
    struct consumer_months months;
    struct table *table;
    struct held *held;
    uint32_t capacity;
    struct consumer_seen seen;
    struct buffer wrong;
};

struct consumer *consumer_new(const struct world *world, int32_t partitions, struct consumer_months months)
{
    struct consumer *consumer = memory_new(1, sizeof *consumer);
    consumer->world = world;
    consumer->partitions = partitions;
    consumer->months = months;
    consumer->positions = memory_new((size_t)partitions, sizeof consumer->positions[0]);
    for (int32_t i = 0; i < partitions; i++)
        consumer->positions[i] = world_first(world, PORT_STATISTICS, i);
    consumer->table = table_new(1024);
    return consumer;
}

void consumer_free(struct consumer *consumer)
{
    if (!consumer)
        return;
    buffer_fini(&consumer->wrong);
    table_free(consumer->table);
    memory_free(consumer->held);
    memory_free(consumer->positions);
    memory_free(consumer);
}

int64_t consumer_position(const struct consumer *consumer, int32_t partition)
{
    return consumer->positions[partition];
}

struct bytes consumer_wrong(const struct consumer *consumer)
{
    return buffer_bytes(&consumer->wrong);
}

const struct consumer_seen *consumer_seen(const struct consumer *consumer)
{
    return &consumer->seen;
}

/* ---- states ---- */

/* Of the month, by a watermark; a record may be REVISED in place of PROVISIONAL. */
static unsigned state_at(const struct consumer *consumer, uint32_t date, int64_t watermark_ms)
{
    if (watermark_ms >= dates_final_ms(date, consumer->months.final_months))
        return FINAL_STATE;
    return watermark_ms >= dates_close_ms(date, consumer->months.provisional_days) ? PROVISIONAL_STATE : OPEN_STATE;
}

static unsigned plain(unsigned state)
{
    return state == REVISED_STATE ? PROVISIONAL_STATE : state;
}

static struct told told_of(const struct world_record *record)
{
    Customs__V1__Statistic *s =
        record->is_null ? NULL : customs__v1__statistic__unpack(NULL, record->value.length, record->value.data);
    if (!s)
        return (struct told){.state = 0};
    struct told told = {
        .figures = {s->value_minor, s->net_mass_g, s->gross_mass_g, (int64_t)s->declarations, (int64_t)s->items,
                    (int64_t)s->packages},
        .watermark_ms = s->watermark_ms,
        .state = (unsigned)s->state,
        .date = s->period_to,
        .hour_to_ms = s->hour_to_ms,
    };
    customs__v1__statistic__free_unpacked(s, NULL);
    return told;
}

static void say_wrong(struct consumer *consumer, struct text key, const char *what, const struct told *before,
                      const struct told *now)
{
    if (!consumer->wrong.length)
        buffer_add_format(&consumer->wrong, "%.*s: %s: state %u at %" PRId64 ", then %u at %" PRId64, TEXT_ARGS(key),
                          what, before->state, before->watermark_ms, now->state, now->watermark_ms);
}

/* Hours of UTC since 1970 of a key by hour; RECOUNT_NO_HOUR of others. */
static int64_t hour_of(struct text key)
{
    int64_t date;
    int64_t hour;
    text_cut(&key, '|');
    if (!text_is(text_cut(&key, '|'), "HOUR") || key.length < 12 || !text_to_int64((struct text){key.data, 8}, &date) ||
        !text_to_int64((struct text){key.data + 9, 2}, &hour))
        return RECOUNT_NO_HOUR;
    return dates_day((uint32_t)date) * 24 + hour;
}

static void note_seen(struct consumer *consumer, const struct told *before, const struct told *now, bool was_held)
{
    struct consumer_seen *seen = &consumer->seen;
    seen->closed += before->state == OPEN_STATE && now->state == PROVISIONAL_STATE;
    seen->revised += before->state == PROVISIONAL_STATE && now->state == REVISED_STATE;
    seen->final += now->state == FINAL_STATE && before->state != FINAL_STATE;
    seen->buried += now->state == 0;
    seen->unburied += was_held && before->state == 0 && now->state != 0;
}

static bool is_rolling(struct text key)
{
    text_cut(&key, '|');
    return text_is(text_cut(&key, '|'), "ROLLING");
}

uint32_t consumer_today(const struct consumer *consumer, bool *out_is_day)
{
    uint32_t by_days = 0;
    uint32_t by_months = 0; /* which tell no more than their month */
    for (uint32_t i = 0; i < table_count(consumer->table); i++) {
        const struct held *held = &consumer->held[i];
        struct text key = held->key;
        text_cut(&key, '|');
        text_cut(&key, '|');
        struct text name = text_cut(&key, '|');
        bool is_of_months = text_is(name, "12M");
        if (!is_rolling(held->key) || held->told.figures[4] == 0 || text_is(name, "24H"))
            continue;
        if (is_of_months && held->told.date > by_months)
            by_months = held->told.date;
        else if (!is_of_months && held->told.date > by_days)
            by_days = held->told.date;
    }
    *out_is_day = by_days > 0;
    return by_days ? by_days : by_months;
}

int64_t consumer_hour(const struct consumer *consumer)
{
    int64_t last = RECOUNT_NO_HOUR;
    for (uint32_t i = 0; i < table_count(consumer->table); i++) {
        const struct held *held = &consumer->held[i];
        int64_t hour = held->told.hour_to_ms / DATES_HOUR_MS - 1;
        if (is_rolling(held->key) && held->told.hour_to_ms > 0 && held->told.figures[4] > 0 && hour > last)
            last = hour;
    }
    return last;
}

/* A record and the next one that counts, of the same key. What a publisher of another term has told may be news to this one. */
static void check_states(struct consumer *consumer, const struct held *before, const struct held *now, bool was_held)
{
    const struct told *told = &now->told;
    consumer->seen.ended += told->state == 0 && hour_of(now->key) != RECOUNT_NO_HOUR;
    bool same_term = was_held && before->as_of >> TERM_SHIFT == now->as_of >> TERM_SHIFT;
    note_seen(consumer, &before->told, told, was_held);
    if (told->state != 0 && plain(told->state) != state_at(consumer, told->date, told->watermark_ms))
        say_wrong(consumer, now->key, "not the state of its watermark", told, told);
    if (!same_term || before->told.state == 0 || told->state == 0)
        return;
    if (is_rolling(now->key)) {                                     /* its month is another one from day to day */
        if (told->date < before->told.date && told->figures[4] > 0) /* one without items may be of any days */
            say_wrong(consumer, now->key, "the window goes back", &before->told, told);
        return;
    }
    bool changed = memcmp(before->told.figures, told->figures, sizeof told->figures) != 0;
    if (told->watermark_ms < before->told.watermark_ms)
        say_wrong(consumer, now->key, "the watermark falls", &before->told, told);
    if (told->state < before->told.state)
        say_wrong(consumer, now->key, "the state goes back", &before->told, told);
    if (changed && before->told.state >= PROVISIONAL_STATE && told->state < REVISED_STATE)
        say_wrong(consumer, now->key, "changed and not REVISED", &before->told, told);
}

static void take(struct consumer *consumer, const struct world_record *record)
{
    const struct hash_key secret = {{1, 2}};
    struct hash128 hash = hash_sip128(record->key.data, record->key.length, &secret);
    struct table_key place = {{hash.word[0], hash.word[1], 0, 0}};
    bool added;
    uint32_t index = table_put(consumer->table, &place, table_hash(&place), &added);
    if (index >= consumer->capacity) {
        consumer->capacity = consumer->capacity ? consumer->capacity * 2 : 1024;
        consumer->held = memory_resize(consumer->held, consumer->capacity, sizeof consumer->held[0]);
    }
    struct held *held = &consumer->held[index];
    if (!added && record->as_of <= held->as_of)
        return;
    const struct held before = added ? (struct held){.as_of = 0} : *held;
    *held = (struct held){{(const char *)record->key.data, (uint32_t)record->key.length},
                          record->as_of,
                          record->is_null ? (struct bytes){NULL, 0} : record->value,
                          told_of(record)};
    check_states(consumer, &before, held, !added);
}

bool consumer_read(struct consumer *consumer, int64_t most)
{
    bool did = false;
    for (int32_t p = 0; p < consumer->partitions; p++) {
        int64_t *position = &consumer->positions[p];
        int64_t next = world_next(consumer->world, PORT_STATISTICS, p);
        for (int64_t read = 0; read < most && *position < next; ++*position, ++read) {
            const struct world_record *record = world_at(consumer->world, PORT_STATISTICS, p, *position);
            did = true;
            if (!world_is_hole(consumer->world, PORT_STATISTICS, p, *position) && record->key.length &&
                record->key.data[0] != '#')
                take(consumer, record);
        }
    }
    return did;
}

static bool differs(struct buffer *why, struct text key, const char *what, int64_t holds, int64_t should)
{
    if (holds == should)
        return false;
    buffer_add_format(why, "%.*s: %s %" PRId64 ", the recount has %" PRId64, TEXT_ARGS(key), what, holds, should);
    return true;
}

/* In millionths, half away from zero. Figures of a story are small. */
static int64_t growth_of(int64_t now, int64_t base)
{
    int64_t twice = (now - base) * 2000000;
    return (twice + (twice < 0 ? -base : base)) / (2 * base);
}

static bool base_differs(struct buffer *why, const struct held *held, const Customs__V1__Statistic *s,
                         const struct recount_cell *should)
{
    bool has_value = should->items > 0 && should->base_items > 0 && should->base_value_minor > 0;
    bool has_mass = should->items > 0 && should->base_items > 0 && should->base_net_mass_g > 0;
    return differs(why, held->key, "base value", s->base_value_minor, has_value ? should->base_value_minor : 0) ||
           differs(why, held->key, "base mass", s->base_net_mass_g, has_mass ? should->base_net_mass_g : 0) ||
           differs(why, held->key, "has growth of value", s->has_yoy_value_ppm_case != 0, has_value) ||
           differs(why, held->key, "has growth of mass", s->has_yoy_net_mass_ppm_case != 0, has_mass) ||
           (has_value && differs(why, held->key, "growth of value", s->yoy_value_ppm,
                                 growth_of(should->value_minor, should->base_value_minor))) ||
           (has_mass && differs(why, held->key, "growth of mass", s->yoy_net_mass_ppm,
                                growth_of(should->net_mass_g, should->base_net_mass_g))) ||
           (should->items > 0 && (differs(why, held->key, "first day", s->period_from, should->from) ||
                                  differs(why, held->key, "last day", s->period_to, should->to) ||
                                  differs(why, held->key, "first hour", s->hour_from_ms, should->hour_from_ms) ||
                                  differs(why, held->key, "last hour", s->hour_to_ms, should->hour_to_ms)));
}

static bool compare(const struct held *held, const Customs__V1__Statistic *s, const struct recount_cell *cell,
                    struct buffer *why)
{
    if (s->as_of != (uint64_t)held->as_of)
        return !differs(why, held->key, "as_of in its header is", held->as_of, (int64_t)s->as_of);
    static const struct recount_cell none = {.value_minor = 0};
    const struct recount_cell *should = cell ? cell : &none;
    return !(differs(why, held->key, "items", (int64_t)s->items, should->items) ||
             differs(why, held->key, "late items", (int64_t)s->late_items, should->late_items) ||
             differs(why, held->key, "declarations", (int64_t)s->declarations, should->declarations) ||
             differs(why, held->key, "value", s->value_minor, should->value_minor) ||
             differs(why, held->key, "net mass", s->net_mass_g, should->net_mass_g) ||
             differs(why, held->key, "gross mass", s->gross_mass_g, should->gross_mass_g) ||
             differs(why, held->key, "packages", (int64_t)s->packages, should->packages) ||
             base_differs(why, held, s, should));
}

/* The last date of the period in a record key; of an hour, its date in Shanghai. */
static uint32_t date_of(struct text key)
{
    int64_t hour = hour_of(key);
    if (hour != RECOUNT_NO_HOUR)
        return dates_of_ms(hour * DATES_HOUR_MS);
    int64_t date = 0;
    for (int part = 0; part < 4; part++) {
        struct text to = text_cut(&key, '|');
        if (part == 3 && !text_to_int64(to, &date))
            date = 0;
    }
    return (uint32_t)date;
}

/* A record has the state of the last watermark, one without items has none when it is FINAL, and no other is gone. */
static bool agrees_in_time(const struct consumer *consumer, const struct held *held, int64_t items, int64_t late_items,
                           struct consumer_watermark watermark, struct buffer *why)
{
    bool rolls = is_rolling(held->key); /* its period is never final */
    uint32_t date = rolls ? held->told.date : date_of(held->key);
    unsigned least = state_at(consumer, date, watermark.least_ms);
    unsigned most = state_at(consumer, date, watermark.most_ms);
    unsigned state = held->told.state;
    const char *wrong = NULL;
    int64_t hour = hour_of(held->key);
    if (hour != RECOUNT_NO_HOUR && hour < dates_kept_from(watermark.most_ms))
        most = FINAL_STATE; /* it may be gone, and must be as soon as */
    if (hour != RECOUNT_NO_HOUR && hour < dates_kept_from(watermark.least_ms))
        least = items == 0 ? FINAL_STATE : least;
    if (rolls && (!held->value.data || (items > 0 && state != OPEN_STATE)))
        wrong = "a rolling window that is gone or closed";
    else if (rolls)
        wrong = NULL;
    else if (!held->value.data && most != FINAL_STATE)
        wrong = "gone though its month is not final";
    else if (held->value.data && items == 0 && least == FINAL_STATE)
        wrong = "not gone though its month is final";
    else if (items > 0 && (plain(state) < least || plain(state) > most))
        wrong = "not in the state of its month";
    else if (items > 0 && late_items > 0 && state == PROVISIONAL_STATE)
        wrong = "has late items and is not REVISED";
    if (wrong)
        buffer_add_format(why, "%.*s: %s: state %u, by the journals %u to %u", TEXT_ARGS(held->key), wrong, state,
                          least, most);
    return !wrong;
}

static bool agrees(const struct consumer *consumer, const struct held *held, const struct cells *cells,
                   struct consumer_watermark watermark, bool *out_counts, struct buffer *why)
{
    *out_counts = false;
    if (!held->value.data)
        return agrees_in_time(consumer, held, 0, 0, watermark, why);
    Customs__V1__Statistic *s = customs__v1__statistic__unpack(NULL, held->value.length, held->value.data);
    if (!s) {
        buffer_add_format(why, "%.*s: no Statistic", TEXT_ARGS(held->key));
        return false;
    }
    int64_t hour = hour_of(held->key);
    bool is_over = hour != RECOUNT_NO_HOUR && hour < dates_kept_from(watermark.least_ms);
    bool may_be_over = hour != RECOUNT_NO_HOUR && hour < dates_kept_from(watermark.most_ms);
    *out_counts = s->items > 0 && !may_be_over;
    const struct recount_cell *cell = is_over || (may_be_over && s->items == 0) ? NULL : cells_find(cells, held->key);
    bool same = compare(held, s, cell, why) &&
                agrees_in_time(consumer, held, (int64_t)s->items, (int64_t)s->late_items, watermark, why);
    customs__v1__statistic__free_unpacked(s, NULL);
    return same;
}

bool consumer_agrees(const struct consumer *consumer, const struct cells *cells, struct consumer_watermark watermark,
                     struct buffer *why)
{
    size_t counting = 0;
    for (uint32_t i = 0; i < table_count(consumer->table); i++) {
        bool counts;
        if (!agrees(consumer, &consumer->held[i], cells, watermark, &counts, why))
            return false;
        counting += counts;
    }
    size_t should = cells_count(cells, dates_kept_from(watermark.most_ms));
    if (counting == should)
        return true;
    buffer_add_format(why, "%zu cells with items, the recount has %zu", counting, should);
    return false;
}
