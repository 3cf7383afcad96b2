/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ledger.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/memory.h"
#include "base/slab.h"
#include "flow/contribution.h"

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
    HEAD_MOST = 63, /* bytes of a contribution whose record has a head of one byte */
};

/* A slot is a tag and a reference to the record, 0 if it is empty. Slots of a bucket are filled from the first on. */
struct bucket {
    uint32_t tags[SLOTS];
    uint32_t references[SLOTS];
};

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

struct segment {
    struct bucket *buckets; /* in one of the ledger's two tables */
    uint32_t bucket_count;
    uint32_t count;
    uint64_t control;
    struct slab slab; /* records: varint of length and form of the key, key, contribution */
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
    uint64_t rest = fixed & ((1u << TAG_SHIFT) - 1);
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

/* The slot of the key, or the empty one where it belongs. */
static bool find(const struct segment *segment, struct ledger_probe *probe)
{
    for (uint32_t at = home_of(probe->tag, segment->bucket_count);; at = next_bucket(segment, at)) {
        const struct bucket *bucket = &segment->buckets[at];
        uint32_t empty = slots_empty(bucket);
        for (uint32_t same = slots_with(bucket, probe->tag); same; same &= same - 1) {
            uint32_t slot = (uint32_t)__builtin_ctz(same);
            if (is_key_at(segment, bucket->references[slot], &probe->key)) {
                probe->place = at * SLOTS + slot;
                return true;
            }
        }
        if (empty) {
            probe->place = at * SLOTS + (uint32_t)__builtin_ctz(empty);
            return false;
        }
    }
}

static inline uint32_t *reference_at(const struct segment *segment, uint32_t place)
{
    return &segment->buckets[place / SLOTS].references[place % SLOTS];
}

static void move_slot(struct segment *to, uint32_t tag, uint32_t reference)
{
    for (uint32_t at = home_of(tag, to->bucket_count);; at = next_bucket(to, at)) {
        struct bucket *bucket = &to->buckets[at];
        uint32_t empty = slots_empty(bucket);
        if (!empty)
            continue;
        uint32_t slot = (uint32_t)__builtin_ctz(empty);
        bucket->tags[slot] = tag;
        bucket->references[slot] = reference;
        return;
    }
}

/* Moves one segment into the newest table. */
static void move_segment(struct ledger *ledger, uint32_t index)
{
    struct segment *segment = &ledger->segments[index];
    struct segment to = *segment;
    to.buckets = ledger->table.all + (size_t)index * ledger->table.each;
    to.bucket_count = ledger->table.each;
    for (uint32_t i = 0; i < segment->bucket_count; i++) {
        const struct bucket *bucket = &segment->buckets[i];
        for (uint32_t slot = 0; slot < SLOTS && bucket->references[slot]; slot++)
            move_slot(&to, bucket->tags[slot], bucket->references[slot]);
    }
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
    if (old.contribution.length > HEAD_MOST || contribution.length > old.contribution.length)
        return add_record(segment, key, contribution);
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
    const uint8_t *record = slab_at(&segment->slab, bucket->references[__builtin_ctz(same)]);
    __builtin_prefetch(record, 1);
    __builtin_prefetch(record + sizeof *bucket, 1);
}

enum ledger_verdict ledger_judge(const struct ledger *ledger, struct ledger_probe *probe, uint32_t version, bool cancel,
                                 uint64_t digest, struct bytes *out_stored)
{
    const struct segment *segment = &ledger->segments[segment_of(probe->fixed)];
    *out_stored = (struct bytes){NULL, 0};
    if (!find(segment, probe))
        return LEDGER_COUNTED;
    *out_stored = record_at(segment, *reference_at(segment, probe->place)).contribution;
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

uint64_t ledger_control(const struct ledger *ledger)
{
    uint64_t control = 0;
    for (int i = 0; i < LEDGER_SEGMENTS; i++)
        control += ledger->segments[i].control;
    return control;
}

uint64_t ledger_segment_control(const struct ledger *ledger, uint32_t segment)
{
    return ledger->segments[segment].control;
}

uint64_t ledger_segment_count(const struct ledger *ledger, uint32_t segment)
{
    return ledger->segments[segment].count;
}

uint64_t ledger_count(const struct ledger *ledger)
{
    uint64_t count = 0;
    for (int i = 0; i < LEDGER_SEGMENTS; i++)
        count += ledger->segments[i].count;
    return count;
}

/* ---- put, visit ---- */

void ledger_put_at(struct ledger *ledger, const struct ledger_probe *probe, struct bytes contribution)
{
    uint32_t index = segment_of(probe->fixed);
    struct segment *segment = &ledger->segments[index];
    struct bucket *bucket = &segment->buckets[probe->place / SLOTS];
    uint32_t slot = probe->place % SLOTS;
    uint32_t reference = bucket->references[slot];
    segment->control += control_at(probe->fixed, contribution);
    if (reference) {
        segment->control -= control_at(probe->fixed, record_at(segment, reference).contribution);
        bucket->references[slot] = replace_record(segment, reference, &probe->key, contribution);
        return;
    }
    bucket->tags[slot] = probe->tag;
    bucket->references[slot] = add_record(segment, &probe->key, contribution);
    segment->count++;
    if (segment->count >= segment->bucket_count * FILLED_MOST)
        grow(ledger, index);
}

void ledger_put(struct ledger *ledger, struct ledger_probe *probe, struct bytes contribution)
{
    find(&ledger->segments[segment_of(probe->fixed)], probe);
    ledger_put_at(ledger, probe, contribution);
}

size_t ledger_bytes(const struct ledger *ledger)
{
    size_t bytes = sizeof *ledger;
    for (int i = 0; i < LEDGER_SEGMENTS; i++)
        bytes += ledger->segments[i].bucket_count * sizeof(struct bucket) + slab_bytes(&ledger->segments[i].slab);
    return bytes;
}

static void ask_for_records(const struct segment *segment, uint32_t bucket)
{
    for (uint32_t slot = 0; bucket < segment->bucket_count && slot < SLOTS; slot++) {
        uint32_t reference = segment->buckets[bucket].references[slot];
        if (reference)
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
            struct record record = record_at(of, of->buckets[i].references[slot]);
            struct ledger_key key = ledger_key_unpack(record.key, record.key_bytes);
            visit(context, &key, record.contribution);
        }
    }
}
