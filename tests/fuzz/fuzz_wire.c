/* SPDX-License-Identifier: Apache-2.0
 * fuzz_wire.c - libFuzzer entry: the wire decoder against protobuf-c. Any difference aborts.
 *
 * Not built by default; needs clang with its runtime (Debian: clang-14, libclang-rt-14-dev). From the top of the tree,
 * with a build folder that has generated the protocols (`cmake --preset debug`): clang-14 -std=c17 -O1 -g
 * -fsanitize=fuzzer,address,undefined -D_POSIX_C_SOURCE=200809L -Iproc -Ibuild/debug/protocols
 * \
 *     tests/fuzz/fuzz_wire.c proc/flow/wire.c proc/trade/declaration.c proc/base/arena.c proc/base/memory.c
 * proc/base/buffer.c \ proc/base/hash.c proc/base/check.c proc/base/span.c
 * build/debug/protocols/customs/v1/declaration.pb-c.c -lprotobuf-c -o fuzz_wire
 *   ./fuzz_wire -max_len=512 -max_total_time=600
 * Checks:  same accept or reject; same count of items and of unknown fields; what wire_encode writes is what protobuf-c
 * reads as the same message; canonical is true exactly if wire_encode writes the input again */
#include "base/check.h"
#include "flow/wire.h"

#include "customs/v1/declaration.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    enum wire_result result = wire_decode((struct bytes){data, size}, &arena, &ours, &canonical);
    Customs__V1__Declaration *theirs = customs__v1__declaration__unpack(NULL, size, data);
    CHECK((theirs != NULL) == (result == WIRE_OK));
    if (!theirs)
        return 0;
    CHECK(ours.items.count == theirs->n_items && ours.unknown_fields == unknown_of(theirs));
    buffer_clear(&encoded);
    wire_encode(&ours, &encoded);
    bool same = encoded.length == size && (size == 0 || memcmp(encoded.data, data, size) == 0);
    CHECK(same == canonical);
    compare_encoding(&encoded, theirs);
    customs__v1__declaration__free_unpacked(theirs, NULL);
    return 0;
}
