/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/statistic.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "flow/dimension_text.h"
#include "flow/statistic_bytes.h"
#include "trade/calendar.h"
#include "trade/growth.h"

enum { CLASS_BYTES = 16 }; /* of a trade mode, or of a class */

static const i128 mg_a_gram = 1000;

/* The days of a figure as dates: figures in a row mostly have the same. */
struct dates {
    struct days days;
    uint32_t from;
    uint32_t to;
};

struct statistic_writer {
    const struct view_plan *plan;
    const struct reference *reference;
    Customs__V1__Statistic *taken; /* &cell, or gone */
    Customs__V1__Statistic cell;   /* its texts stand below */
    Customs__V1__Statistic *gone;  /* a decoded older record */
    char reporter[3];
    char currency[4];
    char office[DIMENSION_CODE_BYTES];
    char border_office[DIMENSION_CODE_BYTES];
    char zone[DIMENSION_CODE_BYTES];
    char trade_mode[CLASS_BYTES];
    char region[DIMENSION_CODE_BYTES];
    char unit[DIMENSION_CODE_BYTES];
    char partner[DIMENSION_COUNTRY_BYTES];
    char partner_group[VIEW_GROUP_BYTES];
    char commodity[DIMENSION_HS_BYTES];
    char classification[DIMENSION_CODE_BYTES];
    char views[VIEWS_MOST][VIEW_NAME_BYTES];
    struct dates dates; /* of the last figure */
    struct statistic_keys keys;
    struct buffer value;
};

static void copy_text(char *to, size_t bytes, const char *from)
{
    size_t length = strlen(from);
    CHECK(length < bytes);
    memcpy(to, from, length + 1);
}

static bool has(const struct view *view, enum dimension dimension)
{
    return view->dimension_set & 1u << dimension;
}

/* ---- life ---- */

struct statistic_writer *statistic_writer_new(const struct view_plan *plan, const struct reference *reference,
                                              const char *reporter, const char *currency)
{
    struct statistic_writer *writer = memory_new(1, sizeof *writer);
    writer->plan = plan;
    writer->reference = reference;
    copy_text(writer->reporter, sizeof writer->reporter, reporter);
    copy_text(writer->currency, sizeof writer->currency, currency);
    for (uint32_t i = 0; i < plan->count; i++)
        copy_text(writer->views[i], sizeof writer->views[i], plan->views[i].name);
    customs__v1__statistic__init(&writer->cell);
    writer->cell.reporter = writer->reporter;
    writer->cell.currency = writer->currency;
    writer->cell.office_code = writer->office;
    writer->cell.border_office_code = writer->border_office;
    writer->cell.zone_code = writer->zone;
    writer->cell.trade_mode = writer->trade_mode;
    writer->cell.region_code = writer->region;
    writer->cell.supp_unit = writer->unit;
    writer->cell.partner = writer->partner;
    writer->cell.partner_group = writer->partner_group;
    writer->cell.commodity_code = writer->commodity;
    writer->cell.classification = writer->classification;
    writer->taken = &writer->cell;
    writer->dates.days = (struct days){INT32_MIN, INT32_MIN};
    statistic_keys_init(&writer->keys, plan);
    return writer;
}

void statistic_writer_free(struct statistic_writer *writer)
{
    if (!writer)
        return;
    statistic_content_free(writer->gone);
    buffer_fini(&writer->value);
    memory_free(writer);
}

void statistic_writer_look_up(struct statistic_writer *writer, const struct reference *reference)
{
    writer->reference = reference;
}

struct text statistic_key(struct statistic_writer *writer, const struct table_key *key, const struct dictionary *codes)
{
    return statistic_keys_make(&writer->keys, key, codes);
}

/* ---- a cell ---- */

static const struct dates *dates_of(struct statistic_writer *writer, struct days days)
{
    struct dates *out = &writer->dates;
    if (days.from != out->days.from || days.to != out->days.to)
        *out = (struct dates){days, calendar_date(days.from), calendar_date(days.to)};
    return out;
}

static int64_t grams(i128 mg, bool *out_saturated)
{
    return i128_saturate(i128_divide_round(mg, mg_a_gram), out_saturated);
}

static void set_partner(struct statistic_writer *writer, const struct view *view, const struct table_key *key)
{
    Customs__V1__Statistic *m = &writer->cell;
    uint32_t flow = cell_flow(key);
    m->partner_basis = CUSTOMS__V1__PARTNER_BASIS__PARTNER_BASIS_UNSPECIFIED;
    writer->partner[0] = '\0';
    writer->partner_group[0] = '\0';
    if (has(view, DIMENSION_PARTNER)) { /* counted by it: in a view of groups, too */
        if (view->is_grouped && cell_is_of_group(key))
            copy_text(writer->partner_group, sizeof writer->partner_group, dimension_group(writer->plan, key));
        else
            dimension_country(cell_partner(key), writer->partner);
        if (flow == FLOW_M || flow == FLOW_RM)
            m->partner_basis = CUSTOMS__V1__PARTNER_BASIS__PARTNER_BASIS_ORIGIN;
        else if (flow == FLOW_X || flow == FLOW_RX)
            m->partner_basis = CUSTOMS__V1__PARTNER_BASIS__PARTNER_BASIS_DESTINATION;
    } else if (has(view, DIMENSION_PARTNER_CONSIGNMENT)) {
        dimension_country(cell_consignment(key), writer->partner);
        m->partner_basis = CUSTOMS__V1__PARTNER_BASIS__PARTNER_BASIS_CONSIGNMENT;
    }
}

static void set_flow(Customs__V1__Statistic *m, uint32_t flow)
{
    m->flow = (Customs__V1__Flow)flow;
    if (flow == FLOW_M || flow == FLOW_RM)
        m->value_basis = CUSTOMS__V1__VALUE_BASIS__VALUE_BASIS_CIF;
    else if (flow == FLOW_X || flow == FLOW_RX)
        m->value_basis = CUSTOMS__V1__VALUE_BASIS__VALUE_BASIS_FOB;
    else
        m->value_basis = CUSTOMS__V1__VALUE_BASIS__VALUE_BASIS_MIXED;
}

/* Commodity, its classification, and the unit that quantities of it are in. */
static void set_commodity(struct statistic_writer *writer, const struct view *view, const struct table_key *key)
{
    writer->commodity[0] = '\0';
    writer->classification[0] = '\0';
    writer->unit[0] = '\0';
    if (!view->hs_digits)
        return;
    enum hs_edition edition = reference_edition(writer->cell.period_to);
    copy_text(writer->classification, sizeof writer->classification, reference_classification(edition));
    if (!dimension_commodity(cell_commodity(key), view->hs_digits, writer->commodity) || view->hs_digits < 6)
        return;
    uint64_t hs6 = cell_commodity(key) - 1;
    for (uint32_t digits = view->hs_digits; digits > 6; digits -= 2)
        hs6 /= 100;
    uint8_t unit = reference_standard_unit(writer->reference, edition, (uint32_t)hs6);
    if (unit == UNIT_INDEX_NONE || unit == UNIT_INDEX_KG)
        return;
    struct text rec20 = reference_unit_rec20(writer->reference, unit);
    if (rec20.length < sizeof writer->unit) {
        memcpy(writer->unit, rec20.data, rec20.length);
        writer->unit[rec20.length] = '\0';
    }
}

static void set_measures(struct statistic_writer *writer, const struct measures *measures, bool *out_saturated)
{
    Customs__V1__Statistic *m = &writer->cell;
    m->value_minor = i128_saturate(measures->value_minor, out_saturated);
    m->customs_value_minor = i128_saturate(measures->customs_value_minor, out_saturated);
    m->net_mass_g = grams(measures->net_mass_mg, out_saturated);
    m->gross_mass_g = grams(measures->gross_mass_mg, out_saturated);
    m->estimated_net_mass_g = grams(measures->estimated_mg, out_saturated);
    m->supp_quantity_micro = writer->unit[0] ? i128_saturate(measures->supp_quantity_micro, out_saturated) : 0;
    m->declarations = (uint64_t)measures->declarations;
    m->items = (uint64_t)measures->items;
    m->packages = (uint64_t)measures->packages;
    m->warned_items = (uint64_t)measures->warned_items;
    m->late_items = (uint64_t)measures->late_items;
    m->loaded_items = (uint64_t)measures->loaded_items;
}

static bool set_growth(i128 current, i128 base, int64_t *out, bool *out_saturated)
{
    i128 ppm;
    bool has = growth_ppm(current, base, &ppm);
    *out = has ? i128_saturate(ppm, out_saturated) : 0;
    return has;
}

/* What the same days a year before had, and how much it grew since. */
static void set_base(struct statistic_writer *writer, const struct figure *figure, bool *out_saturated)
{
    static const struct measures none;
    Customs__V1__Statistic *m = &writer->cell;
    const struct measures *base = figure->base ? figure->base : &none;
    const struct measures *sums = figure->sums;
    m->base_value_minor = i128_saturate(base->value_minor, out_saturated);
    m->base_net_mass_g = grams(base->net_mass_mg, out_saturated);
    bool has_value = set_growth(sums->value_minor, base->value_minor, &m->yoy_value_ppm, out_saturated);
    bool has_mass = set_growth(sums->net_mass_mg, base->net_mass_mg, &m->yoy_net_mass_ppm, out_saturated);
    m->has_yoy_value_ppm_case = has_value ? CUSTOMS__V1__STATISTIC__HAS_YOY_VALUE_PPM_YOY_VALUE_PPM
                                          : CUSTOMS__V1__STATISTIC__HAS_YOY_VALUE_PPM__NOT_SET;
    m->has_yoy_net_mass_ppm_case = has_mass ? CUSTOMS__V1__STATISTIC__HAS_YOY_NET_MASS_PPM_YOY_NET_MASS_PPM
                                            : CUSTOMS__V1__STATISTIC__HAS_YOY_NET_MASS_PPM__NOT_SET;
}

uint64_t statistic_set(struct statistic_writer *writer, const struct figure *figure, const struct dictionary *codes,
                       bool *out_saturated)
{
    const struct table_key *key = &figure->key;
    const struct view *view = &writer->plan->views[cell_view(key)];
    Customs__V1__Statistic *m = &writer->cell;
    writer->taken = m;
    m->view = writer->views[cell_view(key)];
    m->frequency = (Customs__V1__Frequency)period_frequency(period_of(key));
    const struct dates *dates = dates_of(writer, figure->days);
    m->period_from = dates->from;
    m->period_to = dates->to;
    m->hour_from_ms = figure->hour_from_ms;
    m->hour_to_ms = figure->hour_to_ms;
    set_flow(m, cell_flow(key));
    set_partner(writer, view, key);
    set_commodity(writer, view, key);
    /* number 0 is the empty text: a dimension that the view lacks */
    dimension_code(codes, cell_office(key), writer->office);
    dimension_code(codes, cell_border_office(key), writer->border_office);
    dimension_code(codes, cell_zone(key), writer->zone);
    if (view->is_classed)
        copy_text(writer->trade_mode, sizeof writer->trade_mode, dimension_class(key));
    else
        dimension_code(codes, cell_trade_mode(key), writer->trade_mode);
    dimension_code(codes, cell_region(key), writer->region);
    m->transport_mode = cell_mode(key);
    set_measures(writer, figure->sums, out_saturated);
    set_base(writer, figure, out_saturated);
    return statistic_content_of(m);
}

bool statistic_set_gone(struct statistic_writer *writer, struct bytes value)
{
    Customs__V1__Statistic *m = statistic_content_unpack(value);
    if (!m)
        return false;
    statistic_content_free(writer->gone);
    writer->gone = m;
    writer->taken = m;
    m->value_minor = 0;
    m->customs_value_minor = 0;
    m->net_mass_g = 0;
    m->gross_mass_g = 0;
    m->estimated_net_mass_g = 0;
    m->supp_quantity_micro = 0;
    m->declarations = 0;
    m->items = 0;
    m->packages = 0;
    m->warned_items = 0;
    m->late_items = 0;
    m->loaded_items = 0;
    m->base_value_minor = 0;
    m->base_net_mass_g = 0;
    m->has_yoy_value_ppm_case = CUSTOMS__V1__STATISTIC__HAS_YOY_VALUE_PPM__NOT_SET;
    m->has_yoy_net_mass_ppm_case = CUSTOMS__V1__STATISTIC__HAS_YOY_NET_MASS_PPM__NOT_SET;
    m->has_share_ppm_case = CUSTOMS__V1__STATISTIC__HAS_SHARE_PPM__NOT_SET;
    return true;
}

struct bytes statistic_pack(struct statistic_writer *writer, const struct statistic_stamp *stamp)
{
    Customs__V1__Statistic *m = writer->taken;
    m->state = (Customs__V1__State)stamp->state;
    m->as_of = stamp->as_of;
    m->as_of_ms = stamp->as_of_ms;
    m->watermark_ms = stamp->watermark_ms;
    buffer_clear(&writer->value);
    if (m == &writer->cell) {
        uint8_t *at = buffer_reserve(&writer->value, statistic_bytes_most(m));
        writer->value.length = (size_t)(statistic_bytes_put(at, m) - at);
    } else { /* it may have fields of a newer program */
        uint8_t *at = buffer_reserve(&writer->value, customs__v1__statistic__get_packed_size(m));
        writer->value.length = customs__v1__statistic__pack(m, at);
    }
    return buffer_bytes(&writer->value);
}
