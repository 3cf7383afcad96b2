/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slab.h"

#include "base/check.h"
#include "base/memory.h"

enum { SHARE = 32, PAGE = 4096 };

void slab_fini(struct slab *slab)
{
    for (uint32_t i = 0; i < slab->count; i++)
        memory_free(slab->chunks[i]);
    memory_free(slab->chunks);
    *slab = (struct slab){0};
}

static void add_chunk(struct slab *slab, size_t least)
{
    CHECK_SAY(slab->count < SLAB_CHUNKS_MOST, "a slab is at its limit of %d chunks", SLAB_CHUNKS_MOST);
    size_t bytes = slab->bytes / SHARE / PAGE * PAGE;
    bytes = bytes < SLAB_CHUNK_LEAST ? SLAB_CHUNK_LEAST : bytes > SLAB_CHUNK_MOST ? SLAB_CHUNK_MOST : bytes;
    bytes = bytes < least ? least : bytes;
    slab->chunks = memory_resize(slab->chunks, slab->count + 1, sizeof slab->chunks[0]);
    slab->chunks[slab->count++] = memory_resize(NULL, bytes, 1);
    slab->used = slab->count == 1; /* reference 0 names nothing */
    slab->room = (uint32_t)(bytes < SLAB_CHUNK_MOST ? bytes : SLAB_CHUNK_MOST);
    slab->bytes += bytes;
}

uint8_t *slab_add(struct slab *slab, size_t bytes, uint32_t *out_reference)
{
    if (slab->used + bytes > slab->room)
        add_chunk(slab, bytes + 1);
    uint32_t at = slab->used;
    *out_reference = (slab->count - 1) << SLAB_CHUNK_BITS | at;
    slab->used = at + bytes < slab->room ? at + (uint32_t)bytes : slab->room;
    return slab->chunks[slab->count - 1] + at;
}

size_t slab_bytes(const struct slab *slab)
{
    return slab->bytes + slab->count * sizeof slab->chunks[0];
}
