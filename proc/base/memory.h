/* SPDX-License-Identifier: Apache-2.0
 * memory.h - heap memory for the few places that own some. The only room that calls malloc is base/.
 *
 * Errors:  running out of memory ends the process: it is crash-only, and the journal holds all that was promised
 * Thread:  any
 */
#pragma once

#include <stddef.h>

/* Zeroed memory; never NULL. The caller owns it and gives it back with memory_free. */
void *memory_new(size_t count, size_t bytes);

/* As memory_new for one object with an alignment of its own (a cache line). */
void *memory_new_aligned(size_t alignment, size_t bytes);

/* Grows or shrinks; new bytes are not zeroed; never NULL. memory may be NULL. */
void *memory_resize(void *memory, size_t count, size_t bytes);

/* A zero-terminated copy of `length` bytes. */
char *memory_copy_text(const char *text, size_t length);

/* Takes NULL. */
void memory_free(void *memory);

/* Overwrites what was secret; the compiler does not leave it out. */
void memory_wipe(void *memory, size_t bytes);

/* Large zeroed memory, aligned to 2 MiB and advised to use huge pages; give it back with the same size. */
void *memory_map(size_t bytes);
void memory_unmap(void *memory, size_t bytes);

/* The same whose pages come when they are touched: a part that is never used costs nothing. Give it back with memory_unmap_lazy. */
void *memory_map_lazy(size_t bytes);
void memory_unmap_lazy(void *memory, size_t bytes);

/* Gives back the pages that lie wholly within a part of it; they are zero if they are touched again. */
void memory_drop_pages(void *memory, size_t bytes);

/* The memory limit of this process in bytes: the cgroup's, else the machine's. */
size_t memory_limit(void);

/* Resident bytes of this process now; 0 if the system does not say. */
size_t memory_resident(void);

/* What the allocator behind memory_new holds; all threads and libraries of the process take from it. */
struct memory_heap {
    size_t used_bytes; /* given out */
    /* Given back and kept for whoever asks next, those of pages that memory_trim gave to the system, too. */
    size_t free_bytes;
};

/* Takes each heap's lock for a look at its free blocks: well below a millisecond, but not for a hot path. */
struct memory_heap memory_heap_now(void);

/* Gives the whole pages of free blocks back to the system; they are zero when they are used again. */
void memory_trim(void);
