/* SPDX-License-Identifier: Apache-2.0 */
#include "query/report_data.h"

#include "trade/growth.h"

#include <jansson.h>

enum { FIELDS_MOST = 32, FIELD_BYTES = 64 };

static bool has_column(const struct summary *summary, const char *name)
{
    for (uint32_t c = 0; c < summary->column_count; c++) {
        if (strcmp(summary->columns[c].name, name) == 0)
            return true;
    }
    return false;
}

/* How the contract names the field of an aspect. A record has one partner; a report by both has two. */
static const char *field_of(const struct summary *summary, const struct aspect *aspect)
{
    static const char *const names[][2] = {
        {"office", "office_code"}, {"border_office", "border_office_code"},
        {"zone", "zone_code"},     {"mode", "transport_mode"},
        {"region", "region_code"}, {"partner_consignment", "partner"},
    };
    if (strcmp(aspect->name, "partner_consignment") == 0 && has_column(summary, "partner"))
        return aspect->name;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(aspect->name, names[i][0]) == 0)
            return names[i][1];
    }
    return aspect_commodity_digits(text_of(aspect->name)) ? "commodity_code" : aspect->name;
}

struct field {
    const char *name;
    char text[FIELD_BYTES]; /* empty: says nothing */
};

_Static_assert((int)FIELD_BYTES >= (int)I128_TEXT_BYTES, "a field holds a number");

struct fields {
    struct field list[FIELDS_MOST];
    uint32_t count;
};

static void add_text(struct fields *fields, const char *name, const char *text)
{
    struct field *field = &fields->list[fields->count++];
    field->name = name;
    snprintf(field->text, sizeof field->text, "%s", text);
}

static void add_number(struct fields *fields, const char *name, i128 v, bool is_said)
{
    struct field *field = &fields->list[fields->count++];
    field->name = name;
    field->text[0] = '\0';
    if (is_said)
        i128_to_text(v, field->text);
}

static void add_growth(struct fields *fields, const char *name, const struct summary_group *group, enum measure measure)
{
    i128 ppm = 0;
    bool is_said = group->has_base && growth_ppm(group->now.of[measure], group->base.of[measure], &ppm);
    add_number(fields, name, ppm, is_said);
}

static void add_converted(struct fields *fields, const struct presentation *presentation,
                          const struct summary_group *group)
{
    i128 v;
    i128 divisor;
    if (presentation->rate_e8 == 0)
        return;
    presentation_value(presentation, group->now.of[MEASURE_VALUE], &v, &divisor);
    char text[FIGURE_BYTES];
    figure_fixed(v, divisor, 2, text);
    char plain[FIGURE_BYTES];
    size_t length = 0;
    for (const char *at = text; *at; at++) {
        if (*at != ',')
            plain[length++] = *at;
    }
    plain[length] = '\0';
    add_text(fields, "presentation_value", plain);
    add_text(fields, "presentation_currency", presentation->currency);
    add_text(fields, "presentation_rate", presentation->rate);
}

static void fields_of(const struct summary *summary, const struct presentation *presentation,
                      const struct summary_group *group, struct fields *out)
{
    const i128 *now = group->now.of;
    const i128 *base = group->base.of;
    bool has_quantity = !summary->no_quantity;
    i128 share = 0;
    bool has_share = group->whole_value > 0;
    if (has_share)
        share = i128_divide_round(now[MEASURE_VALUE] * 1000000, group->whole_value);
    out->count = 0;
    add_number(out, "value_minor", now[MEASURE_VALUE], true);
    add_number(out, "customs_value_minor", now[MEASURE_CUSTOMS], true);
    add_number(out, "net_mass_g", now[MEASURE_NET], true);
    add_number(out, "gross_mass_g", now[MEASURE_GROSS], true);
    add_number(out, "supp_quantity_micro", now[MEASURE_QUANTITY], has_quantity);
    add_text(out, "supp_unit", has_quantity ? summary->quantity_unit : "");
    add_number(out, "declarations", now[MEASURE_DECLARATIONS], !summary->no_declarations);
    add_number(out, "items", now[MEASURE_ITEMS], true);
    add_number(out, "packages", now[MEASURE_PACKAGES], true);
    add_number(out, "base_value_minor", base[MEASURE_VALUE], group->has_base);
    add_number(out, "base_net_mass_g", base[MEASURE_NET], group->has_base);
    add_number(out, "base_gross_mass_g", base[MEASURE_GROSS], group->has_base);
    add_growth(out, "yoy_value_ppm", group, MEASURE_VALUE);
    add_growth(out, "yoy_net_mass_ppm", group, MEASURE_NET);
    add_growth(out, "yoy_gross_mass_ppm", group, MEASURE_GROSS);
    add_number(out, "share_ppm", share, has_share);
    if (summary->edition.is_active)
        add_text(out, "hs_conversion", edition_name(group->edition));
    if (summary->request.count)
        add_number(out, "distinct_count", (i128)group->distinct, true);
    if (summary->first_year) {
        int64_t mean = 0;
        bool has_mean = growth_mean_tenths(group->first_year_value, group->last_year_value,
                                           summary->last_year - summary->first_year, &mean);
        add_number(out, "mean_annual_growth_permille", mean, has_mean);
    }
    add_converted(out, presentation, group);
}

static void print_csv_field(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++)
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, out);
    fputc('"', out);
}

void report_data_print_csv(const struct summary *summary, const struct presentation *presentation, FILE *out)
{
    struct fields fields;
    fields_of(summary, presentation, &summary->total, &fields);
    fputs("view,period_from,period_to", out);
    for (uint32_t c = 0; c < summary->column_count; c++)
        fprintf(out, ",%s", field_of(summary, &summary->columns[c]));
    fputs(",currency", out);
    for (uint32_t f = 0; f < fields.count; f++)
        fprintf(out, ",%s", fields.list[f].name);
    fputc('\n', out);
    for (uint32_t i = 0; i < summary->group_count; i++) {
        fields_of(summary, presentation, &summary->groups[i], &fields);
        print_csv_field(out, records_view(summary->records));
        fprintf(out, ",%u,%u", summary->request.window.from, summary->request.window.to);
        for (uint32_t c = 0; c < summary->column_count; c++) {
            fputc(',', out);
            print_csv_field(out, summary_value(&summary->groups[i], c));
        }
        fprintf(out, ",%s", records_currency(summary->records));
        for (uint32_t f = 0; f < fields.count; f++)
            fprintf(out, ",%s", fields.list[f].text);
        fputc('\n', out);
    }
}

static json_t *json_of(const struct summary *summary, const struct presentation *presentation,
                       const struct summary_group *group)
{
    json_t *object = json_object();
    struct fields fields;
    fields_of(summary, presentation, group, &fields);
    json_object_set_new(object, "view", json_string(records_view(summary->records)));
    json_object_set_new(object, "period_from", json_integer(summary->request.window.from));
    json_object_set_new(object, "period_to", json_integer(summary->request.window.to));
    for (uint32_t c = 0; c < summary->column_count; c++) {
        const char *field = field_of(summary, &summary->columns[c]);
        const char *value = summary_value(group, c);
        int64_t mode;
        if (strcmp(field, "transport_mode") == 0 && text_to_int64(text_of(value), &mode))
            json_object_set_new(object, field, json_integer(mode));
        else
            json_object_set_new(object, field, json_string(value));
    }
    json_object_set_new(object, "currency", json_string(records_currency(summary->records)));
    for (uint32_t f = 0; f < fields.count; f++) {
        const char *text = fields.list[f].text;
        json_object_set_new(object, fields.list[f].name, text[0] ? json_string(text) : json_null());
    }
    return object;
}

json_t *report_data_json(const struct summary *summary, const struct presentation *presentation)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < summary->group_count; i++)
        json_array_append_new(all, json_of(summary, presentation, &summary->groups[i]));
    return all;
}

void report_data_print_json(const struct summary *summary, const struct presentation *presentation, FILE *out)
{
    json_t *all = report_data_json(summary, presentation);
    json_dumpf(all, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(all);
}
