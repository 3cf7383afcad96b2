/* SPDX-License-Identifier: Apache-2.0
 * waiting.h - numbers that wait for their turn, oldest first. Who adds one knows whether it waits already.
 *
 * Memory:  owns a ring that doubles when it is full; never shrinks
 * Thread:  one owner
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct waiting {
    uint32_t *numbers;
    uint32_t mask;
    uint32_t head;
    uint32_t count;
};

/* Takes a zeroed one. */
void waiting_fini(struct waiting *waiting);

void waiting_add(struct waiting *waiting, uint32_t number);

/* count > 0. */
uint32_t waiting_first(const struct waiting *waiting);
void waiting_take(struct waiting *waiting);

/* Gives each number its new one, in the same order. */
void waiting_renumber(struct waiting *waiting, uint32_t (*renumber)(void *context, uint32_t number), void *context);

/* Takes back what was added last, and returns it. */
uint32_t waiting_take_back(struct waiting *waiting);

/* All that waits now has its turn in ascending order, before what is added later. */
void waiting_sort(struct waiting *waiting);
