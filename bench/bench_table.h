/* SPDX-License-Identifier: Apache-2.0
 * bench_table.h - a map of 32-byte keys to three sums, as bench_table.c drives it: ours and the installed rivals.
 *
 * Thread:  new, fill and free by one thread; update by one thread per map, or by several if `shared` is set
 */
#pragma once

#include "base/hash.h"
#include "base/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rival {
    const char *name;
    bool shared;                                                    /* all threads update one map, else each its own */
    void *(*new)(size_t keys);                                      /* empty, with room for so many */
    void (*fill)(void *map, size_t keys);                           /* inserts key 0 .. keys - 1 */
    void (*update)(void *map, const uint32_t *picks, size_t count); /* adds to the three sums of each picked key */
    void (*free)(void *map);
    void (*thread_begin)(void); /* NULL: nothing to do */
    void (*thread_end)(void);
};

/* The key is made from its number, so that reading the input costs no cache miss of its own. */
static inline struct table_key bench_table_key(uint64_t number)
{
    return (struct table_key){{number * 0x9E3779B97F4A7C15ULL, number, 7, 0}};
}

/* NULL where the library was not found at build time. */
extern const struct rival *const bench_table_rivals[];
