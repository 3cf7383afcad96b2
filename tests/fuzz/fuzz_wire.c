/* SPDX-License-Identifier: Apache-2.0
 * fuzz_wire.c - the wire decoder against protobuf-c: any bytes.
 *
 * Checks:  same accept or reject; same count of items and of unknown fields; what wire_encode writes is what protobuf-c
 *          reads as the same message; canonical is true exactly if wire_encode writes the input again; with room behind
 *          the bytes the result is the same
 */
#include "fuzz.h"

#include "flow/wire.h"

#include "customs/v1/declaration.pb-c.h"

static uint32_t unknown_of(const Customs__V1__Declaration *theirs)
{
    uint32_t unknown = theirs->base.n_unknown_fields;
    for (size_t i = 0; i < theirs->n_items; i++)
        unknown += theirs->items[i]->base.n_unknown_fields;
    return unknown;
}

/* protobuf-c's own encoding of a message, without its unknown fields. */
static void pack(Customs__V1__Declaration *m, struct buffer *out)
{
    unsigned own = m->base.n_unknown_fields;
    m->base.n_unknown_fields = 0;
    buffer_clear(out);
    out->length =
        customs__v1__declaration__pack(m, buffer_reserve(out, customs__v1__declaration__get_packed_size(m) + 1));
    m->base.n_unknown_fields = own;
}

/* Both encodings are read by protobuf-c and packed again: they must be the same message. */
static void compare_encoding(const struct buffer *ours, Customs__V1__Declaration *theirs)
{
    static struct buffer a, b;
    for (size_t i = 0; i < theirs->n_items; i++) {
        if (theirs->items[i]->base.n_unknown_fields)
            return; /* pack would write them */
    }
    Customs__V1__Declaration *again = customs__v1__declaration__unpack(NULL, ours->length, ours->data);
    CHECK(again && again->base.n_unknown_fields == 0);
    pack(again, &a);
    pack(theirs, &b);
    CHECK(a.length == b.length && memcmp(a.data, b.data, a.length) == 0);
    customs__v1__declaration__free_unpacked(again, NULL);
}

/* The batch decodes from its own copy, behind which it may load: what stands there is nothing to the result. */
static void compare_padded(struct bytes bytes, enum wire_result expected, const struct buffer *encoded)
{
    static struct arena arena;
    static struct buffer padded, again;
    struct declaration declaration;
    bool canonical;
    if (!arena.limit_bytes)
        arena_init(&arena, (size_t)256 << 20);
    arena_reset(&arena);
    buffer_clear(&padded);
    buffer_add(&padded, bytes.data, bytes.length);
    memset(buffer_reserve(&padded, WIRE_PAD_BYTES), 0xA5, WIRE_PAD_BYTES);
    CHECK(wire_decode_padded(buffer_bytes(&padded), &arena, &declaration, &canonical) == expected);
    if (expected != WIRE_OK)
        return;
    buffer_clear(&again);
    wire_encode(&declaration, &again);
    CHECK(again.length == encoded->length);
    CHECK(again.length == 0 || memcmp(again.data, encoded->data, again.length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    static struct buffer encoded;
    static bool ready;
    struct declaration ours;
    bool canonical;
    if (!ready) {
        wire_init();
        arena_init(&arena, (size_t)256 << 20);
        ready = true;
    }
    arena_reset(&arena);
    buffer_clear(&encoded);
    struct bytes bytes = {data, size};
    enum wire_result result = wire_decode(bytes, &arena, &ours, &canonical);
    Customs__V1__Declaration *theirs = customs__v1__declaration__unpack(NULL, size, data);
    CHECK((theirs != NULL) == (result == WIRE_OK));
    if (!theirs) {
        compare_padded(bytes, result, &encoded);
        return 0;
    }
    CHECK(ours.items.count == theirs->n_items && ours.unknown_fields == unknown_of(theirs));
    wire_encode(&ours, &encoded);
    bool same = encoded.length == size && (size == 0 || memcmp(encoded.data, data, size) == 0);
    CHECK(same == canonical);
    compare_encoding(&encoded, theirs);
    compare_padded(bytes, result, &encoded);
    customs__v1__declaration__free_unpacked(theirs, NULL);
    return 0;
}
