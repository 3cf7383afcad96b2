/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/reader_rule.h"

#include <criterion/criterion.h>

struct folded {
    int groups;
    int frames;
    size_t lengths[8]; /* of payloads, by frame of the last group */
    int64_t hi;
};

static enum err fold(void *context, const struct frame *frames, uint32_t count, struct err_info *info)
{
    struct folded *folded = context;
    if (frames[0].plan == 666)
        return err_set(info, ERR_BROKEN, "control totals differ");
    folded->groups++;
    folded->frames += (int)count;
    for (uint32_t i = 0; i < count && i < 8; i++)
        folded->lengths[i] = frames[i].payload.length;
    folded->hi = frames[count - 1].hi;
    return OK;
}

static struct reader_rule *rule;
static struct folded folded;
static int64_t next_offset;

static void setup(void)
{
    rule = reader_rule_new();
    folded = (struct folded){0};
    next_offset = 0;
}

static void teardown(void)
{
    reader_rule_free(rule);
}

TestSuite(reader_rule, .init = setup, .fini = teardown);

static enum reader_branch feed(struct frame frame)
{
    uint8_t bytes[FRAME_HEADER_BYTES];
    frame_write_header(&frame, bytes);
    frame_seal(bytes, sizeof bytes, &frame.nonce, frame.seq);
    return reader_rule_feed(rule, next_offset++, (struct bytes){bytes, sizeof bytes}, fold, &folded, NULL);
}

static enum reader_branch open_epoch(uint64_t nonce)
{
    return feed((struct frame){.kind = FRAME_OPEN, .last = true, .nonce = {{nonce, 1}}});
}

static enum reader_branch data(uint64_t nonce, uint64_t seq, int64_t lo, int64_t hi, bool last)
{
    return feed((struct frame){
        .kind = FRAME_DATA, .last = last, .nonce = {{nonce, 1}}, .seq = seq, .lo = lo, .hi = hi, .plan = 5});
}

/* A frame of the epoch with nonce 1 whose payload is these sections, of three bytes each. */
static enum reader_branch data_of(uint64_t seq, bool last, const enum frame_section *sections, int count)
{
    struct frame frame = {
        .kind = FRAME_DATA, .last = last, .nonce = {{1, 1}}, .seq = seq, .lo = 0, .hi = 10, .plan = 5};
    struct buffer bytes = {0};
    uint8_t head[FRAME_HEADER_BYTES];
    frame_write_header(&frame, head);
    buffer_add(&bytes, head, sizeof head);
    for (int i = 0; i < count; i++)
        frame_put_bytes(&bytes, sections[i], (struct bytes){(const uint8_t *)"abc", 3});
    frame_seal(bytes.data, bytes.length, &frame.nonce, seq);
    enum reader_branch branch = reader_rule_feed(rule, next_offset++, buffer_bytes(&bytes), fold, &folded, NULL);
    buffer_fini(&bytes);
    return branch;
}

Test(reader_rule, frames_of_ledger_entries_alone_come_empty_to_whom_has_no_use_for_them_and_count_their_bytes)
{
    static const enum frame_section sections[] = {SECTION_LEDGER, SECTION_CONTROL};
    for (int drops = 0; drops < 2; drops++) {
        teardown();
        setup();
        rule->drops_ledger = drops;
        open_epoch(1);
        cr_assert_eq(data_of(1, false, sections + 1, 1), READER_BUFFERED);
        cr_assert_eq(data_of(2, false, sections, 1), READER_BUFFERED);
        cr_assert_eq(data_of(3, true, sections, 2), READER_APPLIED);

        cr_assert_eq(folded.frames, 3);
        cr_assert_eq(folded.lengths[0], 8);
        cr_assert_eq(folded.lengths[1], drops ? 0 : 8);
        cr_assert_eq(folded.lengths[2], 16, "the entries of the last frame stay");
        cr_assert_eq(rule->cycles.since_bytes, 3 * FRAME_HEADER_BYTES + 32);
    }
}

Test(reader_rule, nothing_counts_before_an_open)
{
    cr_assert_eq(data(1, 1, 0, 10, true), READER_OTHER_NONCE);
    cr_assert_eq(folded.groups, 0);
}

Test(reader_rule, a_group_counts_when_its_last_frame_is_there)
{
    cr_assert_eq(open_epoch(1), READER_OPEN);
    cr_assert_eq(data(1, 1, 0, 10, false), READER_BUFFERED);
    cr_assert_eq(folded.groups, 0);
    cr_assert_eq(data(1, 2, 0, 10, true), READER_APPLIED);
    cr_assert_eq(folded.groups, 1);
    cr_assert_eq(folded.frames, 2);
    cr_assert_eq(rule->hi, 10);
}

Test(reader_rule, duplicates_and_gaps_are_ignored)
{
    open_epoch(1);
    data(1, 1, 0, 10, true);
    cr_assert_eq(data(1, 1, 0, 10, true), READER_DUPLICATE);
    cr_assert_eq(data(1, 3, 10, 20, true), READER_GAP);
    cr_assert_eq(data(1, 2, 10, 20, true), READER_APPLIED);
    cr_assert_eq(folded.groups, 2);
}

Test(reader_rule, a_new_open_fences_the_old_epoch)
{
    open_epoch(1);
    data(1, 1, 0, 10, true);
    cr_assert_eq(open_epoch(2), READER_OPEN);
    cr_assert_eq(data(1, 2, 10, 20, true), READER_OTHER_NONCE);
    cr_assert_eq(data(2, 1, 10, 30, true), READER_APPLIED);
    cr_assert_eq(rule->hi, 30);
}

Test(reader_rule, an_open_discards_a_torn_group)
{
    open_epoch(1);
    data(1, 1, 0, 10, false);
    cr_assert_eq(open_epoch(2), READER_OPEN_DISCARDS);
    cr_assert_eq(data(2, 1, 0, 12, true), READER_APPLIED);
    cr_assert_eq(folded.frames, 1);
}

Test(reader_rule, an_open_seen_before_is_ignored)
{
    open_epoch(1);
    open_epoch(2);
    cr_assert_eq(open_epoch(1), READER_OPEN_SEEN);
    cr_assert_eq(data(2, 1, 0, 10, true), READER_APPLIED);
}

Test(reader_rule, the_window_holds_the_last_64_opens)
{
    for (uint64_t nonce = 1; nonce <= READER_WINDOW + 1; nonce++)
        cr_assert_eq(open_epoch(nonce), READER_OPEN);
    cr_assert_eq(open_epoch(2), READER_OPEN_SEEN);
    cr_assert_eq(open_epoch(1), READER_OPEN, "older than the window");
}

Test(reader_rule, a_range_that_does_not_tile_halts_and_nothing_counts_any_more)
{
    open_epoch(1);
    data(1, 1, 0, 10, true);
    cr_assert_eq(data(1, 2, 11, 20, true), READER_HALTED);
    cr_assert(strstr(rule->why.text, "journal offset 2"), "%s", rule->why.text);
    cr_assert_eq(data(1, 3, 10, 20, true), READER_HALTED);
    cr_assert_eq(open_epoch(2), READER_OPEN, "epochs are followed: a rebase may come");
    cr_assert_eq(data(2, 1, 10, 20, true), READER_HALTED);
    cr_assert_eq(folded.groups, 1);
    cr_assert_eq(rule->halted_at, 2);
    cr_assert(strstr(rule->why.text, "journal offset 2"), "the first reason stays: %s", rule->why.text);
}

Test(reader_rule, data_of_another_plan_halts)
{
    open_epoch(1);
    data(1, 1, 0, 10, true);
    cr_assert_eq(feed((struct frame){
                     .kind = FRAME_DATA, .last = true, .nonce = {{1, 1}}, .seq = 2, .lo = 10, .hi = 20, .plan = 6}),
                 READER_HALTED);
}

Test(reader_rule, frames_of_a_group_must_agree)
{
    open_epoch(1);
    data(1, 1, 0, 10, false);
    cr_assert_eq(data(1, 2, 0, 11, true), READER_HALTED);
}

Test(reader_rule, what_is_no_frame_halts)
{
    open_epoch(1);
    cr_assert_eq(reader_rule_feed(rule, 1, (struct bytes){(const uint8_t *)"hello", 5}, fold, &folded, NULL),
                 READER_HALTED);
}

Test(reader_rule, a_fold_that_finds_a_broken_total_halts)
{
    open_epoch(1);
    cr_assert_eq(
        feed((struct frame){.kind = FRAME_DATA, .last = true, .nonce = {{1, 1}}, .seq = 1, .hi = 20, .plan = 666}),
        READER_HALTED);
    cr_assert(strstr(rule->why.text, "control totals differ"));
    cr_assert_eq(rule->hi, 0);
}

Test(reader_rule, a_journal_whose_beginning_is_gone_halts)
{
    next_offset = 7;
    cr_assert_eq(open_epoch(1), READER_HALTED);
    cr_assert(strstr(rule->why.text, "deleted"), "%s", rule->why.text);
}

Test(reader_rule, a_skip_moves_the_position)
{
    open_epoch(1);
    cr_assert_eq(feed((struct frame){.kind = FRAME_SKIP, .last = true, .nonce = {{1, 1}}, .seq = 1, .lo = 0, .hi = 50}),
                 READER_APPLIED);
    cr_assert_eq(data(1, 2, 50, 60, true), READER_APPLIED);
}

Test(reader_rule, a_group_of_too_many_frames_halts)
{
    open_epoch(1);
    for (uint64_t seq = 1; seq <= FRAMES_A_GROUP_MOST; seq++)
        cr_assert_eq(data(1, seq, 0, 10, false), READER_BUFFERED);
    cr_assert_eq(data(1, FRAMES_A_GROUP_MOST + 1, 0, 10, true), READER_HALTED);
}

/* The version is looked at before the check sum: what a newer program sums up is unknown. */
Test(reader_rule, frame_of_a_newer_version_halts_and_asks_for_an_upgrade)
{
    struct frame frame = {.kind = FRAME_DATA, .last = true, .nonce = {{7, 1}}, .seq = 1, .hi = 10, .plan = 5};
    uint8_t bytes[FRAME_HEADER_BYTES];
    open_epoch(7);
    frame_write_header(&frame, bytes);
    bytes[4] = FRAME_VERSION + 1;
    frame_seal(bytes, sizeof bytes, &frame.nonce, frame.seq);

    cr_assert_eq(reader_rule_feed(rule, next_offset++, (struct bytes){bytes, sizeof bytes}, fold, &folded, NULL),
                 READER_HALTED);

    cr_assert_eq(folded.groups, 0);
    cr_assert(strstr(rule->why.text, "journal offset 1: frame of format version 3"), "%s", rule->why.text);
    cr_assert(strstr(rule->why.text, "upgrade"), "%s", rule->why.text);
    cr_assert_eq(data(7, 1, 0, 10, true), READER_HALTED);
}

static enum reader_branch mark(uint64_t seq, int64_t at, enum frame_section section)
{
    struct frame frame = {.kind = FRAME_MARK, .last = true, .nonce = {{1, 1}}, .seq = seq, .lo = at, .hi = at};
    struct buffer bytes = {0};
    uint8_t head[FRAME_HEADER_BYTES];
    frame_write_header(&frame, head);
    buffer_add(&bytes, head, sizeof head);
    frame_put_bytes(&bytes, section, (struct bytes){NULL, 0});
    frame_seal(bytes.data, bytes.length, &frame.nonce, seq);
    enum reader_branch branch = reader_rule_feed(rule, next_offset++, buffer_bytes(&bytes), fold, &folded, NULL);
    buffer_fini(&bytes);
    return branch;
}

Test(reader_rule, an_idle_mark_stands_until_data_or_a_skip)
{
    open_epoch(1);
    data(1, 1, 0, 10, true);
    cr_assert_not(rule->is_idle);

    cr_assert_eq(mark(2, 10, SECTION_IDLE), READER_APPLIED);
    cr_assert(rule->is_idle);
    cr_assert_eq(rule->hi, 10);
    mark(3, 10, SECTION_REASON);
    cr_assert(rule->is_idle, "a mark of another kind changes nothing");
    data(1, 4, 10, 11, true);
    cr_assert_not(rule->is_idle);

    mark(5, 11, SECTION_IDLE);
    feed((struct frame){.kind = FRAME_SKIP, .last = true, .nonce = {{1, 1}}, .seq = 6, .lo = 11, .hi = 20});
    cr_assert_not(rule->is_idle);
}

Test(reader_rule, a_mark_that_is_not_at_the_position_halts)
{
    open_epoch(1);
    data(1, 1, 0, 10, true);

    cr_assert_eq(mark(2, 9, SECTION_IDLE), READER_HALTED);
}

Test(reader_rule, tells_groups_and_data_apart)
{
    open_epoch(1);
    cr_assert_not(rule->has_groups);
    mark(1, 0, SECTION_IDLE);
    cr_assert(rule->has_groups);
    cr_assert_not(rule->has_data);
    feed((struct frame){.kind = FRAME_SKIP, .last = true, .nonce = {{1, 1}}, .seq = 2, .lo = 0, .hi = 20});
    cr_assert_not(rule->has_data);

    data(1, 3, 20, 21, true);

    cr_assert(rule->has_data);
}

static void open_with(uint64_t nonce, int32_t partitions)
{
    struct frame frame = {.kind = FRAME_OPEN, .last = true, .nonce = {{nonce, 1}}};
    struct buffer bytes = {0};
    uint8_t head[FRAME_HEADER_BYTES];
    frame_write_header(&frame, head);
    buffer_add(&bytes, head, sizeof head);
    frame_put_partitions(&bytes, partitions);
    frame_seal(bytes.data, bytes.length, &frame.nonce, 0);
    cr_assert_eq(reader_rule_feed(rule, next_offset++, buffer_bytes(&bytes), fold, &folded, NULL), READER_OPEN);
    buffer_fini(&bytes);
}

Test(reader_rule, the_first_open_that_states_the_partitions_counts)
{
    open_epoch(1);
    cr_assert_eq(rule->begun_with, 0);
    open_with(2, 8);
    open_with(3, 16);

    cr_assert_eq(rule->begun_with, 8);
}

/* ---- a rebase ---- */

static enum reader_branch slice_frame(uint64_t nonce, uint64_t seq, uint32_t slice, bool rebase, bool last)
{
    struct frame frame = {
        .kind = FRAME_SNAP, .last = last, .nonce = {{nonce, 1}}, .seq = seq, .lo = 10, .hi = 10, .plan = 5};
    struct slice_head head = {.slice = slice, .rebase = rebase, .window = rule->window};
    struct buffer bytes = {0};
    uint8_t header[FRAME_HEADER_BYTES];
    frame_write_header(&frame, header);
    buffer_add(&bytes, header, sizeof header);
    slice_put_head(&bytes, &head);
    frame_seal(bytes.data, bytes.length, &frame.nonce, seq);
    enum reader_branch branch = reader_rule_feed(rule, next_offset++, buffer_bytes(&bytes), fold, &folded, NULL);
    buffer_fini(&bytes);
    return branch;
}

static enum reader_branch garbage(void)
{
    return reader_rule_feed(rule, next_offset++, (struct bytes){(const uint8_t *)"hello", 5}, fold, &folded, NULL);
}

/* Slices 0 to 31 in frames from `seq` on. Returns what became of the last. */
static enum reader_branch rebase(uint64_t nonce, uint64_t seq)
{
    for (uint32_t i = 0; i + 1 < SLICES; i++)
        cr_assert_eq(slice_frame(nonce, seq + i, i, true, true), READER_REBASE, "slice %u", i);
    return slice_frame(nonce, seq + SLICES - 1, SLICES - 1, true, true);
}

static void break_behind_10(void)
{
    open_epoch(1);
    data(1, 1, 0, 10, true);
    cr_assert_eq(garbage(), READER_HALTED);
}

Test(reader_rule, a_whole_rebase_mends_a_journal_and_is_read_like_the_first_slices_of_a_trimmed_one)
{
    break_behind_10();
    cr_assert_eq(open_epoch(2), READER_OPEN);
    int64_t from = next_offset;

    cr_assert_eq(rebase(2, 1), READER_REBASED);

    cr_assert_eq(rule->rebase.from, from);
    cr_assert_eq(folded.groups, 1, "a slice of a rebase is nothing to fold before all are there");
    reader_rule_begin_again(rule);
    cr_assert_eq(rule->position, from);
    cr_assert_not(rule->halted);
    next_offset = from;
    for (uint32_t i = 0; i < SLICES; i++)
        cr_assert_eq(slice_frame(2, i + 1, i, true, true), READER_APPLIED, "slice %u", i);
    cr_assert(slices_are_whole(&rule->slices));
    cr_assert_eq(rule->hi, 10);
    cr_assert_eq(data(2, SLICES + 1, 10, 12, true), READER_APPLIED);
    cr_assert_eq(rule->cycles.current, from);
    cr_assert_eq(rule->cycles.slices, SLICES);
}

Test(reader_rule, a_rebase_voids_what_was_accepted_by_a_reader_that_had_passed_the_break)
{
    open_epoch(1);
    data(1, 1, 0, 10, true);
    data(1, 2, 10, 20, true);
    open_epoch(2);

    cr_assert_eq(rebase(2, 1), READER_REBASED);
}

Test(reader_rule, a_torn_rebase_changes_nothing)
{
    break_behind_10();
    open_epoch(2);
    for (uint32_t i = 0; i < SLICES / 2; i++)
        slice_frame(2, i + 1, i, true, true);
    cr_assert_eq(open_epoch(3), READER_OPEN_DISCARDS);
    for (uint32_t i = SLICES / 2; i < SLICES; i++)
        cr_assert_eq(slice_frame(3, i + 1 - SLICES / 2, i, true, true), READER_REBASE, "its beginning is torn off");
    cr_assert(rule->halted);

    open_epoch(4);
    cr_assert_eq(rebase(4, 1), READER_REBASED, "another one counts");
}

Test(reader_rule, a_rebase_with_another_group_or_damage_between_its_slices_is_torn)
{
    break_behind_10();
    open_epoch(2);
    for (uint32_t i = 0; i + 1 < SLICES; i++)
        slice_frame(2, i + 1, i, true, true);
    data(2, SLICES, 10, 11, true);
    cr_assert_eq(slice_frame(2, SLICES + 1, SLICES - 1, true, true), READER_REBASE);

    open_epoch(3);
    for (uint32_t i = 0; i + 1 < SLICES; i++)
        slice_frame(3, i + 1, i, true, true);
    cr_assert_eq(garbage(), READER_HALTED);
    cr_assert_eq(slice_frame(3, SLICES, SLICES - 1, true, true), READER_REBASE);
    cr_assert(rule->halted);
}

Test(reader_rule, a_fenced_rebase_does_not_count)
{
    break_behind_10();
    open_epoch(2);
    open_epoch(3);

    cr_assert_eq(slice_frame(2, 1, 0, true, true), READER_OTHER_NONCE);
    cr_assert_eq(rule->rebase.from, -1);
}

Test(reader_rule, a_slice_of_a_rebase_in_several_frames_begins_at_its_first)
{
    break_behind_10();
    open_epoch(2);
    int64_t from = next_offset;
    cr_assert_eq(slice_frame(2, 1, 0, true, false), READER_BUFFERED);
    cr_assert_eq(slice_frame(2, 2, 0, true, true), READER_REBASE);

    cr_assert_eq(rule->rebase.from, from);
}

Test(reader_rule, a_plain_snapshot_does_not_mend)
{
    break_behind_10();
    open_epoch(2);
    for (uint32_t i = 0; i < SLICES; i++)
        cr_assert_eq(slice_frame(2, i + 1, i, false, true), READER_HALTED);
}

Test(reader_rule, a_journal_that_is_broken_at_its_first_record_has_an_empty_state_before_that)
{
    cr_assert_eq(reader_rule_fault(rule, 0, "it cannot be read"), READER_HALTED);
    cr_assert(strstr(rule->why.text, "journal offset 0: it cannot be read"), "%s", rule->why.text);
    cr_assert(slices_are_whole(&rule->slices));
    cr_assert_eq(rule->hi, 0);
}

Test(reader_rule, a_trimmed_journal_that_is_broken_at_its_first_record_has_nothing_whole)
{
    cr_assert_eq(reader_rule_fault(rule, 7, "it cannot be read"), READER_HALTED);
    cr_assert_not(slices_are_whole(&rule->slices));
}

Test(reader_rule, a_trimmed_journal_that_begins_with_an_open_has_nothing_whole_but_can_be_rebased)
{
    next_offset = 7;
    cr_assert_eq(open_epoch(2), READER_HALTED);
    cr_assert_not(slices_are_whole(&rule->slices));

    cr_assert_eq(rebase(2, 1), READER_REBASED);
}
