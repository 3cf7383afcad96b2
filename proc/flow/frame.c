/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/frame.h"

#include "base/crc.h"

enum { /* places in the header */
       AT_MAGIC = 0,
       AT_VERSION = 4,
       AT_KIND = 5,
       AT_FLAGS = 6,
       AT_PAYLOAD_BYTES = 8,
       AT_CRC = 12,
       AT_NONCE = 16,
       AT_SEQ = 32,
       AT_LO = 40,
       AT_HI = 48,
       AT_PLAN = 56,
       AT_EVENT = 64,
       AT_TIMESTAMP = 72,
       AT_RECORD_CRC = 80,
       AT_PARTITION = 84,
};

enum { FLAG_LAST = 1 };

static const uint32_t magic = 0x4A595244; /* "DRYJ" */

static void put32(uint8_t *at, uint32_t v)
{
    memcpy(at, &v, 4);
}

static void put64(uint8_t *at, uint64_t v)
{
    memcpy(at, &v, 8);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, 4);
    return v;
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, 8);
    return v;
}

void frame_write_header(const struct frame *frame, uint8_t out[static FRAME_HEADER_BYTES])
{
    memset(out, 0, FRAME_HEADER_BYTES);
    put32(out + AT_MAGIC, magic);
    out[AT_VERSION] = FRAME_VERSION;
    out[AT_KIND] = (uint8_t)frame->kind;
    out[AT_FLAGS] = frame->last ? FLAG_LAST : 0;
    put64(out + AT_LO, (uint64_t)frame->lo);
    put64(out + AT_HI, (uint64_t)frame->hi);
    put64(out + AT_PLAN, frame->plan);
    put64(out + AT_EVENT, (uint64_t)frame->event_ms_most);
    put64(out + AT_TIMESTAMP, (uint64_t)frame->record_timestamp);
    put32(out + AT_RECORD_CRC, frame->record_crc);
    put32(out + AT_PARTITION, frame->partition);
}

static uint32_t crc_of(const uint8_t *frame, size_t bytes)
{
    static const uint8_t zeros[4] = {0};
    uint32_t crc = crc32c(0, frame, AT_CRC);
    crc = crc32c(crc, zeros, sizeof zeros);
    return crc32c(crc, frame + AT_NONCE, bytes - AT_NONCE);
}

void frame_seal(uint8_t *frame, size_t bytes, const struct frame_nonce *nonce, uint64_t seq)
{
    put32(frame + AT_PAYLOAD_BYTES, (uint32_t)(bytes - FRAME_HEADER_BYTES));
    memcpy(frame + AT_NONCE, nonce, sizeof *nonce);
    put64(frame + AT_SEQ, seq);
    put32(frame + AT_CRC, crc_of(frame, bytes));
}

enum err frame_parse(struct bytes bytes, struct frame *out, struct err_info *info)
{
    const uint8_t *at = bytes.data;
    if (bytes.length < FRAME_HEADER_BYTES || get32(at + AT_MAGIC) != magic)
        return err_set(info, ERR_BROKEN, "%zu bytes that are no journal frame", bytes.length);
    bool is_whole = get32(at + AT_PAYLOAD_BYTES) == bytes.length - FRAME_HEADER_BYTES &&
                    get32(at + AT_CRC) == crc_of(at, bytes.length);
    if (at[AT_VERSION] < FRAME_VERSION_FIRST ||
        at[AT_VERSION] > FRAME_VERSION) /* before the check sum: a newer program may sum up otherwise */
        return err_set(info, is_whole ? ERR_CONFIG : ERR_BROKEN,
                       "frame of format version %u, this program reads versions up to %d: upgrade it", at[AT_VERSION],
                       FRAME_VERSION);
    if (!is_whole)
        return err_set(info, ERR_BROKEN, "frame of %zu bytes whose check sum is wrong", bytes.length);
    if (at[AT_KIND] < FRAME_OPEN || at[AT_KIND] > FRAME_MARK)
        return err_set(info, ERR_CONFIG, "frame of unknown kind %u: upgrade the program", at[AT_KIND]);
    out->kind = (enum frame_kind)at[AT_KIND];
    out->last = at[AT_FLAGS] & FLAG_LAST;
    out->partition = get32(at + AT_PARTITION);
    memcpy(&out->nonce, at + AT_NONCE, sizeof out->nonce);
    out->seq = get64(at + AT_SEQ);
    out->lo = (int64_t)get64(at + AT_LO);
    out->hi = (int64_t)get64(at + AT_HI);
    out->plan = get64(at + AT_PLAN);
    out->event_ms_most = (int64_t)get64(at + AT_EVENT);
    out->record_timestamp = (int64_t)get64(at + AT_TIMESTAMP);
    out->record_crc = get32(at + AT_RECORD_CRC);
    out->offset = 0;
    out->payload = (struct bytes){at + FRAME_HEADER_BYTES, bytes.length - FRAME_HEADER_BYTES};
    return OK;
}

bool frame_next_section(struct reader *reader, enum frame_section *out_section, struct bytes *out_bytes,
                        bool *out_broken)
{
    if (reader_left(reader) == 0)
        return false;
    uint8_t section = reader_u8(reader);
    uint32_t length = reader_u32(reader);
    struct bytes bytes = reader_bytes(reader, length);
    if (reader->failed) {
        *out_broken = true;
        return false;
    }
    *out_section = (enum frame_section)section;
    *out_bytes = bytes;
    return true;
}

struct frame_walk frame_walk_of(const struct frame *frames, uint32_t count)
{
    struct bytes none = {NULL, 0};
    return (struct frame_walk){
        .frame = frames, .end = frames + count, .reader = reader_of(count ? frames[0].payload : none)};
}

bool frame_walk_next(struct frame_walk *walk)
{
    while (walk->frame < walk->end && !walk->is_broken) {
        if (frame_next_section(&walk->reader, &walk->section, &walk->bytes, &walk->is_broken))
            return true;
        if (!walk->is_broken && ++walk->frame < walk->end)
            walk->reader = reader_of(walk->frame->payload);
    }
    return false;
}

bool frame_find_section(const struct frame *frame, enum frame_section wanted, struct bytes *out_bytes)
{
    struct reader reader = reader_of(frame->payload);
    enum frame_section section;
    bool broken = false;
    while (frame_next_section(&reader, &section, out_bytes, &broken)) {
        if (section == wanted)
            return true;
    }
    return false;
}

int32_t frame_partitions(const struct frame *frame)
{
    struct bytes bytes;
    if (!frame_find_section(frame, SECTION_PARTITIONS, &bytes))
        return 0;
    struct reader reader = reader_of(bytes);
    uint32_t partitions = reader_u32(&reader);
    return reader.failed || partitions > INT32_MAX ? 0 : (int32_t)partitions;
}

bool frame_nonce_equal(const struct frame_nonce *a, const struct frame_nonce *b)
{
    return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

/* ---- sections: a byte that says which, four bytes of length, the content ---- */

size_t frame_begin_section(struct buffer *out, enum frame_section section)
{
    buffer_add_u8(out, (uint8_t)section);
    buffer_add_u32(out, 0);
    return out->length;
}

void frame_end_section(struct buffer *out, size_t begin)
{
    put32(out->data + begin - 4, (uint32_t)(out->length - begin));
}

void frame_put_bytes(struct buffer *out, enum frame_section section, struct bytes bytes)
{
    size_t begin = frame_begin_section(out, section);
    buffer_add(out, bytes.data, bytes.length);
    frame_end_section(out, begin);
}

void frame_put_partitions(struct buffer *out, int32_t partitions)
{
    size_t begin = frame_begin_section(out, SECTION_PARTITIONS);
    buffer_add_u32(out, (uint32_t)partitions);
    frame_end_section(out, begin);
}

void frame_put_codes(struct buffer *out, const struct dictionary *dictionary, uint32_t first)
{
    size_t begin = frame_begin_section(out, SECTION_CODES);
    buffer_add_varint(out, first);
    for (uint32_t i = first; i < dictionary->count; i++)
        buffer_add_u64(out, dictionary->codes[i]);
    frame_end_section(out, begin);
}

static bool get_codes(struct reader *reader, uint64_t number, struct dictionary *dictionary)
{
    while (!reader->failed && reader_left(reader) > 0) {
        uint64_t code = reader_u64(reader);
        if (reader->failed || dictionary_number_of_code(dictionary, code) != number++)
            return false;
    }
    return !reader->failed;
}

bool frame_get_codes(struct bytes bytes, struct dictionary *dictionary)
{
    struct reader reader = reader_of(bytes);
    uint64_t number = reader_varint(&reader);
    return number == dictionary->count && get_codes(&reader, number, dictionary);
}

bool frame_get_codes_again(struct bytes bytes, struct dictionary *dictionary)
{
    struct reader reader = reader_of(bytes);
    uint64_t number = reader_varint(&reader);
    return number <= dictionary->count && get_codes(&reader, number, dictionary);
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICTS] = {"counted", "duplicate", "stale", "rejected", "not_counted", "late_out"};
    return names[verdict];
}

int64_t counts_declarations(const struct counts *counts)
{
    int64_t sum = 0;
    for (int i = 0; i < VERDICTS; i++)
        sum += counts->verdicts[i];
    return sum;
}

void counts_add(struct counts *to, const struct counts *from)
{
    for (int i = 0; i < VERDICTS; i++)
        to->verdicts[i] += from->verdicts[i];
    to->records += from->records;
    to->items += from->items;
    to->unknown_fields += from->unknown_fields;
    to->skipped += from->skipped;
    for (int i = 0; i < RULE_NUMBERS; i++) {
        to->rejects[i] += from->rejects[i];
        to->warnings[i] += from->warnings[i];
    }
}

static void put_rule_counts(struct buffer *out, const int64_t counts[static RULE_NUMBERS])
{
    uint64_t used = 0;
    for (int i = 0; i < RULE_NUMBERS; i++)
        used += counts[i] != 0;
    buffer_add_varint(out, used);
    for (unsigned i = 0; i < RULE_NUMBERS; i++) {
        if (counts[i]) {
            buffer_add_varint(out, i);
            buffer_add_zigzag(out, counts[i]);
        }
    }
}

static void get_rule_counts(struct reader *reader, int64_t counts[static RULE_NUMBERS])
{
    uint64_t used = reader_varint(reader);
    for (uint64_t i = 0; i < used && !reader->failed; i++) {
        uint64_t number = reader_varint(reader);
        int64_t count = reader_zigzag(reader);
        if (number < RULE_NUMBERS)
            counts[number] = count;
        else
            reader->failed = true;
    }
}

void frame_put_counts(struct buffer *out, const struct counts *counts)
{
    size_t begin = frame_begin_section(out, SECTION_COUNTS);
    for (int i = 0; i < VERDICTS; i++)
        buffer_add_zigzag(out, counts->verdicts[i]);
    buffer_add_zigzag(out, counts->records);
    buffer_add_zigzag(out, counts->items);
    buffer_add_zigzag(out, counts->unknown_fields);
    buffer_add_zigzag(out, counts->skipped);
    put_rule_counts(out, counts->rejects);
    put_rule_counts(out, counts->warnings);
    frame_end_section(out, begin);
}

bool frame_get_counts(struct bytes bytes, struct counts *out)
{
    struct reader reader = reader_of(bytes);
    *out = (struct counts){0};
    for (int i = 0; i < VERDICTS; i++)
        out->verdicts[i] = reader_zigzag(&reader);
    out->records = reader_zigzag(&reader);
    out->items = reader_zigzag(&reader);
    out->unknown_fields = reader_zigzag(&reader);
    out->skipped = reader_zigzag(&reader);
    get_rule_counts(&reader, out->rejects);
    get_rule_counts(&reader, out->warnings);
    return !reader.failed && reader_left(&reader) == 0;
}

void frame_put_rejects(struct buffer *out, int64_t lo, const struct reject_place *places, size_t count)
{
    size_t begin = frame_begin_section(out, SECTION_REJECTS);
    for (size_t i = 0; i < count; i++) {
        buffer_add_varint(out, (uint64_t)(places[i].offset - lo));
        buffer_add_zigzag(out, places[i].index);
        buffer_add_varint(out, places[i].rule_number);
    }
    frame_end_section(out, begin);
}

bool frame_next_reject(struct reader *reader, int64_t lo, struct reject_place *out)
{
    if (reader->failed || reader_left(reader) == 0)
        return false;
    uint64_t distance = reader_varint(reader);
    int64_t index = reader_zigzag(reader);
    uint64_t rule_number = reader_varint(reader);
    if (reader->failed || distance > (uint64_t)(INT64_MAX - lo) || index < -1 || index > INT32_MAX ||
        rule_number >= RULE_NUMBERS) {
        reader->failed = true;
        return false;
    }
    *out = (struct reject_place){lo + (int64_t)distance, (int32_t)index, (uint16_t)rule_number};
    return true;
}

/* ---- 128-bit zigzag varints ---- */

__extension__ typedef unsigned __int128 u128;

uint8_t *frame_put_i128(uint8_t *at, i128 v)
{
    if (v == (int64_t)v)
        return varint_put(at, zigzag_of((int64_t)v));
    u128 zigzag = ((u128)v << 1) ^ (u128)(v >> 127);
    while (zigzag >= 0x80) {
        *at++ = (uint8_t)(zigzag | 0x80);
        zigzag >>= 7;
    }
    *at++ = (uint8_t)zigzag;
    return at;
}

static void put_i128(struct buffer *out, i128 v)
{
    uint8_t *at = buffer_reserve(out, FRAME_I128_BYTES_MOST);
    out->length += (size_t)(frame_put_i128(at, v) - at);
}

i128 frame_get_i128(struct reader *reader)
{
    u128 v = 0;
    for (unsigned shift = 0; shift < 133 && !reader->failed; shift += 7) {
        uint8_t byte = reader_u8(reader);
        v |= (u128)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return (i128)(v >> 1) ^ -(i128)(v & 1);
    }
    reader->failed = true;
    return 0;
}

/* ---- ledger entries ---- */

void frame_put_entry(struct buffer *out, const struct ledger_key *key, struct bytes contribution)
{
    uint8_t packed[LEDGER_KEY_LONG_BYTES];
    uint8_t *start = buffer_reserve(out, 10 + sizeof packed + contribution.length);
    size_t key_bytes = ledger_key_pack(key, packed);
    uint8_t *at = varint_put(start, contribution.length << 1 | (key_bytes == LEDGER_KEY_LONG_BYTES));
    memcpy(at, packed, key_bytes);
    at += key_bytes;
    memcpy(at, contribution.data, contribution.length);
    out->length += (size_t)(at - start) + contribution.length;
}

bool frame_next_entry(struct reader *reader, enum frame_section section, struct ledger_key *out_key,
                      struct bytes *out_contribution)
{
    if (reader->failed || reader_left(reader) == 0)
        return false;
    size_t key_bytes = LEDGER_KEY_LONG_BYTES;
    uint64_t length = 0;
    if (section == SECTION_LEDGER) {
        length = reader_varint(reader);
        key_bytes = length & 1 ? LEDGER_KEY_LONG_BYTES : LEDGER_KEY_SHORT_BYTES;
        length >>= 1;
    }
    struct bytes key = reader_bytes(reader, key_bytes);
    if (section == SECTION_LEDGER_WIDE)
        length = reader_varint(reader);
    *out_contribution = reader_bytes(reader, reader->failed ? 0 : length);
    if (reader->failed)
        return false;
    *out_key = ledger_key_unpack(key.data, key_bytes);
    return true;
}

/* ---- control totals ---- */

void frame_put_control(struct buffer *out, const struct control *control)
{
    size_t begin = frame_begin_section(out, SECTION_CONTROL);
    put_i128(out, control->tally.value_minor);
    put_i128(out, control->tally.net_mass_mg);
    buffer_add_zigzag(out, control->tally.items);
    buffer_add_u64(out, control->ledger.control);
    buffer_add_varint(out, control->ledger.entries);
    for (int i = 0; i < VERDICTS; i++)
        buffer_add_zigzag(out, control->verdicts[i]);
    buffer_add_varint(out, (uint64_t)control->floor);
    buffer_add_u64(out, control->ledger.print_control);
    buffer_add_varint(out, control->ledger.prints);
    frame_end_section(out, begin);
}

bool frame_get_control(struct bytes bytes, struct control *out)
{
    struct reader reader = reader_of(bytes);
    out->tally.value_minor = frame_get_i128(&reader);
    out->tally.net_mass_mg = frame_get_i128(&reader);
    out->tally.items = reader_zigzag(&reader);
    *out = (struct control){.tally = out->tally};
    out->ledger.control = reader_u64(&reader);
    out->ledger.entries = reader_varint(&reader);
    for (int i = 0; i < VERDICTS; i++)
        out->verdicts[i] = reader_zigzag(&reader);
    if (!reader.failed && reader_left(&reader) == 0)
        return true; /* of frames of version 1: nothing had expired */
    uint64_t floor = reader_varint(&reader);
    out->floor = (int32_t)(floor <= LEDGER_MONTH_MOST ? floor : 0);
    out->ledger.print_control = reader_u64(&reader);
    out->ledger.prints = reader_varint(&reader);
    return !reader.failed && reader_left(&reader) == 0 && floor <= LEDGER_MONTH_MOST;
}
