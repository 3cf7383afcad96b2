/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ledger.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/memory.h"
#include "flow/contribution.h"

enum {
    CHUNK_BITS = 20,
    CHUNK_BYTES = 1 << CHUNK_BITS,
    CHUNKS_MOST = 1 << 20,
    SLOTS_FIRST = 16,
    RESERVE_SPARE = 16, /* a sixteenth more than was asked for: work goes on behind a restore */
    VERSION_SHIFT = 1,  /* meta: slab reference 44 | unused 9 | version 10 | cancel 1 */
    VERSION_MASK = LEDGER_VERSION_MOST,
    REFERENCE_SHIFT = 20,
    NO_SYMBOL = 128,
};

/* An empty slot has meta 0: references begin at 1. */
struct slot {
    struct ledger_key key;
    uint64_t meta;
};

struct segment {
    struct slot *slots;
    uint32_t capacity;
    uint32_t count;
    uint64_t control;
};

struct ledger {
    struct segment segments[LEDGER_SEGMENTS];
    uint64_t seed;
    uint64_t count;
    uint8_t **chunks;
    uint32_t chunk_count;
    uint32_t chunk_used; /* of the newest chunk */
    size_t large_bytes;  /* of contributions larger than a chunk's rest deserves */
};

#define NO NO_SYMBOL
/* By character, in rows of sixteen. Constant: threads that build their ledgers at once share it. */
static const uint8_t symbols[256] = {
    /* clang-format off */
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 12, NO, 11,
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, NO, NO, NO, NO, NO, NO,
    NO, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
    28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    /* clang-format on */
};
#undef NO

struct ledger *ledger_new(uint64_t seed)
{
    struct ledger *ledger = memory_new(1, sizeof *ledger);
    ledger->seed = seed;
    for (int i = 0; i < LEDGER_SEGMENTS; i++) {
        ledger->segments[i].slots = memory_map(SLOTS_FIRST * sizeof(struct slot));
        ledger->segments[i].capacity = SLOTS_FIRST;
    }
    ledger->chunk_used = 0;
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    for (int i = 0; i < LEDGER_SEGMENTS; i++)
        memory_unmap(ledger->segments[i].slots, ledger->segments[i].capacity * sizeof(struct slot));
    for (uint32_t i = 0; i < ledger->chunk_count; i++)
        memory_free(ledger->chunks[i]);
    memory_free(ledger->chunks);
    memory_free(ledger);
}

/* Six bits a character. False: a character that has none. */
static inline bool pack(const char *from, uint32_t count, uint64_t *out)
{
    uint64_t word = 0;
    uint32_t bad = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t symbol = symbols[(uint8_t)from[i]];
        bad |= symbol;
        word = word << 6 | symbol;
    }
    *out = word;
    return !(bad & NO_SYMBOL);
}

struct ledger_key ledger_key_of(struct text id, const struct hash_key *sip_key)
{
    if (id.length <= LEDGER_ID_EXACT_MOST) {
        struct ledger_key key;
        uint32_t first = id.length < 10 ? id.length : 10;
        bool good = pack(id.data, first, &key.word[0]);
        good &= pack(id.data + first, id.length - first, &key.word[1]);
        /* 11 x 6 bits: the eleventh character's upper bits move over to word 0, whose lower 60 bits are taken */
        if (good && id.length == LEDGER_ID_EXACT_MOST)
            key.word[0] |= (uint64_t)(symbols[(uint8_t)id.data[10]] >> 4 & 3) << 60;
        if (good)
            return key;
    }
    struct hash128 hash = hash_sip128(id.data, id.length, sip_key);
    return (struct ledger_key){{hash.word[0] | 1ULL << 63, hash.word[1]}};
}

static uint64_t hash_of(const struct ledger *ledger, const struct ledger_key *key)
{
    return hash_words2(key->word[0], key->word[1], ledger->seed);
}

/* The segment is the same in every process; the place in it is not, so that nobody can choose ids that collide. */
static uint32_t place_of(uint64_t hash, uint32_t capacity)
{
    return (uint32_t)((hash & 0xFFFFFFFFu) * capacity >> 32);
}

static uint32_t segment_of(uint64_t fixed)
{
    return (uint32_t)(fixed >> 59); /* as ledger_segment */
}

static struct ledger_probe probe_of(const struct ledger *ledger, const struct ledger_key *key)
{
    return (struct ledger_probe){.key = *key,
                                 .fixed = hash_words2(key->word[0], key->word[1], 0),
                                 .hash = hash_words2(key->word[0], key->word[1], ledger->seed)};
}

void ledger_look(const struct ledger *ledger, const struct ledger_key *key, struct ledger_probe *out)
{
    *out = probe_of(ledger, key);
    const struct segment *segment = &ledger->segments[segment_of(out->fixed)];
    const struct slot *slot = &segment->slots[place_of(out->hash, segment->capacity)];
    __builtin_prefetch(slot, 1);
    __builtin_prefetch((const char *)(slot + 2), 1); /* a probe goes on into the next line often enough */
}

void ledger_prefetch(const struct ledger *ledger, const struct ledger_key *key)
{
    struct ledger_probe probe;
    ledger_look(ledger, key, &probe);
}

static inline uint32_t find(const struct segment *segment, const struct ledger_key *key, uint64_t hash)
{
    const struct slot *slots = segment->slots;
    for (uint32_t i = place_of(hash, segment->capacity);; i = i + 1 == segment->capacity ? 0 : i + 1) {
        if (slots[i].meta == 0 || (slots[i].key.word[0] == key->word[0] && slots[i].key.word[1] == key->word[1]))
            return i;
    }
}

static void widen(struct ledger *ledger, struct segment *segment, uint32_t capacity)
{
    struct segment wider = *segment;
    wider.capacity = capacity;
    wider.slots = memory_map(wider.capacity * sizeof(struct slot));
    for (uint32_t i = 0; i < segment->capacity; i++) {
        const struct slot *slot = &segment->slots[i];
        if (slot->meta)
            wider.slots[find(&wider, &slot->key, hash_of(ledger, &slot->key))] = *slot;
    }
    memory_unmap(segment->slots, segment->capacity * sizeof(struct slot));
    *segment = wider;
}

/* Four fifths full: half as much again. Only this segment stops for it. */
static void grow(struct ledger *ledger, struct segment *segment)
{
    widen(ledger, segment, segment->capacity + segment->capacity / 2);
}

static uint64_t meta_of(uint64_t reference, uint32_t version, bool cancel)
{
    return reference << REFERENCE_SHIFT | (uint64_t)version << VERSION_SHIFT | cancel;
}

static uint32_t order_of(uint64_t meta)
{
    return (uint32_t)(meta & (VERSION_MASK << VERSION_SHIFT | 1));
}

/* A record is a varint length and its bytes; reference = chunk x 2^20 + place + 1. */
static uint8_t *record_at(const struct ledger *ledger, uint64_t reference)
{
    reference--;
    return ledger->chunks[reference >> CHUNK_BITS] + (reference & (CHUNK_BYTES - 1));
}

static struct bytes record_bytes(const struct ledger *ledger, uint64_t meta)
{
    const uint8_t *at = record_at(ledger, meta >> REFERENCE_SHIFT);
    size_t length = 0;
    unsigned shift = 0;
    while (*at & 0x80) {
        length |= (size_t)(*at++ & 0x7F) << shift;
        shift += 7;
    }
    length |= (size_t)*at++ << shift;
    return (struct bytes){at, length};
}

enum ledger_verdict ledger_judge(const struct ledger *ledger, struct ledger_probe *probe, uint32_t version, bool cancel,
                                 uint64_t digest, struct bytes *out_stored)
{
    const struct segment *segment = &ledger->segments[segment_of(probe->fixed)];
    probe->place = find(segment, &probe->key, probe->hash);
    uint64_t meta = segment->slots[probe->place].meta;
    if (meta == 0) {
        *out_stored = (struct bytes){NULL, 0};
        return LEDGER_COUNTED;
    }
    *out_stored = record_bytes(ledger, meta);
    uint32_t stored = order_of(meta);
    uint32_t order = order_of(meta_of(0, version, cancel));
    if (order < stored)
        return LEDGER_STALE;
    if (order > stored)
        return LEDGER_COUNTED;
    return contribution_digest(*out_stored) == digest ? LEDGER_DUPLICATE : LEDGER_CONFLICT;
}

static void add_chunk(struct ledger *ledger, size_t bytes)
{
    CHECK_SAY(ledger->chunk_count < CHUNKS_MOST, "the ledger slab is at its limit of %d chunks", CHUNKS_MOST);
    ledger->chunks = memory_resize(ledger->chunks, ledger->chunk_count + 1, sizeof ledger->chunks[0]);
    ledger->chunks[ledger->chunk_count++] = memory_resize(NULL, bytes, 1);
    ledger->chunk_used = 0;
    if (bytes > CHUNK_BYTES)
        ledger->large_bytes += bytes - CHUNK_BYTES;
}

/* A contribution larger than a chunk gets one of its own size; references only ever point at the start of it. */
static uint64_t store(struct ledger *ledger, struct bytes contribution)
{
    uint8_t head[10];
    size_t head_bytes = (size_t)(varint_put(head, contribution.length) - head);
    size_t need = head_bytes + contribution.length;
    if (ledger->chunk_count == 0 || ledger->chunk_used + need > CHUNK_BYTES)
        add_chunk(ledger, need > CHUNK_BYTES ? need : CHUNK_BYTES);
    uint8_t *at = ledger->chunks[ledger->chunk_count - 1] + ledger->chunk_used;
    memcpy(at, head, head_bytes);
    memcpy(at + head_bytes, contribution.data, contribution.length);
    uint64_t reference = ((uint64_t)(ledger->chunk_count - 1) << CHUNK_BITS) + ledger->chunk_used + 1;
    ledger->chunk_used = need > CHUNK_BYTES ? CHUNK_BYTES : ledger->chunk_used + (uint32_t)need;
    return reference;
}

/* Puts the bytes where the old version stood if they fit there, so that amendments cost little memory. */
static uint64_t store_again(struct ledger *ledger, uint64_t old_meta, struct bytes contribution)
{
    struct bytes old = record_bytes(ledger, old_meta);
    bool same_head = contribution.length < 128 && old.length < 128;
    if (!same_head || contribution.length > old.length)
        return store(ledger, contribution);
    uint8_t *at = record_at(ledger, old_meta >> REFERENCE_SHIFT);
    at[0] = (uint8_t)contribution.length;
    memcpy(at + 1, contribution.data, contribution.length);
    return old_meta >> REFERENCE_SHIFT;
}

/* `fixed` is the hash of the key without a seed. */
static uint64_t control_of(uint64_t fixed, uint32_t order, uint64_t digest)
{
    return hash_mix(fixed ^ order, digest | 1);
}

uint64_t ledger_control_of(const struct ledger_key *key, uint32_t version, bool cancel, uint64_t digest)
{
    return control_of(hash_words2(key->word[0], key->word[1], 0), order_of(meta_of(0, version, cancel)), digest);
}

void ledger_put_at(struct ledger *ledger, const struct ledger_probe *probe, uint32_t version, bool cancel,
                   struct bytes contribution)
{
    CHECK_SAY(version <= VERSION_MASK, "version %u", version);
    struct segment *segment = &ledger->segments[segment_of(probe->fixed)];
    struct slot *slot = &segment->slots[probe->place];
    uint64_t reference;
    if (slot->meta) {
        segment->control -=
            control_of(probe->fixed, order_of(slot->meta), contribution_digest(record_bytes(ledger, slot->meta)));
        reference = store_again(ledger, slot->meta, contribution);
    } else {
        reference = store(ledger, contribution);
        slot->key = probe->key;
        ledger->count++;
        segment->count++;
    }
    slot->meta = meta_of(reference, version, cancel);
    segment->control += control_of(probe->fixed, order_of(slot->meta), contribution_digest(contribution));
    if (segment->count >= segment->capacity / 5 * 4)
        grow(ledger, segment);
}

void ledger_put(struct ledger *ledger, const struct ledger_key *key, uint32_t version, bool cancel,
                struct bytes contribution)
{
    struct ledger_probe probe = probe_of(ledger, key);
    probe.place = find(&ledger->segments[segment_of(probe.fixed)], key, probe.hash);
    ledger_put_at(ledger, &probe, version, cancel, contribution);
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
    return ledger->count;
}

void ledger_reserve(struct ledger *ledger, uint32_t segment, uint64_t entries)
{
    struct segment *of = &ledger->segments[segment];
    uint64_t capacity = (entries + entries / RESERVE_SPARE) / 4 * 5 + SLOTS_FIRST;
    CHECK_SAY(capacity <= UINT32_MAX, "%llu entries in a segment", (unsigned long long)entries);
    if (capacity > of->capacity)
        widen(ledger, of, (uint32_t)capacity);
}

size_t ledger_bytes(const struct ledger *ledger)
{
    size_t bytes =
        sizeof *ledger + (size_t)ledger->chunk_count * (CHUNK_BYTES + sizeof ledger->chunks[0]) + ledger->large_bytes;
    for (int i = 0; i < LEDGER_SEGMENTS; i++)
        bytes += (size_t)ledger->segments[i].capacity * sizeof(struct slot);
    return bytes;
}

void ledger_visit(const struct ledger *ledger, uint32_t segment,
                  void (*visit)(void *context, const struct ledger_key *key, struct bytes contribution), void *context)
{
    const struct segment *of = &ledger->segments[segment];
    for (uint32_t i = 0; i < of->capacity; i++) {
        if (of->slots[i].meta)
            visit(context, &of->slots[i].key, record_bytes(ledger, of->slots[i].meta));
    }
}
