/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

Test(arena, request_beyond_the_limit_gets_null)
{
    struct arena arena;
    arena_init(&arena, 4096);

    cr_assert_null(arena_alloc(&arena, 4097));
    cr_assert_not_null(arena_alloc(&arena, 4096));
    cr_assert_null(arena_alloc(&arena, 1));
    cr_assert_null(arena_alloc(&arena, 1));

    arena_fini(&arena);
}

Test(arena, request_near_the_end_of_size_t_gets_null)
{
    struct arena arena;
    arena_init(&arena, 4096);

    for (size_t less = 0; less < 40; less++)
        cr_assert_null(arena_alloc(&arena, SIZE_MAX - less), "SIZE_MAX - %zu", less);

    arena_fini(&arena);
}

Test(arena, limit_that_is_no_multiple_of_the_alignment_is_kept)
{
    struct arena arena;
    arena_init(&arena, 100);

    cr_assert_not_null(arena_alloc(&arena, 90));
    cr_assert_null(arena_alloc(&arena, 16));
    cr_assert_leq(arena.total_bytes, 100);

    arena_fini(&arena);
}

Test(arena, unused_and_twice_ended_arena_is_fine)
{
    struct arena arena;
    arena_init(&arena, 4096);
    arena_reset(&arena);
    arena_fini(&arena);
    arena_fini(&arena);
}

Test(arena, pieces_are_aligned_and_do_not_overlap)
{
    enum { PIECES = 3000 };
    static unsigned char *piece[PIECES];
    struct arena arena;
    arena_init(&arena, (size_t)64 * 1024 * 1024);

    for (int i = 0; i < PIECES; i++) {
        size_t bytes = (size_t)(i * 37 % 1000 + 1);
        piece[i] = arena_alloc(&arena, bytes);
        cr_assert_not_null(piece[i]);
        cr_assert_eq((uintptr_t)piece[i] % 16, 0);
        memset(piece[i], i & 0xFF, bytes);
    }
    for (int i = 0; i < PIECES; i++) {
        for (size_t b = 0; b < (size_t)(i * 37 % 1000 + 1); b++)
            cr_assert_eq(piece[i][b], i & 0xFF);
    }

    arena_fini(&arena);
}

Test(arena, reset_makes_the_whole_limit_free_and_reuses_memory)
{
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    void *first = arena_alloc(&arena, 1000);
    while (arena_alloc(&arena, 1000)) {
    }

    arena_reset(&arena);

    cr_assert_eq(arena.total_bytes, 0);
    cr_assert_eq(arena_alloc(&arena, 1000), first);
    arena_fini(&arena);
}

Test(arena, piece_larger_than_a_kept_chunk_gets_one_of_its_own)
{
    struct arena arena;
    arena_init(&arena, (size_t)8 * 1024 * 1024);
    for (int i = 0; i < 3; i++)
        arena_alloc(&arena, 200 * 1024);
    arena_reset(&arena);

    arena_alloc(&arena, 100 * 1024);
    unsigned char *large = arena_alloc(&arena, 1024 * 1024);
    cr_assert_not_null(large);
    memset(large, 1, 1024 * 1024);
    unsigned char *after = arena_alloc(&arena, 200 * 1024);
    cr_assert_not_null(after);
    memset(after, 2, 200 * 1024);
    cr_assert_eq(large[1024 * 1024 - 1], 1);

    arena_fini(&arena);
}

Test(arena, no_bytes_of_a_fresh_arena_are_somewhere)
{
    struct arena arena;
    arena_init(&arena, 4096);

    cr_assert_not_null(arena_alloc(&arena, 0));

    arena_fini(&arena);
}
