/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/frame.h"
#include "unit/flow/section_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct buffer make(const struct frame *header, const char *payload)
{
    struct buffer bytes = {0};
    uint8_t head[FRAME_HEADER_BYTES];
    frame_write_header(header, head);
    buffer_add(&bytes, head, sizeof head);
    buffer_add_text(&bytes, payload);
    frame_seal(bytes.data, bytes.length, &header->nonce, header->seq);
    return bytes;
}

static const struct frame example = {.kind = FRAME_DATA,
                                     .last = true,
                                     .partition = 3,
                                     .nonce = {{5, 6}},
                                     .seq = 9,
                                     .lo = 100,
                                     .hi = 250,
                                     .plan = 77,
                                     .event_ms_most = -1,
                                     .record_timestamp = 1752544800000,
                                     .record_crc = 0xDEADBEEF};

Test(frame, header_round_trips)
{
    struct buffer bytes = make(&example, "payload");
    struct frame frame;

    cr_assert_eq(frame_parse(buffer_bytes(&bytes), &frame, NULL), OK);

    cr_assert_eq(frame.kind, FRAME_DATA);
    cr_assert(frame.last);
    cr_assert_eq(frame.partition, 3);
    cr_assert(frame_nonce_equal(&frame.nonce, &example.nonce));
    cr_assert_eq(frame.seq, 9);
    cr_assert_eq(frame.lo, 100);
    cr_assert_eq(frame.hi, 250);
    cr_assert_eq(frame.plan, 77);
    cr_assert_eq(frame.event_ms_most, -1);
    cr_assert_eq(frame.record_timestamp, 1752544800000);
    cr_assert_eq(frame.record_crc, 0xDEADBEEF);
    cr_assert_eq(frame.payload.length, 7);
    buffer_fini(&bytes);
}

Test(frame, every_flipped_bit_and_every_cut_is_found)
{
    struct buffer bytes = make(&example, "payload");
    struct frame frame;
    for (size_t bit = 0; bit < bytes.length * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(frame_parse(buffer_bytes(&bytes), &frame, NULL), ERR_BROKEN, "bit %zu", bit);
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t length = 0; length < bytes.length; length++)
        cr_assert_eq(frame_parse((struct bytes){bytes.data, length}, &frame, NULL), ERR_BROKEN, "%zu bytes", length);
    buffer_fini(&bytes);
}

Test(frame, another_version_asks_for_an_upgrade)
{
    struct buffer bytes = make(&example, "");
    bytes.data[4] = FRAME_VERSION + 1;
    struct frame frame;
    struct err_info info;

    cr_assert_eq(frame_parse(buffer_bytes(&bytes), &frame, &info), ERR_BROKEN);

    cr_assert(strstr(info.text, "upgrade"), "%s", info.text);
    buffer_fini(&bytes);
}

Test(frame, a_new_stamp_is_all_that_changes)
{
    struct buffer bytes = make(&example, "payload");
    struct frame_nonce nonce = {{8, 9}};
    struct frame frame;

    frame_seal(bytes.data, bytes.length, &nonce, 1);

    cr_assert_eq(frame_parse(buffer_bytes(&bytes), &frame, NULL), OK);
    cr_assert(frame_nonce_equal(&frame.nonce, &nonce));
    cr_assert_eq(frame.seq, 1);
    cr_assert_eq(frame.lo, 100);
    buffer_fini(&bytes);
}

Test(frame, sections_that_are_cut_short_are_broken)
{
    struct buffer buffer = {0};
    frame_put_bytes(&buffer, SECTION_REASON, (struct bytes){(const uint8_t *)"why", 3});
    for (size_t length = 1; length < buffer.length; length++) {
        struct reader reader = reader_of((struct bytes){buffer.data, length});
        enum frame_section section;
        struct bytes bytes;
        bool broken = false;
        cr_assert(!frame_next_section(&reader, &section, &bytes, &broken));
        cr_assert(broken, "%zu bytes", length);
    }
    buffer_fini(&buffer);
}

Test(frame, codes_round_trip_and_must_continue_the_numbering)
{
    struct dictionary a;
    struct dictionary b;
    dictionary_init(&a);
    dictionary_init(&b);
    dictionary_number(&a, TEXT("9407"));
    dictionary_number(&a, TEXT("KZHOR"));
    struct buffer buffer = {0};
    frame_put_codes(&buffer, &a, 1);
    struct bytes bytes = only_section(&buffer, SECTION_CODES);

    cr_assert(frame_get_codes(bytes, &b));
    cr_assert_eq(dictionary_number(&b, TEXT("KZHOR")), 2);
    cr_assert(!frame_get_codes(bytes, &b), "the same numbers again");
    buffer_fini(&buffer);
    dictionary_fini(&a);
    dictionary_fini(&b);
}

Test(frame, counts_round_trip)
{
    struct counts *counts = calloc(1, sizeof *counts);
    struct counts *back = calloc(1, sizeof *back);
    counts->verdicts[VERDICT_COUNTED] = 5;
    counts->verdicts[VERDICT_REJECTED] = INT64_MAX;
    counts->records = 7;
    counts->rejects[604] = 3;
    counts->warnings[999] = 1;
    struct buffer buffer = {0};
    frame_put_counts(&buffer, counts);

    cr_assert(frame_get_counts(only_section(&buffer, SECTION_COUNTS), back));
    cr_assert_eq(memcmp(counts, back, sizeof *counts), 0);
    cr_assert_eq(counts_declarations(&(struct counts){.verdicts = {1, 2, 3, 4, 5, 6}}), 21);
    buffer_fini(&buffer);
    free(counts);
    free(back);
}

Test(frame, rejects_and_entries_round_trip)
{
    struct reject_place places[2] = {{1000, -1, 4}, {1001, 70000, 901}};
    struct buffer buffer = {0};
    frame_put_rejects(&buffer, 1000, places, 2);
    struct reader reader = reader_of(only_section(&buffer, SECTION_REJECTS));
    for (int i = 0; i < 2; i++) {
        struct reject_place back;
        cr_assert(frame_next_reject(&reader, 1000, &back));
        cr_assert_eq(back.offset, places[i].offset);
        cr_assert_eq(back.index, places[i].index);
        cr_assert_eq(back.rule_number, places[i].rule_number);
    }
    struct reject_place none;
    cr_assert(!frame_next_reject(&reader, 1000, &none));

    struct buffer entries = {0};
    static const struct ledger_key keys[2] = {{{11, 12}},
                                              {{1ULL << 63 | 11, 12}}}; /* one with a short form, one without */
    for (int i = 0; i < 2; i++)
        frame_put_entry(&entries, &keys[i], (struct bytes){(const uint8_t *)"contribution", 12});
    cr_assert_eq(entries.length, 2 * (1 + 12) + LEDGER_KEY_SHORT_BYTES + LEDGER_KEY_LONG_BYTES);
    reader = reader_of(buffer_bytes(&entries));
    struct ledger_key key_back;
    struct bytes contribution;
    for (int i = 0; i < 2; i++) {
        cr_assert(frame_next_entry(&reader, SECTION_LEDGER, &key_back, &contribution));
        cr_assert_eq(key_back.word[0], keys[i].word[0]);
        cr_assert_eq(key_back.word[1], 12);
        cr_assert_eq(contribution.length, 12);
    }
    cr_assert(!frame_next_entry(&reader, SECTION_LEDGER, &key_back, &contribution));
    cr_assert(!reader.failed);
    buffer_fini(&entries);
    buffer_fini(&buffer);
}

Test(frame, a_place_that_no_reject_can_have_is_broken)
{
    static const struct {
        const char *what;
        uint64_t distance;
        int64_t index;
        uint64_t rule_number;
        bool is_good;
    } cases[] = {
        {"the largest", INT64_MAX - 1000, INT32_MAX, RULE_NUMBERS - 1, true},
        {"an offset beyond all", INT64_MAX - 999, -1, 4, false},
        {"an index below that of a single record", 1, -2, 4, false},
        {"an index beyond all", 1, (int64_t)INT32_MAX + 1, 4, false},
        {"a rule that is none", 1, -1, RULE_NUMBERS, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reject_place place;
        struct buffer bytes = {0};
        buffer_add_varint(&bytes, cases[i].distance);
        buffer_add_zigzag(&bytes, cases[i].index);
        buffer_add_varint(&bytes, cases[i].rule_number);
        struct reader reader = reader_of(buffer_bytes(&bytes));
        cr_assert_eq(frame_next_reject(&reader, 1000, &place), cases[i].is_good, "%s", cases[i].what);
        cr_assert_eq(reader.failed, !cases[i].is_good, "%s", cases[i].what);
        buffer_fini(&bytes);
    }
}

Test(frame, control_totals_round_trip_beyond_64_bits)
{
    struct control control = {.tally = {(i128)INT64_MAX * 1000, -(i128)INT64_MAX * 1000, -5},
                              .ledger = {UINT64_MAX, 3, UINT64_MAX - 1, 4},
                              .floor = 666};
    control.verdicts[VERDICT_STALE] = 8;
    struct control back;
    struct buffer buffer = {0};
    frame_put_control(&buffer, &control);

    cr_assert(frame_get_control(only_section(&buffer, SECTION_CONTROL), &back));
    cr_assert(back.tally.value_minor == control.tally.value_minor);
    cr_assert(back.tally.net_mass_mg == control.tally.net_mass_mg);
    cr_assert_eq(back.tally.items, -5);
    cr_assert(ledger_sums_equal(&back.ledger, &control.ledger));
    cr_assert_eq(back.floor, 666);
    cr_assert_eq(back.verdicts[VERDICT_STALE], 8);
    buffer_fini(&buffer);
}
