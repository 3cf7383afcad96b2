/* SPDX-License-Identifier: Apache-2.0
 * records.h - what topic.statistics holds of one view: of each key the record with the largest as_of.
 *
 * In:      records of the topic in any order
 * Kept:    DAY and MONTH records; T and country groups are sums of others and are left out, so that nothing counts twice
 * Memory:  owns all records: about 250 bytes each
 * Thread:  main, query: one owner
 */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

enum { RECORDS_PARTS_MOST = 16 };

struct record {
    char *key; /* of the topic, zero-terminated */
    uint64_t as_of;
    bool month; /* else a day */
    uint32_t from;
    uint32_t to;
    int64_t value_minor;
    int64_t customs_value_minor;
    int64_t net_mass_g;
    int64_t gross_mass_g;
    int64_t quantity_micro;
    char quantity_unit[4]; /* Rec 20 */
    uint64_t declarations;
    uint64_t items; /* 0: as if it were not there */
    uint64_t packages;
    bool is_mention; /* no goods: another value of a name of which a declaration has several, for counts of values */
};

struct records;

/* Borrows the name until records_free. */
struct records *records_new(const char *view);
/* Takes NULL. */
void records_free(struct records *records);

/* Adds what is not of the topic: to the record of that key, if there is one, a declaration once. The key is copied, that of `record` is not
 * looked at. */
void records_add(struct records *records, struct text key, const struct record *record);
/* Of whom and in which currency what is added is. */
void records_are_in(struct records *records, const char *reporter, const char *currency);

/* Takes a record; those of other views and claims are left out. as_of: of the header, which is all that a tombstone (an empty value) says.
 * False: the value is no Statistic. */
bool records_take(struct records *records, struct text key, struct bytes value, uint64_t as_of);

uint32_t records_count(const struct records *records);
const struct record *records_at(const struct records *records, uint32_t index);

/* What a view's records are like, where that is known before any was taken: a key, whether they are of days, else of months. Borrows the key. */
void records_describe(struct records *records, const char *key, bool days, const char *currency, const char *reporter);

/* Of the newest record taken; empty if there is none. */
const char *records_view(const struct records *records);
const char *records_currency(const struct records *records);
const char *records_reporter(const struct records *records);

/* Key of some record that has a value, to see its dimensions; NULL if there is none. */
const char *records_sample(const struct records *records);

/* Whether there are records of days, or of months. */
bool records_have(const struct records *records, bool months);

/* Whether there are records of country groups, which are left out. */
bool records_have_groups(const struct records *records);

/* Names of the other views seen: "flow, office". */
void records_other_views(const struct records *records, struct buffer *out);

/* The "name=value" parts of a record key. */
struct record_parts {
    struct text part[RECORDS_PARTS_MOST];
    uint32_t count;
};
void records_split(const char *key, struct record_parts *out);

/* Name and value of a part; the value as it stands in the key. */
struct text records_name(struct text part);
struct text records_value(struct text part);
