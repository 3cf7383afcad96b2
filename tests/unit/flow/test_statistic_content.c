/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/statistic_content.h"

#include <criterion/criterion.h>
#include <string.h>

enum { BYTES_MOST = 1024 };

static Customs__V1__Statistic some(void)
{
    Customs__V1__Statistic m = CUSTOMS__V1__STATISTIC__INIT;
    m.items = 1;
    return m;
}

/* Content of the bytes that protobuf-c makes of it, behind which `more` stands. */
static uint64_t content_of(const Customs__V1__Statistic *m, const char *more)
{
    uint8_t bytes[BYTES_MOST];
    uint64_t content = 0;
    size_t length = customs__v1__statistic__pack(m, bytes);
    memcpy(bytes + length, more, strlen(more));
    cr_assert(statistic_content((struct bytes){bytes, length + strlen(more)}, &content));
    return content;
}

Test(statistic_content, a_value_and_its_message_have_the_same_one)
{
    Customs__V1__Statistic m = some();
    m.value_minor = 7;

    cr_expect_eq(content_of(&m, ""), statistic_content_of(&m));
    cr_expect_eq(content_of(&m, "\xF8\x7F\x01"), statistic_content_of(&m), "a field of a newer program");
}

Test(statistic_content, any_other_number_is_another_content)
{
    Customs__V1__Statistic m = some();
    int64_t *const signed_ones[] = {
        &m.value_minor,      &m.customs_value_minor, &m.net_mass_g,           &m.gross_mass_g, &m.supp_quantity_micro,
        &m.base_value_minor, &m.base_net_mass_g,     &m.estimated_net_mass_g, &m.hour_from_ms, &m.hour_to_ms};
    uint64_t *const counts[] = {&m.declarations, &m.items,      &m.packages,
                                &m.warned_items, &m.late_items, &m.loaded_items};
    uint32_t *const others[] = {&m.period_from, &m.period_to, &m.transport_mode};
    uint64_t plain = statistic_content_of(&m);
    for (size_t i = 0; i < sizeof signed_ones / sizeof signed_ones[0]; i++) {
        ++*signed_ones[i];
        cr_expect_neq(statistic_content_of(&m), plain, "number %zu", i);
        --*signed_ones[i];
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        ++*counts[i];
        cr_expect_neq(statistic_content_of(&m), plain, "count %zu", i);
        --*counts[i];
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ++*others[i];
        cr_expect_neq(statistic_content_of(&m), plain, "other %zu", i);
        --*others[i];
    }
    cr_expect_eq(statistic_content_of(&m), plain);
    m.has_yoy_value_ppm_case = CUSTOMS__V1__STATISTIC__HAS_YOY_VALUE_PPM_YOY_VALUE_PPM;
    cr_expect_neq(statistic_content_of(&m), plain, "growth of 0 is not no growth");
}

Test(statistic_content, a_text_is_not_the_same_in_another_field)
{
    Customs__V1__Statistic m = some();
    char **const texts[] = {&m.view,        &m.reporter,      &m.office_code,    &m.border_office_code, &m.zone_code,
                            &m.partner,     &m.partner_group, &m.commodity_code, &m.classification,     &m.trade_mode,
                            &m.region_code, &m.currency,      &m.supp_unit};
    enum { TEXTS = sizeof texts / sizeof texts[0] };
    uint64_t seen[TEXTS + 1] = {[TEXTS] = statistic_content_of(&m)};
    for (size_t i = 0; i < TEXTS; i++) {
        char *empty = *texts[i];
        *texts[i] = (char[]){"53"};
        seen[i] = statistic_content_of(&m);
        *texts[i] = empty;
    }
    for (size_t a = 0; a <= TEXTS; a++) {
        for (size_t b = 0; b < a; b++)
            cr_expect_neq(seen[a], seen[b], "%zu and %zu", a, b);
    }
}

Test(statistic_content, when_it_was_published_and_what_the_month_is_do_not_count)
{
    Customs__V1__Statistic m = some();
    uint64_t plain = statistic_content_of(&m);

    m.state = CUSTOMS__V1__STATE__STATE_FINAL;
    m.as_of = 7;
    m.as_of_ms = 8;
    m.watermark_ms = 9;
    m.has_share_ppm_case = CUSTOMS__V1__STATISTIC__HAS_SHARE_PPM_SHARE_PPM;
    m.share_ppm = 10;

    cr_expect_eq(statistic_content_of(&m), plain);
    cr_expect_eq(content_of(&m, ""), plain);
}

Test(statistic_content, without_items_it_is_absent_whatever_else_it_says)
{
    Customs__V1__Statistic m = some();
    m.value_minor = 7;
    cr_expect_gt(statistic_content_of(&m), STATISTIC_UNKNOWN);

    m.items = 0;

    cr_expect_eq(statistic_content_of(&m), STATISTIC_ABSENT);
    cr_expect_eq(content_of(&m, ""), STATISTIC_ABSENT);
}

Test(statistic_content, what_is_no_record_has_none)
{
    static const uint8_t cut[] = {0x0A, 0x05, 'f', 'l'};
    static const uint8_t zero[] = {0x81, 0x00, 1, 2, 3, 4, 5, 6, 7, 8}; /* a field of number 0 */
    uint64_t content = 77;

    cr_expect_not(statistic_content((struct bytes){cut, sizeof cut}, &content));
    cr_expect_not(statistic_content((struct bytes){zero, sizeof zero}, &content));
    cr_expect_null(statistic_content_unpack((struct bytes){cut, sizeof cut}));
    cr_expect_null(statistic_content_unpack((struct bytes){zero, sizeof zero}));
    cr_expect_eq(content, 77);
    statistic_content_free(NULL);
}

Test(statistic_content, a_field_of_a_newer_program_is_kept_in_the_message)
{
    static const uint8_t newer[] = {0xF8, 0x7F, 0x01};

    Customs__V1__Statistic *m = statistic_content_unpack((struct bytes){newer, sizeof newer});

    cr_assert(m);
    cr_expect_eq(m->base.n_unknown_fields, 1);
    cr_expect_eq(customs__v1__statistic__get_packed_size(m), sizeof newer);
    statistic_content_free(m);
}
