/* SPDX-License-Identifier: Apache-2.0
 * wire.h - protobuf bytes <-> struct declaration: fields as they should come in a straight line, all others by a table of
 * actions indexed by field number and wire type.
 *
 * In:      bytes of one customs.v1.Declaration          Out: struct declaration, or "does not decode"
 * Accepts and rejects exactly what protobuf-c does on our schema (tests/unit/flow/test_wire.c compares).
 * Limits:  items beyond DECLARATION_ITEMS_HARD are checked and counted, not kept
 * Memory:  texts borrow from the input; items and lists stand in the arena
 * Thread:  any; the table is built once by wire_init (startup)
 * Why:     docs/adr/0003-wire-decoder.md, 0014-straight-line-decoding.md
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "trade/declaration.h"

/* Builds the action tables from declaration.def. Idempotent.     Thread: startup */
void wire_init(void);

enum wire_result {
    WIRE_OK,
    WIRE_MALFORMED, /* STR-002 */
    WIRE_TOO_LARGE, /* the arena is at its limit: STR-001 */
};

/* *out is written whole when the result is WIRE_OK. *out_canonical: the bytes are exactly what wire_encode would write (fields in
 * ascending order, shortest varints, no defaults, nothing unknown): then their hash is the digest. */
enum wire_result wire_decode(struct bytes bytes, struct arena *arena, struct declaration *out, bool *out_canonical);

enum { WIRE_PAD_BYTES = 32 };

/* The same at less cost, for bytes behind which WIRE_PAD_BYTES more may be loaded, whatever they are. */
enum wire_result wire_decode_padded(struct bytes bytes, struct arena *arena, struct declaration *out,
                                    bool *out_canonical);

/* Appends the canonical encoding: known fields in ascending order, shortest varints, no defaults. */
void wire_encode(const struct declaration *declaration, struct buffer *out);

/* Content digest of the decoded known fields in canonical order; independent of how the bytes were written. */
uint64_t wire_digest(struct bytes bytes, const struct declaration *declaration, bool canonical, struct buffer *scratch);
