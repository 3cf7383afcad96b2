/* SPDX-License-Identifier: Apache-2.0 */
#include "query/records.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"

#include "customs/v1/statistic.pb-c.h"

enum { NAME_BYTES = 32, VIEWS_MOST = 64, HEAD_PARTS = 4 };

struct records {
    const char *view;
    const char *sample; /* of records_describe */
    struct table *index;
    struct record *list;
    uint32_t capacity;
    char currency[4];
    char reporter[4];
    bool have[2]; /* days, months */
    bool have_groups;
    char seen[VIEWS_MOST][NAME_BYTES]; /* other views, to name them in an error */
    uint32_t seen_count;
};

static const struct hash_key no_secret = {{0, 0}}; /* the topic is ours; a flood would only slow a report */

struct records *records_new(const char *view)
{
    struct records *records = memory_new(1, sizeof *records);
    records->view = view;
    records->index = table_new(1 << 12);
    return records;
}

void records_free(struct records *records)
{
    if (!records)
        return;
    for (uint32_t i = 0; i < table_count(records->index); i++)
        memory_free(records->list[i].key);
    memory_free(records->list);
    table_free(records->index);
    memory_free(records);
}

/* ---- taking ---- */

static void see_view(struct records *records, struct text name)
{
    for (uint32_t i = 0; i < records->seen_count; i++) {
        if (text_is(name, records->seen[i]))
            return;
    }
    if (records->seen_count < VIEWS_MOST && name.length < NAME_BYTES) {
        memcpy(records->seen[records->seen_count], name.data, name.length);
        records->seen[records->seen_count++][name.length] = '\0';
    }
}

static struct record *record_of(struct records *records, struct text key)
{
    struct hash128 hash = hash_sip128(key.data, key.length, &no_secret);
    struct table_key place = {{hash.word[0], hash.word[1], 0, 0}};
    bool added;
    uint32_t index = table_put(records->index, &place, table_hash(&place), &added);
    if (index == records->capacity) {
        records->capacity = records->capacity ? records->capacity * 2 : 1024;
        records->list = memory_resize(records->list, records->capacity, sizeof records->list[0]);
    }
    if (added)
        records->list[index] = (struct record){.key = memory_copy_text(key.data, key.length)};
    return &records->list[index];
}

static void copy_code(char *out, size_t bytes, const char *code)
{
    if (strlen(code) < bytes)
        memcpy(out, code, strlen(code) + 1);
}

static void fill(struct records *records, struct record *record, const Customs__V1__Statistic *m)
{
    record->as_of = m->as_of;
    record->month = m->frequency == CUSTOMS__V1__FREQUENCY__FREQUENCY_MONTH;
    record->from = m->period_from;
    record->to = m->period_to;
    record->value_minor = m->value_minor;
    record->customs_value_minor = m->customs_value_minor;
    record->net_mass_g = m->net_mass_g;
    record->gross_mass_g = m->gross_mass_g;
    record->quantity_micro = m->supp_quantity_micro;
    copy_code(record->quantity_unit, sizeof record->quantity_unit, m->supp_unit);
    record->declarations = m->declarations;
    record->items = m->items;
    record->packages = m->packages;
    records->have[record->month] = true;
    copy_code(records->currency, sizeof records->currency, m->currency);
    copy_code(records->reporter, sizeof records->reporter, m->reporter);
}

static bool is_kept(const Customs__V1__Statistic *m)
{
    bool grain = m->frequency == CUSTOMS__V1__FREQUENCY__FREQUENCY_MONTH ||
                 m->frequency == CUSTOMS__V1__FREQUENCY__FREQUENCY_DAY ||
                 m->frequency == CUSTOMS__V1__FREQUENCY__FREQUENCY_HOUR;
    return grain && m->flow != CUSTOMS__V1__FLOW__FLOW_T && m->partner_group[0] == '\0';
}

void records_add(struct records *records, struct text key, const struct record *record)
{
    struct record *sum = record_of(records, key);
    char *own_key = sum->key;
    if (sum->from == 0) {
        *sum = *record;
        sum->key = own_key;
        records->have[record->month] = true;
        return;
    }
    sum->value_minor += record->value_minor;
    sum->customs_value_minor += record->customs_value_minor;
    sum->net_mass_g += record->net_mass_g;
    sum->gross_mass_g += record->gross_mass_g;
    sum->items += record->items;
    sum->packages += record->packages;
}

void records_are_in(struct records *records, const char *reporter, const char *currency)
{
    copy_code(records->reporter, sizeof records->reporter, reporter);
    copy_code(records->currency, sizeof records->currency, currency);
}

bool records_take(struct records *records, struct text key, struct bytes value, uint64_t as_of)
{
    struct text rest = key;
    struct text view = text_cut(&rest, '|');
    if (key.length == 0 || key.data[0] == '#')
        return true;
    if (!text_is(view, records->view)) {
        see_view(records, view);
        return true;
    }
    if (value.length == 0) { /* a tombstone; one with a smaller as_of came too late */
        struct record *record = record_of(records, key);
        if (as_of > record->as_of)
            *record = (struct record){.key = record->key, .as_of = as_of};
        return true;
    }
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, value.length, value.data);
    if (!m)
        return false;
    records->have_groups |= m->partner_group[0] != '\0';
    if (is_kept(m)) {
        struct record *record = record_of(records, key);
        if (m->as_of > record->as_of)
            fill(records, record, m);
    }
    customs__v1__statistic__free_unpacked(m, NULL);
    return true;
}

void records_describe(struct records *records, const char *key, bool days, const char *currency, const char *reporter)
{
    records->sample = key;
    records->have[!days] = true;
    copy_code(records->currency, sizeof records->currency, currency);
    copy_code(records->reporter, sizeof records->reporter, reporter);
}

/* ---- what there is ---- */

uint32_t records_count(const struct records *records)
{
    return table_count(records->index);
}

const struct record *records_at(const struct records *records, uint32_t index)
{
    return &records->list[index];
}

const char *records_view(const struct records *records)
{
    return records->view;
}

const char *records_currency(const struct records *records)
{
    return records->currency;
}

const char *records_reporter(const struct records *records)
{
    return records->reporter;
}

const char *records_sample(const struct records *records)
{
    for (uint32_t i = 0; i < table_count(records->index); i++) {
        if (records->list[i].from)
            return records->list[i].key;
    }
    return records->sample;
}

bool records_have(const struct records *records, bool months)
{
    return records->have[months];
}

bool records_have_groups(const struct records *records)
{
    return records->have_groups;
}

void records_other_views(const struct records *records, struct buffer *out)
{
    for (uint32_t i = 0; i < records->seen_count; i++)
        buffer_add_format(out, "%s%s", i ? ", " : "", records->seen[i]);
}

/* ---- keys ---- */

void records_split(const char *key, struct record_parts *out)
{
    struct text rest = text_of(key);
    out->count = 0;
    for (int i = 0; i < HEAD_PARTS; i++)
        text_cut(&rest, '|');
    while (rest.length > 0 && out->count < RECORDS_PARTS_MOST)
        out->part[out->count++] = text_cut(&rest, '|');
}

struct text records_name(struct text part)
{
    return text_cut(&part, '=');
}

struct text records_value(struct text part)
{
    text_cut(&part, '=');
    return part;
}
