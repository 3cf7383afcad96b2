/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/memory.h"

#include <stdalign.h>
#include <stdint.h>

enum { CHUNK_BYTES = 256 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t bytes;
    alignas(ARENA_ALIGN) char data[];
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

static void begin(struct arena *arena, struct arena_chunk *chunk)
{
    arena->current = chunk;
    arena->at = chunk ? chunk->data : NULL;
    arena->end = chunk ? chunk->data + chunk->bytes : NULL;
}

void arena_reset(struct arena *arena)
{
    begin(arena, arena->first);
    arena->total_bytes = 0;
}

/* In the next kept chunk that is large enough, else in a new one behind the current. */
void *arena_alloc_next(struct arena *arena, size_t bytes)
{
    struct arena_chunk **link = arena->current ? &arena->current->next : &arena->first;
    if (!*link || (*link)->bytes < bytes) {
        size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        struct arena_chunk *chunk = memory_new(1, sizeof *chunk + size);
        chunk->bytes = size;
        chunk->next = *link;
        *link = chunk;
    }
    begin(arena, *link);
    void *memory = arena->at;
    arena->at += bytes;
    arena->total_bytes += bytes;
    return memory;
}
