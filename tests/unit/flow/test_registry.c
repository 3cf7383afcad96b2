/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/gate.h"
#include "flow/registry.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct hash_key secret = {{1, 2}};

static uint64_t as_of(uint64_t term, uint64_t counter)
{
    return term << GATE_TERM_SHIFT | counter;
}

Test(registry, nothing_is_kept_of_a_new_key)
{
    struct registry *registry = registry_new(&secret);
    struct text key;
    struct bytes value;

    uint32_t index = registry_put(registry, TEXT("flow|DAY|20250101|20250101|flow=M"));

    const struct registry_entry *entry = registry_at(registry, index);
    cr_assert_eq(entry->cell, REGISTRY_NO_CELL);
    cr_assert_eq(registry_content(entry, 1), 0);
    cr_assert(!registry_kept(entry, &key, &value));
    registry_drop(registry, index);
    registry_free(registry);
}

Test(registry, a_write_counts_only_in_its_own_term_and_until_something_newer_is_read)
{
    struct registry_entry entry = {
        .read_as_of = as_of(3, 4), .read_content = 30, .written_as_of = as_of(5, 1), .written_content = 50};

    cr_assert_eq(registry_content(&entry, 5), 50);
    cr_assert_eq(registry_content(&entry, 6), 30);
    cr_assert_eq(registry_content(&entry, 0), 30);
    entry.read_as_of = as_of(5, 1);
    entry.read_content = 51;
    cr_assert_eq(registry_content(&entry, 5), 51);
}

Test(registry, one_key_has_one_entry_and_many_keys_stay_apart)
{
    enum { MANY = 5000 };
    struct registry *registry = registry_new(&secret);
    char text[32];
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < MANY; i++) {
            int length = snprintf(text, sizeof text, "view|MONTH|%u", i);
            cr_assert_eq(registry_put(registry, (struct text){text, (uint32_t)length}), i);
            registry_at(registry, i)->cell = i;
        }
    }
    cr_assert_eq(registry_count(registry), MANY);
    cr_assert_eq(registry_at(registry, MANY - 1)->cell, MANY - 1);
    registry_free(registry);
}

Test(registry, the_record_kept_last_comes_back_with_its_key)
{
    struct registry *registry = registry_new(&secret);
    struct text key = TEXT("a|DAY");
    uint32_t index = registry_put(registry, key);
    struct text kept_key;
    struct bytes kept;
    size_t before = registry_bytes(registry);

    registry_keep(registry, index, key, (struct bytes){(const uint8_t *)"first", 5});
    registry_keep(registry, index, key, (struct bytes){(const uint8_t *)"two", 3});

    cr_assert(registry_kept(registry_at(registry, index), &kept_key, &kept));
    cr_assert(text_equal(key, kept_key));
    cr_assert(kept.length == 3 && memcmp(kept.data, "two", 3) == 0);
    registry_drop(registry, index);
    cr_assert_eq(registry_bytes(registry), before);
    registry_free(registry);
}

Test(registry, forgetting_keeps_the_cells_and_nothing_else)
{
    struct registry *registry = registry_new(&secret);
    uint32_t index = registry_put(registry, TEXT("a"));
    *registry_at(registry, index) =
        (struct registry_entry){.read_as_of = 9, .read_content = 9, .late = true, .queued = true, .cell = 4};

    registry_forget(registry);

    const struct registry_entry *entry = registry_at(registry, index);
    cr_assert(entry->cell == 4 && entry->read_as_of == 0 && entry->read_content == 0 && !entry->late && !entry->queued);
    registry_free(registry);
}
