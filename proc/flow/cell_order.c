/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cell_order.h"

#include "base/memory.h"

#include <string.h>

void cell_order_fini(struct cell_order *order)
{
    memory_free(order->places);
    memory_free(order->views);
    *order = (struct cell_order){0};
}

void cell_order_begin(struct cell_order *order, uint32_t most)
{
    if (most > order->capacity) {
        order->capacity = most > order->capacity * 2 ? most : order->capacity * 2;
        order->places = memory_resize(order->places, order->capacity, sizeof order->places[0]);
        order->views = memory_resize(order->views, order->capacity, sizeof order->views[0]);
    }
    memset(order->begins, 0, sizeof order->begins);
    order->count = 0;
}

void cell_order_finish(struct cell_order *order)
{
    for (int view = 0; view < VIEWS_MOST; view++)
        order->begins[view + 1] += order->begins[view];
    uint32_t next[VIEWS_MOST];
    memcpy(next, order->begins, sizeof next);
    for (uint32_t i = 0; i < order->count; i++)
        order->places[next[order->views[i]]++] = i;
}
