/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/group.h"

#include <criterion/criterion.h>

static struct group *with_rejects(size_t count)
{
    struct group *group = group_new();
    for (size_t i = 0; i < count; i++) {
        struct group_reject *reject = group_add_reject(group);
        buffer_add_text(&group->reject_bytes, "keyvalue");
        reject->key_bytes = 3;
        reject->value_bytes = 5;
    }
    return group;
}

Test(group, without_rejects_is_durable_at_once)
{
    struct group *group = group_new();
    cr_assert(group_rejects_durable(group));
    group_free(group);
}

Test(group, is_durable_when_every_reject_is_acked)
{
    struct group *group = with_rejects(200);
    for (size_t i = 0; i < 200; i++) {
        cr_assert(!group_rejects_durable(group));
        cr_assert_eq(group->rejects[i].key_at, i * 8);
        group->rejects[i].acked = true;
        group->rejects_acked++;
    }
    cr_assert(group_rejects_durable(group));
    group_free(group);
}

Test(group, unsend_remembers_what_is_durable)
{
    struct group *group = with_rejects(3);
    struct frame header = {.kind = FRAME_DATA, .last = true};
    group_add_frame(group, &header, (struct bytes){(const uint8_t *)"x", 1});
    group->rejects[0].sent = group->rejects[1].sent = true;
    group->rejects[0].acked = true;
    group->rejects_sent = 2;
    group->rejects_acked = 1;
    group->frames_sent = 1;
    cr_assert(group_is_sent(group));

    group_unsend(group);

    cr_assert(!group_is_sent(group));
    cr_assert_eq(group->rejects_sent, 1);
    cr_assert(!group->rejects[1].sent);
    cr_assert_eq(group->frame_bytes[0], FRAME_HEADER_BYTES + 1);
    group_free(group);
}

Test(group, reset_empties_it)
{
    struct group *group = with_rejects(3);
    group->hi = 9;
    group_reset(group);
    cr_assert_eq(group->reject_count, 0);
    cr_assert_eq(group->hi, 0);
    cr_assert_eq(group->bytes.length, 0);
    cr_assert(group_rejects_durable(group));
    group_free(group);
}
