/* SPDX-License-Identifier: Apache-2.0
 * What a record's value holds: every format, every way to be broken, and bombs. */
#include "flow/envelope.h"

#include "base/memory.h"
#include "flow/wire.h"

#include "customs/v1/declaration.pb-c.h"

#include <criterion/criterion.h>
#include <zstd.h>

enum {
    MAX_BYTES = 4096,
    BOMB_BYTES = 64 << 20,
};

static struct envelope envelope;
static struct buffer value;

static void with_format(enum input_format format)
{
    envelope_fini(&envelope);
    envelope_init(&envelope, &(struct envelope_options){.format = format, .max_bytes = MAX_BYTES});
}

static void set_up(void)
{
    wire_init();
    with_format(INPUT_AUTO);
    buffer_clear(&value);
}

static void tear_down(void)
{
    envelope_fini(&envelope);
    buffer_fini(&value);
}

TestSuite(envelope, .init = set_up, .fini = tear_down);

static void add_declaration(struct buffer *out, const char *id)
{
    struct item item = {.item_no = 1, .hs_code = TEXT("8703230000"), .net_mass_mg = 1400000000};
    struct declaration declaration = {.declaration_id = text_of(id), .version = 1, .items = {&item, 1}};
    wire_encode(&declaration, out);
}

static void add_element(struct buffer *out, const char *id)
{
    struct buffer declaration = {0};
    add_declaration(&declaration, id);
    buffer_add_u8(out, 0x0A);
    buffer_add_varint(out, declaration.length);
    buffer_add(out, declaration.data, declaration.length);
    buffer_fini(&declaration);
}

/* Puts a zstd frame in the place of what is in `value`. Without its size in the header if `streamed`. */
static void compress(struct buffer *out, bool streamed, int window_log)
{
    struct buffer packed = {0};
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t room = ZSTD_compressBound(out->length);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, streamed ? 0 : 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    if (window_log)
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_outBuffer to = {buffer_reserve(&packed, room), room, 0};
    ZSTD_inBuffer from = {out->data, 0, 0};
    if (streamed) { /* an input in two steps: the frame can't know its size */
        from.size = out->length / 2;
        cr_assert(!ZSTD_isError(ZSTD_compressStream2(context, &to, &from, ZSTD_e_continue)));
    }
    from.size = out->length;
    cr_assert(ZSTD_compressStream2(context, &to, &from, ZSTD_e_end) == 0);
    packed.length = to.pos;
    ZSTD_freeCCtx(context);
    buffer_fini(out);
    *out = packed;
}

/* Opens a copy that stands alone in memory, so that a sanitizer sees any step beyond it. *out_copy must outlive the
 * slices. */
static enum rule open_alone(struct bytes bytes, uint8_t **out_copy)
{
    *out_copy = memory_new(1, bytes.length ? bytes.length : 1);
    if (bytes.length)
        memcpy(*out_copy, bytes.data, bytes.length);
    return envelope_open(&envelope, (struct bytes){*out_copy, bytes.length}, false);
}

static void expect_rule(enum rule rule, const char *what)
{
    uint8_t *copy;
    enum rule found = open_alone(buffer_bytes(&value), &copy);
    struct bytes slice;
    int32_t index;

    cr_assert(found == rule, "%s: rule %d instead of %d", what, found, rule);
    cr_assert(!envelope_next(&envelope, &slice, &index), "%s: a rejected record gives nothing", what);
    memory_free(copy);
}

/* Good, and holds the ids "A", "B" ...; a single declaration has index -1. */
static void expect_ids(size_t count, bool is_batch, const char *what)
{
    uint8_t *copy;
    struct bytes slice;
    struct arena arena;
    int32_t index;
    arena_init(&arena, 1 << 20);
    enum rule found = open_alone(buffer_bytes(&value), &copy);

    cr_assert(found == RULE_COUNT, "%s: rule %d", what, found);
    cr_assert(envelope.is_batch == is_batch, "%s", what);
    for (size_t i = 0; i < count; i++) {
        struct declaration out;
        bool canonical;
        cr_assert(envelope_next(&envelope, &slice, &index), "%s: %zu", what, i);
        cr_assert(index == (is_batch ? (int32_t)i : -1), "%s: index %d", what, index);
        cr_assert(wire_decode(slice, &arena, &out, &canonical) == WIRE_OK && canonical, "%s", what);
        cr_assert(out.declaration_id.length == 1 && out.declaration_id.data[0] == (char)('A' + i), "%s: %zu", what, i);
    }
    cr_assert(!envelope_next(&envelope, &slice, &index), "%s: no more", what);
    cr_assert(!envelope_next(&envelope, &slice, &index), "%s: still no more", what);
    memory_free(copy);
    arena_fini(&arena);
}

static void batch_of_three(void)
{
    buffer_clear(&value);
    add_element(&value, "A");
    add_element(&value, "B");
    add_element(&value, "C");
}

static void confluent(const char *indexes, size_t bytes)
{
    buffer_add(&value, "\0\0\0\1\2", 5);
    buffer_add(&value, indexes, bytes);
}

/* ---- empty, null, too long ---- */

Test(envelope, a_null_value_is_STR_001)
{
    cr_assert(envelope_open(&envelope, (struct bytes){NULL, 0}, true) == RULE_STR_001);
}

Test(envelope, an_empty_value_is_STR_001)
{
    expect_rule(RULE_STR_001, "empty");
}

Test(envelope, a_value_of_max_bytes_passes_and_one_more_is_STR_001)
{
    uint8_t *bytes = memory_new(1, MAX_BYTES + 1);
    memset(bytes, 'x', MAX_BYTES + 1);

    cr_assert(envelope_open(&envelope, (struct bytes){bytes, MAX_BYTES}, false) == RULE_COUNT);
    cr_assert(envelope_open(&envelope, (struct bytes){bytes, MAX_BYTES + 1}, false) == RULE_STR_001);

    memory_free(bytes);
}

Test(envelope, a_rejected_record_forgets_the_one_before)
{
    struct bytes slice;
    int32_t index;
    batch_of_three();
    cr_assert(envelope_open(&envelope, buffer_bytes(&value), false) == RULE_COUNT);

    cr_assert(envelope_open(&envelope, (struct bytes){NULL, 0}, true) == RULE_STR_001);

    cr_assert(!envelope_next(&envelope, &slice, &index));
}

/* ---- plain ---- */

Test(envelope, auto_takes_a_declaration_for_one)
{
    add_declaration(&value, "A");
    expect_ids(1, false, "auto");
}

Test(envelope, auto_takes_a_batch_for_one)
{
    batch_of_three();
    expect_ids(3, true, "auto");
}

Test(envelope, a_batch_of_one_has_index_0)
{
    add_element(&value, "A");
    expect_ids(1, true, "auto");
}

Test(envelope, protobuf_never_looks_for_a_batch)
{
    struct bytes slice;
    int32_t index;
    with_format(INPUT_PROTOBUF);
    batch_of_three();

    cr_assert(envelope_open(&envelope, buffer_bytes(&value), false) == RULE_COUNT);

    cr_assert(envelope_next(&envelope, &slice, &index) && index == -1 && slice.length == value.length);
    cr_assert(!envelope_next(&envelope, &slice, &index));
}

Test(envelope, batch_is_a_batch_even_if_its_first_element_has_no_id)
{
    static const uint8_t bytes[] = {0x0A, 2, 0x10, 1, 0x0A, 0};
    struct bytes slice;
    int32_t index;
    with_format(INPUT_BATCH);

    cr_assert(envelope_open(&envelope, (struct bytes){bytes, sizeof bytes}, false) == RULE_COUNT);

    cr_assert(envelope_next(&envelope, &slice, &index) && index == 0 && slice.length == 2);
    cr_assert(envelope_next(&envelope, &slice, &index) && index == 1 && slice.length == 0);
    cr_assert(!envelope_next(&envelope, &slice, &index));
}

Test(envelope, auto_leaves_what_begins_otherwise_to_the_decoder)
{
    static const struct {
        uint8_t bytes[4];
        size_t length;
    } singles[] = {
        {{0x0A, 0, 0x0A, 0}, 4}, /* field 1 is empty: what follows is not its content */
        {{0x0A, 1, 'A', 0x0A}, 4}, {{0x0A, 1}, 2},          {{0x0A}, 1},
        {{0x10, 0x0A}, 2},         {{0x0A, 0x80, 0x80}, 3}, {{0x08, 0x0A}, 2},
    };
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++) {
        struct bytes bytes = {singles[i].bytes, singles[i].length};
        cr_assert(envelope_open(&envelope, bytes, false) == RULE_COUNT && !envelope.is_batch, "%zu", i);
    }
}

Test(envelope, unknown_fields_of_a_batch_are_stepped_over_and_counted)
{
    add_element(&value, "A");
    buffer_add(&value, "\x10\x07\x1A\x01x", 5);
    add_element(&value, "B");
    buffer_add(&value, "\x25\1\2\3\4", 5);
    expect_ids(2, true, "unknown");
    cr_assert(envelope.unknown_fields == 3);
}

/* ---- broken batches ---- */

Test(envelope, a_batch_with_nothing_in_it_is_STR_001)
{
    with_format(INPUT_BATCH);
    buffer_add(&value, "\x10\x07", 2);
    expect_rule(RULE_STR_001, "only an unknown field");
}

Test(envelope, broken_framing_of_a_batch_is_STR_002_of_the_whole)
{
    static const struct {
        const char *what;
        const char *tail;
        size_t bytes;
    } tails[] = {
        {"declarations as varint", "\x08\x01", 2},
        {"group", "\x13\x14", 2},
        {"field number 0", "\x00\x01", 2},
        {"half a tag", "\x8A", 1},
        {"no length", "\x0A", 1},
        {"length beyond the end", "\x0A\x05x", 3},
        {"half a fixed64", "\x11\x01\x02", 3},
        {"wire type 7", "\x17\x01", 2},
        {"endless varint", "\x10\x80\x80", 3},
    };
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        batch_of_three();
        buffer_add(&value, tails[i].tail, tails[i].bytes);
        expect_rule(RULE_STR_002, tails[i].what);
    }
}

/* Good framing, and all elements decode. */
static bool opens_and_decodes(struct bytes bytes)
{
    uint8_t *copy;
    struct bytes slice;
    struct arena arena;
    int32_t index;
    arena_init(&arena, 1 << 20);
    bool good = open_alone(bytes, &copy) == RULE_COUNT;
    while (good && envelope_next(&envelope, &slice, &index)) {
        struct declaration out;
        bool canonical;
        good = wire_decode(slice, &arena, &out, &canonical) == WIRE_OK;
    }
    arena_fini(&arena);
    memory_free(copy);
    return good;
}

Test(envelope, a_batch_cut_off_anywhere_or_with_any_byte_changed_is_judged_as_protobuf_c_does)
{
    with_format(INPUT_BATCH);
    batch_of_three();
    buffer_add(&value, "\x10\x07", 2);
    size_t length = value.length;
    for (size_t i = 1; i <= length * 256; i++) {
        struct bytes bytes = {value.data, i <= length ? i : length};
        size_t at = i / 256;
        uint8_t kept = at < length ? value.data[at] : 0;
        if (i > length && at < length)
            value.data[at] = (uint8_t)i;
        Customs__V1__DeclarationBatch *theirs = customs__v1__declaration_batch__unpack(NULL, bytes.length, bytes.data);
        bool good = theirs && theirs->n_declarations > 0 && memcmp(bytes.data, "\x28\xB5\x2F\xFD", 4) != 0;

        cr_assert(opens_and_decodes(bytes) == good, "length %zu, byte %zu is %u", bytes.length, at,
                  value.data[at % length]);

        if (theirs)
            customs__v1__declaration_batch__free_unpacked(theirs, NULL);
        if (at < length)
            value.data[at] = kept;
    }
}

Test(envelope, a_batch_cut_off_at_every_length_is_good_only_between_its_elements)
{
    batch_of_three();
    size_t element = value.length / 3;
    for (size_t length = element + 1; length <= value.length; length++) {
        enum rule rule = envelope_open(&envelope, (struct bytes){value.data, length}, false);
        cr_assert(rule == (length % element == 0 ? RULE_COUNT : RULE_STR_002), "length %zu", length);
    }
}

Test(envelope, a_broken_element_does_not_break_its_batch)
{
    struct bytes slice;
    int32_t index;
    add_element(&value, "A");
    buffer_add(&value, "\x0A\x02\x0F\x0F", 4);
    add_element(&value, "B");

    cr_assert(envelope_open(&envelope, buffer_bytes(&value), false) == RULE_COUNT);

    for (int32_t i = 0; i < 3; i++)
        cr_assert(envelope_next(&envelope, &slice, &index) && index == i && (i == 1) == (slice.length == 2));
}

/* ---- zstd ---- */

Test(envelope, a_zstd_frame_holds_a_declaration_or_a_batch)
{
    add_declaration(&value, "A");
    compress(&value, false, 0);
    expect_ids(1, false, "declaration");
    batch_of_three();
    compress(&value, false, 0);
    expect_ids(3, true, "batch");
}

Test(envelope, a_zstd_frame_may_be_without_its_size_and_with_a_large_window)
{
    batch_of_three();
    compress(&value, true, 0);
    expect_ids(3, true, "streamed");
    batch_of_three();
    compress(&value, true, 27);
    expect_ids(3, true, "window of 128 MiB");
}

Test(envelope, zstd_frames_one_behind_the_other_are_one_content)
{
    struct buffer both = {0};
    batch_of_three();
    size_t half = value.length / 2;
    struct buffer first = {0}, second = {0};
    buffer_add(&first, value.data, half);
    buffer_add(&second, value.data + half, value.length - half);
    compress(&first, false, 0);
    compress(&second, true, 0);
    buffer_add(&both, first.data, first.length);
    buffer_add(&both, second.data, second.length);
    buffer_clear(&value);
    buffer_add(&value, both.data, both.length);

    expect_ids(3, true, "two frames");
    buffer_fini(&both);
    buffer_fini(&first);
    buffer_fini(&second);
}

Test(envelope, zstd_is_recognised_under_every_explicit_format)
{
    with_format(INPUT_PROTOBUF);
    add_declaration(&value, "A");
    compress(&value, false, 0);
    expect_ids(1, false, "protobuf");
    with_format(INPUT_BATCH);
    batch_of_three();
    compress(&value, false, 0);
    expect_ids(3, true, "batch");
    with_format(INPUT_CONFLUENT);
    buffer_clear(&value);
    confluent("\0", 1);
    add_declaration(&value, "A");
    compress(&value, false, 0);
    expect_ids(1, false, "confluent");
}

Test(envelope, a_zstd_frame_cut_off_at_every_length_is_rejected)
{
    batch_of_three();
    compress(&value, false, 0);
    size_t whole = value.length;
    for (size_t length = 4; length < whole; length++) {
        value.length = length;
        expect_rule(RULE_STR_002, "cut off");
    }
}

Test(envelope, a_zstd_frame_with_any_byte_changed_is_rejected_or_the_same)
{
    batch_of_three();
    struct buffer plain = {0};
    buffer_add(&plain, value.data, value.length);
    compress(&value, false, 0);
    for (size_t i = 4; i < value.length; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t *copy;
            value.data[i] ^= (uint8_t)(1u << bit);
            enum rule rule = open_alone(buffer_bytes(&value), &copy);
            bool same =
                envelope.rest.length == plain.length && memcmp(envelope.rest.data, plain.data, plain.length) == 0;
            cr_assert(rule == RULE_STR_001 || rule == RULE_STR_002 || same, "byte %zu bit %u: rule %d", i, bit, rule);
            value.data[i] ^= (uint8_t)(1u << bit);
            memory_free(copy);
        }
    }
    buffer_fini(&plain);
}

Test(envelope, an_empty_zstd_frame_is_STR_001)
{
    compress(&value, false, 0);
    expect_rule(RULE_STR_001, "empty frame");
}

Test(envelope, a_frame_of_max_bytes_passes_and_one_more_is_STR_001)
{
    for (int streamed = 0; streamed < 2; streamed++) {
        for (size_t length = MAX_BYTES; length <= MAX_BYTES + 1; length++) {
            buffer_clear(&value);
            memset(buffer_reserve(&value, length), 'x', length);
            value.length = length;
            compress(&value, streamed, 0);
            enum rule rule = envelope_open(&envelope, buffer_bytes(&value), false);
            cr_assert(rule == (length == MAX_BYTES ? RULE_COUNT : RULE_STR_001), "length %zu: rule %d", length, rule);
        }
    }
}

Test(envelope, a_bomb_is_STR_001_and_allocates_no_more_than_the_limit)
{
    for (int streamed = 0; streamed < 2; streamed++) {
        buffer_clear(&value);
        memset(buffer_reserve(&value, BOMB_BYTES), 0, BOMB_BYTES);
        value.length = BOMB_BYTES;
        compress(&value, streamed, 0);
        cr_assert(value.length < MAX_BYTES);
        with_format(INPUT_AUTO);

        expect_rule(RULE_STR_001, streamed ? "size not said" : "size said");
        cr_assert(envelope.plain.capacity <= MAX_BYTES, "%zu bytes", envelope.plain.capacity);
    }
}

Test(envelope, many_small_frames_are_one_bomb)
{
    struct buffer one = {0};
    memset(buffer_reserve(&one, 1000), 0, 1000);
    one.length = 1000;
    compress(&one, false, 0);
    for (int i = 0; i < 5; i++)
        buffer_add(&value, one.data, one.length);

    expect_rule(RULE_STR_001, "five frames of 1000 bytes");
    buffer_fini(&one);
}

Test(envelope, a_frame_in_a_frame_is_not_opened)
{
    struct bytes slice;
    int32_t index;
    add_declaration(&value, "A");
    compress(&value, false, 0);
    size_t inner = value.length;
    compress(&value, false, 0);

    cr_assert(envelope_open(&envelope, buffer_bytes(&value), false) == RULE_COUNT);

    cr_assert(envelope_next(&envelope, &slice, &index) && slice.length == inner);
}

/* ---- Confluent ---- */

Test(envelope, a_confluent_header_says_which_message_follows)
{
    static const struct {
        const char *what;
        const char *indexes;
        size_t bytes;
        size_t count;
    } heads[] = {
        {"short form of [0]", "\0", 1, 1},
        {"[0]", "\2\0", 2, 1},
        {"[2]", "\2\4", 2, 3},
        {"[2] in more bytes than it needs", "\x82\0\x84\0", 4, 3},
    };
    for (size_t i = 0; i < 2 * sizeof heads / sizeof heads[0]; i++) {
        with_format(i % 2 ? INPUT_AUTO : INPUT_CONFLUENT);
        buffer_clear(&value);
        confluent(heads[i / 2].indexes, heads[i / 2].bytes);
        if (heads[i / 2].count == 1)
            add_declaration(&value, "A");
        for (size_t k = 0; heads[i / 2].count == 3 && k < 3; k++)
            add_element(&value, (const char *[]){"A", "B", "C"}[k]);
        expect_ids(heads[i / 2].count, heads[i / 2].count == 3, heads[i / 2].what);
    }
}

Test(envelope, a_confluent_header_of_another_message_is_STR_002)
{
    static const struct {
        const char *what;
        const char *indexes;
        size_t bytes;
    } heads[] = {
        {"[1] is an Item", "\2\2", 2},   {"[3] is nothing", "\2\6", 2}, {"[0, 0] is nothing", "\4\0\0", 3},
        {"a negative index", "\2\1", 2}, {"a negative count", "\1", 1}, {"a count without end", "\x80", 1},
        {"far too many", "\xFE\x7F", 2}, {"indexes missing", "\2", 1},  {"no indexes at all", "", 0},
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        buffer_clear(&value);
        confluent(heads[i].indexes, heads[i].bytes);
        if (heads[i].what[0] == '[')
            add_declaration(&value, "A");
        expect_rule(RULE_STR_002, heads[i].what);
    }
}

Test(envelope, a_confluent_header_cut_off_is_STR_002)
{
    confluent("\2\4", 2);
    for (size_t length = 1; length < 7; length++) {
        value.length = length;
        expect_rule(RULE_STR_002, "cut off");
    }
}

Test(envelope, a_confluent_header_with_nothing_behind_is_STR_001)
{
    confluent("\0", 1);
    expect_rule(RULE_STR_001, "no message");
}

Test(envelope, confluent_requires_its_header)
{
    with_format(INPUT_CONFLUENT);
    add_declaration(&value, "A");
    expect_rule(RULE_STR_002, "plain");
}

Test(envelope, a_zstd_frame_may_stand_behind_a_confluent_header)
{
    struct buffer declaration = {0};
    confluent("\0", 1);
    add_declaration(&declaration, "A");
    compress(&declaration, false, 0);
    buffer_add(&value, declaration.data, declaration.length);

    expect_ids(1, false, "header in front of the frame");
    buffer_fini(&declaration);
}

Test(envelope, protobuf_takes_no_header_off)
{
    struct bytes slice;
    int32_t index;
    with_format(INPUT_PROTOBUF);
    confluent("\0", 1);

    cr_assert(envelope_open(&envelope, buffer_bytes(&value), false) == RULE_COUNT);

    cr_assert(envelope_next(&envelope, &slice, &index) && slice.length == value.length);
}
