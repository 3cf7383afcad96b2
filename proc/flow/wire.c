/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/wire.h"

#include "base/check.h"
#include "base/hash.h"
#include "flow/wire_line.h"

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
    ACTIONS = 512, /* tags below it are in the table: field numbers to 63 */
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
    size_t line_end; /* before it LINE_BYTES may be loaded */
    bool odd;        /* the bytes are not canonical */
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
                          unsigned wire_type, void *to)
{
    bool odd = false;
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
    decoder->odd |= odd;
    return true;
}

/* One field of any kind with every check. *tag: of the field before, then of this one. Behind the field, or STOP. */
static size_t careful_field(struct decoder *decoder, size_t from, size_t end, const struct message *message, char *base,
                            uint64_t *tag)
{
    uint64_t previous = *tag;
    const uint8_t *limit = decoder->data + end;
    const uint8_t *at = wire_read_tag(decoder->data + from, limit, tag);
    if (!at)
        return fail(decoder, WIRE_MALFORMED);
    static const struct action skip = {.kind = ACTION_SKIP};
    struct action action = *tag < ACTIONS ? message->actions[*tag] : skip;
    unsigned wire_type = *tag & WIRE_TYPE_MASK;
    CHECK_SAY(action.kind != ACTION_NOT_BUILT, "wire_init was not called");
    if (at[-1] == 0 || *tag + action.repeated <= previous)
        decoder->odd = true;
    const uint8_t *next = wire_read_skip(at, limit, wire_type);
    if (!next || action.kind == ACTION_BAD)
        return fail(decoder, WIRE_MALFORMED);
    if (action.kind == ACTION_SKIP) {
        decoder->unknown++;
        decoder->odd = true;
    } else if (!careful_value(decoder, at, next, action, wire_type, base + action.offset)) {
        return fail(decoder, WIRE_TOO_LARGE);
    }
    size_t place = (size_t)(next - decoder->data);
    if (action.kind == ACTION_ITEM) {
        size_t length = 0;
        const uint8_t *begin = wire_read_length(at, next, &length);
        if (!read_item(decoder, (size_t)(begin - decoder->data), place))
            return STOP;
    }
    return place;
}

/* ---- fields in a line ---- */

/* Reads the fields of a message from `at` on, as long as they come as they should, and says whether their texts are plain.
 * Where the first other field stands, or the end. */
typedef size_t read_line(struct decoder *decoder, size_t at, size_t end, void *to);

LINE_INLINE void line_texts(struct line *line, uint32_t number, uint32_t cap, struct arena *arena,
                            struct text_list *out)
{
    uint32_t length = 0;
    size_t at = line_length(line, number, LINE_ONE_BYTE - 1, &length);
    struct text text = {(const char *)line->data + at, length};
    if (length >= PLAIN_BYTES || length > cap || at + length > line->end || !add_text(arena, out, text)) {
        line_stop(line);
        return;
    }
    plain_add_short(&line->plain, text.data, length);
    line_go(line, at + length);
}

LINE_INLINE void line_item(struct line *line, uint32_t number, struct decoder *decoder)
{
    uint32_t length = 0;
    size_t at = line_length(line, number, UINT32_MAX, &length);
    if (at == 0 || at + length > line->end || !read_item(decoder, at, at + length)) {
        line_stop(line);
        return;
    }
    line_go(line, at + length);
}

LINE_INLINE struct line line_begin(const struct decoder *decoder, size_t at, size_t end)
{
    struct line line = {.data = decoder->data, .end = end < decoder->line_end ? end : decoder->line_end};
    line_go(&line, at);
    return line;
}

static ALWAYS_INLINE size_t item_line(struct decoder *decoder, size_t at, size_t end, void *to)
{
    struct item *out = to;
    struct line line = line_begin(decoder, at, end);
#define ITEM_FIELD(number, kind, name, cap) LINE_##kind(number, name, cap)
#include "trade/declaration.def"
    out->plain = plain_is(&line.plain);
    return line.at;
}

static ALWAYS_INLINE size_t declaration_line(struct decoder *decoder, size_t at, size_t end, void *to)
{
    struct declaration *out = to;
    struct line line = line_begin(decoder, at, end);
#define DECLARATION_FIELD(number, kind, name, cap) LINE_##kind(number, name, cap)
#include "trade/declaration.def"
    out->plain = plain_is(&line.plain);
    return line.at;
}

/* ---- messages ---- */

/* The tag of the last field between begin and at, all of which were read in a line behind one with the tag `previous`. */
static uint64_t last_tag(struct decoder *decoder, size_t begin, size_t at, const struct message *message,
                         uint64_t previous)
{
    const uint8_t *end = decoder->data + at;
    for (const uint8_t *place = decoder->data + begin; place < end;) {
        uint64_t tag = 0;
        place = wire_read_tag(place, end, &tag);
        place = wire_read_skip(place, end, (unsigned)tag & WIRE_TYPE_MASK);
        if (tag + message->actions[tag].repeated <= previous)
            decoder->odd = true;
        previous = tag;
    }
    return previous;
}

/* What did not come in a line: a field read with care, another line, and so on. */
static __attribute__((noinline)) bool read_rest(struct decoder *decoder, size_t begin, size_t at, size_t end,
                                                const struct message *message, void *to, read_line *read)
{
    uint64_t previous = 0;
    for (;;) {
        if (decoder->failure != WIRE_OK)
            return false;
        if (at > end)
            return fail(decoder, WIRE_MALFORMED) != STOP;
        previous = last_tag(decoder, begin, at, message, previous);
        if (at == end)
            return true;
        begin = careful_field(decoder, at, end, message, to, &previous);
        if (begin == STOP)
            return false;
        at = read(decoder, begin, end, to);
    }
}

/* Items beyond the hard limit are checked all the same: in a slot behind the kept ones, over and over. */
static __attribute__((noinline)) bool read_item(struct decoder *decoder, size_t at, size_t end)
{
    uint32_t index = decoder->item_count;
    if (!LIKELY(index < DECLARATION_ITEMS_HARD)) {
        index = DECLARATION_ITEMS_HARD;
        decoder->odd = true;
    }
    if (index == decoder->item_capacity && !grow_items(decoder))
        return fail(decoder, WIRE_TOO_LARGE) != STOP;
    decoder->item_count++;
    struct item *item = &decoder->items[index];
    memset(item, 0, item_message.bytes); /* a call: what the compiler makes of a constant is slower */
    size_t place = item_line(decoder, at, end, item);
    if (LIKELY(place == end))
        return true;
    bool good = read_rest(decoder, at, place, end, &item_message, item, item_line);
    item->plain = false;
    return good;
}

static enum wire_result decode(struct bytes bytes, size_t readable, struct arena *arena, struct declaration *out,
                               bool *out_canonical)
{
    struct decoder decoder = {.arena = arena,
                              .data = bytes.data,
                              .line_end = readable < LINE_BYTES ? 0 : readable - LINE_BYTES + 1,
                              .out = out};
    memset(out, 0, declaration_message.bytes);
    size_t place = declaration_line(&decoder, 0, bytes.length, out);
    if (!LIKELY(place == bytes.length)) {
        if (!read_rest(&decoder, 0, place, bytes.length, &declaration_message, out, declaration_line))
            return decoder.failure;
        out->plain = false;
    }
    out->items = (struct item_list){decoder.items, decoder.item_count};
    out->unknown_fields = decoder.unknown;
    *out_canonical = !decoder.odd;
    return WIRE_OK;
}

enum wire_result wire_decode(struct bytes bytes, struct arena *arena, struct declaration *out, bool *out_canonical)
{
    return decode(bytes, bytes.length, arena, out, out_canonical);
}

enum wire_result wire_decode_padded(struct bytes bytes, struct arena *arena, struct declaration *out,
                                    bool *out_canonical)
{
    return decode(bytes, bytes.length + WIRE_PAD_BYTES, arena, out, out_canonical);
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
