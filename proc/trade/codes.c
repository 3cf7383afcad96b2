/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/codes.h"

#include "base/check.h"
#include "base/memory.h"

enum { SLOTS_FIRST = 16 };

void codes_fini(struct codes *codes)
{
    memory_free(codes->keys);
    memory_free(codes->values);
    *codes = (struct codes){0};
}

static void place(struct codes *codes, uint64_t key, uint32_t value)
{
    uint32_t i = codes_slot(key) & codes->mask;
    while (codes->keys[i])
        i = (i + 1) & codes->mask;
    codes->keys[i] = key;
    codes->values[i] = value;
    codes->count++;
}

/* At most half full, so that a probe for a code that is not there ends soon. */
static void grow(struct codes *codes)
{
    struct codes old = *codes;
    uint32_t slots = old.keys ? (old.mask + 1) * 2 : SLOTS_FIRST;
    *codes = (struct codes){.keys = memory_new(slots, sizeof *codes->keys),
                            .values = memory_new(slots, sizeof *codes->values),
                            .mask = slots - 1};
    for (uint32_t i = 0; old.keys && i <= old.mask; i++) {
        if (old.keys[i])
            place(codes, old.keys[i], old.values[i]);
    }
    codes_fini(&old);
}

bool codes_put(struct codes *codes, uint64_t key, uint32_t value, uint32_t *out_value)
{
    CHECK(key != 0);
    CHECK(codes->count < CODES_MOST);
    if (codes_find(codes, key, out_value))
        return false;
    if (!codes->keys || codes->count >= (codes->mask + 1) / 2)
        grow(codes);
    place(codes, key, value);
    *out_value = value;
    return true;
}
