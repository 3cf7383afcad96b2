/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/floor.h"

#include "desk_fixture.h"
#include "trade/calendar.h"

static struct desk desk;
static struct counter share;

static void setup(void)
{
    desk_init(&desk);
    desk.context.horizon_months = 2;
    desk.context.final_months = 1;
    counter_set(&share, 0);
    desk.context.ledger_share = &share;
}

static void teardown(void)
{
    desk_fini(&desk);
}

TestSuite(floor, .init = setup, .fini = teardown);

static int32_t month_of(uint32_t yyyymm)
{
    return calendar_month_of_day(calendar_day(yyyymm * 100 + 1));
}

/* Version of an id of a reference month, accepted on the 10th of another. */
static void put_version(const char *id, uint32_t version, uint32_t reference, uint32_t accepted)
{
    struct sample sample;
    sample_init(&sample, id);
    if (version > 1)
        sample_replace(&sample, version);
    sample.declaration.reference_date = reference * 100 + 10;
    sample.declaration.accepted_at_ms = (int64_t)calendar_day(accepted * 100 + 10) * 86400000;
    sample.declaration.submitted_at_ms = sample.declaration.accepted_at_ms;
    desk_put(&desk, &sample);
}

static void put(const char *id, uint32_t reference, uint32_t accepted)
{
    put_version(id, 1, reference, accepted);
}

static int64_t counted(void)
{
    return desk.partition.state.verdicts[VERDICT_COUNTED];
}

static int64_t expired(void)
{
    return desk_counts(&desk)->rejects[901];
}

static struct ledger_sums sums(void)
{
    return ledger_sums(desk.partition.state.ledger);
}

Test(floor, a_horizon_in_months_keeps_what_lies_within_its_days)
{
    static const int64_t horizons[] = {1, 28, 29, 30, 31, 59, 60, 89, 90, 180, 365, 366, 1096, 1200, 3653};
    for (size_t i = 0; i < sizeof horizons / sizeof horizons[0]; i++) {
        int32_t months = floor_horizon_months(horizons[i]);
        for (int32_t day = calendar_day(20230101); day < calendar_day(20290301); day++) {
            int32_t floor = calendar_month_of_day(day) - months;
            cr_assert_leq(floor, calendar_month_of_day(day - (int32_t)horizons[i]), "%lld days before day %d",
                          (long long)horizons[i], day);
            cr_assert_geq(floor, calendar_month_of_day(day - (int32_t)horizons[i]) - 2, "%lld days before day %d",
                          (long long)horizons[i], day);
        }
    }
    cr_assert_eq(floor_horizon_months(0), 0);
    cr_assert_eq(floor_horizon_months(1200), 40);
}

Test(floor, follows_the_events_record_by_record_and_never_falls)
{
    put("A", 202503, 202503);
    cr_assert_eq(ledger_floor(desk.partition.state.ledger), month_of(202501));
    put("B", 202505, 202505);
    cr_assert_eq(ledger_floor(desk.partition.state.ledger), month_of(202503));
    put("C", 202504, 202504);
    cr_assert_eq(ledger_floor(desk.partition.state.ledger), month_of(202503));
    cr_assert_eq(desk.partition.state.journalled_floor, month_of(202503));
}

Test(floor, LED_901_a_version_of_what_lies_above_the_floor_counts)
{
    put("A", 202503, 202503);
    put("B", 202505, 202505); /* the floor is March now */
    put_version("A", 2, 202503, 202505);

    cr_assert_eq(counted(), 3);
    cr_assert_eq(expired(), 0);
}

Test(floor, LED_901_every_version_of_what_has_expired_is_rejected)
{
    put("A", 202503, 202503);
    struct tally_control before = tally_control(desk.partition.state.tally);
    put("B", 202506, 202506); /* the floor is April now */
    put_version("A", 2, 202506, 202506);
    put("A", 202503, 202503); /* as it was: it can't be told from a conflict any more */

    cr_assert_eq(counted(), 2);
    cr_assert_eq(expired(), 2);
    cr_assert_eq(sums().entries, 1);
    cr_assert_eq(sums().prints, 1);
    struct tally_control after = tally_control(desk.partition.state.tally);
    cr_assert(after.value_minor == 2 * before.value_minor, "nothing is taken back");
}

Test(floor, LED_901_the_answer_is_the_same_when_the_record_has_left_memory)
{
    char id[16];
    for (int i = 0; i < 5000; i++) { /* enough in each segment to be worth while */
        snprintf(id, sizeof id, "A%d", i);
        put(id, 202503, 202503);
    }
    size_t bytes = ledger_bytes(desk.partition.state.ledger);
    put("B", 202506, 202506);
    struct ledger_sums before = sums();
    int tidied = 0;
    while (ledger_tidy(desk.partition.state.ledger))
        tidied++;

    struct ledger_sums after = sums();
    cr_assert_eq(tidied, LEDGER_SEGMENTS);
    cr_assert_lt(ledger_bytes(desk.partition.state.ledger), bytes / 2);
    cr_assert(ledger_sums_equal(&before, &after));
    for (int i = 0; i < 5000; i += 7) {
        snprintf(id, sizeof id, "A%d", i);
        put_version(id, 2, 202506, 202506);
    }
    cr_assert_eq(counted(), 5001);
    cr_assert_eq(expired(), (5000 + 6) / 7);
}

Test(floor, LED_901_an_unknown_id_counts_however_old_it_is_and_has_expired_at_once)
{
    put("B", 202506, 202506);
    put("A", 202503, 202506);
    cr_assert_eq(counted(), 2);
    cr_assert_eq(sums().prints, 1);

    put_version("A", 2, 202506, 202506);
    cr_assert_eq(expired(), 1);
}

Test(floor, a_cancel_has_the_month_of_what_it_cancels_or_else_of_its_acceptance)
{
    struct sample sample;
    put("A", 202505, 202505);
    sample_init(&sample, "A");
    sample_cancel(&sample, 1);
    sample.declaration.accepted_at_ms = (int64_t)calendar_day(20250610) * 86400000;
    desk_put(&desk, &sample);
    sample_init(&sample, "UNKNOWN");
    sample_cancel(&sample, 1);
    sample.declaration.accepted_at_ms = (int64_t)calendar_day(20250610) * 86400000;
    desk_put(&desk, &sample);

    cr_assert_eq(sums().entries, 2);
    cr_assert_eq(sums().prints, 0);
    cr_assert_eq(ledger_month_count(desk.partition.state.ledger, month_of(202505)), 1);
    cr_assert_eq(ledger_month_count(desk.partition.state.ledger, month_of(202506)), 1);
}

Test(floor, without_a_horizon_nothing_expires)
{
    desk.context.horizon_months = 0;
    put("A", 202301, 202503);
    put("B", 202506, 202506);
    put_version("A", 2, 202301, 202506);
    cr_assert_eq(counted(), 3);
    cr_assert_eq(ledger_floor(desk.partition.state.ledger), 0);
}

/* ---- want of memory ---- */

static void press(int64_t now_ms)
{
    counter_set(&share, 1);
    for (int i = 0; i < 50 && desk.partition.phase == PARTITION_RUNNING; i++)
        floor_step(&desk.partition, now_ms + i * 10);
}

/* Without a horizon: what may be given up are the months that are FINAL, one month after they ended. */
static void fill_months(void)
{
    desk.context.horizon_months = 0;
    desk.partition.phase = PARTITION_RUNNING;
    put("A", 202502, 202502);
    put("B", 202503, 202503);
    put("C", 202506, 202506);
}

Test(floor, want_of_memory_raises_it_by_months_and_says_so_in_a_group)
{
    fill_months();
    press(START_NOW_MS);

    struct outbox *outbox = &desk.partition.outbox;
    cr_assert_eq(ledger_floor(desk.partition.state.ledger), month_of(202503), "as little as helps");
    cr_assert_eq(outbox->count, 2, "what was counted, and the mark");
    cr_assert_eq(outbox->groups[0]->kind, FRAME_DATA);
    const struct group *mark = outbox->groups[1];
    cr_assert_eq(mark->kind, FRAME_MARK);
    cr_assert_eq(mark->lo, mark->hi);
    cr_assert_eq(counter_read(&desk.status.floor_raised), 1);
    put_version("A", 2, 202506, 202506);
    cr_assert_eq(expired(), 1);

    press(START_NOW_MS + 5000);
    cr_assert_eq(ledger_floor(desk.partition.state.ledger), month_of(202504));
}

Test(floor, what_is_not_FINAL_is_never_given_up_and_the_partition_says_why_it_stops)
{
    fill_months();
    put("D", 202505, 202506);
    for (int i = 0; i < 5; i++)
        press(START_NOW_MS + i * 5000);
    cr_assert_eq(ledger_floor(desk.partition.state.ledger), month_of(202504), "April and May are empty or not FINAL");
    cr_assert_eq(sums().entries, 2);
    cr_assert_eq(desk.partition.phase, PARTITION_RUNNING, "what it has sealed is not echoed yet");

    outbox_clear(&desk.partition.outbox);
    press(START_NOW_MS + 60000);
    cr_assert_eq(desk.partition.phase, PARTITION_HALTED);
    cr_assert_eq(counter_read(&desk.status.guard), GUARD_LIMIT);
    cr_assert(strstr(desk.status.reason, "ledger.max.bytes"), "%s", desk.status.reason);
}

Test(floor, nothing_is_given_up_while_there_is_room)
{
    fill_months();
    counter_set(&share, INT64_MAX);
    for (int i = 0; i < 100; i++)
        cr_assert_not(floor_step(&desk.partition, START_NOW_MS + i * 1000));
    cr_assert_eq(ledger_floor(desk.partition.state.ledger), 0);
}

/* ---- what is written down ---- */

static void fold_group(struct state *state, const struct group *group)
{
    static struct frame frames[FRAMES_A_GROUP_MOST];
    static const struct frame_nonce nonce;
    struct err_info info;
    size_t at = 0;
    for (uint32_t i = 0; i < group->frame_count; i++) {
        struct bytes bytes = {group->bytes.data + at, group->frame_bytes[i]};
        frame_seal(group->bytes.data + at, bytes.length, &nonce, i + 1);
        cr_assert_eq(frame_parse(bytes, &frames[i], &info), OK, "%s", info.text);
        at += bytes.length;
    }
    cr_assert_eq(state_fold(state, frames, group->frame_count, &info), OK, "%s", info.text);
}

Test(floor, a_reader_of_groups_and_one_of_slices_have_the_same_floor_and_fingerprints)
{
    fill_months();
    press(START_NOW_MS);
    put("E", 202506, 202506);
    struct group *last = seal_data(&desk.partition);
    struct state groups;
    struct state slices;
    state_init(&groups, &desk.f.plan, 77);
    state_init(&slices, &desk.f.plan, 78);
    for (uint32_t i = 0; i < desk.partition.outbox.count; i++)
        fold_group(&groups, desk.partition.outbox.groups[i]);
    fold_group(&groups, last);

    struct slice_window window = {.count = 0};
    struct snapshot_source source = {
        .plan = 4711, .state = &desk.partition.state, .window = &window, .rejects_days = 30};
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        struct group *group = outbox_new_group(&desk.partition.outbox);
        cr_assert(snapshot_slice(group, &source, slice));
        fold_group(&slices, group); /* loads */
        fold_group(&groups, group); /* compares */
        group_free(group);
    }

    struct control here = state_control(&desk.partition.state);
    struct control a = state_control(&groups);
    struct control b = state_control(&slices);
    cr_assert_eq(here.floor, month_of(202503));
    cr_assert_eq(here.ledger.prints, 1);
    cr_assert_eq(a.floor, here.floor);
    cr_assert_eq(b.floor, here.floor);
    cr_assert(ledger_sums_equal(&a.ledger, &here.ledger));
    cr_assert(ledger_sums_equal(&b.ledger, &here.ledger));
    struct ledger_key key = ledger_key_of(TEXT("A"), &slices.id_key);
    struct ledger_probe probe;
    struct bytes stored;
    ledger_look(slices.ledger, &key, &probe);
    cr_assert_eq(ledger_judge(slices.ledger, &probe, 2, false, 1, &stored), LEDGER_EXPIRED);
    group_free(last);
    state_fini(&groups);
    state_fini(&slices);
}

Test(floor, a_journal_whose_floor_falls_is_broken)
{
    fill_months();
    struct group *before = seal_data(&desk.partition);
    press(START_NOW_MS);
    struct state state;
    state_init(&state, &desk.f.plan, 77);
    fold_group(&state, before);
    state_raise_floor(&state, month_of(202504));

    const struct group *mark = desk.partition.outbox.groups[desk.partition.outbox.count - 1];
    static const struct frame_nonce nonce;
    struct frame frame;
    struct err_info info;
    frame_seal(mark->bytes.data, mark->bytes.length, &nonce, 9);
    cr_assert_eq(frame_parse(buffer_bytes(&mark->bytes), &frame, &info), OK);
    cr_assert_eq(state_fold(&state, &frame, 1, &info), ERR_BROKEN);
    cr_assert(strstr(info.text, "floor"), "%s", info.text);
    group_free(before);
    state_fini(&state);
}

Test(floor, other_views_are_refused_where_something_has_expired)
{
    struct err_info info;
    fill_months();
    press(START_NOW_MS);
    cr_assert_eq(snapshot_replan(&desk.partition, &info), ERR_LIMIT);
    cr_assert(strstr(info.text, "below the floor"), "%s", info.text);
}
