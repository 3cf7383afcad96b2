/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

static int all_zero(const unsigned char *memory, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (memory[i])
            return 0;
    }
    return 1;
}

Test(memory, product_that_overflows_aborts, .signal = SIGABRT)
{
    memory_resize(NULL, SIZE_MAX / 2, 3);
}

Test(memory, nothing_is_still_memory)
{
    void *none = memory_new(0, 8);
    void *shrunk = memory_resize(memory_new(4, 8), 0, 8);

    cr_assert_not_null(none);
    cr_assert_not_null(shrunk);

    memory_free(none);
    memory_free(shrunk);
    memory_free(NULL);
    memory_unmap(NULL, 0);
}

Test(memory, new_memory_is_zero)
{
    unsigned char *memory = memory_new(1000, 3);
    cr_assert(all_zero(memory, 3000));
    memory_free(memory);
}

Test(memory, aligned_memory_is_aligned_and_zero)
{
    unsigned char *memory = memory_new_aligned(64, 65);
    cr_assert_eq((uintptr_t)memory % 64, 0);
    cr_assert(all_zero(memory, 65));
    memory_free(memory);
}

Test(memory, resize_keeps_what_was_there)
{
    char *memory = memory_resize(NULL, 4, 1);
    memcpy(memory, "abc", 4);
    memory = memory_resize(memory, 100000, 1);
    cr_assert_str_eq(memory, "abc");
    memory_free(memory);
}

Test(memory, copied_text_is_terminated)
{
    char *copy = memory_copy_text("abcdef", 3);
    char *empty = memory_copy_text(NULL, 0);
    cr_assert_str_eq(copy, "abc");
    cr_assert_str_eq(empty, "");
    memory_free(copy);
    memory_free(empty);
}

Test(memory, small_and_large_maps_are_zero_and_large_ones_aligned)
{
    static const size_t sizes[] = {1, 2 * 1024 * 1024 - 1, 2 * 1024 * 1024, 5 * 1024 * 1024 + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *memory = memory_map(sizes[i]);
        cr_assert(all_zero(memory, sizes[i]), "%zu bytes", sizes[i]);
        if (sizes[i] >= 2 * 1024 * 1024)
            cr_assert_eq((uintptr_t)memory % (2 * 1024 * 1024), 0);
        memory_unmap(memory, sizes[i]);
    }
}

Test(memory, a_lazy_map_is_zero_and_so_is_what_was_dropped_of_it)
{
    static const size_t sizes[] = {1, 2 * 1024 * 1024 - 1, 2 * 1024 * 1024, 5 * 1024 * 1024 + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *memory = memory_map_lazy(sizes[i]);
        cr_assert(all_zero(memory, sizes[i]), "%zu bytes", sizes[i]);
        if (sizes[i] >= 2 * 1024 * 1024)
            cr_assert_eq((uintptr_t)memory % (2 * 1024 * 1024), 0);
        memory[0] = 1;
        memory[sizes[i] - 1] = 1;
        memory_unmap_lazy(memory, sizes[i]);
    }

    enum { BYTES = 4 * 1024 * 1024, FROM = 10000, DROPPED = 100000 };
    unsigned char *memory = memory_map_lazy(BYTES);
    memset(memory, 7, BYTES);
    memory_drop_pages(memory + FROM, DROPPED);
    cr_assert_eq(memory[FROM], 7, "its page holds bytes of the part before");
    cr_assert_eq(memory[FROM + DROPPED], 7);
    cr_assert_eq(memory[FROM + DROPPED / 2], 0);
    memory_unmap_lazy(memory, BYTES);
}

Test(memory, limit_and_resident_are_plausible)
{
    cr_assert_gt(memory_limit(), (size_t)16 * 1024 * 1024);
    cr_assert_gt(memory_resident(), 0);
    cr_assert_leq(memory_resident(), memory_limit());
}

Test(memory, what_was_secret_is_overwritten_and_nothing_beside_it)
{
    char text[] = "[secret]";

    memory_wipe(text + 1, 6);

    cr_assert_arr_eq(text, "[\0\0\0\0\0\0]", sizeof text);
}

#ifndef __SANITIZE_ADDRESS__ /* that has a heap of its own */
Test(memory, trimmed_memory_is_not_resident_any_more)
{
    enum { BLOCKS = 1000, BLOCK = 64 * 1024 };
    static void *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = memory_new(1, BLOCK);
        memset(blocks[i], 1, BLOCK);
    }
    struct memory_heap full = memory_heap_now();
    for (int i = 0; i < BLOCKS; i += 2) /* those between them stay, so that no heap can shrink */
        memory_free(blocks[i]);
    size_t before = memory_resident();
    struct memory_heap freed = memory_heap_now();
    memory_trim();
    size_t after = memory_resident();

    cr_assert_gt(full.used_bytes, (size_t)BLOCKS * BLOCK);
    cr_assert_lt(freed.used_bytes, full.used_bytes - (size_t)BLOCKS / 2 * BLOCK + BLOCK);
    cr_assert_gt(freed.free_bytes, (size_t)BLOCKS / 2 * BLOCK - BLOCK);
    cr_assert_lt(after + (size_t)BLOCKS / 4 * BLOCK, before, "%zu before, %zu after", before, after);
    for (int i = 1; i < BLOCKS; i += 2)
        memory_free(blocks[i]);
}
#endif
