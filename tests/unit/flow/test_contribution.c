/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cell.h"
#include "flow/contribution.h"
#include "sim/sample.h"
#include "trade/calendar.h"

#include <criterion/criterion.h>

static struct reference *lists(void)
{
    struct reference *reference;
    struct err_info info;
    cr_assert_eq(reference_load(DRYPORT_SOURCE "/tests/data/reference", NULL, &reference, &info), OK, "%s", info.text);
    return reference;
}

static void assert_same(const struct contribution *a, const struct contribution *b)
{
    cr_assert_eq(a->digest, b->digest);
    cr_assert_eq(a->declarant, b->declarant);
    cr_assert_eq(a->version, b->version);
    cr_assert_eq(a->cancel, b->cancel);
    cr_assert_eq(a->warned, b->warned);
    cr_assert_eq(a->direction, b->direction);
    cr_assert_eq(a->scheme, b->scheme);
    cr_assert_eq(a->mode, b->mode);
    cr_assert_eq(a->day, b->day);
    cr_assert_eq(a->hour, b->hour);
    cr_assert_eq(a->submitted, b->submitted);
    cr_assert_eq(a->office, b->office);
    cr_assert_eq(a->border_office, b->border_office);
    cr_assert_eq(a->zone, b->zone);
    cr_assert_eq(a->trade_mode, b->trade_mode);
    cr_assert_eq(a->item_count, b->item_count);
    for (uint32_t i = 0; i < a->item_count; i++) {
        const struct contribution_item *x = &a->items[i];
        const struct contribution_item *y = &b->items[i];
        cr_assert_eq(x->hs, y->hs);
        cr_assert_eq(x->hs_digits, y->hs_digits);
        cr_assert_eq(x->flow, y->flow);
        cr_assert_eq(x->estimated, y->estimated);
        cr_assert_eq(x->partner, y->partner);
        cr_assert_eq(x->consignment, y->consignment);
        cr_assert_eq(x->region, y->region);
        cr_assert_eq(x->packages, y->packages);
        cr_assert_eq(x->value_minor, y->value_minor);
        cr_assert_eq(x->customs_value_minor, y->customs_value_minor);
        cr_assert_eq(x->net_mass_mg, y->net_mass_mg);
        cr_assert_eq(x->gross_mass_mg, y->gross_mass_mg);
        cr_assert_eq(x->supp_quantity_micro, y->supp_quantity_micro);
    }
}

static size_t submission_bytes(const struct contribution *contribution)
{
    uint8_t bytes[16];
    int64_t after = contribution->submitted - contribution->hour * 60;
    return contribution->submitted ? (size_t)(varint_put(bytes, zigzag_of(after)) - bytes) : 0;
}

static void round_trip(const struct contribution *contribution)
{
    struct buffer bytes = {0};
    contribution_encode(contribution, &bytes);
    struct contribution back = {0};
    cr_assert(contribution_decode(buffer_bytes(&bytes), &back));
    assert_same(contribution, &back);
    cr_assert_eq(contribution_digest(buffer_bytes(&bytes)), contribution->digest);
    struct contribution cut = {0};
    size_t whole = bytes.length - submission_bytes(contribution); /* what stands behind may be lacking: version 1 */
    for (size_t length = 0; length < bytes.length; length++)
        cr_assert(length == whole || !contribution_decode((struct bytes){bytes.data, length}, &cut), "%zu of %zu bytes",
                  length, bytes.length);
    if (!contribution->submitted)
        buffer_add_u8(&bytes, 0); /* which says a submission */
    buffer_add_u8(&bytes, 0);
    cr_assert(!contribution_decode(buffer_bytes(&bytes), &cut), "one byte too many");
    contribution_fini(&cut);
    contribution_fini(&back);
    buffer_fini(&bytes);
}

Test(contribution, round_trips_extremes)
{
    struct contribution_item items[3] = {
        {.hs = 9999999999,
         .hs_digits = 10,
         .flow = FLOW_RX,
         .estimated = true,
         .partner = 0x5A5A,
         .consignment = 0x4141,
         .region = CELL_REGION_MOST,
         .packages = UINT32_MAX,
         .value_minor = INT64_MAX,
         .customs_value_minor = INT64_MIN,
         .net_mass_mg = INT64_MAX - 7,
         .gross_mass_mg = INT64_MIN,
         .supp_quantity_micro = INT64_MIN},
        {.flow = FLOW_X},
        {.hs = 7208510000,
         .hs_digits = 6,
         .flow = FLOW_X,
         .partner = 0x4B5A,
         .value_minor = 123456,
         .customs_value_minor = 123456,
         .net_mass_mg = 1000,
         .gross_mass_mg = 1001,
         .supp_quantity_micro = 1500000},
    };
    struct contribution contribution = {
        .digest = UINT64_MAX,
        .declarant = UINT32_MAX,
        .version = 999,
        .late = true,
        .warned = true,
        .direction = DIRECTION_EXPORT,
        .scheme = SCHEME_OTHER,
        .mode = CELL_MODE_MOST,
        .day = calendar_day(70001231),
        .hour = INT64_MAX / 3600000,
        .submitted = 1,
        .office = 7,
        .border_office = DICTIONARY_MOST,
        .zone = 1,
        .trade_mode = 2,
        .item_count = 3,
        .items = items,
    };
    round_trip(&contribution);
    contribution.day = calendar_day(19000101);
    contribution.hour = INT64_MIN / 3600000;
    contribution.submitted = INT64_MAX / 60000;
    contribution.item_count = 0;
    contribution.cancel = true;
    round_trip(&contribution);
}

/* A frame's check sum may be right though no writer made it: such numbers would run into other fields of a key. */
static void expect_unsound(void (*spoil)(struct contribution *c), const char *what)
{
    struct contribution_item item = {.hs = 7208510000, .hs_digits = 10, .flow = FLOW_M};
    struct contribution c = {.direction = DIRECTION_IMPORT, .version = 1, .item_count = 1, .items = &item};
    struct contribution back = {0};
    struct buffer bytes = {0};
    spoil(&c);
    contribution_encode(&c, &bytes);
    cr_expect_not(contribution_decode(buffer_bytes(&bytes), &back), "%s", what);
    contribution_fini(&back);
    buffer_fini(&bytes);
}

static void of_a_late_day(struct contribution *c)
{
    c->day = 1 << 21;
}

static void of_an_early_day(struct contribution *c)
{
    c->day = -(1 << 21) - 1;
}

static void of_too_many_digits(struct contribution *c)
{
    c->items[0].hs_digits = 11;
}

static void of_a_large_commodity(struct contribution *c)
{
    c->items[0].hs = 10000000000;
}

static void of_no_flow(struct contribution *c)
{
    c->items[0].flow = FLOWS_MOST;
}

static void of_a_large_region(struct contribution *c)
{
    c->items[0].region = CELL_REGION_MOST + 1;
}

static void of_a_large_mode(struct contribution *c)
{
    c->mode = CELL_MODE_MOST + 1;
}

Test(contribution, what_a_key_has_no_room_for_is_refused)
{
    expect_unsound(of_a_late_day, "a day behind the last one");
    expect_unsound(of_an_early_day, "a day before the first one");
    expect_unsound(of_too_many_digits, "eleven digits");
    expect_unsound(of_a_large_commodity, "a commodity of eleven digits");
    expect_unsound(of_no_flow, "a flow that there is not");
    expect_unsound(of_a_large_region, "a region");
    expect_unsound(of_a_large_mode, "a mode");
}

Test(contribution, is_taken_from_an_import)
{
    struct reference *reference = lists();
    struct dictionary dictionary;
    dictionary_init(&dictionary);
    struct sample sample;
    sample_init(&sample, "A1");
    sample_add_item(&sample, "84713012", 500)->supp_quantity_micro = 3000000;
    sample.items[1].supp_unit = TEXT("H87");
    struct contribution contribution = {0};

    cr_assert_eq(contribution_from(&sample.declaration, reference, &dictionary, 42, true, true, &contribution, NULL),
                 OK);

    cr_assert_eq(contribution.day, calendar_day(20250715));
    cr_assert_eq(contribution.item_count, 2);
    cr_assert_eq(contribution.items[0].hs, 7208510000);
    cr_assert_eq(contribution.items[0].hs_digits, 6);
    cr_assert_eq(contribution.items[0].partner, 'K' << 8 | 'Z');
    cr_assert_eq(contribution.items[0].flow, FLOW_M);
    cr_assert_eq(contribution.items[0].supp_quantity_micro, 0);
    cr_assert_eq(contribution.items[1].hs, 8471301200);
    cr_assert_eq(contribution.items[1].hs_digits, 8);
    cr_assert_eq(contribution.items[1].supp_quantity_micro, 3000000, "pieces are the standard unit of 847130");
    cr_assert(contribution.warned);
    round_trip(&contribution);
    contribution_fini(&contribution);
    dictionary_fini(&dictionary);
    reference_free(reference);
}

Test(contribution, a_cancel_has_no_items)
{
    struct reference *reference = lists();
    struct dictionary dictionary;
    dictionary_init(&dictionary);
    struct sample sample;
    sample_init(&sample, "A1");
    sample_cancel(&sample, 1);
    struct contribution contribution = {0};

    cr_assert_eq(contribution_from(&sample.declaration, reference, &dictionary, 1, false, false, &contribution, NULL),
                 OK);

    cr_assert(contribution.cancel);
    cr_assert_eq(contribution.item_count, 0);
    contribution_fini(&contribution);
    dictionary_fini(&dictionary);
    reference_free(reference);
}

Test(contribution, a_code_that_is_no_number_has_no_commodity)
{
    struct reference *reference = lists();
    struct dictionary dictionary;
    dictionary_init(&dictionary);
    struct sample sample;
    sample_init(&sample, "A1");
    sample.items[0].hs_code = TEXT("72O851");
    struct contribution contribution = {0};

    cr_assert_eq(contribution_from(&sample.declaration, reference, &dictionary, 1, false, false, &contribution, NULL),
                 OK);

    cr_assert_eq(contribution.items[0].hs_digits, 0);
    contribution_fini(&contribution);
    dictionary_fini(&dictionary);
    reference_free(reference);
}

Test(contribution, a_code_is_its_first_ten_digits_wherever_a_character_is_none)
{
    struct reference *reference = lists();
    struct dictionary dictionary;
    dictionary_init(&dictionary);
    struct sample sample;
    sample_init(&sample, "A1");
    struct contribution contribution = {0};
    char code[] = "9081726354123";
    for (uint32_t length = 0; length < sizeof code; length++) {
        for (uint32_t wrong = 0; wrong <= length; wrong++) {
            for (const char *character = "/:\xB5 "; *character; character++) {
                char good = code[wrong];
                if (wrong < length)
                    code[wrong] = *character;
                sample.items[0].hs_code = (struct text){code, length};
                cr_assert_eq(contribution_from(&sample.declaration, reference, &dictionary, 1, false, false,
                                               &contribution, NULL),
                             OK);
                code[wrong] = good;

                uint64_t number = 0;
                for (uint32_t i = 0; i < HS_DIGITS_MOST; i++)
                    number = number * 10 + (i < length ? (uint64_t)(code[i] - '0') : 0);
                bool is_number = wrong == length || wrong >= HS_DIGITS_MOST;
                uint32_t digits = length < HS_DIGITS_MOST ? length : HS_DIGITS_MOST;
                cr_assert_eq(contribution.items[0].hs, is_number ? number : 0, "%u digits, %u wrong", length, wrong);
                cr_assert_eq(contribution.items[0].hs_digits, is_number ? digits : 0, "%u digits, %u wrong", length,
                             wrong);
            }
        }
    }
    contribution_fini(&contribution);
    dictionary_fini(&dictionary);
    reference_free(reference);
}

Test(contribution, the_day_is_that_of_the_date_or_of_the_acceptance_whatever_stood_there_before)
{
    struct reference *reference = lists();
    struct dictionary dictionary;
    dictionary_init(&dictionary);
    struct sample sample;
    sample_init(&sample, "A1");
    struct contribution contribution = {0};
    struct buffer bytes = {0};
    static const uint32_t dates[] = {20250715, 20250715, 20250716, 20250231, 0, 20250715, 0, 20250715, 20250715};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        sample.declaration.reference_date = dates[i];
        cr_assert_eq(
            contribution_from(&sample.declaration, reference, &dictionary, 1, false, false, &contribution, NULL), OK);
        cr_assert_eq(contribution.day, calendar_day(calendar_is_date(dates[i]) ? dates[i] : 20250715), "%zu", i);
        buffer_clear(&bytes);
        contribution.day += 7;
        contribution_encode(&contribution, &bytes);
        cr_assert(contribution_decode(buffer_bytes(&bytes), &contribution)); /* now it is of no date */
    }
    buffer_fini(&bytes);
    contribution_fini(&contribution);
    dictionary_fini(&dictionary);
    reference_free(reference);
}

Test(contribution, amounts_of_any_length_come_back)
{
    struct contribution_item item = {.hs = 7208510000, .hs_digits = 10, .flow = FLOW_M};
    struct contribution c = {.direction = DIRECTION_IMPORT, .version = 1, .item_count = 1, .items = &item};
    for (int bit = 0; bit < 63; bit++) {
        for (int64_t off = -1; off <= 1; off++) {
            int64_t amount = (int64_t)((uint64_t)1 << bit) + off;
            item.value_minor = amount;
            item.customs_value_minor = -amount;
            item.net_mass_mg = amount;
            item.gross_mass_mg = amount / 2000 * 1000;
            item.supp_quantity_micro = amount / 1000000 * 1000000;
            round_trip(&c);
        }
    }
}

static size_t entry_bytes(struct contribution *c, int64_t accepted_minute, int64_t submitted_minute)
{
    struct buffer bytes = {0};
    c->hour = accepted_minute / 60;
    c->submitted = submitted_minute;
    contribution_encode(c, &bytes);
    size_t length = bytes.length;
    buffer_fini(&bytes);
    round_trip(c);
    return length;
}

Test(contribution, the_time_of_submission_costs_a_byte_where_it_is_near_the_acceptance)
{
    struct contribution_item item = {.hs = 7208510000, .hs_digits = 10, .flow = FLOW_M};
    struct contribution c = {.direction = DIRECTION_IMPORT, .version = 1, .item_count = 1, .items = &item};
    enum { ACCEPTED = 29209080 }; /* 2025-07-15T02:00Z */
    c.day = ACCEPTED / 60 / 24;
    size_t without = entry_bytes(&c, ACCEPTED, 0);
    cr_expect_eq(entry_bytes(&c, ACCEPTED, ACCEPTED - 60), without + 1);
    cr_expect_eq(entry_bytes(&c, ACCEPTED + 59, ACCEPTED + 59), without + 1);
    cr_expect_eq(entry_bytes(&c, ACCEPTED, ACCEPTED - 4 * 1440), without + 2, "four days");
    cr_expect_eq(entry_bytes(&c, ACCEPTED, ACCEPTED - 365 * 1440), without + 3, "a year");
}

Test(contribution, a_full_dictionary_is_a_limit)
{
    struct reference *reference = lists();
    struct dictionary dictionary;
    dictionary_init(&dictionary);
    for (uint64_t i = 1; dictionary.count < DICTIONARY_MOST; i++)
        dictionary_number_of_code(&dictionary, i);
    struct sample sample;
    sample_init(&sample, "A1");
    struct contribution contribution = {0};
    struct err_info info;

    cr_assert_eq(contribution_from(&sample.declaration, reference, &dictionary, 1, false, false, &contribution, &info),
                 ERR_LIMIT);

    cr_assert(strstr(info.text, "offices.csv"));
    contribution_fini(&contribution);
    dictionary_fini(&dictionary);
    reference_free(reference);
}
