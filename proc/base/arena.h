/* SPDX-License-Identifier: Apache-2.0
 * arena.h - memory that lives and dies with a batch.
 *
 * Memory:  the arena owns chunks; arena_reset keeps them for the next batch
 * Limits:  arena_alloc returns NULL once `limit` bytes are in use: a verdict ("too large"), not a crash
 * Thread:  one owner at a time
 */
#pragma once

#include <stddef.h>

enum { ARENA_ALIGN = 16 };

struct arena_chunk;

struct arena {
    struct arena_chunk *first;
    struct arena_chunk *current;
    char *at; /* free bytes of the current chunk */
    char *end;
    size_t total_bytes; /* handed out since the last reset */
    size_t limit_bytes;
};

void arena_init(struct arena *arena, size_t limit_bytes);
void arena_fini(struct arena *arena);

/* All that was handed out is void. */
void arena_reset(struct arena *arena);

/* arena_alloc where the current chunk has not enough left. */
void *arena_alloc_next(struct arena *arena, size_t bytes);

/* Uninitialised memory aligned to ARENA_ALIGN bytes, good until arena_reset; NULL at the limit. */
static inline void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t left = arena->limit_bytes - arena->total_bytes;
    if (bytes > left) /* before rounding up, which would wrap near SIZE_MAX */
        return NULL;
    bytes = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (bytes > left)
        return NULL;
    if (!arena->at || (size_t)(arena->end - arena->at) < bytes)
        return arena_alloc_next(arena, bytes);
    void *memory = arena->at;
    arena->at += bytes;
    arena->total_bytes += bytes;
    return memory;
}
