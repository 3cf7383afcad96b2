/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/waiting.h"

#include "base/check.h"
#include "base/memory.h"

enum { WAITING_FIRST = 1024 };

void waiting_fini(struct waiting *waiting)
{
    memory_free(waiting->numbers);
    *waiting = (struct waiting){0};
}

static void grow(struct waiting *waiting)
{
    uint32_t size = waiting->numbers ? (waiting->mask + 1) * 2 : WAITING_FIRST;
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
        grow(waiting);
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

uint32_t waiting_take_back(struct waiting *waiting)
{
    CHECK(waiting->count > 0);
    return waiting->numbers[(waiting->head + --waiting->count) & waiting->mask];
}
