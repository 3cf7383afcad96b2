/* SPDX-License-Identifier: Apache-2.0
 * The wire decoder against protobuf-c: same accept or reject, same values, on generated, mutated and cut-off bytes. */
#include "flow/wire.h"

#include "base/hash.h"
#include "base/memory.h"
#include "flow/wire_read.h"

#include "customs/v1/declaration.pb-c.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum {
    SEED = 20250701,
    ROUNDS = 6000,      /* messages; each gives about 40 inputs */
    ITEMS_MOST = 4,     /* of a generated declaration */
    FIELDS_MOST = 4096, /* of a message that is taken apart */
    ARENA_BYTES = 256 << 20,
};

static struct arena arena;
static struct buffer scratch;
static uint64_t random_state;
static uint64_t inputs, accepted;
static bool modest;   /* messages are made of values as they really occur */
static bool straight; /* the input is such a message as it was made: no field of it needs care */

static uint64_t next_random(void)
{
    random_state += HASH_P0;
    return hash_mix(random_state, HASH_P1);
}

static uint64_t below(uint64_t limit)
{
    return next_random() % limit;
}

static void set_up(void)
{
    wire_init();
    arena_init(&arena, ARENA_BYTES);
    random_state = SEED;
    inputs = 0;
    accepted = 0;
    modest = false;
    straight = false;
}

static void tear_down(void)
{
    arena_fini(&arena);
    buffer_fini(&scratch);
}

TestSuite(wire, .init = set_up, .fini = tear_down);

/* ---- protobuf-c by reflection ---- */

static const ProtobufCFieldDescriptor *descriptor_of(const ProtobufCMessageDescriptor *message, uint32_t number)
{
    return protobuf_c_message_descriptor_get_field(message, number);
}

static const void *member(const ProtobufCMessage *message, unsigned offset)
{
    return (const char *)message + offset;
}

static bool same_text(struct text ours, const char *theirs)
{
    size_t length = strlen(theirs); /* theirs ends at the first zero byte */
    return ours.length >= length && memcmp(theirs, ours.length ? ours.data : "", length) == 0 &&
           (ours.length == length || ours.data[length] == 0);
}

static void check_field(const struct field *row, const char *base, const ProtobufCMessage *theirs)
{
    const ProtobufCFieldDescriptor *d = descriptor_of(theirs->descriptor, row->number);
    const void *a = base + row->offset;
    const void *b = member(theirs, d->offset);
    switch (row->kind) {
    case FIELD_TEXT:
        cr_assert(same_text(*(const struct text *)a, *(char *const *)b), "%s", row->name);
        break;
    case FIELD_U32:
    case FIELD_ENUM:
        cr_assert(memcmp(a, b, 4) == 0, "%s", row->name);
        break;
    case FIELD_I64:
    case FIELD_U64:
        cr_assert(memcmp(a, b, 8) == 0, "%s", row->name);
        break;
    case FIELD_BOOL:
        cr_assert(*(const bool *)a == (*(const protobuf_c_boolean *)b != 0), "%s", row->name);
        break;
    case FIELD_TEXTS: {
        const struct text_list *list = a;
        cr_assert(list->count == *(const size_t *)member(theirs, d->quantifier_offset), "%s", row->name);
        for (uint32_t i = 0; i < list->count; i++)
            cr_assert(same_text(list->texts[i], (*(char **const *)b)[i]), "%s[%u]", row->name, i);
        break;
    }
    case FIELD_ITEMS:
        break;
    }
}

static uint32_t check_values(const struct declaration *ours, const Customs__V1__Declaration *theirs)
{
    uint32_t unknown = theirs->base.n_unknown_fields;
    for (size_t i = 0; i < DECLARATION_FIELDS; i++)
        check_field(&declaration_fields[i], (const char *)ours, &theirs->base);
    cr_assert(ours->items.count == theirs->n_items);
    for (uint32_t k = 0; k < declaration_items_kept(ours); k++) {
        for (size_t i = 0; i < ITEM_FIELDS; i++)
            check_field(&item_fields[i], (const char *)&ours->items.items[k], &theirs->items[k]->base);
    }
    for (size_t k = 0; k < theirs->n_items; k++)
        unknown += theirs->items[k]->base.n_unknown_fields;
    return unknown;
}

/* What protobuf-c writes for the known fields. */
static void pack_known(Customs__V1__Declaration *m, struct buffer *out)
{
    unsigned own = m->base.n_unknown_fields;
    unsigned *of_items = memory_new(m->n_items + 1, sizeof *of_items);
    m->base.n_unknown_fields = 0;
    for (size_t k = 0; k < m->n_items; k++) {
        of_items[k] = m->items[k]->base.n_unknown_fields;
        m->items[k]->base.n_unknown_fields = 0;
    }
    buffer_clear(out);
    uint8_t *to = buffer_reserve(out, customs__v1__declaration__get_packed_size(m) + 1);
    out->length = customs__v1__declaration__pack(m, to);
    m->base.n_unknown_fields = own;
    for (size_t k = 0; k < m->n_items; k++)
        m->items[k]->base.n_unknown_fields = of_items[k];
    memory_free(of_items);
}

static bool same_bytes(struct bytes a, struct bytes b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static void print_input(struct bytes input)
{
    fprintf(stderr, "input (%zu bytes, seed %d):", input.length, SEED);
    for (size_t i = 0; i < input.length && i < 512; i++)
        fprintf(stderr, " %02x", input.data[i]);
    fprintf(stderr, "\n");
}

static void check_encoding(struct bytes input, const struct declaration *ours, bool canonical,
                           Customs__V1__Declaration *theirs)
{
    static struct buffer packed;
    buffer_clear(&scratch);
    wire_encode(ours, &scratch);
    bool same = same_bytes(input, buffer_bytes(&scratch));
    if (same != canonical)
        print_input(input);
    cr_assert(same == canonical, "canonical is %d, but the bytes are %s what wire_encode writes", canonical,
              same ? "exactly" : "not");
    if (memchr(scratch.length ? (const char *)scratch.data : "x", 0, scratch.length ? scratch.length : 1))
        return; /* protobuf-c cuts a text at a zero byte when it packs */
    pack_known(theirs, &packed);
    cr_assert(same_bytes(buffer_bytes(&scratch), buffer_bytes(&packed)), "wire_encode differs from protobuf-c's pack");
}

/* ---- what the decoder says of texts, and of bytes with room behind them ---- */

static bool text_is_plain(struct text text, uint32_t cap)
{
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7E)
            return false;
    }
    return text.length <= cap;
}

static bool texts_are_plain(const struct field *rows, size_t count, const char *base)
{
    bool plain = true;
    for (size_t i = 0; i < count; i++) {
        const void *at = base + rows[i].offset;
        if (rows[i].kind == FIELD_TEXT)
            plain = plain && text_is_plain(*(const struct text *)at, rows[i].cap);
        for (uint32_t k = 0; rows[i].kind == FIELD_TEXTS && k < ((const struct text_list *)at)->count; k++)
            plain = plain && text_is_plain(((const struct text_list *)at)->texts[k], rows[i].cap);
    }
    return plain;
}

/* `plain` may be false at any time, but where a message comes as it should it says exactly what is so. */
static void check_plain(const struct declaration *d, bool exactly)
{
    bool plain = texts_are_plain(declaration_fields, DECLARATION_FIELDS, (const char *)d);
    cr_assert(exactly ? d->plain == plain : plain || !d->plain, "the declaration: %d", d->plain);
    for (uint32_t k = 0; k < declaration_items_kept(d); k++) {
        const struct item *item = &d->items.items[k];
        plain = texts_are_plain(item_fields, ITEM_FIELDS, (const char *)item);
        cr_assert(exactly ? item->plain == plain : plain || !item->plain, "items[%u]: %d", k, item->plain);
    }
}

/* wire_decode_padded must find the same, whatever stands in the room. */
static void check_padded(struct bytes input, enum wire_result result, bool canonical, const struct declaration *ours)
{
    static struct buffer should;
    uint8_t *copy = memory_new(1, input.length + WIRE_PAD_BYTES);
    if (input.length)
        memcpy(copy, input.data, input.length);
    memset(copy + input.length, (int)below(256), WIRE_PAD_BYTES);
    struct declaration padded;
    bool padded_canonical = false;
    enum wire_result padded_result =
        wire_decode_padded((struct bytes){copy, input.length}, &arena, &padded, &padded_canonical);
    cr_assert(padded_result == result, "alone %d, with room %d", result, padded_result);
    if (result == WIRE_OK) {
        cr_assert(padded_canonical == canonical && padded.unknown_fields == ours->unknown_fields &&
                  padded.items.count == ours->items.count);
        buffer_clear(&should);
        wire_encode(ours, &should);
        buffer_clear(&scratch);
        wire_encode(&padded, &scratch);
        cr_assert(same_bytes(buffer_bytes(&scratch), buffer_bytes(&should)));
        check_plain(ours, false);
        check_plain(&padded, straight);
    }
    memory_free(copy);
}

/* The differential check of one input, which stands alone in memory so that a sanitizer sees any step beyond it. */
static bool check_input(struct bytes input)
{
    uint8_t *copy = memory_new(1, input.length ? input.length : 1);
    if (input.length)
        memcpy(copy, input.data, input.length);
    struct bytes alone = {copy, input.length};
    struct declaration ours;
    bool canonical = false;
    arena_reset(&arena);
    enum wire_result result = wire_decode(alone, &arena, &ours, &canonical);
    Customs__V1__Declaration *theirs = customs__v1__declaration__unpack(NULL, alone.length, alone.data);
    inputs++;
    check_padded(alone, result, canonical, &ours);
    if ((theirs != NULL) != (result == WIRE_OK))
        print_input(alone);
    cr_assert((theirs != NULL) == (result == WIRE_OK), "protobuf-c %s, the decoder says %d",
              theirs ? "accepts" : "rejects", result);
    if (theirs) {
        accepted++;
        uint32_t unknown = check_values(&ours, theirs);
        cr_assert(ours.unknown_fields == unknown, "%u unknown fields, protobuf-c finds %u", ours.unknown_fields,
                  unknown);
        check_encoding(alone, &ours, canonical, theirs);
        customs__v1__declaration__free_unpacked(theirs, NULL);
    }
    memory_free(copy);
    return theirs != NULL;
}

static void report(const char *what)
{
    fprintf(stderr, "%s: %lu inputs, %lu accepted by both, seed %d\n", what, (unsigned long)inputs,
            (unsigned long)accepted, SEED);
}

/* ---- messages by reflection, packed by protobuf-c ---- */

static uint64_t random_number(void)
{
    static const uint64_t extremes[] = {1,
                                        127,
                                        128,
                                        16383,
                                        16384,
                                        INT32_MAX,
                                        UINT32_MAX,
                                        1ull << 56,
                                        INT64_MAX,
                                        UINT64_MAX,
                                        (uint64_t)INT64_MIN,
                                        (uint64_t)(int64_t)INT32_MIN};
    uint64_t v = next_random();
    switch (below(4)) {
    case 0:
        return extremes[v % (sizeof extremes / sizeof extremes[0])];
    case 1:
        return v;
    default:
        return v >> below(64);
    }
}

static char *random_text(uint32_t cap)
{
    bool plain = modest && below(32);
    size_t length = modest ? below(cap + 1) : below(8) ? below(12) : below(300);
    char *text = memory_new(1, length + 1);
    for (size_t i = 0; i < length; i++)
        text[i] = plain ? (char)(0x20 + below(0x5F)) : (char)(1 + below(255));
    return text;
}

/* Of a field that a modest message has. */
static uint64_t modest_number(ProtobufCType type)
{
    if (type == PROTOBUF_C_TYPE_ENUM)
        return 1 + below(127);
    return next_random() >> (type == PROTOBUF_C_TYPE_UINT32 ? 32 : 8) >> below(24);
}

static void fill(ProtobufCMessage *message, unsigned share)
{
    const struct field *rows = message->descriptor == &customs__v1__item__descriptor ? item_fields : declaration_fields;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *d = &message->descriptor->fields[i];
        char *at = (char *)message + d->offset;
        uint64_t v = modest ? modest_number(d->type) : random_number();
        if (d->type == PROTOBUF_C_TYPE_MESSAGE || below(100) >= share)
            continue;
        if (d->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t n = 1 + below(6);
            char **texts = memory_new(n, sizeof *texts);
            for (size_t k = 0; k < n; k++)
                texts[k] = random_text(rows[i].cap);
            *(char ***)at = texts;
            memcpy((char *)message + d->quantifier_offset, &n, sizeof n);
        } else if (d->type == PROTOBUF_C_TYPE_STRING) {
            *(char **)at = random_text(rows[i].cap);
        } else if (d->type == PROTOBUF_C_TYPE_BOOL) {
            *(protobuf_c_boolean *)at = 1;
        } else {
            bool wide = d->type == PROTOBUF_C_TYPE_INT64 || d->type == PROTOBUF_C_TYPE_FIXED64;
            memcpy(at, &v, wide ? 8 : 4);
        }
    }
}

static void drop(ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *d = &message->descriptor->fields[i];
        void *at = (char *)message + d->offset;
        if (d->type != PROTOBUF_C_TYPE_STRING)
            continue;
        if (d->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t n = *(const size_t *)member(message, d->quantifier_offset);
            for (size_t k = 0; k < n; k++)
                memory_free((*(char ***)at)[k]);
            memory_free(*(char ***)at);
        } else if (*(char **)at != protobuf_c_empty_string) {
            memory_free(*(char **)at);
        }
    }
}

/* A random declaration as protobuf-c packs it. */
static void generate(struct buffer *out)
{
    Customs__V1__Declaration m = CUSTOMS__V1__DECLARATION__INIT;
    Customs__V1__Item items[ITEMS_MOST];
    Customs__V1__Item *pointers[ITEMS_MOST];
    unsigned share = (unsigned)below(101);
    fill(&m.base, share);
    m.n_items = below(ITEMS_MOST + 1);
    m.items = pointers;
    for (size_t k = 0; k < m.n_items; k++) {
        customs__v1__item__init(&items[k]);
        fill(&items[k].base, share);
        pointers[k] = &items[k];
    }
    buffer_clear(out);
    uint8_t *to = buffer_reserve(out, customs__v1__declaration__get_packed_size(&m) + 1);
    out->length = customs__v1__declaration__pack(&m, to);
    for (size_t k = 0; k < m.n_items; k++)
        drop(&items[k].base);
    drop(&m.base);
}

/* ---- taking messages apart and putting them together differently ---- */

struct part {
    uint64_t tag;
    struct bytes value; /* with its length prefix */
};

struct parts {
    size_t count;
    struct part list[FIELDS_MOST];
};

static void take_apart(struct bytes bytes, struct parts *out)
{
    const uint8_t *at = bytes.data;
    const uint8_t *end = at + bytes.length;
    out->count = 0;
    while (at && at < end && out->count < FIELDS_MOST) {
        struct part part = {0};
        const uint8_t *value = wire_read_tag(at, end, &part.tag);
        const uint8_t *next = value ? wire_read_skip(value, end, part.tag & WIRE_TYPE_MASK) : NULL;
        if (next) {
            part.value = (struct bytes){value, (size_t)(next - value)};
            out->list[out->count++] = part;
        }
        at = next;
    }
}

/* A varint with more bytes than it needs, at most `most` in all. */
static void add_long_varint(struct buffer *out, uint64_t v, size_t most)
{
    uint8_t bytes[WIRE_VARINT_BYTES];
    size_t length = (size_t)(varint_put(bytes, v) - bytes);
    size_t want = length < most ? length + below(most - length + 1) : length;
    for (; length < want; length++) {
        bytes[length - 1] |= 0x80;
        bytes[length] = 0;
    }
    buffer_add(out, bytes, length);
}

static void add_unknown(struct buffer *out)
{
    static const uint8_t types[] = {WIRE_VARINT, WIRE_FIXED64, WIRE_LENGTH, WIRE_FIXED32};
    uint64_t type = types[below(4)];
    uint64_t number = below(2) ? 55 + below(20) : (1ull << 28) + below(UINT32_MAX - (1ull << 28));
    uint64_t zeros = below(9);
    buffer_add_varint(out, number << WIRE_TYPE_BITS | type);
    if (type == WIRE_LENGTH) {
        buffer_add_varint(out, zeros);
        buffer_add(out, "abcdefghi", zeros);
    } else if (type == WIRE_VARINT) {
        buffer_add_varint(out, random_number());
    } else {
        buffer_add(out, "\1\2\3\4\5\6\7\10", type == WIRE_FIXED64 ? 8 : 4);
    }
}

/* The same content written otherwise: singular fields shuffled, over-long varints, unknown fields. Items too, one level
 * down. */
static void rewrite(struct bytes bytes, bool is_item, struct buffer *out)
{
    struct parts *parts = memory_new(1, sizeof *parts);
    struct buffer inner = {0};
    take_apart(bytes, parts);
    for (size_t i = parts->count; i > 1; i--) {
        size_t j = below(i);
        uint64_t a = parts->list[i - 1].tag >> WIRE_TYPE_BITS, b = parts->list[j].tag >> WIRE_TYPE_BITS;
        bool keeps_order =
            is_item ? a != 21 && a != 22 && b != 21 && b != 22 : a != 13 && a != 47 && b != 13 && b != 47;
        if (keeps_order) {
            struct part swap = parts->list[i - 1];
            parts->list[i - 1] = parts->list[j];
            parts->list[j] = swap;
        }
    }
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->list[i];
        const uint8_t *end = part->value.data + part->value.length;
        size_t length = 0;
        if (below(6) == 0)
            add_unknown(out);
        add_long_varint(out, part->tag, WIRE_SHORT_BYTES);
        if ((part->tag & WIRE_TYPE_MASK) == WIRE_LENGTH) {
            struct bytes content = {wire_read_length(part->value.data, end, &length), 0};
            content.length = length;
            buffer_clear(&inner);
            if (!is_item && part->tag >> WIRE_TYPE_BITS == 13)
                rewrite(content, true, &inner);
            else
                buffer_add(&inner, content.data, content.length);
            add_long_varint(out, inner.length, WIRE_SHORT_BYTES);
            buffer_add(out, inner.data, inner.length);
        } else if ((part->tag & WIRE_TYPE_MASK) == WIRE_VARINT) {
            struct reader reader = reader_of(part->value);
            add_long_varint(out, reader_varint(&reader), WIRE_VARINT_BYTES);
        } else {
            buffer_add(out, part->value.data, part->value.length);
        }
    }
    buffer_fini(&inner);
    memory_free(parts);
}

/* ---- negative space first: single inputs whose fate is written down ---- */

struct known {
    const char *what;
    size_t length;
    bool good;
    uint8_t bytes[16];
};

static const struct known known_inputs[] = {
    {"field number 0 in one byte", 2, false, {0x00, 0x01}},
    {"field number 0 in two bytes is an unknown field", 3, true, {0x80, 0x00, 0x01}},
    {"a tag that never ends", 1, false, {0x8A}},
    {"a tag of five bytes", 7, true, {0x8A, 0x80, 0x80, 0x80, 0x00, 0x01, 'x'}},
    {"a tag of six bytes", 8, false, {0x8A, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01, 'x'}},
    {"a field number beyond 2^29 is unknown", 7, true, {0x8A, 0x80, 0x80, 0x80, 0x7F, 0x01, 'x'}},
    {"a group begins", 2, false, {0x0B, 0x0C}},
    {"a group ends", 1, false, {0x0C}},
    {"wire type 6", 2, false, {0x0E, 0x00}},
    {"wire type 7", 2, false, {0x0F, 0x00}},
    {"an unknown field of wire type 7", 3, false, {0xFF, 0x07, 0x00}},
    {"a text as varint", 2, false, {0x08, 0x01}},
    {"a number as text", 3, false, {0x12, 0x01, 0x01}},
    {"a number as four bytes", 5, false, {0x15, 1, 2, 3, 4}},
    {"a list of texts as varint", 3, false, {0xF8, 0x02, 0x01}},
    {"items as varint", 2, false, {0x68, 0x01}},
    {"a fixed64 of seven bytes", 9, false, {0x81, 0x03, 1, 2, 3, 4, 5, 6, 7}},
    {"a length of five bytes", 7, true, {0x0A, 0x81, 0x80, 0x80, 0x80, 0x00, 'x'}},
    {"a length of six bytes", 8, false, {0x0A, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 'x'}},
    {"a length with a bit above 32", 7, false, {0x0A, 0x81, 0x80, 0x80, 0x80, 0x10, 'x'}},
    {"a length with bit 31", 7, false, {0x0A, 0x81, 0x80, 0x80, 0x80, 0x08, 'x'}},
    {"a text longer than the input", 3, false, {0x0A, 0x02, 'x'}},
    {"a length without its text", 2, false, {0x0A, 0x01}},
    {"a varint of ten bytes", 11, true, {0x10, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F}},
    {"a varint of eleven bytes", 12, false, {0x10, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}},
    {"a varint that never ends", 3, false, {0x10, 0x81, 0x80}},
    {"a bool of eight bytes", 12, true, {0x6A, 10, 0xC1, 0x01, 0, 0, 0, 0, 0, 0, 0, 0x80}},
    {"a bool of four bytes", 8, true, {0x6A, 6, 0xC5, 0x01, 1, 0, 0, 0}},
    {"a bool as text", 6, true, {0x6A, 4, 0xC2, 0x01, 1, 0}},
    {"a bool whose bits lie above 64",
     14,
     true,
     {0x6A, 12, 0xC0, 0x01, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02}},
    {"an item that is cut off by its length", 5, false, {0x6A, 2, 0x08, 0x80, 0x01}},
    {"an item whose text runs over its end", 8, false, {0x6A, 2, 0x12, 0x03, 'a', 'b', 'c', 0x08}},
    {"a broken item in front of a good field", 5, false, {0x6A, 1, 0x00, 0x10, 0x01}},
    {"an empty item", 2, true, {0x6A, 0}},
};

Test(wire, each_known_malformation_is_judged_as_written_down_and_as_protobuf_c_does)
{
    for (size_t i = 0; i < sizeof known_inputs / sizeof known_inputs[0]; i++) {
        const struct known *known = &known_inputs[i];
        cr_assert(check_input((struct bytes){known->bytes, known->length}) == known->good, "%s", known->what);
    }
}

Test(wire, a_known_malformation_is_judged_the_same_in_front_of_other_fields)
{
    static const uint8_t tail[] = {0x32, 12, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'};
    for (size_t i = 0; i < sizeof known_inputs / sizeof known_inputs[0]; i++) {
        uint8_t bytes[sizeof known_inputs[0].bytes + sizeof tail];
        memcpy(bytes, known_inputs[i].bytes, known_inputs[i].length);
        memcpy(bytes + known_inputs[i].length, tail, sizeof tail);
        check_input((struct bytes){bytes, known_inputs[i].length + sizeof tail});
    }
}

Test(wire, no_bytes_are_an_empty_canonical_declaration)
{
    struct declaration out;
    bool canonical = false;

    cr_assert(wire_decode((struct bytes){NULL, 0}, &arena, &out, &canonical) == WIRE_OK);

    static const struct declaration nothing = {.plain = true};
    cr_assert(canonical && memcmp(&out, &nothing, sizeof out) == 0);
}

Test(wire, a_full_arena_makes_items_too_large)
{
    struct arena small;
    arena_init(&small, sizeof(struct item) * 3);
    struct declaration out;
    bool canonical;
    static const uint8_t items[] = {0x6A, 0, 0x6A, 0, 0x6A, 0, 0x6A, 0};

    cr_assert(wire_decode((struct bytes){items, 4}, &small, &out, &canonical) == WIRE_OK);
    arena_reset(&small);
    cr_assert(wire_decode((struct bytes){items, 8}, &small, &out, &canonical) == WIRE_TOO_LARGE);

    arena_fini(&small);
}

Test(wire, a_full_arena_makes_a_list_of_texts_too_large)
{
    struct arena small;
    arena_init(&small, 64);
    struct buffer bytes = {0};
    struct declaration out;
    bool canonical;
    for (int i = 0; i < 5; i++)
        buffer_add(&bytes, "\xFA\x02\x01x", 4);

    cr_assert(wire_decode((struct bytes){bytes.data, 16}, &small, &out, &canonical) == WIRE_OK);
    arena_reset(&small);
    cr_assert(wire_decode(buffer_bytes(&bytes), &small, &out, &canonical) == WIRE_TOO_LARGE);

    buffer_fini(&bytes);
    arena_fini(&small);
}

Test(wire, an_item_count_that_lies_costs_no_memory)
{
    static const uint8_t bytes[] = {0x58, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x6A, 0};
    struct declaration out;
    bool canonical;

    cr_assert(wire_decode((struct bytes){bytes, sizeof bytes}, &arena, &out, &canonical) == WIRE_OK);

    cr_assert(out.item_count == UINT32_MAX && out.items.count == 1 && arena.total_bytes <= 64 * sizeof(struct item));
}

/* `count` items with their number, and the last one broken if asked. */
static void add_items(struct buffer *out, uint32_t count, bool last_is_broken)
{
    for (uint32_t i = 1; i <= count; i++) {
        struct buffer item = {0};
        buffer_add_u8(&item, last_is_broken && i == count ? 0x0F : 0x08);
        buffer_add_varint(&item, i);
        buffer_add_u8(out, 0x6A);
        buffer_add_varint(out, item.length);
        buffer_add(out, item.data, item.length);
        buffer_fini(&item);
    }
}

Test(wire, items_beyond_the_hard_limit_are_counted_and_not_kept)
{
    struct buffer bytes = {0};
    struct declaration out;
    bool canonical = true;
    add_items(&bytes, DECLARATION_ITEMS_HARD + 2, false);

    cr_assert(wire_decode(buffer_bytes(&bytes), &arena, &out, &canonical) == WIRE_OK);

    cr_assert(out.items.count == DECLARATION_ITEMS_HARD + 2 && declaration_items_kept(&out) == DECLARATION_ITEMS_HARD);
    cr_assert(!canonical);
    for (uint32_t i = 0; i < DECLARATION_ITEMS_HARD; i++)
        cr_assert(out.items.items[i].item_no == i + 1);
    buffer_fini(&bytes);
}

Test(wire, items_beyond_the_hard_limit_are_checked)
{
    struct buffer bytes = {0};
    struct declaration out;
    bool canonical;
    add_items(&bytes, DECLARATION_ITEMS_HARD + 2, true);

    cr_assert(wire_decode(buffer_bytes(&bytes), &arena, &out, &canonical) == WIRE_MALFORMED);

    buffer_fini(&bytes);
}

Test(wire, the_last_of_repeated_singular_fields_wins_even_if_it_is_empty)
{
    static const uint8_t bytes[] = {0x0A, 1, 'a', 0x10, 7, 0x0A, 1, 'b', 0x10, 0, 0x0A, 0};
    struct declaration out;
    bool canonical;

    cr_assert(wire_decode((struct bytes){bytes, 8}, &arena, &out, &canonical) == WIRE_OK);
    cr_assert(text_is(out.declaration_id, "b") && out.version == 7 && !canonical);
    cr_assert(wire_decode((struct bytes){bytes, sizeof bytes}, &arena, &out, &canonical) == WIRE_OK);
    cr_assert(out.declaration_id.length == 0 && out.version == 0 && !canonical);
}

/* ---- the table and the .proto ---- */

static void check_table(const ProtobufCMessageDescriptor *message, const struct field *rows, size_t count)
{
    static const struct {
        ProtobufCType type;
        ProtobufCLabel label;
    } of_kind[] = {
        [FIELD_TEXT] = {PROTOBUF_C_TYPE_STRING, PROTOBUF_C_LABEL_NONE},
        [FIELD_U32] = {PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_LABEL_NONE},
        [FIELD_I64] = {PROTOBUF_C_TYPE_INT64, PROTOBUF_C_LABEL_NONE},
        [FIELD_U64] = {PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_LABEL_NONE},
        [FIELD_ENUM] = {PROTOBUF_C_TYPE_ENUM, PROTOBUF_C_LABEL_NONE},
        [FIELD_BOOL] = {PROTOBUF_C_TYPE_BOOL, PROTOBUF_C_LABEL_NONE},
        [FIELD_TEXTS] = {PROTOBUF_C_TYPE_STRING, PROTOBUF_C_LABEL_REPEATED},
        [FIELD_ITEMS] = {PROTOBUF_C_TYPE_MESSAGE, PROTOBUF_C_LABEL_REPEATED},
    };
    cr_assert(message->n_fields == count, "%s", message->name);
    for (size_t i = 0; i < count; i++) {
        const ProtobufCFieldDescriptor *d = descriptor_of(message, (unsigned)i + 1);
        cr_assert(rows[i].number == i + 1 && d && strcmp(d->name, rows[i].name) == 0, "field %zu", i + 1);
        cr_assert(d->type == of_kind[rows[i].kind].type && d->label == of_kind[rows[i].kind].label, "%s", d->name);
    }
}

Test(wire, declaration_def_and_the_proto_name_the_same_fields)
{
    check_table(&customs__v1__declaration__descriptor, declaration_fields, DECLARATION_FIELDS);
    check_table(&customs__v1__item__descriptor, item_fields, ITEM_FIELDS);
}

Test(wire, enum_names_of_the_proto_are_known_by_their_short_names)
{
    for (size_t i = 0; i < DECLARATION_FIELDS; i++) {
        const struct field *row = &declaration_fields[i];
        if (row->kind != FIELD_ENUM)
            continue;
        const ProtobufCEnumDescriptor *e =
            descriptor_of(&customs__v1__declaration__descriptor, row->number)->descriptor;
        for (unsigned v = 0; v < e->n_values; v++) {
            const char *name = e->values[v].name + strlen(row->name) + 1;
            if (e->values[v].value != 0)
                cr_assert(declaration_enum_value(row->name, text_of(name)) == e->values[v].value, "%s",
                          e->values[v].name);
        }
    }
}

/* ---- the differential ---- */

static void mutate(struct bytes from, struct buffer *out)
{
    static const uint8_t nasty[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, 0x0A, 0x6A, 0x0B};
    buffer_clear(out);
    buffer_add(out, from.data, from.length);
    for (uint64_t n = 1 + below(3); n > 0 && out->length > 0; n--) {
        size_t at = below(out->length);
        switch (below(5)) {
        case 0:
            out->data[at] = (uint8_t)next_random();
            break;
        case 1:
            out->data[at] ^= (uint8_t)(1u << below(8));
            break;
        case 2:
            out->data[at] = nasty[below(sizeof nasty)];
            break;
        case 3:
            memmove(out->data + at, out->data + at + 1, out->length - at - 1);
            out->length--;
            break;
        default:
            buffer_add_u8(out, 0);
            memmove(out->data + at + 1, out->data + at, out->length - at - 1);
            out->data[at] = nasty[below(sizeof nasty)];
            break;
        }
    }
}

/* Gives one field another wire type, and leaves its value. */
static void swap_wire_type(struct bytes from, struct buffer *out, struct parts *parts)
{
    buffer_clear(out);
    take_apart(from, parts);
    size_t chosen = parts->count ? below(parts->count) : 0;
    for (size_t i = 0; i < parts->count; i++) {
        buffer_add_varint(out, i == chosen ? (parts->list[i].tag & ~7ull) | below(8) : parts->list[i].tag);
        buffer_add(out, parts->list[i].value.data, parts->list[i].value.length);
    }
}

static void check_variants(struct bytes bytes, struct buffer *other, struct parts *parts)
{
    straight = modest;
    check_input(bytes);
    straight = false;
    for (int i = 0; i < 22; i++) {
        mutate(bytes, other);
        check_input(buffer_bytes(other));
    }
    for (int i = 0; i < 6 && bytes.length; i++)
        check_input((struct bytes){bytes.data, below(bytes.length)});
    for (int i = 0; i < 4; i++) {
        swap_wire_type(bytes, other, parts);
        check_input(buffer_bytes(other));
    }
    buffer_clear(other);
    rewrite(bytes, false, other);
    cr_assert(check_input(buffer_bytes(other)));
    struct buffer rewritten = *other;
    *other = (struct buffer){0};
    for (int i = 0; i < 4; i++) {
        mutate(buffer_bytes(&rewritten), other);
        check_input(buffer_bytes(other));
    }
    buffer_add(&rewritten, bytes.data, bytes.length); /* all fields twice: the last wins, lists grow */
    cr_assert(check_input(buffer_bytes(&rewritten)));
    buffer_fini(&rewritten);
}

Test(wire, generated_mutated_and_rewritten_messages_are_judged_and_read_as_protobuf_c_does)
{
    struct buffer bytes = {0};
    struct buffer other = {0};
    struct parts *parts = memory_new(1, sizeof *parts);

    for (int round = 0; round < ROUNDS; round++) {
        modest = round % 2;
        generate(&bytes);
        check_variants(buffer_bytes(&bytes), &other, parts);
    }

    report("generated");
    cr_assert(inputs >= 200000 && accepted > inputs / 5, "the mix of inputs is off");
    memory_free(parts);
    buffer_fini(&bytes);
    buffer_fini(&other);
}

Test(wire, messages_cut_off_at_every_length_are_judged_as_protobuf_c_does)
{
    struct buffer bytes = {0};
    for (int round = 0; round < 40; round++) {
        generate(&bytes);
        for (size_t length = 0; length <= bytes.length && length < 1500; length++)
            check_input((struct bytes){bytes.data, length});
    }
    report("cut off");
    buffer_fini(&bytes);
}

Test(wire, random_bytes_are_judged_as_protobuf_c_does)
{
    uint8_t bytes[48];
    for (int round = 0; round < 40000; round++) {
        size_t length = below(sizeof bytes + 1);
        for (size_t i = 0; i < length; i++)
            bytes[i] = below(2) ? (uint8_t)below(16) : (uint8_t)next_random();
        if (length > 2 && below(2)) { /* inside an item */
            bytes[0] = 0x6A;
            bytes[1] = (uint8_t)(length - 2);
        }
        check_input((struct bytes){bytes, length});
    }
    report("random");
}

Test(wire, every_two_bytes_in_front_of_a_value_are_judged_as_protobuf_c_does)
{
    uint8_t bytes[16] = {0, 0, 1, 0x81, 2, 3, 'a', 'b', 'c'};
    for (unsigned tag = 0; tag < 65536; tag++) {
        bytes[0] = (uint8_t)tag;
        bytes[1] = (uint8_t)(tag >> 8);
        check_input((struct bytes){bytes, 3 + tag % 13});
    }
    report("tags");
}

/* ---- digest ---- */

static uint64_t digest_of(struct bytes bytes, bool *out_canonical)
{
    struct declaration out;
    arena_reset(&arena);
    cr_assert(wire_decode(bytes, &arena, &out, out_canonical) == WIRE_OK);
    return wire_digest(bytes, &out, *out_canonical, &scratch);
}

Test(wire, the_digest_depends_on_the_content_and_not_on_how_it_was_written)
{
    struct buffer bytes = {0};
    struct buffer other = {0};
    for (int round = 0; round < 3000; round++) {
        bool canonical;
        generate(&bytes);
        uint64_t digest = digest_of(buffer_bytes(&bytes), &canonical);
        cr_assert(canonical, "protobuf-c packs canonically");
        buffer_clear(&other);
        rewrite(buffer_bytes(&bytes), false, &other);

        cr_assert(digest_of(buffer_bytes(&other), &canonical) == digest, "round %d", round);
    }
    buffer_fini(&bytes);
    buffer_fini(&other);
}

/* Another value of the same kind. */
static void change(const struct field *row, char *base)
{
    static const struct text texts[] = {{"changed", 7}};
    void *at = base + row->offset;
    switch (row->kind) {
    case FIELD_TEXT:
        *(struct text *)at = texts[0];
        break;
    case FIELD_TEXTS:
        *(struct text_list *)at = (struct text_list){texts, 1};
        break;
    case FIELD_BOOL:
        *(bool *)at = !*(bool *)at;
        break;
    case FIELD_U32:
    case FIELD_ENUM:
        *(uint32_t *)at ^= 1;
        break;
    case FIELD_I64:
    case FIELD_U64:
        *(uint64_t *)at ^= 1;
        break;
    case FIELD_ITEMS:
        ((struct item_list *)at)->count--;
        break;
    }
}

static uint64_t digest_of_struct(const struct declaration *declaration)
{
    return wire_digest((struct bytes){NULL, 0}, declaration, false, &scratch);
}

Test(wire, a_change_of_any_field_changes_the_digest)
{
    struct item items[2] = {{.item_no = 1}, {.item_no = 2, .hs_code = TEXT("870323")}};
    struct declaration declaration = {.declaration_id = TEXT("940320251000000001"), .items = {items, 2}};
    uint64_t digest = digest_of_struct(&declaration);

    for (size_t i = 0; i < DECLARATION_FIELDS; i++) {
        struct declaration changed = declaration;
        change(&declaration_fields[i], (char *)&changed);
        cr_assert(digest_of_struct(&changed) != digest, "%s", declaration_fields[i].name);
    }
    for (size_t i = 0; i < ITEM_FIELDS; i++) {
        struct item kept = items[1];
        change(&item_fields[i], (char *)&items[1]);
        cr_assert(digest_of_struct(&declaration) != digest, "items[1].%s", item_fields[i].name);
        items[1] = kept;
    }
    cr_assert(digest_of_struct(&declaration) == digest);
}

Test(wire, a_text_that_moves_to_the_next_field_changes_the_digest)
{
    struct declaration a = {.office_code = TEXT("9403")};
    struct declaration b = {.border_office_code = TEXT("9403")};

    cr_assert(digest_of_struct(&a) != digest_of_struct(&b));
}
