/* SPDX-License-Identifier: Apache-2.0 */
#include "query/report_table.h"

#include "base/memory.h"
#include "trade/growth.h"

enum { FIELDS_MOST = SUMMARY_COLUMNS_MOST + 2 * MEASURES + 1, HEAD_BYTES = 48, TONNE_G = 1000000, MICRO = 1000000 };

/* One column of the table: of the key, a measure, or its growth. */
struct field {
    char head[HEAD_BYTES];
    bool is_text;
    bool is_growth;
    bool is_edition; /* what a group holds of HS 2017 */
    enum measure measure;
    uint32_t column;
    int width;
};

struct table_print {
    const struct summary *summary;
    const struct presentation *presentation;
    struct field fields[FIELDS_MOST];
    uint32_t count;
};

/* Three significant digits below a hundred, whole with separators above: what people compare line by line. */
static void put_tonnes(i128 mass_g, char out[static FIGURE_BYTES])
{
    i128 size = mass_g < 0 ? -mass_g : mass_g;
    uint32_t decimals = size < TONNE_G ? 3 : size < 10 * TONNE_G ? 2 : size < 100 * TONNE_G ? 1 : 0;
    figure_fixed(mass_g, TONNE_G, decimals, out);
}

static void put_cell(const struct table_print *print, const struct field *field, const struct summary_group *group,
                     char out[static FIGURE_BYTES])
{
    const struct summary *summary = print->summary;
    i128 v = measure_is_sum(field->measure) ? group->now.of[field->measure] : 0;
    i128 divisor;
    snprintf(out, FIGURE_BYTES, "-");
    if (field->is_growth) {
        presentation_growth(summary, group, field->measure, out);
        return;
    }
    if (presentation_reason(summary, field->measure))
        return;
    switch (field->measure) {
    case MEASURE_VALUE:
    case MEASURE_CUSTOMS:
        presentation_value(print->presentation, v, &v, &divisor);
        figure_fixed(v, divisor, 0, out);
        break;
    case MEASURE_NET:
    case MEASURE_GROSS:
        put_tonnes(v, out);
        break;
    case MEASURE_QUANTITY:
        figure_drop_zeros(figure_fixed(v, MICRO, 3, out));
        break;
    case MEASURE_COUNT:
        figure_fixed((i128)group->distinct, 1, 0, out);
        break;
    case MEASURE_SHARE:
        if (growth_share_tenths(group->now.of[MEASURE_VALUE], group->whole_value, &v))
            growth_text(v, out);
        break;
    case MEASURE_GROWTH: {
        int64_t mean;
        if (growth_mean_tenths(group->first_year_value, group->last_year_value,
                               summary->last_year - summary->first_year, &mean))
            growth_text(mean, out);
        break;
    }
    default:
        figure_fixed(v, 1, 0, out);
        break;
    }
}

static void add_field(struct table_print *print, const struct field *field)
{
    struct field *added = &print->fields[print->count++];
    *added = *field;
    added->width = (int)strlen(added->head);
}

static void head_of(const struct table_print *print, enum measure measure, char out[static HEAD_BYTES])
{
    const char *unit = "";
    switch (measure) {
    case MEASURE_VALUE:
    case MEASURE_CUSTOMS:
        unit = print->presentation->currency;
        break;
    case MEASURE_NET:
    case MEASURE_GROSS:
        unit = "t";
        break;
    case MEASURE_SHARE:
    case MEASURE_GROWTH:
        unit = "%";
        break;
    case MEASURE_QUANTITY:
        unit = print->summary->quantity_unit;
        break;
    default:
        break;
    }
    const char *name = measure == MEASURE_COUNT && print->summary->request.count ? print->summary->request.count
                                                                                 : measure_name(measure);
    snprintf(out, HEAD_BYTES, "%s%s%s%s", name, measure == MEASURE_COUNT ? "s" : "", unit[0] ? " " : "", unit);
}

static bool has_bases(const struct summary *summary)
{
    bool some = summary->total.has_base;
    for (uint32_t i = 0; i < summary->group_count; i++)
        some |= summary->groups[i].has_base;
    return some;
}

static bool has_editions(const struct summary *summary)
{
    unsigned flags = summary->rest.edition;
    for (uint32_t i = 0; i < summary->group_count; i++)
        flags |= summary->groups[i].edition;
    return flags & ~(unsigned)EDITION_UNCONVERTED; /* that is of all, and said below */
}

static bool has_growth(enum measure measure)
{
    return measure == MEASURE_VALUE || measure == MEASURE_CUSTOMS || measure == MEASURE_NET ||
           measure == MEASURE_GROSS || measure == MEASURE_QUANTITY;
}

static void choose_fields(struct table_print *print)
{
    for (uint32_t c = 0; c < print->summary->column_count; c++) {
        struct field field = {.is_text = true, .column = c};
        snprintf(field.head, HEAD_BYTES, "%s", print->summary->columns[c].name);
        add_field(print, &field);
    }
    bool bases = has_bases(print->summary);
    for (uint32_t i = 0; i < print->presentation->show_count; i++) {
        struct field field = {.measure = print->presentation->show[i]};
        head_of(print, field.measure, field.head);
        add_field(print, &field);
        if (bases && has_growth(field.measure))
            add_field(print, &(struct field){.head = "yoy %", .measure = field.measure, .is_growth = true});
    }
    if (has_editions(print->summary))
        add_field(print, &(struct field){.head = "HS 2017", .is_text = true, .is_edition = true});
}

static const char *cell_of(const struct table_print *print, const struct field *field,
                           const struct summary_group *group, char scratch[static FIGURE_BYTES])
{
    if (field->is_edition)
        return edition_name(group->edition);
    if (field->is_text)
        return group->values ? summary_value(group, field->column) : field->column == 0 ? "(others)" : "";
    put_cell(print, field, group, scratch);
    return scratch;
}

static void print_line(const struct table_print *print, const struct summary_group *group, FILE *out)
{
    char scratch[FIGURE_BYTES];
    for (uint32_t f = 0; f < print->count; f++) {
        const struct field *field = &print->fields[f];
        const char *cell = group ? cell_of(print, field, group, scratch) : field->head;
        fprintf(out, field->is_text ? "%s%-*s" : "%s%*s", f ? "  " : "", field->width, cell);
    }
    fputc('\n', out);
}

static void widen(struct table_print *print, const struct summary_group *group)
{
    char scratch[FIGURE_BYTES];
    for (uint32_t f = 0; f < print->count; f++) {
        int width = (int)strlen(cell_of(print, &print->fields[f], group, scratch));
        if (width > print->fields[f].width)
            print->fields[f].width = width;
    }
}

static void print_total(const struct table_print *print, FILE *out)
{
    const struct presentation *presentation = print->presentation;
    const struct summary_group *total = &print->summary->total;
    fputs("total: ", out);
    for (uint32_t i = 0; i < presentation->show_count; i++) {
        enum measure measure = presentation->show[i];
        char figure[FIGURE_BYTES];
        char growth[FIGURE_BYTES];
        presentation_figure(presentation, print->summary, total, measure, false, figure);
        presentation_growth(print->summary, total, measure, growth);
        bool is_named = measure != MEASURE_NET && measure != MEASURE_VALUE && measure != MEASURE_COUNT &&
                        (strcmp(figure, "-") == 0 || measure < MEASURE_DECLARATIONS || measure > MEASURE_PACKAGES);
        fprintf(out, "%s%s%s%s", i ? ", " : "", is_named ? measure_name(measure) : "", is_named ? " " : "", figure);
        if (has_growth(measure) && strcmp(growth, "-") != 0)
            fprintf(out, " (%s%s %%)", growth[0] == '-' ? "" : "+", growth);
    }
    fputc('\n', out);
}

void report_table_print(const struct summary *summary, const struct presentation *presentation, FILE *out)
{
    struct table_print *print = memory_new(1, sizeof *print);
    print->summary = summary;
    print->presentation = presentation;
    choose_fields(print);
    for (uint32_t i = 0; i < summary->group_count; i++)
        widen(print, &summary->groups[i]);
    if (summary->rest_count)
        widen(print, &summary->rest);
    print_line(print, NULL, out);
    for (uint32_t i = 0; i < summary->group_count; i++)
        print_line(print, &summary->groups[i], out);
    if (summary->rest_count)
        print_line(print, &summary->rest, out);
    print_total(print, out);
    presentation_notes(presentation, summary, out);
    memory_free(print);
}
