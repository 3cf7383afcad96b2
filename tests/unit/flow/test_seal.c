/* SPDX-License-Identifier: Apache-2.0 */
#include "desk_fixture.h"
#include "flow/frame_cells.h"

#include <signal.h>

static struct desk desk;

static void setup(void)
{
    desk_init(&desk);
}

static void teardown(void)
{
    desk_fini(&desk);
}

TestSuite(seal, .init = setup, .fini = teardown);

static const struct frame_nonce nonce = {{1, 2}};

struct sealed {
    struct group *group;
    struct frame frames[FRAMES_A_GROUP_MOST];
};

/* Stamps and parses what was sealed; every frame must be one and fit. */
static void parse(struct sealed *sealed, struct group *group)
{
    sealed->group = group;
    size_t at = 0;
    struct err_info info;
    for (uint32_t i = 0; i < group->frame_count; i++) {
        size_t bytes = group->frame_bytes[i];
        cr_assert_leq(bytes, FRAME_BYTES_MOST, "frame %u of %zu bytes", i, bytes);
        frame_seal(group->bytes.data + at, bytes, &nonce, i + 1);
        cr_assert_eq(frame_parse((struct bytes){group->bytes.data + at, bytes}, &sealed->frames[i], &info), OK, "%s",
                     info.text);
        cr_assert_eq(sealed->frames[i].last, i + 1 == group->frame_count, "frame %u", i);
        cr_assert_eq(sealed->frames[i].lo, group->lo);
        cr_assert_eq(sealed->frames[i].hi, group->hi);
        cr_assert_eq(sealed->frames[i].plan, 4711);
        at += bytes;
    }
    cr_assert_eq(at, group->bytes.length);
}

/* How many sections of a kind, and the frame of the first and of the last. */
static int find(const struct sealed *sealed, enum frame_section wanted, uint32_t *out_first, uint32_t *out_last)
{
    int count = 0;
    for (uint32_t i = 0; i < sealed->group->frame_count; i++) {
        struct reader reader = reader_of(sealed->frames[i].payload);
        enum frame_section section;
        struct bytes bytes;
        bool broken = false;
        while (frame_next_section(&reader, &section, &bytes, &broken)) {
            if (section != wanted)
                continue;
            if (count++ == 0)
                *out_first = i;
            *out_last = i;
        }
        cr_assert(!broken);
    }
    return count;
}

/* What a process that restores makes of the group must be what this one has in memory. */
static void assert_folds(const struct sealed *sealed)
{
    struct state restored;
    struct err_info info;
    state_init(&restored, &desk.f.plan, 99);
    enum err err = state_fold(&restored, sealed->frames, sealed->group->frame_count, &info);
    cr_assert_eq(err, OK, "%s", info.text);
    struct control there = state_control(&restored);
    struct control here = state_control(&desk.partition.state);
    cr_assert(ledger_sums_equal(&there.ledger, &here.ledger));
    cr_assert(there.tally.value_minor == here.tally.value_minor);
    cr_assert_arr_eq(there.verdicts, here.verdicts, sizeof here.verdicts);
    for (uint32_t slice = 0; slice < TOTALS_SLICES; slice++) {
        uint64_t cells[2];
        cr_assert_eq(totals_control(restored.totals, slice, &cells[0]),
                     totals_control(desk.partition.state.totals, slice, &cells[1]), "slice %u", slice);
        cr_assert_eq(cells[0], cells[1]);
    }
    cr_assert_eq(restored.dictionary.count, desk.partition.state.dictionary.count);
    cr_assert_eq(restored.hi, desk.partition.state.hi);
    state_fini(&restored);
}

static void put_many(int count, int items)
{
    for (int i = 0; i < count; i++) {
        struct sample sample;
        char id[16];
        snprintf(id, sizeof id, "S%06d", i);
        sample_init(&sample, id);
        sample.declaration.reference_date = 20250701 + (uint32_t)i % 15;
        for (int item = 1; item < items; item++)
            sample_add_item(&sample, "720851", i * 8 + item);
        desk_put(&desk, &sample);
    }
}

Test(seal, a_group_is_cells_then_ledger_then_totals_and_folds_to_what_is_in_memory)
{
    put_many(50, 2);
    struct sealed sealed;

    parse(&sealed, seal_data(&desk.partition));

    uint32_t first, last, first_ledger, last_ledger;
    cr_assert_eq(find(&sealed, SECTION_CELLS, &first, &last), 6, "a section a leaf view");
    cr_assert_eq(find(&sealed, SECTION_LEDGER, &first_ledger, &last_ledger), 1);
    cr_assert_lt(last, first_ledger, "cells and ledger entries in separate frames");
    cr_assert_eq(find(&sealed, SECTION_CONTROL, &first, &last), 1);
    cr_assert_eq(last, sealed.group->frame_count - 1);
    cr_assert_eq(sealed.frames[0].kind, FRAME_DATA);
    cr_assert_eq(sealed.group->lo, 0);
    cr_assert_eq(sealed.group->hi, 50);
    assert_folds(&sealed);
    group_free(sealed.group);
}

Test(seal, sixty_four_thousand_rejects_stay_within_the_frames_and_keep_their_order)
{
    struct open_group *open = &desk.partition.open;
    enum { COUNT = 70000 };
    open->places = memory_resize(open->places, COUNT, sizeof open->places[0]);
    open->place_capacity = COUNT;
    for (int i = 0; i < COUNT; i++)
        open->places[open->place_count++] = (struct reject_place){INT64_MAX / 2 + i, INT32_MAX - i, 999};
    open->group->counts.verdicts[VERDICT_REJECTED] = COUNT;
    desk.partition.state.verdicts[VERDICT_REJECTED] = COUNT;
    open->declarations = COUNT;
    struct sealed sealed;

    parse(&sealed, seal_data(&desk.partition));

    int found = 0;
    for (uint32_t i = 0; i < sealed.group->frame_count; i++) {
        struct reader reader = reader_of(sealed.frames[i].payload);
        enum frame_section section;
        struct bytes bytes;
        bool broken = false;
        while (frame_next_section(&reader, &section, &bytes, &broken)) {
            struct reader rejects = reader_of(bytes);
            struct reject_place place;
            while (section == SECTION_REJECTS && frame_next_reject(&rejects, sealed.group->lo, &place)) {
                cr_assert_eq(place.offset, INT64_MAX / 2 + found);
                cr_assert_eq(place.index, INT32_MAX - found);
                found++;
            }
        }
    }
    cr_assert_eq(found, COUNT);
    cr_assert_gt(sealed.group->frame_count, 1);
    assert_folds(&sealed);
    group_free(sealed.group);
}

Test(seal, a_hundred_thousand_codes_stay_within_the_frames)
{
    for (uint64_t i = 1; i <= 200000; i++)
        dictionary_number_of_code(&desk.partition.state.dictionary, i * 1000003);
    struct sealed sealed;

    parse(&sealed, seal_data(&desk.partition));

    uint32_t first, last;
    cr_assert_eq(find(&sealed, SECTION_CODES, &first, &last), 3);
    assert_folds(&sealed);
    group_free(sealed.group);
}

Test(seal, a_code_is_journalled_by_the_group_that_uses_it_first_and_by_no_other)
{
    put_many(1, 1);
    struct sealed sealed;
    parse(&sealed, seal_data(&desk.partition));
    uint32_t first, last;
    cr_assert_eq(find(&sealed, SECTION_CODES, &first, &last), 1);
    group_free(sealed.group);

    struct sample sample;
    sample_init(&sample, "OTHER");
    desk_put(&desk, &sample);
    parse(&sealed, seal_data(&desk.partition));

    cr_assert_eq(find(&sealed, SECTION_CODES, &first, &last), 0);
    cr_assert_eq(sealed.group->lo, 1);
    cr_assert_eq(sealed.group->hi, 2);
    group_free(sealed.group);
}

Test(seal, a_large_ledger_is_cut_between_entries_into_frames_of_its_own)
{
    put_many(12000, 8);
    struct sealed sealed;

    parse(&sealed, seal_data(&desk.partition));

    uint32_t first, last, first_cells, last_cells;
    cr_assert_geq(find(&sealed, SECTION_LEDGER, &first, &last), 2);
    cr_assert_gt(last, first);
    cr_assert_geq(find(&sealed, SECTION_CELLS, &first_cells, &last_cells), 6);
    cr_assert_lt(last_cells, first);
    assert_folds(&sealed);
    group_free(sealed.group);
}

/* The largest contribution that the rules let through: an entry is added before the section is closed. */
Test(seal, the_largest_entry_still_fits_behind_an_almost_full_section)
{
    enum { ITEMS = 999 };
    struct contribution widest = {.digest = UINT64_MAX,
                                  .declarant = UINT32_MAX,
                                  .version = 999,
                                  .direction = 1,
                                  .mode = 511,
                                  .day = INT32_MAX / 2,
                                  .hour = INT64_MAX / 4,
                                  .office = DICTIONARY_MOST,
                                  .border_office = DICTIONARY_MOST,
                                  .zone = DICTIONARY_MOST,
                                  .trade_mode = DICTIONARY_MOST,
                                  .item_count = ITEMS};
    struct contribution_item item = {.hs = 9999999999,
                                     .hs_digits = 10,
                                     .flow = 4,
                                     .estimated = true,
                                     .partner = 0xFFFF,
                                     .consignment = 0xFFFF,
                                     .region = DICTIONARY_MOST,
                                     .packages = UINT32_MAX,
                                     .value_minor = INT64_MIN,
                                     .customs_value_minor = INT64_MAX,
                                     .net_mass_mg = INT64_MAX,
                                     .gross_mass_mg = INT64_MIN + 1,
                                     .supp_quantity_micro = INT64_MIN + 1};
    widest.items = memory_new(ITEMS, sizeof item);
    for (int i = 0; i < ITEMS; i++)
        widest.items[i] = item;
    struct buffer bytes = {0};
    contribution_encode(&widest, &bytes);

    size_t section = LEDGER_SECTION_BYTES - 1 + sizeof(struct ledger_key) + 10 + bytes.length;

    cr_assert_leq(FRAME_HEADER_BYTES + 5 + section, FRAME_BYTES_MOST);
    buffer_fini(&bytes);
    memory_free(widest.items);
}

Test(seal, very_many_cells_stay_within_the_frames)
{
    struct contribution contribution = {.version = 1, .direction = 1, .day = 20000, .item_count = 8};
    struct contribution_item items[8];
    contribution.items = items;
    for (int i = 0; i < 6000; i++) {
        for (uint64_t n = 0; n < 8; n++)
            items[n] = (struct contribution_item){.hs = ((uint64_t)i * 8 + n + 1) * 10000,
                                                  .hs_digits = 6,
                                                  .flow = 1,
                                                  .partner = (uint16_t)(0x4141 + i % 400),
                                                  .value_minor = INT64_MAX,
                                                  .net_mass_mg = INT64_MAX,
                                                  .customs_value_minor = INT64_MAX,
                                                  .gross_mass_mg = INT64_MAX};
        contribution.office = (uint32_t)i;
        tally_add(desk.partition.state.tally, &contribution, 1);
    }
    uint32_t cells = tally_count(desk.partition.state.tally);
    struct sealed sealed;

    parse(&sealed, seal_data(&desk.partition));

    cr_assert_gt(sealed.group->frame_count, 3);
    uint32_t found = 0;
    for (uint32_t i = 0; i < sealed.group->frame_count; i++) {
        struct reader reader = reader_of(sealed.frames[i].payload);
        enum frame_section section;
        struct bytes bytes;
        bool broken = false;
        while (frame_next_section(&reader, &section, &bytes, &broken)) {
            if (section != SECTION_CELLS)
                continue;
            struct reader of_cells = reader_of(bytes);
            uint32_t view, count;
            struct table_key key;
            cr_assert(frame_cells_begin(&of_cells, &desk.f.plan, &view, &count, &key));
            struct measures measures;
            for (uint32_t c = 0; c < count; c++)
                cr_assert(frame_cells_next(&of_cells, &desk.f.plan.views[view], view, &key, &measures));
            cr_assert_eq(reader_left(&of_cells), 0);
            found += count;
        }
    }
    cr_assert_eq(found, cells);
    group_free(sealed.group);
}

Test(seal, verdicts_that_do_not_add_up_abort, .signal = SIGABRT)
{
    put_many(2, 1);
    desk.partition.open.declarations++;
    seal_data(&desk.partition);
}

Test(seal, a_skip_says_why_and_counts_its_offsets)
{
    desk.partition.state.hi = 5;
    struct sealed sealed;

    struct group *group = outbox_new_group(&desk.partition.outbox);
    seal_skip(group, &(struct seal_source){desk.partition.number, desk.f.ruleset.plan_id, &desk.partition.state}, 0, 5,
              TEXT("because"));
    parse(&sealed, group);

    cr_assert_eq(sealed.frames[0].kind, FRAME_SKIP);
    uint32_t first, last;
    cr_assert_eq(find(&sealed, SECTION_REASON, &first, &last), 1);
    struct reader reader = reader_of(sealed.frames[0].payload);
    enum frame_section section;
    struct bytes bytes;
    bool broken = false;
    struct counts counts = {0};
    while (frame_next_section(&reader, &section, &bytes, &broken)) {
        if (section == SECTION_COUNTS)
            cr_assert(frame_get_counts(bytes, &counts));
    }
    cr_assert_eq(counts.skipped, 5);
    assert_folds(&sealed);
    group_free(sealed.group);
}

Test(seal, an_idle_mark_stands_at_the_position_and_leaves_the_state_as_it_is)
{
    put_many(3, 1);
    group_free(seal_data(&desk.partition));
    struct sealed sealed;

    struct group *group = outbox_new_group(&desk.partition.outbox);
    seal_idle(group, &(struct seal_source){desk.partition.number, desk.f.ruleset.plan_id, &desk.partition.state});
    parse(&sealed, group);

    struct bytes bytes;
    cr_assert_eq(sealed.group->frame_count, 1);
    cr_assert_eq(sealed.frames[0].kind, FRAME_MARK);
    cr_assert_eq(sealed.frames[0].lo, 3);
    cr_assert_eq(sealed.frames[0].hi, 3);
    cr_assert(frame_find_section(&sealed.frames[0], SECTION_IDLE, &bytes));
    cr_assert(frame_find_section(&sealed.frames[0], SECTION_CONTROL, &bytes));
    cr_assert_not(frame_find_section(&sealed.frames[0], SECTION_COUNTS, &bytes));
    group_free(sealed.group);
}

Test(seal, an_open_carries_its_nonce_the_id_key_and_the_partitions)
{
    struct buffer bytes = {0};
    struct hash_key key = {{5, 6}};
    seal_open(&bytes, &nonce, 7, 12, 4711, &key, (struct text){NULL, 0});

    struct frame frame;
    struct err_info info;
    struct bytes id_key;
    cr_assert_eq(frame_parse(buffer_bytes(&bytes), &frame, &info), OK, "%s", info.text);
    cr_assert_eq(frame.kind, FRAME_OPEN);
    cr_assert_eq(frame.partition, 7);
    cr_assert_eq(frame.plan, 4711);
    cr_assert_eq(frame.seq, 0);
    cr_assert(frame_nonce_equal(&frame.nonce, &nonce));
    cr_assert_eq(frame_partitions(&frame), 12);
    cr_assert(frame_find_section(&frame, SECTION_ID_KEY, &id_key));
    cr_assert_eq(id_key.length, sizeof key);
    cr_assert_eq(memcmp(id_key.data, &key, sizeof key), 0);
    buffer_fini(&bytes);
}

Test(seal, the_next_group_begins_empty_behind_the_last)
{
    put_many(3, 1);
    group_free(seal_data(&desk.partition));

    const struct open_group *open = &desk.partition.open;
    cr_assert_eq(open->lo, 3);
    cr_assert_eq(open->declarations, 0);
    cr_assert_eq(open->ledger.length, 0);
    cr_assert_eq(open->place_count, 0);
    cr_assert_eq(tally_count(desk.partition.state.tally), 0);
    cr_assert_eq(counts_declarations(&open->group->counts), 0);
}
