/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, madvise, mallinfo2, malloc_trim */
#include "base/memory.h"

#include "base/check.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_PAGE = 2 * 1024 * 1024, CACHE_LINE = 64 };

void *memory_new(size_t count, size_t bytes)
{
    void *memory = calloc(count ? count : 1, bytes ? bytes : 1);
    CHECK_SAY(memory, "out of memory for %zu x %zu bytes", count, bytes);
    return memory;
}

void memory_wipe(void *memory, size_t bytes)
{
    explicit_bzero(memory, bytes);
}

void *memory_new_aligned(size_t alignment, size_t bytes)
{
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, rounded);
    CHECK_SAY(memory, "out of memory for %zu bytes", bytes);
    memset(memory, 0, rounded);
    return memory;
}

void *memory_resize(void *memory, size_t count, size_t bytes)
{
    size_t total;
    CHECK_SAY(!__builtin_mul_overflow(count, bytes, &total), "%zu x %zu bytes", count, bytes);
    void *grown = realloc(memory, total ? total : 1);
    CHECK_SAY(grown, "out of memory for %zu bytes", total);
    return grown;
}

char *memory_copy_text(const char *text, size_t length)
{
    char *copy = memory_new(length + 1, 1);
    if (length)
        memcpy(copy, text, length);
    return copy;
}

void memory_free(void *memory)
{
    free(memory);
}

/* madvise works on whole pages only, so small maps stay with the ordinary page size. */
void *memory_map(size_t bytes)
{
    if (bytes < HUGE_PAGE)
        return memory_new_aligned(CACHE_LINE, bytes);
    void *memory = aligned_alloc(HUGE_PAGE, (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
    CHECK_SAY(memory, "out of memory for %zu bytes", bytes);
    madvise(memory, bytes, MADV_HUGEPAGE);
    memset(memory, 0, bytes);
    return memory;
}

void memory_unmap(void *memory, size_t bytes)
{
    (void)bytes;
    free(memory);
}

/* Mapped with room for its alignment, the rest of which goes back at once. */
void *memory_map_lazy(size_t bytes)
{
    if (bytes < HUGE_PAGE)
        return memory_new_aligned(CACHE_LINE, bytes);
    size_t rounded = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    uint8_t *mapped = mmap(NULL, rounded + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_SAY(mapped != MAP_FAILED, "out of memory for %zu bytes", bytes);
    size_t before = HUGE_PAGE - (uintptr_t)mapped % HUGE_PAGE;
    uint8_t *memory = mapped + before;
    munmap(mapped, before);
    if (before < HUGE_PAGE)
        munmap(memory + rounded, HUGE_PAGE - before);
    madvise(memory, rounded, MADV_HUGEPAGE);
    return memory;
}

void memory_unmap_lazy(void *memory, size_t bytes)
{
    if (bytes < HUGE_PAGE)
        free(memory);
    else
        munmap(memory, (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
}

void memory_drop_pages(void *memory, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)memory + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)memory + bytes) / page * page;
    if (end > begin)
        madvise((void *)begin, end - begin, MADV_DONTNEED);
}

static size_t read_number(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    unsigned long long value = 0;
    int got = fscanf(file, "%llu", &value);
    fclose(file);
    return got == 1 ? (size_t)value : 0;
}

size_t memory_limit(void)
{
    size_t machine = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    size_t group = read_number("/sys/fs/cgroup/memory.max");
    if (!group)
        group = read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    return group && group < machine ? group : machine;
}

size_t memory_resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file)
        return 0;
    unsigned long long total = 0;
    unsigned long long resident = 0;
    int got = fscanf(file, "%llu %llu", &total, &resident);
    fclose(file);
    return got == 2 ? (size_t)resident * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

struct memory_heap memory_heap_now(void)
{
    struct mallinfo2 info = mallinfo2();
    return (struct memory_heap){.used_bytes = info.uordblks + info.hblkhd, .free_bytes = info.fordblks};
}

void memory_trim(void)
{
    malloc_trim(0);
}
