/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/report_declarations.h"

#include "base/i128.h"
#include "cmd/assemble.h"
#include "cmd/reading.h"
#include "flow/cell.h"
#include "flow/key_text.h"

#include <inttypes.h>
#include <stdio.h>

enum { MG_IN_G = 1000, HS_DIGITS = 10 };

struct making {
    const struct report_declarations *wanted;
    const struct config *config;
    const struct rules *rules;
    struct records *records;
    struct buffer key;
};

bool report_declarations_is_private(struct text name)
{
    static const char *const names[] = {"trader", "declarant", "vehicle", "declaration", "container"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (text_is(name, names[i]))
            return true;
    }
    return false;
}

/* ---- keys ---- */

/* As record keys have it. */
static void put_part(struct buffer *key, const char *name, struct text value)
{
    buffer_add_format(key, "|%s=", name);
    key_text_add(key, value);
}

static const char *flow_of(const struct declaration *d, enum item_class class)
{
    bool import = d->direction == DIRECTION_IMPORT;
    if (class == ITEM_OUTSIDE)
        return "";
    if (class == ITEM_RETURNS)
        return flow_name(import ? FLOW_RM : FLOW_RX);
    return flow_name(import ? FLOW_M : FLOW_X);
}

/* As contribution.c has it: the country of consignment stands in for an origin that is absent. */
static struct text partner_of(const struct declaration *d, const struct item *item)
{
    if (d->direction != DIRECTION_IMPORT)
        return item->destination_country;
    return item->origin_country.length ? item->origin_country : item->consignment_country;
}

static void put_goods(struct buffer *key, const struct declaration *d, const struct item *item, enum item_class class)
{
    char mode[16];
    struct text hs = item->hs_code;
    hs.length = hs.length < HS_DIGITS ? hs.length : HS_DIGITS;
    snprintf(mode, sizeof mode, "%" PRIu32, d->border_transport_mode);
    put_part(key, "flow", text_of(flow_of(d, class)));
    put_part(key, "office", d->office_code);
    put_part(key, "border_office", d->border_office_code);
    put_part(key, "zone", d->zone_code);
    put_part(key, "mode", text_of(mode));
    put_part(key, "trade_mode", d->trade_mode);
    put_part(key, "partner", partner_of(d, item));
    put_part(key, "partner_consignment", item->consignment_country);
    put_part(key, "region", item->region_code);
    put_part(key, "hs10", hs);
}

static void put_header(struct buffer *key, const struct declaration *d, struct text container)
{
    char vehicle[24] = "";
    char crossing[24] = "";
    uint32_t date = d->crossing_date;
    if (d->vehicle_hash)
        snprintf(vehicle, sizeof vehicle, "%016" PRIx64, d->vehicle_hash);
    if (date)
        snprintf(crossing, sizeof crossing, "%04u-%02u-%02u", date / 10000, date / 100 % 100, date % 100);
    put_part(key, "trader", d->trader_id);
    put_part(key, "declarant", d->declarant_id);
    put_part(key, "vehicle", text_of(vehicle));
    put_part(key, "declaration", d->declaration_id);
    put_part(key, "container", container);
    put_part(key, "crossing", text_of(crossing));
}

static void add(struct making *making, const struct declaration *d, const struct item *item, enum item_class class,
                struct text container, const struct record *record)
{
    struct buffer *key = &making->key;
    buffer_clear(key);
    buffer_add_format(key, REPORT_DECLARATIONS_VIEW "|DAY|%08" PRIu32 "|%08" PRIu32, d->reference_date,
                      d->reference_date);
    put_goods(key, d, item, class);
    put_header(key, d, container);
    records_add(making->records, (struct text){(const char *)key->data, (uint32_t)key->length}, record);
}

/* ---- declarations ---- */

static int64_t grams(int64_t mg)
{
    return (int64_t)i128_divide_round(mg, MG_IN_G);
}

static void add_item(struct making *making, const struct declaration *d, const struct item *item, enum item_class class)
{
    struct record record = {.from = d->reference_date,
                            .to = d->reference_date,
                            .value_minor = item->statistical_value_minor,
                            .customs_value_minor = item->customs_value_minor,
                            .net_mass_g = grams(item->net_mass_mg),
                            .gross_mass_g = grams(item->gross_mass_mg),
                            .declarations = 1,
                            .items = 1,
                            .packages = item->package_count};
    add(making, d, item, class, TEXT(""), &record);
    if (!making->wanted->has_containers)
        return;
    struct record mention = {.from = d->reference_date, .to = d->reference_date, .is_mention = true};
    for (uint32_t i = 0; i < d->container_ids.count; i++)
        add(making, d, item, class, d->container_ids.texts[i], &mention);
}

static enum err take(void *self, const struct declaration *d, struct err_info *info)
{
    struct making *making = self;
    (void)info;
    for (uint32_t i = 0; i < declaration_items_kept(d); i++) {
        enum item_class class = rules_item_class(making->rules, d, i);
        if ((class == ITEM_OUTSIDE) == making->wanted->is_outside)
            add_item(making, d, &d->items.items[i], class);
    }
    return OK;
}

static enum err read_all(struct making *making, const struct assembly *assembly, struct reading *reading,
                         int64_t patience_ms, struct standing_sums *out, struct err_info *info)
{
    const struct port *port = reading_port(reading);
    int32_t partitions = port->partitions(port->self, PORT_DECLARATIONS);
    struct engine_options engine = assemble_options(assembly);
    struct standing_options options = {
        .port = port,
        .plan = &assembly->plan,
        .plan_id = engine_plan_id(&engine),
        .batch = engine_batch_options(making->config, assembly->rules, partitions),
        .windows = {making->wanted->windows[0], making->wanted->windows[1]},
        .patience_ms = patience_ms,
    };
    TRY(reading_must_exist(reading, PORT_DECLARATIONS, info));
    TRY(reading_must_exist(reading, PORT_JOURNAL, info));
    if (port->partitions(port->self, PORT_JOURNAL) < partitions)
        return err_set(info, ERR_CONFIG, "topic %s has fewer partitions than %s: they belong to different processors",
                       making->config->topic_journal, making->config->topic_declarations);
    making->rules = assembly->rules;
    return standing_read(&options, take, making, out, info);
}

enum err report_declarations_read(const struct options *options, const struct report_declarations *wanted,
                                  struct records *records, struct standing_sums *out, struct err_info *info)
{
    const struct config *config = &options->config;
    struct making making = {.wanted = wanted, .config = config, .records = records};
    struct assembly assembly = {0};
    struct reading *reading = NULL;
    wire_init();
    records_are_in(records, config->reporter, config->reporting_currency);
    enum err err = assemble(&assembly, config, false, info);
    if (err == OK)
        err = reading_open(options, &reading, info);
    if (err == OK)
        err = read_all(&making, &assembly, reading, options->timeout_ms, out, info);
    reading_close(reading);
    assemble_fini(&assembly);
    buffer_fini(&making.key);
    return err;
}
