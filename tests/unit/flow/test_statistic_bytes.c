/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/statistic_bytes.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static uint64_t state = 0x9E3779B97F4A7C15;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Zero, small, or of any size and sign. */
static int64_t some_number(void)
{
    uint64_t dice = next_random();
    return dice % 4 == 0 ? 0 : (int64_t)(next_random() >> (dice >> 8) % 64) * (dice & 64 ? -1 : 1);
}

static char *some_text(char out[static 600])
{
    size_t length = next_random() % 8 == 0 ? 200 + next_random() % 300 : next_random() % 10;
    for (size_t i = 0; i < length; i++)
        out[i] = (char)('!' + next_random() % 90);
    out[length] = '\0';
    return out;
}

static char texts[13][600];

static Customs__V1__Statistic some_record(void)
{
    Customs__V1__Statistic m = CUSTOMS__V1__STATISTIC__INIT;
    char **const fields[] = {&m.view,        &m.reporter,      &m.office_code,    &m.border_office_code, &m.zone_code,
                             &m.partner,     &m.partner_group, &m.commodity_code, &m.classification,     &m.trade_mode,
                             &m.region_code, &m.currency,      &m.supp_unit};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        *fields[i] = some_text(texts[i]);
    int64_t *const numbers[] = {&m.hour_from_ms,    &m.hour_to_ms,   &m.value_minor,         &m.customs_value_minor,
                                &m.net_mass_g,      &m.gross_mass_g, &m.supp_quantity_micro, &m.base_value_minor,
                                &m.base_net_mass_g, &m.as_of_ms,     &m.watermark_ms,        &m.estimated_net_mass_g};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i] = some_number();
    uint64_t *const counts[] = {&m.declarations, &m.items,      &m.packages,    &m.as_of,
                                &m.warned_items, &m.late_items, &m.loaded_items};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        *counts[i] = (uint64_t)some_number();
    m.frequency = next_random() % 8;
    m.flow = next_random() % 6;
    m.partner_basis = next_random() % 4;
    m.value_basis = next_random() % 4;
    m.state = next_random() % 5;
    m.confidentiality = next_random() % 4;
    m.period_from = (uint32_t)some_number();
    m.period_to = (uint32_t)some_number();
    m.transport_mode = (uint32_t)some_number();
    m.has_yoy_value_ppm_case = next_random() % 2 ? CUSTOMS__V1__STATISTIC__HAS_YOY_VALUE_PPM_YOY_VALUE_PPM : 0;
    m.yoy_value_ppm = some_number();
    m.has_yoy_net_mass_ppm_case = next_random() % 2 ? CUSTOMS__V1__STATISTIC__HAS_YOY_NET_MASS_PPM_YOY_NET_MASS_PPM : 0;
    m.yoy_net_mass_ppm = some_number();
    m.has_share_ppm_case = next_random() % 2 ? CUSTOMS__V1__STATISTIC__HAS_SHARE_PPM_SHARE_PPM : 0;
    m.share_ppm = some_number();
    return m;
}

Test(statistic_bytes, are_those_of_protobuf_c_for_any_record)
{
    for (int round = 0; round < 20000; round++) {
        Customs__V1__Statistic m = some_record();
        size_t want_bytes = customs__v1__statistic__get_packed_size(&m);
        uint8_t *want = malloc(want_bytes + 1);
        uint8_t *have = malloc(statistic_bytes_most(&m));
        cr_assert(want && have);
        customs__v1__statistic__pack(&m, want);
        size_t bytes = (size_t)(statistic_bytes_put(have, &m) - have);
        cr_assert_eq(bytes, want_bytes, "round %d: %zu bytes, not %zu", round, bytes, want_bytes);
        cr_assert_arr_eq(have, want, bytes, "round %d", round);
        struct statistic_time time = {.as_of = 1};
        cr_assert(statistic_bytes_time((struct bytes){have, bytes}, &time));
        cr_assert(time.as_of == m.as_of && time.state == (unsigned)m.state && time.watermark_ms == m.watermark_ms);
        free(have);
        free(want);
    }
}

/* protobuf-c keeps what an enum's number is, though no program of ours writes such a one. */
Test(statistic_bytes, a_negative_enum_has_its_sign_in_ten_bytes_as_protobuf_c_writes_it)
{
    static const uint8_t read[] = {0x30, 0x8C, 0xD1, 0xD1, 0xD5, 0x2C}; /* flow, of which the lower 32 bits are kept */
    uint8_t want[64];
    uint8_t have[1024];
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, sizeof read, read);
    cr_assert(m);
    cr_assert_leq(statistic_bytes_most(m), sizeof have);
    cr_assert_eq(customs__v1__statistic__pack(m, want), 11);
    cr_assert_eq(statistic_bytes_put(have, m) - have, 11);
    cr_assert_arr_eq(have, want, 11);
    customs__v1__statistic__free_unpacked(m, NULL);
}

/* Consumers read it so, too: what we take for broken and they do not would be newer there than what is published after it. */
Test(statistic_bytes, time_is_read_of_whatever_protobuf_c_reads)
{
    static const uint8_t long_number[] = {0x98, 0x03, 0x85, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x0C};
    static const uint8_t long_tag[] = {0x98, 0x83, 0x00, 0x05};
    static const uint8_t group[] = {0x98, 0x03, 0x05, 0xA3, 0x1F};
    struct statistic_time time;

    cr_assert(statistic_bytes_time((struct bytes){long_number, sizeof long_number}, &time));
    cr_assert_eq(time.as_of, 5);
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, sizeof long_number, long_number);
    cr_assert(m && m->as_of == 5);
    customs__v1__statistic__free_unpacked(m, NULL);
    cr_assert(statistic_bytes_time((struct bytes){long_tag, sizeof long_tag}, &time));
    cr_assert_eq(time.as_of, 5);
    cr_assert_not(statistic_bytes_time((struct bytes){group, sizeof group}, &time));
    cr_assert_not(statistic_bytes_time((struct bytes){long_number, sizeof long_number - 1}, &time));
}

/* A field that was added to the message and not to statistic_bytes_put would be missing from the topic. */
Test(statistic_bytes, every_field_of_the_message_is_known)
{
    static const unsigned fields[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31,
                                      40, 41, 43, 44, 46, 50, 51, 52, 53, 54, 55, 56, 57, 58};
    cr_assert_eq(customs__v1__statistic__descriptor.n_fields, sizeof fields / sizeof fields[0]);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        cr_assert_eq(customs__v1__statistic__descriptor.fields[i].id, fields[i]);
}
