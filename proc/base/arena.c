/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/memory.h"

#include <stdalign.h>
#include <stdint.h>

enum { CHUNK_BYTES = 256 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t bytes;
    alignas(16) unsigned char data[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

void arena_fini(struct arena *arena)
{
    for (struct arena_chunk *chunk = arena->first; chunk;) {
        struct arena_chunk *next = chunk->next;
        memory_free(chunk);
        chunk = next;
    }
    arena_init(arena, arena->limit_bytes);
}

void arena_reset(struct arena *arena)
{
    arena->current = arena->first;
    arena->used = 0;
    arena->total_bytes = 0;
}

/* The next kept chunk that is large enough, else a new one behind the current. */
static void next_chunk(struct arena *arena, size_t bytes)
{
    struct arena_chunk **link = arena->current ? &arena->current->next : &arena->first;
    if (!*link || (*link)->bytes < bytes) {
        size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        struct arena_chunk *chunk = memory_new(1, sizeof *chunk + size);
        chunk->bytes = size;
        chunk->next = *link;
        *link = chunk;
    }
    arena->current = *link;
    arena->used = 0;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t left = arena->limit_bytes - arena->total_bytes;
    if (bytes > left) /* before rounding up, which would wrap near SIZE_MAX */
        return NULL;
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes > left)
        return NULL;
    if (!arena->current || arena->current->bytes - arena->used < bytes)
        next_chunk(arena, bytes);
    void *memory = arena->current->data + arena->used;
    arena->used += bytes;
    arena->total_bytes += bytes;
    return memory;
}
