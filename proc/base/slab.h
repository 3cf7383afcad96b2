/* SPDX-License-Identifier: Apache-2.0
 * slab.h - records of bytes that are added and never taken out one by one; 32 bits name one.
 *
 * Memory:  chunks that grow with what is in them: a thirty-second part of it, so that little is reserved ahead, from SLAB_CHUNK_LEAST to 2 MiB
 * Limits:  SLAB_CHUNKS_MOST chunks; a record larger than a chunk gets one of its own
 * Thread:  one owner
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    SLAB_CHUNK_BITS = 21,
    SLAB_CHUNK_LEAST = 4096,
    SLAB_CHUNK_MOST = 1 << SLAB_CHUNK_BITS,
    SLAB_CHUNKS_MOST = 1984, /* of 2048 that a reference can name: the rest is the caller's */
};

/* References from here on are never given out. */
#define SLAB_REFERENCE_END ((uint32_t)SLAB_CHUNKS_MOST << SLAB_CHUNK_BITS)

/* Zero-initialised is empty. */
struct slab {
    uint8_t **chunks;
    uint32_t count;
    uint32_t used; /* of the newest chunk */
    uint32_t room; /* bytes that the newest chunk has for records that begin within SLAB_CHUNK_MOST */
    size_t bytes;  /* of all chunks */
};

void slab_fini(struct slab *slab);

/* Room for a record of so many bytes; the pointer is good until slab_fini. The reference is never 0. */
uint8_t *slab_add(struct slab *slab, size_t bytes, uint32_t *out_reference);

static inline uint8_t *slab_at(const struct slab *slab, uint32_t reference)
{
    return slab->chunks[reference >> SLAB_CHUNK_BITS] + (reference & (SLAB_CHUNK_MOST - 1));
}

/* What it takes of memory, as far as it knows. */
size_t slab_bytes(const struct slab *slab);
