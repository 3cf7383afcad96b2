/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/wire.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/hash.h"
#include "flow/wire_read.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "varints are unpacked eight bytes at a time, lowest byte first");

#define LIKELY(cond) __builtin_expect(!!(cond), 1)
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* What to do about one (field number, wire type). Zero is no action: a table that was never built fails at its first
 * use. */
enum action_kind {
    ACTION_NOT_BUILT,
    ACTION_TEXT,
    ACTION_U32,
    ACTION_I64,
    ACTION_ENUM,
    ACTION_ITEM,
    /* from here on read with care only */
    ACTION_TEXTS,
    ACTION_U64,
    ACTION_BOOL,
    ACTION_SKIP, /* unknown field */
    ACTION_BAD,  /* known field with a wire type that it can't have */
};

struct action {
    uint8_t kind;
    uint8_t repeated; /* 1: the same tag may follow itself */
    uint16_t offset;  /* in struct declaration or struct item */
};

enum {
    ACTIONS = 512,   /* tags below it are in the table: field numbers to 63 */
    FAST_BYTES = 10, /* what the fast reading of a field may load before it knows how long the field is: 2 + 8 */
    LIST_FIRST = 4,
    ITEMS_FIRST = 2,
    ITEMS_HINT_MOST = 64,
};

/* All that is known of a message: built from declaration.def here; from a site's own schema one day. */
struct message {
    size_t bytes; /* of the struct that it fills */
    struct action actions[ACTIONS];
};

static struct message declaration_message;
static struct message item_message;

static void set_action(struct message *message, const struct field *field, unsigned wire_type, enum action_kind kind)
{
    bool repeated = kind == ACTION_TEXTS || kind == ACTION_ITEM;
    message->actions[field->number << WIRE_TYPE_BITS | wire_type] =
        (struct action){(uint8_t)kind, repeated ? 1 : 0, (uint16_t)field->offset};
}

static void set_field(struct message *message, const struct field *field)
{
    static const struct {
        uint8_t wire_type;
        uint8_t action;
    } of_kind[] = {
        [FIELD_TEXT] = {WIRE_LENGTH, ACTION_TEXT},   [FIELD_U32] = {WIRE_VARINT, ACTION_U32},
        [FIELD_I64] = {WIRE_VARINT, ACTION_I64},     [FIELD_U64] = {WIRE_FIXED64, ACTION_U64},
        [FIELD_ENUM] = {WIRE_VARINT, ACTION_ENUM},   [FIELD_BOOL] = {WIRE_VARINT, ACTION_BOOL},
        [FIELD_TEXTS] = {WIRE_LENGTH, ACTION_TEXTS}, [FIELD_ITEMS] = {WIRE_LENGTH, ACTION_ITEM},
    };
    CHECK(field->number << WIRE_TYPE_BITS < ACTIONS);
    for (unsigned type = 0; type <= WIRE_TYPE_MASK; type++)
        set_action(message, field, type, ACTION_BAD);
    set_action(message, field, of_kind[field->kind].wire_type, of_kind[field->kind].action);
    if (field->kind == FIELD_BOOL) { /* protobuf-c takes a bool from any wire type */
        set_action(message, field, WIRE_FIXED64, ACTION_BOOL);
        set_action(message, field, WIRE_LENGTH, ACTION_BOOL);
        set_action(message, field, WIRE_FIXED32, ACTION_BOOL);
    }
}

static void build(struct message *message, size_t bytes, const struct field *fields, size_t count)
{
    message->bytes = bytes;
    for (size_t i = 0; i < ACTIONS; i++)
        message->actions[i] = (struct action){.kind = ACTION_SKIP};
    for (size_t i = 0; i < count; i++)
        set_field(message, &fields[i]);
}

void wire_init(void)
{
    build(&declaration_message, sizeof(struct declaration), declaration_fields, DECLARATION_FIELDS);
    build(&item_message, sizeof(struct item), item_fields, ITEM_FIELDS);
}

/* One call of wire_decode. Places in the input are counted from its start: a place behind the end is a number, not a
 * pointer. */
struct decoder {
    struct arena *arena;
    const uint8_t *data;
    size_t bytes;
    int64_t odd;  /* negative: the bytes are not canonical */
    uint64_t tag; /* of the field that was read last */
    uint32_t unknown;
    uint32_t item_count;
    uint32_t item_capacity;
    enum wire_result failure;
    struct item *items;
    struct declaration *out;
};

enum { STOP = 0 }; /* no place: read nothing more, see decoder->failure; no field ends at place 0 */

static size_t fail(struct decoder *decoder, enum wire_result why)
{
    decoder->failure = why;
    return STOP;
}

/* A list's capacity follows from its count: none, LIST_FIRST, and then each power of two. */
static bool add_text(struct arena *arena, struct text_list *list, struct text text)
{
    struct text *texts = NULL;
    memcpy(&texts, &list->texts, sizeof texts); /* the list is const to its readers only */
    uint32_t count = list->count;
    if (count == 0 || (count >= LIST_FIRST && (count & (count - 1)) == 0)) {
        size_t capacity = count ? (size_t)count * 2 : LIST_FIRST;
        struct text *more = arena_alloc(arena, capacity * sizeof *more);
        if (!more)
            return false;
        if (count)
            memcpy(more, texts, count * sizeof *more);
        texts = more;
    }
    texts[count] = text;
    *list = (struct text_list){texts, count + 1};
    return true;
}

/* The first items: as many as the header says, within reason. Later: as many again, in place where nothing stands
 * behind. */
static bool grow_items(struct decoder *decoder)
{
    uint32_t capacity = decoder->item_capacity;
    if (capacity == 0) {
        uint32_t hint = decoder->out->item_count;
        capacity = hint < ITEMS_FIRST ? ITEMS_FIRST : hint > ITEMS_HINT_MOST ? ITEMS_HINT_MOST : (hint + 1) & ~1u;
        decoder->items = arena_alloc(decoder->arena, capacity * sizeof(struct item));
        decoder->item_capacity = capacity;
        return decoder->items != NULL;
    }
    struct item *more = arena_alloc(decoder->arena, capacity * sizeof(struct item));
    if (!more)
        return false;
    if (more != decoder->items + capacity) {
        more = arena_alloc(decoder->arena, 2 * capacity * sizeof(struct item));
        if (!more)
            return false;
        memcpy(more, decoder->items, capacity * sizeof(struct item));
        decoder->items = more;
    }
    decoder->item_capacity = 2 * capacity;
    return true;
}

static bool read_item(struct decoder *decoder, size_t at, size_t end);

/* Any value bit of any byte makes it true, whatever the wire type: protobuf-c's reading. */
static bool bool_of(const uint8_t *at, const uint8_t *next)
{
    unsigned any = 0;
    for (; at < next; at++)
        any |= *at & 0x7Fu;
    return any != 0;
}

/* Bits beyond 64 are dropped, as everywhere. */
static uint64_t varint_of(const uint8_t *at, const uint8_t *next)
{
    uint64_t v = 0;
    for (unsigned i = 0; at + i < next; i++)
        v |= (uint64_t)(at[i] & 0x7F) << (7 * i);
    return v;
}

/* True if the value of one varint between at and next could not have been written so by wire_encode. */
static bool varint_is_odd(const uint8_t *at, const uint8_t *next, enum action_kind kind, uint64_t v)
{
    bool excess = (kind == ACTION_U32 && v > UINT32_MAX) || (kind == ACTION_ENUM && (int64_t)v != (int32_t)v) ||
                  (kind == ACTION_BOOL && v != 1);
    return excess || next[-1] == 0 || (next - at == WIRE_VARINT_BYTES && next[-1] > 1);
}

/* One value of any kind with every check. `next` is behind it. False: the arena is full. */
static bool careful_value(struct decoder *decoder, const uint8_t *at, const uint8_t *next, struct action action,
                          void *to)
{
    bool odd = false;
    unsigned wire_type = decoder->tag & WIRE_TYPE_MASK;
    if (wire_type == WIRE_LENGTH && action.kind != ACTION_BOOL) {
        size_t length = 0;
        const uint8_t *begin = wire_read_length(at, next, &length);
        struct text text = {(const char *)begin, (uint32_t)length};
        odd = begin[-1] == 0 && (begin - at > 1 || action.kind == ACTION_TEXT);
        if (action.kind == ACTION_TEXTS && !add_text(decoder->arena, to, text))
            return false;
        if (action.kind == ACTION_TEXT)
            *(struct text *)to = text;
    } else if (wire_type == WIRE_FIXED64 && action.kind == ACTION_U64) {
        memcpy(to, at, sizeof(uint64_t));
        odd = *(uint64_t *)to == 0;
    } else if (action.kind == ACTION_BOOL) {
        *(bool *)to = bool_of(at, next);
        odd = wire_type != WIRE_VARINT || varint_is_odd(at, next, action.kind, varint_of(at, next));
    } else {
        uint64_t v = varint_of(at, next);
        odd = varint_is_odd(at, next, action.kind, v);
        if (action.kind == ACTION_I64)
            *(uint64_t *)to = v;
        else
            *(uint32_t *)to = (uint32_t)v;
    }
    if (odd)
        decoder->odd = -1;
    return true;
}

/* One field of any kind with every check. Behind the field, or STOP. */
static __attribute__((noinline)) size_t careful_field(struct decoder *decoder, size_t from, size_t end,
                                                      const struct message *message, char *base)
{
    uint64_t previous = decoder->tag;
    const uint8_t *limit = decoder->data + end;
    const uint8_t *at = wire_read_tag(decoder->data + from, limit, &decoder->tag);
    if (!at)
        return fail(decoder, WIRE_MALFORMED);
    static const struct action skip = {.kind = ACTION_SKIP};
    struct action action = decoder->tag < ACTIONS ? message->actions[decoder->tag] : skip;
    CHECK_SAY(action.kind != ACTION_NOT_BUILT, "wire_init was not called");
    if (at[-1] == 0 || decoder->tag + action.repeated <= previous)
        decoder->odd = -1;
    const uint8_t *next = wire_read_skip(at, limit, decoder->tag & WIRE_TYPE_MASK);
    if (!next || action.kind == ACTION_BAD)
        return fail(decoder, WIRE_MALFORMED);
    if (action.kind == ACTION_SKIP) {
        decoder->unknown++;
        decoder->odd = -1;
    } else if (!careful_value(decoder, at, next, action, base + action.offset)) {
        return fail(decoder, WIRE_TOO_LARGE);
    }
    size_t place = (size_t)(next - decoder->data);
    if (action.kind == ACTION_ITEM) {
        size_t length = 0;
        uint64_t tag = decoder->tag;
        const uint8_t *begin = wire_read_length(at, next, &length);
        if (!read_item(decoder, (size_t)(begin - decoder->data), place))
            return STOP;
        decoder->tag = tag;
    }
    return place;
}

/* A varint of up to eight bytes, all of which may be loaded. False: it is longer. A last byte of zero is odd: either
 * the value is the default, or it could be shorter. */
static ALWAYS_INLINE bool fast_varint(const uint8_t *data, size_t *at, uint64_t *out, int64_t *odd)
{
    uint64_t word;
    memcpy(&word, data + *at, sizeof word);
    uint64_t stop = ~word & 0x8080808080808080ULL;
    if (!LIKELY(stop))
        return false;
    *out = varint_pack(word & (stop ^ (stop - 1)) & 0x7F7F7F7F7F7F7F7FULL);
    *at += (size_t)__builtin_ctzll(stop) / 8 + 1;
    *odd |= (int64_t)data[*at - 1] - 1;
    return true;
}

/* The same for values that are mostly below 128. */
static ALWAYS_INLINE bool fast_small(const uint8_t *data, size_t *at, uint64_t *out, int64_t *odd)
{
    uint64_t v = data[*at];
    if (v >= 0x80)
        return fast_varint(data, at, out, odd);
    *out = v;
    *odd |= (int64_t)v - 1;
    *at += 1;
    return true;
}

/* The fields that nearly all declarations consist of, of which FAST_BYTES may be loaded. *from moves behind the field,
 * which may be behind the end of the message: the caller looks. False: not one of those; what was stored is overwritten
 * by the careful reading. */
static ALWAYS_INLINE bool fast_field(struct decoder *decoder, const uint8_t *data, size_t *from, size_t end,
                                     const struct message *message, char *base, uint64_t *previous, int64_t *odd)
{
    size_t at = *from;
    uint64_t tag = data[at++];
    if (tag >= 0x80) {
        *odd |= (int64_t)data[at] - 1;
        tag = (tag & 0x7F) | (uint64_t)data[at++] << 7;
    }
    if (!LIKELY(tag < ACTIONS))
        return false;
    struct action action = message->actions[tag];
    *odd |= (int64_t)(tag + action.repeated - *previous - 1);
    char *to = base + action.offset;
    uint64_t v = data[at];
    switch (action.kind) {
    case ACTION_TEXT:
        if (!LIKELY(v < 0x80))
            return false;
        *(struct text *)to = (struct text){(const char *)data + at + 1, (uint32_t)v};
        *odd |= (int64_t)v - 1;
        at += 1 + v;
        break;
    case ACTION_I64:
        if (!LIKELY(fast_varint(data, &at, &v, odd)))
            return false;
        *(int64_t *)to = (int64_t)v;
        break;
    case ACTION_U32:
        if (!LIKELY(fast_small(data, &at, &v, odd)))
            return false;
        *(uint32_t *)to = (uint32_t)v;
        *odd |= (int64_t)(UINT32_MAX - v);
        break;
    case ACTION_ENUM:
        if (!LIKELY(fast_small(data, &at, &v, odd)))
            return false;
        *(int32_t *)to = (int32_t)v;
        *odd |= (int64_t)(INT32_MAX - v);
        break;
    case ACTION_ITEM:
        if (v >= 0x80 || at + 1 + v > end || !read_item(decoder, at + 1, at + 1 + v))
            return false;
        at += 1 + v;
        break;
    default:
        return false;
    }
    *from = at;
    *previous = tag;
    return true;
}

/* All fields of one message. False: decoder->failure. */
static ALWAYS_INLINE bool read_fields(struct decoder *decoder, size_t at, size_t end, const struct message *message,
                                      char *base)
{
    const uint8_t *data = decoder->data;
    size_t fast_end = decoder->bytes < FAST_BYTES ? 0 : decoder->bytes - FAST_BYTES + 1;
    if (fast_end > end)
        fast_end = end;
    int64_t odd = 0;
    uint64_t previous = 0;
    memset(base, 0, message->bytes);
    for (;;) {
        while (LIKELY(at < fast_end) && fast_field(decoder, data, &at, end, message, base, &previous, &odd)) {
        }
        if (at >= end)
            break;
        if (decoder->failure != WIRE_OK)
            return false;
        decoder->tag = previous;
        at = careful_field(decoder, at, end, message, base);
        if (at == STOP)
            return false;
        previous = decoder->tag;
    }
    decoder->odd |= odd;
    if (at > end)
        decoder->failure = WIRE_MALFORMED;
    return at == end;
}

/* Items beyond the hard limit are checked all the same: in a slot behind the kept ones, over and over. */
static __attribute__((noinline)) bool read_item(struct decoder *decoder, size_t at, size_t end)
{
    uint32_t index = decoder->item_count;
    if (!LIKELY(index < DECLARATION_ITEMS_HARD)) {
        index = DECLARATION_ITEMS_HARD;
        decoder->odd = -1;
    }
    if (index == decoder->item_capacity && !grow_items(decoder))
        return fail(decoder, WIRE_TOO_LARGE) != STOP;
    decoder->item_count++;
    return read_fields(decoder, at, end, &item_message, (char *)&decoder->items[index]);
}

enum wire_result wire_decode(struct bytes bytes, struct arena *arena, struct declaration *out, bool *out_canonical)
{
    struct decoder decoder = {.arena = arena, .data = bytes.data, .bytes = bytes.length, .out = out};
    if (!read_fields(&decoder, 0, bytes.length, &declaration_message, (char *)out))
        return decoder.failure;
    out->items = (struct item_list){decoder.items, decoder.item_count};
    out->unknown_fields = decoder.unknown;
    *out_canonical = decoder.odd >= 0;
    return WIRE_OK;
}

/* Room for a tag and a varint, or a tag and a length. */
enum { HEAD_BYTES = 2 * WIRE_VARINT_BYTES };

static uint8_t *put_tag(uint8_t *at, const struct field *field, enum wire_type type)
{
    return varint_put(at, (uint64_t)field->number << WIRE_TYPE_BITS | type);
}

static void put_text(struct buffer *out, const struct field *field, struct text text)
{
    uint8_t *begin = buffer_reserve(out, HEAD_BYTES + text.length);
    uint8_t *at = varint_put(put_tag(begin, field, WIRE_LENGTH), text.length);
    if (text.length)
        memcpy(at, text.data, text.length);
    out->length += (size_t)(at - begin) + text.length;
}

static void put_varint(struct buffer *out, const struct field *field, uint64_t v)
{
    if (v == 0)
        return;
    uint8_t *begin = buffer_reserve(out, HEAD_BYTES);
    out->length += (size_t)(varint_put(put_tag(begin, field, WIRE_VARINT), v) - begin);
}

static void put_fixed64(struct buffer *out, const struct field *field, uint64_t v)
{
    if (v == 0)
        return;
    uint8_t *begin = buffer_reserve(out, HEAD_BYTES);
    uint8_t *at = put_tag(begin, field, WIRE_FIXED64);
    memcpy(at, &v, sizeof v);
    out->length += (size_t)(at - begin) + sizeof v;
}

/* One field other than ITEMS; an absent one leaves no trace. */
static void put_field(struct buffer *out, const struct field *field, const char *base)
{
    const void *from = base + field->offset;
    const struct text *text = from;
    const struct text_list *list = from;
    switch (field->kind) {
    case FIELD_TEXT:
        if (text->length)
            put_text(out, field, *text);
        break;
    case FIELD_TEXTS:
        for (uint32_t i = 0; i < list->count; i++)
            put_text(out, field, list->texts[i]);
        break;
    case FIELD_U64:
        put_fixed64(out, field, *(const uint64_t *)from);
        break;
    case FIELD_U32:
        put_varint(out, field, *(const uint32_t *)from);
        break;
    case FIELD_I64:
        put_varint(out, field, *(const uint64_t *)from);
        break;
    case FIELD_ENUM: /* negative ones take ten bytes, as everywhere */
        put_varint(out, field, (uint64_t)(int64_t) * (const int32_t *)from);
        break;
    case FIELD_BOOL:
        put_varint(out, field, *(const bool *)from);
        break;
    case FIELD_ITEMS:
        break;
    }
}

/* The length in front of an item is known only behind it: one byte is left for it, and the item moves if it needs more.
 */
static void put_item(struct buffer *out, const struct field *field, const struct item *item)
{
    uint8_t *begin = buffer_reserve(out, HEAD_BYTES);
    out->length += (size_t)(put_tag(begin, field, WIRE_LENGTH) - begin) + 1;
    size_t start = out->length;
    for (size_t i = 0; i < ITEM_FIELDS; i++)
        put_field(out, &item_fields[i], (const char *)item);
    size_t bytes = out->length - start;
    uint8_t prefix[WIRE_VARINT_BYTES];
    size_t more = (size_t)(varint_put(prefix, bytes) - prefix) - 1;
    if (more) {
        buffer_reserve(out, more);
        memmove(out->data + start + more, out->data + start, bytes);
        out->length += more;
    }
    memcpy(out->data + start - 1, prefix, more + 1);
}

void wire_encode(const struct declaration *declaration, struct buffer *out)
{
    for (size_t i = 0; i < DECLARATION_FIELDS; i++) {
        const struct field *field = &declaration_fields[i];
        if (field->kind != FIELD_ITEMS) {
            put_field(out, field, (const char *)declaration);
            continue;
        }
        for (uint32_t k = 0; k < declaration_items_kept(declaration); k++)
            put_item(out, field, &declaration->items.items[k]);
    }
}

uint64_t wire_digest(struct bytes bytes, const struct declaration *declaration, bool canonical, struct buffer *scratch)
{
    if (canonical)
        return hash_bytes(bytes.data, bytes.length, 0);
    buffer_clear(scratch);
    wire_encode(declaration, scratch);
    return hash_bytes(scratch->data, scratch->length, 0);
}
