/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/state.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct view_plan plan;
static struct state state;
static struct buffer payload;
static struct err_info info;

static void setup(void)
{
    view_plan_default(&plan);
    state_init(&state, &plan, 1);
    buffer_clear(&payload);
    info.text[0] = '\0';
}

static void teardown(void)
{
    state_fini(&state);
    buffer_fini(&payload);
}

TestSuite(state, .init = setup, .fini = teardown);

static enum err fold(enum frame_kind kind, int64_t lo, int64_t hi)
{
    struct frame frame = {.kind = kind,
                          .last = true,
                          .lo = lo,
                          .hi = hi,
                          .event_ms_most = 11,
                          .record_timestamp = 12,
                          .record_crc = 13,
                          .payload = buffer_bytes(&payload)};
    return state_fold(&state, &frame, 1, &info);
}

static void put_control(void)
{
    struct control control = state_control(&state);
    frame_put_control(&payload, &control);
}

static void put_entry(uint32_t version)
{
    struct contribution contribution = {.digest = 5, .version = version, .direction = 1};
    struct ledger_key key = {{7, 8}};
    struct buffer bytes = {0};
    struct buffer entries = {0};
    contribution_encode(&contribution, &bytes);
    frame_put_entry(&entries, &key, buffer_bytes(&bytes));
    frame_put_bytes(&payload, SECTION_LEDGER, buffer_bytes(&entries));
    buffer_fini(&bytes);
    buffer_fini(&entries);
}

Test(state, a_group_without_control_totals_halts)
{
    struct counts counts = {0};
    frame_put_counts(&payload, &counts);
    cr_assert_eq(fold(FRAME_DATA, 0, 1), ERR_BROKEN);
    cr_assert(strstr(info.text, "control"), "%s", info.text);
}

Test(state, a_section_behind_the_control_totals_halts)
{
    put_control();
    struct counts counts = {0};
    frame_put_counts(&payload, &counts);
    cr_assert_eq(fold(FRAME_DATA, 0, 1), ERR_BROKEN);
}

Test(state, a_verdict_that_the_totals_do_not_know_halts)
{
    struct counts counts = {.verdicts = {[VERDICT_STALE] = 1}};
    frame_put_counts(&payload, &counts);
    put_control();
    cr_assert_eq(fold(FRAME_DATA, 0, 1), ERR_BROKEN);
    cr_assert(strstr(info.text, "1 declarations stale, the journal says 0"), "%s", info.text);
}

Test(state, a_ledger_of_another_size_or_content_than_the_totals_say_halts)
{
    put_entry(1);
    put_control();
    cr_assert_eq(fold(FRAME_DATA, 0, 1), ERR_BROKEN);
    cr_assert(strstr(info.text, "ledger"), "%s", info.text);

    buffer_clear(&payload);
    struct control control = state_control(&state); /* the entry is there now, its sum is not */
    control.ledger.control ^= 1;
    frame_put_control(&payload, &control);
    cr_assert_eq(fold(FRAME_DATA, 0, 1), ERR_BROKEN);
}

Test(state, sections_that_no_writer_writes_halt_and_are_named)
{
    static const struct {
        enum frame_section section;
        const char *bytes;
        size_t length;
    } cases[] = {
        {SECTION_CODES, "\x05", 1},                 /* begins with number 5; there is one text so far */
        {SECTION_CODES, "\x01 half", 6},            /* a code that is cut off */
        {SECTION_CODES, "\x01\0\0\0\0\0\0\0\0", 9}, /* the empty text again */
        {SECTION_COUNTS, "\x00", 1},
        {SECTION_CONTROL, "\x00\x00", 2},
        {SECTION_LEDGER,
         "\x0B"
         "0123456789abcdef"
         "ab",
         19},
        {SECTION_LEDGER,
         "\x0A"
         "0123",
         5},
        {SECTION_LEDGER_WIDE,
         "0123456789abcdef\x05"
         "ab",
         19},
        {SECTION_LEDGER_WIDE, "0123", 4},
        {SECTION_CELLS, "\x63\x00\x00\x00\x00", 5},  /* a view that there is not */
        {SECTION_CELLS, "\x00\x01\x00\x00\x00", 5},  /* one cell, and none follows */
        {SECTION_CELLS, "\x00\x00\x00\x00\x00?", 6}, /* no cell, and something follows */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_clear(&payload);
        frame_put_bytes(&payload, cases[i].section, (struct bytes){(const uint8_t *)cases[i].bytes, cases[i].length});
        put_control();
        cr_assert_eq(fold(FRAME_DATA, 0, 1), ERR_BROKEN, "case %zu", i);
        char name[32];
        snprintf(name, sizeof name, "section %d", (int)cases[i].section);
        cr_assert(strstr(info.text, name), "case %zu: %s", i, info.text);
    }
}

Test(state, a_version_that_the_ledger_can_not_hold_is_a_broken_journal_and_no_crash)
{
    put_entry(LEDGER_VERSION_MOST + 1);
    put_control();
    cr_assert_eq(fold(FRAME_DATA, 0, 1), ERR_BROKEN);
}

/* They are taken in batches: each count about the end of one. */
Test(state, every_entry_of_a_section_is_taken_and_the_last_one_broken_halts)
{
    static const unsigned counts[] = {1, 15, 16, 17, 32, 33, 100};
    unsigned number = 0;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct buffer entries = {0};
        struct buffer bytes = {0};
        struct ledger *expected = ledger_new(9);
        for (unsigned j = 0; j < counts[i]; j++) {
            struct contribution contribution = {.digest = ++number, .version = 1, .direction = 1};
            struct ledger_key key = {{number, number * 7}};
            buffer_clear(&bytes);
            contribution_encode(&contribution, &bytes);
            frame_put_entry(&entries, &key, buffer_bytes(&bytes));
            struct ledger_probe probe;
            ledger_look(expected, &key, &probe);
            ledger_put(expected, &probe, buffer_bytes(&bytes));
        }
        struct control control = state_control(&state);
        control.ledger.control += ledger_sums(expected).control;
        control.ledger.entries += counts[i];

        buffer_clear(&payload);
        frame_put_bytes(&payload, SECTION_LEDGER, buffer_bytes(&entries));
        frame_put_control(&payload, &control);
        cr_assert_eq(fold(FRAME_DATA, (int64_t)i, (int64_t)i + 1), OK, "%u: %s", counts[i], info.text);

        entries.length--;
        buffer_clear(&payload);
        frame_put_bytes(&payload, SECTION_LEDGER, buffer_bytes(&entries));
        frame_put_control(&payload, &control);
        cr_assert_eq(fold(FRAME_DATA, (int64_t)i + 1, (int64_t)i + 2), ERR_BROKEN, "%u", counts[i]);
        cr_assert(strstr(info.text, "section 14"), "%s", info.text);
        ledger_free(expected);
        buffer_fini(&entries);
        buffer_fini(&bytes);
    }
}

Test(state, a_payload_that_is_cut_short_halts)
{
    put_control();
    payload.length--;
    cr_assert_eq(fold(FRAME_DATA, 0, 1), ERR_BROKEN);
    cr_assert(strstr(info.text, "cut short"), "%s", info.text);
}

Test(state, an_error_leaves_the_position_where_it_was)
{
    put_control();
    cr_assert_eq(fold(FRAME_DATA, 0, 5), OK);
    buffer_clear(&payload);
    cr_assert_eq(fold(FRAME_DATA, 5, 9), ERR_BROKEN);
    cr_assert_eq(state.hi, 5);
}

Test(state, a_section_that_the_owner_does_not_need_is_stepped_over)
{
    frame_put_bytes(&payload, (enum frame_section)99, (struct bytes){(const uint8_t *)"?", 1});
    frame_put_bytes(&payload, SECTION_REASON, (struct bytes){(const uint8_t *)"why", 3});
    put_control();
    cr_assert_eq(fold(FRAME_SKIP, 0, 5), OK);
    cr_assert_eq(state.hi, 5);
}

Test(state, the_id_key_is_that_of_the_first_OPEN_and_never_changes)
{
    struct hash_key keys[2] = {{{1, 2}}, {{3, 4}}};
    for (int i = 0; i < 2; i++) {
        buffer_clear(&payload);
        frame_put_bytes(&payload, SECTION_ID_KEY, (struct bytes){(const uint8_t *)&keys[i], sizeof keys[i]});
        struct frame open = {.kind = FRAME_OPEN, .payload = buffer_bytes(&payload)};
        cr_assert(state_take_open(&state, &open));
        cr_assert_eq(state.id_key.word[0], 1);
        cr_assert_eq(state.id_key.word[1], 2);
    }
}

Test(state, an_OPEN_whose_key_has_another_size_gives_none)
{
    frame_put_bytes(&payload, SECTION_ID_KEY, (struct bytes){(const uint8_t *)"short", 5});
    struct frame open = {.kind = FRAME_OPEN, .payload = buffer_bytes(&payload)};
    cr_assert(!state_take_open(&state, &open));
    cr_assert(!state.has_id_key);
}

Test(state, codes_keep_the_numbers_of_the_journal)
{
    struct dictionary writer;
    dictionary_init(&writer);
    uint32_t first = dictionary_number(&writer, TEXT("0215"));
    frame_put_codes(&payload, &writer, 1);
    put_control();
    cr_assert_eq(fold(FRAME_DATA, 0, 1), OK, "%s", info.text);
    uint32_t second = dictionary_number(&writer, TEXT("9407"));
    buffer_clear(&payload);
    frame_put_codes(&payload, &writer, second);
    put_control();
    cr_assert_eq(fold(FRAME_DATA, 1, 2), OK, "%s", info.text);

    cr_assert_eq(state.dictionary.count, writer.count);
    cr_assert_eq(dictionary_number(&state.dictionary, TEXT("0215")), first);
    cr_assert_eq(dictionary_number(&state.dictionary, TEXT("9407")), second);
    dictionary_fini(&writer);
}

Test(state, marks_are_those_of_the_last_frame_and_a_hole_has_no_record)
{
    put_control();
    cr_assert(!state.has_record);
    cr_assert_eq(fold(FRAME_DATA, 0, 3), OK);
    cr_assert_eq(state.hi, 3);
    cr_assert_eq(state.event_ms_most, 11);
    cr_assert_eq(state.record_timestamp, 12);
    cr_assert_eq(state.record_crc, 13);
    cr_assert(state.has_record);
    cr_assert_eq(fold(FRAME_MARK, 3, 3), OK);
    cr_assert(state.has_record, "a mark takes nothing away");
    cr_assert_eq(fold(FRAME_SKIP, 3, 9), OK);
    cr_assert(!state.has_record, "nobody counted record 8");
}
