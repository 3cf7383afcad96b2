/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/statistic_content.h"

#include "base/hash.h"
#include "base/memory.h"
#include "flow/statistic_read.h"

static const uint64_t content_seed = 0x5354415449535443; /* any but HASH_P0, which hash_bytes would cancel out */

static void *unpack_alloc(void *data, size_t bytes)
{
    (void)data;
    return memory_new(1, bytes);
}

static void unpack_free(void *data, void *memory)
{
    (void)data;
    memory_free(memory);
}

void statistic_content_free(Customs__V1__Statistic *record)
{
    ProtobufCAllocator allocator = {unpack_alloc, unpack_free, NULL};
    if (record)
        customs__v1__statistic__free_unpacked(record, &allocator);
}

/* protobuf-c takes a field of number 0 that is written in two bytes, and writes it again in a form that nobody reads. */
static bool has_field_zero(const Customs__V1__Statistic *record)
{
    for (unsigned i = 0; i < record->base.n_unknown_fields; i++) {
        if (record->base.unknown_fields[i].tag == 0)
            return true;
    }
    return false;
}

Customs__V1__Statistic *statistic_content_unpack(struct bytes value)
{
    ProtobufCAllocator allocator = {unpack_alloc, unpack_free, NULL};
    Customs__V1__Statistic *record = customs__v1__statistic__unpack(&allocator, value.length, value.data);
    if (!record || !has_field_zero(record))
        return record;
    statistic_content_free(record);
    return NULL;
}

/* Texts are separated by a byte that UTF-8 never holds. */
uint64_t statistic_content_of(const Customs__V1__Statistic *m)
{
    if (m->items == 0)
        return STATISTIC_ABSENT;
    const uint64_t numbers[] = {
        (uint64_t)m->frequency,
        (uint64_t)m->period_from << 32 | m->period_to,
        (uint64_t)m->flow << 32 | (uint64_t)m->partner_basis << 16 | (uint64_t)m->value_basis << 8 |
            (uint64_t)m->confidentiality,
        m->transport_mode,
        (uint64_t)m->hour_from_ms,
        (uint64_t)m->hour_to_ms,
        (uint64_t)m->value_minor,
        (uint64_t)m->customs_value_minor,
        (uint64_t)m->net_mass_g,
        (uint64_t)m->gross_mass_g,
        (uint64_t)m->supp_quantity_micro,
        m->declarations,
        m->items,
        m->packages,
        (uint64_t)m->base_value_minor,
        (uint64_t)m->base_net_mass_g,
        (uint64_t)m->estimated_net_mass_g,
        m->warned_items,
        m->late_items,
        m->loaded_items,
        (uint64_t)m->has_yoy_value_ppm_case << 32 | (uint64_t)m->has_yoy_net_mass_ppm_case,
        m->has_yoy_value_ppm_case ? (uint64_t)m->yoy_value_ppm : 0,
        m->has_yoy_net_mass_ppm_case ? (uint64_t)m->yoy_net_mass_ppm : 0,
    };
    const char *const texts[] = {
        m->view,        m->reporter,      m->office_code,    m->border_office_code, m->zone_code,
        m->partner,     m->partner_group, m->commodity_code, m->classification,     m->trade_mode,
        m->region_code, m->currency,      m->supp_unit,
    };
    uint64_t hash = hash_bytes(numbers, sizeof numbers, content_seed);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        hash = texts[i][0] ? hash_bytes(texts[i], strlen(texts[i]), hash + i) : hash_mix(hash ^ HASH_P1, HASH_P2 + i);
    return hash > STATISTIC_UNKNOWN ? hash : hash + 2;
}

bool statistic_content(struct bytes value, uint64_t *out_content)
{
    struct statistic_scratch scratch;
    if (statistic_read(value, &scratch)) {
        *out_content = statistic_content_of(&scratch.message);
        return true;
    }
    Customs__V1__Statistic *record = statistic_content_unpack(value);
    if (!record)
        return false;
    *out_content = statistic_content_of(record);
    statistic_content_free(record);
    return true;
}
