/* SPDX-License-Identifier: Apache-2.0 */
#include "query/presentation.h"

#include "base/decimal.h"
#include "trade/growth.h"
#include "trade/trade_class.h"

enum { RATE_SCALE = 8, MICRO = 1000000, QUANTITY_DECIMALS = 3 };

struct name {
    const char *name;
    int value;
};

static const struct name mass_units[] = {{"auto", FIGURE_MASS_AUTO}, {"kg", FIGURE_MASS_KG}, {"t", FIGURE_MASS_T},
                                         {"10kt", FIGURE_MASS_10KT}, {"Mt", FIGURE_MASS_MT}, {NULL, 0}};

static const struct name value_scales[] = {{"auto", FIGURE_MONEY_AUTO},
                                           {"units", FIGURE_MONEY_UNITS},
                                           {"thousand", FIGURE_MONEY_THOUSAND},
                                           {"M", FIGURE_MONEY_M},
                                           {"bn", FIGURE_MONEY_BN},
                                           {"tn", FIGURE_MONEY_TN},
                                           {NULL, 0}};

static enum err read_name(const char *option, const char *text, const struct name *names, int *out,
                          struct err_info *info)
{
    struct buffer known = {0};
    for (uint32_t i = 0; names[i].name; i++) {
        if (!text || strcmp(text, names[i].name) == 0) {
            *out = names[i].value;
            buffer_fini(&known);
            return OK;
        }
        buffer_add_format(&known, "%s%s", i ? ", " : "", names[i].name);
    }
    enum err err =
        err_set(info, ERR_CONFIG, "%s %s: there are %.*s", option, text, (int)known.length, (const char *)known.data);
    buffer_fini(&known);
    return err;
}

static enum err read_show(const char *text, struct presentation *out, struct err_info *info)
{
    struct text rest = text_of(text);
    while (rest.length > 0) {
        struct text name = text_trim(text_cut(&rest, ','));
        if (out->show_count == MEASURES || !measure_find(name, &out->show[out->show_count])) {
            struct buffer known = {0};
            for (int i = 0; i < MEASURES; i++)
                buffer_add_format(&known, "%s%s", i ? ", " : "", measure_name((enum measure)i));
            enum err err = err_set(info, ERR_CONFIG, "--show %.*s: there are %.*s, each once", TEXT_ARGS(name),
                                   (int)known.length, (const char *)known.data);
            buffer_fini(&known);
            return err;
        }
        out->show_count++;
    }
    return OK;
}

static enum err read_currency(const struct presentation_options *options, struct presentation *out,
                              struct err_info *info)
{
    if (!options->currency != !options->rate)
        return err_set(info, ERR_CONFIG,
                       "--currency and --rate go together: --currency USD --rate 7.1516 (of the statistics' "
                       "currency for one unit)");
    if (!options->rate)
        return OK;
    enum decimal_result result = decimal_read(text_of(options->rate), RATE_SCALE, &out->rate_e8);
    if (result != DECIMAL_OK)
        return err_set(info, ERR_CONFIG, "--rate %s: %s", options->rate, decimal_reason(result));
    if (out->rate_e8 <= 0)
        return err_set(info, ERR_CONFIG, "--rate %s: it must be above zero", options->rate);
    out->currency = options->currency;
    out->rate = options->rate;
    return OK;
}

enum err presentation_read(const struct presentation_options *options, struct presentation *out, struct err_info *info)
{
    int mass_unit = FIGURE_MASS_AUTO;
    int value_scale = FIGURE_MONEY_AUTO;
    struct presentation found = {.currency = ""};
    TRY(read_name("--mass-unit", options->mass_unit, mass_units, &mass_unit, info));
    TRY(read_name("--value-scale", options->value_scale, value_scales, &value_scale, info));
    TRY(read_show(options->show ? options->show : options->show_default, &found, info));
    TRY(read_currency(options, &found, info));
    found.mass_unit = (enum figure_mass)mass_unit;
    found.value_scale = (enum figure_money)value_scale;
    *out = found;
    return OK;
}

/* ---- figures ---- */

void presentation_value(const struct presentation *presentation, i128 value_minor, i128 *out_v, i128 *out_divisor)
{
    *out_v = value_minor;
    *out_divisor = 1;
    for (uint32_t i = 0; i < presentation->decimals; i++)
        *out_divisor *= 10;
    if (presentation->rate_e8 == 0)
        return;
    *out_divisor *= presentation->rate_e8;
    for (int i = 0; i < RATE_SCALE; i++)
        *out_v *= 10;
}

const char *presentation_reason(const struct summary *summary, enum measure measure)
{
    if (measure == MEASURE_DECLARATIONS)
        return summary->no_declarations;
    if (measure == MEASURE_QUANTITY)
        return summary->no_quantity;
    if (measure == MEASURE_GROWTH && summary->first_year == 0)
        return "a mean growth needs a period with at least two whole years";
    if (measure == MEASURE_COUNT && !summary->request.count)
        return "say of what: --count partner";
    return NULL;
}

static const char *currency_name(const char *code)
{
    static const char *const names[][2] = {
        {"CNY", "yuan"}, {"USD", "US dollars"}, {"EUR", "euros"}, {"KZT", "tenge"}, {"KRW", "won"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(code, names[i][0]) == 0)
            return names[i][1];
    }
    return code;
}

static void append(char out[static FIGURE_BYTES], const char *unit)
{
    size_t length = strlen(out);
    snprintf(out + length, FIGURE_BYTES - length, " %s", unit);
}

static void put_counted(i128 v, const char *one, char out[static FIGURE_BYTES])
{
    figure_fixed(v, 1, 0, out);
    append(out, one);
    if (v != 1) {
        size_t length = strlen(out);
        snprintf(out + length, FIGURE_BYTES - length, "s");
    }
}

static void put_percent(i128 tenths, char out[static FIGURE_BYTES])
{
    growth_text(tenths, out);
    append(figure_drop_zeros(out), "%");
}

static const char *quantity_unit(const struct summary *summary)
{
    const struct reference *reference = summary->request.reference;
    struct text name =
        reference ? reference_unit_name(reference, text_of(summary->quantity_unit)) : (struct text){NULL, 0};
    return name.length ? name.data : summary->quantity_unit;
}

static void put_sum(const struct presentation *presentation, const struct summary *summary, i128 v,
                    enum measure measure, char out[static FIGURE_BYTES])
{
    i128 divisor;
    switch (measure) {
    case MEASURE_VALUE:
    case MEASURE_CUSTOMS:
        presentation_value(presentation, v, &v, &divisor);
        figure_money(v, divisor, presentation->value_scale, out);
        append(out, currency_name(presentation->currency));
        break;
    case MEASURE_NET:
    case MEASURE_GROSS:
        figure_mass(v, presentation->mass_unit, out);
        break;
    case MEASURE_QUANTITY:
        figure_drop_zeros(figure_fixed(v, MICRO, QUANTITY_DECIMALS, out));
        append(out, quantity_unit(summary));
        break;
    case MEASURE_DECLARATIONS:
        put_counted(v, "declaration", out);
        break;
    case MEASURE_ITEMS:
        put_counted(v, "item", out);
        break;
    default:
        put_counted(v, "package", out);
        break;
    }
}

char *presentation_figure(const struct presentation *presentation, const struct summary *summary,
                          const struct summary_group *group, enum measure measure, bool base,
                          char out[static FIGURE_BYTES])
{
    i128 tenths;
    int64_t mean;
    snprintf(out, FIGURE_BYTES, "-");
    if (presentation_reason(summary, measure))
        return out;
    if (measure_is_sum(measure))
        put_sum(presentation, summary, (base ? &group->base : &group->now)->of[measure], measure, out);
    else if (measure == MEASURE_SHARE && growth_share_tenths(group->now.of[MEASURE_VALUE], group->whole_value, &tenths))
        put_percent(tenths, out);
    else if (measure == MEASURE_COUNT)
        put_counted((i128)group->distinct, summary->request.count, out);
    else if (measure == MEASURE_GROWTH && growth_mean_tenths(group->first_year_value, group->last_year_value,
                                                             summary->last_year - summary->first_year, &mean))
        put_percent(mean, out);
    return out;
}

char *presentation_growth(const struct summary *summary, const struct summary_group *group, enum measure measure,
                          char out[static FIGURE_BYTES])
{
    i128 tenths;
    if (measure_is_sum(measure) && group->has_base && !presentation_reason(summary, measure) &&
        growth_tenths(group->now.of[measure], group->base.of[measure], &tenths))
        return growth_text(tenths, out);
    snprintf(out, FIGURE_BYTES, "-");
    return out;
}

/* ---- notes ---- */

static void note_composition(const struct summary *summary, struct text group, FILE *out)
{
    struct composition composition = {.count = 0};
    uint32_t date = summary->request.composition_date ? summary->request.composition_date : summary->request.window.to;
    char text[WINDOW_TEXT_BYTES];
    summary_compose(summary, group, &composition);
    fprintf(out, "%.*s: as of %s for all years:", TEXT_ARGS(group), window_text((struct window){date, date}, text));
    for (uint32_t i = 0; i < composition.count; i++)
        fprintf(out, " %s", composition.countries[i]);
    fprintf(out, " (without the reporter, %s)\n", records_reporter(summary->records));
}

static void note_condition(const struct summary *summary, const struct condition *condition, FILE *out)
{
    for (uint32_t i = 0; i < condition->value_count; i++) {
        struct text value = condition->values[i].from;
        if (condition->aspect.kind == ASPECT_GROUP)
            note_composition(summary, value, out);
        if (condition->aspect.kind == ASPECT_CLASS)
            fprintf(out, "%.*s: trade modes %s\n", TEXT_ARGS(value), trade_class_modes(value));
        if (strcmp(condition->aspect.name, "flow") == 0 && text_is(value, "T"))
            fputs("T: M + X + RM + RX; imports CIF and exports FOB are added as they are\n", out);
    }
}

static void note_measure(const struct summary *summary, enum measure measure, FILE *out)
{
    const char *reason = presentation_reason(summary, measure);
    if (reason)
        fprintf(out, "%s: - because %s\n", measure_name(measure), reason);
    else if (measure == MEASURE_GROWTH)
        fprintf(out, "growth: geometric mean of the %u yearly growths of the value from %u to %u\n",
                summary->last_year - summary->first_year, summary->first_year, summary->last_year);
    else if (measure == MEASURE_SHARE && summary->request.share)
        fprintf(out, "share: of the value of the same selection with every %s\n", summary->request.share);
    else if (measure == MEASURE_COUNT)
        fprintf(out, "count: different values of %s with at least one item\n", summary->request.count);
}

static void note_edition(const struct summary *summary, FILE *out)
{
    unsigned flags = summary->total.edition | summary->rest.edition;
    for (uint32_t i = 0; i < summary->group_count; i++)
        flags |= summary->groups[i].edition;
    if (flags & EDITION_UNCONVERTED)
        fputs("codes before 2022 are of HS 2017 and compared as they are: reference.dir has no hs2022_hs2017.csv\n",
              out);
    if (flags & EDITION_CONVERTED)
        fputs("converted: codes of HS 2017 were taken to those of HS 2022 that have all of their goods\n", out);
    if (flags & EDITION_APPROXIMATE)
        fputs("approximate: some goods of a code of HS 2017 have another one in HS 2022 than its conversion\n", out);
    if (flags & EDITION_SPLIT)
        fputs("split: a code of HS 2017 was split, so nothing is said of the year before\n", out);
}

void presentation_notes(const struct presentation *presentation, const struct summary *summary, FILE *out)
{
    const struct summary_request *request = &summary->request;
    if (request->where)
        fprintf(out, "selection: view %s, %s\n", records_view(summary->records), request->where);
    for (uint32_t i = 0; i < summary->conditions.count; i++)
        note_condition(summary, &summary->conditions.list[i], out);
    note_edition(summary, out);
    for (uint32_t i = 0; i < presentation->show_count; i++)
        note_measure(summary, presentation->show[i], out);
    if (presentation->rate_e8)
        fprintf(out, "converted for presentation: 1 %s = %s %s; the statistics are in %s\n", presentation->currency,
                presentation->rate, records_currency(summary->records), records_currency(summary->records));
}
