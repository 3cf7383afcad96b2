/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ledger.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/memory.h"
#include "base/slab.h"
#include "flow/contribution.h"
#include "flow/mutant.h"
#include "trade/calendar.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum {
    SLOTS = 8,          /* of a bucket: one cache line */
    FILLED_MOST = 7,    /* of each eight slots of a segment, before it grows by a quarter */
    BUCKETS_FIRST = 2,  /* of each segment */
    RESERVE_SPARE = 16, /* a sixteenth more than was asked for: work goes on behind a restore */
    TAG_SHIFT = 27,     /* 64 bits of the fixed hash = segment 5 | tag 32 | rest 27 */
    VISIT_AHEAD = 2,
    MONTHS_SPARE = 6,       /* months that the sums have room for beside those that were seen */
    TIDY_SHARE = 8,         /* a segment is written anew when that part of it has expired, or was replaced */
    TIDY_SLACK = 256 << 10, /* bytes that may lie idle in any segment */
    HEAD_MOST = 63,         /* bytes of a contribution whose record has a head of one byte */
};

#define REST_MASK ((1u << TAG_SHIFT) - 1)

_Static_assert(SLAB_REFERENCE_END == ~REST_MASK, "a fingerprint's rest stands behind the references to records");

/* A slot is a tag and a reference to the record, 0 if it is empty, or what else a fingerprint has. Slots of a bucket are filled from the
 * first on. */
struct bucket {
    uint32_t tags[SLOTS];
    uint32_t references[SLOTS];
};

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

struct segment {
    struct bucket *buckets; /* in one of the ledger's two tables */
    uint32_t bucket_count;
    uint32_t filled;  /* slots: entries, expired or not, and fingerprints */
    uint32_t expired; /* records in memory that are no entries any more */
    size_t replaced;  /* bytes of records that no slot names any more */
    struct ledger_sums sums;
    struct slab slab; /* records: varint of length and form of the key, key, contribution */
};

/* The entries of one segment and month; only months from the floor on have any. */
struct month {
    uint64_t control;
    uint64_t print_control; /* what it will be when they expire */
    uint32_t entries;
};

struct months {
    struct month each[LEDGER_SEGMENTS];
};

/* One mapping for the buckets of all segments, so that it has huge pages long before a segment is as large as one. */
struct buckets {
    struct bucket *all;
    uint32_t each; /* buckets a segment */
};

struct ledger {
    struct segment segments[LEDGER_SEGMENTS];
    struct buckets table;
    struct buckets former; /* segments move out of it one by one, each when it is full; `all` is NULL if none is left */
    uint64_t seed;
    int32_t floor;
    int32_t first_month; /* of `months` */
    int32_t month_count;
    struct months *months;
    uint32_t tidied; /* the segment that was looked at last */
    int32_t day;     /* and its month: of the contribution that was put last */
    int32_t month_of_day;
};

/* ---- buckets of all segments ---- */

static size_t table_bytes(uint32_t each)
{
    return (size_t)each * LEDGER_SEGMENTS * sizeof(struct bucket);
}

static void open_table(struct ledger *ledger, uint32_t each)
{
    ledger->table = (struct buckets){memory_map_lazy(table_bytes(each)), each};
}

static void close_table(struct buckets *table)
{
    if (table->all)
        memory_unmap_lazy(table->all, table_bytes(table->each));
    table->all = NULL;
}

struct ledger *ledger_new(uint64_t seed)
{
    struct ledger *ledger = memory_new(1, sizeof *ledger);
    ledger->seed = seed;
    open_table(ledger, BUCKETS_FIRST);
    for (uint32_t i = 0; i < LEDGER_SEGMENTS; i++) {
        ledger->segments[i].buckets = ledger->table.all + (size_t)i * BUCKETS_FIRST;
        ledger->segments[i].bucket_count = BUCKETS_FIRST;
    }
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    for (uint32_t i = 0; i < LEDGER_SEGMENTS; i++)
        slab_fini(&ledger->segments[i].slab);
    close_table(&ledger->table);
    close_table(&ledger->former);
    memory_free(ledger->months);
    memory_free(ledger);
}

/* ---- slots ---- */

static inline uint32_t segment_of(uint64_t fixed)
{
    return (uint32_t)(fixed >> 59); /* as ledger_segment */
}

/* Segment, tag and the rest are the fixed hash again; where a tag stands nobody knows who does not know the seed. */
static inline uint32_t tag_of(const struct ledger *ledger, uint64_t fixed)
{
    uint64_t rest = fixed & REST_MASK;
    return (uint32_t)(fixed >> TAG_SHIFT) + (uint32_t)hash_mix(rest ^ ledger->seed ^ HASH_P0, HASH_P2);
}

/* The order of tags is the order of buckets: a segment that grows is read and written from its beginning to its end. */
static inline uint32_t home_of(uint32_t tag, uint32_t bucket_count)
{
    return (uint32_t)((uint64_t)tag * bucket_count >> 32);
}

/* A bit for each of the eight words that is `value`. */
static inline uint32_t equal_words(const uint32_t words[static SLOTS], uint32_t value)
{
#if defined(__SSE2__)
    __m128i wanted = _mm_set1_epi32((int)value);
    __m128i low = _mm_cmpeq_epi32(_mm_loadu_si128((const void *)words), wanted);
    __m128i high = _mm_cmpeq_epi32(_mm_loadu_si128((const void *)(words + SLOTS / 2)), wanted);
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128()));
#else
    uint32_t mask = 0;
    for (uint32_t i = 0; i < SLOTS; i++)
        mask |= (uint32_t)(words[i] == value) << i;
    return mask;
#endif
}

static inline uint32_t slots_empty(const struct bucket *bucket)
{
    return equal_words(bucket->references, 0);
}

/* Those that are filled and may hold an id of this tag. */
static inline uint32_t slots_with(const struct bucket *bucket, uint32_t tag)
{
    return equal_words(bucket->tags, tag) & ~slots_empty(bucket);
}

static inline uint32_t next_bucket(const struct segment *segment, uint32_t bucket)
{
    return bucket + 1 == segment->bucket_count ? 0 : bucket + 1;
}

/* A record: varint of twice the bytes of the contribution, + 1 if the key is in its long form; the key; the contribution. */
struct record {
    const uint8_t *key;
    size_t key_bytes;
    struct bytes contribution;
};

static inline struct record record_at(const struct segment *segment, uint32_t reference)
{
    const uint8_t *at = slab_at(&segment->slab, reference);
    size_t head = 0;
    unsigned shift = 0;
    while (*at & 0x80) {
        head |= (size_t)(*at++ & 0x7F) << shift;
        shift += 7;
    }
    head |= (size_t)*at++ << shift;
    size_t key_bytes = head & 1 ? LEDGER_KEY_LONG_BYTES : LEDGER_KEY_SHORT_BYTES;
    return (struct record){at, key_bytes, {at + key_bytes, head >> 1}};
}

static bool is_key_at(const struct segment *segment, uint32_t reference, const struct ledger_key *key)
{
    struct record record = record_at(segment, reference);
    uint8_t packed[LEDGER_KEY_LONG_BYTES];
    return ledger_key_pack(key, packed) == record.key_bytes && memcmp(packed, record.key, record.key_bytes) == 0;
}

static inline int32_t clamp_month(int32_t month)
{
    return month < 0 ? 0 : month > LEDGER_MONTH_MOST ? LEDGER_MONTH_MOST : month;
}

static inline int32_t month_of(struct bytes contribution)
{
    return clamp_month(calendar_month_of_day(contribution_day(contribution)));
}

static inline bool is_print(uint32_t reference)
{
    return reference >= SLAB_REFERENCE_END;
}

/* With the segment and the tag of its slot this is the whole fingerprint. */
static inline uint32_t print_reference(uint64_t print)
{
    return SLAB_REFERENCE_END | (uint32_t)(print & REST_MASK);
}

/* Another id in the same slot: whether it has expired and has our fingerprint. */
static bool is_expired_twin(const struct ledger *ledger, const struct segment *segment, uint32_t reference,
                            uint64_t print)
{
    struct record record = record_at(segment, reference);
    struct ledger_key key = ledger_key_unpack(record.key, record.key_bytes);
    return ledger_key_fixed(&key) == print && month_of(record.contribution) < ledger->floor;
}

enum found { FOUND_NOTHING, FOUND_PRINT, FOUND_ENTRY };

/* The slot of the key, or the empty one where it belongs. A fingerprint counts only where the key is not found. */
static enum found find(const struct ledger *ledger, struct ledger_probe *probe)
{
    const struct segment *segment = &ledger->segments[segment_of(probe->fixed)];
    enum found found = FOUND_NOTHING;
    for (uint32_t at = home_of(probe->tag, segment->bucket_count);; at = next_bucket(segment, at)) {
        const struct bucket *bucket = &segment->buckets[at];
        uint32_t empty = slots_empty(bucket);
        for (uint32_t same = slots_with(bucket, probe->tag); same; same &= same - 1) {
            uint32_t slot = (uint32_t)__builtin_ctz(same);
            uint32_t reference = bucket->references[slot];
            if (is_print(reference)) {
                if (reference == print_reference(probe->fixed))
                    found = FOUND_PRINT;
            } else if (is_key_at(segment, reference, &probe->key)) {
                probe->place = at * SLOTS + slot;
                return FOUND_ENTRY;
            } else if (is_expired_twin(ledger, segment, reference, probe->fixed)) {
                found = FOUND_PRINT;
            }
        }
        if (empty) {
            probe->place = at * SLOTS + (uint32_t)__builtin_ctz(empty);
            return found;
        }
    }
}

static inline uint32_t *reference_at(const struct segment *segment, uint32_t place)
{
    return &segment->buckets[place / SLOTS].references[place % SLOTS];
}

/* Moves one segment into the newest table. How full each bucket is there stands beside it: to look at slots that were just written, one by
 * one, as a whole costs more than the move. */
static void move_segment(struct ledger *ledger, uint32_t index)
{
    struct segment *segment = &ledger->segments[index];
    struct segment to = *segment;
    to.buckets = ledger->table.all + (size_t)index * ledger->table.each;
    to.bucket_count = ledger->table.each;
    uint8_t *used = memory_new(to.bucket_count, sizeof used[0]);
    for (uint32_t i = 0; i < segment->bucket_count; i++) {
        const struct bucket *bucket = &segment->buckets[i];
        for (uint32_t slot = 0; slot < SLOTS && bucket->references[slot]; slot++) {
            uint32_t at = home_of(bucket->tags[slot], to.bucket_count);
            while (used[at] == SLOTS)
                at = next_bucket(&to, at);
            to.buckets[at].tags[used[at]] = bucket->tags[slot];
            to.buckets[at].references[used[at]++] = bucket->references[slot];
        }
    }
    memory_free(used);
    memory_drop_pages(segment->buckets, (size_t)segment->bucket_count * sizeof(struct bucket));
    *segment = to;
}

/* A new table, of which each segment takes its part when it is full. They are equally full but for chance, so that all have left the
 * former table long before the next is needed. */
static void widen_table(struct ledger *ledger, uint32_t each)
{
    for (uint32_t i = 0; i < LEDGER_SEGMENTS; i++) {
        if (ledger->segments[i].bucket_count != ledger->table.each)
            move_segment(ledger, i);
    }
    close_table(&ledger->former);
    ledger->former = ledger->table;
    open_table(ledger, each);
}

/* Only this segment stops for it. */
static void grow(struct ledger *ledger, uint32_t index)
{
    uint32_t each = ledger->table.each;
    if (ledger->segments[index].bucket_count == each)
        widen_table(ledger, each + each / 4 + 1);
    move_segment(ledger, index);
}

void ledger_reserve(struct ledger *ledger, uint32_t segment, uint64_t entries)
{
    uint64_t each = (entries + entries / RESERVE_SPARE) / FILLED_MOST + BUCKETS_FIRST;
    CHECK_SAY(each <= UINT32_MAX / SLOTS, "%llu entries in a segment", (unsigned long long)entries);
    if (each <= ledger->segments[segment].bucket_count)
        return;
    if (each > ledger->table.each)
        widen_table(ledger, (uint32_t)each);
    move_segment(ledger, segment);
}

/* ---- records ---- */

static uint32_t add_record(struct segment *segment, const struct ledger_key *key, struct bytes contribution)
{
    uint8_t packed[LEDGER_KEY_LONG_BYTES] = {0};
    uint8_t head[10 + LEDGER_KEY_LONG_BYTES];
    size_t key_bytes = ledger_key_pack(key, packed);
    uint8_t *end = varint_put(head, contribution.length << 1 | (key_bytes == LEDGER_KEY_LONG_BYTES));
    memcpy(end, packed, sizeof packed);
    size_t head_bytes = (size_t)(end - head) + key_bytes;
    uint32_t reference;
    uint8_t *at = slab_add(&segment->slab, head_bytes + contribution.length, &reference);
    memcpy(at, head, head_bytes);
    memcpy(at + head_bytes, contribution.data, contribution.length);
    return reference;
}

/* Where the old version stood if the new one fits there, so that amendments cost little memory. */
static uint32_t replace_record(struct segment *segment, uint32_t reference, const struct ledger_key *key,
                               struct bytes contribution)
{
    struct record old = record_at(segment, reference);
    if (old.contribution.length > HEAD_MOST || contribution.length > old.contribution.length) {
        segment->replaced += old.contribution.length + old.key_bytes + 1;
        return add_record(segment, key, contribution);
    }
    uint8_t *at = slab_at(&segment->slab, reference);
    *at = (uint8_t)(contribution.length << 1 | (old.key_bytes == LEDGER_KEY_LONG_BYTES));
    memcpy(at + 1 + old.key_bytes, contribution.data, contribution.length);
    return reference;
}

/* ---- looks ---- */

void ledger_look(const struct ledger *ledger, const struct ledger_key *key, struct ledger_probe *out)
{
    out->key = *key;
    out->fixed = ledger_key_fixed(key);
    out->tag = tag_of(ledger, out->fixed);
    const struct segment *segment = &ledger->segments[segment_of(out->fixed)];
    __builtin_prefetch(&segment->buckets[home_of(out->tag, segment->bucket_count)], 1);
}

void ledger_look_again(const struct ledger *ledger, const struct ledger_probe *probe)
{
    const struct segment *segment = &ledger->segments[segment_of(probe->fixed)];
    const struct bucket *bucket = &segment->buckets[home_of(probe->tag, segment->bucket_count)];
    uint32_t same = slots_with(bucket, probe->tag);
    if (same == 0)
        return;
    uint32_t reference = bucket->references[__builtin_ctz(same)];
    if (is_print(reference))
        return;
    const uint8_t *record = slab_at(&segment->slab, reference);
    __builtin_prefetch(record, 1);
    __builtin_prefetch(record + sizeof *bucket, 1);
}

enum ledger_verdict ledger_judge(const struct ledger *ledger, struct ledger_probe *probe, uint32_t version, bool cancel,
                                 uint64_t digest, struct bytes *out_stored)
{
    const struct segment *segment = &ledger->segments[segment_of(probe->fixed)];
    *out_stored = (struct bytes){NULL, 0};
    enum found found = find(ledger, probe);
    if (found != FOUND_ENTRY)
        return found == FOUND_PRINT && !MUTANT(FINGERPRINT_IGNORED) ? LEDGER_EXPIRED : LEDGER_COUNTED;
    struct bytes held = record_at(segment, *reference_at(segment, probe->place)).contribution;
    if (month_of(held) < ledger->floor && !MUTANT(FLOOR_BY_PRESENCE))
        return LEDGER_EXPIRED;
    *out_stored = held;
    uint32_t stored = contribution_order(*out_stored);
    uint32_t order = contribution_order_of(version, cancel);
    if (order < stored)
        return LEDGER_STALE;
    if (order > stored)
        return LEDGER_COUNTED;
    return contribution_digest(*out_stored) == digest ? LEDGER_DUPLICATE : LEDGER_CONFLICT;
}

/* ---- control totals ---- */

/* `fixed` is the hash of the key without a seed. */
static uint64_t control_of(uint64_t fixed, uint32_t order, uint64_t digest)
{
    return hash_mix(fixed ^ order, digest | 1);
}

static uint64_t control_at(uint64_t fixed, struct bytes contribution)
{
    return control_of(fixed, contribution_order(contribution), contribution_digest(contribution));
}

uint64_t ledger_control_of(const struct ledger_key *key, uint32_t version, bool cancel, uint64_t digest)
{
    return control_of(ledger_key_fixed(key), contribution_order_of(version, cancel), digest);
}

uint64_t ledger_control_of_print(uint64_t print)
{
    return hash_mix(print ^ HASH_P1, HASH_P0);
}

struct ledger_sums ledger_segment_sums(const struct ledger *ledger, uint32_t segment)
{
    return ledger->segments[segment].sums;
}

struct ledger_sums ledger_sums(const struct ledger *ledger)
{
    struct ledger_sums all = {0};
    for (int i = 0; i < LEDGER_SEGMENTS; i++) {
        const struct ledger_sums *one = &ledger->segments[i].sums;
        all.control += one->control;
        all.entries += one->entries;
        all.print_control += one->print_control;
        all.prints += one->prints;
    }
    return all;
}

uint64_t ledger_count(const struct ledger *ledger)
{
    return ledger_sums(ledger).entries;
}

/* ---- the floor ---- */

int32_t ledger_floor(const struct ledger *ledger)
{
    return ledger->floor;
}

static struct month *month_at(const struct ledger *ledger, uint32_t segment, int32_t month)
{
    return &ledger->months[month - ledger->first_month].each[segment];
}

static bool has_month(const struct ledger *ledger, int32_t month)
{
    return month >= ledger->first_month && month < ledger->first_month + ledger->month_count;
}

/* Room for a month, and for some beside it, from the floor on. */
static void add_month(struct ledger *ledger, int32_t month)
{
    int32_t end = ledger->first_month + ledger->month_count;
    int32_t first = ledger->month_count && ledger->first_month < month ? ledger->first_month : month - MONTHS_SPARE;
    int32_t last = ledger->month_count && end > month ? end : month + MONTHS_SPARE;
    first = first < ledger->floor ? ledger->floor : first;
    struct months *months = memory_new((size_t)(last - first), sizeof *months);
    for (int32_t i = first > ledger->first_month ? first : ledger->first_month; i < end; i++)
        months[i - first] = ledger->months[i - ledger->first_month];
    memory_free(ledger->months);
    ledger->months = months;
    ledger->first_month = first;
    ledger->month_count = last - first;
}

static void expire(struct segment *segment, struct month *month)
{
    segment->sums.control -= month->control;
    segment->sums.entries -= month->entries;
    segment->sums.print_control += month->print_control;
    segment->sums.prints += month->entries;
    segment->expired += month->entries;
    *month = (struct month){0};
}

void ledger_raise_floor(struct ledger *ledger, int32_t month)
{
    month = clamp_month(month);
    for (int32_t m = ledger->floor; m < month; m++) {
        for (uint32_t i = 0; has_month(ledger, m) && i < LEDGER_SEGMENTS; i++)
            expire(&ledger->segments[i], month_at(ledger, i, m));
    }
    ledger->floor = month > ledger->floor ? month : ledger->floor;
}

uint64_t ledger_month_count(const struct ledger *ledger, int32_t month)
{
    uint64_t count = 0;
    for (uint32_t i = 0; has_month(ledger, month) && i < LEDGER_SEGMENTS; i++)
        count += month_at(ledger, i, month)->entries;
    return count;
}

/* Declarations come roughly in order of time: the day is usually that of the one before. */
static int32_t month_again(struct ledger *ledger, struct bytes contribution)
{
    int32_t day = contribution_day(contribution);
    if (day != ledger->day) {
        ledger->day = day;
        ledger->month_of_day = clamp_month(calendar_month_of_day(day));
    }
    return ledger->month_of_day;
}

/* Adds an entry to the sums, or takes it out (`times` is 1 or -1). One that lies below the floor is a fingerprint from the beginning. */
static void sum_up(struct ledger *ledger, uint32_t index, uint64_t fixed, struct bytes contribution, int64_t times)
{
    struct segment *segment = &ledger->segments[index];
    int32_t number = month_again(ledger, contribution);
    uint64_t print = ledger_control_of_print(fixed) * (uint64_t)times;
    if (number < ledger->floor) {
        segment->sums.print_control += print;
        segment->sums.prints += (uint64_t)times;
        segment->expired += (uint32_t)times;
        return;
    }
    if (!has_month(ledger, number))
        add_month(ledger, number);
    struct month *month = month_at(ledger, index, number);
    uint64_t control = control_at(fixed, contribution) * (uint64_t)times;
    month->control += control;
    month->print_control += print;
    month->entries += (uint32_t)times;
    segment->sums.control += control;
    segment->sums.entries += (uint64_t)times;
}

/* ---- put, visit ---- */

static void fill_slot(struct ledger *ledger, const struct ledger_probe *probe, uint32_t reference)
{
    uint32_t index = segment_of(probe->fixed);
    struct segment *segment = &ledger->segments[index];
    struct bucket *bucket = &segment->buckets[probe->place / SLOTS];
    bucket->tags[probe->place % SLOTS] = probe->tag;
    bucket->references[probe->place % SLOTS] = reference;
    segment->filled++;
    if (segment->filled >= segment->bucket_count * FILLED_MOST)
        grow(ledger, index);
}

void ledger_put_at(struct ledger *ledger, const struct ledger_probe *probe, struct bytes contribution)
{
    uint32_t index = segment_of(probe->fixed);
    struct segment *segment = &ledger->segments[index];
    uint32_t *reference = reference_at(segment, probe->place);
    sum_up(ledger, index, probe->fixed, contribution, 1);
    if (!*reference) {
        fill_slot(ledger, probe, add_record(segment, &probe->key, contribution));
        return;
    }
    sum_up(ledger, index, probe->fixed, record_at(segment, *reference).contribution, -1);
    *reference = replace_record(segment, *reference, &probe->key, contribution);
}

void ledger_put(struct ledger *ledger, struct ledger_probe *probe, struct bytes contribution)
{
    find(ledger, probe);
    ledger_put_at(ledger, probe, contribution);
}

void ledger_put_print(struct ledger *ledger, uint64_t print)
{
    struct segment *segment = &ledger->segments[segment_of(print)];
    struct ledger_probe probe = {.fixed = print, .tag = tag_of(ledger, print)};
    uint32_t at = home_of(probe.tag, segment->bucket_count);
    while (!slots_empty(&segment->buckets[at]))
        at = next_bucket(segment, at);
    probe.place = at * SLOTS + (uint32_t)__builtin_ctz(slots_empty(&segment->buckets[at]));
    segment->sums.print_control += ledger_control_of_print(print);
    segment->sums.prints++;
    fill_slot(ledger, &probe, print_reference(print));
}

size_t ledger_bytes(const struct ledger *ledger)
{
    size_t bytes = sizeof *ledger;
    for (int i = 0; i < LEDGER_SEGMENTS; i++)
        bytes += ledger->segments[i].bucket_count * sizeof(struct bucket) + slab_bytes(&ledger->segments[i].slab);
    return bytes;
}

/* ---- all of a segment ---- */

static void ask_for_records(const struct segment *segment, uint32_t bucket)
{
    for (uint32_t slot = 0; bucket < segment->bucket_count && slot < SLOTS; slot++) {
        uint32_t reference = segment->buckets[bucket].references[slot];
        if (reference && !is_print(reference))
            __builtin_prefetch(slab_at(&segment->slab, reference));
    }
}

void ledger_visit(const struct ledger *ledger, uint32_t segment,
                  void (*visit)(void *context, const struct ledger_key *key, struct bytes contribution), void *context)
{
    const struct segment *of = &ledger->segments[segment];
    for (uint32_t i = 0; i < of->bucket_count; i++) {
        ask_for_records(of, i + VISIT_AHEAD);
        for (uint32_t slot = 0; slot < SLOTS && of->buckets[i].references[slot]; slot++) {
            if (is_print(of->buckets[i].references[slot]))
                continue;
            struct record record = record_at(of, of->buckets[i].references[slot]);
            struct ledger_key key = ledger_key_unpack(record.key, record.key_bytes);
            if (month_of(record.contribution) >= ledger->floor)
                visit(context, &key, record.contribution);
        }
    }
}

/* The fingerprint of a slot that holds none but that. */
static uint64_t print_at(const struct ledger *ledger, uint32_t segment, uint32_t tag, uint32_t reference)
{
    uint64_t rest = reference & REST_MASK;
    uint64_t shifted = tag - tag_of(ledger, rest); /* tag_of(rest) is what the seed makes of it */
    return (uint64_t)segment << 59 | (shifted & UINT32_MAX) << TAG_SHIFT | rest;
}

void ledger_visit_prints(const struct ledger *ledger, uint32_t segment, void (*visit)(void *context, uint64_t print),
                         void *context)
{
    const struct segment *of = &ledger->segments[segment];
    if (of->sums.prints == 0)
        return;
    for (uint32_t i = 0; i < of->bucket_count; i++) {
        const struct bucket *bucket = &of->buckets[i];
        ask_for_records(of, i + VISIT_AHEAD);
        for (uint32_t slot = 0; slot < SLOTS && bucket->references[slot]; slot++) {
            uint32_t reference = bucket->references[slot];
            if (is_print(reference)) {
                visit(context, print_at(ledger, segment, bucket->tags[slot], reference));
                continue;
            }
            struct record record = record_at(of, reference);
            struct ledger_key key = ledger_key_unpack(record.key, record.key_bytes);
            if (month_of(record.contribution) < ledger->floor)
                visit(context, ledger_key_fixed(&key));
        }
    }
}

/* Slots stay where they are: what has expired becomes a fingerprint, what has not moves into a new slab. */
static void write_anew(struct ledger *ledger, struct segment *segment)
{
    struct slab slab = {0};
    for (uint32_t i = 0; i < segment->bucket_count; i++) {
        ask_for_records(segment, i + VISIT_AHEAD);
        for (uint32_t slot = 0; slot < SLOTS && segment->buckets[i].references[slot]; slot++) {
            uint32_t *reference = &segment->buckets[i].references[slot];
            if (is_print(*reference))
                continue;
            struct record record = record_at(segment, *reference);
            if (month_of(record.contribution) < ledger->floor) {
                struct ledger_key key = ledger_key_unpack(record.key, record.key_bytes);
                *reference = print_reference(ledger_key_fixed(&key));
                continue;
            }
            const uint8_t *at = slab_at(&segment->slab, *reference);
            size_t bytes = (size_t)(record.contribution.data - at) + record.contribution.length;
            memcpy(slab_add(&slab, bytes, reference), at, bytes);
        }
    }
    slab_fini(&segment->slab);
    segment->slab = slab;
    segment->expired = 0;
    segment->replaced = 0;
}

static bool is_worth_while(const struct segment *segment)
{
    return segment->expired > segment->sums.entries / TIDY_SHARE ||
           segment->replaced > (segment->slab.bytes + TIDY_SLACK) / TIDY_SHARE;
}

bool ledger_tidy(struct ledger *ledger)
{
    for (int i = 0; i < LEDGER_SEGMENTS; i++) {
        ledger->tidied = (ledger->tidied + 1) % LEDGER_SEGMENTS;
        struct segment *segment = &ledger->segments[ledger->tidied];
        if (is_worth_while(segment)) {
            write_anew(ledger, segment);
            return true;
        }
    }
    return false;
}
