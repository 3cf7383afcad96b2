/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/waiting.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

enum { WAITING_FIRST = 1024 };

void waiting_fini(struct waiting *waiting)
{
    memory_free(waiting->numbers);
    *waiting = (struct waiting){0};
}

/* To a ring of so many places, from its beginning. */
static void move(struct waiting *waiting, uint32_t size)
{
    uint32_t *numbers = memory_new(size, sizeof numbers[0]);
    for (uint32_t i = 0; i < waiting->count; i++)
        numbers[i] = waiting->numbers[(waiting->head + i) & waiting->mask];
    memory_free(waiting->numbers);
    waiting->numbers = numbers;
    waiting->mask = size - 1;
    waiting->head = 0;
}

void waiting_add(struct waiting *waiting, uint32_t number)
{
    if (!waiting->numbers || waiting->count > waiting->mask)
        move(waiting, waiting->numbers ? (waiting->mask + 1) * 2 : WAITING_FIRST);
    waiting->numbers[(waiting->head + waiting->count++) & waiting->mask] = number;
}

uint32_t waiting_first(const struct waiting *waiting)
{
    CHECK(waiting->count > 0);
    return waiting->numbers[waiting->head & waiting->mask];
}

void waiting_take(struct waiting *waiting)
{
    CHECK(waiting->count > 0);
    waiting->head++;
    waiting->count--;
}

void waiting_renumber(struct waiting *waiting, uint32_t (*renumber)(void *context, uint32_t number), void *context)
{
    for (uint32_t i = 0; i < waiting->count; i++) {
        uint32_t *number = &waiting->numbers[(waiting->head + i) & waiting->mask];
        *number = renumber(context, *number);
    }
}

uint32_t waiting_take_back(struct waiting *waiting)
{
    CHECK(waiting->count > 0);
    return waiting->numbers[(waiting->head + --waiting->count) & waiting->mask];
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

void waiting_sort(struct waiting *waiting)
{
    if (waiting->count < 2)
        return;
    uint32_t first = waiting->head & waiting->mask;
    if (waiting->count > waiting->mask + 1 - first) { /* it goes round the end */
        move(waiting, waiting->mask + 1);
        first = 0;
    }
    qsort(waiting->numbers + first, waiting->count, sizeof waiting->numbers[0], compare);
}
