/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sample.h"

#include "base/check.h"
#include "flow/wire.h"

#include <stdio.h>
#include <string.h>

enum { KG_MG = 1000000 };

static struct item plain_item(void)
{
    return (struct item){
        .item_no = 1,
        .hs_code = TEXT("720851"),
        .net_mass_mg = 1000LL * KG_MG,
        .statistical_value_minor = 100000,
        .origin_country = TEXT("KZ"),
        .procedure = TEXT("40"),
        .customs_value_minor = 100000,
        .gross_mass_mg = 1100LL * KG_MG,
        .package_count = 1,
        .description = TEXT("steel plates"),
    };
}

/* Header fields that sum over the items. */
static void add_up(struct sample *sample)
{
    struct declaration *d = &sample->declaration;
    d->item_count = d->items.count;
    d->total_gross_mass_mg = 0;
    d->total_packages = 0;
    for (uint32_t i = 0; i < d->items.count; i++) {
        d->total_gross_mass_mg += sample->items[i].gross_mass_mg;
        d->total_packages += sample->items[i].package_count;
    }
}

void sample_init(struct sample *sample, const char *id)
{
    *sample = (struct sample){0};
    snprintf(sample->id, sizeof sample->id, "%s", id);
    sample->items[0] = plain_item();
    sample->declaration = (struct declaration){
        .declaration_id = text_of(sample->id),
        .version = 1,
        .function = FUNCTION_ORIGINAL,
        .direction = DIRECTION_IMPORT,
        .reference_date = 20250715,
        .office_code = TEXT("9407"),
        .border_transport_mode = 3,
        .accepted_at_ms = 1752544800000, /* 2025-07-15T02:00Z */
        .schema_version = 1,
        .scheme = SCHEME_OTHER,
        .reporter = TEXT("CN"),
        .declaration_type = DECLARATION_TYPE_NORMAL,
        .status = STATUS_RELEASED,
        .submitted_at_ms = 1752544700000,
        .declarant_id = TEXT("DECLARANT1"),
        .trader_id = TEXT("TRADER1"),
        .reporting_currency = TEXT("CNY"),
        .items = {sample->items, 1},
    };
    add_up(sample);
}

void sample_replace(struct sample *sample, uint32_t version)
{
    sample->declaration.function = FUNCTION_REPLACE;
    sample->declaration.version = version;
}

void sample_cancel(struct sample *sample, uint32_t version)
{
    int64_t accepted_at_ms = sample->declaration.accepted_at_ms;
    sample->declaration = (struct declaration){
        .declaration_id = text_of(sample->id),
        .version = version,
        .function = FUNCTION_CANCEL,
        .accepted_at_ms = accepted_at_ms,
        .schema_version = 1,
    };
}

struct item *sample_add_item(struct sample *sample, const char *hs_code, int64_t value_minor)
{
    uint32_t index = sample->declaration.items.count;
    CHECK(index < SAMPLE_ITEMS_MOST);
    struct item *item = &sample->items[index];
    *item = plain_item();
    item->item_no = index + 1;
    item->hs_code = text_of(hs_code);
    item->statistical_value_minor = value_minor;
    item->customs_value_minor = value_minor;
    sample->declaration.items.count = index + 1;
    add_up(sample);
    return item;
}

void sample_encode(const struct sample *sample, struct buffer *out)
{
    wire_encode(&sample->declaration, out);
}

int64_t sample_put(const struct sample *sample, struct world *world, int32_t partition, int64_t timestamp_ms)
{
    struct buffer bytes = {0};
    sample_encode(sample, &bytes);
    struct world_record record = {.key = {(const uint8_t *)sample->id, strlen(sample->id)},
                                  .value = buffer_bytes(&bytes),
                                  .timestamp_ms = timestamp_ms};
    int64_t offset = world_put(world, PORT_DECLARATIONS, partition, &record);
    buffer_fini(&bytes);
    return offset;
}
