/* SPDX-License-Identifier: Apache-2.0 */
#include "offline/stream.h"

#include "base/memory.h"
#include "trade/calendar.h"

#include <stdio.h>

enum {
    IDS_MOST = 40,
    VERSIONS_AN_ID = 5,
    ITEMS_MOST = 4,
    DAYS = 120, /* of reference dates, from FIRST_DAY */
    VERSION_LAST = 999,
    MINUTE_MS = 60000,
    FUTURE_BOUND_MS = 5 * MINUTE_MS,
    DAY_MS = 86400000,
};

#define FIRST_DATE 20250501u
#define ZONE_MS (8 * 3600000LL) /* Asia/Shanghai has had no other offset since 1991 */

/* A code, and the unit of its supplementary quantity, empty for kg. */
static const struct {
    const char *hs;
    const char *unit;
} goods[] = {{"720851", ""},    {"270900", ""},    {"271121", ""},    {"847130", "H87"}, {"851713", "H87"},
             {"220421", "LTR"}, {"640399", "NPR"}, {"440711", "MTQ"}, {"051110", ""}};

static const char *const countries[] = {"KZ", "DE", "US", "KR", "UZ", "BY"};
static const char *const offices[] = {"9407", "1", "020", "2704"};
static const char *const import_procedures[] = {"40", "40", "40", "40", "71", "53", "61"}; /* temporary, re-import */
static const char *const export_procedures[] = {"10", "10", "10", "31"};                   /* re-export */
static const uint32_t modes[] = {1, 2, 3, 4, 5, 8, 9};

static uint32_t between(struct random *random, uint32_t least, uint32_t most)
{
    return least + random_below(random, most - least + 1);
}

static bool luck(struct random *random, uint32_t percent)
{
    return random_below(random, 100) < percent;
}

#define ONE_OF(random, list) (list)[random_below(random, (uint32_t)(sizeof(list) / sizeof(list)[0]))]

static void draw_item(struct random *random, bool is_export, uint32_t number, struct item *out)
{
    uint32_t which = random_below(random, (uint32_t)(sizeof goods / sizeof goods[0]));
    struct text partner = text_of(ONE_OF(random, countries));
    *out = (struct item){
        .item_no = number,
        .hs_code = text_of(goods[which].hs),
        .net_mass_mg = 1 + random_below(random, luck(random, 50) ? 4000u : 4000000000u),
        .statistical_value_minor = 2 + random_below(random, luck(random, 10) ? 4000000000u : 100000u),
        .procedure = text_of(is_export ? ONE_OF(random, export_procedures) : ONE_OF(random, import_procedures)),
        .package_count = between(random, 1, 5),
        .description = TEXT("goods of a random stream"),
        .mass_estimated = luck(random, 15),
        .supp_unit = text_of(goods[which].unit),
    };
    *(is_export ? &out->destination_country : &out->origin_country) = partner;
    if (!is_export && luck(random, 10))
        out->origin_country = TEXT("CN"); /* own goods come back */
    if (out->supp_unit.length)
        out->supp_quantity_micro = (int64_t)between(random, 1, 500) * 1000000;
    out->gross_mass_mg = out->net_mass_mg + random_below(random, 1000000);
    out->customs_value_minor = out->statistical_value_minor;
    if (luck(random, 30))
        out->customs_value_minor += random_below(random, 100);
    if (luck(random, 20))
        out->consignment_country = text_of(ONE_OF(random, countries));
}

/* Within the day of the reference date there, and sometimes sent long after it: late. */
static void draw_times(struct random *random, struct stream_version *version)
{
    struct declaration *d = &version->draft.declaration;
    int64_t midnight_ms = (int64_t)calendar_day(d->reference_date) * DAY_MS - ZONE_MS;
    d->accepted_at_ms = midnight_ms + (int64_t)random_below(random, DAY_MS);
    d->submitted_at_ms = d->accepted_at_ms - between(random, 1, 100) * MINUTE_MS;
    int64_t delay_ms = luck(random, 25) ? (int64_t)between(random, 0, 150) * DAY_MS : random_below(random, DAY_MS);
    version->timestamp_ms = d->accepted_at_ms + delay_ms;
}

static void draw_content(struct random *random, struct stream_version *version)
{
    struct declaration *d = &version->draft.declaration;
    bool is_export = luck(random, 35);
    d->direction = is_export ? DIRECTION_EXPORT : DIRECTION_IMPORT;
    d->reference_date = calendar_date(calendar_day(FIRST_DATE) + (int32_t)random_below(random, DAYS));
    if (luck(random, 30))
        d->reference_date -= 10000; /* the same days a year before */
    d->office_code = text_of(ONE_OF(random, offices));
    d->border_transport_mode = ONE_OF(random, modes);
    d->trade_mode = luck(random, 40) ? TEXT("0110") : luck(random, 30) ? TEXT("9610") : TEXT("");
    if (luck(random, 30))
        d->border_office_code = text_of(ONE_OF(random, offices));
    if (luck(random, 25)) {
        d->zone_code = TEXT("Z1");
        d->zone_line = ZONE_LINE_FIRST;
    }
    d->items.count = between(random, 1, ITEMS_MOST);
    for (uint32_t i = 0; i < d->items.count; i++)
        draw_item(random, is_export, i + 1, &version->draft.items[i]);
    draw_times(random, version);
    if (luck(random, 5))
        d->status = STATUS_REFUSED;
    version->is_rejected = luck(random, 5);
    if (version->is_rejected && luck(random, 50))
        d->office_code = TEXT("NOWHERE");
    else if (version->is_rejected)
        version->timestamp_ms = d->accepted_at_ms - FUTURE_BOUND_MS - 1; /* a clock that runs ahead */
}

static void begin_version(struct stream_version *out, uint32_t id)
{
    *out = (struct stream_version){.id = id};
    /* of both kinds of ledger key: exact, and hashed */
    snprintf(out->id_text, sizeof out->id_text, id % 3 ? "P%05u" : "PROPERTY/2025/%05u/A-LONG-ONE", id);
    draft_init(&out->draft, text_of(out->id_text), "CN", "CNY", 0, FIRST_DATE);
}

static void draw_version(struct random *random, uint32_t id, uint32_t number, bool cancel, struct stream_version *out)
{
    begin_version(out, id);
    draw_content(random, out);
    out->draft.declaration.version = number;
    out->draft.declaration.function = number == 1 && luck(random, 90) ? FUNCTION_ORIGINAL : FUNCTION_REPLACE;
    if (!cancel)
        return;
    draft_cancel(&out->draft, number);
    out->is_rejected = out->timestamp_ms < out->draft.declaration.accepted_at_ms; /* it has no office */
}

/* Ids point into the versions, which have their place now. */
static void point(struct stream *stream)
{
    for (size_t i = 0; i < stream->count; i++)
        stream->versions[i].draft.declaration.declaration_id = text_of(stream->versions[i].id_text);
}

struct stream *stream_new(uint64_t seed)
{
    struct random random = random_of(seed);
    struct stream *stream = memory_new(1, sizeof *stream);
    stream->ids = between(&random, 3, IDS_MOST);
    for (uint32_t id = 0; id < stream->ids; id++) {
        for (uint32_t number = 1; number <= VERSIONS_AN_ID; number++) {
            bool is_first = number == 1 || luck(&random, 5);
            if (stream->count + 2 <= STREAM_VERSIONS_MOST && luck(&random, is_first ? 92 : 30))
                draw_version(&random, id, number, false, &stream->versions[stream->count++]);
            if (stream->count + 2 <= STREAM_VERSIONS_MOST && luck(&random, 8))
                draw_version(&random, id, number, true, &stream->versions[stream->count++]);
        }
    }
    point(stream);
    return stream;
}

void stream_last_cancel(const struct stream *stream, uint32_t id, struct stream_version *out)
{
    begin_version(out, id);
    for (size_t i = 0; i < stream->count; i++) {
        if (stream->versions[i].timestamp_ms > out->timestamp_ms)
            out->timestamp_ms = stream->versions[i].timestamp_ms;
    }
    out->draft.declaration.accepted_at_ms = out->timestamp_ms;
    draft_cancel(&out->draft, VERSION_LAST);
}
