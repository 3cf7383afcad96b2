/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/outbox.h"
#include "sim/world.h"

#include <criterion/criterion.h>

static struct world *world;
static struct process *process;
static struct outbox outbox;
static struct outbox_lane lane;
static struct counter frames[FRAME_MARK + 1];
static struct counter journal_bytes;
static struct hist journal_ack;
static struct err_info info;

static void setup(void)
{
    world = world_new(1, 1);
    process = process_new(world, 1);
    outbox = (struct outbox){0};
    lane = (struct outbox_lane){
        .port = process_port(process),
        .nonce = {{1, 2}},
        .frames = frames,
        .journal_bytes = &journal_bytes,
        .journal_ack = &journal_ack,
    };
}

static void teardown(void)
{
    outbox_fini(&outbox);
    process_kill(process);
    world_free(world);
}

TestSuite(outbox, .init = setup, .fini = teardown);

static void add_group(size_t rejects, int frame_count)
{
    struct group *group = outbox_new_group(&outbox);
    group->kind = FRAME_DATA;
    for (size_t i = 0; i < rejects; i++) {
        struct group_reject *reject = group_add_reject(group);
        buffer_add_text(&group->reject_bytes, "keyvaluev");
        reject->key_bytes = 3;
        reject->value_bytes = 5;
        reject->shrunk_at = reject->key_at + 8;
        reject->shrunk_bytes = 1;
    }
    for (int i = 0; i < frame_count; i++) {
        struct frame header = {.kind = FRAME_DATA, .last = i + 1 == frame_count};
        group_add_frame(group, &header, (struct bytes){(const uint8_t *)"x", 1});
    }
    outbox_add(&outbox, group);
}

static bool pump(void)
{
    bool did = false;
    cr_assert_eq(outbox_pump(&outbox, &lane, 1000, &did, &info), OK);
    return did;
}

static enum err ack_all(void)
{
    struct port_ack ack;
    enum err err = OK;
    while (lane.port->acks(lane.port->self, 0, &ack, 1) && err == OK)
        err = outbox_ack(&outbox, &lane, &ack, 1007, &info);
    return err;
}

Test(outbox, frames_wait_for_the_rejects_of_their_group)
{
    add_group(2, 1);

    cr_assert(pump());
    cr_assert_eq(process_queued(process, 0), 2, "rejects only");
    process_deliver(process, 0);
    ack_all();
    cr_assert(!pump());
    cr_assert_eq(process_queued(process, 0), 1, "one reject is not durable");
    process_deliver(process, 0);
    ack_all();
    cr_assert(pump());
    cr_assert_eq(process_queued(process, 0), 1);
    process_deliver(process, 0);
    cr_assert_eq(world_next(world, PORT_REJECTS, 0), 2);
    cr_assert_eq(world_next(world, PORT_JOURNAL, 0), 1);
}

Test(outbox, groups_keep_their_order_though_a_later_one_has_no_rejects)
{
    add_group(1, 1);
    add_group(0, 1);

    pump();

    cr_assert_eq(process_queued(process, 0), 1, "the second group waits for the first");
}

Test(outbox, a_full_queue_goes_on_where_it_stopped)
{
    add_group(0, 3);
    process_refuse(process, 0, ERR_FULL);
    bool did = false;
    cr_assert_eq(outbox_pump(&outbox, &lane, 1000, &did, &info), ERR_FULL);
    process_refuse(process, 0, OK);

    pump();

    cr_assert_eq(process_queued(process, 0), 3);
    cr_assert_eq(lane.seq, 3);
}

Test(outbox, an_echo_of_the_last_frame_names_the_oldest_group)
{
    add_group(0, 2);
    add_group(0, 1);
    pump();
    struct frame_nonce other = {{9, 9}};

    cr_assert_null(outbox_echoed(&outbox, &lane.nonce, 1), "not its last frame");
    cr_assert_null(outbox_echoed(&outbox, &other, 2), "another epoch");
    cr_assert_null(outbox_echoed(&outbox, &lane.nonce, 3), "not the oldest group");
    cr_assert_eq(outbox_echoed(&outbox, &lane.nonce, 2), outbox.groups[0]);
    outbox_retire(&outbox);
    cr_assert_eq(outbox_echoed(&outbox, &lane.nonce, 3), outbox.groups[0]);
}

Test(outbox, unsend_sends_all_again_under_the_next_epoch_but_not_durable_rejects)
{
    add_group(1, 1);
    pump();
    process_deliver(process, 0);
    ack_all();
    pump();
    lane.port->lane_reset(lane.port->self, 0);
    lane.nonce.word[0] = 5;
    lane.seq = 0;

    outbox_unsend(&outbox);
    pump();

    cr_assert_eq(process_queued(process, 0), 1);
    process_deliver(process, 0);
    struct frame frame;
    cr_assert_eq(frame_parse(world_at(world, PORT_JOURNAL, 0, 0)->value, &frame, &info), OK);
    cr_assert_eq(frame.nonce.word[0], 5);
    cr_assert_eq(frame.seq, 1);
    cr_assert_eq(world_next(world, PORT_REJECTS, 0), 1, "once");
}

Test(outbox, a_reject_that_is_too_large_shrinks_once_and_is_then_an_error)
{
    add_group(1, 1);
    pump();
    process_misfortune(process, 0, FATE_TOO_LARGE);
    cr_assert_eq(ack_all(), OK);
    pump();
    process_misfortune(process, 0, FATE_TOO_LARGE);

    cr_assert_eq(ack_all(), ERR_CONFIG);
    cr_assert(strstr(info.text, "max.message.bytes"), "%s", info.text);
}

Test(outbox, a_frame_that_is_too_large_is_an_error)
{
    add_group(0, 1);
    pump();
    process_misfortune(process, 0, FATE_TOO_LARGE);

    cr_assert_eq(ack_all(), ERR_CONFIG);
}

Test(outbox, acks_of_groups_that_are_gone_are_ignored)
{
    add_group(0, 1);
    pump();
    outbox_clear(&outbox);
    process_deliver(process, 0);

    cr_assert_eq(ack_all(), OK);
    cr_assert_eq(outbox_acked_ms(&outbox), 0);
}

Test(outbox, the_ack_of_the_last_frame_gives_the_time)
{
    add_group(0, 2);
    pump();
    process_deliver(process, 0);
    ack_all();
    cr_assert_eq(outbox_acked_ms(&outbox), 0);
    process_deliver(process, 0);
    ack_all();
    cr_assert_eq(outbox_acked_ms(&outbox), 1007);
}

Test(outbox, has_room_for_eight_groups)
{
    for (int i = 0; i < GROUPS_MOST; i++) {
        cr_assert(outbox_has_room(&outbox));
        add_group(0, 1);
    }
    cr_assert(!outbox_has_room(&outbox));
}

Test(outbox, tokens_of_partitions_groups_and_places_differ)
{
    uint64_t a = outbox_token(1, 2, false, 3);
    cr_assert_neq(a, outbox_token(2, 2, false, 3));
    cr_assert_neq(a, outbox_token(1, 3, false, 3));
    cr_assert_neq(a, outbox_token(1, 2, true, 3));
    cr_assert_neq(a, outbox_token(1, 2, false, 4));
    cr_assert_eq(outbox_token(65535, 0xFFFFFF, true, OUTBOX_OPEN_INDEX) >> 48, 65535);
}
