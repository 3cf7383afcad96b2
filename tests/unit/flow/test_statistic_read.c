/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/statistic_read.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_BYTES = 4096, RECORDS = 2000, MUTATIONS = 40 };

static unsigned luck;

static uint64_t any(void)
{
    uint64_t wide = (uint64_t)rand_r(&luck) << 42 ^ (uint64_t)rand_r(&luck) << 21 ^ (uint64_t)rand_r(&luck);
    unsigned kind = (unsigned)rand_r(&luck) % 4;
    return kind == 0 ? 0 : kind == 1 ? wide % 300 : kind == 2 ? wide : ~wide;
}

static char *some_text(char out[static 16])
{
    size_t length = (size_t)rand_r(&luck) % 12;
    for (size_t i = 0; i < length; i++)
        out[i] = (char)('A' + rand_r(&luck) % 40);
    out[length] = '\0';
    return out;
}

/* A record with any values in all fields, as protobuf-c packs it. */
static size_t pack_any(uint8_t out[static RECORD_BYTES])
{
    Customs__V1__Statistic m = CUSTOMS__V1__STATISTIC__INIT;
    char texts[13][16];
    char **const members[] = {
        &m.view,        &m.reporter,      &m.office_code,    &m.border_office_code, &m.zone_code,
        &m.partner,     &m.partner_group, &m.commodity_code, &m.classification,     &m.trade_mode,
        &m.region_code, &m.currency,      &m.supp_unit,
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        *members[i] = some_text(texts[i]);
    m.frequency = (Customs__V1__Frequency)(any() % 6);
    m.flow = (Customs__V1__Flow)(any() % 6);
    m.partner_basis = (Customs__V1__PartnerBasis)(any() % 4);
    m.value_basis = (Customs__V1__ValueBasis)(any() % 4);
    m.confidentiality = (Customs__V1__Confidentiality)(any() % 2);
    m.state = (Customs__V1__State)(any() % 4);
    m.period_from = (uint32_t)(any() >> 40);
    m.period_to = (uint32_t)any();
    m.transport_mode = (uint32_t)(any() % 100);
    int64_t *const numbers[] = {&m.hour_from_ms,    &m.hour_to_ms,   &m.value_minor,         &m.customs_value_minor,
                                &m.net_mass_g,      &m.gross_mass_g, &m.supp_quantity_micro, &m.base_value_minor,
                                &m.base_net_mass_g, &m.as_of_ms,     &m.watermark_ms,        &m.estimated_net_mass_g};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i] = (int64_t)any();
    m.declarations = any();
    m.items = any();
    m.packages = any();
    m.as_of = any();
    m.warned_items = any();
    m.late_items = any();
    m.loaded_items = any();
    if (rand_r(&luck) % 2) {
        m.has_yoy_value_ppm_case = CUSTOMS__V1__STATISTIC__HAS_YOY_VALUE_PPM_YOY_VALUE_PPM;
        m.yoy_value_ppm = (int64_t)any();
    }
    if (rand_r(&luck) % 2) {
        m.has_share_ppm_case = CUSTOMS__V1__STATISTIC__HAS_SHARE_PPM_SHARE_PPM;
        m.share_ppm = (int64_t)any();
    }
    cr_assert_leq(customs__v1__statistic__get_packed_size(&m), RECORD_BYTES);
    return customs__v1__statistic__pack(&m, out);
}

/* What is read must be what protobuf-c reads. False: it is left to protobuf-c. */
static bool agrees(struct bytes value)
{
    struct statistic_scratch scratch;
    if (!statistic_read(value, &scratch))
        return false;
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, value.length, value.data);
    cr_assert(m, "protobuf-c refuses %zu bytes that were read", value.length);
    cr_assert_eq(m->base.n_unknown_fields, 0);
    uint8_t own[RECORD_BYTES];
    uint8_t theirs[RECORD_BYTES];
    size_t own_bytes = customs__v1__statistic__pack(&scratch.message, own);
    cr_assert_eq(own_bytes, customs__v1__statistic__pack(m, theirs));
    cr_assert_arr_eq(own, theirs, own_bytes);
    customs__v1__statistic__free_unpacked(m, NULL);
    return true;
}

/* In memory of exactly its size, so that the sanitizer sees a read too far. */
static bool agrees_alone(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, bytes, length);
    bool read = agrees((struct bytes){copy, length});
    free(copy);
    return read;
}

Test(statistic_read, is_what_protobuf_c_reads)
{
    uint8_t bytes[RECORD_BYTES];
    size_t read = 0;
    luck = 7;
    for (int i = 0; i < RECORDS; i++) {
        size_t length = pack_any(bytes);
        read += agrees_alone(bytes, length);
    }
    cr_assert_gt(read, RECORDS / 3, "%zu; 32 bits of any height are left to protobuf-c", read);
    cr_assert(agrees_alone(bytes, 0), "the empty record");
}

Test(statistic_read, mutated_and_truncated_bytes_are_read_as_protobuf_c_reads_them_or_left)
{
    uint8_t bytes[RECORD_BYTES];
    size_t read = 0;
    luck = 11;
    for (int i = 0; i < RECORDS; i++) {
        size_t length = pack_any(bytes);
        for (int j = 0; j < MUTATIONS && length > 0; j++) {
            uint8_t mutated[RECORD_BYTES];
            memcpy(mutated, bytes, length);
            for (int k = rand_r(&luck) % 3; k >= 0; k--)
                mutated[(size_t)rand_r(&luck) % length] = (uint8_t)rand_r(&luck);
            read += agrees_alone(mutated, j % 4 ? length : (size_t)rand_r(&luck) % length);
        }
    }
    cr_assert_gt(read, RECORDS);
}

Test(statistic_read, what_protobuf_c_knows_better_is_left_to_it)
{
    static const struct {
        const char *what;
        uint8_t bytes[12];
        size_t length;
    } cases[] = {
        {"an unknown field", {0xF0, 0x03, 0x01}, 3},
        {"another wire type", {0x0D, 1, 2, 3, 4}, 5},
        {"a text with a zero byte", {0x0A, 0x02, 'A', 0x00}, 4},
        {"a text that is cut", {0x0A, 0x05, 'A'}, 3},
        {"a number that is cut", {0xA0, 0x01, 0x80}, 3},
        {"a tag of six bytes", {0x90, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01}, 7},
        {"a negative enum", {0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}, 11},
        {"field 0", {0x00, 0x01}, 2},
    };
    struct statistic_scratch scratch;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_not(statistic_read((struct bytes){cases[i].bytes, cases[i].length}, &scratch), "%s", cases[i].what);
}

Test(statistic_read, texts_beyond_the_scratch_are_left)
{
    uint8_t bytes[3 + STATISTIC_TEXTS_BYTES] = {0x0A, ((STATISTIC_TEXTS_BYTES - 1) & 0x7F) | 0x80,
                                                (STATISTIC_TEXTS_BYTES - 1) >> 7};
    struct statistic_scratch scratch;
    memset(bytes + 3, 'A', STATISTIC_TEXTS_BYTES);
    cr_assert(statistic_read((struct bytes){bytes, sizeof bytes - 1}, &scratch));
    cr_assert_eq(strlen(scratch.message.view), STATISTIC_TEXTS_BYTES - 1);

    uint8_t longer[3 + STATISTIC_TEXTS_BYTES] = {0x0A, (STATISTIC_TEXTS_BYTES & 0x7F) | 0x80,
                                                 STATISTIC_TEXTS_BYTES >> 7};
    memset(longer + 3, 'A', STATISTIC_TEXTS_BYTES);
    cr_assert_not(statistic_read((struct bytes){longer, sizeof longer}, &scratch));
}
