/* SPDX-License-Identifier: Apache-2.0
 * arena.h - memory that lives and dies with a batch.
 *
 * Memory:  the arena owns chunks; arena_reset keeps them for the next batch
 * Limits:  arena_alloc returns NULL once `limit` bytes are in use: a verdict ("too large"), not a crash
 * Thread:  one owner at a time
 */
#pragma once

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *first;
    struct arena_chunk *current;
    size_t used;        /* bytes in the current chunk */
    size_t total_bytes; /* handed out since the last reset */
    size_t limit_bytes;
};

void arena_init(struct arena *arena, size_t limit_bytes);
void arena_fini(struct arena *arena);
void arena_reset(struct arena *arena);

/* Uninitialised memory aligned to 16 bytes, good until arena_reset; NULL at the limit. */
void *arena_alloc(struct arena *arena, size_t bytes);
